/* settings.c: see settings.h. A new option of training is a field, a default and a row. */
#include "settings.h"
#include "../core/nearest.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void cli_settings_init(cli_settings *s)
{
    *s = (cli_settings){.data = "digits",
                        .net = "mlp",
                        .loss = "cross_entropy",
                        .optimizer = "adam",
                        .schedule = "constant",
                        .init = "auto",
                        .batch = 64,
                        .epochs = 5,
                        .seed = 1,
                        .storage = "f32",
                        .device = "auto"};
    const cli_option options[] = {
        {CLI_TEXT, "data", "NAME",
         "digits or digits-rgb (built in), a folder with MNIST's files, a CSV file, an .npz archive", &s->data, 0, 0,
         "data", 0, 0, 0},
        {CLI_TEXT, "target", "NAME,NAME", "of a CSV file: the columns to predict (the last)", &s->target, 0, 0,
         "target", 1, 0, 0},
        {CLI_TEXT, "scale", "KIND", "of a table's columns: none, minmax, standard or unit (none)", &s->scale, 0, 0,
         "scale", 1, 0, 0},
        {CLI_WHOLE, "limit", "N", "use only the first N training samples", &s->limit, 1, 2147483647, "limit", 1, 0, 0},
        {CLI_TEXT, "net", "NET", "a named network or layers, as \"linear 100, relu, linear 10\" (mlp)", &s->net, 0, 0,
         "net", 1, 0, 0},
        {CLI_TEXT, "init", "NAME", "first weights: auto, xavier, he, lecun, zero, \"normal DEVIATION\" (auto)",
         &s->init, 0, 0, "init", 1, 0, 0},
        {CLI_TEXT, "loss", "NAME", "what is made small (cross_entropy)", &s->loss, 0, 0, "loss", 1, 0, 0},
        {CLI_TEXT, "optimizer", "NAME", "how the weights follow the gradient (adam)", &s->optimizer, 0, 0, "optimizer",
         1, 0, 0},
        {CLI_NUMBER, "lr", "RATE", "learning rate (by the optimizer)", &s->optim.lr, 0, INFINITY, "lr", 0, 0, 0},
        {CLI_NUMBER, "momentum", "SHARE", "of the optimizers momentum and nesterov (0.9)", &s->optim.momentum, 0, 1,
         "momentum", 0, 0, 0},
        {CLI_NUMBER, "beta1", "SHARE", "of adam and adamw (0.9)", &s->optim.beta1, 0, 1, "beta1", 0, 0, 0},
        {CLI_NUMBER, "beta2", "SHARE", "of adam and adamw (0.999)", &s->optim.beta2, 0, 1, "beta2", 0, 0, 0},
        {CLI_NUMBER, "alpha", "SHARE", "of rmsprop (0.99)", &s->optim.alpha, 0, 1, "alpha", 0, 0, 0},
        {CLI_NUMBER, "epsilon", "F", "of adam, adamw, adagrad and rmsprop (1e-8; adagrad 1e-10)", &s->optim.epsilon, 0,
         INFINITY, "epsilon", 0, 0, 0},
        {CLI_NUMBER, "weight-decay", "F", "adds that share of the weights to the gradient (0; adamw 0.01)",
         &s->optim.weight_decay, 0, INFINITY, "weight_decay", 0, 0, 0},
        {CLI_NUMBER, "clip-norm", "F", "largest norm of all gradients together (none)", &s->optim.clip_norm, 0,
         INFINITY, "clip_norm", 0, 0, 0},
        {CLI_NUMBER, "clip-value", "F", "largest size of each value of the gradients, after that (none)",
         &s->optim.clip_value, 0, INFINITY, "clip_value", 0, 0, 0},
        {CLI_NUMBER, "label-smoothing", "SHARE", "of the target, spread over all classes in training (0)",
         &s->smoothing, 0, 1, "label_smoothing", 1, 0, 0},
        {CLI_TEXT, "class-weights", "W,W,...", "of each class in the training loss, or \"balanced\" (1)",
         &s->class_weights, 0, 0, "class_weights", 1, 0, 0},
        {CLI_TEXT, "schedule", "TEXT", "of the learning rate, as \"warmup 100, cosine 5000\" (constant)", &s->schedule,
         0, 0, "schedule", 0, 0, 0},
        {CLI_WHOLE, "batch", "N", "samples in a step (64)", &s->batch, 1, 2147483647, "batch", 1, 0, 0},
        {CLI_WHOLE, "epochs", "N", "times through the data (5)", &s->epochs, 1, 1000000, "epochs", 0, 0, 0},
        {CLI_NUMBER, "validation", "SHARE", "of the training samples, kept back to judge epochs by", &s->validation, 0,
         1, "validation", 1, 0, 0},
        {CLI_WHOLE, "early-stop", "N", "stop when N epochs in a row brought no lower loss of validation, or else test",
         &s->early_stop, 1, 1000000, "early_stop", 0, 0, 0},
        {CLI_WHOLE, "seed", "N", "of weights, order and dropout (1)", &s->seed, 0, 9e15, "seed", 1, 0, 0},
        {CLI_TEXT, "device", "NAME", "cpu, opencl:0, reference, a part of a name, or auto (auto)", &s->device, 0, 0, 0,
         0, 0, 0},
        {CLI_TEXT, "save", "FILE", "save the model there after every epoch", &s->save, 0, 0, 0, 0, 0, 0},
        {CLI_TEXT, "best", "FILE", "save the epoch with the lowest such loss there", &s->best, 0, 0, 0, 0, 0, 0},
        {CLI_TEXT, "resume", "FILE", "go on with a saved training", &s->resume, 0, 0, 0, 0, 0, 0},
        {CLI_TEXT, "load", "FILE", "begin with the weights of a safetensors file that fit by name and shape", &s->load,
         0, 0, 0, 0, 0, 0},
        {CLI_TEXT, "freeze", "NAMES", "leave variables as they are: \"conv*, fc1.bias\"", &s->freeze, 0, 0, "freeze", 1,
         0, 0},
        {CLI_TEXT, "curve", "FILE.svg", "draw the loss curve there", &s->curve, 0, 0, 0, 0, 0, 0},
        {CLI_LEVEL, "json", "step", "one JSON object an epoch, or a step, on standard output", &s->json, 0, 0, 0, 0, 0,
         0},
        {CLI_FLAG, "explain", 0, "print the compiled program", &s->explain, 0, 0, 0, 0, 0, 0},
        {CLI_FLAG, "stats", 0, "print what a step costs, at the end", &s->stats, 0, 0, 0, 0, 0, 0},
        {CLI_FLAG, "strict", 0, "fail rather than run a part on another device", &s->strict, 0, 0, 0, 0, 0, 0},
        {CLI_TEXT, "storage", "TYPE", "what passes between kernels is stored as: f32, f16, bf16 (f32)", &s->storage, 0,
         0, "storage", 0, 0, 0},
        {CLI_FLAG, "unfused", 0, "one kernel an operator, for comparison", &s->unfused, 0, 0, 0, 0, 0, 0},
        {CLI_END, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    };
    memcpy(s->options, options, sizeof options);
}

void cli_settings_free(cli_settings *s)
{
    cli_options_free(s->options);
}

static void list(const char *title, int (*at)(size_t index, tn_net_word *word))
{
    tn_net_word word;
    printf("\n%s\n", title);
    for (size_t i = 0; at(i, &word); i++) {
        int layers = at == tn_net_named_at;
        printf("  %-18s %s%s%s\n", layers ? word.name : word.usage, word.doc, layers ? ": " : "",
               layers ? word.usage : "");
    }
}

void cli_settings_help(void)
{
    tn_loss_entry loss;
    tn_optimizer_entry optimizer;
    list("networks", tn_net_named_at);
    list("layers", tn_net_layer_at);
    printf("\nlosses\n");
    for (size_t i = 0; tn_loss_at(i, &loss); i++) printf("  %-20s %s\n", loss.name, loss.doc);
    printf("\noptimizers\n");
    for (size_t i = 0; tn_optimizer_at(i, &optimizer); i++)
        printf("  %-10s %s (lr %g)\n", optimizer.name, optimizer.doc, optimizer.lr);
    printf("\nschedules, each after an optional \"warmup STEPS,\"\n"
           "  constant, step STEPS FACTOR, exponential FACTOR, cosine STEPS,\n"
           "  plateau EPOCHS FACTOR (each time that many epochs in a row brought no lower loss)\n");
}

static int check_loss(const char *name)
{
    tn_nearest nearest = {.word = name};
    tn_loss_entry entry;
    char hint[80];
    for (size_t i = 0; tn_loss_at(i, &entry); i++) {
        if (!strcmp(entry.name, name)) return CLI_GO_ON;
        tn_nearest_offer(&nearest, entry.name);
    }
    return cli_usage("--loss: there is no loss '%s'%s", name, tn_nearest_text(&nearest, hint, sizeof hint));
}

static int check_optimizer(cli_settings *s)
{
    tn_nearest nearest = {.word = s->optimizer};
    tn_optimizer_entry entry;
    char hint[80];
    for (size_t i = 0; tn_optimizer_at(i, &entry); i++) {
        tn_nearest_offer(&nearest, entry.name);
        if (strcmp(entry.name, s->optimizer)) continue;
        if (s->optim.lr == 0) s->optim.lr = entry.lr;
        return CLI_GO_ON;
    }
    return cli_usage("--optimizer: there is no optimizer '%s'%s", s->optimizer,
                     tn_nearest_text(&nearest, hint, sizeof hint));
}

/* Options that only some optimizers have. */
static int check_owners(cli_settings *s)
{
    static const struct {
        const char *option, *optimizers;
    } owned[] = {{"momentum", "momentum, nesterov"},
                 {"beta1", "adam, adamw"},
                 {"beta2", "adam, adamw"},
                 {"alpha", "rmsprop"},
                 {"epsilon", "adam, adamw, adagrad, rmsprop"}};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) {
        const char *at = strstr(owned[i].optimizers, s->optimizer);
        size_t length = strlen(s->optimizer);
        while (at && ((at > owned[i].optimizers && at[-1] != ' ') || (at[length] && at[length] != ',')))
            at = strstr(at + 1, s->optimizer);
        if (cli_given(s->options, owned[i].option) && !at)
            return cli_usage("--%s belongs to --optimizer %s, not to %s", owned[i].option, owned[i].optimizers,
                             s->optimizer);
    }
    return CLI_GO_ON;
}

/* n / (classes x count of the class), so that each class has the same weight in all; 0 for one without samples. */
static void balance(const tn_dataset *data, float *weights)
{
    for (int64_t k = 0; k < data->classes; k++) {
        int64_t count = 0;
        for (int64_t i = 0; i < data->count; i++) count += data->label[i] == k;
        weights[k] = count ? (float)data->count / ((float)data->classes * (float)count) : 0;
    }
}

/* As many numbers as classes, none negative and not all 0. */
static int read_weights(const char *text, int64_t classes, float *weights)
{
    double sum = 0;
    for (int64_t k = 0; k < classes; k++) {
        char *end;
        double weight = strtod(text, &end);
        if (end == text || !(weight >= 0 && weight < 1e30) || *end != (k + 1 < classes ? ',' : 0)) return 0;
        weights[k] = (float)weight;
        sum += weight;
        text = end + 1;
    }
    return sum > 0;
}

int cli_settings_class_weights(const cli_settings *s, const tn_dataset *data, float **weights)
{
    if (!s->class_weights) return CLI_GO_ON;
    if (!data->classes) return cli_usage("--class-weights: %s has no classes", data->source);
    *weights = calloc((size_t)data->classes, sizeof **weights);
    if (!*weights) return cli_fail("out of memory");
    if (!strcmp(s->class_weights, "balanced"))
        balance(data, *weights);
    else if (!read_weights(s->class_weights, data->classes, *weights))
        return cli_usage("--class-weights '%s' is neither \"balanced\" nor %lld numbers of 0 or more, one a class",
                         s->class_weights, (long long)data->classes);
    return CLI_GO_ON;
}

static const struct {
    const char *name;
    int32_t dtype;
} storages[] = {{"f32", 0}, {"f16", TN_F16}, {"bf16", TN_BF16}};

/* Where in `storages` the setting is; past its end if it is none. */
static size_t find_storage(const cli_settings *s)
{
    size_t i = 0;
    while (i < sizeof storages / sizeof *storages && strcmp(storages[i].name, s->storage)) i++;
    return i;
}

tn_compile_options cli_compile_options(const cli_settings *s)
{
    return (tn_compile_options){
        .strict = (uint32_t)s->strict, .unfused = (uint32_t)s->unfused, .storage = storages[find_storage(s)].dtype};
}

int cli_settings_check(cli_settings *s, tn_schedule *schedule)
{
    int status = check_loss(s->loss);
    if (status == CLI_GO_ON) status = check_optimizer(s);
    if (status == CLI_GO_ON) status = check_owners(s);
    if (status != CLI_GO_ON) return status;
    if (cli_given(s->options, "target") && !cli_is_table(s->data))
        return cli_usage("--target belongs to CSV files, and --data is '%s'", s->data);
    if (find_storage(s) == sizeof storages / sizeof *storages)
        return cli_usage("--storage: numbers are stored as f32, f16 or bf16, not as '%s'", s->storage);
    if (s->scale && tn_scale_kind(s->scale) < 0)
        return cli_usage("--scale '%s' is not none, minmax, standard or unit", s->scale);
    if (s->load && s->resume)
        return cli_usage("--load begins a training and --resume goes on with one: give one of them");
    if (tn_schedule_parse(s->schedule, schedule)) return cli_usage("--%s", tn_message());
    if (cli_can_write("save", s->save) || cli_can_write("best", s->best) || cli_can_write("curve", s->curve))
        return CLI_FAILED;
    return CLI_GO_ON;
}

void cli_settings_init_of(const cli_settings *s, char name[32], double *scale)
{
    const char *space = strchr(s->init, ' ');
    char *end = NULL;
    *scale = space ? strtod(space, &end) : 0;
    int number = space && !*end && *scale > 0 && isfinite(*scale);
    snprintf(name, 32, "%.*s", number ? (int)(space - s->init) : 31, s->init);
}

int cli_is_table(const char *data)
{
    size_t length = strlen(data);
    return length > 4 && !strcasecmp(data + length - 4, ".csv");
}

int cli_open_data(const cli_settings *s, tn_dataset *train, tn_dataset *test)
{
    tn_csv_options csv = {.target = s->target, .classify = (uint32_t)cli_loss_classifies(s->loss), .keep_missing = 1};
    if (tn_dataset_open(s->data, (uint64_t)s->seed, &csv, train, test)) return cli_failed();
    if (train->classes < test->classes) train->classes = test->classes;
    test->classes = train->classes;
    if (!train->count) return cli_fail("%s has no training samples", train->source);
    return CLI_GO_ON;
}
