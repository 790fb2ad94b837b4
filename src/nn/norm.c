/* norm.c: normalisation layers: batch, layer, group, instance and RMS normalisation, with PyTorch's names, shapes and
 * defaults.
 */
#include "given.h"
#include "tenon/nn.h"

#include <float.h>
#include <math.h>

/* Added to variances unless given. */
#define EPSILON 1e-5

/* The variable `name`.`suffix`. */
static tn_tensor *part(tn_graph *graph, const char *name, const char *suffix, tn_shape shape, double value,
                       uint32_t flags)
{
    tn_scope_push(graph, name);
    tn_tensor *x = tn_variable(graph, suffix, TN_F32, shape, (tn_init){.kind = TN_INIT_CONSTANT, .a = value}, flags);
    tn_scope_pop(graph);
    return x;
}

/* x weight + bias, both of `shape` and read as `as`. */
static tn_tensor *affine(tn_tensor *x, const char *name, tn_shape shape, tn_shape as)
{
    tn_graph *graph = tn_graph_of(x);
    x = tn_mul(x, tn_reshape(part(graph, name, "weight", shape, 1, TN_TRAINABLE), as));
    return tn_add(x, tn_reshape(part(graph, name, "bias", shape, 0, TN_TRAINABLE), as));
}

/* 1 if the input has at least that many dimensions, none of the channels (dimension 1) missing. */
static int has_rank(const char *kind, const char *name, tn_tensor *x, int32_t rank)
{
    tn_shape s = tn_shape_of(x);
    char text[160];
    if (tn_graph_status(tn_graph_of(x))) return 0;
    if (s.rank >= rank) return 1;
    tn_graph_fail(tn_graph_of(x), TN_ESHAPE, "%s '%s': its input %s should have at least %d dimensions", kind, name,
                  tn_shape_text(&s, text, sizeof text), rank);
    return 0;
}

/* What is given, 0 standing for the usual and TN_ZERO for 0; else the graph fails. */
static double epsilon_of(const char *kind, const char *name, tn_tensor *x, double given, double usual)
{
    if (given == 0) return usual;
    if (given == TN_ZERO) return 0;
    if (!(given > 0) || isinf(given))
        tn_graph_fail(tn_graph_of(x), TN_EINVAL, "%s '%s': the epsilon %g is not a number above 0", kind, name, given);
    return given;
}

/* The shape of one number for each channel, to be broadcast over (batch, channels, ...). */
static tn_shape over_channels(const tn_shape *x)
{
    tn_shape s = {.rank = x->rank - 1};
    for (int32_t d = 0; d < s.rank; d++) s.dim[d] = d ? 1 : x->dim[1];
    return s;
}

static tn_axes all_but_channels(const tn_shape *x)
{
    tn_axes axes = {.count = 1};
    for (int32_t d = 2; d < x->rank; d++) axes.axis[axes.count++] = d;
    return axes;
}

/* running = (1 - momentum) running + momentum now; each use of a layer in turn. */
static void follow(tn_tensor *running, tn_tensor *now, double momentum)
{
    tn_tensor *old = tn_mul(tn_assigned(running), tn_number(running, 1 - momentum));
    tn_assign_again(running, tn_add(old, tn_mul(tn_reshape(now, tn_shape_of(running)), tn_number(now, momentum))));
}

/* The mean of each channel: of all shards of the batch, or of what the graph has. */
static tn_tensor *mean_of(tn_tensor *x, uint32_t sync)
{
    tn_shape shape = tn_shape_of(x);
    tn_tensor *mean = tn_mean(x, all_but_channels(&shape), 1);
    return sync ? tn_across(tn_mul(mean, tn_batch_share(mean))) : mean;
}

/* What makes a variance of `count` values for each channel unbiased: n / (n - 1), for all shards of the batch or for
 * what the graph has. */
static tn_tensor *correction(tn_tensor *x, uint32_t sync, double count)
{
    if (!sync) return tn_number(x, count / (count - 1));
    return tn_div(tn_number(x, count), tn_sub(tn_number(x, count), tn_batch_share(x)));
}

/* The running statistics take in those of x, of `count` values for each channel; the variance is the unbiased one. */
static void follow_both(tn_tensor *x, tn_tensor *running_mean, tn_tensor *running_var, double momentum, uint32_t sync,
                        double count)
{
    tn_tensor *mean = mean_of(x, sync), *variance = mean_of(tn_square(tn_sub(x, mean)), sync);
    follow(running_mean, mean, momentum);
    follow(running_var, tn_mul(variance, correction(x, sync, count)), momentum);
}

tn_tensor *tn_batch_norm_layer(tn_tensor *x, const char *name, tn_batch_norm_options options)
{
    TN_NAMED(x, name);
    if (!has_rank("batch_norm", name, x, 2)) return x;
    tn_graph *graph = tn_graph_of(x);
    tn_shape shape = tn_shape_of(x), as = over_channels(&shape), each = TN_SHAPE(shape.dim[1]);
    double epsilon = epsilon_of("batch_norm", name, x, options.epsilon, EPSILON);
    double momentum = options.momentum != 0 ? options.momentum : 0.1;
    tn_tensor *mean = part(graph, name, "running_mean", each, 0, 0);
    tn_tensor *variance = part(graph, name, "running_var", each, 1, 0);
    tn_tensor *weight = part(graph, name, "weight", each, 1, TN_TRAINABLE);
    tn_tensor *bias = part(graph, name, "bias", each, 0, TN_TRAINABLE);
    if (!options.training) {
        tn_tensor *scale = tn_div(weight, tn_sqrt(tn_add(variance, tn_number(variance, epsilon))));
        tn_tensor *shift = tn_sub(bias, tn_mul(mean, scale));
        return tn_add(tn_mul(x, tn_reshape(scale, as)), tn_reshape(shift, as));
    }
    double count = (double)tn_shape_count(&shape) / (double)(shape.dim[1] ? shape.dim[1] : 1);
    int is_part = options.sync && tn_graph_is_shard(graph);
    if (count < 2 && !is_part)
        tn_graph_fail(graph, TN_ESHAPE,
                      "batch_norm '%s': a batch of one sample, as the last of an epoch may be, or a shard of one,"
                      " has one value for each channel and no variance",
                      name);
    follow_both(x, mean, variance, momentum, options.sync, count);
    as = shape;
    for (int32_t d = 0; d < as.rank; d++) as.dim[d] = d == 1 ? shape.dim[1] : 1;
    weight = tn_reshape(weight, as), bias = tn_reshape(bias, as);
    return (options.sync ? tn_batch_normalize_across : tn_batch_normalize)(x, weight, bias, all_but_channels(&shape),
                                                                           epsilon);
}

/* Each of so many equal parts of x, one after another. */
static tn_tensor *normalize_rows(tn_tensor *x, int64_t rows, double epsilon)
{
    tn_shape shape = tn_shape_of(x);
    int64_t count = tn_shape_count(&shape);
    tn_tensor *y = tn_normalize(tn_reshape(x, TN_SHAPE(rows, rows ? count / rows : 0)), TN_AXES(-1), epsilon);
    return tn_reshape(y, shape);
}

tn_tensor *tn_instance_norm_layer(tn_tensor *x, tn_norm_options options)
{
    const char *name = options.name ? options.name : "";
    if (!has_rank("instance_norm", name, x, 3)) return x;
    tn_shape shape = tn_shape_of(x);
    double epsilon = epsilon_of("instance_norm", name, x, options.epsilon, EPSILON);
    tn_tensor *y = normalize_rows(x, shape.dim[0] * shape.dim[1], epsilon);
    return options.name ? affine(y, name, TN_SHAPE(shape.dim[1]), over_channels(&shape)) : y;
}

tn_tensor *tn_prelu(tn_tensor *x, const char *name, int each_channel)
{
    TN_NAMED(x, name);
    if (!has_rank("prelu", name, x, each_channel ? 2 : 1)) return x;
    tn_shape shape = tn_shape_of(x), as = each_channel ? over_channels(&shape) : TN_SHAPE(1);
    tn_shape size = TN_SHAPE(each_channel ? shape.dim[1] : 1);
    tn_tensor *slope = part(tn_graph_of(x), name, "weight", size, 0.25, TN_TRAINABLE);
    return tn_leaky_relu(x, tn_reshape(slope, as));
}

tn_tensor *tn_layer_norm_layer(tn_tensor *x, tn_norm_options options)
{
    TN_NAMED(x, options.name);
    if (!has_rank("layer_norm", options.name, x, 1)) return x;
    tn_shape shape = tn_shape_of(x), last = TN_SHAPE(shape.dim[shape.rank - 1]);
    double epsilon = epsilon_of("layer_norm", options.name, x, options.epsilon, EPSILON);
    tn_tensor *weight = part(tn_graph_of(x), options.name, "weight", last, 1, TN_TRAINABLE);
    tn_tensor *bias = part(tn_graph_of(x), options.name, "bias", last, 0, TN_TRAINABLE);
    return tn_layer_normalize(x, weight, epsilon, (tn_layer_normalize_options){.bias = bias});
}

tn_tensor *tn_rms_norm_layer(tn_tensor *x, tn_norm_options options)
{
    TN_NAMED(x, options.name);
    if (!has_rank("rms_norm", options.name, x, 1)) return x;
    tn_shape shape = tn_shape_of(x), last = TN_SHAPE(shape.dim[shape.rank - 1]);
    double epsilon = epsilon_of("rms_norm", options.name, x, options.epsilon, FLT_EPSILON);
    tn_tensor *weight = part(tn_graph_of(x), options.name, "weight", last, 1, TN_TRAINABLE);
    return tn_layer_normalize(x, weight, epsilon, (tn_layer_normalize_options){.keep_mean = 1});
}

tn_tensor *tn_group_norm_layer(tn_tensor *x, const char *name, tn_group_norm_options options)
{
    TN_NAMED(x, name);
    if (!has_rank("group_norm", name, x, 2)) return x;
    int64_t groups = options.groups;
    double epsilon = epsilon_of("group_norm", name, x, options.epsilon, EPSILON);
    tn_shape shape = tn_shape_of(x);
    if (groups < 1 || shape.dim[1] % groups) {
        tn_graph_fail(tn_graph_of(x), TN_ESHAPE, "group_norm '%s': %lld groups of %lld channels", name,
                      (long long)groups, (long long)shape.dim[1]);
        return x;
    }
    x = normalize_rows(x, shape.dim[0] * groups, epsilon);
    return affine(x, name, TN_SHAPE(shape.dim[1]), over_channels(&shape));
}
