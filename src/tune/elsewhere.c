/* elsewhere.c: a choice that was taken from another table: it is compared here before it is used. The table says that
 * it is run, and how often that did not come to an end: one by which the process ended twice is not run again.
 * Processes that begin together, as workers of a training do, compare it together. */
#include <math.h>
#include <stdio.h>

#include "error.h"
#include "tuner.h"

/* One row, of the key's choice from elsewhere. */
typedef struct given {
    tn_device *device;
    const char *key;
    char choice[TN_TUNE_CHOICE];
    tn_row row;
    int is_noted; /* by this process: else others are at work, and the row may be theirs */
} given;

static tn_status put(const given *g)
{
    TN_TRY(tn_tuned_put(g->device->tuned, &g->row));
    tn_tuned_keep(g->device);
    return TN_OK;
}

static tn_status refuse(given *g, int32_t kind, const char *why)
{
    tn_log_line(TN_LOG_WARNING, "%s: %s | %s: a choice from elsewhere %s here; it is not used", g->device->name, g->key,
                g->choice, why);
    g->row.kind = kind, g->row.deaths = 0;
    return put(g);
}

/* What was found of it. One for which there was no memory is compared another time. */
static tn_status judge(given *g, const tn_outcome *outcome)
{
    if (outcome->verdict == TN_TRIAL_WRONG) return refuse(g, TN_ROW_WRONG, "is wrong");
    if (outcome->verdict == TN_TRIAL_FAILED && outcome->status != TN_ENOMEM)
        return refuse(g, TN_ROW_FAILED, "is not possible");
    if (outcome->verdict == TN_TRIAL_FAILED) return g->is_noted ? put(g) : TN_OK;
    g->row.kind = TN_ROW_CHOSEN, g->row.deaths = 0;
    TN_TRY(put(g));
    return tn_tuned_choose(g->device, g->key, g->choice);
}

static tn_status compare(given *g, const tn_op_desc *desc)
{
    tn_outcome outcome = {.verdict = TN_TRIAL_FAILED, .status = TN_ENOMEM};
    tn_trial *trial = NULL;
    g->row.deaths += (uint32_t)g->is_noted;
    if (g->is_noted) TN_TRY(put(g));
    tn_status status = tn_trial_new(g->device, desc, &trial);
    if (!status) status = tn_trial_run(trial, *g->choice ? g->choice : NULL, INFINITY, 0, &outcome);
    tn_trial_free(trial);
    g->row.deaths -= (uint32_t)g->is_noted;
    const tn_status judged = judge(g, &outcome);
    return status ? status : judged;
}

static tn_status compare_row(given *g, const tn_op_desc *desc, const tn_row *found, int is_alone)
{
    const uint32_t others = found->deaths && !is_alone;
    snprintf(g->choice, sizeof g->choice, "%s", found->choice);
    g->row = *found;
    g->row.key = (char *)g->key, g->row.choice = g->choice;
    g->is_noted = !others;
    if (found->deaths - others >= TN_TUNE_DEATHS) return refuse(g, TN_ROW_WRONG, "ended the process twice");
    return compare(g, desc);
}

tn_status tn_tune_given(tn_device *device, const tn_op_desc *desc, const char *key)
{
    given g = {.device = device, .key = key};
    int is_alone;
    const int lock = tn_tuned_enter(device, &is_alone);
    tn_tuned_keep(device); /* what others found of it meanwhile */
    const tn_row *found = tn_tuned_of_kind(device->tuned, key, TN_ROW_GIVEN);
    const tn_status status = found ? compare_row(&g, desc, found, is_alone) : TN_OK;
    tn_tuned_leave(lock);
    return status;
}
