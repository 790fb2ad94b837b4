/* curve.c: the loss curve as an SVG file that needs nothing else: two panels over the epochs, losses above and
 * accuracies below, with axes, labels and the last values. */
#include "cli.h"
#include "history.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WIDTH     760
#define LEFT      64
#define RIGHT     690
#define PANEL     230 /* height of a panel's plot */
#define TOP       64
#define GAP       64 /* between panels */
#define CHARACTER 7  /* the width that most have at most */

/* A line in a panel. */
typedef struct series {
    const char *label, *colour;
    size_t field; /* of tn_epoch, a double */
    double factor;
} series;

#define LINES 3

/* A plot: which lines, its place and its range of values. */
typedef struct panel {
    const char *title, *what, *unit; /* what: behind the title, or NULL */
    series line[LINES];
    double top, low, high, step; /* `step` from one line of the grid to the next */
} panel;

static double value(const cli_history *h, size_t i, const series *s)
{
    double v;
    memcpy(&v, (const char *)&h->epoch[i] + s->field, sizeof v);
    return fabs(v) < 1e30 ? v * s->factor : NAN; /* what is absurd is left out like what is no number */
}

static double x_of(const cli_history *h, size_t i)
{
    double first = (double)h->epoch[0].number, last = (double)h->epoch[h->count - 1].number;
    return last > first ? LEFT + (RIGHT - LEFT) * ((double)h->epoch[i].number - first) / (last - first)
                        : (LEFT + RIGHT) / 2.0;
}

static double y_of(const panel *p, double v)
{
    return p->top + PANEL * (1 - (v - p->low) / (p->high - p->low));
}

/* A round number near a fifth of the range: 1, 2 or 5 times a power of ten. */
static double tick_step(double range)
{
    double power = pow(10, floor(log10(range / 5))), times = range / 5 / power;
    return power * (times < 1.5 ? 1 : times < 3.5 ? 2 : times < 7.5 ? 5 : 10);
}

/* Sets the range to round numbers round all values; returns how many values there are. */
static size_t find_range(const cli_history *h, panel *p)
{
    size_t seen = 0;
    double low = INFINITY, high = -INFINITY;
    for (size_t k = 0; k < LINES; k++)
        for (size_t i = 0; i < h->count; i++) {
            double v = value(h, i, &p->line[k]);
            if (!isfinite(v)) continue;
            seen++;
            low = v < low ? v : low;
            high = v > high ? v : high;
        }
    if (!seen) return 0;
    double pad = high > low ? 0 : high != 0 ? fabs(high) / 10 : 1;
    p->step = tick_step(high - low + 2 * pad);
    p->low = floor((low - pad) / p->step) * p->step;
    p->high = ceil((high + pad) / p->step) * p->step;
    return seen;
}

static void draw_epoch(FILE *f, const cli_history *h, size_t i, double bottom)
{
    fprintf(f, "<text x=\"%.1f\" y=\"%.0f\" class=\"x\">%lld</text>\n", x_of(h, i), bottom + 18,
            (long long)h->epoch[i].number);
}

static void draw_axes(FILE *f, const cli_history *h, const panel *p)
{
    double step = p->step, bottom = p->top + PANEL;
    fprintf(f, "<text x=\"%d\" y=\"%.0f\" class=\"title\">%s%s%s</text>\n", LEFT, p->top - 12, p->title,
            p->what ? ": " : "", p->what ? p->what : "");
    for (int i = 0; p->low + i * step <= p->high + step / 2; i++) {
        double v = p->low + i * step, y = y_of(p, v);
        if (fabs(v) < step / 1e6) v = 0;
        fprintf(f, "<path class=\"grid\" d=\"M%d %.1fH%d\"/><text x=\"%d\" y=\"%.1f\" class=\"y\">%.6g%s</text>\n",
                LEFT, y, RIGHT, LEFT - 8, y + 4, v, p->unit);
    }
    const size_t every = (h->count + 9) / 10, last = h->count - 1;
    for (size_t i = 0; i < h->count; i += every) /* none too near the last */
        if (i == last || 2 * (last - i) > every) draw_epoch(f, h, i, bottom);
    if (last % every) draw_epoch(f, h, last, bottom);
    fprintf(f, "<path class=\"axis\" d=\"M%d %.0fV%.0fH%d\"/>\n", LEFT, p->top, bottom, RIGHT);
    fprintf(f, "<text x=\"%d\" y=\"%.0f\" class=\"x\">epoch</text>\n", (LEFT + RIGHT) / 2, bottom + 36);
}

/* Points where the value is a number, joined; a gap where it is none. */
static void draw_line(FILE *f, const cli_history *h, const panel *p, const series *s)
{
    int joined = 0;
    fprintf(f, "<path class=\"line\" stroke=\"%s\" d=\"", s->colour);
    for (size_t i = 0; i < h->count; i++) {
        double v = value(h, i, s);
        if (isfinite(v)) fprintf(f, "%c%.1f %.1f", joined ? 'L' : 'M', x_of(h, i), y_of(p, v));
        joined = isfinite(v);
    }
    fprintf(f, "\"/>\n");
    for (size_t i = 0; i < h->count && h->count <= 60; i++)
        if (isfinite(value(h, i, s)))
            fprintf(
                f, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\"><title>epoch %lld: %.6g%s</title></circle>\n",
                x_of(h, i), y_of(p, value(h, i, s)), s->colour, (long long)h->epoch[i].number, value(h, i, s), p->unit);
}

/* The names of the lines with their last values, at the right above the plot. */
static void draw_legend(FILE *f, const cli_history *h, const panel *p)
{
    double x = RIGHT + 12;
    char text[80];
    for (int k = LINES - 1; k >= 0; k--) {
        double v = value(h, h->count - 1, &p->line[k]);
        if (!isfinite(v)) continue;
        snprintf(text, sizeof text, "%s %.4g%s", p->line[k].label, v, p->unit);
        x -= 24 + CHARACTER * (double)strlen(text) + 12;
        fprintf(f, "<path stroke=\"%s\" stroke-width=\"3\" d=\"M%.0f %.0fh18\"/>\n", p->line[k].colour, x, p->top - 16);
        fprintf(f, "<text x=\"%.0f\" y=\"%.0f\">%s</text>\n", x + 24, p->top - 12, text);
    }
}

static void put_escaped(FILE *f, const char *text)
{
    for (; *text; text++) {
        if (*text == '<')
            fputs("&lt;", f);
        else if (*text == '&')
            fputs("&amp;", f);
        else if (*text == '>')
            fputs("&gt;", f);
        else if ((unsigned char)*text >= 0x20 && (unsigned char)*text < 0x7f)
            fputc(*text, f);
        else
            fputc('?', f);
    }
}

static void draw(FILE *f, const cli_history *h, const char *title, const char *loss)
{
    panel panels[] = {
        {"Loss",
         loss,
         "",
         {{"training", "#1f6feb", offsetof(tn_epoch, train.loss), 1},
          {"test", "#d9480f", offsetof(tn_epoch, test.loss), 1},
          {"validation", "#2b8a3e", offsetof(tn_epoch, validation.loss), 1}}},
        {"Accuracy",
         NULL,
         " %",
         {{"training", "#1f6feb", offsetof(tn_epoch, train.accuracy), 100},
          {"test", "#d9480f", offsetof(tn_epoch, test.accuracy), 100},
          {"validation", "#2b8a3e", offsetof(tn_epoch, validation.accuracy), 100}}},
    };
    size_t shown = 1 + (find_range(h, &panels[1]) > 0);
    if (!find_range(h, &panels[0])) panels[0].high = panels[0].step = 1;
    int height = TOP + (int)shown * (PANEL + GAP) + 4;
    fprintf(f, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\">\n", WIDTH,
            height, WIDTH, height);
    fprintf(f, "<style>text{font:12px sans-serif;fill:#444}.title{font-weight:bold;font-size:13px;fill:#222}"
               ".x{text-anchor:middle}.y{text-anchor:end}.grid{stroke:#e6e6e6}.axis{stroke:#888;fill:none}"
               ".line{fill:none;stroke-width:2;stroke-linejoin:round}</style>\n");
    fprintf(f, "<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n<text x=\"%d\" y=\"24\" class=\"title\">", WIDTH,
            height, LEFT);
    put_escaped(f, title);
    fprintf(f, "</text>\n");
    for (size_t k = 0; k < shown; k++) {
        panels[k].top = TOP + (double)k * (PANEL + GAP);
        draw_axes(f, h, &panels[k]);
        for (int j = LINES - 1; j >= 0; j--) draw_line(f, h, &panels[k], &panels[k].line[j]);
        draw_legend(f, h, &panels[k]);
    }
    fprintf(f, "</svg>\n");
}

int cli_curve_write(const char *path, const cli_history *history, const char *title, const char *loss)
{
    char *text = NULL;
    size_t size = 0;
    if (!path || !history->count) return CLI_OK;
    FILE *file = open_memstream(&text, &size);
    if (file) draw(file, history, title, loss);
    int failed = !file || ferror(file);
    if (file) failed |= fclose(file) != 0;
    if (failed)
        cli_fail("out of memory");
    else if ((failed = tn_file_replace(path, text, size) != TN_OK))
        cli_failed();
    free(text);
    return failed ? CLI_FAILED : CLI_OK;
}
