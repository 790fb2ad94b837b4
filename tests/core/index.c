/* index.c: the table of names: adding, finding, and forgetting what came last, against a plain list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "index.h"

enum { MOST = 600, ROUNDS = 300 };

static void what_is_forgotten_is_gone_and_the_rest_is_found(void **state)
{
    static char name[MOST][24];
    tn_index index = {0};
    uint32_t count = 0, number;
    (void)state;
    srand(7);
    tn_index_cut(&index, 0);
    for (int i = 0; i < MOST; i++) snprintf(name[i], sizeof name[i], "fc%d.weight", i);
    for (int round = 0; round < ROUNDS; round++) {
        uint32_t more = (uint32_t)rand() % 40, less = (uint32_t)rand() % 40;
        for (; more && count < MOST; more--, count++)
            assert_int_equal(tn_index_add(&index, NULL, name[count], count), TN_OK);
        count -= less < count ? less : count;
        tn_index_cut(&index, count);
        assert_int_equal(index.count, count);
        for (uint32_t i = 0; i < MOST; i++) {
            int found = tn_index_find(&index, NULL, name[i], &number);
            if (found != (i < count) || (found && number != i))
                fail_msg("round %d, %u names: '%s' is %s", round, count, name[i], found ? "there" : "not there");
        }
    }
    tn_index_free(&index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_forgotten_is_gone_and_the_rest_is_found)};
    return cmocka_run_group_tests_name("index", tests, NULL, NULL);
}
