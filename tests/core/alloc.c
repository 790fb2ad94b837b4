/* alloc.c: memory for numbers is zeros, lies as it was asked for, and on large pages where there is much of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "alloc.h"

enum { LARGE = 2 << 20 /* a page of the large kind */ };

static void memory_is_zeros_and_lies_as_it_was_asked_for(void **state)
{
    static const size_t sizes[] = {0, 1, 4097, LARGE / 2 - 1, LARGE / 2, LARGE + 1, 3 * LARGE};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int again = 0; again < 2; again++) { /* what was freed may be given again */
            unsigned char *memory = tn_alloc_aligned(sizes[i], 64);
            assert_non_null(memory);
            assert_true((uintptr_t)memory % 64 == 0);
            for (size_t b = 0; b < sizes[i]; b++) assert_int_equal(memory[b], 0);
            memset(memory, 1, sizes[i]);
            tn_free(memory);
        }
}

/* Whether the system says that a mapping's pages are to be large; -1: it says nothing of pages. */
static int is_advised(const void *memory)
{
    FILE *file = fopen("/proc/self/smaps", "r");
    const uintptr_t at = (uintptr_t)memory;
    uintptr_t begin, end;
    int here = 0, advised = -1;
    for (char line[512]; file && fgets(line, sizeof line, file);) {
        if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " ", &begin, &end) == 2) here = begin <= at && at < end;
        if (here && !strncmp(line, "VmFlags:", 8)) advised = strstr(line, " hg") != NULL;
    }
    if (file) fclose(file);
    return advised;
}

static int has_large_pages(void)
{
    FILE *file = fopen("/sys/kernel/mm/transparent_hugepage/enabled", "r");
    if (file) fclose(file);
    return file != NULL;
}

static void much_memory_lies_on_large_pages(void **state)
{
    unsigned char *memory = tn_alloc_aligned(LARGE + 1, 64);
    (void)state;
    assert_non_null(memory);
    assert_true((uintptr_t)memory % LARGE == 0);
    if (has_large_pages() && is_advised(memory) >= 0) assert_int_equal(is_advised(memory + LARGE), 1);
    tn_free(memory);
}

static void more_than_there_can_be_is_refused(void **state)
{
    (void)state;
    assert_null(tn_alloc_aligned(SIZE_MAX - 10, 64));
    assert_null(tn_alloc_aligned(SIZE_MAX / 2, 64));
    tn_region region = {0};
    for (size_t less = 0; less < 100; less++) assert_null(tn_region_alloc(&region, SIZE_MAX - less));
    tn_region_free(&region);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeros_and_lies_as_it_was_asked_for),
        cmocka_unit_test(much_memory_lies_on_large_pages),
        cmocka_unit_test(more_than_there_can_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
