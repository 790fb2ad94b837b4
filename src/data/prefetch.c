/* prefetch.c: see prefetch.h. Places form a ring: batch number b since it began goes to place b modulo their number,
 * once the batch that was there before has been given back. Threads take pieces of batches in order, so that a large
 * batch is read by all of them; all that they share is under one lock, and pieces are large enough for that to be rare.
 */
#include "prefetch.h"

#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "error.h"
#include "loader.h"
#include "system.h"
#include "thread.h"

#define RING_BYTES   (4 << 20) /* that batches are held ready in, if so many fit */
#define MOST_PLACES  64
#define PIECE_BYTES  65536 /* that a thread reads at once, at least a sample */
#define MOST_THREADS 32
#define MESSAGE      512

/* A batch being read, or ready. */
typedef struct place {
    int64_t number;        /* of the batch; -1: none */
    int64_t start;         /* its first sample's place in the order */
    int64_t size, done;    /* samples; it is ready when all are done */
    char *x, *target;      /* target: NULL where nothing belongs to them */
    int64_t failed;        /* the first sample that could not be read, by its place in the order; -1: none */
    tn_status status;      /* of that one, */
    char message[MESSAGE]; /* and its line */
} place;

struct tn_prefetch {
    const tn_dataset *data;
    int64_t batch, piece; /* samples */
    uint64_t x_bytes, target_bytes;
    uint32_t places, held, threads;
    int is_lent; /* the places' memory */
    place *place;
    pthread_t thread[MOST_THREADS];
    pthread_mutex_t lock; /* over all that follows */
    pthread_cond_t work, ready;
    const int32_t *order;
    tn_course course;
    int64_t first;  /* of the course, where it began: batch number 0 */
    int64_t next;   /* the batch that a thread is to read of, */
    int64_t within; /* from this sample of it on */
    int64_t taken;  /* batches that were taken */
    uint32_t busy;  /* threads that read */
    uint32_t asleep;
    int stopped, quit, waiting;
    tn_prefetch_report report;
};

/* ---- what is to be done: the lock is held ---- */

/* Batches below this number have a place. */
static int64_t limit(const tn_prefetch *p)
{
    int64_t given_back = p->taken > p->held ? p->taken - p->held : 0;
    return given_back + p->places;
}

static int has_work(const tn_prefetch *p)
{
    return !p->stopped && p->first + p->next < tn_course_length(&p->course) && p->next < limit(p);
}

/* The place of the next batch, made ready for it by its first piece. */
static place *next_place(tn_prefetch *p)
{
    place *at = &p->place[p->next % p->places];
    if (at->number == p->next) return at;
    at->number = p->next;
    at->start = tn_course_batch(&p->course, p->first + p->next) * p->batch;
    int64_t left = p->data->count - at->start;
    at->size = left < p->batch ? left : p->batch;
    at->done = 0;
    at->failed = -1;
    at->status = TN_OK;
    return at;
}

/* Of several samples that failed the first counts, so that the threads don't show. */
static void finish(tn_prefetch *p, place *at, int64_t count, int64_t failed, tn_status status)
{
    if (status && (at->failed < 0 || failed < at->failed)) {
        at->failed = failed;
        at->status = status;
        snprintf(at->message, sizeof at->message, "%s", tn_message());
    }
    at->done += count;
    p->busy--;
    if (p->waiting && (at->done == at->size || !p->busy)) pthread_cond_signal(&p->ready);
}

/* ---- the threads ---- */

/* Up to the first that fails, which *failed then is. */
static tn_status read_piece(const tn_prefetch *p, place *at, int64_t within, int64_t count, int64_t *failed)
{
    tn_status status = TN_OK;
    for (const int64_t end = within + count; within < end && !status; within++) {
        int64_t index = p->order ? p->order[at->start + within] : at->start + within;
        char *target = at->target ? at->target + (uint64_t)within * p->target_bytes : NULL;
        *failed = at->start + within;
        status = tn_dataset_sample(p->data, index, at->x + (uint64_t)within * p->x_bytes, target);
    }
    return status;
}

/* Takes a piece, and reads it without the lock. */
static void work_on_piece(tn_prefetch *p)
{
    int64_t within = p->within, failed = 0;
    place *at = next_place(p);
    int64_t left = at->size - within, count = left < p->piece ? left : p->piece;
    p->within = count < left ? within + count : 0;
    p->next += count == left;
    p->busy++;
    pthread_mutex_unlock(&p->lock);
    tn_status status = read_piece(p, at, within, count, &failed);
    pthread_mutex_lock(&p->lock);
    finish(p, at, count, failed, status);
}

static void *work(void *arg)
{
    tn_prefetch *p = arg;
    pthread_mutex_lock(&p->lock);
    while (!p->quit) {
        if (has_work(p)) {
            work_on_piece(p);
            continue;
        }
        p->asleep++;
        pthread_cond_wait(&p->work, &p->lock);
        p->asleep--;
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* ---- making ---- */

static int64_t within(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

/* For as long as the prefetch is there. */
static void *take(const tn_prefetch_room *room, uint64_t bytes)
{
    return room ? room->take(room->arg, bytes) : tn_alloc(bytes);
}

static tn_status make_places(tn_prefetch *p, const tn_prefetch_room *room)
{
    p->is_lent = room != NULL;
    p->place = tn_alloc(p->places * sizeof *p->place);
    if (!p->place) return TN_ENOMEM;
    for (uint32_t i = 0; i < p->places; i++) {
        place *at = &p->place[i];
        at->number = -1;
        at->x = take(room, (uint64_t)p->batch * p->x_bytes + 1);
        if (p->target_bytes) at->target = take(room, (uint64_t)p->batch * p->target_bytes);
        if (!at->x || (p->target_bytes && !at->target)) return TN_ENOMEM;
    }
    return TN_OK;
}

/* As many as there can be, of those that were wanted. */
static tn_status start_threads(tn_prefetch *p, uint32_t wanted)
{
    int code = 0;
    while (p->threads < wanted && !(code = tn_thread_start(&p->thread[p->threads], work, p))) p->threads++;
    TN_REQUIRE(p->threads, TN_ENOMEM, "no thread can be started to read samples: %s", strerror(code));
    return TN_OK;
}

tn_status tn_prefetch_new(const tn_dataset *data, int64_t batch, int targets, uint32_t held, uint32_t threads,
                          const tn_prefetch_room *room, tn_prefetch **prefetch)
{
    tn_prefetch *p = tn_alloc(sizeof *p);
    if (!p) return TN_ENOMEM;
    *p = (tn_prefetch){.data = data, .batch = batch, .held = held, .stopped = 1};
    p->x_bytes = tn_sample_bytes(data);
    p->target_bytes = targets ? tn_target_bytes(data) : 0;
    const int64_t bytes = batch * (int64_t)(p->x_bytes + p->target_bytes) + 1;
    p->places = (uint32_t)within(RING_BYTES / bytes, held + 3, MOST_PLACES);
    p->piece = within(PIECE_BYTES / (int64_t)(p->x_bytes + 1), 1, batch);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->work, NULL);
    pthread_cond_init(&p->ready, NULL);
    tn_status status = make_places(p, room);
    if (!threads) threads = data->loader ? tn_system_processors() : 1;
    if (!status) status = start_threads(p, (uint32_t)within(threads, 1, MOST_THREADS));
    if (status)
        tn_prefetch_free(p);
    else
        *prefetch = p;
    return status;
}

void tn_prefetch_free(tn_prefetch *p)
{
    if (!p) return;
    pthread_mutex_lock(&p->lock);
    p->quit = 1;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
    for (uint32_t i = 0; i < p->threads; i++) pthread_join(p->thread[i], NULL);
    for (uint32_t i = 0; p->place && !p->is_lent && i < p->places; i++) {
        tn_free(p->place[i].x);
        tn_free(p->place[i].target);
    }
    pthread_cond_destroy(&p->ready);
    pthread_cond_destroy(&p->work);
    pthread_mutex_destroy(&p->lock);
    tn_free(p->place);
    tn_free(p);
}

/* ---- taking ---- */

/* Until that batch is ready, or with -1 until no thread reads. */
static void wait_for(tn_prefetch *p, int64_t number)
{
    const place *at = number < 0 ? NULL : &p->place[number % p->places];
    p->waiting = 1;
    if (p->asleep && has_work(p)) pthread_cond_broadcast(&p->work);
    while (at ? at->number != number || at->done < at->size : p->busy > 0) pthread_cond_wait(&p->ready, &p->lock);
    p->waiting = 0;
}

void tn_prefetch_stop(tn_prefetch *p)
{
    pthread_mutex_lock(&p->lock);
    p->stopped = 1;
    wait_for(p, -1);
    for (uint32_t i = 0; i < p->places; i++) p->place[i].number = -1;
    pthread_mutex_unlock(&p->lock);
}

void tn_prefetch_begin(tn_prefetch *p, const int32_t *order, const tn_course *course, int64_t first)
{
    tn_prefetch_stop(p);
    pthread_mutex_lock(&p->lock);
    p->order = order;
    p->course = course ? *course : tn_course_of_all((p->data->count + p->batch - 1) / p->batch);
    p->first = first;
    p->next = p->within = p->taken = 0;
    p->report.begun++;
    p->stopped = 0;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
}

/* Sleepers are woken for half of the free places rather than for each: waking takes longer than reading small samples.
 */
static void wake(tn_prefetch *p)
{
    int64_t room = limit(p) - p->next;
    if (p->asleep && has_work(p) && 2 * room >= p->places - p->held) pthread_cond_broadcast(&p->work);
}

tn_status tn_prefetch_next(tn_prefetch *p, tn_batch *batch)
{
    pthread_mutex_lock(&p->lock);
    int64_t number = p->taken++;
    place *at = &p->place[number % p->places];
    wake(p);
    if (at->number != number || at->done < at->size) {
        double began = tn_now();
        wait_for(p, number);
        p->report.waited += tn_now() - began;
    }
    tn_status status = at->status;
    if (status) tn_fail(status, "%s", at->message);
    *batch = (tn_batch){at->start, at->size, at->x, at->target};
    pthread_mutex_unlock(&p->lock);
    return status;
}

void tn_prefetch_get_report(const tn_prefetch *p, tn_prefetch_report *report)
{
    *report = p->report;
    report->threads = p->threads;
}
