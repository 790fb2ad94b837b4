/* ops.c: `tenon ops`: the operators as a table, and which device runs which of them, in which element types. */
#include "options.h"
#include "tenon/op_info.h"

#include <stdio.h>
#include <string.h>

static const char doc[] = "Lists the operators: their kind, whether they have a gradient, and which device (of those "
                          "named; else of all) runs them by itself: 'yes', 'by others' that it runs, 'in part', or "
                          "'no'. What a device does not run is done by 'cpu' or 'reference'.";

#define MOST_DEVICES 16

typedef struct table {
    struct {
        char name[96];
        tn_device *device;
    } column[MOST_DEVICES];
    size_t count;
} table;

static const int32_t types[] = {
#define X(NAME, ...) TN_##NAME,
#include "tenon/dtype.def"
#undef X
};
#define TYPES (sizeof types / sizeof *types)

/* ---- for people ---- */

/* In the first type that the operator has. */
static const char *answer(tn_device *device, size_t index)
{
    static const char *const text[] = {"-", "no", "in part", "by others", "yes"};
    int support = TN_SUPPORT_NONE;
    for (size_t t = 0; t < TYPES && support == TN_SUPPORT_NONE; t++)
        support = tn_op_support(device, index, types[t], 0);
    return text[support];
}

static void plain(const table *t)
{
    tn_op_entry op;
    const int used = 44 + 12 * (int)t->count, beside = cli_width(stdout) >= used + 30;
    printf("%-20s %-12s %-9s", "OPERATOR", "KIND", "GRADIENT");
    for (size_t d = 0; d < t->count; d++) printf(" %-11s", t->column[d].name);
    printf(beside ? " WHAT\n" : "\n");
    for (size_t i = 0; tn_op_at(i, &op); i++) {
        int at = printf("%-20s %-12s %-9s", op.name, op.kind, op.differentiable ? "yes" : "-");
        for (size_t d = 0; d < t->count; d++) at += printf(" %-11s", answer(t->column[d].device, i));
        if (!beside) printf("\n");
        cli_wrap(op.doc, beside ? used : 6, beside ? at : 0);
    }
}

/* ---- in Markdown ---- */

/* The types: plain, (by other operators), in part*, ~~not at all~~. */
static void types_cell(tn_device *device, size_t index, int backward)
{
    static const char *const before[] = {"", " ~~", " ", " (", " "}, *const after[] = {"", "~~", "\\*", ")", ""};
    for (size_t t = 0; t < TYPES; t++) {
        int support = tn_op_support(device, index, types[t], backward);
        if (support != TN_SUPPORT_NONE) printf("%s%s%s", before[support], tn_dtype_name(types[t]), after[support]);
    }
    printf(" |");
}

/* Text in a Markdown table, where a bar would end the cell. */
static void text_cell(const char *text)
{
    printf(" ");
    for (; *text; text++) printf(*text == '|' ? "\\%c" : "%c", *text);
    printf(" |");
}

static void markdown(const table *t)
{
    tn_op_entry op;
    printf("| operator | kind |");
    for (size_t d = 0; d < t->count; d++) printf(" %s | its gradient |", t->column[d].name);
    printf(" what |\n| --- | --- | --- |");
    for (size_t d = 0; d < 2 * t->count; d++) printf(" --- |");
    printf("\n");
    for (size_t i = 0; tn_op_at(i, &op); i++) {
        printf("| %s | %s |", op.name, op.kind);
        for (size_t d = 0; d < 2 * t->count; d++) types_cell(t->column[d / 2].device, i, d % 2);
        text_cell(op.doc);
        printf("\n");
    }
}

/* ---- the command ---- */

static int add(table *t, const char *name)
{
    if (t->count == MOST_DEVICES) return CLI_GO_ON;
    if (tn_device_open(name, &t->column[t->count].device)) return cli_failed();
    snprintf(t->column[t->count].name, sizeof t->column->name, "%s", tn_device_name(t->column[t->count].device));
    t->count++;
    return CLI_GO_ON;
}

static void add_all(table *t)
{
    tn_device_entry entry;
    for (size_t i = 0; tn_device_at(i, &entry); i++)
        if (add(t, entry.name) != CLI_GO_ON) cli_warn("%s is left out", entry.name);
}

int cli_ops(int argc, char **argv)
{
    int operands, as_markdown = 0;
    table t = {.count = 0};
    cli_option options[] = {
        {.kind = CLI_FLAG, .name = "markdown", .doc = "as a Markdown table, by element type", .target = &as_markdown},
        {.kind = CLI_END},
    };
    int status = cli_parse(&(cli_syntax){"ops", "[DEVICE...]", doc, NULL, options}, argc, argv, &operands);
    for (int i = 1; status == CLI_GO_ON && i <= operands; i++) status = add(&t, argv[i]);
    if (status == CLI_GO_ON) {
        if (!operands) add_all(&t);
        if (as_markdown)
            markdown(&t);
        else
            plain(&t);
        status = CLI_OK;
    }
    while (t.count--) tn_device_close(t.column[t.count].device);
    return status;
}
