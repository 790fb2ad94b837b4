/* exercise.c: `exercise NAME`: opens a device that is found by TENON_BACKEND_PATH and puts its memory, queue and events
 * through what the ABI asks of every backend. Exit status 0: all is well. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device_internal.h"
#include "error.h"

#define SIZE 1000

typedef struct parts {
    tn_device *device;
    const tn_backend *backend;
    tn_buffer *buffer;
    tn_queue *queue;
    tn_event *event;
} parts;

static tn_status make(parts *p)
{
    TN_MESSAGE(msg);
    tn_buffer *empty = NULL;
    p->backend = p->device->backend;
    tn_context *context = p->device->context;
    int32_t code = p->backend->buffer_create(context, SIZE, &p->buffer, &msg);
    if (!code) code = p->backend->buffer_create(context, 0, &empty, &msg);
    p->backend->buffer_destroy(empty);
    if (!code) code = p->backend->queue_create(context, &p->queue, &msg);
    if (!code) code = p->backend->event_create(context, &p->event, &msg);
    if (!code) code = p->backend->event_sync(p->event, &msg); /* 'done' until it is recorded */
    return tn_device_status(p->device, code, &msg);
}

/* Write, copy and fill at odd places; what lies around them stays. */
static tn_status move_bytes(parts *p)
{
    TN_MESSAGE(msg);
    const tn_backend *b = p->backend;
    unsigned char sent[SIZE], got[SIZE], want[SIZE];
    const uint32_t pattern = 0xdeadbeef;
    for (int i = 0; i < SIZE; i++) want[i] = sent[i] = (unsigned char)(i * 7);
    memcpy(want + 3, sent + 501, 77);
    for (int i = 600; i < 640; i += 4) memcpy(want + i, &pattern, 4);
    int32_t code = b->write(p->queue, (tn_ref){p->buffer, 0}, sent, SIZE, &msg);
    if (!code) code = b->copy(p->queue, (tn_ref){p->buffer, 3}, (tn_ref){p->buffer, 501}, 77, &msg);
    if (!code) code = b->event_record(p->queue, p->event, &msg);
    if (!code) code = b->event_wait(p->queue, p->event, &msg);
    if (!code) code = b->fill(p->queue, (tn_ref){p->buffer, 600}, 40, &pattern, sizeof pattern, &msg);
    if (!code) code = b->fill(p->queue, (tn_ref){p->buffer, SIZE}, 0, &pattern, sizeof pattern, &msg);
    if (!code) code = b->queue_flush(p->queue, &msg);
    if (!code) code = b->read(p->queue, got, (tn_ref){p->buffer, 0}, SIZE, &msg);
    if (!code) code = b->queue_sync(p->queue, &msg);
    if (!code) code = b->event_sync(p->event, &msg);
    TN_TRY(tn_device_status(p->device, code, &msg));
    return memcmp(got, want, SIZE) ? tn_fail(TN_EDEVICE, "other bytes came back than were sent") : TN_OK;
}

static tn_status check_stats(parts *p)
{
    TN_MESSAGE(msg);
    tn_queue_stats stats = {.size = sizeof stats};
    TN_TRY(tn_device_status(p->device, p->backend->queue_stats(p->queue, &stats, &msg), &msg));
    TN_REQUIRE(stats.bytes_write == SIZE && stats.bytes_read == SIZE && stats.host_waits == 1, TN_EDEVICE,
               "the statistics are wrong");
    return TN_OK;
}

static tn_status ask_nonsense(parts *p)
{
    TN_MESSAGE(msg);
    const tn_op_desc desc = {.size = sizeof desc, .name = "no such operator"};
    tn_kernel *kernel = NULL;
    int32_t code = p->backend->op_prepare(p->device->context, &desc, &kernel, NULL, &msg);
    TN_REQUIRE(code == TN_EUNSUPPORTED && strstr(msg.text, "no such operator") && !kernel, TN_EDEVICE,
               "an operator that nobody knows was answered with %d, '%s'", code, msg.text);
    code = p->backend->op_prepare(p->device->context, &desc, NULL, NULL, NULL);
    TN_REQUIRE(code == TN_EUNSUPPORTED, TN_EDEVICE, "without a message the answer differs");
    return TN_OK;
}

static void release(parts *p)
{
    p->backend->event_destroy(p->event);
    p->backend->queue_destroy(p->queue);
    p->backend->buffer_destroy(p->buffer);
}

int main(int argc, char **argv)
{
    parts p = {0};
    tn_status status = tn_device_open(argc > 1 ? argv[1] : "null", &p.device);
    if (!status) {
        status = make(&p);
        if (!status) status = move_bytes(&p);
        if (!status) status = check_stats(&p);
        if (!status) status = ask_nonsense(&p);
        release(&p);
    }
    if (status) fprintf(stderr, "%s\n", tn_message());
    tn_device_close(p.device);
    return status ? EXIT_FAILURE : EXIT_SUCCESS;
}
