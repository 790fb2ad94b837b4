/* options.c: see options.h. Every mistake is one line that names the option and what was expected. */
#include "options.h"
#include "../core/nearest.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

cli_option *cli_find(cli_option *options, const char *name)
{
    for (; options->kind != CLI_END; options++)
        if (!strcmp(options->name, name)) return options;
    return NULL;
}

int cli_given(cli_option *options, const char *name)
{
    return cli_find(options, name)->given;
}

/* ---- values ---- */

static const char *expected(const cli_option *option, char *text, size_t capacity)
{
    const char *what = option->kind == CLI_WHOLE ? "a whole number" : "a number";
    const char *from = option->kind == CLI_NUMBER ? "above" : "of at least";
    if (!isfinite(option->high) || option->high >= 9e15)
        snprintf(text, capacity, "%s %s %.15g", what, from, option->low);
    else if (option->kind == CLI_WHOLE)
        snprintf(text, capacity, "%s from %.15g to %.15g", what, option->low, option->high);
    else
        snprintf(text, capacity, "%s %s %g and below %g", what, from, option->low, option->high);
    return text;
}

static int whole(const char *text, double low, double high, int64_t *value)
{
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (end == text || *end || errno || (double)number < low || (double)number > high) return 0;
    *value = number;
    return 1;
}

static int is_number(const cli_option *option)
{
    return option->kind == CLI_NUMBER || option->kind == CLI_FROM || option->kind == CLI_MEANT;
}

static int read_number(const cli_option *option, const char *text)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || !isfinite(value) || value < option->low || value >= option->high) return 0;
    if (option->kind == CLI_NUMBER && value == option->low) return 0;
    *(double *)option->target = option->kind == CLI_MEANT && value == 0 ? TN_ZERO : value;
    return 1;
}

/* Stores a value; 0 if the text is none for this option. */
static int store(const cli_option *option, const char *text)
{
    if (option->kind == CLI_WHOLE) return whole(text, option->low, option->high, option->target);
    if (is_number(option)) return read_number(option, text);
    if (option->kind == CLI_TEXT)
        *(const char **)option->target = text;
    else
        *(int *)option->target = 1;
    return 1;
}

/* ---- the command line ---- */

static int unknown(const cli_syntax *syntax, const char *name)
{
    tn_nearest nearest = {.word = name};
    char hint[80], dashed[64];
    for (const cli_option *o = syntax->options; o->kind != CLI_END; o++) tn_nearest_offer(&nearest, o->name);
    if (nearest.best) {
        snprintf(dashed, sizeof dashed, "--%s", nearest.best);
        nearest.best = dashed;
    }
    return cli_usage("%s has no option --%s%s; tenon %s --help lists them", syntax->command, name,
                     tn_nearest_text(&nearest, hint, sizeof hint), syntax->command);
}

/* An option that takes no value, or none but one word after '='. */
static int read_flag(cli_option *option, const char *value)
{
    if (value && (option->kind != CLI_LEVEL || strcmp(value, option->value)))
        return option->kind == CLI_LEVEL
                   ? cli_usage("--%s=%s: only --%s=%s is known", option->name, value, option->name, option->value)
                   : cli_usage("--%s takes no value", option->name);
    *(int *)option->target = value ? 2 : 1;
    return CLI_GO_ON;
}

/* argv[*at] is "--name" or "--name=value"; moves *at over what it takes. */
static int read_option(const cli_syntax *syntax, int argc, char **argv, int *at)
{
    char name[64], text[80];
    const char *word = argv[*at] + 2, *value = strchr(word, '=');
    snprintf(name, sizeof name, "%.*s", (int)(value ? value - word : (long)strlen(word)), word);
    if (value) value++;
    cli_option *option = cli_find(syntax->options, name);
    if (!option) return unknown(syntax, name);
    if (option->given && option->kind != CLI_FLAG) return cli_usage("--%s is given twice", name);
    option->given = 1;
    if (option->kind == CLI_FLAG || option->kind == CLI_LEVEL) return read_flag(option, value);
    if (!value && *at + 1 >= argc) return cli_usage("--%s needs a value: %s", name, option->value);
    if (!value) value = argv[++*at];
    if (store(option, value)) return CLI_GO_ON;
    return cli_usage("--%s '%s' is not %s", name, value, expected(option, text, sizeof text));
}

static void print_heading(void *to, const char *text)
{
    (void)to;
    printf("\n");
    cli_wrap(text, 0, 0);
}

static void print_row(void *to, const char *name, int column, const char *doc)
{
    (void)to;
    cli_row(name, column, doc);
}

static void print_help(const cli_syntax *syntax)
{
    char left[64];
    printf("usage: tenon %s [OPTION...]%s%s\n", syntax->command, syntax->operands ? " " : "",
           syntax->operands ? syntax->operands : "");
    cli_wrap(syntax->doc, 0, 0);
    printf("\n");
    for (const cli_option *o = syntax->options; o->kind != CLI_END; o++) {
        const char *format = o->kind == CLI_FLAG ? "--%s" : o->kind == CLI_LEVEL ? "--%s[=%s]" : "--%s %s";
        snprintf(left, sizeof left, format, o->name, o->value);
        if (*o->doc) cli_row(left, 28, o->doc);
    }
    if (syntax->more) syntax->more(&(cli_scribe){NULL, print_heading, print_row});
}

static void (*help)(const cli_syntax *syntax) = print_help;

void cli_help_to(void (*take)(const cli_syntax *syntax))
{
    help = take;
}

int cli_parse(const cli_syntax *syntax, int argc, char **argv, int *operands)
{
    int only_operands = 0, status = CLI_GO_ON;
    *operands = 0;
    for (int i = 1; i < argc && status == CLI_GO_ON; i++) {
        const char *word = argv[i];
        if (!only_operands && !strcmp(word, "--"))
            only_operands = 1;
        else if (!only_operands && (!strcmp(word, "--help") || !strcmp(word, "-h")))
            return help(syntax), CLI_OK;
        else if (!only_operands && !strncmp(word, "--", 2))
            status = read_option(syntax, argc, argv, &i);
        else if (!only_operands && word[0] == '-' && word[1])
            status = unknown(syntax, word + 1);
        else if (syntax->operands)
            argv[1 + (*operands)++] = argv[i];
        else
            status = cli_usage("%s takes no '%s', only options", syntax->command, word);
    }
    return status;
}

/* ---- notes ---- */

int cli_option_is_unset(const cli_option *o)
{
    if (o->kind == CLI_WHOLE) return (double)*(int64_t *)o->target < o->low;
    if (o->kind == CLI_FROM || o->kind == CLI_MEANT) return *(double *)o->target == 0;
    return o->kind == CLI_NUMBER && *(double *)o->target <= o->low;
}

const char *cli_note_text(const cli_option *option, char text[CLI_NOTE_TEXT])
{
    if (option->kind == CLI_TEXT) return *(const char **)option->target ? *(const char **)option->target : "";
    if (option->kind == CLI_FLAG) return *(int *)option->target ? "yes" : "";
    if (option->kind == CLI_WHOLE)
        snprintf(text, CLI_NOTE_TEXT, "%" PRId64, *(int64_t *)option->target);
    else if (option->kind == CLI_MEANT && *(double *)option->target == TN_ZERO)
        return "0";
    else
        snprintf(text, CLI_NOTE_TEXT, "%.17g", *(double *)option->target);
    return text;
}

static int from_note(cli_option *option, const char *note, const char *path)
{
    char number[CLI_NOTE_TEXT], what[80];
    const char *text = cli_note_text(option, number);
    if (option->given && option->fixed && strcmp(text, note))
        return cli_usage("--%s '%s' is not what %s was trained with, '%s'", option->name, text, path, note);
    if (option->given) return CLI_GO_ON;
    free(option->owned);
    option->owned = strdup(note);
    if (!option->owned) return cli_fail("out of memory");
    if (store(option, option->owned)) return CLI_GO_ON;
    return cli_fail("%s: its note %s, '%s', is not %s", path, option->note, note, expected(option, what, sizeof what));
}

int cli_from_notes(cli_option *options, const tn_checkpoint *checkpoint, const char *path)
{
    int status = CLI_GO_ON;
    for (cli_option *o = options; o->kind != CLI_END && status == CLI_GO_ON; o++) {
        const char *note = o->note ? tn_checkpoint_note(checkpoint, o->note) : NULL;
        if (note && *note) status = from_note(o, note, path);
    }
    return status;
}

const char *cli_noted(cli_option *options, const char *name, const char *path)
{
    return cli_given(options, name) ? NULL : path;
}

void cli_forget(cli_option *options, const char *name, const char *text)
{
    cli_option *option = cli_find(options, name);
    if (option && option->given && !strcmp(*(const char **)option->target, text)) option->given = 0;
}

/* ---- the command line again ---- */

void cli_print_word(const char *word)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./@%";
    if (*word && !word[strspn(word, safe)]) {
        fputs(word, stderr);
        return;
    }
    putc('\'', stderr);
    for (; *word; word++) fputs(*word == '\'' ? "'\\''" : (char[]){*word, 0}, stderr);
    putc('\'', stderr);
}

static void repeat(const cli_option *o)
{
    char number[CLI_NOTE_TEXT];
    fprintf(stderr, " --%s", o->name);
    if (o->kind == CLI_LEVEL && *(int *)o->target == 2) fprintf(stderr, "=%s", o->value);
    if (o->kind == CLI_FLAG || o->kind == CLI_LEVEL) return;
    putc(' ', stderr);
    cli_print_word(cli_note_text(o, number));
}

static int is_among(const char *name, const char *const names[])
{
    for (; *names; names++)
        if (!strcmp(*names, name)) return 1;
    return 0;
}

void cli_repeat(const cli_option *options, const char *const but[])
{
    for (const cli_option *o = options; o->kind != CLI_END; o++)
        if (o->given && !o->note && !is_among(o->name, but)) repeat(o);
}

int cli_note_whole(const tn_checkpoint *checkpoint, const char *key, int64_t low, int64_t high, int64_t *value)
{
    const char *text = tn_checkpoint_note(checkpoint, key);
    return !text || whole(text, (double)low, (double)high, value);
}

void cli_options_free(cli_option *options)
{
    for (; options->kind != CLI_END; options++) {
        free(options->owned);
        options->owned = NULL;
    }
}
