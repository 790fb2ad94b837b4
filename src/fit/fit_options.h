/* fit_options.h: what the options of a training come to, for given data, and whether they can be. */
#ifndef TN_FIT_FIT_OPTIONS_H
#define TN_FIT_FIT_OPTIONS_H

#include "measure.h"

/* The first learning rate, the samples of a step, and the shards of it. */
double tn_fit_rate(const tn_fit_options *options);
int64_t tn_fit_batch(const tn_dataset *data, const tn_fit_options *options);
uint32_t tn_fit_shards(const tn_dataset *data, const tn_fit_options *options);

/* What is done with a batch, or with a shard of it. */
tn_batch_task *tn_fit_task(const tn_dataset *data, const tn_fit_options *options);

/* Those of the measure, whose data they are for; and those that are about workers alone. */
tn_status tn_fit_check_options(const tn_measure *measure);
tn_status tn_fit_check_workers(const tn_fit_options *options);

#endif
