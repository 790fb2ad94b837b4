/* index.c: operators that find elements by their places: scatter_add, take, put. Sums are taken in the order of the
 * index, whatever the number of threads. */
#include "cpu.h"

#include <string.h>

/* y[i] += x[i], of one type; whole numbers wrap. */
#define ADD(T)                                                                                                         \
    static void add_##T(int64_t n, char *to, const char *from)                                                         \
    {                                                                                                                  \
        T *y = (T *)(void *)to;                                                                                        \
        const T *x = (const T *)(const void *)from;                                                                    \
        for (int64_t i = 0; i < n; i++) y[i] += x[i];                                                                  \
    }
ADD(float)
ADD(double)
ADD(uint32_t)
static void (*const add_of[])(int64_t n, char *to, const char *from) = {
    [TN_F32] = add_float, [TN_I32] = add_uint32_t, [TN_F64] = add_double};

/* ---- scatter_add ------------------------------------------------------------------------------------------------ */

#define LINE 16 /* elements, at least, of a thread's part of a row */

typedef struct scatter_kernel {
    tn_kernel kernel;
    int32_t dtype;
    int64_t n, m, d, size;
} scatter_kernel;

static int32_t prepare_scatter(tn_context *context, const tn_op_desc *desc, const tn_op_facts *facts,
                               tn_kernel **kernel, tn_msg *msg)
{
    (void)context, (void)desc;
    const int32_t s = cpu_new_kernel(sizeof(scatter_kernel), kernel, msg);
    if (s) return s;
    scatter_kernel *k = (scatter_kernel *)*kernel;
    k->dtype = facts->dtype;
    k->n = facts->size.n, k->m = facts->size.m, k->d = facts->size.d;
    k->size = (int64_t)tn_dtype_size(facts->dtype);
    return TN_OK;
}

/* Whether each thread has columns of its own or, of narrow rows, rows of the output. */
static int by_columns(const scatter_kernel *k, const cpu_run *at)
{
    return k->d >= (int64_t)at->queue->context->threads * LINE;
}

/* Each goes through the whole index. */
static void scatter_part(const tn_kernel *kernel, const cpu_run *at, int64_t begin, int64_t end)
{
    const scatter_kernel *k = (const scatter_kernel *)kernel;
    const int by_column = by_columns(k, at);
    const int64_t low = by_column ? 0 : begin, high = by_column ? k->n : end;
    const int64_t first = by_column ? begin : 0, width = by_column ? end - begin : k->d;
    const int32_t *index = (const int32_t *)(const void *)at->in[0];
    if (width == 0) return;
    for (int64_t r = low; r < high; r++)
        memset(at->out[0] + (r * k->d + first) * k->size, 0, (uint64_t)(width * k->size));
    for (int64_t i = 0; i < k->m; i++)
        if (index[i] >= low && index[i] < high)
            add_of[k->dtype](width, at->out[0] + (index[i] * k->d + first) * k->size,
                             at->in[1] + (i * k->d + first) * k->size);
}

static void run_scatter(const tn_kernel *kernel, const cpu_run *at)
{
    const scatter_kernel *k = (const scatter_kernel *)kernel;
    const double work = (double)k->d * (double)(k->n + k->m) + 4 * (double)k->m;
    cpu_share(kernel, at, work, by_columns(k, at) ? k->d : k->n, scatter_part);
}

const cpu_op cpu_scatter_add = {"scatter_add", CPU_NUMBERS, 0, prepare_scatter, run_scatter, NULL, NULL};

/* ---- take and put ----------------------------------------------------------------------------------------------- */

/* Index and values are (outer, m, inner), the other operand is (outer, n, inner). */
typedef struct along_kernel {
    tn_kernel kernel;
    int32_t dtype;
    int64_t outer, n, m, inner, size;
} along_kernel;

static int32_t prepare_along(tn_context *context, const tn_op_desc *desc, const tn_op_facts *facts, tn_kernel **kernel,
                             tn_msg *msg)
{
    (void)context, (void)desc;
    const int32_t s = cpu_new_kernel(sizeof(along_kernel), kernel, msg);
    if (s) return s;
    along_kernel *k = (along_kernel *)*kernel;
    k->dtype = facts->dtype;
    k->outer = facts->size.o, k->m = facts->size.m, k->inner = facts->size.j, k->n = facts->size.n;
    k->size = (int64_t)tn_dtype_size(facts->dtype);
    return TN_OK;
}

static void take_elements(const tn_kernel *kernel, const cpu_run *at, int64_t begin, int64_t end)
{
    const along_kernel *k = (const along_kernel *)kernel;
    const int64_t size = k->size;
    const int32_t *index = (const int32_t *)(const void *)at->in[1];
    for (int64_t e = begin; e < end; e++) {
        const int64_t i = index[e], from = (e / (k->m * k->inner) * k->n + i) * k->inner + e % k->inner;
        if (i >= 0 && i < k->n)
            memcpy(at->out[0] + e * size, at->in[0] + from * size, (uint64_t)size);
        else
            memset(at->out[0] + e * size, 0, (uint64_t)size);
    }
}

static void run_take(const tn_kernel *kernel, const cpu_run *at)
{
    const along_kernel *k = (const along_kernel *)kernel;
    const int64_t count = k->outer * k->m * k->inner;
    cpu_share(kernel, at, (double)count * 8, count, take_elements);
}

static void put_blocks(const tn_kernel *kernel, const cpu_run *at, int64_t begin, int64_t end)
{
    const along_kernel *k = (const along_kernel *)kernel;
    const int64_t size = k->size, block = k->n * k->inner * size, each = k->m * k->inner;
    const int32_t *index = (const int32_t *)(const void *)at->in[0];
    for (int64_t o = begin; o < end; o++) {
        char *y = at->out[0] + o * block;
        memset(y, 0, (uint64_t)block);
        for (int64_t e = 0; e < each; e++) {
            const int64_t i = index[o * each + e];
            if (i >= 0 && i < k->n)
                add_of[k->dtype](1, y + (i * k->inner + e % k->inner) * size, at->in[1] + (o * each + e) * size);
        }
    }
}

static void run_put(const tn_kernel *kernel, const cpu_run *at)
{
    const along_kernel *k = (const along_kernel *)kernel;
    if (k->n * k->inner == 0) return;
    const double work = (double)k->outer * (double)((8 * k->m + k->n) * k->inner);
    cpu_share(kernel, at, work, k->outer, put_blocks);
}

const cpu_op cpu_take = {"take", CPU_ANY, 0, prepare_along, run_take, NULL, NULL};
const cpu_op cpu_put = {"put", CPU_NUMBERS, 0, prepare_along, run_put, NULL, NULL};
