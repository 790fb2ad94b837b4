/* model.c: see model.h. */
#include "model.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what the network is ---- */

void cli_model_of_data(cli_model *model, const tn_dataset *data)
{
    model->sample = data->sample;
    model->x_dtype = data->x_dtype;
    model->x_scale = data->x_dtype == TN_U8 ? 1.0 / 255 : 1;
    model->classes = data->classes;
    model->targets = data->targets;
    model->class_names = data->class_names;
    model->column_names = data->column_names;
    model->data = data->source;
}

static void shape_text(const tn_shape *shape, char *text, size_t capacity)
{
    text[0] = 0;
    for (int32_t d = 0; d < shape->rank; d++) {
        size_t used = strlen(text);
        snprintf(text + used, capacity - used, "%s%" PRId64, d ? "x" : "", shape->dim[d]);
    }
}

static int read_shape(const char *text, tn_shape *shape)
{
    *shape = (tn_shape){0};
    for (char *end; *text && shape->rank < TN_MAX_RANK - 1; text = *end == 'x' ? end + 1 : end) {
        long long size = strtoll(text, &end, 10);
        if (end == text || size < 1 || size > 1 << 28 || (*end && *end != 'x')) return 0;
        shape->dim[shape->rank++] = size;
    }
    return shape->rank > 0 && !*text && tn_shape_count(shape) < 1 << 30;
}

void cli_model_notes(const cli_model *model, tn_note notes[CLI_MODEL_NOTES], char text[CLI_MODEL_NOTES][160])
{
    static const char *const keys[] = {"sample", "x_type", "x_scale", "classes", "targets"};
    shape_text(&model->sample, text[0], 160);
    snprintf(text[1], 160, "%s", tn_dtype_name(model->x_dtype));
    snprintf(text[2], 160, "%.17g", model->x_scale);
    snprintf(text[3], 160, "%" PRId64, model->classes);
    snprintf(text[4], 160, "%" PRId64, model->targets);
    for (int i = 0; i < CLI_MODEL_NOTES - 2; i++) notes[i] = (tn_note){keys[i], text[i]};
    notes[CLI_MODEL_NOTES - 2] = (tn_note){"class_names", model->class_names ? model->class_names : ""};
    notes[CLI_MODEL_NOTES - 1] = (tn_note){"column_names", model->column_names ? model->column_names : ""};
}

const char *cli_class_name(const cli_model *model, int64_t index, char *text, size_t capacity)
{
    const char *name = model->class_names;
    for (int64_t i = 0; name && i < index; i++) {
        name = strchr(name, '\n');
        if (name) name++;
    }
    if (name && *name)
        snprintf(text, capacity, "%.*s", (int)strcspn(name, "\n"), name);
    else
        snprintf(text, capacity, "%" PRId64, index);
    return text;
}

static const char *note(const tn_checkpoint *checkpoint, const char *key)
{
    const char *text = tn_checkpoint_note(checkpoint, key);
    return text ? text : "";
}

int cli_model_of_notes(cli_model *model, const tn_checkpoint *checkpoint, const char *path)
{
    if (!read_shape(note(checkpoint, "sample"), &model->sample))
        return cli_fail("%s: it does not say what its samples are: it was not saved by 'tenon train --save'", path);
    model->x_dtype = strcmp(note(checkpoint, "x_type"), "u8") ? TN_F32 : TN_U8;
    model->x_scale = strtod(note(checkpoint, "x_scale"), NULL);
    model->classes = strtoll(note(checkpoint, "classes"), NULL, 10);
    model->targets = strtoll(note(checkpoint, "targets"), NULL, 10);
    model->class_names = *note(checkpoint, "class_names") ? note(checkpoint, "class_names") : NULL;
    model->column_names = *note(checkpoint, "column_names") ? note(checkpoint, "column_names") : NULL;
    model->data = path;
    int64_t outputs = model->classes ? model->classes : model->targets;
    if (outputs < 1 || outputs > INT32_MAX || model->classes < 0 || !(model->x_scale > 0))
        return cli_fail("%s: its notes on the samples make no sense", path);
    return CLI_GO_ON;
}

/* ---- what its loss needs ---- */

static tn_loss_entry loss_entry(const char *name)
{
    tn_loss_entry entry;
    for (size_t i = 0; tn_loss_at(i, &entry); i++)
        if (!strcmp(entry.name, name)) return entry;
    return (tn_loss_entry){.name = name};
}

int cli_loss_counts(const cli_model *model)
{
    return model->classes > 0 || loss_entry(model->loss).classes;
}

int cli_loss_classifies(const char *loss)
{
    return (int)loss_entry(loss).classes;
}

int cli_loss_of_errors(const char *loss)
{
    return (int)loss_entry(loss).errors;
}

int cli_check_loss(const cli_model *model)
{
    if (!loss_entry(model->loss).labels || model->classes) return CLI_GO_ON;
    return cli_usage("--loss %s needs one class for each sample, but %s has %" PRId64
                     " numbers to predict: binary_cross_entropy is for yes or no in each, mse for numbers",
                     model->loss, model->data, model->targets);
}

/* One output is enough to tell two classes apart if the loss is made for classes and takes no labels. */
static int one_is_enough(const cli_model *model)
{
    tn_loss_entry entry = loss_entry(model->loss);
    return model->classes == 2 && entry.classes && !entry.labels;
}

int64_t cli_model_outputs(const cli_model *model)
{
    if (one_is_enough(model)) return 1;
    return model->classes ? model->classes : model->targets;
}

static void check_output(const cli_model *model, tn_tensor *output)
{
    tn_graph *graph = tn_graph_of(output);
    if (tn_graph_status(graph)) return;
    tn_shape shape = tn_shape_of(output);
    int64_t want = model->classes ? model->classes : model->targets, got = shape.dim[shape.rank - 1];
    char text[160];
    if (shape.rank == 2 && (got == want || (got == 1 && one_is_enough(model)))) return;
    if (shape.rank == 2)
        tn_graph_fail(graph, TN_ESHAPE,
                      "the network has %" PRId64 " outputs but %s has %" PRId64
                      " %s: it should end with 'linear %" PRId64 "'",
                      got, model->data, want, model->classes ? "classes" : "target(s)", cli_model_outputs(model));
    else
        tn_graph_fail(graph, TN_ESHAPE, "the network's output is %s but should be (batch, %" PRId64 ") for %s",
                      tn_shape_text(&shape, text, sizeof text), cli_model_outputs(model), model->data);
}

tn_tensor *cli_model_build(const cli_model *model, tn_tensor *raw, int training)
{
    tn_shape shape = {.rank = model->sample.rank + 1, .dim = {tn_shape_of(raw).dim[0]}};
    for (int32_t d = 0; d < model->sample.rank; d++) shape.dim[d + 1] = model->sample.dim[d];
    tn_tensor *x = raw;
    if (tn_dtype_of(x) != TN_F32) x = tn_cast(x, TN_F32);
    if (model->x_scale != 1) x = tn_mul(x, tn_number(x, model->x_scale));
    x = tn_net(tn_reshape(x, shape), model->net,
               (tn_net_options){.training = (uint32_t)training,
                                .outputs = cli_model_outputs(model),
                                .init = model->init,
                                .freeze = training ? model->freeze : NULL,
                                .scale = model->scale});
    check_output(model, x);
    return x;
}

/* ---- data on the device ---- */

static int64_t features(const tn_dataset *data)
{
    return tn_shape_count(&data->sample);
}

tn_status cli_data_put(tn_state *state, const char *prefix, const tn_dataset *data)
{
    char x[32], y[32];
    snprintf(x, sizeof x, "%s.x", prefix);
    snprintf(y, sizeof y, "%s.y", prefix);
    tn_status s = tn_state_put(state, x, data->x_dtype, TN_SHAPE(data->count, features(data)), TN_TRANSIENT, data->x);
    if (s) return s;
    if (data->classes) return tn_state_put(state, y, TN_I32, TN_SHAPE(data->count), TN_TRANSIENT, data->label);
    return tn_state_put(state, y, TN_F32, TN_SHAPE(data->count, data->targets), TN_TRANSIENT, data->target);
}

cli_batch cli_batch_of(tn_graph *graph, const char *prefix, const tn_dataset *data, const char *order, int64_t count)
{
    const tn_init zero = {.kind = TN_INIT_ZERO};
    char name[32];
    snprintf(name, sizeof name, "%s.x", prefix);
    tn_tensor *x = tn_variable(graph, name, data->x_dtype, TN_SHAPE(data->count, features(data)), zero, TN_TRANSIENT);
    snprintf(name, sizeof name, "%s.y", prefix);
    tn_shape shape = data->classes ? TN_SHAPE(data->count) : TN_SHAPE(data->count, data->targets);
    tn_tensor *y = tn_variable(graph, name, data->classes ? TN_I32 : TN_F32, shape, zero, TN_TRANSIENT);
    tn_tensor *start = tn_scalar_input(graph, "start", TN_I32, 0);
    if (!order) return (cli_batch){tn_window(x, start, count), tn_window(y, start, count)};
    tn_tensor *all = tn_variable(graph, order, TN_I32, TN_SHAPE(data->count), zero, TN_TRANSIENT);
    tn_tensor *index = tn_window(all, start, count);
    return (cli_batch){tn_gather(x, index), tn_gather(y, index)};
}
