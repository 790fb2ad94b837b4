/* data.c: see data.h. */
#include "data.h"
#include "network.h"
#include "classes.h"
#include "resident.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- which options belong to it ---- */

static const struct {
    const char *option;
    unsigned kinds;
    const char *called;
} belongings[] = {{"header", CLI_TABLE, "tables"},      {"target", CLI_TABLE, "tables"},
                  {"ignore", CLI_TABLE, "tables"},      {"one-hot", CLI_TABLE, "tables"},
                  {"index", CLI_TABLE, "tables"},       {"sample-weights", CLI_TABLE | CLI_ARRAYS, "tables and arrays"},
                  {"by-position", CLI_TABLE, "tables"}, {"image", CLI_IMAGES, "folders of images"},
                  {"context", CLI_WRITING, "texts"},    {"characters", CLI_WRITING, "texts"},
                  {"frame", CLI_PICTURE, "pictures"}};

/* An archive with weights may have any name. */
static int is_of_arrays(const tn_dataset *data)
{
    const char *dot = data->source ? strrchr(data->source, '.') : NULL;
    return data->weight || (dot && (!strcasecmp(dot, ".npz") || !strcasecmp(dot, ".safetensors")));
}

unsigned cli_kind_of(const tn_dataset *data)
{
    if (data->labels > 1) return CLI_WRITING;
    return data->separator ? CLI_TABLE : data->images ? CLI_IMAGES : is_of_arrays(data) ? CLI_ARRAYS : CLI_OTHER;
}

int cli_check_kinds(cli_option *options, unsigned kinds)
{
    for (size_t i = 0; i < sizeof belongings / sizeof *belongings; i++) {
        const cli_option *option = cli_find(options, belongings[i].option);
        if (option && option->given && !(kinds & belongings[i].kinds))
            return cli_usage("--%s is for %s, and there is none here", option->name, belongings[i].called);
    }
    return CLI_GO_ON;
}

/* ---- how a table is read ---- */

int cli_header_kind(const char *header)
{
    static const char *const kinds[] = {[TN_HEADER_AUTO] = "auto", [TN_HEADER_YES] = "yes", [TN_HEADER_NO] = "no"};
    for (int i = 0; i < 3; i++)
        if (!strcmp(header, kinds[i])) return i;
    return -1;
}

static uint32_t classify_by_loss(const char *loss)
{
    if (!strcmp(loss, "auto")) return TN_CLASSIFY_AUTO;
    return cli_loss_classifies(loss) ? TN_CLASSIFY_YES : TN_CLASSIFY_NO;
}

/* A model whose table had no header knows its targets by their numbers alone; one of before these were kept, as it was
 * typed. */
static const char *target_of(const cli_settings *s, const cli_model *model)
{
    if (!model || !model->target_names) return s->target;
    return model->column_names ? model->target_names : NULL;
}

/* "none" is what a model that has some is measured with where they don't count. */
static const char *weights_of(const cli_settings *s)
{
    return s->sample_weights && strcmp(s->sample_weights, "none") != 0 ? s->sample_weights : NULL;
}

tn_csv_options cli_csv_options(const cli_settings *s, const cli_model *model)
{
    tn_csv_options csv = {.target = target_of(s, model),
                          .ignore = s->ignore,
                          .one_hot = s->one_hot,
                          .index = s->index,
                          .weights = weights_of(s),
                          .keep_missing = 1,
                          .header = (uint32_t)cli_header_kind(s->header)};
    csv.classify = model ? model->classes > 0 : classify_by_loss(s->loss);
    if (!model) return csv;
    csv.target_numbers = model->target_numbers;
    csv.columns = model->column_names;
    csv.categories = model->categories;
    csv.by_position = (uint32_t)s->by_position;
    return csv;
}

static tn_open_options open_options(const cli_settings *s, const cli_model *model)
{
    tn_open_options how = {
        .seed = (uint64_t)s->seed, .csv = cli_csv_options(s, model), .stream = cli_stream(s), .context = s->context};
    if (s->fold) (void)cli_fold_of(s->fold, &how.fold, &how.folds);
    if (model && cli_model_writes(model)) how.context = model->labels;
    if (how.context) how.alphabet = model && cli_model_writes(model) ? model->class_names : s->characters ? "" : NULL;
    if (model)
        how.image = model->sample;
    else if (s->image)
        cli_image_of(s->image, &how.image);
    return how;
}

/* ---- opening ---- */

/* That one of them counts. */
static int check_weights(const tn_dataset *test)
{
    int64_t first = 0;
    while (test->weight && first < test->count && !test->weight[first]) first++;
    if (first < test->count) return CLI_GO_ON;
    return cli_fail("%s: all %" PRId64 " test samples have the weight 0", test->source, test->count);
}

int cli_check_data(const cli_model *m, tn_dataset *data)
{
    char a[160], b[160];
    if (!data->count) return cli_fail("%s has no test samples", data->source);
    if (!tn_shape_equal(&m->sample, &data->sample) || m->x_dtype != data->x_dtype)
        return cli_fail("%s was trained on samples of shape %s and type %s; those of %s are %s and %s", m->data,
                        tn_shape_text(&m->sample, a, sizeof a), tn_dtype_name(m->x_dtype), data->source,
                        tn_shape_text(&data->sample, b, sizeof b), tn_dtype_name(data->x_dtype));
    if (data->classes > m->classes)
        return cli_fail("%s has %" PRId64 " classes, more than the %" PRId64 " of %s", data->source, data->classes,
                        m->classes, m->data);
    if (data->targets != m->targets)
        return cli_fail("%s has %" PRId64 " numbers to predict for a sample, not the %" PRId64 " of %s", data->source,
                        data->targets, m->targets, m->data);
    data->classes = m->classes; /* it may lack some */
    return check_weights(data);
}

int cli_is_standard(const char *name)
{
    return !strcmp(name, "-");
}

int cli_names_table(const char *path)
{
    static const char *const endings[] = {".csv", ".csv.gz", ".tsv", ".tsv.gz", ".xlsx", ".ods"};
    const size_t length = strlen(path);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        const size_t last = strlen(endings[i]);
        if (length >= last && !strcasecmp(path + length - last, endings[i])) return 1;
    }
    return 0;
}

static int is_there(const char *name)
{
    struct stat info;
    return !stat(name, &info);
}

/* A model that was moved, or whose data was. The name is the settings' `data` or `test`, or both. */
static int not_found(const cli_settings *s, const char *noted, const char *name)
{
    char folder[2048] = "";
    if (cli_is_standard(name))
        return cli_usage("%s was %s on standard input: --%s NAME says what there is now", noted,
                         name == s->test ? "tested" : "trained", name == s->data ? "data" : "test");
    if (*name != '/' && !getcwd(folder, sizeof folder)) *folder = 0;
    return cli_fail("%s was %s on '%s', and there is no %s%s%s; --%s NAME says where it is", noted,
                    name == s->test ? "tested" : "trained", name, folder, *folder ? "/" : "", name,
                    name == s->data ? "data" : "test");
}

/* Whether there are other columns than those to predict from, whatever there is to predict. */
static int lacks_features(const tn_csv_options *csv, const char *name)
{
    tn_csv_options predict = *csv;
    tn_dataset data = {0};
    predict.features = 1; /* by name they are as many as there are names */
    tn_status status = tn_dataset_csv(name, &predict, &data);
    tn_dataset_free(&data);
    return status == TN_EMISSING;
}

int cli_cannot_open(const tn_csv_options *csv, const char *name, tn_status status)
{
    if (status != TN_EMISSING || !is_there(name) || !csv->columns || csv->by_position) return cli_failed();
    char *said = strdup(tn_message()); /* looking once more may say something else */
    if (!said) return cli_fail("out of memory");
    int failed = cli_fail("%s%s", said, lacks_features(csv, name) ? "; --by-position takes them in order" : "");
    free(said);
    return failed;
}

/* What is no table may well be meant as a text. */
static int is_text(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot && (!strcasecmp(dot, ".txt") || !strcasecmp(dot, ".md") || !strcasecmp(dot, ".text"));
}

static int cannot_open(const cli_settings *s, const char *noted, const tn_csv_options *csv, const char *name,
                       tn_status status)
{
    if (status == TN_EFORMAT && !s->context && is_text(name))
        return cli_fail("%s; a text to learn takes --net gpt-tiny or --context N", tn_message());
    if (noted && status == TN_EMISSING && !is_there(name)) return not_found(s, noted, name);
    return cli_cannot_open(csv, name, status);
}

int cli_take_tokens(const char *net, const cli_model *model, tn_dataset *data)
{
    const int64_t count = cli_net_tokens(net);
    if (model && model->onnx) return cli_network_check(model, data);
    if (count < 1 || (model && model->x_dtype != TN_F32)) return CLI_GO_ON;
    return tn_dataset_tokens(data, count) ? cli_fail("%s, as --net '%s' reads them", tn_message(), net) : CLI_GO_ON;
}

int cli_open_data(const cli_settings *s, const cli_model *model, const char *noted, tn_dataset *train, tn_dataset *test)
{
    const tn_open_options how = open_options(s, model);
    if (noted && cli_is_standard(s->data)) return not_found(s, noted, s->data);
    tn_status status = tn_dataset_open_with(s->data, &how, train, s->test ? NULL : test);
    if (status) return cannot_open(s, noted, &how.csv, s->data, status);
    if (train->classes < test->classes) train->classes = test->classes;
    if (!s->test) test->classes = train->classes;
    if (!train->count) return cli_fail("%s has no training samples", train->source);
    int matched = model ? cli_match_classes(model, train) : CLI_GO_ON;
    if (matched == CLI_GO_ON && model && !s->test) matched = cli_match_classes(model, test);
    if (matched == CLI_GO_ON) matched = cli_take_tokens(s->net, model, train);
    return matched == CLI_GO_ON ? cli_take_tokens(s->net, model, test) : matched;
}

int cli_open_measured(const cli_settings *s, tn_dataset *test)
{
    const tn_open_options how = open_options(s, NULL);
    tn_status status = tn_dataset_open_with(s->data, &how, NULL, test);
    if (status) return cannot_open(s, NULL, &how.csv, s->data, status);
    return test->count ? CLI_GO_ON : cli_fail("%s has no samples to test on", test->source);
}

int cli_keep_training(const cli_settings *s, tn_dataset *train, tn_dataset *validation)
{
    if (s->limit) tn_dataset_limit(train, s->limit);
    if (s->validation > 0 && tn_dataset_split(train, s->validation, (uint64_t)s->seed, validation))
        return cli_usage("--validation: %s", tn_message());
    return CLI_GO_ON;
}

int cli_open_test(const cli_settings *s, const cli_model *model, const char *name, const char *noted, tn_dataset *test)
{
    tn_open_options how = open_options(s, model);
    how.folds = 0; /* all of it is tested on */
    if (noted && cli_is_standard(name)) return not_found(s, noted, name);
    tn_status status = tn_dataset_open_with(name, &how, NULL, test);
    if (status) return cannot_open(s, noted, &how.csv, name, status);
    int matched = cli_match_classes(model, test);
    if (matched == CLI_GO_ON) matched = cli_take_tokens(s->net, model, test);
    return matched == CLI_GO_ON ? cli_check_data(model, test) : matched;
}

/* ---- what is to be said ---- */

/* Whether it is one of the numbers between commas. */
static int listed(const char *numbers, long long number)
{
    for (; numbers && *numbers; numbers += *numbers == ',') {
        char *end;
        if (strtoll(numbers, &end, 10) == number) return 1;
        numbers = end + strcspn(end, ",");
    }
    return 0;
}

/* The column of a table without a header that is its so manieth to predict from. */
static long long column_of(const tn_dataset *data, const char *ignored, long long feature)
{
    long long column = 0;
    while (feature) {
        column++;
        feature -= !listed(data->target_numbers, column) && !listed(ignored, column);
    }
    return column;
}

/* Which columns' texts became numbers. */
static void tell_kinds(const tn_dataset *data, const char *ignored)
{
    tn_category c;
    const char *names = data->column_names;
    int64_t named = 0;
    for (const char *at = data->categories; (at = tn_next_category(at, &c));) {
        char name[CLI_CLASS_NAME];
        for (; names && named < c.column; named++) names = cli_next_name(names);
        if (names)
            cli_read_class(names, name, sizeof name);
        else
            snprintf(name, sizeof name, "column %lld", column_of(data, ignored, c.column + 1));
        cli_tell("%s: '%s' has %" PRId64 " different texts: %s\n", cli_shown(data->source), cli_shown(name), c.count,
                 c.one_hot ? "a number each, 1 or 0" : "numbers from 0");
    }
}

void cli_tell_reading(const tn_dataset *data, const cli_model *model, const char *ignored)
{
    if (data->categories && !model) tell_kinds(data, ignored);
    if (model && !model->column_names && model->target_numbers && data->column_names)
        cli_tell("%s: columns are taken by their order: the model was trained on a table without a header\n",
                 cli_shown(data->source));
    if (data->separator && data->separator != ',')
        cli_tell("%s: columns are separated by %s\n", cli_shown(data->source),
                 data->separator == ';'   ? "semicolons, and numbers may have decimal commas"
                 : data->separator == '|' ? "bars"
                 : data->separator == ' ' ? "spaces"
                                          : "tabs");
    if (data->notice && data->images)
        cli_tell("%s: %s\n", cli_shown(data->source), data->notice);
    else if (data->notice)
        cli_tell("%s: %s; --header %s\n", cli_shown(data->source), data->notice,
                 data->no_header ? "yes makes it the columns' names" : "no makes it data");
}

void cli_warn_of_classes(const tn_dataset *train)
{
    enum { SHOWN = 4 };
    char names[SHOWN * 64 + 40] = "", name[CLI_CLASS_NAME];
    const cli_model of_data = {.class_names = train->class_names};
    int64_t lacking = 0;
    const int one_each = train->label && train->labels < 2; /* of a text many bytes may be missing */
    char *seen = one_each ? calloc((size_t)train->classes + 1, 1) : NULL;
    for (int64_t i = 0; seen && i < train->count; i++) seen[train->label[i]] = 1;
    for (int64_t k = 0; seen && k < train->classes; k++) {
        const size_t used = strlen(names);
        if (seen[k] || ++lacking > SHOWN) continue;
        snprintf(names + used, sizeof names - used, "%s'%.60s'", used ? ", " : "",
                 cli_class_name(&of_data, k, name, sizeof name));
    }
    free(seen);
    if (lacking > SHOWN) strcat(names, " ...");
    if (lacking)
        cli_warn("%" PRId64 " of the %" PRId64 " classes %s no training sample: %s%s", lacking, train->classes,
                 lacking == 1 ? "has" : "have", names,
                 train->class_names ? "" : "; classes that are numbers go from 0 to the largest");
}

void cli_warn_of_test(const tn_dataset *train, const tn_dataset *test)
{
    int64_t common = 0;
    if (!test->count || train->loader || test->loader) return;
    if (tn_dataset_common(test, train, &common))
        cli_warn("%s", tn_message());
    else if (common == test->count && common == 1)
        cli_warn("the test sample is a training sample too: it doesn't show what it makes of new ones");
    else if (common == test->count)
        cli_warn("all %" PRId64 " test samples are training samples too: they don't show what it makes of new ones",
                 common);
    else if (common)
        cli_warn("%" PRId64 " of %" PRId64 " test samples %s too", common, test->count,
                 common == 1 ? "is a training sample" : "are training samples");
    if (test->count < CLI_FEW && common < test->count)
        cli_warn(test->count == 1 ? "there is %" PRId64 " test sample: too few to tell much"
                                  : "there are %" PRId64 " test samples: too few to tell much",
                 test->count);
}
