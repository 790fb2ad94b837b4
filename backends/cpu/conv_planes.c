/* conv_planes.c: the gradients of a convolution where each channel has one filter and stands alone (depthwise), channel
 * by channel. They are, as conv2d is (conv_bands.c), sums over few taps, of planes that lie in memory so that a tap is
 * an offset:
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

/* The rows of x that one phase has, if `into` from its plane back to where they belong. */
typedef struct rows {
    int64_t n, columns, row; /* row: elements from each to the next */
    char *x, *plane;         /* plane: where column 0 would be, if the phase had it */
    int into;
} rows;

/* Columns that lie two apart are brought together two phases at a time. */
static void move_pairs(const conv_kernel *k, const rows *o)
{
    char *phase[2];
    for (int64_t f = 0; f < 2; f++)
        phase[f] = o->plane + ((f + k->pad[1]) % 2 * k->deep * k->wide + (f + k->pad[1]) / 2) * k->size;
    if (o->into)
        k->moves->join(o->n, o->columns, phase[0], phase[1], k->wide, o->x, o->row);
    else
        k->moves->part(o->n, o->columns, o->x, o->row, phase[0], phase[1], k->wide);
}

static void move_steps(const conv_kernel *k, const rows *o)
{
    const int64_t step = k->stride[1];
    for (int64_t h = 0; h < o->n; h++)
        for (int64_t f = 0; f < step; f++) {
            const int64_t j = (f + step - k->pad[1] % step) % step, n = (o->columns - j + step - 1) / step;
            char *in_plane = o->plane + ((f * k->deep + h) * k->wide + (j + k->pad[1]) / step) * k->size;
            char *x = o->x + (h * o->row + j) * k->size;
            o->into ? copy(k->size, n, in_plane, 1, x, step) : copy(k->size, n, x, step, in_plane, 1);
        }
}

static void move_rows(const conv_kernel *k, const rows *o)
{
    char *beside = o->plane + k->pad[1] * k->size;
    if (k->stride[1] == 2)
        move_pairs(k, o);
    else if (k->stride[1] != 1)
        move_steps(k, o);
    else if (o->into)
        k->moves->copy(o->n, o->columns, beside, k->wide, o->x, o->row);
    else
        k->moves->copy(o->n, o->columns, o->x, o->row, beside, k->wide);
}

void cpu_conv_stage_rows(const conv_kernel *k, char *x, const cpu_conv_rows *o, char *plane)
{
    const int64_t columns = min_of(k->w, k->wp - k->pad[1]), step = k->stride[0];
    for (int64_t h = 0; h < step && o->begin + h < o->end && columns > 0; h++) {
        const int64_t i = o->to + h, row = i % step * k->stride[1] * k->deep + i / step;
        move_rows(k, &(rows){(o->end - o->begin - h + step - 1) / step, columns, step * k->w,
                             x + (o->begin + h) * k->w * k->size, plane + row * k->wide * k->size, o->into});
    }
}

/* A channel of x into its plane, or `into` x out of it. */
static void move_x(const conv_kernel *k, char *x, int into, char *plane)
{
    cpu_conv_stage_rows(k, x, &(cpu_conv_rows){0, min_of(k->h, k->hp - k->pad[0]), k->pad[0], into}, plane);
}

/* Elements of y's plane, up to the last. */
static int64_t extent(const conv_kernel *k)
{
    return (k->p - 1) * k->wide + k->q;
}

void cpu_conv_order_weight(const conv_kernel *k, const char *weight, char *to)
{
    if (k->size == 4)
        for (int64_t t = 0; t < k->taps; t++)
            ((float *)(void *)to)[t] = ((const float *)(const void *)weight)[k->number[t]];
    else
        for (int64_t t = 0; t < k->taps; t++)
            ((double *)(void *)to)[t] = ((const double *)(const void *)weight)[k->number[t]];
}

/* So many pictures of one channel each, x or y; the next, unless there is none. */
static const char *plane_at(const char *first, int64_t i, int64_t end, int64_t bytes)
{
    return first + min_of(i, end - 1) * bytes;
}

static int64_t times(int64_t elements, int64_t n)
{
    return (elements + n - 1) / n;
}

/* ---- the gradients, on a thread ---- */

/* Whether windows see all of x. */
static int sees_all(const conv_kernel *k)
{
    return k->hp - k->pad[0] >= k->h && k->wp - k->pad[1] >= k->w;
}

/* The phases of dx, from y's plane. Meanwhile comes the next dy, and where the next dx goes. */
static void sum_phases(const conv_kernel *k, const planes *o, const char *next_dy, const char *next_dx)
{
    const int64_t phase = k->deep * k->wide;
    for (int64_t f = 0; f < phases(k); f++) {
        const int64_t first = k->first[f];
        const cpu_plane plane = {k->first[f + 1] - first,
                                 phase,
                                 k->tap + first,
                                 o->y,
                                 {{next_dy, f ? 0 : times(k->pixels, phase)}, {next_dx + f * phase * k->size, 1}}};
        k->loops->sum(&plane, o->weight + first * k->size, o->x + f * phase * k->size);
    }
}

void cpu_conv_data_planes(const conv_kernel *k, const cpu_run *run, int thread, int threads)
{
    const planes o = planes_of(k, run, thread);
    const int64_t items = k->b * k->groups, end = items * (thread + 1) / threads;
    const int64_t x = k->h * k->w * k->size, y = k->pixels * k->size;
    for (int64_t i = items * thread / threads; i < end; i++) {
        char *dx = run->out[0] + i * x;
        k->moves->copy(k->p, k->q, run->in[0] + i * y, k->q, o.y + reach(k) * k->size, k->wide);
        cpu_conv_order_weight(k, run->in[1] + i % k->groups * k->taps * k->size, o.weight);
        sum_phases(k, &o, plane_at(run->in[0], i + 1, end, y), plane_at(run->out[0], i + 1, end, x));
        if (!sees_all(k)) memset(dx, 0, (uint64_t)(k->h * k->w * k->size));
        move_x(k, dx, 1, o.x);
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
    const int64_t n = extent(k), all = k->b * k->groups, x = k->h * k->w * k->size, y = k->pixels * k->size;
    cpu_plane plane = {k->taps, n, k->tap, o->x, {{NULL, times(k->h * k->w, n)}, {NULL, 1}}};
    memset(o->sum, 0, (uint64_t)k->taps * sizeof *o->sum);
    for (int64_t i = g; i < all; i += k->groups) {
        move_x(k, (char *)(uintptr_t)plane_at(run->in[0], i, all, x), 0, o->x);
        k->moves->copy(k->p, k->q, run->in[1] + i * y, k->q, o->y, k->wide);
        plane.soon[0].at = plane_at(run->in[0], i + k->groups, all, x);
        plane.soon[1].at = plane_at(run->in[1], i + k->groups, all, y);
        if (exactly)
            dot_exactly(k, o);
        else
            k->loops->dot(&plane, o->y, o->sum);
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
