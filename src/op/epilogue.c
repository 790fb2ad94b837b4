/* epilogue.c: the check of an epilogue, the map that follows a product or a convolution within one operation. */
#include "check.h"
#include "map_internal.h"

tn_status tn_check_epilogue(const tn_op_desc *desc, const tn_map_attrs *epilogue)
{
    const tn_tensor_desc *y = &desc->out[0];
    int32_t result = tn_map_compute_type(desc->in[0].dtype);
    if (epilogue) {
        TN_TRY(tn_map_check(desc->name, epilogue, desc->in + 2, desc->n_in - 2, result, y->rank));
        TN_REQUIRE(epilogue->n_out == 1, TN_EUNSUPPORTED, "%s: %u outputs", desc->name, epilogue->n_out);
        int32_t value = epilogue->out[0], n_in = (int32_t)epilogue->n_in;
        if (value >= n_in) result = epilogue->instr[value - n_in].dtype;
        if (value && value < n_in) result = tn_map_compute_type(desc->in[value + 1].dtype);
    }
    for (uint32_t i = 2; i < desc->n_in; i++) {
        TN_TRY(tn_check_same(desc, &desc->in[i], y));
        TN_TRY(tn_check_strides(desc, &desc->in[i]));
    }
    TN_REQUIRE((epilogue || desc->n_in == 2) && tn_map_compute_type(y->dtype) == result, TN_EUNSUPPORTED,
               "%s: %u inputs, a result of type %s", desc->name, desc->n_in, tn_dtype_name(y->dtype));
    return TN_OK;
}
