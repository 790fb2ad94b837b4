/* rules_index.c: operators that find, pick and place elements. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "rule.h"

/* Indices that count from the end, from the beginning. */
static tn_tensor *from_front(tn_tensor *index, int64_t size)
{
    return tn_where(tn_lt(index, tn_number(index, 0)), tn_add(index, tn_number(index, (double)size)), index);
}

/* dims[from..to-1] after dims of another: as in gather. */
static void append(tn_shape *to, const tn_shape *from, int32_t begin, int32_t end)
{
    for (int32_t d = begin; d < end && to->rank < TN_MAX_RANK; d++) to->dim[to->rank++] = from->dim[d];
}

/* ---- picking ---- */

void onnx_rule_gather(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0), *index = onnx_in(n, 1);
    if (!x || !index) return;
    tn_shape from = tn_shape_of(x), by = tn_shape_of(index), to = {0};
    int32_t axis = onnx_axis(n, onnx_int(n, "axis", 0), from.rank);
    if (n->failed || from.rank - 1 + by.rank > TN_MAX_RANK) return;
    index = from_front(index, from.dim[axis]);
    if (axis == 0) {
        onnx_out(n, 0, tn_gather(x, index));
        return;
    }
    append(&to, &from, 0, axis);
    append(&to, &by, 0, by.rank);
    append(&to, &from, axis + 1, from.rank);
    int64_t count = tn_shape_count(&by);
    onnx_out(n, 0, tn_reshape(tn_index_select(x, axis, tn_reshape(index, TN_SHAPE(count))), to));
}

/* x may be larger than the index along other axes than the one. */
static tn_tensor *cut_to(tn_tensor *x, const tn_shape *to, int32_t axis)
{
    for (int32_t d = 0; d < to->rank; d++)
        if (d != axis && onnx_dim(x, d) != to->dim[d]) x = tn_slice(x, d, 0, to->dim[d], 1);
    return x;
}

void onnx_rule_gather_elements(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0), *index = onnx_in(n, 1);
    if (!x || !index) return;
    tn_shape shape = tn_shape_of(index);
    int32_t axis = onnx_axis(n, onnx_int(n, "axis", 0), shape.rank);
    index = from_front(index, onnx_dim(x, axis));
    if (!n->failed) onnx_out(n, 0, tn_take(cut_to(x, &shape, axis), index, axis));
}

/* Tuples of `depth` indices into the first dimensions of a shape as numbers of rows: (..., depth) -> (count). */
static tn_tensor *row_numbers(tn_tensor *index, const tn_shape *into, int32_t depth)
{
    tn_shape shape = tn_shape_of(index);
    int64_t count = depth ? tn_shape_count(&shape) / depth : 0;
    index = tn_reshape(index, TN_SHAPE(count, depth));
    tn_tensor *row = NULL;
    for (int32_t d = 0; d < depth; d++) {
        tn_tensor *one = from_front(tn_reshape(tn_slice(index, 1, d, 1, 1), TN_SHAPE(count)), into->dim[d]);
        row = row ? tn_add(tn_mul(row, tn_number(row, (double)into->dim[d])), one) : one;
    }
    return row;
}

/* The leading batch dimensions are indices, too. */
static tn_tensor *with_batch(onnx_node *n, tn_tensor *index, int32_t batch)
{
    tn_shape shape = tn_shape_of(index), one = shape;
    tn_tensor *part[TN_MAX_RANK + 1];
    one.dim[shape.rank - 1] = 1;
    for (int32_t d = 0; d < batch; d++) part[d] = tn_iota(n->graph, one, d);
    part[batch] = index;
    return batch ? tn_concat(part, (uint32_t)batch + 1, -1) : index;
}

void onnx_rule_gather_nd(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0), *index = onnx_in(n, 1);
    int32_t batch = (int32_t)onnx_int(n, "batch_dims", 0);
    if (!x || !index || tn_shape_of(index).rank < 1 || batch < 0 || batch >= tn_shape_of(index).rank) return;
    tn_shape from = tn_shape_of(x), by = tn_shape_of(index), rows = {.rank = 1}, to = {0};
    int32_t depth = (int32_t)by.dim[by.rank - 1] + batch;
    if (depth > from.rank) onnx_cannot(n, "%d indices into %d dimensions", depth, from.rank);
    if (n->failed) return;
    tn_tensor *row = row_numbers(with_batch(n, index, batch), &from, depth);
    rows.dim[0] = 1;
    for (int32_t d = 0; d < depth; d++) rows.dim[0] *= from.dim[d];
    append(&rows, &from, depth, from.rank);
    append(&to, &by, 0, by.rank - 1);
    append(&to, &from, depth, from.rank);
    onnx_out(n, 0, tn_reshape(tn_gather(tn_reshape(x, rows), row), to));
}

void onnx_rule_one_hot(onnx_node *n)
{
    tn_tensor *index = onnx_in(n, 0), *values = onnx_in(n, 2);
    double depth = onnx_known_number(n, 1, 0);
    if (!index || !values || n->failed) return;
    int32_t rank = tn_shape_of(index).rank + 1, axis = onnx_axis(n, onnx_int(n, "axis", -1), rank);
    index = tn_cast(index, TN_I32);
    index = tn_unsqueeze(from_front(index, (int64_t)depth), axis);
    tn_shape shape = tn_shape_of(index);
    shape.dim[axis] = (int64_t)depth;
    tn_tensor *is = tn_eq(index, tn_iota(n->graph, shape, axis));
    tn_tensor *off = tn_reshape(tn_slice(values, 0, 0, 1, 1), TN_SCALAR);
    tn_tensor *on = tn_reshape(tn_slice(values, 0, 1, 1, 1), TN_SCALAR);
    onnx_out_as(n, 0, tn_where(is, on, off), onnx_type(n, 2));
}

/* ---- placing ---- */

static int32_t reduction_of(onnx_node *n)
{
    static const char *const names[] = {[TN_SCATTER_SET] = "none",
                                        [TN_SCATTER_ADD] = "add",
                                        [TN_SCATTER_MUL] = "mul",
                                        [TN_SCATTER_MAX] = "max",
                                        [TN_SCATTER_MIN] = "min"};
    for (int32_t i = 0; i <= TN_SCATTER_MIN; i++)
        if (onnx_text_is(n, "reduction", "none", names[i])) return i;
    onnx_cannot(n, "attribute reduction");
    return 0;
}

/* Along an axis, or of whole rows (-1). */
typedef struct placing {
    tn_tensor *index;
    int32_t axis;
    int64_t size;
} placing;

/* Sums of values by their places, in x's shape. */
static tn_tensor *put(const placing *p, tn_tensor *values)
{
    return p->axis < 0 ? tn_scatter_add(p->index, values, p->size) : tn_put(p->index, values, p->axis, p->size);
}

/* Updates in place of what is there, each place hit at most once: without the sorting that tn_scatter does. */
static tn_tensor *place(onnx_node *n, const placing *p, tn_tensor *x, tn_tensor *updates)
{
    tn_tensor *times = put(p, tn_full(n->graph, TN_I32, tn_shape_of(updates), 1));
    return tn_where(tn_gt(times, tn_number(times, 0)), put(p, updates), x);
}

/* Whether a known index hits a place more than once; what is not known is taken to hit each once, as ONNX asks. */
static int hits_again(onnx_node *n, const placing *p)
{
    const char *input;
    const double *index = onnx_evaluate(n->build, p->index, &input);
    tn_shape shape = tn_shape_of(p->index);
    int64_t count = tn_shape_count(&shape), along = p->axis < 0 ? count : shape.dim[p->axis], inner = 1, again = 0;
    if (!index || !along) return 0;
    for (int32_t d = p->axis + 1; p->axis >= 0 && d < shape.rank; d++) inner *= shape.dim[d];
    unsigned char *is_hit = tn_region_alloc(&n->build->region, (size_t)(count / along * p->size) + 1);
    for (int64_t i = 0; is_hit && i < count; i++) {
        int64_t line = i / (inner * along) * inner + i % inner;
        if (index[i] >= 0 && index[i] < (double)p->size) again |= is_hit[line * p->size + (int64_t)index[i]]++;
    }
    return again != 0;
}

static tn_tensor *scatter(onnx_node *n, const placing *p, tn_tensor *x, tn_tensor *updates)
{
    int32_t how = reduction_of(n);
    if (how == TN_SCATTER_SET && !hits_again(n, p)) return place(n, p, x, updates);
    if (p->axis < 0) return tn_scatter_nd(x, tn_unsqueeze(p->index, 1), updates, how);
    return tn_scatter(x, p->index, updates, p->axis, how);
}

/* Lines that the index does not reach are put behind those that it does. */
static tn_tensor *scatter_lines(onnx_node *n, placing *p, tn_tensor *x, tn_tensor *updates, int32_t d)
{
    tn_shape by = tn_shape_of(p->index);
    while (d < by.rank && (d == p->axis || onnx_dim(x, d) == by.dim[d])) d++;
    if (d == by.rank) return scatter(n, p, x, updates);
    int64_t rest = onnx_dim(x, d) - by.dim[d];
    tn_tensor *part[2] = {scatter_lines(n, p, tn_slice(x, d, 0, by.dim[d], 1), updates, d + 1),
                          tn_slice(x, d, by.dim[d], rest, 1)};
    return part[0] ? tn_concat(part, 2, d) : NULL;
}

void onnx_rule_scatter_elements(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0), *index = onnx_in(n, 1), *updates = onnx_in(n, 2);
    if (!x || !index || !updates) return;
    int32_t axis = onnx_axis(n, onnx_int(n, "axis", 0), tn_shape_of(x).rank);
    if (n->failed) return;
    placing p = {from_front(index, onnx_dim(x, axis)), axis, onnx_dim(x, axis)};
    onnx_out(n, 0, scatter_lines(n, &p, x, updates, 0));
}

void onnx_rule_scatter_nd(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0), *index = onnx_in(n, 1), *updates = onnx_in(n, 2);
    if (!x || !index || !updates || tn_shape_of(index).rank < 1) return;
    tn_shape into = tn_shape_of(x), by = tn_shape_of(index), rows = {.rank = 1}, values = {.rank = 1};
    int32_t depth = (int32_t)by.dim[by.rank - 1];
    if (depth > into.rank || depth < 1) onnx_cannot(n, "%d indices into %d dimensions", depth, into.rank);
    if (n->failed) return;
    placing p = {row_numbers(index, &into, depth), -1, 1};
    for (int32_t d = 0; d < depth; d++) p.size *= into.dim[d];
    rows.dim[0] = p.size, values.dim[0] = onnx_dim(p.index, 0);
    append(&rows, &into, depth, into.rank);
    append(&values, &into, depth, into.rank);
    tn_tensor *y = scatter(n, &p, tn_reshape(x, rows), tn_reshape(updates, values));
    if (y) onnx_out(n, 0, tn_reshape(y, into));
}

/* A cache along an axis, in which the update of each sample begins at a place of its own; over its end it goes on at
 * the beginning if it is circular. */
void onnx_rule_tensor_scatter(onnx_node *n)
{
    tn_tensor *past = onnx_in(n, 0), *update = onnx_in(n, 1), *start = onnx_in(n, 2);
    if (!past || !update) return;
    tn_shape shape = tn_shape_of(update), one = {.rank = shape.rank};
    int32_t axis = onnx_axis(n, onnx_int(n, "axis", -2), shape.rank);
    int64_t size = onnx_dim(past, axis);
    tn_tensor *to = tn_iota(n->graph, shape, axis);
    for (int32_t d = 0; d < one.rank; d++) one.dim[d] = d ? 1 : shape.dim[0];
    if (start) to = tn_add(to, tn_reshape(start, one));
    if (onnx_text_is(n, "mode", "linear", "circular")) to = tn_remainder(to, tn_number(to, (double)size));
    placing p = {to, axis, size};
    if (!n->failed) onnx_out(n, 0, place(n, &p, past, update));
}

/* ---- order ---- */

static void arg(onnx_node *n, tn_tensor *(*function)(tn_tensor *x, int32_t axis))
{
    tn_tensor *x = onnx_in(n, 0);
    if (!x) return;
    int32_t axis = onnx_axis(n, onnx_int(n, "axis", 0), tn_shape_of(x).rank);
    int last = onnx_int(n, "select_last_index", 0) != 0;
    if (n->failed) return;
    tn_tensor *y = function(last ? tn_flip(x, axis) : x, axis);
    if (last) y = tn_sub(tn_number(y, (double)(onnx_dim(x, axis) - 1)), y);
    onnx_out_as(n, 0, onnx_int(n, "keepdims", 1) ? tn_unsqueeze(y, axis) : y, ONNX_INT64);
}

void onnx_rule_arg_max(onnx_node *n)
{
    arg(n, tn_argmax);
}

void onnx_rule_arg_min(onnx_node *n)
{
    arg(n, tn_argmin);
}

void onnx_rule_top_k(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0), *values = NULL;
    double k = n->n_in > 1 ? onnx_known_number(n, 1, 1) : (double)onnx_int(n, "k", 1);
    if (!x || n->failed) return;
    int32_t axis = onnx_axis(n, onnx_int(n, "axis", -1), tn_shape_of(x).rank);
    onnx_heeded(n, "sorted"); /* in whatever order otherwise */
    tn_tensor *place = tn_topk(x, (int64_t)k, axis, !onnx_int(n, "largest", 1), &values);
    onnx_out(n, 0, values);
    onnx_out_as(n, 1, place, ONNX_INT64);
}

void onnx_rule_cum_sum(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0);
    double axis = onnx_known_number(n, 1, 0);
    if (!x || n->failed) return;
    int32_t at = onnx_axis(n, (int64_t)axis, tn_shape_of(x).rank);
    onnx_out(n, 0, tn_cumsum(x, at, (int)onnx_int(n, "reverse", 0), (int)onnx_int(n, "exclusive", 0)));
}

void onnx_rule_cum_prod(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0);
    double axis = onnx_known_number(n, 1, 0);
    if (!x || n->failed) return;
    int32_t at = onnx_axis(n, (int64_t)axis, tn_shape_of(x).rank);
    onnx_out(n, 0, tn_cumprod(x, at, (int)onnx_int(n, "reverse", 0), (int)onnx_int(n, "exclusive", 0)));
}

/* ---- of what is known alone: the result's shape is what the numbers say ---- */

/* Rows of x along an axis, whose numbers are known. */
static tn_tensor *rows(onnx_node *n, tn_tensor *x, int32_t axis, const int64_t number[], int64_t count)
{
    return tn_index_select(x, axis, onnx_constant_ints(n, number, TN_SHAPE(count)));
}

/* Whether a node that asks for operand i has room for what is found in it, as it is fed. */
static int has_room(onnx_node *n, uint32_t i)
{
    return n->build->options.most > 0 && !onnx_is_known(n, i);
}

/* x as it is and an axis, or a line if none is named. */
static tn_tensor *along_axis(onnx_node *n, tn_tensor *x, int32_t *axis)
{
    const tn_shape shape = tn_shape_of(x);
    *axis = 0;
    if (!onnx_attr(n, "axis")) return tn_reshape(x, TN_SHAPE(tn_shape_count(&shape)));
    *axis = onnx_axis(n, onnx_int(n, "axis", 0), shape.rank);
    return n->failed ? NULL : x;
}

void onnx_rule_compress(onnx_node *n)
{
    int32_t axis;
    tn_tensor *x = onnx_in(n, 0), *condition = onnx_in(n, 1);
    if (!x || !condition || tn_shape_of(condition).rank != 1 || !(x = along_axis(n, x, &axis))) return;
    if (has_room(n, 1)) {
        onnx_out(n, 0, tn_compress(x, condition, axis, n->build->options.most, NULL));
        return;
    }
    const double *is = onnx_known(n, 1);
    if (!is) return;
    int64_t size = onnx_dim(condition, 0), count = 0;
    int64_t *number = tn_region_alloc(&n->build->region, (size_t)size * sizeof *number + 1);
    for (int64_t i = 0; number && i < size && i < onnx_dim(x, axis); i++)
        if (is[i] != 0) number[count++] = i;
    if (number) onnx_out(n, 0, rows(n, x, axis, number, count));
}

void onnx_rule_non_zero(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0);
    if (x && has_room(n, 0)) {
        onnx_out_as(n, 0, tn_nonzero(x, n->build->options.most, NULL), ONNX_INT64);
        return;
    }
    const double *value = x ? onnx_known(n, 0) : NULL;
    if (!value) return;
    tn_shape shape = tn_shape_of(x);
    int64_t all = tn_shape_count(&shape), count = 0, at = 0;
    for (int64_t i = 0; i < all; i++) count += value[i] != 0;
    int64_t *place = tn_region_alloc(&n->build->region, (size_t)(count * shape.rank) * sizeof *place + 1);
    for (int64_t i = 0; place && i < all; i++) {
        if (value[i] == 0) continue;
        int64_t rest = i;
        for (int32_t d = shape.rank - 1; d >= 0; rest /= shape.dim[d--]) place[d * count + at] = rest % shape.dim[d];
        at++;
    }
    if (place) onnx_out_as(n, 0, onnx_constant_ints(n, place, TN_SHAPE(shape.rank, count)), ONNX_INT64);
}

/* Slices along an axis, or elements, as a matrix of known numbers, a row each. */
typedef struct table {
    const double *value;
    int64_t rows, columns, outer, inner;
} table;

static double cell(const table *t, int64_t row, int64_t column)
{
    int64_t outer = column / t->inner, inner = column % t->inner;
    return t->value[(outer * t->rows + row) * t->inner + inner];
}

static int compare_rows(const table *t, int64_t a, int64_t b)
{
    for (int64_t c = 0; c < t->columns; c++) {
        double x = cell(t, a, c), y = cell(t, b, c);
        if (x != y && !(isnan(x) && isnan(y))) return x < y || isnan(y) ? -1 : 1;
    }
    return 0;
}

/* The first row of each kind, in order of appearance or sorted; the kind of each row; and how many of each there are.
 */
static int64_t find_unique(const table *t, int sorted, int64_t first[], int64_t kind[], int64_t times[])
{
    int64_t count = 0;
    for (int64_t i = 0; i < t->rows; i++) {
        int64_t k = 0;
        while (k < count && compare_rows(t, first[k], i)) k++;
        if (k < count) continue;
        for (k = count++; sorted && k > 0 && compare_rows(t, first[k - 1], i) > 0; k--) first[k] = first[k - 1];
        first[k] = i;
    }
    for (int64_t k = 0; k < count; k++) times[k] = 0;
    for (int64_t i = 0; i < t->rows; i++) {
        kind[i] = 0;
        while (compare_rows(t, first[kind[i]], i)) kind[i]++;
        times[kind[i]]++;
    }
    return count;
}

/* The first `most` of a line, or all. */
static tn_tensor *first_of(onnx_node *n, tn_tensor *line)
{
    const int64_t count = onnx_dim(line, 0), most = n->build->options.most;
    return most < count ? tn_slice(line, 0, 0, most, 1) : line;
}

/* Of a line, or of slices, that are fed: those that there are come first, sorted or in order of their first places. */
static void unique_of_fed(onnx_node *n, tn_tensor *x, int32_t axis)
{
    tn_unique_result r = {0};
    (void)tn_unique(tn_shape_of(x).rank > 1 ? onnx_row_ranks(x, axis) : x, &r);
    if (!r.first) return;
    if (!onnx_int(n, "sorted", 1)) {
        tn_tensor *none = tn_lt(r.first, tn_number(r.first, 0));
        tn_tensor *order = tn_argsort(tn_where(none, tn_number(r.first, INT32_MAX), r.first), 0, 0);
        r.first = tn_gather(r.first, order), r.counts = tn_gather(r.counts, order);
        r.inverse = tn_gather(tn_argsort(order, 0, 0), r.inverse);
    }
    onnx_out(n, 0, tn_index_select(x, axis, first_of(n, r.first)));
    onnx_out_as(n, 1, first_of(n, r.first), ONNX_INT64);
    onnx_out_as(n, 2, r.inverse, ONNX_INT64);
    onnx_out_as(n, 3, first_of(n, r.counts), ONNX_INT64);
}

void onnx_rule_unique(onnx_node *n)
{
    int32_t axis;
    tn_tensor *x = onnx_in(n, 0);
    if (!x || !(x = along_axis(n, x, &axis))) return;
    const tn_shape shape = tn_shape_of(x);
    if (tn_shape_count(&shape) && has_room(n, 0)) {
        unique_of_fed(n, x, axis);
        return;
    }
    const double *value = onnx_known(n, 0);
    if (!value) return;
    table t = {.value = value, .rows = shape.dim[axis], .outer = 1, .inner = 1};
    for (int32_t d = 0; d < axis; d++) t.outer *= shape.dim[d];
    for (int32_t d = axis + 1; d < shape.rank; d++) t.inner *= shape.dim[d];
    t.columns = t.outer * t.inner;
    int64_t *work = tn_region_alloc(&n->build->region, (size_t)(3 * t.rows) * sizeof *work + 1);
    if (!work || n->failed) return;
    int64_t *kind = work + t.rows, *times = kind + t.rows;
    int64_t count = find_unique(&t, (int)onnx_int(n, "sorted", 1), work, kind, times);
    onnx_out(n, 0, rows(n, x, axis, work, count));
    onnx_out_as(n, 1, onnx_constant_ints(n, work, TN_SHAPE(count)), ONNX_INT64);
    onnx_out_as(n, 2, onnx_constant_ints(n, kind, TN_SHAPE(t.rows)), ONNX_INT64);
    onnx_out_as(n, 3, onnx_constant_ints(n, times, TN_SHAPE(count)), ONNX_INT64);
}
