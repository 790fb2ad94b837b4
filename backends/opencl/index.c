/* index.c: the operators "scatter_add", "take", "put", "cumsum", "topk" and "searchsorted". Sums are taken in order, by
 * one work-item each, so that the result is the same every time. */
#include "index.h"

#include <string.h>

/* ---- what they share -------------------------------------------------------------------------------------------- */

int32_t ocl_check_index(ocl_build *build, uint32_t n_in, uint64_t attrs)
{
    const tn_op_desc *desc = build->desc;
    int32_t s = TN_OK;
    if (desc->n_in != n_in || desc->n_out != 1)
        return ocl_fail(build->msg, TN_EINVAL, "%s: %u inputs and one output", desc->name, n_in);
    if (desc->alias && desc->alias[0] >= 0) return ocl_fail(build->msg, TN_EUNSUPPORTED, "%s: in place", desc->name);
    if (attrs && (!desc->attrs || *(const uint64_t *)desc->attrs < attrs))
        return ocl_fail(build->msg, TN_EINVAL, "%s: the attributes are missing", desc->name);
    if (!tn_attrs_known(desc->attrs, attrs ? attrs : sizeof(uint64_t)))
        return ocl_fail(build->msg, TN_EUNSUPPORTED, "%s: attributes of a later version", desc->name);
    for (uint32_t i = 0; i < n_in && !s; i++) s = ocl_check_tensor(&desc->in[i], 0, "input", i, build);
    return s ? s : ocl_check_tensor(&desc->out[0], 0, "output", 0, build);
}

int32_t ocl_check_arithmetic(ocl_build *build, int32_t dtype)
{
    if (dtype == TN_F32 || dtype == TN_I32 || dtype == TN_F64) return TN_OK;
    return ocl_fail(build->msg, TN_EUNSUPPORTED, "%s: only of f32, i32 and f64", build->desc->name);
}

const char *ocl_index_carrier(int32_t dtype)
{
    static const char *const names[] = {[1] = "uchar", [2] = "ushort", [4] = "uint", [8] = "ulong"};
    return names[tn_dtype_size(dtype)];
}

/* The type in which elements are added up: whole numbers wrap. */
static const char *sum_type(int32_t dtype)
{
    return dtype == TN_I32 ? "uint" : ocl_type_name(dtype);
}

void ocl_index_source(ocl_text *text, ocl_build *build, int wide, const char *which, const char *type)
{
    ocl_source_types(text, build->context, wide);
    ocl_textf(text, "#define T %s\n#define %s 1\n%s", type, which, ocl_cl_index);
}

int32_t ocl_index_launch(ocl_build *build, ocl_text *text, ocl_args *args, const char *name, int wide, int64_t count,
                         int64_t weight)
{
    const tn_context *context = build->context;
    int64_t items = ocl_min(4 * (int64_t)context->units, (int64_t)((double)count * (double)weight / 4096));
    int64_t per = context->cpu_shape ? ocl_max(1, ocl_ceil(count, ocl_max(1, items))) : 1;
    size_t global = (size_t)ocl_ceil(count, per), local = context->cpu_shape || context->max_group < 64 ? 1 : 64;
    ocl_arg_index(args, wide, count);
    ocl_arg_index(args, wide, per);
    int32_t s = ocl_add_launch(build, text, name, args, 1, &global, &local);
    ocl_text_free(text);
    return s;
}

static int is_wide(const ocl_build *build)
{
    int wide = tn_desc_count(&build->desc->out[0]) > INT32_MAX / 2;
    for (uint32_t i = 0; i < build->desc->n_in; i++) wide |= tn_desc_count(&build->desc->in[i]) > INT32_MAX / 2;
    return wide;
}

/* ---- scatter_add ------------------------------------------------------------------------------------------------ */

/* Parts of the output: whole columns on CPUs if they are wide enough, else whole rows; on others one column each. */
static void divide(const tn_context *context, int64_t n, int64_t d, int64_t *rows, int64_t *columns)
{
    int64_t units = context->units, parts = ocl_max(1, 32768 / ocl_max(1, d));
    *columns = !context->cpu_shape ? 1 : d >= 16 * units ? ocl_ceil(ocl_ceil(d, units), 16) * 16 : ocl_max(1, d);
    if (context->cpu_shape) parts = *columns < d ? 1 : units;
    *rows = ocl_max(1, ocl_ceil(n, parts));
}

int32_t ocl_prepare_scatter_add(ocl_build *build)
{
    int32_t s = ocl_check_index(build, 2, 0);
    if (s) return s;
    const tn_tensor_desc *index = &build->desc->in[0], *x = &build->desc->in[1], *y = &build->desc->out[0];
    if (index->dtype != TN_I32 || x->dtype != y->dtype)
        return ocl_fail(build->msg, TN_EDTYPE, "scatter_add: the index is not i32, or input and output differ in type");
    if (index->rank != 1 || x->rank != 2 || y->rank != 2 || x->dim[0] != index->dim[0] || x->dim[1] != y->dim[1])
        return ocl_fail(build->msg, TN_ESHAPE, "scatter_add: not index (m), x (m, d) and output (n, d)");
    s = ocl_check_arithmetic(build, x->dtype);
    if (s) return s;
    int64_t n = y->dim[0], d = y->dim[1], m = x->dim[0], rows, columns;
    int wide = is_wide(build);
    ocl_text text = {0};
    ocl_args args = {.n = 0};
    divide(build->context, n, d, &rows, &columns);
    ocl_index_source(&text, build, wide, "IS_SCATTER_ADD", sum_type(x->dtype));
    ocl_arg_ref(&args, OCL_ARG_IN, 0, TN_I32);
    ocl_arg_ref(&args, OCL_ARG_IN, 1, x->dtype);
    ocl_arg_ref(&args, OCL_ARG_OUT, 0, y->dtype);
    const int64_t sizes[] = {n, d, m, rows, columns};
    for (int i = 0; i < 5; i++) ocl_arg_index(&args, wide, sizes[i]);
    int64_t count = n && d ? ocl_ceil(n, rows) * ocl_ceil(d, columns) : 0;
    return ocl_index_launch(build, &text, &args, "tn_scatter_add", wide, count, rows * columns + m);
}

/* ---- take and put ----------------------------------------------------------------------------------------------- */

/* Index and values are (outer, m, inner), the other operand is (outer, n, inner). */
static int32_t check_along(ocl_build *build, const tn_tensor_desc *index, const tn_tensor_desc *values,
                           const tn_tensor_desc *other)
{
    const char *name = build->desc->name;
    if (index->dtype != TN_I32 || values->dtype != other->dtype)
        return ocl_fail(build->msg, TN_EDTYPE, "%s: the index is not i32, or input and output differ in type", name);
    if (index->rank != 3 || values->rank != 3 || other->rank != 3 || memcmp(index->dim, values->dim, 24) ||
        index->dim[0] != other->dim[0] || index->dim[2] != other->dim[2])
        return ocl_fail(build->msg, TN_ESHAPE, "%s: the operands are no (outer, n, inner) that fit", name);
    return TN_OK;
}

/* Things to go through: `count`, each worth `weight`. */
static int32_t launch_along(ocl_build *build, const char *which, const char *name, const char *type, int64_t n,
                            int64_t m, int64_t inner, int64_t count, int64_t weight)
{
    int wide = is_wide(build);
    ocl_text text = {0};
    ocl_args args = {.n = 0};
    ocl_index_source(&text, build, wide, which, type);
    for (uint32_t i = 0; i < 2; i++) ocl_arg_ref(&args, OCL_ARG_IN, i, build->desc->in[i].dtype);
    ocl_arg_ref(&args, OCL_ARG_OUT, 0, build->desc->out[0].dtype);
    ocl_arg_index(&args, wide, n);
    ocl_arg_index(&args, wide, m);
    ocl_arg_index(&args, wide, inner);
    return ocl_index_launch(build, &text, &args, name, wide, count, weight);
}

int32_t ocl_prepare_take(ocl_build *build)
{
    int32_t s = ocl_check_index(build, 2, 0);
    const tn_tensor_desc *x = &build->desc->in[0], *index = x + 1, *y = &build->desc->out[0];
    if (!s) s = check_along(build, index, y, x);
    if (s) return s;
    return launch_along(build, "IS_TAKE", "tn_take", ocl_index_carrier(x->dtype), x->dim[1], y->dim[1], y->dim[2],
                        tn_desc_count(y), 4);
}

int32_t ocl_prepare_put(ocl_build *build)
{
    int32_t s = ocl_check_index(build, 2, 0);
    const tn_tensor_desc *index = &build->desc->in[0], *values = index + 1, *y = &build->desc->out[0];
    if (!s) s = check_along(build, index, values, y);
    if (!s) s = ocl_check_arithmetic(build, y->dtype);
    if (s) return s;
    return launch_along(build, "IS_PUT", "tn_put", sum_type(y->dtype), y->dim[1], index->dim[1], y->dim[2],
                        y->dim[1] ? y->dim[0] * y->dim[2] : 0, y->dim[1] + 4 * index->dim[1]);
}

/* ---- along lines ------------------------------------------------------------------------------------------------ */

static int32_t check_lines(ocl_build *build, uint64_t attrs)
{
    int32_t s = ocl_check_index(build, 1, attrs);
    if (s) return s;
    const tn_tensor_desc *x = &build->desc->in[0], *y = &build->desc->out[0];
    if (x->rank != 3 || y->rank != 3 || x->dim[0] != y->dim[0] || x->dim[2] != y->dim[2])
        return ocl_fail(build->msg, TN_ESHAPE, "%s: input and output are no (outer, n, inner) that fit",
                        build->desc->name);
    return ocl_check_arithmetic(build, x->dtype);
}

int32_t ocl_prepare_cumsum(ocl_build *build)
{
    const tn_cumsum_attrs *a = build->desc->attrs;
    int32_t s = check_lines(build, sizeof *a);
    if (s) return s;
    const tn_tensor_desc *x = &build->desc->in[0], *y = &build->desc->out[0];
    if (x->dtype != y->dtype || x->dim[1] != y->dim[1])
        return ocl_fail(build->msg, TN_EINVAL, "cumsum: input and output differ in type or shape");
    int wide = is_wide(build);
    ocl_text text = {0};
    ocl_args args = {.n = 0};
    if (x->dtype != TN_I32) ocl_textf(&text, "#define IS_FLOATING 1\n");
    ocl_index_source(&text, build, wide, "IS_CUMSUM", sum_type(x->dtype));
    ocl_arg_ref(&args, OCL_ARG_IN, 0, x->dtype);
    ocl_arg_ref(&args, OCL_ARG_OUT, 0, y->dtype);
    ocl_arg_index(&args, wide, x->dim[1]);
    ocl_arg_index(&args, wide, x->dim[2]);
    ocl_arg_int(&args, a->reverse != 0);
    ocl_arg_int(&args, a->exclusive != 0);
    return ocl_index_launch(build, &text, &args, "tn_cumsum", wide, x->dim[1] ? x->dim[0] * x->dim[2] : 0,
                            4 * x->dim[1]);
}

int32_t ocl_prepare_topk(ocl_build *build)
{
    const tn_topk_attrs *a = build->desc->attrs;
    int32_t s = check_lines(build, sizeof *a);
    if (s) return s;
    const tn_tensor_desc *x = &build->desc->in[0], *y = &build->desc->out[0];
    if (y->dtype != TN_I32 || y->dim[1] > x->dim[1] || x->dim[1] > INT32_MAX)
        return ocl_fail(build->msg, TN_EINVAL, "topk: the output is not i32, or larger than the input");
    int wide = is_wide(build);
    ocl_text text = {0};
    ocl_args args = {.n = 0};
    ocl_index_source(&text, build, wide, "IS_TOPK", ocl_type_name(x->dtype));
    ocl_arg_ref(&args, OCL_ARG_IN, 0, x->dtype);
    ocl_arg_ref(&args, OCL_ARG_OUT, 0, TN_I32);
    ocl_arg_index(&args, wide, x->dim[1]);
    ocl_arg_index(&args, wide, y->dim[1]);
    ocl_arg_index(&args, wide, x->dim[2]);
    ocl_arg_int(&args, a->smallest != 0);
    return ocl_index_launch(build, &text, &args, "tn_topk", wide, y->dim[1] ? x->dim[0] * x->dim[2] : 0, 8 * x->dim[1]);
}

/* ---- searchsorted ----------------------------------------------------------------------------------------------- */

int32_t ocl_prepare_searchsorted(ocl_build *build)
{
    const tn_searchsorted_attrs *a = build->desc->attrs;
    int32_t s = ocl_check_index(build, 2, sizeof *a);
    if (s) return s;
    const tn_tensor_desc *sorted = &build->desc->in[0], *values = sorted + 1, *y = &build->desc->out[0];
    if (sorted->dtype != values->dtype || y->dtype != TN_I32)
        return ocl_fail(build->msg, TN_EDTYPE, "searchsorted: the inputs differ in type, or the output is not i32");
    if (sorted->rank != 2 || values->rank != 2 || y->rank != 2 || memcmp(values->dim, y->dim, 16) ||
        sorted->dim[0] != values->dim[0] || sorted->dim[1] > INT32_MAX)
        return ocl_fail(build->msg, TN_ESHAPE,
                        "searchsorted: not (lines, n), (lines, m) and an output of the latter's shape");
    s = ocl_check_arithmetic(build, sorted->dtype);
    if (s) return s;
    int wide = is_wide(build);
    ocl_text text = {0};
    ocl_args args = {.n = 0};
    ocl_index_source(&text, build, wide, "IS_SEARCHSORTED", ocl_type_name(sorted->dtype));
    for (uint32_t i = 0; i < 2; i++) ocl_arg_ref(&args, OCL_ARG_IN, i, sorted->dtype);
    ocl_arg_ref(&args, OCL_ARG_OUT, 0, TN_I32);
    ocl_arg_index(&args, wide, sorted->dim[1]);
    ocl_arg_index(&args, wide, values->dim[1]);
    ocl_arg_int(&args, a->right != 0);
    return ocl_index_launch(build, &text, &args, "tn_searchsorted", wide, tn_desc_count(y), 100);
}
