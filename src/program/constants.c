/* constants.c: a graph's constants on the device, once for the program. The graph is still there. */
#include <string.h>

#include "error.h"
#include "mapping.h"
#include "program.h"

static tn_status write(tn_program *p, tn_value *value, const void *data)
{
    TN_MESSAGE(msg);
    const tn_place_device *home = &p->place[0];
    const tn_ref to = tn_program_ref(p, value);
    int32_t code = home->device->backend->write(home->queue, to, data, value->bytes, &msg);
    if (!code) code = home->device->backend->queue_sync(home->queue, &msg);
    return tn_device_status(home->device, code, &msg);
}

/* f32 numbers as f64, for a program that computes so. */
static tn_status write_wide(tn_program *p, tn_value *value)
{
    const char *from = value->data;
    float x;
    double *wide = tn_alloc(value->bytes);
    if (!wide) return TN_ENOMEM;
    for (uint64_t i = 0; i < value->bytes / sizeof *wide; i++)
        wide[i] = (double)*(float *)memcpy(&x, from + i * sizeof x, sizeof x);
    tn_status s = write(p, value, wide);
    tn_free(wide);
    return s;
}

tn_status tn_program_fill_constants(tn_program *p)
{
    for (uint32_t i = 0; i < p->ir.values; i++) {
        tn_value *value = p->ir.value[i];
        if (!value->data) continue;
        const uint64_t bytes = (uint64_t)tn_shape_count(&value->type.shape) * tn_dtype_size(value->from);
        TN_TRY(tn_mapped_check(value->data, bytes));
        TN_TRY(value->from == value->type.dtype ? write(p, value, value->data) : write_wide(p, value));
        tn_mapped_used(value->data, bytes);
        value->data = NULL;
        value->fed = 1;
    }
    return TN_OK;
}
