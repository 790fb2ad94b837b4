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
    uint32_t own_chunk; /* while it lies in memory of somebody else's: its own place */
    uint64_t own_offset;
    uint32_t is_out;
    uint64_t steps;      /* that its optimizer has done */
    uint32_t is_trained; /* it has one */
    uint32_t is_packed;  /* it lies in a pack's piece, and does not move */
} tn_state_tensor;

typedef struct tn_chunk {
    tn_buffer *buffer;
    uint64_t used, size; /* both 0: it is gone */
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
    uint32_t is_shown; /* somebody knows where tensors are: no memory goes before the state does */
    uint32_t moves;    /* grows when tensors are moved: programs then look again where they are */
    uint32_t lent;     /* tensors that lie in memory of somebody else's */
    uint64_t version;  /* from 1; grows when elements of a tensor may become others */
};

/* The version, or 0 where others may write to tensors without a word. */
static inline uint64_t tn_state_version(const tn_state *state)
{
    return state->is_shown || state->lent ? 0 : state->version;
}

/* Tensors lie at multiples of so many bytes, or of more if the device wants it. Those in a pack at 32 elements. */
enum { TN_STATE_STEP = 128 };

/* The tensor of that name, or NULL. Moves when tensors are added. */
tn_state_tensor *tn_state_get(const tn_state *state, const char *name);

/* A tensor gets its place, of undefined value, and its chunk no memory yet, if it is a new one; those announced, of so
 * many bytes in all, lie together. tn_state_make then gives memory to all chunks that lack it, tn_state_planned bytes,
 * all zeros. */
TN_MUST_USE tn_status tn_state_announce(tn_state *state, uint64_t bytes);
TN_MUST_USE tn_status tn_state_plan(tn_state *state, const char *name, int32_t dtype, const tn_shape *shape,
                                    uint32_t flags);
TN_MUST_USE tn_status tn_state_make(tn_state *state);
TN_MUST_USE tn_status tn_state_wait(tn_state *state);
uint64_t tn_state_planned(const tn_state *state);

/* Where the state stands, and back: what came since is forgotten. */
typedef struct tn_state_mark {
    uint32_t count, chunks;
    uint64_t used, to_come;
} tn_state_mark;
tn_state_mark tn_state_here(const tn_state *state);
void tn_state_back(tn_state *state, tn_state_mark mark);

/* A piece of a state for the variables of a pack, and what is known of those that are there. */
typedef struct tn_state_span {
    uint64_t bytes;
    uint32_t chunk;
    uint64_t offset;
    uint64_t missing;  /* the room that those which are not there would take one by one: bytes */
    uint32_t there;    /* how many are */
    uint32_t in_order; /* they lie at the right distances */
    uint32_t taken;    /* one of its variables lies, or is to lie, in another piece */
    uint32_t apart;    /* there is no piece to make */
} tn_state_span;

/* The largest piece: bytes. */
uint64_t tn_state_largest(const tn_state *state);
/* Gives the piece a place, as tn_state_plan does to a tensor. */
TN_MUST_USE tn_status tn_state_plan_span(tn_state *state, tn_state_span *span);
/* A new tensor `at` bytes from the piece's beginning. */
TN_MUST_USE tn_status tn_state_plan_in(tn_state *state, const char *name, int32_t dtype, const tn_shape *shape,
                                       uint32_t flags, const tn_state_span *span, uint64_t at);
/* Takes down that a tensor, which belongs `at` bytes from the piece's beginning, lies where it does. */
void tn_state_span_see(tn_state_span *span, const tn_state_tensor *tensor, uint64_t at);
/* Moving a tensor there: enqueues the copy; and, once all of them are done, lets it lie there from now on. */
TN_MUST_USE tn_status tn_state_copy_to(tn_state *state, const char *name, const tn_state_span *span, uint64_t at);
void tn_state_settle(tn_state *state, const char *name, const tn_state_span *span, uint64_t at);
/* Frees the memory of chunks that have no tensor any more. */
void tn_state_drop_empty(tn_state *state);

/* A tensor lies at the beginning of that buffer from now on, and is what is there; until it comes back to its own
 * place, of undefined value, and the buffer may go. Nothing that uses it is under way. */
TN_MUST_USE tn_status tn_state_move_out(tn_state *state, const char *name, tn_buffer *buffer);
void tn_state_move_back(tn_state *state, const char *name);

/* The variables of a graph that a state lacks, and its packs. */
typedef struct tn_binding {
    tn_state *state;
    const tn_tensor **missing, **pack;
    tn_state_span *span;    /* of each pack */
    unsigned char *claimed; /* by a variable's number: it is in one of the packs that come to a piece */
    uint32_t count, packs;
    int f64;
    tn_state_mark before;
} tn_binding;

/* begin gives them places, those of a pack in one piece. `f64`: f32 ones are made as f64. make gives them memory and
 * first values. end follows in any case, with the status of all that was done since: unless it is TN_OK, the state
 * becomes as it was. */
TN_MUST_USE tn_status tn_bind_begin(tn_state *state, const tn_graph *graph, int f64, tn_binding *binding);
TN_MUST_USE tn_status tn_bind_make(const tn_binding *binding);
void tn_bind_end(tn_binding *binding, tn_status status);

/* The host memory that first values need while they are made: bytes. */
uint64_t tn_bind_staging(const tn_binding *binding);

/* Distance of tensors: bytes. */
uint64_t tn_state_alignment(const tn_state *state);

#endif
