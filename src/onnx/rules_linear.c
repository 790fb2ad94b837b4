/* rules_linear.c: attention whose cost is linear in the length: instead of all keys a matrix for each head is kept, to
 * which each step adds its key and value, and from which its query reads. Steps are built one by one. */
#include <math.h>

#include "rule.h"

enum { MOST_STEPS = 4096 };

/* What a step sees, and the matrices (b, heads, keys, values) that go from one to the next. */
typedef struct linear {
    tn_tensor *q, *k, *v, *decay, *beta, *state;
    int64_t batch, heads, group, keys, values;
    double scale;
} linear;

/* Step i of (b, t, ...) in that shape. */
static tn_tensor *at_step(tn_tensor *x, int64_t i, tn_shape shape)
{
    return tn_reshape(tn_slice(x, 1, i, 1, 1), shape);
}

/* A value that the matrices have for the key already is taken from it, by the share beta. */
static tn_tensor *corrected(const linear *l, tn_tensor *key, tn_tensor *value, int64_t i)
{
    tn_tensor *known = tn_sum(tn_mul(l->state, key), TN_AXES(2), 1);
    tn_tensor *beta = at_step(l->beta, i, TN_SHAPE(l->batch, onnx_dim(l->beta, 2), 1, 1));
    return tn_mul(beta, tn_sub(value, known));
}

/* What the step's queries read: (b, 1, heads group values). */
static tn_tensor *step(linear *l, int64_t i)
{
    tn_tensor *key = at_step(l->k, i, TN_SHAPE(l->batch, l->heads, l->keys, 1));
    tn_tensor *value = at_step(l->v, i, TN_SHAPE(l->batch, l->heads, 1, l->values));
    tn_tensor *query = at_step(l->q, i, TN_SHAPE(l->batch, l->heads, l->group, l->keys));
    if (l->decay) {
        const int64_t each = onnx_dim(l->decay, 2) / l->heads;
        l->state = tn_mul(l->state, tn_exp(at_step(l->decay, i, TN_SHAPE(l->batch, l->heads, each, 1))));
    }
    if (l->beta) value = corrected(l, key, value, i);
    l->state = tn_add(l->state, tn_mul(key, value));
    tn_tensor *read = tn_mul(tn_matmul(query, l->state), tn_number(l->state, l->scale));
    return tn_reshape(read, TN_SHAPE(l->batch, 1, l->heads * l->group * l->values));
}

/* Whether the form of the update and the operands that there are go together. */
static int fits(onnx_node *n, const linear *l)
{
    static const struct {
        const char *name;
        int decay, beta;
    } forms[] = {{"linear", 0, 0}, {"gated", 1, 0}, {"delta", 0, 1}, {"gated_delta", 1, 1}};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (onnx_text_is(n, "update_rule", "gated_delta", forms[i].name))
            return forms[i].decay == (l->decay != NULL) && forms[i].beta == (l->beta != NULL);
    return 0;
}

static int is_line(const tn_tensor *x, const linear *l, int64_t steps, int64_t one, int64_t other)
{
    return !x || (tn_shape_of(x).rank == 3 && onnx_dim(x, 0) == l->batch && onnx_dim(x, 1) == steps &&
                  (onnx_dim(x, 2) == one || onnx_dim(x, 2) == other));
}

/* The sizes, by the operands' shapes and how many heads there are; returns how many steps, 0 if something is amiss. */
static int64_t measure(onnx_node *n, linear *l)
{
    const int64_t of_query = onnx_int(n, "q_num_heads", 0);
    l->heads = onnx_int(n, "kv_num_heads", 0);
    if (l->heads < 1 || of_query < 1 || of_query % l->heads || tn_shape_of(l->q).rank != 3 ||
        tn_shape_of(l->v).rank != 3)
        return 0;
    const int64_t steps = onnx_dim(l->q, 1);
    l->batch = onnx_dim(l->q, 0), l->group = of_query / l->heads;
    l->keys = onnx_dim(l->q, 2) / of_query, l->values = onnx_dim(l->v, 2) / l->heads;
    const int64_t keys = l->heads * l->keys, values = l->heads * l->values;
    const int fit = is_line(l->q, l, steps, of_query * l->keys, 0) && is_line(l->k, l, steps, keys, keys) &&
                    is_line(l->v, l, steps, values, values) && is_line(l->decay, l, steps, l->heads, keys) &&
                    is_line(l->beta, l, steps, l->heads, 1);
    if (steps > MOST_STEPS) onnx_cannot(n, "more than %d steps", MOST_STEPS);
    return fit && keys && values ? steps : 0;
}

void onnx_rule_linear_attention(onnx_node *n)
{
    linear l = {.q = onnx_in(n, 0), .k = onnx_in(n, 1), .v = onnx_in(n, 2), .decay = onnx_in(n, 4)};
    l.beta = onnx_in(n, 5);
    onnx_heeded(n, "chunk_size");
    if (!l.q || !l.k || !l.v) return;
    const int64_t steps = measure(n, &l);
    if (!steps || n->failed || !fits(n, &l)) return;
    const double scale = onnx_float(n, "scale", 0);
    l.scale = scale != 0 ? scale : 1 / sqrt((double)l.keys);
    l.state = onnx_in(n, 3);
    const int32_t type = onnx_type(n, l.state ? 3 : 0);
    if (!l.state) l.state = tn_full(n->graph, TN_F32, TN_SHAPE(l.batch, l.heads, l.keys, l.values), 0);
    tn_tensor **read = tn_region_alloc(&n->build->region, (size_t)steps * sizeof *read);
    for (int64_t i = 0; read && i < steps; i++) read[i] = step(&l, i);
    if (!read) return;
    onnx_out(n, 0, tn_concat(read, (uint32_t)steps, 1));
    onnx_out_as(n, 1, l.state, type);
}
