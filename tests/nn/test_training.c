/* Training a model on a data set: against a plain loop in double precision, in batches that do and don't divide the
 * data; measuring, using and stopping. */
#include "line.h"

#include <stdlib.h>

static const char *const devices[] = {"reference", "cpu", "opencl:0"};

/* Epochs of one call by hand, after `done` steps: mean gradients of half squared errors. */
static void fit_by_hand(int64_t done, int64_t epochs, int64_t batch, double lr, double *w, double *b, double *loss)
{
    int32_t order[N] = {0, 1, 2, 3, 4, 5, 6};
    for (int64_t epoch = 1; epoch <= epochs; epoch++) {
        if (batch < N) tn_shuffle(order, N, 5, (uint64_t)(done + epoch));
        *loss = 0;
        for (int64_t start = 0; start < N; start += batch) {
            double dw = 0, db = 0;
            int64_t size = N - start < batch ? N - start : batch;
            for (int64_t i = start; i < start + size; i++) {
                double error = *w * points[order[i]] + *b - heights[order[i]];
                dw += error * points[order[i]] / (double)size;
                db += error / (double)size;
                *loss += error * error / 2 / N;
            }
            *w -= lr * dw;
            *b -= lr * db;
        }
    }
}

static void training_is_what_a_plain_loop_does(void **state)
{
    (void)state;
    const int64_t batches[] = {1, 2, 3, 6, 7, 100, 0};
    for (size_t d = 0; d < sizeof devices / sizeof *devices; d++)
        for (size_t i = 0; i < sizeof batches / sizeof *batches; i++) {
            bench b;
            tn_epoch last;
            float w, c;
            double want_w = 0, want_c = 0, want_loss;
            if (!open_bench(&b, devices[d])) continue;
            tn_fit_options options = {.epochs = 4, .batch = batches[i], .optim = {.lr = 0.3}};
            CHECK(tn_fit(b.state, &line_model, &line_data, &options, &last));
            fit_by_hand(0, 4, batches[i] && batches[i] < N ? batches[i] : N, 0.3, &want_w, &want_c, &want_loss);
            CHECK(tn_state_read(b.state, "line.weight", &w, sizeof w));
            CHECK(tn_state_read(b.state, "line.bias", &c, sizeof c));
            check_near("weight", w, want_w, 1e-5);
            check_near("bias", c, want_c, 1e-5);
            check_near("loss", last.train.loss, want_loss, 1e-5);
            assert_int_equal(last.number, 4);
            assert_true(isnan(last.train.accuracy) && isnan(last.test.loss));
            close_bench(&b);
        }
}

/* The second call takes the samples in other orders than the first. */
static void two_calls_are_what_two_plain_loops_do(void **state)
{
    (void)state;
    bench b;
    float w;
    double want_w = 0, want_c = 0, want_loss, once_more_w, once_more_c;
    tn_fit_options options = {.epochs = 1, .batch = 2, .optim = {.lr = 0.5}};
    if (!open_bench(&b, "reference")) fail();
    for (int call = 0; call < 2; call++) {
        CHECK(tn_fit(b.state, &line_model, &line_data, &options, NULL));
        once_more_w = want_w, once_more_c = want_c;
        fit_by_hand(call * 4, 1, 2, 0.5, &want_w, &want_c, &want_loss);
    }
    CHECK(tn_state_read(b.state, "line.weight", &w, sizeof w));
    check_near("weight", w, want_w, 1e-5);
    fit_by_hand(0, 1, 2, 0.5, &once_more_w, &once_more_c, &want_loss);
    assert_true(fabs(once_more_w - want_w) > 1e-3); /* the orders do differ */
    close_bench(&b);
}

/* ---- in f64 ---- */

static tn_status fill_point(void *arg, int64_t index, void *x, void *target, tn_msg *msg)
{
    (void)arg, (void)msg;
    memcpy(x, &points[index], sizeof *points);
    if (target) memcpy(target, &heights[index], sizeof *heights);
    return TN_OK;
}

/* In memory, fed from there, by a loader; whole and in shards: all digits of a plain loop's. */
static void check_f64(const char *device, uint32_t where, int loaded, uint32_t shards)
{
    bench b;
    tn_epoch last;
    tn_score score;
    double w = NAN, c = NAN, want_w = 0, want_c = 0, want_loss;
    float y[N];
    tn_dataset data = line_data;
    const tn_model model = {.build = line, .loss = "half_mse", .compile = {.f64 = 1}, .data = {.where = where}};
    const tn_fit_options options = {
        .epochs = 40, .batch = 2, .optim = {.lr = 0.3}, .shards = shards, .step_loss = 1, .test = &line_data};
    if (!open_bench(&b, device)) return;
    if (loaded) {
        data.x = NULL, data.target = NULL;
        CHECK(tn_loader_new(&(tn_source){.fill = fill_point}, &data.loader));
    }
    CHECK(tn_fit(b.state, &model, &data, &options, &last));
    fit_by_hand(0, 40, 2, 0.3, &want_w, &want_c, &want_loss);
    CHECK(tn_state_read(b.state, "line.weight", &w, sizeof w));
    CHECK(tn_state_read(b.state, "line.bias", &c, sizeof c));
    check_near("weight", w, want_w, 1e-12);
    check_near("bias", c, want_c, 1e-12);
    check_near("loss", last.train.loss, want_loss, 1e-12);
    CHECK(tn_evaluate(b.state, &model, &data, &score));
    check_near("measured loss", score.loss, last.test.loss, 1e-12);
    CHECK(tn_predict(b.state, &model, &data, y, sizeof y));
    for (int i = 0; i < N; i++) check_near("prediction", y[i], w * points[i] + c, 1e-7);
    tn_loader_free(data.loader);
    close_bench(&b);
}

static void training_in_f64_has_all_digits_of_a_plain_loop(void **state)
{
    (void)state;
    for (size_t d = 0; d < 2; d++)
        for (int loaded = 0; loaded < 2; loaded++)
            for (uint32_t shards = 0; shards < 3; shards += 2)
                for (uint32_t where = TN_RESIDENT_DEVICE; where <= TN_RESIDENT_HOST; where++)
                    check_f64(devices[d], where, loaded, shards);
}

/* ---- many pictures of two bytes ---- */

enum { MANY = 2307 };

static tn_dataset pictures(void)
{
    tn_dataset data = {.count = MANY, .sample = TN_SHAPE(1, 1, 2), .x_dtype = TN_U8, .classes = 2};
    data.x = malloc(2 * MANY);
    data.label = malloc(MANY * sizeof *data.label);
    for (int i = 0; i < MANY; i++) {
        ((uint8_t *)data.x)[2 * i] = (uint8_t)(i * 7 % 256);
        ((uint8_t *)data.x)[2 * i + 1] = (uint8_t)(i * 31 % 256);
        data.label[i] = i % 3 == 0;
    }
    return data;
}

/* The pixels themselves are the logits. */
static tn_tensor *pixels(tn_tensor *x, int training, const void *arg)
{
    tn_graph *graph = tn_graph_of(x);
    tn_tensor *scale = tn_param(graph, "scale", TN_SCALAR, (tn_init){TN_INIT_CONSTANT, .a = *(const double *)arg});
    (void)training;
    return tn_mul(tn_flatten(x), scale);
}

static void measuring_takes_every_sample_once(void **state)
{
    (void)state;
    const double scale = 2;
    const tn_model model = {.build = pixels, .loss = "cross_entropy", .arg = &scale};
    tn_dataset data = pictures();
    const uint8_t *x = data.x;
    float *out = malloc(2 * MANY * sizeof *out);
    double loss = 0, right = 0;
    for (int i = 0; i < MANY; i++) {
        double gap = scale * (x[2 * i + !data.label[i]] - x[2 * i + data.label[i]]) / 255;
        loss += log1p(exp(gap)) / MANY;
        right += (x[2 * i + 1] > x[2 * i]) == data.label[i];
    }
    for (size_t d = 0; d < sizeof devices / sizeof *devices; d++) {
        bench b;
        tn_score score;
        if (!open_bench(&b, devices[d])) continue;
        CHECK(tn_evaluate(b.state, &model, &data, &score));
        check_near("loss", score.loss, loss, 1e-5);
        check_near("accuracy", score.accuracy, right / MANY, 1e-9);
        CHECK(tn_predict(b.state, &model, &data, out, 2 * MANY * sizeof *out));
        for (int i = 0; i < 2 * MANY; i++) check_near("output", out[i], scale * x[i] / 255, 1e-6);
        close_bench(&b);
    }
    free(out);
    tn_dataset_free(&data);
}

/* ---- when it ends ---- */

static int stop_at_three(void *arg, const tn_epoch *epoch)
{
    *(int *)arg += 1;
    return epoch->number == 3;
}

static void training_ends_when_it_should(void **state)
{
    (void)state;
    bench b;
    tn_epoch last;
    int calls = 0;
    assert_true(open_bench(&b, "cpu"));
    tn_fit_options options = {.epochs = 9, .optim = {.lr = 0.1}, .each = stop_at_three, .arg = &calls};
    CHECK(tn_fit(b.state, &line_model, &line_data, &options, &last));
    assert_int_equal(last.number, 3);
    assert_int_equal(calls, 3);
    /* Full-batch descent falls for ever, but soon by less than a tenth; the schedule then stops it altogether. */
    options = (tn_fit_options){.epochs = 500, .optim = {.lr = 0.1}, .patience = 2, .least_fall = 0.1};
    CHECK(tn_fit(b.state, &line_model, &line_data, &options, &last));
    assert_in_range(last.number, 3, 100);
    options = (tn_fit_options){
        .epochs = 500, .optim = {.lr = 0.1}, .patience = 4, .schedule = "step 10 1e-30", .test = &line_data};
    CHECK(tn_fit(b.state, &line_model, &line_data, &options, &last));
    assert_int_equal(last.number, 14);
    check_near("test loss", last.test.loss, last.train.loss, 1e-6);
    close_bench(&b);
}

static void a_schedule_moves_the_rate_of_an_optimizer_with_a_name(void **state)
{
    (void)state;
    tn_epoch last[2];
    for (int named = 0; named < 2; named++) {
        bench b;
        assert_true(open_bench(&b, "reference"));
        tn_fit_options options = {.epochs = 4,
                                  .batch = 3,
                                  .optim = {.lr = 0.3, .name = named ? "main" : NULL},
                                  .schedule = "exponential 0.9"};
        CHECK(tn_fit(b.state, &line_model, &line_data, &options, &last[named]));
        close_bench(&b);
    }
    assert_true(last[0].train.loss == last[1].train.loss);
}

/* ---- step by step ---- */

static void a_training_that_goes_on_comes_to_the_same(void **state)
{
    (void)state;
    tn_epoch epochs[4], begun, end;
    tn_fit_options options = {
        .epochs = 4, .batch = 3, .optim = {.lr = 0.3}, .schedule = "exponential 0.9", .test = &line_data};
    for (int64_t done = 0; done < 4; done++)
        for (int64_t step = 0; step < 3; step++) {
            bench b;
            tn_training *first = NULL, *second = NULL;
            assert_true(open_bench(&b, "cpu"));
            CHECK(tn_training_new(b.state, &line_model, &line_data, &options, &first));
            for (int64_t i = 0; i < done * 3 + step; i++) {
                CHECK(tn_training_step(first));
                if (tn_training_where(first).step == 3) CHECK(tn_training_end_epoch(first, &epochs[i / 3]));
            }
            CHECK(tn_training_so_far(first, &begun));
            tn_training_free(first);
            CHECK(tn_training_new(b.state, &line_model, &line_data, &options, &second));
            CHECK(tn_training_go_on(second, epochs, done, step, step ? &begun : NULL));
            while (!tn_training_where(second).finished) {
                while (tn_training_where(second).step < 3) CHECK(tn_training_step(second));
                CHECK(tn_training_end_epoch(second, &end));
            }
            tn_training_free(second);
            close_bench(&b);
            tn_epoch whole;
            assert_true(open_bench(&b, "cpu"));
            CHECK(tn_fit(b.state, &line_model, &line_data, &options, &whole));
            close_bench(&b);
            assert_int_equal(end.number, 4);
            assert_true(end.train.loss == whole.train.loss && end.test.loss == whole.test.loss);
        }
}

/* Epochs as they might have come out: what counts is validation, whatever else falls. */
static void a_loss_that_is_no_number_is_never_the_lowest(void **state)
{
    static const struct {
        double validation[4];
        int64_t best, stalled;
    } cases[] = {{{2, 1, NAN, NAN}, 2, 2},
                 {{NAN, NAN, 2, NAN}, 3, 1},
                 {{NAN, NAN, NAN, NAN}, 0, 4},
                 {{INFINITY, 3, 3, 2}, 4, 0},
                 {{5, NAN, 5, 6}, 1, 3}};
    (void)state;
    const tn_fit_options options = {.epochs = 9, .patience = 3, .validation = &line_data, .test = &line_data};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bench b;
        tn_training *t = NULL;
        tn_epoch past[4] = {{0}};
        for (int k = 0; k < 4; k++)
            past[k] = (tn_epoch){
                .number = k + 1, .train = {-k, 0}, .test = {-k, 0}, .validation = {cases[i].validation[k], 0}};
        assert_true(open_bench(&b, "reference"));
        CHECK(tn_training_new(b.state, &line_model, &line_data, &options, &t));
        CHECK(tn_training_go_on(t, past, 4, 0, NULL));
        tn_training_place at = tn_training_where(t);
        assert_int_equal(at.epochs, 4);
        assert_int_equal(at.best, cases[i].best);
        assert_int_equal(at.stalled, cases[i].stalled);
        assert_int_equal(at.finished, cases[i].stalled >= 3);
        tn_training_free(t);
        close_bench(&b);
    }
}

/* Its own loss is that of the weights before the step; and measuring in between changes nothing. */
static void a_glance_sees_what_a_step_left(void **state)
{
    (void)state;
    const tn_dataset *const sets[2][2] = {{&line_data, NULL}, {NULL, &line_data}};
    for (int i = 0; i < 2; i++)
        for (int wild = 0; wild < 2; wild++) {
            const tn_fit_options options = {.epochs = 1,
                                            .batch = 4,
                                            .optim = {.lr = wild ? 1e30 : 1e-3},
                                            .validation = sets[i][0],
                                            .test = sets[i][1]};
            bench b;
            tn_training *t = NULL;
            tn_epoch begun, again;
            assert_true(open_bench(&b, "cpu"));
            CHECK(tn_training_new(b.state, &line_model, &line_data, &options, &t));
            CHECK(tn_training_step(t));
            CHECK(tn_training_glance(t, &begun));
            assert_true(isfinite(begun.train.loss));
            assert_int_equal(isfinite(sets[i][0] ? begun.validation.loss : begun.test.loss), !wild);
            assert_true(isnan(sets[i][0] ? begun.test.loss : begun.validation.loss));
            CHECK(tn_training_so_far(t, &again));
            assert_true(again.train.loss == begun.train.loss);
            tn_training_free(t);
            close_bench(&b);
        }
}

static void steps_and_epochs_come_in_their_order(void **state)
{
    (void)state;
    bench b;
    tn_training *t = NULL;
    tn_epoch epoch;
    double loss = -1;
    const tn_fit_options options = {.epochs = 1, .batch = 4, .step_loss = 1};
    assert_true(open_bench(&b, "cpu"));
    CHECK(tn_training_new(b.state, &line_model, &line_data, &options, &t));
    assert_int_equal(tn_training_where(t).steps, 2);
    CHECK(tn_training_step(t));
    CHECK(tn_training_step_loss(t, &loss));
    CHECK(tn_training_so_far(t, &epoch));
    check_near("the first step's loss", loss, epoch.train.loss, 1e-6);
    assert_int_equal(tn_training_where(t).samples, 4);
    assert_int_equal(tn_training_end_epoch(t, &epoch), TN_EINVAL);
    check_message("too early", "not at its end");
    assert_int_equal(tn_training_go_on(t, NULL, 0, 1, &epoch), TN_EINVAL);
    CHECK(tn_training_step(t));
    assert_int_equal(tn_training_where(t).samples, N);
    assert_int_equal(tn_training_step(t), TN_EINVAL);
    check_message("too late", "at its end");
    CHECK(tn_training_end_epoch(t, &epoch));
    assert_true(tn_training_where(t).finished);
    tn_training_free(t);
    close_bench(&b);
}

/* ---- when it diverges ---- */

/* The loss is infinite from the second step on. Looking costs a step neither a wait nor an allocation. */
static void a_training_that_diverges_ends_within_100_steps(void **state)
{
    (void)state;
    enum { LONG = 4000 };
    float *x = malloc(LONG * sizeof *x);
    for (int i = 0; i < LONG; i++) x[i] = (float)(i % 9) - 4;
    const tn_dataset data = {.count = LONG, .sample = {1, {1}}, .x_dtype = TN_F32, .x = x, .target = x, .targets = 1};
    for (size_t d = 0; d < sizeof devices / sizeof *devices; d++)
        for (int wild = 0; wild < 2; wild++) {
            const tn_fit_options options = {.epochs = 2, .batch = 1, .optim = {.lr = wild ? 1e30 : 1e-3}};
            bench b;
            tn_training *t = NULL;
            tn_epoch epoch;
            tn_status s = TN_OK;
            uint64_t allocated = 0;
            if (!open_bench(&b, devices[d])) continue;
            CHECK(tn_training_new(b.state, &line_model, &data, &options, &t));
            for (int i = 0; !s && i < 300; i++) {
                if (i == 10) allocated = tn_allocations();
                s = tn_training_step(t);
            }
            tn_program_report report;
            tn_program_get_report(tn_training_program(t), &report);
            tn_training_place at = tn_training_where(t);
            assert_int_equal(report.run_host_waits, 0);
            assert_int_equal(at.diverged, wild);
            if (!wild) assert_int_equal(tn_allocations() - allocated, 0);
            if (wild) {
                assert_int_equal(s, TN_ESTATE);
                check_message(devices[d], "diverged");
                assert_in_range(at.step, 2, 100);
                assert_int_equal(tn_training_step(t), TN_ESTATE);
                CHECK(tn_training_so_far(t, &epoch));
                assert_false(isfinite(epoch.train.loss));
                assert_int_equal(tn_state_save(b.state, "never.safetensors", NULL, 0), TN_ESTATE);
            } else {
                CHECK(s);
            }
            tn_training_free(t);
            if (wild) assert_int_equal(tn_fit(b.state, &line_model, &line_data, &options, NULL), TN_ESTATE);
            close_bench(&b);
        }
    free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(training_is_what_a_plain_loop_does),
        cmocka_unit_test(two_calls_are_what_two_plain_loops_do),
        cmocka_unit_test(training_in_f64_has_all_digits_of_a_plain_loop),
        cmocka_unit_test(measuring_takes_every_sample_once),
        cmocka_unit_test(training_ends_when_it_should),
        cmocka_unit_test(a_schedule_moves_the_rate_of_an_optimizer_with_a_name),
        cmocka_unit_test(a_training_that_goes_on_comes_to_the_same),
        cmocka_unit_test(a_loss_that_is_no_number_is_never_the_lowest),
        cmocka_unit_test(a_glance_sees_what_a_step_left),
        cmocka_unit_test(steps_and_epochs_come_in_their_order),
        cmocka_unit_test(a_training_that_diverges_ends_within_100_steps),
    };
    return cmocka_run_group_tests_name("training", tests, NULL, NULL);
}
