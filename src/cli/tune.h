/* tune.h: what the parts of `tenon tune` share. */
#ifndef TN_CLI_TUNE_H
#define TN_CLI_TUNE_H

#include "bench.h"
#include "json.h"

/* What came of an operator that both layouts of a network may have. */
typedef struct tune_operator {
    char *key;
    uint32_t known, skipped;
    double usual, seconds;
} tune_operator;

typedef struct tuner {
    bench b;
    const char *model, *to, *from, *shapes;
    double minutes, until; /* which is when all time is over */
    int is_tried;          /* one of two layouts has been tuned, the other comes */
    int64_t tries;
    int again, list, forget, tunes, small_first;
    tn_device *device;
    tune_operator *row;
    uint32_t operators, tried, wrong, failed;
    double spent;
    int is_short; /* memory was */
    cli_json json;
    cli_option options[20];
} tuner;

/* Whether there is something that the cache did not take, as that of a disk that is full; and nor does a file. */
int tune_is_unkept(const tuner *t);
int tune_is_lost(const tuner *t);

/* What came of an operator, for tn_tune_options; `arg` is the tuner. */
void tune_tell(void *arg, const tn_tuned_operator *row);
/* Whether this command has tuned it, and come to an end with it. */
int tune_is_fresh(void *arg, const char *key);
void tune_tell_layout(const tuner *t, int is_last);
void tune_tell_all(tuner *t);
/* The device's table. */
void tune_list(tuner *t);

#endif
