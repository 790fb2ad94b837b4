/* depth.c: goes through a batch a few samples at a time, where a device has caches that hold those, but not a whole
 * batch. Convolutions and what stands between them make each sample's result of that sample alone. So launches in a row
 * that do are run on a few samples, then on the next few; what only they see has room for these alone. Small launches
 * between them that need none of that, such as a scale made of running statistics, come before.
 *
 * A launch takes part if the first dimension of its outputs, and of all inputs but those that are the same for each
 * sample, is the batch or a multiple. Sample s is then the same bytes of a tensor for who makes it and who reads it. */
#include "error.h"
#include "ir.h"
#include "tenon/backend_map.h"

enum {
    LEAST = 2,       /* samples for a unit: of fewer, units would share some */
    NEARLY = 4,      /* times as much as the rest */
    FEW = 16,        /* of so many samples one may be made for nothing */
    SMALL = 64 << 10 /* bytes */
};

/* What a row of launches does with the storage of a root. */
typedef struct use {
    uint32_t all;  /* operands of the program that lie there, */
    uint32_t row;  /* and of the row of that number: */
    uint32_t here; /* how many, */
    uint32_t made; /* and whether one writes it */
} use;

typedef struct search {
    const tn_target *target;
    tn_ir *ir;
    use *use; /* by a root's number */
    uint32_t row, first, end;
    int64_t samples;
} search;

/* ---- a launch by itself ---- */

static const tn_op_def *const by_sample[] = {
    &tn_op_map,       &tn_op_conv2d,         &tn_op_conv2d_data, &tn_op_maxpool2d, &tn_op_maxpool2d_grad,
    &tn_op_avgpool2d, &tn_op_avgpool2d_grad, &tn_op_slice,       &tn_op_unslice,   &tn_op_concat,
    &tn_op_transpose};

static int is_weight(const tn_launch *l, uint32_t input)
{
    return tn_has_filters(l) && input == 1;
}

/* The samples of what a convolution makes; 0: it is none, or on another device. */
static int64_t batch_of(const tn_launch *l)
{
    return tn_has_filters(l) && !l->place ? l->operation.out[0].dim[0] : 0;
}

/* Whether a sample is a stretch of the operand, as long as all others. */
static int is_split(const tn_tensor_desc *x, int64_t samples)
{
    return x->dim[0] && x->dim[0] % samples == 0 && x->stride[0];
}

/* Whether elements know their numbers, as random ones do. */
static int counts(const tn_map_attrs *map)
{
    for (uint32_t i = 0; map && i < map->n_instr; i++)
        if (tn_is_random(map->instr[i].op) || tn_special_find(map->instr[i].op) == TN_INSTR_IOTA) return 1;
    return 0;
}

/* Whether its attributes leave the first dimension alone. */
static int keeps_first(const tn_launch *l)
{
    const tn_operation *o = &l->operation;
    if (l->op == &tn_op_map) return !counts(&o->attrs.map);
    if (l->op == &tn_op_conv2d) return !counts(o->attrs.conv.epilogue);
    if (l->op == &tn_op_transpose) return o->attrs.transpose.perm[0] == 0;
    if (l->op != &tn_op_slice && l->op != &tn_op_unslice) return 1;
    return o->attrs.slice.start[0] == 0 && o->attrs.slice.step[0] == 1 && o->in[0].dim[0] == o->out[0].dim[0];
}

/* An operand of a map, or of what follows a convolution, may be the same for all samples. */
static int may_be_same(const tn_launch *l, uint32_t input)
{
    return l->op == &tn_op_map || (l->op == &tn_op_conv2d && input > 1);
}

static int goes_by_samples(const tn_launch *l, int64_t samples)
{
    const tn_operation *o = &l->operation;
    int known = 0, fits = !l->place && !l->transfer && !l->crosses && !l->packs;
    for (size_t i = 0; i < sizeof by_sample / sizeof *by_sample; i++) known |= l->op == by_sample[i];
    if (!known || !fits || !keeps_first(l)) return 0;
    for (uint32_t i = 0; i < o->desc.n_in; i++) {
        const int same = is_weight(l, i) || (may_be_same(l, i) && !o->in[i].stride[0]);
        if (!same && !is_split(&o->in[i], samples)) return 0;
    }
    for (uint32_t i = 0; i < o->desc.n_out; i++)
        if (!is_split(&o->out[i], samples)) return 0;
    return 1;
}

/* ---- a launch in a row ---- */

/* What the row does with the value's storage. */
static use *use_of(const search *s, tn_value *value)
{
    use *u = &s->use[tn_value_root(value)->number];
    if (u->row != s->row) *u = (use){.all = u->all, .row = s->row};
    return u;
}

/* Samples of the value are samples of its storage. */
static int is_all(tn_value *value)
{
    return tn_value_root(value)->bytes == value->bytes && !tn_value_at(value);
}

/* An input that goes on with the samples. */
static int steps(const search *s, const tn_launch *l, uint32_t input)
{
    return !is_weight(l, input) && is_split(&l->operation.in[input], s->samples);
}

static int joins(const search *s, const tn_launch *l)
{
    if (!goes_by_samples(l, s->samples)) return 0;
    for (uint32_t i = 0; i < l->operation.desc.n_in; i++)
        if (use_of(s, l->in[i])->made && !(steps(s, l, i) && is_all(l->in[i]))) return 0;
    for (uint32_t i = 0; i < l->operation.desc.n_out; i++) {
        const tn_value *root = tn_value_root(l->out[i]);
        if (root->home != TN_IN_ARENA || root->lasts || !is_all(l->out[i])) return 0;
    }
    return 1;
}

static void take(const search *s, const tn_launch *l)
{
    for (uint32_t i = 0; i < l->operation.desc.n_in; i++) use_of(s, l->in[i])->here++;
    for (uint32_t i = 0; i < l->operation.desc.n_out; i++) {
        use *u = use_of(s, l->out[i]);
        u->here++, u->made = 1;
    }
}

/* Whether a launch that is no part of the row may come before it. */
static int goes_first(const search *s, const tn_launch *l)
{
    if (l->place || l->transfer || l->crosses || l->packs) return 0;
    for (uint32_t i = 0; i < l->operation.desc.n_in; i++)
        if (use_of(s, l->in[i])->made) return 0;
    for (uint32_t i = 0; i < l->operation.desc.n_out; i++) {
        const tn_value *root = tn_value_root(l->out[i]);
        if (root->home != TN_IN_ARENA || root->bytes > SMALL) return 0;
    }
    return 1;
}

/* The row becomes as long as it can be. */
static void extend(search *s)
{
    tn_launch **launch = s->ir->launch;
    for (; s->end < s->ir->launches; s->end++) {
        tn_launch *l = launch[s->end];
        if (joins(s, l)) {
            take(s, l);
            continue;
        }
        if (!goes_first(s, l)) break;
        for (uint32_t i = s->end; i > s->first; i--) launch[i] = launch[i - 1];
        launch[s->first++] = l;
    }
}

/* ---- whether it pays ---- */

/* Nobody else sees it. */
static int is_inside(const search *s, tn_value *value)
{
    const tn_value *root = tn_value_root(value);
    const use *u = use_of(s, value);
    return u->made && u->here == u->all && !root->kept;
}

/* Whether nearly all that the row makes is inside. Where a gradient asks for it later, all of it goes to memory
 * anyway, and rounds gain nothing. */
static int is_nearly_inside(const search *s)
{
    uint64_t inside = 0, outside = 0;
    for (uint32_t i = s->first; i < s->end; i++)
        for (uint32_t k = 0; k < s->ir->launch[i]->operation.desc.n_out; k++) {
            tn_value *value = s->ir->launch[i]->out[k];
            *(is_inside(s, value) ? &inside : &outside) += value->bytes;
        }
    return inside / NEARLY > outside;
}

/* Bytes of a sample that a launch reads and writes. */
static uint64_t touched(const search *s, const tn_launch *l)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < l->operation.desc.n_in; i++) bytes += steps(s, l, i) ? l->in[i]->bytes : 0;
    for (uint32_t i = 0; i < l->operation.desc.n_out; i++) bytes += l->out[i]->bytes;
    return bytes / (uint64_t)s->samples;
}

/* By the launch that touches most. */
static uint64_t most_touched(const search *s)
{
    uint64_t most = 1;
    for (uint32_t i = s->first; i < s->end; i++) {
        const uint64_t bytes = touched(s, s->ir->launch[i]);
        if (bytes > most) most = bytes;
    }
    return most;
}

static int64_t times(int64_t all, int64_t each)
{
    return (all + each - 1) / each;
}

/* For each unit `each`, or fewer, or up to twice as many, so that it makes the fewest in all rounds; 0: it would make
 * many more than of a whole batch. */
static int64_t choose_together(int64_t samples, int64_t units, int64_t each)
{
    const int64_t whole = times(samples, units);
    int64_t best = 0, most = whole + whole / FEW + 1;
    for (int64_t i = 0; i < 2 * each; i++) {
        const int64_t n = i < each ? each - i : i + 1, made = n * times(samples, n * units);
        if (n < LEAST || 2 * n * units > samples || made >= most) continue;
        best = n * units, most = made;
    }
    return best;
}

/* How many samples go together: what a unit has of them takes half of what stays near it, if that holds two. 0: all,
 * as they are near anyway. */
static int64_t together_of(const search *s)
{
    const uint64_t most = most_touched(s), near = s->target->near, units = s->target->units;
    const uint64_t each = near / 2 / most;
    if (most <= near * units / (uint64_t)s->samples || !is_nearly_inside(s)) return 0;
    return choose_together(s->samples, (int64_t)units, each > LEAST ? (int64_t)each : LEAST);
}

/* ---- what becomes of it ---- */

/* Describes the row's launches with `to` samples for each `from` of them. */
static void scale(const search *s, int64_t from, int64_t to)
{
    for (uint32_t i = s->first; i < s->end; i++) {
        tn_launch *l = s->ir->launch[i];
        tn_operation *o = &l->operation;
        for (uint32_t k = 0; k < o->desc.n_in; k++)
            if (!is_weight(l, k)) o->in[k].dim[0] = o->in[k].dim[0] / from * to;
        for (uint32_t k = 0; k < o->desc.n_out; k++) o->out[k].dim[0] = o->out[k].dim[0] / from * to;
    }
}

static int is_supported(const search *s)
{
    for (uint32_t i = s->first; i < s->end; i++) {
        const tn_launch *l = s->ir->launch[i];
        if (!s->target->supports(s->target->self, 0, &l->operation.desc, &l->origin)) return 0;
    }
    return 1;
}

/* Which operands go on, but for what is inside: that is made and used up in the same place in each round. */
static void set_moves(const search *s, tn_launch *l)
{
    l->moves = l->moves_out = 0;
    for (uint32_t i = 0; i < l->operation.desc.n_in; i++)
        if (steps(s, l, i) && !is_inside(s, l->in[i])) l->moves |= 1u << i;
    for (uint32_t i = 0; i < l->operation.desc.n_out; i++)
        if (!is_inside(s, l->out[i])) l->moves_out |= 1u << i;
}

static void make_small(const search *s, int64_t together)
{
    for (uint32_t i = 0; i < s->ir->values; i++) {
        tn_value *value = s->ir->value[i], *root = tn_value_root(value);
        if (!is_inside(s, value)) continue;
        root->inside = 1;
        value->bytes = value->bytes / (uint64_t)s->samples * (uint64_t)together;
    }
}

static tn_status divide(const search *s)
{
    const int64_t together = together_of(s);
    if (!together) return TN_OK;
    tn_depth *depth = tn_region_alloc(&s->ir->region, sizeof *depth);
    if (!depth) return TN_ENOMEM;
    *depth = (tn_depth){.first = s->first,
                        .last = s->end - 1,
                        .rounds = (uint32_t)times(s->samples, together),
                        .samples = s->samples,
                        .together = together};
    for (uint32_t i = s->first; i < s->end; i++) set_moves(s, s->ir->launch[i]);
    scale(s, s->samples, together);
    const int supported = is_supported(s);
    if (!supported) scale(s, together, s->samples);
    for (uint32_t i = s->first; i < s->end && supported; i++) s->ir->launch[i]->depth = depth;
    if (supported) make_small(s, together);
    return TN_OK;
}

static void count_uses(const search *s)
{
    for (uint32_t i = 0; i < s->ir->launches; i++) {
        const tn_launch *l = s->ir->launch[i];
        for (uint32_t k = 0; k < l->operation.desc.n_in; k++) s->use[tn_value_root(l->in[k])->number].all++;
        for (uint32_t k = 0; k < l->operation.desc.n_out; k++) s->use[tn_value_root(l->out[k])->number].all++;
    }
}

tn_status tn_find_depths(const tn_target *target, tn_ir *ir)
{
    search s = {.target = target, .ir = ir};
    if (!target->near) return TN_OK;
    s.use = tn_region_alloc(&ir->region, (ir->values + 1) * sizeof *s.use);
    if (!s.use) return TN_ENOMEM;
    count_uses(&s);
    for (uint32_t i = 0, convolution = 0; i < ir->launches; i++) {
        if (convolution < i) convolution = i;
        while (convolution < ir->launches && batch_of(ir->launch[convolution]) < 2) convolution++;
        if (convolution == ir->launches) break;
        s.samples = batch_of(ir->launch[convolution]);
        s.first = s.end = i;
        s.row++;
        if (!joins(&s, ir->launch[i])) continue;
        extend(&s);
        TN_TRY(divide(&s));
        i = s.end - 1;
    }
    return TN_OK;
}

/* ---- the order of running ---- */

uint32_t tn_launch_rounds(const tn_launch *launch)
{
    return launch->depth ? launch->depth->rounds : 1;
}

uint64_t tn_in_step(const tn_launch *l, uint32_t input)
{
    return l->depth && l->moves >> input & 1 ? l->in[input]->bytes / (uint64_t)l->depth->samples : 0;
}

uint64_t tn_out_step(const tn_launch *l, uint32_t output)
{
    return l->depth && l->moves_out >> output & 1 ? l->out[output]->bytes / (uint64_t)l->depth->samples : 0;
}

tn_turn tn_turn_after(const tn_ir *ir, tn_turn turn)
{
    const tn_depth *depth = ir->launch[turn.launch]->depth;
    if (!depth) return (tn_turn){turn.launch + 1, 0};
    if (turn.launch < depth->last) return (tn_turn){turn.launch + 1, turn.round};
    return turn.round + 1 < depth->rounds ? (tn_turn){depth->first, turn.round + 1} : (tn_turn){depth->last + 1, 0};
}

int64_t tn_turn_sample(const tn_ir *ir, tn_turn turn)
{
    const tn_depth *depth = ir->launch[turn.launch]->depth;
    if (!depth) return 0;
    const int64_t first = turn.round * depth->together, last = depth->samples - depth->together;
    return first < last ? first : last;
}
