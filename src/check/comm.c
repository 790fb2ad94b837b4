/* comm.c: tn_check_communicator: a communicator does what teams ask of it. Its ranks are threads of a process that is
 * made for each case, so that a crash or a hang is a result and not the end; or the processes of a launcher, which then
 * all do the same. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "alloc.h"
#include "error.h"
#include "exercise.h"
#include "given.h"
#include "load.h"
#include "plain.h"
#include "system.h"
#include "team_internal.h"
#include "tenon/check.h"
#include "thread.h"
#include "watch.h"

enum { MOST = 4, ROUNDS = 3, DETAIL = 400 };
#define TIME_LIMIT 120.0 /* seconds of processor time */

/* A rank of a case, and what it found. */
typedef struct trial {
    const struct task *task;
    tn_team_options options;
    tn_team *team;
    pthread_t thread;
    unsigned char *in, *out; /* of the case; a failed team may write there until it is closed */
    int cant_open;
    char wrong[DETAIL];
} trial;

typedef struct task {
    const char *name, *doc;
    uint32_t least;    /* ranks */
    uint32_t ends_all; /* it ends in a failure, and a launcher would end its processes */
    tn_status (*run)(trial *t);
} task;

#define WRONG(t, ...) (tn_snprintf((t)->wrong, sizeof(t)->wrong, __VA_ARGS__), TN_EDEVICE)

/* ---- messages --------------------------------------------------------------------------------------------------- */

static const uint32_t sizes[] = {0, 1, 7, 4096, 65537, 1 << 20, 5};
enum { SIZES = sizeof sizes / sizeof *sizes, MAIL = 0 + 1 + 7 + 4096 + 65537 + (1 << 20) + 5 };

static unsigned char byte_of(uint32_t from, uint32_t to, uint32_t at)
{
    return (unsigned char)(from * 31 + to * 17 + at * 7 + (at >> 8));
}

/* All to all at once, in both directions. */
static tn_status exchange_mail(tn_team *team, const void *args)
{
    const trial *t = *(trial *const *)args;
    for (uint32_t r = 0; r < team->ranks; r++)
        for (uint32_t i = 0, at = r * MAIL; r != team->rank && i < SIZES; at += sizes[i++]) {
            TN_TRY(tn_team_send(team, r, t->out + at, sizes[i]));
            TN_TRY(tn_team_receive(team, r, t->in + at, sizes[i]));
        }
    return tn_team_exchange(team);
}

static tn_status try_messages(trial *t)
{
    const uint32_t ranks = tn_team_size(t->team), me = tn_team_rank(t->team);
    t->in = tn_alloc((uint64_t)ranks * MAIL);
    t->out = tn_alloc((uint64_t)ranks * MAIL);
    if (!t->in || !t->out) return TN_ENOMEM;
    for (uint32_t r = 0; r < ranks; r++)
        for (uint32_t i = 0; i < MAIL; i++) t->out[r * MAIL + i] = byte_of(me, r, i);
    TN_TRY(tn_team_do(t->team, exchange_mail, &t, sizeof t));
    for (uint32_t r = 0; r < ranks; r++)
        for (uint32_t i = 0; r != me && i < MAIL; i++)
            if (t->in[r * MAIL + i] != byte_of(r, me, i))
                return WRONG(t, "byte %u of what rank %u sent is %u, not %u", i, r, t->in[r * MAIL + i],
                             byte_of(r, me, i));
    return TN_OK;
}

/* ---- waiting ---------------------------------------------------------------------------------------------------- */

static const struct timespec late = {.tv_nsec = 400000000};
static const double most = 0.25; /* of a processor; on a busy machine who spins may get no more */

static double processor_time(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Rank 0 is late. */
static tn_status wait_for_the_first(tn_team *team, const void *args)
{
    double *spent = *(double *const *)args, begin = processor_time();
    if (!team->rank) nanosleep(&late, NULL);
    for (uint32_t r = 1; r < team->ranks && !team->rank; r++) TN_TRY(tn_team_send(team, r, NULL, 0));
    if (team->rank) TN_TRY(tn_team_receive(team, 0, NULL, 0));
    tn_status s = tn_team_exchange(team);
    *spent = processor_time() - begin;
    return s;
}

static tn_status try_waiting(trial *t)
{
    double spent = 0, *to = &spent;
    TN_TRY(tn_team_do(t->team, wait_for_the_first, &to, sizeof to));
    if (spent < most * 1e-9 * (double)late.tv_nsec) return TN_OK;
    return WRONG(t, "progress takes %.0f %% of a processor while it waits", 100e9 * spent / (double)late.tv_nsec);
}

/* ---- the others ------------------------------------------------------------------------------------------------- */

static tn_status try_together(trial *t)
{
    const char *bad = tn_exercise(t->team, 1 + tn_team_size(t->team), ROUNDS);
    return bad ? WRONG(t, "%s", bad) : TN_OK;
}

static tn_status send_too_much(tn_team *team, const void *args)
{
    const trial *t = *(trial *const *)args;
    if (team->rank == 0) TN_TRY(tn_team_send(team, 1, t->out, 100));
    if (team->rank == 1) TN_TRY(tn_team_receive(team, 0, t->in, 50));
    return tn_team_exchange(team);
}

/* The line that ends it is "rank R: communicator NAME: ...", and names the other one. */
static tn_status try_unlike_sizes(trial *t)
{
    t->in = tn_alloc(100);
    t->out = tn_alloc(100);
    if (!t->in || !t->out) return TN_ENOMEM;
    tn_status s = tn_team_do(t->team, send_too_much, &t, sizeof t);
    if (!s) s = tn_team_barrier(t->team);
    const char *words = strstr(tn_message(), "communicator ");
    if (s && words && strstr(words, "rank ")) return TN_OK;
    return s ? WRONG(t, "'%.200s' does not name the rank whose message has another size", tn_message())
             : WRONG(t, "100 bytes were sent where 50 were due, and all is well");
}

static const task tasks[] = {
    {"messages", "all to all at once, of 0 bytes to 1 MiB, in order", 1, 0, try_messages},
    {"waiting", "does not spin", 2, 0, try_waiting},
    {"together", "barrier, broadcast, records, agreement and sums", 1, 0, try_together},
    {"sizes", "a message of another size than is due ends the team, with a word on who sent it", 2, 1,
     try_unlike_sizes},
};

/* ---- a rank ----------------------------------------------------------------------------------------------------- */

static void run_task(trial *t)
{
    tn_status s = t->task->run(t);
    if (s && !t->wrong[0]) tn_snprintf(t->wrong, sizeof t->wrong, "%s", tn_message());
}

static void let_go(trial *t)
{
    tn_team_close(t->team);
    tn_exercise_end();
    tn_free(t->in);
    tn_free(t->out);
    t->team = NULL;
    t->in = t->out = NULL;
}

static void *live(void *arg)
{
    trial *t = arg;
    tn_status s = tn_team_open(&t->options, &t->team);
    t->cant_open = s == TN_EINVAL || s == TN_ESTATE;
    if (s)
        tn_snprintf(t->wrong, sizeof t->wrong, "%s", tn_message());
    else
        run_task(t);
    let_go(t);
    return NULL;
}

/* ---- threads of a process --------------------------------------------------------------------------------------- */

/* What a case's process leaves. */
typedef struct result {
    int finished, cant_open;
    char detail[DETAIL];
} result;

static void run_ranks(const char *name, const task *what, uint32_t ranks, result *r)
{
    trial all[MOST] = {{0}};
    uint32_t started = 0;
    for (; started < ranks; started++) {
        all[started].task = what;
        all[started].options = (tn_team_options){name, 1, ranks, started, 5, 5};
        if (tn_thread_start(&all[started].thread, live, &all[started])) break;
    }
    for (uint32_t i = 0; i < started; i++) pthread_join(all[i].thread, NULL);
    for (uint32_t i = 0; i < ranks; i++) {
        const char *bad = i < started ? all[i].wrong : "no thread for it";
        r->cant_open |= all[i].cant_open;
        if (*bad && !r->detail[0]) tn_snprintf(r->detail, sizeof r->detail, "rank %u of %u: %s", i, ranks, bad);
    }
    r->finished = 1;
}

static void conclude(int status, result *r)
{
    if (status < 0)
        tn_snprintf(r->detail, sizeof r->detail, "it was killed: it hangs");
    else if (WIFSIGNALED(status))
        tn_snprintf(r->detail, sizeof r->detail, "it died of %s", strsignal(WTERMSIG(status)));
    else if (!r->finished)
        tn_snprintf(r->detail, sizeof r->detail, "the process was ended with status %d", WEXITSTATUS(status));
}

static tn_status run_beside(const char *name, const task *what, uint32_t ranks, result *r)
{
    fflush(NULL);
    pid_t pid = fork();
    TN_REQUIRE(pid >= 0, TN_ENOMEM, "check: no process for a case");
    if (!pid) {
        tn_log_to(NULL, NULL, TN_LOG_ERROR);
        run_ranks(name, what, ranks, r);
        _exit(0);
    }
    conclude(tn_kit_wait_for(pid, TIME_LIMIT), r);
    return TN_OK;
}

typedef struct report {
    void (*row)(void *arg, const tn_check_exchange *row);
    void *arg;
} report;

static void tell(const report *to, const task *what, uint32_t ranks, int32_t outcome, const char *detail)
{
    const tn_check_exchange row = {what->name, what->doc, ranks, outcome, detail};
    to->row(to->arg, &row);
}

/* A communicator between processes alone is asked once for more than one rank. */
static tn_status try_threads(const char *name, result *r, const report *to)
{
    char detail[DETAIL];
    for (uint32_t ranks = 1; ranks <= MOST; ranks++)
        for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++) {
            if (ranks < tasks[i].least) continue;
            memset(r, 0, sizeof *r);
            TN_TRY(run_beside(name, &tasks[i], ranks, r));
            const int is_alone = ranks > 1 && r->cant_open;
            tn_snprintf(detail, sizeof detail, "%.180s; between processes: mpirun -n %u tenon check --comm %.60s",
                        r->detail, ranks, name);
            int32_t outcome = is_alone ? TN_CHECK_UNSUPPORTED : r->detail[0] ? TN_CHECK_FAILED : TN_CHECK_PASSED;
            tell(to, &tasks[i], ranks, outcome, is_alone ? detail : r->detail);
            if (is_alone) return TN_OK;
        }
    return TN_OK;
}

static tn_status check_threads(const char *name, const report *to)
{
    result *r = tn_system_shared(sizeof *r);
    if (!r) return TN_NO_MEMORY(sizeof *r);
    tn_status s = try_threads(name, r, to);
    munmap(r, sizeof *r);
    return s;
}

/* ---- processes of a launcher ------------------------------------------------------------------------------------ */

/* Rank 0 tells of all that passes; each of what it finds wrong itself. */
static tn_status check_processes(const char *name, const report *to)
{
    trial t = {.options = {.communicator = name}};
    TN_TRY(tn_team_open(&t.options, &t.team));
    const uint32_t ranks = tn_team_size(t.team), me = tn_team_rank(t.team);
    for (size_t i = 0; i < sizeof tasks / sizeof *tasks && !t.wrong[0]; i++) {
        t.task = &tasks[i];
        if (ranks < t.task->least || t.task->ends_all) continue;
        run_task(&t);
        tn_free(t.in);
        tn_free(t.out);
        t.in = t.out = NULL;
        if (t.wrong[0] || !me) tell(to, t.task, ranks, t.wrong[0] ? TN_CHECK_FAILED : TN_CHECK_PASSED, t.wrong);
    }
    if (t.wrong[0] && !tn_team_check(t.team)) tn_team_fail(t.team, TN_EDEVICE, t.wrong);
    let_go(&t);
    return TN_OK;
}

tn_status tn_check_communicator(const char *name, void (*row)(void *arg, const tn_check_exchange *row), void *arg)
{
    const tn_communicator *table = NULL;
    const report to = {row, arg};
    TN_GIVEN(name, row);
    TN_TRY(tn_comm_load(name, &table));
    return tn_comm_launched() ? check_processes(name, &to) : check_threads(name, &to);
}
