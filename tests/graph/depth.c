/* depth.c: batches that the cpu backend is given a few samples at a time: all bits are those of whole batches, of
 * networks used and trained and of random graphs, also of batches that rounds don't divide. TENON_OPTIONS says by how
 * many threads. */
#include "harness.h"

#include <stdio.h>
#include <string.h>

#include "device_internal.h"
#include "final.h"
#include "program.h"
#include "tenon/backend_ext.h"

enum { MOST = 1 << 24, GRAPHS = 500, STEPS = 14, POOL = 24, LARGEST = 90 };

/* What a run left: outputs, then the state. */
typedef struct result {
    char *bytes;
    size_t count;
    uint32_t launches;
} result;

/* Builds a graph whose output is "y", of an input "x" of that many samples. */
typedef struct subject {
    tn_graph *(*build)(const struct subject *s);
    const char *net;
    uint32_t seed, trains;
    int64_t batch, channels, side;
} subject;

static uint32_t next(uint32_t *random, uint32_t n)
{
    *random = *random * 1664525u + 1013904223u;
    return (*random >> 8) % n;
}

/* ---- graphs ---- */

static tn_tensor *input_of(tn_graph *g, const subject *s)
{
    return tn_input(g, "x", TN_F32, TN_SHAPE(s->batch, s->channels, s->side, s->side));
}

/* Used; trained; or all but what follows it stays as it is. */
enum { USED, TRAINED, FROZEN, WAYS };

/* The loss is what a training gives; a network that is used gives its outputs. */
static void finish(tn_tensor *y, uint32_t trains)
{
    const tn_init some = {.kind = TN_INIT_UNIFORM, .a = 1};
    if (trains == FROZEN)
        y = tn_mul(tn_stop_gradient(y), tn_variable(tn_graph_of(y), "factor", TN_F32, TN_SHAPE(1), some, TN_TRAINABLE));
    tn_tensor *loss = tn_mean(tn_square(y), TN_ALL, 0);
    if (trains) tn_minimize(loss, "momentum", (tn_optim_options){.lr = 0.01});
    tn_output(trains ? loss : y, "y");
}

static tn_graph *network(const subject *s)
{
    tn_graph *g = tn_graph_new();
    tn_tensor *x = input_of(g, s);
    finish(tn_net(x, s->net, (tn_net_options){.outputs = 10, .training = s->trains == TRAINED}), s->trains);
    return g;
}

typedef struct pool {
    tn_tensor *x[POOL];
    uint32_t count, random;
    char name[16];
} pool;

static tn_tensor *pick(pool *p)
{
    const uint32_t latest = p->count < 4 ? p->count : 4;
    return p->x[next(&p->random, 3) ? p->count - 1 - next(&p->random, latest) : next(&p->random, p->count)];
}

static const char *name_of(pool *p)
{
    snprintf(p->name, sizeof p->name, "v%u", p->count);
    return p->name;
}

static tn_tensor *convolution(pool *p, tn_tensor *x)
{
    const int64_t c = tn_shape_of(x).dim[1];
    const uint32_t kernel = 1 + 2 * next(&p->random, 3), by_channel = next(&p->random, 3) == 0;
    return tn_conv2d(x, name_of(p), .filters = by_channel ? c : 1 + next(&p->random, 20), .kernel = {kernel, kernel},
                     .same = 1, .stride = {1 + (next(&p->random, 4) == 0), 0}, .groups = by_channel ? (uint32_t)c : 1,
                     .no_bias = next(&p->random, 2));
}

static tn_tensor *widened(pool *p, tn_tensor *x)
{
    const uint32_t stride = 1 + next(&p->random, 2);
    if (tn_shape_of(x).dim[2] > 12) return tn_sigmoid(x);
    return tn_conv2d_transpose(x, name_of(p), .filters = 1 + next(&p->random, 20), .kernel = {3, 3},
                               .stride = {stride, stride}, .pad = {1, 1});
}

/* A number for each channel that is computed beside the samples. */
static tn_tensor *scaled(pool *p, tn_tensor *x)
{
    const tn_init some = {.kind = TN_INIT_UNIFORM, .a = 1.5};
    tn_tensor *scale =
        tn_variable(tn_graph_of(x), name_of(p), TN_F32, TN_SHAPE(1, tn_shape_of(x).dim[1], 1, 1), some, TN_TRAINABLE);
    return tn_relu(tn_mul(x, tn_rsqrt(tn_add(tn_square(scale), tn_number(scale, 1e-3)))));
}

static tn_tensor *pooled(pool *p, tn_tensor *x)
{
    const tn_shape shape = tn_shape_of(x);
    if (shape.dim[2] < 3) return tn_exp(x);
    return next(&p->random, 2) ? tn_maxpool2d(x, .window = {2, 2}, .stride = {2, 2})
                               : tn_avgpool2d(x, .window = {3, 3}, .stride = {1, 1}, .pad = {1, 1});
}

static tn_tensor *half(pool *p, tn_tensor *x)
{
    const int64_t c = tn_shape_of(x).dim[1];
    if (c < 2) return tn_tanh(x);
    return tn_slice(x, 1, next(&p->random, 2) ? c / 2 : 0, c / 2, 1);
}

static tn_tensor *turned(pool *p, tn_tensor *x)
{
    static const int32_t perm[] = {0, 1, 3, 2}, first[] = {0, 2, 3, 1}, back[] = {0, 3, 1, 2};
    return next(&p->random, 2) ? tn_transpose(x, perm) : tn_transpose(tn_sigmoid(tn_transpose(x, first)), back);
}

/* With one of the same shape; or behind one of the same pixels. */
static tn_tensor *joined(pool *p, tn_tensor *x)
{
    const tn_shape shape = tn_shape_of(x);
    for (uint32_t i = p->count; i-- > 0;) {
        const tn_shape other = tn_shape_of(p->x[i]);
        if (p->x[i] == x || other.dim[2] != shape.dim[2] || other.dim[3] != shape.dim[3]) continue;
        if (other.dim[1] == shape.dim[1] && next(&p->random, 4)) return tn_add(x, p->x[i]);
        return tn_concat((tn_tensor *[]){x, p->x[i]}, 2, 1);
    }
    return tn_relu(x);
}

/* By filters that are made of all samples. */
static tn_tensor *by_all(pool *p, tn_tensor *x)
{
    const tn_shape shape = tn_shape_of(x);
    tn_tensor *y = tn_conv2d(x, name_of(p), .filters = shape.dim[1], .kernel = {1, 1});
    y = tn_avgpool2d(y, .window = {(uint32_t)shape.dim[2], (uint32_t)shape.dim[3]});
    return tn_slice(tn_tanh(tn_convolve2d(x, y, (tn_conv_options){0})), 1, 0, 2, 1);
}

/* What needs the whole batch, in another order too, or knows an element's number. */
static tn_tensor *over_all(pool *p, tn_tensor *x)
{
    static const int32_t turn[] = {2, 1, 0, 3};
    const uint32_t which = next(&p->random, 5);
    const int64_t batch = tn_shape_of(x).dim[0];
    if (which == 0) return tn_sub(x, tn_mean(x, TN_AXES(0), 1));
    if (which == 1) return tn_slice(x, 0, batch - 1, batch, -1);
    if (which == 2 && batch == tn_shape_of(x).dim[2]) return tn_transpose(x, turn);
    if (which == 3) return by_all(p, x);
    if (next(&p->random, 2)) x = convolution(p, x);
    return tn_add(x, tn_random_uniform(tn_graph_of(x), tn_shape_of(x)));
}

/* For the next run. */
static void remember(tn_tensor *x)
{
    tn_tensor *last = tn_variable(tn_graph_of(x), "last", TN_F32, tn_shape_of(x), (tn_init){0}, 0);
    tn_output(tn_mean(tn_sub(x, last), TN_ALL, 0), "change");
    tn_assign(last, x);
}

static tn_graph *random_graph(const subject *s)
{
    static tn_tensor *(*const steps[])(pool * p, tn_tensor * x) = {
        convolution, convolution, convolution, scaled, pooled, half, turned, joined, joined, scaled, widened};
    tn_graph *g = tn_graph_new();
    pool p = {.count = 1, .random = s->seed};
    p.x[0] = input_of(g, s);
    while (p.count < STEPS) {
        tn_tensor *x = pick(&p);
        const int rare = next(&p.random, 8) == 0;
        p.x[p.count] = rare ? over_all(&p, x) : steps[next(&p.random, sizeof steps / sizeof *steps)](&p, x);
        p.count++;
    }
    tn_tensor *all = tn_mean(p.x[STEPS - 1], TN_AXES(1, 2, 3), 0);
    for (uint32_t i = 1 + next(&p.random, 8); i < STEPS; i += 8)
        all = tn_add(all, tn_mean(tn_sigmoid(p.x[i]), TN_AXES(1, 2, 3), 0));
    if (s->seed % 2) remember(p.x[1 + next(&p.random, STEPS - 1)]);
    if (s->trains == USED && s->seed % 2) tn_output(tn_square(p.x[1 + next(&p.random, STEPS - 1)]), "beside");
    finish(all, s->trains);
    return g;
}

/* ---- runs ---- */

static void add_bytes(result *r, const void *bytes, size_t count)
{
    assert_true(r->count + count <= MOST);
    memcpy(r->bytes + r->count, bytes, count);
    r->count += count;
}

static void add_output(result *r, tn_program *p, const char *name)
{
    for (uint32_t i = 0; i < p->ir.outputs; i++) {
        if (strcmp(p->ir.output[i].name, name)) continue;
        char *data = test_malloc(p->ir.output[i].value->bytes + 1);
        ok(tn_fetch(p, name, data, p->ir.output[i].value->bytes));
        add_bytes(r, data, p->ir.output[i].value->bytes);
        test_free(data);
    }
}

static void add_state(result *r, tn_state *state)
{
    tn_state_entry entry;
    for (size_t i = 0; tn_state_at(state, i, &entry); i++) {
        const size_t bytes = (size_t)tn_shape_count(&entry.shape) * sizeof(float);
        char *data = test_malloc(bytes + 1);
        ok(tn_state_read(state, entry.name, data, bytes));
        add_bytes(r, data, bytes);
        test_free(data);
    }
}

static void feed(tn_program *p, const subject *s, uint32_t seed)
{
    const size_t count = (size_t)(s->batch * s->channels * s->side * s->side);
    float *x = test_malloc(count * sizeof *x + 1);
    for (size_t i = 0; i < count; i++) x[i] = (float)next(&seed, 2001) / 1000 - 1;
    ok(tn_feed(p, "x", x, count * sizeof *x));
    test_free(x);
}

/* A backend that says so of what stays near. */
static uint64_t near_now;
static const void *(*ext_of_cpu)(const char *id);

static int32_t get_near(tn_context *context, uint64_t *bytes, tn_msg *msg)
{
    (void)context, (void)msg;
    *bytes = near_now;
    return TN_OK;
}

static const void *get_ext(const char *id)
{
    static const tn_ext_samples samples = {sizeof samples, get_near};
    return strcmp(id, TN_EXT_SAMPLES) ? ext_of_cpu(id) : &samples;
}

static tn_program *compiled(fixture *f, const subject *s, uint64_t near)
{
    const tn_backend *own = f->device->backend;
    tn_backend says = *own;
    tn_program *p = NULL;
    tn_graph *g = s->build(s);
    ext_of_cpu = own->get_ext, says.get_ext = get_ext, near_now = near;
    f->device->backend = &says;
    ok(tn_compile(g, f->state, NULL, &p));
    f->device->backend = own;
    tn_graph_free(g);
    return p;
}

/* Three runs, of which each has another batch. */
static result run(const subject *s, uint64_t near)
{
    result r = {.bytes = test_malloc(MOST)};
    fixture f = use_device("cpu", 7);
    tn_program *p = compiled(&f, s, near);
    r.launches = p->report.launches;
    for (uint32_t i = 0; i < 3; i++) {
        feed(p, s, s->seed + i);
        if (i == 1) tn_program_find_operands(p); /* as when the state has moved */
        ok(tn_program_run(p));
        add_output(&r, p, "y");
        add_output(&r, p, "beside");
        add_output(&r, p, "change");
    }
    add_state(&r, f.state);
    tn_program_free(p);
    drop_device(&f);
    return r;
}

/* Returns whether the batch was divided at all. */
static int same_bits(const subject *s, uint64_t near)
{
    result whole = run(s, 0), parts = run(s, near);
    const int divided = parts.launches != whole.launches;
    if (whole.count != parts.count || memcmp(whole.bytes, parts.bytes, whole.count))
        fail_msg("%s, seed %u, %d samples, near %d: other bits", s->net ? s->net : "random", s->seed, (int)s->batch,
                 (int)near);
    test_free(whole.bytes);
    test_free(parts.bytes);
    return divided;
}

/* ---- tests ---- */

static void networks_make_the_same_bits(void **state)
{
    static const subject nets[] = {
        {network, "conv 8 5x5, relu, maxpool 2, conv 12 3, relu, maxpool 2, flatten, linear 10", 1, 0, 57, 1, 18},
        {network,
         "conv 8 3 pad same, batch_norm, relu, block 8, block 8, block 16 stride 2, block 16, global_avgpool, linear "
         "10",
         2, 0, 56, 3, 8},
        {network,
         "conv 24 1, batch_norm, relu6, conv 24 3 pad 1 groups 24, batch_norm, relu6, conv 8 1, batch_norm, "
         "residual, conv 48 1, relu6, conv 48 3 pad 1 groups 48, conv 8 1, end, global_avgpool, linear 10",
         3, 0, 41, 3, 9}};
    (void)state;
    for (size_t n = 0; n < sizeof nets / sizeof *nets; n++)
        for (uint32_t trains = USED; trains < WAYS; trains++) {
            subject s = nets[n];
            s.trains = trains;
            if (!same_bits(&s, 1) && trains != TRAINED) fail_msg("%s, %u: not divided", s.net, trains);
            same_bits(&s, 40000);
        }
}

static void random_graphs_make_the_same_bits(void **state)
{
    uint32_t divided = 0;
    (void)state;
    for (uint32_t i = 0; i < GRAPHS; i++) {
        uint32_t random = i;
        const subject s = {.build = random_graph,
                           .seed = i,
                           .trains = i % WAYS,
                           .batch = i % 5 ? 4 + next(&random, LARGEST - 4) : 16,
                           .channels = 1 + next(&random, 8),
                           .side = i % 5 ? 1 + next(&random, 12) : 16};
        divided += (uint32_t)same_bits(&s, i % 2 ? 1 : 20000);
    }
    assert_true(divided > GRAPHS / 20);
}

/* ---- points on the way ---- */

typedef struct way {
    tn_program *program;
    uint64_t before;
    uint32_t after[64], points;
} way;

static uint64_t launched(const tn_program *p)
{
    tn_queue_stats stats = {.size = sizeof stats};
    ok(p->state->device->backend->queue_stats(p->state->queue, &stats, NULL) ? TN_EDEVICE : TN_OK);
    return stats.launches;
}

static tn_status reach(void *arg, uint32_t point)
{
    const way *w = arg;
    uint64_t expected = 0;
    for (uint32_t i = 0; i < w->after[point]; i++)
        expected += w->program->ir.launch[i]->info.launches * tn_launch_rounds(w->program->ir.launch[i]);
    assert_true(launched(w->program) - w->before >= expected);
    return TN_OK;
}

static void points_come_after_all_rounds(void **state)
{
    const subject s = {network, "conv 8 3, relu, conv 8 3, relu, conv 8 3, flatten, linear 10", 1, 0, 56, 3, 12};
    fixture f = use_device("cpu", 7);
    way w = {.program = compiled(&f, &s, 1)};
    (void)state;
    while (w.points < w.program->ir.launches && w.points < 64) w.after[w.points] = w.points + 1, w.points++;
    assert_true(w.program->report.launches > w.points);
    feed(w.program, &s, 1);
    w.before = launched(w.program);
    ok(tn_program_run_watched(w.program, &(tn_watch){.after = w.after, .count = w.points, .reach = reach, .arg = &w}));
    tn_program_free(w.program);
    drop_device(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(networks_make_the_same_bits),
                                       cmocka_unit_test(random_graphs_make_the_same_bits),
                                       cmocka_unit_test(points_come_after_all_rounds)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
