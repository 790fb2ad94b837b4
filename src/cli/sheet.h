/* sheet.h: a CSV file (RFC 4180), written beside its place and renamed. */
#ifndef TN_CLI_SHEET_H
#define TN_CLI_SHEET_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct cli_sheet {
    const char *path;
    char *beside;
    FILE *file;
    int cells; /* in the row so far */
} cli_sheet;

/* Begin a file, add a cell, end a row. Failures to write are told by cli_sheet_end. Return CLI_OK or CLI_FAILED. */
int cli_sheet_begin(cli_sheet *sheet, const char *path);
void cli_sheet_text(cli_sheet *sheet, const char *text, size_t length);
void cli_sheet_whole(cli_sheet *sheet, int64_t value);
void cli_sheet_number(cli_sheet *sheet, double value); /* as many digits as f32 has */
void cli_sheet_row(cli_sheet *sheet);

/* Closes the file and puts it in its place; with `keep` 0, or after a failure, nothing stays. */
int cli_sheet_end(cli_sheet *sheet, int keep);

#endif
