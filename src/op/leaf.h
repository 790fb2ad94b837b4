/* leaf.h: the attributes of leaves and of the operators that the compiler looks into. No padding: they are compared
 * byte by byte. Leaves are made with their type; they have no shape rule. A definition takes element
 * types from y->type, never from attributes, for the compiler may widen f32 to f64. */
#ifndef TN_OP_LEAF_H
#define TN_OP_LEAF_H

#include "op.h"

/* variable */
/* A flag of a variable beside the public ones: nobody but programs writes it, and all that they assign to it are packs
 * with parts at the same places. So what is between them stays zero. */
#define TN_PACKS_ALONE (1u << 16)

typedef struct tn_variable_attrs {
    tn_init init;
    uint32_t flags;
    uint32_t optimizer; /* that updates it: its number in the graph, from 1; 0: none */
} tn_variable_attrs;

/* The name of the scalar that is the number of steps of the graph's optimizer K: "step:K". */
#define TN_STEPS_OF "step:"
/* The optimizer, from 1 to `optimizers`, whose steps the scalar of that name is; 0: none. */
uint32_t tn_steps_of(const char *name, uint32_t optimizers);

/* An input, scalar input or variable, made unless it is there; one that is there must have the same type. */
tn_tensor *tn_named_leaf(tn_graph *graph, const tn_op_def *op, const char *name, tn_type type, const void *attrs);

/* full: every element is `value` */
typedef struct tn_full_attrs {
    double value;
} tn_full_attrs;

/* constant: numbers of that element type, which are its own but for f32 that the compiler widened. They lie in the
 * graph's region or stay where the builder said. */
typedef struct tn_constant_attrs {
    const void *data;
    int32_t dtype;
    uint32_t reserved;
} tn_constant_attrs;

/* That its numbers can be looked at: they may lie in a file that is mapped, and that others cut. */
TN_MUST_USE tn_status tn_constant_check(const tn_tensor *x);
/* Its numbers, dense and row-major. */
TN_MUST_USE tn_status tn_constant_numbers(const tn_tensor *x, double *value);

/* scalar: a run-time scalar of rank 0; `value` until it is set */
typedef struct tn_scalar_attrs {
    double value;
} tn_scalar_attrs;

/* transpose */
typedef struct tn_transpose_node {
    int32_t perm[TN_MAX_RANK];
} tn_transpose_node;

/* matmul */
typedef struct tn_matmul_node {
    uint32_t trans_a, trans_b;
} tn_matmul_node;

/* softmax and log_softmax */
typedef struct tn_softmax_node {
    uint32_t axis;
    uint32_t reserved;
} tn_softmax_node;

/* slice and unslice. Along dimension d: element i of the smaller one is element start[d] + i step[d] of the larger. */
typedef struct tn_slice_node {
    tn_shape shape; /* of the result */
    int64_t start[TN_MAX_RANK], step[TN_MAX_RANK];
} tn_slice_node;

/* Which element of its operand a slice begins with, if all of it lies there without a gap; else -1. */
int64_t tn_slice_stretch(const tn_tensor *y);

/* concat */
typedef struct tn_concat_node {
    uint32_t axis;
    uint32_t reserved;
} tn_concat_node;

/* part: elements `start` to start + count - 1 of a vector, in this shape. */
typedef struct tn_part_node {
    int64_t start;
    tn_shape shape;
} tn_part_node;

tn_tensor *tn_part(tn_tensor *x, int64_t start, tn_shape shape);

/* Parts of a pack begin at multiples of so many elements: the first behind x, which begins at `start`. */
enum { TN_PACK_STEP = 32 };
int64_t tn_pack_next(int64_t start, const tn_tensor *x);

int tn_is_packed_variables(const tn_tensor *x);

/* For simplify: all parts of one thing, packed in their places, are that; a part of a pack is what was packed. */
tn_tensor *tn_simplify_pack(tn_tensor *y);

/* 1 if x is a coordinate along that axis. */
int tn_is_iota(const tn_tensor *x, int32_t axis);

#endif
