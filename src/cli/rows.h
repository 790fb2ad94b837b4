/* rows.h: a table's cells as they are written in its file, beside what the library makes numbers of. */
#ifndef TN_CLI_ROWS_H
#define TN_CLI_ROWS_H

#include "predict.h"
#include "sheet.h"

typedef struct cli_rows cli_rows;

/* Reads the table that the samples came from, plain or packed by gzip, which has a row for each of them. Returns
 * CLI_GO_ON or CLI_FAILED. */
int cli_rows_open(const cli_samples *samples, cli_rows **rows);
void cli_rows_free(cli_rows *rows);

/* Whether a column is called so. */
int cli_rows_names(const cli_rows *rows, const char *name);

/* Put the columns' names into the sheet, "column 1" where there are none; and the cells of a row. */
void cli_rows_head(const cli_rows *rows, cli_sheet *sheet);
void cli_rows_put(const cli_rows *rows, int64_t index, cli_sheet *sheet);

#endif
