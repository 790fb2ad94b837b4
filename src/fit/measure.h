/* measure.h: what a batch is measured by, in training and apart from it. Losses and right answers are added up on the
 * device. */
#ifndef TN_FIT_MEASURE_H
#define TN_FIT_MEASURE_H

#include "batches.h"

typedef struct tn_measure {
    const tn_model *model;
    const tn_dataset *data;
    const tn_fit_options *options; /* NULL: only measuring */
    const char *part;              /* of the data, for messages: "training"; NULL: all of it */
} tn_measure;

/* What a batch gives: its mean loss; the number of right answers, or their weights, NULL where there are no classes;
 * and where samples have weights, else NULL, the sum of those, and what the loss was divided by. */
typedef struct tn_batch_result {
    tn_tensor *loss, *right, *weight, *total;
} tn_batch_result;
tn_batch_result tn_measure_loss(const tn_measure *measure, tn_tensor *x, tn_tensor *target, tn_tensor *weight);
/* Adds to the sums. `sum` is as above, but for the sum of the losses in the loss's place; `mean` is that of the step.
 */
void tn_measure_add(const tn_measure *measure, tn_graph *graph, const tn_batch_result *sum, tn_tensor *mean);

/* A tn_batch_task whose argument is a tn_measure: adds to the sums, and trains where there are options. */
tn_batch_task tn_measure_batch;

/* The state's tensor that has the sum of the losses. */
const char *tn_measure_sum(const tn_measure *measure);

/* A number of the programs', f32 or f64 as they compute: where it lies, and by its name in the state. */
double tn_measure_number(const tn_measure *measure, const void *at);
tn_status tn_measure_get(tn_state *state, const tn_measure *measure, const char *name, double *number);

/* That the data is such as the loss can take. */
tn_status tn_measure_check(const tn_measure *measure);

/* That targets, or labels, are numbers that the model's loss can take; a loss of the caller's own takes all that are
 * numbers. */
tn_status tn_measure_targets(const tn_model *model, int32_t dtype, const void *data, int64_t count, int64_t classes);

/* What the sums come to: means, and where samples have weights what these are means over. */
typedef struct tn_measured {
    tn_score score;
    double weight, total;
} tn_measured;

/* Sets the sums to what they are after `samples` samples that came to that. */
tn_status tn_measure_begin(tn_state *state, const tn_measure *measure, const tn_measured *so_far, int64_t samples);

/* Waits, and reads the means over `samples` samples. */
tn_status tn_measure_read(tn_state *state, const tn_measure *measure, int64_t samples, tn_measured *measured);

/* Programs that measure all samples, which are fed to them or not, and their run: of all, or of the first batch alone.
 * tn_batches_free releases them, whether this succeeded or not. */
tn_status tn_measure_open(tn_batches *batches, tn_state *state, const tn_measure *measure, int fed);
tn_status tn_measure_run(tn_batches *batches, tn_state *state, const tn_measure *measure, int all, tn_score *score);

#endif
