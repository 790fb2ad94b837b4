/* matmul_only: a vendor's first step: the template and one naive kernel, f32 matrix products without epilogue. All
 * else falls back to another device. */
#include "template.h"

static const float *read_only(const tn_run *run, int i)
{
    return at(run->in[i]);
}

/* y (batch, m, n) = a (batch, m, k) b (batch, k, n); the strides say where an operand is transposed or repeated. */
static void run_matmul(const tn_kernel *kernel, const tn_run *run)
{
    const tn_tensor_desc *a = &kernel->in[0], *b = &kernel->in[1], *y = &kernel->out[0];
    const float *from_a = read_only(run, 0), *from_b = read_only(run, 1);
    float *to = at(run->out[0]);
    for (int64_t i = 0; i < tn_desc_count(y); i++) {
        int64_t column = i % y->dim[2], row = i / y->dim[2] % y->dim[1], batch = i / y->dim[2] / y->dim[1];
        const float *p = from_a + batch * a->stride[0] + row * a->stride[1];
        const float *q = from_b + batch * b->stride[0] + column * b->stride[2];
        float sum = 0;
        for (int64_t k = 0; k < a->dim[2]; k++) sum += p[k * a->stride[2]] * q[k * b->stride[1]];
        to[i] = sum;
    }
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

static int32_t prepare_matmul(tn_kernel *kernel, const tn_op_desc *desc, tn_msg *msg)
{
    const tn_matmul_attrs *attrs = desc->attrs;
    if (!tn_attrs_known(attrs, sizeof *attrs)) return fail(msg, TN_EUNSUPPORTED, "matmul: an attribute is too new");
    if (attrs->epilogue) return fail(msg, TN_EUNSUPPORTED, "matmul: epilogues are not supported");
    if (desc->in[0].dtype != TN_F32 || desc->in[1].dtype != TN_F32 || desc->out[0].dtype != TN_F32)
        return fail(msg, TN_EUNSUPPORTED, "matmul: only f32 is supported");
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
    return prepare_row(&(operator_row){"matmul", prepare_matmul}, desc, kernel, info, msg);
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
