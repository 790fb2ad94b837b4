/* node.h: what a graph is made of: tensors, each the result of one operator, and what an operator's definition has to
 * say. Nothing here knows which operators there are.
 *
 * Kinds. A leaf has no operands. A map is element-wise: the compiler fuses maps, and they cross the plugin boundary as
 * programs of the operator "map". A view gives its operand's elements, in order, another shape, and costs nothing. A
 * kernel crosses the boundary under its own name. A composite is only its `lower`: it is replaced by other operators
 * (but for sums over the shards of a batch, in the graph of one, at which its program is cut);
 * a kernel may have a `lower` as well, which is used on devices that refuse it, and a map one that only
 * differentiation uses. */
#ifndef TN_NODE_NODE_H
#define TN_NODE_NODE_H

#include "error.h"
#include "field.h"
#include "origin.h"
#include "shape.h"
#include "tenon/ops.h"

enum { TN_LEAF, TN_MAP, TN_VIEW, TN_KERNEL, TN_COMPOSITE };

/* What a kernel is, for those who must tell them apart. */
enum {
    TN_MOVES = 1,      /* its elements are others, moved or chosen: they keep their bits */
    TN_MULTIPLIES = 2, /* it adds up products of two factors, which a level of precision may round */
    TN_ADDS_UP = 4,    /* each element is a sum of many, in any order */
    TN_PADS = 8,       /* elements are multiplied by the zeros around a picture */
    TN_HIDES = 16,     /* elements are multiplied by weights that are 0 where they are hidden, or nearly */
    TN_CANCELS = 32    /* where one number is far larger than those beside it, little is left of a difference */
};

typedef struct tn_op_def tn_op_def;
typedef struct tn_map_builder tn_map_builder;

/* Element type and shape. */
typedef struct tn_type {
    int32_t dtype;
    tn_shape shape;
} tn_type;

/* A tensor of a graph: the result of one operator. All of it lives in the graph's region. */
struct tn_tensor {
    tn_graph *graph;
    const tn_op_def *op;
    tn_type type;
    tn_tensor **in;
    uint32_t n_in;
    uint32_t id;          /* its place among the graph's tensors: operands come before results */
    const void *attrs;    /* op->attrs_size bytes */
    const char *name;     /* of an input, a scalar input or a variable, else NULL */
    tn_tensor *lowered;   /* by its `lower`, once that was needed */
    uint32_t is_assigned; /* a variable that a sink writes */
    tn_origin origin;     /* itself, or the node of the user's graph that it stands for */
};

/* The attributes of any operator. */
typedef union tn_any_attrs {
    uint64_t size; /* each attribute struct begins with it; 0: none */
    tn_map_attrs map;
    tn_reduce_attrs reduce;
    tn_matmul_attrs matmul;
    tn_transpose_attrs transpose;
    tn_window_attrs window;
    tn_slice_attrs slice;
    tn_cumsum_attrs cumsum;
    tn_topk_attrs topk;
    tn_searchsorted_attrs searchsorted;
    tn_attend_attrs attend;
    tn_layer_norm_attrs layer_norm;
    tn_conv_attrs conv;
    tn_pool_attrs pool;
} tn_any_attrs;

/* An operator as it crosses the plugin boundary: room for the descriptors, and what `desc` points to. */
typedef struct tn_operation {
    tn_op_desc desc;
    tn_tensor_desc in[TN_MAX_OPERANDS], out[TN_MAX_OPERANDS];
    int32_t alias[TN_MAX_OPERANDS];
    tn_any_attrs attrs;
} tn_operation;

/* A call of the reference: every operand as dense doubles, row-major over its descriptor's dimensions. */
typedef struct tn_reference_call {
    const tn_op_desc *desc;
    const double *const *in;
    double *const *out;
    const tn_scalar *scalar;
} tn_reference_call;

/* What one run costs at the least: floating-point operations, and bytes read and written once. */
typedef struct tn_cost {
    double flops, bytes;
} tn_cost;

/* A case that hurts: builds the operator on operands of these shapes. The conformance tests fill f32 operands with
 * random numbers from low to high (both 0: -2 to 2), i32 ones with random whole numbers from low to high, and compare
 * result and gradients on each device with the reference, and the reference's gradients with central differences. */
typedef struct tn_op_case {
    const char *name;
    tn_tensor *(*build)(tn_tensor *const in[]);
    tn_type in[4]; /* up to the first with dtype 0 */
    double low, high;
    uint32_t no_gradient; /* kinks everywhere, or integers */
    uint32_t is_extra;    /* what the compiler asks for where a device has it: one without has the operator no less */
} tn_op_case;

/* How far a result may be from the double-precision reference, whatever the backend. An element may be off by `ulp`
 * units of its own last place, plus what it means when each operand (of a map: each argument of the instruction) was
 * off by `input` units: the error of a sum that nearly cancels, for instance. All elements together may be off by
 * `norm` units of the result's Euclidean norm. `absolute` is for texts that end in a difference that cancels, as in 1 +
 * erf(x): units of 1 that are lost whatever is left. All 0: equal bit by bit, but for the sign of zero and the bits of
 * a NaN. */
typedef struct tn_budget {
    double ulp, input, norm, absolute;
} tn_budget;

/* Of sums of many terms, in any order. */
#define TN_BUDGET_SUM                                                                                                  \
    {                                                                                                                  \
        4, 8, 32, 0                                                                                                    \
    }
/* Of one rounding. */
#define TN_BUDGET_ROUND                                                                                                \
    {                                                                                                                  \
        0.51, 0, 1, 0                                                                                                  \
    }

struct tn_op_def {
    const char *name;
    const char *doc;
    int32_t kind;
    int32_t arity;           /* -1: any */
    uint32_t traits;         /* TN_MOVES ... */
    uint64_t attrs_size;     /* of the graph's attributes, compared byte by byte: no padding */
    const tn_field *fields;  /* their rows (TN_ATTRS); NULL: there are none */
    const tn_field *crosses; /* those of the attributes at the plugin boundary; NULL: there are none */

    /* The result's type. */
    tn_status (*shape)(tn_tensor *const in[], uint32_t n_in, const void *attrs, tn_type *out);
    /* din[i] = what dy means for operand i, of its shape; left NULL where nothing flows. NULL: what has a `lower` is
     * differentiated through that; else nothing ever flows. */
    void (*grad)(tn_tensor *y, tn_tensor *dy, tn_tensor *din[]);
    /* The same value by other operators, built on y->in. */
    tn_tensor *(*lower)(tn_tensor *y);

    /* Maps: adds the instruction that computes y from the values `arg` of its operands; returns its value's number. */
    int32_t (*emit)(const tn_tensor *y, tn_map_builder *builder, const int32_t arg[]);

    /* Kernels: fills the operation, operands merged to the rank that the boundary asks for. NULL: dense operands as
     * they are, no attributes. desc.name is already set, desc.attrs is set by the caller to &attrs if attrs.size. */
    void (*describe)(const tn_tensor *y, tn_operation *operation);
    /* Kernels of two operands that take an epilogue, a map of their result, which is value 0, and of inputs 2..: puts
     * it into the attributes. NULL: they take none. */
    void (*epilogue)(tn_operation *operation, const tn_map_attrs *map);
    /* Kernels that can give the sum z of one of y's operands as their second output: whether they can, and if so, the
     * second descriptor and the attributes. NULL: they can't. */
    int (*sums)(const tn_tensor *y, const tn_tensor *z, tn_operation *operation);
    /* Kernels and "map": the value in double precision, plain and obvious, of what tn_check_op has passed. Composites,
     * for who judges their `lower`: the same, with dense operands as they are, the graph's attributes, and the seed and
     * the step as the scalars. */
    void (*reference)(const tn_reference_call *call);
    /* Kernels that read but some rows of operand 0 (window): the first row of a run; the reference is given that row
     * and those after it, as many as the output has. NULL: it is given everything. */
    int64_t (*first_row)(const tn_op_desc *desc, const tn_scalar *scalar);
    /* Operands beside the first two that a level of precision may round: bit i is operand i. */
    uint32_t factors;
    /* What any backend is allowed, in units of the type; whole numbers are exact. Rows: see budget.c. */
    tn_budget budget;
    /* NULL: one operation for each element of the outputs. Bytes are those of the operands, */
    double (*flops)(const tn_op_desc *desc);
    uint32_t picks; /* but it reads no more elements of its first one than it writes */

    const tn_op_case *cases; /* up to the first without a build */
};

/* Adds an operator to the graph. `graph` may be NULL if there are operands. */
tn_tensor *tn_node(const tn_op_def *op, tn_graph *graph, tn_tensor *const in[], uint32_t n_in, const void *attrs);

/* As tn_graph_fail, for an operator that can't be added, with which the text begins: names its node. */
void tn_node_fail(tn_graph *graph, tn_status status, const char *format, ...) TN_PRINTF(3, 4);

/* A number for a random stream of this graph, different at each call, below 2^24. */
uint32_t tn_graph_stream(tn_graph *graph);

#endif
