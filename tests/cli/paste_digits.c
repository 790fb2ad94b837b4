/* paste_digits DATA COUNT PAPER: the first test samples of a set of digits, as files NUMBER-DIGIT.pgm in the folder
 * where it is run. With PAPER "corner", at 30 % of the canvas, off its middle, dark on off-white paper with noise;
 * with "any", 1 to 6 times as large on canvases of 64 to 400 pixels, on black, white or off-white; with "none", as they
 * are. Always the same. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tenon/data.h"

#define SIDE 28
#define MOST 400

static uint32_t seed = 1;

/* Numerical Recipes' linear congruential generator: enough to choose places with. */
static int chance(int low, int high)
{
    seed = seed * 1664525u + 1013904223u;
    return low + (int)((seed >> 8) % (uint32_t)(high - low + 1));
}

typedef struct sheet {
    int height, width, top, left, paper, ink, noise;
    double scale;
} sheet;

static sheet corner(void)
{
    int side = chance(80, 200);
    double scale = 0.3 * side / 20; /* the ink is 20 pixels tall */
    int room = side - (int)(SIDE * scale) - 1;
    sheet s = {side, side, chance(0, room), chance(0, room), chance(225, 245), chance(0, 60), 6, scale};
    if (abs(s.left - room / 2) < side / 8) s.left = s.left < room / 2 ? 0 : room;
    return s;
}

static sheet any(void)
{
    static const int paper[3] = {0, 255, 235}, ink[3] = {255, 0, 30};
    int height = chance(64, MOST), width = chance(64, MOST), kind = chance(0, 2);
    double most = (height < width ? height : width) / (double)SIDE;
    double scale = chance(100, (int)(100 * (most < 6 ? most : 6))) / 100.0;
    int used = (int)(SIDE * scale) + 1;
    return (sheet){height, width, chance(0, height - used), chance(0, width - used), paper[kind], ink[kind], 16, scale};
}

static sheet none(void)
{
    return (sheet){SIDE, SIDE, 0, 0, 0, 255, 0, 1};
}

static const struct {
    const char *name;
    sheet (*choose)(void);
} papers[] = {{"corner", corner}, {"any", any}, {"none", none}};

static double pixel_at(const uint8_t *digit, int y, int x)
{
    return y < 0 || x < 0 || y >= SIDE || x >= SIDE ? 0 : digit[y * SIDE + x] / 255.0;
}

/* Between the four nearest pixels. */
static double ink_at(const uint8_t *digit, double y, double x)
{
    int v = (int)(y + 1) - 1, u = (int)(x + 1) - 1;
    double below = y - v, right = x - u;
    return (1 - below) * ((1 - right) * pixel_at(digit, v, u) + right * pixel_at(digit, v, u + 1)) +
           below * ((1 - right) * pixel_at(digit, v + 1, u) + right * pixel_at(digit, v + 1, u + 1));
}

static int write_sheet(const sheet *s, const uint8_t *digit, const char *path)
{
    FILE *file = fopen(path, "wb");
    if (!file) return 0;
    fprintf(file, "P5 %d %d 255\n", s->width, s->height);
    for (int y = 0; y < s->height; y++)
        for (int x = 0; x < s->width; x++) {
            double v = (y - s->top + 0.5) / s->scale - 0.5, u = (x - s->left + 0.5) / s->scale - 0.5;
            double share = v > -1 && u > -1 && v < SIDE && u < SIDE ? ink_at(digit, v, u) : 0;
            int level = (int)(s->paper + share * (s->ink - s->paper) + 0.5) + chance(-s->noise, s->noise);
            fputc(level < 0 ? 0 : level > 255 ? 255 : level, file);
        }
    return !fclose(file);
}

int main(int argc, char **argv)
{
    tn_dataset train = {0}, test = {0};
    char path[32];
    size_t paper = 0;
    if (argc != 4) return 2;
    while (paper < 3 && strcmp(papers[paper].name, argv[3])) paper++;
    if (paper == 3) return 2;
    if (tn_dataset_open(argv[1], 1, NULL, &train, &test)) {
        fprintf(stderr, "%s\n", tn_message());
        return 1;
    }
    for (int i = 0; i < atoi(argv[2]) && i < test.count; i++) {
        sheet s = papers[paper].choose();
        snprintf(path, sizeof path, "%03d-%d.pgm", i, (int)test.label[i]);
        if (!write_sheet(&s, (const uint8_t *)test.x + i * SIDE * SIDE, path)) return 1;
    }
    tn_dataset_free(&train);
    tn_dataset_free(&test);
    return 0;
}
