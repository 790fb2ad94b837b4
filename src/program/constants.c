/* constants.c: a graph's constants on the device, once for the program. The graph is still there. */
#include "error.h"
#include "mapping.h"
#include "program.h"

enum { BLOCK = 1 << 17 }; /* numbers that are on their way at once */

static tn_status write(tn_program *p, tn_value *value, uint64_t at, const void *data, uint64_t bytes)
{
    TN_MESSAGE(msg);
    const tn_place_device *home = &p->place[0];
    tn_ref to = tn_program_ref(p, value);
    to.offset += at;
    int32_t code = home->device->backend->write(home->queue, to, data, bytes, &msg);
    if (!code) code = home->device->backend->queue_sync(home->queue, &msg);
    return tn_device_status(home->device, code, &msg);
}

/* f32 numbers as f64, for a program that computes so. */
static void widen(const float *from, double *to, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) to[i] = (double)from[i];
}

/* Numbers may lie in a file, at any address. */
static tn_status write_blocks(tn_program *p, tn_value *value, void *read, double *wide)
{
    const uint64_t count = (uint64_t)tn_shape_count(&value->type.shape), from = tn_dtype_size(value->from);
    const uint64_t to = tn_dtype_size(value->type.dtype);
    for (uint64_t at = 0; at < count; at += BLOCK) {
        const uint64_t n = count - at < BLOCK ? count - at : BLOCK;
        TN_TRY(tn_mapped_read((const char *)value->data + at * from, n * from, read));
        if (value->from != value->type.dtype) widen(read, wide, n);
        TN_TRY(write(p, value, at * to, value->from != value->type.dtype ? (void *)wide : read, n * to));
    }
    return TN_OK;
}

static tn_status fill(tn_program *p, tn_value *value)
{
    const uint64_t count = (uint64_t)tn_shape_count(&value->type.shape), n = count < BLOCK ? count : BLOCK;
    double *read = tn_alloc(n * sizeof *read + 1), *wide = tn_alloc(n * sizeof *wide + 1);
    tn_status s = read && wide ? write_blocks(p, value, read, wide) : TN_ENOMEM;
    tn_free(wide);
    tn_free(read);
    if (!s) tn_mapped_used(value->data, count * tn_dtype_size(value->from));
    return s;
}

tn_status tn_program_fill_constants(tn_program *p)
{
    for (uint32_t i = 0; i < p->ir.values; i++) {
        tn_value *value = p->ir.value[i];
        if (!value->data) continue;
        TN_TRY(fill(p, value));
        value->data = NULL;
        value->fed = 1;
    }
    return TN_OK;
}
