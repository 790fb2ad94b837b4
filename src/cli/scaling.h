/* scaling.h: what a training learnt about the numbers of its data: the scale of samples and targets, and what takes the
 * place of missing values. It is saved with the model, so that evaluation and prediction do the same. */
#ifndef TN_CLI_SCALING_H
#define TN_CLI_SCALING_H

#include "model.h"

/* A zeroed struct does nothing. A scaler of no columns isn't there. */
typedef struct cli_scaling {
    tn_scaler x, y;
} cli_scaling;

/* Learns from the training part. Targets are scaled as samples are, where the loss depends on errors alone; not with
 * "unit", nor where samples are pictures of bytes. Returns CLI_GO_ON or an exit status. */
int cli_scaling_fit(cli_scaling *scaling, const char *kind, const cli_model *model, const tn_dataset *data);

/* The same from a file that was saved with cli_scaling_put before. */
int cli_scaling_read(cli_scaling *scaling, const cli_model *model, const tn_checkpoint *checkpoint, const char *path);
tn_status cli_scaling_put(const cli_scaling *scaling, tn_state *state);
void cli_scaling_free(cli_scaling *scaling);

/* Fill and scale samples, or all of a data set, which returns CLI_GO_ON or an exit status; bring a network's outputs
 * back to the targets' own units. */
void cli_scaling_samples(const cli_scaling *scaling, float *x, int64_t count);
int cli_scaling_data(const cli_scaling *scaling, tn_dataset *data);
tn_status cli_scaling_outputs(const cli_scaling *scaling, float *y, int64_t count);

#endif
