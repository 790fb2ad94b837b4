/* reference_run.c: preparing and running one operator: its operands become doubles in the scratch memory, the
 * definition's reference computes on them, and the results are rounded and stored. Every result is stored after every
 * operand was read, so that writing in place needs no care. */
#include <stdio.h>
#include <string.h>

#include "attrs.h"
#include "check.h"
#include "reference_internal.h"

struct tn_kernel {
    tn_region region; /* all that the description points to */
    const tn_op_def *op;
    tn_op_desc desc;
    tn_tensor_desc given[TN_MAX_OPERANDS]; /* the inputs, but for rows that are not read */
    uint64_t scratch;
    uint32_t n_scalar;
};

/* ---- preparing ---- */

static void *copy(tn_region *region, const void *from, size_t bytes)
{
    void *to = tn_region_alloc(region, bytes);
    return to && bytes ? memcpy(to, from, bytes) : to;
}

/* The kernel of a description that was checked. */
static tn_status fill(tn_kernel *k, const tn_op_desc *desc)
{
    k->desc = *desc;
    k->desc.alias = NULL;
    k->desc.attrs = NULL;
    k->desc.name = k->op->name;
    k->desc.in = copy(&k->region, desc->in, desc->n_in * sizeof *desc->in);
    k->desc.out = copy(&k->region, desc->out, desc->n_out * sizeof *desc->out);
    if (!k->desc.in || !k->desc.out) return TN_ENOMEM;
    if (desc->attrs && !(k->desc.attrs = tn_attrs_copy(&k->region, desc))) return TN_ENOMEM;
    k->n_scalar = tn_attrs_scalars(desc);
    for (uint32_t i = 0; i < desc->n_in; i++) {
        k->given[i] = desc->in[i];
        if (k->op->first_row && !i) k->given[i].dim[0] = desc->out[0].dim[0];
        k->scratch += (uint64_t)tn_desc_count(&k->given[i]) * sizeof(double);
    }
    for (uint32_t i = 0; i < desc->n_out; i++) k->scratch += (uint64_t)tn_desc_count(&desc->out[i]) * sizeof(double);
    return TN_OK;
}

static void inform(const tn_kernel *k, tn_kernel_info *info)
{
    const tn_kernel_info full = {.scratch = k->scratch, .launches = 1};
    tn_answer(info, &full, sizeof full);
}

int32_t tn_reference_prepare(tn_context *context, const tn_op_desc *desc, tn_kernel **kernel, tn_kernel_info *info,
                             tn_msg *msg)
{
    (void)context;
    tn_status s = tn_check_operation(desc);
    tn_kernel *k = s || (!kernel && !info) ? NULL : tn_alloc(sizeof *k);
    if (!s && (kernel || info)) {
        if (k) k->op = tn_op_named(desc->name);
        s = k ? fill(k, desc) : TN_ENOMEM;
    }
    if (!s && info) inform(k, info);
    if (s || !kernel)
        tn_reference_release(k);
    else
        *kernel = k;
    return tn_reference_answer(s, msg);
}

void tn_reference_release(tn_kernel *kernel)
{
    if (kernel) tn_region_free(&kernel->region);
    tn_free(kernel);
}

/* ---- running ---- */

/* Where an input's elements begin: past the rows that are not read. */
static tn_status find_input(const tn_kernel *k, const tn_run *run, uint32_t i, const unsigned char **data)
{
    const tn_tensor_desc *x = &k->desc.in[i];
    *data = tn_reference_range(run->in[i], tn_reference_extent(x));
    if (!*data) return TN_EINVAL;
    if (k->op->first_row && !i && x->rank)
        *data += (uint64_t)(k->op->first_row(&k->desc, run->scalar) * x->stride[0]) * tn_dtype_size(x->dtype);
    return TN_OK;
}

tn_status tn_reference_run(tn_kernel *k, const tn_run *run)
{
    const double *in[TN_MAX_OPERANDS] = {0};
    double *out[TN_MAX_OPERANDS] = {0}, *room = NULL;
    unsigned char *result[TN_MAX_OPERANDS] = {0};
    TN_REQUIRE(run->n_scalar >= k->n_scalar, TN_EINVAL, "%s: %llu scalars instead of %u", k->op->name,
               (unsigned long long)run->n_scalar, k->n_scalar);
    if (k->scratch && !(room = (double *)(void *)tn_reference_range(run->scratch, k->scratch))) return TN_EINVAL;
    for (uint32_t i = 0; i < k->desc.n_out; i++)
        if (!(result[i] = tn_reference_range(run->out[i], tn_reference_extent(&k->desc.out[i])))) return TN_EINVAL;
    for (uint32_t i = 0; i < k->desc.n_in; i++) {
        const unsigned char *data = NULL;
        TN_TRY(find_input(k, run, i, &data));
        if (tn_desc_count(&k->given[i])) tn_reference_load(room, data, &k->given[i]);
        in[i] = room;
        room += tn_desc_count(&k->given[i]);
    }
    for (uint32_t i = 0; i < k->desc.n_out; i++) {
        out[i] = room;
        room += tn_desc_count(&k->desc.out[i]);
    }
    if (k->scratch) k->op->reference(&(tn_reference_call){&k->desc, in, out, run->scalar});
    for (uint32_t i = 0; i < k->desc.n_out; i++) tn_reference_store(result[i], out[i], &k->desc.out[i]);
    return TN_OK;
}
