/* matmul_matrix.cl: y = epilogue(op(a) op(b)) by matrix units (matrix.cl). A work-group of WAVES_U x WAVES_V waves makes
 * a block of BLOCK_M x BLOCK_N elements, TILES_M x TILES_N products of 16 x 16 a wave, from DEEP values of k at a time.
 * Numbers of f32 are PARTS of 16 bits, of which each has the digits that the ones before it left; products of parts
 * that add up to fewer digits than that are left out: 1, 3 or 6 products.
 *
 * Given: what matmul_gpu.cl is, without the tile; bring.cl, matrix.cl, WAVES_U, WAVES_V, TILES_M, TILES_N, DEEP, PARTS;
 * RAW: both factors are stored as the units take them. EXACT: sums of 16 products are added to the others in f32, as units that cut digits off would lose some each time. */
#define GIVEN(j) product
#ifdef SPLIT
#define LAST_PARAMS __global uchar *partial_buffer, ulong partial_offset, int segments, int length,
#else
#define LAST_PARAMS MAP_PARAMS
#endif
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

/* Where a pair lies, behind those of the block before; what is beyond the last row repeats it, and what is beyond `end`
 * is zero. */
#define A_AT(row, k) (TRANS_A ? (AT)(k) * m + (row) : (AT)(row) * k_all + (k))
#define B_AT(row, k) (TRANS_B ? (AT)(row) * k_all + (k) : (AT)(k) * n + (row))
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
    __local ushort shared[LOCAL] __attribute__((aligned(128)));
    __local ushort *const left = shared, *const right = shared + PARTS * LEFT;
    __local float *const rows = (__local float *)shared;
    const uint lane = (uint)(get_local_id(1) * (WAVES_U * WAVE) + get_local_id(0));
    const int in_wave = (int)(lane % WAVE), wave = (int)(lane / WAVE), u = wave % WAVES_U, v = wave / WAVES_U;
    const int i0 = (int)get_group_id(1) * BLOCK_M, j0 = (int)get_group_id(0) * BLOCK_N;
#ifdef SPLIT
    const int part = (int)get_group_id(2), batch = part / segments, begin = part % segments * length;
    const int end = min(begin + length, k_all);
    __global float *partial = (__global float *)(partial_buffer + partial_offset) +
                              ((long)(part % segments) * (get_num_groups(2) / segments) + batch) * m * n;
#else
    const int batch = (int)get_group_id(2), begin = 0, end = k_all;
    MAP_POINTERS
#endif
    __global const A_T *const a_first = a_buffer + a_offset + batch * a_stride + (TRANS_A ? (AT)begin * m : begin);
    __global const B_T *const b_first = b_buffer + b_offset + batch * b_stride + (TRANS_B ? begin : (AT)begin * n);
    __global const A_T *a = a_first;
    __global const B_T *b = b_first;
    AT a_at[BRING_M], b_at[BRING_N];
    mx_c acc[TILES_M * TILES_N];
    PAIR next_a[BRING_M], next_b[BRING_N];
#pragma unroll
    for (int e = 0; e < TILES_M * TILES_N; e++) MX_ZERO(acc[e]);
    EACH_OF(PAIRS, BRING_M, BLOCK_M, TRANS_A, a_at[t] = A_AT(min(i0 + i, m - 1), 2 * k);)
    EACH_OF(PAIRS, BRING_N, BLOCK_N, !TRANS_B, b_at[t] = B_AT(min(j0 + i, n - 1), 2 * k);)
    BRING(begin)
    for (int k0 = begin; k0 < end; k0 += DEEP) {
        barrier(CLK_LOCAL_MEM_FENCE);
        EACH_OF(PAIRS, BRING_M, BLOCK_M, TRANS_A, keep_pair(left + i * STEP + 2 * k, next_a[t], LEFT);)
        EACH_OF(PAIRS, BRING_N, BLOCK_N, !TRANS_B, keep_pair(right + i * STEP + 2 * k, next_b[t], RIGHT);)
        barrier(CLK_LOCAL_MEM_FENCE);
        BRING(k0 + DEEP)
        multiply_blocks(acc, left + v * TILES_M * 16 * STEP, right + u * TILES_N * 16 * STEP, in_wave);
    }
    _Pragma("nounroll") for (int pass = 0; pass < TILES_M; pass++)
    {
        barrier(CLK_LOCAL_MEM_FENCE);
#pragma unroll
        for (int h = 0; h < TILES_N; h++) {
            MX_EACH(acc[h], rows[(v * 16 + row) * ROW_STEP + (u * TILES_N + h) * 16 + column] = value;)
        }
#pragma unroll
        for (int e = 0; e < (TILES_M - 1) * TILES_N; e++) acc[e] = acc[e + TILES_N]; /* registers have no index */
        barrier(CLK_LOCAL_MEM_FENCE);
        _Pragma("nounroll") for (int at = (int)lane; at < ROWS_HELD * BLOCK_N; at += ITEMS)
        {
            const int row = at / BLOCK_N, i = i0 + (row / 16 * TILES_M + pass) * 16 + row % 16;
            const IX j = j0 + at % BLOCK_N;
            if (i >= m || j >= n) continue;
            float product = rows[row * ROW_STEP + at % BLOCK_N];
            MEND(product, i, j)
#ifdef SPLIT
            partial[(long)i * n + j] = product;
#else
            MAP_ROW((IX)batch * m + i, 0) MAP_VALUES(j) MAP_STORE(j)
#endif
        }
    }
}
