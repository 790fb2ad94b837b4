/* softmax.c: the operators "softmax" and "log_softmax" of (outer, n, inner) over n. */
#include "opencl.h"

#include <string.h>

static void write_source(ocl_text *text, ocl_build *build, int wide)
{
    const tn_tensor_desc *x = &build->desc->in[0], *y = &build->desc->out[0];
    int own = x->dtype != TN_F64 && build->context->cpu_shape;
    size_t group = 128;
    while (group > build->context->max_group) group /= 2;
    ocl_source_types(text, build->context, wide);
    if (own) ocl_textf(text, "%s", ocl_cl_math);
    ocl_textf(text, "#define X_T %s\n#define Y_T %s\n#define V %s\n#define GROUP %u\n", ocl_storage_name(x->dtype),
              ocl_storage_name(y->dtype), ocl_type_name(x->dtype), (unsigned)group);
    ocl_textf(text, "#define LOAD_X LOAD_%s\n#define STORE_Y STORE_%s\n", ocl_dtype_suffix(x->dtype),
              ocl_dtype_suffix(y->dtype));
    ocl_textf(text, own ? "#define EXP m_exp\n#define LOG m_log\n" : "#define EXP exp\n#define LOG log\n");
    if (!strcmp(build->desc->name, "log_softmax")) ocl_textf(text, "#define IS_LOG 1\n");
    if (x->dim[2] != 1) ocl_textf(text, "#define INNER 1\n");
    ocl_textf(text, "%s", ocl_cl_softmax);
}

int32_t ocl_prepare_softmax(ocl_build *build)
{
    tn_context *context = build->context;
    const tn_sizes *z = &build->facts->size;
    int64_t outer = z->o, n = z->n, inner = z->j, total = outer * n * inner;
    int64_t items = ocl_max(1, ocl_min(4 * (int64_t)context->units, total / 512));
    int64_t blocks = ocl_max(1, ocl_ceil(items, ocl_max(outer, 1)));
    int64_t per = inner == 1 ? ocl_max(1, ocl_ceil(outer, items))
                             : ocl_max(16, ocl_min(256, ocl_ceil(ocl_ceil(inner, blocks), 16) * 16));
    int wide = total > INT32_MAX / 2;
    size_t local = 1, global = (size_t)(inner == 1 ? ocl_ceil(outer, per) : outer * ocl_ceil(inner, per));
    if (!context->cpu_shape) {
        local = 128;
        while (local > context->max_group) local /= 2;
        global = inner == 1 ? (size_t)outer * local : (size_t)(outer * inner);
    }
    if (!total) global = 0;
    ocl_text text = ocl_text_of(build);
    ocl_args args = {.n = 0};
    write_source(&text, build, wide);
    ocl_arg_ref(&args, OCL_ARG_IN, 0, build->desc->in[0].dtype);
    ocl_arg_ref(&args, OCL_ARG_OUT, 0, build->desc->out[0].dtype);
    ocl_arg_index(&args, wide, outer);
    ocl_arg_index(&args, wide, n);
    ocl_arg_index(&args, wide, inner);
    ocl_arg_index(&args, wide, per);
    int32_t s = ocl_add_launch(build, &text, "tn_softmax", &args, 1, &global, &local);
    ocl_text_free(&text);
    return s;
}
