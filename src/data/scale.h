/* scale.h: the parts of fitting a scaler, for whoever finds the facts of columns otherwise than in memory. */
#ifndef TN_DATA_SCALE_H
#define TN_DATA_SCALE_H

#include "tenon/stats.h"

/* What a scaler learns from: of a column without values all are NaN. */
typedef struct tn_column_facts {
    double mean, least, largest;
    double deviation; /* known if the kind needs it */
} tn_column_facts;

int tn_scale_needs_deviation(int32_t kind);

/* A scaler that has not learnt anything yet. tn_scaler_free releases it, whether this succeeded or not. */
TN_MUST_USE tn_status tn_scaler_begin(tn_scaler *scaler, int32_t kind, double low, double high, int64_t columns);
TN_MUST_USE tn_status tn_scaler_learn_column(tn_scaler *scaler, double low, double high, int64_t column,
                                             const tn_column_facts *facts);

#endif
