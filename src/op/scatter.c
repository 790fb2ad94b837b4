/* scatter.c: elements put at places of x where others may be, and where several may meet, by other operators. Updates
 * are sorted by their places, those of one place in the order in which they stand; each takes in the ones before it of
 * its place, in steps that double; and the last of each place is put there. */
#include "along.h"
#include "given.h"

/* Lines of updates along an axis of their own, by one index for all of them, or an index each. */
typedef struct job {
    const char *op;
    int32_t how, axis;
    int64_t size, n; /* of the axis of x and of the updates */
    int by_rows;     /* one index (n) for rows along axis 0 */
} job;

static tn_tensor *together(int32_t how, tn_tensor *a, tn_tensor *b)
{
    static tn_tensor *(*const function[])(tn_tensor *, tn_tensor *) = {
        [TN_SCATTER_ADD] = tn_add, [TN_SCATTER_MUL] = tn_mul, [TN_SCATTER_MAX] = tn_max, [TN_SCATTER_MIN] = tn_min};
    return how == TN_SCATTER_SET ? b : function[how](a, b);
}

/* ---- sums at places, which both kinds of index have ---- */

static tn_tensor *put(const job *j, tn_tensor *index, tn_tensor *values)
{
    return j->by_rows ? tn_scatter_add(index, values, j->size) : tn_put(index, values, j->axis, j->size);
}

static tn_tensor *in_order(const job *j, tn_tensor *x, tn_tensor *order)
{
    return j->by_rows ? tn_gather(x, order) : tn_take(x, order, j->axis);
}

/* An index of rows as what is compared with elements of them. */
static tn_tensor *beside(const job *j, tn_tensor *index, tn_tensor *values)
{
    tn_shape column = {tn_shape_of(values).rank, {j->n}};
    if (!j->by_rows) return index;
    for (int32_t d = 1; d < column.rank; d++) column.dim[d] = 1;
    return tn_reshape(index, column);
}

/* ---- updates that meet ---- */

/* The elements d places earlier along the axis, -1 before the first of them. */
static tn_tensor *earlier(const job *j, tn_tensor *x, int64_t d, double before)
{
    return tn_pad_value(tn_slice(x, j->axis, 0, j->n - d, 1), j->axis, d, 0, before);
}

static tn_tensor *scanned(const job *j, tn_tensor *place, tn_tensor *values)
{
    for (int64_t d = 1; d < j->n && j->how != TN_SCATTER_SET; d *= 2) {
        tn_tensor *same = tn_eq(place, earlier(j, place, d, -2));
        values = tn_where(beside(j, same, values), together(j->how, earlier(j, values, d, 0), values), values);
    }
    return values;
}

/* The place of the last of those that meet, -1 for the others and for what is outside. */
static tn_tensor *last_places(const job *j, tn_tensor *place)
{
    tn_tensor *next = tn_pad_value(tn_slice(place, j->axis, 1, j->n - 1, 1), j->axis, 0, 1, -1);
    return tn_where(tn_eq(place, next), tn_number(place, -1), place);
}

static tn_tensor *scatter(const job *j, tn_tensor *x, tn_tensor *index, tn_tensor *updates)
{
    if (!j->n) return x;
    if (j->how == TN_SCATTER_ADD) return tn_add(x, put(j, index, updates));
    tn_tensor *order = tn_argsort(index, j->axis, 0), *place = tn_take(index, order, j->axis);
    tn_tensor *values = scanned(j, place, in_order(j, updates, order)), *last = last_places(j, place);
    tn_tensor *hit = put(j, last, tn_full(tn_graph_of(x), TN_I32, tn_shape_of(last), 1));
    return tn_where(beside(&(job){.by_rows = j->by_rows, .n = j->size}, hit, x),
                    together(j->how, x, put(j, last, values)), x);
}

/* ---- what is called ---- */

static int fits(const job *j, tn_tensor *x, tn_tensor *index, tn_tensor *updates, int fits)
{
    char a[160], b[160], c[160];
    tn_shape s = tn_shape_of(x), i = tn_shape_of(index), u = tn_shape_of(updates);
    if (tn_graph_status(tn_graph_of(x))) return 0;
    if (fits && j->how >= 0 && j->how <= TN_SCATTER_MIN && tn_dtype_of(index) == TN_I32 &&
        tn_dtype_of(x) == tn_dtype_of(updates))
        return 1;
    tn_node_fail(tn_graph_of(x), TN_ESHAPE, "%s: updates %s %s by places %s %s of %s %s, how = %d", j->op,
                 tn_dtype_name(tn_dtype_of(updates)), tn_shape_text(&u, a, sizeof a), tn_dtype_name(tn_dtype_of(index)),
                 tn_shape_text(&i, b, sizeof b), tn_dtype_name(tn_dtype_of(x)), tn_shape_text(&s, c, sizeof c), j->how);
    return 0;
}

tn_tensor *tn_scatter(tn_tensor *x, tn_tensor *index, tn_tensor *updates, int32_t axis, int32_t how)
{
    TN_OPERANDS(x, index, updates);
    uint32_t at = 0;
    if (!tn_find_axis("scatter", x, axis, &at)) return x;
    tn_shape s = tn_shape_of(x), u = tn_shape_of(updates), i = tn_shape_of(index);
    job j = {"scatter", how, (int32_t)at, s.dim[at], u.dim[at], 0};
    u.dim[at] = s.dim[at];
    int same = u.rank == s.rank && tn_shape_equal(&s, &u);
    u.dim[at] = j.n;
    return fits(&j, x, index, updates, same && tn_shape_equal(&i, &u)) ? scatter(&j, x, index, updates) : x;
}

/* (points..., k) places in the first k dimensions of x as one number each, (points); -1 is outside. */
static tn_tensor *numbers(tn_tensor *index, const tn_shape *s, int32_t k)
{
    tn_tensor *sum = NULL, *out = NULL;
    for (int32_t d = 0; d < k; d++) {
        tn_tensor *i = tn_slice(index, -1, d, 1, 1), *size = tn_number(i, (double)s->dim[d]);
        tn_tensor *no = tn_logical_or(tn_lt(i, tn_number(i, 0)), tn_ge(i, size));
        out = out ? tn_logical_or(out, no) : no;
        sum = sum ? tn_add(tn_mul(sum, size), i) : i;
    }
    return tn_reshape(tn_where(out, tn_number(sum, -1), sum), TN_SHAPE(-1));
}

/* Dimensions from `from` on, one after another, behind those of `to`. */
static void append(tn_shape *to, const tn_shape *s, int32_t from, int32_t end)
{
    for (int32_t d = from; d < end && to->rank < TN_MAX_RANK; d++) to->dim[to->rank++] = s->dim[d];
}

tn_tensor *tn_scatter_nd(tn_tensor *x, tn_tensor *index, tn_tensor *updates, int32_t how)
{
    TN_OPERANDS(x, index, updates);
    tn_shape s = tn_shape_of(x), i = tn_shape_of(index), u = tn_shape_of(updates), want = {0};
    int32_t k = i.rank ? (int32_t)i.dim[i.rank - 1] : 0;
    job j = {"scatter_nd", how, 0, 1, 1, 1};
    append(&want, &i, 0, i.rank - 1);
    append(&want, &s, k, s.rank);
    if (!fits(&j, x, index, updates, k >= 1 && k <= s.rank && tn_shape_equal(&want, &u))) return x;
    for (int32_t d = 0; d < k; d++) j.size *= s.dim[d];
    for (int32_t d = 0; d < i.rank - 1; d++) j.n *= i.dim[d];
    if (j.size > INT32_MAX) tn_node_fail(tn_graph_of(x), TN_ESHAPE, "scatter_nd: more than 2^31 - 1 places");
    tn_shape rows = TN_SHAPE(j.size), values = TN_SHAPE(j.n);
    append(&rows, &s, k, s.rank);
    append(&values, &s, k, s.rank);
    return tn_reshape(scatter(&j, tn_reshape(x, rows), numbers(index, &s, k), tn_reshape(updates, values)), s);
}

tn_tensor *tn_gather_nd(tn_tensor *x, tn_tensor *index)
{
    TN_OPERANDS(x, index);
    tn_shape s = tn_shape_of(x), i = tn_shape_of(index), to = {0}, rows = TN_SHAPE(1);
    int32_t k = i.rank ? (int32_t)i.dim[i.rank - 1] : 0;
    job j = {.op = "gather_nd"};
    if (!fits(&j, x, index, x, k >= 1 && k <= s.rank && i.rank - 1 + s.rank - k <= TN_MAX_RANK)) return x;
    append(&to, &i, 0, i.rank - 1);
    append(&to, &s, k, s.rank);
    for (int32_t d = 0; d < k; d++) rows.dim[0] *= s.dim[d];
    append(&rows, &s, k, s.rank);
    if (rows.dim[0] > INT32_MAX) tn_node_fail(tn_graph_of(x), TN_ESHAPE, "gather_nd: more than 2^31 - 1 places");
    return tn_reshape(tn_gather(tn_reshape(x, rows), numbers(index, &s, k)), to);
}
