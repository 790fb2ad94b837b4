/* declared.c: what an ONNX file declares of an input, its sizes and the numbers that its type has: see onnx.h. */
#include "onnx.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- sizes ---- */

const char *cli_onnx_port_text(const tn_onnx_port *port, char *text, size_t capacity)
{
    size_t used = (size_t)snprintf(text, capacity, "(");
    for (int32_t d = 0; d < port->rank && used < capacity; d++) {
        used += (size_t)snprintf(text + used, capacity - used, "%s", d ? ", " : "");
        if (used < capacity && port->dim[d] >= 0)
            used += (size_t)snprintf(text + used, capacity - used, "%" PRId64, port->dim[d]);
        else if (used < capacity)
            used += (size_t)snprintf(text + used, capacity - used, "%.40s", port->symbol[d] ? port->symbol[d] : "?");
    }
    if (used < capacity) snprintf(text + used, capacity - used, ")");
    return text;
}

int cli_onnx_fits(const tn_onnx_port *port, const tn_shape *shape)
{
    int is = port->rank < 0 || port->rank == shape->rank;
    for (int32_t d = 1; d < port->rank && is; d++) is = port->dim[d] < 0 || port->dim[d] == shape->dim[d];
    return is;
}

tn_shape cli_onnx_channel(const tn_onnx_port *port, tn_shape shape)
{
    if (shape.rank < 1 || shape.rank == TN_MAX_RANK || cli_onnx_fits(port, &shape)) return shape;
    tn_shape with = {.rank = shape.rank + 1, .dim = {shape.dim[0], 1}};
    tn_shape without = {.rank = shape.rank - 1, .dim = {shape.dim[0]}};
    for (int32_t d = 1; d < shape.rank; d++) with.dim[d + 1] = shape.dim[d];
    for (int32_t d = 2; d < shape.rank; d++) without.dim[d - 1] = shape.dim[d];
    if (cli_onnx_fits(port, &with)) return with;
    return shape.rank > 2 && shape.dim[1] == 1 && cli_onnx_fits(port, &without) ? without : shape;
}

/* ---- numbers ---- */

int cli_onnx_range(const tn_onnx_port *port, double *least, double *most)
{
    static const struct {
        const char *element;
        double least, most;
    } whole[] = {{"bool", 0, 1},
                 {"int2", -2, 1},
                 {"uint2", 0, 3},
                 {"int4", -8, 7},
                 {"uint4", 0, 15},
                 {"int8", INT8_MIN, INT8_MAX},
                 {"uint8", 0, UINT8_MAX},
                 {"int16", INT16_MIN, INT16_MAX},
                 {"uint16", 0, UINT16_MAX},
                 {"int32", INT32_MIN, INT32_MAX},
                 {"uint32", 0, INT32_MAX},
                 {"int64", INT32_MIN, INT32_MAX},
                 {"uint64", 0, INT32_MAX}};
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
        if (strcmp(whole[i].element, port->element) != 0) continue;
        const double rows = port->rows ? (double)port->rows : INFINITY;
        *least = fmax(whole[i].least, -rows);
        *most = fmin(whole[i].most, rows - 1);
        return 1;
    }
    return 0;
}

double cli_onnx_rounded(const char *element, double x)
{
    static const struct {
        const char *element;
        int bits, last; /* significant bits; the exponent of the smallest number */
        double most;
    } narrow[] = {{"float16", 11, -24, 65504}, {"bfloat16", 8, -133, 0x1.fep127}};
    for (size_t i = 0; i < sizeof narrow / sizeof *narrow; i++) {
        int e;
        if (strcmp(narrow[i].element, element) != 0 || !isfinite(x)) continue;
        (void)frexp(x, &e);
        e = e - narrow[i].bits < narrow[i].last ? narrow[i].last : e - narrow[i].bits;
        x = ldexp(rint(ldexp(x, -e)), e);
        if (fabs(x) > narrow[i].most) x = x < 0 ? -INFINITY : INFINITY;
    }
    return x;
}
