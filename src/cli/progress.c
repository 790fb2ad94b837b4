/* progress.c: see progress.h. */
#include "progress.h"
#include "cli.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BAR 24 /* characters */

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

char *cli_epoch_text(const cli_epoch *e, char *text, size_t capacity)
{
    char rate[32];
    snprintf(text, capacity, "epoch %" PRId64 "/%" PRId64 "  loss %.4g", e->epoch, e->epochs, e->loss);
    if (!isnan(e->accuracy)) add(text, capacity, "  accuracy %.2f %%", 100 * e->accuracy);
    if (!isnan(e->validation_accuracy))
        add(text, capacity, "  validation accuracy %.2f %%", 100 * e->validation_accuracy);
    else if (!isnan(e->validation_loss))
        add(text, capacity, "  validation loss %.4g", e->validation_loss);
    if (!isnan(e->test_accuracy))
        add(text, capacity, "  test accuracy %.2f %%", 100 * e->test_accuracy);
    else if (!isnan(e->test_loss))
        add(text, capacity, "  test loss %.4g", e->test_loss);
    add(text, capacity, "  %s samples/s", cli_rate_text(e->samples_per_s, rate, sizeof rate));
    return text;
}

void cli_progress_begin(cli_progress *progress, double share)
{
    *progress = (cli_progress){.terminal = isatty(2), .begun = cli_now(), .share_begun = share};
}

void cli_progress_clear(cli_progress *progress)
{
    if (progress->drawn) fprintf(stderr, "\r\033[K");
    progress->drawn = 0;
}

void cli_progress_draw(cli_progress *progress, const cli_epoch *e, double within, double share)
{
    if (!progress->terminal) return;
    char bar[BAR + 1] = {0}, rate[32], left[32];
    int full = (int)(within * BAR);
    for (int i = 0; i < BAR; i++) bar[i] = i < full ? '=' : i == full ? '>' : ' ';
    double spent = cli_now() - progress->begun, done = share - progress->share_begun;
    cli_duration_text(done > 0 ? spent / done * (1 - share) : NAN, left, sizeof left);
    fprintf(stderr, "\r\033[Kepoch %" PRId64 "/%" PRId64 " [%s] loss %.4g  %s samples/s  %s left", e->epoch, e->epochs,
            bar, e->loss, cli_rate_text(e->samples_per_s, rate, sizeof rate), left);
    progress->drawn = 1;
}

void cli_progress_epoch(cli_progress *progress, const cli_epoch *epoch)
{
    char text[240];
    cli_progress_clear(progress);
    fprintf(stderr, "%s\n", cli_epoch_text(epoch, text, sizeof text));
}
