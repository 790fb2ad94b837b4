/* attend.c: attention in tiles: blocks of queries against all keys, some at a time, whose weights are never stored but
 * in the core's cache. Softmax goes on from tile to tile: when a score is larger than all before, what was added up so
 * far is multiplied by the exponential of the difference (Milakov and Gimelshein, 2018; Dao and others, 2022). Keys and
 * values are packed once for all queries. */
#include "attend.h"

#include <math.h>
#include <string.h>

/* The pieces of a thread's scratch memory. */
typedef struct room {
    char *keys, *values; /* packed: a piece for each tile */
    int64_t key_bytes, value_bytes;
    attend_piece queries, weights;
    float *scores, *sums; /* (ATTEND_ROWS, ld) */
    int64_t ld, ld_sums;
    float *top, *sum, *fix;
    int32_t *tops; /* of keys and values, by tile */
} room;

/* Lays it out; returns the bytes in all. */
static int64_t lay_out(const attend_kernel *k, char *at, room *r)
{
    const int64_t tiles = attend_tiles(k), rows = attend_rows(k, ATTEND_ROWS), column = rows * (int64_t)sizeof(float);
    char *const begin = at;
    r->ld = attend_ld(k, ATTEND_KEYS), r->ld_sums = attend_ld(k, k->z.e);
    r->key_bytes = attend_bytes(k, ATTEND_KEYS, k->z.d), r->value_bytes = attend_bytes(k, k->z.e, ATTEND_KEYS);
    r->keys = at, at += tiles * r->key_bytes;
    r->values = at, at += tiles * r->value_bytes;
    r->queries.at = at, at += attend_bytes(k, ATTEND_ROWS, k->z.d);
    r->weights.at = at, at += attend_bytes(k, ATTEND_ROWS, ATTEND_KEYS);
    r->scores = (float *)(void *)at, at += r->ld * column;
    r->sums = (float *)(void *)at, at += r->ld_sums * column;
    r->top = (float *)(void *)at, at += column;
    r->sum = (float *)(void *)at, at += column;
    r->fix = (float *)(void *)at, at += column;
    r->tops = (int32_t *)(void *)at, at += 2 * tiles * (int64_t)sizeof(int32_t);
    return round_up(at - begin, CPU_ALIGN);
}

static int32_t prepare(tn_context *context, const tn_op_desc *desc, const tn_op_facts *facts, tn_kernel **kernel,
                       tn_msg *msg)
{
    room r;
    const int32_t s = attend_prepare(context, desc, facts, 3, kernel, msg);
    if (s) return s;
    attend_kernel *k = (attend_kernel *)*kernel;
    const int64_t groups = k->z.o * k->z.g;
    if (groups < context->threads) k->parts = min_of((context->threads + groups - 1) / groups, attend_blocks(k));
    k->room = lay_out(k, NULL, &r);
    k->kernel.scratch = (uint64_t)(k->room * context->threads);
    return TN_OK;
}

/* Tile t of keys or values, packed before. */
static attend_piece tile_of(const room *r, int is_value, int64_t t)
{
    return (attend_piece){is_value ? r->values + t * r->value_bytes : r->keys + t * r->key_bytes,
                          r->tops[2 * t + is_value]};
}

static void pack_group(const attend_kernel *k, attend_units *u, const float *keys, const float *values, room *r)
{
    const int64_t d = k->z.d, e = k->z.e;
    for (int64_t t = 0; t < attend_tiles(k); t++) {
        const int64_t from = t * ATTEND_KEYS, count = min_of(ATTEND_KEYS, k->z.m - from);
        attend_piece key = tile_of(r, 0, t), value = tile_of(r, 1, t);
        attend_pack(u, 1, count, d, keys + from * d, d, 1, &key);
        attend_pack(u, 1, e, count, values + from * e, 1, e, &value);
        r->tops[2 * t] = key.top, r->tops[2 * t + 1] = value.top;
    }
}

static void begin_rows(const room *r, int64_t rows)
{
    for (int64_t i = 0; i < rows; i++) r->top[i] = -INFINITY, r->sum[i] = 0;
}

/* The quotients, and the logarithms; where a mask hides all, zeros. */
static void end_rows(const attend_kernel *k, const attend_block *b, const room *r, float *y)
{
    const int64_t e = k->z.e, row = b->head * k->z.n + b->row;
    float *logarithm = y + k->z.o * k->z.h * k->z.n * e + row;
    for (int64_t i = 0; i < b->rows; i++) {
        const int nothing = k->hides && r->sum[i] == 0;
        r->fix[i] = nothing ? 0 : 1 / r->sum[i];
        logarithm[i] = nothing ? 0 : r->top[i] + logf(r->sum[i]);
    }
    cpu_code->attend->multiply(b->rows, e, r->fix, r->sums, r->ld_sums, y + row * e, e);
}

static void run_block(const attend_run *at, attend_units *u, const attend_block *b, room *r)
{
    const attend_kernel *k = at->kernel;
    const char *mask = k->mask_row < 0 ? NULL : at->run->in[3];
    const float *q = (const float *)(const void *)at->run->in[0] + (b->head * k->z.n + b->row) * k->z.d;
    const int64_t keys = u->matrix ? b->keys : k->z.m; /* else numbers may be such that what is hidden shows */
    attend_pack(u, 0, b->rows, k->z.d, q, k->z.d, 1, &r->queries);
    begin_rows(r, b->rows);
    for (int64_t t = 0; t * ATTEND_KEYS < keys && u->fit; t++) {
        const int64_t from = t * ATTEND_KEYS, count = min_of(ATTEND_KEYS, k->z.m - from);
        const attend_piece key = tile_of(r, 0, t), value = tile_of(r, 1, t);
        cpu_scores o = attend_scores(k, b, mask, from, count, r->ld);
        o.top = r->top, o.sum = r->sum, o.fix = r->fix;
        attend_multiply(u, &r->queries, &key, b->rows, count, k->z.d, r->scores, r->ld, 0);
        cpu_code->attend->weigh(&o, r->scores);
        if (t) cpu_code->attend->multiply(b->rows, k->z.e, r->fix, r->sums, r->ld_sums, r->sums, r->ld_sums);
        attend_pack(u, 0, b->rows, count, r->scores, r->ld, 1, &r->weights);
        attend_multiply(u, &r->weights, &value, b->rows, k->z.e, count, r->sums, r->ld_sums, t > 0);
    }
    if (u->fit) end_rows(k, b, r, (float *)(void *)at->run->out[0]);
}

static void run_part(const attend_run *at, attend_units *u, int64_t group, int64_t part, char *memory)
{
    const attend_kernel *k = at->kernel;
    room r;
    lay_out(k, memory, &r);
    pack_group(k, u, (const float *)(const void *)at->run->in[1] + group * k->z.m * k->z.d,
               (const float *)(const void *)at->run->in[2] + group * k->z.m * k->z.e, &r);
    for (int64_t i = part; i < attend_blocks(k) && u->fit; i += k->parts) {
        const attend_block b = attend_block_of(k, group, i);
        run_block(at, u, &b, &r);
    }
}

static void run(const tn_kernel *kernel, const cpu_run *at)
{
    attend_walk(&(attend_run){(const attend_kernel *)kernel, at, run_part});
}

const cpu_op cpu_attend = {"attend", 1u << TN_F32 | CPU_LEVELS | CPU_FLUSHES, 0, prepare, run, NULL, NULL};
