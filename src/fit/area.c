/* area.c: see area.h. By ranks: a pair of a sample that is it and one that is not counts as 1 if the first has the
 * larger score, as 1/2 if they have the same, and as often as the product of their weights says. */
#include "area.h"

#include <math.h>
#include <stdlib.h>

#include "alloc.h"

typedef struct scored {
    double score, is, is_not; /* weights */
} scored;

static int by_score(const void *a, const void *b)
{
    const double x = ((const scored *)a)->score, y = ((const scored *)b)->score;
    return (x > y) - (x < y);
}

static double area_of(scored *s, int64_t count)
{
    double is = 0, below = 0, pairs = 0;
    qsort(s, (size_t)count, sizeof *s, by_score);
    for (int64_t i = 0; i < count;) {
        const double score = s[i].score;
        double here = 0, not_here = 0;
        for (; i < count && s[i].score == score; i++) here += s[i].is, not_here += s[i].is_not;
        pairs += here * (below + not_here / 2);
        is += here;
        below += not_here;
    }
    return is > 0 && below > 0 ? pairs / (is * below) : NAN;
}

/* Scores of one target, or of two classes; 0 if one is NaN. */
static int gather(const tn_measured_samples *s, int64_t column, scored *to)
{
    const int classes = s->kind == TN_OF_CLASSES;
    for (int64_t i = 0; i < s->count; i++) {
        const float *output = s->output + i * s->parts;
        const int is = classes ? s->label[i] == 1 : s->target[i * s->parts + column] > 0.5f;
        const double weight = s->weight ? (double)s->weight[i] : 1;
        const double score = classes ? (double)output[1] - (double)output[0] : (double)output[column];
        if (isnan(score)) return 0;
        to[i] = (scored){score, is ? weight : 0, is ? 0 : weight};
    }
    return 1;
}

tn_status tn_area_of(const tn_measured_samples *s, double *area)
{
    const int64_t columns = s->kind == TN_OF_MARKS ? s->parts : s->kind == TN_OF_CLASSES && s->parts == 2;
    double sum = 0;
    int64_t known = 0;
    *area = NAN;
    if (!columns) return TN_OK;
    scored *scores = tn_alloc((size_t)s->count * sizeof *scores);
    if (!scores) return TN_ENOMEM;
    for (int64_t k = 0; k < columns; k++) {
        const double one = gather(s, k, scores) ? area_of(scores, s->count) : NAN;
        if (isnan(one)) continue;
        sum += one;
        known++;
    }
    tn_free(scores);
    if (known) *area = sum / (double)known;
    return TN_OK;
}
