/* backend_ext.h: extensions of the plugin ABI: tables that one side offers and the other finds by a string.
 *
 * Include it beside backend.h where you want one of them; nobody has to. A backend offers a table by tn_backend's
 * get_ext, the host by tn_host's. A side that doesn't know an id returns NULL, and the other does without.
 *
 * Rules
 *  - All rules of backend.h hold: tables begin with `size` and grow at the end, errors, threads, nothing printed.
 *  - An id whose number is plain ("tenon.memory/1") is final: its table grows, and never changes its meaning.
 *  - An id that ends in "-draft" is a plan, published so that it can be tried and disputed. No release of the library
 *    calls it, and it may change or go without notice. It becomes final by dropping the ending, when a backend of ours
 *    or two of others use it; from then on the draft's id answers nothing. So code made for a draft is never called
 *    by what the draft became.
 *  - The number changes when the meaning does; a side may offer several. Ids of your own begin with a name that you
 *    own ("example.com/...").
 */
#ifndef TENON_BACKEND_EXT_H
#define TENON_BACKEND_EXT_H

#include "tenon/backend.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- tenon.library/1, offered by the host: which library it is -------------------------------------------------- */

#define TN_EXT_LIBRARY "tenon.library/1"

/* What the host says of itself. */
typedef struct tn_ext_library {
    uint64_t size;
    const char *version; /* "0.1.0" */
    uint32_t abi_major;
    uint32_t abi_minor;
} tn_ext_library;

/* ---- tenon.memory/1, offered by a backend: what memory there is ------------------------------------------------- *
 * The library asks before it allocates, and refuses with one line what cannot fit, rather than let the system kill the
 * process; `tenon devices` and `tenon doctor` show it. And memory of the host's that a device copies from and to by
 * itself, for those that have to copy: batches that are fed to a network come from there. */

#define TN_EXT_MEMORY "tenon.memory/1"

typedef struct tn_pinned tn_pinned; /* the backend's own */

/* Filled by budget. Bytes. */
typedef struct tn_memory_budget {
    uint64_t size;
    uint64_t total; /* that the device has for all who use it */
    uint64_t free;  /* that can still be had now in all, as far as the driver tells: never less, so that a program that
                       would fit is not refused; at most `total`. In how many pieces it lies, and how large a buffer
                       may be, does not count. */
} tn_memory_budget;

/* What a backend says of its memory. */
typedef struct tn_ext_memory {
    uint64_t size;
    /* Between init and deinit, without a context. As init, it has one caller at a time; other threads may be in all
     * that may have many, and make buffers meanwhile. A number that no device has is TN_EMISSING. */
    int32_t (*budget)(uint32_t device, tn_memory_budget *budget, tn_msg *msg);
    /* Both may be NULL, and are where copies are no faster so. Host memory that stays where it is while there are
     * copies, so that a write from there or a read to there needs neither the host's help nor a copy on the way; else
     * it is memory as any other: zeroed or not, at a multiple of 64 bytes, for all queues of the context and every
     * thread. `bytes` may be 0. TN_EUNSUPPORTED or TN_ENOMEM: the library takes other memory. It is destroyed before
     * the context, when no copy from or to it is under way; NULL is fine. Free-threaded. */
    int32_t (*pinned_create)(tn_context *context, uint64_t bytes, tn_pinned **pinned, void **data, tn_msg *msg);
    void (*pinned_destroy)(tn_pinned *pinned);
} tn_ext_memory;

/* ---- tenon.here/1, offered by a backend: it computes in the caller's thread ------------------------------------- *
 * Says that all of its devices do all work within the call that enqueues it: when a call comes back, what it asked for
 * is done and seen by every thread, and events and queues have nothing to wait for. Where there is nothing to be
 * computed meanwhile, the library does in the same thread what it would otherwise give to another. */

#define TN_EXT_HERE "tenon.here/1"

/* Nothing more is to be said so far. */
typedef struct tn_ext_here {
    uint64_t size;
} tn_ext_here;

/* ---- tenon.adopt/1, offered by a backend: buffers of the host's memory ------------------------------------------- *
 * For devices that compute in the memory of the host's processors, in which each side sees what the other wrote without
 * asking for it. What the host makes is then used by the device where it lies, and the other way round; elsewhere it is
 * written and read. */

#define TN_EXT_ADOPT "tenon.adopt/1"

/* What such a backend does. */
typedef struct tn_ext_adopt {
    uint64_t size;
    /* Makes a buffer of memory that the caller has, at a multiple of 4096 bytes, and that stays as it is but for what
     * either side writes. The caller keeps it until the buffer was destroyed and nothing that uses it is under way.
     * What the host has written is seen by work that it then enqueues; what work has written, by whoever has waited for
     * it by event_sync or queue_sync. Meanwhile either side may use bytes that the other doesn't. A device that can't
     * do so: TN_EUNSUPPORTED. */
    int32_t (*adopt)(tn_context *context, void *data, uint64_t bytes, tn_buffer **buffer, tn_msg *msg);
} tn_ext_adopt;

/* ---- tenon.samples/1, offered by a backend: a batch a few samples at a time -------------------------------------- *
 * For devices whose units have a cache each. Of operators that make each sample's result of that sample alone, the
 * library may then run one after the other on a few samples, and then all of them on the next few, so that what passes
 * between them stays in the caches. A backend that offers it promises that map without random numbers, conv2d,
 * conv2d_data, the poolings, slice, unslice, concat and transpose make the same bits of a sample, whichever samples
 * they are given together with it. */

#define TN_EXT_SAMPLES "tenon.samples/1"

/* What such a backend says of its devices. */
typedef struct tn_ext_samples {
    uint64_t size;
    /* Bytes that stay near each of the device's units (tn_device_info.units): its own cache. 0: not known, or all
     * samples are to be given at once. Free-threaded. */
    int32_t (*near)(tn_context *context, uint64_t *bytes, tn_msg *msg);
} tn_ext_samples;

/* ---- tenon.native/1, offered by a backend: where a buffer's memory is ------------------------------------------- *
 * For those who have the same memory in other hands: arrays of another library that show a tensor without a copy, work
 * that is enqueued beside ours. */

#define TN_EXT_NATIVE "tenon.native/1"

#define TN_NATIVE_HOST   1u /* the handle is the address, in the host's memory, of the buffer's first byte */
#define TN_NATIVE_OPENCL 2u /* it is the buffer's cl_mem */

/* What a backend says of its buffers. */
typedef struct tn_ext_native {
    uint64_t size;
    /* The handle is the backend's, and good as long as the buffer is. Any thread may ask at any time. What the host
     * reads there is right once it has waited for the work that writes it, and what it writes there is seen by work
     * that it enqueues after; of other kinds, what their interface says. */
    int32_t (*native)(tn_buffer *buffer, uint32_t *kind, void **handle, tn_msg *msg);
} tn_ext_native;

/* ---- tenon.ready/1, offered by a backend: operators made ready together ------------------------------------------ *
 * For devices whose compiler costs much each time that it is called, however little it is given. op_prepare notes what
 * is to be compiled, and the first operator that is made ready or run brings all that was noted by then with it. The
 * library prepares all operators of a program, and then makes each ready. */

#define TN_EXT_READY "tenon.ready/1"

/* What such a backend does. */
typedef struct tn_ext_ready {
    uint64_t size;
    /* From then on op_run keeps its promises for that kernel; does nothing where it is so already. The first op_run of
     * a kernel that nobody made ready does it, and may then allocate, and take as long as the compiler does; its
     * failure is an error of the queue. Any number of threads may do either at once, and each fails for its own kernel
     * alone: with TN_ENOMEM, or TN_EDEVICE where the compiler refuses. It may be tried again. */
    int32_t (*ready)(tn_kernel *kernel, tn_msg *msg);
} tn_ext_ready;

/* ---- tenon.observe/1, offered by a backend: how long work took -------------------------------------------------- *
 * The library asks for it where a user wants to know where the time goes; without it the host waits for each operator,
 * and measures that. A queue on which nobody turned it on does nothing for it. */

#define TN_EXT_OBSERVE "tenon.observe/1"

/* One op_run as the device did it. Times are of one clock of the device, which only goes forward. Frozen. */
typedef struct tn_span {
    uint64_t begin, end; /* when its first work began and its last was done: nanoseconds */
    uint64_t number;     /* of the queue's op_runs since spans_record, counted from 0 */
} tn_span;

/* What a backend tells of the work of a queue. */
typedef struct tn_ext_observe {
    uint64_t size;
    /* Waits for what was enqueued, forgets the spans that are there, and records those of the op_runs that follow, with
     * room for `capacity` that were not taken yet: those for which there is none are counted and not kept. 0 ends it.
     * What is computed is the same to the bit. On failure the queue records nothing. */
    int32_t (*spans_record)(tn_queue *queue, uint32_t capacity, tn_msg *msg);
    /* Takes up to `capacity` spans of work that is done, oldest first, and says how many. Waits for nothing: after
     * queue_sync all are done. An op_run that failed, or had nothing to do, may have none. As the queue's work is in
     * order, one span ends before the next one begins. */
    int32_t (*spans_take)(tn_queue *queue, tn_span *span, uint32_t capacity, uint32_t *count, tn_msg *msg);
} tn_ext_observe;

/* ---- tenon.tune/1, offered by a backend: kernels to choose from --------------------------------------------------- *
 * For operators that a backend can do by several kernels, or by one whose numbers (tiles, vectors, parts of a sum) may
 * be others. The library has each candidate compute on random operands, compares what it makes with the reference,
 * measures the right ones, keeps the choice in its cache for this device and driver, and tells the backend of it. */

#define TN_EXT_TUNE "tenon.tune/1"

/* Whose choices they are, as lines of text. What was found on another device is never used; neither is what another
 * `driver` found: that is all that compiled kernels and their times depend on besides the device: the driver's version,
 * and something that changes with the kernels' sources. */
typedef struct tn_tune_identity {
    uint64_t size;
    char device[192];
    char driver[256];
} tn_tune_identity;

/* What such a backend does. Choices are lines of text, of less than TN_TUNE_CHOICE bytes, that mean something to the
 * backend alone; where their words are of the form name=value, candidates that differ in one word count as neighbours.
 */
#define TN_TUNE_CHOICE 160
#define TN_TUNE_KEY    400
typedef struct tn_ext_tune {
    uint64_t size;
    int32_t (*identity)(tn_context *context, tn_tune_identity *identity, tn_msg *msg);
    /* A text of less than TN_TUNE_KEY bytes for the operator described: alike for those that have the same kernels to
     * choose from, whatever operands they are run on. TN_EUNSUPPORTED: there is nothing to choose. */
    int32_t (*key)(tn_context *context, const tn_op_desc *desc, char *text, uint64_t room, tn_msg *msg);
    /* Calls `found` with each candidate, the most promising first. What the device can't run, by what is known without
     * trying, is left out. */
    int32_t (*candidates)(tn_context *context, const tn_op_desc *desc, void (*found)(void *arg, const char *choice),
                          void *arg, tn_msg *msg);
    /* As op_prepare with a kernel, but by that candidate alone; or, of NULL, as if nothing had been chosen. */
    int32_t (*prepare)(tn_context *context, const tn_op_desc *desc, const char *choice, tn_kernel **kernel,
                       tn_kernel_info *info, tn_msg *msg);
    /* From then on op_prepare in this context takes that candidate for operators of this key; NULL: its own choice
     * again. TN_EINVAL for a text that can be no candidate. Free-threaded, as op_prepare is. */
    int32_t (*choose)(tn_context *context, const char *key, const char *choice, tn_msg *msg);
    /* Which candidate a kernel is, for people: "tile u=16 v=16, tuned"; empty where there was no choice. */
    int32_t (*chosen)(tn_kernel *kernel, char *text, uint64_t room, tn_msg *msg);
} tn_ext_tune;

/* ---- tenon.graph/1-draft, offered by a backend: whole graphs ---------------------------------------------------- *
 * For devices with command buffers, a compiler of their own, or a high cost per launch. After fusion and before memory
 * is planned the host shows all launches; the backend marks the groups that it would run in one piece. What it doesn't
 * mark is offered as single operators, as without the extension. */

#define TN_EXT_GRAPH "tenon.graph/1-draft"

typedef struct tn_graph_plan tn_graph_plan; /* a group made ready; the backend's own */

/* One launch: an operator, and the numbers of the values that it reads and writes. Frozen. */
typedef struct tn_graph_node {
    const tn_op_desc *desc;
    const uint32_t *in;
    const uint32_t *out;
} tn_graph_node;

/* Launches in the order of running. Value v is in memory before the run and after it if `kept` of it is not 0. */
typedef struct tn_graph_view {
    uint64_t size;
    const tn_graph_node *node;
    const uint8_t *kept;
    uint32_t n_node;
    uint32_t n_value;
} tn_graph_view;

/* What a backend does with whole graphs. */
typedef struct tn_ext_graph {
    uint64_t size;
    /* group[i] = the number of the group that node i belongs to, from 1 on; 0: none. Nodes of a group need no result of
     * a node outside that needs one of the group's. */
    int32_t (*claim)(tn_context *context, const tn_graph_view *graph, uint32_t *group, tn_msg *msg);
    /* Makes one claimed group ready, as op_prepare does; `constant`[v], if not NULL, holds value v, which never
     * changes, in host memory during the call. info->scratch has room for the values inside. */
    int32_t (*compile)(tn_context *context, const tn_graph_view *group, const void *const *constant,
                       tn_graph_plan **plan, tn_kernel_info *info, tn_msg *msg);
    /* As op_run; run->in and run->out are the places of the values that the group reads from and leaves in memory, in
     * the order of their numbers. */
    int32_t (*run)(tn_queue *queue, tn_graph_plan *plan, const tn_run *run, tn_msg *msg);
    void (*release)(tn_graph_plan *plan);
    /* A compiled plan as bytes for the host's cache; save gives the number of bytes, and writes if they fit. */
    int32_t (*save)(tn_graph_plan *plan, void *data, uint64_t capacity, uint64_t *bytes, tn_msg *msg);
    int32_t (*load)(tn_context *context, const void *data, uint64_t bytes, tn_graph_plan **plan, tn_kernel_info *info,
                    tn_msg *msg);
} tn_ext_graph;

/* ---- tenon.record/1-draft, offered by a backend: a list of launches recorded once -------------------------------- *
 * For what CUDA calls a graph and OpenCL a command buffer: places are fixed, scalars are given at each run. */

#define TN_EXT_RECORD "tenon.record/1-draft"

typedef struct tn_recording tn_recording; /* the backend's own */

/* How a backend records launches. */
typedef struct tn_ext_record {
    uint64_t size;
    /* Between begin and end, op_run, copy and fill on the queue are recorded and not done; other calls fail with
     * TN_ESTATE. end gives the recording, and the queue is as before. Buffers and kernels outlive it. */
    int32_t (*begin)(tn_queue *queue, tn_msg *msg);
    int32_t (*end)(tn_queue *queue, tn_recording **recording, tn_msg *msg);
    /* Enqueues all of it. scalar[i] are the scalars of the recorded op_run number i, as many as it had. */
    int32_t (*run)(tn_queue *queue, tn_recording *recording, const tn_scalar *const *scalar, tn_msg *msg);
    void (*release)(tn_recording *recording);
} tn_ext_record;

/* ---- tenon.control/1-draft, offered by a backend: work under way ------------------------------------------------- */

#define TN_EXT_CONTROL "tenon.control/1-draft"

/* What a backend can do about work under way. */
typedef struct tn_ext_control {
    uint64_t size;
    /* 1 if event_sync would not wait, else 0. */
    int32_t (*event_done)(tn_event *event);
    /* queue_sync for at most so many nanoseconds: TN_ESTATE if work is left then. */
    int32_t (*sync_until)(tn_queue *queue, uint64_t nanoseconds, tn_msg *msg);
    /* Drops what has not begun, and sticks to the queue as TN_ESTATE. */
    int32_t (*cancel)(tn_queue *queue, tn_msg *msg);
    /* TN_OK while the device works; TN_EDEVICE and a line once it is lost. */
    int32_t (*device_status)(tn_context *context, tn_msg *msg);
} tn_ext_control;

/* ---- tenon.ops/1-draft, offered by a backend: operators that the library has never heard of ---------------------- */

#define TN_EXT_OPS "tenon.ops/1-draft"

/* An operator by its name ("example.com/rotary"), called with attributes as flat bytes, size first, or NULL. */
typedef struct tn_ext_op {
    uint64_t size;
    const char *name;
    const char *doc;
    uint32_t n_in;
    uint32_t n_out;
    /* Types and dimensions of the outputs. */
    int32_t (*shape)(const tn_tensor_desc *in, const void *attrs, tn_tensor_desc *out, tn_msg *msg);
    /* The operator that gives the gradients of the inputs from inputs, outputs and the outputs' gradients; NULL: none.
     */
    const char *gradient;
    /* The values in double precision, dense and row-major: what `tenon check` compares with. */
    void (*reference)(const tn_op_desc *desc, const double *const *in, double *const *out, const tn_scalar *scalar);
} tn_ext_op;

/* The operators that a backend brings. */
typedef struct tn_ext_ops {
    uint64_t size;
    const tn_ext_op *const *op; /* n_op of them, constant; op_prepare knows them by name */
    uint64_t n_op;
} tn_ext_ops;

#ifdef __cplusplus
}
#endif
#endif
