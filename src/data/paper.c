/* paper.c: see paper.h. A plane is fitted to the border's levels, so that the paper may be lit from one side: by least
 * squares, leaving out what is far from it, as the ink that reaches the border (F. R. Hampel, "The influence curve and
 * its role in robust estimation", 1974: far is told by the median of the distances). */
#include "paper.h"

#include <math.h>
#include <stdlib.h>

#include "alloc.h"

#define SPOTS  4096 /* of the border, at most */
#define BORDER 32   /* its width is one so-manieth of the picture's shorter side */
#define NOISE  5    /* deviations of the paper that are still noise */
#define LEAST  12   /* levels that may be so at least */
#define TURNS  4    /* of fitting, and leaving out what is then far */

typedef struct spot {
    double x, y; /* -0.5..0.5 */
    float level;
} spot;

double tn_paper_at(const tn_paper *p, double x, double y)
{
    return p->level[0] + p->level[1] * x + p->level[2] * y;
}

/* Every `step`th pixel of the border, or only their number if `spots` is NULL. */
static int64_t border(const float *level, int64_t height, int64_t width, int64_t step, spot *spots)
{
    int64_t wide = (height < width ? height : width) / BORDER, n = 0;
    if (!wide) wide = 1;
    for (int64_t y = 0; y < height; y++)
        for (int64_t x = 0; x < width; x++) {
            int inside = y >= wide && y < height - wide;
            if (inside && x == wide && width - wide > wide) x = width - wide;
            if (spots && n % step == 0)
                spots[n / step] = (spot){((double)x + 0.5) / (double)width - 0.5,
                                         ((double)y + 0.5) / (double)height - 0.5, level[y * width + x]};
            n++;
        }
    return n;
}

static int by_size(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static double median(float *values, int64_t count)
{
    qsort(values, (size_t)count, sizeof *values, by_size);
    return values[count / 2];
}

/* The deviation of the border from the plane, by the median of the distances; `sizes` gets them, sorted. */
static double deviation(const tn_paper *p, const spot *s, int64_t count, float *sizes)
{
    for (int64_t i = 0; i < count; i++) sizes[i] = (float)fabs(s[i].level - tn_paper_at(p, s[i].x, s[i].y));
    return 1.4826 * median(sizes, count);
}

/* Solves a symmetric system of three equations by elimination, if they are independent. */
static int solve(double a[3][4], double x[3])
{
    for (int i = 0; i < 3; i++) {
        if (a[i][i] < 1e-6) return 0;
        for (int r = 0; r < 3; r++) {
            double factor = r == i ? 0 : a[r][i] / a[i][i];
            for (int c = i; c < 4; c++) a[r][c] -= factor * a[i][c];
        }
    }
    for (int i = 0; i < 3; i++) x[i] = a[i][3] / a[i][i];
    return 1;
}

/* Moves the plane to the least squares of the spots that are within `far` levels of it. */
static void refine(tn_paper *p, const spot *s, int64_t count, double far)
{
    double a[3][4] = {{0}};
    for (int64_t i = 0; i < count; i++) {
        const double of[3] = {1, s[i].x, s[i].y};
        if (fabs(s[i].level - tn_paper_at(p, s[i].x, s[i].y)) > far) continue;
        for (int r = 0; r < 3; r++) {
            for (int c = 0; c < 3; c++) a[r][c] += of[r] * of[c];
            a[r][3] += of[r] * s[i].level;
        }
    }
    solve(a, p->level);
}

/* The share of the sorted sizes that are larger. */
static double share_above(const float *sizes, int64_t count, double size)
{
    int64_t n = 0;
    while (n < count && sizes[count - 1 - n] > size) n++;
    return (double)n / (double)count;
}

static void fit(const spot *spots, int64_t count, float *sizes, tn_paper *p)
{
    for (int64_t i = 0; i < count; i++) sizes[i] = spots[i].level;
    *p = (tn_paper){.level = {median(sizes, count)}};
    for (int turn = 0; turn < TURNS; turn++)
        refine(p, spots, count, fmax(3 * deviation(p, spots, count, sizes), LEAST));
    p->clear = fmax(NOISE * deviation(p, spots, count, sizes), LEAST);
    p->uneven = share_above(sizes, count, p->clear);
}

tn_status tn_paper_fit(const float *level, int64_t height, int64_t width, tn_paper *paper)
{
    int64_t all = border(level, height, width, 1, NULL), step = (all + SPOTS - 1) / SPOTS, count = (all - 1) / step + 1;
    spot *spots = tn_alloc((size_t)count * sizeof *spots);
    float *sizes = tn_alloc((size_t)count * sizeof *sizes);
    if (spots && sizes) {
        border(level, height, width, step, spots);
        fit(spots, count, sizes, paper);
    }
    tn_free(spots);
    tn_free(sizes);
    return spots && sizes ? TN_OK : TN_ENOMEM;
}
