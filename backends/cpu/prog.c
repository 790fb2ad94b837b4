/* prog.c: makes a map's program ready: looks up its instructions, and gives each value its place. */
#include "prog.h"

#include <string.h>

#define BLOCK     1024 /* elements: a value of floats takes 4 KiB */
#define MIN_BLOCK 64
#define FAR       0x1p20 /* bytes */
#define STEPS     3      /* fewer are as fast as memory, which they read and write as it lies, */
#define BUSY      8      /* but for those of so many simple operations an element, which leave few loads on their way */
#define MANY      7      /* operands in memory at once, as of Adam: prefetchers are busy, and blocks that are */
#define FAR_BLOCK 256    /* so short let a step's last loads wait while the next step computes */

/* ---- instructions ------------------------------------------------------------------------------------------------ */

static int is_constant(const tn_map_instr *instr)
{
    const int which = tn_special_find(instr->op);
    return which == TN_INSTR_CONST || which == TN_INSTR_SCALAR;
}

static void add_constant(cpu_prog *p, const tn_map_instr *instr, int32_t value)
{
    cpu_constant *c = &p->constant[p->n_constant++];
    c->value = value;
    c->number = instr->value;
    c->scalar = *instr->op == 's' ? instr->arg[0] : -1;
    c->type = cpu_type_of(instr->dtype);
    p->type[value] = c->type;
}

static void add_instructions(cpu_prog *p, const cpu_prog_desc *d)
{
    for (int32_t i = 0; i < (int32_t)d->map->n_instr; i++) {
        const tn_map_instr *instr = &d->map->instr[i];
        const int32_t value = p->n_in + i;
        if (is_constant(instr)) {
            add_constant(p, instr, value);
        } else {
            cpu_step *step = &p->step[p->n_step++];
            step->value = value;
            p->cost += cpu_resolve(d, instr, step, p->type);
            p->type[value] = step->type;
        }
    }
}

static void add_outputs(cpu_prog *p, const cpu_prog_desc *d)
{
    for (int32_t k = 0; k < p->n_out; k++) {
        cpu_output *o = &p->output[k];
        o->value = d->map->out[k];
        if (!d->out) continue;
        o->size = tn_dtype_size(d->out[k].dtype);
        o->store = cpu_code->rows->store[d->out[k].dtype];
    }
    p->result = p->output[0].value;
    p->result_type = p->type[p->result];
}

/* ---- places ------------------------------------------------------------------------------------------------------ */

static cpu_step *step_of(const cpu_prog *p, int32_t value)
{
    for (int32_t i = 0; i < p->n_step; i++)
        if (p->step[i].value == value) return &p->step[i];
    return NULL;
}

/* Steps whose results are outputs write them there, if the elements are values as they are. */
static void write_in_place(cpu_prog *p, const cpu_prog_desc *d)
{
    static const uint64_t size[] = {4, 4, 8};
    for (int32_t k = 0; d->out && k < p->n_out; k++) {
        cpu_step *step = step_of(p, p->output[k].value);
        if (!step || step->output >= 0 || p->output[k].size != size[step->type]) continue;
        step->output = k;
        p->output[k].in_place = 1;
    }
}

/* Whether input i, overwritten by output k, is read after that output was written. */
static int is_read_late(const cpu_prog *p, int32_t i, int32_t k)
{
    for (int32_t j = 0; j < p->n_out; j++)
        if (j != k && p->output[j].value == i) return 1;
    int32_t written = 0;
    for (int32_t s = 0; s < p->n_step; s++) {
        for (int a = 0; a < CPU_STEP_ARGS && written; a++)
            if (p->step[s].arg[a] == i) return 1;
        written |= p->step[s].output == k;
    }
    return 0;
}

static void save_overwritten(cpu_prog *p, const cpu_prog_desc *d)
{
    for (int32_t k = 0; d->out && d->alias && k < p->n_out; k++) {
        const int32_t i = d->alias[k];
        if (i < 0 || p->input[i].kind == CPU_CONVERT || !is_read_late(p, i, k)) continue;
        p->input[i].kind = CPU_CONVERT;
        p->input[i].load = cpu_code->rows->load[d->in[i].dtype];
    }
}

/* Slots: constants and loaded inputs keep theirs; a step's slot is free again after its last reader. */
static void place_steps(cpu_prog *p, int32_t *last, int32_t *free_slot)
{
    static const int size[] = {4, 4, 8};
    int32_t n_free = 0;
    for (int32_t v = 0; v < p->n_value; v++) last[v] = -1;
    for (int32_t s = 0; s < p->n_step; s++)
        for (int a = 0; a < CPU_STEP_ARGS; a++)
            if (p->step[s].arg[a] >= 0) last[p->step[s].arg[a]] = s;
    for (int32_t k = 0; k < p->n_out; k++) last[p->output[k].value] = p->n_step;
    for (int32_t s = 0; s < p->n_step; s++) {
        cpu_step *step = &p->step[s];
        for (int after = 0; after < 2; after++) { /* a slot of elements of the same size may be written over */
            for (int a = 0; a < CPU_STEP_ARGS; a++) {
                cpu_step *maker = step->arg[a] < 0 ? NULL : step_of(p, step->arg[a]);
                if (!maker || last[maker->value] != s || maker->output >= 0) continue;
                if (after != (size[maker->type] != size[step->type])) continue;
                last[maker->value] = -2;
                free_slot[n_free++] = maker->slot;
            }
            if (!after && step->output < 0) step->slot = n_free ? free_slot[--n_free] : p->n_slot++;
        }
        if (last[step->value] == -1 && step->output < 0) free_slot[n_free++] = step->slot; /* nobody reads it */
    }
}

/* The block's length: all slots must fit into the workspace. */
static int32_t choose_block(cpu_prog *p, const cpu_prog_desc *d, tn_msg *msg)
{
    int64_t size = 4;
    for (int32_t v = 0; v < p->n_value; v++)
        if (p->type[v] == CPU_F64) size = 8;
    const int64_t room = CPU_WORK_PROG - (p->n_value + 8) * (int64_t)sizeof(void *);
    while (p->block > MIN_BLOCK && p->n_slot * (round_up(p->block * size, CPU_ALIGN) + CPU_ALIGN) > room) p->block /= 2;
    p->slot_bytes =
        round_up(p->block * size, CPU_ALIGN) + CPU_ALIGN; /* so that slots do not fall on the same cache sets */
    if (p->n_slot * p->slot_bytes > room)
        return cpu_fail(msg, TN_EUNSUPPORTED, "%s: a map with %d values at a time is too large", d->op, p->n_slot);
    return TN_OK;
}

/* One piece of memory for all of a program. */
static cpu_prog *allocate_prog(const tn_map_attrs *m)
{
    const uint64_t n_value = m->n_in + m->n_instr;
    const uint64_t bytes[] = {sizeof(cpu_prog),
                              m->n_in * sizeof(cpu_input),
                              m->n_instr * sizeof(cpu_step),
                              m->n_instr * sizeof(cpu_constant),
                              m->n_out * sizeof(cpu_output),
                              3 * n_value * sizeof(int32_t)};
    uint64_t total = 0;
    for (int i = 0; i < 6; i++) total += (bytes[i] + 15) & ~15ull;
    char *memory = cpu_allocate(total);
    if (!memory) return NULL;
    void *part[6];
    for (int i = 0; i < 6; i++) part[i] = memory, memory += (bytes[i] + 15) & ~15ull;
    cpu_prog *p = part[0];
    p->input = part[1], p->step = part[2], p->constant = part[3], p->output = part[4], p->type = part[5];
    p->n_in = (int32_t)m->n_in, p->n_out = (int32_t)m->n_out, p->n_value = (int32_t)n_value;
    p->n_scalar = (int32_t)m->n_scalar;
    return p;
}

static void count_elements(cpu_prog *p, const cpu_prog_desc *d)
{
    p->count = 1;
    for (int k = 0; k < d->rank; k++) p->count *= d->dim[k];
    p->cost = 0.5 * (p->n_in + p->n_out);
    p->block = BLOCK;
    for (int32_t i = 0; i < p->n_in; i++) p->type[i] = cpu_type_of(d->in[i].dtype);
}

/* Whether a step takes input i as one element. */
static int takes_one(const cpu_prog *p, const cpu_step *step, int32_t i)
{
    int reads = 0, takes = 1;
    for (int a = 0; a < CPU_STEP_ARGS; a++) {
        if (step->arg[a] != i) continue;
        reads++;
        takes &= a < 2 && step->one[a];
        if (takes && step->arg[1 - a] >= 0 && step->arg[1 - a] < p->n_in) takes = !p->input[step->arg[1 - a]].runs;
    }
    return !reads || (reads == 1 && takes);
}

/* An operand of a channel, say, need not be spread over its pixels where steps take it as one element: blocks are made
 * such that they end where pixels do. */
enum { SHORT = 128 /* runs that are too short for that */ };

static void find_runs(cpu_prog *p)
{
    for (int32_t i = 0; i < p->n_in; i++) {
        cpu_input *in = &p->input[i];
        const int64_t run = in->rank ? in->dim[in->rank - 1] : 0, pieces = (run + p->block - 1) / p->block;
        if (in->kind != CPU_STRIDED || in->stride[in->rank - 1] || in->load || run < SHORT || run % pieces) continue;
        int takes = 1;
        for (int32_t s = 0; s < p->n_step; s++) takes &= takes_one(p, &p->step[s], i);
        for (int32_t k = 0; k < p->n_out; k++) takes &= p->output[k].value != i;
        in->runs = takes;
        if (takes) p->block = run / pieces;
    }
}

/* More than caches hold, of what is read and written where it lies. */
static void look_far(cpu_prog *p, const cpu_prog_desc *d)
{
    double bytes = 0;
    int many = 0;
    for (int32_t i = d->near; i < p->n_in; i++)
        if (p->input[i].kind == CPU_DENSE) bytes += (double)p->count * (double)p->input[i].size, many++;
    for (int32_t k = 0; k < p->n_out && !d->near; k++) bytes += (double)p->count * (double)p->output[k].size, many++;
    p->near = d->near, p->writes = !d->near && p->n_step >= STEPS;
    p->far = bytes > FAR && (p->n_step >= STEPS || p->cost >= BUSY) && many < MANY;
    if (bytes > FAR && many >= MANY && p->block == BLOCK) p->block = FAR_BLOCK;
}

/* A slot for each input that is not read where it lies, and for each constant. */
static void place_values(cpu_prog *p, const cpu_prog_desc *d)
{
    cpu_place_inputs(p, d);
    cpu_join_steps(p, d->map->instr);
    write_in_place(p, d);
    save_overwritten(p, d);
    for (int32_t i = 0; i < p->n_in; i++) {
        const int32_t kind = p->input[i].kind;
        p->input[i].slot = p->n_slot;
        p->n_slot += kind == CPU_DENSE ? 0 : kind == CPU_CONVERT || kind == CPU_SPLAT ? 1 : 2;
    }
    for (int32_t i = 0; i < p->n_constant; i++) p->constant[i].slot = p->n_slot++;
    place_steps(p, p->type + p->n_value, p->type + 2 * p->n_value);
}

int32_t cpu_prog_create(const cpu_prog_desc *d, cpu_prog **prog, tn_msg *msg)
{
    cpu_prog *p = allocate_prog(d->map);
    if (!p) return cpu_fail(msg, TN_ENOMEM, "%s: no memory for the map", d->op);
    count_elements(p, d);
    add_instructions(p, d);
    add_outputs(p, d);
    place_values(p, d);
    find_runs(p);
    look_far(p, d);
    const int32_t s = choose_block(p, d, msg);
    for (int32_t i = 0; i < p->n_in && !s; i++) { /* a repeated piece must fit beside a block */
        cpu_input *in = &p->input[i];
        if (in->kind == CPU_PERIODIC && in->period > p->block) in->kind = CPU_WRAPPED;
    }
    if (s)
        cpu_release(p);
    else
        *prog = p;
    return s;
}
