/* interpret.c: the interpreter of raw graphs against numbers that NumPy made: golden.py says how. */
#include "interpret.h"

#include <string.h>

#include "near.h"
#include "tenon/tenon.h"

/* As golden.py's `operand`; the first letter of an input's name says which. */
static double element(char which, int64_t e)
{
    if (which == 'x') return (double)((e * 37 + 11) % 64) / 16 - 2;
    return which == 'y' ? (double)((e * 23 + 5) % 32 + 1) / 16 : (double)((e * 7 + 3) % 5);
}

static tn_status leaf(void *arg, const tn_tensor *x, double *value)
{
    (void)arg;
    for (int64_t e = 0; e < tn_shape_count(&x->type.shape); e++) value[e] = element(*x->name, e);
    return TN_OK;
}

/* ---- the graphs ---- */

static tn_graph *g;

/* Operands of one letter may have several shapes. */
static tn_tensor *operand(char which, int32_t dtype, tn_shape shape)
{
    char name[200] = {which};
    tn_shape_text(&shape, name + 1, sizeof name - 1);
    return tn_input(g, name, dtype, shape);
}

#define X(...)    operand('x', TN_F32, TN_SHAPE(__VA_ARGS__))
#define Y(...)    operand('y', TN_F32, TN_SHAPE(__VA_ARGS__))
#define I(...)    operand('i', TN_I32, TN_SHAPE(__VA_ARGS__))
#define LIST(...) ((tn_tensor *[]){__VA_ARGS__})

static tn_tensor *number(double value)
{
    return tn_full(g, TN_F32, TN_SCALAR, value);
}

static tn_tensor *broadcast(void)
{
    tn_tensor *x = X(3, 4), *y = Y(3, 4), *row = tn_slice(x, 0, 1, 1, 1);
    return tn_add(tn_mul(tn_sin(x), tn_slice(y, 1, 0, 1, 1)), tn_atan2(tn_reshape(row, TN_SHAPE(4)), y));
}

static tn_tensor *choices(void)
{
    tn_tensor *x = X(3, 4);
    return tn_where(tn_gt(x, number(0.25)), tn_max(x, Y(3, 4)), tn_floor(tn_mul(x, number(3))));
}

static tn_tensor *whole(void)
{
    tn_tensor *n = tn_cast(tn_mul(X(3, 4), number(5)), TN_I32);
    return tn_mul(n, tn_number(n, 1000000007));
}

static tn_tensor *conv(void)
{
    return tn_convolve2d(X(2, 3, 5, 4), Y(2, 3, 3, 2), (tn_conv_options){.stride = {2, 2}, .pad = {1, 1}});
}

static tn_tensor *places(void)
{
    tn_tensor *most = tn_argmax(X(2, 3, 4), 1), *least = tn_argmin(X(2, 3, 4), 1);
    return tn_concat(LIST(tn_reshape(most, TN_SHAPE(8)), tn_reshape(least, TN_SHAPE(8))), 2, 0);
}

static tn_tensor *batch_normalize(void)
{
    return tn_batch_normalize(X(2, 3, 4), Y(1, 3, 1), X(1, 3, 1), TN_AXES(0, 2), 0.01);
}

static tn_tensor *pick(void)
{
    tn_tensor *i = I(3);
    return tn_pick(X(3, 4), tn_min(i, tn_number(i, 3)));
}

static tn_tensor *take(void)
{
    tn_tensor *i = tn_cast(I(3, 2), TN_F32);
    return tn_take(X(3, 4), tn_cast(tn_fmod(i, number(4)), TN_I32), 1);
}

static tn_tensor *gradient(void)
{
    tn_tensor *x = X(3, 4), *dx = NULL;
    tn_tensor *y = tn_mul(tn_sin(tn_mul(x, Y(3, 4))), tn_abs(tn_sign(tn_add(X(1, 4), number(4)))));
    tn_grad(tn_mean(y, TN_ALL, 0), &x, 1, &dx);
    return dx;
}

#define CASES                                                                                                          \
    CASE(broadcast, broadcast())                                                                                       \
    CASE(choices, choices())                                                                                           \
    CASE(whole, whole())                                                                                               \
    CASE(transpose, tn_transpose(X(2, 3, 4), (int32_t[]){2, 0, 1}))                                                    \
    CASE(slice, tn_slice(tn_flip(X(2, 3, 4), 1), 2, -1, 2, -2))                                                        \
    CASE(pad, tn_pad(X(3, 4), 0, 1, 2))                                                                                \
    CASE(concat, tn_concat(LIST(X(3, 4), Y(3, 4), tn_slice(X(3, 4), 0, 0, 1, 1)), 3, 0))                               \
    CASE(reshape, tn_reshape(tn_transpose(tn_reshape(X(2, 3, 4), TN_SHAPE(4, 6)), NULL), TN_SHAPE(3, 8)))              \
    CASE(matmul, tn_matmul(X(2, 3, 4), Y(2, 4, 5)))                                                                    \
    CASE(matmul_t, tn_matmul_t(X(3, 4), Y(3, 4), 1, 0))                                                                \
    CASE(matmul_stretched, tn_matmul_t(X(2, 3, 4), Y(3, 2), 1, 0))                                                     \
    CASE(sums, tn_add(tn_sum(X(2, 3, 4), TN_AXES(0, 2), 0), tn_prod(X(3, 4), TN_AXES(1), 0)))                          \
    CASE(places, places())                                                                                             \
    CASE(softmax, tn_softmax(X(2, 3, 4), 1))                                                                           \
    CASE(log_softmax, tn_log_softmax(X(2, 3, 4), -1))                                                                  \
    CASE(logsumexp, tn_logsumexp(X(2, 3, 4), TN_AXES(0, 2), 0))                                                        \
    CASE(masked_softmax, tn_masked_softmax(X(3, 4), tn_gt(I(4), tn_number(I(4), 1)), 1))                               \
    CASE(attention, tn_attention(X(2, 3, 4), Y(2, 3, 4), X(2, 3, 5), 0))                                               \
    CASE(causal, tn_attention(X(2, 3, 4), Y(2, 3, 4), X(2, 3, 5), 1))                                                  \
    CASE(normalize, tn_normalize(X(2, 3, 4), TN_AXES(0, 2), 0.01))                                                     \
    CASE(rms_normalize, tn_rms_normalize(X(3, 4), TN_AXES(1), 0.5))                                                    \
    CASE(across, tn_across(X(2, 3, 4)))                                                                                \
    CASE(batch_normalize, batch_normalize())                                                                           \
    CASE(gather, tn_gather(X(5, 4), I(3)))                                                                             \
    CASE(scatter_add, tn_scatter_add(I(3), X(3, 4), 5))                                                                \
    CASE(pick, pick())                                                                                                 \
    CASE(take, take())                                                                                                 \
    CASE(cumsum, tn_cumsum(X(3, 4), 1, 1, 0))                                                                          \
    CASE(sort, tn_sort(X(3, 4), 1, 0))                                                                                 \
    CASE(argsort, tn_argsort(X(3, 4), 1, 1))                                                                           \
    CASE(searchsorted, tn_searchsorted(tn_sort(X(3, 4), 1, 0), Y(3, 4), 1))                                            \
    CASE(triangle, tn_add(tn_tril(X(2, 3, 4), 1), tn_triu(X(2, 3, 4), 2)))                                             \
    CASE(conv2d, conv())                                                                                               \
    CASE(maxpool, tn_maxpool2d(X(2, 3, 5, 4), .window = {2, 2}))                                                       \
    CASE(avgpool, tn_avgpool2d(X(2, 3, 5, 4), .window = {2, 2}))                                                       \
    CASE(adaptive, tn_adaptive_avgpool2d(X(2, 3, 5, 4), 3, 3))                                                         \
    CASE(gradient, gradient())

#define CASE(name, y)                                                                                                  \
    static tn_tensor *build_##name(void)                                                                               \
    {                                                                                                                  \
        return y;                                                                                                      \
    }
CASES
#undef CASE

static const struct {
    const char *name;
    tn_tensor *(*build)(void);
} builds[] = {
#define CASE(name, y) {#name, build_##name},
    CASES
#undef CASE
};

static const struct {
    const char *name;
    int64_t count;
    const double *value;
} golden[] = {
#include "golden.inc"
};

enum { GRAPHS = sizeof builds / sizeof *builds };

static void every_graph_gives_what_numpy_gives(void **state)
{
    (void)state;
    assert_int_equal(GRAPHS, sizeof golden / sizeof *golden);
    for (int i = 0; i < GRAPHS; i++) {
        tn_values values = {0};
        g = tn_graph_new();
        tn_tensor *y = builds[i].build();
        assert_string_equal(builds[i].name, golden[i].name);
        if (tn_interpret(g, &(tn_interpretation){.leaf = leaf}, &values))
            fail_msg("%s: %s", golden[i].name, tn_message());
        assert_int_equal(tn_shape_count(&y->type.shape), golden[i].count);
        for (int64_t e = 0; e < golden[i].count; e++) {
            double got = values.value[y->id][e], want = golden[i].value[e];
            if (!(fabs(got - want) <= 1e-13 * (1 + fabs(want))))
                fail_msg("%s, element %lld: expected %.17g, got %.17g", golden[i].name, (long long)e, want, got);
        }
        tn_values_free(&values);
        tn_graph_free(g);
    }
}

/* What a run is given changes the numbers of streams, and nothing else does. */
static void random_numbers_belong_to_seed_and_step(void **state)
{
    (void)state;
    tn_values values[3];
    g = tn_graph_new();
    tn_tensor *u = tn_random_uniform(g, TN_SHAPE(16)), *d = tn_dropout(tn_full(g, TN_F32, TN_SHAPE(16), 3), 0.5);
    for (uint64_t i = 0; i < 3; i++)
        assert_int_equal(tn_interpret(g, &(tn_interpretation){.seed = 5 + (i == 2), .step = 1}, &values[i]), TN_OK);
    assert_memory_equal(values[0].value[u->id], values[1].value[u->id], 16 * sizeof(double));
    assert_memory_not_equal(values[0].value[u->id], values[2].value[u->id], 16 * sizeof(double));
    for (int e = 0; e < 16; e++) assert_true(values[0].value[d->id][e] == 0 || values[0].value[d->id][e] == 6);
    for (int i = 0; i < 3; i++) tn_values_free(&values[i]);
    tn_graph_free(g);
}

/* As a device stores them. */
static void whole_numbers_wrap_and_halves_are_rounded(void **state)
{
    (void)state;
    tn_values values = {0};
    g = tn_graph_new();
    tn_tensor *big = tn_full(g, TN_I32, TN_SCALAR, 2147483647), *sum = tn_add(big, tn_number(big, 2));
    tn_tensor *byte = tn_cast(tn_full(g, TN_I32, TN_SCALAR, 300), TN_U8);
    tn_tensor *half = tn_cast(tn_full(g, TN_F32, TN_SCALAR, 2049), TN_F16);
    assert_int_equal(tn_interpret(g, &(tn_interpretation){.leaf = leaf}, &values), TN_OK);
    assert_near(*values.value[sum->id], -2147483647, 0);
    assert_near(*values.value[byte->id], 44, 0);
    assert_near(*values.value[half->id], 2048, 0);
    tn_values_free(&values);
    tn_graph_free(g);
}

static void every_operator_can_be_interpreted(void **state)
{
    const tn_op_def *op;
    (void)state;
    for (size_t i = 0; (op = tn_op_number(i)); i++)
        if ((op->kind == TN_KERNEL || op->kind == TN_COMPOSITE) && !op->reference)
            fail_msg("%s has no reference", op->name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_graph_gives_what_numpy_gives),
        cmocka_unit_test(every_operator_can_be_interpreted),
        cmocka_unit_test(random_numbers_belong_to_seed_and_step),
        cmocka_unit_test(whole_numbers_wrap_and_halves_are_rounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
