/* model.c: see model.h. */
#include "model.h"
#include "network.h"
#include "options.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_NUMBERS ((int64_t)1 << 28) /* in a sample */

/* ---- what the network is ---- */

void cli_model_of_data(cli_model *model, const tn_dataset *data)
{
    model->sample = data->sample;
    model->no_channel = data->no_channel != 0;
    model->x_dtype = data->x_dtype;
    model->x_scale = data->x_dtype == TN_U8 ? 1.0 / 255 : 1;
    model->classes = data->classes;
    model->targets = data->targets;
    model->labels = data->labels;
    model->class_names = data->class_names;
    model->column_names = data->column_names;
    model->categories = data->categories;
    model->target_names = data->target_names;
    model->target_numbers = data->target_numbers;
    model->images = (int)data->images;
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
    int64_t count = 1;
    *shape = (tn_shape){0};
    for (char *end; *text && shape->rank < TN_MAX_RANK - 1; text = *end == 'x' ? end + 1 : end) {
        long long size = strtoll(text, &end, 10);
        if (end == text || size < 1 || size > MOST_NUMBERS / count || (*end && *end != 'x')) return 0;
        count *= size;
        shape->dim[shape->rank++] = size;
    }
    return shape->rank > 0 && !*text;
}

int cli_image_of(const char *text, tn_shape *image)
{
    return read_shape(text, image) &&
           (image->rank == 2 || (image->rank == 3 && (image->dim[0] == 1 || image->dim[0] == 3)));
}

void cli_model_notes(const cli_model *model, tn_note notes[CLI_MODEL_NOTES], char text[CLI_MODEL_NOTES][160])
{
    static const char *const keys[] = {"sample",  "x_type", "x_scale", "classes",   "targets",
                                       "framing", "images", "labels",  "no_channel"};
    shape_text(&model->sample, text[0], 160);
    snprintf(text[1], 160, "%s", tn_dtype_name(model->x_dtype));
    snprintf(text[2], 160, "%.17g", model->x_scale);
    snprintf(text[3], 160, "%" PRId64, model->classes);
    snprintf(text[4], 160, "%" PRId64, model->targets);
    text[5][0] = 0;
    if (model->framing.size > 0) tn_framing_text(&model->framing, text[5]);
    snprintf(text[6], 160, "%s", model->images ? "yes" : "");
    *text[7] = 0;
    if (model->labels > 1) snprintf(text[7], 160, "%" PRId64, model->labels);
    snprintf(text[8], 160, "%s", model->no_channel ? "yes" : "");
    const tn_note lists[] = {{"class_names", model->class_names},
                             {"column_names", model->column_names},
                             {"categories", model->categories},
                             {"target_names", model->target_names},
                             {"target_numbers", model->target_numbers}};
    enum { KEYS = sizeof keys / sizeof *keys };
    for (int i = 0; i < KEYS; i++) notes[i] = (tn_note){keys[i], text[i]};
    for (int i = KEYS; i < CLI_MODEL_NOTES; i++) {
        notes[i] = lists[i - KEYS];
        if (!notes[i].value) notes[i].value = "";
    }
}

size_t cli_name_length(const char *names)
{
    return strcspn(names, "\n");
}

const char *cli_next_name(const char *names)
{
    names += cli_name_length(names);
    return names + (*names == '\n');
}

/* What a letter behind a backslash stands for; 0: it is none of a class's name. */
static char meant(char letter)
{
    return letter == 'n' ? '\n' : letter == 'r' ? '\r' : letter == '\\' ? letter : 0;
}

char *cli_read_class(const char *names, char *text, size_t capacity)
{
    char *to = text;
    for (; *names && *names != '\n' && to + 1 < text + capacity; names++) {
        const char other = *names == '\\' ? meant(names[1]) : 0;
        names += other != 0;
        *to++ = other ? other : *names;
    }
    *to = 0;
    return text;
}

const char *cli_class_name(const cli_model *model, int64_t index, char *text, size_t capacity)
{
    const char *name = model->class_names;
    for (int64_t i = 0; name && i < index; i++) name = cli_next_name(name);
    if (name && *name) return cli_read_class(name, text, capacity);
    snprintf(text, capacity, "%" PRId64, index);
    return text;
}

const char *cli_output_names(const cli_model *model, int64_t outputs)
{
    if (!model->classes) return model->target_names;
    return outputs == 1 ? "output\n" : model->class_names;
}

void cli_next_output(const cli_model *model, const char **names, int64_t k, char name[CLI_CLASS_NAME])
{
    if (!*names)
        snprintf(name, CLI_CLASS_NAME, model->classes ? "%" PRId64 : "output %" PRId64, k + !model->classes);
    else if (model->classes)
        cli_read_class(*names, name, CLI_CLASS_NAME);
    else
        snprintf(name, CLI_CLASS_NAME, "%.*s", (int)cli_name_length(*names), *names);
    if (*names) *names = cli_next_name(*names);
}

int cli_outputs_clash(const cli_model *model, int64_t outputs, int count)
{
    static const char *const taken[] = {"input", "index", "class", "probability"};
    const char *names = cli_output_names(model, outputs);
    char name[CLI_CLASS_NAME];
    for (int64_t k = 0; k < outputs; k++) {
        cli_next_output(model, &names, k, name);
        for (int i = 0; i < count; i++)
            if (!strcmp(name, taken[i])) return 1;
    }
    return 0;
}

const char *cli_accuracy_name(const cli_model *model)
{
    return model->targets > 1 ? "all right" : "accuracy";
}

int cli_model_writes(const cli_model *model)
{
    return model->labels > 1;
}

static const char *note(const tn_checkpoint *checkpoint, const char *key)
{
    const char *text = tn_checkpoint_note(checkpoint, key);
    return text ? text : "";
}

static const char *note_or_null(const tn_checkpoint *checkpoint, const char *key)
{
    const char *text = note(checkpoint, key);
    return *text ? text : NULL;
}

/* Whether all of it can be read. */
static int are_categories(const char *at)
{
    tn_category c;
    for (const char *next; (next = tn_next_category(at, &c));) at = next;
    return !*at;
}

int cli_model_of_notes(cli_model *model, const tn_checkpoint *checkpoint, const char *path)
{
    if (!read_shape(note(checkpoint, "sample"), &model->sample))
        return cli_fail("%s: it does not say what its samples are: it was not saved by 'tenon train --save'", path);
    model->x_dtype = strcmp(note(checkpoint, "x_type"), "u8") ? TN_F32 : TN_U8;
    model->x_scale = strtod(note(checkpoint, "x_scale"), NULL);
    int known = cli_note_whole(checkpoint, "classes", 0, INT32_MAX, &model->classes) &&
                cli_note_whole(checkpoint, "targets", 0, INT32_MAX, &model->targets);
    model->labels = 0;
    if (*note(checkpoint, "labels")) known &= cli_note_whole(checkpoint, "labels", 2, INT32_MAX, &model->labels);
    known &= !model->labels || (model->labels == tn_shape_count(&model->sample) &&
                                (model->classes == 256 || *note(checkpoint, "class_names")));
    model->class_names = note_or_null(checkpoint, "class_names");
    model->column_names = note_or_null(checkpoint, "column_names");
    model->categories = note(checkpoint, "categories");
    model->target_names = note_or_null(checkpoint, "target_names");
    model->target_numbers = note_or_null(checkpoint, "target_numbers");
    model->images = *note(checkpoint, "images") != 0;
    model->no_channel = *note(checkpoint, "no_channel") && model->sample.rank == 3 && model->sample.dim[0] == 1;
    model->data = path;
    model->framing = (tn_framing){0};
    if (*note(checkpoint, "framing") && tn_framing_parse(note(checkpoint, "framing"), &model->framing))
        return cli_fail("%s: %s", path, tn_message());
    if (!are_categories(model->categories))
        return cli_fail("%s: its note on the texts of a table makes no sense", path);
    if (!known || (!model->classes && !model->targets) || !(model->x_scale > 0 && isfinite(model->x_scale)))
        return cli_fail("%s: its notes on the samples make no sense", path);
    return CLI_GO_ON;
}

int64_t cli_net_tokens(const char *net)
{
    static const char layer[] = "embedding ";
    net += strspn(net, " \t\n");
    return strncmp(net, layer, sizeof layer - 1) ? 0 : strtoll(net + sizeof layer - 1, NULL, 10);
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

int cli_loss_tells_probabilities(const char *loss)
{
    return (int)loss_entry(loss).probabilities;
}

int cli_loss_of_errors(const char *loss)
{
    return (int)loss_entry(loss).errors;
}

int cli_check_loss(const cli_model *model)
{
    char name[CLI_CLASS_NAME];
    const char *column = model->target_names ? model->target_names : "";
    if (loss_entry(model->loss).labels && model->classes == 1)
        return cli_usage("%s: all of %s%.*s%s is the class '%s': there is nothing to tell apart", model->data,
                         *column ? "column '" : "it", (int)cli_name_length(column), column, *column ? "'" : "",
                         cli_class_name(model, 0, name, sizeof name));
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

/* One for each byte of a text. */
static void check_steps(const cli_model *model, tn_tensor *output)
{
    const tn_shape shape = tn_shape_of(output), want = TN_SHAPE(shape.dim[0], model->labels, model->classes);
    char text[160];
    if (tn_shape_equal(&shape, &want)) return;
    tn_graph_fail(tn_graph_of(output), TN_ESHAPE,
                  "the network's output is %s but should be (batch, %" PRId64 ", %" PRId64
                  "), to say at each place of a text what comes next: it should begin with 'embedding %" PRId64
                  " UNITS' and end with 'project %" PRId64 "'",
                  tn_shape_text(&shape, text, sizeof text), model->labels, model->classes, model->classes,
                  model->classes);
}

static void check_output(const cli_model *model, tn_tensor *output)
{
    tn_graph *graph = tn_graph_of(output);
    if (tn_graph_status(graph)) return;
    if (cli_model_writes(model)) {
        check_steps(model, output);
        return;
    }
    tn_shape shape = tn_shape_of(output);
    int64_t want = model->classes ? model->classes : model->targets, got = shape.dim[shape.rank - 1];
    char text[160];
    if (shape.rank == 2 && (got == want || (got == 1 && one_is_enough(model)))) return;
    if (shape.rank == 2 && model->onnx)
        tn_graph_fail(graph, TN_ESHAPE,
                      "%s has %" PRId64 " outputs but %s has %" PRId64
                      " %s, and its last layer is none that could be replaced",
                      model->onnx_path, got, model->data, want, model->classes ? "classes" : "target(s)");
    else if (shape.rank == 2)
        tn_graph_fail(graph, TN_ESHAPE,
                      "the network has %" PRId64 " outputs but %s has %" PRId64
                      " %s: it should end with 'linear %" PRId64 "'",
                      got, model->data, want, model->classes ? "classes" : "target(s)", cli_model_outputs(model));
    else
        tn_graph_fail(graph, TN_ESHAPE, "the network's output is %s but should be (batch, %" PRId64 ") for %s",
                      tn_shape_text(&shape, text, sizeof text), cli_model_outputs(model), model->data);
}

tn_tensor *cli_model_words(const cli_model *model, tn_tensor *x, int training,
                           void (*each)(void *arg, const char *layer, tn_tensor *y), void *arg)
{
    return tn_net(x, model->net,
                  (tn_net_options){.training = (uint32_t)training,
                                   .outputs = cli_model_outputs(model),
                                   .init = model->init,
                                   .freeze = training ? model->freeze : NULL,
                                   .sync_norm = (uint32_t)model->sync_norm,
                                   .each = each,
                                   .arg = arg,
                                   .scale = model->scale});
}

static tn_tensor *build(tn_tensor *x, int training, const void *arg)
{
    const cli_model *model = arg;
    tn_tensor *output =
        model->onnx ? cli_network_build(model, x, training) : cli_model_words(model, x, training, NULL, NULL);
    check_output(model, output);
    return output;
}

tn_model cli_model_of(const cli_model *model, const tn_compile_options *compile)
{
    tn_model made = {.build = build, .loss = model->loss, .arg = model};
    if (compile) made.compile = *compile;
    return made;
}
