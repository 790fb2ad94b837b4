/* search.c: the search among an operator's candidates: those that look best first, then the neighbours of the best one
 * so far, which differ from it in one number, then the others, while there is time. What was tried is in the device's
 * table, which goes to the cache before each trial: a search that is interrupted goes on, and a candidate by which the
 * process ended twice is not tried again. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "error.h"
#include "text.h"
#include "tuner.h"

#define USUALLY 60.0 /* seconds */
#define FIRST   8    /* candidates by their promise alone */
#define ROUNDS  5    /* of the comparison at the end: the best one and the usual one in turn */
#define BETTER  0.97 /* of the usual one's time, that the best one may take to be worth it */
#define LEAST   4    /* runs that a search takes: of the usual kernel, of a candidate, and one each to compare them */

typedef struct search {
    tn_device *device;
    const tn_tune_options *options;
    const tn_op_desc *desc;
    char key[TN_TUNE_KEY];
    tn_trial *trial;
    char **candidate;
    unsigned char *is_done;
    uint32_t room, unwritable; /* candidates that there is room for; and others, whose names are no lines */
    int32_t best;              /* candidate; -1: none yet */
    double best_seconds;
    double share, until; /* seconds that are its own, and when they are over */
    double end;          /* of all the time that there is */
    tn_outcome usual;
    tn_tuned_operator row;
    int is_noted;    /* the candidate that is tried has a row of this search's, which counts one end of a process */
    uint64_t deaths; /* more than that: so many were there before */
} search;

/* ---- the table --------------------------------------------------------------------------------------------------- */

static uint64_t nanoseconds(double seconds)
{
    return seconds > 0 && seconds < 1e6 ? (uint64_t)(seconds * 1e9 + 0.5) : 0;
}

static tn_status note(search *s, int32_t kind, const char *choice, uint64_t number, double error)
{
    const tn_row row = {.kind = kind,
                        .nanoseconds = number,
                        .usual = nanoseconds(s->usual.seconds),
                        .error = (uint64_t)(fmin(error, 1e6) * 1000),
                        .key = s->key,
                        .choice = (char *)choice};
    TN_TRY(tn_tuned_put(s->device->tuned, &row));
    tn_tuned_keep(s->device);
    return TN_OK;
}

/* That a candidate is about to be tried: how often that was so before and did not come to an end. What was chosen
 * before stays so until the search is over. Where others are at work, what is noted already may be theirs. */
static tn_status note_trying(search *s, const char *choice, int is_alone, int *too_often)
{
    const tn_row *before = tn_tuned_find(s->device->tuned, s->key, choice);
    const uint64_t deaths = before && before->kind == TN_ROW_TRYING ? before->nanoseconds : 0;
    const uint64_t others = deaths && !is_alone;
    *too_often = deaths - others >= TN_TUNE_DEATHS;
    s->deaths = deaths, s->is_noted = 0;
    if ((before && before->kind == TN_ROW_CHOSEN) || (others && !*too_often)) return TN_OK;
    s->is_noted = !*too_often;
    return *too_often ? note(s, TN_ROW_FAILED, choice, 0, 0) : note(s, TN_ROW_TRYING, choice, deaths + 1, 0);
}

/* ---- candidates -------------------------------------------------------------------------------------------------- */

/* A text of its own that stays what it is in a table's line. */
static int is_line(const char *choice)
{
    char text[TN_TUNE_CHOICE];
    const size_t length = strlen(choice);
    if (!length || length >= sizeof text) return 0;
    memcpy(text, choice, length + 1);
    return !strcmp(tn_text_clean(text, sizeof text), choice);
}

static void found(void *arg, const char *choice)
{
    search *s = arg;
    if (!is_line(choice)) s->unwritable++;
    if (s->row.candidates == s->room || !is_line(choice)) return;
    s->candidate[s->row.candidates] = tn_strdup(choice);
    if (s->candidate[s->row.candidates]) s->row.candidates++;
}

static void count(void *arg, const char *choice)
{
    (void)choice;
    ++*(uint32_t *)arg;
}

static tn_status list(search *s)
{
    TN_MESSAGE(msg);
    const tn_device *d = s->device;
    const tn_ext_tune *tune = tn_tune_extension(d->backend);
    TN_TRY(tn_device_status(d, tune->candidates(d->context, s->desc, count, &s->room, &msg), &msg));
    s->candidate = tn_alloc((s->room + 1) * sizeof *s->candidate);
    s->is_done = tn_alloc(s->room + 1);
    if (!s->candidate || !s->is_done) return TN_ENOMEM;
    TN_TRY(tn_device_status(d, tune->candidates(d->context, s->desc, found, s, &msg), &msg));
    if (s->unwritable)
        tn_log_line(TN_LOG_WARNING, "%s: %s: %u kernels are not tried: what its backend calls them is no line of text",
                    d->name, s->key, s->unwritable);
    return TN_OK;
}

static size_t word_length(const char *text)
{
    return strcspn(text, " ");
}

/* In how many words they differ; many if they have other numbers of them. */
static int distance(const char *a, const char *b)
{
    int differ = 0;
    while (*a && *b) {
        const size_t n = word_length(a), m = word_length(b);
        differ += n != m || memcmp(a, b, n) != 0;
        a += n + (a[n] == ' ');
        b += m + (b[m] == ' ');
    }
    return *a || *b ? 100 : differ;
}

/* The next to be tried; -1: there is none. */
static int32_t next(const search *s)
{
    int32_t chosen = -1;
    int least = 1000;
    for (uint32_t i = 0; i < s->row.candidates; i++) {
        if (s->is_done[i]) continue;
        const int early = i < FIRST || s->best < 0;
        const int far = early ? 0 : distance(s->candidate[i], s->candidate[s->best]);
        const int rank = far > 1 ? 2 : far;
        if (rank < least) least = rank, chosen = (int32_t)i;
    }
    return chosen;
}

static void consider(search *s, uint32_t i, double seconds)
{
    if (s->best >= 0 && seconds >= s->best_seconds) return;
    s->best = (int32_t)i;
    s->best_seconds = seconds;
}

/* What an earlier search found, which was interrupted. */
static void take_known(search *s)
{
    for (uint32_t i = 0; i < s->row.candidates; i++) {
        const tn_row *row = tn_tuned_find(s->device->tuned, s->key, s->candidate[i]);
        if (!row || row->kind == TN_ROW_TRYING || row->kind == TN_ROW_CHOSEN || row->kind == TN_ROW_GIVEN) continue;
        s->is_done[i] = 1;
        if (row->kind == TN_ROW_RIGHT) consider(s, i, 1e-9 * (double)row->nanoseconds);
    }
}

/* ---- trials ------------------------------------------------------------------------------------------------------ */

/* There may be memory for it another time: it is as if it had not been tried. */
static tn_status leave_starved(search *s, const char *choice)
{
    return s->is_noted ? note(s, TN_ROW_TRYING, choice, s->deaths, 0) : TN_OK;
}

static tn_status judge(search *s, uint32_t i, const tn_outcome *outcome)
{
    static const int32_t kind[] = {
        [TN_TRIAL_RIGHT] = TN_ROW_RIGHT, [TN_TRIAL_WRONG] = TN_ROW_WRONG, [TN_TRIAL_FAILED] = TN_ROW_FAILED};
    const char *choice = s->candidate[i];
    const tn_row *before = tn_tuned_find(s->device->tuned, s->key, choice);
    const int was_chosen = before && before->kind == TN_ROW_CHOSEN;
    s->row.wrong += outcome->verdict == TN_TRIAL_WRONG;
    s->row.failed += outcome->verdict == TN_TRIAL_FAILED;
    if (outcome->verdict == TN_TRIAL_WRONG)
        tn_log_line(TN_LOG_INFO, "%s: %s | %s: its result is wrong", s->device->name, s->key, choice);
    if (outcome->verdict == TN_TRIAL_FAILED)
        tn_log_line(TN_LOG_INFO, "%s: %s | %s: %s", s->device->name, s->key, choice, outcome->why);
    if (outcome->verdict == TN_TRIAL_RIGHT) consider(s, i, outcome->seconds);
    if (was_chosen && outcome->verdict != TN_TRIAL_WRONG) return TN_OK;
    if (outcome->verdict == TN_TRIAL_FAILED && outcome->status == TN_ENOMEM) return leave_starved(s, choice);
    TN_TRY(note(s, kind[outcome->verdict], choice, nanoseconds(outcome->seconds), outcome->error));
    return was_chosen ? tn_tuned_choose(s->device, s->key, NULL) : TN_OK;
}

static tn_status run_candidate(search *s, uint32_t i, int is_alone)
{
    tn_outcome outcome;
    int too_often = 0;
    s->is_done[i] = 1;
    TN_TRY(note_trying(s, s->candidate[i], is_alone, &too_often));
    if (too_often) return TN_OK;
    s->row.tried++;
    TN_TRY(tn_trial_run(s->trial, s->candidate[i], s->best < 0 ? INFINITY : s->best_seconds, 1, &outcome));
    return judge(s, i, &outcome);
}

static tn_status try_candidate(search *s, uint32_t i)
{
    int is_alone;
    const int lock = tn_tuned_enter(s->device, &is_alone);
    const tn_status status = run_candidate(s, i, is_alone);
    tn_tuned_leave(lock);
    return status;
}

static int is_stopped(const search *s)
{
    return s->options->stops && s->options->stops(s->options->arg);
}

/* There is time for one more and a comparison besides; until there is one to be compared, others' time is used, too. */
static int goes_on(const search *s)
{
    const uint32_t most = s->options->tries ? s->options->tries : UINT32_MAX;
    const double until = s->best < 0 ? s->end : s->until - 2 * s->usual.spent;
    return s->row.tried < most && tn_now() < until && !is_stopped(s);
}

static tn_status look(search *s)
{
    take_known(s);
    for (int32_t i; goes_on(s) && (i = next(s)) >= 0;) TN_TRY(try_candidate(s, (uint32_t)i));
    return TN_OK;
}

/* The best one and the usual one in turn, so that what slows the device down for a while slows both down; once each,
 * while there is time more often. */
static tn_status compare(search *s, int *pays)
{
    tn_outcome best = {.seconds = INFINITY}, usual = {.seconds = INFINITY};
    *pays = s->best >= 0;
    for (int i = 0; i < ROUNDS && s->best >= 0 && (!i || (tn_now() < s->until && !is_stopped(s))); i++) {
        tn_outcome now;
        TN_TRY(tn_trial_run(s->trial, s->candidate[s->best], INFINITY, 1, &now));
        if (now.verdict != TN_TRIAL_RIGHT) *pays = 0; /* not each time */
        if (now.verdict == TN_TRIAL_RIGHT && now.seconds < best.seconds) best = now;
        if (s->usual.verdict != TN_TRIAL_RIGHT) continue;
        TN_TRY(tn_trial_run(s->trial, NULL, INFINITY, 1, &now));
        if (now.verdict == TN_TRIAL_RIGHT && now.seconds < usual.seconds) usual = now;
    }
    if (s->usual.verdict == TN_TRIAL_RIGHT) *pays = *pays && best.seconds < BETTER * usual.seconds;
    if (isfinite(usual.seconds)) s->usual = usual;
    s->row.usual = s->usual.verdict == TN_TRIAL_RIGHT ? s->usual.seconds : 0;
    s->row.seconds = *pays ? best.seconds : s->row.usual;
    s->row.error = *pays ? best.error : s->usual.error;
    return TN_OK;
}

/* ---- one operator ------------------------------------------------------------------------------------------------ */

static tn_status settle(search *s)
{
    int pays = 0;
    TN_TRY(compare(s, &pays));
    if (s->row.seconds <= 0) return TN_OK; /* nothing is right: nothing is chosen */
    s->row.choice = pays ? s->candidate[s->best] : "";
    TN_TRY(tn_tuned_drop(s->device->tuned, s->key, TN_ROW_RIGHT));
    TN_TRY(tn_tuned_drop(s->device->tuned, s->key, TN_ROW_CHOSEN));
    TN_TRY(tn_tuned_drop(s->device->tuned, s->key, TN_ROW_GIVEN));
    TN_TRY(note(s, TN_ROW_CHOSEN, s->row.choice, nanoseconds(s->row.seconds), s->row.error));
    return tn_tuned_choose(s->device, s->key, s->row.choice);
}

static void warn_of_usual(const search *s)
{
    if (s->usual.verdict == TN_TRIAL_RIGHT) return;
    tn_log_line(TN_LOG_WARNING, "%s: %s: the kernel that is used untuned %s", s->device->name, s->key,
                s->usual.verdict == TN_TRIAL_WRONG ? "gives a wrong result" : s->usual.why);
}

static void recall(search *s, const tn_row *row)
{
    s->row.known = !s->row.tried;
    s->row.choice = row->choice;
    s->row.seconds = 1e-9 * (double)row->nanoseconds;
    s->row.usual = 1e-9 * (double)row->usual;
    s->row.error = 1e-3 * (double)row->error;
}

/* Without a decision: it has what it had. */
static tn_status leave(search *s, uint32_t why)
{
    const tn_row *chosen = tn_tuned_of_kind(s->device->tuned, s->key, TN_ROW_CHOSEN);
    s->row.skipped = why;
    if (s->usual.verdict == TN_TRIAL_RIGHT) {
        s->row.usual = s->row.seconds = s->usual.seconds;
        s->row.error = s->usual.error;
    }
    if (chosen) recall(s, chosen);
    return TN_OK;
}

static tn_status search_one(search *s)
{
    TN_TRY(tn_trial_new(s->device, s->desc, &s->trial));
    tn_trial_hurry(s->trial, s->until);
    TN_TRY(list(s));
    if (tn_now() >= s->end || is_stopped(s)) return leave(s, TN_TUNE_NO_TIME);
    TN_TRY(tn_trial_run(s->trial, NULL, INFINITY, 1, &s->usual));
    warn_of_usual(s);
    if (s->usual.verdict == TN_TRIAL_RIGHT && LEAST * s->usual.seconds > s->share) return leave(s, TN_TUNE_TOO_SLOW);
    TN_TRY(look(s));
    if (is_stopped(s)) return leave(s, TN_TUNE_NO_TIME);
    if (s->best < 0 && next(s) >= 0 && tn_now() >= s->end) return leave(s, TN_TUNE_NO_TIME);
    return settle(s);
}

static void free_search(search *s)
{
    tn_trial_free(s->trial);
    for (uint32_t i = 0; s->candidate && i < s->row.candidates; i++) tn_free(s->candidate[i]);
    tn_free(s->candidate);
    tn_free(s->is_done);
}

static void tell(const search *s)
{
    if (s->options->tell) s->options->tell(s->options->arg, &s->row);
}

/* Whether it is to be searched for: nothing is chosen, or that is to be done once more. */
static int is_open(const tn_device *device, const char *key, const tn_tune_options *options)
{
    if (!tn_tuned_of_kind(device->tuned, key, TN_ROW_CHOSEN)) return 1;
    return options->again && !(options->is_fresh && options->is_fresh(options->arg, key));
}

/* share: its seconds; less than 0: there is to be no search. */
static tn_status tune_one(search *s, double share)
{
    const double begun = tn_now();
    if (begun < s->end && !is_stopped(s) && tn_tuned_of_kind(s->device->tuned, s->key, TN_ROW_GIVEN))
        TN_TRY(tn_tune_given(s->device, s->desc, s->key));
    if (share < 0 || !is_open(s->device, s->key, s->options)) {
        const tn_row *chosen = tn_tuned_of_kind(s->device->tuned, s->key, TN_ROW_CHOSEN);
        if (chosen) recall(s, chosen);
        if (share >= 0) tell(s);
        return TN_OK;
    }
    s->share = share, s->until = begun + share;
    TN_TRY(tn_now() < s->end && !is_stopped(s) ? search_one(s) : leave(s, TN_TUNE_NO_TIME));
    s->row.spent = tn_now() - begun;
    tell(s);
    return TN_OK;
}

/* ---- all of them ------------------------------------------------------------------------------------------------- */

/* An operator of its own among those described. */
typedef struct task {
    char key[TN_TUNE_KEY];
    const tn_op_desc *desc;
    double flops;
} task;

/* "": there is nothing to choose, or nothing that can be written down. */
static tn_status find_key(const tn_device *device, const tn_op_desc *desc, char key[TN_TUNE_KEY])
{
    TN_MESSAGE(msg);
    int32_t code = tn_tune_extension(device->backend)->key(device->context, desc, key, TN_TUNE_KEY, &msg);
    if (code) *key = 0;
    tn_text_clean(key, TN_TUNE_KEY);
    if (strstr(key, " | ")) *key = 0;
    return code == TN_EUNSUPPORTED ? TN_OK : tn_device_status(device, code, &msg);
}

static void add_task(task *tasks, uint32_t *count, const task *more)
{
    for (uint32_t i = 0; i < *count; i++)
        if (!strcmp(tasks[i].key, more->key)) {
            tasks[i].flops += more->flops;
            return;
        }
    tasks[(*count)++] = *more;
}

static int by_flops(const void *a, const void *b)
{
    const double x = ((const task *)a)->flops, y = ((const task *)b)->flops;
    return (x < y) - (x > y);
}

static int by_less(const void *a, const void *b)
{
    return by_flops(b, a);
}

/* How many of them are to be searched for, or 1. */
static uint32_t count_open(const tn_device *device, const task *tasks, uint32_t count, const tn_tune_options *options)
{
    uint32_t open = 0;
    for (uint32_t i = 0; i < count; i++) open += (uint32_t)is_open(device, tasks[i].key, options);
    return open ? open : 1;
}

/* Each has its share of the time that is left: what one doesn't need is the others'. One that can't be tried is told of
 * and left as it is. */
static tn_status run_tasks(tn_device *device, const task *tasks, uint32_t count, const tn_tune_options *options)
{
    const int searches = options->seconds >= 0;
    const double end = searches ? tn_now() + options->seconds : INFINITY;
    tn_status s = TN_OK;
    for (uint32_t i = 0; i < count && !s; i++) {
        search one = {.device = device, .options = options, .desc = tasks[i].desc, .best = -1, .end = end};
        snprintf(one.key, sizeof one.key, "%s", tasks[i].key);
        one.row.key = one.key, one.row.choice = "";
        const uint32_t open = count_open(device, &tasks[i], count - i, options);
        s = tune_one(&one, searches ? fmax(end - tn_now(), 0) / open : -1);
        free_search(&one);
        if (s != TN_ENOMEM && s != TN_EUNSUPPORTED) continue;
        tn_log_line(TN_LOG_WARNING, "%s: %s: not tuned: %s", device->name, tasks[i].key, tn_message());
        s = TN_OK;
    }
    return s;
}

static int wants(const tn_device *device, const tn_tune_options *options)
{
    if (!device->tuned) return 0;
    for (uint32_t i = 0; i < device->tuned->count; i++)
        if (device->tuned->row[i].kind == TN_ROW_GIVEN) return 1;
    return options->seconds >= 0;
}

tn_status tn_tune_operators(tn_device *device, const tn_op_desc *const desc[], const double flops[], uint32_t count,
                            const tn_tune_options *options)
{
    tn_tune_options now = *options;
    uint32_t n = 0;
    tn_status s = TN_OK;
    if (now.seconds == 0) now.seconds = USUALLY; /* NOLINT: as it was given */
    if (!device->tuned) return TN_OK;
    pthread_mutex_lock(&device->tuned->lock);
    const int wanted = wants(device, &now);
    task *tasks = wanted ? tn_alloc((count + 1) * sizeof *tasks) : NULL;
    if (wanted && !tasks) s = TN_ENOMEM;
    for (uint32_t i = 0; tasks && i < count && !s; i++) {
        task one = {.desc = desc[i], .flops = flops[i]};
        s = find_key(device, desc[i], one.key);
        if (!s && *one.key) add_task(tasks, &n, &one);
    }
    if (n) qsort(tasks, n, sizeof *tasks, now.small_first ? by_less : by_flops);
    if (!s) s = run_tasks(device, tasks, n, &now);
    tn_free(tasks);
    pthread_mutex_unlock(&device->tuned->lock);
    return s;
}
