/* fitting.c: loading what fits of a file, and what is said of the rest. */
#include <stdio.h>
#include <string.h>

#include "near.h"
#include "scratch.h"
#include "tenon/graph.h"
#include "tenon/state.h"

static void put(tn_state *state, const char *name, int32_t dtype, tn_shape shape, uint32_t flags, float first)
{
    float value[16];
    for (int i = 0; i < 16; i++) value[i] = first + (float)i;
    expect_ok(tn_state_put(state, name, dtype, shape, flags, value));
}

static const char *save_source(void)
{
    tn_state *state = NULL;
    const char *path = scratch_path("source");
    expect_ok(tn_state_new(NULL, 99, &state));
    put(state, "fc1.weight", TN_F32, TN_SHAPE(2, 3), TN_TRAINABLE, 100);
    put(state, "fc1.weight.exp_avg", TN_F32, TN_SHAPE(2, 3), 0, 200);
    put(state, "bn1.running_mean", TN_F32, TN_SHAPE(2), 0, 300);
    put(state, "fc2.weight", TN_F32, TN_SHAPE(5, 2), TN_TRAINABLE, 400);
    put(state, "fc2.bias", TN_I32, TN_SHAPE(4), TN_TRAINABLE, 500);
    put(state, "old.weight", TN_F32, TN_SHAPE(1), TN_TRAINABLE, 600);
    put(state, "batch", TN_F32, TN_SHAPE(3), 0, 700);
    tn_state_set_step(state, 77);
    expect_ok(tn_state_save(state, path, NULL, 0));
    tn_state_free(state);
    return path;
}

static tn_state *new_model(void)
{
    tn_state *state = NULL;
    expect_ok(tn_state_new(NULL, 1, &state));
    put(state, "fc1.weight", TN_F32, TN_SHAPE(2, 3), TN_TRAINABLE, 1);
    put(state, "fc1.weight.exp_avg", TN_F32, TN_SHAPE(2, 3), 0, 2);
    put(state, "bn1.running_mean", TN_F32, TN_SHAPE(2), 0, 3);
    put(state, "fc2.weight", TN_F32, TN_SHAPE(4, 2), TN_TRAINABLE, 4);
    put(state, "fc2.bias", TN_F32, TN_SHAPE(4), TN_TRAINABLE, 5);
    put(state, "new.weight", TN_F32, TN_SHAPE(1), TN_TRAINABLE, 6);
    put(state, "batch", TN_F32, TN_SHAPE(3), TN_TRANSIENT, 7);
    return state;
}

static void expect_first(tn_state *state, const char *name, float first)
{
    float value[16];
    tn_state_entry entry;
    assert_true(tn_state_find(state, name, &entry));
    expect_ok(tn_state_read(state, name, value, (uint64_t)tn_shape_count(&entry.shape) * 4));
    assert_near(value[0], first, 0);
}

static void tell(void *arg, int32_t fit, const tn_state_entry *state, const tn_state_entry *file)
{
    char *text = arg;
    const char *name = state ? state->name : file->name;
    if (state && file) assert_string_equal(state->name, file->name);
    snprintf(text + strlen(text), 200, "%s%d ", name, fit);
}

static void what_fits_is_taken_and_the_rest_is_told_and_left_alone(void **unused)
{
    tn_state *state = new_model();
    tn_checkpoint *file = NULL;
    char told[400] = "";
    size_t taken = 0;
    (void)unused;
    expect_ok(tn_checkpoint_open(save_source(), &file));
    expect_ok(tn_checkpoint_load_fitting(file, state, tell, told, &taken));
    assert_string_equal(told, "fc1.weight0 bn1.running_mean0 fc2.weight1 fc2.bias2 new.weight3 old.weight4 ");
    assert_int_equal(taken, 2);
    expect_first(state, "fc1.weight", 100);
    expect_first(state, "bn1.running_mean", 300);
    expect_first(state, "fc1.weight.exp_avg", 2);
    expect_first(state, "fc2.weight", 4);
    expect_first(state, "fc2.bias", 5);
    expect_first(state, "new.weight", 6);
    expect_first(state, "batch", 7);
    assert_int_equal(tn_state_step(state), 0);
    assert_int_equal(tn_state_seed(state), 1);
    tn_checkpoint_close(file);
    tn_state_free(state);
}

static void nobody_need_be_told(void **unused)
{
    tn_state *state = new_model();
    tn_checkpoint *file = NULL;
    (void)unused;
    expect_ok(tn_checkpoint_open(save_source(), &file));
    expect_ok(tn_checkpoint_load_fitting(file, state, NULL, NULL, NULL));
    expect_first(state, "fc1.weight", 100);
    tn_checkpoint_close(file);
    tn_state_free(state);
}

/* As models are often handed on. The bits are NumPy's for f16, PyTorch's for bf16. */
static void halves_and_doubles_become_f32(void **unused)
{
    static const uint16_t half[] = {0x3c00, 0xc000, 0x3555}, brain[] = {0x3eab, 0xf14a};
    static const double wide[] = {0.1, -1e300};
    static const float halves[] = {1, -2, 0.333251953125f};
    tn_state *from = NULL, *to = NULL;
    tn_checkpoint *file = NULL;
    float value[3];
    size_t taken = 0;
    (void)unused;
    expect_ok(tn_state_new(NULL, 1, &from));
    expect_ok(tn_state_put(from, "half", TN_F16, TN_SHAPE(3), 0, half));
    expect_ok(tn_state_put(from, "brain", TN_BF16, TN_SHAPE(2), 0, brain));
    expect_ok(tn_state_put(from, "wide", TN_F64, TN_SHAPE(1), 0, wide));
    expect_ok(tn_state_put(from, "far", TN_F64, TN_SHAPE(1), 0, wide + 1));
    expect_ok(tn_state_save(from, scratch_path("halves"), NULL, 0));
    tn_state_free(from);
    expect_ok(tn_state_new(NULL, 1, &to));
    put(to, "half", TN_F32, TN_SHAPE(3), TN_TRAINABLE, 9);
    put(to, "brain", TN_F32, TN_SHAPE(2), TN_TRAINABLE, 9);
    put(to, "wide", TN_F32, TN_SHAPE(1), TN_TRAINABLE, 9);
    expect_ok(tn_checkpoint_open(scratch_path("halves"), &file));
    expect_ok(tn_checkpoint_load_fitting(file, to, NULL, NULL, &taken));
    assert_int_equal(taken, 3);
    expect_ok(tn_state_read(to, "half", value, 12));
    assert_memory_equal(value, halves, 12);
    expect_ok(tn_state_read(to, "brain", value, 8));
    assert_near(value[0], 0.333984375, 0);
    assert_near(value[1], -1.0002555517425873e+30, 0);
    expect_first(to, "wide", 0.1f);
    put(to, "far", TN_F32, TN_SHAPE(1), TN_TRAINABLE, 9);
    expect_failure(tn_checkpoint_load_fitting(file, to, NULL, NULL, NULL), TN_EDTYPE, "'far' has a number beyond");
    tn_checkpoint_close(file);
    tn_state_free(to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_fits_is_taken_and_the_rest_is_told_and_left_alone),
        cmocka_unit_test(nobody_need_be_told),
        cmocka_unit_test(halves_and_doubles_become_f32),
    };
    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
