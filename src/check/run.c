/* run.c: tn_check: finds the device, lists the cases, runs each in a process of its own and tells what became of it. */
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alloc.h"
#include "error.h"
#include "given.h"
#include "kit.h"
#include "hash.h"
#include "plain.h"
#include "registry.h"
#include "system.h"
#include "text.h"
#include "watch.h"

#define TIME_LIMIT 120.0 /* seconds of processor time */

typedef struct session {
    const tn_check_options *options;
    tn_kit_target target;
    tn_kit_result *result; /* shared with the case's process */
    uint64_t most;         /* of an operator's cases; 0: all */
    int output;            /* what a case's process prints goes into this file */
} session;

/* ---- the case's process ---- */

static void redirect(const session *s)
{
    int nothing = open("/dev/null", O_RDONLY);
    if (nothing >= 0) dup2(nothing, 0);
    dup2(s->output, 1);
    dup2(s->output, 2);
    tn_log_to(NULL, NULL, TN_LOG_ERROR);
}

static void work(const session *s, const tn_kit_case *c)
{
    char name[200];
    snprintf(name, sizeof name, "%s/%s", c->group, c->name);
    tn_kit kit = {.target = &s->target, .now = c, .result = s->result, .seed = s->options->seed, .most = s->most};
    kit.msg = (tn_msg){kit.text, sizeof kit.text};
    kit.random = (s->options->seed + 1) * 0x9E3779B97F4A7C15u ^ tn_hash_text(name);
    if (!kit.random) kit.random = 1;
    for (int i = 0; i < 8; i++) (void)tn_kit_bits(&kit);
    redirect(s);
    c->run(&kit);
    s->result->finished = 1;
    if (s->result->exits) exit(0);
    fflush(NULL);
    _exit(0);
}

/* Whether a line is no fault of the backend's. A sanitizer tells of each allocation that is too large before it answers
 * NULL, and cases ask for such. */
static int is_allowed(const session *s, const char *line)
{
    int sanitizer = !strncmp(line, "==", 2) && strstr(line, "Sanitizer failed to allocate");
    return !line[strspn(line, " ")] || sanitizer || (s->options->chat && strstr(line, s->options->chat));
}

/* The first line that the process printed and that is not allowed, or "". */
static char *first_line(const session *s, char *line, size_t room)
{
    off_t at = 0;
    do {
        ssize_t n = pread(s->output, line, room - 1, at);
        line[n > 0 ? n : 0] = 0;
        size_t length = strcspn(line, "\n");
        at += (off_t)length + (length < (size_t)n); /* a zero byte ends one, too */
        line[length] = 0;
        if (n <= 0) return line;
    } while (is_allowed(s, line));
    return line;
}

static void conclude(const session *s, int status, double limit)
{
    tn_kit_result *r = s->result;
    char text[4000], *line = first_line(s, text, sizeof text), why[300];
    if (r->failed) return;
    if (status == TN_KIT_TOO_LONG)
        tn_snprintf(why, sizeof why, "it was killed: not done after %.0f s of processor time", limit);
    else if (status == TN_KIT_IDLE)
        tn_snprintf(why, sizeof why, "it was killed: it did next to nothing for %.0f s", limit);
    else if (status == TN_KIT_STUCK)
        snprintf(why, sizeof why, "it was killed: a deadlock, each of its threads waits for another one");
    else if (WIFSIGNALED(status))
        snprintf(why, sizeof why, "it died of %s%s%.200s", strsignal(WTERMSIG(status)), *line ? ": " : "", line);
    else if (!r->finished || WEXITSTATUS(status))
        snprintf(why, sizeof why, "the process was ended with status %d%s%.200s", WEXITSTATUS(status),
                 *line ? ": " : "", line);
    else if (*line)
        snprintf(why, sizeof why, "it prints: %.250s", line);
    else if (!r->checks && !r->refused)
        snprintf(why, sizeof why, "nothing was checked");
    else
        return;
    r->failed = 1;
    snprintf(r->detail, sizeof r->detail, "%s", why);
}

/* Runs `c` beside this process, with what lies in the shared memory. */
static tn_status run_beside(session *s, const tn_kit_case *c)
{
    double limit = s->options->time_limit > 0 ? s->options->time_limit : TIME_LIMIT;
    TN_REQUIRE(!ftruncate(s->output, 0), TN_EIO, "check: the file for a case's output cannot be emptied");
    lseek(s->output, 0, SEEK_SET);
    fflush(NULL);
    pid_t pid = fork();
    TN_REQUIRE(pid >= 0, TN_ENOMEM, "check: no process for a case");
    if (!pid) work(s, c);
    conclude(s, tn_kit_wait_for(pid, limit), limit);
    return TN_OK;
}

/* The same, from nothing; s->result tells what became of it. Where none of the operator's cases that are tried is one
 * for this type, all are. */
static tn_status run_case(session *s, const tn_kit_case *c)
{
    s->most = s->options->cases;
    memset(s->result, 0, sizeof *s->result);
    TN_TRY(run_beside(s, c));
    if (!s->most || !s->result->finished || s->result->checks || s->result->refused) return TN_OK;
    s->most = 0;
    memset(s->result, 0, sizeof *s->result);
    return run_beside(s, c);
}

/* ---- finding the device, in a process of its own as well: drivers do not survive a fork ---- */

static const char *wanted; /* what the user typed; the probe's process gets a copy */

/* What stands in the list for a loaded backend. Starts no other. */
static const tn_entry *entry_of(const tn_backend *backend)
{
    const tn_entry *e;
    tn_registry_lock();
    for (size_t i = 0; (e = tn_registry_at(i)); i++)
        if (e->backend == backend) break;
    tn_registry_unlock();
    return e;
}

/* What stands there for a file that was loaded. */
static const tn_entry *entry_of_file(const char *file)
{
    const tn_entry *e;
    struct stat info;
    if (stat(file, &info)) return NULL;
    tn_registry_lock();
    for (size_t i = 0; (e = tn_registry_at(i)); i++)
        if (e->inode == info.st_ino && e->device == info.st_dev) break;
    tn_registry_unlock();
    return e;
}

static int is_file(const char *name)
{
    size_t length = strlen(name);
    return strchr(name, '/') || (length > 3 && !strcmp(name + length - 3, ".so"));
}

static tn_status open_wanted(tn_device **device)
{
    char name[64], real[4096];
    if (!is_file(wanted)) return tn_device_open(wanted, device);
    TN_REQUIRE(realpath(wanted, real), TN_EMISSING, "no file '%s'", wanted);
    TN_TRY(tn_backend_load(real));
    const tn_entry *e = entry_of_file(real);
    TN_REQUIRE(e, TN_EMISSING, "'%s' is there no more", wanted);
    TN_REQUIRE(!e->problem, TN_EDEVICE, "it %s", e->problem);
    snprintf(name, sizeof name, "%s:0", e->id);
    return tn_device_open(name, device) ? tn_device_open(e->id, device) : TN_OK;
}

static void probe(tn_kit *kit)
{
    tn_device *device = NULL;
    tn_kit_target *t = &kit->result->target;
    t->found = open_wanted(&device);
    if (!tn_kit_expect(kit, !t->found, "%.500s", tn_message())) return;
    const tn_entry *e = entry_of(device->backend);
    t->devices = e->n_slots;
    snprintf(t->file, sizeof t->file, "%s", e->inode ? e->file : "");
    t->index = device->index;
    snprintf(t->id, sizeof t->id, "%.*s", (int)sizeof t->id - 1, device->info.id);
    snprintf(t->about.device, sizeof t->about.device, "%s", device->name);
    snprintf(t->about.name, sizeof t->about.name, "%s", device->info.name);
    snprintf(t->about.driver, sizeof t->about.driver, "%s", device->info.driver);
    snprintf(t->about.backend, sizeof t->about.backend, "%s", device->backend->id);
    snprintf(t->about.version, sizeof t->about.version, "%s", device->backend->version ? device->backend->version : "");
}

static tn_status find_target(session *s, const char *name)
{
    static const tn_kit_case find = {"probe", "device", NULL, probe, NULL, 0, 0};
    wanted = name;
    TN_TRY(run_case(s, &find));
    s->target = s->result->target;
    TN_REQUIRE(*s->target.about.device, s->target.found ? s->target.found : TN_EDEVICE, "%s: %s", name,
               s->result->detail);
    tn_text_clean(s->target.about.version, sizeof s->target.about.version);
    return TN_OK;
}

/* ---- the list of cases ---- */

typedef struct case_list {
    tn_kit_case *items;
    uint32_t count, capacity;
    tn_region names;
} case_list;

static tn_status add(case_list *list, tn_kit_case c)
{
    TN_TRY(tn_grow(&list->items, &list->capacity, list->count + 1, sizeof *list->items));
    list->items[list->count++] = c;
    return TN_OK;
}

static tn_status add_group(case_list *list, const tn_kit_case *cases)
{
    for (; cases->run; cases++) TN_TRY(add(list, *cases));
    return TN_OK;
}

/* Whether an operator's first case exists in that type, and has a gradient. */
static int has_form(const tn_op_def *op, int32_t dtype, uint32_t backward)
{
    tn_tensor *in[4], *y = NULL;
    int found = 0;
    for (const tn_op_case *c = op->cases; c && c->build && !found; c++) {
        tn_graph *graph = backward && c->no_gradient ? NULL : tn_case_graph(c, dtype, in, &y);
        found = graph && tn_case_is_of(op, graph, dtype);
        if (found && backward) found = in[0] && tn_case_outputs(in, y, 1);
        tn_graph_free(graph);
    }
    return found;
}

/* Of what is large, gradients are tried in f32 alone: they take the most time, and other types take other kernels, not
 * other sizes. */
static int is_tried(const char *group, int32_t dtype, int backward)
{
    return !backward || dtype == TN_F32 || strcmp(group, "large");
}

static tn_status add_operator(case_list *list, const char *group, const tn_op_def *op)
{
    static const int32_t dtypes[] = {
#define X(NAME, ...) TN_##NAME,
#include "tenon/dtype.def"
#undef X
    };
    for (int backward = 0; backward < 2; backward++)
        for (size_t t = 0; t < sizeof dtypes / sizeof *dtypes; t++) {
            if (!is_tried(group, dtypes[t], backward) || !has_form(op, dtypes[t], (uint32_t)backward)) continue;
            const char *name = tn_region_print(&list->names, "%s/%s/%s", op->name, tn_dtype_name(dtypes[t]),
                                               backward ? "backward" : "forward");
            tn_kit_case c = {group, name, op->doc, tn_kit_run_operator, op, dtypes[t], (uint32_t)backward};
            if (!name) return TN_ENOMEM;
            TN_TRY(add(list, c));
        }
    return TN_OK;
}

static tn_status add_operators(case_list *list)
{
    const tn_op_def *op;
    for (size_t i = 0; (op = tn_op_number(i)); i++)
        if (op->kind != TN_LEAF && op->kind != TN_VIEW) TN_TRY(add_operator(list, "operators", op));
    return TN_OK;
}

static tn_status add_large(case_list *list)
{
    for (const tn_op_def *sizes = tn_kit_large_sizes; sizes->name; sizes++) TN_TRY(add_operator(list, "large", sizes));
    return TN_OK;
}

static tn_status add_gradients(case_list *list)
{
    const tn_op_def *op;
    for (size_t i = 0; (op = tn_op_number(i)); i++)
        if (has_form(op, TN_F32, 1)) {
            tn_kit_case c = {"gradients", op->name, op->doc, tn_kit_run_gradient, op, TN_F64, 1};
            TN_TRY(add(list, c));
        }
    return add_group(list, tn_kit_gradients);
}

/* So few that a device that compiles slowly is done with them in time. */
enum { PROGRAMS = 200, PROGRAMS_OF_A_CASE = 10 };

static tn_status add_programs(case_list *list, const tn_check_options *options)
{
    uint64_t end = options->first + (options->cases ? options->cases : PROGRAMS), next;
    for (uint64_t first = options->first; first < end; first = next) {
        next = first + PROGRAMS_OF_A_CASE < end ? first + PROGRAMS_OF_A_CASE : end;
        const char *name = tn_region_print(&list->names, "random-%llu", (unsigned long long)first);
        if (!name) return TN_ENOMEM;
        tn_kit_case c = {"graphs", name, "random programs give what the interpreter gives", tn_kit_random_graphs};
        c.first = first, c.count = next - first;
        TN_TRY(add(list, c));
    }
    return TN_OK;
}

static tn_status list_groups(case_list *list, const tn_check_options *options)
{
    if (options->perf) return add_group(list, tn_kit_perf);
    TN_TRY(add_group(list, tn_kit_loading));
    TN_TRY(add_group(list, tn_kit_abi));
    TN_TRY(add_group(list, tn_kit_asking));
    TN_TRY(add_group(list, tn_kit_unasked));
    TN_TRY(add_group(list, tn_kit_stored));
    TN_TRY(add_group(list, tn_kit_ends));
    TN_TRY(add_group(list, tn_kit_levels));
    TN_TRY(add_group(list, tn_kit_kept));
    TN_TRY(add_group(list, tn_kit_chosen));
    TN_TRY(add_group(list, tn_kit_failure));
    TN_TRY(add_group(list, tn_kit_memory));
    TN_TRY(add_group(list, tn_kit_pinned));
    TN_TRY(add_group(list, tn_kit_far));
    TN_TRY(add_group(list, tn_kit_queues));
    TN_TRY(add_group(list, tn_kit_events));
    TN_TRY(add_group(list, tn_kit_wrong_calls));
    TN_TRY(add_group(list, tn_kit_company));
    TN_TRY(add_group(list, tn_kit_flow));
    TN_TRY(add_group(list, tn_kit_waits));
    TN_TRY(add_group(list, tn_kit_spans));
    TN_TRY(add_operators(list));
    TN_TRY(add_large(list));
    TN_TRY(add_group(list, tn_kit_queue_load));
    TN_TRY(add_group(list, tn_kit_load));
    TN_TRY(add_group(list, tn_kit_crowd));
    TN_TRY(add_group(list, tn_kit_consistency));
    TN_TRY(add_group(list, tn_kit_families));
    TN_TRY(add_group(list, tn_kit_programs));
    TN_TRY(add_group(list, tn_kit_samples));
    TN_TRY(add_group(list, tn_kit_environment));
    TN_TRY(add_gradients(list));
    TN_TRY(add_programs(list, options));
    TN_TRY(add_group(list, tn_kit_graphs));
    TN_TRY(add_group(list, tn_kit_robustness));
    TN_TRY(add_group(list, tn_kit_around));
    return add_group(list, tn_kit_unmade);
}

/* A case that can't be built for lack of memory is none that doesn't exist. */
static tn_status list_all(case_list *list, const tn_check_options *options)
{
    uint64_t failures = tn_alloc_failures();
    TN_TRY(list_groups(list, options));
    TN_REQUIRE(tn_alloc_failures() == failures, TN_ENOMEM, "out of memory for the list of cases");
    return TN_OK;
}

/* ---- running them ---- */

/* The random program that failed, as small as it gets: the text of its calls, which the caller frees. */
static char *make_small(session *s)
{
    static const tn_kit_case shrink = {"graphs", "shrink", NULL, tn_kit_shrink_graph};
    char detail[sizeof s->result->detail], *text = NULL;
    size_t size;
    memcpy(detail, s->result->detail, sizeof detail);
    s->result->failed = s->result->finished = 0;
    tn_status status = run_beside(s, &shrink);
    FILE *to = status ? NULL : open_memstream(&text, &size);
    if (to) {
        fprintf(to, "    /* seed %llu; %s */\n", (unsigned long long)s->result->seed, s->result->detail);
        tn_recipe_print(&s->result->recipe, to);
        fclose(to);
    }
    memcpy(s->result->detail, detail, sizeof detail);
    s->result->failed = 1;
    return text;
}

/* Whether one of the patterns between commas is in the name, or fits it. */
static int is_named(const char *name, const char *patterns)
{
    char one[200];
    for (size_t length; *patterns; patterns += length + (patterns[length] == ',')) {
        length = strcspn(patterns, ",");
        tn_snprintf(one, sizeof one, "%.*s", (int)length, patterns);
        if (length && (strstr(name, one) || !fnmatch(one, name, 0))) return 1;
    }
    return 0;
}

static tn_status run_and_tell(session *s, const tn_kit_case *c, const char *name,
                              void (*row)(void *arg, const tn_check_row *row), void *arg)
{
    double begin = tn_kit_now();
    char *source = NULL;
    tn_check_row r = {.name = name,
                      .doc = c->doc,
                      .op = c->op ? c->op->name : NULL,
                      .dtype = c->dtype,
                      .backward = c->backward,
                      .outcome = TN_CHECK_LISTED,
                      .detail = ""};
    if (!s->options->list) {
        TN_TRY(run_case(s, c));
        if (s->result->failed && s->result->recipe.count) r.source = source = make_small(s);
        r.detail = tn_text_clean(s->result->detail, sizeof s->result->detail);
        r.checks = s->result->checks, r.refused = s->result->refused, r.worst = s->result->worst;
        r.outcome = s->result->failed ? TN_CHECK_FAILED : r.checks ? TN_CHECK_PASSED : TN_CHECK_UNSUPPORTED;
        r.seconds = tn_kit_now() - begin;
    }
    row(arg, &r);
    free(source);
    return TN_OK;
}

static tn_status run_list(session *s, const case_list *list, void (*row)(void *arg, const tn_check_row *row), void *arg)
{
    uint32_t ran = 0;
    char name[200];
    for (uint32_t i = 0; i < list->count; i++) {
        const tn_kit_case *c = &list->items[i];
        const char *only = s->options->only;
        snprintf(name, sizeof name, "%s/%s", c->group, c->name);
        if (only && !is_named(name, only)) continue;
        TN_TRY(run_and_tell(s, c, name, row, arg));
        ran++;
    }
    TN_REQUIRE(ran, TN_EMISSING, "no case fits '%s'", s->options->only ? s->options->only : "");
    return TN_OK;
}

static tn_status run_all(session *s, const char *target, tn_check_target *about,
                         void (*row)(void *arg, const tn_check_row *row), void *arg)
{
    case_list list = {0};
    tn_status status = find_target(s, target);
    if (!status && about) *about = s->target.about;
    if (!status) status = list_all(&list, s->options);
    if (!status) status = run_list(s, &list, row, arg);
    tn_free(list.items);
    tn_region_free(&list.names);
    return status;
}

tn_status tn_check(const char *target, const tn_check_options *options, tn_check_target *about,
                   void (*row)(void *arg, const tn_check_row *row), void *arg)
{
    static const tn_check_options usual;
    TN_GIVEN(target);
    TN_REQUIRE(row, TN_EINVAL, "tn_check: row is NULL");
    session s = {.options = options ? options : &usual, .output = tn_system_memory_file("tenon-check")};
    s.result = tn_system_shared(sizeof *s.result);
    tn_status status = s.output < 0 || !s.result ? tn_fail(TN_ENOMEM, "check: no memory to share with the cases")
                                                 : run_all(&s, target, about, row, arg);
    if (s.output >= 0) close(s.output);
    if (s.result) munmap(s.result, sizeof *s.result);
    return status;
}
