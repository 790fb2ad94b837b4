/* ops.c: `tenon ops`: the operators as a table, and which device runs them by itself. */
#include "options.h"
#include "tenon/op_info.h"

#include <stdio.h>
#include <string.h>

static const char doc[] =
    "Lists the operators: their kind, whether they have a gradient, and which device runs them by "
    "itself.\nA device that does not run one takes it from 'cpu' or 'reference'.";

#define MOST_DEVICES 16

typedef struct column {
    tn_device_entry entry;
    tn_device *device;
} column;

static const char *answer(const tn_op_entry *op, const column *c, size_t index)
{
    if (strcmp(op->kind, "element-wise") && strcmp(op->kind, "kernel")) return "-"; /* others need no kernel */
    return c->device && tn_op_supported(c->device, index) ? "yes" : "no";
}

static void plain(const column columns[], size_t count)
{
    tn_op_entry op;
    printf("%-20s %-12s %-9s", "OPERATOR", "KIND", "GRADIENT");
    for (size_t d = 0; d < count; d++) printf(" %-11s", columns[d].entry.name);
    printf(" WHAT\n");
    for (size_t i = 0; tn_op_at(i, &op); i++) {
        printf("%-20s %-12s %-9s", op.name, op.kind, op.differentiable ? "yes" : "-");
        for (size_t d = 0; d < count; d++) printf(" %-11s", answer(&op, &columns[d], i));
        printf(" %s\n", op.doc);
    }
}

/* Text in a Markdown table, where a bar would end the cell. */
static void cell(const char *text)
{
    for (; *text; text++) printf(*text == '|' ? "\\%c" : "%c", *text);
}

static void markdown(const column columns[], size_t count)
{
    tn_op_entry op;
    printf("| operator | kind | gradient |");
    for (size_t d = 0; d < count; d++) printf(" %s |", columns[d].entry.name);
    printf(" what |\n| --- | --- | --- |");
    for (size_t d = 0; d < count; d++) printf(" --- |");
    printf(" --- |\n");
    for (size_t i = 0; tn_op_at(i, &op); i++) {
        printf("| %s | %s | %s |", op.name, op.kind, op.differentiable ? "yes" : "-");
        for (size_t d = 0; d < count; d++) printf(" %s |", answer(&op, &columns[d], i));
        printf(" ");
        cell(op.doc);
        printf(" |\n");
    }
}

int cli_ops(int argc, char **argv)
{
    int operands, as_markdown = 0;
    column columns[MOST_DEVICES] = {0};
    size_t count = 0;
    cli_option options[] = {
        {.kind = CLI_FLAG, .name = "markdown", .doc = "as a Markdown table", .target = &as_markdown},
        {.kind = CLI_END},
    };
    int status = cli_parse(&(cli_syntax){"ops", NULL, doc, NULL, options}, argc, argv, &operands);
    if (status != CLI_GO_ON) return status;
    for (; count < MOST_DEVICES && tn_device_at(count, &columns[count].entry); count++)
        if (tn_device_open(columns[count].entry.name, &columns[count].device)) cli_warn("%s", tn_message());
    if (as_markdown)
        markdown(columns, count);
    else
        plain(columns, count);
    while (count--) tn_device_close(columns[count].device);
    return CLI_OK;
}
