/* framing.c: how a set's pictures are framed: measured by what ink.c finds in each, and as text. See framing.h. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "error.h"
#include "given.h"
#include "ink.h"
#include "stroke.h"
#include "tenon/stats.h"

#define MOST_SAMPLES  1000 /* that are measured */
#define LEAST_SAMPLES 100  /* of large pictures, which take longer: so many at least, or all */
#define PIXELS        (1 << 23)

/* What a set must be for its pictures to count as framed alike. Noise, and photos, are it in nothing. */
#define CLEAR        0.9  /* share of them that are one thing on even paper, on the same side of it */
#define MOST_SIZE    0.97 /* of a picture: there is a margin */
#define SIZE_SPREAD  0.35 /* of the sizes, from the 10th to the 90th percentile, to their median */
#define PLACE_SPREAD 0.1  /* deviation of the place */

/* ---- measuring ---- */

enum { SIZE, BOX_X, BOX_Y, MASS_X, MASS_Y, PAPER, INK, SHARE, STROKE, FACTS };

/* Facts of one sample: NaN unless it is one thing on even paper. */
static tn_status measure_one(const uint8_t *pixel, int64_t height, int64_t width, float *level, float *fact)
{
    tn_ink_map map = {0};
    double x, y;
    int64_t count = height * width;
    for (int64_t i = 0; i < count; i++) level[i] = pixel[i];
    TN_TRY(tn_ink_find(level, height, width, &map));
    const tn_ink *f = &map.found;
    for (int64_t i = 0; i < count; i++) map.above[i] *= map.taken[i];
    double sum = tn_ink_centre(map.above, height, width, &x, &y);
    double strength = fabs(f->ink - f->paper);
    double wide = (double)f->width / (double)width, tall = (double)f->height / (double)height;
    const float facts[FACTS] = {[SIZE] = (float)fmax(wide, tall),
                                [BOX_X] = (float)((double)f->left / (double)width + wide / 2),
                                [BOX_Y] = (float)((double)f->top / (double)height + tall / 2),
                                [MASS_X] = (float)x,
                                [MASS_Y] = (float)y,
                                [PAPER] = (float)f->paper,
                                [INK] = (float)f->ink,
                                [SHARE] = (float)(sum / strength / (double)count),
                                [STROKE] = (float)tn_stroke_width(map.above, height, width, strength)};
    int clear = !(f->doubts & (TN_DOUBT_NO_INK | TN_DOUBT_PAPER | TN_DOUBT_PIECES));
    for (int i = 0; i < FACTS; i++) fact[i] = clear ? facts[i] : NAN;
    tn_ink_free(&map);
    return TN_OK;
}

typedef struct table {
    float *fact;
    int64_t count;
} table;

static tn_column column(table t, int fact)
{
    return (tn_column){t.fact + fact, t.count, FACTS};
}

static double spread(table t, int fact)
{
    return tn_stat_percentile(column(t, fact), 90) - tn_stat_percentile(column(t, fact), 10);
}

static double variance(table t, int x)
{
    return tn_stat_variance(column(t, x), 0) + tn_stat_variance(column(t, x + 1), 0);
}

/* Nearly all of them to the same side of the paper. */
static int one_polarity(table t)
{
    int64_t lighter = 0, there = tn_stat_count(column(t, INK));
    for (int64_t i = 0; i < t.count; i++) lighter += t.fact[i * FACTS + INK] > t.fact[i * FACTS + PAPER];
    return (double)lighter >= CLEAR * (double)there || (double)lighter <= (1 - CLEAR) * (double)there;
}

static void conclude(table t, tn_framing *f)
{
    int64_t there = tn_stat_count(column(t, SIZE));
    *f = (tn_framing){.by_mass = variance(t, MASS_X) < variance(t, BOX_X)};
    if (!there) return;
    int centre = f->by_mass ? MASS_X : BOX_X;
    f->x = tn_stat_median(column(t, centre));
    f->y = tn_stat_median(column(t, centre + 1));
    f->size = tn_stat_median(column(t, SIZE));
    f->paper = tn_stat_median(column(t, PAPER));
    f->ink = tn_stat_median(column(t, INK));
    f->least = tn_stat_percentile(column(t, SHARE), 1);
    f->most = tn_stat_percentile(column(t, SHARE), 99);
    f->thin = tn_stat_percentile(column(t, STROKE), 10);
    f->thick = tn_stat_percentile(column(t, STROKE), 90);
    f->framed = (double)there >= CLEAR * (double)t.count && one_polarity(t) && f->size <= MOST_SIZE &&
                spread(t, SIZE) <= SIZE_SPREAD * f->size && variance(t, centre) <= 2 * PLACE_SPREAD * PLACE_SPREAD;
}

/* How many of them are measured. */
static int64_t samples_of(int64_t count, int64_t pixels)
{
    int64_t enough = PIXELS / pixels;
    if (enough < LEAST_SAMPLES) enough = LEAST_SAMPLES;
    if (enough > MOST_SAMPLES) enough = MOST_SAMPLES;
    return count < enough ? count : enough;
}

static tn_status measure(const tn_dataset *data, tn_framing *framing)
{
    int64_t height = data->sample.dim[data->sample.rank - 2], width = data->sample.dim[data->sample.rank - 1];
    table t = {.count = samples_of(data->count, height * width)};
    t.fact = tn_alloc((size_t)t.count * FACTS * sizeof *t.fact);
    float *level = tn_alloc((size_t)(height * width) * sizeof *level);
    uint8_t *pixel = tn_alloc((size_t)(height * width));
    tn_status status = t.fact && level && pixel ? TN_OK : TN_ENOMEM;
    for (int64_t i = 0; !status && i < t.count; i++) {
        status = tn_dataset_sample(data, i * data->count / t.count, pixel, NULL);
        if (!status) status = measure_one(pixel, height, width, level, t.fact + i * FACTS);
    }
    if (!status) conclude(t, framing);
    tn_free(t.fact);
    tn_free(level);
    tn_free(pixel);
    return status;
}

tn_status tn_framing_measure(const tn_dataset *data, tn_framing *framing)
{
    TN_GIVEN(data, framing);
    const tn_shape *s = &data->sample;
    int grey = data->x_dtype == TN_U8 && (s->rank == 2 || (s->rank == 3 && s->dim[0] == 1));
    if (grey && data->count > 0) return measure(data, framing);
    *framing = (tn_framing){0};
    return TN_OK;
}

/* ---- as text: whole numbers, so that no locale's comma gets in ---- */

static int thousandths(double x)
{
    return (int)lround(1000 * x);
}

void tn_framing_text(const tn_framing *f, char text[TN_FRAMING_TEXT])
{
    if (!f || !text) return;
    snprintf(text, TN_FRAMING_TEXT, "%s %s %d %d size %d levels %d %d ink %d %d stroke %d %d",
             f->framed ? "framed" : "free", f->by_mass ? "mass" : "box", thousandths(f->x), thousandths(f->y),
             thousandths(f->size), (int)lround(f->paper), (int)lround(f->ink), thousandths(f->least),
             thousandths(f->most), thousandths(f->thin), thousandths(f->thick));
}

tn_status tn_framing_parse(const char *text, tn_framing *framing)
{
    TN_GIVEN(text, framing);
    char kind[8], centre[8];
    int x, y, size, paper, ink, least, most, thin, thick, used = 0;
    int read = sscanf(text, "%7s %7s %4d %4d size %4d levels %4d %4d ink %4d %4d stroke %9d %9d%n", kind, centre, &x,
                      &y, &size, &paper, &ink, &least, &most, &thin, &thick, &used);
    int framed = read == 11 && !strcmp(kind, "framed"), by_mass = read == 11 && !strcmp(centre, "mass");
    TN_REQUIRE(read == 11 && !text[used] && (framed || !strcmp(kind, "free")) && (by_mass || !strcmp(centre, "box")) &&
                   x >= 0 && x <= 1000 && y >= 0 && y <= 1000 && size >= framed && size <= 1000 && least >= 0 &&
                   most >= least && thin >= 0 && thick >= thin && paper >= 0 && ink >= 0 && (paper != ink || !framed),
               TN_EFORMAT, "'%s' does not say how pictures are framed", text);
    *framing = (tn_framing){framed, by_mass,     x / 1e3,    y / 1e3,    size / 1e3, paper,
                            ink,    least / 1e3, most / 1e3, thin / 1e3, thick / 1e3};
    return TN_OK;
}
