/* roles.c: which initializers are weights, by what their operators do with them. */
#include <math.h>
#include <string.h>

#include "rule.h"

/* Operands that are weights: those of layers always, those of arithmetic and of what moves numbers if a person or a
 * framework's module named them, for exporters make constants that are used so. A bit for each operand. */
static const struct {
    const char *op;
    uint32_t always, named, statistics;
} uses[] = {
    {"Conv", 6, 0, 0},
    {"ConvTranspose", 6, 0, 0},
    {"CausalConvWithState", 6, 0, 0},
    {"DeformConv", 10, 0, 0},
    {"FusedConv", 6, 0, 0},
    {"FusedGemm", 7, 0, 0},
    {"FusedMatMul", 3, 0, 0},
    {"Gemm", 7, 0, 0},
    {"MatMul", 3, 0, 0},
    {"Einsum", ~0u, 0, 0},
    {"BatchNormalization", 6, 0, 24},
    {"QuantizeLinear", 1, 0, 0},
    {"LayerNormalization", 6, 0, 0},
    {"InstanceNormalization", 6, 0, 0},
    {"GroupNormalization", 6, 0, 0},
    {"RMSNormalization", 2, 0, 0},
    {"SimplifiedLayerNormalization", 2, 0, 0},
    {"SkipLayerNormalization", 28, 0, 0},
    {"SkipSimplifiedLayerNormalization", 12, 0, 0},
    {"EmbedLayerNormalization", 124, 0, 0},
    {"BiasGelu", 2, 0, 0},
    {"FastGelu", 2, 0, 0},
    {"Attention", 6, 0, 0},
    {"MultiHeadAttention", 8, 0, 0},
    {"LSTM", 238, 0, 0},
    {"GRU", 46, 0, 0},
    {"RNN", 46, 0, 0},
    {"Gather", 1, 0, 0},
    {"PRelu", 2, 0, 0},
    {"Transpose", 1, 0, 0},
    {"Add", 0, 3, 0},
    {"Sub", 0, 3, 0},
    {"Mul", 0, 3, 0},
    {"Concat", 0, ~0u, 0},
    {"Expand", 0, 1, 0},
    {"Tile", 0, 1, 0},
    {"Reshape", 0, 1, 0},
    {"Squeeze", 0, 1, 0},
    {"Unsqueeze", 0, 1, 0},
    {"Identity", 0, 1, 0},
    {"Cast", 0, 1, 0},
    {"Slice", 0, 1, 0},
    {"Split", 0, 1, 0},
    {"Flatten", 0, 1, 0},
};

/* Operands that are weights in whole numbers, of networks that were quantised. A bit for each operand. */
static const struct {
    const char *op;
    uint32_t operands;
} whole[] = {
    {"ConvInteger", 2},           {"MatMulInteger", 3},
    {"QLinearConv", 8},           {"QLinearMatMul", 9},
    {"DequantizeLinear", 1},      {"DynamicQuantizeLSTM", 6},
    {"DynamicQuantizeMatMul", 2}, {"MatMulIntegerToFloat", 3},
    {"MatMulNBits", 2},           {"QGemm", 9},
};

/* A name that an exporter makes up: "onnx::Mul_12", "val_3", "/layer/Constant_output_0". */
static int is_made_up(const char *name)
{
    static const char *const begin[] = {"onnx::", "val_", "_val_", "/", "Constant", "const"};
    for (size_t i = 0; i < sizeof begin / sizeof *begin; i++)
        if (!strncmp(name, begin[i], strlen(begin[i]))) return 1;
    return !name[strspn(name, "0123456789")];
}

const onnx_proto *onnx_initializer(const tn_onnx *model, const char *name, unsigned char **role)
{
    uint32_t i;
    if (!name || !tn_index_find(&model->initializers, NULL, name, &i)) return NULL;
    if (role) *role = &model->role[i];
    return model->proto->graph->initializer[i];
}

/* Masks have infinities, which nobody trains. */
static int is_finite(tn_onnx *model, const onnx_proto *t)
{
    tn_shape shape;
    int32_t dtype;
    const void *data = NULL;
    float x;
    if (!onnx_tensor_is_there(t)) return 1;
    if (onnx_tensor_data(model, t, &model->weights, &shape, &dtype, &data) || dtype != TN_F32) return 1;
    for (int64_t i = tn_shape_count(&shape) - 1; i >= 0; i--)
        if (!isfinite(*(float *)memcpy(&x, (const char *)data + (size_t)i * sizeof x, sizeof x))) return 0;
    return 1;
}

static void note_use(tn_onnx *model, size_t use, uint32_t operand, const char *name)
{
    unsigned char *role = NULL;
    const onnx_proto *t = onnx_initializer(model, name, &role);
    const uint32_t bit = operand < 32 ? 1u << operand : 0;
    if (!t || !t->n_dims || !onnx_is_real(t->data_type) || *role) return;
    if (uses[use].statistics & bit) *role = ONNX_STATISTIC;
    if (uses[use].always & bit) *role = ONNX_WEIGHT;
    if (uses[use].named & bit && !is_made_up(name) && is_finite(model, t)) *role = ONNX_WEIGHT;
}

static int is_quantised(tn_onnx *model, const onnx_node_proto *node)
{
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        for (size_t k = 0; k < node->n_input && !strcmp(whole[i].op, node->op_type); k++) {
            unsigned char *role = NULL;
            const onnx_proto *t = onnx_initializer(model, node->input[k], &role);
            if (t && t->n_dims && !onnx_is_real(t->data_type) && k < 32 && whole[i].operands >> k & 1) return 1;
        }
    return 0;
}

static void count_quantised(tn_onnx *model, const onnx_node_proto *node)
{
    if (!is_quantised(model, node)) return;
    for (uint32_t i = 0; i < model->ops; i++)
        model->op[i].quantised +=
            !strcmp(model->op[i].name, node->op_type) && !strcmp(model->op[i].domain, onnx_domain(node->domain));
}

static void note_uses(tn_onnx *model, Onnx__NodeProto **node, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t use = 0; use < sizeof uses / sizeof *uses; use++) {
            if (strcmp(uses[use].op, node[i]->op_type) != 0) continue;
            for (size_t k = 0; k < node[i]->n_input; k++) note_use(model, use, (uint32_t)k, node[i]->input[k]);
        }
        count_quantised(model, node[i]);
        for (size_t k = 0; k < node[i]->n_attribute; k++)
            if (node[i]->attribute[k]->g)
                note_uses(model, node[i]->attribute[k]->g->node, node[i]->attribute[k]->g->n_node);
    }
}

/* The operands of a function's call: those that were named. */
static void note_calls(tn_onnx *model)
{
    const onnx_graph_proto *graph = model->proto->graph;
    for (size_t i = 0; i < graph->n_node; i++) {
        if (onnx_find_rule(onnx_domain(graph->node[i]->domain), graph->node[i]->op_type)) continue;
        for (size_t k = 0; k < graph->node[i]->n_input; k++) {
            unsigned char *role = NULL;
            const onnx_proto *t = onnx_initializer(model, graph->node[i]->input[k], &role);
            if (t && t->n_dims && onnx_is_real(t->data_type) && !*role && !is_made_up(t->name)) *role = ONNX_WEIGHT;
        }
    }
}

tn_status onnx_find_roles(tn_onnx *model)
{
    const onnx_graph_proto *graph = model->proto->graph;
    model->role = tn_alloc(graph->n_initializer + 1);
    if (!model->role) return TN_ENOMEM;
    for (size_t i = 0; i < graph->n_initializer; i++)
        TN_TRY(tn_index_add(&model->initializers, NULL, graph->initializer[i]->name, (uint32_t)i));
    note_uses(model, graph->node, graph->n_node);
    note_calls(model);
    return TN_OK;
}

tn_status onnx_require_trainable(const tn_onnx *model)
{
    const onnx_graph_proto *graph = model->proto->graph;
    size_t op = 0, weight = 0;
    while (op < model->ops && !model->op[op].quantised) op++;
    while (weight < graph->n_initializer && (!(model->role[weight] & ONNX_WEIGHT) || onnx_stays(model, weight)))
        weight++;
    TN_REQUIRE(op == model->ops || weight == graph->n_initializer, TN_EUNSUPPORTED,
               "the network was quantised: weights of %s are whole numbers, which are not trained; train the network "
               "that it was made from, or freeze all of it (tn_onnx_freeze)",
               model->op[op].name);
    return TN_OK;
}
