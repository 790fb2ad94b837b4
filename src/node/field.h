/* field.h: attribute structs as rows of fields, one for each but `size`. Copying, checking, printing and saving go by
 * the rows, whichever the struct. */
#ifndef TN_NODE_FIELD_H
#define TN_NODE_FIELD_H

#include <stddef.h>

#include "tenon/tensor.h"

/* What a field holds. */
enum {
    TN_HOLDS_NOTHING, /* 0: reserved */
    TN_HOLDS_NUMBER,  /* what the operator's rule allows */
    TN_HOLDS_HIDDEN,  /* the same, which people don't read: the shapes beside it say it */
    TN_HOLDS_SIZE,    /* 0 to 2^31 - 1, or -1 where it has a sign: left open */
    TN_HOLDS_FACTOR,  /* 1 to 2^31 - 1, and mostly 1 */
    TN_HOLDS_FLAG,    /* 0 or 1 */
    TN_HOLDS_AXIS,    /* a dimension of operand 0 */
    TN_HOLDS_AXES,    /* bit d: dimension d of operand 0 */
    TN_HOLDS_DTYPE,   /* an element type */
    TN_HOLDS_WORD,    /* the place of a word in `words` */
    TN_HOLDS_STREAM,  /* of random numbers: below 2^24 */
    TN_HOLDS_SCALAR,  /* the number of a run-time scalar */
    TN_HOLDS_SHAPE,   /* a tn_shape */
    TN_HOLDS_TEXT,    /* a pointer to a text */
    TN_HOLDS_MAP,     /* a pointer to a program, which may be NULL */
    TN_HOLDS_DATA,    /* a pointer to the tensor's numbers, which people don't read */
    TN_HOLDS_PROGRAM  /* the struct is a program: this is its only row */
};

/* How it is stored. */
enum { TN_FIELD_I32, TN_FIELD_U32, TN_FIELD_I64, TN_FIELD_F64, TN_FIELD_OTHER };

typedef struct tn_field {
    const char *name;
    uint32_t holds, type;
    uint32_t offset, count, bytes; /* bytes: of all `count` elements */
    const char *const *words;      /* NULL after the last */
} tn_field;

#define TN_FIELD_TYPE(at)                                                                                              \
    _Generic((at), int32_t * : TN_FIELD_I32, int32_t(*)[TN_MAX_RANK]                                                   \
             : TN_FIELD_I32, uint32_t * : TN_FIELD_U32, uint32_t(*)[2]                                                 \
             : TN_FIELD_U32, int64_t * : TN_FIELD_I64, int64_t(*)[2]                                                   \
             : TN_FIELD_I64, int64_t(*)[TN_MAX_RANK]                                                                   \
             : TN_FIELD_I64, double * : TN_FIELD_F64, default : TN_FIELD_OTHER)
#define TN_FIELD_COUNT(at)                                                                                             \
    _Generic((at), int32_t(*)[TN_MAX_RANK]                                                                             \
             : TN_MAX_RANK, int64_t(*)[TN_MAX_RANK]                                                                    \
             : TN_MAX_RANK, uint32_t(*)[2] : 2, int64_t(*)[2] : 2, default : 1)

/* A row: TN_FIELD(attrs, axis, AXIS); under another name than the field's; and of words. A row without a name ends. */
#define TN_FIELD(type, field, holds)             TN_FIELD_ROW(type, field, TN_HOLDS_##holds, #field, NULL)
#define TN_FIELD_NAMED(type, field, holds, name) TN_FIELD_ROW(type, field, TN_HOLDS_##holds, name, NULL)
#define TN_FIELD_WORDS(type, field, words)       TN_FIELD_ROW(type, field, TN_HOLDS_WORD, #field, words)
#define TN_FIELD_ROW(type, field, holds, name, words)                                                                  \
    {                                                                                                                  \
        name, holds, TN_FIELD_TYPE(&((type *)0)->field), offsetof(type, field), TN_FIELD_COUNT(&((type *)0)->field),   \
            sizeof(((type *)0)->field), words                                                                          \
    }

/* In a definition: the graph's attributes and their rows. */
#define TN_ATTRS(type, rows) .attrs_size = sizeof(type), .fields = rows

/* Element i of a whole field: I32, U32 or I64. */
int64_t tn_field_whole(const tn_field *field, const void *attrs, uint32_t i);

/* How many elements of an array there are to speak of: those of `rank` dimensions, if all beyond them are 0. */
uint32_t tn_field_length(const tn_field *field, const void *attrs, int32_t rank);

/* 1 if the field is all zeros. */
int tn_field_is_zero(const tn_field *field, const void *attrs);

/* What the rows say of each field, of attributes that nobody has checked: `rank` is operand 0's. The operator's own
 * rule may then rely on it. */
TN_MUST_USE tn_status tn_fields_check(const tn_field *fields, const char *op, const void *attrs, int32_t rank);

#endif
