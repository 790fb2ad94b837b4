/* move.c: the operators that only move elements: "transpose", "gather", "window". */
#include "opencl.h"

#include <string.h>

/* Elements move as integers of their size. */
static const char *carrier(int32_t dtype)
{
    static const char *const names[] = {[1] = "uchar", [2] = "ushort", [4] = "uint", [8] = "ulong"};
    return names[tn_dtype_size(dtype)];
}

static int32_t check_operands(ocl_build *build, uint32_t n_in, int32_t rank)
{
    const tn_op_desc *desc = build->desc;
    int32_t s = TN_OK;
    if (desc->n_in != n_in || desc->n_out != 1)
        return ocl_fail(build->msg, TN_EINVAL, "%s: %u inputs and one output", desc->name, n_in);
    if (desc->alias && desc->alias[0] >= 0) return ocl_fail(build->msg, TN_EUNSUPPORTED, "%s: in place", desc->name);
    for (uint32_t i = 0; i < n_in && !s; i++) s = ocl_check_tensor(&desc->in[i], 0, "input", i, build);
    if (!s) s = ocl_check_tensor(&desc->out[0], 0, "output", 0, build);
    if (s) return s;
    if (desc->in[0].dtype != desc->out[0].dtype)
        return ocl_fail(build->msg, TN_EDTYPE, "%s: the output's type differs from the input's", desc->name);
    if (rank && (desc->in[0].rank != rank || desc->out[0].rank != rank))
        return ocl_fail(build->msg, TN_ESHAPE, "%s: operands of rank %d are needed", desc->name, (int)rank);
    return TN_OK;
}

static void write_source(ocl_text *text, ocl_build *build, int wide, const char *which, int32_t dtype)
{
    ocl_source_types(text, build->context, wide);
    ocl_textf(text, "#define T %s\n#define %s 1\n%s", carrier(dtype), which, ocl_cl_move);
}

/* ---- transpose --------------------------------------------------------------------------------------------------- */

/* The output's dimensions, each with the stride that it has in the input (x) and in the output (y). */
typedef struct axes {
    int rank;
    int64_t n[TN_MAX_RANK], x[TN_MAX_RANK], y[TN_MAX_RANK];
} axes;

static int32_t check_permutation(ocl_build *build, const tn_transpose_attrs *attrs)
{
    const tn_tensor_desc *in = &build->desc->in[0], *out = &build->desc->out[0];
    uint32_t seen = 0;
    if (!attrs || attrs->size < sizeof *attrs)
        return ocl_fail(build->msg, TN_EINVAL, "transpose: the permutation is missing");
    if (!tn_attrs_known(attrs, sizeof *attrs))
        return ocl_fail(build->msg, TN_EUNSUPPORTED, "transpose: attributes of a later version");
    if (in->rank != out->rank) return ocl_fail(build->msg, TN_ESHAPE, "transpose: the ranks differ");
    for (int d = 0; d < in->rank; d++) {
        int32_t p = attrs->perm[d];
        if (p < 0 || p >= in->rank || (seen >> p & 1))
            return ocl_fail(build->msg, TN_EINVAL, "transpose: perm[%d] = %d", d, (int)p);
        if (out->dim[d] != in->dim[p])
            return ocl_fail(build->msg, TN_ESHAPE, "transpose: dimension %d of the output does not fit", d);
        seen |= 1u << p;
    }
    return TN_OK;
}

/* Without the dimensions of size 1, and neighbours merged that stay neighbours. */
static axes make_axes(const tn_tensor_desc *in, const tn_tensor_desc *out, const int32_t *perm)
{
    axes a = {0};
    int64_t stride[TN_MAX_RANK], step = 1;
    for (int d = in->rank - 1; d >= 0; d--) stride[d] = step, step *= in->dim[d];
    for (int d = 0; d < out->rank; d++) {
        if (out->dim[d] == 1) continue;
        int64_t x = stride[perm[d]];
        if (a.rank && a.x[a.rank - 1] == x * out->dim[d]) {
            a.n[a.rank - 1] *= out->dim[d];
            a.x[a.rank - 1] = x;
        } else {
            a.n[a.rank] = out->dim[d];
            a.x[a.rank++] = x;
        }
    }
    step = 1;
    for (int d = a.rank - 1; d >= 0; d--) a.y[d] = step, step *= a.n[d];
    return a;
}

/* Arguments: the input's innermost dimension (a), the output's (b), then six others. Returns the number of blocks. */
static int64_t transpose_args(ocl_args *args, const axes *axis, int wide, int64_t total)
{
    int b = axis->rank - 1, a = -1;
    int64_t blocks = 1;
    for (int d = 0; d < b; d++)
        if (axis->x[d] == 1) a = d;
    int64_t na = a < 0 ? 1 : axis->n[a], nb = b < 0 ? 1 : axis->n[b];
    blocks = ocl_ceil(na, 16) * ocl_ceil(nb, 16);
    ocl_arg_index(args, wide, na);
    ocl_arg_index(args, wide, nb);
    ocl_arg_index(args, wide, a < 0 ? 0 : 1);
    ocl_arg_index(args, wide, b < 0 ? 0 : axis->x[b]);
    ocl_arg_index(args, wide, a < 0 ? 0 : axis->y[a]);
    for (int d = b - 1, k = 0; k < 6; d--) {
        if (d >= 0 && d == a) continue;
        ocl_arg_index(args, wide, d < 0 ? 1 : axis->n[d]);
        ocl_arg_index(args, wide, d < 0 ? 0 : axis->x[d]);
        ocl_arg_index(args, wide, d < 0 ? 0 : axis->y[d]);
        blocks *= d < 0 ? 1 : axis->n[d];
        k++;
    }
    return total ? blocks : 0;
}

int32_t ocl_prepare_transpose(ocl_build *build)
{
    const tn_transpose_attrs *attrs = build->desc->attrs;
    int32_t s = check_operands(build, 1, 0);
    if (!s) s = check_permutation(build, attrs);
    if (s) return s;
    const tn_tensor_desc *in = &build->desc->in[0], *out = &build->desc->out[0];
    axes axis = make_axes(in, out, attrs->perm);
    int64_t total = tn_desc_count(in);
    int wide = total > INT32_MAX / 2, cpu = build->context->cpu_shape;
    if (axis.rank == TN_MAX_RANK && axis.x[axis.rank - 1] == 1)
        return ocl_fail(build->msg, TN_EUNSUPPORTED, "transpose: of eight dimensions, the last in its place");
    if (!cpu && build->context->max_group < 256)
        return ocl_fail(build->msg, TN_EUNSUPPORTED, "transpose: the device's work-groups are too small");
    ocl_text text = {0};
    ocl_args args = {.n = 0};
    write_source(&text, build, wide, "IS_TRANSPOSE", in->dtype);
    ocl_arg_ref(&args, OCL_ARG_IN, 0, in->dtype);
    ocl_arg_ref(&args, OCL_ARG_OUT, 0, out->dtype);
    size_t blocks = (size_t)transpose_args(&args, &axis, wide, total), side = cpu ? 1 : 16;
    size_t global[2] = {blocks * side, side}, local[2] = {side, side};
    s = ocl_add_launch(build, &text, "tn_transpose", &args, 2, global, local);
    ocl_text_free(&text);
    return s;
}

/* ---- gather and window ----------------------------------------------------------------------------------------------
 */

int32_t ocl_prepare_gather(ocl_build *build)
{
    int32_t s = check_operands(build, 2, 0);
    if (s) return s;
    const tn_tensor_desc *x = &build->desc->in[0], *index = &build->desc->in[1], *y = &build->desc->out[0];
    if (x->rank != 2 || index->rank != 1 || y->rank != 2 || y->dim[0] != index->dim[0] || y->dim[1] != x->dim[1])
        return ocl_fail(build->msg, TN_ESHAPE, "gather: table (n, d), index (m), output (m, d)");
    if (index->dtype != TN_I32) return ocl_fail(build->msg, TN_EDTYPE, "gather: the index is not i32");
    int64_t n = x->dim[0], d = x->dim[1], m = y->dim[0], units = build->context->units;
    int64_t per = ocl_max(1, ocl_ceil(m, ocl_max(1, ocl_min(4 * units, m * d / 32768))));
    int wide = n * d > INT32_MAX / 2 || m * d > INT32_MAX / 2;
    ocl_text text = {0};
    ocl_args args = {.n = 0};
    write_source(&text, build, wide, "IS_GATHER", x->dtype);
    ocl_arg_ref(&args, OCL_ARG_IN, 0, x->dtype);
    ocl_arg_ref(&args, OCL_ARG_IN, 1, TN_I32);
    ocl_arg_ref(&args, OCL_ARG_OUT, 0, y->dtype);
    ocl_arg_index(&args, wide, n);
    ocl_arg_index(&args, wide, d);
    ocl_arg_index(&args, wide, m);
    ocl_arg_index(&args, wide, per);
    size_t global = (size_t)(build->context->cpu_shape ? ocl_ceil(m, per) * (d > 0) : m * d);
    size_t local = build->context->cpu_shape || build->context->max_group < 64 ? 1 : 64;
    s = ocl_add_launch(build, &text, "tn_gather", &args, 1, &global, &local);
    ocl_text_free(&text);
    return s;
}

static int32_t check_window(ocl_build *build)
{
    const tn_window_attrs *attrs = build->desc->attrs;
    int32_t s = check_operands(build, 1, 2);
    if (s) return s;
    const tn_tensor_desc *x = &build->desc->in[0], *y = &build->desc->out[0];
    if (!attrs || attrs->size < sizeof *attrs)
        return ocl_fail(build->msg, TN_EINVAL, "window: the attributes are missing");
    if (!tn_attrs_known(attrs, sizeof *attrs) || attrs->reserved)
        return ocl_fail(build->msg, TN_EUNSUPPORTED, "window: attributes of a later version");
    if (x->dim[1] != y->dim[1] || y->dim[0] > x->dim[0])
        return ocl_fail(build->msg, TN_ESHAPE, "window: rows of another length, or more of them than there are");
    if (attrs->scalar > 1024) return ocl_fail(build->msg, TN_EUNSUPPORTED, "window: scalar %u", attrs->scalar);
    return TN_OK;
}

int32_t ocl_prepare_window(ocl_build *build)
{
    const tn_window_attrs *attrs = build->desc->attrs;
    int32_t s = check_window(build);
    if (s) return s;
    const tn_tensor_desc *x = &build->desc->in[0], *y = &build->desc->out[0];
    int64_t row = x->dim[1], count = y->dim[0] * row;
    int64_t items = ocl_max(1, ocl_min(2 * (int64_t)build->context->units, count / 8192));
    int64_t per = ocl_ceil(ocl_ceil(ocl_max(count, 1), items), 64) * 64;
    int wide = count > INT32_MAX / 2;
    ocl_text text = {0};
    ocl_args args = {.n = 0};
    write_source(&text, build, wide, "IS_WINDOW", x->dtype);
    ocl_arg_ref(&args, OCL_ARG_IN, 0, x->dtype);
    ocl_arg_ref(&args, OCL_ARG_OUT, 0, y->dtype);
    ocl_arg_row(&args, attrs->scalar, x->dim[0] - y->dim[0]);
    ocl_arg_index(&args, wide, row);
    ocl_arg_index(&args, wide, count);
    ocl_arg_index(&args, wide, per);
    size_t global = (size_t)(build->context->cpu_shape ? ocl_ceil(count, per) : count);
    size_t local = build->context->cpu_shape || build->context->max_group < 64 ? 1 : 64;
    s = ocl_add_launch(build, &text, "tn_window", &args, 1, &global, &local);
    ocl_text_free(&text);
    return s;
}
