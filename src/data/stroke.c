/* stroke.c: see stroke.h. Strokes are changed by grey erosion and dilation: each pixel goes half of the way to the
 * least, or the most, of its four neighbours (J. Serra, "Image analysis and mathematical morphology", 1982). */
#include "stroke.h"

#include <math.h>
#include <string.h>

#include "alloc.h"
#include "ink.h"

#define TURNS 8 /* at most; each changes the width by half a pixel or so */

/* Paper lies around the plane. */
static double at(const float *ink, int64_t height, int64_t width, int64_t y, int64_t x)
{
    return y < 0 || x < 0 || y >= height || x >= width ? 0 : ink[y * width + x];
}

double tn_stroke_width(const float *ink, int64_t height, int64_t width, double strength)
{
    double area = 0, outline = 0;
    for (int64_t y = -1; y <= height; y++)
        for (int64_t x = -1; x <= width; x++) {
            double right = fmin(at(ink, height, width, y, x + 1), strength);
            double left = fmin(at(ink, height, width, y, x - 1), strength);
            double below = fmin(at(ink, height, width, y + 1, x), strength);
            double above = fmin(at(ink, height, width, y - 1, x), strength);
            area += fmin(at(ink, height, width, y, x), strength);
            outline += hypot(right - left, below - above) / 2;
        }
    return outline > 0 ? 2 * area / outline : 0;
}

/* Each pixel of `to` lies between that of `from` and its neighbours' most (`grow`) or least. */
static void change(const float *from, int64_t height, int64_t width, int grow, float *to)
{
    static const int64_t next[4][2] = {{-1, 0}, {1, 0}, {0, -1}, {0, 1}};
    for (int64_t y = 0; y < height; y++)
        for (int64_t x = 0; x < width; x++) {
            double own = from[y * width + x], far = own;
            for (int i = 0; i < 4; i++) {
                double other = at(from, height, width, y + next[i][0], x + next[i][1]);
                far = grow ? fmax(far, other) : fmin(far, other);
            }
            to[y * width + x] = (float)((own + far) / 2);
        }
}

tn_status tn_stroke_limit(float *ink, int64_t height, int64_t width, double thin, double thick)
{
    size_t bytes = (size_t)(height * width) * sizeof *ink;
    float *changed = tn_alloc(bytes);
    if (!changed) return TN_ENOMEM;
    for (int turn = 0; turn < TURNS; turn++) {
        double wide = tn_stroke_width(ink, height, width, tn_ink_strength(ink, height * width));
        if (wide >= thin && wide <= thick) break;
        change(ink, height, width, wide < thin, changed);
        memcpy(ink, changed, bytes);
    }
    tn_free(changed);
    return TN_OK;
}
