/* slice.c: slice, its inverse unslice, and concat. Elements are bytes: any type will do. */
#include "cpu.h"

#include <string.h>

/* ---- slice and unslice ------------------------------------------------------------------------------------------ */

typedef struct slice_kernel {
    tn_kernel kernel;
    int rank, inverse;
    int64_t small[TN_MAX_RANK], large[TN_MAX_RANK]; /* sizes */
    int64_t start[TN_MAX_RANK], step[TN_MAX_RANK];
    int64_t rows, size; /* rows of the output; bytes of an element */
} slice_kernel;

/* A number gets one dimension, so that there always is a last one. */
static void lay_out(slice_kernel *k, const tn_tensor_desc *small, const tn_tensor_desc *large, const tn_slice_attrs *a)
{
    k->rank = small->rank ? small->rank : 1;
    k->small[0] = k->large[0] = k->step[0] = 1;
    for (int d = 0; d < small->rank; d++) {
        k->small[d] = small->dim[d], k->large[d] = large->dim[d];
        k->start[d] = a->start[d], k->step[d] = a->step[d];
    }
    k->rows = 1;
    for (int d = 0; d < k->rank - 1; d++) k->rows *= k->inverse ? k->large[d] : k->small[d];
    k->size = (int64_t)tn_dtype_size(small->dtype);
}

static int32_t prepare(tn_context *context, const tn_op_desc *desc, const tn_op_facts *facts, tn_kernel **kernel,
                       tn_msg *msg)
{
    (void)context, (void)facts;
    const int inverse = *desc->name == 'u';
    const int32_t s = cpu_new_kernel(sizeof(slice_kernel), kernel, msg);
    if (s) return s;
    ((slice_kernel *)*kernel)->inverse = inverse;
    lay_out((slice_kernel *)*kernel, inverse ? desc->in : desc->out, inverse ? desc->out : desc->in, desc->attrs);
    return TN_OK;
}

/* n elements of one size, each operand with a step. */
#define STRIDED(T)                                                                                                     \
    static void copy_##T(int64_t n, char *to, int64_t to_step, const char *from, int64_t from_step)                    \
    {                                                                                                                  \
        T *y = (T *)(void *)to;                                                                                        \
        const T *x = (const T *)(const void *)from;                                                                    \
        for (int64_t i = 0; i < n; i++) y[i * to_step] = x[i * from_step];                                             \
    }
STRIDED(uint8_t)
STRIDED(uint16_t)
STRIDED(uint32_t)
STRIDED(uint64_t)
static void (*const strided[])(int64_t, char *, int64_t, const char *, int64_t) = {
    [1] = copy_uint8_t, [2] = copy_uint16_t, [4] = copy_uint32_t, [8] = copy_uint64_t};

static void copy_row(const slice_kernel *k, char *to, int64_t to_step, const char *from, int64_t from_step)
{
    const int64_t n = k->small[k->rank - 1];
    if (to_step == 1 && from_step == 1)
        memcpy(to, from, (uint64_t)(n * k->size));
    else
        strided[k->size](n, to, to_step, from, from_step);
}

/* The row of the larger tensor that holds row r of the smaller one. */
static int64_t row_in_large(const slice_kernel *k, int64_t r)
{
    int64_t row = 0, stride = 1;
    for (int d = k->rank - 2; d >= 0; d--) {
        row += (k->start[d] + r % k->small[d] * k->step[d]) * stride;
        stride *= k->large[d];
        r /= k->small[d];
    }
    return row;
}

/* The row of the smaller tensor that goes to row r of the larger one, or -1. */
static int64_t row_in_small(const slice_kernel *k, int64_t r)
{
    int64_t row = 0, stride = 1;
    for (int d = k->rank - 2; d >= 0; d--) {
        const int64_t way = r % k->large[d] - k->start[d], at = way / k->step[d];
        if (way % k->step[d] || at < 0 || at >= k->small[d]) return -1;
        row += at * stride;
        stride *= k->small[d];
        r /= k->large[d];
    }
    return row;
}

static void slice_rows(const tn_kernel *kernel, const cpu_run *at, int64_t begin, int64_t end)
{
    const slice_kernel *k = (const slice_kernel *)kernel;
    const int last = k->rank - 1;
    const int64_t n = k->small[last], width = k->large[last];
    for (int64_t r = begin; r < end; r++) {
        const char *x = at->in[0] + (row_in_large(k, r) * width + k->start[last]) * k->size;
        copy_row(k, at->out[0] + r * n * k->size, 1, x, k->step[last]);
    }
}

static void run_slice(const tn_kernel *kernel, const cpu_run *at)
{
    const slice_kernel *k = (const slice_kernel *)kernel;
    const int64_t n = k->small[k->rank - 1];
    if (n) cpu_share(kernel, at, (double)k->rows * (double)(n + 20), k->rows, slice_rows);
}

static void unslice_rows(const tn_kernel *kernel, const cpu_run *at, int64_t begin, int64_t end)
{
    const slice_kernel *k = (const slice_kernel *)kernel;
    const int last = k->rank - 1;
    const int64_t n = k->small[last], width = k->large[last];
    for (int64_t r = begin; r < end; r++) {
        char *y = at->out[0] + r * width * k->size;
        const int64_t from = n ? row_in_small(k, r) : -1;
        if (from < 0 || n < width) memset(y, 0, (uint64_t)(width * k->size));
        if (from >= 0) copy_row(k, y + k->start[last] * k->size, k->step[last], at->in[0] + from * n * k->size, 1);
    }
}

static void run_unslice(const tn_kernel *kernel, const cpu_run *at)
{
    const slice_kernel *k = (const slice_kernel *)kernel;
    const int64_t width = k->large[k->rank - 1];
    if (width) cpu_share(kernel, at, (double)k->rows * (double)(width + 20), k->rows, unslice_rows);
}

const cpu_op cpu_slice = {"slice", CPU_ANY, 0, prepare, run_slice, NULL, NULL};
const cpu_op cpu_unslice = {"unslice", CPU_ANY, 0, prepare, run_unslice, NULL, NULL};

/* ---- concat ----------------------------------------------------------------------------------------------------- */

typedef struct concat_kernel {
    tn_kernel kernel;
    int64_t outer, row; /* rows; bytes of a row of the output */
    int64_t begin[CPU_MAX_IN], bytes[CPU_MAX_IN];
} concat_kernel;

static int32_t prepare_concat(tn_context *context, const tn_op_desc *desc, const tn_op_facts *facts, tn_kernel **kernel,
                              tn_msg *msg)
{
    (void)context;
    const int32_t s = cpu_new_kernel(sizeof(concat_kernel), kernel, msg);
    if (s) return s;
    concat_kernel *k = (concat_kernel *)*kernel;
    const int64_t inner = facts->size.j * (int64_t)tn_dtype_size(facts->dtype);
    k->outer = facts->size.o;
    for (uint32_t i = 0; i < desc->n_in; i++) {
        k->begin[i] = k->row;
        k->bytes[i] = desc->in[i].dim[1] * inner;
        k->row += k->bytes[i];
    }
    return TN_OK;
}

static void copy_parts(const tn_kernel *kernel, const cpu_run *at, int64_t begin, int64_t end)
{
    const concat_kernel *k = (const concat_kernel *)kernel;
    const int64_t n = (int64_t)kernel->n_in;
    for (int64_t j = begin; j < end; j++) {
        const int64_t o = j / n, i = j % n;
        if (k->bytes[i])
            memcpy(at->out[0] + o * k->row + k->begin[i], at->in[i] + o * k->bytes[i], (uint64_t)k->bytes[i]);
    }
}

static void run_concat(const tn_kernel *kernel, const cpu_run *at)
{
    const concat_kernel *k = (const concat_kernel *)kernel;
    const int64_t n = (int64_t)kernel->n_in;
    cpu_share(kernel, at, (double)k->outer * (double)(k->row / 8 + 20 * n), k->outer * n, copy_parts);
}

const cpu_op cpu_concat = {"concat", CPU_ANY, 0, prepare_concat, run_concat, NULL, NULL};
