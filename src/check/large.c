/* large.c: operations of sizes at which backends do otherwise than with small ones: they take several threads, another
 * kernel, a library, parts that are joined, scratch memory, numbers of more than 16 bits. Where a border of one of our
 * backends is known, there is a case on each side of it. */
#include "cases.h"
#include "kit.h"

#define MANY 66003 /* more than 16 bits hold, and no multiple of anything */

/* ---- products ---- */

static tn_tensor *product(tn_tensor *const in[])
{
    return tn_matmul(in[0], in[1]);
}

static tn_tensor *product_tn(tn_tensor *const in[])
{
    return tn_matmul_t(in[0], in[1], 1, 0);
}

static tn_tensor *product_nt(tn_tensor *const in[])
{
    return tn_matmul_t(in[0], in[1], 0, 1);
}

static tn_tensor *linear(tn_tensor *const in[])
{
    return tn_tanh(tn_add(product_nt(in), in[2]));
}

static tn_tensor *batches(tn_tensor *const in[])
{
    return tn_tanh(tn_add(product(in), in[2]));
}

/* A sum in which a few digits fewer show; the numbers have both signs, for in no order are those of one sign exact. */
static const tn_op_case deep[] = {
    {"9001 deep", product, {F32(5, 9001), F32(9001, 7)}},
    {"9001 deep, a transposed", product_tn, {F32(9001, 5), F32(9001, 7)}},
    {"9001 deep, b transposed", product_nt, {F32(5, 9001), F32(7, 9001)}},
    {"8193 deep, five batches", product, {F32(5, 3, 8193), F32(5, 8193, 4)}},
    {"70001 deep", product, {F32(2, 70001), F32(70001, 3)}},
    {"2047 deep, a few elements", product, {F32(3, 2047), F32(2047, 5)}},
    {"2049 deep, a few elements", product, {F32(3, 2049), F32(2049, 5)}},
    {0},
};

/* cpu: 100 and 400 thousand operations; opencl: half a million, 4 million, 8 million. */
static const tn_op_case layers[] = {
    {"99,200 operations", linear, {F32(50, 31), F32(32, 31), F32(32)}},
    {"101,184 operations", linear, {F32(51, 31), F32(32, 31), F32(32)}},
    {"395,010 operations", linear, {F32(57, 55), F32(63, 55), F32(63)}},
    {"402,192 operations", linear, {F32(57, 56), F32(63, 56), F32(63)}},
    {"516,096 operations", linear, {F32(64, 64), F32(63, 64), F32(63)}},
    {"532,480 operations", linear, {F32(64, 64), F32(65, 64), F32(65)}},
    {"3,968,750 operations", linear, {F32(125, 127), F32(125, 127), F32(125)}},
    {"4,032,504 operations", linear, {F32(127, 126), F32(126, 126), F32(126)}},
    {"9 million operations", linear, {F32(161, 167), F32(169, 167), F32(169)}},
    {"128 rows", linear, {F32(128, 37), F32(33, 37), F32(33)}},
    {"129 rows", linear, {F32(129, 37), F32(33, 37), F32(33)}},
    {"256 rows of 256", linear, {F32(256, 20), F32(256, 20), F32(256)}},
    {"257 rows of 256", linear, {F32(257, 20), F32(256, 20), F32(256)}},
    {"2101 columns", linear, {F32(5, 41), F32(2101, 41), F32(2101)}},
    {"66003 rows", linear, {F32(MANY, 3), F32(2, 3), F32(2)}},
    {0},
};

static const tn_op_case batched[] = {
    {"five batches", batches, {F32(5, 33, 40), F32(5, 40, 37), F32(5, 1, 37)}},
    {"five batches, a bias for each row", batches, {F32(5, 33, 40), F32(5, 40, 37), F32(5, 33, 1)}},
    {"71 batches, a bias for each", batches, {F32(71, 7, 9), F32(71, 9, 5), F32(71, 1, 1)}},
    {"one b for nine batches", batches, {F32(9, 20, 30), F32(30, 40), F32(9, 20, 40)}},
    {"one a for nine batches", batches, {F32(20, 30), F32(9, 30, 40), F32(9, 20, 40)}},
    {"66003 batches", product, {F32(MANY, 2, 2), F32(MANY, 2, 1)}},
    {0},
};

/* ---- pictures ---- */

static tn_tensor *conv(tn_tensor *const in[], tn_conv_options options)
{
    return tn_tanh(tn_add(tn_convolve2d(in[0], in[1], options), tn_reshape(in[2], TN_SHAPE(-1, 1, 1))));
}

static tn_tensor *conv_plain(tn_tensor *const in[])
{
    return conv(in, (tn_conv_options){0});
}

static tn_tensor *conv_padded(tn_tensor *const in[])
{
    return conv(in, (tn_conv_options){.pad = {1, 1}});
}

static tn_tensor *conv_strided(tn_tensor *const in[])
{
    return conv(in, (tn_conv_options){.stride = {2, 2}, .pad = {1, 1}, .groups = 2});
}

static tn_tensor *conv_dilated(tn_tensor *const in[])
{
    return conv(in, (tn_conv_options){.dilation = {2, 3}});
}

static tn_tensor *conv_depthwise(tn_tensor *const in[])
{
    return conv(in, (tn_conv_options){.pad = {1, 1}, .groups = 40});
}

/* cpu: 400 thousand operations, 1024 pixels, fewer with many filters, steps with 16 filters and channels; opencl: sums
 * over 2048 pixels, rows of whole vectors. */
static const tn_op_case pictures[] = {
    {"395,136 operations", conv_padded, {F32(2, 4, 14, 14), F32(14, 4, 3, 3), F32(14)}},
    {"423,360 operations", conv_padded, {F32(2, 4, 14, 14), F32(15, 4, 3, 3), F32(15)}},
    {"1640 pixels", conv_padded, {F32(1, 3, 40, 41), F32(5, 3, 3, 3), F32(5)}},
    {"130 filters, 625 pixels", conv_padded, {F32(1, 2, 25, 25), F32(130, 2, 3, 3), F32(130)}},
    {"32 channels, 8 filters", conv_padded, {F32(2, 32, 12, 13), F32(8, 32, 3, 3), F32(8)}},
    {"3 channels, 40 filters", conv_padded, {F32(2, 3, 20, 20), F32(40, 3, 3, 3), F32(40)}},
    {"5 pictures, strides, 2 groups", conv_strided, {F32(5, 6, 33, 71), F32(8, 3, 3, 3), F32(8)}},
    {"strides, 2 groups of 16 channels", conv_strided, {F32(3, 32, 9, 33), F32(48, 16, 3, 3), F32(48)}},
    {"dilation", conv_dilated, {F32(5, 7, 21, 23), F32(11, 7, 3, 3), F32(11)}},
    {"1 x 1", conv_plain, {F32(5, 16, 12, 12), F32(20, 16, 1, 1), F32(20)}},
    {"more weights than pixels", conv_padded, {F32(2, 20, 6, 6), F32(256, 20, 3, 3), F32(256)}},
    {"windows of whole pictures", conv_plain, {F32(3, 48, 5, 4), F32(70, 48, 5, 4), F32(70)}},
    {"40 groups of one channel", conv_depthwise, {F32(2, 40, 190, 18), F32(40, 1, 3, 3), F32(40)}},
    {"40 groups of one channel, wide windows", conv_depthwise, {F32(2, 40, 190, 18), F32(40, 1, 3, 4), F32(40)}},
    {"81 taps, rows of 16 pixels", conv_padded, {F32(3, 9, 16, 16), F32(12, 9, 3, 3), F32(12)}},
    {"71 pictures", conv_plain, {F32(71, 3, 9, 9), F32(4, 3, 3, 3), F32(4)}},
    {0},
};

static tn_tensor *max_halves(tn_tensor *const in[])
{
    return tn_maxpool2d(in[0], .window = {2, 2});
}

static tn_tensor *max_overlap(tn_tensor *const in[])
{
    return tn_maxpool2d(in[0], .window = {3, 3}, .stride = {2, 2}, .pad = {1, 1});
}

static tn_tensor *mean_overlap(tn_tensor *const in[])
{
    return tn_avgpool2d(in[0], .window = {3, 3}, .stride = {2, 2}, .pad = {1, 1});
}

static const tn_op_case pools[] = {
    {"66048 planes", max_halves, {F32(258, 256, 2, 2)}},
    {"many pixels", max_halves, {F32(3, 5, 90, 91)}},
    {"windows that overlap", max_overlap, {F32(4, 16, 30, 34)}},
    {"means of windows that overlap", mean_overlap, {F32(4, 16, 30, 34)}},
    {0},
};

/* ---- sums and other folds ---- */

static tn_tensor *sum_all(tn_tensor *const in[])
{
    return tn_sum(in[0], TN_ALL, 0);
}

static tn_tensor *sum_rows(tn_tensor *const in[])
{
    return tn_sum(in[0], TN_AXES(-1), 0);
}

static tn_tensor *sum_columns(tn_tensor *const in[])
{
    return tn_sum(in[0], TN_AXES(0), 0);
}

static tn_tensor *sum_middle(tn_tensor *const in[])
{
    return tn_sum(in[0], TN_AXES(1), 1);
}

static tn_tensor *sum_around(tn_tensor *const in[])
{
    return tn_sum(in[0], TN_AXES(0, 2), 0);
}

static tn_tensor *squared_error(tn_tensor *const in[])
{
    return tn_mean(tn_square(tn_sub(in[0], in[1])), TN_ALL, 0);
}

static tn_tensor *max_all(tn_tensor *const in[])
{
    return tn_amax(in[0], TN_ALL, 0);
}

static tn_tensor *place_of_max(tn_tensor *const in[])
{
    return tn_argmax(in[0], -1);
}

static tn_tensor *place_in_columns(tn_tensor *const in[])
{
    return tn_argmax(in[0], 0);
}

static tn_tensor *prod_all(tn_tensor *const in[])
{
    return tn_prod(in[0], TN_ALL, 0);
}

/* Positive numbers: a sum one after the other in f32 loses what each adds. cpu cuts at 64 Ki, opencl at 8192. */
static const tn_op_case sums[] = {
    {"1,000,003 numbers", sum_all, {F32(1000003)}, 0, 1, 1},
    {"8191 numbers", sum_all, {F32(8191)}, 0, 1, 1},
    {"8193 numbers", sum_all, {F32(8193)}, 0, 1, 1},
    {"131,071 numbers", sum_all, {F32(131071)}, 0, 1, 1},
    {"131,073 numbers", sum_all, {F32(131073)}, 0, 1, 1},
    {"66003 rows", sum_rows, {F32(MANY, 3)}, 0, 1},
    {"rows of 66003", sum_rows, {F32(5, MANY)}, 0, 1, 1},
    {"columns of 66003", sum_columns, {F32(MANY, 3)}, 0, 1},
    {"66003 columns", sum_columns, {F32(5, MANY)}, 0, 1, 1},
    {"700 rows of 600 columns", sum_middle, {F32(3, 700, 600)}, 0, 1, 1},
    {"around 300 channels", sum_around, {F32(7, 300, 100)}, 0, 1, 1},
    {"around 7 channels", sum_around, {F32(300, 7, 100)}, 0, 1, 1},
    {"the squares of 300,001 differences", squared_error, {F32(300001), F32(300001)}},
    {0},
};

static const tn_op_case folds[] = {
    {"the largest of a million", max_all, {F32(1000003)}, .no_gradient = 1},
    {"a product of 70001", prod_all, {F32(70001)}, 0.9999, 1.0001},
    {"the place of the largest of a million", place_of_max, {F32(1000003)}, .no_gradient = 1},
    {"in rows of 66003", place_of_max, {F32(3, MANY)}, .no_gradient = 1},
    {"in 66003 rows", place_of_max, {F32(MANY, 3)}, .no_gradient = 1},
    {"in columns of 66003", place_in_columns, {F32(MANY, 3)}, .no_gradient = 1},
    {"whole numbers, many alike", place_of_max, {I32(3, MANY)}, -50, 50, 1},
    {"a sum of whole numbers", sum_all, {I32(1000003)}, -2000000000, 2000000000, 1},
    {0},
};

static tn_tensor *softmax(tn_tensor *const in[])
{
    return tn_softmax(in[0], 1);
}

static tn_tensor *log_softmax(tn_tensor *const in[])
{
    return tn_log_softmax(in[0], 1);
}

/* A row beyond a thread's stack. In f64 what it gives would depend on the order in which so many are added. */
static tn_tensor *softmax_of_f32(tn_tensor *const in[])
{
    return tn_softmax(tn_cast(in[0], TN_F32), 1);
}

static const tn_op_case softmaxes[] = {
    {"66003 rows", softmax, {F32(MANY, 2)}},
    {"rows of 66003", softmax, {F32(2, MANY)}},
    {"columns", softmax, {F32(2, 150, 257)}},
    {"a row of 1,200,007", softmax_of_f32, {F32(1, 1200007)}, .no_gradient = 1},
    {"1599 numbers", softmax, {F32(39, 41)}},
    {"1600 numbers", softmax, {F32(40, 40)}},
    {"the logarithm, 66003 rows", log_softmax, {F32(MANY, 2)}},
    {"the logarithm, rows of 66003", log_softmax, {F32(2, MANY)}, .no_gradient = 1},
    {"the logarithm, columns", log_softmax, {F32(2, 150, 257)}, .no_gradient = 1},
    {0},
};

static tn_tensor *running_sum(tn_tensor *const in[])
{
    return tn_cumsum(in[0], 1, 0, 0);
}

static tn_tensor *running_sum_back(tn_tensor *const in[])
{
    return tn_cumsum(in[0], 0, 1, 1);
}

static tn_tensor *largest_two(tn_tensor *const in[])
{
    return tn_topk(in[0], 2, 1, 0, NULL);
}

static tn_tensor *search(tn_tensor *x, int64_t count)
{
    return tn_searchsorted(tn_cast(tn_iota(tn_graph_of(x), TN_SHAPE(count), 0), tn_dtype_of(x)), x, 0);
}

static tn_tensor *search_few(tn_tensor *const in[])
{
    return search(in[0], 301);
}

static tn_tensor *search_many(tn_tensor *const in[])
{
    return search(in[0], 70001);
}

static const tn_op_case scans[] = {
    {"rows of 66003", running_sum, {F32(3, MANY)}},
    {"66003 rows", running_sum, {F32(MANY, 3)}},
    {"back, columns of 66003", running_sum_back, {F32(MANY, 3)}},
    {"back, 66003 columns", running_sum_back, {F32(3, MANY)}},
    {0},
};

static const tn_op_case orders[] = {
    {"the first two of each of 66003 rows", largest_two, {F32(MANY, 5)}, .no_gradient = 1},
    {"the first two of rows of 66003", largest_two, {F32(2, MANY)}, .no_gradient = 1},
    {"66003 places among 301", search_few, {F32(MANY)}, -1, 301, 1},
    {"301 places among 70001", search_many, {F32(301)}, -1, 70001, 1},
    {0},
};

/* ---- rows by their numbers ---- */

static tn_tensor *gather(tn_tensor *const in[])
{
    return tn_gather(in[0], in[1]);
}

static tn_tensor *scatter_many(tn_tensor *const in[])
{
    return tn_scatter_add(in[0], in[1], 70001);
}

static tn_tensor *scatter_few(tn_tensor *const in[])
{
    return tn_scatter_add(in[0], in[1], 7);
}

static tn_tensor *take_0(tn_tensor *const in[])
{
    return tn_take(in[0], in[1], 0);
}

static tn_tensor *take_1(tn_tensor *const in[])
{
    return tn_take(in[0], in[1], 1);
}

static const tn_op_case gathers[] = {
    {"66003 of 70001 rows", gather, {F32(70001, 3), I32(MANY)}, -1, 70001},
    {"66003 of 70001 numbers", gather, {F32(70001), I32(MANY)}, -1, 70001},
    {"300 of 40 wide rows", gather, {F32(40, 1000), I32(300)}, 0, 39},
    {"along the first axis", take_0, {F32(70001, 3), I32(MANY, 3)}, -1, 70001},
    {"along the last axis", take_1, {F32(3, 70001), I32(3, MANY)}, -1, 70001},
    {0},
};

static const tn_op_case scatters[] = {
    {"66003 rows to 70001", scatter_many, {I32(MANY), F32(MANY, 3)}, -1, 70001},
    {"66003 numbers to 70001", scatter_many, {I32(MANY), F32(MANY)}, -1, 70001},
    {"66003 rows to 7", scatter_few, {I32(MANY), F32(MANY, 2)}, -7, 7},
    {"3000 wide rows to 7", scatter_few, {I32(3000), F32(3000, 65)}, -7, 7},
    {0},
};

/* ---- moves ---- */

static tn_tensor *transpose(tn_tensor *const in[])
{
    return tn_transpose(in[0], NULL);
}

static tn_tensor *turn_left(tn_tensor *const in[])
{
    return tn_transpose(in[0], (const int32_t[]){1, 2, 0});
}

static tn_tensor *eight_turned(tn_tensor *const in[])
{
    return tn_transpose(in[0], (const int32_t[]){3, 5, 0, 7, 2, 4, 1, 6});
}

static tn_tensor *rows_moved(tn_tensor *const in[])
{
    return tn_transpose(in[0], (const int32_t[]){1, 0, 2});
}

static tn_tensor *eight_but_the_last(tn_tensor *const in[])
{
    return tn_transpose(in[0], (const int32_t[]){6, 5, 4, 3, 2, 1, 0, 7});
}

static tn_tensor *every_third(tn_tensor *const in[])
{
    return tn_slice(in[0], 0, 70000, 23000, -3);
}

static tn_tensor *pad(tn_tensor *const in[])
{
    return tn_pad(tn_pad(in[0], 0, 2, 3), 1, 1, 0);
}

static tn_tensor *concat(tn_tensor *const in[])
{
    return tn_concat(in, 3, 0);
}

static tn_tensor *concat_last(tn_tensor *const in[])
{
    return tn_concat(in, 2, 1);
}

static tn_tensor *window(tn_tensor *const in[])
{
    return tn_dynamic_slice(in[0], tn_scalar_input(tn_graph_of(in[0]), "start", TN_I32, 66001), 70);
}

static const tn_op_case moves[] = {
    {"70001 rows turned", transpose, {F32(70001, 3)}},
    {"300 by 257 turned", transpose, {F32(300, 257)}},
    {"three dimensions turned", turn_left, {F32(3, 300, 257)}},
    {"eight dimensions turned", eight_turned, {F32(3, 8, 2, 5, 9, 4, 7, 6)}, .no_gradient = 1},
    {"short rows moved", rows_moved, {F32(70, 90, 5)}},
    {"rows of 1030 moved", rows_moved, {F32(19, 33, 1030)}},
    {"eight dimensions, the last in its place", eight_but_the_last, {F32(3, 4, 2, 5, 3, 4, 2, 7)}, .no_gradient = 1},
    {"every third row, backwards", every_third, {F32(70001, 3)}},
    {"zeros around", pad, {F32(MANY, 3)}},
    {"66003 rows and others", concat, {F32(MANY, 3), F32(1, 3), F32(5000, 3)}},
    {"66003 rows side by side", concat_last, {F32(MANY, 3), F32(MANY, 2)}},
    {"rows from number 66001 on", window, {F32(MANY + 70, 3)}, .no_gradient = 1},
    {0},
};

/* ---- maps ---- */

static tn_tensor *add(tn_tensor *const in[])
{
    return tn_add(in[0], in[1]);
}

static tn_tensor *scaled(tn_tensor *const in[])
{
    return tn_add(tn_mul(in[0], in[1]), in[2]);
}

static const tn_op_case maps[] = {
    {"1,100,003 numbers", add, {F32(1100003), F32(1100003)}, .no_gradient = 1},
    {"66003 rows", scaled, {F32(MANY, 3), F32(3), F32(MANY, 1)}},
    {"rows of 66003", scaled, {F32(2, MANY), F32(MANY), F32(2, 1)}},
    {0},
};

/* Dimensions that are repeated and others by turns, so that none of them merge. */
static const tn_op_case ranks[] = {
    {"rank 3", scaled, {F32(29, 33, 31), F32(29, 1, 31), F32(1, 33, 1)}},
    {"rank 4", scaled, {F32(9, 11, 13, 23), F32(9, 1, 13, 1), F32(1, 11, 1, 23)}},
    {"rank 5", scaled, {F32(7, 8, 9, 5, 13), F32(7, 1, 9, 1, 13), F32(1, 8, 1, 5, 1)}},
    {"rank 6", scaled, {F32(5, 6, 7, 6, 3, 8), F32(5, 1, 7, 1, 3, 1), F32(1, 6, 1, 6, 1, 8)}},
    {"rank 7", scaled, {F32(4, 5, 4, 6, 4, 3, 5), F32(4, 1, 4, 1, 4, 1, 5), F32(1, 5, 1, 6, 1, 3, 1)}},
    {"rank 8", scaled, {F32(3, 4, 2, 3, 4, 5, 3, 7), F32(3, 1, 2, 1, 4, 1, 3, 1), F32(1, 4, 1, 3, 1, 5, 1, 7)}},
    {"rank 8, the last repeated", scaled, {F32(3, 4, 2, 3, 4, 5, 3, 7), F32(1, 4, 1, 3, 1, 5, 1, 7), F32(7)}},
    {"leading dimensions repeated", scaled, {F32(2, 3, 2, 3, 2, 3, 2, 5), F32(2, 5), F32(2, 1, 1, 1, 2, 3, 1, 1)}},
    {0},
};

static tn_tensor *uniform(tn_tensor *const in[])
{
    return tn_random_uniform(tn_graph_of(in[0]), tn_shape_of(in[0]));
}

static tn_tensor *normal(tn_tensor *const in[])
{
    return tn_random_normal(tn_graph_of(in[0]), tn_shape_of(in[0]));
}

static tn_tensor *count_up(tn_tensor *const in[])
{
    return tn_iota(tn_graph_of(in[0]), tn_shape_of(in[0]), 0);
}

static const tn_op_case randoms[] = {
    {"300,001 uniform numbers", uniform, {F32(300001)}, .no_gradient = 1},
    {"300,001 normal numbers", normal, {F32(300001)}, .no_gradient = 1},
    {"300,001 places", count_up, {F32(300001)}, .no_gradient = 1},
    {0},
};

const tn_op_def tn_kit_large_sizes[] = {
    {.name = "deep", .doc = "products deeper than 8192", .cases = deep},
    {.name = "layers",
     .doc = "products on both sides of what is done by threads, libraries or in parts",
     .cases = layers},
    {.name = "batches", .doc = "products of more than three batches, and what is added to each", .cases = batched},
    {.name = "pictures", .doc = "convolutions on both sides of what is done by threads or in parts", .cases = pictures},
    {.name = "pools", .doc = "pooling of many pictures and of large ones", .cases = pools},
    {.name = "sums", .doc = "sums over a million, of many rows and of long ones", .cases = sums},
    {.name = "folds", .doc = "maxima, products and places over many", .cases = folds},
    {.name = "softmaxes", .doc = "softmax of many rows and of long ones", .cases = softmaxes},
    {.name = "specials", .doc = "infinities, NaN and equal numbers in long rows", .cases = tn_kit_specials},
    {.name = "scans", .doc = "running sums of many rows and of long ones", .cases = scans},
    {.name = "orders", .doc = "places in an order, of many rows and in long ones", .cases = orders},
    {.name = "gathers", .doc = "rows and elements by numbers of more than 16 bits", .cases = gathers},
    {.name = "scatters", .doc = "sums of many rows by their numbers", .cases = scatters},
    {.name = "moves", .doc = "transposing, slicing, joining more than 65536 rows", .cases = moves},
    {.name = "maps", .doc = "element-wise work on a million numbers", .cases = maps},
    {.name = "ranks", .doc = "operands repeated along other dimensions, of rank 3 to 8", .cases = ranks},
    {.name = "random", .doc = "more than 65536 random numbers", .cases = randoms},
    {.name = NULL},
};
