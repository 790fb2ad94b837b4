/* optim.h: optimizers and learning-rate schedules. An optimizer adds the gradients and the update of every trainable
 * variable to the graph of the loss; the compiler makes one kernel of all the updates. */
#ifndef TENON_OPTIM_H
#define TENON_OPTIM_H

#include "tenon/graph.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Zero means the usual value; TN_ZERO (graph.h) in momentum, beta1, beta2, epsilon, alpha and weight_decay means 0
 * itself: AdamW without decay is .weight_decay = TN_ZERO. The learning rate is the scalar input "lr", so that tn_set
 * changes it at any time. */
typedef struct tn_optim_options {
    double lr;            /* learning rate: as tn_optimizer_at says */
    double momentum;      /* momentum and nesterov: 0.9; rmsprop: 0 */
    double beta1;         /* Adam and its kin: 0.9 */
    double beta2;         /* 0.999; lion: 0.99 */
    double epsilon;       /* 1e-8; adagrad: 1e-10, adadelta: 1e-6 */
    double alpha;         /* rmsprop: 0.99; adadelta: 0.9 */
    double weight_decay;  /* adds that share of the parameter to its gradient: 0; adamw: 0.01, see there */
    double clip_norm;     /* largest norm of all gradients together; 0: no limit */
    double clip_value;    /* largest size of each value of the gradients, after that; 0: no limit */
    uint32_t amsgrad;     /* adam and adamw divide by the largest second moment so far: Reddi, Kale and Kumar, 2018 */
    uint32_t centered;    /* rmsprop divides by the gradient's deviation: Graves, 2013 */
    const char *no_decay; /* parameters without weight decay, by names or patterns as for tn_freeze, such as "*bias,
                             bn*"; "vectors" stands for all of fewer than two dimensions. NULL: none */
    const char *rates;  /* factors on the learning rate of parameters: a pattern and a number each, "conv* 0.1, fc2 2";
                           the first that fits counts. NULL: none */
    const char *decays; /* weight decays of parameters, likewise: "*bias 0, norm* 0, fc* 0.01"; weight_decay is that of
                           all others. NULL: none */
    const char *only;   /* the parameters that it updates, by names or patterns as in no_decay. NULL: all that are
                           trainable */
    const char *name;   /* its learning rate is the scalar input "NAME.lr". NULL: "lr" */
    uint64_t spare[4];
} tn_optim_options;

/* sgd:      p -= lr g
 * momentum: v = momentum v + g, p -= lr v (Polyak, 1964, as PyTorch writes it)
 * adam:     Kingma and Ba, "Adam", 2015, algorithm 1
 * adamw:    the same, and p -= lr decay p apart from it (Loshchilov and Hutter, 2019)
 * nesterov: v = momentum v + g, p -= lr (g + momentum v) (Nesterov, 1983, as PyTorch writes it)
 * adagrad:  s += g^2, p -= lr g / (sqrt(s) + epsilon) (Duchi, Hazan and Singer, 2011)
 * rmsprop:  s = alpha s + (1 - alpha) g^2, p -= lr g / (sqrt(s) + epsilon) (Tieleman and Hinton, 2012); with momentum
 *           v = momentum v + g / (sqrt(s) + epsilon), p -= lr v
 * adadelta: Zeiler, "ADADELTA", 2012, times lr
 * adamax:   Kingma and Ba, algorithm 2, with epsilon added to |g|
 * nadam:    Dozat, "Incorporating Nesterov momentum into Adam", 2016, with its growing beta1
 * radam:    Liu and others, "On the variance of the adaptive learning rate and beyond", 2020
 * lion:     p -= lr (sign(beta1 m + (1 - beta1) g) + decay p), m = beta2 m + (1 - beta2) g (Chen and others, 2023)
 * The state of an optimizer is named after the parameter: "fc1.weight.momentum", ".exp_avg", ".exp_avg_sq", ".sum",
 * ".square_avg" and the like. Parameters of the same decay and rate are updated by one kernel.
 *
 * Several optimizers may share a state, in programs of their own or in one, as those of a generative adversarial net:
 *     tn_minimize(loss_d, "adam", (tn_optim_options){.only = "d.*", .name = "d"});
 *     tn_minimize(loss_g, "adam", (tn_optim_options){.only = "g.*", .name = "g"});
 * Each counts its own steps (tn_state_param_step), as those of PyTorch do. In one program all of them see the values
 * from before the run. A parameter has one optimizer in a program. */
TN_API void tn_minimize(tn_tensor *loss, const char *optimizer, tn_optim_options options);

/* The updates alone, by gradients that the caller brings: grad[i], of param[i]'s type and shape, from wherever: summed
 * over several batches or devices, changed, or made by hand. */
TN_API void tn_apply_gradients(tn_tensor *const param[], tn_tensor *const grad[], size_t count, const char *optimizer,
                               tn_optim_options options);

/* The optimizers, with their usual learning rate. Returns 0 past the last. */
typedef struct tn_optimizer_entry {
    const char *name;
    const char *doc;
    double lr;
    const char *options; /* which of momentum, beta1, beta2, epsilon, alpha, amsgrad and centered it takes */
    uint64_t spare[4];
} tn_optimizer_entry;
TN_API int tn_optimizer_at(size_t index, tn_optimizer_entry *entry);

#define TN_MILESTONES 10

/* A learning rate over time, parsed from a text: the name and numbers of a kind that tn_schedule_kind_at lists, such as
 * "step 1000 0.5", "milestones 0.1 32000 48000", "cosine 10000" (Loshchilov and Hutter, 2017, whose warm restarts are
 * "restarts 1000 2"), "onecycle 5000" (Smith and Topin, 2019), or "plateau 3 0.5" (times 0.5 after each 3 losses in a
 * row that are no lower than the lowest before); each after an optional "warmup 100," (1/100, 2/100, ... over 100
 * steps, from which the other then counts its own). */
typedef struct tn_schedule {
    int32_t kind;
    int32_t milestones;
    double steps, factor, warmup, end;
    double milestone[TN_MILESTONES];
    uint64_t spare[4];
} tn_schedule;
TN_API TN_MUST_USE tn_status tn_schedule_parse(const char *text, tn_schedule *schedule);
/* The factor on the learning rate at a step, counted from 0. */
TN_API double tn_schedule_at(const tn_schedule *schedule, uint64_t step);

/* The kinds, for help texts. Returns 0 past the last. */
typedef struct tn_schedule_kind {
    const char *name;
    const char *usage; /* "step STEPS FACTOR" */
    const char *doc;
    uint64_t spare[4];
} tn_schedule_kind;
TN_API int tn_schedule_kind_at(size_t index, tn_schedule_kind *kind);

/* What a "plateau" has seen of the losses, usually one an epoch; zeroed: nothing. Its factor is multiplied with that of
 * the step. Other schedules look at no losses: their factor here is 1. */
typedef struct tn_plateau {
    int64_t losses;  /* seen so far */
    int64_t stalled; /* how many of them since the lowest or the last reduction */
    double lowest;
    double factor; /* 0: 1 */
    uint64_t spare[4];
} tn_plateau;
TN_API void tn_schedule_see(const tn_schedule *schedule, tn_plateau *plateau, double loss);
TN_API double tn_plateau_factor(const tn_plateau *plateau);

#ifdef __cplusplus
}
#endif
#endif
