/* watch.h: waiting for a case's process. */
#ifndef TN_CHECK_WATCH_H
#define TN_CHECK_WATCH_H

#include <sys/types.h>

enum { TN_KIT_TOO_LONG = -1, TN_KIT_IDLE = -2, TN_KIT_STUCK = -3 };

/* Waits for the process; kills it when its time is up: that of the processor, so that a busy machine fails nothing. Nor
 * may it do next to nothing for as long by the clock, or have only threads that wait for each other. Returns its
 * status, or why it was killed. */
int tn_kit_wait_for(pid_t pid, double seconds);

#endif
