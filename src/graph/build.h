/* build.h: sinks, for the compiler's passes. */
#ifndef TN_GRAPH_BUILD_H
#define TN_GRAPH_BUILD_H

#include "graph.h"
#include "op.h"

/* Adds a sink: an output if it has a name, else an assignment. */
void tn_graph_sink(tn_graph *graph, tn_sink sink);

#endif
