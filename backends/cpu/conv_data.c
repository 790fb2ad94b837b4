/* conv_data.c: conv2d_data, the gradient for the pictures: a conv2d of dy with the windows turned round where that pays
 * (see conv.c). Otherwise products of mr taps by all pixels, over filters, are added to where they belong; or by matrix
 * units those of all taps of some channels, which then are gathered. */
#include "conv.h"
#include "matrix.h"

#include <string.h>

/* ---- prepare ---- */

enum { CHANNELS = 32 /* of which products are made at once: so taps are whole panels */ };

/* Turned round, matrix units would read a picture's padding as long as its pixels: 5x5 windows of 12x12 pixels have
 * 8x8, and a turned one computes 192. Products of taps must stay in a core's second cache, and those of the fastest
 * units take longer to store than to compute. 64 pictures of 32 channels by 64 such filters: 1,550 us turned, 940 so;
 * at bf16 410 and 540. */
int cpu_conv_pays_taps(const conv_kernel *k, uint32_t level, double grain)
{
    enum { FILTERS = 32, TERMS = 64, TIMES = 2, COLUMNS = 32, BYTES = 1 << 19, MOST_GAIN = 4 };
    const int64_t terms = k->c * k->r * k->s, pixels = k->p * k->q,
                  turned = k->h * (k->w % 16 ? k->w + (k->s - 1) * k->dilation[1] : k->w);
    const cpu_matrix *units = cpu_matrix_at(level);
    return units && units->gain < MOST_GAIN && k->size == 4 && k->stride[0] == 1 && k->stride[1] == 1 &&
           k->s <= COLUMNS && pixels > 0 && k->k > 0 && terms > 0 && (double)k->k >= FILTERS * grain &&
           (double)terms >= TERMS * grain && turned >= TIMES * pixels &&
           (double)(CHANNELS * k->r * k->s) * (double)round_up(pixels, 16) <= BYTES / 4;
}

static int64_t panels(const conv_kernel *k, int64_t count)
{
    return round_up(count, k->units->wide) * round_up(k->k, k->units->deep) * k->units->bytes;
}

/* Bytes of a group's packed weights; for matrix units their largest exponent comes first. */
static int64_t packed_group(const conv_kernel *k)
{
    return round_up(k->taps, k->gemm->mr) * k->k * k->size;
}

static int64_t packed_units(const conv_kernel *k)
{
    return CPU_ALIGN + panels(k, k->taps);
}

/* A thread's own: pixels of dy, packed, and products. */
static int64_t taps_bytes(const conv_kernel *k)
{
    const int64_t taps = min_of(k->c, CHANNELS) * k->r * k->s;
    return panels(k, k->pixels) + taps * round_up(k->pixels, 16) * k->size;
}

static void set_scratch(conv_kernel *k, uint32_t level)
{
    const int64_t usual = (k->k + k->gemm->mr) * (k->chunk + k->gemm->nr) * k->size;
    k->staging = 0;
    if (!k->by_taps) {
        cpu_conv_set_scratch(k, k->groups * packed_group(k), usual);
        return;
    }
    k->units = cpu_matrix_at(level), k->unit_conv = cpu_code->conv + level;
    cpu_conv_set_scratch(k, k->groups * packed_units(k), taps_bytes(k) + round_up(packed_group(k), CPU_ALIGN) + usual);
}

/* How it is done, and the scratch memory for that. */
static int32_t choose_way(conv_kernel *k, const tn_context *context, const tn_op_desc *desc, tn_msg *msg)
{
    if (k->loops && k->keeps)
        return cpu_fail(msg, TN_EUNSUPPORTED, "conv2d_data: nothing to keep of weights that are taken as they are");
    if (k->loops) return TN_OK;
    if (k->turned) return cpu_conv_set_forward_scratch(k, context, desc, msg);
    if (desc->precision && !k->by_taps)
        return cpu_fail(msg, TN_EUNSUPPORTED, "conv2d_data: no faster with less precision");
    set_scratch(k, desc->precision);
    return TN_OK;
}

static int32_t prepare_data(tn_context *context, const tn_op_desc *desc, const tn_op_facts *facts, tn_kernel **kernel,
                            tn_msg *msg)
{
    const int32_t s = cpu_conv_make(context, desc, facts, 1, kernel, msg);
    if (s) return s;
    const int32_t t = choose_way((conv_kernel *)*kernel, context, desc, msg);
    if (t) cpu_release(*kernel);
    return t;
}

/* ---- by vectors ---- */

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

static void pack_group(const conv_kernel *k, const cpu_run *run, int64_t g, char *to)
{
    k->gemm->pack_a(k->taps, k->k, run->in[1] + g * k->k * k->taps * k->size, 1, k->taps, to);
}

static void pack_groups(const conv_kernel *k, const cpu_run *run, int thread, int threads)
{
    for (int64_t g = thread; g < k->groups; g += threads)
        pack_group(k, run, g, cpu_conv_weights(k, run) + g * packed_group(k));
}

/* Where item i of dy and of dx lies. */
static const char *dy_of(const conv_kernel *k, const cpu_run *run, int64_t i)
{
    return run->in[0] + i * k->k * k->pixels * k->size;
}

static char *dx_of(const conv_kernel *k, const cpu_run *run, int64_t i)
{
    return run->out[0] + i * k->c * k->h * k->w * k->size;
}

static void data(const conv_kernel *k, const cpu_run *run, int thread, int threads)
{
    const int64_t items = k->b * k->groups, weight = packed_group(k);
    for (int64_t i = items * thread / threads; i < items * (thread + 1) / threads; i++)
        data_item(k, cpu_conv_weights(k, run) + i % k->groups * weight, dy_of(k, run, i), dx_of(k, run, i),
                  cpu_conv_packed(k, run, thread));
}

/* ---- by matrix units ---- */

static void pack_units(const conv_kernel *k, const cpu_run *run, int thread, int threads)
{
    for (int64_t g = thread; g < k->groups; g += threads) {
        char *to = cpu_conv_weights(k, run) + g * packed_units(k);
        const float *weight = (const float *)(const void *)run->in[1] + g * k->k * k->taps;
        *(int32_t *)(void *)to = k->units->pack_a(k->taps, k->k, weight, 1, k->taps, to + CPU_ALIGN);
    }
}

/* Rows t0..t1 of the products. */
static void multiply(const conv_kernel *k, const char *weight, const char *pixels, int64_t t0, int64_t t1, float *to,
                     int64_t ld)
{
    const int64_t wide = k->units->wide;
    for (int64_t i = t0; i < t1; i += wide, to += wide * ld)
        for (int64_t j = 0; j < k->pixels; j += wide)
            k->units->tile(k->k, weight + panels(k, i), pixels + panels(k, j), to + j, ld, min_of(wide, t1 - i),
                           min_of(wide, k->pixels - j), 0);
}

/* Returns 0 if the units can't. */
static int taps_item(const conv_kernel *k, const char *weight, const char *dy, char *dx, char *work)
{
    const int64_t ld = round_up(k->pixels, 16), window = k->r * k->s;
    float *product = (float *)(void *)(work + panels(k, k->pixels)), *to = (float *)(void *)dx;
    const int32_t top = k->units->pack_b(k->pixels, k->k, (const float *)(const void *)dy, 1, k->pixels, work);
    if (!cpu_matrix_fits(*(const int32_t *)(const void *)weight, top, k->k)) return 0;
    for (int64_t c = 0; c < k->c; c += CHANNELS) {
        const cpu_conv_sums o = {.channels = min_of(CHANNELS, k->c - c),
                                 .rows = k->p,
                                 .columns = k->q,
                                 .ld = ld,
                                 .picture = {k->h, k->w},
                                 .window = {k->r, k->s},
                                 .pad = {k->pad[0], k->pad[1]},
                                 .dilation = {k->dilation[0], k->dilation[1]}};
        multiply(k, weight + CPU_ALIGN, work, c * window, (c + o.channels) * window, product, ld);
        k->unit_conv->gather(&o, product, to + c * k->h * k->w);
    }
    return 1;
}

static void taps(const conv_kernel *k, const cpu_run *run, int thread, int threads)
{
    const int64_t items = k->b * k->groups;
    char *work = cpu_conv_packed(k, run, thread), *again = work + taps_bytes(k);
    k->units->begin();
    for (int64_t i = items * thread / threads; i < items * (thread + 1) / threads; i++) {
        const char *dy = dy_of(k, run, i), *weight = cpu_conv_weights(k, run) + i % k->groups * packed_units(k);
        if (taps_item(k, weight, dy, dx_of(k, run, i), work)) continue;
        pack_group(k, run, i % k->groups, again);
        data_item(k, again, dy, dx_of(k, run, i), again + round_up(packed_group(k), CPU_ALIGN));
    }
    k->units->end();
}

static void run_data(const tn_kernel *kernel, const cpu_run *run)
{
    const conv_kernel *k = (const conv_kernel *)kernel;
    if (k->turned) {
        cpu_conv_run_forward(kernel, run);
        return;
    }
    if (!k->loops && !run->is_kept) cpu_conv_on_threads(k, run, k->by_taps ? pack_units : pack_groups);
    cpu_conv_on_threads(k, run, k->loops ? cpu_conv_data_planes : k->by_taps ? taps : data);
}

const cpu_op cpu_conv2d_data = {
    "conv2d_data", CPU_FLOATS | CPU_LEVELS | CPU_KEEPS, 0, prepare_data, run_data, cpu_conv_release, cpu_conv_finish};
