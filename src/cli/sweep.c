/* sweep.c: `tenon sweep`: trainings with every combination of options, and a table of what came of them. */
#include "sweep.h"
#include "data.h"
#include "interrupt.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char doc[] =
    "Trains with every combination of options that are given as lists, as --lr 0.001,0.01, and says which is best. It "
    "takes all options of train; one that is none of them stands for a word in --net: --net \"linear units, relu, "
    "linear outputs\" --units 32,64. Networks and schedules, which have commas, are separated by bars. Of a table each "
    "repetition keeps other rows for testing.";

/* Options of train whose texts are names, so that commas separate them. */
static const char names[] = " optimizer loss init scale precision storage layout sample-weights ";

static int is_among(const char *list, const char *name)
{
    char word[80];
    snprintf(word, sizeof word, " %s ", name);
    return strstr(list, word) != NULL;
}

/* Whether all trainings at once would write it, or go on from it. */
static int is_single(const cli_settings *s, const char *option)
{
    const char *name, *path;
    for (size_t i = 0; cli_output_at(s, i, &name, &path); i++)
        if (!strcmp(name, option)) return 1;
    return !strcmp(option, "resume") || !strcmp(option, "fold");
}

/* ---- what was typed ---- */

/* What separates the values of an option; 0: there is one. */
static char separator(const cli_option *o)
{
    if (!o || o->kind == CLI_WHOLE || o->kind == CLI_NUMBER || o->kind == CLI_MEANT || o->kind == CLI_FROM) return ',';
    if (is_among(names, o->name)) return ',';
    return !strcmp(o->name, "net") || !strcmp(o->name, "schedule") ? '|' : 0;
}

/* Where the value ends, if another follows: what separates them, but not between quotes, as in a column's name. */
static char *end_of(char *at, char between)
{
    for (int quoted = 0; *at; at++) {
        quoted ^= *at == '"';
        if (*at == between && !quoted) return at;
    }
    return NULL;
}

/* Cuts the axis's text into values, without the blanks around them. */
static int cut(cli_axis *a, char between)
{
    int most = 1;
    for (const char *at = a->text; *at; at++) most += *at == between;
    a->value = calloc((size_t)most, sizeof *a->value);
    if (!a->value) return cli_fail("out of memory");
    for (char *at = a->text; at;) {
        char *end = between ? end_of(at, between) : NULL, *next = end ? end + 1 : NULL;
        if (end) *end = 0;
        at += strspn(at, " ");
        for (char *last = at + strlen(at); last > at && last[-1] == ' ';) *--last = 0;
        if (!*at) return cli_usage("--%s: one of its values is empty", a->name);
        a->value[a->count++] = at;
        at = next;
    }
    return CLI_GO_ON;
}

static int add_axis(cli_sweep *s, const char *name, const char *value)
{
    const cli_option *o = cli_find(s->settings.options, name);
    cli_axis *a = &s->axis[s->n_axes];
    if (s->n_axes == CLI_SWEEP_AXES) return cli_usage("sweep takes %d options", CLI_SWEEP_AXES);
    for (int i = 0; i < s->n_axes; i++)
        if (!strcmp(s->axis[i].name, name)) return cli_usage("--%s is given twice", name);
    if (is_single(&s->settings, name)) return cli_usage("--%s is for a single training: see tenon train", name);
    *a = (cli_axis){.name = name, .is_word = !o};
    s->n_axes++;
    if (!value) return CLI_GO_ON;
    a->text = strdup(value);
    return a->text ? cut(a, separator(o)) : cli_fail("out of memory");
}

/* Words that neither command knows have to stand in the network. */
static int has_word(const char *text, const char *word)
{
    const size_t length = strlen(word);
    for (const char *at = text; (at = strstr(at, word)); at++)
        if ((at == text || !isalnum((unsigned char)at[-1])) && !isalnum((unsigned char)at[length])) return 1;
    return 0;
}

static int check_words(const cli_sweep *s)
{
    for (int i = 0; i < s->n_axes; i++) {
        int found = !s->axis[i].is_word;
        for (int k = 0; k < s->n_axes; k++)
            for (int v = 0; !strcmp(s->axis[k].name, "net") && v < s->axis[k].count; v++)
                found |= has_word(s->axis[k].value[v], s->axis[i].name);
        if (!found)
            return cli_usage("--%s is no option of train, and --net has no word '%s'; tenon train --help lists options",
                             s->axis[i].name, s->axis[i].name);
    }
    return CLI_GO_ON;
}

/* Each training reads its data for itself, and what they come to goes to none of the files that they read. */
static int check_files(const cli_sweep *s)
{
    char option[80];
    int status = CLI_OK;
    for (int i = 0; i < s->n_axes; i++)
        for (int v = 0; v < s->axis[i].count && !status; v++) {
            const char *value = s->axis[i].value[v];
            if (!s->axis[i].is_word && cli_is_standard(value))
                return cli_usage("--%s -: a sweep reads its data more than once: give it a file", s->axis[i].name);
            snprintf(option, sizeof option, "--%s", s->axis[i].name);
            status = cli_not_the_same("results", s->results, option, value);
        }
    if (!status && cli_can_write("results", s->results)) status = CLI_FAILED;
    return status ? status : CLI_GO_ON;
}

/* Takes what is train's out of the arguments, and leaves what is sweep's own. */
static int take_axes(cli_sweep *s, const cli_option *own, int *argc, char **argv)
{
    int kept = 1, status = CLI_GO_ON;
    for (int i = 1; i < *argc && status == CLI_GO_ON; i++) {
        char *word = argv[i], *value = strncmp(word, "--", 2) ? NULL : strchr(word, '=');
        const int is_option = !strncmp(word, "--", 2) && word[2];
        if (value) *value++ = 0;
        const cli_option *ours = is_option ? cli_find((cli_option *)own, word + 2) : NULL;
        const cli_option *o = is_option && !ours ? cli_find(s->settings.options, word + 2) : NULL;
        const int flag = o && (o->kind == CLI_FLAG || o->kind == CLI_LEVEL);
        if (value && (ours || flag)) value[-1] = '=';
        if (!is_option || !strcmp(word, "--help") || ours) {
            argv[kept++] = word;
            if (ours && ours->kind != CLI_FLAG && !value && i + 1 < *argc) argv[kept++] = argv[++i];
        } else if (flag) {
            status = add_axis(s, word + 2, NULL);
        } else if (!value && ++i == *argc) {
            status = cli_usage("--%s needs a value", word + 2);
        } else {
            status = add_axis(s, word + 2, value ? value : argv[i]);
        }
    }
    *argc = kept;
    return status;
}

/* ---- trials ---- */

const char *cli_sweep_value(const cli_sweep *s, int combination, int axis)
{
    for (int i = 0; i < axis; i++)
        if (s->axis[i].count) combination /= s->axis[i].count;
    return s->axis[axis].value[combination % s->axis[axis].count];
}

/* The text with the words that stand for values replaced. */
static void put_net(const cli_sweep *s, int combination, const char *text, FILE *f)
{
    while (*text) {
        const size_t length = strcspn(text, " ,\t");
        const char *value = NULL;
        for (int i = 0; i < s->n_axes && length; i++)
            if (s->axis[i].is_word && strlen(s->axis[i].name) == length && !strncmp(text, s->axis[i].name, length))
                value = cli_sweep_value(s, combination, i);
        fprintf(f, "%.*s", value ? 0 : (int)length, text);
        if (value) fprintf(f, "%s", value);
        text += length;
        if (*text) putc(*text++, f);
    }
}

char *cli_sweep_words(const cli_sweep *s, const cli_trial *t)
{
    char *words = NULL;
    size_t size;
    FILE *f = open_memstream(&words, &size);
    for (int i = 0; f && i < s->n_axes; i++) {
        if (s->axis[i].is_word) continue;
        fprintf(f, "--%s%c", s->axis[i].name, 0);
        if (!s->axis[i].count) continue;
        if (!strcmp(s->axis[i].name, "net"))
            put_net(s, t->combination, cli_sweep_value(s, t->combination, i), f);
        else
            fprintf(f, "%s", cli_sweep_value(s, t->combination, i));
        putc(0, f);
    }
    if (f && t->fold) fprintf(f, "--fold%c%lld/%lld%c", 0, (long long)t->fold, (long long)s->folds, 0);
    if (f) fprintf(f, "--seed%c%lld%c%c", 0, (long long)t->seed, 0, 0);
    return f && !fclose(f) ? words : NULL;
}

static int make_trials(cli_sweep *s)
{
    const int64_t folds = s->folds ? s->folds : 1;
    const double each = (double)(s->repeat * folds);
    double all = each;
    for (int i = 0; i < s->n_axes; i++) all *= s->axis[i].count ? s->axis[i].count : 1;
    if (all > CLI_SWEEP_MOST) return cli_usage("these are %.0f trainings, more than %d", all, CLI_SWEEP_MOST);
    s->trials = (int)all;
    s->combinations = (int)(all / each);
    s->trial = calloc((size_t)s->trials, sizeof *s->trial);
    if (!s->trial) return cli_fail("out of memory");
    for (int i = 0; i < s->trials; i++) {
        const int64_t round = i / s->combinations;
        s->trial[i] = (cli_trial){.combination = i % s->combinations,
                                  .seed = s->seed + round / folds,
                                  .fold = s->folds ? round % folds + 1 : 0};
    }
    return CLI_GO_ON;
}

/* ---- folds ---- */

/* The settings of a training. Their texts are in `words`. */
static int read_words(char *words, cli_settings *settings)
{
    char *argv[2 * CLI_SWEEP_AXES + 8] = {"train"};
    int argc = 1, operands;
    for (char *at = words; *at; at += strlen(at) + 1) argv[argc++] = at;
    return cli_parse(&(cli_syntax){"train", NULL, NULL, NULL, settings->options}, argc, argv, &operands);
}

/* Samples of the class that has the fewest, but some; 0: there are no classes. */
static int64_t fewest(const tn_dataset part[2])
{
    int64_t least = 0, *count = part->classes && part->label ? calloc((size_t)part->classes, sizeof *count) : NULL;
    for (int p = 0; count && p < 2; p++)
        for (int64_t i = 0; i < part[p].count * (part[p].label != NULL); i++) count[part[p].label[i]]++;
    for (int64_t k = 0; count && k < part->classes; k++)
        if (count[k] && (!least || count[k] < least)) least = count[k];
    free(count);
    return least;
}

/* That the data can be cut into so many folds, before any training begins. */
static int check_folds(const cli_sweep *s)
{
    cli_settings settings;
    tn_dataset part[2] = {{0}, {0}};
    char *words = s->folds ? cli_sweep_words(s, s->trial) : NULL;
    if (!s->folds) return CLI_GO_ON;
    cli_settings_init(&settings);
    int status = words ? read_words(words, &settings) : cli_fail("out of memory");
    if (status == CLI_GO_ON) status = cli_open_data(&settings, NULL, NULL, &part[0], &part[1]);
    const int64_t least = status == CLI_GO_ON ? fewest(part) : 0;
    if (least && least < s->folds)
        cli_warn("%s: a class has %lld sample%s, fewer than %lld folds: not each of these is tested on it",
                 part[0].source, (long long)least, least == 1 ? "" : "s", (long long)s->folds);
    for (int i = 0; i < 2; i++) tn_dataset_free(&part[i]);
    cli_settings_free(&settings);
    free(words);
    return status;
}

static void close_sweep(cli_sweep *s)
{
    for (int i = 0; i < s->n_axes; i++) {
        free(s->axis[i].value);
        free(s->axis[i].text);
    }
    free(s->trial);
    cli_settings_free(&s->settings);
}

/* Those of train's options that may be given here. */
static void take_train(const cli_settings *settings, const cli_option *own, cli_option *taken)
{
    for (const cli_option *train = settings->options; train->kind != CLI_END; train++)
        if (!is_single(settings, train->name) && !cli_find((cli_option *)own, train->name)) *taken++ = *train;
    *taken = (cli_option){.kind = CLI_END};
}

int cli_sweep_command(int argc, char **argv)
{
    cli_sweep s = {.repeat = 1, .seed = 1, .jobs = sysconf(_SC_NPROCESSORS_ONLN)};
    int operands, quiet = 0;
    cli_option own[] = {
        {CLI_WHOLE, "repeat", "N", "times each, with seeds one after the other (1)", &s.repeat, 1, 10000, 0, 0, 0, 0},
        {CLI_WHOLE, "folds", "K",
         "cross-validation: times each with another Kth of the samples for testing, of each class its share (none)",
         &s.folds, 2, 1000, 0, 0, 0, 0},
        {CLI_WHOLE, "seed", "N", "of the first (1)", &s.seed, 0, 9e15, 0, 0, 0, 0},
        {CLI_WHOLE, "jobs", "N", "trainings at once (by the processors)", &s.jobs, 1, 1024, 0, 0, 0, 0},
        {CLI_TEXT, "results", "FILE.jsonl", "keep what is done there, and go on where that ended", &s.results, 0, 0, 0,
         0, 0, 0},
        {CLI_FLAG, "quiet", 0, "print the table, warnings and failures, and nothing else", &quiet, 0, 0, 0, 0, 0, 0},
        {CLI_FLAG, "json", 0, "an object for each combination on standard output", &s.json, 0, 0, 0, 0, 0, 0},
        {.kind = CLI_END},
    };
    cli_option of_train[CLI_TRAIN_OPTIONS];
    cli_settings_init(&s.settings);
    take_train(&s.settings, own, of_train);
    const cli_syntax syntax = {"sweep", NULL, doc, NULL, own, of_train};
    int status = take_axes(&s, own, &argc, argv);
    if (status == CLI_GO_ON) status = cli_parse(&syntax, argc, argv, &operands);
    if (status == CLI_GO_ON && quiet) cli_be_quiet();
    if (status == CLI_GO_ON) status = check_words(&s);
    if (status == CLI_GO_ON) status = check_files(&s);
    if (status == CLI_GO_ON) status = make_trials(&s);
    if (status == CLI_GO_ON) status = check_folds(&s);
    if (status == CLI_GO_ON) cli_interrupt_catch();
    if (status == CLI_GO_ON) status = cli_sweep_run(&s);
    if (status == CLI_GO_ON) status = cli_sweep_tell(&s);
    close_sweep(&s);
    return status == CLI_GO_ON ? CLI_OK : status;
}
