/* rules.c: the table of operators, and the rules that are a row and no more. */
#include <math.h>
#include <string.h>

#include "rule.h"

/* ---- reductions that ops.h has otherwise ---- */

typedef tn_tensor *reduction(tn_tensor *x, tn_axes axes, int keep);

static tn_tensor *onnx_reduce_l1(tn_tensor *x, tn_axes axes, int keep)
{
    return tn_sum(tn_abs(x), axes, keep);
}

static tn_tensor *onnx_reduce_sum_square(tn_tensor *x, tn_axes axes, int keep)
{
    return tn_sum(tn_mul(x, x), axes, keep);
}

/* Of whole numbers without what is behind the point. */
static tn_tensor *onnx_reduce_mean(tn_tensor *x, tn_axes axes, int keep)
{
    if (tn_dtype_of(x) != TN_I32) return tn_mean(x, axes, keep);
    tn_tensor *sum = tn_sum(x, axes, keep);
    tn_shape from = tn_shape_of(x), to = tn_shape_of(sum);
    int64_t results = tn_shape_count(&to), count = results ? tn_shape_count(&from) / results : 1;
    return tn_div(sum, tn_number(sum, (double)count));
}

static tn_tensor *onnx_reduce_l2(tn_tensor *x, tn_axes axes, int keep)
{
    return tn_sqrt(onnx_reduce_sum_square(x, axes, keep));
}

static tn_tensor *onnx_reduce_log_sum(tn_tensor *x, tn_axes axes, int keep)
{
    return tn_log(tn_sum(x, axes, keep));
}

/* Of no elements it is what changes no other: -infinity, or the least number there is. */
static tn_tensor *extreme(tn_tensor *x, tn_axes axes, int keep, reduction *function, double none)
{
    tn_shape shape = tn_shape_of(x);
    if (tn_shape_count(&shape)) return function(x, axes, keep);
    tn_tensor *sum = tn_sum(x, axes, keep);
    double whole = none > 0 ? INT32_MAX : INT32_MIN;
    return tn_full(tn_graph_of(x), tn_dtype_of(x), tn_shape_of(sum), tn_dtype_of(x) == TN_I32 ? whole : none);
}

static tn_tensor *onnx_reduce_max(tn_tensor *x, tn_axes axes, int keep)
{
    return extreme(x, axes, keep, tn_amax, -(double)INFINITY);
}

static tn_tensor *onnx_reduce_min(tn_tensor *x, tn_axes axes, int keep)
{
    return extreme(x, axes, keep, tn_amin, (double)INFINITY);
}

/* All axes if none is named, unless that is to be none. */
static void reduce(onnx_node *n, reduction *function)
{
    int64_t axis[TN_MAX_RANK];
    tn_tensor *x = onnx_in(n, 0);
    tn_axes axes = TN_ALL;
    int32_t rank = onnx_rank(n, 0);
    int64_t count = onnx_ints_of(n, "axes", 1, axis, TN_MAX_RANK), keeps_all = onnx_int(n, "noop_with_empty_axes", 0);
    if (!x || n->failed || count > TN_MAX_RANK) return;
    if (count <= 0 && keeps_all) axes.count = 0;
    if (count > 0) axes.count = (int32_t)count;
    for (int32_t i = 0; i < axes.count; i++) axes.axis[i] = onnx_axis(n, axis[i], rank);
    int rounds = function == onnx_reduce_l2 || function == onnx_reduce_log_sum || function == tn_logsumexp;
    if (rounds && tn_dtype_of(x) == TN_I32) x = tn_cast(x, TN_F32);
    tn_tensor *y = function(x, axes, (int)onnx_int(n, "keepdims", 1));
    tn_shape shape = tn_shape_of(x);
    if (onnx_is_whole(onnx_type(n, 0)) && !tn_shape_count(&shape)) { /* the least of no truth values is 0 */
        double least, most;
        onnx_range(onnx_type(n, 0), &least, &most);
        y = tn_max(tn_min(y, tn_number(y, most)), tn_number(y, least));
    }
    onnx_out(n, 0, y);
}

/* ---- rows ---- */

/* Whole numbers have no rounding, and floating-point functions of them are not there. */
static void unary(onnx_node *n, tn_tensor *(*function)(tn_tensor *x))
{
    tn_tensor *x = onnx_in(n, 0);
    if (x) onnx_out(n, 0, onnx_wrapped(function(x), onnx_type(n, 0)));
}

/* Before opset 7 the second operand may stand for dimensions from an axis on; without one for the last, as later. */
static tn_tensor *from_axis(onnx_node *n, tn_tensor *a, tn_tensor *b)
{
    if (n->opset > 6 || !a || !b) return b;
    onnx_heeded(n, "broadcast");
    if (!onnx_attr(n, "axis")) return b;
    tn_shape from = tn_shape_of(b), to = {.rank = tn_shape_of(a).rank};
    to.rank -= onnx_axis(n, onnx_int(n, "axis", 0), to.rank);
    for (int32_t d = 0; d < to.rank; d++) to.dim[d] = d < from.rank ? from.dim[d] : 1;
    return n->failed ? NULL : tn_reshape(b, to);
}

static void binary(onnx_node *n, tn_tensor *(*function)(tn_tensor *a, tn_tensor *b))
{
    tn_tensor *a = onnx_in(n, 0), *b = from_axis(n, a, onnx_in(n, 1));
    if (a && b) onnx_out(n, 0, onnx_wrapped(function(a, b), onnx_type(n, 0)));
}

static void compare(onnx_node *n, tn_tensor *(*function)(tn_tensor *a, tn_tensor *b))
{
    tn_tensor *a = onnx_in(n, 0), *b = from_axis(n, a, onnx_in(n, 1));
    if (a && b) onnx_out_as(n, 0, function(a, b), ONNX_BOOL);
}

static tn_tensor *onnx_relu(tn_tensor *x)
{
    return tn_dtype_of(x) == TN_I32 ? tn_max(x, tn_number(x, 0)) : tn_relu(x);
}

#define RULE(name, since, operands, rule)
#define TABLE   RULE
#define RUNTIME RULE
#define UNARY(name, since, function)                                                                                   \
    static void row_##name(onnx_node *n)                                                                               \
    {                                                                                                                  \
        unary(n, function);                                                                                            \
    }
#define BINARY(name, since, function)                                                                                  \
    static void row_##name(onnx_node *n)                                                                               \
    {                                                                                                                  \
        binary(n, function);                                                                                           \
    }
#define COMPARE(name, since, function)                                                                                 \
    static void row_##name(onnx_node *n)                                                                               \
    {                                                                                                                  \
        compare(n, function);                                                                                          \
    }
#define REDUCE(name, since, function)                                                                                  \
    static void row_##name(onnx_node *n)                                                                               \
    {                                                                                                                  \
        reduce(n, function);                                                                                           \
    }
#include "rules.def"
#undef RULE
#undef TABLE
#undef RUNTIME
#undef UNARY
#undef BINARY
#undef COMPARE
#undef REDUCE

/* ---- the table ---- */

#define RULE(name, since, operands, rule)    {"", #name, since, onnx_rule_##rule},
#define TABLE(name, since, operands, rule)   {"ai.onnx.ml", #name, since, onnx_rule_##rule},
#define RUNTIME(name, since, operands, rule) {"com.microsoft", #name, since, onnx_rule_##rule},
#define ROW(name, since, function)           {"", #name, since, row_##name},
#define UNARY                                ROW
#define BINARY                               ROW
#define COMPARE                              ROW
#define REDUCE                               ROW
static const struct {
    const char *domain, *name;
    int64_t since;
    onnx_rule *rule;
} rules[] = {
#include "rules.def"
};

onnx_rule *onnx_find_rule(const char *domain, const char *name)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (!strcmp(rules[i].name, name) && !strcmp(rules[i].domain, domain)) return rules[i].rule;
    return NULL;
}
