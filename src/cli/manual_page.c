/* manual_page.c: the manuals, in the macros of man(7). */
#include "manual.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *doc;
} environment[] = {
    {"TENON_OPTIONS", "options of backends, as cpu.isa=avx2,opencl.platform=pocl"},
    {"TENON_BACKEND_PATH", "absolute paths of more backends, or of folders with such, separated by colons"},
    {"TENON_CACHE", "the folder for compiled kernels and measurements in place of ~/.cache/tenon, or of tenon in "
                    "XDG_CACHE_HOME; \"off\": nothing is kept"},
    {"OMP_NUM_THREADS", "threads of the device cpu"},
    {"NO_COLOR", "no colours on terminals"},
    {"COLUMNS", "characters in a line of what is printed"},
};

static const struct {
    const char *status, *doc;
} statuses[] = {
    {"0", "all went well"},
    {"1", "something failed: a file, a device, the data"},
    {"2", "a mistake in what was typed"},
    {"128 + N", "ended by the signal N, after what was learned was saved"},
};

/* ---- text ---- */

/* A line's text: nothing in it is a request. */
static void put(FILE *f, const char *text)
{
    if (*text == '.' || *text == '\'') fputs("\\&", f);
    for (; *text; text++)
        if (*text == '\\')
            fputs("\\e", f);
        else if (*text == '-')
            fputs("\\-", f);
        else if (*text == '~')
            fputs("\\(ti", f);
        else if (*text == '^')
            fputs("\\(ha", f);
        else
            putc(*text, f);
}

static void paragraph(FILE *f, const char *text)
{
    put(f, text);
    putc('\n', f);
}

static void heading(FILE *f, const char *text)
{
    fprintf(f, ".SH \"");
    for (; *text; text++) putc(toupper((unsigned char)*text), f);
    fprintf(f, "\"\n");
}

/* Under that of the options, as it is. */
static void subheading(void *to, const char *text)
{
    fprintf(to, ".SS \"");
    for (; *text; text++)
        if (*text == '"')
            fputs("\\(dq", to);
        else
            putc(*text, to);
    fprintf(to, "\"\n");
}

/* In bold; `more`, unless NULL, in italics behind it. */
static void item(FILE *f, const char *name, const char *between, const char *more, const char *doc)
{
    fprintf(f, ".TP\n\\fB");
    put(f, name);
    fprintf(f, "\\fR%s", between);
    if (more) {
        fprintf(f, "\\fI");
        put(f, more);
        fprintf(f, "\\fR");
    }
    putc('\n', f);
    paragraph(f, doc);
}

/* One without a name goes on with the one before. */
static void row(void *to, const char *name, int column, const char *doc)
{
    (void)column;
    if (*name) {
        item(to, name, "", NULL, doc);
        return;
    }
    fprintf(to, ".br\n");
    paragraph(to, doc);
}

static void put_option(FILE *f, const cli_option *o)
{
    char name[80];
    snprintf(name, sizeof name, o->kind == CLI_LEVEL ? "--%s[=%s]" : "--%s", o->name, o->value);
    item(f, name, cli_manual_has_value(o) ? " " : "", cli_manual_has_value(o) ? o->value : NULL, o->doc);
}

/* ---- pages ---- */

static void begin(FILE *f, const cli_manuals *all, const char *command)
{
    fprintf(f, ".\\\" Made by the build from the command's own tables.\n.TH TENON");
    if (command) putc('-', f);
    for (const char *at = command ? command : ""; *at; at++) putc(toupper((unsigned char)*at), f);
    fprintf(f, " 1 %s \"tenon %s\" \"User Commands\"\n.SH NAME\ntenon", all->date, tn_version());
    if (command) fprintf(f, "\\-%s", command);
    fprintf(f, " \\- ");
}

static void put_statuses(FILE *f)
{
    heading(f, "exit status");
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        item(f, statuses[i].status, "", NULL, statuses[i].doc);
}

static void put_synopsis(FILE *f, const cli_manual *m, const cli_syntax *s)
{
    fprintf(f, "\\fBtenon %s%s\\fR [\\fIOPTION\\fR...]", m->name, s == m->part ? "" : " \\-\\-model FILE.onnx");
    if (s->operands) {
        fprintf(f, " \\fI");
        put(f, s->operands);
        fprintf(f, "\\fR");
    }
    putc('\n', f);
}

static void put_part(FILE *f, const cli_syntax *s, int number)
{
    heading(f, number ? "description, for networks of ONNX" : "description");
    paragraph(f, s->doc);
    if (s->options->kind == CLI_END) return;
    heading(f, number ? "options, for networks of ONNX" : "options");
    for (const cli_option *o = s->options; o->kind != CLI_END; o++)
        if (*o->doc) put_option(f, o);
    if (s->more) s->more(&(cli_scribe){f, subheading, row});
}

static void put_also(FILE *f, const cli_syntax *s)
{
    if (s->also->kind == CLI_END) return;
    heading(f, "options of training");
    for (const cli_option *o = s->also; o->kind != CLI_END; o++) put_option(f, o);
}

void cli_write_manual(FILE *f, const cli_manuals *all, const cli_manual *m)
{
    begin(f, all, m->name);
    paragraph(f, m->doc);
    heading(f, "synopsis");
    for (int i = 0; i < m->parts; i++) {
        if (i) fprintf(f, ".br\n");
        put_synopsis(f, m, &m->part[i]);
    }
    for (int i = 0; i < m->parts; i++) put_part(f, &m->part[i], i);
    put_also(f, &m->part[0]);
    put_statuses(f);
    heading(f, "see also");
    fprintf(f, ".BR tenon (1)\n");
}

static void put_commands(FILE *f, const cli_manuals *all)
{
    heading(f, "commands");
    for (const cli_manual *m = all->command; m->name; m++) item(f, m->name, "", NULL, m->doc);
    heading(f, "options");
    item(f, "--help, -h", "", NULL, "lists the commands; behind a command, what it takes");
    item(f, "--version, -V", "", NULL, "prints the version");
}

static void put_examples(FILE *f)
{
    static const char *const examples[] = {
        "tenon train --save model.safetensors",
        "tenon predict --model model.safetensors picture.png",
        "tenon train --data table.csv --target price --report page.html",
    };
    heading(f, "examples");
    fprintf(f, ".nf\n");
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) paragraph(f, examples[i]);
    fprintf(f, ".fi\n");
}

void cli_write_overview(FILE *f, const cli_manuals *all)
{
    begin(f, all, NULL);
    paragraph(f, "trains and runs neural networks on any compute device");
    heading(f, "synopsis");
    fprintf(f, "\\fBtenon\\fR \\fICOMMAND\\fR [\\fIOPTION\\fR...]\n");
    heading(f, "description");
    paragraph(f,
              "Tenon trains neural networks on tables, pictures and arrays, on processors and on what has an OpenCL "
              "driver, and runs them. Each command has a manual of its own, tenon-COMMAND(1). Results go to standard "
              "output, and all else to standard error.");
    put_commands(f, all);
    put_examples(f);
    put_statuses(f);
    heading(f, "environment");
    for (size_t i = 0; i < sizeof environment / sizeof *environment; i++)
        item(f, environment[i].name, "", NULL, environment[i].doc);
    heading(f, "see also");
    for (const cli_manual *m = all->command; m->name; m++)
        fprintf(f, ".BR tenon\\-%s (1)%s\n", m->name, m[1].name ? "," : "");
}
