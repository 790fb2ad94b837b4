/* tile_gpu.cl: the core of products on GPUs. A work-group of SIDE_U x SIDE_V work-items makes a block of BLOCK_M x
 * BLOCK_N elements, ROWS x COLS by a work-item, from DEEP values of k at a time in local memory, while the next ones
 * are on their way to registers. Local memory has two blocks of each factor, so that one barrier for each DEEP values
 * is enough.
 *
 * A work-item's rows are groups of four neighbours, SIDE_V groups apart, and so are its columns: what it reads of local
 * memory are vectors of four. Work-items that run together lie as NEAR_U x NEAR_V, so that they read few vectors,
 * beside each other, of either factor.
 *
 * With BESIDE, such a group for each of so many products of the same sizes is one work-group, whose rows of local
 * memory have a row of each product beside the others'.
 *
 * Given: SIDE_U, SIDE_V, ROWS, COLS (multiples of 4), DEEP (SIDE_V rows of BLOCK_N fit in LOCAL_VECTORS), all powers of
 * two; bring.cl; T, V4 (four of them); UNROLL, how many values of k a loop's turn takes, if not 4. */
#ifndef UNROLL
#define UNROLL 4
#endif
#ifndef BESIDE
#define BESIDE 1
#endif
#define ITEMS   (BESIDE * SIDE_U * SIDE_V)
#define BLOCK_M (SIDE_V * ROWS)
#define BLOCK_N (SIDE_U * COLS)
#define NEAR_U  (SIDE_U < 8 ? SIDE_U : 8)
#define NEAR_V  (SIDE_V < 4 ? SIDE_V : 4)
/* Rows of local memory, in vectors: one more than a block has, so that columns of it begin in different banks. */
#if BESIDE == 1
#define STEP_M (BLOCK_M / 4 + 1)
#define STEP_N (BLOCK_N / 4 + 1)
#else
#define STEP_M (BESIDE * BLOCK_M / 4)
#define STEP_N (BESIDE * BLOCK_N / 4)
#endif
/* Elements that a work-item brings. */
#define BRING_M (DEEP * BLOCK_M / ITEMS)
#define BRING_N (DEEP * BLOCK_N / ITEMS)
/* Local memory, in vectors: two blocks of both factors, and, when these are done with, SIDE_V rows of the product. */
#define BOTH_VECTORS  (DEEP * (STEP_M + STEP_N))
#define LOCAL_VECTORS ((BESIDE == 1 ? 2 : 1) * BOTH_VECTORS)
/* What compilers must leave of it (bench/gpu/static.py): multiply-adds by each load from local memory, and percent of
 * the warps or waves that a unit can have at once. */
#define EXPECTS_OCCUPANCY 20
#define EXPECTS_MIX       (ROWS * COLS / (ROWS / 4 + COLS / 4) - 1)

/* Where a work-item stands in its group: which columns and rows are its. */
static inline int lane_u(uint lane)
{
    return (int)(lane % NEAR_U + lane / (NEAR_U * NEAR_V) % (SIDE_U / NEAR_U) * NEAR_U);
}

static inline int lane_v(uint lane)
{
    return (int)(lane / NEAR_U % NEAR_V + lane / (NEAR_V * SIDE_U) * NEAR_V);
}

/* Adds the products of a block of left, DEEP x BLOCK_M, and of right, DEEP x BLOCK_N. acc: (ROWS, COLS / 4). */
static inline void multiply_blocks(V4 *acc, __local const V4 *left, __local const V4 *right, int u, int v)
{
#pragma unroll UNROLL
    for (int k = 0; k < DEEP; k++) {
        V4 p[ROWS / 4], o[COLS / 4];
#pragma unroll
        for (int g = 0; g < ROWS / 4; g++) p[g] = left[k * STEP_M + g * SIDE_V + v];
#pragma unroll
        for (int h = 0; h < COLS / 4; h++) o[h] = right[k * STEP_N + h * SIDE_U + u];
#pragma unroll
        for (int g = 0; g < ROWS / 4; g++) {
#pragma unroll
            for (int h = 0; h < COLS / 4; h++) {
                acc[(4 * g + 0) * (COLS / 4) + h] += p[g].x * o[h];
                acc[(4 * g + 1) * (COLS / 4) + h] += p[g].y * o[h];
                acc[(4 * g + 2) * (COLS / 4) + h] += p[g].z * o[h];
                acc[(4 * g + 3) * (COLS / 4) + h] += p[g].w * o[h];
            }
        }
    }
}

/* Puts what was brought into local memory. */
#define KEEP_BLOCK(block, step, next, count, size, turned)                                                             \
    EACH_BROUGHT(count, size, turned, ((__local T *)((block) + k * step))[i] = next[t];)

/* Adds the products of all blocks of DEEP values of k from `begin` to `end`. BRING(k0) brings the elements of one into
 * next_a and next_b. `local_vectors` has LOCAL_VECTORS; nobody may be reading them. */
#define ADD_PRODUCTS(acc, local_vectors, begin, end, turned_a, turned_b)                                               \
    {                                                                                                                  \
        __local V4 *now = (local_vectors), *other = now + BOTH_VECTORS;                                                \
        BRING(begin)                                                                                                   \
        KEEP_BLOCK(now, STEP_M, next_a, BRING_M, BLOCK_M, turned_a)                                                    \
        KEEP_BLOCK(now + DEEP * STEP_M, STEP_N, next_b, BRING_N, BLOCK_N, turned_b)                                    \
        barrier(CLK_LOCAL_MEM_FENCE);                                                                                  \
        for (int k0 = (begin); k0 < (end); k0 += DEEP) {                                                               \
            const int more = k0 + DEEP < (end);                                                                        \
            if (more) BRING(k0 + DEEP)                                                                                 \
            multiply_blocks(acc, now, now + DEEP * STEP_M, u, v);                                                      \
            if (more) {                                                                                                \
                KEEP_BLOCK(other, STEP_M, next_a, BRING_M, BLOCK_M, turned_a)                                          \
                KEEP_BLOCK(other + DEEP * STEP_M, STEP_N, next_b, BRING_N, BLOCK_N, turned_b)                          \
            }                                                                                                          \
            barrier(CLK_LOCAL_MEM_FENCE);                                                                              \
            __local V4 *const last = now;                                                                              \
            now = other, other = last;                                                                                 \
        }                                                                                                              \
    }

/* The first row of each work-item, as SIDE_V rows of a block, to local memory; the next one becomes the first, as
 * registers have no index. */
static inline void put_row(__local V4 *to, V4 *acc, int u, int v)
{
#pragma unroll
    for (int h = 0; h < COLS / 4; h++) to[v * STEP_N + h * SIDE_U + u] = acc[h];
#pragma unroll
    for (int e = 0; e < (ROWS - 1) * COLS / 4; e++) acc[e] = acc[e + COLS / 4];
}

/* What is done with the product: BODY for each element (i, j) of the block that is inside m x n, in an order in which
 * neighbouring work-items have neighbouring columns. `local_rows` has LOCAL_VECTORS. */
#define FOR_EACH_PRODUCT(acc, local_rows, BODY)                                                                        \
    _Pragma("nounroll") for (int pass = 0; pass < ROWS; pass++)                                                        \
    {                                                                                                                  \
        barrier(CLK_LOCAL_MEM_FENCE);                                                                                  \
        put_row(local_rows, acc, u, v);                                                                                \
        barrier(CLK_LOCAL_MEM_FENCE);                                                                                  \
        _Pragma("nounroll") for (int at = (int)lane; at < SIDE_V * BLOCK_N; at += ITEMS)                               \
        {                                                                                                              \
            const int group = at / BLOCK_N, i = i0 + pass / 4 * SIDE_V * 4 + group * 4 + pass % 4;                     \
            const IX j = j0 + at % BLOCK_N;                                                                            \
            if (i >= m || j >= n) continue;                                                                            \
            const T product = ((__local const T *)(local_rows + group * STEP_N))[at % BLOCK_N];                        \
            BODY                                                                                                       \
        }                                                                                                              \
    }
