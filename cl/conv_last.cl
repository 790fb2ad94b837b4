/* conv_last.cl: convolutions by matrix units in stages (matrix_staged.cl). For 16 bytes to be neighbours in a product's
 * sum, pictures and filters are first laid out with their channels last, in scratch memory; a block of filters by
 * pixels is then a sum over taps and channels: a row of the one is a filter, of the other what a pixel's window sees,
 * tap after tap, and no block of k has two taps. Pixels are those of all pictures, one after the other.
 *
 * Pictures that have their channels last and fill whole pieces are read where they lie, and the result is stored
 * likewise: BY_ROWS.
 *
 * Given: R, S, the window. TO_LAST: the first kernel, of both or of FILTERS_ALONE, with STORED, what is laid out: uint
 * for f32, ushort for bf16 (TO_BF16); A_T, LOAD_A, X_T, LOAD_X: how weights and pictures are stored; and TURNED:
 * weights are (channels, m, R, S), turned round, as a gradient for pictures has them, else (m, channels, R, S). Without:
 * the core; STRIDE_H, STRIDE_W, DILATION_H, DILATION_W; the epilogue as a map. */
#ifdef TO_LAST
#define SIDE 32
#ifdef TO_BF16
#define LAID(to, at, value) (to)[at] = round_bf16(value)
#else
#define LAID(to, at, value) (to)[at] = as_uint(value)
#endif
#if TURNED
#define WEIGHT_AT(i, channel, tap) (((channel)*m + (i)) * (R * S) + R * S - 1 - (tap))
#else
#define WEIGHT_AT(i, channel, tap) (((i)*channels + (channel)) * (R * S) + (tap))
#endif

#ifdef FILTERS_ALONE
#define PICTURE_PARAMS
#else
#define PICTURE_PARAMS                                                                                                 \
    __global const uchar *x_buffer, ulong x_offset, __global uchar *pictures_buffer, ulong pictures_offset,
#endif

/* Pictures (images, channels, pixels) as (images, pixels, deep), by squares; all work-items together the weights, as
 * (m, taps, deep). What lies beyond the last channel is zero. */
__kernel __attribute__((reqd_work_group_size(SIDE, 8, 1))) void
tn_conv_to_last(PICTURE_PARAMS __global const uchar *w_buffer, ulong w_offset, __global uchar *filters_buffer,
                ulong filters_offset, int channels, int deep, int pixels, int m)
{
    const int u = (int)get_local_id(0), v = (int)get_local_id(1), group = (int)get_group_id(0);
    __global const A_T *weights = (__global const A_T *)(w_buffer + w_offset);
    __global STORED *filters = (__global STORED *)(filters_buffer + filters_offset);
#ifndef FILTERS_ALONE
    __local float square[SIDE][SIDE + 1];
    const int wide = (pixels + SIDE - 1) / SIDE, high = (deep + SIDE - 1) / SIDE, image = group / wide / high;
    const int pixel0 = group % wide * SIDE, channel0 = group / wide % high * SIDE;
    __global const X_T *from = (__global const X_T *)(x_buffer + x_offset) + (long)image * channels * pixels;
    __global STORED *to = (__global STORED *)(pictures_buffer + pictures_offset) + (long)image * deep * pixels;
    for (int row = v; row < SIDE; row += 8) {
        const int channel = channel0 + row, pixel = pixel0 + u;
        square[row][u] = channel < channels && pixel < pixels ? LOAD_X(from, channel * pixels + pixel) : 0;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int row = v; row < SIDE; row += 8) {
        const int pixel = pixel0 + row, channel = channel0 + u;
        if (pixel < pixels && channel < deep) LAID(to, pixel * deep + channel, square[u][row]);
    }
#endif
    for (int e = (group * 8 + v) * SIDE + u; e < m * (R * S) * deep; e += (int)get_num_groups(0) * 8 * SIDE) {
        const int channel = e % deep, tap = e / deep % (R * S), i = e / deep / (R * S);
        LAID(filters, e, channel < channels ? LOAD_A(weights, WEIGHT_AT(i, channel, tap)) : 0);
    }
}
#else
#define GIVEN(j) product
/* A work-item brings pieces of the same pixels all along: where their windows begin, and which taps see the picture, a
 * bit each. */
#define BRINGS ((PIECES(BLOCK_N) + ITEMS - 1) / ITEMS)
#define TAP_Y(tap) ((tap) / S * DILATION_H)
#define TAP_X(tap) ((tap) % S * DILATION_W)
#define WINDOW(column)                                                                                                 \
    const int image = (column) / pixels, pixel = (column) % pixels;                                                    \
    const int y = pixel / q * STRIDE_H - top, x = pixel % q * STRIDE_W - left, at = ((image * h + y) * w + x) * deep;
#define SEES(tap) ((uint)(y + TAP_Y(tap)) < (uint)h && (uint)(x + TAP_X(tap)) < (uint)w)
/* Blocks come in order; those behind the last have a tap that nothing sees. */
#define BLOCK_AT(block)                                                                                                \
    const int tap = next_tap, k0 = next_k, tap_at = (TAP_Y(tap) * w + TAP_X(tap)) * deep;                              \
    next_k += DEEP;                                                                                                    \
    if (next_k >= deep) next_k = 0, next_tap++;
#define PIECE_OF_A                                                                                                     \
    const int inside = row < m && k < deep && tap < R * S;                                                             \
    __global const STORED *const piece = from_a + (inside ? (row * (R * S) + tap) * deep + k : 0);
#define PIECE_OF_B                                                                                                     \
    const int inside = (seen[t] >> tap & 1) && k < deep;                                                               \
    __global const STORED *const piece = from_b + (inside ? window_at[t] + tap_at + k : 0);

/* What parts make of infinities is no number, where the product may well be one: then it is made anew. */
#if PARTS > 1
static inline float mended(__global const float *filter, __global const float *pictures, int column, int pixels, int q,
                           int top, int left, int h, int w, int deep)
{
    float sum = 0;
    WINDOW(column)
    for (int tap = 0; tap < R * S; tap++)
        for (int k = 0; k < deep && SEES(tap); k++)
            sum += filter[tap * deep + k] * pictures[at + (TAP_Y(tap) * w + TAP_X(tap)) * deep + k];
    return sum;
}
#define MEND(product, i, j)                                                                                            \
    if (product != product)                                                                                            \
        product = mended((__global const float *)filters + (i) * (R * S) * deep, (__global const float *)pictures,     \
                         (int)(j), pixels, q, top, left, h, w, deep);
#else
#define MEND(product, i, j)
#endif

/* Of pictures (images, h, w, deep), the first pixel of whose results is that whose window begins at (-top, -left), and
 * filters (m, taps, deep): results (images, m, pixels), or (images, pixels, m), rows of q; n of
 * them for each filter. */
__kernel MX_SUB_GROUP __attribute__((reqd_work_group_size(WAVES_U * WAVE, WAVES_V, 1))) void
tn_conv_last(__global const uchar *filters_buffer, ulong filters_offset, __global const uchar *pictures_buffer,
             ulong pictures_offset, MAP_PARAMS int m, int n, int deep, int h, int w, int top, int left, int pixels,
             int q)
{
    BLOCK_BEGIN
    const int i0 = (int)get_group_id(1) * BLOCK_M, j0 = (int)get_group_id(0) * BLOCK_N;
    __global const STORED *const filters = (__global const STORED *)(filters_buffer + filters_offset);
    __global const STORED *const pictures = (__global const STORED *)(pictures_buffer + pictures_offset);
    MAP_POINTERS
    int window_at[BRINGS], next_tap = 0, next_k = 0;
    uint seen[BRINGS];
#pragma unroll
    for (int t = 0; t < BRINGS; t++) {
        const int column = j0 + (int)lane / ROW_PIECES + t * (ITEMS / ROW_PIECES);
        WINDOW(min(column, n - 1))
        window_at[t] = at, seen[t] = 0;
        for (int tap = 0; tap < R * S && column < n; tap++) seen[t] |= (uint)SEES(tap) << tap;
    }
    ADD_STAGES(filters, pictures, R * S * ((deep + DEEP - 1) / DEEP))
#ifdef BY_ROWS
    FOR_EACH_PRODUCT(MAP_ROW(j, 0) MAP_VALUES(i) MAP_STORE(i))
#else
    FOR_EACH_PRODUCT(const int image = (int)j / pixels; MAP_ROW((IX)image * m + i, 0) MAP_VALUES(j - image * pixels)
                         MAP_STORE(j - image * pixels))
#endif
}
#endif
