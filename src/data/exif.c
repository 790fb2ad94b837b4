/* exif.c: see exif.h. A block is a TIFF file behind six bytes: its order of bytes, the place of a directory, and there
 * entries of twelve bytes: tag, type, count, value. */
#include "exif.h"

#include <string.h>

#include "order.h"

#define HEAD        6      /* "Exif", and two zeros */
#define ENTRY       12     /* bytes */
#define ORIENTATION 0x0112 /* tag */
#define SHORT       3      /* type */

static uint32_t number(const uint8_t *at, size_t bytes, int big)
{
    return (uint32_t)tn_bytes_get(at, bytes, big);
}

int tn_exif_orientation(const uint8_t *bytes, size_t count)
{
    if (count < HEAD + 8 || memcmp(bytes, "Exif\0", HEAD) != 0) return 1;
    const uint8_t *tiff = bytes + HEAD;
    const size_t size = count - HEAD;
    const int big = tiff[0] != 'I';
    const uint32_t place = number(tiff + 4, 4, big);
    if (place > size - 2) return 1;
    const uint32_t entries = number(tiff + place, 2, big);
    for (uint32_t i = 0; i < entries && place + 2 + (size_t)(i + 1) * ENTRY <= size; i++) {
        const uint8_t *entry = tiff + place + 2 + (size_t)i * ENTRY;
        if (number(entry, 2, big) != ORIENTATION || number(entry + 2, 2, big) != SHORT) continue;
        const uint32_t value = number(entry + 8, 2, big);
        return value >= 1 && value <= 8 ? (int)value : 1;
    }
    return 1;
}
