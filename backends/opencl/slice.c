/* slice.c: the operators "slice", "unslice" and "concat". Elements move as integers of their size. */
#include "index.h"

/* The dimensions but for the last, from the inner ones outwards; of no or one element the step does not matter. */
static void add_digits(ocl_text *text, ocl_args *args, int wide, int inverse, const tn_tensor_desc *small,
                       const tn_tensor_desc *large, const tn_slice_attrs *a)
{
    int64_t stride = inverse ? small->dim[small->rank - 1] : large->dim[large->rank - 1];
    ocl_textf(text, "#define DIGIT_PARAMS");
    for (int d = small->rank - 2; d >= 0; d--) {
        ocl_textf(text, " IX l%d, IX b%d, IX t%d, IX n%d, IX s%d,", d, d, d, d, d);
        ocl_arg_index(args, wide, large->dim[d]);
        ocl_arg_index(args, wide, small->dim[d] ? a->start[d] : 0);
        ocl_arg_index(args, wide, small->dim[d] > 1 ? a->step[d] : 1);
        ocl_arg_index(args, wide, small->dim[d]);
        ocl_arg_index(args, wide, stride);
        stride *= inverse ? small->dim[d] : large->dim[d];
    }
    ocl_textf(text, "\n#define DIGITS");
    for (int d = small->rank - 2; d >= 0; d--) ocl_textf(text, " DIGIT(%d)", d);
    ocl_textf(text, "\n");
}

static int32_t prepare(ocl_build *build, int inverse, const char *which, const char *name)
{
    const tn_slice_attrs *a = build->desc->attrs;
    tn_tensor_desc x = build->desc->in[0], y = build->desc->out[0];
    if (!x.rank) return ocl_fail(build->msg, TN_EUNSUPPORTED, "%s: of a number without dimensions", name + 3);
    const tn_tensor_desc *small = inverse ? &x : &y, *large = inverse ? &y : &x;
    int last = x.rank - 1, wide = tn_desc_count(large) > INT32_MAX / 2, by_row = build->context->cpu_shape;
    int64_t n = small->dim[last], l = large->dim[last], count = tn_desc_count(&y);
    ocl_text text = ocl_text_of(build);
    ocl_args args = {.n = 0};
    ocl_arg_ref(&args, OCL_ARG_IN, 0, x.dtype);
    ocl_arg_ref(&args, OCL_ARG_OUT, 0, y.dtype);
    add_digits(&text, &args, wide, inverse, small, large, a);
    ocl_index_source(&text, build, wide, which, ocl_index_carrier(x.dtype));
    ocl_arg_index(&args, wide, l);
    ocl_arg_index(&args, wide, n ? a->start[last] : 0);
    ocl_arg_index(&args, wide, n > 1 ? a->step[last] : 1);
    ocl_arg_index(&args, wide, n);
    if (by_row && count) count /= y.dim[last];
    return ocl_index_launch(build, &text, &args, name, wide, count, y.dim[last]);
}

int32_t ocl_prepare_slice(ocl_build *build)
{
    return prepare(build, 0, "IS_SLICE", "tn_slice");
}

int32_t ocl_prepare_unslice(ocl_build *build)
{
    return prepare(build, 1, "IS_UNSLICE", "tn_unslice");
}

/* ---- concat ----------------------------------------------------------------------------------------------------- */

int32_t ocl_prepare_concat(ocl_build *build)
{
    const tn_op_desc *desc = build->desc;
    int64_t inner = desc->out[0].dim[2], row = desc->out[0].dim[1] * inner, count = desc->out[0].dim[0] * row;
    int wide = count > INT32_MAX / 2 / desc->n_in;
    ocl_text text = ocl_text_of(build);
    ocl_args args = {.n = 0};
    ocl_textf(&text, "#define INPUT_COUNT %u\n#define INPUTS", desc->n_in);
    for (uint32_t i = 0; i < desc->n_in; i++) ocl_textf(&text, " INPUT(%u)", i);
    ocl_textf(&text, "\n#define IN_PARAMS");
    for (uint32_t i = 0; i < desc->n_in; i++) {
        ocl_textf(&text, " __global const T *x_buffer%u, ulong x_offset%u, IX n%u,", i, i, i);
        ocl_arg_ref(&args, OCL_ARG_IN, i, desc->in[i].dtype);
        ocl_arg_index(&args, wide, desc->in[i].dim[1] * inner);
    }
    ocl_textf(&text, "\n");
    ocl_index_source(&text, build, wide, "IS_CONCAT", ocl_index_carrier(desc->out[0].dtype));
    ocl_arg_ref(&args, OCL_ARG_OUT, 0, desc->out[0].dtype);
    ocl_arg_index(&args, wide, row);
    if (build->context->cpu_shape && count) count = desc->out[0].dim[0] * desc->n_in;
    return ocl_index_launch(build, &text, &args, "tn_concat", wide, count, ocl_max(1, row / desc->n_in));
}
