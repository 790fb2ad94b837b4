/* attention_layer.c: self-attention with several heads. Vaswani and others, "Attention is all you need", 2017. */
#include "tenon/nn.h"

#include <stdio.h>

/* Part i of three of (batch, steps, 3 width) as (batch, heads, steps, width / heads). */
static tn_tensor *heads_of(tn_tensor *all, int64_t i, const tn_shape *x, int64_t heads)
{
    int64_t width = x->dim[2];
    tn_tensor *one = tn_slice(all, -1, i * width, width, 1);
    one = tn_reshape(one, TN_SHAPE(x->dim[0], x->dim[1], heads, width / heads));
    return tn_transpose(one, (int32_t[]){0, 2, 1, 3});
}

tn_tensor *tn_self_attention(tn_tensor *x, const char *name, int64_t heads, int causal)
{
    tn_graph *graph = tn_graph_of(x);
    tn_shape shape = tn_shape_of(x);
    char full[256], text[160];
    if (tn_graph_status(graph)) return x;
    if (shape.rank != 3 || heads < 1 || shape.dim[2] < 1 || shape.dim[2] % heads) {
        tn_graph_fail(graph, TN_ESHAPE,
                      "self_attention '%s': %lld heads over %s, which should be (batch, steps, width)", name,
                      (long long)heads, tn_shape_text(&shape, text, sizeof text));
        return x;
    }
    int64_t width = shape.dim[2];
    snprintf(full, sizeof full, "%s.in_proj_weight", name);
    tn_tensor *weight = tn_param(graph, full, TN_SHAPE(3 * width, width), (tn_init){.kind = TN_INIT_XAVIER});
    snprintf(full, sizeof full, "%s.in_proj_bias", name);
    tn_tensor *bias = tn_param(graph, full, TN_SHAPE(3 * width), (tn_init){.kind = TN_INIT_ZERO});
    tn_tensor *all = tn_add(tn_matmul_t(tn_reshape(x, TN_SHAPE(-1, width)), weight, 0, 1), bias);
    all = tn_reshape(all, TN_SHAPE(shape.dim[0], shape.dim[1], 3 * width));
    tn_tensor *q = heads_of(all, 0, &shape, heads), *k = heads_of(all, 1, &shape, heads);
    tn_tensor *y = tn_attention(q, k, heads_of(all, 2, &shape, heads), causal);
    y = tn_reshape(tn_transpose(y, (int32_t[]){0, 2, 1, 3}), shape);
    snprintf(full, sizeof full, "%s.out_proj", name);
    return tn_linear(y, full, .units = width);
}
