/* Optimizers: a hundred steps against plain loops in double, with a learning rate that changes; twelve against
 * PyTorch's on every device; groups of parameters; and mistakes. */
#include "check.h"

#include "golden_torch.inc"

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

/* Of a beta1 of 0 */
static void adam_at_once(slot *s, double g, double lr, int t)
{
    s->b = 0.999 * s->b + 0.001 * g * g;
    s->p -= lr * g / (sqrt(s->b / (1 - pow(0.999, t))) + 1e-8);
}

static const struct {
    const char *name;
    void (*step)(slot *s, double g, double lr, int t);
    const char *moment; /* of the state, or NULL */
    tn_optim_options options;
} optimizers[] = {
    {"sgd", sgd, NULL, {0}},
    {"momentum", momentum, "p.momentum", {0}},
    {"adam", adam, "p.exp_avg_sq", {0}},
    {"sgd", sgd, NULL, {.weight_decay = TN_ZERO}},
    {"momentum", sgd, NULL, {.momentum = TN_ZERO}},
    {"nesterov", sgd, NULL, {.momentum = TN_ZERO}},
    {"adam", adam_at_once, NULL, {.beta1 = TN_ZERO}},
    {"adam", adam, NULL, {.epsilon = TN_ZERO}},
    {"adamw", adam, NULL, {.weight_decay = TN_ZERO}},
};

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
    tn_graph *graph = quadratic(optimizers[k].name, optimizers[k].options);
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

/* ---- PyTorch's ---- */

static const struct {
    const char *name, *optimizer;
    tn_optim_options options;
    const double *golden;
} torch[] = {
    {"amsgrad", "adam", {.amsgrad = 1, .beta2 = 0.5}, golden_amsgrad},
    {"amsgrad", "adamw", {.amsgrad = 1, .beta2 = 0.5}, golden_amsgrad_w},
    {"momentum", "rmsprop", {.momentum = 0.8}, golden_rmsprop_momentum},
    {"centered", "rmsprop", {.centered = 1, .alpha = 0.9}, golden_rmsprop_centered},
    {"both", "rmsprop", {.centered = 1, .momentum = 0.5, .weight_decay = 0.1}, golden_rmsprop_both},
    {"plain", "adadelta", {0}, golden_adadelta},
    {"fast", "adadelta", {.alpha = 0.5, .epsilon = 0.01, .weight_decay = 0.1}, golden_adadelta_fast},
    {"plain", "adamax", {0}, golden_adamax},
    {"decay", "adamax", {.beta1 = 0.5, .beta2 = 0.8, .weight_decay = 0.1}, golden_adamax_decay},
    {"plain", "nadam", {0}, golden_nadam},
    {"decay", "nadam", {.beta1 = 0.5, .beta2 = 0.8, .weight_decay = 0.1}, golden_nadam_decay},
    {"plain", "radam", {0}, golden_radam},
    {"decay", "radam", {.beta1 = 0.5, .beta2 = 0.8, .weight_decay = 0.1}, golden_radam_decay},
    {"decay", "lion", {.weight_decay = 0.1}, golden_lion},
};

/* The numbers that golden_torch.py calls fill. */
static void fill(float *x, size_t n, size_t seed)
{
    for (size_t i = 0; i < n; i++) x[i] = ((float)((7 * (i + 1) + 5 * seed + i * i) % 17) - 8) / 8;
}

static void write_filled(tn_state *state, const char *name, size_t n, size_t seed)
{
    float x[8];
    fill(x, n, seed);
    CHECK(tn_state_write(state, name, x, n * sizeof *x));
}

static void expect(tn_state *state, const char *what, const char *name, const double *golden, size_t n)
{
    float x[8];
    char text[80];
    CHECK(tn_state_read(state, name, x, n * sizeof *x));
    for (size_t i = 0; i < n; i++) {
        snprintf(text, sizeof text, "%s: %s element %zu", what, name, i);
        if (!(fabs(x[i] - golden[i]) <= 5e-6)) fail_msg("%s: expected %.9g, got %.9g", text, golden[i], (double)x[i]);
    }
}

static void twelve_steps_agree_with_pytorch(void **state)
{
    float c[N];
    tn_device *device = NULL;
    fill(c, N, 3);
    for (int i = 0; i < N; i++) c[i] += 1.25f;
    if (tn_device_open(*state, &device)) skip();
    for (size_t k = 0; k < sizeof torch / sizeof *torch; k++) {
        tn_state *values = NULL;
        tn_program *program = NULL;
        tn_optim_options options = torch[k].options;
        options.lr = 0.05;
        tn_graph *graph = quadratic(torch[k].optimizer, options);
        CHECK(tn_state_new(device, 1, &values));
        CHECK(tn_compile(graph, values, NULL, &program));
        CHECK(tn_feed(program, "c", c, sizeof c));
        write_filled(values, "p", N, 1);
        for (int t = 0; t < 12; t++) CHECK(tn_program_run(program));
        char what[80];
        snprintf(what, sizeof what, "%s, %s", torch[k].optimizer, torch[k].name);
        expect(values, what, "p", torch[k].golden, N);
        tn_program_free(program);
        tn_state_free(values);
        tn_graph_free(graph);
    }
    tn_device_close(device);
}

/* w (2, 3) decays, b and s do not, s goes slower. */
static tn_graph *grouped(tn_optim_options options)
{
    const tn_init zero = {0};
    tn_graph *graph = tn_graph_new();
    tn_tensor *w = tn_param(graph, "l.weight", TN_SHAPE(2, 3), zero), *b = tn_param(graph, "l.bias", TN_SHAPE(3), zero);
    tn_tensor *s = tn_param(graph, "scale", TN_SHAPE(3), zero);
    tn_minimize(tn_sum(tn_square(tn_add(tn_mul(w, s), b)), TN_ALL, 0), "adamw", options);
    return graph;
}

static void groups_of_parameters_have_their_own_decay_and_rate(void **state)
{
    static const tn_optim_options groups[] = {
        {.weight_decay = 0.1, .no_decay = "vectors"},    {.weight_decay = 0.1, .no_decay = "scale, *bias"},
        {.weight_decay = 0.1, .no_decay = "l.b*,sc?le"}, {.weight_decay = 7, .decays = "scale 0, *.bias 0, * 0.1"},
        {.weight_decay = 0.1, .decays = "vectors 0"},    {.decays = "l.weight 0.1, l 3", .no_decay = "vectors"}};
    tn_device *device = NULL;
    if (tn_device_open(*state, &device)) skip();
    for (size_t k = 0; k < sizeof groups / sizeof *groups; k++) {
        tn_state *values = NULL;
        tn_program *program = NULL;
        tn_optim_options options = groups[k];
        const char *what = options.decays ? options.decays : options.no_decay;
        options.lr = 0.05;
        options.rates = "scale 0.1, s* 7";
        tn_graph *graph = grouped(options);
        CHECK(tn_state_new(device, 1, &values));
        CHECK(tn_compile(graph, values, NULL, &program));
        write_filled(values, "l.weight", 6, 1);
        write_filled(values, "l.bias", 3, 2);
        write_filled(values, "scale", 3, 3);
        for (int t = 0; t < 12; t++) CHECK(tn_program_run(program));
        expect(values, what, "l.weight", golden_groups, 6);
        expect(values, what, "l.bias", golden_groups + 6, 3);
        expect(values, what, "scale", golden_groups + 9, 3);
        tn_program_free(program);
        tn_state_free(values);
        tn_graph_free(graph);
    }
    tn_device_close(device);
}

static void mistakes_in_groups_are_named(void **state)
{
    static const struct {
        tn_optim_options options;
        const char *say;
    } cases[] = {
        {{.no_decay = "l.bias, fc1"}, "no_decay: no parameter is called 'fc1'; there are 'l.weight' to 'scale'"},
        {{.no_decay = "l.bias,"}, "''"},
        {{.no_decay = "l.bias scale"}, "'l.bias scale' is not a name"},
        {{.rates = "scale"}, "'scale' is not a name and a factor above 0"},
        {{.rates = "scale 0"}, "'scale 0'"},
        {{.rates = "scale -1"}, "'scale -1'"},
        {{.rates = "scale nan"}, "'scale nan'"},
        {{.rates = "scale 1, fc* 2"}, "rates: no parameter is called 'fc*'"},
        {{.decays = "scale"}, "'scale' is not a name and a weight decay of 0 or more"},
        {{.decays = "scale -0.1"}, "'scale -0.1'"},
        {{.decays = "* 0.1, fc* 0"}, "decays: no parameter is called 'fc*'"},
        {{.only = "fc*"}, "only: no parameter is called 'fc*'"},
        {{.only = "scale l"}, "'scale l' is not a name"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tn_graph *graph = grouped(cases[i].options);
        if (!tn_graph_status(graph)) fail_msg("case %zu was taken", i);
        check_message("groups", cases[i].say);
        tn_graph_free(graph);
    }
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
        {"momentum", {.momentum = -0.5}, "momentum -0.5"},
        {"sgd", {.lr = TN_ZERO}, "learning rate -1e-300"},
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

/* Whatever is 0 that may be, three steps come to numbers, on every device. */
static void zeros_that_are_meant_are_taken_by_all(void **state)
{
    static const tn_optim_options zeros[] = {
        {.momentum = TN_ZERO}, {.beta1 = TN_ZERO},   {.beta2 = TN_ZERO},
        {.alpha = TN_ZERO},    {.epsilon = TN_ZERO}, {.weight_decay = TN_ZERO},
    };
    tn_optimizer_entry entry;
    tn_device *device = NULL;
    if (tn_device_open(*state, &device)) skip();
    for (size_t k = 0; tn_optimizer_at(k, &entry); k++)
        for (size_t z = 0; z < sizeof zeros / sizeof zeros[0]; z++) {
            tn_state *trained = NULL;
            tn_program *program = NULL;
            float got[N];
            if (!strcmp(entry.name, "adadelta") && zeros[z].epsilon == TN_ZERO) continue; /* stays where it is */
            tn_graph *graph = quadratic(entry.name, zeros[z]);
            CHECK(tn_state_new(device, 1, &trained));
            CHECK(tn_compile(graph, trained, NULL, &program));
            CHECK(tn_feed(program, "c", scale, sizeof scale));
            for (int t = 0; t < 3; t++) CHECK(tn_program_run(program));
            CHECK(tn_state_read(trained, "p", got, sizeof got));
            for (int i = 0; i < N; i++)
                if (!isfinite(got[i]) || got[i] == 3) fail_msg("%s, zero %zu: p[%d] is %g", entry.name, z, i, got[i]);
            tn_program_free(program);
            tn_state_free(trained);
            tn_graph_free(graph);
        }
    tn_device_close(device);
}

/* 1 if what is before the last point of the name is a parameter. */
static int belongs_to_a_parameter(tn_tensor *x, tn_tensor *const param[], size_t count)
{
    const char *name = tn_name_of(x), *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < count; i++) {
        const char *own = tn_name_of(param[i]);
        if (strlen(own) == (size_t)(dot - name) && !strncmp(own, name, strlen(own))) return 1;
    }
    return 0;
}

static void what_an_optimizer_keeps_is_named_after_a_parameter(void **state)
{
    tn_optimizer_entry entry;
    (void)state;
    for (size_t k = 0; tn_optimizer_at(k, &entry); k++) {
        tn_tensor *all[16], *param[16];
        tn_graph *graph = quadratic(entry.name, (tn_optim_options){0});
        size_t count = tn_variables(graph, 0, all, 16), params = tn_variables(graph, TN_TRAINABLE, param, 16);
        assert_in_range(count, params, 16);
        for (size_t i = 0; i < count; i++) {
            size_t own = 0;
            while (own < params && param[own] != all[i]) own++;
            if (own == params && !belongs_to_a_parameter(all[i], param, params))
                fail_msg("%s keeps '%s'", entry.name, tn_name_of(all[i]));
        }
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
        ON_EVERY_DEVICE(twelve_steps_agree_with_pytorch),
        ON_EVERY_DEVICE(groups_of_parameters_have_their_own_decay_and_rate),
        ON_EVERY_DEVICE(zeros_that_are_meant_are_taken_by_all),
        cmocka_unit_test(mistakes_in_groups_are_named),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(what_an_optimizer_keeps_is_named_after_a_parameter),
        cmocka_unit_test(a_network_without_parameters_cannot_be_trained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
