/* stroke.h: how thick strokes are, and making them so. */
#ifndef TN_DATA_STROKE_H
#define TN_DATA_STROKE_H

#include "tenon/status.h"

/* The mean width, in pixels, of the strokes in a plane of (height, width), where `strength` is full ink and 0 paper: a
 * stroke's area is its width times its length, and its outline twice its length. 0 if there are none. */
double tn_stroke_width(const float *ink, int64_t height, int64_t width, double strength);

/* Makes strokes thinner or thicker until they are between `thin` and `thick` pixels wide, or nearly. */
tn_status tn_stroke_limit(float *ink, int64_t height, int64_t width, double thin, double thick);

#endif
