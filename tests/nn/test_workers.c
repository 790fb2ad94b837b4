/* Workers of one training, as threads of one process: what they come to, and what becomes of those that don't fit
 * together, or diverge. */
#include "check.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 4, COUNT = 50, FEATURES = 5, CLASSES = 3, WEIGHTS = FEATURES * CLASSES };
static float samples[COUNT * FEATURES];
static int32_t labels[COUNT];
static const tn_dataset data = {
    .count = COUNT, .sample = {1, {FEATURES}}, .x_dtype = TN_F32, .x = samples, .label = labels, .classes = CLASSES};

static void make_data(void)
{
    for (int i = 0; i < COUNT * FEATURES; i++) samples[i] = (float)((i * 37 + 11) % 64 - 32) / 16;
    for (int i = 0; i < COUNT; i++) labels[i] = (int32_t)(fabs((double)samples[i * FEATURES]) + i) % CLASSES;
}

static tn_tensor *net(tn_tensor *x, int training, const void *arg)
{
    (void)training, (void)arg;
    return tn_linear(x, "one", .units = CLASSES, .no_bias = 1);
}

/* A worker: what it is given, and what it comes to. */
typedef struct worker {
    tn_team_options place;
    tn_model model;
    tn_fit_options options;
    int64_t look_at; /* the step before which it looks at the loss; 0: it doesn't */
    int64_t ask_at;  /* the step before which it asks all to stop, which it does when all are to; 0: it doesn't */
    pthread_t thread;
    tn_status status, team_status;
    char message[512];
    tn_training_place at;
    tn_feeding feeding;
    double weights[WEIGHTS];
} worker;

static tn_status take_steps(worker *w, tn_training *t)
{
    tn_epoch epoch;
    tn_status s = TN_OK;
    for (tn_training_place at = tn_training_where(t); !s && !at.finished && !at.asked; at = tn_training_where(t)) {
        if (w->ask_at && w->ask_at == at.step) tn_training_ask(t);
        if (w->look_at && w->look_at == at.step) s = tn_training_so_far(t, &epoch);
        if (!s) s = at.step < at.steps ? tn_training_step(t) : tn_training_end_epoch(t, &epoch);
    }
    return s;
}

static tn_status train(worker *w, tn_state *state)
{
    tn_training *t = NULL;
    float narrow[WEIGHTS];
    const int wide = w->model.compile.f64 != 0;
    tn_status s = tn_training_new(state, &w->model, &data, &w->options, &t);
    if (!s) s = take_steps(w, t);
    w->at = tn_training_where(t);
    tn_training_get_feeding(t, &w->feeding);
    if (!s)
        s = tn_state_read(state, "one.weight", wide ? (void *)w->weights : narrow, wide ? WEIGHTS * 8 : WEIGHTS * 4);
    for (int i = 0; i < WEIGHTS && !wide; i++) w->weights[i] = narrow[i];
    tn_training_free(t);
    return s;
}

static void *work(void *arg)
{
    worker *w = arg;
    tn_device *device = NULL;
    tn_state *state = NULL;
    tn_status s = tn_team_open(&w->place, &w->options.team);
    if (!s) s = tn_device_open("cpu", &device);
    if (!s) s = tn_state_new(device, 5, &state);
    if (!s) s = train(w, state);
    snprintf(w->message, sizeof w->message, "%s", s ? tn_message() : "");
    w->status = s;
    if (w->options.team) w->team_status = tn_team_check(w->options.team);
    tn_state_free(state);
    tn_device_close(device);
    tn_team_close(w->options.team);
    return NULL;
}

static const tn_fit_options usual = {.epochs = 2, .batch = 12, .shards = 4, .optimizer = "momentum"};

/* All alike; a test changes some of them before they run. */
static void make_workers(worker all[], uint32_t count)
{
    static uint64_t group = 1;
    group++;
    for (uint32_t r = 0; r < count; r++)
        all[r] = (worker){.place = {"local", group, count, r, 20, 20},
                          .model = {.build = net, .loss = "cross_entropy"},
                          .options = usual};
}

static void run_workers(worker all[], uint32_t count)
{
    for (uint32_t r = 0; r < count; r++) assert_int_equal(pthread_create(&all[r].thread, NULL, work, &all[r]), 0);
    for (uint32_t r = 0; r < count; r++) pthread_join(all[r].thread, NULL);
}

/* ---- what they come to ---- */

static void any_number_of_workers_comes_to_the_same_bits(void **unused)
{
    static const tn_compile_options types[] = {{0}, {.f64 = 1}};
    worker all[MOST], alone[1];
    (void)unused;
    for (size_t k = 0; k < 2; k++)
        for (uint32_t count = 1; count <= MOST; count++) {
            make_workers(all, count);
            for (uint32_t r = 0; r < count; r++) {
                all[r].model.compile = types[k];
                all[r].options.bucket = (uint64_t)(count - 1) * 24; /* 512 KiB; then few elements, of either size */
            }
            run_workers(all, count);
            if (count == 1) *alone = all[0];
            for (uint32_t r = 0; r < count; r++) {
                if (all[r].status) fail_msg("rank %u of %u: %s", r, count, all[r].message);
                assert_memory_equal(all[r].weights, alone->weights, sizeof alone->weights);
            }
        }
}

/* Sums of shards that are denormal, which devices make as the host does. A rate of 1e36 makes them show. */
static void gradients_of_hardly_anything_come_to_the_same_bits(void **unused)
{
    worker all[MOST], alone[1];
    (void)unused;
    for (int i = 0; i < COUNT * FEATURES; i++) samples[i] *= 1e-36f;
    for (uint32_t count = 1; count <= MOST; count++) {
        make_workers(all, count);
        for (uint32_t r = 0; r < count; r++) all[r].options.optim.lr = 1e36;
        run_workers(all, count);
        if (count == 1) *alone = all[0];
        for (uint32_t r = 0; r < count; r++) {
            if (all[r].status) fail_msg("rank %u of %u: %s", r, count, all[r].message);
            assert_memory_equal(all[r].weights, alone->weights, sizeof alone->weights);
        }
    }
    make_data();
}

/* In f64 far below what f32 can tell apart, shards differ from the whole batch by rounding alone. */
static void shards_in_f64_are_added_in_f64(void **unused)
{
    worker all[2];
    (void)unused;
    make_workers(all, 2);
    for (int i = 0; i < 2; i++) all[i].place.ranks = 1, all[i].place.rank = 0, all[i].model.compile.f64 = 1;
    all[1].options.shards = 1;
    for (int i = 0; i < 2; i++) run_workers(&all[i], 1);
    for (int i = 0; i < WEIGHTS; i++) check_near("a weight", all[0].weights[i], all[1].weights[i], 1e-12);
}

/* Each reads its own shards ahead, of whole batches and of the last one, which is smaller. */
static void fed_workers_come_to_the_same_and_read_on(void **unused)
{
    static const uint32_t shares[][MOST] = {{1, 1, 1, 1}, {5, 3, 2, 2}, {1, 11}, {0, 9, 3}, {7, 0, 1, 4}};
    worker all[MOST], alone[1];
    (void)unused;
    make_workers(alone, 1);
    alone->options.shards = 12;
    run_workers(alone, 1);
    for (size_t i = 0; i < MOST * sizeof shares / sizeof *shares; i++) {
        const uint32_t count = 1 + (uint32_t)i % MOST, *share = shares[i / MOST];
        if (!share[count - 1] && !share[0]) continue;
        make_workers(all, count);
        for (uint32_t r = 0; r < count; r++) {
            all[r].model.data.where = TN_RESIDENT_HOST;
            all[r].options.shards = 12;
            all[r].options.shares = share;
        }
        run_workers(all, count);
        for (uint32_t r = 0; r < count; r++) {
            if (all[r].status) fail_msg("case %d, rank %u of %u: %s", (int)i, r, count, all[r].message);
            assert_memory_equal(all[r].weights, alone->weights, sizeof alone->weights);
            assert_int_equal(all[r].feeding.fed, 1);
            assert_int_equal(all[r].feeding.begun, share[r] || count == 1 ? all[r].options.epochs : 0);
        }
    }
}

/* ---- what ends them ---- */

/* Whoever it is: one that has no shards is heard, too. */
static void one_may_ask_all_to_stop(void **unused)
{
    static const uint32_t shares[] = {0, 3, 1};
    worker all[3];
    (void)unused;
    for (uint32_t who = 0; who < 3; who++) {
        make_workers(all, 3);
        for (uint32_t r = 0; r < 3; r++) {
            all[r].place.silence = 4;
            all[r].options.epochs = 20000;
            all[r].options.shares = shares;
            all[r].ask_at = r == who ? 3 : 0;
        }
        run_workers(all, 3);
        for (uint32_t r = 0; r < 3; r++) {
            if (all[r].status) fail_msg("rank %u: %s", r, all[r].message);
            assert_int_equal(all[r].at.asked, 1);
            assert_int_equal(all[r].at.epochs, all[0].at.epochs);
            assert_int_equal(all[r].at.step, all[0].at.step);
        }
    }
}

/* Who looks at the loss, and when, makes no difference; and it is no failure of one of them. */
static void all_see_at_the_same_step_that_the_training_diverged(void **unused)
{
    worker all[MOST];
    (void)unused;
    for (uint32_t count = 2; count <= MOST; count++) {
        make_workers(all, count);
        for (uint32_t r = 0; r < count; r++) {
            all[r].options.epochs = 100;
            all[r].options.optim.lr = 3e38;
            all[r].look_at = r == count - 1 ? 4 : 0;
        }
        run_workers(all, count);
        for (uint32_t r = 0; r < count; r++) {
            assert_int_equal(all[r].status, TN_ESTATE);
            assert_int_equal(all[r].team_status, TN_OK);
            if (!strstr(all[r].message, "fit: the loss is not finite")) fail_msg("rank %u: %s", r, all[r].message);
            assert_int_equal(all[r].at.diverged, 1);
            assert_int_equal(all[r].at.epochs, all[0].at.epochs);
            assert_int_equal(all[r].at.step, all[0].at.step);
        }
    }
}

/* A message that can't be sent, at some step: all workers fail with the same line, and nothing is left in memory. */
static void a_failure_at_any_step_ends_all_and_leaves_nothing(void **unused)
{
    static const int calls[] = {40, 100, 150, 200, 203, 250};
    char plan[64];
    worker all[3];
    (void)unused;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        snprintf(plan, sizeof plan, "post 1 %d 1", calls[i]);
        assert_int_equal(setenv("FLAKY", plan, 1), 0);
        make_workers(all, 3);
        for (uint32_t r = 0; r < 3; r++) {
            all[r].place.communicator = TEST_FLAKY;
            all[r].options.epochs = 1000;
            all[r].options.bucket = i % 2 ? 16 : 0;
        }
        run_workers(all, 3);
        for (uint32_t r = 0; r < 3; r++)
            if (all[r].status != TN_EDEVICE || !strstr(all[r].message, "rank 1: communicator flaky: the cable was cut"))
                fail_msg("%s: rank %u: '%s'", plan, r, all[r].message);
    }
}

static const float weights[CLASSES] = {1, 2, 1};

/* What the last of them has otherwise, and what the line that refuses it calls that. */
#define USUAL .batch = 12, .shards = 4
static const struct {
    const char *name, *loss;
    tn_fit_options options;
    int32_t storage;
    uint32_t precision;
} others[] = {
    {"what values are stored in", "cross_entropy", {USUAL, .epochs = 2, .optimizer = "momentum"}, TN_BF16},
    {"what values are stored in",
     "cross_entropy",
     {USUAL, .epochs = 2, .optimizer = "momentum"},
     .precision = TN_PRECISION_BF16},
    {"the loss", "multi_margin", {USUAL, .epochs = 2, .optimizer = "momentum"}},
    {"the loss", "cross_entropy", {USUAL, .epochs = 2, .optimizer = "momentum", .smoothing = 0.1}},
    {"the loss", "cross_entropy", {USUAL, .epochs = 2, .optimizer = "momentum", .class_weights = weights}},
    {"the batch", "cross_entropy", {.batch = 24, .shards = 4, .epochs = 2, .optimizer = "momentum"}},
    {"the batch", "cross_entropy", {.batch = 12, .shards = 6, .epochs = 2, .optimizer = "momentum"}},
    {"the batch", "cross_entropy", {USUAL, .epochs = 2, .optimizer = "momentum", .bucket = 1000}},
    {"the optimizer", "cross_entropy", {USUAL, .epochs = 2, .optimizer = "nesterov"}},
    {"the optimizer's options", "cross_entropy", {USUAL, .epochs = 2, .optimizer = "momentum", .optim.lr = 0.2}},
    {"the optimizer's options", "cross_entropy", {USUAL, .epochs = 2, .optimizer = "momentum", .optim.clip_value = 1}},
    {"the parameters' treatment",
     "cross_entropy",
     {USUAL, .epochs = 2, .optimizer = "momentum", .optim.rates = "one* 0.5"}},
    {"the parameters' treatment",
     "cross_entropy",
     {USUAL, .epochs = 2, .optimizer = "momentum", .optim.decays = "one* 0.5"}},
    {"the schedule", "cross_entropy", {USUAL, .epochs = 3, .optimizer = "momentum"}},
    {"the schedule", "cross_entropy", {USUAL, .epochs = 2, .optimizer = "momentum", .schedule = "cosine 10"}},
    {"the schedule", "cross_entropy", {USUAL, .epochs = 2, .optimizer = "momentum", .patience = 1}},
    {"the schedule", "cross_entropy", {USUAL, .epochs = 2, .optimizer = "momentum", .least_fall = 0.1}},
    {"the samples for validation and test",
     "cross_entropy",
     {USUAL, .epochs = 2, .optimizer = "momentum", .test = &data}},
    {"the samples for validation and test",
     "cross_entropy",
     {USUAL, .epochs = 2, .optimizer = "momentum", .validation = &data}},
};

static void a_worker_that_trains_otherwise_is_refused_by_name(void **unused)
{
    char want[96];
    worker all[3];
    (void)unused;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        make_workers(all, 3);
        all[2].model.loss = others[i].loss;
        all[2].options = others[i].options;
        all[2].model.compile.storage = others[i].storage;
        all[2].model.compile.precision = others[i].precision;
        run_workers(all, 3);
        snprintf(want, sizeof want, "the workers do not fit together: %s: '", others[i].name);
        for (uint32_t r = 0; r < 3; r++) {
            if (all[r].status != TN_EINVAL || !strstr(all[r].message, want) || !strstr(all[r].message, "' on rank 2") ||
                strstr(all[r].message, "clip_v'"))
                fail_msg("case %d: rank %u: '%s' is not '%s'", (int)i, r, all[r].message, want);
            assert_int_equal(all[r].team_status, TN_OK);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_number_of_workers_comes_to_the_same_bits),
        cmocka_unit_test(gradients_of_hardly_anything_come_to_the_same_bits),
        cmocka_unit_test(shards_in_f64_are_added_in_f64),
        cmocka_unit_test(fed_workers_come_to_the_same_and_read_on),
        cmocka_unit_test(one_may_ask_all_to_stop),
        cmocka_unit_test(all_see_at_the_same_step_that_the_training_diverged),
        cmocka_unit_test(a_failure_at_any_step_ends_all_and_leaves_nothing),
        cmocka_unit_test(a_worker_that_trains_otherwise_is_refused_by_name),
    };
    make_data();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
