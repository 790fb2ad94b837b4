/* matmul_gpu.cl: y = epilogue(op(a) op(b)) for GPU devices. A work-group of SIDE x SIDE work-items makes a block of
 * BLOCK x BLOCK elements, EACH x EACH by a work-item (spaced SIDE apart, so that neighbours write neighbouring
 * columns), from blocks of DEEP values of k in local memory.
 *
 * Given: SIDE, EACH, T, A_T, B_T, LOAD_A, LOAD_B, TRANS_A, TRANS_B, and the epilogue as a map over (batch, m, n), see
 * map.cl, whose value 0 is the product. FROM_SCRATCH: only the epilogue, of a product made before. */
#define BLOCK (SIDE * EACH)
#define DEEP 16
#define GIVEN(j) product

#ifdef FROM_SCRATCH
__kernel void tn_epilogue(ITEM_PARAM __global const T *product_buffer, ulong product_offset, MAP_PARAMS IX total)
{
    MAP_POINTERS
    const IX e = (IX)ITEM;
    if (e >= total) return;
    const T product = product_buffer[product_offset / sizeof(T) + e];
    const IX row = e / MAP_N, j = e - row * MAP_N;
    MAP_ROW(row, 0)
    MAP_VALUES(j)
    MAP_STORE(j)
}
#else
__kernel __attribute__((reqd_work_group_size(SIDE, SIDE, 1))) void tn_matmul(
    __global const A_T *a_buffer, ulong a_offset, __global const B_T *b_buffer, ulong b_offset, MAP_PARAMS int m, int n,
    int k_all, long a_stride, long b_stride)
{
    MAP_POINTERS
    __local T left[DEEP][BLOCK + 1], right[DEEP][BLOCK + 1];
    const int u = (int)get_local_id(0), v = (int)get_local_id(1), lane = v * SIDE + u, batch = (int)get_group_id(2);
    const int i0 = (int)get_group_id(1) * BLOCK, j0 = (int)get_group_id(0) * BLOCK;
    __global const A_T *a = a_buffer + a_offset + batch * a_stride;
    __global const B_T *b = b_buffer + b_offset + batch * b_stride;
    T acc[EACH][EACH];
    for (int r = 0; r < EACH; r++)
        for (int c = 0; c < EACH; c++) acc[r][c] = 0;
    for (int k0 = 0; k0 < k_all; k0 += DEEP) {
        for (int at = lane; at < DEEP * BLOCK; at += SIDE * SIDE) {
            /* neighbouring work-items read neighbouring elements, whichever way the matrix lies */
            const int ak = TRANS_A ? at / BLOCK : at % DEEP, ai = TRANS_A ? at % BLOCK : at / DEEP;
            const int bk = TRANS_B ? at % DEEP : at / BLOCK, bj = TRANS_B ? at / DEEP : at % BLOCK;
            const int in_a = i0 + ai < m && k0 + ak < k_all, in_b = j0 + bj < n && k0 + bk < k_all;
            const long at_a = TRANS_A ? (long)(k0 + ak) * m + i0 + ai : (long)(i0 + ai) * k_all + k0 + ak;
            const long at_b = TRANS_B ? (long)(j0 + bj) * k_all + k0 + bk : (long)(k0 + bk) * n + j0 + bj;
            left[ak][ai] = in_a ? (T)LOAD_A(a, at_a) : (T)0;
            right[bk][bj] = in_b ? (T)LOAD_B(b, at_b) : (T)0;
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        for (int k = 0; k < DEEP; k++) {
            T x[EACH], y[EACH];
            for (int r = 0; r < EACH; r++) x[r] = left[k][r * SIDE + v];
            for (int c = 0; c < EACH; c++) y[c] = right[k][c * SIDE + u];
            for (int r = 0; r < EACH; r++)
                for (int c = 0; c < EACH; c++) acc[r][c] += x[r] * y[c];
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    for (int r = 0; r < EACH; r++) {
        const int i = i0 + r * SIDE + v;
        if (i >= m) continue;
        MAP_ROW((IX)batch * m + i, 0)
        for (int c = 0; c < EACH; c++) {
            const IX j = j0 + c * SIDE + u;
            if (j >= n) continue;
            const T product = acc[r][c];
            MAP_VALUES(j)
            MAP_STORE(j)
        }
    }
}
#endif
