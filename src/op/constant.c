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

/* Bit by bit, so that -0 is not 0; most data differs soon. The numbers may lie in a file that others cut. */
static tn_status is_one_number(const void *data, int32_t dtype, const tn_shape *shape, int *is, double *number)
{
    const uint64_t size = tn_dtype_size(dtype), bytes = bytes_of(dtype, shape);
    const tn_tensor_desc one = {.dtype = dtype};
    tn_look window = {.data = data, .bytes = bytes};
    unsigned char first[sizeof(double)];
    const unsigned char *byte;
    uint64_t count = 0;
    *is = 1, *number = 0;
    for (uint64_t at = 0; at < bytes && *is; at += count) {
        TN_TRY(tn_look_at(&window, at, &byte, &count));
        if (!at) memcpy(first, byte, size);
        *is = !memcmp(first, byte, size) && !memcmp(byte, byte + size, count - size);
    }
    if (bytes && *is) tn_reference_load(number, first, &one);
    return TN_OK;
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
    int is_one;
    double number;
    graph = tn_graph_or_failed(graph);
    if (graph->status) return graph->empty;
    tn_status s = check(dtype, &shape, data);
    if (s) return tn_graph_keep_error(graph, s);
    s = is_one_number(data, dtype, &shape, &is_one, &number);
    if (s) return tn_graph_keep_error(graph, s);
    if (is_one) return tn_full(graph, dtype, shape, number);
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
    const uint64_t size = tn_dtype_size(at->dtype), bytes = bytes_of(at->dtype, &x->type.shape);
    tn_look window = {.data = at->data, .bytes = bytes};
    const unsigned char *byte;
    uint64_t count;
    for (uint64_t first = 0; first < bytes; first += count) {
        TN_TRY(tn_look_at(&window, first, &byte, &count));
        const tn_tensor_desc some = tn_desc_dense(at->dtype, &TN_SHAPE((int64_t)(count / size)));
        tn_reference_load(value + first / size, byte, &some);
    }
    return TN_OK;
}
