/* old_names.c: functions under the names that they had in earlier versions, so that programs compiled with those run.
 */
#include "graph.h"
#include "given.h"
#include "tenon/tenon.h"

tn_tensor *tn_conv2d_with(tn_tensor *x, tn_tensor *weight, tn_conv_options options)
{
    return tn_convolve2d(x, weight, options);
}

tn_tensor *tn_conv2d_transposed(tn_tensor *x, tn_tensor *weight, tn_conv_options options)
{
    return tn_convolve2d_transposed(x, weight, options);
}

tn_tensor *tn_window(tn_tensor *x, tn_tensor *start, int64_t count)
{
    return tn_dynamic_slice(x, start, count);
}

/* Of layers that take a name and options. */
#define LAYER(layer, struct_name)                                                                                      \
    tn_tensor *tn_##layer##_with(tn_tensor *x, const char *name, struct_name options)                                  \
    {                                                                                                                  \
        return tn_##layer##_layer(x, name, options);                                                                   \
    }
LAYER(linear, tn_linear_options)
LAYER(batch_norm, tn_batch_norm_options)
LAYER(group_norm, tn_group_norm_options)
LAYER(multihead_attention, tn_attention_options)
LAYER(transformer, tn_transformer_options)

/* Of those whose options have the name. */
#define NORM(layer)                                                                                                    \
    tn_tensor *tn_##layer##_with(tn_tensor *x, tn_norm_options options)                                                \
    {                                                                                                                  \
        return tn_##layer##_layer(x, options);                                                                         \
    }
NORM(layer_norm)
NORM(rms_norm)
NORM(instance_norm)

tn_tensor *tn_recurrent_with(tn_tensor *x, const char *name, tn_recurrent_options options, tn_recurrent_state *state)
{
    return tn_recurrent_layer(x, name, options, state);
}

tn_status tn_picture_read(const char *path, const tn_shape *sample, float *out)
{
    return tn_image_read_scaled(path, sample, out);
}

tn_status tn_picture_frame(const float *level, int64_t height, int64_t width, const tn_framing *framing,
                           const tn_shape *sample, float *out, tn_ink *ink)
{
    return tn_image_frame(level, height, width, framing, sample, out, ink);
}

tn_status tn_picture_read_framed(const char *path, const tn_framing *framing, const tn_shape *sample, float *out,
                                 tn_ink *ink)
{
    return tn_image_read_framed(path, framing, sample, out, ink);
}

void tn_advance_step(tn_graph *graph)
{
    if (graph && !graph->status) graph->advances_step = 1;
}

/* Memory comes when it is needed. */
tn_status tn_state_reserve(tn_state *state, uint64_t bytes)
{
    (void)bytes;
    TN_GIVEN(state);
    return TN_OK;
}
