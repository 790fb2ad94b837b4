/* saved.c: see saved.h. */
#include "saved.h"

#include <string.h>

static void make_options(cli_saved *saved, int predicts)
{
    cli_settings *s = &saved->settings;
    const cli_option options[] = {
        {CLI_TEXT, "model", "FILE", "what 'tenon train --save' wrote", &saved->path, 0, 0, 0, 0, 0, 0},
        {CLI_TEXT, "data", "NAME", predicts ? "" : "data other than the model was trained with", &s->data, 0, 0, "data",
         0, 0, 0},
        {CLI_TEXT, "device", "NAME", "cpu, opencl:0, reference, or auto (auto)", &s->device, 0, 0, 0, 0, 0, 0},
        {CLI_FLAG, "json", 0, "JSON objects on standard output", &s->json, 0, 0, 0, 0, 0, 0},
        {CLI_FLAG, "strict", 0, "fail rather than run a part on another device", &s->strict, 0, 0, 0, 0, 0, 0},
        {CLI_TEXT, "net", "NET", "", &s->net, 0, 0, "net", 1, 0, 0},
        {CLI_TEXT, "loss", "NAME", "", &s->loss, 0, 0, "loss", 1, 0, 0},
        {CLI_TEXT, "target", "COLUMN", "of a CSV file: what to predict", &s->target, 0, 0, "target", 1, 0, 0},
        {CLI_WHOLE, "seed", "N", predicts ? "" : "of the digits, or of a table's split", &s->seed, 0, 9e15, "seed", 0,
         0, 0},
        {predicts ? CLI_TEXT : CLI_END, "out", "FILE.npy", "write all outputs there too, an array of NumPy",
         &saved->out, 0, 0, 0, 0, 0, 0},
        {CLI_END, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    };
    memcpy(saved->options, options, sizeof options);
}

static int open_file(cli_saved *saved, const char *command)
{
    if (!saved->path) return cli_usage("%s needs --model FILE", command);
    if ((saved->failed = tn_checkpoint_open(saved->path, &saved->checkpoint))) return cli_failed();
    int status = cli_model_of_notes(&saved->model, saved->checkpoint, saved->path);
    if (status == CLI_GO_ON) status = cli_from_notes(saved->options, saved->checkpoint, saved->path);
    saved->model.net = saved->settings.net;
    saved->model.loss = saved->settings.loss;
    if (status == CLI_GO_ON) status = cli_scaling_read(&saved->scaling, &saved->model, saved->checkpoint, saved->path);
    return status;
}

static int open_all(cli_saved *saved, const char *command)
{
    int status = open_file(saved, command);
    if (status != CLI_GO_ON) return status;
    saved->failed = tn_device_open(saved->settings.device, &saved->device);
    if (!saved->failed) saved->failed = tn_state_new(saved->device, 0, &saved->state);
    return saved->failed ? cli_failed() : CLI_GO_ON;
}

static void begin(cli_saved *saved, int predicts)
{
    *saved = (cli_saved){0};
    cli_settings_init(&saved->settings);
    make_options(saved, predicts);
}

int cli_saved_open(cli_saved *saved, const char *command, const char *operands, const char *doc, int argc, char **argv,
                   int *n_operands)
{
    begin(saved, operands != NULL);
    int status = cli_parse(&(cli_syntax){command, operands, doc, NULL, saved->options}, argc, argv, n_operands);
    if (status == CLI_GO_ON && operands && !*n_operands) status = cli_usage("%s needs %s", command, operands);
    if (status == CLI_GO_ON && cli_can_write("out", saved->out)) status = CLI_FAILED;
    return status == CLI_GO_ON ? open_all(saved, command) : status;
}

int cli_saved_take(cli_saved *saved, const char *command, const char *path, const char *device)
{
    begin(saved, 0);
    saved->path = path;
    saved->settings.device = device;
    return open_all(saved, command);
}

void cli_saved_close(cli_saved *saved)
{
    tn_state_free(saved->state);
    tn_device_close(saved->device);
    tn_checkpoint_close(saved->checkpoint);
    cli_scaling_free(&saved->scaling);
    cli_options_free(saved->options);
}

int cli_saved_load(cli_saved *saved)
{
    return tn_checkpoint_load(saved->checkpoint, saved->state) ? cli_failed() : CLI_GO_ON;
}

int cli_saved_check(const cli_saved *saved)
{
    tn_state_entry needed, found;
    for (size_t i = 0; tn_state_at(saved->state, i, &needed); i++)
        if (!(needed.flags & TN_TRANSIENT) && !tn_checkpoint_find(saved->checkpoint, needed.name, &found, NULL))
            return cli_fail("%s: has no tensor '%s', which its network needs", saved->path, needed.name);
    return CLI_GO_ON;
}
