/* fit.h: training a model on a data set, measuring it, and using it.
 *
 * Data that fits is copied to the device once; a step then sends only a few numbers. Other data is fed to it batch by
 * batch, which threads bring together while it computes; all comes to the same bits. Everything here could be written
 * by hand with graph.h and program.h, and has to be where a model takes more than samples and targets.
 *
 * All functions are called by the thread that uses the state, and return when the device is done. */
#ifndef TENON_FIT_H
#define TENON_FIT_H

#include "tenon/data.h"
#include "tenon/nn.h"
#include "tenon/optim.h"
#include "tenon/program.h"
#include "tenon/state.h"
#include "tenon/team.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Where the samples of data sets are while they are used. */
#define TN_RESIDENT_AUTO   0 /* on the device, if all that is used at once fits there, else where they are */
#define TN_RESIDENT_DEVICE 1 /* on the device */
#define TN_RESIDENT_HOST   2 /* where they are, in the host's memory or with their loader, and fed to the device */

/* What is said of that; zeroed, as it fits. */
typedef struct tn_residence {
    uint32_t where;   /* TN_RESIDENT_... */
    uint32_t threads; /* that bring batches together; 0: one for samples in memory, else one for each processor */
    uint64_t memory;  /* with AUTO: bytes of the device that they may take; 0: as many as there are */
    uint64_t spare[4];
} tn_residence;

/* `build` makes the network's output, as the loss takes it, from a batch of samples x: (batch, the sample's shape),
 * f32, where bytes have been divided by 255; i32 samples come as they are. It is called several times, for batches of
 * several sizes; `training` is 0 where the model is only measured or used.
 *
 * `cost`, unless NULL, takes the place of `loss`: it makes a loss of rank 0, the batch's mean, from what `build` gave
 * and the data set's targets, f32 (batch, targets), or labels, i32 (batch). Then nothing is counted as right. A network
 * of several inputs and heads has its inputs side by side in a sample and its heads side by side in its output, as
 * their targets are: tn_dataset_beside makes such data of one set for each, and build and cost take them apart by
 * tn_apart: examples/s17_two_inputs.c, s18_two_heads.c. */
typedef struct tn_model {
    tn_tensor *(*build)(tn_tensor *x, int training, const void *arg);
    const char *loss;           /* a name that tn_loss knows; with `cost` it is not looked at */
    const void *arg;            /* passed on to `build` */
    tn_compile_options compile; /* of all its programs */
    tn_residence data;          /* of the samples that it is used with */
    tn_tensor *(*cost)(tn_tensor *y, tn_tensor *target, int training, const void *arg);
    uint64_t spare[3];
} tn_model;

/* Means over the samples. Accuracy is the share of samples that are wholly right, as tn_count_correct counts; NaN where
 * neither the data has classes nor the loss is made for them, or where outputs are no numbers.
 *
 * Where the data has weights of samples, each sample counts as often as its weight says, in both, and in the loss of a
 * batch that is made small: the sum of weighted losses divided by the sum of the batch's weights, as scikit-learn's
 * sample_weight does it (Pedregosa and others, 2011), and PyTorch's means with weights of classes, by which these are
 * multiplied. A batch in which all weights are 0 has a loss of 0, and moves the weights no more than decay does. */
typedef struct tn_score {
    double loss;
    double accuracy;
} tn_score;

/* What came of an epoch. */
typedef struct tn_epoch {
    int64_t number;      /* from 1 */
    tn_score train;      /* of the batches as they were trained on */
    tn_score test;       /* of the test set after the epoch; NaN without one */
    double seconds;      /* that the epoch took, measuring not counted */
    tn_score validation; /* of the validation set, as of the test set */
    double rate;         /* the learning rate of its last step; 0 in the middle of it */
    double weight;       /* of data with weights: the sum of those that the epoch's batches had so far; else 0 */
    double total;        /* what the sum of their losses was divided by: that, or with weights of classes another */
    uint64_t spare[4];
} tn_epoch;

/* How to train; what is 0 is as usual. */
typedef struct tn_fit_options {
    int64_t epochs;        /* at most; required */
    int64_t batch;         /* samples a step; 0, or more than there are: all. The last of an epoch may be smaller */
    const char *optimizer; /* NULL: "sgd" */
    tn_optim_options optim;
    const char *schedule;   /* of the learning rate, as tn_schedule_parse takes it, in steps of this call; or NULL */
    const tn_dataset *test; /* measured after each epoch; or NULL */
    int64_t patience;  /* ends after that many epochs in a row without a new lowest loss; 0: never. Epochs, for this and
                          for a "plateau", are judged by the loss of validation, or else of the test, or else of
                          training; a loss that is no number is never the lowest */
    double least_fall; /* share of the lowest loss by which a new one must be lower to count */
    int (*each)(void *arg,
                const tn_epoch *epoch); /* called after each epoch, unless NULL; ends the training by not returning 0 */
    void *arg;
    const tn_dataset *validation; /* measured after each epoch; or NULL */
    double smoothing;             /* as tn_loss_options has it; in training alone, as the next */
    const float *class_weights;   /* of each class, in the training loss: 0 or more, and not all 0; or NULL */
    uint32_t step_loss;           /* keep each step's own loss for tn_training_step_loss */
    uint32_t shards; /* equal parts into which a batch is cut, and whose gradients are computed one by one and then
                        added up: for less memory, or by several workers. A divisor of `batch`; 0: 1, or as
                        tn_usual_shards says of a team. Batch normalisation, unless it is to be over all of
                        them (tn_batch_norm_options.sync: then a worker's shards are in memory at once), and a loss that
                        is a mean weighted by classes alone, take each for itself. Part of what comes out, to the
                        last bit */
    tn_team *team;   /* whose workers make the same calls, and share the shards; or NULL. It outlives the training */
    tn_device *const *devices; /* that take shards beside the state's own, each with a thread, a state and the samples
                                  for itself; the caller's, as the team is, of which they are the ranks from 1 on: then
                                  there is no other team. What the caller writes into the state after the first step
                                  does not reach them */
    uint32_t n_devices;
    const uint32_t *shares; /* of the batch, one for each worker, in the order of their ranks: 5 and 3, say. NULL:
                               alike on devices of one kind, else in proportion to the speeds that they measure. Of
                               unlike devices part of what comes out, to the last bit */
    const char *trace; /* a file that gets what happened when in the first steps, as Chrome's trace events; or NULL */
    uint64_t bucket;   /* bytes of the gradient that are exchanged at once, while the rest is computed; 0: 512 KiB */
    uint64_t spare[4];
} tn_fit_options;

/* Trains the model's parameters, which are in the state or are made there, on samples that are shuffled for every epoch
 * by the state's seed and step. `last`, unless NULL, gets the last epoch. Fails without training if the model, the data
 * and the loss don't fit each other, and as programs do. */
TN_API TN_MUST_USE tn_status tn_fit(tn_state *state, const tn_model *model, const tn_dataset *data,
                                    const tn_fit_options *options, tn_epoch *last);

/* Only builds the graph of a training step: what is wrong with the model, the data or the options shows here, before
 * any device is used. */
TN_API TN_MUST_USE tn_status tn_fit_check(const tn_model *model, const tn_dataset *data, const tn_fit_options *options);

/* The shards of a batch for so many workers: 1 for one, else the largest divisor of the batch up to 8, if there are as
 * many as workers; else 0, and `shards` has to be given. */
TN_API uint32_t tn_usual_shards(int64_t batch, uint32_t workers);

/* ---- the same step by step ----
 *
 * tn_fit is: tn_training_new, and until it is finished tn_training_step until the epoch is at its end, and
 * tn_training_end_epoch. In between one can look, save, stop, and go on another day. */
typedef struct tn_training tn_training;

/* Compiles, and trains nothing yet. What the arguments point to has to stay, model and options themselves aside;
 * `each` is not called. Free it before the state; NULL is fine. */
TN_API TN_MUST_USE tn_status tn_training_new(tn_state *state, const tn_model *model, const tn_dataset *data,
                                             const tn_fit_options *options, tn_training **training);
TN_API void tn_training_free(tn_training *training);

/* Where a training stands. */
typedef struct tn_training_place {
    int64_t epochs;   /* done */
    int64_t step;     /* steps done in the next one */
    int64_t steps;    /* in an epoch */
    int64_t samples;  /* that those steps took */
    int64_t best;     /* number of the epoch with the lowest loss, as for `patience`; 0: there is none */
    int64_t stalled;  /* epochs done since that one */
    int32_t finished; /* all epochs are done, or patience is at its end */
    int32_t diverged; /* the epoch's loss is not finite any more; the state has what the steps made of it */
    int32_t asked;    /* a worker had called tn_training_ask by the last step; all of them see it after the same step */
    uint64_t spare[4];
} tn_training_place;
TN_API tn_training_place tn_training_where(const tn_training *training);

/* How samples came to the device so far. */
typedef struct tn_feeding {
    uint32_t fed;     /* 0: they are on the device; 1: they are fed to it, */
    uint32_t threads; /* by so many threads */
    uint64_t bytes;   /* of all data sets, as they are on the device or would be */
    double waited;    /* seconds that steps waited for samples to be read */
    uint64_t begun;   /* times that reading ahead began: once an epoch */
    uint64_t pinned;  /* bytes of the host's memory that batches are read to and the device copies from by itself */
    uint64_t spare[3];
} tn_feeding;
TN_API void tn_training_get_feeding(const tn_training *training, tn_feeding *feeding);

/* What workers exchanged of their gradients so far. */
typedef struct tn_exchange {
    uint32_t buckets; /* in which a step's gradient is exchanged; 0: there is one worker */
    double seconds;   /* spent on it, waiting for slower workers included; */
    double waited;    /* and those that steps waited for it, after computing: the rest was hidden behind that */
    uint64_t spare[4];
} tn_exchange;
TN_API void tn_training_get_exchange(const tn_training *training, tn_exchange *exchange);

/* What a worker takes of each batch, once the first epoch has begun. `index` is its rank, or 0 for the state's device
 * and then one for each of `devices`. Returns 0 past the last. Texts and programs are the training's own. */
typedef struct tn_training_share {
    const char *device;
    const char *kind; /* the same text: shards may change hands, and no bit changes */
    uint32_t shards;
    tn_program *program; /* of a shard, for reports; NULL in other processes */
    uint64_t spare[4];
} tn_training_share;
TN_API int tn_training_share_at(const tn_training *training, uint32_t index, tn_training_share *share);

/* Asks all workers to stop, which they see in `asked` after their next step. What that means is theirs. */
TN_API void tn_training_ask(tn_training *training);

/* Goes on where another training with the same data and options stood: after `count` epochs, as they came out, and
 * `step` steps of the next one, in which tn_training_so_far gave `begun` (NULL where `step` is 0). The state is to be
 * that of then, from a checkpoint. All that follows comes out as it would have there. */
TN_API TN_MUST_USE tn_status tn_training_go_on(tn_training *training, const tn_epoch past[], int64_t count,
                                               int64_t step, const tn_epoch *begun);

/* Does what else an epoch's first step does by itself: workers meet, and deal the shards out. */
TN_API TN_MUST_USE tn_status tn_training_begin(tn_training *training);

/* Enqueues the next step of the epoch. TN_EINVAL if the epoch is at its end; TN_ESTATE, and no step, once a look at the
 * loss has found that the training diverged: the device's sum is looked at every 32 steps, as it was 32 steps before,
 * so that neither waits for the other. Several workers share their losses with each step: all of them see it after the
 * same one, and it is no failure of their team. tn_training_end_epoch and tn_fit fail like that too. */
TN_API TN_MUST_USE tn_status tn_training_step(tn_training *training);

/* Waits for the device, and reads the last step's loss, which has to be asked for by `step_loss`; or the epoch so far,
 * without test and validation. */
TN_API TN_MUST_USE tn_status tn_training_step_loss(tn_training *training, double *loss);
TN_API TN_MUST_USE tn_status tn_training_so_far(tn_training *training, tn_epoch *epoch);

/* The same, with test and validation as the first batch of each shows them: whether the weights as they stand give
 * numbers still, which the losses of the steps on the way to them don't tell. Of several workers rank 0 measures. */
TN_API TN_MUST_USE tn_status tn_training_glance(tn_training *training, tn_epoch *epoch);

/* Measures and judges an epoch whose steps are done; the next step is the next epoch's first. */
TN_API TN_MUST_USE tn_status tn_training_end_epoch(tn_training *training, tn_epoch *epoch);

/* Ends the file of `trace`, if there is one. TN_EIO if it could not be written as a whole, by which the training is
 * none the worse; one that nobody ended is ended by tn_training_free, which logs that. */
TN_API TN_MUST_USE tn_status tn_training_end_trace(tn_training *training);

/* The program of a step, for reports. It is the training's own. */
TN_API tn_program *tn_training_program(const tn_training *training);

/* ---- measuring and using ---- */

/* Measures the model on all samples, 1000 at once, or fewer large ones, or, of those that are fed, as many as the
 * device has room for. */
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
