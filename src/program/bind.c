/* bind.c: makes the variables of a graph in a state, and their first values. */
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "init.h"
#include "leaf.h"
#include "state.h"

/* A variable to make, and where it goes: variables of one class lie together, by group and then by order. */
typedef struct tn_missing {
    const tn_tensor *x;
    uint32_t class, order;
    uint64_t group;
} item;

static uint32_t flags_of(const tn_tensor *x)
{
    return ((const tn_variable_attrs *)x->attrs)->flags;
}

/* The groups of each optimizer are its own. */
static uint64_t group_of(const tn_tensor *x)
{
    const tn_variable_attrs *attrs = x->attrs;
    return (uint64_t)attrs->optimizer << 32 | attrs->group;
}

/* The trainable variable with the longest name that `name` begins with, before a '.', or NULL. */
static const tn_tensor *owner_of(const tn_graph *graph, const char *name, char *prefix)
{
    strcpy(prefix, name);
    for (char *dot; (dot = strrchr(prefix, '.'));) {
        *dot = 0;
        const tn_tensor *owner = tn_graph_leaf(graph, &tn_op_variable, prefix);
        if (owner && flags_of(owner) & TN_TRAINABLE) return owner;
    }
    return NULL;
}

/* Trainable variables come first; then, suffix by suffix, what belongs to them; then all others. */
static tn_status classify(const tn_graph *graph, item *it, const char *suffix[], uint32_t *suffixes)
{
    int trains = flags_of(it->x) & TN_TRAINABLE;
    char *prefix = tn_alloc(strlen(it->x->name) + 1);
    if (!prefix) return TN_ENOMEM;
    const tn_tensor *owner = trains ? it->x : owner_of(graph, it->x->name, prefix);
    tn_free(prefix);
    it->class = trains ? 0 : UINT32_MAX;
    it->order = owner ? owner->id : it->x->id;
    it->group = group_of(owner ? owner : it->x);
    if (trains || !owner) return TN_OK;
    const char *own = it->x->name + strlen(owner->name);
    for (it->class = 0; it->class < *suffixes; it->class ++)
        if (!strcmp(suffix[it->class], own)) break;
    if (it->class == *suffixes) suffix[(*suffixes)++] = own;
    it->class ++;
    return TN_OK;
}

static int by_class(const void *a, const void *b)
{
    const item *x = a, *y = b;
    if (x->class != y->class) return x->class < y->class ? -1 : 1;
    if (x->group != y->group) return x->group < y->group ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

static void round_to(int32_t dtype, const double *value, int64_t count, void *out)
{
    for (int64_t i = 0; i < count; i++) {
        if (dtype == TN_F64)
            ((double *)out)[i] = value[i];
        else if (dtype == TN_I32)
            ((int32_t *)out)[i] = (int32_t)value[i];
        else if (dtype == TN_U8)
            ((uint8_t *)out)[i] = (uint8_t)value[i];
        else
            ((float *)out)[i] = (float)value[i];
    }
}

static int32_t widened(const tn_tensor *x, int f64)
{
    return f64 && x->type.dtype == TN_F32 ? TN_F64 : x->type.dtype;
}

/* A variable that is there must be what the graph takes it for. */
static tn_status check(const tn_state *state, const tn_tensor *x, int f64)
{
    char before[160], now[160];
    const tn_state_tensor *t = tn_state_get(state, x->name);
    if (!t) return TN_OK;
    TN_REQUIRE(t->entry.dtype == widened(x, f64) && tn_shape_equal(&t->entry.shape, &x->type.shape), TN_ESHAPE,
               "variable '%s' is %s %s in the state, but %s %s in the graph", x->name, tn_dtype_name(t->entry.dtype),
               tn_shape_text(&t->entry.shape, before, sizeof before), tn_dtype_name(widened(x, f64)),
               tn_shape_text(&x->type.shape, now, sizeof now));
    return TN_OK;
}

static tn_status find_missing(tn_binding *b, const tn_graph *graph, const char *suffix[], uint64_t *bytes)
{
    uint32_t suffixes = 0;
    *bytes = 0;
    for (uint32_t i = 0; i < graph->count; i++) {
        const tn_tensor *x = graph->tensor[i];
        if (x->op != &tn_op_variable) continue;
        TN_TRY(check(b->state, x, b->f64));
        if (tn_state_get(b->state, x->name)) continue;
        TN_REQUIRE(x->type.dtype != TN_F16 && x->type.dtype != TN_BF16, TN_EUNSUPPORTED,
                   "variable '%s': %s is for storage, not for variables", x->name, tn_dtype_name(x->type.dtype));
        b->missing[b->count].x = x;
        TN_TRY(classify(graph, &b->missing[b->count++], suffix, &suffixes));
        *bytes +=
            (uint64_t)tn_shape_count(&x->type.shape) * tn_dtype_size(widened(x, b->f64)) + tn_state_alignment(b->state);
    }
    return TN_OK;
}

static tn_status plan_all(tn_binding *b, const tn_graph *graph, const char *suffix[])
{
    uint64_t bytes = 0;
    TN_TRY(find_missing(b, graph, suffix, &bytes));
    if (!b->count) return TN_OK;
    qsort(b->missing, b->count, sizeof *b->missing, by_class);
    TN_TRY(tn_state_announce(b->state, bytes));
    for (uint32_t i = 0; i < b->count; i++) {
        const tn_tensor *x = b->missing[i].x;
        TN_TRY(tn_state_plan(b->state, x->name, widened(x, b->f64), &x->type.shape, flags_of(x)));
    }
    return TN_OK;
}

tn_status tn_bind_begin(tn_state *state, const tn_graph *graph, int f64, tn_binding *b)
{
    *b = (tn_binding){.state = state, .f64 = f64, .before = tn_state_here(state)};
    b->missing = tn_alloc((graph->count + 1) * sizeof *b->missing);
    const char **suffix = tn_alloc((graph->count + 1) * sizeof *suffix);
    tn_status s = b->missing && suffix ? plan_all(b, graph, suffix) : TN_ENOMEM;
    tn_free(suffix);
    return s;
}

/* ---- first values ---- */

static int is_zero(const tn_tensor *x)
{
    return ((const tn_variable_attrs *)x->attrs)->init.kind == TN_INIT_ZERO;
}

static uint64_t staging_of(const tn_tensor *x, int f64)
{
    if (is_zero(x)) return 0;
    return (uint64_t)tn_shape_count(&x->type.shape) * (sizeof(double) + tn_dtype_size(widened(x, f64)));
}

uint64_t tn_bind_staging(const tn_binding *b)
{
    uint64_t most = 0;
    for (uint32_t i = 0; i < b->count; i++) {
        uint64_t bytes = staging_of(b->missing[i].x, b->f64);
        if (bytes > most) most = bytes;
    }
    return most;
}

static tn_status put(tn_state *state, const tn_tensor *x, int32_t dtype, const void *data)
{
    return tn_state_put(state, x->name, dtype, x->type.shape, flags_of(x), data);
}

static tn_status make(tn_state *state, const tn_tensor *x, int32_t dtype)
{
    int64_t count = tn_shape_count(&x->type.shape);
    if (is_zero(x)) return put(state, x, dtype, NULL);
    double *value = tn_alloc((size_t)count * sizeof *value);
    void *data = tn_alloc((size_t)count * tn_dtype_size(dtype));
    tn_status s = value && data ? TN_OK : TN_ENOMEM;
    if (!s) s = tn_first_values(x, state->seed, value);
    if (!s) {
        round_to(dtype, value, count, data);
        s = put(state, x, dtype, data);
    }
    tn_free(value);
    tn_free(data);
    return s;
}

tn_status tn_bind_make(const tn_binding *b)
{
    TN_TRY(tn_state_make(b->state));
    for (uint32_t i = 0; i < b->count; i++) TN_TRY(make(b->state, b->missing[i].x, widened(b->missing[i].x, b->f64)));
    return TN_OK;
}

void tn_bind_end(tn_binding *b, tn_status s)
{
    if (s) tn_state_back(b->state, b->before);
    tn_free(b->missing);
}
