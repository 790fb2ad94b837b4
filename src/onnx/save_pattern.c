/* save_pattern.c: several operators of ours that are one of ONNX's: products and convolutions with their bias, means,
 * batch and layer normalisation. What lies between has no other use. */
#include <string.h>

#include "reduce.h"
#include "rows.h"
#include "save.h"

/* x if it is the result of that row and nobody else uses it; else NULL. */
static tn_tensor *only(const export_saver *s, tn_tensor *x, const tn_op_def *op)
{
    return x->op == op && s->uses[x->id] == 1 ? x : NULL;
}

/* Through views: the variable with a number for each of `count` channels, or NULL. */
static tn_tensor *vector(tn_tensor *x, int64_t count)
{
    while (x->op == &tn_op_reshape) x = x->in[0];
    return x->op == &tn_op_variable && x->type.shape.rank == 1 && x->type.shape.dim[0] == count ? x : NULL;
}

/* x as it is broadcast over (batch, channels, ...): a number for each channel. */
static tn_tensor *per_channel(tn_tensor *x, const tn_tensor *y)
{
    const tn_shape *have = &x->type.shape, *want = &y->type.shape;
    if (want->rank < 2 || have->rank != want->rank - 1 || have->dim[0] != want->dim[1]) return NULL;
    return vector(x, want->dim[1]);
}

/* The same of any tensor, with an axis of its own for the batch or without. */
static int is_per_channel(const tn_tensor *x, const tn_tensor *y)
{
    const tn_shape *have = &x->type.shape, *want = &y->type.shape;
    const int32_t channels = have->rank - want->rank + 1;
    if (want->rank < 2 || channels < 0 || channels > 1) return 0;
    for (int32_t d = 0; d < have->rank; d++)
        if (have->dim[d] != (d == channels ? want->dim[1] : 1)) return 0;
    return 1;
}

static int plan_of(export_plan *plan, void (*say)(export_saver *, tn_tensor *, tn_tensor *const[]),
                   tn_tensor *const in[], uint32_t n)
{
    plan->say = say;
    memcpy(plan->own, in, n * sizeof *in);
    plan->in = plan->own;
    plan->n_in = n;
    return 1;
}

/* ---- products and convolutions with a bias ---- */

static void say_gemm(export_saver *s, tn_tensor *y, tn_tensor *const in[])
{
    const tn_tensor *product = y->in[0];
    export_result(s, y, "Gemm", EXPORT_OF(export_value(s, in[0]), export_value(s, in[1]), export_value(s, in[2])),
                  EXPORT_AT(EXPORT_INT("transA", export_whole(product, "trans_a", 0)),
                            EXPORT_INT("transB", export_whole(product, "trans_b", 0))));
}

static int find_gemm(export_saver *s, tn_tensor *y, export_plan *plan)
{
    tn_tensor *product = only(s, y->in[0], &tn_op_matmul), *bias = y->in[1];
    if (!product || product->type.shape.rank != 2 || !vector(bias, y->type.shape.dim[1])) return 0;
    if (bias->type.shape.rank != 1 || !tn_shape_equal(&product->type.shape, &y->type.shape)) return 0;
    return plan_of(plan, say_gemm, (tn_tensor *[]){product->in[0], product->in[1], bias}, 3);
}

static void say_biased(export_saver *s, tn_tensor *y, tn_tensor *const in[])
{
    tn_tensor *conv = y->in[0];
    s->bias = in[2];
    s->result = y;
    (conv->op == &tn_op_conv2d ? export_rule_conv2d : export_rule_conv2d_data)(s, conv, in);
    s->bias = s->result = NULL;
}

static int find_biased(export_saver *s, tn_tensor *y, export_plan *plan)
{
    tn_tensor *conv = only(s, y->in[0], &tn_op_conv2d);
    if (!conv) conv = only(s, y->in[0], &tn_op_conv2d_data);
    tn_tensor *bias = conv && tn_shape_equal(&conv->type.shape, &y->type.shape) ? per_channel(y->in[1], y) : NULL;
    return bias && plan_of(plan, say_biased, (tn_tensor *[]){conv->in[0], conv->in[1], bias}, 3);
}

/* ---- normalisation: (... weight) + bias ---- */

/* The product of y = a weight + bias; NULL: y is none. */
static tn_tensor *scaled(const export_saver *s, const tn_tensor *y)
{
    return only(s, y->in[0], tn_row_mul);
}

/* What a view is of. */
static tn_tensor *viewed(tn_tensor *x)
{
    while (x->op == &tn_op_reshape) x = x->in[0];
    return x;
}

/* x's operand, if x is the result of that row; else NULL. */
static tn_tensor *operand(const tn_tensor *x, const tn_op_def *op, uint32_t i)
{
    return x && x->op == op ? viewed(x->in[i]) : NULL;
}

/* sqrt(variance + epsilon), by which a batch norm's scale is divided. */
static const tn_tensor *deviation(const tn_tensor *scale)
{
    return operand(operand(scale, tn_row_div, 1), tn_row_sqrt, 0);
}

static void say_batch_norm(export_saver *s, tn_tensor *y, tn_tensor *const in[])
{
    double epsilon = 0;
    export_is_number(s, deviation(viewed(y->in[0]->in[1]))->in[1], &epsilon);
    export_result(s, y, "BatchNormalization",
                  EXPORT_OF(export_value(s, in[0]), export_value(s, in[1]), export_value(s, in[2]),
                            export_value(s, in[3]), export_value(s, in[4])),
                  EXPORT_AT(EXPORT_REAL("epsilon", epsilon)));
}

/* x scale + shift, where scale is weight / sqrt(variance + epsilon) and shift is bias - mean scale. */
static int find_batch_norm(export_saver *s, tn_tensor *y, export_plan *plan)
{
    tn_tensor *product = scaled(s, y), *x = product ? product->in[0] : NULL;
    if (!x || !tn_shape_equal(&x->type.shape, &y->type.shape)) return 0;
    if (!is_per_channel(product->in[1], x) || !is_per_channel(y->in[1], x)) return 0;
    tn_tensor *scale = viewed(product->in[1]), *shift = viewed(y->in[1]);
    const tn_tensor *sum = deviation(scale), *moved = operand(shift, tn_row_sub, 1);
    double epsilon;
    if (!moved || operand(moved, tn_row_mul, 1) != scale || !sum || sum->op != tn_row_add ||
        !export_is_number(s, sum->in[1], &epsilon))
        return 0;
    tn_tensor *in[] = {x, scale->in[0], shift->in[0], moved->in[0], sum->in[0]};
    for (int i = 1; i < 5; i++)
        if (!(in[i] = vector(in[i], y->type.shape.dim[1]))) return 0;
    return plan_of(plan, say_batch_norm, in, 5);
}

static void say_layer_norm(export_saver *s, tn_tensor *y, tn_tensor *const in[])
{
    export_result(s, y, "LayerNormalization",
                  EXPORT_OF(export_value(s, in[0]), export_value(s, in[1]), export_value(s, in[2])),
                  EXPORT_AT(EXPORT_REAL("epsilon", export_real(y->in[0]->in[0], "epsilon"))));
}

static int find_layer_norm(export_saver *s, tn_tensor *y, export_plan *plan)
{
    tn_tensor *weighted = scaled(s, y), *normal = weighted ? only(s, weighted->in[0], &tn_op_normalize) : NULL;
    const int32_t last = y->type.shape.rank - 1;
    if (!normal || export_whole(normal, "keep_mean", 0) || export_whole(normal, "axes", 0) != 1ll << last) return 0;
    tn_tensor *weight = vector(weighted->in[1], y->type.shape.dim[last]),
              *bias = vector(y->in[1], y->type.shape.dim[last]);
    if (!weight || !bias || weighted->in[1]->type.shape.rank != 1 || y->in[1]->type.shape.rank != 1) return 0;
    if (!tn_shape_equal(&normal->type.shape, &y->type.shape)) return 0;
    return plan_of(plan, say_layer_norm, (tn_tensor *[]){normal->in[0], weight, bias}, 3);
}

/* ---- means ---- */

static void say_mean(export_saver *s, tn_tensor *y, tn_tensor *const in[])
{
    const tn_tensor *sum = y->in[0];
    int64_t axes[TN_MAX_RANK];
    const size_t count = export_axes((uint32_t)export_whole(sum, "axes", 0), axes);
    export_result(s, y, "ReduceMean", EXPORT_OF(export_value(s, in[0]), export_ints(s, axes, count)),
                  EXPORT_AT(EXPORT_INT("keepdims", y->type.shape.rank == in[0]->type.shape.rank)));
}

/* A sum, divided by how many there are. */
static int find_mean(export_saver *s, tn_tensor *y, export_plan *plan)
{
    tn_tensor *sum = only(s, y->in[0], &tn_op_reduce);
    double share;
    if (!sum || !tn_sum_axes(sum) || !export_is_number(s, y->in[1], &share) || y->in[1]->type.shape.rank) return 0;
    const int64_t all = tn_shape_count(&sum->in[0]->type.shape), groups = tn_shape_count(&sum->type.shape);
    if (!groups || !all || share != 1.0 / (double)(all / groups)) return 0;
    return plan_of(plan, say_mean, sum->in, 1);
}

/* ---- the table ---- */

int export_find_pattern(export_saver *s, tn_tensor *y, export_plan *plan)
{
    const struct {
        const tn_op_def *op;
        int (*find)(export_saver *s, tn_tensor *y, export_plan *plan);
    } patterns[] = {{tn_row_add, find_gemm},       {tn_row_add, find_biased}, {tn_row_add, find_batch_norm},
                    {tn_row_add, find_layer_norm}, {tn_row_mul, find_mean},   {&tn_op_concat, export_find_recurrent}};
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
        if (patterns[i].op == y->op && patterns[i].find(s, y, plan)) return 1;
    return 0;
}
