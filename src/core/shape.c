/* shape.c: shapes and element types. */
#include "shape.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "error.h"

int64_t tn_shape_count(const tn_shape *shape)
{
    if (!shape) return 0;
    int64_t count = 1;
    for (int32_t d = 0; d < shape->rank; d++) count *= shape->dim[d];
    return count;
}

int tn_shape_equal(const tn_shape *a, const tn_shape *b)
{
    if (!a || !b) return 0;
    return a->rank == b->rank && !memcmp(a->dim, b->dim, (size_t)a->rank * sizeof *a->dim);
}

char *tn_shape_text(const tn_shape *shape, char *text, size_t capacity)
{
    if (!shape || !text) return NULL;
    size_t used = 0;
    for (int32_t d = 0; d < shape->rank && used < capacity; d++)
        used += (size_t)snprintf(text + used, capacity - used, "%s%lld", d ? ", " : "(", (long long)shape->dim[d]);
    if (used < capacity) snprintf(text + used, capacity - used, shape->rank ? ")" : "()");
    return text;
}

const char *tn_dtype_name(int32_t dtype)
{
    return tn_dtype_facts_of(dtype)->name;
}

const tn_dtype_facts *tn_dtype_facts_of(int32_t dtype)
{
    static const tn_dtype_facts facts[] = {
#define X(NAME, name, bytes, VALUE, unit, smallest, largest, infinity)                                                 \
    [TN_##NAME] = {#name, unit, smallest, largest, infinity},
#include "tenon/dtype.def"
#undef X
    };
    static const tn_dtype_facts none = {.name = "?"};
    return tn_dtype_size(dtype) ? &facts[dtype] : &none;
}

int32_t tn_dtype_named(const char *name)
{
#define X(NAME, own, ...)                                                                                              \
    if (!strcmp(name, #own)) return TN_##NAME;
#include "tenon/dtype.def"
#undef X
    return 0;
}

int tn_is_whole(int32_t dtype)
{
    return tn_dtype_size(dtype) && tn_dtype_facts_of(dtype)->unit == 0;
}

int tn_is_narrow(int32_t dtype)
{
    return tn_dtype_size(dtype) == 2 && !tn_is_whole(dtype);
}

tn_status tn_shape_check(const tn_shape *shape)
{
    TN_REQUIRE(shape->rank >= 0 && shape->rank <= TN_MAX_RANK, TN_ESHAPE, "rank %d is not within 0..%d", shape->rank,
               TN_MAX_RANK);
    int64_t count = 1;
    for (int32_t d = 0; d < shape->rank; d++) {
        TN_REQUIRE(shape->dim[d] >= 0, TN_ESHAPE, "dimension %d is %lld", d, (long long)shape->dim[d]);
        TN_REQUIRE(!__builtin_mul_overflow(count, shape->dim[d] ? shape->dim[d] : 1, &count) && count < INT64_MAX / 8,
                   TN_ESHAPE, "a shape with too many elements");
    }
    return TN_OK;
}

tn_status tn_shape_broadcast(const tn_shape *a, const tn_shape *b, tn_shape *out)
{
    tn_shape result = {a->rank > b->rank ? a->rank : b->rank, {0}};
    char ta[160], tb[160];
    for (int32_t d = 0; d < result.rank; d++) {
        int32_t da = d - (result.rank - a->rank), db = d - (result.rank - b->rank);
        int64_t na = da < 0 ? 1 : a->dim[da], nb = db < 0 ? 1 : b->dim[db];
        TN_REQUIRE(na == nb || na == 1 || nb == 1, TN_ESHAPE, "shapes %s and %s do not broadcast",
                   tn_shape_text(a, ta, sizeof ta), tn_shape_text(b, tb, sizeof tb));
        result.dim[d] = na == 1 ? nb : na;
    }
    *out = result;
    return TN_OK;
}

tn_status tn_axes_mask(tn_axes axes, int32_t rank, uint32_t *mask)
{
    uint32_t bits = axes.count < 0 ? (1u << rank) - 1 : 0;
    TN_REQUIRE(axes.count >= -1 && axes.count <= TN_MAX_RANK, TN_EINVAL, "a set of %d axes: there are %d at most",
               axes.count, TN_MAX_RANK);
    for (int32_t i = 0; i < axes.count; i++) {
        int32_t axis = axes.axis[i] < 0 ? axes.axis[i] + rank : axes.axis[i];
        TN_REQUIRE(axis >= 0 && axis < rank, TN_ESHAPE, "axis %d of a tensor of rank %d", axes.axis[i], rank);
        TN_REQUIRE(!(bits >> axis & 1), TN_EINVAL, "axis %d is there twice", axes.axis[i]);
        bits |= 1u << axis;
    }
    *mask = bits;
    return TN_OK;
}

tn_tensor_desc tn_desc_dense(int32_t dtype, const tn_shape *shape)
{
    tn_tensor_desc desc = {.dtype = dtype, .rank = shape->rank};
    int64_t stride = 1;
    for (int32_t d = shape->rank - 1; d >= 0; d--) {
        desc.dim[d] = shape->dim[d];
        desc.stride[d] = stride;
        stride *= shape->dim[d];
    }
    return desc;
}

void tn_both_sizes(const uint32_t given[2], uint32_t missing, uint32_t size[2])
{
    size[0] = given[0] ? given[0] : missing;
    size[1] = given[1] ? given[1] : size[0];
}
