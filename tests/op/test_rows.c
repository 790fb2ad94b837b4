/* test_rows.c: the element-wise rows, evaluated in double precision, against points that were computed otherwise; and
 * what a row's text names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "rows.h"

#define ANY -1.2345678901234567e-300 /* nothing is expected */

static const struct {
    const char *row;
    double arg[2], y, d[2];
    int slack; /* the derivative's error is relative to 1 */
} points[] = {
#define ROW(row, a, b, y, da, db, slack) {row, {a, b}, y, {da, db}, slack},
#include "golden.inc"
#undef ROW
};
enum { POINTS = sizeof points / sizeof *points };

/* A few units of the last place. */
static int agrees(double got, double want, double slack)
{
    if (want == ANY) return 1;
    if (isnan(want) || isnan(got)) return isnan(want) && isnan(got);
    if (want == 0 && signbit(want)) return got == 0 && signbit(got);
    return got == want || fabs(got - want) <= 8 * 0x1p-53 * fmax(fabs(want), slack) + 0x1p-1072;
}

static int complain(size_t i, const char *what, double got, double want)
{
    fprintf(stderr, "%s%s at (%.17g, %.17g): got %.17g, expected %.17g\n", points[i].row, what, points[i].arg[0],
            points[i].arg[1], got, want);
    return 1;
}

static void every_row_passes_through_its_golden_points(void **state)
{
    (void)state;
    int wrong = 0;
    for (size_t i = 0; i < POINTS; i++) {
        const tn_row *row = tn_row_named(points[i].row);
        assert_non_null(row);
        double v[4] = {points[i].arg[0], points[i].arg[1]}, y = row->real(v);
        if (!agrees(y, points[i].y, 0)) wrong += complain(i, "", y, points[i].y);
        v[row->n_arg] = y, v[row->n_arg + 1] = 1;
        for (int32_t k = 0; k < row->n_arg; k++) {
            double d = tn_row_uses(row + 1 + k) ? row[1 + k].real(v) : 0;
            if (!agrees(d, points[i].d[k], points[i].slack)) wrong += complain(i, "'s derivative", d, points[i].d[k]);
        }
    }
    assert_int_equal(wrong, 0);
}

static void derivatives_are_proportional_to_what_flows_in(void **state)
{
    (void)state;
    for (size_t i = 0; i < POINTS; i++) {
        const tn_row *row = tn_row_named(points[i].row);
        double v[4] = {points[i].arg[0], points[i].arg[1]}, y = row->real(v);
        v[row->n_arg] = y;
        for (int32_t k = 0; k < row->n_arg; k++) {
            v[row->n_arg + 1] = 1;
            double once = row[1 + k].real(v);
            v[row->n_arg + 1] = -4;
            double times = row[1 + k].real(v);
            if (isfinite(once) && fabs(once) < 1e300)
                assert_true(agrees(times, -4 * once == 0 ? 0 : -4 * once, 1e-300));
        }
    }
}

static void every_row_has_golden_points(void **state)
{
    (void)state;
    for (size_t r = 0; r < tn_row_count(); r++) {
        size_t found = 0;
        for (size_t i = 0; i < POINTS; i++) found += !strcmp(points[i].row, tn_row_at(r)->def.name);
        if (!tn_row_at(r)->is_gradient && found < 8)
            fail_msg("%s has %zu golden points: add some to golden.py", tn_row_at(r)->def.name, found);
    }
}

/* ---- whole numbers ---- */

static void whole_rows_are_the_real_ones_where_both_are_exact(void **state)
{
    (void)state;
    for (size_t r = 0; r < tn_row_count(); r++) {
        const tn_row *row = tn_row_at(r);
        int has_quotient = strstr(row->text, "quotient") != NULL;
        for (int64_t a = -3; a <= 3 && row->whole && !(has_quotient && row->is_gradient); a++)
            for (int64_t b = -3; b <= 3; b++) {
                int64_t w[4] = {a, b, 2, 5};
                double v[4] = {(double)a, (double)b, 2, 5}, real = row->real(v);
                if (has_quotient || !b) real = isfinite(real) ? trunc(real) : 0;
                assert_true((double)row->whole(w) == real);
            }
    }
}

/* ---- what a text names ---- */

static uint32_t uses(const char *row)
{
    const tn_row *r = tn_row_named(row);
    assert_non_null(r);
    return tn_row_uses(r);
}

static void a_gradient_is_given_what_its_text_names_and_no_more(void **state)
{
    (void)state;
    enum { X = 1, Y = 2, DY = 4 }; /* of one operand */
    assert_int_equal(uses("relu.grad"), Y | DY);
    assert_int_equal(uses("exp.grad"), Y | DY);
    assert_int_equal(uses("log.grad"), X | DY);
    assert_int_equal(uses("neg.grad"), DY);
    assert_int_equal(uses("floor.grad"), 0);
    enum { A = 1, B = 2, OUT = 4, DOUT = 8 }; /* of two */
    assert_int_equal(uses("add.da"), DOUT);
    assert_int_equal(uses("mul.da"), B | DOUT);
    assert_int_equal(uses("mul.db"), A | DOUT);
    assert_int_equal(uses("div.db"), B | OUT | DOUT);
    assert_int_equal(uses("pow.db"), A | OUT | DOUT);
    assert_int_equal(uses("eq.da"), 0);
}

static void a_name_is_found_only_as_a_whole_word(void **state)
{
    (void)state;
    assert_true(tn_text_names("dy * y", "y"));
    assert_false(tn_text_names("dy * x", "y"));
    assert_false(tn_text_names("exp(x)", "p"));
    assert_false(tn_text_names("max(1, 2)", "x"));
    assert_true(tn_text_names("max(x, 2)", "x"));
    assert_true(tn_text_names("-x", "x"));
    assert_false(tn_text_names("x_2 + x2", "x"));
    assert_false(tn_text_names("", "x"));
}

/* ---- the list ---- */

static void every_operator_is_found_by_its_name(void **state)
{
    (void)state;
    const tn_op_def *op;
    size_t count = 0;
    for (; (op = tn_op_number(count)); count++) {
        assert_ptr_equal(tn_op_named(op->name), op);
        assert_true(op->doc && *op->doc);
    }
    assert_true(count > tn_row_count());
    assert_null(tn_op_named("no such operator"));
    assert_null(tn_op_named(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_passes_through_its_golden_points),
        cmocka_unit_test(derivatives_are_proportional_to_what_flows_in),
        cmocka_unit_test(every_row_has_golden_points),
        cmocka_unit_test(whole_rows_are_the_real_ones_where_both_are_exact),
        cmocka_unit_test(a_gradient_is_given_what_its_text_names_and_no_more),
        cmocka_unit_test(a_name_is_found_only_as_a_whole_word),
        cmocka_unit_test(every_operator_is_found_by_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
