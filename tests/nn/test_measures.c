/* Measures of predictions: scikit-learn's numbers, and what is at the edges. */
#include "check.h"
#include "near.h"

#include "golden_measures.inc"

#define COUNT(array) ((int64_t)(sizeof(array) / sizeof *(array)))

static void measures_are_those_of_scikit_learn(void **state)
{
    tn_measures *seven = NULL, *lacking = NULL, *marks = NULL, *numbers = NULL, *weighty = NULL, *heavy = NULL,
                *uneven = NULL, *pair = NULL, *weighty_pair = NULL, *areas = NULL;
    const tn_measured_samples of_pair = {.kind = TN_OF_CLASSES,
                                         .label = pair_label,
                                         .output = pair_output,
                                         .weight = pair_weight,
                                         .count = COUNT(pair_label),
                                         .parts = 2};
    const tn_measured_samples of_weights[] = {{.kind = TN_OF_CLASSES,
                                               .label = weighty_label,
                                               .output = weighty_output,
                                               .weight = weighty_weight,
                                               .count = COUNT(weighty_label),
                                               .parts = 7},
                                              {.kind = TN_OF_MARKS,
                                               .target = heavy_target,
                                               .output = heavy_output,
                                               .weight = weighty_weight,
                                               .count = COUNT(heavy_target) / 3,
                                               .parts = 3},
                                              {.kind = TN_OF_NUMBERS,
                                               .target = numbers_target,
                                               .output = numbers_output,
                                               .weight = weighty_weight,
                                               .count = COUNT(numbers_target) / 3,
                                               .parts = 3}};
    (void)state;
    CHECK(tn_measures_of(&of_weights[0], &weighty));
    CHECK(tn_measures_of(&of_weights[1], &heavy));
    CHECK(tn_measures_of(&of_weights[2], &uneven));
    CHECK(tn_measures_of_classes(seven_label, seven_output, COUNT(seven_label), 7, &seven));
    CHECK(tn_measures_of_classes(lacking_label, lacking_output, COUNT(lacking_label), 4, &lacking));
    CHECK(tn_measures_of_marks(marks_target, marks_output, COUNT(marks_target) / 3, 3, 0, &marks));
    CHECK(tn_measures_of_numbers(numbers_target, numbers_output, COUNT(numbers_target) / 3, 3, &numbers));
    CHECK(tn_measures_of_classes(pair_label, pair_output, COUNT(pair_label), 2, &pair));
    CHECK(tn_measures_of(&of_pair, &weighty_pair));
    CHECK(tn_measures_of_marks(areas_target, areas_output, COUNT(areas_target) / 3, 3, 0, &areas));
    const struct {
        tn_measures *const *of;
        const char *name;
        int64_t index;
        double value;
    } cases[] = {GOLDEN};
    for (int64_t i = 0; i < COUNT(cases); i++) {
        const double got = tn_measures_get(*cases[i].of, cases[i].name, cases[i].index), want = cases[i].value;
        if (!(fabs(got - want) <= 1e-12 * fmax(1, fabs(want))))
            fail_msg("row %d, %s of %d: expected %.17g, got %.17g", (int)i, cases[i].name, (int)cases[i].index, want,
                     got);
    }
    for (int64_t i = 0; i < 49; i++) assert_int_equal(tn_measures_confused(seven, i / 7, i % 7), seven_confused[i]);
    for (int64_t i = 0; i < 16; i++) assert_int_equal(tn_measures_confused(lacking, i / 4, i % 4), lacking_confused[i]);
    tn_measures_free(seven);
    tn_measures_free(lacking);
    tn_measures_free(marks);
    tn_measures_free(numbers);
    tn_measures_free(weighty);
    tn_measures_free(heavy);
    tn_measures_free(uneven);
    tn_measures_free(pair);
    tn_measures_free(weighty_pair);
    tn_measures_free(areas);
}

static void an_area_needs_both_kinds_and_scores_that_are_numbers(void **state)
{
    const int32_t label[] = {0, 1, 1}, one_kind[] = {1, 1, 1};
    const float output[] = {0, 0, 0, 1, 2, 1}, broken[] = {0, 0, 0, NAN, 2, 1}, three[] = {0, 0, 1, 1, 0, 0, 0, 1, 0};
    const float target[] = {1, 1, 0, 1}, mark[] = {0.75f, 0.5f, 0.25f, NAN};
    tn_measures *m = NULL;
    (void)state;
    CHECK(tn_measures_of_classes(label, output, 3, 2, &m));
    assert_near(tn_measures_get(m, "roc_auc", -1), 0.5, 1e-15);
    assert_true(isnan(tn_measures_get(m, "roc_auc", 0)));
    tn_measures_free(m);
    CHECK(tn_measures_of_classes(one_kind, output, 3, 2, &m));
    assert_true(isnan(tn_measures_get(m, "roc_auc", -1)));
    tn_measures_free(m);
    CHECK(tn_measures_of_classes(label, broken, 3, 2, &m));
    assert_true(isnan(tn_measures_get(m, "roc_auc", -1)));
    tn_measures_free(m);
    CHECK(tn_measures_of_classes(label, three, 3, 3, &m));
    assert_true(isnan(tn_measures_get(m, "roc_auc", -1)));
    tn_measures_free(m);
    CHECK(tn_measures_of_marks(target, mark, 2, 2, 0.5, &m)); /* the second target has no 0, and a NaN */
    assert_near(tn_measures_get(m, "roc_auc", -1), 1, 1e-15);
    tn_measures_free(m);
}

static void an_output_that_is_no_number_is_wrong_and_in_no_class(void **state)
{
    const int32_t label[] = {0, 1, 1};
    const float output[] = {1, NAN, 0, 1, NAN, 0};
    tn_measures *m = NULL;
    (void)state;
    CHECK(tn_measures_of_classes(label, output, 3, 2, &m));
    assert_near(tn_measures_get(m, "accuracy", -1), 1 / 3.0, 1e-15);
    assert_near(tn_measures_get(m, "recall", 1), 0.5, 1e-15);
    assert_near(tn_measures_get(m, "support", 1), 2, 0);
    assert_int_equal(tn_measures_confused(m, 0, 0) + tn_measures_confused(m, 1, 0), 0);
    assert_int_equal(tn_measures_confused(m, 1, 1), 1);
    tn_measures_free(m);
    const float target[] = {1, 2}, found[] = {1, NAN};
    CHECK(tn_measures_of_numbers(target, found, 2, 1, &m));
    assert_true(isnan(tn_measures_get(m, "r2", -1)) && isnan(tn_measures_get(m, "mae", 0)));
    tn_measures_free(m);
}

static void the_class_is_that_of_the_largest_output(void **state)
{
    const float output[] = {-1, 3, 3, NAN, INFINITY};
    (void)state;
    assert_int_equal(tn_class_of(output, 3), 1);
    assert_int_equal(tn_class_of(output, 4), -1);
    assert_int_equal(tn_class_of(output + 4, 1), 0);
    assert_int_equal(tn_class_of(output, 0), -1);
}

static void classes_that_are_only_predicted_count_in_means(void **state)
{
    const int32_t label[] = {0, 0};
    const float output[] = {1, 0, 0, 0, 1, 0};
    tn_measures *m = NULL;
    (void)state;
    CHECK(tn_measures_of_classes(label, output, 2, 3, &m));
    assert_near(tn_measures_get(m, "recall", -1), 0.25, 1e-15); /* as in scikit-learn: of classes 0 and 1 */
    assert_near(tn_measures_get(m, "balanced_accuracy", -1), 0.5, 1e-15);
    tn_measures_free(m);
}

static void what_has_no_answer_is_nan(void **state)
{
    const int32_t label[] = {0, 5};
    const float output[14] = {1}, one[] = {2};
    tn_measures *m = NULL;
    (void)state;
    CHECK(tn_measures_of_classes(label, output, 2, 7, &m));
    assert_near(tn_measures_get(m, "top5", -1), 0.5, 0); /* of equal outputs the first ones come first */
    static const char *const none[] = {"r2", "support", "nothing"};
    for (size_t i = 0; i < 3; i++) assert_true(isnan(tn_measures_get(m, none[i], -1)));
    assert_true(isnan(tn_measures_get(m, "recall", 7)) && isnan(tn_measures_get(m, "accuracy", 0)));
    assert_int_equal(tn_measures_confused(m, 0, 7), -1);
    tn_measures_free(m);
    CHECK(tn_measures_of_numbers(one, one, 1, 1, &m));
    assert_true(isnan(tn_measures_get(m, "r2", -1)));
    tn_measures_free(m);
    CHECK(tn_measures_of_classes(label, output, 2, 6, &m)); /* more than five, by one */
    assert_near(tn_measures_get(m, "top5", -1), 0.5, 0);
    tn_measures_free(m);
}

static void mistakes_are_told_and_leave_the_result_alone(void **state)
{
    const int32_t label[] = {0, 3};
    const float output[6] = {0};
    tn_measures *m = NULL;
    (void)state;
    assert_int_equal(tn_measures_of_classes(label, output, 2, 3, &m), TN_EINVAL);
    assert_string_equal(tn_message(), "the label 3 of sample 1 is none of 3 classes");
    assert_int_equal(tn_measures_of_numbers(output, output, 0, 3, &m), TN_EINVAL);
    assert_int_equal(tn_measures_of_marks(output, NULL, 2, 3, 0, &m), TN_EINVAL);
    const float heavy[] = {1, -1}, none[] = {0, 0};
    tn_measured_samples samples = {
        .kind = TN_OF_NUMBERS, .target = output, .output = output, .weight = heavy, .count = 2, .parts = 3};
    assert_int_equal(tn_measures_of(&samples, &m), TN_EINVAL);
    assert_string_equal(tn_message(), "sample 1 has the weight -1, not 0 or from 1e-18 to 1e18");
    samples.weight = none;
    assert_int_equal(tn_measures_of(&samples, &m), TN_EINVAL);
    samples = (tn_measured_samples){.kind = TN_OF_CLASSES, .target = output, .output = output, .count = 2, .parts = 3};
    assert_int_equal(tn_measures_of(&samples, &m), TN_EINVAL);
    samples.kind = 3;
    assert_int_equal(tn_measures_of(&samples, &m), TN_EINVAL);
    assert_null(m);
    tn_measures_free(NULL);
}

static void the_table_has_each_measure_once(void **state)
{
    tn_measure_entry a, b;
    size_t count = 0;
    (void)state;
    for (size_t i = 0; tn_measure_at(i, &a); i++, count++)
        for (size_t k = 0; k < i && tn_measure_at(k, &b); k++) assert_string_not_equal(a.name, b.name);
    assert_int_equal(count, 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(measures_are_those_of_scikit_learn),
        cmocka_unit_test(an_area_needs_both_kinds_and_scores_that_are_numbers),
        cmocka_unit_test(an_output_that_is_no_number_is_wrong_and_in_no_class),
        cmocka_unit_test(the_class_is_that_of_the_largest_output),
        cmocka_unit_test(classes_that_are_only_predicted_count_in_means),
        cmocka_unit_test(what_has_no_answer_is_nan),
        cmocka_unit_test(mistakes_are_told_and_leave_the_result_alone),
        cmocka_unit_test(the_table_has_each_measure_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
