/* fuse.h: units: the sets of tensors that become one operator each. */
#ifndef TN_GRAPH_FUSE_H
#define TN_GRAPH_FUSE_H

#include "ir.h"

/* What is known of a graph while it is fused. Arrays are by tensor number. A unit is named by one of its members. */
typedef struct tn_unit tn_unit;
typedef struct tn_fusion {
    const tn_graph *graph;
    const tn_target *target;
    tn_ir *ir;
    unsigned char *live;         /* needed by a sink */
    unsigned char *sunk;         /* is a sink's value */
    unsigned char *scalar;       /* one number, known to the host before each run */
    unsigned char *cheap;        /* not 0: computed again wherever it is used, by so many operations */
    unsigned char *reads;        /* of a cheap one: stored tensors of its size that are read each time */
    unsigned char *updates;      /* becomes a variable, with nothing but maps in between */
    uint32_t *unit;              /* the unit that it belongs to */
    uint32_t *next;              /* the unit's members, in a ring */
    tn_tensor **anchor;          /* by unit: the reduce, or the operator with an epilogue, in it; NULL: all maps */
    uint32_t *user_begin, *user; /* the live users of tensor i are user[user_begin[i] .. user_begin[i + 1] - 1] */
    tn_value **value;            /* the storage of a tensor, once it has any */
    uint32_t *mark, marks;       /* visited in walk number `marks` */
    tn_unit *trial;              /* room to build a unit that may be given up */
} tn_fusion;

/* A unit as an operator: the operation, and the tensors that are its operands. */
struct tn_unit {
    tn_operation operation;
    tn_tensor *in[TN_MAX_OPERANDS], *out[TN_MAX_OPERANDS];
    const char *scalar[TN_MAX_OPERANDS]; /* names of run-time scalars */
    uint32_t n_in, n_out, n_scalar, fused;
};

/* The operator that a unit is. Fails with TN_EUNSUPPORTED if it can't be one. */
tn_status tn_unit_build(tn_fusion *f, uint32_t unit, tn_unit *out);

/* A tensor that is one number, as a program without inputs; the names of the scalars in it. */
tn_status tn_scalar_program(tn_fusion *f, tn_tensor *x, tn_map_attrs *attrs, const char *names[], uint32_t *count);

/* Launches every unit in an order that serves all; then the copies that assignments still need. */
tn_status tn_emit_launches(tn_fusion *f);

/* The unit's members in order of their numbers, in the ir's region; returns how many. NULL if out of memory. */
tn_tensor **tn_unit_members(tn_fusion *f, uint32_t unit, uint32_t *count);

/* Fills `cheap`, `reads` and `updates`. */
void tn_find_cheap(tn_fusion *f);

/* 1 if x need not be stored for a map over this space, but can be computed in place: numbers, scalars, coordinates,
 * random numbers. */
int tn_is_virtual(const tn_fusion *f, const tn_tensor *x, const tn_shape *space);

/* 1 if anything outside its unit, or a sink, uses x. */
int tn_is_used_outside(const tn_fusion *f, const tn_tensor *x);

#endif
