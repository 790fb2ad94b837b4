/* far.c: what lies beyond 4 GiB or 2^24 elements, and how much memory is said to be free. */
#include <string.h>

#include "kit.h"
#include "tenon/backend_ext.h"

#define GIB ((uint64_t)1 << 30)

/* ---- beyond 4 GiB ---- */

enum { ROW = 1 << 20, ROWS = 4100, LAST = ROWS - 1 }; /* row 3 and the last are one in 32 bits */

/* By the device's own count; 0 where it has none. */
static tn_memory_budget count_memory(tn_kit *kit)
{
    const tn_ext_memory *memory = tn_kit_extension(kit, TN_EXT_MEMORY);
    tn_memory_budget now = {.size = sizeof now};
    if (memory) tn_kit_ok(kit, memory->budget(kit->target->index, &now, &kit->msg), "budget");
    return now;
}

/* NULL where there is no room; of what is to be written to, where it is not said that there is plenty. */
static tn_buffer *make_large(tn_kit *kit, uint64_t bytes, int is_written)
{
    tn_buffer *buffer = NULL;
    int32_t s = TN_ENOMEM;
    if ((!kit->info.max_buffer || kit->info.max_buffer >= bytes) &&
        (!is_written || count_memory(kit).free >= 2 * bytes))
        s = kit->backend->buffer_create(kit->context, bytes, &buffer, &kit->msg);
    if (s == TN_ENOMEM) {
        tn_kit_expect(kit, 1, " ");
        tn_kit_remark(kit, "there is no room for %llu bytes", (unsigned long long)bytes);
    } else {
        tn_kit_ok(kit, s, "buffer_create");
    }
    return buffer;
}

/* The last row of a table by its number; take wants one for each element. */
static tn_op_desc describe(const char *name, tn_tensor_desc in[2], tn_tensor_desc *out, const void *attrs)
{
    const int takes = !strcmp(name, "take");
    in[0] = tn_desc_dense(TN_U8, takes ? &(tn_shape){3, {1, ROWS, ROW}} : &(tn_shape){2, {ROWS, ROW}});
    in[1] = tn_desc_dense(TN_I32, takes ? &(tn_shape){3, {1, 1, ROW}} : &(tn_shape){1, {1}});
    *out = tn_desc_dense(TN_U8, takes ? &(tn_shape){3, {1, 1, ROW}} : &(tn_shape){2, {1, ROW}});
    return (tn_op_desc){.size = sizeof(tn_op_desc),
                        .name = name,
                        .in = in,
                        .out = out,
                        .n_in = attrs ? 1 : 2,
                        .n_out = 1,
                        .attrs = attrs};
}

static void take_row(tn_kit *kit, const char *name, const void *attrs, tn_buffer *table)
{
    const tn_backend *b = kit->backend;
    tn_tensor_desc in[2], out;
    const tn_op_desc desc = describe(name, in, &out, attrs);
    tn_kernel *kernel = NULL;
    tn_kernel_info info = {.size = sizeof info};
    tn_buffer *at[3] = {0};
    const uint64_t bytes[] = {4 * ROW, ROW, 0};
    const int32_t last = LAST;
    unsigned char got = 9;
    int32_t s = b->op_prepare(kit->context, &desc, &kernel, &info, &kit->msg);
    if (s == TN_EUNSUPPORTED) {
        kit->result->refused++;
        return;
    }
    for (int i = 0; !s && i < 3; i++)
        s = b->buffer_create(kit->context, i < 2 ? bytes[i] : info.scratch, &at[i], &kit->msg);
    const tn_ref from[] = {{table, 0}, {at[0], 0}}, to = {at[1], 0};
    const tn_scalar start = {.i = LAST};
    const tn_run run = {sizeof run, from, &to, {at[2], 0}, &start, 1};
    if (!s) s = b->fill(kit->queue, from[1], 4 * ROW, &last, 4, &kit->msg);
    if (!s) s = b->op_run(kit->queue, kernel, &run, &kit->msg);
    if (!s) s = b->read(kit->queue, &got, to, 1, &kit->msg);
    if (!s) s = b->queue_sync(kit->queue, &kit->msg);
    if (s == TN_ENOMEM)
        tn_kit_remark(kit, "there is no room for a %s of so large a table", name);
    else
        tn_kit_ok(kit, s, name);
    tn_kit_expect(kit, s || got == 2, "%s of the row that begins %llu bytes into a table gives %d, not 2", name,
                  (unsigned long long)LAST * ROW, got);
    b->op_release(kernel);
    for (int i = 0; i < 3; i++) b->buffer_destroy(at[i]);
}

static void rows(tn_kit *kit)
{
    static const tn_window_attrs window = {sizeof window, 0, 0};
    static const tn_slice_attrs slice = {sizeof slice, {LAST}, {1, 1}}, back = {sizeof back, {LAST}, {-1, 1}};
    const unsigned char one = 1, two = 2;
    if (!tn_kit_open(kit)) return;
    const tn_backend *b = kit->backend;
    tn_buffer *table = make_large(kit, (uint64_t)ROWS * ROW, 0);
    if (table) {
        int32_t s = b->fill(kit->queue, (tn_ref){table, 0}, 4 * ROW, &one, 1, &kit->msg);
        if (!s) s = b->fill(kit->queue, (tn_ref){table, (uint64_t)LAST * ROW}, ROW, &two, 1, &kit->msg);
        if (tn_kit_ok(kit, s, "rows of a large table")) {
            take_row(kit, "window", &window, table);
            take_row(kit, "gather", NULL, table);
            take_row(kit, "take", NULL, table);
            take_row(kit, "slice", &slice, table);
            take_row(kit, "slice", &back, table);
        }
    }
    b->buffer_destroy(table);
    tn_kit_close(kit);
}

/* A fill of more than 4 GiB goes to its end. A CPU is not asked: it takes long, and much of other programs' memory. */
static void long_fill(tn_kit *kit)
{
    const uint64_t bytes = 4 * GIB + 65536, at[] = {0, 65536, 2 * GIB, bytes - 8};
    const uint64_t pattern = 0x0807060504030201;
    if (!tn_kit_open(kit)) return;
    const tn_backend *b = kit->backend;
    tn_buffer *buffer = kit->info.kind == TN_DEVICE_CPU ? NULL : make_large(kit, bytes, 1);
    int32_t s = buffer ? b->fill(kit->queue, (tn_ref){buffer, 0}, bytes, &pattern, 8, &kit->msg) : TN_OK;
    for (size_t i = 0; buffer && !s && i < sizeof at / sizeof *at; i++) {
        uint64_t got = 0;
        s = b->read(kit->queue, &got, (tn_ref){buffer, at[i]}, 8, &kit->msg);
        if (!s) s = b->queue_sync(kit->queue, &kit->msg);
        tn_kit_expect(kit, s || got == pattern, "a fill of %llu bytes does not reach byte %llu",
                      (unsigned long long)bytes, (unsigned long long)at[i]);
    }
    tn_kit_ok(kit, s, "a fill of more than 4 GiB");
    b->buffer_destroy(buffer);
    tn_kit_close(kit);
}

/* ---- beyond 2^24 elements ---- */

/* Coordinates along dimension `d` of (ROWS, WIDE), of which f32 can't tell one from the next by the element's number.
 */
static int32_t count_along(tn_kit *kit, int32_t d, int32_t *got, const uint64_t places[], int n)
{
    enum { WIDE = 4201 };
    const tn_backend *b = kit->backend;
    const tn_map_instr instr = {"iota", {d, -1, -1, -1}, TN_I32, 0, 0};
    const int32_t result = 0;
    const tn_map_attrs map = {sizeof map, &instr, &result, 1, 0, 1, 0};
    const tn_tensor_desc y = tn_desc_dense(TN_I32, &(tn_shape){2, {ROWS, WIDE}});
    const tn_op_desc desc = {.size = sizeof desc, .name = "map", .out = &y, .n_out = 1, .attrs = &map};
    tn_kernel *kernel = NULL;
    tn_kernel_info info = {.size = sizeof info};
    tn_buffer *at[2] = {0};
    int32_t s = b->op_prepare(kit->context, &desc, &kernel, &info, &kit->msg);
    if (!s) s = b->buffer_create(kit->context, tn_kit_bytes(&y), &at[0], &kit->msg);
    if (!s) s = b->buffer_create(kit->context, info.scratch, &at[1], &kit->msg);
    const tn_ref out = {at[0], 0};
    const tn_run run = {sizeof run, NULL, &out, {at[1], 0}, NULL, 0};
    if (!s) s = b->op_run(kit->queue, kernel, &run, &kit->msg);
    for (int i = 0; !s && i < n; i++) s = b->read(kit->queue, &got[i], (tn_ref){at[0], places[i] * 4}, 4, &kit->msg);
    if (!s) s = b->queue_sync(kit->queue, &kit->msg);
    for (int i = 0; !s && i < n; i++) {
        const int32_t want = (int32_t)(d ? places[i] % WIDE : places[i] / WIDE);
        tn_kit_expect(kit, got[i] == want, "coordinate %d of element %llu of (%d, %d) is %d, not %d", d,
                      (unsigned long long)places[i], ROWS, WIDE, want, got[i]);
    }
    for (int i = 0; i < 2; i++) b->buffer_destroy(at[i]);
    b->op_release(kernel);
    return s;
}

static void coordinates(tn_kit *kit)
{
    enum { PLACES = 64 };
    uint64_t place[PLACES];
    int32_t got[PLACES];
    if (!tn_kit_open(kit)) return;
    for (int i = 0; i < PLACES; i++) place[i] = ((uint64_t)1 << 24) + 2 * (uint64_t)i * (uint64_t)i + (uint64_t)i % 2;
    for (int32_t d = 0; d < 2; d++) {
        const int32_t s = count_along(kit, d, got, place, PLACES);
        if (s == TN_EUNSUPPORTED || s == TN_ENOMEM)
            kit->result->refused++;
        else
            tn_kit_ok(kit, s, "iota");
    }
    tn_kit_close(kit);
}

/* ---- what is free ---- */

/* What is taken, and written to, is free no more, unless the driver doesn't tell and all is; now and then others let go
 * of as much meanwhile. */
static void taken(tn_kit *kit)
{
    enum { TIMES = 8 };
    const unsigned char one = 1;
    if (!tn_kit_open(kit)) return;
    const tn_backend *b = kit->backend;
    int less = 0, tried = 0;
    kit->result->refused += !tn_kit_extension(kit, TN_EXT_MEMORY);
    for (; !less && tried < TIMES; tried++) {
        const tn_memory_budget before = count_memory(kit);
        tn_buffer *buffer = make_large(kit, GIB / 2, 1);
        if (!buffer) break;
        int32_t s = b->fill(kit->queue, (tn_ref){buffer, 0}, GIB / 2, &one, 1, &kit->msg);
        if (!s) s = b->queue_sync(kit->queue, &kit->msg);
        tn_kit_ok(kit, s, "a fill of 512 MiB");
        const tn_memory_budget now = count_memory(kit);
        less = now.free + GIB / 8 <= before.free || now.free == now.total;
        b->buffer_destroy(buffer);
    }
    tn_kit_expect(kit, less || tried < TIMES, "512 MiB are taken, and as much is said to be free as before");
    tn_kit_close(kit);
}

/* A buffer that there is no room for takes none. */
static void failed_takes_none(tn_kit *kit)
{
    enum { TIMES = 100 };
    if (!tn_kit_open(kit)) return;
    const tn_backend *b = kit->backend;
    const tn_memory_budget before = count_memory(kit);
    const uint64_t bytes[] = {before.total / 4096 * 4096, (uint64_t)1 << 46};
    tn_buffer *little = NULL;
    int failed = 0;
    kit->result->refused += !tn_kit_extension(kit, TN_EXT_MEMORY);
    int32_t s = b->buffer_create(kit->context, 1 << 20, &little, &kit->msg);
    for (int i = 0; !s && tn_kit_extension(kit, TN_EXT_MEMORY) && i < TIMES; i++) {
        tn_buffer *all = NULL;
        failed += b->buffer_create(kit->context, bytes[i % 2], &all, NULL) != TN_OK;
        b->buffer_destroy(all);
    }
    b->buffer_destroy(little);
    tn_kit_ok(kit, s, "buffer_create");
    const tn_memory_budget now = count_memory(kit);
    tn_kit_expect(kit, now.free >= before.free / 2, "%d buffers that could not be made leave %llu bytes free, of %llu",
                  failed, (unsigned long long)now.free, (unsigned long long)before.free);
    tn_kit_close(kit);
}

const tn_kit_case tn_kit_far[] = {
    {"memory", "rows", "rows that begin beyond 4 GiB, by window, gather, take and slice", rows},
    {"memory", "long-fill", "a fill of more than 4 GiB", long_fill},
    {"large", "coordinates", "coordinates of more than 2^24 elements", coordinates},
    {"memory", "taken", "what is taken is free no more", taken},
    {"memory", "failed", "buffers that cannot be made take no memory", failed_takes_none},
    {0},
};
