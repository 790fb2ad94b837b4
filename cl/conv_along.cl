/* conv_along.cl: conv2d_weight on CPU devices where rows of dy are whole vectors and the stride along them is 1: dy (a,
 * m filters) and pictures x, which have been given the zeros around them, are read in place, in vectors along a row,
 * and each product of a filter and a tap is a vector of partial sums over all pictures of a segment. A work-item makes
 * ROWS filters by COLUMNS taps, and waits for no other.
 *
 * Given: as for conv_cpu.cl, but for RUN, VECTORS and what is read of a. */
#define CONCAT_(a, b) a##b
#define CONCAT(a, b) CONCAT_(a, b)
#define TAPS    3 /* at once: ROWS x TAPS sums stay in registers */
#define COLUMNS (24 * TAPS)
#define TAP(j) ((j) / (R * S) * hp * wp + (j) / S % R * (DILATION_H * wp) + (j) % S * DILATION_W)

typedef struct __attribute__((packed)) loose {
    V v;
} loose;
#define FROM(p) (((__global const loose *)(p))->v)

/* Adds to sum (ROWS x TAPS) what a picture's rows, `step` apart, give: dy (filters of `plane` pixels, rows of q) from
 * filter i0 on times x from at[] on. What lies beyond the last filter repeats it. */
static inline void multiply_along(V *sum, __global const T *dy, int i0, int m, int plane, int q, __global const T *x,
                                  const int *at, int step)
{
    V acc[ROWS][TAPS];
    __global const T *left[ROWS], *right[TAPS];
#pragma unroll
    for (int r = 0; r < ROWS; r++) left[r] = dy + (long)min(i0 + r, m - 1) * plane;
#pragma unroll
    for (int t = 0; t < TAPS; t++) right[t] = x + at[t];
#pragma unroll
    for (int r = 0; r < ROWS; r++)
#pragma unroll
        for (int t = 0; t < TAPS; t++) acc[r][t] = sum[r * TAPS + t];
    for (int row = 0, from = 0; row < plane; row += q, from += step) {
        for (int j = 0; j < q; j += LANES) {
            V pixel[TAPS];
#pragma unroll
            for (int t = 0; t < TAPS; t++) pixel[t] = FROM(right[t] + from + j);
#pragma unroll
            for (int r = 0; r < ROWS; r++) {
                const V y = FROM(left[r] + row + j);
#pragma unroll
                for (int t = 0; t < TAPS; t++) acc[r][t] = y * pixel[t] + acc[r][t];
            }
        }
    }
#pragma unroll
    for (int r = 0; r < ROWS; r++)
#pragma unroll
        for (int t = 0; t < TAPS; t++) sum[r * TAPS + t] = acc[r][t];
}

static inline T sum_of(V v)
{
    T lane[LANES];
    CONCAT(vstore, LANES)(v, 0, lane);
    for (int half_way = LANES / 2; half_way; half_way /= 2)
        for (int l = 0; l < half_way; l++) lane[l] += lane[l + half_way];
    return lane[0];
}

#define GIVEN(j) total[(j) - j0]
#ifdef SPLIT
#define LAST_PARAMS __global uchar *partial_buffer, ulong partial_offset,
#else
#define LAST_PARAMS MAP_PARAMS
#endif

/* Pictures of `picture` elements, wp to a row, hp rows to a channel. */
__kernel ONE_ITEM void tn_conv(ITEM_PARAM
                               __global const uchar *a_buffer, ulong a_offset, __global const uchar *x_buffer,
                               ulong x_offset, LAST_PARAMS int m, int n, int k_all, int groups, int images, int length,
                               int picture, int hp, int wp, int q)
{
    const int panels = (n + COLUMNS - 1) / COLUMNS, tiles = (m + ROWS - 1) / ROWS, id = (int)ITEM;
    const int j0 = id % panels * COLUMNS, i0 = id / panels % tiles * ROWS, outer = id / panels / tiles;
    const int g = outer % groups, first = outer / groups * length, end = min(first + length, images);
    const int columns = min(COLUMNS, n - j0), rows = min(ROWS, m - i0);
    int at[COLUMNS];
    V sum[COLUMNS / TAPS][ROWS * TAPS];
    for (int c = 0; c < COLUMNS; c++) at[c] = TAP(min(j0 + c, n - 1));
    for (int c = 0; c < columns; c += TAPS)
        for (int i = 0; i < ROWS * TAPS; i++) sum[c / TAPS][i] = (V)(0);
    for (int image = first; image < end; image++) {
        const long number = (long)image * groups + g;
        __global const T *dy = (__global const T *)(a_buffer + a_offset) + number * m * k_all;
        __global const T *x = (__global const T *)(x_buffer + x_offset) + number * picture;
        for (int c = 0; c < columns; c += TAPS)
            multiply_along(sum[c / TAPS], dy, i0, m, k_all, q, x, at + c, STRIDE_H * wp);
    }
#ifndef SPLIT
    MAP_POINTERS
#endif
    for (int r = 0; r < rows; r++) {
        const long row = (long)outer * m + i0 + r;
        T total[COLUMNS];
        for (int c = 0; c < columns; c++) total[c] = sum_of(sum[c / TAPS][r * TAPS + c % TAPS]);
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
