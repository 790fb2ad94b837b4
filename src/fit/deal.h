/* deal.h: how much of a batch each worker takes. Workers on devices of one kind take alike. Unlike ones take what they
 * are told to, or shards in proportion to their speeds, which they measure while all of them compute: workers of one
 * process share its processors. */
#ifndef TN_FIT_DEAL_H
#define TN_FIT_DEAL_H

#include "team.h"
#include "tenon/device.h"

typedef struct tn_worker {
    char device[96]; /* its name */
    char kind[320];  /* the same for those whose shards may change hands, and no bit changes */
    double weight;   /* shards are dealt out in proportion to these */
    uint32_t shards; /* of a whole batch */
} tn_worker;

/* Runs a shard often enough to tell how many of them this worker does in a second. */
typedef tn_status tn_deal_measure(void *arg, double *speed);

/* All workers of the team call it together, and come to the same list: by rank, in `worker`, which has room for all.
 * `weights` has one for each of them, or is NULL. Measured ones are those of the shards that are dealt. */
TN_MUST_USE tn_status tn_deal_meet(tn_team *team, const tn_device *device, uint32_t shards, const uint32_t *weights,
                                   tn_deal_measure *measure, void *arg, tn_worker worker[]);

/* Whether all are of one kind. */
int tn_deal_alike(const tn_worker worker[], uint32_t workers);

/* Deals shards out: rank r gets first[r] .. first[r + 1] - 1. */
TN_MUST_USE tn_status tn_deal_out(const tn_worker worker[], uint32_t workers, uint32_t shards, uint32_t first[]);

#endif
