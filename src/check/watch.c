/* watch.c: waits for a case's process, and ends it when it takes too long, does nothing, or can never go on. */
#include "watch.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "kit.h"
#include "system.h"

#define STUCK_SECONDS 5.0

/* Seconds of processor time that the process has used; `before` when it is just gone. */
static double time_of(pid_t pid, double before)
{
    clockid_t clock;
    struct timespec t;
    if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &t)) return before;
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- waiting ---- */

/* What was seen of the process: at the last look at its threads, and at the beginning of the time that it has. */
typedef struct watch {
    double used, used_at_look, used_before;
    double look, since; /* when */
    double stuck_since; /* when it was first seen stuck; 0: it isn't */
} watch;

/* Looks each half second; stuck is what was so at each look, without using the processor between them. */
static int seems_stuck(watch *w, pid_t pid, double now)
{
    if (now - w->look < 0.5) return 0;
    int stuck = w->used - w->used_at_look < 1e-3 && tn_system_is_stuck(pid);
    w->look = now, w->used_at_look = w->used;
    if (!stuck) w->stuck_since = 0;
    if (stuck && !w->stuck_since) w->stuck_since = now;
    return stuck && now - w->stuck_since > STUCK_SECONDS;
}

static int is_idle(watch *w, double now, double seconds)
{
    double waited = now - w->since;
    if (waited <= seconds) return 0;
    int idle = w->used - w->used_before < 0.01 * waited;
    w->used_before = w->used, w->since = now;
    return idle;
}

int tn_kit_wait_for(pid_t pid, double seconds)
{
    watch w = {.look = tn_kit_now(), .since = tn_kit_now()};
    int status = 0;
    struct timespec nap = {0, 200000};
    while (!waitpid(pid, &status, WNOHANG)) {
        double now = tn_kit_now();
        w.used = time_of(pid, w.used);
        int why = w.used > seconds            ? TN_KIT_TOO_LONG
                  : is_idle(&w, now, seconds) ? TN_KIT_IDLE
                  : seems_stuck(&w, pid, now) ? TN_KIT_STUCK
                                              : 0;
        if (why) {
            kill(pid, SIGKILL);
            waitpid(pid, &status, 0);
            return why;
        }
        nanosleep(&nap, NULL);
        if (nap.tv_nsec < 20000000) nap.tv_nsec += nap.tv_nsec / 4;
    }
    return status;
}
