/* contributions.c: what the uses of a tensor send back to it: which operations are left when it is added up, that the
 * gradients are right, and that graphs which fail do no harm. */
#include "harness.h"

#include <string.h>

#include "alloc.h"
#include "program.h"

enum { STEPS = 5, BATCH = 2, UNITS = 8 };

/* The launches of that operator in the program of the graph's outputs. */
static uint32_t count_launches(fixture *f, tn_graph *g, const char *op)
{
    tn_program *p = NULL;
    uint32_t count = 0;
    ok(tn_compile(g, f->state, NULL, &p));
    for (uint32_t i = 0; i < p->ir.launches; i++) count += !strcmp(p->ir.launch[i]->operation.desc.name, op);
    tn_program_free(p);
    return count;
}

static void expect_right_gradients(tn_tensor *loss)
{
    tn_gradient_error result[4];
    size_t count = 0;
    ok(tn_check_gradients(loss, NULL, 0, NULL, result, 4, &count));
    assert_true(count >= 1 && count <= 4);
    for (size_t i = 0; i < count; i++) {
        assert_true(result[i].compared > 0);
        assert_near(result[i].error, 0, 1e-6);
    }
}

/* h = tanh(h w' + b), again and again. */
static tn_tensor *unrolled(tn_graph *g, tn_tensor *wrt[3])
{
    const tn_init init = {.kind = TN_INIT_NORMAL, .a = 0.5};
    tn_tensor *h = wrt[2] = tn_param(g, "h", TN_SHAPE(BATCH, UNITS), init);
    wrt[0] = tn_param(g, "w", TN_SHAPE(UNITS, UNITS), init);
    wrt[1] = tn_param(g, "b", TN_SHAPE(UNITS), init);
    for (int i = 0; i < STEPS; i++) h = tn_tanh(tn_add(tn_matmul_t(h, wrt[0], 0, 1), wrt[1]));
    return tn_sum(tn_square(h), TN_ALL, 0);
}

static void an_unrolled_layer_has_one_product_for_the_gradient_of_its_weight(void **state)
{
    (void)state;
    fixture f = use_device("reference", 1);
    tn_tensor *wrt[3], *grad[3];
    tn_graph *g = tn_graph_new();
    tn_grad(unrolled(g, wrt), wrt, 3, grad);
    for (int i = 0; i < 3; i++) tn_output(grad[i], (const char[]){'g', (char)('0' + i), 0});
    assert_int_equal(count_launches(&f, g, "matmul"), STEPS + STEPS + 1); /* forward, for h, for w */
    assert_true(count_launches(&f, g, "reduce") <= 1);
    tn_graph_free(g);
    g = tn_graph_new();
    expect_right_gradients(unrolled(g, wrt));
    tn_graph_free(g);
    drop_device(&f);
}

/* The parameters of a recurrent layer "r" on 3 features. */
static void parameters_of(tn_graph *g, int64_t gates, tn_tensor *param[4])
{
    const tn_init init = {0};
    const int64_t rows = gates * UNITS;
    param[0] = tn_param(g, "r.weight_ih_l0", TN_SHAPE(rows, 3), init);
    param[1] = tn_param(g, "r.weight_hh_l0", TN_SHAPE(rows, UNITS), init);
    param[2] = tn_param(g, "r.bias_ih_l0", TN_SHAPE(rows), init);
    param[3] = tn_param(g, "r.bias_hh_l0", TN_SHAPE(rows), init);
}

/* The last of many steps is none of a tensor of all steps, and what the weights want side by side is made there. */
static void a_recurrent_layer_whose_last_step_is_taken_moves_no_steps(void **state)
{
    static const struct {
        int32_t kind;
        int64_t gates;
        uint32_t concats; /* a step: a GRU has gates whose gradient is that of the input and of the state */
    } cases[] = {{TN_RNN, 1, 0}, {TN_LSTM, 4, 0}, {TN_GRU, 3, 1}};
    enum { MANY = 60 };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fixture f = use_device("reference", 1);
        tn_graph *g = tn_graph_new();
        tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(BATCH, MANY, 3)), *wrt[4], *grad[4];
        x = tn_recurrent(x, "r", NULL, .units = UNITS, .kind = cases[i].kind);
        parameters_of(g, cases[i].gates, wrt);
        tn_grad(tn_sum(tn_square(tn_slice(x, 1, -1, 1, 1)), TN_ALL, 0), wrt, 4, grad);
        for (int k = 0; k < 4; k++) tn_output(grad[k], (const char[]){'g', (char)('0' + k), 0});
        assert_int_equal(count_launches(&f, g, "unslice"), 0);
        assert_int_equal(count_launches(&f, g, "slice"), 0);
        assert_int_equal(count_launches(&f, g, "concat"), MANY * cases[i].concats);
        assert_true(count_launches(&f, g, "map") <= 2 * MANY + 4); /* one adds the biases */
        tn_graph_free(g);
        drop_device(&f);
    }
}

/* One transpose for queries, keys and values, one for what they give, and the same backwards: by products, and by the
 * operator in tiles, which the reference has of any size. */
static void attention_moves_its_heads_together(void **state)
{
    static const char *device[] = {"cpu", "reference"};
    (void)state;
    for (uint32_t i = 0; i < 2; i++) {
        fixture f = use_device(device[i], 1);
        tn_graph *g = tn_graph_new();
        tn_tensor *x = tn_param(g, "x", TN_SHAPE(BATCH, STEPS, UNITS), (tn_init){0}), *grad = NULL;
        tn_grad(tn_sum(tn_square(tn_self_attention(x, "a", 2, 1)), TN_ALL, 0), &x, 1, &grad);
        tn_output(grad, "g");
        assert_int_equal(count_launches(&f, g, "attend"), i);
        assert_int_equal(count_launches(&f, g, "attend_grad"), i);
        assert_int_equal(count_launches(&f, g, "transpose"), 4);
        assert_int_equal(count_launches(&f, g, "slice"), 0);
        assert_int_equal(count_launches(&f, g, "concat"), 0);
        tn_graph_free(g);
        drop_device(&f);
    }
}

enum { WIDE = 128, LONG = 6, MANY_SAMPLES = 32, FED = MANY_SAMPLES * LONG * WIDE };

/* The gradient of the recurrent weight of a layer of WIDE units after two runs; returns how many launches find what
 * another kept. */
static uint32_t gradient_on(const char *device, float *grad)
{
    static float x[FED];
    uint32_t shared = 0;
    for (int i = 0; i < FED; i++) x[i] = (float)(i % 17 - 8) / 8;
    fixture f = use_device(device, 3);
    tn_graph *g = tn_graph_new();
    tn_tensor *y = tn_input(g, "x", TN_F32, TN_SHAPE(MANY_SAMPLES, LONG, WIDE)), *dw = NULL;
    tn_program *p = NULL;
    y = tn_recurrent(y, "r", NULL, .units = WIDE, .kind = TN_RNN);
    tn_tensor *w = tn_param(g, "r.weight_hh_l0", TN_SHAPE(WIDE, WIDE), (tn_init){0});
    tn_grad(tn_mean(tn_square(y), TN_ALL, 0), &w, 1, &dw);
    tn_output(dw, "dw");
    tn_assign(w, tn_sub(w, dw));
    ok(tn_compile(g, f.state, NULL, &p));
    ok(tn_feed(p, "x", x, sizeof x));
    for (int i = 0; i < 2; i++) ok(tn_program_run(p));
    ok(tn_fetch(p, "dw", grad, WIDE * WIDE * sizeof *grad));
    for (uint32_t i = 0; i < p->ir.launches; i++) shared += p->ir.launch[i]->kept && p->prepared[i].run.is_kept;
    tn_program_free(p);
    tn_graph_free(g);
    drop_device(&f);
    return shared;
}

/* Where cpu keeps anything: with matrix units or a library. In the second run the weight is another. */
static void steps_share_what_is_made_of_their_weight_and_make_it_in_each_run(void **state)
{
    static float here[WIDE * WIDE], there[WIDE * WIDE];
    (void)state;
    uint32_t shared = gradient_on("cpu", here);
    assert_int_equal(gradient_on("reference", there), 0);
    for (int i = 0; i < WIDE * WIDE; i++) assert_near(here[i], there[i], 1e-6);
    assert_true(!shared || shared >= LONG - 1);
    if (!shared) skip();
}

static tn_tensor *sum_of_squares(tn_tensor *const grad[3])
{
    tn_tensor *sum = NULL;
    for (int i = 0; i < 3; i++) {
        tn_tensor *part = tn_sum(tn_square(grad[i]), TN_ALL, 0);
        sum = sum ? tn_add(sum, part) : part;
    }
    return sum;
}

static void the_gradients_of_an_unrolled_layer_have_gradients(void **state)
{
    (void)state;
    tn_tensor *wrt[3], *grad[3];
    tn_graph *g = tn_graph_new();
    tn_grad(unrolled(g, wrt), wrt, 3, grad);
    expect_right_gradients(sum_of_squares(grad));
    tn_graph_free(g);
}

/* ---- graphs that fail ---- */

static void a_second_derivative_that_there_is_not_is_an_error(void **state)
{
    (void)state;
    tn_tensor *grad = NULL;
    tn_graph *g = tn_graph_new();
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(1, 1, 40, 40));
    tn_grad(tn_sum(tn_square(tn_maxpool2d(x, .window = {33, 32})), TN_ALL, 0), &x, 1, &grad);
    ok(tn_graph_status(g));
    tn_grad(tn_sum(tn_square(grad), TN_ALL, 0), &x, 1, &grad);
    assert_int_equal(tn_graph_status(g), TN_EUNSUPPORTED);
    assert_non_null(strstr(tn_message(), "maxpool2d: a second derivative for windows of 33 x 32"));
    tn_graph_free(g);
}

static void gradients_without_memory_are_an_error(void **state)
{
    (void)state;
    fixture f = use_device("reference", 1);
    tn_status s = TN_ENOMEM;
    for (int64_t calls = 0; s == TN_ENOMEM; calls++) {
        tn_tensor *wrt[3], *grad[3];
        tn_program *p = NULL;
        tn_graph *g = tn_graph_new();
        tn_tensor *loss = unrolled(g, wrt);
        ok(tn_graph_status(g));
        tn_alloc_fail_after(calls);
        tn_grad(loss, wrt, 3, grad);
        tn_grad(sum_of_squares(grad), wrt, 3, grad);
        for (int i = 0; i < 3; i++) tn_output(grad[i], (const char[]){'g', (char)('0' + i), 0});
        s = tn_compile(g, f.state, NULL, &p);
        tn_alloc_fail_after(-1);
        tn_program_free(p);
        tn_graph_free(g);
        assert_true(calls < 10000);
    }
    ok(s);
    drop_device(&f);
}

/* ---- slices ---- */

typedef struct stretch {
    int32_t axis;
    int64_t begin, count, step;
} stretch;

/* The sum of the squares of slices, each by a factor of its own. */
static tn_tensor *sum_of_slices(tn_tensor *x, const stretch *s, size_t count)
{
    tn_tensor *sum = NULL;
    for (size_t i = 0; i < count; i++) {
        tn_tensor *square = tn_square(tn_slice(x, s[i].axis, s[i].begin, s[i].count, s[i].step));
        tn_tensor *part = tn_sum(tn_mul(square, tn_number(x, (double)(i + 1))), TN_ALL, 0);
        sum = sum ? tn_add(sum, part) : part;
    }
    return sum;
}

static void slices_side_by_side_are_joined_and_others_added(void **state)
{
    static const struct {
        stretch slice[4];
        size_t count;
        uint32_t unslices; /* that are left */
    } cases[] = {
        {{{0, 0, 2, 1}, {0, 2, 3, 1}, {0, 5, 1, 1}}, 3, 0},               /* all of it */
        {{{0, 5, 1, 1}, {0, 0, 2, 1}, {0, 2, 3, 1}}, 3, 0},               /* in another order */
        {{{1, 0, 1, 1}, {1, 1, 3, 1}}, 2, 0},                             /* along the last axis */
        {{{0, 1, 2, 1}, {0, 3, 2, 1}}, 2, 1},                             /* ends are missing */
        {{{0, 0, 2, 1}, {0, 4, 2, 1}}, 2, 2},                             /* a gap */
        {{{0, 0, 4, 1}, {0, 2, 4, 1}}, 2, 2},                             /* an overlap */
        {{{0, 0, 3, 2}, {0, 1, 3, 2}}, 2, 2},                             /* every other one */
        {{{0, 5, 6, -1}, {0, 0, 3, 1}, {0, 3, 3, 1}}, 3, 1},              /* backwards, and both halves */
        {{{0, 0, 3, 1}, {1, 0, 2, 1}, {0, 3, 3, 1}, {1, 2, 2, 1}}, 4, 0}, /* along both axes */
    };
    (void)state;
    fixture f = use_device("reference", 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const tn_init init = {.kind = TN_INIT_NORMAL, .a = 1};
        tn_graph *g = tn_graph_new();
        tn_tensor *x = tn_param(g, "x", TN_SHAPE(6, 4), init), *grad = NULL;
        tn_grad(sum_of_slices(x, cases[i].slice, cases[i].count), &x, 1, &grad);
        tn_output(grad, "g");
        assert_int_equal(count_launches(&f, g, "unslice"), cases[i].unslices);
        tn_graph_free(g);
        g = tn_graph_new();
        expect_right_gradients(sum_of_slices(tn_param(g, "x", TN_SHAPE(6, 4), init), cases[i].slice, cases[i].count));
        tn_graph_free(g);
    }
    drop_device(&f);
}

static void the_result_of_a_composite_operator_has_a_gradient(void **state)
{
    (void)state;
    fixture f = use_device("reference", 1);
    tn_graph *g = tn_graph_new();
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(2, 2)), *y = tn_tril(x, 0), *grad = NULL;
    tn_grad(tn_sum(tn_square(y), TN_ALL, 0), &y, 1, &grad);
    tn_output(grad, "g");
    const float in[4] = {1, 2, 3, 4}, expected[4] = {2, 0, 6, 8};
    float got[4];
    run_once(&f, g, "x", in, sizeof in, "g", got, 4);
    for (int i = 0; i < 4; i++) assert_near(got[i], expected[i], 1e-6);
    tn_graph_free(g);
    drop_device(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unrolled_layer_has_one_product_for_the_gradient_of_its_weight),
        cmocka_unit_test(a_recurrent_layer_whose_last_step_is_taken_moves_no_steps),
        cmocka_unit_test(attention_moves_its_heads_together),
        cmocka_unit_test(steps_share_what_is_made_of_their_weight_and_make_it_in_each_run),
        cmocka_unit_test(the_gradients_of_an_unrolled_layer_have_gradients),
        cmocka_unit_test(the_result_of_a_composite_operator_has_a_gradient),
        cmocka_unit_test(a_second_derivative_that_there_is_not_is_an_error),
        cmocka_unit_test(gradients_without_memory_are_an_error),
        cmocka_unit_test(slices_side_by_side_are_joined_and_others_added),
    };
    return cmocka_run_group_tests_name("contributions", tests, NULL, NULL);
}
