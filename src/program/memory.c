/* memory.c: a program's memory: its inputs, and an arena on each place. Either is as many buffers as it takes, none of
 * them larger than the device's largest, and no value crosses from one into the next. */
#include <stdio.h>

#include "error.h"
#include "plain.h"
#include "program.h"

/* One more bank, all zeros. */
static tn_status add_bank(const tn_place_device *place, uint64_t bytes, tn_banks *banks)
{
    TN_MESSAGE(msg);
    const tn_device *device = place->device;
    tn_buffer *buffer = NULL;
    uint64_t zero = 0;
    TN_TRY(tn_grow(&banks->buffer, &banks->capacity, banks->count + 1, sizeof *banks->buffer));
    TN_TRY(tn_buffer_make(device, bytes, &buffer));
    banks->buffer[banks->count++] = buffer;
    banks->bytes += bytes;
    int32_t code = device->backend->fill(place->queue, (tn_ref){buffer, 0}, bytes, &zero, sizeof zero, &msg);
    if (!code) code = device->backend->queue_sync(place->queue, &msg);
    return tn_device_status(device, code, &msg);
}

/* Never without a buffer: tensors without elements lie somewhere, too. */
static tn_status allocate(const tn_place_device *place, uint64_t bytes, uint64_t bank, tn_banks *banks)
{
    uint64_t room = (bytes + !bytes + 63) / 64 * 64;
    banks->size = bank;
    for (uint64_t done = 0; done < room; done += bank)
        TN_TRY(add_bank(place, room - done < bank ? room - done : bank, banks));
    return TN_OK;
}

/* What the value is, for people: an input, the result of an operator, its scratch memory; and the node, if any. */
static const char *describe(const tn_program *p, const tn_value *value, char *text, size_t capacity, tn_origin *origin)
{
    snprintf(text, capacity, value->name ? "input '%s'" : "a tensor", value->name);
    for (uint32_t i = 0; i < p->ir.launches; i++) {
        const tn_launch *l = p->ir.launch[i];
        const char *name = l->operation.desc.name;
        int is_result = 0;
        for (uint32_t k = 0; k < l->operation.desc.n_out; k++) is_result |= tn_value_root(l->out[k]) == value;
        if (!is_result && l->scratch != value) continue;
        snprintf(text, capacity, is_result ? "the result of %s" : "the scratch memory of %s", name);
        *origin = l->origin;
    }
    return text;
}

/* Every tensor must fit a buffer of its device. */
static tn_status check_sizes(tn_program *p)
{
    char text[160];
    tn_origin origin = {0};
    for (int i = 0; i < TN_PLACES; i++)
        p->ir.bank[i] = p->place[i].device ? tn_device_bank(p->place[i].device, p->ir.alignment) : p->ir.alignment;
    for (uint32_t i = 0; i < p->ir.values; i++) {
        const tn_value *value = p->ir.value[i];
        int unused = value->home == TN_IN_ARENA && value->first == UINT32_MAX;
        if (value->base || unused || value->home == TN_IN_STATE) continue;
        if (value->bytes <= p->ir.bank[value->place]) continue;
        tn_status s =
            tn_fail(TN_ENOMEM, "%s has %llu bytes, and the largest buffer of %s %llu",
                    describe(p, value, text, sizeof text, &origin), (unsigned long long)value->bytes,
                    tn_device_name(p->place[value->place].device), (unsigned long long)p->ir.bank[value->place]);
        return tn_fail_at(s, &origin);
    }
    return TN_OK;
}

/* Refused before any of it is allocated: a system that gives out more than it has ends the process when it is used.
 * First values are made in the host's memory before there is an arena. */
static tn_status check_room(const tn_program *p, uint64_t staging)
{
    char text[160];
    const tn_place_device *own = &p->place[0];
    const int is_first = !p->state->chunks || !p->state->chunk[0].buffer;
    uint64_t state = tn_state_planned(p->state), program = p->ir.arena_bytes + own->input_bytes;
    int shares = own->device->info.kind == TN_DEVICE_CPU; /* the host's memory */
    uint64_t most = shares && staging > program ? staging : program;
    tn_snprintf(text, sizeof text, "%s, %.1f MiB for %s and %.1f MiB to work,",
                is_first ? "the network" : "one more program", (double)state / (1 << 20),
                is_first ? "its weights and what is kept with them" : "what it keeps", (double)most / (1 << 20));
    TN_TRY(tn_device_has_room(own->device, state + most, state ? text : "the program"));
    if (!shares && staging) TN_TRY(tn_host_has_room(staging, "making first values"));
    for (int i = 1; i < TN_PLACES; i++)
        if (p->place[i].device) TN_TRY(tn_device_has_room(p->place[i].device, p->ir.place_bytes[i], "the program"));
    return TN_OK;
}

tn_status tn_program_plan(tn_program *p, uint64_t staging)
{
    uint64_t *inputs = &p->place[0].input_bytes;
    TN_TRY(check_sizes(p));
    TN_TRY(tn_plan_memory(&p->ir));
    for (uint32_t i = 0; i < p->ir.values; i++) {
        tn_value *value = p->ir.value[i];
        if (value->base || value->home != TN_IN_INPUT) continue;
        p->unfed++;
        value->offset = tn_ir_in_bank(&p->ir, 0, *inputs, value->bytes);
        *inputs = value->offset + (value->bytes + p->ir.alignment - 1) / p->ir.alignment * p->ir.alignment;
    }
    return check_room(p, staging);
}

tn_status tn_program_allocate_arenas(tn_program *p)
{
    TN_TRY(allocate(&p->place[0], p->ir.arena_bytes, p->ir.bank[0], &p->place[0].arena));
    for (int i = 1; i < TN_PLACES; i++)
        if (p->place[i].device) TN_TRY(allocate(&p->place[i], p->ir.place_bytes[i], p->ir.bank[i], &p->place[i].arena));
    p->report.arena_planned += p->ir.arena_bytes;
    p->report.arena_actual += p->place[0].arena.bytes;
    return TN_OK;
}

tn_status tn_program_allocate(tn_program *p)
{
    TN_TRY(allocate(&p->place[0], p->place[0].input_bytes, p->ir.bank[0], &p->place[0].inputs));
    TN_TRY(tn_program_allocate_arenas(p));
    for (uint32_t i = 0; i < p->state->chunks; i++) p->report.state_bytes += p->state->chunk[i].size;
    return TN_OK;
}

/* What has no bytes may begin where the last bank ends. */
static tn_ref in_banks(const tn_banks *banks, uint64_t offset)
{
    uint64_t number = offset / banks->size;
    if (number >= banks->count) number = banks->count - 1;
    return (tn_ref){banks->buffer[number], offset - number * banks->size};
}

tn_ref tn_program_ref(const tn_program *p, tn_value *value)
{
    const tn_value *root = tn_value_root(value);
    const tn_place_device *place = &p->place[root->place];
    uint64_t at = tn_value_at(value);
    if (root->home == TN_IN_ARENA) return in_banks(&place->arena, root->offset + at);
    if (root->home == TN_IN_INPUT) return in_banks(&place->inputs, root->offset + at);
    const tn_state_tensor *t = tn_state_get(p->state, root->name);
    return (tn_ref){p->state->chunk[t->chunk].buffer, t->offset + at};
}

void tn_banks_free(const tn_device *device, tn_banks *banks)
{
    while (banks->count) device->backend->buffer_destroy(banks->buffer[--banks->count]);
    tn_free(banks->buffer);
}
