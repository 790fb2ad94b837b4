/* devices.c: `tenon devices`: what can compute, and which backends were skipped, why. */
#include "json.h"
#include "options.h"

#include <stdio.h>
#include <stdlib.h>

static const char doc[] = "Lists the devices that can compute. Backends that could not be loaded are told on standard "
                          "error; exit status 1 if memory was short, so that some may be missing.";

static const char *kind_name(uint32_t kind)
{
    static const char *const names[] = {"?", "cpu", "gpu", "accelerator", "other"};
    return names[kind < 5 ? kind : 0];
}

/* 0 if something of it can't be told. */
static int put(cli_json *json, size_t index, const tn_device_entry *d)
{
    uint64_t total, left;
    int known = tn_device_memory(index, &total, &left);
    cli_json_begin(json, NULL, '{');
    cli_json_text(json, "device", d->name);
    cli_json_text(json, "kind", kind_name(d->info.kind));
    cli_json_text(json, "name", d->info.name);
    cli_json_text(json, "vendor", d->info.vendor);
    cli_json_text(json, "driver", d->info.driver);
    cli_json_text(json, "id", d->info.id);
    cli_json_whole(json, "units", d->info.units);
    cli_json_whole(json, "memory", (int64_t)d->info.memory);
    if (known > 0) {
        cli_json_whole(json, "memory_total", (int64_t)total);
        cli_json_whole(json, "memory_free", (int64_t)left);
    }
    cli_json_whole(json, "max_buffer", (int64_t)d->info.max_buffer);
    cli_json_end(json, '}');
    return known >= 0 || cli_failed() == CLI_OK;
}

static int list_json(void)
{
    cli_json json = {0};
    tn_device_entry device;
    int all = 1;
    cli_json_begin(&json, NULL, '[');
    for (size_t i = 0; tn_device_at(i, &device); i++) all &= put(&json, i, &device);
    cli_json_end(&json, ']');
    return all;
}

static int list(void)
{
    tn_device_entry d;
    char name[600];
    printf("%-12s %-11s %5s %9s  %s\n", "DEVICE", "KIND", "UNITS", "MEMORY", "NAME (DRIVER)");
    for (size_t i = 0; tn_device_at(i, &d); i++) {
        int used = printf("%-12s %-11s %5u %5.1f GiB  ", d.name, kind_name(d.info.kind), d.info.units,
                          (double)d.info.memory / (1 << 30));
        snprintf(name, sizeof name, "%s (%s)", d.info.name, d.info.driver);
        cli_wrap(name, 42, used);
    }
    return 1;
}

/* Options of backends are looked at when a device is opened: wrong ones are told here as everywhere. */
static int all_open(void)
{
    tn_device_entry d;
    int all = 1;
    for (size_t i = 0; tn_device_at(i, &d); i++) {
        tn_device *device = NULL;
        if (tn_device_open(d.name, &device)) all = cli_failed() == CLI_OK;
        tn_device_close(device);
    }
    return all;
}

int cli_devices(int argc, char **argv)
{
    int operands, json = 0;
    cli_option options[] = {
        {.kind = CLI_FLAG, .name = "json", .doc = "as one JSON array", .target = &json},
        {.kind = CLI_END},
    };
    int status = cli_parse(&(cli_syntax){"devices", NULL, doc, NULL, options}, argc, argv, &operands);
    if (status != CLI_GO_ON) return status;
    tn_backend_report backend;
    if (!tn_backend_at(0, &backend)) return cli_failed();
    int all = json ? list_json() : list();
    if (getenv("TENON_OPTIONS")) all &= all_open();
    for (size_t i = 0; tn_backend_at(i, &backend); i++) {
        if (backend.problem) fprintf(stderr, "skipped: %s: %s\n", cli_shown(backend.file), backend.problem);
        all &= backend.status != TN_ENOMEM;
    }
    return all ? CLI_OK : CLI_FAILED;
}
