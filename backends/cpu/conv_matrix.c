/* conv_matrix.c: conv2d, conv2d_data where it is turned round, and conv2d_weight by tiles of bf16 (picture_tile.c):
 * when they are ahead, what is packed where, and the tiles. Numbers that the units can't take go the usual way. */
#include "conv.h"
#include "matrix.h"

#include <string.h>

/* The units are ahead from so many filters on, and where a number of the picture, once split, takes part in so many
 * products, by level of precision. On one core of a Sapphire Rapids, busy, GFLOP/s with the units and without: 64
 * pictures 32x16x16 by 32 filters of 3x3, forward 194 to 145, at f32-fast 301, at bf16 513; its gradients 163 to 149
 * (304, 493) and 148 to 128 (197, 292); 32x12x12 by 64 of 5x5 210 to 143 (346, 713). Six layers of 16 filters of 3x3 on
 * 32x32 take 0.86 of the time, forward and backward. */
enum { LEAST_FILTERS = 16, TOGETHER = 8 /* pairs of groups of pixels, after which the epilogue follows */ };

static int pays(const conv_kernel *k, uint32_t level, double grain)
{
    static const double by_units[] = {48, 16, 16};
    const double products = cpu_matrix_at(level)->by_vectors ? 64 : by_units[level];
    return k->k > 0 && k->pixels > 0 && k->taps > 0 && (double)k->k >= LEAST_FILTERS * grain &&
           (double)k->k * (double)(k->r * k->s) >= products * (double)(k->stride[0] * k->stride[1]) * grain;
}

static cpu_conv_picture picture_of(const conv_kernel *k)
{
    const int64_t rows = min_of(k->h, k->hp - k->pad[0]), columns = min_of(k->w, k->wp - k->pad[1]);
    return (cpu_conv_picture){.channels = k->c,
                              .plane = k->h * k->w,
                              .rows = rows > 0 ? rows : 0,
                              .columns = k->w,
                              .seen = columns > 0 ? columns : 0,
                              .wide = k->wp,
                              .first = k->pad[0] * k->wp + k->pad[1],
                              .all = k->hp * k->wp};
}

/* Groups of 16 pixels, or by vectors of 8 and 8: within rows of the result, where these are whole groups or windows
 * make steps; else of all that lie side by side in the padded picture, of which those between two rows of the result
 * are left out. So a row takes such a width. */
static int64_t width_of(const conv_kernel *k, const cpu_matrix *units)
{
    const int64_t group = units->by_vectors ? 8 : 16;
    const int steps = k->stride[0] > 1 || k->stride[1] > 1;
    return steps || k->q % group == 0 ? round_up(k->q, group) : k->wp;
}

/* Whether windows that make steps see all pixels, and rows of the result fill half of their groups. */
static int steps_pay(const conv_kernel *k, const cpu_matrix *units, double grain)
{
    if (k->stride[0] == 1 && k->stride[1] == 1) return 1;
    return k->stride[0] <= k->r && k->stride[1] <= k->s && 2 * (double)k->q >= (double)width_of(k, units) * grain;
}

/* Short sums are no work for units that multiply 32 deep, in f32 at least: of 16 terms they are half idle. One core,
 * processor time: 96 filters of 1x1x16 on 32x32 take 51 us with units and 35 without; 32 of 1x1x192 on 16x16 31 and 28;
 * 256 of 1x1x64 on 8x8 12 and 16. */
static int is_deep(const conv_kernel *k, uint32_t level, double grain)
{
    enum { LEAST_TERMS = 64 };
    return level || (double)k->taps >= LEAST_TERMS * grain;
}

static int64_t count_groups(const conv_kernel *k)
{
    return round_up(((k->p - 1) * width_of(k, k->units) + k->q + 15) / 16, 2);
}

int cpu_conv_suits_units(const conv_kernel *k, uint32_t level, double grain)
{
    const cpu_matrix *units = cpu_matrix_at(level);
    return units && k->size == 4 && k->c % 16 == 0 && k->dilation[1] == 1 && pays(k, level, grain) &&
           steps_pay(k, units, grain) && is_deep(k, level, grain);
}

void cpu_conv_choose_units(conv_kernel *k, uint32_t level, double grain)
{
    if (!cpu_conv_suits_units(k, level, grain)) return;
    k->units = cpu_matrix_at(level), k->unit_conv = cpu_code->conv + level;
    k->picture = picture_of(k);
    k->window = (cpu_conv_window){
        .channels = k->c,
        .rows = k->r,
        .columns = k->s,
        .step = 2 * k->stride[1] * k->c,
        .next_row = 2 * k->dilation[0] * k->wp * k->c,
        .part = round_up(2 * (k->hp * k->wp + 16 * k->stride[1]) * k->c + CPU_ALIGN, CPU_ALIGN),
    };
    k->groups_of_16 = count_groups(k);
}

/* Each row of the window begins a block of the depth; by vectors all are one. */
int64_t cpu_conv_unit_weights(const conv_kernel *k)
{
    const cpu_matrix *g = k->units;
    const int64_t rows = g->by_vectors ? 1 : k->r, depth = round_up(k->r / rows * k->s * k->c, g->deep);
    return round_up(k->k, g->wide) * rows * depth * g->bytes + CPU_ALIGN;
}

int64_t cpu_conv_unit_picture(const conv_kernel *k)
{
    return k->window.part * k->units->parts;
}

/* The largest exponent lies behind packed weights. */
static int32_t *exponent_of(const conv_kernel *k, const char *packed)
{
    return (int32_t *)(void *)(uintptr_t)(packed + cpu_conv_unit_weights(k) - CPU_ALIGN);
}

void cpu_conv_pack_units(const conv_kernel *k, const char *weight, char *to)
{
    *exponent_of(k, to) = k->unit_conv->pack(&k->window, k->k, (const float *)(const void *)weight, to);
}

/* Pixel (h, w) of the result is that whose window begins there in the padded picture. */
void cpu_conv_list_groups(const conv_kernel *k, cpu_pixels *group)
{
    const int64_t width = width_of(k, k->units), all = (k->p - 1) * width + k->q;
    for (int64_t i = 0; i < k->groups_of_16 * 16; i++) {
        cpu_pixels *g = &group[i / 16];
        const int64_t h = i / width, w = i % width, from = 2 * (h * k->stride[0] * k->wp + w * k->stride[1]) * k->c;
        if (i % 16 == 0) *g = (cpu_pixels){i < all ? from : 0, 0, h * k->q + min_of(w, k->q), 0};
        if (i % 16 == 8 && i < all) g->half = from - g->from;
        if (i < all && w < k->q) g->there = (uint16_t)(g->there | 1u << i % 16);
    }
}

/* Zeros, mostly few: the padding between two rows, which is whole pixels of 16 channels or a multiple. */
static inline void clear(char *to, const char *end)
{
    enum { PIXEL = 32, MANY = 256 };
    if (end - to < MANY)
        for (; end - to >= PIXEL; to += PIXEL) memset(to, 0, PIXEL);
    if (end > to) memset(to, 0, (uint64_t)(end - to));
}

/* Zeros for all of a part but the pixels that each picture brings. */
static void clear_padding(const conv_kernel *k, char *part)
{
    const cpu_conv_picture *o = &k->picture;
    const int64_t pixel = 2 * k->c;
    char *to = part, *end = part + k->window.part;
    for (int64_t h = 0; h < o->rows && o->seen; h++) {
        char *row = part + (o->first + h * o->wide) * pixel;
        clear(to, row);
        to = row + o->seen * pixel;
    }
    clear(to, end);
}

void cpu_conv_begin_units(const conv_kernel *k, char *work)
{
    k->units->begin();
    for (int32_t i = 0; i < k->units->parts; i++) clear_padding(k, work + i * k->window.part);
}

int64_t cpu_conv_pixels_before(const conv_kernel *k, int64_t pair)
{
    return 2 * pair < k->groups_of_16 ? min_of(k->group[2 * pair].to, k->pixels) : k->pixels;
}

/* What the windows of pixels n0..n1 see of a picture: some of its rows, or, where it is laid as one row, some of its
 * pixels. A row of the window that fills no whole block of the depth is read on, into the next pixel, against filters
 * of zeros: that has to be a number. *skipped: elements before that. */
static cpu_conv_picture part_of(const conv_kernel *k, int64_t n0, int64_t n1, int64_t *skipped)
{
    cpu_conv_picture o = k->picture;
    const int64_t top = n0 / k->q * k->stride[0] - k->pad[0], first = top > 0 ? min_of(top, o.rows) : 0;
    const int64_t next = k->s * k->c % k->units->deep != 0;
    const int64_t end = (n1 - 1) / k->q * k->stride[0] - k->pad[0] + (k->r - 1) * k->dilation[0] + 1 + next;
    const int is_line = k->p == 1 && k->r * k->s == 1 && k->q == o.seen && o.first == 0;
    *skipped = is_line ? n0 : first * o.columns;
    if (is_line)
        o.first = n0, o.columns = o.seen = min_of(n1 + next, k->q) - n0;
    else
        o.first += first * o.wide, o.rows = end > first ? min_of(end, o.rows) - first : 0;
    return o;
}

int cpu_conv_run_units(const cpu_conv_tail *tail, const char *picture, const char *packed, char *work, char *y,
                       int64_t begin, int64_t end)
{
    const conv_kernel *k = tail->kernel;
    const int64_t panel = (cpu_conv_unit_weights(k) - CPU_ALIGN) / (round_up(k->k, k->units->wide) / k->units->wide);
    const int64_t n0 = cpu_conv_pixels_before(k, begin), n1 = cpu_conv_pixels_before(k, end);
    if (n0 >= n1) return 1;
    int64_t skipped = 0;
    const cpu_conv_picture seen = part_of(k, n0, n1, &skipped);
    const float *from = (const float *)(const void *)picture + skipped;
    const int32_t top = k->unit_conv->split(&seen, from, work, k->window.part);
    if (!cpu_matrix_fits(top, *exponent_of(k, packed), k->taps)) return 0;
    cpu_ending e;
    for (int64_t j = tail->first; j < tail->last; j += k->units->wide) {
        const int64_t filters = min_of(k->units->wide, k->k - j);
        const cpu_ending *ending = cpu_conv_end(tail, j, &e);
        for (int64_t i = begin; i < end; i++) {
            k->unit_conv->tile(&k->window, work, k->group + 2 * i, packed + j / k->units->wide * panel, filters, ending,
                               (float *)(void *)y + j * k->pixels, k->pixels);
            if ((i + 1 - begin) % TOGETHER && i + 1 < end) continue;
            const int64_t first = begin + (i - begin) / TOGETHER * TOGETHER;
            cpu_conv_run_tail(tail, k->head.links, j, filters, cpu_conv_pixels_before(k, first),
                              cpu_conv_pixels_before(k, i + 1));
        }
    }
    return 1;
}

/* ---- the gradient for the weights ---- */

/* Pixels of dy are laid as those of the padded picture are, with zeros between its rows; by vectors they are taken as
 * they lie, if blocks of the depth are whole rows, or rows whole blocks. Short pictures go together. */
enum {
    DEEPEST = 1024, /* pixels at once, but for a picture that has more */
    ROW_BYTES = 768 /* of a block of them */
};

static int are_laid(const conv_kernel *k)
{
    const int64_t deep = k->units->deep;
    const int whole = k->q <= ROW_BYTES / k->units->bytes && (k->q % deep == 0 || (k->q % 2 == 0 && deep % k->q == 0));
    return !k->units->by_vectors || !whole || k->p * k->q % deep;
}

static int64_t laid_pixels(const conv_kernel *k)
{
    return are_laid(k) ? round_up((k->p - 1) * k->wp + k->q, k->units->deep) : k->p * k->q;
}

static int64_t picture_part(const conv_kernel *k)
{
    return round_up(2 * k->c * k->hp * k->wp + 2 * CPU_ALIGN, CPU_ALIGN);
}

static int64_t packed_pixels(const conv_kernel *k)
{
    return round_up(k->k, k->units->wide) * laid_pixels(k) * k->units->bytes;
}

void cpu_conv_choose_weight_units(conv_kernel *k, uint32_t level, double grain)
{
    if (!cpu_matrix_at(level) || k->size != 4 || k->c % 16 || k->stride[0] != 1 || k->stride[1] != 1) return;
    if (!pays(k, level, grain)) return;
    k->units = cpu_matrix_at(level), k->unit_conv = cpu_code->conv + level;
    k->picture = picture_of(k);
    const int64_t together = laid_pixels(k) < DEEPEST && k->groups == 1 ? DEEPEST / laid_pixels(k) : 1;
    k->sum_over = (cpu_conv_pixels){
        .pictures = together,
        .pixels = laid_pixels(k),
        .picture = picture_part(k) * k->units->parts,
        .part = picture_part(k),
        .row = 2 * k->hp * k->wp,
        .packed = packed_pixels(k),
        .columns = are_laid(k) ? laid_pixels(k) : k->q,
        .wide = k->wp,
    };
}

int64_t cpu_conv_unit_pictures(const conv_kernel *k)
{
    const cpu_conv_pixels *w = &k->sum_over;
    return w->pictures * (w->picture + w->packed) + round_up(k->k * w->pixels * k->size, CPU_ALIGN);
}

/* Where pictures' rows of dy are laid. */
static float *laid(const conv_kernel *k, char *work)
{
    const cpu_conv_pixels *w = &k->sum_over;
    return (float *)(void *)(work + w->pictures * (w->picture + w->packed));
}

void cpu_conv_begin_weight_units(const conv_kernel *k, char *work)
{
    k->units->begin();
    memset(work, 0, (uint64_t)(k->sum_over.pictures * k->sum_over.picture));
    memset(laid(k, work), 0, (uint64_t)(k->k * k->sum_over.pixels * k->size));
}

/* The rows of dy, with zeros behind each up to the padded picture's width: those are there. */
static const float *lay_pixels(const conv_kernel *k, const char *dy, float *to)
{
    const int64_t all = k->sum_over.pixels;
    if (!are_laid(k)) return (const float *)(const void *)dy;
    for (int64_t f = 0; f < k->k; f++)
        k->moves->copy(k->p, k->q, dy + f * k->pixels * k->size, k->q, to + f * all, k->wp);
    return to;
}

int cpu_conv_split_units(const conv_kernel *k, int64_t n, const char *picture, const char *dy, char *work)
{
    const cpu_conv_pixels *w = &k->sum_over;
    char *parts = work + n * w->picture, *packed = work + w->pictures * w->picture + n * w->packed;
    const int32_t a = k->unit_conv->split_rows(&k->picture, (const float *)(const void *)picture, parts, w->part);
    return cpu_matrix_fits(a, k->unit_conv->pack_pixels(k->k, w->pixels, lay_pixels(k, dy, laid(k, work)), packed),
                           w->pixels * w->pictures);
}

/* The same over the pixels of w alone, from number `first` of picture n on. */
static void sum_block(const conv_kernel *k, const cpu_conv_pixels *w, int64_t n, int64_t first, const char *work,
                      char *sums, int64_t ld)
{
    const cpu_conv_pixels *all = &k->sum_over;
    const int64_t window = k->r * k->s, tiles = k->c / 16 * window, column = k->units->wide * k->units->bytes;
    const char *pictures = work + n * all->picture + cpu_conv_pixel_at(all, first),
               *packed = work + all->pictures * all->picture + n * all->packed + first * column;
    for (int64_t j = 0; j < k->k; j += k->units->wide, packed += all->pixels * column)
        for (int64_t i = 0; i < tiles; i += 2) {
            int64_t at[2] = {0, 0};
            float *to[2] = {NULL, NULL};
            for (int64_t t = i; t < min_of(i + 2, tiles); t++) {
                const int64_t c = t / window * 16, tap = c * window + t % window;
                at[t - i] = 2 * k->tap[tap];
                to[t - i] = (float *)(void *)sums + tap * ld + j;
            }
            k->unit_conv->over_pixels(w, at, pictures, packed, min_of(k->units->wide, k->k - j), to, window * ld);
        }
}

/* Blocks of pixels, of which a packed panel and the parts of 16 channels stay in the first cache for all tiles. */
void cpu_conv_sum_units(const conv_kernel *k, int64_t pictures, const char *work, char *sums, int64_t ld)
{
    const cpu_conv_pixels *all = &k->sum_over;
    const int64_t room = ROW_BYTES / k->units->bytes, together = all->pixels < room ? room / all->pixels : 1,
                  most = all->columns < room ? room / all->columns * all->columns : room;
    for (int64_t n = 0; n < pictures; n += together)
        for (int64_t i = 0; i < all->pixels; i += most) {
            cpu_conv_pixels w = *all;
            w.pictures = min_of(together, pictures - n), w.pixels = min_of(most, all->pixels - i);
            sum_block(k, &w, n, i, work, sums, ld);
        }
}
