/* page.c: see page.h. */
#include "page.h"
#include "layers.h"
#include "../core/utf8.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#define MOST_CLASSES 60   /* of a confusion matrix that is shown whole */
#define MOST_PARTS   1000 /* classes whose measures are shown */
#define MOST_LAYERS  400

extern const char cli_css_page[];

static void put_character(FILE *f, const char *at, size_t length)
{
    static const char specials[] = "&<>\"", *const marks[] = {"&amp;", "&lt;", "&gt;", "&quot;"};
    const char *special = length == 1 ? strchr(specials, *at) : NULL;
    const int control = length == 1 && ((unsigned char)*at < 0x20 || *at == 0x7f);
    if (special)
        fputs(marks[special - specials], f);
    else if (!length || control)
        putc(control && *at == '\n' ? '\n' : '?', f);
    else
        fwrite(at, 1, length, f);
}

void cli_page_text(FILE *f, const char *text)
{
    while (*text) {
        const size_t length = tn_utf8_length(text);
        put_character(f, text, length);
        text += length ? length : 1;
    }
}

/* ---- what came of it ---- */

static void put_key(FILE *f, const char *name, const char *format, double value)
{
    if (isnan(value)) return;
    fprintf(f, "<div><b>");
    fprintf(f, format, value);
    fprintf(f, "</b>%s</div>\n", name);
}

static void put_measured(FILE *f, const cli_results *r)
{
    const tn_measures *m = r->measures;
    put_key(f, cli_accuracy_name(r->model), "%.2f %%", 100 * tn_measures_get(m, "accuracy", -1));
    if (r->model->targets > 1) put_key(f, "mean accuracy", "%.2f %%", 100 * tn_measures_get(m, "mean_accuracy", -1));
    put_key(f, "balanced accuracy", "%.2f %%", 100 * tn_measures_get(m, "balanced_accuracy", -1));
    put_key(f, "area under the ROC curve", "%.4f", tn_measures_get(m, "roc_auc", -1));
    put_key(f, "among the first 5", "%.2f %%", 100 * tn_measures_get(m, "top5", -1));
    put_key(f, "F1", "%.4f", tn_measures_get(m, "f1", -1));
    put_key(f, "R²", "%.4f", tn_measures_get(m, "r2", -1));
    put_key(f, "mean absolute error", "%.5g", tn_measures_get(m, "mae", -1));
    put_key(f, "root mean squared error", "%.5g", tn_measures_get(m, "rmse", -1));
    put_key(f, "perplexity", "%.4g", cli_perplexity(cli_byte_loss(r)));
    put_key(f, r->model->class_names ? "bits per character" : "bits per byte", "%.4f", cli_bits(cli_byte_loss(r)));
    if (r->outside) put_key(f, "not in the alphabet", "%.2f %%", 100 * cli_share_outside(r));
}

static void put_summary(FILE *f, const cli_page *p)
{
    const cli_history *h = p->history;
    char text[32];
    fprintf(f, "<section id=\"summary\"><h1>");
    cli_page_text(f, p->net);
    fprintf(f, "</h1>\n<p class=\"soft\">");
    cli_page_text(f, p->about);
    fprintf(f, "</p>\n");
    if (!p->results->model)
        fprintf(f, "<p class=\"soft\">Nothing was measured: outputs are no numbers, or there are no samples.</p>\n");
    fprintf(f, "<div class=\"key\">\n");
    if (p->results->model) put_measured(f, p->results);
    put_key(f, "test loss", "%.4g", p->test_loss);
    if (h->count) put_key(f, "training loss", "%.4g", h->epoch[h->count - 1].train.loss);
    if (h->count) put_key(f, "epochs", "%.0f", (double)h->count);
    if (p->parameters >= 0) put_key(f, "parameters", "%.0f", (double)p->parameters);
    if (!isnan(p->seconds))
        fprintf(f, "<div><b>%s</b>of training</div>\n", cli_duration_text(p->seconds, text, sizeof text));
    fprintf(f, "</div></section>\n");
}

/* ---- measures ---- */

static void put_part_name(FILE *f, const cli_results *r, int64_t k, const char *names)
{
    char name[CLI_CLASS_NAME];
    if (r->label)
        cli_class_name(r->model, k, name, sizeof name);
    else if (names && *names)
        snprintf(name, sizeof name, "%.*s", (int)cli_name_length(names), names);
    else
        snprintf(name, sizeof name, "output %" PRId64, k + 1);
    cli_page_text(f, cli_fitted(name, sizeof name, 40));
}

/* A measure of all has no part; those of classes have no accuracy of their own. */
static int has_column(const cli_results *r, const tn_measure_entry *entry)
{
    const uint32_t kind = tn_measures_kind(r->measures);
    return (entry->of & kind) && entry->each && (kind != TN_OF_CLASSES || strcmp(entry->name, "accuracy") != 0);
}

/* k -1: the mean of all. */
static void put_part(FILE *f, const cli_results *r, int64_t k, const char *names)
{
    tn_measure_entry entry;
    fprintf(f, "<tr><td>");
    if (k < 0)
        fprintf(f, "mean");
    else
        put_part_name(f, r, k, names);
    fprintf(f, "</td>");
    for (size_t i = 0; tn_measure_at(i, &entry); i++) {
        if (!has_column(r, &entry)) continue;
        const double value = cli_results_cell(r, &entry, k);
        fprintf(f,
                entry.lower                      ? "<td>%.5g</td>"
                : !strcmp(entry.name, "support") ? "<td>%.0f</td>"
                                                 : "<td>%.4f</td>",
                cli_unsigned_nan(value));
    }
    fprintf(f, "</tr>\n");
}

static void put_measures(FILE *f, const cli_results *r)
{
    const char *names = r->model->target_names;
    tn_measure_entry entry;
    fprintf(f,
            "<section id=\"measures\"><h2>Measures of the %s samples</h2>\n<div class=\"wide\"><table><tr><th>%s</th>",
            r->set, r->label ? "class" : "target");
    for (size_t i = 0; tn_measure_at(i, &entry); i++)
        if (has_column(r, &entry))
            fprintf(f, "<th title=\"%s\">%s</th>", entry.doc, strcmp(entry.name, "support") ? entry.name : "samples");
    fprintf(f, "</tr>\n");
    for (int64_t k = 0; k < r->outputs && k < MOST_PARTS; k++) {
        put_part(f, r, k, names);
        if (names) names = cli_next_name(names);
    }
    if (r->outputs > 1) put_part(f, r, -1, NULL);
    fprintf(f, "</table></div></section>\n");
}

/* A row's cell, coloured by its share of the row. */
static void put_cell(FILE *f, const cli_results *r, int64_t i, int64_t k)
{
    const int64_t n = tn_measures_confused(r->measures, i, k);
    const double all = tn_measures_get(r->measures, "support", i);
    fprintf(f, "<td%s style=\"--share:%.3f\">", i == k ? " class=\"right\"" : "", all > 0 ? (double)n / all : 0);
    if (n) fprintf(f, "%" PRId64, n);
    fprintf(f, "</td>");
}

static void put_confusion(FILE *f, const cli_results *r)
{
    if (!r->label) return;
    fprintf(
        f, "<section id=\"confusion\"><h2>Confusion</h2>\n<p class=\"soft\">A row for each class, by what it was taken "
           "for.</p>\n");
    if (r->outputs > MOST_CLASSES)
        fprintf(f, "<p>The first %d of %" PRId64 " classes.</p>\n", MOST_CLASSES, r->outputs);
    const int64_t shown = r->outputs < MOST_CLASSES ? r->outputs : MOST_CLASSES;
    fprintf(f, "<div class=\"wide\"><table class=\"confusion\"><tr><th></th>");
    for (int64_t k = 0; k < shown; k++) {
        fprintf(f, "<th>");
        put_part_name(f, r, k, NULL);
        fprintf(f, "</th>");
    }
    fprintf(f, "</tr>\n");
    for (int64_t i = 0; i < shown; i++) {
        fprintf(f, "<tr><th>");
        put_part_name(f, r, i, NULL);
        fprintf(f, "</th>");
        for (int64_t k = 0; k < shown; k++) put_cell(f, r, i, k);
        fprintf(f, "</tr>\n");
    }
    fprintf(f, "</table></div></section>\n");
}

/* ---- how it was made ---- */

static int put_layers(FILE *f, const cli_model *model)
{
    char *text = NULL;
    size_t size;
    if (model->onnx) return CLI_OK;
    FILE *into = open_memstream(&text, &size);
    int status = into ? cli_layers_print(model, MOST_LAYERS, 80, into) : cli_fail("out of memory");
    if (into && fclose(into) && status == CLI_GO_ON) status = cli_fail("out of memory");
    if (status == CLI_GO_ON) {
        fprintf(f, "<section id=\"layers\"><h2>Layers</h2>\n<pre>");
        cli_page_text(f, text);
        fprintf(f, "</pre></section>\n");
    }
    free(text);
    return status == CLI_GO_ON ? CLI_OK : CLI_FAILED;
}

static void put_item(FILE *f, const char *name, const char *text)
{
    fprintf(f, "<dt>%s</dt><dd>", name);
    cli_page_text(f, text);
    fprintf(f, "</dd>\n");
}

static void put_settings(FILE *f, const cli_option *o)
{
    char text[CLI_NOTE_TEXT];
    fprintf(f, "<section id=\"settings\"><h2>Settings</h2>\n<dl>\n");
    for (; o->kind != CLI_END; o++) {
        const char *value = o->note && !cli_option_is_unset(o) ? cli_note_text(o, text) : "";
        if (!*value) continue;
        if (o->kind != CLI_TEXT && o->kind != CLI_FLAG) snprintf(text, sizeof text, "%.9g", strtod(value, NULL));
        put_item(f, o->name, value);
    }
    fprintf(f, "</dl></section>\n");
}

static void put_machine(FILE *f, const cli_page *p)
{
    struct utsname system;
    char text[600], rate[32];
    fprintf(f, "<section id=\"machine\"><h2>Machine</h2>\n<dl>\n");
    for (uint32_t i = 0; i < p->n_devices; i++) {
        const tn_device_info *info = tn_device_get_info(p->device[i]);
        snprintf(text, sizeof text, "%s: %s (%s)", tn_device_name(p->device[i]), info->name, info->driver);
        put_item(f, "device", text);
    }
    snprintf(text, sizeof text, "%s samples a second", cli_rate_text(p->rate, rate, sizeof rate));
    if (!isnan(p->rate)) put_item(f, "speed", text);
    put_item(f, "tenon", tn_version());
    put_item(f, "compiler", __VERSION__);
    if (!uname(&system)) {
        snprintf(text, sizeof text, "%.60s %.120s, %.60s", system.sysname, system.release, system.machine);
        put_item(f, "system", text);
    }
    fprintf(f, "</dl></section>\n");
}

static int put_results(FILE *f, const cli_results *r)
{
    if (!r->measures) return CLI_OK;
    put_measures(f, r);
    put_confusion(f, r);
    if (tn_measures_kind(r->measures) == TN_OF_NUMBERS) cli_page_residuals(f, r);
    const int status = cli_page_samples(f, r);
    return status ? status : cli_page_worst(f, r);
}

static int put_page(FILE *f, const cli_page *p)
{
    fprintf(f, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
               "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<link rel=\"icon\" "
               "href=\"data:,\">\n<title>");
    cli_page_text(f, p->net);
    fprintf(f, " on ");
    cli_page_text(f, p->data);
    fprintf(f, "</title>\n<style>\n%s</style></head><body><main>\n", cli_css_page);
    put_summary(f, p);
    if (p->history->count) cli_page_curves(f, p->history, p->model->loss, p->best);
    int status = put_results(f, p->results);
    if (!status) status = put_layers(f, p->model);
    put_settings(f, p->options);
    put_machine(f, p);
    fprintf(f, "</main></body></html>\n");
    return status;
}

int cli_page_write(const cli_page *p)
{
    char *text = NULL;
    size_t size = 0;
    if (!p->path) return CLI_OK;
    FILE *file = open_memstream(&text, &size);
    int status = file ? put_page(file, p) : cli_fail("out of memory");
    if (file && (ferror(file) | fclose(file)) && !status) status = cli_fail("out of memory");
    if (!status && tn_file_replace(p->path, text, size)) status = cli_failed();
    free(text);
    return status ? CLI_FAILED : CLI_OK;
}

int cli_page_of_training(const cli_session *s)
{
    char about[4200];
    snprintf(about, sizeof about,
             "%.4000s: %" PRId64 " samples to train on, %" PRId64 " for validation, %" PRId64 " to test on",
             s->settings.data, s->data.count, s->validation.count, s->test.count);
    const cli_page page = {.path = s->settings.report,
                           .net = s->settings.net,
                           .data = s->settings.data,
                           .about = about,
                           .options = s->settings.options,
                           .model = &s->model,
                           .history = &s->history,
                           .results = &s->results,
                           .test_loss = s->history.epoch[s->history.count - 1].test.loss,
                           .seconds = s->seconds,
                           .rate = (double)s->samples / s->seconds,
                           .best = s->at.best,
                           .parameters = cli_report_parameters(s->state),
                           .device = s->crew.device,
                           .n_devices = s->crew.count};
    return cli_page_write(&page);
}
