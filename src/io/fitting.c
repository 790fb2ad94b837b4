/* fitting.c: loads the part of a file that fits a state. */
#include "alloc.h"
#include "convert.h"
#include "safetensors.h"
#include "error.h"
#include "given.h"
#include "shape.h"
#include "tenon/graph.h"
#include "tenon/state.h"

#include <stdio.h>
#include <string.h>

static int in_file(const void *checkpoint, const char *name)
{
    tn_state_entry entry;
    return tn_checkpoint_find(checkpoint, name, &entry, NULL);
}

static int32_t fit_of(const tn_state_entry *state, const tn_state_entry *file)
{
    if (!tn_shape_equal(&state->shape, &file->shape)) return TN_LOAD_SHAPE;
    int converts = state->dtype == TN_F32 && tn_becomes_f32(file->dtype);
    return converts || state->dtype == file->dtype ? TN_LOAD_TAKEN : TN_LOAD_DTYPE;
}

static tn_status write_f32(tn_state *state, const tn_state_entry *file, const void *data)
{
    int64_t count = tn_shape_count(&file->shape);
    float *numbers = tn_alloc((size_t)count * sizeof *numbers + 1);
    if (!numbers) return TN_ENOMEM;
    tn_status s = tn_to_f32(file->dtype, data, count, numbers)
                      ? tn_state_write(state, file->name, numbers, (uint64_t)count * sizeof *numbers)
                      : tn_fail(TN_EDTYPE, "tensor '%s' has a number beyond the range of f32", file->name);
    tn_free(numbers);
    return s;
}

static tn_status take(tn_state *state, const tn_state_entry *own, const tn_state_entry *file, const void *data)
{
    if (own->dtype != file->dtype) return write_f32(state, file, data);
    return tn_state_write(state, own->name, data, (uint64_t)tn_shape_count(&own->shape) * tn_dtype_size(own->dtype));
}

tn_status tn_checkpoint_load_fitting(const tn_checkpoint *checkpoint, tn_state *state, tn_load_report *report,
                                     void *arg, size_t *taken)
{
    TN_GIVEN(checkpoint, state);
    tn_state_entry own, file;
    const void *data = NULL;
    size_t count = 0;
    for (size_t i = 0; tn_state_at(state, i, &own); i++) {
        if (own.flags & TN_TRANSIENT || tn_has_owner(own.name, tn_in_state, state)) continue;
        int there = tn_checkpoint_find(checkpoint, own.name, &file, &data);
        int32_t fit = there ? fit_of(&own, &file) : TN_LOAD_MISSING;
        if (fit == TN_LOAD_TAKEN) TN_TRY(take(state, &own, &file, data));
        count += fit == TN_LOAD_TAKEN;
        if (report) report(arg, fit, &own, there ? &file : NULL);
    }
    for (size_t i = 0; report && tn_checkpoint_at(checkpoint, i, &file, NULL); i++)
        if (!tn_state_find(state, file.name, &own) && !tn_has_owner(file.name, in_file, checkpoint))
            report(arg, TN_LOAD_UNUSED, NULL, &file);
    if (taken) *taken = count;
    return TN_OK;
}
