/* matmul.c: the operator "matmul": our own kernels for CPUs and GPUs, with the epilogue inside, or CLBlast for large
 * products on GPUs. */
#include "matmul.h"

#include <string.h>

/* ---- what is asked ----------------------------------------------------------------------------------------------- */

static int32_t begin(ocl_build *build, ocl_product *p)
{
    const tn_matmul_attrs *attrs = build->desc->attrs;
    const tn_op_facts *f = build->facts;
    const int64_t limit = INT32_MAX / 2;
    p->batch = f->size.b, p->m = f->size.m, p->n = f->size.n, p->k = f->size.k;
    p->a_stride = f->a_step, p->b_stride = f->b_step;
    p->trans_a = (int32_t)attrs->trans_a, p->trans_b = (int32_t)attrs->trans_b, p->sums = (int32_t)attrs->sums;
    p->value = f->dtype;
    p->is_plain = !f->mapping.map;
    p->mapping = ocl_epilogue(build);
    if (p->m > limit || p->n > limit || p->k > limit || p->batch > 65535)
        return ocl_fail(build->msg, TN_EUNSUPPORTED, "matmul: too large");
    return ocl_check_over(build);
}

/* The columns stay a dimension of their own, so that a row of the space is a row of y. */
static void make_space(ocl_build *build, ocl_product *p)
{
    const tn_op_desc *desc = build->desc;
    ocl_space_begin(&p->space, 3, desc->out[0].dim, 0);
    ocl_space_operand(&p->space, &desc->out[0], 0, -1); /* stands for the product */
    for (uint32_t i = 2; i < desc->n_in; i++)
        ocl_space_operand(&p->space, &desc->in[i], 0, desc->alias && desc->alias[0] == (int32_t)i ? 0 : -1);
    ocl_space_operand(&p->space, &desc->out[0], 1, -1);
    p->space.first = 1;
    p->space.pinned = ocl_map_pinned(p->mapping.map) | 1u << 2;
    ocl_space_merge(&p->space);
}

void ocl_product_write(ocl_text *text, const ocl_build *build, const ocl_product *p)
{
    ocl_textf(text, "#define T %s\n#define TRANS_A %d\n#define TRANS_B %d\n", ocl_type_name(p->value), (int)p->trans_a,
              (int)p->trans_b);
    ocl_source_operand(text, "A", build->desc->in[0].dtype);
    ocl_source_operand(text, "B", build->desc->in[1].dtype);
}

void ocl_product_operands(const ocl_build *build, ocl_args *args)
{
    ocl_arg_ref(args, OCL_ARG_IN, 0, build->desc->in[0].dtype);
    ocl_arg_ref(args, OCL_ARG_IN, 1, build->desc->in[1].dtype);
}

void ocl_product_sizes(ocl_args *args, const ocl_product *p)
{
    ocl_arg_int(args, (int32_t)p->m);
    ocl_arg_int(args, (int32_t)p->n);
    ocl_arg_int(args, (int32_t)p->k);
    ocl_arg_long(args, p->a_stride);
    ocl_arg_long(args, p->b_stride);
}

int32_t ocl_no_sums(const ocl_build *build)
{
    return ocl_fail(build->msg, TN_EUNSUPPORTED, "matmul: no sums beside this product");
}

/* ---- GPUs -------------------------------------------------------------------------------------------------------- */

typedef struct gpu_plan {
    ocl_tile tile;
    int form;                 /* by matrix units; -1: without */
    ocl_staged staged;        /* by them in stages: which; 0 of them: not */
    int64_t segments, length; /* of k */
} gpu_plan;

/* How good it looks: matrix units as twice the best tile. */
static double promise_of(const ocl_build *build, const ocl_product *p, const gpu_plan *g)
{
    if (g->form < 0)
        return ocl_tile_promise(build->context, &g->tile, p->value, p->m, p->n, p->k, p->batch, g->segments);
    return g->segments == 1 || p->k >= 2 * g->segments * g->tile.deep ? 2.0 / (double)g->segments : 0;
}

/* What was chosen; what it looks like is the build's promise. */
static int32_t plan_chosen(ocl_build *build, const ocl_product *p, int form, gpu_plan *g)
{
    const int64_t parts = ocl_value(build->choice, "parts"), length = ocl_ceil(p->k, parts);
    *g = (gpu_plan){.form = form, .segments = parts, .length = ocl_max(1, length)};
    g->tile = form < 0 ? ocl_tile_of(build->choice) : ocl_matrix_tile(build->context, form, p->m);
    build->promise = promise_of(build, p, g);
    if (build->promise > 0 && p->batch * parts <= 65535 && (parts == 1 || ocl_ceil(p->k, length) == parts))
        return TN_OK;
    return ocl_no_such(build);
}

/* In stages, of factors whose rows and whose parts of a sum begin at multiples of 16 bytes: what is in a block of what
 * is wanted counts. */
static int32_t plan_staged(ocl_build *build, const ocl_product *p, int form, gpu_plan *g)
{
    const int32_t dtype = build->desc->in[0].dtype;
    const int64_t parts = ocl_value(build->choice, "parts"), piece = ocl_staged_piece(dtype);
    *g = (gpu_plan){.form = form, .staged = ocl_staged_of(build->choice), .segments = parts};
    g->tile = ocl_staged_tile(build->context, &g->staged, dtype);
    g->length = ocl_max(1, ocl_ceil(ocl_ceil(p->k, parts), g->tile.deep)) * g->tile.deep;
    const double high = (double)(ocl_tile_high(&g->tile, p->m) * g->tile.side_v * g->tile.rows);
    const double wide = (double)(ocl_tile_wide(&g->tile, p->n) * g->tile.side_u * g->tile.cols);
    build->promise = 2.5 * (double)p->m * (double)p->n / (high * wide * (double)parts);
    if (dtype == build->desc->in[1].dtype && ocl_staged_fits(build->context, &g->staged) &&
        (p->trans_a ? p->m : p->k) % piece == 0 && (p->trans_b ? p->k : p->n) % piece == 0 &&
        p->batch * parts <= 65535 && (parts == 1 || ocl_ceil(p->k, g->length) == parts))
        return TN_OK;
    return ocl_no_such(build);
}

/* Sums are divided where blocks are too few to keep every unit busy. */
static gpu_plan plan_gpu(const tn_context *context, const ocl_product *p, int form)
{
    const int64_t most = ocl_max(1, p->k / context->defaults.segment), wanted = context->defaults.groups;
    gpu_plan g = {.form = form};
    g.tile = form < 0 ? ocl_tile_choose(context, p->value, p->m, p->n, p->batch, most)
                      : ocl_matrix_tile(context, form, p->m);
    const int64_t blocks = p->batch * ocl_tile_high(&g.tile, p->m) * ocl_tile_wide(&g.tile, p->n);
    g.segments = ocl_min(most, ocl_ceil(wanted, ocl_max(1, blocks)));
    g.length = ocl_max(1, ocl_ceil(p->k, g.segments));
    g.segments = ocl_max(1, ocl_ceil(p->k, g.length));
    if (p->batch * g.segments > 65535) g.segments = 1, g.length = p->k;
    return g;
}

/* The epilogue alone, of the sum of `segments` products that lie in scratch. */
static int32_t add_epilogue(ocl_build *build, const ocl_product *p, int64_t segments)
{
    ocl_text text = ocl_text_of(build);
    ocl_args args = {.n = 0};
    int64_t total = p->batch * p->m * p->n;
    size_t global = (size_t)total, local = build->context->defaults.group;
    ocl_arg_scratch(&args, 0);
    ocl_arg_int(&args, (int32_t)segments);
    ocl_source_map(&text, &args, build->context, &p->space, &p->mapping, 2);
    ocl_textf(&text, "#define T %s\n#define FROM_SCRATCH 1\n%s", ocl_type_name(p->value), ocl_cl_matmul_gpu);
    ocl_arg_index(&args, p->space.wide, total);
    int32_t s = ocl_add_launch(build, &text, "tn_epilogue", &args, 1, &global, &local);
    ocl_text_free(&text);
    return s;
}

static ocl_choice used_by(const gpu_plan *g)
{
    if (g->staged.stages) return ocl_staged_choice("staged", &g->staged, g->segments);
    return g->form < 0 ? ocl_tile_choice("tile", &g->tile, g->segments) : ocl_matrix_choice(g->segments);
}

static void write_core(ocl_text *text, const ocl_build *build, const ocl_product *p, const gpu_plan *g)
{
    if (g->staged.stages)
        ocl_staged_write(text, build->context, g->form, &g->staged);
    else if (g->form < 0)
        ocl_tile_write(text, &g->tile, p->value);
    else
        ocl_matrix_write(text, build->context, g->form, p->m);
}

static int32_t prepare_gpu(ocl_build *build, const ocl_product *p, int form)
{
    gpu_plan g;
    int32_t s = TN_OK;
    if (form >= 0 && ocl_is_of(build->choice, "staged"))
        s = plan_staged(build, p, form, &g);
    else if (ocl_is_of(build->choice, form < 0 ? "tile" : "matrix"))
        s = plan_chosen(build, p, form, &g);
    else
        g = plan_gpu(build->context, p, form);
    if (s) return s;
    build->used = used_by(&g);
    ocl_text text = ocl_text_of(build);
    ocl_args args = {.n = 0}, map_args = {.n = 0};
    ocl_source_map(&text, &map_args, build->context, &p->space, &p->mapping, 2);
    ocl_product_write(&text, build, p);
    write_core(&text, build, p, &g);
    ocl_textf(&text, "#define AT %s\n%s%s", p->k * ocl_max(p->m, p->n) < INT32_MAX ? "int" : "long",
              g.segments > 1 ? "#define SPLIT 1\n" : "", form < 0 ? ocl_cl_matmul_gpu : ocl_cl_matmul_matrix);
    ocl_product_operands(build, &args);
    if (g.segments > 1) {
        build->scratch = (uint64_t)(g.segments * p->batch * p->m * p->n) * tn_dtype_size(p->value);
        ocl_arg_scratch(&args, 0);
        ocl_arg_int(&args, (int32_t)g.segments);
        ocl_arg_int(&args, (int32_t)g.length);
    } else {
        ocl_args_append(&args, &map_args);
    }
    ocl_product_sizes(&args, p);
    size_t local[3] = {(size_t)g.tile.side_u, (size_t)g.tile.side_v, 1};
    size_t global[3] = {(size_t)ocl_tile_wide(&g.tile, p->n) * local[0],
                        (size_t)ocl_tile_high(&g.tile, p->m) * local[1], (size_t)(p->batch * g.segments)};
    s = ocl_add_launch(build, &text, "tn_matmul", &args, 3, global, local);
    ocl_text_free(&text);
    return s || g.segments == 1 ? s : add_epilogue(build, p, g.segments);
}

/* Types and sizes that CLBlast is asked for: below, our own kernel with its epilogue inside is ahead. */
static int wants_clblast(const ocl_build *build, const ocl_product *p)
{
    const tn_op_desc *desc = build->desc;
    double flops = 2.0 * (double)p->batch * (double)p->m * (double)p->n * (double)p->k;
    const int can = desc->in[0].dtype == TN_F32 && desc->in[1].dtype == TN_F32 && flops > 0;
    if (build->choice && build->choice->family)
        return can && build->context->tries_clblast && ocl_is_of(build->choice, "clblast");
    return can && build->context->clblast && flops >= build->context->defaults.clblast * build->context->grain;
}

/* TN_EUNSUPPORTED: CLBlast is not there, or its result for this shape was wrong. */
static int32_t prepare_clblast(ocl_build *build, const ocl_product *p)
{
    ocl_gemm_shape shape = {p->batch, p->m, p->n, p->k, p->a_stride, p->b_stride, p->trans_a, p->trans_b};
    int direct = p->is_plain && build->desc->out[0].dtype == TN_F32;
    build->used = (ocl_choice){.family = ocl_family_named("clblast")};
    build->promise = 1;
    int32_t s = ocl_gemm_prepare(build, &shape, !direct);
    return s || direct ? s : add_epilogue(build, p, 1);
}

/* As if CLBlast had not been tried. */
static void begin_again(ocl_build *build)
{
    build->scratch = build->launches = 0;
    if (!build->kernel) return;
    ocl_gemm_release(build->kernel->gemm);
    build->kernel->gemm = NULL;
}

int32_t ocl_prepare_matmul(ocl_build *build)
{
    ocl_product p = {0};
    int32_t s = begin(build, &p);
    if (s) return s;
    make_space(build, &p);
    if (p.sums && !build->context->cpu_shape) return ocl_no_sums(build);
    const int form = ocl_matrix_form(build, 2.0 * (double)p.batch * (double)p.m * (double)p.n * (double)p.k);
    const int is_chosen = build->choice && build->choice->family;
    if (form >= 0 && (!is_chosen || ocl_is_of(build->choice, "matrix") || ocl_is_of(build->choice, "staged")))
        return prepare_gpu(build, &p, form);
    if (build->level) return ocl_fail(build->msg, TN_EUNSUPPORTED, "matmul: no faster with less precision");
    if (wants_clblast(build, &p)) {
        s = prepare_clblast(build, &p);
        if (s != TN_EUNSUPPORTED || build->only) return s;
        begin_again(build);
    }
    if (build->only && !build->context->cpu_shape && !ocl_is_of(build->choice, "tile")) return ocl_no_such(build);
    return build->context->cpu_shape ? ocl_product_cpu(build, &p) : prepare_gpu(build, &p, -1);
}
