/* conv_gpu.cl: convolutions as products on GPU devices, without a matrix of pictures: the blocks of tile_gpu.cl are
 * filled straight from them. What rows, columns and k are, and the arguments, is as in conv_cpu.cl.
 *
 * Given: conv_places.cl; what tile_gpu.cl needs; A_T, LOAD_A, X_T, LOAD_X: how a and pictures are stored. */
/* Where a work-item's elements lie: of a before the block, of the pictures without k's part of it. What lies beyond the
 * last row or column repeats it, and what is beyond k_all is zero. Neighbouring work-items read neighbouring pixels: of
 * a window's taps those go along k; or neighbouring channels, where these are last. */
#define A_AT (min(i0 + i, m - 1) * ROW_STEP_A + k * K_STEP_A)
#define B_AT COLUMN(min(j0 + i, n - 1))
#define BRING_IF(k0, inside)                                                                                           \
    EACH_BROUGHT(BRING_M, BLOCK_M, TURNED_A, next_a[t] = (inside) ? LOAD_A(a, a_at[t] + (k0) * K_STEP_A) : 0;) \
    EACH_BROUGHT(BRING_N, BLOCK_N, TURNED_B, next_b[t] = (inside) ? LOAD_X(from, b_at[t] + ALONG_K((k0) + k)) : 0;)
#define BRING(k0)                                                                                                      \
    {                                                                                                                  \
        const int left = k_all - (k0);                                                                                 \
        if (left >= DEEP) {                                                                                            \
            BRING_IF(k0, 1)                                                                                            \
        } else {                                                                                                       \
            BRING_IF(k0, k < left)                                                                                     \
        }                                                                                                              \
    }

__kernel __attribute__((reqd_work_group_size(SIDE_U, SIDE_V, 1))) void tn_conv(
    __global const uchar *a_buffer, ulong a_offset, __global const uchar *x_buffer, ulong x_offset, RESULT_PARAMS int m,
    int n, int k_all, int groups, int images, int length, int picture, int hp, int wp, int q)
{
    __local V4 shared[LOCAL_VECTORS];
    const uint lane = (uint)(get_local_id(1) * SIDE_U + get_local_id(0));
    const int u = lane_u(lane), v = lane_v(lane);
    const int blocks = (n + BLOCK_N - 1) / BLOCK_N, outer = (int)get_group_id(0) / blocks;
    const int i0 = (int)get_group_id(1) * BLOCK_M, j0 = (int)get_group_id(0) % blocks * BLOCK_N;
    const int g = outer % groups, first = outer / groups * length, end = min(first + length, images);
    V4 acc[ROWS * COLS / 4];
    int a_at[BRING_M], b_at[BRING_N];
    T next_a[BRING_M], next_b[BRING_N];
    EACH_BROUGHT(BRING_M, BLOCK_M, TURNED_A, a_at[t] = A_AT;)
    EACH_BROUGHT(BRING_N, BLOCK_N, TURNED_B, b_at[t] = B_AT;)
#pragma unroll
    for (int e = 0; e < ROWS * COLS / 4; e++) acc[e] = (V4)(0);
    for (int image = first; image < end; image++) {
        __global const A_T *a = A_OF((__global const A_T *)(a_buffer + a_offset), image);
        __global const X_T *from = FROM_OF((__global const X_T *)(x_buffer + x_offset), image);
        ADD_PRODUCTS(acc, shared, 0, k_all, TURNED_A, TURNED_B)
    }
    RESULT_POINTERS
    FOR_EACH_PRODUCT(acc, shared, STORE_RESULT)
}
