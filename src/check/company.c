/* company.c: things beside others of their sort, or after them: queues that fail differently, things made again at the
 * same address, ids that are nearly right, descriptions that are gone, entries that are too long. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "attrs.h"
#include "stock.h"
#include "system.h"
#include "tenon/backend_ext.h"

/* ---- ids ---- */

/* A character more, one less, another case. */
static void near_ids(tn_kit *kit)
{
    static const char *const known[] = {TN_EXT_MEMORY, TN_EXT_OBSERVE, TN_EXT_HERE, TN_EXT_ADOPT, TN_EXT_READY};
    static const char *const behind[] = {"0", "-draft", " ", ".", "/1", "\n"};
    if (!tn_kit_open(kit)) return;
    const tn_backend *b = kit->backend;
    const void *(*get)(const char *id) = TN_HAS(tn_backend, b, get_ext) ? b->get_ext : NULL;
    char id[100];
    for (size_t i = 0; get && i < sizeof known / sizeof *known; i++) {
        const size_t length = strlen(known[i]);
        for (size_t k = 0; k < sizeof behind / sizeof *behind; k++) {
            snprintf(id, sizeof id, "%s%s", known[i], behind[k]);
            tn_kit_expect(kit, !get(id), "it has the extension '%s', which does not exist", id);
        }
        for (size_t n = 0; n < length; n++) {
            snprintf(id, sizeof id, "%.*s", (int)n, known[i]);
            tn_kit_expect(kit, !get(id), "it has the extension '%s', which does not exist", id);
            snprintf(id, sizeof id, "%s", known[i]);
            id[n] = (char)(isupper((unsigned char)id[n]) ? tolower(id[n]) : toupper(id[n]));
            if (!strcmp(id, known[i])) id[n] = '~';
            tn_kit_expect(kit, !get(id), "it has the extension '%s', which does not exist", id);
        }
    }
    tn_kit_close(kit);
}

/* ---- entries of the cache ---- */

static int64_t answer_more, answer_exact;

/* So many bytes more than there is room, or so many in all; digits without a closing zero as far as they fit. */
static int64_t get_odd(void *self, const char *key, void *data, uint64_t capacity)
{
    const int64_t size = answer_exact >= 0 ? answer_exact : (int64_t)capacity + answer_more;
    (void)self, (void)key;
    if (size > 0 && (uint64_t)size <= capacity) memset(data, '7', (size_t)size);
    return size;
}

static int run_samples(tn_kit *kit, const char *how)
{
    int fine = 1;
    for (int i = 0; fine && i < 4; i++) {
        tn_kit_item item = {.cancels = 0};
        tn_kit_stock_make((uint32_t)i * 40, &item);
        fine = tn_kit_stock_fill(kit, &item, TN_KIT_RANDOM, 0, 0);
        const int answer = fine ? tn_kit_run_job(kit, &item.job) : TN_KIT_WRONG;
        if (answer == TN_KIT_RAN) fine = tn_kit_compare(kit, &item.job, &item.want, how);
        tn_kit_stock_free(&item);
        fine = fine && answer != TN_KIT_WRONG;
    }
    return fine;
}

static void odd_entries(tn_kit *kit)
{
    static const int64_t sizes[][2] = {{1, -1}, {1000000, -1}, {(int64_t)1 << 40, -1}, {0, -1}, {0, 0}, {-1, -2}};
    int fine = 1;
    for (size_t i = 0; fine && i < sizeof sizes / sizeof *sizes; i++) {
        answer_more = sizes[i][0], answer_exact = sizes[i][1] == -2 ? -1 : sizes[i][1];
        if (!tn_kit_load_table(kit)) return;
        kit->host.cache_get = get_odd;
        fine = tn_kit_open_table(kit) && run_samples(kit, ", with entries of the cache that are too long, or empty");
        tn_kit_close(kit);
        kit->queue = NULL, kit->context = NULL;
    }
}

/* ---- queues that fail differently ---- */

enum { QUEUES = 4, ROOM = 256 };

static void fail_differently(tn_kit *kit)
{
    char line[QUEUES][200], again[200], byte[ROOM];
    tn_context *second = NULL;
    tn_queue *q[QUEUES] = {0};
    tn_buffer *at[QUEUES] = {0};
    int32_t status[QUEUES] = {0}, got = 0, seven = 7;
    if (!tn_kit_open(kit)) return;
    const tn_backend *b = kit->backend;
    int32_t s = b->context_create(kit->target->index, &second, &kit->msg);
    for (int i = 0; !s && i < QUEUES; i++) {
        tn_context *context = i % 2 ? second : kit->context;
        s = b->queue_create(context, &q[i], &kit->msg);
        if (!s) s = b->buffer_create(context, 16, &at[i], &kit->msg);
    }
    for (int i = 0; !s && i < QUEUES; i++) { /* of each other sizes, at other places */
        (void)b->read(q[i], byte, (tn_ref){at[i], (uint64_t)(1000 * i + 64)}, (uint64_t)(71 + i), NULL);
        *line[i] = 0;
        status[i] = b->queue_sync(q[i], &(tn_msg){line[i], sizeof line[i]});
        tn_kit_expect(kit, status[i], "queue_sync answers TN_OK after a read beyond a buffer");
    }
    for (int i = 0; !s && i < 2 * QUEUES; i++) {
        *again = 0;
        const int32_t now = b->queue_sync(q[i % QUEUES], &(tn_msg){again, sizeof again});
        tn_kit_expect(kit, now == status[i % QUEUES] && !strcmp(again, line[i % QUEUES]),
                      "a queue that failed beside others answers %s, '%s' and later %s, '%s'",
                      tn_status_name(status[i % QUEUES]), line[i % QUEUES], tn_status_name(now), again);
    }
    if (!s) s = b->fill(kit->queue, (tn_ref){at[0], 0}, 16, &seven, 4, &kit->msg);
    if (!s) s = b->read(kit->queue, &got, (tn_ref){at[0], 12}, 4, &kit->msg);
    if (!s) s = b->queue_sync(kit->queue, &kit->msg);
    tn_kit_ok(kit, s, "a queue beside others that failed");
    tn_kit_expect(kit, s || got == 7, "a queue beside others that failed reads %d instead of 7", got);
    for (int i = 0; i < QUEUES; i++) b->queue_destroy(q[i]), b->buffer_destroy(at[i]);
    b->context_destroy(second);
    tn_kit_close(kit);
}

/* ---- too few scalars ---- */

static const tn_map_instr two_scalars[] = {{"scalar", {1, -1, -1, -1}, TN_F32, 0, 0},
                                           {"scalar", {0, -1, -1, -1}, TN_F32, 0, 0},
                                           {"mul", {0, 1, -1, -1}, TN_F32, 0, 0},
                                           {"add", {2, 3, -1, -1}, TN_F32, 0, 0}};

static void name_places(tn_operation *o, int which)
{
    static const int32_t out = 4;
    static const tn_map_attrs map = {sizeof map, two_scalars, &out, 4, 1, 1, 2};
    static const char *const names[] = {"map", "reduce", "matmul", "conv2d", "window"};
    *o = (tn_operation){.desc = {.size = sizeof o->desc, .name = names[which], .n_out = 1}};
    o->in[0] = o->in[1] = o->out[0] = tn_desc_dense(TN_F32, &(tn_shape){3, {1, 4, 4}});
    if (which == 0) o->attrs.map = map;
    if (which == 1) {
        o->out[0] = tn_desc_dense(TN_F32, &(tn_shape){3, {1, 4, 1}});
        o->attrs.reduce = (tn_reduce_attrs){sizeof(tn_reduce_attrs), "sum", &map, {1, 4, 4}, 3, 4};
    }
    if (which == 2) o->attrs.matmul = (tn_matmul_attrs){.size = sizeof(tn_matmul_attrs), .epilogue = &map};
    if (which == 3) {
        o->in[0] = o->out[0] = tn_desc_dense(TN_F32, &(tn_shape){4, {1, 1, 4, 4}});
        o->in[1] = tn_desc_dense(TN_F32, &(tn_shape){4, {1, 1, 1, 1}});
        o->attrs.conv = (tn_conv_attrs){sizeof(tn_conv_attrs), &map, {1, 1}, {0, 0}, {1, 1}, 1, 0};
    }
    if (which == 4) {
        o->in[0] = o->out[0] = tn_desc_dense(TN_F32, &(tn_shape){2, {4, 4}});
        o->attrs.window = (tn_window_attrs){sizeof(tn_window_attrs), 1, 0};
    }
    o->desc.n_in = which == 2 || which == 3 ? 2 : 1;
    o->desc.in = o->in, o->desc.out = o->out, o->desc.attrs = &o->attrs;
}

/* Of two that are wanted, `n` are given: TN_EINVAL, and the result stays as it was. */
static void run_with(tn_kit *kit, const tn_op_desc *desc, tn_kernel *kernel, uint64_t scratch, uint64_t n)
{
    const tn_backend *b = kit->backend;
    const tn_scalar scalar[] = {{.f = 1}, {.f = 1}};
    const int32_t mark = 77;
    tn_buffer *at[4] = {0};
    tn_queue *q = NULL;
    int32_t got = 0, s = b->queue_create(kit->context, &q, &kit->msg);
    for (int i = 0; !s && i < 4; i++) s = b->buffer_create(kit->context, i < 3 ? 64 : scratch, &at[i], &kit->msg);
    for (int i = 0; !s && i < 3; i++) s = b->fill(kit->queue, (tn_ref){at[i], 0}, 64, &mark, 4, &kit->msg);
    if (!s) s = b->queue_sync(kit->queue, &kit->msg);
    const tn_ref in[] = {{at[0], 0}, {at[1], 0}}, out = {at[2], 0};
    const tn_run run = {sizeof run, in, &out, {at[3], 0}, n ? scalar : NULL, n};
    if (tn_kit_ok(kit, s, "a queue and buffers")) {
        (void)b->op_run(q, kernel, &run, NULL);
        const int32_t synced = b->queue_sync(q, NULL);
        tn_kit_expect(kit, n == 2 ? !synced : synced == TN_EINVAL,
                      "%s with %llu of its 2 scalars: queue_sync answers %s, not %s", desc->name, (unsigned long long)n,
                      tn_status_name(synced), n == 2 ? "TN_OK" : "TN_EINVAL");
        s = b->read(kit->queue, &got, out, 4, &kit->msg);
        if (!s) s = b->queue_sync(kit->queue, &kit->msg);
        tn_kit_ok(kit, s, "read");
        tn_kit_expect(kit, n == 2 || got == mark, "%s with %llu of its 2 scalars writes its result", desc->name,
                      (unsigned long long)n);
    }
    for (int i = 0; i < 4; i++) b->buffer_destroy(at[i]);
    b->queue_destroy(q);
}

static void few_scalars(tn_kit *kit)
{
    if (!tn_kit_open(kit)) return;
    for (int which = 0; which < 5 && kit->backend->abi_minor && !kit->result->failed; which++) {
        tn_operation o;
        tn_kernel *kernel = NULL;
        tn_kernel_info info = {.size = sizeof info};
        name_places(&o, which);
        const int32_t s = kit->backend->op_prepare(kit->context, &o.desc, &kernel, &info, &kit->msg);
        kit->result->refused += s == TN_EUNSUPPORTED;
        if (s == TN_EUNSUPPORTED || !tn_kit_ok(kit, s, "op_prepare")) continue;
        for (uint64_t n = 0; n < 3; n++) run_with(kit, &o.desc, kernel, info.scratch, n);
        kit->backend->op_release(kernel);
    }
    if (!kit->backend->abi_minor) tn_kit_remark(kit, "not asked of a backend of version 1.0");
    tn_kit_close(kit);
}

/* ---- descriptions that are gone ---- */

enum { PAGE = 1 << 16 };

/* Memory that can be made unreadable. */
typedef struct shelf {
    unsigned char *at;
    size_t used;
} shelf;

static void *lay(shelf *to, const void *from, size_t bytes)
{
    void *here = to->at + to->used;
    if (from) memcpy(here, from, bytes);
    to->used += (bytes + 15) / 16 * 16;
    return from ? here : NULL;
}

static void *lay_text(shelf *to, const char *text)
{
    return lay(to, text, strlen(text) + 1);
}

static const tn_map_attrs *lay_map(shelf *to, const tn_map_attrs *map)
{
    if (!map) return NULL;
    tn_map_attrs *here = lay(to, map, sizeof *map);
    tn_map_instr *instr = lay(to, map->instr, map->n_instr * sizeof *instr);
    for (uint32_t i = 0; i < map->n_instr; i++) instr[i].op = lay_text(to, map->instr[i].op);
    here->instr = instr, here->out = lay(to, map->out, map->n_out * sizeof *map->out);
    return here;
}

/* All of it, whatever it points to. */
static tn_op_desc *lay_all(shelf *to, const tn_operation *o)
{
    tn_op_desc *desc = lay(to, &o->desc, sizeof o->desc);
    tn_any_attrs *attrs = o->desc.attrs ? lay(to, &o->attrs, sizeof o->attrs) : NULL;
    const tn_map_attrs *program = tn_attrs_program(&o->desc);
    if (program) tn_attrs_set_program(o->desc.name, attrs, lay_map(to, program));
    if (!strcmp(o->desc.name, "reduce")) attrs->reduce.kind = lay_text(to, attrs->reduce.kind);
    desc->attrs = attrs;
    desc->name = lay_text(to, o->desc.name);
    desc->in = lay(to, o->desc.in, o->desc.n_in * sizeof *desc->in);
    desc->out = lay(to, o->desc.out, o->desc.n_out * sizeof *desc->out);
    return desc;
}

/* A run that is right and one whose output lies beyond its buffer, of a description that nobody can read any more. */
static int run_gone(tn_kit *kit, tn_kit_item *item, tn_kernel *kernel, uint64_t scratch)
{
    enum { INPUTS = 3, OUTPUTS = 2 };
    const tn_backend *b = kit->backend;
    const tn_kit_job *job = &item->job;
    tn_buffer *at[INPUTS + OUTPUTS + 1] = {0};
    tn_ref in[INPUTS], out[OUTPUTS];
    tn_queue *failing = NULL;
    int32_t s = b->queue_create(kit->context, &failing, &kit->msg);
    for (uint32_t i = 0; !s && i < job->desc->n_in; i++) {
        s = b->buffer_create(kit->context, tn_kit_bytes(&job->desc->in[i]), &at[i], &kit->msg);
        in[i] = (tn_ref){at[i], 0};
        if (!s) s = b->write(kit->queue, in[i], job->in[i], tn_kit_bytes(&job->desc->in[i]), &kit->msg);
    }
    for (uint32_t k = 0; !s && k < job->desc->n_out; k++) {
        s = b->buffer_create(kit->context, tn_kit_bytes(&job->desc->out[k]), &at[INPUTS + k], &kit->msg);
        out[k] = (tn_ref){at[INPUTS + k], 0};
    }
    if (!s) s = b->buffer_create(kit->context, scratch, &at[INPUTS + OUTPUTS], &kit->msg);
    tn_run run = {sizeof run, in, out, {at[INPUTS + OUTPUTS], 0}, job->scalar, job->n_scalar};
    if (!s) s = b->op_run(kit->queue, kernel, &run, &kit->msg);
    for (uint32_t k = 0; !s && k < job->desc->n_out; k++)
        s = b->read(kit->queue, job->out[k], out[k], tn_kit_bytes(&job->desc->out[k]), &kit->msg);
    if (!s) s = b->queue_sync(kit->queue, &kit->msg);
    out[0].offset = 1 << 20;
    if (!s) (void)b->op_run(failing, kernel, &run, &kit->msg);
    if (!s) tn_kit_expect(kit, b->queue_sync(failing, &kit->msg), "a run beyond its buffer succeeds");
    *kit->text = 0;
    for (int i = 0; i < INPUTS + OUTPUTS + 1; i++) b->buffer_destroy(at[i]);
    b->queue_destroy(failing);
    return tn_kit_ok(kit, s, job->desc->name) &&
           tn_kit_compare(kit, job, &item->want, ", of a description that is gone");
}

static int prepare_and_go(tn_kit *kit, uint32_t number, shelf *to)
{
    tn_kit_item item;
    tn_kernel *kernel = NULL;
    tn_kernel_info info = {.size = sizeof info};
    tn_kit_stock_make(number, &item);
    if (mprotect(to->at, PAGE, PROT_READ | PROT_WRITE)) return tn_kit_expect(kit, 0, "out of memory");
    to->used = 0;
    int fine = tn_kit_stock_fill(kit, &item, TN_KIT_RANDOM, 0, 0);
    const tn_op_desc *desc = lay_all(to, &item.operation);
    const int32_t s = kit->backend->op_prepare(kit->context, desc, &kernel, &info, &kit->msg);
    memset(to->at, 0x58, PAGE);
    (void)mprotect(to->at, PAGE, PROT_NONE);
    kit->result->refused += s == TN_EUNSUPPORTED;
    if (fine && s != TN_EUNSUPPORTED)
        fine = tn_kit_ok(kit, s, "op_prepare") && run_gone(kit, &item, kernel, info.scratch);
    kit->backend->op_release(kernel);
    tn_kit_stock_free(&item);
    return fine;
}

static void description_goes(tn_kit *kit)
{
    enum { EVERY = 9 };
    char last[32] = "";
    shelf to = {tn_system_shared(PAGE), 0};
    if (!tn_kit_expect(kit, to.at != NULL, "out of memory") || !tn_kit_open(kit)) return;
    int fine = 1;
    for (uint32_t n = 0; fine && n < tn_kit_stock_count(); n++) {
        tn_kit_item item;
        tn_kit_stock_make(n, &item);
        if (!strcmp(last, item.operation.desc.name) && n % EVERY) continue;
        snprintf(last, sizeof last, "%s", item.operation.desc.name);
        fine = prepare_and_go(kit, n, &to);
    }
    munmap(to.at, PAGE);
    tn_kit_close(kit);
}

/* ---- made again at the same address ---- */

/* A queue's work, for which another one waits. The next queue and event lie where these did, and did less before. */
static int32_t hand_over(tn_kit *kit, tn_buffer *to, uint64_t bytes, int32_t value, int before, int32_t *got)
{
    const tn_backend *b = kit->backend;
    const int32_t none = -1;
    tn_queue *q = NULL;
    tn_event *e = NULL;
    int32_t s = b->queue_create(kit->context, &q, &kit->msg);
    if (!s) s = b->event_create(kit->context, &e, &kit->msg);
    for (int i = 0; !s && i < before; i++) s = b->fill(q, (tn_ref){to, 0}, 4, &none, 4, &kit->msg);
    for (int i = 0; !s && i < 3; i++) s = b->fill(q, (tn_ref){to, 0}, bytes, &value, 4, &kit->msg);
    if (!s) s = b->event_record(q, e, &kit->msg);
    if (!s) s = b->event_wait(kit->queue, e, &kit->msg);
    if (!s) s = b->read(kit->queue, got, (tn_ref){to, bytes - 4}, 4, &kit->msg);
    if (!s) s = b->queue_sync(kit->queue, &kit->msg);
    if (!s) s = b->queue_sync(q, &kit->msg);
    b->event_destroy(e), b->queue_destroy(q);
    return s;
}

static void same_address(tn_kit *kit)
{
    const uint64_t bytes = 16 << 20;
    tn_buffer *to = NULL;
    int32_t got = 0;
    if (!tn_kit_open(kit)) return;
    int32_t s = kit->backend->buffer_create(kit->context, bytes, &to, &kit->msg);
    for (int32_t i = 1; !s && !kit->result->failed && i <= 24; i++) {
        s = hand_over(kit, to, bytes, i, i % 2 ? 40 : i % 5, &got);
        tn_kit_expect(kit, s || got == i,
                      "a queue that waits for another, made where one was before, reads %d instead of %d", got, i);
    }
    tn_kit_ok(kit, s, "queues and events that are made again");
    kit->backend->buffer_destroy(to);
    tn_kit_close(kit);
}

/* ---- signals of threads ---- */

enum { THREADS = 256 };

/* All can be blocked but KILL, STOP, and the two of the C library. A driver's own threads often block none; whoever
 * blocks some must block all. */
static void signals(tn_kit *kit)
{
    const unsigned long long never = 1ull << 8 | 1ull << 18 | 1ull << 31 | 1ull << 32;
    long before[THREADS], now[THREADS];
    const int had = tn_system_threads(before, THREADS);
    if (!tn_kit_open(kit) || !run_samples(kit, "")) return;
    const int count = had ? tn_system_threads(now, THREADS) : 0;
    int others = 0;
    nanosleep(&(struct timespec){0, 50000000}, NULL); /* a thread that has just begun blocks all of them for a moment */
    for (int i = 0; i < count; i++) {
        int is_old = 0;
        for (int k = 0; k < had; k++) is_old |= before[k] == now[i];
        const unsigned long long open = is_old ? 0 : ~(tn_system_blocked(now[i]) | never);
        others += !is_old;
        if ((open | never) == ~0ull) continue;
        tn_kit_expect(kit, !open, "a thread of the backend doesn't block all signals: bits %#llx are open", open);
    }
    tn_kit_remark(kit, "%d threads", others);
    tn_kit_close(kit);
}

const tn_kit_case tn_kit_company[] = {
    {"loading", "signals", "threads that block signals block all of them", signals},
    {"abi", "near-ids", "ids of extensions that are nearly right are not answered", near_ids},
    {"queues", "fail-differently", "each failed queue, of two contexts, keeps its own line", fail_differently},
    {"queues", "few-scalars", "too few scalars are TN_EINVAL wherever a program may be", few_scalars},
    {"queues", "description-goes", "nothing of a description is read after it was prepared", description_goes},
    {"queues", "same-address", "queues and events made again where others were", same_address},
    {"robustness", "odd-entries", "entries of the cache that are too long, or empty", odd_entries},
    {0},
};
