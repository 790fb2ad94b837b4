/* team.h: the workers of one training, which may be processes on many hosts.
 *
 * Each worker, called a rank, opens the team and gives it to its tn_fit_options; all of them make the same calls, with
 * the same model, data and options. A batch is cut into shards (tn_fit_options), each rank computes some of them, and
 * what is added up is the same to the last bit for any number of ranks on devices of one kind.
 * docs/distributed.md says what becomes of failures.
 *
 * Threads. What is done together is done by a thread of the team's own. A team is opened and closed by the thread that
 * will end the process. */
#ifndef TENON_TEAM_H
#define TENON_TEAM_H

#include "tenon/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tn_team tn_team;

/* Zero is default. */
typedef struct tn_team_options {
    const char *communicator; /* a name or a file with its path; NULL: that of the launcher which started this process
                                 (mpirun); if there was none, the team is one rank alone */
    uint64_t group;           /* of threads in one process: a number that is theirs alone */
    uint32_t ranks, rank;     /* as in tn_comm_place: 0 and 0 for what the launcher says */
    double silence;           /* seconds after which a rank that does not answer is given up: 10 */
    double patience;          /* the same until it has answered once: 60 */
    uint64_t spare[4];
} tn_team_options;

/* Waits for all ranks to come, and refuses one that has another version of the library. */
TN_API TN_MUST_USE tn_status tn_team_open(const tn_team_options *options, tn_team **team);

/* All ranks close: without a failure they wait for each other. After one nobody is waited for, but everybody stays for
 * a second in which the news travels; processes that a launcher started are then all ended when the first of them ends.
 * NULL is fine. */
TN_API void tn_team_close(tn_team *team);

/* Of NULL: rank 0 of 1. */
TN_API uint32_t tn_team_rank(const tn_team *team);
TN_API uint32_t tn_team_size(const tn_team *team);

/* How they reach each other: "openmpi"; NULL: they don't, this is one rank alone. */
TN_API const char *tn_team_communicator(const tn_team *team);

/* A communicator that was found: beside the library, or by TENON_COMM_PATH. */
typedef struct tn_communicator_report {
    const char *name, *version, *doc;
    const char *problem; /* why it can't be loaded; NULL: it was, and all is well */
    uint64_t spare[4];
} tn_communicator_report;

/* Loads each that there is, and tells of it; the texts live until the callback returns. */
TN_API TN_MUST_USE tn_status tn_communicators(void (*each)(void *arg, const tn_communicator_report *report), void *arg);

/* For a failure of one's own, which others can't see: a file that can't be read, a device that was lost. */
TN_API void tn_team_fail(tn_team *team, tn_status status, const char *why);

/* The failure that ended the team, as status and tn_message; TN_OK: none yet. */
TN_API TN_MUST_USE tn_status tn_team_check(tn_team *team);

#ifdef __cplusplus
}
#endif
#endif
