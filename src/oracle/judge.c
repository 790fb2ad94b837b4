/* judge.c: see judge.h. */
#include "judge.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "expect.h"
#include "hash.h"
#include "leaf.h"
#include "philox.h"
#include "plain.h"
#include "reference_internal.h"

enum { RUNS = 3, TRIALS = 4, MORE_TRIALS = 28, MOST_TRIALS = 200 };

/* The graph compiled in one way. */
typedef struct side {
    const char *how;
    tn_compile_options options;
    tn_state *state;
    tn_program *program;
} side;

enum { FUSED, UNFUSED, SIDES };

typedef struct judgement {
    tn_graph *graph;
    uint64_t seed;
    uint32_t run;
    side side[SIDES];
    uint32_t count; /* tensors as they were built: the graph grows when it is judged */
    double **leaf;  /* by tensor: what inputs, variables and scalar inputs are in this run */
    void *bytes;    /* room for any tensor as the device has it */
    double *got;    /* and as numbers */
    tn_expected expected;
    tn_verdict *verdict;
    tn_region region;
} judgement;

static int64_t count_of(const tn_tensor *x)
{
    return tn_shape_count(&x->type.shape);
}

static uint64_t bytes_of(const tn_tensor *x)
{
    return (uint64_t)count_of(x) * tn_dtype_size(x->type.dtype);
}

/* ---- saying what is wrong ---- */

static int blame(judgement *j, const side *s, const char *format, ...) TN_PRINTF(3, 4);

/* Returns 0. */
static int blame(judgement *j, const side *s, const char *format, ...)
{
    va_list args;
    int n = snprintf(j->verdict->text, sizeof j->verdict->text, "%s, run %u: ", s->how, j->run + 1);
    va_start(args, format);
    tn_vsnprintf(j->verdict->text + n, sizeof j->verdict->text - (size_t)n, format, args);
    va_end(args);
    j->verdict->wrong = 1;
    return 0;
}

/* Whether a call on the device went well. */
static int fine(judgement *j, const side *s, tn_status status, const char *call)
{
    return !status || blame(j, s, "%s: %s: %.300s", call, tn_status_name(status), tn_message());
}

/* ---- what is fed ---- */

void tn_judge_feed(const tn_tensor *input, uint64_t seed, uint32_t run, double *value)
{
    uint64_t key = tn_hash_text(input->name) ^ seed * 0x9E3779B97F4A7C15u;
    for (int64_t e = 0; e < count_of(input); e++) {
        double u = tn_philox_uniform(key, run, 0, (uint64_t)e);
        if (input->type.dtype == TN_I32 || input->type.dtype == TN_I8)
            value[e] = floor(u * 8) - 2;
        else if (input->type.dtype == TN_U8)
            value[e] = floor(u * 8);
        else if (*input->name == 'k')
            value[e] = floor(u * 9) / 2 - 2;
        else
            value[e] = (float)(*input->name == 'p' ? 0.1 + 0.9 * u : 4 * u - 2);
    }
}

/* The state's steps are those of its only optimizer. */
static int is_step(const tn_tensor *x)
{
    return !strcmp(x->name, "step") || tn_steps_of(x->name, x->graph->optimizers);
}

static void set_scalar(const judgement *j, const tn_tensor *x, double *value)
{
    double usual = ((const tn_scalar_attrs *)x->attrs)->value;
    double u = tn_philox_uniform(tn_hash_text(x->name), j->seed + j->run, 1, 0);
    *value = !j->run ? usual : x->type.dtype == TN_I32 ? floor(u * 8) - 2 : usual * u;
    if (!strcmp(x->name, "seed")) *value = (double)j->seed;
    if (is_step(x)) *value = (double)tn_state_step(j->side[FUSED].state);
}

static void to_bytes(judgement *j, const tn_tensor *x, const double *value)
{
    tn_tensor_desc desc = tn_desc_dense(x->type.dtype, &x->type.shape);
    tn_reference_store(j->bytes, value, &desc);
}

static void to_numbers(judgement *j, const tn_tensor *x, double *value)
{
    tn_tensor_desc desc = tn_desc_dense(x->type.dtype, &x->type.shape);
    if (count_of(x)) tn_reference_load(value, j->bytes, &desc);
}

static int is_there(const side *s, const tn_tensor *variable)
{
    tn_state_entry entry;
    return tn_state_find(s->state, variable->name, &entry);
}

/* What the state of the fused program holds, the other's gets as well. */
static int share_variable(judgement *j, const tn_tensor *x)
{
    const side *fused = &j->side[FUSED], *unfused = &j->side[UNFUSED];
    if (!is_there(fused, x)) return 1; /* nothing needs it */
    if (!fine(j, fused, tn_state_read(fused->state, x->name, j->bytes, bytes_of(x)), "reading a variable")) return 0;
    to_numbers(j, x, j->leaf[x->id]);
    return fine(j, unfused, tn_state_write(unfused->state, x->name, j->bytes, bytes_of(x)), "writing a variable");
}

/* What the compiler has found to be needless is not there. */
static int feed(judgement *j, const side *s, const tn_tensor *x)
{
    const double *value = j->leaf[x->id];
    tn_status status = TN_OK;
    if (x->op == &tn_op_scalar && strcmp(x->name, "seed") && !is_step(x)) status = tn_set(s->program, x->name, *value);
    if (x->op == &tn_op_input) {
        to_bytes(j, x, value);
        status = tn_feed(s->program, x->name, j->bytes, bytes_of(x));
    }
    return status == TN_EMISSING || fine(j, s, status, "feeding");
}

static int set_leaves(judgement *j)
{
    int again = j->run + 1 == RUNS;
    for (uint32_t i = 0; i < j->count; i++) {
        const tn_tensor *x = j->graph->tensor[i];
        if (!j->leaf[i]) continue;
        if (x->op == &tn_op_variable && !share_variable(j, x)) return 0;
        if (x->op == &tn_op_scalar) set_scalar(j, x, j->leaf[i]);
        if (x->op == &tn_op_input && !again) tn_judge_feed(x, j->seed, j->run, j->leaf[i]);
        for (int k = 0; k < SIDES; k++)
            if (!(x->op == &tn_op_input && again) && !feed(j, &j->side[k], x)) return 0;
    }
    return 1;
}

static tn_status leaf(void *arg, const tn_tensor *x, double *value)
{
    const judgement *j = arg;
    memcpy(value, j->leaf[x->id], (size_t)count_of(x) * sizeof *value);
    return TN_OK;
}

/* ---- comparing ---- */

/* The first element that is wrong, or -1. */
static int64_t first_wrong(judgement *j, const tn_tensor *x, const double *got)
{
    for (int64_t e = 0; e < count_of(x); e++)
        if (!tn_expected_holds(&j->expected, x, e, got[e])) return e;
    return -1;
}

static void count(judgement *j, const tn_tensor *x, const double *got)
{
    for (int64_t e = 0; e < count_of(x); e++) {
        double allowed = tn_expected_allowed(&j->expected, x, e);
        double off = fabs(got[e] - j->expected.want.value[x->id][e]);
        j->verdict->compared++;
        j->verdict->free += isinf(allowed);
        if (off / allowed > j->verdict->worst && isfinite(off) && off > 0) j->verdict->worst = off / allowed;
    }
}

/* The numbers in j->bytes against x. More trials come before the verdict: chance may have been kind to the first. */
static tn_status compare(judgement *j, const side *s, const tn_tensor *x, const char *what, const char *name)
{
    char shape[160];
    to_numbers(j, x, j->got);
    int64_t e = first_wrong(j, x, j->got);
    while (e >= 0 && j->expected.trials < MOST_TRIALS) {
        TN_TRY(tn_expect_more(&j->expected, MORE_TRIALS));
        e = first_wrong(j, x, j->got);
    }
    count(j, x, j->got);
    if (e >= 0)
        blame(j, s, "%s '%s' %s %s, element %lld: expected %.9g +- %.3g, got %.9g", what, name,
              tn_dtype_name(x->type.dtype), tn_shape_text(&x->type.shape, shape, sizeof shape), (long long)e,
              j->expected.want.value[x->id][e], tn_expected_allowed(&j->expected, x, e), j->got[e]);
    return TN_OK;
}

static tn_status compare_outputs(judgement *j, const side *s)
{
    for (uint32_t i = 0; i < j->graph->sinks && !j->verdict->wrong; i++) {
        const tn_sink *sink = &j->graph->sink[i];
        if (!sink->name) continue;
        if (fine(j, s, tn_fetch(s->program, sink->name, j->bytes, bytes_of(sink->value)), "fetching"))
            TN_TRY(compare(j, s, sink->value, "output", sink->name));
    }
    return TN_OK;
}

/* A variable has the value assigned to it, or else the one that it had. */
static tn_status compare_variables(judgement *j, const side *s)
{
    for (uint32_t i = 0; i < j->count && !j->verdict->wrong; i++) {
        const tn_tensor *x = j->graph->tensor[i], *value = x;
        if (x->op != &tn_op_variable || !is_there(s, x)) continue;
        for (uint32_t k = 0; k < j->graph->sinks; k++)
            if (j->graph->sink[k].variable == x) value = j->graph->sink[k].value;
        if (fine(j, s, tn_state_read(s->state, x->name, j->bytes, bytes_of(x)), "reading a variable"))
            TN_TRY(compare(j, s, value, "variable", x->name));
    }
    return TN_OK;
}

/* ---- running ---- */

static tn_status run_side(judgement *j, const side *s)
{
    uint64_t after = tn_state_step(s->state) + j->graph->advances_step;
    if (!fine(j, s, tn_program_run(s->program), "running")) return TN_OK;
    TN_TRY(compare_outputs(j, s));
    if (!j->verdict->wrong) TN_TRY(compare_variables(j, s));
    if (!j->verdict->wrong && tn_state_step(s->state) != after) blame(j, s, "the step is not counted");
    return TN_OK;
}

static tn_status run(judgement *j)
{
    if (!set_leaves(j)) return TN_OK;
    tn_interpretation with = {leaf, NULL, NULL, j, j->seed, tn_state_step(j->side[FUSED].state)};
    tn_status status = tn_expect(j->graph, &with, j->seed + j->run, &j->expected);
    if (!status) status = tn_expect_more(&j->expected, TRIALS);
    for (int i = 0; i < SIDES && !status && !j->verdict->wrong; i++) status = run_side(j, &j->side[i]);
    tn_expected_free(&j->expected);
    return status;
}

/* Steps beyond 32 bits are steps as well. */
static int compile(judgement *j, side *s, tn_device *device)
{
    if (!fine(j, s, tn_state_new(device, j->seed, &s->state), "making a state")) return 0;
    tn_state_set_step(s->state, j->seed % 3 ? j->seed % 5 : ((uint64_t)3 << 32) + 7);
    return fine(j, s, tn_compile(j->graph, s->state, &s->options, &s->program), "compiling");
}

static tn_status make_room(judgement *j)
{
    uint64_t most = 0;
    j->count = j->graph->count;
    j->leaf = tn_region_alloc(&j->region, j->count * sizeof *j->leaf + 1);
    for (uint32_t i = 0; j->leaf && i < j->count; i++) {
        const tn_tensor *x = j->graph->tensor[i];
        uint64_t bytes = (uint64_t)count_of(x) * sizeof(double);
        if (bytes > most) most = bytes;
        if (x->op->kind == TN_LEAF && x->op != &tn_op_full && x->op != &tn_op_constant)
            if (!(j->leaf[i] = tn_region_alloc(&j->region, bytes + 1))) return TN_ENOMEM;
    }
    j->bytes = tn_region_alloc(&j->region, most + 1);
    j->got = tn_region_alloc(&j->region, most + 1);
    return j->leaf && j->bytes && j->got ? TN_OK : TN_ENOMEM;
}

tn_status tn_judge(tn_graph *graph, tn_device *device, uint64_t seed, tn_verdict *verdict)
{
    judgement j = {.graph = graph,
                   .seed = seed,
                   .side = {{.how = "fused"}, {.how = "unfused", .options = {.unfused = 1}}},
                   .verdict = verdict};
    *verdict = (tn_verdict){0};
    tn_status status = make_room(&j);
    int ready = !status && fine(&j, &j.side[0], tn_graph_status(graph), "building");
    for (int i = 0; ready && i < SIDES; i++) ready = compile(&j, &j.side[i], device);
    for (; ready && !status && j.run < RUNS && !verdict->wrong; j.run++) status = run(&j);
    for (int i = 0; i < SIDES; i++) {
        tn_program_free(j.side[i].program);
        tn_state_free(j.side[i].state);
    }
    tn_region_free(&j.region);
    return status;
}
