/* conv_cpu.c: convolutions on devices that are processors. Of the kernels, conv2d_weight takes that of conv_channels.cl
 * where channels fill vectors, else that of conv_along.cl where rows of pixels do; conv2d_data takes the one that adds
 * products to where they belong, where that is less work; all others are that of conv_cpu.cl. */
#include "conv.h"

#define ALONG_COLUMNS 72      /* of a work-item */
#define LAID          0x40000 /* bytes of a picture laid out */
#define ROOM          0x20000 /* bytes of a picture laid out by channels, and of sums */

/* How many vectors make a tile: of `all` of them, and as if each tile took half a vector more. */
static int64_t vectors_across(int64_t all)
{
    int64_t best = 3;
    for (int64_t n = 2; n; n--)
        if (ocl_ceil(all, n) * (2 * n + 1) < ocl_ceil(all, best) * (2 * best + 1)) best = n;
    return best;
}

/* Rows of the result for which pictures are laid out at once, `row` elements of theirs being one of a band. */
static int64_t band_of(const conv *c, int64_t row, int64_t size)
{
    const int64_t reach = (c->r - 1) * c->attrs.dilation[0];
    const int64_t rows = ROOM / size / ocl_max(1, row) - reach;
    return rows < 1 ? 0 : ocl_min((rows - 1) / c->stride[0] + 1, c->k / c->q);
}

/* By channels, where no more than a quarter of the vectors stays empty: two vectors at a time, or one. */
static void plan_channels(const tn_context *context, conv *c, ocl_conv_cpu *p)
{
    const int64_t size = c->dtype == TN_F64 ? 8 : 4, all = ocl_ceil(c->c, p->lanes);
    if (4 * c->c < 3 * all * p->lanes || !c->k || !c->m) return;
    const int64_t rows = ocl_min(c->m, p->lanes * size == 64 ? 8 : 4); /* with 3 vectors, what registers hold */
    const int64_t wp = ocl_max((c->q - 1) * c->stride[1] + (c->s - 1) * c->attrs.dilation[1] + 1, c->top[1] + c->w);
    for (int64_t deep = all % 2 ? 1 : 2; deep; deep--) {
        const int64_t across = vectors_across(c->r * c->s * deep), band = band_of(c, wp * deep * p->lanes, size);
        const int64_t sums = ocl_ceil(c->r * c->s * deep, across) * across * p->lanes * rows;
        if (!band || sums > ROOM / size) continue;
        p->form = OCL_CONV_CHANNELS;
        c->wp = wp;
        p->deep = deep, p->across = across, p->band = band;
        p->rows = rows, p->tiles = ocl_ceil(c->m, rows);
        p->panels = ocl_ceil(all, deep);
        p->per = ocl_min(p->tiles, ROOM / size / sums);
        const int64_t jobs = ocl_max(1, c->groups * p->panels * ocl_max(1, c->batch));
        p->per = ocl_min(p->per, ocl_ceil(p->tiles, ocl_ceil(4 * (int64_t)context->units, jobs)));
        p->chunks = ocl_ceil(p->tiles, p->per);
        break;
    }
}

/* As for matmul, but for few rows; `run`: elements that are copied at once. */
static ocl_conv_cpu plan_tile(const tn_context *context, const conv *c)
{
    ocl_conv_cpu p = {.lanes = ocl_max(4, ocl_min(16, context->vector_width)), .run = 4};
    const int many = p.lanes == 16; /* registers */
    if (c->dtype == TN_F64) p.lanes /= 2;
    p.vectors = c->n > p.lanes ? 2 : 1;
    p.in_place = !c->scatter && c->stride[1] == 1 && c->q % p.lanes == 0;
    p.form = c->weight && p.in_place ? OCL_CONV_ALONG : OCL_CONV_PANELS;
    p.rows = ocl_max(1, ocl_min(c->m, many ? 8 : p.form == OCL_CONV_ALONG ? 4 : 6));
    p.panels = ocl_ceil(c->n, p.form == OCL_CONV_ALONG ? ALONG_COLUMNS : p.lanes * p.vectors);
    p.tiles = ocl_ceil(c->m, p.rows);
    while (p.run < p.lanes && p.run < (c->weight ? c->s : c->q)) p.run *= 2;
    return p;
}

/* May work-items lay out pictures, each its own? Where these are enough for all units. */
static void plan_laid(const ocl_build *build, conv *c, ocl_conv_cpu *p)
{
    const int64_t room = LAID / (c->dtype == TN_F64 ? 8 : 4) - 2 * p->lanes * p->vectors;
    const int copies = c->stride[1] > 1 || c->q % p->lanes != 0;
    const int64_t hp = copies ? ocl_ceil(c->hp, c->stride[0]) * c->stride[0] : c->hp, wp = copies ? c->q : c->wp;
    if (c->scatter || c->up[0] > 1 || c->up[1] > 1 || !(c->staged || (copies && c->s > 1))) return;
    if ((double)(c->batch * c->groups) < 4 * build->context->grain * build->context->units) return;
    if ((copies ? c->s : 1) * c->c * hp * wp > room) return;
    p->in_place = p->laid = 1, p->copies = copies;
    if (copies) p->run = ocl_min(p->lanes, 8); /* one kernel for long rows and short ones */
    c->hp = hp, c->wp = wp;
    c->staged = 0, c->x_type = build->desc->in[0].dtype;
}

static void write_cpu(ocl_text *text, const conv *c, const ocl_conv_cpu *p)
{
    ocl_textf(text, "#define LANES %d\n#define VECTORS %d\n#define ROWS %d\n#define RUN %d\n#define V %s%d\n",
              (int)p->lanes, (int)p->vectors, (int)p->rows, (int)p->run, ocl_type_name(c->dtype), (int)p->lanes);
    ocl_textf(text, "#define TRANS_A 0\n%s%s", c->x_type == c->dtype ? "#define X_PLAIN 1\n" : "",
              p->in_place ? "#define IN_PLACE 1\n" : "");
    if (p->laid) ocl_textf(text, "#define LAID 1\n#define ROOM %d\n", LAID / (int)(c->dtype == TN_F64 ? 8 : 4));
    if (p->copies) ocl_textf(text, "#define COPIES 1\n");
    ocl_textf(text, "%s%s%s%s", ocl_cl_tile_cpu, p->in_place ? "" : ocl_cl_matmul_tile, p->laid ? ocl_cl_conv_lay : "",
              ocl_cl_conv_cpu);
}

/* How many pieces the work is worth. */
static int64_t pieces(const tn_context *context, const conv *c)
{
    const double flops = 2.0 * (double)c->batch * (double)(c->groups * c->m) * (double)c->n * (double)c->k;
    const double piece = 131072 * context->grain > 1 ? 131072 * context->grain : 1, wanted = 1 + flops / piece;
    const int64_t most = 8 * (int64_t)context->units;
    return wanted < (double)most ? (int64_t)wanted : most;
}

static int32_t add_one_each(ocl_build *build, ocl_text *text, const ocl_args *args, int64_t items)
{
    size_t one = 1, global = (size_t)items;
    int32_t s = ocl_add_launch(build, text, "tn_conv", args, 1, &global, &one);
    ocl_text_free(text);
    return s;
}

static void write_vectors(ocl_text *text, const conv *c, const ocl_conv_cpu *p)
{
    ocl_textf(text, "#define LANES %d\n#define ROWS %d\n#define V %s%d\n", (int)p->lanes, (int)p->rows,
              ocl_type_name(c->dtype), (int)p->lanes);
}

static int32_t add_along(ocl_build *build, const conv *c, const ocl_conv_cpu *p)
{
    ocl_text text = ocl_text_of(build);
    ocl_args args = {.n = 0};
    ocl_conv_begin(build, c, &text, &args);
    write_vectors(&text, c, p);
    ocl_textf(&text, "%s", ocl_cl_conv_along);
    ocl_conv_pictures(c, &args);
    return add_one_each(build, &text, &args, c->segments * c->groups * p->tiles * p->panels);
}

static int32_t add_channels(ocl_build *build, const conv *c, const ocl_conv_cpu *p)
{
    ocl_text text = ocl_text_of(build);
    ocl_args args = {.n = 0};
    ocl_conv_begin(build, c, &text, &args);
    write_vectors(&text, c, p);
    ocl_textf(&text, "#define ACROSS %d\n#define ROOM %d\n%s%s%s", (int)p->across,
              ROOM / (int)(c->dtype == TN_F64 ? 8 : 4), c->x_type == c->dtype ? "#define X_PLAIN 1\n" : "", ocl_cl_turn,
              ocl_cl_conv_channels);
    const int64_t sizes[] = {c->c, c->h, c->w, c->wp, c->top[0], c->top[1], c->q, p->deep, p->band, p->chunks, p->per};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) ocl_arg_int(&args, (int32_t)sizes[i]);
    return add_one_each(build, &text, &args, c->segments * c->groups * p->panels * p->chunks);
}

/* Work-items take whole panels, and several of them where they are many; where they are few, panels are divided into
 * chunks of rows. */
static int32_t add_panels(ocl_build *build, const conv *c, const ocl_conv_cpu *p)
{
    const int64_t outer = (c->weight ? c->segments : c->batch) * c->groups, jobs = outer * p->panels;
    const int64_t most = pieces(build->context, c);
    const int64_t wanted = ocl_max(1, ocl_min(p->tiles, most / ocl_max(1, jobs)));
    const int64_t per = ocl_max(1, ocl_ceil(p->tiles, wanted)), chunks = ocl_ceil(p->tiles, per);
    const int64_t total = jobs * chunks, whole = p->laid ? p->panels * chunks : 1;
    const int64_t each = whole * ocl_max(1, ocl_ceil(total, whole * most));
    const int64_t picture = c->c * (p->laid ? c->h * c->w : c->hp * c->wp), sizes[] = {picture, c->hp, c->wp, c->q};
    const int64_t source[] = {c->h, c->w, c->top[0], c->top[1]};
    ocl_text text = ocl_text_of(build);
    ocl_args args = {.n = 0};
    ocl_conv_begin(build, c, &text, &args);
    write_cpu(&text, c, p);
    ocl_arg_long(&args, c->batch * c->groups * picture + (c->staged ? OCL_CONV_SLACK : 0));
    for (int i = 0; i < 4; i++) ocl_arg_int(&args, (int32_t)sizes[i]);
    ocl_arg_int(&args, (int32_t)chunks);
    ocl_arg_int(&args, (int32_t)per);
    ocl_arg_int(&args, (int32_t)total);
    ocl_arg_int(&args, (int32_t)each);
    for (int i = 0; p->laid && i < 4; i++) ocl_arg_int(&args, (int32_t)source[i]);
    return add_one_each(build, &text, &args, ocl_ceil(total, each));
}

/* Adding a product costs as much as a sum over ADD_COST filters, packing as much as PACK_COST channels. What adds
 * nothing computes products for pixels of x that dy has none for: those between its elements, and around it. */
#define ADD_COST  16
#define PACK_COST 4

static int plan_scatter(const ocl_build *build, conv *c)
{
    const tn_tensor_desc *dy = &build->desc->in[0], *x = &build->desc->out[0];
    const int64_t pixels = dy->dim[2] * dy->dim[3], window[2] = {c->r, c->s};
    int64_t laid[2];
    if (!c->data || !pixels || !c->batch || !c->m || !c->n || !c->k) return 0;
    if (pixels * (c->filters + ADD_COST) * c->m >= c->n * c->filters * (c->m + PACK_COST)) return 0;
    c->scatter = 1;
    c->n = pixels;
    c->k = c->filters;
    c->h = x->dim[2], c->w = x->dim[3], c->q = dy->dim[3];
    c->x_type = dy->dtype;
    c->staged = x->dtype != c->dtype;
    for (int d = 0; d < 2; d++) {
        c->stride[d] = c->attrs.stride[d];
        c->top[d] = c->attrs.pad[d];
        laid[d] = (dy->dim[2 + d] - 1) * c->stride[d] + (window[d] - 1) * c->attrs.dilation[d] + 1;
        c->staged |= c->top[d] || laid[d] > x->dim[2 + d];
    }
    c->hp = c->staged ? laid[0] : c->h;
    c->wp = c->staged ? laid[1] : c->w;
    return 1;
}

int32_t ocl_conv_add_scatter(ocl_build *build, conv *c, const ocl_conv_cpu *p)
{
    const int64_t total = c->batch * c->groups * p->tiles,
                  each = ocl_max(1, ocl_ceil(total, pieces(build->context, c)));
    size_t one = 1, global = (size_t)ocl_ceil(total, each);
    ocl_text text = ocl_text_of(build);
    ocl_args args = {.n = 0};
    c->a_at = ocl_conv_scratch(&build->scratch, tn_desc_count(&build->desc->in[1]), c->dtype);
    if (c->staged)
        c->x_at = ocl_conv_scratch(&build->scratch, (int64_t)global * (p->rows * c->hp * c->wp + 1), c->dtype);
    int32_t s = ocl_conv_turn(build, c);
    ocl_conv_source(&text, build, c->dtype);
    ocl_source_operand(&text, "A", c->a_type);
    ocl_source_operand(&text, "X", c->x_type);
    ocl_source_operand(&text, "Y", build->desc->out[0].dtype);
    ocl_textf(&text, "#define SCATTER 1\n%s", c->staged ? "#define PADDED 1\n" : "");
    ocl_conv_window(&text, c);
    write_cpu(&text, c, p);
    ocl_arg_scratch(&args, c->a_at);
    ocl_arg_ref(&args, OCL_ARG_IN, 0, TN_U8);
    ocl_arg_ref(&args, OCL_ARG_OUT, 0, TN_U8);
    if (c->staged) ocl_arg_scratch(&args, c->x_at);
    const int64_t sizes[] = {c->m, c->n, c->k, c->groups};
    for (int i = 0; i < 4; i++) ocl_arg_int(&args, (int32_t)sizes[i]);
    ocl_arg_long(&args, tn_desc_count(&build->desc->in[0]));
    const int64_t more[] = {c->h, c->w, c->hp, c->wp, c->q, c->top[0], c->top[1], total, each};
    for (int i = 0; i < 9; i++) ocl_arg_int(&args, (int32_t)more[i]);
    if (!s) s = ocl_add_launch(build, &text, "tn_conv_scatter", &args, 1, &global, &one);
    ocl_text_free(&text);
    return s;
}

ocl_conv_cpu ocl_conv_plan_cpu(const ocl_build *build, conv *c)
{
    const int scatter = plan_scatter(build, c);
    ocl_conv_cpu p = plan_tile(build->context, c);
    if (scatter) p.run = ocl_min(p.lanes, 8);
    if (!c->weight) plan_laid(build, c, &p);
    if (!c->weight) return p;
    plan_channels(build->context, c, &p);
    if (p.form == OCL_CONV_CHANNELS) c->staged = 0, c->x_type = build->desc->in[0].dtype;
    const int64_t outer = p.form == OCL_CONV_CHANNELS ? p.chunks : p.form == OCL_CONV_ALONG ? p.tiles : 1;
    ocl_conv_segments(build->context, c, c->groups * p.panels * outer);
    return p;
}

int32_t ocl_conv_add_cpu(ocl_build *build, const conv *c, const ocl_conv_cpu *p)
{
    return p->form == OCL_CONV_CHANNELS ? add_channels(build, c, p)
           : p->form == OCL_CONV_ALONG  ? add_along(build, c, p)
                                        : add_panels(build, c, p);
}
