/* Data, models and options that don't fit each other: named before anything is trained. */
#include "line.h"

static void mistakes_are_found_before_training(void **state)
{
    (void)state;
    bench b;
    tn_epoch last = {.number = -1};
    tn_state_entry entry;
    int32_t labels[N] = {0, 1, 2, 0, 1, 2, 3};
    tn_dataset bad = line_data;
    tn_fit_options options = {.epochs = 1};
    assert_true(open_bench(&b, "cpu"));
    bad.target = NULL;
    assert_int_equal(tn_fit(b.state, &line_model, &bad, &options, &last), TN_EINVAL);
    check_message("no targets", "neither labels nor targets");
    bad.label = labels;
    bad.classes = 3;
    assert_int_equal(tn_fit(b.state, &line_model, &bad, &options, &last), TN_EINVAL);
    check_message("a label out of range", "is 3, but there are 3 classes");
    labels[N - 1] = 0;
    const tn_model classes = {.build = line, .loss = "cross_entropy"};
    assert_int_equal(tn_fit(b.state, &classes, &bad, &options, &last), TN_ESHAPE);
    check_message("too few outputs", "1 outputs, but the data has 3 classes");
    static const float weights[][3] = {{1, -1, 1}, {1, NAN, 1}, {0}};
    for (size_t i = 0; i < sizeof weights / sizeof *weights; i++) {
        options.class_weights = weights[i];
        assert_int_equal(tn_fit(b.state, &classes, &bad, &options, &last), TN_EINVAL);
        check_message("weights that make no sense", i < 2 ? "fit: class 1 has the weight" : "have the weight 0");
    }
    options.class_weights = NULL;
    bad = line_data;
    bad.targets = 3, bad.count = 2;
    assert_int_equal(tn_fit(b.state, &line_model, &bad, &options, &last), TN_ESHAPE);
    bad.count = 0;
    assert_int_equal(tn_fit(b.state, &line_model, &bad, &options, &last), TN_EINVAL);
    options.epochs = 0;
    assert_int_equal(tn_fit(b.state, &line_model, &line_data, &options, &last), TN_EINVAL);
    options = (tn_fit_options){.epochs = 1, .patience = -1};
    assert_int_equal(tn_fit(b.state, &line_model, &line_data, &options, &last), TN_EINVAL);
    check_message("no patience", "patience of -1");
    options = (tn_fit_options){.epochs = 1, .schedule = "now and then"};
    assert_int_not_equal(tn_fit(b.state, &line_model, &line_data, &options, &last), TN_OK);
    assert_int_equal(tn_predict(b.state, &line_model, &line_data, points, 13), TN_ESHAPE);
    assert_int_equal(last.number, -1);
    assert_false(tn_state_find(b.state, "line.weight", &entry));
    close_bench(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mistakes_are_found_before_training),
    };
    return cmocka_run_group_tests_name("training_mistakes", tests, NULL, NULL);
}
