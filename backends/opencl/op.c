/* op.c: prepared operators: gathering arguments, building launches, and running them. */
#include "opencl.h"
#include "tenon/backend_float.h"

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

void ocl_arg_float(ocl_args *args, float value)
{
    memcpy(&next_arg(args, OCL_ARG_VALUE, 0, sizeof value)->value, &value, sizeof value);
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

/* In a step, who calls it sees to what it flushes. */
static int32_t get_part(ocl_build *build, ocl_launch *launch, const ocl_text *source)
{
    if (!launch->in_step) return ocl_part_get(build->context, source, build->flushes, 0, &launch->part, build->msg);
    ocl_text text = {.length = 0};
    ocl_step_source(&text, launch, source);
    const int32_t s = text.failed ? ocl_fail(build->msg, TN_ENOMEM, "out of memory for a kernel's source")
                                  : ocl_part_get(build->context, &text, 0, 1, &launch->part, build->msg);
    ocl_text_free(&text);
    return s;
}

int32_t ocl_add_launch(ocl_build *build, const ocl_text *source, const char *name, const ocl_args *args, cl_uint rank,
                       const size_t *global, const size_t *local)
{
    int32_t s = check_args(build, args);
    if (s) return s;
    if (source->failed) return ocl_fail(build->msg, TN_ENOMEM, "out of memory for a kernel's source");
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
    if (!launch->arg) return ocl_fail(build->msg, TN_ENOMEM, "out of memory for a kernel's arguments");
    memcpy(launch->arg, args->arg, args->n * sizeof *launch->arg);
    launch->n_arg = args->n;
    launch->name = name;
    launch->flushes = build->flushes;
    launch->in_step = ocl_step_takes(build->context, launch);
    s = ocl_dump(build->context, launch, source, build->flushes, build->msg);
    return s ? s : get_part(build, launch, source);
}

/* ---- preparing -------------------------------------------------------------------------------------------------- */

#define FLUSHES (1u << 31) /* beside the types */
#define ANY     (FLUSHES - 1)
#define FLOATS  (1u << TN_F32 | 1u << TN_F64)
#define NUMBERS (FLOATS | 1u << TN_I32)

static const struct {
    const char *name;
    uint32_t types;    /* that it takes as facts->dtype: a bit each; and whether it flushes */
    uint32_t in_place; /* an output may be written over an input */
    int32_t (*prepare)(ocl_build *build);
    int tunes; /* there are families of kernels for it, some for less precision: 1: on GPUs; 2: on processors, too */
} operators[] = {
    {"map", ANY, 1, ocl_prepare_map},
    {"reduce", ANY, 0, ocl_prepare_reduce},
    {"matmul", FLOATS | FLUSHES, 1, ocl_prepare_matmul, 2},
    {"softmax", ANY | FLUSHES, 1, ocl_prepare_softmax},
    {"log_softmax", ANY | FLUSHES, 1, ocl_prepare_softmax},
    {"transpose", ANY, 0, ocl_prepare_transpose},
    {"gather", ANY, 0, ocl_prepare_gather},
    {"window", ANY, 0, ocl_prepare_window},
    {"slice", ANY, 0, ocl_prepare_slice},
    {"unslice", ANY, 0, ocl_prepare_unslice},
    {"concat", ANY, 0, ocl_prepare_concat},
    {"scatter_add", NUMBERS, 0, ocl_prepare_scatter_add},
    {"take", ANY, 0, ocl_prepare_take},
    {"put", NUMBERS, 0, ocl_prepare_put},
    {"cumsum", NUMBERS, 0, ocl_prepare_cumsum},
    {"topk", NUMBERS, 0, ocl_prepare_topk},
    {"searchsorted", NUMBERS, 0, ocl_prepare_searchsorted},
    {"conv2d", FLOATS | FLUSHES, 1, ocl_prepare_conv, 1},
    {"conv2d_data", FLOATS | FLUSHES, 0, ocl_prepare_conv, 1},
    {"conv2d_weight", FLOATS | FLUSHES, 0, ocl_prepare_conv, 1},
    {"attend", FLOATS | FLUSHES, 0, ocl_prepare_attend},
    {"attend_grad", FLOATS | FLUSHES, 0, ocl_prepare_attend_grad},
    {"layer_norm", FLOATS | FLUSHES, 0, ocl_prepare_layer_norm},
    {"layer_norm_grad", FLOATS | FLUSHES, 0, ocl_prepare_layer_norm_grad},
    {"maxpool2d", NUMBERS, 0, ocl_prepare_pool},
    {"maxpool2d_grad", FLOATS, 0, ocl_prepare_pool},
    {"avgpool2d", FLOATS, 0, ocl_prepare_pool},
    {"avgpool2d_grad", FLOATS, 0, ocl_prepare_pool},
};

/* Whether f64 occurs anywhere. */
static int has_f64(const tn_op_desc *desc, const tn_map_attrs *map)
{
    int found = 0;
    for (uint32_t i = 0; i < desc->n_in + desc->n_out; i++) found |= tn_operand(desc, i)->dtype == TN_F64;
    for (uint32_t i = 0; map && i < map->n_instr; i++) found |= map->instr[i].dtype == TN_F64;
    return found;
}

/* The operator's place in the table; or what this backend can't do of what is right. */
static int32_t find_operator(const tn_context *context, const tn_op_desc *desc, const tn_op_facts *facts, size_t *found,
                             tn_msg *msg)
{
    size_t i = 0;
    const size_t n = sizeof operators / sizeof *operators;
    while (i < n && strcmp(operators[i].name, desc->name)) i++;
    if (i == n) return ocl_fail(msg, TN_EUNSUPPORTED, "unknown operator '%s'", desc->name);
    if (!(operators[i].types >> facts->dtype & 1))
        return ocl_fail(msg, TN_EUNSUPPORTED, "%s: not of elements of type %d", desc->name, (int)facts->dtype);
    if (!context->has_f64 && has_f64(desc, facts->mapping.map))
        return ocl_fail(msg, TN_EUNSUPPORTED, "%s: the device has no f64", desc->name);
    *found = i;
    return operators[i].in_place ? TN_OK : tn_check_not_in_place(desc, msg);
}

/* Whether results that would be denormal may be zero: an optimizer's moments shrink by a factor each step until they
 * are, softmax makes them of what a mask hides, and products of them; on processors each costs a hundred cycles. Of
 * maps, only where one multiplies: the sums of a batch's shards are also made by the host, and have the same bits. */
static int may_flush(const tn_context *context, const tn_op_desc *desc, size_t which)
{
    const tn_map_attrs *map = strcmp(desc->name, "map") ? NULL : desc->attrs;
    if (!context->is_cpu) return 0;
    for (uint32_t i = 0; map && i < map->n_instr; i++)
        if (!strcmp(map->instr[i].op, "mul") || !strcmp(map->instr[i].op, "square")) return 1;
    return (operators[which].types & FLUSHES) != 0;
}

static tn_kernel *kernel_new(tn_context *context, const tn_op_desc *desc)
{
    tn_kernel *kernel = ocl_alloc(sizeof *kernel);
    if (!kernel) return NULL;
    pthread_mutex_init(&kernel->lock, NULL);
    kernel->context = context;
    kernel->n_in = desc->n_in;
    kernel->n_out = desc->n_out;
    for (uint32_t i = 0; i < desc->n_in; i++) kernel->in_bytes[i] = tn_desc_extent(&desc->in[i]);
    for (uint32_t k = 0; k < desc->n_out; k++) {
        kernel->out_bytes[k] = tn_desc_extent(&desc->out[k]);
        kernel->alias[k] = desc->alias ? desc->alias[k] : -1;
    }
    return kernel;
}

/* What a build begins with, of a description that can be done. `build` must not move. */
static int32_t begin(tn_context *context, const tn_op_desc *desc, tn_op_facts *facts, ocl_build *build, size_t *which,
                     tn_msg *msg)
{
    *build = (ocl_build){.context = context, .desc = &build->plain, .facts = facts, .msg = msg};
    int32_t s = tn_take_precision(desc, &build->plain, &build->level, msg);
    if (!s) s = tn_check_op_with(build->desc, TN_TAKES_CHANNELS_LAST | TN_TAKES_STORED, facts, msg);
    if (!s) s = find_operator(context, build->desc, facts, which, msg);
    if (!s && build->level && !operators[*which].tunes)
        s = ocl_fail(msg, TN_EUNSUPPORTED, "%s: no faster with less precision", desc->name);
    if (!s) build->flushes = may_flush(context, build->desc, *which);
    return s;
}

/* Asks, or, with a kernel, makes; what can't be made as was chosen before is made as the figures say. */
static int32_t try_choice(ocl_build *build, size_t which)
{
    build->scratch = build->launches = 0;
    int32_t s = operators[which].prepare(build);
    if (s != TN_EUNSUPPORTED || build->only || !build->choice) return s;
    build->choice = NULL;
    build->scratch = build->launches = 0;
    return operators[which].prepare(build);
}

/* Makes the kernel of a description of which it is known that it can be done. */
static int32_t make(ocl_build *build, size_t which, tn_kernel **kernel)
{
    build->kernel = kernel_new(build->context, build->desc);
    if (!build->kernel) return ocl_fail(build->msg, TN_ENOMEM, "%s: no memory", build->desc->name);
    int32_t s = try_choice(build, which);
    build->kernel->scratch = build->scratch;
    build->kernel->n_scalar = build->n_scalar;
    build->kernel->used = build->used;
    build->kernel->is_tuned = build->choice && build->choice->family && build->used.family == build->choice->family;
    if (s)
        ocl_op_release(build->kernel);
    else
        *kernel = build->kernel;
    return s;
}

/* choice: NULL: the one that was made for such operators before, if there is one. */
static int32_t prepare(tn_context *context, const tn_op_desc *desc, const ocl_choice *choice, tn_kernel **kernel,
                       tn_kernel_info *info, tn_msg *msg)
{
    tn_op_facts facts;
    size_t which = 0;
    ocl_build build;
    ocl_choice tuned;
    int32_t s = begin(context, desc, &facts, &build, &which, msg);
    if (s) return s;
    build.wants_sizes = info != NULL;
    build.choice = choice;
    build.only = choice && choice->family;
    if (!choice && operators[which].tunes && ocl_tuned_find(&build, &tuned)) build.choice = &tuned;
    s = try_choice(&build, which); /* ask first: what is refused must not have been built */
    if (!s && kernel) s = make(&build, which, kernel);
    if (s || !info) return s;
    const tn_kernel_info full = {.scratch = build.scratch, .launches = build.launches};
    tn_answer(info, &full, sizeof full);
    return TN_OK;
}

int32_t ocl_op_prepare_by(tn_context *context, const tn_op_desc *desc, const ocl_choice *choice, tn_kernel **kernel,
                          tn_kernel_info *info, tn_msg *msg)
{
    const tn_float_mode mode = tn_float_begin(); /* constants become f32 */
    const int32_t s = prepare(context, desc, choice, kernel, info, msg);
    tn_float_end(mode);
    return s;
}

int32_t ocl_op_prepare(tn_context *context, const tn_op_desc *desc, tn_kernel **kernel, tn_kernel_info *info,
                       tn_msg *msg)
{
    return ocl_op_prepare_by(context, desc, NULL, kernel, info, msg);
}

int32_t ocl_op_begin(tn_context *context, const tn_op_desc *desc, tn_op_facts *facts, ocl_build *build, tn_msg *msg)
{
    size_t which = 0;
    int32_t s = begin(context, desc, facts, build, &which, msg);
    if (s || operators[which].tunes > context->cpu_shape) return s;
    return ocl_fail(msg, TN_EUNSUPPORTED, "%s: there is one kernel", desc->name);
}

int32_t ocl_op_ask(ocl_build *build)
{
    size_t i = 0;
    while (strcmp(operators[i].name, build->desc->name)) i++;
    build->only = 1;
    return operators[i].prepare(build);
}

int32_t ocl_no_such(const ocl_build *build)
{
    return ocl_fail(build->msg, TN_EUNSUPPORTED, "%s: no kernel of these numbers for the device or the sizes",
                    build->desc->name);
}

void ocl_op_release(tn_kernel *kernel)
{
    if (!kernel) return;
    for (uint32_t i = 0; i < kernel->n_launch; i++) {
        if (kernel->launch[i].kernel) clReleaseKernel(kernel->launch[i].kernel);
        ocl_part_release(kernel->context, kernel->launch[i].part);
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

uint64_t ocl_arg_value(const ocl_arg *arg, const tn_run *run)
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

/* The values that never change. */
static int32_t set_constants(const ocl_launch *launch, cl_kernel kernel, tn_msg *msg)
{
    cl_int code = CL_SUCCESS;
    for (uint32_t i = 0; i < launch->n_arg && !code; i++)
        if (launch->arg[i].kind == OCL_ARG_VALUE)
            code = clSetKernelArg(kernel, i, launch->arg[i].bytes, &launch->arg[i].value);
    return ocl_check(msg, code, launch->name);
}

static int32_t make_launch_ready(tn_context *context, ocl_launch *launch, tn_msg *msg)
{
    cl_kernel kernel = NULL;
    if (launch->in_step)
        return ocl_part_step(context, launch->part, launch->name, &launch->program, &launch->call, msg);
    int32_t s = ocl_part_kernel(context, launch->part, launch->name, &kernel, msg);
    if (!s) s = set_constants(launch, kernel, msg);
    if (!s)
        launch->kernel = kernel;
    else if (kernel)
        clReleaseKernel(kernel);
    return s;
}

/* The kernel's lock is held. */
static int32_t make_ready(tn_kernel *kernel, tn_msg *msg)
{
    int32_t s = TN_OK;
    for (uint32_t i = 0; i < kernel->n_launch && !s; i++)
        if (!kernel->launch[i].kernel && !kernel->launch[i].program)
            s = make_launch_ready(kernel->context, &kernel->launch[i], msg);
    kernel->is_ready = !s;
    return s;
}

static int32_t op_ready(tn_kernel *kernel, tn_msg *msg)
{
    const tn_float_mode mode = tn_float_begin();
    pthread_mutex_lock(&kernel->lock);
    const int32_t s = kernel->is_ready ? TN_OK : make_ready(kernel, msg);
    pthread_mutex_unlock(&kernel->lock);
    tn_float_end(mode);
    return s;
}

const tn_ext_ready ocl_ready = {sizeof ocl_ready, op_ready};

/* The kernel's lock is held. */
static cl_int run_alone(tn_queue *queue, ocl_launch *launch, const tn_run *run, cl_event *event)
{
    for (uint32_t i = 0; i < launch->n_arg; i++) {
        ocl_arg *arg = &launch->arg[i];
        if (arg->kind == OCL_ARG_VALUE) continue;
        uint64_t bits = ocl_arg_value(arg, run);
        if (arg->is_set && arg->last == bits) continue;
        cl_int code = clSetKernelArg(launch->kernel, i, arg->bytes, &bits);
        if (code) {
            queue->call = "clSetKernelArg";
            return code;
        }
        arg->last = bits;
        arg->is_set = 1;
    }
    queue->call = "clEnqueueNDRangeKernel";
    return clEnqueueNDRangeKernel(queue->cl, launch->kernel, launch->rank, NULL, launch->global, launch->local, 0, NULL,
                                  event);
}

/* The kernel's lock is held. What is observed waits for nobody. */
static cl_int launch_run(tn_queue *queue, tn_kernel *kernel, ocl_launch *launch, const tn_run *run, cl_event *event)
{
    cl_int code = launch->in_step ? ocl_step_add(queue, kernel, launch, run) : ocl_step_end(queue, NULL);
    if (!code && !launch->in_step) return run_alone(queue, launch, run, event);
    return code || !queue->spans.room ? code : ocl_step_end(queue, event);
}

/* A product by CLBlast, whose commands are its own: those before and behind it mark when they began and ended. */
static int32_t run_gemm(tn_queue *queue, tn_kernel *kernel, const tn_run *run, ocl_span *span, tn_msg *msg)
{
    const cl_int code = ocl_step_end(queue, NULL);
    ocl_queue_check(queue, code, queue->call, msg);
    if (span)
        ocl_queue_check(queue, clEnqueueMarkerWithWaitList(queue->cl, 0, NULL, ocl_span_event(span, 1, 0)),
                        "clEnqueueMarker", msg);
    const int32_t s = queue->status ? ocl_queue_error(queue, msg) : ocl_gemm_run(queue, kernel, run, msg);
    if (s || !span || kernel->n_launch) return s;
    return ocl_queue_check(queue, clEnqueueMarkerWithWaitList(queue->cl, 0, NULL, ocl_span_event(span, 0, 1)),
                           "clEnqueueMarker", msg);
}

static int32_t enqueue_run(tn_queue *queue, tn_kernel *kernel, const tn_run *run, tn_msg *msg)
{
    cl_int code = CL_SUCCESS;
    tn_msg own = ocl_queue_msg(queue);
    int32_t s = ocl_queue_error(queue, msg);
    if (!s) s = ocl_queue_stick(queue, check_run(kernel, run, &own), msg);
    ocl_span *span = s ? NULL : ocl_span_next(queue);
    if (!s && kernel->gemm) s = run_gemm(queue, kernel, run, span, msg);
    if (s) return s;
    pthread_mutex_lock(&kernel->lock);
    if (!kernel->is_ready) s = make_ready(kernel, &own);
    for (uint32_t i = 0; i < kernel->n_launch && !code && !s; i++) {
        cl_event *event = ocl_span_event(span, !i && !kernel->gemm, i + 1 == kernel->n_launch);
        code = launch_run(queue, kernel, &kernel->launch[i], run, event);
        queue->stats.launches += !code;
    }
    pthread_mutex_unlock(&kernel->lock);
    return s ? ocl_queue_stick(queue, s, msg) : ocl_queue_check(queue, code, queue->call, msg);
}

int32_t ocl_op_run(tn_queue *queue, tn_kernel *kernel, const tn_run *run, tn_msg *msg)
{
    const tn_float_mode mode = tn_float_begin(); /* scalars become f32; some drivers compute in this thread */
    const int32_t s = enqueue_run(queue, kernel, run, msg);
    tn_float_end(mode);
    return s;
}
