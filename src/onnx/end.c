/* end.c: how a network's first output comes about at its end: the last layer, and the softmax or sigmoid behind it. */
#include <string.h>

#include "rule.h"

/* What is looked through from the output on: it keeps apart what the last layer's outputs are; and what only has
 * another shape, so that a softmax before it is as good as one behind. */
static const struct {
    const char *op;
    int only_moves;
} through[] = {{"Identity", 1},          {"Reshape", 1},     {"Flatten", 1},       {"Squeeze", 1},
               {"Unsqueeze", 1},         {"Cast", 1},        {"Dropout", 1},       {"Relu", 0},
               {"GlobalAveragePool", 0}, {"AveragePool", 0}, {"GlobalMaxPool", 0}, {"MaxPool", 0},
               {"ReduceMean", 0},        {"ReduceMax", 0},   {"Clip", 0},          {"LeakyRelu", 0}};

static const char *const activations[] = {"Softmax", "LogSoftmax", "Sigmoid"};

static const onnx_node_proto *maker_of(const onnx_graph_proto *graph, const char *name)
{
    for (size_t i = graph->n_node; i-- > 0;)
        for (size_t k = 0; k < graph->node[i]->n_output; k++)
            if (*name && !strcmp(graph->node[i]->output[k], name)) return graph->node[i];
    return NULL;
}

static size_t uses_in_nodes(onnx_node_proto *const node[], size_t n, const char *name)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < node[i]->n_input; k++) count += !strcmp(node[i]->input[k], name);
        for (size_t k = 0; k < node[i]->n_attribute; k++)
            if (node[i]->attribute[k]->g) count += onnx_uses(node[i]->attribute[k]->g, name);
    }
    return count;
}

size_t onnx_uses(const onnx_graph_proto *graph, const char *name)
{
    size_t count = uses_in_nodes(graph->node, graph->n_node, name);
    for (size_t i = 0; i < graph->n_output; i++)
        count += graph->output[i]->name && !strcmp(graph->output[i]->name, name);
    return count;
}

size_t onnx_uses_in_all(const tn_onnx *model, const char *name)
{
    size_t count = onnx_uses(model->proto->graph, name);
    for (size_t i = 0; i < model->proto->n_functions; i++) {
        const Onnx__FunctionProto *f = model->proto->functions[i];
        count += uses_in_nodes(f->node, f->n_node, name);
        for (size_t k = 0; k < f->n_output; k++) count += !strcmp(f->output[k], name);
    }
    return count;
}

static int is(const onnx_node_proto *node, const char *op)
{
    return !*onnx_domain(node->domain) && !strcmp(node->op_type, op);
}

static int64_t whole(const onnx_node_proto *node, const char *name, int64_t otherwise)
{
    for (size_t i = 0; i < node->n_attribute; i++)
        if (!strcmp(node->attribute[i]->name, name) && node->attribute[i]->has_i) return node->attribute[i]->i;
    return otherwise;
}

/* The initializer of that name, or that behind transposes and identities; *turned counts the transposes. */
static const onnx_proto *weight_of(const tn_onnx *model, const char *name, int *turned)
{
    const onnx_graph_proto *graph = model->proto->graph;
    for (int deep = 0; deep < 8 && onnx_uses(graph, name) == 1; deep++) {
        const onnx_proto *t = onnx_initializer(model, name, NULL);
        const onnx_node_proto *node = t ? NULL : maker_of(graph, name);
        if (t) return onnx_is_real(t->data_type) ? t : NULL;
        if (!node || !node->n_input || !(is(node, "Transpose") || is(node, "Identity"))) return NULL;
        *turned += is(node, "Transpose");
        name = node->input[0];
    }
    return NULL;
}

static int is_last_layer(const tn_onnx *model, const onnx_node_proto *node, onnx_end *end)
{
    int turned = 0;
    if (node->n_input < 2 || !(is(node, "Gemm") || is(node, "MatMul") || is(node, "Conv"))) return 0;
    end->weight = weight_of(model, node->input[1], &turned);
    const int is_conv = is(node, "Conv");
    turned += whole(node, "transB", 0) != 0;
    if (!end->weight || whole(node, "group", 1) != 1 || (!is_conv && end->weight->n_dims != 2))
        return end->weight = NULL, 0;
    end->axis = is_conv || turned % 2 ? 0 : 1;
    turned = 0;
    if (node->n_input > 2 && *node->input[2]) end->bias = weight_of(model, node->input[2], &turned);
    return 1;
}

/* The other operand, where one is a vector of the file's: what a bias is added to. */
static const char *before_bias(const tn_onnx *model, const onnx_node_proto *node, onnx_end *end)
{
    for (size_t i = 0; is(node, "Add") && !end->bias && node->n_input == 2 && i < 2; i++) {
        int turned = 0;
        end->bias = weight_of(model, node->input[i], &turned);
        if (end->bias) return node->input[1 - i];
    }
    return NULL;
}

static const char *look_through(const onnx_node_proto *node, int *only_moves)
{
    for (size_t i = 0; i < sizeof through / sizeof *through; i++) {
        if (!is(node, through[i].op) || !node->n_input) continue;
        *only_moves &= through[i].only_moves;
        return node->input[0];
    }
    return NULL;
}

static int is_activation(const onnx_graph_proto *graph, const onnx_node_proto *node)
{
    for (size_t i = 0; i < sizeof activations / sizeof *activations; i++)
        if (is(node, activations[i])) return node->n_input == 1 && onnx_uses(graph, node->output[0]) == 1;
    return 0;
}

onnx_end onnx_find_end(const tn_onnx *model)
{
    onnx_end end = {0};
    const onnx_graph_proto *graph = model->proto->graph;
    const char *name = graph->n_output ? graph->output[0]->name : NULL;
    int only_moves = 1;
    for (size_t steps = 0; name && steps <= graph->n_node; steps++) {
        const onnx_node_proto *node = maker_of(graph, name);
        if (!node || is_last_layer(model, node, &end)) break;
        name = look_through(node, &only_moves);
        if (!name && only_moves && !end.activation && is_activation(graph, node)) {
            end.activation = node;
            name = node->input[0];
        }
        if (!name) name = before_bias(model, node, &end), only_moves = 0;
    }
    if (!end.weight || end.axis >= (int32_t)end.weight->n_dims) end.weight = end.bias = NULL;
    return end;
}

int onnx_resized(const onnx_end *end, const onnx_proto *t, int64_t outputs, tn_shape *shape)
{
    if (!t || (t != end->weight && t != end->bias) || onnx_tensor_shape(t, shape) || !shape->rank) return 0;
    shape->dim[t == end->weight ? end->axis : shape->rank - 1] = outputs;
    return 1;
}

void tn_onnx_end_of(const tn_onnx *model, tn_onnx_end *out)
{
    if (!out) return;
    *out = (tn_onnx_end){0};
    if (!model) return;
    const onnx_end end = onnx_find_end(model);
    if (end.activation) out->activation = end.activation->op_type;
    if (!end.weight) return;
    out->weight = end.weight->name;
    out->bias = end.bias ? end.bias->name : NULL;
    out->outputs = end.weight->dims[end.axis];
}
