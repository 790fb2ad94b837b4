/* alloc.c: counted memory. */
#include "alloc.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "plain.h"
#include "system.h"
#include "tenon/device.h"

static atomic_uint_fast64_t allocations, failures;
static atomic_int_fast64_t fail_after = -1;

uint64_t tn_allocations(void)
{
    return atomic_load(&allocations);
}

uint64_t tn_alloc_failures(void)
{
    return atomic_load(&failures);
}

void tn_alloc_fail_after(int64_t calls)
{
    atomic_store(&fail_after, calls);
}

/* Once it has come down to 0 every allocation fails. */
static int must_fail(void)
{
    int_fast64_t left = atomic_load(&fail_after);
    if (left < 0) return 0;
    if (left > 0) atomic_fetch_sub(&fail_after, 1);
    return left == 0;
}

/* Makes memory of the heap zero. Pages that are let go of come back as zeros when they are used: large memory is not
 * touched for it. */
static void clear(unsigned char *memory, size_t bytes)
{
    const size_t large = (size_t)1 << 20;
    const size_t page = bytes < large ? 0 : (size_t)sysconf(_SC_PAGESIZE);
    const size_t head = page ? (page - (uintptr_t)memory % page) % page : 0;
    const size_t whole = page ? (bytes - head) / page * page : 0;
    if (!whole || !tn_system_let_go(memory + head, whole)) {
        memset(memory, 0, bytes);
        return;
    }
    memset(memory, 0, head);
    memset(memory + head + whole, 0, bytes - head - whole);
}

/* Large memory is whole pages of the large kind where the system has them: numbers that many kernels read in turn are
 * otherwise on more pages than the processor knows at once. */
static int get_aligned(void **memory, size_t alignment, size_t bytes)
{
    const size_t page = (size_t)2 << 20, room = (bytes + page - 1) / page * page;
    if (bytes < page / 2 || alignment > page || room < bytes) return posix_memalign(memory, alignment, bytes);
    const int failed = posix_memalign(memory, page, room);
    if (!failed) tn_system_use_large_pages(*memory, room);
    return failed;
}

void *tn_alloc_aligned(size_t bytes, size_t alignment)
{
    void *memory = NULL;
    size_t room = bytes ? bytes : 1;
    atomic_fetch_add(&allocations, 1);
    if (!must_fail()) {
        if (alignment <= _Alignof(max_align_t))
            memory = calloc(1, room);
        else if (!get_aligned(&memory, alignment, room))
            clear(memory, room);
        else
            memory = NULL;
    }
    if (!memory) {
        atomic_fetch_add(&failures, 1);
        (void)TN_NO_MEMORY(bytes);
    }
    return memory;
}

void *tn_alloc(size_t bytes)
{
    return tn_alloc_aligned(bytes, 1);
}

void tn_free(void *memory)
{
    free(memory);
}

char *tn_strdup(const char *text)
{
    size_t bytes = strlen(text) + 1;
    char *copy = tn_alloc(bytes);
    return copy ? memcpy(copy, text, bytes) : NULL;
}

tn_status tn_grow(void *array, uint32_t *capacity, uint32_t need, size_t size)
{
    void **pointer = array;
    if (need <= *capacity) return TN_OK;
    uint32_t room = *capacity ? *capacity * 2 : 16;
    while (room < need) room *= 2;
    void *grown = tn_alloc(room * size);
    if (!grown) return TN_ENOMEM;
    if (*pointer) memcpy(grown, *pointer, *capacity * size);
    tn_free(*pointer);
    *pointer = grown;
    *capacity = room;
    return TN_OK;
}

struct tn_region_block {
    struct tn_region_block *next;
    size_t used, room;
    _Alignas(max_align_t) char bytes[];
};

void *tn_region_alloc(tn_region *region, size_t bytes)
{
    size_t align = sizeof(max_align_t), need = (bytes + align - 1) / align * align;
    struct tn_region_block *block = region->blocks;
    if (bytes > SIZE_MAX / 2) return (void)TN_NO_MEMORY(bytes), NULL;
    if (!block || block->room - block->used < need) {
        size_t room = need > 16384 ? need : 16384;
        block = tn_alloc(sizeof *block + room);
        if (!block) return NULL;
        block->room = room;
        block->next = region->blocks;
        region->blocks = block;
    }
    void *piece = block->bytes + block->used;
    block->used += need;
    return piece;
}

char *tn_region_print(tn_region *region, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = tn_vsnprintf(NULL, 0, format, args);
    char *text = tn_region_alloc(region, (size_t)length + 1);
    if (text) tn_vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    va_end(args);
    return text;
}

void tn_region_free(tn_region *region)
{
    while (region->blocks) {
        struct tn_region_block *block = region->blocks;
        region->blocks = block->next;
        tn_free(block);
    }
}
