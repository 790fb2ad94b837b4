/* progress.h: showing how training goes: a bar on a terminal, a line an epoch elsewhere; on standard error. */
#ifndef TN_CLI_PROGRESS_H
#define TN_CLI_PROGRESS_H

#include <stddef.h>
#include <stdint.h>

/* An epoch as it is shown. NaN stands for what there is not. */
typedef struct cli_epoch {
    int64_t epoch, epochs;
    double loss, accuracy, test_loss, test_accuracy;
    double samples_per_s;
    double validation_loss, validation_accuracy;
} cli_epoch;

typedef struct cli_progress {
    int terminal; /* standard error is one */
    int drawn;    /* a bar stands on the line */
    double begun; /* when this run began, and at which share of its work */
    double share_begun;
} cli_progress;

void cli_progress_begin(cli_progress *progress, double share);

/* Draws the bar: `share` of the whole training is done, `within` of this epoch. Does nothing off a terminal. */
void cli_progress_draw(cli_progress *progress, const cli_epoch *epoch, double within, double share);

/* The line that stays for an epoch. */
void cli_progress_epoch(cli_progress *progress, const cli_epoch *epoch);

/* Takes the bar away, so that other lines can be printed. */
void cli_progress_clear(cli_progress *progress);

/* "7 s", "3:05 min", "2:03 h"; "43210", "1.23 M"; both return `text`. */
char *cli_duration_text(double seconds, char *text, size_t capacity);
char *cli_rate_text(double rate, char *text, size_t capacity);

/* The line itself, without colours or line break. */
char *cli_epoch_text(const cli_epoch *epoch, char *text, size_t capacity);

#endif
