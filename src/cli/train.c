/* train.c: `tenon train`: the loop over epochs and steps. */
#include "interrupt.h"
#include "session.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#define INTERRUPTED_FILE "tenon-interrupted.safetensors"
#define LOOK_EVERY       0.25 /* seconds between two looks at the loss, about */
#define FIRST_LOOK       16   /* steps before the first one */

/* What an epoch began with, and when to look at it next. */
typedef struct clock_start {
    double begun, looked;       /* times: of its first step, of the last look */
    int64_t position;           /* its first step in this run */
    int64_t looked_at, look_at; /* steps: of the last look, of the next */
} clock_start;

static cli_epoch epoch_so_far(const cli_session *s, const clock_start *start)
{
    int64_t samples = cli_trainer_samples(&s->trainer, s->position);
    double spent = cli_now() - start->begun;
    cli_epoch e = {.epoch = s->epoch + 1,
                   .epochs = s->settings.epochs,
                   .loss = s->sums.loss / (double)samples,
                   .accuracy = NAN,
                   .test_loss = NAN,
                   .test_accuracy = NAN,
                   .validation_loss = NAN,
                   .validation_accuracy = NAN};
    if (s->trainer.counts) e.accuracy = s->sums.correct / (double)samples;
    e.samples_per_s = (double)(samples - cli_trainer_samples(&s->trainer, start->position)) / spent;
    return e;
}

/* Every now and then the host waits for the device, so that it never runs far ahead, and shows where it is. Counted in
 * steps, because enqueuing them takes no time; the count follows the device's pace. */
static tn_status look(cli_session *s, clock_start *start)
{
    if (s->position < start->look_at) return TN_OK;
    tn_status status = cli_trainer_sums(&s->trainer, &s->sums);
    if (status) return status;
    double now = cli_now(), steps = (double)(s->position - start->looked_at);
    double next = steps * LOOK_EVERY / (now - start->looked + 1e-6);
    start->looked = now;
    start->looked_at = s->position;
    start->look_at = s->position + 1 + (int64_t)(next < 4 * steps ? next : 4 * steps);
    cli_epoch e = epoch_so_far(s, start);
    double within = (double)s->position / (double)s->trainer.steps;
    cli_progress_draw(&s->progress, &e, within, ((double)s->epoch + within) / (double)s->settings.epochs);
    return TN_OK;
}

/* The steps of an epoch, until its end or an interrupt; then waits and reads the sums. */
static tn_status run_steps(cli_session *s, clock_start *start)
{
    tn_status status = cli_trainer_epoch(&s->trainer, (uint64_t)s->epoch, s->sums);
    *start = (clock_start){cli_now(), cli_now(), s->position, s->position, s->position + FIRST_LOOK};
    while (!status && s->position < s->trainer.steps && !cli_interrupted()) {
        status = cli_trainer_step(&s->trainer, s->position);
        if (status) break;
        s->position++;
        if (s->settings.json == 2) {
            double loss;
            status = cli_trainer_step_loss(&s->trainer, &loss);
            if (!status) cli_report_step(s, loss);
        }
        if (!status) status = look(s, start);
    }
    return status ? status : cli_trainer_sums(&s->trainer, &s->sums);
}

static int save_all(cli_session *s)
{
    char title[256];
    int best = !cli_history_stalled(&s->history);
    snprintf(title, sizeof title, "%.160s on %.80s", s->settings.net, s->settings.data);
    if (s->settings.save && cli_session_save(s, s->settings.save)) return CLI_FAILED;
    if (best && s->settings.best && cli_session_save(s, s->settings.best)) return CLI_FAILED;
    s->best_saved |= best;
    if (cli_curve_write(s->settings.curve, &s->history, title)) return CLI_FAILED;
    return CLI_GO_ON;
}

/* Evaluates, reports and saves a finished epoch. */
static int finish_epoch(cli_session *s, const clock_start *start)
{
    cli_epoch e = epoch_so_far(s, start);
    s->epoch++;
    s->position = 0;
    s->sums = (cli_sums){0};
    if (!isfinite(e.loss))
        return cli_fail("the loss is %g in epoch %" PRId64 ": the training has diverged; a --lr below %g may help",
                        e.loss, e.epoch, s->settings.optim.lr);
    if (cli_evaluate(&s->validator, &e.validation_loss, &e.validation_accuracy)) return cli_failed();
    if (cli_evaluate(&s->evaluator, &e.test_loss, &e.test_accuracy)) return cli_failed();
    if (!cli_history_add(&s->history, &e)) return cli_fail("out of memory");
    tn_schedule_see(&s->schedule, &s->plateau, cli_epoch_judged(&e));
    s->trainer.rate = tn_plateau_factor(&s->plateau);
    cli_report_epoch(s, &e);
    return save_all(s);
}

/* All epochs are done, or they bring nothing any more. */
static int finished(const cli_session *s)
{
    int64_t patience = s->settings.early_stop;
    return s->epoch >= s->settings.epochs ||
           (patience && s->history.count && cli_history_stalled(&s->history) >= patience);
}

static int stop(cli_session *s)
{
    const char *path = s->settings.save ? s->settings.save : INTERRUPTED_FILE;
    cli_progress_clear(&s->progress);
    if (cli_session_save(s, path)) return CLI_FAILED;
    fprintf(stderr,
            "tenon: interrupted in epoch %" PRId64 ", step %" PRId64 "; to go on: tenon train --resume %s --save %s\n",
            s->epoch + 1, s->position, path, path);
    return CLI_INTERRUPTED;
}

/* One epoch, or what is left of it. Returns CLI_GO_ON or an exit status. */
static int train_epoch(cli_session *s)
{
    clock_start start;
    tn_status failed = run_steps(s, &start);
    if (failed) return cli_progress_clear(&s->progress), cli_failed();
    s->seconds += cli_now() - start.begun;
    s->samples += cli_trainer_samples(&s->trainer, s->position) - cli_trainer_samples(&s->trainer, start.position);
    if (s->position < s->trainer.steps) return stop(s);
    int status = finish_epoch(s, &start);
    cli_progress_clear(&s->progress);
    if (status == CLI_GO_ON && cli_interrupted() && !finished(s)) return stop(s);
    return status;
}

int cli_train(int argc, char **argv)
{
    cli_session s;
    int status = cli_session_open(&s, argc, argv);
    if (status == CLI_GO_ON) {
        cli_interrupt_catch();
        cli_report_start(&s);
        cli_progress_begin(&s.progress, (double)s.epoch / (double)s.settings.epochs);
    }
    while (status == CLI_GO_ON && !finished(&s)) status = train_epoch(&s);
    if (status == CLI_GO_ON) {
        cli_report_done(&s);
        status = CLI_OK;
    }
    cli_session_close(&s);
    return status;
}
