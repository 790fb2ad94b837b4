/* save_shape.c: leaves, types, shapes, and places. */
#include <limits.h>

#include "save.h"

/* ---- leaves ---- */

void export_rule_input(export_saver *s, tn_tensor *y, tn_tensor *const in[])
{
    (void)in;
    export_is(s, y, y->name);
}

void export_rule_variable(export_saver *s, tn_tensor *y, tn_tensor *const in[])
{
    (void)in;
    export_is(s, y, export_initializer(s, y));
}

void export_rule_full(export_saver *s, tn_tensor *y, tn_tensor *const in[])
{
    const char *number = export_number_of(s, y);
    (void)in;
    if (!y->type.shape.rank) return export_is(s, y, number);
    export_result(s, y, "Expand", EXPORT_OF(number, export_shape(s, y, 0)), NULL);
}

void export_rule_constant(export_saver *s, tn_tensor *y, tn_tensor *const in[])
{
    (void)in;
    if (export_number_varies(s, y)) return export_is(s, y, export_varying(s, y));
    export_is(s, y, export_data(s, y, "constant", ((const tn_constant_attrs *)y->attrs)->data));
}

/* 0, 1, 2... along the axis, 1 along the others; then stretched. */
void export_rule_iota(export_saver *s, tn_tensor *y, tn_tensor *const in[])
{
    const int32_t axis = (int32_t)export_whole(y, "axis", 0), rank = y->type.shape.rank;
    const uint32_t others = ((1u << rank) - 1) & ~(1u << axis);
    const char *scalar = export_say(s, NULL, "Squeeze", EXPORT_OF(export_size(s, y, axis)), NULL);
    const char *end = export_as(s, scalar, EXPORT_TYPE_INT32);
    const char *range =
        export_say(s, NULL, "Range", EXPORT_OF(export_number(s, TN_I32, 0), end, export_number(s, TN_I32, 1)), NULL);
    const char *along = export_say(s, NULL, "Reshape", EXPORT_OF(range, export_shape(s, y, others)), NULL);
    (void)in;
    export_result(s, y, "Expand", EXPORT_OF(along, export_shape(s, y, 0)), NULL);
}

/* ---- types ---- */

void export_rule_cast(export_saver *s, tn_tensor *y, tn_tensor *const in[])
{
    export_result(s, y, "Cast", EXPORT_OF(export_value(s, in[0])),
                  EXPORT_AT(EXPORT_INT("to", export_type_of(y->type.dtype))));
}

void export_rule_where(export_saver *s, tn_tensor *y, tn_tensor *const in[])
{
    const char *condition = export_as(s, export_value(s, in[0]), EXPORT_TYPE_BOOL);
    export_result(s, y, "Where", EXPORT_OF(condition, export_value(s, in[1]), export_value(s, in[2])), NULL);
}

/* ---- shapes ---- */

void export_rule_broadcast(export_saver *s, tn_tensor *y, tn_tensor *const in[])
{
    export_result(s, y, "Expand", EXPORT_OF(export_value(s, in[0]), export_shape(s, y, 0)), NULL);
}

/* The size that depends on the batch is what is left. */
void export_rule_reshape(export_saver *s, tn_tensor *y, tn_tensor *const in[])
{
    const tn_shape *to = &y->type.shape;
    int64_t size[TN_MAX_RANK];
    int depending = 0, empty = 0;
    for (int32_t d = 0; d < to->rank; d++) {
        const int64_t each = export_per_sample(s, y, d);
        size[d] = each ? -1 : to->dim[d];
        depending += each != 0;
        empty |= size[d] == 0;
    }
    const char *x = export_value(s, in[0]);
    if (depending == 1 && size[0] == -1 && to->rank == 2 && in[0]->type.shape.dim[0] == to->dim[0] && !empty)
        export_result(s, y, "Flatten", EXPORT_OF(x), EXPORT_AT(EXPORT_INT("axis", 1)));
    else if (depending > 1 || empty)
        export_result(s, y, "Reshape", EXPORT_OF(x, export_shape(s, y, 0)), EXPORT_AT(EXPORT_INT("allowzero", 1)));
    else
        export_result(s, y, "Reshape", EXPORT_OF(x, export_ints(s, size, (size_t)to->rank)), NULL);
}

void export_rule_transpose(export_saver *s, tn_tensor *y, tn_tensor *const in[])
{
    int64_t perm[TN_MAX_RANK];
    for (int32_t d = 0; d < y->type.shape.rank; d++) perm[d] = export_whole(y, "perm", (uint32_t)d);
    export_result(s, y, "Transpose", EXPORT_OF(export_value(s, in[0])),
                  EXPORT_AT(EXPORT_INTS("perm", perm, (size_t)y->type.shape.rank)));
}

/* Whether dimension d is not as it was, or is the other way round. */
static int is_cut(const tn_tensor *y, const tn_tensor *x, int32_t d)
{
    return export_whole(y, "start", (uint32_t)d) != 0 || export_whole(y, "step", (uint32_t)d) != 1 ||
           y->type.shape.dim[d] != x->type.shape.dim[d];
}

void export_rule_slice(export_saver *s, tn_tensor *y, tn_tensor *const in[])
{
    int64_t start[TN_MAX_RANK], end[TN_MAX_RANK], axis[TN_MAX_RANK], step[TN_MAX_RANK];
    size_t n = 0;
    for (int32_t d = 0; d < y->type.shape.rank; d++) {
        if (!is_cut(y, in[0], d)) continue;
        if (export_per_sample(s, in[0], d)) return export_refuse(s, y, "it takes a part of the batch");
        axis[n] = d;
        start[n] = export_whole(y, "start", (uint32_t)d);
        step[n] = export_whole(y, "step", (uint32_t)d);
        end[n] = start[n] + (y->type.shape.dim[d] - 1) * step[n] + (step[n] < 0 ? -1 : 1);
        if (end[n] < 0) end[n] = INT64_MIN / 2;
        if (!y->type.shape.dim[d]) end[n] = start[n];
        n++;
    }
    export_result(s, y, "Slice",
                  EXPORT_OF(export_value(s, in[0]), export_ints(s, start, n), export_ints(s, end, n),
                            export_ints(s, axis, n), export_ints(s, step, n)),
                  NULL);
}

/* Zeros around x. Between its elements there are none: steps of 1. */
void export_rule_unslice(export_saver *s, tn_tensor *y, tn_tensor *const in[])
{
    const tn_shape *small = &in[0]->type.shape;
    const int32_t rank = small->rank;
    int64_t pads[2 * TN_MAX_RANK] = {0};
    for (int32_t d = 0; d < rank; d++) {
        if (!is_cut(y, in[0], d)) continue;
        if (export_per_sample(s, y, d)) return export_refuse(s, y, "it adds to the batch");
        if (export_whole(y, "step", (uint32_t)d) != 1 && small->dim[d] > 1)
            return export_refuse(s, y, "ONNX puts no zeros between elements");
        pads[d] = export_whole(y, "start", (uint32_t)d);
        pads[rank + d] = y->type.shape.dim[d] - pads[d] - small->dim[d];
    }
    export_result(
        s, y, "Pad",
        EXPORT_OF(export_value(s, in[0]), export_ints(s, pads, 2 * (size_t)rank), export_number(s, y->type.dtype, 0)),
        NULL);
}

void export_rule_concat(export_saver *s, tn_tensor *y, tn_tensor *const in[])
{
    const char *part[TN_MAX_OPERANDS + 1] = {NULL};
    for (uint32_t i = 0; i < y->n_in; i++) part[i] = export_value(s, in[i]);
    export_result(s, y, "Concat", part, EXPORT_AT(EXPORT_INT("axis", export_whole(y, "axis", 0))));
}

void export_rule_triangle(export_saver *s, tn_tensor *y, tn_tensor *const in[])
{
    const char *k = export_say(s, NULL, "Squeeze", EXPORT_OF(export_int(s, export_whole(y, "diagonal", 0))), NULL);
    export_result(s, y, "Trilu", EXPORT_OF(export_value(s, in[0]), k),
                  EXPORT_AT(EXPORT_INT("upper", export_whole(y, "upper", 0))));
}

/* ---- places: those outside give 0, or are left out ---- */

/* 1 where an index is within 0..size-1; `safe` is the index there, else 0. */
static const char *within(export_saver *s, const char *index, int64_t size, const char **safe)
{
    const char *zero = export_number(s, TN_I32, 0), *end = export_number(s, TN_I32, (double)size);
    const char *above = export_say(s, NULL, "GreaterOrEqual", EXPORT_OF(index, zero), NULL);
    const char *below = export_say(s, NULL, "Less", EXPORT_OF(index, end), NULL);
    const char *inside = export_say(s, NULL, "And", EXPORT_OF(above, below), NULL);
    *safe = export_say(s, NULL, "Where", EXPORT_OF(inside, index, zero), NULL);
    return inside;
}

/* The rows of a variable, as of an embedding's table, are just gathered. */
void export_rule_gather(export_saver *s, tn_tensor *y, tn_tensor *const in[])
{
    const char *table = export_value(s, in[0]), *index = export_value(s, in[1]), *safe;
    const export_at *at = EXPORT_AT(EXPORT_INT("axis", 0));
    if (export_per_sample(s, in[0], 0)) return export_refuse(s, y, "its table has as many rows as the batch");
    if (in[0]->op == &tn_op_variable) {
        export_result(s, y, "Gather", EXPORT_OF(table, index), at);
        return;
    }
    if (!in[0]->type.shape.dim[0]) return export_refuse(s, y, "its table is empty");
    const char *inside = within(s, index, in[0]->type.shape.dim[0], &safe);
    const char *rows = export_say(s, NULL, "Gather", EXPORT_OF(table, safe), at);
    if (in[0]->type.shape.rank > 1) {
        int64_t axes[TN_MAX_RANK];
        const size_t n = (size_t)in[0]->type.shape.rank - 1;
        for (size_t i = 0; i < n; i++) axes[i] = in[1]->type.shape.rank + (int64_t)i;
        inside = export_say(s, NULL, "Unsqueeze", EXPORT_OF(inside, export_ints(s, axes, n)), NULL);
    }
    export_result(s, y, "Where", EXPORT_OF(inside, rows, export_number(s, y->type.dtype, 0)), NULL);
}

void export_rule_take(export_saver *s, tn_tensor *y, tn_tensor *const in[])
{
    const int64_t axis = export_whole(y, "axis", 0);
    const char *safe;
    if (export_per_sample(s, in[0], (int32_t)axis)) return export_refuse(s, y, "it takes along the batch");
    if (!in[0]->type.shape.dim[axis]) return export_refuse(s, y, "there is nothing to take from");
    const char *inside = within(s, export_value(s, in[1]), in[0]->type.shape.dim[axis], &safe);
    const char *taken = export_say(s, NULL, "GatherElements", EXPORT_OF(export_value(s, in[0]), safe),
                                   EXPORT_AT(EXPORT_INT("axis", axis)));
    export_result(s, y, "Where", EXPORT_OF(inside, taken, export_number(s, y->type.dtype, 0)), NULL);
}

/* What is left out is added as zeros. */
void export_rule_put(export_saver *s, tn_tensor *y, tn_tensor *const in[])
{
    const int64_t axis = export_whole(y, "axis", 0);
    const char *safe, *zero = export_number(s, y->type.dtype, 0);
    if (export_per_sample(s, y, (int32_t)axis)) return export_refuse(s, y, "it puts along the batch");
    if (!y->type.shape.dim[axis]) return export_refuse(s, y, "there is no place to put to");
    const char *inside = within(s, export_value(s, in[0]), y->type.shape.dim[axis], &safe);
    const char *added = export_say(s, NULL, "Where", EXPORT_OF(inside, export_value(s, in[1]), zero), NULL);
    const char *empty = export_say(s, NULL, "Expand", EXPORT_OF(zero, export_shape(s, y, 0)), NULL);
    export_result(s, y, "ScatterElements", EXPORT_OF(empty, safe, added),
                  EXPORT_AT(EXPORT_INT("axis", axis), EXPORT_TEXT("reduction", "add")));
}

void export_rule_scatter_add(export_saver *s, tn_tensor *y, tn_tensor *const in[])
{
    const int32_t rank = in[0]->type.shape.rank, inner = y->type.shape.rank - 1;
    int64_t axes[TN_MAX_RANK];
    const char *safe, *zero = export_number(s, y->type.dtype, 0);
    if (export_per_sample(s, y, 0)) return export_refuse(s, y, "it has as many rows as the batch");
    if (!y->type.shape.dim[0]) return export_refuse(s, y, "it has no rows");
    const char *inside = within(s, export_value(s, in[0]), y->type.shape.dim[0], &safe);
    for (int32_t d = 0; d < inner; d++) axes[d] = rank + d;
    if (inner) inside = export_say(s, NULL, "Unsqueeze", EXPORT_OF(inside, export_ints(s, axes, (size_t)inner)), NULL);
    const char *added = export_say(s, NULL, "Where", EXPORT_OF(inside, export_value(s, in[1]), zero), NULL);
    const char *wide = export_as(s, safe, EXPORT_TYPE_INT64);
    const char *index = export_say(s, NULL, "Unsqueeze", EXPORT_OF(wide, export_int(s, -1)), NULL);
    const char *empty = export_say(s, NULL, "Expand", EXPORT_OF(zero, export_shape(s, y, 0)), NULL);
    export_result(s, y, "ScatterND", EXPORT_OF(empty, index, added), EXPORT_AT(EXPORT_TEXT("reduction", "add")));
}

void export_rule_cumsum(export_saver *s, tn_tensor *y, tn_tensor *const in[])
{
    export_result(s, y, "CumSum", EXPORT_OF(export_value(s, in[0]), export_int(s, export_whole(y, "axis", 0))),
                  EXPORT_AT(EXPORT_INT("reverse", export_whole(y, "reverse", 0)),
                            EXPORT_INT("exclusive", export_whole(y, "exclusive", 0))));
}

void export_rule_topk(export_saver *s, tn_tensor *y, tn_tensor *const in[])
{
    export_say(s, NULL, "TopK", EXPORT_OF(export_value(s, in[0]), export_int(s, export_whole(y, "k", 0))),
               EXPORT_AT(EXPORT_INT("axis", export_whole(y, "axis", 0)),
                         EXPORT_INT("largest", !export_whole(y, "smallest", 0))));
    const char *places = export_second(s);
    export_result(s, y, "Cast", EXPORT_OF(places), EXPORT_AT(EXPORT_INT("to", EXPORT_TYPE_INT32)));
}
