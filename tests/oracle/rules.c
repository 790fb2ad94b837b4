/* rules.c: for every rule by which the compiler rewrites, fuses, places or lays out a graph, the smallest graphs that
 * it applies to, and those that it must leave alone, judged by the interpreter on the devices that are always there. */
#include "judge.h"
#include "tenon/tenon.h"

#include <stdlib.h>
#include <string.h>

#include "near.h"

/* ---- simplify ---- */

static void numbers_that_change_nothing_on_one_side_only(tn_graph *g)
{
    tn_tensor *x = tn_input(g, "p", TN_F32, TN_SHAPE(3, 5)), *zero = tn_number(x, 0), *one = tn_number(x, 1);
    tn_output(tn_add(tn_sub(zero, x), tn_sub(x, zero)), "sub");
    tn_output(tn_add(tn_div(one, x), tn_div(x, one)), "div");
    tn_output(tn_add(tn_pow(one, x), tn_pow(x, one)), "pow");
    tn_output(tn_mul(tn_add(zero, x), tn_mul(one, x)), "both");
}

static void minus_minus(tn_graph *g)
{
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(7));
    tn_output(tn_neg(tn_neg(x)), "two");
    tn_output(tn_neg(tn_neg(tn_neg(x))), "three");
}

static void transposes_in_a_row(tn_graph *g)
{
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(2, 3, 4, 5));
    tn_tensor *a = tn_transpose(x, (int32_t[]){1, 3, 0, 2}), *b = tn_transpose(a, (int32_t[]){2, 0, 1, 3});
    tn_output(b, "two");
    tn_output(tn_transpose(b, (int32_t[]){3, 2, 1, 0}), "three");
    tn_output(tn_transpose(tn_reshape(a, TN_SHAPE(3, 5, 8)), (int32_t[]){0, 2, 1}), "reshaped between");
}

static void transposes_that_move_ones(tn_graph *g)
{
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(1, 3, 1, 4));
    tn_output(tn_transpose(x, (int32_t[]){1, 0, 3, 2}), "ones alone");
    tn_output(tn_transpose(x, (int32_t[]){3, 0, 1, 2}), "others too");
}

static void products_of_transposed(tn_graph *g)
{
    tn_tensor *a = tn_input(g, "a", TN_F32, TN_SHAPE(3, 4)), *b = tn_input(g, "b", TN_F32, TN_SHAPE(3, 4));
    for (int i = 0; i < 4; i++) {
        tn_tensor *x = i & 1 ? tn_transpose(a, NULL) : a, *y = i & 2 ? tn_transpose(b, NULL) : b;
        tn_output(tn_matmul_t(x, y, 0, !(i & 1) == !(i & 2)), i & 1   ? i & 2 ? "a' b'" : "a' b"
                                                              : i & 2 ? "a b'"
                                                                      : "a b");
        tn_output(tn_matmul_t(x, y, 1, !(i & 1) != !(i & 2)), i & 1   ? i & 2 ? "a'' b'" : "a'' b"
                                                              : i & 2 ? "a' b''"
                                                                      : "a'b ");
    }
}

static void products_of_transposed_batches(tn_graph *g)
{
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(2, 3, 3)), *y = tn_input(g, "y", TN_F32, TN_SHAPE(2, 3, 3));
    tn_output(tn_matmul(tn_transpose(x, (int32_t[]){0, 2, 1}), y), "the last two");
    tn_tensor *square = tn_input(g, "z", TN_F32, TN_SHAPE(3, 3, 3, 3));
    tn_output(tn_matmul(tn_transpose(square, (int32_t[]){1, 0, 3, 2}), square), "the first two as well");
}

static void sums_of_sums_and_of_minus(tn_graph *g)
{
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(2, 3, 4, 5));
    for (int keep = 0; keep < 2; keep++) {
        tn_tensor *inner = tn_sum(x, TN_AXES(1), keep);
        tn_output(tn_sum(inner, TN_AXES(1), 0), keep ? "over it again" : "over the next");
        tn_output(tn_sum(inner, TN_AXES(0, 2), keep), keep ? "kept" : "not kept");
        tn_output(tn_sum(tn_neg(inner), TN_AXES(2), 1 - keep), keep ? "minus" : "minus, kept");
    }
}

static void places_at_and_beyond_both_ends(tn_graph *g)
{
    tn_tensor *label = tn_input(g, "label", TN_I32, TN_SHAPE(9)), *x = tn_input(g, "x", TN_F32, TN_SHAPE(9, 5));
    tn_tensor *loss = tn_cross_entropy(x, label), *dx = NULL;
    tn_grad(loss, &x, 1, &dx);
    tn_output(loss, "loss");
    tn_output(dx, "gradient");
}

/* ---- fuse ---- */

static void maps_around_a_product(tn_graph *g)
{
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(4, 4)), *e = tn_exp(x);
    tn_tensor *y = tn_matmul(e, x), *bias = tn_input(g, "bias", TN_F32, TN_SHAPE(4));
    tn_output(tn_add(tn_mul(y, e), e), "before and behind");
    tn_output(tn_sigmoid(tn_add(tn_matmul(x, x), bias)), "bias");
    tn_output(tn_add(tn_matmul(x, x), tn_cast(tn_iota(g, TN_SHAPE(4, 1), 0), TN_F32)), "coordinates");
    tn_output(tn_add(tn_matmul_t(x, x, 0, 1), tn_input(g, "rows", TN_F32, TN_SHAPE(4, 1))), "rows");
    tn_output(tn_add(tn_input(g, "batches", TN_F32, TN_SHAPE(3, 4, 4)), tn_matmul_t(x, x, 1, 1)), "stretched");
}

static void a_product_that_others_use(tn_graph *g)
{
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(5, 3)), *y = tn_matmul_t(x, x, 1, 0);
    tn_output(tn_relu(y), "a map");
    tn_output(tn_softmax(y, -1), "a kernel");
}

static void a_map_that_a_sum_and_others_use(tn_graph *g)
{
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(6, 7)), *y = tn_tanh(tn_mul(x, tn_exp(x)));
    tn_output(tn_sum(y, TN_AXES(0), 0), "sum");
    tn_output(tn_amax(y, TN_AXES(1), 0), "largest");
    tn_output(tn_sub(y, tn_mean(y, TN_AXES(1), 1)), "centred");
}

static void sums_of_coordinates(tn_graph *g)
{
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(3, 4, 5));
    tn_tensor *place = tn_cast(tn_iota(g, TN_SHAPE(4, 1), 0), TN_F32);
    tn_output(tn_sum(tn_mul(x, place), TN_AXES(1, 2), 0), "over both");
    tn_output(tn_sum(tn_mul(x, place), TN_AXES(0), 0), "over the first");
}

/* A sum that alone uses its map, whose dimensions would be one but for the coordinate. */
static void a_sum_of_coordinates(tn_graph *g)
{
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(3, 4, 5));
    tn_tensor *place = tn_cast(tn_iota(g, TN_SHAPE(3, 4, 5), 1), TN_F32);
    tn_output(tn_sum(tn_mul(x, place), TN_AXES(1, 2), 0), "sum");
}

/* A product that one map alone uses. */
static void an_epilogue_with_coordinates(tn_graph *g)
{
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(3, 5)), *w = tn_input(g, "w", TN_F32, TN_SHAPE(5, 4));
    tn_output(tn_mul(tn_matmul(x, w), tn_cast(tn_iota(g, TN_SHAPE(3, 4), 0), TN_F32)), "y");
}

/* No one stride leads through the operand's two leading dimensions. */
static void an_epilogue_stretched_along_one_of_two_batches(tn_graph *g)
{
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(2, 3, 4, 5)), *w = tn_input(g, "w", TN_F32, TN_SHAPE(2, 3, 5, 4));
    tn_output(tn_add(tn_matmul(x, w), tn_input(g, "a", TN_F32, TN_SHAPE(3, 4, 4))), "along the first");
    tn_output(tn_add(tn_matmul_t(x, x, 0, 1), tn_input(g, "b", TN_F32, TN_SHAPE(2, 1, 4, 4))), "along the second");
}

static void epilogues_of_batches(tn_graph *g)
{
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(5, 3, 4)), *w = tn_input(g, "w", TN_F32, TN_SHAPE(4, 2));
    tn_output(tn_add(tn_matmul(x, w), tn_input(g, "a", TN_F32, TN_SHAPE(5, 1, 2))), "by batch");
    tn_output(tn_add(tn_matmul(x, w), tn_input(g, "b", TN_F32, TN_SHAPE(3, 1))), "by row");
    tn_output(tn_add(tn_matmul(x, w), tn_input(g, "c", TN_F32, TN_SHAPE(5, 3, 2))), "all");
    tn_output(tn_mul(tn_matmul_t(x, x, 0, 1), tn_input(g, "d", TN_F32, TN_SHAPE(5, 1, 1))), "product of batches");
}

static void operands_stretched_along_each_axis(tn_graph *g)
{
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(3, 4, 5));
    tn_tensor *y = tn_mul(x, tn_input(g, "a", TN_F32, TN_SHAPE(3, 1, 5)));
    y = tn_add(y, tn_input(g, "b", TN_F32, TN_SHAPE(4, 1)));
    y = tn_mul(y, tn_input(g, "c", TN_F32, TN_SHAPE(1, 4, 5)));
    tn_output(tn_add(y, tn_input(g, "d", TN_F32, TN_SHAPE(1, 1, 1))), "y");
}

static void coordinates_and_random_numbers_stretched(tn_graph *g)
{
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(4, 6));
    tn_tensor *row = tn_cast(tn_iota(g, TN_SHAPE(4, 1), 0), TN_F32),
              *column = tn_cast(tn_iota(g, TN_SHAPE(6), 0), TN_F32);
    tn_output(tn_add(tn_mul(x, row), column), "coordinates");
    tn_output(tn_add(x, tn_random_uniform(g, TN_SHAPE(4, 1))), "a column of random numbers");
    tn_output(tn_add(x, tn_random_uniform(g, TN_SHAPE(6))), "a row of random numbers");
}

static void equal_but_for_one_attribute(tn_graph *g)
{
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(3, 4)), *z = tn_input(g, "z", TN_F32, TN_SHAPE(3, 4));
    tn_output(tn_cumsum(x, 1, 0, 0), "forward");
    tn_output(tn_cumsum(x, 1, 1, 0), "reverse");
    tn_output(tn_cumsum(x, 1, 0, 1), "exclusive");
    tn_output(tn_softmax(x, 0), "columns");
    tn_output(tn_softmax(x, 1), "rows");
    tn_output(tn_slice(x, 1, 0, 2, 1), "at once");
    tn_output(tn_slice(x, 1, 0, 2, 2), "every other");
    tn_output(tn_slice(z, 1, 0, 2, 1), "another input");
    tn_output(tn_dropout(x, 0.25), "a few");
    tn_output(tn_dropout(x, 0.75), "most");
}

/* ---- contributions ---- */

static void slices_that_touch_overlap_or_leave_gaps(tn_graph *g)
{
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(3, 12)), *sum = NULL, *dx = NULL;
    static const int64_t start[] = {0, 3, 5, 7, 8}, count[] = {3, 2, 4, 1, 2};
    for (int i = 0; i < 5; i++) {
        tn_tensor *own = tn_mul(tn_slice(x, 1, start[i], count[i], 1), tn_number(x, i + 1));
        own = tn_sum(tn_square(own), TN_ALL, 0);
        sum = sum ? tn_add(sum, own) : own;
    }
    tn_grad(sum, &x, 1, &dx);
    tn_output(dx, "gradient");
}

/* By rows and by columns, of the transposed and of the reshaped, and sums of its rows: little enough to be stacked. */
static void one_weight_in_products_of_many_sorts(tn_graph *g)
{
    tn_tensor *w = tn_input(g, "w", TN_F32, TN_SHAPE(16, 16)), *sum = NULL, *dw = NULL;
    for (int i = 0; i < 8; i++) {
        char name[3] = {'x', (char)('0' + i), 0};
        tn_tensor *x = tn_input(g, name, TN_F32, i & 2 ? TN_SHAPE(16, 1 + i % 2) : TN_SHAPE(1 + i % 2, 16));
        tn_tensor *y = tn_matmul_t(x, w, (i & 2) != 0, (i & 4) != 0);
        y = tn_sum(tn_square(y), TN_ALL, 0);
        sum = sum ? tn_add(sum, y) : y;
    }
    for (int64_t n = 8; n < 64; n *= 2) {
        char name[2] = {(char)('a' + n / 8), 0};
        tn_tensor *x = tn_input(g, name, TN_F32, TN_SHAPE(1, n));
        sum = tn_add(sum, tn_sum(tn_square(tn_matmul(x, tn_reshape(w, TN_SHAPE(n, 256 / n)))), TN_ALL, 0));
    }
    tn_grad(sum, &w, 1, &dw);
    tn_output(dw, "gradient");
}

/* Each time the first operand and the weight are transposed. */
static void one_weight_transposed_in_two_products(tn_graph *g)
{
    tn_tensor *w = tn_input(g, "w", TN_F32, TN_SHAPE(16, 16)), *dw = NULL;
    tn_tensor *a = tn_input(g, "a", TN_F32, TN_SHAPE(16, 1)), *b = tn_input(g, "b", TN_F32, TN_SHAPE(16, 1));
    tn_tensor *y = tn_mul(tn_matmul_t(a, w, 1, 1), tn_matmul_t(b, w, 1, 1));
    tn_grad(tn_sum(y, TN_ALL, 0), &w, 1, &dw);
    tn_output(dw, "gradient");
}

/* ---- updates and memory ---- */

static tn_tensor *parameter(tn_graph *g, const char *name, int64_t count)
{
    return tn_param(g, name, TN_SHAPE(count), (tn_init){.kind = TN_INIT_UNIFORM, .a = 1});
}

/* Between two updates that are alike, another one needs what the first variable has become. */
static void updates_that_need_each_other(tn_graph *g)
{
    tn_tensor *a = parameter(g, "a", 16), *b = parameter(g, "b", 16), *c = parameter(g, "c", 16);
    tn_tensor *next = tn_mul(a, tn_number(a, 0.5));
    tn_assign(a, next);
    tn_assign(c, tn_mul(c, tn_softmax(tn_cumsum(next, 0, 0, 0), -1)));
    tn_assign(b, tn_mul(b, tn_number(b, 0.5)));
    tn_output(tn_cumsum(a, 0, 0, 0), "a as it was");
}

/* A variable that is updated between two updates that are alike, and that the first of them reads. */
static void updates_that_read_what_is_updated(tn_graph *g)
{
    tn_tensor *a = parameter(g, "a", 16), *b = parameter(g, "b", 16), *c = parameter(g, "c", 16),
              *d = parameter(g, "d", 16);
    tn_assign(a, tn_add(a, c));
    tn_assign(c, tn_softmax(c, -1));
    tn_assign(b, tn_add(b, d));
}

/* What is added to the one variable lies before what is added to the other. */
static void updates_from_variables_in_another_order(tn_graph *g)
{
    tn_tensor *a = parameter(g, "a", 16), *b = parameter(g, "b", 16);
    tn_tensor *p = tn_variable(g, "p", TN_F32, TN_SHAPE(16), (tn_init){.kind = TN_INIT_UNIFORM, .a = 1}, 0);
    tn_tensor *q = tn_variable(g, "q", TN_F32, TN_SHAPE(16), (tn_init){.kind = TN_INIT_UNIFORM, .a = 2}, 0);
    tn_assign(a, tn_add(a, q));
    tn_assign(b, tn_add(b, p));
}

static void updates_by_coordinates(tn_graph *g)
{
    static const char *const name[] = {"a", "b", "c"};
    for (int i = 0; i < 3; i++) {
        tn_tensor *p = parameter(g, name[i], 16);
        tn_assign(p, tn_add(p, tn_cast(tn_iota(g, TN_SHAPE(16), 0), TN_F32)));
    }
}

static void updates_with_shared_numbers_of_their_own(tn_graph *g)
{
    static const char *const name[] = {"a", "b", "c", "d"};
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(4));
    for (int i = 0; i < 4; i++) {
        tn_tensor *p = parameter(g, name[i], 16);
        tn_assign(p, tn_mul(p, tn_slice(x, 0, i / 2, 1, 1)));
    }
}

static void updates_with_factors_of_their_own(tn_graph *g)
{
    static const char *const name[] = {"a", "b", "c", "d"};
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(4)), *rate = tn_scalar_input(g, "rate", TN_F32, 0.25);
    for (int i = 0; i < 4; i++) {
        tn_tensor *p = parameter(g, name[i], 16), *own = tn_slice(x, 0, i / 2, 1, 1);
        tn_assign(p,
                  tn_sub(p, tn_mul(i % 2 ? rate : tn_scalar_input(g, "other", TN_F32, 0.5), tn_mul(p, tn_exp(own)))));
    }
}

static void noise_is_added_to_all_parameters(tn_graph *g)
{
    static const char *const name[] = {"a", "b", "c"};
    for (int i = 0; i < 3; i++) {
        tn_tensor *p = parameter(g, name[i], 16);
        tn_assign(p, tn_add(p, tn_random_uniform(g, TN_SHAPE(16))));
    }
}

/* Values of many sizes that live side by side, and outputs that are made early. */
static void many_values_at_once(tn_graph *g)
{
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(5, 7)), *y = x, *kept[6];
    tn_output(tn_cumsum(x, 0, 0, 0), "early");
    for (int i = 0; i < 6; i++) kept[i] = y = tn_cumsum(tn_transpose(y, NULL), i % 2, i / 2 % 2, 0);
    for (int i = 4; i >= 0; i -= 2) y = tn_concat((tn_tensor *[]){y, kept[i % 2 ? i : i + 1]}, 2, 0);
    tn_output(tn_softmax(y, 0), "late");
}

static void reductions_with_memory_of_their_own(tn_graph *g)
{
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(300, 40)), *y = tn_cumsum(x, 0, 0, 0), *z = tn_cumsum(x, 0, 1, 0);
    tn_output(tn_matmul_t(tn_matmul_t(y, z, 1, 0), tn_matmul_t(z, y, 1, 0), 0, 0), "products");
    tn_output(tn_sum(tn_mul(y, z), TN_ALL, 0), "sum");
}

#define RULE(graph)                                                                                                    \
    {                                                                                                                  \
#graph, graph                                                                                                  \
    }
static const struct {
    const char *name;
    void (*build)(tn_graph *graph);
} rules[] = {
    RULE(numbers_that_change_nothing_on_one_side_only),
    RULE(minus_minus),
    RULE(transposes_in_a_row),
    RULE(transposes_that_move_ones),
    RULE(products_of_transposed),
    RULE(products_of_transposed_batches),
    RULE(sums_of_sums_and_of_minus),
    RULE(places_at_and_beyond_both_ends),
    RULE(maps_around_a_product),
    RULE(a_product_that_others_use),
    RULE(a_map_that_a_sum_and_others_use),
    RULE(sums_of_coordinates),
    RULE(a_sum_of_coordinates),
    RULE(an_epilogue_with_coordinates),
    RULE(an_epilogue_stretched_along_one_of_two_batches),
    RULE(epilogues_of_batches),
    RULE(operands_stretched_along_each_axis),
    RULE(coordinates_and_random_numbers_stretched),
    RULE(equal_but_for_one_attribute),
    RULE(slices_that_touch_overlap_or_leave_gaps),
    RULE(one_weight_in_products_of_many_sorts),
    RULE(one_weight_transposed_in_two_products),
    RULE(updates_that_need_each_other),
    RULE(updates_that_read_what_is_updated),
    RULE(updates_from_variables_in_another_order),
    RULE(updates_by_coordinates),
    RULE(updates_with_shared_numbers_of_their_own),
    RULE(updates_with_factors_of_their_own),
    RULE(noise_is_added_to_all_parameters),
    RULE(many_values_at_once),
    RULE(reductions_with_memory_of_their_own),
};

static void judge(void (*build)(tn_graph *graph), const char *name, tn_device *device)
{
    for (uint64_t seed = 1; seed < 4; seed++) {
        tn_verdict verdict;
        tn_graph *graph = tn_graph_new();
        build(graph);
        if (tn_judge(graph, device, seed, &verdict)) fail_msg("%s: %s", name, tn_message());
        if (verdict.wrong) fail_msg("%s, seed %d: %s", name, (int)seed, verdict.text);
        tn_graph_free(graph);
    }
}

static void what_a_rule_makes_is_what_was_written(void **state)
{
    tn_device *device = NULL;
    const char *name = *state;
    if (strcmp(name, "reference") && tn_device_open(name, &device)) skip();
    if (!device && tn_device_open(name, &device)) fail_msg("%s", tn_message());
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) judge(rules[i].build, rules[i].name, device);
    tn_device_close(device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(what_a_rule_makes_is_what_was_written, (void *)(uintptr_t) "reference"),
        cmocka_unit_test_prestate(what_a_rule_makes_is_what_was_written, (void *)(uintptr_t) "cpu"),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
