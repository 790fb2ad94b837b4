/* What feeding a training asks of a device: the host waits for it in no step, batches are copied by a queue of their
 * own, from pinned memory where there is such, and each call comes after what it needs. A table of functions between
 * the library and the backend writes down who waits for what, as clocks: what a queue, or the host, knows to be done
 * of each queue's work. */
#include "check.h"

#include <stdlib.h>

#include "device_internal.h"
#include "tenon/backend_ext.h"
#include "upload.h"

enum {
    COUNT = 100,
    FEATURES = 6,
    CLASSES = 3,
    BATCH = 8,
    STEPS = 13,
    EPOCHS = 3,
    QUEUES = 16,
    EVENTS = 64,
    PLACES = 256
};

static float features[COUNT][FEATURES], weights[COUNT];
static int32_t labels[COUNT];

static int fill_all(void **state)
{
    (void)state;
    for (int i = 0; i < COUNT; i++) {
        labels[i] = i * 7 % 11 % CLASSES;
        weights[i] = 0.5f + (float)(i % 5) / 4;
        for (int k = 0; k < FEATURES; k++) features[i][k] = (float)((i * 37 + k * 91 + labels[i] * 60) % 256) / 64 - 2;
    }
    return 0;
}

/* ---- clocks ---- */

typedef struct stamp {
    uint64_t of[QUEUES];
} stamp;

/* Where a copy went or came from: and what is to be done before the next one may. */
typedef struct spot {
    const void *what;
    uint64_t offset, at;
} spot;

static struct {
    const tn_backend *real;
    tn_backend table;
    tn_ext_memory memory;
    const tn_ext_memory *theirs; /* NULL: pinned memory is made here */
    int refuses;
    const tn_queue *queue[QUEUES];
    stamp knows[QUEUES], host;
    struct {
        const tn_event *event;
        stamp stands;
    } event[EVENTS];
    spot to[PLACES], from[PLACES]; /* by the copies of a step: at work of the state's queue, of the copies' own */
    spot pinned[PLACES];
    int queues, events, tos, froms, pins, steps;
    uint64_t waits, copies, unpinned; /* queue_sync of any queue; in steps: copies, and those from elsewhere */
} seen;

static void join(stamp *a, const stamp *b)
{
    for (int i = 0; i < QUEUES; i++)
        if (a->of[i] < b->of[i]) a->of[i] = b->of[i];
}

static int number(const tn_queue *queue)
{
    for (int i = 0; i < seen.queues; i++)
        if (seen.queue[i] == queue) return i;
    assert_true(seen.queues < QUEUES);
    seen.queue[seen.queues] = queue;
    return seen.queues++;
}

static stamp *stands(const tn_event *event)
{
    for (int i = 0; i < seen.events; i++)
        if (seen.event[i].event == event) return &seen.event[i].stands;
    assert_true(seen.events < EVENTS);
    seen.event[seen.events].event = event;
    return &seen.event[seen.events++].stands;
}

/* One more piece of work of that queue. */
static int work(const tn_queue *queue)
{
    const int q = number(queue);
    join(&seen.knows[q], &seen.host);
    seen.knows[q].of[q]++;
    return q;
}

static spot *find(spot *list, int *count, const void *what, uint64_t offset)
{
    for (int i = 0; i < *count; i++)
        if (list[i].what == what && list[i].offset == offset) return &list[i];
    assert_true(*count < PLACES);
    list[*count] = (spot){what, offset, 0};
    return &list[(*count)++];
}

/* ---- the table ---- */

static int is_pinned(const char *data, uint64_t bytes)
{
    for (int i = 0; i < seen.pins; i++) {
        const char *begin = seen.pinned[i].what;
        if (begin && data >= begin && data + bytes <= begin + seen.pinned[i].at) return 1;
    }
    return 0;
}

/* The state's queue is the first that there is. */
static int32_t writes(tn_queue *queue, tn_ref to, const void *from, uint64_t bytes, tn_msg *msg)
{
    const int q = work(queue);
    if (seen.steps) {
        spot *place = find(seen.to, &seen.tos, to.buffer, to.offset), *source = find(seen.from, &seen.froms, from, 0);
        seen.copies++;
        seen.unpinned += !is_pinned(from, bytes);
        if (!q) fail_msg("a batch is copied by the queue that computes");
        if (seen.knows[q].of[0] < place->at) fail_msg("a batch is copied to where a step may still read");
        if (seen.host.of[q] < source->at) fail_msg("a batch is copied from where one may still be copied");
        place->at = UINT64_MAX; /* until the step is enqueued */
        source->at = seen.knows[q].of[q];
    }
    return seen.real->write(queue, to, from, bytes, msg);
}

static int32_t runs(tn_queue *queue, tn_kernel *kernel, const tn_run *run, tn_msg *msg)
{
    const int q = work(queue);
    for (int i = 0; seen.steps && i < seen.queues; i++)
        if (i != q && seen.knows[q].of[i] < seen.knows[i].of[i]) fail_msg("a step may run before its batch is there");
    return seen.real->op_run(queue, kernel, run, msg);
}

static int32_t makes_queue(tn_context *context, tn_queue **queue, tn_msg *msg)
{
    int32_t s = seen.real->queue_create(context, queue, msg);
    if (!s) seen.knows[number(*queue)].of[number(*queue)]++; /* of several at one address, this one */
    return s;
}

static int32_t syncs(tn_queue *queue, tn_msg *msg)
{
    seen.waits++;
    join(&seen.host, &seen.knows[number(queue)]);
    return seen.real->queue_sync(queue, msg);
}

static int32_t records(tn_queue *queue, tn_event *event, tn_msg *msg)
{
    *stands(event) = seen.knows[number(queue)];
    return seen.real->event_record(queue, event, msg);
}

static int32_t waits(tn_queue *queue, tn_event *event, tn_msg *msg)
{
    join(&seen.knows[number(queue)], stands(event));
    return seen.real->event_wait(queue, event, msg);
}

static int32_t syncs_event(tn_event *event, tn_msg *msg)
{
    join(&seen.host, stands(event));
    return seen.real->event_sync(event, msg);
}

static int32_t pins(tn_context *context, uint64_t bytes, tn_pinned **pinned, void **data, tn_msg *msg)
{
    int32_t s = TN_OK;
    if (seen.refuses) return TN_ENOMEM;
    if (seen.theirs) s = seen.theirs->pinned_create(context, bytes, pinned, data, msg);
    if (!seen.theirs) *data = *pinned = calloc(1, bytes + 1);
    if (s) return s;
    assert_true(seen.pins < PLACES);
    seen.pinned[seen.pins++] = (spot){*data, (uint64_t)(uintptr_t)*pinned, bytes};
    return TN_OK;
}

static void unpins(tn_pinned *pinned)
{
    for (int i = 0; i < seen.pins; i++)
        if (seen.pinned[i].offset == (uint64_t)(uintptr_t)pinned) seen.pinned[i--] = seen.pinned[--seen.pins];
    if (seen.theirs)
        seen.theirs->pinned_destroy(pinned);
    else
        free(pinned);
}

static const void *extension(const char *id)
{
    return strcmp(id, TN_EXT_MEMORY) ? tn_backend_extension(seen.real, id) : &seen.memory;
}

static void look_on(tn_device *device)
{
    const tn_ext_memory *theirs = tn_backend_extension(device->backend, TN_EXT_MEMORY);
    memset(&seen, 0, sizeof seen);
    seen.real = device->backend;
    seen.theirs = theirs && theirs->pinned_create ? theirs : NULL;
    seen.memory = (tn_ext_memory){sizeof seen.memory, theirs ? theirs->budget : NULL, pins, unpins};
    seen.table = *seen.real;
    seen.table.write = writes, seen.table.op_run = runs;
    seen.table.queue_create = makes_queue, seen.table.queue_sync = syncs;
    seen.table.event_record = records, seen.table.event_wait = waits, seen.table.event_sync = syncs_event;
    seen.table.get_ext = extension;
    device->backend = &seen.table;
}

/* ---- trainings ---- */

static tn_tensor *net(tn_tensor *x, int training, const void *arg)
{
    (void)arg;
    return tn_net(x, "linear 8, tanh, linear outputs",
                  (tn_net_options){.training = (uint32_t)training, .outputs = CLASSES});
}

typedef struct result {
    double bias[CLASSES];
    uint64_t waits[EPOCHS][STEPS + 1]; /* of each step; of the epoch's end */
    uint64_t pinned;
} result;

/* What was copied in the step is read by it: all that the state's queue has by now. */
static void end_step(void)
{
    for (int i = 0; i < seen.tos; i++)
        if (seen.to[i].at == UINT64_MAX) seen.to[i].at = seen.knows[0].of[0];
}

static void train(const char *name, const tn_model *model, const tn_dataset *data, int refuses, result *r)
{
    const tn_fit_options options = {.epochs = EPOCHS, .batch = BATCH, .optimizer = "momentum", .optim = {.lr = 0.05}};
    tn_device *device = NULL;
    tn_state *state = NULL;
    tn_training *t = NULL;
    tn_epoch epoch;
    tn_feeding feeding = {0};
    CHECK(tn_device_open(name, &device));
    look_on(device);
    seen.refuses = refuses;
    CHECK(tn_state_new(device, 3, &state));
    CHECK(tn_training_new(state, model, data, &options, &t));
    for (int e = 0; e < EPOCHS; e++) {
        for (int i = 0; i < STEPS; i++) {
            const uint64_t before = seen.waits;
            CHECK(tn_training_begin(t));
            seen.steps = 1;
            CHECK(tn_training_step(t));
            end_step();
            seen.steps = 0;
            r->waits[e][i] = seen.waits - before;
        }
        const uint64_t before = seen.waits;
        CHECK(tn_training_end_epoch(t, &epoch));
        r->waits[e][STEPS] = seen.waits - before;
    }
    tn_training_get_feeding(t, &feeding);
    r->pinned = feeding.pinned;
    CHECK(tn_state_read(state, "fc2.bias", r->bias, CLASSES * (model->compile.f64 ? 8u : 4u)));
    tn_training_free(t);
    tn_state_free(state);
    assert_int_equal(seen.pins, 0);
    device->backend = seen.real;
    tn_device_close(device);
}

static uint64_t total(const uint64_t waits[STEPS + 1])
{
    uint64_t sum = 0;
    for (int i = 0; i <= STEPS; i++) sum += waits[i];
    return sum;
}

static tn_status fill(void *arg, int64_t index, void *x, void *target, tn_msg *msg)
{
    (void)arg, (void)target, (void)msg;
    memcpy(x, features[index], sizeof features[index]);
    return TN_OK;
}

/* Fed, with what comes of it and what is waited for beside the same on the device. */
static void compare(const char *name, tn_model model, const tn_dataset *data, const tn_dataset *loader, int refuses)
{
    result there = {0}, fed = {0};
    train(name, &model, data, 0, &there);
    model.data.where = TN_RESIDENT_HOST;
    train(name, &model, loader, refuses, &fed);
    assert_memory_equal(there.bias, fed.bias, sizeof there.bias);
    assert_true(refuses ? !fed.pinned : fed.pinned >= 6 * BATCH * sizeof features[0]);
    assert_true(seen.copies >= EPOCHS * STEPS * 2);
    assert_int_equal(seen.unpinned, refuses ? seen.copies : 0);
    for (int e = 0; e < EPOCHS; e++) {
        for (int i = 1; i < STEPS; i++)
            if (fed.waits[e][i] || there.waits[e][i])
                fail_msg("%s: step %d of epoch %d waits %d times, %d of data on the device", name, i, e,
                         (int)fed.waits[e][i], (int)there.waits[e][i]);
        if (total(fed.waits[e]) > total(there.waits[e]))
            fail_msg("%s: epoch %d waits %d times, %d of data on the device", name, e, (int)total(fed.waits[e]),
                     (int)total(there.waits[e]));
    }
}

static void no_step_waits_for_its_batch(void **state)
{
    static const char *const devices[] = {"reference", "cpu", "opencl:0"};
    static char shelf[] = "the shelf";
    const tn_source source = {.fill = fill};
    tn_dataset data = {.count = COUNT,
                       .sample = TN_SHAPE(FEATURES),
                       .x_dtype = TN_F32,
                       .x = features,
                       .label = labels,
                       .classes = CLASSES,
                       .source = shelf};
    (void)state;
    for (size_t d = 0; d < sizeof devices / sizeof *devices; d++)
        for (int kind = 0; kind < 6; kind++) {
            const int is_f64 = kind / 2 % 2;
            tn_model model = {.build = net, .loss = "cross_entropy", .compile.f64 = (uint32_t)is_f64};
            tn_device *device = NULL;
            if (d == 2 && kind != 1) continue; /* a driver of OpenCL compiles for long */
            if (tn_device_open(devices[d], &device)) continue;
            tn_device_close(device);
            data.weight = kind % 2 ? weights : NULL;
            tn_dataset loader = data;
            loader.x = NULL;
            CHECK(tn_loader_new(&source, &loader.loader));
            compare(devices[d], model, &data, kind < 4 ? &loader : &data, kind == 5);
            tn_loader_free(loader.loader);
        }
}

/* Input and result have one place each. */
static void copies_to_one_place_come_after_what_reads_it(void **state)
{
    enum { N = 1000, TURNS = 6 };
    static float x[TURNS][N], sum[N];
    tn_device *device = NULL;
    tn_state *s = NULL;
    tn_program *program = NULL, *other = NULL;
    tn_upload *upload = NULL;
    tn_graph *g = tn_graph_new(), *h = tn_graph_new();
    tn_tensor *total = tn_variable(g, "total", TN_F32, TN_SHAPE(N), (tn_init){TN_INIT_ZERO}, 0);
    (void)state;
    tn_assign(total, tn_add(total, tn_input(g, "x", TN_F32, TN_SHAPE(N))));
    tn_output(tn_neg(tn_input(h, "x", TN_F32, TN_SHAPE(N))), "y");
    CHECK(tn_device_open("cpu", &device));
    look_on(device);
    CHECK(tn_state_new(device, 1, &s));
    CHECK(tn_compile(g, s, NULL, &program));
    CHECK(tn_compile(h, s, NULL, &other));
    CHECK(tn_upload_new(other, &upload));
    seen.steps = 1;
    for (int i = 0; i < TURNS; i++) {
        for (int k = 0; k < N; k++) x[i][k] = (float)(i + k);
        CHECK(tn_upload_after(upload, program, &(tn_piece){"x", 0, x[i], sizeof x[i]}, 1));
        CHECK(tn_program_run(program));
        end_step();
    }
    seen.steps = 0;
    CHECK(tn_state_read(s, "total", sum, sizeof sum));
    for (int k = 0; k < N; k++) assert_float_equal(sum[k], TURNS * k + TURNS * (TURNS - 1) / 2, 0);
    tn_upload_free(upload);
    tn_program_free(other);
    tn_program_free(program);
    tn_graph_free(h);
    tn_graph_free(g);
    tn_state_free(s);
    device->backend = seen.real;
    tn_device_close(device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_step_waits_for_its_batch),
        cmocka_unit_test(copies_to_one_place_come_after_what_reads_it),
    };
    return cmocka_run_group_tests(tests, fill_all, NULL);
}
