/* exercise.h: what each rank of a team does in the tests, as a thread or as a process. */
#ifndef TN_TESTS_COMM_EXERCISE_H
#define TN_TESTS_COMM_EXERCISE_H

#include "team.h"

/* Barrier, broadcast, gather, agreement, and sums of random lengths over random numbers of shards in random blocks, in
 * several ranges at once, each checked. All draw from the same seed. Returns what was wrong, NULL: nothing; the text is
 * this thread's. */
const char *exercise(tn_team *team, uint64_t seed, int rounds);

/* Lets go of what this thread's last exercise used: after the team was closed, if it failed. */
void exercise_end(void);

#endif
