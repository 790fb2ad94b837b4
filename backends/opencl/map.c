/* map.c: the operator "map": one kernel for an element-wise program. */
#include "opencl.h"

/* Every input has the outputs' shape. */
static int32_t check_shapes(ocl_build *build)
{
    const tn_op_desc *desc = build->desc;
    const tn_tensor_desc *y = &desc->out[0];
    int32_t s = TN_OK;
    for (uint32_t k = 0; k < desc->n_out && !s; k++) s = ocl_check_tensor(&desc->out[k], 0, "output", k, build);
    for (uint32_t i = 0; i < desc->n_in && !s; i++) s = ocl_check_tensor(&desc->in[i], 1, "input", i, build);
    for (uint32_t i = 0; i < desc->n_in + desc->n_out && !s; i++) {
        const tn_tensor_desc *t = i < desc->n_in ? &desc->in[i] : &desc->out[i - desc->n_in];
        int same = t->rank == y->rank;
        for (int d = 0; same && d < y->rank; d++) same = t->dim[d] == y->dim[d];
        if (!same) s = ocl_fail(build->msg, TN_ESHAPE, "map: operand %u has another shape than output 0", i);
    }
    return s;
}

/* The output that is written over input i, or -1. */
static int overwriting(const tn_op_desc *desc, uint32_t input)
{
    for (uint32_t k = 0; desc->alias && k < desc->n_out; k++)
        if (desc->alias[k] == (int32_t)input) return (int)k;
    return -1;
}

static int32_t check_alias(ocl_build *build)
{
    const tn_op_desc *desc = build->desc;
    for (uint32_t i = 0; i < desc->n_in; i++) {
        int k = overwriting(desc, i);
        if (k < 0) continue;
        int64_t stride = 1;
        int dense = tn_dtype_size(desc->in[i].dtype) == tn_dtype_size(desc->out[k].dtype);
        for (int d = desc->in[i].rank - 1; d >= 0; d--) {
            dense &= desc->in[i].dim[d] <= 1 || desc->in[i].stride[d] == stride;
            stride *= desc->in[i].dim[d];
        }
        if (!dense) return ocl_fail(build->msg, TN_EINVAL, "map: output %d can't be written over input %u", k, i);
    }
    return TN_OK;
}

int32_t ocl_prepare_map(ocl_build *build)
{
    const tn_op_desc *desc = build->desc;
    const tn_map_attrs *map = desc->attrs;
    tn_context *context = build->context;
    int32_t dtype[OCL_MAX_VALUES];
    int32_t s = check_shapes(build);
    if (!s) s = check_alias(build);
    if (!s) s = ocl_check_map(map, desc->in, 0, 0, desc->out[0].rank, dtype, build);
    if (!s && (map->n_in != desc->n_in || map->n_out != desc->n_out))
        s = ocl_fail(build->msg, TN_EINVAL, "map: the program has %u inputs and %u outputs, the operator %u and %u",
                     map->n_in, map->n_out, desc->n_in, desc->n_out);
    for (uint32_t k = 0; k < desc->n_out && !s; k++) s = ocl_check_store(dtype[map->out[k]], desc->out[k].dtype, build);
    if (s) return s;

    ocl_space space;
    ocl_text text = {0};
    ocl_args args = {.n = 0};
    ocl_space_begin(&space, desc->out[0].rank, desc->out[0].dim, 0);
    for (uint32_t i = 0; i < desc->n_in; i++) ocl_space_operand(&space, &desc->in[i], 0, overwriting(desc, i));
    for (uint32_t k = 0; k < desc->n_out; k++) ocl_space_operand(&space, &desc->out[k], 1, -1);
    space.pinned = ocl_map_pinned(map);
    ocl_space_merge(&space);
    ocl_source_map(&text, &args, context, &space, map, 0, dtype);
    ocl_textf(&text, "%s", ocl_cl_map);

    int64_t total = tn_desc_count(&desc->out[0]), work = total * (map->n_instr + map->n_in + map->n_out);
    int64_t items = ocl_max(1, ocl_min(work / 65536, 4 * (int64_t)context->units));
    int64_t chunk = ocl_ceil(ocl_ceil(ocl_max(total, 1), items), 64) * 64;
    size_t group = context->max_group < 128 ? context->max_group : 128;
    size_t global = (size_t)(context->cpu_shape ? ocl_ceil(total, chunk) : ocl_min(total, 1 << 20));
    size_t local = context->cpu_shape ? 1 : group;
    ocl_arg_index(&args, space.wide, total);
    ocl_arg_index(&args, space.wide, chunk);
    s = ocl_add_launch(build, &text, "tn_map", &args, 1, &global, &local);
    ocl_text_free(&text);
    return s;
}
