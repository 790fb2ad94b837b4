/* reduce.c: folds a map over some dimensions. The map's values never leave the cache.
 *
 * The space is first merged into dimensions that are kept and reduced by turns. If the last is reduced, an output
 * takes in rows; if it is kept, a strip of outputs takes in columns. What is reduced, kept and reduced again, such as
 * the pixels of each channel of a batch of pictures, is read in its order in memory, all outputs at once. A unit is one
 * output or one strip; its work is cut into pieces by the shape alone, never by the number of threads, and pieces are
 * added up in their order: the result is the same for any number of threads. */
#include "prog.h"

#include <string.h>

#define STRIP  512        /* outputs of a strip, at most */
#define PIECE  (64 << 10) /* elements of a piece, at least */
#define PIECES 64         /* of one unit, at most */
#define ROWS   16         /* of a block that is read where it lies, at least: with STRIP, what the first cache holds */
#define PLANES (16 << 10) /* elements of a piece of planes, at least */

typedef struct reduce_kernel {
    tn_kernel kernel;
    cpu_prog *prog;
    const cpu_fold *fold;
    int by_place, by_column, by_plane;
    int n_outer;                /* dimensions outside of the last row, or of the last rows of columns */
    int64_t outer[TN_MAX_RANK]; /* their sizes, and whether each is reduced */
    int outer_reduced[TN_MAX_RANK];
    int64_t kept, reduced; /* products of the outer ones */
    int64_t rows, k;       /* by row: k elements; by column: rows of k */
    int64_t width, strips; /* outputs of a unit; units for a kept place */
    int64_t step, steps;   /* by row: elements of a block; by column: rows; blocks for a reduced place */
    int64_t units, pieces;
} reduce_kernel;

/* A strip's partial results in memory. */
typedef struct partial {
    double *acc; /* or int64_t */
    int64_t *place;
} partial;

/* ---- prepare ----------------------------------------------------------------------------------------------------- */

/* Merges neighbouring dimensions of the same sort; ones go anywhere. */
static int merge(const tn_reduce_attrs *a, int64_t *dim, int *reduced)
{
    int n = 0;
    for (uint32_t d = 0; d < a->rank; d++) {
        const int r = (int)(a->axes >> d & 1);
        if (a->dim[d] == 1) continue;
        if (n && reduced[n - 1] == r)
            dim[n - 1] *= a->dim[d];
        else
            dim[n] = a->dim[d], reduced[n++] = r;
    }
    return n;
}

static void lay_out(reduce_kernel *k, const tn_reduce_attrs *a)
{
    int64_t dim[TN_MAX_RANK];
    int reduced[TN_MAX_RANK];
    int n = merge(a, dim, reduced);
    k->kept = k->reduced = k->rows = k->k = 1;
    k->by_column = n && !reduced[n - 1];
    if (n) k->k = dim[--n];
    if (k->by_column && n) k->rows = dim[--n];
    k->n_outer = n;
    for (int d = 0; d < n; d++) {
        k->outer[d] = dim[d];
        k->outer_reduced[d] = reduced[d];
        *(reduced[d] ? &k->reduced : &k->kept) *= dim[d];
    }
}

static int64_t ceil_div(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

static int is_planes(const reduce_kernel *k)
{
    return k->n_outer == 2 && k->outer_reduced[0] && !k->outer_reduced[1] && k->kept <= STRIP && !k->by_column &&
           !k->by_place && k->k;
}

static int64_t least(int64_t elements, double grain)
{
    return (double)elements * grain > 1 ? (int64_t)((double)elements * grain) : 1;
}

/* Planes are the outer reduced places: all outputs are one unit, and a piece of it some planes. */
static void cut_planes(reduce_kernel *k, double grain)
{
    const int64_t most = k->prog->count / least(PLANES, grain);
    k->by_plane = 1;
    k->width = k->kept, k->strips = k->units = k->steps = 1;
    k->pieces = most < 2 ? 1 : most < PIECES ? most : PIECES;
    if (k->pieces > k->reduced) k->pieces = k->reduced > 0 ? k->reduced : 1;
    if (k->pieces > 1) k->kernel.scratch = (uint64_t)(k->pieces * k->width) * 16;
}

/* Rows that are added up at once in the elements' own type. */
static int64_t rows_of_block(const reduce_kernel *k)
{
    const cpu_prog *p = k->prog;
    if (k->width < k->k || !k->k) return 1;
    const int64_t rows = p->block / k->k;
    const int is_direct = !p->n_step && p->n_in == 1 && p->result == 0 && p->input[0].kind == CPU_DENSE;
    return is_direct && rows < ROWS ? ROWS : rows;
}

static void cut(reduce_kernel *k, double grain)
{
    const int64_t block = k->prog->block;
    if (is_planes(k)) {
        cut_planes(k, grain);
        return;
    }
    k->width = 1, k->strips = 1;
    if (k->by_column) {
        k->width = k->k < STRIP ? k->k : block < STRIP ? block : STRIP;
        if (k->width < 1) k->width = 1;
        k->strips = ceil_div(k->k, k->width);
        k->step = rows_of_block(k);
        k->steps = ceil_div(k->rows, k->step);
    } else {
        k->step = block;
        k->steps = ceil_div(k->k, k->step);
        if (k->reduced == 1 && k->k && k->k <= block / 2 && k->n_outer) { /* several rows in a block */
            k->width = block / k->k < STRIP ? block / k->k : STRIP;
            k->strips = ceil_div(k->kept, k->width);
            k->steps = 1;
        }
    }
    k->units = k->by_column ? k->kept * k->strips : k->width > 1 ? k->strips : k->kept;
    const int64_t work = k->units ? k->prog->count / k->units : 0, most = work / least(PIECE, grain);
    const int64_t all = k->reduced * k->steps;
    k->pieces = k->units >= 64 || most < 2 ? 1 : most < PIECES ? most : PIECES;
    if (k->pieces > all) k->pieces = all > 0 ? all : 1;
    if (k->pieces > 1) k->kernel.scratch = (uint64_t)(k->units * k->pieces * k->width) * 16;
}

static int32_t prepare(tn_context *context, const tn_op_desc *desc, const tn_op_facts *facts, tn_kernel **kernel,
                       tn_msg *msg)
{
    const tn_reduce_attrs *a = desc->attrs;
    const cpu_prog_desc d = {"reduce", a->map, desc->in, NULL, NULL, (int32_t)a->rank, a->dim};
    cpu_prog *prog = NULL;
    if (desc->out[0].dtype != (facts->gives_place ? TN_I32 : facts->dtype))
        return cpu_fail(msg, TN_EUNSUPPORTED, "reduce: a result of type %d", desc->out[0].dtype);
    int32_t s = cpu_prog_create(&d, &prog, msg);
    if (!s) s = cpu_new_kernel(sizeof(reduce_kernel), kernel, msg);
    if (s) {
        cpu_release(prog);
        return s;
    }
    reduce_kernel *k = (reduce_kernel *)*kernel;
    k->prog = prog;
    k->fold = cpu_code->fold;
    while (strcmp(k->fold->kind, a->kind)) k->fold++;
    k->by_place = facts->gives_place;
    k->kernel.n_scalar = a->map->n_scalar;
    lay_out(k, a);
    cut(k, context->grain);
    return TN_OK;
}

static void release(tn_kernel *kernel)
{
    cpu_release(((reduce_kernel *)kernel)->prog);
}

/* ---- run --------------------------------------------------------------------------------------------------------- */

/* The linear index where outer place (kept o, reduced r) begins. */
static int64_t offset_of(const reduce_kernel *k, int64_t o, int64_t r)
{
    int64_t offset = 0, stride = k->rows * k->k;
    for (int d = k->n_outer - 1; d >= 0; d--) {
        int64_t *at = k->outer_reduced[d] ? &r : &o;
        offset += *at % k->outer[d] * stride;
        *at /= k->outer[d];
        stride *= k->outer[d];
    }
    return offset;
}

static void start(const reduce_kernel *k, partial to, int64_t n)
{
    const int type = k->prog->result_type;
    for (int64_t j = 0; j < n; j++) {
        if (type == CPU_I32)
            ((int64_t *)to.acc)[j] = (int64_t)k->fold->start[type];
        else
            to.acc[j] = k->fold->start[type];
        to.place[j] = -1;
    }
}

/* Blocks begin..end of the reduced places of a unit, by row: block q is piece q % steps of reduced place q / steps. */
static void fold_row(const reduce_kernel *k, const cpu_eval *e, int64_t unit, int64_t begin, int64_t end, partial to)
{
    const int type = k->prog->result_type;
    for (int64_t q = begin; q < end; q++) {
        const int64_t r = q / k->steps, first = q % k->steps * k->step, left = k->k - first;
        const int64_t n = left < k->step ? left : k->step;
        cpu_eval_block(e, offset_of(k, unit, r) + first, n);
        if (k->by_place)
            k->fold->row_at[type](n, cpu_eval_result(e), to.acc, to.place, r * k->k + first);
        else
            k->fold->row[type](n, cpu_eval_result(e), to.acc);
    }
}

/* Several short rows, each with its output. */
static void fold_rows(const reduce_kernel *k, const cpu_eval *e, int64_t unit, int64_t n, partial to)
{
    const int type = k->prog->result_type;
    const int64_t size = type == CPU_F64 ? 8 : 4;
    cpu_eval_block(e, unit * k->width * k->k, n * k->k);
    const char *x = cpu_eval_result(e);
    for (int64_t j = 0; j < n; j++, x += k->k * size) {
        if (k->by_place)
            k->fold->row_at[type](k->k, x, to.acc + j, to.place + j, 0);
        else
            k->fold->row[type](k->k, x, to.acc + j);
    }
}

/* Planes begin..end: whole rows, as many as a block takes, or a row in several blocks. */
static void fold_planes(const reduce_kernel *k, const cpu_eval *e, int64_t begin, int64_t end, partial to)
{
    const int type = k->prog->result_type;
    const int64_t size = type == CPU_F64 ? 8 : 4, block = k->prog->block;
    const int64_t rows = k->k < block ? block / k->k : 1, step = k->k < block ? k->k : block;
    for (int64_t r = begin; r < end; r++)
        for (int64_t o = 0; o < k->kept; o += rows)
            for (int64_t i = 0; i < k->k; i += step) {
                const int64_t n = k->k - i < step ? k->k - i : step, m = k->kept - o < rows ? k->kept - o : rows;
                cpu_eval_block(e, (r * k->kept + o) * k->k + i, m * n);
                const char *x = cpu_eval_result(e);
                for (int64_t j = 0; j < m; j++) k->fold->row[type](n, x + j * n * size, to.acc + o + j);
            }
}

static void fold_columns(const reduce_kernel *k, const cpu_eval *e, int64_t unit, int64_t n, int64_t begin, int64_t end,
                         partial to)
{
    const int type = k->prog->result_type;
    const int64_t o = unit / k->strips, column = unit % k->strips * k->width;
    for (int64_t q = begin; q < end; q++) {
        const int64_t r = q / k->steps, row = q % k->steps * k->step, left = k->rows - row;
        const int64_t rows = left < k->step ? left : k->step;
        cpu_eval_block(e, offset_of(k, o, r) + row * k->k + column, rows * n);
        const void *x = cpu_eval_result(e);
        if (k->by_place)
            k->fold->column_at[type](rows, n, x, to.acc, to.place, r * k->rows + row);
        else
            k->fold->column[type](rows, n, x, to.acc);
    }
}

/* The outputs of a unit: how many, and where the first is. */
static int64_t outputs_of(const reduce_kernel *k, int64_t unit, int64_t *first)
{
    const int64_t all = k->by_column ? k->k : k->width > 1 ? k->kept : 1, base = unit / k->strips * k->k;
    const int64_t at = unit % k->strips * k->width, left = all - at;
    *first = k->by_column ? base + at : k->width > 1 ? at : unit;
    return left < k->width ? left : k->width;
}

/* Folds `from` into `to`: pieces of a unit, in their order. */
static void join(const reduce_kernel *k, partial from, partial to, int64_t n)
{
    const int integers = k->prog->result_type == CPU_I32, type = integers ? CPU_I32 : CPU_F64;
    for (int64_t j = 0; j < n; j++) {
        if (!k->by_place && !integers) {
            k->fold->row[type](1, from.acc + j, to.acc + j);
        } else if (!k->by_place) {
            const int32_t x = (int32_t)((int64_t *)from.acc)[j];
            k->fold->row[type](1, &x, to.acc + j);
        } else if (from.place[j] >= 0) {
            const int32_t x = integers ? (int32_t)((int64_t *)from.acc)[j] : 0;
            k->fold->row_at[type](1, integers ? (const void *)&x : from.acc + j, to.acc + j, to.place + j,
                                  from.place[j]);
        }
    }
}

static void store(const reduce_kernel *k, partial from, int64_t n, char *out, int64_t first)
{
    const int type = k->prog->result_type;
    for (int64_t j = 0; j < n; j++) {
        if (k->by_place)
            ((int32_t *)(void *)out)[first + j] = from.place[j] < 0 ? 0 : (int32_t)from.place[j];
        else if (type == CPU_F32)
            ((float *)(void *)out)[first + j] = (float)from.acc[j];
        else if (type == CPU_F64)
            ((double *)(void *)out)[first + j] = from.acc[j];
        else
            ((int32_t *)(void *)out)[first + j] = (int32_t)(uint32_t)((int64_t *)from.acc)[j];
    }
}

/* Where the partial results of a unit's piece are kept until they are joined. */
static partial kept_partial(const reduce_kernel *k, char *scratch, int64_t unit, int64_t piece)
{
    double *at = (double *)(void *)scratch + (unit * k->pieces + piece) * k->width * 2;
    return (partial){at, (int64_t *)(at + k->width)};
}

typedef struct reduce_run {
    const reduce_kernel *kernel;
    const cpu_run *run;
} reduce_run;

/* Task = unit * pieces + piece. */
static void run_tasks(void *arg, int64_t first_task, int64_t last_task, int thread)
{
    const reduce_kernel *k = ((const reduce_run *)arg)->kernel;
    const cpu_run *run = ((const reduce_run *)arg)->run;
    char *work = cpu_work(run->queue, thread);
    const partial own = {(double *)(void *)(work + CPU_WORK_PROG), (int64_t *)(void *)(work + CPU_WORK_PROG) + STRIP};
    cpu_eval e;
    cpu_eval_begin(&e, k->prog, work, run, k->prog->block);
    const int64_t all = k->reduced * k->steps;
    for (int64_t task = first_task; task < last_task; task++) {
        const int64_t unit = task / k->pieces, piece = task % k->pieces;
        const int64_t begin = all * piece / k->pieces, end = all * (piece + 1) / k->pieces;
        int64_t first;
        const int64_t n = outputs_of(k, unit, &first);
        const partial to = k->pieces > 1 ? kept_partial(k, run->scratch, unit, piece) : own;
        start(k, to, n);
        if (k->by_plane && k->prog->count)
            fold_planes(k, &e, begin, end, to);
        else if (k->by_column && k->prog->count)
            fold_columns(k, &e, unit, n, begin, end, to);
        else if (k->width > 1 && k->prog->count)
            fold_rows(k, &e, unit, n, to);
        else if (k->prog->count)
            fold_row(k, &e, unit, begin, end, to);
        if (k->pieces == 1) store(k, to, n, run->out[0], first);
    }
}

static void run(const tn_kernel *kernel, const cpu_run *at)
{
    const reduce_kernel *k = (const reduce_kernel *)kernel;
    const double work = (double)k->prog->count * (k->prog->cost + 1);
    cpu_parallel(at->queue, cpu_threads(at->queue, work), k->units * k->pieces, run_tasks, &(reduce_run){k, at});
    for (int64_t unit = 0; unit < k->units && k->pieces > 1; unit++) {
        int64_t first;
        const int64_t n = outputs_of(k, unit, &first);
        const partial to = kept_partial(k, at->scratch, unit, 0);
        for (int64_t piece = 1; piece < k->pieces; piece++) join(k, kept_partial(k, at->scratch, unit, piece), to, n);
        store(k, to, n, at->out[0], first);
    }
}

const cpu_op cpu_reduce = {"reduce", CPU_ANY, 0, prepare, run, release, NULL};
