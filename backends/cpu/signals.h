/* signals.h: who takes signals (signals.c). */
#ifndef CPU_SIGNALS_H
#define CPU_SIGNALS_H

#include <signal.h>

/* From here to cpu_signals_release the calling thread's signals wait; two system calls in all, none in a thread of the
 * backend's. */
void cpu_signals_hold(sigset_t *before);
void cpu_signals_release(const sigset_t *before);

/* The calling thread, one of the backend's own, was begun with all signals blocked, and keeps them so. */
void cpu_signals_never(void);

#endif
