/* Several optimizers on one state, as those of a generative adversarial net: each goes its way to the bit as if it were
 * alone, from a file as well, in programs of their own and in one. */
#include "check.h"

#include <stdlib.h>
#include <unistd.h>

enum { N = 5, PARTS = 2 };

static const char *const part[PARTS] = {"d.w", "g.w"};
static char file[] = "/tmp/tenon-optimizers-XXXXXX";

/* The sum of (w - 1)^4 of one part, or of both. */
static tn_tensor *loss_of(tn_graph *graph, int which)
{
    tn_tensor *w =
        tn_param(graph, part[which], TN_SHAPE(N), (tn_init){.kind = TN_INIT_CONSTANT, .a = 2.0 + 3.0 * which});
    return tn_sum(tn_square(tn_square(tn_sub(w, tn_number(w, 1)))), TN_ALL, 0);
}

static tn_optim_options options_of(int which)
{
    static const char *const only[] = {"d.*", "g.*"}, *const name[] = {"d", "g"};
    return (tn_optim_options){.lr = which ? 0.01 : 0.002, .only = only[which], .name = name[which]};
}

/* Both parts are there; one is trained, or each by its own optimizer where `which` is PARTS. */
static tn_program *make(tn_state *state, const char *optimizer, int which)
{
    tn_program *program = NULL;
    tn_graph *graph = tn_graph_new();
    tn_tensor *loss[] = {loss_of(graph, 0), loss_of(graph, 1)};
    for (int i = 0; i < PARTS; i++)
        if (which == i || which == PARTS) tn_minimize(loss[i], optimizer, options_of(i));
    CHECK(tn_compile(graph, state, NULL, &program));
    tn_graph_free(graph);
    return program;
}

static void run(tn_program *program, int times)
{
    for (int i = 0; i < times; i++) CHECK(tn_program_run(program));
}

/* What `steps` steps of one part alone lead to. */
static void alone(tn_device *device, const char *optimizer, int which, int steps, float value[N])
{
    tn_state *state = NULL;
    CHECK(tn_state_new(device, 1, &state));
    tn_program *program = make(state, optimizer, which);
    run(program, steps);
    CHECK(tn_state_read(state, part[which], value, N * sizeof *value));
    tn_program_free(program);
    tn_state_free(state);
}

static void check_part(tn_device *device, tn_state *state, const char *optimizer, int which, int steps)
{
    float want[N], got[N];
    uint64_t counted = 0;
    alone(device, optimizer, which, steps, want);
    CHECK(tn_state_read(state, part[which], got, sizeof got));
    if (memcmp(want, got, sizeof got))
        fail_msg("%s of %s after %d steps: expected %.9g, got %.9g", optimizer, part[which], steps, (double)want[0],
                 (double)got[0]);
    assert_true(tn_state_param_step(state, part[which], &counted));
    assert_int_equal(counted, steps);
}

/* Of every optimizer, on the device. */
static void with_each(const char *device_name, void (*test)(tn_device *device, const char *optimizer))
{
    tn_optimizer_entry entry;
    tn_device *device = NULL;
    if (tn_device_open(device_name, &device)) skip();
    for (size_t k = 0; tn_optimizer_at(k, &entry); k++) test(device, entry.name);
    tn_device_close(device);
}

static void try_programs(tn_device *device, const char *optimizer)
{
    tn_state *state = NULL;
    CHECK(tn_state_new(device, 1, &state));
    tn_program *d = make(state, optimizer, 0);
    run(d, 4);
    tn_program *g = make(state, optimizer, 1);
    for (int i = 0; i < 3; i++) run(d, 1), run(g, 2);
    check_part(device, state, optimizer, 0, 7);
    check_part(device, state, optimizer, 1, 6);
    assert_int_equal(tn_state_step(state), 13);
    tn_program_free(d);
    tn_program_free(g);
    tn_state_free(state);
}

static void two_programs_on_one_state_each_count_their_own_steps(void **state)
{
    with_each(*state, try_programs);
}

static void try_one_program(tn_device *device, const char *optimizer)
{
    tn_state *state = NULL;
    CHECK(tn_state_new(device, 1, &state));
    tn_program *d = make(state, optimizer, 0), *both = make(state, optimizer, PARTS);
    run(d, 3);
    run(both, 5);
    check_part(device, state, optimizer, 0, 8);
    check_part(device, state, optimizer, 1, 5);
    tn_program_free(d);
    tn_program_free(both);
    tn_state_free(state);
}

static void two_optimizers_in_one_program_each_count_their_own_steps(void **state)
{
    with_each(*state, try_one_program);
}

/* Both parts by one optimizer, and then one of them alone. */
static void try_less(tn_device *device, const char *optimizer)
{
    for (int which = 0; which < PARTS; which++) {
        tn_state *state = NULL;
        tn_program *all = NULL;
        tn_graph *graph = tn_graph_new();
        tn_optim_options options = options_of(which);
        options.only = NULL;
        tn_minimize(tn_add(loss_of(graph, 0), loss_of(graph, 1)), optimizer, options);
        CHECK(tn_state_new(device, 1, &state));
        CHECK(tn_compile(graph, state, NULL, &all));
        run(all, 5);
        tn_program *less = make(state, optimizer, which);
        run(less, 4);
        check_part(device, state, optimizer, which, 9);
        tn_program_free(all);
        tn_program_free(less);
        tn_graph_free(graph);
        tn_state_free(state);
    }
}

static void a_part_goes_on_as_if_it_had_been_alone(void **state)
{
    with_each(*state, try_less);
}

static void load(tn_state *state)
{
    tn_checkpoint *checkpoint = NULL;
    CHECK(tn_checkpoint_open(file, &checkpoint));
    CHECK(tn_checkpoint_load(checkpoint, state));
    tn_checkpoint_close(checkpoint);
}

/* Loaded before its programs are compiled, or after. */
static void go_on(tn_device *device, const char *optimizer, int after)
{
    tn_state *state = NULL;
    CHECK(tn_state_new(device, 9, &state));
    if (!after) load(state);
    tn_program *d = make(state, optimizer, 0), *g = make(state, optimizer, 1);
    if (after) run(g, 2), load(state);
    run(d, 2);
    run(g, 3);
    check_part(device, state, optimizer, 0, 6);
    check_part(device, state, optimizer, 1, 4);
    tn_program_free(d);
    tn_program_free(g);
    tn_state_free(state);
}

static void try_files(tn_device *device, const char *optimizer)
{
    tn_state *state = NULL;
    CHECK(tn_state_new(device, 1, &state));
    tn_program *d = make(state, optimizer, 0), *g = make(state, optimizer, 1);
    run(d, 4);
    run(g, 1);
    CHECK(tn_state_save(state, file, NULL, 0));
    for (int after = 0; after < 2; after++) go_on(device, optimizer, after);
    tn_program_free(d);
    tn_program_free(g);
    tn_state_free(state);
}

static void a_file_has_the_steps_of_each_and_training_goes_on_to_the_bit(void **state)
{
    with_each(*state, try_files);
}

/* The tensors of a trained state put into one that no optimizer has seen: so its file has the step alone, as those of
 * older versions do, and a number that nadam had. */
static void save_as_before(tn_state *from, tn_device *device)
{
    tn_state *plain = NULL;
    tn_state_entry entry;
    const float product = 0.5f;
    float value[N];
    CHECK(tn_state_new(device, 1, &plain));
    for (size_t i = 0; tn_state_at(from, i, &entry); i++) {
        size_t bytes = (size_t)(entry.shape.rank ? N : 1) * sizeof *value;
        CHECK(tn_state_read(from, entry.name, value, bytes));
        CHECK(tn_state_put(plain, entry.name, entry.dtype, entry.shape, 0, value));
    }
    CHECK(tn_state_put(plain, "d.w.mu_product", TN_F32, TN_SCALAR, 0, &product));
    tn_state_set_step(plain, tn_state_step(from));
    CHECK(tn_state_save(plain, file, NULL, 0));
    tn_state_free(plain);
}

static void try_old_files(tn_device *device, const char *optimizer)
{
    tn_state *state = NULL;
    CHECK(tn_state_new(device, 1, &state));
    tn_program *d = make(state, optimizer, 0);
    run(d, 4);
    save_as_before(state, device);
    for (int after = 0; after < 2; after++) {
        tn_state *loaded = NULL;
        CHECK(tn_state_new(device, 9, &loaded));
        if (!after) load(loaded);
        tn_program *again = make(loaded, optimizer, 0);
        if (after) load(loaded);
        run(again, 3);
        check_part(device, loaded, optimizer, 0, 7);
        tn_program_free(again);
        tn_state_free(loaded);
    }
    tn_program_free(d);
    tn_state_free(state);
}

static void a_file_that_has_one_count_for_all_goes_on_as_before(void **state)
{
    with_each(*state, try_old_files);
}

static void what_was_frozen_joins_in_at_the_others_step(void **state)
{
    tn_device *device = NULL;
    tn_state *values = NULL;
    uint64_t step = 0;
    CHECK(tn_device_open("reference", &device));
    CHECK(tn_state_new(device, 1, &values));
    (void)state;
    tn_program *g = make(values, "adam", 1), *all = NULL;
    run(g, 6);
    assert_false(tn_state_param_step(values, part[0], &step));
    tn_graph *graph = tn_graph_new();
    tn_minimize(tn_add(loss_of(graph, 0), loss_of(graph, 1)), "adam", (tn_optim_options){.lr = 0.01});
    CHECK(tn_compile(graph, values, NULL, &all));
    run(all, 1);
    for (int i = 0; i < PARTS; i++) {
        assert_true(tn_state_param_step(values, part[i], &step));
        assert_int_equal(step, 7);
    }
    tn_program_free(g);
    tn_program_free(all);
    tn_graph_free(graph);
    tn_state_free(values);
    tn_device_close(device);
}

static void mistakes_are_named(void **state)
{
    static const struct {
        tn_optim_options second;
        const char *say;
    } cases[] = {
        {{.lr = 0.01, .name = "second"}, "parameter 'd.w' has an optimizer already"},
        {{.lr = 0.02, .only = "g.w"}, "scalar 'lr' is 0.01 and is asked for as 0.02"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tn_graph *graph = tn_graph_new();
        tn_tensor *loss = tn_add(loss_of(graph, 0), loss_of(graph, 1));
        tn_minimize(loss, "adam", (tn_optim_options){.lr = 0.01, .only = "d.w"});
        CHECK(tn_graph_status(graph));
        tn_minimize(loss, "adam", cases[i].second);
        assert_int_equal(tn_graph_status(graph), TN_EINVAL);
        check_message("second", cases[i].say);
        tn_graph_free(graph);
    }
}

static void an_optimizer_of_no_parameter_is_a_mistake(void **state)
{
    tn_graph *graph = tn_graph_new();
    tn_tensor *w = tn_param(graph, "w", TN_SHAPE(2, 2), (tn_init){0});
    (void)state;
    tn_minimize(tn_sum(w, TN_ALL, 0), "sgd", (tn_optim_options){.only = "vectors"});
    assert_int_equal(tn_graph_status(graph), TN_EMISSING);
    check_message("only", "only 'vectors': there is no such parameter");
    tn_graph_free(graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_EVERY_DEVICE(two_programs_on_one_state_each_count_their_own_steps),
        ON_EVERY_DEVICE(two_optimizers_in_one_program_each_count_their_own_steps),
        ON_EVERY_DEVICE(a_part_goes_on_as_if_it_had_been_alone),
        ON_DEVICE(a_file_has_the_steps_of_each_and_training_goes_on_to_the_bit, "reference"),
        ON_DEVICE(a_file_that_has_one_count_for_all_goes_on_as_before, "reference"),
        cmocka_unit_test(what_was_frozen_joins_in_at_the_others_step),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(an_optimizer_of_no_parameter_is_a_mistake),
    };
    int made = mkstemp(file);
    if (made < 0) return 1;
    close(made);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(file);
    return failed;
}
