/* pinned.c: host memory that the device copies from and to by itself. */
#include <string.h>

#include "sample.h"
#include "tenon/backend_ext.h"

#define ROOM 4096

/* Each piece's bytes go to the buffer, and come from there to the next one's second half. */
static int32_t through(tn_kit *kit, tn_buffer *buffer, unsigned char *const piece[], int pieces)
{
    const tn_backend *b = kit->backend;
    int32_t s = TN_OK;
    for (int i = 0; !s && i < pieces; i++) {
        s = b->write(kit->queue, (tn_ref){buffer, 5}, piece[i], ROOM / 2, &kit->msg);
        if (!s) s = b->read(kit->queue, piece[(i + 1) % pieces] + ROOM / 2, (tn_ref){buffer, 5}, ROOM / 2, &kit->msg);
    }
    return s ? s : b->queue_sync(kit->queue, &kit->msg);
}

/* Memory of its own each, which the host and copies see alike. */
static void check_pinned(tn_kit *kit, const tn_ext_memory *ext)
{
    enum { PIECES = 5 };
    unsigned char want[PIECES][ROOM], *piece[PIECES] = {NULL};
    tn_pinned *pinned[PIECES] = {NULL}, *empty = NULL;
    void *data = NULL;
    tn_buffer *buffer = NULL;
    int32_t s = kit->backend->buffer_create(kit->context, ROOM, &buffer, &kit->msg);
    for (int i = 0; !s && i < PIECES; i++) {
        for (int k = 0; k < ROOM; k++) want[i][k] = (unsigned char)tn_kit_bits(kit);
        s = ext->pinned_create(kit->context, ROOM, &pinned[i], &data, &kit->msg);
        if (s) break;
        if (!tn_kit_expect(kit, data && pinned[i] && (uintptr_t)data % 64 == 0, "pinned_create gives %p", data)) break;
        memcpy(piece[i] = data, want[i], ROOM);
    }
    if (s == TN_EUNSUPPORTED || s == TN_ENOMEM) {
        kit->result->refused++;
    } else if (tn_kit_ok(kit, s, "pinned_create") && !kit->result->failed) {
        for (int i = 0; i < PIECES; i++) memcpy(want[(i + 1) % PIECES] + ROOM / 2, want[i], ROOM / 2);
        tn_kit_ok(kit, through(kit, buffer, piece, PIECES), "moving pinned memory");
        for (int i = 0; i < PIECES; i++)
            tn_kit_expect(kit, !memcmp(piece[i], want[i], ROOM), "piece %d of pinned memory is not what was moved", i);
        if (tn_kit_ok(kit, ext->pinned_create(kit->context, 0, &empty, &data, &kit->msg), "pinned_create of no bytes"))
            ext->pinned_destroy(empty);
    }
    for (int i = 0; i < PIECES; i++) ext->pinned_destroy(pinned[i]);
    kit->backend->buffer_destroy(buffer);
}

static void pins(tn_kit *kit)
{
    if (!tn_kit_open(kit)) return;
    const tn_ext_memory *ext = tn_kit_extension(kit, TN_EXT_MEMORY);
    if (ext && TN_HAS(tn_ext_memory, ext, pinned_destroy) && ext->pinned_create && ext->pinned_destroy)
        check_pinned(kit, ext);
    else
        kit->result->refused++;
    tn_kit_close(kit);
}

const tn_kit_case tn_kit_pinned[] = {
    {"memory", "pinned", "host memory that the device copies from and to by itself, if there is such", pins},
    {0},
};
