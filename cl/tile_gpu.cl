/* tile_gpu.cl: the core of products on GPUs. A work-group of SIDE_U x SIDE_V work-items makes a block of BLOCK_M x
 * BLOCK_N elements, ROWS x COLS by a work-item, from DEEP values of k at a time in local memory, while the next ones
 * are on their way to registers.
 *
 * A work-item's rows are groups of four neighbours, SIDE_V groups apart, and so are its columns: what it reads of local
 * memory are vectors of four, which neighbouring work-items have beside each other.
 *
 * Given: SIDE_U, SIDE_V, ROWS, COLS (multiples of 4), DEEP (SIDE_V rows of BLOCK_N fit in LOCAL_VECTORS), T, V4 (four of
 * them). */
#define ITEMS   (SIDE_U * SIDE_V)
#define BLOCK_M (SIDE_V * ROWS)
#define BLOCK_N (SIDE_U * COLS)
/* Rows of local memory, in vectors: one more than a block has, so that columns of it begin in different banks. */
#define STEP_M  (BLOCK_M / 4 + 1)
#define STEP_N  (BLOCK_N / 4 + 1)
/* Elements that a work-item brings. */
#define BRING_M (DEEP * BLOCK_M / ITEMS)
#define BRING_N (DEEP * BLOCK_N / ITEMS)
/* Local memory, in vectors: a block of both factors, and, when these are done with, SIDE_V rows of the product. */
#define LOCAL_VECTORS (DEEP * (STEP_M + STEP_N))
/* What compilers must leave of it (bench/gpu/static.py): multiply-adds by each load from local memory, and percent of
 * the warps or waves that a unit can have at once. */
#define EXPECTS_OCCUPANCY 12
#define EXPECTS_MIX (ROWS * COLS / (ROWS / 4 + COLS / 4) - 1)

/* Adds the products of a block of left, DEEP x BLOCK_M, and of right, DEEP x BLOCK_N. acc: (ROWS, COLS / 4). */
static inline void multiply_blocks(V4 *acc, __local const V4 *left, __local const V4 *right, int u, int v)
{
#pragma unroll 4
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

/* Place `at` of a block of `size` rows: neighbours go along k, or, with `turned`, along the rows, as their elements lie
 * in memory. */
#define PLACE_K(at, size, turned) ((turned) ? (at) / (size) : (at) % DEEP)
#define PLACE_I(at, size, turned) ((turned) ? (at) % (size) : (at) / DEEP)

/* Brings a work-item's elements of a block, next[t] = VALUE at row i of it, number k of DEEP; and puts them into local
 * memory. */
#define BRING_BLOCK(next, count, size, turned, VALUE)                                                                  \
    _Pragma("unroll") for (int t = 0; t < count; t++)                                                                  \
    {                                                                                                                  \
        const int at = lane + t * ITEMS, k = PLACE_K(at, size, turned), i = PLACE_I(at, size, turned);                 \
        next[t] = VALUE;                                                                                               \
    }
#define KEEP_BLOCK(block, step, next, count, size, turned)                                                             \
    _Pragma("unroll") for (int t = 0; t < count; t++)                                                                  \
    {                                                                                                                  \
        const int at = lane + t * ITEMS;                                                                               \
        ((__local T *)(block + PLACE_K(at, size, turned) * step))[PLACE_I(at, size, turned)] = next[t];                \
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
        _Pragma("nounroll") for (int at = lane; at < SIDE_V * BLOCK_N; at += ITEMS)                                    \
        {                                                                                                              \
            const int group = at / BLOCK_N, i = i0 + pass / 4 * SIDE_V * 4 + group * 4 + pass % 4;                     \
            const IX j = j0 + at % BLOCK_N;                                                                            \
            if (i >= m || j >= n) continue;                                                                            \
            const T product = ((__local const T *)(local_rows + group * STEP_N))[at % BLOCK_N];                        \
            BODY                                                                                                       \
        }                                                                                                              \
    }
