/* predict.c: `tenon predict`: what a saved model makes of pictures (PNG, PGM, JPEG, IDX) and of tables (CSV). */
#include "data.h"
#include "json.h"
#include "onnx.h"
#include "picture.h"
#include "predict.h"
#include "resident.h"
#include "write.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

static const char doc[] =
    "Says what a saved model makes of each picture (PNG, JPEG or PGM; for a model of a folder of images PNG or JPEG), "
    "of each sample in an IDX, .npy, .npz or .safetensors file, or of each row of a CSV file. A network in an ONNX "
    "file takes inputs as [NAME=]FILE and options of its own, as --most: tenon predict --model FILE.onnx --help. With "
    "--prompt a model of texts writes on.";

/* ---- reading ---- */

/* Those of a file that stay there, if they are of the type that the model was trained on; others are read now. */
static int leave(const cli_model *model, tn_dataset *data, cli_samples *out)
{
    if (data->x_dtype != model->x_dtype || (data->x_dtype == TN_U8 && model->x_scale != 1.0 / 255))
        return tn_dataset_load(data) ? cli_failed() : CLI_GO_ON;
    out->rows = *data;
    out->count = data->count;
    *data = (tn_dataset){0};
    return CLI_GO_ON;
}

/* The samples of a data set, which must be such as the model was trained on, as numbers. */
static int take(const cli_model *model, tn_dataset *data, cli_samples *out)
{
    int64_t features = tn_shape_count(&model->sample), all = data->count * features;
    char a[160], b[160];
    if (tn_shape_count(&data->sample) != features)
        return cli_fail("%s has samples of shape %s; the model wants %s", data->source,
                        tn_shape_text(&data->sample, a, sizeof a), tn_shape_text(&model->sample, b, sizeof b));
    int status = data->loader ? leave(model, data, out) : CLI_GO_ON;
    if (status != CLI_GO_ON || out->rows.loader) return status;
    out->x = malloc((size_t)all * sizeof(float) + 1);
    out->count = data->count;
    if (!out->x) return cli_fail("out of memory");
    if (data->x_dtype == TN_F32) memcpy(out->x, data->x, (size_t)all * sizeof(float));
    for (int64_t i = 0; i < all && data->x_dtype == TN_U8; i++) out->x[i] = ((const uint8_t *)data->x)[i];
    return CLI_GO_ON;
}

static int read_table(const cli_saved *saved, const char *path, cli_samples *out)
{
    tn_dataset data = {0};
    tn_csv_options csv = cli_csv_options(&saved->settings, &saved->model);
    out->kind = CLI_TABLE;
    csv.features = tn_shape_count(&saved->model.sample);
    csv.keep_missing = saved->scaling.x.columns > 0;
    tn_status read = tn_dataset_csv(path, &csv, &data);
    if (!read) cli_tell_reading(&data, &saved->model, NULL);
    out->separator = (char)data.separator;
    out->no_header = data.no_header != 0;
    int status = read ? cli_cannot_open(&csv, path, read) : cli_take_tokens(saved->model.net, &saved->model, &data);
    if (status == CLI_GO_ON) status = take(&saved->model, &data, out);
    tn_dataset_free(&data);
    return status;
}

static int read_arrays(const cli_saved *saved, const char *path, int idx, cli_samples *out)
{
    const cli_model *model = &saved->model;
    tn_dataset data = {0};
    int status = tn_dataset_samples(path, cli_stream(&saved->settings), &data) ? cli_failed() : CLI_GO_ON;
    if (status == CLI_GO_ON) status = cli_take_tokens(model->net, model, &data);
    if (status == CLI_GO_ON && data.x_dtype != model->x_dtype && !idx)
        status = cli_fail("%s: its numbers are %s; the model was trained on %s", path, tn_dtype_name(data.x_dtype),
                          model->x_dtype == TN_U8 ? "pictures, u8 from 0 to 255" : "f32");
    if (status == CLI_GO_ON) status = take(model, &data, out);
    tn_dataset_free(&data);
    return status;
}

static int read_picture(const cli_saved *saved, const char *path, cli_samples *out)
{
    const cli_model *model = &saved->model;
    if (model->x_dtype != TN_U8)
        return cli_fail("%s: the model was trained on tables, and predicts from CSV files and arrays", path);
    out->x = malloc((size_t)tn_shape_count(&model->sample) * sizeof(float));
    out->count = 1;
    out->kind = CLI_PICTURE;
    if (!out->x) return cli_fail("out of memory");
    return cli_read_picture(saved, path, out->x, out->doubt);
}

/* By how the file begins: IDX by two zeros, or as gzip does; NumPy's files by its name, or as zip does. What begins
 * otherwise is a table for a model of numbers, and else a picture. */
static const struct {
    const char *begins;
    int idx;
} kinds[] = {{"\0\0", 1}, {"\x1f\x8b", 1}, {"\x93N", 0}, {"PK", 0}};

/* Safetensors begin with a length. */
int cli_has_ending(const char *path, const char *ending)
{
    const size_t length = strlen(path), last = strlen(ending);
    return length >= last && !strcasecmp(path + length - last, ending);
}

/* Tables begin anyhow. What gzip packed is an IDX file, unless the model says that it is a table. */
static int is_table(const cli_saved *saved, const char *path, const char head[2])
{
    return cli_names_table(path) || (saved->model.target_numbers && !memcmp(head, "\x1f\x8b", 2));
}

static int read_file(const cli_saved *saved, const char *path, cli_samples *out)
{
    char head[2] = {0, 1};
    struct stat info;
    if (cli_is_standard(path)) return read_table(saved, path, out);
    if (!stat(path, &info) && !S_ISREG(info.st_mode))
        return cli_fail("%s: is %s", path,
                        S_ISDIR(info.st_mode) ? "a folder where a file was expected" : "not a regular file");
    FILE *file = fopen(path, "rb");
    if (!file) return cli_fail("%s: %s", path, strerror(errno));
    size_t got = fread(head, 1, 2, file);
    fclose(file);
    if (is_table(saved, path, head)) return read_table(saved, path, out);
    if (cli_has_ending(path, ".safetensors")) return read_arrays(saved, path, 0, out);
    for (size_t i = 0; got == 2 && i < sizeof kinds / sizeof *kinds; i++)
        if (!memcmp(head, kinds[i].begins, 2)) return read_arrays(saved, path, kinds[i].idx, out);
    const int picture = !memcmp(head, "\x89P", 2) || !memcmp(head, "\xff\xd8", 2);
    if (saved->model.x_dtype != TN_U8 && !picture) return read_table(saved, path, out);
    return read_picture(saved, path, out);
}

/* ---- computing ---- */

/* What the samples are for, and what they are to be multiplied by there: the same wherever they come from. */
typedef struct taking {
    const cli_model *model;
    double scale;
} taking;

static tn_tensor *build(tn_tensor *x, int training, const void *arg)
{
    const taking *t = arg;
    const tn_model network = cli_model_of(t->model, NULL);
    if (t->scale != 1) x = tn_mul(x, tn_number(x, t->scale));
    return tn_loss_readable(t->model->loss, network.build(x, training, t->model));
}

/* Samples of files in memory as one data set. */
static int gather(const cli_predictor *p, const cli_samples *file, int files, tn_dataset *data)
{
    const cli_model *model = &p->saved.model;
    int64_t features = tn_shape_count(&model->sample), count = 0;
    for (int i = 0; i < files; i++) count += file[i].count;
    float *x = malloc((size_t)(count * features) * sizeof *x + 1);
    if (!x) return cli_fail("out of memory");
    *data = (tn_dataset){.count = count, .sample = model->sample, .x_dtype = TN_F32, .x = x};
    for (int i = 0; i < files; i++)
        for (int64_t k = 0; k < file[i].count * features; k++) *x++ = file[i].x[k];
    return CLI_GO_ON;
}

/* Files in memory, or one whose samples are read as they are needed. */
static int compute_some(const cli_predictor *p, const cli_samples *file, int files, float *y)
{
    const tn_compile_options options = cli_compile_options(&p->saved.settings);
    const taking how = {&p->saved.model, file->rows.loader ? 1 : p->saved.model.x_scale};
    const tn_model model = {.build = build,
                            .loss = p->saved.model.loss,
                            .arg = &how,
                            .compile = options,
                            .data = cli_residence(&p->saved.settings)};
    tn_dataset gathered = {0};
    int status = file->rows.loader ? CLI_GO_ON : gather(p, file, files, &gathered);
    const tn_dataset *data = file->rows.loader ? &file->rows : &gathered;
    const uint64_t bytes = (uint64_t)(data->count * p->outputs) * sizeof *y;
    if (status == CLI_GO_ON && tn_predict(p->saved.state, &model, data, y, bytes)) status = cli_failed();
    free(gathered.x);
    return status;
}

static int compute_all(const cli_predictor *p)
{
    float *y = p->y;
    int status = CLI_GO_ON;
    for (int at = 0, some; at < p->files && status == CLI_GO_ON; at += some) {
        some = 1;
        while (!p->file[at].rows.loader && at + some < p->files && !p->file[at + some].rows.loader) some++;
        status = compute_some(p, &p->file[at], some, y);
        for (int i = 0; i < some; i++) y += p->file[at + i].count * p->outputs;
    }
    return status;
}

static int compute(cli_predictor *p)
{
    p->outputs = cli_model_outputs(&p->saved.model);
    p->y = malloc((size_t)(p->count * p->outputs) * sizeof *p->y + 1);
    int status = p->y ? cli_saved_load(&p->saved) : cli_fail("out of memory");
    if (status == CLI_GO_ON) status = compute_all(p);
    if (status == CLI_GO_ON) status = cli_saved_check(&p->saved);
    if (status == CLI_GO_ON && cli_scaling_outputs(&p->saved.scaling, p->y, p->count)) status = cli_failed();
    return status;
}

/* ---- telling ---- */

int cli_tells_probability(const cli_predictor *p)
{
    return p->saved.model.classes && cli_loss_tells_probabilities(p->saved.model.loss);
}

static int is_unknown(const cli_predictor *p, const float *y)
{
    for (int64_t k = 0; k < p->outputs; k++)
        if (p->saved.model.classes ? isnan(y[k]) : !isfinite(y[k])) return 1;
    return 0;
}

/* The class, and its probability if the outputs are such; CLI_NO_CLASS and NaN where one of them is no number. */
int64_t cli_best_class(const cli_predictor *p, const float *y, double *probability)
{
    const float yes = cli_tells_probability(p) ? 0.5f : 0;
    const int64_t best = tn_class_of(y, p->outputs);
    *probability = NAN;
    if (best < 0) return CLI_NO_CLASS;
    *probability = y[best];
    if (p->outputs > 1) return best;
    *probability = y[0] > yes ? y[0] : 1 - y[0];
    return y[0] > yes;
}

/* The outputs once more, by the names of classes or targets. */
static void tell_by_name(const cli_predictor *p, const float *y, cli_json *json)
{
    const char *names = cli_output_names(&p->saved.model, p->outputs);
    char name[CLI_CLASS_NAME];
    if (p->saved.model.classes && (p->outputs == 1 || !cli_tells_probability(p))) return;
    cli_json_begin(json, p->saved.model.classes ? "probabilities" : "predictions", '{');
    for (int64_t k = 0; k < p->outputs; k++) {
        cli_next_output(&p->saved.model, &names, k, name);
        cli_json_number(json, name, y[k]);
    }
    cli_json_end(json, '}');
}

static void tell_json(const cli_predictor *p, const cli_samples *in, int64_t index, const float *y)
{
    cli_json json = {0};
    char name[CLI_CLASS_NAME];
    double probability;
    int64_t best = cli_best_class(p, y, &probability);
    const char *doubt = is_unknown(p, y) ? "an output is not finite" : in->doubt;
    cli_json_begin(&json, NULL, '{');
    cli_json_text(&json, "input", in->path);
    cli_json_whole(&json, "index", index);
    if (p->saved.model.classes && best == CLI_NO_CLASS)
        cli_json_number(&json, "class", NAN);
    else if (p->saved.model.class_names)
        cli_json_text(&json, "class", cli_class_name(&p->saved.model, best, name, sizeof name));
    else if (p->saved.model.classes)
        cli_json_whole(&json, "class", best);
    if (cli_tells_probability(p)) cli_json_number(&json, "probability", probability);
    if (*doubt) cli_json_text(&json, "doubt", doubt);
    cli_json_begin(&json, "outputs", '[');
    for (int64_t k = 0; k < p->outputs; k++) cli_json_number(&json, NULL, y[k]);
    cli_json_end(&json, ']');
    tell_by_name(p, y, &json);
    cli_json_end(&json, '}');
}

/* As many digits as one reads, but all of a large number: one rounded to tens would pass for whole. */
static void print_number(const char *before, float y)
{
    const int digits = fabsf(y) < 1e5f ? 6 : 9;
    printf("%s%.*g", before, digits, cli_unsigned_nan(y));
}

/* One number as it is, several with their names, as "rent=179.92". */
static void tell_numbers(const cli_predictor *p, const float *y)
{
    const char *names = cli_output_names(&p->saved.model, p->outputs);
    char name[CLI_CLASS_NAME];
    for (int64_t k = 0; k < p->outputs; k++) {
        const int named = names && p->outputs > 1;
        if (names) cli_next_output(&p->saved.model, &names, k, name);
        if (named) printf("%s%s", k ? " " : ": ", cli_shown(name));
        print_number(named ? "=" : k ? " " : ": ", y[k]);
    }
}

static void tell(const cli_predictor *p, cli_samples *in, int64_t index, const float *y)
{
    char name[CLI_CLASS_NAME];
    double probability;
    int64_t best = cli_best_class(p, y, &probability);
    if (in->kind == CLI_PICTURE && cli_tells_probability(p)) cli_doubt_probability(probability, in->doubt);
    if (*in->doubt) cli_warn("%s: doubtful: %s", in->path, in->doubt);
    if (p->saved.settings.json) {
        tell_json(p, in, index, y);
        return;
    }
    printf("%s", cli_shown(in->path));
    if (in->kind != CLI_PICTURE) printf(" %" PRId64, index);
    if (!p->saved.model.classes)
        tell_numbers(p, y);
    else if (best == CLI_NO_CLASS)
        printf(": no class");
    else
        printf(": %s", cli_shown(cli_class_name(&p->saved.model, best, name, sizeof name)));
    if (!isnan(probability) && cli_tells_probability(p)) printf(" (%.1f %%)", 100 * probability);
    printf("\n");
}

static void tell_unknown(const cli_samples *in)
{
    if (in->unknown)
        cli_warn("%s: %" PRId64 " of %" PRId64 " samples have an output that is not finite, the first of them number "
                 "%" PRId64,
                 in->path, in->unknown, in->count, in->first_unknown);
}

static void tell_all(const cli_predictor *p)
{
    const float *y = p->y;
    for (int f = 0; f < p->files; f++) {
        cli_samples *in = &p->file[f];
        for (int64_t i = 0; i < in->count; i++, y += p->outputs) {
            tell(p, in, i, y);
            if (is_unknown(p, y) && !in->unknown++) in->first_unknown = i;
        }
        tell_unknown(in);
    }
}

/* ---- all of it ---- */

/* Up to the first that cannot be read. */
static int read_files(cli_predictor *p, char **paths, int files)
{
    p->file = calloc((size_t)files, sizeof *p->file);
    if (!p->file) return cli_fail("out of memory");
    for (int i = 0; i < files; i++) {
        cli_samples *in = &p->file[i];
        in->path = paths[i];
        int status = read_file(&p->saved, in->path, in);
        if (status != CLI_GO_ON) return status;
        if (in->x) cli_scaling_samples(&p->saved.scaling, in->x, in->count);
        if (!in->x) status = cli_scaling_data(&p->saved.scaling, &in->rows);
        if (status != CLI_GO_ON) return status;
        p->count += in->count;
        p->files++;
        p->kinds |= in->kind;
    }
    return CLI_GO_ON;
}

/* The files before one that cannot be read are predicted all the same. */
static int predict(cli_predictor *p, char **paths, int files)
{
    int all = read_files(p, paths, files);
    int status = all == CLI_GO_ON ? cli_check_kinds(p->saved.options, p->kinds) : CLI_GO_ON;
    if (status == CLI_GO_ON && p->files) status = compute(p);
    if (status == CLI_GO_ON) tell_all(p);
    if (status == CLI_GO_ON && all == CLI_GO_ON) status = cli_write_outputs(p);
    return status == CLI_GO_ON ? all : status;
}

int cli_predict(int argc, char **argv)
{
    if (cli_onnx_of(argc, argv)) return cli_predict_onnx(argc, argv);
    cli_predictor p = {0};
    int files = 0, status = cli_saved_open(&p.saved, "predict", "FILE...", doc, argc, argv, &files);
    if (status == CLI_GO_ON) status = cli_check_writing(&p.saved, files);
    if (status == CLI_GO_ON) status = cli_check_out(&p.saved, argv + 1, files);
    if (status == CLI_GO_ON) status = cli_check_frame(&p.saved);
    if (status == CLI_GO_ON) status = p.saved.prompt ? cli_write(&p.saved) : predict(&p, argv + 1, files);
    for (int i = 0; i < files && p.file; i++) {
        free(p.file[i].x);
        tn_dataset_free(&p.file[i].rows);
    }
    free(p.file);
    free(p.y);
    cli_saved_close(&p.saved);
    return status == CLI_GO_ON ? CLI_OK : status;
}
