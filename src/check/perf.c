/* perf.c: how fast the device is at a few operations: the median of some runs each. */
#include <stdlib.h>
#include <string.h>

#include "sample.h"

enum { RUNS = 9 };

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Runs the operation on operands of zeros; tells flops and bytes by the operator's own count. */
static void measure(tn_kit *kit, const tn_op_desc *desc)
{
    const tn_backend *b = kit->backend;
    tn_buffer *buffer[6] = {0};
    tn_kernel *kernel = NULL;
    tn_kernel_info info = {.size = sizeof info};
    double seconds[RUNS], zero = 0;
    int32_t s = b->op_prepare(kit->context, desc, &kernel, &info, &kit->msg);
    if (s == TN_EUNSUPPORTED) {
        kit->result->refused++;
        return;
    }
    for (uint32_t i = 0; !s && i < desc->n_in + 2; i++) {
        uint64_t bytes = tn_kit_buffer_bytes(desc, i, info.scratch);
        s = b->buffer_create(kit->context, bytes, &buffer[i], &kit->msg);
        if (!s) s = b->fill(kit->queue, (tn_ref){buffer[i], 0}, bytes / 8 * 8, &zero, 8, &kit->msg);
    }
    tn_ref in[] = {{buffer[0], 0}, {buffer[1], 0}}, out = {buffer[desc->n_in], 0};
    tn_run run = {sizeof run, in, &out, {buffer[desc->n_in + 1], 0}, NULL, 0};
    for (int i = -2; !s && i < RUNS; i++) {
        double begin = tn_kit_now();
        s = b->op_run(kit->queue, kernel, &run, &kit->msg);
        if (!s) s = b->queue_sync(kit->queue, &kit->msg);
        if (i >= 0) seconds[i] = tn_kit_now() - begin;
    }
    if (tn_kit_ok(kit, s, desc->name)) {
        tn_cost cost = tn_op_cost(desc);
        qsort(seconds, RUNS, sizeof *seconds, ascending);
        double median = seconds[RUNS / 2];
        tn_kit_remark(kit, "%.3g ms, %.4g Gflop/s, %.4g GB/s", 1e3 * median, 1e-9 * cost.flops / median,
                      1e-9 * cost.bytes / median);
    }
    for (int i = 0; i < 6; i++) b->buffer_destroy(buffer[i]);
    b->op_release(kernel);
}

static void measure_sample(tn_kit *kit, int number, tn_tensor_desc a, tn_tensor_desc c, tn_tensor_desc y)
{
    tn_kit_sample s;
    if (!tn_kit_open(kit) || !tn_kit_sample_make(kit, number, &s)) return;
    s.operation.in[0] = a, s.operation.in[1] = c, s.operation.out[0] = y;
    if (number == 2) s.operation.attrs.reduce.dim[0] = a.dim[0], s.operation.attrs.reduce.dim[1] = a.dim[1];
    measure(kit, &s.operation.desc);
    tn_kit_sample_free(&s);
    tn_kit_close(kit);
}

static void map(tn_kit *kit)
{
    tn_tensor_desc x = tn_kit_dense(1, 1 << 22, 0, 0);
    measure_sample(kit, 0, x, x, x);
}

static void matmul(tn_kit *kit)
{
    tn_tensor_desc x = tn_kit_dense(3, 1, 512, 512);
    measure_sample(kit, 1, x, x, x);
}

static void matmul_small(tn_kit *kit)
{
    measure_sample(kit, 1, tn_kit_dense(3, 1, 32, 784), tn_kit_dense(3, 1, 784, 100), tn_kit_dense(3, 1, 32, 100));
}

static void reduce(tn_kit *kit)
{
    tn_tensor_desc x = tn_kit_dense(2, 1024, 4096, 0);
    measure_sample(kit, 2, x, x, tn_kit_dense(2, 1024, 1, 0));
}

static void softmax(tn_kit *kit)
{
    tn_tensor_desc x = tn_kit_dense(3, 4096, 256, 1);
    measure_sample(kit, 3, x, x, x);
}

const tn_kit_case tn_kit_perf[] = {
    {"perf", "map", "two instructions on 4 Mi elements", map, NULL, 0, 0},
    {"perf", "matmul-512", "(512, 512) by (512, 512)", matmul, NULL, 0, 0},
    {"perf", "matmul-layer", "(32, 784) by (784, 100)", matmul_small, NULL, 0, 0},
    {"perf", "reduce", "sums of 1024 rows of 4096", reduce, NULL, 0, 0},
    {"perf", "softmax", "4096 rows of 256", softmax, NULL, 0, 0},
    {0},
};
