/* rules_sample.c: pictures that are read at any place, also by a convolution, and put together from windows. */
#include "window.h"

static int32_t word_of(onnx_node *n, const char *name, const char *usual, const char *const words[], size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (onnx_text_is(n, name, usual, words[i])) return (int32_t)i;
    onnx_cannot(n, "attribute %s", name);
    return 0;
}

void onnx_rule_grid_sample(onnx_node *n)
{
    static const char *const modes[] = {"linear", "nearest", "cubic", "bilinear", "bicubic"};
    static const int32_t mode_of[] = {TN_LINEAR, TN_NEAREST, TN_CUBIC, TN_LINEAR, TN_CUBIC};
    static const char *const paddings[] = {"zeros", "border", "reflection"};
    static const int32_t outside_of[] = {TN_OUTSIDE_ZEROS, TN_OUTSIDE_BORDER, TN_OUTSIDE_REFLECTION};
    tn_tensor *x = onnx_in(n, 0), *grid = onnx_in(n, 1);
    tn_grid_options o = {.mode = mode_of[word_of(n, "mode", "linear", modes, 5)],
                         .outside = outside_of[word_of(n, "padding_mode", "zeros", paddings, 3)],
                         .align_corners = onnx_int(n, "align_corners", 0) != 0};
    if (x && grid && !n->failed) onnx_out(n, 0, tn_grid_sample(x, grid, o));
}

void onnx_rule_affine_grid(onnx_node *n)
{
    int64_t size[TN_MAX_RANK];
    tn_tensor *theta = onnx_in(n, 0);
    int64_t count = onnx_known_ints(n, 1, size, TN_MAX_RANK);
    if (!theta || count < 4 || count > 5) return;
    tn_shape sizes = {.rank = (int32_t)count - 2};
    for (int32_t d = 0; d < sizes.rank; d++) sizes.dim[d] = size[d + 2];
    onnx_out(n, 0, tn_affine_grid(theta, sizes, onnx_int(n, "align_corners", 0) != 0));
}

/* Places are numbered in what the windows cover; a size that is asked for may be larger. */
void onnx_rule_max_unpool(onnx_node *n)
{
    onnx_window w;
    tn_tensor *x = onnx_in(n, 0), *place = onnx_in(n, 1);
    if (!x || !place || !onnx_window_read(n, x, NULL, &w)) return;
    tn_shape shape = tn_shape_of(x);
    for (int32_t i = 0; i < w.axes; i++)
        shape.dim[i + 2] = (shape.dim[i + 2] - 1) * w.stride[i] + w.size[i] - w.begin[i] - w.end[i];
    tn_shape to = shape;
    if (n->n_in > 2 && n->in[2] && onnx_known_ints(n, 2, to.dim, to.rank) != to.rank) return;
    for (int32_t d = 0; d < to.rank; d++)
        if (to.dim[d] < shape.dim[d]) onnx_cannot(n, "an output smaller than what its windows cover");
    if (n->failed) return;
    tn_tensor *y = tn_max_unpool_nd(x, place, shape);
    for (int32_t d = 0; d < to.rank; d++) y = onnx_pad_number(y, d, 0, to.dim[d] - shape.dim[d], 0);
    onnx_out(n, 0, y);
}

/* ---- Col2Im ---- */

typedef struct blocks {
    int32_t axes;
    int64_t image[TN_MAX_RANK], block[TN_MAX_RANK], count[TN_MAX_RANK];
    int64_t stride[TN_MAX_RANK], dilation[TN_MAX_RANK], pads[2 * TN_MAX_RANK];
} blocks;

static int read_blocks(onnx_node *n, blocks *b)
{
    int64_t axes = onnx_known_ints(n, 1, b->image, TN_MAX_RANK);
    if (axes < 1 || axes > 3 || onnx_known_ints(n, 2, b->block, TN_MAX_RANK) != axes) return 0;
    b->axes = (int32_t)axes;
    for (int32_t i = 0; i < 2 * TN_MAX_RANK; i++) b->pads[i] = 0;
    for (int32_t i = 0; i < TN_MAX_RANK; i++) b->stride[i] = b->dilation[i] = 1;
    onnx_ints(n, "strides", b->stride, axes);
    onnx_ints(n, "dilations", b->dilation, axes);
    onnx_ints(n, "pads", b->pads, 2 * axes);
    for (int32_t i = 0; i < b->axes; i++) {
        if (b->stride[i] < 1) return 0;
        int64_t all = b->image[i] + b->pads[i] + b->pads[b->axes + i];
        b->count[i] = (all - b->dilation[i] * (b->block[i] - 1) - 1) / b->stride[i] + 1;
    }
    return !n->failed;
}

/* Element k of all blocks, which are (b, c, block..., count...), where it lies in the padded picture. */
static tn_tensor *spread(tn_tensor *x, const blocks *b, int64_t k)
{
    for (int32_t i = b->axes - 1; i >= 0; k /= b->block[i--]) x = tn_slice(x, 2 + i, k % b->block[i], 1, 1);
    return x;
}

static tn_tensor *placed(tn_tensor *x, const blocks *b, int64_t k)
{
    for (int32_t i = b->axes - 1; i >= 0; k /= b->block[i--]) {
        int64_t all = b->image[i] + b->pads[i] + b->pads[b->axes + i];
        x = tn_unslice(x, 2 + i, k % b->block[i] * b->dilation[i], b->stride[i], all);
    }
    return x;
}

void onnx_rule_col2im(onnx_node *n)
{
    blocks b;
    tn_tensor *x = onnx_in(n, 0), *sum = NULL;
    if (!x || tn_shape_of(x).rank != 3 || !read_blocks(n, &b)) return;
    tn_shape all = {.rank = 2 + 2 * b.axes}, one = {.rank = 2 + b.axes};
    int64_t size = 1;
    for (int32_t i = 0; i < b.axes; i++) {
        size *= b.block[i];
        all.dim[2 + i] = b.block[i], all.dim[2 + b.axes + i] = one.dim[2 + i] = b.count[i];
    }
    all.dim[0] = one.dim[0] = onnx_dim(x, 0), all.dim[1] = one.dim[1] = onnx_dim(x, 1) / size;
    x = tn_reshape(x, all);
    for (int64_t k = 0; k < size; k++) {
        tn_tensor *y = placed(tn_reshape(spread(x, &b, k), one), &b, k);
        sum = sum ? tn_add(sum, y) : y;
    }
    for (int32_t i = 0; i < b.axes; i++) sum = tn_slice(sum, 2 + i, b.pads[i], b.image[i], 1);
    onnx_out(n, 0, sum);
}

/* ---- convolution of what comes piece by piece ---- */

/* Each channel by itself, behind what was there before. */
void onnx_rule_causal_conv(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0), *weight = onnx_in(n, 1), *bias = onnx_in(n, 2), *past = onnx_in(n, 3);
    int plain = onnx_text_is(n, "activation", "none", "none");
    int silu = onnx_text_is(n, "activation", "none", "silu") || onnx_text_is(n, "activation", "none", "swish");
    if (!x || !weight || tn_shape_of(x).rank != 3) return;
    if (!plain && !silu) onnx_cannot(n, "attribute activation");
    const int64_t kept = onnx_dim(weight, 2) - 1;
    if (n->failed) return;
    x = past ? tn_concat((tn_tensor *[]){past, x}, 2, 2) : onnx_pad_number(x, 2, kept, 0, 0);
    tn_tensor *y = tn_conv_nd(x, weight, (tn_conv_nd_options){.groups = (uint32_t)onnx_dim(x, 1)});
    if (bias) y = tn_add(y, tn_reshape(bias, TN_SHAPE(1, onnx_dim(bias, 0), 1)));
    onnx_out(n, 0, silu ? tn_silu(y) : y);
    onnx_out(n, 1, tn_slice(x, 2, onnx_dim(x, 2) - kept, kept, 1));
}
/* ---- convolution whose window's elements lie where offsets say ---- */

typedef struct deformed {
    onnx_window window;
    int64_t batch, channels, rows, columns, elements; /* of the result a row and column, of the window all elements */
    int64_t groups, offset_groups;
} deformed;

/* Where the window's elements lie without offsets: (elements, 2, rows, columns), first by row. */
static tn_tensor *places_of(onnx_node *n, const deformed *d)
{
    const onnx_window *w = &d->window;
    const int64_t all = d->rows * d->columns;
    float *place = tn_region_alloc(&n->build->region, (size_t)(d->elements * 2 * all) * sizeof *place + 1);
    for (int64_t i = 0; place && i < d->elements * all; i++) {
        const int64_t element = i / all, row = i % all / d->columns, column = i % d->columns;
        float *at = place + element * 2 * all + i % all;
        at[0] = (float)(row * w->stride[0] - w->begin[0] + element / w->size[1] * w->dilation[0]);
        at[all] = (float)(column * w->stride[1] - w->begin[1] + element % w->size[1] * w->dilation[1]);
    }
    return place ? tn_constant(n->graph, TN_F32, TN_SHAPE(d->elements, 2, d->rows, d->columns), place) : NULL;
}

/* One coordinate of all places, 0 by row, as grids have it: from -1 to 1 between the outer edges. */
static tn_tensor *coordinate(tn_tensor *place, const deformed *d, int64_t which, int64_t size)
{
    tn_tensor *p = tn_slice(place, 3, which, 1, 1);
    p = tn_add(tn_mul(p, tn_number(p, 2 / (double)size)), tn_number(p, 1 / (double)size - 1));
    return tn_reshape(p, TN_SHAPE(d->batch * d->offset_groups, d->elements * d->rows, d->columns));
}

/* x at these places: (batch, offset groups, channels of one, elements, rows, columns). */
static tn_tensor *read_at(tn_tensor *x, tn_tensor *place, const deformed *d)
{
    const int64_t parts = d->batch * d->offset_groups, each = d->channels / d->offset_groups;
    const tn_grid_options o = {.mode = TN_LINEAR, .outside = TN_OUTSIDE_ZEROS};
    tn_tensor *grid[2] = {coordinate(place, d, 1, onnx_dim(x, 3)), coordinate(place, d, 0, onnx_dim(x, 2))};
    x = tn_reshape(x, TN_SHAPE(parts, each, onnx_dim(x, 2), onnx_dim(x, 3)));
    x = tn_grid_sample(x, tn_stack(grid, 2, 3), o);
    return tn_reshape(x, TN_SHAPE(d->batch, d->offset_groups, each, d->elements, d->rows, d->columns));
}

static int measure(onnx_node *n, tn_tensor *x, tn_tensor *weight, tn_tensor *offset, deformed *d)
{
    const tn_shape shape = tn_shape_of(weight);
    d->groups = onnx_int(n, "group", 1), d->offset_groups = onnx_int(n, "offset_group", 1);
    if (tn_shape_of(x).rank != 4 || shape.rank != 4 || tn_shape_of(offset).rank != 4)
        onnx_cannot(n, "pictures of %d dimensions", tn_shape_of(x).rank - 2);
    if (n->failed || !onnx_window_read(n, x, shape.dim + 2, &d->window)) return 0;
    d->batch = onnx_dim(x, 0), d->channels = onnx_dim(x, 1), d->elements = shape.dim[2] * shape.dim[3];
    d->rows = onnx_dim(offset, 2), d->columns = onnx_dim(offset, 3);
    const int fits = d->groups > 0 && d->offset_groups > 0 && d->channels % d->offset_groups == 0 &&
                     shape.dim[1] * d->groups == d->channels && shape.dim[0] % d->groups == 0 &&
                     onnx_dim(offset, 1) == 2 * d->offset_groups * d->elements && onnx_dim(x, 2) && onnx_dim(x, 3);
    if (!fits) onnx_cannot(n, "its groups and sizes");
    return fits;
}

void onnx_rule_deform_conv(onnx_node *n)
{
    deformed d = {0};
    tn_tensor *x = onnx_in(n, 0), *weight = onnx_in(n, 1), *offset = onnx_in(n, 2), *bias = onnx_in(n, 3);
    tn_tensor *mask = onnx_in(n, 4);
    if (!x || !weight || !offset || !measure(n, x, weight, offset, &d)) return;
    tn_tensor *place = places_of(n, &d);
    if (!place) return;
    offset = tn_reshape(offset, TN_SHAPE(d.batch, d.offset_groups, d.elements, 2, d.rows, d.columns));
    tn_tensor *read = read_at(x, tn_add(offset, tn_cast(place, tn_dtype_of(offset))), &d);
    if (mask)
        read = tn_mul(read, tn_reshape(mask, TN_SHAPE(d.batch, d.offset_groups, 1, d.elements, d.rows, d.columns)));
    const int64_t terms = d.channels / d.groups * d.elements, outputs = onnx_dim(weight, 0);
    read = tn_reshape(read, TN_SHAPE(d.batch, d.groups, terms, d.rows * d.columns));
    weight = tn_reshape(weight, TN_SHAPE(d.groups, outputs / d.groups, terms));
    tn_tensor *y = tn_reshape(tn_matmul(weight, read), TN_SHAPE(d.batch, outputs, d.rows, d.columns));
    onnx_out(n, 0, bias ? tn_add(y, tn_reshape(bias, TN_SHAPE(outputs, 1, 1))) : y);
}
