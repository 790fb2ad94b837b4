/* backend.h: the plugin ABI, and all that the author of a backend includes; the operators are in backend_ops.h.
 *
 * A backend is a shared library that exports one symbol, tn_backend_query. It includes nothing else of Tenon, does
 * not link Tenon, and copies backends/null to begin. docs/backend.md tells the same story at more length.
 *
 * Rules that hold everywhere
 *  - Compatibility. The major version changes when anything here changes its meaning. Tables and structs that begin
 *    with `size` (in bytes, set by whoever fills them) only grow at the end, and then the minor version moves: a field
 *    exists if `size` covers it (TN_HAS tells), one that does not reads as zero, and those of 1.0 always exist.
 *    Structs without `size` sit in arrays and are frozen. In a struct that the callee fills (tn_device_info,
 *    tn_kernel_info, tn_queue_stats) the caller sets `size` to the room there is; the callee writes no byte beyond it,
 *    and sets `size` to what it wrote: tn_answer does just that.
 *  - What is not known. A byte that is not zero in `reserved`, or in attributes or a tn_op_desc beyond the known size,
 *    or a flag other than 0 and 1, wants something: TN_EUNSUPPORTED. What a tn_host or tn_run has beyond is an offer.
 *  - Types. Fixed-width integers and pointers, no enum, no bit-field, no padding.
 *  - Errors. A function that can fail returns a status code (TN_OK = 0) and may write one line, with no newline, that
 *    names the culprit into the caller's message (the tn_msg may be NULL or tiny). Outputs are untouched on failure.
 *    Nothing aborts, prints, raises a signal or throws across this boundary.
 *  - Threads. Contexts, kernels, buffers and events may be used from many threads at once; a queue has one user at a
 *    time. What is destroyed is in no other call. init, deinit, device_count and device_info have one caller at a time.
 *  - Letting go. Buffers, events, kernels and queues may be destroyed while work that uses them is under way, which
 *    is done all the same: by waiting for it, or by keeping what it needs. A context goes last.
 *  - Numbers. The same operands give the same bits each time, in any queue, context and thread, however it rounds.
 *    What is only moved (in a map: by "where" alone) keeps its bits, a NaN some NaN; computing may lose denormals.
 *  - Environment. None of its variables is read: the host has options. A caller's rounding, denormals, signals stay.
 *  - Unloading. A backend is never unloaded; `deinit` releases what it can, and `init` may follow again.
 */
#ifndef TENON_BACKEND_H
#define TENON_BACKEND_H

#include <stddef.h>
#include <stdint.h>

#include "tenon/backend_ops.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TN_ABI_MAJOR 1u
#define TN_ABI_MINOR 1u /* moves whenever a struct grows; docs/backend.md says what each version added */

#if defined(__GNUC__)
#define TN_BACKEND_EXPORT __attribute__((visibility("default")))
#else
#define TN_BACKEND_EXPORT
#endif

/* ---- status codes -------------------------------------------------------------------------------------------- */

#define TN_OK           0
#define TN_EINVAL       1  /* a bad argument, option or value */
#define TN_ESHAPE       2  /* shapes that do not fit */
#define TN_EDTYPE       3  /* element types that do not fit */
#define TN_EUNSUPPORTED 4  /* this backend does not do that; the host will look elsewhere */
#define TN_ENOMEM       5  /* out of memory, on the host or the device */
#define TN_EIO          6  /* a file could not be read or written */
#define TN_EFORMAT      7  /* a file's content is not what it should be */
#define TN_EDEVICE      8  /* the device or its driver failed or was lost */
#define TN_EMISSING     9  /* a name that is not there: a file, device, tensor, layer */
#define TN_ESTATE       10 /* a call that is out of order */

/* ---- element types ------------------------------------------------------------------------------------------- */

/* Each is a row of dtype.def. */
#define TN_F32  1
#define TN_I32  2
#define TN_U8   3
#define TN_F16  4
#define TN_BF16 5
#define TN_F64  6
#define TN_I8   7

/* ---- small structs ------------------------------------------------------------------------------------------- */

/* Where a message goes: at most `capacity` bytes, the closing zero included. Frozen. */
typedef struct tn_msg {
    char *text;
    uint64_t capacity;
} tn_msg;

/* The logical shape of an operand and where its elements lie. Strides are in elements. Frozen.
 * Every operand is dense and row-major, but for the inputs of a map (the map of a reduce and the epilogue of a
 * matmul included), of which any dimension may be broadcast: its stride is 0; and the batch dimension of a matmul. */
typedef struct tn_tensor_desc {
    int32_t dtype;
    int32_t rank;
    int64_t dim[TN_MAX_RANK];
    int64_t stride[TN_MAX_RANK];
} tn_tensor_desc;

typedef struct tn_context tn_context; /* a device made ready; the backend's own */
typedef struct tn_buffer tn_buffer;   /* device memory */
typedef struct tn_queue tn_queue;     /* an in-order, asynchronous list of work */
typedef struct tn_event tn_event;     /* a point in a queue */
typedef struct tn_kernel tn_kernel;   /* an operator prepared for given shapes */

/* A place in device memory: bytes from the buffer's start. Offsets are multiples of the device's `alignment` where a
 * tensor of its own begins, and of the element size otherwise. What has no elements lies in a buffer, too, perhaps at
 * its very end; only scratch memory of no bytes has the buffer NULL. Frozen. */
typedef struct tn_ref {
    tn_buffer *buffer;
    uint64_t offset;
} tn_ref;

/* A value that may change at each run without preparing anything again. Frozen. */
typedef union tn_scalar {
    double f;
    int64_t i;
} tn_scalar;

/* ---- an operator, prepared and run --------------------------------------------------------------------------- */

/* How far numbers of f32 may be rounded before they are multiplied. At F32 not at all: sums in any order, but nothing
 * narrower on the way (docs/conformance.md has the numbers). The other levels are for the first two operands of matmul,
 * conv2d, conv2d_data and conv2d_weight, for q, k, v and dy of attend and attend_grad, and for the weights that these
 * multiply by: sums, epilogues and other types are as at F32. They are permission and no demand: a backend that such a
 * level makes no faster, or that doesn't know it, answers TN_EUNSUPPORTED, as it does for any other operator, and is
 * asked again at F32. tn_take_precision, in backend_operand.h, is for those that know them. */
#define TN_PRECISION_F32      0u
#define TN_PRECISION_F32_FAST 1u /* to 11 significant bits or more: TF32, or two parts of bf16 */
#define TN_PRECISION_BF16     2u /* to 8 or more: bf16 */

/* An operator to prepare. It belongs to the caller and is gone after the call. */
typedef struct tn_op_desc {
    uint64_t size;
    const char *name;
    const tn_tensor_desc *in;
    const tn_tensor_desc *out;
    uint32_t n_in;
    uint32_t n_out;
    const void *attrs;
    const int32_t *alias; /* for each output the input that it overwrites in place, or -1; NULL: none. No other input
                             overlaps that one. Other outputs overlap no input, and no two outputs overlap. */
    /* Since 1.1. Hints for speed, which change no answer and no result: in all runs operand i begins at a multiple of
     * so many bytes, a power of two; 0, or NULL for all: of its element's size. */
    const uint64_t *in_align, *out_align;
    uint32_t precision; /* since 1.1; one of TN_PRECISION_ */
    /* Since 1.1. 1: many operators alike have this input 1, as the steps of a recurrent layer have their weight, or it
     * is the same in many runs, and what is made of it, such as its elements in another order, may be kept in memory
     * that is given for it: see tn_kernel_info.kept. As a level of precision it is permission and no demand: a
     * backend that keeps nothing answers TN_EUNSUPPORTED, and is asked again without. */
    uint32_t keeps;
} tn_op_desc;

/* What the host is told of an operator, the same whether it asks or has it prepared. */
typedef struct tn_kernel_info {
    uint64_t size;
    uint64_t scratch;  /* bytes of scratch memory that each run must be given; 0: none */
    uint64_t launches; /* what one run adds to tn_queue_stats.launches; may be 0 where there are no elements */
    /* Since 1.1. Of an operator that keeps: bytes of memory for what is made of input 1. It is the same for all that
     * are described alike, but for what follows the product and for hints; so are the bytes that they keep there. */
    uint64_t kept;
} tn_kernel_info;

/* One run of a prepared operator. Scratch memory begins at a multiple of the device's `alignment` and keeps nothing
 * from run to run; only runs in one queue are given the same. */
typedef struct tn_run {
    uint64_t size;
    const tn_ref *in;
    const tn_ref *out;
    tn_ref scratch;
    const tn_scalar *scalar;
    uint64_t n_scalar; /* how many: as many as the operator names (n_scalar of its map; for window 1 more than `scalar`)
                          or more, of which the rest is ignored; at most TN_MAX_SCALARS */
    /* Since 1.1. Of an operator that keeps: its memory, as scratch memory begins; and 1 if it is as an operator that is
     * described alike left it in this queue, with the same elements in its input 1; 0: it is to be filled. */
    tn_ref kept;
    uint64_t is_kept;
} tn_run;

/* ---- devices ------------------------------------------------------------------------------------------------- */

#define TN_DEVICE_CPU         1u
#define TN_DEVICE_GPU         2u
#define TN_DEVICE_ACCELERATOR 3u
#define TN_DEVICE_OTHER       4u

/* Filled by device_info. Texts are closed by a zero. */
typedef struct tn_device_info {
    uint64_t size;
    char name[128]; /* for people */
    char vendor[64];
    char driver[128]; /* name and version of the driver */
    char id[64];      /* the same device keeps its id when others come and go; the backend's own id ("cpu") says
                         that there is only ever this one device, which is then named without an index */
    uint32_t kind;
    uint32_t units;      /* compute units or cores */
    uint64_t memory;     /* bytes; 0: not known */
    uint64_t max_buffer; /* bytes of the largest buffer; 0: no limit */
    uint64_t alignment;  /* bytes, a power of two: where a tensor of its own should begin */
    /* Since 1.1: the most that one operator may have; 0: the limits above. It saves asking: op_prepare decides. */
    uint32_t max_in, max_out; /* operands */
    uint32_t max_instr;       /* instructions of a map */
    uint32_t max_scalar;      /* run-time scalars of a map */
} tn_device_info;

/* What a queue has done since it was made. */
typedef struct tn_queue_stats {
    uint64_t size;
    uint64_t launches;    /* kernels that op_run gave to the device; moves, fills and events are none */
    uint64_t host_waits;  /* each queue_sync, and each call that came back only when the device had made room in the
                             queue or moved the bytes; what is done in the caller's own thread is no wait */
    uint64_t bytes_write; /* from host to device */
    uint64_t bytes_read;  /* from device to host */
} tn_queue_stats;

/* ---- the host's services -------------------------------------------------------------------------------------- */

#define TN_LOG_DEBUG   0
#define TN_LOG_INFO    1
#define TN_LOG_WARNING 2
#define TN_LOG_ERROR   3

/* Given to init, valid until deinit returns, free-threaded. `self` is the first argument of each. */
typedef struct tn_host {
    uint64_t size;
    void *self;
    /* Host memory, zeroed, counted; NULL: there is none. `alignment` is a power of two. release(NULL) is fine. */
    void *(*allocate)(void *self, uint64_t bytes, uint64_t alignment);
    void (*release)(void *self, void *memory);
    void (*log)(void *self, int32_t level, const char *line);
    /* The option's text ("threads", "platform"), or NULL; lives as long as the host. Since 1.1 a backend asks for every
     * option that it has before its first context_create returns: the host refuses others that were set. A value that
     * makes no sense is refused by then: TN_EINVAL, and a line that names the option. */
    const char *(*option)(void *self, const char *backend, const char *key);
    /* The disk cache; both are NULL where the user keeps none. `key` is any text. get: the entry's bytes or -1; it is
     * copied only if it fits in `capacity`, and may be damaged. put: atomic; failing to store is no error. */
    int64_t (*cache_get)(void *self, const char *key, void *data, uint64_t capacity);
    void (*cache_put)(void *self, const char *key, const void *data, uint64_t bytes);
    /* body(arg, begin, end) over pieces of 0..n, on the host's threads; returns when all are done. */
    void (*parallel_for)(void *self, int64_t n, void (*body)(void *arg, int64_t begin, int64_t end), void *arg);
    /* Since 1.1. A table of the host's (backend_ext.h) by its id, or NULL; valid as long as the host. */
    const void *(*get_ext)(void *self, const char *id);
} tn_host;

/* ---- the backend ---------------------------------------------------------------------------------------------- */

/* The table of a backend. A number that no device has is TN_EMISSING. */
typedef struct tn_backend {
    uint64_t size;
    uint32_t abi_major;
    uint32_t abi_minor;
    const char *id; /* "cpu": 1 to 31 of a-z, 0-9, '-' and '_'; a device is named id:index */
    const char *version;
    const char *doc; /* one line */

    /* Called once before all others, and again after deinit: in between no other comes. Keeps the pointer to the host.
     * A second init before deinit, by another copy of the library in this process, fails with TN_ESTATE. */
    int32_t (*init)(const tn_host *host, tn_msg *msg);
    void (*deinit)(void);

    int32_t (*device_count)(uint32_t *count, tn_msg *msg);
    int32_t (*device_info)(uint32_t device, tn_device_info *info, tn_msg *msg);

    int32_t (*context_create)(uint32_t device, tn_context **context, tn_msg *msg);
    void (*context_destroy)(tn_context *context); /* after everything made from it; NULL is fine, as in all destroys */

    /* At least `bytes` bytes, contents undefined; `bytes` may be 0. */
    int32_t (*buffer_create)(tn_context *context, uint64_t bytes, tn_buffer **buffer, tn_msg *msg);
    void (*buffer_destroy)(tn_buffer *buffer);

    /* Work in a queue runs in order and asynchronously, any amount of it: the call that finds a finite queue full waits
     * until there is room, which needs no flush; no other call that enqueues waits, and being full is no error. The
     * first error sticks: earlier work is done, later work is dropped, and queue_sync, which waits for all of it,
     * returns the error each time; other calls on that queue may return it or TN_OK. A call that enqueues what cannot
     * be is such an error, TN_EINVAL, at its place in the order; the backend finds what lies (scratch, too) beyond the
     * bytes asked for, a pattern that does not fit, too few scalars. Events pass no error on to other queues. */
    int32_t (*queue_create)(tn_context *context, tn_queue **queue, tn_msg *msg);
    void (*queue_destroy)(tn_queue *queue);               /* waits first */
    int32_t (*queue_flush)(tn_queue *queue, tn_msg *msg); /* sees to it that the work begins; does not wait */
    int32_t (*queue_sync)(tn_queue *queue, tn_msg *msg);
    int32_t (*queue_stats)(tn_queue *queue, tn_queue_stats *stats, tn_msg *msg);

    /* Asynchronous as well: the host's memory must stay as it is until the queue, or an event that stands for the call,
     * was synced. Any number of bytes, at any offset; ranges of a copy do not overlap; a fill repeats a pattern of 1,
     * 2, 4 or 8 bytes, of which offset and bytes are multiples; the pattern is copied before the call returns. */
    int32_t (*write)(tn_queue *queue, tn_ref to, const void *from, uint64_t bytes, tn_msg *msg);
    int32_t (*read)(tn_queue *queue, void *to, tn_ref from, uint64_t bytes, tn_msg *msg);
    int32_t (*copy)(tn_queue *queue, tn_ref to, tn_ref from, uint64_t bytes, tn_msg *msg);
    int32_t (*fill)(tn_queue *queue, tn_ref to, uint64_t bytes, const void *pattern, uint64_t pattern_bytes,
                    tn_msg *msg);

    /* record: the event stands from now on for the work that `queue` has so far, waits too; flushes. It is done when
     * that work is done, or was dropped after an error (a failed queue records, too); and before it is recorded. wait:
     * later work of `queue` waits for what the event stands for at this call, whatever is recorded later; the host does
     * not. sync: the host waits; it fails only if the device is lost. */
    int32_t (*event_create)(tn_context *context, tn_event **event, tn_msg *msg);
    void (*event_destroy)(tn_event *event);
    int32_t (*event_record)(tn_queue *queue, tn_event *event, tn_msg *msg);
    int32_t (*event_wait)(tn_queue *queue, tn_event *event, tn_msg *msg);
    int32_t (*event_sync)(tn_event *event, tn_msg *msg);

    /* 'Is it supported?' and 'make it ready' are one function: with kernel == NULL it only answers. TN_OK is a
     * promise: from then on the operator fails only for lack of memory or loss of the device. TN_EUNSUPPORTED is
     * the other normal answer: the host looks elsewhere, and shows the message as the reason. All others are errors.
     * Asking is cheap: it compiles nothing, does nothing on the device and keeps no memory. `info` may be NULL. */
    int32_t (*op_prepare)(tn_context *context, const tn_op_desc *desc, tn_kernel **kernel, tn_kernel_info *info,
                          tn_msg *msg);
    void (*op_release)(tn_kernel *kernel);
    /* Enqueues the operator. Allocates nothing and waits for nothing but room; but for the first run of a backend that
     * offers tenon.ready/1 (backend_ext.h) and was not asked. `run` is gone after the call. */
    int32_t (*op_run)(tn_queue *queue, tn_kernel *kernel, const tn_run *run, tn_msg *msg);

    /* An extension's table (backend_ext.h) by its id, "tenon.memory/1", or NULL; the table is constant. May be NULL. */
    const void *(*get_ext)(const char *id);
} tn_backend;

/* The one exported symbol. Pure and fast: no thread, no file, no driver call. Returns the backend's table, constant
 * and valid for ever, or NULL if it can't work with a host of that version. */
typedef const tn_backend *tn_backend_query_fn(uint32_t host_major, uint32_t host_minor);
TN_BACKEND_EXPORT const tn_backend *tn_backend_query(uint32_t host_major, uint32_t host_minor);

/* ---- helpers for both sides ------------------------------------------------------------------------------------ */

/* 1 if the struct that `p` points to, of that type, is long enough to have the field. */
#define TN_HAS(type, p, field) ((p)->size >= offsetof(type, field) + sizeof(((const type *)0)->field))

/* Bytes of one element, 0 for an unknown type. */
static inline uint64_t tn_dtype_size(int32_t dtype)
{
    switch (dtype) {
#define X(NAME, name, bytes, VALUE, unit, smallest, largest, infinity)                                                 \
    case TN_##NAME:                                                                                                    \
        return bytes;
#include "tenon/dtype.def"
#undef X
    }
    return 0;
}

/* The number of elements. */
static inline int64_t tn_desc_count(const tn_tensor_desc *desc)
{
    int64_t count = 1;
    for (int32_t d = 0; d < desc->rank; d++) count *= desc->dim[d];
    return count;
}

/* 1 if everything in an attribute struct or tn_op_desc beyond the `known` bytes is zero, so that it can be honoured. */
static inline int tn_attrs_known(const void *attrs, uint64_t known)
{
    const unsigned char *bytes = (const unsigned char *)attrs;
    uint64_t size = attrs ? *(const uint64_t *)attrs : 0;
    for (uint64_t i = known; i < size; i++)
        if (bytes[i]) return 0;
    return 1;
}

/* Fills *to, of which to->size bytes exist, from a struct of `bytes` bytes that the callee knows. */
static inline void tn_answer(void *to, const void *from, uint64_t bytes)
{
    uint64_t room = *(const uint64_t *)to, n = room < bytes ? room : bytes;
    for (uint64_t i = 0; i < n; i++) ((unsigned char *)to)[i] = ((const unsigned char *)from)[i];
    if (room >= sizeof room) *(uint64_t *)to = n;
}

#ifdef __cplusplus
}
#endif
#endif
