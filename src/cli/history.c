/* history.c: see history.h. */
#include "history.h"
#include "cli.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int cli_history_add(cli_history *history, const cli_epoch *epoch)
{
    if (history->count == history->capacity) {
        size_t capacity = history->capacity ? 2 * history->capacity : 64;
        cli_epoch *grown = realloc(history->epoch, capacity * sizeof *grown);
        if (!grown) return 0;
        history->epoch = grown;
        history->capacity = capacity;
    }
    history->epoch[history->count++] = *epoch;
    return 1;
}

void cli_history_free(cli_history *history)
{
    free(history->epoch);
    *history = (cli_history){0};
}

double cli_epoch_judged(const cli_epoch *e)
{
    if (!isnan(e->validation_loss)) return e->validation_loss;
    return isnan(e->test_loss) ? e->loss : e->test_loss;
}

size_t cli_history_best(const cli_history *history)
{
    size_t best = 0;
    for (size_t i = 1; i < history->count; i++)
        if (cli_epoch_judged(&history->epoch[i]) < cli_epoch_judged(&history->epoch[best])) best = i;
    return best;
}

int64_t cli_history_stalled(const cli_history *history)
{
    return (int64_t)(history->count - 1 - cli_history_best(history));
}

char *cli_history_text(const cli_history *history)
{
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);
    if (!file) return NULL;
    for (size_t i = 0; i < history->count; i++) {
        const cli_epoch *e = &history->epoch[i];
        fprintf(file, "%.17g %.17g %.17g %.17g %.9g %.17g %.17g;", e->loss, e->accuracy, e->test_loss, e->test_accuracy,
                e->samples_per_s, e->validation_loss, e->validation_accuracy);
    }
    return fclose(file) ? free(text), NULL : text;
}

int cli_history_read(cli_history *history, const char *text, int64_t epochs)
{
    cli_epoch e = {.epochs = epochs, .validation_loss = NAN, .validation_accuracy = NAN};
    while (text && *text &&
           sscanf(text, "%lf %lf %lf %lf %lf %lf %lf;", &e.loss, &e.accuracy, &e.test_loss, &e.test_accuracy,
                  &e.samples_per_s, &e.validation_loss, &e.validation_accuracy) >= 5) {
        e.epoch++;
        if (!cli_history_add(history, &e)) return 0;
        text = strchr(text, ';');
        if (text) text++;
    }
    return 1;
}
