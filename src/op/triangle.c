/* triangle.c: the lower or upper triangle of matrices: the rest becomes 0. */
#include "cases.h"
#include "check.h"

typedef struct attrs {
    int64_t diagonal; /* the last, or first, that stays: 0 is the main one, 1 the one above it */
    uint32_t upper;
    uint32_t reserved;
} attrs;

static tn_status shape(tn_tensor *const in[], uint32_t n_in, const void *raw, tn_type *out)
{
    (void)n_in, (void)raw;
    TN_TRY(tn_require_type("triangle", in[0], 1));
    TN_REQUIRE(in[0]->type.shape.rank >= 2, TN_ESHAPE, "triangle: of %d dimensions", in[0]->type.shape.rank);
    *out = in[0]->type;
    return TN_OK;
}

static tn_tensor *lower(tn_tensor *y)
{
    const attrs *at = y->attrs;
    const tn_shape *s = &y->type.shape;
    int64_t rows = s->dim[s->rank - 2], columns = s->dim[s->rank - 1], k = at->diagonal;
    if (k > columns) k = columns;
    if (k < -rows) k = -rows;
    tn_tensor *row = tn_iota(y->graph, TN_SHAPE(rows, 1), 0), *column = tn_iota(y->graph, TN_SHAPE(1, columns), 1);
    row = tn_add(row, tn_number(row, (double)k));
    return tn_where(at->upper ? tn_ge(column, row) : tn_le(column, row), y->in[0], tn_number(y->in[0], 0));
}

static void reference(const tn_reference_call *call)
{
    const attrs *at = call->desc->attrs;
    const tn_tensor_desc *x = &call->desc->in[0];
    int64_t rows = x->dim[x->rank - 2], columns = x->dim[x->rank - 1];
    for (int64_t e = 0; e < tn_desc_count(x); e++) {
        int64_t above = e % columns - e / columns % rows; /* which diagonal it is on */
        int stays = at->upper ? above >= at->diagonal : above <= at->diagonal;
        call->out[0][e] = stays ? call->in[0][e] : 0;
    }
}

static tn_tensor *triangle(tn_tensor *x, int64_t diagonal, uint32_t upper)
{
    attrs at = {diagonal, upper, 0};
    return tn_node(&tn_op_triangle, NULL, &x, 1, &at);
}

tn_tensor *tn_tril(tn_tensor *x, int64_t diagonal)
{
    return triangle(x, diagonal, 0);
}

tn_tensor *tn_triu(tn_tensor *x, int64_t diagonal)
{
    return triangle(x, diagonal, 1);
}

static tn_tensor *case_lower(tn_tensor *const in[])
{
    return tn_tril(in[0], 0);
}

static tn_tensor *case_upper(tn_tensor *const in[])
{
    return tn_triu(in[0], 1);
}

static tn_tensor *case_wide(tn_tensor *const in[])
{
    return tn_tril(in[0], 1000);
}

static const tn_op_case cases[] = {
    {"the lower one", case_lower, {F32(7, 7)}},
    {"of matrices in a batch", case_upper, {F32(3, 5, 9)}},
    {"of a tall matrix", case_lower, {F32(9, 4)}},
    {"all of it", case_wide, {F32(5, 6)}},
    {"whole numbers", case_upper, {I32(6, 6)}, 1, 9, 1},
    {"nothing", case_lower, {F32(0, 3)}},
    {0},
};

static const tn_field fields[] = {
    TN_FIELD(attrs, diagonal, NUMBER), TN_FIELD(attrs, upper, FLAG), TN_FIELD(attrs, reserved, NOTHING), {0}};

const tn_op_def tn_op_triangle = {.name = "triangle",
                                  .doc = "the lower or upper triangle of matrices, the rest 0",
                                  .kind = TN_COMPOSITE,
                                  .arity = 1,
                                  TN_ATTRS(attrs, fields),
                                  .shape = shape,
                                  .lower = lower,
                                  .reference = reference,
                                  .cases = cases};
