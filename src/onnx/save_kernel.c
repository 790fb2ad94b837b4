/* save_kernel.c: products, sums, softmax, normalisation, convolutions and pools. */
#include "conv.h"
#include "pool.h"
#include "save.h"

/* ---- products ---- */

/* x with its last two dimensions swapped. */
static const char *swapped(export_saver *s, const tn_tensor *x)
{
    const int32_t rank = x->type.shape.rank;
    int64_t perm[TN_MAX_RANK];
    for (int32_t d = 0; d < rank; d++) perm[d] = d;
    perm[rank - 1] = rank - 2;
    perm[rank - 2] = rank - 1;
    return export_say(s, export_scope(s, x), "Transpose", EXPORT_OF(export_value(s, x)),
                      EXPORT_AT(EXPORT_INTS("perm", perm, (size_t)rank)));
}

void export_rule_matmul(export_saver *s, tn_tensor *y, tn_tensor *const in[])
{
    const int64_t trans_a = export_whole(y, "trans_a", 0), trans_b = export_whole(y, "trans_b", 0);
    const char *a = export_value(s, in[0]), *b = export_value(s, in[1]);
    if (y->type.shape.rank == 2 && (trans_a || trans_b)) {
        export_result(s, y, "Gemm", EXPORT_OF(a, b),
                      EXPORT_AT(EXPORT_INT("transA", trans_a), EXPORT_INT("transB", trans_b)));
        return;
    }
    if (trans_a) a = swapped(s, in[0]);
    if (trans_b) b = swapped(s, in[1]);
    export_result(s, y, "MatMul", EXPORT_OF(a, b), NULL);
}

/* ---- over axes ---- */

static void say_reduction(export_saver *s, const tn_tensor *y, const tn_tensor *x, const char *op, uint32_t mask)
{
    int64_t axes[TN_MAX_RANK];
    const size_t count = export_axes(mask, axes);
    const int64_t keep = y->type.shape.rank == x->type.shape.rank;
    if (count)
        export_result(s, y, op, EXPORT_OF(export_value(s, x), export_ints(s, axes, count)),
                      EXPORT_AT(EXPORT_INT("keepdims", keep)));
    else
        export_result(s, y, "Identity", EXPORT_OF(export_value(s, x)), NULL);
}

/* The place among several axes: these at the end, as one. */
static void say_place(export_saver *s, const tn_tensor *y, const tn_tensor *x, const char *op, uint32_t mask)
{
    int64_t axes[TN_MAX_RANK], perm[TN_MAX_RANK], size[TN_MAX_RANK + 1];
    const size_t count = export_axes(mask, axes), rank = (size_t)x->type.shape.rank;
    const char *value = export_value(s, x), *place;
    size_t kept = 0;
    if (count != 1) {
        kept = export_axes(~mask & ((1u << rank) - 1), perm);
        for (size_t i = 0; i < kept; i++) {
            if (export_per_sample(s, x, (int32_t)perm[i]) && i) return export_refuse(s, y, "the batch is not first");
            size[i] = i ? x->type.shape.dim[perm[i]] : 0;
        }
        for (size_t i = 0; i < count; i++) perm[kept + i] = axes[i];
        size[kept] = -1;
        if (rank)
            value = export_say(s, NULL, "Transpose", EXPORT_OF(value), EXPORT_AT(EXPORT_INTS("perm", perm, rank)));
        value = export_say(s, NULL, "Reshape", EXPORT_OF(value, export_ints(s, size, kept + 1)), NULL);
        axes[0] = -1;
    }
    const int64_t keep = count == 1 && y->type.shape.rank == x->type.shape.rank;
    place =
        export_say(s, NULL, op, EXPORT_OF(value), EXPORT_AT(EXPORT_INT("axis", axes[0]), EXPORT_INT("keepdims", keep)));
    if (count != 1 && (size_t)y->type.shape.rank != kept)
        place = export_say(s, NULL, "Reshape", EXPORT_OF(place, export_shape(s, y, 0)), NULL);
    export_result(s, y, "Cast", EXPORT_OF(place), EXPORT_AT(EXPORT_INT("to", EXPORT_TYPE_INT32)));
}

void export_rule_reduce(export_saver *s, tn_tensor *y, tn_tensor *const in[])
{
    static const struct {
        const char *op;
        int is_place;
    } kinds[] = {{"ReduceSum", 0}, {"ReduceProd", 0}, {"ReduceMax", 0}, {"ReduceMin", 0}, {"ArgMax", 1}, {"ArgMin", 1}};
    const size_t kind = (size_t)export_whole(y, "kind", 0);
    (kinds[kind].is_place ? say_place : say_reduction)(s, y, in[0], kinds[kind].op,
                                                       (uint32_t)export_whole(y, "axes", 0));
}

void export_rule_logsumexp(export_saver *s, tn_tensor *y, tn_tensor *const in[])
{
    say_reduction(s, y, in[0], "ReduceLogSumExp", (uint32_t)export_whole(y, "axes", 0));
}

void export_rule_softmax(export_saver *s, tn_tensor *y, tn_tensor *const in[])
{
    export_result(s, y, "Softmax", EXPORT_OF(export_value(s, in[0])),
                  EXPORT_AT(EXPORT_INT("axis", export_whole(y, "axis", 0))));
}

void export_rule_log_softmax(export_saver *s, tn_tensor *y, tn_tensor *const in[])
{
    export_result(s, y, "LogSoftmax", EXPORT_OF(export_value(s, in[0])),
                  EXPORT_AT(EXPORT_INT("axis", export_whole(y, "axis", 0))));
}

/* ---- normalisation ---- */

/* x becomes its difference from its mean over those axes, unless that is kept; returns its deviation. */
static const char *centre(export_saver *s, const char **x, const char *over, int32_t type, double epsilon,
                          int keeps_mean)
{
    const export_at *keeps = EXPORT_AT(EXPORT_INT("keepdims", 1));
    if (!keeps_mean) {
        const char *mean = export_say(s, NULL, "ReduceMean", EXPORT_OF(*x, over), keeps);
        *x = export_say(s, NULL, "Sub", EXPORT_OF(*x, mean), NULL);
    }
    const char *square = export_say(s, NULL, "Mul", EXPORT_OF(*x, *x), NULL);
    const char *power = export_say(s, NULL, "ReduceMean", EXPORT_OF(square, over), keeps);
    const char *sum = export_say(s, NULL, "Add", EXPORT_OF(power, export_number(s, type, epsilon)), NULL);
    return export_say(s, NULL, "Sqrt", EXPORT_OF(sum), NULL);
}

/* What ONNX has for normalisation of the last axes and a weight; NULL: nothing in this version. */
static const char *row_norm(const export_saver *s, int keeps_mean)
{
    return !keeps_mean ? "LayerNormalization" : s->opset >= 23 ? "RMSNormalization" : NULL;
}

/* Over the last axis, of x of any size there but one that depends on the batch, it is LayerNormalization by ones, or
 * without the mean RMSNormalization; over others it is made of its parts. */
void export_rule_normalize(export_saver *s, tn_tensor *y, tn_tensor *const in[])
{
    const uint32_t mask = (uint32_t)export_whole(y, "axes", 0);
    const int32_t rank = y->type.shape.rank, type = y->type.dtype;
    const double epsilon = export_real(y, "epsilon");
    const int keeps_mean = (int)export_whole(y, "keep_mean", 0);
    const char *x = export_value(s, in[0]), *op = row_norm(s, keeps_mean);
    int64_t axes[TN_MAX_RANK];
    const size_t count = export_axes(mask, axes);
    if (op && rank && mask == 1u << (rank - 1) && !export_per_sample(s, y, rank - 1)) {
        const char *ones = export_repeated(s, type, 1, y->type.shape.dim[rank - 1]);
        export_result(s, y, op, EXPORT_OF(x, ones), EXPORT_AT(EXPORT_REAL("epsilon", epsilon)));
        return;
    }
    if (!count) return export_refuse(s, y, "it is over no axes");
    const char *root = centre(s, &x, export_ints(s, axes, count), type, epsilon, keeps_mean);
    export_result(s, y, "Div", EXPORT_OF(x, root), NULL);
}

/* The last axes are counted from the end. */
void export_rule_layer_norm(export_saver *s, tn_tensor *y, tn_tensor *const in[])
{
    const int64_t last = export_whole(y, "last", 0);
    const double epsilon = export_real(y, "epsilon");
    const int keeps_mean = (int)export_whole(y, "keep_mean", 0);
    const char *x = export_value(s, in[0]), *op = row_norm(s, keeps_mean);
    const char *weight = y->n_in > 1 ? export_value(s, in[1]) : NULL;
    const char *bias = y->n_in > 2 ? export_value(s, in[2]) : NULL;
    if (op && weight) {
        export_result(s, y, op, EXPORT_OF(x, weight, bias),
                      EXPORT_AT(EXPORT_REAL("epsilon", epsilon), EXPORT_INT("axis", -last)));
        return;
    }
    int64_t axes[TN_MAX_RANK];
    for (int64_t i = 0; i < last; i++) axes[i] = i - last;
    const char *root = centre(s, &x, export_ints(s, axes, (size_t)last), y->type.dtype, epsilon, keeps_mean);
    const struct {
        const char *op, *by;
    } step[] = {{"Div", root}, {"Mul", weight}, {"Add", bias}};
    const size_t steps = y->n_in;
    for (size_t i = 0; i + 1 < steps; i++) x = export_say(s, NULL, step[i].op, EXPORT_OF(x, step[i].by), NULL);
    export_result(s, y, step[steps - 1].op, EXPORT_OF(x, step[steps - 1].by), NULL);
}

/* ---- windows ---- */

typedef struct windows {
    int64_t size[2], stride[2], dilation[2], pads[4];
} windows;

/* What windows reach over, less what there is: the padding at the end. */
static int64_t reach(const windows *w, int d, int64_t count, int64_t have)
{
    return (count - 1) * w->stride[d] + (w->size[d] - 1) * w->dilation[d] + 1 - have - w->pads[d];
}

static windows read_windows(const tn_tensor *y, const int64_t size[2])
{
    windows w = {0};
    const int has_dilation = y->op == &tn_op_conv2d || y->op == &tn_op_conv2d_data;
    for (uint32_t d = 0; d < 2; d++) {
        w.size[d] = size ? size[d] : export_whole(y, "window", d);
        w.stride[d] = export_whole(y, "stride", d);
        w.pads[d] = export_whole(y, "pad", d);
        w.dilation[d] = has_dilation ? export_whole(y, "dilation", d) : 1;
    }
    return w;
}

/* Rows that no window reaches are left out; more of them than a stride are no longer ONNX's. */
static int fits(export_saver *s, const tn_tensor *y, windows *w, const tn_shape *out, const tn_shape *have)
{
    for (int d = 0; d < 2; d++) {
        w->pads[2 + d] = reach(w, d, out->dim[2 + d], have->dim[2 + d]);
        if (w->pads[2 + d] <= -w->stride[d]) return export_refuse(s, y, "its size leaves windows out"), 0;
        if (w->pads[2 + d] < 0) w->pads[2 + d] = 0;
    }
    return 1;
}

void export_rule_conv2d(export_saver *s, tn_tensor *y, tn_tensor *const in[])
{
    windows w = read_windows(y, &in[1]->type.shape.dim[2]);
    if (!fits(s, y, &w, &y->type.shape, &in[0]->type.shape)) return;
    const char *bias = s->bias ? export_value(s, s->bias) : NULL;
    export_result(s, s->result ? s->result : y, "Conv", EXPORT_OF(export_value(s, in[0]), export_value(s, in[1]), bias),
                  EXPORT_AT(EXPORT_INTS("kernel_shape", w.size, 2), EXPORT_INTS("strides", w.stride, 2),
                            EXPORT_INTS("dilations", w.dilation, 2), EXPORT_INTS("pads", w.pads, 4),
                            EXPORT_INT("group", export_whole(y, "groups", 0))));
}

void export_rule_conv2d_data(export_saver *s, tn_tensor *y, tn_tensor *const in[])
{
    windows w = read_windows(y, &in[1]->type.shape.dim[2]);
    int64_t more[2] = {0, 0};
    for (int d = 0; d < 2; d++) {
        w.pads[2 + d] = reach(&w, d, in[0]->type.shape.dim[2 + d], y->type.shape.dim[2 + d]);
        if (w.pads[2 + d] < 0) more[d] = -w.pads[2 + d], w.pads[2 + d] = 0;
        if (more[d] >= w.stride[d] && more[d] >= w.dilation[d]) return export_refuse(s, y, "its size adds windows");
    }
    const char *bias = s->bias ? export_value(s, s->bias) : NULL;
    export_result(s, s->result ? s->result : y, "ConvTranspose",
                  EXPORT_OF(export_value(s, in[0]), export_value(s, in[1]), bias),
                  EXPORT_AT(EXPORT_INTS("kernel_shape", w.size, 2), EXPORT_INTS("strides", w.stride, 2),
                            EXPORT_INTS("dilations", w.dilation, 2), EXPORT_INTS("pads", w.pads, 4),
                            EXPORT_INTS("output_padding", more, 2), EXPORT_INT("group", export_whole(y, "groups", 0))));
}

void export_rule_maxpool2d(export_saver *s, tn_tensor *y, tn_tensor *const in[])
{
    windows w = read_windows(y, NULL);
    if (y->type.dtype == TN_I32) return export_refuse(s, y, "ONNX pools no i32");
    if (!fits(s, y, &w, &y->type.shape, &in[0]->type.shape)) return;
    export_result(s, y, "MaxPool", EXPORT_OF(export_value(s, in[0])),
                  EXPORT_AT(EXPORT_INTS("kernel_shape", w.size, 2), EXPORT_INTS("strides", w.stride, 2),
                            EXPORT_INTS("pads", w.pads, 4)));
}

/* Of windows over the end, what lies there is never counted, but the padding may be. */
void export_rule_avgpool2d(export_saver *s, tn_tensor *y, tn_tensor *const in[])
{
    windows w = read_windows(y, NULL);
    const int64_t counts = export_whole(y, "count_pad", 0);
    if (!fits(s, y, &w, &y->type.shape, &in[0]->type.shape)) return;
    for (int d = 0; d < 2; d++)
        if (counts && w.pads[2 + d] > w.pads[d]) return export_refuse(s, y, "a window reaches beyond counted padding");
    export_result(s, y, "AveragePool", EXPORT_OF(export_value(s, in[0])),
                  EXPORT_AT(EXPORT_INTS("kernel_shape", w.size, 2), EXPORT_INTS("strides", w.stride, 2),
                            EXPORT_INTS("pads", w.pads, 4), EXPORT_INT("count_include_pad", counts)));
}
