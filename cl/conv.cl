/* conv.cl: what a convolution does before and after its product: pictures laid out with zeros around them (and, where a
 * gradient asks for it, between their elements), weights turned round, and sums of partial products.
 * Given: T, of what is laid out, and FROM_T and LOAD_FROM, of what it is made from; or of sums, and Y_T, STORE_Y. STAGE:
 * UP_H, UP_W, 1 more than the zeros between; on GPUs DEPTH, channels that lie beside each other. */
#define AT(T, buffer, offset) ((__global T *)((buffer) + (offset)))

#ifdef STAGE
/* to (planes, hp, wp, DEPTH): element (i, j) of from (planes, h, w, DEPTH) goes to (i UP_H + top, j UP_W + left), if it
 * is inside. */
__kernel void tn_conv_stage(ITEM_PARAM __global const uchar *from_buffer, ulong from_offset, __global uchar *to_buffer,
                            ulong to_offset, int h, int w, int hp, int wp, int top, int left, long total, long per)
{
    __global const FROM_T *from = AT(const FROM_T, from_buffer, from_offset);
    __global T *to = AT(T, to_buffer, to_offset);
#ifdef CPU_SHAPE
    const long begin = (long)ITEM * per, end = min(begin + per, total / wp); /* rows */
    const int j0 = left < 0 ? (-left + UP_W - 1) / UP_W : 0, j1 = left < wp ? min(w, (wp - 1 - left) / UP_W + 1) : 0;
    for (long row = begin; row < end; row++) {
        const long plane = row / hp;
        const int at = (int)(row - plane * hp) - top;
        __global T *out = to + row * wp;
        for (int v = 0; v < wp; v++) out[v] = 0;
        if (at < 0 || at % UP_H || at / UP_H >= h) continue;
        __global const FROM_T *in = from + (plane * h + at / UP_H) * w;
        for (int j = j0; j < j1; j++) out[j * UP_W + left] = LOAD_FROM(in, j);
    }
#else
    const long e = (long)ITEM, pixel = e / DEPTH;
    if (e >= total) return;
    const int u = (int)(pixel / wp % hp) - top, v = (int)(pixel % wp) - left;
    const int inside = u >= 0 && v >= 0 && u % UP_H == 0 && v % UP_W == 0 && u / UP_H < h && v / UP_W < w;
    to[e] = inside ? LOAD_FROM(from, ((pixel / wp / hp * h + u / UP_H) * w + v / UP_W) * DEPTH + e % DEPTH) : 0;
#endif
}
#endif

#ifdef TURN
/* weight (groups, k, c, taps) as (groups, c, k, taps), the taps of each pair in reverse, BY_CHANNEL; or with BY_TAP as
 * (groups, taps, c, k); or for pictures with channels last as (groups, k, taps, c), TAPS_FIRST, and as (groups, c, taps,
 * k) in reverse, CHANNELS_FIRST; or AS_THEY_LIE, in another type. */
__kernel void tn_conv_turn(ITEM_PARAM __global const uchar *from_buffer, ulong from_offset, __global uchar *to_buffer,
                           ulong to_offset, int k, int c, int taps, int total, int per)
{
    __global const FROM_T *from = AT(const FROM_T, from_buffer, from_offset);
    __global T *to = AT(T, to_buffer, to_offset);
    const int begin = (int)ITEM * per, end = min(begin + per, total);
#ifdef AS_THEY_LIE
    for (int e = begin; e < end; e++) to[e] = LOAD_FROM(from, e);
#else
    /* sizes from the innermost on, and where in `from` what is next lies; `at` follows without divisions */
#ifdef BY_TAP
    const int n0 = k, n1 = c, n2 = taps, d0 = c * taps, d1 = taps, d2 = 1, last = 0;
#elif defined(TAPS_FIRST)
    const int n0 = c, n1 = taps, n2 = k, d0 = taps, d1 = 1, d2 = c * taps, last = 0;
#elif defined(CHANNELS_FIRST)
    const int n0 = k, n1 = taps, n2 = c, d0 = c * taps, d1 = -1, d2 = taps, last = taps - 1;
#else
    const int n0 = taps, n1 = k, n2 = c, d0 = -1, d1 = c * taps, d2 = taps, last = taps - 1;
#endif
    int i0 = begin % n0, i1 = begin / n0 % n1, i2 = begin / (n0 * n1) % n2;
    int at = begin / (n0 * n1 * n2) * (n0 * n1 * n2) + last + i0 * d0 + i1 * d1 + i2 * d2;
    for (int e = begin; e < end; e++) {
        to[e] = LOAD_FROM(from, at);
        at += d0;
        if (++i0 < n0) continue;
        i0 = 0, at += d1 - n0 * d0;
        if (++i1 < n1) continue;
        i1 = 0, at += d2 - n1 * d1;
        if (++i2 < n2) continue;
        i2 = 0, at += n0 * n1 * n2 - n2 * d2;
    }
#endif
}
#endif

#ifdef SPLIT
/* y = the sum of `segments` partial results, which the first of them becomes. */
__kernel void tn_conv_finish(ITEM_PARAM __global uchar *sum_buffer, ulong sum_offset, __global uchar *y_buffer,
                             ulong y_offset, int segments, int total, int per)
{
    __global T *sum = AT(T, sum_buffer, sum_offset);
    __global Y_T *y = AT(Y_T, y_buffer, y_offset);
    const int begin = (int)ITEM * per, end = min(begin + per, total);
    for (int s = 1; s < segments; s++) {
        __global const T *more = sum + (long)s * total;
        LOOP
        for (int e = begin; e < end; e++) sum[e] += more[e];
    }
    LOOP
    for (int e = begin; e < end; e++) STORE_Y(y, e, sum[e]);
}
#endif
