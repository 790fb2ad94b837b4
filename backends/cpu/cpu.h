/* cpu.h: what the files of the OpenMP backend share. Nothing here is seen outside. */
#ifndef CPU_H
#define CPU_H

#include <tenon/backend.h>

#include "isa.h"

#define CPU_ALIGN     64
#define CPU_WORK      (448 << 10) /* bytes of a thread's workspace in a queue */
#define CPU_WORK_PROG (288 << 10) /* of which a program's values take the first, and operators the rest */
#define CPU_PARALLEL  24000.0     /* estimated work, in simple operations, from which a parallel region pays */

/* ---- the backend ------------------------------------------------------------------------------------------------ */

extern const tn_host *cpu_host;
extern const cpu_isa *cpu_code; /* the instruction set's code, chosen by init */

void *cpu_allocate(uint64_t bytes); /* zeroed; NULL when there is none */
void cpu_release(void *memory);

/* Writes the message, if there is room, and returns `status`. */
__attribute__((format(printf, 3, 4))) int32_t cpu_fail(tn_msg *msg, int32_t status, const char *format, ...);

struct tn_context {
    int threads;
};

struct tn_buffer {
    char *data;
    uint64_t bytes;
};

struct tn_queue {
    tn_context *context;
    char *work; /* CPU_WORK bytes for each thread */
    int32_t error;
    char text[160]; /* of the first error */
    tn_queue_stats stats;
};

/* Threads for so much work. */
static inline int cpu_threads(const tn_queue *queue, double work)
{
    return work < CPU_PARALLEL ? 1 : queue->context->threads;
}

static inline char *cpu_work(const tn_queue *queue, int thread)
{
    return queue->work + (int64_t)thread * CPU_WORK;
}

/* ---- threads.c --------------------------------------------------------------------------------------------------- */

/* body(arg, begin, end, thread) over pieces of 0..n, one for each of at most `threads` threads; n may be less. */
typedef void cpu_body(void *arg, int64_t begin, int64_t end, int thread);
void cpu_parallel(int threads, int64_t n, cpu_body *body, void *arg);

/* ---- queue.c ------------------------------------------------------------------------------------------------------
 */

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

/* ---- operators ----------------------------------------------------------------------------------------------------
 */

/* One run, with its places in memory looked up. */
typedef struct cpu_run {
    tn_queue *queue;
    const char *const *in;
    char *const *out;
    char *scratch;
    const tn_scalar *scalar;
} cpu_run;

/* Of one operator. */
#define CPU_MAX_IN    64
#define CPU_MAX_OUT   TN_MAX_OPERANDS
#define CPU_MAX_INSTR 1000

/* Every prepared operator begins so. */
struct tn_kernel {
    const struct cpu_op *op;
    uint64_t n_in, n_out, n_scalar, scratch;
    uint64_t in_bytes[CPU_MAX_IN], out_bytes[CPU_MAX_OUT]; /* that a run touches: checked against the buffers */
    tn_context *context;
};

/* An operator: prepare makes *kernel (NULL kernel: only answers) or says why not. */
typedef struct cpu_op {
    const char *name;
    int32_t (*prepare)(tn_context *context, const tn_op_desc *desc, tn_kernel **kernel, tn_msg *msg);
    void (*run)(const tn_kernel *kernel, const cpu_run *run);
    void (*release)(tn_kernel *kernel); /* what the kernel owns; NULL: nothing */
} cpu_op;

extern const cpu_op cpu_conv2d, cpu_conv2d_data, cpu_conv2d_weight, cpu_maxpool2d, cpu_maxpool2d_grad, cpu_avgpool2d,
    cpu_avgpool2d_grad;
extern const cpu_op cpu_map, cpu_reduce, cpu_matmul, cpu_softmax, cpu_log_softmax, cpu_transpose, cpu_gather,
    cpu_window;

extern const cpu_op cpu_slice, cpu_unslice, cpu_concat, cpu_scatter_add, cpu_take, cpu_put, cpu_cumsum, cpu_topk,
    cpu_searchsorted;

int32_t cpu_op_prepare(tn_context *context, const tn_op_desc *desc, tn_kernel **kernel, tn_kernel_info *info,
                       tn_msg *msg);
void cpu_op_release(tn_kernel *kernel);
int32_t cpu_op_run(tn_queue *queue, tn_kernel *kernel, const tn_run *run, tn_msg *msg);

/* ---- checks that operators share (op.c) ----------------------------------------------------------------------------
 */

/* TN_OK if the operand is well formed; `strides` says that dimensions may be broadcast. */
int32_t cpu_check_desc(const tn_tensor_desc *desc, const char *op, const char *role, int strides, tn_msg *msg);
int32_t cpu_check_counts(const tn_op_desc *desc, uint32_t n_in, uint32_t n_out, tn_msg *msg);
int32_t cpu_check_attrs(const tn_op_desc *desc, uint64_t known, tn_msg *msg); /* known 0: none are expected */
int cpu_is_dense(const tn_tensor_desc *desc);
int cpu_same_shape(const tn_tensor_desc *a, const tn_tensor_desc *b);
/* Fills *kernel with room for `bytes` in all, of which a tn_kernel comes first. */
int32_t cpu_new_kernel(uint64_t bytes, tn_kernel **kernel, tn_msg *msg);

#endif
