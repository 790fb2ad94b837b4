/* peek.c: reads of a tensor that nobody waits for: two places in host memory by turns, and an event after each read. */
#include <string.h>

#include "error.h"
#include "given.h"
#include "state.h"

struct tn_peek {
    tn_state *state;
    uint32_t tensor; /* its number in the state, which may move it */
    uint64_t bytes;
    void *place[2]; /* of the last call, and of the one before, by turns */
    tn_event *event;
    uint32_t asked; /* calls so far */
};

static tn_status make(tn_peek *p, const char *name)
{
    TN_MESSAGE(msg);
    const tn_device *device = p->state->device;
    const tn_state_tensor *t = tn_state_get(p->state, name);
    TN_REQUIRE(t, TN_EMISSING, "no tensor '%s' in the state", name);
    p->tensor = (uint32_t)(t - p->state->tensor);
    p->bytes = t->bytes;
    for (int i = 0; i < 2; i++)
        if (!(p->place[i] = tn_alloc(p->bytes + 1))) return TN_ENOMEM;
    return tn_device_status(device, device->backend->event_create(device->context, &p->event, &msg), &msg);
}

tn_status tn_peek_new(tn_state *state, const char *name, tn_peek **peek)
{
    TN_GIVEN(state, name, peek);
    tn_peek *p = tn_alloc(sizeof *p);
    if (!p) return TN_ENOMEM;
    p->state = state;
    tn_status s = make(p, name);
    if (s)
        tn_peek_free(p);
    else
        *peek = p;
    return s;
}

/* The event stands for the read before until the next one is recorded. */
tn_status tn_peek_next(tn_peek *p, const void **data)
{
    TN_GIVEN_AS("peek, data", p, data);
    TN_MESSAGE(msg);
    const tn_device *device = p->state->device;
    const tn_backend *backend = device->backend;
    const tn_state_tensor *t = &p->state->tensor[p->tensor];
    tn_ref from = {p->state->chunk[t->chunk].buffer, t->offset};
    void *now = p->place[p->asked % 2], *before = p->place[(p->asked + 1) % 2];
    if (p->asked) TN_TRY(tn_device_status(device, backend->event_sync(p->event, &msg), &msg));
    int32_t code = backend->read(p->state->queue, now, from, p->bytes, &msg);
    if (!code) code = backend->event_record(p->state->queue, p->event, &msg);
    TN_TRY(tn_device_status(device, code, &msg));
    *data = p->asked++ ? before : NULL;
    return TN_OK;
}

/* A read may still be under way, also one after which no event could be recorded. */
void tn_peek_free(tn_peek *p)
{
    if (!p) return;
    const tn_backend *backend = p->state->device->backend;
    (void)backend->queue_sync(p->state->queue, NULL);
    if (p->event) backend->event_destroy(p->event);
    tn_free(p->place[0]);
    tn_free(p->place[1]);
    tn_free(p);
}
