/* prog.h: the program of a map made ready (prog.c) and its evaluation over ranges of the iteration space (eval.c).
 *
 * A program is evaluated block by block: each step is one vectorised loop over the block's elements, and values live
 * in slots of a thread's workspace that stay in the cache. Dense operands are read and written where they lie. Any
 * range of linear indices can be evaluated, so that map, reduce and the epilogue of matmul share this code. */
#ifndef CPU_PROG_H
#define CPU_PROG_H

#include "cpu.h"

typedef struct cpu_prog cpu_prog;
typedef struct cpu_eval cpu_eval;

/* How an operand's elements become values. */
enum {
    CPU_DENSE,    /* read in place */
    CPU_CONVERT,  /* dense, but of another type or about to be overwritten: loaded into a slot */
    CPU_SPLAT,    /* one element for all: loaded once */
    CPU_PERIODIC, /* a dense piece repeated, short: loaded once */
    CPU_WRAPPED,  /* a dense piece repeated, long: read in place unless the block runs over its end */
    CPU_STRIDED   /* anything else: collected into a slot */
};

typedef struct cpu_input {
    int32_t kind, type, slot;
    int32_t rank;  /* of the operand's own collapsed shape */
    uint64_t size; /* bytes of an element */
    int64_t period;
    int32_t runs; /* runs of one element each, which all that read it take as it is */
    void (*load)(int64_t n, void *out, const void *from); /* NULL: elements are values already */
    int64_t dim[TN_MAX_RANK], stride[TN_MAX_RANK];
} cpu_input;

enum { CPU_STEP_ARGS = 6 };

typedef struct cpu_step {
    cpu_row_fn *fn;
    cpu_row_fn *one[2]; /* with one element for all as argument 0 or 1; or NULL */
    void (*special)(const struct cpu_step *step, const cpu_eval *eval, int64_t first, int64_t n, void *out);
    int32_t arg[CPU_STEP_ARGS], value, type;
    int32_t slot, output; /* where the result goes: to a slot, or if output >= 0 into that output */
    uint32_t stream;      /* of random numbers */
    int64_t dim, inner;   /* of iota: coordinate = index / inner % dim */
} cpu_step;

/* A constant or a run-time scalar: one value for all elements, put into its slot once. */
typedef struct cpu_constant {
    int32_t value, type, slot, scalar; /* scalar < 0: the number */
    double number;
} cpu_constant;

typedef struct cpu_output {
    int32_t value, in_place;
    uint64_t size;
    void (*store)(int64_t n, void *out, const void *from);
} cpu_output;

struct cpu_prog {
    int32_t n_in, n_step, n_constant, n_out, n_value, n_slot, n_scalar;
    int32_t result; /* the value of output 0 */
    int32_t result_type;
    int64_t block; /* elements that a block may have */
    int64_t slot_bytes;
    int64_t count; /* elements of the iteration space */
    int32_t far;   /* operands from number `near` on, and outputs if it `writes`, lie in memory, not in a cache */
    int32_t near, writes;
    double cost; /* of an element, in simple operations */
    cpu_input *input;
    cpu_step *step;
    cpu_constant *constant;
    cpu_output *output;
    int32_t *type; /* of each value */
};

/* What prog.c is told, of a program that tn_check_op has passed. `out` is NULL for a program whose result is taken from
 * the values (reduce). */
typedef struct cpu_prog_desc {
    const char *op;
    const tn_map_attrs *map;
    const tn_tensor_desc *in, *out;
    const int32_t *alias;
    int32_t rank;
    const int64_t *dim;
    int32_t near; /* so many of the operands were just made, and are written over: those of an epilogue */
} cpu_prog_desc;

/* *prog is released by cpu_release. TN_EUNSUPPORTED: more values at a time than there is room for. */
int32_t cpu_prog_create(const cpu_prog_desc *desc, cpu_prog **prog, tn_msg *msg);
int32_t cpu_type_of(int32_t dtype); /* the type that elements of a TN_ type are computed in */
void cpu_place_inputs(cpu_prog *p, const cpu_prog_desc *d);
/* Makes one of steps for which there is one loop; `instr` are the program's. Inputs have their kinds. */
void cpu_join_steps(cpu_prog *p, const tn_map_instr *instr);
/* The step of an instruction that is no constant; returns what an element costs, in simple operations. */
double cpu_resolve(const cpu_prog_desc *d, const tn_map_instr *instr, cpu_step *step, const int32_t *type);

/* An evaluation by one thread. */
struct cpu_eval {
    const cpu_prog *prog;
    const char *const *in;
    char *const *out;
    const tn_scalar *scalar;
    char *slots;
    const void **at; /* each value's place for the block at hand */
};

/* Prepares the thread's workspace; `longest` is the largest range that will be evaluated. */
void cpu_eval_begin(cpu_eval *e, const cpu_prog *p, char *work, const cpu_run *run, int64_t longest);
/* Elements first .. first + n, n at most prog->block; outputs are written at their linear places. */
void cpu_eval_block(const cpu_eval *e, int64_t first, int64_t n);
/* The same for any n. */
void cpu_eval_range(const cpu_eval *e, int64_t first, int64_t n);
/* The value of output 0 after cpu_eval_block. */
static inline const void *cpu_eval_result(const cpu_eval *e)
{
    return e->at[e->prog->result];
}
void cpu_iota(const cpu_step *step, const cpu_eval *e, int64_t first, int64_t n, void *out);
void cpu_uniform(const cpu_step *step, const cpu_eval *e, int64_t first, int64_t n, void *out);
void cpu_normal(const cpu_step *step, const cpu_eval *e, int64_t first, int64_t n, void *out);

#endif
