/* conv_points.c: conv2d with windows of one pixel that make no steps: products of matrices, whose columns are a
 * picture's pixels. A block of them is first brought together, tile by tile, each with all its channels side by side:
 * where they lie, channels fall on few of the cache's sets, and each is read once for every few filters. */
#include "conv.h"

#include <string.h>

enum { BLOCK = 128 << 10 /* bytes of a block, where a tile is no larger: long rows of pixels come faster */ };

int cpu_conv_is_points(const conv_kernel *k)
{
    const int has_all = k->p == k->h && k->q == k->w;
    return has_all && k->r == 1 && k->s == 1 && k->stride[0] == 1 && k->stride[1] == 1 && !k->staged && k->taps > 0;
}

/* Pixels of a tile. */
static int64_t wide(const conv_kernel *k)
{
    return k->vectors->wide * k->vectors->vectors;
}

static int64_t tile_bytes(const conv_kernel *k)
{
    return k->taps * wide(k) * k->size;
}

/* Tiles of a block. */
static int64_t block_of(const conv_kernel *k)
{
    return tile_bytes(k) < BLOCK ? BLOCK / tile_bytes(k) : 1;
}

int64_t cpu_conv_points_bytes(const conv_kernel *k)
{
    return round_up(block_of(k) * tile_bytes(k) + k->vectors->filters * wide(k) * k->size, CPU_ALIGN);
}

/* A block of pixels, and how many there are. */
typedef struct block {
    int64_t first, n;
    const char *picture;
    char *tile, *aside, *y;
} block;

/* A tile that is not filled has zeros: what the memory held before may be numbers that the processor is slow with. */
static void gather_block(const conv_kernel *k, const block *o)
{
    for (int64_t i = 0; i < o->n; i += wide(k)) {
        char *tile = o->tile + i * k->taps * k->size;
        if (o->n - i < wide(k)) memset(tile, 0, (uint64_t)tile_bytes(k));
        k->moves->copy(k->taps, min_of(wide(k), o->n - i), o->picture + (o->first + i) * k->size, k->pixels, tile,
                       wide(k));
    }
}

/* Some rows of pixels, which are wanted next. */
static void bring_near(const conv_kernel *k, const char *at, int64_t rows, int64_t n)
{
    for (int64_t l = 0; l < rows; l++, at += k->pixels * k->size)
        for (int64_t i = 0; i < n * k->size; i += CPU_ALIGN) __builtin_prefetch(at + i);
}

/* A tile of pixels, i of its block on, by filters j on. Where pixels are fewer than that they come by way of `aside`.
 */
static void multiply(const conv_kernel *k, const block *o, int64_t i, int64_t j, const char *packed,
                     const cpu_ending *ending)
{
    const cpu_pixel_shape *g = k->vectors;
    const int64_t n = min_of(wide(k), o->n - i), whole = n == wide(k), filters = min_of(g->filters, k->k - j);
    const void *pixel[CPU_CONV_ROWS];
    char *to = o->y + (j * k->pixels + o->first + i) * k->size;
    for (int64_t v = 0; v < g->vectors; v++) pixel[v] = o->tile + (i * k->taps + v * g->wide) * k->size;
    g->tile(k->taps, pixel, k->tap, packed + j * k->taps * k->size, filters, ending, whole ? to : o->aside,
            whole ? k->pixels : wide(k));
    if (!whole) k->moves->copy(filters, n, o->aside, wide(k), to, k->pixels);
}

static void run_block(const cpu_conv_tail *tail, const block *o, const char *packed)
{
    const conv_kernel *k = tail->kernel;
    const int64_t filters = k->vectors->filters, groups = (tail->last - tail->first + filters - 1) / filters,
                  next = o->first + o->n;
    cpu_ending e;
    for (int64_t j = tail->first, number = 0; j < tail->last; j += filters, number++) {
        const cpu_ending *ending = cpu_conv_end(tail, j, &e);
        const int64_t from = k->taps * number / groups, to = k->taps * (number + 1) / groups;
        if (next < k->pixels) bring_near(k, o->picture + (from * k->pixels + next) * k->size, to - from, o->n);
        for (int64_t i = 0; i < o->n; i += wide(k)) multiply(k, o, i, j, packed, ending);
        cpu_conv_run_tail(tail, k->head.links, j, min_of(filters, k->k - j), o->first, next);
    }
}

void cpu_conv_run_points(const cpu_conv_tail *tail, const char *picture, const char *packed, char *work, char *y,
                         int64_t begin, int64_t end)
{
    const conv_kernel *k = tail->kernel;
    block o = {begin * wide(k), 0, picture, work, work + block_of(k) * tile_bytes(k), y};
    for (const int64_t last = min_of(end * wide(k), k->pixels); o.first < last; o.first += o.n) {
        o.n = min_of(block_of(k) * wide(k), last - o.first);
        gather_block(k, &o);
        run_block(tail, &o, packed);
    }
}
