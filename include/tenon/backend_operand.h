/* backend_operand.h: the operands of an operator: are they right, alone and together? A part of backend_check.h, which
 * is what one includes. */
#ifndef TENON_BACKEND_OPERAND_H
#define TENON_BACKEND_OPERAND_H

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tenon/backend.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- what a check tells ------------------------------------------------------------------------------------------ */

/* A map's program where it stands: in a map, as the producer of a reduce, or as an epilogue. */
typedef struct tn_mapping {
    const tn_map_attrs *map;  /* NULL: there is none */
    const tn_tensor_desc *in; /* the operands that are its values from number `given` on */
    uint32_t given;           /* 1: value 0 is the result that an epilogue begins with; else 0 */
    int32_t given_dtype;      /* the type of that value */
    int32_t rank;             /* the iteration space */
    const int64_t *dim;
} tn_mapping;

/* Sizes by their letters in the operator's form; 0 where the form lacks it. Of a matmul (b, m, k) (b, k, n); of a
 * concat n is the output's. No padding: size number i is letter 'a' + i. */
typedef struct tn_sizes {
    int64_t a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z;
} tn_sizes;

/* What a backend takes besides what every one that knows an operator does: flags. */
#define TN_TAKES_CHANNELS_LAST 1u /* facts->size has sizes by the same names; facts->channels_last says so */
#define TN_TAKES_STORED        2u /* operands of letter T or F in any types that are computed as one: facts->dtype */

/* Pointers point into the description. */
typedef struct tn_op_facts {
    tn_sizes size;
    tn_mapping mapping;     /* map, reduce, matmul, conv2d */
    int64_t a_step, b_step; /* matmul: elements from one batch to the next; 0: the same for all */
    int64_t reach[2];       /* convolutions: rows and columns that the windows cover, padding included; 0: no window */
    int32_t dtype;          /* of the operands of type t or f; of a matmul the product's, of a reduce what is folded;
                               of a layer_norm, and with TN_TAKES_STORED of T or F, in which they are computed */
    int32_t gives_place;    /* reduce: argmax or argmin */
    uint32_t seen;          /* bit i: size number i is set */
    uint32_t channels_last; /* convolutions and pooling: of all images */
    uint32_t takes;         /* what the backend takes besides: TN_TAKES_... */
} tn_op_facts;

/* The type in which elements of a type are computed: u8 and i8 as i32, f16 and bf16 as f32. 0: an unknown type. */
static inline int32_t tn_value_dtype(int32_t dtype)
{
    switch (dtype) {
#define X(NAME, name, bytes, VALUE, unit, smallest, largest, infinity)                                                 \
    case TN_##NAME:                                                                                                    \
        return TN_##VALUE;
#include "tenon/dtype.def"
#undef X
    }
    return 0;
}

/* ---- helpers ---------------------------------------------------------------------------------------------------- */

/* Writes the line, if there is room, and returns `status`. */
#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
static inline int32_t
tn_refuse(tn_msg *msg, int32_t status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (msg && msg->text && msg->capacity) vsnprintf(msg->text, (size_t)msg->capacity, format, args);
    va_end(args);
    return status;
}

#define TN_MOST_ELEMENTS ((int64_t)1 << 48) /* of a tensor, sizes of 0 left out: room for factors in 64 bits */

/* *count times a size, but for a size of 0. 0: it would be too large. */
static inline int tn_count_by(int64_t *count, int64_t size)
{
    if (size > 0 && *count > TN_MOST_ELEMENTS / size) return 0;
    if (size > 0) *count *= size;
    return 1;
}

/* The last dimension whose stride is not row-major, or -1. With `broadcast` a stride may be 0 instead, and counts as if
 * the dimension had size 1. */
static inline int32_t tn_desc_loose(const tn_tensor_desc *x, int broadcast)
{
    int64_t stride = 1;
    for (int32_t d = 0; d < x->rank; d++)
        if (!x->dim[d]) return -1;
    for (int32_t d = x->rank - 1; d >= 0; d--) {
        if (x->dim[d] == 1 || (broadcast && !x->stride[d])) continue;
        if (x->stride[d] != stride) return d;
        stride *= x->dim[d];
    }
    return -1;
}

/* Bytes from an operand's first element to the end of its last: what a run touches. */
static inline uint64_t tn_desc_extent(const tn_tensor_desc *x)
{
    int64_t last = 0;
    if (!tn_desc_count(x)) return 0;
    for (int32_t d = 0; d < x->rank; d++)
        if (x->dim[d] > 1) last += (x->dim[d] - 1) * x->stride[d];
    return (uint64_t)(last + 1) * tn_dtype_size(x->dtype);
}

/* Operand number i: the inputs, then the outputs. */
static inline const tn_tensor_desc *tn_operand(const tn_op_desc *desc, uint32_t i)
{
    return i < desc->n_in ? &desc->in[i] : &desc->out[i - desc->n_in];
}

/* "matmul: input 1 has rank 2" */
static inline int32_t tn_refuse_operand(const tn_op_desc *desc, uint32_t i, int32_t status, const char *what,
                                        int64_t number, tn_msg *msg)
{
    const int is_in = i < desc->n_in;
    return tn_refuse(msg, status, "%s: %s %u has %s %lld", desc->name, is_in ? "input" : "output",
                     is_in ? i : i - desc->n_in, what, (long long)number);
}

/* ---- descriptions and operands ---------------------------------------------------------------------------------- */

/* Type, rank, sizes, and strides that lead nowhere far. */
static inline int32_t tn_check_operand(const tn_op_desc *desc, uint32_t i, tn_msg *msg)
{
    const tn_tensor_desc *x = tn_operand(desc, i);
    int64_t count = 1;
    if (!tn_dtype_size(x->dtype)) return tn_refuse_operand(desc, i, TN_EUNSUPPORTED, "the unknown type", x->dtype, msg);
    if (x->rank < 0 || x->rank > TN_MAX_RANK) return tn_refuse_operand(desc, i, TN_ESHAPE, "rank", x->rank, msg);
    for (int32_t d = 0; d < x->rank; d++) {
        if (x->dim[d] < 0 || !tn_count_by(&count, x->dim[d]))
            return tn_refuse_operand(desc, i, TN_ESHAPE, "a dimension of size", x->dim[d], msg);
        if (x->dim[d] > 1 && (x->stride[d] < 0 || x->stride[d] > TN_MOST_ELEMENTS / x->dim[d]))
            return tn_refuse_operand(desc, i, TN_EUNSUPPORTED, "stride", x->stride[d], msg);
    }
    return TN_OK;
}

/* The description itself, and each operand alone. */
static inline int32_t tn_check_desc(const tn_op_desc *desc, tn_msg *msg)
{
    int32_t s = TN_OK;
    if (!desc || !TN_HAS(tn_op_desc, desc, alias) || !desc->name)
        return tn_refuse(msg, TN_EINVAL, "the description of an operator is incomplete");
    if (!tn_attrs_known(desc, offsetof(tn_op_desc, precision)))
        return tn_refuse(msg, TN_EUNSUPPORTED, "%s: a precision, or a description of a later version", desc->name);
    if ((desc->n_in && !desc->in) || !desc->n_out || !desc->out)
        return tn_refuse(msg, TN_EINVAL, "%s: operands are missing", desc->name);
    if (desc->n_in > TN_MAX_OPERANDS || desc->n_out > TN_MAX_OPERANDS)
        return tn_refuse(msg, TN_EUNSUPPORTED, "%s: %u inputs and %u outputs", desc->name, desc->n_in, desc->n_out);
    for (uint32_t i = 0; i < desc->n_in + desc->n_out && !s; i++) s = tn_check_operand(desc, i, msg);
    for (uint32_t k = 0; k < desc->n_out && desc->alias && !s; k++)
        if (desc->alias[k] < -1 || desc->alias[k] >= (int32_t)desc->n_in)
            s = tn_refuse(msg, TN_EINVAL, "%s: output %u overwrites input %d of %u", desc->name, k, desc->alias[k],
                          desc->n_in);
    return s;
}

/* For a backend that knows levels of precision: `plain` becomes the description without its level, as tn_check_op and
 * all that ask for none take it, and *level what is to be done. */
static inline int32_t tn_take_precision(const tn_op_desc *desc, tn_op_desc *plain, uint32_t *level, tn_msg *msg)
{
    const uint64_t known = offsetof(tn_op_desc, keeps);
    memset(plain, 0, sizeof *plain);
    if (!desc || !TN_HAS(tn_op_desc, desc, alias) || !desc->name)
        return tn_refuse(msg, TN_EINVAL, "the description of an operator is incomplete");
    if (!tn_attrs_known(desc, known))
        return tn_refuse(msg, TN_EUNSUPPORTED, "%s: a description of a later version", desc->name);
    memcpy(plain, desc, desc->size < known ? desc->size : known);
    plain->size = sizeof *plain;
    *level = plain->precision, plain->precision = TN_PRECISION_F32;
    if (*level <= TN_PRECISION_BF16) return TN_OK;
    return tn_refuse(msg, TN_EUNSUPPORTED, "%s: precision %u", desc->name, *level);
}

/* Likewise for one that can keep what it makes of input 1: the description without that wish, and whether it was there.
 * To be called first. */
static inline int32_t tn_take_keeps(const tn_op_desc *desc, tn_op_desc *plain, uint32_t *keeps, tn_msg *msg)
{
    memset(plain, 0, sizeof *plain);
    if (!desc || !TN_HAS(tn_op_desc, desc, alias) || !desc->name)
        return tn_refuse(msg, TN_EINVAL, "the description of an operator is incomplete");
    if (!tn_attrs_known(desc, sizeof *plain))
        return tn_refuse(msg, TN_EUNSUPPORTED, "%s: a description of a later version", desc->name);
    memcpy(plain, desc, desc->size < sizeof *plain ? desc->size : sizeof *plain);
    plain->size = sizeof *plain;
    *keeps = plain->keeps, plain->keeps = 0;
    if (*keeps <= 1 && (!*keeps || plain->n_in > 1)) return TN_OK;
    return tn_refuse(msg, TN_EUNSUPPORTED, "%s: keeps %u of %u inputs", desc->name, *keeps, plain->n_in);
}

/* For a kernel that can't write in place. */
static inline int32_t tn_check_not_in_place(const tn_op_desc *desc, tn_msg *msg)
{
    for (uint32_t k = 0; k < desc->n_out && desc->alias; k++)
        if (desc->alias[k] >= 0) return tn_refuse(msg, TN_EUNSUPPORTED, "%s: not in place", desc->name);
    return TN_OK;
}

/* The first `known` bytes are there, and zeros beyond. */
static inline int32_t tn_check_attrs(const tn_op_desc *desc, const void *attrs, uint64_t known, tn_msg *msg)
{
    if (!attrs || *(const uint64_t *)attrs < known)
        return tn_refuse(msg, TN_EINVAL, "%s: attributes are missing", desc->name);
    if (!tn_attrs_known(attrs, known))
        return tn_refuse(msg, TN_EUNSUPPORTED, "%s: attributes of a later version", desc->name);
    return TN_OK;
}

/* A field that must be within least..most; beyond may mean something one day. */
static inline int32_t tn_check_field(const tn_op_desc *desc, const char *field, int64_t value, int64_t least,
                                     int64_t most, tn_msg *msg)
{
    if (value >= least && value <= most) return TN_OK;
    return tn_refuse(msg, TN_EUNSUPPORTED, "%s: %s is %lld", desc->name, field, (long long)value);
}

/* Yes or no. */
static inline int32_t tn_check_flag(const tn_op_desc *desc, const char *field, uint32_t value, tn_msg *msg)
{
    return tn_check_field(desc, field, value, 0, 1, msg);
}

/* Row-major or, with `broadcast`, that but for strides of 0. */
static inline int32_t tn_check_stride(const tn_op_desc *desc, uint32_t i, int broadcast, tn_msg *msg)
{
    const int32_t d = tn_desc_loose(tn_operand(desc, i), broadcast);
    return d < 0 ? TN_OK : tn_refuse_operand(desc, i, TN_EUNSUPPORTED, "stride", tn_operand(desc, i)->stride[d], msg);
}

/* Sizes that do not fit each other. */
static inline int32_t tn_check_fit(const tn_op_desc *desc, int fits, const char *what, tn_msg *msg)
{
    return fits ? (int32_t)TN_OK : tn_refuse(msg, TN_ESHAPE, "%s: %s", desc->name, what);
}

/* ---- forms ------------------------------------------------------------------------------------------------------ */

/* The sizes of operand i by `n` letters of a form. */
static inline int32_t tn_check_letters(const tn_op_desc *desc, uint32_t i, const char *letters, int32_t n,
                                       tn_op_facts *facts, tn_msg *msg)
{
    const tn_tensor_desc *x = tn_operand(desc, i);
    if (x->rank != n) return tn_refuse_operand(desc, i, TN_ESHAPE, "rank", x->rank, msg);
    for (int32_t d = 0; d < n; d++) {
        const int number = letters[d] - 'a';
        int64_t *size = (int64_t *)(void *)&facts->size + number;
        if (facts->seen >> number & 1 && *size != x->dim[d])
            return tn_refuse(msg, TN_ESHAPE, "%s: %s %u has %lld where size %c is %lld", desc->name,
                             i < desc->n_in ? "input" : "output", i < desc->n_in ? i : i - desc->n_in,
                             (long long)x->dim[d], letters[d], (long long)*size);
        facts->seen |= 1u << number;
        *size = x->dim[d];
    }
    return TN_OK;
}

/* The same, of an operand that is dense. */
static inline int32_t tn_check_sizes(const tn_op_desc *desc, uint32_t i, const char *letters, int32_t n,
                                     tn_op_facts *facts, tn_msg *msg)
{
    int32_t s = tn_check_letters(desc, i, letters, n, facts, msg);
    return s ? s : tn_check_stride(desc, i, 0, msg);
}

/* Element types: those of letter t or f are the same; those of T or F too, or, where the backend takes that, computed
 * as the same. The first sets facts->dtype. */
static inline int32_t tn_check_type(const tn_op_desc *desc, uint32_t i, char type, tn_op_facts *facts, tn_msg *msg)
{
    const int32_t stored = tn_operand(desc, i)->dtype, value = tn_value_dtype(stored);
    const int may_mix = type == 'T' || type == 'F';
    const int32_t dtype = may_mix && facts->takes & TN_TAKES_STORED ? value : stored;
    if ((type == 'f' || type == 'F') && value == TN_I32)
        return tn_refuse_operand(desc, i, TN_EUNSUPPORTED, "the type", stored, msg);
    if (type != 'i' && !facts->dtype) facts->dtype = dtype;
    if (dtype == (type == 'i' ? TN_I32 : facts->dtype)) return TN_OK;
    return tn_refuse_operand(desc, i, may_mix && value == tn_value_dtype(facts->dtype) ? TN_EUNSUPPORTED : TN_EDTYPE,
                             "the type", stored, msg);
}

/* All operands by a form; "t:*" is of any rank, the same for all, and "..." leaves out those that follow. */
static inline int32_t tn_check_form(const tn_op_desc *desc, const char *form, tn_op_facts *facts, tn_msg *msg)
{
    const uint32_t all = desc->n_in + desc->n_out;
    uint32_t i = 0;
    int32_t s = TN_OK;
    for (; *form && *form != '.' && i < all && !s; i++) {
        const int32_t rank = tn_operand(desc, i)->rank, letters = (int32_t)strcspn(form + 2, " ");
        if (form[2] != '*')
            s = tn_check_sizes(desc, i, form + 2, letters, facts, msg);
        else if (rank != desc->out[0].rank)
            s = tn_refuse_operand(desc, i, TN_ESHAPE, "rank", rank, msg);
        else
            s = tn_check_stride(desc, i, 0, msg);
        if (!s) s = tn_check_type(desc, i, *form, facts, msg);
        form += 2 + letters;
        form += *form == ' ';
    }
    if (s || *form == '.' || (!*form && i == all && desc->n_out == 1)) return s;
    return tn_refuse(msg, TN_EINVAL, "%s: %u inputs and %u outputs", desc->name, desc->n_in, desc->n_out);
}

#ifdef __cplusplus
}
#endif
#endif
