/* map_internal.h: a map's program made ready to be evaluated, for map and for what takes maps. */
#ifndef TN_OP_MAP_INTERNAL_H
#define TN_OP_MAP_INTERNAL_H

#include "map.h"
#include "rows.h"

/* What evaluating one element takes. */
typedef struct tn_map_point {
    const tn_scalar *scalar;
    int64_t index;        /* linear, in the iteration space */
    const int64_t *place; /* its coordinates */
    double *value;        /* all values of the program */
} tn_map_point;

typedef struct tn_map_step tn_map_step;
struct tn_map_step {
    double (*evaluate)(const tn_map_step *step, const tn_map_point *point);
    const tn_map_instr *instr;
    const tn_row *row; /* NULL for instructions that are no row */
};

#define TN_MAX_VALUES (TN_MAX_OPERANDS + TN_MAX_INSTRS)

/* A program whose instructions are looked up. Valid as long as the attributes. */
typedef struct tn_map_program {
    uint32_t n_in, n_step;
    int32_t out;
    tn_map_step step[TN_MAX_INSTRS];
} tn_map_program;

/* The program must have passed tn_check_op. */
void tn_map_ready(tn_map_program *program, const tn_map_attrs *attrs);
void tn_map_step_all(const tn_map_program *program, const tn_map_point *point);

/* The epilogue of a call for its element `index`, of which value 0 is `first` and the others are inputs 2.. */
double tn_map_epilogue(const tn_reference_call *call, const tn_map_program *epilogue, double first, int64_t index);

/* The next element's coordinates, in row-major order. */
void tn_map_next(int64_t place[], const int64_t dim[], int32_t rank);

#endif
