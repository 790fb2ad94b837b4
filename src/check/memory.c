/* memory.c: buffers, and moving bytes to, from and among them. */
#include <stdlib.h>
#include <string.h>

#include "sample.h"
#include "tenon/backend_ext.h"

#define ROOM 4096

/* A buffer of ROOM bytes, filled from `from`. */
static tn_buffer *make(tn_kit *kit, const unsigned char *from)
{
    tn_buffer *buffer = NULL;
    const tn_backend *b = kit->backend;
    if (tn_kit_ok(kit, b->buffer_create(kit->context, ROOM, &buffer, &kit->msg), "buffer_create") && from &&
        tn_kit_ok(kit, b->write(kit->queue, (tn_ref){buffer, 0}, from, ROOM, &kit->msg), "write"))
        tn_kit_ok(kit, b->queue_sync(kit->queue, &kit->msg), "queue_sync");
    return buffer;
}

/* All ROOM bytes must be those of `want`. */
static int holds(tn_kit *kit, tn_buffer *buffer, const unsigned char *want, const char *what, uint64_t at, uint64_t n)
{
    unsigned char back[ROOM];
    if (!tn_kit_ok(kit, kit->backend->read(kit->queue, back, (tn_ref){buffer, 0}, ROOM, &kit->msg), "read") ||
        !tn_kit_ok(kit, kit->backend->queue_sync(kit->queue, &kit->msg), "queue_sync"))
        return 0;
    for (int i = 0; i < ROOM; i++)
        if (!tn_kit_expect(kit, back[i] == want[i], "%s of %llu bytes at %llu: byte %d is %#x, not %#x", what,
                           (unsigned long long)n, (unsigned long long)at, i, back[i], want[i]))
            return 0;
    return 1;
}

static void random_bytes(tn_kit *kit, unsigned char *bytes)
{
    for (int i = 0; i < ROOM; i++) bytes[i] = (unsigned char)tn_kit_bits(kit);
}

/* The first so many bytes are alike: a backend that looks for a shorter pattern must look at all of this one. */
static void make_pattern(tn_kit *kit, unsigned char pattern[8], int alike)
{
    for (int i = 0; i < 8; i++) pattern[i] = i < alike ? 7 : (unsigned char)tn_kit_bits(kit);
}

static void fills(tn_kit *kit)
{
    unsigned char want[ROOM], pattern[8];
    if (!tn_kit_open(kit)) return;
    random_bytes(kit, want);
    tn_buffer *buffer = make(kit, want);
    for (uint64_t size = 1; size <= 8; size *= 2)
        for (int i = 0; i < 25; i++) {
            uint64_t at = tn_kit_bits(kit) % (ROOM / 2 / size) * size, n = i < 18 ? (uint64_t)i * size : 1024 - size;
            make_pattern(kit, pattern, i % 9);
            for (uint64_t k = 0; k < n; k++) want[at + k] = pattern[k % size];
            if (!tn_kit_ok(kit, kit->backend->fill(kit->queue, (tn_ref){buffer, at}, n, pattern, size, &kit->msg),
                           "fill") ||
                !holds(kit, buffer, want, "fill", at, n))
                goto end;
        }
end:
    kit->backend->buffer_destroy(buffer);
    tn_kit_close(kit);
}

static void copies(tn_kit *kit)
{
    unsigned char from[ROOM], want[ROOM];
    if (!tn_kit_open(kit)) return;
    random_bytes(kit, from), random_bytes(kit, want);
    tn_buffer *a = make(kit, from), *c = make(kit, want);
    for (uint64_t n = 0; n < 80; n++) {
        uint64_t at = tn_kit_bits(kit) % 2000, to = tn_kit_bits(kit) % 2000, bytes = n < 70 ? n : n * 23;
        memcpy(want + to, from + at, bytes);
        if (!tn_kit_ok(kit, kit->backend->copy(kit->queue, (tn_ref){c, to}, (tn_ref){a, at}, bytes, &kit->msg),
                       "copy") ||
            !holds(kit, c, want, "copy", to, bytes))
            break;
    }
    memcpy(from + 2048, from + 3, 1001); /* inside one buffer */
    tn_kit_ok(kit, kit->backend->copy(kit->queue, (tn_ref){a, 2048}, (tn_ref){a, 3}, 1001, &kit->msg), "copy");
    holds(kit, a, from, "copy inside a buffer", 2048, 1001);
    kit->backend->buffer_destroy(a), kit->backend->buffer_destroy(c);
    tn_kit_close(kit);
}

static void writes(tn_kit *kit)
{
    unsigned char want[ROOM], part[ROOM], back[ROOM];
    if (!tn_kit_open(kit)) return;
    random_bytes(kit, want);
    tn_buffer *buffer = make(kit, want);
    for (uint64_t n = 0; n < 80; n++) {
        uint64_t at = tn_kit_bits(kit) % 2000, bytes = n < 70 ? n : n * 23;
        random_bytes(kit, part);
        memcpy(want + at, part, bytes);
        memset(back, 0, sizeof back);
        if (!tn_kit_ok(kit, kit->backend->write(kit->queue, (tn_ref){buffer, at}, part, bytes, &kit->msg), "write") ||
            !tn_kit_ok(kit, kit->backend->read(kit->queue, back, (tn_ref){buffer, at}, bytes, &kit->msg), "read") ||
            !tn_kit_ok(kit, kit->backend->queue_sync(kit->queue, &kit->msg), "queue_sync") ||
            !tn_kit_expect(kit, !memcmp(back, part, bytes) && !back[bytes],
                           "read of %llu bytes at %llu is not what was "
                           "written",
                           (unsigned long long)bytes, (unsigned long long)at) ||
            !holds(kit, buffer, want, "write", at, bytes))
            break;
    }
    kit->backend->buffer_destroy(buffer);
    tn_kit_close(kit);
}

static void no_bytes(tn_kit *kit)
{
    tn_buffer *empty = NULL;
    unsigned char byte = 7;
    if (!tn_kit_open(kit)) return;
    const tn_backend *b = kit->backend;
    tn_ref at = {NULL, 0};
    if (tn_kit_ok(kit, b->buffer_create(kit->context, 0, &empty, &kit->msg), "buffer_create of no bytes")) {
        at.buffer = empty;
        tn_kit_ok(kit, b->write(kit->queue, at, &byte, 0, &kit->msg), "write of no bytes");
        tn_kit_ok(kit, b->read(kit->queue, &byte, at, 0, &kit->msg), "read of no bytes");
        tn_kit_ok(kit, b->fill(kit->queue, at, 0, &byte, 1, &kit->msg), "fill of no bytes");
        tn_kit_ok(kit, b->queue_sync(kit->queue, &kit->msg), "queue_sync");
        tn_kit_expect(kit, byte == 7, "a read of no bytes reads one");
        b->buffer_destroy(empty);
    }
    tn_kit_close(kit);
}

/* More than there is fails, without a result, and what is left goes on working. */
static void too_much(tn_kit *kit)
{
    static const uint64_t sizes[] = {(uint64_t)1 << 46, (uint64_t)1 << 62, UINT64_MAX - 63, UINT64_MAX};
    tn_buffer *const mark = (tn_buffer *)(uintptr_t)8;
    if (!tn_kit_open(kit)) return;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        tn_buffer *buffer = mark;
        int32_t status = kit->backend->buffer_create(kit->context, sizes[i], &buffer, &kit->msg);
        tn_kit_expect(kit, status != TN_OK, "a buffer of %llu bytes was made", (unsigned long long)sizes[i]);
        tn_kit_expect(kit, status != TN_OK && buffer == mark, "a failed buffer_create writes its result");
        if (kit->result->failed) break;
    }
    unsigned char want[ROOM];
    random_bytes(kit, want);
    tn_buffer *small = make(kit, want);
    holds(kit, small, want, "write after memory ran out", 0, ROOM);
    kit->backend->buffer_destroy(small);
    tn_kit_close(kit);
}

/* What lies beyond a place that takes more than 31 or 32 bits is not what lies below: in moves, and in a run. */
static int32_t use_beyond(tn_kit *kit, tn_buffer *buffer, uint64_t beyond)
{
    enum { COUNT = 64, PART = 1024 };
    int32_t want[COUNT], back[COUNT], low = 0x11111111;
    tn_buffer *scratch = NULL;
    tn_kernel_info info;
    const tn_backend *b = kit->backend;
    const tn_ref from = {buffer, beyond}, to = {buffer, beyond + PART}, sum = {buffer, beyond + 2 * PART};
    tn_kernel *twice = tn_kit_twice(kit, COUNT, &info);
    for (int i = 0; i < COUNT; i++) want[i] = (int32_t)tn_kit_bits(kit);
    int32_t s = b->buffer_create(kit->context, info.scratch, &scratch, &kit->msg);
    if (!s) s = b->write(kit->queue, from, want, sizeof want, &kit->msg);
    if (!s) s = b->fill(kit->queue, (tn_ref){buffer, 0}, 4 * PART, &low, 4, &kit->msg);
    if (!s) s = b->copy(kit->queue, to, from, sizeof want, &kit->msg);
    const tn_run run = {sizeof run, &to, &sum, {scratch, 0}, NULL, 0};
    if (!s && twice) s = b->op_run(kit->queue, twice, &run, &kit->msg);
    if (!s) s = b->read(kit->queue, back, twice ? sum : to, sizeof back, &kit->msg);
    if (!s) s = b->queue_sync(kit->queue, &kit->msg);
    for (int i = 0; !s && i < COUNT; i++) {
        const int32_t is = twice ? (int32_t)(2 * (uint32_t)want[i]) : want[i];
        if (!tn_kit_expect(kit, back[i] == is, "what was put beyond %llu bytes is not there",
                           (unsigned long long)beyond))
            break;
    }
    b->op_release(twice), b->buffer_destroy(scratch);
    return s;
}

static void large(tn_kit *kit)
{
    if (!tn_kit_open(kit)) return;
    for (int bits = 31; bits <= 32; bits++) {
        const uint64_t beyond = (uint64_t)1 << bits, bytes = beyond + ROOM;
        tn_buffer *buffer = NULL;
        int32_t s = kit->info.max_buffer && kit->info.max_buffer < bytes
                        ? TN_ENOMEM
                        : kit->backend->buffer_create(kit->context, bytes, &buffer, &kit->msg);
        if (s == TN_ENOMEM) {
            tn_kit_expect(kit, 1, " ");
            tn_kit_remark(kit, "there is no room for %llu bytes", (unsigned long long)bytes);
        } else if (tn_kit_ok(kit, s, "buffer_create")) {
            tn_kit_ok(kit, use_beyond(kit, buffer, beyond), "work far into a buffer");
        }
        kit->backend->buffer_destroy(buffer);
    }
    tn_kit_close(kit);
}

/* Many at once do not overlap. */
static void many_buffers(tn_kit *kit)
{
    enum { MANY = 200 };
    tn_buffer *buffer[MANY] = {0};
    unsigned char want[ROOM];
    if (!tn_kit_open(kit)) return;
    for (int i = 0; i < MANY; i++) {
        uint64_t pattern = (uint64_t)i * 0x0101010101010101u;
        buffer[i] = make(kit, NULL);
        if (!buffer[i] ||
            !tn_kit_ok(kit, kit->backend->fill(kit->queue, (tn_ref){buffer[i], 0}, ROOM, &pattern, 8, &kit->msg),
                       "fill"))
            break;
    }
    for (int i = 0; i < MANY && buffer[i]; i++) {
        memset(want, i, sizeof want);
        if (!holds(kit, buffer[i], want, "fill of one of many buffers", 0, ROOM)) break;
    }
    for (int i = 0; i < MANY; i++) kit->backend->buffer_destroy(buffer[i]);
    tn_kit_close(kit);
}

/* A range that is not in the buffer fails when it is asked for, or when the queue is waited for. */
static void out_of_range(tn_kit *kit)
{
    unsigned char bytes[64] = {0};
    static const uint64_t at[] = {ROOM - 8, ROOM, ROOM + 1, UINT64_MAX - 8};
    if (!tn_kit_open(kit)) return;
    const tn_backend *b = kit->backend;
    tn_buffer *buffer = make(kit, NULL);
    for (int i = 0; buffer && i < 8; i++) {
        tn_queue *q = NULL;
        if (!tn_kit_ok(kit, b->queue_create(kit->context, &q, &kit->msg), "queue_create")) break;
        tn_ref ref = {buffer, at[i % 4]};
        int32_t s = i < 4 ? b->read(q, bytes, ref, 16, &kit->msg) : b->write(q, ref, bytes, 16, &kit->msg);
        int32_t synced = b->queue_sync(q, &kit->msg);
        tn_kit_expect(kit, s || synced, "16 bytes at %llu of a buffer of %d can be %s", (unsigned long long)at[i % 4],
                      ROOM, i < 4 ? "read" : "written");
        b->queue_destroy(q);
    }
    b->buffer_destroy(buffer);
    tn_kit_close(kit);
}

/* A run of the sample in which buffer number `off` (inputs, the output, the scratch memory) is long enough, but the
 * operand lies `by` bytes behind its beginning. */
static void run_beyond(tn_kit *kit, const tn_kit_sample *s, tn_kernel *kernel, uint64_t scratch, uint32_t off,
                       uint64_t by)
{
    const tn_backend *b = kit->backend;
    const tn_op_desc *desc = s->job.desc;
    const uint32_t all = desc->n_in + 2;
    tn_buffer *buffer[TN_MAX_OPERANDS + 2] = {0};
    tn_ref at[TN_MAX_OPERANDS + 2];
    tn_queue *q = NULL;
    int32_t made = b->queue_create(kit->context, &q, &kit->msg);
    for (uint32_t i = 0; !made && i < all; i++) {
        const uint64_t bytes = tn_kit_buffer_bytes(desc, i, scratch);
        made = b->buffer_create(kit->context, bytes, &buffer[i], &kit->msg);
        at[i] = (tn_ref){buffer[i], i == off ? by : 0};
        if (!made) made = b->fill(q, (tn_ref){buffer[i], 0}, bytes / 4 * 4, "\0\0\0", 4, &kit->msg);
    }
    if (tn_kit_ok(kit, made, "a queue and its buffers")) {
        const tn_run run = {sizeof run, at, &at[desc->n_in], at[desc->n_in + 1], s->job.scalar, s->job.n_scalar};
        (void)b->op_run(q, kernel, &run, &kit->msg); /* may answer the queue's error */
        const int32_t synced = b->queue_sync(q, &kit->msg);
        tn_kit_expect(kit, synced == TN_EINVAL,
                      "%s whose %s lies %llu bytes beyond its buffer: queue_sync answers %s, not TN_EINVAL", desc->name,
                      off < desc->n_in    ? "input"
                      : off == desc->n_in ? "output"
                                          : "scratch memory",
                      (unsigned long long)by, tn_status_name(synced));
    }
    for (uint32_t i = 0; i < all; i++) b->buffer_destroy(buffer[i]);
    b->queue_destroy(q);
    *kit->text = 0;
}

/* Each operand and the scratch memory, by as little as may be and by far. */
static void run_each_beyond(tn_kit *kit, const tn_kit_sample *s)
{
    const tn_op_desc *desc = s->job.desc;
    const uint64_t aligned = kit->info.alignment ? kit->info.alignment : 64;
    tn_kernel *kernel = NULL;
    tn_kernel_info info = {.size = sizeof info};
    int32_t status = kit->backend->op_prepare(kit->context, desc, &kernel, &info, &kit->msg);
    if (status == TN_EUNSUPPORTED) {
        kit->result->refused++;
        return;
    }
    if (!tn_kit_ok(kit, status, "op_prepare")) return;
    for (uint32_t i = 0; i < desc->n_in + 2 && !kit->result->failed; i++) {
        if (i == desc->n_in + 1 && !info.scratch) continue;
        run_beyond(kit, s, kernel, info.scratch, i, i < desc->n_in + 1 ? 4 : aligned);
        run_beyond(kit, s, kernel, info.scratch, i, (UINT64_MAX - 3) / aligned * aligned);
    }
    kit->backend->op_release(kernel);
}

static void runs_beyond(tn_kit *kit)
{
    tn_kit_sample s;
    if (!tn_kit_open(kit)) return;
    if (!kit->backend->abi_minor) tn_kit_remark(kit, "not asked of a backend of version 1.0");
    for (int i = 0; i < TN_KIT_ALL && !kit->result->failed && kit->backend->abi_minor; i++) {
        if (!tn_kit_sample_make(kit, i, &s)) break;
        run_each_beyond(kit, &s);
        tn_kit_sample_free(&s);
    }
    tn_kit_close(kit);
}

/* What is where after a fill, a write and a copy of `bytes` bytes at odd places, each between guards. */
static int move_long(tn_kit *kit, uint64_t bytes)
{
    enum { GUARD = 77 };
    const uint64_t all = bytes + 2 * GUARD + 5;
    const tn_backend *b = kit->backend;
    tn_buffer *from = NULL, *to = NULL;
    unsigned char *want = malloc(all), *back = malloc(all), seven = 7;
    for (uint64_t i = 0; want && i < all; i++) want[i] = (unsigned char)tn_kit_bits(kit);
    int32_t s = want && back ? b->buffer_create(kit->context, all, &from, &kit->msg) : TN_ENOMEM;
    if (!s) s = b->buffer_create(kit->context, all, &to, &kit->msg);
    if (!s) s = b->fill(kit->queue, (tn_ref){to, 0}, all, &seven, 1, &kit->msg);
    if (!s) s = b->write(kit->queue, (tn_ref){from, 0}, want, all, &kit->msg);
    if (!s) s = b->copy(kit->queue, (tn_ref){to, GUARD}, (tn_ref){from, 5}, bytes, &kit->msg);
    if (!s) s = b->read(kit->queue, back, (tn_ref){to, 0}, all, &kit->msg);
    if (!s) s = b->queue_sync(kit->queue, &kit->msg);
    int fine = tn_kit_ok(kit, s, "moving bytes");
    for (uint64_t i = 0; fine && i < all; i++) {
        unsigned char expected = i < GUARD || i >= GUARD + bytes ? seven : want[i - GUARD + 5];
        if (back[i] != expected)
            fine = tn_kit_expect(kit, 0, "a copy of %llu bytes: byte %lld is %#x, not %#x", (unsigned long long)bytes,
                                 (long long)(i - GUARD), back[i], expected);
    }
    b->buffer_destroy(from), b->buffer_destroy(to);
    free(want), free(back);
    return fine;
}

/* A write of `bytes` bytes to an odd place, and a read back of all but the last, of an odd and an even length. */
static int move_odd(tn_kit *kit, uint64_t bytes)
{
    const tn_backend *b = kit->backend;
    tn_buffer *buffer = NULL;
    unsigned char *want = malloc(bytes), *back = malloc(bytes);
    for (uint64_t i = 0; want && i < bytes; i++) want[i] = (unsigned char)tn_kit_bits(kit);
    int32_t s = want && back ? b->buffer_create(kit->context, bytes + 8, &buffer, &kit->msg) : TN_ENOMEM;
    for (uint64_t at = 1; !s && at < 8; at += 2) {
        memset(back, 0, bytes);
        back[bytes - 1] = 0x77;
        s = b->write(kit->queue, (tn_ref){buffer, at}, want, bytes, &kit->msg);
        if (!s) s = b->read(kit->queue, back, (tn_ref){buffer, at}, bytes - 1, &kit->msg);
        if (!s) s = b->queue_sync(kit->queue, &kit->msg);
        uint64_t i = 0;
        while (!s && i < bytes - 1 && back[i] == want[i]) i++;
        if (!tn_kit_expect(kit, s || (i == bytes - 1 && back[i] == 0x77),
                           "a write and a read of %llu bytes at %llu: byte %llu is %#x", (unsigned long long)bytes,
                           (unsigned long long)at, (unsigned long long)i, back[i]))
            break;
    }
    b->buffer_destroy(buffer);
    free(want), free(back);
    return tn_kit_ok(kit, s, "moving bytes at odd places") && !kit->result->failed;
}

/* cpu: 512 Ki. */
static void long_moves(tn_kit *kit)
{
    static const uint64_t size[] = {65535,         65537,         (512 << 10) - 200, (512 << 10) - 1, (512 << 10) + 1,
                                    (1 << 20) - 1, (1 << 20) + 1, (3 << 20) + 13,    (17 << 20) + 7,  (33 << 20) + 11};
    if (!tn_kit_open(kit)) return;
    for (size_t i = 0; i < sizeof size / sizeof *size; i++)
        if (!move_long(kit, size[i]) || !move_odd(kit, size[i])) break;
    tn_kit_close(kit);
}

/* ---- what is let go of can be had again ---- */

enum { BUFFERS = 8, LAPS = 12 };

/* Makes buffers of `bytes` bytes and lets go of them in an order that is neither that nor the reverse, of every other
 * one while work uses it. */
static int make_and_let_go(tn_kit *kit, uint64_t bytes, int lap)
{
    const tn_backend *b = kit->backend;
    tn_buffer *buffer[BUFFERS] = {0};
    int32_t s = TN_OK;
    for (int i = 0; !s && i < BUFFERS; i++) s = b->buffer_create(kit->context, bytes, &buffer[i], &kit->msg);
    for (int i = 0; !s && i < BUFFERS; i += 2)
        s = b->fill(kit->queue, (tn_ref){buffer[i], 0}, bytes, &lap, 1, &kit->msg);
    for (int i = 0; i < BUFFERS; i++) b->buffer_destroy(buffer[(i * 3 + lap) % BUFFERS]);
    if (!s) s = b->queue_sync(kit->queue, &kit->msg);
    return tn_kit_ok(kit, s, "buffer_create where buffers were let go of");
}

/* A driver may keep what was let go of to give it out again, and other programs take memory too. But what is free must
 * not become less by a quarter of what was let go of, each time anew. */
static void comes_back(tn_kit *kit)
{
    if (!tn_kit_open(kit)) return;
    const tn_ext_memory *memory = tn_kit_extension(kit, TN_EXT_MEMORY);
    tn_memory_budget before = {.size = sizeof before}, now = {.size = sizeof now};
    if (!memory) kit->result->refused++;
    int shrinks = memory && tn_kit_ok(kit, memory->budget(kit->target->index, &before, &kit->msg), "budget");
    uint64_t bytes = before.free / (4 * BUFFERS) < 4 << 20 ? before.free / (4 * BUFFERS) : 4 << 20;
    for (int lap = 0; shrinks && lap < LAPS; lap++) {
        shrinks = make_and_let_go(kit, bytes, lap) &&
                  tn_kit_ok(kit, memory->budget(kit->target->index, &now, &kit->msg), "budget") &&
                  now.free + bytes * BUFFERS / 4 <= before.free;
        before = now;
    }
    tn_kit_expect(kit, !shrinks, "%d times %d buffers of %llu bytes were let go of, and each time less is free", LAPS,
                  BUFFERS, (unsigned long long)bytes);
    tn_kit_close(kit);
}

/* ---- where it is ---- */

/* The host's memory that is said to be the buffer's: what either side writes there the other sees. */
static void share(tn_kit *kit, tn_buffer *buffer, unsigned char *there, const unsigned char *bytes)
{
    const tn_backend *b = kit->backend;
    unsigned char want[ROOM];
    memcpy(want, bytes, ROOM);
    if (!tn_kit_expect(kit, !memcmp(there, want, ROOM), "the address that native gives does not have what was written"))
        return;
    want[0] ^= 0xff, want[ROOM - 1] ^= 0xff;
    there[0] = want[0], there[ROOM - 1] = want[ROOM - 1];
    if (!holds(kit, buffer, want, "the host's own write", 0, ROOM)) return;
    for (int i = 0; i < ROOM; i++) want[i] = 7;
    tn_kit_ok(kit, b->fill(kit->queue, (tn_ref){buffer, 0}, ROOM, want, 1, &kit->msg), "fill");
    tn_kit_ok(kit, b->queue_sync(kit->queue, &kit->msg), "queue_sync");
    tn_kit_expect(kit, !memcmp(there, want, ROOM), "the address that native gives does not have what a fill wrote");
}

/* One place for as long as the buffer is there, and none of another's. */
static void tells_where(tn_kit *kit)
{
    unsigned char bytes[ROOM];
    void *handle[3] = {NULL};
    uint32_t kind[3] = {0};
    if (!tn_kit_open(kit)) return;
    const tn_backend *b = kit->backend;
    const tn_ext_native *ext = tn_kit_extension(kit, TN_EXT_NATIVE);
    random_bytes(kit, bytes);
    tn_buffer *buffer[2] = {make(kit, bytes), make(kit, bytes)};
    if (!ext) kit->result->refused++;
    for (int i = 0; ext && i < 3; i++)
        tn_kit_ok(kit, ext->native(buffer[i % 2], &kind[i], &handle[i], &kit->msg), "native");
    if (ext && !kit->result->failed) {
        tn_kit_expect(kit, kind[0] && handle[0], "native says TN_OK, and gives kind %u and %s handle", kind[0],
                      handle[0] ? "a" : "no");
        tn_kit_expect(kit, handle[0] != handle[1], "two buffers have one handle");
        tn_kit_expect(kit, handle[0] == handle[2] && kind[0] == kind[2], "asked again, native gives another handle");
        for (int i = 0; i < 2 && kind[i] == TN_NATIVE_HOST && !kit->result->failed; i++)
            share(kit, buffer[i], handle[i], bytes);
    }
    b->buffer_destroy(buffer[0]), b->buffer_destroy(buffer[1]);
    tn_kit_close(kit);
}

const tn_kit_case tn_kit_memory[] = {
    {"memory", "fill", "fills of all patterns, lengths and places", fills, NULL, 0, 0},
    {"memory", "copy", "copies of all lengths and places", copies, NULL, 0, 0},
    {"memory", "write-read", "writes and reads of all lengths and places", writes, NULL, 0, 0},
    {"memory", "long", "moves of more than a mebibyte, at odd places", long_moves, NULL, 0, 0},
    {"memory", "nothing", "buffers and moves of no bytes", no_bytes, NULL, 0, 0},
    {"memory", "too-much", "more than there is fails, and what is left goes on", too_much, NULL, 0, 0},
    {"memory", "large", "places beyond 2^31 and 2^32 bytes, in moves and runs", large, NULL, 0, 0},
    {"memory", "many", "many buffers do not overlap", many_buffers, NULL, 0, 0},
    {"memory", "comes-back", "memory that was let go of is free again, as the backend's own count has it", comes_back},
    {"memory", "range", "a range beyond the buffer fails", out_of_range, NULL, 0, 0},
    {"memory", "run-range", "a run fails whose operand or scratch memory lies beyond its buffer", runs_beyond},
    {"memory", "native", "where buffers are, if the backend tells", tells_where},
    {0},
};
