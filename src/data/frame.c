/* frame.c: a picture brought to a set's framing: see framing.h.
 *
 * It is done as MNIST's own pictures were made (Y. LeCun and others, http://yann.lecun.com/exdb/mnist): scaled with
 * their proportions to a box of 20 x 20 by averaging, and put into 28 x 28 by their centre of mass. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "error.h"
#include "given.h"
#include "ink.h"
#include "picture.h"
#include "stroke.h"

#define MOST_SIDE   1024 /* pixels; a larger picture is made smaller first: that shows digits well enough */
#define OUT_OF_LINE 1.25 /* more than the most, or less than the least, by that factor, is doubtful */
#define SAME_SIZE   0.05 /* shares of a picture, and levels, by which one that is framed already may differ */
#define SAME_PLACE  0.03
#define SAME_LEVEL  60
#define SHEET       0.9 /* share of its outline that a sheet of paper has at least, in a picture of more than paper */
#define MARGIN      32  /* of a sheet: one so-manieth of it, all round */
#define SMALL       2   /* so many times smaller than the set's ink too */

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

/* Whether a picture of the samples' own size is framed as they are: then it is taken as it is. */
static int is_framed(const tn_ink_map *map, const tn_framing *f)
{
    const tn_ink *i = &map->found;
    double wide = (double)i->width / (double)map->width, tall = (double)i->height / (double)map->height;
    double x = (double)i->left / (double)map->width + wide / 2, y = (double)i->top / (double)map->height + tall / 2;
    if (f->by_mass) tn_ink_centre(map->above, map->height, map->width, &x, &y);
    return fabs(fmax(wide, tall) - f->size) < SAME_SIZE && fabs(x - f->x) < SAME_PLACE && fabs(y - f->y) < SAME_PLACE &&
           fabs(i->paper - f->paper) < SAME_LEVEL && fabs(i->ink - f->ink) < SAME_LEVEL;
}

/* ---- looking ---- */

/* A part of the picture, made `factor` times smaller. */
typedef struct view {
    int64_t left, top, factor; /* in the picture's pixels */
    int64_t height, width;
    float *level;
} view;

/* Of a plane, what lies from (left, top) on: `height` x `width` of its pixels. */
static tn_status view_of(const float *level, int64_t stride, int64_t height, int64_t width, view *v)
{
    int64_t rows = (height + v->factor - 1) / v->factor, columns = (width + v->factor - 1) / v->factor;
    double step = (double)v->factor;
    v->level = tn_alloc((size_t)(rows * columns) * sizeof *v->level);
    if (!v->level) return TN_ENOMEM;
    for (int64_t y = 0; y < rows; y++)
        for (int64_t x = 0; x < columns; x++)
            v->level[y * columns + x] =
                (float)tn_area_mean(level, v->top + height, stride, (double)v->top + (double)y * step,
                                    (double)v->left + (double)x * step, step);
    v->height = rows;
    v->width = columns;
    return TN_OK;
}

/* Whether what was taken for ink is a sheet of paper on something else: most of the picture, and straight all round. */
static int is_sheet(const tn_ink_map *map)
{
    const tn_ink *f = &map->found;
    double outline = 0, full = 0;
    if (2 * f->width <= map->width || 2 * f->height <= map->height) return 0;
    for (int64_t y = f->top; y < f->top + f->height; y++)
        for (int64_t x = f->left; x < f->left + f->width; x++) {
            if (y > f->top && y < f->top + f->height - 1 && x > f->left && x < f->left + f->width - 1) continue;
            outline++;
            full += map->taken[y * map->width + x];
        }
    return full >= SHEET * outline;
}

/* The ink on the sheet in the place of the sheet, if there is some. */
static tn_status look_closer(view *v, tn_ink_map *map)
{
    const tn_ink *f = &map->found;
    int64_t margin = 1 + (f->width < f->height ? f->width : f->height) / MARGIN;
    view sheet = {f->left + margin, f->top + margin, 1, 0, 0, NULL};
    tn_ink_map closer = {0};
    if (f->width <= 2 * margin || f->height <= 2 * margin) return TN_OK;
    tn_status status = view_of(v->level, v->width, f->height - 2 * margin, f->width - 2 * margin, &sheet);
    if (!status) status = tn_ink_find(sheet.level, sheet.height, sheet.width, &closer);
    tn_free(sheet.level);
    if (status || closer.found.doubts & TN_DOUBT_NO_INK) {
        tn_ink_free(&closer);
        return status;
    }
    tn_ink_free(map);
    *map = closer;
    v->left += sheet.left * v->factor;
    v->top += sheet.top * v->factor;
    return TN_OK;
}

/* What was found, in the picture's pixels. */
static tn_ink in_picture(tn_ink ink, const view *v)
{
    ink.left = v->left + ink.left * v->factor;
    ink.top = v->top + ink.top * v->factor;
    ink.width *= v->factor;
    ink.height *= v->factor;
    return ink;
}

static tn_status look(const float *level, int64_t height, int64_t width, tn_ink_map *map, view *v)
{
    *v = (view){.factor = ((height > width ? height : width) + MOST_SIDE - 1) / MOST_SIDE};
    tn_status status = view_of(level, width, height, width, v);
    if (!status) status = tn_ink_find(v->level, v->height, v->width, map);
    if (!status && is_sheet(map)) status = look_closer(v, map);
    tn_free(v->level);
    return status;
}

tn_status tn_image_frame(const float *level, int64_t height, int64_t width, const tn_framing *framing,
                         const tn_shape *sample, float *out, tn_ink *ink)
{
    TN_GIVEN(level, framing, sample, out);
    tn_ink_map map = {0};
    view v;
    TN_TRY(tn_picture_check("framing", sample, 1));
    TN_REQUIRE(height > 0 && width > 0 && height <= INT32_MAX / width && framing->size > 0, TN_EINVAL,
               "a picture of %lld x %lld can't be framed to a size of %g", (long long)width, (long long)height,
               framing->size);
    int64_t rows = sample->dim[sample->rank - 2], columns = sample->dim[sample->rank - 1];
    int same = height == rows && width == columns;
    tn_status status = look(level, height, width, &map, &v);
    if (!status && map.found.doubts & TN_DOUBT_NO_INK)
        for (int64_t i = 0; i < rows * columns; i++) out[i] = (float)framing->paper;
    else if (!status && same && is_framed(&map, framing))
        memcpy(out, level, (size_t)(rows * columns) * sizeof *out);
    else if (!status)
        status = frame(&map, framing, rows, columns, out, &map.found.doubts);
    if (!status && ink) *ink = in_picture(map.found, &v);
    tn_ink_free(&map);
    return status;
}

tn_status tn_image_read_framed(const char *path, const tn_framing *framing, const tn_shape *sample, float *out,
                               tn_ink *ink)
{
    TN_GIVEN(path, framing, sample, out);
    tn_picture picture = {0};
    TN_TRY(tn_picture_check(path, sample, 1));
    TN_TRY(tn_picture_decode(path, 1, &picture));
    tn_status status = tn_image_frame(picture.level, picture.height, picture.width, framing, sample, out, ink);
    tn_free(picture.level);
    return status;
}

const char *tn_ink_doubts(const tn_ink *ink, char *text, size_t capacity)
{
    if (!ink || !text) return text;
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
