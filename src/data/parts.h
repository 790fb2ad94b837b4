/* parts.h: which samples of a data set go to a part of it, as a mark for each. */
#ifndef TN_DATA_PARTS_H
#define TN_DATA_PARTS_H

#include "tenon/data.h"

/* Sets `taken` of the take[i], by seed and draw: of each class its share. A sample that is alone in its class stays;
 * but if more than half of what stays were such, classes don't count. */
TN_MUST_USE tn_status tn_choose_share(const tn_dataset *all, int64_t taken, uint64_t seed, uint64_t draw,
                                      uint8_t *take);

/* Sets the take[i] of a fold: every so manieth sample, those of a class side by side. */
TN_MUST_USE tn_status tn_choose_fold(const tn_dataset *all, uint64_t seed, int64_t folds, int64_t fold, uint8_t *take);

#endif
