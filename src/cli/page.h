/* page.h: the report of a training as one page of HTML that loads nothing from elsewhere and runs no script: curves,
 * measures, confusion, pictures, residuals, layers, settings and the machine. */
#ifndef TN_CLI_PAGE_H
#define TN_CLI_PAGE_H

#include "session.h"

/* Writes the page to --report, beside its place and renamed; without --report does nothing. Returns CLI_OK or
 * CLI_FAILED. */
int cli_page_write(const cli_session *session);

/* ---- its parts ---- */

/* A text as HTML has it: what is no UTF-8, or would be obeyed, is replaced. */
void cli_page_text(FILE *file, const char *text);

/* The curves of losses, with a second set in a logarithmic scale, of accuracies and of the learning rate; `best` is the
 * number of the epoch that is marked, 0: none. */
void cli_page_curves(FILE *file, const cli_history *history, const char *loss, int64_t best);

/* Errors of numbers over what was predicted, a chart for each of the first targets. */
void cli_page_residuals(FILE *file, const cli_results *results);

/* Some samples and those that are most wrong, as pictures where they are such. Return CLI_OK or CLI_FAILED. */
int cli_page_samples(FILE *file, const cli_results *results);
int cli_page_worst(FILE *file, const cli_results *results);

#endif
