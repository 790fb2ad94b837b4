/* images.h: folders of images, FOLDER/class/image. */
#ifndef TN_DATA_IMAGES_H
#define TN_DATA_IMAGES_H

#include "tenon/data.h"

/* Whether the folder has folders `train` and `test`, or `train` and `val`, of which *test is then the name. */
int tn_images_have_parts(const char *folder, const char **test);

/* As tn_dataset_images, with the classes of a data set that is open already, and the size of its samples; NULL: its
 * own.
 */
TN_MUST_USE tn_status tn_images_open(const char *folder, const tn_shape *image, const tn_dataset *like,
                                     tn_dataset *data);

#endif
