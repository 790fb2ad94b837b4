/* element.c: see element.h. */
#include "element.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "half.h"
#include "order.h"
#include "plain.h"
#include "tenon/backend.h"
#include "tenon/tensor.h"

int tn_element_is_ours(const tn_element *e)
{
    const char kind = e->dtype == TN_F32 ? 'f' : e->dtype == TN_I32 ? 'i' : 'u';
    return e->kind == kind && e->size == (int)tn_dtype_size(e->dtype) && (e->size == 1 || e->big == TN_MACHINE_IS_BIG);
}

/* An element as a number; NaN for a whole one that no i32 holds. */
static double number_of(uint64_t bits, const tn_element *e)
{
    double wide;
    float narrow;
    uint32_t low = (uint32_t)bits;
    if (e->kind == 'f' && e->size == 8) return memcpy(&wide, &bits, sizeof wide), wide;
    if (e->kind == 'f' && e->size == 2) return tn_half_decode((uint16_t)bits, TN_HALF_F16);
    if (e->kind == 'B') return tn_half_decode((uint16_t)bits, TN_HALF_BF16);
    if (e->kind == 'f') return memcpy(&narrow, &low, sizeof narrow), narrow;
    if (e->kind == 'b') return bits != 0;
    int unused = 64 - 8 * e->size;
    int64_t whole = e->kind == 'i'      ? (int64_t)(bits << unused) >> unused
                    : bits <= INT32_MAX ? (int64_t)bits
                                        : INT64_MAX;
    return whole >= INT32_MIN && whole <= INT32_MAX ? (double)whole : NAN;
}

/* That an element is more than what it becomes can hold. */
static const char *beyond(uint64_t bits, const tn_element *e, char why[TN_ELEMENT_TEXT])
{
    const int unused = 64 - 8 * e->size;
    const char *range = tn_dtype_name(e->dtype);
    if (e->kind == 'f')
        tn_snprintf(why, TN_ELEMENT_TEXT, "has %g, a number beyond the range of %s", number_of(bits, e), range);
    else if (e->kind == 'i')
        tn_snprintf(why, TN_ELEMENT_TEXT, "has %" PRId64 ", a number beyond the range of %s",
                    (int64_t)(bits << unused) >> unused, range);
    else
        tn_snprintf(why, TN_ELEMENT_TEXT, "has %" PRIu64 ", a number beyond the range of %s", bits, range);
    return why;
}

const char *tn_element_convert(const tn_element *e, const uint8_t *from, int64_t count, void *to,
                               char why[TN_ELEMENT_TEXT])
{
    for (int64_t i = 0; i < count; i++) {
        const uint64_t bits = tn_bytes_get(from + i * e->size, (size_t)e->size, e->big);
        const double value = number_of(bits, e);
        if (e->dtype == TN_I32 && isnan(value)) return beyond(bits, e, why);
        if (e->dtype == TN_F32 && fabs(value) > FLT_MAX && !isinf(value)) return beyond(bits, e, why);
        if (e->dtype == TN_F32)
            ((float *)to)[i] = (float)value;
        else if (e->dtype == TN_I32)
            ((int32_t *)to)[i] = (int32_t)value;
        else
            ((uint8_t *)to)[i] = (uint8_t)value;
    }
    return NULL;
}
