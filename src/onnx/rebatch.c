/* rebatch.c: another number of samples than the file declares. Exporters that were given a fixed batch write it into
 * the shapes of their Reshapes. So the graph is first built as declared, to see what comes of each, and then for the
 * batch that is wanted: there a Reshape scales the dimension in which the samples are. */
#include <string.h>

#include "rule.h"

/* ---- what the declared graph does ---- */

static void note(onnx_node *n, const tn_tensor *x, const tn_shape *asked, const tn_tensor *y)
{
    onnx_batch *b = &n->build->batch;
    if (b->is_noting && !tn_grow(&b->noted, &b->room, b->count + 1, sizeof *b->noted))
        b->noted[b->count] = (onnx_reshaped){n->proto->output[0], tn_shape_of(x), *asked, tn_shape_of(y)};
    b->count++;
}

static const onnx_reshaped *noted(const onnx_node *n)
{
    const onnx_batch *batch = &n->build->batch;
    if (!batch->declared || batch->count >= batch->declared_count) return NULL;
    const onnx_reshaped *was = &batch->declared[batch->count];
    return was->name == n->proto->output[0] ? was : NULL;
}

/* ---- the same for the batch that is wanted ---- */

/* Which dimension the samples are in: the one of which there are more or less now. -1: none, or it is not that alone.
 */
static int32_t samples_in(const tn_shape *was, const tn_shape *is)
{
    int32_t at = -1;
    if (was->rank != is->rank) return -1;
    for (int32_t d = 0; d < was->rank; d++) {
        if (was->dim[d] == is->dim[d]) continue;
        if (at >= 0) return -1;
        at = d;
    }
    return at;
}

/* What is behind dimension `at` of a is behind `to` of b, too, in as many dimensions or fewer. */
static int same_behind(const tn_shape *a, int32_t at, const tn_shape *b, int32_t to)
{
    int64_t left = 1, right = 1;
    for (int32_t d = at + 1; d < a->rank; d++) left *= a->dim[d];
    for (int32_t d = to + 1; d < b->rank; d++) right *= b->dim[d];
    return left == right && b->rank - to <= a->rank - at;
}

/* Where they go: a dimension of their own; the one that they were in; the fast part of what was before them, if what is
 * behind stays, as (time, samples, n, m) becomes (time samples, n m), and out of that again; or else the slow part of
 * what comes there, as (time, samples, heads n) becomes (time, samples heads, n). */
static int32_t samples_to(const tn_shape *from, int32_t at, const tn_shape *to, onnx_batch *batch)
{
    int64_t before = 1;
    int32_t own = -1, out = -1, kept = -1, slow = -1, fast = -1;
    for (int32_t d = 0; d < at; d++) before *= from->dim[d];
    for (int32_t d = to->rank - 1; d >= 0; d--) {
        int64_t seen = 1;
        for (int32_t k = 0; k < d; k++) seen *= to->dim[k];
        if (seen * to->dim[d] == before * from->dim[at] && same_behind(from, at, to, d)) fast = d;
        if (seen == before * from->dim[at] && to->dim[d] == batch->was && batch->was_fast) out = d;
        if (seen != before) continue;
        slow = d;
        if (to->dim[d] == from->dim[at]) kept = d;
        if (to->dim[d] == batch->was) own = d;
    }
    if (own >= 0) return own;
    if (out >= 0 && from->dim[at] != batch->was) return out;
    if (kept >= 0) return kept;
    if (fast < 0) return slow;
    batch->was_fast |= before > 1;
    return fast;
}

/* A shape that is asked for whatever the batch. */
static void scale(onnx_node *n, const tn_tensor *x, tn_shape *shape)
{
    const onnx_reshaped *was = noted(n);
    const tn_shape from = tn_shape_of(x);
    const int32_t at = was && tn_shape_equal(&was->asked, shape) ? samples_in(&was->from, &from) : -1;
    const int32_t to = at >= 0 ? samples_to(&was->from, at, &was->to, &n->build->batch) : -1;
    if (to < 0 || !was->from.dim[at] || was->to.dim[to] * from.dim[at] % was->from.dim[at]) return;
    tn_shape scaled = was->to;
    scaled.dim[to] = scaled.dim[to] * from.dim[at] / was->from.dim[at];
    if (tn_shape_count(&scaled) == tn_shape_count(&from)) *shape = scaled;
}

tn_tensor *onnx_rebatched_reshape(onnx_node *n, tn_tensor *x, tn_shape asked)
{
    tn_shape shape = asked;
    scale(n, x, &shape);
    tn_tensor *y = tn_reshape(x, shape);
    note(n, x, &asked, y);
    return y;
}

/* What is the same for all samples, and was there once for a batch of 1. */
tn_tensor *onnx_rebatch_part(const onnx_node *n, tn_tensor *x, int32_t axis)
{
    const onnx_batch *batch = &n->build->batch;
    tn_shape shape = tn_shape_of(x);
    if (!batch->declared || batch->was != 1 || axis == 0 || !shape.rank || shape.dim[0] != 1) return x;
    for (uint32_t i = 0; i < n->n_in; i++) {
        const tn_tensor *other = onnx_in(n, i);
        if (!other || onnx_dim(other, 0) != batch->is) continue;
        shape.dim[0] = batch->is;
        return tn_broadcast(x, shape);
    }
    return x;
}

/* ---- inputs ---- */

void onnx_find_batch(const tn_onnx *model, const tn_shape given[], size_t count, onnx_batch *batch)
{
    tn_onnx_port port;
    batch->was = batch->is = 0;
    for (size_t i = 0; i < count && tn_onnx_input_at(model, i, &port); i++) {
        if (port.rank < 1 || port.rank != given[i].rank || port.dim[0] < 1 || port.dim[0] == given[i].dim[0]) continue;
        if (batch->was && (batch->was != port.dim[0] || batch->is != given[i].dim[0])) {
            batch->was = batch->is = 0;
            return;
        }
        batch->was = port.dim[0];
        batch->is = given[i].dim[0];
    }
}

/* "; input 'x' is declared (1, 3, 224, 224), and is (64, 3, 224, 224) here", for the first that differs. */
const char *onnx_differing_input(tn_onnx *model, const tn_shape given[], size_t count)
{
    tn_onnx_port port;
    tn_shape declared;
    char a[160], b[160];
    for (size_t i = 0; i < count && tn_onnx_input_at(model, i, &port); i++) {
        int differs = port.rank >= 0 && port.rank != given[i].rank;
        declared = given[i];
        for (int32_t d = 0; d < port.rank && !differs; d++)
            if (port.dim[d] >= 0) declared.dim[d] = port.dim[d];
        if (port.rank < 0 || differs || tn_shape_equal(&declared, &given[i])) continue;
        const char *text =
            tn_region_print(&model->problems, "; input '%s' is declared as %s, and is %s here", port.name,
                            tn_shape_text(&declared, a, sizeof a), tn_shape_text(&given[i], b, sizeof b));
        return text ? text : "";
    }
    return "";
}
