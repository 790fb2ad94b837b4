/* later.c: a backend whose work is put off: what is enqueued is done when somebody waits, a command of each queue by
 * turns. It behaves well, but for the faults of a backend that is asynchronous. */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "fault.h"

enum { RING = 65536, ROOM = 2048, BUSY = 6, SLOTS = 2 };

/* A point in a queue: done when the queue came so far. An event has the one that was recorded last. */
typedef struct mark {
    int done, users;
    uint64_t queue, number; /* the queue's, and how much was in it */
    const void *place;      /* of the queue */
} mark;

struct tn_event {
    mark *mark;
};

typedef struct command {
    struct command *next;
    enum { FILL, WRITE, READ, COPY, RUN, STORE, RECORD, WAIT } kind;
    tn_ref to, from;
    void *host;
    uint64_t bytes, pattern_bytes;
    unsigned char pattern[8];
    mark *mark;
    tn_event *event; /* that a queue waits for */
    wrapped *kernel;
    tn_run run; /* with operands and scalars of its own, behind the command */
} command;

typedef struct queue {
    tn_queue *real;
    command *first, **last;
    uint64_t pending, all, number;
    int moves_much;   /* its last command does */
    int failed;       /* something of it lies beyond its buffer */
    uint64_t waited;  /* the highest number of an event that it waited for */
    const void *whom; /* and whose */
    struct queue *next;
} queue;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static queue *queues;
static tn_buffer *kept[64]; /* by freed_buffer: to be given out again */

/* ---- doing it ---- */

static void release(mark *m)
{
    if (m && --m->users == 0) free(m);
}

/* shared_scratch, shared_sums: the result goes to one of two places of the kernel's, and from there to its own. */
static unsigned char *slot[SLOTS];

static int shares_scratch(const wrapped *w)
{
    return IS(shared_scratch) || (IS(shared_sums) && !strcmp(w->name, "scatter_add"));
}

static int32_t keep_result(const command *c)
{
    uint64_t bytes = (uint64_t)tn_desc_count(&c->kernel->out) * tn_dtype_size(c->kernel->out.dtype);
    unsigned char **at = &slot[c->pattern[0]], *grown = realloc(*at, bytes + 1);
    if (!grown) return TN_ENOMEM;
    *at = grown;
    memcpy(*at, tn_reference_range(c->run.out[0], 0), bytes);
    return TN_OK;
}

static void store_result(const command *c)
{
    uint64_t bytes = (uint64_t)tn_desc_count(&c->kernel->out) * tn_dtype_size(c->kernel->out.dtype);
    memcpy(tn_reference_range(c->run.out[0], 0), slot[c->pattern[0]], bytes);
}

static void run(const queue *q, const command *c)
{
    if (c->kernel->released) return;
    if (!fault_run_now(q->real, c->kernel, &c->run, NULL) && shares_scratch(c->kernel)) (void)keep_result(c);
}

/* Returns 0 if it has to wait. What fails sticks to the real queue. */
static int do_command(const queue *q, const command *c)
{
    if (c->kind == WAIT && !(IS(wait_means_latest) ? c->event->mark : c->mark)->done) return 0;
    if (c->kind == FILL) fault_real->fill(q->real, c->to, c->bytes, c->pattern, c->pattern_bytes, NULL);
    if (c->kind == WRITE) fault_real->write(q->real, c->to, c->host, c->bytes, NULL);
    if (c->kind == READ) fault_real->read(q->real, c->host, c->from, c->bytes, NULL);
    if (c->kind == COPY) fault_real->copy(q->real, c->to, c->from, c->bytes, NULL);
    if (c->kind == RUN) run(q, c);
    if (c->kind == STORE) store_result(c);
    if (c->kind == RECORD) c->mark->done = 1;
    return 1;
}

/* One command of the queue. Returns 0 if none could be done. */
static int step(queue *q)
{
    command *c = q->first;
    if (!c || !do_command(q, c)) return 0;
    q->first = c->next;
    if (!q->first) q->last = &q->first;
    q->pending--;
    if (c->kind == RECORD || c->kind == WAIT) release(c->mark);
    free(c);
    return 1;
}

static int step_all(void)
{
    int any = 0;
    for (queue *q = queues; q; q = q->next) any |= step(q);
    return any;
}

static void finish_all(void)
{
    while (step_all()) continue;
}

/* ---- enqueuing ---- */

static int32_t add(queue *q, const command *given, const tn_run *run)
{
    wrapped *w = given->kernel;
    if (IS(full_ring) && q->pending >= RING) return TN_OK;
    if (IS(no_room) && q->pending >= ROOM && q->first->kind == WAIT) return TN_ENOMEM;
    command *c = calloc(1, sizeof *c + (run ? 2 * TN_MAX_OPERANDS * sizeof(tn_ref) + run->n_scalar * 8 : 0));
    if (!c) return TN_ENOMEM;
    *c = *given;
    if (run) {
        tn_ref *in = (tn_ref *)(void *)(c + 1), *out = in + TN_MAX_OPERANDS;
        tn_scalar *scalar = (tn_scalar *)(void *)(out + TN_MAX_OPERANDS);
        memcpy(in, run->in, w->n_in * sizeof *in);
        memcpy(out, run->out, (w->last + 1) * sizeof *out);
        if (run->n_scalar) memcpy(scalar, run->scalar, run->n_scalar * sizeof *scalar);
        c->run = *run;
        c->run.size = sizeof c->run, c->run.in = in, c->run.out = out, c->run.scalar = scalar;
        if (IS(one_scalar)) c->run.scalar = memcpy(w->scalar, scalar, run->n_scalar * sizeof *scalar);
        if (IS(late_scalars) && run->n_scalar > 8) c->run.scalar = run->scalar;
    }
    *q->last = c, q->last = &c->next;
    q->pending++, q->all++;
    q->moves_much = c->kind == COPY && c->bytes >= 4 << 20;
    return TN_OK;
}

static int32_t add_locked(tn_queue *q, const command *c, const tn_run *run)
{
    pthread_mutex_lock(&lock);
    int32_t s = add((queue *)q, c, run);
    pthread_mutex_unlock(&lock);
    return s;
}

static int32_t put_fill(tn_queue *q, tn_ref to, uint64_t bytes, const void *pattern, uint64_t unit, tn_msg *msg)
{
    command c = {.kind = FILL, .to = to, .bytes = bytes, .pattern_bytes = unit};
    (void)msg;
    memcpy(c.pattern, pattern, unit);
    return add_locked(q, &c, NULL);
}

static int32_t put_write(tn_queue *q, tn_ref to, const void *from, uint64_t bytes, tn_msg *msg)
{
    (void)msg;
    return add_locked(q, &(command){.kind = WRITE, .to = to, .host = (void *)(uintptr_t)from, .bytes = bytes}, NULL);
}

static void drop_all(queue *q)
{
    for (command *c = q->first; c; c = c->next) c->kind = FILL, c->bytes = 0;
}

static int32_t put_read(tn_queue *q, void *to, tn_ref from, uint64_t bytes, tn_msg *msg)
{
    (void)msg;
    ((queue *)q)->failed |= from.offset + bytes > from.buffer->bytes;
    if (IS(drops_earlier) && ((queue *)q)->failed) drop_all((queue *)q);
    return add_locked(q, &(command){.kind = READ, .from = from, .host = to, .bytes = bytes}, NULL);
}

static int32_t put_copy(tn_queue *q, tn_ref to, tn_ref from, uint64_t bytes, tn_msg *msg)
{
    (void)msg;
    return add_locked(q, &(command){.kind = COPY, .to = to, .from = from, .bytes = bytes}, NULL);
}

static int32_t put_run(tn_queue *q, tn_kernel *kernel, const tn_run *run, tn_msg *msg)
{
    (void)msg;
    static int turn; /* which runs share their scratch memory */
    command c = {.kind = RUN, .kernel = (wrapped *)kernel};
    c.pattern[0] = (unsigned char)(turn++ % SLOTS);
    int32_t s = add_locked(q, &c, run);
    c.kind = STORE;
    return s || !shares_scratch(c.kernel) ? s : add_locked(q, &c, run);
}

/* ---- events ---- */

static int32_t event_create(tn_context *context, tn_event **event, tn_msg *msg)
{
    (void)context, (void)msg;
    tn_event *e = calloc(1, sizeof *e);
    if (!e) return TN_ENOMEM;
    *event = e;
    return TN_OK;
}

static void event_destroy(tn_event *event)
{
    if (!event) return;
    pthread_mutex_lock(&lock);
    if (event->mark && IS(freed_event)) event->mark->done = 1;
    release(event->mark);
    pthread_mutex_unlock(&lock);
    free(event);
}

/* Whether nothing but waits is left in the queue. */
static int only_waits(const queue *q)
{
    const command *c = q->first;
    while (c && c->kind == WAIT) c = c->next;
    return !c;
}

static int32_t record(queue *q, tn_event *event)
{
    static uint64_t tickets;
    mark *m = calloc(1, sizeof *m);
    if (!m) return TN_ENOMEM;
    tickets++;
    m->done = (IS(early_signal) && q->pending >= BUSY) || (IS(short_tickets) && tickets > UINT16_MAX) ||
              (IS(wait_is_nothing) && only_waits(q)) || (IS(early_when_large) && q->moves_much) ||
              (IS(short_sequence) && q->all > 1 << 20);
    m->place = q;
    m->users = 2, m->queue = q->number, m->number = q->all;
    int32_t s = add(q, &(command){.kind = RECORD, .mark = m}, NULL);
    if (IS(first_record) && event->mark)
        release(m);
    else
        release(event->mark), event->mark = m;
    return s;
}

/* torn_event: the event's queue is written, and its number is not yet. */
static int is_torn;

static int32_t event_record(tn_queue *q, tn_event *event, tn_msg *msg)
{
    (void)msg;
    if (IS(torn_event)) {
        __atomic_store_n(&is_torn, 1, __ATOMIC_RELAXED);
        usleep(20);
        __atomic_store_n(&is_torn, 0, __ATOMIC_RELAXED);
    }
    pthread_mutex_lock(&lock);
    int32_t s = IS(silent_record) && ((queue *)q)->failed ? TN_OK : record((queue *)q, event);
    pthread_mutex_unlock(&lock);
    return s;
}

static int is_there(uint64_t number)
{
    const queue *q = queues;
    while (q && q->number != number) q = q->next;
    return q != NULL;
}

/* same_numbers: whether the queue waited for as high a number before, of whatever queue. same_place: of a queue that
 * lay there. */
static int waited_for(queue *q, const mark *m)
{
    const int is_old = (IS(same_numbers) || (IS(same_place) && q->whom == m->place)) && m->number <= q->waited;
    if (!is_old) q->waited = m->number, q->whom = m->place;
    return is_old;
}

static int32_t event_wait(tn_queue *q, tn_event *event, tn_msg *msg)
{
    int32_t s = TN_OK;
    (void)msg;
    while (__atomic_load_n(&is_torn, __ATOMIC_RELAXED)) pause(); /* for what never comes */
    pthread_mutex_lock(&lock);
    if (IS(events_go) && event->mark && !is_there(event->mark->queue)) s = TN_ESTATE;
    if (IS(waits_at_once))
        while (event->mark && !event->mark->done && step_all()) continue;
    if (IS(leaks_waits) && !malloc(64)) s = TN_ENOMEM;
    if (!s && event->mark && !IS(deaf_queue) && !waited_for((queue *)q, event->mark)) {
        event->mark->users++;
        s = add((queue *)q, &(command){.kind = WAIT, .mark = event->mark, .event = event}, NULL);
    }
    pthread_mutex_unlock(&lock);
    return s;
}

static int32_t event_sync(tn_event *event, tn_msg *msg)
{
    (void)msg;
    pthread_mutex_lock(&lock);
    while (event->mark && !event->mark->done && step_all()) continue;
    pthread_mutex_unlock(&lock);
    return TN_OK;
}

/* ---- queues and memory ---- */

static int32_t queue_create(tn_context *context, tn_queue **made, tn_msg *msg)
{
    static uint64_t numbers;
    queue *q = calloc(1, sizeof *q);
    int32_t s = q ? fault_real->queue_create(context, &q->real, msg) : TN_ENOMEM;
    if (s) return free(q), s;
    q->last = &q->first;
    pthread_mutex_lock(&lock);
    q->next = queues, queues = q, q->number = ++numbers;
    pthread_mutex_unlock(&lock);
    *made = (tn_queue *)q;
    return TN_OK;
}

static void queue_destroy(tn_queue *gone)
{
    queue *q = (queue *)gone;
    if (!q) return;
    pthread_mutex_lock(&lock);
    while (!IS(drops_queue) && q->first && step_all()) continue;
    for (queue **at = &queues; *at; at = &(*at)->next)
        if (*at == q) {
            *at = q->next;
            break;
        }
    pthread_mutex_unlock(&lock);
    fault_real->queue_destroy(q->real);
    free(q);
}

static int32_t queue_flush(tn_queue *q, tn_msg *msg)
{
    (void)q, (void)msg;
    return TN_OK;
}

static int32_t queue_sync(tn_queue *waits, tn_msg *msg)
{
    queue *q = (queue *)waits;
    static int times;
    pthread_mutex_lock(&lock);
    while (IS(sleeps_on) && ++times > 20000) pthread_cond_wait(&(pthread_cond_t)PTHREAD_COND_INITIALIZER, &lock);
    while (q->first && step_all()) continue;
    int32_t s = fault_real->queue_sync(q->real, msg);
    if (s && IS(keeps_dropped)) (void)fault_host->allocate(fault_host->self, 64, 8); /* for what was dropped */
    pthread_mutex_unlock(&lock);
    return s;
}

static int32_t queue_stats(tn_queue *q, tn_queue_stats *stats, tn_msg *msg)
{
    return fault_real->queue_stats(((queue *)q)->real, stats, msg);
}

static int32_t buffer_create(tn_context *context, uint64_t bytes, tn_buffer **buffer, tn_msg *msg)
{
    for (int i = 0; i < 64; i++)
        if (kept[i] && kept[i]->bytes == bytes) {
            *buffer = kept[i], kept[i] = NULL;
            return TN_OK;
        }
    return fault_real->buffer_create(context, bytes, buffer, msg);
}

/* The moves whose one buffer a fault forgets to keep, and which of the two. */
static const struct unkept {
    const char *fault;
    int kind, is_target;
} unkepts[] = {
    {"freed_source", COPY, 0}, {"freed_target", COPY, 1}, {"freed_write", WRITE, 1}, {"freed_read", READ, 0}};

/* The same of runs. */
static int is_unkept_of_run(const command *c, const tn_buffer *buffer)
{
    int found = IS(freed_scratch) && c->run.scratch.buffer == buffer;
    for (uint32_t i = 0; IS(freed_input) && i < c->kernel->n_in; i++) found |= c->run.in[i].buffer == buffer;
    return found || (IS(freed_output) && c->run.out[0].buffer == buffer);
}

/* Whether some move or run that is under way uses it so. */
static int is_unkept(const tn_buffer *buffer)
{
    for (const queue *q = queues; q; q = q->next)
        for (const command *c = q->first; c; c = c->next)
            if (c->kind == RUN && is_unkept_of_run(c, buffer)) return 1;
    for (const struct unkept *u = unkepts; u < unkepts + sizeof unkepts / sizeof *unkepts; u++)
        for (const queue *q = strcmp(u->fault, fault_name) ? NULL : queues; q; q = q->next)
            for (const command *c = q->first; c; c = c->next)
                if ((int)c->kind == u->kind && (u->is_target ? c->to : c->from).buffer == buffer) return 1;
    return 0;
}

static void buffer_destroy(tn_buffer *buffer)
{
    int at = 0;
    if (!buffer) return;
    const int forgets = IS(freed_buffer) || is_unkept(buffer);
    while (forgets && at < 63 && kept[at]) at++;
    if (forgets && !kept[at]) {
        kept[at] = buffer;
        return;
    }
    pthread_mutex_lock(&lock);
    finish_all();
    pthread_mutex_unlock(&lock);
    fault_real->buffer_destroy(buffer);
}

/* What operations.c does when a kernel is let go of: its work is done first. */
static void op_release(tn_kernel *kernel)
{
    if (!kernel) return;
    if (IS(freed_buffer)) return; /* kernels are kept, so that nothing is waited for */
    if (IS(freed_kernel)) {
        ((wrapped *)kernel)->released = 1; /* and is kept, so that it can be seen */
        return;
    }
    pthread_mutex_lock(&lock);
    finish_all();
    pthread_mutex_unlock(&lock);
    fault_lower.op_release(kernel);
}

int fault_puts_off(void)
{
    static const char *const faults[] = {
        "none_later",  "early_signal",     "short_tickets",  "first_record",   "freed_event",   "deaf_queue",
        "full_ring",   "freed_buffer",     "freed_kernel",   "shared_scratch", "drops_queue",   "wait_means_latest",
        "no_room",     "wait_is_nothing",  "shared_sums",    "drops_earlier",  "events_go",     "late_scalars",
        "one_scalar",  "early_when_large", "short_sequence", "same_numbers",   "silent_record", "waits_at_once",
        "leaks_waits", "sleeps_on",        "freed_source",   "freed_target",   "freed_write",   "freed_read",
        "freed_input", "freed_output",     "freed_scratch",  "torn_event",     "keeps_dropped", "same_place",
        "here_later"};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        if (!strcmp(fault_name, faults[i])) return 1;
    return 0;
}

void fault_put_off(tn_backend *table)
{
    fault_lower.op_release = table->op_release;
    table->queue_create = queue_create, table->queue_destroy = queue_destroy, table->queue_flush = queue_flush;
    table->queue_sync = queue_sync, table->queue_stats = queue_stats;
    table->fill = put_fill, table->write = put_write, table->read = put_read, table->copy = put_copy;
    table->event_create = event_create, table->event_destroy = event_destroy, table->event_record = event_record;
    table->event_wait = event_wait, table->event_sync = event_sync;
    table->buffer_create = buffer_create, table->buffer_destroy = buffer_destroy;
    table->op_run = put_run, table->op_release = op_release;
}
