/* weights.c: the weights of a model as first values of a state. What lies in the file as f32 goes to the state from
 * there. */
#include <string.h>

#include "given.h"
#include "mapping.h"
#include "pattern.h"
#include "reference_internal.h"
#include "rule.h"

enum { BLOCK = 1024, MANY = 1 << 17 }; /* numbers that are converted at once, and that are on their way */

/* ---- which stay as they are ---- */

int onnx_is_frozen(const tn_onnx *model, const char *name)
{
    return name && tn_pattern_any(model->freeze, name);
}

int onnx_stays(const tn_onnx *model, size_t i)
{
    return model->role[i] & ONNX_STATISTIC || onnx_is_frozen(model, model->proto->graph->initializer[i]->name);
}

static int names_a_weight(const tn_onnx *model, const char *pattern, size_t length)
{
    const onnx_graph_proto *graph = model->proto->graph;
    for (size_t i = 0; i < graph->n_initializer; i++)
        if (model->role[i] & (ONNX_WEIGHT | ONNX_STATISTIC) &&
            tn_pattern_matches(pattern, length, graph->initializer[i]->name))
            return 1;
    return 0;
}

tn_status tn_onnx_freeze(tn_onnx *model, const char *patterns)
{
    TN_GIVEN(model);
    size_t length;
    const char *rest = patterns;
    for (const char *at; rest && (at = tn_pattern_next(&rest, &length));)
        TN_REQUIRE(names_a_weight(model, at, length), TN_EMISSING, "freeze: no variable is called '%.*s'", (int)length,
                   at);
    char *kept = patterns ? tn_strdup(patterns) : NULL;
    if (patterns && !kept) return TN_ENOMEM;
    tn_free(model->freeze);
    model->freeze = kept;
    return TN_OK;
}

/* ---- their numbers ---- */

/* From memory or a file. */
static tn_status convert(float *to, const void *from, int32_t dtype, int64_t count)
{
    double wide[BLOCK], read[BLOCK];
    const uint64_t size = tn_dtype_size(dtype);
    for (int64_t at = 0; at < count; at += BLOCK) {
        const int64_t n = count - at < BLOCK ? count - at : BLOCK;
        const tn_tensor_desc block = tn_desc_dense(dtype, &TN_SHAPE(n));
        TN_TRY(tn_mapped_read((const char *)from + (uint64_t)at * size, (uint64_t)n * size, read));
        tn_reference_load(wide, read, &block);
        for (int64_t i = 0; i < n; i++) to[at + i] = (float)wide[i];
    }
    return TN_OK;
}

/* As f32: what is none, is so in the region; f32 where it is, at any address. */
static tn_status as_f32(tn_region *region, int32_t dtype, const tn_shape *shape, const void **data)
{
    if (dtype == TN_F32) return TN_OK;
    float *made = tn_region_alloc(region, (size_t)tn_shape_count(shape) * sizeof *made + 1);
    if (!made) return TN_ENOMEM;
    TN_TRY(convert(made, *data, dtype, tn_shape_count(shape)));
    *data = made;
    return TN_OK;
}

/* The initializer that is weight number `index`; -1: there is none. */
static int64_t find_weight(const tn_onnx *model, size_t index)
{
    const onnx_graph_proto *graph = model->proto->graph;
    for (size_t i = 0; i < graph->n_initializer; i++) {
        const int is_weight = model->role[i] & (ONNX_WEIGHT | ONNX_STATISTIC);
        if (is_weight && onnx_tensor_is_there(graph->initializer[i]) && !index--) return (int64_t)i;
    }
    return -1;
}

/* Made once, and kept: a float's address is a multiple of four. */
static const float *kept_numbers(tn_onnx *model, int64_t i)
{
    tn_shape shape;
    int32_t dtype;
    const void *data = NULL;
    const float *made = model->numbers[i];
    if (made) return tn_mapped_check(made, sizeof *made) ? NULL : made;
    if (onnx_tensor_data(model, model->proto->graph->initializer[i], &model->weights, &shape, &dtype, &data) ||
        as_f32(&model->weights, dtype, &shape, &data))
        return NULL;
    if ((uintptr_t)data % sizeof(float)) {
        const size_t bytes = (size_t)tn_shape_count(&shape) * sizeof(float);
        void *aligned = tn_region_alloc(&model->weights, bytes);
        if (!aligned || tn_mapped_read(data, bytes, aligned)) return NULL;
        data = aligned;
    }
    return model->numbers[i] = data;
}

int tn_onnx_weight_at(tn_onnx *model, size_t index, const char **name, tn_shape *shape, const float **data)
{
    if (!model || !name || !shape) return 0;
    const int64_t i = find_weight(model, index);
    if (i < 0) return 0;
    const onnx_proto *t = model->proto->graph->initializer[i];
    const float *numbers = data ? kept_numbers(model, i) : NULL;
    if ((data && !numbers) || onnx_tensor_shape(t, shape)) return 0;
    *name = t->name;
    if (data) *data = numbers;
    return 1;
}

/* Numbers, in memory or in a file, as a variable has them: f64 as they are, all others as f32. */
static tn_status write_numbers(tn_state *state, const char *name, int32_t dtype, const char *data, int64_t count,
                               void *read, float *made)
{
    const uint64_t from = tn_dtype_size(dtype), to = dtype == TN_F64 ? sizeof(double) : sizeof(float);
    const int stays = dtype == TN_F64 || dtype == TN_F32;
    for (int64_t at = 0; at < count; at += MANY) {
        const int64_t n = count - at < MANY ? count - at : MANY;
        TN_TRY(tn_mapped_read(data + (uint64_t)at * from, (uint64_t)n * from, read));
        if (!stays) TN_TRY(convert(made, read, dtype, n));
        TN_TRY(tn_state_write_part(state, name, (uint64_t)at * to, stays ? read : made, (uint64_t)n * to));
    }
    return TN_OK;
}

static tn_status write_blocks(tn_state *state, const char *name, int32_t dtype, const void *data, int64_t count)
{
    const size_t room = (size_t)(count < MANY ? count : MANY) + 1;
    void *read = tn_alloc(room * sizeof(double));
    float *made = tn_alloc(room * sizeof *made);
    tn_status s = read && made ? write_numbers(state, name, dtype, data, count, read, made) : TN_ENOMEM;
    tn_free(made);
    tn_free(read);
    return s;
}

/* One of another shape is of a last layer that begins anew. */
static tn_status put(tn_state *state, const char *name, const tn_state_entry *weight, const void *data)
{
    tn_state_entry entry;
    const int64_t count = tn_shape_count(&weight->shape);
    const int32_t kept = weight->dtype == TN_F64 ? TN_F64 : TN_F32;
    TN_TRY(tn_mapped_check(data, (uint64_t)count * tn_dtype_size(weight->dtype)));
    if (!tn_state_find(state, name, &entry))
        TN_TRY(tn_state_put(state, name, kept, weight->shape, weight->flags, NULL));
    else if (!tn_shape_equal(&entry.shape, &weight->shape))
        return TN_OK;
    else
        TN_REQUIRE(entry.dtype == kept, TN_EDTYPE, "variable '%s' is %s in the state and %s in the network", name,
                   tn_dtype_name(entry.dtype), tn_dtype_name(kept));
    return write_blocks(state, name, weight->dtype, data, count);
}

static void used(tn_onnx *model, const onnx_proto *t, int64_t count)
{
    const unsigned char *data = NULL;
    uint64_t bytes = 0;
    if (!onnx_tensor_bytes(model, t, &data, &bytes) && data)
        tn_mapped_used(data, (uint64_t)count * onnx_type_bits(t->data_type) / 8);
}

tn_status tn_onnx_put_weight(tn_onnx *model, size_t index, tn_state *state, const char *name)
{
    TN_GIVEN(model, state);
    tn_region room = {0};
    const void *data = NULL;
    const int64_t i = find_weight(model, index);
    TN_REQUIRE(i >= 0, TN_EMISSING, "the model has no weight number %zu", index);
    const onnx_proto *t = model->proto->graph->initializer[i];
    tn_state_entry weight = {.flags = onnx_stays(model, (size_t)i) ? 0 : TN_TRAINABLE};
    tn_status s = onnx_tensor_data(model, t, &room, &weight.shape, &weight.dtype, &data);
    if (!s) s = put(state, name ? name : t->name, &weight, data);
    if (!s) used(model, t, tn_shape_count(&weight.shape));
    tn_region_free(&room);
    return s;
}

tn_status tn_onnx_put(tn_onnx *model, tn_state *state, const char *scope)
{
    TN_GIVEN(model, state);
    const char *name;
    tn_shape shape;
    tn_region names = {0};
    tn_status s = TN_OK;
    for (size_t i = 0; !s && tn_onnx_weight_at(model, i, &name, &shape, NULL); i++) {
        const char *full = scope && *scope ? tn_region_print(&names, "%s.%s", scope, name) : name;
        s = full ? tn_onnx_put_weight(model, i, state, full) : TN_ENOMEM;
    }
    tn_region_free(&names);
    return s;
}
