/* sweep_run.c: the trainings of a sweep: each a process of its own, whose last line of JSON says what came of it. */
#include "../core/system.h"
#include "interrupt.h"
#include "json.h"
#include "sweep.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MOST_WORDS (2 * CLI_SWEEP_AXES + 12)

/* ---- lines of JSON, as this command writes them ---- */

/* The number of that name, from `text` on; NaN: there is none. */
static double number_of(const char *text, const char *name)
{
    char key[64];
    snprintf(key, sizeof key, "\"%s\": ", name);
    const char *at = text ? strstr(text, key) : NULL;
    char *end;
    const double number = at ? strtod(at + strlen(key), &end) : NAN;
    return at && end != at + strlen(key) ? number : NAN;
}

/* What the trial is, as a line of the results begins: `{"run": "--lr 0.1 ..."`. NULL: no memory. */
static char *head_of(const cli_sweep *s, const cli_trial *t)
{
    char *words = cli_sweep_words(s, t), *head = NULL;
    size_t size;
    FILE *f = words ? open_memstream(&head, &size) : NULL;
    cli_json json = {.file = f};
    for (char *at = words; at && (*at || at[1]); at++)
        if (!*at) *at = ' ';
    if (f) cli_json_begin(&json, NULL, '{');
    if (f) cli_json_text(&json, "run", words);
    free(words);
    return f && !fclose(f) ? head : NULL;
}

static void take_measure(cli_sweep *s, cli_trial *t, double accuracy, double r2, double loss)
{
    if (!s->measure) s->measure = !isnan(accuracy) ? "accuracy" : !isnan(r2) ? "r2" : NULL;
    t->measure = s->measure && !strcmp(s->measure, "accuracy") ? accuracy : r2;
    t->loss = loss;
    t->done = 1;
}

/* ---- what was done before ---- */

static int read_results(cli_sweep *s)
{
    char *line = NULL;
    size_t room = 0;
    FILE *f = s->results ? fopen(s->results, "r") : NULL;
    if (!f) return CLI_GO_ON;
    int known = 0, status = CLI_GO_ON;
    while (getline(&line, &room, f) > 0)
        for (int i = 0; i < s->trials && status == CLI_GO_ON; i++) {
            cli_trial *t = &s->trial[i];
            char *head = head_of(s, t);
            if (!head) status = cli_fail("out of memory");
            const int same = head && !t->done && !strncmp(line, head, strlen(head)) && strchr(line, '}');
            if (same)
                take_measure(s, t, number_of(line, "accuracy"), number_of(line, "r2"), number_of(line, "test_loss"));
            known += same;
            free(head);
        }
    free(line);
    fclose(f);
    if (known) cli_tell("%d of %d trainings are done already, by %s\n", known, s->trials, cli_shown(s->results));
    return status;
}

/* What a run that was ended left half-written stays a line of its own. */
static void end_line(FILE *f)
{
    if (!fseek(f, -1, SEEK_END) && getc(f) != '\n') {
        fseek(f, 0, SEEK_END);
        putc('\n', f);
    }
    fseek(f, 0, SEEK_END);
}

static int keep(const cli_sweep *s, const cli_trial *t)
{
    char *head = s->results ? head_of(s, t) : NULL;
    if (!s->results) return CLI_GO_ON;
    FILE *f = head ? fopen(s->results, "a+") : NULL;
    if (!head) return cli_fail("out of memory");
    cli_json json = {.file = f, .depth = 1, .comma = 1};
    if (f) {
        end_line(f);
        fprintf(f, "%s", head);
        cli_json_number(&json, s->measure ? s->measure : "accuracy", t->measure);
        cli_json_number(&json, "test_loss", t->loss);
        cli_json_end(&json, '}');
    }
    free(head);
    const int is_kept = f && !fflush(f) && !ferror(f), why = errno;
    if (f && fclose(f) == 0 && is_kept) return CLI_GO_ON;
    return cli_fail("%s: cannot be written: %s", s->results, strerror(is_kept ? errno : why));
}

/* ---- processes ---- */

/* In the child: never returns. A group of its own keeps a terminal's Ctrl-C from it; it ends with the sweep, however
 * that ends. */
static void become(char *words, const cli_trial *t, const char *threads)
{
    char *argv[MOST_WORDS] = {"tenon", "train"};
    int argc = 2;
    for (char *at = words; *at && argc < MOST_WORDS - 2; at += strlen(at) + 1) argv[argc++] = at;
    argv[argc++] = "--json";
    setpgid(0, 0);
    tn_system_end_with_parent();
    if (*threads) setenv("OMP_NUM_THREADS", threads, 0);
    dup2(fileno(t->out), 1);
    dup2(fileno(t->err), 2);
    const int nothing = open("/dev/null", O_RDONLY);
    if (nothing >= 0) dup2(nothing, 0);
    execv(tn_system_program(), argv);
    _exit(127);
}

static int begin(const cli_sweep *s, cli_trial *t)
{
    char threads[24] = "", *words = cli_sweep_words(s, t);
    const long each = sysconf(_SC_NPROCESSORS_ONLN) / s->jobs;
    if (s->jobs > 1) snprintf(threads, sizeof threads, "%ld", each > 1 ? each : 1);
    t->out = tmpfile();
    t->err = tmpfile();
    if (words && t->out && t->err) t->process = fork();
    if (words && t->out && t->err && !t->process) become(words, t, threads);
    free(words);
    return words && t->process > 0 ? CLI_GO_ON : cli_fail("a training cannot be started: %s", strerror(errno));
}

/* The last line of a file, without its line break; the caller frees it. */
static char *last_line(FILE *f)
{
    char *line = NULL, *last = NULL;
    size_t room = 0;
    rewind(f);
    while (getline(&line, &room, f) > 0) {
        free(last);
        line[strcspn(line, "\n")] = 0;
        last = strdup(line);
    }
    free(line);
    return last;
}

static void tell(const cli_sweep *s, const cli_trial *t)
{
    int done = 0;
    for (int i = 0; i < s->trials; i++) done += s->trial[i].done;
    cli_tell("%d of %d:", done, s->trials);
    for (int i = 0; i < s->n_axes; i++)
        if (s->axis[i].count > 1)
            cli_tell(" %s %s,", s->axis[i].name, cli_shown(cli_sweep_value(s, t->combination, i)));
    if (t->fold) cli_tell(" fold %lld,", (long long)t->fold);
    cli_tell(" seed %lld: ", (long long)t->seed);
    if (t->failed)
        cli_tell("failed\n");
    else if (s->measure)
        cli_tell("%s %.4f\n", s->measure, t->measure);
    else
        cli_tell("done\n");
}

static int finish(cli_sweep *s, cli_trial *t, int status)
{
    const int well = WIFEXITED(status) && !WEXITSTATUS(status);
    char *line = last_line(well ? t->out : t->err);
    const char *test = well && line ? strstr(line, "\"test\": {") : NULL;
    if (well && line && !test) test = strstr(line, "\"validation\": {");
    t->process = 0;
    t->failed = !well;
    take_measure(s, t, number_of(test, "accuracy"), number_of(test, "r2"), number_of(line, "test_loss"));
    if (!well) cli_warn("a training failed: %s", line ? line : "it said nothing");
    free(line);
    fclose(t->out);
    fclose(t->err);
    tell(s, t);
    return well ? keep(s, t) : CLI_GO_ON;
}

static void end_all(cli_sweep *s)
{
    for (int i = 0; i < s->trials; i++) {
        cli_trial *t = &s->trial[i];
        if (t->process <= 0) continue;
        kill(t->process, SIGKILL);
        waitpid(t->process, NULL, 0);
        t->process = 0;
        fclose(t->out);
        fclose(t->err);
    }
}

/* One look at those that run; *running gets how many still do. */
static int look(cli_sweep *s, int *running)
{
    int status = CLI_GO_ON, how;
    *running = 0;
    for (int i = 0; i < s->trials && status == CLI_GO_ON; i++) {
        cli_trial *t = &s->trial[i];
        if (t->process <= 0) continue;
        if (waitpid(t->process, &how, WNOHANG) == t->process)
            status = finish(s, t, how);
        else
            ++*running;
    }
    return status;
}

int cli_sweep_run(cli_sweep *s)
{
    const struct timespec nap = {0, 20000000};
    int status = read_results(s), running = 0;
    for (int next = 0; status == CLI_GO_ON && (next < s->trials || running);) {
        while (next < s->trials && s->trial[next].done) next++;
        if (next < s->trials && running < s->jobs) {
            status = begin(s, &s->trial[next++]);
            running++;
            continue;
        }
        if (running) nanosleep(&nap, NULL);
        status = look(s, &running);
        if (status == CLI_GO_ON && cli_interrupted()) status = CLI_SIGNAL + cli_interrupted();
    }
    end_all(s);
    if (status > CLI_SIGNAL)
        cli_warn("interrupted%s", s->results ? ": the same command goes on" : "; --results FILE keeps what is done");
    return status;
}
