/* signals.c: who takes signals. The program's handlers run in its own threads, and not while those are in code that
 * can't bear it; the backend's own threads take none at all. What an instruction raises itself is not held back in
 * the program's. */
#include "signals.h"

#include <pthread.h>

/* In the library's static room: other thread-local memory is allocated at first use, which ends the process if it
 * fails. */
static _Thread_local __attribute__((tls_model("initial-exec"))) int deaf;

void cpu_signals_hold(sigset_t *before)
{
    static const int raised[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT};
    sigset_t others;
    if (deaf) return;
    sigfillset(&others);
    for (size_t i = 0; i < sizeof raised / sizeof *raised; i++) sigdelset(&others, raised[i]);
    pthread_sigmask(SIG_BLOCK, &others, before);
}

void cpu_signals_release(const sigset_t *before)
{
    if (!deaf) pthread_sigmask(SIG_SETMASK, before, NULL);
}

void cpu_signals_never(void)
{
    deaf = 1;
}
