/* fit.h: training a model on a data set, measuring it, and using it.
 *
 * The data is copied to the device once; a step then sends only a few numbers. Everything here could be written by hand
 * with graph.h and program.h, and has to be where a model takes more than samples and targets.
 *
 * All functions are called by the thread that uses the state, and return when the device is done. */
#ifndef TENON_FIT_H
#define TENON_FIT_H

#include "tenon/data.h"
#include "tenon/nn.h"
#include "tenon/optim.h"
#include "tenon/state.h"

#ifdef __cplusplus
extern "C" {
#endif

/* `build` makes the network's output, as the loss takes it, from a batch of samples x: (batch, the sample's shape),
 * f32, where bytes have been divided by 255; i32 samples come as they are. It is called several times, for batches of
 * several sizes; `training` is 0 where the model is only measured or used. */
typedef struct tn_model {
    tn_tensor *(*build)(tn_tensor *x, int training, const void *arg);
    const char *loss; /* a name that tn_loss knows */
    const void *arg;  /* passed on to `build` */
} tn_model;

/* Means over the samples. Accuracy is the share of samples that are wholly right, as tn_count_correct counts; NaN where
 * neither the data has classes nor the loss is made for them. */
typedef struct tn_score {
    double loss;
    double accuracy;
} tn_score;

/* What came of an epoch. */
typedef struct tn_epoch {
    int64_t number; /* from 1 */
    tn_score train; /* of the batches as they were trained on */
    tn_score test;  /* of the test set after the epoch; NaN without one */
    double seconds; /* that the epoch took, measuring not counted */
} tn_epoch;

/* How to train; what is 0 is as usual. */
typedef struct tn_fit_options {
    int64_t epochs;        /* at most; required */
    int64_t batch;         /* samples a step; 0, or more than there are: all. The last of an epoch may be smaller */
    const char *optimizer; /* NULL: "sgd" */
    tn_optim_options optim;
    const char *schedule;   /* of the learning rate, as tn_schedule_parse takes it, in steps of this call; or NULL */
    const tn_dataset *test; /* measured after each epoch; or NULL */
    int64_t
        patience; /* ends after that many epochs without a new lowest loss, of the test set if there is one; 0: never */
    double least_fall; /* share of the lowest loss by which a new one must be lower to count */
    int (*each)(void *arg,
                const tn_epoch *epoch); /* called after each epoch, unless NULL; ends the training by not returning 0 */
    void *arg;
} tn_fit_options;

/* Trains the model's parameters, which are in the state or are made there, on samples that are shuffled for every epoch
 * by the state's seed and step. `last`, unless NULL, gets the last epoch. Fails without training if the model, the data
 * and the loss don't fit each other, and as programs do. */
TN_API TN_MUST_USE tn_status tn_fit(tn_state *state, const tn_model *model, const tn_dataset *data,
                                    const tn_fit_options *options, tn_epoch *last);

/* Measures the model on all samples. */
TN_API TN_MUST_USE tn_status tn_evaluate(tn_state *state, const tn_model *model, const tn_dataset *data,
                                         tn_score *score);

/* The model's outputs for all samples, f32, (count, the output's shape without the batch) in `bytes` bytes. Targets are
 * not looked at. */
TN_API TN_MUST_USE tn_status tn_predict(tn_state *state, const tn_model *model, const tn_dataset *data, float *out,
                                        uint64_t bytes);

#ifdef __cplusplus
}
#endif
#endif
