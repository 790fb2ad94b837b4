/* long_attention.c: attention of long sequences on a device that has not the memory for its scores: what the kernels
 * for GPUs make of it is right. usage: long_attention DEVICE */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tenon/tenon.h"

enum { HEADS = 2, N = 1500, M = 1700, D = 8, E = 12, FIRST = 200 }; /* 20 MB of scores */
static float q[HEADS][N][D], k[HEADS][M][D], v[HEADS][M][E], y[HEADS][N][E];

static void fill(float *x, size_t count, unsigned seed)
{
    for (size_t i = 0; i < count; i++) {
        seed = seed * 1664525u + 1013904223u;
        x[i] = (float)(seed >> 8) / 8388608.0f - 1;
    }
}

/* Query i of a head, in double precision. */
static double largest_error(int head, int i)
{
    static double weight[M];
    double sum = 0, worst = 0;
    const int seen = FIRST + i + 1 < M ? FIRST + i + 1 : M;
    for (int j = 0; j < seen; j++) {
        double score = 0;
        for (int c = 0; c < D; c++) score += (double)q[head][i][c] * (double)k[head][j][c];
        sum += weight[j] = exp(score / sqrt(D));
    }
    for (int c = 0; c < E; c++) {
        double mean = 0;
        for (int j = 0; j < seen; j++) mean += weight[j] / sum * (double)v[head][j][c];
        worst = fmax(worst, fabs(mean - (double)y[head][i][c]));
    }
    return worst;
}

static int fail(const char *what)
{
    printf("FAILED: %s: %s\n", what, tn_message());
    return 1;
}

int main(int argc, char **argv)
{
    tn_device *device = NULL;
    tn_state *state = NULL;
    tn_program *program = NULL;
    if (tn_backend_option("opencl", "shape", "gpu") || tn_backend_option("opencl", "memory", "4") ||
        tn_device_open(argc > 1 ? argv[1] : "opencl:0", &device))
        return puts(tn_message()), 77;
    fill(&q[0][0][0], sizeof q / sizeof(float), 1);
    fill(&k[0][0][0], sizeof k / sizeof(float), 2);
    fill(&v[0][0][0], sizeof v / sizeof(float), 3);
    tn_graph *g = tn_graph_new();
    tn_tensor *a = tn_input(g, "q", TN_F32, TN_SHAPE(HEADS, N, D)),
              *b = tn_input(g, "k", TN_F32, TN_SHAPE(HEADS, M, D)),
              *c = tn_input(g, "v", TN_F32, TN_SHAPE(HEADS, M, E));
    tn_output(tn_attend(a, b, c, (tn_attend_options){.causal = 1, .first = FIRST}), "y");
    if (tn_state_new(device, 1, &state) || tn_compile(g, state, NULL, &program)) return fail("compile");
    if (tn_feed(program, "q", q, sizeof q) || tn_feed(program, "k", k, sizeof k) ||
        tn_feed(program, "v", v, sizeof v) || tn_program_run(program) || tn_fetch(program, "y", y, sizeof y))
        return fail("run");
    double worst = 0;
    for (int head = 0; head < HEADS; head++)
        for (int i = 0; i < N; i += 7) worst = fmax(worst, largest_error(head, i));
    printf("the largest error is %g\n", worst);
    tn_program_free(program);
    tn_state_free(state);
    tn_graph_free(g);
    tn_device_close(device);
    return !(worst < 1e-5);
}
