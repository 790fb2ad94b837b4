/* softmax.c: the operators "softmax" and "log_softmax" of (outer, n, inner) over n. */
#include "team.h"

#include <string.h>

#define GROUP 128 /* work-items that share a row on a GPU, at most */
#define KEPT  16  /* elements of a row that a work-item keeps, at most */

/* Teams of a GPU (cl/team.cl); rows that are short enough stay in registers. */
static void write_team(ocl_text *text, const tn_context *context, int64_t n, size_t group, size_t team)
{
    int64_t keep = 1;
    while (keep * (int64_t)team < n) keep *= 2;
    if (keep <= KEPT) ocl_textf(text, "#define KEEP %d\n", (int)keep);
    ocl_team_write(text, context, group, team);
}

static void write_source(ocl_text *text, ocl_build *build, int wide)
{
    const tn_tensor_desc *x = &build->desc->in[0], *y = &build->desc->out[0];
    int own = x->dtype != TN_F64 && build->context->cpu_shape;
    ocl_source_types(text, build->context, wide);
    if (own) ocl_textf(text, "%s", ocl_cl_math);
    ocl_source_operand(text, "X", x->dtype);
    ocl_source_operand(text, "Y", y->dtype);
    ocl_textf(text, "#define V %s\n", ocl_type_name(x->dtype));
    ocl_textf(text, own ? "#define EXP m_exp\n#define LOG m_log\n" : "#define EXP exp\n#define LOG log\n");
    if (!strcmp(build->desc->name, "log_softmax")) ocl_textf(text, "#define IS_LOG 1\n");
    if (x->dim[2] != 1) ocl_textf(text, "#define INNER 1\n");
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
    const size_t group = ocl_team_group(context, GROUP), team = ocl_team_size(context, group, n);
    size_t local = 1, global = (size_t)(inner == 1 ? ocl_ceil(outer, per) : outer * ocl_ceil(inner, per));
    if (!context->cpu_shape) {
        local = group;
        global = (size_t)outer * (inner == 1 ? team : (size_t)inner);
    }
    if (!total) global = 0;
    ocl_text text = ocl_text_of(build);
    ocl_args args = {.n = 0};
    write_source(&text, build, wide);
    if (!context->cpu_shape && inner == 1) write_team(&text, context, n, group, team);
    ocl_textf(&text, "%s", ocl_cl_softmax);
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
