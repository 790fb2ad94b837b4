/* digits_rgb.c: the drawn digits in colour: somewhere on a textured background of 32 x 32 pixels, in an ink that stands
 * off from it in some of the channels, lighter or darker. As digits.c: the same pictures on every machine. */
#include "alloc.h"
#include "chance.h"
#include "digits.h"
#include "error.h"
#include "given.h"
#include "tenon/data.h"

#define SIDE     32
#define PIXELS   (SIDE * SIDE)
#define CHANNELS 3
#define KNOTS    5 /* of the background's grid, in each direction */
#define STREAM   0xC0104Fu

/* A background channel: levels on a coarse grid, with stripes across. */
typedef struct texture {
    float level[KNOTS][KNOTS];
    float stripe, phase, dx, dy; /* height of the stripes, and their number of waves along x and y, in pixels */
} texture;

static texture new_texture(tn_chance *c, float base)
{
    texture t;
    float rough = tn_chance_between(c, 4, 22);
    for (int y = 0; y < KNOTS; y++)
        for (int x = 0; x < KNOTS; x++) t.level[y][x] = base + tn_chance_bell(c, rough);
    t.stripe = tn_chance_between(c, 0, 16);
    t.phase = tn_chance_between(c, 0, 1);
    t.dx = tn_chance_between(c, -0.25f, 0.25f);
    t.dy = tn_chance_between(c, -0.25f, 0.25f);
    return t;
}

/* A wave of straight lines between -1 and 1, of period 1. */
static float zigzag(float t)
{
    t -= (float)(int)t;
    if (t < 0) t += 1;
    return t < 0.5f ? 4 * t - 1 : 3 - 4 * t;
}

static float texture_at(const texture *t, int y, int x)
{
    float step = (float)(KNOTS - 1) / SIDE, fy = (float)y * step, fx = (float)x * step;
    int ky = (int)fy, kx = (int)fx;
    fy -= (float)ky;
    fx -= (float)kx;
    float top = t->level[ky][kx] + fx * (t->level[ky][kx + 1] - t->level[ky][kx]);
    float bottom = t->level[ky + 1][kx] + fx * (t->level[ky + 1][kx + 1] - t->level[ky + 1][kx]);
    return top + fy * (bottom - top) + t->stripe * zigzag(t->phase + t->dx * (float)x + t->dy * (float)y);
}

/* How far the ink stands off from the background, in each channel: always far enough in one of them. */
static void choose_ink(tn_chance *c, const float base[CHANNELS], float ink[CHANNELS])
{
    uint32_t strong = tn_chance_word(c) % CHANNELS;
    for (uint32_t k = 0; k < CHANNELS; k++) {
        float off = k == strong ? tn_chance_between(c, 80, 127) : tn_chance_between(c, -60, 110);
        ink[k] = base[k] < 128 ? base[k] + off : base[k] - off;
    }
}

static uint8_t to_level(float value)
{
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value + 0.5f);
}

/* How much ink lies on a pixel, 0..1. */
static float cover(const uint8_t *digit, int y, int x)
{
    if (y < 0 || x < 0 || y >= TN_DIGIT_SIDE || x >= TN_DIGIT_SIDE) return 0;
    return (float)digit[y * TN_DIGIT_SIDE + x] / 255;
}

static int draw(uint64_t seed, int64_t index, uint8_t *pixel)
{
    uint8_t digit[TN_DIGIT_SIDE * TN_DIGIT_SIDE];
    float base[CHANNELS], ink[CHANNELS];
    tn_chance c = tn_chance_of(STREAM, seed, index);
    int label = tn_digit_draw(seed, index, digit);
    int top = (int)(tn_chance_word(&c) % (SIDE - TN_DIGIT_SIDE + 1));
    int left = (int)(tn_chance_word(&c) % (SIDE - TN_DIGIT_SIDE + 1));
    float noise = tn_chance_between(&c, 0, 12);
    for (int k = 0; k < CHANNELS; k++) base[k] = tn_chance_between(&c, 0, 255);
    choose_ink(&c, base, ink);
    for (int k = 0; k < CHANNELS; k++) {
        texture t = new_texture(&c, base[k]);
        for (int i = 0; i < PIXELS; i++) {
            int y = i / SIDE, x = i % SIDE;
            float ground = texture_at(&t, y, x), share = cover(digit, y - top, x - left);
            pixel[k * PIXELS + i] = to_level(ground + share * (ink[k] - ground) + tn_chance_bell(&c, noise));
        }
    }
    return label;
}

tn_status tn_dataset_digits_rgb(int64_t count, uint64_t seed, tn_dataset *data)
{
    TN_GIVEN(data);
    TN_REQUIRE(count > 0 && count <= INT32_MAX, TN_EINVAL, "digits-rgb: a set of %lld samples", (long long)count);
    tn_dataset drawn = {
        .count = count, .sample = TN_SHAPE(CHANNELS, SIDE, SIDE), .x_dtype = TN_U8, .classes = TN_DIGIT_CLASSES};
    uint8_t *pixel = tn_alloc((size_t)count * CHANNELS * PIXELS);
    drawn.x = pixel;
    drawn.label = tn_alloc((size_t)count * sizeof *drawn.label);
    drawn.source = tn_strdup("digits-rgb");
    if (!pixel || !drawn.label || !drawn.source) {
        tn_dataset_free(&drawn);
        return TN_ENOMEM;
    }
    for (int64_t i = 0; i < count; i++) drawn.label[i] = draw(seed, i, pixel + i * CHANNELS * PIXELS);
    *data = drawn;
    return TN_OK;
}
