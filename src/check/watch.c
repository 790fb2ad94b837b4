/* watch.c: waits for a case's process, and ends it when it takes too long, does nothing, or can never go on. */
#include "watch.h"

#include <dirent.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kit.h"

#define STUCK_SECONDS 5.0

/* Seconds of processor time that the process has used; `before` when it is just gone. */
static double time_of(pid_t pid, double before)
{
    clockid_t clock;
    struct timespec t;
    if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &t)) return before;
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- threads that wait for each other ---- */

/* Whether the process has a thread of that number. */
static int has_thread(pid_t pid, unsigned long thread)
{
    char name[100];
    snprintf(name, sizeof name, "/proc/%d/task/%lu", (int)pid, thread);
    return !access(name, F_OK);
}

/* Whether the thread waits for another one of its process, without a limit: for what only they share, or for its end
 * (then the number that is waited on is the other's). 0 too if the system doesn't tell. */
static int waits_for_thread(pid_t pid, const char *thread)
{
    char name[100];
    long call = -1;
    unsigned long arg[4] = {0};
    snprintf(name, sizeof name, "/proc/%d/task/%.20s/syscall", (int)pid, thread);
    FILE *file = fopen(name, "r");
    int found = file ? fscanf(file, "%ld %lx %lx %lx %lx", &call, &arg[0], &arg[1], &arg[2], &arg[3]) : 0;
    if (file) fclose(file);
    const unsigned what = (unsigned)arg[1] & (unsigned)FUTEX_CMD_MASK;
    if (found != 5 || call != SYS_futex || (what != FUTEX_WAIT && what != FUTEX_WAIT_BITSET) || arg[3]) return 0;
    return (arg[1] & FUTEX_PRIVATE_FLAG) || has_thread(pid, arg[2]);
}

/* Whether each of its threads does: then nobody is left to wake one of them. A thread that is in the driver, in a
 * system call or about to run is none of those, however long that takes. */
static int is_stuck(pid_t pid)
{
    char name[64];
    int stuck = 1, threads = 0;
    snprintf(name, sizeof name, "/proc/%d/task", (int)pid);
    DIR *folder = opendir(name);
    for (struct dirent *entry; folder && stuck && (entry = readdir(folder));) {
        if (*entry->d_name == '.') continue;
        threads++;
        stuck = waits_for_thread(pid, entry->d_name);
    }
    if (folder) closedir(folder);
    return stuck && threads;
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
    int stuck = w->used - w->used_at_look < 1e-3 && is_stuck(pid);
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
    useconds_t nap = 200;
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
        usleep(nap);
        if (nap < 20000) nap += nap / 4;
    }
    return status;
}
