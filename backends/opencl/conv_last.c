/* conv_last.c: convolutions with channels last, by matrix units in stages (cl/conv_last.cl), forward and, in steps of
 * one, for gradients of pictures. A launch lays pictures and filters out, or filters alone, where pictures have their
 * channels last and these are whole pieces; another multiplies them. Nothing but the tuner chooses it, which compares:
 * whether laying out is worth its time follows from the card and the shape. */
#include "conv.h"

enum { MOST_TAPS = 28, SQUARE = 32 }; /* a bit each, and of blocks that are brought behind the last */

/* What is laid out: its type, channels with those that are zero, and where the filters begin in scratch. is_there:
 * filters lie so as they are, as pictures do. */
typedef struct laid {
    int32_t dtype, is_there;
    int64_t deep, taps, filters_at;
} laid;

static laid laid_of(const conv *c, int form)
{
    laid l = {.dtype = ocl_matrix_stored(form), .taps = c->r * c->s};
    const int64_t piece = ocl_staged_piece(l.dtype), pictures = c->batch * c->h * c->w;
    l.deep = ocl_ceil(c->c, piece) * piece;
    l.is_there = c->last && !c->turned && c->a_type == l.dtype;
    if (!c->last) l.filters_at = ocl_ceil(pictures * l.deep * (int64_t)tn_dtype_size(l.dtype), 256) * 256;
    return l;
}

static double flops_of(const conv *c)
{
    return 2.0 * (double)c->batch * (double)c->m * (double)c->n * (double)c->k;
}

int ocl_last_suits(const ocl_build *build, const conv *c)
{
    const int form = ocl_matrix_last_form(build, flops_of(c));
    if (form < 0 || c->weight || c->groups != 1 || c->up[0] != 1 || c->up[1] != 1 || c->r * c->s > MOST_TAPS) return 0;
    const laid l = laid_of(c, form);
    if (c->last && l.deep != c->c) return 0;
    return c->batch && c->m && c->n && c->k && c->batch * c->h * c->w <= INT32_MAX / 2 / l.deep &&
           c->m * l.taps <= INT32_MAX / 2 / l.deep;
}

/* As for products in stages: what is in a block of what is wanted counts, and the groups of the units that have one. */
static double promise_of(const ocl_build *build, const conv *c, const ocl_tile *t, const laid *l)
{
    const double groups = (double)(ocl_tile_high(t, c->m) * ocl_tile_wide(t, c->batch * c->n));
    const double made = groups * (double)(t->side_v * t->rows) * (double)(t->side_u * t->cols);
    const double along = (double)c->c / (double)(ocl_ceil(l->deep, t->deep) * t->deep);
    const double wanted = (double)build->context->defaults.groups;
    return 2.5 * (double)c->m * (double)(c->batch * c->n) / made * along * (groups < wanted ? groups / wanted : 1);
}

int ocl_last_plan(ocl_build *build, const conv *c, ocl_conv_plan *g)
{
    if (!ocl_is_of(build->choice, "channels_last") || !ocl_last_suits(build, c)) return 0;
    const int form = ocl_matrix_last_form(build, flops_of(c));
    const ocl_staged staged = ocl_staged_of(build->choice);
    if (!ocl_staged_fits(build->context, &staged)) return 0;
    const laid l = laid_of(c, form);
    *g = (ocl_conv_plan){.form = form, .staged = staged};
    g->tile = ocl_staged_tile(build->context, &staged, l.dtype);
    build->promise = promise_of(build, c, &g->tile, &l);
    build->used = ocl_staged_choice("channels_last", &staged, 0);
    return 1;
}

/* ---- launches ---------------------------------------------------------------------------------------------------- */

static void write_sizes(ocl_text *text, const conv *c)
{
    ocl_textf(text, "#define TURNED %d\n", c->data);
    ocl_conv_window(text, c);
}

/* By squares of pictures, or, of filters alone, groups of as many numbers. */
static int32_t add_layout(ocl_build *build, const conv *c, const laid *l)
{
    const int is_narrow = l->dtype != TN_F32;
    const int64_t squares = c->last ? ocl_ceil(c->m * l->taps * l->deep, SQUARE * 8)
                                    : ocl_ceil(c->h * c->w, SQUARE) * ocl_ceil(l->deep, SQUARE) * c->batch;
    ocl_text text = ocl_text_of(build);
    ocl_args args = {.n = 0};
    size_t global[2] = {(size_t)squares * SQUARE, 8}, local[2] = {SQUARE, 8};
    ocl_source_types(&text, build->context, 0);
    ocl_textf(&text, "#define TO_LAST 1\n%s%s#define STORED %s\n", c->last ? "#define FILTERS_ALONE 1\n" : "",
              is_narrow ? "#define TO_BF16 1\n" : "", is_narrow ? "ushort" : "uint");
    ocl_source_operand(&text, "A", c->a_type);
    ocl_source_operand(&text, "X", c->x_type);
    write_sizes(&text, c);
    ocl_textf(&text, "%s", ocl_cl_conv_last);
    if (!c->last) ocl_arg_ref(&args, OCL_ARG_IN, 0, TN_U8);
    if (!c->last) ocl_arg_scratch(&args, 0);
    ocl_arg_ref(&args, OCL_ARG_IN, 1, TN_U8);
    ocl_arg_scratch(&args, (uint64_t)l->filters_at);
    const int64_t numbers[] = {c->c, l->deep, c->h * c->w, c->m};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) ocl_arg_int(&args, (int32_t)numbers[i]);
    const int32_t s = ocl_add_launch(build, &text, "tn_conv_to_last", &args, 2, global, local);
    ocl_text_free(&text);
    return s;
}

/* What is read where it lies may begin anywhere. */
static int32_t add_product(ocl_build *build, const conv *c, const ocl_conv_plan *g, const laid *l)
{
    const ocl_tile *t = &g->tile;
    const int64_t columns = c->batch * c->n;
    ocl_text text = ocl_text_of(build);
    ocl_args args = {.n = 0}, map_args = {.n = 0};
    size_t local[2] = {(size_t)t->side_u, (size_t)t->side_v};
    size_t global[2] = {(size_t)ocl_tile_wide(t, columns) * local[0], (size_t)ocl_tile_high(t, c->m) * local[1]};
    ocl_source_map(&text, &map_args, build->context, &c->space, &c->mapping, 2);
    ocl_textf(&text, "#define TRANS_A 0\n#define TRANS_B 1\n%s",
              c->last ? "#define BY_ROWS 1\n#define SLOWLY \"unroll\"\n" : "#define ALIGNED 1\n");
    write_sizes(&text, c);
    ocl_staged_write(&text, build->context, g->form, &g->staged);
    ocl_textf(&text, "%s", ocl_cl_conv_last);
    if (l->is_there)
        ocl_arg_ref(&args, OCL_ARG_IN, 1, TN_U8);
    else
        ocl_arg_scratch(&args, (uint64_t)l->filters_at);
    if (c->last)
        ocl_arg_ref(&args, OCL_ARG_IN, 0, TN_U8);
    else
        ocl_arg_scratch(&args, 0);
    ocl_args_append(&args, &map_args);
    const int64_t numbers[] = {c->m, columns, l->deep, c->h, c->w, c->top[0], c->top[1], c->n, c->q};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) ocl_arg_int(&args, (int32_t)numbers[i]);
    const int32_t s = ocl_add_launch(build, &text, "tn_conv_last", &args, 2, global, local);
    ocl_text_free(&text);
    return s;
}

int32_t ocl_last_add(ocl_build *build, const conv *c, const ocl_conv_plan *g)
{
    const laid l = laid_of(c, g->form);
    if (l.is_there) return add_product(build, c, g, &l);
    build->scratch = (uint64_t)(l.filters_at + c->m * l.taps * l.deep * (int64_t)tn_dtype_size(l.dtype));
    const int32_t s = add_layout(build, c, &l);
    return s ? s : add_product(build, c, g, &l);
}
