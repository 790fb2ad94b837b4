/* scaler.c: scalers go through a file unchanged, and what is none is refused. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "scratch.h"
#include "tenon/stats.h"

static const float table[] = {1, 0.1f, 5, 2, 0.3f, 5, 4, NAN, 5};

/* Saves a state with one tensor or two under the scaler's names, and opens the file. */
static tn_checkpoint *reopen(tn_state *state)
{
    tn_checkpoint *file = NULL;
    const tn_save_options any = {.not_finite = 1};
    expect_ok(tn_state_save_with(state, scratch_path("scaler"), &any, NULL, 0));
    expect_ok(tn_checkpoint_open(scratch_path("scaler"), &file));
    tn_state_free(state);
    return file;
}

static void a_scaler_goes_through_a_file_to_the_bit(void **unused)
{
    (void)unused;
    for (int32_t kind = TN_SCALE_NONE; kind <= TN_SCALE_UNIT; kind++) {
        tn_scaler scaler = {0}, back = {0};
        tn_state *state = NULL;
        float x[9], y[9];
        memcpy(x, table, sizeof x);
        memcpy(y, table, sizeof y);
        expect_ok(tn_scaler_fit(&scaler, kind, -1, 1, table, 3, 3));
        expect_ok(tn_state_new(NULL, 1, &state));
        expect_ok(tn_scaler_put(&scaler, state, "scale.x"));
        tn_checkpoint *file = reopen(state);
        expect_ok(tn_scaler_read(&back, file, "scale.x"));
        assert_int_equal(back.kind, kind);
        assert_int_equal(back.columns, 3);
        tn_scaler_fill(&scaler, x, 3);
        tn_scaler_fill(&back, y, 3);
        tn_scaler_apply(&scaler, x, 3);
        tn_scaler_apply(&back, y, 3);
        assert_memory_equal(x, y, sizeof x);
        assert_int_equal(tn_scaler_read(&back, file, "scale.y"), TN_EMISSING);
        tn_checkpoint_close(file);
        tn_scaler_free(&scaler);
        tn_scaler_free(&back);
    }
}

static void what_is_no_scaler_is_refused(void **unused)
{
    static const double fine[6] = {1, 2, 0, 0, 1, 1}, flat[6] = {1, 2, 0, 0, 1, 0}, wild[6] = {1, 2, 0, INFINITY, 1, 1};
    static const double standard[2] = {TN_SCALE_STANDARD, 0}, odd[2] = {1.5, 0}, huge[2] = {1e300, 0},
                        nan[2] = {TN_SCALE_MINMAX, NAN};
    static const struct {
        const double *rows, *kind;
        int64_t height;
        int32_t dtype;
        tn_status status;
    } cases[] = {
        {fine, standard, 3, TN_F64, TN_OK},      {flat, standard, 3, TN_F64, TN_EFORMAT},
        {wild, standard, 3, TN_F64, TN_EFORMAT}, {fine, odd, 3, TN_F64, TN_EFORMAT},
        {fine, huge, 3, TN_F64, TN_EFORMAT},     {fine, nan, 3, TN_F64, TN_EFORMAT},
        {fine, standard, 2, TN_F64, TN_EFORMAT}, {fine, standard, 3, TN_F32, TN_EFORMAT},
        {fine, NULL, 3, TN_F64, TN_EMISSING},
    };
    (void)unused;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tn_state *state = NULL;
        tn_scaler scaler = {0};
        expect_ok(tn_state_new(NULL, 1, &state));
        expect_ok(tn_state_put(state, "s", cases[i].dtype, TN_SHAPE(cases[i].height, 2), 0, cases[i].rows));
        if (cases[i].kind) expect_ok(tn_state_put(state, "s.kind", TN_F64, TN_SHAPE(2), 0, cases[i].kind));
        tn_checkpoint *file = reopen(state);
        tn_status status = tn_scaler_read(&scaler, file, "s");
        if (status != cases[i].status)
            fail_msg("case %zu: expected %s, got %s", i, tn_status_name(cases[i].status), tn_status_name(status));
        if (status) assert_null(scaler.mean);
        for (int64_t n = 0; !status && n < 3; n++) {
            tn_scaler none = {0};
            tn_alloc_fail_after(n);
            assert_int_equal(tn_scaler_read(&none, file, "s"), TN_ENOMEM);
            tn_alloc_fail_after(-1);
            assert_null(none.mean);
        }
        tn_checkpoint_close(file);
        tn_scaler_free(&scaler);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_scaler_goes_through_a_file_to_the_bit),
        cmocka_unit_test(what_is_no_scaler_is_refused),
    };
    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
