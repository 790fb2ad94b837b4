/* into_state.c: safetensors files that are loaded into a state, or moved there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "file_of.h"
#include "tenon/backend.h"
#include "tenon/graph.h"
#include "tenon/state.h"

static tn_state *model(int64_t inputs, int32_t dtype, const float *weight)
{
    tn_state *state = NULL;
    expect_ok(tn_state_new(NULL, 3, &state));
    expect_ok(tn_state_put(state, "fc.weight", dtype, TN_SHAPE(2, inputs), TN_TRAINABLE, weight));
    expect_ok(tn_state_put(state, "batch", TN_F32, TN_SHAPE(5), TN_TRANSIENT, NULL));
    return state;
}

static const char *save_model(void)
{
    static const float weight[6] = {1, 2, 3, 4, 5, 6}, moment[6] = {9, 8, 7, 6, 5, 4};
    static const tn_note notes[] = {{"net", "linear \"2\""}, {"path", "caf\xC3\xA9"}};
    tn_state *state = model(3, TN_F32, weight);
    const char *path = scratch_path("model");
    expect_ok(tn_state_put(state, "adam.m/fc.weight", TN_F32, TN_SHAPE(2, 3), 0, moment));
    tn_state_set_step(state, 400);
    tn_state_set_seed(state, 1234567890123456789u);
    expect_ok(tn_state_save(state, path, notes, 2));
    tn_state_free(state);
    return path;
}

static void what_was_saved_is_loaded_with_all_that_goes_with_it(void **state)
{
    static const float expected[6] = {1, 2, 3, 4, 5, 6}, moment[6] = {9, 8, 7, 6, 5, 4};
    float value[6] = {0};
    tn_state *loaded = model(3, TN_F32, NULL);
    tn_checkpoint *checkpoint = NULL;
    tn_state_entry entry;
    (void)state;
    expect_ok(tn_checkpoint_open(save_model(), &checkpoint));
    assert_string_equal(tn_checkpoint_note(checkpoint, "net"), "linear \"2\"");
    assert_string_equal(tn_checkpoint_note(checkpoint, "path"), "caf\xC3\xA9");
    assert_string_equal(tn_checkpoint_note(checkpoint, "tenon.version"), tn_version());
    expect_ok(tn_checkpoint_load(checkpoint, loaded));
    expect_ok(tn_state_read(loaded, "fc.weight", value, sizeof value));
    assert_memory_equal(value, expected, sizeof expected);
    expect_ok(tn_state_read(loaded, "adam.m/fc.weight", value, sizeof value));
    assert_memory_equal(value, moment, sizeof moment);
    assert_true(tn_state_find(loaded, "fc.weight", &entry));
    assert_int_equal(entry.flags, TN_TRAINABLE); /* the state's own */
    assert_int_equal(tn_state_step(loaded), 400);
    assert_true(tn_state_seed(loaded) == 1234567890123456789u);
    tn_checkpoint_close(checkpoint);
    tn_state_free(loaded);
}

/* Fails and changes nothing. */
static void expect_unfit(tn_state *unfit, tn_status status, const char *part)
{
    float before[8] = {0}, after[8] = {0};
    tn_checkpoint *checkpoint = NULL;
    tn_state_entry entry;
    assert_true(tn_state_find(unfit, "fc.weight", &entry));
    uint64_t bytes = (uint64_t)tn_shape_count(&entry.shape) * 4;
    expect_ok(tn_state_read(unfit, "fc.weight", before, bytes));
    expect_ok(tn_checkpoint_open(save_model(), &checkpoint));
    expect_failure(tn_checkpoint_load(checkpoint, unfit), status, part);
    expect_ok(tn_state_read(unfit, "fc.weight", after, bytes));
    assert_memory_equal(before, after, sizeof before);
    assert_int_equal(tn_state_step(unfit), 0);
    assert_int_equal(tn_state_seed(unfit), 3);
    assert_false(tn_state_find(unfit, "adam.m/fc.weight", &entry));
    tn_checkpoint_close(checkpoint);
    tn_state_free(unfit);
}

static void a_file_that_does_not_fit_changes_nothing(void **state)
{
    (void)state;
    expect_unfit(model(4, TN_F32, NULL), TN_ESHAPE,
                 "tensor 'fc.weight' has shape (2, 3) in the file and (2, 4) in the model");
    expect_unfit(model(3, TN_I32, NULL), TN_EDTYPE,
                 "tensor 'fc.weight' is of type f32 in the file and i32 in the model");
    tn_state *more = model(3, TN_F32, NULL);
    expect_ok(tn_state_put(more, "fc.bias", TN_F32, TN_SHAPE(2), TN_TRAINABLE, NULL));
    expect_unfit(more, TN_EMISSING, "tensor 'fc.bias' (2) of the model is not in the file");
}

/* The notes are as safetensors 0.7 writes them for two layers that share their weight and their bias. */
static const char *tied_file(void)
{
    return write_file("{\"__metadata__\":{\"out.weight\":\"embed.weight\",\"fc2.bias\":\"fc1.bias\",\"a\":\"b\","
                      "\"fc1.bias\":\"embed.weight\",\"format\":\"pt\"},"
                      "\"embed.weight\":" T("F32", "2,1", 0, 8) ",\"fc1.bias\":" T("F32", "1", 8, 12) "}",
                      12);
}

static void tied_names_are_all_found_and_loaded(void **state)
{
    static const struct {
        const char *name, *same;
    } cases[] = {{"embed.weight", "embed.weight"},
                 {"out.weight", "embed.weight"},
                 {"fc1.bias", "fc1.bias"},
                 {"fc2.bias", "fc1.bias"}};
    tn_checkpoint *checkpoint = NULL;
    tn_state_entry entry, same;
    const void *data, *other;
    tn_state *loaded = NULL;
    float value[2];
    size_t count = 0, taken = 0;
    (void)state;
    expect_ok(tn_checkpoint_open(tied_file(), &checkpoint));
    while (tn_checkpoint_at(checkpoint, count, &entry, NULL)) count++;
    assert_int_equal(count, 2);
    expect_ok(tn_state_new(NULL, 3, &loaded));
    expect_ok(tn_checkpoint_load(checkpoint, loaded));
    for (size_t i = 0; i < 4; i++) {
        assert_true(tn_checkpoint_find(checkpoint, cases[i].name, &entry, &data));
        assert_true(tn_checkpoint_find(checkpoint, cases[i].same, &same, &other));
        assert_string_equal(entry.name, cases[i].name);
        assert_ptr_equal(data, other);
        expect_ok(tn_state_read(loaded, cases[i].name, value, 4 * (uint64_t)tn_shape_count(&entry.shape)));
        assert_memory_equal(value, data, 4 * (size_t)tn_shape_count(&entry.shape));
    }
    assert_false(tn_checkpoint_find(checkpoint, "a", &entry, NULL));
    assert_false(tn_checkpoint_find(checkpoint, "format", &entry, NULL));
    memset(value, 0, sizeof value);
    for (size_t i = 0; i < 4; i++) {
        assert_true(tn_state_find(loaded, cases[i].name, &entry));
        expect_ok(tn_state_write(loaded, cases[i].name, value, 4 * (uint64_t)tn_shape_count(&entry.shape)));
    }
    expect_ok(tn_checkpoint_load_fitting(checkpoint, loaded, NULL, NULL, &taken));
    assert_int_equal(taken, 4);
    expect_ok(tn_state_read(loaded, "out.weight", value, 8));
    assert_true(value[1] != 0);
    tn_checkpoint_close(checkpoint);
    tn_state_free(loaded);
}

/* Tensors under one name and further ones; what is left of the file is their names. */
static void what_is_moved_is_in_the_state_and_in_the_file_no_more(void **state)
{
    static const char *const names[] = {"embed.weight", "out.weight", "fc1.bias", "fc2.bias"};
    tn_checkpoint *kept = NULL, *moved = NULL;
    tn_state *loaded = NULL;
    tn_state_entry entry;
    const void *data, *expected;
    float value[64];
    (void)state;
    expect_ok(tn_state_new(NULL, 3, &loaded));
    expect_ok(tn_checkpoint_open(tied_file(), &kept));
    expect_ok(tn_checkpoint_open(tied_file(), &moved));
    expect_ok(tn_checkpoint_move(moved, loaded));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_true(tn_checkpoint_find(kept, names[i], &entry, &expected));
        const uint64_t bytes = 4 * (uint64_t)tn_shape_count(&entry.shape);
        assert_true(bytes <= sizeof value);
        expect_ok(tn_state_read(loaded, names[i], value, bytes));
        assert_memory_equal(value, expected, bytes);
        assert_true(tn_checkpoint_find(moved, names[i], &entry, &data));
        assert_null(data);
    }
    expect_failure(tn_checkpoint_load(moved, loaded), TN_EMISSING, "is not in memory any more");
    expect_failure(tn_checkpoint_move(moved, loaded), TN_EMISSING, "is not in memory any more");
    tn_checkpoint_close(kept);
    tn_checkpoint_close(moved);
    tn_state_free(loaded);
}

static void a_file_without_notes_leaves_seed_and_step(void **state)
{
    tn_state *loaded = model(1, TN_F32, NULL);
    tn_checkpoint *checkpoint = NULL;
    (void)state;
    tn_state_set_step(loaded, 9);
    expect_ok(tn_checkpoint_open(write_file("{\"fc.weight\":" T("F32", "2,1", 0, 8) "}", 8), &checkpoint));
    expect_ok(tn_checkpoint_load(checkpoint, loaded));
    assert_int_equal(tn_state_step(loaded), 9);
    assert_int_equal(tn_state_seed(loaded), 3);
    tn_checkpoint_close(checkpoint);
    tn_state_free(loaded);
}

static void a_failed_allocation_leaks_nothing(void **state)
{
    const char *path = save_model();
    tn_status status = TN_ENOMEM;
    int64_t n = 0;
    (void)state;
    for (; status; n++) {
        tn_checkpoint *checkpoint = NULL;
        tn_alloc_fail_after(n);
        status = tn_checkpoint_open(path, &checkpoint);
        tn_alloc_fail_after(-1);
        if (status) expect_failure(status, TN_ENOMEM, "out of memory");
        if (status) assert_null(checkpoint);
        if (!status) tn_checkpoint_close(checkpoint);
    }
    assert_int_equal(n, 11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tied_names_are_all_found_and_loaded),
        cmocka_unit_test(what_was_saved_is_loaded_with_all_that_goes_with_it),
        cmocka_unit_test(a_file_that_does_not_fit_changes_nothing),
        cmocka_unit_test(what_is_moved_is_in_the_state_and_in_the_file_no_more),
        cmocka_unit_test(a_file_without_notes_leaves_seed_and_step),
        cmocka_unit_test(a_failed_allocation_leaks_nothing),
    };
    return cmocka_run_group_tests_name("into_state", tests, scratch_begin, scratch_end);
}
