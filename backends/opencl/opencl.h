/* opencl.h: what the files of the OpenCL backend share. Nothing here leaves the library.
 *
 * A prepared operator (tn_kernel) is a short list of launches, each a cl_kernel with its arguments described by a
 * table, so that one function runs every operator. The OpenCL C comes from the files of cl/ with a prologue of macros
 * that source.c generates from the operator's element-wise program.
 */
#ifndef TENON_OPENCL_H
#define TENON_OPENCL_H

#define CL_TARGET_OPENCL_VERSION 120
#define CL_USE_DEPRECATED_OPENCL_1_1_APIS
#include <CL/cl.h>
#include <pthread.h>
#include "embedded.h"
#include "family.h"
#include "tenon/backend_check.h"
#include "tenon/backend_ext.h"

#define OCL_MAX_LAUNCHES 4
#define OCL_MAX_ARGS     160
#define OCL_MAX_OPERANDS TN_MAX_OPERANDS

/* ---- errors and host memory (util.c) -------------------------------------------------------------------------- */

extern const tn_host *ocl_host;

__attribute__((format(printf, 3, 4))) int32_t ocl_fail(tn_msg *msg, int32_t status, const char *format, ...);
int32_t ocl_check(tn_msg *msg, cl_int code, const char *call); /* TN_OK for CL_SUCCESS */
const char *ocl_option(const char *key);
void *ocl_alloc(size_t bytes); /* zeroed, or NULL */
void ocl_free(void *memory);
uint64_t ocl_hash(uint64_t seed, const void *data, size_t bytes);

static inline int64_t ocl_min(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t ocl_max(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static inline int64_t ocl_ceil(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

/* A text that grows. After a failed allocation it stays as it is, and `failed` is set. One that is `off` stays empty.
 */
typedef struct ocl_text {
    char *s;
    size_t length;
    size_t capacity;
    int failed, off;
} ocl_text;

__attribute__((format(printf, 2, 3))) void ocl_textf(ocl_text *text, const char *format, ...);
void ocl_text_free(ocl_text *text);

/* ---- devices and contexts (device.c) --------------------------------------------------------------------------- */

typedef struct ocl_program ocl_program;
typedef struct ocl_part ocl_part;
typedef struct ocl_step ocl_step;
typedef struct ocl_tuned ocl_tuned;

enum { OCL_TILES = 7 }; /* that are chosen from untuned (tile.c) */

/* What is chosen for a GPU where nothing was tuned (defaults.def). */
typedef struct ocl_defaults {
    int64_t groups;  /* work-groups that keep all units busy */
    int64_t segment; /* values of k at least for a part of a sum */
    size_t group;    /* work-items of a group that share nothing */
    double clblast;  /* operations of a product at least that goes to CLBlast */
    double share[OCL_TILES];
} ocl_defaults;

struct tn_context {
    uint32_t number; /* the device's */
    cl_device_id device;
    cl_context cl;
    cl_command_queue queue; /* for the backend's own short jobs */
    pthread_mutex_t lock;   /* guards `programs` and `parts` */
    ocl_program *programs;
    ocl_part *parts;
    ocl_tuned *tuned;           /* choices that were made for this device (tune.c) */
    pthread_mutex_t tuned_lock; /* guards them */
    uint64_t identity;          /* hash of the device's and the driver's names and versions */
    int cpu_shape;              /* kernels made for CPUs: no local memory, a work-item is a thread's worth of work */
    int clblast;                /* large products go to CLBlast */
    int tries_clblast;          /* it may be tried for products of any size: the option doesn't say otherwise */
    int32_t tile;               /* the option: the one that products on GPUs get where it fits; -1: it is chosen */
    int32_t winograd; /* the option: the tile of convolutions by fewer products, where they can be so; -1: none is */
    char *sources;    /* the option: a folder for what is built; NULL: none */
    double grain;     /* the option: what is too small for pieces or CLBlast is so many times as large */
    int is_cpu;       /* it is the host's processor */
    int keeps_itself; /* the driver has a cache of its own on disk */
    int steps;        /* launches wait in their queue, and go to the device as one (step.c) */
    int unified;      /* the device works in the host's memory */
    int has_f64;
    int matrix;            /* which kind of matrix units (matrix.c); -1: none */
    uint32_t matrix_right; /* which forms of product they were seen to make right: a bit each (matrix.h) */
    int team;              /* how work-items exchange registers (team.c); -1: by local memory */
    int nvidia;            /* the driver takes NVIDIA's own build options */
    int vector_width;      /* floats in a native vector */
    uint32_t units;
    ocl_defaults defaults;
    uint32_t processors; /* of the host, that this process may use */
    size_t max_group;
    uint64_t local_memory; /* bytes of a work-group */
    ocl_choice choice;     /* the option: what operators are made by where they can and nothing was tuned */
    uint64_t max_buffer;
    uint64_t memory;          /* the option: bytes of all buffers together; UINT64_MAX: no limit */
    uint64_t alignment;       /* bytes, for sub-buffers too */
    uint64_t parameter_bytes; /* of a kernel's arguments together */
};

extern const tn_ext_memory ocl_memory; /* budget.c */
extern const tn_ext_adopt ocl_adopt;   /* memory.c */
extern const tn_ext_native ocl_native; /* memory.c */

void ocl_devices_release(void);
int32_t ocl_device_id(uint32_t device, cl_device_id *id, tn_msg *msg);
int32_t ocl_device_count(uint32_t *count, tn_msg *msg);
int32_t ocl_device_info(uint32_t device, tn_device_info *info, tn_msg *msg);
int32_t ocl_context_create(uint32_t device, tn_context **context, tn_msg *msg);
void ocl_context_destroy(tn_context *context);
/* Whether a work-group may have so many bytes of local memory: no more than every device of OpenCL 1.2's full profile
 * has, and what this one has. */
static inline int ocl_has_local(const tn_context *context, int64_t bytes)
{
    return bytes <= 32768 && (uint64_t)bytes <= context->local_memory;
}
/* Of a context whose options were read. The option `opencl.vendor` says whose defaults, of cards with memory of their
 * own. */
int32_t ocl_defaults_find(tn_context *context, const char *vendor, tn_msg *msg);

/* ---- memory, queues, events (memory.c, pinned.c, queue.c) ------------------------------------------------------ */

struct tn_buffer {
    tn_context *context;
    cl_mem mem;
    uint64_t bytes;
    uint64_t counted; /* of the limit */
};

typedef struct ocl_span ocl_span;

/* Spans that were not taken; room 0: none are recorded. */
typedef struct ocl_spans {
    ocl_span *span;
    uint32_t room, count;
    uint64_t number; /* of the next op_run */
} ocl_spans;

struct tn_queue {
    tn_context *context;
    cl_command_queue cl; /* made for profiling while there is room for spans */
    ocl_spans spans;
    ocl_step *step;   /* launches that wait; NULL: they never do */
    const char *call; /* the one that failed when launches were handed over */
    int32_t status;   /* the first error, for good */
    char text[160];
    cl_event transfer; /* the last one between the device and the host's memory; NULL: over */
    tn_queue_stats stats;
};

/* The option `opencl.memory`, in bytes: as if the device had no more; UINT64_MAX: there is none. And what of it is
 * taken. */
int32_t ocl_memory_limit(uint64_t *bytes, tn_msg *msg);
uint64_t ocl_memory_taken(void);
int32_t ocl_buffer_create(tn_context *context, uint64_t bytes, tn_buffer **buffer, tn_msg *msg);
void ocl_buffer_destroy(tn_buffer *buffer);
int32_t ocl_pinned_create(tn_context *context, uint64_t bytes, tn_pinned **pinned, void **data, tn_msg *msg);
void ocl_pinned_destroy(tn_pinned *pinned);
int32_t ocl_range(const tn_ref *ref, uint64_t bytes, const char *what, tn_msg *msg); /* is it inside the buffer? */

cl_int ocl_finish(cl_command_queue queue); /* in the plain floating-point environment */
int32_t ocl_queue_create(tn_context *context, tn_queue **queue, tn_msg *msg);
void ocl_queue_destroy(tn_queue *queue);
int32_t ocl_queue_flush(tn_queue *queue, tn_msg *msg);
int32_t ocl_queue_sync(tn_queue *queue, tn_msg *msg);
int32_t ocl_queue_stats(tn_queue *queue, tn_queue_stats *stats, tn_msg *msg);
int32_t ocl_write(tn_queue *queue, tn_ref to, const void *from, uint64_t bytes, tn_msg *msg);
int32_t ocl_read(tn_queue *queue, void *to, tn_ref from, uint64_t bytes, tn_msg *msg);
int32_t ocl_copy(tn_queue *queue, tn_ref to, tn_ref from, uint64_t bytes, tn_msg *msg);
int32_t ocl_fill(tn_queue *queue, tn_ref to, uint64_t bytes, const void *pattern, uint64_t pattern_bytes, tn_msg *msg);
int32_t ocl_event_create(tn_context *context, tn_event **event, tn_msg *msg);
void ocl_event_destroy(tn_event *event);
int32_t ocl_event_record(tn_queue *queue, tn_event *event, tn_msg *msg);
int32_t ocl_event_wait(tn_queue *queue, tn_event *event, tn_msg *msg);
int32_t ocl_event_sync(tn_event *event, tn_msg *msg);
/* Whatever fails in a queue sticks. error: what sticks, or TN_OK. stick: keeps `status`, whose text was written into
 * ocl_queue_msg, if it is the first. check: the same for OpenCL's codes. All return the error that sticks. */
int32_t ocl_queue_error(tn_queue *queue, tn_msg *msg);
tn_msg ocl_queue_msg(tn_queue *queue);
int32_t ocl_queue_stick(tn_queue *queue, int32_t status, tn_msg *msg);
int32_t ocl_queue_check(tn_queue *queue, cl_int code, const char *call, tn_msg *msg);

/* ---- how long work took (spans.c) -------------------------------------------------------------------------------- */

extern const tn_ext_observe ocl_observe;
/* The span of the op_run that comes; NULL: it is not recorded. And where a command puts its event, if it is the first
 * or the last of the span's: NULL, if nobody wants it. */
ocl_span *ocl_span_next(tn_queue *queue);
cl_event *ocl_span_event(ocl_span *span, int is_first, int is_last);
void ocl_spans_release(tn_queue *queue);

/* ---- programs (program.c, part.c, keep.c) ---------------------------------------------------------------------- */

struct ocl_program {
    ocl_program *next;
    cl_program cl;
    uint64_t hash[2];
    int is_new;           /* not on disk yet */
    cl_kernel step;       /* calls its parts (step.c); NULL before one is wanted */
    pthread_mutex_t lock; /* that kernel's arguments are no thread's own */
};

/* A part is a source, noted once for a context; flushes: 1 if results that would be denormal may be zero there. Whoever
 * gets one releases it. kernel: the kernel that the source calls
 * `name`, which the caller releases; a part that is not built yet is, with all others that wait. */
int32_t ocl_part_get(tn_context *context, const ocl_text *source, int flushes, int in_step, ocl_part **part,
                     tn_msg *msg);
void ocl_part_release(tn_context *context, ocl_part *part);
int32_t ocl_part_kernel(tn_context *context, ocl_part *part, const char *name, cl_kernel *kernel, tn_msg *msg);
/* A part that ocl_step_source wrote: `name` is what for. The program that calls it, and by which number. */
int32_t ocl_part_step(tn_context *context, ocl_part *part, const char *name, ocl_program **program, uint32_t *call,
                      tn_msg *msg);
void ocl_programs_release(tn_context *context);
void ocl_log_debug(const char *what, const char *detail);
const char *ocl_build_options(const tn_context *context, int flushes);
/* Appends a source to a program's, the names that it declares with that ending (part.c). */
void ocl_part_join(ocl_text *program, const char *source, const char *ending);
/* Entries on disk by kind and hash (keep.c). kept: the data, which the caller frees, or NULL. */
void ocl_keep(tn_context *context, char kind, const uint64_t hash[2], const void *data, uint64_t bytes);
void *ocl_kept(tn_context *context, char kind, const uint64_t hash[2], uint64_t *bytes);

/* ---- prepared operators (op.c) ---------------------------------------------------------------------------------- */

/* Where an argument's value comes from. */
enum {
    OCL_ARG_VALUE,          /* set once */
    OCL_ARG_IN,             /* input's buffer */
    OCL_ARG_IN_OFFSET,      /* where it begins, in elements: ulong */
    OCL_ARG_OUT,            /* output's buffer */
    OCL_ARG_OUT_OFFSET,     /* ulong */
    OCL_ARG_SCRATCH,        /* scratch buffer */
    OCL_ARG_SCRATCH_OFFSET, /* bytes: ulong, `value` beyond its start */
    OCL_ARG_F32,            /* run-time scalars */
    OCL_ARG_F64,
    OCL_ARG_I32,
    OCL_ARG_U64,
    OCL_ARG_ROW /* a scalar clamped to 0..value: ulong */
};

typedef struct ocl_arg {
    uint8_t kind;
    uint8_t bytes;  /* size of the value */
    uint16_t index; /* of the operand or scalar */
    uint16_t unit;  /* bytes of the operand's element */
    uint16_t is_set;
    uint64_t value; /* of OCL_ARG_VALUE, _SCRATCH_OFFSET and _ROW */
    uint64_t last;  /* as it was set last: clSetKernelArg is called for changes only */
} ocl_arg;

typedef struct ocl_launch {
    ocl_part *part;
    const char *name;     /* of the kernel in the part's source */
    cl_kernel kernel;     /* NULL before the first run */
    ocl_program *program; /* of a launch in a step, instead; NULL before the first run */
    uint32_t call;        /* its number there */
    int32_t flushes, in_step;
    cl_uint rank;
    size_t global[3];
    size_t local[3];
    uint32_t n_arg;
    ocl_arg *arg;
} ocl_launch;

/* Whether that is a folder for sources. */
int ocl_may_dump(const char *folder);
/* With the option `opencl.sources` writes what a launch needs to be built elsewhere to a file (dump.c). */
int32_t ocl_dump(tn_context *context, const ocl_launch *launch, const ocl_text *source, int flushes, tn_msg *msg);
uint64_t ocl_arg_value(const ocl_arg *arg, const tn_run *run); /* its bits for this run, but for OCL_ARG_VALUE */

typedef struct ocl_gemm ocl_gemm; /* a product that CLBlast does (clblast.c) */

struct tn_kernel {
    tn_context *context;
    pthread_mutex_t lock; /* a cl_kernel's arguments are no thread's own */
    uint32_t n_in, n_out, n_launch;
    uint64_t n_scalar; /* scalars that a run must bring */
    uint64_t in_bytes[OCL_MAX_OPERANDS], out_bytes[OCL_MAX_OPERANDS];
    int32_t alias[OCL_MAX_OPERANDS];
    uint64_t scratch;
    ocl_launch launch[OCL_MAX_LAUNCHES];
    int is_ready;    /* the launches have their cl_kernels */
    ocl_gemm *gemm;  /* runs before the launches */
    ocl_choice used; /* what it was made with, of an operator that has families */
    int is_tuned;    /* by the list of choices */
};

/* ---- launches that wait, to go to the device as one (step.c) ---------------------------------------------------- */

int ocl_step_compiles(const tn_context *context); /* does the driver take step.cl? */
ocl_step *ocl_step_new(void);                     /* NULL: out of memory */
void ocl_step_release(ocl_step *step);
int ocl_step_takes(const tn_context *context, const ocl_launch *launch); /* can it be in one? */
/* The source of a part for a launch in a step, of the one that its kernel has alone. And what ends a program that has
 * such parts, of these hashes: the kernel that calls them. */
void ocl_step_source(ocl_text *text, const ocl_launch *launch, const ocl_text *source);
void ocl_step_kernel(ocl_text *text, const uint64_t *hash, uint32_t count);
/* A launch that is ready waits from then on. end: those that wait go to the device, in one command. */
cl_int ocl_step_add(tn_queue *queue, const tn_kernel *kernel, const ocl_launch *launch, const tn_run *run);
cl_int ocl_step_end(tn_queue *queue, cl_event *event);

/* What an operator's `prepare` is given, a description that tn_check_op has passed, and fills. Without a kernel it only
 * decides: it writes no source and does nothing on the device. */
typedef struct ocl_build {
    tn_context *context;
    const tn_op_desc *desc;
    const tn_op_facts *facts;
    tn_kernel *kernel; /* NULL: only asked whether */
    int wants_sizes;   /* `scratch` and `launches` will be told */
    uint32_t level;    /* of precision: TN_PRECISION_ */
    int flushes;       /* 1: what would be denormal may be zero */
    uint64_t scratch;
    uint32_t launches;
    uint64_t n_scalar;
    tn_op_desc plain;         /* what `desc` points to: the description at full precision */
    const ocl_choice *choice; /* of a family: NULL, or without one, what the figures say is taken */
    int only;                 /* nothing else is: what can't be made so is TN_EUNSUPPORTED */
    double promise;           /* of what there is to choose from: how good it looks; more is better */
    ocl_choice used;          /* what it came to */
    tn_msg *msg;
} ocl_build;

/* Arguments gathered for one launch. */
typedef struct ocl_args {
    ocl_arg arg[OCL_MAX_ARGS];
    uint32_t n;
} ocl_args;

void ocl_arg_ref(ocl_args *args, int kind, uint32_t index, int32_t dtype); /* buffer and offset: two arguments */
void ocl_arg_scratch(ocl_args *args, uint64_t offset);
void ocl_arg_scalar(ocl_args *args, int kind, uint32_t index);
void ocl_arg_int(ocl_args *args, int32_t value);
void ocl_arg_long(ocl_args *args, int64_t value);
void ocl_arg_float(ocl_args *args, float value);
void ocl_arg_row(ocl_args *args, uint32_t scalar, int64_t largest);

/* An IX. */
static inline void ocl_arg_index(ocl_args *args, int wide, int64_t value)
{
    if (wide)
        ocl_arg_long(args, value);
    else
        ocl_arg_int(args, (int32_t)value);
}

/* Those of `more` behind the others. */
static inline void ocl_args_append(ocl_args *args, const ocl_args *more)
{
    for (uint32_t i = 0; i < more->n && i < OCL_MAX_ARGS && args->n < OCL_MAX_ARGS; i++)
        args->arg[args->n++] = more->arg[i];
}

/* Adds a launch of a kernel whose name is a constant; global sizes are rounded up to local ones. Nothing happens if
 * `global` is empty or `build` only asks. */
int32_t ocl_add_launch(ocl_build *build, const ocl_text *source, const char *name, const ocl_args *args, cl_uint rank,
                       const size_t *global, const size_t *local);

/* A text for the source of a launch: off if `build` only asks. */
static inline ocl_text ocl_text_of(const ocl_build *build)
{
    return (ocl_text){.off = !build->kernel};
}

int32_t ocl_op_prepare(tn_context *context, const tn_op_desc *desc, tn_kernel **kernel, tn_kernel_info *info,
                       tn_msg *msg);
/* With that choice and no other; one without a family: as if nothing had been tuned. */
int32_t ocl_op_prepare_by(tn_context *context, const tn_op_desc *desc, const ocl_choice *choice, tn_kernel **kernel,
                          tn_kernel_info *info, tn_msg *msg);
/* Checks an operator that has families, for `facts` and `build`, and whether it can be made as `build` has it. */
int32_t ocl_op_begin(tn_context *context, const tn_op_desc *desc, tn_op_facts *facts, ocl_build *build, tn_msg *msg);
int32_t ocl_op_ask(ocl_build *build);
int32_t ocl_no_such(const ocl_build *build); /* TN_EUNSUPPORTED: not as was chosen */
void ocl_op_release(tn_kernel *kernel);
int32_t ocl_op_run(tn_queue *queue, tn_kernel *kernel, const tn_run *run, tn_msg *msg);
extern const tn_ext_ready ocl_ready;

/* ---- tuning (tune.c) -------------------------------------------------------------------------------------------- */

extern const tn_ext_tune ocl_tune;
/* The choice that was made for such an operator, or else the option's; or 0. */
int ocl_tuned_find(const ocl_build *build, ocl_choice *choice);
void ocl_tuned_release(tn_context *context);

/* The operators, a file each. */
int32_t ocl_prepare_map(ocl_build *build);
int32_t ocl_prepare_reduce(ocl_build *build);
int32_t ocl_prepare_matmul(ocl_build *build);
int32_t ocl_prepare_softmax(ocl_build *build);
int32_t ocl_prepare_transpose(ocl_build *build);
int32_t ocl_prepare_gather(ocl_build *build);
int32_t ocl_prepare_window(ocl_build *build);
int32_t ocl_prepare_slice(ocl_build *build);
int32_t ocl_prepare_unslice(ocl_build *build);
int32_t ocl_prepare_concat(ocl_build *build);
int32_t ocl_prepare_scatter_add(ocl_build *build);
int32_t ocl_prepare_take(ocl_build *build);
int32_t ocl_prepare_put(ocl_build *build);
int32_t ocl_prepare_cumsum(ocl_build *build);
int32_t ocl_prepare_topk(ocl_build *build);
int32_t ocl_prepare_searchsorted(ocl_build *build);
int32_t ocl_prepare_conv(ocl_build *build);
int32_t ocl_prepare_pool(ocl_build *build);
int32_t ocl_prepare_attend(ocl_build *build);
int32_t ocl_prepare_attend_grad(ocl_build *build);
int32_t ocl_prepare_layer_norm(ocl_build *build);
int32_t ocl_prepare_layer_norm_grad(ocl_build *build);

/* ---- element-wise programs as OpenCL C (source.c, layout.c) ----------------------------------------------------- */

/* Operand of a map over the merged iteration space. */
typedef struct ocl_operand {
    int32_t dtype;
    int32_t dense;  /* strides are those of the space itself */
    int32_t shares; /* an input: the output whose memory it is, or -1 */
    int64_t stride[TN_MAX_RANK];
} ocl_operand;

/* An iteration space with neighbouring dimensions merged, and what lies in it. */
typedef struct ocl_space {
    int32_t rank; /* at least 1 */
    int64_t dim[TN_MAX_RANK];
    int32_t reduced[TN_MAX_RANK];
    int32_t place[TN_MAX_RANK]; /* of the dimension of the caller: for iota; -1 if it has size 1 */
    uint32_t n_in, n_out;
    uint32_t first; /* inputs before this one are given by the kernel, not loaded */
    ocl_operand in[OCL_MAX_OPERANDS], out[OCL_MAX_OPERANDS];
    uint64_t pinned; /* bit d: dimension d of the caller may not be merged */
    int wide;        /* indices need 64 bits */
} ocl_space;

/* The program after a product: the epilogue, or one that stores the product as it is. */
tn_mapping ocl_epilogue(const ocl_build *build);
/* A product may be written over an input of its epilogue that lies as it does. */
int32_t ocl_check_over(const ocl_build *build);
uint64_t ocl_map_pinned(const tn_map_attrs *map);
void ocl_space_begin(ocl_space *space, int32_t rank, const int64_t *dim, uint32_t reduced);
void ocl_space_operand(ocl_space *space, const tn_tensor_desc *t, int is_output, int shares);
void ocl_space_merge(ocl_space *space);

/* Writes the prologue (types, element-wise functions) and the MAP_ macros, described in cl/map.cl, and appends the
 * arguments that MAP_PARAMS stands for. `operand0`: the operator's input that is the first one loaded. */
void ocl_source_map(ocl_text *text, ocl_args *args, tn_context *context, const ocl_space *space,
                    const tn_mapping *mapping, uint32_t operand0);
void ocl_source_types(ocl_text *text, tn_context *context, int wide);
const char *ocl_type_name(int32_t dtype);    /* of a value */
const char *ocl_storage_name(int32_t dtype); /* of an element in memory */
const char *ocl_dtype_suffix(int32_t dtype); /* as in LOAD_f32 */
/* NAME_T, LOAD_NAME and STORE_NAME of an operand of that type. */
void ocl_source_operand(ocl_text *text, const char *name, int32_t dtype);

/* ---- CLBlast (clblast.c) ----------------------------------------------------------------------------------------- */

typedef struct ocl_gemm_shape {
    int64_t batch, m, n, k, a_stride, b_stride;
    int32_t trans_a, trans_b;
} ocl_gemm_shape;

int32_t ocl_gemm_prepare(ocl_build *build, const ocl_gemm_shape *shape, int to_scratch);
int32_t ocl_gemm_run(tn_queue *queue, tn_kernel *kernel, const tn_run *run, tn_msg *msg);
void ocl_gemm_release(ocl_gemm *gemm);
void ocl_gemm_clear(void);

#endif
