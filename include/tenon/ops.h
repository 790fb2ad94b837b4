/* ops.h: the operators. Each adds to the graph of its operands and returns the result, which the graph owns.
 * Operands of element-wise operators are broadcast as in NumPy: shapes are aligned at the last dimension, and a
 * dimension of 1 stretches. All operands have the same element type; use tn_cast to change it. Functions of i32 wrap
 * around. docs/operators.md says which operators take it; tn_div is then towards zero, as in C, tn_fmod and
 * tn_remainder the rests of a's and of b's sign, all three 0 where b is 0. */
#ifndef TENON_OPS_H
#define TENON_OPS_H

#include "tenon/graph.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- element-wise: one function for each row of unary.def and binary.def: tn_relu(x), tn_add(a, b), ... ---- */
#define X(name, y, dx, doc) TN_API tn_tensor *tn_##name(tn_tensor *x);
#include "tenon/unary.def"
#undef X
#define X(name, types, y, da, db, doc) TN_API tn_tensor *tn_##name(tn_tensor *a, tn_tensor *b);
#include "tenon/binary.def"
#undef X

/* The same with a number as second operand: tn_add(x, tn_number(x, 2)). A rank-0 tensor of x's type. */
TN_API tn_tensor *tn_number(tn_tensor *like, double value);

/* condition is not 0 ? a : b */
TN_API tn_tensor *tn_where(tn_tensor *condition, tn_tensor *a, tn_tensor *b);
/* The general logistic function L / (1 + exp(-k (x - x0))). */
TN_API tn_tensor *tn_logistic(tn_tensor *x, double L, double k, double x0);
/* x kept within low..high; at a bound the gradient flows. */
TN_API tn_tensor *tn_clamp(tn_tensor *x, double low, double high);
/* x, or alpha (exp(x / alpha) - 1) when x is negative; alpha > 0. Barron, 2017. */
TN_API tn_tensor *tn_celu(tn_tensor *x, double alpha);
/* 0 from -lambda to lambda, else x; and what x has beyond that range. lambda >= 0. */
TN_API tn_tensor *tn_hard_shrink(tn_tensor *x, double lambda);
TN_API tn_tensor *tn_soft_shrink(tn_tensor *x, double lambda);
/* x above the threshold, else a value. */
TN_API tn_tensor *tn_threshold(tn_tensor *x, double threshold, double value);
/* The first half along an axis times the sigmoid of the second. Dauphin and others, 2017. */
TN_API tn_tensor *tn_glu(tn_tensor *x, int32_t axis);
/* A value where the mask, of any type and broadcast with x, is not 0; else x. */
TN_API tn_tensor *tn_masked_fill(tn_tensor *x, tn_tensor *mask, double value);
/* 1 where x is 0, else 0. */
TN_API tn_tensor *tn_logical_not(tn_tensor *x);
/* x as another element type; to an integer: towards zero. */
TN_API tn_tensor *tn_cast(tn_tensor *x, int32_t dtype);
/* x as it is, as a constant to tn_grad: no gradient flows to what x depends on. Costs nothing. */
TN_API tn_tensor *tn_stop_gradient(tn_tensor *x);
/* x stretched to a shape. */
TN_API tn_tensor *tn_broadcast(tn_tensor *x, tn_shape shape);
/* The coordinate along an axis, as i32. */
TN_API tn_tensor *tn_iota(tn_graph *graph, tn_shape shape, int32_t axis);
/* f32: start, start + step, ...; and `count` numbers at even distances, of which first and last are exact. */
TN_API tn_tensor *tn_arange(tn_graph *graph, double start, double step, int64_t count);
TN_API tn_tensor *tn_linspace(tn_graph *graph, double first, double last, int64_t count);
/* The unit matrix (n, n), f32. */
TN_API tn_tensor *tn_eye(tn_graph *graph, int64_t n);

/* ---- random: Philox4x32-10, by the state's seed and step and the place of the call in the graph ---- */
TN_API tn_tensor *tn_random_uniform(tn_graph *graph, tn_shape shape); /* [0, 1) */
TN_API tn_tensor *tn_random_normal(tn_graph *graph, tn_shape shape);  /* mean 0, variance 1 */
/* x / (1 - rate) or, with probability `rate`, 0. Srivastava and others, 2014. 0 <= rate < 1. */
TN_API tn_tensor *tn_dropout(tn_tensor *x, double rate);

/* ---- shape ---- */
TN_API tn_tensor *tn_reshape(tn_tensor *x, tn_shape shape); /* one dimension may be -1; costs nothing */
TN_API tn_tensor *tn_flatten(tn_tensor *x);                 /* (n, ...) -> (n, the rest) */
/* Dimension d of the result is dimension perm[d] of x; NULL reverses them. */
TN_API tn_tensor *tn_transpose(tn_tensor *x, const int32_t *perm);
/* `count` elements of an axis: start, start + step, ...; a negative start counts from the end, a step may be negative
 * but not 0. All of them must be there. */
TN_API tn_tensor *tn_slice(tn_tensor *x, int32_t axis, int64_t start, int64_t count, int64_t step);
TN_API tn_tensor *tn_flip(tn_tensor *x, int32_t axis);
/* The inverse: x's elements at start, start + step, ... of an axis of `size` elements, the rest zeros. */
TN_API tn_tensor *tn_unslice(tn_tensor *x, int32_t axis, int64_t start, int64_t step, int64_t size);
/* Zeros before and after x along an axis; or another number. */
TN_API tn_tensor *tn_pad(tn_tensor *x, int32_t axis, int64_t before, int64_t after);
TN_API tn_tensor *tn_pad_value(tn_tensor *x, int32_t axis, int64_t before, int64_t after, double value);
/* One after another along an axis; all other dimensions are equal. */
TN_API tn_tensor *tn_concat(tn_tensor *const in[], uint32_t n_in, int32_t axis);
/* Tensors of one shape along a new axis, which is given by its place in the result. */
TN_API tn_tensor *tn_stack(tn_tensor *const in[], uint32_t n_in, int32_t axis);
/* x as a whole, or each of its elements, `count` times along an axis: abab and aabb. */
TN_API tn_tensor *tn_tile(tn_tensor *x, int32_t axis, int64_t count);
TN_API tn_tensor *tn_repeat(tn_tensor *x, int32_t axis, int64_t count);
/* A new dimension of 1, by its place in the result; without a dimension of 1; two dimensions for each other. */
TN_API tn_tensor *tn_unsqueeze(tn_tensor *x, int32_t axis);
TN_API tn_tensor *tn_squeeze(tn_tensor *x, int32_t axis);
TN_API tn_tensor *tn_swap_axes(tn_tensor *x, int32_t first, int32_t second);
/* Element i goes to place i + shift of an axis, and from its end to its beginning. */
TN_API tn_tensor *tn_roll(tn_tensor *x, int32_t axis, int64_t shift);
/* As many equal parts along an axis, into out[0..parts-1]. */
TN_API void tn_split(tn_tensor *x, int32_t axis, uint32_t parts, tn_tensor *out[]);
/* What lies side by side in x, (n, numbers) or of a higher rank with as many: (n) and each shape, into
 * out[0..parts-1], such as the inputs of a network (tn_dataset_beside) or its heads. */
TN_API void tn_apart(tn_tensor *x, const tn_shape shapes[], uint32_t parts, tn_tensor *out[]);
/* Before and after x along an axis: its first and last element again; its elements mirrored at these (c b a b c b a);
 * or those of its other end (b c a b c a b). The last two take no more elements than there are. */
TN_API tn_tensor *tn_pad_edge(tn_tensor *x, int32_t axis, int64_t before, int64_t after);
TN_API tn_tensor *tn_pad_reflect(tn_tensor *x, int32_t axis, int64_t before, int64_t after);
TN_API tn_tensor *tn_pad_wrap(tn_tensor *x, int32_t axis, int64_t before, int64_t after);
/* (n) -> (n, n), x on the diagonal, else 0; (m, n) -> its diagonal. */
TN_API tn_tensor *tn_diag(tn_tensor *x);
/* The lower or upper triangle of the last two dimensions, up to or from that diagonal (0: the main one, 1: the one
 * above it); the rest becomes 0. */
TN_API tn_tensor *tn_tril(tn_tensor *x, int64_t diagonal);
TN_API tn_tensor *tn_triu(tn_tensor *x, int64_t diagonal);

/* ---- products ---- */
/* (..., m, k)(..., k, n) -> (..., m, n), as NumPy's matmul: leading dimensions are a batch, and broadcast. A vector is
 * a row on the left and a column on the right, and the result lacks that dimension. */
TN_API tn_tensor *tn_matmul(tn_tensor *a, tn_tensor *b);
/* The same with the last two dimensions of a or b swapped first. */
TN_API tn_tensor *tn_matmul_t(tn_tensor *a, tn_tensor *b, int transpose_a, int transpose_b);
/* (m...), (n) -> (m..., n): each element of a times each of b, for vectors. */
TN_API tn_tensor *tn_outer(tn_tensor *a, tn_tensor *b);
/* Sums of products, as NumPy's einsum: "bij,bjk->bik", "ii->i", "...i,i" of 1 to 16 operands of one element type. What
 * "..." stands for stretches; a letter has one size. */
TN_API tn_tensor *tn_einsum(const char *equation, tn_tensor *const in[], uint32_t n_in);
/* The determinants of matrices (..., n, n), n from 1 to 256. */
TN_API tn_tensor *tn_det(tn_tensor *x);

/* ---- convolution and pooling of images (batch, channels, height, width); index 0 is the height, 1 the width ---- */
/* Of convolutions; all zero is a plain one. */
typedef struct tn_conv_options {
    uint32_t stride[2]; /* 0: 1; a width of 0 is the height */
    uint32_t pad[2];    /* zeros at the beginning, and as many at the end unless `size` asks for other; a width of 0 is
                           none, for a kernel of one column wants that */
    uint32_t dilation[2]; /* as the stride */
    uint32_t groups;      /* 0 means 1: output channels see only the input channels of their group */
    int64_t size[2];      /* of the result; 0: what whole windows give */
    uint64_t spare[4];
} tn_conv_options;
/* x (b, c, h, w), weight (k, c / groups, r, s) -> (b, k, p, q). A row of data is an image of height 1. */
TN_API tn_tensor *tn_convolve2d(tn_tensor *x, tn_tensor *weight, tn_conv_options options);
/* The transposed convolution: x (b, k, p, q), weight (k, c / groups, r, s) -> (b, c, h, w), such that tn_convolve2d by
 * the same options leads from (h, w) to (p, q). */
TN_API tn_tensor *tn_convolve2d_transposed(tn_tensor *x, tn_tensor *weight, tn_conv_options options);

/* Of pooling; the window is required. */
typedef struct tn_pool_options {
    uint32_t window[2]; /* a width of 0 is the height: {2} is 2 x 2 */
    uint32_t stride[2]; /* the same; both 0: as the window */
    uint32_t pad[2];    /* on both sides, smaller than the window; a width of 0 is none */
    uint32_t ceil_mode; /* the last window may reach over the end */
    uint32_t count_pad; /* averages count the padding as zeros */
    uint64_t spare[4];
} tn_pool_options;
/* The largest of each window; padding never is, a NaN always. tn_maxpool2d(x, .window = {2, 2}) */
#define tn_maxpool2d(x, ...) tn_maxpool2d_with(x, (tn_pool_options){__VA_ARGS__})
TN_API tn_tensor *tn_maxpool2d_with(tn_tensor *x, tn_pool_options options);
/* The mean of each window. tn_avgpool2d(x, .window = {2, 2}) */
#define tn_avgpool2d(x, ...) tn_avgpool2d_with(x, (tn_pool_options){__VA_ARGS__})
TN_API tn_tensor *tn_avgpool2d_with(tn_tensor *x, tn_pool_options options);
/* (b, c, h, w) -> (b, c, height, width): element i is the mean from floor(i h / height) to ceil((i + 1) h / height). An
 * infinity or NaN may make others of its image NaN. */
TN_API tn_tensor *tn_adaptive_avgpool2d(tn_tensor *x, int64_t height, int64_t width);
/* The mean of each channel, or the largest: (b, c, h, w) -> (b, c). */
TN_API tn_tensor *tn_global_avgpool2d(tn_tensor *x);
TN_API tn_tensor *tn_global_maxpool2d(tn_tensor *x);
/* (b, c, h, w) -> (b, c, height, width): row i is row floor(i h / height), as PyTorch's "nearest"; or the two rows
 * around it by their distance, where the outer pixels' centres (`align_corners`) or edges meet. An infinity or NaN then
 * makes others of its row and column NaN. height x h is at most 2^29, and width x w. */
TN_API tn_tensor *tn_resize_nearest(tn_tensor *x, int64_t height, int64_t width);
TN_API tn_tensor *tn_resize_bilinear(tn_tensor *x, int64_t height, int64_t width, int align_corners);
/* x at `count` places along an axis: start, start + step, ..., which need not be whole. */
#define TN_ROUND_HALF_DOWN 0 /* which element is the nearest one */
#define TN_ROUND_HALF_UP   1
#define TN_ROUND_DOWN      2
#define TN_ROUND_UP        3
typedef struct tn_interpolate_options {
    int32_t mode;       /* TN_LINEAR, TN_NEAREST or TN_CUBIC, below */
    int32_t round;      /* for the nearest */
    double cubic;       /* Keys' a; 0: -0.75 */
    uint32_t antialias; /* a width above 1 takes all elements in its reach into account */
    uint32_t exclude;   /* what would lie outside counts for nothing; else it is the outermost element again */
    double width;       /* for antialias: of how many elements one of the result stands for; 0: the step */
    uint64_t spare[3];
} tn_interpolate_options;
TN_API tn_tensor *tn_interpolate(tn_tensor *x, int32_t axis, int64_t count, double start, double step,
                                 tn_interpolate_options options);
/* (b, c, any sizes...) -> (b, c, sizes...), as PyTorch's interpolate: linear, or, by mode, nearest or cubic, of several
 * dimensions one after another. With `align_corners` and `antialias` together the outer centres meet, which in PyTorch
 * they do not. */
typedef struct tn_resize_options {
    int32_t mode;
    uint32_t align_corners; /* the outer elements' centres meet, else their edges */
    uint32_t antialias;     /* as above; cubic with a = -0.5 */
    uint32_t exact;         /* nearest by centres, PyTorch's "nearest-exact"; else by edges */
    uint64_t spare[4];
} tn_resize_options;
TN_API tn_tensor *tn_resize(tn_tensor *x, tn_shape sizes, tn_resize_options options);
/* (b, c r r, h, w) -> (b, c, h r, w r) for a factor r: channels become pixels; and back. Shi and others, 2016. */
TN_API tn_tensor *tn_pixel_shuffle(tn_tensor *x, int64_t factor);
TN_API tn_tensor *tn_pixel_unshuffle(tn_tensor *x, int64_t factor);
/* The same, but channel number (i r + j) c + k, not (k r + i) r + j, is pixel (i, j) of channel k: TensorFlow's order.
 */
TN_API tn_tensor *tn_depth_to_space(tn_tensor *x, int64_t factor);
TN_API tn_tensor *tn_space_to_depth(tn_tensor *x, int64_t factor);

/* How elements are taken at places between them: by the distance of the two around it along each dimension; the nearest
 * one, of two the even one; or by cubic convolution of four (Keys, 1981, with a = -0.75). */
#define TN_LINEAR  0
#define TN_NEAREST 1
#define TN_CUBIC   2
/* What lies outside: zeros; the outermost elements again; or x mirrored at its edges, at the outer elements' centres
 * with `align_corners`. */
#define TN_OUTSIDE_ZEROS      0
#define TN_OUTSIDE_BORDER     1
#define TN_OUTSIDE_REFLECTION 2
typedef struct tn_grid_options {
    int32_t mode, outside;
    uint32_t align_corners; /* -1 and 1 are the centres of the outer elements, else their edges */
    uint64_t spare[4];
} tn_grid_options;
/* x (b, c, sizes...) of one to three dimensions at the places of a grid (b, points..., dimensions), whose numbers are
 * from -1 to 1, that of the last dimension first -> (b, c, points...). Jaderberg and others, 2015. */
TN_API tn_tensor *tn_grid_sample(tn_tensor *x, tn_tensor *grid, tn_grid_options options);
/* The grid of so many points along each dimension, moved by affine maps (b, n, n + 1) -> (b, sizes..., n). */
TN_API tn_tensor *tn_affine_grid(tn_tensor *theta, tn_shape sizes, int align_corners);

/* ---- the same along one to three dimensions: (batch, channels, sizes...) ---- */
/* Numbers for each of these dimensions, in order. */
typedef struct tn_conv_nd_options {
    uint32_t stride[3];   /* 0: 1 */
    uint32_t dilation[3]; /* 0: 1 */
    uint32_t begin[3];    /* zeros before x, or places left out at the beginning of what is transposed */
    uint32_t end[3];      /* the same after it */
    uint32_t more[3];     /* places added at the end of what is transposed */
    uint32_t groups;      /* 0: 1 */
    uint64_t spare[4];
} tn_conv_nd_options;
/* x (b, c, sizes...), weight (k, c / groups, kernel...) -> (b, k, as many whole windows as there are...). */
TN_API tn_tensor *tn_conv_nd(tn_tensor *x, tn_tensor *weight, tn_conv_nd_options options);
/* The transposed: x (b, k, sizes...), weight (k, c / groups, kernel...) -> (b, c, ...), each size
 * (size - 1) stride + (kernel - 1) dilation + 1 + more - begin - end. */
TN_API tn_tensor *tn_conv_nd_transposed(tn_tensor *x, tn_tensor *weight, tn_conv_nd_options options);

/* Of pooling; numbers for each of these dimensions, in order. */
typedef struct tn_pool_nd_options {
    uint32_t window[3];   /* required for each dimension */
    uint32_t stride[3];   /* 0: as the window */
    uint32_t dilation[3]; /* 0: 1 */
    uint32_t begin[3];    /* padding before, smaller than the window's reach */
    uint32_t end[3];      /* and after */
    uint32_t ceil_mode;   /* as in tn_pool_options, these two */
    uint32_t count_pad;
    uint64_t spare[4];
} tn_pool_nd_options;
/* The largest of each window, of u8 too; padding never is, a NaN always. */
TN_API tn_tensor *tn_maxpool_nd(tn_tensor *x, tn_pool_nd_options options);
/* The mean of each window; and (sum |x|^p)^(1/p), p > 0, whose gradient is 0 where it is 0. */
TN_API tn_tensor *tn_avgpool_nd(tn_tensor *x, tn_pool_nd_options options);
TN_API tn_tensor *tn_lppool_nd(tn_tensor *x, double p, tn_pool_nd_options options);
/* Where in x, as i32, the first largest of each window lies, row by row: the number of its element in row-major order,
 * or, with `columns`, one where the order of the last one to three dimensions is reversed. The elements go to *values,
 * unless it is NULL. x has less than 2^31 elements. */
TN_API tn_tensor *tn_maxpool_nd_places(tn_tensor *x, tn_pool_nd_options options, int columns, tn_tensor **values);
/* The inverse: values at their places, as tn_maxpool_nd_places numbers the elements of a tensor of that shape, the rest
 * zeros. Of several at one place their mean. */
TN_API tn_tensor *tn_max_unpool_nd(tn_tensor *values, tn_tensor *places, tn_shape shape);

/* ---- reductions ---- */
/* Sum, product, mean, largest, smallest element over some axes; with `keep` these stay, as 1, else they go. A NaN is
 * largest and smallest. Over no elements a sum is 0, a product 1, a mean NaN; the other two fail. Where elements are 0,
 * the gradients of a product are right up to the second order. */
TN_API tn_tensor *tn_sum(tn_tensor *x, tn_axes axes, int keep);
TN_API tn_tensor *tn_prod(tn_tensor *x, tn_axes axes, int keep);
TN_API tn_tensor *tn_mean(tn_tensor *x, tn_axes axes, int keep);
TN_API tn_tensor *tn_amax(tn_tensor *x, tn_axes axes, int keep);
TN_API tn_tensor *tn_amin(tn_tensor *x, tn_axes axes, int keep);
/* 1 if any, or all, elements over some axes are not 0, else 0. */
TN_API tn_tensor *tn_any(tn_tensor *x, tn_axes axes, int keep);
TN_API tn_tensor *tn_all(tn_tensor *x, tn_axes axes, int keep);
/* The sum of squared distances from the mean, divided by n - correction: 0 for the variance of what is there, 1 for the
 * unbiased estimate; NaN if that is not above 0. And its root, whose gradient is 0 where it is 0. */
TN_API tn_tensor *tn_variance(tn_tensor *x, tn_axes axes, int64_t correction, int keep);
TN_API tn_tensor *tn_std(tn_tensor *x, tn_axes axes, int64_t correction, int keep);
/* (sum |x|^p)^(1/p); p = INFINITY: the largest |x|, -INFINITY: the smallest, 0: how many are not 0. The gradient is 0
 * where the norm is 0. */
TN_API tn_tensor *tn_norm(tn_tensor *x, double p, tn_axes axes, int keep);
/* x / max(its 2-norm, epsilon). */
TN_API tn_tensor *tn_l2_normalize(tn_tensor *x, tn_axes axes, double epsilon);
/* The place, i32, of the first largest or smallest element along an axis, which goes. */
TN_API tn_tensor *tn_argmax(tn_tensor *x, int32_t axis);
TN_API tn_tensor *tn_argmin(tn_tensor *x, int32_t axis);
/* exp(x) divided by its sum along an axis, and the logarithm of that; neither overflows for any x. */
TN_API tn_tensor *tn_softmax(tn_tensor *x, int32_t axis);
TN_API tn_tensor *tn_log_softmax(tn_tensor *x, int32_t axis);
/* log(sum(exp(x))) over some axes, which stay, as 1, with `keep`; it does not overflow for any x. Over no elements it
 * is minus infinity. */
TN_API tn_tensor *tn_logsumexp(tn_tensor *x, tn_axes axes, int keep);
/* Softmax over the elements whose mask, of any type and broadcast to x, is not 0; the others are 0, and so are all
 * where none of those is above minus infinity. */
TN_API tn_tensor *tn_masked_softmax(tn_tensor *x, tn_tensor *mask, int32_t axis);
/* (x - mean) / sqrt(variance + epsilon) over some axes; and x / sqrt(mean square + epsilon). */
TN_API tn_tensor *tn_normalize(tn_tensor *x, tn_axes axes, double epsilon);
TN_API tn_tensor *tn_rms_normalize(tn_tensor *x, tn_axes axes, double epsilon);
/* tn_normalize(x, axes, epsilon) weight + bias; both have x's shape with 1 for each of the axes. */
TN_API tn_tensor *tn_batch_normalize(tn_tensor *x, tn_tensor *weight, tn_tensor *bias, tn_axes axes, double epsilon);
/* The same of x's last dimensions, whose shape weight has: tn_normalize(x, them, epsilon) weight + bias. It is one
 * operator where the device has it. Ba and others, 2016. */
typedef struct tn_layer_normalize_options {
    tn_tensor *bias;    /* of weight's shape; NULL: none */
    uint32_t keep_mean; /* tn_rms_normalize(x, them, epsilon) weight + bias: Zhang and Sennrich, 2019 */
    uint64_t spare[4];
} tn_layer_normalize_options;
TN_API tn_tensor *tn_layer_normalize(tn_tensor *x, tn_tensor *weight, double epsilon,
                                     tn_layer_normalize_options options);
/* Where a training cuts its batches into shards (fit.h), a graph has one of them. tn_across is the sum of an f32 or f64
 * x over all shards, which is the same for each, and tn_batch_share the part of the batch's samples that are in this
 * one, of x's type: tn_across(tn_mul(mean, tn_batch_share(mean))) is the mean over the batch. In graphs of whole
 * batches they are x itself, and 1. tn_batch_normalize_across is tn_batch_normalize over the whole batch. */
TN_API tn_tensor *tn_across(tn_tensor *x);
TN_API tn_tensor *tn_batch_share(tn_tensor *like);
TN_API tn_tensor *tn_batch_normalize_across(tn_tensor *x, tn_tensor *weight, tn_tensor *bias, tn_axes axes,
                                            double epsilon);
/* Scaled dot-product attention, softmax(q k' / sqrt(d)) v: q (..., m, d), k (..., n, d), v (..., n, e) -> (..., m, e).
 * With `causal` query i sees the keys 0..i alone. Vaswani and others, 2017. */
TN_API tn_tensor *tn_attention(tn_tensor *q, tn_tensor *k, tn_tensor *v, int causal);
/* Attention with more to say: q (..., heads, queries, d), k (..., groups, keys, d), v (..., groups, keys, e) ->
 * (..., heads, queries, e). Where there are fewer groups than heads, heads / groups heads in a row share keys and
 * values (Ainslie and others, 2023). To go on with what came before, put its keys and values in front of the new ones
 * and give their number as `first`. A query that sees no key gets zeros. */
typedef struct tn_attend_options {
    tn_tensor *mask; /* of any type, broadcast to (..., heads, queries, keys): not 0 where a key is seen; NULL: all */
    tn_tensor *bias; /* added to the scores, broadcast likewise; NULL: none */
    double scale;    /* of the scores; 0: 1 / sqrt(d) */
    double cap;      /* scores become cap tanh(score / cap) before a bias is added; 0: they stay */
    int64_t first;   /* the number of the first query among the keys */
    int64_t reach;   /* a query sees but so many keys up to its own; 0: all */
    uint32_t causal; /* none after its own */
    uint64_t spare[4];
} tn_attend_options;
TN_API tn_tensor *tn_attend(tn_tensor *q, tn_tensor *k, tn_tensor *v, tn_attend_options options);
/* Positions by rotation (Su and others, 2021): of the last dimension's first elements, as many as twice the last
 * dimension of cosine and sine, element i and the one half of them later, or, `interleaved`, elements 2 i and 2 i + 1,
 * are turned by the angle of pair i. Cosine and sine are broadcast with (..., pairs). */
TN_API tn_tensor *tn_rotary(tn_tensor *x, tn_tensor *cosine, tn_tensor *sine, int interleaved);
/* Their cosine, and *sine, f32 (steps, pairs), for steps from `first` on: the angle is step / base^(pair / pairs); the
 * usual base is 10000. */
TN_API tn_tensor *tn_rotary_table(tn_graph *graph, int64_t first, int64_t steps, int64_t pairs, double base,
                                  tn_tensor **sine);
/* Whole numbers for x: round(x / scale) + zero, of two the even one, kept within low..high, as i32. Scale and zero are
 * one number each, or along an axis one for each place or for each of equal blocks of places: (parts), or of x's rank.
 * The zero, of any type, may be NULL: none. No gradient. */
typedef struct tn_quantize_options {
    int32_t axis, low, high;
    uint64_t spare[4];
} tn_quantize_options;
TN_API tn_tensor *tn_quantize(tn_tensor *x, tn_tensor *scale, tn_tensor *zero, tn_quantize_options options);
/* And back: (x - zero) scale, of the scale's type; x i32 or u8. */
TN_API tn_tensor *tn_dequantize(tn_tensor *x, tn_tensor *scale, tn_tensor *zero, int32_t axis);
/* The scale, and *zero, i32, by which x's range, 0 included, becomes low..high. */
TN_API tn_tensor *tn_quantize_range(tn_tensor *x, int32_t low, int32_t high, tn_tensor **zero);
/* Running sums along an axis; with `reverse` from its end, with `exclusive` without the element itself. */
TN_API tn_tensor *tn_cumsum(tn_tensor *x, int32_t axis, int reverse, int exclusive);
/* Running products, likewise. */
TN_API tn_tensor *tn_cumprod(tn_tensor *x, int32_t axis, int reverse, int exclusive);
/* x / (k + alpha mean)^beta, where the mean is that of the squares of so many channels before, those at the place
 * itself and so many after; channels that are not there count as 0. x (batch, channels, ...). Krizhevsky and others,
 * 2012. */
typedef struct tn_response_options {
    uint32_t before, after;
    double alpha, beta, k;
    uint64_t spare[4];
} tn_response_options;
TN_API tn_tensor *tn_local_response_norm(tn_tensor *x, tn_response_options options);
/* The first elements of each sample along an axis in reverse, as many as `lengths`, i32 (batch), says. */
TN_API tn_tensor *tn_reverse_sequence(tn_tensor *x, tn_tensor *lengths, int32_t axis, int32_t batch_axis);
/* Windows of signals, f32 (count): of a period of `count`, or `symmetric`, where the last number is the first. */
TN_API tn_tensor *tn_hann(tn_graph *graph, int64_t count, int symmetric);
TN_API tn_tensor *tn_hamming(tn_graph *graph, int64_t count, int symmetric);
TN_API tn_tensor *tn_blackman(tn_graph *graph, int64_t count, int symmetric);
/* The discrete Fourier transform along the last axis by a matrix product: returns the real part, and writes the
 * imaginary one to *out_im. A NULL im is 0. Zeros follow, or elements are left out at the end, up to `size`, at most
 * 46340. The inverse is divided by the size. */
typedef struct tn_dft_options {
    int64_t size; /* 0: that of the axis */
    uint32_t inverse;
    uint32_t half; /* the first size / 2 + 1 alone, which are all there is to know of a real signal */
    uint64_t spare[4];
} tn_dft_options;
TN_API tn_tensor *tn_dft(tn_tensor *re, tn_tensor *im, tn_dft_options options, tn_tensor **out_im);
/* The places, i32, of the k largest (or smallest) elements along an axis, best first: of equal ones the first comes
 * first, and a NaN counts as larger than all. The elements themselves go to *values, unless it is NULL. */
TN_API tn_tensor *tn_topk(tn_tensor *x, int64_t k, int32_t axis, int smallest, tn_tensor **values);
/* All of them: smallest first, or largest. Equal ones stay in order. For long lines it is slow: they are inserted. */
TN_API tn_tensor *tn_sort(tn_tensor *x, int32_t axis, int descending);
TN_API tn_tensor *tn_argsort(tn_tensor *x, int32_t axis, int descending);
/* Where values belong in sorted lines, i32: how many elements of the line are smaller or, with `right`, not larger. A
 * NaN is larger than all. Lines (..., n) and values (..., m), or one line (n) for values of any shape -> the shape of
 * the values. What is not sorted gives any places from 0 to n. No gradient. */
TN_API tn_tensor *tn_searchsorted(tn_tensor *sorted, tn_tensor *values, int right);

/* ---- indexing ---- */
/* Rows of a table: (n, ...), i32 (m...) -> (m..., ...). An index outside 0..n-1 gives zeros. */
TN_API tn_tensor *tn_gather(tn_tensor *table, tn_tensor *index);
/* Sums of rows by their numbers: i32 (m...), (m..., ...) -> (rows, ...). An index outside 0..rows-1 is left out. */
TN_API tn_tensor *tn_scatter_add(tn_tensor *index, tn_tensor *x, int64_t rows);
/* The same along any axis, by an index i32 (m): (..., n, ...) -> (..., m, ...). */
TN_API tn_tensor *tn_index_select(tn_tensor *x, int32_t axis, tn_tensor *index);
/* Elements along an axis by their places: the index, i32, has x's shape but for the axis, and so has the result. A
 * place outside gives 0. */
TN_API tn_tensor *tn_take(tn_tensor *x, tn_tensor *index, int32_t axis);
/* The inverse: sums of values by their places along an axis, which gets `size` elements. Index and values have one
 * shape; a place outside is left out. */
TN_API tn_tensor *tn_put(tn_tensor *index, tn_tensor *values, int32_t axis, int64_t size);
/* How an update meets what is at its place, and others there: it takes their place, the last of several; sum, product,
 * largest and smallest, of x's element and all updates. */
#define TN_SCATTER_SET 0
#define TN_SCATTER_ADD 1
#define TN_SCATTER_MUL 2
#define TN_SCATTER_MAX 3
#define TN_SCATTER_MIN 4
/* x with updates at places along an axis: index, i32, and updates have one shape, which is x's but for the axis. All
 * but sums sort the places: for long lines they are slow. A place outside is left out. */
TN_API tn_tensor *tn_scatter(tn_tensor *x, tn_tensor *index, tn_tensor *updates, int32_t axis, int32_t how);
/* x with updates (points..., the rest of x's dimensions) where index, i32 (points..., k), says: the place in each of
 * the first k dimensions of x. */
TN_API tn_tensor *tn_scatter_nd(tn_tensor *x, tn_tensor *index, tn_tensor *updates, int32_t how);
/* What is at such places: -> (points..., the rest). A place outside gives zeros. */
TN_API tn_tensor *tn_gather_nd(tn_tensor *x, tn_tensor *index);
/* x[i, label[i]]: (n, classes), i32 (n) -> (n). A label outside the classes gives 0. */
TN_API tn_tensor *tn_pick(tn_tensor *x, tn_tensor *label);
/* 1 at the index, else 0: i32 (m...) -> f32 (m..., classes). */
TN_API tn_tensor *tn_one_hot(tn_tensor *index, int64_t classes);
/* `count` rows of x from row `start` on, which is a scalar input of type i32. No gradient. */
TN_API tn_tensor *tn_dynamic_slice(tn_tensor *x, tn_tensor *start, int64_t count);

/* ---- choosing, with room for a number that is fixed: -1, or 0 in what is chosen, where there is no more ---- */
/* The coordinates of what is not 0, in row-major order: i32 (rank, or 1, most); and how many there are, i32, unless
 * NULL.
 */
TN_API tn_tensor *tn_nonzero(tn_tensor *x, int64_t most, tn_tensor **count);
/* The slices along an axis whose condition, of any type (at most as many as slices), is not 0. */
TN_API tn_tensor *tn_compress(tn_tensor *x, tn_tensor *condition, int32_t axis, int64_t most, tn_tensor **count);
/* The elements of x in order, each once, with room for all: (n). Of each the place of the first in x and how many, i32
 * (n); of each of x the place among those, in x's shape; and how many there are. */
typedef struct tn_unique_result {
    tn_tensor *first, *counts, *inverse, *count;
    uint64_t spare[4];
} tn_unique_result;
TN_API tn_tensor *tn_unique(tn_tensor *x, tn_unique_result *more);
/* Non-maximum suppression: boxes (batch, n, 4), scores (batch, classes, n) -> i32 (batch, classes, most): the boxes
 * with the best scores, best first, of which no two share more than `overlap` of their common area. A step for each of
 * them; `most` is 1 to 4096. */
typedef struct tn_nms_options {
    double overlap;
    double least_score; /* only what is above it counts */
    uint32_t centres;   /* boxes are centre and size, else two opposite corners */
    uint64_t spare[4];
} tn_nms_options;
TN_API tn_tensor *tn_nms(tn_tensor *boxes, tn_tensor *scores, int64_t most, tn_nms_options options);

/* ---- names of earlier versions ---- */

/* Now tn_convolve2d, tn_convolve2d_transposed, tn_dynamic_slice. */
TN_OLD("tn_convolve2d") tn_tensor *tn_conv2d_with(tn_tensor *x, tn_tensor *weight, tn_conv_options options);
TN_OLD("tn_convolve2d_transposed")
tn_tensor *tn_conv2d_transposed(tn_tensor *x, tn_tensor *weight, tn_conv_options options);
TN_OLD("tn_dynamic_slice") tn_tensor *tn_window(tn_tensor *x, tn_tensor *start, int64_t count);

#ifdef __cplusplus
}
#endif
#endif
