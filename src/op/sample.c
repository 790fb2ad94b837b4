/* sample.c: elements of pictures and volumes at places between them, which a grid gives, and grids of affine maps, by
 * other operators. Along each dimension a place is a few elements, taps, with a weight each; the result is the sum over
 * all combinations of one tap for each dimension, whose rows of channels are gathered. */
#include "given.h"
#include "op.h"

enum { MOST_TAPS = 4, MOST = 3 };

/* The taps along one dimension: their places, as whole numbers of x's type, and weights, all (b, points). */
typedef struct axis {
    int taps;
    tn_tensor *place[MOST_TAPS], *weight[MOST_TAPS];
} axis;

typedef struct job {
    tn_grid_options o;
    tn_shape shape; /* of x */
    int n;          /* its dimensions besides batch and channels */
    axis axis[MOST];
} job;

/* ---- along one dimension ---- */

static tn_tensor *plus(tn_tensor *x, double number)
{
    return tn_add(x, tn_number(x, number));
}

static tn_tensor *times(tn_tensor *x, double number)
{
    return tn_mul(x, tn_number(x, number));
}

/* From -1..1 to places: the ends are the outer elements' centres or edges. */
static tn_tensor *unscale(tn_tensor *g, int64_t size, int align_corners)
{
    double n = (double)size;
    return align_corners ? times(plus(g, 1), (n - 1) / 2) : plus(times(plus(g, 1), n / 2), -0.5);
}

/* Mirrored between the outer elements' centres or edges, as often as need be, and kept inside. */
static tn_tensor *reflect(tn_tensor *p, int64_t size, int align_corners)
{
    double low = align_corners ? 0 : -0.5, span = align_corners ? (double)(size - 1) : (double)size;
    if (span <= 0) return times(p, 0);
    tn_tensor *away = tn_abs(plus(p, -low)), *turns = tn_floor(times(away, 1 / span));
    tn_tensor *rest = tn_sub(away, times(turns, span));
    tn_tensor *odd = tn_sub(turns, times(tn_floor(times(turns, 0.5)), 2));
    return plus(tn_where(odd, tn_sub(tn_number(rest, span), rest), rest), low);
}

/* A place where there is an element; of zeros outside, one of those just outside. */
static tn_tensor *inside(tn_tensor *p, int64_t size, const tn_grid_options *o)
{
    if (o->outside == TN_OUTSIDE_ZEROS) return tn_clamp(p, -1, (double)size);
    if (o->outside == TN_OUTSIDE_REFLECTION) p = reflect(p, size, o->align_corners != 0);
    return tn_clamp(p, 0, (double)(size - 1));
}

/* Keys, 1981, for an element at a distance of 1 + t, t, 1 - t and 2 - t, with the number that follows for a. */
static const double KEYS = -0.75;

static tn_tensor *near_weight(tn_tensor *t)
{
    return plus(tn_mul(plus(times(t, KEYS + 2), -(KEYS + 3)), tn_square(t)), 1);
}

static tn_tensor *far_weight(tn_tensor *t)
{
    tn_tensor *u = plus(t, 1);
    return plus(times(tn_mul(plus(tn_mul(plus(u, -5), u), 8), u), KEYS), -4 * KEYS);
}

static axis cubic(tn_tensor *p, int64_t size, const tn_grid_options *o)
{
    tn_tensor *first = tn_floor(p), *t = tn_sub(p, first), *back = tn_sub(tn_number(t, 1), t);
    axis a = {.taps = 4, .weight = {far_weight(t), near_weight(t), near_weight(back), far_weight(back)}};
    for (int i = 0; i < 4; i++) a.place[i] = tn_stop_gradient(inside(plus(first, i - 1), size, o));
    return a;
}

static axis linear(tn_tensor *p, int64_t size, const tn_grid_options *o)
{
    if (o->outside != TN_OUTSIDE_ZEROS) p = inside(p, size, o);
    tn_tensor *first = tn_floor(p), *t = tn_sub(p, first);
    axis a = {.taps = 2, .weight = {tn_sub(tn_number(t, 1), t), t}};
    for (int i = 0; i < 2; i++) a.place[i] = tn_clamp(plus(first, i), -1, (double)size);
    return a;
}

static axis nearest(tn_tensor *p, int64_t size, const tn_grid_options *o)
{
    if (o->outside != TN_OUTSIDE_ZEROS) p = inside(p, size, o);
    return (axis){.taps = 1, .place = {tn_clamp(tn_round(p), -1, (double)size)}};
}

/* ---- all dimensions ---- */

/* The rows of channels of one combination of taps, weighted: (b, points, c). */
static tn_tensor *combined(const job *j, tn_tensor *rows, const int tap[MOST])
{
    tn_graph *graph = tn_graph_of(rows);
    tn_shape s = tn_shape_of(j->axis[0].place[0]);
    tn_tensor *weight = NULL, *out = NULL, *at = tn_iota(graph, TN_SHAPE(s.dim[0], 1), 0);
    for (int d = 0; d < j->n; d++) {
        const axis *a = &j->axis[d];
        int64_t size = j->shape.dim[2 + d];
        tn_tensor *i = tn_cast(a->place[tap[d]], TN_I32), *w = a->weight[tap[d]];
        tn_tensor *no = tn_logical_or(tn_lt(i, tn_number(i, 0)), tn_ge(i, tn_number(i, (double)size)));
        out = out ? tn_logical_or(out, no) : no;
        at = tn_add(tn_mul(at, tn_number(at, (double)size)), i);
        if (w) weight = weight ? tn_mul(weight, w) : w;
    }
    tn_tensor *y = tn_gather(rows, tn_where(out, tn_number(at, -1), at));
    return weight ? tn_mul(y, tn_unsqueeze(weight, -1)) : y;
}

static tn_tensor *all_combinations(const job *j, tn_tensor *rows)
{
    int tap[MOST] = {0};
    tn_tensor *sum = NULL;
    for (int d = 0; d >= 0;) {
        tn_tensor *one = combined(j, rows, tap);
        sum = sum ? tn_add(sum, one) : one;
        for (d = j->n - 1; d >= 0 && ++tap[d] == j->axis[d].taps; d--) tap[d] = 0;
    }
    return sum;
}

/* The product of n dimensions. */
static int64_t size_of(const tn_shape *s, int from, int n)
{
    int64_t size = 1;
    for (int d = from; d < from + n; d++) size *= s->dim[d];
    return size;
}

static int fits(const job *j, tn_tensor *x, tn_shape grid)
{
    char a[160], b[160];
    int n = j->n;
    if (tn_graph_status(tn_graph_of(x))) return 0;
    int64_t points = n >= 1 && n <= MOST ? size_of(&j->shape, 2, n) : 0;
    int fine = n >= 1 && n <= MOST && grid.rank == n + 2 && grid.dim[n + 1] == n && grid.dim[0] == j->shape.dim[0] &&
               points > 0 && points * j->shape.dim[0] <= INT32_MAX && j->o.mode >= 0 && j->o.mode <= TN_CUBIC &&
               j->o.outside >= 0 && j->o.outside <= TN_OUTSIDE_REFLECTION;
    if (!fine)
        tn_node_fail(tn_graph_of(x), TN_ESHAPE,
                     "grid_sample: %s at places of %s, which should be (batch, sizes..., one for each dimension), by "
                     "mode %d, outside %d",
                     tn_shape_text(&j->shape, a, sizeof a), tn_shape_text(&grid, b, sizeof b), j->o.mode, j->o.outside);
    return fine;
}

tn_tensor *tn_grid_sample(tn_tensor *x, tn_tensor *grid, tn_grid_options options)
{
    TN_OPERANDS(x, grid);
    static axis (*const mode[])(tn_tensor *, int64_t, const tn_grid_options *) = {linear, nearest, cubic};
    tn_shape s = tn_shape_of(x), g = tn_shape_of(grid);
    job j = {options, s, s.rank - 2, {{0}}};
    if (!fits(&j, x, g)) return x;
    tn_shape points = TN_SHAPE(g.dim[0], size_of(&g, 1, j.n));
    int32_t last[TN_MAX_RANK] = {0}, first[TN_MAX_RANK] = {0, j.n + 1};
    for (int d = 0; d < j.n; d++) {
        tn_tensor *p = tn_reshape(tn_slice(grid, -1, j.n - 1 - d, 1, 1), points);
        int64_t size = s.dim[2 + d];
        j.axis[d] = mode[options.mode](unscale(p, size, options.align_corners != 0), size, &options);
        last[1 + d] = 2 + d, first[2 + d] = 1 + d;
    }
    last[j.n + 1] = 1, g.dim[j.n + 1] = s.dim[1];
    tn_tensor *rows = tn_reshape(tn_transpose(x, last), TN_SHAPE(s.dim[0] * size_of(&s, 2, j.n), s.dim[1]));
    return tn_transpose(tn_reshape(all_combinations(&j, rows), g), first);
}

/* ---- affine maps ---- */

/* (sizes..., n + 1): each point's coordinates from -1 to 1, the last dimension's first, and 1. */
static tn_tensor *points_of(tn_graph *graph, tn_shape sizes, int32_t dtype, int align_corners)
{
    tn_tensor *column[MOST + 1];
    for (int32_t d = 0; d < sizes.rank; d++) {
        int64_t n = sizes.dim[d], most = align_corners ? (n > 1 ? n - 1 : 1) : n;
        tn_tensor *i = tn_iota(graph, sizes, d);
        i = plus(times(i, 2), (double)(1 - n));
        column[sizes.rank - 1 - d] = tn_div(tn_cast(i, dtype), tn_full(graph, dtype, TN_SCALAR, (double)most));
    }
    column[sizes.rank] = tn_full(graph, dtype, sizes, 1);
    return tn_stack(column, (uint32_t)sizes.rank + 1, -1);
}

tn_tensor *tn_affine_grid(tn_tensor *theta, tn_shape sizes, int align_corners)
{
    tn_shape s = tn_shape_of(theta);
    int32_t n = sizes.rank;
    tn_graph *graph = tn_graph_of(theta);
    char text[160];
    if (n < 1 || n > MOST || s.rank != 3 || s.dim[1] != n || s.dim[2] != n + 1)
        tn_node_fail(graph, TN_ESHAPE, "affine_grid: maps of shape %s for %d dimensions",
                     tn_shape_text(&s, text, sizeof text), n);
    if (tn_graph_status(graph)) return theta;
    tn_tensor *points = points_of(graph, sizes, tn_dtype_of(theta), align_corners);
    tn_tensor *y = tn_matmul_t(tn_reshape(points, TN_SHAPE(-1, n + 1)), theta, 0, 1);
    tn_shape to = {n + 2, {s.dim[0]}};
    for (int32_t d = 0; d < n; d++) to.dim[1 + d] = sizes.dim[d];
    to.dim[n + 1] = n;
    return tn_reshape(y, to);
}
