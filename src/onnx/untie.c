/* untie.c: exporters keep one of initializers that are equal, as those of a fresh network's layers are, and make the
 * others Identity nodes of it. They are weights of their own again here, under the names of those nodes' outputs, so
 * that in training each goes its own way. Their numbers are the one's. */
#include <string.h>

#include "rule.h"

static const onnx_proto *find(const onnx_graph_proto *graph, const char *name)
{
    for (size_t i = 0; i < graph->n_initializer; i++)
        if (graph->initializer[i]->name && !strcmp(graph->initializer[i]->name, name)) return graph->initializer[i];
    return NULL;
}

/* The initializer of floating point that the node is an Identity of, if something else uses it too. */
static const onnx_proto *shared(const onnx_graph_proto *graph, const onnx_node_proto *node)
{
    if (!node->op_type || strcmp(node->op_type, "Identity") != 0 || *onnx_domain(node->domain)) return NULL;
    if (node->n_input != 1 || node->n_output != 1 || !*node->input[0] || !*node->output[0]) return NULL;
    const onnx_proto *t = find(graph, node->input[0]);
    if (!t || !t->n_dims || !onnx_is_real(t->data_type)) return NULL;
    return onnx_uses(graph, t->name) > 1 ? t : NULL;
}

static tn_status add(tn_onnx *model, const onnx_proto *t, const char *name)
{
    onnx_graph_proto *graph = model->proto->graph;
    const size_t count = graph->n_initializer;
    onnx_proto **longer = tn_alloc((count + 1) * sizeof *longer), *copy = tn_alloc(sizeof *copy);
    char *kept = tn_strdup(name);
    if (!longer || !copy || !kept) {
        tn_free(longer);
        tn_free(copy);
        tn_free(kept);
        return TN_ENOMEM;
    }
    *copy = *t;
    copy->name = kept;
    memcpy(longer, graph->initializer, count * sizeof *longer);
    longer[count] = copy;
    tn_free(graph->initializer);
    graph->initializer = longer;
    graph->n_initializer++;
    model->untied++;
    return TN_OK;
}

static void drop(tn_onnx *model, const unsigned char *gone)
{
    onnx_graph_proto *graph = model->proto->graph;
    size_t kept = 0;
    for (size_t i = 0; i < graph->n_node; i++)
        if (gone[i])
            onnx__node_proto__free_unpacked(graph->node[i], &model->heap);
        else
            graph->node[kept++] = graph->node[i];
    graph->n_node = kept;
}

tn_status onnx_untie(tn_onnx *model)
{
    onnx_graph_proto *graph = model->proto->graph;
    unsigned char *gone = tn_alloc(graph->n_node + 1);
    tn_status s = gone ? TN_OK : TN_ENOMEM;
    for (size_t i = 0; !s && i < graph->n_node; i++) {
        const onnx_proto *t = shared(graph, graph->node[i]);
        if (t) s = add(model, t, graph->node[i]->output[0]);
        gone[i] = t && !s;
    }
    if (gone) drop(model, gone);
    tn_free(gone);
    return s;
}

void onnx_untied_free(tn_onnx *model)
{
    onnx_graph_proto *graph = model->proto ? model->proto->graph : NULL;
    for (; graph && model->untied; model->untied--) {
        onnx_proto *copy = graph->initializer[--graph->n_initializer];
        tn_free(copy->name);
        tn_free(copy);
    }
}
