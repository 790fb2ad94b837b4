/* fault.h: what the files of the faulty backend share. One fault is chosen when a plugin is linked, by its name; the
 * rest of the backend behaves well. */
#ifndef TESTS_FAULT_H
#define TESTS_FAULT_H

#include <string.h>

#include "reference_internal.h"

/* Of name.c, the one file that is compiled for each fault. */
extern char fault_name[64];
const char *fault_environment(const char *name); /* NULL, but in the faults that are about it */

#define IS(name) (!strcmp(fault_name, #name))

/* What is kept of a prepared operator. */
typedef struct wrapped {
    tn_kernel *real;
    char name[24];
    const char *theirs;        /* the name where the host had it */
    tn_tensor_desc in[2], out; /* the first two and the last */
    uint32_t n_in, n_instr, n_scalar, last;
    tn_matmul_attrs matmul; /* of products, convolutions, pools */
    tn_conv_attrs conv;
    tn_pool_attrs pool;
    int casts, iota;  /* a "cast" is in it; the dimension that an "iota" counts, from 1 on */
    int has_gradient; /* a "tanh.grad" is in it */
    int is_place, by_place, is_largest, plain_sum, epilogue;
    tn_buffer *spare;                 /* scratch memory of its own */
    int32_t seed, step, word;         /* scalars of its random numbers; -1: none */
    tn_scalar scalar[TN_MAX_SCALARS]; /* of the run that was enqueued last */
    int ran, released;
    tn_buffer *kept; /* kept.c: the second operand as it was, and where */
    const unsigned char *kept_from;
    tn_kernel *one; /* kept.c: for one batch, and the operands' steps */
    int64_t batches, step_of[TN_MAX_OPERANDS + 1];
    int froze;
    uint32_t level;            /* of precision */
    uint64_t keeps;            /* bytes of the second factor, if it is kept for other products */
    int chooses, narrow_first; /* programs.c: a "where" is in it; one value goes to f16 and then to f32 */
} wrapped;

extern const tn_backend *fault_real; /* the reference */
extern tn_backend fault_lower;       /* the reference, or the same with its work put off */
extern const tn_host *fault_host;
extern uint32_t fault_opened;     /* the device that was opened last */
extern uint32_t fault_contexts;   /* how many contexts were made */
extern int fault_cached;          /* 1, if the cache doesn't keep what was put there */
extern uint64_t fault_lost;       /* bytes that were let go of and are not counted as free */
extern uint64_t fault_nothing;    /* runs of no elements */
extern tn_buffer *fault_produced; /* what the last operation wrote to */

/* Writes the message and returns `status`. */
int32_t fault_say(tn_msg *msg, int32_t status, const char *text);

/* ---- later.c: a backend whose work is put off until somebody waits ---- */
int fault_puts_off(void);
void fault_put_off(tn_backend *table);

/* ---- moves.c: memory and queues ---- */
void fault_set_moves(tn_backend *table);
void fault_do_later(tn_msg *msg); /* a copy that was put off */
int32_t fault_adopt(tn_context *context, void *data, uint64_t bytes, tn_buffer **buffer, tn_msg *msg);

/* ---- operations.c: preparing and running ---- */
void fault_set_operations(tn_backend *table);
/* At once, in the reference's queue. */
int32_t fault_run_now(tn_queue *queue, wrapped *w, const tn_run *run, tn_msg *msg);

/* ---- results.c: what is wrong with the numbers ---- */
void fault_spoil(const wrapped *w, const tn_run *run);

/* ---- ends.c: what is wrong at the ends of pictures and types, and in other environments ---- */
void fault_spoil_ends(const wrapped *w, const tn_run *run);

/* ---- sizes.c: what is wrong with large operations alone ---- */
void fault_spoil_large(const wrapped *w, const tn_run *run);
/* The run with operands or scalars in other places; what it made is freed by fault_end_other. */
typedef struct other_run {
    tn_run run;
    tn_ref in[TN_MAX_OPERANDS];
    tn_scalar scalar[TN_MAX_OPERANDS];
    tn_buffer *made;
} other_run;
void fault_begin_other(other_run *other, const wrapped *w, const tn_run *run);
void fault_end_other(other_run *other);

/* ---- programs.c: parts of programs that are taken for others, numbers in narrow types ---- */
typedef struct fault_program {
    tn_map_attrs map;
    tn_map_instr instr[TN_MAX_INSTRS];
} fault_program;
void fault_take_part_for_another(tn_op_desc *desc, fault_program *own);
void fault_narrow_numbers(other_run *other, const wrapped *w);
void fault_spoil_programs(const wrapped *w, const tn_run *run);

/* ---- spans.c: how long work took ---- */
const void *fault_observe(void);
void fault_look(tn_backend *table); /* after all else was set */

/* ---- levels.c: levels of precision ---- */
/* Takes the level out of a description, where it means something. */
uint32_t fault_take_level(tn_op_desc *desc);
void fault_round_factors(other_run *other, const wrapped *w);
void fault_round_sums(const wrapped *w, const tn_run *run);

/* ---- kept.c: what is kept from run to run, and operands at other places ---- */
/* Takes it out of a description whether a second factor is kept, and says how many bytes that takes. */
uint64_t fault_take_keeping(tn_op_desc *desc);
/* Another operation's attributes for those of this one. */
void fault_take_for_another(tn_op_desc *desc);
/* The first run's operands and scalars for those of this one; and what was kept on purpose. */
void fault_keep(other_run *other, wrapped *w);
int32_t fault_prepare_one(tn_context *context, const tn_op_desc *desc, wrapped *w);
int32_t fault_run_batches(tn_queue *queue, const wrapped *w, const tn_run *run, tn_msg *msg);
void fault_spoil_kept(const wrapped *w, const tn_run *run);
/* The words at a result's ends. */
typedef struct fault_ends {
    unsigned char *before, *behind, bytes[8];
    size_t n_before, n_behind;
} fault_ends;
void fault_save_ends(const wrapped *w, const tn_run *run, fault_ends *ends);
void fault_put_ends(const fault_ends *ends);
/* The end of what is computed in place, before and after. */
void fault_save_tail(const wrapped *w, const tn_run *run, unsigned char tail[16]);
void fault_put_tail(const wrapped *w, const tn_run *run, const unsigned char tail[16]);

#endif
