/* hash.c: the hash is that of its authors, whatever it is made of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "hash.h"

/* From the table that goes with Fowler, Noll and Vo's draft. */
static void known_texts_have_known_hashes(void **state)
{
    static const struct {
        const char *text;
        uint64_t hash;
    } known[] = {{"", UINT64_C(0xcbf29ce484222325)},
                 {"a", UINT64_C(0xaf63dc4c8601ec8c)},
                 {"foobar", UINT64_C(0x85944171f73967e8)}};
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) assert_true(tn_hash_text(known[i].text) == known[i].hash);
}

static void a_hash_goes_on_byte_by_byte(void **state)
{
    const unsigned char bytes[] = {0, 255, 0, 7, 128};
    (void)state;
    for (size_t cut = 0; cut <= sizeof bytes; cut++) {
        const uint64_t first = tn_hash_bytes(TN_HASH_EMPTY, bytes, cut);
        assert_true(tn_hash_bytes(first, bytes + cut, sizeof bytes - cut) ==
                    tn_hash_bytes(TN_HASH_EMPTY, bytes, sizeof bytes));
    }
    assert_true(tn_hash_bytes(5, NULL, 0) == 5);
    assert_true(tn_hash_bytes(TN_HASH_EMPTY, bytes, 1) != TN_HASH_EMPTY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_texts_have_known_hashes),
        cmocka_unit_test(a_hash_goes_on_byte_by_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
