/* consistency.c: the same result each time: on repeat, on another queue, in another context, from eight threads. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "sample.h"

/* Runs the sample again in the kit's queue; the bits must be those of `first`. */
static int run_again(tn_kit *kit, tn_kit_sample *s, const unsigned char *first, const char *how)
{
    int answer = tn_kit_run_job(kit, &s->job);
    return tn_kit_expect(kit, answer == TN_KIT_RAN, "%s %s: refused or failed", s->job.desc->name, how) &&
           tn_kit_expect(kit, !memcmp(first, s->job.out[0], tn_kit_bytes(s->job.desc->out)), "%s gives other bits %s",
                         s->job.desc->name, how);
}

static void each_sample(tn_kit *kit, int samples,
                        void (*body)(tn_kit *kit, tn_kit_sample *s, const unsigned char *first))
{
    int fine = tn_kit_open(kit);
    for (int i = 0; fine && i < samples; i++) {
        tn_kit_sample s;
        unsigned char *first = NULL;
        fine = tn_kit_sample_make(kit, i, &s);
        int answer = fine ? tn_kit_run_job(kit, &s.job) : TN_KIT_WRONG;
        if (answer == TN_KIT_RAN && (first = malloc(tn_kit_bytes(s.job.desc->out)))) {
            memcpy(first, s.job.out[0], tn_kit_bytes(s.job.desc->out));
            body(kit, &s, first);
        }
        fine = answer != TN_KIT_WRONG && !kit->result->failed;
        free(first);
        tn_kit_sample_free(&s);
    }
    tn_kit_close(kit);
}

static void repeat_body(tn_kit *kit, tn_kit_sample *s, const unsigned char *first)
{
    for (int i = 0; i < 12; i++)
        if (!run_again(kit, s, first, "on repeat")) return;
}

static void repeat(tn_kit *kit)
{
    each_sample(kit, TN_KIT_ALL, repeat_body);
}

static void queues_body(tn_kit *kit, tn_kit_sample *s, const unsigned char *first)
{
    tn_queue *mine = kit->queue;
    if (tn_kit_ok(kit, kit->backend->queue_create(kit->context, &kit->queue, &kit->msg), "queue_create")) {
        run_again(kit, s, first, "on a second queue");
        kit->backend->queue_destroy(kit->queue);
    }
    kit->queue = mine;
}

static void queues(tn_kit *kit)
{
    each_sample(kit, TN_KIT_SAMPLES, queues_body);
}

static void contexts_body(tn_kit *kit, tn_kit_sample *s, const unsigned char *first)
{
    const tn_backend *b = kit->backend;
    tn_context *my_context = kit->context;
    tn_queue *my_queue = kit->queue;
    kit->context = NULL, kit->queue = NULL;
    if (tn_kit_ok(kit, b->context_create(kit->target->index, &kit->context, &kit->msg), "a second context_create") &&
        tn_kit_ok(kit, b->queue_create(kit->context, &kit->queue, &kit->msg), "queue_create"))
        run_again(kit, s, first, "in a second context");
    if (kit->queue) b->queue_destroy(kit->queue);
    if (kit->context) b->context_destroy(kit->context);
    kit->context = my_context, kit->queue = my_queue;
    run_again(kit, s, first, "after another context was destroyed");
}

static void contexts(tn_kit *kit)
{
    each_sample(kit, TN_KIT_SAMPLES, contexts_body);
}

/* ---- eight threads on one kernel ---- */

enum { THREADS = 8, ROUNDS = 100, FEW_ROUNDS = 10, WAITS = 30 };

/* Every other thread has other data. */
typedef struct shared {
    tn_kit *kit;
    tn_kit_sample *s;
    const unsigned char *first;
    tn_kernel *kernel;
    uint64_t scratch;
    pthread_barrier_t *begin;
} shared;

/* Calls go on whatever happens, so that nobody waits for ever; the first status that is not TN_OK is returned. */
static int32_t thread_run(const shared *t, tn_queue *q, tn_buffer *const buffer[], unsigned char *back, tn_msg *msg)
{
    const tn_backend *b = t->kit->backend;
    const tn_op_desc *desc = t->s->job.desc;
    tn_ref in[TN_MAX_OPERANDS], out = {buffer[desc->n_in], 0};
    for (uint32_t i = 0; i < desc->n_in; i++) in[i] = (tn_ref){buffer[i], 0};
    tn_run run = {sizeof run, in, &out, {buffer[desc->n_in + 1], 0}, t->s->job.scalar, t->s->job.n_scalar};
    int32_t status = b->op_run(q, t->kernel, &run, msg);
    if (!status) status = b->read(q, back, out, tn_kit_bytes(desc->out), msg);
    return status ? status : b->queue_sync(q, msg);
}

/* Of many that wait for next to nothing, none is forgotten. */
static int32_t wait_often(const tn_backend *b, tn_queue *q, tn_ref to, tn_msg *msg)
{
    int32_t s = TN_OK;
    for (int i = 0; !s && i < WAITS; i++) {
        s = b->fill(q, to, 4, &i, 4, msg);
        if (!s) s = b->queue_sync(q, msg);
    }
    return s;
}

static void *thread_body(void *arg)
{
    shared *t = arg;
    const tn_backend *b = t->kit->backend;
    const tn_op_desc *desc = t->s->job.desc;
    tn_queue *q = NULL;
    tn_buffer *buffer[TN_MAX_OPERANDS + 2] = {0};
    char text[200] = "";
    tn_msg msg = {text, sizeof text};
    unsigned char *back = malloc(tn_kit_bytes(desc->out));
    int32_t s = b->queue_create(t->kit->context, &q, &msg);
    for (uint32_t i = 0; !s && i < desc->n_in + 2; i++) {
        uint64_t bytes = tn_kit_buffer_bytes(desc, i, t->scratch);
        s = b->buffer_create(t->kit->context, bytes, &buffer[i], &msg);
        if (!s && i < desc->n_in) s = b->write(q, (tn_ref){buffer[i], 0}, t->s->job.in[i], bytes, &msg);
    }
    if (!s) s = b->queue_sync(q, &msg);
    const int rounds = t->s->number < TN_KIT_SAMPLES ? ROUNDS : FEW_ROUNDS;
    for (int i = 0; i < rounds; i++) {
        pthread_barrier_wait(t->begin); /* all of them at once, each time */
        if (!s) s = wait_often(b, q, (tn_ref){buffer[desc->n_in], 0}, &msg);
        if (!s && back) s = thread_run(t, q, buffer, back, &msg);
        if (!s && back)
            tn_kit_expect(t->kit, !memcmp(back, t->first, tn_kit_bytes(desc->out)),
                          "%s gives other bits when eight threads run it", desc->name);
    }
    tn_kit_expect(t->kit, !s, "%s from eight threads: %s: %s", desc->name, tn_status_name(s), text);
    for (uint32_t i = 0; i < desc->n_in + 2; i++)
        if (buffer[i]) b->buffer_destroy(buffer[i]);
    if (q) b->queue_destroy(q);
    free(back);
    return NULL;
}

static void run_threads(tn_kit *kit, shared side[2])
{
    tn_kernel_info info = {.size = sizeof info};
    pthread_t thread[THREADS];
    pthread_barrier_t begin;
    tn_kernel *kernel = NULL;
    if (!tn_kit_ok(kit, kit->backend->op_prepare(kit->context, side->s->job.desc, &kernel, &info, &kit->msg),
                   "op_prepare"))
        return;
    pthread_barrier_init(&begin, NULL, THREADS);
    for (int i = 0; i < 2; i++) side[i].kernel = kernel, side[i].scratch = info.scratch, side[i].begin = &begin;
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&thread[i], NULL, thread_body, &side[i % 2])) abort();
    for (int i = 0; i < THREADS; i++) pthread_join(thread[i], NULL);
    pthread_barrier_destroy(&begin);
    kit->backend->op_release(kernel);
}

static void threads_body(tn_kit *kit, tn_kit_sample *s, const unsigned char *first)
{
    tn_kit_sample other;
    if (!tn_kit_sample_make(kit, s->number, &other)) return;
    if (tn_kit_run_job(kit, &other.job) == TN_KIT_RAN)
        run_threads(kit, (shared[]){{.kit = kit, .s = s, .first = first},
                                    {.kit = kit, .s = &other, .first = other.job.out[0]}});
    tn_kit_sample_free(&other);
}

static void threads(tn_kit *kit)
{
    each_sample(kit, TN_KIT_ALL, threads_body);
}

/* ---- outputs that change places with their operands ---- */

/* a, b = b, a, in place, and c = a b. */
static void swap(tn_kit *kit)
{
    enum { COUNT = 5003 };
    static const tn_map_instr instr = {"mul", {0, 1, -1, -1}, TN_F32, 0, 0};
    static const int32_t out[] = {1, 0, 2}, alias[] = {0, 1, -1};
    static float x[2][COUNT], y[3][COUNT];
    const tn_map_attrs map = {sizeof map, &instr, out, 1, 2, 3, 0};
    const tn_tensor_desc operand[] = {tn_kit_dense(1, COUNT, 0, 0), tn_kit_dense(1, COUNT, 0, 0),
                                      tn_kit_dense(1, COUNT, 0, 0)};
    const tn_op_desc desc = {.size = sizeof desc,
                             .name = "map",
                             .in = operand,
                             .out = operand,
                             .n_in = 2,
                             .n_out = 3,
                             .attrs = &map,
                             .alias = alias};
    tn_kit_job job = {.desc = &desc};
    tn_kit_want want;
    for (int i = 0; i < 2; i++) job.in[i] = (unsigned char *)x[i];
    for (int i = 0; i < 3; i++) job.out[i] = (unsigned char *)y[i];
    for (int e = 0; e < 2 * COUNT; e++) x[e % 2][e / 2] = (float)tn_kit_uniform(kit, -1, 1);
    if (!tn_kit_open(kit) || !tn_kit_expected(kit, &job, &want)) return;
    if (tn_kit_run_job(kit, &job) == TN_KIT_RAN) tn_kit_compare(kit, &job, &want, ", each over the other's operand");
    tn_kit_want_free(&want);
    tn_kit_close(kit);
}

/* ---- eight threads prepare operations of their own ---- */

enum { KERNELS = 24 };

/* A thread's operation: y = (number + 2) x of so many whole numbers. */
typedef struct maker {
    tn_kit *kit;
    pthread_barrier_t *begin;
    int32_t number, status, wrong, refused;
} maker;

static int64_t count_of(const maker *m)
{
    return 700 + 37 * m->number;
}

static int32_t prepare_own(const maker *m, tn_kernel **kernel, tn_kernel_info *info)
{
    tn_map_instr instr[THREADS];
    const int32_t out = m->number + 1;
    for (int32_t i = 0; i <= m->number; i++) instr[i] = (tn_map_instr){"add", {i, 0, -1, -1}, TN_I32, 0, 0};
    const tn_map_attrs map = {sizeof map, instr, &out, (uint32_t)m->number + 1, 1, 1, 0};
    tn_tensor_desc x = tn_kit_dense(1, count_of(m), 0, 0);
    x.dtype = TN_I32;
    const tn_op_desc desc = {
        .size = sizeof desc, .name = "map", .in = &x, .out = &x, .n_in = 1, .n_out = 1, .attrs = &map};
    *info = (tn_kernel_info){.size = sizeof *info};
    return m->kit->backend->op_prepare(m->kit->context, &desc, kernel, info, NULL);
}

/* Runs the kernel on ones, and counts what is wrong. */
static int32_t run_own(maker *m, tn_queue *q, tn_kernel *kernel, uint64_t scratch)
{
    const tn_backend *b = m->kit->backend;
    const uint64_t count = (uint64_t)count_of(m);
    const int32_t one = 1, nothing = -1;
    tn_buffer *at[3] = {0};
    int32_t back[700 + 37 * THREADS], s = b->buffer_create(m->kit->context, count * 4, &at[0], NULL);
    if (!s) s = b->buffer_create(m->kit->context, count * 4, &at[1], NULL);
    if (!s) s = b->buffer_create(m->kit->context, scratch, &at[2], NULL);
    if (!s) s = b->fill(q, (tn_ref){at[0], 0}, count * 4, &one, 4, NULL);
    if (!s) s = b->fill(q, (tn_ref){at[1], 0}, count * 4, &nothing, 4, NULL);
    tn_ref in = {at[0], 0}, out = {at[1], 0};
    tn_run run = {sizeof run, &in, &out, {at[2], 0}, NULL, 0};
    if (!s) s = b->op_run(q, kernel, &run, NULL);
    if (!s) s = b->read(q, back, out, count * 4, NULL);
    if (!s) s = b->queue_sync(q, NULL);
    for (uint64_t i = 0; !s && i < count; i++) m->wrong += back[i] != m->number + 2;
    for (int i = 0; i < 3; i++) b->buffer_destroy(at[i]);
    return s;
}

static void *make_kernels(void *arg)
{
    maker *m = arg;
    const tn_backend *b = m->kit->backend;
    tn_kernel *kernel[KERNELS] = {0};
    tn_kernel_info info = {0};
    tn_queue *q = NULL;
    int32_t s = b->queue_create(m->kit->context, &q, NULL);
    pthread_barrier_wait(m->begin);
    for (int i = 0; !s && i < KERNELS; i++) s = prepare_own(m, &kernel[i], &info);
    for (int i = 0; !s && i < KERNELS; i++) s = run_own(m, q, kernel[i], info.scratch);
    m->refused = s == TN_EUNSUPPORTED;
    m->status = m->refused ? TN_OK : s;
    for (int i = 0; i < KERNELS; i++) b->op_release(kernel[i]);
    b->queue_destroy(q);
    return NULL;
}

static void prepares(tn_kit *kit)
{
    maker m[THREADS];
    pthread_t thread[THREADS];
    pthread_barrier_t begin;
    if (!tn_kit_open(kit)) return;
    pthread_barrier_init(&begin, NULL, THREADS);
    const double enough = tn_kit_now() + 1; /* threads seldom meet where preparing is quick */
    for (int round = 0; !kit->result->failed && round < 80 && (round < 8 || tn_kit_now() < enough); round++) {
        for (int i = 0; i < THREADS; i++) {
            m[i] = (maker){.kit = kit, .begin = &begin, .number = i};
            if (pthread_create(&thread[i], NULL, make_kernels, &m[i])) abort();
        }
        for (int i = 0; i < THREADS; i++) {
            pthread_join(thread[i], NULL);
            kit->result->refused += (uint32_t)m[i].refused;
            tn_kit_expect(kit, !m[i].status, "operations that eight threads prepare: %s", tn_status_name(m[i].status));
            tn_kit_expect(kit, !m[i].wrong, "one of eight operations that threads prepare at once has %d wrong numbers",
                          m[i].wrong);
        }
    }
    pthread_barrier_destroy(&begin);
    tn_kit_close(kit);
}

/* ---- threads prepare the same operations, and let go of them ---- */

enum { SAME = 3 };

/* What is prepared by one is another's, too, as far as a backend keeps it once; and is gone when nobody has it. */
static void *borrow(void *arg)
{
    maker *m = arg;
    const tn_backend *b = m->kit->backend;
    tn_queue *q = NULL;
    int32_t s = b->queue_create(m->kit->context, &q, NULL);
    pthread_barrier_wait(m->begin);
    const double enough = tn_kit_now() + 0.4;
    for (int i = m->number; !s && (i < 40 || tn_kit_now() < enough); i++) {
        maker same = *m;
        tn_kernel *kernel = NULL;
        tn_kernel_info info;
        same.number = i % SAME;
        s = prepare_own(&same, &kernel, &info);
        if (!s && i % 16 == 0) s = run_own(&same, q, kernel, info.scratch);
        m->wrong = same.wrong;
        b->op_release(kernel);
    }
    m->refused = s == TN_EUNSUPPORTED;
    m->status = m->refused ? TN_OK : s;
    b->queue_destroy(q);
    return NULL;
}

static void borrowed(tn_kit *kit)
{
    maker m[THREADS];
    pthread_t thread[THREADS];
    pthread_barrier_t begin;
    if (!tn_kit_open(kit)) return;
    pthread_barrier_init(&begin, NULL, THREADS);
    for (int i = 0; i < THREADS; i++) {
        m[i] = (maker){.kit = kit, .begin = &begin, .number = i};
        if (pthread_create(&thread[i], NULL, borrow, &m[i])) abort();
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(thread[i], NULL);
        kit->result->refused += (uint32_t)m[i].refused;
        tn_kit_expect(kit, !m[i].status, "operations that eight threads have in common: %s",
                      tn_status_name(m[i].status));
        tn_kit_expect(kit, !m[i].wrong, "an operation that other threads prepare and let go of has %d wrong numbers",
                      m[i].wrong);
    }
    pthread_barrier_destroy(&begin);
    tn_kit_close(kit);
}

const tn_kit_case tn_kit_consistency[] = {
    {"consistency", "repeat", "an operation gives the same bits each time", repeat, NULL, 0, 0},
    {"consistency", "queues", "an operation gives the same bits on another queue", queues, NULL, 0, 0},
    {"consistency", "contexts", "several contexts on one device do not disturb each other", contexts, NULL, 0, 0},
    {"consistency", "threads", "eight threads run one prepared operation at once, on other data", threads, NULL, 0, 0},
    {"consistency", "swap", "outputs of a map that change places with its operands", swap},
    {"consistency", "prepares", "eight threads prepare operations at once, each its own", prepares},
    {"consistency", "borrowed", "eight threads prepare the same operations and let go of them", borrowed},
    {0},
};
