/* eval_onnx.c: `tenon eval --model FILE.onnx`: a network that was made elsewhere, measured on data. */
#include "choose.h"
#include "data.h"
#include "json.h"
#include "network.h"
#include "onnx.h"
#include "page.h"
#include "resident.h"
#include "results.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

static const char doc[] = "Measures a network in an ONNX file on the test part of data, or on all of a table or file. "
                          "Its outputs are classes in the data's order, or numbers.";

typedef struct evaluation {
    cli_settings settings;
    const char *path, *report; /* report: where a page goes; or NULL */
    const cli_option *options;
    cli_model model;
    tn_dataset test;
    tn_device *device;
    tn_state *state;
} evaluation;

static int open_data(evaluation *e)
{
    cli_settings *s = &e->settings;
    cli_choice choice = {0};
    if (!e->path || !s->data) return cli_usage("eval of an ONNX file needs --data NAME");
    int status = cli_network_open(&e->model, e->path);
    if (status == CLI_GO_ON && !e->model.onnx)
        status = cli_fail("%s: eval takes ONNX files, or what train saved", e->path);
    if (status == CLI_GO_ON) status = cli_open_measured(s, &e->test);
    if (status == CLI_GO_ON) status = cli_network_check(&e->model, &e->test);
    if (status != CLI_GO_ON) return status;
    cli_choose_loss(s, &e->test, cli_network_says_yes_or_no(&e->model), &choice);
    e->model.loss = s->loss;
    cli_model_of_data(&e->model, &e->test);
    status = cli_check_loss(&e->model);
    return status == CLI_GO_ON ? cli_network_settle(&e->model, 1) : status;
}

/* A last layer that is to be replaced has nothing to be measured. */
static int check_outputs(const evaluation *e)
{
    tn_onnx_end end;
    if (!e->model.head) return CLI_GO_ON;
    tn_onnx_end_of(e->model.onnx, &end);
    return cli_fail("%s has %" PRId64 " outputs, and %s has %" PRId64 " %s", e->path, end.outputs, e->test.source,
                    e->model.head, e->model.classes ? "classes" : "numbers to predict");
}

static void print(const evaluation *e, const tn_score *score, const cli_results *results)
{
    printf("%s: loss %.6g", cli_shown(e->settings.data), cli_unsigned_nan(score->loss));
    if (!isnan(score->accuracy)) printf(", %s %.2f %%", cli_accuracy_name(&e->model), 100 * score->accuracy);
    printf(" over %" PRId64 " sample%s, on %s\n", e->test.count, e->test.count == 1 ? "" : "s",
           tn_device_name(e->device));
    if (results->measures) printf("\n");
    cli_results_print(results, cli_width(stdout), stdout);
}

static void report(const evaluation *e, const tn_score *score, const cli_results *results)
{
    cli_json json = {0};
    if (!e->settings.json) {
        print(e, score, results);
        return;
    }
    cli_json_begin(&json, NULL, '{');
    cli_json_text(&json, "model", e->path);
    cli_json_text(&json, "data", e->settings.data);
    cli_json_whole(&json, "samples", e->test.count);
    cli_json_number(&json, "test_loss", score->loss);
    cli_json_number(&json, "test_accuracy", score->accuracy);
    cli_json_text(&json, "device", tn_device_name(e->device));
    cli_results_json(results, &json);
    cli_json_end(&json, '}');
}

static int write_page(const evaluation *e, const tn_score *score, const cli_results *results)
{
    const cli_history none = {0};
    char about[4200];
    snprintf(about, sizeof about, "measured on %" PRId64 " samples of %.4000s", e->test.count, e->test.source);
    const cli_page page = {.path = e->report,
                           .net = e->path,
                           .data = e->settings.data,
                           .about = about,
                           .options = e->options,
                           .model = &e->model,
                           .history = &none,
                           .results = results,
                           .test_loss = score->loss,
                           .seconds = NAN,
                           .rate = NAN,
                           .parameters = cli_report_parameters(e->state),
                           .device = &e->device,
                           .n_devices = 1};
    return cli_page_write(&page) ? CLI_FAILED : CLI_GO_ON;
}

static int measure(evaluation *e)
{
    tn_score score;
    const tn_compile_options options = cli_compile_options(&e->settings);
    tn_model model = cli_model_of(&e->model, &options);
    model.data = cli_residence(&e->settings);
    cli_results results = {0};
    if (tn_device_open(e->settings.device, &e->device) || tn_state_new(e->device, 0, &e->state)) return cli_failed();
    int status = cli_network_put(&e->model, e->state);
    if (status == CLI_GO_ON && tn_evaluate(e->state, &model, &e->test, &score)) status = cli_failed();
    const cli_results_of of = {e->state, &e->model, NULL, options, model.data, "test"};
    if (status == CLI_GO_ON && !isnan(score.loss)) status = cli_results_open(&results, &of, &e->test);
    if (status == CLI_GO_ON) report(e, &score, &results);
    if (status == CLI_GO_ON) status = write_page(e, &score, &results);
    cli_results_free(&results);
    return status;
}

int cli_eval_onnx(int argc, char **argv)
{
    evaluation e = {0};
    int operands;
    cli_settings *s = &e.settings;
    cli_settings_init(s);
    s->data = NULL;
    cli_option options[] = {
        {CLI_TEXT, "model", "FILE", "an ONNX file", &e.path, 0, 0, 0, 0, 0, 0},
        {CLI_TEXT, "data", "NAME", "what it is measured on, as train takes it", &s->data, 0, 0, "data", 0, 0, 0},
        {CLI_TEXT, "loss", "NAME", "as train takes it (auto)", &s->loss, 0, 0, "loss", 0, 0, 0},
        {CLI_TEXT, "device", "NAME", "cpu, opencl:0, reference, or auto (auto)", &s->device, 0, 0, 0, 0, 0, 0},
        {CLI_TEXT, "header", "yes|no|auto", "whether a table's first line names its columns (auto)", &s->header, 0, 0,
         0, 0, 0, 0},
        {CLI_TEXT, "target", "NAME,NAME", "of a table: the columns to predict (the last)", &s->target, 0, 0, 0, 0, 0,
         0},
        {CLI_TEXT, "ignore", "NAME,NAME", "of a table: columns to leave out", &s->ignore, 0, 0, 0, 0, 0, 0},
        {CLI_TEXT, "sample-weights", "NAME", "of a table or archive: how often each sample counts (1)",
         &s->sample_weights, 0, 0, "sample-weights", 0, 0, 0},
        {CLI_WHOLE, "seed", "N", "of the digits, or of a table's split (1)", &s->seed, 0, 9e15, 0, 0, 0, 0},
        {CLI_TEXT, "image", "HxW", "size of a folder's images, or CxHxW", &s->image, 0, 0, 0, 0, 0, 0},
        {CLI_WHOLE, "most", "N", CLI_ONNX_MOST, &e.model.most, 0, INT32_MAX, 0, 0, 0, 0},
        {CLI_TEXT, "report", "FILE", "write a page with measures, confusion, samples and the most wrong ones",
         &e.report, 0, 0, 0, 0, 0, 0},
        {CLI_FLAG, "json", 0, "one JSON object on standard output", &s->json, 0, 0, 0, 0, 0, 0},
        {.kind = CLI_END},
    };
    e.options = options;
    int status = cli_parse(&(cli_syntax){"eval", NULL, doc, NULL, options}, argc, argv, &operands);
    if (status == CLI_GO_ON) status = open_data(&e);
    if (status == CLI_GO_ON) status = cli_check_kinds(options, cli_kind_of(&e.test));
    if (status == CLI_GO_ON) status = check_outputs(&e);
    if (status == CLI_GO_ON) status = measure(&e);
    tn_state_free(e.state);
    tn_device_close(e.device);
    tn_dataset_free(&e.test);
    cli_network_close(&e.model);
    cli_options_free(options);
    cli_settings_free(s);
    return status == CLI_GO_ON ? CLI_OK : status;
}
