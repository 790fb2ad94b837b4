/* doctor.c: `tenon doctor`: checks this machine by doing things, and says what to do about what fails. Exit status 0
 * only if a device other than the reference works. */
#include "../core/system.h"
#include "options.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char doc[] = "Checks backends, drivers, communicators, cache and memory, and trains a little on each "
                          "device to compare it with the reference.";

static void say(const char *mark, const char *format, ...) TN_PRINTF(2, 3);
static void say(const char *mark, const char *format, ...)
{
    char line[1024];
    va_list list;
    va_start(list, format);
    vsnprintf(line, sizeof line, format, list);
    va_end(list);
    printf("%-8s ", mark);
    if (cli_wraps(stdout))
        cli_wrap(cli_shown(line), 9, 9);
    else
        printf("%s\n", cli_shown(line));
}

/* ---- the machine ---- */

static void check_machine(void)
{
    static const char *const wanted[] = {" avx2 ", " fma ", " avx512f ", " avx512_bf16 ", " amx_tile ", " asimd "};
    char text[4096] = "unknown", flags[4098] = " ", found[128] = "";
    tn_system_says(TN_MACHINE_NAME, text, sizeof text);
    if (tn_system_says(TN_MACHINE_FEATURES, flags + 1, sizeof flags - 2)) strcat(flags, " ");
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        if (strstr(flags, wanted[i])) strcat(found, wanted[i]), found[strlen(found) - 1] = 0;
    say("machine", "%s, %ld processors%s%s", text, sysconf(_SC_NPROCESSORS_ONLN), *found ? ", with" : "", found);
    if (tn_system_says(TN_MACHINE_MEMORY_KIB, text, sizeof text))
        say("memory", "%.1f GiB free to use", strtod(text, NULL) / (1 << 20));
}

/* The folder, or the nearest one above it that exists, must be writable. */
static void check_cache(void)
{
    char path[4096], folder[4096];
    struct stat info = {0};
    if (tn_cache_folder(path, sizeof path)) {
        say("warning", "%s, so kernels are built at each start", tn_message());
        return;
    }
    memcpy(folder, path, sizeof folder);
    for (char *slash; stat(folder, &info) && folder[1] && (slash = strrchr(folder, '/'));) slash[slash == folder] = 0;
    errno = ENOTDIR;
    if (!S_ISDIR(info.st_mode) || access(folder, W_OK | X_OK))
        say("warning", "the cache %s can't be written (%s): set TENON_CACHE to a folder", path, strerror(errno));
    else
        say("ok", "cache in %s", path);
}

/* ---- OpenCL ---- */

static int count_drivers(char *names, size_t capacity)
{
    const char *other = getenv("OCL_ICD_VENDORS");
    DIR *dir = opendir(other && *other == '/' ? other : "/etc/OpenCL/vendors");
    int count = 0;
    names[0] = 0;
    for (struct dirent *e; dir && (e = readdir(dir));) {
        size_t length = strlen(e->d_name), used = strlen(names);
        if (length < 5 || strcmp(e->d_name + length - 4, ".icd")) continue;
        snprintf(names + used, capacity - used, "%s%s", count++ ? ", " : "", e->d_name);
    }
    if (dir) closedir(dir);
    return count;
}

static void check_opencl(void)
{
    char names[512];
    void *loader = dlopen("libOpenCL.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!loader) {
        say("missing", "OpenCL: there is no libOpenCL.so.1; on Debian and Ubuntu: apt install ocl-icd-libopencl1");
        return;
    }
    if (count_drivers(names, sizeof names))
        say("ok", "OpenCL: the loader is there, and drivers: %s", names);
    else {
        say("missing", "OpenCL: the loader is there, but no driver is installed");
        say("", "  for the processor: apt install pocl-opencl-icd");
        say("", "  for Intel graphics: apt install intel-opencl-icd; for NVIDIA: nvidia-opencl-icd;");
        say("", "  for AMD: mesa-opencl-icd or the vendor's ROCm packages");
    }
}

/* ---- communicators ---- */

static void say_communicator(void *arg, const tn_communicator_report *c)
{
    (void)arg;
    if (c->problem)
        say("skipped", "%s", c->problem);
    else
        say("ok", "communicator %s %s: %s", c->name, c->version ? c->version : "", c->doc ? c->doc : "");
}

/* ---- backends and devices ---- */

static void check_backends(void)
{
    tn_backend_report b;
    for (size_t i = 0; tn_backend_at(i, &b); i++) {
        if (b.problem)
            say("skipped", "backend %s: %s", b.file, b.problem);
        else
            say("ok", "backend %s %s: %u device%s (%s)", b.id, b.version ? b.version : "", b.devices,
                b.devices == 1 ? "" : "s", b.file);
    }
}

#define INPUTS 12
#define PROBE  (8 * INPUTS + 8 + 4 * 8 + 4)

/* A few steps of a small network whose batch is made of random numbers, and all of its parameters afterwards. */
static tn_graph *probe_graph(void)
{
    tn_graph *graph = tn_graph_new();
    if (!graph) return NULL;
    tn_tensor *x = tn_random_normal(graph, TN_SHAPE(16, INPUTS));
    tn_tensor *label = tn_argmax(x, -1);
    label = tn_lt(label, tn_number(label, INPUTS / 2));
    tn_tensor *y = tn_net(x, "linear 8, tanh, linear 4", (tn_net_options){.training = 1});
    tn_minimize(tn_cross_entropy(y, label), "adam", (tn_optim_options){.lr = 0.01});
    return graph;
}

static tn_status read_parameters(tn_state *state, float out[PROBE])
{
    tn_state_entry entry;
    int64_t at = 0;
    for (size_t i = 0; tn_state_at(state, i, &entry); i++) {
        int64_t count = tn_shape_count(&entry.shape);
        if (!(entry.flags & TN_TRAINABLE) || at + count > PROBE) continue;
        tn_status status = tn_state_read(state, entry.name, out + at, (uint64_t)count * sizeof *out);
        if (status) return status;
        at += count;
    }
    return TN_OK;
}

static tn_status probe(const char *device_name, float out[PROBE], double *seconds)
{
    tn_device *device = NULL;
    tn_state *state = NULL;
    tn_program *program = NULL;
    double begun = cli_now();
    tn_graph *graph = probe_graph();
    tn_status s = graph ? tn_device_open(device_name, &device) : TN_ENOMEM;
    if (!s) s = tn_state_new(device, 7, &state);
    if (!s) s = tn_compile(graph, state, NULL, &program);
    for (int i = 0; !s && i < 5; i++) s = tn_program_run(program);
    if (!s) s = read_parameters(state, out);
    *seconds = cli_now() - begun;
    tn_program_free(program);
    tn_state_free(state);
    tn_device_close(device);
    tn_graph_free(graph);
    return s;
}

/* Trains a little on the device; 1 if it ends where the reference does. */
static int check_device(const tn_device_entry *d, const float right[PROBE])
{
    float got[PROBE] = {0};
    double seconds, worst = 0;
    if (probe(d->name, got, &seconds)) {
        say("FAILED", "device %s, %s: %s", d->name, d->info.name, tn_message());
        return 0;
    }
    for (int i = 0; i < PROBE; i++) {
        double error = fabs((double)got[i] - right[i]);
        if (!(error <= worst)) worst = error;
    }
    int good = worst < 1e-3;
    say(good ? "ok" : "FAILED", "device %s, %s: trains in %.2f s, at most %.1e from the reference", d->name,
        d->info.name, seconds, worst);
    return good;
}

static void say_memory(size_t index, const tn_device_entry *d)
{
    uint64_t total, left;
    if (tn_device_memory(index, &total, &left) > 0)
        say("memory", "of %s: %.1f of %.1f GiB are free", d->name, (double)left / (1 << 30), (double)total / (1 << 30));
}

static int check_devices(void)
{
    tn_device_entry d;
    float right[PROBE] = {0};
    double seconds;
    int working = 0;
    if (probe("reference", right, &seconds)) {
        say("FAILED", "device reference: %s", tn_message());
        return 0;
    }
    for (size_t i = 0; tn_device_at(i, &d); i++) {
        say_memory(i, &d);
        if (strcmp(d.name, "reference")) working += check_device(&d, right);
    }
    return working;
}

int cli_doctor(int argc, char **argv)
{
    int operands;
    cli_option options[] = {{.kind = CLI_END}};
    int status = cli_parse(&(cli_syntax){"doctor", NULL, doc, NULL, options}, argc, argv, &operands);
    if (status != CLI_GO_ON) return status;
    tn_log_to(NULL, NULL, TN_LOG_ERROR); /* the report says it all */
    if (tn_backend_option("tenon", "probe", "again")) return cli_failed();
    say("tenon", "%s", tn_version());
    check_machine();
    check_cache();
    check_opencl();
    if (tn_communicators(say_communicator, NULL)) return cli_failed();
    check_backends();
    int working = check_devices();
    if (working)
        say("ok", "%d device%s can be used; 'tenon train' is a good next step", working, working == 1 ? "" : "s");
    else
        say("FAILED", "no device but the slow reference works: install a backend, or see what failed above");
    return working ? CLI_OK : CLI_FAILED;
}
