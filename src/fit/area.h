/* area.h: the area under the ROC curve: how likely a sample that is it has a larger score than one that is not. */
#ifndef TN_FIT_AREA_H
#define TN_FIT_AREA_H

#include "tenon/measures.h"

/* Of two classes by what the second output is above the first, of marks the mean over those targets of which there are
 * both. NaN of more classes, where one is missing, or where a score is NaN. TN_ENOMEM. */
TN_MUST_USE tn_status tn_area_of(const tn_measured_samples *samples, double *area);

#endif
