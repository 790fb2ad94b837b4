/* staged.c: products by matrix units in stages, each as the tuner would try it: with random operands, and compared with
 * the reference. All ways in which factors lie, all types and levels of precision, sizes that are drawn; between them
 * all numbers of the family are tried. Where a factor begins at no multiple of 16 bytes is tried by a source that says
 * so: the program's own clCreateProgramWithSource is found before the loader's. Small ones for ptx-model, which is for
 * Oclgrind. usage: staged KIND [SEED [PRODUCTS [broken: without barriers after the products]]] */
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
    *(void **)&call = dlsym(RTLD_NEXT, "clCreateProgramWithSource");
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
enum { KINDS = sizeof kinds / sizeof *kinds, LAYOUTS = 4 };

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
    tn_trial *trial = NULL;
    tn_outcome outcome = {.verdict = TN_TRIAL_FAILED};
    snprintf(choice, sizeof choice, "staged wide=%d steps=%d stages=%d parts=%d", values[0][turn % 2],
             values[1][turn / 2 % 2], values[2][turn % 3], values[3][turn % 4 ? 0 : turn / 4 % (is_model ? 2 : 4)]);
    is_odd = turn % 5 == 4;
    const int failed = tn_trial_new(device, &desc, &trial) || tn_trial_run(trial, choice, INFINITY, 0, &outcome);
    tn_trial_free(trial);
    is_odd = 0;
    printf("type %d, level %u, %lld of %lld x %lld x %lld, layout %d, %s: %g of what is allowed %s\n", dtype,
           kinds[kind].level, (long long)batch, (long long)m, (long long)n, (long long)k, layout, choice, outcome.error,
           outcome.why);
    if (!failed && outcome.verdict == TN_TRIAL_RIGHT) return 1;
    printf("FAILED: %s\n", failed ? tn_message() : outcome.verdict == TN_TRIAL_WRONG ? "wrong" : "not made");
    return 0;
}

int main(int argc, char **argv)
{
    tn_device *device = NULL;
    const int products = argc > 3 ? atoi(argv[3]) : 2 * KINDS * LAYOUTS;
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
    tn_device_close(device);
    puts(right ? "all well" : "failed");
    return !right;
}
