/* test_types.c: what the table of operators says of whole numbers is what the library accepts: the table is made from
 * the operators' cases, of which some are built without the operator. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tenon/op_info.h"
#include "tenon/tenon.h"

/* A call on whole numbers, which is accepted or not. */
typedef struct call {
    const char *op;
    tn_tensor *(*build)(tn_tensor *x);
} call;

#define X(name, y, dx, doc)                                                                                            \
    static tn_tensor *call_##name(tn_tensor *x)                                                                        \
    {                                                                                                                  \
        return tn_##name(x);                                                                                           \
    }
#include "tenon/unary.def"
#undef X
#define X(name, types, y, da, db, doc)                                                                                 \
    static tn_tensor *call_##name(tn_tensor *x)                                                                        \
    {                                                                                                                  \
        return tn_##name(x, x);                                                                                        \
    }
#include "tenon/binary.def"
#undef X

#define CALL(name, ...)                                                                                                \
    static tn_tensor *call_##name(tn_tensor *x)                                                                        \
    {                                                                                                                  \
        return __VA_ARGS__;                                                                                            \
    }
CALL(where, tn_where(x, x, x))
CALL(matmul, tn_matmul(x, x))
CALL(reduce, tn_prod(tn_sum(tn_amax(tn_amin(x, TN_AXES(0), 1), TN_AXES(1), 1), TN_AXES(2), 1), TN_AXES(3), 1))
CALL(softmax, tn_softmax(x, 0))
CALL(log_softmax, tn_log_softmax(x, 0))
CALL(dropout, tn_dropout(x, 0.5))
CALL(cumsum, tn_cumsum(x, 0, 0, 0))
CALL(triangle, tn_tril(x, 0))
CALL(attention, tn_attention(x, x, x, 0))
CALL(normalize, tn_normalize(x, TN_ALL, 1e-5))
CALL(batch_normalize, tn_batch_normalize(x, x, x, TN_ALL, 1e-5))
CALL(layer_norm, tn_layer_normalize(x, x, 1e-5, (tn_layer_normalize_options){.bias = x}))
CALL(across, tn_across(x))
CALL(logsumexp, tn_logsumexp(x, TN_ALL, 0))
CALL(masked_softmax, tn_masked_softmax(x, x, 0))
CALL(conv2d, tn_convolve2d(x, x, (tn_conv_options){0}))
CALL(conv2d_data, tn_convolve2d_transposed(x, x, (tn_conv_options){0}))
CALL(maxpool2d, tn_maxpool2d(x, .window = {2, 2}))
CALL(avgpool2d, tn_avgpool2d(x, .window = {2, 2}))
CALL(adaptive_avgpool2d, tn_adaptive_avgpool2d(x, 1, 1))
CALL(stop_gradient, tn_stop_gradient(x))

static const call calls[] = {
#define X(name, ...) {#name, call_##name},
#include "tenon/unary.def"
#include "tenon/binary.def"
    X(where) X(matmul) X(reduce) X(softmax) X(log_softmax) X(dropout) X(cumsum) X(triangle) X(attention) X(normalize)
        X(batch_normalize) X(layer_norm) X(across) X(logsumexp) X(masked_softmax) X(conv2d) X(conv2d_data) X(maxpool2d)
            X(avgpool2d) X(adaptive_avgpool2d) X(stop_gradient)
#undef X
};

static int is_accepted(const call *c)
{
    tn_graph *g = tn_graph_new();
    (void)c->build(tn_input(g, "x", TN_I32, TN_SHAPE(2, 2, 2, 2)));
    int accepted = !tn_graph_status(g);
    tn_graph_free(g);
    return accepted;
}

static size_t index_of(const char *op)
{
    tn_op_entry entry;
    size_t i = 0;
    while (tn_op_at(i, &entry) && strcmp(entry.name, op)) i++;
    return i;
}

static void the_table_names_i32_where_it_is_accepted(void **state)
{
    (void)state;
    tn_device *device = NULL;
    int wrong = 0;
    assert_int_equal(tn_device_open("reference", &device), TN_OK);
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        int named = tn_op_support(device, index_of(calls[i].op), TN_I32, 0) != TN_SUPPORT_NONE;
        if (named == is_accepted(&calls[i])) continue;
        fprintf(stderr, "%s: the table %s i32, and it is %s\n", calls[i].op, named ? "names" : "lacks",
                named ? "refused" : "accepted");
        wrong++;
    }
    tn_device_close(device);
    assert_int_equal(wrong, 0);
}

static void operators_are_listed_with_their_operands_and_attributes(void **state)
{
    static const struct {
        const char *op, *attributes;
        int32_t operands;
    } known[] = {{"relu", "", 1},
                 {"add", "", 2},
                 {"input", "", 0},
                 {"concat", "axis: axis", -1},
                 {"reduce", "kind: sum|prod|max|min|argmax|argmin, axes: axes, keep: flag", 1},
                 {"conv2d",
                  "stride: factor[2], pad: size[2], dilation: factor[2], groups: factor, "
                  "channels_last: flag, size: size[2]",
                  2},
                 {"cast", "dtype: type", 1},
                 {"constant", "data: bytes, dtype: type", 0},
                 {"slice", "shape: shape, start: number[8], step: number[8]", 1}};
    (void)state;
    tn_op_entry entry;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        assert_int_equal(tn_op_at(index_of(known[i].op), &entry), 1);
        assert_string_equal(entry.attributes, known[i].attributes);
        assert_int_equal(entry.operands, known[i].operands);
    }
    for (size_t i = 0; tn_op_at(i, &entry); i++) {
        assert_true(strlen(entry.attributes) < 199); /* none is cut */
        assert_null(strstr(entry.attributes, "null"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_names_i32_where_it_is_accepted),
        cmocka_unit_test(operators_are_listed_with_their_operands_and_attributes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
