/* scan.c: operators that go along the lines of (outer, n, inner) one element after another: cumsum, topk. */
#include "cpu.h"

#include <omp.h>

typedef struct line_kernel {
    tn_kernel kernel;
    int32_t dtype;
    uint32_t reverse, exclusive, smallest;
    int64_t outer, n, k, inner;
} line_kernel;

static int32_t prepare_line(const tn_op_desc *desc, uint64_t attrs, tn_kernel **kernel, tn_msg *msg)
{
    int32_t s = cpu_check_attrs(desc, attrs, msg);
    if (!s) s = cpu_check_counts(desc, 1, 1, msg);
    if (!s) s = cpu_check_desc(&desc->in[0], desc->name, "the input", 0, msg);
    if (!s) s = cpu_check_desc(&desc->out[0], desc->name, "the output", 0, msg);
    if (s) return s;
    const tn_tensor_desc *x = desc->in, *y = desc->out;
    if (x->rank != 3 || y->rank != 3 || x->dim[0] != y->dim[0] || x->dim[2] != y->dim[2])
        return cpu_fail(msg, TN_ESHAPE, "%s: input and output are no (outer, n, inner) that fit", desc->name);
    if (x->dtype != TN_F32 && x->dtype != TN_I32 && x->dtype != TN_F64)
        return cpu_fail(msg, TN_EUNSUPPORTED, "%s: only of f32, i32 and f64", desc->name);
    s = cpu_new_kernel(sizeof(line_kernel), kernel, msg);
    if (s) return s;
    line_kernel *k = (line_kernel *)*kernel;
    k->dtype = x->dtype;
    k->outer = x->dim[0], k->n = x->dim[1], k->inner = x->dim[2], k->k = y->dim[1];
    return TN_OK;
}

/* ---- cumsum ----------------------------------------------------------------------------------------------------- */

static int32_t prepare_cumsum(tn_context *context, const tn_op_desc *desc, tn_kernel **kernel, tn_msg *msg)
{
    (void)context;
    const tn_cumsum_attrs *a = desc->attrs;
    const int32_t s = prepare_line(desc, sizeof *a, kernel, msg);
    if (s) return s;
    line_kernel *k = (line_kernel *)*kernel;
    k->reverse = a->reverse, k->exclusive = a->exclusive;
    if (desc->in[0].dtype == desc->out[0].dtype && k->n == k->k) return TN_OK;
    cpu_op_release(*kernel);
    return cpu_fail(msg, TN_EINVAL, "cumsum: input and output differ in type or shape");
}

/* One line; the sum S is wider than what is added up, whole numbers wrap. An element is read before its place is
 * written: in place is fine. */
#define CUMSUM(T, S)                                                                                                   \
    static void cumsum_##T(const line_kernel *k, const char *from, char *to, int64_t start)                            \
    {                                                                                                                  \
        const T *x = (const T *)(const void *)from + start;                                                            \
        T *y = (T *)(void *)to + start;                                                                                \
        S sum = 0;                                                                                                     \
        for (int64_t j = 0; j < k->n; j++) {                                                                           \
            const int64_t i = (k->reverse ? k->n - 1 - j : j) * k->inner;                                              \
            const S before = sum;                                                                                      \
            sum += x[i];                                                                                               \
            y[i] = (T)(k->exclusive ? before : sum);                                                                   \
        }                                                                                                              \
    }
CUMSUM(float, double)
CUMSUM(double, double)
CUMSUM(uint32_t, uint32_t)
static void (*const cumsum_of[])(const line_kernel *k, const char *from, char *to, int64_t start) = {
    [TN_F32] = cumsum_float, [TN_I32] = cumsum_uint32_t, [TN_F64] = cumsum_double};

static void run_cumsum(const tn_kernel *kernel, const cpu_run *at)
{
    const line_kernel *k = (const line_kernel *)kernel;
    const int64_t lines = k->outer * k->inner;
    const int threads = cpu_threads(at->queue, (double)(lines * k->n) * 4);
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
    for (int64_t l = 0; l < lines; l++)
        cumsum_of[k->dtype](k, at->in[0], at->out[0], l / k->inner * k->n * k->inner + l % k->inner);
}

const cpu_op cpu_cumsum = {"cumsum", prepare_cumsum, run_cumsum, NULL};

/* ---- topk ------------------------------------------------------------------------------------------------------- */

static int32_t prepare_topk(tn_context *context, const tn_op_desc *desc, tn_kernel **kernel, tn_msg *msg)
{
    (void)context;
    const tn_topk_attrs *a = desc->attrs;
    const int32_t s = prepare_line(desc, sizeof *a, kernel, msg);
    if (s) return s;
    line_kernel *k = (line_kernel *)*kernel;
    k->smallest = a->smallest;
    const int in_place = desc->alias && desc->alias[0] >= 0;
    if (desc->out[0].dtype == TN_I32 && k->k <= k->n && k->n <= INT32_MAX && !in_place) return TN_OK;
    cpu_op_release(*kernel);
    if (in_place) return cpu_fail(msg, TN_EUNSUPPORTED, "topk: in place");
    return cpu_fail(msg, TN_EINVAL, "topk: the output is not i32, or larger than the input");
}

/* The places found so far are kept in order; one that is better than the last of them is let in before all that it is
 * better than, so that of equals the first comes first. A NaN is larger than all. */
#define TOPK(T)                                                                                                        \
    static inline int better_##T(T a, T b, uint32_t smallest)                                                          \
    {                                                                                                                  \
        return smallest ? a < b || (b != b && a == a) : a > b || (a != a && b == b);                                   \
    }                                                                                                                  \
    static void topk_##T(const line_kernel *k, const char *from, int32_t *y)                                           \
    {                                                                                                                  \
        const T *x = (const T *)(const void *)from;                                                                    \
        const int64_t s = k->inner;                                                                                    \
        int64_t have = 0;                                                                                              \
        for (int64_t i = 0; i < k->n; i++) {                                                                           \
            if (have == k->k && !better_##T(x[i * s], x[y[(have - 1) * s] * s], k->smallest)) continue;                \
            int64_t to = have < k->k ? have++ : have - 1;                                                              \
            for (; to && better_##T(x[i * s], x[y[(to - 1) * s] * s], k->smallest); to--) y[to * s] = y[(to - 1) * s]; \
            y[to * s] = (int32_t)i;                                                                                    \
        }                                                                                                              \
    }
TOPK(float)
TOPK(double)
TOPK(int32_t)

static void run_topk(const tn_kernel *kernel, const cpu_run *at)
{
    static void (*const topk_of[])(const line_kernel *k, const char *from, int32_t *y) = {
        [TN_F32] = topk_float, [TN_I32] = topk_int32_t, [TN_F64] = topk_double};
    const line_kernel *k = (const line_kernel *)kernel;
    const int64_t lines = k->outer * k->inner, size = k->dtype == TN_F64 ? 8 : 4;
    if (k->k == 0) return;
    const int threads = cpu_threads(at->queue, (double)(lines * k->n) * 8);
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
    for (int64_t l = 0; l < lines; l++) {
        const int64_t o = l / k->inner, j = l % k->inner;
        topk_of[k->dtype](k, at->in[0] + (o * k->n * k->inner + j) * size,
                          (int32_t *)(void *)at->out[0] + o * k->k * k->inner + j);
    }
}

const cpu_op cpu_topk = {"topk", prepare_topk, run_topk, NULL};
