/* index.c: the operators "scatter_add", "take", "put", "cumsum", "topk" and "searchsorted". Sums are taken in order, by
 * one work-item each, so that the result is the same every time. */
#include "index.h"

#include <string.h>

/* ---- what they share -------------------------------------------------------------------------------------------- */

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
    const int32_t dtype = build->facts->dtype;
    int64_t n = build->facts->size.n, d = build->facts->size.d, m = build->facts->size.m, rows, columns;
    int wide = is_wide(build);
    ocl_text text = ocl_text_of(build);
    ocl_args args = {.n = 0};
    divide(build->context, n, d, &rows, &columns);
    ocl_index_source(&text, build, wide, "IS_SCATTER_ADD", sum_type(dtype));
    ocl_arg_ref(&args, OCL_ARG_IN, 0, TN_I32);
    ocl_arg_ref(&args, OCL_ARG_IN, 1, dtype);
    ocl_arg_ref(&args, OCL_ARG_OUT, 0, dtype);
    const int64_t sizes[] = {n, d, m, rows, columns};
    for (int i = 0; i < 5; i++) ocl_arg_index(&args, wide, sizes[i]);
    int64_t count = n && d ? ocl_ceil(n, rows) * ocl_ceil(d, columns) : 0;
    return ocl_index_launch(build, &text, &args, "tn_scatter_add", wide, count, rows * columns + m);
}

/* ---- take and put ----------------------------------------------------------------------------------------------- */

/* Things to go through: `count`, each worth `weight`. */
static int32_t launch_along(ocl_build *build, const char *which, const char *name, const char *type, int64_t count,
                            int64_t weight)
{
    const tn_sizes *z = &build->facts->size;
    int wide = is_wide(build);
    ocl_text text = ocl_text_of(build);
    ocl_args args = {.n = 0};
    ocl_index_source(&text, build, wide, which, type);
    for (uint32_t i = 0; i < 2; i++) ocl_arg_ref(&args, OCL_ARG_IN, i, build->desc->in[i].dtype);
    ocl_arg_ref(&args, OCL_ARG_OUT, 0, build->desc->out[0].dtype);
    ocl_arg_index(&args, wide, z->n);
    ocl_arg_index(&args, wide, z->m);
    ocl_arg_index(&args, wide, z->j);
    return ocl_index_launch(build, &text, &args, name, wide, count, weight);
}

int32_t ocl_prepare_take(ocl_build *build)
{
    return launch_along(build, "IS_TAKE", "tn_take", ocl_index_carrier(build->facts->dtype),
                        tn_desc_count(&build->desc->out[0]), 4);
}

int32_t ocl_prepare_put(ocl_build *build)
{
    const tn_sizes *z = &build->facts->size;
    return launch_along(build, "IS_PUT", "tn_put", sum_type(build->facts->dtype), z->n ? z->o * z->j : 0,
                        z->n + 4 * z->m);
}

/* ---- along lines ------------------------------------------------------------------------------------------------ */

int32_t ocl_prepare_cumsum(ocl_build *build)
{
    const tn_cumsum_attrs *a = build->desc->attrs;
    const tn_sizes *z = &build->facts->size;
    const int32_t dtype = build->facts->dtype;
    int wide = is_wide(build);
    ocl_text text = ocl_text_of(build);
    ocl_args args = {.n = 0};
    if (dtype != TN_I32) ocl_textf(&text, "#define IS_FLOATING 1\n");
    ocl_index_source(&text, build, wide, "IS_CUMSUM", sum_type(dtype));
    ocl_arg_ref(&args, OCL_ARG_IN, 0, dtype);
    ocl_arg_ref(&args, OCL_ARG_OUT, 0, dtype);
    ocl_arg_index(&args, wide, z->n);
    ocl_arg_index(&args, wide, z->j);
    ocl_arg_int(&args, a->reverse != 0);
    ocl_arg_int(&args, a->exclusive != 0);
    return ocl_index_launch(build, &text, &args, "tn_cumsum", wide, z->n ? z->o * z->j : 0, 4 * z->n);
}

int32_t ocl_prepare_topk(ocl_build *build)
{
    const tn_topk_attrs *a = build->desc->attrs;
    const tn_sizes *z = &build->facts->size;
    int wide = is_wide(build);
    ocl_text text = ocl_text_of(build);
    ocl_args args = {.n = 0};
    ocl_index_source(&text, build, wide, "IS_TOPK", ocl_type_name(build->facts->dtype));
    ocl_arg_ref(&args, OCL_ARG_IN, 0, build->facts->dtype);
    ocl_arg_ref(&args, OCL_ARG_OUT, 0, TN_I32);
    ocl_arg_index(&args, wide, z->n);
    ocl_arg_index(&args, wide, z->m);
    ocl_arg_index(&args, wide, z->j);
    ocl_arg_int(&args, a->smallest != 0);
    return ocl_index_launch(build, &text, &args, "tn_topk", wide, z->m ? z->o * z->j : 0, 8 * z->n);
}

/* ---- searchsorted ----------------------------------------------------------------------------------------------- */

int32_t ocl_prepare_searchsorted(ocl_build *build)
{
    const tn_searchsorted_attrs *a = build->desc->attrs;
    const tn_sizes *z = &build->facts->size;
    const int32_t dtype = build->facts->dtype;
    int wide = is_wide(build);
    ocl_text text = ocl_text_of(build);
    ocl_args args = {.n = 0};
    ocl_index_source(&text, build, wide, "IS_SEARCHSORTED", ocl_type_name(dtype));
    for (uint32_t i = 0; i < 2; i++) ocl_arg_ref(&args, OCL_ARG_IN, i, dtype);
    ocl_arg_ref(&args, OCL_ARG_OUT, 0, TN_I32);
    ocl_arg_index(&args, wide, z->n);
    ocl_arg_index(&args, wide, z->m);
    ocl_arg_int(&args, a->right != 0);
    return ocl_index_launch(build, &text, &args, "tn_searchsorted", wide, z->d * z->m, 100);
}
