/* choose.c: elements that are chosen by what they are, by other operators. How many there are is known only when a
 * program runs, and shapes before: results have room for a given number, what is not there is -1 or 0, and a count says
 * how many there are. */
#include <math.h>

#include "along.h"
#include "given.h"

static tn_tensor *plus(tn_tensor *x, double number)
{
    return tn_add(x, tn_number(x, number));
}

static tn_tensor *whole_line(tn_tensor *x)
{
    return tn_reshape(x, TN_SHAPE(-1));
}

/* i32 (n) of 0 and 1 -> (most): the places of the first ones, -1 for what is not there. */
static tn_tensor *places_of(tn_tensor *mask, int64_t most)
{
    tn_shape s = tn_shape_of(mask);
    tn_tensor *number = tn_cumsum(mask, 0, 0, 1), *i = tn_iota(tn_graph_of(mask), s, 0);
    tn_tensor *to = tn_where(mask, number, tn_number(number, -1));
    return plus(tn_put(to, plus(i, 1), 0, most), -1);
}

static tn_tensor *is_not_0(tn_tensor *x)
{
    if (tn_dtype_size(tn_dtype_of(x)) == 1) x = tn_cast(x, TN_I32); /* u8 and i8 are for storage */
    return tn_cast(tn_ne(x, tn_number(x, 0)), TN_I32);
}

static int may_hold(const char *op, tn_tensor *x, int64_t most)
{
    tn_graph *graph = tn_graph_of(x);
    tn_shape s = tn_shape_of(x);
    if (most < 0 || most > INT32_MAX || tn_shape_count(&s) > INT32_MAX)
        tn_node_fail(graph, TN_EINVAL, "%s: room for %lld elements", op, (long long)most);
    return !tn_graph_status(graph);
}

tn_tensor *tn_nonzero(tn_tensor *x, int64_t most, tn_tensor **count)
{
    if (!may_hold("nonzero", x, most)) return x;
    tn_shape s = tn_shape_of(x);
    tn_tensor *mask = whole_line(is_not_0(x)), *at = places_of(mask, most), *coordinate[TN_MAX_RANK] = {at};
    tn_tensor *none = tn_lt(at, tn_number(at, 0));
    for (int32_t d = s.rank - 1; d > 0; d--) {
        tn_tensor *size = tn_number(at, (double)s.dim[d]);
        coordinate[d] = tn_where(none, at, tn_fmod(coordinate[0], size));
        coordinate[0] = tn_where(none, at, tn_div(coordinate[0], size));
    }
    if (count) *count = tn_sum(mask, TN_ALL, 0);
    return tn_stack(coordinate, s.rank ? (uint32_t)s.rank : 1, 0);
}

tn_tensor *tn_compress(tn_tensor *x, tn_tensor *condition, int32_t axis, int64_t most, tn_tensor **count)
{
    TN_OPERANDS(x, condition);
    uint32_t at = 0;
    tn_shape c = tn_shape_of(condition);
    if (!tn_find_axis("compress", x, axis, &at) || !may_hold("compress", x, most)) return x;
    if (c.rank != 1 || c.dim[0] > x->type.shape.dim[at])
        tn_node_fail(x->graph, TN_ESHAPE, "compress: a condition of rank %d and %lld elements for %lld", c.rank,
                     (long long)c.dim[0], (long long)x->type.shape.dim[at]);
    if (tn_graph_status(x->graph)) return x;
    tn_tensor *mask = is_not_0(condition);
    if (count) *count = tn_sum(mask, TN_ALL, 0);
    return tn_index_select(x, axis, places_of(mask, most));
}

/* ---- unique elements ---- */

tn_tensor *tn_unique(tn_tensor *x, tn_unique_result *more)
{
    if (!may_hold("unique", x, 0)) return x;
    tn_tensor *line = whole_line(x), *order = tn_argsort(line, 0, 0), *sorted = tn_gather(line, order);
    int64_t n = tn_shape_of(line).dim[0];
    if (!n) tn_node_fail(tn_graph_of(x), TN_ESHAPE, "unique: of no elements");
    if (tn_graph_status(tn_graph_of(x))) return x;
    tn_tensor *rest = tn_slice(sorted, 0, 1, n - 1, 1);
    tn_tensor *differs = tn_cast(tn_ne(rest, tn_slice(sorted, 0, 0, n - 1, 1)), TN_I32);
    tn_tensor *first = tn_pad_value(differs, 0, 1, 0, 1), *group = plus(tn_cumsum(first, 0, 0, 0), -1);
    tn_tensor *begin = places_of(first, n);
    if (more) {
        tn_tensor *counts = tn_put(group, tn_full(tn_graph_of(x), TN_I32, TN_SHAPE(n), 1), 0, n);
        tn_tensor *none = tn_lt(begin, tn_number(begin, 0));
        more->first = tn_where(none, begin, tn_gather(order, begin));
        more->inverse = tn_reshape(tn_put(order, group, 0, n), tn_shape_of(x));
        more->counts = counts;
        more->count = tn_sum(first, TN_ALL, 0);
    }
    return tn_gather(sorted, begin);
}

/* ---- non-maximum suppression ---- */

/* The area that each of (b, n, 4) has in common with one of (b, 1, 4), over that of both: corners first and last. */
static tn_tensor *overlap(tn_tensor *all, tn_tensor *one)
{
    tn_tensor *size[2], *of_all[2], *of_one[2];
    for (int32_t d = 0; d < 2; d++) {
        tn_tensor *a = tn_slice(all, -1, d, 1, 1), *b = tn_slice(all, -1, d + 2, 1, 1);
        tn_tensor *c = tn_slice(one, -1, d, 1, 1), *e = tn_slice(one, -1, d + 2, 1, 1);
        of_all[d] = tn_sub(b, a), of_one[d] = tn_sub(e, c);
        size[d] = tn_relu(tn_sub(tn_min(b, e), tn_max(a, c)));
    }
    tn_tensor *common = tn_mul(size[0], size[1]);
    tn_tensor *sum = tn_add(tn_mul(of_all[0], of_all[1]), tn_mul(of_one[0], of_one[1]));
    return tn_div(common, tn_max(tn_sub(sum, common), tn_number(sum, 1e-30)));
}

/* Corners in any order, or centres and sizes, as smaller and larger corners. */
static tn_tensor *corners(tn_tensor *boxes, int centres)
{
    tn_tensor *a = tn_slice(boxes, -1, 0, 2, 1), *b = tn_slice(boxes, -1, 2, 2, 1);
    tn_tensor *half = tn_mul(b, tn_number(b, 0.5));
    tn_tensor *low = centres ? tn_sub(a, half) : tn_min(a, b), *high = centres ? tn_add(a, half) : tn_max(a, b);
    return tn_concat((tn_tensor *[]){low, high}, 2, -1);
}

tn_tensor *tn_nms(tn_tensor *boxes, tn_tensor *scores, int64_t most, tn_nms_options options)
{
    TN_OPERANDS(boxes, scores);
    tn_graph *graph = tn_graph_of(boxes);
    tn_shape b = tn_shape_of(boxes), s = tn_shape_of(scores);
    char ta[160], tb[160];
    if (b.rank != 3 || s.rank != 3 || b.dim[0] != s.dim[0] || b.dim[1] != s.dim[2] || b.dim[2] != 4 || !s.dim[2] ||
        most < 1 || most > 4096)
        tn_node_fail(graph, TN_ESHAPE,
                     "nms: boxes %s and scores %s, at most %lld; they should be (batch, n, 4), (batch, classes, n) and "
                     "1..4096",
                     tn_shape_text(&b, ta, sizeof ta), tn_shape_text(&s, tb, sizeof tb), (long long)most);
    if (tn_graph_status(graph)) return boxes;
    tn_shape all = TN_SHAPE(b.dim[0], s.dim[1], b.dim[1], 4);
    boxes = tn_broadcast(tn_unsqueeze(corners(boxes, options.centres != 0), 1), all);
    boxes = tn_reshape(boxes, TN_SHAPE(all.dim[0] * all.dim[1], all.dim[2], 4));
    scores = tn_reshape(scores, TN_SHAPE(all.dim[0] * all.dim[1], all.dim[2]));
    tn_tensor *never = tn_number(scores, -INFINITY), *i = tn_iota(graph, tn_shape_of(scores), 1), *kept = NULL;
    scores = tn_where(tn_gt(scores, tn_number(scores, options.least_score)), scores, never);
    for (int64_t k = 0; k < most; k++) {
        tn_tensor *best = tn_unsqueeze(tn_argmax(scores, 1), 1), *top = tn_amax(scores, TN_AXES(1), 1);
        tn_tensor *is_best = tn_eq(i, best), *box = tn_where(tn_unsqueeze(is_best, 2), boxes, tn_number(boxes, 0));
        tn_tensor *share = tn_squeeze(overlap(boxes, tn_sum(box, TN_AXES(1), 1)), 2);
        tn_tensor *gone = tn_logical_or(tn_cast(tn_gt(share, tn_number(share, options.overlap)), TN_I32), is_best);
        best = tn_where(tn_eq(top, never), tn_number(best, -1), best);
        scores = tn_where(gone, never, scores);
        kept = kept ? tn_concat((tn_tensor *[]){kept, best}, 2, 1) : best;
    }
    return tn_reshape(kept, TN_SHAPE(all.dim[0], all.dim[1], most));
}
