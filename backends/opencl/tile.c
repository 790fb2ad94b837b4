/* tile.c: which tile a product gets on a GPU (cl/tile_gpu.cl), and into how many segments its sums are divided. */
#include "tile.h"

/* The largest first. What each comes to of the largest one's rate, by the multiply-adds for each load from local memory
 * and the work-items that hide how long others wait, has defaults.def. deep: a work-item of a small group brings many
 * elements of each factor, which are in registers with their places (bench/gpu/static.py looks). */
static const ocl_tile tiles[OCL_TILES] = {{16, 16, 8, 8, 8}, {16, 16, 8, 4, 16}, {16, 16, 4, 8, 16}, {16, 16, 4, 4, 16},
                                          {16, 8, 4, 4, 16}, {8, 8, 4, 4, 16},   {4, 4, 4, 4, 8}};

int64_t ocl_tile_high(const ocl_tile *t, int64_t m)
{
    return ocl_ceil(m, t->side_v * t->rows);
}

int64_t ocl_tile_wide(const ocl_tile *t, int64_t n)
{
    return ocl_ceil(n, t->side_u * t->cols);
}

/* Of k: half as many in f64, for local memory. */
static int32_t deep(const ocl_tile *t, int32_t dtype)
{
    return dtype == TN_F64 ? t->deep / 2 : t->deep;
}

static int fits(const tn_context *context, const ocl_tile *t, int32_t dtype)
{
    const int64_t rows = t->side_v * t->rows + 4 + t->side_u * t->cols + 4; /* LOCAL_VECTORS of cl/tile_gpu.cl */
    return (size_t)(t->side_u * t->side_v) <= context->max_group &&
           ocl_has_local(context, 2 * rows * deep(t, dtype) * (int64_t)tn_dtype_size(dtype));
}

/* What is computed beside what is wanted, and units that have nothing to do. */
static double rate(const tn_context *context, const ocl_tile *t, int64_t m, int64_t n, int64_t outer, int64_t parts)
{
    const int64_t high = ocl_tile_high(t, m), wide = ocl_tile_wide(t, n);
    const double made = (double)(high * t->side_v * t->rows) * (double)(wide * t->side_u * t->cols);
    const double groups = (double)high * (double)wide * (double)outer * (double)parts;
    const double wanted = (double)context->defaults.groups;
    return (double)m * (double)n / made * (groups < wanted ? groups / wanted : 1);
}

int ocl_tile_number(const char *text, int32_t *number)
{
    *number = text[0] >= '0' && text[0] < '0' + OCL_TILES && !text[1] ? text[0] - '0' : -1;
    return *number >= 0;
}

ocl_tile ocl_tile_choose(const tn_context *context, int32_t dtype, int64_t m, int64_t n, int64_t outer, int64_t parts)
{
    ocl_tile best = {1, 1, 4, 4, 16}; /* for devices without work-groups to speak of */
    double most = 0;
    if (context->tile >= 0 && fits(context, &tiles[context->tile], dtype)) return tiles[context->tile];
    for (int i = 0; i < OCL_TILES; i++) {
        const double this = fits(context, &tiles[i], dtype)
                                ? context->defaults.share[i] * rate(context, &tiles[i], m, n, outer, parts)
                                : 0;
        if (this > most) most = this, best = tiles[i];
    }
    return best;
}

void ocl_tile_write(ocl_text *text, const ocl_tile *t, int32_t dtype)
{
    ocl_textf(
        text,
        "#define SIDE_U %d\n#define SIDE_V %d\n#define ROWS %d\n#define COLS %d\n#define DEEP %d\n#define V4 %s4\n%s%s",
        t->side_u, t->side_v, t->rows, t->cols, deep(t, dtype), ocl_type_name(dtype), ocl_cl_bring, ocl_cl_tile_gpu);
}

ocl_tile ocl_tile_of(const ocl_choice *choice)
{
    return (ocl_tile){ocl_value(choice, "u"), ocl_value(choice, "v"), ocl_value(choice, "rows"),
                      ocl_value(choice, "cols"), ocl_value(choice, "deep")};
}

ocl_choice ocl_tile_choice(const char *family, const ocl_tile *t, int64_t parts)
{
    ocl_choice choice = {.family = ocl_family_named(family)};
    const int64_t value[] = {t->side_u, t->side_v, t->rows, t->cols, t->deep, parts};
    const char *const name[] = {"u", "v", "rows", "cols", "deep", "parts"};
    for (size_t i = 0; i < sizeof value / sizeof *value; i++) ocl_set_value(&choice, name[i], value[i]);
    return choice;
}

/* Elements that a work-item brings are whole numbers, and rows of the product fit where the factors lay; registers, at
 * a guess, are no more than a work-item may have, nor those of a work-group more than a unit has. */
static int can_be(const ocl_tile *t, int64_t depth)
{
    const int64_t items = t->side_u * t->side_v, high = t->side_v * t->rows / 4 + 1, wide = t->side_u * t->cols / 4 + 1;
    const int64_t bring_m = depth * t->rows / t->side_u, bring_n = depth * t->cols / t->side_v;
    const int64_t registers = t->rows * t->cols + t->rows + t->cols + 2 * (bring_m + bring_n) + 32;
    return depth * t->rows % t->side_u == 0 && depth * t->cols % t->side_v == 0 &&
           t->side_v * wide <= 2 * depth * (high + wide) && registers <= 200 && registers * items <= 65536;
}

double ocl_tile_promise(const tn_context *context, const ocl_tile *t, int32_t dtype, int64_t m, int64_t n, int64_t k,
                        int64_t outer, int64_t parts)
{
    const double mix = (double)(4 * t->rows * t->cols) / (t->rows + t->cols), items = t->side_u * t->side_v;
    if (!fits(context, t, dtype) || !can_be(t, deep(t, dtype)) || (parts > 1 && k < 2 * parts * t->deep)) return 0;
    return rate(context, t, m, n, outer, parts) * (mix / (mix + 4)) * (items / (items + 64)) * (double)k /
           (double)(k + 8 * (parts - 1) + t->deep);
}
