/* ir.h: what the compiler makes of a graph: launches in the order of running, values that have storage, scalar slots.
 */
#ifndef TN_GRAPH_IR_H
#define TN_GRAPH_IR_H

#include "build.h"
#include "map.h"

/* Devices that a program may be spread over: place 0 is the state's, the others are for what it refuses. */
enum { TN_PLACES = 3 };

/* Where a value lives, besides its place. */
enum { TN_IN_ARENA, TN_IN_STATE, TN_IN_INPUT };

/* What a launch makes of input 1 is good for this run; or for all of them, for that is a constant; or until somebody
 * changes a tensor of the state. */
enum { TN_STAYS_FOR_A_RUN, TN_STAYS_FOR_GOOD, TN_STAYS_WITH_STATE };

/* Launches first..last that are run on a few samples of a batch, then on the next few, round after round (depth.c). The
 * last round begins early where they don't divide the batch: it makes some samples once more. */
typedef struct tn_depth {
    uint32_t first, last;
    uint32_t rounds;
    int64_t samples, together;
} tn_depth;

/* Something with storage: a dense tensor. */
typedef struct tn_value {
    tn_type type;
    uint32_t number;  /* among the ir's values */
    const char *name; /* of a variable or input */
    const void *data; /* of a constant, until it is on the device: of the type `from` */
    int32_t from;
    uint32_t is_constant;  /* an input that is filled when the program is compiled, and has no name */
    struct tn_value *base; /* whose storage it shares, or NULL: a view of it, or else written over it in place */
    uint64_t at;           /* bytes from where base begins */
    uint32_t is_view;      /* base in another shape, or a part of it: the same value, not only the same storage */
    int32_t home;
    int32_t place; /* 0 is the state's device */
    uint64_t bytes, offset;
    uint32_t first, last; /* launches that make it and use it last */
    uint32_t kept;        /* an output: lives to the end */
    uint32_t fed;         /* an input: it has been filled, or a piece of it */
    uint32_t inside;      /* it has as many samples as are together in a round: nobody else sees it */
    uint32_t lasts;       /* its memory is nobody else's: what no launch writes stays zero */
} tn_value;

/* One operator in the order of running. */
typedef struct tn_launch {
    const tn_op_def *op; /* of the operation; NULL: a transfer */
    tn_origin origin;    /* the node that its result is for, or the last one in it */
    tn_operation operation;
    tn_value *in[TN_MAX_OPERANDS], *out[TN_MAX_OPERANDS];
    uint32_t slot[TN_MAX_OPERANDS]; /* of each run-time scalar */
    uint32_t n_scalar;
    uint32_t fused; /* operators of the graph in it */
    int32_t place;
    const char *refusal; /* why place 0 does not do it, in its backend's words; NULL: it does */
    int32_t transfer;    /* no operator: copies in[0] to out[0], which lies on another device */
    uint32_t packs;      /* copies in[0] to its place in a pack */
    uint32_t crosses;    /* where the others' in[0] may be added: out[0] is the sum over all shards of a batch */
    tn_cost cost;
    tn_value *scratch;
    struct tn_launch *keeper;  /* the first of those that share what they make of input 1 (keep.c); NULL: it does not */
    tn_value *kept;            /* where that is */
    int32_t stays;             /* for how long: TN_STAYS_ */
    const tn_depth *depth;     /* NULL: it is run once, */
    uint32_t moves, moves_out; /* bit i: operand i is further on in each round; of others all is seen in each */
    tn_kernel *kernel;
    tn_kernel_info info;
    const char *choice; /* of several kernels, in the backend's words; "": there was none */
} tn_launch;

/* A run-time scalar: a scalar input, or an expression of scalar inputs that the host computes before each run. */
typedef struct tn_scalar_slot {
    const char *name; /* of the input, or the state's "seed" or "step"; NULL: an expression */
    int32_t dtype;
    double value;
    tn_map_attrs program;          /* of an expression: n_instr is not 0 */
    uint32_t arg[TN_MAX_OPERANDS]; /* the slots of its scalars */
} tn_scalar_slot;

typedef struct tn_ir_output {
    const char *name;
    tn_value *value;
} tn_ir_output;

typedef struct tn_ir {
    tn_region region;
    tn_launch **launch;
    uint32_t launches, launch_capacity;
    tn_value **value;
    uint32_t values, value_capacity;
    tn_ir_output *output;
    uint32_t outputs, output_capacity;
    tn_scalar_slot *slot;
    uint32_t slots, slot_capacity;
    uint64_t alignment;              /* of a tensor of its own: bytes */
    uint64_t arena_bytes;            /* by the plan, on place 0 */
    uint64_t place_bytes[TN_PLACES]; /* on the others, where nothing is shared */
    uint64_t bank[TN_PLACES];        /* bytes of each place's largest buffer: an arena is in banks of this size */
} tn_ir;

/* The most that one operator may have; 0: what the ABI allows. */
typedef struct tn_limits {
    uint32_t in, out, instr, scalar;
} tn_limits;

/* What the passes ask of the program layer. */
typedef struct tn_target {
    void *self;
    tn_limits most; /* of the first place: what lies beyond need not be asked */
    /* 1 if that place's device does it, for that node */
    int (*supports)(void *self, int32_t place, const tn_op_desc *desc, const tn_origin *origin);
    const char *(*refusal)(void *self); /* why place 0 said no last; NULL where nobody wants to know */
    int32_t places;
    /* where the state keeps a variable: which of its buffers, and bytes from that one's beginning */
    tn_status (*find)(void *self, const char *variable, uint32_t *buffer, uint64_t *offset);
    uint64_t (*element)(void *self, int32_t dtype); /* bytes of an element of a variable of that type */
    uint32_t unfused;
    uint64_t near; /* bytes that stay near each unit of the first place, for samples a few at a time; 0: all at once */
    uint32_t units;
} tn_target;

/* A launch as it comes in the order of running: in which round. */
typedef struct tn_turn {
    uint32_t launch, round;
} tn_turn;

/* The passes, in order. On failure the ir is as it was or partly done, and only good for tn_ir_free. */
tn_status tn_fuse(const tn_graph *graph, const tn_target *target, tn_ir *ir);
tn_status tn_place(const tn_target *target, tn_ir *ir);
void tn_settle(tn_ir *ir);
/* To TN_F16 or TN_BF16, if asked for: how many values, and how many the device refused. */
tn_status tn_narrow_values(const tn_target *target, tn_ir *ir, int32_t dtype, uint32_t *narrowed, uint32_t *refused);
/* Products of the first place to that TN_PRECISION_, unless the device refuses: how many, and how many it refused. */
void tn_lower_precision(const tn_target *target, tn_ir *ir, uint32_t precision, uint32_t *lowered, uint32_t *refused);
/* Finds launches that go through a batch a few samples at a time, where that keeps more in caches. */
tn_status tn_find_depths(const tn_target *target, tn_ir *ir);
/* The turn that follows; the first sample of a turn; and how often a launch comes. */
tn_turn tn_turn_after(const tn_ir *ir, tn_turn turn);
int64_t tn_turn_sample(const tn_ir *ir, tn_turn turn);
uint32_t tn_launch_rounds(const tn_launch *launch);
/* Bytes from a sample of an operand to the next; 0: it stays where it is. */
uint64_t tn_in_step(const tn_launch *launch, uint32_t input);
uint64_t tn_out_step(const tn_launch *launch, uint32_t output);
/* Finds products of one factor, or of one that is the same in all runs: whose kernels may keep what they make of it. */
tn_status tn_find_keepers(const tn_target *target, tn_ir *ir);
int tn_changes_state(const tn_ir *ir); /* a launch writes to a variable */
tn_status tn_plan_in_place(tn_ir *ir); /* before kernels are prepared: who writes over what */
tn_status tn_plan_memory(tn_ir *ir);   /* after: scratch memory is known */

/* For passes. */
tn_value *tn_ir_value(tn_ir *ir, tn_type type);
tn_launch *tn_ir_launch(tn_ir *ir, const tn_origin *origin); /* at the end */
/* The number of the slot of that name and type, or of a new one. */
tn_status tn_ir_slot(tn_ir *ir, const tn_scalar_slot *like, uint32_t *slot);
/* The first and the last launch that touches each value's storage; UINT32_MAX and 0 if there is none. */
void tn_ir_find_lives(tn_ir *ir);
/* Whether it is a convolution by input 1, whose result has the samples of input 0. */
int tn_has_filters(const tn_launch *launch);
tn_value *tn_value_root(tn_value *value);
uint64_t tn_value_at(const tn_value *value); /* bytes from where its root begins */
/* The first offset from `offset` on, at which `bytes` bytes lie in one of the place's banks. They are no more than it.
 */
uint64_t tn_ir_in_bank(const tn_ir *ir, int32_t place, uint64_t offset, uint64_t bytes);
/* 1 if one can be written over the other, element by element: same type, dimensions and strides. */
int tn_same_layout(const tn_tensor_desc *a, const tn_tensor_desc *b);

void tn_ir_free(tn_ir *ir);

#endif
