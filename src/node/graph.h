/* graph.h: the graph's own struct, for the layers above that make leaves and sinks, and for the compiler's passes. */
#ifndef TN_NODE_GRAPH_H
#define TN_NODE_GRAPH_H

#include "alloc.h"
#include "index.h"
#include "node.h"

typedef struct tn_sink {
    const char *name;    /* of an output, or NULL */
    tn_tensor *variable; /* that takes the value, or NULL */
    tn_tensor *value;
} tn_sink;

/* What names begin with; in the graph's region. */
typedef struct tn_scope {
    const struct tn_scope *outer; /* NULL: none */
    const char *prefix;           /* those of the outer ones first */
} tn_scope;

struct tn_graph {
    tn_region region; /* tensors, attributes, names */
    tn_status status; /* the first error, and its text */
    char message[1024];
    tn_tensor **tensor; /* operands before results */
    uint32_t count, capacity;
    tn_sink *sink;
    uint32_t sinks, sink_capacity;
    tn_index names;   /* of leaves, by operator; of outputs, which have none */
    uint32_t streams; /* random streams given out */
    uint32_t advances_step;
    uint32_t optimizers; /* that count their steps */
    uint32_t is_shard;   /* it has one of several shards of a batch */
    tn_tensor *empty;    /* what calls on a failed graph return */
    const tn_scope *scope;
    const tn_origin *stands_for; /* of a graph that is made of another: the node whose part is made; else NULL */
};

/* Adds a tensor without asking the shape rule. */
tn_tensor *tn_graph_add(tn_graph *graph, const tn_op_def *op, tn_type type, tn_tensor *const in[], uint32_t n_in,
                        const void *attrs, const char *name);

/* The name with its scope before it; NULL: there is no memory. */
const char *tn_scoped_name(tn_graph *graph, const char *name);

/* The variable, input or scalar input of that name, or NULL. */
tn_tensor *tn_graph_leaf(const tn_graph *graph, const tn_op_def *op, const char *name);

/* The graph, or one that has always failed where there is none. */
tn_graph *tn_graph_or_failed(tn_graph *graph);

/* Keeps the error that this thread has just met, if it is the graph's first; returns what failed calls return. */
tn_tensor *tn_graph_keep_error(tn_graph *graph, tn_status status);

#endif
