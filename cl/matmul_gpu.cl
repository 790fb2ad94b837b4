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

/* Where a work-item's elements lie, behind those of the block before; what lies beyond the last row repeats it, and what
 * is beyond `end` is zero. */
#define A_AT (TRANS_A ? (AT)k * m + min(i0 + i, m - 1) : (AT)min(i0 + i, m - 1) * k_all + k)
#define B_AT (TRANS_B ? (AT)min(j0 + i, n - 1) * k_all + k : (AT)k * n + min(j0 + i, n - 1))
#define BRING_IF(inside)                                                                                               \
    EACH_BROUGHT(BRING_M, BLOCK_M, TRANS_A, next_a[t] = (inside) ? (T)LOAD_A(a, a_at[t]) : 0;)                         \
    EACH_BROUGHT(BRING_N, BLOCK_N, !TRANS_B, next_b[t] = (inside) ? (T)LOAD_B(b, b_at[t]) : 0;)
#define BRING(k0)                                                                                                      \
    {                                                                                                                  \
        const int left = end - (k0);                                                                                   \
        if (left >= DEEP) {                                                                                            \
            BRING_IF(1)                                                                                                \
        } else {                                                                                                       \
            BRING_IF(k < left)                                                                                         \
        }                                                                                                              \
        a += TRANS_A ? (AT)DEEP * m : DEEP;                                                                            \
        b += TRANS_B ? DEEP : (AT)DEEP * n;                                                                            \
    }

__kernel __attribute__((reqd_work_group_size(SIDE_U, SIDE_V, 1))) void tn_matmul(
    __global const A_T *a_buffer, ulong a_offset, __global const B_T *b_buffer, ulong b_offset, LAST_PARAMS int m,
    int n, int k_all, long a_stride, long b_stride)
{
    __local V4 blocks[LOCAL_VECTORS];
    const uint lane = (uint)(get_local_id(1) * SIDE_U + get_local_id(0));
    const int u = lane_u(lane), v = lane_v(lane);
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
    __global const A_T *a = a_buffer + a_offset + batch * a_stride + (TRANS_A ? (AT)begin * m : begin);
    __global const B_T *b = b_buffer + b_offset + batch * b_stride + (TRANS_B ? begin : (AT)begin * n);
    V4 acc[ROWS * COLS / 4];
    AT a_at[BRING_M], b_at[BRING_N];
    T next_a[BRING_M], next_b[BRING_N];
    EACH_BROUGHT(BRING_M, BLOCK_M, TRANS_A, a_at[t] = A_AT;)
    EACH_BROUGHT(BRING_N, BLOCK_N, !TRANS_B, b_at[t] = B_AT;)
#pragma unroll
    for (int e = 0; e < ROWS * COLS / 4; e++) acc[e] = (V4)(0);
    ADD_PRODUCTS(acc, blocks, begin, end, TRANS_A, !TRANS_B)
#ifdef SPLIT
    FOR_EACH_PRODUCT(acc, blocks, partial[(long)i * n + j] = product;)
#else
    FOR_EACH_PRODUCT(acc, blocks, MAP_ROW((IX)batch * m + i, 0) MAP_VALUES(j) MAP_STORE(j))
#endif
}
#endif
