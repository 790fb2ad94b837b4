/* conv_rows.c: conv2d whose results have long rows: tiles are vectors of pixels of one row, of which the last of a row
 * makes some again. Pixels lie in phases, as conv_planes.c says, so that windows that make steps read vectors too. */
#include "conv.h"

#include <string.h>

enum { STEP = 4 /* of the window, at most */, BLOCK = 512 /* pixels whose windows stay near for all filters */ };

static int64_t mr(const cpu_pixel_shape *g)
{
    return g->wide * g->vectors;
}

int cpu_conv_is_rows(const conv_kernel *k)
{
    return k->stride[0] <= STEP && k->stride[1] <= STEP &&
           k->q >= mr(cpu_code->pixel[k->size == 4 ? CPU_F32 : CPU_F64]);
}

static int64_t plane_of(const conv_kernel *k)
{
    return k->stride[0] * k->stride[1] * k->deep * k->wide;
}

void cpu_conv_set_rows(conv_kernel *k)
{
    k->rows = 1;
    k->vectors = cpu_code->pixel[k->size == 4 ? CPU_F32 : CPU_F64];
    k->deep = (k->hp + k->stride[0] - 1) / k->stride[0], k->wide = (k->wp + k->stride[1] - 1) / k->stride[1];
    k->staging =
        k->staged || k->stride[1] > 1 || k->stride[0] > 1 ? round_up(k->c * plane_of(k) * k->size, CPU_ALIGN) : 0;
}

void cpu_conv_list_rows(const conv_kernel *k, int64_t *tap, int64_t *pixel)
{
    for (int64_t i = 0; i < k->taps; i++) {
        const int64_t h = i / k->s % k->r * k->dilation[0], w = i % k->s * k->dilation[1];
        const int64_t phase = h % k->stride[0] * k->stride[1] + w % k->stride[1];
        tap[i] =
            i / (k->r * k->s) * plane_of(k) + phase * k->deep * k->wide + h / k->stride[0] * k->wide + w / k->stride[1];
    }
    for (int64_t i = 0; i < k->pixels; i++) pixel[i] = i / k->q * k->wide + i % k->q;
}

/* What rows begin..end of the result see. Padding stays as it was. */
static const char *stage(const conv_kernel *k, const char *x, int64_t begin, int64_t end, char *to)
{
    if (!k->staging) return x;
    const int64_t top = begin * k->stride[0] - k->pad[0], first = top > 0 ? min_of(top, k->h) : 0;
    const int64_t next = (end - 1) * k->stride[0] - k->pad[0] + (k->r - 1) * k->dilation[0] + 1;
    const cpu_conv_rows rows = {first, min_of(next > first ? next : first, k->h), first + k->pad[0], 0};
    for (int64_t c = 0; c < k->c; c++)
        cpu_conv_stage_rows(k, (char *)(uintptr_t)x + c * k->h * k->w * k->size, &rows, to + c * plane_of(k) * k->size);
    return to;
}

/* One row, by filters j on. */
static void run_row(const cpu_conv_tail *tail, const char *picture, const char *packed, char *y, int64_t row, int64_t j)
{
    const conv_kernel *k = tail->kernel;
    const cpu_pixel_shape *g = k->vectors;
    const void *pixel[CPU_CONV_ROWS];
    cpu_ending e;
    const cpu_ending *ending = cpu_conv_end(tail, j, &e);
    for (int64_t i = 0; i < k->q; i += mr(g)) {
        const int64_t at = row * k->q + min_of(i, k->q - mr(g));
        for (int64_t v = 0; v < g->vectors; v++) pixel[v] = picture + k->pixel[at + v * g->wide] * k->size;
        g->tile(k->taps, pixel, k->tap, packed + j * k->taps * k->size, k->k - j, ending,
                y + (j * k->pixels + at) * k->size, k->pixels);
    }
}

void cpu_conv_run_rows(const cpu_conv_tail *tail, const char *x, const char *packed, char *staging, char *y,
                       int64_t begin, int64_t end)
{
    const conv_kernel *k = tail->kernel;
    if (begin == end) return;
    const int64_t block = 1 + BLOCK / k->q;
    const char *picture = stage(k, x, begin, end, staging);
    for (int64_t first = begin; first < end; first += block) {
        const int64_t last = min_of(first + block, end);
        for (int64_t j = tail->first; j < tail->last; j += k->vectors->filters) {
            for (int64_t row = first; row < last; row++) run_row(tail, picture, packed, y, row, j);
            cpu_conv_run_tail(tail, k->head.links, j, min_of(k->vectors->filters, k->k - j), first * k->q, last * k->q);
        }
    }
}
