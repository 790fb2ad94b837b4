/* fuse.h: units: the sets of tensors that become one operator each. */
#ifndef TN_GRAPH_FUSE_H
#define TN_GRAPH_FUSE_H

#include "ir.h"

enum { TN_LANDMARKS = 64, TN_SHORT_SCALAR = 8 };

/* What is known of a graph while it is fused. Arrays are by tensor number. A unit is named by one of its members, and
 * arrays "by unit" hold at that member's number. */
typedef struct tn_unit tn_unit;
typedef struct tn_fusion {
    const tn_graph *graph;
    const tn_target *target;
    tn_ir *ir;
    tn_status status; /* TN_ENOMEM: there was none for a decision */

    /* facts: fusion.c, rematerialise.c */
    unsigned char *live;         /* needed by a sink */
    unsigned char *sunk;         /* is a sink's value */
    unsigned char *scalar;       /* not 0: one number, known to the host before each run, of so many operators; more
                                    than TN_SHORT_SCALAR: they have a slot of their own */
    unsigned char *read_as_is;   /* a user that is no map reads it */
    unsigned char *remade;       /* not 0: computed again wherever it is used, by so many operations */
    unsigned char *reads;        /* of such a one: stored tensors of its size that are read each time */
    uint32_t *user_begin, *user; /* the live users of tensor i are user[user_begin[i] .. user_begin[i + 1] - 1] */
    uint32_t landmark[TN_LANDMARKS];
    uint64_t *above, *below; /* the landmarks that it depends on, and that depend on it: a bit each */

    /* decisions: fuse.c, order.c */
    uint32_t *unit;     /* the unit that it belongs to */
    uint32_t *next;     /* the unit's members, in a ring */
    tn_tensor **anchor; /* by unit: the reduce, or the operator with an epilogue, in it; NULL: all maps */
    uint32_t *order;    /* by unit: none depends on one of a higher number */
    uint64_t *found;    /* units found by a search, with their order in the upper half */
    uint32_t n_found;
    uint32_t *mark, marks; /* found by search number `marks` */

    /* results: unit.c, emit.c */
    tn_value **value; /* the storage of a tensor, once it has any */
    uint32_t *slot;   /* 1 more than the number of a scalar's slot, once it has one */
    tn_unit *trial;   /* room to build a unit */
    uint32_t crossed; /* launches up to the last that crosses */
} tn_fusion;

/* A unit as an operator: the operation, and the tensors that are its operands. */
struct tn_unit {
    const tn_op_def *op;
    const tn_tensor *about; /* what it is named after: a map after one of its members */
    tn_operation operation;
    tn_tensor *in[TN_MAX_OPERANDS], *out[TN_MAX_OPERANDS];
    tn_map_scalar scalar[TN_MAX_OPERANDS];
    uint32_t n_in, n_out, n_scalar, fused;
};

/* ---- fusion.c: facts ---- */

/* All that is known beforehand; every tensor is a unit of its own. */
tn_status tn_fusion_begin(tn_fusion *f);

/* 1 if x is a map that is stored: it can't be computed in place wherever it is used. */
int tn_is_stored_map(const tn_fusion *f, const tn_tensor *x);

/* 1 if anything outside its unit, or a sink, uses x. */
int tn_is_used_outside(const tn_fusion *f, const tn_tensor *x);

/* ---- rematerialise.c ---- */

/* Finds the maps that are computed again wherever they are used. */
void tn_find_remade(tn_fusion *f);

/* 1 if x is computed wherever it is used over that space: nothing has to be stored. */
int tn_is_virtual(const tn_fusion *f, const tn_tensor *x, const tn_shape *space);

/* ---- order.c ---- */

/* 1 if a unit that is neither depends on one of the two units and the other on it: they can't become one. */
int tn_order_forbids(tn_fusion *f, uint32_t a, uint32_t b);

/* `unit` has just become one from two of these places in the order; the last search was about them, unless nothing but
 * the later one depends on the earlier. */
void tn_order_merged(tn_fusion *f, uint32_t unit, uint32_t low, uint32_t high);

/* ---- unit.c ---- */

/* The operator that a unit is; its arrays are in the region. Fails with TN_EUNSUPPORTED if it can't be one. */
tn_status tn_unit_build(tn_fusion *f, uint32_t unit, tn_region *region, tn_unit *out);

/* A tensor that is one number, as a program without inputs in the ir's region; the scalars in it. */
tn_status tn_scalar_program(tn_fusion *f, tn_tensor *x, tn_map_attrs *attrs, tn_map_scalar scalars[]);

/* ---- emit.c ---- */

/* Launches every unit in an order that serves all; then the copies that assignments still need. */
tn_status tn_emit_launches(tn_fusion *f);

#endif
