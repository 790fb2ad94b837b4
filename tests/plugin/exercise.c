/* exercise.c: `exercise NAME [matmul]`: opens a device that is found by TENON_BACKEND_PATH and puts its memory, queue
 * and events through what the ABI asks of every backend; and its matrix product, if it has one. Exit status 0: all is
 * well. */
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
    const tn_tensor_desc x = {TN_F32, 1, {4}, {1}};
    const tn_op_desc desc = {
        .size = sizeof desc, .name = "no such operator", .in = &x, .out = &x, .n_in = 1, .n_out = 1};
    tn_kernel *kernel = NULL;
    int32_t code = p->backend->op_prepare(p->device->context, &desc, &kernel, NULL, &msg);
    TN_REQUIRE(code == TN_EUNSUPPORTED && strstr(msg.text, "no such operator") && !kernel, TN_EDEVICE,
               "an operator that nobody knows was answered with %d, '%s'", code, msg.text);
    code = p->backend->op_prepare(p->device->context, &desc, NULL, NULL, NULL);
    TN_REQUIRE(code == TN_EUNSUPPORTED, TN_EDEVICE, "without a message the answer differs");
    return TN_OK;
}

#define BATCH 2
#define M     3
#define N     4
#define K     5

/* Element (batch, row, column) of a or b: small integers, so that sums are exact. */
static float element(int which, int64_t batch, int64_t row, int64_t column)
{
    return (float)((which * 5 + batch * 3 + row * 7 + column * 11) % 13 - 6);
}

static tn_tensor_desc describe(int64_t rows, int64_t columns, uint32_t transposed, int64_t batch_stride)
{
    int64_t r = transposed ? columns : rows, c = transposed ? rows : columns;
    return (tn_tensor_desc){TN_F32, 3, {BATCH, r, c}, {batch_stride, c, 1}};
}

/* Sends an operand: BATCH matrices, or one that all share. */
static int32_t send(parts *p, int which, const tn_tensor_desc *desc, uint32_t transposed, tn_msg *msg)
{
    float data[BATCH * K * N] = {0};
    int64_t n = desc->dim[1] * desc->dim[2];
    for (int64_t i = 0; i < (desc->stride[0] ? BATCH : 1) * n; i++) {
        int64_t row = i % n / desc->dim[2], column = i % desc->dim[2];
        data[i] = element(which, i / n, transposed ? column : row, transposed ? row : column);
    }
    int32_t code = p->backend->write(p->queue, (tn_ref){p->buffer, (uint64_t)which * 256}, data, sizeof data, msg);
    return code ? code : p->backend->queue_sync(p->queue, msg);
}

static tn_status compare(const float *y, int64_t stride_a, int64_t stride_b)
{
    for (int64_t i = 0; i < BATCH * M * N; i++) {
        int64_t batch = i / (M * N), row = i / N % M, column = i % N;
        float want = 0;
        for (int64_t k = 0; k < K; k++)
            want += element(0, stride_a ? batch : 0, row, k) * element(1, stride_b ? batch : 0, k, column);
        TN_REQUIRE(y[i] == want, TN_EDEVICE, "matmul: element %d is %g, not %g", (int)i, (double)y[i], (double)want);
    }
    return TN_OK;
}

/* Bit 0 of `variant` transposes a, bit 1 transposes b, bit 2 repeats a for each batch, bit 3 repeats b. */
static tn_status multiply(parts *p, uint32_t variant)
{
    TN_MESSAGE(msg);
    const tn_backend *b = p->backend;
    const tn_matmul_attrs attrs = {.size = sizeof attrs, .trans_a = variant & 1, .trans_b = variant >> 1 & 1};
    const tn_tensor_desc in[2] = {describe(M, K, attrs.trans_a, variant & 4 ? 0 : M * K),
                                  describe(K, N, attrs.trans_b, variant & 8 ? 0 : K * N)};
    const tn_tensor_desc out = describe(M, N, 0, M * N);
    const tn_op_desc desc = {
        .size = sizeof desc, .name = "matmul", .in = in, .out = &out, .n_in = 2, .n_out = 1, .attrs = &attrs};
    const tn_ref from[2] = {{p->buffer, 0}, {p->buffer, 256}}, to = {p->buffer, 512};
    const tn_run run = {.size = sizeof run, .in = from, .out = &to};
    tn_kernel_info info = {.size = sizeof info};
    tn_kernel *kernel = NULL;
    float y[BATCH * M * N];
    int32_t code = b->op_prepare(p->device->context, &desc, NULL, NULL, &msg);
    if (!code) code = b->op_prepare(p->device->context, &desc, &kernel, &info, &msg);
    if (!code) code = send(p, 0, &in[0], attrs.trans_a, &msg);
    if (!code) code = send(p, 1, &in[1], attrs.trans_b, &msg);
    if (!code) code = b->op_run(p->queue, kernel, &run, &msg);
    if (!code) code = b->read(p->queue, y, to, sizeof y, &msg);
    if (!code) code = b->queue_sync(p->queue, &msg);
    if (kernel) b->op_release(kernel);
    TN_TRY(tn_device_status(p->device, code, &msg));
    return compare(y, in[0].stride[0], in[1].stride[0]);
}

static tn_status multiply_all_ways(parts *p)
{
    for (uint32_t variant = 0; variant < 16; variant++) TN_TRY(multiply(p, variant));
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
        if (!status && argc > 2 && !strcmp(argv[2], "matmul")) status = multiply_all_ways(&p);
        release(&p);
    }
    if (status) fprintf(stderr, "%s\n", tn_message());
    tn_device_close(p.device);
    return status ? EXIT_FAILURE : EXIT_SUCCESS;
}
