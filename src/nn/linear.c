/* linear.c: the fully connected layer, y = x W' + b. */
#include "given.h"
#include "tenon/nn.h"

/* The bias follows the product at once, in two dimensions, so that the compiler makes it the product's epilogue. */
static tn_tensor *affine(tn_tensor *x, const tn_linear_options *options)
{
    tn_graph *graph = tn_graph_of(x);
    tn_init init = options->init ? *options->init : (tn_init){.kind = TN_INIT_LECUN};
    tn_tensor *y = tn_param(graph, "weight", TN_SHAPE(options->units, tn_shape_of(x).dim[1]), init);
    y = tn_matmul_t(x, y, 0, 1);
    if (options->no_bias) return y;
    return tn_add(y, tn_param(graph, "bias", TN_SHAPE(options->units), (tn_init){.kind = TN_INIT_ZERO}));
}

tn_tensor *tn_linear_layer(tn_tensor *x, const char *name, tn_linear_options options)
{
    TN_NAMED(x, name);
    tn_graph *graph = tn_graph_of(x);
    if (tn_graph_status(graph)) return x;
    tn_shape shape = tn_shape_of(x);
    char text[160];
    if (shape.rank < 2 || shape.dim[shape.rank - 1] < 1) {
        tn_graph_fail(graph, TN_ESHAPE, "linear '%s': its input %s should be (batch, features) with at least 1 feature",
                      name, tn_shape_text(&shape, text, sizeof text));
        return x;
    }
    if (options.units < 1) {
        tn_graph_fail(graph, TN_EINVAL, "linear '%s': %lld units; it needs at least 1", name, (long long)options.units);
        return x;
    }
    tn_scope_push(graph, name);
    tn_tensor *y = affine(shape.rank == 2 ? x : tn_reshape(x, TN_SHAPE(-1, shape.dim[shape.rank - 1])), &options);
    shape.dim[shape.rank - 1] = options.units;
    if (shape.rank != 2) y = tn_reshape(y, shape);
    tn_scope_pop(graph);
    return y;
}
