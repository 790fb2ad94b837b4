/* test_sizes.c: the sizes of pooled pictures: PyTorch's, with windows over the end and without; and pairs of which but
 * the height is given. */
#include "near.h"
#include "tenon/tenon.h"

static const struct {
    int64_t x, y, y_ceil;
    uint32_t window, stride, pad;
} sizes[] = {
    {7, 3, 3, 3, 2, 0}, /* the last window ends at the end */
    {8, 3, 4, 3, 2, 0}, /* one reaches over it */
    {5, 2, 2, 3, 3, 1}, /* one would begin in the padding behind it */
    {6, 2, 3, 3, 3, 1}, {4, 2, 2, 2, 2, 0}, {1, 1, 1, 3, 2, 1}, {9, 3, 3, 1, 4, 0}, {10, 3, 3, 2, 4, 0},
};

static void a_picture_is_pooled_to_as_many_elements_as_in_pytorch(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (uint32_t ceil_mode = 0; ceil_mode < 2; ceil_mode++) {
            tn_graph *g = tn_graph_new();
            uint32_t w = sizes[i].window, s = sizes[i].stride, p = sizes[i].pad;
            int64_t want = ceil_mode ? sizes[i].y_ceil : sizes[i].y;
            tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(1, 1, sizes[i].x, sizes[i].x));
            tn_tensor *y = tn_maxpool2d(x, .window = {w, w}, .stride = {s, s}, .pad = {p, p}, .ceil_mode = ceil_mode);
            if (tn_graph_status(g)) fail_msg("row %zu: %s", i, tn_message());
            if (tn_shape_of(y).dim[2] != want || tn_shape_of(y).dim[3] != want)
                fail_msg("row %zu, ceil_mode %u: %lld, expected %lld", i, ceil_mode, (long long)tn_shape_of(y).dim[2],
                         (long long)want);
            tn_graph_free(g);
        }
}

/* What is given in part, and the same in full, of an x of 7 x 11. */
static void a_width_that_is_not_given_is_the_height(void **state)
{
    tn_graph *g = tn_graph_new();
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(1, 1, 7, 11));
    tn_tensor *w = tn_input(g, "w", TN_F32, TN_SHAPE(1, 1, 2, 2));
    tn_tensor *pairs[][2] = {
        {tn_maxpool2d(x, .window = {2}), tn_maxpool2d(x, .window = {2, 2})},
        {tn_avgpool2d(x, .window = {3}), tn_avgpool2d(x, .window = {3, 3})},
        {tn_maxpool2d(x, .window = {3}, .stride = {2}), tn_maxpool2d(x, .window = {3, 3}, .stride = {2, 2})},
        {tn_avgpool2d(x, .window = {3, 2}, .stride = {1}), tn_avgpool2d(x, .window = {3, 2}, .stride = {1, 1})},
        {tn_maxpool2d(x, .window = {3, 2}), tn_maxpool2d(x, .window = {3, 2}, .stride = {3, 2})},
        {tn_convolve2d(x, w, (tn_conv_options){.stride = {2}}),
         tn_convolve2d(x, w, (tn_conv_options){.stride = {2, 2}})},
        {tn_convolve2d(x, w, (tn_conv_options){.dilation = {3}}),
         tn_convolve2d(x, w, (tn_conv_options){.dilation = {3, 3}})},
        {tn_convolve2d_transposed(x, w, (tn_conv_options){.stride = {2}}),
         tn_convolve2d_transposed(x, w, (tn_conv_options){.stride = {2, 2}})},
    };
    (void)state;
    if (tn_graph_status(g)) fail_msg("%s", tn_message());
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        tn_shape part = tn_shape_of(pairs[i][0]), whole = tn_shape_of(pairs[i][1]);
        for (int d = 2; d < 4; d++)
            if (part.dim[d] != whole.dim[d])
                fail_msg("pair %zu: dimension %d is %lld and %lld", i, d, (long long)part.dim[d],
                         (long long)whole.dim[d]);
    }
    tn_graph_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_picture_is_pooled_to_as_many_elements_as_in_pytorch),
                                       cmocka_unit_test(a_width_that_is_not_given_is_the_height)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
