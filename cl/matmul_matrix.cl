/* matmul_matrix.cl: y = epilogue(op(a) op(b)) by matrix units: the blocks of matrix_block.cl, by the core
 * matrix_parts.cl, or, with STAGES, matrix_staged.cl.
 *
 * Given: what matmul_gpu.cl is, without the tile; the core. */
#define GIVEN(j) product
#ifdef SPLIT
#define LAST_PARAMS __global uchar *partial_buffer, ulong partial_offset, int segments, int length,
#else
#define LAST_PARAMS MAP_PARAMS
#endif

/* Where a number lies. */
#define A_AT(row, k) (TRANS_A ? (AT)(k) * m + (row) : (AT)(row) * k_all + (k))
#define B_AT(row, k) (TRANS_B ? (AT)(row) * k_all + (k) : (AT)(k) * n + (row))
#ifdef STAGES
#define BLOCK_AT(block) const int k0 = (block) * DEEP;
#define PIECE_IN(from, turned, rows)                                                                                   \
    const int inside = row < (rows) && k < length;                                                                     \
    __global const STORED *const piece =                                                                               \
        (from) + (!inside ? 0 : (turned) ? (AT)k * (rows) + row : (AT)row * k_all + k);
#define PIECE_OF_A PIECE_IN(from_a, TURNED_A, m)
#define PIECE_OF_B PIECE_IN(from_b, TURNED_B, n)
#define ADD_PRODUCTS                                                                                                   \
    {                                                                                                                  \
        const int length = end - begin;                                                                                \
        ADD_STAGES(a_first, b_first, (length + DEEP - 1) / DEEP)                                                       \
    }
#else
/* Pairs, behind those of the block before; what is beyond the last row repeats it, and what is beyond `end` is zero. */
#define BRING_IF(inside)                                                                                               \
    EACH_OF(PAIRS, BRING_M, BLOCK_M, TRANS_A,                                                                          \
            next_a[t] = PAIR_OF(a, LOAD_A, a_at[t], a_at[t] + (TRANS_A ? m : 1), inside);)                             \
    EACH_OF(PAIRS, BRING_N, BLOCK_N, !TRANS_B,                                                                         \
            next_b[t] = PAIR_OF(b, LOAD_B, b_at[t], b_at[t] + (TRANS_B ? 1 : n), inside);)
#define BRING(k0)                                                                                                      \
    {                                                                                                                  \
        const int more = end - (k0);                                                                                   \
        if (more >= DEEP) {                                                                                            \
            BRING_IF(2)                                                                                                \
        } else {                                                                                                       \
            BRING_IF(more - 2 * k)                                                                                     \
        }                                                                                                              \
        a += TRANS_A ? (AT)DEEP * m : DEEP;                                                                            \
        b += TRANS_B ? DEEP : (AT)DEEP * n;                                                                            \
    }
#define ADD_PRODUCTS                                                                                                   \
    PARTS_BEGIN                                                                                                        \
    __global const A_T *a = a_first;                                                                                   \
    __global const B_T *b = b_first;                                                                                   \
    AT a_at[BRING_M], b_at[BRING_N];                                                                                   \
    EACH_OF(PAIRS, BRING_M, BLOCK_M, TRANS_A, a_at[t] = A_AT(min(i0 + i, m - 1), 2 * k);)                              \
    EACH_OF(PAIRS, BRING_N, BLOCK_N, !TRANS_B, b_at[t] = B_AT(min(j0 + i, n - 1), 2 * k);)                             \
    ADD_BLOCKS(begin, end, TRANS_A, !TRANS_B)
#endif

/* What parts make of infinities is no number, where the product may well be one: then it is made anew. */
#if PARTS > 1
#define MEND(product, i, j)                                                                                            \
    if (product != product) {                                                                                          \
        product = 0;                                                                                                   \
        for (int k_ = 0; k_ < end - begin; k_++) product += LOAD_A(a_first, A_AT(i, k_)) * LOAD_B(b_first, B_AT(j, k_));   \
    }
#else
#define MEND(product, i, j)
#endif

__kernel MX_SUB_GROUP __attribute__((reqd_work_group_size(WAVES_U * WAVE, WAVES_V, 1))) void tn_matmul(
    __global const A_T *a_buffer, ulong a_offset, __global const B_T *b_buffer, ulong b_offset, LAST_PARAMS int m,
    int n, int k_all, long a_stride, long b_stride)
{
    BLOCK_BEGIN
    const int i0 = (int)get_group_id(1) * BLOCK_M, j0 = (int)get_group_id(0) * BLOCK_N;
#ifdef SPLIT
    const int part = (int)get_group_id(2), batch = part / segments, begin = part % segments * length;
    const int end = min(begin + length, k_all);
#else
    const int batch = (int)get_group_id(2), begin = 0, end = k_all;
    MAP_POINTERS
#endif
    __global const A_T *const a_first = a_buffer + a_offset + batch * a_stride + (TRANS_A ? (AT)begin * m : begin);
    __global const B_T *const b_first = b_buffer + b_offset + batch * b_stride + (TRANS_B ? begin : (AT)begin * n);
    ADD_PRODUCTS
#ifdef SPLIT
    __global float *partial = (__global float *)(partial_buffer + partial_offset) +
                              ((long)(part % segments) * (get_num_groups(2) / segments) + batch) * m * n;
    FOR_EACH_PRODUCT(partial[(long)i * n + j] = product;)
#else
    FOR_EACH_PRODUCT(MAP_ROW((IX)batch * m + i, 0) MAP_VALUES(j) MAP_STORE(j))
#endif
}
