/* sheets.h: what the tests of framing share: sets of pictures, and sheets of paper with ink on them. */
#ifndef TESTS_DATA_SHEETS_H
#define TESTS_DATA_SHEETS_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "near.h"
#include "philox.h"
#include "scratch.h"
#include "tenon/framing.h"

#define SIDE 28

/* ---- sets and pictures ---- */

static inline float noise(uint32_t index)
{
    return (float)tn_philox_uniform(7, 0, 1, index) - 0.5f;
}

static inline tn_dataset digits(int64_t count)
{
    tn_dataset data = {0};
    expect_ok(tn_dataset_digits(count, 5, &data));
    return data;
}

static inline tn_framing framing_of(const tn_dataset *data)
{
    tn_framing framing = {0};
    expect_ok(tn_framing_measure(data, &framing));
    return framing;
}

/* A set of grey pictures whose pixels a function gives. */
static inline tn_framing framing_by(uint8_t (*pixel)(int sample, int y, int x))
{
    static uint8_t pixels[200][SIDE][SIDE];
    const tn_dataset data = {.count = 200, .sample = TN_SHAPE(1, SIDE, SIDE), .x_dtype = TN_U8, .x = pixels};
    for (int i = 0; i < 200; i++)
        for (int y = 0; y < SIDE; y++)
            for (int x = 0; x < SIDE; x++) pixels[i][y][x] = pixel(i, y, x);
    return framing_of(&data);
}

/* Hills and valleys: no border is like the other. */
static inline uint8_t a_photo(int sample, int y, int x)
{
    return (uint8_t)(128 + 60 * sin(sample + 0.3 * x) + 60 * cos(2.7 * sample + 0.25 * y));
}

/* A sheet of paper. */
typedef struct sheet {
    int64_t height, width;
    float level[400 * 400];
} sheet;

static inline sheet *new_sheet(int64_t height, int64_t width, float paper, float grain)
{
    static sheet s;
    s.height = height;
    s.width = width;
    for (int64_t i = 0; i < height * width; i++) s.level[i] = paper + grain * noise((uint32_t)i);
    return &s;
}

/* Draws a sample of a set on it, `scale` times as large: light becomes ink. */
static inline void paste(sheet *s, const tn_dataset *data, int64_t sample, int64_t top, int64_t left, int64_t scale,
                         float ink)
{
    const uint8_t *pixel = (const uint8_t *)data->x + sample * SIDE * SIDE;
    for (int64_t y = 0; y < SIDE * scale; y++)
        for (int64_t x = 0; x < SIDE * scale; x++) {
            float *level = s->level + (top + y) * s->width + left + x;
            *level += (ink - *level) * (float)pixel[y / scale * SIDE + x / scale] / 255;
        }
}

static inline void fill(sheet *s, int64_t top, int64_t left, int64_t height, int64_t width, float level)
{
    for (int64_t y = top; y < top + height; y++)
        for (int64_t x = left; x < left + width; x++) s->level[y * s->width + x] = level;
}

static inline tn_ink framed(const sheet *s, const tn_framing *framing, float out[SIDE * SIDE])
{
    tn_ink ink;
    const tn_shape sample = TN_SHAPE(1, SIDE, SIDE);
    expect_ok(tn_image_frame(s->level, s->height, s->width, framing, &sample, out, &ink));
    return ink;
}

/* What MNIST is like: light on black, 20 of 28 pixels, by the centre of mass. */
static const tn_framing like_mnist = {1, 1, 0.518, 0.518, 0.714, 0, 250, 0.04, 0.25, 1.9, 3.2};

#endif
