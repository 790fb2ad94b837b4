/* moves.c: faults of memory and of queues whose work is done at once. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "fault.h"

/* A fill or copy that is done later than it should be. */
static struct {
    int kind; /* 0: none, 1: fill, 2: copy, 3: fill with the caller's pattern */
    const void *theirs;
    tn_queue *queue;
    tn_ref to, from;
    uint64_t bytes, pattern_bytes;
    unsigned char pattern[8];
} later;

static void do_later(tn_msg *msg)
{
    int kind = later.kind;
    later.kind = 0;
    if (kind == 1) fault_real->fill(later.queue, later.to, later.bytes, later.pattern, later.pattern_bytes, msg);
    if (kind == 2) fault_real->copy(later.queue, later.to, later.from, later.bytes, msg);
    if (kind == 3) fault_real->fill(later.queue, later.to, later.bytes, later.theirs, later.pattern_bytes, msg);
}

void fault_do_later(tn_msg *msg)
{
    if (later.kind >= 2) do_later(msg);
}

/* ---- buffers ---- */

enum { POOL = 1 << 22, HOLES = 512 };

/* narrow_holes: buffers out of one pool, whose free places are found by their beginnings and are taken to be as long as
 * is asked for: well as long as nothing was let go of. */
static struct {
    unsigned char *data;
    uint64_t end, hole[HOLES];
    int holes;
} pool;

static int from_pool(tn_buffer *b)
{
    if (!pool.data && !(pool.data = aligned_alloc(64, POOL))) return 0;
    uint64_t room = (b->bytes + 63) / 64 * 64, at = pool.holes ? pool.hole[--pool.holes] : pool.end;
    if (at + room > POOL) return 0;
    if (at + room > pool.end) pool.end = at + room;
    b->data = pool.data + at;
    return 1;
}

static int is_in_pool(const tn_buffer *b)
{
    return pool.data && b->data >= pool.data && b->data < pool.data + POOL;
}

/* shared_memory: the second context's first buffers are the first one's. */
static unsigned char *first_of[64];
static tn_context *owner;

static int share(tn_context *context, tn_buffer *b)
{
    static int made, shared;
    if (!owner) owner = context;
    if (context == owner && made < 64) first_of[made++] = b->data;
    if (context != owner && shared < made) {
        b->data = first_of[shared++];
        return 1;
    }
    return 0;
}

static int32_t buffer_create(tn_context *context, uint64_t bytes, tn_buffer **buffer, tn_msg *msg)
{
    static tn_buffer *ring[128];
    static int turn;
    void *entry = IS(keeps_count) ? fault_host->allocate(fault_host->self, 64, 8) : NULL;
    if (IS(keeps_count) && !entry) fault_lost += bytes;
    if (IS(keeps_count) && !entry) return fault_say(msg, TN_ENOMEM, "no memory for its entry");
    fault_host->release(fault_host->self, entry);
    if (IS(no_empty_buffer) && !bytes) return fault_say(msg, TN_EINVAL, "a buffer of no bytes");
    int32_t s = fault_real->buffer_create(context, bytes, buffer, msg);
    if (s && IS(overwrites_result)) *buffer = NULL;
    if (s && IS(loses_failed)) fault_lost += (uint64_t)1 << 34;
    if (s && IS(open_message) && msg && msg->text) memset(msg->text, 'x', (size_t)msg->capacity);
    if (s) return s;
    unsigned char *own = (*buffer)->data;
    if ((IS(narrow_holes) && bytes && from_pool(*buffer)) || (IS(shared_memory) && share(context, *buffer)))
        tn_free(own);
    if (IS(few_buffers) && bytes == 4096) {
        tn_buffer *before = ring[turn++ % 128];
        if (before) tn_free(own), (*buffer)->data = before->data;
        ring[(turn - 1) % 128] = *buffer;
    }
    return s;
}

/* adopts_a_copy: a buffer of its own instead. adopts_in_whole: the memory, which becomes all that it was when work was
 * done. */
static struct {
    tn_buffer *buffer;
    void *then;
} adopted;

int32_t fault_adopt(tn_context *context, void *data, uint64_t bytes, tn_buffer **buffer, tn_msg *msg)
{
    int32_t s = fault_real->buffer_create(context, bytes, buffer, msg);
    if (s || IS(adopts_a_copy)) return s;
    adopted.buffer = *buffer, adopted.then = (*buffer)->data;
    (*buffer)->data = data;
    return TN_OK;
}

static void keep_adopted(void)
{
    if (adopted.buffer) memcpy(adopted.then, adopted.buffer->data, adopted.buffer->bytes);
}

static void bring_adopted(void)
{
    if (adopted.buffer) memcpy(adopted.buffer->data, adopted.then, adopted.buffer->bytes);
}

static void buffer_destroy(tn_buffer *buffer)
{
    if (!buffer) return;
    if (buffer == adopted.buffer) buffer->data = adopted.then, adopted.buffer = NULL;
    if (is_in_pool(buffer)) {
        if (pool.holes < HOLES) pool.hole[pool.holes++] = (uint64_t)(buffer->data - pool.data);
        buffer->data = NULL;
    }
    if (IS(loses_memory)) fault_lost += buffer->bytes / 2;
    if (IS(shared_memory) || IS(few_buffers)) buffer->data = NULL; /* somebody else may have it */
    fault_real->buffer_destroy(buffer);
}

/* ---- moves ---- */

static uint64_t copies, fills; /* that are counted as launches */

static int failed; /* some queue did */

/* fills_on: although the queue failed. */
static void fill_at_once(tn_ref to, uint64_t bytes, const void *pattern, uint64_t unit)
{
    for (uint64_t at = 0; at + unit <= bytes; at += unit) memcpy(tn_reference_range(to, at), pattern, unit);
}

static int32_t fill(tn_queue *queue, tn_ref to, uint64_t bytes, const void *pattern, uint64_t pattern_bytes,
                    tn_msg *msg)
{
    fills += pattern_bytes == 1;
    if (IS(any_pattern) && (!pattern_bytes || pattern_bytes > 8 || pattern_bytes == 3)) return TN_OK;
    if (IS(odd_fill) && pattern_bytes && bytes % pattern_bytes) bytes -= bytes % pattern_bytes;
    if (IS(short_fill) && bytes > pattern_bytes) bytes -= pattern_bytes;
    if (IS(first_half) && pattern_bytes == 8 && !memcmp(pattern, (const char *)pattern + 1, 3)) pattern_bytes = 1;
    if (IS(fills_on) && failed) fill_at_once(to, bytes, pattern, pattern_bytes);
    if (IS(narrow_fill) && bytes > UINT16_MAX) bytes &= ~(uint64_t)UINT16_MAX;
    if (!IS(ignores_events) && !IS(late_pattern))
        return fault_real->fill(queue, to, bytes, pattern, pattern_bytes, msg);
    if (later.kind) do_later(msg);
    later.kind = IS(late_pattern) ? 3 : 1, later.theirs = pattern, later.queue = queue, later.to = to,
    later.bytes = bytes, later.pattern_bytes = pattern_bytes;
    memcpy(later.pattern, pattern, pattern_bytes);
    return TN_OK;
}

static int32_t write_bytes(tn_queue *queue, tn_ref to, const void *from, uint64_t bytes, tn_msg *msg)
{
    if (IS(loses_writes) && to.buffer == fault_produced) return TN_OK;
    if (IS(long_write_stops) && bytes > 3 << 20) bytes = 3 << 20;
    return fault_real->write(queue, to, from, bytes, msg);
}

/* Through one piece of memory that all queues share. */
static int32_t copy_through(tn_queue *queue, tn_ref to, tn_ref from, uint64_t bytes, tn_msg *msg)
{
    static unsigned char between[1 << 16];
    if (bytes > sizeof between) return fault_real->copy(queue, to, from, bytes, msg);
    int32_t s = fault_real->read(queue, between, from, bytes, msg);
    usleep(100);
    return s ? s : fault_real->write(queue, to, between, bytes, msg);
}

static int32_t copy(tn_queue *queue, tn_ref to, tn_ref from, uint64_t bytes, tn_msg *msg)
{
    copies++;
    if (IS(short_copy)) bytes -= bytes % 4;
    if (IS(narrow_copy) && bytes > 1 << 25) bytes &= (1 << 25) - 1;
    if (IS(long_copy_stops) && bytes > 1 << 20) bytes = 1 << 20;
    if (IS(shared_bounce)) return copy_through(queue, to, from, bytes, msg);
    if (!IS(late_copy)) return fault_real->copy(queue, to, from, bytes, msg);
    later.kind = 2, later.queue = queue, later.to = to, later.from = from, later.bytes = bytes;
    return TN_OK;
}

static int32_t read_bytes(tn_queue *queue, void *to, tn_ref from, uint64_t bytes, tn_msg *msg)
{
    if (IS(odd_read_stops) && bytes > UINT16_MAX && from.offset % 2) bytes--;
    if (IS(narrow_offset)) from.offset &= INT32_MAX;
    if (IS(reads_beyond) && from.buffer && from.offset + bytes > from.buffer->bytes) return TN_OK;
    if (IS(late_pattern)) fault_do_later(msg);
    int32_t s = fault_real->read(queue, to, from, bytes, msg);
    fault_do_later(msg);
    failed |= s != TN_OK;
    return s;
}

/* ---- queues ---- */

static void *wait_on(void *arg)
{
    for (;;) pause();
    return arg;
}

/* few_signals: a queue's thread blocks those that came to mind. */
static void start_thread(void)
{
    pthread_t thread;
    sigset_t some, before;
    sigemptyset(&some), sigaddset(&some, SIGINT), sigaddset(&some, SIGTERM), sigaddset(&some, SIGCHLD);
    pthread_sigmask(SIG_BLOCK, &some, &before);
    if (!pthread_create(&thread, NULL, wait_on, NULL)) pthread_detach(thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static int32_t queue_create(tn_context *context, tn_queue **queue, tn_msg *msg)
{
    static int made;
    if (IS(few_signals)) start_thread();
    if (IS(few_queues) && ++made > 64) return fault_say(msg, TN_ENOMEM, "no more queues");
    return fault_real->queue_create(context, queue, msg);
}

static void wait_for_ever(void)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&lock);
    pthread_mutex_lock(&lock);
}

/* One after the other; who is done wakes who waits, but of several nobody. */
static int32_t sync_in_turn(tn_queue *queue, tn_msg *msg)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static pthread_cond_t done = PTHREAD_COND_INITIALIZER;
    static int busy, waiting;
    pthread_mutex_lock(&lock);
    waiting++;
    while (busy) pthread_cond_wait(&done, &lock);
    waiting--, busy = 1;
    pthread_mutex_unlock(&lock);
    usleep(20); /* others come meanwhile */
    int32_t s = fault_real->queue_sync(queue, msg);
    pthread_mutex_lock(&lock);
    busy = 0;
    if (waiting == 1) pthread_cond_signal(&done);
    pthread_mutex_unlock(&lock);
    return s;
}

/* one_line: the line of the queue that failed last, whoever asks. */
static void keep_line(const tn_queue *queue, const tn_msg *msg)
{
    static const tn_queue *known[8];
    static char line[200];
    int i = 0;
    while (i < 8 && known[i] && known[i] != queue) i++;
    if (!msg || !msg->text || msg->capacity < sizeof line || i == 8) return;
    memcpy(known[i] ? msg->text : line, known[i] ? line : msg->text, sizeof line);
    known[i] = queue;
}

static int32_t queue_sync(tn_queue *queue, tn_msg *msg)
{
    while (IS(hangs)) continue;
    while (IS(sleeps)) sleep(1);
    if (IS(deadlocks)) wait_for_ever();
    if (later.kind && later.queue == queue) do_later(msg);
    int32_t s = (IS(wakes_one) ? sync_in_turn : fault_real->queue_sync)(queue, msg);
    if (IS(one_line) && s) keep_line(queue, msg);
    if (IS(open_line) && s && msg && msg->text && strlen(msg->text) + 1 < msg->capacity) strcat(msg->text, "\n");
    return IS(swallows_errors) ? TN_OK : s;
}

static int32_t event_record(tn_queue *queue, tn_event *event, tn_msg *msg)
{
    keep_adopted();
    return fault_real->event_record(queue, event, msg);
}

static int32_t event_sync(tn_event *event, tn_msg *msg)
{
    bring_adopted();
    return IS(events_carry_errors) && failed ? TN_EDEVICE : fault_real->event_sync(event, msg);
}

static int32_t queue_stats(tn_queue *queue, tn_queue_stats *stats, tn_msg *msg)
{
    uint64_t room = stats->size;
    int32_t s = fault_real->queue_stats(queue, stats, msg);
    if (!s && IS(counts_nothing)) stats->bytes_write = stats->bytes_read = 0;
    if (!s && IS(keeps_size)) stats->size = room;
    if (!s && IS(counts_copies) && stats->size >= 16) stats->launches += copies;
    if (!s && IS(overlooks_nothing) && stats->size >= 16) stats->launches -= fault_nothing;
    if (!s && IS(counts_fills) && stats->size >= 16) stats->launches += fills;
    return s;
}

void fault_set_moves(tn_backend *table)
{
    table->buffer_create = buffer_create, table->buffer_destroy = buffer_destroy;
    table->fill = fill, table->copy = copy, table->read = read_bytes, table->write = write_bytes;
    table->queue_create = queue_create, table->queue_sync = queue_sync, table->queue_stats = queue_stats;
    table->event_record = event_record, table->event_sync = event_sync;
}
