/* Losses with all their options: values and gradients against PyTorch's, on every device; gradients against
 * differences; extreme outputs; and mistakes. */
#include "check.h"

#include "golden_torch.inc"

enum { MOST = 24 };

/* The numbers that golden_torch.py calls fill. */
static double filled(size_t i, size_t seed)
{
    return ((double)((7 * (i + 1) + 5 * seed + i * i) % 17) - 8) / 8;
}

/* (3, 4) of them. */
static tn_tensor *table(tn_tensor *x, size_t seed)
{
    float value[12];
    for (size_t i = 0; i < 12; i++) value[i] = (float)filled(i, seed);
    return tn_constant(tn_graph_of(x), TN_F32, TN_SHAPE(3, 4), value);
}

static tn_tensor *plus(tn_tensor *x, double value)
{
    return tn_add(x, tn_number(x, value));
}

static tn_tensor *yes(tn_tensor *x)
{
    tn_tensor *t = table(x, 2);
    return tn_gt(t, tn_number(t, 0));
}

/* 1, -1, 1 */
static tn_tensor *sides(tn_tensor *x)
{
    return tn_constant(tn_graph_of(x), TN_F32, TN_SHAPE(3), (float[]){1, -1, 1});
}

/* ---- losses of pairs ---- */

static tn_tensor *triplet(tn_tensor *x)
{
    return tn_triplet_margin(x, table(x, 2), table(x, 3), 1.5);
}

static tn_tensor *contrastive(tn_tensor *x)
{
    return tn_contrastive(x, table(x, 2), sides(x), 4);
}

static tn_tensor *ranking(tn_tensor *x)
{
    tn_tensor *y = yes(x);
    return tn_margin_ranking(x, table(x, 2), plus(tn_mul(y, tn_number(y, 2)), -1), 0.5);
}

static tn_tensor *cosine_embedding(tn_tensor *x)
{
    return tn_cosine_embedding(x, table(x, 2), sides(x), -0.2);
}

/* PyTorch's order is mean, target, variance. */
static tn_tensor *gaussian_of_mean(tn_tensor *x)
{
    return tn_gaussian_likelihood(x, plus(table(x, 3), 1.25), table(x, 2));
}

static tn_tensor *gaussian_of_variance(tn_tensor *x)
{
    return tn_gaussian_likelihood(table(x, 2), plus(x, 2.25), table(x, 3));
}

/* ---- losses by name ---- */

enum { NONE, LABELS, HOLES, STEPS, TABLE, POSITIVES, YES };

static tn_tensor *target_of(tn_tensor *x, int kind)
{
    tn_graph *graph = tn_graph_of(x);
    if (kind == LABELS) return tn_constant(graph, TN_I32, TN_SHAPE(3), (int32_t[]){2, 0, 3});
    if (kind == HOLES) return tn_constant(graph, TN_I32, TN_SHAPE(3), (int32_t[]){2, -100, 3});
    if (kind == STEPS) return tn_constant(graph, TN_I32, TN_SHAPE(2, 3), (int32_t[]){1, 0, -1, 2, 3, -1});
    if (kind == YES) return yes(x);
    return kind == TABLE ? table(x, 2) : plus(table(x, 2), 1.25);
}

#define GOLDEN(name) golden_##name, golden_##name##_dx, sizeof golden_##name / sizeof *golden_##name

static const struct {
    const char *loss;
    tn_tensor *(*pairs)(tn_tensor *x); /* instead */
    int target, weighted, positive;
    tn_loss_options options;
    const double *y, *dx;
    size_t count;
} cases[] = {
    {"cross_entropy", NULL, HOLES, 0, 0, {.ignores = 1, .ignored = -100}, GOLDEN(ignored)},
    {"cross_entropy", NULL, HOLES, 1, 0, {.ignores = 1, .ignored = -100, .smoothing = 0.1}, GOLDEN(ignored_weighted)},
    {"cross_entropy",
     NULL,
     HOLES,
     1,
     0,
     {.ignores = 1, .ignored = -100, .smoothing = 0.1, .reduction = TN_LOSS_NONE},
     GOLDEN(ignored_none)},
    {"nll", NULL, LABELS, 0, 0, {.ignores = 1}, GOLDEN(ignored_class)},
    {"cross_entropy", NULL, STEPS, 0, 0, {.ignores = 1, .ignored = -1}, GOLDEN(steps)},
    {"cross_entropy", NULL, STEPS, 0, 0, {TN_LOSS_NONE, .ignores = 1, .ignored = -1}, GOLDEN(steps_none)},
    {"binary_cross_entropy", NULL, YES, 0, 1, {0}, GOLDEN(positive)},
    {"huber", NULL, TABLE, 0, 0, {.delta = 0.75}, GOLDEN(huber_delta)},
    {"smooth_l1", NULL, TABLE, 0, 0, {0}, GOLDEN(smooth_l1)},
    {"smooth_l1", NULL, TABLE, 0, 0, {.delta = 0.5}, GOLDEN(smooth_l1_delta)},
    {"poisson", NULL, POSITIVES, 0, 0, {0}, GOLDEN(poisson)},
    {"hinge", NULL, YES, 0, 0, {.margin = 0.3}, GOLDEN(hinge)},
    {"multi_margin", NULL, LABELS, 0, 0, {0}, GOLDEN(multi_margin)},
    {"multi_margin", NULL, LABELS, 1, 0, {.margin = 0.3}, GOLDEN(multi_margin_weighted)},
    {"focal", NULL, LABELS, 0, 0, {0}, GOLDEN(focal)},
    {"focal", NULL, LABELS, 1, 0, {.gamma = 1.5}, GOLDEN(focal_weighted)},
    {"binary_focal", NULL, YES, 0, 0, {0}, GOLDEN(binary_focal)},
    {"binary_focal", NULL, YES, 0, 1, {.gamma = 1}, GOLDEN(binary_focal_positive)},
    {"triplet", triplet, NONE, 0, 0, {0}, GOLDEN(triplet)},
    {"contrastive", contrastive, NONE, 0, 0, {0}, GOLDEN(contrastive)},
    {"ranking", ranking, NONE, 0, 0, {0}, GOLDEN(ranking)},
    {"cosine_embedding", cosine_embedding, NONE, 0, 0, {0}, GOLDEN(cosine_embedding)},
    {"gaussian", gaussian_of_mean, NONE, 0, 0, {0}, GOLDEN(gaussian)},
    {"gaussian", gaussian_of_variance, NONE, 0, 0, {0}, GOLDEN(gaussian_variance)},
};
enum { CASES = sizeof cases / sizeof *cases };

static tn_tensor *outputs(tn_graph *graph, size_t k)
{
    tn_shape shape = cases[k].target == STEPS ? TN_SHAPE(2, 3, 4) : TN_SHAPE(3, 4);
    return tn_param(graph, "x", shape, (tn_init){.kind = TN_INIT_NORMAL, .a = 1});
}

static tn_tensor *build(tn_tensor *x, size_t k)
{
    tn_graph *graph = tn_graph_of(x);
    tn_loss_options options = cases[k].options;
    if (cases[k].pairs) return cases[k].pairs(x);
    if (cases[k].weighted) options.weight = tn_constant(graph, TN_F32, TN_SHAPE(4), (float[]){0.5F, 1, 2, 0.25});
    if (cases[k].positive) options.positive = tn_constant(graph, TN_F32, TN_SHAPE(4), (float[]){2, 0.5F, 1, 3});
    return tn_loss_with(cases[k].loss, x, target_of(x, cases[k].target), options);
}

static void compare(size_t k, const char *what, tn_program *program, const double *golden, size_t n)
{
    float got[MOST];
    CHECK(tn_fetch(program, what, got, n * sizeof *got));
    for (size_t i = 0; i < n; i++)
        if (!(fabs(got[i] - golden[i]) <= 2e-6 * (1 + fabs(golden[i]))))
            fail_msg("case %zu, %s: %s %zu: expected %.9g, got %.9g", k, cases[k].loss, what, i, golden[i],
                     (double)got[i]);
}

static void losses_and_their_gradients_agree_with_pytorch(void **state)
{
    tn_device *device = NULL;
    if (tn_device_open(*state, &device)) skip();
    for (size_t k = 0; k < CASES; k++) {
        tn_state *values = NULL;
        tn_program *program = NULL;
        float fed[MOST];
        tn_graph *graph = tn_graph_new();
        tn_tensor *x = outputs(graph, k), *y = build(x, k), *dx = NULL;
        tn_grad(tn_sum(y, TN_ALL, 0), &x, 1, &dx);
        tn_output(y, "y");
        tn_output(dx, "dx");
        size_t n = cases[k].target == STEPS ? 24 : 12;
        for (size_t i = 0; i < n; i++) fed[i] = (float)(2 * filled(i, 1));
        CHECK(tn_state_new(device, 1, &values));
        CHECK(tn_compile(graph, values, NULL, &program));
        CHECK(tn_state_write(values, "x", fed, n * sizeof *fed));
        CHECK(tn_program_run(program));
        compare(k, "y", program, cases[k].y, cases[k].count);
        compare(k, "dx", program, cases[k].dx, n);
        tn_program_free(program);
        tn_state_free(values);
        tn_graph_free(graph);
    }
    tn_device_close(device);
}

static void gradients_are_right_at_random_outputs(void **state)
{
    (void)state;
    for (size_t k = 0; k < CASES; k++) {
        tn_gradient_error error;
        tn_graph *graph = tn_graph_new();
        tn_tensor *y = build(cases[k].pairs == gaussian_of_variance ? tn_exp(outputs(graph, k)) : outputs(graph, k), k);
        CHECK(tn_check_gradients(tn_sum(y, TN_ALL, 0), NULL, 0, NULL, &error, 1, NULL));
        if (!(error.error < 1e-6) || error.compared < 8)
            fail_msg("case %zu, %s: %g against %g", k, cases[k].loss, error.gradient, error.difference);
        tn_graph_free(graph);
    }
}

static void extreme_outputs_have_finite_losses_and_gradients(void **state)
{
    static const char *const stable[] = {"cross_entropy", "focal", "multi_margin", "binary_cross_entropy",
                                         "binary_focal",  "hinge", "smooth_l1",    "huber"};
    tn_device *device = NULL;
    (void)state;
    CHECK(tn_device_open("cpu", &device));
    for (size_t k = 0; k < sizeof stable / sizeof *stable; k++) {
        tn_state *values = NULL;
        tn_program *program = NULL;
        float got[12], x[12];
        tn_graph *graph = tn_graph_new();
        tn_tensor *p = tn_param(graph, "x", TN_SHAPE(3, 4), (tn_init){0}), *dx = NULL;
        tn_tensor *target = k < 3 ? target_of(p, LABELS) : yes(p);
        tn_tensor *y = tn_loss(stable[k], p, target);
        tn_grad(y, &p, 1, &dx);
        tn_output(y, "y");
        tn_output(dx, "dx");
        CHECK(tn_state_new(device, 1, &values));
        CHECK(tn_compile(graph, values, NULL, &program));
        for (int i = 0; i < 12; i++) x[i] = (i % 3 - 1) * 1e4f;
        CHECK(tn_state_write(values, "x", x, sizeof x));
        CHECK(tn_program_run(program));
        CHECK(tn_fetch(program, "y", got, sizeof *got));
        if (!(got[0] >= 0 && got[0] <= 2e4f)) fail_msg("%s: %g", stable[k], (double)got[0]);
        CHECK(tn_fetch(program, "dx", got, sizeof got));
        for (int i = 0; i < 12; i++)
            if (!(fabsf(got[i]) <= 3)) fail_msg("%s: gradient %d is %g", stable[k], i, (double)got[i]);
        tn_program_free(program);
        tn_state_free(values);
        tn_graph_free(graph);
    }
    tn_device_close(device);
}

static void mistakes_are_named(void **state)
{
    static const struct {
        const char *loss;
        int target;
        tn_loss_options options;
        const char *say;
    } wrong[] = {
        {"mse", TABLE, {.ignores = 1}, "labels alone can be ignored"},
        {"mse", TABLE, {.smoothing = 0.1}, "are for labels"},
        {"focal", LABELS, {.smoothing = 0.1}, "are for labels"},
        {"mse", TABLE, {.delta = 1}, "no delta"},
        {"huber", TABLE, {.delta = -1}, "the delta -1 is not a number above 0"},
        {"hinge", YES, {.margin = NAN}, "the margin nan"},
        {"hinge", YES, {.gamma = 2}, "no gamma"},
        {"focal", LABELS, {.gamma = 0.5}, "the gamma 0.5 is not a number of at least 1"},
        {"cross_entropy", LABELS, {.margin = 2}, "no margin"},
        {"cross_entropy", LABELS, {.smoothing = 2}, "not within 0..1"},
        {"cross_entropy", STEPS, {0}, "(2, 3)"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        tn_graph *graph = tn_graph_new();
        tn_tensor *x = outputs(graph, 0);
        tn_loss_with(wrong[i].loss, x, target_of(x, wrong[i].target), wrong[i].options);
        if (!tn_graph_status(graph)) fail_msg("case %zu was taken", i);
        check_message(wrong[i].loss, wrong[i].say);
        tn_graph_free(graph);
    }
    tn_graph *graph = tn_graph_new();
    tn_tensor *x = outputs(graph, 0);
    tn_contrastive(x, x, x, 1);
    assert_int_equal(tn_graph_status(graph), TN_ESHAPE);
    check_message("contrastive", "(3, 4) is not one number for each row");
    tn_graph_free(graph);
}

static void outputs_are_read_as_the_loss_takes_them(void **state)
{
    static const struct {
        const char *loss;
        double is; /* of outputs 0 0 0 0 */
    } reads[] = {{"cross_entropy", 0.25}, {"focal", 0.25}, {"nll", 1}, {"binary_cross_entropy", 0.5},
                 {"poisson", 1},          {"hinge", 0},    {"mse", 0}};
    (void)state;
    for (size_t i = 0; i < sizeof reads / sizeof *reads; i++) {
        tn_device *device = NULL;
        tn_state *values = NULL;
        tn_program *program = NULL;
        float got[12];
        tn_graph *graph = tn_graph_new();
        tn_output(tn_loss_readable(reads[i].loss, tn_param(graph, "x", TN_SHAPE(3, 4), (tn_init){0})), "y");
        CHECK(tn_device_open("reference", &device));
        CHECK(tn_state_new(device, 1, &values));
        CHECK(tn_compile(graph, values, NULL, &program));
        CHECK(tn_program_run(program));
        CHECK(tn_fetch(program, "y", got, sizeof got));
        check_near(reads[i].loss, got[7], reads[i].is, 1e-6);
        tn_program_free(program);
        tn_state_free(values);
        tn_device_close(device);
        tn_graph_free(graph);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_EVERY_DEVICE(losses_and_their_gradients_agree_with_pytorch),
        cmocka_unit_test(gradients_are_right_at_random_outputs),
        cmocka_unit_test(extreme_outputs_have_finite_losses_and_gradients),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(outputs_are_read_as_the_loss_takes_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
