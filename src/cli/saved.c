/* saved.c: see saved.h. */
#include "saved.h"
#include "crew.h"
#include "data.h"
#include "network.h"
#include "onnx.h"
#include "resident.h"

#include <string.h>

/* Rows at most: of both commands, and of one. */
enum { COMMON = 24, OWN = 7 };
_Static_assert(COMMON + OWN + 1 <= CLI_SAVED_OPTIONS, "CLI_SAVED_OPTIONS");

/* Copies a table's rows; returns the place behind them. */
static cli_option *put(cli_option *at, const cli_option row[], size_t count)
{
    memcpy(at, row, count * sizeof *row);
    return at + count;
}

static cli_option *put_common(cli_saved *saved, int predicts)
{
    cli_settings *s = &saved->settings;
    const cli_option rows[] = {
        {CLI_TEXT, "model", "FILE", "what 'tenon train --save' wrote", &saved->path, 0, 0, 0, 0, 0, 0},
        {CLI_TEXT, "data", "FILE|digits",
         predicts ? "" : "data other than the model was trained with: all of a table or file", &s->data, 0, 0, "data",
         0, 0, 0},
        {CLI_TEXT, "device", "NAME", "cpu, opencl:0, reference, or auto (auto)", &s->device, 0, 0, 0, 0, 0, 0},
        {CLI_TEXT, "header", "yes|no|auto", "whether a table's first line names its columns (auto)", &s->header, 0, 0,
         "header", 0, 0, 0},
        {CLI_FLAG, "by-position", 0, "take a table's columns by their order, whatever their names", &s->by_position, 0,
         0, 0, 0, 0, 0},
        {CLI_TEXT, "resident", "device|host|stream|auto", "where samples are (auto)", &s->resident, 0, 0, 0, 0, 0, 0},
        {CLI_TEXT, "memory", "SIZE", "what samples may take of the device's memory: 64M, 2G (what there is)",
         &s->memory, 0, 0, 0, 0, 0, 0},
        {CLI_WHOLE, "loaders", "N", "threads that bring batches together (by the processors)", &s->loaders, 1, 32, 0, 0,
         0, 0},
        {CLI_TEXT, "storage", "f32|f16|bf16", "what passes between kernels is stored as (as in training)", &s->storage,
         0, 0, "storage", 0, 0, 0},
        {CLI_TEXT, "precision", "f32|f32-fast|bf16", "factors of products may be rounded (as in training)",
         &s->precision, 0, 0, "precision", 0, 0, 0},
        {CLI_TEXT, "layout", "tuned|usual|channels-last|try", "how images lie between convolutions (as in training)",
         &s->layout, 0, 0, "layout", 0, 0, 0},
        {CLI_FLAG, "json", 0, "JSON objects on standard output", &s->json, 0, 0, 0, 0, 0, 0},
        {CLI_FLAG, "strict", 0, "fail rather than run a part on another device", &s->strict, 0, 0, 0, 0, 0, 0},
        {CLI_TEXT, "net", "NET", "", &s->net, 0, 0, "net", 1, 0, 0},
        {CLI_TEXT, "loss", "NAME", "", &s->loss, 0, 0, "loss", 1, 0, 0},
        {CLI_TEXT, "target", "NAME,NAME",
         predicts ? "" : "how a table calls the columns to predict (as the model's did)", &s->target, 0, 0, "target",
         predicts, 0, 0},
        {CLI_TEXT, "ignore", "NAME,NAME", "", &s->ignore, 0, 0, "ignore", 1, 0, 0},
        {CLI_TEXT, "sample-weights", "NAME",
         predicts ? "" : "the column or array that says how often each sample counts, or none (the training's)",
         &s->sample_weights, 0, 0, "sample-weights", predicts, 0, 0},
        {CLI_TEXT, "test", "FILE|digits", "", &s->test, 0, 0, "test", 0, 0, 0},
        {CLI_TEXT, "fold", "I/K", "", &s->fold, 0, 0, "fold", 1, 0, 0},
        {CLI_WHOLE, "context", "N", "", &s->context, 2, 1048576, "context", 1, 0, 0},
        {CLI_WHOLE, "seed", "N",
         predicts ? "of what is drawn for a text (the training's)" : "of the digits, or of a table's split", &s->seed,
         0, 9e15, "seed", 0, 0, 0},
    };
    _Static_assert(sizeof rows <= COMMON * sizeof *rows, "COMMON");
    return put(saved->options, rows, sizeof rows / sizeof *rows);
}

static cli_option *put_of_predict(cli_saved *saved, cli_option *at)
{
    const cli_option rows[] = {
        {CLI_TEXT, "out", "FILE",
         "write all outputs there too: .npy, an array of NumPy, or .csv, a table with a line a sample", &saved->out, 0,
         0, 0, 0, 0, 0},
        {CLI_FLAG, "with-inputs", 0, "of a table: --out FILE.csv has its columns, and behind them what is predicted",
         &saved->with_inputs, 0, 0, 0, 0, 0, 0},
        {CLI_TEXT, "prompt", "TEXT", "of a model of texts, in place of files: what it goes on from, as it learnt to",
         &saved->prompt, 0, 0, 0, 0, 0, 0},
        {CLI_WHOLE, "length", "N", "characters that it writes (400)", &saved->length, 1, 1e9, 0, 0, 0, 0},
        {CLI_MEANT, "temperature", "T",
         "logits are divided by T: below 1 what is likely comes more often, at 0 always (0.8)", &saved->temperature, 0,
         100, 0, 0, 0, 0},
        {CLI_WHOLE, "top", "K", "of the K likeliest bytes or characters alone (256)", &saved->top, 1, 65536, 0, 0, 0,
         0},
        {CLI_TEXT, "frame", "yes|no|auto", "bring pictures to the training set's framing (auto: if it has one)",
         &saved->frame, 0, 0, 0, 0, 0, 0},
    };
    _Static_assert(sizeof rows <= OWN * sizeof *rows, "OWN");
    return put(at, rows, sizeof rows / sizeof *rows);
}

static cli_option *put_of_eval(cli_saved *saved, cli_option *at)
{
    const cli_option rows[] = {
        {CLI_TEXT, "part", "test|all", "the part of the data that testing is for, or all (all of --data, else test)",
         &saved->part, 0, 0, 0, 0, 0, 0},
        {CLI_TEXT, "report", "FILE.html",
         "write a page there that shows what came of it, and the training's curves; it loads nothing from elsewhere",
         &saved->report, 0, 0, 0, 0, 0, 0},
    };
    _Static_assert(sizeof rows <= OWN * sizeof *rows, "OWN");
    return put(at, rows, sizeof rows / sizeof *rows);
}

static void make_options(cli_saved *saved, int predicts)
{
    const cli_option end = {CLI_END, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    cli_option *at = put_common(saved, predicts);
    at = predicts ? put_of_predict(saved, at) : put_of_eval(saved, at);
    put(at, &end, 1);
}

/* Whether the notes' header was that of the very data. */
static void read_header_anew(cli_saved *saved, int predicts)
{
    if (!cli_given(saved->options, "header") && (predicts || cli_given(saved->options, "data")))
        saved->settings.header = "auto";
}

/* What the training's trial found is in the device's table; nothing is tried anew unasked. */
static void read_layout_anew(cli_saved *saved)
{
    if (!cli_given(saved->options, "layout") && !strcmp(saved->settings.layout, "try"))
        saved->settings.layout = "tuned";
}

static int check_header(cli_saved *saved)
{
    const char *header = saved->settings.header;
    if (cli_header_kind(header) >= 0) return CLI_GO_ON;
    return cli_given(saved->options, "header")
               ? cli_usage("--header '%s' is not yes, no or auto", header)
               : cli_fail("%s: its note header, '%s', is not yes, no or auto", saved->path, header);
}

static int open_file(cli_saved *saved, const char *command)
{
    if (!saved->path) return cli_usage("%s needs --model FILE", command);
    if (cli_onnx_reads(saved->path))
        return cli_fail("%s: is an ONNX file, and %s takes what 'tenon train --save' wrote", saved->path, command);
    if ((saved->failed = tn_checkpoint_open(saved->path, &saved->checkpoint))) return cli_failed();
    int status = cli_model_of_notes(&saved->model, saved->checkpoint, saved->path);
    if (status == CLI_GO_ON) status = cli_from_notes(saved->options, saved->checkpoint, saved->path);
    if (status == CLI_GO_ON) status = cli_check_types(&saved->settings);
    const int predicts = cli_find(saved->options, "out") != NULL;
    read_header_anew(saved, predicts);
    read_layout_anew(saved);
    if (status == CLI_GO_ON) status = check_header(saved);
    if (!predicts && cli_given(saved->options, "target"))
        saved->model.target_names = saved->model.target_numbers = NULL;
    saved->model.net = saved->settings.net;
    saved->model.loss = saved->settings.loss;
    if (status == CLI_GO_ON) status = cli_network_of_note(&saved->model, saved->checkpoint, saved->path);
    if (status == CLI_GO_ON) status = cli_network_settle(&saved->model, 1);
    if (status == CLI_GO_ON) status = cli_scaling_read(&saved->scaling, &saved->model, saved->checkpoint, saved->path);
    return status;
}

static int check_options(const cli_saved *saved)
{
    const char *part = saved->part;
    if (part && strcmp(part, "test") != 0 && strcmp(part, "all") != 0)
        return cli_usage("--part '%s' is not test or all", part);
    if (cli_check_residence(&saved->settings) != CLI_GO_ON) return CLI_USAGE;
    if (saved->report && saved->path && cli_not_the_same("report", saved->report, "--model", saved->path))
        return CLI_USAGE;
    if (saved->report && cli_can_write("report", saved->report)) return CLI_FAILED;
    return cli_can_write("out", saved->out) ? CLI_FAILED : CLI_GO_ON;
}

static int open_all(cli_saved *saved, const char *command)
{
    int status = cli_crew_one(saved->settings.device, command);
    if (status == CLI_GO_ON) status = open_file(saved, command);
    if (status != CLI_GO_ON) return status;
    saved->failed = tn_device_open(saved->settings.device, &saved->device);
    if (!saved->failed) saved->failed = tn_state_new(saved->device, 0, &saved->state);
    return saved->failed ? cli_failed() : CLI_GO_ON;
}

static void begin(cli_saved *saved, int predicts)
{
    *saved = (cli_saved){.length = 400, .top = 256, .temperature = 0.8};
    cli_settings_init(&saved->settings);
    make_options(saved, predicts);
}

int cli_saved_open(cli_saved *saved, const char *command, const char *operands, const char *doc, int argc, char **argv,
                   int *n_operands)
{
    begin(saved, operands != NULL);
    int status = cli_parse(&(cli_syntax){command, operands, doc, NULL, saved->options}, argc, argv, n_operands);
    if (status == CLI_GO_ON && operands && !*n_operands && !saved->prompt)
        status = cli_usage("%s needs %s, or of a model of texts --prompt TEXT", command, operands);
    if (status == CLI_GO_ON) status = check_options(saved);
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
    cli_network_close(&saved->model);
    cli_scaling_free(&saved->scaling);
    cli_options_free(saved->options);
}

int cli_saved_load(cli_saved *saved)
{
    return tn_checkpoint_move(saved->checkpoint, saved->state) ? cli_failed() : CLI_GO_ON;
}

int cli_saved_check(const cli_saved *saved)
{
    tn_state_entry needed, found;
    for (size_t i = 0; tn_state_at(saved->state, i, &needed); i++)
        if (!(needed.flags & TN_TRANSIENT) && !tn_checkpoint_find(saved->checkpoint, needed.name, &found, NULL))
            return cli_fail("%s: has no tensor '%s', which its network needs", saved->path, needed.name);
    return CLI_GO_ON;
}
