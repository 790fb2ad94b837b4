/* session_save.c: what a training saves: its state with all that resuming needs, and weights alone. */
#include "network.h"
#include "session.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOTES (CLI_TRAIN_OPTIONS + CLI_MODEL_NOTES + 8)

/* The notes that belong to this moment rather than to the settings; returns how many. */
static size_t position_notes(const cli_session *s, tn_note notes[], char text[][160], const tn_epoch *begun,
                             const char *history)
{
    snprintf(text[0], 160, "%" PRId64, s->at.epochs);
    snprintf(text[1], 160, "%" PRId64, s->at.step);
    int used = snprintf(text[2], 160, "%.17g %.17g %.9g", begun->train.loss, begun->train.accuracy,
                        s->settings.shards > 1 ? 0 : begun->seconds);
    if (s->data.weight) snprintf(text[2] + used, 160 - (size_t)used, " %.17g %.17g", begun->weight, begun->total);
    snprintf(text[3], 160, "%" PRId64, s->data.count);
    const char *const keys[] = {"epoch", "position", "begun", "count"};
    for (size_t i = 0; i < 4; i++) notes[i] = (tn_note){keys[i], text[i]};
    notes[4] = (tn_note){"history", history};
    notes[5] = (tn_note){"data_hash", s->data_hash};
    return 6;
}

static size_t option_notes(const cli_settings *settings, tn_note notes[], char text[][CLI_NOTE_TEXT])
{
    size_t n = 0;
    for (const cli_option *o = settings->options; o->kind != CLI_END; o++) {
        const char *value = o->note && !cli_option_is_unset(o) ? cli_note_text(o, text[n]) : "";
        if (!*value) continue;
        notes[n] = (tn_note){o->note, value};
        n++;
    }
    return n;
}

static tn_status save(cli_session *s, const char *path, const char *history, int diverged)
{
    tn_note notes[NOTES];
    char model[CLI_MODEL_NOTES][160], position[4][160], devices[512], shares[512];
    char options[CLI_TRAIN_OPTIONS][CLI_NOTE_TEXT];
    const tn_save_options how = {.not_finite = (uint32_t)diverged};
    const char *network;
    tn_epoch begun;
    size_t n = 0;
    tn_status status = cli_network_note(&s->model, &network);
    if (!status) status = tn_training_so_far(s->training, &begun);
    if (!status) {
        n = option_notes(&s->settings, notes, options);
        cli_model_notes(&s->model, notes + n, model);
        n += CLI_MODEL_NOTES;
        n += position_notes(s, notes + n, position, &begun, history);
        cli_crew_notes(&s->crew, s->training, devices, shares);
        if (*network) notes[n++] = (tn_note){"onnx", network};
        if (*shares) notes[n++] = (tn_note){"devices", devices};
        if (*shares) notes[n++] = (tn_note){"shares", shares};
        status = cli_scaling_put(&s->scaling, s->state);
        if (!status) status = tn_state_save_with(s->state, path, &how, notes, n);
    }
    return status;
}

/* With a word on what fails. */
static tn_status save_and_tell(cli_session *s, const char *path, int diverged)
{
    char *history = cli_history_text(&s->history, s->settings.shards < 2);
    tn_status status = history ? save(s, path, history, diverged) : TN_ENOMEM;
    if (!history)
        cli_fail("out of memory for the history of the training");
    else if (status)
        cli_failed();
    free(history);
    return status;
}

void cli_session_save_diverged(cli_session *s)
{
    const char *path = s->settings.diverged;
    if (path && !save_and_tell(s, path, 1)) fprintf(stderr, "saved as it is to %s\n", cli_shown(path));
}

int cli_session_save(cli_session *s, const char *path)
{
    tn_status status = save_and_tell(s, path, 0);
    if (!status) return CLI_OK;
    if (status == TN_ESTATE) cli_session_save_diverged(s);
    return CLI_FAILED;
}

static tn_status save_weights(cli_session *s, tn_state *state)
{
    const tn_save_options how = {.weights_only = 1, .without = "scale"};
    tn_status status = tn_state_save_with(state, s->settings.weights, &how, NULL, 0);
    s->weights_saved |= !status;
    return status;
}

int cli_session_save_weights(cli_session *s)
{
    return save_weights(s, s->state) ? cli_failed() : CLI_OK;
}

/* Whether the file is of the best epoch of this very training: its history is the beginning of ours. */
static int is_best(const cli_session *s, const tn_checkpoint *file)
{
    int64_t epochs = 0;
    const char *theirs = tn_checkpoint_note(file, "history");
    char *ours = cli_history_text(&s->history, s->settings.shards < 2);
    int is = ours && theirs && !strncmp(ours, theirs, strlen(theirs)) &&
             cli_note_whole(file, "epoch", 0, INT32_MAX, &epochs) && epochs == s->at.best;
    free(ours);
    return is;
}

static tn_status copy_weights(cli_session *s, const tn_checkpoint *from)
{
    tn_state *state = NULL;
    tn_status status = tn_state_new(s->device, 0, &state);
    if (!status) status = tn_checkpoint_load(from, state);
    if (!status) status = save_weights(s, state);
    tn_state_free(state);
    return status;
}

int cli_session_weights_so_far(cli_session *s)
{
    const cli_settings *settings = &s->settings;
    tn_checkpoint *file = NULL;
    int status = CLI_GO_ON;
    if (!settings->weights || !settings->best || !s->at.best) return CLI_GO_ON;
    if (tn_checkpoint_open(settings->best, &file) || !is_best(s, file))
        cli_warn("%s is not epoch %" PRId64 ", the best of %s so far: %s will be written when an epoch is better",
                 settings->best, s->at.best, settings->resume, settings->weights);
    else if (copy_weights(s, file))
        status = cli_failed();
    tn_checkpoint_close(file);
    return status;
}
