/* prog.c: makes a map's program ready: checks it, looks up its instructions, and gives each value its place. */
#include "prog.h"

#include <string.h>

#define BLOCK     1024 /* elements: a value of floats takes 4 KiB */
#define MIN_BLOCK 64

/* ---- checks
 * -------------------------------------------------------------------------------------------------------------- */

static int32_t check_operands(const cpu_prog_desc *d, tn_msg *msg)
{
    int32_t s = TN_OK;
    for (uint32_t i = 0; i < d->map->n_in && !s; i++) {
        s = cpu_check_desc(&d->in[i], d->op, "an input", 1, msg);
        if (!s && (d->in[i].rank != d->rank || memcmp(d->in[i].dim, d->dim, (size_t)d->rank * sizeof *d->dim)))
            s = cpu_fail(msg, TN_ESHAPE, "%s: input %u has another shape than the iteration space", d->op, i);
    }
    for (uint32_t i = 0; d->out && i < d->map->n_out && !s; i++) {
        s = cpu_check_desc(&d->out[i], d->op, "an output", 0, msg);
        if (!s && (d->out[i].rank != d->rank || memcmp(d->out[i].dim, d->dim, (size_t)d->rank * sizeof *d->dim)))
            s = cpu_fail(msg, TN_ESHAPE, "%s: output %u has another shape than the iteration space", d->op, i);
    }
    return s;
}

static int32_t check_aliases(const cpu_prog_desc *d, tn_msg *msg)
{
    for (uint32_t k = 0; d->out && d->alias && k < d->map->n_out; k++) {
        const int32_t a = d->alias[k];
        if (a < 0) continue;
        if ((uint32_t)a >= d->map->n_in)
            return cpu_fail(msg, TN_EINVAL, "%s: output %u overwrites input %d, which is not there", d->op, k, a);
        if (!cpu_is_dense(&d->in[a]) || tn_dtype_size(d->in[a].dtype) != tn_dtype_size(d->out[k].dtype))
            return cpu_fail(msg, TN_EUNSUPPORTED, "%s: output %u can't overwrite input %d in place", d->op, k, a);
    }
    return TN_OK;
}

static int32_t check_map(const cpu_prog_desc *d, tn_msg *msg)
{
    const tn_map_attrs *m = d->map;
    if (!m || m->size < sizeof *m) return cpu_fail(msg, TN_EINVAL, "%s: the map is missing or too small", d->op);
    if (!tn_attrs_known(m, sizeof *m)) return cpu_fail(msg, TN_EUNSUPPORTED, "%s: a map of a later version", d->op);
    if ((!m->instr && m->n_instr) || !m->out || !m->n_out) return cpu_fail(msg, TN_EINVAL, "%s: an empty map", d->op);
    if (m->n_in > CPU_MAX_IN || m->n_out > CPU_MAX_OUT || m->n_instr > CPU_MAX_INSTR)
        return cpu_fail(msg, TN_EUNSUPPORTED, "%s: a map of %u inputs, %u instructions and %u outputs is too large",
                        d->op, m->n_in, m->n_instr, m->n_out);
    const int32_t s = check_operands(d, msg);
    return s ? s : check_aliases(d, msg);
}

/* ---- instructions
 * ---------------------------------------------------------------------------------------------------------- */

static int is_constant(const tn_map_instr *instr)
{
    return instr->op && (!strcmp(instr->op, "const") || !strcmp(instr->op, "scalar"));
}

static int32_t add_constant(cpu_prog *p, const cpu_prog_desc *d, const tn_map_instr *instr, int32_t value, tn_msg *msg)
{
    cpu_constant *c = &p->constant[p->n_constant++];
    c->value = value;
    c->number = instr->value;
    c->scalar = *instr->op == 's' ? instr->arg[0] : -1;
    c->type =
        instr->dtype == TN_F32 || instr->dtype == TN_I32 || instr->dtype == TN_F64 ? cpu_type_of(instr->dtype) : -1;
    if (c->type < 0) return cpu_fail(msg, TN_EDTYPE, "%s: '%s' can't have type %d", d->op, instr->op, instr->dtype);
    if (*instr->op == 's' && (instr->arg[0] < 0 || (uint32_t)instr->arg[0] >= d->map->n_scalar))
        return cpu_fail(msg, TN_EINVAL, "%s: scalar %d of %u", d->op, instr->arg[0], d->map->n_scalar);
    if (c->scalar < 0 && c->type == CPU_I32 && !(instr->value >= INT32_MIN && instr->value <= INT32_MAX))
        return cpu_fail(msg, TN_EINVAL, "%s: the constant %g is no 32-bit integer", d->op, instr->value);
    p->type[value] = c->type;
    return TN_OK;
}

static int32_t add_instructions(cpu_prog *p, const cpu_prog_desc *d, tn_msg *msg)
{
    for (int32_t i = 0; i < (int32_t)d->map->n_instr; i++) {
        const tn_map_instr *instr = &d->map->instr[i];
        const int32_t value = p->n_in + i;
        int32_t s;
        if (is_constant(instr)) {
            s = add_constant(p, d, instr, value, msg);
        } else {
            cpu_step *step = &p->step[p->n_step++];
            step->value = value;
            s = cpu_resolve(d, instr, step, p->type, value, &p->cost, msg);
            p->type[value] = step->type;
        }
        if (s) return s;
    }
    return TN_OK;
}

static int32_t add_outputs(cpu_prog *p, const cpu_prog_desc *d, tn_msg *msg)
{
    for (int32_t k = 0; k < p->n_out; k++) {
        const int32_t v = d->map->out[k];
        if (v < 0 || v >= p->n_value) return cpu_fail(msg, TN_EINVAL, "%s: output %d is value %d", d->op, k, v);
        cpu_output *o = &p->output[k];
        o->value = v;
        if (!d->out) continue;
        if (cpu_type_of(d->out[k].dtype) != p->type[v])
            return cpu_fail(msg, TN_EDTYPE, "%s: output %d can't store its value as type %d", d->op, k,
                            d->out[k].dtype);
        o->size = tn_dtype_size(d->out[k].dtype);
        o->store = cpu_code->rows->store[d->out[k].dtype];
    }
    p->result = p->output[0].value;
    p->result_type = p->type[p->result];
    return TN_OK;
}

/* ---- places
 * ---------------------------------------------------------------------------------------------------------------- */

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
        for (int a = 0; a < 4 && written; a++)
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
        for (int a = 0; a < 4; a++)
            if (p->step[s].arg[a] >= 0) last[p->step[s].arg[a]] = s;
    for (int32_t k = 0; k < p->n_out; k++) last[p->output[k].value] = p->n_step;
    for (int32_t s = 0; s < p->n_step; s++) {
        cpu_step *step = &p->step[s];
        for (int after = 0; after < 2; after++) { /* a slot of elements of the same size may be written over */
            for (int a = 0; a < 4; a++) {
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
    while (p->block > MIN_BLOCK && p->n_slot * (p->block * size + CPU_ALIGN) > room) p->block /= 2;
    p->slot_bytes = p->block * size + CPU_ALIGN; /* so that slots do not fall on the same cache sets */
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

int32_t cpu_prog_create(const cpu_prog_desc *d, cpu_prog **prog, tn_msg *msg)
{
    int32_t s = check_map(d, msg);
    if (s) return s;
    cpu_prog *p = allocate_prog(d->map);
    if (!p) return cpu_fail(msg, TN_ENOMEM, "%s: no memory for the map", d->op);
    count_elements(p, d);
    s = add_instructions(p, d, msg);
    if (!s) s = add_outputs(p, d, msg);
    if (!s) {
        write_in_place(p, d);
        cpu_place_inputs(p, d);
        save_overwritten(p, d);
        for (int32_t i = 0; i < p->n_in; i++) {
            const int32_t kind = p->input[i].kind;
            p->input[i].slot = p->n_slot;
            p->n_slot += kind == CPU_DENSE ? 0 : kind == CPU_CONVERT || kind == CPU_SPLAT ? 1 : 2;
        }
        for (int32_t i = 0; i < p->n_constant; i++) p->constant[i].slot = p->n_slot++;
        place_steps(p, p->type + p->n_value, p->type + 2 * p->n_value);
        s = choose_block(p, d, msg);
    }
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
