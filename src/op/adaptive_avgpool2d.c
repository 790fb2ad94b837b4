/* adaptive_avgpool2d.c: means over windows that divide a picture into so many rows and columns: y = A x B', where row i
 * of A has 1/n at the n places from floor(i h / height) to ceil((i + 1) h / height). */
#include "cases.h"
#include "check.h"

typedef struct attrs {
    int64_t size[2];
} attrs;

static tn_status shape(tn_tensor *const in[], uint32_t n_in, const void *raw, tn_type *out)
{
    const attrs *at = raw;
    char text[160];
    (void)n_in;
    TN_TRY(tn_require_type("adaptive_avgpool2d", in[0], 0));
    *out = in[0]->type;
    TN_REQUIRE(out->shape.rank == 4 && out->shape.dim[2] && out->shape.dim[3], TN_ESHAPE,
               "adaptive_avgpool2d: %s is not (batch, channels, height, width)",
               tn_shape_text(&out->shape, text, sizeof text));
    for (int d = 0; d < 2; d++) {
        TN_REQUIRE(at->size[d] >= 1 && at->size[d] <= INT32_MAX / out->shape.dim[2 + d], TN_EINVAL,
                   "adaptive_avgpool2d: %lld rows or columns", (long long)at->size[d]);
        out->shape.dim[2 + d] = at->size[d];
    }
    return TN_OK;
}

/* (to, from): place j belongs to window i if (j + 1) to > i from and j to < (i + 1) from. */
static tn_tensor *averages(const tn_tensor *x, int64_t to, int64_t from)
{
    tn_shape both = TN_SHAPE(to, from);
    tn_tensor *i = tn_iota(x->graph, both, 0), *j = tn_iota(x->graph, both, 1), *one = tn_number(i, 1);
    tn_tensor *after = tn_gt(tn_mul(tn_add(j, one), tn_number(i, (double)to)), tn_mul(i, tn_number(i, (double)from)));
    tn_tensor *before = tn_lt(tn_mul(j, tn_number(i, (double)to)), tn_mul(tn_add(i, one), tn_number(i, (double)from)));
    tn_tensor *inside = tn_cast(tn_mul(after, before), x->type.dtype);
    return tn_div(inside, tn_sum(inside, TN_AXES(1), 1));
}

static tn_tensor *lower(tn_tensor *y)
{
    tn_tensor *x = y->in[0];
    const int64_t *from = x->type.shape.dim, *to = y->type.shape.dim;
    tn_tensor *rows =
        tn_matmul(averages(x, to[2], from[2]), tn_reshape(x, TN_SHAPE(from[0] * from[1], from[2], from[3])));
    return tn_reshape(tn_matmul_t(rows, averages(x, to[3], from[3]), 0, 1), y->type.shape);
}

/* What place j of `from` counts in window i of `to`. */
static double share_of(int64_t i, int64_t to, int64_t j, int64_t from)
{
    int64_t begin = i * from / to, end = ((i + 1) * from + to - 1) / to;
    return j >= begin && j < end ? 1 / (double)(end - begin) : 0;
}

/* Window (i, j) of a picture (h, w). What is outside counts nothing, which makes NaN of an infinity. */
static double window_of(const double *x, const int64_t from[], const int64_t to[], int64_t i, int64_t j)
{
    double sum = 0;
    for (int64_t r = 0; r < from[0]; r++)
        for (int64_t c = 0; c < from[1]; c++)
            sum += share_of(i, to[0], r, from[0]) * share_of(j, to[1], c, from[1]) * x[r * from[1] + c];
    return sum;
}

static void reference(const tn_reference_call *call)
{
    const int64_t *x = call->desc->in[0].dim, *y = call->desc->out[0].dim;
    for (int64_t e = 0; e < tn_desc_count(&call->desc->out[0]); e++) {
        const double *picture = call->in[0] + e / y[3] / y[2] * x[2] * x[3];
        call->out[0][e] = window_of(picture, x + 2, y + 2, e / y[3] % y[2], e % y[3]);
    }
}

tn_tensor *tn_adaptive_avgpool2d(tn_tensor *x, int64_t height, int64_t width)
{
    tn_shape from = tn_shape_of(x);
    attrs at = {{height, width}};
    int even = from.rank == 4 && height > 0 && width > 0 && from.dim[2] && from.dim[3] && from.dim[2] % height == 0 &&
               from.dim[3] % width == 0;
    if (even) return tn_avgpool2d(x, .window = {(uint32_t)(from.dim[2] / height), (uint32_t)(from.dim[3] / width)});
    return tn_node(&tn_op_adaptive_avgpool2d, NULL, &x, 1, &at);
}

static tn_tensor *case_uneven(tn_tensor *const in[])
{
    return tn_adaptive_avgpool2d(in[0], 3, 4);
}

static tn_tensor *case_more(tn_tensor *const in[])
{
    return tn_adaptive_avgpool2d(in[0], 5, 2);
}

static const tn_op_case cases[] = {
    {"windows of unlike sizes", case_uneven, {F32(2, 3, 7, 10)}},
    {"more rows than there were", case_more, {F32(2, 3, 3, 5)}},
    {"even windows", case_uneven, {F32(2, 3, 6, 8)}},
    {0},
};

static const tn_field fields[] = {TN_FIELD(attrs, size, SIZE), {0}};

const tn_op_def tn_op_adaptive_avgpool2d = {.name = "adaptive_avgpool2d",
                                            .doc = "means of so many rows and columns of windows",
                                            .kind = TN_COMPOSITE,
                                            .arity = 1,
                                            TN_ATTRS(attrs, fields),
                                            .shape = shape,
                                            .lower = lower,
                                            .reference = reference,
                                            .cases = cases};
