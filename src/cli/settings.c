/* settings.c: see settings.h. A new option of training is a field, a row in settings.def, and a default. */
#include "settings.h"
#include "data.h"
#include "onnx.h"
#include "resident.h"
#include "../core/nearest.h"
#include "../core/utf8.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void cli_settings_init(cli_settings *s)
{
    *s = (cli_settings){.data = "digits",
                        .net = "mlp",
                        .header = "auto",
                        .loss = "auto",
                        .scale = "auto",
                        .optimizer = "adam",
                        .schedule = "constant",
                        .init = "auto",
                        .batch = 64,
                        .epochs = 5,
                        .seed = 1,
                        .resident = "auto",
                        .storage = "f32",
                        .precision = "f32",
                        .layout = "tuned",
                        .device = "auto"};
    enum { NO, KEPT, FIXED };
    const cli_option options[] = {
#define X(kind, name, value, field, low, high, kept, doc)                                                              \
    {CLI_##kind, name, value, doc, &s->field, low, high, kept ? name : NULL, kept == FIXED, 0, NULL},
#include "settings.def"
#undef X
        {.kind = CLI_END},
    };
    _Static_assert(sizeof options <= sizeof s->options, "CLI_TRAIN_OPTIONS");
    memcpy(s->options, options, sizeof options);
}

void cli_settings_free(cli_settings *s)
{
    cli_options_free(s->options);
}

static void tell_words(const cli_scribe *to, const char *heading, int (*at)(size_t i, tn_net_word *word))
{
    tn_net_word word;
    to->heading(to->to, heading);
    for (size_t i = 0; at(i, &word); i++) to->row(to->to, word.usage, 28, word.doc);
}

static void tell_networks(const cli_scribe *to)
{
    tn_net_word word;
    to->heading(to->to, "networks");
    for (size_t i = 0; tn_net_named_at(i, &word); i++) {
        to->row(to->to, word.name, 16, word.doc);
        to->row(to->to, "", 18, word.usage);
    }
}

static void tell_optimizers(const cli_scribe *to)
{
    tn_optimizer_entry optimizer;
    char text[400];
    to->heading(to->to, "optimizers");
    for (size_t i = 0; tn_optimizer_at(i, &optimizer); i++) {
        snprintf(text, sizeof text, "%s (lr %g)", optimizer.doc, optimizer.lr);
        to->row(to->to, optimizer.name, 28, text);
    }
}

void cli_settings_help(const cli_scribe *to)
{
    tn_loss_entry loss;
    tn_schedule_kind schedule;
    tell_networks(to);
    tell_words(to, "layers", tn_net_layer_at);
    tell_words(to, "initialisations", tn_net_init_at);
    to->heading(to->to, "losses");
    for (size_t i = 0; tn_loss_at(i, &loss); i++) to->row(to->to, loss.name, 28, loss.doc);
    tell_optimizers(to);
    to->heading(to->to, "schedules, each after an optional \"warmup STEPS,\"; a plateau looks at the losses of epochs");
    for (size_t i = 0; tn_schedule_kind_at(i, &schedule); i++) to->row(to->to, schedule.usage, 28, schedule.doc);
}

static int check_loss(const char *name)
{
    tn_nearest nearest = {.word = name};
    tn_loss_entry entry;
    char hint[80];
    if (!strcmp(name, "auto")) return CLI_GO_ON;
    for (size_t i = 0; tn_loss_at(i, &entry); i++) {
        if (!strcmp(entry.name, name)) return CLI_GO_ON;
        tn_nearest_offer(&nearest, entry.name);
    }
    return cli_usage("--loss: there is no loss '%s'%s", name, tn_nearest_text(&nearest, hint, sizeof hint));
}

static int check_optimizer(cli_settings *s)
{
    tn_nearest nearest = {.word = s->optimizer};
    tn_optimizer_entry entry;
    char hint[80];
    for (size_t i = 0; tn_optimizer_at(i, &entry); i++) {
        tn_nearest_offer(&nearest, entry.name);
        if (strcmp(entry.name, s->optimizer)) continue;
        if (s->optim.lr == 0) s->optim.lr = entry.lr;
        return CLI_GO_ON;
    }
    return cli_usage("--optimizer: there is no optimizer '%s'%s", s->optimizer,
                     tn_nearest_text(&nearest, hint, sizeof hint));
}

/* Whether one of the words of a text is the word. */
static int has_word(const char *text, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = text; (at = strstr(at, word)); at++)
        if ((at == text || at[-1] == ' ') && (!at[length] || at[length] == ' ')) return 1;
    return 0;
}

/* The optimizers that take an option, in `text`, and whether ours is one. */
static int owners(const cli_settings *s, const char *option, char *text, size_t capacity)
{
    tn_optimizer_entry entry;
    int ours = 0;
    *text = 0;
    for (size_t i = 0; tn_optimizer_at(i, &entry); i++) {
        if (!has_word(entry.options, option)) continue;
        size_t used = strlen(text);
        snprintf(text + used, capacity - used, "%s%s", used ? ", " : "", entry.name);
        if (!strcmp(entry.name, s->optimizer)) ours = 1;
    }
    return ours;
}

/* Options that only some optimizers have. */
static int check_owners(cli_settings *s)
{
    static const char *const owned[] = {"momentum", "beta1", "beta2", "alpha", "epsilon", "amsgrad", "centered"};
    char text[160];
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        if (cli_given(s->options, owned[i]) && !owners(s, owned[i], text, sizeof text))
            return cli_usage("--%s belongs to --optimizer %s, not to %s", owned[i], text, s->optimizer);
    return CLI_GO_ON;
}

/* n / (classes x count of the class), so that each class has the same weight in all; 0 for one without samples. Samples
 * count as often as their weights say. */
static void balance(const tn_dataset *data, float *weights)
{
    double all = 0;
    for (int64_t i = 0; i < data->count; i++) all += data->weight ? (double)data->weight[i] : 1;
    for (int64_t k = 0; k < data->classes; k++) {
        double count = 0;
        for (int64_t i = 0; i < data->count; i++)
            if (data->label[i] == k) count += data->weight ? (double)data->weight[i] : 1;
        weights[k] = count > 0 ? (float)all / ((float)data->classes * (float)count) : 0;
    }
}

/* As many numbers as classes, none negative and not all 0. */
static int read_weights(const char *text, int64_t classes, float *weights)
{
    double sum = 0;
    for (int64_t k = 0; k < classes; k++) {
        char *end;
        double weight = strtod(text, &end);
        if (end == text || !(weight >= 0 && weight < 1e30) || *end != (k + 1 < classes ? ',' : 0)) return 0;
        weights[k] = (float)weight;
        sum += weight;
        text = end + 1;
    }
    return sum > 0;
}

int cli_settings_class_weights(const cli_settings *s, const tn_dataset *data, float **weights)
{
    if (!s->class_weights) return CLI_GO_ON;
    if (!data->classes || data->labels > 1)
        return cli_usage("--class-weights: %s has no classes%s", data->source, data->classes ? ", but text" : "");
    *weights = calloc((size_t)data->classes, sizeof **weights);
    if (!*weights) return cli_fail("out of memory");
    if (!strcmp(s->class_weights, "balanced"))
        balance(data, *weights);
    else if (!read_weights(s->class_weights, data->classes, *weights))
        return cli_usage("--class-weights '%s' is neither \"balanced\" nor %lld numbers of 0 or more, one a class",
                         s->class_weights, (long long)data->classes);
    return CLI_GO_ON;
}

static const struct {
    const char *name;
    int32_t dtype;
} storages[] = {{"f32", 0}, {"f16", TN_F16}, {"bf16", TN_BF16}};

/* Where in `storages` the setting is; past its end if it is none. */
static size_t find_storage(const cli_settings *s)
{
    size_t i = 0;
    while (i < sizeof storages / sizeof *storages && strcmp(storages[i].name, s->storage)) i++;
    return i;
}

/* Which TN_PRECISION_ the setting is; one beyond them if it is none. */
static uint32_t find_precision(const cli_settings *s)
{
    uint32_t i = 0;
    while (tn_precision_name(i) && strcmp(tn_precision_name(i), s->precision) != 0) i++;
    return i;
}

/* Likewise, a TN_LAYOUT_. */
static uint32_t find_layout(const cli_settings *s)
{
    static const char *const name[] = {[TN_LAYOUT_TUNED] = "tuned",
                                       [TN_LAYOUT_USUAL] = "usual",
                                       [TN_LAYOUT_LAST] = "channels-last",
                                       [TN_LAYOUT_TRY] = "try"};
    uint32_t i = 0;
    while (i < sizeof name / sizeof *name && strcmp(name[i], s->layout) != 0) i++;
    return i;
}

int cli_check_types(const cli_settings *s)
{
    if (find_storage(s) == sizeof storages / sizeof *storages)
        return cli_usage("--storage: numbers are stored as f32, f16 or bf16, not as '%s'", s->storage);
    if (!tn_precision_name(find_precision(s)))
        return cli_usage("--precision: products are in f32, f32-fast or bf16, not in '%s'", s->precision);
    if (find_layout(s) > TN_LAYOUT_TRY)
        return cli_usage("--layout: '%s' is not tuned, usual, channels-last or try", s->layout);
    return CLI_GO_ON;
}

tn_compile_options cli_compile_options(const cli_settings *s)
{
    return (tn_compile_options){.strict = (uint32_t)s->strict,
                                .unfused = (uint32_t)s->unfused,
                                .storage = storages[find_storage(s)].dtype,
                                .precision = find_precision(s),
                                .layout = find_layout(s)};
}

void cli_warn_of_no_change(const cli_settings *s, const tn_device *device, const tn_program_report *r)
{
    const char *name = tn_device_name(device);
    if (r->narrow_refused && !r->narrow_values)
        cli_warn("--storage %s changes nothing: %s stores no value so: %s", s->storage, name, r->narrow_why);
    if (r->coarse_refused && !r->coarse_products)
        cli_warn("--precision %s changes nothing: %s multiplies nothing so: %s", s->precision, name, r->coarse_why);
    if (find_layout(s) == TN_LAYOUT_LAST && !r->channels_last)
        cli_warn("--layout channels-last changes nothing: %s makes no convolution of this network so", name);
}

/* The file or folder of data; NULL for digits, which the program draws whatever files there are. */
static const char *file_of(const char *data)
{
    const size_t length = data ? strcspn(data, ":") : 0;
    const int drawn =
        (length == 6 && !strncmp(data, "digits", 6)) || (length == 10 && !strncmp(data, "digits-rgb", 10));
    return drawn ? NULL : data;
}

int cli_output_at(const cli_settings *s, size_t i, const char **name, const char **path)
{
    const struct {
        const char *name, *path;
    } outputs[] = {{"save", s->save},   {"best", s->best}, {"weights", s->weights}, {"diverged", s->diverged},
                   {"curve", s->curve}, {"log", s->log},   {"report", s->report},   {"trace", s->trace}};
    if (i >= sizeof outputs / sizeof *outputs) return 0;
    *name = outputs[i].name;
    *path = outputs[i].path;
    return 1;
}

/* That an output is none of the files that are read; but a training may be saved, by --save or --best, where one was.
 */
static int check_read(const cli_settings *s, const char *name, const char *path)
{
    const int trainings = !strcmp(name, "save") || !strcmp(name, "best");
    const struct {
        const char *name, *path;
    } read[] = {{"--data", file_of(s->data)},
                {"--test", file_of(s->test)},
                {"--net", cli_onnx_is(s->net) ? s->net : NULL},
                {"--resume", trainings ? NULL : s->resume},
                {"--load", trainings ? NULL : s->load}};
    int status = cli_can_write(name, path);
    for (size_t k = 0; k < sizeof read / sizeof *read && !status; k++)
        status = cli_not_the_same(name, path, read[k].name, read[k].path);
    return status;
}

/* No output takes another file's place. */
static int check_outputs(const cli_settings *s)
{
    const char *name, *path, *other, *other_path;
    char option[40];
    for (size_t i = 0; cli_output_at(s, i, &name, &path); i++) {
        int status = check_read(s, name, path);
        for (size_t k = 0; k < i && !status && cli_output_at(s, k, &other, &other_path); k++) {
            snprintf(option, sizeof option, "--%s", other);
            status = cli_not_the_same(name, path, option, other_path);
        }
        if (status) return status;
    }
    return CLI_GO_ON;
}

static int check_curve(const char *path)
{
    const size_t length = path ? strlen(path) : 0;
    if (!path || (length > 4 && !strcasecmp(path + length - 4, ".svg"))) return CLI_GO_ON;
    return cli_usage("--curve '%s': the curve is drawn as .svg", path);
}

/* A number behind the name of the initialisation is one, and not 0, which stands for the usual one. */
static int check_init(const char *init)
{
    const char *number = strchr(init, ' ');
    char *end = NULL;
    double value = number ? strtod(number, &end) : 0;
    if (!number || (end != number && !*end && value != 0 && isfinite(value))) return CLI_GO_ON;
    return cli_usage("--init '%s': '%s' is not a number above 0", init, number + 1);
}

/* What a model keeps is text. */
static int check_kept(const cli_settings *s)
{
    char number[CLI_NOTE_TEXT];
    for (const cli_option *o = s->options; o->kind != CLI_END; o++)
        if (o->note && !tn_is_utf8(cli_note_text(o, number)))
            return cli_usage("--%s '%s' is not UTF-8, and a model cannot keep it", o->name, cli_note_text(o, number));
    return CLI_GO_ON;
}

int cli_fold_of(const char *text, int64_t *fold, int64_t *folds)
{
    long long i = 0, k = 0;
    int used = 0;
    if (strlen(text) > 20 || sscanf(text, "%lld/%lld%n", &i, &k, &used) != 2 || text[used] || i < 1 || i > k || k < 2)
        return 0;
    *fold = i - 1;
    *folds = k;
    return 1;
}

#define TEXT_NETS "gpt-" /* how names of networks for texts begin */
#define CONTEXT   128    /* their usual one */

int cli_settings_check(cli_settings *s)
{
    tn_schedule schedule;
    tn_shape image;
    if (!s->context && !s->resume && (s->characters || !strncmp(s->net, TEXT_NETS, strlen(TEXT_NETS))))
        s->context = CONTEXT;
    int status = check_kept(s);
    if (status == CLI_GO_ON) status = check_loss(s->loss);
    if (status == CLI_GO_ON) status = check_optimizer(s);
    if (status == CLI_GO_ON) status = check_owners(s);
    if (status == CLI_GO_ON) status = check_init(s->init);
    if (status != CLI_GO_ON) return status;
    int64_t fold, folds;
    if (s->fold && !cli_fold_of(s->fold, &fold, &folds))
        return cli_usage("--fold '%s' is not one part of several, such as 2/5", s->fold);
    if (s->fold && s->test)
        return cli_usage("--fold cuts --data, and --test has other samples to test on: give one of them");
    if (s->by_position && !s->test) return cli_usage("--by-position is for the columns of --test, which was not given");
    if (cli_check_types(s) != CLI_GO_ON) return CLI_USAGE;
    if (strcmp(s->scale, "auto") != 0 && tn_scale_kind(s->scale) < 0)
        return cli_usage("--scale '%s' is not none, minmax, standard, unit or auto", s->scale);
    if (cli_net_tokens(s->net) && strcmp(s->scale, "auto") != 0 && strcmp(s->scale, "none") != 0)
        return cli_usage("--scale %s: an embedding reads whole numbers, which have no scale", s->scale);
    if (cli_header_kind(s->header) < 0) return cli_usage("--header '%s' is not yes, no or auto", s->header);
    if (s->load && s->resume)
        return cli_usage("--load begins a training and --resume goes on with one: give one of them");
    if (tn_schedule_parse(s->schedule, &schedule)) return cli_usage("--%s", tn_message());
    if (cli_check_residence(s) != CLI_GO_ON) return CLI_USAGE;
    if (s->image && !cli_image_of(s->image, &image))
        return cli_usage("--image '%s' is not a height and a width, such as 64x64, or 1 or 3 channels before them",
                         s->image);
    if (cli_given(s->options, "shards") && cli_given(s->options, "accumulate"))
        return cli_usage("--shards and --accumulate are the same: give one of them");
    if (s->rename && !s->load) return cli_usage("--rename belongs to --load, which was not given");
    status = check_outputs(s);
    return status == CLI_GO_ON ? check_curve(s->curve) : status;
}

void cli_settings_init_of(const cli_settings *s, char name[32], double *scale)
{
    const char *space = strchr(s->init, ' ');
    *scale = space ? strtod(space, NULL) : 0;
    snprintf(name, 32, "%.*s", space ? (int)(space - s->init) : 31, s->init);
}
