/* precision.c: lets products round their factors where the user allows it and the device gains by it. */
#include "ir.h"

/* Factors of other types are not rounded. */
static int has_factor_of_f32(const tn_launch *l)
{
    const tn_tensor_desc *in = l->operation.desc.in;
    return in[0].dtype == TN_F32 || in[1].dtype == TN_F32;
}

void tn_lower_precision(const tn_target *target, tn_ir *ir, uint32_t precision, uint32_t *lowered, uint32_t *refused)
{
    *lowered = *refused = 0;
    for (uint32_t i = 0; i < ir->launches; i++) {
        tn_launch *l = ir->launch[i];
        if (l->transfer || l->place || !(l->op->traits & TN_MULTIPLIES) || !has_factor_of_f32(l)) continue;
        l->operation.desc.precision = precision;
        if (target->supports(target->self, 0, &l->operation.desc, &l->origin)) {
            ++*lowered;
            continue;
        }
        l->operation.desc.precision = TN_PRECISION_F32;
        ++*refused;
    }
}
