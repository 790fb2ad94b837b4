/* noise.c: layers that are for training alone: whole channels dropped, and pictures shifted and flipped at random. Each
 * sample has its own numbers, new ones in each step; there is nothing to train. */
#include "tenon/nn.h"

static int is_picture(tn_tensor *x, const char *what)
{
    tn_shape s = tn_shape_of(x);
    char text[160];
    if (tn_graph_status(tn_graph_of(x))) return 0;
    if (s.rank == 4) return 1;
    tn_graph_fail(tn_graph_of(x), TN_ESHAPE, "%s: its input %s should be (batch, channels, height, width)", what,
                  tn_shape_text(&s, text, sizeof text));
    return 0;
}

tn_tensor *tn_dropout_channels(tn_tensor *x, double rate)
{
    tn_graph *graph = tn_graph_of(x);
    tn_shape s = tn_shape_of(x);
    char text[160];
    if (tn_graph_status(graph)) return x;
    if (s.rank < 2) {
        tn_graph_fail(graph, TN_ESHAPE, "dropout_channels: its input %s should be (batch, channels, ...)",
                      tn_shape_text(&s, text, sizeof text));
        return x;
    }
    for (int32_t d = 2; d < s.rank; d++) s.dim[d] = 1;
    return tn_mul(x, tn_dropout(tn_full(graph, tn_dtype_of(x), s, 1), rate));
}

tn_tensor *tn_random_flip(tn_tensor *x)
{
    if (!is_picture(x, "random_flip")) return x;
    tn_tensor *chance = tn_random_uniform(tn_graph_of(x), TN_SHAPE(tn_shape_of(x).dim[0], 1, 1, 1));
    return tn_where(tn_lt(chance, tn_number(chance, 0.5)), tn_flip(x, 3), x);
}

/* Along an axis by -most..most places, the same for all of a sample; zeros come in. */
static tn_tensor *shift(tn_tensor *x, int32_t axis, int64_t most)
{
    tn_graph *graph = tn_graph_of(x);
    tn_shape s = tn_shape_of(x);
    tn_tensor *chance = tn_random_uniform(graph, TN_SHAPE(s.dim[0], 1, 1, 1));
    tn_tensor *way = tn_floor(tn_mul(chance, tn_number(chance, (double)(2 * most + 1))));
    way = tn_min(way, tn_number(way, (double)(2 * most))); /* rounding may bring a product to the end */
    way = tn_cast(tn_sub(way, tn_number(way, (double)most)), TN_I32);
    return tn_take(x, tn_add(tn_iota(graph, s, axis), way), axis);
}

tn_tensor *tn_random_crop(tn_tensor *x, int64_t pad)
{
    if (!is_picture(x, "random_crop")) return x;
    if (pad < 0 || pad > 1 << 20)
        tn_graph_fail(tn_graph_of(x), TN_EINVAL, "random_crop: a padding of %lld", (long long)pad);
    return pad > 0 ? shift(shift(x, 2, pad), 3, pad) : x;
}
