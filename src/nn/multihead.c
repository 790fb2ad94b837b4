/* multihead.c: attention with several heads, and the layers of a transformer. Vaswani and others, "Attention is all you
 * need", 2017. */
#include "given.h"
#include "tenon/nn.h"

#include <math.h>
#include <stdio.h>

/* ---- attention ---- */

/* (batch, steps, parts width) as (parts heads, batch, steps, width / heads): what belongs to a head, or to a part, is
 * in one piece, and a slice of it costs nothing. */
static tn_tensor *by_head(tn_tensor *all, int64_t width, int64_t heads)
{
    tn_shape s = tn_shape_of(all);
    tn_tensor *x = tn_reshape(all, TN_SHAPE(s.dim[0], s.dim[1], s.dim[2] / width * heads, width / heads));
    return tn_transpose(x, (int32_t[]){2, 0, 1, 3});
}

/* The heads of part i. */
static tn_tensor *part_of(tn_tensor *all, int64_t i, int64_t heads)
{
    return tn_slice(all, 0, i * heads, heads, 1);
}

/* Rows `first` to `first + count` of the projections, each `width` outputs, of x (batch, steps, width). */
static tn_tensor *project(tn_tensor *x, int64_t first, int64_t count)
{
    tn_graph *graph = tn_graph_of(x);
    tn_shape s = tn_shape_of(x);
    int64_t width = s.dim[2];
    tn_tensor *weight =
        tn_param(graph, "in_proj_weight", TN_SHAPE(3 * width, width), (tn_init){.kind = TN_INIT_XAVIER});
    tn_tensor *bias = tn_param(graph, "in_proj_bias", TN_SHAPE(3 * width), (tn_init){.kind = TN_INIT_ZERO});
    if (count < 3) {
        weight = tn_slice(weight, 0, first * width, count * width, 1);
        bias = tn_slice(bias, 0, first * width, count * width, 1);
    }
    tn_tensor *y = tn_add(tn_matmul_t(tn_reshape(x, TN_SHAPE(-1, width)), weight, 0, 1), bias);
    return tn_reshape(y, TN_SHAPE(s.dim[0], s.dim[1], count * width));
}

/* Which keys a query may see, for scores (heads, batch, queries, keys): 1 for each size that does not matter; NULL for
 * all. */
static tn_tensor *visible(tn_tensor *scores, const tn_attention_options *o)
{
    tn_shape s = tn_shape_of(scores);
    tn_tensor *causal = NULL, *mask = NULL;
    if (o->causal) {
        tn_graph *graph = tn_graph_of(scores);
        tn_tensor *query = tn_iota(graph, TN_SHAPE(1, 1, s.dim[2], 1), 2),
                  *key = tn_iota(graph, TN_SHAPE(1, 1, 1, s.dim[3]), 3);
        causal = tn_cast(tn_le(key, query), TN_F32);
    }
    if (o->mask) {
        mask = tn_reshape(o->mask, TN_SHAPE(1, s.dim[1], 1, s.dim[3]));
        mask = tn_cast(tn_ne(mask, tn_number(mask, 0)), TN_F32);
    }
    return causal && mask ? tn_mul(causal, mask) : causal ? causal : mask;
}

/* softmax(q k' / sqrt(d)) v over what may be seen. */
static tn_tensor *attend(tn_tensor *q, tn_tensor *k, tn_tensor *v, const tn_attention_options *o)
{
    if (!o->mask && o->dropout == 0) return tn_attention(q, k, v, (int)o->causal);
    tn_shape s = tn_shape_of(q);
    if (o->dropout == 0) {
        tn_tensor *mask = tn_reshape(o->mask, TN_SHAPE(1, s.dim[1], 1, tn_shape_of(k).dim[2]));
        return tn_attend(q, k, v, (tn_attend_options){.mask = mask, .causal = o->causal});
    }
    tn_tensor *scores = tn_mul(tn_matmul_t(q, k, 0, 1), tn_number(q, 1 / sqrt((double)s.dim[3])));
    tn_tensor *seen = visible(scores, o);
    tn_tensor *weights = seen ? tn_masked_softmax(scores, seen, -1) : tn_softmax(scores, -1);
    if (o->dropout != 0) weights = tn_dropout(weights, o->dropout);
    return tn_matmul(weights, v);
}

/* 1 if the shapes fit; else the graph has failed. */
static int fits(tn_tensor *x, const char *name, const tn_attention_options *o)
{
    tn_graph *graph = tn_graph_of(x);
    if (tn_graph_status(graph)) return 0;
    tn_shape s = tn_shape_of(x), m = tn_shape_of(o->memory ? o->memory : x);
    char a[160], b[160];
    if (s.rank != 3 || o->heads < 1 || s.dim[2] < 1 || s.dim[2] % o->heads)
        tn_graph_fail(graph, TN_ESHAPE, "attention '%s': %lld heads over %s, which should be (batch, steps, width)",
                      name, (long long)o->heads, tn_shape_text(&s, a, sizeof a));
    else if (m.rank != 3 || m.dim[0] != s.dim[0] || m.dim[2] != s.dim[2])
        tn_graph_fail(graph, TN_ESHAPE, "attention '%s': a memory %s for %s", name, tn_shape_text(&m, a, sizeof a),
                      tn_shape_text(&s, b, sizeof b));
    if (o->mask && !tn_graph_status(graph)) {
        tn_shape mask = tn_shape_of(o->mask), keys = TN_SHAPE(m.dim[0], m.dim[1]);
        if (!tn_shape_equal(&mask, &keys))
            tn_graph_fail(graph, TN_ESHAPE, "attention '%s': a mask %s for keys %s", name,
                          tn_shape_text(&mask, a, sizeof a), tn_shape_text(&m, b, sizeof b));
    }
    return !tn_graph_status(graph);
}

tn_tensor *tn_multihead_attention_layer(tn_tensor *x, const char *name, tn_attention_options o)
{
    TN_NAMED(x, name);
    if (!fits(x, name, &o)) return x;
    tn_graph *graph = tn_graph_of(x);
    tn_scope_push(graph, name);
    tn_shape shape = tn_shape_of(x);
    int64_t width = shape.dim[2];
    tn_tensor *first = by_head(project(x, 0, o.memory ? 1 : 3), width, o.heads);
    tn_tensor *rest = o.memory ? by_head(project(o.memory, 1, 2), width, o.heads) : first;
    int64_t at = o.memory ? 0 : 1;
    tn_tensor *q = part_of(first, 0, o.heads), *k = part_of(rest, at, o.heads);
    tn_tensor *y = attend(q, k, part_of(rest, at + 1, o.heads), &o);
    y = tn_reshape(tn_transpose(y, (int32_t[]){1, 2, 0, 3}), shape);
    y = tn_linear(y, "out_proj", .units = width);
    tn_scope_pop(graph);
    return y;
}

tn_tensor *tn_self_attention(tn_tensor *x, const char *name, int64_t heads, int causal)
{
    TN_NAMED(x, name);
    return tn_multihead_attention(x, name, .heads = heads, .causal = causal != 0);
}

/* ---- transformer ---- */

/* What the parts of a layer share. */
typedef struct layer {
    const tn_transformer_options *o;
    int part; /* the last one's number */
} layer;

static tn_tensor *norm(const layer *l, tn_tensor *x)
{
    char name[16];
    snprintf(name, sizeof name, "norm%d", l->part);
    return tn_layer_norm(x, name, .epsilon = l->o->epsilon);
}

static tn_tensor *drop(const layer *l, tn_tensor *x)
{
    return l->o->dropout != 0 ? tn_dropout(x, l->o->dropout) : x;
}

static tn_tensor *to_itself(const layer *l, tn_tensor *x)
{
    return tn_multihead_attention(x, "self_attn", .heads = l->o->heads, .causal = l->o->causal, .mask = l->o->mask,
                                  .dropout = l->o->dropout);
}

static tn_tensor *to_memory(const layer *l, tn_tensor *x)
{
    return tn_multihead_attention(x, "multihead_attn", .heads = l->o->heads, .memory = l->o->memory,
                                  .mask = l->o->memory_mask, .dropout = l->o->dropout);
}

static tn_tensor *feed_forward(const layer *l, tn_tensor *x)
{
    tn_shape s = tn_shape_of(x);
    int64_t width = s.dim[s.rank - 1];
    tn_tensor *y = tn_linear(x, "linear1", .units = l->o->hidden ? l->o->hidden : 4 * width);
    y = drop(l, l->o->relu ? tn_relu(y) : tn_gelu(y));
    return tn_linear(y, "linear2", .units = width);
}

/* x and a part of it, normalised before or after. */
static tn_tensor *add_part(layer *l, tn_tensor *x, tn_tensor *(*part)(const layer *l, tn_tensor *x))
{
    l->part++;
    if (l->o->norm_last) return norm(l, tn_add(x, drop(l, part(l, x))));
    return tn_add(x, drop(l, part(l, norm(l, x))));
}

tn_tensor *tn_transformer_layer(tn_tensor *x, const char *name, tn_transformer_options options)
{
    TN_NAMED(x, name);
    layer l = {.o = &options};
    tn_graph *graph = tn_graph_of(x);
    tn_scope_push(graph, name);
    x = add_part(&l, x, to_itself);
    if (options.memory) x = add_part(&l, x, to_memory);
    x = add_part(&l, x, feed_forward);
    tn_scope_pop(graph);
    return x;
}

/* sin(p / 10000^(i / width)) in the even columns i, and the cosine of the same in the next ones. */
tn_tensor *tn_sinusoids(tn_graph *graph, int64_t steps, int64_t width)
{
    tn_shape shape = TN_SHAPE(steps, width);
    tn_tensor *place = tn_cast(tn_iota(graph, shape, 0), TN_F32), *column = tn_cast(tn_iota(graph, shape, 1), TN_F32);
    tn_tensor *half = tn_floor(tn_mul(column, tn_number(column, 0.5)));
    tn_tensor *even = tn_mul(half, tn_number(half, 2)), *is_odd = tn_gt(column, even);
    tn_tensor *rate = tn_exp(tn_mul(even, tn_number(even, width ? -log(10000) / (double)width : 0)));
    tn_tensor *angle = tn_mul(place, rate);
    return tn_where(is_odd, tn_cos(angle), tn_sin(angle));
}
