/* results.h: what a model makes of a data set, sample by sample, and what that is worth: for training, evaluation and
 * their reports. */
#ifndef TN_CLI_RESULTS_H
#define TN_CLI_RESULTS_H

#include "json.h"
#include "scaling.h"

#include <stdio.h>

#define CLI_MOST_WORST 24
#define CLI_IN_FULL    20 /* classes or targets that are listed in full */

/* One that the model is wrong about. */
typedef struct cli_wrong {
    int64_t sample, part; /* part: the class that it was taken for, -1: none; or the target */
    double badness;
} cli_wrong;

/* `y` and what it should be are dense, (count, outputs) in the targets' own units; two classes that one output tells
 * apart have two columns. */
typedef struct cli_results {
    const cli_model *model;
    const tn_dataset *data;
    const char *set; /* what the data is called: "test" */
    int64_t outputs;
    float *y, *target;
    int32_t *label;
    tn_measures *measures;
    int64_t *order; /* of classes or targets: as they are, or, of more than CLI_IN_FULL, the worst first */
    cli_wrong worst[CLI_MOST_WORST]; /* the first is the worst */
    int n_worst;
    int writes;      /* the model writes texts: there is nothing of the above, but */
    tn_score score;  /* the mean over all bytes */
    int64_t outside; /* of its characters, those that the model has not learnt: what stands for all others is right */
} cli_results;

/* Uses the model on all of the data, which has been scaled. What the pointers show must stay. Returns CLI_GO_ON or
 * CLI_FAILED; cli_results_free follows in any case. */
typedef struct cli_results_of {
    tn_state *state;
    const cli_model *model;
    const cli_scaling *scaling; /* NULL: there is none */
    tn_compile_options compile;
    tn_residence residence;
    const char *set;
    const tn_score *score; /* what is known already; or NULL */
} cli_results_of;
int cli_results_open(cli_results *results, const cli_results_of *of, const tn_dataset *data);
void cli_results_free(cli_results *results);

/* What stands in a measure's column: of a class or target, or of k -1 their mean and all samples. */
double cli_results_cell(const cli_results *results, const tn_measure_entry *measure, int64_t k);

/* Of texts, the mean of -log of the right byte's or character's probability; NaN where the loss is another. Of that: as
 * how many bytes, each as likely, it leaves; and the bits that a byte takes. */
double cli_byte_loss(const cli_results *results);
const char *cli_text_unit(const cli_model *model); /* "byte" or "character" */
double cli_perplexity(double loss);
double cli_bits(double loss);
double cli_share_outside(const cli_results *results); /* of its characters */

/* Prints tables of at most `width` characters. */
void cli_results_print(const cli_results *results, int width, FILE *file);

/* The measures by their usual names, in the object that is open. */
void cli_results_json(const cli_results *results, cli_json *json);

#endif
