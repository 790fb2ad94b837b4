/* picture.h: a picture file's levels, and how they are scaled down. */
#ifndef TN_DATA_PICTURE_H
#define TN_DATA_PICTURE_H

#include "tenon/tensor.h"

/* Planes of levels 0..255: (channels, height, width). Free `level` with tn_free. */
typedef struct tn_picture {
    int64_t channels, height, width;
    float *level;
} tn_picture;

/* Reads a PNG, JPEG or PGM file in 1 (grey) or 3 channels; what is transparent shows white or black, whichever differs more
 * from the picture. */
tn_status tn_picture_decode(const char *path, int64_t channels, tn_picture *picture);

/* That samples are pictures of one or three channels; if `grey`, of one. */
tn_status tn_picture_check(const char *path, const tn_shape *sample, int grey);

/* The mean level of a square of side `step`, the part of it that lies within the plane; 0 if none does. */
double tn_area_mean(const float *plane, int64_t height, int64_t width, double top, double left, double step);

#endif
