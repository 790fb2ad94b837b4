/* workers.c: see workers.h. */
#include "workers.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "error.h"
#include "loader.h"
#include "plain.h"

enum { LOOKED_AT = 64 }; /* samples that stand for all */

/* ---- what must be the same ---- */

/* Fowler, Noll and Vo's hash, 1a. */
static uint64_t hash(uint64_t so_far, const void *data, uint64_t bytes)
{
    const unsigned char *at = data;
    while (bytes--) so_far = (so_far ^ *at++) * 0x100000001B3u;
    return so_far;
}

static const uint64_t empty_hash = 0xCBF29CE484222325u;

/* Samples at even distances, with their targets. */
static tn_status hash_data(const tn_dataset *data, uint64_t *out)
{
    uint64_t x_bytes = tn_sample_bytes(data), target_bytes = tn_target_bytes(data);
    char *x = tn_alloc(x_bytes + 1), *target = tn_alloc(target_bytes + 1);
    tn_status s = x && target ? TN_OK : TN_ENOMEM;
    *out = empty_hash;
    for (int64_t i = 0; !s && i < LOOKED_AT && i < data->count; i++) {
        int64_t number = data->count > LOOKED_AT ? i * (data->count / LOOKED_AT) : i;
        s = tn_dataset_sample(data, number, x, target_bytes ? target : NULL);
        if (!s) *out = hash(hash(*out, x, x_bytes), target, target_bytes);
    }
    tn_free(x);
    tn_free(target);
    return s;
}

/* The names, types and shapes of what is kept. */
static uint64_t hash_state(const tn_state *state)
{
    tn_state_entry entry;
    uint64_t all = empty_hash;
    for (size_t i = 0; tn_state_at(state, i, &entry); i++) {
        if (entry.flags & TN_TRANSIENT) continue;
        all = hash(all, entry.name, strlen(entry.name));
        all = hash(all, &entry.dtype, sizeof entry.dtype);
        all = hash(all, entry.shape.dim, (uint64_t)entry.shape.rank * sizeof *entry.shape.dim);
    }
    return all;
}

static const char *text_or(const char *text, const char *usual)
{
    return text ? text : usual;
}

static tn_status agree(tn_team *team, const tn_state *state, const tn_dataset *data, const tn_fit_options *options,
                       const tn_training_place *place)
{
    char text[9][400];
    uint64_t samples = 0;
    const tn_optim_options *o = &options->optim;
    TN_TRY(hash_data(data, &samples));
    tn_snprintf(text[0], 400, "%016" PRIx64, hash_state(state));
    tn_snprintf(text[1], 400, "%" PRId64, data->count);
    tn_snprintf(text[2], 400, "%016" PRIx64, samples);
    tn_snprintf(text[3], 400, "%" PRId64 " samples, %u shards", options->batch, options->shards);
    tn_snprintf(text[4], 400, "%s", text_or(options->optimizer, "sgd"));
    tn_snprintf(text[5], 400,
                "lr %.17g momentum %.17g betas %.17g %.17g epsilon %.17g alpha %.17g decay %.17g clip %.17g %.17g",
                o->lr, o->momentum, o->beta1, o->beta2, o->epsilon, o->alpha, o->weight_decay, o->clip_norm,
                o->clip_value);
    tn_snprintf(text[6], 400, "%s; %" PRId64 " epochs", text_or(options->schedule, "constant"), options->epochs);
    tn_snprintf(text[7], 400, "%" PRIu64 ", step %" PRIu64, tn_state_seed(state), tn_state_step(state));
    tn_snprintf(text[8], 400, "epoch %" PRId64 ", step %" PRId64, place->epochs + 1, place->step);
    const tn_fact facts[] = {{"the network", text[0]},
                             {"the number of samples", text[1]},
                             {"the samples", text[2]},
                             {"the batch", text[3]},
                             {"the optimizer", text[4]},
                             {"the optimizer's options", text[5]},
                             {"the schedule", text[6]},
                             {"the seed", text[7]},
                             {"where the training stands", text[8]}};
    return tn_team_agree(team, facts, sizeof facts / sizeof *facts);
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

tn_status tn_workers_meet(tn_team *team, tn_state *state, const tn_dataset *data, const tn_fit_options *options,
                          const tn_training_place *place)
{
    tn_state_entry entry;
    if (tn_team_size(team) < 2) return TN_OK;
    TN_TRY(agree(team, state, data, options, place));
    for (size_t i = 0; tn_state_at(state, i, &entry); i++)
        if (!(entry.flags & TN_TRANSIENT)) TN_TRY(share_tensor(team, state, &entry));
    return TN_OK;
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
