/* page_chart.c: the charts on the page of a report, as SVG whose colours follow the page's. */
#include "page.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH   400
#define HEIGHT  250
#define LEFT    56
#define RIGHT   378
#define TOP     48
#define BOTTOM  206
#define SERIES  3
#define POINTS  1500 /* dots of a plot of residuals */
#define TARGETS 4    /* that have one */

/* ---- an axis ---- */

/* Values from low to high, in the logarithm of base 10 if `log`. */
typedef struct range {
    double low, high, step;
    int log;
} range;

static double tick_step(double span)
{
    const double power = pow(10, floor(log10(span / 4))), times = span / 4 / power;
    return power * (times < 1.5 ? 1 : times < 3.5 ? 2 : times < 7.5 ? 5 : 10);
}

/* As it is drawn; NaN for what can't be. */
static double drawn(const range *r, double value)
{
    if (!(fabs(value) < 1e30)) return NAN;
    return !r->log ? value : value > 0 ? log10(value) : NAN;
}

static void take(range *r, double value)
{
    const double v = drawn(r, value);
    if (v < r->low) r->low = v;
    if (v > r->high) r->high = v;
}

/* To round numbers; returns 0 if there were no values. */
static int settle(range *r)
{
    if (!(r->high >= r->low)) return 0;
    const double pad = r->high > r->low ? 0 : fabs(r->high) > 0 ? fabs(r->high) / 10 : 1;
    r->step = tick_step(r->high - r->low + 2 * pad);
    r->low = floor((r->low - pad) / r->step) * r->step;
    r->high = ceil((r->high + pad) / r->step) * r->step;
    return 1;
}

static double place(const range *r, double value, double from, double to)
{
    return from + (to - from) * (drawn(r, value) - r->low) / (r->high - r->low);
}

static void put_grid(FILE *f, const range *y, const char *unit)
{
    for (int i = 0; y->low + i * y->step <= y->high + y->step / 2; i++) {
        double v = y->low + i * y->step, at = BOTTOM + (TOP - BOTTOM) * (v - y->low) / (y->high - y->low);
        if (fabs(v) < y->step / 1e6) v = 0;
        fprintf(f, "<path class=\"grid\" d=\"M%d %.1fH%d\"/><text x=\"%d\" y=\"%.1f\" class=\"y\">%.4g%s</text>\n",
                LEFT, at, RIGHT, LEFT - 6, at + 4, y->log ? pow(10, v) : v, unit);
    }
    fprintf(f, "<path class=\"axis\" d=\"M%d %dV%dH%d\"/>\n", LEFT, TOP, BOTTOM, RIGHT);
}

static void put_head(FILE *f, const char *kind, const char *title, const char *what)
{
    fprintf(f, "<figure class=\"%s\"><svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", kind, WIDTH, HEIGHT);
    cli_page_text(f, title);
    fprintf(f, "\">\n<text x=\"%d\" y=\"16\" class=\"title\">", 8);
    cli_page_text(f, title);
    cli_page_text(f, what);
    fprintf(f, "</text>\n");
}

/* ---- curves ---- */

typedef struct series {
    const char *name, *kind;
    size_t field; /* of tn_epoch, a double */
} series;

typedef struct chart {
    const char *kind, *title, *what, *unit;
    double factor;
    int log;
    series line[SERIES];
} chart;

static double value(const cli_history *h, size_t i, const chart *c, const series *s)
{
    double v;
    memcpy(&v, (const char *)&h->epoch[i] + s->field, sizeof v);
    return v * c->factor;
}

static double x_of(const cli_history *h, size_t i)
{
    return h->count > 1 ? LEFT + 8 + (RIGHT - LEFT - 16) * (double)i / (double)(h->count - 1) : (LEFT + RIGHT) / 2.0;
}

static void put_line(FILE *f, const cli_history *h, const chart *c, const series *s, const range *y)
{
    int joined = 0;
    fprintf(f, "<path class=\"line %s\" d=\"", s->kind);
    for (size_t i = 0; i < h->count; i++) {
        const double v = value(h, i, c, s);
        const int there = !isnan(drawn(y, v));
        if (there) fprintf(f, "%c%.1f %.1f", joined ? 'L' : 'M', x_of(h, i), place(y, v, BOTTOM, TOP));
        if (there && h->count == 1) fprintf(f, "h6");
        joined = there;
    }
    fprintf(f, "\"/>\n");
}

static void put_legend(FILE *f, const cli_history *h, const chart *c)
{
    double x = 8;
    for (int k = 0; k < SERIES && c->line[k].name; k++) {
        const double v = value(h, h->count - 1, c, &c->line[k]);
        char text[80];
        if (!isfinite(v)) continue;
        snprintf(text, sizeof text, "%s %.4g%s", c->line[k].name, v, c->unit);
        fprintf(f, "<path class=\"line %s\" d=\"M%.0f 32h12\"/><text x=\"%.0f\" y=\"36\">%s</text>\n", c->line[k].kind,
                x, x + 16, text);
        x += 16 + 6.2 * (double)strlen(text) + 10;
    }
}

static void put_epochs(FILE *f, const cli_history *h, int64_t best)
{
    const size_t last = h->count - 1, every = (h->count + 4) / 5;
    for (size_t i = 0; i < h->count; i += every) {
        if (i != last && 2 * (last - i) <= every) continue;
        fprintf(f, "<text x=\"%.1f\" y=\"%d\" class=\"x\">%" PRId64 "</text>\n", x_of(h, i), BOTTOM + 16,
                h->epoch[i].number);
    }
    if (last % every)
        fprintf(f, "<text x=\"%.1f\" y=\"%d\" class=\"x\">%" PRId64 "</text>\n", x_of(h, last), BOTTOM + 16,
                h->epoch[last].number);
    fprintf(f, "<text x=\"%d\" y=\"%d\" class=\"x\">epoch%s</text>\n", (LEFT + RIGHT) / 2, BOTTOM + 34,
            best > 0 ? "; the best one is marked" : "");
    if (best > 0 && best <= (int64_t)h->count)
        fprintf(f, "<path class=\"best\" d=\"M%.1f %dV%d\"><title>epoch %" PRId64 " is the best</title></path>\n",
                x_of(h, (size_t)best - 1), TOP, BOTTOM, best);
}

static void put_chart(FILE *f, const cli_history *h, const chart *c, int64_t best)
{
    range y = {INFINITY, -INFINITY, 1, c->log};
    for (int k = 0; k < SERIES && c->line[k].name; k++)
        for (size_t i = 0; i < h->count; i++) take(&y, value(h, i, c, &c->line[k]));
    if (!settle(&y)) return;
    put_head(f, c->kind, c->title, c->what);
    put_grid(f, &y, c->unit);
    put_epochs(f, h, best);
    for (int k = SERIES - 1; k >= 0; k--)
        if (c->line[k].name) put_line(f, h, c, &c->line[k], &y);
    put_legend(f, h, c);
    fprintf(f, "</svg></figure>\n");
}

#define OF(part)                                                                                                       \
    {                                                                                                                  \
        {"training", "train", offsetof(tn_epoch, train.part)}, {"test", "test", offsetof(tn_epoch, test.part)},        \
        {                                                                                                              \
            "validation", "valid", offsetof(tn_epoch, validation.part)                                                 \
        }                                                                                                              \
    }

void cli_page_curves(FILE *f, const cli_history *h, const char *loss, int64_t best)
{
    char what[100];
    snprintf(what, sizeof what, ": %s", loss);
    const chart charts[] = {
        {"plain", "Loss", what, "", 1, 0, OF(loss)},
        {"log", "Loss", what, "", 1, 1, OF(loss)},
        {"", "Accuracy", "", " %", 100, 0, OF(accuracy)},
        {"plain", "Learning rate", "", "", 1, 0, {{"rate", "train", offsetof(tn_epoch, rate)}}},
        {"log", "Learning rate", "", "", 1, 1, {{"rate", "train", offsetof(tn_epoch, rate)}}},
    };
    fprintf(f, "<section id=\"curves\"><h2>Curves</h2>\n<input type=\"checkbox\" class=\"switch\" id=\"log\"><label "
               "for=\"log\">logarithmic scale</label>\n<div class=\"charts\">\n");
    for (size_t i = 0; i < sizeof charts / sizeof *charts; i++) put_chart(f, h, &charts[i], best);
    fprintf(f, "</div></section>\n");
}

/* ---- residuals ---- */

static void put_dots(FILE *f, const cli_results *r, int64_t k, const range *x, const range *y)
{
    const int64_t every = (r->data->count + POINTS - 1) / POINTS;
    for (int64_t i = 0; i < r->data->count; i += every) {
        const double found = r->y[i * r->outputs + k], off = found - r->target[i * r->outputs + k];
        if (!isfinite(off)) continue;
        fprintf(f, "<circle class=\"dot\" cx=\"%.1f\" cy=\"%.1f\" r=\"2.5\"/>", place(x, found, LEFT, RIGHT),
                place(y, off, BOTTOM, TOP));
    }
    fprintf(f, "\n");
}

static void put_residuals(FILE *f, const cli_results *r, int64_t k, const char *name)
{
    range x = {INFINITY, -INFINITY, 1, 0}, y = {0, 0, 1, 0};
    for (int64_t i = 0; i < r->data->count; i++) {
        const double found = r->y[i * r->outputs + k];
        take(&x, found);
        take(&y, found - r->target[i * r->outputs + k]);
    }
    if (!settle(&x) || !settle(&y)) return;
    put_head(f, "", name, ": predicted less true, over predicted");
    put_grid(f, &y, "");
    for (int i = 0; x.low + i * x.step <= x.high + x.step / 2; i++)
        fprintf(f, "<text x=\"%.1f\" y=\"%d\" class=\"x\">%.4g</text>\n", place(&x, x.low + i * x.step, LEFT, RIGHT),
                BOTTOM + 16, x.low + i * x.step);
    put_dots(f, r, k, &x, &y);
    fprintf(f, "<path class=\"zero\" d=\"M%d %.1fH%d\"/>\n</svg></figure>\n", LEFT, place(&y, 0, BOTTOM, TOP), RIGHT);
}

void cli_page_residuals(FILE *f, const cli_results *r)
{
    const char *names = r->model->target_names;
    fprintf(f, "<section id=\"residuals\"><h2>Residuals</h2>\n<div class=\"charts\">\n");
    for (int64_t k = 0; k < r->outputs && k < TARGETS; k++) {
        char name[40];
        snprintf(name, sizeof name, "output %" PRId64, k + 1);
        if (names && *names) snprintf(name, sizeof name, "%.*s", (int)cli_name_length(names), names);
        put_residuals(f, r, k, cli_fitted(name, sizeof name, 16));
        if (names) names = cli_next_name(names);
    }
    fprintf(f, "</div></section>\n");
}
