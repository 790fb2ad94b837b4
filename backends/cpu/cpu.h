/* cpu.h: what the files of the cpu backend share. Nothing here is seen outside. */
#ifndef CPU_H
#define CPU_H

#include <tenon/backend_check.h>
#include <tenon/backend_ext.h>

#include "isa.h"

#define CPU_ALIGN     64
#define CPU_WORK      (448 << 10) /* bytes of a thread's workspace in a queue */
#define CPU_WORK_PROG (288 << 10) /* of which a program's values take the first, and operators the rest */
#define CPU_PARALLEL  6000.0      /* estimated work, in simple operations, from which a parallel region pays */

static inline int64_t round_up(int64_t n, int64_t unit)
{
    return (n + unit - 1) / unit * unit;
}

static inline int64_t min_of(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* ---- the backend ------------------------------------------------------------------------------------------------ */

extern const tn_host *cpu_host;
extern const cpu_isa *cpu_code; /* the instruction set's code, chosen by init */

void *cpu_allocate(uint64_t bytes); /* zeroed; NULL when there is none */
void cpu_release(void *memory);

/* Writes the message, if there is room, and returns `status`. */
__attribute__((format(printf, 3, 4))) int32_t cpu_fail(tn_msg *msg, int32_t status, const char *format, ...);

struct tn_context {
    int threads;
    int own;       /* the option: products without a library */
    uint64_t near; /* bytes that stay near a core, of samples that are taken a few at a time; 0: all are at once */
    double grain;  /* the option: what is too small for threads, a library or pieces is so many times as large */
};

struct tn_buffer {
    char *data;
    uint64_t bytes;
    int is_adopted; /* the memory is somebody else's */
};

/* Spans that were not taken; room 0: none are recorded. */
typedef struct cpu_spans {
    tn_span *span;
    uint32_t room, count;
    uint64_t number; /* of the next op_run */
} cpu_spans;

typedef struct cpu_team cpu_team; /* threads.c: a queue's threads beside that of its user */

struct tn_queue {
    tn_context *context;
    cpu_team *team;
    char *work; /* CPU_WORK bytes for each thread */
    cpu_spans spans;
    int32_t error;
    char text[160]; /* of the first error */
    tn_queue_stats stats;
};

/* Threads for so much work. */
static inline int cpu_threads(const tn_queue *queue, double work)
{
    return work <= CPU_PARALLEL * queue->context->grain ? 1 : queue->context->threads;
}

static inline char *cpu_work(const tn_queue *queue, int thread)
{
    return queue->work + (int64_t)thread * CPU_WORK;
}

/* ---- threads.c --------------------------------------------------------------------------------------------------- */

/* For so many threads with the user's. They begin when there is first work for them. NULL: no memory. */
cpu_team *cpu_team_new(int threads);
void cpu_team_release(cpu_team *team);

/* body(arg, begin, end, piece) over pieces of 0..n, as many as `threads`, n at most. Any thread may do any piece, and
 * one several: what belongs to a thread goes by the number of the piece. */
typedef void cpu_body(void *arg, int64_t begin, int64_t end, int piece);
void cpu_parallel(const tn_queue *queue, int threads, int64_t n, cpu_body *body, void *arg);

extern const tn_ext_memory cpu_memory;   /* memory.c */
extern const tn_ext_here cpu_here;       /* queue.c */
extern const tn_ext_samples cpu_samples; /* samples.c */
extern const tn_ext_adopt cpu_adopt;
extern const tn_ext_native cpu_native;

/* ---- spans.c ----------------------------------------------------------------------------------------------------- */

extern const tn_ext_observe cpu_observe;
/* Around what an op_run computes: the second is given what the first returned. */
uint64_t cpu_span_begin(const tn_queue *queue);
void cpu_span_end(tn_queue *queue, uint64_t begin);
void cpu_spans_release(tn_queue *queue);

/* ---- queue.c ----------------------------------------------------------------------------------------------------- */

int32_t cpu_buffer_create(tn_context *context, uint64_t bytes, tn_buffer **buffer, tn_msg *msg);
void cpu_buffer_destroy(tn_buffer *buffer);
int32_t cpu_queue_create(tn_context *context, tn_queue **queue, tn_msg *msg);
void cpu_queue_destroy(tn_queue *queue);
int32_t cpu_queue_flush(tn_queue *queue, tn_msg *msg);
int32_t cpu_queue_sync(tn_queue *queue, tn_msg *msg);
int32_t cpu_queue_stats(tn_queue *queue, tn_queue_stats *stats, tn_msg *msg);
int32_t cpu_write(tn_queue *queue, tn_ref to, const void *from, uint64_t bytes, tn_msg *msg);
int32_t cpu_read(tn_queue *queue, void *to, tn_ref from, uint64_t bytes, tn_msg *msg);
int32_t cpu_copy(tn_queue *queue, tn_ref to, tn_ref from, uint64_t bytes, tn_msg *msg);
int32_t cpu_fill(tn_queue *queue, tn_ref to, uint64_t bytes, const void *pattern, uint64_t unit, tn_msg *msg);
int32_t cpu_event_create(tn_context *context, tn_event **event, tn_msg *msg);
void cpu_event_destroy(tn_event *event);
int32_t cpu_event_record(tn_queue *queue, tn_event *event, tn_msg *msg);
int32_t cpu_event_wait(tn_queue *queue, tn_event *event, tn_msg *msg);
int32_t cpu_event_sync(tn_event *event, tn_msg *msg);
int32_t cpu_queue_fail(tn_queue *queue, int32_t status, const char *text, tn_msg *msg); /* makes the error stick */

/* ---- operators --------------------------------------------------------------------------------------------------- */

/* One run, with its places in memory looked up. */
typedef struct cpu_run {
    tn_queue *queue;
    const char *const *in;
    char *const *out;
    char *scratch;
    const tn_scalar *scalar;
    char *kept; /* of a kernel that keeps: see tn_run */
    int is_kept;
} cpu_run;

/* Of one operator: tn_check_op has seen to it that there are no more. */
#define CPU_MAX_IN  TN_MAX_OPERANDS
#define CPU_MAX_OUT TN_MAX_OPERANDS

/* Every prepared operator begins so. */
struct tn_kernel {
    const struct cpu_op *op;
    uint64_t n_in, n_out, n_scalar, scratch, kept;
    uint64_t in_bytes[CPU_MAX_IN], out_bytes[CPU_MAX_OUT]; /* that a run touches: checked against the buffers */
    tn_context *context;
    int flushes; /* results that would be denormal are zero */
};

#define CPU_ANY     (CPU_FLUSHES - 1)
#define CPU_LEVELS  (1u << 31)
#define CPU_KEEPS   (1u << 30)
#define CPU_FLUSHES (1u << 29)
#define CPU_FLOATS  (1u << TN_F32 | 1u << TN_F64)
#define CPU_NUMBERS (CPU_FLOATS | 1u << TN_I32)

/* An operator. `prepare` is given what tn_check_op has passed; it makes *kernel, which the caller releases if it was
 * only asked, or declines. */
typedef struct cpu_op {
    const char *name;
    uint32_t types;    /* that it takes as facts->dtype: a bit each; whether it knows levels of precision, keeps, and
                          makes zeros of what would be denormal */
    uint32_t in_place; /* an output may be written over an input */
    int32_t (*prepare)(tn_context *context, const tn_op_desc *desc, const tn_op_facts *facts, tn_kernel **kernel,
                       tn_msg *msg);
    void (*run)(const tn_kernel *kernel, const cpu_run *run);
    void (*release)(tn_kernel *kernel);                /* what the kernel owns; NULL: nothing */
    int32_t (*finish)(tn_kernel *kernel, tn_msg *msg); /* what no answer needs, such as tables; NULL: nothing */
} cpu_op;

extern const cpu_op cpu_conv2d, cpu_conv2d_data, cpu_conv2d_weight, cpu_maxpool2d, cpu_maxpool2d_grad, cpu_avgpool2d,
    cpu_avgpool2d_grad;
extern const cpu_op cpu_map, cpu_reduce, cpu_matmul, cpu_softmax, cpu_log_softmax, cpu_transpose, cpu_gather,
    cpu_window;

extern const cpu_op cpu_slice, cpu_unslice, cpu_concat, cpu_scatter_add, cpu_take, cpu_put, cpu_cumsum, cpu_topk,
    cpu_searchsorted, cpu_attend, cpu_attend_grad, cpu_layer_norm, cpu_layer_norm_grad;

/* Calls part(kernel, run, begin, end) for pieces of 0..n, on the threads that so much work is worth. */
typedef void cpu_part(const tn_kernel *kernel, const cpu_run *run, int64_t begin, int64_t end);
void cpu_share(const tn_kernel *kernel, const cpu_run *run, double work, int64_t n, cpu_part *part);

int32_t cpu_op_prepare(tn_context *context, const tn_op_desc *desc, tn_kernel **kernel, tn_kernel_info *info,
                       tn_msg *msg);
void cpu_op_release(tn_kernel *kernel);
int32_t cpu_op_run(tn_queue *queue, tn_kernel *kernel, const tn_run *run, tn_msg *msg);

/* Fills *kernel with room for `bytes` in all, of which a tn_kernel comes first. */
int32_t cpu_new_kernel(uint64_t bytes, tn_kernel **kernel, tn_msg *msg);

#endif
