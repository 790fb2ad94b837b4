/* clamp.c: x kept within two bounds, by the others. At a bound the gradient flows; a NaN stays. */
#include "op.h"

tn_tensor *tn_clamp(tn_tensor *x, double low, double high)
{
    return tn_min(tn_max(x, tn_number(x, low)), tn_number(x, high));
}
