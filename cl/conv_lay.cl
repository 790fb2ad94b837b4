/* conv_lay.cl: pictures with the zeros around them, laid out by the work-item of a CPU that multiplies them, where its
 * caches have them. With COPIES there is one of them for each column of the window, rows of which have just the pixels
 * that the column meets: then all pixels of a channel at a tap lie together, whatever the stride along a row. Rows are
 * apart by where they stand in a step of the window.
 *
 * Given: as for conv_cpu.cl, where X_T may be any type. */
#ifdef COPIES
#define TIMES        S
#define STEP         STRIDE_W
#define PHASES       STRIDE_H
#define COLUMN(copy) ((copy) * DILATION_W)
#else
#define TIMES        1
#define STEP         1
#define PHASES       1
#define COLUMN(copy) 0
#endif

typedef struct __attribute__((packed)) strip {
    CONCAT(T, RUN) v;
} strip;

/* to[0 ..] = from[0 ..], STEP apart, `count` of them; with `wide` in whole runs, which may reach beyond. */
static inline void lay_row(T *to, __global const X_T *from, int count, int wide)
{
    int i = 0;
#if defined(X_PLAIN) && STEP <= 2
    if (wide)
        for (; i < count; i += RUN) {
            const CONCAT(T, RUN) v = ((__global const strip *)(from + i * STEP))->v;
#if STEP == 2
            const CONCAT(T, RUN) more = ((__global const strip *)(from + i * STEP + RUN))->v;
            ((strip *)(to + i))->v = (CONCAT(T, RUN))(v.even, more.even);
#else
            ((strip *)(to + i))->v = v;
#endif
        }
#endif
    for (; i < count; i++) to[i] = LOAD_X(from, i * STEP);
}

/* One copy of a channel h x w, whose column `shift` goes to column 0: hp rows of wp. Reading at from + `readable` or
 * beyond would leave the memory. */
static inline void lay_plane(T *to, __global const X_T *from, long readable, int h, int w, int hp, int wp, int top,
                             int shift)
{
    const int begin = shift < 0 ? min(wp, (STEP - 1 - shift) / STEP) : 0;
    const int end = shift < w ? max(begin, min(wp, (w - 1 - shift) / STEP + 1)) : begin;
    const int u0 = max(0, top), u1 = min(hp, h + top), count = end - begin;
    const int together = PHASES == 1 && STEP == 1 && w == wp && u0 < u1 && count; /* rows follow each other in both */
    if (together) {
        const int at = (u0 - top) * w + begin + shift, all = (u1 - u0 - 1) * w + count;
        lay_row(to + u0 * wp + begin, from + at, all, at + all + RUN <= readable);
    }
    for (int phase = 0; phase < PHASES; phase++)
        for (int row = 0; row < hp / PHASES; row++, to += wp) {
            const int u = row * PHASES + phase, is_inside = u0 <= u && u < u1 && count;
            const int at = (u - top) * w + begin * STEP + shift;
            if (is_inside && !together) lay_row(to + begin, from + at, count, at + (count + RUN) * STEP <= readable);
            for (int j = 0; j < (is_inside ? begin : wp); j++) to[j] = 0;
            for (int j = is_inside ? end : wp; j < wp; j++) to[j] = 0;
        }
}

/* All channels of a picture, and all copies of them. */
static inline void lay_out(T *to, __global const X_T *from, long readable, int channels, int h, int w, int hp, int wp,
                           int top, int left)
{
    for (int copy = 0; copy < TIMES; copy++)
        for (int c = 0; c < channels; c++, to += hp * wp)
            lay_plane(to, from + c * h * w, readable - c * h * w, h, w, hp, wp, top, COLUMN(copy) - left);
}
