/* wrong_kernels.c: kernels that are broken on their way to the driver are found by the tuner, and the others are not.
 *
 * The program's own clCreateProgramWithSource is found before the loader's. It changes the source of kernels with
 * certain numbers: the last row of a product is that before it, by the kernels for GPUs and those for processors;
 * factors are cut to 16 bits; of the parts of a sum the last is left out; of a convolution by fewer multiplications the
 * last tile has no pixels; of one with channels last no pixel sees the window's last tap; by matrix units (any
 * device's) the first of three parts of each factor is all. Nor does a choice that this device can't have do harm.
 * usage: wrong_kernels gpu|cpu|matrix, or trial: convolutions by matrix units are broken from the beginning, and found
 * wrong when the context is made; or laid: those of pictures with channels last alone. */
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include <dlfcn.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program.h"
#include "tenon/tenon.h"
#include "tuner.h"

#define OURS __attribute__((visibility("default"))) /* so that the backend finds it */

/* A source with these words gets others in place of some: those of all kernels, or of those with these numbers. */
static const struct {
    const char *shape, *with, *old, *now;
} deeds[] = {
    {"gpu", "#define ROWS 8\n#define COLS 4\n", "min(i0 + i, m - 1)", "min(i0 + i, m - 2)"},
    {"gpu", "#define ROWS 4\n#define COLS 8\n", "#define LOAD_A LOAD_f32\n",
     "#define LOAD_A(p, i) as_float(as_uint((float)LOAD_f32(p, i)) & 0xffff0000u)\n"},
    {"gpu", "#define FROM_SCRATCH 1\n", "s < segments", "s < segments - 1"},
    {"gpu", "#define UNROLL 2\n#define SIDE_U 4\n", "mine < images * high * wide", "mine < images * high * wide - 1"},
    {"matrix", "#define SPLIT 1\n", "const float rest = *x - as_float(top);", "const float rest = 0;"},
    {"matrix", "#define STAGES 3\n", "tap < R * S && column < n", "tap < R * S - 1 && column < n"},
    {"trial", "b_at[t] = COLUMN(", "COLUMN(min(j0 + i, n - 1))", "COLUMN(min(j0 + i, n - 2))"},
    {"trial", "#define STAGES ", "tap < R * S && column < n", "tap < R * S - 1 && column < n"},
    {"laid", "#define BY_ROWS 1\n#define PARTS ", "COLUMN(min(j0 + i, n - 1))", "COLUMN(min(j0 + i, n - 2))"},
    {"laid", "#define BY_ROWS 1\n#define SLOWLY", "tap < R * S && column < n", "tap < R * S - 1 && column < n"},
    {"cpu", "#define VECTORS 1\n#define ROWS 6\n#define SPAN 2\n", "min(r, last)", "min(r, last - 1)"},
};
enum { DEEDS = sizeof deeds / sizeof *deeds };
static int spoils, done[DEEDS];
static const char *kernels = "gpu"; /* which of them: an option of the backend, or by matrix units */

static char *replaced(const char *text, const char *old, const char *now)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, old)); at += strlen(old)) count++;
    char *made = malloc(strlen(text) + count * strlen(now) + 1), *to = made;
    for (const char *at; made && (at = strstr(text, old)); text = at + strlen(old)) {
        memcpy(to, text, (size_t)(at - text));
        to = stpcpy(to + (at - text), now);
    }
    if (!made || !count) abort(); /* the kernels have changed: so must the deeds */
    strcpy(to, text);
    return made;
}

OURS cl_program clCreateProgramWithSource(cl_context context, cl_uint n, const char **source, const size_t *length,
                                          cl_int *code)
{
    cl_program (*call)(cl_context, cl_uint, const char **, const size_t *, cl_int *);
    char *text = calloc(length[0] + 1, 1);
    if (!text || n != 1) abort();
    *(void **)&call = dlsym(dlopen("libOpenCL.so.1", RTLD_NOW | RTLD_LOCAL), "clCreateProgramWithSource");
    memcpy(text, source[0], length[0]);
    for (int i = 0; spoils && i < DEEDS; i++) {
        if (strcmp(deeds[i].shape, kernels) || !strstr(text, deeds[i].with)) continue;
        char *next = replaced(text, deeds[i].old, deeds[i].now);
        free(text);
        text = next;
        done[i]++;
    }
    const size_t bytes = strlen(text);
    cl_program program = call(context, 1, (const char **)&text, &bytes, code);
    free(text);
    return program;
}

/* ---- what is tried ----------------------------------------------------------------------------------------------- */

static tn_tensor *leaf(tn_graph *g, const char *name, tn_shape shape)
{
    return tn_input(g, name, TN_F32, shape);
}

/* A product with what follows it, whose sizes are no multiples of a tile's; a convolution. */
static void build(tn_graph *g)
{
    tn_tensor *a = leaf(g, "a", TN_SHAPE(37, 70)), *b = leaf(g, "b", TN_SHAPE(70, 41)), *c = leaf(g, "c", TN_SHAPE(41));
    tn_output(tn_relu(tn_add(tn_matmul(a, b), c)), "y");
    tn_output(tn_convolve2d(leaf(g, "x", TN_SHAPE(2, 3, 9, 9)), leaf(g, "w", TN_SHAPE(5, 3, 3, 3)),
                            (tn_conv_options){.pad = {1, 1}}),
              "z");
}

static const struct {
    const char *shape, *op, *choice;
    int32_t verdict;
} expected[] = {
    {"gpu", "matmul", "tile u=8 v=8 rows=4 cols=4 deep=8 parts=1", TN_TRIAL_RIGHT},
    {"gpu", "matmul", "tile u=8 v=8 rows=8 cols=4 deep=8 parts=1", TN_TRIAL_WRONG},
    {"gpu", "matmul", "tile u=8 v=8 rows=4 cols=8 deep=8 parts=1", TN_TRIAL_WRONG},
    {"gpu", "matmul", "tile u=8 v=8 rows=4 cols=4 deep=8 parts=2", TN_TRIAL_WRONG},
    {"gpu", "matmul", "tile u=8 v=8 rows=8 cols=8 deep=7 parts=1", TN_TRIAL_FAILED},
    {"gpu", "conv2d", "tile u=8 v=8 rows=4 cols=4 deep=8 parts=1", TN_TRIAL_RIGHT},
    {"gpu", "conv2d", "winograd u=1 v=1 rows=4 cols=4 deep=4", TN_TRIAL_RIGHT},
    {"gpu", "conv2d", "winograd u=4 v=2 rows=4 cols=4 deep=8", TN_TRIAL_WRONG},
    {"gpu", "conv2d", "winograd u=8 v=4 rows=8 cols=8 deep=16", TN_TRIAL_FAILED}, /* local memory */
    {"gpu", "matmul", "winograd u=1 v=1 rows=4 cols=4 deep=4", TN_TRIAL_FAILED},
    {"matrix", "matmul", "matrix parts=1", TN_TRIAL_RIGHT},
    {"matrix", "matmul", "matrix parts=2", TN_TRIAL_WRONG},
    {"matrix", "matmul", "channels_last wide=1 high=1 steps=1 stages=2", TN_TRIAL_FAILED},
    {"matrix", "conv2d", "channels_last wide=1 high=1 steps=1 stages=2", TN_TRIAL_RIGHT},
    {"matrix", "conv2d", "channels_last wide=1 high=1 steps=1 stages=3", TN_TRIAL_WRONG},
    {"trial", "matmul", "matrix parts=1", TN_TRIAL_RIGHT},
    {"trial", "conv2d", "matrix parts=1", TN_TRIAL_FAILED}, /* they were found wrong when the context was made */
    {"trial", "conv2d", "channels_last wide=1 high=1 steps=1 stages=2", TN_TRIAL_FAILED},
    {"trial", "conv2d", "tile u=8 v=8 rows=4 cols=4 deep=8 parts=1", TN_TRIAL_RIGHT},
    {"laid", "matmul", "matrix parts=1", TN_TRIAL_RIGHT},
    {"laid", "conv2d", "matrix parts=1", TN_TRIAL_RIGHT},
    {"laid", "conv2d", "channels_last wide=1 high=1 steps=1 stages=2", TN_TRIAL_FAILED},
    {"lying", "conv2d", "matrix parts=1", TN_TRIAL_FAILED},
    {"lying", "conv2d", "tile u=8 v=8 rows=4 cols=4 deep=8 parts=1", TN_TRIAL_RIGHT},
    {"cpu", "matmul", "panels rows=6 vectors=2 span=1 pieces=2 parts=1", TN_TRIAL_RIGHT},
    {"cpu", "matmul", "panels rows=6 vectors=1 span=2 pieces=1 parts=1", TN_TRIAL_WRONG},
    {"cpu", "matmul", "panels rows=6 vectors=1 span=1 pieces=1 parts=2", TN_TRIAL_FAILED}, /* too few values of k */
    {"cpu", "matmul", "direct pieces=1", TN_TRIAL_FAILED},                                 /* nothing is transposed */
    {"cpu", "conv2d", "panels rows=6 vectors=1 span=1 pieces=1 parts=1", TN_TRIAL_FAILED},
};

static int check(tn_trial *trial, size_t i)
{
    static const char *const names[] = {"right", "wrong", "failed"};
    tn_outcome outcome;
    if (tn_trial_run(trial, expected[i].choice, INFINITY, 0, &outcome)) return 0;
    printf("%s, %s: %s, %g of what is allowed %s\n", expected[i].op, expected[i].choice, names[outcome.verdict],
           outcome.error, outcome.why);
    if (outcome.verdict == expected[i].verdict) return 1;
    printf("FAILED: it should be %s\n", names[expected[i].verdict]);
    return 0;
}

static int check_operator(const tn_program *program, const char *op, const char *rows)
{
    tn_trial *trial = NULL;
    int right = 1;
    const tn_launch *l = NULL;
    for (uint32_t i = 0; i < program->ir.launches; i++)
        if (!strcmp(program->ir.launch[i]->operation.desc.name, op)) l = program->ir.launch[i];
    if (!l || tn_trial_new(program->place[0].device, &l->operation.desc, &trial))
        return printf("FAILED: %s: %s\n", op, tn_message()), 0;
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        if (!strcmp(expected[i].op, op) && !strcmp(expected[i].shape, rows)) right &= check(trial, i);
    tn_trial_free(trial);
    return right;
}

/* The same convolution of pictures that have their channels last. */
static int check_lying(tn_graph *graph, tn_state *state, tn_compile_options how)
{
    tn_program *program = NULL;
    how.layout = TN_LAYOUT_LAST;
    if (tn_compile(graph, state, &how, &program)) return printf("FAILED: %s\n", tn_message()), 0;
    const int right = check_operator(program, "conv2d", "lying");
    tn_program_free(program);
    return right;
}

/* What was chosen where there were matrix units, or CLBlast, is made otherwise where there are none. */
static int check_chosen(tn_device *device, tn_graph *graph, tn_state *state, const tn_op_desc *desc, const char *choice)
{
    TN_MESSAGE(msg);
    char key[TN_TUNE_KEY];
    tn_program *program = NULL;
    tn_status s = tn_tune_extension(device->backend)->key(device->context, desc, key, sizeof key, &msg);
    if (!s) s = tn_tuned_choose(device, key, choice);
    if (!s) s = tn_compile(graph, state, NULL, &program);
    if (s) printf("FAILED: %s: %s %s\n", choice, msg.text, tn_message());
    tn_program_free(program);
    return !s;
}

static int check_absent(tn_device *device, tn_graph *graph, tn_state *state, const tn_program *program)
{
    int right = 0;
    for (uint32_t i = 0; i < program->ir.launches; i++) {
        const tn_op_desc *desc = &program->ir.launch[i]->operation.desc;
        if (strcmp(desc->name, "matmul")) continue;
        right = check_chosen(device, graph, state, desc, "matrix parts=2") &&
                check_chosen(device, graph, state, desc, "clblast");
    }
    return right;
}

int main(int argc, char **argv)
{
    tn_device *device = NULL;
    tn_state *state = NULL;
    tn_program *program = NULL;
    if (argc > 1) kernels = argv[1];
    const int is_laid = !strcmp(kernels, "laid");
    spoils = is_laid || !strcmp(kernels, "trial");
    const int is_matrix = spoils || !strcmp(kernels, "matrix");
    if (tn_backend_option("opencl", "shape", is_matrix ? "gpu" : kernels) ||
        tn_backend_option("opencl", "matrix", is_matrix ? "plain" : "off") ||
        tn_backend_option("opencl", "gemm", "own") || tn_backend_option("opencl", "grain", is_matrix ? "0" : "1") ||
        tn_device_open("opencl:0", &device))
        return puts(tn_message()), 77;
    tn_graph *graph = tn_graph_new();
    build(graph);
    /* So that convolutions may have fewer multiplications; products are made as before where there are no units. */
    const tn_compile_options how = {.precision = strcmp(kernels, "gpu") ? TN_PRECISION_F32 : TN_PRECISION_F32_FAST};
    if (tn_state_new(device, 1, &state) || tn_compile(graph, state, &how, &program))
        return printf("FAILED: %s\n", tn_message()), 1;
    spoils = 1;
    int right = check_operator(program, "matmul", kernels) & check_operator(program, "conv2d", kernels);
    if (is_laid) right &= check_lying(graph, state, how);
    spoils = 0;
    signal(SIGFPE, SIG_DFL); /* PoCL would go on after a division by 0 */
    right &= check_absent(device, graph, state, program);
    for (int i = 0; i < DEEDS; i++)
        if (!done[i] && !strcmp(deeds[i].shape, kernels)) right = 0, printf("FAILED: deed %d was never done\n", i);
    tn_program_free(program);
    tn_state_free(state);
    tn_graph_free(graph);
    tn_device_close(device);
    puts(right ? "all well" : "failed");
    return !right;
}
