/* reference_convert.c: elements of every type as doubles and back. */
#include <math.h>
#include <string.h>

#include "half.h"
#include "reference_internal.h"

/* ---- one function for each type ---- */

/* The low bits of a whole number. */
static uint32_t low_bits(double x)
{
    return fabs(x) < 0x1p63 ? (uint32_t)(uint64_t)(int64_t)x : 0;
}

#define TYPE(name, T, get, put)                                                                                        \
    static double load_##name(const void *base, int64_t i)                                                             \
    {                                                                                                                  \
        T x; /* a constant may lie at any address */                                                                   \
        memcpy(&x, (const char *)base + (size_t)i * sizeof x, sizeof x);                                               \
        return get;                                                                                                    \
    }                                                                                                                  \
    static void store_##name(void *base, int64_t i, double x)                                                          \
    {                                                                                                                  \
        ((T *)base)[i] = (T)put;                                                                                       \
    }
TYPE(f32, float, (double)x, x)
TYPE(f64, double, x, x)
TYPE(i32, int32_t, x, low_bits(x))
TYPE(u8, uint8_t, x, low_bits(x))
TYPE(i8, int8_t, x, low_bits(x))
TYPE(f16, uint16_t, tn_half_decode(x, TN_HALF_F16), tn_half_encode(x, TN_HALF_F16))
TYPE(bf16, uint16_t, tn_half_decode(x, TN_HALF_BF16), tn_half_encode(x, TN_HALF_BF16))

static const struct {
    double (*load)(const void *base, int64_t i);
    void (*store)(void *base, int64_t i, double x);
} type[] = {
#define X(NAME, name, bytes, VALUE, unit, smallest, largest, infinity) [TN_##NAME] = {load_##name, store_##name},
#include "tenon/dtype.def"
#undef X
};

double tn_kept_as(int32_t dtype, double x)
{
    double room = 0;
    type[dtype].store(&room, 0, x);
    return type[dtype].load(&room, 0);
}

/* ---- operands ---- */

void tn_reference_load(double *to, const void *from, const tn_tensor_desc *desc)
{
    int64_t count = tn_desc_count(desc), at = 0, place[TN_MAX_RANK] = {0};
    for (int64_t e = 0; e < count; e++) {
        to[e] = type[desc->dtype].load(from, at);
        for (int32_t d = desc->rank - 1; d >= 0; d--) { /* the next element, and where it is */
            at += desc->stride[d];
            if (++place[d] < desc->dim[d]) break;
            at -= desc->stride[d] * desc->dim[d];
            place[d] = 0;
        }
    }
}

void tn_reference_store(void *to, const double *from, const tn_tensor_desc *desc)
{
    int64_t count = tn_desc_count(desc);
    for (int64_t e = 0; e < count; e++) type[desc->dtype].store(to, e, from[e]);
}

uint64_t tn_reference_extent(const tn_tensor_desc *desc)
{
    int64_t last = 0;
    if (!tn_desc_count(desc)) return 0;
    for (int32_t d = 0; d < desc->rank; d++) last += (desc->dim[d] - 1) * desc->stride[d];
    return (uint64_t)(last + 1) * tn_dtype_size(desc->dtype);
}
