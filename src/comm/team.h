/* team.h: the workers of one training, and what they do together.
 *
 * Each rank has a tn_team. What is done together is done by a thread of the team's own, in the order in which it was
 * asked for, which must be the same on all ranks; the calling threads compute meanwhile. That thread also answers for
 * its rank: one that computes for long is alive, one that was stopped or is gone is missed after some seconds.
 *
 * Failures. The first failure of any rank ends the team: all ranks are told, every call returns it from then on with
 * one line that names the rank, and one rank (0, or 1 if 0 is missed) logs that line at once, as TN_LOG_ERROR. What can
 * still be done is to close the team. Vectors of a sum that failed (sum.h) must live until then; other memory need not.
 *
 * Threads. The functions of one team may be called by several threads at once, but then who comes first is open, and
 * the order must be the same on all ranks; open and close by the thread that will end the process. */
#ifndef TN_COMM_TEAM_H
#define TN_COMM_TEAM_H

#include "tenon/comm.h"
#include "tenon/team.h"

/* A team of threads under one roof. Who opens it opens the ends of all ranks, from rank 0 on and in any thread, without
 * waiting for others, and closes them in the same way, at any time: nobody waits and none is missed. Failures begin
 * with the name in place of the rank, unless they do so already, and no line is logged: they come back to the caller.
 */
TN_MUST_USE tn_status tn_team_open_here(uint64_t group, uint32_t ranks, uint32_t rank, const char *name,
                                        tn_team **team);
int tn_team_is_here(const tn_team *team); /* it was opened so; 0 for NULL */

/* Returns when all ranks have called it. */
TN_MUST_USE tn_status tn_team_barrier(tn_team *team);

/* From the rank `root` to all. Any number of bytes, the same on all ranks. */
TN_MUST_USE tn_status tn_team_broadcast(tn_team *team, uint32_t root, void *data, uint64_t bytes);

/* A small record of each rank to all: `records` has room for one of so many bytes for each rank, in their order, and
 * holds this rank's own already. */
TN_MUST_USE tn_status tn_team_gather(tn_team *team, void *records, uint64_t bytes);

/* Something that must be the same on all ranks, as text. */
typedef struct tn_fact {
    const char *name, *value;
} tn_fact;

/* TN_EINVAL on all ranks if a fact of one differs from rank 0's: the line has the first that does, both values and both
 * ranks. That is no failure of the team. */
TN_MUST_USE tn_status tn_team_agree(tn_team *team, const tn_fact facts[], uint32_t count);

/* A wish that all are to know of, such as to stop: it goes round with the signs of life, within seconds. tn_team_wished
 * says whether it has come here; not at once on all ranks. Never waits. */
void tn_team_wish(tn_team *team);
int tn_team_wished(tn_team *team);

/* What was asked for without waiting (tn_shard_sum_start) is done when its ticket was waited for; so is all before it.
 */
TN_MUST_USE tn_status tn_team_wait(tn_team *team, uint64_t ticket);

/* Releases what messages may have come into: now, or, if the team has failed, when it is closed, and the last message
 * is over. A team of NULL, or alone, has none.
 * NULL is fine. */
void tn_team_release(tn_team *team, void *thing, void (*release)(void *thing));

/* What the team did so far. What was exchanged behind the caller's computing took busy - waited. */
typedef struct tn_team_stats {
    double busy;   /* seconds that its thread, or a sum's, spent on what it was asked for */
    double waited; /* seconds that callers waited for its thread */
    uint64_t sent; /* bytes, without the signs of life */
} tn_team_stats;
tn_team_stats tn_team_get_stats(tn_team *team);

#endif
