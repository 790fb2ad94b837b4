/* move.c: operators that only move elements: transpose, gather, window. Elements are bytes: any type will do. */
#include "cpu.h"

#include <string.h>

/* ---- transpose --------------------------------------------------------------------------------------------------- */

#define TILE 16 /* elements a side of what is transposed at once */

/* The output's dimensions, merged where they stay neighbours, and the strides along each. Where runs are copied, the
 * longest comes first: it is most likely the samples, which a thread then has in all kernels. */
typedef struct transpose_kernel {
    tn_kernel kernel;
    int rank;
    int turned; /* the output's dimension that is the input's last; rank - 1: runs are copied */
    int64_t dim[TN_MAX_RANK], from[TN_MAX_RANK], to[TN_MAX_RANK];
    int64_t size, count;
} transpose_kernel;

static void put_longest_first(transpose_kernel *k)
{
    int longest = 0;
    for (int d = 1; d < k->rank - 1; d++)
        if (k->dim[d] > k->dim[longest]) longest = d;
    const int64_t dim = k->dim[longest], from = k->from[longest], to = k->to[longest];
    for (int d = longest; d > 0; d--) k->dim[d] = k->dim[d - 1], k->from[d] = k->from[d - 1], k->to[d] = k->to[d - 1];
    k->dim[0] = dim, k->from[0] = from, k->to[0] = to;
}

static void lay_out(transpose_kernel *k, const tn_tensor_desc *x, const tn_tensor_desc *y, const int32_t *perm)
{
    int64_t stride[TN_MAX_RANK], all = 1;
    for (int d = x->rank - 1; d >= 0; all *= x->dim[d--]) stride[d] = all;
    for (int d = 0; d < y->rank; d++) {
        if (y->dim[d] == 1) continue;
        const int last = k->rank - 1;
        if (k->rank && k->from[last] == stride[perm[d]] * y->dim[d]) {
            k->dim[last] *= y->dim[d];
            k->from[last] = stride[perm[d]];
        } else {
            k->dim[k->rank] = y->dim[d];
            k->from[k->rank++] = stride[perm[d]];
        }
    }
    if (!k->rank) k->dim[0] = 1, k->from[0] = 1, k->rank = 1;
    int64_t to = 1;
    for (int d = k->rank - 1; d >= 0; to *= k->dim[d--]) k->to[d] = to;
    k->turned = k->rank - 1;
    for (int d = 0; d < k->rank; d++)
        if (k->from[d] == 1) k->turned = d;
    if (k->turned == k->rank - 1) put_longest_first(k);
    k->size = (int64_t)tn_dtype_size(x->dtype);
    k->count = all;
}

static int32_t prepare_transpose(tn_context *context, const tn_op_desc *desc, const tn_op_facts *facts,
                                 tn_kernel **kernel, tn_msg *msg)
{
    (void)context;
    (void)facts;
    const tn_transpose_attrs *a = desc->attrs;
    const int32_t s = cpu_new_kernel(sizeof(transpose_kernel), kernel, msg);
    if (!s) lay_out((transpose_kernel *)*kernel, desc->in, desc->out, a->perm);
    return s;
}

/* to[i * ldt + j] = from[j * ldf + i], m x n elements. */
#define TURN(fn, T)                                                                                                    \
    static void fn(int64_t m, int64_t n, const void *in, int64_t ldf, void *out, int64_t ldt)                          \
    {                                                                                                                  \
        const T *from = in;                                                                                            \
        T *to = out;                                                                                                   \
        for (int64_t i = 0; i < m; i++)                                                                                \
            for (int64_t j = 0; j < n; j++) to[i * ldt + j] = from[j * ldf + i];                                       \
    }
TURN(turn_1, uint8_t)
TURN(turn_2, uint16_t)
TURN(turn_4, uint32_t)
TURN(turn_8, uint64_t)

/* Where the place number `at` along all dimensions but two lies in input and output. */
static void place_of(const transpose_kernel *k, int64_t at, int skip1, int skip2, int64_t *from, int64_t *to)
{
    *from = *to = 0;
    for (int d = k->rank - 1; d >= 0; d--) {
        if (d == skip1 || d == skip2) continue;
        *from += at % k->dim[d] * k->from[d];
        *to += at % k->dim[d] * k->to[d];
        at /= k->dim[d];
    }
}

typedef struct transpose_run {
    const transpose_kernel *kernel;
    const cpu_run *run;
} transpose_run;

/* Runs of the input. */
static void copy_runs(void *arg, int64_t begin, int64_t end, int thread)
{
    (void)thread;
    const transpose_kernel *k = ((const transpose_run *)arg)->kernel;
    const cpu_run *run = ((const transpose_run *)arg)->run;
    const int last = k->rank - 1;
    const int64_t bytes = k->dim[last] * k->size;
    int64_t at[TN_MAX_RANK], from = 0, to = 0, rest = begin;
    for (int d = last - 1; d >= 0; rest /= k->dim[d--]) {
        at[d] = rest % k->dim[d];
        from += at[d] * k->from[d], to += at[d] * k->to[d];
    }
    for (int64_t r = begin; r < end; r++) {
        memcpy(run->out[0] + to * k->size, run->in[0] + from * k->size, (uint64_t)bytes);
        for (int d = last - 1; d >= 0; d--) {
            from += k->from[d], to += k->to[d];
            if (++at[d] < k->dim[d]) break;
            from -= at[d] * k->from[d], to -= at[d] * k->to[d];
            at[d] = 0;
        }
    }
}

/* Bands of TILE rows of the output's planes. */
static void turn_bands(void *arg, int64_t begin, int64_t end, int thread)
{
    static void (*const turn[])(int64_t, int64_t, const void *, int64_t, void *,
                                int64_t) = {[1] = turn_1, [2] = turn_2, [4] = turn_4, [8] = turn_8};
    (void)thread;
    const transpose_kernel *k = ((const transpose_run *)arg)->kernel;
    const cpu_run *run = ((const transpose_run *)arg)->run;
    const int last = k->rank - 1, t = k->turned;
    const int64_t m = k->dim[t], n = k->dim[last], bands = (m + TILE - 1) / TILE;
    for (int64_t b = begin; b < end; b++) {
        int64_t from, to;
        place_of(k, b / bands, t, last, &from, &to);
        const int64_t i = b % bands * TILE, high = m - i < TILE ? m - i : TILE;
        const char *x = run->in[0] + (from + i) * k->size;
        char *y = run->out[0] + (to + i * k->to[t]) * k->size;
        for (int64_t j = 0; j < n; j += TILE)
            turn[k->size](high, n - j < TILE ? n - j : TILE, x + j * k->from[last] * k->size, k->from[last],
                          y + j * k->size, k->to[t]);
    }
}

static void run_transpose(const tn_kernel *kernel, const cpu_run *at)
{
    const transpose_kernel *k = (const transpose_kernel *)kernel;
    if (k->count == 0) return;
    const int last = k->rank - 1, threads = cpu_threads(at->queue, (double)k->count * 4);
    const int64_t m = k->dim[k->turned], n = k->dim[last];
    transpose_run r = {k, at};
    if (k->turned == last)
        cpu_parallel(at->queue, threads, k->count / n, copy_runs, &r);
    else
        cpu_parallel(at->queue, threads, k->count / (m * n) * ((m + TILE - 1) / TILE), turn_bands, &r);
}

const cpu_op cpu_transpose = {"transpose", CPU_ANY, 0, prepare_transpose, run_transpose, NULL, NULL};

/* ---- gather ------------------------------------------------------------------------------------------------------ */

typedef struct rows_kernel {
    tn_kernel kernel;
    int64_t n, m, bytes; /* rows of the input, of the output; bytes of a row */
    uint32_t scalar;
} rows_kernel;

static int32_t new_rows(const tn_op_facts *facts, tn_kernel **kernel, tn_msg *msg)
{
    const int32_t s = cpu_new_kernel(sizeof(rows_kernel), kernel, msg);
    if (s) return s;
    rows_kernel *k = (rows_kernel *)*kernel;
    k->n = facts->size.n, k->m = facts->size.m;
    k->bytes = facts->size.d * (int64_t)tn_dtype_size(facts->dtype);
    return TN_OK;
}

static int32_t prepare_gather(tn_context *context, const tn_op_desc *desc, const tn_op_facts *facts, tn_kernel **kernel,
                              tn_msg *msg)
{
    (void)context, (void)desc;
    return new_rows(facts, kernel, msg);
}

typedef struct rows_run {
    const rows_kernel *kernel;
    const cpu_run *run;
    int64_t start;
} rows_run;

static void gather_rows(void *arg, int64_t begin, int64_t end, int thread)
{
    (void)thread;
    const rows_kernel *k = ((const rows_run *)arg)->kernel;
    const cpu_run *at = ((const rows_run *)arg)->run;
    const int32_t *index = (const int32_t *)(const void *)at->in[1];
    for (int64_t i = begin; i < end; i++) {
        char *to = at->out[0] + i * k->bytes;
        if (index[i] >= 0 && index[i] < k->n)
            memcpy(to, at->in[0] + index[i] * k->bytes, (uint64_t)k->bytes);
        else
            memset(to, 0, (uint64_t)k->bytes);
    }
}

static void run_gather(const tn_kernel *kernel, const cpu_run *at)
{
    const rows_kernel *k = (const rows_kernel *)kernel;
    if (k->bytes == 0) return;
    const int threads = cpu_threads(at->queue, (double)k->m * (double)(k->bytes / 4 + 20));
    cpu_parallel(at->queue, threads, k->m, gather_rows, &(rows_run){k, at, 0});
}

const cpu_op cpu_gather = {"gather", CPU_ANY, 0, prepare_gather, run_gather, NULL, NULL};

/* ---- window ------------------------------------------------------------------------------------------------------ */

static int32_t prepare_window(tn_context *context, const tn_op_desc *desc, const tn_op_facts *facts, tn_kernel **kernel,
                              tn_msg *msg)
{
    (void)context;
    const tn_window_attrs *a = desc->attrs;
    const int32_t s = new_rows(facts, kernel, msg);
    if (s) return s;
    ((rows_kernel *)*kernel)->scalar = a->scalar;
    (*kernel)->n_scalar = (uint64_t)a->scalar + 1;
    return TN_OK;
}

static void window_rows(void *arg, int64_t begin, int64_t end, int thread)
{
    (void)thread;
    const rows_run *r = arg;
    const int64_t bytes = r->kernel->bytes;
    if (begin < end)
        memcpy(r->run->out[0] + begin * bytes, r->run->in[0] + (r->start + begin) * bytes,
               (uint64_t)((end - begin) * bytes));
}

static void run_window(const tn_kernel *kernel, const cpu_run *at)
{
    const rows_kernel *k = (const rows_kernel *)kernel;
    const int64_t asked = at->scalar[k->scalar].i, last = k->n - k->m;
    rows_run r = {k, at, asked < 0 ? 0 : asked > last ? last : asked};
    cpu_parallel(at->queue, cpu_threads(at->queue, (double)k->m * (double)k->bytes / 16), k->m, window_rows, &r);
}

const cpu_op cpu_window = {"window", CPU_ANY, 0, prepare_window, run_window, NULL, NULL};
