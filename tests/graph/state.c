/* state.c: what a state keeps and hands to its programs: flags, and all 64 bits of the seed and of the step. */
#include <string.h>

#include "harness.h"

enum { COUNT = 8 };

static void flags_are_added_to_those_that_are_there(void **state)
{
    const float x[COUNT] = {1};
    tn_state_entry entry;
    fixture f = use_device(*state, 1);
    ok(tn_state_put(f.state, "w", TN_F32, TN_SHAPE(COUNT), TN_TRANSIENT, x));
    ok(tn_state_put(f.state, "w", TN_F32, TN_SHAPE(COUNT), TN_TRAINABLE, x));
    assert_true(tn_state_find(f.state, "w", &entry));
    assert_int_equal(entry.flags, TN_TRANSIENT | TN_TRAINABLE);
    drop_device(&f);
}

static void draw(const char *device, uint64_t seed, uint64_t step, float out[COUNT])
{
    fixture f = use_device(device, seed);
    tn_graph *g = tn_graph_new();
    tn_state_set_step(f.state, step);
    tn_output(tn_random_uniform(g, TN_SHAPE(COUNT)), "y");
    run_once(&f, g, NULL, NULL, 0, "y", out, COUNT);
    tn_graph_free(g);
    drop_device(&f);
}

static int same(const float *a, const float *b)
{
    int equal = 0;
    for (int i = 0; i < COUNT; i++) equal += a[i] == b[i];
    return equal == COUNT;
}

static void every_bit_of_the_seed_and_of_the_step_counts(void **state)
{
    float first[COUNT], again[COUNT], other[COUNT];
    draw(*state, 5, 3, first);
    draw(*state, 5, 3, again);
    assert_true(same(first, again));
    for (int bit = 0; bit < 64; bit += 9) {
        draw(*state, 5 ^ (uint64_t)1 << bit, 3, other);
        if (same(first, other)) fail_msg("bit %d of the seed changes nothing", bit);
        draw(*state, 5, 3 ^ (uint64_t)1 << bit, other);
        if (same(first, other)) fail_msg("bit %d of the step changes nothing", bit);
    }
}

static void a_number_too_large_for_a_whole_scalar_is_the_largest(void **state)
{
    static const double set[] = {1e18, -1e18, 2.7, -3e9};
    static const double got[] = {INT32_MAX, INT32_MIN, 2, INT32_MIN};
    fixture f = use_device(*state, 1);
    tn_graph *g = tn_graph_new();
    tn_program *p = NULL;
    tn_output(tn_cast(tn_scalar_input(g, "s", TN_I32, 0), TN_F64), "y");
    ok(tn_compile(g, f.state, NULL, &p));
    for (int i = 0; i < 4; i++) {
        double y = 0;
        ok(tn_set(p, "s", set[i]));
        ok(tn_program_run(p));
        ok(tn_fetch(p, "y", &y, sizeof y));
        assert_near(y, got[i], 0);
    }
    tn_program_free(p);
    tn_graph_free(g);
    drop_device(&f);
}

/* y = what the variable "v" becomes. */
static tn_program *changed(fixture *f, tn_graph *g, double factor, double more)
{
    tn_program *p = NULL;
    tn_tensor *v = tn_variable(g, "v", TN_F32, TN_SHAPE(COUNT), (tn_init){TN_INIT_CONSTANT, 1, 0, 0}, 0);
    tn_tensor *y = tn_add(tn_mul(v, tn_number(v, factor)), tn_number(v, more));
    tn_assign(v, y);
    tn_output(y, "y");
    ok(tn_compile(g, f->state, NULL, &p));
    return p;
}

static void an_output_stays_when_another_program_changes_the_variable_that_took_it(void **state)
{
    float y[COUNT];
    fixture f = use_device(*state, 1);
    tn_graph *g[2] = {tn_graph_new(), tn_graph_new()};
    tn_program *add = changed(&f, g[0], 1, 2), *multiply = changed(&f, g[1], 10, 0);
    ok(tn_program_run(add));
    ok(tn_program_run(multiply));
    ok(tn_fetch(add, "y", y, sizeof y));
    assert_near(y[0], 3, 0);
    ok(tn_fetch(multiply, "y", y, sizeof y));
    assert_near(y[0], 30, 0);
    ok(tn_state_read(f.state, "v", y, sizeof y));
    assert_near(y[0], 30, 0);
    tn_program_free(add);
    tn_program_free(multiply);
    tn_graph_free(g[0]);
    tn_graph_free(g[1]);
    drop_device(&f);
}

#define ON(device, test) cmocka_unit_test_prestate(test, (void *)(uintptr_t)device)

/* The message of a call that must fail as TN_ESTATE has that word. */
static void too_early(tn_status s, const char *word)
{
    if (s != TN_ESTATE || !strstr(tn_message(), word)) fail_msg("%s: '%s'", tn_status_name(s), tn_message());
}

static void nothing_is_fetched_before_a_run_nor_run_before_its_inputs_are_there(void **state)
{
    const float x[COUNT] = {1, 2, 3};
    float y[COUNT];
    fixture f = use_device(*state, 1);
    tn_graph *g = tn_graph_new();
    tn_program *p = NULL;
    tn_upload *upload = NULL;
    tn_tensor *a = tn_input(g, "a", TN_F32, TN_SHAPE(COUNT)), *b = tn_input(g, "b", TN_F32, TN_SHAPE(COUNT));
    (void)tn_input(g, "unused", TN_F32, TN_SHAPE(COUNT));
    tn_output(tn_add(a, tn_mul(b, tn_scalar_input(g, "scale", TN_F32, 2))), "y");
    ok(tn_compile(g, f.state, NULL, &p));
    too_early(tn_fetch(p, "y", y, sizeof y), "'y'");
    ok(tn_feed(p, "a", x, sizeof x));
    too_early(tn_program_run(p), "'b'");
    too_early(tn_fetch(p, "y", y, sizeof y), "'y'");
    ok(tn_upload_new(p, &upload));
    ok(tn_upload_next(upload, &(tn_piece){"b", 0, x, sizeof x}, 1));
    ok(tn_program_run(p));
    ok(tn_fetch(p, "y", y, sizeof y));
    assert_near(y[2], 9, 0);
    tn_upload_free(upload);
    tn_program_free(p);
    tn_graph_free(g);
    drop_device(&f);
}

static void a_tensor_has_a_name(void **state)
{
    tn_state_entry entry;
    fixture f = use_device(*state, 1);
    assert_int_equal(tn_state_put(f.state, "", TN_F32, TN_SCALAR, 0, NULL), TN_EINVAL);
    assert_false(tn_state_at(f.state, 0, &entry));
    drop_device(&f);
}

static void a_tensor_is_read_and_written_where_it_lies(void **state)
{
    const float x[COUNT] = {1, 2, 3};
    float y[COUNT] = {0};
    tn_state_place place = {0};
    fixture f = use_device(*state, 1);
    tn_graph *g = tn_graph_new();
    tn_program *p = NULL;
    ok(tn_state_put(f.state, "w", TN_F32, TN_SHAPE(COUNT), 0, x));
    assert_int_equal(tn_state_where(f.state, "v", &place), TN_EMISSING);
    ok(tn_state_where(f.state, "w", &place));
    assert_int_equal(place.bytes, sizeof x);
    if (place.kind == TN_PLACE_HOST) {
        float *w = place.handle;
        tn_tensor *v = tn_variable(g, "w", TN_F32, TN_SHAPE(COUNT), (tn_init){0}, 0);
        tn_assign(v, tn_mul(v, tn_number(v, 2)));
        ok(tn_compile(g, f.state, NULL, &p));
        ok(tn_state_where(f.state, "w", &place));
        assert_near(w[1], 2, 0);
        w = place.handle, w[2] = 5;
        ok(tn_program_run(p));
        ok(tn_wait(p));
        assert_near(w[1], 4, 0), assert_near(w[2], 10, 0);
        w[0] = 7;
    } else {
        assert_int_equal(place.kind, TN_PLACE_OPENCL);
        assert_non_null(place.handle);
    }
    ok(tn_state_read(f.state, "w", y, sizeof y));
    assert_near(y[0], place.kind == TN_PLACE_HOST ? 7 : 1, 0);
    tn_program_free(p);
    tn_graph_free(g);
    drop_device(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON("reference", nothing_is_fetched_before_a_run_nor_run_before_its_inputs_are_there),
        ON("cpu", nothing_is_fetched_before_a_run_nor_run_before_its_inputs_are_there),
        ON("reference", a_tensor_has_a_name),
        ON("reference", a_tensor_is_read_and_written_where_it_lies),
        ON("cpu", a_tensor_is_read_and_written_where_it_lies),
        ON("reference", flags_are_added_to_those_that_are_there),
        ON("reference", every_bit_of_the_seed_and_of_the_step_counts),
        ON("reference", a_number_too_large_for_a_whole_scalar_is_the_largest),
        ON("reference", an_output_stays_when_another_program_changes_the_variable_that_took_it),
        ON("cpu", an_output_stays_when_another_program_changes_the_variable_that_took_it),
        ON("cpu", every_bit_of_the_seed_and_of_the_step_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
