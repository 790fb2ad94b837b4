/* progress.h: showing how training goes: a bar on a terminal, a line an epoch elsewhere; on standard error. */
#ifndef TN_CLI_PROGRESS_H
#define TN_CLI_PROGRESS_H

#include "tenon/fit.h"

typedef struct cli_progress {
    int64_t epochs; /* in all */
    int terminal;   /* standard error is one */
    int drawn;      /* a bar stands on the line */
    double begun;   /* when this run began, and at which share of its work */
    double share_begun;
} cli_progress;

/* `share` of the whole training is done. Quiet: no bar is drawn. */
void cli_progress_begin(cli_progress *progress, int64_t epochs, double share, int quiet);

/* Draws the bar: `within` of the epoch is done, in which it took `samples` samples so far. Does nothing off a terminal.
 */
void cli_progress_draw(cli_progress *progress, const tn_epoch *epoch, int64_t samples, double within);

/* The line that stays for an epoch. */
void cli_progress_epoch(cli_progress *progress, const tn_epoch *epoch, int64_t samples);

/* Takes the bar away, so that other lines can be printed. */
void cli_progress_clear(cli_progress *progress);

/* "7 s", "3:05 min", "2:03 h"; "43210", "1.23 M"; both return `text`. */
char *cli_duration_text(double seconds, char *text, size_t capacity);
char *cli_rate_text(double rate, char *text, size_t capacity);

/* The line itself, without line break, of an epoch of that many samples, of at most `width` characters if it can be:
 * words are cut short, and the speed, which one of a twentieth of a second doesn't tell anyway, is left out. */
char *cli_epoch_text(const tn_epoch *epoch, int64_t epochs, int64_t samples, int width, char *text, size_t capacity);

#endif
