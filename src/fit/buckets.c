/* buckets.c: see buckets.h. */
#include "buckets.h"

#include <stdlib.h>
#include <string.h>

#include "add.h"
#include "alloc.h"
#include "clock.h"
#include "carry.h"
#include "error.h"
#include "final.h"
#include "plain.h"
#include "tenon/backend_float.h"
#include "thread.h"

enum { BYTES = 1 << 19, MOST = 4096 };

/* Elements begin .. end - 1. */
typedef struct bucket {
    uint64_t begin, end;
    uint64_t after; /* launches of the whole program, on rank 0 */
} bucket;

/* What becomes of a bucket in a step. */
typedef struct turn {
    uint64_t ticket;
    double begun, sent; /* when it was final; when its sum was asked for */
} turn;

struct tn_buckets {
    tn_buckets_options o;
    uint64_t size; /* bytes of an element */
    uint32_t count;
    bucket *bucket;
    turn *turn;
    uint32_t *whole, *last; /* after so many launches of these programs each of them is final */
    tn_carry *carry;
    tn_bucket_step step;
    tn_ref part[TN_TREE_DEPTH], sum; /* on the device, in this step */
    uint32_t parts, apart;           /* how many; and of these, which are not in the host's memory: the first so many */
    int is_here;      /* the device computes in the thread that calls, and so that carries its buckets, too; */
    pthread_t thread; /* else this one does */

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    uint64_t asked, done; /* steps */
    uint32_t reached;     /* buckets that are final in this step */
    uint32_t started, closing;
    tn_status status;     /* of the last step, */
    char why[1024];       /* and its line */
    double carried;       /* seconds that were spent on memory */
    tn_exchange exchange; /* so far */
};

/* ---- the way of a bucket ----------------------------------------------------------------------------------------- */

static void *element(const tn_buckets *b, uint32_t part, uint64_t at)
{
    return (char *)(part + 1 < b->parts ? b->o.node[part] : b->o.made) + at * b->size;
}

/* Brings the parts of a bucket, and adds up what can be. */
static tn_status bring(tn_buckets *b, uint32_t k)
{
    const bucket *r = &b->bucket[k];
    const uint64_t at = r->begin * b->size, length = r->end - r->begin;
    const double begun = tn_now();
    for (uint32_t i = 0; i < b->apart; i++) {
        const tn_ref from = {b->part[i].buffer, b->part[i].offset + at};
        TN_TRY(tn_carry_read(b->carry, element(b, i, r->begin), from, length * b->size));
    }
    if (b->apart) TN_TRY(tn_carry_wait(b->carry));
    for (uint32_t i = b->parts, adds = b->step.adds; adds; adds--, i--)
        tn_vector_add(b->o.dtype, element(b, i - 2, r->begin), element(b, i - 1, r->begin), length);
    b->carried += tn_now() - begun;
    if (b->apart) tn_trace_span(b->o.trace, TN_ROW_MEMORY, "read", k, begun);
    return TN_OK;
}

static tn_status take_back(tn_buckets *b, uint32_t k)
{
    if (b->o.adopts) return TN_OK;
    const bucket *r = &b->bucket[k];
    const uint64_t at = r->begin * b->size;
    const tn_ref to = {b->sum.buffer, b->sum.offset + at};
    const double begun = tn_now();
    TN_TRY(tn_carry_write(b->carry, to, (const char *)b->o.total + at, (r->end - r->begin) * b->size));
    TN_TRY(tn_carry_wait(b->carry));
    b->carried += tn_now() - begun;
    tn_trace_span(b->o.trace, TN_ROW_MEMORY, "write", k, begun);
    return TN_OK;
}

/* It is final, or will be when the device has come so far. */
static tn_status send(tn_buckets *b, uint32_t k)
{
    TN_TRY(tn_carry_await(b->carry, k));
    b->turn[k].begun = tn_now();
    TN_TRY(bring(b, k));
    b->turn[k].sent = tn_now();
    return tn_shard_sum_start(b->step.sum, b->bucket[k].begin, b->bucket[k].end, &b->turn[k].ticket);
}

/* Sums are written back when all buckets are under way. */
static tn_status collect(tn_buckets *b)
{
    for (uint32_t k = 0; k < b->count; k++) {
        TN_TRY(tn_shard_sum_wait(b->step.sum, b->turn[k].ticket));
        tn_trace_span(b->o.trace, TN_ROW_BUCKET + k, "sum", k, b->turn[k].sent);
        TN_TRY(take_back(b, k));
        tn_trace_span(b->o.trace, TN_ROW_BUCKET + k, "bucket", k, b->turn[k].begun);
    }
    return TN_OK;
}

static double busy(const tn_buckets *b)
{
    return b->carried + tn_team_get_stats(b->o.team).busy;
}

/* ---- in a thread of its own ------------------------------------------------------------------------------------- */

/* 0: there will be no such bucket. */
static int wait_for(tn_buckets *b, uint32_t k)
{
    pthread_mutex_lock(&b->lock);
    while (b->reached <= k && !b->closing) pthread_cond_wait(&b->changed, &b->lock);
    const int is_there = b->reached > k;
    pthread_mutex_unlock(&b->lock);
    return is_there;
}

static tn_status exchange(tn_buckets *b)
{
    for (uint32_t k = 0; k < b->count; k++) {
        TN_REQUIRE(wait_for(b, k), TN_ESTATE, "the step has ended early");
        TN_TRY(send(b, k));
    }
    return collect(b);
}

static int next_step(tn_buckets *b)
{
    pthread_mutex_lock(&b->lock);
    while (b->asked == b->done && !b->closing) pthread_cond_wait(&b->changed, &b->lock);
    const int more = !b->closing;
    pthread_mutex_unlock(&b->lock);
    return more;
}

static void *work(void *arg)
{
    tn_buckets *b = arg;
    tn_float_begin();
    while (next_step(b)) {
        const double before = busy(b);
        const tn_status status = exchange(b);
        pthread_mutex_lock(&b->lock);
        b->exchange.seconds += busy(b) - before;
        if (!status) b->exchange.waited += tn_now() - b->turn[b->count - 1].begun; /* the device had computed all */
        b->status = status;
        if (status) tn_snprintf(b->why, sizeof b->why, "%s", tn_message());
        b->done++;
        pthread_cond_broadcast(&b->changed);
        pthread_mutex_unlock(&b->lock);
    }
    return NULL;
}

/* ---- in the caller's thread ------------------------------------------------------------------------------------- */

/* Sums are plain IEEE additions, whatever the caller does with denormals. Nothing of this is hidden behind the device's
 * computing; what the team does meanwhile may be. */
static tn_status do_here(tn_buckets *b, tn_status (*what)(tn_buckets *b, uint32_t k), uint32_t k)
{
    const double begun = tn_now();
    const tn_float_mode mode = tn_float_begin();
    const tn_status status = what(b, k);
    tn_float_end(mode);
    b->exchange.waited += tn_now() - begun;
    return status;
}

static tn_status collect_all(tn_buckets *b, uint32_t k)
{
    (void)k;
    return collect(b);
}

/* ---- a step ----------------------------------------------------------------------------------------------------- */

/* A tn_watch's: the bucket is final when what is enqueued by now is done. */
static tn_status reach(void *arg, uint32_t k)
{
    tn_buckets *b = arg;
    TN_TRY(tn_carry_mark(b->carry, k));
    if (b->is_here) return do_here(b, send, k);
    pthread_mutex_lock(&b->lock);
    b->reached = k + 1;
    pthread_cond_broadcast(&b->changed);
    pthread_mutex_unlock(&b->lock);
    return TN_OK;
}

/* Where the last shard's vector is made: in its tensor, which may be the host's memory, or elsewhere. */
static tn_status find_made(tn_buckets *b, const tn_program *program)
{
    tn_ref tensor, *made = &b->part[b->parts++];
    TN_TRY(tn_program_final_ref(program, b->o.vector, made));
    TN_TRY(tn_carry_place(b->carry, b->o.vector, &tensor));
    const int is_there = b->o.adopts && made->buffer == tensor.buffer && made->offset == tensor.offset;
    b->apart = b->parts - (uint32_t)is_there;
    return TN_OK;
}

static tn_status begin(tn_buckets *b, const tn_bucket_step *step, const tn_program *program)
{
    b->step = *step;
    b->parts = 0;
    for (uint32_t i = 0; i < step->nodes; i++) TN_TRY(tn_carry_place(b->carry, step->node[i], &b->part[b->parts++]));
    b->apart = b->parts;
    if (program) TN_TRY(find_made(b, program));
    TN_TRY(tn_carry_place(b->carry, b->o.sum, &b->sum));
    pthread_mutex_lock(&b->lock);
    b->reached = 0;
    b->asked++;
    pthread_mutex_unlock(&b->lock);
    return TN_OK;
}

static tn_status run(tn_buckets *b, tn_program *program)
{
    const tn_watch watch = {.after = program == b->o.whole ? b->whole : b->last,
                            .count = b->count,
                            .part = b->step.part,
                            .reach = reach,
                            .arg = b,
                            .ends = 1};
    if (program) return tn_program_run_watched(program, &watch);
    for (uint32_t k = 0; k < b->count; k++) TN_TRY(reach(b, k));
    return TN_OK;
}

static tn_status wait_for_thread(tn_buckets *b)
{
    const double begun = tn_now();
    pthread_mutex_lock(&b->lock);
    while (b->done < b->asked) pthread_cond_wait(&b->changed, &b->lock);
    const tn_status status = b->status;
    pthread_mutex_unlock(&b->lock);
    tn_trace_span(b->o.trace, TN_ROW_STEPS, "wait", 0, begun);
    return status ? tn_fail(status, "%s", b->why) : TN_OK;
}

tn_status tn_buckets_run(tn_buckets *b, const tn_bucket_step *step, tn_program *program)
{
    const double before = busy(b);
    TN_TRY(begin(b, step, program));
    TN_TRY(run(b, program));
    if (!b->is_here) return wait_for_thread(b);
    TN_TRY(do_here(b, collect_all, 0));
    b->exchange.seconds += busy(b) - before;
    return TN_OK;
}

tn_exchange tn_buckets_exchange(const tn_buckets *b)
{
    return b ? b->exchange : (tn_exchange){0};
}

/* ---- opening and closing ---------------------------------------------------------------------------------------- */

static uint64_t length_of(const tn_buckets_options *o, uint64_t size)
{
    const uint64_t wanted = (o->bytes ? o->bytes : BYTES) / size, least = (o->count + MOST - 1) / MOST;
    return wanted > least ? wanted : least;
}

static uint32_t final(const tn_buckets *b, const tn_program *program, const bucket *r)
{
    return program ? tn_program_final(program, b->o.vector, r->begin * b->size, r->end * b->size) : 0;
}

/* Parameters are in the order of layers: those at the end are the first to have their gradients. */
static int by_finality(const void *a, const void *b)
{
    const bucket *x = a, *y = b;
    if (x->after != y->after) return x->after < y->after ? -1 : 1;
    return (x->begin < y->begin) - (x->begin > y->begin);
}

static tn_status cut(tn_buckets *b)
{
    const uint64_t length = length_of(&b->o, b->size);
    b->count = (uint32_t)((b->o.count + length - 1) / length);
    if (!(b->bucket = tn_alloc((b->count + 1) * sizeof *b->bucket))) return TN_ENOMEM;
    for (uint32_t k = 0; k < b->count; k++) {
        bucket *r = &b->bucket[k];
        r->begin = k * length;
        r->end = b->o.count - r->begin < length ? b->o.count : r->begin + length;
        r->after = final(b, b->o.whole, r);
    }
    qsort(b->bucket, b->count, sizeof *b->bucket, by_finality);
    return tn_team_broadcast(b->o.team, 0, b->bucket, b->count * sizeof *b->bucket);
}

/* Each bucket's turn comes when it and those before it are final. */
static tn_status list_points(const tn_buckets *b, const tn_program *program, uint32_t **after)
{
    if (!(*after = tn_alloc((b->count + 1) * sizeof **after))) return TN_ENOMEM;
    for (uint32_t k = 0; k < b->count; k++) {
        const uint32_t own = final(b, program, &b->bucket[k]);
        (*after)[k] = k && (*after)[k - 1] > own ? (*after)[k - 1] : own;
    }
    return TN_OK;
}

static tn_status start(tn_buckets *b)
{
    TN_REQUIRE(!tn_thread_start(&b->thread, work, b), TN_ENOMEM, "no thread can be made for the exchange");
    b->started = 1;
    return TN_OK;
}

static tn_status open(tn_buckets *b)
{
    TN_TRY(cut(b));
    if (!(b->turn = tn_alloc((b->count + 1) * sizeof *b->turn))) return TN_ENOMEM;
    TN_TRY(list_points(b, b->o.whole, &b->whole));
    TN_TRY(list_points(b, b->o.last, &b->last));
    TN_TRY(tn_carry_new(b->o.state, b->count, &b->carry));
    b->exchange.buckets = b->count;
    b->is_here = tn_carry_is_here(b->carry);
    if (b->o.adopts) TN_TRY(tn_carry_adopt(b->carry, b->o.sum, b->o.total));
    if (b->o.adopts) TN_TRY(tn_carry_adopt(b->carry, b->o.vector, b->o.made));
    tn_trace_row(b->o.trace, TN_ROW_MEMORY, "exchange");
    return b->is_here ? TN_OK : start(b);
}

tn_status tn_buckets_open(const tn_buckets_options *options, tn_buckets **buckets)
{
    tn_buckets *b = tn_alloc(sizeof *b);
    if (!b) return TN_ENOMEM;
    b->o = *options;
    b->size = tn_dtype_size(options->dtype);
    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->changed, NULL);
    *buckets = b;
    return open(b);
}

void tn_buckets_close(tn_buckets *b)
{
    if (!b) return;
    pthread_mutex_lock(&b->lock);
    b->closing = 1;
    pthread_cond_broadcast(&b->changed);
    pthread_mutex_unlock(&b->lock);
    if (b->started) pthread_join(b->thread, NULL);
    tn_carry_free(b->carry);
    pthread_cond_destroy(&b->changed);
    pthread_mutex_destroy(&b->lock);
    tn_free(b->whole);
    tn_free(b->last);
    tn_free(b->turn);
    tn_free(b->bucket);
    tn_free(b);
}
