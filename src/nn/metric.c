/* metric.c: how right a network is. */
#include "given.h"
#include "tenon/nn.h"

/* 1 where the logit is on the target's side of 0. */
static tn_tensor *sides_agree(tn_tensor *logit, tn_tensor *target)
{
    tn_tensor *yes = tn_gt(logit, tn_number(logit, 0));
    return tn_eq(yes, tn_gt(target, tn_number(target, 0.5)));
}

/* Outputs (..., classes) and labels (...) as one sample after another. */
static void line_up(tn_tensor **output, tn_tensor **target)
{
    tn_shape x = tn_shape_of(*output), t = tn_shape_of(*target), rows = x;
    if (x.rank < 3 || tn_dtype_of(*target) != TN_I32) return;
    rows.dim[--rows.rank] = 0;
    if (!tn_shape_equal(&rows, &t)) return;
    *output = tn_reshape(*output, TN_SHAPE(tn_shape_count(&t), x.dim[x.rank - 1]));
    *target = tn_reshape(*target, TN_SHAPE(tn_shape_count(&t)));
}

tn_tensor *tn_is_correct(tn_tensor *output, tn_tensor *target)
{
    TN_OPERANDS(output, target);
    tn_graph *graph = tn_graph_of(output);
    if (tn_graph_status(graph)) return output;
    line_up(&output, &target);
    tn_shape x = tn_shape_of(output), t = tn_shape_of(target);
    int labels = tn_dtype_of(target) == TN_I32 && t.rank == 1;
    char a[160], b[160];
    if (x.rank != 2 || x.dim[0] != t.dim[0] || (!labels && !tn_shape_equal(&x, &t))) {
        tn_graph_fail(graph, TN_ESHAPE, "counting: the output %s does not fit the target %s",
                      tn_shape_text(&x, a, sizeof a), tn_shape_text(&t, b, sizeof b));
        return output;
    }
    if (labels && x.dim[1] > 1) return tn_cast(tn_eq(tn_argmax(output, -1), target), TN_F32);
    if (labels) return tn_reshape(sides_agree(output, tn_reshape(tn_cast(target, TN_F32), x)), t);
    return tn_amin(sides_agree(output, target), TN_AXES(1), 0);
}

tn_tensor *tn_count_correct(tn_tensor *output, tn_tensor *target)
{
    TN_OPERANDS(output, target);
    tn_tensor *right = tn_is_correct(output, target);
    return tn_graph_status(tn_graph_of(output)) ? output : tn_sum(right, TN_ALL, 0);
}

tn_tensor *tn_root_mean_squared_error(tn_tensor *prediction, tn_tensor *target)
{
    TN_OPERANDS(prediction, target);
    return tn_sqrt(tn_mean_squared_error(prediction, target));
}
