/* probe.c: see probe.h. */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "alloc.h"
#include "cache.h"
#include "error.h"
#include "options.h"
#include "hash.h"
#include "plain.h"
#include "system.h"
#include "trial.h"

extern char **environ;

/* What is kept of a trial. */
typedef struct verdict {
    uint32_t tried, survived; /* a depth */
    char problem[120];        /* "crashes (Segmentation fault) when it is loaded" */
} verdict;

/* ---- what a verdict holds for ------------------------------------------------------------------------------------ */

/* By these it is found out which drivers there are: their change is a reason to try again. An installation or update
 * of a library changes the linker's cache. */
static const char *const variables[] = {
    "OCL_ICD_VENDORS",     "OCL_ICD_FILENAMES",    "OPENCL_VENDOR_PATH",     "POCL_DEVICES",    "CUDA_VISIBLE_DEVICES",
    "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "ONEAPI_DEVICE_SELECTOR", "LD_LIBRARY_PATH", "LD_PRELOAD"};
static const char *const places[] = {"/etc/OpenCL/vendors", "/etc/ld.so.cache", "/dev/dri", "/dev/nvidia0"};

static uint64_t mix(uint64_t hash, uint64_t number)
{
    return tn_hash_bytes(hash, &number, sizeof number);
}

static void mix_option(void *arg, const char *backend, const char *key, const char *value)
{
    uint64_t *hash = arg;
    if (!strcmp(backend, "tenon")) return; /* how to try, not what */
    *hash = mix(mix(mix(*hash, tn_hash_text(backend)), tn_hash_text(key)), tn_hash_text(value));
}

static uint64_t surroundings(void)
{
    struct utsname system;
    struct stat info;
    uint64_t hash = uname(&system) ? 0 : tn_hash_text(system.release);
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        const char *value = getenv(variables[i]);
        hash = mix(hash, value ? tn_hash_text(value) : 0);
    }
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        hash = mix(hash, stat(places[i], &info) ? 0 : (uint64_t)info.st_mtim.tv_sec);
    tn_options_each(mix_option, &hash);
    return hash;
}

static int make_key(const char *file, char *key, size_t capacity)
{
    struct stat info;
    if (stat(file, &info)) return 0;
    int length = snprintf(key, capacity, "probe\n%s\n%s\n%llu %llu %lld %lld.%09ld %016llx", tn_version(), file,
                          (unsigned long long)info.st_dev, (unsigned long long)info.st_ino, (long long)info.st_size,
                          (long long)info.st_mtim.tv_sec, info.st_mtim.tv_nsec, (unsigned long long)surroundings());
    return length > 0 && (size_t)length < capacity;
}

/* ---- the process --------------------------------------------------------------------------------------------------*/

typedef struct arguments {
    const char **word;
    uint32_t count, capacity;
    tn_status status;
} arguments;

static void add(arguments *a, const char *word)
{
    if (!a->status) a->status = tn_grow(&a->word, &a->capacity, a->count + 1, sizeof *a->word);
    if (!a->status) a->word[a->count++] = word;
}

static void add_option(void *arg, const char *backend, const char *key, const char *value)
{
    add(arg, backend);
    add(arg, key);
    add(arg, value);
}

/* With no signal blocked or ignored, nothing to read, and nowhere to print. Returns 0 or an errno. */
static int spawn(const char *program, char *const argv[], int shared, pid_t *pid)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t how;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    int failed = posix_spawn_file_actions_init(&files);
    if (failed) return failed;
    failed = posix_spawnattr_init(&how);
    if (failed) {
        posix_spawn_file_actions_destroy(&files);
        return failed;
    }
    posix_spawnattr_setflags(&how, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&how, &none);
    posix_spawnattr_setsigdefault(&how, &all);
    failed = posix_spawn_file_actions_adddup2(&files, shared, TN_TRIAL_FILE);
    if (!failed) failed = posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    if (!failed) failed = posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
    if (!failed) failed = posix_spawn_file_actions_adddup2(&files, 1, 2);
    if (!failed) failed = posix_spawn(pid, program, &files, &how, argv, environ);
    posix_spawnattr_destroy(&how);
    posix_spawn_file_actions_destroy(&files);
    return failed;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double limit(void)
{
    const char *text = tn_option_get("tenon", "probe_seconds");
    double seconds = text ? tn_strtod(text, NULL) : 0;
    return seconds > 0 ? seconds : 30;
}

/* How a process ended, for people: "crashes (...)". One whose end somebody else has heard of (a program that ignores
 * SIGCHLD, or waits for every child) has just ended. */
static void wait_for(pid_t pid, char *how, size_t capacity)
{
    double seconds = limit(), end = now() + seconds;
    struct timespec nap = {0, 200000};
    int status = 0;
    pid_t got;
    while (!(got = waitpid(pid, &status, WNOHANG)) || (got < 0 && errno == EINTR)) {
        if (now() > end) {
            kill(-pid, SIGKILL);
            while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
            tn_snprintf(how, capacity, "hangs (for %g s)", seconds);
            return;
        }
        nanosleep(&nap, NULL);
        if (nap.tv_nsec < 20000000) nap.tv_nsec += nap.tv_nsec / 4;
    }
    if (got > 0 && WIFSIGNALED(status))
        snprintf(how, capacity, "crashes (%s)", strsignal(WTERMSIG(status)));
    else
        snprintf(how, capacity, "ends the process (status %d)", got > 0 ? WEXITSTATUS(status) : 0);
}

/* ---- a trial ------------------------------------------------------------------------------------------------------*/

static void conclude(uint32_t stage, uint32_t depth, const char *how, verdict *v)
{
    static const char *const when[] = {
        "", "is loaded", "is asked for its table", "is initialised", "counts its devices", "describes a device"};
    *v = (verdict){.tried = depth,
                   .survived = stage >= TN_STAGE_DONE   ? depth
                               : stage > TN_STAGE_QUERY ? TN_PROBE_LOAD
                                                        : 0};
    if (stage < TN_STAGE_DONE) snprintf(v->problem, sizeof v->problem, "%s when it %s", how, when[stage]);
}

/* Leaves the verdict as it is if there was no trial: no process, or a program that could not begin. */
static tn_status run(const char *program, const char *file, uint32_t depth, verdict *v)
{
    arguments a = {0};
    char how[80] = "";
    pid_t pid = -1;
    uint32_t stage = TN_STAGE_NONE;
    int shared = tn_system_memory_file("tenon-probe");
    tn_trial *trial = MAP_FAILED;
    add(&a, program);
    add(&a, file);
    add(&a, depth == TN_PROBE_START ? TN_TRIAL_START : TN_TRIAL_LOAD);
    tn_options_each(add_option, &a);
    add(&a, NULL);
    if (shared >= 0 && !ftruncate(shared, sizeof *trial))
        trial = mmap(NULL, sizeof *trial, PROT_READ | PROT_WRITE, MAP_SHARED, shared, 0);
    if (trial != MAP_FAILED && !a.status && !spawn(program, (char **)(uintptr_t)a.word, shared, &pid)) {
        wait_for(pid, how, sizeof how);
        stage = trial->stage;
    }
    if (trial != MAP_FAILED) munmap(trial, sizeof *trial);
    if (shared >= 0) close(shared);
    tn_free(a.word);
    if (stage != TN_STAGE_NONE && stage <= TN_STAGE_DONE) conclude(stage, depth, how, v);
    return a.status;
}

/* What was kept of this file, if it was tried that far or did not get there. */
static int recall(const char *key, uint32_t depth, verdict *v)
{
    const char *wish = tn_option_get("tenon", "probe");
    if (wish && !strcmp(wish, "again")) return 0;
    if (tn_cache_get("tenon", key, v, sizeof *v) != sizeof *v) return 0;
    v->problem[sizeof v->problem - 1] = 0;
    return v->tried >= depth || v->survived < v->tried;
}

static int find_program(char path[PATH_MAX])
{
    return tn_own_file("tenon/tenon-probe", path) || tn_own_file("../lib/tenon/tenon-probe", path);
}

static int is_wanted(int own)
{
    const char *wish = tn_option_get("tenon", "probe");
    return !(wish && !strcmp(wish, "off")) && !tn_system_is_privileged() && (!own || tn_cache_can_keep());
}

tn_status tn_probe(const char *file, uint32_t depth, int own, tn_reason *reason)
{
    char program[PATH_MAX], key[PATH_MAX + 256];
    verdict v = {0};
    if (!is_wanted(own) || !make_key(file, key, sizeof key)) return TN_OK;
    if (!recall(key, depth, &v)) {
        v = (verdict){0};
        if (find_program(program)) TN_TRY(run(program, file, depth, &v));
        if (!v.tried) return TN_OK;
        tn_cache_put("tenon", key, &v, sizeof v, TN_CACHE_LIMIT);
    }
    if (v.survived >= depth) return TN_OK;
    return tn_because(
        reason, TN_EDEVICE,
        "%s, as a process of its own showed; it is tried again when it or a driver changes, and by 'tenon doctor'",
        v.problem);
}
