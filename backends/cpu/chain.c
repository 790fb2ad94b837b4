/* chain.c: finds the epilogues that are chains, and their operands for a channel. */
#include "chain.h"

#include <math.h>
#include <string.h>

/* What a row of unary.def or binary.def is in a chain, with what was made so far as argument `so_far`; whose other
 * argument, if there is one, may be an element, or only a number that is none. */
typedef struct known {
    const char *op;
    int32_t so_far, kind, dense; /* dense: with an operand that lies as the result does; -1: there is none */
    int32_t numbers_only;
} known;

static const known rows[] = {{"add", 0, CPU_CHAIN_ADD, CPU_CHAIN_ADD_ALL, 0},
                             {"add", 1, CPU_CHAIN_ADD, CPU_CHAIN_ADD_ALL, 0},
                             {"sub", 0, CPU_CHAIN_SUB, CPU_CHAIN_SUB_ALL, 0},
                             {"mul", 0, CPU_CHAIN_MUL, CPU_CHAIN_MUL_ALL, 0},
                             {"mul", 1, CPU_CHAIN_MUL, CPU_CHAIN_MUL_ALL, 0},
                             {"max", 0, CPU_CHAIN_MAX, -1, 1},
                             {"min", 0, CPU_CHAIN_MIN, -1, 1},
                             {"leaky_relu", 0, CPU_CHAIN_LEAKY, -1, 0},
                             {"relu", 0, CPU_CHAIN_RELU, -1, 0},
                             {"relu6", 0, CPU_CHAIN_RELU6, -1, 0},
                             {"hard_sigmoid", 0, CPU_CHAIN_HARD_SIGMOID, -1, 0},
                             {"hard_swish", 0, CPU_CHAIN_HARD_SWISH, -1, 0},
                             {"sigmoid", 0, CPU_CHAIN_SIGMOID, -1, 0},
                             {"silu", 0, CPU_CHAIN_SILU, -1, 0}};

/* What a link becomes when its result is multiplied by what it was made from. */
static const struct {
    int32_t kind, gated;
} gates[] = {{CPU_CHAIN_HARD_SIGMOID, CPU_CHAIN_HARD_GATE}, {CPU_CHAIN_SIGMOID, CPU_CHAIN_SILU}};

/* Whether a dimension counts, by the stride that it would have to have. */
static int goes_by(const tn_tensor_desc *d, int dim, int64_t stride)
{
    return d->dim[dim] == 1 || d->stride[dim] == stride;
}

static int lies_as(const tn_tensor_desc *d, const tn_tensor_desc *y)
{
    return goes_by(d, 0, y->stride[0]) && goes_by(d, 1, y->stride[1]) && goes_by(d, 2, y->stride[2]) &&
           goes_by(d, 3, y->stride[3]);
}

static int take_operand(const tn_op_desc *desc, int32_t number, cpu_chain_link *link)
{
    const tn_tensor_desc *d = &desc->in[number], *y = &desc->out[0];
    if (d->dtype != TN_F32 || d->rank != 4) return 0;
    link->operand = number;
    if (goes_by(d, 2, 0) && goes_by(d, 3, 0)) {
        link->by_picture = d->dim[0] == 1 ? 0 : d->stride[0], link->by_channel = d->dim[1] == 1 ? 0 : d->stride[1];
        return 1;
    }
    link->is_dense = 1;
    return lies_as(d, y);
}

/* The argument beside what was made so far: a constant of the program or one of its operands. */
static int take_other(const tn_op_desc *desc, const tn_map_attrs *map, int32_t value, cpu_chain_link *link)
{
    if (value > 0 && value < (int32_t)map->n_in) return take_operand(desc, value + 1, link);
    const tn_map_instr *instr = value < (int32_t)map->n_in ? NULL : &map->instr[value - (int32_t)map->n_in];
    if (!instr || strcmp(instr->op, "const")) return 0;
    link->operand = -1, link->number = (float)instr->value;
    return 1;
}

static const known *find_row(const tn_map_instr *instr, int32_t so_far)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!strcmp(rows[i].op, instr->op) && instr->arg[rows[i].so_far] == so_far) return &rows[i];
    return NULL;
}

/* `made`: values, of which each is made from the one before; the last two. */
static int is_gate(const tn_map_instr *instr, const int32_t made[2], cpu_chain *chain)
{
    const int both = (instr->arg[0] == made[0] && instr->arg[1] == made[1]) ||
                     (instr->arg[0] == made[1] && instr->arg[1] == made[0]);
    if (!chain->links || !both || made[0] == made[1] || strcmp(instr->op, "mul")) return 0;
    cpu_chain_link *last = &chain->link[chain->links - 1];
    for (size_t i = 0; i < sizeof gates / sizeof *gates; i++)
        if (gates[i].kind == last->kind) {
            last->kind = gates[i].gated;
            return 1;
        }
    return 0;
}

/* Both arguments may be what was made so far: then it is no link. */
static int add_link(const tn_op_desc *desc, const tn_map_attrs *map, const tn_map_instr *instr, int32_t so_far,
                    cpu_chain *chain)
{
    const known *row = instr->dtype == TN_F32 ? find_row(instr, so_far) : NULL;
    if (!row || chain->links == CPU_CHAIN_STEPS) return 0;
    cpu_chain_link *link = &chain->link[chain->links++];
    const int32_t other = instr->arg[1 - row->so_far];
    *link = (cpu_chain_link){.kind = row->kind, .operand = -1};
    if (row->so_far == 0 && other < 0) return 1;
    if (other == so_far || !take_other(desc, map, other, link)) return 0;
    if (row->numbers_only && (link->operand >= 0 || isnan(link->number))) return 0;
    if (link->is_dense) link->kind = row->dense, chain->has_dense = 1;
    return link->kind >= 0;
}

void cpu_chain_make(const tn_op_desc *desc, const tn_map_attrs *map, cpu_chain *chain)
{
    int32_t made[2] = {0, 0};
    int is_chain = desc->out[0].dtype == TN_F32 && map->n_out == 1 && desc->n_out == 1;
    *chain = (cpu_chain){0};
    for (uint32_t i = 0; i < map->n_instr && is_chain; i++) {
        if (!strcmp(map->instr[i].op, "const")) continue;
        is_chain = is_gate(&map->instr[i], made, chain) || add_link(desc, map, &map->instr[i], made[1], chain);
        made[0] = made[1], made[1] = (int32_t)(map->n_in + i);
    }
    if (!is_chain || map->out[0] != made[1]) chain->links = 0;
}

/* The bounds that a link is, if it is one. */
static int bounds_of(const cpu_chain_link *link, float *low, float *high)
{
    const float number = link->operand < 0 ? link->number : 0;
    const struct {
        int32_t kind;
        float low, high;
    } bounds[] = {{CPU_CHAIN_RELU, 0, INFINITY},
                  {CPU_CHAIN_RELU6, 0, 6},
                  {CPU_CHAIN_MAX, number, INFINITY},
                  {CPU_CHAIN_MIN, -INFINITY, number}};
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++)
        if (bounds[i].kind == link->kind) {
            *low = bounds[i].low, *high = bounds[i].high;
            return 1;
        }
    return 0;
}

static int goes_by_channel(const cpu_chain_link *link, int32_t kind)
{
    return link->kind == kind && link->operand >= 0 && link->by_channel == 1 && !link->by_picture;
}

/* A lower bound comes before an upper one, as the ending has them. */
cpu_chain_head cpu_chain_begins_with(const cpu_chain *chain)
{
    static const int32_t kind[] = {CPU_CHAIN_SUB, CPU_CHAIN_MUL, CPU_CHAIN_MUL, CPU_CHAIN_ADD};
    cpu_chain_head head = {0, {-1, -1, -1, -1}, -INFINITY, INFINITY};
    const cpu_chain_link *link = chain->link;
    float low, high;
    for (int i = 0; i < 4 && head.links < chain->links; i++)
        if (goes_by_channel(&link[head.links], kind[i])) head.operand[i] = link[head.links++].operand;
    for (; head.links < chain->links && bounds_of(&link[head.links], &low, &high); head.links++) {
        if (head.high < INFINITY || (head.low > -INFINITY && low > -INFINITY)) break;
        head.low = head.low > low ? head.low : low, head.high = high;
    }
    return head;
}

int64_t cpu_chain_begin(const cpu_chain *chain, int64_t from, const cpu_run *run, int64_t picture, int64_t channel,
                        int64_t first, cpu_chain_step step[CPU_CHAIN_STEPS])
{
    for (int64_t i = from; i < chain->links; i++, step++) {
        const cpu_chain_link *link = &chain->link[i];
        const float *in = link->operand < 0 ? &link->number : (const float *)(const void *)run->in[link->operand];
        step->kind = link->kind;
        step->all = link->is_dense ? in + first : NULL;
        step->one = link->is_dense ? 0 : in[picture * link->by_picture + channel * link->by_channel];
    }
    return chain->links - from;
}
