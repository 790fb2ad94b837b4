/* matmul.c: the operator "matmul": our own kernels for CPUs and GPUs, with the epilogue inside, or CLBlast for large
 * products on GPUs. */
#include "opencl.h"

#include <string.h>

typedef struct product {
    int64_t batch, m, n, k, a_stride, b_stride;
    int32_t trans_a, trans_b, sums;
    int32_t value; /* type of the product: f32 or f64 */
    int is_plain;  /* nothing follows the product */
    tn_mapping mapping;
    ocl_space space;
} product;

/* ---- what is asked ------------------------------------------------------------------------------------------------
 */

static int32_t begin(ocl_build *build, product *p)
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
static void make_space(ocl_build *build, product *p)
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

static void write_operands(ocl_text *text, const ocl_build *build, const product *p)
{
    const tn_tensor_desc *a = &build->desc->in[0], *b = &build->desc->in[1];
    ocl_textf(text, "#define T %s\n#define A_T %s\n#define B_T %s\n", ocl_type_name(p->value),
              ocl_storage_name(a->dtype), ocl_storage_name(b->dtype));
    ocl_textf(text, "#define LOAD_A LOAD_%s\n#define LOAD_B LOAD_%s\n", ocl_dtype_suffix(a->dtype),
              ocl_dtype_suffix(b->dtype));
    ocl_textf(text, "#define TRANS_A %d\n#define TRANS_B %d\n", (int)p->trans_a, (int)p->trans_b);
}

static void operand_args(const ocl_build *build, ocl_args *args)
{
    ocl_arg_ref(args, OCL_ARG_IN, 0, build->desc->in[0].dtype);
    ocl_arg_ref(args, OCL_ARG_IN, 1, build->desc->in[1].dtype);
}

static void size_args(ocl_args *args, const product *p)
{
    ocl_arg_int(args, (int32_t)p->m);
    ocl_arg_int(args, (int32_t)p->n);
    ocl_arg_int(args, (int32_t)p->k);
    ocl_arg_long(args, p->a_stride);
    ocl_arg_long(args, p->b_stride);
}

static void append_args(ocl_args *args, const ocl_args *more)
{
    for (uint32_t i = 0; i < more->n && i < OCL_MAX_ARGS && args->n < OCL_MAX_ARGS; i++)
        args->arg[args->n++] = more->arg[i];
}

/* ---- CPUs ----------------------------------------------------------------------------------------------------------
 */

typedef struct cpu_plan {
    int64_t lanes, vectors, rows; /* the tile: rows x (lanes * vectors) */
    int64_t span;                 /* panels that share a packed piece of the left operand */
    int64_t panels, chunks, per, segments, length;
    int64_t pieces; /* wanted, before segments */
} cpu_plan;

#define MOST_SPAN   8        /* panels of a work-item, 32 KiB each */
#define PIECE_FLOPS 524288.0 /* of a work-item at least: waking another unit takes some 5 us */

/* Rows of a tile, of as many as there are registers for: those that m fills best, where each tile costs a row more. */
static int64_t tile_rows(const cpu_plan *c, int64_t m, int32_t value)
{
    static const int64_t many[] = {13, 12, 10, 8};
    if (c->lanes < 16 || value == TN_F64) return c->lanes < 16 ? 6 : 8;
    int64_t best = many[0];
    for (size_t i = 1; i < sizeof many / sizeof *many; i++)
        if (ocl_ceil(m, many[i]) * (many[i] + 1) < ocl_ceil(m, best) * (best + 1)) best = many[i];
    return best;
}

/* How many pieces the work is worth, at most. */
static int64_t count_pieces(const tn_context *context, const product *p)
{
    const double flops = 2.0 * (double)p->batch * (double)p->m * (double)p->n * (double)p->k;
    const double least = PIECE_FLOPS * context->grain > 1 ? PIECE_FLOPS * context->grain : 1;
    return flops > least * 4 * context->units ? 4 * (int64_t)context->units : (int64_t)(flops / least) + 1;
}

/* What the pieces take until the last is done, for each value of k, in cycles: of two multiplications of 16 lanes each,
 * and of packing a vector. A unit in four has to wait for what was begun last. */
static double makespan(const product *p, const cpu_plan *c, int64_t units)
{
    const double rows = (double)(c->per * c->rows), columns = (double)(c->span * c->lanes * c->vectors);
    const double packing = rows * (p->trans_a ? 0.12 : 0.06) + columns * (p->trans_b ? 0.5 : 0.25);
    const double rounds = (double)ocl_ceil(p->batch * c->panels * c->chunks, units);
    return (rounds + 0.25) * (rows * columns / 32 + packing);
}

/* Cuts the work into pieces: panels of columns, `span` to a piece, and chunks of rows. Of the ways to cut it into about
 * as many as it is worth, or half of that, the quickest. */
static void choose_pieces(cpu_plan *c, const product *p, int64_t units)
{
    const int64_t tiles = ocl_ceil(p->m, c->rows), panels = ocl_ceil(p->n, c->lanes * c->vectors);
    cpu_plan best = *c;
    double least = 0;
    for (int64_t pieces = c->pieces; pieces > c->pieces / 4; pieces /= 2)
        for (int64_t span = 1; span <= ocl_max(1, ocl_min(MOST_SPAN, panels)); span *= 2) {
            c->span = span, c->panels = ocl_ceil(panels, span);
            const int64_t wanted = ocl_ceil(pieces, ocl_max(1, p->batch * c->panels));
            c->per = ocl_ceil(tiles, ocl_max(1, ocl_min(wanted, tiles)));
            c->chunks = c->per ? ocl_ceil(tiles, c->per) : 0;
            const double time = makespan(p, c, units);
            if (best.span && time >= least) continue;
            least = time;
            best = *c;
        }
    *c = best;
}

/* Registers decide the tile: 16 lanes come with 32 registers, 8 with 16. The work is cut into a few pieces for each
 * unit: panels of columns, then chunks of rows, then, for a small output, segments of k. */
static cpu_plan plan_cpu(const tn_context *context, const product *p)
{
    cpu_plan c = {.lanes = ocl_max(4, ocl_min(16, context->vector_width)), .segments = 1};
    c.rows = tile_rows(&c, p->m, p->value);
    if (p->value == TN_F64) c.lanes /= 2;
    c.vectors = p->n > c.lanes ? 2 : 1;
    c.pieces = count_pieces(context, p);
    choose_pieces(&c, p, context->units);
    int64_t items = p->batch * c.panels * c.chunks;
    if (items < 2 * (int64_t)context->units && (double)p->k >= 2048 * context->grain)
        c.segments = ocl_max(1, ocl_min(ocl_ceil(4 * (int64_t)context->units, ocl_max(1, items)), p->k / 512));
    c.length = ocl_ceil(ocl_ceil(p->k, c.segments), 256) * 256;
    if (c.segments > 1) c.segments = ocl_ceil(p->k, c.length);
    return c;
}

static int32_t add_finish(ocl_build *build, const ocl_text *text, const product *p, const cpu_plan *c,
                          const ocl_args *map_args)
{
    ocl_args args = {.n = 0};
    int64_t rows = p->batch * p->m, per = ocl_ceil(rows, ocl_max(1, ocl_min(rows, 2 * (int64_t)build->context->units)));
    size_t one = 1, global = (size_t)ocl_ceil(rows, ocl_max(1, per));
    ocl_arg_scratch(&args, 0);
    ocl_arg_int(&args, (int32_t)c->segments);
    append_args(&args, map_args);
    ocl_arg_int(&args, (int32_t)p->m);
    ocl_arg_int(&args, (int32_t)p->n);
    ocl_arg_int(&args, (int32_t)rows);
    ocl_arg_int(&args, (int32_t)per);
    return ocl_add_launch(build, text, "tn_matmul_finish", &args, 1, &global, &one);
}

#define DOT_BYTES    32768 /* of b for a work-item: they stay in the nearest cache while the rows of a pass by */
#define DIRECT_DEPTH 128   /* of k, with a transposed: the most that was measured */
#define DIRECT_ROWS  400   /* of op(a), likewise: rows of memory further apart meet in one set of the cache */

/* With b transposed: is it faster to read rows of b in place, and to add up what lies in their vectors, than to pack it
 * for each chunk of rows? What both cost in products, fitted to 12 shapes on 2 cores with 16 lanes and PoCL; in place
 * and packed in microseconds of processor time: 32x100x784 33 and 53, 128x100x784 121 and 155, 128x10x512 12 and 18;
 * but 128x512x784 641 and 577, 100x300x300 150 and 113, 32x512x128 34 and 30, 64 of 64x64x32 246 and 125. */
static int dot_pays(const product *p, const cpu_plan *c)
{
    const int64_t wide = c->panels * c->lanes * c->vectors, rows = ocl_ceil(p->m, c->rows) * c->rows;
    const int64_t place = ocl_ceil(p->n, 4) * ocl_ceil(p->m, 4) * 16 * (p->k + 60);
    return 1.2 * (double)place < (double)wide * (double)p->k * (double)(rows + 16 * c->chunks);
}

/* May, and should, the operands be read in place? With a transposed in place and packed, as above: 100x784x32 37 and
 * 44, 100x784x128 138 and 165, 300x300x100 128 and 139; but 512x784x128 814 and 696. With neither transposed there was
 * no clear difference. */
static int wants_direct(const ocl_build *build, const product *p, const cpu_plan *c)
{
    const tn_op_desc *desc = build->desc;
    if (desc->in[0].dtype != TN_F32 || desc->in[1].dtype != TN_F32 || c->segments > 1) return 0;
    if (p->trans_b) return !p->trans_a && !p->sums && p->k >= c->lanes && dot_pays(p, c);
    return p->trans_a && p->n >= 2 * c->lanes && p->k <= DIRECT_DEPTH && p->m <= DIRECT_ROWS;
}

/* The columns of a block: with b transposed, as many as stay in the nearest cache, but not so many that units idle. */
static int64_t direct_width(const product *p, const cpu_plan *c)
{
    if (!p->trans_b) return 2 * c->lanes;
    int64_t near = ocl_max(1, DOT_BYTES / (int64_t)sizeof(float) / ocl_max(1, p->k));
    int64_t share = ocl_ceil(p->n, ocl_max(1, ocl_ceil(c->pieces, ocl_max(1, p->batch))));
    return ocl_max(4, ocl_min(64, ocl_min(near, ocl_max(8, share))) / 4 * 4);
}

/* As many blocks as plan_cpu makes pieces: panels of columns first, then, where those are few, chunks of rows. */
static int32_t prepare_direct(ocl_build *build, const product *p, const cpu_plan *c)
{
    int64_t rows = !p->trans_b ? c->rows : c->lanes == 16 ? 4 : 2;
    int plain = !p->trans_b && p->is_plain && build->desc->out[0].dtype == TN_F32;
    int64_t width = direct_width(p, c), panels = ocl_ceil(p->n, width);
    int64_t wanted = ocl_min(ocl_ceil(c->pieces, ocl_max(1, p->batch * panels)), ocl_ceil(p->m, rows));
    int64_t per = ocl_ceil(ocl_ceil(p->m, ocl_max(1, wanted)), rows) * rows;
    int64_t chunks = per ? ocl_ceil(p->m, per) : 0;
    ocl_text text = ocl_text_of(build);
    ocl_args args = {.n = 0};
    operand_args(build, &args);
    ocl_source_map(&text, &args, build->context, &p->space, &p->mapping, 2);
    write_operands(&text, build, p);
    ocl_textf(&text, "#define LANES %d\n#define ROWS %d\n#define V float%d\n%s%s%s%s", (int)c->lanes, (int)rows,
              (int)c->lanes, p->trans_b ? "#define DOT 1\n" : "", plain ? "#define PLAIN 1\n" : "",
              p->sums ? "#define SUMS 1\n" : "", ocl_cl_matmul_direct);
    size_args(&args, p);
    if (p->sums) ocl_arg_ref(&args, OCL_ARG_OUT, 1, TN_F32);
    ocl_arg_int(&args, (int32_t)chunks);
    ocl_arg_int(&args, (int32_t)per);
    ocl_arg_int(&args, (int32_t)width);
    size_t one = 1, global = (size_t)(panels * chunks * p->batch);
    int32_t s = ocl_add_launch(build, &text, "tn_matmul", &args, 1, &global, &one);
    ocl_text_free(&text);
    return s;
}

/* Where the operands are not read in place, the sums are a kernel of their own. */
static int32_t add_sums(ocl_build *build, const ocl_text *text, const product *p)
{
    ocl_args args = {.n = 0};
    int64_t per = ocl_max(16, ocl_ceil(ocl_ceil(p->m, build->context->units), 16) * 16);
    size_t one = 1, global = (size_t)(p->batch * ocl_ceil(p->m, per));
    ocl_arg_ref(&args, OCL_ARG_IN, 0, build->desc->in[0].dtype);
    ocl_arg_ref(&args, OCL_ARG_OUT, 1, TN_F32);
    ocl_arg_int(&args, (int32_t)p->m);
    ocl_arg_int(&args, (int32_t)p->k);
    ocl_arg_long(&args, p->a_stride);
    ocl_arg_int(&args, (int32_t)per);
    return ocl_add_launch(build, text, "tn_matmul_sums", &args, 1, &global, &one);
}

static int32_t no_sums(ocl_build *build)
{
    return ocl_fail(build->msg, TN_EUNSUPPORTED, "matmul: no sums beside this product");
}

#define FAR_BYTES                                                                                                      \
    (3 << 19)     /* of the left operand: beyond, little of it is left in the second cache from panel to panel */
#define PAGE 4096 /* bytes between rows, whose values then meet in one set of the nearest cache; or a multiple */

/* Copying a tile's rows pays where they would be read from far or drive each other out, and for several panels. */
static int copies_left(const product *p, const cpu_plan *c)
{
    const int64_t bytes = p->k * (p->value == TN_F64 ? 8 : 4);
    return !p->trans_a && c->span >= 4 && (bytes * p->m > FAR_BYTES || bytes % PAGE == 0);
}

static void write_if(ocl_text *text, int64_t holds, const char *name)
{
    if (holds) ocl_textf(text, "#define %s 1\n", name);
}

static void write_packed(ocl_text *text, const ocl_build *build, const product *p, const cpu_plan *c)
{
    const tn_op_desc *desc = build->desc;
    const int64_t rest = c->vectors > 1 ? p->n % (c->lanes * c->vectors) : 0;
    const int is_narrow = rest > 0 && rest <= c->lanes, is_plain = p->is_plain && desc->out[0].dtype == p->value;
    ocl_textf(text, "#define LANES %d\n#define VECTORS %d\n#define ROWS %d\n#define SPAN %d\n#define V %s%d\n",
              (int)c->lanes, (int)c->vectors, (int)c->rows, (int)c->span, ocl_type_name(p->value), (int)c->lanes);
    write_if(text, desc->in[0].dtype == p->value, "A_PLAIN");
    write_if(text, desc->in[1].dtype == p->value, "B_PLAIN");
    write_if(text, p->sums, "SUMS");
    write_if(text, c->segments > 1, "SPLIT");
    write_if(text, copies_left(p, c), "COPY_LEFT");
    write_if(text, is_plain, "PLAIN");
    write_if(text, is_plain || c->segments > 1, "TO_MEMORY");
    write_if(text, is_narrow, "NARROW");
    ocl_textf(text, "%s%s%s%s%s", ocl_cl_tile_cpu, ocl_cl_matmul_pack, ocl_cl_matmul_tile,
              is_narrow ? ocl_cl_matmul_tile : "", ocl_cl_matmul_cpu);
}

static int32_t prepare_cpu(ocl_build *build, const product *p)
{
    cpu_plan c = plan_cpu(build->context, p);
    if (wants_direct(build, p, &c)) return prepare_direct(build, p, &c);
    if (p->sums && (!p->trans_a || p->value != TN_F32)) return no_sums(build);
    ocl_text text = ocl_text_of(build);
    ocl_args args = {.n = 0}, map_args = {.n = 0};
    ocl_source_map(&text, &map_args, build->context, &p->space, &p->mapping, 2);
    write_operands(&text, build, p);
    write_packed(&text, build, p, &c);
    operand_args(build, &args);
    if (c.segments > 1) {
        build->scratch = (uint64_t)(c.segments * p->batch * p->m * p->n) * tn_dtype_size(p->value);
        ocl_arg_scratch(&args, 0);
        ocl_arg_int(&args, (int32_t)c.segments);
        ocl_arg_int(&args, (int32_t)c.length);
    } else {
        append_args(&args, &map_args);
    }
    size_args(&args, p);
    ocl_arg_int(&args, (int32_t)c.chunks);
    ocl_arg_int(&args, (int32_t)c.per);
    size_t one = 1, global = (size_t)(c.panels * c.chunks * p->batch * c.segments);
    int32_t s = ocl_add_launch(build, &text, "tn_matmul", &args, 1, &global, &one);
    if (!s && c.segments > 1) s = add_finish(build, &text, p, &c, &map_args);
    if (!s && p->sums) s = add_sums(build, &text, p);
    ocl_text_free(&text);
    return s;
}

/* ---- GPUs ----------------------------------------------------------------------------------------------------------
 */

#define SEGMENT 256 /* values of k at least for a part of a sum */

typedef struct gpu_plan {
    ocl_tile tile;
    int form;                 /* by matrix units; -1: without */
    int64_t segments, length; /* of k */
} gpu_plan;

static ocl_choice matrix_choice(int64_t parts)
{
    ocl_choice choice = {.family = ocl_family_named("matrix")};
    ocl_set_value(&choice, "parts", parts);
    return choice;
}

/* How good it looks: matrix units as twice the best tile. */
static double promise_of(const ocl_build *build, const product *p, const gpu_plan *g)
{
    if (g->form < 0)
        return ocl_tile_promise(build->context, &g->tile, p->value, p->m, p->n, p->k, p->batch, g->segments);
    return g->segments == 1 || p->k >= 2 * g->segments * g->tile.deep ? 2.0 / (double)g->segments : 0;
}

/* What was chosen; what it looks like is the build's promise. */
static int32_t plan_chosen(ocl_build *build, const product *p, int form, gpu_plan *g)
{
    const int64_t parts = ocl_value(build->choice, "parts"), length = ocl_ceil(p->k, parts);
    *g = (gpu_plan){.form = form, .segments = parts, .length = ocl_max(1, length)};
    g->tile = form < 0 ? ocl_tile_of(build->choice) : ocl_matrix_tile(build->context, form);
    build->promise = promise_of(build, p, g);
    if (build->promise > 0 && p->batch * parts <= 65535 && (parts == 1 || ocl_ceil(p->k, length) == parts))
        return TN_OK;
    return ocl_no_such(build);
}

/* Sums are divided where blocks are too few to keep every unit busy. */
static gpu_plan plan_gpu(const tn_context *context, const product *p, int form)
{
    const int64_t most = ocl_max(1, p->k / SEGMENT), wanted = 2 * (int64_t)context->units;
    gpu_plan g = {.form = form};
    g.tile = form < 0 ? ocl_tile_choose(context, p->value, p->m, p->n, p->batch, most) : ocl_matrix_tile(context, form);
    const int64_t blocks = p->batch * ocl_tile_high(&g.tile, p->m) * ocl_tile_wide(&g.tile, p->n);
    g.segments = ocl_min(most, ocl_ceil(wanted, ocl_max(1, blocks)));
    g.length = ocl_max(1, ocl_ceil(p->k, g.segments));
    g.segments = ocl_max(1, ocl_ceil(p->k, g.length));
    if (p->batch * g.segments > 65535) g = (gpu_plan){g.tile, form, 1, p->k};
    return g;
}

/* The epilogue alone, of the sum of `segments` products that lie in scratch. */
static int32_t add_epilogue(ocl_build *build, const product *p, int64_t segments)
{
    ocl_text text = ocl_text_of(build);
    ocl_args args = {.n = 0};
    int64_t total = p->batch * p->m * p->n;
    size_t global = (size_t)total, local = build->context->max_group < 64 ? 1 : 64;
    ocl_arg_scratch(&args, 0);
    ocl_arg_int(&args, (int32_t)segments);
    ocl_source_map(&text, &args, build->context, &p->space, &p->mapping, 2);
    ocl_textf(&text, "#define T %s\n#define FROM_SCRATCH 1\n%s", ocl_type_name(p->value), ocl_cl_matmul_gpu);
    ocl_arg_index(&args, p->space.wide, total);
    int32_t s = ocl_add_launch(build, &text, "tn_epilogue", &args, 1, &global, &local);
    ocl_text_free(&text);
    return s;
}

static int32_t prepare_gpu(ocl_build *build, const product *p, int form)
{
    gpu_plan g;
    int32_t s = TN_OK;
    if (ocl_is_of(build->choice, form < 0 ? "tile" : "matrix"))
        s = plan_chosen(build, p, form, &g);
    else
        g = plan_gpu(build->context, p, form);
    if (s) return s;
    build->used = form < 0 ? ocl_tile_choice(&g.tile, g.segments) : matrix_choice(g.segments);
    ocl_text text = ocl_text_of(build);
    ocl_args args = {.n = 0}, map_args = {.n = 0};
    ocl_source_map(&text, &map_args, build->context, &p->space, &p->mapping, 2);
    write_operands(&text, build, p);
    if (form < 0)
        ocl_tile_write(&text, &g.tile, p->value);
    else
        ocl_matrix_write(&text, build->context, form);
    ocl_textf(&text, "#define AT %s\n%s%s", p->k * ocl_max(p->m, p->n) < INT32_MAX ? "int" : "long",
              g.segments > 1 ? "#define SPLIT 1\n" : "", form < 0 ? ocl_cl_matmul_gpu : ocl_cl_matmul_matrix);
    operand_args(build, &args);
    if (g.segments > 1) {
        build->scratch = (uint64_t)(g.segments * p->batch * p->m * p->n) * tn_dtype_size(p->value);
        ocl_arg_scratch(&args, 0);
        ocl_arg_int(&args, (int32_t)g.segments);
        ocl_arg_int(&args, (int32_t)g.length);
    } else {
        append_args(&args, &map_args);
    }
    size_args(&args, p);
    size_t local[3] = {(size_t)g.tile.side_u, (size_t)g.tile.side_v, 1};
    size_t global[3] = {(size_t)ocl_tile_wide(&g.tile, p->n) * local[0],
                        (size_t)ocl_tile_high(&g.tile, p->m) * local[1], (size_t)(p->batch * g.segments)};
    s = ocl_add_launch(build, &text, "tn_matmul", &args, 3, global, local);
    ocl_text_free(&text);
    return s || g.segments == 1 ? s : add_epilogue(build, p, g.segments);
}

#define CLBLAST_LEAST 4e6 /* flops: below, our own kernel with its epilogue inside is ahead */

/* Types and sizes that CLBlast is asked for. */
static int wants_clblast(const ocl_build *build, const product *p)
{
    const tn_op_desc *desc = build->desc;
    double flops = 2.0 * (double)p->batch * (double)p->m * (double)p->n * (double)p->k;
    const int can = desc->in[0].dtype == TN_F32 && desc->in[1].dtype == TN_F32 && flops > 0;
    if (build->choice && build->choice->family)
        return can && build->context->tries_clblast && ocl_is_of(build->choice, "clblast");
    return can && build->context->clblast && flops >= CLBLAST_LEAST * build->context->grain;
}

/* TN_EUNSUPPORTED: CLBlast is not there, or its result for this shape was wrong. */
static int32_t prepare_clblast(ocl_build *build, const product *p)
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
    product p = {0};
    int32_t s = begin(build, &p);
    if (s) return s;
    make_space(build, &p);
    if (p.sums && !build->context->cpu_shape) return no_sums(build);
    const int form = ocl_matrix_form(build, 2.0 * (double)p.batch * (double)p.m * (double)p.n * (double)p.k);
    const int is_chosen = build->choice && build->choice->family;
    if (form >= 0 && (!is_chosen || ocl_is_of(build->choice, "matrix"))) return prepare_gpu(build, &p, form);
    if (build->level) return ocl_fail(build->msg, TN_EUNSUPPORTED, "matmul: no faster with less precision");
    if (wants_clblast(build, &p)) {
        s = prepare_clblast(build, &p);
        if (s != TN_EUNSUPPORTED || build->only) return s;
        begin_again(build);
    }
    if (build->only && (build->context->cpu_shape || !ocl_is_of(build->choice, "tile"))) return ocl_no_such(build);
    return build->context->cpu_shape ? prepare_cpu(build, &p) : prepare_gpu(build, &p, -1);
}
