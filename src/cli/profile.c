/* profile.c: where the time of a program goes. For each kernel: how often it runs, how long it takes, how fast that is,
 * and its floor: what its operations and bytes would take at the best that the device was seen to do. */
#include "profile.h"
#include "options.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN 24 /* rows of the table; the rest is one */

/* Launches of a run that do the same. */
typedef struct cli_profile_row {
    tn_launch_profile of; /* one of them */
    int64_t calls;        /* of them in a run */
    double seconds;       /* of all of them in a run */
    double floor;
} row;

static int is_same(const tn_launch_profile *a, const tn_launch_profile *b)
{
    return !strcmp(a->op, b->op) && !strcmp(a->device, b->device) && !strcmp(a->result, b->result) &&
           !strcmp(a->choice, b->choice) && a->flops == b->flops && a->bytes == b->bytes;
}

static void add(cli_profile *p, const tn_launch_profile *launch)
{
    size_t i = 0;
    if (!launch->runs) return; /* a transfer */
    while (i < p->rows && !is_same(&p->row[i].of, launch)) i++;
    row *r = &p->row[i];
    if (i == p->rows) *r = (row){.of = *launch}, p->rows++;
    const double floor = tn_peaks_floor(&p->peaks, launch->flops, launch->bytes);
    r->calls++;
    r->seconds += launch->seconds / (double)launch->runs;
    r->floor += floor;
    p->kernels += launch->seconds / (double)launch->runs;
    p->floor += floor;
    p->by_host |= (int)launch->by_host;
}

static int by_seconds(const void *a, const void *b)
{
    const double x = ((const row *)a)->seconds, y = ((const row *)b)->seconds;
    return (x < y) - (x > y);
}

int cli_profile_make(cli_profile *p, tn_program *program, tn_device *device, uint32_t precision, double step)
{
    tn_launch_profile launch;
    uint32_t launches = 0;
    *p = (cli_profile){.step = step};
    while (tn_program_profile_at(program, launches, &launch)) launches++;
    p->row = calloc(launches + 1, sizeof *p->row);
    if (!p->row) return cli_fail("out of memory");
    if (tn_device_peaks(device, precision, &p->peaks)) return cli_failed();
    for (uint32_t i = 0; tn_program_profile_at(program, i, &launch); i++) add(p, &launch);
    qsort(p->row, p->rows, sizeof *p->row, by_seconds);
    return CLI_GO_ON;
}

void cli_profile_free(cli_profile *p)
{
    free(p->row);
}

/* ---- the table ---- */

/* By what bounds it: "182 GFLOP/s" or "35.1 GB/s". */
static void tell_rate(const cli_profile *p, const row *r, char text[24])
{
    const int memory = r->of.flops / p->peaks.flops < tn_peaks_floor(&p->peaks, r->of.flops, r->of.bytes);
    const double amount = (memory ? r->of.bytes : r->of.flops) * (double)r->calls;
    snprintf(text, 24, "%.3g %s", r->seconds > 0 ? amount / r->seconds * 1e-9 : 0, memory ? "GB/s   " : "GFLOP/s");
}

static void print_line(const char *op, const char *result, int64_t calls, double seconds, double share,
                       const char *rate, double floor)
{
    printf("%-15s %-29.29s %6" PRId64 " %10.1f %5.1f %% %14s %10.1f", op, result, calls, seconds * 1e6, share * 100,
           rate, floor * 1e6);
    if (floor > 0) printf(" %6.*f", seconds < 100 * floor ? 2 : 0, seconds / floor);
    printf("\n");
}

static double share_of(const cli_profile *p, double seconds)
{
    return p->kernels > 0 ? seconds / p->kernels : 0;
}

static void print_rest(const cli_profile *p)
{
    char what[40];
    row rest = {0};
    for (size_t i = SHOWN; i < p->rows; i++) {
        rest.calls += p->row[i].calls;
        rest.seconds += p->row[i].seconds;
        rest.floor += p->row[i].floor;
    }
    snprintf(what, sizeof what, "%zu other sorts", p->rows - SHOWN);
    print_line("...", what, rest.calls, rest.seconds, share_of(p, rest.seconds), "", rest.floor);
}

static void print_peaks(const cli_profile *p)
{
    printf("at its best the device does %.4g GFLOP/s in products;\n", p->peaks.flops * 1e-9);
    for (int i = 0; i < TN_PEAK_LEVELS; i++) printf("%s%.3g", i ? ", " : "", p->peaks.bandwidth[i] * 1e-9);
    printf(" GB/s on ");
    for (int i = 0; i < TN_PEAK_LEVELS; i++) printf("%s%" PRIu64, i ? ", " : "", p->peaks.reach[i] >> 10);
    printf(" KiB; a small kernel among many takes %.3g us\n", p->peaks.launch * 1e6);
}

void cli_profile_print(const cli_profile *p)
{
    char rate[24];
    int64_t calls = 0;
    printf("\n%-15s %-29s %6s %10s %7s %14s %10s %6s\n", "kernel", "makes", "calls", "us", "share", "rate", "floor, us",
           "times");
    for (size_t i = 0; i < p->rows; i++) {
        const row *r = &p->row[i];
        calls += r->calls;
        if (i >= SHOWN) continue;
        tell_rate(p, r, rate);
        print_line(r->of.op, r->of.result, r->calls, r->seconds, share_of(p, r->seconds), rate, r->floor);
        if (*r->of.choice) printf("    by %s\n", r->of.choice);
    }
    if (p->rows > SHOWN) print_rest(p);
    print_line("all", "", calls, p->kernels, 1, "", p->floor);
    printf("\na step takes %.1f us when nobody looks; its kernels %.1f, as %s;\nbetween them are %.1f\n", p->step * 1e6,
           p->kernels * 1e6, p->by_host ? "the host sees them, which waits for each" : "the device times them",
           fmax(p->step - p->kernels, 0) * 1e6);
    print_peaks(p);
}

/* ---- JSON ---- */

static void json_peaks(const cli_profile *p, cli_json *json)
{
    cli_json_begin(json, "peaks", '{');
    cli_json_number(json, "gflops", p->peaks.flops * 1e-9);
    cli_json_number(json, "launch", p->peaks.launch);
    cli_json_begin(json, "memory", '[');
    for (int i = 0; i < TN_PEAK_LEVELS; i++) {
        cli_json_begin(json, NULL, '{');
        cli_json_whole(json, "bytes", (int64_t)p->peaks.reach[i]);
        cli_json_number(json, "gb_per_s", p->peaks.bandwidth[i] * 1e-9);
        cli_json_end(json, '}');
    }
    cli_json_end(json, ']');
    cli_json_end(json, '}');
}

static void json_row(const cli_profile *p, const row *r, cli_json *json)
{
    cli_json_begin(json, NULL, '{');
    cli_json_text(json, "kernel", r->of.op);
    cli_json_text(json, "makes", r->of.result);
    cli_json_text(json, "device", r->of.device);
    if (*r->of.choice) cli_json_text(json, "choice", r->of.choice);
    cli_json_whole(json, "calls", r->calls);
    cli_json_number(json, "seconds", r->seconds);
    cli_json_number(json, "share", share_of(p, r->seconds));
    cli_json_number(json, "flops", r->of.flops * (double)r->calls);
    cli_json_number(json, "bytes", r->of.bytes * (double)r->calls);
    cli_json_number(json, "floor", r->floor);
    cli_json_end(json, '}');
}

void cli_profile_json(const cli_profile *p, cli_json *json)
{
    cli_json_begin(json, "profile", '{');
    cli_json_number(json, "step", p->step);
    cli_json_number(json, "kernel_seconds", p->kernels);
    cli_json_number(json, "floor", p->floor);
    cli_json_bool(json, "by_host", p->by_host);
    json_peaks(p, json);
    cli_json_begin(json, "kernels", '[');
    for (size_t i = 0; i < p->rows; i++) json_row(p, &p->row[i], json);
    cli_json_end(json, ']');
    cli_json_end(json, '}');
}
