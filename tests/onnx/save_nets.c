/* save_nets.c: see save.h. Every layer that a net's words know is in one of them; every activation gets a net. */
#include "save.h"

#include <stdlib.h>
#include <string.h>

#define PICTURE TN_SHAPE(2, 12, 12)
#define DIGIT   TN_SHAPE(1, 28, 28)
#define ROW     TN_SHAPE(7)
#define STEPS   TN_SHAPE(6, 5)

const save_net save_nets[] = {
    {"mlp", "mlp", ROW, TN_F32, 3, 0},
    {"lenet", "lenet", DIGIT, TN_U8, 10, 255},
    {"resnet20", "resnet20", TN_SHAPE(3, 32, 32), TN_F32, 10, 0},
    {"lstm", "lstm", TN_SHAPE(1, 9, 8), TN_F32, 4, 0},
    {"transformer", "transformer", TN_SHAPE(1, 9, 8), TN_F32, 4, 0},
    {"perceptron", "perceptron", DIGIT, TN_U8, 10, 255},
    {"dropout_mlp", "dropout_mlp", ROW, TN_F32, 2, 0},
    {"conv",
     "conv 4 3x2 stride 2 pad 1, relu, conv 8 3 pad same groups 2, conv_transpose 3 3 stride 2 pad 1, flatten, linear "
     "2",
     PICTURE, TN_F32, 0, 0},
    {"pools", "maxpool 3 stride 2 pad 1, avgpool 2 stride 1 pad 1, adaptive_avgpool 3x2, upsample 2, flatten, linear 2",
     PICTURE, TN_F32, 0, 0},
    {"halves", "adaptive_avgpool 5x4, conv 8 1, pixel_shuffle 2, global_maxpool", PICTURE, TN_F32, 0, 0},
    {"global", "conv 5 3, global_avgpool, linear 3, softmax", PICTURE, TN_F32, 0, 0},
    {"flips", "random_flip, random_crop 2, dropout2d 0.5, conv 3 3, dropout 0.5, global_avgpool, log_softmax", PICTURE,
     TN_F32, 0, 0},
    {"norms",
     "conv 6 3, batch_norm, relu, group_norm 3, instance_norm, batch_norm 0.01, flatten, layer_norm, rms_norm, linear "
     "3, batch_norm",
     PICTURE, TN_F32, 0, 0},
    {"branches",
     "conv 4 3 pad 1, residual, conv 8 3 pad 1 stride 2, batch_norm, relu, end, block 8, block 16 stride 2, "
     "global_avgpool",
     PICTURE, TN_F32, 0, 0},
    {"steps", "rnn 5, gru 4, conv1d 6 3 pad same, maxpool1d 2, avgpool1d 2 stride 1, lstm 3, last", STEPS, TN_F32, 0,
     0},
    {"sinusoids", "project 8, sinusoids, attention 2 causal 1, layer_norm, mean_steps", STEPS, TN_F32, 0, 0},
    {"tokens", "embedding 11 8, position, transformer 2 causal 1 hidden 12, max_steps, linear 3", TN_SHAPE(6), TN_F32,
     0, 10},
    {"slopes",
     "linear 9, leaky_relu 0.2, linear 9, prelu, elu 0.7, celu 1.5, hard_shrink, soft_shrink 0.1, logistic 2 1.5 0.3",
     ROW, TN_F32, 0, 0},
};
const size_t save_nets_count = sizeof save_nets / sizeof *save_nets;

/* Pictures are numbers from 0 to 1, as the command has them. */
static tn_tensor *input_of(tn_graph *graph, const save_net *net, int64_t batch)
{
    tn_shape shape = {net->sample.rank + 1, {batch}};
    memcpy(&shape.dim[1], net->sample.dim, sizeof *shape.dim * (size_t)net->sample.rank);
    tn_tensor *x = tn_input(graph, "x", net->dtype, shape);
    if (net->dtype != TN_U8) return x;
    x = tn_cast(x, TN_F32);
    return tn_mul(x, tn_number(x, 1.0 / 255));
}

tn_graph *save_graph_of(const save_net *net, int64_t batch)
{
    tn_graph *graph = tn_graph_new();
    tn_output(tn_net(input_of(graph, net, batch), net->words, (tn_net_options){.outputs = net->outputs}), "y");
    return graph;
}

static double drawn(void)
{
    return (double)rand() / RAND_MAX;
}

void *save_samples(const save_net *net, size_t *bytes)
{
    const size_t count = (size_t)(tn_shape_count(&net->sample) * SAVE_BATCH);
    float *x = malloc(count * sizeof *x);
    *bytes = count * (net->dtype == TN_U8 ? 1 : sizeof *x);
    for (size_t i = 0; i < count; i++) {
        const double whole = (double)(int)(drawn() * (net->most + 0.999)), number = 4 * drawn() - 2;
        if (net->dtype == TN_U8)
            ((uint8_t *)x)[i] = (uint8_t)whole;
        else
            x[i] = (float)(net->most > 0 ? whole : number);
    }
    return x;
}

tn_status save_run(tn_graph *graph, tn_state *state, const void *x, size_t x_bytes, float **y, size_t *count)
{
    tn_program *program = NULL;
    tn_port port;
    tn_status s = tn_compile(graph, state, NULL, &program);
    if (!s) s = tn_feed(program, "x", x, x_bytes);
    if (!s) s = tn_program_run(program);
    if (!s && tn_program_output_at(program, 0, &port)) {
        *count = (size_t)tn_shape_count(&port.shape);
        *y = malloc(*count * sizeof **y);
        s = tn_fetch(program, port.name, *y, *count * sizeof **y);
    }
    tn_program_free(program);
    return s;
}

void save_shake(tn_state *state)
{
    tn_state_entry entry;
    for (size_t i = 0; tn_state_at(state, i, &entry); i++) {
        const size_t count = (size_t)tn_shape_count(&entry.shape);
        float *value = malloc(count * sizeof *value);
        if (!tn_state_read(state, entry.name, value, count * sizeof *value))
            for (size_t k = 0; k < count; k++) value[k] += (float)(0.2 * drawn());
        if (tn_state_write(state, entry.name, value, count * sizeof *value)) abort();
        free(value);
    }
}
