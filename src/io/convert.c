/* convert.c: see convert.h. */
#include "convert.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "half.h"
#include "order.h"
#include "tenon/backend.h"

static const tn_file_type types[] = {
#define X(NAME, name, bytes, VALUE, unit, smallest, largest, infinity) {#NAME, bytes, TN_##NAME, 0},
#include "tenon/dtype.def"
#undef X
    {"BOOL", 1, TN_I32, 1}, {"I16", 2, TN_I32, -1}, {"U16", 2, TN_I32, 1}, {"U32", 4, TN_I32, 1},
    {"I64", 8, TN_I32, -1}, {"U64", 8, TN_I32, 1},  {"F8_E4M3", 1, 0, 0},  {"F8_E5M2", 1, 0, 0},
};

const tn_file_type *tn_file_type_named(const char *name)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (!strcmp(types[i].name, name)) return &types[i];
    return NULL;
}

/* ---- whole numbers ---- */

/* Returns 0 if no i32 holds it. */
static int whole_at(const tn_file_type *type, const uint8_t *data, int64_t i, int32_t *value)
{
    const uint64_t bits = tn_bytes_own(data + (uint64_t)i * type->size, type->size);
    int unused = 64 - 8 * (int)type->size;
    int64_t whole = type->sign < 0 ? (int64_t)(bits << unused) >> unused : (int64_t)bits;
    *value = (int32_t)whole;
    return *value == whole && (type->sign < 0 || bits <= INT32_MAX);
}

int tn_whole_to_i32(const tn_file_type *type, void *data, int64_t count)
{
    int all = 1;
    for (int64_t k = 0; k < count; k++) {
        int64_t i = type->size < sizeof(int32_t) ? count - 1 - k : k; /* from the end where it grows */
        int32_t value;
        all &= whole_at(type, data, i, &value);
        memcpy((uint8_t *)data + (uint64_t)i * sizeof value, &value, sizeof value);
    }
    return all;
}

/* ---- others ---- */

static double from_f64(const void *data, int64_t i)
{
    return ((const double *)data)[i];
}

static double from_f16(const void *data, int64_t i)
{
    return tn_half_decode(((const uint16_t *)data)[i], TN_HALF_F16);
}

static double from_bf16(const void *data, int64_t i)
{
    return tn_half_decode(((const uint16_t *)data)[i], TN_HALF_BF16);
}

static double (*const numbers[])(const void *data,
                                 int64_t i) = {[TN_F64] = from_f64, [TN_F16] = from_f16, [TN_BF16] = from_bf16};

int tn_becomes_f32(int32_t dtype)
{
    return (size_t)dtype < sizeof numbers / sizeof *numbers && numbers[dtype];
}

int tn_to_f32(int32_t dtype, const void *data, int64_t count, float *to)
{
    for (int64_t i = 0; i < count; i++) {
        double value = numbers[dtype](data, i);
        if (fabs(value) > (double)FLT_MAX && !isinf(value)) return 0;
        to[i] = (float)value;
    }
    return 1;
}
