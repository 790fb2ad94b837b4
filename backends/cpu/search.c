/* search.c: searchsorted: the number of a line's elements that come before each value, by halves. */
#include "cpu.h"

typedef struct search_kernel {
    tn_kernel kernel;
    int32_t dtype;
    uint32_t right;
    int64_t lines, n, m;
} search_kernel;

static int32_t prepare(tn_context *context, const tn_op_desc *desc, const tn_op_facts *facts, tn_kernel **kernel,
                       tn_msg *msg)
{
    (void)context;
    const int32_t s = cpu_new_kernel(sizeof(search_kernel), kernel, msg);
    if (s) return s;
    search_kernel *k = (search_kernel *)*kernel;
    k->dtype = facts->dtype;
    k->right = ((const tn_searchsorted_attrs *)desc->attrs)->right;
    k->lines = facts->size.d, k->n = facts->size.n, k->m = facts->size.m;
    return TN_OK;
}

/* The place of value e. A NaN is larger than all. */
#define SEARCH(T)                                                                                                      \
    static inline int before_##T(T element, T value, uint32_t right)                                                   \
    {                                                                                                                  \
        return right ? element <= value || value != value : element < value || (value != value && element == element); \
    }                                                                                                                  \
    static int32_t search_##T(const search_kernel *k, const cpu_run *at, int64_t e)                                    \
    {                                                                                                                  \
        const T *line = (const T *)(const void *)at->in[0] + e / k->m * k->n;                                          \
        const T value = ((const T *)(const void *)at->in[1])[e];                                                       \
        int64_t low = 0, high = k->n;                                                                                  \
        while (low < high) {                                                                                           \
            const int64_t middle = (low + high) / 2;                                                                   \
            if (before_##T(line[middle], value, k->right))                                                             \
                low = middle + 1;                                                                                      \
            else                                                                                                       \
                high = middle;                                                                                         \
        }                                                                                                              \
        return (int32_t)low;                                                                                           \
    }
SEARCH(float)
SEARCH(double)
SEARCH(int32_t)

static void search_all(const tn_kernel *kernel, const cpu_run *at, int64_t begin, int64_t end)
{
    static int32_t (*const search_of[])(const search_kernel *k, const cpu_run *at, int64_t e) = {
        [TN_F32] = search_float, [TN_I32] = search_int32_t, [TN_F64] = search_double};
    const search_kernel *k = (const search_kernel *)kernel;
    int32_t *y = (int32_t *)(void *)at->out[0];
    for (int64_t e = begin; e < end; e++) y[e] = search_of[k->dtype](k, at, e);
}

static void run(const tn_kernel *kernel, const cpu_run *at)
{
    const search_kernel *k = (const search_kernel *)kernel;
    const int64_t count = k->lines * k->m;
    cpu_share(kernel, at, (double)count * 100, count, search_all);
}

const cpu_op cpu_searchsorted = {"searchsorted", CPU_NUMBERS, 0, prepare, run, NULL, NULL};
