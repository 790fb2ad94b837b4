/* Several devices in one training: what they come to, whatever takes which shards, and what becomes of failures. */
#include "alloc.h"
#include "check.h"
#include "near.h"

#include <stdlib.h>
#include <time.h>

enum { COUNT = 53, FEATURES = 5, HIDDEN = 7, CLASSES = 3, MOST = 4, WEIGHTS = FEATURES * HIDDEN, BATCH = 12 };
static float samples[COUNT * FEATURES];
static int32_t labels[COUNT];
static const tn_dataset data = {
    .count = COUNT, .sample = {1, {FEATURES}}, .x_dtype = TN_F32, .x = samples, .label = labels, .classes = CLASSES};

static void make_data(void)
{
    for (int i = 0; i < COUNT * FEATURES; i++) samples[i] = (float)((i * 37 + 11) % 64 - 32) / 16;
    for (int i = 0; i < COUNT; i++) labels[i] = (int32_t)(fabs((double)samples[i * FEATURES]) + i) % CLASSES;
}

/* With statistics and random numbers of a shard's own. */
static tn_tensor *net(tn_tensor *x, int training, const void *arg)
{
    (void)arg;
    x = tn_batch_norm(tn_linear(x, "one", .units = HIDDEN), "norm", .training = (uint32_t)training);
    x = training ? tn_dropout(tn_tanh(x), 0.2) : tn_tanh(x);
    return tn_linear(x, "two", .units = CLASSES);
}

static const tn_model model = {.build = net, .loss = "cross_entropy"};

/* What a training comes to. */
typedef struct outcome {
    float one[WEIGHTS], mean[HIDDEN];
    tn_epoch last;
    uint32_t shards[MOST];
} outcome;

/* Devices that are open, and a state on the first. */
typedef struct bed {
    tn_device *device[MOST];
    tn_state *state;
    tn_fit_options options;
} bed;

/* Batches of 12 samples in 4 shards, the last of 5 in 2. */
static void set_up(bed *b, const char *const names[], uint32_t count)
{
    *b = (bed){.options = {.epochs = 3,
                           .batch = BATCH,
                           .shards = 4,
                           .optimizer = "adam",
                           .test = &data,
                           .schedule = "cosine 12",
                           .n_devices = count - 1}};
    for (uint32_t i = 0; i < count; i++) CHECK(tn_device_open(names[i], &b->device[i]));
    CHECK(tn_state_new(b->device[0], 5, &b->state));
    b->options.devices = b->device + 1;
}

static void clear_up(bed *b)
{
    tn_state_free(b->state);
    for (uint32_t i = 0; i < MOST; i++) tn_device_close(b->device[i]);
}

static void read_state(const bed *b, outcome *o)
{
    CHECK(tn_state_read(b->state, "one.weight", o->one, sizeof o->one));
    CHECK(tn_state_read(b->state, "norm.running_mean", o->mean, sizeof o->mean));
}

static void train_with(const char *const names[], uint32_t count, const uint32_t shares[], const tn_model *m,
                       outcome *o)
{
    bed b;
    tn_training *t = NULL;
    tn_training_share share;
    set_up(&b, names, count);
    b.options.shares = shares;
    CHECK(tn_training_new(b.state, m, &data, &b.options, &t));
    assert_false(tn_training_share_at(t, 0, &share));
    CHECK(tn_training_begin(t));
    for (uint32_t i = 0; i < count; i++) {
        assert_true(tn_training_share_at(t, i, &share));
        assert_string_equal(share.device, tn_device_name(b.device[i]));
        assert_non_null(share.program);
        o->shards[i] = share.shards;
    }
    assert_false(tn_training_share_at(t, count, &share));
    while (!tn_training_where(t).finished) {
        while (tn_training_where(t).step < tn_training_where(t).steps) CHECK(tn_training_step(t));
        CHECK(tn_training_end_epoch(t, &o->last));
    }
    tn_training_free(t);
    read_state(&b, o);
    clear_up(&b);
}

static void train(const char *const names[], uint32_t count, const uint32_t shares[], outcome *o)
{
    train_with(names, count, shares, &model, o);
}

static void assert_same(const outcome *got, const outcome *want)
{
    assert_memory_equal(got->one, want->one, sizeof want->one);
    assert_memory_equal(got->mean, want->mean, sizeof want->mean);
    assert_memory_equal(&got->last.test, &want->last.test, sizeof want->last.test);
    assert_memory_equal(&got->last.train, &want->last.train, sizeof want->last.train);
}

static const char *const alike[MOST] = {"cpu", "cpu", "cpu", "cpu"};

/* By that many devices, once more by them, and by the first alone: each time the tensors are where they belong. */
static void train_again(uint32_t count, outcome *o)
{
    bed b;
    set_up(&b, alike, count);
    for (int i = 0; i < 2; i++) CHECK(tn_fit(b.state, &model, &data, &b.options, &o->last));
    b.options.n_devices = 0;
    CHECK(tn_fit(b.state, &model, &data, &b.options, &o->last));
    read_state(&b, o);
    clear_up(&b);
}

static void a_state_may_be_trained_again_by_more_devices_or_fewer(void **unused)
{
    outcome want, got;
    (void)unused;
    train_again(1, &want);
    train_again(2, &got);
    assert_same(&got, &want);
}

static void devices_of_one_kind_come_to_the_same_bits(void **unused)
{
    static const uint32_t of_two[][2] = {{1, 3}, {0, 4}, {4, 0}}, of_four[] = {1, 0, 1, 2};
    outcome want, got;
    (void)unused;
    train(alike, 1, NULL, &want);
    for (uint32_t count = 2; count <= MOST; count++) {
        train(alike, count, NULL, &got);
        assert_same(&got, &want);
        assert_int_equal(got.shards[0], count == 2 ? 2 : 1);
    }
    for (size_t i = 0; i < 3; i++) {
        train(alike, 2, of_two[i], &got);
        assert_same(&got, &want);
        assert_int_equal(got.shards[0], of_two[i][0]);
        assert_int_equal(got.shards[1], of_two[i][1]);
    }
    train(alike, 4, of_four, &got);
    assert_same(&got, &want);
}

static void samples_that_are_fed_come_to_the_same_bits(void **unused)
{
    tn_model fed = model;
    outcome want, got;
    (void)unused;
    fed.data.where = TN_RESIDENT_HOST;
    train(alike, 1, NULL, &want);
    train_with(alike, 3, NULL, &fed, &got);
    assert_same(&got, &want);
}

/* ---- unlike devices --------------------------------------------------------------------------------------------- */

static const char *const unlike[] = {"cpu", "reference"};

static void unlike_devices_get_shards_by_their_speed(void **unused)
{
    outcome first, again;
    (void)unused;
    train(unlike, 2, NULL, &first);
    assert_int_equal(first.shards[0] + first.shards[1], 4);
    train(unlike, 2, first.shards, &again);
    assert_same(&again, &first);
}

static tn_tensor *plain_net(tn_tensor *x, int training, const void *arg)
{
    (void)arg;
    x = tn_tanh(tn_linear(x, "one", .units = HIDDEN));
    return tn_linear(training ? tn_dropout(x, 0.2) : x, "two", .units = CLASSES);
}

/* 50 steps. The statistics of three samples would make more of the rounding. */
static void unlike_devices_agree_but_for_rounding(void **unused)
{
    static const uint32_t shares[] = {3, 1};
    static const char *const one[] = {"reference"};
    const tn_model plain = {.build = plain_net, .loss = "cross_entropy"};
    (void)unused;
    for (uint32_t count = 1; count <= 2; count++) {
        outcome got[2];
        for (int i = 0; i < 2; i++) {
            bed b;
            set_up(&b, i ? unlike : one, i ? count : 1);
            b.options.epochs = 10;
            b.options.optimizer = "momentum";
            b.options.schedule = NULL;
            b.options.shares = i && count == 2 ? shares : NULL;
            CHECK(tn_fit(b.state, &plain, &data, &b.options, &got[i].last));
            CHECK(tn_state_read(b.state, "one.weight", got[i].one, sizeof got[i].one));
            clear_up(&b);
        }
        assert_near(got[1].last.train.loss, got[0].last.train.loss, 1e-5);
        assert_near(got[1].last.test.loss, got[0].last.test.loss, 1e-5);
        for (int i = 0; i < WEIGHTS; i++) assert_near(got[1].one[i], got[0].one[i], 1e-5);
    }
}

/* ---- stopping and going on -------------------------------------------------------------------------------------- */

enum { STEPS_BEFORE = 7 }; /* in the second epoch of 5 steps */

/* So many steps; then all that is needed to go on. Returns the epochs that are done. */
static int64_t train_for(bed *b, int64_t steps, tn_epoch past[], tn_epoch *begun)
{
    tn_training *t = NULL;
    CHECK(tn_training_new(b->state, &model, &data, &b->options, &t));
    for (int64_t i = 0; i < steps; i++) {
        const tn_training_place at = tn_training_where(t);
        CHECK(tn_training_step(t));
        if (at.step + 1 == at.steps) CHECK(tn_training_end_epoch(t, &past[at.epochs]));
    }
    const int64_t done = tn_training_where(t).epochs;
    CHECK(tn_training_so_far(t, begun));
    tn_training_free(t);
    return done;
}

static void finish(bed *b, const tn_epoch past[], int64_t done, int64_t step, const tn_epoch *begun, outcome *o)
{
    tn_training *t = NULL;
    CHECK(tn_training_new(b->state, &model, &data, &b->options, &t));
    CHECK(tn_training_go_on(t, past, done, step, begun));
    while (!tn_training_where(t).finished) {
        while (tn_training_where(t).step < tn_training_where(t).steps) CHECK(tn_training_step(t));
        CHECK(tn_training_end_epoch(t, &o->last));
    }
    tn_training_free(t);
}

/* Stops in the middle of an epoch, which ends all at once, and goes on in the same state with more or fewer devices. */
static void a_training_goes_on_with_other_devices(void **unused)
{
    outcome want, got;
    (void)unused;
    train(alike, 1, NULL, &want);
    for (uint32_t before = 1; before <= 3; before++) {
        tn_epoch past[MOST], begun;
        bed b;
        set_up(&b, alike, 3);
        b.options.n_devices = before - 1;
        int64_t done = train_for(&b, STEPS_BEFORE, past, &begun);
        assert_int_equal(done, 1);
        b.options.n_devices = 3 - before;
        finish(&b, past, done, STEPS_BEFORE - 5, &begun, &got);
        read_state(&b, &got);
        assert_same(&got, &want);
        clear_up(&b);
    }
}

static double processor_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Whatever was done by then: nothing, or a part of it. */
static void a_training_may_end_at_any_step(void **unused)
{
    const double begin = processor_seconds();
    (void)unused;
    for (int steps = 0; steps < 4; steps++) {
        bed b;
        tn_training *t = NULL;
        set_up(&b, alike, 3);
        CHECK(tn_training_new(b.state, &model, &data, &b.options, &t));
        for (int i = 0; i < steps; i++) CHECK(tn_training_step(t));
        tn_training_free(t);
        clear_up(&b);
    }
    assert_true(processor_seconds() - begin < 20);
}

/* ---- failures --------------------------------------------------------------------------------------------------- */

static int lines;

static void count_line(void *arg, int32_t level, const char *line)
{
    (void)arg;
    lines += level >= TN_LOG_ERROR && *line;
}

/* Trains until it fails; says how. */
static tn_status train_to_the_end(bed *b)
{
    tn_epoch last;
    return tn_fit(b->state, &model, &data, &b->options, &last);
}

/* The device is lost at some read, in the middle of it all. The state's own is well, and has what it had. */
static void a_device_that_is_lost_ends_the_training_by_its_name(void **unused)
{
    static const char *const names[] = {"cpu", "pair:1"};
    (void)unused;
    tn_log_to(count_line, NULL, TN_LOG_ERROR);
    for (int n = 1; n < 200; n += n) {
        char number[16];
        float weight[WEIGHTS];
        bed b;
        snprintf(number, sizeof number, "%d", n);
        setenv("PAIR_LOST", number, 1);
        set_up(&b, names, 2);
        tn_status status = train_to_the_end(&b);
        if (status != TN_EDEVICE) fail_msg("lost at read %d: %s: %s", n, tn_status_name(status), tn_message());
        if (strncmp(tn_message(), "pair:1: it fell off", 19)) fail_msg("lost at read %d: %s", n, tn_message());
        if (tn_state_find(b.state, "one.weight", &(tn_state_entry){0}))
            CHECK(tn_state_read(b.state, "one.weight", weight, sizeof weight));
        clear_up(&b);
    }
    setenv("PAIR_LOST", "0", 1);
    assert_int_equal(lines, 0); /* what fails comes back, and is said by the caller */
    tn_log_to(NULL, NULL, TN_LOG_ERROR);
}

/* The leader is lost, and the others wait for it. */
static void a_lost_leader_ends_the_training_too(void **unused)
{
    static const char *const names[] = {"pair:1", "cpu", "cpu"};
    bed b;
    (void)unused;
    setenv("PAIR_LOST", "9", 1);
    set_up(&b, names, 3);
    assert_int_equal(train_to_the_end(&b), TN_EDEVICE);
    check_message("a lost leader", "pair:1: it fell off");
    clear_up(&b);
    setenv("PAIR_LOST", "0", 1);
}

static void two_devices_of_a_backend_come_to_the_bits_of_one(void **unused)
{
    static const char *const names[] = {"pair:0", "pair:1"};
    outcome want, got;
    (void)unused;
    train(names, 1, NULL, &want);
    train(names, 2, NULL, &got);
    assert_same(&got, &want);
}

/* From some allocation on all fail, in any thread: nothing hangs or crashes, and afterwards all is well. */
static void a_crew_without_memory_ends(void **unused)
{
    outcome want, got;
    (void)unused;
    train(alike, 1, NULL, &want);
    const uint64_t before = tn_allocations();
    train(alike, 3, NULL, &got);
    const int64_t all = (int64_t)(tn_allocations() - before);
    int failed = 0;
    for (int64_t n = 0; n < all; n += 1 + n / 6) {
        bed b;
        set_up(&b, alike, 3);
        tn_alloc_fail_after(n);
        tn_status status = train_to_the_end(&b);
        tn_alloc_fail_after(-1);
        failed += status != TN_OK;
        if (status && status != TN_ENOMEM) fail_msg("allocation %lld: %s", (long long)n, tn_message());
        clear_up(&b);
    }
    assert_true(failed > 20);
    train(alike, 3, NULL, &got);
    assert_same(&got, &want);
}

/* A loss that is no number is no failure of a device. */
static void a_training_that_diverges_says_so(void **unused)
{
    bed b;
    (void)unused;
    set_up(&b, alike, 2);
    b.options.optimizer = "sgd";
    b.options.optim.lr = 1e38;
    b.options.epochs = 100;
    b.options.schedule = NULL;
    assert_int_equal(train_to_the_end(&b), TN_ESTATE);
    check_message("divergence", "diverged");
    clear_up(&b);
}

static void what_cannot_be_is_refused(void **unused)
{
    static const uint32_t none[] = {0, 0};
    tn_training *t = NULL;
    bed b;
    (void)unused;
    set_up(&b, alike, 2);
    b.options.shares = none;
    assert_int_equal(tn_training_new(b.state, &model, &data, &b.options, &t), TN_EINVAL);
    check_message("shares", "shares");
    b.options.shares = NULL;
    b.options.shards = 1;
    assert_int_equal(tn_training_new(b.state, &model, &data, &b.options, &t), TN_EINVAL);
    check_message("shards", "1 shards are too few for 2 workers");
    b.options.shards = 0;
    b.options.devices = b.device + 2; /* NULL */
    assert_int_equal(tn_training_new(b.state, &model, &data, &b.options, &t), TN_EINVAL);
    check_message("a device", "NULL");
    assert_null(t);
    clear_up(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(devices_of_one_kind_come_to_the_same_bits),
        cmocka_unit_test(a_state_may_be_trained_again_by_more_devices_or_fewer),
        cmocka_unit_test(samples_that_are_fed_come_to_the_same_bits),
        cmocka_unit_test(unlike_devices_get_shards_by_their_speed),
        cmocka_unit_test(unlike_devices_agree_but_for_rounding),
        cmocka_unit_test(a_training_goes_on_with_other_devices),
        cmocka_unit_test(a_training_may_end_at_any_step),
        cmocka_unit_test(a_device_that_is_lost_ends_the_training_by_its_name),
        cmocka_unit_test(a_lost_leader_ends_the_training_too),
        cmocka_unit_test(two_devices_of_a_backend_come_to_the_bits_of_one),
        cmocka_unit_test(a_crew_without_memory_ends),
        cmocka_unit_test(a_training_that_diverges_says_so),
        cmocka_unit_test(what_cannot_be_is_refused),
    };
    setenv("TENON_BACKEND_PATH", TEST_PAIR, 1);
    make_data();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
