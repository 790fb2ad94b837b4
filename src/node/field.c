/* field.c: see field.h. */
#include "field.h"

#include <string.h>

#include "error.h"
#include "shape.h"

static const void *at(const tn_field *field, const void *attrs)
{
    return (const char *)attrs + field->offset;
}

int64_t tn_field_whole(const tn_field *field, const void *attrs, uint32_t i)
{
    const void *first = at(field, attrs);
    return field->type == TN_FIELD_I64   ? ((const int64_t *)first)[i]
           : field->type == TN_FIELD_I32 ? ((const int32_t *)first)[i]
                                         : (int64_t)((const uint32_t *)first)[i];
}

uint32_t tn_field_length(const tn_field *field, const void *attrs, int32_t rank)
{
    if (field->count != TN_MAX_RANK) return field->count;
    for (uint32_t i = (uint32_t)rank; i < field->count; i++)
        if (tn_field_whole(field, attrs, i)) return field->count;
    return (uint32_t)rank;
}

int tn_field_is_zero(const tn_field *field, const void *attrs)
{
    const unsigned char *byte = at(field, attrs);
    for (uint32_t i = 0; i < field->bytes; i++)
        if (byte[i]) return 0;
    return 1;
}

/* ---- checking ---- */

static int64_t words_in(const tn_field *field)
{
    int64_t n = 0;
    while (field->words && field->words[n]) n++;
    return n;
}

/* The range of a whole field; 0: any. */
static int range_of(const tn_field *field, int32_t rank, int64_t *least, int64_t *most)
{
    const int has_sign = field->type == TN_FIELD_I32 || field->type == TN_FIELD_I64;
    const int64_t ends[][3] = {[TN_HOLDS_NOTHING] = {1, 0, 0},
                               [TN_HOLDS_SIZE] = {1, has_sign ? -1 : 0, INT32_MAX},
                               [TN_HOLDS_FACTOR] = {1, 1, INT32_MAX},
                               [TN_HOLDS_FLAG] = {1, 0, 1},
                               [TN_HOLDS_AXIS] = {1, 0, rank - 1},
                               [TN_HOLDS_AXES] = {1, 0, ((int64_t)1 << rank) - 1},
                               [TN_HOLDS_WORD] = {1, 0, words_in(field) - 1},
                               [TN_HOLDS_STREAM] = {1, 0, (1 << 24) - 1},
                               [TN_HOLDS_PROGRAM] = {0, 0, 0}};
    *least = ends[field->holds][1], *most = ends[field->holds][2];
    return (int)ends[field->holds][0];
}

static tn_status check_shape(const tn_shape *shape)
{
    TN_REQUIRE(shape->rank >= 0 && shape->rank <= TN_MAX_RANK, TN_ESHAPE, "rank %d", shape->rank);
    for (int32_t d = 0; d < TN_MAX_RANK; d++)
        TN_REQUIRE(shape->dim[d] >= (d < shape->rank ? -1 : 0) && (d < shape->rank || !shape->dim[d]), TN_ESHAPE,
                   "dimension %d is %lld", d, (long long)shape->dim[d]);
    return TN_OK;
}

static tn_status check(const tn_field *field, const void *attrs, int32_t rank)
{
    int64_t least, most;
    if (field->holds == TN_HOLDS_SHAPE) return check_shape(at(field, attrs));
    if (field->holds == TN_HOLDS_DTYPE)
        TN_REQUIRE(tn_dtype_size((int32_t)tn_field_whole(field, attrs, 0)), TN_EDTYPE, "%lld is no element type",
                   (long long)tn_field_whole(field, attrs, 0));
    for (uint32_t i = 0; range_of(field, rank, &least, &most) && i < field->count; i++)
        TN_REQUIRE(tn_field_whole(field, attrs, i) >= least && tn_field_whole(field, attrs, i) <= most, TN_EINVAL,
                   "%lld is not within %lld..%lld", (long long)tn_field_whole(field, attrs, i), (long long)least,
                   (long long)most);
    return TN_OK;
}

tn_status tn_fields_check(const tn_field *fields, const char *op, const void *attrs, int32_t rank)
{
    for (const tn_field *field = fields; field && field->name; field++) {
        tn_status s = check(field, attrs, rank);
        if (s) return tn_fail(s, "%s: %s: %s", op, field->name, tn_message());
    }
    return TN_OK;
}
