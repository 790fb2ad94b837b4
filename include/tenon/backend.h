/* backend.h: the plugin ABI, and all that the author of a backend includes.
 *
 * A backend is a shared library that exports one symbol, tn_backend_query. It includes nothing else of Tenon, does
 * not link Tenon, and copies backends/null to begin. docs/backend.md tells the same story at more length.
 *
 * Rules that hold everywhere
 *  - Compatibility. The major version changes when anything here changes its meaning. Tables and structs that begin
 *    with `size` (in bytes, set by whoever fills them) only grow at the end, and then the minor version moves: a field
 *    exists if `size` covers it (TN_HAS tells), one that does not reads as zero, and those of 1.0 always exist.
 *    Structs without `size` sit in arrays and are frozen. In a struct that the callee fills (tn_device_info,
 *    tn_kernel_info, tn_queue_stats) the caller sets `size` to the room there is; the callee writes no byte beyond it,
 *    and sets `size` to what it wrote: tn_answer does just that.
 *  - What is not known. A byte that is not zero in `reserved`, or in attributes or a tn_op_desc beyond the known size,
 *    or a flag other than 0 and 1, wants something: TN_EUNSUPPORTED. What a tn_host or tn_run has beyond is an offer.
 *  - Types. Fixed-width integers and pointers, no enum, no bit-field, no padding.
 *  - Errors. A function that can fail returns a status code (TN_OK = 0) and may write one line, with no newline, that
 *    names the culprit into the caller's message (the tn_msg may be NULL or tiny). Outputs are untouched on failure.
 *    Nothing aborts, prints, raises a signal or throws across this boundary.
 *  - Threads. Contexts, kernels, buffers and events may be used from many threads at once; a queue has one user at a
 *    time. What is destroyed is in no other call. init, deinit, device_count and device_info have one caller at a time.
 *  - Letting go. Buffers, events, kernels and queues may be destroyed while work that uses them is under way, which
 *    is done all the same: by waiting for it, or by keeping what it needs. A context goes last.
 *  - Numbers. The same operands give the same bits each time, in any queue, context and thread, however it rounds.
 *    What is only moved (in a map: by "where" alone) keeps its bits, a NaN some NaN; computing may lose denormals.
 *  - Environment. None of its variables is read: the host has options. A caller's rounding, denormals, signals stay.
 *  - Unloading. A backend is never unloaded; `deinit` releases what it can, and `init` may follow again.
 */
#ifndef TENON_BACKEND_H
#define TENON_BACKEND_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TN_ABI_MAJOR 1u
#define TN_ABI_MINOR 1u /* moves whenever a struct grows; docs/backend.md says what each version added */

/* The most that the host asks of one operator. A device that takes less says so in its tn_device_info, and declines. */
#define TN_MAX_RANK     8
#define TN_MAX_OPERANDS 24 /* inputs and outputs, each */
#define TN_MAX_INSTRS   96 /* instructions of one map */
#define TN_MAX_SCALARS  24 /* run-time scalars of one operator */

#if defined(__GNUC__)
#define TN_BACKEND_EXPORT __attribute__((visibility("default")))
#else
#define TN_BACKEND_EXPORT
#endif

/* ---- status codes -------------------------------------------------------------------------------------------- */

#define TN_OK           0
#define TN_EINVAL       1  /* a bad argument, option or value */
#define TN_ESHAPE       2  /* shapes that do not fit */
#define TN_EDTYPE       3  /* element types that do not fit */
#define TN_EUNSUPPORTED 4  /* this backend does not do that; the host will look elsewhere */
#define TN_ENOMEM       5  /* out of memory, on the host or the device */
#define TN_EIO          6  /* a file could not be read or written */
#define TN_EFORMAT      7  /* a file's content is not what it should be */
#define TN_EDEVICE      8  /* the device or its driver failed or was lost */
#define TN_EMISSING     9  /* a name that is not there: a file, device, tensor, layer */
#define TN_ESTATE       10 /* a call that is out of order */

/* ---- element types ------------------------------------------------------------------------------------------- */

/* Each is a row of dtype.def. */
#define TN_F32  1
#define TN_I32  2
#define TN_U8   3
#define TN_F16  4
#define TN_BF16 5
#define TN_F64  6
#define TN_I8   7

/* ---- small structs ------------------------------------------------------------------------------------------- */

/* Where a message goes: at most `capacity` bytes, the closing zero included. Frozen. */
typedef struct tn_msg {
    char *text;
    uint64_t capacity;
} tn_msg;

/* The logical shape of an operand and where its elements lie. Strides are in elements. Frozen.
 * Every operand is dense and row-major, but for the inputs of a map (the map of a reduce and the epilogue of a
 * matmul included), of which any dimension may be broadcast: its stride is 0; and the batch dimension of a matmul. */
typedef struct tn_tensor_desc {
    int32_t dtype;
    int32_t rank;
    int64_t dim[TN_MAX_RANK];
    int64_t stride[TN_MAX_RANK];
} tn_tensor_desc;

typedef struct tn_context tn_context; /* a device made ready; the backend's own */
typedef struct tn_buffer tn_buffer;   /* device memory */
typedef struct tn_queue tn_queue;     /* an in-order, asynchronous list of work */
typedef struct tn_event tn_event;     /* a point in a queue */
typedef struct tn_kernel tn_kernel;   /* an operator prepared for given shapes */

/* A place in device memory: bytes from the buffer's start. Offsets are multiples of the device's `alignment` where a
 * tensor of its own begins, and of the element size otherwise. What has no elements lies in a buffer, too, perhaps at
 * its very end; only scratch memory of no bytes has the buffer NULL. Frozen. */
typedef struct tn_ref {
    tn_buffer *buffer;
    uint64_t offset;
} tn_ref;

/* A value that may change at each run without preparing anything again. Frozen. */
typedef union tn_scalar {
    double f;
    int64_t i;
} tn_scalar;

/* ---- operators ----------------------------------------------------------------------------------------------- *
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
 * tn_check_op_with lets it pass. */
typedef struct tn_conv_attrs {
    uint64_t size;
    const tn_map_attrs *epilogue;
    uint32_t stride[2], pad[2], dilation[2];
    uint32_t groups;
    uint32_t channels_last;
} tn_conv_attrs;

/* Pooling over windows. avgpool2d divides by the number of elements of x in the window, or with `count_pad` by those of
 * the padded x: padding beyond the end that the output's size asks for is never counted. Of a window with no element of
 * x the largest is -infinity (of whole numbers: left open), the mean 0, and a gradient goes nowhere. */
typedef struct tn_pool_attrs {
    uint64_t size;
    uint32_t window[2], stride[2], pad[2];
    uint32_t count_pad;
    uint32_t reserved;
} tn_pool_attrs;

/* How far numbers of f32 may be rounded before they are multiplied. At F32 not at all: sums in any order, but nothing
 * narrower on the way (docs/conformance.md has the numbers). The other levels are for the first two operands of matmul,
 * conv2d, conv2d_data and conv2d_weight, for q, k, v and dy of attend and attend_grad, and for the weights that these
 * multiply by: sums, epilogues and other types are as at F32. They are permission and no demand: a backend that such a
 * level makes no faster, or that doesn't know it, answers TN_EUNSUPPORTED, as it does for any other operator, and is
 * asked again at F32. tn_take_precision, in backend_operand.h, is for those that know them. */
#define TN_PRECISION_F32      0u
#define TN_PRECISION_F32_FAST 1u /* to 11 significant bits or more: TF32, or two parts of bf16 */
#define TN_PRECISION_BF16     2u /* to 8 or more: bf16 */

/* An operator to prepare. It belongs to the caller and is gone after the call. */
typedef struct tn_op_desc {
    uint64_t size;
    const char *name;
    const tn_tensor_desc *in;
    const tn_tensor_desc *out;
    uint32_t n_in;
    uint32_t n_out;
    const void *attrs;
    const int32_t *alias; /* for each output the input that it overwrites in place, or -1; NULL: none. No other input
                             overlaps that one. Other outputs overlap no input, and no two outputs overlap. */
    /* Since 1.1. Hints for speed, which change no answer and no result: in all runs operand i begins at a multiple of
     * so many bytes, a power of two; 0, or NULL for all: of its element's size. */
    const uint64_t *in_align, *out_align;
    uint32_t precision; /* since 1.1; one of TN_PRECISION_ */
    /* Since 1.1. 1: many operators alike have this input 1, as the steps of a recurrent layer have their weight, or it
     * is the same in many runs, and what is made of it, such as its elements in another order, may be kept in memory
     * that is given for it: see tn_kernel_info.kept. As a level of precision it is permission and no demand: a
     * backend that keeps nothing answers TN_EUNSUPPORTED, and is asked again without. */
    uint32_t keeps;
} tn_op_desc;

/* What the host is told of an operator, the same whether it asks or has it prepared. */
typedef struct tn_kernel_info {
    uint64_t size;
    uint64_t scratch;  /* bytes of scratch memory that each run must be given; 0: none */
    uint64_t launches; /* what one run adds to tn_queue_stats.launches; may be 0 where there are no elements */
    /* Since 1.1. Of an operator that keeps: bytes of memory for what is made of input 1. It is the same for all that
     * are described alike, but for what follows the product and for hints; so are the bytes that they keep there. */
    uint64_t kept;
} tn_kernel_info;

/* One run of a prepared operator. Scratch memory begins at a multiple of the device's `alignment` and keeps nothing
 * from run to run; only runs in one queue are given the same. */
typedef struct tn_run {
    uint64_t size;
    const tn_ref *in;
    const tn_ref *out;
    tn_ref scratch;
    const tn_scalar *scalar;
    uint64_t n_scalar; /* how many: as many as the operator names (n_scalar of its map; for window 1 more than `scalar`)
                          or more, of which the rest is ignored; at most TN_MAX_SCALARS */
    /* Since 1.1. Of an operator that keeps: its memory, as scratch memory begins; and 1 if it is as an operator that is
     * described alike left it in this queue, with the same elements in its input 1; 0: it is to be filled. */
    tn_ref kept;
    uint64_t is_kept;
} tn_run;

/* ---- devices ------------------------------------------------------------------------------------------------- */

#define TN_DEVICE_CPU         1u
#define TN_DEVICE_GPU         2u
#define TN_DEVICE_ACCELERATOR 3u
#define TN_DEVICE_OTHER       4u

/* Filled by device_info. Texts are closed by a zero. */
typedef struct tn_device_info {
    uint64_t size;
    char name[128]; /* for people */
    char vendor[64];
    char driver[128]; /* name and version of the driver */
    char id[64];      /* the same device keeps its id when others come and go; the backend's own id ("cpu") says
                         that there is only ever this one device, which is then named without an index */
    uint32_t kind;
    uint32_t units;      /* compute units or cores */
    uint64_t memory;     /* bytes; 0: not known */
    uint64_t max_buffer; /* bytes of the largest buffer; 0: no limit */
    uint64_t alignment;  /* bytes, a power of two: where a tensor of its own should begin */
    /* Since 1.1: the most that one operator may have; 0: the limits above. It saves asking: op_prepare decides. */
    uint32_t max_in, max_out; /* operands */
    uint32_t max_instr;       /* instructions of a map */
    uint32_t max_scalar;      /* run-time scalars of a map */
} tn_device_info;

/* What a queue has done since it was made. */
typedef struct tn_queue_stats {
    uint64_t size;
    uint64_t launches;    /* kernels that op_run gave to the device; moves, fills and events are none */
    uint64_t host_waits;  /* each queue_sync, and each call that came back only when the device had made room in the
                             queue or moved the bytes; what is done in the caller's own thread is no wait */
    uint64_t bytes_write; /* from host to device */
    uint64_t bytes_read;  /* from device to host */
} tn_queue_stats;

/* ---- the host's services -------------------------------------------------------------------------------------- */

#define TN_LOG_DEBUG   0
#define TN_LOG_INFO    1
#define TN_LOG_WARNING 2
#define TN_LOG_ERROR   3

/* Given to init, valid until deinit returns, free-threaded. `self` is the first argument of each. */
typedef struct tn_host {
    uint64_t size;
    void *self;
    /* Host memory, zeroed, counted; NULL: there is none. `alignment` is a power of two. release(NULL) is fine. */
    void *(*allocate)(void *self, uint64_t bytes, uint64_t alignment);
    void (*release)(void *self, void *memory);
    void (*log)(void *self, int32_t level, const char *line);
    /* The option's text ("threads", "platform"), or NULL; lives as long as the host. Since 1.1 a backend asks for every
     * option that it has before its first context_create returns: the host refuses others that were set. A value that
     * makes no sense is refused by then: TN_EINVAL, and a line that names the option. */
    const char *(*option)(void *self, const char *backend, const char *key);
    /* The disk cache; both are NULL where the user keeps none. `key` is any text. get: the entry's bytes or -1; it is
     * copied only if it fits in `capacity`, and may be damaged. put: atomic; failing to store is no error. */
    int64_t (*cache_get)(void *self, const char *key, void *data, uint64_t capacity);
    void (*cache_put)(void *self, const char *key, const void *data, uint64_t bytes);
    /* body(arg, begin, end) over pieces of 0..n, on the host's threads; returns when all are done. */
    void (*parallel_for)(void *self, int64_t n, void (*body)(void *arg, int64_t begin, int64_t end), void *arg);
    /* Since 1.1. A table of the host's (backend_ext.h) by its id, or NULL; valid as long as the host. */
    const void *(*get_ext)(void *self, const char *id);
} tn_host;

/* ---- the backend ---------------------------------------------------------------------------------------------- */

/* The table of a backend. A number that no device has is TN_EMISSING. */
typedef struct tn_backend {
    uint64_t size;
    uint32_t abi_major;
    uint32_t abi_minor;
    const char *id; /* "cpu": 1 to 31 of a-z, 0-9, '-' and '_'; a device is named id:index */
    const char *version;
    const char *doc; /* one line */

    /* Called once before all others, and again after deinit: in between no other comes. Keeps the pointer to the host.
     * A second init before deinit, by another copy of the library in this process, fails with TN_ESTATE. */
    int32_t (*init)(const tn_host *host, tn_msg *msg);
    void (*deinit)(void);

    int32_t (*device_count)(uint32_t *count, tn_msg *msg);
    int32_t (*device_info)(uint32_t device, tn_device_info *info, tn_msg *msg);

    int32_t (*context_create)(uint32_t device, tn_context **context, tn_msg *msg);
    void (*context_destroy)(tn_context *context); /* after everything made from it; NULL is fine, as in all destroys */

    /* At least `bytes` bytes, contents undefined; `bytes` may be 0. */
    int32_t (*buffer_create)(tn_context *context, uint64_t bytes, tn_buffer **buffer, tn_msg *msg);
    void (*buffer_destroy)(tn_buffer *buffer);

    /* Work in a queue runs in order and asynchronously, any amount of it: the call that finds a finite queue full waits
     * until there is room, which needs no flush; no other call that enqueues waits, and being full is no error. The
     * first error sticks: earlier work is done, later work is dropped, and queue_sync, which waits for all of it,
     * returns the error each time; other calls on that queue may return it or TN_OK. A call that enqueues what cannot
     * be is such an error, TN_EINVAL, at its place in the order; the backend finds what lies (scratch, too) beyond the
     * bytes asked for, a pattern that does not fit, too few scalars. Events pass no error on to other queues. */
    int32_t (*queue_create)(tn_context *context, tn_queue **queue, tn_msg *msg);
    void (*queue_destroy)(tn_queue *queue);               /* waits first */
    int32_t (*queue_flush)(tn_queue *queue, tn_msg *msg); /* sees to it that the work begins; does not wait */
    int32_t (*queue_sync)(tn_queue *queue, tn_msg *msg);
    int32_t (*queue_stats)(tn_queue *queue, tn_queue_stats *stats, tn_msg *msg);

    /* Asynchronous as well: the host's memory must stay as it is until the queue, or an event that stands for the call,
     * was synced. Any number of bytes, at any offset; ranges of a copy do not overlap; a fill repeats a pattern of 1,
     * 2, 4 or 8 bytes, of which offset and bytes are multiples; the pattern is copied before the call returns. */
    int32_t (*write)(tn_queue *queue, tn_ref to, const void *from, uint64_t bytes, tn_msg *msg);
    int32_t (*read)(tn_queue *queue, void *to, tn_ref from, uint64_t bytes, tn_msg *msg);
    int32_t (*copy)(tn_queue *queue, tn_ref to, tn_ref from, uint64_t bytes, tn_msg *msg);
    int32_t (*fill)(tn_queue *queue, tn_ref to, uint64_t bytes, const void *pattern, uint64_t pattern_bytes,
                    tn_msg *msg);

    /* record: the event stands from now on for the work that `queue` has so far, waits too; flushes. It is done when
     * that work is done, or was dropped after an error (a failed queue records, too); and before it is recorded. wait:
     * later work of `queue` waits for what the event stands for at this call, whatever is recorded later; the host does
     * not. sync: the host waits; it fails only if the device is lost. */
    int32_t (*event_create)(tn_context *context, tn_event **event, tn_msg *msg);
    void (*event_destroy)(tn_event *event);
    int32_t (*event_record)(tn_queue *queue, tn_event *event, tn_msg *msg);
    int32_t (*event_wait)(tn_queue *queue, tn_event *event, tn_msg *msg);
    int32_t (*event_sync)(tn_event *event, tn_msg *msg);

    /* 'Is it supported?' and 'make it ready' are one function: with kernel == NULL it only answers. TN_OK is a
     * promise: from then on the operator fails only for lack of memory or loss of the device. TN_EUNSUPPORTED is
     * the other normal answer: the host looks elsewhere, and shows the message as the reason. All others are errors.
     * Asking is cheap: it compiles nothing, does nothing on the device and keeps no memory. `info` may be NULL. */
    int32_t (*op_prepare)(tn_context *context, const tn_op_desc *desc, tn_kernel **kernel, tn_kernel_info *info,
                          tn_msg *msg);
    void (*op_release)(tn_kernel *kernel);
    /* Enqueues the operator. Allocates nothing and waits for nothing but room; but for the first run of a backend that
     * offers tenon.ready/1 (backend_ext.h) and was not asked. `run` is gone after the call. */
    int32_t (*op_run)(tn_queue *queue, tn_kernel *kernel, const tn_run *run, tn_msg *msg);

    /* An extension's table (backend_ext.h) by its id, "tenon.memory/1", or NULL; the table is constant. May be NULL. */
    const void *(*get_ext)(const char *id);
} tn_backend;

/* The one exported symbol. Pure and fast: no thread, no file, no driver call. Returns the backend's table, constant
 * and valid for ever, or NULL if it can't work with a host of that version. */
typedef const tn_backend *tn_backend_query_fn(uint32_t host_major, uint32_t host_minor);
TN_BACKEND_EXPORT const tn_backend *tn_backend_query(uint32_t host_major, uint32_t host_minor);

/* ---- helpers for both sides ------------------------------------------------------------------------------------ */

/* 1 if the struct that `p` points to, of that type, is long enough to have the field. */
#define TN_HAS(type, p, field) ((p)->size >= offsetof(type, field) + sizeof(((const type *)0)->field))

/* Bytes of one element, 0 for an unknown type. */
static inline uint64_t tn_dtype_size(int32_t dtype)
{
    switch (dtype) {
#define X(NAME, name, bytes, VALUE, unit, smallest, largest, infinity)                                                 \
    case TN_##NAME:                                                                                                    \
        return bytes;
#include "tenon/dtype.def"
#undef X
    }
    return 0;
}

/* The number of elements. */
static inline int64_t tn_desc_count(const tn_tensor_desc *desc)
{
    int64_t count = 1;
    for (int32_t d = 0; d < desc->rank; d++) count *= desc->dim[d];
    return count;
}

/* 1 if everything in an attribute struct or tn_op_desc beyond the `known` bytes is zero, so that it can be honoured. */
static inline int tn_attrs_known(const void *attrs, uint64_t known)
{
    const unsigned char *bytes = (const unsigned char *)attrs;
    uint64_t size = attrs ? *(const uint64_t *)attrs : 0;
    for (uint64_t i = known; i < size; i++)
        if (bytes[i]) return 0;
    return 1;
}

/* Fills *to, of which to->size bytes exist, from a struct of `bytes` bytes that the callee knows. */
static inline void tn_answer(void *to, const void *from, uint64_t bytes)
{
    uint64_t room = *(const uint64_t *)to, n = room < bytes ? room : bytes;
    for (uint64_t i = 0; i < n; i++) ((unsigned char *)to)[i] = ((const unsigned char *)from)[i];
    if (room >= sizeof room) *(uint64_t *)to = n;
}

#ifdef __cplusplus
}
#endif
#endif
