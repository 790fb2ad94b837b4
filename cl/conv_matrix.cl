/* conv_matrix.cl: convolutions as products by matrix units, without a matrix of pictures: the blocks of matrix_block.cl
 * are filled straight from them. What rows, columns and k are, and the arguments, is as in conv_cpu.cl.
 *
 * Given: matrix_parts.cl, conv_places.cl; A_T, LOAD_A, X_T, LOAD_X: how a and pictures are stored. */
/* Where a work-item's pairs lie: of a before the block, of the pictures without k's part of it. What lies beyond the last
 * row or column repeats it, and what is beyond k_all is zero. */
#define BRING_IF(k0, inside)                                                                                           \
    EACH_OF(PAIRS, BRING_M, BLOCK_M, TURNED_A,                                                                         \
            next_a[t] = PAIR_OF(a, LOAD_A, a_at[t] + (k0) * K_STEP_A, a_at[t] + ((k0) + 1) * K_STEP_A, inside);)     \
    EACH_OF(PAIRS, BRING_N, BLOCK_N, TURNED_B,                                                                         \
            next_b[t] = PAIR_OF(from, LOAD_X, b_at[t] + ALONG_K((k0) + 2 * k), b_at[t] + ALONG_K((k0) + 2 * k + 1),  \
                                inside);)
#define BRING(k0)                                                                                                      \
    {                                                                                                                  \
        const int more = k_all - (k0);                                                                                 \
        if (more >= DEEP) {                                                                                            \
            BRING_IF(k0, 2)                                                                                            \
        } else {                                                                                                       \
            BRING_IF(k0, more - 2 * k)                                                                                 \
        }                                                                                                              \
    }

/* What parts make of infinities is no number, where the product may well be one: then it is made anew. */
#if PARTS > 1
#define MEND(product, i, j)                                                                                            \
    if (product != product) {                                                                                          \
        product = 0;                                                                                                   \
        for (int image = first; image < last; image++)                                                                 \
            for (int k_ = 0; k_ < k_all; k_++)                                                                         \
                product += LOAD_A(A_OF(a_first, image), (i) * ROW_STEP_A + k_ * K_STEP_A) *                             \
                           LOAD_X(FROM_OF(from_first, image), COLUMN((int)(j)) + ALONG_K(k_));                         \
    }
#else
#define MEND(product, i, j)
#endif

__kernel MX_SUB_GROUP __attribute__((reqd_work_group_size(WAVES_U * WAVE, WAVES_V, 1))) void tn_conv(
    __global const uchar *a_buffer, ulong a_offset, __global const uchar *x_buffer, ulong x_offset, RESULT_PARAMS int m,
    int n, int k_all, int groups, int images, int length, int picture, int hp, int wp, int q)
{
    BLOCK_BEGIN
    PARTS_BEGIN
    const int blocks = (n + BLOCK_N - 1) / BLOCK_N, outer = (int)get_group_id(0) / blocks;
    const int i0 = (int)get_group_id(1) * BLOCK_M, j0 = (int)get_group_id(0) % blocks * BLOCK_N;
    const int g = outer % groups, first = outer / groups * length, last = min(first + length, images);
    __global const A_T *const a_first = (__global const A_T *)(a_buffer + a_offset);
    __global const X_T *const from_first = (__global const X_T *)(x_buffer + x_offset);
    int a_at[BRING_M], b_at[BRING_N];
    EACH_OF(PAIRS, BRING_M, BLOCK_M, TURNED_A, a_at[t] = min(i0 + i, m - 1) * ROW_STEP_A + 2 * k * K_STEP_A;)
    EACH_OF(PAIRS, BRING_N, BLOCK_N, TURNED_B, b_at[t] = COLUMN(min(j0 + i, n - 1));)
    for (int image = first; image < last; image++) {
        __global const A_T *a = A_OF(a_first, image);
        __global const X_T *from = FROM_OF(from_first, image);
        ADD_BLOCKS(0, k_all, TURNED_A, TURNED_B)
    }
    RESULT_POINTERS
    FOR_EACH_PRODUCT(STORE_RESULT)
}
