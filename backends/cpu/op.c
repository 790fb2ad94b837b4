/* op.c: the operators by name, what this backend declines, and one run: looks up memory, counts, calls the operator. */
#include "cpu.h"
#include "tenon/backend_float.h"

#include <string.h>

static const cpu_op *const ops[] = {
    &cpu_map,         &cpu_matmul,        &cpu_reduce,     &cpu_softmax,        &cpu_log_softmax,  &cpu_transpose,
    &cpu_gather,      &cpu_window,        &cpu_slice,      &cpu_unslice,        &cpu_concat,       &cpu_scatter_add,
    &cpu_take,        &cpu_put,           &cpu_cumsum,     &cpu_topk,           &cpu_searchsorted, &cpu_conv2d,
    &cpu_conv2d_data, &cpu_conv2d_weight, &cpu_maxpool2d,  &cpu_maxpool2d_grad, &cpu_avgpool2d,    &cpu_avgpool2d_grad,
    &cpu_attend,      &cpu_attend_grad,   &cpu_layer_norm, &cpu_layer_norm_grad};

int32_t cpu_new_kernel(uint64_t bytes, tn_kernel **kernel, tn_msg *msg)
{
    *kernel = cpu_allocate(bytes);
    return *kernel ? TN_OK
                   : cpu_fail(msg, TN_ENOMEM, "out of memory for a kernel of %llu bytes", (unsigned long long)bytes);
}

/* ---- prepare and run --------------------------------------------------------------------------------------------- */

/* Whether results that would be denormal are zero: an optimizer's moments shrink by a factor each step until they are,
 * and softmax makes them of what a mask hides; and then they cost a hundred cycles each. Of maps, only where one
 * multiplies. One that only adds keeps them: the sums of a batch's shards are also made by the host, and have the same
 * bits. */
static int may_flush(const cpu_op *op, const tn_op_desc *desc)
{
    if (op->types & CPU_FLUSHES) return 1;
    const tn_map_attrs *map = strcmp(desc->name, "map") ? NULL : desc->attrs;
    for (uint32_t i = 0; map && i < map->n_instr; i++)
        if (!strcmp(map->instr[i].op, "mul") || !strcmp(map->instr[i].op, "square")) return 1;
    return 0;
}

static void fill_kernel(tn_kernel *k, const cpu_op *op, const tn_op_desc *desc, tn_context *context)
{
    k->op = op;
    k->context = context;
    k->n_in = desc->n_in;
    k->n_out = desc->n_out;
    k->flushes = may_flush(op, desc);
    for (uint32_t i = 0; i < desc->n_in; i++) k->in_bytes[i] = tn_desc_extent(&desc->in[i]);
    for (uint32_t i = 0; i < desc->n_out; i++) k->out_bytes[i] = tn_desc_extent(&desc->out[i]);
}

static const cpu_op *find_op(const char *name)
{
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (!strcmp(name, ops[i]->name)) return ops[i];
    return NULL;
}

/* What this backend can't do of what is right. */
static int32_t check_op(const cpu_op *op, const tn_op_desc *desc, const tn_op_facts *facts, tn_msg *msg)
{
    if (!op) return cpu_fail(msg, TN_EUNSUPPORTED, "%s: no such operator in the cpu backend", desc->name);
    if (desc->precision && !(op->types & CPU_LEVELS))
        return cpu_fail(msg, TN_EUNSUPPORTED, "%s: no faster with less precision", desc->name);
    if (desc->keeps && !(op->types & CPU_KEEPS)) return cpu_fail(msg, TN_EUNSUPPORTED, "%s: keeps nothing", desc->name);
    if (!(op->types >> facts->dtype & 1))
        return cpu_fail(msg, TN_EUNSUPPORTED, "%s: not of elements of type %d", desc->name, facts->dtype);
    return op->in_place ? TN_OK : tn_check_not_in_place(desc, msg);
}

int32_t cpu_op_prepare(tn_context *context, const tn_op_desc *desc, tn_kernel **kernel, tn_kernel_info *info,
                       tn_msg *msg)
{
    tn_op_facts facts;
    tn_op_desc plain, each_time;
    uint32_t level = 0, keeps = 0;
    tn_kernel *made = NULL;
    int32_t s = tn_take_keeps(desc, &each_time, &keeps, msg);
    if (!s) s = tn_take_precision(&each_time, &plain, &level, msg);
    if (!s) s = tn_check_op(&plain, &facts, msg);
    if (s) return s;
    const cpu_op *op = find_op(plain.name);
    plain.precision = level, plain.keeps = keeps;
    s = check_op(op, &plain, &facts, msg);
    const tn_float_mode mode = tn_float_begin(); /* constants become f32 */
    if (!s) s = op->prepare(context, &plain, &facts, &made, msg);
    tn_float_end(mode);
    if (s) return s;
    fill_kernel(made, op, &plain, context);
    if (kernel && op->finish) s = op->finish(made, msg);
    const tn_kernel_info full = {.scratch = made->scratch, .launches = 1, .kept = made->kept};
    if (!s && info) tn_answer(info, &full, sizeof full);
    if (!s && kernel)
        *kernel = made;
    else
        cpu_op_release(made);
    return s;
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
    const int has_kept = TN_HAS(tn_run, run, is_kept);
    char *kept = place(has_kept ? run->kept : (tn_ref){0}, kernel->kept);
    int ok = scratch && kept && run->n_scalar >= kernel->n_scalar;
    for (uint64_t i = 0; i < kernel->n_in && ok; i++) ok = (in[i] = place(run->in[i], kernel->in_bytes[i])) != NULL;
    for (uint64_t i = 0; i < kernel->n_out && ok; i++) ok = (out[i] = place(run->out[i], kernel->out_bytes[i])) != NULL;
    if (!ok)
        return cpu_queue_fail(queue, TN_EINVAL, "an operand, the scratch memory or the scalars are too small", msg);
    const cpu_run at = {queue, in, out, scratch, run->scalar, kept, has_kept && run->is_kept};
    const uint64_t begin = cpu_span_begin(queue);
    const tn_float_mode mode = kernel->flushes ? tn_float_begin_flushed() : tn_float_begin();
    kernel->op->run(kernel, &at);
    tn_float_end(mode);
    cpu_span_end(queue, begin);
    queue->stats.launches++;
    return TN_OK;
}
