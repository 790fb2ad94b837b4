/* long_attention.c: attention of long sequences, and its gradients, on a device that has not the memory for its scores:
 * what the kernels for GPUs make of it is right.
 * usage: long_attention DEVICE */
#include <math.h>
#include <stdio.h>

#include "tenon/tenon.h"

enum { HEADS = 2, N = 600, M = 700, D = 8, E = 12, FIRST = 80 }; /* 3.4 MB of scores */
static float q[HEADS][N][D], k[HEADS][M][D], v[HEADS][M][E];
static float y[HEADS][N][E], dq[HEADS][N][D], dk[HEADS][M][D], dv[HEADS][M][E];

/* The same in double precision, of one head. */
typedef struct expected {
    double y[N][E], dq[N][D], dk[M][D], dv[M][E], weight[M];
} expected;
static expected want;

static void fill(float *x, size_t count, unsigned seed)
{
    for (size_t i = 0; i < count; i++) {
        seed = seed * 1664525u + 1013904223u;
        x[i] = (float)(seed >> 8) / 8388608.0f - 1;
    }
}

static double dot(const float *a, const float *b, int n)
{
    double sum = 0;
    for (int c = 0; c < n; c++) sum += (double)a[c] * (double)b[c];
    return sum;
}

/* Query i, and what it adds to the gradients of half the sum of all y squared, so that dy is y. */
static void add_query(int head, int i)
{
    double sum = 0, mean = 0;
    const int seen = FIRST + i + 1 < M ? FIRST + i + 1 : M;
    for (int j = 0; j < seen; j++) sum += want.weight[j] = exp(dot(q[head][i], k[head][j], D) / sqrt(D));
    for (int j = 0; j < seen; j++)
        for (int c = 0; c < E; c++) want.y[i][c] += want.weight[j] / sum * (double)v[head][j][c];
    for (int c = 0; c < E; c++) mean += want.y[i][c] * want.y[i][c];
    for (int j = 0; j < seen; j++) {
        const double weight = want.weight[j] / sum;
        double slope = -mean;
        for (int c = 0; c < E; c++) slope += want.y[i][c] * (double)v[head][j][c];
        for (int c = 0; c < E; c++) want.dv[j][c] += weight * want.y[i][c];
        for (int c = 0; c < D; c++) {
            want.dq[i][c] += weight * slope / sqrt(D) * (double)k[head][j][c];
            want.dk[j][c] += weight * slope / sqrt(D) * (double)q[head][i][c];
        }
    }
}

/* In parts of the largest that is expected. */
static int is_near(const char *what, const float *got, const double *expects, size_t count)
{
    double worst = 0, largest = 0;
    for (size_t i = 0; i < count; i++) {
        worst = fmax(worst, fabs((double)got[i] - expects[i]));
        largest = fmax(largest, fabs(expects[i]));
        if (isnan(got[i])) worst = INFINITY;
    }
    printf("%s: the largest error is %g of %g\n", what, worst, largest);
    return worst < 1e-5 * largest;
}

static int check_head(int head)
{
    want = (expected){.weight = {0}};
    for (int i = 0; i < N; i++) add_query(head, i);
    return is_near("y", y[head][0], want.y[0], N * E) & is_near("dq", dq[head][0], want.dq[0], N * D) &
           is_near("dk", dk[head][0], want.dk[0], M * D) & is_near("dv", dv[head][0], want.dv[0], M * E);
}

static int fails(tn_program *program)
{
    return tn_feed(program, "q", q, sizeof q) || tn_feed(program, "k", k, sizeof k) ||
           tn_feed(program, "v", v, sizeof v) || tn_program_run(program) || tn_fetch(program, "y", y, sizeof y) ||
           tn_fetch(program, "dq", dq, sizeof dq) || tn_fetch(program, "dk", dk, sizeof dk) ||
           tn_fetch(program, "dv", dv, sizeof dv);
}

static void build(tn_graph *g)
{
    tn_tensor *in[] = {tn_input(g, "q", TN_F32, TN_SHAPE(HEADS, N, D)), tn_input(g, "k", TN_F32, TN_SHAPE(HEADS, M, D)),
                       tn_input(g, "v", TN_F32, TN_SHAPE(HEADS, M, E))};
    tn_tensor *result = tn_attend(in[0], in[1], in[2], (tn_attend_options){.causal = 1, .first = FIRST}), *grad[3];
    tn_tensor *loss = tn_sum(tn_mul(tn_square(result), tn_number(result, 0.5)), TN_AXES(0, 1, 2), 0);
    tn_output(result, "y");
    tn_grad(loss, in, 3, grad);
    tn_output(grad[0], "dq");
    tn_output(grad[1], "dk");
    tn_output(grad[2], "dv");
}

int main(int argc, char **argv)
{
    tn_device *device = NULL;
    tn_state *state = NULL;
    tn_program *program = NULL;
    if (tn_backend_option("opencl", "shape", "gpu") || tn_backend_option("opencl", "memory", "2") ||
        tn_device_open(argc > 1 ? argv[1] : "opencl:0", &device))
        return puts(tn_message()), 77;
    fill(q[0][0], sizeof q / sizeof(float), 1);
    fill(k[0][0], sizeof k / sizeof(float), 2);
    fill(v[0][0], sizeof v / sizeof(float), 3);
    tn_graph *g = tn_graph_new();
    build(g);
    if (tn_state_new(device, 1, &state) || tn_compile(g, state, NULL, &program) || fails(program))
        return printf("FAILED: %s\n", tn_message()), 1;
    int right = 1;
    for (int head = 0; head < HEADS; head++) right &= check_head(head);
    tn_program_free(program);
    tn_state_free(state);
    tn_graph_free(g);
    tn_device_close(device);
    return !right;
}
