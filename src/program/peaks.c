/* peaks.c: what a device reaches at its best, by short programs: products, memory of several sizes, small kernels. The
 * best that was ever measured here is kept in the disk cache, for a busy machine only makes figures smaller. */
#include <math.h>
#include <stdio.h>

#include "cache.h"
#include "clock.h"
#include "error.h"
#include "given.h"
#include "program.h"
#include "tenon/nn.h"

#define BATCHES 5    /* of which the best counts */
#define ENOUGH  0.01 /* seconds for each of them */
#define LONG    0.02 /* seconds of a run after which nothing larger is tried */

enum { SMALL = 512, LARGE = 1024, FEW = 16 };
static const uint64_t reaches[TN_PEAK_LEVELS] = {1 << 17, 1 << 20, 1 << 23, 1 << 26};

static tn_tensor *values(tn_graph *g, const char *name, tn_shape shape)
{
    return tn_variable(g, name, TN_F32, shape, (tn_init){.kind = TN_INIT_UNIFORM, .a = 1}, TN_TRANSIENT);
}

static tn_tensor *product(tn_graph *g, int64_t side)
{
    return tn_matmul(values(g, "a", TN_SHAPE(side, side)), values(g, "b", TN_SHAPE(side, side)));
}

/* Three numbers for each element cross the memory. */
static tn_tensor *map(tn_graph *g, int64_t count)
{
    tn_tensor *a = values(g, "a", TN_SHAPE(count)), *b = values(g, "b", TN_SHAPE(count));
    return tn_add(tn_mul(a, b), a);
}

/* Seconds that the program's kernels take in a run: the mean of a batch of runs. */
static tn_status time_batch(tn_program *p, double *seconds)
{
    tn_launch_profile launch;
    double sum = 0, begun = tn_now();
    uint64_t runs = 0;
    TN_TRY(tn_program_profile(p, 1));
    while (!runs || tn_now() - begun < ENOUGH) {
        TN_TRY(tn_program_run(p));
        runs++;
    }
    for (uint32_t i = 0; tn_program_profile_at(p, i, &launch); i++) sum += launch.seconds;
    *seconds = sum / (double)runs;
    return tn_program_profile(p, 0);
}

/* Seconds that pass for a run among many. */
static tn_status time_chain(tn_program *p, double *seconds)
{
    double begun = tn_now();
    uint64_t runs = 0;
    for (; !runs || tn_now() - begun < ENOUGH; runs++) TN_TRY(tn_program_run(p));
    TN_TRY(tn_wait(p));
    *seconds = (tn_now() - begun) / (double)runs;
    return TN_OK;
}

static tn_status best_time(tn_program *p, tn_status (*time)(tn_program *p, double *seconds), double *best)
{
    double seconds = 0, begun = tn_now();
    TN_TRY(tn_program_run(p)); /* warms up */
    TN_TRY(tn_wait(p));
    *best = INFINITY;
    for (int i = 0; i < BATCHES && (!i || tn_now() - begun < 2 * BATCHES * ENOUGH); i++) {
        TN_TRY(time(p, &seconds));
        *best = fmin(*best, fmax(seconds, 1e-9));
    }
    return TN_OK;
}

/* Builds, compiles and times one program. */
static tn_status measure(tn_device *device, uint32_t precision, tn_tensor *(*build)(tn_graph *g, int64_t n), int64_t n,
                         tn_status (*time)(tn_program *p, double *seconds), double *best)
{
    const tn_compile_options options = {.precision = precision};
    tn_state *state = NULL;
    tn_program *program = NULL;
    tn_graph *graph = tn_graph_new();
    if (!graph) return TN_ENOMEM;
    tn_output(build(graph, n), "y");
    tn_status s = tn_state_new(device, 1, &state);
    if (!s) s = tn_compile(graph, state, &options, &program);
    if (!s) s = best_time(program, time, best);
    tn_program_free(program);
    tn_state_free(state);
    tn_graph_free(graph);
    return s;
}

static tn_status measure_product(tn_device *device, uint32_t precision, int64_t side, double *flops)
{
    double seconds = 0;
    TN_TRY(measure(device, precision, product, side, time_batch, &seconds));
    *flops = fmax(*flops, 2 * (double)side * (double)side * (double)side / seconds);
    return side == SMALL && seconds < LONG ? measure_product(device, precision, LARGE, flops) : TN_OK;
}

static tn_status measure_all(tn_device *device, uint32_t precision, tn_peaks *peaks)
{
    double seconds = 0;
    TN_TRY(measure_product(device, precision, SMALL, &peaks->flops));
    TN_TRY(measure(device, 0, map, FEW, time_chain, &peaks->launch));
    for (int i = 0; i < TN_PEAK_LEVELS; i++) {
        const int64_t count = (int64_t)(reaches[i] / 12);
        peaks->reach[i] = reaches[i];
        if (seconds < LONG) TN_TRY(measure(device, 0, map, count, time_batch, &seconds));
        peaks->bandwidth[i] = seconds < LONG || !i ? 12 * (double)count / seconds : peaks->bandwidth[i - 1];
    }
    return TN_OK;
}

static void cache_key(const tn_device *device, uint32_t precision, char key[512])
{
    const tn_device_info *info = &device->info;
    const char *version = device->backend->version ? device->backend->version : "";
    snprintf(key, 512, "peaks\n%s %s\n%s\n%s\n%s\n%u\n%s", device->backend->id, version, info->id, info->name,
             info->driver, precision, tn_version());
}

static int is_sane(const tn_peaks *p)
{
    int sane = p->flops > 0 && p->flops < 1e18 && p->launch > 0 && p->launch < 1e3;
    for (int i = 0; i < TN_PEAK_LEVELS; i++)
        sane = sane && p->reach[i] == reaches[i] && p->bandwidth[i] > 0 && p->bandwidth[i] < 1e18;
    return sane;
}

tn_status tn_device_peaks(tn_device *device, uint32_t precision, tn_peaks *peaks)
{
    TN_GIVEN(device, peaks);
    char key[512];
    tn_peaks now = {0}, kept;
    TN_TRY(measure_all(device, precision, &now));
    cache_key(device, precision, key);
    if (tn_cache_get("tenon", key, &kept, sizeof kept) == sizeof kept && is_sane(&kept)) {
        now.flops = fmax(now.flops, kept.flops);
        now.launch = fmin(now.launch, kept.launch);
        for (int i = 0; i < TN_PEAK_LEVELS; i++) now.bandwidth[i] = fmax(now.bandwidth[i], kept.bandwidth[i]);
    }
    for (int i = TN_PEAK_LEVELS - 1; i; i--) /* what is nearer is no slower */
        now.bandwidth[i - 1] = fmax(now.bandwidth[i - 1], now.bandwidth[i]);
    tn_cache_put("tenon", key, &now, sizeof now, TN_CACHE_LIMIT);
    *peaks = now;
    return TN_OK;
}

double tn_peaks_floor(const tn_peaks *peaks, double flops, double bytes)
{
    if (!peaks) return 0;
    int level = 0;
    while (level < TN_PEAK_LEVELS - 1 && bytes > (double)peaks->reach[level]) level++;
    return fmax(flops / peaks->flops, bytes / peaks->bandwidth[level]);
}
