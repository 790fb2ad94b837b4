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

/* Makes the variables of the graph that the state lacks, and gives them their first values. Variables that an optimizer
 * updates together lie together, in the same order as what belongs to them ("fc1.weight.exp_avg"). `f64`: f32 ones are
 * made as f64. */
tn_status tn_state_bind(tn_state *state, const tn_graph *graph, int f64);

/* Distance of tensors: bytes. */
uint64_t tn_state_alignment(const tn_state *state);

#endif
