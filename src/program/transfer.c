/* transfer.c: values that go from one place to another, by way of the host. Those that go the same way one after
 * another are read together: the host waits once, for what it reads, and for no write. */
#include "error.h"
#include "program.h"

static tn_place_device *source_of(tn_program *p, const tn_launch *l)
{
    return &p->place[tn_value_root(l->in[0])->place];
}

/* How many launches from `begin` on, before `end`, are transfers that go the same way. */
static uint32_t together(tn_program *p, uint32_t begin, uint32_t end)
{
    const tn_launch *first = p->prepared[begin].launch;
    uint32_t i = begin + 1;
    for (; i < end; i++) {
        const tn_launch *l = p->prepared[i].launch;
        if (!l->transfer || l->place != first->place || source_of(p, l) != source_of(p, first)) break;
    }
    return i - begin;
}

static tn_status read_all(tn_program *p, tn_prepared *r, uint32_t count)
{
    TN_MESSAGE(msg);
    const tn_place_device *from = source_of(p, r->launch);
    const tn_backend *backend = from->device->backend;
    for (uint32_t i = 0; i < count; i++) {
        int32_t code = backend->read(from->queue, r[i].staging, r[i].run.in[0], r[i].launch->in[0]->bytes, &msg);
        TN_TRY(tn_device_status(from->device, code, &msg));
    }
    p->report.run_host_waits++;
    return tn_device_status(from->device, backend->queue_sync(from->queue, &msg), &msg);
}

static tn_status write_all(tn_program *p, tn_prepared *r, uint32_t count)
{
    TN_MESSAGE(msg);
    const tn_place_device *to = r->place;
    uint64_t *counted = source_of(p, r->launch) == p->place ? &p->report.bytes_from_device : &p->report.bytes_to_device;
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t bytes = r[i].launch->in[0]->bytes;
        int32_t code = to->device->backend->write(to->queue, r[i].run.out[0], r[i].staging, bytes, &msg);
        TN_TRY(tn_device_status(to->device, code, &msg));
        *counted += bytes;
    }
    return tn_device_status(to->device, to->device->backend->event_record(to->queue, r->written, &msg), &msg);
}

/* The memory between is free once the run before has written what it held; that is over, as a rule. */
tn_status tn_program_transfer(tn_program *p, uint32_t begin, uint32_t end, uint32_t *count)
{
    TN_MESSAGE(msg);
    tn_prepared *first = &p->prepared[begin];
    const tn_device *to = first->place->device;
    *count = together(p, begin, end);
    TN_TRY(tn_device_status(to, to->backend->event_sync(first->written, &msg), &msg));
    TN_TRY(read_all(p, first, *count));
    return write_all(p, first, *count);
}
