/* attend_block.cl: what attention in tiles (attend.cl) and its gradient (attend_grad.cl) are made of: products of
 * blocks of BLOCK_M rows with BLOCK_N, DEEP numbers of each at a time, whose results are in registers as 4 x 4 a
 * work-item; and of a matrix of theirs in local memory, (BLOCK_N, BLOCK_M), turned, with so many rows of numbers, whose
 * results are as 4 rows by `wide` vectors of four columns, SIDE_U vectors apart.
 *
 * Given: what tile_gpu.cl needs, with ROWS and COLS 4; WIDEST, the largest of all `wide`; CAUSAL; MASK: none, or the
 * type of its elements; HIDES: it hides where it is 0, else it is added. Elements are f32. */
#define STEP_OF(wide) (SIDE_U * (wide) + 1)
#define ROOM          (DEEP * (STEP_M + STEP_N > STEP_OF(WIDEST) ? STEP_M + STEP_N : STEP_OF(WIDEST)))
#define PART(four, c) ((c) == 0 ? (four).x : (c) == 1 ? (four).y : (c) == 2 ? (four).z : (four).w)

#ifdef MASK
#define MASK_PARAMS                                                                                                    \
    __global const uchar *mask_buffer, ulong mask_offset, long mask_sample, long mask_head, int mask_row,
#define MASK_OF(head)                                                                                                  \
    ((__global const MASK *)(mask_buffer + mask_offset) + (head) / heads * mask_sample + (head) % heads * mask_head)
#else
#define MASK_PARAMS
#endif

/* A score of query i and key j from their product, and whether one sees the other. */
#if defined(MASK) && HIDES
#define SCORE(score, seen, product, i, j)                                                                              \
    int seen = (i) < n && (j) < m && (!CAUSAL || (j) <= (long)first + (i));                                            \
    if (seen) seen = mask[(i)*mask_row + (j)] != 0;                                                                    \
    const float score = (product)*scale;
#elif defined(MASK)
#define SCORE(score, seen, product, i, j)                                                                              \
    const int seen = (i) < n && (j) < m && (!CAUSAL || (j) <= (long)first + (i));                                      \
    const float score = (product)*scale + (seen ? mask[(i)*mask_row + (j)] : 0);
#else
#define SCORE(score, seen, product, i, j)                                                                              \
    const int seen = (i) < n && (j) < m && (!CAUSAL || (j) <= (long)first + (i));                                      \
    const float score = (product)*scale;
#endif

/* Rows of x, (rows, d), from row i on, numbers k0 .. k0 + DEEP of each, to local memory as (DEEP, step); what is not
 * there is 0. */
#define BRING_ROWS(to, step, block, from, i, rows, k0, d)                                                              \
    _Pragma("unroll 2") for (int f = (int)lane; f < DEEP * (block); f += ITEMS)                                        \
    {                                                                                                                  \
        const int row = f / DEEP, k = f % DEEP;                                                                        \
        ((__local float *)((to) + k * (step)))[row] =                                                                  \
            (i) + row < (rows) && (k0) + k < (d) ? (from)[((i) + row) * (d) + (k0) + k] : 0;                           \
    }

/* acc (4, wide) += left (deep, step) times right (deep, right_step), of this work-item's rows and columns. */
#define ADD_BLOCK(acc, wide, left, step, right, right_step)                                                            \
    _Pragma("unroll 2") for (int k = 0; k < DEEP; k++)                                                                 \
    {                                                                                                                  \
        const V4 p = (left)[k * (step) + v];                                                                           \
        _Pragma("unroll") for (int h = 0; h < (wide); h++)                                                             \
        {                                                                                                              \
            const V4 o = (right)[k * (right_step) + h * SIDE_U + u];                                                   \
            acc[h] += p.x * o;                                                                                         \
            acc[(wide) + h] += p.y * o;                                                                                \
            acc[2 * (wide) + h] += p.z * o;                                                                            \
            acc[3 * (wide) + h] += p.w * o;                                                                            \
        }                                                                                                              \
    }

/* acc (4, 4) += rows of `own` from i on, of which there are `rows`, times those of `other`, each of d numbers. */
#define ADD_PRODUCTS_OF(acc, own, i, rows, other, j, columns, d)                                                       \
    for (int k0 = 0; k0 < (d); k0 += DEEP) {                                                                           \
        barrier(CLK_LOCAL_MEM_FENCE);                                                                                  \
        BRING_ROWS(room, STEP_M, BLOCK_M, own, i, rows, k0, d)                                                         \
        BRING_ROWS(room + DEEP * STEP_M, STEP_N, BLOCK_N, other, j, columns, k0, d)                                    \
        barrier(CLK_LOCAL_MEM_FENCE);                                                                                  \
        ADD_BLOCK(acc, 1, room, STEP_M, room + DEEP * STEP_M, STEP_N)                                                  \
    }

/* acc (4, wide) += the matrix in `turned` times rows of `other` from row j on, (rows, d). */
#define ADD_MEANS_OF(acc, wide, other, j, rows, d)                                                                     \
    for (int k0 = 0; k0 < BLOCK_N && (j) + k0 < (rows); k0 += DEEP) {                                                  \
        for (int f = (int)lane; f < DEEP * SIDE_U * (wide)*4; f += ITEMS) {                                            \
            const int k = f / (SIDE_U * (wide)*4), c = f % (SIDE_U * (wide)*4), row = (j) + k0 + k;                    \
            ((__local float *)(room + k * STEP_OF(wide)))[c] = row < (rows) && c < (d) ? (other)[row * (d) + c] : 0;   \
        }                                                                                                              \
        barrier(CLK_LOCAL_MEM_FENCE);                                                                                  \
        ADD_BLOCK(acc, wide, turned + k0 * STEP_M, STEP_M, room, STEP_OF(wide))                                        \
        barrier(CLK_LOCAL_MEM_FENCE);                                                                                  \
    }

/* Four columns from c on, of d, of a row that begins at `to`. */
static inline void store_four(__global float *to, V4 x, int c, int d)
{
    if (c < d) to[c] = x.x;
    if (c + 1 < d) to[c + 1] = x.y;
    if (c + 2 < d) to[c + 2] = x.z;
    if (c + 3 < d) to[c + 3] = x.w;
}
