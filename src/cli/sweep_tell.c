/* sweep_tell.c: what came of a sweep: a row for each combination, the best first. */
#include "json.h"
#include "sweep.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct row {
    int combination, runs, failed;
    double mean, deviation, loss;
} row;

/* Means and deviations (of what the runs were drawn from) of those that didn't fail. */
static row sum_up(const cli_sweep *s, int combination)
{
    row r = {.combination = combination};
    double sum = 0, loss = 0, squares = 0;
    for (int i = combination; i < s->trials; i += s->combinations) {
        r.failed += s->trial[i].failed;
        if (s->trial[i].failed) continue;
        r.runs++;
        sum += s->trial[i].measure;
        loss += s->trial[i].loss;
    }
    r.mean = sum / r.runs;
    r.loss = loss / r.runs;
    for (int i = combination; i < s->trials; i += s->combinations)
        if (!s->trial[i].failed) squares += (s->trial[i].measure - r.mean) * (s->trial[i].measure - r.mean);
    r.deviation = r.runs > 1 ? sqrt(squares / (r.runs - 1)) : NAN;
    return r;
}

static double merit(const row *r)
{
    const double merit = !isnan(r->mean) ? r->mean : -r->loss;
    return isnan(merit) ? -INFINITY : merit;
}

static int by_merit(const void *a, const void *b)
{
    const row *x = a, *y = b;
    const double p = merit(x), q = merit(y);
    return p != q ? (p < q) - (p > q) : x->combination - y->combination;
}

/* ---- as a table ---- */

static int width_of(const cli_sweep *s, int axis, int most)
{
    int width = cli_columns(s->axis[axis].name);
    for (int v = 0; v < s->axis[axis].count; v++)
        if (cli_columns(s->axis[axis].value[v]) > width) width = cli_columns(s->axis[axis].value[v]);
    return width > most ? most : width;
}

static void print_cell(const char *text, int width)
{
    char cell[512];
    snprintf(cell, sizeof cell, "%s", text);
    cli_fitted(cell, sizeof cell, width);
    printf("%s%*s  ", cell, width - cli_columns(cell) > 0 ? width - cli_columns(cell) : 0, "");
}

static void print_number(const char *format, double value)
{
    if (isnan(value))
        printf("%10s", "-");
    else
        printf(format, value);
}

/* The most that an axis may take: all that it wants, if there is room, or else as much as any other. */
static int room_of(const cli_sweep *s)
{
    int varied = 0, wanted = 0;
    const int room = cli_width(stdout) - 36;
    for (int i = 0; i < s->n_axes; i++) {
        if (s->axis[i].count < 2) continue;
        varied++;
        wanted += width_of(s, i, room) + 2;
    }
    if (wanted <= room) return room;
    return room / varied - 2 > 4 ? room / varied - 2 : 4;
}

static void print_table(const cli_sweep *s, const row *rows, int count)
{
    const int room = room_of(s);
    for (int i = 0; i < s->n_axes; i++)
        if (s->axis[i].count > 1) print_cell(s->axis[i].name, width_of(s, i, room));
    printf("%10s%10s%10s%6s\n", s->measure ? s->measure : "-", "deviation", "test loss", "runs");
    for (int r = 0; r < count; r++) {
        for (int i = 0; i < s->n_axes; i++)
            if (s->axis[i].count > 1) print_cell(cli_sweep_value(s, rows[r].combination, i), width_of(s, i, room));
        print_number("%10.4f", rows[r].mean);
        print_number("%10.4f", rows[r].deviation);
        print_number("%10.4g", rows[r].loss);
        printf("%6d%s\n", rows[r].runs, rows[r].failed ? " (others failed)" : "");
    }
}

static void print_json(const cli_sweep *s, const row *r)
{
    cli_json json = {0};
    cli_json_begin(&json, NULL, '{');
    for (int i = 0; i < s->n_axes; i++)
        if (s->axis[i].count > 1) cli_json_text(&json, s->axis[i].name, cli_sweep_value(s, r->combination, i));
    cli_json_text(&json, "measure", s->measure);
    cli_json_number(&json, "mean", r->mean);
    cli_json_number(&json, "deviation", r->deviation);
    cli_json_number(&json, "test_loss", r->loss);
    cli_json_whole(&json, "runs", r->runs);
    cli_json_whole(&json, "failed", r->failed);
    cli_json_end(&json, '}');
}

/* A word as a shell takes it: in single quotes, where it has more than letters, digits and a few signs. */
static void tell_word(const char *word)
{
    const char *shown = cli_shown(word);
    if (!shown[strcspn(shown, " \t\n\"'$\\|&;<>()*?[]#~`!{}")]) {
        cli_tell_whole(" %s", shown);
        return;
    }
    cli_tell_whole(" '");
    for (; *shown; shown++) cli_tell_whole(*shown == '\'' ? "'\\''" : "%c", *shown);
    cli_tell_whole("'");
}

/* The best as a command to be typed, or copied. */
static int tell_best(const cli_sweep *s, const row *best)
{
    const cli_trial trial = {.combination = best->combination, .seed = s->seed};
    char *words = cli_sweep_words(s, &trial);
    if (!words) return cli_fail("out of memory");
    cli_tell_whole("the best: tenon train");
    for (const char *at = words; *at; at += strlen(at) + 1) tell_word(at);
    cli_tell_whole(" --save model.safetensors\n");
    free(words);
    return CLI_GO_ON;
}

int cli_sweep_tell(const cli_sweep *s)
{
    row *rows = calloc((size_t)s->combinations, sizeof *rows);
    if (!rows) return cli_fail("out of memory");
    for (int i = 0; i < s->combinations; i++) rows[i] = sum_up(s, i);
    qsort(rows, (size_t)s->combinations, sizeof *rows, by_merit);
    const int any = rows[0].runs > 0;
    for (int i = 0; s->json && i < s->combinations; i++) print_json(s, &rows[i]);
    if (!s->json) print_table(s, rows, s->combinations);
    const int status = any ? tell_best(s, &rows[0]) : cli_fail("no training came to its end");
    free(rows);
    return status;
}
