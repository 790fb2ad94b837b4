/* deal.c: see deal.h. */
#include "deal.h"

#include <string.h>

#include "alloc.h"
#include "error.h"
#include "plain.h"
#include "tree.h"

/* ---- who there is ---- */

/* Its device as people and bits go by: how many units it has is a matter of speed alone, but of that it is. */
static void introduce(const tn_device *device, tn_worker *me)
{
    const tn_device_info *info = tn_device_get_info(device);
    const char *name = tn_device_name(device);
    *me = (tn_worker){.weight = 1};
    tn_snprintf(me->device, sizeof me->device, "%s", name);
    tn_snprintf(me->kind, sizeof me->kind, "%.*s, %s, %s, %u units", (int)strcspn(name, ":"), name, info->name,
                info->driver, info->units);
}

int tn_deal_alike(const tn_worker worker[], uint32_t workers)
{
    for (uint32_t i = 1; i < workers; i++)
        if (strcmp(worker[i].kind, worker[0].kind)) return 0;
    return 1;
}

/* ---- what each takes ---- */

tn_status tn_deal_out(const tn_worker worker[], uint32_t workers, uint32_t shards, uint32_t first[])
{
    double *weight = tn_alloc((workers + 1) * sizeof *weight);
    if (!weight) return TN_ENOMEM;
    for (uint32_t i = 0; i < workers; i++) weight[i] = worker[i].weight;
    tn_tree_deal(shards, workers, weight, first);
    tn_free(weight);
    return TN_OK;
}

static tn_status count_shards(tn_worker worker[], uint32_t workers, uint32_t shards)
{
    uint32_t *first = tn_alloc((workers + 1) * sizeof *first);
    tn_status s = first ? tn_deal_out(worker, workers, shards, first) : TN_ENOMEM;
    for (uint32_t i = 0; !s && i < workers; i++) worker[i].shards = first[i + 1] - first[i];
    tn_free(first);
    return s;
}

/* All at once. The weights become the shards that they come to: who is told to take as many does the same again. */
static tn_status measure_all(tn_team *team, uint32_t shards, tn_deal_measure *measure, void *arg, tn_worker worker[])
{
    TN_TRY(measure(arg, &worker[tn_team_rank(team)].weight));
    TN_TRY(tn_team_gather(team, worker, sizeof *worker));
    TN_TRY(count_shards(worker, tn_team_size(team), shards));
    for (uint32_t i = 0; i < tn_team_size(team); i++) worker[i].weight = worker[i].shards;
    return TN_OK;
}

tn_status tn_deal_meet(tn_team *team, const tn_device *device, uint32_t shards, const uint32_t *weights,
                       tn_deal_measure *measure, void *arg, tn_worker worker[])
{
    const uint32_t workers = tn_team_size(team);
    introduce(device, &worker[tn_team_rank(team)]);
    if (workers > 1) TN_TRY(tn_team_gather(team, worker, sizeof *worker));
    for (uint32_t i = 0; weights && i < workers; i++) worker[i].weight = weights[i];
    if (weights || tn_deal_alike(worker, workers)) return count_shards(worker, workers, shards);
    return measure_all(team, shards, measure, arg, worker);
}
