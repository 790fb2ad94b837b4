/* run.c: running a program: a loop over prepared launches. Nothing is allocated; the host waits only where a value
 * crosses from one device to another. */
#include <math.h>
#include <string.h>

#include "error.h"
#include "final.h"
#include "given.h"
#include "profile.h"

static tn_status sync_queue(const tn_place_device *place)
{
    TN_MESSAGE(msg);
    return tn_device_status(place->device, place->device->backend->queue_sync(place->queue, &msg), &msg);
}

tn_status tn_program_sync(tn_program *p)
{
    tn_status s = TN_OK;
    for (int i = 0; i < TN_PLACES; i++)
        if (p->place[i].device && p->place[i].queue) {
            tn_status now = sync_queue(&p->place[i]);
            if (!s) s = now;
        }
    return s;
}

static int is_called(const tn_scalar_slot *slot, const char *name)
{
    return slot->name && !strcmp(slot->name, name);
}

void tn_program_set_slot(tn_program *p, uint32_t number, double value)
{
    int32_t dtype = p->ir.slot[number].dtype;
    int is_real = dtype == TN_F32 || dtype == TN_F64; /* computed in f64 if the graph was widened */
    if (!is_real) value = tn_kept_as(dtype, value);
    if (tn_map_compute_type(dtype) == TN_I32)
        p->scalar[number].i = (int64_t)value;
    else
        p->scalar[number].f = value;
}

/* The state's own numbers, then the expressions of scalars. */
static void set_scalars(tn_program *p)
{
    double value[TN_MAX_OPERANDS + TN_MAX_INSTRS];
    int64_t nowhere[TN_MAX_RANK] = {0};
    tn_scalar arg[TN_MAX_OPERANDS];
    for (uint32_t i = 0; i < p->ir.slots; i++) {
        const uint64_t *own = p->own[i];
        if (own && p->ir.slot[i].dtype == TN_I32)
            p->scalar[i].i = (int64_t)*own;
        else if (own)
            p->scalar[i].f = (double)*own;
    }
    for (uint32_t i = 0; i < p->ir.slots; i++) {
        const tn_scalar_slot *slot = &p->ir.slot[i];
        if (!slot->program.n_instr) continue;
        for (uint32_t k = 0; k < slot->program.n_scalar; k++) arg[k] = p->scalar[slot->arg[k]];
        tn_map_evaluate(&slot->program, arg, 0, nowhere, value);
        tn_program_set_slot(p, i, value[slot->program.out[0]]);
    }
}

/* Of the elements of input 1 that a launch keeps something of for other runs; 0: nobody knows. */
static uint64_t version_of(const tn_program *p, const tn_launch *l)
{
    return l->stays == TN_STAYS_FOR_GOOD ? 1 : tn_state_version(p->state);
}

/* Operands begin with that sample. */
static void go_to(tn_prepared *r, int64_t sample)
{
    const tn_launch *l = r->launch;
    const uint64_t further = (uint64_t)(sample - r->sample);
    for (uint32_t i = 0; i < l->operation.desc.n_in && further; i++) r->in[i].offset += further * tn_in_step(l, i);
    for (uint32_t i = 0; i < l->operation.desc.n_out && further; i++) r->out[i].offset += further * tn_out_step(l, i);
    r->sample = sample;
}

tn_status tn_program_run_launch(tn_program *p, tn_turn turn)
{
    TN_MESSAGE(msg);
    tn_prepared *r = &p->prepared[turn.launch];
    const tn_device *device = r->place->device;
    const int fills = r->launch->stays && r->launch->keeper == r->launch;
    const uint64_t version = fills ? version_of(p, r->launch) : 0;
    for (uint32_t i = 0; i < r->launch->n_scalar; i++) r->scalar[i] = p->scalar[r->launch->slot[i]];
    if (r->launch->keeper == r->launch) r->run.is_kept = turn.round || (version && r->filled == version);
    go_to(r, tn_turn_sample(&p->ir, turn));
    int32_t code = device->backend->op_run(r->place->queue, r->launch->kernel, &r->run, &msg);
    if (code) return tn_fail_at(tn_device_status(device, code, &msg), &r->launch->origin);
    r->filled = version;
    return TN_OK;
}

/* Host waits of the state's queue, by the backend's own count. */
static uint64_t waits(const tn_program *p)
{
    tn_queue_stats stats = {.size = sizeof stats};
    return p->state->device->backend->queue_stats(p->state->queue, &stats, NULL) ? 0 : stats.host_waits;
}

/* The points that `done` launches have come to. */
static tn_status pass(const tn_watch *watch, uint32_t *point, uint32_t done)
{
    while (watch && *point < watch->count && watch->after[*point] <= done) TN_TRY(watch->reach(watch->arg, (*point)++));
    return TN_OK;
}

/* Or the transfers that begin with it; then the turn is that of what follows. */
static tn_status run_turn(tn_program *p, tn_turn *turn, uint32_t end)
{
    uint32_t count = 0;
    if (p->ir.launch[turn->launch]->transfer) {
        TN_TRY(tn_program_transfer(p, turn->launch, end, &count));
        turn->launch += count;
        return TN_OK;
    }
    TN_TRY(p->profile ? tn_profile_launch(p, *turn) : tn_program_run_launch(p, *turn));
    *turn = tn_turn_after(&p->ir, *turn);
    return TN_OK;
}

/* How many launches are done for good: those that come again are not. */
static uint32_t done_before(const tn_program *p, tn_turn turn)
{
    const tn_depth *depth = turn.launch < p->ir.launches ? p->ir.launch[turn.launch]->depth : NULL;
    return depth ? depth->first : turn.launch;
}

/* Launches begin .. end - 1; what comes before the first is done first. */
static tn_status run_launches(tn_program *p, uint32_t begin, uint32_t end, const tn_watch *watch)
{
    uint32_t point = 0;
    tn_turn turn = {begin, 0};
    p->state->version += p->changes_state;
    if (!begin) {
        if (p->moves != p->state->moves) tn_program_find_operands(p);
        tn_program_count_steps(p);
        set_scalars(p);
    }
    if (p->profile) TN_TRY(tn_profile_begin(p));
    TN_TRY(pass(watch, &point, begin));
    while (turn.launch < end && !(watch && watch->ends && point == watch->count)) {
        TN_TRY(run_turn(p, &turn, end));
        TN_TRY(pass(watch, &point, done_before(p, turn)));
    }
    return p->profile ? tn_profile_end(p, begin, turn.launch) : TN_OK;
}

static tn_status check_fed(tn_program *p)
{
    for (uint32_t i = 0; p->unfed && i < p->ir.values; i++) {
        const tn_value *value = p->ir.value[i];
        if (value->base || value->home != TN_IN_INPUT || !value->bytes) continue;
        TN_REQUIRE(value->fed, TN_ESTATE, "input '%s' has not been filled: tn_feed comes before a run", value->name);
    }
    p->unfed = 0;
    return TN_OK;
}

static tn_status run_counted(tn_program *p, uint32_t begin, uint32_t end, const tn_watch *watch)
{
    TN_MESSAGE(msg);
    uint64_t allocated = tn_allocations(), waited = waits(p), counted = p->report.run_host_waits;
    if (!begin) TN_TRY(check_fed(p));
    TN_TRY(run_launches(p, begin, end, watch));
    TN_TRY(tn_device_status(p->state->device, p->state->device->backend->queue_flush(p->state->queue, &msg), &msg));
    uint64_t own = waits(p) - waited;
    if (p->report.run_host_waits - counted < own) p->report.run_host_waits = counted + own;
    p->report.run_allocations += tn_allocations() - allocated;
    if (end < p->ir.launches) return TN_OK;
    p->report.runs++;
    tn_program_advance(p);
    return TN_OK;
}

static uint32_t begin_of(const tn_program *p, uint32_t part)
{
    return part ? p->crossing[part - 1] + 1 : 0;
}

tn_status tn_program_run_watched(tn_program *p, const tn_watch *watch)
{
    return run_counted(p, begin_of(p, watch ? watch->part : 0), p->ir.launches, watch);
}

tn_status tn_program_run(tn_program *p)
{
    TN_GIVEN_AS("program", p);
    return tn_program_run_watched(p, NULL);
}

/* ---- in parts ---- */

uint32_t tn_program_parts(const tn_program *p)
{
    return p ? p->crossings + 1 : 0;
}

tn_status tn_program_run_part(tn_program *p, uint32_t part)
{
    TN_GIVEN_AS("program", p);
    TN_REQUIRE(part <= p->crossings, TN_EINVAL, "part %u of a program that has %u", part, p->crossings + 1);
    return run_counted(p, begin_of(p, part), part < p->crossings ? p->crossing[part] : p->ir.launches, NULL);
}

uint64_t tn_program_crossing(const tn_program *p, uint32_t part, int32_t *dtype)
{
    const tn_value *value = p && part < p->crossings ? p->ir.launch[p->crossing[part]]->in[0] : NULL;
    if (value && dtype) *dtype = value->type.dtype;
    return value ? value->bytes : 0;
}

/* The launch behind that part, which has so many bytes. */
static tn_status find_crossing(const tn_program *p, uint32_t part, uint64_t bytes, tn_prepared **found)
{
    TN_REQUIRE(part < p->crossings, TN_EINVAL, "nothing crosses after part %u of a program that has %u", part,
               p->crossings + 1);
    TN_REQUIRE(bytes == tn_program_crossing(p, part, NULL), TN_ESHAPE, "%llu bytes cross after part %u, not %llu",
               (unsigned long long)tn_program_crossing(p, part, NULL), part, (unsigned long long)bytes);
    *found = &p->prepared[p->crossing[part]];
    return TN_OK;
}

tn_status tn_program_crossed(tn_program *p, uint32_t part, void *data, uint64_t bytes)
{
    TN_GIVEN_AS("program, data", p, data);
    TN_MESSAGE(msg);
    tn_prepared *r = NULL;
    TN_TRY(find_crossing(p, part, bytes, &r));
    const tn_device *device = r->place->device;
    TN_TRY(tn_device_status(device, device->backend->read(r->place->queue, data, r->run.in[0], bytes, &msg), &msg));
    p->report.bytes_from_device += bytes;
    return sync_queue(r->place);
}

tn_status tn_program_cross(tn_program *p, uint32_t part, const void *data, uint64_t bytes)
{
    TN_GIVEN_AS("program, data", p, data);
    TN_MESSAGE(msg);
    tn_prepared *r = NULL;
    TN_TRY(find_crossing(p, part, bytes, &r));
    const tn_device *device = r->place->device;
    p->report.bytes_to_device += bytes;
    return tn_device_status(device, device->backend->write(r->place->queue, r->run.out[0], data, bytes, &msg), &msg);
}

tn_status tn_wait(tn_program *p)
{
    TN_GIVEN_AS("program", p);
    return tn_program_sync(p);
}

/* As a cast would have it. */
static double to_i32(double value)
{
    return isnan(value) ? 0 : fmin(fmax(value, INT32_MIN), INT32_MAX);
}

tn_status tn_set(tn_program *p, const char *name, double value)
{
    TN_GIVEN_AS("program, scalar", p, name);
    int found = 0;
    TN_REQUIRE(!tn_program_own_number(p, name), TN_EINVAL, "the state sets '%s' itself", name);
    for (uint32_t i = 0; i < p->ir.slots; i++) {
        if (!is_called(&p->ir.slot[i], name)) continue;
        tn_program_set_slot(p, i, p->ir.slot[i].dtype == TN_I32 ? to_i32(value) : value);
        found = 1;
    }
    TN_REQUIRE(found, TN_EMISSING, "no scalar input '%s' in the program", name);
    return TN_OK;
}

tn_value *tn_program_input(const tn_program *p, const char *name)
{
    for (uint32_t i = 0; i < p->ir.values; i++) {
        tn_value *value = p->ir.value[i];
        if (!value->base && value->home == TN_IN_INPUT && !value->is_constant && !strcmp(value->name, name))
            return value;
    }
    return NULL;
}

tn_status tn_feed(tn_program *p, const char *name, const void *data, uint64_t bytes)
{
    TN_GIVEN_AS("program, input, data", p, name, data);
    TN_MESSAGE(msg);
    tn_value *value = tn_program_input(p, name);
    const tn_port *port = tn_program_declared(p, name);
    TN_REQUIRE(port, TN_EMISSING, "no input '%s' in the program", name);
    uint64_t whole = (uint64_t)tn_shape_count(&port->shape) * tn_dtype_size(port->dtype);
    TN_REQUIRE(bytes == whole, TN_ESHAPE, "input '%s' has %llu bytes, not %llu", name, (unsigned long long)whole,
               (unsigned long long)bytes);
    if (!value) return TN_OK; /* nothing depends on it */
    const tn_place_device *home = &p->place[0];
    TN_TRY(tn_device_status(
        home->device, home->device->backend->write(home->queue, tn_program_ref(p, value), data, bytes, &msg), &msg));
    p->report.bytes_to_device += bytes;
    value->fed = 1;
    return sync_queue(home);
}

tn_status tn_fetch(tn_program *p, const char *name, void *data, uint64_t bytes)
{
    TN_GIVEN_AS("program, output, data", p, name, data);
    TN_MESSAGE(msg);
    for (uint32_t i = 0; i < p->ir.outputs; i++) {
        tn_value *value = p->ir.output[i].value;
        if (strcmp(p->ir.output[i].name, name)) continue;
        TN_REQUIRE(bytes == value->bytes, TN_ESHAPE, "output '%s' has %llu bytes, not %llu", name,
                   (unsigned long long)value->bytes, (unsigned long long)bytes);
        TN_REQUIRE(p->report.runs, TN_ESTATE, "output '%s' is not there yet: tn_program_run comes before tn_fetch",
                   name);
        const tn_place_device *home = &p->place[0];
        TN_TRY(tn_device_status(
            home->device, home->device->backend->read(home->queue, data, tn_program_ref(p, value), bytes, &msg), &msg));
        p->report.bytes_from_device += bytes;
        return tn_program_sync(p);
    }
    return tn_fail(TN_EMISSING, "no output '%s' in the program", name);
}

void tn_program_get_report(const tn_program *p, tn_program_report *report)
{
    if (p && report) *report = p->report;
}
