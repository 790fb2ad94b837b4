/* dropout.c: y = 0 with probability `rate`, else x / (1 - rate). Srivastava and others, 2014. The mask is never stored:
 * the backward pass computes it again from the counter. */
#include <math.h>

#include "cases.h"
#include "check.h"
#include "philox.h"
#include "random.h"

typedef struct attrs {
    double rate; /* a multiple of 2^-24, as the random numbers are: equality means the same on every device */
    uint32_t stream;
    uint32_t reserved;
} attrs;

static tn_status shape(tn_tensor *const in[], uint32_t n_in, const void *raw, tn_type *out)
{
    const attrs *at = raw;
    (void)n_in;
    TN_TRY(tn_require_type("dropout", in[0], 0));
    TN_REQUIRE(at->rate >= 0 && at->rate < 1, TN_EINVAL, "dropout: a rate of %g", at->rate);
    *out = in[0]->type;
    return TN_OK;
}

static tn_tensor *lower(tn_tensor *y)
{
    const attrs *at = y->attrs;
    tn_tensor *x = y->in[0];
    tn_tensor *u = tn_cast(tn_random_of(&tn_op_uniform, y->graph, x->type.shape, at->stream), x->type.dtype);
    tn_tensor *kept = tn_ge(u, tn_number(u, at->rate));
    return tn_where(kept, tn_mul(x, tn_number(x, 1 / (1 - at->rate))), tn_number(x, 0));
}

static void reference(const tn_reference_call *call)
{
    const attrs *at = call->desc->attrs;
    uint64_t seed = (uint64_t)call->scalar[0].i, step = (uint64_t)call->scalar[1].i;
    for (int64_t e = 0; e < tn_desc_count(&call->desc->out[0]); e++) {
        int kept = tn_philox_uniform(seed, step, at->stream, (uint64_t)e) >= at->rate;
        call->out[0][e] = kept ? call->in[0][e] / (1 - at->rate) : 0;
    }
}

tn_tensor *tn_dropout(tn_tensor *x, double rate)
{
    tn_graph *graph = tn_graph_of(x);
    if (!(rate >= 0 && rate < 1)) tn_node_fail(graph, TN_EINVAL, "dropout: rate %g is not within 0..1", rate);
    if (tn_graph_status(graph) || rate == 0) return x;
    attrs at = {round(rate * 0x1p24) * 0x1p-24, tn_graph_stream(graph), 0};
    if (at.rate >= 1) at.rate = 1 - 0x1p-24;
    return tn_node(&tn_op_dropout, NULL, &x, 1, &at);
}

static tn_tensor *case_some(tn_tensor *const in[])
{
    return tn_dropout(in[0], 0.3);
}

static tn_tensor *case_none(tn_tensor *const in[])
{
    return tn_square(tn_dropout(in[0], 0));
}

static tn_tensor *case_most(tn_tensor *const in[])
{
    return tn_dropout(tn_relu(in[0]), 0.9);
}

static const tn_op_case cases[] = {
    {"a part", case_some, {F32(33, 65)}},
    {"none", case_none, {F32(7, 3)}},
    {"most, after relu", case_most, {F32(1031)}},
    {"of nothing", case_some, {F32(0, 3)}},
    {0},
};

static const tn_field fields[] = {
    TN_FIELD(attrs, rate, NUMBER), TN_FIELD(attrs, stream, STREAM), TN_FIELD(attrs, reserved, NOTHING), {0}};

const tn_op_def tn_op_dropout = {.name = "dropout",
                                 .doc = "x / (1 - rate), or 0 with probability rate",
                                 .kind = TN_COMPOSITE,
                                 .arity = 1,
                                 TN_ATTRS(attrs, fields),
                                 .shape = shape,
                                 .lower = lower,
                                 .reference = reference,
                                 .cases = cases};
