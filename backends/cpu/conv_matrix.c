/* conv_matrix.c: conv2d, and conv2d_data where it is turned round, by matrix units (amx_conv.c): when they are ahead,
 * what is packed where, and the tiles of a picture. A picture or weights that the units can't take go the usual way. */
#include "conv.h"
#include "matrix.h"

#include <string.h>

/* Groups of 16 pixels: within rows of the result, where these are whole groups; else of all that lie side by side in
 * the padded picture, of which those between two rows of the result are left out. */
static int in_rows(const conv_kernel *k)
{
    return k->q % 16 == 0;
}

static int64_t count_groups(const conv_kernel *k)
{
    return round_up(in_rows(k) ? k->pixels / 16 : ((k->p - 1) * k->wp + k->q + 15) / 16, 2);
}

void cpu_conv_choose_units(conv_kernel *k, uint32_t level, double grain)
{
    static const int64_t least[] = {32, 16, 16}; /* filters */
    if (!cpu_code->conv || k->size != 4 || k->c % 16 || k->stride[0] != 1 || k->stride[1] != 1 || k->dilation[1] != 1)
        return;
    if ((double)k->k < (double)least[level] * grain || k->pixels == 0 || k->taps == 0) return;
    k->units = cpu_code->matrix + level, k->unit_conv = cpu_code->conv + level;
    k->window = (cpu_conv_window){k->c, k->r, k->s, 2 * k->dilation[0] * k->wp * k->c,
                                  round_up(2 * (k->hp * k->wp + 16) * k->c + CPU_ALIGN, CPU_ALIGN)};
    k->groups_of_16 = count_groups(k);
}

int64_t cpu_conv_unit_weights(const conv_kernel *k)
{
    const cpu_matrix *g = k->units;
    return round_up(k->k, g->wide) * k->r * round_up(k->s * k->c, g->deep) * g->bytes + CPU_ALIGN;
}

int64_t cpu_conv_unit_picture(const conv_kernel *k)
{
    return k->window.part * k->units->parts;
}

/* The largest exponent lies behind packed weights. */
static int32_t *exponent_of(const conv_kernel *k, const char *packed)
{
    return (int32_t *)(void *)(uintptr_t)(packed + cpu_conv_unit_weights(k) - CPU_ALIGN);
}

void cpu_conv_pack_units(const conv_kernel *k, const char *weight, char *to)
{
    *exponent_of(k, to) = k->unit_conv->pack(&k->window, k->k, (const float *)(const void *)weight, to);
}

/* Pixel (h, w) of the result is that whose window begins there in the padded picture. */
void cpu_conv_list_groups(const conv_kernel *k, cpu_pixels *group)
{
    const int64_t width = in_rows(k) ? k->q : k->wp, all = in_rows(k) ? k->pixels : (k->p - 1) * k->wp + k->q;
    for (int64_t i = 0; i < k->groups_of_16 * 16; i++) {
        cpu_pixels *g = &group[i / 16];
        const int64_t h = i / width, w = i % width;
        if (i % 16 == 0) *g = (cpu_pixels){i < all ? 2 * (h * k->wp + w) * k->c : 0, h * k->q + min_of(w, k->q), 0};
        if (i < all && w < k->q) g->there = (uint16_t)(g->there | 1u << i % 16);
    }
}

int cpu_conv_run_units(const conv_kernel *k, const char *picture, const char *packed, char *work, char *y,
                       int64_t begin, int64_t end)
{
    const int64_t panel = (cpu_conv_unit_weights(k) - CPU_ALIGN) / (round_up(k->k, k->units->wide) / k->units->wide);
    const int32_t top =
        k->unit_conv->split(k->c, k->hp * k->wp, (const float *)(const void *)picture, work, k->window.part);
    if (!cpu_matrix_fits(top, *exponent_of(k, packed), k->taps)) return 0;
    for (int p = 0; p < k->units->parts; p++) /* what a tile's rows reach behind the last pixel */
        memset(work + p * k->window.part + 2 * k->hp * k->wp * k->c, 0, CPU_ALIGN);
    for (int64_t j = 0; j < k->k; j += k->units->wide)
        for (int64_t i = begin; i < end; i++)
            k->unit_conv->tile(&k->window, work, k->group + 2 * i, packed + j / k->units->wide * panel,
                               min_of(k->units->wide, k->k - j), (float *)(void *)y + j * k->pixels, k->pixels);
    return 1;
}
