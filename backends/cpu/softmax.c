/* softmax.c: softmax and its logarithm over the middle of three dimensions. */
#include "cpu.h"

typedef struct softmax_kernel {
    tn_kernel kernel;
    int logs, type;
    int64_t outer, n, inner;
} softmax_kernel;

static int32_t prepare(const tn_op_desc *desc, int logs, tn_kernel **kernel, tn_msg *msg)
{
    int32_t s = cpu_check_attrs(desc, 0, msg);
    if (!s) s = cpu_check_counts(desc, 1, 1, msg);
    if (!s) s = cpu_check_desc(&desc->in[0], desc->name, "the input", 0, msg);
    if (!s) s = cpu_check_desc(&desc->out[0], desc->name, "the output", 0, msg);
    if (s) return s;
    const tn_tensor_desc *x = desc->in, *y = desc->out;
    if (x->rank != 3 || !cpu_same_shape(x, y))
        return cpu_fail(msg, TN_ESHAPE, "%s: input and output must have one shape of rank 3", desc->name);
    if (x->dtype != y->dtype || (x->dtype != TN_F32 && x->dtype != TN_F64))
        return cpu_fail(msg, TN_EUNSUPPORTED, "%s: only from f32 to f32 and f64 to f64", desc->name);
    s = cpu_new_kernel(sizeof(softmax_kernel), kernel, msg);
    if (s) return s;
    softmax_kernel *k = (softmax_kernel *)*kernel;
    k->logs = logs;
    k->type = x->dtype == TN_F64 ? CPU_F64 : CPU_F32;
    k->outer = x->dim[0], k->n = x->dim[1], k->inner = x->dim[2];
    return TN_OK;
}

static int32_t prepare_plain(tn_context *context, const tn_op_desc *desc, tn_kernel **kernel, tn_msg *msg)
{
    (void)context;
    return prepare(desc, 0, kernel, msg);
}

static int32_t prepare_log(tn_context *context, const tn_op_desc *desc, tn_kernel **kernel, tn_msg *msg)
{
    (void)context;
    return prepare(desc, 1, kernel, msg);
}

typedef struct softmax_run {
    const softmax_kernel *kernel;
    const cpu_run *run;
} softmax_run;

static void run_slices(void *arg, int64_t begin, int64_t end, int thread)
{
    (void)thread;
    const softmax_kernel *k = ((const softmax_run *)arg)->kernel;
    const cpu_run *at = ((const softmax_run *)arg)->run;
    const int64_t bytes = k->n * k->inner * (k->type == CPU_F64 ? 8 : 4);
    for (int64_t o = begin; o < end; o++)
        cpu_code->rows->softmax(k->type, k->logs, k->n, k->inner, at->in[0] + o * bytes, at->out[0] + o * bytes);
}

static void run(const tn_kernel *kernel, const cpu_run *at)
{
    const softmax_kernel *k = (const softmax_kernel *)kernel;
    const int64_t slice = k->n * k->inner;
    if (slice == 0) return;
    const double each = k->type == CPU_F64 ? 120 : 15;
    const int threads = cpu_threads(at->queue, (double)(k->outer * slice) * each);
    cpu_parallel(threads, k->outer, run_slices, &(softmax_run){k, at});
}

const cpu_op cpu_softmax = {"softmax", prepare_plain, run, NULL};
const cpu_op cpu_log_softmax = {"log_softmax", prepare_log, run, NULL};
