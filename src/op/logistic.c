/* logistic.c: the general logistic function, by the others. */
#include "op.h"

tn_tensor *tn_logistic(tn_tensor *x, double L, double k, double x0)
{
    tn_tensor *z = tn_mul(tn_sub(x, tn_number(x, x0)), tn_number(x, k));
    return tn_mul(tn_sigmoid(z), tn_number(x, L));
}
