/* softmax.c: softmax and its logarithm over the middle of three dimensions. Lines of few elements are turned, so that
 * vectors are of an element of many lines each. */
#include "prog.h"
#include "turn.h"

enum { SHORT = 32 /* elements of a line: fewer are turned */, TOGETHER = 64 /* lines */ };

typedef struct softmax_kernel {
    tn_kernel kernel;
    int logs, type;
    int64_t outer, n, inner;
} softmax_kernel;

static int32_t prepare(tn_context *context, const tn_op_desc *desc, const tn_op_facts *facts, tn_kernel **kernel,
                       tn_msg *msg)
{
    (void)context;
    const int32_t s = cpu_new_kernel(sizeof(softmax_kernel), kernel, msg);
    if (s) return s;
    softmax_kernel *k = (softmax_kernel *)*kernel;
    k->logs = *desc->name == 'l';
    k->type = cpu_type_of(facts->dtype);
    k->outer = facts->size.o, k->n = facts->size.n, k->inner = facts->size.j;
    return TN_OK;
}

typedef struct softmax_run {
    const softmax_kernel *kernel;
    const cpu_run *run;
} softmax_run;

/* So many lines, at most TOGETHER. */
static void run_turned(const softmax_kernel *k, int64_t lines, const float *x, float *y)
{
    float turned[SHORT * TOGETHER] __attribute__((aligned(CPU_ALIGN)));
    cpu_turn(lines, k->n, x, k->n, turned, lines);
    cpu_code->rows->softmax(CPU_F32, k->logs, k->n, lines, turned, turned);
    cpu_turn(k->n, lines, turned, lines, y, k->n);
}

static void run_slices(void *arg, int64_t begin, int64_t end, int thread)
{
    (void)thread;
    const softmax_kernel *k = ((const softmax_run *)arg)->kernel;
    const cpu_run *at = ((const softmax_run *)arg)->run;
    const int64_t bytes = k->n * k->inner * (k->type == CPU_F64 ? 8 : 4);
    const int64_t together = k->type == CPU_F32 && k->inner == 1 && k->n < SHORT ? TOGETHER : 1;
    for (int64_t o = begin; o < end; o += together) {
        const char *x = at->in[0] + o * bytes;
        char *y = at->out[0] + o * bytes;
        if (together > 1)
            run_turned(k, min_of(together, end - o), (const float *)(const void *)x, (float *)(void *)y);
        else
            cpu_code->rows->softmax(k->type, k->logs, k->n, k->inner, x, y);
    }
}

static void run(const tn_kernel *kernel, const cpu_run *at)
{
    const softmax_kernel *k = (const softmax_kernel *)kernel;
    const int64_t slice = k->n * k->inner;
    if (slice == 0) return;
    const double each = k->type == CPU_F64 ? 120 : 15;
    const int threads = cpu_threads(at->queue, (double)(k->outer * slice) * each);
    cpu_parallel(at->queue, threads, k->outer, run_slices, &(softmax_run){k, at});
}

const cpu_op cpu_softmax = {"softmax", CPU_FLOATS | CPU_FLUSHES, 1, prepare, run, NULL, NULL};
const cpu_op cpu_log_softmax = {"log_softmax", CPU_FLOATS | CPU_FLUSHES, 1, prepare, run, NULL, NULL};
