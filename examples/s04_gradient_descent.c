/* S4: gradient descent: all samples at once, a few, or one at a time; seven optimizers; schedules; when to stop.
 *
 * The problem is always the same and has one lowest point: to tell three overlapping clouds of points apart by softmax
 * regression. So every way must end at the same loss. Samples are shuffled for every epoch, by a seed, so that a
 * training can be repeated to the last bit. A run ends when the loss has stopped falling, or after 300 epochs. */
#include <math.h>

#include "common.h"

enum { POINTS = 150, CLASSES = 3, MOST = 300 };

static tn_tensor *network(tn_tensor *x, int training, const void *arg)
{
    (void)training, (void)arg;
    return tn_linear(x, "fc", .units = CLASSES);
}

static const tn_model model = {.build = network, .loss = "cross_entropy"};

/* Three clouds round the corners of a triangle. */
static tn_dataset clouds(float x[POINTS][2], int32_t label[POINTS])
{
    for (int i = 0; i < POINTS; i++) {
        double corner = 2.0943951 * (i % CLASSES), angle = i * 2.399963, radius = 1.6 * sqrt((i + 0.5) / POINTS);
        x[i][0] = (float)(cos(corner) + radius * cos(angle));
        x[i][1] = (float)(sin(corner) + radius * sin(angle));
        label[i] = i % CLASSES;
    }
    return (tn_dataset){
        .count = POINTS, .sample = TN_SHAPE(2), .x_dtype = TN_F32, .x = x, .label = label, .classes = CLASSES};
}

static const struct {
    const char *name;
    int64_t batch;
    const char *optimizer;
    double lr;
    const char *schedule;
} ways[] = {
    {"batch", POINTS, "sgd", 1, NULL},
    {"mini-batch", 15, "sgd", 0.1, NULL},
    {"stochastic", 1, "sgd", 0.01, NULL},
    {"mini-batch", 15, "momentum", 0.01, NULL},
    {"mini-batch", 15, "nesterov", 0.01, NULL},
    {"mini-batch", 15, "adagrad", 0.2, NULL},
    {"mini-batch", 15, "rmsprop", 0.01, NULL},
    {"mini-batch", 15, "adam", 0.02, NULL},
    {"mini-batch", 15, "adamw", 0.02, NULL},
    {"mini-batch", 15, "sgd", 0.5, "step 100 0.5"},
    {"mini-batch", 15, "sgd", 0.5, "exponential 0.995"},
    {"mini-batch", 15, "adam", 0.1, "warmup 50, cosine 1000"},
};
enum { WAYS = sizeof ways / sizeof ways[0] };

/* Trains in one of the ways, from fresh weights; the loss of all points after it. */
static double train(example *e, const tn_dataset *data, size_t way, int64_t most, tn_epoch *last)
{
    tn_score score;
    tn_state *state = NULL;
    char series[80];
    const char *panel = ways[way].schedule ? "schedules" : way < 3 ? "batches" : "optimizers";
    snprintf(series, sizeof series, "%s",
             ways[way].schedule ? ways[way].schedule
             : way < 3          ? ways[way].name
                                : ways[way].optimizer);
    example_curve curve = {panel, series};
    TRY(tn_state_new(e->device, 1, &state));
    TRY(tn_fit(state, &model, data,
               &(tn_fit_options){.epochs = most,
                                 .batch = ways[way].batch,
                                 .optimizer = ways[way].optimizer,
                                 .optim = {.lr = ways[way].lr},
                                 .schedule = ways[way].schedule,
                                 .each = most == MOST ? example_follow : NULL,
                                 .arg = &curve,
                                 .patience = 10,
                                 .least_fall = 0.0005},
               last));
    TRY(tn_evaluate(state, &model, data, &score));
    tn_state_free(state);
    return score.loss;
}

int main(int argc, char **argv)
{
    example e = example_begin(argc, argv);
    float x[POINTS][2];
    int32_t label[POINTS];
    tn_epoch last;
    tn_dataset data = clouds(x, label);
    double lowest = 1e9, highest = 0;
    int ended = 0;
    for (size_t i = 0; i < WAYS; i++) {
        double loss = train(&e, &data, i, MOST, &last);
        printf("%-10s %-8s lr %-4g %-22s %3lld epochs  loss %.4f  accuracy %.1f %%\n", ways[i].name, ways[i].optimizer,
               ways[i].lr, ways[i].schedule ? ways[i].schedule : "", (long long)last.number, loss,
               100 * last.train.accuracy);
        lowest = fmin(lowest, loss);
        highest = fmax(highest, loss);
        ended += last.number < MOST;
    }
    double once = train(&e, &data, 2, 3, &last), again = train(&e, &data, 2, 3, &last);
    printf("losses from %.4f to %.4f; %d of %d runs ended by themselves\n", lowest, highest, ended, WAYS);
    printf("the same seed twice: %.9g and %.9g\n", once, again);
    return example_end(&e, highest < 1.01 * lowest && ended == WAYS && once == again,
                       "every way ends within 1 % of the lowest loss; a seed gives the same result twice");
}
