/* tune.c: the operators of a program that its state's device may tune. */
#include "error.h"
#include "given.h"
#include "program.h"
#include "text.h"
#include "tuner.h"

tn_status tn_program_tune_kernels(tn_program *p, const tn_tune_options *options)
{
    uint32_t n = 0;
    const tn_op_desc **desc = tn_alloc((p->ir.launches + 1) * sizeof *desc);
    double *flops = tn_alloc((p->ir.launches + 1) * sizeof *flops);
    tn_status s = desc && flops ? TN_OK : TN_ENOMEM;
    for (uint32_t i = 0; i < p->ir.launches && !s; i++) {
        const tn_launch *l = p->ir.launch[i];
        if (l->place || l->transfer) continue;
        desc[n] = &l->operation.desc;
        flops[n++] = l->cost.flops;
    }
    if (!s) s = tn_tune_operators(p->place[0].device, desc, flops, n, options);
    tn_free(flops);
    tn_free(desc);
    return s;
}

tn_status tn_program_note_choice(tn_program *p, tn_launch *l)
{
    TN_MESSAGE(msg);
    char text[TN_TUNE_CHOICE + 16] = "";
    const tn_device *device = p->place[l->place].device;
    const tn_ext_tune *tune = tn_tune_extension(device->backend);
    l->choice = "";
    if (!tune) return TN_OK;
    TN_TRY(tn_device_status(device, tune->chosen(l->kernel, text, sizeof text, &msg), &msg));
    if (!*tn_text_clean(text, sizeof text)) return TN_OK;
    l->choice = tn_region_print(&p->ir.region, "%s", text);
    return l->choice ? TN_OK : TN_ENOMEM;
}

tn_status tn_program_tune(tn_program *p, const tn_tune_options *options)
{
    static const tn_tune_options usual;
    TN_GIVEN_AS("program", p);
    if (!options) options = &usual;
    const tn_device *device = p->place[0].device;
    TN_REQUIRE(device->tuned, TN_EUNSUPPORTED, "%s: its backend has no kernels to choose from", device->name);
    TN_REQUIRE(options->seconds >= 0, TN_EINVAL, "tn_tune_options.seconds is less than 0, or no number");
    TN_TRY(tn_program_sync(p));
    return tn_program_tune_kernels(p, options);
}
