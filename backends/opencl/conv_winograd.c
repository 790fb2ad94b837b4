/* conv_winograd.c: convolutions by windows of 3 x 3 in steps of one with fewer multiplications, on GPUs
 * (cl/conv_winograd.cl), forward and for gradients of pictures. Sums of pixels are rounded before they are multiplied:
 * a result that is small beside its neighbours, as where a window meets little but zeros, is less exact than the
 * products it is defined by, and beyond what f32 allows. So it is for lower levels of precision, and there too it is
 * never chosen but by the tuner, which compares, or by the option `opencl.winograd`. */
#include "conv.h"

#define ELEMENTS 16 /* products that a group makes beside each other */

/* What the option chooses among, by number: for many filters, for few, with registers to spare, and small ones. */
static const ocl_tile tiles[] = {{4, 4, 8, 8, 8}, {4, 2, 8, 8, 4}, {4, 4, 4, 8, 8}, {1, 1, 4, 4, 4}};

int ocl_winograd_number(const char *text, int32_t *number)
{
    *number = text[0] >= '0' && text[0] < '0' + (int)(sizeof tiles / sizeof *tiles) && !text[1] ? text[0] - '0' : -1;
    return *number >= 0;
}

/* Pictures' channels, tiles of the result along each dimension, and all of them. */
typedef struct sizes {
    int64_t channels, p, high, wide, tiles;
} sizes;

static sizes sizes_of(const conv *c)
{
    sizes z = {.channels = c->c, .p = c->n / c->q};
    z.high = ocl_ceil(z.p, 2), z.wide = ocl_ceil(c->q, 2);
    z.tiles = c->batch * z.high * z.wide;
    return z;
}

int ocl_winograd_suits(const ocl_build *build, const conv *c)
{
    const tn_tensor_desc *weight = &build->desc->in[1];
    int is_so = !c->weight && !c->last && c->dtype == TN_F32 && c->groups == 1 && build->level && c->batch && c->m &&
                c->n && c->k;
    for (int d = 0; d < 2; d++)
        is_so &= weight->dim[2 + d] == 3 && c->attrs.stride[d] == 1 && c->attrs.dilation[d] == 1;
    return is_so && sizes_of(c).tiles < INT32_MAX / 8 && (c->c + 16) * (c->m + 64) < INT32_MAX / (2 * ELEMENTS);
}

/* What a work-item brings are whole numbers; local memory and, at a guess, registers do. */
static int fits(const tn_context *context, const ocl_tile *t)
{
    const int64_t items = ELEMENTS * t->side_u * t->side_v, high = t->side_v * t->rows, wide = t->side_u * t->cols;
    const int64_t patches = t->deep * wide / items, vectors = 4 * t->deep * high / items;
    const int64_t registers = t->rows * t->cols + t->rows + t->cols + 16 * patches + 24;
    return items <= (int64_t)context->max_group && patches * items == t->deep * wide && patches > 0 &&
           vectors * items == 4 * t->deep * high && vectors > 0 && items % (4 * high) == 0 &&
           t->side_v * wide <= t->deep * (high + wide) &&
           ocl_has_local(context, ELEMENTS * t->deep * (high + wide) * (int64_t)sizeof(float)) && registers <= 128;
}

#define SAVED  2.25 /* multiplications of each one that is made */
#define SPREAD 4    /* filters whose products take as long as spreading the pixels for them */

/* As ocl_tile_promise has it. */
static double promise_of(const tn_context *context, const ocl_tile *t, const conv *c)
{
    const sizes z = sizes_of(c);
    const double high = (double)(t->side_v * t->rows), items = (double)(ELEMENTS * t->side_u * t->side_v);
    const double mix = (double)(4 * t->rows * t->cols) / (t->rows + t->cols), k = (double)z.channels;
    const double groups = (double)(ocl_tile_high(t, c->m) * ocl_tile_wide(t, z.tiles));
    const double made = groups * high * (double)(t->side_u * t->cols) * 4; /* pixels of the result */
    const double wanted = (double)context->defaults.groups;
    if (!fits(context, t)) return 0;
    return SAVED * (double)(c->batch * c->m * c->n) / made * (groups < wanted ? groups / wanted : 1) *
           (mix / (mix + 4)) * (items / (items + 64)) * (high / (high + SPREAD)) * k / (k + t->deep);
}

int ocl_winograd_plan(ocl_build *build, const conv *c, ocl_conv_plan *g)
{
    const tn_context *context = build->context;
    const int is_chosen = ocl_is_of(build->choice, "winograd"), is_other = build->choice && build->choice->family;
    if (!ocl_winograd_suits(build, c) || (!is_chosen && (is_other || context->winograd < 0))) return 0;
    const ocl_tile tile = is_chosen ? ocl_tile_of(build->choice) : tiles[context->winograd];
    const double promise = promise_of(context, &tile, c);
    if (!(promise > 0)) return 0;
    build->promise = promise;
    build->used = ocl_tile_choice("winograd", &tile, 0);
    *g = (ocl_conv_plan){.tile = tile, .form = -1, .is_winograd = 1};
    return 1;
}

/* ---- launches ---------------------------------------------------------------------------------------------------- */

static int32_t add_filters(ocl_build *build, const conv *c, const ocl_tile *t, int64_t total)
{
    ocl_text text = ocl_text_of(build);
    ocl_args args = {.n = 0};
    size_t global = (size_t)total, local = build->context->defaults.group;
    ocl_source_types(&text, build->context, 0);
    ocl_source_operand(&text, "A", c->a_type);
    ocl_textf(&text, "#define FILTERS 1\n#define TURNED %d\n#define BLOCK_M %d\n%s", c->data, t->side_v * t->rows,
              ocl_cl_conv_winograd);
    ocl_arg_ref(&args, OCL_ARG_IN, 1, TN_U8);
    ocl_arg_scratch(&args, 0);
    ocl_arg_int(&args, (int32_t)c->m);
    ocl_arg_int(&args, (int32_t)c->c);
    ocl_arg_int(&args, (int32_t)total);
    const int32_t s = ocl_add_launch(build, &text, "tn_conv_filters", &args, 1, &global, &local);
    ocl_text_free(&text);
    return s;
}

static int32_t add_products(ocl_build *build, const conv *c, const ocl_tile *t)
{
    const sizes z = sizes_of(c);
    ocl_text text = ocl_text_of(build);
    ocl_args args = {.n = 0}, map_args = {.n = 0};
    size_t local[2] = {(size_t)(ELEMENTS * t->side_u * t->side_v), 1};
    size_t global[2] = {(size_t)ocl_tile_wide(t, z.tiles) * local[0], (size_t)ocl_tile_high(t, c->m)};
    ocl_source_map(&text, &map_args, build->context, &c->space, &c->mapping, 2);
    ocl_source_operand(&text, "A", c->a_type);
    ocl_source_operand(&text, "X", c->x_type);
    ocl_textf(&text, "#define T float\n#define TURNED %d\n#define BESIDE %d\n#define UNROLL 2\n", c->data, ELEMENTS);
    ocl_tile_write(&text, t, TN_F32);
    ocl_textf(&text, "%s", ocl_cl_conv_winograd);
    ocl_arg_scratch(&args, 0);
    ocl_arg_ref(&args, OCL_ARG_IN, 1, TN_U8);
    ocl_arg_ref(&args, OCL_ARG_IN, 0, TN_U8);
    ocl_args_append(&args, &map_args);
    const int64_t numbers[] = {c->m, z.channels, c->batch, c->h, c->w, c->top[0], c->top[1], z.p, c->q, z.high, z.wide};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) ocl_arg_int(&args, (int32_t)numbers[i]);
    const int32_t s = ocl_add_launch(build, &text, "tn_conv_winograd", &args, 2, global, local);
    ocl_text_free(&text);
    return s;
}

int32_t ocl_winograd_add(ocl_build *build, const conv *c, const ocl_conv_plan *g)
{
    const ocl_tile *t = &g->tile;
    const int64_t channels = ocl_ceil(c->c, t->deep) * t->deep, rows = ocl_tile_high(t, c->m) * t->side_v * t->rows;
    build->scratch = (uint64_t)(channels * rows) * ELEMENTS * sizeof(float);
    const int32_t s = add_filters(build, c, t, channels * rows);
    return s ? s : add_products(build, c, t);
}
