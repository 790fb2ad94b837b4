/* frame.c: a picture brought to a set's framing: see framing.h.
 *
 * It is done as MNIST's own pictures were made (Y. LeCun and others, http://yann.lecun.com/exdb/mnist): scaled with
 * their proportions to a box of 20 x 20 by averaging, and put into 28 x 28 by their centre of mass. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "error.h"
#include "ink.h"
#include "picture.h"
#include "stroke.h"

#define MOST_SIDE   1024 /* pixels; a larger picture is made smaller first: that shows digits well enough */
#define OUT_OF_LINE 1.25 /* more than the most, or less than the least, by that factor, is doubtful */
#define SMALL       2    /* so many times smaller than the set's ink too */

/* The ink at the set's size: its box is `height` x `width` and lies one pixel inside, where what is fainter than a
 * stroke's edge shows. */
typedef struct stamp {
    int64_t height, width;
    double step; /* pixels of the picture in one of the stamp's */
    float *above;
} stamp;

static stamp stamp_of(const tn_ink *ink, const tn_framing *f, int64_t height, int64_t width)
{
    double step =
        fmax((double)ink->height / (f->size * (double)height), (double)ink->width / (f->size * (double)width));
    double rows = fmax(1, round((double)ink->height / step)), columns = fmax(1, round((double)ink->width / step));
    return (stamp){2 + (int64_t)rows, 2 + (int64_t)columns, step, NULL};
}

/* Whether a pixel of the stamp or one beside it has ink: elsewhere there is only the paper's noise. */
static int inked(const tn_ink_map *map, double top, double left, double step)
{
    return tn_area_mean(map->taken, map->height, map->width, top - step, left - step, 3 * step) > 0;
}

static void press(const tn_ink_map *map, stamp *s)
{
    for (int64_t v = 0; v < s->height; v++)
        for (int64_t u = 0; u < s->width; u++) {
            double top = (double)map->found.top + (double)(v - 1) * s->step;
            double left = (double)map->found.left + (double)(u - 1) * s->step;
            double mean = inked(map, top, left, s->step)
                              ? tn_area_mean(map->above, map->height, map->width, top, left, s->step)
                              : 0;
            s->above[v * s->width + u] = (float)fmax(mean, 0);
        }
}

/* Puts the stamp where the set has its ink, on the set's paper, as strong as the set's. */
static void put(const stamp *s, const tn_framing *f, int64_t height, int64_t width, float *out)
{
    double x = 0.5, y = 0.5, strength = tn_ink_strength(s->above, s->height * s->width);
    if (f->by_mass) tn_ink_centre(s->above, s->height, s->width, &x, &y);
    int64_t left = (int64_t)lround(f->x * (double)width - x * (double)s->width);
    int64_t top = (int64_t)lround(f->y * (double)height - y * (double)s->height);
    for (int64_t v = 0; v < s->height; v++)
        for (int64_t u = 0; u < s->width; u++) {
            if (top + v < 0 || top + v >= height || left + u < 0 || left + u >= width) continue;
            double level = f->paper + (f->ink - f->paper) * s->above[v * s->width + u] / strength;
            out[(top + v) * width + left + u] = (float)fmin(fmax(level, 0), 255);
        }
}

/* What the set has more of, or less. */
static uint32_t doubts(const stamp *s, const tn_framing *f, int64_t count)
{
    double x, y, strength = tn_ink_strength(s->above, s->height * s->width);
    double share = tn_ink_centre(s->above, s->height, s->width, &x, &y) / strength / (double)count;
    uint32_t found = share * OUT_OF_LINE < f->least ? TN_DOUBT_LITTLE : 0;
    if (share > f->most * OUT_OF_LINE) found |= TN_DOUBT_MUCH;
    return s->step * SMALL < 1 ? found | TN_DOUBT_SMALL : found;
}

static tn_status frame(const tn_ink_map *map, const tn_framing *f, int64_t height, int64_t width, float *out,
                       uint32_t *found)
{
    stamp s = stamp_of(&map->found, f, height, width);
    s.above = tn_alloc((size_t)(s.height * s.width) * sizeof *s.above);
    if (!s.above) return TN_ENOMEM;
    press(map, &s);
    *found |= doubts(&s, f, height * width);
    tn_status status = tn_stroke_limit(s.above, s.height, s.width, f->thin, f->thick);
    for (int64_t i = 0; !status && i < height * width; i++) out[i] = (float)f->paper;
    if (!status) put(&s, f, height, width, out);
    tn_free(s.above);
    return status;
}

/* Finds the ink in the picture, made `factor` times smaller. */
static tn_status find_smaller(const float *level, int64_t height, int64_t width, int64_t factor, tn_ink_map *map)
{
    int64_t rows = (height + factor - 1) / factor, columns = (width + factor - 1) / factor;
    float *smaller = tn_alloc((size_t)(rows * columns) * sizeof *smaller);
    if (!smaller) return TN_ENOMEM;
    for (int64_t y = 0; y < rows; y++)
        for (int64_t x = 0; x < columns; x++)
            smaller[y * columns + x] =
                (float)tn_area_mean(level, height, width, (double)(y * factor), (double)(x * factor), (double)factor);
    tn_status status = tn_ink_find(smaller, rows, columns, map);
    tn_free(smaller);
    return status;
}

/* What was found, in the pixels of a picture that many times larger. */
static tn_ink enlarge(tn_ink ink, int64_t factor)
{
    ink.left *= factor;
    ink.top *= factor;
    ink.width *= factor;
    ink.height *= factor;
    return ink;
}

tn_status tn_picture_frame(const float *level, int64_t height, int64_t width, const tn_framing *framing,
                           const tn_shape *sample, float *out, tn_ink *ink)
{
    tn_ink_map map = {0};
    TN_TRY(tn_picture_check("framing", sample, 1));
    TN_REQUIRE(height > 0 && width > 0 && height <= INT32_MAX / width && framing->size > 0, TN_EINVAL,
               "a picture of %lld x %lld can't be framed to a size of %g", (long long)width, (long long)height,
               framing->size);
    int64_t factor = ((height > width ? height : width) + MOST_SIDE - 1) / MOST_SIDE;
    TN_TRY(factor > 1 ? find_smaller(level, height, width, factor, &map) : tn_ink_find(level, height, width, &map));
    int64_t rows = sample->dim[sample->rank - 2], columns = sample->dim[sample->rank - 1];
    tn_status status = TN_OK;
    if (map.found.doubts & TN_DOUBT_NO_INK)
        for (int64_t i = 0; i < rows * columns; i++) out[i] = (float)framing->paper;
    else
        status = frame(&map, framing, rows, columns, out, &map.found.doubts);
    if (!status && ink) *ink = enlarge(map.found, factor);
    tn_ink_free(&map);
    return status;
}

tn_status tn_picture_read_framed(const char *path, const tn_framing *framing, const tn_shape *sample, float *out,
                                 tn_ink *ink)
{
    tn_picture picture = {0};
    TN_TRY(tn_picture_check(path, sample, 1));
    TN_TRY(tn_picture_decode(path, 1, &picture));
    tn_status status = tn_picture_frame(picture.level, picture.height, picture.width, framing, sample, out, ink);
    tn_free(picture.level);
    return status;
}

const char *tn_ink_doubts(const tn_ink *ink, char *text, size_t capacity)
{
    static const struct {
        uint32_t doubt;
        const char *text;
    } all[] = {
        {TN_DOUBT_NO_INK, "no ink found"},
        {TN_DOUBT_PAPER, "no even paper at the border"},
        {TN_DOUBT_PIECES, "several separate things"},
        {TN_DOUBT_CUT, "ink cut off at the edge"},
        {TN_DOUBT_SMALL, "too small"},
        {TN_DOUBT_LITTLE, "less ink than any that was trained on"},
        {TN_DOUBT_MUCH, "more ink than any that was trained on"},
    };
    size_t used = 0;
    if (capacity) *text = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (!(ink->doubts & all[i].doubt) || used >= capacity) continue;
        int length = snprintf(text + used, capacity - used, "%s%s", used ? ", " : "", all[i].text);
        used += (size_t)length;
    }
    return text;
}
