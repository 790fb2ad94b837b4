/* staged.c: products by matrix units whose factors go to local memory as they are stored, in stages
 * (cl/matrix_staged.cl), of matrices and of convolutions: which blocks there are, and what fits. No figures choose
 * them: a tuner does, which compares them on the device. */
#include "staged.h"

enum { STEP_BYTES = 32, PIECE_BYTES = 16 };

/* Waves of a work-group, `wide` times as many side by side, `high` below each other if that is given, and products of
 * 16 x 16 of each: with more there are not registers enough. Those for any device, which are for tests, are small. */
static const struct {
    int32_t is_plain, waves_u, waves_v, tiles_m, tiles_n;
} blocks[] = {{1, 1, 2, 2, 2}, {0, 2, 4, 2, 2}};

#define WAVE 32

static size_t block_of(const tn_context *context)
{
    return blocks[0].is_plain == ocl_matrix_is_plain(context) ? 0 : 1;
}

ocl_staged ocl_staged_of(const ocl_choice *choice)
{
    return (ocl_staged){ocl_value(choice, "wide"), ocl_value(choice, "high"), ocl_value(choice, "steps"),
                        ocl_value(choice, "stages")};
}

ocl_choice ocl_staged_choice(const char *family, const ocl_staged *s, int64_t parts)
{
    ocl_choice choice = {.family = ocl_family_named(family)};
    ocl_set_value(&choice, "wide", s->wide);
    ocl_set_value(&choice, "high", s->high);
    ocl_set_value(&choice, "steps", s->steps);
    ocl_set_value(&choice, "stages", s->stages);
    ocl_set_value(&choice, "parts", parts);
    return choice;
}

static int32_t waves_v(const tn_context *context, const ocl_staged *s)
{
    return s->high ? s->high : blocks[block_of(context)].waves_v;
}

ocl_tile ocl_staged_tile(const tn_context *context, const ocl_staged *s, int32_t dtype)
{
    const size_t i = block_of(context);
    return (ocl_tile){blocks[i].waves_u * s->wide * WAVE, waves_v(context, s), blocks[i].tiles_m * 16,
                      blocks[i].tiles_n * 16 / WAVE, s->steps * STEP_BYTES / (int32_t)tn_dtype_size(dtype)};
}

/* Rows of the product, in f32, lie where the factors lay. */
static uint64_t local_bytes(const tn_context *context, const ocl_staged *s)
{
    const size_t i = block_of(context);
    const int64_t waves = waves_v(context, s), high = waves * blocks[i].tiles_m * 16;
    const int64_t wide = blocks[i].waves_u * blocks[i].tiles_n * 16 * s->wide;
    return (uint64_t)ocl_max(s->stages * (high + wide) * s->steps * STEP_BYTES, waves * 64 * (wide + 4));
}

int ocl_staged_fits(const tn_context *context, const ocl_staged *s)
{
    if (!ocl_matrix_has_stages(context)) return 0;
    const size_t i = block_of(context), items = (size_t)(blocks[i].waves_u * s->wide * waves_v(context, s) * WAVE);
    return items <= context->max_group && local_bytes(context, s) <= context->local_memory;
}

int64_t ocl_staged_piece(int32_t dtype)
{
    return PIECE_BYTES / (int64_t)tn_dtype_size(dtype);
}

void ocl_staged_write(ocl_text *text, const tn_context *context, int form, const ocl_staged *s)
{
    const size_t i = block_of(context);
    ocl_matrix_write_staged(text, context, form);
    ocl_textf(text, "#define STAGES %d\n#define STEPS %d\n#define STEP 0\n#define WAVES_U %d\n#define WAVES_V %d\n",
              (int)s->stages, (int)s->steps, (int)(blocks[i].waves_u * s->wide), (int)waves_v(context, s));
    ocl_textf(text, "#define TILES_M %d\n#define TILES_N %d\n#define ITEMS (WAVES_U * WAVES_V * WAVE)\n%s%s%s",
              (int)blocks[i].tiles_m, (int)blocks[i].tiles_n, ocl_cl_matrix, ocl_cl_matrix_block, ocl_cl_matrix_staged);
}
