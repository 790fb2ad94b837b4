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
/* What lies beyond the last row or column repeats it, and what is beyond k_all is zero. Neighbouring work-items read
 * neighbouring pixels: of a window's taps those go along k. */
#define A_AT(k) (min(i0 + i, m - 1) * k_all + k)
#define X_AT(k) (column[i] + (WEIGHT ? PIXEL(k) : TAP(k)))
#define BRING(k0)                                                                                                      \
    BRING_BLOCK(next_a, BRING_M, BLOCK_M, 0, k0 + k < k_all ? a[A_AT(k0 + k)] : 0)                                     \
    BRING_BLOCK(next_x, BRING_N, BLOCK_N, !WEIGHT, k0 + k < k_all ? from[X_AT(k0 + k)] : 0)

__kernel __attribute__((reqd_work_group_size(SIDE_U, SIDE_V, 1))) void tn_conv(
    __global const uchar *a_buffer, ulong a_offset, __global const uchar *x_buffer, ulong x_offset, LAST_PARAMS int m,
    int n, int k_all, int groups, int images, int length, int picture, int hp, int wp, int q)
{
    __local V4 left[LOCAL_VECTORS], *right = left + DEEP * STEP_M;
    __local int column[BLOCK_N];
    const int u = (int)get_local_id(0), v = (int)get_local_id(1), lane = v * SIDE_U + u;
    const int blocks = (n + BLOCK_N - 1) / BLOCK_N, outer = (int)get_group_id(0) / blocks;
    const int i0 = (int)get_group_id(1) * BLOCK_M, j0 = (int)get_group_id(0) % blocks * BLOCK_N;
    const int g = outer % groups, first = outer / groups * length, end = min(first + length, images);
    V4 acc[ROWS * COLS / 4];
    T next_a[BRING_M], next_x[BRING_N];
#pragma unroll
    for (int e = 0; e < ROWS * COLS / 4; e++) acc[e] = (V4)(0);
    for (int at = lane; at < BLOCK_N; at += ITEMS) {
        const int j = min(j0 + at, n - 1);
        column[at] = WEIGHT ? TAP(j) : PIXEL(j);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int image = first; image < end; image++) {
        __global const T *a =
            (__global const T *)(a_buffer + a_offset) + (WEIGHT ? (long)image * groups + g : g) * m * (long)k_all;
        __global const T *from = (__global const T *)(x_buffer + x_offset) + ((long)image * groups + g) * picture;
        BRING(0)
        for (int k0 = 0; k0 < k_all; k0 += DEEP) {
            barrier(CLK_LOCAL_MEM_FENCE);
            KEEP_BLOCK(left, STEP_M, next_a, BRING_M, BLOCK_M, 0)
            KEEP_BLOCK(right, STEP_N, next_x, BRING_N, BLOCK_N, !WEIGHT)
            barrier(CLK_LOCAL_MEM_FENCE);
            BRING(k0 + DEEP)
            multiply_blocks(acc, left, right, u, v);
        }
    }
#ifdef SPLIT
    __global T *partial = (__global T *)(partial_buffer + partial_offset) + (long)outer * m * n;
    FOR_EACH_PRODUCT(acc, left, partial[(long)i * n + j] = product;)
#else
    MAP_POINTERS
    FOR_EACH_PRODUCT(acc, left, MAP_ROW((IX)((long)outer * m + i), 0) MAP_VALUES(j) MAP_STORE(j))
#endif
}
