/* convert.h: numbers of a file's types as our own. */
#ifndef TN_IO_CONVERT_H
#define TN_IO_CONVERT_H

#include <stddef.h>
#include <stdint.h>

/* An element type of safetensors files. */
typedef struct tn_file_type {
    const char *name;
    uint32_t size; /* of an element, in bytes */
    int32_t dtype; /* that it is read as; 0: it is not */
    int32_t sign;  /* a whole number that becomes i32: -1 with a sign, 1 without; else 0 */
} tn_file_type;

/* NULL for a name that is no type. */
const tn_file_type *tn_file_type_named(const char *name);

/* Makes i32 of `count` whole numbers, in their place, which has room for both. Returns 0 if there is one that no i32
 * holds. */
int tn_whole_to_i32(const tn_file_type *type, void *data, int64_t count);

/* Whether numbers of this type become f32 where f32 is wanted: f64, f16 and bf16. */
int tn_becomes_f32(int32_t dtype);

/* Makes f32 of them. Returns 0 if there is a finite one beyond f32's range. */
int tn_to_f32(int32_t dtype, const void *data, int64_t count, float *to);

#endif
