/* order.c: numbers and their bytes, by examples in both orders; what is done here is the same on every machine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "order.h"

static const uint8_t bytes[] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x10};

static void numbers_are_made_of_bytes_in_either_order(void **state)
{
    static const struct {
        size_t at, bytes;
        int big;
        uint64_t value;
    } known[] = {{0, 1, 0, 0x01},
                 {7, 1, 1, 0xef},
                 {0, 2, 0, 0x2301},
                 {0, 2, 1, 0x0123},
                 {1, 4, 0, 0x89674523},
                 {1, 4, 1, 0x23456789},
                 {0, 8, 0, UINT64_C(0xefcdab8967452301)},
                 {1, 8, 1, UINT64_C(0x23456789abcdef10)}};
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        assert_true(tn_bytes_get(bytes + known[i].at, known[i].bytes, known[i].big) == known[i].value);
}

static void a_number_is_put_lowest_byte_first(void **state)
{
    uint8_t to[10];
    (void)state;
    for (size_t n = 1; n <= 8; n++) {
        memset(to, 0x5a, sizeof to);
        tn_bytes_put(to + 1, n, UINT64_C(0xefcdab8967452301));
        assert_memory_equal(to + 1, bytes, n);
        assert_true(to[0] == 0x5a && to[1 + n] == 0x5a);
    }
}

static void the_bytes_of_each_element_are_turned_round(void **state)
{
    static const struct {
        size_t size;
        uint64_t count;
        uint8_t turned[9];
    } known[] = {{1, 9, {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x10}},
                 {2, 4, {0x23, 0x01, 0x67, 0x45, 0xab, 0x89, 0xef, 0xcd, 0x10}},
                 {4, 2, {0x67, 0x45, 0x23, 0x01, 0xef, 0xcd, 0xab, 0x89, 0x10}},
                 {8, 1, {0xef, 0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 0x01, 0x10}},
                 {8, 0, {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x10}}};
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        uint8_t data[sizeof bytes];
        memcpy(data, bytes, sizeof data);
        tn_bytes_turn(data, known[i].size, known[i].count);
        assert_memory_equal(data, known[i].turned, sizeof data);
    }
}

/* Whatever the machine: 1.0f, and a whole number, as IEEE 754 and files have them. */
static void what_lies_in_memory_becomes_what_lies_in_files_and_back(void **state)
{
    static const uint8_t in_file[] = {0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc0};
    const float number[] = {1, -2.5f};
    const uint16_t half = 0x3c00;
    float x[2];
    (void)state;
    memcpy(x, number, sizeof x);
    assert_true(tn_bytes_own(&x[1], sizeof *x) == 0xc0200000 && tn_bytes_own(&half, sizeof half) == 0x3c00);
    tn_bytes_as_in_file(x, sizeof *x, 2);
    assert_memory_equal(x, in_file, sizeof in_file);
    tn_bytes_as_in_file(x, sizeof *x, 2);
    assert_memory_equal(x, number, sizeof number);
    assert_string_equal(TN_MACHINE_ORDER, *(const uint8_t *)&half ? ">" : "<");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_made_of_bytes_in_either_order),
        cmocka_unit_test(a_number_is_put_lowest_byte_first),
        cmocka_unit_test(the_bytes_of_each_element_are_turned_round),
        cmocka_unit_test(what_lies_in_memory_becomes_what_lies_in_files_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
