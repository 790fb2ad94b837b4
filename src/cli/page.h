/* page.h: the report of a training, or of what a saved model was measured on, as one page of HTML that loads nothing
 * from elsewhere and runs no script: curves, measures, confusion, pictures, residuals, layers, settings and the
 * machine. */
#ifndef TN_CLI_PAGE_H
#define TN_CLI_PAGE_H

#include "session.h"

/* What a page tells of. */
typedef struct cli_page {
    const char *path;          /* where it goes, beside its place and renamed; NULL: nowhere */
    const char *net, *data;    /* its title */
    const char *about;         /* what was done with how many samples */
    const cli_option *options; /* the settings */
    const cli_model *model;
    const cli_history *history; /* of the training; may be empty */
    const cli_results *results;
    double test_loss, seconds, rate; /* NaN: not known; rate: samples a second */
    int64_t best, parameters;        /* best: the epoch that is marked; 0: none. -1: not known */
    tn_device *const *device;
    uint32_t n_devices;
} cli_page;

/* Writes it. Returns CLI_OK or CLI_FAILED. */
int cli_page_write(const cli_page *page);

/* The page of a training that is done, to --report; without --report nothing. */
int cli_page_of_training(const cli_session *session);

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
