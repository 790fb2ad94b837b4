/* op.c: prepared operators: gathering arguments, building launches, and running them. */
#include "opencl.h"

#include <string.h>

/* ---- gathering arguments ---------------------------------------------------------------------------------------- */

/* Counts on after the table is full, so that ocl_add_launch notices. */
static ocl_arg *next_arg(ocl_args *args, int kind, uint32_t index, uint8_t bytes)
{
    static _Thread_local ocl_arg beyond;
    ocl_arg *arg = args->n < OCL_MAX_ARGS ? &args->arg[args->n] : &beyond;
    args->n++;
    *arg = (ocl_arg){.kind = (uint8_t)kind, .bytes = bytes, .index = (uint16_t)index};
    return arg;
}

void ocl_arg_ref(ocl_args *args, int kind, uint32_t index, int32_t dtype)
{
    next_arg(args, kind, index, sizeof(cl_mem));
    next_arg(args, kind + 1, index, sizeof(cl_ulong))->unit = (uint16_t)tn_dtype_size(dtype);
}

void ocl_arg_scratch(ocl_args *args, uint64_t offset)
{
    next_arg(args, OCL_ARG_SCRATCH, 0, sizeof(cl_mem));
    next_arg(args, OCL_ARG_SCRATCH_OFFSET, 0, sizeof(cl_ulong))->value = offset;
}

void ocl_arg_scalar(ocl_args *args, int kind, uint32_t index)
{
    next_arg(args, kind, index, kind == OCL_ARG_F32 || kind == OCL_ARG_I32 ? 4 : 8);
}

void ocl_arg_int(ocl_args *args, int32_t value)
{
    memcpy(&next_arg(args, OCL_ARG_VALUE, 0, sizeof value)->value, &value, sizeof value);
}

void ocl_arg_long(ocl_args *args, int64_t value)
{
    memcpy(&next_arg(args, OCL_ARG_VALUE, 0, sizeof value)->value, &value, sizeof value);
}

void ocl_arg_index(ocl_args *args, int wide, int64_t value)
{
    if (wide)
        ocl_arg_long(args, value);
    else
        ocl_arg_int(args, (int32_t)value);
}

void ocl_arg_row(ocl_args *args, uint32_t scalar, int64_t largest)
{
    next_arg(args, OCL_ARG_ROW, scalar, sizeof(cl_ulong))->value = (uint64_t)largest;
}

/* ---- building --------------------------------------------------------------------------------------------------- */

static int32_t check_args(ocl_build *build, const ocl_args *args)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < args->n && i < OCL_MAX_ARGS; i++) {
        const ocl_arg *arg = &args->arg[i];
        bytes += arg->bytes;
        if (arg->kind >= OCL_ARG_F32 && arg->index >= build->n_scalar) build->n_scalar = arg->index + 1u;
    }
    if (args->n <= OCL_MAX_ARGS && bytes <= build->context->parameter_bytes) return TN_OK;
    return ocl_fail(build->msg, TN_EUNSUPPORTED, "%s: a kernel of %u arguments", build->desc->name, args->n);
}

/* The values that never change. */
static int32_t set_constants(ocl_launch *launch, const char *name, tn_msg *msg)
{
    cl_int code = CL_SUCCESS;
    for (uint32_t i = 0; i < launch->n_arg && !code; i++)
        if (launch->arg[i].kind == OCL_ARG_VALUE)
            code = clSetKernelArg(launch->kernel, i, launch->arg[i].bytes, &launch->arg[i].value);
    return ocl_check(msg, code, name);
}

int32_t ocl_add_launch(ocl_build *build, const ocl_text *source, const char *name, const ocl_args *args, cl_uint rank,
                       const size_t *global, const size_t *local)
{
    int32_t s = check_args(build, args);
    if (s) return s;
    if (source->failed) return ocl_fail(build->msg, TN_ENOMEM, "no memory for a kernel's source");
    for (cl_uint d = 0; d < rank; d++)
        if (!global[d]) return TN_OK;
    build->launches++;
    if (!build->kernel) return TN_OK;
    ocl_launch *launch = &build->kernel->launch[build->kernel->n_launch++];
    launch->rank = rank;
    for (cl_uint d = 0; d < rank; d++) {
        launch->local[d] = local[d];
        launch->global[d] = (global[d] + local[d] - 1) / local[d] * local[d];
    }
    launch->arg = ocl_alloc(args->n * sizeof *launch->arg);
    if (!launch->arg) return ocl_fail(build->msg, TN_ENOMEM, "no memory for a kernel's arguments");
    memcpy(launch->arg, args->arg, args->n * sizeof *launch->arg);
    launch->n_arg = args->n;
    s = ocl_kernel_get(build->context, source, name, &launch->kernel, build->msg);
    return s ? s : set_constants(launch, name, build->msg);
}

/* ---- preparing -------------------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    int32_t (*prepare)(ocl_build *build);
} operators[] = {
    {"map", ocl_prepare_map},
    {"reduce", ocl_prepare_reduce},
    {"matmul", ocl_prepare_matmul},
    {"softmax", ocl_prepare_softmax},
    {"log_softmax", ocl_prepare_softmax},
    {"transpose", ocl_prepare_transpose},
    {"gather", ocl_prepare_gather},
    {"window", ocl_prepare_window},
    {"slice", ocl_prepare_slice},
    {"unslice", ocl_prepare_unslice},
    {"concat", ocl_prepare_concat},
    {"scatter_add", ocl_prepare_scatter_add},
    {"take", ocl_prepare_take},
    {"put", ocl_prepare_put},
    {"cumsum", ocl_prepare_cumsum},
    {"topk", ocl_prepare_topk},
    {"searchsorted", ocl_prepare_searchsorted},
    {"conv2d", ocl_prepare_conv},
    {"conv2d_data", ocl_prepare_conv},
    {"conv2d_weight", ocl_prepare_conv},
    {"maxpool2d", ocl_prepare_pool},
    {"maxpool2d_grad", ocl_prepare_pool},
    {"avgpool2d", ocl_prepare_pool},
    {"avgpool2d_grad", ocl_prepare_pool},
};

/* Bytes from an operand's start to the end of its last element. */
static uint64_t operand_bytes(const tn_tensor_desc *t)
{
    int64_t last = 0;
    for (int d = 0; d < t->rank; d++) {
        if (!t->dim[d]) return 0;
        last += (t->dim[d] - 1) * t->stride[d];
    }
    return (uint64_t)(last + 1) * tn_dtype_size(t->dtype);
}

static int32_t check_desc(const tn_op_desc *desc, tn_msg *msg)
{
    if (!desc || !TN_HAS(tn_op_desc, desc, alias) || !desc->name)
        return ocl_fail(msg, TN_EINVAL, "op_prepare: the description is incomplete");
    if (!tn_attrs_known(desc, offsetof(tn_op_desc, precision)))
        return ocl_fail(msg, TN_EUNSUPPORTED, "%s: a precision, or a description of a later version", desc->name);
    if (desc->n_in > OCL_MAX_OPERANDS || desc->n_out > OCL_MAX_OPERANDS)
        return ocl_fail(msg, TN_EUNSUPPORTED, "%s: %u inputs and %u outputs are too many", desc->name, desc->n_in,
                        desc->n_out);
    if ((desc->n_in && !desc->in) || (desc->n_out && !desc->out) || !desc->n_out)
        return ocl_fail(msg, TN_EINVAL, "%s: operands are missing", desc->name);
    for (uint32_t k = 0; k < desc->n_out && desc->alias; k++)
        if (desc->alias[k] < -1 || desc->alias[k] >= (int32_t)desc->n_in)
            return ocl_fail(msg, TN_EINVAL, "%s: output %u overwrites input %d of %u", desc->name, k,
                            (int)desc->alias[k], desc->n_in);
    return TN_OK;
}

static tn_kernel *kernel_new(tn_context *context, const tn_op_desc *desc)
{
    tn_kernel *kernel = ocl_alloc(sizeof *kernel);
    if (!kernel) return NULL;
    pthread_mutex_init(&kernel->lock, NULL);
    kernel->context = context;
    kernel->n_in = desc->n_in;
    kernel->n_out = desc->n_out;
    for (uint32_t i = 0; i < desc->n_in; i++) kernel->in_bytes[i] = operand_bytes(&desc->in[i]);
    for (uint32_t k = 0; k < desc->n_out; k++) {
        kernel->out_bytes[k] = operand_bytes(&desc->out[k]);
        kernel->alias[k] = desc->alias ? desc->alias[k] : -1;
    }
    return kernel;
}

static int32_t find_operator(const char *name, size_t *found, tn_msg *msg)
{
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
        if (strcmp(operators[i].name, name)) continue;
        *found = i;
        return TN_OK;
    }
    return ocl_fail(msg, TN_EUNSUPPORTED, "unknown operator '%s'", name);
}

int32_t ocl_op_prepare(tn_context *context, const tn_op_desc *desc, tn_kernel **kernel, tn_kernel_info *info,
                       tn_msg *msg)
{
    size_t which = 0;
    int32_t s = check_desc(desc, msg);
    if (!s) s = find_operator(desc->name, &which, msg);
    if (s) return s;
    ocl_build build = {.context = context, .desc = desc, .msg = msg};
    /* Ask first: what is refused must not have been built. */
    s = operators[which].prepare(&build);
    if (!s && kernel) {
        build = (ocl_build){.context = context, .desc = desc, .msg = msg, .kernel = kernel_new(context, desc)};
        if (!build.kernel) return ocl_fail(msg, TN_ENOMEM, "%s: no memory", desc->name);
        s = operators[which].prepare(&build);
        build.kernel->scratch = build.scratch;
        build.kernel->n_scalar = build.n_scalar;
    }
    if (s) {
        ocl_op_release(build.kernel);
        return s;
    }
    if (info) {
        const tn_kernel_info full = {.scratch = build.scratch, .launches = build.launches};
        tn_answer(info, &full, sizeof full);
    }
    if (kernel) *kernel = build.kernel;
    return TN_OK;
}

void ocl_op_release(tn_kernel *kernel)
{
    if (!kernel) return;
    for (uint32_t i = 0; i < kernel->n_launch; i++) {
        if (kernel->launch[i].kernel) clReleaseKernel(kernel->launch[i].kernel);
        ocl_free(kernel->launch[i].arg);
    }
    ocl_gemm_release(kernel->gemm);
    pthread_mutex_destroy(&kernel->lock);
    ocl_free(kernel);
}

/* ---- running ---------------------------------------------------------------------------------------------------- */

static int32_t check_run(const tn_kernel *kernel, const tn_run *run, tn_msg *msg)
{
    int32_t s = TN_OK;
    if ((kernel->n_in && !run->in) || !run->out || run->n_scalar < kernel->n_scalar ||
        (kernel->n_scalar && !run->scalar))
        return ocl_fail(msg, TN_EINVAL, "op_run: operands or scalars are missing");
    for (uint32_t i = 0; i < kernel->n_in && !s; i++)
        s = ocl_range(&run->in[i], kernel->in_bytes[i], "op_run: input", msg);
    for (uint32_t k = 0; k < kernel->n_out && !s; k++) {
        s = ocl_range(&run->out[k], kernel->out_bytes[k], "op_run: output", msg);
        if (s || kernel->alias[k] < 0) continue;
        const tn_ref *in = &run->in[kernel->alias[k]], *out = &run->out[k];
        if (in->buffer != out->buffer || in->offset != out->offset)
            s = ocl_fail(msg, TN_EINVAL, "op_run: output %u is not input %d as prepared", k, (int)kernel->alias[k]);
    }
    if (!s && kernel->scratch) s = ocl_range(&run->scratch, kernel->scratch, "op_run: scratch", msg);
    return s;
}

static cl_mem ref_mem(const tn_ref *ref)
{
    return ref->buffer ? ref->buffer->mem : NULL;
}

/* The argument's bytes for this run. */
static uint64_t arg_value(const ocl_arg *arg, const tn_run *run)
{
    uint64_t bits = 0;
    cl_mem mem;
    float f;
    int64_t at;
    switch (arg->kind) {
    case OCL_ARG_IN:
        mem = ref_mem(&run->in[arg->index]);
        break;
    case OCL_ARG_OUT:
        mem = ref_mem(&run->out[arg->index]);
        break;
    case OCL_ARG_SCRATCH:
        mem = ref_mem(&run->scratch);
        break;
    case OCL_ARG_IN_OFFSET:
        return run->in[arg->index].offset / arg->unit;
    case OCL_ARG_OUT_OFFSET:
        return run->out[arg->index].offset / arg->unit;
    case OCL_ARG_SCRATCH_OFFSET:
        return run->scratch.offset + arg->value;
    case OCL_ARG_F32:
        f = (float)run->scalar[arg->index].f;
        memcpy(&bits, &f, sizeof f);
        return bits;
    case OCL_ARG_I32:
        return (uint32_t)run->scalar[arg->index].i;
    case OCL_ARG_ROW:
        at = run->scalar[arg->index].i;
        return (uint64_t)ocl_max(0, ocl_min(at, (int64_t)arg->value));
    default:
        return (uint64_t)run->scalar[arg->index].i; /* the bits of a double, too */
    }
    memcpy(&bits, &mem, sizeof mem);
    return bits;
}

/* The kernel's lock is held. */
static cl_int launch_run(cl_command_queue queue, ocl_launch *launch, const tn_run *run)
{
    for (uint32_t i = 0; i < launch->n_arg; i++) {
        ocl_arg *arg = &launch->arg[i];
        if (arg->kind == OCL_ARG_VALUE) continue;
        uint64_t bits = arg_value(arg, run);
        if (arg->is_set && arg->last == bits) continue;
        cl_int code = clSetKernelArg(launch->kernel, i, arg->bytes, &bits);
        if (code) return code;
        arg->last = bits;
        arg->is_set = 1;
    }
    return clEnqueueNDRangeKernel(queue, launch->kernel, launch->rank, NULL, launch->global, launch->local, 0, NULL,
                                  NULL);
}

int32_t ocl_op_run(tn_queue *queue, tn_kernel *kernel, const tn_run *run, tn_msg *msg)
{
    cl_int code = CL_SUCCESS;
    tn_msg own = ocl_queue_msg(queue);
    int32_t s = ocl_queue_error(queue, msg);
    if (!s) s = ocl_queue_stick(queue, check_run(kernel, run, &own), msg);
    if (!s && kernel->gemm) s = ocl_gemm_run(queue, kernel, run, msg);
    if (s) return s;
    pthread_mutex_lock(&kernel->lock);
    for (uint32_t i = 0; i < kernel->n_launch && !code; i++) {
        code = launch_run(queue->cl, &kernel->launch[i], run);
        queue->stats.launches += !code;
    }
    pthread_mutex_unlock(&kernel->lock);
    return ocl_queue_check(queue, code, "clEnqueueNDRangeKernel", msg);
}
