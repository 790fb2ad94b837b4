/* crew.c: see crew.h. */
#include "crew.h"
#include "options.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AUTO   "auto+"
#define WORTH  1.1 /* times as fast with a further device as without: it stays */
#define BREAKS "+,"

uint32_t cli_crew_size(const char *names)
{
    uint32_t count = 1;
    if (!strcmp(names, AUTO)) return 2;
    for (const char *at = names; (at = strpbrk(at, BREAKS)); at++) count++;
    return count;
}

int cli_crew_one(const char *names, const char *what)
{
    if (cli_crew_size(names) == 1) return CLI_GO_ON;
    return cli_usage("--device %s: several devices are for training; %s takes one", names, what);
}

/* ---- named devices ---- */

static int add(cli_crew *crew, tn_device *device)
{
    const size_t used = strlen(crew->name);
    for (uint32_t i = 0; i < crew->count; i++)
        if (crew->device[i] == device) {
            tn_device_close(device);
            return cli_usage("--device names %s twice", tn_device_name(crew->device[i]));
        }
    snprintf(crew->name + used, sizeof crew->name - used, "%s%s", used ? "+" : "", tn_device_name(device));
    crew->device[crew->count++] = device;
    return CLI_GO_ON;
}

static int open_one(cli_crew *crew, const char *name)
{
    tn_device *device = NULL;
    if (crew->count == CLI_MOST_DEVICES) return cli_usage("--device: more than %d devices", CLI_MOST_DEVICES);
    return tn_device_open(name, &device) ? cli_failed() : add(crew, device);
}

static int open_named(cli_crew *crew, const char *names)
{
    int status = CLI_GO_ON;
    for (size_t length; status == CLI_GO_ON; names += length + 1) {
        char name[160];
        length = strcspn(names, BREAKS);
        snprintf(name, sizeof name, "%.*s", (int)length, names);
        status = open_one(crew, name);
        if (!names[length]) break;
    }
    return status;
}

/* ---- those worth using ---- */

/* A device and its speed alone, in f32 operations a second. */
typedef struct candidate {
    tn_device *device;
    double flops;
} candidate;

static int faster_first(const void *a, const void *b)
{
    const double x = ((const candidate *)a)->flops, y = ((const candidate *)b)->flops;
    return (x < y) - (x > y);
}

/* All that can be measured, but the reference. */
static uint32_t measure_each(candidate all[CLI_MOST_DEVICES])
{
    tn_device_entry entry;
    uint32_t count = 0;
    for (size_t i = 0; count < CLI_MOST_DEVICES && tn_device_at(i, &entry); i++) {
        candidate *c = &all[count];
        if (!strcmp(entry.name, "reference")) continue;
        *c = (candidate){NULL, 0};
        if (tn_device_open(entry.name, &c->device) || tn_device_measure_together(&c->device, 1, &c->flops)) {
            cli_warn(AUTO " passes over %s: %s", entry.name, tn_message());
            tn_device_close(c->device);
            continue;
        }
        cli_tell(AUTO ": %s alone does %.3g GFLOP/s\n", tn_device_name(c->device), c->flops * 1e-9);
        count++;
    }
    qsort(all, count, sizeof *all, faster_first);
    return count;
}

/* Whether the device makes those that were taken faster; *total is what they do together. */
static int is_worth_it(const cli_crew *crew, tn_device *device, double *total)
{
    tn_device *device_list[CLI_MOST_DEVICES + 1];
    double flops[CLI_MOST_DEVICES + 1], sum = 0;
    memcpy(device_list, crew->device, sizeof crew->device);
    device_list[crew->count] = device;
    if (tn_device_measure_together(device_list, crew->count + 1, flops))
        return cli_warn(AUTO " passes over %s: %s", tn_device_name(device), tn_message()), 0;
    for (uint32_t i = 0; i <= crew->count; i++) sum += flops[i];
    const int worth = sum >= WORTH * *total;
    cli_tell(AUTO ": %s and %s together do %.3g GFLOP/s, %.2f times as much: %s\n", crew->name, tn_device_name(device),
             sum * 1e-9, sum / *total, worth ? "taken" : "left out");
    if (worth) *total = sum;
    return worth;
}

static int open_worth(cli_crew *crew, uint32_t most)
{
    candidate all[CLI_MOST_DEVICES];
    const uint32_t count = measure_each(all);
    int status = count ? add(crew, all[0].device) : open_one(crew, "reference");
    double total = count ? all[0].flops : 0;
    for (uint32_t i = 1; i < count; i++) {
        const int takes = status == CLI_GO_ON && crew->count < most && is_worth_it(crew, all[i].device, &total);
        if (takes)
            status = add(crew, all[i].device);
        else
            tn_device_close(all[i].device);
    }
    return status;
}

int cli_crew_open(cli_crew *crew, const char *names, uint32_t most)
{
    return strcmp(names, AUTO) ? open_named(crew, names) : open_worth(crew, most);
}

void cli_crew_close(cli_crew *crew)
{
    for (uint32_t i = 0; i < crew->count; i++) tn_device_close(crew->device[i]);
    free(crew->shares);
    *crew = (cli_crew){0};
}

/* ---- shares ---- */

int cli_crew_read_shares(cli_crew *crew, const char *text, uint32_t workers)
{
    const char *at = text;
    if (!text) return CLI_GO_ON;
    crew->shares = calloc(workers, sizeof *crew->shares);
    if (!crew->shares) return cli_fail("out of memory");
    for (uint32_t i = 0; i < workers; i++) {
        char *end;
        const unsigned long share = strtoul(at, &end, 10);
        if (*at < '0' || *at > '9' || share > 65536 || *end != (i + 1 < workers ? ':' : 0))
            return cli_usage("--shares '%s' is not %u number%s with ':' between, one a device", text, workers,
                             workers == 1 ? "" : "s");
        crew->shares[i] = (uint32_t)share;
        at = end + 1;
    }
    return CLI_GO_ON;
}

static uint32_t sum_of_shares(const tn_training *t)
{
    tn_training_share share;
    uint32_t sum = 0;
    for (uint32_t i = 0; tn_training_share_at(t, i, &share); i++) sum += share.shards;
    return sum;
}

static int are_unlike(const tn_training *t)
{
    tn_training_share first, share;
    if (!tn_training_share_at(t, 0, &first)) return 0;
    for (uint32_t i = 1; tn_training_share_at(t, i, &share); i++)
        if (strcmp(first.kind, share.kind) != 0) return 1;
    return 0;
}

static void warn_of_fallback(const tn_training_share *share)
{
    tn_program_report r;
    tn_program_get_report(share->program, &r);
    if (r.fallback_nodes)
        cli_warn("%u of %u operators run on another device than %s, with %" PRIu64 " bytes copied a shard; first %s: "
                 "%s",
                 r.fallback_nodes, r.nodes, share->device, r.fallback_bytes, r.fallback_first, r.fallback_why);
}

void cli_crew_report(const cli_crew *crew, const tn_training *t)
{
    const uint32_t shards = sum_of_shares(t);
    tn_training_share share;
    char text[1024] = "";
    if (crew->count < 2 && !are_unlike(t)) return;
    for (uint32_t i = 0; tn_training_share_at(t, i, &share); i++) {
        const size_t used = strlen(text);
        if (i)
            snprintf(text + used, sizeof text - used, ", %s takes %u", share.device, share.shards);
        else
            snprintf(text, sizeof text, "%s takes %u of %u shards", share.device, share.shards, shards);
        if (i && share.program) warn_of_fallback(&share);
    }
    cli_tell("%s\n", text);
}

void cli_crew_notes(const cli_crew *crew, const tn_training *t, char names[512], char shares[512])
{
    tn_training_share share;
    const int matters = crew->count > 1 && are_unlike(t);
    snprintf(names, 512, "%s", matters ? crew->name : "");
    *shares = 0;
    for (uint32_t i = 0; matters && tn_training_share_at(t, i, &share); i++)
        snprintf(shares + strlen(shares), 512 - strlen(shares), "%s%u", i ? ":" : "", share.shards);
}
