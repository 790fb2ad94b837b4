/* defaults.c: what is chosen for a GPU where nothing was tuned, by its vendor and class (defaults.def). */
#include "opencl.h"

#include <string.h>

enum { OCL_ANY, OCL_INTEGRATED };

#define SHARES(...) __VA_ARGS__
static const struct {
    const char *vendor;
    int32_t class, busy, segment, group, clblast;
    int32_t shares[OCL_TILES];
} rows[] = {
#define DEFAULTS(vendor, class, busy, segment, group, clblast, shares)                                                 \
    {vendor, class, busy, segment, group, clblast, {SHARES shares}},
#include "defaults.def"
#undef DEFAULTS
};

enum { ROWS = sizeof rows / sizeof *rows };

static size_t find_row(const char *vendor, int is_integrated)
{
    size_t i = 0;
    while (!strstr(vendor, rows[i].vendor) || (rows[i].class == OCL_INTEGRATED && !is_integrated)) i++;
    return i;
}

static int32_t require_known(const char *vendor, tn_msg *msg)
{
    int known = !vendor;
    for (size_t i = 0; i < ROWS && !known; i++) known = *vendor && !strcmp(vendor, rows[i].vendor);
    if (known) return TN_OK;
    return ocl_fail(msg, TN_EINVAL, "option opencl.vendor: '%s' is none of NVIDIA, Advanced Micro Devices, Intel",
                    vendor);
}

int32_t ocl_defaults_find(tn_context *context, const char *vendor, tn_msg *msg)
{
    const char *asked = ocl_option("vendor");
    const size_t i = find_row(asked ? asked : context->is_cpu ? "" : vendor, context->unified && !asked);
    ocl_defaults *d = &context->defaults;
    *d = (ocl_defaults){.groups = (int64_t)context->units * rows[i].busy,
                        .segment = rows[i].segment,
                        .group = context->max_group < (size_t)rows[i].group ? 1 : (size_t)rows[i].group,
                        .clblast = 1e6 * rows[i].clblast};
    for (int t = 0; t < OCL_TILES; t++) d->share[t] = 0.01 * rows[i].shares[t];
    return require_known(asked, msg);
}
