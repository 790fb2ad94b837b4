/* staged.c: products and convolutions by matrix units in stages, each as the tuner would try it: with random operands,
 * and compared with the reference. All ways in which factors lie, all types and levels of precision, sizes that are
 * drawn, windows, too; between them all numbers of the families are tried. Where a factor begins at no multiple of 16
 * bytes is tried by a source that says so: the program's own clCreateProgramWithSource is found before the loader's.
 * Small ones for ptx-model, which is for Oclgrind. usage: staged KIND [SEED [PRODUCTS [broken: without barriers after
 * the products]]] */
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tenon/tenon.h"
#include "tuner.h"

#define OURS __attribute__((visibility("default"))) /* so that the backend finds it */

static const char aligned[] = "is_aligned = !(((size_t)from_a | (size_t)from_b) & 15)";
static const char barrier[] = "barrier(CLK_LOCAL_MEM_FENCE);";
static int is_odd, is_broken, sources;

OURS cl_program clCreateProgramWithSource(cl_context context, cl_uint n, const char **source, const size_t *length,
                                          cl_int *code)
{
    cl_program (*call)(cl_context, cl_uint, const char **, const size_t *, cl_int *);
    char *text = calloc(length[0] + 1, 1);
    if (!text || n != 1) abort();
    void *next = dlsym(RTLD_NEXT, "clCreateProgramWithSource"); /* Oclgrind's, if it is there */
    if (!next) next = dlsym(dlopen("libOpenCL.so.1", RTLD_NOW | RTLD_LOCAL), "clCreateProgramWithSource");
    *(void **)&call = next;
    memcpy(text, source[0], length[0]);
    char *at = strstr(text, aligned);
    sources += at != NULL;
    if (at && is_odd) memset(at, ' ', strlen(aligned)), memcpy(at, "is_aligned = 0", 14);
    at = is_broken ? strstr(text, "#define FOR_EACH_PRODUCT") : NULL;
    while (at && (at = strstr(at, barrier))) memset(at, ' ', strlen(barrier));
    cl_program program = call(context, 1, (const char **)&text, length, code);
    free(text);
    return program;
}

static const struct {
    int32_t dtype;
    uint32_t level;
} kinds[] = {{TN_F32, TN_PRECISION_F32},
             {TN_F32, TN_PRECISION_F32_FAST},
             {TN_F32, TN_PRECISION_BF16},
             {TN_BF16, TN_PRECISION_F32},
             {TN_F16, TN_PRECISION_F32}};
static const int32_t values[][4] = {{1, 2}, {1, 2}, {2, 3, 4}, {1, 2, 4, 8}}; /* wide, steps, stages, parts */
enum { KINDS = sizeof kinds / sizeof *kinds, LAYOUTS = 4, LEVELS = 3, LAST = 36 };

static unsigned seed = 1;
static int is_model;

static int64_t drawn(int64_t from, int64_t to)
{
    seed = seed * 1103515245u + 12345u;
    return from + (int64_t)(seed >> 8) % (to - from + 1);
}

static tn_tensor_desc matrix_of(int32_t dtype, int64_t batch, int64_t rows, int64_t columns)
{
    tn_tensor_desc t = {.dtype = dtype, .rank = 3};
    t.dim[0] = batch, t.dim[1] = rows, t.dim[2] = columns;
    t.stride[0] = rows * columns, t.stride[1] = columns, t.stride[2] = 1;
    return t;
}

/* What a trial says of a choice, behind what was printed of the operator: 1: it is right. */
static int try(const tn_device *device, const tn_op_desc *desc, const char *choice)
{
    tn_trial *trial = NULL;
    tn_outcome outcome = {.verdict = TN_TRIAL_FAILED};
    const int failed = tn_trial_new(device, desc, &trial) || tn_trial_run(trial, choice, INFINITY, 0, &outcome);
    tn_trial_free(trial);
    printf(", %s: %g of what is allowed %s\n", choice, outcome.error, outcome.why);
    if (!failed && outcome.verdict == TN_TRIAL_RIGHT) return 1;
    printf("FAILED: %s\n", failed ? tn_message() : outcome.verdict == TN_TRIAL_WRONG ? "wrong" : "not made");
    return 0;
}

/* One product by some numbers of the family: each in turn, whatever the others are. */
static int check(const tn_device *device, int kind, int layout, int turn)
{
    const int64_t batch = drawn(1, 2), m = 8 * drawn(1, is_model ? 6 : 19), n = 8 * drawn(1, is_model ? 5 : 15),
                  k = 8 * (is_model ? drawn(5, 8) : drawn(29, 32));
    const int trans_a = layout & 1, trans_b = layout >> 1;
    const int32_t dtype = kinds[kind].dtype;
    const tn_tensor_desc in[2] = {matrix_of(dtype, batch, trans_a ? k : m, trans_a ? m : k),
                                  matrix_of(dtype, batch, trans_b ? n : k, trans_b ? k : n)};
    const tn_tensor_desc out = matrix_of(TN_F32, batch, m, n);
    const tn_matmul_attrs attrs = {.size = sizeof attrs, .trans_a = (uint32_t)trans_a, .trans_b = (uint32_t)trans_b};
    const tn_op_desc desc = {.size = sizeof desc,
                             .name = "matmul",
                             .n_in = 2,
                             .n_out = 1,
                             .in = in,
                             .out = &out,
                             .attrs = &attrs,
                             .precision = kinds[kind].level};
    char choice[80];
    snprintf(choice, sizeof choice, "staged wide=%d steps=%d stages=%d parts=%d", values[0][turn % 2],
             values[1][turn / 2 % 2], values[2][turn % 3], values[3][turn % 4 ? 0 : turn / 4 % (is_model ? 2 : 4)]);
    is_odd = turn % 5 == 4;
    printf("type %d, level %u, %lld of %lld x %lld x %lld, layout %d", dtype, kinds[kind].level, (long long)batch,
           (long long)m, (long long)n, (long long)k, layout);
    const int right = try(device, &desc, choice);
    is_odd = 0;
    return right;
}

static tn_tensor_desc pictures_of(int32_t dtype, int last, int64_t batch, int64_t channels, int64_t high, int64_t wide)
{
    tn_tensor_desc t = {.dtype = dtype, .rank = 4};
    t.dim[0] = batch, t.dim[last ? 3 : 1] = channels, t.dim[last ? 1 : 2] = high, t.dim[last ? 2 : 3] = wide;
    for (int64_t d = 3, stride = 1; d >= 0; d--) t.stride[d] = stride, stride *= t.dim[d];
    return t;
}

/* Pixels of a result along a dimension. */
static int64_t pixels(const tn_conv_attrs *a, int d, int64_t size, int64_t window)
{
    return (size + 2 * a->pad[d] - a->dilation[d] * (window - 1) - 1) / a->stride[d] + 1;
}

/* A convolution, or one of its gradients, drawn: `whole`: channels of a group are multiples of it; how images and
 * weights are stored. */
typedef struct convolution {
    const char *name;
    int is_data, is_weight, most_groups, whole, most_step, most_window;
    int32_t images, weights;
    uint32_t level, last;
} convolution;

static void draw_attrs(const convolution *c, tn_conv_attrs *attrs)
{
    *attrs =
        (tn_conv_attrs){.size = sizeof *attrs, .groups = (uint32_t)drawn(1, c->most_groups), .channels_last = c->last};
    for (int d = 0; d < 2; d++) {
        attrs->stride[d] = (uint32_t)drawn(1, c->most_step);
        attrs->pad[d] = (uint32_t)drawn(0, 5), attrs->dilation[d] = (uint32_t)drawn(1, 2);
    }
}

static void print_convolution(const convolution *c, const tn_conv_attrs *a, const int64_t size[7])
{
    printf("%s of types %d and %d, level %u%s, %lld of %lld x %lld, %u groups of %lld, %lld filters of %lld x %lld, "
           "stride %u %u, padding "
           "%u %u, "
           "dilation %u %u",
           c->name, c->images, c->weights, c->level, c->last ? ", channels last" : "", (long long)size[0],
           (long long)size[1], (long long)size[2], a->groups, (long long)size[3], (long long)size[4],
           (long long)size[5], (long long)size[6], a->stride[0], a->stride[1], a->pad[0], a->pad[1], a->dilation[0],
           a->dilation[1]);
}

static int check_convolution(const tn_device *device, const convolution *c, const char *choice)
{
    tn_conv_attrs attrs;
    draw_attrs(c, &attrs);
    const int64_t batch = drawn(1, 3), channels = c->whole * drawn(1, (is_model ? 20 : 40) / c->whole);
    const int64_t filters = c->whole * drawn(1, (is_model ? 40 : 70) / c->whole);
    const int64_t high = is_model ? drawn(5, 8) : drawn(9, 19), wide = is_model ? drawn(5, 7) : drawn(9, 17);
    const int64_t r = drawn(1, c->most_window), s = drawn(1, c->most_window);
    const int last = (int)c->last;
    const tn_tensor_desc x = pictures_of(c->images, last, batch, channels * attrs.groups, high, wide),
                         w = pictures_of(c->weights, 0, filters * attrs.groups, channels, r, s),
                         y = pictures_of(c->images, last, batch, filters * attrs.groups, pixels(&attrs, 0, high, r),
                                         pixels(&attrs, 1, wide, s));
    const tn_tensor_desc in[2] = {c->is_data ? y : x, c->is_weight ? y : w};
    const tn_op_desc desc = {.size = sizeof desc,
                             .name = c->name,
                             .n_in = 2,
                             .n_out = 1,
                             .in = in,
                             .out = c->is_data     ? &x
                                    : c->is_weight ? &w
                                                   : &y,
                             .attrs = &attrs,
                             .precision = c->level};
    print_convolution(c, &attrs, (const int64_t[]){batch, high, wide, channels, filters, r, s});
    return try(device, &desc, choice);
}

static int most_window(int turn)
{
    return turn % 7 == 4 ? 1 : is_model ? 3 : 5;
}

/* By those numbers of the family. */
static int check_by_turn(const tn_device *device, const convolution *c, int turn)
{
    const int number = turn * 7 % LAST;
    char choice[80];
    snprintf(choice, sizeof choice, "channels_last wide=%d high=%d steps=%d stages=%d", values[0][number % 2],
             1 << number / 2 % 3, values[1][number / 6 % 2], values[2][number / 12 % 3]);
    is_odd = turn % 4 == 3;
    const int right = check_convolution(device, c, choice);
    is_odd = 0;
    return right;
}

/* One convolution, or a gradient for its pictures; pictures usual, or channels last. */
static int check_last(const tn_device *device, int turn)
{
    const int is_data = turn / LEVELS % 2, last = turn / LEVELS / 2 % 2;
    const convolution c = {.name = is_data ? "conv2d_data" : "conv2d",
                           .is_data = is_data,
                           .most_groups = 1,
                           .whole = last ? 4 : 1,
                           .most_step = is_data ? 1 : 3,
                           .most_window = most_window(turn),
                           .images = TN_F32,
                           .weights = TN_F32,
                           .level = (uint32_t)turn % LEVELS,
                           .last = (uint32_t)last};
    return check_by_turn(device, &c, turn);
}

/* The same of images that are stored in 16 bits: usual ones are laid out; those with channels last are read as bf16
 * with filters that are of it, or may be rounded to it. */
static int check_stored(const tn_device *device, int turn)
{
    const int is_data = turn % 2, last = turn / 2 % 2, is_bf16 = last && turn / 4 % 2;
    const convolution c = {.name = is_data ? "conv2d_data" : "conv2d",
                           .is_data = is_data,
                           .most_groups = 1,
                           .whole = last ? 8 : 1,
                           .most_step = is_data ? 1 : 3,
                           .most_window = most_window(turn),
                           .images = last || turn / 4 % 2 ? TN_BF16 : TN_F16,
                           .weights = is_bf16 ? TN_BF16 : TN_F32,
                           .level = is_bf16 ? TN_PRECISION_F32
                                    : last  ? TN_PRECISION_BF16
                                            : (uint32_t)turn / 4 % LEVELS,
                           .last = (uint32_t)last};
    return check_by_turn(device, &c, turn);
}

/* One with channels last by the kernels that know both ways, without stages; of any groups. The later half is stored in
 * 16 bits. */
static int check_usual(const tn_device *device, int turn)
{
    static const char *const names[] = {"conv2d", "conv2d_data", "conv2d_weight"};
    const int which = turn % 3, is_matrix = turn / 3 % 2;
    const int32_t stored = turn < LAST / 2 ? TN_F32 : turn / 6 % 2 ? TN_BF16 : TN_F16;
    const convolution c = {.name = names[which],
                           .is_data = which == 1,
                           .is_weight = which == 2,
                           .most_groups = 3,
                           .whole = 1,
                           .most_step = 3,
                           .most_window = most_window(turn),
                           .images = stored,
                           .weights = TN_F32,
                           .level = is_matrix ? (uint32_t)turn / 6 % LEVELS : 0,
                           .last = 1};
    return check_convolution(device, &c, is_matrix ? "matrix parts=1" : "tile u=8 v=4 rows=4 cols=4 deep=8 parts=1");
}

int main(int argc, char **argv)
{
    tn_device *device = NULL;
    const int products = argc > 3 ? atoi(argv[3]) : 2 * KINDS * LAYOUTS;
    const int convolutions = argc > 3 ? products / 2 : LAST;
    int right = 1;
    if (argc < 2) return 2;
    if (argc > 2) seed = (unsigned)atoi(argv[2]);
    is_model = !strcmp(argv[1], "ptx-model"), is_broken = argc > 4;
    if (tn_backend_option("opencl", "shape", "gpu") || tn_backend_option("opencl", "matrix", argv[1]) ||
        tn_backend_option("opencl", "gemm", "own") || tn_backend_option("opencl", "grain", "0") ||
        tn_device_open("opencl:0", &device))
        return puts(tn_message()), 77;
    for (int turn = 0; turn < products; turn++) right &= check(device, turn % KINDS, turn / KINDS % LAYOUTS, turn);
    if (sources < (products < KINDS * LAYOUTS ? products : KINDS * LAYOUTS))
        right = 0, printf("FAILED: %d kernels were in stages\n", sources);
    for (int turn = 0; turn < convolutions; turn++) right &= check_last(device, turn);
    for (int turn = 0; turn < (is_model ? 8 : LAST) && !is_broken; turn++) right &= check_stored(device, turn);
    for (int turn = 0; turn < (is_model ? 6 : LAST) && !is_broken; turn++) right &= check_usual(device, turn);
    tn_device_close(device);
    puts(right ? "all well" : "failed");
    return !right;
}
