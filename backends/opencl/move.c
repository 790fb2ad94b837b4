/* move.c: the operators that only move elements: "transpose", "gather", "window". */
#include "opencl.h"

#include <string.h>

/* Elements move as integers of their size. */
static const char *carrier(int32_t dtype)
{
    static const char *const names[] = {[0] = "?", [1] = "uchar", [2] = "ushort", [4] = "uint", [8] = "ulong"};
    return names[tn_dtype_size(dtype)];
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

/* Arguments: the dimensions a and b of a block, then six others. Returns the number of blocks. */
static int64_t transpose_args(ocl_args *args, const axes *axis, int wide, int64_t broad)
{
    int b = axis->rank - 1, a = b - 1;
    for (int d = 0; d < b; d++)
        if (axis->x[d] == 1) a = d;
    int64_t na = a < 0 ? 1 : axis->n[a], nb = b < 0 ? 1 : axis->n[b];
    int64_t blocks = ocl_ceil(na, 16) * ocl_ceil(nb, broad);
    ocl_arg_index(args, wide, na);
    ocl_arg_index(args, wide, nb);
    ocl_arg_index(args, wide, a < 0 ? 0 : axis->x[a]);
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
    return blocks;
}

int32_t ocl_prepare_transpose(ocl_build *build)
{
    const tn_transpose_attrs *attrs = build->desc->attrs;
    const tn_tensor_desc *in = &build->desc->in[0], *out = &build->desc->out[0];
    axes axis = make_axes(in, out, attrs->perm);
    int64_t total = tn_desc_count(in);
    int wide = total > INT32_MAX / 2, cpu = build->context->cpu_shape;
    int runs = cpu && axis.rank && axis.x[axis.rank - 1] == 1; /* innermost before and after */
    if (!cpu && build->context->max_group < 256)
        return ocl_fail(build->msg, TN_EUNSUPPORTED, "transpose: the device's work-groups are too small");
    ocl_text text = ocl_text_of(build);
    ocl_args args = {.n = 0};
    ocl_textf(&text, "%s", runs ? "#define RUNS 1\n" : "");
    write_source(&text, build, wide, "IS_TRANSPOSE", in->dtype);
    ocl_arg_ref(&args, OCL_ARG_IN, 0, in->dtype);
    ocl_arg_ref(&args, OCL_ARG_OUT, 0, out->dtype);
    int64_t blocks = transpose_args(&args, &axis, wide, runs ? 1024 : 16);
    int64_t items = cpu ? ocl_max(1, ocl_min(4 * (int64_t)build->context->units, total / 4096)) : blocks;
    int64_t per = ocl_max(1, ocl_ceil(blocks, ocl_max(1, items)));
    ocl_arg_index(&args, wide, blocks);
    ocl_arg_index(&args, wide, per);
    size_t side = cpu ? 1 : 16;
    size_t global[2] = {total ? (size_t)ocl_ceil(blocks, per) * side : 0, side}, local[2] = {side, side};
    int32_t s = ocl_add_launch(build, &text, "tn_transpose", &args, cpu ? 1 : 2, global, local);
    ocl_text_free(&text);
    return s;
}

/* ---- gather and window ------------------------------------------------------------------------------------------- */

int32_t ocl_prepare_gather(ocl_build *build)
{
    const tn_sizes *z = &build->facts->size;
    const int32_t dtype = build->facts->dtype;
    int64_t n = z->n, d = z->d, m = z->m, units = build->context->units;
    int64_t per = ocl_max(1, ocl_ceil(m, ocl_max(1, ocl_min(4 * units, m * d / 32768))));
    int wide = n * d > INT32_MAX / 2 || m * d > INT32_MAX / 2;
    ocl_text text = ocl_text_of(build);
    ocl_args args = {.n = 0};
    write_source(&text, build, wide, "IS_GATHER", dtype);
    ocl_arg_ref(&args, OCL_ARG_IN, 0, dtype);
    ocl_arg_ref(&args, OCL_ARG_IN, 1, TN_I32);
    ocl_arg_ref(&args, OCL_ARG_OUT, 0, dtype);
    ocl_arg_index(&args, wide, n);
    ocl_arg_index(&args, wide, d);
    ocl_arg_index(&args, wide, m);
    ocl_arg_index(&args, wide, per);
    size_t global = (size_t)(build->context->cpu_shape ? ocl_ceil(m, per) * (d > 0) : m * d);
    size_t local = build->context->cpu_shape || build->context->max_group < 64 ? 1 : 64;
    int32_t s = ocl_add_launch(build, &text, "tn_gather", &args, 1, &global, &local);
    ocl_text_free(&text);
    return s;
}

int32_t ocl_prepare_window(ocl_build *build)
{
    const tn_window_attrs *attrs = build->desc->attrs;
    const tn_sizes *z = &build->facts->size;
    const int32_t dtype = build->facts->dtype;
    int64_t row = z->d, count = z->m * row;
    int64_t items = ocl_max(1, ocl_min(2 * (int64_t)build->context->units, count / 8192));
    int64_t per = ocl_ceil(ocl_ceil(ocl_max(count, 1), items), 64) * 64;
    int wide = count > INT32_MAX / 2;
    ocl_text text = ocl_text_of(build);
    ocl_args args = {.n = 0};
    write_source(&text, build, wide, "IS_WINDOW", dtype);
    ocl_arg_ref(&args, OCL_ARG_IN, 0, dtype);
    ocl_arg_ref(&args, OCL_ARG_OUT, 0, dtype);
    ocl_arg_row(&args, attrs->scalar, z->n - z->m);
    ocl_arg_index(&args, wide, row);
    ocl_arg_index(&args, wide, count);
    ocl_arg_index(&args, wide, per);
    size_t global = (size_t)(build->context->cpu_shape ? ocl_ceil(count, per) : count);
    size_t local = build->context->cpu_shape || build->context->max_group < 64 ? 1 : 64;
    int32_t s = ocl_add_launch(build, &text, "tn_window", &args, 1, &global, &local);
    ocl_text_free(&text);
    return s;
}
