/* conv_windows.c: conv2d where each channel has one filter and stands alone (depthwise), of pictures that are read
 * where they lie, channel by channel, some rows of the result at a time, so that these are still in the first cache
 * when the epilogue follows. Few pictures are cut across all channels, by rows, as other convolutions cut them by
 * pixels: what a thread made it reads again. */
#include "conv.h"

enum {
    BAND_BYTES = 16 << 10, /* of results, after which the epilogue follows: of one channel, or several */
    TALL = 40              /* rows of pictures that are worth cutting */
};

int cpu_conv_is_windows(const conv_kernel *k)
{
    return *cpu_code->window && k->size == 4 && k->r == k->s && (k->r == 3 || k->r == 5) && k->dilation[0] == 1 &&
           k->dilation[1] == 1 && k->stride[0] == k->stride[1] && k->stride[0] <= 2 && (!k->epilogue || k->chain.links);
}

void cpu_conv_set_windows(conv_kernel *k)
{
    const int64_t most = 1 + BAND_BYTES / (k->q * k->size), bands = (k->p + most - 1) / most;
    k->windows = 1;
    k->band = (k->p + bands - 1) / bands;
    k->staging = 0;
    cpu_conv_set_scratch(k, 0, 0);
}

static float *result(const conv_kernel *k, const cpu_run *run, int64_t item, int64_t row)
{
    return (float *)(void *)run->out[0] + item * k->pixels + row * k->q;
}

/* Rows begin..end of a channel of a picture. */
static void run_rows(const conv_kernel *k, const cpu_run *run, int64_t item, int64_t begin, int64_t end)
{
    const int64_t plane = k->h * k->w;
    cpu_ending e;
    const float *x = (const float *)(const void *)run->in[0] + item * plane;
    const float *weight = (const float *)(const void *)run->in[1] + item % k->groups * k->taps;
    const cpu_windows o = {.x = x,
                           .h = k->h,
                           .w = k->w,
                           .q = k->q,
                           .side = k->s,
                           .step = k->stride[0],
                           .pad = {k->pad[0], k->pad[1]},
                           .begin = begin,
                           .end = end,
                           .before = item * plane,
                           .behind = (k->b * k->groups - item - 1) * plane,
                           .ending = cpu_conv_end(&(cpu_conv_tail){k, run, item, 0, 1}, 0, &e)};
    (*cpu_code->window)(&o, weight, result(k, run, item, begin));
}

static void run_chain(const conv_kernel *k, const cpu_run *run, int64_t item, int64_t begin, int64_t end)
{
    const cpu_conv_tail tail = {k, run, item, 0, 1};
    cpu_conv_run_tail(&tail, k->head.links, 0, 1, begin * k->q, end * k->q);
}

/* Items first..last, one channel each, and of each rows begin..end. */
static void run_items(const conv_kernel *k, const cpu_run *run, int64_t first, int64_t last, int64_t begin, int64_t end)
{
    const int64_t rows = min_of(k->band, end - begin), together = 1 + BAND_BYTES / 2 / (rows * k->q * k->size);
    for (int64_t i = first; i < last; i += together)
        for (int64_t p = begin, stop = min_of(i + together, last); p < end; p += rows) {
            for (int64_t j = i; j < stop; j++) run_rows(k, run, j, p, min_of(p + rows, end));
            for (int64_t j = i; j < stop; j++) run_chain(k, run, j, p, min_of(p + rows, end));
        }
}

void cpu_conv_forward_windows(const conv_kernel *k, const cpu_run *run, int thread, int threads)
{
    const int64_t items = k->b * k->groups, parts = k->h >= TALL && k->p >= threads && k->b < 2 * threads ? threads : 1;
    if (parts == 1) {
        run_items(k, run, items * thread / threads, items * (thread + 1) / threads, 0, k->p);
        return;
    }
    for (int64_t i = k->b * thread; i < k->b * (thread + 1); i++) {
        const int64_t b = i / parts, part = i % parts;
        run_items(k, run, b * k->groups, (b + 1) * k->groups, k->p * part / parts, k->p * (part + 1) / parts);
    }
}
