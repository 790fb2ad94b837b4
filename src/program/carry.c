/* carry.c: see carry.h. */
#include "carry.h"

#include "error.h"
#include "tenon/backend_ext.h"

enum { MOST_LENT = 2 };

/* A tensor that lies in the host's memory, and the buffer that this is. */
typedef struct lent {
    const char *tensor;
    tn_buffer *buffer;
} lent;

struct tn_carry {
    tn_state *state;
    tn_queue *queue;
    tn_event **mark;
    uint32_t marks;
    lent lent[MOST_LENT];
    uint32_t lents;
};

static const tn_backend *backend_of(const tn_carry *c)
{
    return c->state->device->backend;
}

static tn_status make(tn_carry *c, uint32_t marks)
{
    TN_MESSAGE(msg);
    const tn_device *device = c->state->device;
    if (!(c->mark = tn_alloc((marks + 1) * sizeof *c->mark))) return TN_ENOMEM;
    TN_TRY(tn_queue_make(device, &c->queue));
    for (; c->marks < marks; c->marks++)
        TN_TRY(tn_device_status(device, backend_of(c)->event_create(device->context, &c->mark[c->marks], &msg), &msg));
    return TN_OK;
}

tn_status tn_carry_new(tn_state *state, uint32_t marks, tn_carry **carry)
{
    tn_carry *c = tn_alloc(sizeof *c);
    if (!c) return TN_ENOMEM;
    c->state = state;
    tn_status s = make(c, marks);
    if (s)
        tn_carry_free(c);
    else
        *carry = c;
    return s;
}

static void give_back(tn_carry *c)
{
    const tn_status ignored = c->lents ? tn_state_wait(c->state) : TN_OK;
    (void)ignored;
    while (c->lents) {
        const lent *l = &c->lent[--c->lents];
        tn_state_move_back(c->state, l->tensor);
        backend_of(c)->buffer_destroy(l->buffer);
    }
}

void tn_carry_free(tn_carry *c)
{
    if (!c) return;
    if (c->queue) (void)backend_of(c)->queue_sync(c->queue, NULL);
    give_back(c);
    while (c->marks) backend_of(c)->event_destroy(c->mark[--c->marks]);
    if (c->queue) backend_of(c)->queue_destroy(c->queue);
    tn_free(c->mark);
    tn_free(c);
}

int tn_carry_is_here(const tn_carry *c)
{
    return tn_backend_extension(backend_of(c), TN_EXT_HERE) != NULL;
}

static tn_status adopt(const tn_device *device, void *memory, uint64_t bytes, tn_buffer **buffer)
{
    TN_MESSAGE(msg);
    const tn_ext_adopt *table = tn_backend_extension(device->backend, TN_EXT_ADOPT);
    TN_REQUIRE(table && TN_HAS(tn_ext_adopt, table, adopt) && table->adopt, TN_EUNSUPPORTED,
               "%s has no buffers of the host's memory", tn_device_name(device));
    return tn_device_status(device, table->adopt(device->context, memory, bytes, buffer, &msg), &msg);
}

int tn_carry_can_adopt(const tn_state *state)
{
    enum { PAGE = 4096 };
    tn_buffer *buffer = NULL;
    void *page = tn_alloc_aligned(PAGE, PAGE);
    const int can = page && !adopt(state->device, page, PAGE, &buffer);
    state->device->backend->buffer_destroy(buffer);
    tn_free(page);
    return can;
}

tn_status tn_carry_adopt(tn_carry *c, const char *tensor, void *memory)
{
    const tn_state_tensor *t = tn_state_get(c->state, tensor);
    tn_buffer *buffer = NULL;
    TN_REQUIRE(t && c->lents < MOST_LENT, TN_EMISSING, "no tensor '%s' in the state", tensor);
    TN_TRY(adopt(c->state->device, memory, t->bytes, &buffer));
    tn_status s = tn_state_move_out(c->state, tensor, buffer);
    if (s) {
        backend_of(c)->buffer_destroy(buffer);
        return s;
    }
    c->lent[c->lents++] = (lent){t->entry.name, buffer};
    return TN_OK;
}

tn_status tn_carry_mark(tn_carry *c, uint32_t i)
{
    TN_MESSAGE(msg);
    return tn_device_status(c->state->device, backend_of(c)->event_record(c->state->queue, c->mark[i], &msg), &msg);
}

tn_status tn_carry_place(const tn_carry *c, const char *tensor, tn_ref *place)
{
    const tn_state_tensor *t = tn_state_get(c->state, tensor);
    TN_REQUIRE(t, TN_EMISSING, "no tensor '%s' in the state", tensor);
    *place = (tn_ref){c->state->chunk[t->chunk].buffer, t->offset};
    return TN_OK;
}

tn_status tn_carry_await(tn_carry *c, uint32_t i)
{
    TN_MESSAGE(msg);
    return tn_device_status(c->state->device, backend_of(c)->event_sync(c->mark[i], &msg), &msg);
}

tn_status tn_carry_read(tn_carry *c, void *to, tn_ref from, uint64_t bytes)
{
    TN_MESSAGE(msg);
    return tn_device_status(c->state->device, backend_of(c)->read(c->queue, to, from, bytes, &msg), &msg);
}

tn_status tn_carry_write(tn_carry *c, tn_ref to, const void *from, uint64_t bytes)
{
    TN_MESSAGE(msg);
    return tn_device_status(c->state->device, backend_of(c)->write(c->queue, to, from, bytes, &msg), &msg);
}

tn_status tn_carry_wait(tn_carry *c)
{
    TN_MESSAGE(msg);
    return tn_device_status(c->state->device, backend_of(c)->queue_sync(c->queue, &msg), &msg);
}
