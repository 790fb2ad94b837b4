/* model.c: a network of one's own on a device: each of its operators, forward and backward, alone and then all of them
 * together, against the interpreter. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "expect.h"
#include "given.h"
#include "judge.h"
#include "leaf.h"
#include "plain.h"
#include "reference_internal.h"
#include "tenon/check.h"
#include "tenon/program.h"

enum { TRIALS = 6, MORE_TRIALS = 30, MOST_TRIALS = 150 };

/* The graph as a whole, and what every tensor of it should be. */
typedef struct model {
    tn_graph *graph;
    tn_state *state;
    tn_values values;
    void (*row)(void *arg, const tn_check_operator *row);
    void *arg;
    uint32_t failed;
} model;

/* One graph on the device. */
typedef struct attempt {
    const model *model;
    tn_graph *graph;
    double **leaf; /* by tensor: what inputs and variables are */
    tn_expected expected;
    char detail[400];
    double worst;
    tn_region region;
} attempt;

static int64_t count_of(const tn_tensor *x)
{
    return tn_shape_count(&x->type.shape);
}

static uint64_t bytes_of(const tn_tensor *x)
{
    return (uint64_t)count_of(x) * tn_dtype_size(x->type.dtype);
}

/* ---- one graph on the device ---- */

static void *as_bytes(tn_region *room, const tn_tensor *x, const double *value)
{
    tn_tensor_desc desc = tn_desc_dense(x->type.dtype, &x->type.shape);
    void *bytes = tn_region_alloc(room, bytes_of(x) + 1);
    if (bytes) tn_reference_store(bytes, value, &desc);
    return bytes;
}

static double *as_numbers(tn_region *room, const tn_tensor *x, const void *bytes)
{
    tn_tensor_desc desc = tn_desc_dense(x->type.dtype, &x->type.shape);
    double *value = tn_region_alloc(room, (size_t)count_of(x) * sizeof *value + 1);
    if (value && count_of(x)) tn_reference_load(value, bytes, &desc);
    return value;
}

static tn_status leaf(void *arg, const tn_tensor *x, double *value)
{
    const attempt *a = arg;
    if (x->op == &tn_op_scalar && !a->leaf[x->id])
        *value = ((const tn_scalar_attrs *)x->attrs)->value;
    else
        memcpy(value, a->leaf[x->id], (size_t)count_of(x) * sizeof *value);
    return TN_OK;
}

/* What the compiler has found to be needless is not there. */
static tn_status feed(attempt *a, tn_program *program, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const tn_tensor *x = a->graph->tensor[i];
        void *bytes = x->op == &tn_op_input ? as_bytes(&a->region, x, a->leaf[i]) : NULL;
        if (x->op == &tn_op_input && !bytes) return TN_ENOMEM;
        tn_status s = bytes ? tn_feed(program, x->name, bytes, bytes_of(x)) : TN_OK;
        if (s && s != TN_EMISSING) return s;
    }
    return TN_OK;
}

/* A NaN stands for nothing that could be compared. */
static int is_all_nan(const double *value, int64_t count)
{
    int64_t e = 0;
    while (e < count && isnan(value[e])) e++;
    return count && e == count;
}

/* `worst` is over all elements: what is wrong is more than 1. */
static int64_t first_wrong(const attempt *a, const tn_tensor *x, const double *got, double *worst)
{
    int64_t wrong = -1;
    *worst = 0;
    for (int64_t e = 0; e < count_of(x); e++) {
        double off = fabs(got[e] - a->expected.want.value[x->id][e]), allowed = tn_expected_allowed(&a->expected, x, e);
        if (wrong < 0 && !tn_expected_holds(&a->expected, x, e, got[e])) wrong = e;
        if (off > 0 && isfinite(off) && allowed > 0 && off / allowed > *worst) *worst = off / allowed;
    }
    return wrong;
}

static tn_status compare(attempt *a, const tn_sink *sink, const double *got)
{
    const tn_tensor *x = sink->value;
    double worst;
    int64_t e = first_wrong(a, x, got, &worst);
    if (is_all_nan(a->expected.want.value[x->id], count_of(x)) && !*a->detail)
        snprintf(a->detail, sizeof a->detail, "%s: it should be NaN in every element, which checks nothing",
                 sink->name);
    while (e >= 0 && a->expected.trials < MOST_TRIALS) {
        TN_TRY(tn_expect_more(&a->expected, MORE_TRIALS));
        e = first_wrong(a, x, got, &worst);
    }
    if (worst > a->worst) a->worst = worst;
    if (e >= 0 && !*a->detail)
        tn_snprintf(a->detail, sizeof a->detail, "%s, element %lld: expected %.9g +- %.3g, got %.9g", sink->name,
                    (long long)e, a->expected.want.value[x->id][e], tn_expected_allowed(&a->expected, x, e), got[e]);
    return TN_OK;
}

static tn_status compare_all(attempt *a, tn_program *program)
{
    for (uint32_t i = 0; i < a->graph->sinks && !*a->detail; i++) {
        const tn_sink *sink = &a->graph->sink[i];
        if (!sink->name) continue;
        void *bytes = tn_region_alloc(&a->region, bytes_of(sink->value) + 1);
        if (!bytes) return TN_ENOMEM;
        TN_TRY(tn_fetch(program, sink->name, bytes, bytes_of(sink->value)));
        double *got = as_numbers(&a->region, sink->value, bytes);
        TN_TRY(got ? compare(a, sink, got) : TN_ENOMEM);
    }
    return TN_OK;
}

/* The seed and step of the state are those of the run. */
static tn_status run(attempt *a)
{
    tn_program *program = NULL;
    tn_state *state = a->model->state;
    const tn_interpretation with = {leaf, .arg = a, .seed = tn_state_seed(state), .step = tn_state_step(state)};
    uint32_t count = a->graph->count;
    tn_status s = tn_compile(a->graph, state, NULL, &program);
    if (!s) s = feed(a, program, count);
    if (!s) s = tn_expect(a->graph, &with, 1, &a->expected);
    if (!s) s = tn_expect_more(&a->expected, TRIALS);
    if (!s) s = tn_program_run(program);
    if (!s) s = compare_all(a, program);
    tn_state_set_step(state, with.step);
    tn_program_free(program);
    tn_expected_free(&a->expected);
    return s;
}

/* ---- an operator alone ---- */

/* An operand of y in a graph of its own: numbers stay numbers, everything else is fed with what it should be. */
static tn_tensor *operand(attempt *a, const tn_tensor *x)
{
    char name[16];
    snprintf(name, sizeof name, "x%u", x->id);
    if (x->op == &tn_op_full) return tn_full(a->graph, x->type.dtype, x->type.shape, *a->model->values.value[x->id]);
    if (x->op == &tn_op_constant)
        return tn_constant_at(a->graph, x->type.dtype, x->type.shape, ((const tn_constant_attrs *)x->attrs)->data);
    if (x->op == &tn_op_scalar)
        return tn_scalar_input(a->graph, x->name, x->type.dtype, *a->model->values.value[x->id]);
    return tn_input(a->graph, name, x->type.dtype, x->type.shape);
}

/* The values as the device can hold them. */
static tn_status set_leaves(attempt *a, const tn_tensor *y, tn_tensor *const in[])
{
    a->leaf = tn_region_alloc(&a->region, (a->graph->count + 1) * sizeof *a->leaf);
    for (uint32_t i = 0; a->leaf && i < y->n_in; i++) {
        void *bytes = as_bytes(&a->region, y->in[i], a->model->values.value[y->in[i]->id]);
        if (!bytes || !(a->leaf[in[i]->id] = as_numbers(&a->region, in[i], bytes))) return TN_ENOMEM;
    }
    return a->leaf ? TN_OK : TN_ENOMEM;
}

static tn_status run_alone(attempt *a, const tn_tensor *y)
{
    tn_tensor *in[TN_MAX_OPERANDS];
    TN_REQUIRE(y->n_in <= TN_MAX_OPERANDS, TN_EUNSUPPORTED, "%s of %u operands", y->op->name, y->n_in);
    if (!(a->graph = tn_graph_new())) return TN_ENOMEM;
    for (uint32_t i = 0; i < y->n_in; i++) in[i] = operand(a, y->in[i]);
    TN_TRY(tn_graph_status(a->graph));
    tn_output(tn_node(y->op, a->graph, in, y->n_in, y->attrs), "result");
    TN_TRY(tn_graph_status(a->graph));
    TN_TRY(set_leaves(a, y, in));
    return run(a);
}

static int same_operator(const tn_tensor *a, const tn_tensor *b)
{
    if (a->op != b->op || a->n_in != b->n_in || memcmp(a->attrs, b->attrs, (size_t)a->op->attrs_size)) return 0;
    for (uint32_t i = 0; i < a->n_in; i++)
        if (a->in[i]->type.dtype != b->in[i]->type.dtype ||
            !tn_shape_equal(&a->in[i]->type.shape, &b->in[i]->type.shape))
            return 0;
    return 1;
}

/* Leaves and views compute nothing; what was tried before is not tried again. */
static int is_new(const model *m, const tn_tensor *y)
{
    if (y->op->kind == TN_LEAF || y->op->kind == TN_VIEW) return 0;
    for (uint32_t i = 0; i < y->id; i++)
        if (same_operator(m->graph->tensor[i], y)) return 0;
    return 1;
}

/* ---- telling ---- */

static void describe(const model *m, const tn_tensor *y, char *text, size_t room)
{
    char shape[160];
    int n = 0;
    for (uint32_t i = 0; i <= y->n_in && (size_t)n < room; i++) {
        const tn_tensor *x = i < y->n_in ? y->in[i] : y;
        n += snprintf(text + n, room - (size_t)n, "%s%s %s",
                      i == y->n_in ? " -> "
                      : i          ? ", "
                                   : "",
                      tn_dtype_name(x->type.dtype), tn_shape_text(&x->type.shape, shape, sizeof shape));
        if (x->name && (size_t)n < room) n += snprintf(text + n, room - (size_t)n, " '%s'", x->name);
    }
    if ((size_t)n < room)
        snprintf(text + n, room - (size_t)n, ", seed %llu", (unsigned long long)tn_state_seed(m->state));
}

static void tell(model *m, const char *name, const char *repeat, const attempt *a, tn_status s)
{
    const char *detail = s ? tn_message() : a->detail;
    tn_check_operator row = {name, repeat, detail, s || *detail ? TN_CHECK_FAILED : TN_CHECK_PASSED, a->worst};
    m->failed += row.outcome == TN_CHECK_FAILED;
    m->row(m->arg, &row);
}

/* Only the oracle's own failure is one. */
static tn_status try_alone(model *m, const tn_tensor *y)
{
    attempt a = {.model = m};
    char text[600];
    describe(m, y, text, sizeof text);
    tn_status s = run_alone(&a, y);
    tell(m, y->op->name, text, &a, s);
    tn_graph_free(a.graph);
    tn_region_free(&a.region);
    return s == TN_ENOMEM ? s : TN_OK;
}

/* What leads to y, as it is compiled if y alone is asked for; 1 if it is wrong. */
static int try_up_to(model *m, tn_tensor *y)
{
    attempt a = {.model = m, .graph = m->graph, .leaf = m->values.value};
    tn_sink *sink = m->graph->sink, only = {"what leads to it, compiled together: the result", NULL, y};
    uint32_t sinks = m->graph->sinks;
    char text[600];
    m->graph->sink = &only, m->graph->sinks = 1;
    tn_status s = run(&a);
    m->graph->sink = sink, m->graph->sinks = sinks;
    int wrong = s || *a.detail;
    describe(m, y, text, sizeof text);
    if (wrong) tell(m, y->op->name, text, &a, s);
    tn_region_free(&a.region);
    return wrong;
}

/* All of it as it is compiled for use, with the values that the interpreter began with; if that is wrong, the first
 * operator whose result is, too. */
static tn_status try_together(model *m, uint32_t count)
{
    attempt a = {.model = m, .graph = m->graph, .leaf = m->values.value};
    tn_status s = run(&a);
    tell(m, "all together", "forward and backward, as they are compiled for training", &a, s);
    uint32_t i = s || *a.detail ? 0 : count;
    while (i < count && (m->graph->tensor[i]->op->kind == TN_LEAF || !try_up_to(m, m->graph->tensor[i]))) i++;
    tn_region_free(&a.region);
    return s == TN_ENOMEM ? s : TN_OK;
}

/* ---- the whole ---- */

static tn_status check_numbers(const tn_tensor *variable, const double *value)
{
    for (int64_t e = 0; e < count_of(variable); e++)
        TN_REQUIRE(!isnan(value[e]), TN_EINVAL,
                   "'%s' is NaN in element %lld: what comes of it could not be compared with anything", variable->name,
                   (long long)e);
    return TN_OK;
}

/* Variables are what the state holds, inputs what their names ask for. */
static tn_status state_leaf(void *arg, const tn_tensor *x, double *value)
{
    const model *m = arg;
    if (x->op == &tn_op_input) {
        tn_judge_feed(x, tn_state_seed(m->state), 0, value);
    } else if (x->op == &tn_op_variable) {
        tn_region room = {0};
        tn_tensor_desc desc = tn_desc_dense(x->type.dtype, &x->type.shape);
        void *bytes = tn_region_alloc(&room, bytes_of(x) + 1);
        tn_status s = bytes ? tn_state_read(m->state, x->name, bytes, bytes_of(x)) : TN_ENOMEM;
        if (!s && count_of(x)) tn_reference_load(value, bytes, &desc);
        tn_region_free(&room);
        return s ? s : check_numbers(x, value);
    } else {
        *value = ((const tn_scalar_attrs *)x->attrs)->value;
    }
    return TN_OK;
}

static tn_status check_all(model *m)
{
    uint32_t count = m->graph->count;
    const tn_interpretation with = {state_leaf, .arg = m, .seed = tn_state_seed(m->state),
                                    .step = tn_state_step(m->state)};
    TN_TRY(tn_interpret(m->graph, &with, &m->values));
    for (uint32_t i = 0; i < count; i++)
        if (is_new(m, m->graph->tensor[i])) TN_TRY(try_alone(m, m->graph->tensor[i]));
    return try_together(m, count);
}

tn_status tn_check_graph(tn_graph *graph, tn_state *state, void (*row)(void *arg, const tn_check_operator *row),
                         void *arg)
{
    model m = {.graph = graph, .state = state, .row = row, .arg = arg};
    TN_GIVEN(graph, state);
    TN_REQUIRE(row, TN_EINVAL, "tn_check_graph: row is NULL");
    TN_TRY(tn_graph_status(graph));
    tn_status s = check_all(&m);
    tn_values_free(&m.values);
    return s;
}
