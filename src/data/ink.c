/* ink.c: see ink.h.
 *
 * Ink is what stands out from the paper, to the side to which more does, by more than its noise and by a quarter of the
 * most: the edge of a stroke, however soft. Otsu's threshold (1979) would not do here: it parts all levels in two
 * classes, and where ink is one pixel in a thousand both of them are paper. Connected pixels are a piece (8 neighbours;
 * A. Rosenfeld and J. Pfaltz, "Sequential operations in digital picture processing", 1966). The one with the most ink
 * is taken, and the larger pieces near it: strokes that don't touch. Specks are left. */
#include "ink.h"

#include <math.h>

#include "alloc.h"
#include "error.h"
#include "paper.h"
#include "picture.h"

#define EDGE     0.25 /* share of the ink's strength where a stroke ends */
#define SPECK    0.04 /* share of the largest piece's ink below which another is dirt */
#define NEAR     0.25 /* share of the largest piece's longer side within which others belong to it */
#define AS_LARGE 0.25 /* share of its ink from which another is a thing of its own */
#define TALL     0.6  /* share of the taller one's height from which two beside each other are two things */
#define CUT_OFF  0.1  /* what a piece counts for that goes on beyond the edge: a shadow, a margin */
#define UNEVEN   0.25 /* share of the border that may differ from the paper */
#define RESTLESS 100  /* levels that no noise of paper has */

/* ---- what stands out ---- */

/* Sets `above`: positive to the side to which more stands out. Returns that side, 1: the ink is lighter. */
static int stand_out(const float *level, const tn_paper *p, tn_ink_map *map)
{
    double out = 0;
    for (int64_t y = 0, i = 0; y < map->height; y++)
        for (int64_t x = 0; x < map->width; x++, i++) {
            double behind = tn_paper_at(p, ((double)x + 0.5) / (double)map->width - 0.5,
                                        ((double)y + 0.5) / (double)map->height - 0.5);
            map->above[i] = (float)(level[i] - behind);
            double size = fabs(map->above[i]) - p->clear;
            if (size > 0) out += map->above[i] > 0 ? size : -size;
        }
    for (int64_t i = 0; out < 0 && i < map->height * map->width; i++) map->above[i] = -map->above[i];
    return out < 0 ? -1 : 1;
}

/* The most that any pixel and its neighbours stand out together: a speck alone does not. */
static double most(const tn_ink_map *map)
{
    double best = 0;
    for (int64_t y = 0; y < map->height; y++)
        for (int64_t x = 0; x < map->width; x++) {
            if (map->above[y * map->width + x] <= best) continue;
            double mean = tn_area_mean(map->above, map->height, map->width, (double)y - 1, (double)x - 1, 3);
            if (mean > best) best = mean;
        }
    return best;
}

double tn_ink_strength(const float *above, int64_t count)
{
    double level = 0, sum, n;
    for (int64_t i = 0; i < count; i++) level = fmax(level, above[i]);
    level /= 2;
    for (int turn = 0; turn<2; turn++, level = n> 0 ? sum / n : level) {
        sum = n = 0;
        for (int64_t i = 0; i < count; i++)
            if (above[i] > level) sum += above[i], n++;
    }
    return level;
}

double tn_ink_centre(const float *above, int64_t height, int64_t width, double *x, double *y)
{
    double sum = 0, sum_x = 0, sum_y = 0;
    for (int64_t v = 0, i = 0; v < height; v++)
        for (int64_t u = 0; u < width; u++, i++) {
            double ink = fmax(above[i], 0);
            sum += ink;
            sum_x += ink * ((double)u + 0.5);
            sum_y += ink * ((double)v + 0.5);
        }
    *x = sum > 0 ? sum_x / sum / (double)width : 0.5;
    *y = sum > 0 ? sum_y / sum / (double)height : 0.5;
    return sum;
}

/* ---- pieces ---- */

typedef struct piece {
    int64_t left, top, right, bottom; /* the last two outside */
    double ink;
    int edge; /* it goes on beyond the picture's */
    int taken;
} piece;

typedef struct pieces {
    piece *of;
    uint32_t count, capacity;
    int32_t *number; /* of each pixel's piece, from 1; 0: paper */
    int32_t *stack;  /* pixels whose neighbours are still to be looked at */
} pieces;

static void widen(piece *a, const piece *b)
{
    a->left = a->left < b->left ? a->left : b->left;
    a->top = a->top < b->top ? a->top : b->top;
    a->right = a->right > b->right ? a->right : b->right;
    a->bottom = a->bottom > b->bottom ? a->bottom : b->bottom;
    a->ink += b->ink;
    a->edge |= b->edge;
}

/* Everything connected to the pixel becomes the last piece. */
static piece flood(const tn_ink_map *map, pieces *all, int64_t start, double edge)
{
    int64_t waiting = 0, width = map->width, height = map->height;
    piece grown = {width, height, 0, 0, 0, 0, 0};
    all->stack[waiting++] = (int32_t)start;
    all->number[start] = (int32_t)all->count;
    while (waiting) {
        int64_t at = all->stack[--waiting], y = at / width, x = at % width;
        const piece one = {x, y, x + 1, y + 1, map->above[at], !x || !y || x == width - 1 || y == height - 1, 0};
        widen(&grown, &one);
        for (int64_t v = y ? y - 1 : 0; v <= y + 1 && v < height; v++)
            for (int64_t u = x ? x - 1 : 0; u <= x + 1 && u < width; u++) {
                int64_t next = v * width + u;
                if (all->number[next] || map->above[next] <= edge) continue;
                all->number[next] = (int32_t)all->count;
                all->stack[waiting++] = (int32_t)next;
            }
    }
    return grown;
}

static tn_status find_pieces(const tn_ink_map *map, double edge, pieces *all)
{
    int64_t count = map->height * map->width;
    all->number = tn_alloc((size_t)count * sizeof *all->number);
    all->stack = tn_alloc((size_t)count * sizeof *all->stack);
    if (!all->number || !all->stack) return TN_ENOMEM;
    for (int64_t i = 0; i < count; i++) {
        if (all->number[i] || map->above[i] <= edge) continue;
        tn_status status = tn_grow(&all->of, &all->capacity, all->count + 1, sizeof *all->of);
        if (status) return status;
        all->count++;
        all->of[all->count - 1] = flood(map, all, i, edge);
    }
    return TN_OK;
}

static void free_pieces(pieces *all)
{
    tn_free(all->of);
    tn_free(all->number);
    tn_free(all->stack);
}

/* ---- which of them ---- */

static int64_t longer_side(const piece *p)
{
    int64_t width = p->right - p->left, height = p->bottom - p->top;
    return width > height ? width : height;
}

/* Between two boxes, in the direction in which there is more. */
static int64_t gap(const piece *a, const piece *b)
{
    int64_t x = a->left > b->right ? a->left - b->right : b->left - a->right;
    int64_t y = a->top > b->bottom ? a->top - b->bottom : b->top - a->bottom;
    return x > y ? x : y;
}

/* Two digits in a row: about as tall, and nowhere one above the other. */
static int beside(const piece *a, const piece *b)
{
    double tall = (double)(a->bottom - a->top), other = (double)(b->bottom - b->top);
    return (a->right <= b->left || b->right <= a->left) && fmin(tall, other) >= TALL * fmax(tall, other);
}

static piece *largest(pieces *all)
{
    piece *best = all->of;
    for (uint32_t i = 1; i < all->count; i++) {
        piece *p = all->of + i;
        if (p->ink * (p->edge ? CUT_OFF : 1) > best->ink * (best->edge ? CUT_OFF : 1)) best = p;
    }
    return best;
}

/* Takes the largest piece and what belongs to it; `doubts` gets what is against that. Returns all that was taken. */
static piece take(pieces *all, uint32_t *doubts)
{
    piece *main = largest(all), whole = *main;
    for (uint32_t i = 0; i < all->count; i++) {
        piece *p = all->of + i;
        int near = gap(main, p) <= NEAR * longer_side(main);
        p->taken = p == main || (near && p->ink >= SPECK * main->ink && !(p->edge && !main->edge));
        if (p != main && p->taken) widen(&whole, p);
        if (p != main && !p->edge && p->ink >= AS_LARGE * main->ink && (!near || beside(p, main)))
            *doubts |= TN_DOUBT_PIECES;
    }
    if (whole.edge) *doubts |= TN_DOUBT_CUT;
    return whole;
}

static void keep(tn_ink_map *map, const pieces *all)
{
    for (int64_t i = 0; i < map->height * map->width; i++) {
        int32_t n = all->number[i];
        if (!n) continue;
        if (all->of[n - 1].taken)
            map->taken[i] = 1;
        else
            map->above[i] = 0;
    }
}

static tn_status pick(tn_ink_map *map, double edge)
{
    pieces all = {0};
    tn_status status = find_pieces(map, edge, &all);
    if (!status && !all.count) map->found.doubts |= TN_DOUBT_NO_INK;
    if (!status && all.count) {
        piece p = take(&all, &map->found.doubts);
        map->found.left = p.left;
        map->found.top = p.top;
        map->found.width = p.right - p.left;
        map->found.height = p.bottom - p.top;
        keep(map, &all);
    }
    free_pieces(&all);
    return status;
}

/* ---- all together ---- */

static tn_status find(const float *level, tn_ink_map *map)
{
    tn_paper p = {0};
    TN_TRY(tn_paper_fit(level, map->height, map->width, &p));
    int side = stand_out(level, &p, map);
    double strength = most(map);
    tn_ink *found = &map->found;
    found->paper = found->ink = p.level[0];
    if (p.uneven > UNEVEN || p.clear > RESTLESS) found->doubts |= TN_DOUBT_PAPER;
    if (strength < p.clear / 2) {
        found->doubts |= TN_DOUBT_NO_INK;
        return TN_OK;
    }
    TN_TRY(pick(map, fmax(EDGE * strength, p.clear)));
    double x = (double)found->left + (double)found->width / 2, y = (double)found->top + (double)found->height / 2;
    found->paper = tn_paper_at(&p, x / (double)map->width - 0.5, y / (double)map->height - 0.5);
    found->ink = found->paper + side * tn_ink_strength(map->above, map->height * map->width);
    return TN_OK;
}

tn_status tn_ink_find(const float *level, int64_t height, int64_t width, tn_ink_map *map)
{
    size_t bytes = (size_t)(height * width) * sizeof(float);
    tn_ink_map made = {.height = height, .width = width, .above = tn_alloc(bytes), .taken = tn_alloc(bytes)};
    tn_status status = made.above && made.taken ? find(level, &made) : TN_ENOMEM;
    if (status)
        tn_ink_free(&made);
    else
        *map = made;
    return status;
}

void tn_ink_free(tn_ink_map *map)
{
    tn_free(map->above);
    tn_free(map->taken);
    *map = (tn_ink_map){0};
}
