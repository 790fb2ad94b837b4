/* trial.c: candidates of one operator on trial: random operands, the reference's results, the comparison, the clock.
 *
 * What is allowed: results are off by the rounding of their operands and of the sums on the way. How much that is, for
 * this operator with this epilogue, is measured: the reference computes once more, on operands each of which is off by
 * about a unit in its last place (or, of factors that may be rounded, in the last that is kept), and the root mean
 * square of what that changes is the measure. A candidate may be off by 32 of these, times what tn_order_of grants long
 * sums, and by 4 units of the result itself. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attrs.h"
#include "budget.h"
#include "clock.h"
#include "error.h"
#include "reference_internal.h"
#include "tuner.h"

#define CHECKED  1e8  /* operations that the reference does at most, or a little more */
#define SLACK    32   /* root mean squares */
#define LAST     4    /* units of the result */
#define RUNS     32   /* of a measurement at most */
#define LEAST    3    /* at least */
#define LONG     0.02 /* seconds after which it ends */
#define TOO_SLOW 1.5  /* times what would be enough: then one run tells */

/* Which elements of a result are compared: along one dimension of each operand (-1: it is there as a whole), those of a
 * list. */
typedef struct cut {
    int8_t in[TN_MAX_OPERANDS], out[TN_MAX_OPERANDS];
    int64_t *at; /* NULL: all */
    int64_t count;
} cut;

enum { CUTS = 2 };

struct tn_trial {
    const tn_device *device;
    const tn_ext_tune *tune;
    const tn_ext_observe *observe; /* NULL: the host's clock is all there is */
    const tn_op_desc *desc;
    const tn_op_def *op;
    tn_region region;
    tn_queue *queue;
    tn_buffer *in[TN_MAX_OPERANDS], *out[TN_MAX_OPERANDS], *scratch;
    uint64_t scratch_bytes;
    unsigned char *bytes[TN_MAX_OPERANDS]; /* of the inputs */
    tn_scalar scalar[TN_MAX_OPERANDS];
    cut cut[CUTS];
    tn_tensor_desc some_in[TN_MAX_OPERANDS], some_out[TN_MAX_OPERANDS]; /* the part that is compared */
    double *want[TN_MAX_OPERANDS], *got[TN_MAX_OPERANDS];
    double allowed[TN_MAX_OPERANDS];
    double hurry; /* the host's time from which on there is none for more runs than one */
    uint64_t random;
};

/* ---- operands ---------------------------------------------------------------------------------------------------- */

/* In -1 .. 1; Knuth's constants. */
static double draw(tn_trial *t)
{
    t->random = t->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(int64_t)(t->random >> 11) * 0x1p-52 - 1;
}

static void *numbers(int64_t count)
{
    return tn_alloc(((size_t)count + 1) * sizeof(double));
}

/* All elements between the first and the last, whatever the strides. */
static tn_status fill(tn_trial *t, uint32_t i)
{
    const tn_tensor_desc *x = &t->desc->in[i];
    const uint64_t bytes = tn_reference_extent(x);
    const tn_tensor_desc flat = {
        .dtype = x->dtype, .rank = 1, .dim = {(int64_t)(bytes / tn_dtype_size(x->dtype))}, .stride = {1}};
    t->bytes[i] = tn_region_alloc(&t->region, bytes + 1);
    double *value = t->bytes[i] ? numbers(flat.dim[0]) : NULL;
    if (!value) return TN_ENOMEM;
    for (int64_t e = 0; e < flat.dim[0]; e++) value[e] = tn_is_whole(x->dtype) ? floor(2 + 2 * draw(t)) : draw(t);
    tn_reference_store(t->bytes[i], value, &flat);
    tn_free(value);
    return tn_buffer_make(t->device, bytes, &t->in[i]);
}

static int32_t alias_of(const tn_trial *t, uint32_t k)
{
    return t->desc->alias ? t->desc->alias[k] : -1;
}

static void set_scalars(tn_trial *t)
{
    const tn_map_attrs *map = tn_attrs_program(t->desc);
    for (int i = 0; i < TN_MAX_OPERANDS; i++) t->scalar[i].f = 0.375;
    for (uint32_t i = 0; map && i < map->n_instr; i++) {
        const tn_map_instr *instr = &map->instr[i];
        if (!strcmp(instr->op, "scalar") && instr->dtype == TN_I32) t->scalar[instr->arg[0]].i = 3;
    }
}

static tn_status make_operands(tn_trial *t)
{
    for (uint32_t i = 0; i < t->desc->n_in; i++) TN_TRY(fill(t, i));
    for (uint32_t k = 0; k < t->desc->n_out; k++)
        if (alias_of(t, k) < 0) TN_TRY(tn_buffer_make(t->device, tn_reference_extent(&t->desc->out[k]), &t->out[k]));
    set_scalars(t);
    return TN_OK;
}

/* ---- the part that is compared ----------------------------------------------------------------------------------- */

/* By operator: the dimension of input 0, of input 1, of those of an epilogue, of the results. One that is transposed
 * has the other of its last two. */
static const struct {
    const char *op;
    int8_t a, b, more, out;
} ways[] = {
    {"matmul", 0, 0, 0, 0},         /* batches, */
    {"matmul", 1, -1, 1, 1},        /* rows */
    {"conv2d", 0, -1, 0, 0},        /* pictures */
    {"conv2d_data", 0, -1, -1, 0},  /* pictures */
    {"conv2d_weight", -1, 1, 0, 0}, /* filters */
};

/* A program that asks where it is would be told another place in a part. */
static int knows_its_place(const tn_op_desc *desc)
{
    const tn_map_attrs *map = tn_attrs_program(desc);
    for (uint32_t i = 0; map && i < map->n_instr; i++) {
        const char *op = map->instr[i].op;
        if (!strcmp(op, "iota") || !strcmp(op, "uniform") || !strcmp(op, "normal")) return 1;
    }
    return 0;
}

static int can_cut(const tn_op_desc *desc)
{
    if (!strcmp(desc->name, "conv2d_weight") && ((const tn_conv_attrs *)desc->attrs)->groups != 1) return 0;
    return !knows_its_place(desc);
}

static double flops_of(const tn_trial *t)
{
    tn_op_desc desc = *t->desc;
    desc.in = t->some_in, desc.out = t->some_out;
    return tn_op_cost(&desc).flops;
}

/* The first, the last, and others in order at random. */
static tn_status choose_places(tn_trial *t, cut *c, int64_t all)
{
    const double share = CHECKED / fmax(flops_of(t), 1);
    int64_t wanted = (int64_t)ceil((double)all * share), n = 0;
    if (share >= 1 || all < 3) return TN_OK;
    if (wanted < 4) wanted = 4;
    if (wanted >= all) return TN_OK;
    c->at = tn_region_alloc(&t->region, (size_t)(wanted + 2) * sizeof *c->at);
    if (!c->at) return TN_ENOMEM;
    for (int64_t i = 0; i < all && n < wanted; i++) {
        const double left = (double)(wanted - n - 1), chance = left / (double)(all - i);
        if (!i || i == all - 1 || (left >= 1 && (draw(t) + 1) / 2 < chance)) c->at[n++] = i;
    }
    c->count = n;
    return TN_OK;
}

static void set_cut(const tn_trial *t, size_t way, cut *c)
{
    const tn_op_desc *desc = t->desc;
    for (uint32_t i = 0; i < desc->n_in; i++) c->in[i] = i == 0 ? ways[way].a : i == 1 ? ways[way].b : ways[way].more;
    for (uint32_t k = 0; k < desc->n_out; k++) c->out[k] = ways[way].out;
    if (!strcmp(desc->name, "conv2d_weight") && ((const tn_conv_attrs *)desc->attrs)->channels_last) c->in[1] = 3;
    if (c->in[0] == 1 && !strcmp(desc->name, "matmul") && ((const tn_matmul_attrs *)desc->attrs)->trans_a) c->in[0] = 2;
}

static void make_dense(tn_tensor_desc *desc, const tn_tensor_desc *like)
{
    int64_t stride = 1;
    *desc = *like;
    for (int32_t d = desc->rank; d--;) desc->stride[d] = stride, stride *= desc->dim[d];
}

static void cut_desc(tn_tensor_desc *desc, int8_t dim, const cut *c)
{
    if (dim >= 0 && c->at) desc->dim[dim] = c->count;
    make_dense(desc, desc);
}

/* Decides on the part, one way after the other, until it is small enough. */
static tn_status find_part(tn_trial *t)
{
    int n = 0;
    for (uint32_t i = 0; i < t->desc->n_in; i++) make_dense(&t->some_in[i], &t->desc->in[i]);
    for (uint32_t k = 0; k < t->desc->n_out; k++) make_dense(&t->some_out[k], &t->desc->out[k]);
    for (size_t w = 0; can_cut(t->desc) && w < sizeof ways / sizeof *ways && n < CUTS; w++) {
        if (strcmp(ways[w].op, t->desc->name)) continue;
        cut *c = &t->cut[n++];
        set_cut(t, w, c);
        TN_TRY(choose_places(t, c, t->desc->out[0].dim[ways[w].out]));
        for (uint32_t i = 0; i < t->desc->n_in; i++) cut_desc(&t->some_in[i], c->in[i], c);
        for (uint32_t k = 0; k < t->desc->n_out; k++) cut_desc(&t->some_out[k], c->out[k], c);
    }
    return TN_OK;
}

/* The elements of `from`, of those dimensions, whose place along `dim` is in the list, in place; changes `desc`. */
static void take_places(double *value, tn_tensor_desc *desc, int8_t dim, const cut *c)
{
    int64_t outer = 1, inner = 1, n = 0;
    if (dim < 0 || !c->at) return;
    const int64_t all = desc->dim[dim];
    for (int32_t d = 0; d < dim; d++) outer *= desc->dim[d];
    for (int32_t d = dim + 1; d < desc->rank; d++) inner *= desc->dim[d];
    for (int64_t o = 0; o < outer; o++)
        for (int64_t i = 0; i < c->count; i++)
            for (int64_t e = 0; e < inner; e++) value[n++] = value[(o * all + c->at[i]) * inner + e];
    desc->dim[dim] = c->count;
}

/* The part of an operand as doubles, which the caller frees. */
static double *load(const tn_trial *t, const unsigned char *bytes, const tn_tensor_desc *desc, int is_out, uint32_t i)
{
    tn_tensor_desc now = *desc;
    double *value = numbers(tn_desc_count(desc));
    if (!value) return NULL;
    if (tn_desc_count(desc)) tn_reference_load(value, bytes, desc);
    for (int n = 0; n < CUTS; n++) take_places(value, &now, is_out ? t->cut[n].out[i] : t->cut[n].in[i], &t->cut[n]);
    return value;
}

/* ---- what the reference makes of it ------------------------------------------------------------------------------ */

static void refer(const tn_trial *t, double *const in[], double *const out[])
{
    tn_op_desc desc = *t->desc;
    desc.in = t->some_in, desc.out = t->some_out;
    t->op->reference(&(tn_reference_call){&desc, (const double *const *)in, out, t->scalar});
}

static void shake(tn_trial *t, double *const in[])
{
    for (uint32_t i = 0; i < t->desc->n_in; i++) {
        static const double rounding[] = {[TN_PRECISION_F32_FAST] = 0x1p12, [TN_PRECISION_BF16] = 0x1p15};
        const int rounds = t->desc->precision && i < 2;
        const double unit = tn_unit_of(t->desc->in[i].dtype == TN_F64 ? TN_F64 : TN_F32) *
                            (1 + (rounds ? rounding[t->desc->precision] : 0));
        for (int64_t e = 0; !tn_is_whole(t->desc->in[i].dtype) && e < tn_desc_count(&t->some_in[i]); e++)
            in[i][e] *= 1 + unit * draw(t);
    }
}

/* The root mean square of what shaking changed. */
static double changed(const double *want, const double *now, int64_t count)
{
    double sum = 0;
    int64_t n = 0;
    for (int64_t e = 0; e < count; e++)
        if (isfinite(want[e]) && isfinite(now[e])) sum += (want[e] - now[e]) * (want[e] - now[e]), n++;
    return n ? sqrt(sum / (double)n) : 0;
}

static tn_status expect_with(tn_trial *t, double *const in[])
{
    const double order = tn_order_of(t->desc);
    for (uint32_t k = 0; k < t->desc->n_out; k++) {
        t->want[k] = tn_region_alloc(&t->region, ((size_t)tn_desc_count(&t->some_out[k]) + 1) * sizeof(double));
        t->got[k] = tn_region_alloc(&t->region, ((size_t)tn_desc_count(&t->some_out[k]) + 1) * sizeof(double));
        if (!t->want[k] || !t->got[k]) return TN_ENOMEM;
    }
    refer(t, in, t->want);
    shake(t, in);
    refer(t, in, t->got);
    for (uint32_t k = 0; k < t->desc->n_out; k++)
        t->allowed[k] = SLACK * order * changed(t->want[k], t->got[k], tn_desc_count(&t->some_out[k]));
    return TN_OK;
}

static tn_status expect(tn_trial *t)
{
    double *in[TN_MAX_OPERANDS] = {0};
    tn_status s = find_part(t);
    for (uint32_t i = 0; i < t->desc->n_in && !s; i++)
        if (!(in[i] = load(t, t->bytes[i], &t->desc->in[i], 0, i))) s = TN_ENOMEM;
    if (!s) s = expect_with(t, in);
    for (uint32_t i = 0; i < t->desc->n_in; i++) tn_free(in[i]);
    return s;
}

/* The largest error in parts of what is allowed; NaN where there should be none is infinitely wrong. */
static double error_of(const tn_trial *t, uint32_t k, const double *got)
{
    const double unit = tn_unit_of(t->desc->out[k].dtype);
    double worst = 0;
    for (int64_t e = 0; e < tn_desc_count(&t->some_out[k]); e++) {
        const double want = t->want[k][e];
        if (got[e] == want || (isnan(got[e]) && isnan(want))) continue;
        const double error = fabs(got[e] - want) / (t->allowed[k] + LAST * unit * fabs(want) + 1e-30);
        worst = error > worst || isnan(error) ? (isnan(error) ? INFINITY : error) : worst;
    }
    return worst;
}

/* ---- runs -------------------------------------------------------------------------------------------------------- */

static tn_buffer *buffer_of(const tn_trial *t, uint32_t k)
{
    return alias_of(t, k) < 0 ? t->out[k] : t->in[alias_of(t, k)];
}

static int32_t run(tn_trial *t, tn_kernel *kernel, tn_msg *msg)
{
    tn_ref in[TN_MAX_OPERANDS] = {0}, out[TN_MAX_OPERANDS] = {0};
    for (uint32_t i = 0; i < t->desc->n_in; i++) in[i].buffer = t->in[i];
    for (uint32_t k = 0; k < t->desc->n_out; k++) out[k].buffer = buffer_of(t, k);
    const tn_run run = {.size = sizeof run,
                        .in = in,
                        .out = out,
                        .scratch = {.buffer = t->scratch},
                        .scalar = t->scalar,
                        .n_scalar = TN_MAX_SCALARS};
    return t->device->backend->op_run(t->queue, kernel, &run, msg);
}

static int32_t sync(tn_trial *t, tn_msg *msg)
{
    return t->device->backend->queue_sync(t->queue, msg);
}

/* Operands as they were drawn; results that nobody could take for right. */
static int32_t reset(tn_trial *t, tn_msg *msg)
{
    const tn_backend *b = t->device->backend;
    const uint32_t none = UINT32_MAX; /* NaN */
    int32_t s = TN_OK;
    for (uint32_t i = 0; i < t->desc->n_in && !s; i++)
        s = b->write(t->queue, (tn_ref){.buffer = t->in[i]}, t->bytes[i], tn_reference_extent(&t->desc->in[i]), msg);
    for (uint32_t k = 0; k < t->desc->n_out && !s; k++) {
        const uint64_t bytes = tn_reference_extent(&t->desc->out[k]);
        if (t->out[k]) s = b->fill(t->queue, (tn_ref){.buffer = t->out[k]}, bytes, &none, bytes % 4 ? 1 : 4, msg);
    }
    return s ? s : sync(t, msg);
}

static int32_t compare(tn_trial *t, tn_outcome *outcome, tn_msg *msg)
{
    int32_t s = TN_OK;
    for (uint32_t k = 0; k < t->desc->n_out && !s; k++) {
        const uint64_t bytes = tn_reference_extent(&t->desc->out[k]);
        unsigned char *result = tn_alloc(bytes + 1);
        double *got = NULL;
        s = result ? t->device->backend->read(t->queue, result, (tn_ref){.buffer = buffer_of(t, k)}, bytes, msg)
                   : TN_ENOMEM;
        if (!s) s = sync(t, msg);
        if (!s && !(got = load(t, result, &t->desc->out[k], 1, k))) s = TN_ENOMEM;
        if (!s) outcome->error = fmax(outcome->error, error_of(t, k, got));
        tn_free(got);
        tn_free(result);
    }
    if (!s) outcome->verdict = outcome->error <= 1 ? TN_TRIAL_RIGHT : TN_TRIAL_WRONG;
    return s;
}

/* Seconds of one run. */
static int32_t time_run(tn_trial *t, tn_kernel *kernel, double *seconds, tn_msg *msg)
{
    tn_span span;
    uint32_t count = 0;
    const double begun = tn_now();
    int32_t s = run(t, kernel, msg);
    if (!s) s = sync(t, msg);
    *seconds = tn_now() - begun;
    if (!s && t->observe) s = t->observe->spans_take(t->queue, &span, 1, &count, msg);
    if (!s && count) *seconds = 1e-9 * (double)(span.end - span.begin);
    return s;
}

static int32_t record(tn_trial *t, uint32_t spans, tn_msg *msg)
{
    return t->observe ? t->observe->spans_record(t->queue, spans, msg) : TN_OK;
}

/* `first`: seconds of the first run, which is all that there is time for if it was long. */
static int32_t measure(tn_trial *t, tn_kernel *kernel, double first, double enough, tn_outcome *outcome, tn_msg *msg)
{
    const double begun = tn_now();
    outcome->seconds = fmax(first, 1e-9);
    if (first > LONG && begun + first > t->hurry) return TN_OK;
    int32_t s = record(t, 1, msg);
    for (int i = 0; i < RUNS && !s; i++) {
        double seconds = 0;
        s = time_run(t, kernel, &seconds, msg);
        outcome->seconds = fmin(outcome->seconds, fmax(seconds, 1e-9));
        const double now = tn_now();
        if (outcome->seconds > TOO_SLOW * enough) break;
        if (now - begun > LONG && (i + 1 >= LEAST || now > t->hurry)) break;
    }
    return s ? s : record(t, 0, msg);
}

/* The first run, measured as well. */
static int32_t run_first(tn_trial *t, tn_kernel *kernel, double *seconds, tn_msg *msg)
{
    int32_t s = record(t, 1, msg);
    if (!s) s = reset(t, msg);
    if (!s) s = time_run(t, kernel, seconds, msg);
    return s ? s : record(t, 0, msg);
}

static tn_status give_scratch(tn_trial *t, uint64_t bytes)
{
    if (bytes <= t->scratch_bytes) return TN_OK;
    t->device->backend->buffer_destroy(t->scratch);
    t->scratch = NULL, t->scratch_bytes = 0;
    TN_TRY(tn_buffer_make(t->device, bytes, &t->scratch));
    t->scratch_bytes = bytes;
    return TN_OK;
}

/* A queue that an earlier candidate spoilt is of no use to the next. */
static tn_status fresh_queue(tn_trial *t)
{
    if (t->queue) t->device->backend->queue_destroy(t->queue);
    t->queue = NULL;
    return tn_queue_make(t->device, &t->queue);
}

static int32_t try_kernel(tn_trial *t, tn_kernel *kernel, double enough, int measures, tn_outcome *outcome, tn_msg *msg)
{
    double first = 0;
    int32_t s = tn_kernel_finish(t->device, kernel);
    if (s) return snprintf(msg->text, msg->capacity, "%s", tn_message()), s;
    const double begun = tn_now();
    s = t->tune->chosen(kernel, outcome->text, sizeof outcome->text, msg);
    if (!s) s = run_first(t, kernel, &first, msg);
    if (!s) s = compare(t, outcome, msg);
    if (!s && measures && outcome->verdict == TN_TRIAL_RIGHT) s = measure(t, kernel, first, enough, outcome, msg);
    outcome->spent = tn_now() - begun;
    return s;
}

tn_status tn_trial_run(tn_trial *t, const char *choice, double enough, int measures, tn_outcome *outcome)
{
    TN_MESSAGE(msg);
    tn_kernel *kernel = NULL;
    tn_kernel_info info = {.size = sizeof info};
    *outcome = (tn_outcome){.verdict = TN_TRIAL_FAILED};
    TN_TRY(fresh_queue(t));
    int32_t s = t->tune->prepare(t->device->context, t->desc, choice, &kernel, &info, &msg);
    if (!s && kernel && (s = give_scratch(t, info.scratch))) snprintf(msg.text, msg.capacity, "%s", tn_message());
    if (!s && kernel) s = try_kernel(t, kernel, enough, measures, outcome, &msg);
    if (s) outcome->verdict = TN_TRIAL_FAILED;
    if (outcome->verdict == TN_TRIAL_FAILED) snprintf(outcome->why, sizeof outcome->why, "%s", msg.text);
    const int32_t late = sync(t, &msg);
    if (late) outcome->verdict = TN_TRIAL_FAILED;
    outcome->status = s ? s : late;
    if (kernel) t->device->backend->op_release(kernel);
    return TN_OK;
}

/* ---- beginning and end ------------------------------------------------------------------------------------------- */

static const tn_ext_observe *observer(const tn_backend *backend)
{
    const tn_ext_observe *ext = tn_backend_extension(backend, TN_EXT_OBSERVE);
    return ext && TN_HAS(tn_ext_observe, ext, spans_take) && ext->spans_record && ext->spans_take ? ext : NULL;
}

tn_status tn_trial_new(const tn_device *device, const tn_op_desc *desc, tn_trial **trial)
{
    tn_trial *t = tn_alloc(sizeof *t);
    if (!t) return TN_ENOMEM;
    t->device = device, t->desc = desc, t->random = 1, t->hurry = INFINITY;
    t->tune = tn_tune_extension(device->backend);
    t->observe = observer(device->backend);
    t->op = tn_op_named(desc->name);
    tn_status s = t->op && t->op->reference ? TN_OK : tn_fail(TN_EUNSUPPORTED, "%s has no reference", desc->name);
    if (!s) s = make_operands(t);
    if (!s) s = expect(t);
    if (s) return tn_trial_free(t), s;
    *trial = t;
    return TN_OK;
}

void tn_trial_hurry(tn_trial *t, double from)
{
    t->hurry = from;
}

void tn_trial_free(tn_trial *t)
{
    if (!t) return;
    const tn_backend *b = t->device->backend;
    if (t->queue) b->queue_destroy(t->queue);
    for (int i = 0; i < TN_MAX_OPERANDS; i++) b->buffer_destroy(t->in[i]), b->buffer_destroy(t->out[i]);
    b->buffer_destroy(t->scratch);
    tn_region_free(&t->region);
    tn_free(t);
}
