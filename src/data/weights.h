/* weights.h: what a sample's weight may be, for all who take some. */
#ifndef TN_DATA_WEIGHTS_H
#define TN_DATA_WEIGHTS_H

#include "tenon/data.h"

#define TN_WEIGHT_RANGE "0 or from 1e-18 to 1e18"

/* Whether it is, once it is f32: sums of so many of these, times losses, neither vanish there nor overflow. */
int tn_is_weight(double weight);

#endif
