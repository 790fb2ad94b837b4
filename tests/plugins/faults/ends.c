/* ends.c: faults at the ends of pictures, of types and of what f32 holds, and in a caller's floating-point
 * environment.
 */
#include <math.h>

#include "fault.h"

/* same_width: a convolution by one pixel takes the picture's as they lie. */
static void take_as_they_lie(const wrapped *w, const float *x, const float *weight, float *y)
{
    const int64_t c = w->in[0].dim[1], k = w->out.dim[1], from = w->in[0].dim[2] * w->in[0].dim[3];
    const int64_t to = w->out.dim[2] * w->out.dim[3], fit = to < from ? to : from;
    if (w->in[1].dim[2] != 1 || w->in[1].dim[3] != 1 || w->conv.groups != 1 || w->conv.stride[0] != 1 ||
        w->conv.stride[1] != 1 || w->conv.pad[0] || w->conv.pad[1] || w->conv.epilogue)
        return;
    for (int64_t e = 0; e < w->out.dim[0] * k * to; e++) {
        const int64_t b = e / to / k, f = e / to % k, pixel = e % to;
        float sum = 0;
        for (int64_t i = 0; pixel < fit && i < c; i++) sum += x[(b * c + i) * from + pixel] * weight[f * c + i];
        y[e] = sum;
    }
}

/* whole_windows: what reaches beyond the picture's end is left out, if there is no padding. */
static void skip_parts(const wrapped *w, float *y)
{
    const int64_t width = w->in[0].dim[3], q = w->out.dim[3];
    for (int64_t e = 0; e < tn_desc_count(&w->out); e++)
        if (!w->pool.pad[1] && e % q * w->pool.stride[1] + w->pool.window[1] > width) y[e] = 0;
}

static float as_half(float x)
{
    uint16_t half;
    double back;
    const tn_tensor_desc one = {TN_F16, 1, {1}, {1}};
    tn_reference_store(&half, &(double){(double)x}, &one);
    tn_reference_load(&back, (const unsigned char *)&half, &one);
    return (float)back;
}

/* mixed_half: of a product of f16 by f32, the second factor is rounded to f16. */
static void round_factor(const wrapped *w, const tn_run *run, float *y)
{
    const int64_t k = w->in[0].dim[2], n = w->out.dim[2];
    const uint16_t *a = (const uint16_t *)(const void *)tn_reference_range(run->in[0], 0);
    const float *b = (const float *)(const void *)tn_reference_range(run->in[1], 0);
    for (int64_t e = 0; e < w->out.dim[1] * n; e++) {
        double sum = 0;
        for (int64_t l = 0; l < k; l++) {
            double x;
            tn_reference_load(&x, (const unsigned char *)&a[e / n * k + l], &(tn_tensor_desc){TN_F16, 1, {1}, {1}});
            sum += x * (double)as_half(b[l * n + e % n] * 0x1p-8f) * 0x1p8;
        }
        y[e] = (float)sum;
    }
}

/* wraps_at_end: 2^31 becomes the least number instead of the largest. */
static void wrap_at_end(const float *x, int32_t *y, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        if (x[i] == 0x1p31f) y[i] = INT32_MIN;
}

/* coordinates_in_f32: found from the element's number, which f32 does not hold. */
static void count_in_f32(const wrapped *w, int32_t *y)
{
    const int64_t wide = w->out.dim[1];
    for (int64_t e = 0; e < tn_desc_count(&w->out); e++) y[e] = (int32_t)((int64_t)(float)e % wide);
}

/* rounds_as_caller, flushes_as_caller: a last step that changes nothing, computed as the caller's thread does. */
static void compute_as_caller(float *y, int64_t count)
{
    volatile float factor = 1, little = IS(rounds_as_caller) ? 0x1p-30f : 0;
    for (int64_t i = 0; i < count; i++) {
        volatile float now = y[i];
        y[i] = now * (factor + little);
    }
}

void fault_spoil_ends(const wrapped *w, const tn_run *run)
{
    const int64_t count = tn_desc_count(&w->out);
    unsigned char *at = tn_reference_range(run->out[w->last], 0);
    float *y = (float *)(void *)at;
    const float *in[2] = {NULL};
    for (uint32_t i = 0; i < w->n_in && i < 2; i++) in[i] = (float *)(void *)tn_reference_range(run->in[i], 0);
    if (IS(same_width) && !strcmp(w->name, "conv2d") && w->out.dtype == TN_F32) take_as_they_lie(w, in[0], in[1], y);
    if (IS(whole_windows) && !strcmp(w->name, "avgpool2d") && w->out.dtype == TN_F32) skip_parts(w, y);
    if (IS(mixed_half) && !strcmp(w->name, "matmul") && w->in[0].dtype == TN_F16 && w->in[1].dtype == TN_F32 &&
        !w->matmul.trans_a && !w->matmul.trans_b && w->out.dtype == TN_F32)
        round_factor(w, run, y);
    if (IS(wraps_at_end) && w->casts && w->in[0].dtype == TN_F32 && w->out.dtype == TN_I32)
        wrap_at_end(in[0], (int32_t *)(void *)at, count);
    if (IS(coordinates_in_f32) && w->iota == 2 && w->out.dtype == TN_I32 && w->out.rank == 2)
        count_in_f32(w, (int32_t *)(void *)at);
    if ((IS(rounds_as_caller) || IS(flushes_as_caller)) && w->out.dtype == TN_F32) compute_as_caller(y, count);
}
