/* conv_weight.c: conv2d_weight, the gradient for the weights: a tile is mr taps by nr filters, over pixels, or of
 * matrix units (conv_matrix.c); each thread adds up its share of the pictures, and the sums of the threads are added in
 * order. */
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
    if (k->loops) return TN_OK;
    int64_t own = round_up(k->k, k->gather->nr) * k->chunk * k->size;
    cpu_conv_choose_weight_units(k, desc->precision, context->grain);
    if (desc->precision && !k->units) {
        cpu_release(*kernel);
        return cpu_fail(msg, TN_EUNSUPPORTED, "conv2d_weight: no faster with less precision");
    }
    if (k->units) own += cpu_conv_unit_pictures(k);
    cpu_conv_set_scratch(k, k->threads * sums_bytes(k), own);
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

/* Picture i, and its dy. */
static const char *item_of(const conv_kernel *k, const cpu_run *run, int64_t i, const char **dy)
{
    *dy = run->in[1] + i * k->k * k->pixels * k->size;
    return run->in[0] + i * k->c * k->h * k->w * k->size;
}

/* Pictures i..i + count by matrix units. Returns 0 if they can't. */
static int sum_by_units(const conv_kernel *k, const cpu_run *run, int thread, int64_t i, int64_t count, char *sums)
{
    char *own = cpu_conv_packed(k, run, thread);
    for (int64_t n = 0; n < count; n++) {
        const char *dy, *picture = item_of(k, run, i + n, &dy);
        if (!cpu_conv_split_units(k, n, picture, dy, own)) return 0;
    }
    cpu_conv_sum_units(k, count, own, sums, round_up(k->k, k->gather->nr));
    return 1;
}

/* Pictures i..i + count, all of one group. */
static void weight_items(const conv_kernel *k, const cpu_run *run, int thread, int64_t i, int64_t count, char *sums)
{
    sums += i % k->groups * round_up(k->taps, k->gather->mr) * round_up(k->k, k->gather->nr) * k->size;
    if (k->units && sum_by_units(k, run, thread, i, count, sums)) return;
    char *packed = cpu_conv_packed(k, run, thread) + (k->units ? cpu_conv_unit_pictures(k) : 0);
    for (int64_t n = 0; n < count; n++) {
        const char *dy, *picture = item_of(k, run, i + n, &dy);
        weight_item(k, cpu_conv_stage(k, picture, cpu_conv_staging(k, run, thread)), dy, sums, packed);
    }
}

static void sum_pictures(const conv_kernel *k, const cpu_run *run, int thread, int threads)
{
    char *sums = run->scratch + thread * sums_bytes(k);
    const int64_t end = k->b * (thread + 1) / threads * k->groups, most = k->units ? k->sum_over.pictures : 1;
    cpu_conv_begin_staging(k, run, thread);
    memset(sums, 0, (uint64_t)sums_bytes(k));
    if (k->units) cpu_conv_begin_weight_units(k, cpu_conv_packed(k, run, thread));
    for (int64_t i = k->b * thread / threads * k->groups; i < end; i += most)
        weight_items(k, run, thread, i, min_of(most, end - i), sums);
    if (k->units) k->units->end();
}

static void add_rows(const conv_kernel *k, const cpu_run *run, int thread, int threads)
{
    const int64_t rows = k->groups * k->taps;
    for (int64_t i = rows * thread / threads; i < rows * (thread + 1) / threads; i++)
        add_sums(k, run, i / k->taps, i % k->taps, threads);
}

static void run_weight(const tn_kernel *kernel, const cpu_run *run)
{
    const conv_kernel *k = (const conv_kernel *)kernel;
    cpu_conv_on_threads(k, run, k->loops ? cpu_conv_weight_planes : sum_pictures);
    if (!k->loops) cpu_conv_on_threads(k, run, add_rows);
}

const cpu_op cpu_conv2d_weight = {"conv2d_weight",  CPU_FLOATS | CPU_LEVELS, 0, prepare_weight, run_weight,
                                  cpu_conv_release, cpu_conv_finish};
