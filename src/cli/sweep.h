/* sweep.h: many trainings of one kind: every combination of what their options may be, some times each. */
#ifndef TN_CLI_SWEEP_H
#define TN_CLI_SWEEP_H

#include "settings.h"

#include <stdio.h>
#include <sys/types.h>

#define CLI_SWEEP_AXES 48
#define CLI_SWEEP_MOST 100000 /* trainings */

/* An option and what it may be: of a training, or a word that stands in --net. */
typedef struct cli_axis {
    const char *name;
    char **value; /* into `text` */
    int count;    /* 0: a flag */
    int is_word;
    char *text;
} cli_axis;

typedef struct cli_trial {
    int combination;
    int64_t seed;
    int64_t fold; /* of the sweep's, from 1; 0: there are none */
    int done, failed;
    double measure, loss; /* of the samples to test on; NaN: there is none */
    pid_t process;        /* 0: it does not run */
    FILE *out, *err;
} cli_trial;

typedef struct cli_sweep {
    cli_settings settings; /* for the options of train that there are */
    cli_axis axis[CLI_SWEEP_AXES];
    int n_axes, combinations, trials;
    int64_t repeat, jobs, seed, folds; /* folds 0: there are none */
    const char *results; /* a file that keeps what is done; NULL: none does */
    int json;
    const char *measure; /* "accuracy" or "r2"; NULL: there is neither */
    cli_trial *trial;
} cli_sweep;

/* The value of an axis in a combination. */
const char *cli_sweep_value(const cli_sweep *sweep, int combination, int axis);

/* What is typed for a trial behind "train", each word closed by a zero, the last by two; the caller frees it. NULL: no
 * memory. */
char *cli_sweep_words(const cli_sweep *sweep, const cli_trial *trial);

/* Runs what is not done yet, `jobs` at once. Returns CLI_GO_ON or an exit status. */
int cli_sweep_run(cli_sweep *sweep);

/* The combinations with the mean and the deviation of their measure, the best first. Returns CLI_GO_ON or CLI_FAILED.
 */
int cli_sweep_tell(const cli_sweep *sweep);

#endif
