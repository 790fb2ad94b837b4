/* scaler.c: a scaler as tensors of a state, and from a file. */
#include "alloc.h"
#include "error.h"
#include "given.h"
#include "tenon/stats.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MEAN, CENTRE, SPREAD, ROWS };

static const char *kind_name(const char *name, char text[256])
{
    snprintf(text, 256, "%s.kind", name);
    return text;
}

tn_status tn_scaler_put(const tn_scaler *scaler, tn_state *state, const char *name)
{
    TN_GIVEN(scaler, state, name);
    char text[256];
    size_t columns = (size_t)scaler->columns, bytes = columns * sizeof(double);
    const double kind[2] = {scaler->kind, scaler->base};
    double *rows = tn_alloc(ROWS * bytes);
    if (!rows) return TN_ENOMEM;
    memcpy(rows, scaler->mean, bytes);
    if (scaler->centre) memcpy(rows + CENTRE * columns, scaler->centre, bytes);
    if (scaler->spread) memcpy(rows + SPREAD * columns, scaler->spread, bytes);
    tn_status status = tn_state_put(state, kind_name(name, text), TN_F64, TN_SHAPE(2), 0, kind);
    if (!status) status = tn_state_put(state, name, TN_F64, TN_SHAPE(ROWS, scaler->columns), 0, rows);
    tn_free(rows);
    return status;
}

/* All numbers are finite, and no spread is 0 or less. */
static int makes_sense(const double *rows, int64_t columns, int scales)
{
    for (int64_t i = 0; i < ROWS * columns; i++)
        if (!isfinite(rows[i]) || (scales && i >= SPREAD * columns && !(rows[i] > 0))) return 0;
    return 1;
}

static double *copy_row(const double *rows, int row, int64_t columns)
{
    double *copy = tn_alloc((size_t)columns * sizeof *copy);
    if (copy) memcpy(copy, rows + row * columns, (size_t)columns * sizeof *copy);
    return copy;
}

tn_status tn_scaler_read(tn_scaler *scaler, const tn_checkpoint *checkpoint, const char *name)
{
    TN_GIVEN(scaler, checkpoint, name);
    char text[256];
    tn_state_entry entry, kind;
    const void *data = NULL, *what = NULL;
    int whole = tn_checkpoint_find(checkpoint, kind_name(name, text), &kind, &what);
    TN_REQUIRE(tn_checkpoint_find(checkpoint, name, &entry, &data) && whole, TN_EMISSING,
               "scaling: the file has no '%s'", name);
    TN_REQUIRE(kind.dtype == TN_F64 && tn_shape_equal(&kind.shape, &TN_SHAPE(2)) && entry.dtype == TN_F64 &&
                   entry.shape.rank == 2 && entry.shape.dim[0] == ROWS && entry.shape.dim[1] > 0,
               TN_EFORMAT, "scaling: '%s' has another shape or type in the file", name);
    const double *rows = data, *number = what;
    int64_t columns = entry.shape.dim[1];
    int known = *number == TN_SCALE_NONE || *number == TN_SCALE_MINMAX || *number == TN_SCALE_STANDARD ||
                *number == TN_SCALE_UNIT;
    int scales = *number == TN_SCALE_MINMAX || *number == TN_SCALE_STANDARD;
    TN_REQUIRE(known && isfinite(number[1]) && makes_sense(rows, columns, scales), TN_EFORMAT,
               "scaling: '%s' makes no sense in the file", name);
    tn_scaler read = {.kind = (int32_t)*number, .columns = columns, .base = number[1]};
    read.mean = copy_row(rows, MEAN, columns);
    if (scales) read.centre = copy_row(rows, CENTRE, columns);
    if (scales) read.spread = copy_row(rows, SPREAD, columns);
    if (read.mean && (!scales || (read.centre && read.spread))) return *scaler = read, TN_OK;
    tn_free(read.mean);
    tn_free(read.centre);
    tn_free(read.spread);
    return TN_ENOMEM;
}
