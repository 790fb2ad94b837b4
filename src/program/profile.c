/* profile.c: how long each launch of a program takes: by the device's own clock where its backend tells, else by the
 * host's, which then waits for each. */
#include "profile.h"

#include <stdio.h>

#include "alloc.h"
#include "clock.h"
#include "error.h"
#include "given.h"

static const tn_ext_observe *observer(const tn_place_device *place)
{
    const tn_ext_observe *ext = place->device ? tn_backend_extension(place->device->backend, TN_EXT_OBSERVE) : NULL;
    return ext && TN_HAS(tn_ext_observe, ext, spans_take) && ext->spans_record && ext->spans_take ? ext : NULL;
}

static tn_status record(tn_program *p, int place, uint32_t capacity)
{
    TN_MESSAGE(msg);
    tn_place_device *at = &p->place[place];
    const tn_ext_observe *ext = p->profile->observe[place];
    return ext ? tn_device_status(at->device, ext->spans_record(at->queue, capacity, &msg), &msg) : TN_OK;
}

/* ---- a run ---- */

tn_status tn_profile_begin(tn_program *p)
{
    for (int i = 0; i < TN_PLACES; i++) TN_TRY(record(p, i, p->profile->turns));
    return TN_OK;
}

static void add(tn_profile *profile, uint32_t launch, double seconds)
{
    profile->seconds[launch] += seconds;
    profile->runs[launch]++;
}

tn_status tn_profile_launch(tn_program *p, tn_turn turn)
{
    if (p->profile->observe[p->ir.launch[turn.launch]->place]) return tn_program_run_launch(p, turn);
    const double begun = tn_now();
    TN_TRY(tn_program_run_launch(p, turn));
    TN_TRY(tn_program_sync(p));
    add(p->profile, turn.launch, tn_now() - begun);
    return TN_OK;
}

/* The spans of the launches that ran on one place, in their order: a span's number counts those. */
static tn_status take(tn_program *p, int place, uint32_t begin, uint32_t end)
{
    TN_MESSAGE(msg);
    tn_profile *profile = p->profile;
    const tn_place_device *at = &p->place[place];
    uint32_t count = 0, k = 0;
    uint64_t number = 0;
    int32_t code = profile->observe[place]->spans_take(at->queue, profile->span, profile->turns, &count, &msg);
    TN_TRY(tn_device_status(at->device, code, &msg));
    TN_REQUIRE(count <= profile->turns, TN_EDEVICE, "%s: its backend gives %u spans where there is room for %u",
               at->device->name, count, profile->turns);
    for (tn_turn turn = {begin, 0}; turn.launch < end && k < count; turn = tn_turn_after(&p->ir, turn)) {
        const tn_launch *l = p->ir.launch[turn.launch];
        if (l->transfer || l->place != place) continue;
        const tn_span *span = &profile->span[k];
        if (span->number == number) add(profile, turn.launch, 1e-9 * (double)(span->end - span->begin)), k++;
        number++;
    }
    return TN_OK;
}

tn_status tn_profile_end(tn_program *p, uint32_t begin, uint32_t end)
{
    TN_TRY(tn_program_sync(p));
    for (int i = 0; i < TN_PLACES; i++)
        if (p->profile->observe[i]) TN_TRY(take(p, i, begin, end));
    return TN_OK;
}

/* ---- on and off ---- */

void tn_profile_free(tn_program *p)
{
    if (!p->profile) return;
    for (int i = 0; i < TN_PLACES; i++) {
        tn_status ignored = record(p, i, 0);
        (void)ignored;
    }
    tn_free(p->profile->seconds);
    tn_free(p->profile->runs);
    tn_free(p->profile->span);
    tn_free(p->profile);
    p->profile = NULL;
}

tn_status tn_program_profile(tn_program *p, uint32_t on)
{
    TN_GIVEN_AS("program", p);
    const size_t n = p->ir.launches + 1;
    uint32_t turns = 0;
    for (uint32_t i = 0; i < p->ir.launches; i++) turns += tn_launch_rounds(p->ir.launch[i]);
    TN_TRY(tn_program_sync(p));
    tn_profile_free(p);
    if (!on) return TN_OK;
    tn_profile *profile = tn_alloc(sizeof *profile);
    if (!profile) return TN_ENOMEM;
    p->profile = profile;
    profile->turns = turns;
    profile->seconds = tn_alloc(n * sizeof *profile->seconds);
    profile->runs = tn_alloc(n * sizeof *profile->runs);
    profile->span = tn_alloc((turns + 1) * sizeof *profile->span);
    tn_status s = profile->seconds && profile->runs && profile->span ? TN_OK : TN_ENOMEM;
    for (int i = 0; i < TN_PLACES; i++) profile->observe[i] = observer(&p->place[i]);
    if (!s) s = tn_profile_begin(p);
    if (s) tn_profile_free(p);
    return s;
}

/* ---- what was measured ---- */

/* "f32 (128, 100)" of the first output, and how many there are besides. */
static void tell_result(const tn_launch *l, char *text, size_t room)
{
    char shape[160], more[24] = "";
    const uint32_t others = l->operation.desc.n_out - 1;
    if (others) snprintf(more, sizeof more, " +%u", others);
    snprintf(text, room, "%s %s%s", tn_dtype_name(l->out[0]->type.dtype),
             tn_shape_text(&l->out[0]->type.shape, shape, sizeof shape), more);
}

int tn_program_profile_at(const tn_program *p, uint32_t index, tn_launch_profile *launch)
{
    if (!p || !p->profile || !launch || index >= p->ir.launches) return 0;
    const tn_launch *l = p->ir.launch[index];
    *launch = (tn_launch_profile){.op = l->operation.desc.name,
                                  .device = p->place[l->place].device->name,
                                  .runs = p->profile->runs[index] / tn_launch_rounds(l),
                                  .seconds = p->profile->seconds[index],
                                  .flops = l->cost.flops,
                                  .bytes = l->cost.bytes,
                                  .by_host = !p->profile->observe[l->place],
                                  .choice = l->choice ? l->choice : ""};
    tell_result(l, launch->result, sizeof launch->result);
    return 1;
}
