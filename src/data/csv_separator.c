/* csv_separator.c: what stands between the cells of a table: a comma, a semicolon, a tab, a bar, or spaces. Seen by its
 * first two rows: they are equally long, and the second has as many numbers as with no other. Spaces only separate
 * rows that are equally long and have a number: names have spaces in them, too. */
#include <string.h>

#include "csv_lines.h"
#include "error.h"

static const char separators[] = {',', ';', '\t', '|', ' '};

/* A row's cells, and how many of them are numbers. */
typedef struct width {
    int64_t cells, numbers;
} width;

/* `copy` has room for the row, which gets cut. */
static width measure(const char *row, const char *end, char separator, char *copy)
{
    width w = {0};
    tn_cell cell = {0};
    double number;
    tn_reader r = {"", copy, copy + (end - row), 1, separator};
    memcpy(copy, row, (size_t)(end - row));
    *r.end = 0;
    while (!cell.last && !tn_read_cell(&r, &cell)) {
        w.cells++;
        w.numbers += tn_cell_number(cell.text, &number);
    }
    return w;
}

/* How well it divides the first two rows, or the one that there is: by the share of numbers, then by the cells. */
static double fitness(char *text, char *end, char separator, char *copy)
{
    char *second = tn_row_end(text, end, 1, separator);
    const width first = measure(text, second, separator, copy);
    tn_reader next = {"", second, end, 1, separator};
    tn_skip_empty_lines(&next);
    width w = first;
    if (next.at < end) w = measure(next.at, tn_row_end(next.at, end, 1, separator), separator, copy);
    const double cells = (double)first.cells * 1e-9;
    if (separator == ' ' && (w.cells != first.cells || !w.numbers)) return 0;
    return first.cells < 2 ? 0 : w.cells != first.cells ? cells : 1 + (double)w.numbers / (double)w.cells + cells;
}

tn_status tn_guess_separator(char *text, char *end, char *separator)
{
    double best = 0;
    char *copy = tn_alloc((size_t)(end - text) + 1);
    if (!copy) return TN_ENOMEM;
    tn_reader first = {"", text, end, 1, ','};
    tn_skip_empty_lines(&first);
    *separator = ',';
    for (size_t i = 0; i < sizeof separators; i++) {
        const double fits = fitness(first.at, end, separators[i], copy);
        if (fits <= best) continue;
        best = fits;
        *separator = separators[i];
    }
    tn_free(copy);
    return TN_OK;
}
