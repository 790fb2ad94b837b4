/* attend_shared.c: see attend.h. */
#include "attend.h"

#include "matrix.h"

/* ---- prepare ----------------------------------------------------------------------------------------------------- */

/* From so many scores of a head on, tiles that never leave a core's cache are ahead of operators that each go over all
 * scores: for 64 heads of 32, of processor time, 128 by 128 take 0.8 of theirs, and with the gradient 1.0; 192 by 192
 * 0.65 and 0.8; 256 by 256 0.6 and 0.75 (Sapphire Rapids, busy). One border for both, or the gradient would have to
 * make the weights by those operators, too. */
#define PAYS 32768

/* Fewer queries than that do not pay for packing all keys and values, as when a text goes on from a long one: of 8
 * heads of 64, 1 query of 40,000 keys takes 57 ms of processor time so, and 19 by products; 16 of 8,192 take 8 either
 * way (Sapphire Rapids, busy). */
#define QUERIES 16

static int32_t check(const tn_context *context, const tn_op_desc *desc, const tn_op_facts *f, uint32_t mask,
                     tn_msg *msg)
{
    const tn_sizes *z = &f->size;
    for (uint32_t i = 0; i < mask; i++)
        if (desc->in[i].dtype != TN_F32) return cpu_fail(msg, TN_EUNSUPPORTED, "%s: only f32", desc->name);
    if (!z->o || !z->h || !z->n || !z->m || !z->d || !z->e)
        return cpu_fail(msg, TN_EUNSUPPORTED, "%s: of nothing", desc->name);
    if ((double)z->n * (double)z->m < PAYS * context->grain || (double)z->n < QUERIES * context->grain)
        return cpu_fail(msg, TN_EUNSUPPORTED, "%s: %lld by %lld scores are faster as products and softmax", desc->name,
                        (long long)z->n, (long long)z->m);
    return TN_OK;
}

static void take_mask(attend_kernel *k, const tn_op_desc *desc, uint32_t mask)
{
    k->mask_row = -1;
    if (desc->n_in == mask) return;
    const tn_tensor_desc *x = &desc->in[mask];
    k->hides = x->dtype == TN_I32;
    for (int d = 0; d < 2; d++) k->mask_step[d] = x->dim[d] > 1 ? x->stride[d] : 0;
    k->mask_row = x->dim[2] > 1 ? x->stride[2] : 0;
}

int32_t attend_prepare(tn_context *context, const tn_op_desc *desc, const tn_op_facts *facts, uint32_t mask,
                       tn_kernel **kernel, tn_msg *msg)
{
    const tn_attend_attrs *a = desc->attrs;
    int32_t s = check(context, desc, facts, mask, msg);
    if (!s && desc->precision && !cpu_matrix_at(desc->precision))
        s = cpu_fail(msg, TN_EUNSUPPORTED, "%s: no faster with less precision", desc->name);
    if (!s) s = cpu_new_kernel(sizeof(attend_kernel), kernel, msg);
    if (s) return s;
    attend_kernel *k = (attend_kernel *)*kernel;
    k->z = facts->size;
    k->matrix = cpu_matrix_at(desc->precision);
    k->gemm = cpu_code->gemm[CPU_F32];
    k->scale = (float)a->scale, k->first = a->first, k->causal = (int)a->causal;
    take_mask(k, desc, mask);
    k->parts = 1;
    return TN_OK;
}

/* ---- packed pieces ----------------------------------------------------------------------------------------------- */

static int64_t panel(const attend_units *u, int is_b)
{
    return u->matrix ? u->matrix->wide : is_b ? u->gemm->nr : u->gemm->mr;
}

/* Of the first `count`, a multiple of a panel's or all. */
static int64_t bytes_of(const attend_units *u, int is_b, int64_t count, int64_t depth)
{
    const int64_t size = u->matrix ? u->matrix->bytes : (int64_t)sizeof(float);
    return round_up(count, panel(u, is_b)) * (u->matrix ? round_up(depth, u->matrix->deep) : depth) * size;
}

int64_t attend_bytes(const attend_kernel *k, int64_t count, int64_t depth)
{
    int64_t most = 0;
    for (int i = 0; i < 4; i++) {
        const attend_units u = {i < 2 ? k->matrix : NULL, k->gemm, 1};
        const int64_t bytes = bytes_of(&u, i % 2, count, depth);
        if (bytes > most) most = bytes;
    }
    return round_up(most, CPU_ALIGN);
}

int64_t attend_ld(const attend_kernel *k, int64_t columns)
{
    return round_up(round_up(columns, k->gemm->nr), CPU_ALIGN / (int64_t)sizeof(float));
}

int64_t attend_rows(const attend_kernel *k, int64_t rows)
{
    return round_up(rows, k->gemm->mr);
}

void attend_pack(attend_units *u, int is_b, int64_t count, int64_t depth, const float *from, int64_t si, int64_t sl,
                 attend_piece *to)
{
    to->top = 0;
    if (!u->matrix)
        (is_b ? u->gemm->pack_b : u->gemm->pack_a)(count, depth, from, si, sl, to->at);
    else
        to->top = (is_b ? u->matrix->pack_b : u->matrix->pack_a)(count, depth, from, si, sl, to->at);
}

void attend_multiply(attend_units *u, const attend_piece *a, const attend_piece *b, int64_t rows, int64_t columns,
                     int64_t depth, float *c, int64_t ld, int add)
{
    const int64_t tall = panel(u, 0), wide = panel(u, 1);
    if (u->matrix && !cpu_matrix_fits(a->top, b->top, depth)) u->fit = 0;
    for (int64_t j = 0; j < columns && u->fit; j += wide)
        for (int64_t i = 0; i < rows; i += tall) {
            const char *pa = a->at + bytes_of(u, 0, i, depth), *pb = b->at + bytes_of(u, 1, j, depth);
            if (u->matrix)
                u->matrix->tile(depth, pa, pb, c + i * ld + j, ld, min_of(tall, rows - i), min_of(wide, columns - j),
                                add);
            else
                u->gemm->tile(depth, pa, pb, c + i * ld + j, ld, add);
        }
}

/* ---- blocks of queries ------------------------------------------------------------------------------------------- */

int64_t attend_tiles(const attend_kernel *k)
{
    return (k->z.m + ATTEND_KEYS - 1) / ATTEND_KEYS;
}

int64_t attend_blocks(const attend_kernel *k)
{
    return k->z.h / k->z.g * ((k->z.n + ATTEND_ROWS - 1) / ATTEND_ROWS);
}

attend_block attend_block_of(const attend_kernel *k, int64_t group, int64_t i)
{
    const tn_sizes *z = &k->z;
    const int64_t heads = z->h / z->g, each = attend_blocks(k) / heads;
    attend_block b = {.head = group / z->g * z->h + group % z->g * heads + i / each, .row = i % each * ATTEND_ROWS};
    b.rows = min_of(ATTEND_ROWS, z->n - b.row);
    b.keys = k->causal ? min_of(z->m, k->first + b.row + b.rows) : z->m;
    return b;
}

cpu_scores attend_scores(const attend_kernel *k, const attend_block *b, const char *mask, int64_t key, int64_t columns,
                         int64_t ld)
{
    cpu_scores o = {.rows = b->rows, .columns = columns, .ld = ld, .scale = k->scale};
    o.seen = k->causal ? k->first + b->row + 1 - key : INT64_MAX / 2;
    if (k->mask_row < 0) return o;
    const int64_t at = b->head / k->z.h * k->mask_step[0] + b->head % k->z.h * k->mask_step[1] + b->row * k->mask_row;
    const char *first = mask + (at + key) * (int64_t)sizeof(float); /* as large as an i32 */
    o.mask_row = k->mask_row;
    if (k->hides)
        o.hides = (const int32_t *)(const void *)first;
    else
        o.added = (const float *)(const void *)first;
    return o;
}

static void walk(void *arg, int64_t begin, int64_t end, int thread)
{
    const attend_run *r = arg;
    const attend_kernel *k = r->kernel;
    char *room = r->run->scratch + thread * k->room;
    for (int64_t i = begin; i < end; i++) {
        attend_units u = {k->matrix, k->gemm, 1};
        if (u.matrix) u.matrix->begin();
        r->part(r, &u, i / k->parts, i % k->parts, room);
        if (u.matrix) u.matrix->end();
        if (u.fit) continue;
        u = (attend_units){NULL, k->gemm, 1};
        r->part(r, &u, i / k->parts, i % k->parts, room);
    }
}

void attend_walk(const attend_run *r)
{
    const attend_kernel *k = r->kernel;
    attend_run mine = *r;
    const double work = (double)k->z.o * (double)k->z.h * (double)k->z.n * (double)k->z.m * (double)k->z.d;
    cpu_parallel(r->run->queue, cpu_threads(r->run->queue, work), k->z.o * k->z.g * k->parts, walk, &mine);
}
