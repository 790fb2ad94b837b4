/* weights.c: the weights of a model as first values of a state. */
#include "given.h"
#include "reference_internal.h"
#include "rule.h"

/* f16 and bf16 as f32. */
static const float *as_f32(tn_onnx *model, int32_t dtype, const void *data, const tn_shape *shape)
{
    if (dtype == TN_F32) return data;
    const tn_tensor_desc desc = tn_desc_dense(dtype, shape);
    int64_t count = tn_shape_count(shape);
    double *wide = tn_alloc((size_t)count * sizeof *wide + 1);
    float *to = wide ? tn_region_alloc(&model->weights, (size_t)count * sizeof *to + 1) : NULL;
    if (to) tn_reference_load(wide, data, &desc);
    for (int64_t i = 0; to && i < count; i++) to[i] = (float)wide[i];
    tn_free(wide);
    return to;
}

int tn_onnx_weight_at(tn_onnx *model, size_t index, const char **name, tn_shape *shape, const float **data)
{
    if (!model || !name || !shape || !data) return 0;
    for (size_t i = 0; i < model->proto->graph->n_initializer; i++) {
        const onnx_proto *t = model->proto->graph->initializer[i];
        int32_t dtype;
        const void *from = NULL;
        if (!(model->role[i] & (ONNX_WEIGHT | ONNX_STATISTIC)) || !onnx_tensor_is_there(t) || index--) continue;
        if (onnx_tensor_data(model, t, &model->weights, shape, &dtype, &from)) return 0;
        *name = t->name;
        *data = as_f32(model, dtype, from, shape);
        return *data != NULL;
    }
    return 0;
}

/* One of another shape is of a last layer that begins anew. */
static tn_status put(tn_state *state, const char *name, const tn_shape *shape, const float *data)
{
    tn_state_entry entry;
    if (!tn_state_find(state, name, &entry)) return tn_state_put(state, name, TN_F32, *shape, TN_TRAINABLE, data);
    if (!tn_shape_equal(&entry.shape, shape)) return TN_OK;
    return tn_state_write(state, name, data, (uint64_t)tn_shape_count(shape) * sizeof *data);
}

tn_status tn_onnx_put(tn_onnx *model, tn_state *state, const char *scope)
{
    TN_GIVEN(model, state);
    const char *name;
    tn_shape shape;
    const float *data;
    tn_region names = {0};
    tn_status s = TN_OK;
    for (size_t i = 0; !s && tn_onnx_weight_at(model, i, &name, &shape, &data); i++) {
        const char *full = scope && *scope ? tn_region_print(&names, "%s.%s", scope, name) : name;
        s = full ? put(state, full, &shape, data) : TN_ENOMEM;
    }
    tn_region_free(&names);
    return s;
}
