/* map.h: building the program of a map: the compiler adds inputs and instructions, and gets the attributes. */
#ifndef TN_OP_MAP_H
#define TN_OP_MAP_H

#include "alloc.h"
#include "op.h"

/* Where a run-time scalar comes from: the state's "seed" or "step", or a tensor that is one number. */
typedef struct tn_map_scalar {
    const char *name; /* NULL: x */
    const tn_tensor *x;
} tn_map_scalar;

struct tn_map_builder {
    tn_status status;
    uint32_t n_in, n_instr, n_scalar, n_out;
    int32_t rank;                      /* of the iteration space: an iota of fewer dimensions counts from the last */
    tn_map_instr instr[TN_MAX_INSTRS]; /* args below INPUT_BASE are inputs, above instructions, until it is finished */
    int32_t out[TN_MAX_OPERANDS];
    int32_t in_dtype[TN_MAX_OPERANDS]; /* as loaded */
    tn_map_scalar scalar[TN_MAX_OPERANDS];
};

/* One more input of that element type; returns its value's number. */
int32_t tn_map_input(tn_map_builder *builder, int32_t dtype);
/* The number of that scalar in this map. */
int32_t tn_map_scalar_number(tn_map_builder *builder, const tn_tensor *x);
/* One more output: the value's number. */
void tn_map_output(tn_map_builder *builder, int32_t value);
/* The type in which a value of that element type is computed: u8 as i32, f16 and bf16 as f32. */
int32_t tn_map_compute_type(int32_t dtype);

/* Instructions and outputs with final numbers into `attrs`, whose arrays are allocated in `region`. */
tn_status tn_map_finish(const tn_map_builder *builder, tn_region *region, tn_map_attrs *attrs);

/* Fewer dimensions for an operation "map" whose descriptors and attributes are there: neighbouring ones are merged
 * where the strides of all operands allow it, those of size 1 go, and those in `keep` (a bit each) stay, which must be
 * all that iotas count along, with those before them: such programs are best kept whole. */
void tn_map_merge(tn_operation *operation, uint32_t keep);

/* The program as a text for people, for instance "relu(add(0, 1))". */
char *tn_map_text(const tn_map_attrs *attrs, char *text, size_t capacity);

/* One element of a program in double precision: value[0 .. n_in-1] are given, value[] gets all others. `index` is
 * the element's linear index, `place` its coordinates. For the reference, and for scalar expressions on the host. */
void tn_map_evaluate(const tn_map_attrs *attrs, const tn_scalar *scalar, int64_t index, const int64_t place[],
                     double value[]);

#endif
