/* eval.c: `tenon eval`: a saved model measured on the test part of its data, or of other data. */
#include "json.h"
#include "saved.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char doc[] = "Measures a saved model on the test part of the data.";

static void report(const cli_saved *saved, int64_t samples, const tn_score *score)
{
    cli_json json = {0};
    if (!saved->settings.json) {
        printf("%s: loss %.6g", cli_shown(saved->settings.data), score->loss);
        if (!isnan(score->accuracy)) printf(", accuracy %.2f %%", 100 * score->accuracy);
        printf(" over %" PRId64 " test samples, on %s\n", samples, tn_device_name(saved->device));
        return;
    }
    cli_json_begin(&json, NULL, '{');
    cli_json_text(&json, "model", saved->path);
    cli_json_text(&json, "data", saved->settings.data);
    cli_json_whole(&json, "samples", samples);
    cli_json_number(&json, "test_loss", score->loss);
    cli_json_number(&json, "test_accuracy", score->accuracy);
    cli_json_text(&json, "device", tn_device_name(saved->device));
    cli_json_end(&json, '}');
}

/* The data must be what the network was made for. */
static int check_data(const cli_saved *saved, const tn_dataset *test)
{
    char a[160], b[160];
    const cli_model *m = &saved->model;
    if (!test->count) return cli_fail("%s has no test samples", test->source);
    if (!tn_shape_equal(&m->sample, &test->sample) || m->x_dtype != test->x_dtype)
        return cli_fail("%s was trained on samples of shape %s and type %s; those of %s are %s and %s", saved->path,
                        tn_shape_text(&m->sample, a, sizeof a), tn_dtype_name(m->x_dtype), test->source,
                        tn_shape_text(&test->sample, b, sizeof b), tn_dtype_name(test->x_dtype));
    if (test->classes > m->classes || test->targets != m->targets)
        return cli_fail("%s has %" PRId64 " classes, more than the %" PRId64 " of %s", test->source, test->classes,
                        m->classes, saved->path);
    return CLI_GO_ON;
}

/* A class's name, closed by a line break, and its number. */
typedef struct named {
    const char *name;
    int32_t number;
} named;

static int by_name(const void *a, const void *b)
{
    const char *x = ((const named *)a)->name, *y = ((const named *)b)->name;
    for (; *x == *y && *x && *x != '\n'; x++, y++) continue;
    int ended_x = !*x || *x == '\n', ended_y = !*y || *y == '\n';
    return ended_x || ended_y ? ended_y - ended_x : (unsigned char)*x - (unsigned char)*y;
}

/* The model's classes in order of their names; NULL: no memory. */
static named *sorted_names(const cli_model *model)
{
    named *all = calloc((size_t)model->classes, sizeof *all);
    const char *name = model->class_names;
    for (int32_t i = 0; all && i < model->classes; i++) {
        all[i] = (named){name, i};
        name += strcspn(name, "\n");
        name += *name == '\n';
    }
    if (all) qsort(all, (size_t)model->classes, sizeof *all, by_name);
    return all;
}

/* number[k]: what the model calls the class that the data calls number k. */
static int number_classes(const cli_saved *saved, const tn_dataset *test, const named *known, int32_t *number)
{
    named want = {test->class_names, 0};
    for (int64_t k = 0; k < test->classes && *want.name; k++) {
        size_t length = strcspn(want.name, "\n");
        const named *found = bsearch(&want, known, (size_t)saved->model.classes, sizeof *known, by_name);
        if (!found)
            return cli_fail("%s has the class '%.*s', which %s does not know", test->source, (int)length, want.name,
                            saved->path);
        number[k] = found->number;
        want.name += length + (want.name[length] == '\n');
    }
    return CLI_GO_ON;
}

/* A table with texts as classes numbers those that it has itself: they get the model's numbers. */
static int match_classes(const cli_saved *saved, tn_dataset *test)
{
    if (!saved->model.class_names || !test->class_names) return CLI_GO_ON;
    named *known = sorted_names(&saved->model);
    int32_t *number = calloc((size_t)test->classes, sizeof *number);
    int status = known && number ? number_classes(saved, test, known, number) : cli_fail("out of memory");
    for (int64_t i = 0; i < test->count && status == CLI_GO_ON; i++) test->label[i] = number[test->label[i]];
    free(known);
    free(number);
    return status;
}

/* Scales as the training did; a file of before there was scaling does not say what takes the place of missing values.
 */
static int scale(cli_saved *saved, tn_dataset *test)
{
    int status = CLI_GO_ON;
    if (!saved->scaling.x.columns) status = cli_scaling_fit(&saved->scaling, "none", &saved->model, test);
    cli_scaling_data(&saved->scaling, test);
    return status;
}

static int measure(cli_saved *saved, tn_dataset *test)
{
    tn_score score;
    const tn_compile_options options = cli_compile_options(&saved->settings);
    const tn_model model = cli_model_of(&saved->model, &options);
    int status = check_data(saved, test);
    if (status == CLI_GO_ON) status = match_classes(saved, test);
    if (status == CLI_GO_ON) status = scale(saved, test);
    test->classes = saved->model.classes; /* it may lack some */
    if (status == CLI_GO_ON) status = cli_saved_load(saved);
    if (status == CLI_GO_ON && tn_evaluate(saved->state, &model, test, &score)) status = cli_failed();
    if (status == CLI_GO_ON) status = cli_saved_check(saved);
    if (status == CLI_GO_ON) report(saved, test->count, &score);
    return status == CLI_GO_ON ? CLI_OK : status;
}

int cli_eval(int argc, char **argv)
{
    cli_saved saved;
    tn_dataset train = {0}, test = {0};
    int operands, status = cli_saved_open(&saved, "eval", NULL, doc, argc, argv, &operands);
    if (status == CLI_GO_ON) status = cli_open_data(&saved.settings, saved.model.column_names, &train, &test);
    if (status == CLI_GO_ON) status = measure(&saved, &test);
    tn_dataset_free(&train);
    tn_dataset_free(&test);
    cli_saved_close(&saved);
    return status;
}
