/* fault.c: a well-behaved backend, the reference's own sources as a plugin, and one fault in it, chosen when it is
 * compiled: -DFAULT="wrong_on_odd". With "none" it stays well-behaved. What each fault does stands where it is done;
 * which case of the kit must catch it stands in faults.txt. */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reference_internal.h"

#define IS(name) (!strcmp(FAULT, #name))

/* What is kept of a prepared operator. */
typedef struct wrapped {
    tn_kernel *real;
    char name[24];
    tn_tensor_desc in, out; /* the first and the last */
    uint32_t n_instr, last;
    int has_gradient; /* a "tanh.grad" is in it */
    int by_place, ran;
} wrapped;

static const tn_backend *real;
static const tn_host *host;
static uint32_t opened;     /* the device that was opened last */
static int running;         /* between init and deinit */
static int cached;          /* 0, if the cache keeps what was put there */
static tn_buffer *produced; /* what the last operation wrote to */
static int broken;          /* a kernel was let go of that never ran */

/* ---- loading ---- */

static void *sleep_long(void *arg)
{
    sleep(1);
    return arg;
}

/* A fault at the end of the process, unless deinit was called. */
__attribute__((destructor)) static void at_exit(void)
{
    if (IS(crash_at_exit) && running) abort();
}

/* Uses what the cache has under a name, if only it looks like an entry of its own. */
static void trust_foreign(void)
{
    static const char *const name[] = {"a", "b"};
    for (int i = 0; i < 2; i++) {
        char entry = 0;
        int64_t size = host->cache_get(host->self, name[i], &entry, 1);
        int own = size == 1 && (entry == 'a' || entry == 'b');
        cached |= own && entry != *name[i];
        if (!own) host->cache_put(host->self, name[i], name[i], 1);
    }
}

static int32_t init(const tn_host *services, tn_msg *msg)
{
    static int times;
    host = services;
    if (IS(environment) && getenv("HOME")) times = 0;
    if (IS(init_once) && times++) {
        snprintf(msg->text, (size_t)msg->capacity, "already there");
        return TN_ESTATE;
    }
    if (IS(trusts_memory)) {
        char *memory = host->allocate(host->self, 64, 64);
        memset(memory, 0, 64);
        host->release(host->self, memory);
    }
    if (IS(trusts_cache)) {
        char entry[1024] = {0};
        int64_t size = host->cache_get(host->self, "entry", entry, sizeof entry);
        cached = size >= 0 && (size != 64 || entry[size / 3]);
        if (size < 0) host->cache_put(host->self, "entry", entry, 64);
    }
    if (IS(trusts_foreign)) trust_foreign();
    if (IS(needs_device) && getenv("OCL_ICD_VENDORS") && !strcmp(getenv("OCL_ICD_VENDORS"), "/nonexistent")) {
        snprintf(msg->text, (size_t)msg->capacity, "no driver");
        return TN_EDEVICE;
    }
    running = 1;
    return real->init(services, msg);
}

static void deinit(void)
{
    running = 0;
    if (IS(crash_in_deinit)) abort();
    real->deinit();
}

/* ---- devices ---- */

static int32_t device_count(uint32_t *count, tn_msg *msg)
{
    int32_t s = real->device_count(count, msg);
    if (!s && IS(second_device)) *count = 2;
    return s;
}

static int32_t device_info(uint32_t device, tn_device_info *info, tn_msg *msg)
{
    tn_device_info full = {.size = sizeof full};
    int32_t s = real->device_info(IS(second_device) && device == 1 ? 0 : device, &full, msg);
    if (s) return s;
    snprintf(full.id, sizeof full.id, "faulty-%u", device);
    if (IS(overlong_info))
        memcpy(info, &full, sizeof full);
    else
        tn_answer(info, &full, sizeof full);
    return TN_OK;
}

static int32_t context_create(uint32_t device, tn_context **context, tn_msg *msg)
{
    opened = device;
    return real->context_create(IS(second_device) && device == 1 ? 0 : device, context, msg);
}

/* ---- memory and queues ---- */

/* A fill or copy that is done later than it should be. */
static struct {
    int kind; /* 0: none, 1: fill, 2: copy */
    tn_queue *queue;
    tn_ref to, from;
    uint64_t bytes, pattern_bytes;
    unsigned char pattern[8];
} later;

static void do_later(tn_msg *msg)
{
    int kind = later.kind;
    later.kind = 0;
    if (kind == 1) real->fill(later.queue, later.to, later.bytes, later.pattern, later.pattern_bytes, msg);
    if (kind == 2) real->copy(later.queue, later.to, later.from, later.bytes, msg);
}

static int32_t buffer_create(tn_context *context, uint64_t bytes, tn_buffer **buffer, tn_msg *msg)
{
    int32_t s = real->buffer_create(context, bytes, buffer, msg);
    if (s && IS(overwrites_result)) *buffer = NULL;
    return s;
}

static int32_t fill(tn_queue *queue, tn_ref to, uint64_t bytes, const void *pattern, uint64_t pattern_bytes,
                    tn_msg *msg)
{
    if (IS(short_fill) && bytes > pattern_bytes) bytes -= pattern_bytes;
    if (!IS(ignores_events)) return real->fill(queue, to, bytes, pattern, pattern_bytes, msg);
    if (later.kind) do_later(msg);
    later.kind = 1, later.queue = queue, later.to = to, later.bytes = bytes, later.pattern_bytes = pattern_bytes;
    memcpy(later.pattern, pattern, pattern_bytes);
    return TN_OK;
}

static int32_t write_bytes(tn_queue *queue, tn_ref to, const void *from, uint64_t bytes, tn_msg *msg)
{
    if (IS(loses_writes) && to.buffer == produced) return TN_OK;
    return real->write(queue, to, from, bytes, msg);
}

static int32_t copy(tn_queue *queue, tn_ref to, tn_ref from, uint64_t bytes, tn_msg *msg)
{
    if (IS(short_copy)) bytes -= bytes % 4;
    if (!IS(late_copy)) return real->copy(queue, to, from, bytes, msg);
    later.kind = 2, later.queue = queue, later.to = to, later.from = from, later.bytes = bytes;
    return TN_OK;
}

static int32_t read_bytes(tn_queue *queue, void *to, tn_ref from, uint64_t bytes, tn_msg *msg)
{
    if (IS(narrow_offset)) from.offset &= INT32_MAX;
    int32_t s = real->read(queue, to, from, bytes, msg);
    if (later.kind == 2) do_later(msg);
    return s;
}

static int32_t queue_sync(tn_queue *queue, tn_msg *msg)
{
    while (IS(hangs)) sleep(1);
    if (later.kind && later.queue == queue) do_later(msg);
    int32_t s = real->queue_sync(queue, msg);
    return IS(swallows_errors) ? TN_OK : s;
}

static int32_t queue_stats(tn_queue *queue, tn_queue_stats *stats, tn_msg *msg)
{
    int32_t s = real->queue_stats(queue, stats, msg);
    if (!s && IS(counts_nothing)) stats->bytes_write = stats->bytes_read = 0;
    return s;
}

/* ---- preparing ---- */

static void remember(wrapped *w, const tn_op_desc *desc)
{
    snprintf(w->name, sizeof w->name, "%s", desc->name);
    if (desc->n_in) w->in = desc->in[0];
    w->last = desc->n_out - 1;
    w->out = desc->out[w->last];
    if (!strcmp(desc->name, "map")) {
        const tn_map_attrs *map = desc->attrs;
        w->n_instr = map->n_instr;
        for (uint32_t i = 0; i < map->n_instr; i++) w->has_gradient |= !strcmp(map->instr[i].op, "tanh.grad");
    }
    if (!strcmp(desc->name, "reduce")) {
        const tn_reduce_attrs *reduce = desc->attrs;
        w->by_place =
            !strcmp(reduce->kind, "argmax") && reduce->rank == 2 && reduce->axes == 2 && !reduce->map->n_instr;
    }
}

/* Changes the description as a fault wants it, or answers instead. Returns -1 to go on. */
static int32_t spoil(tn_op_desc *desc, uint64_t attrs[], int asked, tn_msg *msg)
{
    static const struct {
        const char *name;
        uint64_t size;
    } known[] = {
        {"map", sizeof(tn_map_attrs)}, {"reduce", sizeof(tn_reduce_attrs)}, {"matmul", sizeof(tn_matmul_attrs)}};
    int softmax = !strcmp(desc->name, "softmax");
    if (IS(aborts_on_unknown) && !strcmp(desc->name, "no_such_operator")) abort();
    if (IS(says_yes) && softmax && !asked) {
        snprintf(msg->text, (size_t)msg->capacity, "not after all");
        return TN_EUNSUPPORTED;
    }
    if (IS(long_message) && msg && msg->text && msg->capacity) strcpy(msg->text, "no operator of that name is known");
    if (IS(any_shape) && softmax && asked) return TN_OK;
    for (size_t i = 0; IS(ignores_attributes) && desc->attrs && i < sizeof known / sizeof *known; i++)
        if (!strcmp(desc->name, known[i].name) && *(const uint64_t *)desc->attrs > known[i].size) {
            memcpy(attrs, desc->attrs, known[i].size);
            attrs[0] = known[i].size;
            desc->attrs = attrs;
        }
    return -1;
}

static int32_t op_prepare(tn_context *context, const tn_op_desc *given, tn_kernel **kernel, tn_kernel_info *info,
                          tn_msg *msg)
{
    uint64_t attrs[32];
    tn_op_desc desc = *given;
    int32_t s = spoil(&desc, attrs, !kernel, msg);
    if (s >= 0) return s;
    wrapped *w = kernel ? calloc(1, sizeof *w) : NULL;
    if (kernel && !w) return TN_ENOMEM;
    s = real->op_prepare(context, &desc, w ? &w->real : NULL, info, msg);
    if (s || !w) return free(w), s;
    remember(w, &desc);
    if (IS(leaks_host)) host->allocate(host->self, 8, 8);
    *kernel = (tn_kernel *)w;
    return TN_OK;
}

static void op_release(tn_kernel *kernel)
{
    wrapped *w = (wrapped *)kernel;
    broken |= w && !w->ran;
    if (w) real->op_release(w->real);
    free(w);
}

/* ---- running ---- */

/* The last of equals instead of the first. */
static void place_last(const wrapped *w, const float *x, int32_t *y)
{
    for (int64_t r = 0; r < w->in.dim[0]; r++)
        for (int64_t i = 0; i < w->in.dim[1]; i++)
            if (x[r * w->in.dim[1] + i] == x[r * w->in.dim[1] + y[r]]) y[r] = (int32_t)i;
}

static void spoil_f32(const wrapped *w, float *y, int64_t count)
{
    static int turn;
    for (int64_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &y[i], sizeof bits);
        if (IS(coarse_large) && fabsf(y[i]) > 64) bits &= 0xffff0000u;
        memcpy(&y[i], &bits, sizeof bits);
        if (IS(nan_for_infinity) && isinf(y[i])) y[i] = NAN;
        if (IS(wrong_when_long) && w->n_instr >= 4) y[i] *= 1.01f;
    }
    if (!count) return;
    if (IS(wrong_on_odd) && count > 1 && count % 2) y[count - 1] += 1;
    if (IS(second_device) && opened == 1) y[0] += 1;
    if ((IS(trusts_cache) || IS(trusts_foreign)) && cached) y[0] += 1;
    if (IS(non_deterministic) && ++turn % 3 == 0) y[count - 1] = nextafterf(y[count - 1], 9);
}

static void trap_denormals(const float *x, float *y, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        if (fpclassify(x[i]) == FP_SUBNORMAL) y[i] = NAN;
}

static void spoil_f64(const wrapped *w, double *y, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        if (IS(f64_in_f32)) y[i] = (double)(float)y[i];
        if (IS(wrong_gradient) && w->has_gradient) y[i] *= 1.001;
    }
}

static void spoil_results(const wrapped *w, const tn_run *run)
{
    int64_t count = tn_desc_count(&w->out);
    unsigned char *y = tn_reference_range(run->out[w->last], 0);
    if (IS(traps_denormals) && w->out.dtype == TN_F32 && w->in.dtype == TN_F32 && tn_desc_count(&w->in) == count)
        trap_denormals((const float *)(void *)tn_reference_range(run->in[0], 0), (float *)(void *)y, count);
    if (w->out.dtype == TN_F32) spoil_f32(w, (float *)(void *)y, count);
    if (w->out.dtype == TN_F64) spoil_f64(w, (double *)(void *)y, count);
    if (IS(last_of_equals) && w->by_place)
        place_last(w, (float *)(void *)tn_reference_range(run->in[0], 0), (int32_t *)(void *)y);
    if (IS(writes_past_end)) y[count * (int64_t)tn_dtype_size(w->out.dtype)] = 0;
    if (IS(changes_input) && run->in[0].buffer != run->out[0].buffer && tn_desc_count(&w->in))
        *tn_reference_range(run->in[0], 0) ^= 1;
}

/* Works in memory that all threads share: the last thread's operands win. */
static int32_t run_shared(tn_queue *queue, const wrapped *w, const tn_run *run, tn_msg *msg)
{
    static tn_ref out;
    static tn_run now;
    now = *run;
    out = run->out[0];
    now.out = &out;
    usleep(100);
    return real->op_run(queue, w->real, &now, msg);
}

static int32_t op_run(tn_queue *queue, tn_kernel *kernel, const tn_run *run, tn_msg *msg)
{
    wrapped *w = (wrapped *)kernel;
    w->ran = 1;
    produced = run->out[0].buffer;
    if (IS(reads_later) && run->size > sizeof *run) return TN_OK;
    if (IS(breaks_when_unused) && broken) {
        snprintf(msg->text, (size_t)msg->capacity, "broken");
        return TN_EDEVICE;
    }
    if (IS(prints)) puts("running");
    if (IS(leaks) && !malloc(100)) return TN_ENOMEM;
    if (IS(skips_size_1) && tn_desc_count(&w->out) == 1) return TN_OK;
    if (IS(ignores_alias) && run->in[0].buffer == run->out[0].buffer) return TN_OK;
    if (IS(fails_late) && !strcmp(w->name, "softmax")) {
        snprintf(msg->text, (size_t)msg->capacity, "softmax does not work");
        return TN_EDEVICE;
    }
    int32_t s = IS(one_thread) ? run_shared(queue, w, run, msg) : real->op_run(queue, w->real, run, msg);
    if (later.kind == 2) do_later(msg);
    if (!s) spoil_results(w, run);
    return s;
}

static const void *get_ext(const char *id)
{
    return id;
}

/* ---- the table ---- */

#if defined(FAULT_EXPORTS)
__attribute__((visibility("default"))) int somebody_elses_business(void);
int somebody_elses_business(void)
{
    return 1;
}
#endif

const tn_backend *tn_backend_query(uint32_t host_major, uint32_t host_minor)
{
    static tn_backend table;
    pthread_t thread;
    (void)host_minor;
    if (host_major != TN_ABI_MAJOR && !IS(any_version)) return NULL;
    if (IS(thread_in_query)) pthread_create(&thread, NULL, sleep_long, NULL);
    if (IS(slow_query)) usleep(30000);
    if (IS(prints_in_query)) puts("hello"), fflush(stdout);
    real = tn_reference_backend();
    table = *real;
    table.id = "faulty";
    table.doc = "the reference as a plugin, with a fault: " FAULT;
    table.init = init, table.deinit = deinit, table.device_count = device_count, table.device_info = device_info;
    table.context_create = context_create, table.buffer_create = buffer_create, table.fill = fill, table.copy = copy;
    table.read = read_bytes, table.write = write_bytes, table.queue_sync = queue_sync, table.queue_stats = queue_stats;
    table.op_prepare = op_prepare, table.op_release = op_release, table.op_run = op_run;
    if (IS(any_extension)) table.get_ext = get_ext;
    return &table;
}
