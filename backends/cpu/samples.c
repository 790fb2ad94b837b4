/* samples.c: the extension tenon.samples/1: what stays near a core is what its second cache holds, or what the option
 * "near" says. */
#include "cpu.h"

static int32_t get_near(tn_context *context, uint64_t *bytes, tn_msg *msg)
{
    (void)msg;
    *bytes = context->near;
    return TN_OK;
}

const tn_ext_samples cpu_samples = {sizeof cpu_samples, get_near};
