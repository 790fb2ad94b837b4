/* conv_cpu.cl: convolutions as products on CPU devices, without a matrix of pictures: panels are packed straight from
 * them. Both operands of the product are read from (groups) matrices `a` of m rows and from pictures x, which have been
 * given the zeros around them.
 *
 * SCATTER, conv2d_data where that is less work: rows are channels at one tap, columns are pixels of dy, k runs over
 * filters, and the products are added to where they belong. In the other kernel:
 *
 * conv2d and conv2d_data: rows are filters, columns are pixels of one picture, k runs over taps (a channel, a row and a
 * column of the window). WEIGHT: rows are filters, columns are taps, and k runs over the pixels of all pictures of a
 * segment; with SPLIT there are several, whose results lie in scratch, to be added. IN_PLACE, for the first two: rows of
 * pixels are whole vectors that lie together in the picture, and are read there: there is no panel. LAID: pictures are
 * laid out so by each work-item, in ROOM elements (conv_lay.cl), in COPIES where rows are no whole vectors.
 *
 * Given: what tile_cpu.cl needs, and tile_wide of matmul_tile.cl; X_T, LOAD_X: how pictures, or dy, are stored; X_PLAIN:
 * as T, which is so but in SCATTER, where the result may be otherwise, too: Y_T, STORE_Y; R, S, STRIDE_H, STRIDE_W,
 * DILATION_H, DILATION_W; RUN, how many elements are copied at once; the epilogue as a map over (pictures or 1, all
 * rows, columns), see map.cl, whose value 0 is the product. */

/* Where things lie in pictures: taps count by rows of S, planes of R; pixels by rows of q. `step` leads from one
 * element of a row to the next. */
typedef struct axis {
    int n1, n2, plane, row, step;
} axis;

static inline int place(const axis *a, int i)
{
    return i / (a->n1 * a->n2) * a->plane + i / a->n2 % a->n1 * a->row + i % a->n2 * a->step;
}

/* The panel's columns as runs of neighbours in a picture: run e covers the columns to[e] .. to[e + 1]. */
typedef struct columns {
    int runs, used;
    int from[WIDE], to[WIDE + 1];
} columns;

static inline void find_runs(columns *c, const axis *a, int j0, int used)
{
    c->runs = 0;
    c->used = used;
    for (int l = 0; l < used; c->runs++) {
        c->from[c->runs] = place(a, j0 + l);
        c->to[c->runs] = l;
        l += min(used - l, a->n2 - (j0 + l) % a->n2);
    }
    c->to[c->runs] = used;
}

/* No run is longer than what is copied at once. */
#define SHORT_RUNS (WEIGHT && S <= RUN)
typedef struct __attribute__((packed)) run {
    CONCAT(T, RUN) v;
} run;
#define COPY(to, from) ((run *)(to))->v = ((__global const run *)(from))->v
#ifdef SCATTER
#define LANE_STEP 1
#else
#define LANE_STEP (WEIGHT ? DILATION_W : STRIDE_W)
#endif

#ifdef X_PLAIN
/* Copies row k of a panel, run by run. Copies reach beyond the end of a run, where the next one is written after. */
static inline void pack_row(T *row, __global const T *x, const columns *c)
{
    for (int e = 0; e < c->runs; e++) {
        const int to = c->to[e], count = SHORT_RUNS ? 1 : c->to[e + 1] - to;
        for (int l = 0; l < count; l += RUN) COPY(row + to + l, x + c->from[e] + l);
    }
}
#endif

/* The same element by element: for what is not side by side, and where the memory of the pictures ends. */
static inline void pack_row_slowly(T *row, __global const X_T *x, const columns *c)
{
    for (int e = 0; e < c->runs; e++)
        for (int l = c->to[e]; l < c->to[e + 1]; l++) row[l] = LOAD_X(x, c->from[e] + (l - c->to[e]) * LANE_STEP);
}

/* Values k0 .. k0 + n of k of the columns, as [n][WIDE]. Reading at x + `last` or beyond would leave the memory. */
static inline void pack(T *panel, __global const X_T *x, const axis *a, int k0, int n, const columns *c, long last)
{
    int i2 = k0 % a->n2, i1 = k0 / a->n2 % a->n1, at = place(a, k0);
    const int reach = c->runs ? c->from[c->runs - 1] + WIDE + RUN : 0;
    for (int k = 0; k < n; k++) {
        T *row = panel + k * WIDE;
#ifdef X_PLAIN
        if (LANE_STEP == 1 && at + reach <= last)
            pack_row(row, x + at, c);
        else
#endif
            pack_row_slowly(row, x + at, c);
        for (int l = c->used; l < WIDE; l++) row[l] = 0;
        at += a->step;
        if (++i2 < a->n2) continue;
        i2 = 0;
        at += a->row - a->n2 * a->step;
        if (++i1 < a->n1) continue;
        i1 = 0;
        at += a->plane - a->n1 * a->row;
    }
}

#ifdef SCATTER
typedef struct __attribute__((packed)) four {
    CONCAT(T, 4) v;
} four;

/* Where a run belongs: with a stride of 2 every other element, and those between are written as they are, as is one
 * behind the last where there is a padded one. */
#if STRIDE_W == 2
#define PART .even
#if RUN == 8
#define APART 16
#else
#define APART 8
#endif
#else
#define PART
#define APART RUN
#endif
#if STRIDE_W == 1 || defined(PADDED)
#define BEHIND 0
#else
#define BEHIND 1
#endif
typedef struct __attribute__((packed)) apart {
    CONCAT(T, APART) v;
} apart;

/* Adds products of some rows (channels, `plane` elements apart) to where the runs of pixels belong. */
static inline void add_runs(__global T *to, int plane, const T *product, int rows, const columns *c)
{
    for (int r = 0; r < rows; r++)
        for (int e = 0; e < c->runs; e++) {
            const int count = c->to[e + 1] - c->to[e];
            __global T *at = to + r * plane + c->from[e];
            const T *sum = product + r * WIDE + c->to[e];
            int l = 0;
            for (; STRIDE_W <= 2 && l + RUN + BEHIND <= count; l += RUN)
                ((__global apart *)(at + l * STRIDE_W))->v PART += ((const run *)(sum + l))->v;
            for (; STRIDE_W == 1 && l + 4 <= count; l += 4)
                ((__global four *)(at + l))->v += ((const four *)(sum + l))->v;
            for (; l < count; l++) at[l * STRIDE_W] += sum[l];
        }
}

#ifdef PADDED
#define SUMS __global uchar *scratch_buffer, ulong scratch_offset,
#else
#define SUMS
#endif

/* A work-item: `each` neighbouring jobs of `total`, a job being ROWS of the m channels of a group of a picture. Sums
 * are made in dx itself, or where a picture h x w needs zeros around it or is not stored as T, in scratch, hp x wp to a
 * channel. */
__kernel ONE_ITEM void tn_conv_scatter(ITEM_PARAM
                                       __global const uchar *a_buffer, ulong a_offset, __global const uchar *y_buffer,
                                       ulong y_offset, __global uchar *x_buffer, ulong x_offset, SUMS int m, int n,
                                       int k_all, int groups, long readable, int h, int w, int hp, int wp, int q,
                                       int top, int left, int total, int each)
{
    const int tiles = (m + ROWS - 1) / ROWS, stop = min((int)ITEM * each + each, total), plane = hp * wp;
    const axis filters = {1, 1, n, 0, 0}, neighbours = {1, INT_MAX, 0, 0, 1},
               pixels = {INT_MAX / q, q, 0, STRIDE_H * wp, STRIDE_W};
    T panel[KEEP * WIDE + RUN] __attribute__((aligned(64)));
    T tile[ROWS * WIDE] __attribute__((aligned(64)));
    for (int id = (int)ITEM * each; id < stop; id++) {
        const int i0 = id % tiles * ROWS, outer = id / tiles, rows = min(ROWS, m - i0);
        __global const X_T *y = (__global const X_T *)(y_buffer + y_offset) + (long)outer * k_all * n;
        __global Y_T *dx = (__global Y_T *)(x_buffer + x_offset) + ((long)outer * m + i0) * h * w;
#ifdef PADDED
        __global T *sums = (__global T *)(scratch_buffer + scratch_offset) + (long)ITEM * (ROWS * plane + 1);
#else
        __global T *sums = dx;
#endif
        for (int e = 0; e < rows * plane; e++) sums[e] = 0;
        for (int j0 = 0; j0 < n; j0 += WIDE) {
            columns from, to;
            find_runs(&from, &neighbours, j0, min(WIDE, n - j0));
            find_runs(&to, &pixels, j0, min(WIDE, n - j0));
            for (int k0 = 0; k0 < k_all; k0 += KEEP) {
                const int kn = min(KEEP, k_all - k0);
                pack(panel, y, &filters, k0, kn, &from, readable - (long)outer * k_all * n);
                for (int tap = 0; tap < R * S; tap++) {
                    __global const T *a = (__global const T *)(a_buffer + a_offset) +
                                          ((long)(outer % groups) * (R * S) + tap) * m * k_all;
                    tile_wide(tile, WIDE, ROWS, WIDE, panel, a + (long)i0 * k_all + k0, k_all, m - 1 - i0, kn, 1);
                    add_runs(sums + tap / S * DILATION_H * wp + tap % S * DILATION_W, plane, tile, rows, &to);
                }
            }
        }
#ifdef PADDED
        for (int r = 0; r < rows; r++)
            for (int i = 0; i < h; i++)
                for (int j = 0; j < w; j++) {
                    const int inside = i + top < hp && j + left < wp;
                    STORE_Y(dx, (r * h + i) * w + j, inside ? sums[r * plane + (i + top) * wp + j + left] : 0);
                }
#endif
    }
}
#else
#ifdef IN_PLACE
#ifdef COPIES
#define LINE(r) ((r) * DILATION_H % STRIDE_H * (taps->plane / STRIDE_H) + (r) * DILATION_H / STRIDE_H * taps->row)
#else
#define LINE(r) ((r) * taps->row)
#endif
#ifdef LAID
#define PIXELS const T
#define LOOSE(p) (((const loose *)(p))->v)
#else
#define PIXELS __global const T
#define LOOSE(p) FROM(p, 0)
#endif
/* out (ROWS x WIDE) = rows i0 .. of a times vectors of pixels, of which the first taps lie at x + from[]. */
static inline void multiply_pixels(T *out, __global const T *a, int i0, int m, int k_all, PIXELS *x, const int *from,
                                   const axis *taps)
{
    V acc[ROWS][VECTORS];
    __global const T *row[ROWS];
#pragma unroll
    for (int r = 0; r < ROWS; r++) {
        row[r] = a + (long)min(i0 + r, m - 1) * k_all;
#pragma unroll
        for (int v = 0; v < VECTORS; v++) acc[r][v] = (V)(0);
    }
    for (int k = 0; k < k_all; x += taps->plane)
        for (int line = 0; line < R; line++) {
            PIXELS *at = x + LINE(line);
            for (int s = 0; s < S; s++, k++, at += taps->step) {
                V right[VECTORS];
#pragma unroll
                for (int v = 0; v < VECTORS; v++) right[v] = LOOSE(at + from[v]);
#pragma unroll
                for (int r = 0; r < ROWS; r++) {
                    const V left = (V)(row[r][k]);
#pragma unroll
                    for (int v = 0; v < VECTORS; v++) acc[r][v] = left * right[v] + acc[r][v];
                }
            }
        }
#pragma unroll
    for (int r = 0; r < ROWS; r++)
#pragma unroll
        for (int v = 0; v < VECTORS; v++) OWN(out, r * VECTORS + v) = acc[r][v];
}
#endif

#define GIVEN(j) product[j]
#ifdef SPLIT
#define LAST_PARAMS __global uchar *partial_buffer, ulong partial_offset,
#else
#define LAST_PARAMS MAP_PARAMS
#endif

#ifdef LAID
#define LAID_PARAMS , int h, int w, int top, int left
#else
#define LAID_PARAMS
#endif

/* A work-item: `each` neighbouring jobs of `total`, a job being up to `per` tiles of a panel. x has `readable` elements
 * and pictures of `picture` elements; wp to a row, hp rows to a channel, or so where they are laid out. */
__kernel ONE_ITEM void tn_conv(ITEM_PARAM
                               __global const uchar *a_buffer, ulong a_offset, __global const uchar *x_buffer,
                               ulong x_offset, LAST_PARAMS int m, int n, int k_all, int groups, int images, int length,
                               long readable, int picture, int hp, int wp, int q, int chunks, int per, int total,
                               int each LAID_PARAMS)
{
    const int panels = (n + WIDE - 1) / WIDE, tiles = (m + ROWS - 1) / ROWS;
#ifdef IN_PLACE
    const int blocks = 1;
#else
    const int blocks = max(1, (k_all + KEEP - 1) / KEEP);
    T panel[KEEP * WIDE + RUN] __attribute__((aligned(64)));
#endif
#ifdef COPIES
    const axis taps = {R, S, hp * wp, wp, k_all / (R * S) * hp * wp};
    const axis pixels = {1, INT_MAX, 0, 0, 1};
#else
    const axis taps = {R, S, hp * wp, DILATION_H * wp, DILATION_W};
    const axis pixels = {INT_MAX / q, q, 0, STRIDE_H * wp, STRIDE_W};
#endif
#ifdef LAID
    __global const X_T *x = (__global const X_T *)(x_buffer + x_offset);
    T laid[ROOM] __attribute__((aligned(64)));
    int last_laid = -1;
#else
    __global const T *x = (__global const T *)(x_buffer + x_offset);
#endif
    const int stop = min((int)ITEM * each + each, total);
    T tile[TILES][ROWS * WIDE] __attribute__((aligned(64)));
#ifndef SPLIT
    MAP_POINTERS
#endif
    for (int id = (int)ITEM * each; id < stop; id++) {
        const int j0 = id % panels * WIDE, chunk = id / panels % chunks, outer = id / panels / chunks;
        const int g = outer % groups, first = outer / groups * length, n_images = min(length, images - first);
        const int last = min(chunk * per + per, tiles), steps = max(1, n_images * blocks);
        columns c;
        find_runs(&c, WEIGHT ? &taps : &pixels, j0, min(WIDE, n - j0));
#ifdef LAID
        if (outer != last_laid)
            lay_out(laid, x + (long)outer * picture, readable - (long)outer * picture, k_all / (R * S), h, w, hp, wp,
                    top, left);
        last_laid = outer;
        if (id + panels * chunks < stop) { /* the next picture, by the time it is laid out */
            const int share = (picture + panels * chunks - 1) / (panels * chunks);
            FETCH_ALL_NEAR(x + (outer + 1L) * picture + (id - outer * panels * chunks) * share, share)
        }
#endif
#ifdef IN_PLACE
        int from[VECTORS];
        for (int v = 0; v < VECTORS; v++) from[v] = place(&pixels, v * LANES < c.used ? j0 + v * LANES : j0);
#endif
        for (int group = chunk * per; group < last; group += TILES) {
            const int group_end = min(group + TILES, last);
            for (int step = 0; step < steps; step++) {
                const int image = first + step / blocks, k0 = step % blocks * KEEP;
                const int kn = n_images > 0 ? min(KEEP, k_all - k0) : 0;
                const long at = ((long)image * groups + g) * picture;
                __global const T *a = (__global const T *)(a_buffer + a_offset) +
                                      (WEIGHT ? (long)image * groups + g : g) * m * (long)k_all;
#ifndef IN_PLACE
                if (steps > 1 || group == chunk * per)
                    pack(panel, x + at, WEIGHT ? &pixels : &taps, k0, kn, &c, readable - at);
#endif
                for (int t = group; t < group_end; t++) {
                    T *out = tile[t - group];
#ifdef LAID
                    multiply_pixels(out, a, t * ROWS, m, k_all, laid, from, &taps);
#elif defined(IN_PLACE)
                    multiply_pixels(out, a, t * ROWS, m, k_all, x + at, from, &taps);
#else
                    const int i0 = t * ROWS;
                    tile_wide(out, WIDE, ROWS, WIDE, panel, a + (long)i0 * k_all + k0, k_all, m - 1 - i0, kn, step == 0);
#endif
                    if (step + 1 < steps) continue;
                    const int rows = min(ROWS, m - t * ROWS);
                    for (int r = 0; r < rows; r++) {
                        const long row = (long)outer * m + t * ROWS + r;
                        const T *product = out + r * WIDE - j0;
#ifdef SPLIT
                        __global T *to = (__global T *)(partial_buffer + partial_offset) + row * n;
                        for (int j = j0; j < j0 + c.used; j++) to[j] = product[j];
#else
                        MAP_ROW((IX)row, 0)
                        LOOP_ROW
                        for (IX j = j0; j < j0 + c.used; j++) {
                            MAP_VALUES(j)
                            MAP_STORE(j)
                        }
#endif
                    }
                }
            }
        }
    }
}
#endif
