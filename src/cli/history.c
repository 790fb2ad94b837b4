/* history.c: see history.h. */
#include "history.h"
#include "cli.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int cli_history_add(cli_history *history, const tn_epoch *epoch)
{
    if (history->count == history->capacity) {
        size_t capacity = history->capacity ? 2 * history->capacity : 64;
        tn_epoch *grown = realloc(history->epoch, capacity * sizeof *grown);
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

double cli_history_judged(const cli_history *history, size_t index)
{
    const tn_epoch *e = &history->epoch[index];
    return !isnan(e->validation.loss) ? e->validation.loss : !isnan(e->test.loss) ? e->test.loss : e->train.loss;
}

char *cli_history_text(const cli_history *history, int with_times)
{
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);
    if (!file) return NULL;
    for (size_t i = 0; i < history->count; i++) {
        const tn_epoch *e = &history->epoch[i];
        fprintf(file, "%.17g %.17g %.17g %.17g %.9g %.17g %.17g %.9g;", e->train.loss, e->train.accuracy, e->test.loss,
                e->test.accuracy, with_times ? e->seconds : 0, e->validation.loss, e->validation.accuracy, e->rate);
    }
    return fclose(file) ? free(text), NULL : text;
}

int cli_history_read(cli_history *history, const char *text)
{
    tn_epoch e = {.validation = {NAN, NAN}};
    while (text && *text &&
           sscanf(text, "%lf %lf %lf %lf %lf %lf %lf %lf;", &e.train.loss, &e.train.accuracy, &e.test.loss,
                  &e.test.accuracy, &e.seconds, &e.validation.loss, &e.validation.accuracy, &e.rate) >= 5) {
        e.number++;
        if (!cli_history_add(history, &e)) return 0;
        text = strchr(text, ';');
        if (text) text++;
    }
    return 1;
}
