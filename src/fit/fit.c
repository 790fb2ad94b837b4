/* fit.c: training, step by step and by one call. */
#include <math.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "crew.h"
#include "error.h"
#include "fit_options.h"
#include "given.h"
#include "loader.h"
#include "measure.h"
#include "rate.h"
#include "shards.h"
#include "workers.h"

#define PEEK_EVERY 32 /* steps between two looks at the loss */

struct tn_training {
    tn_state *state;
    tn_model model;
    tn_fit_options options;
    tn_measure train, validation, test;
    tn_batches batches, validation_batches, test_batches;
    tn_sharding sharding; /* unused unless options.shards is above 1 */
    tn_crew *crew;        /* of further devices; NULL: there are none */
    int64_t told;         /* steps of this epoch that it was told of */
    int64_t batch;        /* samples a step */
    tn_schedule schedule;
    tn_plateau plateau;
    double lr;
    char rate[TN_RATE_NAME]; /* what the program calls it */
    uint64_t first_step;     /* of the state, where the first epoch began */
    tn_training_place at;
    int begun;           /* the epoch has its order and its sums */
    int met, refused;    /* the workers have; or all of them were told why they don't fit together */
    double began, spent; /* when this run of the epoch began; seconds that it took before */
    double lowest;       /* loss of epoch at.best */
    tn_peek *peek;       /* at the sum of the epoch's losses */
    uint64_t bytes;      /* of all data sets */
    int fed;             /* they stay in the host's memory */
    tn_trace *trace;     /* NULL: there is none */
};

/* ---- opening ---- */

/* One worker does, for all. */
static int measures(const tn_training *t)
{
    return !tn_team_rank(t->options.team);
}

static tn_status open_measuring(tn_training *t, tn_measure *m, tn_batches *batches, const tn_measure *of, int fed)
{
    *m = *of;
    return of->data && measures(t) ? tn_measure_open(batches, t->state, m, fed) : TN_OK;
}

static tn_status open_training(tn_training *t, const tn_dataset *data, int fed)
{
    const tn_fit_options *options = &t->options;
    t->train = (tn_measure){&t->model, data, options, "training"};
    TN_TRY(tn_fit_check_options(&t->train));
    if (options->schedule) TN_TRY(tn_schedule_parse(options->schedule, &t->schedule));
    t->lr = tn_fit_rate(options);
    TN_TRY(tn_rate_name(&options->optim, t->rate));
    t->batch = tn_fit_batch(data, options);
    t->options.shards = tn_fit_shards(data, options);
    t->fed = fed;
    const tn_batch_options batches = {
        .batch = t->batch / options->shards, .shuffled = 1, .fed = fed, .together = options->shards};
    TN_TRY(tn_batches_new(&t->batches, t->state, &t->model, data, &batches, tn_fit_task(data, options), &t->train));
    t->sharding.trace = t->trace;
    if (options->shards > 1) TN_TRY(tn_sharding_open(&t->sharding, t->state, &t->train, &t->batches, options->shards));
    t->at.steps = (data->count + t->batch - 1) / t->batch;
    if (options->class_weights)
        TN_TRY(tn_batches_feed(&t->batches, "class_weights", TN_F32, options->class_weights,
                               (uint64_t)data->classes * sizeof *options->class_weights));
    TN_TRY(tn_peek_new(t->state, tn_measure_sum(&t->train), &t->peek));
    const tn_measure validation = {&t->model, options->validation, NULL, "validation"},
                     test = {&t->model, options->test, NULL, "test"};
    TN_TRY(open_measuring(t, &t->validation, &t->validation_batches, &validation, fed));
    return open_measuring(t, &t->test, &t->test_batches, &test, fed);
}

static void close_measuring(tn_training *t)
{
    tn_batches_free(&t->validation_batches);
    tn_batches_free(&t->test_batches);
}

static void close_training(tn_training *t)
{
    tn_peek_free(t->peek);
    t->peek = NULL;
    tn_sharding_close(&t->sharding);
    tn_batches_free(&t->batches);
    close_measuring(t);
}

/* All data sets are on the device, or none is: what one of them leaves is for the network. */
static tn_status open_where_it_fits(tn_training *t, const tn_dataset *data)
{
    const tn_fit_options *options = &t->options;
    t->bytes = tn_batches_bytes(data);
    if (measures(t)) t->bytes += tn_batches_bytes(options->validation) + tn_batches_bytes(options->test);
    int fed = tn_batches_are_fed(&t->model, t->bytes);
    tn_status s = open_training(t, data, fed);
    if (!tn_batches_may_be_fed(&t->model, s, fed)) return s;
    close_training(t);
    return open_training(t, data, 1);
}

/* The first of several devices. */
static tn_status form_crew(tn_training *t)
{
    TN_TRY(tn_fit_check_workers(&t->options));
    TN_TRY(tn_crew_new(t->state, &t->options, &t->crew));
    t->options.team = tn_crew_team(t->crew);
    t->options.n_devices = 0;
    return TN_OK;
}

tn_status tn_training_new(tn_state *state, const tn_model *model, const tn_dataset *data, const tn_fit_options *options,
                          tn_training **training)
{
    TN_GIVEN(state, model, data, options, training);
    tn_training *t = tn_alloc(sizeof *t);
    if (!t) return TN_ENOMEM;
    *t = (tn_training){.state = state, .model = *model, .options = *options};
    tn_status s = options->trace ? tn_trace_open(options->trace, &t->trace) : TN_OK;
    if (!s) tn_trace_row(t->trace, TN_ROW_STEPS, "steps");
    if (!s && options->n_devices) s = form_crew(t);
    if (!s) s = open_where_it_fits(t, data);
    s = tn_workers_tell(t->options.team, s);
    if (!s && t->crew) s = tn_crew_hire(t->crew, model, data, &t->options);
    if (s)
        tn_training_free(t);
    else
        *training = t;
    return s;
}

void tn_training_free(tn_training *t)
{
    if (!t) return;
    tn_crew_free(t->crew, t);
    close_training(t);
    tn_trace_close(t->trace);
    tn_free(t);
}

void tn_training_leave(tn_training *t)
{
    if (!t) return;
    tn_sharding_leave(&t->sharding);
    t->options.team = NULL;
}

/* ---- epochs ---- */

/* An epoch is over; a loss that is no number is lower than none. */
static void judge(tn_training *t, const tn_epoch *epoch)
{
    const tn_fit_options *options = &t->options;
    tn_training_place *at = &t->at;
    double loss = options->validation ? epoch->validation.loss : options->test ? epoch->test.loss : epoch->train.loss;
    double least = isfinite(t->lowest) ? fabs(t->lowest) * options->least_fall : 0;
    int fell = !isnan(loss) && (!at->best || loss < t->lowest - least);
    at->epochs++;
    at->stalled = fell ? 0 : at->stalled + 1;
    if (fell) at->best = at->epochs;
    if (fell) t->lowest = loss;
    tn_schedule_see(&t->schedule, &t->plateau, loss);
    at->finished = at->epochs >= options->epochs || (options->patience && at->stalled >= options->patience);
}

tn_training_place tn_training_where(const tn_training *t)
{
    if (!t) return (tn_training_place){0};
    return t->at;
}

int tn_training_share_at(const tn_training *t, uint32_t index, tn_training_share *share)
{
    if (!t || !share || !t->met || index >= tn_team_size(t->options.team)) return 0;
    const int is_own = index == tn_team_rank(t->options.team);
    const tn_worker *worker = t->sharding.worker ? &t->sharding.worker[index] : NULL;
    *share = (tn_training_share){.device = tn_device_name(tn_state_device(t->state)), .kind = "", .shards = 1};
    if (worker) *share = (tn_training_share){worker->device, worker->kind, worker->shards, NULL};
    share->program = is_own ? t->batches.whole : tn_crew_program(t->crew, index);
    return 1;
}

tn_program *tn_training_program(const tn_training *t)
{
    if (!t) return NULL;
    return t->batches.whole;
}

void tn_training_get_feeding(const tn_training *t, tn_feeding *feeding)
{
    if (!t || !feeding) return;
    tn_prefetch_report report = {0};
    if (t->batches.prefetch) tn_prefetch_get_report(t->batches.prefetch, &report);
    *feeding = (tn_feeding){t->batches.prefetch != NULL, report.threads, t->bytes, report.waited, report.begun,
                             tn_staging_pinned(t->batches.staging)};
}

void tn_training_get_exchange(const tn_training *t, tn_exchange *exchange)
{
    if (t && exchange) *exchange = tn_buckets_exchange(t->sharding.buckets);
}

tn_status tn_training_go_on(tn_training *t, const tn_epoch past[], int64_t count, int64_t step, const tn_epoch *begun)
{
    TN_GIVEN_AS("training", t);
    TN_REQUIRE(past || !count, TN_EINVAL, "tn_training_go_on: past is NULL");
    TN_REQUIRE(begun || !step, TN_EINVAL, "tn_training_go_on: begun is NULL");
    TN_REQUIRE(!t->at.epochs && !t->begun, TN_EINVAL, "fit: the training has begun already");
    TN_REQUIRE(step >= 0 && step < t->at.steps, TN_EINVAL, "fit: step %lld of %lld in an epoch", (long long)step,
               (long long)t->at.steps);
    TN_REQUIRE(count >= 0 && !(step && (begun->train.accuracy < 0 || begun->train.accuracy > 1)), TN_EINVAL,
               "fit: %lld epochs done, and an accuracy of %g in the next", (long long)count,
               step ? begun->train.accuracy : 0);
    for (int64_t i = 0; i < count; i++) judge(t, &past[i]);
    t->first_step = tn_state_step(t->state) - (uint64_t)(count * t->at.steps + step);
    t->at.step = step;
    t->at.samples = step * t->batch;
    t->spent = step ? begun->seconds : 0;
    t->begun = 0;
    if (step)
        TN_TRY(tn_measure_begin(t->state, &t->train, &(tn_measured){begun->train, begun->weight, begun->total},
                                t->at.samples));
    return t->crew ? tn_crew_go_on(t->crew, past, count, step, begun) : TN_OK;
}

/* ---- steps ---- */

/* Workers on unlike devices round their updates in unlike ways: each epoch begins with the state of the first. */
static int drifts(const tn_training *t)
{
    const uint32_t workers = tn_team_size(t->options.team);
    return t->met && !t->begun && workers > 1 && !tn_deal_alike(t->sharding.worker, workers);
}

/* The order and the sums of an epoch. Calls that follow one another get different orders: an epoch has at least one
 * step. */
static tn_status begin_epoch(tn_training *t)
{
    tn_training_place *at = &t->at;
    t->refused = !t->met && !tn_team_is_here(t->options.team);
    if (t->refused) TN_TRY(tn_workers_meet(t->options.team, t->state, &t->model, t->train.data, &t->options, at));
    t->refused = 0;
    if (drifts(t) && !tn_team_is_here(t->options.team)) TN_TRY(tn_workers_share_state(t->options.team, t->state));
    if (!at->epochs && !at->step) t->first_step = tn_state_step(t->state);
    if (!at->step) TN_TRY(tn_measure_begin(t->state, &t->train, &(tn_measured){{0, 0}, 0, 0}, 0));
    TN_TRY(tn_batches_shuffle(&t->batches, tn_state_seed(t->state), t->first_step + (uint64_t)at->epochs + 1));
    if (!t->met && tn_team_size(t->options.team) > 1) TN_TRY(tn_sharding_join(&t->sharding, t->options.shares));
    t->met = t->begun = 1;
    t->began = tn_now();
    return TN_OK;
}

/* Workers must come to the same of everything, after the same step. */
static int is_shared(const tn_training *t)
{
    return tn_team_size(t->options.team) > 1;
}

/* A sum of losses, once it is not finite, stays so. Workers see it in the steps that they share, and in the epoch as a
 * whole: who else looks, and when, is his own affair. */
static void see(tn_training *t, double loss)
{
    if (!is_shared(t) || t->at.step == t->at.steps) t->at.diverged |= !isfinite(loss);
}

static tn_status check_course(const tn_training *t)
{
    TN_REQUIRE(!t->at.diverged, TN_ESTATE, "fit: the loss is not finite in epoch %lld: the training has diverged",
               (long long)t->at.epochs + 1);
    return TN_OK;
}

/* Every so many steps, at the loss as it was that many steps before. */
static tn_status look(tn_training *t)
{
    const void *data = NULL;
    if (is_shared(t) || t->at.step % PEEK_EVERY) return TN_OK;
    TN_TRY(tn_peek_next(t->peek, &data));
    if (data) see(t, tn_measure_number(&t->train, data));
    return check_course(t);
}

/* The rate of a step, `done` of which were before. */
static double rate_at(const tn_training *t, uint64_t done)
{
    return t->options.schedule ? t->lr * tn_plateau_factor(&t->plateau) * tn_schedule_at(&t->schedule, done) : t->lr;
}

/* For the program that has the update. */
static tn_status set_rate(tn_training *t, tn_program *program)
{
    if (!t->options.schedule) return TN_OK;
    return tn_set(program, t->rate, rate_at(t, tn_state_step(t->state) - t->first_step));
}

static tn_status run_step(tn_training *t, int64_t start, int64_t count)
{
    tn_program *program;
    if (t->sharding.update) {
        TN_TRY(set_rate(t, t->sharding.update));
        return tn_sharding_step(&t->sharding, start, count);
    }
    TN_TRY(tn_batches_at(&t->batches, start, &program));
    TN_TRY(set_rate(t, program));
    return tn_program_run(program);
}

void tn_training_ask(tn_training *t)
{
    if (t) t->sharding.wishes = 1;
}

static tn_status step(tn_training *t)
{
    tn_training_place *at = &t->at;
    TN_TRY(check_course(t));
    if (!t->begun) TN_TRY(begin_epoch(t));
    TN_TRY(look(t));
    int64_t start = at->step * t->batch, left = t->train.data->count - start;
    int64_t count = left < t->batch ? left : t->batch;
    const double begun = tn_now();
    TN_TRY(run_step(t, start, count));
    tn_trace_span(t->trace, TN_ROW_STEPS, "step", (uint64_t)at->step, begun);
    at->step++;
    at->samples += count;
    at->asked = t->sharding.update ? t->sharding.asked : t->sharding.wishes;
    at->diverged |= t->sharding.diverged;
    return TN_OK;
}

/* Tells the others what fails, unless all of them know. */
static tn_status tell(const tn_training *t, tn_status s)
{
    return t->refused || t->at.diverged ? s : tn_workers_tell(t->options.team, s);
}

static tn_status ready_crew(tn_training *t)
{
    TN_TRY(tn_team_check(t->options.team));
    return !t->met || drifts(t) ? tn_crew_take_over(t->crew) : TN_OK;
}

/* The followers are told to do what is about to be done here. */
static tn_status lead(tn_training *t, tn_crew_work *work)
{
    if (!t->crew) return TN_OK;
    TN_TRY(ready_crew(t));
    tn_crew_tell(t->crew, work);
    return TN_OK;
}

/* Of the epoch's steps the followers know the next one, too: they go on with it while the leader still updates its own
 * weights, or is busy with something else. */
static tn_status lead_steps(tn_training *t)
{
    const int64_t step = t->at.step, end = step + 2 < t->at.steps ? step + 2 : t->at.steps;
    if (!t->crew || t->at.diverged) return TN_OK;
    TN_TRY(ready_crew(t));
    for (t->told = t->told > step ? t->told : step; t->told < end; t->told++) tn_crew_tell(t->crew, tn_training_step);
    return TN_OK;
}

tn_status tn_training_begin(tn_training *t)
{
    TN_GIVEN_AS("training", t);
    if (t->begun || t->at.step == t->at.steps) return TN_OK;
    TN_TRY(lead(t, tn_training_begin));
    return tell(t, begin_epoch(t));
}

tn_status tn_training_step(tn_training *t)
{
    TN_GIVEN_AS("training", t);
    TN_REQUIRE(t->at.step < t->at.steps, TN_EINVAL, "fit: the epoch is at its end");
    TN_TRY(lead_steps(t));
    return tell(t, step(t));
}

tn_status tn_training_step_loss(tn_training *t, double *loss)
{
    TN_GIVEN_AS("training, loss", t, loss);
    return tn_measure_get(t->state, &t->train, "fit.step_loss", loss);
}

tn_status tn_training_so_far(tn_training *t, tn_epoch *epoch)
{
    TN_GIVEN_AS("training, epoch", t, epoch);
    const tn_score none = {NAN, NAN};
    tn_measured so_far = {none, 0, 0};
    if (t->at.samples) {
        TN_TRY(tn_batches_wait(&t->batches));
        TN_TRY(tn_measure_read(t->state, &t->train, t->at.samples, &so_far));
        see(t, so_far.score.loss);
    }
    *epoch = (tn_epoch){.number = t->at.epochs + 1,
                        .train = so_far.score,
                        .weight = so_far.weight,
                        .total = so_far.total,
                        .test = none,
                        .seconds = t->spent + (t->begun ? tn_now() - t->began : 0),
                        .validation = none};
    return TN_OK;
}

static tn_status measure_on(tn_training *t, tn_measure *m, tn_batches *batches, int all, tn_score *score)
{
    if (!m->data) return TN_OK;
    if (!batches->data) TN_TRY(tn_measure_open(batches, t->state, m, t->fed)); /* after the end */
    return tn_measure_run(batches, t->state, m, all, score);
}

static tn_status measure(tn_training *t, int all, tn_epoch *done)
{
    TN_TRY(measure_on(t, &t->validation, &t->validation_batches, all, &done->validation));
    return measure_on(t, &t->test, &t->test_batches, all, &done->test);
}

tn_status tn_training_glance(tn_training *t, tn_epoch *epoch)
{
    TN_GIVEN_AS("training, epoch", t, epoch);
    TN_TRY(tn_training_so_far(t, epoch));
    return measures(t) ? measure(t, 0, epoch) : TN_OK;
}

/* What came of the epoch, by rank 0's measure. */
static tn_status end_epoch(tn_training *t, tn_epoch *done)
{
    TN_TRY(tn_training_so_far(t, done));
    TN_TRY(check_course(t));
    done->rate = rate_at(t, tn_state_step(t->state) - t->first_step - 1);
    if (measures(t)) TN_TRY(measure(t, 1, done));
    return tn_workers_share(t->options.team, done, sizeof *done);
}

static tn_status follow_to_end(tn_training *t)
{
    tn_epoch epoch;
    return tn_training_end_epoch(t, &epoch);
}

/* When all is done, what measuring took of the device's memory is free for whoever uses the network then. */
tn_status tn_training_end_epoch(tn_training *t, tn_epoch *epoch)
{
    TN_GIVEN_AS("training, epoch", t, epoch);
    tn_epoch done = {0};
    TN_REQUIRE(t->at.step == t->at.steps, TN_EINVAL, "fit: the epoch is not at its end");
    TN_TRY(lead(t, follow_to_end));
    TN_TRY(tell(t, end_epoch(t, &done)));
    judge(t, &done);
    t->at.step = t->at.samples = t->told = 0;
    t->begun = 0;
    t->spent = 0;
    *epoch = done;
    if (t->at.finished) close_measuring(t);
    return TN_OK;
}

tn_status tn_training_end_trace(tn_training *t)
{
    TN_GIVEN_AS("training", t);
    return tn_trace_end(t->trace);
}

/* ---- all of it ---- */

static tn_status run_epoch(tn_training *t, tn_epoch *epoch)
{
    while (t->at.step < t->at.steps) TN_TRY(tn_training_step(t));
    return tn_training_end_epoch(t, epoch);
}

tn_status tn_fit(tn_state *state, const tn_model *model, const tn_dataset *data, const tn_fit_options *options,
                 tn_epoch *last)
{
    TN_GIVEN(state, model, data, options);
    tn_training *t = NULL;
    tn_epoch epoch;
    tn_status s = tn_training_new(state, model, data, options, &t);
    for (int go_on = 1; !s && go_on;) {
        s = run_epoch(t, &epoch);
        go_on = !s && !(options->each && options->each(options->arg, &epoch)) && !t->at.finished;
    }
    if (!s) s = tn_training_end_trace(t);
    tn_training_free(t);
    if (!s && last) *last = epoch;
    return s;
}
