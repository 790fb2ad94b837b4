/* iota.c: the coordinate of each element along an axis, as i32. */
#include "cases.h"
#include "check.h"
#include "leaf.h"
#include "map.h"

typedef struct attrs {
    tn_shape shape;
    int32_t axis;
    uint32_t reserved;
} attrs;

static tn_status shape(tn_tensor *const in[], uint32_t n_in, const void *raw, tn_type *out)
{
    const attrs *at = raw;
    char text[160];
    (void)in, (void)n_in;
    TN_TRY(tn_shape_check(&at->shape));
    TN_REQUIRE(at->axis >= 0 && at->axis < at->shape.rank, TN_ESHAPE, "iota: axis %d of shape %s", at->axis,
               tn_shape_text(&at->shape, text, sizeof text));
    *out = (tn_type){TN_I32, at->shape};
    return TN_OK;
}

/* Shapes are aligned at the last dimension; along a stretched one the coordinate is 0 throughout. */
static int32_t emit(const tn_tensor *y, tn_map_builder *builder, const int32_t arg[])
{
    const attrs *at = y->attrs;
    int32_t axis = at->axis + builder->rank - y->type.shape.rank;
    (void)arg;
    if (y->type.shape.dim[at->axis] == 1) return tn_emit(builder, "const", (int32_t[]){-1, -1, -1, -1}, TN_I32, 0);
    return tn_emit(builder, "iota", (int32_t[]){axis, -1, -1, -1}, TN_I32, 0);
}

int tn_is_iota(const tn_tensor *x, int32_t axis)
{
    return x->op == &tn_op_iota && ((const attrs *)x->attrs)->axis == axis;
}

tn_tensor *tn_iota(tn_graph *graph, tn_shape to, int32_t axis)
{
    attrs at = {.axis = axis < 0 ? axis + to.rank : axis};
    tn_keep_shape(&at.shape, to);
    return tn_node(&tn_op_iota, graph, NULL, 0, &at);
}

static tn_tensor *case_rows(tn_tensor *const in[])
{
    return tn_iota(in[0]->graph, tn_shape_of(in[0]), 0);
}

static tn_tensor *case_columns(tn_tensor *const in[])
{
    return tn_iota(in[0]->graph, tn_shape_of(in[0]), -1);
}

static tn_tensor *case_stretched(tn_tensor *const in[])
{
    tn_tensor *rows = tn_iota(in[0]->graph, TN_SHAPE(3, 1, 1), 0), *columns = tn_iota(in[0]->graph, TN_SHAPE(1, 5), 1);
    return tn_mul(in[0], tn_cast(tn_add(rows, tn_mul(columns, tn_number(columns, 10))), TN_F32));
}

static tn_tensor *case_single(tn_tensor *const in[])
{
    return tn_add(in[0], tn_cast(tn_iota(in[0]->graph, TN_SHAPE(1, 5), 0), TN_F32));
}

/* x times a number for each of its places. */
static tn_tensor *by_place(tn_tensor *x)
{
    tn_tensor *place = tn_iota(x->graph, tn_shape_of(x), 0);
    for (int32_t d = 1; d < tn_shape_of(x).rank; d++)
        place = tn_add(tn_mul(place, tn_number(place, 10)), tn_iota(x->graph, tn_shape_of(x), d));
    return tn_mul(x, tn_cast(place, tn_dtype_of(x)));
}

static tn_tensor *case_sum_first(tn_tensor *const in[])
{
    return tn_sum(by_place(in[0]), TN_AXES(0), 0);
}

static tn_tensor *case_sum_middle(tn_tensor *const in[])
{
    return tn_sum(by_place(in[0]), TN_AXES(1), 0);
}

static tn_tensor *case_sum_ends(tn_tensor *const in[])
{
    return tn_sum(by_place(in[0]), TN_AXES(0, -1), 0);
}

static const tn_op_case cases[] = {
    {"rows", case_rows, {F32(7, 13)}, .no_gradient = 1},
    {"columns", case_columns, {F32(7, 13)}, .no_gradient = 1},
    {"of rank 1", case_columns, {F32(1031)}, .no_gradient = 1},
    {"of rank 4", case_rows, {F32(3, 4, 5, 2)}, .no_gradient = 1},
    {"stretched in a map", case_stretched, {F32(3, 4, 5)}},
    {"of a dimension of 1, stretched", case_single, {F32(3, 5)}},
    {"summed over the first axis", case_sum_first, {F32(3, 4, 5)}},
    {"summed over a middle axis", case_sum_middle, {F32(3, 4, 5)}},
    {"summed over the first and last axes", case_sum_ends, {F32(3, 4, 2, 5)}},
    {"no elements", case_rows, {F32(0, 4)}, .no_gradient = 1},
    {0},
};

static const tn_field fields[] = {
    TN_FIELD(attrs, shape, SHAPE), TN_FIELD(attrs, axis, NUMBER), TN_FIELD(attrs, reserved, NOTHING), {0}};

const tn_op_def tn_op_iota = {.name = "iota",
                              .doc = "the coordinate along an axis",
                              .kind = TN_MAP,
                              TN_ATTRS(attrs, fields),
                              .shape = shape,
                              .emit = emit,
                              .cases = cases,
                              .budget = TN_BUDGET_ROUND};
