/* bind.c: makes the variables of a graph in a state, and their first values. */
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "init.h"
#include "leaf.h"
#include "state.h"

static uint32_t flags_of(const tn_tensor *x)
{
    return ((const tn_variable_attrs *)x->attrs)->flags & ~TN_PACKS_ALONE;
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
        else if (dtype == TN_I8)
            ((int8_t *)out)[i] = (int8_t)value[i];
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

/* ---- packs ---- */

/* The room that a tensor takes by itself: bytes, at the most. */
static uint64_t room_of(const tn_binding *b, const tn_tensor *x)
{
    return (uint64_t)tn_shape_count(&x->type.shape) * tn_dtype_size(widened(x, b->f64)) + tn_state_alignment(b->state);
}

/* Calls `see` for each variable of the pack and its place in it: bytes. */
static tn_status each_part(const tn_binding *b, const tn_tensor *pack, tn_state_span *span,
                           tn_status (*see)(const tn_binding *b, const tn_tensor *x, tn_state_span *span, uint64_t at))
{
    uint64_t size = tn_dtype_size(widened(pack, b->f64));
    int64_t start = 0;
    for (uint32_t i = 0; i < pack->n_in; i++) {
        TN_TRY(see(b, pack->in[i], span, (uint64_t)start * size));
        start = tn_pack_next(start, pack->in[i]);
    }
    return TN_OK;
}

static tn_status look(const tn_binding *b, const tn_tensor *x, tn_state_span *span, uint64_t at)
{
    const tn_state_tensor *t = tn_state_get(b->state, x->name);
    if (t)
        tn_state_span_see(span, t, at);
    else
        span->missing += room_of(b, x);
    span->taken |= b->claimed[x->id];
    return TN_OK;
}

static tn_status claim(const tn_binding *b, const tn_tensor *x, tn_state_span *span, uint64_t at)
{
    (void)span, (void)at;
    b->claimed[x->id] = 1;
    return TN_OK;
}

static tn_status move(const tn_binding *b, const tn_tensor *x, tn_state_span *span, uint64_t at)
{
    return tn_state_get(b->state, x->name) ? tn_state_copy_to(b->state, x->name, span, at) : TN_OK;
}

static tn_status settle(const tn_binding *b, const tn_tensor *x, tn_state_span *span, uint64_t at)
{
    if (tn_state_get(b->state, x->name)) tn_state_settle(b->state, x->name, span, at);
    return TN_OK;
}

/* Room for the whole pack, into which go those of its variables that are there. What fails leaves them as they were. */
static tn_status gather(tn_binding *b, const tn_tensor *pack, tn_state_span *span)
{
    tn_state_mark before = tn_state_here(b->state);
    tn_status s = tn_state_plan_span(b->state, span);
    if (!s) s = tn_state_make(b->state);
    if (!s) s = each_part(b, pack, span, move);
    if (!s) s = tn_state_wait(b->state);
    if (s) {
        tn_state_back(b->state, before);
        return s;
    }
    TN_TRY(each_part(b, pack, span, settle));
    tn_state_drop_empty(b->state);
    return TN_OK;
}

/* Variables of a pack that are there, but not in one piece, are moved, unless another pack has one of them, or is to
 * have it, or no buffer is large enough: then they stay, and all are treated one by one. */
static tn_status gather_all(tn_binding *b)
{
    for (uint32_t i = 0; i < b->packs; i++) {
        tn_state_span *span = &b->span[i];
        *span = (tn_state_span){.bytes = room_of(b, b->pack[i]) - tn_state_alignment(b->state)};
        TN_TRY(each_part(b, b->pack[i], span, look));
        span->apart = span->taken || span->bytes > tn_state_largest(b->state);
        if (!span->apart) TN_TRY(each_part(b, b->pack[i], span, claim));
        if (!span->there || span->apart) continue;
        int is_there = span->in_order && !span->missing;
        tn_status s = is_there ? each_part(b, b->pack[i], span, settle) : gather(b, b->pack[i], span);
        span->apart = s == TN_ENOMEM; /* no room for both places at once */
        if (s && !span->apart) return s;
        b->before = tn_state_here(b->state); /* what was moved stays where it is now */
    }
    return TN_OK;
}

/* ---- what is missing ---- */

static tn_status find_missing(tn_binding *b, const tn_graph *graph)
{
    for (uint32_t i = 0; i < graph->count; i++) {
        const tn_tensor *x = graph->tensor[i];
        if (x->op != &tn_op_variable) continue;
        TN_TRY(check(b->state, x, b->f64));
        if (tn_state_get(b->state, x->name)) continue;
        TN_REQUIRE(!tn_is_narrow(x->type.dtype), TN_EUNSUPPORTED, "variable '%s': %s is for storage, not for variables",
                   x->name, tn_dtype_name(x->type.dtype));
        b->missing[b->count++] = x;
    }
    return TN_OK;
}

/* Variables of packs come with these, or have their piece already. */
static uint64_t bytes_to_come(const tn_binding *b)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < b->count; i++) bytes += room_of(b, b->missing[i]);
    for (uint32_t i = 0; i < b->packs; i++) {
        const tn_state_span *span = &b->span[i];
        if (span->apart || !span->missing) continue;
        bytes -= span->missing < bytes ? span->missing : bytes;
        if (!span->there) bytes += room_of(b, b->pack[i]);
    }
    return bytes;
}

static tn_status plan_part(const tn_binding *b, const tn_tensor *x, tn_state_span *span, uint64_t at)
{
    if (tn_state_get(b->state, x->name)) return TN_OK;
    return tn_state_plan_in(b->state, x->name, widened(x, b->f64), &x->type.shape, flags_of(x), span, at);
}

/* Packs first, whole; then what is in none. */
static tn_status plan_all(tn_binding *b)
{
    if (!b->count) return TN_OK;
    TN_TRY(tn_state_announce(b->state, bytes_to_come(b)));
    for (uint32_t i = 0; i < b->packs; i++) {
        tn_state_span *span = &b->span[i];
        if (span->apart || !span->missing) continue;
        if (!span->there) TN_TRY(tn_state_plan_span(b->state, span));
        TN_TRY(each_part(b, b->pack[i], span, plan_part));
    }
    for (uint32_t i = 0; i < b->count; i++) {
        const tn_tensor *x = b->missing[i];
        if (tn_state_get(b->state, x->name)) continue;
        TN_TRY(tn_state_plan(b->state, x->name, widened(x, b->f64), &x->type.shape, flags_of(x)));
    }
    return TN_OK;
}

/* Parameters come before what belongs to them. */
static int by_training(const void *a, const void *b)
{
    const tn_tensor *x = *(const tn_tensor *const *)a, *y = *(const tn_tensor *const *)b;
    uint32_t trains_x = flags_of(x->in[0]) & TN_TRAINABLE, trains_y = flags_of(y->in[0]) & TN_TRAINABLE;
    if (trains_x != trains_y) return trains_x ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

static void find_packs(tn_binding *b, const tn_graph *graph)
{
    for (uint32_t i = 0; i < graph->count; i++)
        if (tn_is_packed_variables(graph->tensor[i])) b->pack[b->packs++] = graph->tensor[i];
    qsort(b->pack, b->packs, sizeof *b->pack, by_training);
}

tn_status tn_bind_begin(tn_state *state, const tn_graph *graph, int f64, tn_binding *b)
{
    *b = (tn_binding){.state = state, .f64 = f64, .before = tn_state_here(state)};
    b->missing = tn_alloc((graph->count + 1) * sizeof *b->missing);
    b->pack = tn_alloc((graph->count + 1) * sizeof *b->pack);
    b->claimed = tn_alloc(graph->count + 1);
    if (!b->missing || !b->pack || !b->claimed) return TN_ENOMEM;
    find_packs(b, graph);
    b->span = tn_alloc((b->packs + 1) * sizeof *b->span);
    if (!b->span) return TN_ENOMEM;
    TN_TRY(find_missing(b, graph));
    TN_TRY(gather_all(b));
    return plan_all(b);
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
        uint64_t bytes = staging_of(b->missing[i], b->f64);
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
    for (uint32_t i = 0; i < b->count; i++) TN_TRY(make(b->state, b->missing[i], widened(b->missing[i], b->f64)));
    return TN_OK;
}

void tn_bind_end(tn_binding *b, tn_status s)
{
    if (s) tn_state_back(b->state, b->before);
    tn_free(b->missing);
    tn_free(b->pack);
    tn_free(b->claimed);
    tn_free(b->span);
}
