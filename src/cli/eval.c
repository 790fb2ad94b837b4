/* eval.c: `tenon eval`: a saved model measured on the test part of its data, or on other data. */
#include "data.h"
#include "json.h"
#include "layers.h"
#include "onnx.h"
#include "page.h"
#include "resident.h"
#include "saved.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char doc[] =
    "Measures a saved model on the test part of the data that it was trained with, or on other data.";

static void print(const cli_saved *saved, const tn_dataset *test, const tn_score *score, const cli_results *results)
{
    printf("%s: loss %.6g", cli_shown(saved->settings.data), cli_unsigned_nan(score->loss));
    if (!isnan(score->accuracy)) printf(", %s %.2f %%", cli_accuracy_name(&saved->model), 100 * score->accuracy);
    printf(" over %" PRId64 " test sample%s, on %s\n", test->count, test->count == 1 ? "" : "s",
           tn_device_name(saved->device));
    if (results->measures) printf("\n");
    cli_results_print(results, cli_width(stdout), stdout);
}

static void report(const cli_saved *saved, const tn_dataset *test, const tn_score *score, const cli_results *results)
{
    cli_json json = {0};
    if (!saved->settings.json) {
        print(saved, test, score, results);
        return;
    }
    cli_json_begin(&json, NULL, '{');
    cli_json_text(&json, "model", saved->path);
    cli_json_text(&json, "data", saved->settings.data);
    cli_json_whole(&json, "samples", test->count);
    cli_json_number(&json, "test_loss", score->loss);
    cli_json_number(&json, "test_accuracy", score->accuracy);
    cli_json_text(&json, "device", tn_device_name(saved->device));
    cli_results_json(results, &json);
    cli_json_end(&json, '}');
}

/* Scales as the training did; a file of before there was scaling does not say what takes the place of missing values.
 */
static int scale(cli_saved *saved, tn_dataset *test)
{
    int status = CLI_GO_ON;
    if (!saved->scaling.x.columns) status = cli_scaling_fit(&saved->scaling, "none", &saved->model, test);
    return status == CLI_GO_ON ? cli_scaling_data(&saved->scaling, test) : status;
}

/* By the notes: the training's settings and epochs. */
static int read_training(const cli_saved *saved, cli_settings *settings, cli_history *history)
{
    const char *epochs = tn_checkpoint_note(saved->checkpoint, "history");
    int status = cli_from_notes(settings->options, saved->checkpoint, saved->path);
    if (status == CLI_GO_ON && !cli_history_read(history, epochs ? epochs : "")) return cli_fail("out of memory");
    return status;
}

static int64_t best_of(const cli_history *h)
{
    size_t best = 0;
    for (size_t i = 1; i < h->count; i++)
        if (cli_history_judged(h, i) < cli_history_judged(h, best)) best = i;
    return h->count ? h->epoch[best].number : 0;
}

static int write_page(const cli_saved *saved, const tn_dataset *test, const tn_score *score, const cli_results *results)
{
    cli_settings settings;
    cli_history history = {0};
    char about[8400];
    if (!saved->report) return CLI_GO_ON;
    cli_settings_init(&settings);
    int status = read_training(saved, &settings, &history);
    snprintf(about, sizeof about, "%.4000s, measured on %" PRId64 " samples of %.4000s", saved->path, test->count,
             test->source);
    const cli_page page = {.path = saved->report,
                           .net = saved->settings.net,
                           .data = saved->settings.data,
                           .about = about,
                           .options = settings.options,
                           .model = &saved->model,
                           .history = &history,
                           .results = results,
                           .test_loss = score->loss,
                           .seconds = NAN,
                           .rate = NAN,
                           .best = best_of(&history),
                           .parameters = cli_layers_parameters(&saved->model),
                           .device = &saved->device,
                           .n_devices = 1};
    if (status == CLI_GO_ON && cli_page_write(&page)) status = CLI_FAILED;
    cli_history_free(&history);
    cli_settings_free(&settings);
    return status;
}

static int measure(cli_saved *saved, tn_dataset *test)
{
    tn_score score;
    cli_results results = {0};
    const tn_compile_options options = cli_compile_options(&saved->settings);
    tn_model model = cli_model_of(&saved->model, &options);
    model.data = cli_residence(&saved->settings);
    const cli_results_of of = {saved->state, &saved->model, &saved->scaling, options, model.data, "test", &score};
    int status = cli_check_data(&saved->model, test);
    if (status == CLI_GO_ON) status = scale(saved, test);
    if (status == CLI_GO_ON) status = cli_saved_load(saved);
    if (status == CLI_GO_ON && tn_evaluate(saved->state, &model, test, &score)) status = cli_failed();
    if (status == CLI_GO_ON) status = cli_saved_check(saved);
    if (status == CLI_GO_ON && !isfinite(score.loss))
        cli_warn("the loss is %g: some outputs are not finite", cli_unsigned_nan(score.loss));
    if (status == CLI_GO_ON && !isnan(score.loss)) status = cli_results_open(&results, &of, test);
    if (status == CLI_GO_ON) report(saved, test, &score, &results);
    if (status == CLI_GO_ON) status = write_page(saved, test, &score, &results);
    cli_results_free(&results);
    return status == CLI_GO_ON ? CLI_OK : status;
}

/* ---- which data ---- */

static const char *note(const cli_saved *saved, const char *key)
{
    const char *text = tn_checkpoint_note(saved->checkpoint, key);
    return text ? text : "";
}

/* Whether two names are of one file. */
static int same_file(const char *a, const char *b)
{
    struct stat x, y;
    return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Opens what was trained on, by the model's notes, of a file that is as it was. */
static int open_trained(const cli_saved *saved, const char *path, tn_dataset *train)
{
    cli_settings settings;
    tn_dataset rest = {0};
    cli_settings_init(&settings);
    int status = cli_from_notes(settings.options, saved->checkpoint, saved->path);
    settings.data = path;
    if (status == CLI_GO_ON) status = cli_open_data(&settings, &saved->model, NULL, train, &rest);
    tn_dataset_free(&rest);
    if (status == CLI_GO_ON) status = cli_keep_training(&settings, train, &rest);
    tn_dataset_free(&rest);
    cli_settings_free(&settings);
    return status;
}

/* How many samples were trained on, too. */
static int64_t count_common(const cli_saved *saved, const char *path, const tn_dataset *test)
{
    tn_dataset train = {0};
    int64_t common = 0;
    if (open_trained(saved, path, &train) == CLI_GO_ON && tn_dataset_common(test, &train, &common))
        cli_warn("%s", tn_message());
    tn_dataset_free(&train);
    return common;
}

/* There is nothing to compare the samples with, or they are too many. */
static void tell_nothing(const cli_saved *saved, const tn_dataset *test, int there)
{
    const char *data = note(saved, "data");
    if (cli_is_standard(data)) {
        cli_warn("%s was trained on standard input: whether on samples of %s cannot be told", saved->path,
                 test->source);
        return;
    }
    if (!*note(saved, "data_hash")) return;
    if (test->loader)
        cli_warn("%s stays in its file: whether %s was trained on samples of it is not looked at", test->source,
                 saved->path);
    else
        cli_warn("%s %s: whether %s was trained on samples of %s cannot be told", data,
                 there ? "has changed since" : "is not there", saved->path, test->source);
}

/* Says which of the samples were trained on, as far as the model's notes tell. A file may have samples for testing of
 * its own. */
static void tell_trained(const cli_saved *saved, const tn_dataset *test)
{
    char hash[CLI_FINGERPRINT], there[CLI_FINGERPRINT];
    const char *data = note(saved, "data"), *known = note(saved, "data_hash");
    cli_fingerprint(test->source, hash);
    cli_fingerprint(data, there);
    const int same = *hash && !strcmp(hash, known), unchanged = *known && !strcmp(there, known);
    if (!same && same_file(test->source, data)) {
        cli_warn("%s is the file that %s was trained on%s: samples may be among these that it was trained on",
                 test->source, saved->path, *known ? ", and has changed since" : "");
        return;
    }
    if (!same && (test->loader || !unchanged)) {
        tell_nothing(saved, test, *there != 0);
        return;
    }
    const int64_t common = test->loader ? test->count : count_common(saved, same ? test->source : data, test);
    if (common && same)
        cli_warn("%s is what %s was trained on: %s of its %" PRId64 " samples were trained on%s", test->source,
                 saved->path, note(saved, "count"), test->count,
                 *note(saved, "test") ? "" : "; --part test measures the part for testing");
    else if (common)
        cli_warn("%" PRId64 " of the %" PRId64 " samples of %s are the same as samples that %s was trained on", common,
                 test->count, test->source, saved->path);
}

/* The part that was for testing, or that would be of another file. */
static int open_part(cli_saved *saved, const char *noted, tn_dataset *train, tn_dataset *test)
{
    cli_settings *s = &saved->settings;
    char hash[CLI_FINGERPRINT];
    const char *known = note(saved, "data_hash");
    if (noted && s->test) return cli_open_test(s, &saved->model, s->data = s->test, noted, test);
    cli_fingerprint(s->data, hash);
    if (!noted && s->test)
        return cli_usage("--part test: %s was tested on %s, and all of its data was for training", saved->path,
                         s->test);
    if (*known && *hash && strcmp(hash, known) != 0)
        cli_warn("%s is not as %s was trained on: which part of it is measured is chosen anew", s->data, saved->path);
    else if (*known && strtoll(note(saved, "seed"), NULL, 10) != s->seed)
        cli_warn("--seed %" PRId64 " is not that of the training, %s: samples that it was trained on may be measured",
                 s->seed, note(saved, "seed"));
    return cli_open_data(s, &saved->model, noted, train, test);
}

/* All of other data; of its own the part that was for testing. */
static int open_data(cli_saved *saved, tn_dataset *train, tn_dataset *test)
{
    cli_settings *s = &saved->settings;
    const char *noted = cli_noted(saved->options, "data", saved->path);
    int all = saved->part ? !strcmp(saved->part, "all") : !noted;
    if (!all) return open_part(saved, noted, train, test);
    s->test = NULL;
    int status = cli_open_test(s, &saved->model, s->data, noted, test);
    if (status == CLI_GO_ON) tell_trained(saved, test);
    return status;
}

/* Its own part for testing: of a small table that is what was trained on. */
static void warn(const cli_saved *saved, const tn_dataset *part, const tn_dataset *test)
{
    tn_dataset train = {0};
    cli_tell_reading(test, &saved->model, NULL);
    if (part->count && test->count < CLI_FEW && open_trained(saved, saved->settings.data, &train) == CLI_GO_ON)
        cli_warn_of_test(&train, test);
    tn_dataset_free(&train);
}

int cli_eval(int argc, char **argv)
{
    if (cli_onnx_of(argc, argv)) return cli_eval_onnx(argc, argv);
    cli_saved saved;
    tn_dataset train = {0}, test = {0};
    int operands, status = cli_saved_open(&saved, "eval", NULL, doc, argc, argv, &operands);
    if (status == CLI_GO_ON) status = open_data(&saved, &train, &test);
    if (status == CLI_GO_ON) status = cli_check_kinds(saved.options, cli_kind_of(&test));
    if (status == CLI_GO_ON) warn(&saved, &train, &test);
    if (status == CLI_GO_ON) status = measure(&saved, &test);
    tn_dataset_free(&train);
    tn_dataset_free(&test);
    cli_saved_close(&saved);
    return status;
}
