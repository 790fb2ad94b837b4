/* limit.c: runs a command and what it starts, within so much processor time. Programs that wait for a busy machine use
 * none, so that a limit means the same on an idle and on a busy one.
 *
 * usage: limit [-w SECONDS] [-i SECONDS] [-l SECONDS] PROCESSOR_SECONDS COMMAND...
 *   -w  killed after so long by the clock, whatever it does (3600)
 *   -i  killed when it used less than a hundredth of the processor for so long: it hangs (300)
 *   -l  what the command started may take so long to end after it (5)
 *
 * The command runs in a session of its own; what it starts belongs to it for good, daemons included, for this process
 * takes the orphans (PR_SET_CHILD_SUBREAPER). Its status is passed on, 128 + the signal if it died of one. Where it was
 * killed the status is 124, where it left processes behind 125; a line on stderr says so, and nothing of it lives on.
 * A signal that ends this process (Ctrl-C) ends all of them as well. Linux only: it reads /proc. */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { KILLED = 124, LEFT = 125, CANNOT_START = 127 };

typedef struct process {
    pid_t pid, parent;
    double used; /* seconds of processor time, with those of the children it waited for */
    char name[20];
    int ours, dead;
} process;

typedef struct watch {
    double limit, clock, idle, leave; /* seconds, as above */
    pid_t command;
    int status, ended; /* of the command */
    double reaped;     /* seconds used by processes that this one waited for, and by their children */
    process *process;  /* all of the system, when it was looked at last */
    size_t count, room;
} watch;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + 1e-6 * (double)t.tv_usec;
}

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("limit: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
}

/* ---- the processes of the command ---- */

/* A line of /proc/PID/stat: the name stands in parentheses and may hold anything. */
static int read_process(pid_t pid, process *p)
{
    char path[40], line[1024], state = 0;
    unsigned long long ticks[4] = {0};
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "r");
    if (!file) return 0;
    size_t n = fread(line, 1, sizeof line - 1, file);
    fclose(file);
    line[n] = 0;
    char *begin = strchr(line, '('), *end = strrchr(line, ')');
    if (!begin || !end ||
        sscanf(end + 1, " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %llu %llu", &state, &p->parent, &ticks[0],
               &ticks[1], &ticks[2], &ticks[3]) != 6)
        return 0;
    *end = 0;
    snprintf(p->name, sizeof p->name, "%s", begin + 1);
    p->pid = pid;
    p->used = (double)(ticks[0] + ticks[1] + ticks[2] + ticks[3]) / (double)sysconf(_SC_CLK_TCK);
    p->dead = state == 'Z' || state == 'X';
    p->ours = p->parent == getpid();
    return 1;
}

static int add_process(watch *w, pid_t pid)
{
    if (w->count == w->room) {
        size_t room = w->room ? 2 * w->room : 256;
        process *grown = realloc(w->process, room * sizeof *grown);
        if (!grown) return 0;
        w->process = grown, w->room = room;
    }
    w->count += (size_t)read_process(pid, &w->process[w->count]);
    return 1;
}

/* Children of ours are ours, until nothing is added: parents need not stand before their children. */
static void find_ours(watch *w)
{
    for (int found = 1; found;) {
        found = 0;
        for (size_t i = 0; i < w->count; i++)
            for (size_t p = 0; p < w->count && !w->process[i].ours; p++)
                if (w->process[p].ours && w->process[p].pid == w->process[i].parent) found = w->process[i].ours = 1;
    }
}

static void look(watch *w)
{
    struct dirent *entry;
    DIR *all = opendir("/proc");
    w->count = 0;
    while (all && (entry = readdir(all)))
        if (isdigit((unsigned char)*entry->d_name) && !add_process(w, (pid_t)atoi(entry->d_name))) break;
    if (all) closedir(all);
    find_ours(w);
}

/* Processor time of all that is and was. */
static double used(watch *w)
{
    double sum = w->reaped;
    look(w);
    for (size_t i = 0; i < w->count; i++)
        if (w->process[i].ours) sum += w->process[i].used;
    return sum;
}

/* Takes what has ended. Returns 0 when nothing is left. */
static int reap(watch *w)
{
    struct rusage usage;
    int status;
    for (;;) {
        pid_t pid = wait4(-1, &status, WNOHANG, &usage);
        if (pid < 0 && errno == EINTR) continue;
        if (pid <= 0) return pid == 0;
        w->reaped += seconds(usage.ru_utime) + seconds(usage.ru_stime);
        if (pid == w->command) w->status = status, w->ended = 1;
    }
}

/* Whoever forks meanwhile is seen the next time. */
static void kill_all(watch *w)
{
    while (reap(w)) {
        look(w);
        for (size_t i = 0; i < w->count; i++)
            if (w->process[i].ours && !w->process[i].dead) kill(w->process[i].pid, SIGKILL);
        usleep(2000);
    }
}

/* ---- the command ---- */

static const int deadly[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

/* Holds them back until they are asked for; those that are ignored (nohup) stay ignored. */
static void hold(sigset_t *held)
{
    struct sigaction action;
    sigemptyset(held);
    sigaddset(held, SIGCHLD);
    for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++)
        if (!sigaction(deadly[i], NULL, &action) && action.sa_handler != SIG_IGN) sigaddset(held, deadly[i]);
    sigprocmask(SIG_BLOCK, held, NULL);
}

static void start(watch *w, char **command, const sigset_t *held)
{
    w->command = fork();
    if (w->command) return;
    setsid();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigprocmask(SIG_UNBLOCK, held, NULL);
    execvp(*command, command);
    say("%s: %s", *command, strerror(errno));
    _exit(CANNOT_START);
}

/* Waits for a signal, so long at most. Returns it if it is to end this process, else 0. */
static int nap(const sigset_t *held, double length)
{
    struct timespec t = {(time_t)length, (long)(1e9 * (length - (double)(time_t)length))};
    int signal = sigtimedwait(held, NULL, &t);
    return signal > 0 && signal != SIGCHLD ? signal : 0;
}

static int die_of(watch *w, int number)
{
    sigset_t one;
    kill_all(w);
    signal(number, SIG_DFL);
    sigemptyset(&one);
    sigaddset(&one, number);
    raise(number);
    sigprocmask(SIG_UNBLOCK, &one, NULL);
    return 128 + number;
}

/* Looks twice before it kills: a process that ends between two reads of /proc is counted as itself and as its
 * parent's. Returns 0 when the command has ended, or the status to end with. */
static int watch_command(watch *w, const sigset_t *held)
{
    double begin = now(), since = begin, before = 0;
    for (int over = 0;;) {
        int number = nap(held, over ? 0.01 : 0.2);
        if (number) return die_of(w, number);
        reap(w);
        if (w->ended) return 0;
        double sum = used(w), time = now();
        over = sum > w->limit ? over + 1 : 0;
        if (sum > before + 0.01 * (time - since)) before = sum, since = time;
        if (over > 1)
            say("killed after %.1f s of processor time (limit %.1f)", sum, w->limit);
        else if (time - since > w->idle)
            say("killed: it hangs: next to no processor time in the last %.0f s, %.1f s in all", w->idle, sum);
        else if (time - begin > w->clock)
            say("killed after %.0f s by the clock, with %.1f s of processor time", w->clock, sum);
        else
            continue;
        kill_all(w);
        return KILLED;
    }
}

/* What was told to end may take a moment. Returns a deadly signal, if one came. */
static int wait_for_rest(watch *w, const sigset_t *held)
{
    double end = now() + w->leave;
    int number = 0;
    while (!number && reap(w) && now() < end) number = nap(held, 0.01);
    return number;
}

static int name_rest(watch *w)
{
    if (!reap(w)) return 0;
    look(w);
    for (size_t i = 0; i < w->count; i++)
        if (w->process[i].ours && !w->process[i].dead)
            say("the test left a process behind: %s (%d)", w->process[i].name, (int)w->process[i].pid);
    kill_all(w);
    return LEFT;
}

static int conclude(watch *w)
{
    int left = name_rest(w);
    say("%.1f s of processor time, limit %.0f", w->reaped, w->limit);
    if (WIFSIGNALED(w->status)) say("died of signal %d: %s", WTERMSIG(w->status), strsignal(WTERMSIG(w->status)));
    if (left) return left;
    return WIFSIGNALED(w->status) ? 128 + WTERMSIG(w->status) : WEXITSTATUS(w->status);
}

/* ---- */

static int usage(void)
{
    fputs("usage: limit [-w SECONDS] [-i SECONDS] [-l SECONDS] PROCESSOR_SECONDS COMMAND...\n", stderr);
    return CANNOT_START;
}

static int read_seconds(const char *text, double *to)
{
    char *end;
    *to = strtod(text, &end);
    return end != text && !*end && *to > 0;
}

int main(int argc, char **argv)
{
    watch w = {.clock = 3600, .idle = 300, .leave = 5};
    sigset_t held;
    for (int c; (c = getopt(argc, argv, "+w:i:l:")) != -1;) {
        double *to = c == 'w' ? &w.clock : c == 'i' ? &w.idle : c == 'l' ? &w.leave : NULL;
        if (!to || !read_seconds(optarg, to)) return usage();
    }
    if (argc - optind < 2 || !read_seconds(argv[optind], &w.limit)) return usage();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    hold(&held);
    start(&w, argv + optind + 1, &held);
    if (w.command < 0) return say("no process: %s", strerror(errno)), CANNOT_START;
    int status = watch_command(&w, &held);
    int number = status ? 0 : wait_for_rest(&w, &held);
    if (number) status = die_of(&w, number);
    if (!status) status = conclude(&w);
    free(w.process);
    return status;
}
