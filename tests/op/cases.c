/* cases.c: the cases that stand with operators, on a device: results and gradients are compared with the reference in
 * double precision, whose gradients are compared with central differences.
 *
 * test_op_cases DEVICE OPERATOR...: a failure prints operator, case, what differs, where, expected and got. Status 77
 * if the device isn't there. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "op.h"
#include "tenon/tenon.h"

enum { MOST = 4, PROBES = 6 }; /* operands; elements of each that are differentiated numerically */

/* A tensor's elements: i32 or f32 as a device takes them, and as doubles. */
typedef struct values {
    int64_t count;
    double *real;
    void *data;
} values;

static int failures;

static void check(tn_status s, const char *what)
{
    if (!s) return;
    printf("%s: %s: %s\n", what, tn_status_name(s), tn_message());
    exit(1);
}

static double random_number(void)
{
    static uint64_t x = 88172645463325252u;
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    return (double)(x >> 11) * 0x1p-53;
}

static values make_values(const tn_type *type, double low, double high)
{
    values v = {.count = tn_shape_count(&type->shape)};
    v.real = calloc((size_t)v.count + 1, sizeof *v.real);
    v.data = calloc((size_t)v.count + 1, 4);
    for (int64_t i = 0; i < v.count; i++) {
        double x = low + random_number() * (high - low + (type->dtype == TN_I32));
        if (type->dtype == TN_I32)
            v.real[i] = ((int32_t *)v.data)[i] = (int32_t)floor(x > high ? high : x);
        else
            v.real[i] = ((float *)v.data)[i] = (float)x;
    }
    return v;
}

static void drop(values *v)
{
    free(v->real);
    free(v->data);
}

/* ---- one case, compiled for a device ---- */

typedef struct bench {
    const tn_op_case *c;
    uint32_t n_in;
    values in[MOST], weight; /* of the loss, over the result's elements */
    tn_type out;
    int with_gradient;
} bench;

/* Outputs "y" and "g<i>", gradients of sum(weight y), and the loss. */
static tn_graph *build(const bench *b, tn_tensor **result)
{
    tn_graph *graph = tn_graph_new();
    tn_tensor *in[MOST] = {0}, *wrt[MOST], *grad[MOST];
    uint32_t n = 0;
    char name[] = "x0";
    for (uint32_t i = 0; i < b->n_in; i++, name[1]++) {
        in[i] = tn_input(graph, name, b->c->in[i].dtype, b->c->in[i].shape);
        if (b->c->in[i].dtype == TN_F32) wrt[n++] = in[i];
    }
    *result = b->c->build(in);
    tn_output(*result, "y");
    if (!b->with_gradient) return graph;
    tn_tensor *loss = tn_sum(tn_mul(*result, tn_input(graph, "w", TN_F32, tn_shape_of(*result))), TN_ALL, 0);
    tn_output(loss, "loss");
    tn_grad(loss, wrt, n, grad);
    name[0] = 'g', name[1] = '0';
    for (uint32_t i = 0; i < n; i++, name[1]++) tn_output(grad[i], name);
    return graph;
}

static void feed(tn_program *p, const char *name, const values *v, int32_t dtype, int f64)
{
    int wide = f64 && dtype == TN_F32;
    check(tn_feed(p, name, wide ? (const void *)v->real : v->data, (uint64_t)v->count * (wide ? 8 : 4)), name);
}

/* An output as doubles; the caller frees them. */
static double *fetch(tn_program *p, const char *name, int64_t count, int32_t dtype, int f64)
{
    double *out = calloc((size_t)count + 1, sizeof *out);
    if (dtype == TN_F32 && f64) {
        check(tn_fetch(p, name, out, (uint64_t)count * 8), name);
        return out;
    }
    void *raw = calloc((size_t)count + 1, 4);
    check(tn_fetch(p, name, raw, (uint64_t)count * 4), name);
    for (int64_t i = 0; i < count; i++) out[i] = dtype == TN_I32 ? ((int32_t *)raw)[i] : (double)((float *)raw)[i];
    free(raw);
    return out;
}

typedef struct session {
    tn_device *device;
    tn_state *state;
    tn_program *program;
    int f64;
} session;

static session begin(const bench *b, const char *device, tn_compile_options options)
{
    session s = {.f64 = (int)options.f64};
    tn_tensor *result;
    tn_graph *graph = build(b, &result);
    char name[] = "x0";
    check(tn_device_open(device, &s.device), device);
    check(tn_state_new(s.device, 1, &s.state), device);
    check(tn_compile(graph, s.state, &options, &s.program), b->c->name);
    for (uint32_t i = 0; i < b->n_in; i++, name[1]++) feed(s.program, name, &b->in[i], b->c->in[i].dtype, s.f64);
    if (b->with_gradient) feed(s.program, "w", &b->weight, TN_F32, s.f64);
    check(tn_program_run(s.program), b->c->name);
    tn_graph_free(graph);
    return s;
}

static void end(session *s)
{
    tn_program_free(s->program);
    tn_state_free(s->state);
    tn_device_close(s->device);
}

/* ---- comparing ---- */

static void compare(const char *op, const char *name, const char *what, const double *right, const double *got,
                    int64_t count, double relative)
{
    double norm = 1e-30;
    for (int64_t i = 0; i < count; i++) norm = fmax(norm, fabs(right[i]));
    for (int64_t i = 0; i < count; i++) {
        if (fabs(right[i] - got[i]) <= relative * norm) continue;
        printf("%s, %s: %s: element %lld of %lld: expected %.9g, got %.9g\n", op, name, what, (long long)i,
               (long long)count, right[i], got[i]);
        failures++;
        return;
    }
}

/* Central differences at some elements of input i, whose gradient is given. */
static void check_numeric(const char *op, const bench *b, session *s, uint32_t i, const double *grad)
{
    char name[] = {'x', (char)('0' + i), 0};
    const values *x = &b->in[i];
    for (int probe = 0; probe < PROBES && x->count; probe++) {
        int64_t e = (int64_t)(random_number() * (double)x->count);
        double old = x->real[e], h = 1e-5, loss[2];
        for (int side = 0; side < 2; side++) {
            x->real[e] = old + (side ? h : -h);
            feed(s->program, name, x, TN_F32, 1);
            check(tn_program_run(s->program), op);
            double *l = fetch(s->program, "loss", 1, TN_F32, 1);
            loss[side] = *l;
            free(l);
        }
        x->real[e] = old;
        feed(s->program, name, x, TN_F32, 1);
        check(tn_program_run(s->program), op);
        double numeric = (loss[1] - loss[0]) / (2 * h);
        if (fabs(numeric - grad[e]) <= 1e-5 * (1 + fabs(grad[e]))) continue;
        printf("%s, %s: gradient of input %u at %lld: %.9g by differences, %.9g\n", op, b->c->name, i, (long long)e,
               numeric, grad[e]);
        failures++;
    }
}

static void check_gradients(const char *op, const bench *b, session *right, session *got)
{
    char name[] = "g0";
    for (uint32_t i = 0; i < b->n_in; i++) {
        if (b->c->in[i].dtype != TN_F32) continue;
        double *r = fetch(right->program, name, b->in[i].count, TN_F32, 1);
        double *g = fetch(got->program, name, b->in[i].count, TN_F32, 0);
        compare(op, b->c->name, name, r, g, b->in[i].count, 2e-5);
        check_numeric(op, b, right, i, r);
        free(r);
        free(g);
        name[1]++;
    }
}

static void run_case(const char *device, const char *op, const tn_op_case *c)
{
    bench b = {.c = c};
    tn_tensor *result;
    double low = c->low, high = c->high;
    if (low == 0 && high == 0 && c->in[0].dtype == TN_F32) low = -2, high = 2;
    for (; b.n_in < MOST && c->in[b.n_in].dtype; b.n_in++) {
        const tn_type *type = &c->in[b.n_in];
        int whole = type->dtype == TN_I32, mixed = !c->no_gradient && (c->in[0].dtype == TN_I32 || b.n_in || whole);
        b.in[b.n_in] = !whole && mixed ? make_values(type, -2, 2) : make_values(type, low, high);
    }
    tn_graph *graph = build(&b, &result);
    check(tn_graph_status(graph), c->name);
    b.out = (tn_type){tn_dtype_of(result), tn_shape_of(result)};
    tn_graph_free(graph);
    b.with_gradient = !c->no_gradient && b.out.dtype == TN_F32;
    b.weight = make_values(&(tn_type){TN_F32, b.out.shape}, -1, 1);
    int64_t count = tn_shape_count(&b.out.shape);
    session right = begin(&b, "reference", (tn_compile_options){.f64 = 1});
    for (uint32_t unfused = 0; unfused < 2; unfused++) {
        session got = begin(&b, device, (tn_compile_options){.strict = 1, .unfused = unfused});
        double *r = fetch(right.program, "y", count, b.out.dtype, 1);
        double *g = fetch(got.program, "y", count, b.out.dtype, 0);
        compare(op, c->name, "result", r, g, count, b.out.dtype == TN_I32 ? 0 : 1e-5);
        if (b.with_gradient) check_gradients(op, &b, &right, &got);
        free(r);
        free(g);
        end(&got);
    }
    end(&right);
    for (uint32_t i = 0; i < b.n_in; i++) drop(&b.in[i]);
    drop(&b.weight);
}

int main(int argc, char **argv)
{
    tn_device *device = NULL;
    int cases = 0;
    if (argc < 3) return 2;
    if (tn_device_open(argv[1], &device)) return 77;
    for (int a = 2; a < argc; a++) {
        const tn_op_def *op = tn_op_named(argv[a]);
        if (!op || !op->cases) {
            printf("no operator '%s' with cases\n", argv[a]);
            return 1;
        }
        for (const tn_op_case *c = op->cases; c->build; c++, cases++) run_case(argv[1], op->name, c);
    }
    tn_device_close(device);
    printf("%d cases, %d failures\n", cases, failures);
    return failures != 0;
}
