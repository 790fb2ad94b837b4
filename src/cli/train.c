/* train.c: `tenon train`: the loop over epochs and steps. */
#include "interrupt.h"
#include "log.h"
#include "page.h"
#include "session.h"
#include "work.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MOST_INTERRUPTED 10000 /* files that such trainings leave in a folder */
#define LOOK_EVERY       0.25  /* seconds between two looks at the loss, about */
#define FIRST_LOOK       16    /* steps before the first one */

/* When to look at an epoch next. */
typedef struct watch {
    double looked;              /* the time of the last look */
    int64_t looked_at, look_at; /* steps: of the last look, of the next */
} watch;

/* Every now and then the host waits for the device, so that it never runs far ahead, and shows where it is. Counted in
 * steps, because enqueuing them takes no time; the count follows the device's pace. */
static tn_status look(cli_session *s, watch *w)
{
    tn_epoch e;
    if (s->at.step < w->look_at) return TN_OK;
    tn_status status = tn_training_so_far(s->training, &e);
    if (status) return status;
    double now = cli_now(), steps = (double)(s->at.step - w->looked_at);
    double next = steps * LOOK_EVERY / (now - w->looked + 1e-6);
    w->looked = now;
    w->looked_at = s->at.step;
    w->look_at = s->at.step + 1 + (int64_t)(next < 4 * steps ? next : 4 * steps);
    cli_progress_draw(&s->progress, &e, s->at.samples, (double)s->at.step / (double)s->at.steps);
    return TN_OK;
}

static tn_status step(cli_session *s, watch *w)
{
    double loss;
    tn_status status = tn_training_step(s->training);
    s->at = tn_training_where(s->training);
    s->known = status != TN_OK;
    if (!status && s->settings.json == 2) {
        status = tn_training_step_loss(s->training, &loss);
        if (!status) cli_report_step(s, loss);
    }
    return status ? status : look(s, w);
}

/* Whether to stop here; several workers stop after the same step. */
static int stops(cli_session *s)
{
    if (!cli_interrupted()) return s->at.asked;
    tn_training_ask(s->training);
    return tn_team_size(s->team) < 2 || s->at.asked;
}

/* The steps of an epoch, until its end, an interrupt or a loss that is not finite; then waits. */
static tn_status run_steps(cli_session *s, tn_epoch *e)
{
    tn_status status = TN_OK;
    watch w = {cli_now(), s->at.step, s->at.step + FIRST_LOOK};
    double begun = w.looked;
    int64_t samples = s->at.samples;
    while (!status && s->at.step < s->at.steps && !stops(s)) status = step(s, &w);
    s->at = tn_training_where(s->training);
    if (!status || s->at.diverged) status = tn_training_so_far(s->training, e);
    s->at = tn_training_where(s->training);
    s->seconds += cli_now() - begun;
    s->samples += s->at.samples - samples;
    return status;
}

static int save_all(cli_session *s)
{
    char title[256];
    int best = !s->at.stalled;
    snprintf(title, sizeof title, "%.160s on %.80s", s->settings.net, s->settings.data);
    if (s->settings.save && cli_session_save(s, s->settings.save)) return CLI_FAILED;
    if (best && s->settings.best && cli_session_save(s, s->settings.best)) return CLI_FAILED;
    if (s->settings.weights && (best || !s->settings.best) && cli_session_save_weights(s)) return CLI_FAILED;
    s->best_saved |= best;
    if (cli_curve_write(s->settings.curve, &s->history, title, s->settings.loss)) return CLI_FAILED;
    return CLI_GO_ON;
}

/* What is measured behind steps tells of the weights that they left; their own loss, of those on the way. */
static int check_measured(cli_session *s, const tn_epoch *e)
{
    char step[40] = "";
    const int of_validation = s->validation.count && !isfinite(e->validation.loss);
    if (!of_validation && (!s->test.count || isfinite(e->test.loss))) return CLI_GO_ON;
    if (s->at.step) snprintf(step, sizeof step, "step %" PRId64 " of ", s->at.step);
    cli_progress_clear(&s->progress);
    cli_fail("the %s loss is %g after %sepoch %" PRId64
             ": the training has diverged, or a sample there is beyond measure; nothing was saved of this epoch",
             of_validation ? "validation" : "test", cli_unsigned_nan(of_validation ? e->validation.loss : e->test.loss),
             step, e->number);
    cli_session_save_diverged(s);
    return CLI_FAILED;
}

/* In the middle of an epoch. What can't be measured may well be saved. */
static int check_glance(cli_session *s)
{
    tn_epoch e;
    return s->at.step && !tn_training_glance(s->training, &e) ? check_measured(s, &e) : CLI_GO_ON;
}

/* Samples that stay in their file are read again in each epoch. One that was renamed or removed is still open, and what
 * has its name then is another. */
static int check_file(cli_session *s)
{
    const cli_file_stamp now = cli_stamp(s->settings.data), then = s->data_stamp;
    const int is_other = now.device != then.device || now.number != then.number;
    const int is_same = now.written.tv_sec == then.written.tv_sec && now.written.tv_nsec == then.written.tv_nsec;
    if (!s->data.loader || is_other || is_same) return CLI_GO_ON;
    cli_progress_clear(&s->progress);
    return cli_fail("%s was written to while the training read it: nothing was saved of this epoch", s->data.source);
}

/* Evaluates, reports and saves a finished epoch. */
static int finish_epoch(cli_session *s, tn_epoch *e)
{
    s->known = tn_training_end_epoch(s->training, e) != TN_OK;
    if (s->known) return cli_failed();
    s->at = tn_training_where(s->training);
    if (!cli_history_add(&s->history, e)) return cli_fail("out of memory");
    cli_report_epoch(s, e);
    if (cli_log_epoch(s, e)) return CLI_FAILED;
    int status = check_measured(s, e);
    s->known = status != CLI_GO_ON;
    if (status == CLI_GO_ON) status = check_file(s);
    return status == CLI_GO_ON ? save_all(s) : status;
}

/* What was saved before stays. */
static int diverge(cli_session *s, const tn_epoch *e)
{
    cli_progress_clear(&s->progress);
    cli_fail("the loss is %g in epoch %" PRId64 ", step %" PRId64
             ": the training has diverged; a --lr below %g may help",
             cli_unsigned_nan(e->train.loss), e->number, s->at.step, s->settings.optim.lr);
    cli_session_save_diverged(s);
    return CLI_FAILED;
}

/* A file that is not there yet, for a training without one: "tenon-interrupted.safetensors", or with a number. It is
 * made at once, empty, so that no other takes the name. */
static int make_file(char path[64])
{
    int file = -1;
    errno = EEXIST;
    for (int n = 1; file < 0 && errno == EEXIST && n < MOST_INTERRUPTED; n++) {
        snprintf(path, 64, n > 1 ? "tenon-interrupted-%d.safetensors" : "tenon-interrupted.safetensors", n);
        file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    }
    if (file < 0) return cli_fail("%s: cannot be written: %s", path, strerror(errno));
    close(file);
    return CLI_OK;
}

static int stop(cli_session *s)
{
    static const char *const but[] = {"save", "resume", "load", "rename", NULL};
    char made[64];
    const char *path = s->settings.save ? s->settings.save : made;
    int signal = cli_interrupted() ? cli_interrupted() : SIGINT;
    if (tn_team_rank(s->team)) return CLI_SIGNAL + signal;
    cli_progress_clear(&s->progress);
    if (check_glance(s) != CLI_GO_ON) return CLI_FAILED;
    if (path == made && make_file(made)) return CLI_FAILED;
    if (cli_session_save(s, path)) {
        if (path == made) unlink(made);
        return CLI_FAILED;
    }
    fprintf(stderr, "tenon: interrupted in epoch %" PRId64 ", step %" PRId64 "; to go on: tenon train --resume ",
            s->at.epochs + 1, s->at.step);
    cli_print_word(path);
    fprintf(stderr, " --save ");
    cli_print_word(path);
    cli_repeat(s->settings.options, but);
    fprintf(stderr, "\n");
    return CLI_SIGNAL + signal;
}

/* One epoch, or what is left of it. Returns CLI_GO_ON or an exit status. */
static int train_epoch(cli_session *s)
{
    tn_epoch e;
    if (run_steps(s, &e)) return cli_progress_clear(&s->progress), cli_failed();
    if (s->at.diverged) return diverge(s, &e);
    if (s->at.step < s->at.steps) return stop(s);
    int status = finish_epoch(s, &e);
    cli_progress_clear(&s->progress);
    if (status == CLI_GO_ON && stops(s) && !s->at.finished) return stop(s);
    return status;
}

/* What several workers do before the first step: they meet, and share the batches out. */
static int meet(cli_session *s)
{
    if (tn_team_size(s->team) < 2 && s->crew.count < 2) return CLI_GO_ON;
    s->known = 1;
    if (tn_training_begin(s->training)) return cli_failed();
    s->known = 0;
    cli_crew_report(&s->crew, s->training);
    return CLI_GO_ON;
}

/* `*known`: whether all workers know why it failed, as they know of what fails in a step of theirs. */
static int train(tn_team *team, int argc, char **argv, int *known)
{
    cli_session s;
    int status = cli_session_open(&s, team, argc, argv);
    if (status == CLI_GO_ON) status = cli_session_weights_so_far(&s);
    if (status == CLI_GO_ON) {
        cli_interrupt_catch();
        cli_report_start(&s);
        if (cli_log_begin(&s)) status = CLI_FAILED;
    }
    if (status == CLI_GO_ON) {
        status = meet(&s);
    }
    if (status == CLI_GO_ON)
        cli_progress_begin(&s.progress, s.settings.epochs, (double)s.at.epochs / (double)s.settings.epochs,
                           s.settings.quiet);
    while (status == CLI_GO_ON && !s.at.finished) status = train_epoch(&s);
    if (status == CLI_GO_ON) status = cli_session_results(&s);
    if (status == CLI_GO_ON) {
        cli_report_done(&s);
        status = cli_log_end(&s);
        if (cli_page_of_training(&s)) status = CLI_FAILED;
        if (tn_training_end_trace(s.training)) status = cli_failed();
    } else {
        cli_log_stopped(&s, status);
    }
    *known = s.known || s.at.diverged;
    cli_session_close(&s);
    return status;
}

int cli_train(int argc, char **argv)
{
    return cli_work(train, argc, argv);
}
