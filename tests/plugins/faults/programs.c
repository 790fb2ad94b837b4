/* programs.c: parts of a program that are taken for others, numbers that are kept in too narrow a type, and windows
 * whose elements are counted in one. */
#include "fault.h"

/* ---- descriptions ---- */

static int is_random(const tn_map_instr *instr)
{
    return !strcmp(instr->op, "uniform") || !strcmp(instr->op, "normal");
}

/* same_words: the words of a stream are kept, whatever the seed. same_constants: what is equal is the same. */
static void take_first(tn_map_instr instr[], uint32_t n)
{
    for (uint32_t i = 1; i < n; i++)
        for (uint32_t k = 0; k < i; k++) {
            const int both_const = !strcmp(instr[i].op, "const") && !strcmp(instr[k].op, "const");
            const int is_equal = instr[i].value == instr[k].value && instr[i].dtype == instr[k].dtype;
            if (IS(same_words) && is_random(&instr[i]) && is_random(&instr[k]) && is_equal)
                instr[i].arg[0] = instr[k].arg[0];
            if (IS(same_constants) && both_const && is_equal) instr[i].value = instr[k].value;
        }
}

void fault_take_part_for_another(tn_op_desc *desc, fault_program *own)
{
    if (!(IS(same_words) || IS(same_constants)) || strcmp(desc->name, "map") || !desc->attrs) return;
    own->map = *(const tn_map_attrs *)desc->attrs;
    if (own->map.n_instr > TN_MAX_INSTRS || !own->map.n_instr) return;
    memcpy(own->instr, own->map.instr, own->map.n_instr * sizeof *own->instr);
    take_first(own->instr, own->map.n_instr);
    own->map.instr = own->instr, desc->attrs = &own->map;
}

/* ---- operands ---- */

/* narrow_condition: what f32 takes for 0 is 0. narrow_order: two numbers that are one in f32 are equal. */
void fault_narrow_numbers(other_run *o, const wrapped *w)
{
    const int condition = IS(narrow_condition) && w->chooses, order = IS(narrow_order) && !strcmp(w->name, "topk");
    if (!w->n_in || w->in[0].dtype != TN_F64 || !(condition || order)) return;
    const int64_t count = tn_desc_count(&w->in[0]);
    const double *from = (double *)(void *)tn_reference_range(o->in[0], 0);
    if (o->made || fault_real->buffer_create(NULL, (uint64_t)count * sizeof *from, &o->made, NULL)) return;
    double *to = (double *)(void *)o->made->data;
    for (int64_t e = 0; e < count; e++) {
        const double narrow = (double)(float)from[e];
        to[e] = order || narrow == 0 ? narrow : from[e];
    }
    o->in[0] = (tn_ref){o->made, 0};
}

/* ---- results ---- */

/* rounded_outputs: a value is rounded to f16 where it is, and stored in f32 from there. */
static void store_rounded(const tn_run *run, int64_t count)
{
    const tn_tensor_desc half = {TN_F16, 1, {count}, {1}}, one = {TN_F16, 1, {1}, {1}};
    const unsigned char *from = tn_reference_range(run->out[0], 0);
    float *to = (float *)(void *)tn_reference_range(run->out[1], 0);
    for (int64_t e = 0; e < half.dim[0]; e++) {
        double x;
        tn_reference_load(&x, from + 2 * e, &one);
        to[e] = (float)x;
    }
}

/* short_windows: a window's elements are counted in 16 bits. */
static void count_short(const wrapped *w, float *y)
{
    const int64_t n = (int64_t)w->pool.window[0] * w->pool.window[1], counted = n & 0xffff;
    for (int64_t e = 0; n > 0xffff && e < tn_desc_count(&w->out); e++)
        y[e] = counted ? y[e] * (float)n / (float)counted : 0;
}

void fault_spoil_programs(const wrapped *w, const tn_run *run)
{
    if (IS(rounded_outputs) && w->narrow_first) store_rounded(run, tn_desc_count(&w->out));
    if (IS(short_windows) && !strcmp(w->name, "avgpool2d") && w->out.dtype == TN_F32)
        count_short(w, (float *)(void *)tn_reference_range(run->out[0], 0));
}
