/* store.h: a graph as JSON, for reading and writing it.
 *
 *     {"tenon_graph": 1, "streams": 2,
 *     "tensors": [
 *     {"id": 0, "op": "input", "name": "x", "dtype": "f32", "shape": [64, 784]},
 *     {"id": 1, "op": "concat", "in": [0, 0], "dtype": "f32", "shape": [64, 1568], "attrs": {"axis": 1}}],
 *     "sinks": [
 *     {"output": "y", "value": 1}]}
 *
 * Tensors are in the graph's order, operands before results, and `attrs` has the fields of the operator's rows
 * (field.h) that are not 0. An assignment is {"variable": 3, "value": 17}. What is left out is 0. Numbers that are not
 * finite are the texts "nan", "inf" and "-inf". */
#ifndef TN_STORE_STORE_H
#define TN_STORE_STORE_H

#define TN_GRAPH_FILE 1 /* the format's version: moves when an older reader would misread a file */

/* Bytes of a file. */
#define TN_MOST_GRAPH ((uint64_t)1 << 30)

/* Whole numbers that JSON, whose numbers are doubles, keeps. */
#define TN_MOST_WHOLE ((int64_t)1 << 53)

/* The graph's own numbers, by their names in the file: X(field of tn_graph, most). */
#define TN_GRAPH_NUMBERS(X)                                                                                            \
    X(streams, UINT32_MAX)                                                                                             \
    X(optimizers, 1 << 20)                                                                                             \
    X(advances_step, 1)                                                                                                \
    X(is_shard, 1)

#endif
