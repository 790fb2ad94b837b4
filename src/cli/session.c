/* session.c: opening and closing a training. */
#include "session.h"
#include "network.h"
#include "resident.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char doc[] = "Trains a network and shows how it goes. Without options: the network 'mlp' on digits that "
                          "the program draws, on the fastest device. Ctrl-C saves and says how to go on.";

/* ---- before any device is used ---- */

/* A fixed option that the training began without. */
static int check_new(cli_option *options, const tn_checkpoint *checkpoint, const char *path)
{
    for (const cli_option *o = options; o->kind != CLI_END; o++) {
        const char *note = o->fixed && o->given ? tn_checkpoint_note(checkpoint, o->note) : NULL;
        if (o->fixed && o->given && (!note || !*note))
            return cli_usage("--%s was not given when %s was trained", o->name, path);
    }
    return CLI_GO_ON;
}

static int open_weights(cli_session *s)
{
    if (tn_checkpoint_open(s->settings.load, &s->from)) return cli_failed();
    if (!s->settings.rename || !tn_checkpoint_rename(s->from, s->settings.rename)) return CLI_GO_ON;
    return cli_usage("--load %s: %s", s->settings.load, tn_message());
}

static int open_from(cli_session *s)
{
    const char *path = s->settings.resume;
    if (!path && !s->settings.load) return CLI_GO_ON;
    if (!path) return open_weights(s);
    if (tn_checkpoint_open(path, &s->from)) return cli_failed();
    if (!tn_checkpoint_note(s->from, "epoch"))
        return cli_fail("%s: it was not saved by 'tenon train': there is nothing to resume", path);
    cli_forget(s->settings.options, "loss", "auto");
    cli_forget(s->settings.options, "scale", "auto");
    if (!cli_given(s->settings.options, "scale")) s->settings.scale = "none"; /* of before there was a choice */
    int status = check_new(s->settings.options, s->from, path);
    return status == CLI_GO_ON ? cli_from_notes(s->settings.options, s->from, path) : status;
}

/* The part of an epoch that was done: sums that a mean is made of, so the numbers must be such. */
static int read_begun(const char *text, tn_epoch *e)
{
    const int read = !text ? 0
                           : sscanf(text, "%lf %lf %lf %lf %lf", &e->train.loss, &e->train.accuracy, &e->seconds,
                                    &e->weight, &e->total);
    return (read == 3 || (read == 5 && e->weight >= 0 && e->total >= 0)) &&
           !(e->train.accuracy < 0 || e->train.accuracy > 1) && e->seconds >= 0 && isfinite(e->seconds);
}

/* Sums that are no numbers are of a training that diverged. */
static int no_sense(const cli_session *s)
{
    const char *begun = tn_checkpoint_note(s->from, "begun");
    if (begun && (strstr(begun, "nan") || strstr(begun, "inf")))
        return cli_fail("%s: the training has diverged there: resume what --save or --best kept of before",
                        s->settings.resume);
    return cli_fail("%s: its notes on where it stood make no sense", s->settings.resume);
}

/* Where the resumed training stood. */
static int read_position(cli_session *s)
{
    const cli_settings *settings = &s->settings;
    int64_t count = 0;
    if (!settings->resume) return CLI_GO_ON;
    if (!cli_note_whole(s->from, "epoch", 0, INT32_MAX, &s->at.epochs) ||
        !cli_note_whole(s->from, "position", 0, INT32_MAX, &s->at.step) ||
        !cli_note_whole(s->from, "count", 1, INT32_MAX, &count))
        return no_sense(s);
    if (count != s->data.count)
        return cli_fail("%s was trained on %" PRId64 " samples, and %s has %" PRId64, settings->resume, count,
                        settings->data, s->data.count);
    if (!cli_history_read(&s->history, tn_checkpoint_note(s->from, "history"))) return cli_fail("out of memory");
    if (s->at.epochs != (int64_t)s->history.count || s->at.step >= (count + settings->batch - 1) / settings->batch ||
        (s->at.step && !read_begun(tn_checkpoint_note(s->from, "begun"), &s->begun)))
        return no_sense(s);
    if (s->at.epochs >= settings->epochs)
        return cli_fail("%s: %" PRId64 " of %" PRId64 " epochs are done; to train on, give a larger --epochs",
                        settings->resume, s->at.epochs, settings->epochs);
    return CLI_GO_ON;
}

static uint32_t workers_of(const cli_session *s)
{
    return tn_team_size(s->team) * cli_crew_size(s->settings.device);
}

/* Those of several workers are kept with the training, whoever goes on with it. */
static int fit_shards(cli_session *s)
{
    const uint32_t workers = workers_of(s);
    s->usual_shards = !s->settings.shards;
    if (s->usual_shards) s->settings.shards = tn_usual_shards(s->settings.batch, workers);
    if (!s->settings.shards)
        return cli_usage("--batch %" PRId64
                         " can't be cut into equal shards for %u workers; --shards says into how many",
                         s->settings.batch, workers);
    if (s->settings.shards >= workers || !strcmp(s->settings.device, "auto+")) return CLI_GO_ON;
    return cli_usage("batches of %" PRId64 " samples in %" PRId64
                     " shards are too few for %u workers, of which each has one or more",
                     s->settings.batch, s->settings.shards, workers);
}

/* Processes that a launcher started have a device each. */
static int check_devices(const cli_session *s)
{
    const char *name = s->settings.device;
    if (tn_team_size(s->team) < 2 || cli_crew_size(name) < 2) return CLI_GO_ON;
    return cli_usage("--device %s: each process takes one, as in: mpirun -n 1 tenon train --device cpu ... : -n 1 "
                     "tenon train --device opencl:0 ...",
                     name);
}

/* The usual batch is all of a small data set; one that was asked for must be there. */
static int fit_batch(cli_session *s)
{
    int64_t batch = s->settings.batch, count = s->data.count;
    if (batch <= count) return fit_shards(s);
    if (cli_given(s->settings.options, "batch"))
        return cli_usage("--batch %" PRId64 " is more than the %" PRId64 " training samples of %s", batch, count,
                         s->data.source);
    s->settings.batch = count;
    return fit_shards(s);
}

/* A training that is resumed on other samples, which are as many, is another training. */
static void warn_of_change(const cli_session *s)
{
    const char *known = s->settings.resume ? tn_checkpoint_note(s->from, "data_hash") : NULL;
    if (known && *known && *s->data_hash && strcmp(known, s->data_hash) != 0)
        cli_warn("%s is not as %s was trained on", s->data.source, s->settings.resume);
}

/* What is learnt is classes or numbers, and how; then the samples that another file has to test on. */
static int know_data(cli_session *s)
{
    cli_settings *settings = &s->settings;
    s->model = (cli_model){.net = settings->net,
                           .init = s->init,
                           .freeze = settings->freeze,
                           .sync_norm = settings->sync_norm,
                           .most = settings->most};
    cli_settings_init_of(settings, s->init, &s->model.scale);
    int opened = settings->resume ? cli_network_of_note(&s->model, s->from, settings->resume) : CLI_GO_ON;
    if (opened == CLI_GO_ON && !s->model.onnx) opened = cli_network_open_to_train(&s->model, settings->net);
    if (opened == CLI_GO_ON) opened = cli_network_spares(&s->model, settings);
    if (opened == CLI_GO_ON) opened = cli_network_check(&s->model, &s->data);
    if (opened == CLI_GO_ON) opened = cli_network_check(&s->model, &s->test);
    if (opened != CLI_GO_ON) return opened;
    cli_choose_loss(settings, &s->data, cli_network_says_yes_or_no(&s->model), &s->choice);
    cli_choose_scale(settings, &s->data, cli_network_is_whole(&s->model), &s->choice);
    cli_choose_epochs(settings, &s->data, &s->choice);
    cli_choose_net(settings, &s->data);
    cli_settings_init_of(settings, s->init, &s->model.scale);
    s->model.net = settings->net;
    s->model.loss = settings->loss;
    cli_model_of_data(&s->model, &s->data);
    cli_fingerprint(settings->data, s->data_hash);
    s->data_stamp = cli_stamp(settings->data);
    warn_of_change(s);
    const char *noted = cli_noted(settings->options, "test", settings->resume);
    int status = settings->test ? cli_open_test(settings, &s->model, settings->test, noted, &s->test) : CLI_GO_ON;
    if (status != CLI_GO_ON) return status;
    return cli_check_kinds(settings->options, cli_kind_of(&s->data) | cli_kind_of(&s->test));
}

/* A training that is resumed reads its data as it did before. */
static int open_sets(cli_session *s)
{
    const char *resume = s->settings.resume;
    const char *noted = cli_noted(s->settings.options, "data", resume);
    cli_model known = {0};
    int status = resume ? cli_model_of_notes(&known, s->from, resume) : CLI_GO_ON;
    if (status == CLI_GO_ON) status = cli_open_data(&s->settings, resume ? &known : NULL, noted, &s->data, &s->test);
    return status == CLI_GO_ON ? know_data(s) : status;
}

static int open_data(cli_session *s)
{
    const cli_settings *settings = &s->settings;
    int status = open_sets(s);
    if (status != CLI_GO_ON) return status;
    status = cli_keep_training(settings, &s->data, &s->validation);
    if (status == CLI_GO_ON) status = fit_batch(s);
    if (status == CLI_GO_ON) status = cli_settings_class_weights(settings, &s->data, &s->class_weights);
    return status == CLI_GO_ON ? read_position(s) : status;
}

static const tn_dataset *if_any(const tn_dataset *data)
{
    return data->count ? data : NULL;
}

static tn_fit_options fit_options(const cli_session *s)
{
    const cli_settings *settings = &s->settings;
    return (tn_fit_options){.epochs = settings->epochs,
                            .batch = settings->batch,
                            .shards = (uint32_t)settings->shards,
                            .team = s->team,
                            .trace = settings->trace,
                            .devices = s->crew.device + 1,
                            .n_devices = s->crew.count ? s->crew.count - 1 : 0,
                            .shares = s->crew.shares,
                            .bucket = cli_bytes_of(settings->bucket),
                            .optimizer = settings->optimizer,
                            .optim = settings->optim,
                            .schedule = settings->schedule,
                            .validation = if_any(&s->validation),
                            .test = if_any(&s->test),
                            .patience = settings->early_stop,
                            .smoothing = settings->smoothing,
                            .class_weights = s->class_weights,
                            .step_loss = settings->json == 2};
}

static tn_model fit_model(const cli_session *s)
{
    const tn_compile_options compile = cli_compile_options(&s->settings);
    tn_model model = cli_model_of(&s->model, &compile);
    model.data = cli_residence(&s->settings);
    return model;
}

/* As the training that is resumed did, or by the training part. */
static int scale(cli_session *s)
{
    const char *resume = s->settings.resume;
    int status = resume ? cli_scaling_read(&s->scaling, &s->model, s->from, resume) : CLI_GO_ON;
    if (status == CLI_GO_ON && !s->scaling.x.columns)
        status = cli_scaling_fit(&s->scaling, s->settings.scale, &s->model, &s->data);
    if (status == CLI_GO_ON) status = cli_scaling_data(&s->scaling, &s->data);
    if (status == CLI_GO_ON) status = cli_scaling_data(&s->scaling, &s->validation);
    return status == CLI_GO_ON ? cli_scaling_data(&s->scaling, &s->test) : status;
}

/* Numbers to predict are taken for classes where the loss is made for those; few may well be classes. */
static void warn_of_classes(const cli_session *s)
{
    if (cli_kind_of(&s->data) != CLI_TABLE || s->data.classes <= 20 || 2 * s->data.classes <= s->data.count) return;
    cli_warn("%s has %" PRId64 " classes for %" PRId64 " training samples%s", s->data.source, s->data.classes,
             s->data.count, s->data.class_names ? "" : "; to predict numbers, give --loss mse");
}

/* Of numbers that are all the same nothing is learnt, of those of several columns not in these. */
static void warn_of_targets(const cli_session *s)
{
    const tn_dataset *d = &s->data;
    const char *name = d->target_names ? d->target_names : "";
    for (int64_t k = 0; d->target && d->count > 1 && k < d->targets; k++) {
        const float *first = d->target + k;
        int64_t same = 1;
        while (same < d->count && first[same * d->targets] == *first) same++;
        if (same == d->count && *name)
            cli_warn("%s: column '%.*s' is %g in all %" PRId64 " training samples: there is nothing to tell apart",
                     d->source, (int)cli_name_length(name), name, (double)*first, d->count);
        else if (same == d->count)
            cli_warn("%s: target %" PRId64 " is %g in all %" PRId64 " training samples: there is nothing to tell apart",
                     d->source, k, (double)*first, d->count);
        name = *name ? cli_next_name(name) : name;
    }
}

static int build_model(cli_session *s)
{
    cli_model_of_data(&s->model, &s->data); /* once more: a part for validation may have gone */
    if (!s->data.images && tn_framing_measure(&s->data, &s->model.framing)) return cli_failed();
    warn_of_classes(s);
    warn_of_targets(s);
    int fits = cli_check_loss(&s->model);
    if (fits == CLI_GO_ON) fits = cli_network_settle(&s->model, s->settings.resume != NULL);
    if (fits == CLI_GO_ON) fits = scale(s);
    if (fits != CLI_GO_ON) return fits;
    const tn_fit_options options = fit_options(s);
    const tn_model model = fit_model(s);
    tn_status status = tn_fit_check(&model, &s->data, &options);
    if (!status) return CLI_GO_ON;
    return status == TN_ENOMEM ? cli_failed() : cli_usage("%s", tn_message());
}

/* ---- on the device ---- */

static int load(cli_session *s)
{
    int status = CLI_GO_ON;
    const char *path = s->settings.resume ? s->settings.resume : s->settings.load;
    if (!s->settings.resume) status = cli_network_put(&s->model, s->state);
    if (!path && s->model.onnx) path = s->model.onnx_path;
    if (s->settings.load && status == CLI_GO_ON) status = cli_session_transfer(s);
    if (s->settings.resume && tn_checkpoint_load(s->from, s->state)) status = cli_failed();
    if (path && status == CLI_GO_ON) status = cli_session_check_finite(s, path);
    tn_checkpoint_close(s->from);
    s->from = NULL;
    return status;
}

/* To where the resumed training stood. */
static int go_on(cli_session *s)
{
    const cli_settings *settings = &s->settings;
    if (settings->resume && tn_training_go_on(s->training, s->history.epoch, s->at.epochs, s->at.step, &s->begun))
        return cli_failed();
    s->at = tn_training_where(s->training);
    if (s->at.finished)
        return cli_fail("%s: stopped early after %" PRId64 " epochs; to train on, give a larger --early-stop",
                        settings->resume, s->at.epochs);
    return CLI_GO_ON;
}

/* Unlike devices that were told what to take, or took it before, come to the same again. */
static int read_shares(cli_session *s)
{
    const char *text = s->settings.shares, *names = s->from ? tn_checkpoint_note(s->from, "devices") : NULL;
    if (!text && s->settings.resume && names && !strcmp(names, s->crew.name))
        text = tn_checkpoint_note(s->from, "shares");
    return cli_crew_read_shares(&s->crew, text, tn_team_size(s->team) + s->crew.count - 1);
}

/* Where one device is all that is worth it, batches are not cut, unless they were before. */
static int open_devices(cli_session *s)
{
    int status = cli_crew_open(&s->crew, s->settings.device, (uint32_t)s->settings.shards);
    s->device = s->crew.device[0];
    if (s->crew.count == 1 && s->usual_shards)
        s->settings.shards = tn_usual_shards(s->settings.batch, tn_team_size(s->team));
    return status == CLI_GO_ON ? read_shares(s) : status;
}

/* Whether the training would, with batches of so many samples in so many parts. */
static int would_fit(const cli_session *s, int64_t batch, uint32_t shards)
{
    const tn_model model = fit_model(s);
    tn_fit_options options = fit_options(s);
    tn_state *state = NULL;
    tn_training *training = NULL;
    options.batch = batch;
    options.shards = shards;
    options.trace = NULL;
    tn_status status = tn_state_new(s->device, (uint64_t)s->settings.seed, &state);
    if (!status) status = tn_training_new(state, &model, &s->data, &options, &training);
    tn_training_free(training);
    tn_state_free(state);
    return !status;
}

#define MOST_PARTS 256

/* What does not fit the device's memory is refused with what does: batches in parts, which come to the same, and
 * smaller ones. Parts have sums of their own, so that more of them may take more. */
static int no_room(cli_session *s)
{
    char why[400], parts[40] = "", smaller[40] = "";
    const int64_t batch = s->settings.batch < s->data.count ? s->settings.batch : s->data.count;
    snprintf(why, sizeof why, "%s", tn_message());
    tn_state_free(s->state);
    s->state = NULL;
    for (uint32_t n = 2; n <= MOST_PARTS && n <= batch && !*parts && !s->settings.resume; n *= 2)
        if (batch % n == 0 && would_fit(s, batch, n)) snprintf(parts, sizeof parts, "--accumulate %u", n);
    for (int64_t size = batch / 2; size && !*smaller && !s->settings.resume; size /= 2)
        if (size % s->settings.shards == 0 && would_fit(s, size, (uint32_t)s->settings.shards))
            snprintf(smaller, sizeof smaller, "--batch %" PRId64, size);
    if (!*parts && !*smaller) return cli_fail("%s", why);
    return cli_fail("%s; with %s%s%s it fits", why, parts, *parts && *smaller ? " or " : "", smaller);
}

static int open_device(cli_session *s)
{
    const cli_settings *settings = &s->settings;
    int opened = open_devices(s);
    if (opened != CLI_GO_ON) return opened;
    const tn_fit_options options = fit_options(s);
    const tn_model model = fit_model(s);
    tn_status status = tn_state_new(s->device, (uint64_t)settings->seed, &s->state);
    if (!status) status = tn_training_new(s->state, &model, &s->data, &options, &s->training);
    const int alone = tn_team_size(s->team) < 2 && s->crew.count < 2;
    if (status) return status == TN_ENOMEM && alone ? no_room(s) : cli_failed();
    tn_program_get_report(tn_training_program(s->training), &s->opened);
    int loaded = load(s);
    return loaded == CLI_GO_ON ? go_on(s) : loaded;
}

/* One worker writes files. */
static void keep_quiet(cli_session *s)
{
    cli_settings *settings = &s->settings;
    if (!tn_team_rank(s->team)) return;
    settings->save = settings->best = settings->weights = settings->diverged = NULL;
    settings->curve = settings->trace = settings->log = settings->report = NULL;
}

int cli_session_open(cli_session *s, tn_team *team, int argc, char **argv)
{
    int operands, status;
    *s = (cli_session){.team = team};
    cli_settings_init(&s->settings);
    status =
        cli_parse(&(cli_syntax){"train", NULL, doc, cli_settings_help, s->settings.options}, argc, argv, &operands);
    if (s->settings.quiet) cli_be_quiet();
    if (status == CLI_GO_ON) status = open_from(s);
    if (status == CLI_GO_ON) status = cli_settings_check(&s->settings);
    if (status == CLI_GO_ON) status = check_devices(s);
    if (status == CLI_GO_ON) status = open_data(s);
    if (status == CLI_GO_ON) status = build_model(s);
    keep_quiet(s);
    if (status == CLI_GO_ON) status = open_device(s);
    return status;
}

int cli_session_results(cli_session *s)
{
    const int validates = !s->test.count;
    const tn_dataset *data = validates ? &s->validation : &s->test;
    const tn_epoch *last = s->history.count ? &s->history.epoch[s->history.count - 1] : NULL;
    const tn_score *measured = !last ? NULL : validates ? &last->validation : &last->test;
    const cli_results_of of = {s->state,
                               &s->model,
                               &s->scaling,
                               cli_compile_options(&s->settings),
                               cli_residence(&s->settings),
                               validates ? "validation" : "test",
                               measured};
    if (!data->count || tn_team_rank(s->team)) return CLI_GO_ON;
    cli_results_free(&s->results);
    return cli_results_open(&s->results, &of, data);
}

void cli_session_close(cli_session *s)
{
    cli_results_free(&s->results);
    if (s->log) fclose(s->log);
    tn_training_free(s->training);
    tn_state_free(s->state);
    cli_crew_close(&s->crew);
    tn_dataset_free(&s->data);
    tn_dataset_free(&s->validation);
    tn_dataset_free(&s->test);
    cli_scaling_free(&s->scaling);
    free(s->class_weights);
    tn_checkpoint_close(s->from);
    cli_network_close(&s->model);
    cli_history_free(&s->history);
    cli_settings_free(&s->settings);
}
