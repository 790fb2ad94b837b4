/* matmul.c: y = epilogue(op(a) op(b)) for batches, by matrix units (matrix.c), a library's product or our own (gemm.c).
 *
 * y is cut into a grid of parts, one for each thread, and batches among them. Matrix units or a library multiply a part
 * at once, on the part's thread; a part whose numbers the units can't take is left to the others. Our own product packs
 * what a part needs of a into the thread's workspace and of b into its scratch memory, and runs the epilogue over each
 * block of y while that is in the cache. Sums are in the operands' own type, blocks of k in order. */
#include "prog.h"

#include <string.h>

#include "library.h"
#include "matrix.h"

#define STRIP      2048 /* columns of b that are packed at once */
#define TILE_BYTES 4096 /* of a register tile, at most */

typedef struct matmul_kernel {
    tn_kernel kernel;
    cpu_prog *epilogue; /* or NULL */
    const cpu_gemm *gemm;
    const cpu_matrix *matrix;   /* or NULL */
    const cpu_dots_shape *dots; /* or NULL */
    int ta, tb, library, threads;
    int turned; /* b, which is (n, k), is kept as (k, n), and that multiplied by */
    int64_t batch, m, n, k;
    int64_t a_step, b_step;                   /* elements from one batch to the next */
    int64_t size;                             /* bytes of an element */
    int64_t parts_m, parts_n, tile_m, tile_n; /* boundaries between parts fall on whole tiles */
    int64_t packed_b;                         /* bytes of scratch for each thread */
    int64_t kept;                             /* bytes of what each part keeps of b */
    const cpu_fold *sum; /* of a's columns, into doubles at the end of the scratch memory; NULL: none */
    uint64_t sums_at;
} matmul_kernel;

/* ---- prepare ----------------------------------------------------------------------------------------------------- */

/* All of one type; sums are those of the columns of a. */
static int32_t check(const tn_op_desc *desc, const tn_op_facts *f, tn_msg *msg)
{
    const tn_matmul_attrs *a = desc->attrs;
    const tn_tensor_desc *each[] = {&desc->in[0], &desc->in[1], &desc->out[0]};
    for (int i = 0; i < 3; i++)
        if (each[i]->dtype != f->dtype)
            return cpu_fail(msg, TN_EUNSUPPORTED, "matmul: only f32 or f64 for all of a, b and the output");
    if (a->sums && (!a->trans_a || f->size.b != 1)) return cpu_fail(msg, TN_EUNSUPPORTED, "matmul: sums of rows");
    return TN_OK;
}

static int suits_library(const tn_context *context, const tn_op_facts *f)
{
    const double flops = f->size.b ? 2.0 * (double)f->size.m * (double)f->size.n * (double)f->size.k : 0;
    return cpu_library_is_there() && !context->own && f->dtype == TN_F32 && flops > CPU_LIBRARY_FLOPS * context->grain;
}

/* Rows of a from which it pays to keep b, and as how many they count for units; for a library, up to how many, and the
 * greatest depth for which b is turned. */
enum { FEW_ROWS = 16, OFTEN = 8, MANY_ROWS = 512, DEEP = 512 };

#define NEAR (1 << 20) /* bytes that stay in a core's second cache */

/* Units keep b packed. A library multiplies by b the other way round where it is transposed. Microseconds by b as it
 * lies, whichever way, and so by oneDNN 2.6, on one core of an AMD EPYC, the least of runs in turns: 32 x 512 x 128 43
 * and 39, 32 x 512 x 32 16.5 and 11.3, 17 x 400 x 100 17.5 and 14.1, 100 x 300 x 300 178 and 167; 32 x 100 x 784 48 and
 * 54. */
static int can_keep(const tn_context *context, const tn_op_desc *desc, const tn_op_facts *f, const cpu_matrix *units)
{
    if (f->size.b != 1 || (double)f->size.m < FEW_ROWS * context->grain) return 0;
    if (units || !suits_library(context, f)) return units != NULL;
    return f->size.m <= MANY_ROWS && f->size.n * f->size.k * (int64_t)sizeof(float) <= NEAR &&
           (f->size.k <= DEEP || !((const tn_matmul_attrs *)desc->attrs)->trans_b);
}

#define SUMS_MOST 65536 /* elements of a: more are better summed by themselves, but where units pack them anyway */

/* Matrix units, where they are ahead, or NULL. Levels of precision are for them, and what is kept. */
static int32_t choose_units(const tn_context *context, const tn_op_desc *desc, const tn_op_facts *f,
                            const cpu_matrix **units, tn_msg *msg)
{
    *units = f->dtype == TN_F32 ? cpu_matrix_at(desc->precision) : NULL;
    const int64_t m = desc->keeps ? OFTEN * f->size.m : f->size.m;
    if (*units && !cpu_matrix_pays(*units, m, f->size.n, f->size.k, context->grain)) *units = NULL;
    if (desc->keeps && !can_keep(context, desc, f, *units))
        return cpu_fail(msg, TN_EUNSUPPORTED, "matmul: nothing to keep");
    if (((const tn_matmul_attrs *)desc->attrs)->sums && !*units && f->size.k * f->size.m > SUMS_MOST)
        return cpu_fail(msg, TN_EUNSUPPORTED, "matmul: sums of many elements");
    return *units || !desc->precision ? TN_OK : cpu_fail(msg, TN_EUNSUPPORTED, "matmul: no faster with less precision");
}

/* The epilogue's value 0 is the product, which lies where its result goes. */
static int32_t make_epilogue(const tn_op_desc *desc, const tn_map_attrs *map, cpu_prog **prog, tn_msg *msg)
{
    tn_tensor_desc in[CPU_MAX_IN];
    in[0] = desc->out[0];
    memcpy(in + 1, desc->in + 2, (map->n_in - 1) * sizeof *in);
    const int32_t alias = 0;
    const cpu_prog_desc d = {"matmul", map, in, desc->out, &alias, 3, desc->out[0].dim, 1};
    return cpu_prog_create(&d, prog, msg);
}

/* Parts of y for so many threads: such that least is packed twice, and that of flat products (gradients of weights)
 * each thread has whole rows: maps go over y in such parts, and what another core wrote comes slowly. Where b is kept
 * near each core, rows cost nothing but their own packing, and a thread has the same samples step after step of a
 * recurrent layer. */
#define LINE    16   /* numbers of a line of the cache, which no two threads write */
#define BESIDE  8    /* rows that oneDNN multiplies at once */
#define ASUNDER 12.0 /* multiplications in the time in which an element comes from another core */

static void choose_parts(matmul_kernel *k, int64_t threads, int keeps)
{
    const int is_near = keeps && (!k->matrix || cpu_matrix_kept_bytes(k->matrix, k->n, k->k) <= NEAR);
    double best = 0;
    k->parts_m = k->parts_n = 1;
    k->tile_m = k->matrix ? k->matrix->side : keeps ? BESIDE : k->gemm->mr;
    k->tile_n = k->matrix ? k->matrix->side : k->dots ? LINE : k->gemm->nr;
    for (int64_t pm = 1; pm <= threads; pm++) {
        const int64_t pn = threads / pm, rows = (k->m / pm + k->tile_m - 1) / k->tile_m * k->tile_m,
                      columns = (k->n / pn + k->tile_n - 1) / k->tile_n * k->tile_n;
        const double work = (double)rows * (double)columns, pack = (double)(rows + (is_near ? 0 : columns));
        const double cost = work * (1 + (pn > 1 ? ASUNDER / (double)k->k : 0)) + 16 * pack;
        if (best > 0 && cost >= best) continue;
        best = cost;
        k->parts_m = pm, k->parts_n = pn;
    }
}

#define THREAD_FLOPS 400e3 /* from which several threads pay */

/* Few rows by columns that lie side by side, or one column: to pack would take longer than to multiply. */
enum { UNPACKED_ROWS = 4 };

static int is_unpacked(const matmul_kernel *k)
{
    return !k->ta && ((k->m <= UNPACKED_ROWS && k->tb) || k->n == 1);
}

/* Rows by rows that are too few for what is packed to be used often, long enough for the sums of vectors at their end
 * to be little of it (100 x 300 x 28 takes 25 us so, oneDNN 20), and not so long that blocks leave the first cache. On
 * two cores of a Sapphire Rapids, busy, in a step of 784-100-40-10: 32 x 100 x 784 28 us, oneDNN 36; 128 x 100 x 784 84
 * and 106. */
static const cpu_dots_shape *choose_dots(const matmul_kernel *k, double grain)
{
    enum { MOST_ROWS = 160, SHORTEST = 32, LONGEST = 1024 };
    const cpu_dots_shape *d = cpu_code->dots;
    const int suits = d->product && k->size == 4 && !k->ta && k->tb && !k->matrix;
    return suits && k->m >= d->rows && k->m <= MOST_ROWS && k->n >= d->columns && (double)k->k >= SHORTEST * grain &&
                   k->k <= LONGEST
               ? d
               : NULL;
}

static void plan(matmul_kernel *k, const tn_context *context, int keeps)
{
    k->dots = keeps ? NULL : choose_dots(k, context->grain);
    const double flops = 2.0 * (double)k->batch * (double)k->m * (double)k->n * (double)k->k;
    k->threads = flops <= THREAD_FLOPS * context->grain ? 1 : context->threads;
    choose_parts(k, k->batch >= k->threads ? 1 : k->threads, keeps);
    const int64_t depth = k->k < k->gemm->kc ? k->k : k->gemm->kc, wide = k->n < STRIP ? k->n : STRIP;
    if (!k->library) k->packed_b = (depth * (wide + k->gemm->nr) * k->size + CPU_ALIGN - 1) / CPU_ALIGN * CPU_ALIGN;
    if (k->matrix && k->packed_b < cpu_matrix_bytes(k->matrix, k->m, k->n, k->k))
        k->packed_b = cpu_matrix_bytes(k->matrix, k->m, k->n, k->k);
    k->kernel.scratch = (uint64_t)(k->packed_b * k->threads);
}

/* By units each part keeps what it multiplies by. */
static void plan_kept(matmul_kernel *k)
{
    k->turned = !k->matrix && k->tb;
    if (k->turned) k->tb = 0, k->kernel.kept = (uint64_t)(k->n * k->k * k->size);
    if (!k->matrix) return;
    const int64_t columns = ((k->n + k->tile_n - 1) / k->tile_n + k->parts_n - 1) / k->parts_n * k->tile_n;
    k->kept = cpu_matrix_kept_bytes(k->matrix, columns, k->k);
    k->kernel.kept = (uint64_t)(k->kept * k->parts_m * k->parts_n);
}

static void plan_sums(matmul_kernel *k)
{
    k->sum = cpu_code->fold;
    while (strcmp(k->sum->kind, "sum")) k->sum++;
    k->sums_at = (k->kernel.scratch + CPU_ALIGN - 1) / CPU_ALIGN * CPU_ALIGN;
    k->kernel.scratch = k->sums_at + (uint64_t)k->m * sizeof(double);
}

static int32_t prepare(tn_context *context, const tn_op_desc *desc, const tn_op_facts *facts, tn_kernel **kernel,
                       tn_msg *msg)
{
    const tn_matmul_attrs *a = desc->attrs;
    cpu_prog *epilogue = NULL;
    const cpu_matrix *units = NULL;
    int32_t s = check(desc, facts, msg);
    if (!s) s = choose_units(context, desc, facts, &units, msg);
    if (!s && a->epilogue) s = make_epilogue(desc, a->epilogue, &epilogue, msg);
    if (!s) s = cpu_new_kernel(sizeof(matmul_kernel), kernel, msg);
    if (s) {
        cpu_release(epilogue);
        return s;
    }
    matmul_kernel *k = (matmul_kernel *)*kernel;
    const tn_tensor_desc *y = &desc->out[0];
    k->epilogue = epilogue, k->matrix = units;
    k->gemm = cpu_code->gemm[cpu_type_of(y->dtype)];
    k->ta = (int)a->trans_a, k->tb = (int)a->trans_b;
    k->batch = facts->size.b, k->m = facts->size.m, k->n = facts->size.n, k->k = facts->size.k;
    k->a_step = facts->a_step, k->b_step = facts->b_step;
    k->size = (int64_t)tn_dtype_size(y->dtype);
    k->library = suits_library(context, facts);
    k->kernel.n_scalar = a->epilogue ? a->epilogue->n_scalar : 0;
    plan(k, context, desc->keeps != 0);
    if (desc->keeps) plan_kept(k);
    if (a->sums) plan_sums(k);
    return TN_OK;
}

static void release(tn_kernel *kernel)
{
    cpu_release(((matmul_kernel *)kernel)->epilogue);
}

/* ---- parts of y -------------------------------------------------------------------------------------------------- */

/* One run: what every thread reads. */
typedef struct matmul_run {
    const matmul_kernel *kernel;
    const cpu_run *run, *epilogue; /* the operator's run; the same with the epilogue's inputs */
} matmul_run;

/* A part of y, and what its thread needs for it. */
typedef struct part {
    const matmul_kernel *kernel;
    const char *a, *b; /* of the batch */
    char *y;
    int64_t z, m0, m1, n0, n1;
    char *packed_a, *packed_b;
    cpu_kept kept;
    double *sums;         /* of its columns of a; NULL: none, or another part's */
    const cpu_eval *eval; /* NULL: no epilogue */
} part;

/* A tile at the edge: through a whole one aside. */
static void edge_tile(const part *p, int64_t depth, const char *a, const char *b, char *c, int64_t rows,
                      int64_t columns, int add)
{
    const matmul_kernel *k = p->kernel;
    const int64_t nr = k->gemm->nr;
    char aside[TILE_BYTES] __attribute__((aligned(CPU_ALIGN)));
    k->gemm->tile(depth, a, b, aside, nr, 0);
    for (int64_t r = 0; r < rows; r++) {
        void *to = c + r * k->n * k->size;
        const void *from = aside + r * nr * k->size;
        if (!add)
            memcpy(to, from, (uint64_t)(columns * k->size));
        else if (k->size == 4)
            for (int64_t j = 0; j < columns; j++) ((float *)to)[j] += ((const float *)from)[j];
        else
            for (int64_t j = 0; j < columns; j++) ((double *)to)[j] += ((const double *)from)[j];
    }
}

/* Rows m0..m1 and columns n0..n1 of y from the packed blocks. */
static void run_tiles(const part *p, int64_t m0, int64_t m1, int64_t n0, int64_t n1, int64_t depth, int add)
{
    const matmul_kernel *k = p->kernel;
    const cpu_gemm *g = k->gemm;
    for (int64_t j = n0; j < n1; j += g->nr) {
        const char *b = p->packed_b + (j - n0) * depth * k->size;
        for (int64_t i = m0; i < m1; i += g->mr) {
            const char *a = p->packed_a + (i - m0) * depth * k->size;
            char *c = p->y + (i * k->n + j) * k->size;
            if (i + g->mr <= m1 && j + g->nr <= n1)
                g->tile(depth, a, b, c, k->n, add);
            else
                edge_tile(p, depth, a, b, c, m1 - i < g->mr ? m1 - i : g->mr, n1 - j < g->nr ? n1 - j : g->nr, add);
        }
    }
}

static void run_epilogue(const part *p, int64_t m0, int64_t m1, int64_t n0, int64_t n1)
{
    const matmul_kernel *k = p->kernel;
    const int64_t base = p->z * k->m * k->n;
    if (!p->eval) return;
    if (n1 - n0 == k->n)
        cpu_eval_range(p->eval, base + m0 * k->n, (m1 - m0) * k->n);
    else
        for (int64_t i = m0; i < m1; i++) cpu_eval_range(p->eval, base + i * k->n + n0, n1 - n0);
}

static void run_unpacked(const part *p)
{
    const matmul_kernel *k = p->kernel;
    if (k->n == 1)
        k->gemm->dots(p->m1 - p->m0, k->k, p->b, p->a + p->m0 * k->k * k->size, k->k, p->y + p->m0 * k->size);
    for (int64_t i = p->m0; i < p->m1 && k->n > 1; i++)
        k->gemm->dots(p->n1 - p->n0, k->k, p->a + i * k->k * k->size, p->b + p->n0 * k->k * k->size, k->k,
                      p->y + (i * k->n + p->n0) * k->size);
    run_epilogue(p, p->m0, p->m1, p->n0, p->n1);
}

/* The part's product, of the whole depth at once. */
static cpu_product product_of(const part *p)
{
    const matmul_kernel *k = p->kernel;
    return (cpu_product){
        .ta = k->ta,
        .tb = k->tb,
        .m = p->m1 - p->m0,
        .n = p->n1 - p->n0,
        .k = k->k,
        .a = (const float *)(const void *)p->a + p->m0 * (k->ta ? 1 : k->k),
        .b = (const float *)(const void *)p->b + p->n0 * (k->tb ? k->k : 1),
        .c = (float *)(void *)p->y + p->m0 * k->n + p->n0,
        .lda = k->ta ? k->m : k->k,
        .ldb = k->tb ? k->k : k->n,
        .ldc = k->n,
    };
}

/* A part that is smaller than a block goes another way. */
static int run_dots(const part *p)
{
    const cpu_product o = product_of(p);
    const cpu_dots_shape *d = p->kernel->dots;
    if (!d || o.m < d->rows || o.n < d->columns) return 0;
    d->product(&(cpu_dots){o.m, o.n, o.k, o.lda, o.ldb, o.ldc, o.a, o.b, o.c});
    run_epilogue(p, p->m0, p->m1, p->n0, p->n1);
    return 1;
}

static void run_part(const part *p)
{
    const matmul_kernel *k = p->kernel;
    if (is_unpacked(k)) {
        run_unpacked(p);
        return;
    }
    const cpu_gemm *g = k->gemm;
    const int64_t a_row = k->ta ? 1 : k->k, a_deep = k->ta ? k->m : 1, b_column = k->tb ? k->k : 1,
                  b_deep = k->tb ? 1 : k->n;
    for (int64_t n0 = p->n0; n0 < p->n1; n0 += STRIP) {
        const int64_t n1 = p->n1 - n0 < STRIP ? p->n1 : n0 + STRIP;
        for (int64_t l = 0; l == 0 || l < k->k; l += g->kc) {
            const int64_t depth = k->k - l < g->kc ? k->k - l : g->kc;
            g->pack_b(n1 - n0, depth, p->b + (n0 * b_column + l * b_deep) * k->size, b_column, b_deep, p->packed_b);
            for (int64_t m0 = p->m0; m0 < p->m1; m0 += g->mc) {
                const int64_t m1 = p->m1 - m0 < g->mc ? p->m1 : m0 + g->mc;
                g->pack_a(m1 - m0, depth, p->a + (m0 * a_row + l * a_deep) * k->size, a_row, a_deep, p->packed_a);
                run_tiles(p, m0, m1, n0, n1, depth, l > 0);
                if (l + g->kc >= k->k) run_epilogue(p, m0, m1, n0, n1);
            }
        }
    }
}

static int64_t boundary(int64_t n, int64_t tile, int64_t i, int64_t parts)
{
    const int64_t at = (n + tile - 1) / tile * i / parts * tile;
    return at < n ? at : n;
}

/* By the library: its threads and the signals are looked after for each part where it is the exception. */
static void run_library(const part *p)
{
    const cpu_product product = product_of(p);
    cpu_library_use use;
    if (p->kernel->matrix) cpu_library_begin(&use);
    cpu_library_product(&product);
    if (p->kernel->matrix) cpu_library_end(&use);
    run_epilogue(p, p->m0, p->m1, p->n0, p->n1);
}

static void end_block(const void *arg, int64_t m0, int64_t m1, int64_t n0, int64_t n1)
{
    const part *p = arg;
    run_epilogue(p, p->m0 + m0, p->m0 + m1, p->n0 + n0, p->n0 + n1);
}

/* By matrix units. Returns 0 if they can't; then the epilogue of what they did is made again with the rest. */
static int run_matrix(const part *p)
{
    const cpu_product product = product_of(p);
    const cpu_beside beside = {p->kernel->epilogue ? end_block : NULL, p, p->sums};
    return p->kernel->matrix && cpu_matrix_product(p->kernel->matrix, &product, p->packed_b, p->kept, &beside);
}

/* ---- sums: output 1, of the columns of a, which is (k, m) -------------------------------------------------------- */

/* Where a part adds up its columns: the first of those that have the same; NULL: it does not. */
static double *sums_of(const part *p, const cpu_run *at)
{
    const matmul_kernel *k = p->kernel;
    return k->sum && !p->n0 ? (double *)(void *)(at->scratch + k->sums_at) + p->m0 : NULL;
}

/* Without the units. */
static void add_sums(const part *p)
{
    const matmul_kernel *k = p->kernel;
    const int type = k->size == 4 ? CPU_F32 : CPU_F64;
    const int64_t count = p->m1 - p->m0, rows = count == k->m ? k->k : 1;
    memset(p->sums, 0, (uint64_t)count * sizeof *p->sums);
    for (int64_t l = 0; l < k->k; l += rows)
        k->sum->column[type](rows, count, p->a + (l * k->m + p->m0) * k->size, p->sums);
}

static void store_sums(const part *p, char *out)
{
    for (int64_t i = p->m0; i < p->m1; i++)
        if (p->kernel->size == 4)
            ((float *)(void *)out)[i] = (float)p->sums[i - p->m0];
        else
            ((double *)(void *)out)[i] = p->sums[i - p->m0];
}

/* ---- run --------------------------------------------------------------------------------------------------------- */

/* As units do it, or one of the others. */
static void run_product(const part *p)
{
    if (p->sums) memset(p->sums, 0, (uint64_t)(p->m1 - p->m0) * sizeof *p->sums);
    if (run_matrix(p)) return;
    if (p->sums) add_sums(p);
    if (!run_dots(p)) p->kernel->library ? run_library(p) : run_part(p);
}

static void run_parts(part *p, const matmul_run *r, int64_t begin, int64_t end)
{
    const matmul_kernel *k = p->kernel;
    const int64_t grid = k->parts_m * k->parts_n;
    for (int64_t i = begin; i < end; i++) {
        const int64_t im = i % grid / k->parts_n, in = i % grid % k->parts_n;
        p->z = i / grid;
        p->a = r->run->in[0] + p->z * k->a_step * k->size;
        p->b = k->turned ? r->run->kept : r->run->in[1] + p->z * k->b_step * k->size;
        p->y = r->run->out[0] + p->z * k->m * k->n * k->size;
        p->m0 = boundary(k->m, k->tile_m, im, k->parts_m), p->m1 = boundary(k->m, k->tile_m, im + 1, k->parts_m);
        p->n0 = boundary(k->n, k->tile_n, in, k->parts_n), p->n1 = boundary(k->n, k->tile_n, in + 1, k->parts_n);
        if (p->m0 == p->m1 || p->n0 == p->n1) continue;
        if (k->kept) p->kept = (cpu_kept){r->run->kept + i % grid * k->kept, r->run->is_kept};
        p->sums = sums_of(p, r->run);
        run_product(p);
        if (p->sums) store_sums(p, r->run->out[1]);
    }
}

static void run_thread(void *arg, int64_t begin, int64_t end, int thread)
{
    const matmul_run *r = arg;
    const matmul_kernel *k = r->kernel;
    char *work = cpu_work(r->run->queue, thread);
    cpu_eval eval;
    cpu_library_use use;
    part p = {.kernel = k, .packed_a = work + CPU_WORK_PROG, .packed_b = r->run->scratch + thread * k->packed_b};
    if (k->epilogue) {
        cpu_eval_begin(&eval, k->epilogue, work, r->epilogue, k->epilogue->count);
        p.eval = &eval;
    }
    if (k->library && !k->matrix) cpu_library_begin(&use);
    run_parts(&p, r, begin, end);
    if (k->library && !k->matrix) cpu_library_end(&use);
}

/* Rows begin..end of b as it is kept. */
static void turn_b(void *arg, int64_t begin, int64_t end, int thread)
{
    const matmul_run *r = arg;
    const float *b = (const float *)(const void *)r->run->in[1];
    (void)thread;
    cpu_library_turn(r->kernel->n, r->kernel->k, begin, end, b, (float *)(void *)r->run->kept);
}

/* An empty product, which may yet have sums. */
static void run_nothing(const matmul_kernel *k, const cpu_run *at)
{
    part p = {.kernel = k, .a = at->in[0], .m1 = k->m};
    p.sums = sums_of(&p, at);
    if (!p.sums) return;
    add_sums(&p);
    store_sums(&p, at->out[1]);
}

static void run(const tn_kernel *kernel, const cpu_run *at)
{
    const matmul_kernel *k = (const matmul_kernel *)kernel;
    const char *in[CPU_MAX_IN]; /* of the epilogue: the product, then the operator's inputs from number 2 on */
    in[0] = at->out[0];
    for (uint64_t i = 2; i < kernel->n_in; i++) in[i - 1] = at->in[i];
    cpu_run epilogue = *at;
    epilogue.in = in;
    matmul_run r = {k, at, &epilogue};
    if (k->turned && !at->is_kept) cpu_parallel(at->queue, k->threads, k->k, turn_b, &r);
    if (k->batch * k->m * k->n == 0)
        run_nothing(k, at);
    else
        cpu_parallel(at->queue, k->threads, k->parts_m * k->parts_n * k->batch, run_thread, &r);
}

const cpu_op cpu_matmul = {"matmul", CPU_FLOATS | CPU_LEVELS | CPU_KEEPS, 0, prepare, run, release, NULL};
