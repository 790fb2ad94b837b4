/* pool.cl: pooling of pictures and its gradients. Each element of the result is computed by itself; on CPUs a work-item
 * has `per` rows of them, on GPUs one.
 *
 * Given: T, in which it is computed, and LOWEST, its least value; X_T, LOAD_X, DY_T, LOAD_DY, Y_T, STORE_Y: how pictures,
 * gradients and the result are stored; PLAIN, if as T; MAX or AVG, and GRAD; WINDOW_H, WINDOW_W, STRIDE_H, STRIDE_W, PAD_H, PAD_W;
 * INSIDE, if every window lies inside its picture; COUNT_PAD; PAIRS, on CPUs, for windows of 2 x 2 side by side; APART,
 * on CPUs, for the gradient of MAX, if no element of x is in two windows; CHANNELS, on GPUs, if channels come last, and
 * how many there are. Pictures x are h x w, pooled ones p x q. */
#ifdef CHANNELS
#define STEP CHANNELS /* from a channel's pixel to the next */
#else
#define STEP 1
#endif
typedef struct sizes {
    int h, w, p, q;
} sizes;

/* What an average divides by along a dimension of `size` elements, for a window that begins at `begin`. */
static inline int counted(int begin, int window, int size, int pad)
{
#ifdef COUNT_PAD
    return min(begin + window, size + pad) - begin;
#else
    return max(0, min(begin + window, size) - max(begin, 0));
#endif
}

#define OUTSIDE(at, size) ((at) < 0 || (at) >= (size))

/* The window of output (i, j), in which `body` sees x's row and column a, b. */
#ifdef INSIDE
#define WINDOW(i, j, n, body)                                                                                          \
    for (int r = 0; r < WINDOW_H; r++)                                                                                 \
        for (int s = 0; s < WINDOW_W; s++) {                                                                           \
            const int a = (i) * STRIDE_H + r, b = (j) * STRIDE_W + s;                                                  \
            body                                                                                                       \
        }
#else
#define WINDOW(i, j, n, body)                                                                                          \
    for (int r = 0; r < WINDOW_H; r++)                                                                                 \
        for (int s = 0; s < WINDOW_W; s++) {                                                                           \
            const int a = (i) * STRIDE_H - PAD_H + r, b = (j) * STRIDE_W - PAD_W + s;                                  \
            if (OUTSIDE(a, (n).h) || OUTSIDE(b, (n).w)) continue;                                                      \
            body                                                                                                       \
        }
#endif

/* Without branches: x, if it is larger or a NaN. */
#define LARGER(x, best) (((x) > (best)) | ((x) != (x)) ? (x) : (best))

#ifdef MAX
static inline T pooled(__global const X_T *x, sizes n, int i, int j)
{
    T best = LOWEST;
    WINDOW(i, j, n, { const T v = LOAD_X(x, (a * n.w + b) * STEP); best = LARGER(v, best); })
    return best;
}

/* The place of the first largest element of a window, or -1. */
static inline int largest(__global const X_T *x, sizes n, int i, int j)
{
    int at = -1;
    T best = 0;
    WINDOW(i, j, n, {
        const T v = LOAD_X(x, (a * n.w + b) * STEP);
        const int wins = at < 0 || v > best || (v != v && best == best);
        at = wins ? a * n.w + b : at;
        best = wins ? v : best;
    })
    return at;
}
#endif

#ifdef AVG
static inline T share(sizes n, int i, int j)
{
    return (T)max(1, counted(i * STRIDE_H - PAD_H, WINDOW_H, n.h, PAD_H) *
                         counted(j * STRIDE_W - PAD_W, WINDOW_W, n.w, PAD_W));
}

static inline T pooled(__global const X_T *x, sizes n, int i, int j)
{
    T sum = 0;
    WINDOW(i, j, n, { sum += LOAD_X(x, (a * n.w + b) * STEP); })
    return sum / share(n, i, j);
}
#endif

#ifdef GRAD
/* dx at (h, w): of each window that sees it, in order. */
static inline T spread(__global const X_T *x, __global const DY_T *dy, sizes n, int h, int w)
{
    const int i0 = max(0, (h + PAD_H - WINDOW_H + STRIDE_H) / STRIDE_H), i1 = min(n.p, (h + PAD_H) / STRIDE_H + 1);
    const int j0 = max(0, (w + PAD_W - WINDOW_W + STRIDE_W) / STRIDE_W), j1 = min(n.q, (w + PAD_W) / STRIDE_W + 1);
    T sum = 0;
    for (int i = i0; i < i1; i++)
        for (int j = j0; j < j1; j++) {
#ifdef MAX
            if (largest(x, n, i, j) == h * n.w + w) sum += LOAD_DY(dy, (i * n.q + j) * STEP);
#else
            sum += LOAD_DY(dy, (i * n.q + j) * STEP) / share(n, i, j);
#endif
        }
    return sum;
}
#define ROWS_OUT n.h
#define COLUMNS_OUT n.w
#define VALUE(plane, c, i, j)                                                                                          \
    spread(x + (plane) * n.h * n.w * STEP + (c), dy + (plane) * n.p * n.q * STEP + (c), n, i, j)
#else
#define ROWS_OUT n.p
#define COLUMNS_OUT n.q
#define VALUE(plane, c, i, j) pooled(x + (plane) * n.h * n.w * STEP + (c), n, i, j)
#endif

#ifdef PAIRS
/* Windows of 2 x 2 side by side, on CPUs: N of them in vector lanes, from the 2 N elements of two rows. */
#define CONCAT_(a, b) a##b
#define CONCAT(a, b)  CONCAT_(a, b)
#define VEC(n)        CONCAT(T, n)
#ifdef MAX
#define JOIN(a, b) select(a, b, ((b) > (a)) | ((b) != (b)))
#define SHARE
#else
#define JOIN(a, b) ((a) + (b))
#define SHARE      / 4
#endif
#define JOINED(upper, lower) (JOIN(JOIN(upper.even, upper.odd), JOIN(lower.even, lower.odd)) SHARE)

/* N elements. (No functions: step.c finds none that a macro makes.) */
#ifdef PLAIN
#define LOAD_LANES(N, v, LOAD, from) const VEC(N) v = CONCAT(vload, N)(0, from);
#define STORE_LANES(N, v, to)        CONCAT(vstore, N)(v, 0, to);
#else
#define LOAD_LANES(N, v, LOAD, from)                                                                                   \
    T CONCAT(v, _lane)[N];                                                                                             \
    LOOP_BY(N) for (int l = 0; l < N; l++) CONCAT(v, _lane)[l] = LOAD(from, l);                                        \
    const VEC(N) v = CONCAT(vload, N)(0, CONCAT(v, _lane));
#define STORE_LANES(N, v, to)                                                                                          \
    {                                                                                                                  \
        T lane[N];                                                                                                     \
        CONCAT(vstore, N)(v, 0, lane);                                                                                 \
        LOOP_BY(N) for (int l = 0; l < N; l++) STORE_Y(to, l, lane[l]);                                                \
    }
#endif

#define JOIN_PAIRS(N, N2)                                                                                              \
    for (; j + N <= n.q; j += N) {                                                                                     \
        LOAD_LANES(N2, upper, LOAD_X, x + 2 * j)                                                                       \
        LOAD_LANES(N2, lower, LOAD_X, x + 2 * j + n.w)                                                                 \
        STORE_LANES(N, JOINED(upper, lower), y + j)                                                                    \
    }

/* The first that is as large as the best, or is the NaN that won, gets g. */
#define WINS(a) (((a) == best) | ((a) != (a)))
#define SPREAD_PAIRS(N, N2)                                                                                            \
    for (; j + N <= n.q; j += N) {                                                                                     \
        const int at = top * n.w + 2 * j;                                                                              \
        LOAD_LANES(N2, upper, LOAD_X, x + at)                                                                          \
        LOAD_LANES(N2, lower, LOAD_X, x + at + n.w)                                                                    \
        LOAD_LANES(N, g, LOAD_DY, dy + i * n.q + j)                                                                    \
        const VEC(N) none = 0, best = JOINED(upper, lower);                                                            \
        const VEC(N) second = select(g, none, WINS(upper.even)), third = select(second, none, WINS(upper.odd));        \
        VEC(N2) up, low;                                                                                               \
        up.even = select(none, g, WINS(upper.even));                                                                   \
        up.odd = select(none, second, WINS(upper.odd));                                                                \
        low.even = select(none, third, WINS(lower.even));                                                              \
        low.odd = select(third, none, WINS(lower.even));                                                               \
        STORE_LANES(N2, up, dx + at)                                                                                   \
        STORE_LANES(N2, low, dx + at + n.w)                                                                            \
    }

#ifndef GRAD
/* The windows of a row, as far as they fill vectors; returns how many. */
static inline int join_row(__global const X_T *x, __global Y_T *y, sizes n)
{
    int j = 0;
    JOIN_PAIRS(8, 16)
    JOIN_PAIRS(4, 8)
    return j;
}
#endif
#endif

#ifdef APART
/* What row i of the windows has to do with dx: each element of a window gets dy or 0, and what no window sees 0. */
static inline void spread_row(__global const X_T *x, __global const DY_T *dy, __global Y_T *dx, sizes n, int i)
{
    const int top = i * STRIDE_H, bottom = i + 1 < n.p ? top + STRIDE_H : n.h;
    const int full = WINDOW_W == STRIDE_W && n.q * STRIDE_W == n.w ? WINDOW_H : 0;
    for (int e = (top + full) * n.w; e < bottom * n.w; e++) STORE_Y(dx, e, 0);
    int j = 0;
#ifdef PAIRS
    SPREAD_PAIRS(8, 16)
    SPREAD_PAIRS(4, 8)
#endif
    for (; j < n.q; j++) {
        int at = 0;
        T best = LOAD_X(x, top * n.w + j * STRIDE_W);
        for (int e = 1; e < WINDOW_H * WINDOW_W; e++) {
            const T v = LOAD_X(x, (top + e / WINDOW_W) * n.w + j * STRIDE_W + e % WINDOW_W);
            const int wins = (v > best) | ((v != v) & (best == best));
            at = wins ? e : at;
            best = wins ? v : best;
        }
        for (int e = 0; e < WINDOW_H * WINDOW_W; e++)
            STORE_Y(dx, (top + e / WINDOW_W) * n.w + j * STRIDE_W + e % WINDOW_W, at == e ? LOAD_DY(dy, i * n.q + j) : 0);
    }
}
#endif

/* `total` is the number of rows (APART: of windows) on CPUs, of elements on GPUs. */
__kernel void tn_pool(ITEM_PARAM
                      __global const X_T *x_buffer, ulong x_offset, __global const DY_T *dy_buffer, ulong dy_offset,
                      __global Y_T *y_buffer, ulong y_offset, int h, int w, int p, int q, int total, int per)
{
    const sizes n = {h, w, p, q};
    __global const X_T *x = x_buffer + x_offset;
    __global const DY_T *dy = dy_buffer + dy_offset;
    __global Y_T *y = y_buffer + y_offset;
#if defined(CPU_SHAPE)
    const int begin = (int)ITEM * per, end = min(begin + per, total);
#endif
#if defined(APART)
    for (int row = begin; row < end; row++) {
        const int plane = row / p;
        spread_row(x + plane * h * w, dy + plane * p * q, y + plane * h * w, n, row % p);
    }
#elif defined(CPU_SHAPE)
    for (int row = begin; row < end; row++) {
        const int plane = row / ROWS_OUT, i = row % ROWS_OUT;
        int j = 0;
#if defined(PAIRS) && !defined(GRAD)
        j = join_row(x + (plane * h + 2 * i) * w, y + row * q, n);
#endif
        LOOP
        for (; j < COLUMNS_OUT; j++) STORE_Y(y, row * COLUMNS_OUT + j, VALUE(plane, 0, i, j));
    }
#else
    const int e = (int)ITEM;
    if (e >= total) return;
    const int pixel = e / STEP, row = pixel / COLUMNS_OUT;
    STORE_Y(y, e, VALUE(row / ROWS_OUT, e % STEP, row % ROWS_OUT, pixel % COLUMNS_OUT));
#endif
}
