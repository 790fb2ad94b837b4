/* attend_grad.c: the gradient of attention in tiles. For a block of queries and some keys at a time the weights are
 * made again from the scores and the logarithms of their sums; they and their slopes go into three products. A group's
 * keys, and what is meant for them, belong to one thread, which takes the queries in order. */
#include "attend.h"

#include <string.h>

/* Packed pieces: of keys and values for scores and slopes, of keys for the queries' gradient, by tile; of a block. */
enum { KEYS, VALUES, KEYS_BACK, BY_TILE };
enum { QUERIES, SLOPES, QUERIES_BACK, SLOPES_BACK, TURNED, ROWS, PIECES };

typedef struct room {
    char *tile[BY_TILE];
    int64_t tile_bytes[BY_TILE];
    attend_piece piece[PIECES];
    float *weights, *slopes; /* (ATTEND_ROWS, ld) */
    float *dq, *dk, *dv;     /* sums: of a block, of the group */
    float *logarithm, *mean;
    int64_t ld, ld_d, ld_e;
    int32_t *tops;
} room;

static float *take(char **at, int64_t count)
{
    float *const x = (float *)(void *)*at;
    *at += round_up(count * (int64_t)sizeof(float), CPU_ALIGN);
    return x;
}

/* Rows of all keys: each tile's are filled up. */
static int64_t key_rows(const attend_kernel *k)
{
    return (attend_tiles(k) - 1) * ATTEND_KEYS + attend_rows(k, ATTEND_KEYS);
}

/* Lays it out; returns the bytes in all. */
static int64_t lay_out(const attend_kernel *k, char *at, room *r)
{
    const int64_t tiles = attend_tiles(k), rows = attend_rows(k, ATTEND_ROWS), d = k->z.d, e = k->z.e;
    const int64_t by_tile[BY_TILE][2] = {{ATTEND_KEYS, d}, {ATTEND_KEYS, e}, {d, ATTEND_KEYS}};
    const int64_t pieces[PIECES][2] = {{ATTEND_ROWS, d}, {ATTEND_ROWS, e},           {d, ATTEND_ROWS},
                                       {e, ATTEND_ROWS}, {ATTEND_KEYS, ATTEND_ROWS}, {ATTEND_ROWS, ATTEND_KEYS}};
    char *const begin = at;
    for (int i = 0; i < BY_TILE; i++) {
        r->tile_bytes[i] = attend_bytes(k, by_tile[i][0], by_tile[i][1]);
        r->tile[i] = at, at += tiles * r->tile_bytes[i];
    }
    for (int i = 0; i < PIECES; i++) r->piece[i].at = at, at += attend_bytes(k, pieces[i][0], pieces[i][1]);
    r->ld = attend_ld(k, ATTEND_KEYS), r->ld_d = attend_ld(k, d), r->ld_e = attend_ld(k, e);
    r->weights = take(&at, rows * r->ld), r->slopes = take(&at, rows * r->ld);
    r->dq = take(&at, rows * r->ld_d);
    r->dk = take(&at, key_rows(k) * r->ld_d), r->dv = take(&at, key_rows(k) * r->ld_e);
    r->logarithm = take(&at, rows), r->mean = take(&at, rows);
    r->tops = (int32_t *)(void *)take(&at, BY_TILE * tiles);
    return at - begin;
}

static int32_t prepare(tn_context *context, const tn_op_desc *desc, const tn_op_facts *facts, tn_kernel **kernel,
                       tn_msg *msg)
{
    room r;
    const tn_sizes *z = &facts->size;
    if (z->o * z->g < context->threads && context->grain > 0)
        return cpu_fail(msg, TN_EUNSUPPORTED, "attend_grad: %lld heads for %d threads", (long long)(z->o * z->g),
                        context->threads);
    const int32_t s = attend_prepare(context, desc, facts, 5, kernel, msg);
    if (s) return s;
    attend_kernel *k = (attend_kernel *)*kernel;
    k->room = lay_out(k, NULL, &r);
    k->kernel.scratch = (uint64_t)(k->room * context->threads);
    return TN_OK;
}

/* ---- a group ----------------------------------------------------------------------------------------------------- */

static attend_piece tile_of(const room *r, int which, int64_t t)
{
    return (attend_piece){r->tile[which] + t * r->tile_bytes[which], r->tops[BY_TILE * t + which]};
}

static void pack_group(const attend_kernel *k, attend_units *u, const float *keys, const float *values, room *r)
{
    const int64_t d = k->z.d, e = k->z.e;
    for (int64_t t = 0; t < attend_tiles(k); t++) {
        const int64_t from = t * ATTEND_KEYS, count = min_of(ATTEND_KEYS, k->z.m - from);
        attend_piece to[BY_TILE];
        for (int i = 0; i < BY_TILE; i++) to[i] = tile_of(r, i, t);
        attend_pack(u, 1, count, d, keys + from * d, d, 1, &to[KEYS]);
        attend_pack(u, 1, count, e, values + from * e, e, 1, &to[VALUES]);
        attend_pack(u, 1, d, count, keys + from * d, 1, d, &to[KEYS_BACK]);
        for (int i = 0; i < BY_TILE; i++) r->tops[BY_TILE * t + i] = to[i].top;
    }
    memset(r->dk, 0, (uint64_t)(key_rows(k) * r->ld_d) * sizeof *r->dk);
    memset(r->dv, 0, (uint64_t)(key_rows(k) * r->ld_e) * sizeof *r->dv);
}

/* ---- a block of queries ------------------------------------------------------------------------------------------ */

/* Queries and slopes both ways; the logarithms, and what a row's weights lose to each other. */
static void begin_block(const attend_run *at, attend_units *u, const attend_block *b, room *r)
{
    const attend_kernel *k = at->kernel;
    const int64_t d = k->z.d, e = k->z.e, row = b->head * k->z.n + b->row, all = k->z.o * k->z.h * k->z.n;
    const float *q = (const float *)(const void *)at->run->in[0] + row * d;
    const float *both = (const float *)(const void *)at->run->in[3];
    const float *dy = (const float *)(const void *)at->run->in[4] + row * e;
    attend_pack(u, 0, b->rows, d, q, d, 1, &r->piece[QUERIES]);
    attend_pack(u, 0, b->rows, e, dy, e, 1, &r->piece[SLOPES]);
    attend_pack(u, 1, d, b->rows, q, 1, d, &r->piece[QUERIES_BACK]);
    attend_pack(u, 1, e, b->rows, dy, 1, e, &r->piece[SLOPES_BACK]);
    memcpy(r->logarithm, both + all * e + row, (uint64_t)b->rows * sizeof *both);
    cpu_code->attend->dots(b->rows, e, both + row * e, dy, r->mean);
}

/* The block and tile t of the keys. */
static void run_tile(const attend_run *at, attend_units *u, const attend_block *b, int64_t t, room *r)
{
    const attend_kernel *k = at->kernel;
    const int64_t d = k->z.d, e = k->z.e, from = t * ATTEND_KEYS, count = min_of(ATTEND_KEYS, k->z.m - from);
    const attend_piece keys = tile_of(r, KEYS, t), values = tile_of(r, VALUES, t), back = tile_of(r, KEYS_BACK, t);
    attend_piece *p = r->piece;
    cpu_scores o = attend_scores(k, b, k->mask_row < 0 ? NULL : at->run->in[5], from, count, r->ld);
    o.top = r->logarithm, o.sum = r->mean;
    attend_multiply(u, &p[QUERIES], &keys, b->rows, count, d, r->weights, r->ld, 0);
    attend_multiply(u, &p[SLOPES], &values, b->rows, count, e, r->slopes, r->ld, 0);
    cpu_code->attend->slope(&o, r->weights, r->slopes);
    attend_pack(u, 0, count, b->rows, r->weights, 1, r->ld, &p[TURNED]);
    attend_multiply(u, &p[TURNED], &p[SLOPES_BACK], count, e, b->rows, r->dv + from * r->ld_e, r->ld_e, 1);
    attend_pack(u, 0, count, b->rows, r->slopes, 1, r->ld, &p[TURNED]);
    attend_multiply(u, &p[TURNED], &p[QUERIES_BACK], count, d, b->rows, r->dk + from * r->ld_d, r->ld_d, 1);
    attend_pack(u, 0, b->rows, count, r->slopes, r->ld, 1, &p[ROWS]);
    attend_multiply(u, &p[ROWS], &back, b->rows, d, count, r->dq, r->ld_d, t > 0);
}

/* Rows that lie ld apart, side by side. */
static void unload(const float *from, int64_t rows, int64_t columns, int64_t ld, float *to)
{
    for (int64_t i = 0; i < rows; i++) memcpy(to + i * columns, from + i * ld, (uint64_t)columns * sizeof *to);
}

static void run_group(const attend_run *at, attend_units *u, int64_t group, int64_t part, char *memory)
{
    const attend_kernel *k = at->kernel;
    const tn_sizes *z = &k->z;
    float *dq = (float *)(void *)at->run->out[0], *dk = dq + z->o * z->h * z->n * z->d,
          *dv = dk + z->o * z->g * z->m * z->d;
    room r;
    (void)part;
    lay_out(k, memory, &r);
    pack_group(k, u, (const float *)(const void *)at->run->in[1] + group * z->m * z->d,
               (const float *)(const void *)at->run->in[2] + group * z->m * z->e, &r);
    for (int64_t i = 0; i < attend_blocks(k) && u->fit; i++) {
        const attend_block b = attend_block_of(k, group, i);
        const int64_t keys = u->matrix ? b.keys : z->m; /* else numbers may be such that what is hidden shows */
        begin_block(at, u, &b, &r);
        for (int64_t t = 0; t * ATTEND_KEYS < keys && u->fit; t++) run_tile(at, u, &b, t, &r);
        unload(r.dq, b.rows, z->d, r.ld_d, dq + (b.head * z->n + b.row) * z->d);
    }
    unload(r.dk, z->m, z->d, r.ld_d, dk + group * z->m * z->d);
    unload(r.dv, z->m, z->e, r.ld_e, dv + group * z->m * z->e);
}

static void run(const tn_kernel *kernel, const cpu_run *at)
{
    attend_walk(&(attend_run){(const attend_kernel *)kernel, at, run_group});
}

const cpu_op cpu_attend_grad = {"attend_grad", 1u << TN_F32 | CPU_LEVELS | CPU_FLUSHES, 0, prepare, run, NULL, NULL};
