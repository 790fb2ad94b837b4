/* stats.c: statistics against NumPy, scaling against its definition, and columns that have no answer. */
#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "near.h"
#include "scratch.h"
#include "tenon/stats.h"
#include "golden_stats.inc"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct set {
    const char *name;
    const float *x, *weight;
    int64_t count;
    const double *percentile, *number;
    int64_t outliers;
} sets[] = {
#define SET(name, outliers)                                                                                            \
    {#name, name##_x, name##_weight, (int64_t)COUNT(name##_x), name##_percentile, name##_number, outliers},
    SETS
#undef SET
};

static void expect_near(const char *set, const char *what, double got, double want)
{
    if ((isnan(got) && isnan(want)) || fabs(got - want) <= 1e-12 * (1 + fabs(want))) return;
    fail_msg("%s of '%s': expected %.17g, got %.17g", what, set, want, got);
}

static double sample_variance(tn_column x)
{
    return tn_stat_variance(x, 1);
}

static double variance(tn_column x)
{
    return tn_stat_variance(x, 0);
}

static double deviation(tn_column x)
{
    return tn_stat_deviation(x, 0);
}

/* In the order of golden_stats.py. */
static const struct {
    const char *name;
    double (*of)(tn_column x);
} numbers[] = {{"mean", tn_stat_mean},
               {"variance", variance},
               {"sample variance", sample_variance},
               {"deviation", deviation},
               {"mean absolute deviation", tn_stat_mean_absolute_deviation},
               {"least", tn_stat_least},
               {"largest", tn_stat_largest},
               {"range", tn_stat_range},
               {"median", tn_stat_median},
               {"interquartile range", tn_stat_interquartile_range}};

static void statistics_are_those_of_numpy(void **state)
{
    (void)state;
    for (size_t s = 0; s < COUNT(sets); s++) {
        tn_column x = {sets[s].x, sets[s].count, 0};
        for (size_t i = 0; i < COUNT(numbers); i++)
            expect_near(sets[s].name, numbers[i].name, numbers[i].of(x), sets[s].number[i]);
        for (size_t p = 0; p < COUNT(percents); p++)
            expect_near(sets[s].name, "percentile", tn_stat_percentile(x, percents[p]), sets[s].percentile[p]);
        expect_near(sets[s].name, "weighted mean", tn_stat_weighted_mean(x, sets[s].weight), sets[s].number[10]);
        expect_near(sets[s].name, "weighted median", tn_stat_weighted_median(x, sets[s].weight), sets[s].number[11]);
        assert_int_equal(tn_stat_outliers(x, 0, NULL), sets[s].outliers);
    }
}

static void a_column_of_a_table_is_read_by_its_stride(void **state)
{
    static const float table[] = {1, 10, 100, 2, 20, 200, 4, 40, 400};
    (void)state;
    for (int64_t c = 0, scale = 1; c < 3; c++, scale *= 10) {
        tn_column x = {table + c, 3, 3};
        assert_near(tn_stat_median(x), 2 * scale, 0);
        assert_near(tn_stat_mean(x), 7 * scale / 3.0, 1e-12);
        assert_near(tn_stat_range(x), 3 * scale, 0);
    }
}

static void outliers_are_marked_and_the_factor_counts(void **state)
{
    static const float x[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 19, NAN, -40};
    uint8_t mark[COUNT(x)];
    (void)state;
    assert_int_equal(tn_stat_outliers((tn_column){x, COUNT(x), 0}, 0, mark), 2);
    for (size_t i = 0; i < COUNT(x); i++) assert_int_equal(mark[i], x[i] == 19 || x[i] == -40);
    assert_int_equal(tn_stat_outliers((tn_column){x, COUNT(x), 0}, 3, mark), 1);
    assert_int_equal(mark[11], 1);
}

static void where_there_is_no_answer_it_is_nan(void **state)
{
    static const float nothing[] = {NAN, NAN}, one[] = {1, 2}, zero[] = {0, 0}, bad[] = {1, -1}, missing[] = {1, NAN};
    (void)state;
    for (int64_t count = 0; count <= 2; count++) {
        tn_column x = {nothing, count, 0};
        for (size_t i = 0; i < COUNT(numbers); i++) assert_true(isnan(numbers[i].of(x)));
        assert_true(isnan(tn_stat_weighted_mean(x, one)));
        assert_true(isnan(tn_stat_weighted_median(x, one)));
        assert_int_equal(tn_stat_outliers(x, 0, NULL), 0);
    }
    tn_column x = {one, 2, 0};
    assert_true(isnan(tn_stat_percentile(x, -1)) && isnan(tn_stat_percentile(x, 101)) &&
                isnan(tn_stat_percentile(x, NAN)));
    assert_true(isnan(tn_stat_weighted_mean(x, zero)) && isnan(tn_stat_weighted_median(x, zero)));
    assert_true(isnan(tn_stat_weighted_mean(x, bad)) && isnan(tn_stat_weighted_median(x, bad)));
    assert_true(isnan(tn_stat_weighted_mean(x, missing)) && isnan(tn_stat_weighted_median(x, missing)));
}

static void infinities_have_their_place_in_the_order(void **state)
{
    static const float x[] = {INFINITY, 1, -INFINITY, 3, 2};
    (void)state;
    tn_column c = {x, COUNT(x), 0};
    assert_near(tn_stat_median(c), 2, 0);
    assert_true(tn_stat_least(c) == -INFINITY && tn_stat_largest(c) == INFINITY);
}

/* ---- scaling ---- */

static const float table[] = {0, -1, 7, 5, 1, 7, 10, 3, 7}; /* three columns, the last constant */

static void fit_and_apply(int32_t kind, double low, double high, tn_scaler *scaler, float x[9])
{
    memcpy(x, table, sizeof table);
    expect_ok(tn_scaler_fit(scaler, kind, low, high, x, 3, 3));
    tn_scaler_apply(scaler, x, 3);
}

static void expect_all(const float *got, const float *want, int64_t count)
{
    for (int64_t i = 0; i < count; i++) assert_near(got[i], want[i], 1e-6);
}

static void minmax_reaches_both_ends_of_any_range(void **state)
{
    static const float want[] = {-2, -2, -2, 0.5f, 0.5f, -2, 3, 3, -2};
    tn_scaler scaler = {0};
    float x[9];
    (void)state;
    fit_and_apply(TN_SCALE_MINMAX, -2, 3, &scaler, x);
    expect_all(x, want, 9);
    tn_scaler_free(&scaler);
}

static void standardised_columns_have_mean_0_and_deviation_1(void **state)
{
    tn_scaler scaler = {0};
    float x[9];
    (void)state;
    fit_and_apply(TN_SCALE_STANDARD, 0, 0, &scaler, x);
    for (int64_t c = 0; c < 3; c++) {
        assert_near(tn_stat_mean((tn_column){x + c, 3, 3}), 0, 1e-7);
        assert_near(tn_stat_deviation((tn_column){x + c, 3, 3}, 0), c < 2, 1e-7);
    }
    tn_scaler_free(&scaler);
}

static void unit_rows_have_length_1_and_zeros_stay(void **state)
{
    float x[] = {3, 4, 0, 0, NAN, 2, -0.6f, 0.8f};
    static const float want[] = {0.6f, 0.8f, 0, 0, 0, 1, -0.6f, 0.8f};
    tn_scaler scaler = {0};
    (void)state;
    expect_ok(tn_scaler_fit(&scaler, TN_SCALE_UNIT, 0, 0, x, 4, 2));
    tn_scaler_apply(&scaler, x, 4);
    assert_true(isnan(x[4]));
    x[4] = 0;
    expect_all(x, want, 8);
    expect_failure(tn_scaler_invert(&scaler, x, 4), TN_EUNSUPPORTED, "lost their length");
    tn_scaler_free(&scaler);
}

static void what_is_fitted_on_one_part_applies_to_another_and_inverts(void **state)
{
    static const int32_t kinds[] = {TN_SCALE_NONE, TN_SCALE_MINMAX, TN_SCALE_STANDARD};
    (void)state;
    for (size_t k = 0; k < COUNT(kinds); k++) {
        tn_scaler scaler = {0};
        float x[9], other[] = {20, -5, 8, -3, NAN, 7}, kept[6];
        memcpy(kept, other, sizeof kept);
        fit_and_apply(kinds[k], 0, 1, &scaler, x);
        tn_scaler_apply(&scaler, other, 2);
        if (kinds[k] == TN_SCALE_MINMAX) assert_near(other[0], 2, 1e-6);
        expect_ok(tn_scaler_invert(&scaler, other, 2));
        for (int i = 0; i < 6; i++) assert_true(isnan(kept[i]) ? isnan(other[i]) : fabsf(other[i] - kept[i]) < 1e-5f);
        tn_scaler_free(&scaler);
    }
}

static void missing_values_take_the_mean_of_what_was_fitted(void **state)
{
    float x[] = {1, NAN, NAN, NAN, 3, NAN}, other[] = {NAN, NAN};
    tn_scaler scaler = {0};
    (void)state;
    expect_ok(tn_scaler_fit(&scaler, TN_SCALE_STANDARD, 0, 0, x, 3, 2));
    tn_scaler_fill(&scaler, other, 1);
    assert_near(other[0], 2, 0);
    assert_near(other[1], 0, 0); /* a column without values */
    tn_scaler_apply(&scaler, other, 1);
    assert_near(other[0], 0, 0);
    tn_scaler_free(&scaler);
}

static void mistakes_are_said_and_nothing_is_kept(void **state)
{
    static const float x[] = {1, INFINITY};
    tn_scaler scaler = {0};
    (void)state;
    expect_failure(tn_scaler_fit(&scaler, 9, 0, 1, table, 3, 3), TN_EINVAL, "kind 9");
    expect_failure(tn_scaler_fit(&scaler, TN_SCALE_MINMAX, 1, 1, table, 3, 3), TN_EINVAL, "range from 1 to 1");
    expect_failure(tn_scaler_fit(&scaler, TN_SCALE_MINMAX, 0, NAN, table, 3, 3), TN_EINVAL, "range from 0 to nan");
    expect_failure(tn_scaler_fit(&scaler, TN_SCALE_STANDARD, 0, 1, table, 3, 0), TN_ESHAPE, "0 columns");
    expect_failure(tn_scaler_fit(&scaler, TN_SCALE_MINMAX, 0, 1, x, 1, 2), TN_EINVAL, "column 1 has an infinite value");
    for (int64_t calls = 0; calls < 3; calls++) {
        tn_alloc_fail_after(calls);
        assert_int_equal(tn_scaler_fit(&scaler, TN_SCALE_STANDARD, 0, 1, table, 3, 3), TN_ENOMEM);
    }
    tn_alloc_fail_after(-1);
    assert_null(scaler.mean);
    assert_int_equal(tn_scale_kind("minmax"), TN_SCALE_MINMAX);
    assert_int_equal(tn_scale_kind("max"), -1);
    assert_string_equal(tn_scale_name(TN_SCALE_UNIT), "unit");
    assert_null(tn_scale_name(4));
}

static void a_table_without_rows_scales_nothing(void **state)
{
    tn_scaler scaler = {0};
    float x[] = {5, 6};
    (void)state;
    expect_ok(tn_scaler_fit(&scaler, TN_SCALE_STANDARD, 0, 0, x, 0, 2));
    tn_scaler_apply(&scaler, x, 0);
    tn_scaler_apply(&scaler, x, 1);
    assert_near(x[0], 5, 0);
    tn_scaler_free(&scaler);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statistics_are_those_of_numpy),
        cmocka_unit_test(a_column_of_a_table_is_read_by_its_stride),
        cmocka_unit_test(outliers_are_marked_and_the_factor_counts),
        cmocka_unit_test(where_there_is_no_answer_it_is_nan),
        cmocka_unit_test(infinities_have_their_place_in_the_order),
        cmocka_unit_test(minmax_reaches_both_ends_of_any_range),
        cmocka_unit_test(standardised_columns_have_mean_0_and_deviation_1),
        cmocka_unit_test(unit_rows_have_length_1_and_zeros_stay),
        cmocka_unit_test(what_is_fitted_on_one_part_applies_to_another_and_inverts),
        cmocka_unit_test(missing_values_take_the_mean_of_what_was_fitted),
        cmocka_unit_test(mistakes_are_said_and_nothing_is_kept),
        cmocka_unit_test(a_table_without_rows_scales_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
