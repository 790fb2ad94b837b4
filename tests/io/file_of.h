/* file_of.h: safetensors files as the tests of reading write them: any header before some bytes of data. */
#ifndef TN_TESTS_FILE_OF_H
#define TN_TESTS_FILE_OF_H

#include <string.h>

#include "scratch.h"

/* A file of a header and that many bytes of data, 1, 2, 3... */
static inline const char *write_file(const char *header, size_t data)
{
    static unsigned char file[8192];
    size_t length = strlen(header);
    memset(file, 0, 8);
    file[0] = (unsigned char)length;
    file[1] = (unsigned char)(length >> 8);
    memcpy(file + 8, header, length);
    for (size_t i = 0; i < data; i++) file[8 + length + i] = (unsigned char)(i + 1);
    return scratch_write("file.safetensors", file, 8 + length + data);
}

#define T(dtype, shape, begin, end)                                                                                    \
    "{\"dtype\":\"" dtype "\",\"shape\":[" shape "],\"data_offsets\":[" #begin "," #end "]}"

#endif
