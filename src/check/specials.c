/* specials.c: long rows with infinities, NaN and equal numbers in them, for operators that look for a row's largest
 * number or its place, which backends do in lanes and in parts that are joined, and for those that normalise a row,
 * which must not spoil others; and pictures with an infinity, which only the windows that see it may have. */
#include <math.h>

#include "cases.h"
#include "conv.h"
#include "kit.h"
#include "layer_norm.h"

/* The columns `from` to before `to` of row `row` become `value`. */
typedef struct special {
    int64_t row, from, to;
    double value;
} special;

static tn_tensor *put(tn_tensor *x, const special *s)
{
    tn_tensor *row = tn_iota(tn_graph_of(x), tn_shape_of(x), 0), *column = tn_iota(tn_graph_of(x), tn_shape_of(x), 1);
    tn_tensor *inside = tn_logical_and(tn_ge(column, tn_number(column, (double)s->from)),
                                       tn_lt(column, tn_number(column, (double)s->to)));
    inside = tn_logical_and(inside, tn_eq(row, tn_number(row, (double)s->row)));
    return tn_where(inside, tn_number(x, s->value), x);
}

/* x, of eight rows: one that begins with -inf, for shorter and longer; nothing else; +inf, twice; NaN at the end, in
 * the middle and behind -inf; one number only. */
static tn_tensor *spoil(tn_tensor *x)
{
    const int64_t n = tn_shape_of(x).dim[1];
    const special list[] = {
        {0, 0, 1, -INFINITY},    {1, 0, n - 3, -INFINITY}, {2, 0, n, -INFINITY},       {3, 37, 38, INFINITY},
        {3, n - 2, n, INFINITY}, {4, n - 1, n, NAN},       {5, n / 2, n / 2 + 1, NAN}, {6, 0, 42, -INFINITY},
        {6, 43, 44, NAN},        {7, 0, 41, -INFINITY},    {7, 42, n, -INFINITY},
    };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) x = put(x, &list[i]);
    return x;
}

#define SPOILED(name, call)                                                                                            \
    static tn_tensor *name(tn_tensor *const in[])                                                                      \
    {                                                                                                                  \
        tn_tensor *x = spoil(in[0]);                                                                                   \
        return call;                                                                                                   \
    }
SPOILED(softmax, tn_softmax(x, 1))
SPOILED(log_softmax, tn_log_softmax(x, 1))
SPOILED(softmax_of_columns, tn_softmax(tn_transpose(x, NULL), 0))
SPOILED(largest, tn_amax(x, TN_AXES(1), 0))
SPOILED(smallest, tn_amin(x, TN_AXES(1), 0))
SPOILED(place_of_largest, tn_argmax(x, 1))
SPOILED(place_of_smallest, tn_argmin(x, 1))
SPOILED(largest_of_columns, tn_amax(tn_transpose(x, NULL), TN_AXES(0), 0))

SPOILED(rows_normalized, tn_layer_normalize(x, in[1], 1e-5, (tn_layer_normalize_options){.bias = in[2]}))
SPOILED(rows_by_mean_square, tn_layer_normalize(x, in[1], 1e-5, (tn_layer_normalize_options){.keep_mean = 1}))
SPOILED(slopes_of_rows, tn_layer_norm_slopes(x, in[1], in[2], &(tn_layer_norm_node){1e-5, 1, 0}))

/* Numbers of f32 that are 10000 from where they were. */
static tn_tensor *far_away(tn_tensor *x)
{
    return tn_add(x, tn_number(x, 10000));
}

static tn_tensor *far_rows_normalized(tn_tensor *const in[])
{
    return tn_layer_normalize(far_away(in[0]), in[1], 1e-5, (tn_layer_normalize_options){.bias = in[2]});
}

static tn_tensor *slopes_of_far_rows(tn_tensor *const in[])
{
    return tn_layer_norm_slopes(far_away(in[0]), in[1], in[2], &(tn_layer_norm_node){1e-5, 1, 0});
}

static tn_tensor *first_of_equals(tn_tensor *const in[])
{
    return tn_argmax(tn_floor(in[0]), -1);
}

static tn_tensor *first_of_equals_in_columns(tn_tensor *const in[])
{
    return tn_argmin(tn_floor(in[0]), 0);
}

/* 0 and -0 are equal. */
static tn_tensor *first_of_zeros(tn_tensor *const in[])
{
    return tn_argmax(tn_mul(tn_sign(in[0]), tn_number(in[0], 0)), -1);
}

static tn_tensor *first_least_of_zeros(tn_tensor *const in[])
{
    return tn_argmin(tn_mul(tn_sign(in[0]), tn_number(in[0], 0)), -1);
}

/* The first pixel of its second row is infinite, in each channel. */
static tn_tensor *dazzle(tn_tensor *x)
{
    tn_tensor *row = tn_iota(tn_graph_of(x), tn_shape_of(x), 2), *column = tn_iota(tn_graph_of(x), tn_shape_of(x), 3);
    tn_tensor *there = tn_logical_and(tn_eq(row, tn_number(row, 1)), tn_eq(column, tn_number(column, 0)));
    return tn_where(there, tn_number(x, INFINITY), x);
}

static tn_tensor *windows(tn_tensor *const in[])
{
    return tn_convolve2d(dazzle(in[0]), in[1], (tn_conv_options){0});
}

static tn_tensor *windows_depthwise(tn_tensor *const in[])
{
    return tn_convolve2d(dazzle(in[0]), in[1], (tn_conv_options){.groups = 5});
}

static tn_tensor *windows_spread(tn_tensor *const in[])
{
    return tn_convolve2d_transposed(dazzle(in[0]), in[1], (tn_conv_options){.groups = 5});
}

static tn_tensor *weight(tn_tensor *const in[])
{
    return tn_conv_weight(dazzle(in[0]), in[1], &(tn_conv_node){{1, 1}, {0, 0}, {1, 1}, 1, 0, {0, 0}}, 3, 3);
}

static tn_tensor *weight_depthwise(tn_tensor *const in[])
{
    return tn_conv_weight(dazzle(in[0]), in[1], &(tn_conv_node){{1, 1}, {0, 0}, {1, 1}, 5, 0, {0, 0}}, 3, 3);
}

const tn_op_case tn_kit_specials[] = {
    {"softmax of 257", softmax, {F32(8, 257)}, .no_gradient = 1},
    {"softmax of 5003", softmax, {F32(8, 5003)}, .no_gradient = 1},
    {"softmax of columns", softmax_of_columns, {F32(8, 257)}, .no_gradient = 1},
    {"its logarithm, of 5003", log_softmax, {F32(8, 5003)}, .no_gradient = 1},
    {"the largest of 5003", largest, {F32(8, 5003)}, .no_gradient = 1},
    {"the largest of 5003 in columns", largest_of_columns, {F32(8, 5003)}, .no_gradient = 1},
    {"the smallest of 5003", smallest, {F32(8, 5003)}, .no_gradient = 1},
    {"the place of the largest of 5003", place_of_largest, {F32(8, 5003)}, .no_gradient = 1},
    {"the place of the smallest of 5003", place_of_smallest, {F32(8, 5003)}, .no_gradient = 1},
    {"the first of equals in rows of 5003", first_of_equals, {F32(3, 5003)}, .no_gradient = 1},
    {"the first of zeros with signs", first_of_zeros, {F32(3, 257)}, .no_gradient = 1},
    {"the first least of zeros with signs", first_least_of_zeros, {F32(3, 257)}, .no_gradient = 1},
    {"the first of equals in columns of 5003", first_of_equals_in_columns, {F32(5003, 3)}, .no_gradient = 1},
    {"rows of 257 normalised", rows_normalized, {F32(10, 257), F32(257), F32(257)}, .no_gradient = 1},
    {"rows of 257 by their mean square", rows_by_mean_square, {F32(10, 257), F32(257)}, .no_gradient = 1},
    {"the slopes of rows of 257", slopes_of_rows, {F32(10, 257), F32(10, 257), F32(257)}, .no_gradient = 1},
    {"rows of 257 far from 0 normalised", far_rows_normalized, {F32(5, 257), F32(257), F32(257)}, .no_gradient = 1},
    {"the slopes of rows far from 0", slopes_of_far_rows, {F32(5, 257), F32(5, 257), F32(257)}, .no_gradient = 1},
    {"a picture with an infinity", windows, {F32(2, 3, 7, 9), F32(4, 3, 3, 3)}, .no_gradient = 1},
    {"a picture with an infinity, 16 channels", windows, {F32(2, 16, 7, 9), F32(16, 16, 3, 3)}, .no_gradient = 1},
    {"a picture with an infinity, depthwise", windows_depthwise, {F32(2, 5, 7, 9), F32(5, 1, 3, 3)}, .no_gradient = 1},
    {"an infinity spread, depthwise", windows_spread, {F32(2, 5, 7, 9), F32(5, 1, 3, 3)}, .no_gradient = 1},
    {"the weight's gradient by an infinity", weight, {F32(2, 16, 7, 9), F32(2, 16, 5, 7)}, .no_gradient = 1},
    {"the weight's gradient by an infinity, depthwise",
     weight_depthwise,
     {F32(2, 5, 7, 9), F32(2, 5, 5, 7)},
     .no_gradient = 1},
    {0},
};
