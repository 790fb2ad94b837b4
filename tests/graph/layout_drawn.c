/* layout_drawn.c: networks of images, drawn at random: with channels last they give the same, and the same gradients.
 * usage: test_layout_drawn [DEVICE [FIRST COUNT]] */
#include "harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 2, CHANNELS = 3, HIGH = 7, WIDE = 6, COUNT = BATCH * CHANNELS * HIGH * WIDE };
enum { STEPS = 10, IMAGES = STEPS + 1, LARGE = 2500, PARAMETERS = 1 << 16, OPERANDS = 4 };

typedef struct drawing {
    tn_graph *graph;
    uint64_t random;
    tn_tensor *image[IMAGES];
    uint32_t images, names;
} drawing;

static const char *device_name = "reference";
static uint64_t first = 1, count = 24;

/* From low to high. */
static int64_t draw(drawing *d, int64_t low, int64_t high)
{
    d->random = d->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407); /* Knuth's */
    return low + (int64_t)((d->random >> 33) % (uint64_t)(high - low + 1));
}

static uint32_t draw_small(drawing *d, int64_t low, int64_t high)
{
    return (uint32_t)draw(d, low, high);
}

static int64_t size_of(tn_tensor *x, int32_t axis)
{
    return tn_shape_of(x).dim[axis];
}

static const char *name_of(drawing *d, char name[16])
{
    snprintf(name, 16, "layer%u", ++d->names);
    return name;
}

/* ---- what can become of an image --------------------------------------------------------------------------------- */

static tn_tensor *convolve(drawing *d, tn_tensor *x)
{
    char name[16];
    const uint32_t halves = size_of(x, 1) % 2 == 0 && draw(d, 0, 1) ? 2 : 1;
    const uint32_t high = draw_small(d, 1, 3), wide = draw_small(d, 1, 3), far = draw_small(d, 1, 2);
    return tn_conv2d(x, name_of(d, name), .filters = draw(d, 1, 4) * halves, .kernel = {high, wide},
                     .stride = {draw_small(d, 1, 2), draw_small(d, 1, 2)}, .pad = {far * (high - 1), far * (wide - 1)},
                     .dilation = {far, far}, .groups = halves, .no_bias = draw_small(d, 0, 1));
}

static tn_tensor *convolve_back(drawing *d, tn_tensor *x)
{
    char name[16];
    const uint32_t groups = size_of(x, 1) % 2 == 0 && draw(d, 0, 1) ? 2 : 1, stride = draw_small(d, 1, 2);
    return tn_conv2d_transpose(x, name_of(d, name), .filters = draw(d, 1, 3) * groups, .kernel = {2, 3},
                               .stride = {stride, stride}, .groups = groups);
}

static tn_tensor *normalise(drawing *d, tn_tensor *x)
{
    char name[16];
    x = tn_batch_norm(x, name_of(d, name), .training = 1);
    return draw(d, 0, 1) ? tn_relu(x) : tn_tanh(x);
}

static tn_tensor *normalise_groups(drawing *d, tn_tensor *x)
{
    char name[16];
    x = tn_group_norm(x, name_of(d, name), size_of(x, 1) % 2 ? 1 : 2);
    return tn_prelu(x, name_of(d, name), 1);
}

static tn_tensor *pool(drawing *d, tn_tensor *x)
{
    const uint32_t far = draw_small(d, 1, 3), step = draw_small(d, 1, 2), more = draw_small(d, 0, 1);
    const tn_pool_options at = {.window = {far, far},
                                .stride = {step, step},
                                .pad = {far / 2, far / 2},
                                .ceil_mode = more,
                                .count_pad = draw_small(d, 0, 1)};
    return draw(d, 0, 1) ? tn_maxpool2d_with(x, at) : tn_avgpool2d_with(x, at);
}

/* With all that are as high and wide; a dense block. */
static tn_tensor *beside_others(drawing *d, tn_tensor *x)
{
    tn_tensor *in[OPERANDS] = {x, tn_tanh(x)};
    uint32_t n = 1 + draw_small(d, 0, 1);
    tn_shape like = tn_shape_of(x);
    for (uint32_t i = 0; i < d->images && n < OPERANDS; i++) {
        const tn_shape now = tn_shape_of(d->image[i]);
        if (now.dim[0] == like.dim[0] && now.dim[2] == like.dim[2] && now.dim[3] == like.dim[3]) in[n++] = d->image[i];
    }
    return tn_concat(in, n, 1);
}

static tn_tensor *beside_itself(drawing *d, tn_tensor *x)
{
    return tn_concat((tn_tensor *[]){tn_sin(x), tn_neg(x), tn_broadcast(tn_number(x, 0.5), tn_shape_of(x)), x},
                     draw_small(d, 2, 4), (int32_t)draw(d, 0, 3));
}

static tn_tensor *cut(drawing *d, tn_tensor *x)
{
    const int32_t axis = (int32_t)draw(d, 0, 3);
    const int64_t all = size_of(x, axis), step = draw(d, 1, 2), most = (all + step - 1) / step, n = draw(d, 1, most);
    const int64_t start = draw(d, 0, all - 1 - (n - 1) * step), last = start + (n - 1) * step;
    return draw(d, 0, 2) ? tn_slice(x, axis, start, n, step) : tn_slice(x, axis, last, n, -step);
}

static tn_tensor *split(drawing *d, tn_tensor *x)
{
    const int64_t half = size_of(x, 1) / 2;
    (void)d;
    if (!half) return x;
    tn_tensor *a = tn_slice(x, 1, 0, half, 1), *b = tn_slice(x, 1, half, size_of(x, 1) - half, 1);
    return tn_concat((tn_tensor *[]){tn_relu(b), a}, 2, 1);
}

static tn_tensor *pad(drawing *d, tn_tensor *x)
{
    const int32_t axis = (int32_t)draw(d, 0, 3);
    const int64_t before = draw(d, 0, 2), after = draw(d, 0, 2);
    return draw(d, 0, 1) ? tn_pad(x, axis, before, after) : tn_pad_value(x, axis, before, after, 0.25);
}

static tn_tensor *residual(drawing *d, tn_tensor *x)
{
    const tn_shape like = tn_shape_of(x);
    for (uint32_t i = 0; i < d->images; i++) {
        const tn_shape now = tn_shape_of(d->image[i]);
        if (d->image[i] != x && tn_shape_equal(&now, &like)) return tn_relu(tn_add(d->image[i], x));
    }
    return tn_mul(x, tn_sigmoid(tn_mean(x, TN_AXES(2, 3), 1)));
}

static tn_tensor *upsample(drawing *d, tn_tensor *x)
{
    const int64_t h = size_of(x, 2), w = size_of(x, 3);
    return draw(d, 0, 1)   ? tn_repeat(tn_repeat(x, 2, 2), 3, 2)
           : draw(d, 0, 1) ? tn_resize_nearest(x, 2 * h, w + 1)
                           : tn_resize_bilinear(x, h + 2, 2 * w, 0);
}

static tn_tensor *over_channels(drawing *d, tn_tensor *x)
{
    return draw(d, 0, 1) ? tn_softmax(x, 1) : tn_mul(x, tn_amax(x, TN_AXES(1), 1));
}

static tn_tensor *shuffle(drawing *d, tn_tensor *x)
{
    const tn_shape s = tn_shape_of(x);
    if (s.dim[1] % 2 || draw(d, 0, 2) == 0) return tn_swap_axes(x, 2, 3);
    x = tn_reshape(x, TN_SHAPE(s.dim[0], 2, s.dim[1] / 2, s.dim[2] * s.dim[3]));
    return tn_reshape(tn_swap_axes(x, 1, 2), s);
}

/* By broadcasts of fewer dimensions, by places, and by chance. */
static tn_tensor *mask(drawing *d, tn_tensor *x)
{
    const int64_t w = size_of(x, 3);
    tn_tensor *row = tn_cast(tn_iota(d->graph, TN_SHAPE(w), 0), TN_F32);
    if (draw(d, 0, 1)) return tn_dropout(x, 0.25);
    return tn_where(tn_lt(tn_add(x, row), tn_number(x, 1.5)), tn_mul(x, row), tn_exp(tn_neg(tn_square(x))));
}

static tn_tensor *sum_up(drawing *d, tn_tensor *x)
{
    static const tn_axes axes[] = {{1, {0}}, {1, {1}}, {2, {2, 3}}, {3, {0, 2, 3}}, {2, {1, 3}}};
    tn_tensor *mean = tn_mean(x, axes[draw(d, 0, 4)], 1);
    return tn_sub(x, tn_square(mean));
}

typedef tn_tensor *becoming(drawing *d, tn_tensor *x);
static becoming *const becomes[] = {convolve,      convolve, convolve, convolve_back, normalise,     normalise_groups,
                                    pool,          pool,     cut,      split,         beside_others, beside_others,
                                    beside_itself, pad,      residual, upsample,      over_channels, shuffle,
                                    mask,          residual, sum_up};

/* ---- networks ---------------------------------------------------------------------------------------------------- */

/* No more than can be looked at soon. */
static tn_tensor *little(tn_tensor *x)
{
    tn_shape s = tn_shape_of(x);
    while (tn_shape_count(&s) > LARGE) {
        int32_t longest = 0;
        for (int32_t axis = 1; axis < s.rank; axis++)
            if (s.dim[axis] > s.dim[longest]) longest = axis;
        x = tn_slice(x, longest, 0, s.dim[longest] / 2, 1);
        s = tn_shape_of(x);
    }
    return x;
}

/* All images count. */
static tn_tensor *loss_of(const drawing *d)
{
    tn_tensor *loss = NULL;
    for (uint32_t i = 0; i < d->images; i++) {
        tn_tensor *x = d->image[i], *one = tn_mean(tn_mul(tn_sin(x), tn_add(x, tn_number(x, 0.3))), TN_ALL, 0);
        loss = loss ? tn_add(loss, one) : one;
    }
    return loss;
}

static tn_graph *draw_network(uint64_t seed)
{
    const tn_init normal = {.kind = TN_INIT_NORMAL, .a = 1};
    drawing d = {.graph = tn_graph_new(), .random = seed * UINT64_C(0x9e3779b97f4a7c15), .images = 1};
    d.image[0] = tn_param(d.graph, "x", TN_SHAPE(BATCH, CHANNELS, HIGH, WIDE), normal);
    for (int i = 0; i < STEPS; i++) {
        tn_tensor *x = d.image[draw(&d, d.images > 3 ? d.images - 3 : 0, d.images - 1)];
        becoming *become = becomes[draw(&d, 0, sizeof becomes / sizeof *becomes - 1)];
        d.image[d.images++] = little(become(&d, x));
    }
    tn_tensor *loss = loss_of(&d);
    tn_output(loss, "loss");
    tn_minimize(loss, "sgd", (tn_optim_options){.lr = 1});
    return d.graph;
}

/* What a step leaves: each variable less its gradient. */
typedef struct left {
    double loss, parameter[PARAMETERS];
    uint32_t parameters, laid;
} left;

static double number_of(const tn_state_entry *entry, const void *data, int64_t i)
{
    return entry->dtype == TN_F64 ? ((const double *)data)[i] : (double)((const float *)data)[i];
}

static void keep(tn_state *state, left *to)
{
    static double data[PARAMETERS];
    tn_state_entry entry;
    to->parameters = 0;
    for (size_t i = 0; tn_state_at(state, i, &entry); i++) {
        const int64_t n = tn_shape_count(&entry.shape);
        if (entry.dtype != TN_F32 && entry.dtype != TN_F64) continue;
        assert_true(to->parameters + n <= PARAMETERS);
        ok(tn_state_read(state, entry.name, data, (uint64_t)n * tn_dtype_size(entry.dtype)));
        for (int64_t k = 0; k < n; k++) to->parameter[to->parameters++] = number_of(&entry, data, k);
    }
}

static void train(tn_graph *g, tn_device *device, uint32_t layout, left *to)
{
    tn_state *state = NULL;
    tn_program *p = NULL;
    tn_program_report report;
    ok(tn_state_new(device, 7, &state));
    ok(tn_compile(g, state, &(tn_compile_options){.layout = layout, .f64 = !strcmp(device_name, "reference")}, &p));
    ok(tn_program_run(p));
    keep(state, to);
    tn_program_get_report(p, &report);
    to->laid = report.channels_last;
    tn_program_free(p);
    tn_state_free(state);
}

static int compare(const left *usual, const left *last, double allowed)
{
    int wrong = usual->parameters != last->parameters;
    for (uint32_t i = 0; i < usual->parameters && !wrong; i++) {
        const double a = usual->parameter[i], b = last->parameter[i];
        wrong = !(fabs(a - b) <= allowed * (1 + fabs(a)));
        if (wrong) print_error("parameter %u: %.9g, with channels last %.9g\n", i, a, b);
    }
    return wrong;
}

static void networks_give_the_same_either_way(void **state)
{
    static left usual, last;
    const double allowed = strcmp(device_name, "reference") ? 2e-3 : 1e-9;
    tn_device *device = NULL;
    uint32_t laid = 0;
    (void)state;
    ok(tn_device_open(device_name, &device));
    for (uint64_t seed = first; seed < first + count; seed++) {
        tn_graph *g = draw_network(seed);
        train(g, device, TN_LAYOUT_USUAL, &usual);
        train(g, device, TN_LAYOUT_LAST, &last);
        if (compare(&usual, &last, allowed)) fail_msg("on %s, network %llu", device_name, (unsigned long long)seed);
        laid += last.laid;
        tn_graph_free(g);
    }
    assert_true(laid >= count);
    tn_device_close(device);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(networks_give_the_same_either_way)};
    if (argc > 1) device_name = argv[1];
    if (argc > 3) first = strtoull(argv[2], NULL, 10), count = strtoull(argv[3], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
