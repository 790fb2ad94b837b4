/* old_1_0: a backend that was built for version 1.0 and is used with libraries that came later. Its header and the
 * template that it began from are kept as they were (old/): never bring them up to date. It is as strict with sizes as
 * that version allowed: of each struct it takes what it knows, and refuses a description with more in it. */
#define tn_backend_query template_query
#include "old/null_1_0.c"
#undef tn_backend_query

/* y (batch, m, n) = a (batch, m, k) b (batch, k, n), by the strides. */
static void run_matmul(const tn_kernel *kernel, const tn_run *run)
{
    const tn_tensor_desc *a = &kernel->in[0], *b = &kernel->in[1], *y = &kernel->out[0];
    float *to = at(run->out[0]);
    for (int64_t batch = 0; batch < y->dim[0]; batch++)
        for (int64_t i = 0; i < y->dim[1]; i++)
            for (int64_t j = 0; j < y->dim[2]; j++) {
                const float *p = (const float *)at(run->in[0]) + batch * a->stride[0] + i * a->stride[1];
                const float *q = (const float *)at(run->in[1]) + batch * b->stride[0] + j * b->stride[2];
                float sum = 0;
                for (int64_t k = 0; k < a->dim[2]; k++) sum += p[k * a->stride[2]] * q[k * b->stride[1]];
                *to++ = sum;
            }
}

static void swap(int64_t *pair)
{
    int64_t first = pair[0];
    pair[0] = pair[1];
    pair[1] = first;
}

static int32_t prepare_matmul(tn_kernel *kernel, const tn_op_desc *desc, tn_msg *msg)
{
    const tn_matmul_attrs *attrs = desc->attrs;
    tn_tensor_desc *a = &kernel->in[0], *b = &kernel->in[1], *y = &kernel->out[0];
    if (!tn_attrs_known(attrs, sizeof *attrs) || attrs->epilogue || attrs->sums)
        return fail(msg, TN_EUNSUPPORTED, "matmul: the product alone");
    if (a->dtype != TN_F32 || b->dtype != TN_F32 || y->dtype != TN_F32)
        return fail(msg, TN_EUNSUPPORTED, "matmul: f32 alone");
    if (attrs->trans_a) swap(a->dim + 1), swap(a->stride + 1);
    if (attrs->trans_b) swap(b->dim + 1), swap(b->stride + 1);
    if (a->dim[0] != y->dim[0] || b->dim[0] != y->dim[0] || a->dim[1] != y->dim[1] || b->dim[2] != y->dim[2] ||
        a->dim[2] != b->dim[1])
        return fail(msg, TN_EINVAL, "matmul: the operands do not fit");
    kernel->run = run_matmul;
    return TN_OK;
}

static int32_t prepare_strictly(tn_context *context, const tn_op_desc *desc, tn_kernel **kernel, tn_kernel_info *info,
                                tn_msg *msg)
{
    static const operator_row matmul = {"matmul", prepare_matmul, 0};
    if (desc->size < sizeof *desc || !tn_attrs_known(desc, sizeof *desc))
        return fail(msg, TN_EUNSUPPORTED, "%s: a description of another version", desc->name);
    if (strcmp(desc->name, "matmul")) return op_prepare(context, desc, kernel, info, msg);
    return prepare_row(&matmul, desc, kernel, info, msg);
}

static int32_t init_strictly(const tn_host *services, tn_msg *msg)
{
    if (services->size < sizeof *services) return fail(msg, TN_EINVAL, "the host's table is too small");
    return init(services, msg);
}

static int32_t describe(uint32_t device, tn_device_info *info, tn_msg *msg)
{
    tn_device_info mine = {.size = sizeof mine};
    int32_t status = device_info(device, &mine, msg);
    snprintf(mine.name, sizeof mine.name, "Multiplier of version 1.0");
    snprintf(mine.id, sizeof mine.id, "old_1_0");
    if (!status) tn_answer(info, &mine, sizeof mine);
    return status;
}

TN_BACKEND_EXPORT const tn_backend *tn_backend_query(uint32_t host_major, uint32_t host_minor);
const tn_backend *tn_backend_query(uint32_t host_major, uint32_t host_minor)
{
    static tn_backend table;
    const tn_backend *template = template_query(host_major, host_minor);
    if (!template) return NULL;
    table = *template;
    table.id = "old_1_0";
    table.init = init_strictly;
    table.device_info = describe;
    table.op_prepare = prepare_strictly;
    return &table;
}
