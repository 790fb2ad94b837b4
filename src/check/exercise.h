/* exercise.h: all that ranks do together, as threads or as processes, with numbers that show what went wrong. */
#ifndef TN_CHECK_EXERCISE_H
#define TN_CHECK_EXERCISE_H

#include "team.h"

/* Barrier, broadcast, gather, agreement, and sums of random lengths over random numbers of shards in random blocks, in
 * several ranges at once, sent or in memory in common, each checked. All draw from the same seed, and are at most 64.
 * Returns what was wrong, NULL: nothing; the text is this thread's. */
const char *tn_exercise(tn_team *team, uint64_t seed, int rounds);

/* Lets go of what this thread's last exercise used: after the team was closed, if it failed. */
void tn_exercise_end(void);

#endif
