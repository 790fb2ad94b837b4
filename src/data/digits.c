/* digits.c: handwritten-like digits, drawn. A digit is a few strokes through given points; each sample bends, slants,
 * turns, scales and shifts them, chooses a pen, and draws the strokes by the distance from each pixel to the nearest
 * one. Only additions, multiplications, divisions and square roots are used, so that a seed means the same pictures
 * on every machine. Sample number i needs nothing of the samples before it. */
#include <math.h>
#include <string.h>

#include "alloc.h"
#include "chance.h"
#include "digits.h"
#include "error.h"
#include "given.h"
#include "tenon/data.h"

#define SIDE        TN_DIGIT_SIDE
#define PIXELS      (SIDE * SIDE)
#define MOST_POINTS 12
#define STEPS       6 /* straight pieces between two points of a stroke */
#define STREAM      0xD161F5u

/* Points from (0, 0), top left, to (100, 100); the curve passes through all, and has a corner at a point given twice.
 * No point is (0, 0): that ends the list. */
typedef struct stroke {
    uint8_t point[MOST_POINTS][2];
} stroke;

typedef struct glyph {
    int digit;
    stroke stroke[3];
} glyph;

#define S(...)                                                                                                         \
    {                                                                                                                  \
        {                                                                                                              \
            __VA_ARGS__                                                                                                \
        }                                                                                                              \
    }
/* clang-format off */
static const glyph glyphs[] = {
    {0, {S({50, 5}, {24, 18}, {12, 50}, {24, 84}, {50, 95}, {77, 83}, {88, 50}, {77, 18}, {52, 5})}},
    {0, {S({62, 8}, {36, 9}, {20, 34}, {18, 66}, {36, 94}, {64, 90}, {80, 62}, {76, 28}, {50, 8}, {40, 14})}},
    {1, {S({52, 4}, {50, 50}, {48, 96})}},
    {1, {S({28, 26}, {42, 16}, {54, 4}, {54, 4}, {52, 50}, {51, 96})}},
    {1, {S({30, 24}, {52, 5}, {52, 5}, {51, 94}), S({26, 95}, {76, 94})}},
    {2, {S({14, 28}, {28, 9}, {54, 4}, {78, 18}, {74, 46}, {46, 72}, {12, 93}, {12, 93}, {50, 92}, {90, 91})}},
    {2, {S({18, 20}, {42, 5}, {70, 14}, {72, 40}, {50, 70}, {26, 92}, {12, 84}, {26, 72}, {54, 84}, {74, 94}, {92, 86})}},
    {3, {S({16, 13}, {44, 3}, {74, 13}, {72, 36}, {42, 48}, {42, 48}, {74, 57}, {83, 77}, {62, 94}, {34, 96}, {12, 84})}},
    {3, {S({16, 7}, {50, 7}, {82, 7}, {82, 7}, {44, 42}, {44, 42}, {74, 53}, {82, 76}, {60, 95}, {32, 95}, {12, 84})}},
    {4, {S({60, 4}, {38, 34}, {10, 66}, {10, 66}, {50, 65}, {92, 63}), S({70, 34}, {68, 66}, {66, 97})}},
    {4, {S({24, 6}, {18, 32}, {20, 54}, {44, 58}, {80, 50}), S({80, 5}, {76, 50}, {70, 96})}},
    {4, {S({70, 97}, {71, 50}, {72, 4}, {72, 4}, {40, 36}, {9, 68}, {9, 68}, {50, 69}, {93, 67})}},
    {5, {S({83, 7}, {56, 7}, {29, 8}, {29, 8}, {22, 44}, {22, 44}, {52, 37}, {82, 54}, {80, 82}, {50, 97}, {14, 86})}},
    {5, {S({30, 9}, {26, 28}, {23, 46}, {23, 46}, {54, 42}, {80, 60}, {74, 88}, {44, 97}, {16, 90}), S({30, 9}, {86, 6})}},
    {6, {S({72, 5}, {40, 24}, {18, 60}, {28, 91}, {58, 96}, {81, 78}, {70, 56}, {42, 54}, {20, 72})}},
    {6, {S({52, 4}, {30, 36}, {18, 72}, {36, 96}, {66, 92}, {78, 72}, {62, 57}, {38, 62}, {22, 80})}},
    {7, {S({12, 9}, {50, 8}, {87, 8}, {87, 8}, {60, 46}, {40, 96})}},
    {7, {S({13, 8}, {50, 9}, {84, 7}, {84, 7}, {58, 48}, {44, 97}), S({32, 52}, {54, 51}, {76, 50})}},
    {7, {S({14, 26}, {16, 9}, {16, 9}, {50, 10}, {86, 8}, {86, 8}, {62, 40}, {52, 70}, {48, 97})}},
    {8, {S({78, 17}, {50, 4}, {23, 20}, {40, 43}, {70, 60}, {80, 81}, {50, 97}, {21, 82}, {30, 60}, {60, 43}, {79, 22}, {72, 12})}},
    {8, {S({50, 46}, {26, 36}, {28, 12}, {52, 4}, {74, 14}, {74, 36}, {50, 46}),
         S({50, 46}, {22, 60}, {20, 84}, {50, 97}, {80, 84}, {78, 60}, {50, 46})}},
    {9, {S({80, 24}, {56, 5}, {26, 16}, {20, 40}, {46, 54}, {74, 40}, {81, 20}, {81, 20}, {78, 58}, {66, 97})}},
    {9, {S({78, 20}, {52, 4}, {24, 18}, {24, 42}, {52, 51}, {76, 36}, {80, 18}, {80, 18}, {80, 60}, {64, 90}, {32, 95})}},
    {9, {S({76, 22}, {52, 5}, {26, 22}, {32, 46}, {60, 46}, {78, 22}, {78, 22}, {74, 60}, {72, 97})}},
};
/* clang-format on */
#define GLYPHS ((int)(sizeof glyphs / sizeof *glyphs))

/* ---- the hand ---- */

/* From a glyph's points to pixels. */
typedef struct hand {
    float xx, xy, yx, yy; /* scale, slant and turn */
    float x, y;           /* where the middle comes to lie */
    float bend;           /* how much a vertical line curves */
    float wobble;         /* how far each point goes astray, in points */
} hand;

static hand new_hand(tn_chance *c)
{
    float width = tn_chance_between(c, 0.12f, 0.21f), height = tn_chance_between(c, 0.165f, 0.225f);
    float slant = tn_chance_bell(c, 0.17f) - 0.08f, half = tn_chance_bell(c, 0.065f); /* half: tan(angle / 2) */
    float cosine = (1 - half * half) / (1 + half * half), sine = 2 * half / (1 + half * half);
    hand h = {.xx = cosine * width,
              .xy = cosine * slant * height - sine * height,
              .yx = sine * width,
              .yy = sine * slant * height + cosine * height};
    h.x = SIDE / 2.0f + tn_chance_bell(c, 1.4f);
    h.y = SIDE / 2.0f + tn_chance_bell(c, 1.4f);
    h.bend = tn_chance_bell(c, 0.0016f);
    h.wobble = tn_chance_between(c, 1.0f, 4.5f);
    return h;
}

typedef struct point {
    float x, y;
} point;

static point place(const hand *h, const uint8_t at[2], tn_chance *c)
{
    float x = (float)at[0] - 50 + tn_chance_bell(c, h->wobble), y = (float)at[1] - 50 + tn_chance_bell(c, h->wobble);
    x += h->bend * y * y;
    return (point){h->x + h->xx * x + h->xy * y, h->y + h->yx * x + h->yy * y};
}

/* ---- the pen ---- */

/* near[i]: the squared distance from the middle of pixel i to the nearest stroke. */
typedef struct sheet {
    float near[PIXELS];
    float reach; /* farther than that nothing shows */
} sheet;

static int clamp(float value)
{
    return value < 0 ? 0 : value > SIDE ? SIDE : (int)value;
}

static void line(sheet *s, point a, point b)
{
    float dx = b.x - a.x, dy = b.y - a.y, scale = 1 / (dx * dx + dy * dy + 1e-9f), reach = s->reach;
    int left = clamp((a.x < b.x ? a.x : b.x) - reach), right = clamp((a.x < b.x ? b.x : a.x) + reach + 1);
    int top = clamp((a.y < b.y ? a.y : b.y) - reach), bottom = clamp((a.y < b.y ? b.y : a.y) + reach + 1);
    for (int y = top; y < bottom; y++)
        for (int x = left; x < right; x++) {
            float px = (float)x + 0.5f - a.x, py = (float)y + 0.5f - a.y;
            float along = (px * dx + py * dy) * scale;
            along = along < 0 ? 0 : along > 1 ? 1 : along;
            px -= along * dx;
            py -= along * dy;
            float distance2 = px * px + py * py, *near = s->near + y * SIDE + x;
            if (distance2 < *near) *near = distance2;
        }
}

/* Catmull and Rom's curve from b to c. */
static float curve(float a, float b, float c, float d, float t)
{
    return b + 0.5f * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));
}

static void span(sheet *s, const point p[4])
{
    point from = p[1];
    for (int step = 1; step <= STEPS; step++) {
        float t = (float)step / STEPS;
        point to = {curve(p[0].x, p[1].x, p[2].x, p[3].x, t), curve(p[0].y, p[1].y, p[2].y, p[3].y, t)};
        line(s, from, to);
        from = to;
    }
}

static void draw_stroke(sheet *s, const stroke *points, const hand *h, tn_chance *c)
{
    point p[MOST_POINTS + 2];
    int n = 0;
    for (; n < MOST_POINTS && (points->point[n][0] || points->point[n][1]); n++) {
        int corner = n && !memcmp(points->point[n], points->point[n - 1], 2);
        p[n + 1] = corner ? p[n] : place(h, points->point[n], c);
    }
    if (!n) return;
    p[0] = p[1];
    p[n + 1] = p[n];
    for (int i = 0; i + 1 < n; i++) span(s, p + i);
}

/* A stray line somewhere, in some of the pictures. */
static void draw_stray(sheet *s, tn_chance *c)
{
    point from, to; /* one number after the other: the order within a list is the compiler's choice */
    from.x = tn_chance_between(c, 0, SIDE);
    from.y = tn_chance_between(c, 0, SIDE);
    to.x = from.x + tn_chance_between(c, -7, 7);
    to.y = from.y + tn_chance_between(c, -7, 7);
    line(s, from, to);
}

/* ---- a sample ---- */

static void clear(sheet *s, float reach)
{
    s->reach = reach;
    for (int i = 0; i < PIXELS; i++) s->near[i] = SIDE * SIDE;
}

/* Ink is full within `radius` of a stroke and fades out over `soft` pixels. */
static float ink(float near, float radius, float soft)
{
    if (near > (radius + soft) * (radius + soft)) return 0; /* most pixels: spares the square root */
    float level = (radius - sqrtf(near)) / soft + 0.5f;
    return level < 0 ? 0 : level > 1 ? 1 : level;
}

static const glyph *choose_glyph(int digit, tn_chance *c)
{
    int first = 0, count = 0;
    while (glyphs[first].digit != digit) first++;
    while (first + count < GLYPHS && glyphs[first + count].digit == digit) count++;
    return glyphs + first + tn_chance_word(c) % (uint32_t)count;
}

int tn_digit_draw(uint64_t seed, int64_t index, uint8_t pixel[PIXELS])
{
    tn_chance chance = tn_chance_of(STREAM, seed, index), *c = &chance;
    sheet digit, stray;
    int label = (int)(tn_chance_word(c) % TN_DIGIT_CLASSES);
    const glyph *form = choose_glyph(label, c);
    hand h = new_hand(c);
    float radius = tn_chance_between(c, 0.65f, 1.75f), soft = tn_chance_between(c, 0.8f, 1.4f),
          black = tn_chance_between(c, 165, 255);
    float noise = tn_chance_between(c, 0, 16),
          stray_black = tn_chance_between(c, 0, 1) < 0.3f ? tn_chance_between(c, 60, 220) : 0;
    clear(&digit, radius + soft / 2);
    for (int i = 0; i < 3; i++) draw_stroke(&digit, form->stroke + i, &h, c);
    clear(&stray, 0.7f + soft / 2);
    if (stray_black > 0) draw_stray(&stray, c);
    for (int i = 0; i < PIXELS; i++) {
        float level = black * ink(digit.near[i], radius, soft), other = stray_black * ink(stray.near[i], 0.7f, soft);
        level = (level > other ? level : other) + tn_chance_bell(c, noise);
        pixel[i] = (uint8_t)(level < 0 ? 0 : level > 255 ? 255 : level + 0.5f);
    }
    return label;
}

tn_status tn_dataset_digits(int64_t count, uint64_t seed, tn_dataset *data)
{
    TN_GIVEN(data);
    TN_REQUIRE(count > 0 && count <= INT32_MAX, TN_EINVAL, "digits: a set of %lld samples", (long long)count);
    tn_dataset drawn = {
        .count = count, .sample = TN_SHAPE(1, SIDE, SIDE), .x_dtype = TN_U8, .classes = TN_DIGIT_CLASSES};
    uint8_t *pixel = tn_alloc((size_t)count * PIXELS);
    drawn.x = pixel;
    drawn.label = tn_alloc((size_t)count * sizeof *drawn.label);
    drawn.source = tn_strdup("digits");
    if (!pixel || !drawn.label || !drawn.source) {
        tn_dataset_free(&drawn);
        return TN_ENOMEM;
    }
    for (int64_t i = 0; i < count; i++) drawn.label[i] = tn_digit_draw(seed, i, pixel + i * PIXELS);
    *data = drawn;
    return TN_OK;
}
