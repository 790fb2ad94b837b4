/* network.c: see network.h. */
#include "network.h"
#include "onnx.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- reading ---- */

static int check(cli_model *model, const char *path)
{
    tn_onnx_port one, two;
    model->onnx_path = path;
    const int inputs = tn_onnx_input_at(model->onnx, 0, &one) + tn_onnx_input_at(model->onnx, 1, &two);
    if (inputs == 1 && tn_onnx_output_at(model->onnx, 0, &two)) return CLI_GO_ON;
    if (inputs < 2) return cli_fail("%s: it has no %s", path, inputs ? "outputs" : "inputs");
    return cli_fail("%s: it has several inputs, '%s' and '%s' among them; data sets have one", path, one.name,
                    two.name);
}

int cli_network_open(cli_model *model, const char *net)
{
    if (!cli_onnx_reads(net)) return CLI_GO_ON;
    if (tn_onnx_load(net, &model->onnx)) return cli_failed();
    cli_onnx_warn(model->onnx, net);
    return check(model, net);
}

/* Whole numbers have no gradient: what is left would be trained around them. */
static int refuse_quantised(const tn_onnx *model, const char *net)
{
    tn_onnx_operator op;
    for (size_t i = 0; tn_onnx_operator_at(model, i, &op); i++)
        if (op.quantised)
            return cli_fail("%s: it was quantised: weights of %s are whole numbers, which are not trained; train the "
                            "network that it was made from",
                            net, op.name);
    return CLI_GO_ON;
}

int cli_network_open_to_train(cli_model *model, const char *net)
{
    const char *name, *dot = net ? strrchr(net, '.') : NULL;
    tn_shape shape;
    if (dot && !strcasecmp(dot, ".safetensors"))
        return cli_usage("--net %s: a saved model goes on by --resume, and gives its weights to another by --load",
                         net);
    int status = cli_network_open(model, net);
    if (status == CLI_GO_ON && model->onnx) status = refuse_quantised(model->onnx, net);
    if (status != CLI_GO_ON || !model->onnx || tn_onnx_weight_at(model->onnx, 0, &name, &shape, NULL)) return status;
    return cli_fail(
        "%s: it has no weights that are trained: these are float, double, float16 or bfloat16, and of layers", net);
}

int cli_network_of_note(cli_model *model, const tn_checkpoint *checkpoint, const char *path)
{
    const char *text = tn_checkpoint_note(checkpoint, "onnx");
    if (!text || !*text) return CLI_GO_ON;
    if (tn_onnx_of_text(text, &model->onnx)) return cli_fail("%s: its network: %s", path, tn_message());
    return check(model, path);
}

void cli_network_close(cli_model *model)
{
    tn_onnx_free(model->onnx);
    model->onnx = NULL;
}

int cli_network_spares(const cli_model *model, const cli_settings *settings)
{
    const char *name, *path;
    int status = CLI_GO_ON;
    for (size_t i = 0; status == CLI_GO_ON && cli_output_at(settings, i, &name, &path); i++)
        status = cli_onnx_spares(model->onnx, name, path);
    return status;
}

/* ---- its end ---- */

/* Losses that have in themselves what a network may end in, or that can't be meant behind it. */
static const struct end_of_network {
    const char *activation, *loss;
    const char *rather; /* NULL: the loss has it in itself, or a softmax in its place */
} ends[] = {{"Softmax", "cross_entropy", NULL},        {"Softmax", "focal", NULL},
            {"Softmax", "nll", "cross_entropy"},       {"Softmax", "kl_divergence", "cross_entropy"},
            {"LogSoftmax", "cross_entropy", NULL},     {"LogSoftmax", "focal", NULL},
            {"Sigmoid", "binary_cross_entropy", NULL}, {"Sigmoid", "binary_focal", NULL},
            {"Sigmoid", "cross_entropy", NULL},        {"Sigmoid", "focal", NULL}};

static int has_softmax_instead(const struct end_of_network *e)
{
    return !strcmp(e->activation, "Sigmoid") && strncmp(e->loss, "binary", 6) != 0;
}

static int settle_activation(cli_model *model, const tn_onnx_end *end, int quiet)
{
    for (size_t i = 0; end->activation && i < sizeof ends / sizeof *ends; i++) {
        if (strcmp(ends[i].activation, end->activation) != 0 || strcmp(ends[i].loss, model->loss) != 0) continue;
        if (ends[i].rather)
            return cli_usage("--loss %s takes logarithms, and %s ends in %s: --loss %s is meant for that", model->loss,
                             model->onnx_path, end->activation, ends[i].rather);
        model->bare = 1;
        if (!quiet)
            cli_tell(has_softmax_instead(&ends[i])
                         ? "%s ends in %s, and --loss %s has a softmax in its place\n"
                         : "%s ends in %s, which --loss %s has in itself: it is applied once\n",
                     cli_shown(model->onnx_path), end->activation, model->loss);
    }
    return CLI_GO_ON;
}

static void settle_head(cli_model *model, const tn_onnx_end *end, int quiet)
{
    const int64_t wanted = cli_model_outputs(model);
    if (!end->outputs || end->outputs == wanted || end->outputs == model->classes) return;
    model->head = wanted;
    if (quiet) return;
    cli_tell("%s has %" PRId64 " outputs: its last layer, '%s', is replaced by a new one for the %" PRId64,
             cli_shown(model->onnx_path), end->outputs, cli_shown(end->weight), wanted);
    cli_tell(" %s of %s\n", model->classes ? "classes" : "numbers", cli_shown(model->data));
}

int cli_network_settle(cli_model *model, int quiet)
{
    tn_onnx_end end;
    if (!model->onnx) return CLI_GO_ON;
    tn_onnx_end_of(model->onnx, &end);
    model->bare = 0;
    model->head = 0;
    settle_head(model, &end, quiet);
    return settle_activation(model, &end, quiet);
}

int cli_network_says_yes_or_no(const cli_model *model)
{
    tn_onnx_end end = {0};
    if (model->onnx) tn_onnx_end_of(model->onnx, &end);
    return end.activation && !strcmp(end.activation, "Sigmoid") && end.outputs == 1;
}

/* ---- its samples ---- */

int cli_network_is_whole(const cli_model *model)
{
    tn_onnx_port port;
    return model->onnx && tn_onnx_input_at(model->onnx, 0, &port) && port.dtype == TN_I32;
}

int cli_network_check(const cli_model *model, const tn_dataset *data)
{
    tn_onnx_port port;
    const float *x = data->x;
    const int64_t each = tn_shape_count(&data->sample);
    if (!x || data->x_dtype != TN_F32 || !cli_network_is_whole(model)) return CLI_GO_ON;
    double least = INT32_MIN, most = INT32_MAX;
    (void)tn_onnx_input_at(model->onnx, 0, &port);
    (void)cli_onnx_range(&port, &least, &most);
    for (int64_t i = 0; i < data->count * each; i++) {
        if ((double)x[i] < least || (double)x[i] > most)
            return cli_fail("%s: sample %" PRId64 " has %g, and input '%s' of %s takes %s, from %.0f to %.0f",
                            data->source ? data->source : "the data", i / each, (double)x[i], port.name,
                            model->onnx_path, port.element, least, most);
        if (x[i] != truncf(x[i]))
            return cli_fail("%s: sample %" PRId64 " has %g, and input '%s' of %s takes whole numbers, %s",
                            data->source ? data->source : "the data", i / each, (double)x[i], port.name,
                            model->onnx_path, port.element);
    }
    return CLI_GO_ON;
}

/* ---- building ---- */

/* A sample without the one channel that the network has, or with one that it has not, or in several dimensions where it
 * has one, is the same. */
static tn_tensor *fitted(const cli_model *model, tn_tensor *x, const tn_onnx_port *port)
{
    const tn_shape shape = tn_shape_of(x);
    const int64_t batch = shape.dim[0];
    const tn_shape channel = cli_onnx_channel(port, shape);
    tn_shape flat = {.rank = 2, .dim = {batch, batch ? tn_shape_count(&shape) / batch : 0}};
    char declared[300], given[160];
    if (cli_onnx_fits(port, &shape)) return x;
    if (cli_onnx_fits(port, &channel)) return tn_reshape(x, channel);
    if (cli_onnx_fits(port, &flat)) return tn_reshape(x, flat);
    tn_graph_fail(tn_graph_of(x), TN_ESHAPE, "%s: its input '%s' is %s, and a sample of %s is %s%s", model->onnx_path,
                  port->name, cli_onnx_port_text(port, declared, sizeof declared), model->data,
                  tn_shape_text(&model->sample, given, sizeof given),
                  model->images ? ": --image brings pictures to that size" : "");
    return x;
}

/* (batch, n, 1, 1) as (batch, n). */
static tn_tensor *without_ones(tn_tensor *y)
{
    const tn_shape shape = tn_shape_of(y);
    int64_t behind = 1;
    for (int32_t d = 2; d < shape.rank; d++) behind *= shape.dim[d];
    return shape.rank > 2 && behind == 1 ? tn_reshape(y, TN_SHAPE(shape.dim[0], shape.dim[1])) : y;
}

/* A failure of the network's, under its path, unless it is named already. */
static void fail_under(tn_graph *graph, tn_status s, const char *path)
{
    const size_t length = strlen(path);
    const int is_named = !strncmp(tn_message(), path, length) && tn_message()[length] == ':';
    tn_graph_fail(graph, s, "%s%s%s", is_named ? "" : path, is_named ? "" : ": ", tn_message());
}

tn_tensor *cli_network_build(const cli_model *model, tn_tensor *x, int training)
{
    tn_graph *graph = tn_graph_of(x);
    const tn_onnx_options how = {.trainable = 1,
                                 .training = (uint32_t)training,
                                 .bare = (uint32_t)model->bare,
                                 .sync_norm = (uint32_t)model->sync_norm,
                                 .outputs = model->head,
                                 .most = model->most};
    tn_onnx_port port;
    tn_tensor *y = NULL;
    (void)tn_onnx_input_at(model->onnx, 0, &port);
    x = fitted(model, x, &port);
    if (port.dtype == TN_I32 && model->x_scale != 1) x = tn_round(tn_mul(x, tn_number(x, 1 / model->x_scale)));
    if (port.dtype && port.dtype != tn_dtype_of(x)) x = tn_cast(x, port.dtype);
    if (tn_graph_status(graph)) return x;
    tn_status s = tn_onnx_freeze(model->onnx, training ? model->freeze : NULL);
    if (!s) s = tn_onnx_apply(model->onnx, &x, 1, &y, 1, &how);
    if (s) fail_under(graph, s, model->onnx_path);
    if (s || !y) return x;
    return tn_cast(without_ones(y), TN_F32);
}

int cli_network_put(const cli_model *model, tn_state *state)
{
    return model->onnx && tn_onnx_put(model->onnx, state, NULL) ? cli_failed() : CLI_GO_ON;
}

tn_status cli_network_note(const cli_model *model, const char **text)
{
    const tn_onnx_options how = {.outputs = model->head, .most = model->most};
    *text = "";
    return model->onnx ? tn_onnx_text(model->onnx, &how, text) : TN_OK;
}
