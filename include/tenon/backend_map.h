/* backend_map.h: the programs of maps: instructions by their names, the types of values, and whether a program is
 * right. A part of backend_check.h, which is what one includes. */
#ifndef TENON_BACKEND_MAP_H
#define TENON_BACKEND_MAP_H

#include "tenon/backend_operand.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- instructions ----------------------------------------------------------------------------------------------- */

/* Those that are no rows: TN_INSTR_CONST ... */
enum {
#define X(NAME, name, values, scalars, dims, whole, random, text) TN_INSTR_##NAME,
#include "tenon/instr.def"
#undef X
    TN_INSTRS
};

/* What such an instruction takes: a row of instr.def, where the columns are explained. */
typedef struct tn_special {
    const char *op;
    int32_t values, scalars, dims, whole, random;
    const char *text;
} tn_special;

/* By TN_INSTR_CONST ... */
static inline const tn_special *tn_special_at(int which)
{
    static const tn_special specials[] = {
#define X(NAME, name, values, scalars, dims, whole, random, text) {#name, values, scalars, dims, whole, random, text},
#include "tenon/instr.def"
#undef X
    };
    return &specials[which];
}

/* TN_INSTR_CONST ..., or -1. */
static inline int tn_special_find(const char *op)
{
    int which = TN_INSTRS - 1;
    while (which >= 0 && strcmp(op, tn_special_at(which)->op)) which--;
    return which;
}

/* 1 if the arguments of that instruction are values, not numbers of scalars or dimensions. */
static inline int tn_takes_values(const char *op)
{
    const int which = tn_special_find(op);
    return which < 0 || tn_special_at(which)->values;
}

/* 1 if it is uniform or normal. */
static inline int tn_is_random(const char *op)
{
    const int which = tn_special_find(op);
    return which >= 0 && tn_special_at(which)->random;
}

/* A row of unary.def or binary.def, or the gradient of one of its operands. */
typedef struct tn_formula {
    const char *op;     /* "add", "add.da" */
    const char *text;   /* the expression */
    const char *arg[4]; /* the names of its arguments, NULL beyond the last */
    int32_t whole;      /* holds for integers too */
    int32_t reserved;
} tn_formula;

/* The row of that name, constant and valid for ever, or NULL. */
static inline const tn_formula *tn_formula_find(const char *op)
{
#define TN_WHOLE_F  0
#define TN_WHOLE_FI 1
    static const tn_formula rows[] = {
#define X(name, y, dx, doc) {#name, #y, {"x", 0, 0, 0}, 0, 0}, {#name ".grad", #dx, {"x", "y", "dy", 0}, 0, 0},
#include "tenon/unary.def"
#undef X
#define X(name, types, y, da, db, doc)                                                                                 \
    {#name, #y, {"a", "b", 0, 0}, TN_WHOLE_##types, 0},                                                                \
        {#name ".da", #da, {"a", "b", "y", "dy"}, TN_WHOLE_##types, 0},                                                \
        {#name ".db", #db, {"a", "b", "y", "dy"}, TN_WHOLE_##types, 0},
#include "tenon/binary.def"
#undef X
    };
#undef TN_WHOLE_F
#undef TN_WHOLE_FI
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (*op == *rows[i].op && !strcmp(op, rows[i].op)) return &rows[i];
    return NULL;
}

/* 1 for what a name or a number is made of. */
static inline int tn_is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}

/* 1 if the row's text names argument i, which must then be there. */
static inline int tn_formula_names(const tn_formula *row, int i)
{
    const char *name = row->arg[i];
    const size_t n = name ? strlen(name) : 0;
    for (const char *at = row->text; n && (at = strstr(at, name)) != NULL; at++)
        if ((at == row->text || !tn_is_word(at[-1])) && !tn_is_word(at[n])) return 1;
    return 0;
}

/* ---- programs --------------------------------------------------------------------------------------------------- */

/* The type of value number `value`, which must be there. */
static inline int32_t tn_mapping_dtype(const tn_mapping *mapping, int32_t value)
{
    const int32_t n_in = (int32_t)mapping->map->n_in, given = (int32_t)mapping->given;
    if (value >= n_in) return mapping->map->instr[value - n_in].dtype;
    return value < given ? mapping->given_dtype : tn_value_dtype(mapping->in[value - given].dtype);
}

/* Argument k is one of `values` values, of that type; 0: of any. */
static inline int32_t tn_check_arg(const tn_op_desc *desc, const tn_mapping *p, const tn_map_instr *instr, int k,
                                   int32_t values, int32_t dtype, tn_msg *msg)
{
    const int32_t arg = instr->arg[k];
    if (arg < 0 || arg >= values)
        return tn_refuse(msg, TN_EINVAL, "%s: argument %d of '%s' is %d", desc->name, k, instr->op, arg);
    if (!dtype || tn_mapping_dtype(p, arg) == dtype) return TN_OK;
    return tn_refuse(msg, TN_EDTYPE, "%s: argument %d of '%s' is not of the result's type", desc->name, k, instr->op);
}

/* One that is no row; `which` is TN_INSTR_CONST ... */
static inline int32_t tn_check_special(const tn_op_desc *desc, const tn_mapping *p, const tn_map_instr *instr,
                                       int which, int32_t values, tn_msg *msg)
{
    const tn_special *form = tn_special_at(which);
    int32_t s = TN_OK;
    for (int k = 0; k < form->values && !s; k++)
        s = tn_check_arg(desc, p, instr, k, values, which == TN_INSTR_WHERE && k ? instr->dtype : 0, msg);
    for (int k = 0; k < form->scalars && !s; k++)
        s = tn_check_arg(desc, p, instr, k, (int32_t)p->map->n_scalar, 0, msg);
    for (int k = 0; k < form->dims && !s; k++) s = tn_check_arg(desc, p, instr, k, p->rank, 0, msg);
    if (!s && form->random && !(instr->value >= 0 && instr->value < 16777216))
        s = tn_refuse(msg, TN_EINVAL, "%s: '%s' of stream %g", desc->name, instr->op, instr->value);
    return s;
}

/* `values`: how many there are before it. */
static inline int32_t tn_check_instr(const tn_op_desc *desc, const tn_mapping *p, const tn_map_instr *instr,
                                     int32_t values, tn_msg *msg)
{
    int32_t s = TN_OK;
    if (!instr->op) return tn_refuse(msg, TN_EINVAL, "%s: an instruction without a name", desc->name);
    if ((instr->dtype != TN_F32 && instr->dtype != TN_I32 && instr->dtype != TN_F64) || instr->reserved)
        return tn_refuse(msg, TN_EUNSUPPORTED, "%s: '%s' of type %d", desc->name, instr->op, instr->dtype);
    const int which = tn_special_find(instr->op);
    const tn_formula *row = which < 0 ? tn_formula_find(instr->op) : NULL;
    if (which < 0 && !row) return tn_refuse(msg, TN_EUNSUPPORTED, "%s: no instruction '%s'", desc->name, instr->op);
    if (instr->dtype == TN_I32 && !(row ? row->whole : tn_special_at(which)->whole))
        return tn_refuse(msg, TN_EUNSUPPORTED, "%s: '%s' of integers", desc->name, instr->op);
    if (which == TN_INSTR_CONST && instr->dtype == TN_I32 && !(instr->value >= INT32_MIN && instr->value <= INT32_MAX))
        return tn_refuse(msg, TN_EINVAL, "%s: the constant %g is no 32-bit integer", desc->name, instr->value);
    if (!row) return tn_check_special(desc, p, instr, which, values, msg);
    for (int k = 0; k < 4 && !s; k++)
        if (tn_formula_names(row, k)) s = tn_check_arg(desc, p, instr, k, values, instr->dtype, msg);
    return s;
}

/* An operand of a program: of the shape of the iteration space, dense or broadcast. */
static inline int32_t tn_check_in_space(const tn_op_desc *desc, const tn_mapping *p, uint32_t i, tn_msg *msg)
{
    const tn_tensor_desc *x = tn_operand(desc, i);
    if (x->rank != p->rank) return tn_refuse_operand(desc, i, TN_ESHAPE, "rank", x->rank, msg);
    for (int32_t d = 0; d < x->rank; d++)
        if (x->dim[d] != p->dim[d]) return tn_refuse_operand(desc, i, TN_ESHAPE, "a size of", x->dim[d], msg);
    return tn_check_stride(desc, i, i < desc->n_in, msg);
}

/* A program of n_out outputs on operands `first` and all behind it: becomes facts->mapping. */
static inline int32_t tn_check_program(const tn_op_desc *desc, const tn_mapping *p, uint32_t first, uint32_t n_out,
                                       tn_op_facts *facts, tn_msg *msg)
{
    const tn_map_attrs *map = p->map;
    int32_t s = tn_check_attrs(desc, map, sizeof *map, msg);
    if (s) return s;
    if (map->n_in != desc->n_in - first + p->given || map->n_out != n_out || !map->out || (map->n_instr && !map->instr))
        return tn_refuse(msg, TN_EINVAL, "%s: %u inputs, for a map of %u inputs, %u instructions and %u outputs",
                         desc->name, desc->n_in, map->n_in, map->n_instr, map->n_out);
    if (map->n_instr > TN_MAX_INSTRS || map->n_scalar > TN_MAX_SCALARS)
        return tn_refuse(msg, TN_EUNSUPPORTED, "%s: a map of %u instructions and %u scalars", desc->name, map->n_instr,
                         map->n_scalar);
    for (uint32_t i = first; i < desc->n_in && !s; i++) s = tn_check_in_space(desc, p, i, msg);
    for (uint32_t i = 0; i < map->n_instr && !s; i++)
        s = tn_check_instr(desc, p, &map->instr[i], (int32_t)(map->n_in + i), msg);
    for (uint32_t k = 0; k < n_out && !s; k++)
        if (map->out[k] < 0 || map->out[k] >= (int32_t)(map->n_in + map->n_instr))
            s = tn_refuse(msg, TN_EINVAL, "%s: output %u is value %d", desc->name, k, map->out[k]);
    facts->mapping = *p;
    return s;
}

/* Output k stores a value of that type. */
static inline int32_t tn_check_store(const tn_op_desc *desc, uint32_t k, int32_t dtype, tn_msg *msg)
{
    if (tn_value_dtype(desc->out[k].dtype) == dtype) return TN_OK;
    return tn_refuse_operand(desc, desc->n_in + k, TN_EDTYPE, "the type", desc->out[k].dtype, msg);
}

/* What follows a product of type `dtype`: an epilogue of inputs 2.., or nothing. */
static inline int32_t tn_check_epilogue(const tn_op_desc *desc, const tn_map_attrs *epilogue, int32_t dtype,
                                        tn_op_facts *facts, tn_msg *msg)
{
    const tn_mapping mapping = {epilogue, desc->in + 2, 1, dtype, desc->out[0].rank, desc->out[0].dim};
    if (!epilogue && desc->n_in != 2) return tn_refuse(msg, TN_EINVAL, "%s: %u inputs", desc->name, desc->n_in);
    const int32_t s = epilogue ? tn_check_program(desc, &mapping, 2, 1, facts, msg) : (int32_t)TN_OK;
    return s ? s : tn_check_store(desc, 0, epilogue ? tn_mapping_dtype(&mapping, epilogue->out[0]) : dtype, msg);
}

#ifdef __cplusplus
}
#endif
#endif
