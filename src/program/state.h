/* state.h: the state's own struct: tensors in chunks of device memory, and the queue that its programs share. */
#ifndef TN_PROGRAM_STATE_H
#define TN_PROGRAM_STATE_H

#include "build.h"
#include "device_internal.h"
#include "index.h"
#include "tenon/state.h"

typedef struct tn_state_tensor {
    tn_state_entry entry;
    uint32_t chunk;
    uint64_t offset, bytes;
    uint64_t steps;      /* that its optimizer has done */
    uint32_t is_trained; /* it has one */
} tn_state_tensor;

typedef struct tn_chunk {
    tn_buffer *buffer;
    uint64_t used, size;
} tn_chunk;

struct tn_state {
    tn_device *device;
    tn_queue *queue;
    uint64_t seed, step;
    uint64_t first_step; /* of parameters whose optimizer is yet to come */
    tn_region region;    /* names */
    tn_index names;      /* of tensors */
    tn_state_tensor *tensor;
    uint32_t count, capacity;
    tn_chunk *chunk;
    uint32_t chunks, chunk_capacity;
    uint64_t to_come; /* bytes of tensors that were announced and are not there yet */
    uint64_t bytes_written, bytes_read;
};

/* The tensor of that name, or NULL. Moves when tensors are added. */
tn_state_tensor *tn_state_get(const tn_state *state, const char *name);

/* A tensor gets its place, of undefined value, and its chunk no memory yet, if it is a new one; those announced, of so
 * many bytes in all, lie together. tn_state_make then gives memory to all chunks that lack it, tn_state_planned bytes,
 * all zeros. */
TN_MUST_USE tn_status tn_state_announce(tn_state *state, uint64_t bytes);
TN_MUST_USE tn_status tn_state_plan(tn_state *state, const char *name, int32_t dtype, const tn_shape *shape,
                                    uint32_t flags);
TN_MUST_USE tn_status tn_state_make(tn_state *state);
uint64_t tn_state_planned(const tn_state *state);

/* Where the state stands, and back: what came since is forgotten. */
typedef struct tn_state_mark {
    uint32_t count, chunks;
    uint64_t used, to_come;
} tn_state_mark;
tn_state_mark tn_state_here(const tn_state *state);
void tn_state_back(tn_state *state, tn_state_mark mark);

/* The variables of a graph that a state lacks. */
typedef struct tn_binding {
    tn_state *state;
    struct tn_missing *missing;
    uint32_t count;
    int f64;
    tn_state_mark before;
} tn_binding;

/* begin gives them places. Variables that an optimizer updates together lie together, in the same order as what belongs
 * to them ("fc1.weight.exp_avg"). `f64`: f32 ones are made as f64. make gives them memory and first values. end follows
 * in any case, with the status of all that was done since: unless it is TN_OK, the state becomes as it was. */
TN_MUST_USE tn_status tn_bind_begin(tn_state *state, const tn_graph *graph, int f64, tn_binding *binding);
TN_MUST_USE tn_status tn_bind_make(const tn_binding *binding);
void tn_bind_end(tn_binding *binding, tn_status status);

/* The host memory that first values need while they are made: bytes. */
uint64_t tn_bind_staging(const tn_binding *binding);

/* Distance of tensors: bytes. */
uint64_t tn_state_alignment(const tn_state *state);

#endif
