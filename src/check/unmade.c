/* unmade.c: what cannot be made for lack of the host's memory keeps none of it, and none of the device's: each
 * allocation of each call that makes something fails in turn. */
#include "sample.h"
#include "tenon/backend_ext.h"

enum { LAPS = 12, MOST_ALLOCATIONS = 60 };

/* ---- what is made, and let go of at once ---- */

typedef struct scene {
    tn_kit *kit;
    const tn_ext_memory *memory; /* NULL: it does not tell */
    const tn_op_desc *desc;      /* of a kernel */
    uint64_t bytes;              /* of a large buffer */
} scene;

static int32_t make_buffer(const scene *at)
{
    tn_buffer *made = NULL;
    const int32_t s = at->kit->backend->buffer_create(at->kit->context, at->bytes, &made, &at->kit->msg);
    at->kit->backend->buffer_destroy(made);
    return s;
}

static int32_t make_queue(const scene *at)
{
    tn_queue *made = NULL;
    const int32_t s = at->kit->backend->queue_create(at->kit->context, &made, &at->kit->msg);
    at->kit->backend->queue_destroy(made);
    return s;
}

static int32_t make_event(const scene *at)
{
    tn_event *made = NULL;
    const int32_t s = at->kit->backend->event_create(at->kit->context, &made, &at->kit->msg);
    at->kit->backend->event_destroy(made);
    return s;
}

static int32_t make_kernel(const scene *at)
{
    tn_kernel *made = NULL;
    const int32_t s = at->kit->backend->op_prepare(at->kit->context, at->desc, &made, NULL, &at->kit->msg);
    at->kit->backend->op_release(made);
    return s == TN_EUNSUPPORTED ? TN_OK : s;
}

static int32_t make_context(const scene *at)
{
    tn_context *made = NULL;
    const int32_t s = at->kit->backend->context_create(at->kit->target->index, &made, &at->kit->msg);
    at->kit->backend->context_destroy(made);
    return s;
}

typedef struct maker {
    const char *call;
    int32_t (*make)(const scene *at);
} maker;

/* ---- failing ---- */

static uint64_t count_free(const scene *at)
{
    tn_memory_budget now = {.size = sizeof now};
    if (at->memory) tn_kit_ok(at->kit, at->memory->budget(at->kit->target->index, &now, &at->kit->msg), "budget");
    return now.free;
}

/* Each allocation fails in turn, with those after it. */
static void fail_each(const scene *at, const maker *m)
{
    int failed = 1;
    for (int64_t n = 0; failed && n < MOST_ALLOCATIONS; n++) {
        tn_kit_fail_at = n, tn_kit_asked = 0;
        (void)m->make(at);
        tn_kit_fail_at = -1;
        failed = tn_kit_asked > n;
    }
}

/* Whether the device's count stands still while things are made and let go of: where other programs take memory, too,
 * only what is large shows. */
static int stands_still(const scene *at, const maker *m)
{
    const uint64_t before = count_free(at);
    int is_still = 1;
    for (int lap = 0; lap < LAPS; lap++) {
        tn_kit_ok(at->kit, m->make(at), m->call);
        is_still &= count_free(at) == before;
    }
    return is_still;
}

/* What is kept is kept each time. */
static void try_maker(const scene *at, const maker *m)
{
    const uint64_t shows = stands_still(at, m) ? 1 : m->make == make_buffer ? at->bytes / 2 : UINT64_MAX;
    int grew = 0, shrank = 0;
    for (int lap = 0; !at->kit->result->failed && lap < LAPS; lap++) {
        const uint64_t before = count_free(at);
        const int64_t live = tn_kit_live;
        fail_each(at, m);
        const uint64_t now = count_free(at);
        grew += tn_kit_live > live, shrank += now < before && before - now >= shows;
    }
    tn_kit_expect(at->kit, grew < LAPS, "%s keeps some of the host's memory each time that it fails for lack of more",
                  m->call);
    tn_kit_expect(at->kit, shrank < LAPS,
                  "each time that %s fails for lack of the host's memory, less of the device's is free", m->call);
}

static void unmade(tn_kit *kit)
{
    static const maker makers[] = {{"buffer_create", make_buffer},
                                   {"queue_create", make_queue},
                                   {"event_create", make_event},
                                   {"context_create", make_context}};
    static const maker prepare = {"op_prepare", make_kernel};
    if (!tn_kit_open(kit)) return;
    scene at = {.kit = kit, .memory = tn_kit_extension(kit, TN_EXT_MEMORY)};
    const uint64_t part = count_free(&at) / 256, usual = (uint64_t)64 << 20;
    at.bytes = at.memory && part < usual ? part : usual;
    for (size_t i = 0; i < sizeof makers / sizeof *makers; i++) try_maker(&at, &makers[i]);
    for (int i = 0; i < TN_KIT_ALL && !kit->result->failed; i++) {
        tn_kit_sample s;
        if (!tn_kit_sample_make(kit, i, &s)) return;
        at.desc = s.job.desc;
        try_maker(&at, &prepare);
        tn_kit_sample_free(&s);
    }
    tn_kit_close(kit);
}

const tn_kit_case tn_kit_unmade[] = {
    {"robustness", "unmade", "what cannot be made for lack of the host's memory keeps none", unmade},
    {0},
};
