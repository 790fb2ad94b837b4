/* matrix_staged.cl: the core of products by matrix units whose factors go to local memory as they are stored, 16 bytes
 * at a time, while blocks before them are multiplied: STAGES blocks of both lie there. NVIDIA copies by itself
 * (cp.async); elsewhere a work-item does. Factors of f32 are taken as TF32 (11 digits): one, or two parts that are made
 * in registers, of which three products are taken.
 *
 * A factor lies as in memory: row by row of k, or, `turned`, all rows of a value of k after the other. Its pieces of 16
 * bytes change places with others of their row, so that eight that are read at once lie in different banks.
 *
 * Given: matrix_block.cl, STAGES, at least 2; STEPS of 32 bytes of k in a block; MX_TF32: the factors are f32; TRANS_A,
 * TRANS_B; where ADD_STAGES stands, i0 and j0, the block's first row and column, and three macros: BLOCK_AT(block)
 * declares k0, where that block begins in k; PIECE_OF_A and PIECE_OF_B where a piece of that factor lies, `piece`, of
 * row `row` from number k on, and whether it is `inside`: else it is zero. */
#ifdef MX_TF32
#define STORED uint
#else
#define STORED ushort
#endif
#define TURNED_A TRANS_A
#define TURNED_B (!TRANS_B)
#define PIECE    (16 / (int)sizeof(STORED)) /* numbers of it */
#define K_STEP   (2 * PIECE)
#define DEEP     (STEPS * K_STEP)
/* Pieces of a row of k; of a block of so many rows; local memory, in numbers of 16 bits. */
#define ROW_PIECES      (2 * STEPS)
#define PIECES(size)    ((size) * ROW_PIECES)
#define STAGE           (PIECES(BLOCK_M + BLOCK_N) * PIECE)
#define FACTORS         (STAGES * PIECES(BLOCK_M + BLOCK_N) * 8)

#define SHARED          ((__local ushort *)stages) /* all of it, for ptx_model.cl */
#define AT_NUMBER(at)   (MX_PLACE(stages) + (uint)((at) * (int)sizeof(STORED)))

/* Where a piece lies: number c of row i, or, turned, of value i of k. */
#define ALONG(size, turned) ((turned) ? (size) / PIECE : ROW_PIECES)
#define MIXED(turned, i)    ((turned) ? (i) * (int)sizeof(STORED) / 2 : (i) * ROW_PIECES / 8)
#define PIECE_AT(size, turned, i, c)                                                                                   \
    (((i) * ALONG(size, turned) + ((c) ^ (MIXED(turned, i) & (ALONG(size, turned) - 1) & 7))) * PIECE)
#define NUMBER_AT(size, turned, row, k)                                                                                \
    ((turned) ? PIECE_AT(size, 1, k, (row) / PIECE) + (row) % PIECE                                                    \
              : PIECE_AT(size, 0, row, (k) / PIECE) + (k) % PIECE)

/* ---- copies ------------------------------------------------------------------------------------------------------ */

/* A piece to number `to` of the stages, or zeros; COMMIT ends those of a block; WAIT: a work-item's own have come of
 * all but the last STAGES - 2 blocks. */
#if defined(MX_MODEL)
#elif defined(MX_PTX)
#define MX_COPIES
#define MX_COPY(to, from, inside)                                                                                      \
    MX_ASM volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;"                                                    \
                    :                                                                                                  \
                    : "r"(AT_NUMBER(to)), "l"((size_t)(from)), "r"((inside) ? 16 : 0)                                  \
                    : "memory");
#define MX_COMMIT MX_ASM volatile("cp.async.commit_group;" : : : "memory");
#define MX_WAIT   MX_ASM volatile("cp.async.wait_group %0;" : : "n"(STAGES - 2) : "memory");
#else
#define MX_COPIES
#define MX_COPY(to, from, inside)                                                                                      \
    *(__local uint4 *)(stages + (to)) = (inside) ? *(__global const uint4 *)(from) : (uint4)0;
#define MX_COMMIT
#define MX_WAIT
#endif

/* The block of `size` rows of a factor, from number `first` on, that begins with value k0 of k. ITEMS pieces further on
 * they are mixed alike. Where a factor does not begin at a multiple of 16 bytes numbers are copied one by one, by a
 * loop that is not unrolled; SLOWLY says if it is, for pieces whose places are in registers. ALIGNED: all factors do. */
#ifndef SLOWLY
#define SLOWLY "nounroll"
#endif
#define FILL(HOW, COPY, to, PIECE_OF, size, turned, first)                                                             \
    _Pragma(HOW) for (int t = 0; t < (PIECES(size) + ITEMS - 1) / ITEMS; t++)                                          \
    {                                                                                                                  \
        const int i = (int)(lane / ALONG(size, turned)), c = (int)(lane % ALONG(size, turned));                        \
        const int more = t * (ITEMS / ALONG(size, turned));                                                            \
        const int row = (first) + ((turned) ? c * PIECE : i + more), k = k0 + ((turned) ? i + more : c * PIECE);       \
        PIECE_OF                                                                                                       \
        const int place = (to) + PIECE_AT(size, turned, i, c) + t * ITEMS * PIECE;                                     \
        if (PIECES(size) % ITEMS && lane + t * ITEMS >= PIECES(size)) continue;                                        \
        COPY(place, piece, inside)                                                                                     \
    }
#define COPY_SLOWLY(to, from, inside)                                                                                  \
    _Pragma("nounroll") for (int e = 0; e < PIECE; e++) stages[(to) + e] = (inside) ? (from)[e] : 0;
#define FILL_BOTH(HOW, COPY, stage)                                                                                    \
    FILL(HOW, COPY, stage, PIECE_OF_A, BLOCK_M, TURNED_A, i0)                                                          \
    FILL(HOW, COPY, (stage) + PIECES(BLOCK_M) * PIECE, PIECE_OF_B, BLOCK_N, TURNED_B, j0)
#ifdef ALIGNED
#define FILL_EITHER(stage) FILL_BOTH("unroll", MX_COPY, stage)
#else
#define FILL_EITHER(stage)                                                                                             \
    if (is_aligned) {                                                                                                  \
        FILL_BOTH("unroll", MX_COPY, stage)                                                                            \
    } else {                                                                                                           \
        FILL_BOTH(SLOWLY, COPY_SLOWLY, stage)                                                                          \
    }
#endif
#define FILL_STAGE(block, stage)                                                                                       \
    {                                                                                                                  \
        BLOCK_AT(block)                                                                                                \
        FILL_EITHER(stage)                                                                                             \
    }

/* ---- products ---------------------------------------------------------------------------------------------------- */

/* One place of a factor: 16 rows by 32 bytes of k. */
#ifdef MX_PTX
typedef struct { mx_f part[PARTS]; } mx_staged;

static inline void make_parts(mx_staged *f)
{
#ifdef MX_TF32
#pragma unroll
    for (int e = 0; e < 4; e++) {
        float x = as_float(f->part[0].v[e]);
#pragma unroll
        for (int p = 0; p < PARTS; p++) {
            MX_TF32_OF(f->part[p].v[e], x);
            x -= as_float(f->part[p].v[e]);
        }
    }
#endif
}

/* Four matrices of 8 rows and 16 bytes of k: the second lies below the first in a, beside it in b. Those of 32 bits
 * are not turned by ldmatrix. How pieces are mixed follows from places in a matrix alone, so that `first` and `step`
 * are parts of an address that are known when it is compiled, but for the wave's. */
#define BELOW(of_b, number) ((of_b) ? (number) / 2 : (number) % 2)
static inline void load_staged(mx_staged *f, __local const STORED *stages, int from, int size, int turned, int of_b,
                               int first, int step, int in_wave)
{
    const int below = BELOW(of_b, in_wave / 8), beside = BELOW(!of_b, in_wave / 8);
    if (!turned) {
        from += first * ROW_PIECES * PIECE;
        MX_MATRICES_BY("", f->part[0], AT_NUMBER(from + PIECE_AT(size, 0, in_wave % 8 + below * 8, step * 2 + beside)));
#ifndef MX_TF32
    } else {
        from += step * K_STEP * size;
        from += PIECE_AT(size, 1, in_wave % 8 + beside * 8, first / PIECE + below);
        MX_MATRICES_BY(".trans", f->part[0], AT_NUMBER(from));
#else
    } else {
        from += step * K_STEP * size;
#pragma unroll
        for (int e = 0; e < 4; e++) {
            const int row = first + in_wave / 4 + BELOW(of_b, e) * 8;
            f->part[0].v[e] = stages[from + BELOW(!of_b, e) * 4 * size + NUMBER_AT(size, 1, row, in_wave % 4)];
        }
#endif
    }
    make_parts(f);
}
#define MULTIPLY_STAGED(c, a, b) MULTIPLY_PARTS(c, (a).part, (b).part)

#else
typedef struct { __local const STORED *from; int first, step; } mx_staged;

static inline void load_staged(mx_staged *f, __local const STORED *stages, int from, int size, int turned, int of_b,
                               int first, int step, int in_wave)
{
    *f = (mx_staged){stages + from, first, step};
}

#ifdef MX_TF32
#define TF32_OF(x) as_float((as_uint(x) + 0x1000u) & 0xffffe000u)
static inline float product_of(uint a, uint b, float sum)
{
    const float x = TF32_OF(as_float(a)), y = TF32_OF(as_float(b));
    if (PARTS > 1) {
        sum += x * TF32_OF(as_float(b) - y);
        sum += TF32_OF(as_float(a) - x) * y;
    }
    return sum + x * y;
}
#else
#define product_of(a, b, sum) ((sum) + MX_VALUE(a) * MX_VALUE(b))
#endif
static inline void multiply_staged(mx_c *c, const mx_staged *a, const mx_staged *b, int in_wave)
{
    for (int e = 0; e < MX_COUNT; e++) {
        const int i = a->first + in_wave / 4 + e % 4 / 2 * 8, j = b->first + e / 4 * 8 + in_wave % 4 * 2 + e % 2;
        for (int k = a->step * K_STEP; k < (a->step + 1) * K_STEP; k++)
            c->v[e] = product_of(a->from[NUMBER_AT(BLOCK_M, TURNED_A, i, k)],
                                 b->from[NUMBER_AT(BLOCK_N, TURNED_B, j, k)], c->v[e]);
    }
}
#define MULTIPLY_STAGED(c, a, b) { multiply_staged(&(c), &(a), &(b), in_wave); }
#endif

/* With two parts registers are few. */
#if PARTS > 1
#define EACH_STEP _Pragma("nounroll")
#else
#define EACH_STEP _Pragma("unroll")
#endif
static inline void multiply_stage(mx_c *acc, __local const STORED *stages, int from, int u, int v, int in_wave)
{
    EACH_STEP for (int s = 0; s < STEPS; s++)
    {
        mx_staged q[TILES_M];
#pragma unroll
        for (int g = 0; g < TILES_M; g++)
            load_staged(&q[g], stages, from, BLOCK_M, TURNED_A, 0, (v * TILES_M + g) * 16, s, in_wave);
#pragma unroll
        for (int h = 0; h < TILES_N; h++) {
            mx_staged o;
            load_staged(&o, stages, from + PIECES(BLOCK_M) * PIECE, BLOCK_N, TURNED_B, 1, (u * TILES_N + h) * 16, s,
                        in_wave);
#pragma unroll
            for (int g = 0; g < TILES_M; g++) ADD_PLACE(acc[g * TILES_N + h], MULTIPLY_STAGED, q[g], o)
        }
    }
}

/* Adds the products of a and b, of so many `blocks` of k from here on, to acc. One barrier for each block: what was
 * copied before it is there for all, and nobody reads any more what is copied behind it. */
#define ADD_STAGES(a, b, blocks)                                                                                       \
    {                                                                                                                  \
        __local STORED *const stages = (__local STORED *)shared;                                                       \
        __global const STORED *const from_a = (__global const STORED *)(a);                                            \
        __global const STORED *const from_b = (__global const STORED *)(b);                                            \
        const int is_aligned = !(((size_t)from_a | (size_t)from_b) & 15);                                              \
        MX_COPIES                                                                                                      \
        int now = 0, next = (STAGES - 1) * STAGE;                                                                      \
        _Pragma("nounroll") for (int block = 0; block < STAGES - 1; block++)                                           \
        {                                                                                                              \
            FILL_STAGE(block, block * STAGE)                                                                           \
            MX_COMMIT                                                                                                  \
        }                                                                                                              \
        _Pragma("nounroll") for (int block = 0; block < (blocks); block++)                                             \
        {                                                                                                              \
            MX_WAIT                                                                                                    \
            barrier(CLK_LOCAL_MEM_FENCE);                                                                              \
            FILL_STAGE(block + STAGES - 1, next)                                                                       \
            MX_COMMIT                                                                                                  \
            multiply_stage(acc, stages, now, u, v, in_wave);                                                           \
            next = now, now = now == (STAGES - 1) * STAGE ? 0 : now + STAGE;                                           \
        }                                                                                                              \
    }
