/* npz.c: see npz.h. A zip archive whose members are stored as they are, each an array with the head of a .npy file:
 * PKWARE's APPNOTE and NumPy's format 1.0 say how they look. Elements are in the machine's order of bytes. */
#include "npz.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../core/order.h"

#define MOST UINT32_MAX /* of an archive: bytes */

int cli_npz_begin(cli_npz *npz)
{
    *npz = (cli_npz){0};
    npz->file = open_memstream(&npz->bytes, &npz->size);
    npz->list = npz->file ? open_memstream(&npz->entries, &npz->length) : NULL;
    return npz->list ? CLI_GO_ON : cli_fail("out of memory");
}

/* ---- an array with its head ---- */

static uint32_t item_bytes(int32_t dtype)
{
    return dtype == TN_F64 ? 8 : dtype == TN_U8 || dtype == TN_I8 ? 1 : 4;
}

/* Up to a multiple of 64 bytes, of which the first 10 are before the text. */
static size_t head_of(const tn_array *array, char text[512])
{
    const char *type = array->dtype == TN_F64   ? TN_MACHINE_ORDER "f8"
                       : array->dtype == TN_I32 ? TN_MACHINE_ORDER "i4"
                       : array->dtype == TN_U8  ? "|u1"
                       : array->dtype == TN_I8  ? "|i1"
                                                : TN_MACHINE_ORDER "f4";
    size_t used = (size_t)snprintf(text, 512, "{'descr': '%s', 'fortran_order': False, 'shape': (", type);
    for (int32_t d = 0; d < array->shape.rank; d++)
        used += (size_t)snprintf(text + used, 512 - used, "%" PRId64 ",", array->shape.dim[d]);
    used += (size_t)snprintf(text + used, 512 - used, "), }");
    while ((used + 11) % 64) text[used++] = ' ';
    text[used++] = '\n';
    return used;
}

static uint32_t crc_of(uint32_t crc, const void *data, size_t bytes)
{
    crc = ~crc;
    for (const unsigned char *c = data; bytes--; c++) {
        crc ^= *c;
        for (int k = 0; k < 8; k++) crc = crc & 1 ? crc >> 1 ^ 0xedb88320u : crc >> 1;
    }
    return ~crc;
}

/* ---- the archive ---- */

/* Numbers of 2 or 4 bytes, lowest first, as "42" says. */
static void put(FILE *file, const char *sizes, const uint32_t number[])
{
    for (; *sizes; sizes++, number++)
        for (int k = 0; k < *sizes - '0'; k++) fputc((int)(*number >> (8 * k) & 255), file);
}

enum { LOCAL = 0x04034b50, ENTRY = 0x02014b50, LAST = 0x06054b50, VERSION = 20, UTF8 = 0x800, DAY = 0x21 };

int cli_npz_add(cli_npz *npz, const char *name, const tn_array *array)
{
    char text[512];
    unsigned char begin[10] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0};
    const size_t head = head_of(array, text), length = strlen(name) + 4;
    const uint64_t data = (uint64_t)tn_shape_count(&array->shape) * item_bytes(array->dtype);
    const uint64_t bytes = sizeof begin + head + data, at = (uint64_t)ftell(npz->file);
    if (at + bytes > MOST - 65536 || length > 65535 || npz->members == 65535)
        return cli_fail("'%s': an archive .npz has at most 4 GiB: write .npy", name);
    begin[8] = (unsigned char)head, begin[9] = (unsigned char)(head >> 8);
    const uint32_t crc = crc_of(crc_of(crc_of(0, begin, sizeof begin), text, head), array->data, data);
    const uint32_t size = (uint32_t)bytes, where = (uint32_t)at, letters = (uint32_t)length;
    put(npz->file, "42222244422", (uint32_t[]){LOCAL, VERSION, UTF8, 0, 0, DAY, crc, size, size, letters, 0});
    fprintf(npz->file, "%s.npy", name);
    fwrite(begin, 1, sizeof begin, npz->file);
    fwrite(text, 1, head, npz->file);
    fwrite(array->data, 1, data, npz->file);
    put(npz->list, "42222224442222244",
        (uint32_t[]){ENTRY, VERSION, VERSION, UTF8, 0, 0, DAY, crc, size, size, letters, 0, 0, 0, 0, 0, where});
    fprintf(npz->list, "%s.npy", name);
    npz->members++;
    return CLI_GO_ON;
}

int cli_npz_end(cli_npz *npz, const char *path)
{
    int status = CLI_GO_ON;
    if (npz->list && !fflush(npz->list) && npz->file) {
        const uint32_t at = (uint32_t)ftell(npz->file), n = npz->members;
        fwrite(npz->entries, 1, npz->length, npz->file);
        put(npz->file, "42222442", (uint32_t[]){LAST, 0, 0, n, n, (uint32_t)npz->length, at, 0});
        if (fflush(npz->file)) status = cli_fail("out of memory");
    }
    if (status == CLI_GO_ON && path && tn_file_replace(path, npz->bytes, npz->size)) status = cli_failed();
    if (npz->list) fclose(npz->list);
    if (npz->file) fclose(npz->file);
    free(npz->entries);
    free(npz->bytes);
    return status;
}
