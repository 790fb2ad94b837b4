/* Optimizers: a hundred steps against plain loops in double, with a learning rate that changes; and mistakes. */
#include "check.h"

#define N     6
#define STEPS 100

/* The loss is half the sum of c (p - 1)^2, so that the gradient is c (p - 1). */
static const float scale[N] = {0.1f, 0.5f, 1, 2, 3, 0.01f};

static double rate(int step)
{
    return 0.05 / (1 + step / 10);
}

typedef struct slot {
    double p, a, b;
} slot;

static void sgd(slot *s, double g, double lr, int t)
{
    (void)t;
    s->p -= lr * g;
}

static void momentum(slot *s, double g, double lr, int t)
{
    (void)t;
    s->a = 0.9 * s->a + g;
    s->p -= lr * s->a;
}

static void adam(slot *s, double g, double lr, int t)
{
    s->a = 0.9 * s->a + 0.1 * g;
    s->b = 0.999 * s->b + 0.001 * g * g;
    s->p -= lr * (s->a / (1 - pow(0.9, t))) / (sqrt(s->b / (1 - pow(0.999, t))) + 1e-8);
}

static const struct {
    const char *name;
    void (*step)(slot *s, double g, double lr, int t);
    const char *moment; /* of the state, or NULL */
} optimizers[] = {{"sgd", sgd, NULL}, {"momentum", momentum, "p.momentum"}, {"adam", adam, "p.exp_avg_sq"}};

static tn_graph *quadratic(const char *optimizer, tn_optim_options options)
{
    tn_graph *graph = tn_graph_new();
    tn_tensor *p = tn_param(graph, "p", TN_SHAPE(N), (tn_init){.kind = TN_INIT_CONSTANT, .a = 3});
    tn_tensor *c = tn_input(graph, "c", TN_F32, TN_SHAPE(N));
    tn_tensor *q = tn_mul(c, tn_square(tn_sub(p, tn_number(p, 1))));
    tn_tensor *loss = tn_mul(tn_sum(q, TN_ALL, 0), tn_number(p, 0.5));
    tn_minimize(loss, optimizer, options);
    return graph;
}

static void check_optimizer(size_t k)
{
    tn_device *device = NULL;
    tn_state *state = NULL;
    tn_program *program = NULL;
    slot right[N];
    float got[N];
    tn_graph *graph = quadratic(optimizers[k].name, (tn_optim_options){.lr = 0.05});
    CHECK(tn_device_open("reference", &device));
    CHECK(tn_state_new(device, 1, &state));
    CHECK(tn_compile(graph, state, NULL, &program));
    CHECK(tn_feed(program, "c", scale, sizeof scale));
    for (int i = 0; i < N; i++) right[i] = (slot){.p = 3};
    for (int t = 0; t < STEPS; t++) {
        CHECK(tn_set(program, "lr", rate(t)));
        CHECK(tn_program_run(program));
        for (int i = 0; i < N; i++) optimizers[k].step(&right[i], scale[i] * (right[i].p - 1), rate(t), t + 1);
    }
    CHECK(tn_state_read(state, "p", got, sizeof got));
    for (int i = 0; i < N; i++) check_near(optimizers[k].name, got[i], right[i].p, 2e-5);
    assert_int_equal(tn_state_step(state), STEPS);
    tn_state_entry entry;
    if (optimizers[k].moment) assert_true(tn_state_find(state, optimizers[k].moment, &entry));
    tn_program_free(program);
    tn_state_free(state);
    tn_device_close(device);
    tn_graph_free(graph);
}

static void a_hundred_steps_agree_with_plain_loops(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof optimizers / sizeof optimizers[0]; k++) check_optimizer(k);
}

static void mistakes_are_named(void **state)
{
    static const struct {
        const char *optimizer;
        tn_optim_options options;
        const char *say;
    } cases[] = {
        {"adm", {0}, "'adam'"},
        {"sgd", {.lr = -1}, "learning rate -1"},
        {"sgd", {.lr = NAN}, "learning rate nan"},
        {"sgd", {.lr = INFINITY}, "learning rate inf"},
        {"momentum", {.momentum = 1}, "momentum 1"},
        {"adam", {.beta2 = 1.5}, "beta2 1.5"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tn_graph *graph = quadratic(cases[i].optimizer, cases[i].options);
        if (!tn_graph_status(graph)) fail_msg("case %zu was taken", i);
        check_message(cases[i].optimizer, cases[i].say);
        tn_graph_free(graph);
    }
}

static void a_network_without_parameters_cannot_be_trained(void **state)
{
    tn_graph *graph = tn_graph_new();
    (void)state;
    tn_minimize(tn_sum(tn_input(graph, "x", TN_F32, TN_SHAPE(3)), TN_ALL, 0), "sgd", (tn_optim_options){0});
    assert_int_equal(tn_graph_status(graph), TN_EINVAL);
    check_message("none", "no parameters");
    tn_graph_free(graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hundred_steps_agree_with_plain_loops),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(a_network_without_parameters_cannot_be_trained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
