/* state.c: named tensors on a device. */
#include "state.h"

#include <string.h>

#include "error.h"
#include "given.h"
#include "shape.h"

enum { LEAST_CHUNK = 1 << 16 };

uint64_t tn_state_alignment(const tn_state *state)
{
    uint64_t alignment = state->device->info.alignment;
    return alignment > TN_STATE_STEP ? alignment : TN_STATE_STEP;
}

static uint64_t aligned(const tn_state *state, uint64_t bytes)
{
    uint64_t alignment = tn_state_alignment(state);
    return (bytes + alignment - 1) / alignment * alignment;
}

tn_status tn_state_new(tn_device *device, uint64_t seed, tn_state **out)
{
    TN_GIVEN_AS("device, state", device, out);
    TN_REQUIRE(device, TN_EINVAL, "state: no device");
    tn_state *state = tn_alloc(sizeof *state);
    if (!state) return TN_ENOMEM;
    state->device = device;
    state->seed = seed;
    state->version = 1;
    tn_status s = tn_queue_make(device, &state->queue);
    if (s)
        tn_free(state);
    else
        *out = state;
    return s;
}

void tn_state_free(tn_state *state)
{
    if (!state) return;
    state->device->backend->queue_destroy(state->queue);
    for (uint32_t i = 0; i < state->chunks; i++) state->device->backend->buffer_destroy(state->chunk[i].buffer);
    tn_index_free(&state->names);
    tn_region_free(&state->region);
    tn_free(state->tensor);
    tn_free(state->chunk);
    tn_free(state);
}

tn_device *tn_state_device(const tn_state *state)
{
    if (!state) return NULL;
    return state->device;
}

uint64_t tn_state_seed(const tn_state *state)
{
    if (!state) return 0;
    return state->seed;
}

void tn_state_set_seed(tn_state *state, uint64_t seed)
{
    if (!state) return;
    state->seed = seed;
}

uint64_t tn_state_step(const tn_state *state)
{
    if (!state) return 0;
    return state->step;
}

int tn_state_at(const tn_state *state, size_t index, tn_state_entry *entry)
{
    if (!state || !entry) return 0;
    if (index >= state->count) return 0;
    *entry = state->tensor[index].entry;
    return 1;
}

tn_state_tensor *tn_state_get(const tn_state *state, const char *name)
{
    uint32_t number;
    return tn_index_find(&state->names, NULL, name, &number) ? &state->tensor[number] : NULL;
}

int tn_state_find(const tn_state *state, const char *name, tn_state_entry *entry)
{
    if (!state || !name) return 0;
    const tn_state_tensor *tensor = tn_state_get(state, name);
    if (tensor) *entry = tensor->entry;
    return tensor != NULL;
}

/* ---- making ---- */

/* Plans room for `bytes` bytes, and for what is still to come, as far as one buffer can hold it. */
static tn_status add_chunk(tn_state *state, uint64_t bytes)
{
    uint64_t bank = tn_state_largest(state);
    tn_chunk chunk = {.size = bytes > state->to_come ? bytes : state->to_come};
    if (chunk.size < LEAST_CHUNK) chunk.size = LEAST_CHUNK;
    if (chunk.size > bank) chunk.size = bank;
    TN_TRY(tn_grow(&state->chunk, &state->chunk_capacity, state->chunks + 1, sizeof *state->chunk));
    state->chunk[state->chunks++] = chunk;
    return TN_OK;
}

/* All zeros. */
static tn_status make_chunk(const tn_state *state, tn_chunk *chunk)
{
    TN_MESSAGE(msg);
    const tn_device *device = state->device;
    uint64_t zero = 0;
    TN_TRY(tn_buffer_make(device, chunk->size, &chunk->buffer));
    int32_t code =
        device->backend->fill(state->queue, (tn_ref){chunk->buffer, 0}, chunk->size, &zero, sizeof zero, &msg);
    if (!code) code = device->backend->queue_sync(state->queue, &msg);
    return tn_device_status(device, code, &msg);
}

uint64_t tn_state_planned(const tn_state *state)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < state->chunks; i++) bytes += state->chunk[i].buffer ? 0 : state->chunk[i].size;
    return bytes;
}

tn_status tn_state_make(tn_state *state)
{
    uint64_t bytes = tn_state_planned(state);
    if (bytes) TN_TRY(tn_device_has_room(state->device, bytes, "the model's state"));
    for (uint32_t i = 0; i < state->chunks; i++)
        if (!state->chunk[i].buffer && state->chunk[i].size) TN_TRY(make_chunk(state, &state->chunk[i]));
    return TN_OK;
}

tn_state_mark tn_state_here(const tn_state *state)
{
    return (tn_state_mark){state->count, state->chunks, state->chunks ? state->chunk[state->chunks - 1].used : 0,
                           state->to_come};
}

void tn_state_back(tn_state *state, tn_state_mark mark)
{
    while (state->chunks > mark.chunks) state->device->backend->buffer_destroy(state->chunk[--state->chunks].buffer);
    if (mark.chunks) state->chunk[mark.chunks - 1].used = mark.used;
    if (state->count > mark.count) tn_index_cut(&state->names, mark.count);
    state->count = mark.count;
    state->to_come = mark.to_come;
}

static int has_room(const tn_state *state, uint64_t bytes)
{
    const tn_chunk *last = state->chunks ? &state->chunk[state->chunks - 1] : NULL;
    return last && last->size - last->used >= bytes;
}

tn_status tn_state_announce(tn_state *state, uint64_t bytes)
{
    uint64_t bank = tn_state_largest(state);
    state->to_come = bytes > bank ? bytes : aligned(state, bytes);
    return has_room(state, bytes) ? TN_OK : add_chunk(state, state->to_come);
}

/* Room in the last chunk, or in a new one. */
static tn_status take_room(tn_state *state, uint64_t bytes, uint32_t *chunk, uint64_t *offset)
{
    uint64_t room = aligned(state, bytes);
    if (!has_room(state, room)) TN_TRY(add_chunk(state, room));
    tn_chunk *last = &state->chunk[state->chunks - 1];
    *chunk = state->chunks - 1;
    *offset = last->used;
    last->used += room;
    state->to_come -= state->to_come < room ? state->to_come : room;
    return TN_OK;
}

static tn_status add_entry(tn_state *state, tn_state_tensor made)
{
    TN_TRY(tn_grow(&state->tensor, &state->capacity, state->count + 1, sizeof *state->tensor));
    made.entry.name = tn_region_print(&state->region, "%s", made.entry.name);
    if (!made.entry.name) return TN_ENOMEM;
    TN_TRY(tn_index_add(&state->names, NULL, made.entry.name, state->count));
    state->tensor[state->count++] = made;
    return TN_OK;
}

static tn_status describe(const char *name, int32_t dtype, const tn_shape *shape, uint32_t flags, tn_state_tensor *out)
{
    TN_TRY(tn_shape_check(shape));
    TN_REQUIRE(tn_dtype_size(dtype), TN_EDTYPE, "tensor '%s': no element type", name);
    *out = (tn_state_tensor){.entry = {.name = name, .dtype = dtype, .shape = *shape, .flags = flags},
                             .bytes = (uint64_t)tn_shape_count(shape) * tn_dtype_size(dtype)};
    return TN_OK;
}

tn_status tn_state_plan(tn_state *state, const char *name, int32_t dtype, const tn_shape *shape, uint32_t flags)
{
    tn_state_tensor made;
    TN_TRY(describe(name, dtype, shape, flags, &made));
    TN_REQUIRE(made.bytes <= tn_state_largest(state), TN_ENOMEM,
               "tensor '%s' has %llu bytes, and the largest buffer of %s %llu", name, (unsigned long long)made.bytes,
               tn_device_name(state->device), (unsigned long long)tn_state_largest(state));
    TN_TRY(take_room(state, made.bytes, &made.chunk, &made.offset));
    return add_entry(state, made);
}

/* ---- pieces ---- */

uint64_t tn_state_largest(const tn_state *state)
{
    return tn_device_bank(state->device, tn_state_alignment(state));
}

tn_status tn_state_plan_span(tn_state *state, tn_state_span *span)
{
    return take_room(state, span->bytes, &span->chunk, &span->offset);
}

tn_status tn_state_plan_in(tn_state *state, const char *name, int32_t dtype, const tn_shape *shape, uint32_t flags,
                           const tn_state_span *span, uint64_t at)
{
    tn_state_tensor made;
    TN_TRY(describe(name, dtype, shape, flags, &made));
    made.chunk = span->chunk;
    made.offset = span->offset + at;
    made.is_packed = 1;
    return add_entry(state, made);
}

void tn_state_span_see(tn_state_span *span, const tn_state_tensor *t, uint64_t at)
{
    if (!span->there++) {
        span->chunk = t->chunk;
        span->offset = t->offset - at;
        span->in_order = t->offset >= at;
    }
    span->in_order &= t->chunk == span->chunk && t->offset == span->offset + at;
    span->taken |= t->is_packed;
}

tn_status tn_state_copy_to(tn_state *state, const char *name, const tn_state_span *span, uint64_t at)
{
    TN_MESSAGE(msg);
    const tn_state_tensor *t = tn_state_get(state, name);
    tn_ref to = {state->chunk[span->chunk].buffer, span->offset + at};
    int32_t code = state->device->backend->copy(state->queue, to, (tn_ref){state->chunk[t->chunk].buffer, t->offset},
                                                t->bytes, &msg);
    return tn_device_status(state->device, code, &msg);
}

void tn_state_settle(tn_state *state, const char *name, const tn_state_span *span, uint64_t at)
{
    tn_state_tensor *t = tn_state_get(state, name);
    state->moves += t->chunk != span->chunk || t->offset != span->offset + at;
    t->chunk = span->chunk;
    t->offset = span->offset + at;
    t->is_packed = 1;
}

static int is_empty(const tn_state *state, uint32_t chunk)
{
    for (uint32_t i = 0; i < state->count; i++)
        if (state->tensor[i].chunk == chunk || (state->tensor[i].is_out && state->tensor[i].own_chunk == chunk))
            return 0;
    return 1;
}

tn_status tn_state_move_out(tn_state *state, const char *name, tn_buffer *buffer)
{
    tn_state_tensor *t = tn_state_get(state, name);
    TN_REQUIRE(t && !t->is_out, TN_EMISSING, "no tensor '%s' in the state, or it is elsewhere already", name);
    TN_TRY(tn_grow(&state->chunk, &state->chunk_capacity, state->chunks + 1, sizeof *state->chunk));
    t->own_chunk = t->chunk;
    t->own_offset = t->offset;
    t->is_out = 1;
    t->chunk = state->chunks;
    t->offset = 0;
    state->chunk[state->chunks++] = (tn_chunk){buffer, t->bytes, t->bytes};
    state->moves++;
    state->lent++;
    return TN_OK;
}

void tn_state_move_back(tn_state *state, const char *name)
{
    tn_state_tensor *t = tn_state_get(state, name);
    state->chunk[t->chunk] = (tn_chunk){0};
    t->chunk = t->own_chunk;
    t->offset = t->own_offset;
    t->is_out = 0;
    state->moves++;
    state->lent--;
    state->version++;
}

void tn_state_drop_empty(tn_state *state)
{
    if (state->is_shown) return;
    for (uint32_t i = 0; i < state->chunks; i++) {
        tn_chunk *chunk = &state->chunk[i];
        if (!chunk->used || !is_empty(state, i)) continue;
        if (chunk->buffer) state->device->backend->buffer_destroy(chunk->buffer);
        *chunk = (tn_chunk){0};
    }
}

static tn_status same(const tn_state_tensor *t, int32_t dtype, const tn_shape *shape)
{
    char before[160], now[160];
    TN_REQUIRE(t->entry.dtype == dtype && tn_shape_equal(&t->entry.shape, shape), TN_ESHAPE,
               "tensor '%s' is %s %s in the state and should be %s %s", t->entry.name, tn_dtype_name(t->entry.dtype),
               tn_shape_text(&t->entry.shape, before, sizeof before), tn_dtype_name(dtype),
               tn_shape_text(shape, now, sizeof now));
    return TN_OK;
}

/* ---- copying ---- */

static tn_ref place_of(const tn_state *state, const tn_state_tensor *t)
{
    return (tn_ref){state->chunk[t->chunk].buffer, t->offset};
}

tn_status tn_state_wait(tn_state *state)
{
    TN_MESSAGE(msg);
    return tn_device_status(state->device, state->device->backend->queue_sync(state->queue, &msg), &msg);
}

static tn_status upload_part(tn_state *state, const tn_state_tensor *t, uint64_t at, const void *data, uint64_t bytes)
{
    TN_MESSAGE(msg);
    tn_ref to = place_of(state, t);
    to.offset += at;
    TN_TRY(tn_device_status(state->device, state->device->backend->write(state->queue, to, data, bytes, &msg), &msg));
    state->bytes_written += bytes;
    return tn_state_wait(state);
}

static tn_status upload(tn_state *state, const tn_state_tensor *t, const void *data)
{
    return upload_part(state, t, 0, data, t->bytes);
}

static tn_status download(tn_state *state, const tn_state_tensor *t, uint64_t at, void *data, uint64_t bytes)
{
    TN_MESSAGE(msg);
    tn_ref from = place_of(state, t);
    from.offset += at;
    TN_TRY(tn_device_status(state->device, state->device->backend->read(state->queue, data, from, bytes, &msg), &msg));
    state->bytes_read += bytes;
    return tn_state_wait(state);
}

static tn_status zero(tn_state *state, const tn_state_tensor *t)
{
    TN_MESSAGE(msg);
    uint8_t nothing = 0;
    TN_TRY(tn_device_status(state->device,
                            state->device->backend->fill(state->queue, place_of(state, t), t->bytes, &nothing, 1, &msg),
                            &msg));
    return tn_state_wait(state);
}

static tn_status add(tn_state *state, const char *name, int32_t dtype, const tn_shape *shape, uint32_t flags)
{
    tn_state_mark before = tn_state_here(state);
    tn_status s = tn_state_plan(state, name, dtype, shape, flags);
    if (!s) s = tn_state_make(state);
    if (s) tn_state_back(state, before);
    return s;
}

tn_status tn_state_put(tn_state *state, const char *name, int32_t dtype, tn_shape shape, uint32_t flags,
                       const void *data)
{
    TN_GIVEN(state, name);
    TN_REQUIRE(*name, TN_EINVAL, "tn_state_put: the tensor's name is empty");
    if (tn_state_get(state, name))
        TN_TRY(same(tn_state_get(state, name), dtype, &shape));
    else
        TN_TRY(add(state, name, dtype, &shape, flags));
    tn_state_tensor *t = tn_state_get(state, name);
    t->entry.flags |= flags;
    state->version++;
    return data ? upload(state, t, data) : zero(state, t);
}

static tn_status sized(const tn_state *state, const char *name, uint64_t bytes, tn_state_tensor **out)
{
    tn_state_tensor *t = tn_state_get(state, name);
    TN_REQUIRE(t, TN_EMISSING, "no tensor '%s' in the state", name);
    TN_REQUIRE(t->bytes == bytes, TN_ESHAPE, "tensor '%s' has %llu bytes, not %llu", name, (unsigned long long)t->bytes,
               (unsigned long long)bytes);
    *out = t;
    return TN_OK;
}

tn_status tn_state_write(tn_state *state, const char *name, const void *data, uint64_t bytes)
{
    TN_GIVEN(state, name, data);
    tn_state_tensor *t = NULL;
    TN_TRY(sized(state, name, bytes, &t));
    state->version++;
    return upload(state, t, data);
}

tn_status tn_state_read(tn_state *state, const char *name, void *data, uint64_t bytes)
{
    TN_GIVEN(state, name, data);
    tn_state_tensor *t = NULL;
    TN_TRY(sized(state, name, bytes, &t));
    return download(state, t, 0, data, bytes);
}

/* ---- parts ---- */

static tn_status part_of(const tn_state *state, const char *name, uint64_t at, uint64_t bytes, tn_state_tensor **out)
{
    tn_state_tensor *t = tn_state_get(state, name);
    TN_REQUIRE(t, TN_EMISSING, "no tensor '%s' in the state", name);
    TN_REQUIRE(at <= t->bytes && bytes <= t->bytes - at, TN_EINVAL,
               "tensor '%s' has %llu bytes: there are no %llu from byte %llu on", name, (unsigned long long)t->bytes,
               (unsigned long long)bytes, (unsigned long long)at);
    *out = t;
    return TN_OK;
}

tn_status tn_state_read_part(tn_state *state, const char *name, uint64_t at, void *data, uint64_t bytes)
{
    TN_GIVEN(state, name, data);
    tn_state_tensor *t = NULL;
    TN_TRY(part_of(state, name, at, bytes, &t));
    return bytes ? download(state, t, at, data, bytes) : TN_OK;
}

tn_status tn_state_write_part(tn_state *state, const char *name, uint64_t at, const void *data, uint64_t bytes)
{
    TN_GIVEN(state, name, data);
    tn_state_tensor *t = NULL;
    TN_TRY(part_of(state, name, at, bytes, &t));
    state->version++;
    return bytes ? upload_part(state, t, at, data, bytes) : TN_OK;
}
