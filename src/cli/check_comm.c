/* check_comm.c: `tenon check --comm`: a communicator, between threads or between the processes of a launcher. */
#include "cli.h"
#include "json.h"
#include "tenon/check.h"

#include <inttypes.h>
#include <stdio.h>

typedef struct report {
    cli_json out;
    int json, count[3];
} report;

static const char *const outcomes[] = {"passed", "FAILED", "unsupported"};

static void put_json(report *r, const tn_check_exchange *row)
{
    cli_json_begin(&r->out, NULL, '{');
    cli_json_text(&r->out, "case", row->name);
    cli_json_whole(&r->out, "ranks", row->ranks);
    cli_json_text(&r->out, "outcome", outcomes[row->outcome]);
    cli_json_text(&r->out, "doc", row->doc);
    if (*row->detail) cli_json_text(&r->out, "detail", row->detail);
    cli_json_end(&r->out, '}');
}

static void take(void *arg, const tn_check_exchange *row)
{
    report *r = arg;
    r->count[row->outcome]++;
    if (r->json) {
        put_json(r, row);
        return;
    }
    printf("%-10s %" PRIu32 " rank%s %-11s  %s\n", row->name, row->ranks, row->ranks == 1 ? " " : "s",
           outcomes[row->outcome], row->doc);
    if (*row->detail) printf("    %s\n", cli_shown(row->detail));
    fflush(stdout);
}

int cli_check_comm(const char *name, int json)
{
    report r = {.json = json};
    cli_be_worker();
    tn_status s = tn_check_communicator(name, take, &r);
    if (s) return cli_failed(), cli_status(s);
    return r.count[TN_CHECK_FAILED] ? CLI_FAILED : CLI_OK;
}
