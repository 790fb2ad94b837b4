/* backend_check.h: is the description of an operator right? For those who implement backend.h: the reference and the
 * backends of this project use it, and so may yours. It allocates nothing, prints nothing, and can be called by any
 * thread. op_prepare begins with
 *
 *     tn_op_facts facts;
 *     int32_t status = tn_check_op(desc, &facts, msg);
 *     if (status) return status;
 *
 * From there on all of backend.h's rules hold for `desc`: counts, shapes, strides, attributes, programs, `alias`;
 * products of sizes do not overflow; nothing is beyond the limits of backend.h; and `facts` has what a kernel is made
 * from. What is left to the backend is what its device can do: element types, ranks, narrower limits, and writing in
 * place (tn_check_not_in_place).
 *
 * Answers. TN_EUNSUPPORTED is for what a later version may allow: an unknown name, type or attribute, a layout that is
 * not dense, an operator on a type for which it has no meaning yet. TN_EINVAL, TN_ESHAPE and TN_EDTYPE are for what
 * contradicts itself. The line in `msg` names the operator, the operand and the numbers.
 *
 * The forms of the operators are in the table near the end, as "f:bchw f:bcpq": an operand each, inputs before outputs,
 * with its type and the letters of its sizes. Equal letters are equal sizes, and facts.size has them by these names.
 * Types: i is i32; t any type, and f any but i32, u8 and i8, the same for all operands of an operator. T and F
 * likewise, but with TN_TAKES_STORED they may differ where they are computed alike, as bf16 is in f32. */
#ifndef TENON_BACKEND_CHECK_H
#define TENON_BACKEND_CHECK_H

#include "tenon/backend_map.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the operators' own rules ----------------------------------------------------------------------------------- */

/* All operands have one shape, each output is a value of its type, and what it overwrites has the same places. */
static inline int32_t tn_check_map(const tn_op_desc *desc, tn_op_facts *facts, tn_msg *msg)
{
    const tn_map_attrs *map = (const tn_map_attrs *)desc->attrs;
    const tn_mapping mapping = {map, desc->in, 0, 0, desc->out[0].rank, desc->out[0].dim};
    int32_t s = tn_check_program(desc, &mapping, 0, desc->n_out, facts, msg);
    for (uint32_t k = 0; k < desc->n_out && !s; k++) {
        const int32_t over = desc->alias ? desc->alias[k] : -1;
        s = tn_check_in_space(desc, &facts->mapping, desc->n_in + k, msg);
        if (!s) s = tn_check_store(desc, k, tn_mapping_dtype(&facts->mapping, map->out[k]), msg);
        if (!s && over >= 0 &&
            (tn_desc_loose(&desc->in[over], 0) >= 0 ||
             tn_dtype_size(desc->in[over].dtype) != tn_dtype_size(desc->out[k].dtype)))
            s = tn_refuse(msg, TN_EUNSUPPORTED, "map: output %u in the place of input %d", k, over);
    }
    return s;
}

/* A kind of reduction: a row of reduce.def. */
typedef struct tn_reduction {
    const char *kind;
    int32_t gives_place, needs_elements, whole; /* whole: of integers too */
} tn_reduction;

/* Constant and valid for ever, or NULL. */
static inline const tn_reduction *tn_reduction_find(const char *kind)
{
    static const tn_reduction kinds[] = {
#define X(NAME, name, gives_place, needs_elements, whole) {#name, gives_place, needs_elements, whole},
#include "tenon/reduce.def"
#undef X
    };
    for (size_t i = 0; kind && i < sizeof kinds / sizeof *kinds; i++)
        if (!strcmp(kind, kinds[i].kind)) return &kinds[i];
    return NULL;
}

/* The output has size 1 where the space is reduced; most kinds need something to reduce. */
static inline int32_t tn_check_reduced(const tn_op_desc *desc, const tn_reduce_attrs *at, const tn_reduction *kind,
                                       tn_msg *msg)
{
    const tn_tensor_desc *y = &desc->out[0];
    int64_t count = 1;
    if (at->rank > TN_MAX_RANK || at->axes >> at->rank || y->rank != (int32_t)at->rank)
        return tn_refuse(msg, TN_ESHAPE, "reduce: axes %#x of %u dimensions into %d", at->axes, at->rank, y->rank);
    for (uint32_t d = 0; d < at->rank; d++) {
        const int reduced = (int)(at->axes >> d & 1);
        if (at->dim[d] < 0 || !tn_count_by(&count, at->dim[d]) || y->dim[d] != (reduced ? 1 : at->dim[d]))
            return tn_refuse(msg, TN_ESHAPE, "reduce: size %lld of dimension %u becomes %lld", (long long)at->dim[d], d,
                             (long long)y->dim[d]);
        if (reduced && !at->dim[d] && kind->needs_elements)
            return tn_refuse(msg, TN_EUNSUPPORTED, "reduce: %s of no elements", at->kind);
    }
    return tn_check_stride(desc, desc->n_in, 0, msg);
}

/* The map gives one value, and the output is of its type or, for argmax and argmin, i32. */
static inline int32_t tn_check_reduce(const tn_op_desc *desc, tn_op_facts *facts, tn_msg *msg)
{
    const tn_reduce_attrs *at = (const tn_reduce_attrs *)desc->attrs;
    const tn_mapping mapping = {at->map, desc->in, 0, 0, (int32_t)at->rank, at->dim};
    const tn_reduction *kind = tn_reduction_find(at->kind);
    if (!kind) return tn_refuse(msg, TN_EUNSUPPORTED, "reduce: unknown kind '%s'", at->kind ? at->kind : "");
    int32_t s = tn_check_field(desc, "n_out", desc->n_out, 1, 1, msg);
    if (!s) s = tn_check_reduced(desc, at, kind, msg);
    if (!s) s = tn_check_program(desc, &mapping, 0, 1, facts, msg);
    if (s) return s;
    facts->gives_place = kind->gives_place;
    facts->dtype = tn_mapping_dtype(&facts->mapping, at->map->out[0]);
    if (facts->dtype == TN_I32 && !kind->whole)
        return tn_refuse(msg, TN_EUNSUPPORTED, "reduce: %s of integers", at->kind);
    return tn_check_store(desc, 0, kind->gives_place ? TN_I32 : facts->dtype, msg);
}

/* a or b: dense, but for the batch, whose stride may be 0. */
static inline int32_t tn_check_factor(const tn_op_desc *desc, uint32_t i, const char *letters, tn_op_facts *facts,
                                      int64_t *step, tn_msg *msg)
{
    const tn_tensor_desc *x = &desc->in[i];
    tn_tensor_desc one = *x;
    int32_t s = tn_check_letters(desc, i, letters, 3, facts, msg);
    if (s) return s;
    if (!x->stride[0]) one.dim[0] = 1;
    const int32_t loose = tn_desc_loose(&one, 0), dtype = tn_value_dtype(x->dtype);
    if (loose >= 0) return tn_refuse_operand(desc, i, TN_EUNSUPPORTED, "stride", x->stride[loose], msg);
    if (dtype == TN_I32 || (i && dtype != facts->dtype))
        return tn_refuse_operand(desc, i, TN_EUNSUPPORTED, "the type", x->dtype, msg);
    facts->dtype = dtype;
    *step = x->dim[0] > 1 && x->stride[0] ? x->dim[1] * x->dim[2] : 0;
    return TN_OK;
}

/* a and b by their transpositions, the product, the sums beside it, the epilogue. */
static inline int32_t tn_check_matmul(const tn_op_desc *desc, tn_op_facts *facts, tn_msg *msg)
{
    const tn_matmul_attrs *at = (const tn_matmul_attrs *)desc->attrs;
    int32_t s = tn_check_flag(desc, "trans_a", at->trans_a, msg);
    if (!s) s = tn_check_flag(desc, "trans_b", at->trans_b, msg);
    if (!s) s = tn_check_flag(desc, "sums", at->sums, msg);
    if (!s && (desc->n_in < 2 || desc->n_out != 1 + at->sums))
        s = tn_refuse(msg, TN_EINVAL, "matmul: %u inputs and %u outputs", desc->n_in, desc->n_out);
    if (!s) s = tn_check_factor(desc, 0, at->trans_a ? "bkm" : "bmk", facts, &facts->a_step, msg);
    if (!s) s = tn_check_factor(desc, 1, at->trans_b ? "bnk" : "bkn", facts, &facts->b_step, msg);
    if (!s) s = tn_check_sizes(desc, desc->n_in, "bmn", 3, facts, msg);
    if (!s && at->sums) s = tn_check_sizes(desc, desc->n_in + 1, "bm", 2, facts, msg);
    if (!s && at->sums) s = tn_check_type(desc, desc->n_in + 1, 'f', facts, msg);
    return s ? s : tn_check_epilogue(desc, at->epilogue, facts->dtype, facts, msg);
}

/* (o, n, j) each, of an n of its own. */
static inline int32_t tn_check_concat(const tn_op_desc *desc, tn_op_facts *facts, tn_msg *msg)
{
    const uint32_t all = desc->n_in + desc->n_out;
    int64_t n = 0;
    int32_t s = TN_OK;
    if (!desc->n_in || desc->n_out != 1)
        s = tn_refuse(msg, TN_EINVAL, "concat: %u inputs and %u outputs", desc->n_in, desc->n_out);
    for (uint32_t i = 0; i < all && !s; i++) {
        facts->seen &= ~(1u << ('n' - 'a')); /* n is each operand's own */
        s = tn_check_sizes(desc, i, "onj", 3, facts, msg);
        if (!s) s = tn_check_type(desc, i, 't', facts, msg);
        if (!s && i < desc->n_in && n <= TN_MOST_ELEMENTS) n += facts->size.n;
    }
    return s ? s : tn_check_fit(desc, n == facts->size.n, "the inputs do not add up to the output", msg);
}

/* No more rows than there are. */
static inline int32_t tn_check_window(const tn_op_desc *desc, tn_op_facts *facts, tn_msg *msg)
{
    const tn_window_attrs *at = (const tn_window_attrs *)desc->attrs;
    int32_t s = tn_check_field(desc, "the number of the scalar", at->scalar, 0, TN_MAX_SCALARS - 1, msg);
    return s ? s : tn_check_fit(desc, facts->size.m <= facts->size.n, "more rows than there are", msg);
}

/* Which way, and whether an element counts for itself. */
static inline int32_t tn_check_cumsum(const tn_op_desc *desc, tn_op_facts *facts, tn_msg *msg)
{
    const tn_cumsum_attrs *at = (const tn_cumsum_attrs *)desc->attrs;
    int32_t s = tn_check_flag(desc, "reverse", at->reverse, msg);
    (void)facts;
    return s ? s : tn_check_flag(desc, "exclusive", at->exclusive, msg);
}

/* No more elements than there are, and places that are i32. */
static inline int32_t tn_check_topk(const tn_op_desc *desc, tn_op_facts *facts, tn_msg *msg)
{
    const tn_topk_attrs *at = (const tn_topk_attrs *)desc->attrs;
    int32_t s = tn_check_flag(desc, "smallest", at->smallest, msg);
    if (!s) s = tn_check_field(desc, "n", facts->size.n, 0, INT32_MAX, msg);
    return s ? s : tn_check_fit(desc, facts->size.m <= facts->size.n, "more elements than there are", msg);
}

/* Places that are i32. */
static inline int32_t tn_check_searchsorted(const tn_op_desc *desc, tn_op_facts *facts, tn_msg *msg)
{
    const tn_searchsorted_attrs *at = (const tn_searchsorted_attrs *)desc->attrs;
    int32_t s = tn_check_flag(desc, "right", at->right, msg);
    return s ? s : tn_check_field(desc, "n", facts->size.n, 0, INT32_MAX, msg);
}

/* A mask is dense but for strides of 0, which its last dimension has not. */
static inline int32_t tn_check_mask(const tn_op_desc *desc, uint32_t i, tn_op_facts *facts, tn_msg *msg)
{
    const tn_tensor_desc *x = &desc->in[i];
    int32_t s = tn_check_letters(desc, i, "ohnm", 4, facts, msg);
    if (!s) s = tn_check_stride(desc, i, 1, msg);
    if (!s && x->dim[3] > 1 && !x->stride[3])
        s = tn_refuse_operand(desc, i, TN_EUNSUPPORTED, "stride", x->stride[3], msg);
    return s ? s : tn_check_type(desc, i, x->dtype == TN_I32 ? 'i' : 'f', facts, msg);
}

/* The operands behind v, and the vector that comes out. */
static inline int32_t tn_check_attend_sizes(const tn_op_desc *desc, int grad, tn_op_facts *facts, tn_msg *msg)
{
    const tn_sizes *z = &facts->size;
    const uint32_t fixed = grad ? 5 : 3;
    if ((desc->n_in != fixed && desc->n_in != fixed + 1) || desc->n_out != 1)
        return tn_refuse(msg, TN_EINVAL, "%s: %u inputs and %u outputs", desc->name, desc->n_in, desc->n_out);
    int32_t s = grad ? tn_check_sizes(desc, 3, "s", 1, facts, msg) : (int32_t)TN_OK;
    if (!s && grad) s = tn_check_type(desc, 3, 'f', facts, msg);
    if (!s && grad) s = tn_check_sizes(desc, 4, "ohne", 4, facts, msg);
    if (!s && grad) s = tn_check_type(desc, 4, 'f', facts, msg);
    if (!s && desc->n_in > fixed) s = tn_check_mask(desc, fixed, facts, msg);
    if (!s) s = tn_check_sizes(desc, desc->n_in, "t", 1, facts, msg);
    if (!s) s = tn_check_type(desc, desc->n_in, 'f', facts, msg);
    if (s) return s;
    const int64_t rows = tn_desc_count(&desc->in[0]) / (z->d ? z->d : 1), both = grad ? z->s : z->t;
    const int64_t slopes = tn_desc_count(&desc->in[0]) + tn_desc_count(&desc->in[1]) + tn_desc_count(&desc->in[2]);
    const int fits =
        z->d > 0 && both % (z->e + 1) == 0 && both / (z->e + 1) == rows; /* whose product may be too large */
    return tn_check_fit(desc, fits && (!grad || z->t == slopes), "the vector of results has another size", msg);
}

/* Both: heads in groups, and the flag. */
static inline int32_t tn_check_attend(const tn_op_desc *desc, tn_op_facts *facts, tn_msg *msg)
{
    const tn_attend_attrs *at = (const tn_attend_attrs *)desc->attrs;
    const tn_sizes *z = &facts->size;
    int32_t s = tn_check_flag(desc, "causal", at->causal, msg);
    if (!s) s = tn_check_field(desc, "first", at->first, 0, INT32_MAX, msg);
    if (!s) s = tn_check_fit(desc, z->g > 0 && z->h % z->g == 0, "the groups do not divide the heads", msg);
    if (!s && !(at->scale - at->scale == 0))
        s = tn_refuse(msg, TN_EINVAL, "%s: a scale that is not finite", desc->name);
    return s ? s : tn_check_attend_sizes(desc, !strcmp(desc->name, "attend_grad"), facts, msg);
}

/* Dense, of those sizes, and stored as any type that is computed with as facts->dtype; the first sets that. */
static inline int32_t tn_check_stored(const tn_op_desc *desc, uint32_t i, const char *letters, tn_op_facts *facts,
                                      tn_msg *msg)
{
    const int32_t stored = tn_operand(desc, i)->dtype, dtype = tn_value_dtype(stored);
    int32_t s = tn_check_sizes(desc, i, letters, letters[1] ? 2 : 1, facts, msg);
    if (s) return s;
    if (dtype == TN_I32) return tn_refuse_operand(desc, i, TN_EUNSUPPORTED, "the type", stored, msg);
    if (!facts->dtype) facts->dtype = dtype;
    return dtype == facts->dtype ? (int32_t)TN_OK : tn_refuse_operand(desc, i, TN_EDTYPE, "the type", stored, msg);
}

/* Both: rows, then what belongs to each of their places. */
static inline int32_t tn_check_layer_norm(const tn_op_desc *desc, tn_op_facts *facts, tn_msg *msg)
{
    const tn_layer_norm_attrs *at = (const tn_layer_norm_attrs *)desc->attrs;
    const int grad = !strcmp(desc->name, "layer_norm_grad");
    const uint32_t rows = grad ? 2 : 1;
    int32_t s = tn_check_flag(desc, "keep_mean", at->keep_mean, msg);
    if (!s && !(at->epsilon >= 0 && at->epsilon - at->epsilon == 0))
        s = tn_refuse(msg, TN_EINVAL, "%s: an epsilon that is not a finite number from 0 on", desc->name);
    if (!s && (desc->n_in < rows || desc->n_in > 3 || desc->n_out != 1))
        s = tn_refuse(msg, TN_EINVAL, "%s: %u inputs and %u outputs", desc->name, desc->n_in, desc->n_out);
    for (uint32_t i = 0; i < desc->n_in && !s; i++) s = tn_check_stored(desc, i, i < rows ? "mn" : "n", facts, msg);
    if (!s) s = tn_check_stored(desc, desc->n_in, grad ? "t" : "mn", facts, msg);
    if (s || !grad) return s;
    const int64_t n = facts->size.n, behind = desc->n_in < 3 ? 0 : at->keep_mean ? n : 2 * n;
    return tn_check_fit(desc, facts->size.t - behind == facts->size.m * n, "the vector of results has another size",
                        msg);
}

/* Each dimension once. */
static inline int32_t tn_check_transpose(const tn_op_desc *desc, tn_op_facts *facts, tn_msg *msg)
{
    const tn_transpose_attrs *at = (const tn_transpose_attrs *)desc->attrs;
    const tn_tensor_desc *x = desc->in, *y = desc->out;
    uint32_t seen = 0;
    (void)facts;
    for (int32_t d = 0; d < y->rank; d++) {
        const int32_t from = at->perm[d];
        if (from < 0 || from >= y->rank || seen >> from & 1 || y->dim[d] != x->dim[from])
            return tn_refuse(msg, TN_ESHAPE, "transpose: dimension %d can't be dimension %d of the input", d, from);
        seen |= 1u << from;
    }
    return TN_OK;
}

/* 1 if `small` elements start, start + step, ... lie within 0..large-1. */
static inline int tn_slice_fits(int64_t small, int64_t large, int64_t start, int64_t step)
{
    if (!step || small < 0) return 0;
    if (!small) return 1;
    if (start < 0 || start >= large) return 0;
    if (small == 1) return 1;
    return small - 1 <= (step > 0 ? (large - 1 - start) / step : -(start / step));
}

/* Slice and unslice: the operand with fewer elements is the output or the input. */
static inline int32_t tn_check_slice(const tn_op_desc *desc, tn_op_facts *facts, tn_msg *msg)
{
    const tn_slice_attrs *at = (const tn_slice_attrs *)desc->attrs;
    const int inverse = !strcmp(desc->name, "unslice");
    const tn_tensor_desc *small = inverse ? desc->in : desc->out, *large = inverse ? desc->out : desc->in;
    (void)facts;
    for (int32_t d = 0; d < large->rank; d++)
        if (!tn_slice_fits(small->dim[d], large->dim[d], at->start[d], at->step[d]))
            return tn_refuse(msg, TN_ESHAPE, "%s: %lld elements from %lld on by %lld leave dimension %d of %lld",
                             desc->name, (long long)small->dim[d], (long long)at->start[d], (long long)at->step[d], d,
                             (long long)large->dim[d]);
    return TN_OK;
}

/* Each of the two numbers of a window within least..INT32_MAX. */
static inline int32_t tn_check_pair(const tn_op_desc *desc, const char *field, const uint32_t *pair, int64_t least,
                                    tn_msg *msg)
{
    int32_t s = tn_check_field(desc, field, pair[0], least, INT32_MAX, msg);
    return s ? s : tn_check_field(desc, field, pair[1], least, INT32_MAX, msg);
}

/* What the windows cover is no larger than a tensor may be. */
static inline int32_t tn_check_reach(const tn_op_desc *desc, const tn_conv_attrs *at, tn_op_facts *facts, tn_msg *msg)
{
    const tn_sizes *z = &facts->size;
    const int64_t windows[2] = {z->p, z->q}, taps[2] = {z->r, z->s}, sizes[2] = {z->h, z->w};
    int64_t count = 1;
    int32_t s = TN_OK;
    for (int d = 0; d < 2 && !s; d++) {
        s = tn_check_field(desc, "a picture's size", sizes[d], 0, INT32_MAX, msg);
        if (!s) s = tn_check_field(desc, "the number of windows", windows[d], 0, INT32_MAX, msg);
        if (!s) s = tn_check_field(desc, "a window's size", taps[d], 0, INT32_MAX, msg);
        if (!s && windows[d] && taps[d])
            facts->reach[d] = (windows[d] - 1) * at->stride[d] + (taps[d] - 1) * at->dilation[d] + 1;
        if (!s) s = tn_check_field(desc, "the windows' reach", facts->reach[d], 0, INT32_MAX, msg);
    }
    if (s || (tn_count_by(&count, z->b) && tn_count_by(&count, z->c) && tn_count_by(&count, facts->reach[0]) &&
              tn_count_by(&count, facts->reach[1])))
        return s;
    return tn_refuse(msg, TN_EUNSUPPORTED, "%s: too many elements in all windows", desc->name);
}

/* All three. Sizes c and k are of all groups, g is the channels of one. */
static inline int32_t tn_check_conv(const tn_op_desc *desc, tn_op_facts *facts, tn_msg *msg)
{
    const tn_conv_attrs *at = (const tn_conv_attrs *)desc->attrs;
    const tn_sizes *z = &facts->size;
    const int forward = !strcmp(desc->name, "conv2d");
    int32_t s = tn_check_pair(desc, "a stride", at->stride, 1, msg);
    if (!s) s = tn_check_pair(desc, "a dilation", at->dilation, 1, msg);
    if (!s) s = tn_check_pair(desc, "the padding", at->pad, 0, msg);
    if (!s) s = tn_check_field(desc, "the number of groups", at->groups, 1, INT32_MAX, msg);
    if (!s && forward && (desc->n_in < 2 || desc->n_out != 1))
        s = tn_refuse(msg, TN_EINVAL, "conv2d: %u inputs and %u outputs", desc->n_in, desc->n_out);
    if (!s && forward) s = tn_check_sizes(desc, desc->n_in, at->channels_last ? "bpqk" : "bkpq", 4, facts, msg);
    if (!s)
        s = tn_check_fit(desc, z->k % at->groups == 0 && z->c % at->groups == 0 && z->c / at->groups == z->g,
                         "the groups do not fit the channels", msg);
    if (!s) s = tn_check_reach(desc, at, facts, msg);
    if (!s && !forward) return tn_check_field(desc, "an epilogue", at->epilogue != NULL, 0, 0, msg);
    return s ? s : tn_check_epilogue(desc, at->epilogue, tn_value_dtype(facts->dtype), facts, msg);
}

/* All four. */
static inline int32_t tn_check_pool(const tn_op_desc *desc, tn_op_facts *facts, tn_msg *msg)
{
    const tn_pool_attrs *at = (const tn_pool_attrs *)desc->attrs;
    const tn_sizes *z = &facts->size;
    const int64_t sizes[4] = {z->h, z->w, z->p, z->q};
    int32_t s = tn_check_pair(desc, "a window", at->window, 1, msg);
    if (!s) s = tn_check_pair(desc, "a stride", at->stride, 1, msg);
    if (!s) s = tn_check_pair(desc, "the padding", at->pad, 0, msg);
    if (!s) s = tn_check_flag(desc, "count_pad", at->count_pad, msg);
    for (int i = 0; i < 4 && !s; i++) s = tn_check_field(desc, "a picture's size", sizes[i], 0, INT32_MAX, msg);
    return s;
}

/* ---- all operators ---------------------------------------------------------------------------------------------- */

/* An operator: its operands, its attributes and, if one of them is reserved, where, or says that channels are last, its
 * operands then; and what else must hold. */
typedef struct tn_op_form {
    const char *name, *form;
    uint64_t attrs, reserved; /* bytes; 0: none */
    const char *last;
    int32_t (*check)(const tn_op_desc *desc, tn_op_facts *facts, tn_msg *msg);
} tn_op_form;

#define TN_FORM_NONE             0, 0, NULL
#define TN_FORM_ATTRS(type)      sizeof(type), 0, NULL
#define TN_FORM_RESERVED(type)   sizeof(type), offsetof(type, reserved), NULL
#define TN_FORM_LAST(type, last) sizeof(type), offsetof(type, channels_last), last

/* The row of that name, constant and valid for ever, or NULL. */
static inline const tn_op_form *tn_op_form_find(const char *name)
{
    static const tn_op_form forms[] = {
        {"map", "...", TN_FORM_ATTRS(tn_map_attrs), tn_check_map},
        {"reduce", "...", TN_FORM_ATTRS(tn_reduce_attrs), tn_check_reduce},
        {"matmul", "...", TN_FORM_RESERVED(tn_matmul_attrs), tn_check_matmul},
        {"softmax", "f:onj f:onj", TN_FORM_NONE, NULL},
        {"log_softmax", "f:onj f:onj", TN_FORM_NONE, NULL},
        {"transpose", "t:* t:*", TN_FORM_ATTRS(tn_transpose_attrs), tn_check_transpose},
        {"gather", "t:nd i:m t:md", TN_FORM_NONE, NULL},
        {"window", "t:nd t:md", TN_FORM_RESERVED(tn_window_attrs), tn_check_window},
        {"scatter_add", "i:m t:md t:nd", TN_FORM_NONE, NULL},
        {"slice", "t:* t:*", TN_FORM_ATTRS(tn_slice_attrs), tn_check_slice},
        {"unslice", "t:* t:*", TN_FORM_ATTRS(tn_slice_attrs), tn_check_slice},
        {"concat", "...", TN_FORM_NONE, tn_check_concat},
        {"cumsum", "t:onj t:onj", TN_FORM_ATTRS(tn_cumsum_attrs), tn_check_cumsum},
        {"topk", "t:onj i:omj", TN_FORM_RESERVED(tn_topk_attrs), tn_check_topk},
        {"searchsorted", "t:dn t:dm i:dm", TN_FORM_RESERVED(tn_searchsorted_attrs), tn_check_searchsorted},
        {"attend", "f:ohnd f:ogmd f:ogme ...", TN_FORM_RESERVED(tn_attend_attrs), tn_check_attend},
        {"attend_grad", "f:ohnd f:ogmd f:ogme ...", TN_FORM_RESERVED(tn_attend_attrs), tn_check_attend},
        {"layer_norm", "...", TN_FORM_RESERVED(tn_layer_norm_attrs), tn_check_layer_norm},
        {"layer_norm_grad", "...", TN_FORM_RESERVED(tn_layer_norm_attrs), tn_check_layer_norm},
        {"take", "t:onj i:omj t:omj", TN_FORM_NONE, NULL},
        {"put", "i:omj t:omj t:onj", TN_FORM_NONE, NULL},
        {"conv2d", "F:bchw F:kgrs ...", TN_FORM_LAST(tn_conv_attrs, "F:bhwc F:kgrs ..."), tn_check_conv},
        {"conv2d_data", "F:bkpq F:kgrs F:bchw", TN_FORM_LAST(tn_conv_attrs, "F:bpqk F:kgrs F:bhwc"), tn_check_conv},
        {"conv2d_weight", "F:bchw F:bkpq F:kgrs", TN_FORM_LAST(tn_conv_attrs, "F:bhwc F:bpqk F:kgrs"), tn_check_conv},
        {"maxpool2d", "T:bchw T:bcpq", TN_FORM_LAST(tn_pool_attrs, "T:bhwc T:bpqc"), tn_check_pool},
        {"maxpool2d_grad", "F:bchw F:bcpq F:bchw", TN_FORM_LAST(tn_pool_attrs, "F:bhwc F:bpqc F:bhwc"), tn_check_pool},
        {"avgpool2d", "F:bchw F:bcpq", TN_FORM_LAST(tn_pool_attrs, "F:bhwc F:bpqc"), tn_check_pool},
        {"avgpool2d_grad", "F:bcpq F:bchw", TN_FORM_LAST(tn_pool_attrs, "F:bpqc F:bhwc"), tn_check_pool},
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (!strcmp(name, forms[i].name)) return &forms[i];
    return NULL;
}

/* Of an option: whether it is a number from 0 on, in digits with or without a decimal point, which it is in every
 * language that the program may have set. *number is it then. */
static inline int tn_check_number(const char *text, double *number)
{
    double value = 0, unit = 0;
    int digits = 0;
    for (; *text; text++) {
        if (*text == '.' && unit == 0)
            unit = 1;
        else if (*text >= '0' && *text <= '9')
            value = 10 * value + (*text - '0'), unit *= 10, digits++;
        else
            return 0;
    }
    if (digits) *number = unit > 1 ? value / unit : value;
    return digits > 0;
}

/* The attribute where `reserved` is: of an operator that may have its channels last that is this one, a flag. */
static inline int32_t tn_check_reserved(const tn_op_desc *desc, const tn_op_form *op, tn_op_facts *facts, tn_msg *msg)
{
    const uint32_t value = *(const uint32_t *)(const void *)((const char *)desc->attrs + op->reserved);
    if (!op->last) return tn_check_field(desc, "reserved", value, 0, 0, msg);
    facts->channels_last = value;
    return facts->takes & TN_TAKES_CHANNELS_LAST ? tn_check_flag(desc, "channels_last", value, msg)
                                                 : tn_check_field(desc, "channels_last", value, 0, 0, msg);
}

/* All that backend.h asks of a description. `facts` are valid as long as it is. */
static inline int32_t tn_check_op_with(const tn_op_desc *desc, uint32_t takes, tn_op_facts *facts, tn_msg *msg)
{
    const char *attrs;
    int32_t s = tn_check_desc(desc, msg);
    if (s) return s;
    const tn_op_form *op = tn_op_form_find(desc->name);
    if (!op) return tn_refuse(msg, TN_EUNSUPPORTED, "no operator '%s'", desc->name);
    memset(facts, 0, sizeof *facts);
    facts->takes = takes;
    attrs = (const char *)desc->attrs;
    if (op->attrs || attrs) s = tn_check_attrs(desc, attrs, op->attrs ? op->attrs : sizeof(uint64_t), msg);
    if (!s && op->reserved) s = tn_check_reserved(desc, op, facts, msg);
    if (!s) s = tn_check_form(desc, facts->channels_last ? op->last : op->form, facts, msg);
    return s || !op->check ? s : op->check(desc, facts, msg);
}

/* The same of a backend that takes nothing besides. */
static inline int32_t tn_check_op(const tn_op_desc *desc, tn_op_facts *facts, tn_msg *msg)
{
    return tn_check_op_with(desc, 0, facts, msg);
}

#ifdef __cplusplus
}
#endif
#endif
