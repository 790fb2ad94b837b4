/* ink.h: where the ink is in a grey picture of one thing drawn on paper, light or dark. */
#ifndef TN_DATA_INK_H
#define TN_DATA_INK_H

#include "tenon/framing.h"

/* Planes of (height, width), and what they say. Free it with tn_ink_free; a zeroed struct is fine. */
typedef struct tn_ink_map {
    int64_t height, width;
    float *above; /* levels by which a pixel stands out from the paper; 0 in pieces that were not taken, below 0 where
                     it differs to the other side */
    float *taken; /* 1 in the pieces that were taken for the thing, else 0 */
    tn_ink found; /* no ink: width 0, and TN_DOUBT_NO_INK */
} tn_ink_map;

/* `level` is (height, width), 0..255. */
tn_status tn_ink_find(const float *level, int64_t height, int64_t width, tn_ink_map *map);
void tn_ink_free(tn_ink_map *map);

/* How strong full ink is: the mean of the stronger half of what stands out by more than half of the most. 0: nothing
 * does. */
double tn_ink_strength(const float *above, int64_t count);

/* The ink in a plane: its total, and its centre of mass as shares of width and height; the middle if there is none. */
double tn_ink_centre(const float *above, int64_t height, int64_t width, double *x, double *y);

#endif
