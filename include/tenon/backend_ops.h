/* backend_ops.h: the operators that cross, and their attributes. A part of backend.h, which is what one includes.
 *
 * An operator crosses by name, with an attribute struct whose first field is its size; zero means 'as before', and
 * tn_attrs_known tells whether there is more. A backend that doesn't know a name answers TN_EUNSUPPORTED: no error.
 *
 * name         inputs -> outputs                                  attributes
 * map          any number, all of the outputs' shape -> 1 or more tn_map_attrs
 * reduce       the inputs of a map -> 1, kept dims, 1 elsewhere   tn_reduce_attrs
 * matmul       a, b, then the epilogue's inputs -> 1, or 2 with `sums`   tn_matmul_attrs
 * softmax      x (outer, n, inner) -> same, over n                none (NULL); a line of only -infinity gives NaN
 * log_softmax  x (outer, n, inner) -> same, over n                none
 * transpose    x -> x with its dimensions permuted                tn_transpose_attrs
 * gather       table (n, d), index i32 (m) -> (m, d)              none; an index outside 0..n-1 gives zeros
 * window       x (n, d) -> rows start..start+m of x, (m, d)       tn_window_attrs; start is clamped to 0..n-m
 * scatter_add  index i32 (m), x (m, d) -> sums of rows, (n, d)    none; rows of an index outside 0..n-1 are left out
 * slice        x -> y of the same rank                            tn_slice_attrs
 * unslice      y -> x of the same rank, zero where no y lies      tn_slice_attrs: the inverse of slice
 * concat       any number of (outer, n_i, inner) -> (outer, sum of n_i, inner)   none
 * cumsum       x (outer, n, inner) -> same, over n                tn_cumsum_attrs
 * topk         x (outer, n, inner) -> i32 (outer, k, inner)       tn_topk_attrs
 * searchsorted sorted (l, n), values (l, m) -> i32 (l, m)        tn_searchsorted_attrs
 * attend       q (o, h, n, d), k (o, g, m, d), v (o, g, m, e), perhaps a mask -> (o h n (e + 1))   tn_attend_attrs
 * attend_grad  q, k, v, what attend gave, dy (o, h, n, e), the mask -> dq, dk, dv in a vector     tn_attend_attrs
 * layer_norm   x (m, n), perhaps weight (n), perhaps bias (n) -> (m, n)   tn_layer_norm_attrs
 * layer_norm_grad x, dy (m, n), perhaps weight (n) -> dx, dweight, dbias in a vector   tn_layer_norm_attrs
 * take         x (outer, n, inner), index i32 (outer, m, inner) -> x along n (outer, m, inner)   none; outside: 0
 * put          index i32 (outer, m, inner), y (same) -> sums of y along n (outer, n, inner)     none; outside: left out
 * conv2d       x (b, c, h, w), weight (k, c/groups, r, s), then the epilogue's inputs -> (b, k, p, q)   tn_conv_attrs
 * conv2d_data  dy (b, k, p, q), weight -> dx (b, c, h, w)         tn_conv_attrs: what conv2d means for its x
 * conv2d_weight x, dy -> dw (k, c/groups, r, s)                   tn_conv_attrs: what conv2d means for its weight
 * maxpool2d    x (b, c, h, w) -> (b, c, p, q)                     tn_pool_attrs; padding never wins, a NaN does
 * maxpool2d_grad x, dy (b, c, p, q) -> dx; to the first largest   tn_pool_attrs
 * avgpool2d    x -> (b, c, p, q)                                  tn_pool_attrs
 * avgpool2d_grad dy -> dx (b, c, h, w)                            tn_pool_attrs
 */
#ifndef TENON_BACKEND_OPS_H
#define TENON_BACKEND_OPS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The most that the host asks of one operator. A device that takes less says so in its tn_device_info, and declines. */
#define TN_MAX_RANK     8
#define TN_MAX_OPERANDS 24 /* inputs and outputs, each */
#define TN_MAX_INSTRS   96 /* instructions of one map */
#define TN_MAX_SCALARS  24 /* run-time scalars of one operator */

/* One step of a map's program. Its result is value number (inputs + its place in the list). Frozen.
 *
 * `op` is a row of unary.def ("relu", arg x) or binary.def ("add", args a, b); "relu.grad" (args x, y, dy) or
 * "add.da" and "add.db" (args a, b, y, dy), where an arg that the row's text does not name is -1; or one of
 *   "const"    the number `value`
 *   "scalar"   run-time scalar number arg[0] (`f` for a floating dtype, `i` for an integer one)
 *   "iota"     the element's coordinate along dimension arg[0] of the iteration space
 *   "cast"     arg[0] as `dtype` (to an integer: towards zero, the nearest that fits, a NaN to 0)
 *   "where"    arg[0] is not 0 ? arg[1] : arg[2]
 *   "uniform"  a random number in [0, 1): see tn_map_attrs
 *   "normal"   a random number of mean 0 and variance 1
 * All args of a row have the type of the result. Comparisons give 1 or 0 in the type of their operands. Slots of `arg`
 * that an instruction has no use for hold -1, and `value` is 0 there. Rows for TN_I32 are those that binary.def marks
 * FI, and their gradients; none is in unary.def. None traps: binary.def says what divisions by 0 give. In all operators
 * sums, differences and products of TN_I32 wrap around (two's complement). Random numbers are TN_F32 or TN_F64. */
typedef struct tn_map_instr {
    const char *op;
    int32_t arg[4];
    int32_t dtype; /* of the result: TN_F32, TN_I32 or TN_F64 */
    int32_t reserved;
    double value; /* of a const; of uniform and normal the stream, 0 to 2^24 - 1 */
} tn_map_instr;

/* map: one element-wise program over an iteration space of the outputs' shape.
 * Values 0 .. inputs-1 are the operands' elements as loaded: u8 and i8 as i32, f16 and bf16 as f32, others as they are.
 * `out[k]` is the value stored to output k, rounded as IEEE 754 has it (ties to even) for f16 and bf16, low 8 bits for
 * u8 and i8.
 *
 * Random numbers: Philox4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", 2011).
 * For the element of linear index e in the iteration space: key = (low, high word of run-time scalar arg[0]), counter
 * = (low word of e/4, stream, low, high word of run-time scalar arg[1]) with stream = `value` plus 2^24 times the
 * high word of e/4; the word used is number e%4.
 *   uniform = (word >> 8) * 2^-24
 *   normal (Box and Muller, 1958) takes words p = e%4 & ~1 and p+1: u = ((word[p] >> 8) + 1) * 2^-24,
 *   v = (word[p+1] >> 8) * 2^-24, r = sqrt(-2 ln u); r cos(2 pi v) for an even e, r sin(2 pi v) for an odd one. */
typedef struct tn_map_attrs {
    uint64_t size;
    const tn_map_instr *instr;
    const int32_t *out;
    uint32_t n_instr, n_in, n_out;
    uint32_t n_scalar; /* at most TN_MAX_SCALARS */
} tn_map_attrs;

/* reduce: folds the one value of a map over some dimensions of its iteration space.
 * `kind`: "sum", "prod", "max", "min" (a NaN wins), "argmax", "argmin" (i32: the place of the first best element
 * along the reduced dimensions, in row-major order; a NaN is best). The iteration space is `dim`; the output has the
 * same rank, and 1 in place of each reduced dimension. A sum of no elements is 0, a product is 1; the other kinds of no
 * elements are declined (the host doesn't ask). Of i32 values sums and products wrap. */
typedef struct tn_reduce_attrs {
    uint64_t size;
    const char *kind;
    const tn_map_attrs *map; /* n_out is 1 */
    int64_t dim[TN_MAX_RANK];
    uint32_t rank;
    uint32_t axes; /* bit d set: dimension d is reduced */
} tn_reduce_attrs;

/* matmul: y = epilogue(op(a) op(b)). Always rank 3: a (batch, m, k), or (batch, k, m) with trans_a; b (batch, k, n),
 * or (batch, n, k) with trans_b; y (batch, m, n). The batch stride of a or b may be 0. `epilogue` may be NULL; else
 * its value 0 is the product in f32 (f64 for f64 operands), values 1.. are inputs 2.. of the operator, of y's shape
 * with strides, and it has one output. With `sums` there is a second output (batch, m): the sums of op(a) over k, as a
 * layer's bias wants them, in f32 (f64 for f64). The types of a and b may differ if both are computed in f32. */
typedef struct tn_matmul_attrs {
    uint64_t size;
    const tn_map_attrs *epilogue;
    uint32_t trans_a, trans_b;
    uint32_t sums;
    uint32_t reserved;
} tn_matmul_attrs;

/* transpose: dimension d of the output is dimension perm[d] of the input. */
typedef struct tn_transpose_attrs {
    uint64_t size;
    int32_t perm[TN_MAX_RANK];
} tn_transpose_attrs;

/* window: rows start .. start+m of x, where start is run-time scalar number `scalar` (its `i`). */
typedef struct tn_window_attrs {
    uint64_t size;
    uint32_t scalar;
    uint32_t reserved;
} tn_window_attrs;

/* slice: along dimension d, element i of y is element start[d] + i step[d] of x; a step may be negative, not 0. */
typedef struct tn_slice_attrs {
    uint64_t size;
    int64_t start[TN_MAX_RANK];
    int64_t step[TN_MAX_RANK];
} tn_slice_attrs;

/* cumsum: sums from the first element on, or with `reverse` from the last; `exclusive`: without the element itself. */
typedef struct tn_cumsum_attrs {
    uint64_t size;
    uint32_t reverse;
    uint32_t exclusive;
} tn_cumsum_attrs;

/* topk: the places of the k largest elements (with `smallest`, the smallest) in order; of equal ones, as 0 and -0 are,
 * the first comes first, and a NaN counts as larger than all. */
typedef struct tn_topk_attrs {
    uint64_t size;
    uint32_t smallest;
    uint32_t reserved;
} tn_topk_attrs;

/* searchsorted: how many elements of its line, which is in ascending order, are smaller than each value (with `right`,
 * not larger); a NaN counts as larger than all. Of lines in no order, any number from 0 to n. */
typedef struct tn_searchsorted_attrs {
    uint64_t size;
    uint32_t right;
    uint32_t reserved;
} tn_searchsorted_attrs;

/* attend: attention that never stores the scores, which are scale q k', (o, h, n, m). With `causal` query i sees the
 * keys 0..first + i alone; g divides h, and head i has keys and values i / (h / g). The last input, if there are four
 * (of attend_grad six), is a mask (o, h, n, m), of which all dimensions but the last may have a stride of 0: of the
 * type of the others it is added to the scores, of i32 it hides where it is 0. The output is a vector: first y (o, h,
 * n, e), the means of the values by softmax of the scores of the keys that are seen, then for each query (o, h, n) the
 * logarithm of the sum of the exponentials of these. A query for which an i32 mask leaves no score but -infinity has 0
 * in both; else scores that are all -infinity, or infinity or NaN among them, make its y NaN, as softmax does. Whether
 * an infinity or NaN shows of a key that is hidden from a query, or of a value whose weight is 0 or nearly, is left
 * open. attend_grad: what y means for q, k and v, all of them in a vector, one after another. A device that is no
 * faster so than by products and softmax answers TN_EUNSUPPORTED, and is given these. */
typedef struct tn_attend_attrs {
    uint64_t size;
    double scale;  /* finite */
    int64_t first; /* 0 to 2^31 - 1 */
    uint32_t causal;
    uint32_t reserved;
} tn_attend_attrs;

/* layer_norm: of each row of x, the difference from its mean, times 1 / sqrt(the mean of its square + epsilon), times
 * weight, plus bias. With `keep_mean` x itself takes the place of that difference. layer_norm_grad: what y means for x
 * (m, n) and, if there is a weight, for that (n) and without `keep_mean` for a bias (n), all of them in a vector, one
 * after another. Operands may be stored in f16 or bf16 where others are of f32: they are computed with as f32. A device
 * that has no better way than a reduction, another and a map answers TN_EUNSUPPORTED, and is given these. */
typedef struct tn_layer_norm_attrs {
    uint64_t size;
    double epsilon; /* finite, 0 or more */
    uint32_t keep_mean;
    uint32_t reserved;
} tn_layer_norm_attrs;

/* conv2d: y[b,k,i,j] = sum over c, r, s of x[b,c,i stride - pad + r dilation, ...] weight[k,c,r,s], zero outside x
 * (whether an infinity or NaN shows where it meets those zeros, or in conv2d_data those between a stride's elements, is
 * left open). Channel k sees the c/groups channels of its group. Index 0 is the height, 1 the width. The output size is
 * given by the descriptors: padding at the end may differ from `pad`, which is that at the beginning. `epilogue` as in
 * matmul, over (b, k, p, q); only conv2d has one. With `channels_last` all images, x and y, have their channels last,
 * (b, h, w, c) and (b, p, q, k), which is what an epilogue is over, too; weights are as ever. tn_check_op declines it;
 * tn_check_op_with lets it pass. Images and weights may be stored in f16 or bf16 where others are of f32, and are
 * computed with as f32: that, too, tn_check_op declines, but where all have one type. */
typedef struct tn_conv_attrs {
    uint64_t size;
    const tn_map_attrs *epilogue;
    uint32_t stride[2], pad[2], dilation[2];
    uint32_t groups;
    uint32_t channels_last;
} tn_conv_attrs;

/* Pooling over windows. avgpool2d divides by the number of elements of x in the window, or with `count_pad` by those of
 * the padded x: padding beyond the end that the output's size asks for is never counted. Of a window with no element of
 * x the largest is -infinity (of whole numbers: left open), the mean 0, and a gradient goes nowhere. `channels_last` as
 * in convolutions: (b, h, w, c) and (b, p, q, c); and images may be stored likewise. */
typedef struct tn_pool_attrs {
    uint64_t size;
    uint32_t window[2], stride[2], pad[2];
    uint32_t count_pad;
    uint32_t channels_last;
} tn_pool_attrs;

#ifdef __cplusplus
}
#endif
#endif
