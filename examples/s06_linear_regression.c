/* S6: linear regression. What a flat costs a month, given its floor area: rent = slope * area + intercept.
 *
 * The table is read from a CSV file, both columns are scaled to 0..1, and gradient descent on the half squared error of
 * all rows at once finds the line. Then the line is compared with the one that least squares gives in closed form. */
#include <math.h>

#include "common.h"

typedef struct range {
    float low, high;
} range;

/* Scales n numbers to 0..1 and tells what their range was. */
static range scale(const float *from, float *to, int64_t n)
{
    range r = {from[0], from[0]};
    for (int64_t i = 0; i < n; i++) r = (range){fminf(r.low, from[i]), fmaxf(r.high, from[i])};
    for (int64_t i = 0; i < n; i++) to[i] = (from[i] - r.low) / (r.high - r.low);
    return r;
}

/* Ordinary least squares: slope = covariance / variance, and the line goes through the mean. */
static void closed_form(const float *x, const float *y, int64_t n, double *slope, double *intercept)
{
    double mx = 0, my = 0, xy = 0, xx = 0;
    for (int64_t i = 0; i < n; i++) mx += x[i] / (double)n, my += y[i] / (double)n;
    for (int64_t i = 0; i < n; i++) xy += (x[i] - mx) * (y[i] - my), xx += (x[i] - mx) * (x[i] - mx);
    *slope = xy / xx;
    *intercept = my - *slope * mx;
}

/* The model, its loss, and how it is trained. */
static tn_graph *regression(int64_t n)
{
    tn_graph *graph = tn_graph_new();
    tn_tensor *x = tn_input(graph, "x", TN_F32, TN_SHAPE(n, 1)), *y = tn_input(graph, "y", TN_F32, TN_SHAPE(n, 1));
    tn_tensor *slope = tn_param(graph, "slope", TN_SCALAR, (tn_init){TN_INIT_ZERO});
    tn_tensor *intercept = tn_param(graph, "intercept", TN_SCALAR, (tn_init){TN_INIT_ZERO});
    tn_tensor *loss = tn_half_squared_error(tn_add(tn_mul(slope, x), intercept), y);
    tn_output(loss, "loss");
    tn_minimize(loss, "sgd", (tn_optim_options){.lr = 0.5});
    return graph;
}

int main(int argc, char **argv)
{
    example e = example_begin(argc, argv);
    tn_dataset flats = {0};
    tn_state *state = NULL;
    TRY(tn_dataset_csv(e.file ? e.file : SOURCE_DIR "/examples/data/rent.csv", &(tn_csv_options){.target = "rent"},
                       &flats));
    int64_t n = flats.count, bytes = n * (int64_t)sizeof(float);
    float *x = malloc((size_t)bytes), *y = malloc((size_t)bytes), slope, intercept, loss;
    range area = scale(flats.x, x, n), rent = scale(flats.target, y, n);

    TRY(tn_state_new(e.device, 1, &state));
    tn_program *train = example_compile(regression(n), state);
    TRY(tn_feed(train, "x", x, bytes));
    TRY(tn_feed(train, "y", y, bytes));
    for (int epoch = 0; epoch <= 2000; epoch++) {
        TRY(tn_program_run(train));
        if (epoch % 400) continue;
        TRY(tn_fetch(train, "loss", &loss, sizeof loss));
        printf("epoch %4d  loss %.6f\n", epoch, loss);
        example_note("loss", "loss", epoch, loss);
    }
    TRY(tn_state_read(state, "slope", &slope, sizeof slope));
    TRY(tn_state_read(state, "intercept", &intercept, sizeof intercept));

    for (int64_t i = 0; i < n; i++)
        example_note("rent by floor area", "a flat", ((float *)flats.x)[i], flats.target[i]);
    for (int i = 0; i < 2; i++)
        example_note("rent by floor area", "learned", i ? area.high : area.low,
                     rent.low + (intercept + i * slope) * (rent.high - rent.low));

    double best_slope, best_intercept, metre = slope * (rent.high - rent.low) / (area.high - area.low);
    closed_form(x, y, n, &best_slope, &best_intercept);
    printf("learned      y = %.5f x + %.5f  (scaled)\n", slope, intercept);
    printf("closed form  y = %.5f x + %.5f\n", best_slope, best_intercept);
    printf("in words: %.2f a month for each square metre, %.0f for 60 of them\n", metre,
           rent.low + intercept * (rent.high - rent.low) + metre * (60 - area.low));

    int agrees = fabs(slope - best_slope) < 1e-3 && fabs(intercept - best_intercept) < 1e-3;
    tn_program_free(train);
    tn_state_free(state);
    tn_dataset_free(&flats);
    free(x);
    free(y);
    return example_end(&e, agrees, "gradient descent finds the line of least squares, to 0.001");
}
