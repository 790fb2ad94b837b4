/* exif.h: how a camera was held, as its pictures say. */
#ifndef TN_DATA_EXIF_H
#define TN_DATA_EXIF_H

#include <stddef.h>
#include <stdint.h>

/* The orientation that an Exif block has (CIPA DC-008, 4.6.5), which begins with "Exif": 1 to 8; 1, upright, for one
 * that is none or makes no sense. */
int tn_exif_orientation(const uint8_t *bytes, size_t count);

#endif
