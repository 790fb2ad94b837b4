/* loading.c: loading a backend: its symbols, its query, init and deinit, and the end of the process. */
#include <dirent.h>
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sample.h"
#include "symbols.h"
#include "system.h"

static int is_built_in(tn_kit *kit)
{
    if (*kit->target->file) return 0;
    tn_kit_expect(kit, 1, " ");
    tn_kit_remark(kit, "built in: there is no file");
    return 1;
}

/* ---- symbols ---- */

typedef struct seen {
    tn_kit *kit;
    int exports;
} seen;

/* What a backend has no business with: the library's own functions, and the environment. */
static void look_at(void *arg, const char *name, int has)
{
    seen *s = arg;
    static const char *const environment[] = {"getenv", "secure_getenv", "setenv", "putenv", "environ", "__environ"};
    if (has) {
        s->exports++;
        tn_kit_expect(s->kit, !strcmp(name, "tn_backend_query"), "it exports '%s' besides tn_backend_query", name);
        return;
    }
    tn_kit_expect(s->kit, strncmp(name, "tn_", 3), "it needs '%s', which the library may drop", name);
    for (size_t i = 0; i < sizeof environment / sizeof *environment; i++)
        tn_kit_expect(s->kit, strcmp(name, environment[i]), "it uses '%s': options come from the host", name);
}

static void symbols(tn_kit *kit)
{
    seen s = {kit, 0};
    if (is_built_in(kit)) return;
    int count = tn_symbols(kit->target->file, look_at, &s);
    tn_kit_expect(kit, count > 0 && s.exports == 1, "it exports %d symbols, not tn_backend_query alone", s.exports);
}

/* ---- the query ---- */

static int threads_here(void)
{
    long list[256];
    return tn_system_threads(list, 256);
}

static tn_backend_query_fn *find_query(tn_kit *kit)
{
    tn_backend_query_fn *query = NULL;
    void *library = dlopen(kit->target->file, RTLD_NOW | RTLD_LOCAL);
    if (library) *(void **)&query = dlsym(library, "tn_backend_query");
    tn_kit_expect(kit, query != NULL, "no tn_backend_query: %.300s", query ? "" : dlerror());
    return query;
}

static void query_is_quick(tn_kit *kit)
{
    tn_backend_query_fn *query = is_built_in(kit) ? NULL : find_query(kit);
    if (!query) return;
    int threads = threads_here(), files = tn_system_open_files();
    double begin = tn_kit_now();
    const tn_backend *table = query(TN_ABI_MAJOR, TN_ABI_MINOR);
    double took = tn_kit_now() - begin;
    tn_kit_expect(kit, table != NULL, "the query gives no table");
    tn_kit_expect(kit, took < 0.010, "the query took %.1f ms; 10 are allowed", 1e3 * took);
    tn_kit_expect(kit, threads_here() == threads, "the query started a thread");
    tn_kit_expect(kit, tn_system_open_files() == files, "the query left a file open");
    tn_kit_expect(kit, query(TN_ABI_MAJOR, TN_ABI_MINOR) == table, "the query gives another table the second time");
    tn_kit_expect(kit, query(TN_ABI_MAJOR, 99) == table, "the query declines a host of a later minor version");
}

static void query_of_another_version(tn_kit *kit)
{
    tn_backend_query_fn *query = is_built_in(kit) ? NULL : find_query(kit);
    if (!query) return;
    tn_kit_expect(kit, !query(TN_ABI_MAJOR + 1, 0), "the query claims to work with the next major version");
    tn_kit_expect(kit, !query(0, 0), "the query claims to work with major version 0");
}

/* ---- loading it again ---- */

static void by_two_paths(tn_kit *kit)
{
    char folder[] = "/tmp/tenon-check-XXXXXX", link_name[64];
    if (is_built_in(kit) || !tn_kit_device(kit)) return;
    if (!tn_kit_expect(kit, mkdtemp(folder) != NULL, "no temporary folder")) return;
    snprintf(link_name, sizeof link_name, "%s/again.so", folder);
    tn_backend_report report;
    int found = 0;
    if (tn_kit_expect(kit, !symlink(kit->target->file, link_name), "no symbolic link can be made")) {
        tn_kit_expect(kit, !tn_backend_load(link_name), "by a link: %.300s", tn_message());
        for (size_t i = 0; tn_backend_at(i, &report); i++)
            found += !report.problem && !strcmp(report.id, kit->device->backend->id);
        tn_kit_expect(kit, found == 1, "loaded by two paths, it is there %d times", found);
    }
    unlink(link_name);
    rmdir(folder);
    tn_device_close(kit->device);
}

enum { ROWS = 17, COLUMNS = 33 };

/* The sum of all elements of x x', for an x of small whole numbers: exact in f32, whatever the order. */
static tn_status sum_product(tn_device *device, double *sum)
{
    float x[ROWS * COLUMNS], y = NAN;
    tn_state *state = NULL;
    tn_program *program = NULL;
    tn_graph *graph = tn_graph_new();
    tn_tensor *in = tn_input(graph, "x", TN_F32, TN_SHAPE(ROWS, COLUMNS));
    tn_output(tn_sum(tn_matmul_t(in, in, 0, 1), TN_ALL, 0), "y");
    for (int i = 0; i < ROWS * COLUMNS; i++) x[i] = (float)(i * 7 % 11 - 5);
    tn_status s = tn_state_new(device, 1, &state);
    if (!s) s = tn_compile(graph, state, NULL, &program);
    if (!s) s = tn_feed(program, "x", x, sizeof x);
    if (!s) s = tn_program_run(program);
    if (!s) s = tn_fetch(program, "y", &y, sizeof y);
    *sum = y;
    tn_program_free(program);
    tn_state_free(state);
    tn_graph_free(graph);
    return s;
}

static void beside_others(tn_kit *kit)
{
    tn_device_entry entry;
    tn_device *reference = NULL;
    size_t devices = 0;
    double expected = NAN, sum = NAN;
    while (tn_device_at(devices, &entry)) { /* every other backend starts and computes; how well is not asked here */
        tn_device *other = NULL;
        if (!tn_device_open(entry.name, &other)) (void)sum_product(other, &sum);
        tn_device_close(other);
        devices++;
    }
    if (!tn_kit_device(kit)) return;
    tn_status s = tn_device_open("reference", &reference);
    if (!s) s = sum_product(reference, &expected);
    if (!s) s = sum_product(kit->device, &sum);
    tn_kit_expect(kit, !s, "beside others: %.300s", tn_message());
    tn_kit_expect(kit, sum == expected, "beside others a product sums up to %g, not %g", sum, expected);
    tn_kit_remark(kit, "of %zu devices", devices);
    tn_device_close(reference);
    tn_device_close(kit->device);
}

/* The drivers' devices are hidden as users hide them. With none left, there are no devices: that is no error. */
static void no_devices(tn_kit *kit)
{
    static const char *const hide[][2] = {{"OCL_ICD_VENDORS", "/nonexistent"}, {"OPENCL_VENDOR_PATH", "/nonexistent"},
                                          {"CUDA_VISIBLE_DEVICES", ""},        {"HIP_VISIBLE_DEVICES", ""},
                                          {"ROCR_VISIBLE_DEVICES", ""},        {"VK_DRIVER_FILES", "/nonexistent"}};
    uint32_t count = UINT32_MAX;
    tn_device_info info = {.size = sizeof info};
    for (size_t i = 0; i < sizeof hide / sizeof *hide; i++) setenv(hide[i][0], hide[i][1], 1);
    if (!tn_kit_load_table(kit)) return;
    const tn_backend *b = kit->backend;
    if (!tn_kit_ok(kit, b->init(&kit->host, &kit->msg), "init without devices")) return;
    if (tn_kit_ok(kit, b->device_count(&count, &kit->msg), "device_count without devices")) {
        for (uint32_t i = 0; i < count && i < 64; i++)
            if (!tn_kit_ok(kit, b->device_info(i, &info, &kit->msg), "device_info")) break;
        tn_kit_expect(kit, b->device_info(count, &info, &kit->msg) != TN_OK, "device %u of %u is described", count,
                      count);
        tn_kit_remark(kit, "%u %s left", count, count == 1 ? "is" : "are");
    }
    b->deinit();
}

/* ---- init, deinit, the end ---- */

static void hundred_times(tn_kit *kit)
{
    uint32_t count = 0;
    if (!tn_kit_load_table(kit)) return;
    for (int i = 0; i < 100; i++) {
        if (!tn_kit_ok(kit, kit->backend->init(&kit->host, &kit->msg), "init")) return;
        if (!tn_kit_ok(kit, kit->backend->device_count(&count, &kit->msg), "device_count")) return;
        tn_kit_expect(kit, count > kit->target->index, "there are %u devices after init number %d", count, i);
        kit->backend->deinit();
        if (!tn_kit_expect(kit, !tn_kit_live, "deinit kept %lld blocks of memory", (long long)tn_kit_live)) return;
    }
}

/* Everything made and given back again and again; memory must not grow, on the host's side or the backend's own. */
static int use_once(tn_kit *kit)
{
    int fine = tn_kit_open(kit);
    for (int i = 0; fine && i < TN_KIT_SAMPLES; i++) {
        tn_kit_sample s;
        tn_kit_want want;
        if (!tn_kit_sample_make(kit, i, &s) || !tn_kit_expected(kit, &s.job, &want)) return 0;
        int answer = tn_kit_run_job(kit, &s.job);
        fine = answer == TN_KIT_REFUSED || (answer == TN_KIT_RAN && tn_kit_compare(kit, &s.job, &want, ""));
        tn_kit_want_free(&want);
        tn_kit_sample_free(&s);
    }
    return fine;
}

static void used_three_times(tn_kit *kit)
{
    for (int i = 0; i < 3; i++) {
        if (!use_once(kit)) return;
        tn_kit_close(kit);
        kit->queue = NULL, kit->context = NULL;
    }
}

static void exit_with_deinit(tn_kit *kit)
{
    if (!use_once(kit)) return;
    tn_kit_close(kit);
    kit->result->exits = 1;
}

static void exit_without_deinit(tn_kit *kit)
{
    kit->result->exits = use_once(kit);
}

const tn_kit_case tn_kit_loading[] = {
    {"loading", "symbols", "one symbol is exported, none of the library's or of the environment is needed", symbols,
     NULL, 0, 0},
    {"loading", "query", "the query answers in 10 ms, without a thread, a file or output", query_is_quick, NULL, 0, 0},
    {"loading", "version", "the query declines hosts of other major versions", query_of_another_version, NULL, 0, 0},
    {"loading", "two-paths", "loaded by two paths it is there once", by_two_paths, NULL, 0, 0},
    {"loading", "beside-others", "it works when every other backend was started first", beside_others, NULL, 0, 0},
    {"loading", "no-devices", "with the driver's devices hidden there are fewer, or none", no_devices, NULL, 0, 0},
    {"loading", "init-100", "init and deinit a hundred times", hundred_times, NULL, 0, 0},
    {"loading", "use-3", "used, given back and used again", used_three_times, NULL, 0, 0},
    {"loading", "exit", "the process ends well after deinit", exit_with_deinit, NULL, 0, 0},
    {"loading", "exit-early", "the process ends well without deinit", exit_without_deinit, NULL, 0, 0},
    {0},
};
