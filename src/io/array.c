/* array.c: writes an array as NumPy reads it: version 1.0, in the machine's order of bytes, row-major. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "error.h"
#include "given.h"
#include "file.h"
#include "order.h"
#include "shape.h"
#include "tenon/data.h"

#define ALIGNMENT 64 /* of the elements in the file, as NumPy has it */

static const struct {
    int32_t dtype;
    const char *descr;
} types[] = {{TN_F32, TN_MACHINE_ORDER "f4"},
             {TN_F64, TN_MACHINE_ORDER "f8"},
             {TN_I32, TN_MACHINE_ORDER "i4"},
             {TN_U8, "|u1"},
             {TN_I8, "|i1"},
             {TN_F16, TN_MACHINE_ORDER "f2"}};

static const char *descr_of(int32_t dtype)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].dtype == dtype) return types[i].descr;
    return NULL;
}

/* The header from "\x93NUMPY" on, padded with spaces; returns its size. */
static size_t make_header(const char *descr, const tn_shape *shape, char text[512])
{
    size_t used = 10;
    memcpy(text, "\x93NUMPY\1\0", 8);
    used += (size_t)snprintf(text + used, 512 - used, "{'descr': '%s', 'fortran_order': False, 'shape': (", descr);
    for (int32_t d = 0; d < shape->rank; d++)
        used += (size_t)snprintf(text + used, 512 - used, "%s%" PRId64 "%s", d ? " " : "", shape->dim[d],
                                 d + 1 < shape->rank || !d ? "," : "");
    used += (size_t)snprintf(text + used, 512 - used, "), }");
    while ((used + 1) % ALIGNMENT) text[used++] = ' ';
    text[used++] = '\n';
    text[8] = (char)((used - 10) & 255);
    text[9] = (char)((used - 10) >> 8);
    return used;
}

tn_status tn_array_write(const char *path, int32_t dtype, tn_shape shape, const void *data)
{
    TN_GIVEN(path, data);
    char header[512];
    tn_file file;
    const char *descr = descr_of(dtype);
    TN_REQUIRE(descr, TN_EDTYPE, "%s: NumPy has no element type %s", path, tn_dtype_name(dtype));
    TN_TRY(tn_shape_check(&shape));
    size_t used = make_header(descr, &shape, header);
    TN_TRY(tn_file_begin(path, &file));
    tn_status status = tn_file_write(&file, header, used);
    if (!status) status = tn_file_write(&file, data, (uint64_t)tn_shape_count(&shape) * tn_dtype_size(dtype));
    return tn_file_end(&file, status);
}
