/* moves.c: packs of variables that are in the state already: wherever it has them, they come to one piece, and what
 * they hold is not lost, whatever fails. */
#include "packs.h"

#include "alloc.h"
#include "state.h"

/* As files of others do, in any order, with something else between; the first `skip` are not there. */
static void put_backwards(tn_state *state, const weights *w, int skip)
{
    int64_t at = sizeof w->value / sizeof *w->value;
    for (int i = PARAMS; i-- > 0;) {
        float other[3] = {1, 2, 3};
        char name[16] = "other0";
        name[5] = (char)('0' + i);
        at -= size_of(i);
        if (i >= skip) ok(tn_state_put(state, param_name[i], TN_F32, param_shape[i], TN_TRAINABLE, w->value + at));
        ok(tn_state_put(state, name, TN_F32, TN_SHAPE(3), 0, other));
    }
}

static weights first_weights(void)
{
    fixture f = use_device("cpu", 5);
    tn_graph *g = training("sgd", plain);
    train(f.state, g, NULL, 0);
    weights w = read_all(f.state);
    tn_graph_free(g);
    drop_device(&f);
    return w;
}

/* A program that was there before finds what has moved. */
static void an_evaluation_may_be_compiled_first(void **unused)
{
    (void)unused;
    weights want = expected("cpu", "adam", plain, 0), begin = first_weights();
    fixture f = use_device("cpu", 5);
    tn_program *before = NULL;
    float first[ROWS * OUT], last[ROWS * OUT], again[ROWS * OUT];
    tn_graph *eval = tn_graph_new(), *g = training("adam", plain);
    put_backwards(f.state, &begin, 0);
    tn_output(network(eval), "y");
    ok(tn_compile(eval, f.state, NULL, &before));
    run_steps(before, 1);
    ok(tn_fetch(before, "y", first, sizeof first));
    train(f.state, g, NULL, STEPS);
    weights got = read_all(f.state);
    assert_same(&want, &got);
    ok(tn_program_run(before));
    ok(tn_fetch(before, "y", last, sizeof last));
    assert_true(memcmp(first, last, sizeof last) != 0);
    tn_program_free(before);
    ok(tn_compile(eval, f.state, NULL, &before));
    run_steps(before, 1);
    ok(tn_fetch(before, "y", again, sizeof again));
    assert_memory_equal(last, again, sizeof last);
    tn_program_free(before);
    tn_graph_free(eval);
    tn_graph_free(g);
    drop_device(&f);
}

static void parameters_may_be_there_in_any_order(void **unused)
{
    (void)unused;
    weights want = expected("cpu", "momentum", plain, 0);
    for (int skip = 0; skip < PARAMS; skip++) {
        fixture f = use_device("cpu", 5);
        tn_graph *g = training("momentum", plain);
        weights w = first_weights();
        put_backwards(f.state, &w, skip);
        train(f.state, g, NULL, STEPS);
        weights got = read_all(f.state);
        assert_same(&want, &got);
        float other[3];
        ok(tn_state_read(f.state, "other2", other, sizeof other));
        assert_true(other[0] == 1 && other[1] == 2 && other[2] == 3);
        tn_graph_free(g);
        drop_device(&f);
    }
}

/* A pack of some of another's variables, in an order that their places forbid: they are updated one by one. Both
 * programs live on. */
static weights by_turns(const char *first, const char *second, uint32_t unfused)
{
    const tn_compile_options how = {.unfused = unfused};
    const tn_optim_options options[] = {{.lr = 0.1, .only = first}, {.only = second}};
    fixture f = use_device("cpu", 5);
    tn_graph *g[2];
    tn_program *p[2] = {NULL, NULL};
    for (int i = 0; i < 2; i++) {
        g[i] = training(i ? "adam" : "sgd", options[i]);
        ok(tn_compile(g[i], f.state, &how, &p[i]));
    }
    for (int i = 0; i < 4; i++) run_steps(p[i % 2], 2);
    weights w = read_all(f.state);
    for (int i = 0; i < 2; i++) {
        tn_program_free(p[i]);
        tn_graph_free(g[i]);
    }
    drop_device(&f);
    return w;
}

static void a_parameter_may_be_in_packs_of_several_programs(void **unused)
{
    (void)unused;
    static const char *const some = "one.weight, two*", *const all = "*";
    for (int turned = 0; turned < 2; turned++) {
        const char *first = turned ? some : all, *second = turned ? all : some;
        weights got = by_turns(first, second, 0), want = by_turns(first, second, 1);
        assert_close(&got, &want);
    }
}

/* All three side by side, as the packs of both kinds below want them. */
static void put_side_by_side(tn_state *state)
{
    static const char *const name[] = {"a", "b", "c"};
    for (int i = 0; i < 3; i++) {
        const float value[] = {(float)(i + 1), (float)(i + 1), (float)(i + 1)};
        ok(tn_state_put(state, name[i], TN_F32, TN_SHAPE(3), 0, value));
    }
}

/* Three variables of 3 numbers, 1, 2 and 3, in one pack, or two packs that overlap; not all are assigned. */
static void run_overlapping(const char *device, int overlap, float sums[2], float value[3][3])
{
    static const char *const name[] = {"a", "b", "c"};
    fixture f = use_device(device, 5);
    tn_graph *g = tn_graph_new();
    tn_program *p = NULL;
    tn_tensor *x[3];
    for (int i = 0; i < 3; i++)
        x[i] = tn_variable(g, name[i], TN_F32, TN_SHAPE(3), (tn_init){.kind = TN_INIT_CONSTANT, .a = i + 1}, 0);
    tn_tensor *first = tn_pack(x, overlap ? 2 : 3), *second = overlap ? tn_pack(x + 1, 2) : first;
    put_side_by_side(f.state);
    tn_output(tn_sum(tn_exp(first), TN_ALL, 0), "first");
    tn_output(tn_sum(tn_exp(second), TN_ALL, 0), "second");
    tn_assign(x[0], tn_add(x[0], tn_number(x[0], 1)));
    if (!overlap) tn_assign(x[2], tn_add(x[1], x[2]));
    ok(tn_compile(g, f.state, NULL, &p));
    for (int i = 0; i < 2; i++) ok(tn_program_run(p));
    ok(tn_fetch(p, "first", &sums[0], sizeof *sums));
    ok(tn_fetch(p, "second", &sums[1], sizeof *sums));
    for (int i = 0; i < 3; i++) ok(tn_state_read(f.state, name[i], value[i], sizeof value[i]));
    tn_program_free(p);
    tn_graph_free(g);
    drop_device(&f);
}

static void packs_may_overlap_and_be_assigned_in_part(void **unused)
{
    (void)unused;
    static const float after[2][3] = {{3, 2, 7}, {3, 2, 3}}; /* two runs */
    for (int i = 0; i < 4; i++) {
        float sums[2], value[3][3];
        int overlap = i / 2;
        run_overlapping(devices[i % 2], overlap, sums, value);
        double a = 3 * exp(2), b = a, c = 3 * exp(overlap ? 3 : 5);        /* in the second run */
        assert_near(sums[0], overlap ? a + b + 29 : a + b + c + 58, 1e-3); /* of each zero in between: 1 */
        assert_near(sums[1], overlap ? b + c + 29 : a + b + c + 58, 1e-3);
        for (int v = 0; v < 3; v++)
            for (int k = 0; k < 3; k++) assert_true(value[v][k] == after[overlap][v]);
    }
}

/* None of them is there yet. */
static void packs_that_overlap_reserve_no_variable_twice(void **unused)
{
    (void)unused;
    enum { COUNT = 1 << 16, BYTES = COUNT * sizeof(float) };
    for (int overlap = 0; overlap < 2; overlap++) {
        fixture f = use_device("reference", 5);
        tn_graph *g = tn_graph_new();
        tn_program *p = NULL;
        tn_program_report report;
        tn_tensor *x[4];
        for (int i = 0; i < 4; i++)
            x[i] = tn_variable(g, (const char[]){(char)('a' + i), 0}, TN_F32, TN_SHAPE(COUNT), (tn_init){0}, 0);
        tn_output(tn_sum(tn_exp(tn_pack(x, 3)), TN_ALL, 0), "first");
        tn_output(tn_sum(tn_exp(tn_pack(x + 1, overlap ? 3 : 2)), TN_ALL, 0), "second");
        ok(tn_compile(g, f.state, NULL, &p));
        tn_program_get_report(p, &report);
        assert_in_range(report.state_bytes, 4 * BYTES, 4 * (BYTES + 1024));
        tn_program_free(p);
        tn_graph_free(g);
        drop_device(&f);
    }
}

/* A compilation that fails after they have moved loses nothing. */
static void a_failed_compilation_keeps_what_was_there(void **unused)
{
    (void)unused;
    fixture first = use_device("cpu", 5), f = use_device("cpu", 5);
    tn_graph *g = training("momentum", plain), *bad = training("momentum", plain);
    tn_program *p = NULL;
    train(first.state, g, NULL, 1);
    weights w = read_all(first.state);
    put_backwards(f.state, &w, 1);
    tn_output(tn_sum(tn_variable(bad, "huge", TN_F32, TN_SHAPE((int64_t)1 << 50), (tn_init){0}, 0), TN_ALL, 0), "y");
    assert_int_equal(tn_compile(bad, f.state, NULL, &p), TN_ENOMEM);
    train(f.state, g, NULL, 0);
    weights got = read_all(f.state);
    for (int64_t i = size_of(0); i < (int64_t)(sizeof w.value / sizeof *w.value); i++)
        assert_true(got.value[i] == w.value[i]);
    tn_graph_free(g);
    tn_graph_free(bad);
    drop_device(&first);
    drop_device(&f);
}

/* Two packs are moved. Whatever there is no memory for, what was there stays, and training goes on from it. */
static void a_move_may_fail_after_another(void **unused)
{
    (void)unused;
    const tn_optim_options options = {.rates = "two* 0.5"};
    weights want = expected("cpu", "momentum", options, 0), begin = first_weights();
    int between = 0;
    tn_status s = TN_ENOMEM;
    for (int64_t calls = 0; s == TN_ENOMEM; calls++) {
        fixture f = use_device("cpu", 5);
        tn_graph *g = training("momentum", options);
        tn_program *p = NULL;
        put_backwards(f.state, &begin, 0);
        tn_alloc_fail_after(calls);
        s = tn_compile(g, f.state, NULL, &p);
        tn_alloc_fail_after(-1);
        tn_program_free(p);
        weights kept = read_all(f.state);
        assert_same(&begin, &kept);
        between += s && f.state->moves;
        train(f.state, g, NULL, STEPS);
        weights got = read_all(f.state);
        assert_same(&want, &got);
        tn_graph_free(g);
        drop_device(&f);
    }
    ok(s);
    assert_true(between > 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_evaluation_may_be_compiled_first),
        cmocka_unit_test(parameters_may_be_there_in_any_order),
        cmocka_unit_test(a_parameter_may_be_in_packs_of_several_programs),
        cmocka_unit_test(packs_may_overlap_and_be_assigned_in_part),
        cmocka_unit_test(packs_that_overlap_reserve_no_variable_twice),
        cmocka_unit_test(a_failed_compilation_keeps_what_was_there),
        cmocka_unit_test(a_move_may_fail_after_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
