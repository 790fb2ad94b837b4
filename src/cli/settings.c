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
                        .momentum = 0.9,
                        .batch = 64,
                        .epochs = 5,
                        .seed = 1,
                        .device = "auto"};
    const cli_option options[] = {
        {CLI_TEXT, "data", "NAME", "digits or digits-rgb (built in), a folder with MNIST's files, or a CSV file",
         &s->data, 0, 0, "data", 0, 0, 0},
        {CLI_TEXT, "target", "COLUMN", "of a CSV file: what to predict (the last column)", &s->target, 0, 0, "target",
         1, 0, 0},
        {CLI_WHOLE, "limit", "N", "use only the first N training samples", &s->limit, 1, 2147483647, "limit", 1, 0, 0},
        {CLI_TEXT, "net", "NET", "a named network or layers, as \"linear 100, relu, linear 10\" (mlp)", &s->net, 0, 0,
         "net", 1, 0, 0},
        {CLI_TEXT, "init", "NAME", "first weights: auto, xavier, he, lecun, zero, \"normal DEVIATION\" (auto)",
         &s->init, 0, 0, "init", 1, 0, 0},
        {CLI_TEXT, "loss", "NAME", "what is made small (cross_entropy)", &s->loss, 0, 0, "loss", 1, 0, 0},
        {CLI_TEXT, "optimizer", "NAME", "how the weights follow the gradient (adam)", &s->optimizer, 0, 0, "optimizer",
         1, 0, 0},
        {CLI_NUMBER, "lr", "RATE", "learning rate (by the optimizer)", &s->lr, 0, INFINITY, "lr", 0, 0, 0},
        {CLI_NUMBER, "momentum", "SHARE", "of the optimizer momentum (0.9)", &s->momentum, 0, 1, "momentum", 0, 0, 0},
        {CLI_TEXT, "schedule", "TEXT", "of the learning rate, as \"warmup 100, cosine 5000\" (constant)", &s->schedule,
         0, 0, "schedule", 0, 0, 0},
        {CLI_WHOLE, "batch", "N", "samples in a step (64)", &s->batch, 1, 2147483647, "batch", 1, 0, 0},
        {CLI_WHOLE, "epochs", "N", "times through the data (5)", &s->epochs, 1, 1000000, "epochs", 0, 0, 0},
        {CLI_WHOLE, "seed", "N", "of weights, order and dropout (1)", &s->seed, 0, 9e15, "seed", 1, 0, 0},
        {CLI_TEXT, "device", "NAME", "cpu, opencl:0, reference, a part of a name, or auto (auto)", &s->device, 0, 0, 0,
         0, 0, 0},
        {CLI_TEXT, "save", "FILE", "save the model there after every epoch", &s->save, 0, 0, 0, 0, 0, 0},
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
           "  constant, step STEPS FACTOR, exponential FACTOR, cosine STEPS\n");
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
        if (s->lr == 0) s->lr = entry.lr;
        return CLI_GO_ON;
    }
    return cli_usage("--optimizer: there is no optimizer '%s'%s", s->optimizer,
                     tn_nearest_text(&nearest, hint, sizeof hint));
}

int cli_settings_check(cli_settings *s, tn_schedule *schedule)
{
    int status = check_loss(s->loss);
    if (status == CLI_GO_ON) status = check_optimizer(s);
    if (status != CLI_GO_ON) return status;
    if (cli_given(s->options, "momentum") && strcmp(s->optimizer, "momentum"))
        return cli_usage("--momentum belongs to --optimizer momentum, not to %s", s->optimizer);
    if (cli_given(s->options, "target") && !cli_is_table(s->data))
        return cli_usage("--target belongs to CSV files, and --data is '%s'", s->data);
    if (s->load && s->resume)
        return cli_usage("--load begins a training and --resume goes on with one: give one of them");
    if (tn_schedule_parse(s->schedule, schedule)) return cli_usage("--%s", tn_message());
    if (cli_can_write("save", s->save) || cli_can_write("curve", s->curve)) return CLI_FAILED;
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
    tn_csv_options csv = {.target = s->target, .classify = (uint32_t)cli_loss_classifies(s->loss)};
    if (tn_dataset_open(s->data, (uint64_t)s->seed, &csv, train, test)) return cli_failed();
    if (train->classes < test->classes) train->classes = test->classes;
    test->classes = train->classes;
    if (!train->count) return cli_fail("%s has no training samples", train->source);
    return CLI_GO_ON;
}
