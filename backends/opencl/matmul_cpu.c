/* matmul_cpu.c: products on devices that are processors: by panels of the right operand that are packed
 * (cl/matmul_cpu.cl), or with the operands read in place (cl/matmul_direct.cl). Which of them, and by which numbers, is
 * estimated from sizes and units; or it is what was chosen of the families "panels" and "direct". */
#include "matmul.h"

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
static int64_t count_pieces(const tn_context *context, const ocl_product *p)
{
    const double flops = 2.0 * (double)p->batch * (double)p->m * (double)p->n * (double)p->k;
    const double least = PIECE_FLOPS * context->grain > 1 ? PIECE_FLOPS * context->grain : 1;
    return flops > least * 4 * context->units ? 4 * (int64_t)context->units : (int64_t)(flops / least) + 1;
}

/* What the pieces take until the last is done, for each value of k, in cycles: of two multiplications of 16 lanes each,
 * and of packing a vector. A unit in four has to wait for what was begun last. */
static double makespan(const ocl_product *p, const cpu_plan *c, int64_t units)
{
    const double rows = (double)(c->per * c->rows), columns = (double)(c->span * c->lanes * c->vectors);
    const double packing = rows * (p->trans_a ? 0.12 : 0.06) + columns * (p->trans_b ? 0.5 : 0.25);
    const double rounds = (double)ocl_ceil(p->batch * c->panels * c->chunks, units);
    return (rounds + 0.25) * (rows * columns / 32 + packing);
}

/* Cuts the work into pieces: panels of columns, `span` to a piece, and chunks of rows. Of the ways to cut it into about
 * as many as it is worth, or half of that, the quickest. */
static void choose_pieces(cpu_plan *c, const ocl_product *p, int64_t units)
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
static cpu_plan plan_cpu(const tn_context *context, const ocl_product *p)
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

/* What two multiplications of 16 lanes take, all pieces together; a sum in parts is added up. */
static double promise_of(const ocl_product *p, const cpu_plan *c, int64_t units)
{
    const double finish = c->segments > 1 ? (double)(p->m * p->n * (c->segments + 1)) / 4 / (double)units : 0;
    return 1 / (1 + makespan(p, c, units) * (double)ocl_max(1, p->k) + finish);
}

/* Tiles that stay in registers: 32 of them come with 16 lanes, 16 with fewer. */
static int has_registers(const ocl_build *build, const cpu_plan *c)
{
    const int64_t registers = build->context->vector_width >= 16 ? 32 : 16;
    return c->rows * c->vectors + c->vectors + 1 <= registers;
}

/* What was chosen of the family "panels", if it is no other choice's plan as well. */
static int32_t plan_chosen(ocl_build *build, const ocl_product *p, cpu_plan *c)
{
    const int64_t units = build->context->units, pieces = ocl_value(build->choice, "pieces") * units;
    c->rows = ocl_value(build->choice, "rows"), c->vectors = ocl_value(build->choice, "vectors");
    c->span = ocl_value(build->choice, "span"), c->segments = ocl_value(build->choice, "parts");
    const int64_t tiles = ocl_ceil(p->m, c->rows), panels = ocl_ceil(p->n, c->lanes * c->vectors);
    c->panels = ocl_ceil(panels, c->span);
    const int64_t others = ocl_max(1, p->batch * c->panels * c->segments), wanted = ocl_ceil(pieces, others);
    c->per = ocl_ceil(tiles, ocl_max(1, ocl_min(wanted, tiles)));
    c->chunks = c->per ? ocl_ceil(tiles, c->per) : 0;
    c->length = ocl_ceil(ocl_ceil(p->k, c->segments), 256) * 256;
    build->promise = promise_of(p, c, units);
    const int fits = has_registers(build, c) && (c->vectors == 1 || p->n > c->lanes) && c->span < 2 * panels;
    const int is_cut = c->segments == 1 || ocl_ceil(p->k, c->length) == c->segments;
    const int is_first = pieces == units || wanted > ocl_ceil(pieces / 2, others);
    return p->m && p->n && fits && is_cut && is_first ? TN_OK : ocl_no_such(build);
}

static int32_t add_finish(ocl_build *build, const ocl_text *text, const ocl_product *p, const cpu_plan *c,
                          const ocl_args *map_args)
{
    ocl_args args = {.n = 0};
    int64_t rows = p->batch * p->m, per = ocl_ceil(rows, ocl_max(1, ocl_min(rows, 2 * (int64_t)build->context->units)));
    size_t one = 1, global = (size_t)ocl_ceil(rows, ocl_max(1, per));
    ocl_arg_scratch(&args, 0);
    ocl_arg_int(&args, (int32_t)c->segments);
    ocl_args_append(&args, map_args);
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
static int dot_pays(const ocl_product *p, const cpu_plan *c)
{
    const int64_t wide = c->panels * c->lanes * c->vectors, rows = ocl_ceil(p->m, c->rows) * c->rows;
    const int64_t place = ocl_ceil(p->n, 4) * ocl_ceil(p->m, 4) * 16 * (p->k + 60);
    return 1.2 * (double)place < (double)wide * (double)p->k * (double)(rows + 16 * c->chunks);
}

static int can_direct(const ocl_build *build, const ocl_product *p, const cpu_plan *c)
{
    const tn_op_desc *desc = build->desc;
    if (desc->in[0].dtype != TN_F32 || desc->in[1].dtype != TN_F32) return 0;
    if (p->trans_b) return !p->trans_a && !p->sums && p->k >= c->lanes;
    return p->trans_a && p->n >= 2 * c->lanes;
}

/* Should the operands be read in place? With a transposed in place and packed, as above: 100x784x32 37 and
 * 44, 100x784x128 138 and 165, 300x300x100 128 and 139; but 512x784x128 814 and 696. With neither transposed there was
 * no clear difference. */
static int wants_direct(const ocl_build *build, const ocl_product *p, const cpu_plan *c)
{
    if (c->segments > 1 || !can_direct(build, p, c)) return 0;
    return p->trans_b ? dot_pays(p, c) : p->k <= DIRECT_DEPTH && p->m <= DIRECT_ROWS;
}

/* The columns of a block: with b transposed, as many as stay in the nearest cache, but not so many that units idle. */
static int64_t direct_width(const ocl_product *p, const cpu_plan *c)
{
    if (!p->trans_b) return 2 * c->lanes;
    int64_t near = ocl_max(1, DOT_BYTES / (int64_t)sizeof(float) / ocl_max(1, p->k));
    int64_t share = ocl_ceil(p->n, ocl_max(1, ocl_ceil(c->pieces, ocl_max(1, p->batch))));
    return ocl_max(4, ocl_min(64, ocl_min(near, ocl_max(8, share))) / 4 * 4);
}

/* As many blocks as plan_cpu makes pieces: panels of columns first, then, where those are few, chunks of rows. */
static int32_t prepare_direct(ocl_build *build, const ocl_product *p, const cpu_plan *c)
{
    int64_t rows = !p->trans_b ? c->rows : c->lanes == 16 ? 4 : 2;
    int plain = !p->trans_b && p->is_plain && build->desc->out[0].dtype == TN_F32;
    int64_t width = direct_width(p, c), panels = ocl_ceil(p->n, width);
    int64_t wanted = ocl_min(ocl_ceil(c->pieces, ocl_max(1, p->batch * panels)), ocl_ceil(p->m, rows));
    int64_t per = ocl_ceil(ocl_ceil(p->m, ocl_max(1, wanted)), rows) * rows;
    int64_t chunks = per ? ocl_ceil(p->m, per) : 0;
    ocl_text text = ocl_text_of(build);
    ocl_args args = {.n = 0};
    ocl_product_operands(build, &args);
    ocl_source_map(&text, &args, build->context, &p->space, &p->mapping, 2);
    ocl_product_write(&text, build, p);
    ocl_textf(&text, "#define LANES %d\n#define ROWS %d\n#define V float%d\n%s%s%s%s", (int)c->lanes, (int)rows,
              (int)c->lanes, p->trans_b ? "#define DOT 1\n" : "", plain ? "#define PLAIN 1\n" : "",
              p->sums ? "#define SUMS 1\n" : "", ocl_cl_matmul_direct);
    ocl_product_sizes(&args, p);
    if (p->sums) ocl_arg_ref(&args, OCL_ARG_OUT, 1, TN_F32);
    ocl_arg_int(&args, (int32_t)chunks);
    ocl_arg_int(&args, (int32_t)per);
    ocl_arg_int(&args, (int32_t)width);
    size_t one = 1, global = (size_t)(panels * chunks * p->batch);
    int32_t s = ocl_add_launch(build, &text, "tn_matmul", &args, 1, &global, &one);
    ocl_text_free(&text);
    return s;
}

/* Looks as good as what it might replace, or twice as good where it would be taken untuned. */
static int32_t prepare_chosen_direct(ocl_build *build, const ocl_product *p, cpu_plan *c)
{
    const int64_t units = build->context->units;
    const int is_wanted = wants_direct(build, p, c);
    build->promise = (is_wanted ? 2 : 1) * promise_of(p, c, units);
    if (!p->m || !p->n || !can_direct(build, p, c)) return ocl_no_such(build);
    c->pieces = ocl_value(build->choice, "pieces") * units;
    build->used = *build->choice;
    return prepare_direct(build, p, c);
}

/* Where the operands are not read in place, the sums are a kernel of their own. */
static int32_t add_sums(ocl_build *build, const ocl_text *text, const ocl_product *p)
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

#define FAR_BYTES                                                                                                      \
    (3 << 19)     /* of the left operand: beyond, little of it is left in the second cache from panel to panel */
#define PAGE 4096 /* bytes between rows, whose values then meet in one set of the nearest cache; or a multiple */

/* Copying a tile's rows pays where they would be read from far or drive each other out, and for several panels. */
static int copies_left(const ocl_product *p, const cpu_plan *c)
{
    const int64_t bytes = p->k * (p->value == TN_F64 ? 8 : 4);
    return !p->trans_a && c->span >= 4 && (bytes * p->m > FAR_BYTES || bytes % PAGE == 0);
}

static void write_if(ocl_text *text, int64_t holds, const char *name)
{
    if (holds) ocl_textf(text, "#define %s 1\n", name);
}

static void write_packed(ocl_text *text, const ocl_build *build, const ocl_product *p, const cpu_plan *c)
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
    ocl_textf(text, "%s%s%s%s%s%s", ocl_cl_tile_cpu, ocl_cl_turn, ocl_cl_matmul_pack, ocl_cl_matmul_tile,
              is_narrow ? ocl_cl_matmul_tile : "", ocl_cl_matmul_cpu);
}

int32_t ocl_product_cpu(ocl_build *build, const ocl_product *p)
{
    cpu_plan c = plan_cpu(build->context, p);
    if (ocl_is_of(build->choice, "direct")) return prepare_chosen_direct(build, p, &c);
    if (ocl_is_of(build->choice, "panels")) {
        const int32_t s = plan_chosen(build, p, &c);
        if (s) return s;
        build->used = *build->choice;
    } else if (build->only) {
        return ocl_no_such(build);
    } else if (wants_direct(build, p, &c)) {
        return prepare_direct(build, p, &c);
    }
    if (p->sums && (!p->trans_a || p->value != TN_F32)) return ocl_no_sums(build);
    ocl_text text = ocl_text_of(build);
    ocl_args args = {.n = 0}, map_args = {.n = 0};
    ocl_source_map(&text, &map_args, build->context, &p->space, &p->mapping, 2);
    ocl_product_write(&text, build, p);
    write_packed(&text, build, p, &c);
    ocl_product_operands(build, &args);
    if (c.segments > 1) {
        build->scratch = (uint64_t)(c.segments * p->batch * p->m * p->n) * tn_dtype_size(p->value);
        ocl_arg_scratch(&args, 0);
        ocl_arg_int(&args, (int32_t)c.segments);
        ocl_arg_int(&args, (int32_t)c.length);
    } else {
        ocl_args_append(&args, &map_args);
    }
    ocl_product_sizes(&args, p);
    ocl_arg_int(&args, (int32_t)c.chunks);
    ocl_arg_int(&args, (int32_t)c.per);
    size_t one = 1, global = (size_t)(c.panels * c.chunks * p->batch * c.segments);
    int32_t s = ocl_add_launch(build, &text, "tn_matmul", &args, 1, &global, &one);
    if (!s && c.segments > 1) s = add_finish(build, &text, p, &c, &map_args);
    if (!s && p->sums) s = add_sums(build, &text, p);
    ocl_text_free(&text);
    return s;
}
