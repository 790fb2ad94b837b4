/* bench.h: what the parts of `tenon bench` share. */
#ifndef TN_CLI_BENCH_H
#define TN_CLI_BENCH_H

#include "crew.h"
#include "profile.h"
#include "settings.h"

#define BENCH_REPEATS 64 /* at most */

typedef struct bench {
    cli_settings s;
    int64_t repeats, samples, classes;
    const char *shape;
    int profile;
    double seconds; /* that one measured piece of an operator, or of using a network, should take */
    cli_option options[24];
    tn_team *team; /* of processes that train together */
    cli_crew crew;
    tn_device *device; /* its first */
    tn_state *state;
    int (*use)(struct bench *b, tn_program *program); /* instead of measuring a training, or NULL */
} bench;

/* Each returns an exit status. */
int bench_train(bench *b);
int bench_infer(bench *b);
int bench_op(bench *b, const char *name, const char *sizes);

/* Opens the devices, and a state on the first. Returns CLI_GO_ON or an exit status. */
int bench_open(bench *b);

/* Warns of options that change nothing of the program. */
void bench_warn(const bench *b, const tn_program *program);

/* The sizes in "3x32x32"; 0 if the text is not so many. */
int bench_read_sizes(const char *text, int64_t d[3], int dims);
/* The same of --shape. Returns CLI_GO_ON or CLI_USAGE. */
int bench_read_shape(const bench *b, int64_t d[3]);

/* Numbers of 24 bits, always the same: what is in the data does not change the work. */
uint32_t bench_random(uint32_t *state);

/* The median of b->repeats measurements of one run, of which each takes about b->seconds, in seconds; all of them, in
 * order, in `times`. `work` is called for so many runs, and returns when they are done. */
tn_status bench_measure(const bench *b, tn_status (*work)(void *arg, int64_t runs), void *arg,
                        double times[BENCH_REPEATS], double *one);

/* With --profile: has `work` done `runs` runs of a program, or whatever they come to, whose kernels are measured, and
 * fills the profile. `step`: what a run takes by itself. Returns CLI_GO_ON or an exit status. */
int bench_profile(const bench *b, tn_program *program, tn_status (*work)(void *arg, int64_t runs), void *arg,
                  int64_t runs, double step, cli_profile *profile);

/* ---- sequences of tokens (bench_tokens.c) ---- */

/* A training that is fed sequences of random tokens, and learns to say of each which one comes next: a loop of one's
 * own around a program, as the data sets of fit.h have one target a sample. */
typedef struct bench_tokens {
    tn_program *program;
    int32_t *token; /* the samples, of `steps` each, and one more */
    int64_t steps;
} bench_tokens;

/* Compiles, with b->state. Returns CLI_GO_ON or an exit status; bench_tokens_free follows in any case. */
int bench_tokens_make(bench *b, bench_tokens *t);
tn_status bench_tokens_epoch(const bench *b, bench_tokens *t);
void bench_tokens_free(bench_tokens *t);

#endif
