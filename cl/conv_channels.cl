/* conv_channels.cl: conv2d_weight on CPU devices where channels fill vectors: `deep` vectors of a picture's channels at
 * a time are laid out pixel by pixel, with the zeros around them, so that what a tap sees is vectors at an offset,
 * whatever the stride; dy (a, m filters) is read where it lies. A work-item makes `per` tiles of ROWS filters by all
 * taps of these channels, over the pictures of a segment, `band` rows of dy at once, and waits for no other.
 *
 * Given: T, V, LANES, ROWS; X_T, LOAD_X, how pictures are stored, X_PLAIN: as T; ACROSS, vectors of a tile; R, S,
 * STRIDE_H, STRIDE_W, DILATION_H, DILATION_W; ROOM, elements of what is laid out, and as many sums; what turn.cl
 * gives; the epilogue, as for conv_along.cl. */
typedef struct __attribute__((packed)) loose {
    V v;
} loose;
#define FROM(p)   (((__global const loose *)(p))->v)
#define OWN(p, i) (((V *)(p))[i])

/* Pixels begin .. end of whole rows, of planes that are `plane` elements apart, to rows of wp pixels of `deep` vectors.
 * Beyond the last channel is that once more. */
static inline void lay_out(T *to, __global const X_T *x, int channels, int plane, int begin, int end, int w, int wp,
                           int deep)
{
    const int step = deep * LANES, last = channels - 1;
    for (int c = 0; c < step; c += LANES) {
        int e = begin;
#if defined(ZIP) && defined(X_PLAIN)
        while (e < end && end - begin >= LANES) {
            V pixel[LANES], aside[LANES];
            e = min(e, end - LANES); /* the last block may share pixels with the one before */
            int row = (e - begin) / w, column = (e - begin) % w;
#pragma unroll
            for (int l = 0; l < LANES; l++) pixel[l] = FROM(x + (long)min(c + l, last) * plane + e);
            TURN(pixel, aside)
#pragma unroll
            for (int l = 0; l < LANES; l++) {
                OWN(to + (row * wp + column) * step + c, 0) = pixel[l];
                if (++column == w) column = 0, row++;
            }
            e += LANES;
        }
#endif
        for (; e < end; e++) {
            T *pixel = to + ((e - begin) / w * wp + (e - begin) % w) * step + c;
            for (int l = 0; l < LANES; l++) pixel[l] = LOAD_X(x, (long)min(c + l, last) * plane + e);
        }
    }
}

/* sum (ROWS of `wide`, of which ACROSS vectors) += filters up to `last`, which is repeated, of dy, `plane` apart, times
 * the vectors at x + at[], over `lines` rows of q pixels; these are `down` and `step` apart in x. */
static inline void multiply_pixels(T *sum, int wide, __global const T *dy, int last, int plane, int q, int lines,
                                   const T *x, const int *at, int down, int step)
{
    V acc[ROWS][ACROSS];
    __global const T *left[ROWS];
#pragma unroll
    for (int r = 0; r < ROWS; r++) {
        left[r] = dy + (long)min(r, last) * plane;
#pragma unroll
        for (int t = 0; t < ACROSS; t++) acc[r][t] = OWN(sum + r * wide, t);
    }
    for (int k = 0; k < lines * q; x += down) {
        const T *right[ACROSS];
#pragma unroll
        for (int t = 0; t < ACROSS; t++) right[t] = x + at[t];
        for (int j = 0; j < q; j++, k++) {
            V pixel[ACROSS];
#pragma unroll
            for (int t = 0; t < ACROSS; t++) pixel[t] = OWN(right[t] + j * step, 0);
#pragma unroll
            for (int r = 0; r < ROWS; r++) {
                const V y = (V)(left[r][k]);
#pragma unroll
                for (int t = 0; t < ACROSS; t++) acc[r][t] = y * pixel[t] + acc[r][t];
            }
        }
    }
#pragma unroll
    for (int r = 0; r < ROWS; r++)
#pragma unroll
        for (int t = 0; t < ACROSS; t++) OWN(sum + r * wide, t) = acc[r][t];
}

#define MOST    256 /* pixels that are added up in registers: they stay in the nearest cache, too */
#define VECTORS (2 * R * S + ACROSS)
#define GIVEN(j) total[(j) - j0]
#ifdef SPLIT
#define LAST_PARAMS __global uchar *partial_buffer, ulong partial_offset,
#else
#define LAST_PARAMS MAP_PARAMS
#endif

/* Groups have `channels` planes h x w; what is laid out has wp pixels to a row, of which the first `edge` are zeros,
 * and begins `top` rows above the picture. */
__kernel ONE_ITEM void tn_conv(ITEM_PARAM
                               __global const uchar *a_buffer, ulong a_offset, __global const uchar *x_buffer,
                               ulong x_offset, LAST_PARAMS int m, int n, int k_all, int groups, int images, int length,
                               int channels, int h, int w, int wp, int top, int edge, int q, int deep, int band,
                               int chunks, int per)
{
    const int step = deep * LANES, blocks = (channels + step - 1) / step, id = (int)ITEM;
    const int i0 = id % chunks * per * ROWS, c0 = id / chunks % blocks * step, outer = id / chunks / blocks;
    const int g = outer % groups, first = outer / groups * length, end = min(first + length, images);
    const int rows = min(per * ROWS, m - i0), used = min(step, channels - c0), p = k_all / q;
    const int vectors = (R * S * deep + ACROSS - 1) / ACROSS * ACROSS, wide = vectors * LANES;
    const int some = max(1, MOST / q), steps = (p + some - 1) / some * ((rows + ROWS - 1) / ROWS);
    const int share = (used * h * w + steps - 1) / max(1, steps);
    T laid[ROOM] __attribute__((aligned(64))), sum[ROOM] __attribute__((aligned(64)));
    int at[VECTORS];
    for (int v = 0; v < vectors; v++) {
        const int tap = min(v / deep, R * S - 1);
        at[v] = (tap / S * DILATION_H * wp + tap % S * DILATION_W) * step + v % deep * LANES;
    }
    for (int e = 0; e < (rows + ROWS - 1) / ROWS * ROWS * wide; e++) sum[e] = 0;
    for (int image = first; image < end; image++) {
        const long number = (long)image * groups + g;
        __global const T *dy = (__global const T *)(a_buffer + a_offset) + (number * m + i0) * k_all;
        __global const X_T *x = (__global const X_T *)(x_buffer + x_offset) + (number * channels + c0) * h * w;
        __global const X_T *next = x + (long)groups * channels * h * w;
        for (int row = 0; row < p; row += band) {
            const int lines = min(band, p - row), from = row * STRIDE_H - top;
            const int height = (lines - 1) * STRIDE_H + (R - 1) * DILATION_H + 1;
            const int begin = max(from, 0), until = min(from + height, h);
            if (image == first || band < p)
                for (int e = 0; e < height * wp * step; e++) laid[e] = 0;
            if (begin < until)
                lay_out(laid + ((begin - from) * wp + edge) * step, x, used, h * w, begin * w, until * w, w, wp, deep);
            for (int line = 0; line < lines; line += some)
                for (int i = 0; i < rows; i += ROWS) {
                    FETCH_ALL_NEAR(next, share) /* the next picture, by the time it is laid out */
                    next += share;
                    for (int v = 0; v < vectors; v += ACROSS)
                        multiply_pixels(sum + i * wide + v * LANES, wide,
                                        dy + (long)i * k_all + (row + line) * q, rows - 1 - i, k_all, q,
                                        min(some, lines - line), laid + line * STRIDE_H * wp * step, at + v,
                                        STRIDE_H * wp * step, STRIDE_W * step);
                }
        }
    }
#ifndef SPLIT
    MAP_POINTERS
#endif
    const int j0 = c0 * R * S, columns = used * R * S;
    for (int r = 0; r < rows; r++) {
        const long row = (long)outer * m + i0 + r;
        T total[2 * LANES * R * S];
        for (int t = 0; t < R * S; t++)
            for (int c = 0; c < used; c++) total[c * (R * S) + t] = sum[r * wide + t * step + c];
#ifdef SPLIT
        __global T *to = (__global T *)(partial_buffer + partial_offset) + row * n;
        for (int j = j0; j < j0 + columns; j++) to[j] = total[j - j0];
#else
        MAP_ROW((IX)row, 0)
        LOOP
        for (IX j = j0; j < j0 + columns; j++) {
            MAP_VALUES(j)
            MAP_STORE(j)
        }
#endif
    }
}
