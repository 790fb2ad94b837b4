/* matrix_block.cl: what kernels by matrix units (matrix.cl) share. A work-group of WAVES_U x WAVES_V waves makes a block
 * of BLOCK_M x BLOCK_N elements, TILES_M x TILES_N products of 16 x 16 a wave. A core brings the factors and multiplies
 * them: matrix_parts.cl, or matrix_staged.cl.
 *
 * Given: matrix.cl, WAVES_U, WAVES_V, TILES_M, TILES_N, PARTS of a number of f32. EXACT: sums of 16 products are added
 * to the others in f32, as units that cut digits off would lose some each time. BY_ROWS: neighbours of the result are
 * of neighbouring rows. The core's FACTORS: of local memory, in numbers of 16 bits. */
#define BLOCK_M (WAVES_V * TILES_M * 16)
#define BLOCK_N (WAVES_U * TILES_N * 16)
/* Local memory, in numbers of 16 bits: the factors; then rows of the product, in f32. */
#define ROWS_HELD (WAVES_V * 16)
#ifdef BY_ROWS
#define ROW_STEP       (BLOCK_N + 1)
#define HELD_ROW(at)   ((at) % ROWS_HELD)
#define HELD_PLACE(at) ((at) / ROWS_HELD)
#else
#define ROW_STEP       (BLOCK_N + 4)
#define HELD_ROW(at)   ((at) / BLOCK_N)
#define HELD_PLACE(at) ((at) % BLOCK_N)
#endif
#define HELD      (2 * ROWS_HELD * ROW_STEP)
#define LOCAL     (FACTORS > HELD ? FACTORS : HELD)
#ifndef MODEL
#define MODEL 0
#endif
#define EXPECTS_OCCUPANCY 12

/* c += the products of one place of all parts, the smallest first. */
#define MULTIPLY_PARTS(c, a, b)                                                                                        \
    _Pragma("unroll") for (int s_ = PARTS - 1; s_ >= 0; s_--)                                                          \
    {                                                                                                                  \
        _Pragma("unroll") for (int p_ = 0; p_ <= s_; p_++) MX_MULTIPLY(c, (a)[p_], (b)[s_ - p_])                       \
    }

/* acc += a b^T, of one place of both, by MULTIPLY(c, a, b). */
#ifdef EXACT
#define ADD_PLACE(acc, MULTIPLY, a, b)                                                                                 \
    {                                                                                                                  \
        mx_c exact_;                                                                                                   \
        MX_ZERO(exact_);                                                                                               \
        MULTIPLY(exact_, a, b)                                                                                         \
        _Pragma("unroll") for (int e = 0; e < MX_COUNT; e++) (acc).v[e] += exact_.v[e];                                \
    }
#else
#define ADD_PLACE(acc, MULTIPLY, a, b) MULTIPLY(acc, a, b)
#endif

/* What a kernel declares first: where it stands, a block of local memory, and the sums, which are 0. */
#define BLOCK_BEGIN                                                                                                    \
    __local ushort shared[LOCAL + MODEL] __attribute__((aligned(128)));                                                \
    __local float *const rows = (__local float *)shared;                                                               \
    const uint lane = (uint)(get_local_id(1) * (WAVES_U * WAVE) + get_local_id(0));                                    \
    const int in_wave = (int)(lane % WAVE), wave = (int)(lane / WAVE), u = wave % WAVES_U, v = wave / WAVES_U;         \
    mx_c acc[TILES_M * TILES_N];                                                                                       \
    _Pragma("unroll") for (int e = 0; e < TILES_M * TILES_N; e++) MX_ZERO(acc[e]);

/* What is done with the product: BODY for each element (i, j) of the block that is inside m x n, in an order in which
 * neighbouring work-items have neighbouring columns, or rows. Registers have no index: the next rows of products become the
 * first. */
#define FOR_EACH_PRODUCT(BODY)                                                                                         \
    _Pragma("nounroll") for (int pass = 0; pass < TILES_M; pass++)                                                     \
    {                                                                                                                  \
        barrier(CLK_LOCAL_MEM_FENCE);                                                                                  \
        _Pragma("unroll") for (int h = 0; h < TILES_N; h++)                                                            \
        {                                                                                                              \
            MX_EACH(acc[h], rows[(v * 16 + row) * ROW_STEP + (u * TILES_N + h) * 16 + column] = value;)                \
        }                                                                                                              \
        _Pragma("unroll") for (int e = 0; e < (TILES_M - 1) * TILES_N; e++) acc[e] = acc[e + TILES_N];                 \
        barrier(CLK_LOCAL_MEM_FENCE);                                                                                  \
        _Pragma("nounroll") for (int at = (int)lane; at < ROWS_HELD * BLOCK_N; at += ITEMS)                            \
        {                                                                                                              \
            const int row = HELD_ROW(at), i = i0 + (row / 16 * TILES_M + pass) * 16 + row % 16;                        \
            const IX j = j0 + HELD_PLACE(at);                                                                          \
            if (i >= m || j >= n) continue;                                                                            \
            float product = rows[row * ROW_STEP + HELD_PLACE(at)];                                                     \
            MEND(product, i, j)                                                                                        \
            BODY                                                                                                       \
        }                                                                                                              \
    }
