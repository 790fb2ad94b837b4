/* manual.c: writes the manuals and completions into a folder as they are installed: man/man1/tenon.1, tenon-train.1 …;
 * bash-completion/completions/tenon; zsh/site-functions/_tenon; fish/vendor_completions.d/tenon.fish.
 * usage: tenon_manual FOLDER
 *
 * Each sub-command is asked for its help, and its tables are kept instead of printed. A day in seconds in
 * SOURCE_DATE_EPOCH, where it is set, is the manuals' date, so that two builds give the same bytes. */
#include "manual.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static cli_manual manuals[] = {
#define X(word, run, text) {.name = #word, .doc = text},
#include "commands.def"
#undef X
    {.name = NULL},
};

static int (*const runs[])(int argc, char **argv) = {
#define X(name, run, doc) run,
#include "commands.def"
#undef X
};

/* ---- what is read ---- */

static cli_manual *asked;

/* A table of its own: that of the command lives no longer than its call. */
static cli_option *copy(const cli_option *options)
{
    size_t count = 1;
    for (const cli_option *o = options; o && o->kind != CLI_END; o++) count++;
    cli_option *to = calloc(count, sizeof *to);
    if (!to) abort();
    if (options) memcpy(to, options, (count - 1) * sizeof *to);
    return to;
}

static void take(const cli_syntax *syntax)
{
    if (asked->parts && !strcmp(asked->part[0].doc, syntax->doc)) return;
    cli_syntax *part = &asked->part[asked->parts++];
    *part = *syntax;
    part->options = copy(syntax->options);
    part->also = copy(syntax->also);
}

/* How a command with the option --model reads a network of ONNX, it says when it is given one. */
static int ask(cli_manual *manual, int (*run)(int argc, char **argv))
{
    char name[32], model[] = "--model", file[] = "x.onnx", help[] = "--help";
    char *plain[] = {name, help, NULL}, *onnx[] = {name, model, file, help, NULL};
    snprintf(name, sizeof name, "%s", manual->name);
    asked = manual;
    if (run(2, plain) != CLI_OK || !manual->parts) return 0;
    return !cli_find(manual->part[0].options, "model") || run(4, onnx) == CLI_OK;
}

static const cli_option *in(const cli_option *options, size_t *i)
{
    for (; options->kind != CLI_END; options++)
        if (*options->doc && !(*i)--) return options;
    return NULL;
}

/* With those that come twice. */
static const cli_option *raw(const cli_manual *manual, size_t i)
{
    const cli_option *found = NULL;
    for (int p = 0; p < manual->parts && !found; p++) found = in(manual->part[p].options, &i);
    for (int p = 0; p < manual->parts && !found; p++) found = in(manual->part[p].also, &i);
    return found;
}

static int is_again(const cli_manual *manual, size_t i)
{
    const char *name = raw(manual, i)->name;
    for (size_t k = 0; k < i; k++)
        if (!strcmp(raw(manual, k)->name, name)) return 1;
    return 0;
}

const cli_option *cli_manual_option(const cli_manual *manual, size_t i)
{
    for (size_t k = 0; raw(manual, k); k++)
        if (!is_again(manual, k) && !i--) return raw(manual, k);
    return NULL;
}

int cli_manual_has_value(const cli_option *option)
{
    return option->kind != CLI_FLAG && option->kind != CLI_LEVEL;
}

/* ---- what may stand as a value ---- */

static const char *loss_at(size_t i)
{
    tn_loss_entry entry;
    return tn_loss_at(i, &entry) ? entry.name : NULL;
}

static const char *optimizer_at(size_t i)
{
    tn_optimizer_entry entry;
    return tn_optimizer_at(i, &entry) ? entry.name : NULL;
}

static const char *schedule_at(size_t i)
{
    tn_schedule_kind entry;
    return tn_schedule_kind_at(i, &entry) ? entry.name : NULL;
}

static const char *net_at(size_t i)
{
    tn_net_word entry;
    return tn_net_named_at(i, &entry) ? entry.name : NULL;
}

static const char *init_at(size_t i)
{
    tn_net_word entry;
    return tn_net_init_at(i, &entry) ? entry.name : NULL;
}

/* Every machine's: a completion should start no driver. */
static const char *device_at(size_t i)
{
    static const char *const devices[] = {"auto", "cpu", "opencl:0", "reference"};
    return i < sizeof devices / sizeof *devices ? devices[i] : NULL;
}

static const struct {
    const char *option;
    const char *(*at)(size_t i);
} lists[] = {{"loss", loss_at}, {"optimizer", optimizer_at}, {"schedule", schedule_at},
             {"net", net_at},   {"init", init_at},           {"device", device_at}};

static void add(cli_choice *choice, const char *word, size_t length)
{
    const size_t used = strlen(choice->words);
    if (used + length + 2 > sizeof choice->words) abort();
    snprintf(choice->words + used, sizeof choice->words - used, "%s%.*s", used ? " " : "", (int)length, word);
}

static void add_all(cli_choice *choice, const char *(*at)(size_t i))
{
    for (size_t i = 0; at(i); i++) add(choice, at(i), strlen(at(i)));
}

/* "yes|no|auto", "FILE|digits": in small letters it is typed so. */
static void add_alternatives(cli_choice *choice, const char *text)
{
    static const char small[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    for (size_t length; *text; text += length + (text[length] != 0)) {
        length = strcspn(text, "| ");
        if (length && strspn(text, small) == length) add(choice, text, length);
        if (text[length] == ' ') break;
    }
}

cli_choice cli_manual_values(const cli_option *option)
{
    cli_choice choice = {.files = strstr(option->value, "FILE") != NULL};
    add_alternatives(&choice, option->value);
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        if (!strcmp(lists[i].option, option->name)) add_all(&choice, lists[i].at);
    return choice;
}

cli_choice cli_manual_operands(const cli_manual *manual)
{
    cli_choice choice = {.files = 0};
    const char *operands = manual->part[0].operands;
    if (!operands) return choice;
    choice.files = strstr(operands, "FILE") != NULL;
    add_alternatives(&choice, operands);
    if (strstr(operands, "DEVICE")) add_all(&choice, device_at);
    return choice;
}

/* ---- what is written ---- */

void cli_manual_put(FILE *file, const char *text, const char *special, const char *before)
{
    for (; *text; text++) {
        if (strchr(special, *text)) fputs(before, file);
        putc(*text, file);
    }
}

/* Makes the folders of a path, and opens it. */
static FILE *create(const char *folder, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    for (char *at = path + 1; (at = strchr(at, '/')); at++) {
        *at = 0;
        mkdir(path, 0777);
        *at = '/';
    }
    FILE *file = fopen(path, "w");
    if (!file) fprintf(stderr, "tenon_manual: %s: %s\n", path, strerror(errno));
    return file;
}

static int finish(FILE *file)
{
    return file && !(ferror(file) | fclose(file));
}

static int write_file(const char *folder, const char *name, void (*write)(FILE *, const cli_manuals *),
                      const cli_manuals *all)
{
    FILE *file = create(folder, name);
    if (file) write(file, all);
    return finish(file);
}

static int write_manual(const char *folder, const cli_manuals *all, const cli_manual *manual)
{
    char name[64];
    snprintf(name, sizeof name, "man/man1/tenon-%s.1", manual->name);
    FILE *file = create(folder, name);
    if (file) cli_write_manual(file, all, manual);
    return finish(file);
}

static const char *date(char text[32])
{
    const char *given = getenv("SOURCE_DATE_EPOCH");
    const time_t now = given ? (time_t)strtoll(given, NULL, 10) : time(NULL);
    strftime(text, 32, "%Y-%m-%d", gmtime(&now));
    return text;
}

int main(int argc, char **argv)
{
    char text[32];
    const cli_manuals all = {manuals, date(text)};
    if (argc != 2) return cli_usage("tenon_manual needs a folder");
    cli_help_to(take);
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++)
        if (!ask(&manuals[i], runs[i])) return cli_fail("'%s --help' says nothing", manuals[i].name);
    int good = write_file(argv[1], "man/man1/tenon.1", cli_write_overview, &all) &&
               write_file(argv[1], "bash-completion/completions/tenon", cli_write_bash, &all) &&
               write_file(argv[1], "zsh/site-functions/_tenon", cli_write_zsh, &all) &&
               write_file(argv[1], "fish/vendor_completions.d/tenon.fish", cli_write_fish, &all);
    for (cli_manual *m = manuals; good && m->name; m++) good = write_manual(argv[1], &all, m);
    return good ? CLI_OK : CLI_FAILED;
}
