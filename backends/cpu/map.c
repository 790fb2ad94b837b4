/* map.c: one element-wise program over the whole iteration space, a run of blocks for each thread. */
#include "prog.h"

#include <omp.h>

typedef struct map_kernel {
    tn_kernel kernel;
    cpu_prog *prog;
} map_kernel;

static int32_t prepare(tn_context *context, const tn_op_desc *desc, tn_kernel **kernel, tn_msg *msg)
{
    (void)context;
    const tn_map_attrs *map = desc->attrs;
    int32_t s = cpu_check_attrs(desc, sizeof *map, msg);
    if (!s) s = cpu_check_counts(desc, map->n_in, map->n_out, msg);
    if (!s && !desc->n_out) s = cpu_fail(msg, TN_EINVAL, "map: no output");
    if (!s) s = cpu_check_desc(&desc->out[0], "map", "an output", 0, msg);
    if (s) return s;
    const cpu_prog_desc prog = {"map", map, desc->in, desc->out, desc->alias, desc->out[0].rank, desc->out[0].dim};
    cpu_prog *made;
    s = cpu_prog_create(&prog, &made, msg);
    if (s) return s;
    s = cpu_new_kernel(sizeof(map_kernel), kernel, msg);
    if (s) {
        cpu_release(made);
        return s;
    }
    ((map_kernel *)*kernel)->prog = made;
    (*kernel)->n_scalar = map->n_scalar;
    return TN_OK;
}

static void release(tn_kernel *kernel)
{
    cpu_release(((map_kernel *)kernel)->prog);
}

/* The blocks that are this thread's. */
static void run_part(const cpu_prog *p, const cpu_run *run, int64_t block, int thread, int threads)
{
    const int64_t blocks = (p->count + block - 1) / block;
    const int64_t begin = blocks * thread / threads * block, end = blocks * (thread + 1) / threads * block;
    const int64_t stop = end < p->count ? end : p->count;
    if (begin >= stop) return;
    cpu_eval e;
    cpu_eval_begin(&e, p, cpu_work(run->queue, thread), run, stop - begin);
    for (int64_t i = begin; i < stop; i += block) cpu_eval_block(&e, i, stop - i < block ? stop - i : block);
}

/* Blocks are made shorter if otherwise threads would have unequal shares of a small space. */
static int64_t block_for(const cpu_prog *p, int threads)
{
    const int64_t blocks = (p->count + p->block - 1) / p->block;
    if (blocks > 8 * threads) return p->block;
    const int64_t even = (blocks + threads - 1) / threads * threads, block = (p->count + even - 1) / even;
    const int64_t rounded = (block + 63) & ~63ll;
    return rounded < p->block ? rounded : p->block;
}

static void run(const tn_kernel *kernel, const cpu_run *at)
{
    const cpu_prog *p = ((const map_kernel *)kernel)->prog;
    const int threads = cpu_threads(at->queue, (double)p->count * p->cost);
    if (threads == 1) {
        run_part(p, at, p->block, 0, 1);
        return;
    }
    const int64_t block = block_for(p, threads);
#pragma omp parallel num_threads(threads)
    run_part(p, at, block, omp_get_thread_num(), omp_get_num_threads());
}

const cpu_op cpu_map = {"map", prepare, run, release};
