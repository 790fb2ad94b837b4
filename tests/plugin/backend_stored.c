/* backend_stored.c: operands of convolutions and poolings may be stored in types that are computed as one, where a
 * backend says that it takes that, and nowhere else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tenon/backend_check.h"
#include "op_samples.h"

static tn_op_facts facts;

static int32_t ask(const sample *s, uint32_t takes)
{
    char text[160] = "";
    const int32_t status = tn_check_op_with(&s->desc, takes, &facts, &(tn_msg){text, sizeof text});
    assert_int_equal(status != TN_OK, *text != 0);
    return status;
}

static int has_images(const sample *s)
{
    return strstr(s->desc.name, "pool2d") || !strncmp(s->desc.name, "conv2d", 6);
}

static void each_operand_may_be_stored_in_16_bits(void **state)
{
    int seen = 0;
    (void)state;
    for (int i = 0; i < SAMPLES; i++) {
        sample s;
        sample_make(&s, i);
        if (!has_images(&s)) continue;
        for (uint32_t k = 0; k < s.desc.n_in + s.desc.n_out; k++) {
            s.operand[k].dtype = k % 2 ? TN_F16 : TN_BF16;
            assert_int_equal(ask(&s, TN_TAKES_STORED), TN_OK);
            assert_int_equal(facts.dtype, TN_F32);
            s.operand[k].dtype = TN_F64;
            assert_int_equal(ask(&s, TN_TAKES_STORED), TN_EDTYPE);
            s.operand[k].dtype = TN_F32;
        }
        seen++;
    }
    assert_int_equal(seen, 7);
}

/* Types that differ may be taken one day; a backend that takes no mixtures has facts.dtype as it always was. */
static void others_decline_it(void **state)
{
    (void)state;
    for (int i = 0; i < SAMPLES; i++) {
        sample s;
        sample_make(&s, i);
        if (!has_images(&s)) continue;
        s.operand[0].dtype = TN_BF16;
        assert_int_equal(ask(&s, TN_TAKES_CHANNELS_LAST), TN_EUNSUPPORTED);
        for (uint32_t k = 0; k < s.desc.n_in + s.desc.n_out; k++) s.operand[k].dtype = TN_BF16;
        assert_int_equal(ask(&s, 0), TN_OK);
        assert_int_equal(facts.dtype, TN_BF16);
        assert_int_equal(ask(&s, TN_TAKES_STORED), TN_OK);
        assert_int_equal(facts.dtype, TN_F32);
    }
}

/* Of bytes the largest is a byte; a mean of them, or a convolution, is none. */
static void whole_numbers_have_a_largest_alone(void **state)
{
    (void)state;
    for (int i = 0; i < SAMPLES; i++) {
        sample s;
        sample_make(&s, i);
        if (!has_images(&s)) continue;
        const int is_whole = !strcmp(s.desc.name, "maxpool2d");
        for (uint32_t k = 0; k < s.desc.n_in + s.desc.n_out; k++) s.operand[k].dtype = TN_U8;
        assert_int_equal(ask(&s, TN_TAKES_STORED), is_whole ? TN_OK : TN_EUNSUPPORTED);
        if (is_whole) assert_int_equal(facts.dtype, TN_I32);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_operand_may_be_stored_in_16_bits),
        cmocka_unit_test(others_decline_it),
        cmocka_unit_test(whole_numbers_have_a_largest_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
