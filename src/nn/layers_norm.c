/* layers_norm.c: normalisation in a network's spec, and residual branches, which need it. */
#include "layers.h"
#include "pattern.h"

#include <stdio.h>

/* ---- normalisation ---- */

/* Frozen batch normalisation takes its running statistics. An epsilon of 0 is the usual one. */
static tn_tensor *batch_norm(tn_net_build *build, tn_tensor *x, const char *name, double epsilon)
{
    char running[64];
    snprintf(running, sizeof running, "%s.running_mean", name);
    int frozen = tn_pattern_any(build->options.freeze, running);
    return tn_batch_norm(x, name, .training = build->options.training && !frozen, .epsilon = epsilon,
                         .sync = build->options.sync_norm);
}

tn_tensor *tn_layer_batch_norm(tn_net_build *build, tn_tensor *x, const double arg[])
{
    char name[32];
    return batch_norm(build, x, tn_net_name(build, "bn", name), arg[0]);
}

tn_tensor *tn_layer_layer_norm(tn_net_build *build, tn_tensor *x, const double arg[])
{
    char name[32];
    return tn_layer_norm(x, tn_net_name(build, "ln", name), .epsilon = arg[0]);
}

tn_tensor *tn_layer_rms_norm(tn_net_build *build, tn_tensor *x, const double arg[])
{
    char name[32];
    return tn_rms_norm(x, tn_net_name(build, "rms", name), .epsilon = arg[0]);
}

tn_tensor *tn_layer_group_norm(tn_net_build *build, tn_tensor *x, const double arg[])
{
    char name[32];
    return tn_group_norm(x, tn_net_name(build, "gn", name), (int64_t)arg[0], .epsilon = arg[1]);
}

tn_tensor *tn_layer_instance_norm(tn_net_build *build, tn_tensor *x, const double arg[])
{
    char name[32];
    return tn_instance_norm(x, tn_net_name(build, "in", name), .epsilon = arg[0]);
}

/* ---- residual branches (He, Zhang, Ren and Sun, "Deep residual learning", 2016) ---- */

/* The shortcut of kind A: every `step`-th pixel of x, and zeros for the channels that it lacks, half of them on either
 * side. It has no parameters. */
static tn_tensor *shortcut(tn_tensor *x, const tn_shape *want)
{
    tn_shape have = tn_shape_of(x);
    int64_t more = want->dim[1] - have.dim[1];
    for (int32_t d = 2; d < 4; d++) {
        int64_t size = want->dim[d], step = size ? (have.dim[d] + size - 1) / size : 1;
        if (step > 1) x = tn_slice(x, d, 0, size, step);
    }
    return more > 0 ? tn_pad(x, 1, more / 2, more - more / 2) : x;
}

/* A step through the picture that gives as many pixels as the branch has. */
static int shortens(const tn_shape *from, const tn_shape *to)
{
    if (from->rank != 4 || to->rank != 4 || from->dim[1] > to->dim[1]) return 0;
    for (int d = 2; d < 4; d++) {
        int64_t have = from->dim[d], want = to->dim[d], step = want ? (have + want - 1) / want : 0;
        if (!step || (have + step - 1) / step != want) return 0;
    }
    return 1;
}

static tn_tensor *join(tn_tensor *x, tn_tensor *branch)
{
    tn_shape from = tn_shape_of(x), to = tn_shape_of(branch);
    char a[160], b[160];
    if (tn_graph_status(tn_graph_of(branch))) return branch;
    if (tn_shape_equal(&from, &to)) return tn_add(branch, x);
    if (shortens(&from, &to)) return tn_add(branch, shortcut(x, &to));
    tn_graph_fail(tn_graph_of(x), TN_ESHAPE, "end: a residual branch from %s to %s cannot be added up",
                  tn_shape_text(&from, a, sizeof a), tn_shape_text(&to, b, sizeof b));
    return branch;
}

tn_tensor *tn_layer_residual(tn_net_build *build, tn_tensor *x, const double arg[])
{
    (void)arg;
    if (build->depth == TN_NET_DEPTH)
        tn_graph_fail(tn_graph_of(x), TN_EINVAL, "residual: more than %d branches within each other", TN_NET_DEPTH);
    else
        build->branch[build->depth++] = x;
    return x;
}

tn_tensor *tn_layer_end(tn_net_build *build, tn_tensor *x, const double arg[])
{
    (void)arg;
    if (build->depth) return join(build->branch[--build->depth], x);
    tn_graph_fail(tn_graph_of(x), TN_EINVAL, "end: no residual branch has begun");
    return x;
}

/* Convolution number i of a block, without a bias, which the normalisation would take away again. */
static tn_tensor *normed_conv(tn_net_build *build, tn_tensor *x, const char *block, int i, int64_t filters,
                              uint32_t stride)
{
    char name[64];
    tn_init init = build->init_by_layer ? (tn_init){.kind = TN_INIT_HE} : build->init;
    snprintf(name, sizeof name, "%s.conv%d", block, i);
    x = tn_conv2d(x, name, .filters = filters, .kernel = {3, 3}, .stride = {stride, stride}, .pad = {1, 1},
                  .no_bias = 1, .init = &init);
    snprintf(name, sizeof name, "%s.bn%d", block, i);
    return batch_norm(build, x, name, 0);
}

tn_tensor *tn_layer_block(tn_net_build *build, tn_tensor *x, const double arg[])
{
    char name[32];
    uint32_t stride = arg[TN_POSITIONS] != 0 ? (uint32_t)arg[TN_POSITIONS] : 1;
    int64_t filters = (int64_t)arg[0];
    tn_net_name(build, "block", name);
    tn_tensor *y = tn_relu(normed_conv(build, x, name, 1, filters, stride));
    return tn_relu(join(x, normed_conv(build, y, name, 2, filters, 1)));
}
