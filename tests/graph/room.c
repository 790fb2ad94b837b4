/* room.c: a network that cannot fit is refused with its size and the device's before any of it is allocated, and leaves
 * the state as it was. */
#include "harness.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

enum { WIDTH = 2048, LAYERS = 24, MOST = 48 << 10 }; /* KiB that compiling may take: a weight is 16 MiB */

static long peak(void)
{
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    return use.ru_maxrss;
}

/* A training step of many layers, whose weights are of `width` x `width`, on that many rows. */
static tn_graph *network(int64_t rows, int64_t width, int layers)
{
    char name[16];
    tn_graph *g = tn_graph_new();
    tn_tensor *y = tn_input(g, "x", TN_F32, TN_SHAPE(rows, width));
    for (int i = 0; i < layers; i++) {
        snprintf(name, sizeof name, "fc%d", i + 1);
        y = tn_tanh(tn_linear(y, name, .units = width));
    }
    tn_minimize(tn_mean(tn_square(y), TN_AXES(0, 1), 0), "adam", (tn_optim_options){.lr = 0.01});
    return g;
}

static void refuse(fixture *f, tn_graph *g, const char *what)
{
    tn_state_entry entry;
    tn_program *p = NULL;
    long before = peak();
    assert_int_equal(tn_compile(g, f->state, NULL, &p), TN_ENOMEM);
    long taken = peak() - before;
    if (taken > MOST) fail_msg("%s: %ld KiB were taken before it was refused: %s", what, taken, tn_message());
    int sized = strstr(tn_message(), "the network") || strstr(tn_message(), "the largest buffer");
    if (!sized || !strstr(tn_message(), tn_device_name(f->device))) fail_msg("%s: %s", what, tn_message());
    assert_false(tn_state_at(f->state, 0, &entry));
    tn_graph_free(g);
}

static void what_cannot_fit_is_refused_before_it_is_allocated(void **state)
{
    const char *device = *state;
    fixture f = use_device(device, 1);
    const tn_device_info *info = tn_device_get_info(f.device);
    uint64_t memory = info->memory ? info->memory : (uint64_t)1 << 40;
    tn_program *p = NULL;
    tn_state_entry entry;
    /* Weights alone: each an eighth of the memory, and twice as much again for the moments. */
    int64_t width = WIDTH;
    while ((uint64_t)width * (uint64_t)width * 4 < memory / 8) width *= 2;
    refuse(&f, network(1, width, 9), "weights");
    /* What lies between the layers: each a sixteenth of the memory, and kept for the way back. */
    refuse(&f, network((int64_t)(memory / 16 / WIDTH / 4), WIDTH, LAYERS), "results");
    /* The state is as good as new. */
    tn_graph *g = network(3, 5, 2);
    ok(tn_compile(g, f.state, NULL, &p));
    ok(tn_feed(p, "x", (float[15]){0}, 15 * sizeof(float)));
    ok(tn_program_run(p));
    ok(tn_wait(p));
    assert_true(tn_state_find(f.state, "fc2.weight", &entry));
    tn_program_free(p);
    tn_graph_free(g);
    drop_device(&f);
}

/* What was in the state before stays, with its values, and what came with a graph that was refused goes. */
static void a_refused_graph_leaves_the_state_as_it_was(void **state)
{
    const float before[6] = {1, 2, 3, 4, 5, 6};
    float after[6] = {0};
    char name[16];
    fixture f = use_device(*state, 1);
    tn_program *p = NULL;
    tn_state_entry entry;
    size_t count = 0;
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "own%d", i);
        ok(tn_state_put(f.state, name, TN_F32, TN_SHAPE(6), 0, before));
    }
    for (int round = 0; round < 3; round++) {
        tn_graph *g = network((int64_t)1 << 40, 64, LAYERS);
        assert_int_not_equal(tn_compile(g, f.state, NULL, &p), TN_OK);
        tn_graph_free(g);
    }
    while (tn_state_at(f.state, count, &entry)) count++;
    assert_int_equal(count, 40);
    assert_false(tn_state_find(f.state, "fc1.weight", &entry));
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "own%d", i);
        ok(tn_state_read(f.state, name, after, sizeof after));
        assert_memory_equal(after, before, sizeof after);
    }
    drop_device(&f);
}

static void a_parameter_of_a_refused_graph_has_no_optimizer(void **state)
{
    fixture f = use_device(*state, 1);
    tn_program *p = NULL;
    uint64_t step = 0;
    ok(tn_state_put(f.state, "fc1.weight", TN_F32, TN_SHAPE(64, 64), TN_TRAINABLE, NULL));
    tn_state_set_step(f.state, 5);
    tn_graph *g = network((int64_t)1 << 40, 64, LAYERS);
    assert_int_not_equal(tn_compile(g, f.state, NULL, &p), TN_OK);
    tn_graph_free(g);
    assert_false(tn_state_param_step(f.state, "fc1.weight", &step));
    drop_device(&f);
}

#define ON(test, device)                                                                                               \
    {                                                                                                                  \
#test " on " device, test, NULL, NULL, (void *)device                                                          \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {ON(what_cannot_fit_is_refused_before_it_is_allocated, "reference"),
                                       ON(what_cannot_fit_is_refused_before_it_is_allocated, "cpu"),
                                       ON(a_refused_graph_leaves_the_state_as_it_was, "reference"),
                                       ON(a_refused_graph_leaves_the_state_as_it_was, "cpu"),
                                       ON(a_parameter_of_a_refused_graph_has_no_optimizer, "reference"),
                                       ON(a_parameter_of_a_refused_graph_has_no_optimizer, "cpu")};
    return cmocka_run_group_tests_name("room", tests, NULL, NULL);
}
