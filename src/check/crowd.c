/* crowd.c: many small runs at once: every operator of the stock on four threads, each with data of its own, and threads
 * whose results lie side by side, byte by byte. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "stock.h"

enum { THREADS = 4, INPUTS = 3, RUNS = 16, ROUNDS = 6 };

/* ---- each operator ---- */

/* A thread's operands, the bits of its result, and its RUNS results at once. */
typedef struct member {
    tn_kit *kit;
    tn_kernel *kernel;
    uint64_t scratch, step; /* bytes; from a result to the next */
    tn_kit_item item;
    unsigned char *back;
    int32_t status;
    int wrong;
} member;

/* All runs are enqueued before one is looked at. */
static int32_t run_round(member *m, tn_queue *q, tn_buffer *const at[])
{
    const tn_backend *b = m->kit->backend;
    const tn_kit_job *job = &m->item.job;
    const uint64_t bytes = tn_kit_bytes(job->desc->out);
    const unsigned char nobody = 0xff;
    tn_ref in[INPUTS];
    for (uint32_t k = 0; k < job->desc->n_in; k++) in[k] = (tn_ref){at[k], 0};
    int32_t s = b->fill(q, (tn_ref){at[INPUTS], 0}, RUNS * m->step, &nobody, 1, NULL);
    for (uint64_t i = 0; !s && i < RUNS; i++) {
        const tn_ref out = {at[INPUTS], i * m->step};
        const tn_run run = {sizeof run, in, &out, {at[INPUTS + 1], 0}, job->scalar, job->n_scalar};
        s = b->op_run(q, m->kernel, &run, NULL);
    }
    if (!s) s = b->read(q, m->back, (tn_ref){at[INPUTS], 0}, RUNS * m->step, NULL);
    if (!s) s = b->queue_sync(q, NULL);
    for (uint64_t i = 0; !s && i < RUNS; i++) m->wrong += memcmp(m->back + i * m->step, job->out[0], bytes) != 0;
    return s;
}

static void *run_rounds(void *arg)
{
    member *m = arg;
    const tn_backend *b = m->kit->backend;
    const tn_op_desc *desc = m->item.job.desc;
    tn_buffer *at[INPUTS + 2] = {0};
    tn_queue *q = NULL;
    int32_t s = b->queue_create(m->kit->context, &q, NULL);
    for (uint32_t k = 0; !s && k < INPUTS + 2; k++) {
        const uint64_t in = k < desc->n_in ? tn_kit_bytes(&desc->in[k]) : 0;
        const uint64_t bytes = k < INPUTS ? in : k == INPUTS ? RUNS * m->step : m->scratch;
        s = b->buffer_create(m->kit->context, bytes, &at[k], NULL);
        if (!s && in) s = b->write(q, (tn_ref){at[k], 0}, m->item.job.in[k], in, NULL);
    }
    for (int i = 0; !s && i < ROUNDS; i++) s = run_round(m, q, at);
    m->status = s;
    for (int k = 0; k < INPUTS + 2; k++) b->buffer_destroy(at[k]);
    b->queue_destroy(q);
    return NULL;
}

/* Each thread's result, one after the other. Returns TN_KIT_RAN, or why there is none. */
static int run_alone(tn_kit *kit, member m[], uint32_t number)
{
    const uint64_t aligned = kit->info.alignment ? kit->info.alignment : 64;
    int answer = TN_KIT_RAN;
    for (int i = 0; answer == TN_KIT_RAN && i < THREADS; i++) {
        m[i] = (member){.kit = kit};
        tn_kit_stock_make(number, &m[i].item);
        answer = tn_kit_stock_fill(kit, &m[i].item, TN_KIT_RANDOM, 0, 0) ? tn_kit_run_job(kit, &m[i].item.job)
                                                                         : TN_KIT_WRONG;
        m[i].step = (tn_kit_bytes(m[i].item.job.desc->out) + aligned - 1) / aligned * aligned;
        if (answer == TN_KIT_RAN && !(m[i].back = malloc(RUNS * m[i].step)))
            answer = tn_kit_expect(kit, 0, "out of memory");
    }
    return answer;
}

static void run_together(tn_kit *kit, member m[])
{
    tn_kernel *kernel = NULL;
    tn_kernel_info info = {.size = sizeof info};
    pthread_t thread[THREADS];
    int started = 0;
    char what[300];
    const tn_op_desc *desc = m->item.job.desc;
    if (!tn_kit_ok(kit, kit->backend->op_prepare(kit->context, desc, &kernel, &info, &kit->msg), "op_prepare")) return;
    for (; started < THREADS; started++) {
        m[started].kernel = kernel, m[started].scratch = info.scratch;
        if (pthread_create(&thread[started], NULL, run_rounds, &m[started])) break;
    }
    tn_kit_expect(kit, started == THREADS, "no threads");
    for (int i = 0; i < started; i++) {
        pthread_join(thread[i], NULL);
        tn_kit_expect(kit, !m[i].status, "%s, from four threads: %s", tn_kit_describe(desc, what, sizeof what),
                      tn_status_name(m[i].status));
        tn_kit_expect(kit, !m[i].wrong, "%s: %d of %d runs on one of four threads have other bits than one alone",
                      tn_kit_describe(desc, what, sizeof what), m[i].wrong, RUNS * ROUNDS);
    }
    kit->backend->op_release(kernel);
}

/* An epilogue's program makes no difference here: every third operation will do of an operator that has many. */
static void small(tn_kit *kit)
{
    const uint32_t all = tn_kit_stock_count();
    member *m = tn_kit_open(kit) ? calloc(THREADS, sizeof *m) : NULL;
    for (uint32_t number = 0; m && !kit->result->failed && number < all; number += 3) {
        if (run_alone(kit, m, number) == TN_KIT_RAN && m->item.job.desc->n_out == 1) run_together(kit, m);
        for (int i = 0; i < THREADS; i++) {
            tn_kit_stock_free(&m[i].item);
            free(m[i].back);
            m[i].back = NULL;
        }
    }
    free(m);
    tn_kit_close(kit);
}

/* ---- results side by side ---- */

enum { LAPS = 300, MOST = 30010 };

/* A thread writes so many bytes, from `begin` on, of a buffer in which others write beside it. */
typedef struct neighbour {
    tn_kit *kit;
    tn_buffer *shared;
    int32_t dtype;
    uint64_t begin, bytes;
    int32_t status, refused;
    int wrong;
} neighbour;

static int32_t prepare_move(const neighbour *n, tn_kernel **kernel, tn_kernel_info *info)
{
    static const int32_t out = 0;
    const tn_map_attrs map = {sizeof map, NULL, &out, 0, 1, 1, 0};
    const tn_tensor_desc x = tn_desc_dense(n->dtype, &(tn_shape){1, {(int64_t)(n->bytes / tn_dtype_size(n->dtype))}});
    const tn_op_desc desc = {
        .size = sizeof desc, .name = "map", .in = &x, .out = &x, .n_in = 1, .n_out = 1, .attrs = &map};
    *info = (tn_kernel_info){.size = sizeof *info};
    return n->kit->backend->op_prepare(n->kit->context, &desc, kernel, info, NULL);
}

static int32_t move_once(neighbour *n, tn_queue *q, tn_kernel *kernel, tn_buffer *const at[2], int lap)
{
    const tn_backend *b = n->kit->backend;
    const tn_ref in = {at[0], 0}, out = {n->shared, n->begin};
    const tn_run run = {sizeof run, &in, &out, {at[1], 0}, NULL, 0};
    unsigned char sent[MOST], back[MOST];
    memset(sent, lap & 0x3f, n->bytes);
    int32_t s = b->write(q, in, sent, n->bytes, NULL);
    for (int i = 0; !s && i < 8; i++) s = b->op_run(q, kernel, &run, NULL);
    if (!s) s = b->queue_sync(q, NULL);
    if (!s) s = b->read(q, back, out, n->bytes, NULL);
    if (!s) s = b->queue_sync(q, NULL);
    n->wrong += !s && memcmp(sent, back, n->bytes);
    return s;
}

static void *move_often(void *arg)
{
    neighbour *n = arg;
    const tn_backend *b = n->kit->backend;
    tn_queue *q = NULL;
    tn_buffer *at[2] = {0};
    tn_kernel *kernel = NULL;
    tn_kernel_info info;
    int32_t s = prepare_move(n, &kernel, &info);
    n->refused = s == TN_EUNSUPPORTED;
    if (!s) s = b->queue_create(n->kit->context, &q, NULL);
    if (!s) s = b->buffer_create(n->kit->context, n->bytes, &at[0], NULL);
    if (!s) s = b->buffer_create(n->kit->context, info.scratch, &at[1], NULL);
    for (int lap = 0; !s && lap < LAPS; lap++) s = move_once(n, q, kernel, at, lap);
    n->status = n->refused ? TN_OK : s;
    b->op_release(kernel), b->queue_destroy(q);
    b->buffer_destroy(at[0]), b->buffer_destroy(at[1]);
    return NULL;
}

static void move_beside(tn_kit *kit, int32_t dtype, const uint64_t counts[THREADS])
{
    const uint64_t size = tn_dtype_size(dtype);
    neighbour n[THREADS];
    pthread_t thread[THREADS];
    tn_buffer *shared = NULL;
    int started = 0;
    uint64_t begin = size; /* no end of a word lies between two */
    if (!tn_kit_ok(kit, kit->backend->buffer_create(kit->context, 1 << 16, &shared, &kit->msg), "buffer_create"))
        return;
    for (; started < THREADS; started++) {
        n[started] =
            (neighbour){.kit = kit, .shared = shared, .dtype = dtype, .begin = begin, .bytes = counts[started] * size};
        begin += n[started].bytes;
        if (pthread_create(&thread[started], NULL, move_often, &n[started])) break;
    }
    tn_kit_expect(kit, started == THREADS, "no threads");
    for (int i = 0; i < started; i++) {
        pthread_join(thread[i], NULL);
        kit->result->refused += (uint32_t)n[i].refused;
        tn_kit_expect(kit, !n[i].status, "maps side by side: %s", tn_status_name(n[i].status));
        tn_kit_expect(kit, !n[i].wrong, "a map of %s has its result changed %d times by others that lie beside it",
                      tn_dtype_name(dtype), n[i].wrong);
    }
    kit->backend->buffer_destroy(shared);
}

static void neighbours(tn_kit *kit)
{
    if (!tn_kit_open(kit)) return;
    move_beside(kit, TN_U8, (const uint64_t[]){5, 30001, 6, 30002});
    move_beside(kit, TN_BF16, (const uint64_t[]){5, 7001, 3, 7002});
    move_beside(kit, TN_F32, (const uint64_t[]){5, 3001, 3, 7});
    tn_kit_close(kit);
}

const tn_kit_case tn_kit_crowd[] = {
    {"load", "small", "every operator, small, on four threads, a hundred runs each", small},
    {"load", "neighbours", "four threads whose results lie side by side", neighbours},
    {0},
};
