/* predict.h: what is to be predicted, and what came of it: what the parts of `tenon predict` share. */
#ifndef TN_CLI_PREDICT_H
#define TN_CLI_PREDICT_H

#include "picture.h"
#include "saved.h"

/* Samples to predict, of a file. */
typedef struct cli_samples {
    const char *path;
    float *x;        /* as numbers before scaling; NULL: */
    tn_dataset rows; /* they are read as they are needed */
    int64_t count;
    char separator; /* of a table, and whether its first line is data; 0: it is none */
    int no_header;
    unsigned kind;         /* CLI_PICTURE: the file holds one, and nothing else */
    int64_t unknown;       /* samples with an output that is not finite, */
    int64_t first_unknown; /* and the first of them */
    char doubt[CLI_DOUBT]; /* of a picture: what makes it unlike those that were trained on; or "" */
} cli_samples;

typedef struct cli_predictor {
    cli_saved saved;
    cli_samples *file;
    int files;
    unsigned kinds;  /* of the files */
    int64_t outputs; /* of a sample */
    int64_t count;   /* samples in all files */
    float *y;        /* their outputs */
} cli_predictor;

#define CLI_NO_CLASS (-1)

/* The class, and its probability if the outputs are such; CLI_NO_CLASS and NaN where one of them is no number. */
int64_t cli_best_class(const cli_predictor *predictor, const float *y, double *probability);
int cli_tells_probability(const cli_predictor *predictor);

/* Whether a path ends so, in letters of either size. */
int cli_has_ending(const char *path, const char *ending);

/* That --out can be written, and is none of the files that are read; and --with-inputs is for a table that goes there.
 * Returns CLI_GO_ON or an exit status. */
int cli_check_out(const cli_saved *saved, char **paths, int files);

/* Writes all outputs to --out, if it was given. Returns CLI_GO_ON or CLI_FAILED. */
int cli_write_outputs(const cli_predictor *predictor);

#endif
