/* environment.c: results don't depend on how the thread that asks for them rounds, or on whether it keeps denormals: it
 * opens the backend, makes contexts and queues, prepares, runs and waits. */
#include <fenv.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "sample.h"
#include "stock.h"

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

/* ---- environments ---- */

static void round_up(void)
{
    fesetround(FE_UPWARD);
}

static void round_down(void)
{
    fesetround(FE_DOWNWARD);
}

static void round_to_zero(void)
{
    fesetround(FE_TOWARDZERO);
}

static void stay(void)
{
}

/* Also as operands. */
static void lose_denormals(void)
{
#if defined(__SSE2__)
    _mm_setcsr(_mm_getcsr() | 0x8040);
#elif defined(__aarch64__) && defined(__GNUC__)
    __asm__ volatile("msr fpcr, %0" : : "r"((uint64_t)1 << 24));
#endif
}

/* The first one opens the backend, so that what it makes then and keeps is made there. */
static const struct {
    void (*enter)(void);
    const char *name;
} modes[] = {{round_up, "rounds up"},
             {stay, "is as usual"},
             {round_to_zero, "rounds towards zero"},
             {lose_denormals, "loses denormals"},
             {round_down, "rounds down"}};
enum { PLAIN = 1, MODES = sizeof modes / sizeof *modes };

/* ---- operations ---- */

enum { MOST = 200, INPUTS = 3, EVERY = 7 };

/* An operation, its operands, and what each thread made of them; NULL: it was refused. */
typedef struct work {
    tn_kit_item item;
    tn_kit_sample sample;
    const tn_kit_job *job;
    unsigned char *got[MODES];
    int is_exact; /* its operands are such that the expected result says something */
} work;

typedef struct list {
    tn_kit *kit;
    uint32_t count;
    work *work;
} list;

/* Of denormals alone some are made, too. */
static int add_stock(list *l, uint32_t number, tn_kit_numbers numbers)
{
    work *w = &l->work[l->count];
    tn_kit_stock_make(number, &w->item);
    if (w->item.job.desc->n_out > 1 || l->count + 1 >= MOST) return 1;
    w->job = &w->item.job, w->is_exact = numbers == TN_KIT_RANDOM;
    l->count++;
    return tn_kit_stock_fill(l->kit, &w->item, numbers, 0, 0);
}

static int add_sample(list *l, int number)
{
    work *w = &l->work[l->count++];
    w->job = &w->sample.job;
    return tn_kit_sample_make(l->kit, number, &w->sample);
}

/* x x, of so many numbers that all of a backend's threads take part. */
static int add_long(list *l)
{
    static const tn_map_instr instr = {"mul", {0, 0, -1, -1}, TN_F32, 0, 0};
    static const int32_t out = 1;
    work *w = &l->work[l->count++];
    tn_operation *o = &w->item.operation;
    o->in[0] = o->out[0] = tn_kit_dense(1, 1000003, 0, 0);
    o->attrs.map = (tn_map_attrs){sizeof(tn_map_attrs), &instr, &out, 1, 1, 1, 0};
    o->desc = (tn_op_desc){.size = sizeof o->desc, .name = "map", .in = o->in, .out = o->out, .n_in = 1, .n_out = 1};
    o->desc.attrs = &o->attrs;
    w->item.job.desc = &o->desc, w->job = &w->item.job, w->is_exact = 1;
    return tn_kit_stock_fill(l->kit, &w->item, TN_KIT_RANDOM, 0, 0);
}

/* Every operator of the stock, and some more of those that have many. */
static int make_list(list *l)
{
    char last[32] = "";
    int fine = add_long(l);
    for (int i = 0; fine && i < TN_KIT_ALL; i++) fine = add_sample(l, i);
    for (uint32_t n = 0; fine && n < tn_kit_stock_count(); n++) {
        tn_kit_item item;
        tn_kit_stock_make(n, &item);
        const int is_new = strcmp(last, item.operation.desc.name) != 0;
        if (!is_new && n % EVERY) continue;
        strncpy(last, item.operation.desc.name, sizeof last - 1);
        fine = add_stock(l, n, TN_KIT_RANDOM) && (!is_new || add_stock(l, n, TN_KIT_DENORMALS));
    }
    return fine;
}

static void free_list(list *l)
{
    for (uint32_t i = 0; i < l->count; i++) {
        for (int mode = 0; mode < MODES; mode++) free(l->work[i].got[mode]);
        tn_kit_stock_free(&l->work[i].item), tn_kit_sample_free(&l->work[i].sample);
    }
    free(l->work);
}

/* ---- a thread ---- */

typedef struct visitor {
    list *list;
    int mode;
    int32_t status;
} visitor;

static int32_t run(tn_kit *kit, const tn_kit_job *job, unsigned char *to)
{
    const tn_backend *b = kit->backend;
    const tn_op_desc *desc = job->desc;
    tn_kernel *kernel = NULL;
    tn_kernel_info info = {.size = sizeof info};
    tn_buffer *at[INPUTS + 2] = {0};
    tn_ref in[INPUTS];
    int32_t s = b->op_prepare(kit->context, desc, &kernel, &info, &kit->msg);
    for (uint32_t i = 0; !s && i < desc->n_in + 2; i++)
        s = b->buffer_create(kit->context, tn_kit_buffer_bytes(desc, i, info.scratch), &at[i], &kit->msg);
    for (uint32_t i = 0; !s && i < desc->n_in; i++) {
        in[i] = (tn_ref){at[i], 0};
        s = b->write(kit->queue, in[i], job->in[i], tn_kit_bytes(&desc->in[i]), &kit->msg);
    }
    const tn_ref out = {at[desc->n_in], 0};
    const tn_run now = {sizeof now, in, &out, {at[desc->n_in + 1], 0}, job->scalar, job->n_scalar};
    if (!s) s = b->op_run(kit->queue, kernel, &now, &kit->msg);
    if (!s) s = b->read(kit->queue, to, out, tn_kit_bytes(desc->out), &kit->msg);
    if (!s) s = b->queue_sync(kit->queue, &kit->msg);
    for (uint32_t i = 0; i < desc->n_in + 2; i++) b->buffer_destroy(at[i]);
    b->op_release(kernel);
    return s;
}

static int32_t run_list(tn_kit *kit, const visitor *v)
{
    int32_t s = TN_OK;
    for (uint32_t i = 0; !s && i < v->list->count; i++) {
        work *w = &v->list->work[i];
        unsigned char **to = &w->got[v->mode];
        if (!(*to = calloc(tn_kit_bytes(w->job->desc->out) + 1, 1))) return TN_ENOMEM;
        s = run(kit, w->job, *to);
        if (s != TN_EUNSUPPORTED) continue;
        free(*to);
        *to = NULL, s = TN_OK;
        kit->result->refused += v->mode == PLAIN;
    }
    return s;
}

/* The first opens the kit's context and queue, which stay; the others have some of their own. */
static void *visit(void *arg)
{
    visitor *v = arg;
    tn_kit own, *kit = v->list->kit;
    modes[v->mode].enter();
    if (!v->mode && !tn_kit_open(kit)) return NULL;
    if (!v->mode) return v->status = run_list(kit, v), NULL;
    own = *kit;
    own.context = NULL, own.queue = NULL;
    v->status = own.backend->context_create(own.target->index, &own.context, &own.msg);
    if (!v->status) v->status = own.backend->queue_create(own.context, &own.queue, &own.msg);
    if (!v->status) v->status = run_list(&own, v);
    own.backend->queue_destroy(own.queue), own.backend->context_destroy(own.context);
    return NULL;
}

/* ---- comparing ---- */

static int compare(tn_kit *kit, work *w)
{
    char what[300];
    tn_kit_job job = *w->job;
    const tn_op_desc *desc = job.desc;
    for (int mode = 0; w->got[PLAIN] && mode < MODES; mode++)
        if (!tn_kit_expect(kit, w->got[mode] && !memcmp(w->got[mode], w->got[PLAIN], tn_kit_bytes(desc->out)),
                           "%s gives other bits to a thread that %s", tn_kit_describe(desc, what, sizeof what),
                           modes[mode].name))
            return 0;
    job.out[0] = w->got[PLAIN];
    return !w->is_exact || !w->got[PLAIN] ||
           tn_kit_compare(kit, &job, &w->item.want, ", of a backend that was opened in a thread that rounds up");
}

static void environment(tn_kit *kit)
{
    list l = {.kit = kit, .work = calloc(MOST, sizeof *l.work)};
    pthread_t thread;
    int fine = tn_kit_expect(kit, l.work != NULL, "out of memory") && make_list(&l);
    for (int mode = 0; fine && mode < MODES; mode++) {
        visitor v = {.list = &l, .mode = mode};
        fine = tn_kit_expect(kit, !pthread_create(&thread, NULL, visit, &v), "no threads");
        if (fine) pthread_join(thread, NULL);
        fine = fine && !kit->result->failed &&
               tn_kit_expect(kit, !v.status, "in a thread that %s: %s: %.200s", modes[mode].name,
                             tn_status_name(v.status), kit->text);
    }
    for (uint32_t i = 0; fine && i < l.count; i++) fine = compare(kit, &l.work[i]);
    free_list(&l);
    tn_kit_close(kit);
}

const tn_kit_case tn_kit_environment[] = {
    {"consistency", "environment", "the same bits for threads that round otherwise, or lose denormals", environment},
    {0},
};
