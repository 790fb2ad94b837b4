/* state.h: named tensors that live on a device: parameters, optimizer moments, step count, random seed.
 *
 * Programs compiled with the same state share its tensors by name. A checkpoint is a state in a safetensors file
 * (https://huggingface.co/docs/safetensors), with PyTorch's names and shapes.
 *
 * A state and its programs are used by one thread at a time. */
#ifndef TENON_STATE_H
#define TENON_STATE_H

#include "tenon/device.h"
#include "tenon/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tn_state tn_state;

/* An empty state on the device, which must stay open as long. Free its programs first. */
TN_API TN_MUST_USE tn_status tn_state_new(tn_device *device, uint64_t seed, tn_state **state);
TN_API void tn_state_free(tn_state *state);

/* The device that it was made on. */
TN_API tn_device *tn_state_device(const tn_state *state);
/* The seed of first values and of random numbers, and the training steps done. A checkpoint has both. */
TN_API uint64_t tn_state_seed(const tn_state *state);
TN_API void tn_state_set_seed(tn_state *state, uint64_t seed);
TN_API uint64_t tn_state_step(const tn_state *state);
TN_API void tn_state_set_step(tn_state *state, uint64_t step);

/* The training steps that a parameter's optimizer has done; returns 0 if it has none. Where several optimizers share a
 * state, as those of a generator and a discriminator do, each counts its own, which is what its schedule goes by; the
 * state's step is the number of runs that trained, whoever did. A checkpoint has them. */
TN_API int tn_state_param_step(const tn_state *state, const char *param, uint64_t *step);
/* Sets it; with NULL that of all parameters, those to come included, as tn_state_set_step does. */
TN_API TN_MUST_USE tn_status tn_state_set_param_step(tn_state *state, const char *param, uint64_t step);

/* Tensor number `index` in the order of their making; returns 0 past the last. The name lives as long as the state. */
typedef struct tn_state_entry {
    const char *name;
    int32_t dtype;
    tn_shape shape;
    uint32_t flags;
    uint64_t spare[4];
} tn_state_entry;
TN_API int tn_state_at(const tn_state *state, size_t index, tn_state_entry *entry);
TN_API int tn_state_find(const tn_state *state, const char *name, tn_state_entry *entry);

/* Makes a tensor and fills it from `data`, dense and row-major, or with zeros if NULL. Fails if the name is taken by
 * another shape or type; the same shape and type is overwritten.
 * Tensors are spread over as many buffers of the device as it takes; one that is larger than the largest is refused. */
TN_API TN_MUST_USE tn_status tn_state_put(tn_state *state, const char *name, int32_t dtype, tn_shape shape,
                                          uint32_t flags, const void *data);

/* Copies a tensor's whole value from or to the device; `bytes` must be its size. Waits for the device. */
TN_API TN_MUST_USE tn_status tn_state_write(tn_state *state, const char *name, const void *data, uint64_t bytes);
TN_API TN_MUST_USE tn_status tn_state_read(tn_state *state, const char *name, void *data, uint64_t bytes);
/* The same of a part, `bytes` from byte `at` on, which has to lie in the tensor: for those that are large. */
TN_API TN_MUST_USE tn_status tn_state_write_part(tn_state *state, const char *name, uint64_t at, const void *data,
                                                 uint64_t bytes);
TN_API TN_MUST_USE tn_status tn_state_read_part(tn_state *state, const char *name, uint64_t at, void *data,
                                                uint64_t bytes);

/* Where a tensor lies, for those who show it elsewhere without a copy or work on it themselves: the address of its
 * first element in the host's memory, dense and row-major, or a cl_mem and the offset in it. */
#define TN_PLACE_HOST   1
#define TN_PLACE_OPENCL 2
typedef struct tn_state_place {
    uint32_t kind;
    void *handle;    /* of HOST the tensor's own address, of OPENCL the buffer's cl_mem, */
    uint64_t offset; /* in which the tensor begins at this byte; of HOST 0 */
    uint64_t bytes;  /* of the tensor */
} tn_state_place;
/* Waits for the device. TN_EUNSUPPORTED where the backend does not tell (tenon.native/1). The memory is the state's,
 * and stays as long as it does; what runs later is seen there once it was waited for. A program that is compiled for
 * the state may give the tensor another place, for which one asks again. */
TN_API TN_MUST_USE tn_status tn_state_where(tn_state *state, const char *name, tn_state_place *place);

/* A tensor watched while the device works: reading that neither waits for the work before it nor holds up what comes
 * after. Each call of tn_peek_next enqueues a read of the tensor as it is then in the order of the work, and gives what
 * the call before asked for: its bytes, which stay until the next call, or NULL at the first call. It waits only where
 * the device has not come as far as that call yet, and so keeps the host from running more than that ahead; it
 * allocates nothing. Free it before the state; NULL is fine. */
typedef struct tn_peek tn_peek;
TN_API TN_MUST_USE tn_status tn_peek_new(tn_state *state, const char *name, tn_peek **peek);
TN_API TN_MUST_USE tn_status tn_peek_next(tn_peek *peek, const void **data);
TN_API void tn_peek_free(tn_peek *peek);

/* ---- files ---- */

/* Texts that go with a state in its file: net, data, epoch... */
typedef struct tn_note {
    const char *key;
    const char *value;
} tn_note;

/* Saves every tensor that is not transient, the seed and the step, and the notes, which are UTF-8 and whose keys differ
 * from each other and don't begin with "tenon.". Written to a temporary file beside `path` (which may be a symbolic
 * link), flushed to the disk and renamed, so that `path` is always the old file or the new one, whole, and of the same
 * owner and mode. What is no regular file, a device for example, is written straight to. Fails with TN_EMISSING if the
 * folder isn't there, and with TN_ESTATE if a tensor has a number that is not finite, which a training that diverged
 * leaves behind: a good file is never replaced by such. */
TN_API TN_MUST_USE tn_status tn_state_save(tn_state *state, const char *path, const tn_note notes[], size_t count);

/* How to save; what is 0 is as usual. */
typedef struct tn_save_options {
    uint32_t not_finite;   /* save numbers that are not finite, too */
    uint32_t weights_only; /* leave out the moments of optimizers, which are named after their parameter, the seed and
                              the step: what PyTorch's load_state_dict takes */
    const char *without;   /* leave these tensors out: names or patterns as tn_freeze takes; or NULL */
    uint64_t spare[4];
} tn_save_options;
TN_API TN_MUST_USE tn_status tn_state_save_with(tn_state *state, const char *path, const tn_save_options *options,
                                                const tn_note notes[], size_t count);

/* A file that was read whole and checked: ours or any other safetensors file. Weights that safetensors' save_model
 * found tied, and wrote once, have all their names: tn_checkpoint_find knows them, and loading does; notes of our own
 * files never stand for tensors. Truth values and whole numbers of other types become i32, as PyTorch's
 * "num_batches_tracked"; a tensor that has one beyond i32's range, or is of a type that is not read (F8), is left out
 * with a warning. The caller closes it. TN_EFORMAT if it is damaged. Not changed once it is open: any thread may read
 * it. */
typedef struct tn_checkpoint tn_checkpoint;
TN_API TN_MUST_USE tn_status tn_checkpoint_open(const char *path, tn_checkpoint **checkpoint);
TN_API void tn_checkpoint_close(tn_checkpoint *checkpoint); /* NULL is fine */
/* The note's text, or NULL. Lives as long as the checkpoint. "tenon.seed", "tenon.step", "tenon.steps" and
 * "tenon.version" are what tn_state_save added. */
TN_API const char *tn_checkpoint_note(const tn_checkpoint *checkpoint, const char *key);
/* Gives tensors other names, for a file whose model is put together otherwise. `rules` are "OLD=NEW", separated by
 * commas: what is named OLD up to a dot, or wholly, is named NEW there, and "module.=" takes a prefix away. The first
 * rule that fits counts; one that fits no tensor is TN_EMISSING. Nothing is changed if a name would be empty or there
 * twice (TN_EINVAL). Of a checkpoint that no other thread uses; notes stay as they are. */
TN_API TN_MUST_USE tn_status tn_checkpoint_rename(tn_checkpoint *checkpoint, const char *rules);
/* Tensor number `index` in the file's order; `data` is dense and row-major, aligned for its type, and lives as long as
 * the checkpoint, as the name does. `flags` are 0: a file has none. Returns 0 past the last. `data` may be NULL. */
TN_API int tn_checkpoint_at(const tn_checkpoint *checkpoint, size_t index, tn_state_entry *entry, const void **data);
TN_API int tn_checkpoint_find(const tn_checkpoint *checkpoint, const char *name, tn_state_entry *entry,
                              const void **data);
/* Fills every tensor of the state from the file, transient ones aside, and the seed and the step if the file has them.
 * Tensors that only the file has are put into the state as well, with flags 0: the moments of an optimizer whose graph
 * is yet to be compiled. Nothing is changed if a tensor is not in the file (TN_EMISSING) or has another shape
 * (TN_ESHAPE) or type (TN_EDTYPE) there. */
TN_API TN_MUST_USE tn_status tn_checkpoint_load(const tn_checkpoint *checkpoint, tn_state *state);
/* The same, and the tensors' data leave memory as they go: one at a time is there twice. From then on, also if it
 * fails, data may be NULL, and loading once more is TN_EMISSING. */
TN_API TN_MUST_USE tn_status tn_checkpoint_move(tn_checkpoint *checkpoint, tn_state *state);

/* What became of a tensor when only what fits was loaded. */
#define TN_LOAD_TAKEN   0
#define TN_LOAD_SHAPE   1 /* it has another shape in the file */
#define TN_LOAD_DTYPE   2 /* or another element type */
#define TN_LOAD_MISSING 3 /* the file lacks it */
#define TN_LOAD_UNUSED  4 /* the state lacks it */
/* `state` and `file` are NULL where there is no such tensor; they live as long as the call. */
typedef void tn_load_report(void *arg, int32_t fit, const tn_state_entry *state, const tn_state_entry *file);

/* For transfer learning: fills the tensors of the state that the file has by name, shape and type, where f64, f16 and
 * bf16 become f32 and a number beyond its range is TN_EDTYPE, and leaves the others as they are, and seed and step too.
 * Transient tensors and the moments of optimizers, which are named after their parameter, are left out on both sides.
 * `report`, unless NULL, is told of every other tensor, those of the state first; `taken`, unless NULL, gets how many
 * were filled. */
TN_API TN_MUST_USE tn_status tn_checkpoint_load_fitting(const tn_checkpoint *checkpoint, tn_state *state,
                                                        tn_load_report *report, void *arg, size_t *taken);

/* ---- names of earlier versions ---- */

/* Made room for that many bytes of tensors: a hint that nothing needs. */
TN_OLD("nothing: it was a hint") TN_MUST_USE tn_status tn_state_reserve(tn_state *state, uint64_t bytes);

#ifdef __cplusplus
}
#endif
#endif
