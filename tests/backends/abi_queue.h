/* abi_queue.h: checks what a queue promises, and that what can't be done is refused with a message. */
#ifndef ABI_QUEUE_H
#define ABI_QUEUE_H

#include "abi_kit.h"

#define BYTES 5000

/* Fills and copies of every pattern and odd ranges, mirrored in host memory. */
static void check_fill_copy(void)
{
    static unsigned char mirror[2][BYTES], back[2][BYTES], pattern[8];
    char text[256] = "";
    tn_msg msg = {text, sizeof text};
    tn_buffer *buffer[2] = {NULL, NULL};
    int32_t s = B->buffer_create(context, BYTES, &buffer[0], &msg);
    if (!s) s = B->buffer_create(context, BYTES, &buffer[1], &msg);
    for (int k = 0; k < 2 && !s; k++) s = B->fill(queue, (tn_ref){buffer[k], 0}, BYTES, &(char){0}, 1, &msg);
    for (int step = 0; step < 300 && !s; step++) {
        uint64_t unit = 1u << random_bits() % 4, from = random_bits() % 400 * unit, to = random_bits() % 400 * unit;
        uint64_t bytes = random_bits() % 200 * unit;
        if (from + bytes > BYTES || to + bytes > BYTES) bytes = 0;
        for (int i = 0; i < 8; i++) pattern[i] = (unsigned char)random_bits();
        if (step % 3 == 0) {
            s = B->fill(queue, (tn_ref){buffer[0], to}, bytes, pattern, unit, &msg);
            for (uint64_t i = 0; i < bytes; i++) mirror[0][to + i] = pattern[i % unit];
        } else {
            int src = step % 2;
            s = B->copy(queue, (tn_ref){buffer[!src], to}, (tn_ref){buffer[src], from}, bytes, &msg);
            memcpy(mirror[!src] + to, mirror[src] + from, bytes);
        }
    }
    for (int k = 0; k < 2 && !s; k++) s = B->read(queue, back[k], (tn_ref){buffer[k], 0}, BYTES, &msg);
    int32_t synced = B->queue_sync(queue, &msg);
    expect(!s && !synced, "fills and copies succeed");
    expect(!memcmp(mirror, back, sizeof back), "fills and copies of odd lengths run in order");
    s = B->copy(queue, (tn_ref){buffer[0], 4000}, (tn_ref){buffer[0], 3}, 900, &msg);
    memcpy(mirror[0] + 4000, mirror[0] + 3, 900);
    if (!s) s = B->write(queue, (tn_ref){buffer[0], 1}, "odd", 3, &msg);
    memcpy(mirror[0] + 1, "odd", 3);
    if (!s) s = B->read(queue, back[0], (tn_ref){buffer[0], 0}, BYTES, &msg);
    if (!s) s = B->queue_sync(queue, &msg);
    expect(!s && !memcmp(mirror[0], back[0], BYTES), "a copy within one buffer and a write at an odd offset");
    B->buffer_destroy(buffer[0]), B->buffer_destroy(buffer[1]);
}

static void check_events(void)
{
    char text[256] = "";
    tn_msg msg = {text, sizeof text};
    tn_queue *second = NULL;
    tn_event *event = NULL;
    tn_buffer *buffer = NULL;
    int32_t value = 0;
    int32_t s = B->queue_create(context, &second, &msg);
    if (!s) s = B->event_create(context, &event, &msg);
    if (!s) s = B->event_sync(event, &msg);
    expect(!s, "an event that was not recorded is done");
    if (!s) s = B->event_wait(second, event, &msg);
    if (!s) s = B->buffer_create(context, 4, &buffer, &msg);
    for (int32_t i = 1; i < 50 && !s; i++) {
        int32_t pattern = i;
        s = B->fill(queue, (tn_ref){buffer, 0}, 4, &pattern, 4, &msg);
        if (!s) s = B->event_record(queue, event, &msg);
        if (!s) s = B->queue_flush(queue, &msg);
        if (!s) s = B->event_wait(second, event, &msg);
        if (!s) s = B->read(second, &value, (tn_ref){buffer, 0}, 4, &msg);
        if (!s) s = B->queue_sync(second, &msg);
        if (value != i) s = TN_EDEVICE;
    }
    if (!s) s = B->event_sync(event, &msg);
    expect(!s, "a queue that waits for an event sees what was written before it");
    tn_queue_stats stats = {.size = sizeof stats};
    s = B->queue_sync(queue, &msg);
    if (!s) s = B->queue_stats(second, &stats, &msg);
    expect(!s && stats.bytes_read == 49 * 4 && stats.bytes_write == 0 && stats.launches == 0,
           "a queue counts its bytes");
    B->queue_destroy(second), B->event_destroy(event), B->buffer_destroy(buffer);
}

static void check_sticky(void)
{
    char text[256] = "", tiny[4] = "xyz";
    tn_msg msg = {text, sizeof text}, small = {tiny, 3}, none = {NULL, 0};
    tn_queue *q = NULL;
    tn_buffer *buffer = NULL;
    int32_t value = 0, five = 5;
    int32_t s = B->queue_create(context, &q, &msg);
    if (!s) s = B->buffer_create(context, 4, &buffer, &msg);
    if (!s) s = B->write(q, (tn_ref){buffer, 0}, &value, 4, &msg);
    int32_t r = B->read(q, &value, (tn_ref){buffer, 1 << 20}, 4, &small);
    int32_t first = B->queue_sync(q, &msg), again = B->queue_sync(q, NULL);
    expect(!s && (r || first), "a read beyond a buffer fails");
    expect(first && first == again && B->queue_sync(q, &none) == first, "the first error of a queue sticks");
    expect(tiny[2] == 0 && tiny[3] == 0, "a message fits in its buffer");
    B->write(q, (tn_ref){buffer, 0}, &five, 4, &msg);
    B->queue_sync(q, &msg);
    s = B->read(queue, &value, (tn_ref){buffer, 0}, 4, &msg);
    if (!s) s = B->queue_sync(queue, &msg);
    expect(!s && value == 0, "work after an error is dropped, and other queues go on");
    B->queue_destroy(q), B->buffer_destroy(buffer);
    B->queue_destroy(NULL), B->buffer_destroy(NULL), B->event_destroy(NULL), B->op_release(NULL),
        B->context_destroy(NULL);
}

/* What op_prepare answers, asked and told. */
static int32_t answer(const tn_op_desc *desc)
{
    char text[256] = "";
    tn_msg msg = {text, sizeof text}, tiny = {text, 2};
    tn_kernel *kernel = NULL;
    tn_kernel_info info = {.size = sizeof info};
    int32_t s = B->op_prepare(context, desc, NULL, NULL, &msg);
    if (s && !*text) printf("FAIL %s is refused without a message\n", desc->name), n_failed++;
    int32_t told = B->op_prepare(context, desc, &kernel, &info, &tiny);
    if (s != told || B->op_prepare(context, desc, NULL, &info, NULL) != s || (s && kernel)) n_failed++;
    B->op_release(kernel);
    return s;
}

static tn_tensor_desc vector(int32_t dtype, int64_t n, int64_t stride)
{
    return (tn_tensor_desc){.dtype = dtype, .rank = 1, .dim = {n}, .stride = {stride}};
}

static void check_map_refusals(void)
{
    tn_tensor_desc in[2] = {vector(TN_F32, 8, 1), vector(TN_F32, 8, 1)}, out[1] = {vector(TN_F32, 8, 1)};
    tn_map_instr instr = {.op = "add", .arg = {0, 1, -1, -1}, .dtype = TN_F32};
    int32_t result = 2;
    struct {
        tn_map_attrs known;
        unsigned char later[8];
    } attrs = {{sizeof attrs, &instr, &result, 1, 2, 1, 0}, {0}};
    tn_op_desc desc = {
        .size = sizeof desc, .name = "map", .in = in, .out = out, .n_in = 2, .n_out = 1, .attrs = &attrs};
    expect(answer(&desc) == TN_OK, "zero bytes beyond a known attribute struct are fine");
    attrs.later[3] = 1;
    expect(answer(&desc) == TN_EUNSUPPORTED, "bytes beyond a known attribute struct are unsupported");
    attrs.later[3] = 0;
    desc.name = "frobnicate";
    expect(answer(&desc) == TN_EUNSUPPORTED, "an unknown operator is unsupported");
    desc.name = "map", instr.op = "frobnicate";
    expect(answer(&desc) == TN_EUNSUPPORTED, "an unknown instruction is unsupported");
    instr.op = "add", instr.arg[1] = 2;
    expect(answer(&desc) != TN_OK, "an instruction can't use its own result");
    instr.arg[1] = -1;
    expect(answer(&desc) != TN_OK, "an instruction that lacks an argument is refused");
    instr.arg[1] = 1, result = 3;
    expect(answer(&desc) != TN_OK, "an output beyond the last value is refused");
    result = 2, in[1].dtype = TN_F64;
    expect(answer(&desc) != TN_OK, "arguments of mixed types are refused");
    in[1].dtype = 99;
    expect(answer(&desc) != TN_OK, "an unknown element type is refused");
    in[1].dtype = TN_F32, in[1].dim[0] = 7;
    expect(answer(&desc) != TN_OK, "an operand of another shape is refused");
    in[1].dim[0] = 8, out[0].stride[0] = 0;
    expect(answer(&desc) != TN_OK, "an output that is not dense is refused");
    out[0].stride[0] = 1, instr.op = "scalar", instr.arg[0] = 0;
    expect(answer(&desc) != TN_OK, "a scalar beyond n_scalar is refused");
}

static void check_refusals(void)
{
    check_map_refusals();
    tn_tensor_desc in[2] = {{TN_F32, 3, {1, 4, 5}, {20, 5, 1}}, {TN_F32, 3, {1, 6, 3}, {18, 3, 1}}};
    tn_tensor_desc out[1] = {{TN_F32, 3, {1, 4, 3}, {12, 3, 1}}};
    tn_matmul_attrs matmul = {.size = sizeof matmul};
    tn_op_desc desc = {
        .size = sizeof desc, .name = "matmul", .in = in, .out = out, .n_in = 2, .n_out = 1, .attrs = &matmul};
    expect(answer(&desc) != TN_OK, "a product of sizes that do not fit is refused");
    in[1].dim[1] = 5, in[1].stride[0] = 15;
    expect(answer(&desc) == TN_OK, "a product of sizes that fit is not");
    desc.name = "softmax", desc.n_in = 1;
    expect(answer(&desc) != TN_OK, "a softmax into another shape is refused");
    tn_transpose_attrs transpose = {.size = sizeof transpose, .perm = {0, 0, 1}};
    desc.name = "transpose", desc.attrs = &transpose;
    expect(answer(&desc) != TN_OK, "a permutation that repeats a dimension is refused");
    tn_tensor_desc x = vector(TN_F32, 8, 1), y = vector(TN_F32, 1, 1);
    int32_t result = 0;
    tn_map_attrs map = {sizeof map, NULL, &result, 0, 1, 1, 0};
    tn_reduce_attrs reduce = {.size = sizeof reduce, .kind = "median", .map = &map, .dim = {8}, .rank = 1, .axes = 1};
    desc = (tn_op_desc){
        .size = sizeof desc, .name = "reduce", .in = &x, .out = &y, .n_in = 1, .n_out = 1, .attrs = &reduce};
    expect(answer(&desc) == TN_EUNSUPPORTED, "an unknown kind of reduction is unsupported");
    reduce.kind = "sum", reduce.axes = 2;
    expect(answer(&desc) != TN_OK, "a reduction over a dimension that is not there is refused");
}

static void check_queues(void)
{
    check_fill_copy();
    check_events();
    check_sticky();
}

#endif
