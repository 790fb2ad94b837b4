/* trainer.h: training and evaluation on a device. The data lies there; a step sends only scalars. */
#ifndef TN_CLI_TRAINER_H
#define TN_CLI_TRAINER_H

#include "model.h"

/* Sums over samples. */
typedef struct cli_sums {
    double loss;
    double correct;
} cli_sums;

typedef struct cli_trainer_options {
    int64_t batch;
    const char *optimizer;
    tn_optim_options optim;
    tn_compile_options compile;
    int step_loss;              /* keep each step's own loss readable */
    double smoothing;           /* of labels, in training alone */
    const float *class_weights; /* of each class, in training alone; or NULL */
} cli_trainer_options;

/* A training program for whole batches and one for the smaller last batch, sharing a state. */
typedef struct cli_trainer {
    tn_state *state;
    const tn_dataset *data;
    cli_trainer_options options;
    tn_schedule schedule;
    double rate;       /* factor on the learning rate, besides the schedule's */
    int counts;        /* right answers are counted */
    int64_t steps;     /* in an epoch */
    tn_program *whole; /* NULL if no batch is whole */
    tn_program *rest;  /* NULL if all are */
    int32_t *order;    /* the samples' order in this epoch */
} cli_trainer;

/* Only builds the training graph of one batch: what is wrong with the model shows here, before any device is used. */
tn_status cli_trainer_check(const cli_model *model, const tn_dataset *data, const cli_trainer_options *options);

/* Puts the data into the state and compiles. cli_trainer_free releases it, whether this succeeded or not. */
tn_status cli_trainer_new(cli_trainer *trainer, tn_state *state, const cli_model *model, const tn_dataset *data,
                          const cli_trainer_options *options);
void cli_trainer_free(cli_trainer *trainer);

/* Shuffles for an epoch and sets the sums: to zero, or to what they were in the middle of it. */
tn_status cli_trainer_epoch(cli_trainer *trainer, uint64_t epoch, cli_sums sums);

/* Enqueues step number `position` of the epoch. */
tn_status cli_trainer_step(cli_trainer *trainer, int64_t position);

/* Waits for the device and reads the sums over the epoch so far, or the last step's loss. */
tn_status cli_trainer_sums(cli_trainer *trainer, cli_sums *sums);
tn_status cli_trainer_step_loss(cli_trainer *trainer, double *loss);

/* The samples in the first `steps` steps of an epoch. */
int64_t cli_trainer_samples(const cli_trainer *trainer, int64_t steps);

/* Evaluation in large batches. */
typedef struct cli_evaluator {
    tn_state *state;
    const char *name; /* of its data and sums in the state */
    int64_t count, batch;
    int counts;
    tn_program *whole, *rest;
} cli_evaluator;
tn_status cli_evaluator_new(cli_evaluator *evaluator, const char *name, tn_state *state, const cli_model *model,
                            const tn_dataset *data, const tn_compile_options *options);
void cli_evaluator_free(cli_evaluator *evaluator);

/* Mean loss and share of right answers; NaN for what there is not. */
tn_status cli_evaluate(cli_evaluator *evaluator, double *loss, double *accuracy);

#endif
