/* matrix_trial.c: a trial of matrix units by which the process ends is not begun a third time, and one that failed for
 * want of memory is begun again; others that are at work on one have not ended, nor have, for a while, those of other
 * machines that share the cache; a verdict is kept.
 *
 * Each step is a process of its own that opens the device, all with one cache. This program's clCreateProgramWithSource
 * is found before the loader's, and treats the sources of the trial as the step says. usage: matrix_trial */
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include <dirent.h>
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tenon/tenon.h"

#define OURS __attribute__((visibility("default"))) /* so that the backend finds it */

/* How a process ends: whether sources were tried; or it stands still while they are. */
enum { DIES = 1, NONE = 0, SOME = 2, TROUBLE = 3, STANDS = 4, ABSENT = 77 };

/* What the trial's sources meet with, if the process goes on, and how the step is to end. */
static const struct {
    const char *kind;
    cl_int code;
    int ends;
    const char *machine; /* NULL: this one */
    int later;           /* hours */
} steps[] = {
    {"plain", CL_SUCCESS, DIES},           {"plain", CL_SUCCESS, DIES},       {"plain", CL_SUCCESS, NONE},
    {"wmma", CL_OUT_OF_HOST_MEMORY, SOME}, {"wmma", CL_INVALID_VALUE, SOME},  {"wmma", CL_INVALID_VALUE, NONE},
    {"mfma", CL_SUCCESS, STANDS},          {"mfma", CL_SUCCESS, STANDS},      {"mfma", CL_INVALID_VALUE, SOME},
    {"mfma", CL_INVALID_VALUE, NONE},      {"intel", CL_SUCCESS, DIES, "a"},  {"intel", CL_SUCCESS, DIES, "b"},
    {"intel", CL_INVALID_VALUE, SOME},     {"intel", CL_SUCCESS, NONE},       {"ptx", CL_SUCCESS, DIES, "a"},
    {"ptx", CL_SUCCESS, DIES, "b", 2},     {"ptx", CL_SUCCESS, NONE, "c", 4},
};
static size_t step;
static int tried;
static pid_t standing[sizeof steps / sizeof *steps];

OURS int gethostname(char *name, size_t room)
{
    snprintf(name, room, "%s", steps[step].machine ? steps[step].machine : "here");
    return 0;
}

OURS time_t time(time_t *to)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    now.tv_sec += 3600 * steps[step].later;
    if (to) *to = now.tv_sec;
    return now.tv_sec;
}

OURS cl_program clCreateProgramWithSource(cl_context context, cl_uint n, const char **source, const size_t *length,
                                          cl_int *code)
{
    cl_program (*call)(cl_context, cl_uint, const char **, const size_t *, cl_int *);
    *(void **)&call = dlsym(dlopen("libOpenCL.so.1", RTLD_NOW | RTLD_LOCAL), "clCreateProgramWithSource");
    if (!strstr(source[0], "#define WAVES_U")) return call(context, n, source, length, code);
    if (steps[step].ends == STANDS) raise(SIGSTOP);
    if (!steps[step].code) _exit(DIES);
    tried = 1;
    *code = steps[step].code;
    return NULL;
}

static int open_device(void)
{
    tn_device *device = NULL;
    if (tn_backend_option("opencl", "shape", "gpu") || tn_backend_option("opencl", "matrix", steps[step].kind))
        return puts(tn_message()), TROUBLE;
    if (tn_device_open("opencl:0", &device)) return puts(tn_message()), ABSENT;
    tn_device_close(device);
    return tried ? SOME : NONE;
}

static int run_step(void)
{
    int ending = 0;
    fflush(stdout);
    const pid_t child = fork();
    if (!child) {
        const int ends = open_device();
        fflush(stdout);
        _exit(ends);
    }
    if (child < 0 || waitpid(child, &ending, WUNTRACED) != child) return TROUBLE;
    if (WIFSTOPPED(ending)) standing[step] = child;
    return WIFSTOPPED(ending) ? STANDS : WIFEXITED(ending) ? WEXITSTATUS(ending) : TROUBLE;
}

static void clear(const char *folder)
{
    DIR *dir = opendir(folder);
    for (const struct dirent *d; dir && (d = readdir(dir));) (void)!unlinkat(dirfd(dir), d->d_name, 0);
    if (dir) closedir(dir);
    rmdir(folder);
}

int main(void)
{
    char folder[] = "/tmp/tenon_matrix_XXXXXX";
    int right = 1, ends = NONE;
    if (!mkdtemp(folder) || setenv("TENON_CACHE", folder, 1)) return 1;
    for (step = 0; step < sizeof steps / sizeof *steps && ends != ABSENT; step++) {
        ends = run_step();
        if (ends == steps[step].ends || ends == ABSENT) continue;
        printf("FAILED: step %zu (%s) ends with %d, not %d\n", step, steps[step].kind, ends, steps[step].ends);
        right = 0;
    }
    for (step = 0; step < sizeof steps / sizeof *steps; step++)
        if (standing[step]) kill(standing[step], SIGKILL), waitpid(standing[step], NULL, 0);
    clear(folder);
    if (ends == ABSENT) return ABSENT;
    puts(right ? "all well" : "failed");
    return !right;
}
