/* scan.c: operators that go along the lines of (outer, n, inner) one element after another: cumsum, topk. */
#include "cpu.h"

typedef struct line_kernel {
    tn_kernel kernel;
    int32_t dtype;
    uint32_t reverse, exclusive, smallest;
    int64_t outer, n, k, inner;
} line_kernel;

static int32_t prepare_line(tn_context *context, const tn_op_desc *desc, const tn_op_facts *facts, tn_kernel **kernel,
                            tn_msg *msg)
{
    (void)context, (void)desc;
    const int32_t s = cpu_new_kernel(sizeof(line_kernel), kernel, msg);
    if (s) return s;
    line_kernel *k = (line_kernel *)*kernel;
    k->dtype = facts->dtype;
    k->outer = facts->size.o, k->n = facts->size.n, k->inner = facts->size.j, k->k = facts->size.m;
    return TN_OK;
}

/* ---- cumsum ----------------------------------------------------------------------------------------------------- */

static int32_t prepare_cumsum(tn_context *context, const tn_op_desc *desc, const tn_op_facts *facts, tn_kernel **kernel,
                              tn_msg *msg)
{
    const tn_cumsum_attrs *a = desc->attrs;
    const int32_t s = prepare_line(context, desc, facts, kernel, msg);
    if (s) return s;
    ((line_kernel *)*kernel)->reverse = a->reverse;
    ((line_kernel *)*kernel)->exclusive = a->exclusive;
    return TN_OK;
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

static void sum_lines(const tn_kernel *kernel, const cpu_run *at, int64_t begin, int64_t end)
{
    const line_kernel *k = (const line_kernel *)kernel;
    for (int64_t l = begin; l < end; l++)
        cumsum_of[k->dtype](k, at->in[0], at->out[0], l / k->inner * k->n * k->inner + l % k->inner);
}

static void run_cumsum(const tn_kernel *kernel, const cpu_run *at)
{
    const line_kernel *k = (const line_kernel *)kernel;
    const int64_t lines = k->outer * k->inner;
    cpu_share(kernel, at, (double)(lines * k->n) * 4, lines, sum_lines);
}

const cpu_op cpu_cumsum = {"cumsum", CPU_NUMBERS, 1, prepare_cumsum, run_cumsum, NULL, NULL};

/* ---- topk ------------------------------------------------------------------------------------------------------- */

static int32_t prepare_topk(tn_context *context, const tn_op_desc *desc, const tn_op_facts *facts, tn_kernel **kernel,
                            tn_msg *msg)
{
    const int32_t s = prepare_line(context, desc, facts, kernel, msg);
    if (!s) ((line_kernel *)*kernel)->smallest = ((const tn_topk_attrs *)desc->attrs)->smallest;
    return s;
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

static void rank_lines(const tn_kernel *kernel, const cpu_run *at, int64_t begin, int64_t end)
{
    static void (*const topk_of[])(const line_kernel *k, const char *from, int32_t *y) = {
        [TN_F32] = topk_float, [TN_I32] = topk_int32_t, [TN_F64] = topk_double};
    const line_kernel *k = (const line_kernel *)kernel;
    const int64_t size = k->dtype == TN_F64 ? 8 : 4;
    for (int64_t l = begin; l < end; l++) {
        const int64_t o = l / k->inner, j = l % k->inner;
        topk_of[k->dtype](k, at->in[0] + (o * k->n * k->inner + j) * size,
                          (int32_t *)(void *)at->out[0] + o * k->k * k->inner + j);
    }
}

static void run_topk(const tn_kernel *kernel, const cpu_run *at)
{
    const line_kernel *k = (const line_kernel *)kernel;
    const int64_t lines = k->outer * k->inner;
    if (k->k) cpu_share(kernel, at, (double)(lines * k->n) * 8, lines, rank_lines);
}

const cpu_op cpu_topk = {"topk", CPU_NUMBERS, 0, prepare_topk, run_topk, NULL, NULL};
