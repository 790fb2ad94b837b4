/* gradients.c: each operator's gradient, computed on the device in double precision, against central differences of the
 * reference; on devices that have no such numbers in single precision, against the reference's in double; and a hundred
 * steps of each optimizer. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kit.h"
#include "tenon/optim.h"

enum { PROBES = 6 }; /* elements of each operand that are moved */

#define SINGLE_BUDGET 2e-5 /* of a gradient in f32: of its own size and of the mean of all */

typedef struct probe {
    tn_kit *kit;
    const tn_op_case *now;
    tn_device *reference;
    tn_tensor *in[4];
    double *x[4], *dy;
    double *grad[4];
    int64_t count[4], y_count;
    int real[4];
} probe;

/* ---- a program on a device ---- */

/* What is compiled once and run often. */
typedef struct compiled {
    tn_graph *graph;
    tn_state *state;
    tn_program *program;
    int f64;
} compiled;

static void let_go(compiled *c)
{
    tn_program_free(c->program);
    tn_state_free(c->state);
    tn_graph_free(c->graph);
}

/* The case with its loss sum(y dy) as "loss" and, on request, gradients "g0"... */
static tn_status compile(probe *p, tn_device *device, int f64, int with_gradients, compiled *c)
{
    const tn_compile_options options = {.strict = 1, .f64 = f64};
    tn_tensor *y = NULL, *grad[4] = {0}, *wrt[4];
    size_t n = 0;
    c->f64 = f64;
    c->graph = tn_case_graph(p->now, TN_F32, p->in, &y);
    if (!c->graph) return TN_EINVAL;
    tn_shape shape = tn_shape_of(y);
    p->y_count = tn_shape_count(&shape);
    tn_tensor *loss = tn_sum(tn_mul(y, tn_input(c->graph, "dy", TN_F32, shape)), TN_ALL, 0);
    for (int i = 0; i < 4 && p->in[i]; i++) {
        tn_shape s = tn_shape_of(p->in[i]);
        p->count[i] = tn_shape_count(&s);
        if ((p->real[i] = tn_dtype_of(p->in[i]) == TN_F32)) wrt[n++] = p->in[i];
    }
    tn_output(loss, "loss");
    if (with_gradients && n) tn_grad(loss, wrt, n, grad);
    for (size_t i = 0, k = 0; with_gradients && k < n; i++) {
        const char name[] = {'g', (char)('0' + i), 0};
        if (p->real[i]) tn_output(grad[k++], name);
    }
    tn_status s = tn_state_new(device, 7, &c->state);
    return s ? s : tn_compile(c->graph, c->state, &options, &c->program);
}

/* Feeds numbers in the type of the program's input: that of its precision, or whole ones. */
static tn_status feed(const compiled *c, const char *name, const double *x, int64_t count, int real)
{
    const int as_is = real && c->f64;
    const uint64_t size = as_is ? sizeof *x : 4;
    void *converted = as_is ? NULL : malloc((size_t)(count + 1) * 4);
    if (!as_is && !converted) return TN_ENOMEM;
    for (int64_t e = 0; converted && e < count; e++)
        if (real)
            ((float *)converted)[e] = (float)x[e];
        else
            ((int32_t *)converted)[e] = (int32_t)x[e];
    tn_status s = tn_feed(c->program, name, converted ? converted : x, (uint64_t)count * size);
    free(converted);
    return s;
}

static tn_status feed_all(probe *p, const compiled *c)
{
    tn_status s = feed(c, "dy", p->dy, p->y_count, 1);
    for (int i = 0; !s && i < 4 && p->in[i]; i++) {
        const char name[] = {'x', (char)('0' + i), 0};
        s = feed(c, name, p->x[i], p->count[i], p->real[i]);
        /* an input that nothing needs is not there: no error */
        if (s == TN_EMISSING) s = TN_OK;
    }
    return s;
}

static tn_status fetch(const compiled *c, const char *name, double *x, int64_t count)
{
    if (c->f64) return tn_fetch(c->program, name, x, (uint64_t)count * sizeof *x);
    float *single = malloc((size_t)(count + 1) * sizeof *single);
    if (!single) return TN_ENOMEM;
    tn_status s = tn_fetch(c->program, name, single, (uint64_t)count * sizeof *single);
    for (int64_t e = 0; !s && e < count; e++) x[e] = (double)single[e];
    free(single);
    return s;
}

static double loss_of(probe *p, compiled *c, tn_status *s)
{
    double loss = NAN;
    if (!*s) *s = feed_all(p, c);
    if (!*s) *s = tn_program_run(c->program);
    if (!*s) *s = tn_fetch(c->program, "loss", &loss, sizeof loss);
    return loss;
}

/* ---- values ---- */

static void fill(probe *p)
{
    double low = p->now->low, high = p->now->high;
    if (low == 0 && high == 0) low = -2, high = 2;
    for (int i = 0; i < 4 && p->in[i]; i++) {
        p->x[i] = calloc((size_t)p->count[i] + 1, sizeof(double));
        p->grad[i] = calloc((size_t)p->count[i] + 1, sizeof(double));
        for (int64_t e = 0; e < p->count[i]; e++)
            p->x[i][e] = p->real[i] ? (double)(float)tn_kit_uniform(p->kit, low, high)
                                    : floor(tn_kit_uniform(p->kit, low, high + 1));
    }
    p->dy = calloc((size_t)p->y_count + 1, sizeof(double));
    for (int64_t e = 0; e < p->y_count; e++) p->dy[e] = tn_kit_uniform(p->kit, -1, 1);
}

/* ---- comparing ---- */

/* One element moved by h and h/2: where these disagree there is a kink, and nothing to compare. */
static int check_element(probe *p, compiled *forward, int i, int64_t e)
{
    double *x = &p->x[i][e], kept = *x, slope[2], got = p->grad[i][e];
    tn_status s = TN_OK;
    for (int k = 0; k < 2; k++) {
        double h = (k ? 0.5e-4 : 1e-4) * fmax(1, fabs(kept));
        *x = kept + h;
        double above = loss_of(p, forward, &s);
        *x = kept - h;
        slope[k] = (above - loss_of(p, forward, &s)) / (2 * h);
        *x = kept;
    }
    if (!tn_kit_expect(p->kit, !s, "'%s': the reference: %.300s", p->now->name, tn_message())) return 0;
    double scale = fmax(fmax(fabs(slope[1]), fabs(got)), 1e-3);
    if (!isfinite(slope[1]) || fabs(slope[0] - slope[1]) > 1e-5 * scale) return 1;
    return tn_kit_expect(p->kit, fabs(got - slope[1]) <= 2e-5 * scale,
                         "'%s': operand %d, element %lld: the gradient is %.10g, central differences give %.10g",
                         p->now->name, i, (long long)e, got, slope[1]);
}

static int check_elements(probe *p)
{
    compiled forward = {0};
    int fine = tn_kit_expect(p->kit, !compile(p, p->reference, 1, 0, &forward), "'%s' on the reference: %.300s",
                             p->now->name, tn_message());
    for (int i = 0; fine && i < 4 && p->in[i]; i++)
        for (int k = 0; fine && p->real[i] && p->count[i] && k < PROBES; k++)
            fine = check_element(p, &forward, i, (int64_t)(tn_kit_bits(p->kit) % (uint64_t)p->count[i]));
    let_go(&forward);
    return fine;
}

/* Runs the case with its gradients, which go to `grad`. */
static tn_status differentiate(probe *p, tn_device *device, int f64, double *const grad[])
{
    compiled c = {0};
    tn_status s = compile(p, device, f64, 1, &c);
    if (!s && !p->dy) fill(p);
    if (!s) s = feed_all(p, &c);
    if (!s) s = tn_program_run(c.program);
    for (int i = 0; !s && i < 4 && p->in[i]; i++) {
        const char name[] = {'g', (char)('0' + i), 0};
        if (p->real[i]) s = fetch(&c, name, grad[i] ? grad[i] : p->grad[i], p->count[i]);
    }
    let_go(&c);
    return s;
}

/* The gradient for operand i in f32, against `want`. */
static int check_single(probe *p, int i, const double *want)
{
    double mean = 0;
    for (int64_t e = 0; e < p->count[i]; e++)
        if (isfinite(want[e])) mean += fabs(want[e]) / (double)p->count[i];
    for (int64_t e = 0; e < p->count[i]; e++) {
        double off = fabs(p->grad[i][e] - want[e]), allowed = SINGLE_BUDGET * (fabs(want[e]) + mean) + 1e-30;
        if (isfinite(want[e]) &&
            !tn_kit_expect(p->kit, off <= allowed,
                           "'%s': operand %d, element %lld: the gradient in f32 is %.9g, the reference's %.9g",
                           p->now->name, i, (long long)e, p->grad[i][e], want[e]))
            return 0;
    }
    return 1;
}

/* A device that has no f64. */
static int check_all_single(probe *p)
{
    double *want[4] = {0}, *none[4] = {0};
    tn_status s = differentiate(p, p->kit->device, 0, none);
    if (s == TN_EUNSUPPORTED) return (int)++p->kit->result->refused;
    for (int i = 0; i < 4; i++) want[i] = calloc((size_t)p->count[i] + 1, sizeof(double));
    if (!s) s = differentiate(p, p->reference, 1, want);
    int fine = tn_kit_expect(p->kit, !s, "'%s': %.300s", p->now->name, tn_message());
    for (int i = 0; fine && i < 4 && p->in[i]; i++) fine = !p->real[i] || check_single(p, i, want[i]);
    for (int i = 0; i < 4; i++) free(want[i]);
    return fine;
}

/* Returns 0 after a failure. */
static int check_case(probe *p)
{
    double *none[4] = {0};
    tn_status s = differentiate(p, p->kit->device, 1, none);
    int fine = s == TN_EUNSUPPORTED
                   ? check_all_single(p)
                   : tn_kit_expect(p->kit, !s, "'%s': %.300s", p->now->name, tn_message()) && check_elements(p);
    for (int i = 0; i < 4; i++) free(p->x[i]), free(p->grad[i]);
    free(p->dy);
    return fine;
}

/* Whether its result is of the type that gradients are of. */
static int is_real(const tn_op_case *c)
{
    tn_tensor *in[4], *y = NULL;
    tn_graph *graph = tn_case_graph(c, TN_F32, in, &y);
    int real = graph && tn_dtype_of(y) == TN_F32;
    tn_graph_free(graph);
    return real;
}

void tn_kit_run_gradient(tn_kit *kit)
{
    tn_device *reference = NULL;
    if (!tn_kit_device(kit) || !tn_kit_expect(kit, !tn_device_open("reference", &reference), "%s", tn_message()))
        return;
    kit->result->checks = 0;
    for (const tn_op_case *c = kit->now->op->cases; c->build; c++) {
        probe p = {.kit = kit, .now = c, .reference = reference};
        int64_t size = 1;
        for (int i = 0; i < 4 && c->in[i].dtype; i++) size += tn_shape_count(&c->in[i].shape);
        int has_real = c->in[0].dtype == TN_F32 || (c->in[0].dtype && c->in[1].dtype == TN_F32);
        if (c->no_gradient || !has_real || size > 6000 || !is_real(c)) continue;
        if (!check_case(&p)) break;
    }
    if (kit->result->refused) tn_kit_remark(kit, "%u cases are not done", kit->result->refused);
    if (!kit->result->checks && !kit->result->refused) tn_kit_expect(kit, 1, " "); /* nothing but empty cases */
    tn_device_close(reference);
    tn_device_close(kit->device);
}

/* ---- optimizers ---- */

enum { SAMPLES = 20, INPUTS = 6, OUTPUTS = 3, STEPS = 100 };

/* A hundred steps of a small regression with a changing rate; the weights at the end. */
static tn_status descend(tn_device *device, const char *optimizer, double lr, const float *x, const float *t, float *w)
{
    compiled c = {.graph = tn_graph_new()};
    tn_tensor *a = tn_input(c.graph, "x", TN_F32, TN_SHAPE(SAMPLES, INPUTS));
    tn_tensor *target = tn_input(c.graph, "t", TN_F32, TN_SHAPE(SAMPLES, OUTPUTS));
    tn_tensor *weight = tn_param(c.graph, "w", TN_SHAPE(OUTPUTS, INPUTS), (tn_init){.kind = TN_INIT_LECUN});
    tn_minimize(tn_mean(tn_square(tn_sub(tn_tanh(tn_matmul_t(a, weight, 0, 1)), target)), TN_ALL, 0), optimizer,
                (tn_optim_options){.lr = lr});
    tn_status s = tn_state_new(device, 3, &c.state);
    if (!s) s = tn_compile(c.graph, c.state, NULL, &c.program);
    if (!s) s = tn_feed(c.program, "x", x, SAMPLES * INPUTS * sizeof *x);
    if (!s) s = tn_feed(c.program, "t", t, SAMPLES * OUTPUTS * sizeof *t);
    for (int i = 0; !s && i < STEPS; i++) {
        s = tn_set(c.program, "lr", lr * (1 + i % 10) / 5);
        if (!s) s = tn_program_run(c.program);
    }
    if (!s) s = tn_state_read(c.state, "w", w, OUTPUTS * INPUTS * sizeof *w);
    let_go(&c);
    return s;
}

static void optimizers(tn_kit *kit)
{
    tn_device *reference = NULL;
    tn_optimizer_entry entry;
    float x[SAMPLES * INPUTS], t[SAMPLES * OUTPUTS], got[OUTPUTS * INPUTS], want[OUTPUTS * INPUTS];
    if (!tn_kit_device(kit) || !tn_kit_expect(kit, !tn_device_open("reference", &reference), "%s", tn_message()))
        return;
    for (int i = 0; i < SAMPLES * INPUTS; i++) x[i] = (float)tn_kit_uniform(kit, -1, 1);
    for (int i = 0; i < SAMPLES * OUTPUTS; i++) t[i] = (float)tn_kit_uniform(kit, -1, 1);
    for (size_t i = 0; tn_optimizer_at(i, &entry); i++) {
        double lr = entry.lr < 0.1 ? entry.lr : 0.1;
        if (!tn_kit_expect(kit, !descend(reference, entry.name, lr, x, t, want), "%s: %.300s", entry.name,
                           tn_message()) ||
            !tn_kit_expect(kit, !descend(kit->device, entry.name, lr, x, t, got), "%s: %.300s", entry.name,
                           tn_message()))
            break;
        for (int k = 0; k < OUTPUTS * INPUTS; k++)
            tn_kit_expect(kit, fabsf(got[k] - want[k]) <= 2e-4f * (1 + fabsf(want[k])),
                          "after %d steps of %s weight %d is %.7g, on the reference %.7g", STEPS, entry.name, k, got[k],
                          want[k]);
    }
    tn_device_close(reference);
    tn_device_close(kit->device);
}

const tn_kit_case tn_kit_gradients[] = {
    {"gradients", "optimizers", "a hundred steps of each optimizer, at changing rates, end where the reference ends",
     optimizers, NULL, 0, 0},
    {0},
};
