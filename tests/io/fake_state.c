/* fake_state.c: a state in host memory with the interface of tenon/state.h, so that files can be tested without a
 * device. */
#include "fake_state.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "tenon/state.h"

#define MOST 64

struct tn_state {
    tn_state_entry entry[MOST];
    unsigned char *data[MOST];
    size_t count;
    uint64_t seed, step;
    uint64_t steps[MOST]; /* 1 more than was set; 0: no optimizer */
};

static int reads_left = -1;

void fake_state_fail_read(int reads)
{
    reads_left = reads;
}

tn_status tn_state_new(tn_device *device, uint64_t seed, tn_state **state)
{
    (void)device;
    *state = calloc(1, sizeof **state);
    if (!*state) return TN_ENOMEM;
    (*state)->seed = seed;
    return TN_OK;
}

void tn_state_free(tn_state *state)
{
    for (size_t i = 0; i < state->count; i++) {
        free((char *)state->entry[i].name);
        free(state->data[i]);
    }
    free(state);
}

uint64_t tn_state_seed(const tn_state *state)
{
    return state->seed;
}

void tn_state_set_seed(tn_state *state, uint64_t seed)
{
    state->seed = seed;
}

uint64_t tn_state_step(const tn_state *state)
{
    return state->step;
}

void tn_state_set_step(tn_state *state, uint64_t step)
{
    state->step = step;
}

int tn_state_at(const tn_state *state, size_t index, tn_state_entry *entry)
{
    if (index >= state->count) return 0;
    *entry = state->entry[index];
    return 1;
}

static size_t place(const tn_state *state, const char *name)
{
    size_t i = 0;
    while (i < state->count && strcmp(state->entry[i].name, name)) i++;
    return i;
}

int tn_state_param_step(const tn_state *state, const char *param, uint64_t *step)
{
    size_t i = place(state, param);
    if (i == state->count || !state->steps[i]) return 0;
    *step = state->steps[i] - 1;
    return 1;
}

tn_status tn_state_set_param_step(tn_state *state, const char *param, uint64_t step)
{
    if (param) state->steps[place(state, param)] = step + 1;
    return TN_OK;
}

int tn_state_find(const tn_state *state, const char *name, tn_state_entry *entry)
{
    return tn_state_at(state, place(state, name), entry);
}

static uint64_t size_of(const tn_state_entry *entry)
{
    return (uint64_t)tn_shape_count(&entry->shape) * tn_dtype_size(entry->dtype);
}

tn_status tn_state_put(tn_state *state, const char *name, int32_t dtype, tn_shape shape, uint32_t flags,
                       const void *data)
{
    size_t i = place(state, name);
    if (i == MOST) return tn_fail(TN_ENOMEM, "the fake state is full");
    tn_state_entry entry = {NULL, dtype, shape, flags};
    if (i == state->count) {
        entry.name = strdup(name);
        state->entry[i] = entry;
        state->data[i] = calloc(1, size_of(&entry) + 1);
        state->count++;
    }
    if (data) memcpy(state->data[i], data, size_of(&entry));
    return TN_OK;
}

tn_status tn_state_write(tn_state *state, const char *name, const void *data, uint64_t bytes)
{
    size_t i = place(state, name);
    if (i == state->count || bytes != size_of(state->entry + i)) return tn_fail(TN_EINVAL, "fake: cannot write");
    memcpy(state->data[i], data, bytes);
    return TN_OK;
}

tn_status tn_state_write_part(tn_state *state, const char *name, uint64_t at, const void *data, uint64_t bytes)
{
    size_t i = place(state, name);
    if (i == state->count || at + bytes > size_of(state->entry + i)) return tn_fail(TN_EINVAL, "fake: cannot write");
    memcpy((char *)state->data[i] + at, data, bytes);
    return TN_OK;
}

tn_status tn_state_read_part(tn_state *state, const char *name, uint64_t at, void *data, uint64_t bytes)
{
    size_t i = place(state, name);
    if (reads_left >= 0 && !reads_left--) return tn_fail(TN_EDEVICE, "the fake device was lost");
    if (i == state->count || at + bytes > size_of(state->entry + i)) return tn_fail(TN_EINVAL, "fake: cannot read");
    memcpy(data, (const char *)state->data[i] + at, bytes);
    return TN_OK;
}

tn_status tn_state_read(tn_state *state, const char *name, void *data, uint64_t bytes)
{
    size_t i = place(state, name);
    if (i < state->count && bytes != size_of(state->entry + i)) return tn_fail(TN_EINVAL, "fake: cannot read");
    return tn_state_read_part(state, name, 0, data, bytes);
}
