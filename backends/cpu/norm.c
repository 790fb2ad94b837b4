/* norm.c: layer normalisation and its gradient: threads have rows. The sums over all rows, of which the gradients of
 * weight and bias are made, are those of pieces that do not depend on the threads, added up in order: the same bits for
 * any number of them. Rows that are stored in 16 bits are brought to f32 one at a time. */
#include "prog.h"

enum {
    TOGETHER = 32, /* rows whose sums are in the elements' type: then they go to double */
    PIECES = 32,   /* at most */
    X = 0,
    SLOPE,
    WEIGHT
};

/* Rows so long are dealt to threads by reductions and maps, where there are fewer of them than threads. */
#define LONG 65536

typedef struct norm_kernel {
    tn_kernel kernel;
    cpu_norm norm; /* without weight and bias */
    const cpu_norm_loops *loops;
    int64_t m, each, pieces; /* rows; rows of a piece */
    int64_t behind;          /* sums behind dx: 0, 1 or 2 */
    int32_t dtype;           /* that is computed with */
    int32_t in[2], out;      /* as which rows are stored */
    uint64_t size;           /* of an element that is computed with */
} norm_kernel;

/* ---- prepare ---- */

static int32_t check(const tn_context *context, const tn_op_desc *desc, const tn_op_facts *f, uint32_t rows,
                     tn_msg *msg)
{
    const int64_t m = f->size.m, n = f->size.n;
    int narrow = 0, mixed = 0;
    for (uint32_t i = 0; i < desc->n_in; i++) *(i < rows ? &narrow : &mixed) |= desc->in[i].dtype != f->dtype;
    narrow |= desc->out[0].dtype != f->dtype;
    mixed |= rows > 1 && desc->n_in > rows && desc->out[0].dtype != f->dtype;
    if (mixed || (narrow && 3 * n * (int64_t)sizeof(float) > CPU_WORK))
        return cpu_fail(msg, TN_EUNSUPPORTED, "%s: only x, dy and y may be stored in 16 bits, by short rows",
                        desc->name);
    if (m < context->threads && (double)(m * n) > LONG * context->grain)
        return cpu_fail(msg, TN_EUNSUPPORTED, "%s: %lld rows are too few for %d threads", desc->name, (long long)m,
                        context->threads);
    return TN_OK;
}

static int32_t prepare_with(tn_context *context, const tn_op_desc *desc, const tn_op_facts *facts, uint32_t rows,
                            tn_kernel **kernel, tn_msg *msg)
{
    const tn_layer_norm_attrs *at = desc->attrs;
    int32_t s = check(context, desc, facts, rows, msg);
    if (!s) s = cpu_new_kernel(sizeof(norm_kernel), kernel, msg);
    if (s) return s;
    norm_kernel *k = (norm_kernel *)*kernel;
    k->norm = (cpu_norm){.n = facts->size.n, .epsilon = at->epsilon, .keep_mean = (int)at->keep_mean};
    k->dtype = facts->dtype, k->size = facts->dtype == TN_F64 ? 8 : 4;
    k->loops = cpu_code->norm[cpu_type_of(facts->dtype)];
    k->m = facts->size.m;
    k->in[X] = desc->in[X].dtype, k->in[SLOPE] = rows > SLOPE ? desc->in[SLOPE].dtype : 0, k->out = desc->out[0].dtype;
    return TN_OK;
}

static int32_t prepare(tn_context *context, const tn_op_desc *desc, const tn_op_facts *facts, tn_kernel **kernel,
                       tn_msg *msg)
{
    return prepare_with(context, desc, facts, 1, kernel, msg);
}

static int64_t sums_of(const norm_kernel *k)
{
    return k->behind * k->norm.n;
}

static int32_t prepare_grad(tn_context *context, const tn_op_desc *desc, const tn_op_facts *facts, tn_kernel **kernel,
                            tn_msg *msg)
{
    const int32_t s = prepare_with(context, desc, facts, WEIGHT, kernel, msg);
    if (s) return s;
    norm_kernel *k = (norm_kernel *)*kernel;
    k->behind = desc->n_in <= WEIGHT ? 0 : k->norm.keep_mean ? 1 : 2;
    k->pieces = k->m > TOGETHER ? min_of(PIECES, (k->m + TOGETHER - 1) / TOGETHER) : 1;
    k->each = (k->m + k->pieces - 1) / k->pieces;
    k->kernel.scratch =
        (uint64_t)sums_of(k) * ((uint64_t)k->pieces * sizeof(double) + (uint64_t)context->threads * k->size);
    return TN_OK;
}

/* ---- rows as they are stored ---- */

/* Row r, if it has to be in `room`. */
static const char *row_of(const norm_kernel *k, const char *from, int32_t stored, int64_t r, char *room)
{
    const int64_t n = k->norm.n;
    if (stored == k->dtype) return from + (uint64_t)(r * n) * k->size;
    cpu_code->rows->load[stored](n, room, from + 2 * r * n);
    return room;
}

/* How many rows can be done at once. */
static int64_t at_once(const norm_kernel *k, int64_t rows)
{
    const int native = k->in[X] == k->dtype && (!k->in[SLOPE] || k->in[SLOPE] == k->dtype) && k->out == k->dtype;
    return native ? rows : min_of(1, rows);
}

typedef struct norm_run {
    const norm_kernel *kernel;
    const cpu_run *run;
    cpu_norm norm;
} norm_run;

/* Rows begin..end, of which the sums are added to `sums`. */
static void do_rows(const norm_run *o, int64_t begin, int64_t end, int thread, char *sums)
{
    const norm_kernel *k = o->kernel;
    const cpu_run *at = o->run;
    const int64_t n = k->norm.n, room = n * (int64_t)sizeof(float);
    char *work = cpu_work(at->queue, thread);
    for (int64_t r = begin, count; r < end; r += count) {
        count = at_once(k, end - r);
        const char *x = row_of(k, at->in[X], k->in[X], r, work);
        char *y = k->out == k->dtype ? at->out[0] + (uint64_t)(r * n) * k->size : work + 2 * room;
        if (k->in[SLOPE])
            k->loops->slopes(&o->norm, count, x, row_of(k, at->in[SLOPE], k->in[SLOPE], r, work + room), y, sums);
        else
            k->loops->rows(&o->norm, count, x, y);
        if (k->out != k->dtype) cpu_code->rows->store[k->out](n, at->out[0] + 2 * r * n, y);
    }
}

/* ---- run ---- */

static void forward_piece(void *arg, int64_t begin, int64_t end, int thread)
{
    do_rows(arg, begin, end, thread, NULL);
}

static void run(const tn_kernel *kernel, const cpu_run *at)
{
    const norm_kernel *k = (const norm_kernel *)kernel;
    norm_run o = {k, at, k->norm};
    o.norm.weight = kernel->n_in > 1 ? at->in[1] : NULL;
    o.norm.bias = kernel->n_in > 2 ? at->in[2] : NULL;
    cpu_parallel(at->queue, cpu_threads(at->queue, (double)(k->m * k->norm.n)), k->m, forward_piece, &o);
}

static void backward_pieces(void *arg, int64_t begin, int64_t end, int thread)
{
    const norm_run *o = arg;
    const norm_kernel *k = o->kernel;
    const int64_t count = sums_of(k);
    double *all = (double *)(void *)o->run->scratch;
    char *sums = (char *)(all + k->pieces * count) + (uint64_t)(thread * count) * k->size;
    __builtin_memset(sums, 0, (uint64_t)count * k->size);
    for (int64_t p = begin; p < end; p++) {
        const int64_t last = min_of(k->m, (p + 1) * k->each);
        __builtin_memset(all + p * count, 0, (uint64_t)count * sizeof *all);
        for (int64_t r = p * k->each; r < last; r += TOGETHER) {
            do_rows(o, r, min_of(last, r + TOGETHER), thread, sums);
            k->loops->gather(count, sums, all + p * count);
        }
    }
}

static void run_grad(const tn_kernel *kernel, const cpu_run *at)
{
    const norm_kernel *k = (const norm_kernel *)kernel;
    norm_run o = {k, at, k->norm};
    o.norm.weight = kernel->n_in > WEIGHT ? at->in[WEIGHT] : NULL;
    cpu_parallel(at->queue, cpu_threads(at->queue, 2 * (double)(k->m * k->norm.n)), k->pieces, backward_pieces, &o);
    if (k->behind)
        k->loops->join(sums_of(k), k->pieces, (double *)(void *)at->scratch,
                       at->out[0] + (uint64_t)(k->m * k->norm.n) * k->size);
}

const cpu_op cpu_layer_norm = {"layer_norm", CPU_FLOATS | CPU_FLUSHES, 0, prepare, run, NULL, NULL};
const cpu_op cpu_layer_norm_grad = {"layer_norm_grad", CPU_FLOATS | CPU_FLUSHES, 0, prepare_grad, run_grad, NULL, NULL};
