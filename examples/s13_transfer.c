/* S13: transfer learning: beginning with what another network has learned.
 *
 * A network learns to read digits from thousands of pictures, and is saved. Another one is to tell small digits (0 to
 * 4) from large ones, and gets only 100 pictures. It loads from the file what fits by name and shape, which is all but
 * the last layer, freezes the first two, and trains the rest. The same network from fresh weights has no chance against
 * it. */
#include <unistd.h>

#include "common.h"

typedef struct plan {
    int64_t outputs;
    const char *freeze; /* names of layers, or NULL */
} plan;

static tn_tensor *network(tn_tensor *x, int training, const void *arg)
{
    const plan *p = arg;
    (void)training;
    x = tn_maxpool2d(tn_relu(tn_conv2d(x, "conv1", .filters = 8, .kernel = {5, 5})), .window = {2, 2});
    x = tn_relu(tn_linear(tn_flatten(x), "fc1", .units = 48));
    x = tn_relu(tn_linear(x, "fc2", .units = 24));
    x = tn_linear(x, "fc3", .units = p->outputs);
    if (p->freeze) tn_freeze(tn_graph_of(x), p->freeze);
    return x;
}

static const plan reading = {10, NULL}, fresh = {2, NULL}, frozen = {2, "conv1, fc1"};

static const tn_model reader = {.build = network, .loss = "cross_entropy", .arg = &reading};

/* Learns all ten digits and saves the weights. */
static void teach(example *e, const tn_dataset *digits, const char *path)
{
    tn_epoch last;
    tn_state *state = NULL;
    TRY(tn_state_new(e->device, 1, &state));
    tn_fit_options how = {.epochs = 8, .batch = 32, .optimizer = "adam", .optim = {.lr = 0.002}};
    TRY(tn_fit(state, &reader, digits, &how, &last));
    TRY(tn_state_save(state, path, NULL, 0));
    printf("read %lld digits: accuracy %.1f %%, saved\n", (long long)digits->count, 100 * last.train.accuracy);
    tn_state_free(state);
}

static void say_left_out(void *arg, int32_t fit, const tn_state_entry *ours, const tn_state_entry *file)
{
    (void)arg;
    (void)file;
    if (fit == TN_LOAD_SHAPE) printf("  %s is left out: it has another shape there\n", ours->name);
}

/* Learns the new question from a few pictures; the share of right answers on others. */
static double learn(example *e, const plan *p, const char *path, const tn_dataset *few, const tn_dataset *test)
{
    const tn_model model = {.build = network, .loss = "cross_entropy", .arg = p};
    tn_checkpoint *file = NULL;
    tn_score score;
    tn_state *state = NULL;
    float before[8 * 25], after[8 * 25];
    size_t taken = 0;
    TRY(tn_state_new(e->device, 2, &state));
    TRY(tn_evaluate(state, &model, test, &score)); /* makes the weights in the state */
    if (path) {
        TRY(tn_checkpoint_open(path, &file));
        TRY(tn_checkpoint_load_fitting(file, state, say_left_out, NULL, &taken));
        tn_checkpoint_close(file);
    }
    TRY(tn_state_read(state, "conv1.weight", before, sizeof before));
    tn_fit_options how = {.epochs = 100, .batch = 20, .optimizer = "adam", .optim = {.lr = 0.003}};
    how.arg = &(example_curve){"right of the test set, %", path ? "with its weights" : "from fresh ones"};
    how.test = example_table ? test : NULL;
    how.each = example_follow;
    TRY(tn_fit(state, &model, few, &how, NULL));
    TRY(tn_state_read(state, "conv1.weight", after, sizeof after));
    TRY(tn_evaluate(state, &model, test, &score));
    int moved = memcmp(before, after, sizeof before) != 0;
    printf("%zu tensors loaded, the first layer %s: test accuracy %.1f %%\n", taken, moved ? "trained" : "frozen",
           100 * score.accuracy);
    tn_state_free(state);
    return moved == !p->freeze ? score.accuracy : 0;
}

/* The new question: small or large. */
static void relabel(tn_dataset *data)
{
    for (int64_t i = 0; i < data->count; i++) data->label[i] = data->label[i] >= 5;
    data->classes = 2;
}

int main(int argc, char **argv)
{
    example e = example_begin(argc, argv);
    tn_dataset many = {0}, few = {0}, test = {0};
    char path[64];
    snprintf(path, sizeof path, "transfer-%ld.safetensors", (long)getpid());
    TRY(tn_dataset_digits(5000, 1, &many));
    TRY(tn_dataset_digits(100, 2, &few));
    TRY(tn_dataset_digits(1000, 3, &test));
    relabel(&few);
    relabel(&test);
    teach(&e, &many, path);
    double alone = learn(&e, &fresh, NULL, &few, &test), helped = learn(&e, &frozen, path, &few, &test);
    remove(path);
    tn_dataset_free(&many);
    tn_dataset_free(&few);
    tn_dataset_free(&test);
    return example_end(&e, alone > 0.5 && helped > 0.88 && helped > alone + 0.1,
                       "with weights from another network, 100 pictures are enough; without, they are not");
}
