/* conv_bands.c: conv2d where each channel has one filter and stands alone (depthwise): channel by channel, some rows of
 * the result at a time, so that what they read and write stays in the first cache. Pixels lie as conv_planes.c says,
 * but for the rows of a band alone; what is made goes where it belongs, unless rows are shorter than a vector. */
#include "conv.h"

#include <string.h>

enum {
    BAND_BYTES = 24 << 10, /* of the pixels that a band reads, and those that it makes */
    LEAST = 4,             /* rows of one */
    FAR = 8 << 20          /* bytes of pictures that no cache has any more */
};

/* Rows of the padded picture that so many rows of the result see. */
static int64_t seen_by(const conv_kernel *k, int64_t rows)
{
    return (rows - 1) * k->stride[0] + (k->r - 1) * k->dilation[0] + 1;
}

static int64_t bytes_of(const conv_kernel *k, int64_t n)
{
    return round_up((n + 2 * k->bands->wide) * k->size, CPU_ALIGN);
}

static int64_t phase_of(const conv_kernel *k)
{
    return k->deep * k->wide;
}

/* Elements between two rows of the result where they are made. */
static int64_t apart(const conv_kernel *k)
{
    return k->q < k->bands->wide ? k->bands->wide : k->q;
}

void cpu_conv_set_bands(conv_kernel *k)
{
    const int64_t row = (k->stride[0] * k->wp + k->q) * k->size;
    k->bands = cpu_code->band[k->size == 4 ? CPU_F32 : CPU_F64];
    k->wide = (k->wp + k->stride[1] - 1) / k->stride[1];
    const int64_t most = BAND_BYTES / row < LEAST ? LEAST : BAND_BYTES / row, bands = (k->p + most - 1) / most;
    k->band = (k->p + bands - 1) / bands;
    k->deep = (seen_by(k, k->band) + k->stride[0] - 1) / k->stride[0];
    k->staging = bytes_of(k, k->stride[0] * k->stride[1] * phase_of(k));
    cpu_conv_set_scratch(k, 0, bytes_of(k, k->band * apart(k)) + bytes_of(k, k->taps));
}

/* The column of taps that begins with row r of the window; the others follow in the same phase, a row below each. */
static cpu_band_column column_at(const conv_kernel *k, int64_t r, int64_t s, int64_t *to_next)
{
    const int64_t h = r * k->dilation[0], w = s * k->dilation[1];
    const int64_t phase = h % k->stride[0] * k->stride[1] + w % k->stride[1];
    *to_next = k->dilation[0] == 1 ? k->stride[0] : k->dilation[0] == k->stride[0] ? 1 : k->r;
    const int64_t deep = min_of((k->r - r + *to_next - 1) / *to_next, CPU_BAND_DEEP);
    return (cpu_band_column){phase * phase_of(k) + h / k->stride[0] * k->wide + w / k->stride[1], deep};
}

/* The columns, and the taps in their order. */
int32_t cpu_conv_list_bands(conv_kernel *k, tn_msg *msg)
{
    k->tap = cpu_allocate((uint64_t)k->taps * (2 * sizeof(cpu_band_column) + sizeof *k->tap));
    if (!k->tap) return cpu_fail(msg, TN_ENOMEM, "out of memory for a convolution's tables");
    k->number = k->tap, k->column = (cpu_band_column *)(void *)(k->number + k->taps);
    char *listed = (char *)(k->column + k->taps);
    int64_t n = 0, next;
    for (int64_t s = 0; s < k->s; s++)
        for (int64_t r = 0; r < k->r; r++) {
            if (listed[r * k->s + s]) continue;
            const cpu_band_column c = k->column[k->columns++] = column_at(k, r, s, &next);
            for (int64_t d = 0; d < c.deep; d++) {
                k->number[n++] = (r + d * next) * k->s + s;
                listed[(r + d * next) * k->s + s] = 1;
            }
        }
    return TN_OK;
}

/* Zeros for row i of the padded band. */
static void clear_row(const conv_kernel *k, int64_t i, char *plane)
{
    const int64_t step = k->stride[1], bytes = k->wide * k->size;
    for (int64_t f = 0; f < step; f++)
        memset(plane + ((i % k->stride[0] * step + f) * k->deep + i / k->stride[0]) * bytes, 0, (uint64_t)bytes);
}

/* What rows p0..p1 of the result see of a channel. Where a band is all of it, the padding stays as it was. */
static void stage(const conv_kernel *k, const char *x, int64_t p0, int64_t p1, char *plane)
{
    const int64_t first = p0 * k->stride[0] - k->pad[0], rows = seen_by(k, p1 - p0);
    const int64_t h0 = first > 0 ? min_of(first, k->h) : 0, h1 = first + rows > h0 ? min_of(first + rows, k->h) : h0;
    const int64_t above = first < 0 ? min_of(-first, rows) : 0;
    for (int64_t i = 0; i < above && k->band < k->p; i++) clear_row(k, i, plane);
    for (int64_t i = above + h1 - h0; i < rows && k->band < k->p; i++) clear_row(k, i, plane);
    cpu_conv_stage_rows(k, (char *)(uintptr_t)x, &(cpu_conv_rows){h0, h1, above, 0}, plane);
}

typedef struct channel {
    const conv_kernel *kernel;
    const cpu_run *run;
    const cpu_conv_epilogue *epilogue;
    int64_t item;
    char *x, *y, *weight; /* the thread's memory */
} channel;

static void run_chain(const channel *o, int64_t p0, int64_t n, char *at)
{
    const conv_kernel *k = o->kernel;
    cpu_chain_step step[CPU_CHAIN_STEPS];
    const int64_t steps = cpu_chain_begin(&k->chain, 0, o->run, o->item / k->groups, o->item % k->groups,
                                          o->item * k->pixels + p0 * k->q, step);
    (*cpu_code->chain)(step, steps, n, (float *)(void *)at);
}

/* Whether pictures lie in memory, and not in a cache. */
static int is_far(const conv_kernel *k)
{
    return k->b * k->groups * (k->h * k->w + k->pixels) * k->size > FAR;
}

/* What lies behind the rows that a band sees, and behind those that it makes. */
static void look_ahead(const conv_kernel *k, const char *x, const char *y, int64_t p0, int64_t p1, cpu_band *band)
{
    const int64_t row = k->w * k->size, bytes = (p1 - p0) * k->q * k->size;
    const int64_t seen = min_of(p0 * k->stride[0] - k->pad[0] + seen_by(k, p1 - p0), k->h);
    band->soon[0].at = x + (seen > 0 ? seen : 0) * row;
    band->soon[0].bytes = min_of((p1 - p0) * k->stride[0], k->h) * row;
    band->soon[1].at = y + bytes, band->soon[1].bytes = bytes;
}

/* Short rows go through the chain in whole vectors, unless operands lie as the result does. */
static void run_rows(const channel *o, int64_t p0, int64_t p1)
{
    const conv_kernel *k = o->kernel;
    const int is_short = k->q < k->bands->wide, is_early = is_short && k->chain.links && !k->chain.has_dense;
    char *to = o->run->out[0] + (o->item * k->pixels + p0 * k->q) * k->size, *made = is_short ? o->y : to;
    const char *x = o->run->in[0] + o->item * k->h * k->w * k->size;
    cpu_band band = {p1 - p0, k->q, k->wide, apart(k), k->columns, k->column, o->x, {{0}}};
    stage(k, x, p0, p1, o->x);
    if (is_far(k)) look_ahead(k, x, to, p0, p1, &band);
    k->bands->sum(&band, o->weight, made);
    if (is_early) run_chain(o, p0, (p1 - p0) * apart(k), made);
    if (is_short) k->loops->copy(p1 - p0, k->q, made, apart(k), to, k->q);
    if (!k->chain.links)
        cpu_conv_run_epilogue(&(cpu_conv_tail){k, o->run, o->item, 0, k->k}, o->epilogue, p0 * k->q, p1 * k->q);
    else if (!is_early)
        run_chain(o, p0, (p1 - p0) * k->q, to);
}

void cpu_conv_forward_bands(const conv_kernel *k, const cpu_run *run, int thread, int threads)
{
    const int64_t items = k->b * k->groups, end = items * (thread + 1) / threads;
    char *x = cpu_conv_staging(k, run, thread), *y = cpu_conv_packed(k, run, thread);
    cpu_conv_epilogue epilogue;
    channel o = {k, run, &epilogue, items * thread / threads, x, y, y + bytes_of(k, k->band * apart(k))};
    cpu_conv_begin_epilogue(k, run, thread, &epilogue);
    memset(x, 0, (uint64_t)k->staging);
    for (; o.item < end; o.item++) {
        cpu_conv_order_weight(k, run->in[1] + o.item % k->groups * k->taps * k->size, o.weight);
        for (int64_t p = 0; p < k->p; p += k->band) run_rows(&o, p, min_of(p + k->band, k->p));
    }
}
