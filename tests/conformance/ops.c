/* ops.c: every operator, every one of its cases, on a device, against the reference in double precision: results and
 * gradients; and the reference's gradients against central differences.
 *
 *     test_conformance_reference DEVICE [OPERATOR | quick]
 *
 * quick: one of many rows is tried in all its cases, the others in three, and nothing unfused: for devices that
 * compile every program for long.
 *
 * A failure prints operator, case, device, seed, element, expected and got; the last line sums up. Exit status 1 if
 * anything failed, 77 if there is no such device. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "op.h"
#include "rows.h"
#include "tenon/device.h"
#include "tenon/program.h"

enum { SEED = 20261121, MAX_IN = 4, PROBES = 6 };

/* ---- error budgets --------------------------------------------------------------------------------------------------
 */

/* How far an f32 device may be off, in units of 2^-23 of what is expected; `of_all`: of the largest expected element of
 * the tensor instead, for operators that add up terms that may cancel. Gradients, which add up over what was stretched,
 * get four times as much, of the largest. Operators that are not here only move or choose: they are exact. */
static const struct {
    const char *op;
    double units;
    int of_all;
} budget[] = {
    {"matmul", 64, 1}, {"reduce", 64, 1}, {"softmax", 32, 0}, {"log_softmax", 32, 1}, {"normal", 48, 1},
    {"dropout", 2, 0}, {"reshape", 8, 0}, {"uniform", 2, 1},  {"iota", 2, 0},
};

static double row_units(const char *name)
{
    static const char *const hard[] = {"exp",  "expm1", "log", "log1p",   "sin",      "cos",
                                       "tanh", "erf",   "pow", "sigmoid", "softplus", "log_sigmoid"};
    for (size_t i = 0; i < sizeof hard / sizeof *hard; i++)
        if (!strcmp(hard[i], name)) return 24;
    return 4;
}

static double units_of(const tn_op_def *op, int *of_all)
{
    *of_all = 0;
    for (size_t i = 0; i < sizeof budget / sizeof *budget; i++)
        if (!strcmp(budget[i].op, op->name)) {
            *of_all = budget[i].of_all;
            return budget[i].units;
        }
    return tn_row_of(op) ? row_units(op->name) : 0;
}

/* ---- one case as a program ------------------------------------------------------------------------------------------
 */

/* A tensor as doubles. */
typedef struct values {
    int32_t dtype;
    int64_t count;
    double *v;
} values;

/* A case compiled for a device: its operands, weights, result, gradients. */
typedef struct trial {
    tn_graph *graph;
    tn_state *state;
    tn_program *program;
    int n_in, n_grad, grad_of[MAX_IN];
    values in[MAX_IN], weight, y, grad[MAX_IN];
    double loss;
} trial;

static const tn_op_def *op;
static const tn_op_case *the_case;
static const char *device_name;
static int failures, compared, probed, elsewhere, quick;

static int failed(const char *what)
{
    printf("FAIL %s, case '%s', on %s, seed %d: %s\n", op->name, the_case->name, device_name, SEED, what);
    failures++;
    return 1;
}

static int bad(tn_status s)
{
    return s ? failed(tn_message()) : 0;
}

static void allot(values *x, const tn_tensor *t, int f64)
{
    tn_shape shape = tn_shape_of(t);
    x->count = tn_shape_count(&shape);
    x->dtype = f64 && tn_dtype_of(t) == TN_F32 ? TN_F64 : tn_dtype_of(t);
    x->v = calloc((size_t)x->count + 1, sizeof *x->v);
}

/* A number for element i of operand `number`: of f32, so that all devices get the same. */
static double element(const tn_op_case *c, int number, int64_t i)
{
    uint64_t h = ((uint64_t)i * 4 + (uint64_t)number + 1) * 0x9E3779B97F4A7C15u + SEED;
    h = (h ^ h >> 31) * 0xBF58476D1CE4E5B9u;
    double u = (double)((h ^ h >> 29) >> 11) * 0x1p-53;
    double low = c->low == 0 && c->high == 0 ? -2 : c->low, high = c->low == 0 && c->high == 0 ? 2 : c->high;
    if (c->in[number].dtype == TN_I32) return floor(low + u * (high - low + 1));
    return (double)(float)(low + u * (high - low));
}

/* sum of y times weights, of which the gradients are taken. */
static void add_gradients(trial *t, tn_tensor *const in[], tn_tensor *y, int f64)
{
    tn_tensor *wrt[MAX_IN], *grad[MAX_IN];
    if (the_case->no_gradient || tn_dtype_of(y) != TN_F32) return;
    for (int i = 0; i < t->n_in; i++)
        if (the_case->in[i].dtype == TN_F32) t->grad_of[t->n_grad] = i, wrt[t->n_grad++] = in[i];
    tn_tensor *w = tn_input(t->graph, "w", TN_F32, tn_shape_of(y));
    tn_tensor *loss = tn_sum(tn_mul(y, w), TN_ALL, 0);
    tn_grad(loss, wrt, (size_t)t->n_grad, grad);
    tn_output(loss, "loss");
    allot(&t->weight, w, f64);
    for (int k = 0; k < t->n_grad; k++) {
        char name[16];
        snprintf(name, sizeof name, "g%d", k);
        tn_output(grad[k], name);
        allot(&t->grad[k], grad[k], f64);
    }
}

static int make(trial *t, tn_device *device, int f64, int unfused)
{
    tn_tensor *in[MAX_IN] = {0};
    *t = (trial){.graph = tn_graph_new()};
    for (; t->n_in < MAX_IN && the_case->in[t->n_in].dtype; t->n_in++) {
        char name[16];
        snprintf(name, sizeof name, "%d", t->n_in);
        in[t->n_in] = tn_input(t->graph, name, the_case->in[t->n_in].dtype, the_case->in[t->n_in].shape);
        allot(&t->in[t->n_in], in[t->n_in], f64);
        for (int64_t i = 0; i < t->in[t->n_in].count; i++) t->in[t->n_in].v[i] = element(the_case, t->n_in, i);
    }
    tn_tensor *y = the_case->build(in);
    tn_output(y, "y");
    allot(&t->y, y, f64);
    add_gradients(t, in, y, f64);
    for (int64_t i = 0; i < t->weight.count; i++) t->weight.v[i] = (double)((i * 37 + 11) % 29 - 14) / 16;
    return bad(tn_state_new(device, SEED, &t->state)) ||
           bad(tn_compile(t->graph, t->state, &(tn_compile_options){.f64 = (uint32_t)f64, .unfused = (uint32_t)unfused},
                          &t->program));
}

static void drop(trial *t)
{
    tn_program_free(t->program);
    tn_state_free(t->state);
    tn_graph_free(t->graph);
    for (int i = 0; i < MAX_IN; i++) free(t->in[i].v), free(t->grad[i].v);
    free(t->weight.v), free(t->y.v);
}

/* ---- feeding and fetching -------------------------------------------------------------------------------------------
 */

static double small_float(uint16_t bits, int mantissa, int bias)
{
    int exponent = (bits & 0x7FFF) >> mantissa;
    double fraction = bits & ((1 << mantissa) - 1), sign = bits >> 15 ? -1 : 1;
    if (exponent == 2 * bias + 1) return fraction != 0 ? (double)NAN : sign * (double)INFINITY;
    return sign * (exponent ? ldexp(fraction + (1 << mantissa), exponent - bias - mantissa)
                            : ldexp(fraction, 1 - bias - mantissa));
}

static double read_element(const void *data, int32_t dtype, int64_t i)
{
    if (dtype == TN_F32) return (double)((const float *)data)[i];
    if (dtype == TN_F64) return ((const double *)data)[i];
    if (dtype == TN_I32) return ((const int32_t *)data)[i];
    if (dtype == TN_U8) return ((const uint8_t *)data)[i];
    return small_float(((const uint16_t *)data)[i], dtype == TN_F16 ? 10 : 7, dtype == TN_F16 ? 15 : 127);
}

static void write_element(void *data, int32_t dtype, int64_t i, double x)
{
    if (dtype == TN_F32) ((float *)data)[i] = (float)x;
    if (dtype == TN_F64) ((double *)data)[i] = x;
    if (dtype == TN_I32) ((int32_t *)data)[i] = (int32_t)x;
}

/* An operand that no result depends on is not there. */
static int feed(trial *t, const char *name, const values *x)
{
    uint64_t bytes = (uint64_t)x->count * tn_dtype_size(x->dtype);
    void *data = malloc(bytes + 1);
    for (int64_t i = 0; i < x->count; i++) write_element(data, x->dtype, i, x->v[i]);
    tn_status s = tn_feed(t->program, name, data, bytes);
    free(data);
    return s != TN_EMISSING && bad(s);
}

static int fetch(trial *t, const char *name, values *x)
{
    uint64_t bytes = (uint64_t)x->count * tn_dtype_size(x->dtype);
    void *data = malloc(bytes + 1);
    tn_status s = tn_fetch(t->program, name, data, bytes);
    for (int64_t i = 0; i < x->count && !s; i++) x->v[i] = read_element(data, x->dtype, i);
    free(data);
    return bad(s);
}

static int run(trial *t, int everything)
{
    char name[16];
    values loss = {t->weight.dtype, 1, &t->loss};
    for (int i = 0; i < t->n_in; i++) {
        snprintf(name, sizeof name, "%d", i);
        if (feed(t, name, &t->in[i])) return 1;
    }
    if (t->n_grad && feed(t, "w", &t->weight)) return 1;
    if (bad(tn_program_run(t->program))) return 1;
    if (t->n_grad && fetch(t, "loss", &loss)) return 1;
    if (everything && fetch(t, "y", &t->y)) return 1;
    for (int k = 0; k < t->n_grad && everything; k++) {
        snprintf(name, sizeof name, "g%d", k);
        if (fetch(t, name, &t->grad[k])) return 1;
    }
    return 0;
}

/* ---- comparing ------------------------------------------------------------------------------------------------------
 */

static double largest(const values *x)
{
    double most = 0;
    for (int64_t i = 0; i < x->count; i++)
        if (isfinite(x->v[i]) && fabs(x->v[i]) < 1e30) most = fmax(most, fabs(x->v[i]));
    return most;
}

static void compare(const char *what, const values *got, const values *want, double units, int of_all)
{
    double scale = of_all ? largest(want) : 0;
    for (int64_t i = 0; i < want->count; i++) {
        double w = got->dtype == TN_F32 ? (double)(float)want->v[i] : want->v[i], g = got->v[i];
        double tolerance = units * 0x1p-23 * fmax(fabs(w), scale) + 1e-37;
        compared++;
        if (isnan(w) ? isnan(g) : g == w || fabs(g - w) <= tolerance) continue;
        char text[160];
        snprintf(text, sizeof text, "%s, element %lld: expected %.9g, got %.9g, which may be off by %.3g", what,
                 (long long)i, w, g, tolerance);
        failed(text);
        return;
    }
}

/* Some elements of each operand, moved up and down. Where the slopes to both sides differ there is a kink. */
static void probe(trial *t)
{
    for (int k = 0; k < t->n_grad; k++) {
        values *x = &t->in[t->grad_of[k]];
        for (int p = 0; p < PROBES && x->count && !run(t, 0) && isfinite(t->loss); p++) {
            int64_t i = (p * 7919 + 13) % x->count;
            double at = x->v[i], h = 1e-5, middle = t->loss, up, down;
            x->v[i] = at + h;
            if (run(t, 0)) return;
            up = t->loss;
            x->v[i] = at - h;
            if (run(t, 0)) return;
            down = t->loss;
            x->v[i] = at;
            double right = (up - middle) / h, left = (middle - down) / h, slope = (up - down) / (2 * h);
            double scale = 1 + fabs(slope) + fabs(middle) * 1e-3;
            if (fabs(right - left) > 1e-2 * scale) continue;
            probed++;
            if (fabs(slope - t->grad[k].v[i]) <= 2e-5 * scale) continue;
            char text[160];
            snprintf(text, sizeof text, "gradient %d, element %lld: %.9g by differences, %.9g by rule", k, (long long)i,
                     slope, t->grad[k].v[i]);
            failed(text);
            return;
        }
    }
}

/* ---- the loops ------------------------------------------------------------------------------------------------------
 */

static void check_device(tn_device *device, const trial *oracle, int unfused)
{
    trial t;
    tn_program_report report;
    char what[32];
    int of_all;
    double units = units_of(op, &of_all);
    if (!make(&t, device, 0, unfused) && !run(&t, 1)) {
        tn_program_get_report(t.program, &report);
        elsewhere += report.fallback_nodes > 0;
        compare(unfused ? "unfused result" : "result", &t.y, &oracle->y, units, of_all);
        for (int k = 0; k < t.n_grad; k++) {
            snprintf(what, sizeof what, "%sgradient %d", unfused ? "unfused " : "", k);
            compare(what, &t.grad[k], &oracle->grad[k], 4 * fmax(units, 4), 1);
        }
    }
    drop(&t);
}

static void check_case(tn_device *device, tn_device *reference)
{
    trial oracle;
    if (!make(&oracle, reference, 1, 0) && !run(&oracle, 1)) {
        for (int unfused = 0; unfused < (quick ? 1 : 2); unfused++) check_device(device, &oracle, unfused);
        if (device == reference) probe(&oracle);
    }
    drop(&oracle);
}

static void check_operator(tn_device *device, tn_device *reference)
{
    int before = probed, gradients = 0, few = quick && tn_row_of(op) && strcmp(op->name, "sub");
    for (the_case = op->cases; the_case->build && !(few && the_case == op->cases + 3); the_case++) {
        gradients += !the_case->no_gradient;
        check_case(device, reference);
    }
    the_case = op->cases;
    if (device == reference && gradients && probed == before) failed("no gradient could be checked");
}

static int check_on(const char *name, const char *only)
{
    tn_device *device = NULL, *reference = NULL;
    if (tn_device_open(name, &device) || tn_device_open("reference", &reference)) {
        printf("%s: %s\n", name, tn_message());
        tn_device_close(device);
        return 77;
    }
    device_name = tn_device_name(device);
    for (size_t i = 0; (op = tn_op_number(i)); i++)
        if (op->cases && (!only || !strcmp(op->name, only))) check_operator(device, reference);
    printf("%s: %d elements compared, %d derivatives probed, %d programs partly elsewhere, %d failures\n", device_name,
           compared, probed, elsewhere, failures);
    tn_device_close(reference);
    tn_device_close(device);
    return failures > 0;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: %s DEVICE [OPERATOR | quick]\n", argv[0]);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    quick = argc > 2 && !strcmp(argv[2], "quick");
    return check_on(argv[1], argc > 2 && !quick ? argv[2] : NULL);
}
