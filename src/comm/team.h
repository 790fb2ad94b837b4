/* team.h: the workers of one training, and what they do together.
 *
 * Each rank has a tn_team. What is done together is done by a thread of the team's own, in the order in which it was
 * asked for, which must be the same on all ranks; the calling threads compute meanwhile. That thread also answers for
 * its rank: one that computes for long is alive, one that was stopped or is gone is missed after some seconds.
 *
 * Failures. The first failure of any rank ends the team: all ranks are told, every call returns it from then on with
 * one line that names the rank, and one rank (0, or 1 if 0 is missed) logs that line at once, as TN_LOG_ERROR. What can
 * still be done is to close the team. Memory that was given to a call that failed must live until then.
 *
 * Threads. The functions of one team may be called by several threads at once, but then who comes first is open, and
 * the order must be the same on all ranks; open and close by the thread that will end the process. */
#ifndef TN_COMM_TEAM_H
#define TN_COMM_TEAM_H

#include "tenon/comm.h"
#include "tenon/status.h"

typedef struct tn_team tn_team;

/* Zero is default. */
typedef struct tn_team_options {
    const char *communicator; /* a name or a file with its path; NULL: that of the launcher which started this process
                                 (mpirun); if there was none, the team is one rank alone */
    uint64_t group;           /* of threads in one process: a number that is theirs alone */
    uint32_t ranks, rank;     /* as in tn_comm_place: 0 and 0 for what the launcher says */
    double silence;           /* seconds after which a rank that does not answer is given up: 10 */
    double patience;          /* the same until it has answered once: 60 */
} tn_team_options;

/* Waits for all ranks to come, and refuses one that has another version of the library. */
TN_MUST_USE tn_status tn_team_open(const tn_team_options *options, tn_team **team);

/* All ranks close: without a failure they wait for each other. After one nobody is waited for, but
 * everybody stays for a second in which the news travels; processes that a launcher started are then all ended when the
 * first of them ends. NULL is fine. */
void tn_team_close(tn_team *team);

uint32_t tn_team_rank(const tn_team *team);
uint32_t tn_team_size(const tn_team *team);

/* For a failure of one's own, which others can't see: a file that can't be read, a device that was lost. */
void tn_team_fail(tn_team *team, tn_status status, const char *why);

/* The failure that ended the team, as status and tn_message; TN_OK: none yet. */
TN_MUST_USE tn_status tn_team_check(tn_team *team);

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

/* What was asked for without waiting (tn_shard_sum_start) is done when its ticket was waited for; so is all before it.
 */
TN_MUST_USE tn_status tn_team_wait(tn_team *team, uint64_t ticket);

/* What the team did so far. What was exchanged behind the caller's computing took busy - waited. */
typedef struct tn_team_stats {
    double busy;   /* seconds that its thread spent on what it was asked for */
    double waited; /* seconds that callers waited for it */
    uint64_t sent; /* bytes, without the signs of life */
} tn_team_stats;
tn_team_stats tn_team_get_stats(tn_team *team);

#endif
