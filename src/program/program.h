/* program.h: the program's own struct. */
#ifndef TN_PROGRAM_PROGRAM_H
#define TN_PROGRAM_PROGRAM_H

#include "ir.h"
#include "state.h"
#include "tenon/program.h"
#include "tenon/tune.h"

/* A range of memory: buffers of one size, but for the last. */
typedef struct tn_banks {
    tn_buffer **buffer;
    uint32_t count, capacity;
    uint64_t size;  /* bytes of each but the last */
    uint64_t bytes; /* of all of them */
} tn_banks;

/* A device that runs a part of the program. */
typedef struct tn_place_device {
    tn_device *device; /* NULL: not there, or not needed so far */
    tn_queue *queue;
    tn_banks arena, inputs;
    uint64_t input_bytes; /* by the plan */
    uint32_t tried;
} tn_place_device;

/* A launch as it is run. */
typedef struct tn_prepared {
    const tn_launch *launch;
    tn_place_device *place;
    tn_ref *in, *out; /* the run's operands */
    tn_run run;
    tn_scalar scalar[TN_MAX_OPERANDS];
    int64_t sample;    /* that its operands begin with, those that go on with the rounds */
    uint64_t filled;   /* what is kept for other runs is made of that version of input 1; 0: it is not there yet */
    void *staging;     /* of a transfer: host memory of the program's, */
    tn_event *written; /* which is free when this is done, for all that are read together with it */
} tn_prepared;

/* What a run has for itself while others of the program are under way. */
typedef struct tn_lane {
    tn_banks arena[TN_PLACES];
    tn_prepared *prepared;
    tn_scalar *scalar;
    uint32_t moves;
} tn_lane;

/* A parameter, by its number in the state, and the number of its optimizer among the program's. */
typedef struct tn_trained {
    uint32_t tensor, optimizer;
} tn_trained;

struct tn_program {
    tn_state *state;
    tn_ir ir;
    tn_target target;
    tn_place_device place[TN_PLACES];
    tn_prepared *prepared;
    tn_scalar *scalar;    /* by slot: the value in the next run */
    const uint64_t **own; /* by slot: where the state's own number is, or NULL */
    tn_trained *trained;
    uint64_t *steps; /* of each optimizer, before this run */
    uint32_t n_trained, optimizers;
    tn_port *input; /* of the graph */
    uint32_t inputs;
    uint32_t advances_step, f64;
    uint32_t changes_state;     /* a launch writes to it */
    uint32_t unfed;             /* inputs that have not been filled yet, at most so many */
    struct tn_staging *staging; /* of transfers; NULL: there are none */
    uint32_t moves;             /* of the state, when the launches were bound */
    tn_lane *lane;              /* the others, while one is current: its place is unused; */
    uint32_t lanes;             /* 0: there are none besides */
    uint32_t lane_room, at_lane;
    uint32_t *crossing; /* the launches that cross */
    uint32_t crossings;
    char refusal[200];      /* of the operator that the state's device declined last: its backend's line */
    tn_status trouble;      /* the first error that a device gave when it was asked about an operator, */
    char trouble_text[400]; /* and its line: compiling ends with it */
    tn_program_report report;
    struct tn_profile *profile; /* NULL: nobody looks how long launches take */
};

/* Gives every value its place. Refuses what no buffer holds, by its name, and what is more than there is room for
 * together with the part of the state that has no memory yet and `staging` bytes of the host's, which are needed before
 * the program is. Then the memory is allocated, zeroed. */
TN_MUST_USE tn_status tn_program_plan(tn_program *program, uint64_t staging);
TN_MUST_USE tn_status tn_program_allocate(tn_program *program);
/* Brings the graph's constants to the device. */
TN_MUST_USE tn_status tn_program_fill_constants(tn_program *program);
/* Of the current lane: its arenas; its launches and scalars, the latter all 0; and the end of all lanes. */
TN_MUST_USE tn_status tn_program_allocate_arenas(tn_program *program);
TN_MUST_USE tn_status tn_program_bind_lane(tn_program *program);
void tn_program_free_lanes(tn_program *program);
void tn_banks_free(const tn_device *device, tn_banks *banks);

/* Enqueues the launch whose turn it is, which is no transfer. */
TN_MUST_USE tn_status tn_program_run_launch(tn_program *program, tn_turn turn);

/* A number for the slot's next run, as the slot's type keeps it. */
void tn_program_set_slot(tn_program *program, uint32_t slot, double value);

/* The input of that name; NULL: there is none. */
tn_value *tn_program_input(const tn_program *program, const char *name);

/* Lists the graph's inputs; and that of this name, whether or not the program has a use for it, or NULL. */
TN_MUST_USE tn_status tn_program_find_inputs(tn_program *program, const tn_graph *graph);
const tn_port *tn_program_declared(const tn_program *program, const char *name);

/* Where a value lies; and all operands of all launches, once more when the state has moved tensors. */
tn_ref tn_program_ref(const tn_program *program, tn_value *value);
void tn_program_find_operands(tn_program *program);

/* Opens the devices of the fallbacks when they are first asked for. */
int tn_program_supports(void *program, int32_t place, const tn_op_desc *desc, const tn_origin *origin);

/* Lists the parameters that the graph's optimizers update; the state has them already. */
TN_MUST_USE tn_status tn_program_find_optimizers(tn_program *program, const tn_graph *graph);
/* Those that no optimizer has had before begin to count, once the program is whole. */
void tn_program_begin_steps(tn_program *program);
/* Where the number of a scalar of that name is, if it is the state's own; else NULL. */
const uint64_t *tn_program_own_number(const tn_program *program, const char *name);
/* Before a run and after it. */
void tn_program_count_steps(tn_program *program);
void tn_program_advance(tn_program *program);

/* Runs the transfer at `begin`, and those behind it, before `end`, that go the same way: so many in all. */
TN_MUST_USE tn_status tn_program_transfer(tn_program *program, uint32_t begin, uint32_t end, uint32_t *count);

/* Tunes the operators of the first place; or, of less than no seconds, has choices that came from elsewhere compared.
 */
TN_MUST_USE tn_status tn_program_tune_kernels(tn_program *program, const tn_tune_options *options);

/* Asks the backend which kernel a launch has, where there were several. */
TN_MUST_USE tn_status tn_program_note_choice(tn_program *program, tn_launch *launch);

/* Waits for every place's queue. */
tn_status tn_program_sync(tn_program *program);

#endif
