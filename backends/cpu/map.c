/* map.c: one element-wise program over the whole iteration space, a run of blocks for each thread. */
#include "prog.h"

typedef struct map_kernel {
    tn_kernel kernel;
    cpu_prog *prog;
} map_kernel;

static int32_t prepare(tn_context *context, const tn_op_desc *desc, const tn_op_facts *facts, tn_kernel **kernel,
                       tn_msg *msg)
{
    (void)context;
    const tn_mapping *m = &facts->mapping;
    const cpu_prog_desc prog = {"map", m->map, desc->in, desc->out, desc->alias, m->rank, m->dim};
    cpu_prog *made;
    int32_t s = cpu_prog_create(&prog, &made, msg);
    if (s) return s;
    s = cpu_new_kernel(sizeof(map_kernel), kernel, msg);
    if (s) {
        cpu_release(made);
        return s;
    }
    ((map_kernel *)*kernel)->prog = made;
    (*kernel)->n_scalar = m->map->n_scalar;
    return TN_OK;
}

static void release(tn_kernel *kernel)
{
    cpu_release(((map_kernel *)kernel)->prog);
}

/* One run: what every thread reads. */
typedef struct map_run {
    const cpu_prog *prog;
    const cpu_run *run;
    int64_t block;
} map_run;

static void run_blocks(void *arg, int64_t begin, int64_t end, int thread)
{
    const map_run *r = arg;
    const int64_t first = begin * r->block, last = end * r->block < r->prog->count ? end * r->block : r->prog->count;
    if (first >= last) return;
    cpu_eval e;
    cpu_eval_begin(&e, r->prog, cpu_work(r->run->queue, thread), r->run, last - first);
    for (int64_t i = first; i < last; i += r->block) cpu_eval_block(&e, i, last - i < r->block ? last - i : r->block);
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
    map_run r = {p, at, threads == 1 ? p->block : block_for(p, threads)};
    cpu_parallel(at->queue, threads, (p->count + r.block - 1) / r.block, run_blocks, &r);
}

const cpu_op cpu_map = {"map", CPU_ANY, 1, prepare, run, release, NULL};
