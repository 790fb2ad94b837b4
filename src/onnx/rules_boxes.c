/* rules_boxes.c: boxes around what was found in pictures, and parts of pictures by boxes. */
#include <math.h>
#include <string.h>

#include "rule.h"

typedef struct box {
    double y0, x0, y1, x1;
} box;

static box box_of(const double *v, int by_center)
{
    if (by_center) return (box){v[1] - v[3] / 2, v[0] - v[2] / 2, v[1] + v[3] / 2, v[0] + v[2] / 2};
    return (box){fmin(v[0], v[2]), fmin(v[1], v[3]), fmax(v[0], v[2]), fmax(v[1], v[3])};
}

static double overlap(box a, box b)
{
    double h = fmin(a.y1, b.y1) - fmax(a.y0, b.y0), w = fmin(a.x1, b.x1) - fmax(a.x0, b.x0);
    if (h <= 0 || w <= 0) return 0;
    double areas = (a.y1 - a.y0) * (a.x1 - a.x0) + (b.y1 - b.y0) * (b.x1 - b.x0);
    return h * w / (areas - h * w);
}

/* The best box that is left, at least as good as asked; -1: none. */
static int64_t best_of(const double *score, const unsigned char *gone, int64_t boxes, double least)
{
    int64_t best = -1;
    for (int64_t i = 0; i < boxes; i++)
        if (!gone[i] && score[i] > least && (best < 0 || score[i] > score[best])) best = i;
    return best;
}

typedef struct suppression {
    int64_t boxes, most;
    double overlap, least;
    int by_center;
    unsigned char *gone;
} suppression;

/* Those of one class of one picture; returns how many. */
static int64_t suppress(const suppression *s, const double *place, const double *score, int64_t out[])
{
    int64_t count = 0, best;
    memset(s->gone, 0, (size_t)s->boxes);
    while (count < s->most && (best = best_of(score, s->gone, s->boxes, s->least)) >= 0) {
        box b = box_of(place + 4 * best, s->by_center);
        out[count++] = best;
        for (int64_t i = 0; i < s->boxes; i++)
            s->gone[i] |= i == best || overlap(b, box_of(place + 4 * i, s->by_center)) > s->overlap;
    }
    return count;
}

/* Picture, class and box of each, those that there are first: (most, 3). */
static tn_tensor *suppressed(tn_tensor *boxes, tn_tensor *scores, const suppression *s, int64_t most)
{
    tn_nms_options o = {.overlap = s->overlap, .least_score = s->least, .centres = (uint32_t)s->by_center};
    int64_t each = s->most < most ? s->most : most;
    tn_tensor *found = tn_nms(boxes, scores, each < 1 ? 1 : each, o);
    if (each < 1) found = tn_slice(found, 2, 0, 0, 1);
    tn_shape shape = tn_shape_of(found);
    tn_graph *graph = tn_graph_of(found);
    tn_tensor *part[3] = {tn_iota(graph, shape, 0), tn_iota(graph, shape, 1), found};
    const tn_shape line = TN_SHAPE(tn_shape_count(&shape)), rows = TN_SHAPE(line.dim[0], 3);
    tn_tensor *is = tn_reshape(tn_ge(found, tn_number(found, 0)), line), *all = tn_reshape(tn_stack(part, 3, 3), rows);
    all = tn_compress(tn_add(all, tn_number(all, 1)), is, 0, most, NULL); /* 0 behind them, then -1 */
    return tn_sub(all, tn_number(all, 1));
}

/* Boxes (batch, n, 4) for scores (batch, classes, n). */
static int are_scored(const tn_tensor *boxes, const tn_tensor *scores)
{
    return boxes && scores && tn_shape_of(scores).rank == 3 && tn_shape_of(boxes).rank == 3 &&
           onnx_dim(boxes, 0) == onnx_dim(scores, 0) && onnx_dim(boxes, 1) == onnx_dim(scores, 2) &&
           onnx_dim(boxes, 2) == 4;
}

/* How many there are depends on the numbers: of what is known, or with room for a number that is given. */
void onnx_rule_non_max_suppression(onnx_node *n)
{
    tn_tensor *boxes = onnx_in(n, 0), *scores = onnx_in(n, 1);
    const int64_t room = n->build->options.most;
    const int fed = room > 0 && boxes && scores && !(onnx_is_known(n, 0) && onnx_is_known(n, 1));
    const double *place = boxes && !fed ? onnx_known(n, 0) : NULL, *score = scores && !fed ? onnx_known(n, 1) : NULL;
    double most = onnx_known_number(n, 2, 0);
    suppression s = {.overlap = onnx_known_number(n, 3, 0),
                     .least = onnx_known_number(n, 4, -(double)INFINITY),
                     .by_center = onnx_int(n, "center_point_box", 0) != 0};
    if (n->failed || !are_scored(boxes, scores)) return;
    if (fed) {
        s.most = most < (double)onnx_dim(scores, 2) ? (int64_t)most : onnx_dim(scores, 2);
        onnx_out_as(n, 0, suppressed(boxes, scores, &s, room), ONNX_INT64);
    }
    if (fed || !place || !score) return;
    int64_t batch = onnx_dim(scores, 0), classes = onnx_dim(scores, 1), count = 0;
    s.boxes = onnx_dim(scores, 2), s.most = most < (double)s.boxes ? (int64_t)most : s.boxes;
    s.gone = tn_region_alloc(&n->build->region, (size_t)s.boxes + 1);
    int64_t *out = tn_region_alloc(&n->build->region, (size_t)(3 * batch * classes * s.boxes) * sizeof *out + 1);
    int64_t *some = tn_region_alloc(&n->build->region, (size_t)s.boxes * sizeof *some + 1);
    if (!s.gone || !out || !some) return;
    for (int64_t i = 0; i < batch * classes; i++) {
        int64_t found = suppress(&s, place + i / classes * s.boxes * 4, score + i * s.boxes, some);
        for (int64_t k = 0; k < found; k++, count++)
            out[3 * count] = i / classes, out[3 * count + 1] = i % classes, out[3 * count + 2] = some[k];
    }
    onnx_out_as(n, 0, onnx_constant_ints(n, out, TN_SHAPE(count, 3)), ONNX_INT64);
}

/* ---- parts of pictures, by boxes ---- */

/* Number i of the boxes (r, k) by a scale, as (r, 1, 1). */
static tn_tensor *side(tn_tensor *boxes, int64_t i, double scale)
{
    tn_tensor *x = tn_slice(boxes, 1, i, 1, 1);
    return tn_reshape(tn_mul(x, tn_number(x, scale)), TN_SHAPE(onnx_dim(boxes, 0), 1, 1));
}

static tn_tensor *plus(tn_tensor *x, double number)
{
    return tn_add(x, tn_number(x, number));
}

static tn_tensor *times(tn_tensor *x, double number)
{
    return tn_mul(x, tn_number(x, number));
}

/* Each box's picture: (b, c, h, w) -> (r, c, h, w), or as it is if there is one for all. */
static tn_tensor *pictures_of(tn_tensor *x, tn_tensor *number)
{
    return onnx_dim(x, 0) == 1 ? x : tn_gather(x, number);
}

/* Bins along one side of the boxes, and samples in each bin: as many as are asked for, or one for each of the picture's
 * elements, of which no box has more than `most`. */
typedef struct bins {
    tn_tensor *start, *size; /* (r, 1, 1) */
    int64_t count, size_of_picture, samples, most;
} bins;

/* What each element counts for the mean of a bin, (r, 1, bins, elements): of two neighbours by the distance. Samples
 * further out than one element count as 0, others beyond the border as what is there. */
static tn_tensor *mean_weights(onnx_node *n, const bins *b)
{
    tn_tensor *bin = times(b->size, 1 / (double)b->count), *sum = NULL;
    tn_tensor *many = b->samples ? tn_full(n->graph, TN_F32, tn_shape_of(bin), (double)b->samples) : tn_ceil(bin);
    tn_tensor *first = tn_cast(tn_iota(n->graph, TN_SHAPE(1, b->count, 1), 1), TN_F32);
    tn_tensor *element = tn_cast(tn_iota(n->graph, TN_SHAPE(1, 1, b->size_of_picture), 2), TN_F32);
    first = tn_add(b->start, tn_mul(first, bin));
    for (int64_t i = 0; i < b->most; i++) {
        tn_tensor *at = tn_add(first, tn_div(times(bin, (double)i + 0.5), many));
        tn_tensor *counts = tn_mul(tn_ge(at, tn_number(at, -1)), tn_le(at, tn_number(at, (double)b->size_of_picture)));
        counts = tn_mul(counts, tn_gt(many, tn_number(many, (double)i)));
        at = tn_clamp(at, 0, (double)(b->size_of_picture - 1));
        tn_tensor *weight = tn_relu(plus(tn_neg(tn_abs(tn_sub(at, element))), 1));
        weight = tn_where(counts, weight, tn_number(weight, 0));
        sum = sum ? tn_add(sum, weight) : weight;
    }
    return tn_unsqueeze(tn_div(sum, tn_max(many, tn_number(many, 1))), 1);
}

/* How many samples the largest bin has, where that is said by the boxes; 0 on failure. */
static int64_t most_samples(onnx_node *n, int64_t first, double scale, int64_t count, int at_least_1)
{
    const double *corner = onnx_known(n, 1);
    int64_t boxes = corner ? onnx_dim(onnx_in(n, 1), 0) : 0;
    double most = 1;
    for (int64_t i = 0; i < boxes; i++) {
        double size = (corner[4 * i + first + 2] - corner[4 * i + first]) * scale;
        if (at_least_1) size = fmax(size, 1);
        most = fmax(most, ceil(size / (double)count) + 1);
    }
    if (!(most < 1024)) onnx_cannot(n, "boxes with %g samples in a bin", most);
    return corner && !n->failed ? (int64_t)most : 0;
}

static tn_tensor *roi_weights(onnx_node *n, tn_tensor *x, int is_height)
{
    const double scale = onnx_float(n, "spatial_scale", 1);
    const int half = onnx_text_is(n, "coordinate_transformation_mode",
                                  n->opset < 16 ? "output_half_pixel" : "half_pixel", "half_pixel");
    tn_tensor *boxes = tn_cast(onnx_in(n, 1), TN_F32);
    bins b = {.count = onnx_int(n, is_height ? "output_height" : "output_width", 1),
              .samples = onnx_int(n, "sampling_ratio", 0),
              .size_of_picture = onnx_dim(x, is_height ? 2 : 3)};
    if (b.count < 1 || b.count > 1024 || b.samples < 0 || b.samples > 1024) onnx_cannot(n, "its bins");
    if (n->failed || !(b.most = b.samples ? b.samples : most_samples(n, is_height, scale, b.count, !half))) return NULL;
    b.start = side(boxes, is_height, scale);
    b.size = tn_sub(side(boxes, is_height + 2, scale), b.start);
    if (half) b.start = plus(b.start, -0.5);
    if (!half) b.size = tn_max(b.size, tn_number(b.size, 1));
    return tn_cast(mean_weights(n, &b), tn_dtype_of(x));
}

/* Means of bins are two products by what elements count. */
void onnx_rule_roi_align(onnx_node *n)
{
    tn_tensor *x = onnx_in(n, 0), *boxes = onnx_in(n, 1), *number = onnx_in(n, 2);
    if (!onnx_text_is(n, "mode", "avg", "avg")) onnx_cannot(n, "attribute mode");
    if (!x || !boxes || !number || n->failed) return;
    tn_shape shape = tn_shape_of(boxes);
    if (tn_shape_of(x).rank != 4 || shape.rank != 2 || shape.dim[1] != 4) return;
    tn_tensor *height = roi_weights(n, x, 1), *width = height ? roi_weights(n, x, 0) : NULL;
    if (width) onnx_out(n, 0, tn_matmul_t(tn_matmul(height, pictures_of(x, number)), width, 0, 1));
}

/* Which elements lie in each bin of a box's side: (r, bins, elements). Bins have whole elements, and share some. */
static tn_tensor *members(onnx_node *n, tn_tensor *boxes, int64_t first, double scale, int64_t count, int64_t elements)
{
    tn_tensor *start = tn_floor(plus(side(boxes, first, scale), 0.5));
    tn_tensor *size = plus(tn_sub(tn_floor(plus(side(boxes, first + 2, scale), 0.5)), start), 1);
    tn_tensor *i = tn_cast(tn_iota(n->graph, TN_SHAPE(1, count, 1), 1), TN_F32), *all = tn_number(i, (double)count);
    tn_tensor *element = tn_cast(tn_iota(n->graph, TN_SHAPE(1, 1, elements), 2), TN_F32);
    size = tn_max(size, tn_number(size, 1));
    tn_tensor *from = tn_add(tn_floor(tn_div(tn_mul(i, size), all)), start);
    tn_tensor *to = tn_add(tn_ceil(tn_div(tn_mul(plus(i, 1), size), all)), start);
    return tn_cast(tn_mul(tn_ge(element, from), tn_lt(element, to)), TN_I32);
}

/* The largest element of each bin, 0 where there is none: along the width, then the height. */
void onnx_rule_max_roi_pool(onnx_node *n)
{
    int64_t count[2] = {1, 1};
    const double scale = onnx_float(n, "spatial_scale", 1);
    tn_tensor *x = onnx_in(n, 0), *boxes = onnx_in(n, 1);
    if (onnx_ints(n, "pooled_shape", count, 2) != 2 || count[0] < 1 || count[1] < 1) onnx_cannot(n, "its pooled_shape");
    if (!x || !boxes || n->failed || tn_shape_of(x).rank != 4 || tn_shape_of(boxes).rank != 2) return;
    tn_shape s = tn_shape_of(x);
    const int64_t r = onnx_dim(boxes, 0);
    if (onnx_dim(boxes, 1) != 5) onnx_cannot(n, "boxes of %lld numbers", (long long)onnx_dim(boxes, 1));
    if (n->failed) return;
    tn_tensor *number = tn_cast(tn_reshape(tn_slice(boxes, 1, 0, 1, 1), TN_SHAPE(r)), TN_I32);
    tn_tensor *in_w = members(n, boxes, 1, scale, count[1], s.dim[3]),
              *in_h = members(n, boxes, 2, scale, count[0], s.dim[2]), *none = tn_number(x, -(double)INFINITY);
    in_w = tn_reshape(in_w, TN_SHAPE(r, 1, 1, count[1], s.dim[3]));
    in_h = tn_reshape(in_h, TN_SHAPE(r, 1, count[0], s.dim[2], 1));
    tn_tensor *y = tn_amax(tn_where(in_w, tn_unsqueeze(pictures_of(x, number), 3), none), TN_AXES(4), 0);
    y = tn_amax(tn_where(in_h, tn_unsqueeze(y, 2), none), TN_AXES(3), 0);
    onnx_out(n, 0, tn_where(tn_eq(y, none), tn_number(y, 0), y));
}
