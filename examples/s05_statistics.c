/* S5: statistics and feature scaling: looking at a table before learning from it.
 *
 * First what can be said of one column: where its middle is, how wide it is, what does not belong. Then the three ways
 * to bring columns to one size. What they need to know is learnt from the training rows alone; the test rows, which
 * stand for what is not known yet, are only scaled by it. And why it is done: gradient descent on the raw numbers
 * diverges. Expected numbers were worked out by hand. */
#include <math.h>

#include "common.h"

enum { ROWS = 8, COLUMNS = 2, TRAIN = 6 };

/* Floor area in square metres, and the year of building. */
static const float table[ROWS][COLUMNS] = {{40, 1950},  {60, 1970},  {80, 1960}, {100, 2000},
                                           {120, 1990}, {140, 2010}, {50, 2020}, {160, 1940}};

static int is(const char *what, double got, double want)
{
    int right = fabs(got - want) <= 1e-6 * fmax(1, fabs(want));
    printf("  %-26s %10.5g%s\n", what, got, right ? "" : "  WRONG");
    return right;
}

/* Of the salaries of a small firm, one is the owner's. */
static int describe(void)
{
    static const float salary[9] = {30, 31, 33, 34, 34, 36, 38, 40, 200}, years[9] = {1, 1, 2, 2, 3, 3, 4, 4, 0};
    const tn_column x = {salary, 9};
    uint8_t outlier[9];
    int right = is("mean", tn_stat_mean(x), 476.0 / 9);
    right &= is("median", tn_stat_median(x), 34);
    right &= is("mean, weighted by years", tn_stat_weighted_mean(x, years), 717.0 / 20);
    right &= is("median, weighted by years", tn_stat_weighted_median(x, years), 36);
    right &= is("variance", tn_stat_variance(x, 0), 219842.0 / 81);
    right &= is("standard deviation", tn_stat_deviation(x, 0), sqrt(219842.0) / 9);
    right &= is("mean absolute deviation", tn_stat_mean_absolute_deviation(x), 2648.0 / 81);
    right &= is("range", tn_stat_range(x), 170);
    right &= is("90th percentile", tn_stat_percentile(x, 90), 72);
    right &= is("inter-quartile range", tn_stat_interquartile_range(x), 5);
    right &= is("outliers", (double)tn_stat_outliers(x, 0, outlier), 1);
    return right && outlier[8];
}

/* Fits on the first rows, applies to all, and says what became of the first and the last. */
static int scale(int32_t kind, double low, double high, const float want[2][COLUMNS])
{
    tn_scaler scaler;
    float x[ROWS][COLUMNS];
    int right = 1;
    memcpy(x, table, sizeof x);
    TRY(tn_scaler_fit(&scaler, kind, low, high, x[0], TRAIN, COLUMNS));
    tn_scaler_apply(&scaler, x[0], ROWS);
    printf("  %-10s first row (%g, %g), last test row (%g, %g)\n", tn_scale_name(kind), x[0][0], x[0][1],
           x[ROWS - 1][0], x[ROWS - 1][1]);
    for (int i = 0; i < 2 * COLUMNS; i++)
        right &= fabsf(x[i < COLUMNS ? 0 : ROWS - 1][i % COLUMNS] - want[i / COLUMNS][i % COLUMNS]) < 1e-5f;
    for (int i = 0; i < ROWS; i++)
        example_note(tn_scale_name(kind), i < TRAIN ? "learnt from" : "new", x[i][0], x[i][1]);
    tn_scaler_free(&scaler);
    return right;
}

static tn_tensor *line(tn_tensor *x, int training, const void *arg)
{
    (void)training, (void)arg;
    return tn_linear(x, "line", .units = 1);
}

/* The squared error after 500 steps at learning rate 0.1: rent is 8 a square metre and rises with the year. */
static double learn(example *e, int32_t kind)
{
    float x[ROWS][COLUMNS], rent[ROWS];
    tn_model model = {.build = line, .loss = "mse"};
    tn_scaler scaler;
    tn_score score;
    tn_state *state = NULL;
    memcpy(x, table, sizeof x);
    for (int i = 0; i < ROWS; i++) rent[i] = (8 * table[i][0] + 2 * (table[i][1] - 1900)) / 1000;
    TRY(tn_scaler_fit(&scaler, kind, 0, 1, x[0], TRAIN, COLUMNS));
    tn_scaler_apply(&scaler, x[0], ROWS);
    tn_dataset train = {
        .count = TRAIN, .sample = TN_SHAPE(COLUMNS), .x_dtype = TN_F32, .x = x, .target = rent, .targets = 1};
    tn_dataset test = train;
    test.count = ROWS - TRAIN;
    test.x = x[TRAIN];
    test.target = rent + TRAIN;
    TRY(tn_state_new(e->device, 1, &state));
    tn_status status = tn_fit(state, &model, &train, &(tn_fit_options){.epochs = 500, .optim = {.lr = 0.1}}, NULL);
    if (status == TN_ESTATE) { /* it diverged */
        score.loss = INFINITY;
        printf("  %-10s %s\n", tn_scale_name(kind), tn_message());
    } else {
        TRY(status);
        TRY(tn_evaluate(state, &model, &test, &score));
        printf("  %-10s squared error on the test rows: %g\n", tn_scale_name(kind), score.loss);
    }
    tn_state_free(state);
    tn_scaler_free(&scaler);
    return score.loss;
}

int main(int argc, char **argv)
{
    example e = example_begin(argc, argv);
    printf("nine salaries:\n");
    int described = describe();
    printf("scaled, after the first six rows:\n");
    for (int i = 0; i < ROWS; i++)
        example_note("as they are", i < TRAIN ? "learnt from" : "new", table[i][0], table[i][1]);
    /* of columns 40..140 and 1950..2010; means 90 and 1980, variances 7000 / 6 and 2800 / 6 */
    double area = sqrt(7000 / 6.0), year = sqrt(2800 / 6.0), first = hypot(40, 1950), last = hypot(160, 1940);
    int scaled = scale(TN_SCALE_MINMAX, -1, 1, (const float[2][COLUMNS]){{-1, -1}, {1.4f, -4 / 3.0f}});
    scaled &= scale(TN_SCALE_STANDARD, 0, 0,
                    (const float[2][COLUMNS]){{(float)(-50 / area), (float)(-30 / year)},
                                              {(float)(70 / area), (float)(-40 / year)}});
    scaled &= scale(TN_SCALE_UNIT, 0, 0,
                    (const float[2][COLUMNS]){{(float)(40 / first), (float)(1950 / first)},
                                              {(float)(160 / last), (float)(1940 / last)}});
    printf("learning from it:\n");
    double raw = learn(&e, TN_SCALE_NONE), good = learn(&e, TN_SCALE_STANDARD);
    return example_end(&e, described && scaled && good < 1e-4 && !(raw < 1e3 * good),
                       "the statistics are right; scaled by the training rows, the model learns what it can't raw");
}
