/* progress.c: see progress.h. */
#include "progress.h"
#include "cli.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BAR      24   /* characters */
#define SHORTEST 0.05 /* seconds of an epoch whose speed is worth telling */

char *cli_duration_text(double seconds, char *text, size_t capacity)
{
    if (!(seconds >= 0) || seconds > 3e7)
        snprintf(text, capacity, "long");
    else if (seconds < 9.95)
        snprintf(text, capacity, "%.1f s", seconds);
    else if (seconds < 59.5)
        snprintf(text, capacity, "%.0f s", seconds);
    else if (seconds < 3599.5)
        snprintf(text, capacity, "%d:%02d min", (int)(seconds + 0.5) / 60, (int)(seconds + 0.5) % 60);
    else
        snprintf(text, capacity, "%d:%02d h", (int)(seconds + 30) / 3600, (int)(seconds + 30) / 60 % 60);
    return text;
}

char *cli_rate_text(double rate, char *text, size_t capacity)
{
    if (rate >= 999500)
        snprintf(text, capacity, "%.2f M", rate / 1e6);
    else
        snprintf(text, capacity, "%.0f", rate);
    return text;
}

/* Adds to a text what fits. */
static void add(char *text, size_t capacity, const char *format, ...) TN_PRINTF(3, 4);
static void add(char *text, size_t capacity, const char *format, ...)
{
    size_t used = strlen(text);
    va_list list;
    va_start(list, format);
    vsnprintf(text + used, capacity - used, format, list);
    va_end(list);
}

/* How a line is written, from what is said in full to what takes least room. */
typedef struct style {
    const char *accuracy, *validation, *speed; /* "": speed is left out */
} style;

static const style styles[] = {
    {"accuracy", "validation", "/s"}, {"accuracy", "validation", ""}, {"acc", "val", "/s"}, {"acc", "val", ""}};

#define STYLES (sizeof styles / sizeof *styles)

/* The accuracy of a data set, or else its loss. */
static void add_score(char *text, size_t capacity, const char *of, const tn_score *score, const style *how)
{
    if (!isnan(score->accuracy))
        add(text, capacity, "  %s %s %6.2f %%", of, how->accuracy, 100 * score->accuracy);
    else if (!isnan(score->loss))
        add(text, capacity, "  %s loss %-9.4g", of, score->loss);
}

static void write_epoch(const tn_epoch *e, int64_t epochs, int64_t samples, const style *how, char *text,
                        size_t capacity)
{
    char rate[32], number[32];
    int width = snprintf(number, sizeof number, "%" PRId64, epochs);
    snprintf(text, capacity, "epoch %*" PRId64 "/%s  loss %-9.4g", width, e->number, number, e->train.loss);
    if (!isnan(e->train.accuracy)) add(text, capacity, "  %s %6.2f %%", how->accuracy, 100 * e->train.accuracy);
    add_score(text, capacity, how->validation, &e->validation, how);
    add_score(text, capacity, "test", &e->test, how);
    if (*how->speed && e->seconds >= SHORTEST)
        add(text, capacity, "  %s%s", cli_rate_text((double)samples / e->seconds, rate, sizeof rate), how->speed);
}

char *cli_epoch_text(const tn_epoch *e, int64_t epochs, int64_t samples, int width, char *text, size_t capacity)
{
    for (size_t i = 0; i < STYLES; i++) {
        write_epoch(e, epochs, samples, &styles[i], text, capacity);
        if (cli_columns(text) <= width) break;
    }
    for (size_t end = strlen(text); end && text[end - 1] == ' ';) text[--end] = 0;
    return text;
}

void cli_progress_begin(cli_progress *progress, int64_t epochs, double share, int quiet)
{
    *progress =
        (cli_progress){.epochs = epochs, .terminal = isatty(2) && !quiet, .begun = cli_now(), .share_begun = share};
}

void cli_progress_clear(cli_progress *progress)
{
    if (progress->drawn) fprintf(stderr, "\r\033[K");
    progress->drawn = 0;
}

void cli_progress_draw(cli_progress *progress, const tn_epoch *e, int64_t samples, double within)
{
    if (!progress->terminal) return;
    char bar[BAR + 1] = {0}, rate[32], left[32];
    int full = (int)(within * BAR);
    for (int i = 0; i < BAR; i++) bar[i] = i < full ? '=' : i == full ? '>' : ' ';
    double share = ((double)e->number - 1 + within) / (double)progress->epochs;
    double spent = cli_now() - progress->begun, done = share - progress->share_begun;
    cli_duration_text(done > 0 ? spent / done * (1 - share) : NAN, left, sizeof left);
    fprintf(stderr, "\r\033[Kepoch %" PRId64 "/%" PRId64 " [%s] loss %.4g  %s/s  %s left", e->number,
            progress->epochs, bar, e->train.loss, cli_rate_text((double)samples / e->seconds, rate, sizeof rate), left);
    progress->drawn = 1;
}

void cli_progress_epoch(cli_progress *progress, const tn_epoch *epoch, int64_t samples)
{
    char text[240];
    cli_progress_clear(progress);
    cli_tell("%s\n", cli_epoch_text(epoch, progress->epochs, samples, cli_width(stderr), text, sizeof text));
}
