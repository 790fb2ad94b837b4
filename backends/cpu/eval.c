/* eval.c: evaluates a prepared program over ranges of the iteration space. Allocates nothing, shares nothing. */
#include "prog.h"

#include <string.h>

/* ---- operands (at prepare) --------------------------------------------------------------------------------------- */

/* The operand's shape without ones, its neighbouring dimensions merged where one stride serves for both. */
static void collapse(cpu_input *in, const tn_tensor_desc *desc)
{
    for (int d = 0; d < desc->rank; d++) {
        if (desc->dim[d] == 1) continue;
        const int last = in->rank - 1;
        if (in->rank && in->stride[last] == desc->stride[d] * desc->dim[d]) {
            in->dim[last] *= desc->dim[d];
            in->stride[last] = desc->stride[d];
        } else {
            in->dim[in->rank] = desc->dim[d];
            in->stride[in->rank++] = desc->stride[d];
        }
    }
}

void cpu_place_inputs(cpu_prog *p, const cpu_prog_desc *d)
{
    static const uint64_t size[] = {4, 4, 8};
    for (int32_t i = 0; i < p->n_in; i++) {
        cpu_input *in = &p->input[i];
        in->type = p->type[i];
        in->size = tn_dtype_size(d->in[i].dtype);
        if (in->size != size[in->type]) in->load = cpu_code->rows->load[d->in[i].dtype];
        collapse(in, &d->in[i]);
        if (in->rank == 0 ? 0 : in->rank == 1 && in->stride[0] == 0)
            in->kind = CPU_SPLAT;
        else if (in->rank == 0 || (in->rank == 1 && in->stride[0] == 1))
            in->kind = in->load ? CPU_CONVERT : CPU_DENSE;
        else if (in->rank == 2 && in->stride[0] == 0 && in->stride[1] == 1)
            in->kind = CPU_PERIODIC;
        else
            in->kind = CPU_STRIDED;
        if (in->kind == CPU_PERIODIC) in->period = in->dim[1];
    }
}

/* ---- one value for all ------------------------------------------------------------------------------------------- */

static void splat(void *out, const void *one, uint64_t size, int64_t n)
{
    cpu_code->rows->splat[size](n, out, one);
}

static void fill_constant(const cpu_constant *c, const tn_scalar *scalar, void *out, int64_t n)
{
    const double f = c->scalar < 0 ? c->number : scalar[c->scalar].f;
    if (c->type == CPU_F64)
        splat(out, &f, 8, n);
    else if (c->type == CPU_F32)
        splat(out, &(float){(float)f}, 4, n);
    else
        splat(out, &(int32_t){c->scalar < 0 ? (int32_t)c->number : (int32_t)(uint32_t)scalar[c->scalar].i}, 4, n);
}

/* A piece repeated until `n` elements are there. */
static void repeat(char *out, uint64_t size, int64_t period, int64_t n)
{
    for (int64_t have = period; have < n; have *= 2) {
        const int64_t more = n - have < have ? n - have : have;
        memcpy(out + (uint64_t)have * size, out, (uint64_t)more * size);
    }
}

void cpu_eval_begin(cpu_eval *e, const cpu_prog *p, char *work, const cpu_run *run, int64_t longest)
{
    static const uint64_t size[] = {4, 4, 8};
    const uint64_t table = ((uint64_t)p->n_value * sizeof(void *) + CPU_ALIGN - 1) & ~(uint64_t)(CPU_ALIGN - 1);
    *e = (cpu_eval){p, run->in, run->out, run->scalar, work + table, (const void **)(void *)work};
    const int64_t n = !p->count ? 0 : longest < p->block ? longest : p->block; /* of nothing, no operand is there */
    for (int32_t i = 0; i < p->n_constant; i++) {
        const cpu_constant *c = &p->constant[i];
        char *slot = e->slots + c->slot * p->slot_bytes;
        fill_constant(c, run->scalar, slot, n);
        e->at[c->value] = slot;
    }
    for (int32_t i = 0; i < p->n_in && n; i++) {
        const cpu_input *in = &p->input[i];
        if (in->kind != CPU_SPLAT && in->kind != CPU_PERIODIC) continue;
        char *slot = e->slots + in->slot * p->slot_bytes;
        const int64_t first = in->kind == CPU_SPLAT ? 1 : in->period;
        if (in->load)
            in->load(first, slot, run->in[i]);
        else
            memcpy(slot, run->in[i], (uint64_t)first * in->size);
        if (in->kind == CPU_SPLAT)
            splat(slot, slot, size[in->type], n);
        else
            repeat(slot, size[in->type], first, n + first);
        e->at[i] = slot;
    }
}

/* ---- operands of a block ----------------------------------------------------------------------------------------- */

/* n elements along the innermost dimension. */
static void collect_run(char *out, const char *from, uint64_t size, int64_t stride, int64_t n)
{
    if (stride == 1)
        memcpy(out, from, (uint64_t)n * size);
    else if (stride == 0)
        splat(out, from, size, n);
    else
        for (int64_t i = 0; i < n; i++) memcpy(out + (uint64_t)i * size, from + (uint64_t)(i * stride) * size, size);
}

/* Elements first .. first + n of the operand, in the order of the iteration space. */
static void collect(const cpu_input *in, const char *from, char *out, int64_t first, int64_t n)
{
    int64_t at[TN_MAX_RANK], offset = 0, rest = first;
    const int last = in->rank - 1;
    for (int d = last; d >= 0; d--) {
        at[d] = rest % in->dim[d];
        rest /= in->dim[d];
        offset += at[d] * in->stride[d];
    }
    while (n > 0) {
        const int64_t left = in->dim[last] - at[last], run = n < left ? n : left;
        collect_run(out, from + (uint64_t)offset * in->size, in->size, in->stride[last], run);
        out += (uint64_t)run * in->size;
        n -= run;
        offset -= at[last] * in->stride[last];
        at[last] = 0;
        for (int d = last - 1; d >= 0; d--) {
            offset += in->stride[d];
            if (++at[d] < in->dim[d]) break;
            offset -= at[d] * in->stride[d];
            at[d] = 0;
        }
    }
}

/* A long repeated piece, run over its end. */
static void unwrap(const cpu_input *in, const char *from, char *out, int64_t phase, int64_t n)
{
    while (n > 0) {
        const int64_t run = n < in->period - phase ? n : in->period - phase;
        memcpy(out, from + (uint64_t)phase * in->size, (uint64_t)run * in->size);
        out += (uint64_t)run * in->size;
        n -= run;
        phase = 0;
    }
}

/* One element for the whole block, where it lies in one run of an operand; or NULL. */
static const char *one_element(const cpu_input *in, const char *from, int64_t first, int64_t n)
{
    const int64_t run = in->dim[in->rank - 1];
    int64_t rest = first / run, offset = 0;
    if (first - rest * run + n > run) return NULL;
    for (int d = in->rank - 2; d >= 0; d--) {
        const int64_t outer = rest / in->dim[d];
        offset += (rest - outer * in->dim[d]) * in->stride[d];
        rest = outer;
    }
    return from + (uint64_t)offset * in->size;
}

static void place_input(const cpu_eval *e, int32_t i, int64_t first, int64_t n)
{
    static const uint64_t size[] = {4, 4, 8};
    const cpu_prog *p = e->prog;
    const cpu_input *in = &p->input[i];
    const char *from = e->in[i];
    char *slot = e->slots + in->slot * p->slot_bytes, *raw = in->load ? slot + p->slot_bytes : slot;
    if (in->kind == CPU_DENSE) {
        e->at[i] = from + (uint64_t)first * in->size;
        return;
    }
    if (in->kind == CPU_PERIODIC) {
        e->at[i] = slot + (uint64_t)(first % in->period) * size[in->type];
        return;
    }
    if (in->kind == CPU_CONVERT) {
        in->load(n, slot, from + (uint64_t)first * in->size);
    } else if (in->kind == CPU_WRAPPED && first % in->period + n <= in->period) {
        from += (uint64_t)(first % in->period) * in->size;
        e->at[i] = from;
        if (!in->load) return;
        in->load(n, slot, from);
    } else if (in->kind == CPU_WRAPPED) {
        unwrap(in, from, raw, first % in->period, n);
        if (in->load) in->load(n, slot, raw);
    } else {
        collect(in, from, raw, first, n);
        if (in->load) in->load(n, slot, raw);
    }
    e->at[i] = slot;
}

/* ---- steps ------------------------------------------------------------------------------------------------------- */

void cpu_iota(const cpu_step *step, const cpu_eval *e, int64_t first, int64_t n, void *out)
{
    (void)e;
    int64_t at = first / step->inner % step->dim, within = first % step->inner;
    for (int64_t i = 0; i < n; i++) {
        if (step->type == CPU_F32)
            ((float *)out)[i] = (float)at;
        else if (step->type == CPU_I32)
            ((int32_t *)out)[i] = (int32_t)at;
        else
            ((double *)out)[i] = (double)at;
        if (++within < step->inner) continue;
        within = 0;
        if (++at == step->dim) at = 0;
    }
}

void cpu_uniform(const cpu_step *step, const cpu_eval *e, int64_t first, int64_t n, void *out)
{
    const uint64_t key[] = {(uint64_t)e->scalar[step->dim].i, (uint64_t)e->scalar[step->inner].i};
    cpu_code->rows->uniform(step->type, n, out, key, step->stream, (uint64_t)first);
}

void cpu_normal(const cpu_step *step, const cpu_eval *e, int64_t first, int64_t n, void *out)
{
    const uint64_t key[] = {(uint64_t)e->scalar[step->dim].i, (uint64_t)e->scalar[step->inner].i};
    cpu_code->rows->normal(step->type, n, out, key, step->stream, (uint64_t)first);
}

static inline __attribute__((always_inline)) void bring_near(const char *at, int64_t from, int64_t to, int write)
{
    for (int64_t i = from; i < to; i += CPU_ALIGN) write ? __builtin_prefetch(at + i, 1) : __builtin_prefetch(at + i);
}

/* What elements begin..end have in memory, in the order of the iteration space. No prefetcher goes on from a page to
 * the next, and blocks are hardly longer than a page. In line, since the compiler takes a function that does nothing
 * else for one that does nothing. */
static inline __attribute__((always_inline)) void look_ahead(const cpu_eval *e, int64_t begin, int64_t end)
{
    const cpu_prog *p = e->prog;
    if (end > p->count) end = p->count;
    for (int32_t k = 0; e->out && p->writes && k < p->n_out; k++)
        bring_near(e->out[k], begin * (int64_t)p->output[k].size, end * (int64_t)p->output[k].size, 1);
    for (int32_t i = p->near; i < p->n_in; i++)
        if (p->input[i].kind == CPU_DENSE)
            bring_near(e->in[i], begin * (int64_t)p->input[i].size, end * (int64_t)p->input[i].size, 0);
}

static cpu_row_fn *code_of(const cpu_prog *p, const cpu_step *s, const void *const *one)
{
    for (int a = 0; a < 2; a++)
        if (s->one[a] && s->arg[a] >= 0 && s->arg[a] < p->n_in && one[s->arg[a]]) return s->one[a];
    return s->fn;
}

void cpu_eval_block(const cpu_eval *e, int64_t first, int64_t n)
{
    const cpu_prog *p = e->prog;
    const void *one[CPU_MAX_IN];
    for (int32_t i = 0; i < p->n_in; i++) {
        one[i] = p->input[i].runs ? one_element(&p->input[i], e->in[i], first, n) : NULL;
        if (one[i])
            e->at[i] = one[i];
        else if (p->input[i].kind != CPU_SPLAT)
            place_input(e, i, first, n);
    }
    for (const cpu_step *s = p->step, *end = s + p->n_step; s < end; s++) {
        char *out = s->output < 0 ? e->slots + s->slot * p->slot_bytes
                                  : e->out[s->output] + (uint64_t)first * p->output[s->output].size;
        const void *arg[CPU_STEP_ARGS];
        for (int a = 0; a < CPU_STEP_ARGS; a++) arg[a] = s->arg[a] < 0 ? out : e->at[s->arg[a]];
        if (p->far)
            look_ahead(e, first + n + n * (s - p->step) / p->n_step, first + n + n * (s - p->step + 1) / p->n_step);
        if (s->special)
            s->special(s, e, first, n, out);
        else
            code_of(p, s, one)(n, out, arg);
        e->at[s->value] = out;
    }
    for (int32_t k = 0; k < p->n_out && e->out && p->output[k].store; k++) {
        const cpu_output *o = &p->output[k];
        char *to = e->out[k] + (uint64_t)first * o->size;
        if (!o->in_place && to != e->at[o->value]) o->store(n, to, e->at[o->value]);
    }
}

void cpu_eval_range(const cpu_eval *e, int64_t first, int64_t n)
{
    for (int64_t i = 0; i < n; i += e->prog->block)
        cpu_eval_block(e, first + i, n - i < e->prog->block ? n - i : e->prog->block);
}
