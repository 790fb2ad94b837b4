/* image.h: the dimensions of images: (batch, channels, height, width), or, where the compiler says so, with their
 * channels last (src/graph/layout.c). */
#ifndef TN_OP_IMAGE_H
#define TN_OP_IMAGE_H

#include "op.h"

/* Which dimension has the channels, and which the height; the width is the next one. */
static inline int tn_image_channels(uint32_t channels_last)
{
    return channels_last ? 3 : 1;
}

static inline int tn_image_height(uint32_t channels_last)
{
    return channels_last ? 1 : 2;
}

static inline tn_shape tn_image_shape(uint32_t channels_last, int64_t b, int64_t c, int64_t h, int64_t w)
{
    return channels_last ? TN_SHAPE(b, h, w, c) : TN_SHAPE(b, c, h, w);
}

/* Dimension d of an image in the one order is that of the other. */
static const int32_t tn_image_last[4] = {0, 2, 3, 1}, tn_image_usual[4] = {0, 3, 1, 2};

/* By transpositions. */
static inline tn_tensor *tn_image_to_last(tn_tensor *x)
{
    return tn_transpose(x, tn_image_last);
}

static inline tn_tensor *tn_image_to_usual(tn_tensor *x)
{
    return tn_transpose(x, tn_image_usual);
}

#endif
