/* report.c: what a training says of itself: JSON on standard output, lines on standard error. */
#include "json.h"
#include "layers.h"
#include "resident.h"
#include "session.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MOST_LAYERS 12 /* that are shown before a training */
#define FEW_LINES   20 /* of epochs, where these are fast, */
#define FAST        1  /* of fewer seconds each */

int64_t cli_report_parameters(const tn_state *state)
{
    tn_state_entry entry;
    int64_t count = 0;
    for (size_t i = 0; tn_state_at(state, i, &entry); i++)
        if (entry.flags & TN_TRAINABLE) count += tn_shape_count(&entry.shape);
    return count;
}

static void explain(void *arg, const char *text)
{
    (void)arg;
    fprintf(stderr, "%s\n", cli_shown(text));
}

/* What became of --storage. */
static void tell_storage(const cli_session *s)
{
    const tn_program_report *r = &s->opened;
    if (r->narrow_values)
        cli_tell("storage %s: for %u of %u large values between kernels%s%s\n", s->settings.storage, r->narrow_values,
                 r->narrow_values + r->narrow_refused, r->narrow_refused ? "; the others stay f32: " : "",
                 r->narrow_refused ? r->narrow_why : "");
}

/* What early stopping, --best and a plateau look at. */
static void tell_watched(const cli_session *s)
{
    const cli_settings *settings = &s->settings;
    const char *of = s->validation.count ? "validation" : s->test.count ? "test" : "training";
    if (!settings->early_stop && !settings->best && !strstr(settings->schedule, "plateau")) return;
    cli_tell("epochs are judged by the %s loss", of);
    if (settings->early_stop)
        cli_tell(": %" PRId64 " in a row without a lower one end the training", settings->early_stop);
    cli_tell("\n");
}

/* What epochs count, where it could be taken for a mean. */
static void tell_counted(const cli_session *s)
{
    if (s->model.targets > 1 && cli_loss_counts(&s->model))
        cli_tell("accuracy: the samples whose %" PRId64 " targets are all right\n", s->model.targets);
}

void cli_report_start(const cli_session *s)
{
    tn_program_report report = s->opened;
    const int64_t parameters = cli_report_parameters(s->state);
    cli_tell_reading(&s->data, NULL, s->settings.ignore);
    if (s->settings.test) cli_tell_reading(&s->test, &s->model, NULL);
    cli_tell_choice(&s->choice, &s->settings, &s->data);
    cli_warn_of_classes(&s->data);
    if (s->settings.test || s->test.count < CLI_FEW) cli_warn_of_test(&s->data, &s->test);
    for (uint32_t i = 0; i < s->crew.count; i++)
        cli_tell("%s%s (%s)", i ? " and " : "training on ", tn_device_name(s->crew.device[i]),
                 tn_device_get_info(s->crew.device[i])->name);
    cli_tell(": %" PRId64 " parameter%s, %" PRId64 " sample%s, ", parameters, parameters == 1 ? "" : "s", s->data.count,
             s->data.count == 1 ? "" : "s");
    if (s->validation.count) cli_tell("%" PRId64 " for validation, ", s->validation.count);
    cli_tell("%" PRId64 " for testing\n", s->test.count);
    if (tn_team_size(s->team) > 1)
        cli_tell("%u workers (%s) share the %" PRId64 " shards of each batch\n", tn_team_size(s->team),
                 tn_team_communicator(s->team), s->settings.shards);
    if (s->at.epochs || s->at.step)
        cli_tell("going on after epoch %" PRId64 ", step %" PRId64 "\n", s->at.epochs, s->at.step);
    if (report.fallback_nodes)
        cli_warn("%u of %u operators run on another device than %s, with %" PRIu64 " bytes copied a step; first %s: %s",
                 report.fallback_nodes, report.nodes, tn_device_name(s->device), report.fallback_bytes,
                 report.fallback_first, report.fallback_why);
    if (!s->settings.quiet) cli_layers_print(&s->model, MOST_LAYERS, cli_width(stderr), stderr);
    tell_counted(s);
    tell_watched(s);
    tell_storage(s);
    cli_warn_of_no_change(&s->settings, s->device, &report);
    if (s->settings.explain) tn_program_explain(tn_training_program(s->training), explain, NULL);
}

void cli_report_step(const cli_session *s, double loss)
{
    cli_json json = {0};
    cli_json_begin(&json, NULL, '{');
    cli_json_whole(&json, "step", (int64_t)tn_state_step(s->state));
    cli_json_number(&json, "loss", loss);
    cli_json_end(&json, '}');
}

/* `prefix` and what it is: "test_loss", "test_accuracy". */
static void put_score(cli_json *json, const char *prefix, const tn_score *score)
{
    char name[64];
    snprintf(name, sizeof name, "%sloss", prefix);
    cli_json_number(json, name, score->loss);
    snprintf(name, sizeof name, "%saccuracy", prefix);
    cli_json_number(json, name, score->accuracy);
}

void cli_report_put_epoch(const cli_session *s, const tn_epoch *e, cli_json *json)
{
    cli_json_whole(json, "epoch", e->number);
    put_score(json, "", &e->train);
    put_score(json, "test_", &e->test);
    if (s->validation.count) put_score(json, "validation_", &e->validation);
    cli_json_number(json, "samples_per_s", (double)s->data.count / e->seconds);
    cli_json_text(json, "device", s->crew.name);
}

/* Each how manieth epoch has a line: of many fast ones 2, 5, 10, 20 ..., so that few lines tell of all. */
static int64_t every(const cli_settings *settings, double seconds)
{
    int64_t step = 1;
    if (settings->every) return settings->every;
    for (int i = 0; seconds < FAST && step * FEW_LINES < settings->epochs; i++)
        step = i % 3 == 1 ? step / 2 * 5 : step * 2;
    return step;
}

void cli_report_epoch(cli_session *s, const tn_epoch *e)
{
    cli_json json = {0};
    if (e->number % every(&s->settings, e->seconds) == 0 || e->number == 1 || s->at.finished)
        cli_progress_epoch(&s->progress, e, s->data.count);
    if (!s->settings.json) return;
    cli_json_begin(&json, NULL, '{');
    cli_report_put_epoch(s, e, &json);
    cli_json_end(&json, '}');
}

/* ---- the end ---- */

/* What a step cost, by the program's own count. */
typedef struct stat_row {
    const char *name, *unit;
    double value;
} stat_row;

#define STATS 11

static void collect(const cli_session *s, stat_row rows[STATS])
{
    tn_program_report r;
    tn_program_get_report(tn_training_program(s->training), &r);
    double runs = r.runs ? (double)r.runs : 1;
    const stat_row all[STATS] = {
        {"prepared_kernels", "", r.nodes},
        {"kernels_enqueued", "", r.launches},
        {"fallback_kernels", "", r.fallback_nodes},
        {"host_waits", "", (double)r.run_host_waits / runs},
        {"heap_allocations", "", (double)r.run_allocations / runs},
        {"bytes_to_device", " B", (double)(r.bytes_to_device - s->opened.bytes_to_device) / runs},
        {"bytes_from_device", " B", (double)(r.bytes_from_device - s->opened.bytes_from_device) / runs},
        {"flops", "", r.flops},
        {"arena_planned", " B", (double)r.arena_planned},
        {"arena_actual", " B", (double)r.arena_actual},
        {"state", " B", (double)r.state_bytes},
    };
    for (size_t i = 0; i < STATS; i++) rows[i] = all[i];
}

/* The share of it that steps did not wait for: 0 to 1; NaN of one worker. */
static double hidden(const tn_exchange *x)
{
    return x->seconds > 0 ? fmax(0, 1 - x->waited / x->seconds) : NAN;
}

static void print_exchange(const cli_session *s)
{
    tn_exchange x = {0};
    tn_training_get_exchange(s->training, &x);
    if (x.buckets)
        fprintf(stderr,
                "gradients are exchanged in %u bucket%s: %.3f s, of which steps waited %.3f s; %.0f %% is hidden\n",
                x.buckets, x.buckets == 1 ? "" : "s", x.seconds, x.waited, 100 * hidden(&x));
}

static void print_stats(const cli_session *s)
{
    stat_row rows[STATS];
    tn_feeding f = {0};
    tn_training_get_feeding(s->training, &f);
    fprintf(stderr, "samples, %.1f MiB, are %s", (double)f.bytes / (1 << 20), cli_where(&s->data, &f));
    if (f.fed)
        fprintf(stderr, ", and fed to it by %u thread%s; steps waited %.1f %% of the time", f.threads,
                f.threads == 1 ? "" : "s", 100 * f.waited / s->seconds);
    if (f.fed && f.pinned) fprintf(stderr, "; %.1f MiB are pinned for them", (double)f.pinned / (1 << 20));
    fprintf(stderr, "\n");
    print_exchange(s);
    collect(s, rows);
    fprintf(stderr, "a training step on %s:\n", tn_device_name(s->device));
    for (size_t i = 0; i < STATS; i++) fprintf(stderr, "  %-18s %.10g%s\n", rows[i].name, rows[i].value, rows[i].unit);
}

static void put_exchange(cli_json *json, const tn_exchange *x)
{
    cli_json_begin(json, "exchange", '{');
    cli_json_whole(json, "buckets", x->buckets);
    cli_json_number(json, "seconds", x->seconds);
    cli_json_number(json, "waited", x->waited);
    cli_json_number(json, "hidden", hidden(x));
    cli_json_end(json, '}');
}

static void put_stats(cli_json *json, const cli_session *s)
{
    stat_row rows[STATS];
    collect(s, rows);
    tn_feeding f = {0};
    tn_exchange x = {0};
    tn_training_get_feeding(s->training, &f);
    cli_json_begin(json, "stats", '{');
    cli_json_text(json, "samples", cli_where(&s->data, &f));
    cli_json_number(json, "samples_bytes", (double)f.bytes);
    cli_json_number(json, "loaders", f.threads);
    cli_json_number(json, "waited_seconds", f.waited);
    cli_json_number(json, "pinned_bytes", (double)f.pinned);
    tn_training_get_exchange(s->training, &x);
    if (x.buckets) put_exchange(json, &x);
    for (size_t i = 0; i < STATS; i++) cli_json_number(json, rows[i].name, rows[i].value);
    cli_json_end(json, '}');
}

void cli_report_put_results(const cli_session *s, cli_json *json)
{
    if (!s->results.measures && !s->results.writes) return;
    cli_json_begin(json, s->results.set, '{');
    cli_json_whole(json, "samples", s->results.data->count);
    cli_results_json(&s->results, json);
    cli_json_end(json, '}');
}

void cli_report_put_done(const cli_session *s, cli_json *json)
{
    const tn_epoch *last = &s->history.epoch[s->history.count - 1];
    cli_json_begin(json, NULL, '{');
    cli_json_bool(json, "done", 1);
    cli_json_whole(json, "epochs", s->at.epochs);
    cli_json_whole(json, "steps", (int64_t)tn_state_step(s->state));
    put_score(json, "", &last->train);
    put_score(json, "test_", &last->test);
    cli_json_number(json, "seconds", s->seconds);
    cli_json_whole(json, "samples", s->samples);
    cli_json_number(json, "samples_per_s", (double)s->samples / s->seconds);
    cli_json_whole(json, "parameters", cli_report_parameters(s->state));
    cli_json_text(json, "device", s->crew.name);
    cli_json_text(json, "saved", s->settings.save);
    cli_report_put_results(s, json);
    if (s->settings.early_stop || s->settings.best)
        cli_json_number(json, "best_epoch", s->at.best ? (double)s->at.best : NAN);
    if (s->settings.stats) put_stats(json, s);
    cli_json_end(json, '}');
}

void cli_report_done(const cli_session *s)
{
    const tn_epoch *last = &s->history.epoch[s->history.count - 1];
    char text[32];
    if (s->at.epochs < s->settings.epochs)
        cli_tell("stopped early: %" PRId64 " epochs in a row brought no lower loss\n", s->settings.early_stop);
    cli_tell("done: %" PRId64 " epoch%s, %s of training", s->at.epochs, s->at.epochs == 1 ? "" : "s",
             cli_duration_text(s->seconds, text, sizeof text));
    if (!isnan(last->test.loss)) cli_tell(", test loss %.4g", last->test.loss);
    if (!isnan(last->test.accuracy))
        cli_tell(", test %s %.2f %%", cli_accuracy_name(&s->model), 100 * last->test.accuracy);
    if (s->settings.save) cli_tell(", saved to %s", cli_shown(s->settings.save));
    if (s->settings.best)
        cli_tell(", epoch %" PRId64 " %s %s", s->at.best,
                 s->best_saved ? "as the best to" : "is still the best: nothing new to", cli_shown(s->settings.best));
    if (s->settings.weights)
        cli_tell(", %s %s", s->weights_saved ? "weights to" : "no weights to", cli_shown(s->settings.weights));
    if (s->settings.curve) cli_tell(", curve in %s", cli_shown(s->settings.curve));
    if (s->settings.report) cli_tell(", report in %s", cli_shown(s->settings.report));
    cli_tell("\n");
    if (!s->settings.save && !s->settings.best && !s->settings.weights)
        cli_tell("nothing was saved: --save model.safetensors keeps the model next time\n");
    if (s->settings.stats) print_stats(s);
    if (s->settings.json) cli_report_put_done(s, &(cli_json){0});
    if (s->settings.json || (!s->results.measures && !s->results.writes)) return;
    fflush(stderr);
    cli_results_print(&s->results, cli_width(stdout), stdout);
}
