/* image.h: an image file as bytes, and as a sample of a given size. */
#ifndef TN_DATA_IMAGE_H
#define TN_DATA_IMAGE_H

#include "tenon/tensor.h"

/* Whether the name ends as that of an image does that is read: .png, .jpg, .jpeg. */
int tn_image_named(const char *name);

/* The image's own shape, (channels, height, width), with 1 channel for grey and 3 for colours, by its head. */
TN_MUST_USE tn_status tn_image_shape(const char *path, tn_shape *shape);

#endif
