/* op.c: the operators by name, the checks that they share, and one run: looks up memory, counts, calls the operator. */
#include "cpu.h"

#include <string.h>

static const cpu_op *const ops[] = {
    &cpu_map,         &cpu_matmul,        &cpu_reduce,    &cpu_softmax,        &cpu_log_softmax,  &cpu_transpose,
    &cpu_gather,      &cpu_window,        &cpu_slice,     &cpu_unslice,        &cpu_concat,       &cpu_scatter_add,
    &cpu_take,        &cpu_put,           &cpu_cumsum,    &cpu_topk,           &cpu_searchsorted, &cpu_conv2d,
    &cpu_conv2d_data, &cpu_conv2d_weight, &cpu_maxpool2d, &cpu_maxpool2d_grad, &cpu_avgpool2d,    &cpu_avgpool2d_grad};

/* ---- checks
 * ---------------------------------------------------------------------------------------------------------- */

int32_t cpu_check_desc(const tn_tensor_desc *desc, const char *op, const char *role, int strides, tn_msg *msg)
{
    if (!tn_dtype_size(desc->dtype))
        return cpu_fail(msg, TN_EUNSUPPORTED, "%s: %s has the unknown element type %d", op, role, desc->dtype);
    if (desc->rank < 0 || desc->rank > TN_MAX_RANK)
        return cpu_fail(msg, TN_EINVAL, "%s: %s has rank %d", op, role, desc->rank);
    int64_t count = 1;
    for (int d = 0; d < desc->rank; d++) {
        if (desc->dim[d] < 0 || __builtin_mul_overflow(count, desc->dim[d], &count) || count > INT64_MAX / 64)
            return cpu_fail(msg, TN_EINVAL, "%s: dimension %d of %s is %lld", op, d, role, (long long)desc->dim[d]);
        if (desc->stride[d] < 0) return cpu_fail(msg, TN_EINVAL, "%s: %s has a negative stride", op, role);
        if (desc->dim[d] > 1 && desc->stride[d] > INT64_MAX / 64 / desc->dim[d])
            return cpu_fail(msg, TN_EINVAL, "%s: dimension %d of %s has a stride of %lld", op, d, role,
                            (long long)desc->stride[d]);
    }
    if (!strides && !cpu_is_dense(desc)) return cpu_fail(msg, TN_EINVAL, "%s: %s is not dense", op, role);
    return TN_OK;
}

int32_t cpu_check_counts(const tn_op_desc *desc, uint32_t n_in, uint32_t n_out, tn_msg *msg)
{
    if (desc->n_in == n_in && desc->n_out == n_out && desc->out && (desc->in || !n_in)) return TN_OK;
    return cpu_fail(msg, TN_EINVAL, "%s: %u inputs and %u outputs where %u and %u belong", desc->name, desc->n_in,
                    desc->n_out, n_in, n_out);
}

int32_t cpu_check_attrs(const tn_op_desc *desc, uint64_t known, tn_msg *msg)
{
    if (known && (!desc->attrs || *(const uint64_t *)desc->attrs < known))
        return cpu_fail(msg, TN_EINVAL, "%s: the attributes are missing or too small", desc->name);
    if (!tn_attrs_known(desc->attrs, known ? known : sizeof(uint64_t)))
        return cpu_fail(msg, TN_EUNSUPPORTED, "%s: attributes that this backend does not know", desc->name);
    return TN_OK;
}

int cpu_is_dense(const tn_tensor_desc *desc)
{
    int64_t stride = 1;
    for (int d = desc->rank - 1; d >= 0; d--) {
        if (desc->dim[d] == 0) return 1;
        if (desc->dim[d] != 1 && desc->stride[d] != stride) return 0;
        stride *= desc->dim[d];
    }
    return 1;
}

int cpu_same_shape(const tn_tensor_desc *a, const tn_tensor_desc *b)
{
    return a->rank == b->rank && !memcmp(a->dim, b->dim, (size_t)a->rank * sizeof *a->dim);
}

int32_t cpu_new_kernel(uint64_t bytes, tn_kernel **kernel, tn_msg *msg)
{
    *kernel = cpu_allocate(bytes);
    return *kernel ? TN_OK
                   : cpu_fail(msg, TN_ENOMEM, "no memory for a kernel of %llu bytes", (unsigned long long)bytes);
}

/* ---- prepare and run
 * --------------------------------------------------------------------------------------------------- */

/* Bytes from an operand's first element to the end of its last. */
static uint64_t extent(const tn_tensor_desc *desc)
{
    int64_t last = 0;
    for (int d = 0; d < desc->rank; d++) {
        if (desc->dim[d] == 0) return 0;
        if (desc->dim[d] > 1) last += (desc->dim[d] - 1) * desc->stride[d];
    }
    return (uint64_t)(last + 1) * tn_dtype_size(desc->dtype);
}

static void fill_kernel(tn_kernel *k, const cpu_op *op, const tn_op_desc *desc, tn_context *context)
{
    k->op = op;
    k->context = context;
    k->n_in = desc->n_in;
    k->n_out = desc->n_out;
    for (uint32_t i = 0; i < desc->n_in; i++) k->in_bytes[i] = extent(&desc->in[i]);
    for (uint32_t i = 0; i < desc->n_out; i++) k->out_bytes[i] = extent(&desc->out[i]);
}

static int32_t check_op(const tn_op_desc *desc, tn_msg *msg)
{
    if (!TN_HAS(tn_op_desc, desc, alias))
        return cpu_fail(msg, TN_EINVAL, "the description of the operator is too small");
    if (!tn_attrs_known(desc, offsetof(tn_op_desc, precision)))
        return cpu_fail(msg, TN_EUNSUPPORTED, "%s: a precision or description that this backend does not know",
                        desc->name);
    if (desc->n_in > CPU_MAX_IN || desc->n_out > CPU_MAX_OUT)
        return cpu_fail(msg, TN_EUNSUPPORTED, "%s: %u inputs and %u outputs are too many", desc->name, desc->n_in,
                        desc->n_out);
    return TN_OK;
}

int32_t cpu_op_prepare(tn_context *context, const tn_op_desc *desc, tn_kernel **kernel, tn_kernel_info *info,
                       tn_msg *msg)
{
    int32_t s = check_op(desc, msg);
    if (s) return s;
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        if (strcmp(desc->name, ops[i]->name)) continue;
        tn_kernel *made = NULL;
        s = ops[i]->prepare(context, desc, &made, msg);
        if (s) return s;
        fill_kernel(made, ops[i], desc, context);
        const tn_kernel_info full = {.scratch = made->scratch, .launches = 1};
        if (info) tn_answer(info, &full, sizeof full);
        if (kernel)
            *kernel = made;
        else
            cpu_op_release(made);
        return TN_OK;
    }
    return cpu_fail(msg, TN_EUNSUPPORTED, "%s: no such operator in the cpu backend", desc->name);
}

void cpu_op_release(tn_kernel *kernel)
{
    if (!kernel) return;
    if (kernel->op && kernel->op->release) kernel->op->release(kernel);
    cpu_release(kernel);
}

/* The memory of a place, NULL if fewer than `bytes` are there. */
static char *place(tn_ref ref, uint64_t bytes)
{
    static char nothing[CPU_ALIGN];
    if (!bytes) return nothing;
    if (!ref.buffer || ref.offset > ref.buffer->bytes || bytes > ref.buffer->bytes - ref.offset) return NULL;
    return ref.buffer->data + ref.offset;
}

int32_t cpu_op_run(tn_queue *queue, tn_kernel *kernel, const tn_run *run, tn_msg *msg)
{
    if (queue->error) return TN_OK; /* dropped; queue_sync tells */
    const char *in[CPU_MAX_IN];
    char *out[CPU_MAX_OUT], *scratch = place(run->scratch, kernel->scratch);
    int ok = scratch && run->n_scalar >= kernel->n_scalar;
    for (uint64_t i = 0; i < kernel->n_in && ok; i++) ok = (in[i] = place(run->in[i], kernel->in_bytes[i])) != NULL;
    for (uint64_t i = 0; i < kernel->n_out && ok; i++) ok = (out[i] = place(run->out[i], kernel->out_bytes[i])) != NULL;
    if (!ok)
        return cpu_queue_fail(queue, TN_EINVAL, "an operand, the scratch memory or the scalars are too small", msg);
    const cpu_run at = {queue, in, out, scratch, run->scalar};
    kernel->op->run(kernel, &at);
    queue->stats.launches++;
    return TN_OK;
}
