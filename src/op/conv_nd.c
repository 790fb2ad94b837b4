/* conv_nd.c: convolution and its transposed along one to three dimensions, by that of pictures. A row is a picture of
 * height 1. Of a volume each slice of the result is a picture whose channels are those of all slices that the kernel
 * sees there: one convolution, for which a kernel of three dimensions needs no other order than its own. */
#include "alloc.h"
#include "given.h"
#include "op.h"

/* One dimension, its sizes in the large operand (x of a convolution), the small one, and the kernel. */
typedef struct line {
    int64_t large, small, kernel, stride, dilation, begin, end;
} line;

typedef struct job {
    const char *op;
    tn_tensor *x, *weight;
    line line[3]; /* depth, height, width; those that are not there are of size 1 */
    int64_t groups;
    tn_shape shape; /* of x */
} job;

/* ---- the operands ---- */

static int64_t or_one(uint32_t given)
{
    return given ? given : 1;
}

static int fail(const job *j, const char *what)
{
    char x[160], weight[160];
    tn_shape w = tn_shape_of(j->weight);
    tn_node_fail(tn_graph_of(j->x), TN_ESHAPE, "%s of %s and %s in %lld group(s): %s", j->op,
                 tn_shape_text(&j->shape, x, sizeof x), tn_shape_text(&w, weight, sizeof weight), (long long)j->groups,
                 what);
    return 0;
}

/* Fills all but the sizes that are to be found. */
static int read_operands(job *j, const tn_conv_nd_options *o, int transposed)
{
    tn_shape w = tn_shape_of(j->weight);
    int n = j->shape.rank - 2, first = 3 - n;
    if (tn_graph_status(tn_graph_of(j->x))) return 0;
    if (n < 1 || n > 3 || w.rank != j->shape.rank) return fail(j, "both need three to five dimensions, and as many");
    if (j->shape.dim[1] % j->groups || w.dim[0] % j->groups) return fail(j, "the groups do not divide the channels");
    if (transposed ? w.dim[0] != j->shape.dim[1] : w.dim[1] * j->groups != j->shape.dim[1])
        return fail(j, "the weight does not fit the channels");
    for (int d = 0; d < 3; d++) j->line[d] = (line){1, 1, 1, 1, 1, 0, 0};
    for (int d = 0; d < n; d++) {
        line *l = &j->line[first + d];
        *l = (line){j->shape.dim[2 + d],    j->shape.dim[2 + d], w.dim[2 + d], or_one(o->stride[d]),
                    or_one(o->dilation[d]), o->begin[d],         o->end[d]};
        if (l->stride > INT32_MAX || l->dilation > INT32_MAX || l->begin > INT32_MAX || l->end > INT32_MAX)
            return fail(j, "a stride, dilation or padding of 2^31 or more");
    }
    return 1;
}

static tn_conv_options plane_of(const job *j, int transposed)
{
    const line *h = &j->line[1], *w = &j->line[2];
    return (tn_conv_options){.stride = {(uint32_t)h->stride, (uint32_t)w->stride},
                             .pad = {(uint32_t)h->begin, (uint32_t)w->begin},
                             .dilation = {(uint32_t)h->dilation, (uint32_t)w->dilation},
                             .groups = (uint32_t)j->groups,
                             .size = {transposed ? h->large : h->small, transposed ? w->large : w->small}};
}

/* (b, c, depth, h, w) -> (b, depth, c, h, w), and back: the two dimensions after the first change places. */
static tn_tensor *swap_depth(tn_tensor *x)
{
    return tn_swap_axes(x, 1, 2);
}

/* The kernel's taps in depth as channels of each group: (k, c, taps, r, s) -> (k, taps c, r, s). */
static tn_tensor *flat_weight(const job *j)
{
    tn_shape w = tn_shape_of(j->weight);
    return tn_reshape(tn_swap_axes(j->weight, 1, 2), TN_SHAPE(w.dim[0], w.dim[1] * w.dim[2], w.dim[3], w.dim[4]));
}

/* The dimensions that are there, of a result with all five. */
static tn_tensor *of_rank(tn_tensor *y, int32_t rank)
{
    tn_shape s = tn_shape_of(y), to = {.rank = rank};
    if (tn_graph_status(tn_graph_of(y))) return y;
    for (int32_t d = 0; d < rank; d++) to.dim[d] = d < 2 ? s.dim[d] : s.dim[s.rank - rank + d];
    return tn_reshape(y, to);
}

static tn_tensor *as_picture(tn_tensor *x)
{
    return tn_shape_of(x).rank == 3 ? tn_unsqueeze(x, 2) : x;
}

/* ---- convolution ---- */

/* (b, depth, c, h, w) -> (b small, groups taps c/groups, h, w): what each tap sees, as channels of its group. */
static tn_tensor *taps_as_channels(const job *j, tn_tensor *x)
{
    const line *l = &j->line[0];
    tn_shape s = tn_shape_of(x);
    int64_t each = s.dim[2] / j->groups;
    tn_tensor **part = tn_alloc((size_t)l->kernel * sizeof *part);
    if (!part) tn_node_fail(tn_graph_of(x), TN_ENOMEM, "%s: no memory for %lld taps", j->op, (long long)l->kernel);
    if (!part) return x;
    x = tn_reshape(tn_pad(x, 1, l->begin, l->end),
                   TN_SHAPE(s.dim[0], s.dim[1] + l->begin + l->end, j->groups, each, s.dim[3], s.dim[4]));
    for (int64_t t = 0; t < l->kernel; t++) part[t] = tn_slice(x, 1, t * l->dilation, l->small, l->stride);
    x = tn_stack(part, (uint32_t)l->kernel, 3);
    tn_free(part);
    return tn_reshape(x, TN_SHAPE(s.dim[0] * l->small, j->groups * l->kernel * each, s.dim[3], s.dim[4]));
}

static tn_tensor *volumes(const job *j)
{
    tn_tensor *y = tn_convolve2d(taps_as_channels(j, swap_depth(j->x)), flat_weight(j), plane_of(j, 0));
    tn_shape s = tn_shape_of(y);
    if (tn_graph_status(tn_graph_of(y))) return y;
    return swap_depth(tn_reshape(y, TN_SHAPE(j->shape.dim[0], j->line[0].small, s.dim[1], s.dim[2], s.dim[3])));
}

tn_tensor *tn_conv_nd(tn_tensor *x, tn_tensor *weight, tn_conv_nd_options options)
{
    TN_OPERANDS(x, weight);
    job j = {"conv_nd", x, weight, {{0}}, or_one(options.groups), tn_shape_of(x)};
    if (!read_operands(&j, &options, 0)) return x;
    for (int d = 0; d < 3; d++) {
        line *l = &j.line[d];
        int64_t room = l->large + l->begin + l->end - (l->kernel - 1) * l->dilation - 1;
        if (room < 0 || !l->kernel) return fail(&j, "the kernel is empty or larger than the padded operand"), x;
        l->small = room / l->stride + 1;
    }
    if (j.shape.rank == 5) return volumes(&j);
    return of_rank(tn_convolve2d(as_picture(x), as_picture(weight), plane_of(&j, 0)), j.shape.rank);
}

/* ---- transposed ---- */

/* (b, small, groups, taps, c/groups, h, w) -> (b, large, c, h, w): each tap's slices are added where they belong. */
static tn_tensor *add_taps(const job *j, tn_tensor *z)
{
    const line *l = &j->line[0];
    tn_shape s = tn_shape_of(z);
    tn_tensor *sum = NULL;
    int64_t whole = (l->small - 1) * l->stride + (l->kernel - 1) * l->dilation + 1, need = l->begin + l->large;
    for (int64_t t = 0; t < l->kernel && s.rank == 7; t++) {
        tn_tensor *tap =
            tn_reshape(tn_slice(z, 3, t, 1, 1), TN_SHAPE(s.dim[0], s.dim[1], s.dim[2] * s.dim[4], s.dim[5], s.dim[6]));
        tap = tn_unslice(tap, 1, t * l->dilation, l->stride, whole);
        sum = sum ? tn_add(sum, tap) : tap;
    }
    if (!sum) return z;
    return tn_slice(need > whole ? tn_pad(sum, 1, 0, need - whole) : sum, 1, l->begin, l->large, 1);
}

static tn_tensor *volumes_back(const job *j)
{
    const tn_shape *s = &j->shape;
    const line *l = j->line;
    tn_tensor *x = tn_reshape(swap_depth(j->x), TN_SHAPE(s->dim[0] * s->dim[2], s->dim[1], s->dim[3], s->dim[4]));
    tn_tensor *z = tn_convolve2d_transposed(x, flat_weight(j), plane_of(j, 1));
    int64_t each = tn_shape_of(j->weight).dim[1];
    z = tn_reshape(z, TN_SHAPE(s->dim[0], s->dim[2], j->groups, l[0].kernel, each, l[1].large, l[2].large));
    return swap_depth(add_taps(j, z));
}

tn_tensor *tn_conv_nd_transposed(tn_tensor *x, tn_tensor *weight, tn_conv_nd_options options)
{
    TN_OPERANDS(x, weight);
    job j = {"conv_nd_transposed", x, weight, {{0}}, or_one(options.groups), tn_shape_of(x)};
    if (!read_operands(&j, &options, 1)) return x;
    for (int d = 0; d < 3; d++) {
        line *l = &j.line[d];
        int64_t more = d + j.shape.rank < 5 ? 0 : options.more[d + j.shape.rank - 5];
        l->large = (l->small - 1) * l->stride + (l->kernel - 1) * l->dilation + 1 + more - l->begin - l->end;
        if (l->large < 1 || !l->small || !l->kernel)
            return fail(&j, "the kernel or an operand is empty, or the padding larger than the result"), x;
    }
    if (j.shape.rank == 5) return volumes_back(&j);
    return of_rank(tn_convolve2d_transposed(as_picture(x), as_picture(weight), plane_of(&j, 1)), j.shape.rank);
}
