/* rows.h: the element-wise operators by name: unary.def and binary.def as texts, and the instructions that are no rows.
 */
#ifndef TENON_OPENCL_ROWS_H
#define TENON_OPENCL_ROWS_H

enum { OCL_CONST, OCL_SCALAR, OCL_IOTA, OCL_CAST, OCL_WHERE, OCL_UNIFORM, OCL_NORMAL };

typedef struct ocl_row {
    const char *name;
    const char *suffix; /* "", ".grad", ".da" or ".db" */
    const char *text;
    const char *params[4]; /* NULL beyond the last */
    int integer;           /* holds for integers */
} ocl_row;

const ocl_row *ocl_row_find(const char *op);      /* NULL: there is none */
int ocl_row_names(const ocl_row *row, int param); /* does the text name that parameter? */
int ocl_special_find(const char *op);             /* OCL_CONST ..., or -1 */
int ocl_row_index(const ocl_row *row);            /* its place in the table, below OCL_ROWS */

#define OCL_ROWS 256

#endif
