/* conv_winograd.cl: convolutions by windows of 3 x 3 in steps of one, on GPU devices, with 16 multiplications where
 * there would be 36: F(2 x 2, 3 x 3) of Lavin and Gray, "Fast algorithms for convolutional neural networks", 2015,
 * arXiv:1509.09308. A tile of 2 x 2 pixels of the result is A' ((G g G') . (B' d B)) A, of the filter g and the 4 x 4
 * pixels d that the tile is made of, the product element by element, summed over channels before A is at work. So there
 * are 16 products of matrices, filters by tiles of all pictures, which a work-group makes of its block beside each
 * other (tile_gpu.cl): d is spread as it is brought, and what they come to is gathered in local memory.
 *
 * Given: what tile_gpu.cl needs, with BESIDE 16; TURNED: weights are (channels, m, 3, 3), turned round, as a gradient
 * for pictures has them; else (m, channels, 3, 3). A_T, LOAD_A, X_T, LOAD_X: how weights and pictures
 * are stored. The epilogue as a map. */
#define HIGH(m) (((m) + BLOCK_M - 1) / BLOCK_M) /* blocks of rows */
#if TURNED
#define WEIGHT(i, channel, tap) LOAD_A(weights, ((channel)*m + (i)) * 9 + 8 - (tap))
#else
#define WEIGHT(i, channel, tap) LOAD_A(weights, ((i)*channels + (channel)) * 9 + (tap))
#endif

#ifdef FILTERS
/* A filter's row or column times G. */
#define SPREAD(a, b, c, to, step)                                                                                      \
    {                                                                                                                  \
        const float ends_ = 0.5f * ((a) + (c)), middle_ = 0.5f * (b);                                                  \
        (to)[0] = (a), (to)[step] = ends_ + middle_, (to)[2 * (step)] = ends_ - middle_, (to)[3 * (step)] = (c);       \
    }

/* G g G' of each filter and channel, as (channels, HIGH(m), 16, BLOCK_M); zeros beyond the last of either. */
__kernel void tn_conv_filters(ITEM_PARAM __global const uchar *weight_buffer, ulong weight_offset,
                              __global uchar *to_buffer, ulong to_offset, int m, int channels, int total)
{
    const int e = (int)ITEM;
    if (e >= total) return;
    __global const A_T *weights = (__global const A_T *)(weight_buffer + weight_offset);
    const int channel = e / (HIGH(m) * BLOCK_M), i = e % (HIGH(m) * BLOCK_M);
    __global float *to = (__global float *)(to_buffer + to_offset) + (e / BLOCK_M * 16 * BLOCK_M + i % BLOCK_M);
    float rows[12], all[16];
#pragma unroll
    for (int r = 0; r < 3; r++) {
        float g[3] = {0, 0, 0};
        if (i < m && channel < channels)
            for (int s = 0; s < 3; s++) g[s] = WEIGHT(i, channel, 3 * r + s);
        SPREAD(g[0], g[1], g[2], rows + 4 * r, 1)
    }
#pragma unroll
    for (int s = 0; s < 4; s++) SPREAD(rows[s], rows[4 + s], rows[8 + s], all + s, 4)
#pragma unroll
    for (int s = 0; s < 16; s++) to[s * BLOCK_M] = all[s];
}
#else
#define GIVEN(j) product
/* What a work-item brings: 4 x 4 pixels of some tiles and channels, and vectors of filters. A tile's number in the
 * block is the same for all. */
#define PATCHES  (DEEP * BLOCK_N / ITEMS)
#define VECTORS  (4 * DEEP * BLOCK_M / ITEMS)

/* B' d B in place of d. */
static inline void spread_pixels(float *d)
{
#pragma unroll
    for (int s = 0; s < 4; s++) {
        const float d0 = d[s], d1 = d[4 + s], d2 = d[8 + s], d3 = d[12 + s];
        d[s] = d0 - d2, d[4 + s] = d1 + d2, d[8 + s] = d2 - d1, d[12 + s] = d1 - d3;
    }
#pragma unroll
    for (int r = 0; r < 16; r += 4) {
        const float d0 = d[r], d1 = d[r + 1], d2 = d[r + 2], d3 = d[r + 3];
        d[r] = d0 - d2, d[r + 1] = d1 + d2, d[r + 2] = d2 - d1, d[r + 3] = d1 - d3;
    }
}

/* A' d A of 16 numbers that lie `step` apart, in place of the first four. */
static inline void gather_pixels(__local float *d, int step)
{
    float rows[8];
#pragma unroll
    for (int s = 0; s < 4; s++) {
        const float d0 = d[s * step], d1 = d[(4 + s) * step], d2 = d[(8 + s) * step], d3 = d[(12 + s) * step];
        rows[s] = d0 + d1 + d2, rows[4 + s] = d1 - d2 - d3;
    }
#pragma unroll
    for (int r = 0; r < 2; r++) {
        d[2 * r * step] = rows[4 * r] + rows[4 * r + 1] + rows[4 * r + 2];
        d[(2 * r + 1) * step] = rows[4 * r + 1] - rows[4 * r + 2] - rows[4 * r + 3];
    }
}

/* The patches of channels k0 .. k0 + DEEP to registers. */
#define BRING(k0)                                                                                                      \
    _Pragma("unroll") for (int t = 0; t < PATCHES; t++)                                                                \
    {                                                                                                                  \
        const int k = (k0) + first_k + t * (ITEMS / BLOCK_N);                                                          \
        const uint there = k < channels ? inside : 0;                                                                  \
        __global const X_T *from = pixels + (at + k * h * w);                                                          \
        _Pragma("unroll") for (int d = 0; d < 16; d++) next[t][d] = there >> d & 1 ? LOAD_X(from, d / 4 * w + d % 4) : 0; \
    }

/* The same, spread, and the filters of these channels to local memory: filters (DEEP, 16, BLOCK_M), pixels (DEEP, 16,
 * BLOCK_N). The filters, which lie as they are wanted, are on their way while pixels are spread, and not before:
 * registers are few. */
#define KEEP(k0)                                                                                                       \
    {                                                                                                                  \
        V4 some[VECTORS];                                                                                              \
        _Pragma("unroll") for (int t = 0; t < VECTORS; t++)                                                            \
        {                                                                                                              \
            const int f = (int)lane + t * ITEMS;                                                                       \
            some[t] = filters[((k0) + f / STEP_M) * HIGH(m) * STEP_M + f % STEP_M];                                    \
        }                                                                                                              \
        _Pragma("unroll") for (int t = 0; t < PATCHES; t++)                                                            \
        {                                                                                                              \
            spread_pixels(next[t]);                                                                                    \
            __local float *to = (__local float *)(shared + DEEP * STEP_M) +                                            \
                                ((first_k + t * (ITEMS / BLOCK_N)) * 16 * BLOCK_N + (int)lane % BLOCK_N);              \
            _Pragma("unroll") for (int d = 0; d < 16; d++) to[d * BLOCK_N] = next[t][d];                               \
        }                                                                                                              \
        _Pragma("unroll") for (int t = 0; t < VECTORS; t++) shared[(int)lane + t * ITEMS] = some[t];                   \
    }

/* What infinities, or sums of numbers that are nearly as large, become on the way is no number, where the result may
 * well be one: then that is made as it is defined. */
static inline float mended(__global const X_T *pixels, __global const A_T *weights, int m, int channels, int h,
                           int w, int i, int y, int x)
{
    float sum = 0;
    for (int k = 0; k < channels; k++)
        for (int tap = 0; tap < 9; tap++) {
            const int r = y + tap / 3, s = x + tap % 3;
            if ((uint)r < (uint)h && (uint)s < (uint)w) sum += WEIGHT(i, k, tap) * LOAD_X(pixels, (k * h + r) * w + s);
        }
    return sum;
}

/* Of pictures (images, channels, h, w), the first pixel of whose results is that whose window begins at (-top, -left):
 * results (images, m, p, q), in `high` x `wide` tiles each. */
__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void
tn_conv_winograd(__global const uchar *filter_buffer, ulong filter_offset, __global const uchar *weight_buffer,
                 ulong weight_offset, __global const uchar *x_buffer, ulong x_offset, MAP_PARAMS int m, int channels,
                 int images, int h, int w, int top, int left, int p, int q, int high, int wide)
{
    __local V4 shared[LOCAL_VECTORS];
    const uint lane = (uint)get_local_id(0);
    const int element = (int)lane / (SIDE_U * SIDE_V), u = lane_u(lane % (SIDE_U * SIDE_V));
    const int v = lane_v(lane % (SIDE_U * SIDE_V)), first_k = (int)lane / BLOCK_N;
    const int i0 = (int)get_group_id(1) * BLOCK_M, j0 = (int)get_group_id(0) * BLOCK_N;
    __global const A_T *weights = (__global const A_T *)(weight_buffer + weight_offset);
    __global const X_T *pixels = (__global const X_T *)(x_buffer + x_offset);
    __global const V4 *filters = (__global const V4 *)(filter_buffer + filter_offset) + (int)get_group_id(1) * STEP_M;
    MAP_POINTERS
    const int mine = j0 + (int)lane % BLOCK_N, first_y = mine / wide % high * 2 - top, first_x = mine % wide * 2 - left;
    const int at = (min(mine / (wide * high), images - 1) * channels * h + first_y) * w + first_x;
    uint inside = 0;
    if (mine < images * high * wide)
        for (int d = 0; d < 16; d++)
            inside |= (uint)((uint)(first_y + d / 4) < (uint)h && (uint)(first_x + d % 4) < (uint)w) << d;
    float next[PATCHES][16];
    V4 acc[ROWS * COLS / 4];
#pragma unroll
    for (int e = 0; e < ROWS * COLS / 4; e++) acc[e] = (V4)(0);
    BRING(0)
    for (int k0 = 0; k0 < channels; k0 += DEEP) {
        KEEP(k0)
        barrier(CLK_LOCAL_MEM_FENCE);
        if (k0 + DEEP < channels) BRING(k0 + DEEP)
        multiply_blocks(acc, shared + element * (BLOCK_M / 4), shared + (DEEP * STEP_M + element * (BLOCK_N / 4)), u,
                        v);
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    /* SIDE_V rows of each of the 16 products at a time: (SIDE_V, 16, BLOCK_N). */
#pragma nounroll
    for (int pass = 0; pass < ROWS; pass++) {
        put_row(shared + element * (BLOCK_N / 4), acc, u, v);
        barrier(CLK_LOCAL_MEM_FENCE);
#pragma nounroll
        for (int e = (int)lane; e < SIDE_V * BLOCK_N; e += ITEMS)
            gather_pixels((__local float *)shared + (e / BLOCK_N * 16 * BLOCK_N + e % BLOCK_N), BLOCK_N);
        barrier(CLK_LOCAL_MEM_FENCE);
#pragma nounroll
        for (int e = (int)lane; e < 4 * SIDE_V * BLOCK_N; e += ITEMS) { /* neighbours make neighbouring pixels */
            const int group = e / (4 * BLOCK_N), dy = e / (2 * BLOCK_N) % 2, tile = e / 2 % BLOCK_N, all = j0 + tile;
            const int i = i0 + pass / 4 * SIDE_V * 4 + group * 4 + pass % 4, image = all / (wide * high);
            const int y = all / wide % high * 2 + dy, x = all % wide * 2 + e % 2;
            if (i >= m || image >= images || y >= p || x >= q) continue;
            const IX j = (IX)y * q + x;
            float product = ((__local const float *)shared)[(group * 16 + 2 * dy + e % 2) * BLOCK_N + tile];
            if (!(fabs(product) < INFINITY))
                product = mended(pixels + image * channels * h * w, weights, m, channels, h, w, i, y - top, x - left);
            MAP_ROW((IX)image * m + i, 0) MAP_VALUES(j) MAP_STORE(j)
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }
}
#endif
