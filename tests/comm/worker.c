/* worker.c: a rank as a process, started by mpirun.
 *
 * usage: worker WHAT RANK SEED [SECONDS]: all do the exercise, again and again if WHAT is not `exercise`; the rank RANK
 * meets its end at a moment that the seed says: `kill`s itself, `stop`s (and hangs), `exit`s, or `fail`s as one that
 * can't read a file. SECONDS is the silence after which it is missed. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <pthread.h>

#include "exercise.h"
#include "share.h"
#include "tenon/device.h"

static struct {
    const char *what;
    uint32_t rank;
    uint64_t seed;
    double silence;
    tn_team *team;
} job;

static void say(void *arg, int32_t level, const char *line)
{
    (void)arg;
    (void)level;
    fprintf(stderr, "worker: %s\n", line);
}

static void meet_the_end(void)
{
    fprintf(stderr, "worker: the end of rank %u\n", job.rank);
    if (!strcmp(job.what, "kill")) raise(SIGKILL);
    if (!strcmp(job.what, "stop")) raise(SIGSTOP);
    if (!strcmp(job.what, "exit")) _exit(3);
    if (!strcmp(job.what, "fail")) tn_team_fail(job.team, TN_EIO, "data.csv: no such file");
}

/* Within the second after the team was opened. */
static void *wait_for_it(void *arg)
{
    const struct timespec t = {0, (long)(job.seed * 7919 % 1000) * 1000000};
    nanosleep(&t, NULL);
    meet_the_end();
    return arg;
}

/* Processes of one host have memory in common. */
static const char *try_share(void)
{
    tn_share *share = NULL;
    if (tn_share_open(job.team, 1, 1, &share)) return tn_message();
    const char *bad = share || tn_team_size(job.team) < 2 ? NULL : "no memory in common";
    tn_share_close(share);
    return bad;
}

static int run(void)
{
    const int once = !strcmp(job.what, "exercise");
    const char *bad = NULL;
    pthread_t end;
    if (!once && tn_team_rank(job.team) == job.rank && pthread_create(&end, NULL, wait_for_it, NULL)) return 1;
    do bad = tn_exercise(job.team, job.seed++, once ? 6 : 1);
    while (!bad && !once);
    if (!bad) bad = try_share();
    if (bad && once) fprintf(stderr, "worker: rank %u: %s\n", tn_team_rank(job.team), bad);
    if (!bad && !tn_team_rank(job.team)) printf("worker: %u ranks are done\n", tn_team_size(job.team));
    return bad != NULL;
}

int main(int argc, char **argv)
{
    if (argc < 4) return 2;
    job.what = argv[1];
    job.rank = (uint32_t)atoi(argv[2]);
    job.seed = (uint64_t)atoll(argv[3]);
    job.silence = argc > 4 ? atof(argv[4]) : 0;
    tn_log_to(say, NULL, TN_LOG_ERROR);
    if (getenv("TEST_CHUNK"))
        if (tn_backend_option(getenv("TEST_COMM"), "chunk", getenv("TEST_CHUNK"))) return 2;
    if (tn_team_open(&(tn_team_options){.silence = job.silence}, &job.team)) {
        fprintf(stderr, "worker: %s\n", tn_message());
        return 1;
    }
    const int status = run();
    tn_team_close(job.team);
    return status;
}
