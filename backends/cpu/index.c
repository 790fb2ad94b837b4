/* index.c: operators that find elements by their places: scatter_add, take, put. Sums are taken in the order of the
 * index, whatever the number of threads. */
#include "cpu.h"

#include <omp.h>
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

static int can_add(int32_t dtype)
{
    return dtype == TN_F32 || dtype == TN_I32 || dtype == TN_F64;
}

static int32_t check_operands(const tn_op_desc *desc, tn_msg *msg)
{
    int32_t s = cpu_check_counts(desc, 2, 1, msg);
    if (!s) s = cpu_check_attrs(desc, 0, msg);
    if (!s) s = cpu_check_desc(&desc->in[0], desc->name, "the first input", 0, msg);
    if (!s) s = cpu_check_desc(&desc->in[1], desc->name, "the second input", 0, msg);
    if (!s) s = cpu_check_desc(&desc->out[0], desc->name, "the output", 0, msg);
    if (!s && desc->alias && desc->alias[0] >= 0) s = cpu_fail(msg, TN_EUNSUPPORTED, "%s: not in place", desc->name);
    return s;
}

/* ---- scatter_add ------------------------------------------------------------------------------------------------ */

#define LINE 16 /* elements, at least, of a thread's part of a row */

typedef struct scatter_kernel {
    tn_kernel kernel;
    int32_t dtype;
    int64_t n, m, d, size;
} scatter_kernel;

static int32_t prepare_scatter(tn_context *context, const tn_op_desc *desc, tn_kernel **kernel, tn_msg *msg)
{
    (void)context;
    int32_t s = check_operands(desc, msg);
    const tn_tensor_desc *index = desc->in, *x = desc->in + 1, *y = desc->out;
    if (!s && (index->dtype != TN_I32 || x->dtype != y->dtype))
        s = cpu_fail(msg, TN_EDTYPE, "scatter_add: the index is not i32, or input and output differ in type");
    if (!s && !can_add(x->dtype)) s = cpu_fail(msg, TN_EUNSUPPORTED, "scatter_add: only of f32, i32 and f64");
    if (!s &&
        (index->rank != 1 || x->rank != 2 || y->rank != 2 || x->dim[0] != index->dim[0] || x->dim[1] != y->dim[1]))
        s = cpu_fail(msg, TN_ESHAPE, "scatter_add: not index (m), x (m, d) and output (n, d)");
    if (!s) s = cpu_new_kernel(sizeof(scatter_kernel), kernel, msg);
    if (s) return s;
    scatter_kernel *k = (scatter_kernel *)*kernel;
    k->dtype = x->dtype;
    k->n = y->dim[0], k->m = x->dim[0], k->d = x->dim[1];
    k->size = (int64_t)tn_dtype_size(x->dtype);
    return TN_OK;
}

/* Every thread goes through the whole index, for its own columns or, of narrow rows, its own rows of the output. */
static void scatter_part(const scatter_kernel *k, const cpu_run *at, int part, int parts)
{
    const int by_column = k->d >= (int64_t)parts * LINE;
    const int64_t all = by_column ? k->d : k->n, begin = all * part / parts, end = all * (part + 1) / parts;
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
    const int threads = cpu_threads(at->queue, (double)k->d * (double)(k->n + k->m) + 4 * (double)k->m);
#pragma omp parallel for num_threads(threads) schedule(static, 1) if (threads > 1)
    for (int t = 0; t < threads; t++) scatter_part(k, at, t, threads);
}

const cpu_op cpu_scatter_add = {"scatter_add", prepare_scatter, run_scatter, NULL};

/* ---- take and put ----------------------------------------------------------------------------------------------- */

/* Index and values are (outer, m, inner), the other operand is (outer, n, inner). */
typedef struct along_kernel {
    tn_kernel kernel;
    int32_t dtype;
    int64_t outer, n, m, inner, size;
} along_kernel;

static int32_t prepare_along(const tn_op_desc *desc, const tn_tensor_desc *index, const tn_tensor_desc *values,
                             const tn_tensor_desc *other, tn_kernel **kernel, tn_msg *msg)
{
    if (index->dtype != TN_I32 || values->dtype != other->dtype)
        return cpu_fail(msg, TN_EDTYPE, "%s: the index is not i32, or input and output differ in type", desc->name);
    if (index->rank != 3 || other->rank != 3 || !cpu_same_shape(index, values) || index->dim[0] != other->dim[0] ||
        index->dim[2] != other->dim[2])
        return cpu_fail(msg, TN_ESHAPE, "%s: the operands are no (outer, n, inner) that fit", desc->name);
    const int32_t s = cpu_new_kernel(sizeof(along_kernel), kernel, msg);
    if (s) return s;
    along_kernel *k = (along_kernel *)*kernel;
    k->dtype = values->dtype;
    k->outer = index->dim[0], k->m = index->dim[1], k->inner = index->dim[2], k->n = other->dim[1];
    k->size = (int64_t)tn_dtype_size(values->dtype);
    return TN_OK;
}

static int32_t prepare_take(tn_context *context, const tn_op_desc *desc, tn_kernel **kernel, tn_msg *msg)
{
    (void)context;
    const int32_t s = check_operands(desc, msg);
    return s ? s : prepare_along(desc, &desc->in[1], &desc->out[0], &desc->in[0], kernel, msg);
}

static int32_t prepare_put(tn_context *context, const tn_op_desc *desc, tn_kernel **kernel, tn_msg *msg)
{
    (void)context;
    const int32_t s = check_operands(desc, msg);
    if (s) return s;
    if (!can_add(desc->out[0].dtype)) return cpu_fail(msg, TN_EUNSUPPORTED, "put: only of f32, i32 and f64");
    return prepare_along(desc, &desc->in[0], &desc->in[1], &desc->out[0], kernel, msg);
}

static void run_take(const tn_kernel *kernel, const cpu_run *at)
{
    const along_kernel *k = (const along_kernel *)kernel;
    const int64_t count = k->outer * k->m * k->inner, size = k->size;
    const int32_t *index = (const int32_t *)(const void *)at->in[1];
    const int threads = cpu_threads(at->queue, (double)count * 8);
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
    for (int64_t e = 0; e < count; e++) {
        const int64_t i = index[e], from = (e / (k->m * k->inner) * k->n + i) * k->inner + e % k->inner;
        if (i >= 0 && i < k->n)
            memcpy(at->out[0] + e * size, at->in[0] + from * size, (uint64_t)size);
        else
            memset(at->out[0] + e * size, 0, (uint64_t)size);
    }
}

static void run_put(const tn_kernel *kernel, const cpu_run *at)
{
    const along_kernel *k = (const along_kernel *)kernel;
    const int64_t size = k->size, block = k->n * k->inner * size, each = k->m * k->inner;
    const int32_t *index = (const int32_t *)(const void *)at->in[0];
    if (block == 0) return;
    const int threads = cpu_threads(at->queue, (double)k->outer * (double)(8 * each + k->n * k->inner));
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
    for (int64_t o = 0; o < k->outer; o++) {
        char *y = at->out[0] + o * block;
        memset(y, 0, (uint64_t)block);
        for (int64_t e = 0; e < each; e++) {
            const int64_t i = index[o * each + e];
            if (i >= 0 && i < k->n)
                add_of[k->dtype](1, y + (i * k->inner + e % k->inner) * size, at->in[1] + (o * each + e) * size);
        }
    }
}

const cpu_op cpu_take = {"take", prepare_take, run_take, NULL};
const cpu_op cpu_put = {"put", prepare_put, run_put, NULL};
