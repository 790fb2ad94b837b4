/* matrix_block.cl: the core of products by matrix units (matrix.cl). A work-group of WAVES_U x WAVES_V waves makes a block
 * of BLOCK_M x BLOCK_N elements, TILES_M x TILES_N products of 16 x 16 a wave, from DEEP values of k at a time. Numbers of
 * f32 are PARTS of 16 bits, of which each has the digits that the ones before it left; products of parts that add up to
 * fewer digits than that are left out: 1, 3 or 6 products.
 *
 * Given: bring.cl, matrix.cl, WAVES_U, WAVES_V, TILES_M, TILES_N, DEEP, PARTS; RAW: both factors are stored as the units
 * take them. EXACT: sums of 16 products are added to the others in f32, as units that cut digits off would lose some
 * each time. */
#define BLOCK_M (WAVES_V * TILES_M * 16)
#define BLOCK_N (WAVES_U * TILES_N * 16)
#define PAIRS   (DEEP / 2)
#define BRING_M (PAIRS * BLOCK_M / ITEMS)
#define BRING_N (PAIRS * BLOCK_N / ITEMS)
/* Local memory, in numbers of 16 bits: the parts of a block of either factor; then rows of the product, in f32. */
#define LEFT      (BLOCK_M * STEP)
#define RIGHT     (BLOCK_N * STEP)
#define FACTORS   (PARTS * (LEFT + RIGHT))
#define ROW_STEP  (BLOCK_N + 4)
#define ROWS_HELD (WAVES_V * 16)
#define HELD      (2 * ROWS_HELD * ROW_STEP)
#define LOCAL     (FACTORS > HELD ? FACTORS : HELD)
#define EXPECTS_OCCUPANCY 12

/* What a work-item brings: two neighbours along k, or, with RAW, both as they are stored and as they stay. */
#ifdef RAW
#define PAIR uint
#define PAIR_OF(from, LOAD, at, next, inside)                                                                          \
    ((inside) > 0 ? (from)[at] : 0u) | ((inside) > 1 ? (uint)(from)[next] << 16 : 0u)
#else
#define PAIR float2
#define PAIR_OF(from, LOAD, at, next, inside)                                                                          \
    (float2)((inside) > 0 ? LOAD(from, at) : 0, (inside) > 1 ? LOAD(from, next) : 0)
#endif

/* The first part of x as the upper half, and what is left of it; nothing is left of infinities and NaNs. */
static inline uint first_part(float *x)
{
    const uint top = (as_uint(*x) & 0xffff0000u) | (*x != *x ? 0x400000u : 0u);
    const float rest = *x - as_float(top);
    *x = fabs(rest) < INFINITY ? rest : 0;
    return top;
}

/* It as parts, `next` elements apart. */
static inline void keep_pair(__local ushort *to, PAIR pair, int next)
{
#ifdef RAW
    *(__local uint *)to = pair;
#else
    float x = pair.x, y = pair.y;
#pragma unroll
    for (int p = 0; p + 1 < PARTS; p++) {
        const uint low = first_part(&x) >> 16, high = first_part(&y);
        *(__local uint *)(to + p * next) = low | high;
    }
    *(__local uint *)(to + (PARTS - 1) * next) = round_bf16(x) | (uint)round_bf16(y) << 16;
#endif
}

/* c += the products of one place of all parts, the smallest first. */
#define MULTIPLY_PARTS(c, a, b)                                                                                        \
    _Pragma("unroll") for (int s_ = PARTS - 1; s_ >= 0; s_--)                                                          \
    {                                                                                                                  \
        _Pragma("unroll") for (int p_ = 0; p_ <= s_; p_++) MX_MULTIPLY(c, (a)[p_], (b)[s_ - p_])                       \
    }

static inline void multiply_blocks(mx_c *acc, __local const ushort *left, __local const ushort *right, int in_wave)
{
#pragma unroll
    for (int k = 0; k < DEEP; k += 16) {
        mx_f o[TILES_N][PARTS];
#pragma unroll
        for (int h = 0; h < TILES_N; h++) {
#pragma unroll
            for (int p = 0; p < PARTS; p++) MX_LOAD_B(o[h][p], right + p * RIGHT + h * 16 * STEP + k);
        }
#pragma unroll
        for (int g = 0; g < TILES_M; g++) {
            MX_A q[PARTS];
#pragma unroll
            for (int p = 0; p < PARTS; p++) MX_LOAD_A(q[p], left + p * LEFT + g * 16 * STEP + k);
#pragma unroll
            for (int h = 0; h < TILES_N; h++) {
#ifdef EXACT
                mx_c c;
                MX_ZERO(c);
                MULTIPLY_PARTS(c, q, o[h])
#pragma unroll
                for (int e = 0; e < MX_COUNT; e++) acc[g * TILES_N + h].v[e] += c.v[e];
#else
                MULTIPLY_PARTS(acc[g * TILES_N + h], q, o[h])
#endif
            }
        }
    }
}

/* What a kernel declares first: where it stands, a block of local memory, and the sums, which are 0. */
#define BLOCK_BEGIN                                                                                                    \
    __local ushort shared[LOCAL] __attribute__((aligned(128)));                                                        \
    __local ushort *const left = shared, *const right = shared + PARTS * LEFT;                                         \
    __local float *const rows = (__local float *)shared;                                                               \
    const uint lane = (uint)(get_local_id(1) * (WAVES_U * WAVE) + get_local_id(0));                                    \
    const int in_wave = (int)(lane % WAVE), wave = (int)(lane / WAVE), u = wave % WAVES_U, v = wave / WAVES_U;         \
    mx_c acc[TILES_M * TILES_N];                                                                                       \
    PAIR next_a[BRING_M], next_b[BRING_N];                                                                             \
    _Pragma("unroll") for (int e = 0; e < TILES_M * TILES_N; e++) MX_ZERO(acc[e]);

/* Adds the products of all blocks of DEEP values of k from `begin` to `end`. BRING(k0) brings the pairs of one into next_a
 * and next_b. */
#define ADD_BLOCKS(begin, end, turned_a, turned_b)                                                                     \
    BRING(begin)                                                                                                       \
    for (int k0 = begin; k0 < end; k0 += DEEP) {                                                                       \
        barrier(CLK_LOCAL_MEM_FENCE);                                                                                  \
        EACH_OF(PAIRS, BRING_M, BLOCK_M, turned_a, keep_pair(left + i * STEP + 2 * k, next_a[t], LEFT);)               \
        EACH_OF(PAIRS, BRING_N, BLOCK_N, turned_b, keep_pair(right + i * STEP + 2 * k, next_b[t], RIGHT);)             \
        barrier(CLK_LOCAL_MEM_FENCE);                                                                                  \
        BRING(k0 + DEEP)                                                                                               \
        multiply_blocks(acc, left + v * TILES_M * 16 * STEP, right + u * TILES_N * 16 * STEP, in_wave);                \
    }

/* What is done with the product: BODY for each element (i, j) of the block that is inside m x n, in an order in which
 * neighbouring work-items have neighbouring columns. Registers have no index: the next rows of products become the
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
            const int row = at / BLOCK_N, i = i0 + (row / 16 * TILES_M + pass) * 16 + row % 16;                        \
            const IX j = j0 + at % BLOCK_N;                                                                            \
            if (i >= m || j >= n) continue;                                                                            \
            float product = rows[row * ROW_STEP + at % BLOCK_N];                                                       \
            MEND(product, i, j)                                                                                        \
            BODY                                                                                                       \
        }                                                                                                              \
    }
