/* lanes.c: several runs of one program under way at once: each lane has temporary memory, scalars and bound launches of
 * its own. The current one's lie in the program itself. */
#include <string.h>

#include "error.h"
#include "given.h"
#include "plain.h"
#include "program.h"

static void keep(const tn_program *p, tn_lane *lane)
{
    *lane = (tn_lane){.prepared = p->prepared, .scalar = p->scalar, .moves = p->moves};
    for (int i = 0; i < TN_PLACES; i++) lane->arena[i] = p->place[i].arena;
}

static void take(tn_program *p, const tn_lane *lane)
{
    p->prepared = lane->prepared;
    p->scalar = lane->scalar;
    p->moves = lane->moves;
    for (int i = 0; i < TN_PLACES; i++) p->place[i].arena = lane->arena[i];
}

tn_status tn_program_lane(tn_program *p, uint32_t lane)
{
    TN_GIVEN_AS("program", p);
    TN_REQUIRE(lane < p->lanes || !lane, TN_EINVAL, "lane %u of a program that has %u", lane, p->lanes ? p->lanes : 1);
    if (lane == p->at_lane) return TN_OK;
    keep(p, &p->lane[p->at_lane]);
    take(p, &p->lane[lane]);
    p->at_lane = lane;
    return TN_OK;
}

static void release(tn_program *p)
{
    for (uint32_t i = 0; p->prepared && i < p->ir.launches; i++) {
        tn_prepared *r = &p->prepared[i];
        if (r->written) r->place->device->backend->event_destroy(r->written);
    }
    for (int i = 0; i < TN_PLACES; i++)
        if (p->place[i].device) tn_banks_free(p->place[i].device, &p->place[i].arena);
    tn_free(p->prepared);
    tn_free(p->scalar);
}

/* One more. Its scalars are as those of the current one. */
static tn_status add(tn_program *p)
{
    tn_lane *now = &p->lane[p->at_lane];
    keep(p, now);
    take(p, &(tn_lane){0});
    tn_status s = tn_program_allocate_arenas(p);
    if (!s) s = tn_program_bind_lane(p);
    if (s)
        release(p);
    else {
        memcpy(p->scalar, now->scalar, p->ir.slots * sizeof *p->scalar);
        keep(p, &p->lane[p->lanes++]);
    }
    take(p, now);
    return s;
}

static tn_status check_room(const tn_program *p, uint64_t more)
{
    char text[120];
    for (int i = 0; i < TN_PLACES; i++) {
        const uint64_t bytes = more * (i ? p->ir.place_bytes[i] : p->ir.arena_bytes);
        tn_snprintf(text, sizeof text, "the network, %.1f MiB more for the shards that it works on at once,",
                    (double)bytes / (1 << 20));
        if (p->place[i].device) TN_TRY(tn_device_has_room(p->place[i].device, bytes, text));
    }
    return TN_OK;
}

tn_status tn_program_lanes(tn_program *p, uint32_t lanes)
{
    TN_GIVEN_AS("program", p);
    if (lanes <= (p->lanes ? p->lanes : 1)) return TN_OK;
    TN_TRY(check_room(p, lanes - (p->lanes ? p->lanes : 1)));
    TN_TRY(tn_grow(&p->lane, &p->lane_room, lanes, sizeof *p->lane));
    if (!p->lanes) p->lanes = 1;
    while (p->lanes < lanes) TN_TRY(add(p));
    return TN_OK;
}

void tn_program_free_lanes(tn_program *p)
{
    release(p);
    for (uint32_t i = 0; i < p->lanes; i++) {
        if (i == p->at_lane) continue;
        take(p, &p->lane[i]);
        release(p);
    }
    tn_free(p->lane);
}
