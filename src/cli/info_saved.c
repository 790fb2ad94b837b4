/* info_saved.c: see info.h. All of it stands in the file: nothing of the data is read. */
#include "history.h"
#include "info.h"
#include "layers.h"
#include "network.h"
#include "scaling.h"
#include "settings.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COLUMN      10  /* where values begin */
#define MOST_LAYERS 200 /* that are printed */
#define MOST_EPOCHS 24

typedef struct saved {
    const char *path;
    tn_checkpoint *file;
    cli_settings settings;
    cli_model model;
    cli_scaling scaling;
    cli_history history;
    int width, failed; /* failed: memory was short */
} saved;

static const char *note(const saved *s, const char *key)
{
    const char *text = tn_checkpoint_note(s->file, key);
    return text ? text : "";
}

/* ---- lines ---- */

/* "classes    cat, dog": a name, and a text in as many lines as it takes. */
static void print_text(saved *s, const char *name, const char *text)
{
    char *shown = strdup(text), *at = shown;
    s->failed |= !shown;
    if (!shown) return;
    cli_fitted(shown, strlen(shown) + 1, INT32_MAX);
    do {
        size_t length = strlen(at), room = (size_t)(s->width - COLUMN), cut = room;
        while (length > room && cut > 0 && at[cut] != ' ') cut--;
        if (length > room) length = cut ? cut : strcspn(at, " ");
        printf("%-*s%.*s\n", COLUMN, name, (int)length, at);
        at += length + strspn(at + length, " ");
        name = "";
    } while (*at);
    free(shown);
}

static void print_note(saved *s, const char *key)
{
    const char *text = note(s, key);
    if (*text && strcmp(text, "0") != 0) print_text(s, key, text);
}

/* Names that stand a line each, with commas between. */
static void print_names(saved *s, const char *name, const char *lines)
{
    char *text = malloc(2 * strlen(lines) + 1), *to = text;
    for (const char *at = lines; text && *at; at = cli_next_name(at)) {
        if (to > text) to += sprintf(to, ", ");
        to += sprintf(to, "%.*s", (int)cli_name_length(at), at);
    }
    s->failed |= !text;
    if (text && to > text) print_text(s, name, text);
    free(text);
}

/* ---- sections ---- */

static void print_model(saved *s)
{
    static const char *const notes[] = {"sample", "x_type", "classes", "targets", "loss", "data", "test", "count"};
    print_note(s, "net");
    for (size_t i = 0; i < sizeof notes / sizeof *notes; i++) print_note(s, notes[i]);
    print_names(s, "names", note(s, "class_names"));
    print_names(s, "columns", note(s, "column_names"));
    print_names(s, "target", note(s, "target_names"));
}

/* The names of a sample's numbers, one after the other. */
typedef struct feature_names {
    const char *columns, *kinds; /* what is left of the columns' names, and of what became of their texts */
    int64_t number;              /* of the column, from 1 */
    const char *text;            /* its next, */
    int64_t texts;               /* and how many are left, a number each */
} feature_names;

/* To the next column. */
static void next_column(feature_names *n)
{
    tn_category c = {0};
    if (n->number++) n->columns = cli_next_name(n->columns);
    const char *next = tn_next_category(n->kinds, &c);
    if (!next || c.column + 1 != n->number) return;
    n->kinds = next;
    n->text = c.texts;
    n->texts = c.one_hot ? c.count : 0;
}

/* "area"; of a text that is a number of its own "district=port". */
static void next_feature(feature_names *n, char *text, size_t room)
{
    char value[CLI_CLASS_NAME];
    if (n->texts <= 0) next_column(n);
    snprintf(text, room, "%.*s", (int)cli_name_length(n->columns), n->columns);
    if (!*text) snprintf(text, room, "column %" PRId64, n->number);
    if (n->texts <= 0) return;
    const size_t used = strlen(text);
    snprintf(text + used, room - used, "=%s", cli_read_class(n->text, value, sizeof value));
    n->text = cli_next_name(n->text);
    n->texts--;
}

static void print_scaler(const saved *s, const char *what, const tn_scaler *scaler, feature_names names)
{
    char text[256];
    if (!scaler->columns || scaler->kind == TN_SCALE_NONE || !scaler->centre || !scaler->spread) return;
    printf("\n%s, scaled: %s\n", what, tn_scale_name(scaler->kind));
    for (int64_t k = 0; k < scaler->columns && k < MOST_EPOCHS; k++) {
        next_feature(&names, text, sizeof text);
        cli_fitted(text, sizeof text, s->width - 44);
        printf("  %s%*s (x - %.6g) / %.6g\n", text, 24 - cli_columns(text) > 0 ? 24 - cli_columns(text) : 0, "",
               scaler->centre[k], scaler->spread[k]);
    }
    if (scaler->columns > MOST_EPOCHS) printf("  ... and %" PRId64 " more\n", scaler->columns - MOST_EPOCHS);
}

/* As one would type it. */
static void print_setting(const cli_option *o, const char *text)
{
    if (o->kind == CLI_FLAG)
        printf("  --%s\n", o->name);
    else if (o->kind == CLI_TEXT || o->kind == CLI_WHOLE)
        printf("  --%s %s\n", o->name, cli_shown(text));
    else
        printf("  --%s %.9g\n", o->name, strtod(text, NULL));
}

/* All that the file keeps of the options, and that is not said above. */
static void print_settings(const saved *s)
{
    static const char above[] = " net data test loss ";
    char word[64];
    printf("\nsettings\n");
    for (const cli_option *o = s->settings.options; o->kind != CLI_END; o++) {
        snprintf(word, sizeof word, " %s ", o->name);
        if (!o->note || strstr(above, word) || !*note(s, o->note)) continue;
        print_setting(o, note(s, o->note));
    }
}

/* ---- history ---- */

/* The epoch with the lowest of what epochs are judged by. */
static size_t best_of(const cli_history *h)
{
    size_t best = 0;
    double lowest = INFINITY;
    for (size_t i = 0; i < h->count; i++) {
        const double loss = cli_history_judged(h, i);
        if (loss < lowest) best = i, lowest = loss;
    }
    return best;
}

static void print_number(const char *format, double value)
{
    if (isnan(value))
        printf("%11s", "-");
    else
        printf(format, value);
}

/* What stands in the columns; `rate`, `time`: there is room for it. */
typedef struct shown {
    int validates, counts, rate, time;
} shown;

static void print_epoch(const tn_epoch *e, shown has, int best)
{
    const tn_score *held = has.validates ? &e->validation : &e->test;
    printf("%7" PRId64 "%c", e->number, best ? '*' : ' ');
    print_number("%11.4g", e->train.loss);
    if (has.counts) print_number("%9.2f %%", 100 * e->train.accuracy);
    print_number("%11.4g", held->loss);
    if (has.counts) print_number("%9.2f %%", 100 * held->accuracy);
    if (has.rate) print_number("%11.3g", e->rate > 0 ? e->rate : NAN);
    if (has.time) print_number("%9.2f s", e->seconds > 0 ? e->seconds : NAN);
    printf("\n");
}

static void print_history(const saved *s)
{
    const cli_history *h = &s->history;
    const size_t best = best_of(h), every = (h->count + MOST_EPOCHS - 1) / MOST_EPOCHS;
    if (!h->count) return;
    const shown has = {!isnan(h->epoch[0].validation.loss), !isnan(h->epoch[0].train.accuracy), s->width >= 78,
                       s->width >= 64};
    const char *accuracy = has.counts ? "   accuracy" : "";
    printf("\n%6s %12s%s%11s%s%s%s\n", "epoch", "loss", accuracy, has.validates ? "validation" : "test loss", accuracy,
           has.rate ? "       rate" : "", has.time ? "       time" : "");
    for (size_t i = 0; i < h->count; i++)
        if ((h->count - 1 - i) % every == 0 || i == best) print_epoch(&h->epoch[i], has, i == best);
    printf("  * the lowest %s loss\n", has.validates                  ? "validation"
                                       : isnan(h->epoch[0].test.loss) ? "training"
                                                                      : "test");
}

/* ---- all of it ---- */

static int read_model(saved *s)
{
    int status = cli_model_of_notes(&s->model, s->file, s->path);
    if (status == CLI_GO_ON) status = cli_from_notes(s->settings.options, s->file, s->path);
    s->model.net = s->settings.net;
    s->model.loss = s->settings.loss;
    if (status == CLI_GO_ON) status = cli_network_of_note(&s->model, s->file, s->path);
    if (status == CLI_GO_ON) status = cli_network_settle(&s->model, 1);
    if (status == CLI_GO_ON) status = cli_scaling_read(&s->scaling, &s->model, s->file, s->path);
    if (status == CLI_GO_ON && !cli_history_read(&s->history, note(s, "history"))) status = cli_fail("out of memory");
    return status;
}

static int print_all(saved *s)
{
    print_model(s);
    if (!s->model.onnx) printf("\n");
    const int status = cli_layers_print(&s->model, MOST_LAYERS, s->width, stdout);
    if (status != CLI_GO_ON) return status;
    const feature_names columns = {.columns = note(s, "column_names"), .kinds = note(s, "categories")};
    print_scaler(s, "columns", &s->scaling.x, columns);
    print_scaler(s, "targets", &s->scaling.y, (feature_names){.columns = note(s, "target_names"), .kinds = ""});
    print_settings(s);
    print_history(s);
    return CLI_GO_ON;
}

int cli_info_saved(const char *path, int *has_network, int asks)
{
    saved s = {.path = path, .width = cli_width(stdout)};
    if (tn_checkpoint_open(path, &s.file)) return cli_failed();
    cli_settings_init(&s.settings);
    int status = CLI_GO_ON;
    *has_network = *note(&s, "onnx") != 0;
    if (!*has_network && !*note(&s, "net"))
        status = cli_fail("%s: it is no model: it does not say what its network is", path);
    else if (!*has_network && asks)
        status = cli_usage("%s: --shape and --device are for networks of ONNX", path);
    else if (*note(&s, "epoch"))
        status = read_model(&s) == CLI_GO_ON ? print_all(&s) : CLI_FAILED;
    else
        print_model(&s);
    if (status == CLI_GO_ON && s.failed) status = cli_fail("out of memory");
    cli_scaling_free(&s.scaling);
    cli_network_close(&s.model);
    cli_history_free(&s.history);
    cli_settings_free(&s.settings);
    tn_checkpoint_close(s.file);
    return status;
}
