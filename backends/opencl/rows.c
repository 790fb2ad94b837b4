/* rows.c: the tables behind rows.h. */
#include "rows.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

#define HOLDS_FOR_I(types) (sizeof #types == sizeof "FI")

static const ocl_row rows[] = {
#define X(name, y, dx, doc) {#name, "", #y, {"x"}, 0}, {#name, ".grad", #dx, {"x", "y", "dy"}, 0},
#include "tenon/unary.def"
#undef X
#define X(name, types, text, da, db, doc)                                                                              \
    {#name, "", #text, {"a", "b"}, HOLDS_FOR_I(types)},                                                                \
        {#name, ".da", #da, {"a", "b", "y", "dy"}, HOLDS_FOR_I(types)},                                                \
        {#name, ".db", #db, {"a", "b", "y", "dy"}, HOLDS_FOR_I(types)},
#include "tenon/binary.def"
#undef X
};

_Static_assert(sizeof rows / sizeof *rows <= OCL_ROWS, "OCL_ROWS is too small");

static const char *const specials[] = {
    [OCL_CONST] = "const", [OCL_SCALAR] = "scalar",   [OCL_IOTA] = "iota",    [OCL_CAST] = "cast",
    [OCL_WHERE] = "where", [OCL_UNIFORM] = "uniform", [OCL_NORMAL] = "normal"};

const ocl_row *ocl_row_find(const char *op)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t n = strlen(rows[i].name);
        if (!strncmp(op, rows[i].name, n) && !strcmp(op + n, rows[i].suffix)) return &rows[i];
    }
    return NULL;
}

int ocl_row_index(const ocl_row *row)
{
    return (int)(row - rows);
}

static int is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

int ocl_row_names(const ocl_row *row, int param)
{
    const char *word = row->params[param];
    if (!word) return 0;
    size_t n = strlen(word);
    for (const char *at = row->text; (at = strstr(at, word)); at += n)
        if ((at == row->text || !is_word(at[-1])) && !is_word(at[n])) return 1;
    return 0;
}

int ocl_special_find(const char *op)
{
    for (int i = 0; i < (int)(sizeof specials / sizeof *specials); i++)
        if (!strcmp(op, specials[i])) return i;
    return -1;
}
