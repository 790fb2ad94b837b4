/* differences.c: tn_check_gradients: a program for the gradients, one for the loss on the reference, and a loop. */
#include "tenon/gradients.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "build.h"
#include "error.h"
#include "given.h"
#include "leaf.h"
#include "program.h"

/* One of the graph's variables with its value in double precision, or as it is if it isn't f32. */
typedef struct held {
    tn_tensor *variable;
    int64_t count;
    uint64_t bytes;
    double *value;
    double *grad; /* NULL if it isn't trainable */
} held;

typedef struct checker {
    tn_tensor *loss;
    const tn_value_of *in;
    size_t n_in;
    const tn_gradient_options *options;
    tn_device *reference;
    tn_state *state[2]; /* of the gradients, of the losses */
    tn_program *program[2];
    held *held;
    size_t count;
    double loss_here;
    tn_region region;
} checker;

enum { GRADIENTS, LOSSES };

static char *output_name(char name[32], size_t number)
{
    snprintf(name, 32, "tn.gradient.%zu", number);
    return name;
}

/* ---- the graph and its programs ---- */

/* Makes the gradients outputs. */
static tn_status add_gradients(checker *c)
{
    char name[32];
    size_t n = 0;
    tn_graph *graph = tn_graph_of(c->loss);
    tn_tensor **wrt = tn_region_alloc(&c->region, (c->count + 1) * sizeof *wrt);
    tn_tensor **grad = tn_region_alloc(&c->region, (c->count + 1) * sizeof *grad);
    if (!wrt || !grad) return TN_ENOMEM;
    for (size_t i = 0; i < c->count; i++)
        if (c->held[i].grad) wrt[n++] = c->held[i].variable;
    tn_grad(c->loss, wrt, n, grad);
    for (size_t i = 0; i < n && !tn_graph_status(graph); i++) tn_output(grad[i], output_name(name, i));
    return tn_graph_status(graph);
}

static tn_status find_variables(checker *c)
{
    tn_graph *graph = tn_graph_of(c->loss);
    size_t all = tn_variables(graph, 0, NULL, 0);
    tn_tensor **x = tn_region_alloc(&c->region, (all + 1) * sizeof *x);
    c->held = tn_region_alloc(&c->region, (all + 1) * sizeof *c->held);
    if (!x || !c->held) return TN_ENOMEM;
    tn_variables(graph, 0, x, all);
    for (size_t i = 0; i < all; i++) {
        tn_shape shape = tn_shape_of(x[i]);
        held *h = &c->held[i];
        int trainable = tn_dtype_of(x[i]) == TN_F32 && (((const tn_variable_attrs *)x[i]->attrs)->flags & TN_TRAINABLE);
        *h = (held){.variable = x[i], .count = tn_shape_count(&shape)};
        h->bytes =
            (uint64_t)h->count * (tn_dtype_of(x[i]) == TN_F32 ? sizeof(double) : tn_dtype_size(tn_dtype_of(x[i])));
        h->value = tn_region_alloc(&c->region, h->bytes + sizeof(double));
        if (trainable) h->grad = tn_region_alloc(&c->region, h->bytes + sizeof(double));
        if (!h->value || (trainable && !h->grad)) return TN_ENOMEM;
    }
    c->count = all;
    return TN_OK;
}

/* An input that the program does not need is not there: no error. */
static tn_status feed_needed(tn_program *program, const char *input, const void *data, uint64_t bytes)
{
    tn_status s = tn_feed(program, input, data, bytes);
    return s == TN_EMISSING ? TN_OK : s;
}

static tn_status feed(checker *c, tn_program *program, const tn_value_of *in)
{
    tn_tensor *x = tn_graph_leaf(tn_graph_of(c->loss), &tn_op_input, in->input);
    TN_REQUIRE(x, TN_EMISSING, "no input '%s' in the graph", in->input);
    int64_t count = tn_shape_count(&x->type.shape);
    if (x->type.dtype != TN_F32)
        return feed_needed(program, in->input, in->data, (uint64_t)count * tn_dtype_size(x->type.dtype));
    double *wide = tn_alloc((size_t)(count + 1) * sizeof *wide);
    if (!wide) return TN_ENOMEM;
    for (int64_t i = 0; i < count; i++) wide[i] = ((const float *)in->data)[i];
    tn_status s = feed_needed(program, in->input, wide, (uint64_t)count * sizeof *wide);
    tn_free(wide);
    return s;
}

static tn_status compile(checker *c, int which, tn_device *device)
{
    static const tn_compile_options f64 = {.f64 = 1};
    TN_TRY(tn_state_new(device, c->options->seed, &c->state[which]));
    TN_TRY(tn_compile(tn_graph_of(c->loss), c->state[which], &f64, &c->program[which]));
    for (size_t i = 0; i < c->n_in; i++) TN_TRY(feed(c, c->program[which], &c->in[i]));
    return TN_OK;
}

/* ---- values ---- */

/* The user's value of a variable, where there is one. */
static tn_status take_from_state(const checker *c, held *h)
{
    tn_state_entry entry;
    const char *name = tn_name_of(h->variable);
    tn_shape shape = tn_shape_of(h->variable);
    if (!c->options->state || !tn_state_find(c->options->state, name, &entry)) return TN_OK;
    TN_REQUIRE(entry.dtype == tn_dtype_of(h->variable) && tn_shape_equal(&entry.shape, &shape), TN_ESHAPE,
               "variable '%s' has another shape or type in the state", name);
    uint64_t bytes = (uint64_t)h->count * tn_dtype_size(entry.dtype);
    TN_TRY(tn_state_read(c->options->state, name, h->value, bytes));
    for (int64_t i = h->count; entry.dtype == TN_F32 && i-- > 0;) {
        float narrow;
        memcpy(&narrow, (const char *)h->value + (size_t)i * sizeof narrow, sizeof narrow);
        h->value[i] = narrow;
    }
    return TN_OK;
}

static tn_status take_values(checker *c)
{
    for (size_t i = 0; i < c->count; i++) {
        held *h = &c->held[i];
        TN_TRY(tn_state_read(c->state[LOSSES], tn_name_of(h->variable), h->value, h->bytes));
        TN_TRY(take_from_state(c, h));
    }
    return TN_OK;
}

/* Runs with the variables' values, whatever an earlier run has assigned. */
static tn_status run(checker *c, int which)
{
    for (size_t i = 0; i < c->count; i++)
        TN_TRY(tn_state_write(c->state[which], tn_name_of(c->held[i].variable), c->held[i].value, c->held[i].bytes));
    tn_state_set_step(c->state[which], 0);
    return tn_program_run(c->program[which]);
}

static tn_status fetch_gradients(checker *c)
{
    char name[32];
    size_t n = 0;
    TN_TRY(run(c, GRADIENTS));
    for (size_t i = 0; i < c->count; i++)
        if (c->held[i].grad)
            TN_TRY(tn_fetch(c->program[GRADIENTS], output_name(name, n++), c->held[i].grad, c->held[i].bytes));
    return TN_OK;
}

/* ---- comparing ---- */

static tn_status loss_at(checker *c, double *x, double value, double *loss)
{
    double kept = *x;
    *x = value;
    tn_status s = run(c, LOSSES);
    if (!s) s = tn_fetch(c->program[LOSSES], "tn.loss", loss, sizeof *loss);
    *x = kept;
    return s;
}

/* The slope round x, and the bend: how much the slopes on its two sides differ, which for a smooth loss goes with the
 * step. */
static tn_status slope_at(checker *c, double *x, double step, double *slope, double *bend)
{
    double above = 0, below = 0;
    TN_TRY(loss_at(c, x, *x + step, &above));
    TN_TRY(loss_at(c, x, *x - step, &below));
    *slope = (above - below) / (2 * step);
    *bend = fabs(above + below - 2 * c->loss_here) / step;
    return TN_OK;
}

/* Whether half the step changed what it would not change if the loss were smooth, or didn't change what it would. */
static int is_kink(const double slope[2], const double bend[2])
{
    double scale = fmax(fmax(fabs(slope[0]), fabs(slope[1])), 1e-3);
    return fabs(slope[1] - slope[0]) > 1e-4 * scale || (bend[0] > 1e-4 * scale && bend[1] > 0.75 * bend[0]);
}

static tn_status compare(checker *c, held *h, int64_t element, tn_gradient_error *worst)
{
    double slope[2], bend[2], *x = &h->value[element], step = 1e-4 * fmax(1, fabs(*x)), got = h->grad[element];
    for (int i = 0; i < 2; i++) TN_TRY(slope_at(c, x, i ? step / 2 : step, &slope[i], &bend[i]));
    double difference = (4 * slope[1] - slope[0]) / 3;
    double scale = fmax(fmax(fabs(got), fabs(difference)), 1e-3), error = fabs(got - difference) / scale;
    if (is_kink(slope, bend)) return TN_OK;
    worst->compared++;
    if (isnan(worst->error) || (worst->compared > 1 && error <= worst->error)) return TN_OK;
    worst->element = element;
    worst->gradient = got;
    worst->difference = difference;
    worst->error = error;
    return TN_OK;
}

static tn_status check_variable(checker *c, held *h, tn_gradient_error *result)
{
    int64_t tried = c->options->elements, all = h->count;
    if (tried <= 0 || tried > all) tried = all;
    *result = (tn_gradient_error){.name = tn_name_of(h->variable)};
    for (int64_t i = 0; i < tried; i++) TN_TRY(compare(c, h, i * all / tried, result));
    return TN_OK;
}

static tn_status check_all(checker *c, tn_gradient_error result[], size_t capacity, size_t *count)
{
    size_t n = 0;
    TN_TRY(tn_device_open("reference", &c->reference));
    TN_TRY(tn_graph_status(tn_graph_of(c->loss)));
    TN_TRY(find_variables(c));
    tn_output(c->loss, "tn.loss");
    TN_TRY(compile(c, LOSSES, c->reference));
    TN_TRY(add_gradients(c));
    TN_TRY(compile(c, GRADIENTS, c->options->device ? c->options->device : c->reference));
    TN_TRY(take_values(c));
    TN_TRY(fetch_gradients(c));
    TN_TRY(run(c, LOSSES));
    TN_TRY(tn_fetch(c->program[LOSSES], "tn.loss", &c->loss_here, sizeof c->loss_here));
    for (size_t i = 0; i < c->count; i++) {
        if (!c->held[i].grad) continue;
        if (n < capacity) TN_TRY(check_variable(c, &c->held[i], &result[n]));
        n++;
    }
    if (count) *count = n;
    return TN_OK;
}

tn_status tn_check_gradients(tn_tensor *loss, const tn_value_of in[], size_t n_in, const tn_gradient_options *options,
                             tn_gradient_error result[], size_t capacity, size_t *count)
{
    TN_GIVEN(loss);
    TN_REQUIRE(in || !n_in, TN_EINVAL, "tn_check_gradients: in is NULL");
    TN_REQUIRE(result || !capacity, TN_EINVAL, "tn_check_gradients: result is NULL");
    for (size_t i = 0; i < n_in; i++)
        TN_REQUIRE(in[i].input && in[i].data, TN_EINVAL, "tn_check_gradients: in[%zu].%s is NULL", i,
                   in[i].input ? "data" : "input");
    static const tn_gradient_options usual;
    checker c = {.loss = loss, .in = in, .n_in = n_in, .options = options ? options : &usual};
    tn_status s = check_all(&c, result, capacity, count);
    for (int i = 0; i < 2; i++) {
        tn_program_free(c.program[i]);
        tn_state_free(c.state[i]);
    }
    tn_device_close(c.reference);
    tn_region_free(&c.region);
    return s;
}
