/* Losses of the caller's own in tn_fit: what a named one does, they do to the bit; two inputs and two heads that have
 * nothing in common learn what two networks learn; and what does not go together is said. */
#include "check.h"

#include <stdlib.h>

enum { N = 24, INPUTS = 5, FIRST = 3 };

static float x[N][INPUTS], target[N][2], first_x[N][FIRST], second_x[N][INPUTS - FIRST], part_target[2][N];

static void draw(void)
{
    uint32_t state = 7;
    for (int i = 0; i < N; i++) {
        for (int k = 0; k < INPUTS; k++) {
            state = state * 1664525u + 1013904223u;
            x[i][k] = (float)(state >> 8) / 8388608.0f - 1;
            *(k < FIRST ? &first_x[i][k] : &second_x[i][k - FIRST]) = x[i][k];
        }
        part_target[0][i] = target[i][0] = x[i][0] - 2 * x[i][1] * x[i][2];
        part_target[1][i] = target[i][1] = x[i][3] * x[i][4] > 0;
    }
}

static tn_dataset data_of(float *samples, int64_t width, float *targets, int64_t count)
{
    return (tn_dataset){
        .count = N, .sample = {1, {width}}, .x_dtype = TN_F32, .x = samples, .target = targets, .targets = count};
}

static tn_tensor *head(tn_tensor *in, const char *name)
{
    char fc[2][16];
    snprintf(fc[0], 16, "%s1", name);
    snprintf(fc[1], 16, "%s2", name);
    return tn_linear(tn_tanh(tn_linear(in, fc[0], .units = 6)), fc[1], .units = 1);
}

static tn_tensor *both(tn_tensor *in, int training, const void *arg)
{
    (void)training, (void)arg;
    tn_tensor *a = head(tn_slice(in, 1, 0, FIRST, 1), "a"), *b = head(tn_slice(in, 1, FIRST, INPUTS - FIRST, 1), "b");
    return tn_concat((tn_tensor *[]){a, b}, 2, 1);
}

static tn_tensor *one(tn_tensor *in, int training, const void *name)
{
    (void)training;
    return head(in, name);
}

static tn_tensor *two_losses(tn_tensor *y, tn_tensor *t, int training, const void *arg)
{
    (void)training, (void)arg;
    tn_tensor *a = tn_mean_squared_error(tn_slice(y, 1, 0, 1, 1), tn_slice(t, 1, 0, 1, 1));
    return tn_add(a, tn_binary_cross_entropy(tn_slice(y, 1, 1, 1, 1), tn_slice(t, 1, 1, 1, 1)));
}

static tn_tensor *the_named_one(tn_tensor *y, tn_tensor *t, int training, const void *arg)
{
    (void)training, (void)arg;
    return tn_loss("mse", y, t);
}

static tn_tensor *no_scalar(tn_tensor *y, tn_tensor *t, int training, const void *arg)
{
    (void)training, (void)arg;
    return tn_sub(y, t);
}

static tn_tensor *nothing(tn_tensor *y, tn_tensor *t, int training, const void *arg)
{
    (void)y, (void)t, (void)training, (void)arg;
    return NULL;
}

/* Trains in a state of its own, and reads a parameter, and the last epoch's score. */
static tn_status train(const tn_model *model, const tn_dataset *data, tn_fit_options how, const char *name,
                       float *weight, uint64_t bytes, tn_epoch *last)
{
    tn_device *device = NULL;
    tn_state *state = NULL;
    how.epochs = 5, how.batch = 7, how.optimizer = "adam";
    CHECK(tn_device_open("reference", &device));
    CHECK(tn_state_new(device, 3, &state));
    tn_status status = tn_fit(state, model, data, &how, last);
    if (!status && name) CHECK(tn_state_read(state, name, weight, bytes));
    tn_state_free(state);
    tn_device_close(device);
    return status;
}

static void a_cost_does_what_the_loss_of_that_name_does(void **unused)
{
    (void)unused;
    const tn_dataset data = data_of(&first_x[0][0], FIRST, part_target[0], 1);
    const tn_model named = {.build = one, .loss = "mse", .arg = "a"},
                   own = {.build = one, .cost = the_named_one, .arg = "a"};
    const tn_fit_options how = {.test = &data, .shards = 0};
    float w[2][6 * FIRST];
    tn_epoch last[2];
    CHECK(train(&named, &data, how, "a1.weight", w[0], sizeof w[0], &last[0]));
    CHECK(train(&own, &data, how, "a1.weight", w[1], sizeof w[1], &last[1]));
    assert_memory_equal(w[0], w[1], sizeof w[0]);
    assert_true(last[0].train.loss == last[1].train.loss && last[0].test.loss == last[1].test.loss);
    assert_true(isnan(last[1].train.accuracy));
}

static void two_heads_learn_what_two_networks_learn(void **unused)
{
    (void)unused;
    const tn_dataset all = data_of(&x[0][0], INPUTS, &target[0][0], 2),
                     part[2] = {data_of(&first_x[0][0], FIRST, part_target[0], 1),
                                data_of(&second_x[0][0], INPUTS - FIRST, part_target[1], 1)};
    const tn_model together = {.build = both, .cost = two_losses},
                   alone[2] = {{.build = one, .loss = "mse", .arg = "a"},
                               {.build = one, .loss = "binary_cross_entropy", .arg = "b"}};
    static const char *const names[] = {"a2.weight", "b2.weight"};
    tn_epoch last, parts[2];
    for (int k = 0; k < 2; k++) {
        float w[6], own[6];
        CHECK(train(&together, &all, (tn_fit_options){0}, names[k], w, sizeof w, &last));
        CHECK(train(&alone[k], &part[k], (tn_fit_options){0}, names[k], own, sizeof own, &parts[k]));
        for (int i = 0; i < 6; i++) assert_float_equal(w[i], own[i], 1e-6);
    }
    assert_float_equal(last.train.loss, parts[0].train.loss + parts[1].train.loss, 1e-6);
}

static void what_is_no_cost_is_refused(void **unused)
{
    (void)unused;
    const tn_dataset data = data_of(&first_x[0][0], FIRST, part_target[0], 1);
    tn_model model = {.build = one, .cost = no_scalar, .arg = "a"};
    const float weights[2] = {1, 1};
    tn_epoch last;
    assert_int_equal(train(&model, &data, (tn_fit_options){0}, NULL, NULL, 0, &last), TN_ESHAPE);
    assert_non_null(strstr(tn_message(), "cost gives no loss of rank 0"));
    model.cost = nothing;
    assert_int_equal(train(&model, &data, (tn_fit_options){0}, NULL, NULL, 0, &last), TN_ESHAPE);
    model.cost = the_named_one;
    assert_int_equal(train(&model, &data, (tn_fit_options){.smoothing = 0.1}, NULL, NULL, 0, &last), TN_EINVAL);
    assert_non_null(strstr(tn_message(), "no smoothing"));
    assert_int_equal(train(&model, &data, (tn_fit_options){.class_weights = weights}, NULL, NULL, 0, &last), TN_EINVAL);
    const float kept = part_target[0][3];
    part_target[0][3] = NAN;
    assert_int_equal(train(&model, &data, (tn_fit_options){0}, NULL, NULL, 0, &last), TN_EINVAL);
    part_target[0][3] = kept;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cost_does_what_the_loss_of_that_name_does),
        cmocka_unit_test(two_heads_learn_what_two_networks_learn),
        cmocka_unit_test(what_is_no_cost_is_refused),
    };
    draw();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
