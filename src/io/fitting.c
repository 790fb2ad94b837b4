/* fitting.c: loads the part of a file that fits a state. */
#include "alloc.h"
#include "convert.h"
#include "error.h"
#include "shape.h"
#include "tenon/graph.h"
#include "tenon/state.h"

#include <stdio.h>
#include <string.h>

/* "fc1.weight.exp_avg" belongs to "fc1.weight", if there is such a tensor. */
static int owner_of(const char *name, char owner[256])
{
    const char *dot = strrchr(name, '.');
    if (!dot) return 0;
    return snprintf(owner, 256, "%.*s", (int)(dot - name), name) < 256;
}

static int is_moment(const tn_state *state, const char *name)
{
    char owner[256];
    tn_state_entry entry;
    return owner_of(name, owner) && tn_state_find(state, owner, &entry);
}

static int is_moment_in_file(const tn_checkpoint *checkpoint, const char *name)
{
    char owner[256];
    tn_state_entry entry;
    return owner_of(name, owner) && tn_checkpoint_find(checkpoint, owner, &entry, NULL);
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
    tn_state_entry own, file;
    const void *data = NULL;
    size_t count = 0;
    for (size_t i = 0; tn_state_at(state, i, &own); i++) {
        if (own.flags & TN_TRANSIENT || is_moment(state, own.name)) continue;
        int there = tn_checkpoint_find(checkpoint, own.name, &file, &data);
        int32_t fit = there ? fit_of(&own, &file) : TN_LOAD_MISSING;
        if (fit == TN_LOAD_TAKEN) TN_TRY(take(state, &own, &file, data));
        count += fit == TN_LOAD_TAKEN;
        if (report) report(arg, fit, &own, there ? &file : NULL);
    }
    for (size_t i = 0; report && tn_checkpoint_at(checkpoint, i, &file, NULL); i++)
        if (!tn_state_find(state, file.name, &own) && !is_moment_in_file(checkpoint, file.name))
            report(arg, TN_LOAD_UNUSED, NULL, &file);
    if (taken) *taken = count;
    return TN_OK;
}
