/* workers.c: see workers.h. */
#include "workers.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "error.h"
#include "hash.h"
#include "loader.h"
#include "plain.h"

enum { LOOKED_AT = 64 }; /* samples that stand for all */

/* ---- what must be the same ---- */

/* Samples at even distances, with their targets. */
static tn_status hash_data(const tn_dataset *data, uint64_t *out)
{
    uint64_t x_bytes = tn_sample_bytes(data), target_bytes = tn_target_bytes(data);
    char *x = tn_alloc(x_bytes + 1), *target = tn_alloc(target_bytes + 1);
    tn_status s = x && target ? TN_OK : TN_ENOMEM;
    *out = TN_HASH_EMPTY;
    for (int64_t i = 0; !s && i < LOOKED_AT && i < data->count; i++) {
        int64_t number = data->count > LOOKED_AT ? i * (data->count / LOOKED_AT) : i;
        s = tn_dataset_sample(data, number, x, target_bytes ? target : NULL);
        if (!s) *out = tn_hash_bytes(tn_hash_bytes(*out, x, x_bytes), target, target_bytes);
        if (!s && data->weight) *out = tn_hash_bytes(*out, &data->weight[number], sizeof *data->weight);
    }
    tn_free(x);
    tn_free(target);
    return s;
}

enum { FACTS = 13, FACT_TEXT = 600 };

/* The names, types and shapes of what is kept, in whatever order. */
static void describe_state(const tn_state *state, char text[FACT_TEXT])
{
    tn_state_entry entry;
    int64_t variables = 0, numbers = 0;
    uint64_t all = 0;
    for (size_t i = 0; tn_state_at(state, i, &entry); i++) {
        if (entry.flags & TN_TRANSIENT) continue;
        uint64_t own = tn_hash_bytes(TN_HASH_EMPTY, entry.name, strlen(entry.name));
        own = tn_hash_bytes(own, &entry.dtype, sizeof entry.dtype);
        all += tn_hash_bytes(own, entry.shape.dim, (uint64_t)entry.shape.rank * sizeof *entry.shape.dim);
        variables++, numbers += tn_shape_count(&entry.shape);
    }
    tn_snprintf(text, FACT_TEXT, "%" PRId64 " variables of %" PRId64 " numbers, as a hash %016" PRIx64, variables,
                numbers, all);
}

static const char *text_or(const char *text, const char *usual)
{
    return text ? text : usual;
}

static int64_t count_of(const tn_dataset *data)
{
    return data ? data->count : 0;
}

static void describe_loss(const tn_model *model, const tn_dataset *data, const tn_fit_options *options,
                          char text[FACT_TEXT])
{
    const float *w = options->class_weights;
    char weights[50] = "no class weights";
    if (w)
        tn_snprintf(weights, sizeof weights, "class weights as a hash %016" PRIx64,
                    tn_hash_bytes(TN_HASH_EMPTY, w, (uint64_t)data->classes * sizeof *w));
    tn_snprintf(text, FACT_TEXT, "%s, smoothing %.17g, %s", model->cost ? "a loss of its own" : model->loss,
                options->smoothing, weights);
}

/* What follows from others, as the network's variables from the optimizer, stands behind them. */
static tn_status agree(tn_team *team, const tn_state *state, const tn_model *model, const tn_dataset *data,
                       const tn_fit_options *options, const tn_training_place *place, uint64_t samples)
{
    char text[FACTS][FACT_TEXT];
    const tn_optim_options *o = &options->optim;
    tn_snprintf(text[0], FACT_TEXT, "%" PRId64, data->count);
    tn_snprintf(text[1], FACT_TEXT, "as a hash %016" PRIx64, samples);
    tn_snprintf(text[2], FACT_TEXT, "%" PRId64 " samples, %u shards, exchanged by %" PRIu64 " bytes", options->batch,
                options->shards, options->bucket);
    tn_snprintf(text[3], FACT_TEXT, "%s", text_or(options->optimizer, "sgd"));
    tn_snprintf(text[4], FACT_TEXT,
                "lr %.17g momentum %.17g beta1 %.17g beta2 %.17g epsilon %.17g alpha %.17g decay %.17g clip_norm %.17g "
                "clip_value %.17g amsgrad %u centered %u",
                o->lr, o->momentum, o->beta1, o->beta2, o->epsilon, o->alpha, o->weight_decay, o->clip_norm,
                o->clip_value, o->amsgrad, o->centered);
    tn_snprintf(text[5], FACT_TEXT, "only '%s', rates '%s', decays '%s', none '%s'", text_or(o->only, ""),
                text_or(o->rates, ""), text_or(o->decays, ""), text_or(o->no_decay, ""));
    describe_loss(model, data, options, text[6]);
    tn_snprintf(text[7], FACT_TEXT, "%s; %" PRId64 " epochs, patience %" PRId64 " for %.17g",
                text_or(options->schedule, "constant"), options->epochs, options->patience, options->least_fall);
    tn_snprintf(text[8], FACT_TEXT, "%s, multiplied in %s",
                model->compile.storage ? tn_dtype_name(model->compile.storage) : "f32",
                text_or(tn_precision_name(model->compile.precision), "no precision"));
    describe_state(state, text[9]);
    tn_snprintf(text[10], FACT_TEXT, "%" PRId64 " and %" PRId64, count_of(options->validation),
                count_of(options->test));
    tn_snprintf(text[11], FACT_TEXT, "%" PRIu64 ", step %" PRIu64, tn_state_seed(state), tn_state_step(state));
    tn_snprintf(text[12], FACT_TEXT, "epoch %" PRId64 ", step %" PRId64, place->epochs + 1, place->step);
    const tn_fact facts[FACTS] = {{"the number of samples", text[0]},
                                  {"what the samples hold", text[1]},
                                  {"the batch", text[2]},
                                  {"the optimizer", text[3]},
                                  {"the optimizer's options", text[4]},
                                  {"the parameters' treatment", text[5]},
                                  {"the loss", text[6]},
                                  {"the schedule", text[7]},
                                  {"what values are stored in", text[8]},
                                  {"the network", text[9]},
                                  {"the samples for validation and test", text[10]},
                                  {"the seed", text[11]},
                                  {"where the training stands", text[12]}};
    return tn_team_agree(team, facts, FACTS);
}

/* ---- the state ---- */

static tn_status share_tensor(tn_team *team, tn_state *state, const tn_state_entry *entry)
{
    uint64_t bytes = (uint64_t)tn_shape_count(&entry->shape) * tn_dtype_size(entry->dtype);
    void *data = tn_alloc(bytes + 1);
    tn_status s = data ? tn_state_read(state, entry->name, data, bytes) : TN_ENOMEM;
    if (!s) s = tn_team_broadcast(team, 0, data, bytes);
    if (!s && tn_team_rank(team)) s = tn_state_write(state, entry->name, data, bytes);
    tn_free(data);
    return s;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const tn_state_entry *)a)->name, ((const tn_state_entry *)b)->name);
}

/* By their names, in the order of these: states may have them in others. */
tn_status tn_workers_share_state(tn_team *team, tn_state *state)
{
    size_t all = 0, kept = 0;
    tn_state_entry entry;
    while (tn_state_at(state, all, &entry)) all++;
    tn_state_entry *entries = tn_alloc((all + 1) * sizeof *entries);
    if (!entries) return TN_ENOMEM;
    for (size_t i = 0; tn_state_at(state, i, &entry); i++)
        if (!(entry.flags & TN_TRANSIENT)) entries[kept++] = entry;
    qsort(entries, kept, sizeof *entries, by_name);
    tn_status s = TN_OK;
    for (size_t i = 0; !s && i < kept; i++) s = share_tensor(team, state, &entries[i]);
    tn_free(entries);
    return s;
}

tn_status tn_workers_meet(tn_team *team, tn_state *state, const tn_model *model, const tn_dataset *data,
                          const tn_fit_options *options, const tn_training_place *place)
{
    uint64_t samples = 0;
    if (tn_team_size(team) < 2) return TN_OK;
    tn_status s = hash_data(data, &samples);
    if (s) return tn_workers_tell(team, s);
    TN_TRY(agree(team, state, model, data, options, place, samples)); /* all of them know */
    return tn_workers_tell(team, tn_workers_share_state(team, state));
}

tn_status tn_workers_share(tn_team *team, void *record, uint64_t bytes)
{
    return tn_team_size(team) < 2 ? TN_OK : tn_team_broadcast(team, 0, record, bytes);
}

tn_status tn_workers_tell(tn_team *team, tn_status status)
{
    char why[1024];
    if (!status || tn_team_size(team) < 2) return status;
    tn_snprintf(why, sizeof why, "%s", tn_message());
    if (!tn_team_check(team)) tn_team_fail(team, status, why);
    return tn_fail(status, "%s", why);
}
