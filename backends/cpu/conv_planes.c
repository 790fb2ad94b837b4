/* conv_planes.c: the convolutions where each channel has one filter and stands alone (depthwise), channel by channel.
 * All three are sums over few taps, of planes that lie in memory so that a tap is an offset:
 *
 *   x, padded, and its rows and columns apart by where they stand in a step of the window, its "phase": with steps of
 *   (2, 1) all even rows lie before all odd ones. Each phase has `deep` rows of `wide` elements.
 *   y, with its rows `wide` elements apart.
 *
 * So loops run over whole planes in whole vectors. What they make of the elements between the rows of y is dropped.
 * Between those of dy are zeros, and the products with them count for nothing unless x is infinite: then the sums are
 * not finite either, and are made again without. */
#include "conv.h"

#include <math.h>
#include <string.h>

enum { STEP = 4 /* of the window, at most */ };

int cpu_conv_by_planes(const conv_kernel *k)
{
    return k->c == 1 && k->k == 1 && k->stride[0] <= STEP && k->stride[1] <= STEP && k->r * k->s > 0 &&
           k->p * k->q > 0 && k->h * k->w > 0;
}

static int64_t phases(const conv_kernel *k)
{
    return k->stride[0] * k->stride[1];
}

/* The most that a tap is away from where its phase begins; so much memory lies before y. */
static int64_t reach(const conv_kernel *k)
{
    return (k->r - 1) * k->dilation[0] / k->stride[0] * k->wide + (k->s - 1) * k->dilation[1] / k->stride[1];
}

static int64_t bytes_of(const conv_kernel *k, int64_t n)
{
    return round_up((n + k->loops->at_once) * k->size, CPU_ALIGN);
}

void cpu_conv_set_planes(conv_kernel *k, int backwards)
{
    k->loops = cpu_code->plane[k->size == 4 ? CPU_F32 : CPU_F64];
    k->backwards = backwards;
    k->deep = (k->hp + k->stride[0] - 1) / k->stride[0], k->wide = (k->wp + k->stride[1] - 1) / k->stride[1];
    k->staging = bytes_of(k, phases(k) * k->deep * k->wide);
    cpu_conv_set_scratch(k, 0, bytes_of(k, reach(k) + k->deep * k->wide) + 2 * bytes_of(k, 2 * k->taps));
}

/* The taps, phase by phase: where each begins in x, or for the way back where in y; and its number. */
int32_t cpu_conv_list_planes(conv_kernel *k, tn_msg *msg)
{
    k->tap = cpu_allocate((uint64_t)(2 * k->taps + phases(k) + 1) * sizeof *k->tap);
    if (!k->tap) return cpu_fail(msg, TN_ENOMEM, "out of memory for a convolution's tables");
    k->number = k->tap + k->taps, k->first = k->number + k->taps;
    int64_t n = 0;
    for (int64_t f = 0; f < phases(k); f++) {
        k->first[f] = n;
        for (int64_t t = 0; t < k->taps; t++) {
            const int64_t h = t / k->s * k->dilation[0], w = t % k->s * k->dilation[1];
            const int64_t at = h / k->stride[0] * k->wide + w / k->stride[1];
            if (h % k->stride[0] * k->stride[1] + w % k->stride[1] != f) continue;
            k->tap[n] = k->backwards ? reach(k) - at : f * k->deep * k->wide + at;
            k->number[n++] = t;
        }
    }
    k->first[phases(k)] = n;
    return TN_OK;
}

/* ---- planes ---- */

/* A thread's memory. */
typedef struct planes {
    char *x, *y;
    char *weight; /* of one channel, in the order of the taps */
    double *sum;
} planes;

static planes planes_of(const conv_kernel *k, const cpu_run *run, int thread)
{
    char *x = cpu_conv_staging(k, run, thread), *y = cpu_conv_packed(k, run, thread),
         *weight = y + bytes_of(k, reach(k) + k->deep * k->wide);
    memset(x, 0, (uint64_t)(weight - x));
    return (planes){x, y, weight, (double *)(void *)(weight + bytes_of(k, 2 * k->taps))};
}

static void copy(int64_t size, int64_t n, const void *from, int64_t from_step, void *to, int64_t to_step)
{
    if (n <= 0) return;
    if (from_step == 1 && to_step == 1)
        memcpy(to, from, (uint64_t)(n * size));
    else if (size == 4)
        for (int64_t i = 0; i < n; i++) ((float *)to)[i * to_step] = ((const float *)from)[i * from_step];
    else
        for (int64_t i = 0; i < n; i++) ((double *)to)[i * to_step] = ((const double *)from)[i * from_step];
}

/* A channel of x into its plane, or if `dx` is given back out of it. */
static void move_x(const conv_kernel *k, const char *x, char *dx, char *plane)
{
    const int64_t rows = min_of(k->h, k->hp - k->pad[0]), columns = min_of(k->w, k->wp - k->pad[1]);
    const int64_t step = k->stride[1];
    for (int64_t h = 0; h < rows; h++)
        for (int64_t f = 0; f < step; f++) {
            const int64_t i = h + k->pad[0], j = (f + step - k->pad[1] % step) % step, at = (h * k->w + j) * k->size;
            const int64_t row = (i % k->stride[0] * step + f) * k->deep + i / k->stride[0];
            char *in_plane = plane + (row * k->wide + (j + k->pad[1]) / step) * k->size;
            const int64_t n = (columns - j + step - 1) / step;
            dx ? copy(k->size, n, in_plane, 1, dx + at, step) : copy(k->size, n, x + at, step, in_plane, 1);
        }
}

static void copy_rows(const conv_kernel *k, const char *from, int64_t from_row, char *to, int64_t to_row)
{
    for (int64_t i = 0; i < k->p; i++, from += from_row * k->size, to += to_row * k->size)
        memcpy(to, from, (uint64_t)(k->q * k->size));
}

/* Elements of y's plane, up to the last. */
static int64_t extent(const conv_kernel *k)
{
    return (k->p - 1) * k->wide + k->q;
}

static void order_weight(const conv_kernel *k, const char *weight, char *to)
{
    for (int64_t t = 0; t < k->taps; t++) memcpy(to + t * k->size, weight + k->number[t] * k->size, (uint64_t)k->size);
}

/* ---- the three directions, on a thread ---- */

void cpu_conv_forward_planes(const conv_kernel *k, const cpu_run *run, int thread, int threads)
{
    const planes o = planes_of(k, run, thread);
    const int64_t items = k->b * k->groups;
    cpu_conv_epilogue epilogue;
    cpu_conv_begin_epilogue(k, run, thread, &epilogue);
    for (int64_t i = items * thread / threads; i < items * (thread + 1) / threads; i++) {
        move_x(k, run->in[0] + i * k->h * k->w * k->size, NULL, o.x);
        order_weight(k, run->in[1] + i % k->groups * k->taps * k->size, o.weight);
        k->loops->sum(k->taps, k->tap, o.weight, o.x, extent(k), o.y);
        copy_rows(k, o.y, k->wide, run->out[0] + i * k->pixels * k->size, k->q);
        cpu_conv_run_epilogue(k, &epilogue, i, 0, k->pixels);
    }
}

void cpu_conv_data_planes(const conv_kernel *k, const cpu_run *run, int thread, int threads)
{
    const planes o = planes_of(k, run, thread);
    const int64_t items = k->b * k->groups, phase = k->deep * k->wide;
    for (int64_t i = items * thread / threads; i < items * (thread + 1) / threads; i++) {
        char *dx = run->out[0] + i * k->h * k->w * k->size;
        copy_rows(k, run->in[0] + i * k->pixels * k->size, k->q, o.y + reach(k) * k->size, k->wide);
        order_weight(k, run->in[1] + i % k->groups * k->taps * k->size, o.weight);
        for (int64_t f = 0; f < phases(k); f++)
            k->loops->sum(k->first[f + 1] - k->first[f], k->tap + k->first[f], o.weight + k->first[f] * k->size, o.y,
                          phase, o.x + f * phase * k->size);
        memset(dx, 0, (uint64_t)(k->h * k->w * k->size)); /* for what no window sees */
        move_x(k, NULL, dx, o.x);
    }
}

static double element(int64_t size, const char *at, int64_t i)
{
    return size == 4 ? (double)((const float *)(const void *)at)[i] : ((const double *)(const void *)at)[i];
}

/* The sums, over y's own elements alone. */
static void dot_exactly(const conv_kernel *k, const planes *o)
{
    for (int64_t t = 0; t < k->taps; t++)
        for (int64_t i = 0; i < k->p; i++)
            for (int64_t j = i * k->wide; j < i * k->wide + k->q; j++)
                o->sum[t] += element(k->size, o->x, k->tap[t] + j) * element(k->size, o->y, j);
}

static int all_finite(const double *sum, int64_t n)
{
    int finite = 1;
    for (int64_t t = 0; t < n; t++) finite &= isfinite(sum[t]) != 0;
    return finite;
}

/* The sums over all pictures of one channel. */
static void sum_channel(const conv_kernel *k, const cpu_run *run, const planes *o, int64_t g, int exactly)
{
    memset(o->sum, 0, (uint64_t)k->taps * sizeof *o->sum);
    for (int64_t n = 0; n < k->b; n++) {
        move_x(k, run->in[0] + (n * k->groups + g) * k->h * k->w * k->size, NULL, o->x);
        copy_rows(k, run->in[1] + (n * k->groups + g) * k->pixels * k->size, k->q, o->y, k->wide);
        if (exactly)
            dot_exactly(k, o);
        else
            k->loops->dot(k->taps, k->tap, o->x, o->y, extent(k), o->sum);
    }
}

void cpu_conv_weight_planes(const conv_kernel *k, const cpu_run *run, int thread, int threads)
{
    const planes o = planes_of(k, run, thread);
    for (int64_t g = k->groups * thread / threads; g < k->groups * (thread + 1) / threads; g++) {
        sum_channel(k, run, &o, g, 0);
        if (!all_finite(o.sum, k->taps)) sum_channel(k, run, &o, g, 1);
        for (int64_t t = 0; t < k->taps; t++) {
            const int64_t to = g * k->taps + k->number[t];
            if (k->size == 4)
                ((float *)(void *)run->out[0])[to] = (float)o.sum[t];
            else
                ((double *)(void *)run->out[0])[to] = o.sum[t];
        }
    }
}
