/* S10: networks of any depth and width, and why their weights must not begin at zero.
 *
 * Where all weights are equal, all neurons of a layer compute the same and get the same gradient: they stay one neuron.
 * Small random numbers break the symmetry, but a signal fades on its way through many layers of them. Xavier's and He's
 * scales keep its size. (`tenon train --net ... --init ... --lr ...` reaches all of this from the command line.) */
#include <math.h>

#include "common.h"

typedef struct shape {
    const char *name;
    int layers; /* hidden ones */
    int64_t width;
} shape;

static const shape shapes[] = {{"shallow", 1, 64}, {"deep", 6, 64}};

static const struct {
    const char *name;
    tn_init init;
} inits[] = {
    {"zeros", {.kind = TN_INIT_ZERO}},
    {"N(0, 1) x 0.01", {.kind = TN_INIT_NORMAL, .a = 0.01}},
    {"Xavier", {.kind = TN_INIT_XAVIER}},
    {"He", {.kind = TN_INIT_HE}},
};
enum { INITS = sizeof inits / sizeof inits[0] };

typedef struct plan {
    const shape *shape;
    const tn_init *init;
} plan;

static tn_tensor *network(tn_tensor *x, int training, const void *arg)
{
    const plan *p = arg;
    char name[24];
    (void)training;
    x = tn_flatten(x);
    for (int i = 1; i <= p->shape->layers; i++) {
        snprintf(name, sizeof name, "hidden%d", i);
        x = tn_relu(tn_linear(x, name, .units = p->shape->width, .init = p->init));
    }
    return tn_linear(x, "output", .units = 10, .init = p->init);
}

/* How different the neurons of the first layer are: the largest difference between the weights of two of them. */
static float difference(tn_state *state, int64_t width)
{
    static float w[64 * 784];
    float largest = 0;
    TRY(tn_state_read(state, "hidden1.weight", w, (uint64_t)width * 784 * sizeof *w));
    for (int64_t i = 784; i < width * 784; i++) largest = fmaxf(largest, fabsf(w[i] - w[i % 784]));
    return largest;
}

/* Returns the share of right answers on the test set. */
static double train(example *e, const tn_dataset *data, const tn_dataset *test, plan p, const char *name,
                    float *differs)
{
    tn_model model = {.build = network, .loss = "cross_entropy", .arg = &p};
    tn_epoch last;
    tn_state *state = NULL;
    tn_fit_options how = {.epochs = 8, .batch = 32, .optim = {.lr = 0.05}, .test = test, .each = example_follow};
    example_curve curve = {p.shape->name, name};
    how.arg = &curve;
    TRY(tn_state_new(e->device, 1, &state));
    TRY(tn_fit(state, &model, data, &how, &last));
    *differs = difference(state, p.shape->width);
    printf("%-8s %-15s loss %.4f  test accuracy %5.1f %%  neurons differ by %.3g\n", p.shape->name, name,
           last.train.loss, 100 * last.test.accuracy, *differs);
    tn_state_free(state);
    return last.test.accuracy;
}

int main(int argc, char **argv)
{
    example e = example_begin(argc, argv);
    tn_dataset data = {0}, test = {0};
    double right[2][INITS];
    float differs[2][INITS];
    TRY(tn_dataset_open("digits:3000", 1, NULL, &data, &test));
    for (int s = 0; s < 2; s++)
        for (int i = 0; i < INITS; i++)
            right[s][i] = train(&e, &data, &test, (plan){&shapes[s], &inits[i].init}, inits[i].name, &differs[s][i]);
    tn_dataset_free(&data);
    tn_dataset_free(&test);

    int symmetric = right[0][0] < 0.2 && right[1][0] < 0.2 && differs[0][0] == 0 && differs[1][0] == 0;
    int fades = right[0][1] > 0.85 && right[1][1] < 0.2;
    int learn = right[0][2] > 0.85 && right[0][3] > 0.85 && right[1][2] > 0.85 && right[1][3] > 0.85;
    return example_end(&e, symmetric && fades && learn,
                       "zeros never learn, small numbers only when shallow, Xavier and He always");
}
