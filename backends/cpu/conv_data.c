/* conv_data.c: conv2d_data, the gradient for the pictures: a conv2d of dy with the windows turned round where that pays
 * (see conv.c). Otherwise products of mr taps by all pixels, over filters, are added to where they belong. */
#include "conv.h"

#include <string.h>

static int32_t prepare_data(tn_context *context, const tn_op_desc *desc, const tn_op_facts *facts, tn_kernel **kernel,
                            tn_msg *msg)
{
    const int32_t s = cpu_conv_make(context, desc, facts, 1, kernel, msg);
    if (s) return s;
    conv_kernel *k = (conv_kernel *)*kernel;
    if (k->loops) return TN_OK;
    if (k->turned) {
        const int32_t t = cpu_conv_set_forward_scratch(k, context, desc, msg);
        if (t) cpu_release(*kernel);
        return t;
    }
    if (desc->precision) {
        cpu_release(*kernel);
        return cpu_fail(msg, TN_EUNSUPPORTED, "conv2d_data: no faster with less precision");
    }
    k->staging = 0;
    cpu_conv_set_scratch(k, k->groups * round_up(k->taps, k->gemm->mr) * k->k * k->size,
                         (k->k + k->gemm->mr) * (k->chunk + k->gemm->nr) * k->size);
    return TN_OK;
}

typedef float four __attribute__((vector_size(16), aligned(4), may_alias));

/* to[j stride] += from[j]. Rows are short: whole vectors at once, without a loop that finds out how many. */
static inline void add_strided(int64_t size, int64_t n, const void *from, void *to, int64_t stride)
{
    const float *f = from;
    float *t = to;
    int64_t j = 0;
    if (size != 4) {
        for (; j < n; j++) ((double *)to)[j * stride] += ((const double *)from)[j];
        return;
    }
    for (; stride == 1 && j + 4 <= n; j += 4) *(four *)(t + j) += *(const four *)(f + j);
    for (; j < n; j++) t[j * stride] += f[j];
}

/* Adds the products of one tap with pixels n0..n1 to where they belong in dx. */
static void scatter(const conv_kernel *k, int64_t tap, const char *product, int64_t n0, int64_t n1, char *dx)
{
    const int64_t c = tap / (k->r * k->s), dh = tap / k->s % k->r * k->dilation[0] - k->pad[0],
                  dw = tap % k->s * k->dilation[1] - k->pad[1], step = k->stride[1], q = k->q, size = k->size;
    const int64_t first = dw < 0 ? (-dw + step - 1) / step : 0, last = dw < k->w ? (k->w - 1 - dw) / step + 1 : 0;
    int64_t i = n0 / q, h = i * k->stride[0] + dh;
    const char *from = product + (i * q - n0) * size; /* column 0 of the row */
    char *to = dx + ((c * k->h + h) * k->w + dw) * size;
    for (; i * q < n1; i++, h += k->stride[0], from += q * size, to += k->stride[0] * k->w * size) {
        int64_t j0 = n0 > i * q ? n0 - i * q : 0, j1 = min_of(min_of(q, last), n1 - i * q);
        if (j0 < first) j0 = first;
        if (h >= 0 && h < k->h && j0 < j1) add_strided(size, j1 - j0, from + j0 * size, to + j0 * step * size, step);
    }
}

static void data_item(const conv_kernel *k, const char *weight, const char *dy, char *dx, char *work)
{
    const cpu_gemm *g = k->gemm;
    char *product = work + k->k * (k->chunk + g->nr) * k->size;
    memset(dx, 0, (uint64_t)(k->c * k->h * k->w * k->size));
    for (int64_t n0 = 0; n0 < k->pixels && k->k; n0 += k->chunk) {
        const int64_t n1 = min_of(n0 + k->chunk, k->pixels);
        g->pack_b(n1 - n0, k->k, dy + n0 * k->size, 1, k->pixels, work);
        for (int64_t i = 0; i < k->taps; i += g->mr) {
            for (int64_t j = n0; j < n1; j += g->nr)
                g->tile(k->k, weight + i * k->k * k->size, work + (j - n0) * k->k * k->size,
                        product + (j - n0) * k->size, k->chunk, 0);
            for (int64_t r = 0; r < g->mr && i + r < k->taps; r++)
                scatter(k, i + r, product + r * k->chunk * k->size, n0, n1, dx);
        }
    }
}

/* Bytes of a group's packed weights. */
static int64_t packed_group(const conv_kernel *k)
{
    return round_up(k->taps, k->gemm->mr) * k->k * k->size;
}

static void pack_groups(const conv_kernel *k, const cpu_run *run, int thread, int threads)
{
    for (int64_t g = thread; g < k->groups; g += threads)
        k->gemm->pack_a(k->taps, k->k, run->in[1] + g * k->k * k->taps * k->size, 1, k->taps,
                        run->scratch + g * packed_group(k));
}

static void data(const conv_kernel *k, const cpu_run *run, int thread, int threads)
{
    const int64_t items = k->b * k->groups, weight = packed_group(k);
    for (int64_t i = items * thread / threads; i < items * (thread + 1) / threads; i++)
        data_item(k, run->scratch + i % k->groups * weight, run->in[0] + i * k->k * k->pixels * k->size,
                  run->out[0] + i * k->c * k->h * k->w * k->size, cpu_conv_packed(k, run, thread));
}

static void run_data(const tn_kernel *kernel, const cpu_run *run)
{
    const conv_kernel *k = (const conv_kernel *)kernel;
    if (k->turned) {
        cpu_conv_run_forward(kernel, run);
        return;
    }
    if (!k->loops) cpu_conv_on_threads(k, run, pack_groups);
    cpu_conv_on_threads(k, run, k->loops ? cpu_conv_data_planes : data);
}

const cpu_op cpu_conv2d_data = {"conv2d_data",    CPU_FLOATS | CPU_LEVELS, 0, prepare_data, run_data,
                                cpu_conv_release, cpu_conv_finish};
