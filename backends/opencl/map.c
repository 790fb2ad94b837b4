/* map.c: the operator "map": one kernel for an element-wise program. */
#include "opencl.h"

#include <string.h>

/* The output that is written over input i, or -1. */
static int overwriting(const tn_op_desc *desc, uint32_t input)
{
    for (uint32_t k = 0; desc->alias && k < desc->n_out; k++)
        if (desc->alias[k] == (int32_t)input) return (int)k;
    return -1;
}

/* What an element costs, where reading, storing and adding one costs 1. */
static int64_t cost_of(const tn_map_attrs *map)
{
    static const char *const dear[] = {"exp", "log", "tanh", "erf", "sin", "cos", "pow"};
    int64_t cost = map->n_in + map->n_out + map->n_instr;
    for (uint32_t i = 0; i < map->n_instr; i++) {
        const tn_formula *row = tn_formula_find(map->instr[i].op);
        int is_dear = tn_is_random(map->instr[i].op);
        for (size_t k = 0; row && k < sizeof dear / sizeof *dear; k++) is_dear |= strstr(row->text, dear[k]) != NULL;
        cost += is_dear ? 15 : 0;
    }
    return cost;
}

int32_t ocl_prepare_map(ocl_build *build)
{
    const tn_op_desc *desc = build->desc;
    const tn_map_attrs *map = desc->attrs;
    tn_context *context = build->context;
    ocl_space space;
    ocl_text text = ocl_text_of(build);
    ocl_args args = {.n = 0};
    ocl_space_begin(&space, desc->out[0].rank, desc->out[0].dim, 0);
    for (uint32_t i = 0; i < desc->n_in; i++) ocl_space_operand(&space, &desc->in[i], 0, overwriting(desc, i));
    for (uint32_t k = 0; k < desc->n_out; k++) ocl_space_operand(&space, &desc->out[k], 1, -1);
    space.pinned = ocl_map_pinned(map);
    ocl_space_merge(&space);
    ocl_source_map(&text, &args, context, &space, &build->facts->mapping, 0);
    ocl_textf(&text, "%s", ocl_cl_map);

    int64_t total = tn_desc_count(&desc->out[0]), work = total * cost_of(map);
    int64_t items = ocl_max(1, ocl_min(work / 65536, 4 * (int64_t)context->units));
    int64_t chunk = ocl_ceil(ocl_ceil(ocl_max(total, 1), items), 64) * 64;
    size_t group = context->max_group < 128 ? context->max_group : 128;
    size_t global = (size_t)(context->cpu_shape ? ocl_ceil(total, chunk) : ocl_min(total, 1 << 20));
    size_t local = context->cpu_shape ? 1 : group;
    ocl_arg_index(&args, space.wide, total);
    ocl_arg_index(&args, space.wide, chunk);
    int32_t s = ocl_add_launch(build, &text, "tn_map", &args, 1, &global, &local);
    ocl_text_free(&text);
    return s;
}
