/* rules_boxes.c: boxes around what was found in pictures. */
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

/* How many there are depends on the numbers: of what is known alone. */
void onnx_rule_non_max_suppression(onnx_node *n)
{
    tn_tensor *boxes = onnx_in(n, 0), *scores = onnx_in(n, 1);
    const double *place = boxes ? onnx_known(n, 0) : NULL, *score = scores ? onnx_known(n, 1) : NULL;
    double most = onnx_known_number(n, 2, 0);
    suppression s = {.overlap = onnx_known_number(n, 3, 0),
                     .least = onnx_known_number(n, 4, -(double)INFINITY),
                     .by_center = onnx_int(n, "center_point_box", 0) != 0};
    if (!place || !score || n->failed || tn_shape_of(scores).rank != 3) return;
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
