/* tell_results.c: results as tables for people, no wider than they are told, and as JSON. What would be long is folded:
 * of many classes the worst and the most confused are shown. */
#include "results.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NAME        256 /* bytes of a name that are shown */
#define FOLDED_ROWS 10  /* of more than are listed in full */
#define SHOWN_WRONG 5
#define MOST_MATRIX 256  /* classes whose confusion is in JSON, */
#define MOST_PARTS  4096 /* and that are in it each for itself */
#define MOST_NAMES  1000 /* that are looked at for their width */

/* ---- names ---- */

/* The class or target by its name; at most `most` characters, a longer one cut. */
static const char *part_name(const cli_results *r, int64_t k, int most, char text[NAME])
{
    const char *names = r->model->target_names;
    text[0] = 0;
    if (r->label) {
        cli_class_name(r->model, k, text, NAME);
    } else {
        for (int64_t i = 0; names && i < k; i++) names = cli_next_name(names);
        if (names && *names)
            snprintf(text, NAME, "%.*s", (int)cli_name_length(names), names);
        else
            snprintf(text, NAME, "output %" PRId64, k + 1);
    }
    return cli_fitted(text, NAME, most);
}

static int widest_name(const cli_results *r, int most)
{
    char text[NAME];
    int widest = 3;
    for (int64_t k = 0; k < r->outputs && k < MOST_NAMES && widest < most; k++) {
        const int width = cli_columns(part_name(r, k, most, text));
        if (width > widest) widest = width;
    }
    return widest;
}

/* A name and blanks up to the column. */
static void print_name(FILE *f, const char *text, int column)
{
    const int width = cli_columns(text);
    fprintf(f, "%s%*s", text, column > width ? column - width : 0, "");
}

/* ---- measures of each ---- */

/* Those that have a column of their own, by the table of measures. */
static int next_measure(const cli_results *r, size_t *i, tn_measure_entry *entry)
{
    while (tn_measure_at((*i)++, entry))
        if ((entry->of & tn_measures_kind(r->measures)) && entry->each &&
            (tn_measures_kind(r->measures) != TN_OF_CLASSES || strcmp(entry->name, "accuracy") != 0))
            return 1;
    return 0;
}

/* Characters of a column. */
static int measure_width(int width)
{
    return width < 70 ? 10 : 11;
}

static void print_measure(FILE *f, const tn_measure_entry *entry, double value, int width)
{
    const int column = measure_width(width);
    if (isnan(value))
        fprintf(f, "%*s", column, "-");
    else if (!strcmp(entry->name, "support"))
        fprintf(f, "%*.0f", column, value);
    else if (entry->lower)
        fprintf(f, "%*.5g", column, value);
    else
        fprintf(f, "%*.4f", column, value);
}

double cli_results_cell(const cli_results *r, const tn_measure_entry *measure, int64_t k)
{
    const int whole = k < 0 && !strcmp(measure->name, "accuracy"); /* which isn't the column's mean */
    if (k < 0 && !measure->all) return (double)r->data->count;
    return tn_measures_get(r->measures, whole ? "mean_accuracy" : measure->name, k);
}

static void print_row(const cli_results *r, int64_t k, const char *name, int column, int width, FILE *f)
{
    tn_measure_entry entry;
    fprintf(f, "  ");
    print_name(f, name, column);
    for (size_t i = 0; next_measure(r, &i, &entry);) print_measure(f, &entry, cli_results_cell(r, &entry, k), width);
    fprintf(f, "\n");
}

static void print_head(const cli_results *r, int column, int width, FILE *f)
{
    tn_measure_entry entry;
    fprintf(f, "  ");
    print_name(f, r->label ? "class" : "target", column);
    for (size_t i = 0; next_measure(r, &i, &entry);)
        fprintf(f, "%*s", measure_width(width), !strcmp(entry.name, "support") ? "samples" : entry.name);
    fprintf(f, "\n");
}

static void print_parts(const cli_results *r, int width, FILE *f)
{
    char text[NAME];
    tn_measure_entry entry;
    int room = width - 2;
    for (size_t i = 0; next_measure(r, &i, &entry);) room -= measure_width(width);
    const int named = widest_name(r, room > 6 ? room : 6), column = named > 6 ? named : 6; /* "target" */
    const int64_t shown = r->outputs > CLI_IN_FULL ? FOLDED_ROWS : r->outputs;
    print_head(r, column, width, f);
    for (int64_t i = 0; i < shown; i++)
        print_row(r, r->order[i], part_name(r, r->order[i], column, text), column, width, f);
    if (shown < r->outputs) fprintf(f, "  ... and %" PRId64 " that are better\n", r->outputs - shown);
    if (r->outputs > 1) print_row(r, -1, "mean", column, width, f);
}

/* ---- confusion ---- */

static int digits(int64_t number)
{
    int n = 1;
    while (number >= 10) number /= 10, n++;
    return n;
}

/* Columns that a cell takes with the blank before it, of `room` for all of them: as many as names need, or as there
 * are.
 */
static int cell_width(const cli_results *r, int room)
{
    int64_t most = 0;
    for (int64_t i = 0; i < r->outputs * r->outputs; i++) {
        const int64_t n = tn_measures_confused(r->measures, i / r->outputs, i % r->outputs);
        if (n > most) most = n;
    }
    const int width = digits(most), least = 2 + (width < 3 ? 3 : width), named = 2 + widest_name(r, 16);
    const int64_t each = room / r->outputs < named ? room / r->outputs : named;
    return each > least ? (int)each : least;
}

static void print_matrix(const cli_results *r, int column, int cell, FILE *f)
{
    char text[NAME];
    fprintf(f, "\n  confusion: a row for each class, by what it was taken for\n  %*s", column, "");
    for (int64_t k = 0; k < r->outputs; k++) {
        const char *name = part_name(r, k, cell - 1, text);
        fprintf(f, "%*s%s", cell - cli_columns(name), "", name);
    }
    fprintf(f, "\n");
    for (int64_t i = 0; i < r->outputs; i++) {
        fprintf(f, "  ");
        print_name(f, part_name(r, i, column, text), column);
        for (int64_t k = 0; k < r->outputs; k++) {
            const int64_t n = tn_measures_confused(r->measures, i, k);
            if (n)
                fprintf(f, "%*" PRId64, cell, n);
            else
                fprintf(f, "%*s", cell, ".");
        }
        fprintf(f, "\n");
    }
}

/* A pair of classes, by its place in the matrix, and how often they are confused. */
typedef struct pair {
    int64_t count, place;
} pair;

/* The pairs that are confused most, of a matrix that is too wide. */
static void print_pairs(const cli_results *r, int width, FILE *f)
{
    const int most = (width - 22) / 2;
    pair best[FOLDED_ROWS] = {{0, 0}};
    char a[NAME], b[NAME];
    for (int64_t i = 0; i < r->outputs * r->outputs; i++) {
        const int64_t n = tn_measures_confused(r->measures, i / r->outputs, i % r->outputs);
        if (i / r->outputs == i % r->outputs || n <= best[FOLDED_ROWS - 1].count) continue;
        int at = FOLDED_ROWS - 1;
        for (; at > 0 && best[at - 1].count < n; at--) best[at] = best[at - 1];
        best[at] = (pair){n, i};
    }
    if (!best[0].count) return;
    fprintf(f, "\n  most confused, of %" PRId64 " classes\n", r->outputs);
    for (int i = 0; i < FOLDED_ROWS && best[i].count; i++)
        fprintf(f, "  %6" PRId64 " x %s taken for %s\n", best[i].count,
                part_name(r, best[i].place / r->outputs, most, a), part_name(r, best[i].place % r->outputs, most, b));
}

static void print_confusion(const cli_results *r, int width, FILE *f)
{
    if (tn_measures_confused(r->measures, 0, 0) < 0) return;
    const int column = widest_name(r, 20), cell = cell_width(r, width - 2 - column);
    if (2 + column + cell * r->outputs <= width)
        print_matrix(r, column, cell, f);
    else
        print_pairs(r, width, f);
}

/* ---- the most wrong ---- */

static void print_truth(const cli_results *r, const cli_wrong *w, int most, FILE *f)
{
    char a[NAME], b[NAME];
    if (!r->label) {
        const int64_t at = w->sample * r->outputs + w->part;
        fprintf(f, "%s is %.6g, not %.6g\n", part_name(r, w->part, most, a), r->target[at], cli_unsigned_nan(r->y[at]));
        return;
    }
    fprintf(f, "%s, ", part_name(r, r->label[w->sample], most, a));
    if (w->part < 0)
        fprintf(f, "taken for nothing: an output is no number");
    else
        fprintf(f, "taken for %s", part_name(r, w->part, most, b));
    if (w->part >= 0 && cli_loss_tells_probabilities(r->model->loss))
        fprintf(f, " (%.1f %%)", 100 * (double)r->y[w->sample * r->outputs + w->part]);
    fprintf(f, "\n");
}

static void print_worst(const cli_results *r, int width, FILE *f)
{
    char name[4096];
    const int part = widest_name(r, width / 6), most = width - 26 - 2 * part;
    int column = 0;
    if (!r->n_worst) return;
    fprintf(f, "\n  most wrong\n");
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < r->n_worst && i < SHOWN_WRONG; i++) {
            tn_dataset_name(r->data, r->worst[i].sample, name, sizeof name);
            const char *shown = cli_fitted_end(name, sizeof name, most);
            if (!pass && cli_columns(shown) > column) column = cli_columns(shown);
            if (!pass) continue;
            fprintf(f, "  ");
            print_name(f, shown, column + 2);
            print_truth(r, &r->worst[i], part, f);
        }
}

/* ---- all of it ---- */

static void print_sums(const cli_results *r, int width, FILE *f)
{
    const struct {
        const char *name, *called;
        int share; /* not in per cent */
    } sums[] = {{"accuracy", cli_accuracy_name(r->model), 0},
                {"mean_accuracy", r->outputs > 1 ? "mean accuracy" : NULL, 0},
                {"balanced_accuracy", "balanced accuracy", 0},
                {"roc_auc", "ROC area", 1},
                {"top5", "among the first 5", 0}};
    int n = 0;
    for (size_t i = 0; i < sizeof sums / sizeof *sums; i++) {
        const double value = tn_measures_get(r->measures, sums[i].name, -1);
        const char *between = width < 75 ? ",\n  " : ", ";
        if (!sums[i].called || isnan(value)) continue;
        fprintf(f, "%s%s ", n++ ? between : "  ", sums[i].called);
        fprintf(f, sums[i].share ? "%.4f" : "%.2f %%", sums[i].share ? value : 100 * value);
    }
    if (n) fprintf(f, "\n\n");
}

/* ---- of texts ---- */

static void print_text(const cli_results *r, FILE *f)
{
    const double loss = cli_byte_loss(r);
    const char *unit = cli_text_unit(r->model);
    fprintf(f, "%s: %" PRId64 " %ss", r->set, r->data->count * r->data->labels, unit);
    if (!isnan(loss)) fprintf(f, ", perplexity %.4g, %.4f bits per %s", cli_perplexity(loss), cli_bits(loss), unit);
    if (!isnan(r->score.accuracy)) fprintf(f, ", %.2f %% right", 100 * r->score.accuracy);
    fprintf(f, "\n");
    if (r->outside)
        fprintf(f,
                "  %" PRId64 " of them (%.2f %%) are none that it learnt: one class for all, which counts as right\n",
                r->outside, 100 * cli_share_outside(r));
}

static void put_text(const cli_results *r, cli_json *json)
{
    const double loss = cli_byte_loss(r);
    const int characters = r->model->class_names != NULL;
    cli_json_whole(json, characters ? "characters" : "bytes", r->data->count * r->data->labels);
    cli_json_number(json, "loss", r->score.loss);
    cli_json_number(json, "accuracy", r->score.accuracy);
    cli_json_number(json, "perplexity", cli_perplexity(loss));
    cli_json_number(json, characters ? "bits_per_character" : "bits_per_byte", cli_bits(loss));
    if (characters) cli_json_whole(json, "outside", r->outside);
}

void cli_results_print(const cli_results *r, int width, FILE *f)
{
    if (r->writes) print_text(r, f);
    if (!r->measures) return;
    fprintf(f, "%s: %" PRId64 " sample%s\n", r->set, r->data->count, r->data->count == 1 ? "" : "s");
    print_sums(r, width, f);
    print_parts(r, width, f);
    if (r->label) print_confusion(r, width, f);
    print_worst(r, width, f);
}

/* ---- as JSON ---- */

static void put_parts(const cli_results *r, cli_json *json)
{
    char name[CLI_CLASS_NAME];
    tn_measure_entry entry;
    if (r->outputs > MOST_PARTS) return;
    cli_json_begin(json, r->label ? "classes" : "targets", '[');
    for (int64_t k = 0; k < r->outputs; k++) {
        cli_json_begin(json, NULL, '{');
        if (r->label)
            cli_json_text(json, "class", cli_class_name(r->model, k, name, sizeof name));
        else
            cli_json_text(json, "target", part_name(r, k, NAME, name));
        for (size_t i = 0; next_measure(r, &i, &entry);)
            cli_json_number(json, entry.name, tn_measures_get(r->measures, entry.name, k));
        cli_json_end(json, '}');
    }
    cli_json_end(json, ']');
}

static void put_confusion(const cli_results *r, cli_json *json)
{
    if (!r->label || r->outputs > MOST_MATRIX) return;
    cli_json_begin(json, "confusion", '[');
    for (int64_t i = 0; i < r->outputs; i++) {
        cli_json_begin(json, NULL, '[');
        for (int64_t k = 0; k < r->outputs; k++) cli_json_whole(json, NULL, tn_measures_confused(r->measures, i, k));
        cli_json_end(json, ']');
    }
    cli_json_end(json, ']');
}

static void put_class(const cli_results *r, const char *key, int64_t k, cli_json *json)
{
    char name[CLI_CLASS_NAME];
    if (r->model->class_names && k >= 0)
        cli_json_text(json, key, cli_class_name(r->model, k, name, sizeof name));
    else
        cli_json_number(json, key, k < 0 ? NAN : (double)k);
}

static void put_wrong(const cli_results *r, const cli_wrong *w, cli_json *json)
{
    char name[4096];
    const int64_t at = w->sample * r->outputs + w->part;
    cli_json_begin(json, NULL, '{');
    cli_json_text(json, "sample", tn_dataset_name(r->data, w->sample, name, sizeof name));
    if (r->label) {
        put_class(r, "truth", r->label[w->sample], json);
        put_class(r, "prediction", w->part, json);
        if (w->part >= 0 && cli_loss_tells_probabilities(r->model->loss))
            cli_json_number(json, "probability", r->y[at]);
    } else {
        cli_json_text(json, "target", part_name(r, w->part, NAME, name));
        cli_json_number(json, "truth", r->target[at]);
        cli_json_number(json, "prediction", r->y[at]);
    }
    cli_json_end(json, '}');
}

/* Whether it is a measure of so many classes. */
static int is_of_these(const cli_results *r, const char *name)
{
    if (!strcmp(name, "top5")) return r->outputs > 5;
    return strcmp(name, "roc_auc") || !r->label || r->outputs == 2;
}

void cli_results_json(const cli_results *r, cli_json *json)
{
    tn_measure_entry entry;
    if (r->writes) put_text(r, json);
    if (!r->measures) return;
    for (size_t i = 0; tn_measure_at(i, &entry); i++) {
        if (!(entry.of & tn_measures_kind(r->measures)) || !entry.all) continue;
        if (is_of_these(r, entry.name)) cli_json_number(json, entry.name, tn_measures_get(r->measures, entry.name, -1));
    }
    put_parts(r, json);
    put_confusion(r, json);
    cli_json_begin(json, "worst", '[');
    for (int i = 0; i < r->n_worst && i < SHOWN_WRONG; i++) put_wrong(r, &r->worst[i], json);
    cli_json_end(json, ']');
}
