/* matmul_only: a vendor's first step: the template and one naive kernel, f32 matrix products without epilogue. All
 * else falls back to another device. */
#include "template.h"

/* One row of y = a b: the rows of b, each times an element of the row of a. */
static void run_row(float *y, const float *a, const float *b, const tn_tensor_desc *shape_a,
                    const tn_tensor_desc *shape_b)
{
    for (int64_t j = 0; j < shape_b->dim[2]; j++) y[j] = 0;
    for (int64_t k = 0; k < shape_a->dim[2]; k++) {
        const float factor = a[k * shape_a->stride[2]], *row = b + k * shape_b->stride[1];
        for (int64_t j = 0; j < shape_b->dim[2]; j++) y[j] += factor * row[j * shape_b->stride[2]];
    }
}

/* y (batch, m, n) = a (batch, m, k) b (batch, k, n); the strides say where an operand is transposed or repeated. */
static void run_matmul(const tn_kernel *kernel, const tn_run *run)
{
    const tn_tensor_desc *a = &kernel->in[0], *b = &kernel->in[1], *y = &kernel->out[0];
    const float *from_a = at(run->in[0]), *from_b = at(run->in[1]);
    float *to = at(run->out[0]);
    for (int64_t batch = 0; batch < y->dim[0]; batch++)
        for (int64_t row = 0; row < y->dim[1]; row++, to += y->dim[2])
            run_row(to, from_a + batch * a->stride[0] + row * a->stride[1], from_b + batch * b->stride[0], a, b);
}

/* Swaps the last two dimensions, so that the kernel meets (batch, m, k) and (batch, k, n). */
static void swap(tn_tensor_desc *desc)
{
    int64_t dim = desc->dim[1], stride = desc->stride[1];
    desc->dim[1] = desc->dim[2];
    desc->stride[1] = desc->stride[2];
    desc->dim[2] = dim;
    desc->stride[2] = stride;
}

static int32_t prepare_matmul(tn_kernel *kernel, const tn_op_desc *desc, const tn_op_facts *facts, tn_msg *msg)
{
    const tn_matmul_attrs *attrs = desc->attrs;
    (void)facts;
    if (attrs->epilogue || attrs->sums)
        return tn_refuse(msg, TN_EUNSUPPORTED, "matmul: the product alone is supported");
    if (desc->in[0].dtype != TN_F32 || desc->in[1].dtype != TN_F32 || desc->out[0].dtype != TN_F32)
        return tn_refuse(msg, TN_EUNSUPPORTED, "matmul: only f32 is supported");
    if (attrs->trans_a) swap(&kernel->in[0]);
    if (attrs->trans_b) swap(&kernel->in[1]);
    kernel->run = run_matmul;
    return TN_OK;
}

/* What a row in the template's table would do: the draft's operands, the row's answer, a copy. */
static int32_t prepare_this(tn_context *context, const tn_op_desc *desc, tn_kernel **kernel, tn_kernel_info *info,
                            tn_msg *msg)
{
    if (strcmp(desc->name, "matmul")) return op_prepare(context, desc, kernel, info, msg);
    return prepare_row(&(operator_row){"matmul", prepare_matmul, 0}, desc, kernel, info, msg);
}

static int32_t describe(uint32_t device, tn_device_info *info, tn_msg *msg)
{
    tn_device_info mine = {.size = sizeof mine};
    int32_t status = device_info(device, &mine, msg);
    snprintf(mine.name, sizeof mine.name, "Naive multiplier");
    snprintf(mine.id, sizeof mine.id, "matmul_only");
    if (!status) tn_answer(info, &mine, sizeof mine);
    return status;
}

PLUGIN("matmul_only", table.op_prepare = prepare_this; table.device_info = describe;
       table.doc = "the template and a naive matrix product")
