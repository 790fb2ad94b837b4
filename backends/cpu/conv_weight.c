/* conv_weight.c: conv2d_weight, the gradient for the weights: a tile is mr taps by nr filters, over pixels; each thread
 * adds up its share of the pictures, and the sums of the threads are added in order. */
#include "conv.h"

#include <string.h>

/* Bytes of one thread's sums: (groups, taps, filters), both filled up to whole tiles. */
static int64_t sums_bytes(const conv_kernel *k)
{
    return round_up(k->groups * round_up(k->taps, k->gather->mr) * round_up(k->k, k->gather->nr) * k->size, CPU_ALIGN);
}

static int32_t prepare_weight(tn_context *context, const tn_op_desc *desc, const tn_op_facts *facts, tn_kernel **kernel,
                              tn_msg *msg)
{
    const int32_t s = cpu_conv_make(context, desc, facts, 0, kernel, msg);
    if (s) return s;
    conv_kernel *k = (conv_kernel *)*kernel;
    cpu_conv_set_scratch(k, k->threads * sums_bytes(k), round_up(k->k, k->gather->nr) * k->chunk * k->size);
    return TN_OK;
}

static void weight_item(const conv_kernel *k, const char *picture, const char *dy, char *sums, char *packed)
{
    const cpu_gather_shape *g = k->gather;
    const int by = cpu_conv_tile(g, k->dilation[1] == 1 ? k->s : 1);
    const int64_t run = g->run[by];
    const int64_t wide = round_up(k->k, g->nr);
    const void *row[CPU_CONV_ROWS];
    for (int64_t n0 = 0; n0 < k->pixels; n0 += k->chunk) {
        const int64_t deep = min_of(k->chunk, k->pixels - n0);
        g->pack(k->k, deep, dy + n0 * k->size, k->pixels, 1, packed);
        for (int64_t i = 0; i < k->taps; i += g->mr) {
            for (int64_t r = 0; r < g->mr; r += run)
                row[r / run] = picture + k->tap[min_of(i + r, k->taps - run)] * k->size;
            for (int64_t j = 0; j < k->k; j += g->nr)
                g->tile[by](deep, row, k->pixel + n0, packed + j * deep * k->size, sums + (i * wide + j) * k->size,
                            wide, 1);
        }
    }
}

/* Filters of group g: the sums of all threads, in order, and transposed. */
static void add_sums(const conv_kernel *k, const cpu_run *run, int64_t g, int64_t tap, int threads)
{
    const int64_t wide = round_up(k->k, k->gather->nr), bytes = sums_bytes(k);
    const int64_t at = (g * round_up(k->taps, k->gather->mr) + tap) * wide;
    for (int64_t j = 0; j < k->k; j++) {
        const int64_t to = (g * k->k + j) * k->taps + tap;
        double sum = 0;
        for (int t = 0; t < threads; t++) {
            const char *from = run->scratch + t * bytes + (at + j) * k->size;
            sum += k->size == 4 ? (double)*(const float *)(const void *)from : *(const double *)(const void *)from;
        }
        if (k->size == 4)
            ((float *)(void *)run->out[0])[to] = (float)sum;
        else
            ((double *)(void *)run->out[0])[to] = sum;
    }
}

static void weight(const conv_kernel *k, const cpu_run *run, int thread, int threads)
{
    char *sums = run->scratch + thread * sums_bytes(k);
    const int64_t group = round_up(k->taps, k->gather->mr) * round_up(k->k, k->gather->nr) * k->size;
    memset(sums, 0, (uint64_t)sums_bytes(k));
    for (int64_t i = k->b * thread / threads * k->groups; i < k->b * (thread + 1) / threads * k->groups; i++) {
        const char *picture =
            cpu_conv_stage(k, run->in[0] + i * k->c * k->h * k->w * k->size, cpu_conv_staging(k, run, thread));
        weight_item(k, picture, run->in[1] + i * k->k * k->pixels * k->size, sums + i % k->groups * group,
                    cpu_conv_packed(k, run, thread));
    }
    cpu_conv_wait(threads);
    const int64_t rows = k->groups * k->taps;
    for (int64_t i = rows * thread / threads; i < rows * (thread + 1) / threads; i++)
        add_sums(k, run, i / k->taps, i % k->taps, threads);
}

static void run_weight(const tn_kernel *kernel, const cpu_run *run)
{
    cpu_conv_on_threads((const conv_kernel *)kernel, run, weight);
}

const cpu_op cpu_conv2d_weight = {"conv2d_weight",  CPU_FLOATS,     0, prepare_weight, run_weight,
                                  cpu_conv_release, cpu_conv_finish};
