/* test_formulas.c: operators that are made of others: how they refuse operands, and what they make of none, one, NaN
 * and infinity, where PyTorch's numbers (test_torch.c) do not reach. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tenon/tenon.h"

static void ok(tn_status s)
{
    if (s) fail_msg("%s: %s", tn_status_name(s), tn_message());
}

/* ---- refusals ---- */

static tn_tensor *split_in_two(tn_tensor *x)
{
    tn_tensor *parts[2];
    tn_split(x, 1, 2, parts);
    return parts[1];
}

static tn_tensor *apart_too_many(tn_tensor *x)
{
    tn_tensor *parts[2];
    tn_apart(x, (const tn_shape[]){TN_SHAPE(2), TN_SHAPE(2)}, 2, parts);
    return parts[1];
}

/* (1, 1, 1), stretched along an axis. */
static tn_tensor *wide(tn_tensor *x, int32_t axis, int64_t count)
{
    tn_shape to = TN_SHAPE(1, 1, 1);
    to.dim[axis] = count;
    return tn_broadcast(tn_sum(tn_reshape(x, TN_SHAPE(1, 1, 6)), TN_AXES(2), 1), to);
}

#define WIDE (INT64_C(1) << 40)

#define REFUSED(name, call)                                                                                            \
    static tn_tensor *refused_##name(tn_tensor *x)                                                                     \
    {                                                                                                                  \
        return call;                                                                                                   \
    }
#define ALL                                                                                                            \
    REFUSED(celu, tn_celu(x, 0))                                                                                       \
    REFUSED(hard_shrink, tn_hard_shrink(x, NAN))                                                                       \
    REFUSED(soft_shrink, tn_soft_shrink(x, -1))                                                                        \
    REFUSED(glu, tn_glu(x, 1))                                                                                         \
    REFUSED(norm, tn_norm(x, NAN, TN_ALL, 0))                                                                          \
    REFUSED(squeeze, tn_squeeze(x, 0))                                                                                 \
    REFUSED(unsqueeze, tn_unsqueeze(tn_reshape(x, TN_SHAPE(1, 1, 1, 1, 1, 1, 2, 3)), 0))                               \
    REFUSED(outer, tn_outer(tn_reshape(x, TN_SHAPE(1, 1, 1, 1, 1, 1, 2, 3)), x))                                       \
    REFUSED(twice, tn_sum(x, TN_AXES(1, -1), 0))                                                                       \
    REFUSED(9, tn_sum(x, (tn_axes){.count = 9}, 0))                                                                    \
    REFUSED(lengths, tn_recurrent(tn_reshape(x, TN_SHAPE(2, 3, 1)), "r", NULL, .units = 1,                             \
                                  .lengths = tn_full(tn_graph_of(x), TN_F32, TN_SHAPE(2), 1)))                         \
    REFUSED(swap_axes, tn_swap_axes(x, 0, 2))                                                                          \
    REFUSED(roll, tn_roll(x, 2, 1))                                                                                    \
    REFUSED(apart, apart_too_many(x))                                                                                  \
    REFUSED(split, split_in_two(x))                                                                                    \
    REFUSED(index_select, tn_index_select(x, 0, tn_cast(x, TN_I32)))                                                   \
    REFUSED(argsort, tn_argsort(x, -3, 0))                                                                             \
    REFUSED(slice, tn_pad_reflect(x, 1, 3, 0))                                                                         \
    REFUSED(repeat, tn_pad_edge(x, 1, -1, 0))                                                                          \
    REFUSED(diag, tn_diag(tn_unsqueeze(x, 0)))                                                                         \
    REFUSED(resize_nearest, tn_resize_nearest(x, 2, 2))                                                                \
    REFUSED(resize_bilinear, tn_resize_bilinear(tn_reshape(x, TN_SHAPE(1, 1, 2, 3)), 0, 2, 0))                         \
    REFUSED(conv_nd, tn_conv_nd(tn_reshape(x, TN_SHAPE(1, 2, 3)), tn_reshape(x, TN_SHAPE(1, 2, 3)),                    \
                                (tn_conv_nd_options){.dilation = {2}}))                                                \
    REFUSED(conv_nd_transposed, tn_conv_nd_transposed(tn_reshape(x, TN_SHAPE(1, 2, 3)),                                \
                                                      tn_reshape(x, TN_SHAPE(1, 2, 3)), (tn_conv_nd_options){0}))      \
    REFUSED(maxpool_nd, tn_maxpool_nd(tn_reshape(x, TN_SHAPE(1, 2, 3)), (tn_pool_nd_options){.window = {4}}))          \
    REFUSED(avgpool_nd, tn_avgpool_nd(x, (tn_pool_nd_options){.window = {1}}))                                         \
    REFUSED(lppool_nd, tn_lppool_nd(tn_reshape(x, TN_SHAPE(1, 2, 3)), 0, (tn_pool_nd_options){.window = {1}}))         \
    REFUSED(maxpool_nd_places, tn_maxpool_nd_places(x, (tn_pool_nd_options){.window = {1}}, 0, NULL))                  \
    REFUSED(max_unpool_nd, tn_max_unpool_nd(x, x, TN_SHAPE(1 << 30, 2)))                                               \
    REFUSED(unslice, tn_unslice(x, 1, 1, 2, 5))                                                                        \
    REFUSED(pad_value, tn_pad_value(x, 1, -1, 0, 2))                                                                   \
    REFUSED(grid_sample, tn_grid_sample(tn_reshape(x, TN_SHAPE(1, 1, 2, 3)), tn_reshape(x, TN_SHAPE(1, 1, 2, 3)),      \
                                        (tn_grid_options){0}))                                                         \
    REFUSED(affine_grid, tn_affine_grid(x, TN_SHAPE(2), 0))                                                            \
    REFUSED(cumprod, tn_cumprod(x, 2, 0, 0))                                                                           \
    REFUSED(local_response_norm,                                                                                       \
            tn_local_response_norm(tn_reshape(x, TN_SHAPE(6)), (tn_response_options){1, 1, 1, 1, 1}))                  \
    REFUSED(reverse_sequence, tn_reverse_sequence(x, tn_full(tn_graph_of(x), TN_I32, TN_SHAPE(2), 1), 0, 0))           \
    REFUSED(dft, tn_dft(x, NULL, (tn_dft_options){0}, NULL))                                                           \
    REFUSED(det, tn_det(x))                                                                                            \
    REFUSED(einsum, tn_einsum("ij", (tn_tensor *[]){x, x}, 2))                                                         \
    REFUSED(sizes, tn_einsum("ii", &x, 1))                                                                             \
    REFUSED(operand, tn_einsum("ij->k", &x, 1))                                                                        \
    REFUSED(nonzero, tn_nonzero(x, -1, NULL))                                                                          \
    REFUSED(compress, tn_compress(x, x, 0, 2, NULL))                                                                   \
    REFUSED(unique, tn_unique(tn_slice(x, 0, 0, 0, 1), NULL))                                                          \
    REFUSED(nms, tn_nms(x, x, 2, (tn_nms_options){0}))                                                                 \
    REFUSED(depth_to_space, tn_depth_to_space(tn_reshape(x, TN_SHAPE(1, 3, 2, 1)), 2))                                 \
    REFUSED(space_to_depth, tn_space_to_depth(tn_reshape(x, TN_SHAPE(1, 1, 2, 3)), 2))                                 \
    REFUSED(scatter, tn_scatter(x, tn_full(tn_graph_of(x), TN_I32, TN_SHAPE(2, 3), 1), x, 1, 5))                       \
    REFUSED(scatter_nd, tn_scatter_nd(x, tn_full(tn_graph_of(x), TN_I32, TN_SHAPE(2, 3), 1), x, 0))                    \
    REFUSED(gather_nd, tn_gather_nd(x, x))                                                                             \
    REFUSED(places, tn_gather_nd(tn_broadcast(tn_unsqueeze(x, 0), TN_SHAPE(1 << 30, 2, 3)),                            \
                                 tn_full(tn_graph_of(x), TN_I32, TN_SHAPE(1, 2), 1)))                                  \
    REFUSED(attend, tn_attend(x, x, x, (tn_attend_options){0}))                                                        \
    REFUSED(many, tn_attend(wide(x, 1, WIDE), wide(x, 1, 1), wide(x, 2, WIDE), (tn_attend_options){0}))                \
    REFUSED(rotary, tn_rotary(x, x, x, 0))                                                                             \
    REFUSED(quantize, tn_quantize(x, x, NULL, (tn_quantize_options){0, 1, 1}))                                         \
    REFUSED(dequantize, tn_dequantize(tn_cast(x, TN_I32), tn_reshape(x, TN_SHAPE(6)), NULL, 1))                        \
    REFUSED(quantize_range, tn_quantize_range(x, 0, 255, NULL))                                                        \
    REFUSED(interpolate, tn_interpolate(x, 0, 2, NAN, 1, (tn_interpolate_options){0}))                                 \
    REFUSED(resize, tn_resize(x, TN_SHAPE(2), (tn_resize_options){0}))                                                 \
    REFUSED(elements, tn_interpolate(x, 1, 2, 1e17, 1, (tn_interpolate_options){0}))                                   \
    REFUSED(pixel_shuffle, tn_pixel_shuffle(tn_reshape(x, TN_SHAPE(1, 3, 2, 1)), 2))                                   \
    REFUSED(pixel_unshuffle, tn_pixel_unshuffle(tn_reshape(x, TN_SHAPE(1, 1, 2, 3)), 2))
ALL
#undef REFUSED
#define REFUSED(name, call) {#name, refused_##name},

    static void
    impossible_operands_fail_the_graph_by_name(void **state)
{
    static const struct {
        const char *name;
        tn_tensor *(*build)(tn_tensor *x);
    } cases[] = {ALL};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tn_graph *graph = tn_graph_new();
        cases[i].build(tn_input(graph, "x", TN_F32, TN_SHAPE(2, 3)));
        if (!tn_graph_status(graph) || !strstr(tn_message(), cases[i].name))
            fail_msg("%s: status %d, %s", cases[i].name, tn_graph_status(graph), tn_message());
        tn_graph_free(graph);
    }
}

/* ---- values ---- */

#define N 4
typedef tn_tensor *formula(tn_tensor *x);

static tn_tensor *variance(tn_tensor *x)
{
    return tn_variance(tn_reshape(x, TN_SHAPE(N, 1)), TN_AXES(1), 1, 0);
}

static tn_tensor *norm(tn_tensor *x)
{
    return tn_norm(tn_reshape(x, TN_SHAPE(N, 1)), 2, TN_AXES(1), 0);
}

static tn_tensor *norm_below_0(tn_tensor *x)
{
    return tn_norm(tn_reshape(x, TN_SHAPE(N, 1)), -2, TN_AXES(1), 0);
}

static tn_tensor *norm_of_all(tn_tensor *x)
{
    return tn_broadcast(tn_norm(x, -1, TN_ALL, 0), TN_SHAPE(N));
}

static tn_tensor *ascending(tn_tensor *x)
{
    return tn_sort(x, 0, 0);
}

static tn_tensor *rolled(tn_tensor *x)
{
    return tn_roll(x, 0, -1);
}

static tn_tensor *hard(tn_tensor *x)
{
    return tn_hard_shrink(x, 2);
}

static tn_tensor *soft(tn_tensor *x)
{
    return tn_soft_shrink(x, 2);
}

static tn_tensor *celu(tn_tensor *x)
{
    return tn_celu(x, 2);
}

static tn_tensor *line(tn_tensor *x)
{
    return tn_linspace(tn_graph_of(x), 0.1, 0.7, N);
}

static tn_tensor *any_of_none(tn_tensor *x)
{
    tn_tensor *none = tn_reshape(tn_slice(x, 0, 0, 0, 1), TN_SHAPE(N, 0));
    return tn_add(tn_any(none, TN_AXES(1), 0), tn_mul(tn_all(none, TN_AXES(1), 0), tn_number(x, 3)));
}

static tn_tensor *halves(tn_tensor *x)
{
    tn_tensor *y = tn_resize_nearest(tn_reshape(x, TN_SHAPE(1, 1, 1, N)), 1, 3);
    return tn_reshape(tn_pad(y, 3, 0, 1), TN_SHAPE(N));
}

static tn_tensor *rows_of_none(tn_tensor *x)
{
    tn_tensor *none = tn_reshape(tn_slice(x, 0, 0, 0, 1), TN_SHAPE(0, 1, 2, 3));
    none = tn_add(tn_resize_bilinear(none, 3, 2, 1), tn_resize_nearest(none, 3, 2));
    return tn_add(tn_sum(none, TN_ALL, 0), tn_broadcast(tn_sum(tn_roll(none, 0, 1), TN_ALL, 0), TN_SHAPE(N)));
}

/* In f32 3/4 and what is just below 1/4 make 1. */
static tn_tensor *whole_sum(tn_tensor *x)
{
    return tn_cast(tn_cast(tn_add(x, tn_number(x, 0.25 - 0x1p-26)), TN_I32), TN_F32);
}

static tn_tensor *nonzero_bytes(tn_tensor *x)
{
    tn_tensor *places = tn_nonzero(tn_cast(x, TN_U8), N, NULL);
    return tn_cast(tn_reshape(places, TN_SHAPE(N)), TN_F32);
}

static tn_tensor *compressed_by_bytes(tn_tensor *x)
{
    return tn_compress(x, tn_cast(tn_relu(x), TN_U8), 0, N, NULL);
}

static tn_tensor *places(tn_tensor *x)
{
    const tn_pool_nd_options o = {.window = {2}, .stride = {1}, .begin = {1}};
    return tn_cast(tn_reshape(tn_maxpool_nd_places(tn_reshape(x, TN_SHAPE(1, 2, 2)), o, 0, NULL), TN_SHAPE(N)), TN_F32);
}

static int same(float a, float b)
{
    return a == b || (isnan(a) && isnan(b));
}

static int wrong(tn_device *device, const char *name, formula *build, const float x[N], const float want[N])
{
    tn_state *state = NULL;
    tn_program *p = NULL;
    tn_graph *g = tn_graph_new();
    float got[N];
    int off = 0;
    tn_tensor *in = tn_input(g, "x", TN_F32, TN_SHAPE(N));
    tn_output(tn_add(build(in), tn_mul(tn_isinf(in), tn_number(in, 0))), "y");
    ok(tn_graph_status(g));
    ok(tn_state_new(device, 1, &state));
    ok(tn_compile(g, state, NULL, &p));
    ok(tn_feed(p, "x", x, N * sizeof *x));
    ok(tn_program_run(p));
    ok(tn_fetch(p, "y", got, sizeof got));
    for (int i = 0; i < N; i++) {
        if (same(got[i], want[i])) continue;
        fprintf(stderr, "%s: element %d is %.9g instead of %.9g\n", name, i, (double)got[i], (double)want[i]);
        off++;
    }
    tn_program_free(p);
    tn_state_free(state);
    tn_graph_free(g);
    return off;
}

static void edges_are_as_they_should(void **state)
{
    static const struct {
        const char *name;
        formula *build;
        float x[N], want[N];
    } cases[] = {
        {"unbiased variance of one", variance, {1, 0, -3, 9}, {NAN, NAN, NAN, NAN}},
        {"norm", norm, {0, NAN, INFINITY, -3}, {0, NAN, INFINITY, 3}},
        {"norm by -2", norm_below_0, {0, NAN, INFINITY, -3}, {0, NAN, INFINITY, 3}},
        {"norm by -1", norm_of_all, {4, 2, INFINITY, -4}, {1, 1, 1, 1}},
        {"norm by -1 with a zero", norm_of_all, {1, 2, 0, -3}, {0, 0, 0, 0}},
        {"sort", ascending, {NAN, 3, -INFINITY, 1}, {-INFINITY, 1, 3, NAN}},
        {"roll", rolled, {1, NAN, INFINITY, 4}, {NAN, INFINITY, 4, 1}},
        {"hard_shrink", hard, {NAN, 2, INFINITY, -3}, {NAN, 0, INFINITY, -3}},
        {"soft_shrink", soft, {NAN, 2, INFINITY, -3}, {NAN, 0, INFINITY, -1}},
        {"celu", celu, {NAN, -INFINITY, INFINITY, 3}, {NAN, -2, INFINITY, 3}},
        {"linspace", line, {0}, {0.1f, 0.3f, 0.5f, 0.7f}},
        {"any and all of none", any_of_none, {0}, {3, 3, 3, 3}},
        {"resize_nearest", halves, {1, NAN, INFINITY, 4}, {1, NAN, INFINITY, 0}},
        {"places beside padding", places, {1, 2, -INFINITY, -INFINITY}, {0, 1, 2, 2}},
        {"nonzero of u8", nonzero_bytes, {0, 7, 0, 255}, {1, 3, -1, -1}},
        {"compress by u8", compressed_by_bytes, {-1, 7, 0, 2}, {7, 2, 0, 0}},
        {"whole as f32 has it", whole_sum, {0.75f, 1.75f, 0.5f, -3}, {1, 2, 0, -2}},
        {"resized and rolled pictures, of which there are none", rows_of_none, {0}, {0}},
    };
    tn_device *device = NULL;
    int off = 0;
    if (tn_device_open(*state, &device)) skip();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        off += wrong(device, cases[i].name, cases[i].build, cases[i].x, cases[i].want);
    tn_device_close(device);
    assert_int_equal(off, 0);
}

#define EDGES(device)                                                                                                  \
    {                                                                                                                  \
        "edges are as they should on " device, edges_are_as_they_should, NULL, NULL, (void *)device                    \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(impossible_operands_fail_the_graph_by_name),
        EDGES("reference"),
        EDGES("cpu"),
        EDGES("opencl"),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
