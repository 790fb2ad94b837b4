/* operators.c: an operator's own cases, forward and backward: the graph is compiled into operations, each of which the
 * backend runs on the reference's values, alone and as parts of what the compiler fuses. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ir.h"
#include "kit.h"
#include "reference_internal.h"
#include "rewrite.h"

/* ---- one graph, operation by operation ---- */

typedef struct walk {
    tn_kit *kit;
    const tn_op_case *now;
    int specials; /* some of the numbers are zeros, infinities, NaN, or whole ones that f32 does not hold */
    char how[160];
    tn_ir ir;
    unsigned char **bytes; /* by value: what the reference made of it */
} walk;

static int supports(void *self, int32_t place, const tn_op_desc *desc, const tn_origin *origin)
{
    (void)origin;
    tn_kit *kit = self;
    return !place && !kit->backend->op_prepare(kit->context, desc, NULL, NULL, &kit->msg);
}

static unsigned char *bytes_of(walk *w, tn_value *value)
{
    const tn_value *root = tn_value_root(value);
    for (uint32_t i = 0; i < w->ir.values; i++)
        if (w->ir.value[i] == root) return w->bytes[i];
    return NULL;
}

static double random_number(walk *w, int32_t dtype)
{
    static const double special[] = {0,   -0.0,  1,      -1,    0.5,   -0.5,  2,    -2,       3,
                                     -3,  7,     -7,     1e-3,  -1e-3, 1e4,   -1e4, INFINITY, -INFINITY,
                                     NAN, 1e-39, -3e-39, 1e-45, 3e-5,  -2e-6, 7e-8}; /* the last small ones: of f32, of
                                                                                        f16 */
    static const double neighbours[] = {
        16777215,   16777216,   16777217,   16777218,    -16777216, -16777217,    123456788, 123456789,
        -123456789, 2147483646, 2147483647, -2147483647, -1,        -2147483648.0}; /* some are one number in f32 */
    double low = w->now->low, high = w->now->high;
    if (low == 0 && high == 0) low = -2, high = 2;
    if (dtype == TN_I32 && w->specials && tn_kit_bits(w->kit) % 2)
        return neighbours[tn_kit_bits(w->kit) % (sizeof neighbours / sizeof *neighbours)];
    if (tn_is_whole(dtype)) return floor(tn_kit_uniform(w->kit, low, high + 1));
    if (w->specials && tn_kit_bits(w->kit) % 3 == 0)
        return special[tn_kit_bits(w->kit) % (sizeof special / sizeof *special)];
    return tn_kit_uniform(w->kit, low, high);
}

/* NaN as other programs leave it: any sign, any bits behind the exponent but none at all. */
static void vary_nan(tn_kit *kit, float *x, int64_t count)
{
    for (int64_t e = 0; e < count; e++) {
        const uint32_t bits = 0x7f800000u | tn_kit_bits(kit) | (tn_kit_bits(kit) & 1 ? 0x807fffffu : 1);
        if (isnan(x[e])) memcpy(&x[e], &bits, sizeof bits);
    }
}

/* Room for every value; the inputs are filled. */
static int fill_values(walk *w)
{
    w->bytes = calloc(w->ir.values + 1, sizeof *w->bytes);
    for (uint32_t i = 0; w->bytes && i < w->ir.values; i++) {
        const tn_value *v = w->ir.value[i];
        tn_tensor_desc desc = tn_desc_dense(v->type.dtype, &v->type.shape);
        int64_t count = tn_desc_count(&desc);
        double *x = calloc((size_t)count + 1, sizeof *x);
        w->bytes[i] = calloc(v->bytes + 1, 1);
        if (!x || !w->bytes[i]) return free(x), 0;
        for (int64_t e = 0; v->home == TN_IN_INPUT && e < count; e++) x[e] = random_number(w, v->type.dtype);
        tn_reference_store(w->bytes[i], x, &desc);
        if (v->home == TN_IN_INPUT && v->type.dtype == TN_F32) vary_nan(w->kit, (float *)(void *)w->bytes[i], count);
        free(x);
    }
    return w->bytes != NULL;
}

/* x, or the whole number next to it. */
static int64_t whole_number(double x)
{
    return x >= 0x1p63 ? INT64_MAX : (int64_t)x;
}

/* Seeds and steps are fixed, with something in their high words; the others as the graph gives them. */
static void find_scalars(walk *w, const tn_launch *l, tn_scalar scalar[])
{
    for (uint32_t i = 0; i < l->n_scalar; i++) {
        const tn_scalar_slot *slot = &w->ir.slot[l->slot[i]];
        if (!strcmp(slot->name, "seed"))
            scalar[i].i = (int64_t)0x123456789abcdef0;
        else if (!strcmp(slot->name, "step"))
            scalar[i].i = (int64_t)0x23456789a;
        else if (slot->dtype == TN_I32)
            scalar[i].i = whole_number(slot->value);
        else
            scalar[i].f = slot->program.n_instr ? (slot->dtype == TN_F64 ? 0.1 : 0.375) : slot->value;
    }
}

static int is_whole(const tn_tensor_desc *x, const tn_tensor_desc *y)
{
    for (int32_t d = 0; d < y->rank; d++)
        if (x->dim[d] != y->dim[d] || x->stride[d] != y->stride[d]) return 0;
    return x->dtype == y->dtype && x->rank == y->rank;
}

/* The same job in other places: not aligned, and written over one of its inputs. */
static int run_variants(walk *w, tn_kit_job *job, const tn_kit_want *want)
{
    tn_op_desc desc = *job->desc;
    int32_t alias[TN_MAX_OPERANDS];
    char how[200];
    job->shift = 1;
    snprintf(how, sizeof how, "%s, one element off alignment", w->how);
    int answer = tn_kit_run_job(w->kit, job);
    if (!tn_kit_expect(w->kit, answer == TN_KIT_RAN, "%s: refused or failed", how)) return 0;
    if (!tn_kit_compare(w->kit, job, want, how)) return 0;
    job->shift = 0;
    for (uint32_t i = 0; i < desc.n_in && i < 3; i++) {
        if (!is_whole(&desc.in[i], &desc.out[0])) continue;
        for (uint32_t k = 0; k < TN_MAX_OPERANDS; k++) alias[k] = k ? -1 : (int32_t)i;
        desc.alias = alias;
        tn_kit_job over = *job;
        over.desc = &desc;
        snprintf(how, sizeof how, "%s, over input %u", w->how, i);
        answer = tn_kit_run_job(w->kit, &over);
        if (answer == TN_KIT_REFUSED) w->kit->result->refused--; /* it may be: the host has other memory */
        if (answer == TN_KIT_WRONG || (answer == TN_KIT_RAN && !tn_kit_compare(w->kit, &over, want, how))) return 0;
    }
    return 1;
}

/* The same job at a lower level of precision, which only some backends do, and only for products. */
static int run_level(walk *w, const tn_kit_job *job, uint32_t level)
{
    tn_op_desc desc = *job->desc;
    tn_kit_job coarse = *job;
    tn_kit_want want;
    char how[200];
    const uint32_t refused = w->kit->result->refused;
    desc.precision = level, coarse.desc = &desc;
    snprintf(how, sizeof how, "%s, at precision %s", w->how, tn_precision_name(level));
    int answer = tn_kit_run_job(w->kit, &coarse);
    w->kit->result->refused = refused; /* it may be */
    if (answer != TN_KIT_RAN) return answer == TN_KIT_REFUSED;
    if (!tn_kit_expected(w->kit, &coarse, &want)) return 0;
    int fine = tn_kit_compare(w->kit, &coarse, &want, how);
    tn_kit_want_free(&want);
    return fine;
}

static int run_levels(walk *w, const tn_kit_job *job)
{
    for (uint32_t level = TN_PRECISION_F32_FAST; tn_precision_name(level); level++)
        if (!run_level(w, job, level)) return 0;
    return 1;
}

static int run_launch(walk *w, const tn_launch *l)
{
    tn_scalar scalar[TN_MAX_OPERANDS] = {{0}};
    tn_op_desc desc = l->operation.desc;
    tn_kit_job job = {.desc = &desc, .scalar = scalar, .n_scalar = l->n_scalar};
    tn_kit_want want;
    int fine = 1;
    desc.alias = NULL;
    find_scalars(w, l, scalar);
    for (uint32_t i = 0; i < desc.n_in; i++) job.in[i] = bytes_of(w, l->in[i]);
    for (uint32_t k = 0; k < desc.n_out; k++)
        if (!(job.out[k] = calloc(tn_kit_bytes(&desc.out[k]) + 1, 1))) fine = 0;
    if (fine && (fine = tn_kit_expected(w->kit, &job, &want))) {
        int answer = tn_kit_run_job(w->kit, &job);
        fine = answer == TN_KIT_REFUSED || (answer == TN_KIT_RAN && tn_kit_compare(w->kit, &job, &want, w->how) &&
                                            run_variants(w, &job, &want) && run_levels(w, &job));
        for (uint32_t k = 0; k < desc.n_out; k++)
            tn_reference_store(bytes_of(w, l->out[k]), want.value[k], &desc.out[k]);
        tn_kit_want_free(&want);
    }
    for (uint32_t k = 0; k < desc.n_out; k++) free(job.out[k]);
    return fine;
}

static int run_walk(walk *w, const tn_graph *graph, int fused)
{
    tn_graph *simple = NULL, *lowered = NULL;
    const tn_target target = {.self = w->kit, .supports = supports, .places = 1, .unfused = !fused};
    w->ir.alignment = w->kit->info.alignment ? w->kit->info.alignment : 64;
    tn_status s = tn_simplify(graph, &simple);
    if (!s) s = tn_lower(simple, NULL, &lowered);
    if (!s) s = tn_fuse(lowered, &target, &w->ir);
    int fine = tn_kit_expect(w->kit, !s, "'%s' cannot be compiled: %.300s", w->now->name, tn_message());
    w->kit->result->checks--; /* compiling is no check of the backend */
    fine = fine && fill_values(w);
    for (uint32_t i = 0; fine && i < w->ir.launches; i++) fine = run_launch(w, w->ir.launch[i]);
    for (uint32_t i = 0; w->bytes && i < w->ir.values; i++) free(w->bytes[i]);
    free(w->bytes);
    tn_ir_free(&w->ir);
    tn_graph_free(simple);
    tn_graph_free(lowered);
    return fine;
}

/* ---- all cases ---- */

static int run_case(tn_kit *kit, const tn_op_case *c, int fused, int specials)
{
    tn_tensor *in[4], *y = NULL;
    const tn_kit_case *now = kit->now;
    tn_graph *graph = tn_case_graph(c, now->dtype, in, &y);
    walk w = {.kit = kit, .now = c, .specials = specials};
    int fine = 1;
    snprintf(w.how, sizeof w.how, " (case '%s'%s%s)", c->name, fused ? ", fused" : "",
             specials ? ", with special numbers" : "");
    if (!graph) return 1;
    if (tn_case_outputs(in, y, (int)now->backward)) fine = run_walk(&w, graph, fused);
    tn_graph_free(graph);
    return fine;
}

/* What becomes of infinities where they meet the zeros around a picture, or a weight of nothing, is left open by the
 * ABI; and one special number among usual ones is far larger than they are. */
static int takes_specials(const tn_op_def *op)
{
    return !(op->traits & (TN_PADS | TN_HIDES | TN_CANCELS));
}

int tn_kit_takes(const tn_kit *kit, uint64_t i, uint64_t count)
{
    return !kit->most || (i + kit->seed) % count * kit->most % count < kit->most;
}

void tn_kit_run_operator(tn_kit *kit)
{
    const tn_kit_case *now = kit->now;
    const int is_large = !strcmp(now->group, "large");
    int fine = tn_kit_open(kit);
    uint64_t count = 0;
    while (now->op->cases[count].build) count++;
    kit->result->checks = 0; /* opening is no check of the operator */
    for (uint64_t i = 0; fine && i < count; i++) {
        const tn_op_case *c = &now->op->cases[i];
        if (!tn_kit_takes(kit, i, count) || (now->backward && c->no_gradient)) continue;
        fine = (is_large || run_case(kit, c, 0, 0)) && run_case(kit, c, 1, 0);
        if (fine && tn_dtype_size(now->dtype) > 1 && !now->backward && !is_large && takes_specials(now->op))
            fine = run_case(kit, c, 0, 1);
    }
    uint32_t checks = kit->result->checks;
    tn_kit_close(kit);
    kit->result->checks = checks;
    if (kit->result->refused)
        tn_kit_remark(kit, "%u operations were refused; the last: %.300s", kit->result->refused, kit->refusal);
}
