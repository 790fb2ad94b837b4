/* conv_gpu.cl: convolutions as products on GPU devices, without a matrix of pictures: blocks in local memory are filled
 * straight from them. A work-group of SIDE x SIDE work-items makes a block of BLOCK x BLOCK elements, EACH x EACH by a
 * work-item. What rows, columns and k are, and the arguments, is as in conv_cpu.cl.
 *
 * Given: SIDE, EACH, T; R, S, STRIDE_H, STRIDE_W, DILATION_H, DILATION_W, WEIGHT, SPLIT; the epilogue as a map. */
#define BLOCK   (SIDE * EACH)
#define DEEP    16
#define TAP(i)   ((i) / (R * S) * hp * wp + (i) / S % R * (DILATION_H * wp) + (i) % S * DILATION_W)
#define PIXEL(i) ((i) / q * (STRIDE_H * wp) + (i) % q * STRIDE_W)
#define GIVEN(j) product
#ifdef SPLIT
#define LAST_PARAMS __global uchar *partial_buffer, ulong partial_offset,
#else
#define LAST_PARAMS MAP_PARAMS
#endif

__kernel __attribute__((reqd_work_group_size(SIDE, SIDE, 1))) void tn_conv(
    __global const uchar *a_buffer, ulong a_offset, __global const uchar *x_buffer, ulong x_offset, LAST_PARAMS int m,
    int n, int k_all, int groups, int images, int length, int picture, int hp, int wp, int q)
{
#ifndef SPLIT
    MAP_POINTERS
#endif
    __local T left[DEEP][BLOCK + 1], right[DEEP][BLOCK + 1];
    __local int column[BLOCK], depth[DEEP];
    const int u = (int)get_local_id(0), v = (int)get_local_id(1), lane = v * SIDE + u, blocks = (n + BLOCK - 1) / BLOCK;
    const int outer = (int)get_group_id(0) / blocks, j0 = (int)get_group_id(0) % blocks * BLOCK;
    const int i0 = (int)get_group_id(1) * BLOCK;
    const int g = outer % groups, first = outer / groups * length, end = min(first + length, images);
    __global const T *x = (__global const T *)(x_buffer + x_offset);
    T acc[EACH][EACH] = {{0}};
    for (int at = lane; at < BLOCK; at += SIDE * SIDE)
        column[at] = j0 + at < n ? (WEIGHT ? TAP(j0 + at) : PIXEL(j0 + at)) : -1;
    for (int image = first; image < end; image++) {
        __global const T *a =
            (__global const T *)(a_buffer + a_offset) + (WEIGHT ? (long)image * groups + g : g) * m * (long)k_all;
        __global const T *from = x + ((long)image * groups + g) * picture;
        for (int k0 = 0; k0 < k_all; k0 += DEEP) {
            for (int at = lane; at < DEEP; at += SIDE * SIDE)
                depth[at] = k0 + at < k_all ? (WEIGHT ? PIXEL(k0 + at) : TAP(k0 + at)) : -1;
            barrier(CLK_LOCAL_MEM_FENCE);
            for (int at = lane; at < DEEP * BLOCK; at += SIDE * SIDE) {
                const int ak = at % DEEP, ai = at / DEEP;
                left[ak][ai] = i0 + ai < m && k0 + ak < k_all ? a[(long)(i0 + ai) * k_all + k0 + ak] : 0;
                /* neighbouring work-items read neighbouring pixels */
                const int bk = WEIGHT ? at % DEEP : at / BLOCK, bj = WEIGHT ? at / DEEP : at % BLOCK;
                const int cj = column[bj], ck = depth[bk];
                right[bk][bj] = cj >= 0 && ck >= 0 ? from[cj + ck] : 0;
            }
            barrier(CLK_LOCAL_MEM_FENCE);
            for (int k = 0; k < DEEP; k++) {
                T p[EACH], o[EACH];
                for (int r = 0; r < EACH; r++) p[r] = left[k][r * SIDE + v];
                for (int c = 0; c < EACH; c++) o[c] = right[k][c * SIDE + u];
                for (int r = 0; r < EACH; r++)
                    for (int c = 0; c < EACH; c++) acc[r][c] += p[r] * o[c];
            }
        }
    }
    for (int r = 0; r < EACH; r++) {
        const int i = i0 + r * SIDE + v;
        if (i >= m) continue;
        const long row = (long)outer * m + i;
#ifdef SPLIT
        __global T *to = (__global T *)(partial_buffer + partial_offset) + row * n;
#else
        MAP_ROW((IX)row, 0)
#endif
        for (int c = 0; c < EACH; c++) {
            const IX j = j0 + c * SIDE + u;
            if (j >= n) continue;
            const T product = acc[r][c];
#ifdef SPLIT
            to[j] = product;
#else
            MAP_VALUES(j)
            MAP_STORE(j)
#endif
        }
    }
}
