/* matmul_gpu.cl: y = epilogue(op(a) op(b)) for GPU devices, by the blocks of tile_gpu.cl.
 *
 * Given: what tile_gpu.cl needs, A_T, B_T, LOAD_A, LOAD_B, TRANS_A, TRANS_B, AT (the type of places in a matrix), and
 * the epilogue as a map over (batch, m, n), see map.cl, whose value 0 is the product. SPLIT: work-groups divide k as
 * well, and leave partial products in scratch. FROM_SCRATCH: only the epilogue, of the sum of `segments` products made
 * before. */
#define GIVEN(j) product

#ifdef FROM_SCRATCH
__kernel void tn_epilogue(ITEM_PARAM __global const uchar *product_buffer, ulong product_offset, int segments,
                          MAP_PARAMS IX total)
{
    MAP_POINTERS
    const IX e = (IX)ITEM;
    if (e >= total) return;
    __global const T *from = (__global const T *)(product_buffer + product_offset) + e;
    T product = 0;
    for (int s = 0; s < segments; s++) product += from[(long)s * total];
    const IX row = e / MAP_N, j = e - row * MAP_N;
    MAP_ROW(row, 0)
    MAP_VALUES(j)
    MAP_STORE(j)
}
#else
#ifdef SPLIT
#define LAST_PARAMS __global uchar *partial_buffer, ulong partial_offset, int segments, int length,
#else
#define LAST_PARAMS MAP_PARAMS
#endif

/* What lies beyond the last row repeats it, and what is beyond `end` is zero. */
#define A_AT(k0, k, i) (TRANS_A ? (AT)(k0 + k) * m + min(i0 + i, m - 1) : (AT)min(i0 + i, m - 1) * k_all + k0 + k)
#define B_AT(k0, k, j) (TRANS_B ? (AT)min(j0 + j, n - 1) * k_all + k0 + k : (AT)(k0 + k) * n + min(j0 + j, n - 1))
#define BRING(k0)                                                                                                      \
    BRING_BLOCK(next_a, BRING_M, BLOCK_M, TRANS_A, k0 + k < end ? (T)LOAD_A(a, A_AT(k0, k, i)) : 0)                    \
    BRING_BLOCK(next_b, BRING_N, BLOCK_N, !TRANS_B, k0 + k < end ? (T)LOAD_B(b, B_AT(k0, k, i)) : 0)

__kernel __attribute__((reqd_work_group_size(SIDE_U, SIDE_V, 1))) void tn_matmul(
    __global const A_T *a_buffer, ulong a_offset, __global const B_T *b_buffer, ulong b_offset, LAST_PARAMS int m,
    int n, int k_all, long a_stride, long b_stride)
{
    __local V4 left[LOCAL_VECTORS], *right = left + DEEP * STEP_M;
    const int u = (int)get_local_id(0), v = (int)get_local_id(1), lane = v * SIDE_U + u;
    const int i0 = (int)get_group_id(1) * BLOCK_M, j0 = (int)get_group_id(0) * BLOCK_N;
#ifdef SPLIT
    const int part = (int)get_group_id(2), batch = part / segments, begin = part % segments * length;
    const int end = min(begin + length, k_all);
    __global T *partial = (__global T *)(partial_buffer + partial_offset) +
                          ((long)(part % segments) * (get_num_groups(2) / segments) + batch) * m * n;
#else
    const int batch = (int)get_group_id(2), begin = 0, end = k_all;
    MAP_POINTERS
#endif
    __global const A_T *a = a_buffer + a_offset + batch * a_stride;
    __global const B_T *b = b_buffer + b_offset + batch * b_stride;
    V4 acc[ROWS * COLS / 4];
    T next_a[BRING_M], next_b[BRING_N];
#pragma unroll
    for (int e = 0; e < ROWS * COLS / 4; e++) acc[e] = (V4)(0);
    BRING(begin)
    for (int k0 = begin; k0 < end; k0 += DEEP) {
        barrier(CLK_LOCAL_MEM_FENCE);
        KEEP_BLOCK(left, STEP_M, next_a, BRING_M, BLOCK_M, TRANS_A)
        KEEP_BLOCK(right, STEP_N, next_b, BRING_N, BLOCK_N, !TRANS_B)
        barrier(CLK_LOCAL_MEM_FENCE);
        BRING(k0 + DEEP)
        multiply_blocks(acc, left, right, u, v);
    }
#ifdef SPLIT
    FOR_EACH_PRODUCT(acc, left, partial[(long)i * n + j] = product;)
#else
    FOR_EACH_PRODUCT(acc, left, MAP_ROW((IX)batch * m + i, 0) MAP_VALUES(j) MAP_STORE(j))
#endif
}
#endif
