/* conv_gpu.c: the products that convolutions are, on GPUs: by the tiles of cl/tile_gpu.cl, or by matrix units. */
#include "conv.h"

static int64_t jobs_of(const conv *c)
{
    return c->groups * (c->weight ? 1 : c->batch);
}

/* Of a block by matrix units: with those for more rows there are no registers left for the places of taps. */
#define MOST_ROWS 64

static int64_t rows_of(const conv *c)
{
    return ocl_min(c->m, MOST_ROWS);
}

int32_t ocl_conv_add_gpu(ocl_build *build, const conv *c, const ocl_conv_plan *g)
{
    const ocl_tile *t = &g->tile;
    const int64_t outer = (c->weight ? c->segments : c->batch) * c->groups;
    ocl_text text = ocl_text_of(build);
    ocl_args args = {.n = 0};
    ocl_conv_begin(build, c, &text, &args);
    ocl_textf(&text, "#define CHANNELS_LAST %d\n#define CHANNELS %d\n%s", c->last, c->last ? (int)ocl_max(1, c->c) : 0,
              c->last && !c->weight ? "#define BY_ROWS 1\n" : "");
    if (g->form >= 0) {
        ocl_matrix_write(&text, build->context, g->form, rows_of(c));
    } else {
        ocl_textf(&text, "#define UNROLL 1\n"); /* the places of taps take registers */
        ocl_tile_write(&text, t, c->dtype);
    }
    ocl_textf(&text, "%s%s", ocl_cl_conv_places, g->form < 0 ? ocl_cl_conv_gpu : ocl_cl_conv_matrix);
    ocl_conv_pictures(c, &args);
    size_t local[2] = {(size_t)t->side_u, (size_t)t->side_v}; /* the other dimensions may be limited to 65535 groups */
    size_t global[2] = {(size_t)(ocl_tile_wide(t, c->n) * outer) * local[0], (size_t)ocl_tile_high(t, c->m) * local[1]};
    int32_t s = ocl_add_launch(build, &text, "tn_conv", &args, 2, global, local);
    ocl_text_free(&text);
    return s;
}

/* Sums of a choice's parts: of pictures, of a gradient of weights. */
static int32_t take_parts(ocl_build *build, conv *c, int64_t parts)
{
    if (!(build->promise > 0) || (parts > 1 && (!c->weight || parts > c->batch))) return ocl_no_such(build);
    if (!c->weight) return TN_OK;
    c->segments = parts;
    c->length = ocl_max(1, ocl_ceil(c->batch, parts));
    return ocl_ceil(c->batch, c->length) == parts || parts == 1 ? TN_OK : ocl_no_such(build);
}

/* The tile and the segments that the choice says. */
static int32_t take_tile(ocl_build *build, conv *c, ocl_conv_plan *g)
{
    const int64_t parts = ocl_value(build->choice, "parts");
    g->tile = ocl_tile_of(build->choice);
    build->promise = ocl_tile_promise(build->context, &g->tile, c->dtype, c->m, c->n,
                                      c->weight ? c->batch * c->k : c->k, jobs_of(c), parts);
    return take_parts(build, c, parts);
}

/* The share of what matrix units would compute that is wanted: their blocks are large. */
static double share_of(const conv *c, const ocl_tile *t)
{
    const double made =
        (double)(ocl_tile_high(t, c->m) * t->side_v * t->rows) * (double)(ocl_tile_wide(t, c->n) * t->side_u * t->cols);
    return (double)c->m * (double)c->n / made;
}

/* It looks as good as twice the best tile, where all of a block is wanted. */
static int32_t take_matrix(ocl_build *build, conv *c, ocl_conv_plan *g)
{
    const int64_t parts = ocl_value(build->choice, "parts");
    if (g->form < 0) return ocl_no_such(build);
    g->tile = ocl_matrix_tile(build->context, g->form, rows_of(c));
    build->promise = 2 * share_of(c, &g->tile) / (double)parts;
    return take_parts(build, c, parts);
}

static int32_t take_choice(ocl_build *build, conv *c, ocl_conv_plan *g)
{
    if (ocl_is_of(build->choice, "matrix")) return take_matrix(build, c, g);
    g->form = -1;
    return ocl_is_of(build->choice, "tile") ? take_tile(build, c, g) : ocl_no_such(build);
}

#define LEAST_SHARE 0.4 /* below, tiles are as quick */

static void choose(const tn_context *context, conv *c, ocl_conv_plan *g)
{
    if (g->form >= 0) g->tile = ocl_matrix_tile(context, g->form, rows_of(c));
    if (g->form >= 0 && share_of(c, &g->tile) < LEAST_SHARE * context->grain) g->form = -1;
    if (g->form < 0)
        g->tile = ocl_tile_choose(context, c->dtype, c->m, c->n, jobs_of(c), c->weight ? ocl_max(1, c->batch) : 1);
    if (c->weight)
        ocl_conv_segments(context, c, c->groups * ocl_tile_high(&g->tile, c->m) * ocl_tile_wide(&g->tile, c->n));
}

int32_t ocl_conv_plan_gpu(ocl_build *build, conv *c, ocl_conv_plan *g)
{
    const double flops = 2.0 * (double)c->batch * (double)(c->groups * c->m) * (double)c->n * (double)c->k;
    int32_t s = TN_OK;
    if (ocl_winograd_plan(build, c, g) || ocl_last_plan(build, c, g)) return TN_OK;
    g->form = c->m && c->n ? ocl_matrix_form(build, flops) : -1;
    if (build->only || ocl_is_of(build->choice, "tile") || ocl_is_of(build->choice, "matrix"))
        s = take_choice(build, c, g);
    else
        choose(build->context, c, g);
    build->used = g->form < 0 ? ocl_tile_choice("tile", &g->tile, c->segments) : ocl_matrix_choice(c->segments);
    /* Where one of these can be, the tuner may find it faster. */
    if (!s && build->level && g->form < 0 && !ocl_winograd_suits(build, c) && !ocl_last_suits(build, c))
        return ocl_fail(build->msg, TN_EUNSUPPORTED, "%s: no faster with less precision", build->desc->name);
    return s;
}
