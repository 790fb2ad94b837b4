/* sorted.c: nodes in an order in which each comes behind those that make what it takes. The standard asks for that, but
 * tools that change a network, as ONNX Runtime's converter to f16, leave what they add at the end, and ONNX Runtime
 * takes it. Nodes that are in order already stay where they are; so do those that wait for each other in a circle, of
 * which a build then says what they miss. */
#include <string.h>

#include "model.h"

/* The nodes of one list, and of each which others it waits for. */
typedef struct waiting {
    tn_index makers; /* of a value: the number of its node */
    uint32_t *maker; /* all that are waited for, node by node */
    uint32_t count, capacity;
    uint32_t *first; /* of a node: where its own begin; one more than there are nodes */
} waiting;

static tn_status wait_for(waiting *w, const char *name)
{
    uint32_t number;
    if (!*name || !tn_index_find(&w->makers, NULL, name, &number)) return TN_OK;
    TN_TRY(tn_grow(&w->maker, &w->capacity, w->count + 1, sizeof *w->maker));
    w->maker[w->count++] = number;
    return TN_OK;
}

/* Parts of the graph within a node take values from around it. */
static tn_status wait_for_all(waiting *w, const onnx_node_proto *node)
{
    for (size_t i = 0; i < node->n_input; i++) TN_TRY(wait_for(w, node->input[i]));
    for (size_t k = 0; k < node->n_attribute; k++) {
        const onnx_graph_proto *g = node->attribute[k]->g;
        for (size_t i = 0; g && i < g->n_node; i++) TN_TRY(wait_for_all(w, g->node[i]));
        for (size_t i = 0; g && i < g->n_output; i++)
            if (g->output[i]->name) TN_TRY(wait_for(w, g->output[i]->name));
    }
    return TN_OK;
}

static tn_status add_outputs(const onnx_node_proto *node, uint32_t number, tn_index *makers)
{
    uint32_t other;
    for (size_t k = 0; k < node->n_output; k++) {
        const char *name = node->output[k];
        if (!*name) continue;
        TN_REQUIRE(!tn_index_find(makers, NULL, name, &other), TN_EFORMAT, "'%s' is made twice", name);
        TN_TRY(tn_index_add(makers, NULL, name, number));
    }
    return TN_OK;
}

static tn_status find_waiting(onnx_node_proto **node, uint32_t count, waiting *w)
{
    w->first = tn_alloc((count + 1) * sizeof *w->first);
    if (!w->first) return TN_ENOMEM;
    for (uint32_t i = 0; i < count; i++) TN_TRY(add_outputs(node[i], i, &w->makers));
    for (uint32_t i = 0; i < count; i++) {
        w->first[i] = w->count;
        TN_TRY(wait_for_all(w, node[i]));
    }
    w->first[count] = w->count;
    return TN_OK;
}

static int is_sorted(const waiting *w, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = w->first[i]; k < w->first[i + 1]; k++)
            if (w->maker[k] > i) return 0;
    return 1;
}

/* The node on top of the stack waits for another that was not met yet: that goes on top. Else it is next. */
static void place(const waiting *w, uint32_t first, uint32_t *stack, uint32_t *at, unsigned char *met, uint32_t *order,
                  uint32_t *placed)
{
    uint32_t depth = 0;
    if (met[first]) return;
    met[first] = 1;
    stack[depth++] = first;
    while (depth) {
        const uint32_t node = stack[depth - 1];
        uint32_t *k = &at[node];
        while (*k < w->first[node + 1] && met[w->maker[*k]]) ++*k;
        if (*k == w->first[node + 1]) {
            order[(*placed)++] = node;
            depth--;
        } else {
            met[w->maker[*k]] = 1;
            stack[depth++] = w->maker[*k];
        }
    }
}

static tn_status put_in_order(onnx_node_proto **node, uint32_t count, const waiting *w)
{
    tn_region room = {0};
    uint32_t placed = 0, *order = tn_region_alloc(&room, count * sizeof *order);
    uint32_t *stack = tn_region_alloc(&room, count * sizeof *stack), *at = tn_region_alloc(&room, count * sizeof *at);
    unsigned char *met = tn_region_alloc(&room, count);
    onnx_node_proto **old = tn_region_alloc(&room, count * sizeof *old);
    tn_status s = order && stack && at && met && old ? TN_OK : TN_ENOMEM;
    if (!s) memcpy(at, w->first, count * sizeof *at), memcpy(old, node, count * sizeof *old);
    for (uint32_t i = 0; !s && i < count; i++) place(w, i, stack, at, met, order, &placed);
    for (uint32_t i = 0; !s && i < count; i++) node[i] = old[order[i]];
    tn_region_free(&room);
    return s;
}

static tn_status sort_one(onnx_node_proto **node, size_t count)
{
    waiting w = {0};
    TN_REQUIRE(count < UINT32_MAX, TN_EFORMAT, "%zu nodes", count);
    tn_status s = find_waiting(node, (uint32_t)count, &w);
    if (!s && !is_sorted(&w, (uint32_t)count)) s = put_in_order(node, (uint32_t)count, &w);
    tn_index_free(&w.makers);
    tn_free(w.maker);
    tn_free(w.first);
    return s;
}

tn_status onnx_sort(onnx_node_proto **node, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < node[i]->n_attribute; k++)
            if (node[i]->attribute[k]->g)
                TN_TRY(onnx_sort(node[i]->attribute[k]->g->node, node[i]->attribute[k]->g->n_node));
    return sort_one(node, count);
}
