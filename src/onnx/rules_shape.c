/* rules_shape.c: operators that move elements, and those that make or use shapes. */
#include <stdlib.h>
#include <string.h>

#include "rule.h"

/* ---- shapes as values ---- */

/* Opset 15 has the first and the last dimension that are wanted. */
void onnx_rule_shape(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0);
    if (!x) return;
    tn_shape shape = tn_shape_of(x);
    int64_t start = onnx_int(n, "start", 0), end = onnx_int(n, "end", shape.rank);
    if (start < 0) start += shape.rank;
    if (end < 0) end += shape.rank;
    start = start < 0 ? 0 : start > shape.rank ? shape.rank : start;
    end = end < start ? start : end > shape.rank ? shape.rank : end;
    onnx_out_as(n, 0, onnx_constant_ints(n, shape.dim + start, TN_SHAPE(end - start)), ONNX_INT64);
}

void onnx_rule_size(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0);
    if (!x) return;
    tn_shape shape = tn_shape_of(x);
    const int64_t count = tn_shape_count(&shape);
    onnx_out_as(n, 0, onnx_constant_ints(n, &count, TN_SCALAR), ONNX_INT64);
}

/* A known operand as a shape. */
static int known_shape(onnx_node *n, uint32_t i, tn_shape *shape)
{
    *shape = (tn_shape){0};
    int64_t count = onnx_known_ints(n, i, shape->dim, TN_MAX_RANK);
    if (count > TN_MAX_RANK) onnx_cannot(n, "%lld dimensions", (long long)count);
    shape->rank = (int32_t)count;
    return !n->failed && count >= 0;
}

/* ---- constants ---- */

static void constant_list(onnx_node *n, const onnx_attribute *at)
{
    tn_shape shape = TN_SHAPE((int64_t)at->n_ints);
    if (at->n_ints || !strcmp(at->name, "value_ints"))
        onnx_out_as(n, 0, onnx_constant_ints(n, at->ints, shape), ONNX_INT64);
    else
        onnx_out_as(n, 0, tn_constant(n->graph, TN_F32, TN_SHAPE((int64_t)at->n_floats), at->floats), ONNX_FLOAT);
}

void onnx_rule_constant(onnx_node *n)
{
    const onnx_attribute *at = n->proto->n_attribute ? onnx_attr(n, n->proto->attribute[0]->name) : NULL;
    if (at && at->t && !strcmp(at->name, "value"))
        n->out[0] = (onnx_value){.type = at->t->data_type, .proto = at->t};
    else if (at && !strcmp(at->name, "value_int"))
        onnx_out_as(n, 0, onnx_constant_ints(n, &at->i, TN_SCALAR), ONNX_INT64);
    else if (at && !strcmp(at->name, "value_float"))
        onnx_out_as(n, 0, tn_full(n->graph, TN_F32, TN_SCALAR, (double)at->f), ONNX_FLOAT);
    else if (at && (!strcmp(at->name, "value_ints") || !strcmp(at->name, "value_floats")))
        constant_list(n, at);
    else
        onnx_cannot(n, "attribute %s", at ? at->name : "value is not there");
}

void onnx_rule_constant_of_shape(onnx_node *n)
{
    tn_shape shape;
    const onnx_attribute *at = onnx_attr(n, "value");
    if (!known_shape(n, 0, &shape)) return;
    if (!at || !at->t) {
        onnx_out_as(n, 0, tn_full(n->graph, TN_F32, shape, 0), ONNX_FLOAT);
        return;
    }
    onnx_value one = {.proto = at->t};
    tn_tensor *x = onnx_tensor(n, &one);
    if (x) onnx_out_as(n, 0, tn_broadcast(tn_reshape(x, TN_SCALAR), shape), at->t->data_type);
}

void onnx_rule_range(onnx_node *n)
{
    const double start = onnx_known_number(n, 0, 0), limit = onnx_known_number(n, 1, 0),
                 step = onnx_known_number(n, 2, 1);
    tn_tensor *x = onnx_in(n, 0);
    if (n->failed || !x || step == 0) return;
    double many = (limit - start) / step;
    if (!(many < 0x1p40)) return onnx_cannot(n, "%g numbers", many);
    int64_t count = many > 0 ? (int64_t)many + ((double)(int64_t)many < many) : 0;
    tn_tensor *place = tn_iota(n->graph, TN_SHAPE(count), 0);
    if (tn_dtype_of(x) != TN_I32) place = tn_cast(place, tn_dtype_of(x));
    onnx_out(n, 0, tn_add(tn_mul(place, tn_number(place, step)), tn_number(place, start)));
}

void onnx_rule_eye_like(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0);
    if (!x) return;
    tn_shape shape = tn_shape_of(x);
    int32_t type = (int32_t)onnx_int(n, "dtype", onnx_type(n, 0));
    tn_tensor *row = tn_iota(n->graph, shape, 0), *column = tn_iota(n->graph, shape, 1);
    onnx_out_as(n, 0, tn_eq(tn_add(row, tn_number(row, (double)onnx_int(n, "k", 0))), column), type);
}

/* ---- the same elements in another shape ---- */

/* 0 is the dimension that is there, unless `allowzero`; -1 what is left. */
void onnx_rule_reshape(onnx_node *n)
{
    tn_shape shape;
    tn_tensor *x = onnx_in(n, 0);
    if (!x || !known_shape(n, 1, &shape)) return;
    for (int32_t d = 0; d < shape.rank && !onnx_int(n, "allowzero", 0); d++)
        if (shape.dim[d] == 0) shape.dim[d] = d < tn_shape_of(x).rank ? tn_shape_of(x).dim[d] : 0;
    onnx_out(n, 0, onnx_rebatched_reshape(n, x, shape));
}

static int64_t product(const tn_shape *shape, int32_t from, int32_t to)
{
    int64_t all = 1;
    for (int32_t d = from; d < to; d++) all *= shape->dim[d];
    return all;
}

void onnx_rule_flatten(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0);
    if (!x) return;
    tn_shape shape = tn_shape_of(x);
    int64_t axis = onnx_int(n, "axis", 1);
    if (axis < 0) axis += shape.rank;
    if (axis < 0 || axis > shape.rank) onnx_cannot(n, "axis %lld", (long long)axis);
    if (n->failed) return;
    int32_t at = (int32_t)axis;
    onnx_out(n, 0, tn_reshape(x, TN_SHAPE(product(&shape, 0, at), product(&shape, at, shape.rank))));
}

void onnx_rule_squeeze(onnx_node *n)
{
    int64_t axis[TN_MAX_RANK] = {0};
    tn_tensor *x = onnx_in(n, 0);
    int64_t count = onnx_ints_of(n, "axes", 1, axis, TN_MAX_RANK);
    if (!x || n->failed) return;
    tn_shape from = tn_shape_of(x), to = {0};
    for (int32_t d = 0; d < from.rank; d++) {
        int goes = count < 0 && from.dim[d] == 1;
        for (int64_t i = 0; i < count && i < TN_MAX_RANK; i++) goes |= onnx_axis(n, axis[i], from.rank) == d;
        if (goes && from.dim[d] != 1) onnx_cannot(n, "dimension %d is %lld, not 1", d, (long long)from.dim[d]);
        if (!goes) to.dim[to.rank++] = from.dim[d];
    }
    if (!n->failed) onnx_out(n, 0, tn_reshape(x, to));
}

void onnx_rule_unsqueeze(onnx_node *n)
{
    int64_t axis[TN_MAX_RANK] = {0};
    tn_tensor *x = onnx_in(n, 0);
    int64_t count = onnx_ints_of(n, "axes", 1, axis, TN_MAX_RANK);
    if (!x || n->failed || count < 0) return;
    tn_shape from = tn_shape_of(x), to = {.rank = from.rank + (int32_t)count};
    unsigned char is_new[TN_MAX_RANK] = {0};
    if (to.rank > TN_MAX_RANK) onnx_cannot(n, "%d dimensions", to.rank);
    for (int64_t i = 0; i < count && !n->failed; i++) is_new[onnx_axis(n, axis[i], to.rank)] = 1;
    for (int32_t d = 0, k = 0; d < to.rank && !n->failed; d++) to.dim[d] = is_new[d] ? 1 : from.dim[k++];
    if (!n->failed) onnx_out(n, 0, tn_reshape(x, to));
}

void onnx_rule_transpose(onnx_node *n)
{
    int64_t given[TN_MAX_RANK];
    int32_t perm[TN_MAX_RANK];
    tn_tensor *x = onnx_in(n, 0);
    int64_t count = onnx_ints(n, "perm", given, TN_MAX_RANK);
    if (!x) return;
    for (int32_t d = 0; d < TN_MAX_RANK && d < count; d++) perm[d] = onnx_axis(n, given[d], tn_shape_of(x).rank);
    if (count && count != tn_shape_of(x).rank) onnx_cannot(n, "perm has %lld numbers", (long long)count);
    if (!n->failed) onnx_out(n, 0, tn_shape_of(x).rank < 2 ? x : tn_transpose(x, count ? perm : NULL));
}

/* ---- larger ---- */

void onnx_rule_expand(onnx_node *n)
{
    tn_shape to;
    tn_tensor *x = onnx_in(n, 0);
    if (!x || !known_shape(n, 1, &to)) return;
    tn_shape from = tn_shape_of(x), all = {.rank = from.rank > to.rank ? from.rank : to.rank};
    for (int32_t d = 0; d < all.rank; d++) {
        int32_t a = d - all.rank + from.rank, b = d - all.rank + to.rank;
        all.dim[d] = b < 0 ? from.dim[a] : a >= 0 && to.dim[b] == 1 ? from.dim[a] : to.dim[b];
    }
    onnx_out(n, 0, tn_broadcast(x, all));
}

void onnx_rule_tile(onnx_node *n)
{
    int64_t times[TN_MAX_RANK];
    tn_tensor *x = onnx_in(n, 0);
    int64_t count = onnx_known_ints(n, 1, times, TN_MAX_RANK);
    if (!x || count != tn_shape_of(x).rank) return;
    for (int32_t d = 0; d < count; d++)
        if (times[d] != 1) x = tn_tile(x, d, times[d]);
    onnx_out(n, 0, x);
}

void onnx_rule_concat(onnx_node *n)
{
    tn_tensor *x[TN_MAX_OPERANDS * 64];
    int32_t rank = onnx_rank(n, 0), axis = onnx_axis(n, onnx_int(n, "axis", 1), rank);
    if (n->n_in > sizeof x / sizeof *x) onnx_cannot(n, "%u operands", n->n_in);
    for (uint32_t i = 0; i < n->n_in && !n->failed; i++)
        if (!(x[i] = onnx_in(n, i))) return;
    for (uint32_t i = 0; i < n->n_in && !n->failed; i++) x[i] = onnx_rebatch_part(n, x[i], axis);
    if (!n->failed) onnx_out(n, 0, tn_concat(x, n->n_in, axis));
}

/* ---- padding ---- */

/* What lies before and after along an axis: a value. */
static tn_tensor *pad_value(tn_tensor *x, int32_t axis, int64_t before, int64_t after, tn_tensor *value)
{
    tn_shape one = tn_shape_of(x), other = one;
    tn_tensor *part[3];
    uint32_t parts = 0;
    one.dim[axis] = before, other.dim[axis] = after;
    if (before) part[parts++] = tn_broadcast(value, one);
    part[parts++] = x;
    if (after) part[parts++] = tn_broadcast(value, other);
    return parts > 1 ? tn_concat(part, parts, axis) : x;
}

tn_tensor *onnx_pad_number(tn_tensor *x, int32_t axis, int64_t before, int64_t after, double value)
{
    if (value == 0) return before || after ? tn_pad(x, axis, before, after) : x;
    return pad_value(x, axis, before, after, tn_number(x, value));
}

/* A piece of an axis, all of which is there. */
static tn_tensor *piece(tn_tensor *x, int32_t axis, int64_t start, int64_t count)
{
    return start || count != onnx_dim(x, axis) ? tn_slice(x, axis, start, count, 1) : x;
}

/* Padding that is more than there is to mirror is done in several goes, each of which doubles what is there. */
static tn_tensor *pad_mirrored(tn_tensor *x, int32_t axis, int64_t before, int64_t after)
{
    while (before || after) {
        int64_t most = onnx_dim(x, axis) - 1, a = before < most ? before : most, b = after < most ? after : most;
        if (most <= 0) return x;
        x = tn_pad_reflect(x, axis, a, b);
        before -= a, after -= b;
        if (tn_graph_status(tn_graph_of(x))) return x;
    }
    return x;
}

/* Again and again from the beginning. */
static tn_tensor *pad_wrapped(onnx_node *n, tn_tensor *x, int32_t axis, int64_t before, int64_t after)
{
    enum { MOST = 1 << 24 };
    const int64_t size = onnx_dim(x, axis);
    if (before <= size && after <= size) return tn_pad_wrap(x, axis, before, after);
    if (!size || size > MOST || before > MOST || after > MOST)
        onnx_cannot(n, "%lld elements padded by %lld and %lld", (long long)size, (long long)before, (long long)after);
    if (n->failed) return x;
    const int64_t count = size + before + after;
    int64_t *place = tn_region_alloc(&n->build->region, (size_t)count * sizeof *place);
    for (int64_t i = 0; place && i < count; i++) place[i] = ((i - before) % size + size) % size;
    return place ? tn_index_select(x, axis, onnx_constant_ints(n, place, TN_SHAPE(count))) : x;
}

static tn_tensor *pad_axis(onnx_node *n, tn_tensor *x, int32_t axis, int64_t before, int64_t after, tn_tensor *value)
{
    int64_t cut_front = before < 0 ? -before : 0, cut_end = after < 0 ? -after : 0;
    if (before < 0) before = 0;
    if (after < 0) after = 0;
    if (cut_front || cut_end) x = piece(x, axis, cut_front, onnx_dim(x, axis) - cut_front - cut_end);
    if (!before && !after) return x;
    if (onnx_text_is(n, "mode", "constant", "edge")) return tn_pad_edge(x, axis, before, after);
    if (onnx_text_is(n, "mode", "constant", "reflect")) return pad_mirrored(x, axis, before, after);
    if (onnx_text_is(n, "mode", "constant", "wrap")) return pad_wrapped(n, x, axis, before, after);
    return pad_value(x, axis, before, after, value);
}

void onnx_rule_pad(onnx_node *n)
{
    int64_t pads[2 * TN_MAX_RANK] = {0}, axis[TN_MAX_RANK];
    tn_tensor *x = onnx_in(n, 0);
    onnx_heeded(n, "mode"), onnx_heeded(n, "value"); /* there may be nothing to pad */
    if (!x) return;
    int32_t rank = tn_shape_of(x).rank;
    int64_t count = onnx_ints_of(n, "pads", 1, pads, 2 * TN_MAX_RANK);
    if (n->failed || count < 0) return;
    for (int32_t d = 0; d < rank; d++) axis[d] = d;
    const int64_t axes = n->n_in > 3 && n->in[3] ? onnx_known_ints(n, 3, axis, TN_MAX_RANK) : rank;
    if (count != 2 * axes || axes > rank)
        onnx_cannot(n, "%lld numbers for %lld axes", (long long)count, (long long)axes);
    tn_tensor *value = onnx_in(n, 2);
    value = value ? tn_reshape(value, TN_SCALAR) : tn_number(x, onnx_float(n, "value", 0));
    for (int32_t i = 0; i < count / 2 && !n->failed; i++)
        x = pad_axis(n, x, onnx_axis(n, axis[i], rank), pads[i], pads[count / 2 + i], value);
    onnx_out(n, 0, x);
}

void onnx_rule_center_crop_pad(onnx_node *n)
{
    int64_t size[TN_MAX_RANK], axis[TN_MAX_RANK];
    tn_tensor *x = onnx_in(n, 0);
    int64_t count = onnx_known_ints(n, 1, size, TN_MAX_RANK);
    if (!x || count < 0) return;
    for (int32_t d = 0; d < TN_MAX_RANK; d++) axis[d] = d;
    onnx_ints(n, "axes", axis, TN_MAX_RANK);
    if (count > tn_shape_of(x).rank) onnx_cannot(n, "%lld sizes", (long long)count);
    for (int32_t i = 0; i < count && !n->failed; i++) {
        int32_t d = onnx_axis(n, axis[i], tn_shape_of(x).rank);
        int64_t there = onnx_dim(x, d), more = size[i] - there;
        x = more < 0 ? piece(x, d, -more / 2, size[i]) : onnx_pad_number(x, d, more / 2, more - more / 2, 0);
    }
    onnx_out(n, 0, x);
}

/* ---- parts ---- */

static tn_tensor *slice_axis(tn_tensor *x, int32_t axis, int64_t start, int64_t end, int64_t step)
{
    int64_t size = onnx_dim(x, axis), low = step < 0 ? -1 : 0, high = step < 0 ? size - 1 : size;
    if (start < 0) start += size;
    if (end < 0) end = end < -size ? low : end + size;
    start = start < 0 ? 0 : start > high ? high : start;
    end = end < low ? low : end > size ? size : end;
    int64_t way = step < 0 ? start - end : end - start, pace = step < 0 ? -step : step;
    int64_t count = way > 0 ? (way - 1) / pace + 1 : 0;
    if (count == size && step == 1) return x;
    return tn_slice(x, axis, count ? start : 0, count, step);
}

/* From opset 10 on all of it are operands. */
void onnx_rule_slice(onnx_node *n)
{
    int64_t start[TN_MAX_RANK], end[TN_MAX_RANK], axis[TN_MAX_RANK], step[TN_MAX_RANK];
    tn_tensor *x = onnx_in(n, 0);
    if (!x) return;
    for (int32_t d = 0; d < TN_MAX_RANK; d++) axis[d] = d, step[d] = 1;
    int64_t count = onnx_ints_of(n, "starts", 1, start, TN_MAX_RANK);
    int64_t ends = onnx_ints_of(n, "ends", 2, end, TN_MAX_RANK);
    onnx_ints_of(n, "axes", 3, axis, TN_MAX_RANK);
    onnx_ints_of(n, "steps", 4, step, TN_MAX_RANK);
    if (n->failed || count != ends || count > TN_MAX_RANK) return;
    for (int64_t i = 0; i < count && !n->failed; i++) {
        if (!step[i] || step[i] < -INT32_MAX) step[i] = step[i] ? -INT32_MAX : 1;
        x = slice_axis(x, onnx_axis(n, axis[i], tn_shape_of(x).rank), start[i], end[i], step[i]);
    }
    onnx_out(n, 0, x);
}

/* Sizes that are given, or equal ones, of which the last may be smaller. */
void onnx_rule_split(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0);
    if (!x) return;
    int32_t axis = onnx_axis(n, onnx_int(n, "axis", 0), tn_shape_of(x).rank);
    int64_t *size = tn_region_alloc(&n->build->region, (n->n_out + 1) * sizeof *size), at = 0;
    int64_t all = onnx_dim(x, axis), parts = n->n_out, equal = parts ? (all + parts - 1) / parts : 0;
    if (!size || n->failed || !parts) return;
    int64_t count = onnx_ints_of(n, "split", 1, size, parts);
    onnx_heeded(n, "num_outputs");
    for (int64_t i = 0; i < parts && count < 0; i++)
        size[i] = (i + 1) * equal <= all ? equal : all - i * equal > 0 ? all - i * equal : 0;
    for (int64_t i = 0; i < parts && !n->failed; at += size[i++]) onnx_out(n, (uint32_t)i, piece(x, axis, at, size[i]));
}

/* ---- blocks ---- */

void onnx_rule_depth_to_space(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0);
    int64_t r = onnx_int(n, "blocksize", 1);
    if (!x || tn_shape_of(x).rank != 4 || r < 1 || r > INT32_MAX) return;
    tn_shape shape = tn_shape_of(x);
    int64_t b = shape.dim[0], c = shape.dim[1] / (r * r), h = shape.dim[2], w = shape.dim[3];
    int crd = onnx_text_is(n, "mode", "DCR", "CRD");
    x = tn_reshape(x, crd ? TN_SHAPE(b, c, r, r, h, w) : TN_SHAPE(b, r, r, c, h, w));
    x = tn_transpose(x, crd ? (const int32_t[]){0, 1, 4, 2, 5, 3} : (const int32_t[]){0, 3, 4, 1, 5, 2});
    onnx_out(n, 0, tn_reshape(x, TN_SHAPE(b, c, h * r, w * r)));
}

void onnx_rule_space_to_depth(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0);
    int64_t r = onnx_int(n, "blocksize", 1);
    if (!x || tn_shape_of(x).rank != 4 || r < 1 || r > INT32_MAX) return;
    tn_shape shape = tn_shape_of(x);
    int64_t b = shape.dim[0], c = shape.dim[1], h = shape.dim[2] / r, w = shape.dim[3] / r;
    int crd = onnx_text_is(n, "mode", "DCR", "CRD");
    x = tn_transpose(tn_reshape(x, TN_SHAPE(b, c, h, r, w, r)),
                     crd ? (const int32_t[]){0, 1, 3, 5, 2, 4} : (const int32_t[]){0, 3, 5, 1, 2, 4});
    onnx_out(n, 0, tn_reshape(x, TN_SHAPE(b, c * r * r, h, w)));
}

void onnx_rule_trilu(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0);
    double k = onnx_known_number(n, 1, 0);
    if (!x || n->failed) return;
    tn_shape shape = tn_shape_of(x);
    tn_tensor *row = tn_iota(n->graph, shape, -2), *column = tn_iota(n->graph, shape, -1);
    row = tn_add(row, tn_number(row, k));
    tn_tensor *stays = onnx_int(n, "upper", 1) ? tn_ge(column, row) : tn_le(column, row);
    onnx_out(n, 0, tn_where(stays, x, tn_number(x, 0)));
}

void onnx_rule_reverse_sequence(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0), *length = onnx_in(n, 1);
    if (!x || !length) return;
    int32_t time = (int32_t)onnx_int(n, "time_axis", 0), batch = (int32_t)onnx_int(n, "batch_axis", 1);
    onnx_out(n, 0, tn_reverse_sequence(x, length, time, batch));
}
