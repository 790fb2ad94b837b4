/* history.h: the epochs of a training so far, and what is made of them: notes, JSON, a curve. */
#ifndef TN_CLI_HISTORY_H
#define TN_CLI_HISTORY_H

#include "tenon/fit.h"

typedef struct cli_history {
    tn_epoch *epoch;
    size_t count, capacity;
} cli_history;

/* Returns 0 when there is no memory. */
int cli_history_add(cli_history *history, const tn_epoch *epoch);
void cli_history_free(cli_history *history);

/* The loss that an epoch is judged by: that of validation, or else of the test, or else of training. */
double cli_history_judged(const cli_history *history, size_t index);

/* As a text for a checkpoint's note (the caller frees it; NULL: no memory), and back. */
char *cli_history_text(const cli_history *history, int with_times);
int cli_history_read(cli_history *history, const char *text);

/* Draws the curve of losses, and of accuracies if there are any, as an SVG file, written beside `path` and renamed; `loss` is the
 * name of the first.
 * Returns CLI_OK or CLI_FAILED. */
int cli_curve_write(const char *path, const cli_history *history, const char *title, const char *loss);

#endif
