/* constant.c: a tensor whose numbers are known when the graph is built. What is one number throughout is a `full`. */
#include "graph.h"
#include "leaf.h"
#include "mapping.h"
#include "reference_internal.h"

#include <string.h>

static const tn_field fields[] = {TN_FIELD(tn_constant_attrs, data, DATA),
                                  TN_FIELD(tn_constant_attrs, dtype, DTYPE),
                                  TN_FIELD(tn_constant_attrs, reserved, NOTHING),
                                  {0}};

const tn_op_def tn_op_constant = {.name = "constant",
                                  .doc = "a tensor of given numbers",
                                  .kind = TN_LEAF,
                                  TN_ATTRS(tn_constant_attrs, fields),
                                  .budget = TN_BUDGET_ROUND};

static uint64_t bytes_of(int32_t dtype, const tn_shape *shape)
{
    return (uint64_t)tn_shape_count(shape) * tn_dtype_size(dtype);
}

/* Bit by bit, so that -0 is not 0; most data differs soon. */
static int is_one_number(const void *data, int32_t dtype, const tn_shape *shape)
{
    uint64_t size = tn_dtype_size(dtype), bytes = bytes_of(dtype, shape);
    return !bytes || !memcmp(data, (const char *)data + size, bytes - size);
}

static double first_number(const void *data, int32_t dtype, const tn_shape *shape)
{
    double value = 0;
    const tn_tensor_desc one = {.dtype = dtype};
    if (tn_shape_count(shape)) tn_reference_load(&value, data, &one);
    return value;
}

static tn_status check(int32_t dtype, const tn_shape *shape, const void *data)
{
    TN_TRY(tn_shape_check(shape));
    TN_REQUIRE(tn_dtype_size(dtype), TN_EDTYPE, "constant: no element type");
    TN_REQUIRE(data || !tn_shape_count(shape), TN_EINVAL, "constant: data is NULL");
    return TN_OK;
}

tn_tensor *tn_constant_at(tn_graph *graph, int32_t dtype, tn_shape shape, const void *data)
{
    graph = tn_graph_or_failed(graph);
    if (graph->status) return graph->empty;
    tn_status s = check(dtype, &shape, data);
    if (s) return tn_graph_keep_error(graph, s);
    if (is_one_number(data, dtype, &shape)) return tn_full(graph, dtype, shape, first_number(data, dtype, &shape));
    const tn_constant_attrs attrs = {.data = data, .dtype = dtype};
    return tn_graph_add(graph, &tn_op_constant, (tn_type){dtype, shape}, NULL, 0, &attrs, NULL);
}

tn_tensor *tn_constant(tn_graph *graph, int32_t dtype, tn_shape shape, const void *data)
{
    graph = tn_graph_or_failed(graph);
    if (graph->status) return graph->empty;
    tn_status s = check(dtype, &shape, data);
    if (s) return tn_graph_keep_error(graph, s);
    void *copy = tn_region_alloc(&graph->region, bytes_of(dtype, &shape) + 1);
    if (!copy) return tn_graph_keep_error(graph, TN_ENOMEM);
    if (data) memcpy(copy, data, bytes_of(dtype, &shape));
    return tn_constant_at(graph, dtype, shape, copy);
}

tn_status tn_constant_check(const tn_tensor *x)
{
    const tn_constant_attrs *at = x->attrs;
    return tn_mapped_check(at->data, bytes_of(at->dtype, &x->type.shape));
}

tn_status tn_constant_numbers(const tn_tensor *x, double *value)
{
    const tn_constant_attrs *at = x->attrs;
    TN_TRY(tn_constant_check(x));
    const tn_tensor_desc desc = tn_desc_dense(at->dtype, &x->type.shape);
    tn_reference_load(value, at->data, &desc);
    return TN_OK;
}
