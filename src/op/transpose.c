/* transpose.c: dimension d of y is dimension perm[d] of x. */
#include "cases.h"
#include "check.h"
#include "leaf.h"

static tn_status shape(tn_tensor *const in[], uint32_t n_in, const void *raw, tn_type *out)
{
    const tn_transpose_node *at = raw;
    const tn_shape *x = &in[0]->type.shape;
    uint32_t seen = 0;
    (void)n_in;
    *out = in[0]->type;
    for (int32_t d = 0; d < x->rank; d++) {
        int32_t from = at->perm[d];
        TN_REQUIRE(from >= 0 && from < x->rank && !(seen >> from & 1), TN_ESHAPE,
                   "transpose: %d as dimension %d is no permutation of %d dimensions", from, d, x->rank);
        seen |= 1u << from;
        out->shape.dim[d] = x->dim[from];
    }
    return TN_OK;
}

static void grad(tn_tensor *y, tn_tensor *dy, tn_tensor *din[])
{
    const tn_transpose_node *at = y->attrs;
    int32_t inverse[TN_MAX_RANK];
    for (int32_t d = 0; d < y->type.shape.rank; d++) inverse[at->perm[d]] = d;
    din[0] = tn_transpose(dy, inverse);
}

/* Dimensions of size 1 go, and those that stay neighbours become one. What is left is numbered by its order in x. */
static void describe(const tn_tensor *y, tn_operation *o)
{
    const tn_transpose_node *at = y->attrs;
    const tn_shape *x = &y->in[0]->type.shape;
    int32_t first[TN_MAX_RANK], last = -2, rank = 0; /* group k of y begins with dimension first[k] of x */
    tn_shape out = {0}, in = {0};
    tn_transpose_attrs *attrs = &o->attrs.transpose;
    for (int32_t d = 0; d < x->rank; d++) {
        int32_t from = at->perm[d], next = last + 1;
        if (x->dim[from] == 1) continue;
        while (last >= 0 && next < x->rank && x->dim[next] == 1) next++;
        if (!rank || from != next) {
            first[rank] = from;
            out.dim[rank++] = 1;
        }
        out.dim[rank - 1] *= x->dim[from];
        last = from;
    }
    if (!rank) first[0] = 0, out.dim[rank++] = 1;
    out.rank = in.rank = rank;
    *attrs = (tn_transpose_attrs){.size = sizeof *attrs};
    for (int32_t k = 0; k < rank; k++) {
        for (int32_t j = 0; j < rank; j++) attrs->perm[k] += first[j] < first[k];
        in.dim[attrs->perm[k]] = out.dim[k];
    }
    o->in[0] = tn_desc_dense(y->type.dtype, &in);
    o->out[0] = tn_desc_dense(y->type.dtype, &out);
}

static void reference(const tn_reference_call *call)
{
    const tn_transpose_attrs *at = call->desc->attrs;
    const tn_tensor_desc *x = call->desc->in, *y = call->desc->out;
    int64_t count = tn_desc_count(y);
    for (int64_t e = 0; e < count; e++) {
        int64_t rest = e, from = 0;
        for (int32_t d = y->rank - 1; d >= 0; d--) {
            int64_t stride = 1;
            for (int32_t k = at->perm[d] + 1; k < x->rank; k++) stride *= x->dim[k];
            from += rest % y->dim[d] * stride;
            rest /= y->dim[d];
        }
        call->out[0][e] = call->in[0][from];
    }
}

static double flops(const tn_op_desc *desc)
{
    (void)desc;
    return 0;
}

tn_tensor *tn_transpose(tn_tensor *x, const int32_t *perm)
{
    tn_transpose_node at = {0};
    int32_t rank = tn_shape_of(x).rank;
    for (int32_t d = 0; d < rank; d++) at.perm[d] = perm ? perm[d] : rank - 1 - d;
    return tn_node(&tn_op_transpose, NULL, &x, 1, &at);
}

static tn_tensor *case_reverse(tn_tensor *const in[])
{
    return tn_transpose(in[0], NULL);
}

static tn_tensor *case_last_two(tn_tensor *const in[])
{
    return tn_transpose(in[0], (int32_t[]){0, 2, 1});
}

static tn_tensor *case_block(tn_tensor *const in[])
{
    return tn_transpose(in[0], (int32_t[]){2, 3, 0, 1});
}

static tn_tensor *case_channels_last(tn_tensor *const in[])
{
    return tn_transpose(in[0], (int32_t[]){0, 2, 3, 1});
}

/* Permutations that are not their own inverse, and leave no two dimensions side by side. */
static tn_tensor *case_cycle(tn_tensor *const in[])
{
    static const int32_t order[][TN_MAX_RANK] = {
        [4] = {2, 0, 3, 1}, [5] = {1, 3, 0, 4, 2}, [6] = {2, 0, 4, 1, 5, 3}, [7] = {2, 4, 1, 6, 0, 3, 5}};
    return tn_transpose(in[0], order[tn_shape_of(in[0]).rank]);
}

static const tn_op_case cases[] = {
    {"a matrix", case_reverse, {F32(33, 65)}},
    {"a column", case_reverse, {F32(31, 1)}},
    {"three dimensions reversed", case_reverse, {F32(5, 7, 9)}},
    {"matrices in a batch", case_last_two, {F32(3, 17, 19)}},
    {"pairs that stay together", case_block, {F32(2, 3, 5, 7)}},
    {"channels last", case_channels_last, {F32(2, 3, 5, 7)}},
    {"a cycle of four", case_cycle, {F32(3, 5, 2, 7)}},
    {"a cycle of five", case_cycle, {F32(3, 5, 2, 7, 4)}},
    {"a cycle of six", case_cycle, {F32(3, 5, 2, 7, 4, 6)}},
    {"cycles of four and three", case_cycle, {F32(3, 5, 2, 7, 4, 8, 6)}, .no_gradient = 1},
    {"dimensions of 1 between", case_block, {F32(4, 1, 1, 6)}},
    {"whole numbers", case_reverse, {I32(9, 4)}, -99, 99, 1},
    {"a number", case_reverse, {NUMBER}},
    {"no elements", case_reverse, {F32(0, 5)}},
    {0},
};

static const tn_field fields[] = {TN_FIELD(tn_transpose_node, perm, NUMBER), {0}};

static const tn_field crosses[] = {TN_FIELD(tn_transpose_attrs, perm, NUMBER), {0}};

const tn_op_def tn_op_transpose = {.name = "transpose",
                                   .crosses = crosses,
                                   .doc = "x with its dimensions permuted",
                                   .kind = TN_KERNEL,
                                   .arity = 1,
                                   .traits = TN_MOVES,
                                   TN_ATTRS(tn_transpose_node, fields),
                                   .shape = shape,
                                   .grad = grad,
                                   .describe = describe,
                                   .reference = reference,
                                   .flops = flops,
                                   .cases = cases};
