/* image.h: an image file as bytes, and as a sample of a given size. */
#ifndef TN_DATA_IMAGE_H
#define TN_DATA_IMAGE_H

#include "picture.h"

/* What a file is by how its name ends: an image that is read (.png, .jpg, .jpeg), one of a kind that is not, or none.
 */
enum { TN_IMAGE_NONE, TN_IMAGE, TN_IMAGE_UNREAD };
int tn_image_named(const char *name);

/* The image's own shape, (channels, height, width), with 1 channel for grey and 3 for colours, by its head. */
TN_MUST_USE tn_status tn_image_shape(const char *path, tn_shape *shape);

/* Its levels in 1 (grey) or 3 channels, as a picture. */
TN_MUST_USE tn_status tn_image_levels(const char *path, int64_t channels, tn_picture *picture);

#endif
