/* Batch normalisation over all shards of a batch: the whole batch's training, whatever it is cut into and whoever has
 * the shards. */
#include "check.h"
#include "near.h"

#include <pthread.h>
#include <stdlib.h>

#include "golden_sync.inc"

/* The last one leaves almost everything to another device, and what crosses too. */
static const char *const devices[] = {"reference", "cpu", "opencl:0", "matmul_only"};

enum { SIDE = 4, PIXELS = SIDE * SIDE, CLASSES = 3, COUNT = 53, WHOLE = 12, MOST = 400 };
static float samples[COUNT * PIXELS];
static int32_t labels[COUNT];

/* The numbers that golden_sync.py begins with. */
static double filled(int i, int seed)
{
    return ((7 * (i + 1) + 5 * seed + i * i) % 17 - 8) / 8.0;
}

static void make_data(void)
{
    for (int i = 0; i < COUNT * PIXELS; i++) samples[i] = (float)(filled(i, 3) + 2);
    for (int i = 0; i < COUNT; i++) labels[i] = i % CLASSES;
}

static tn_dataset data_of(int64_t count)
{
    return (tn_dataset){.count = count,
                        .sample = {3, {1, SIDE, SIDE}},
                        .x_dtype = TN_F32,
                        .x = samples,
                        .label = labels,
                        .classes = CLASSES};
}

/* ---- networks ---- */

typedef struct way {
    const char *net; /* NULL: one layer that is used twice */
    uint32_t sync;
} way;

static tn_tensor *branch(tn_tensor *x, const way *w, int training)
{
    x = tn_linear(x, "one", .units = 5);
    return tn_tanh(tn_batch_norm(x, "norm", .training = (uint32_t)training, .sync = w->sync));
}

static tn_tensor *build(tn_tensor *x, int training, const void *arg)
{
    const way *w = arg;
    if (w->net)
        return tn_net(x, w->net,
                      (tn_net_options){.training = (uint32_t)training, .outputs = CLASSES, .sync_norm = w->sync});
    x = tn_flatten(x);
    return tn_linear(tn_mul(branch(x, w, training), branch(tn_square(x), w, training)), "two", .units = CLASSES);
}

static const char mixed[] = "conv 2 2x2, batch_norm, relu, flatten, linear 4, batch_norm, tanh, linear outputs";
static const char random_net[] = "flatten, linear 6, dropout 0.3, batch_norm, relu, linear outputs";

/* ---- training ---- */

/* What a training comes to: all that a checkpoint has, by name. */
typedef struct outcome {
    double value[MOST];
    int count;
    tn_epoch last;
} outcome;

static int by_name(const void *a, const void *b)
{
    return strcmp(((const tn_state_entry *)a)->name, ((const tn_state_entry *)b)->name);
}

static tn_status read_all(tn_state *state, int wide, outcome *o)
{
    tn_state_entry entry[32];
    size_t count = 0;
    for (size_t i = 0; tn_state_at(state, i, &entry[count]); i++)
        count += !(entry[count].flags & TN_TRANSIENT) && !strstr(entry[count].name, ".momentum");
    qsort(entry, count, sizeof *entry, by_name);
    o->count = 0;
    for (size_t i = 0; i < count; i++) {
        float narrow[MOST];
        const int n = (int)tn_shape_count(&entry[i].shape);
        if (entry[i].dtype != (wide ? TN_F64 : TN_F32)) continue;
        tn_status s = tn_state_read(state, entry[i].name, wide ? (void *)(o->value + o->count) : narrow,
                                    (uint64_t)n * (wide ? sizeof(double) : sizeof(float)));
        if (s) return s;
        for (int k = 0; k < n && !wide; k++) o->value[o->count + k] = narrow[k];
        o->count += n;
    }
    return TN_OK;
}

typedef struct setup {
    const char *device;
    way way;
    int64_t count;
    tn_fit_options options;
    tn_compile_options compile;
    uint32_t where;
} setup;

static tn_status train_in(tn_state *state, const setup *s, outcome *o)
{
    const tn_dataset data = data_of(s->count);
    const tn_model model = {
        .build = build, .loss = "cross_entropy", .arg = &s->way, .compile = s->compile, .data = {.where = s->where}};
    tn_status status = tn_fit(state, &model, &data, &s->options, &o->last);
    return status ? status : read_all(state, s->compile.f64 != 0, o);
}

/* Returns 0 if there is no such device. */
static int train(const setup *s, outcome *o)
{
    tn_device *device = NULL;
    tn_state *state = NULL;
    if (tn_device_open(s->device, &device)) return 0;
    CHECK(tn_state_new(device, 5, &state));
    CHECK(train_in(state, s, o));
    tn_state_free(state);
    tn_device_close(device);
    return 1;
}

static setup setup_of(const char *device, const char *net, uint32_t shards)
{
    return (setup){.device = device,
                   .way = {net, 1},
                   .count = COUNT,
                   .options = {.epochs = 2, .batch = WHOLE, .shards = shards, .optimizer = "momentum"}};
}

static void assert_alike(const outcome *a, const outcome *b, double off)
{
    assert_int_equal(a->count, b->count);
    for (int i = 0; i < a->count; i++) assert_near(a->value[i], b->value[i], off);
    assert_near(a->last.train.loss, b->last.train.loss, off);
}

/* ---- what it comes to ---- */

static double farthest(const outcome *a, const outcome *b)
{
    double most = 0;
    for (int i = 0; i < a->count; i++) most = fmax(most, fabs(a->value[i] - b->value[i]));
    return most;
}

/* Each size of a shard is other kernels, which an OpenCL driver compiles for long: of some the first. */
static size_t stride(const char *device, size_t count)
{
    return strncmp(device, "opencl", 6) ? 1 : count;
}

/* Four batches of 12 samples and one of 5: the last shard is smaller than others, as is the last batch. */
static void shards_come_to_what_the_whole_batch_does(void **unused)
{
    static const char *const nets[] = {mixed, NULL};
    static const uint32_t cuts[] = {2, 3, 4, 6, 12};
    (void)unused;
    for (size_t d = 0; d < sizeof devices / sizeof *devices; d++)
        for (size_t n = 0; n < 2; n++) {
            outcome want, got;
            setup s = setup_of(devices[d], nets[n], 0);
            if (!train(&s, &want)) continue;
            for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i += stride(devices[d], sizeof cuts / sizeof *cuts)) {
                s = setup_of(devices[d], nets[n], cuts[i]);
                (void)train(&s, &got);
                assert_alike(&got, &want, 1e-5);
            }
        }
}

static void without_it_each_shard_is_a_batch(void **unused)
{
    outcome whole, cut;
    setup s = setup_of("cpu", mixed, 0);
    (void)unused;
    s.count = 48;
    assert_true(train(&s, &whole));
    s.options.shards = 4;
    s.way.sync = 0;
    assert_true(train(&s, &cut));
    assert_true(farthest(&whole, &cut) > 1e-2);
}

static void without_shards_it_is_the_usual_one_to_the_bit(void **unused)
{
    outcome usual, sync;
    (void)unused;
    for (size_t d = 0; d < 2; d++) {
        setup s = setup_of(devices[d], mixed, 0);
        if (!train(&s, &sync)) continue;
        s.way.sync = 0;
        assert_true(train(&s, &usual));
        assert_memory_equal(usual.value, sync.value, (size_t)usual.count * sizeof *usual.value);
    }
}

/* Where samples are, and in which type, makes no difference to who meets whom. */
static void fed_samples_come_to_the_same_bits(void **unused)
{
    static const tn_compile_options types[] = {{0}, {.f64 = 1}, {.unfused = 1}};
    outcome want, got;
    (void)unused;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        setup s = setup_of("cpu", mixed, 4);
        s.compile = types[i];
        assert_true(train(&s, &want));
        s.where = TN_RESIDENT_HOST;
        assert_true(train(&s, &got));
        assert_int_equal(want.count, got.count);
        assert_memory_equal(want.value, got.value, (size_t)want.count * sizeof *want.value);
    }
}

/* ---- PyTorch ---- */

static tn_status begin_as_golden(tn_state *state)
{
    static const struct {
        const char *name;
        tn_shape shape;
        double scale, shift;
    } begin[] = {{"conv1.weight", {4, {2, 1, 2, 2}}, 0.5, 0},
                 {"bn1.weight", {1, {2}}, 1, 1},
                 {"bn1.bias", {1, {2}}, 1, 0},
                 {"fc1.weight", {2, {4, 18}}, 0.5, 0},
                 {"fc1.bias", {1, {4}}, 0.5, 0},
                 {"bn2.weight", {1, {4}}, 1, 1},
                 {"bn2.bias", {1, {4}}, 1, 0},
                 {"fc2.weight", {2, {3, 4}}, 0.5, 0},
                 {"fc2.bias", {1, {3}}, 0.5, 0}};
    for (int p = 0; p < (int)(sizeof begin / sizeof *begin); p++) {
        float value[72];
        for (int i = 0; i < tn_shape_count(&begin[p].shape); i++)
            value[i] = (float)(filled(i, p) * begin[p].scale + begin[p].shift);
        tn_status s = tn_state_put(state, begin[p].name, TN_F32, begin[p].shape, TN_TRAINABLE, value);
        if (s) return s;
    }
    return TN_OK;
}

static void assert_golden(tn_state *state)
{
    for (size_t i = 0; i < sizeof golden / sizeof *golden; i++) {
        tn_state_entry entry;
        float value[72];
        if (!tn_state_find(state, golden[i].name, &entry)) fail_msg("no tensor '%s'", golden[i].name);
        const int64_t count = tn_shape_count(&entry.shape);
        CHECK(tn_state_read(state, golden[i].name, value, (uint64_t)count * sizeof *value));
        for (int64_t k = 0; k < count; k++) assert_near(value[k], golden[i].value[k], 1e-5);
    }
}

/* Three steps, each on all twelve samples. */
static void shards_train_as_pytorch_does_the_whole(void **unused)
{
    static const uint32_t cuts[] = {4, 1, 2, 12};
    (void)unused;
    for (size_t d = 0; d < sizeof devices / sizeof *devices; d++)
        for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i += stride(devices[d], sizeof cuts / sizeof *cuts)) {
            setup s = setup_of(devices[d], mixed, cuts[i]);
            outcome o;
            tn_device *device = NULL;
            tn_state *state = NULL;
            if (tn_device_open(devices[d], &device)) continue;
            CHECK(tn_state_new(device, 5, &state));
            CHECK(begin_as_golden(state));
            s.count = WHOLE;
            s.options.epochs = 3;
            s.options.optimizer = "sgd";
            s.options.optim.lr = 0.1;
            CHECK(train_in(state, &s, &o));
            assert_near(o.last.train.loss, golden_losses[2], 1e-5);
            assert_golden(state);
            tn_state_free(state);
            tn_device_close(device);
        }
}

/* ---- gradients ---- */

/* The loss of one batch in shards of f64, and with a rate of 1 the gradient: what was there less what is there then. */
static double step_at(const char *name, int at, double more, double rate, double after[], int64_t *count)
{
    setup s = setup_of("cpu", mixed, 4);
    tn_device *device = NULL;
    tn_state *state = NULL;
    tn_state_entry entry;
    outcome o;
    double value[MOST];
    CHECK(tn_device_open("cpu", &device));
    CHECK(tn_state_new(device, 5, &state));
    s.compile.f64 = 1;
    s.count = WHOLE;
    s.options = (tn_fit_options){.epochs = 1, .shards = 4, .optimizer = "sgd", .optim = {.lr = 1e-300}};
    CHECK(train_in(state, &s, &o));
    assert_true(tn_state_find(state, name, &entry));
    *count = tn_shape_count(&entry.shape);
    CHECK(tn_state_read(state, name, value, (uint64_t)*count * sizeof *value));
    value[at] += more;
    CHECK(tn_state_write(state, name, value, (uint64_t)*count * sizeof *value));
    s.options.optim.lr = rate;
    CHECK(train_in(state, &s, &o));
    CHECK(tn_state_read(state, name, after, (uint64_t)*count * sizeof *after));
    for (int64_t i = 0; i < *count; i++) after[i] = value[i] - after[i];
    tn_state_free(state);
    tn_device_close(device);
    return o.last.train.loss;
}

static void gradients_through_it_are_slopes_of_the_whole_loss(void **unused)
{
    static const char *const names[] = {"conv1.weight", "bn1.weight", "bn1.bias", "fc1.weight", "bn2.weight"};
    const double h = 1e-6;
    (void)unused;
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        double gradient[MOST], none[MOST];
        int64_t count;
        (void)step_at(names[n], 0, 0, 1, gradient, &count);
        for (int i = 0; i<count; i += count> 8 ? 11 : 1) {
            const double up = step_at(names[n], i, h, 1e-300, none, &count);
            const double down = step_at(names[n], i, -h, 1e-300, none, &count);
            assert_near(gradient[i], (up - down) / (2 * h), 1e-7);
        }
    }
}

/* ---- workers ---- */

typedef struct worker {
    tn_team_options place;
    setup setup;
    pthread_t thread;
    outcome outcome;
    tn_status status;
    char message[512];
} worker;

static void *work(void *arg)
{
    worker *w = arg;
    tn_device *device = NULL;
    tn_state *state = NULL;
    tn_status s = tn_team_open(&w->place, &w->setup.options.team);
    if (!s) s = tn_device_open("cpu", &device);
    if (!s) s = tn_state_new(device, 5, &state);
    if (!s) s = train_in(state, &w->setup, &w->outcome);
    snprintf(w->message, sizeof w->message, "%s", s ? tn_message() : "");
    w->status = s;
    tn_state_free(state);
    tn_device_close(device);
    tn_team_close(w->setup.options.team);
    return NULL;
}

static void run_workers(worker all[], uint32_t count, const setup *s)
{
    static uint64_t group = 100;
    group++;
    for (uint32_t r = 0; r < count; r++) {
        all[r] = (worker){.place = {"local", group, count, r, 20, 20}, .setup = *s};
        assert_int_equal(pthread_create(&all[r].thread, NULL, work, &all[r]), 0);
    }
    for (uint32_t r = 0; r < count; r++) pthread_join(all[r].thread, NULL);
}

/* With five samples in the last batch and shards of two or three, some workers have no shard of it. */
static void any_number_of_workers_comes_to_the_same_bits(void **unused)
{
    static const char *const nets[] = {mixed, random_net, NULL};
    static const uint32_t shards[] = {4, 6};
    enum { WORKERS = 4 };
    static worker all[WORKERS];
    outcome alone;
    (void)unused;
    for (size_t n = 0; n < sizeof nets / sizeof *nets * 2; n++) {
        const setup s = setup_of("cpu", nets[n / 2], shards[n % 2]);
        assert_true(train(&s, &alone));
        for (uint32_t count = 2; count <= WORKERS; count++) {
            run_workers(all, count, &s);
            for (uint32_t r = 0; r < count; r++) {
                if (all[r].status) fail_msg("rank %u of %u: %s", r, count, all[r].message);
                assert_int_equal(all[r].outcome.count, alone.count);
                assert_memory_equal(all[r].outcome.value, alone.value, (size_t)alone.count * sizeof *alone.value);
            }
        }
    }
}

/* Trains on the first device of the setup and on one more, which take so many shards. Returns 0 if one is not there. */
static int train_beside(const char *other, const uint32_t shares[2], setup *s, outcome *o)
{
    tn_device *device = NULL;
    if (tn_device_open(other, &device)) return 0;
    s->options.devices = &device;
    s->options.n_devices = 1;
    s->options.shares = shares;
    int there = train(s, o);
    tn_device_close(device);
    return there;
}

/* What they compute differs in rounding, and what they fuse differs too; they meet at the same points. */
static void unlike_devices_meet(void **unused)
{
    static const uint32_t shares[][2] = {{1, 3}, {3, 1}, {4, 0}};
    (void)unused;
    for (size_t d = 0; d < sizeof devices / sizeof *devices; d++)
        for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
            outcome want, got, alone;
            setup s = setup_of("cpu", i ? mixed : NULL, 0);
            assert_true(train(&s, &want));
            s.options.shards = 4;
            assert_true(train(&s, &alone));
            if (!train_beside(devices[d], shares[i], &s, &got)) continue;
            assert_alike(&got, &want, 1e-5);
            if (!strcmp(devices[d], "cpu")) assert_alike(&got, &alone, 0);
        }
}

/* ---- what is refused ---- */

static void a_last_batch_of_one_sample_has_no_variance(void **unused)
{
    tn_device *device = NULL;
    tn_state *state = NULL;
    outcome o;
    (void)unused;
    CHECK(tn_device_open("cpu", &device));
    CHECK(tn_state_new(device, 5, &state));
    setup s = setup_of("cpu", mixed, 4);
    s.count = 2 * WHOLE + 1;
    assert_int_equal(train_in(state, &s, &o), TN_ESHAPE);
    check_message("one sample", "one value");
    tn_state_free(state);
    tn_device_close(device);
}

static int load(void **state)
{
    (void)state;
    return tn_backend_load(MATMUL_ONLY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shards_come_to_what_the_whole_batch_does),
        cmocka_unit_test(without_it_each_shard_is_a_batch),
        cmocka_unit_test(without_shards_it_is_the_usual_one_to_the_bit),
        cmocka_unit_test(fed_samples_come_to_the_same_bits),
        cmocka_unit_test(shards_train_as_pytorch_does_the_whole),
        cmocka_unit_test(gradients_through_it_are_slopes_of_the_whole_loss),
        cmocka_unit_test(any_number_of_workers_comes_to_the_same_bits),
        cmocka_unit_test(unlike_devices_meet),
        cmocka_unit_test(a_last_batch_of_one_sample_has_no_variance),
    };
    make_data();
    return cmocka_run_group_tests(tests, load, NULL);
}
