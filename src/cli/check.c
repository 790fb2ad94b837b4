/* check.c: `tenon check`: the conformance kit's results as a table, as JSON, or as a support matrix in Markdown. */
#include "json.h"
#include "options.h"
#include "tenon/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char doc[] =
    "Puts a device ('cpu', 'opencl:0') or the first device of a backend's file (a name with a '/' or that ends in "
    "'.so') through the conformance kit. For a file's other devices put its whole path into TENON_BACKEND_PATH and "
    "name the device ('mine:1'). Each case runs in a process of its own. With --model it tries a saved network "
    "instead: each operator, forward and backward, alone and then all together, against an interpreter of the network "
    "in double precision; with --comm a communicator between workers. 'N % of the budget' is the largest error in "
    "parts of what is allowed: up to 100 % passes. Exit status 0: all passed or were declared unsupported; 1: one "
    "failed; 2: a mistake in what was typed.";

static const int32_t types[] = {
#define X(NAME, ...) TN_##NAME,
#include "tenon/dtype.def"
#undef X
};
enum { MOST_OPS = 400, TYPES = sizeof types / sizeof *types };

/* One operator's outcomes in the matrix: 0 no case, else 1 + TN_CHECK_..., 4: some operations were refused. */
typedef struct matrix_row {
    char op[48];
    char cell[TYPES][2];
} matrix_row;

typedef struct report {
    int json, markdown, list;
    cli_json out;
    uint32_t count[4], total;
    struct {
        char name[32];
        uint32_t count[4];
    } groups[16];
    uint32_t n_groups;
    char *failures; /* of Markdown: what failed, a line each */
    size_t failures_size;
    FILE *failures_to;
    matrix_row *matrix;
    uint32_t n_ops;
} report;

static const char *const outcome_name[] = {"passed", "FAILED", "unsupported", "listed"};

/* ---- collecting ---- */

static void put_in_matrix(report *r, const tn_check_row *row)
{
    uint32_t i = 0;
    while (i < r->n_ops && strcmp(r->matrix[i].op, row->op)) i++;
    if (i == MOST_OPS) return;
    if (i == r->n_ops) snprintf(r->matrix[r->n_ops++].op, sizeof r->matrix[i].op, "%s", row->op);
    for (int t = 0; t < TYPES; t++)
        if (types[t] == row->dtype)
            r->matrix[i].cell[t][row->backward] =
                (char)(row->outcome == TN_CHECK_PASSED && row->refused ? 4 : 1 + row->outcome);
}

static void put_in_group(report *r, const tn_check_row *row)
{
    size_t length = strcspn(row->name, "/");
    uint32_t i = 0;
    while (i < r->n_groups && (strlen(r->groups[i].name) != length || memcmp(r->groups[i].name, row->name, length)))
        i++;
    if (i == sizeof r->groups / sizeof *r->groups) return;
    if (i == r->n_groups) snprintf(r->groups[r->n_groups++].name, 32, "%.*s", (int)length, row->name);
    r->groups[i].count[row->outcome]++;
}

/* ---- a row in each form ---- */

static void put_json(report *r, const tn_check_row *row)
{
    cli_json_begin(&r->out, NULL, '{');
    cli_json_text(&r->out, "case", row->name);
    cli_json_text(&r->out, "outcome", outcome_name[row->outcome]);
    if (row->doc) cli_json_text(&r->out, "doc", row->doc);
    cli_json_whole(&r->out, "checks", row->checks);
    cli_json_whole(&r->out, "refused", row->refused);
    cli_json_number(&r->out, "worst", row->worst);
    cli_json_number(&r->out, "seconds", row->seconds);
    if (*row->detail) cli_json_text(&r->out, "detail", row->detail);
    if (row->source) cli_json_text(&r->out, "source", row->source);
    cli_json_end(&r->out, '}');
}

static void put_line(const report *r, const tn_check_row *row)
{
    if (r->list) {
        printf("%-44s %s\n", row->name, row->doc ? row->doc : "");
        return;
    }
    printf("%-44s %-11s %7u checks %6.2f s", row->name, outcome_name[row->outcome], row->checks, row->seconds);
    if (row->worst > 0) printf("  %3.0f %% of the budget", 100 * row->worst);
    if (*row->detail) printf("\n    %s", row->detail);
    printf("\n%s", row->source ? row->source : "");
    fflush(stdout);
}

static void take(void *arg, const tn_check_row *row)
{
    report *r = arg;
    r->count[row->outcome]++;
    r->total++;
    put_in_group(r, row);
    if (row->op && !strncmp(row->name, "operators/", 10)) put_in_matrix(r, row);
    if (row->outcome == TN_CHECK_FAILED && r->failures_to)
        fprintf(r->failures_to, "- `%s`: %s\n", row->name, row->detail);
    if (r->json) put_json(r, row);
    if (!r->json && !r->markdown) put_line(r, row);
}

/* ---- Markdown ---- */

/* The types: passed, in part*, ~~refused~~, **FAILED**. */
static void print_cell(const matrix_row *row, int backward)
{
    static const char *const before[] = {"", " ", " **", " ~~", " "}, *const after[] = {"", "", " FAILS**", "~~",
                                                                                        "\\*"};
    for (int t = 0; t < TYPES; t++) {
        int cell = row->cell[t][backward];
        if (cell) printf("%s%s%s", before[cell], tn_dtype_name(types[t]), after[cell]);
    }
    printf(" |");
}

/* Operators of which the same is to be said share a line. */
static void print_matrix(const report *r)
{
    if (!r->n_ops) return;
    printf("\n| operators | forward | gradient |\n| --- | --- | --- |\n");
    for (uint32_t i = 0; i < r->n_ops; i++) {
        uint32_t first = 0;
        while (memcmp(r->matrix[first].cell, r->matrix[i].cell, sizeof r->matrix->cell)) first++;
        if (first < i) continue;
        printf("| %s", r->matrix[i].op);
        for (uint32_t k = i + 1; k < r->n_ops; k++)
            if (!memcmp(r->matrix[k].cell, r->matrix[i].cell, sizeof r->matrix->cell)) printf(", %s", r->matrix[k].op);
        printf(" |");
        print_cell(&r->matrix[i], 0);
        print_cell(&r->matrix[i], 1);
        printf("\n");
    }
}

static void print_markdown(report *r, const tn_check_target *about, int64_t seed)
{
    printf("### %s: %s\n\nBackend `%s` %s; driver %s; seed %lld.\n\n", about->device, about->name, about->backend,
           about->version, about->driver, (long long)seed);
    printf("| group | passed | failed | unsupported |\n| --- | --- | --- | --- |\n");
    for (uint32_t i = 0; i < r->n_groups; i++)
        printf("| %s | %u | %u | %u |\n", r->groups[i].name, r->groups[i].count[0], r->groups[i].count[1],
               r->groups[i].count[2]);
    fflush(r->failures_to);
    if (r->failures_size) printf("\nFailures:\n\n%s", r->failures);
    print_matrix(r);
}

/* ---- the command ---- */

static void finish(report *r, const tn_check_target *about, int64_t seed)
{
    if (r->json) {
        cli_json_begin(&r->out, NULL, '{');
        cli_json_bool(&r->out, "done", 1);
        cli_json_text(&r->out, "device", about->device);
        cli_json_text(&r->out, "name", about->name);
        cli_json_text(&r->out, "driver", about->driver);
        cli_json_whole(&r->out, "seed", seed);
        for (int i = 0; i < 3; i++) cli_json_whole(&r->out, outcome_name[i], r->count[i]);
        cli_json_end(&r->out, '}');
    } else if (r->markdown) {
        print_markdown(r, about, seed);
    } else if (!r->list) {
        printf("%s (%s, %s), seed %lld: %u cases, %u passed, %u failed, %u unsupported\n", about->device, about->name,
               about->driver, (long long)seed, r->total, r->count[0], r->count[1], r->count[2]);
    }
}

/* What is to be checked, and how. */
typedef struct request {
    report report;
    tn_check_options kit;
    int64_t seed, cases, first;
    double limit;
    int perf;
    const char *backend_options, *model, *device, *comm;
    cli_option rows[15];
} request;

static int run(request *q, const char *target)
{
    tn_check_target about;
    report *r = &q->report;
    r->matrix = calloc(MOST_OPS, sizeof *r->matrix);
    r->failures_to = open_memstream(&r->failures, &r->failures_size);
    if (!r->matrix || !r->failures_to) return cli_fail("out of memory");
    tn_status s = tn_check(target, &q->kit, &about, take, r);
    int whole = !fflush(r->failures_to) && !ferror(r->failures_to);
    if (!s) finish(r, &about, q->seed);
    fclose(r->failures_to);
    free(r->failures);
    free(r->matrix);
    if (s) cli_failed();
    if (!s && !whole) s = TN_ENOMEM, cli_fail("out of memory");
    return s ? cli_status(s) : r->count[TN_CHECK_FAILED] ? CLI_FAILED : CLI_OK;
}

/* ---- what was typed ---- */

static void make_options(request *q)
{
    const cli_option rows[] = {
        {CLI_TEXT, "only", "PATTERN[,...]", "cases whose name has one of these in it, or fits it", &q->kit.only, 0, 0,
         0, 0, 0, 0},
        {CLI_WHOLE, "seed", "N", "of the random numbers (1; of a network its own)", &q->seed, 0, 1e15, 0, 0, 0, 0},
        {CLI_WHOLE, "cases", "N", "random programs (200); at most, of an operator's cases (all)", &q->cases, 0, 1e9, 0,
         0, 0, 0},
        {CLI_WHOLE, "first", "N", "the number of the first of them (0)", &q->first, 0, 1e15, 0, 0, 0, 0},
        {CLI_NUMBER, "time-limit", "S", "seconds of processor time for each case (120)", &q->limit, 0, 1e6, 0, 0, 0, 0},
        {CLI_TEXT, "chat", "TEXT", "the driver may print lines with this in it", &q->kit.chat, 0, 0, 0, 0, 0, 0},
        {CLI_TEXT, "option", "B.KEY=VALUE,...", "options of backend B: cpu.grain=0,cpu.own=1", &q->backend_options, 0,
         0, 0, 0, 0, 0},
        {CLI_FLAG, "list", "", "the cases' names alone", &q->report.list, 0, 0, 0, 0, 0, 0},
        {CLI_FLAG, "perf", "", "measures speed instead", &q->perf, 0, 0, 0, 0, 0, 0},
        {CLI_FLAG, "json", "", "as JSON, one object a case", &q->report.json, 0, 0, 0, 0, 0, 0},
        {CLI_FLAG, "markdown", "", "as a support matrix in Markdown", &q->report.markdown, 0, 0, 0, 0, 0, 0},
        {CLI_TEXT, "model", "FILE", "tries a saved network; with --device, --seed, --option and --json", &q->model, 0,
         0, 0, 0, 0, 0},
        {CLI_TEXT, "device", "NAME", "where the network is tried (auto)", &q->device, 0, 0, 0, 0, 0, 0},
        {CLI_TEXT, "comm", "NAME", "tries a communicator, by its name or file; with --option and --json", &q->comm, 0,
         0, 0, 0, 0, 0},
        {CLI_END, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    };
    *q = (request){.seed = 1, .limit = 120, .device = "auto"};
    memcpy(q->rows, rows, sizeof rows);
}

static int is_among(const char *const list[], const char *name)
{
    while (*list && strcmp(*list, name)) list++;
    return *list != NULL;
}

/* What was given belongs to what is asked for: a network, a communicator, or a device. */
static int check_given(request *q, int operands)
{
    static const char *const of_models[] = {"model", "device", "seed", "option", "json", NULL};
    static const char *const of_comms[] = {"comm", "option", "json", NULL};
    const char *const *allowed = q->model ? of_models : q->comm ? of_comms : NULL;
    if (!allowed && operands != 1) return cli_usage("check takes one device or file; 'tenon devices' lists devices");
    if (allowed && operands)
        return cli_usage("check takes a device to try, or --%s, not both", q->model ? "model FILE" : "comm NAME");
    for (const cli_option *o = q->rows; o->kind != CLI_END; o++)
        if (o->given && allowed && !is_among(allowed, o->name))
            return cli_usage(q->model ? "--%s is not for --model, which tries all operators"
                                      : "--%s is not for --comm, which tries all that teams do",
                             o->name);
    if (!q->model && cli_given(q->rows, "device"))
        return cli_usage("--device belongs to --model FILE; to try the device itself: tenon check %s", q->device);
    return CLI_GO_ON;
}

int cli_check(int argc, char **argv)
{
    request q;
    int operands;
    make_options(&q);
    int status = cli_parse(&(cli_syntax){"check", "DEVICE|FILE.so", doc, NULL, q.rows}, argc, argv, &operands);
    if (status == CLI_GO_ON) status = check_given(&q, operands);
    if (status == CLI_GO_ON && q.backend_options && tn_backend_options(q.backend_options))
        status = cli_usage("--option: %s", tn_message());
    if (status != CLI_GO_ON) return status;
    if (q.comm) return cli_check_comm(q.comm, q.report.json);
    if (q.model) return cli_check_model(q.model, q.device, cli_given(q.rows, "seed") ? q.seed : -1, q.report.json);
    q.kit.seed = (uint64_t)q.seed, q.kit.first = (uint64_t)q.first, q.kit.cases = (uint64_t)q.cases;
    q.kit.list = (uint32_t)q.report.list, q.kit.perf = (uint32_t)q.perf, q.kit.time_limit = q.limit;
    return run(&q, argv[1]);
}
