/* target.c: targets that a loss cannot take, found when data is loaded, before anything is computed. */
#include "error.h"
#include "given.h"
#include "tenon/nn.h"

#include <math.h>
#include <string.h>

/* The range that a loss's targets must lie in, its limits included or, with `open`, the lower one not. */
static const struct {
    const char *loss;
    double low, high;
    int open, no_zero;
    const char *say;
} rules[] = {
    {"binary_cross_entropy", 0, 1, 0, 0, "a probability from 0 to 1"},
    {"binary_focal", 0, 1, 0, 0, "a probability from 0 to 1"},
    {"hinge", 0, 1, 0, 0, "a probability from 0 to 1"},
    {"kl_divergence", 0, 1, 0, 0, "a probability from 0 to 1"},
    {"poisson", 0, HUGE_VAL, 0, 0, "a count of 0 or more"},
    {"msle", -1, HUGE_VAL, 1, 0, "a number above -1"},
    {"mape", -HUGE_VAL, HUGE_VAL, 0, 1, "a number other than 0, by which the error is divided"},
};

static tn_status check_labels(const int32_t *label, int64_t count, int64_t classes)
{
    for (int64_t i = 0; i < count; i++)
        TN_REQUIRE(label[i] >= 0 && label[i] < classes, TN_EINVAL, "label %lld is %d, but there are %lld classes",
                   (long long)i, label[i], (long long)classes);
    return TN_OK;
}

tn_status tn_loss_check_targets(const char *loss, int32_t dtype, const void *data, int64_t count, int64_t classes)
{
    TN_GIVEN(loss, data);
    const float *x = data;
    size_t r = 0, n = sizeof rules / sizeof rules[0];
    while (r < n && strcmp(rules[r].loss, loss)) r++;
    if (dtype == TN_I32) {
        TN_REQUIRE(r == n || !rules[r].no_zero, TN_EINVAL, "%s: classes become targets of 0 and 1; each should be %s",
                   loss, rules[r].say);
        return check_labels(data, count, classes);
    }
    TN_REQUIRE(dtype == TN_F32, TN_EDTYPE, "targets of element type %s", tn_dtype_name(dtype));
    for (int64_t i = 0; i < count; i++) {
        TN_REQUIRE(x[i] == x[i], TN_EINVAL, "%s: target %lld is not a number", loss, (long long)i);
        if (r == n) continue;
        int fits = x[i] >= rules[r].low && x[i] <= rules[r].high && !(rules[r].open && x[i] == rules[r].low) &&
                   !(rules[r].no_zero && x[i] == 0);
        TN_REQUIRE(fits, TN_EINVAL, "%s: target %lld is %g; it should be %s", loss, (long long)i, (double)x[i],
                   rules[r].say);
    }
    return TN_OK;
}
