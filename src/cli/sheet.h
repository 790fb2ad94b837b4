/* sheet.h: a CSV file (RFC 4180), made in memory and written as a whole. */
#ifndef TN_CLI_SHEET_H
#define TN_CLI_SHEET_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct cli_sheet {
    FILE *file; /* into `text` */
    char *text;
    size_t size;
    int cells; /* in the row so far */
} cli_sheet;

/* Begin a file, add a cell, end a row. What fails on the way is told by cli_sheet_end. Return CLI_OK or CLI_FAILED. */
int cli_sheet_begin(cli_sheet *sheet);
void cli_sheet_text(cli_sheet *sheet, const char *text, size_t length);
void cli_sheet_whole(cli_sheet *sheet, int64_t value);
void cli_sheet_number(cli_sheet *sheet, double value); /* as many digits as f32 has */
void cli_sheet_row(cli_sheet *sheet);

/* Puts it to its place, as tn_file_replace does, and frees it. */
int cli_sheet_end(cli_sheet *sheet, const char *path);

#endif
