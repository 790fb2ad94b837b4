/* matrix_parts.cl: the core of products by matrix units that brings factors through registers, where f32 becomes PARTS
 * of 16 bits, of which each has the digits that the ones before it left; products of parts that add up to fewer digits
 * than that are left out: 1, 3 or 6 products.
 *
 * Given: bring.cl, matrix_block.cl, DEEP values of k at a time; RAW: both factors are stored as the units take them. */
#define PAIRS   (DEEP / 2)
#define BRING_M (PAIRS * BLOCK_M / ITEMS)
#define BRING_N (PAIRS * BLOCK_N / ITEMS)
/* Of local memory: the parts of a block of either factor. */
#define LEFT    (BLOCK_M * STEP)
#define RIGHT   (BLOCK_N * STEP)
#define FACTORS (PARTS * (LEFT + RIGHT))

/* All of it, in multiply_blocks, for ptx_model.cl. */
#define SHARED ((__local ushort *)left - get_local_id(1) * TILES_M * 16 * STEP)

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
                ADD_PLACE(acc[g * TILES_N + h], MULTIPLY_PARTS, q, o[h])
            }
        }
    }
}

/* What a kernel declares for it: where the factors lie, and what comes next. */
#define PARTS_BEGIN                                                                                                    \
    __local ushort *const left = shared, *const right = shared + PARTS * LEFT;                                         \
    PAIR next_a[BRING_M], next_b[BRING_N];

/* Adds the products of all blocks of DEEP values of k from `begin` to `end`. BRING(k0) brings the pairs of one into
 * next_a and next_b. */
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
