/* pair: two devices alike, of which the second is lost at its n-th read, n in the variable PAIR_LOST when the device is
 * opened. They have no kernels: all is computed elsewhere. */
#include <stdatomic.h>
#include <stdlib.h>

#include "template.h"

static atomic_long left; /* reads; 0 and below: it is never lost, or is no more */

static int32_t count_devices(uint32_t *count, tn_msg *msg)
{
    (void)msg;
    *count = 2;
    return TN_OK;
}

static int32_t describe(uint32_t device, tn_device_info *info, tn_msg *msg)
{
    tn_device_info mine = {.size = sizeof mine};
    int32_t status = device_info(0, &mine, msg);
    snprintf(mine.id, sizeof mine.id, "pair-%u", device);
    if (!status) tn_answer(info, &mine, sizeof mine);
    return status;
}

static int32_t open_device(uint32_t device, tn_context **context, tn_msg *msg)
{
    const char *number = getenv("PAIR_LOST");
    int32_t status = context_create(0, context, msg);
    if (!status) (*context)->device = device;
    if (device) atomic_store(&left, number ? atol(number) : 0);
    return status;
}

/* A queue that knows its device. */
typedef struct own_queue {
    tn_queue queue;
    uint32_t device;
} own_queue;

static int32_t make_queue(tn_context *context, tn_queue **queue, tn_msg *msg)
{
    own_queue *made = allocate(sizeof *made, msg);
    if (!made) return TN_ENOMEM;
    memset(made, 0, sizeof *made);
    made->device = context->device;
    *queue = &made->queue;
    return TN_OK;
}

static int32_t lost_read(tn_queue *queue, void *to, tn_ref from, uint64_t bytes, tn_msg *msg)
{
    const own_queue *own = (const own_queue *)queue;
    if (own->device && atomic_fetch_sub(&left, 1) == 1) return tn_refuse(msg, TN_EDEVICE, "it fell off the bus");
    return read_bytes(queue, to, from, bytes, msg);
}

PLUGIN("pair", table.device_count = count_devices; table.device_info = describe; table.context_create = open_device;
       table.queue_create = make_queue; table.read = lost_read)
