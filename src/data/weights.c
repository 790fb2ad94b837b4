/* weights.c: see weights.h. */
#include "weights.h"

#include "error.h"
#include "given.h"

#define LEAST 1e-18f
#define MOST  1e18f

int tn_is_weight(double weight)
{
    return !weight || ((float)weight >= LEAST && (float)weight <= MOST);
}

tn_status tn_dataset_check_weights(const tn_dataset *data)
{
    TN_GIVEN(data);
    for (int64_t i = 0; data->weight && i < data->count; i++)
        TN_REQUIRE(tn_is_weight(data->weight[i]), TN_EINVAL, "%s: sample %lld has the weight %g, not " TN_WEIGHT_RANGE,
                   data->source ? data->source : "the data", (long long)(data->row ? data->row[i] : i),
                   (double)data->weight[i]);
    return TN_OK;
}
