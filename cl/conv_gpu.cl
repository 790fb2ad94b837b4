/* conv_gpu.cl: convolutions as products on GPU devices, without a matrix of pictures: the blocks of tile_gpu.cl are
 * filled straight from them. What rows, columns and k are, and the arguments, is as in conv_cpu.cl.
 *
 * Given: what tile_gpu.cl needs; R, S, STRIDE_H, STRIDE_W, DILATION_H, DILATION_W, WEIGHT, SPLIT; the epilogue as a
 * map. */
#define TAP(i)   ((i) / (R * S) * hp * wp + (i) / S % R * (DILATION_H * wp) + (i) % S * DILATION_W)
#define PIXEL(i) ((i) / q * (STRIDE_H * wp) + (i) % q * STRIDE_W)
#define GIVEN(j) product
#ifdef SPLIT
#define LAST_PARAMS __global uchar *partial_buffer, ulong partial_offset,
#else
#define LAST_PARAMS MAP_PARAMS
#endif
/* Where a work-item's elements lie: of a before the block, of the pictures without k's part of it. What lies beyond the
 * last row or column repeats it, and what is beyond k_all is zero. Neighbouring work-items read neighbouring pixels: of
 * a window's taps those go along k. */
#define A_AT (min(i0 + i, m - 1) * k_all + k)
#define B_AT (WEIGHT ? TAP(min(j0 + i, n - 1)) : PIXEL(min(j0 + i, n - 1)))
#define BRING_IF(k0, inside)                                                                                           \
    EACH_BROUGHT(BRING_M, BLOCK_M, 0, next_a[t] = (inside) ? a[a_at[t] + (k0)] : 0;)                                   \
    EACH_BROUGHT(BRING_N, BLOCK_N, !WEIGHT,                                                                            \
                 next_b[t] = (inside) ? from[b_at[t] + (WEIGHT ? PIXEL((k0) + k) : TAP((k0) + k))] : 0;)
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
    __global const uchar *a_buffer, ulong a_offset, __global const uchar *x_buffer, ulong x_offset, LAST_PARAMS int m,
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
    EACH_BROUGHT(BRING_M, BLOCK_M, 0, a_at[t] = A_AT;)
    EACH_BROUGHT(BRING_N, BLOCK_N, !WEIGHT, b_at[t] = B_AT;)
#pragma unroll
    for (int e = 0; e < ROWS * COLS / 4; e++) acc[e] = (V4)(0);
    for (int image = first; image < end; image++) {
        __global const T *a =
            (__global const T *)(a_buffer + a_offset) + (WEIGHT ? (long)image * groups + g : g) * m * (long)k_all;
        __global const T *from = (__global const T *)(x_buffer + x_offset) + ((long)image * groups + g) * picture;
        ADD_PRODUCTS(acc, shared, 0, k_all, 0, !WEIGHT)
    }
#ifdef SPLIT
    __global T *partial = (__global T *)(partial_buffer + partial_offset) + (long)outer * m * n;
    FOR_EACH_PRODUCT(acc, shared, partial[(long)i * n + j] = product;)
#else
    MAP_POINTERS
    FOR_EACH_PRODUCT(acc, shared, MAP_ROW((IX)((long)outer * m + i), 0) MAP_VALUES(j) MAP_STORE(j))
#endif
}
