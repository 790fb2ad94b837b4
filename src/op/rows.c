/* rows.c: every row of unary.def and binary.def as an operator, and its gradients as operators "relu.grad", "add.da",
 * "add.db". The texts are compiled here in double precision, and in whole numbers where they hold for them. */
#include "rows.h"

#include <ctype.h>
#include <math.h>
#include <pthread.h>
#include <string.h>

#include "cases.h"
#include "check.h"
#include "map.h"

static const char *const unary_arg[] = {"x", "y", "dy"}, *const binary_arg[] = {"a", "b", "y", "dy"};

/* ---- the texts ---- */

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wtautological-compare"
#define abs(x)         fabs(x)
#define rsqrt(x)       (1 / sqrt(x))
#define min(a, b)      fmin(a, b)
#define max(a, b)      fmax(a, b)
#define F(c)           (c)
#define quotient(a, b) ((a) / (b))

#define EXPRESSION(T, function, n, first, second, third, fourth, text)                                                 \
    static T function(const T v[])                                                                                     \
    {                                                                                                                  \
        const T first = v[0], second = n > 1 ? v[1] : 0, third = n > 2 ? v[2] : 0, fourth = n > 3 ? v[3] : 0;          \
        (void)first, (void)second, (void)third, (void)fourth;                                                          \
        return (T)(text);                                                                                              \
    }
#define WHOLE_F(name, y_text, da_text, db_text)
#define WHOLE_FI(name, y_text, da_text, db_text)                                                                       \
    EXPRESSION(int64_t, whole_##name, 2, a, b, y, dy, y_text)                                                          \
    EXPRESSION(int64_t, whole_##name##_da, 4, a, b, y, dy, da_text)                                                    \
    EXPRESSION(int64_t, whole_##name##_db, 4, a, b, y, dy, db_text)

#define X(name, y_text, dx_text, doc)                                                                                  \
    EXPRESSION(double, real_##name, 1, x, y, dy, none, y_text)                                                         \
    EXPRESSION(double, real_##name##_grad, 3, x, y, dy, none, dx_text)
#include "tenon/unary.def"
#undef X
#define X(name, types, y_text, da_text, db_text, doc)                                                                  \
    EXPRESSION(double, real_##name, 2, a, b, y, dy, y_text)                                                            \
    EXPRESSION(double, real_##name##_da, 4, a, b, y, dy, da_text)                                                      \
    EXPRESSION(double, real_##name##_db, 4, a, b, y, dy, db_text)
#include "tenon/binary.def"
#undef X
#undef abs
#undef rsqrt
#undef min
#undef max
#undef F
#undef quotient

static int64_t whole_quotient(int64_t a, int64_t b)
{
    return b ? a / b : 0;
}

static int64_t whole_rest(int64_t a, int64_t b)
{
    return b ? a % b : 0;
}

#define quotient(a, b)                                whole_quotient(a, b)
#define fmod(a, b)                                    whole_rest(a, b)
#define X(name, types, y_text, da_text, db_text, doc) WHOLE_##types(name, y_text, da_text, db_text)
#include "tenon/binary.def"
#undef X
#undef quotient
#undef fmod
#pragma GCC diagnostic pop

/* ---- types ---- */

/* The operands' common element type and the shape that they broadcast to. */
static tn_status row_shape(const char *op, int integer, tn_tensor *const in[], uint32_t n_in, tn_type *out)
{
    tn_type type = in[0]->type;
    TN_TRY(tn_require_type(op, in[0], integer));
    for (uint32_t i = 1; i < n_in; i++) {
        TN_REQUIRE(in[i]->type.dtype == type.dtype, TN_EDTYPE, "%s: element types %s and %s differ", op,
                   tn_dtype_name(type.dtype), tn_dtype_name(in[i]->type.dtype));
        tn_status s = tn_shape_broadcast(&type.shape, &in[i]->type.shape, &type.shape);
        if (s) return tn_fail(s, "%s: %s", op, tn_message());
    }
    *out = type;
    return TN_OK;
}

#define INTEGER_F  0
#define INTEGER_FI 1
#define SHAPE(function, op, integer)                                                                                   \
    static tn_status function(tn_tensor *const in[], uint32_t n_in, const void *attrs, tn_type *out)                   \
    {                                                                                                                  \
        (void)attrs;                                                                                                   \
        return row_shape(op, integer, in, n_in, out);                                                                  \
    }
#define X(name, y, dx, doc)                                                                                            \
    SHAPE(shape_##name, #name, 0)                                                                                      \
    SHAPE(shape_##name##_grad, #name ".grad", 0)
#include "tenon/unary.def"
#undef X
#define X(name, types, y, da, db, doc)                                                                                 \
    SHAPE(shape_##name, #name, INTEGER_##types)                                                                        \
    SHAPE(shape_##name##_da, #name ".da", INTEGER_##types)                                                             \
    SHAPE(shape_##name##_db, #name ".db", INTEGER_##types)
#include "tenon/binary.def"
#undef X

/* ---- gradients and instructions, the same for all ---- */

/* A text that is just dy needs no operator; others get one with the arguments that they name. */
static tn_tensor *gradient(const tn_row *g, tn_tensor *const argument[], tn_tensor *dy)
{
    tn_tensor *in[4];
    uint32_t n_in = 0, uses = tn_row_uses(g);
    if (!strcmp(g->text, "dy")) return dy;
    for (int32_t i = 0; i < g->n_arg; i++)
        if (uses >> i & 1) in[n_in++] = argument[i];
    return tn_node(&g->def, NULL, in, n_in, NULL);
}

static void grad(tn_tensor *y, tn_tensor *dy, tn_tensor *din[])
{
    const tn_row *row = tn_row_of(y->op);
    tn_tensor *argument[4] = {y->in[0], y->in[row->n_arg - 1]};
    argument[row->n_arg] = y, argument[row->n_arg + 1] = dy;
    for (int32_t i = 0; i < row->n_arg; i++)
        if (tn_row_uses(row + 1 + i))
            din[i] = tn_unbroadcast(gradient(row + 1 + i, argument, dy), &y->in[i]->type.shape);
}

static int32_t emit(const tn_tensor *y, tn_map_builder *builder, const int32_t arg[])
{
    const tn_row *row = tn_row_of(y->op);
    uint32_t uses = row->is_gradient ? tn_row_uses(row) : (1u << row->n_arg) - 1;
    int32_t full[4] = {-1, -1, -1, -1}, given = 0;
    for (int32_t i = 0; i < row->n_arg; i++)
        if (uses >> i & 1) full[i] = arg[given++];
    return tn_emit(builder, y->op->name, full, tn_map_compute_type(y->type.dtype), 0);
}

/* ---- functions and cases ---- */

#define UNARY_CASES(name)                                                                                              \
    static const tn_op_case cases_##name[] = {                                                                         \
        {"positive numbers", case_##name, {F32(7, 13)}, 0.3, 2.7},                                                     \
        {"small numbers", case_##name, {F32(3, 67)}, -0.99, 0.99},                                                     \
        {"both signs", case_##name, {F32(1031)}},                                                                      \
        {"large numbers", case_##name, {F32(3, 257)}, -120, 120, 1},                                                   \
        {"whole numbers", case_##name, {I32(5, 17)}, -3, 4, 1},                                                        \
        {"whole numbers, all of them", case_##name, {I32(517)}, -2147483648, 2147483647, 1},                           \
        {"one number", case_##name, {NUMBER}, 0.5, 2},                                                                 \
        {"nothing", case_##name, {F32(3, 0)}},                                                                         \
        {0},                                                                                                           \
    };
#define X(name, y, dx, doc)                                                                                            \
    tn_tensor *tn_##name(tn_tensor *x);                                                                                \
    static tn_tensor *case_##name(tn_tensor *const in[])                                                               \
    {                                                                                                                  \
        return tn_##name(in[0]);                                                                                       \
    }                                                                                                                  \
    UNARY_CASES(name)
#include "tenon/unary.def"
#undef X

#define INTEGER_CASES_F(name)
#define INTEGER_CASES_FI(name)                                                                                         \
    {"whole numbers, many ties", case_##name, {I32(5, 1, 7), I32(3, 1)}, -3, 4, 1},                                    \
        {"whole numbers that wrap", case_##name, {I32(517), I32(517)}, -2147483647, 2147483647, 1},
#define BINARY_CASES(name, types)                                                                                      \
    static const tn_op_case cases_##name[] = {                                                                         \
        {"positive numbers", case_##name, {F32(7, 13), F32(7, 13)}, 0.3, 2.7},                                         \
        {"both signs", case_##name, {F32(1031), F32(1031)}},                                                           \
        {"a row for all", case_##name, {F32(5, 17), F32(17)}, 0.3, 2.7},                                               \
        {"a column for all, from the left", case_##name, {F32(5, 1), F32(5, 17)}, 0.3, 2.7},                           \
        {"both ways", case_##name, {F32(3, 1, 5), F32(4, 1)}, 0.3, 2.7},                                               \
        {"a number for all", case_##name, {NUMBER, F32(11, 3)}, 0.3, 2.7},                                             \
        {"a middle dimension for all", case_##name, {F32(2, 3, 4, 5), F32(2, 1, 4, 1)}, 0.3, 2.7},                     \
        {"numbers with numbers", case_##name, {NUMBER, NUMBER}, 0.3, 2.7},                                             \
        {"nothing", case_##name, {F32(0, 4), F32(4)}},                                                                 \
        INTEGER_CASES_##types(name){0},                                                                                \
    };
#define X(name, types, y, da, db, doc)                                                                                 \
    static tn_tensor *case_##name(tn_tensor *const in[])                                                               \
    {                                                                                                                  \
        return tn_##name(in[0], in[1]);                                                                                \
    }                                                                                                                  \
    BINARY_CASES(name, types)
#include "tenon/binary.def"
#undef X

/* ---- the table ---- */

#define ROW(function, title, row_doc, row_cases, row_arity, row_whole, row_text, names, n, gradient_of)                \
    {                                                                                                                  \
        .def = {.name = title,                                                                                         \
                .doc = row_doc,                                                                                        \
                .kind = TN_MAP,                                                                                        \
                .arity = row_arity,                                                                                    \
                .shape = shape_##function,                                                                             \
                .grad = gradient_of ? NULL : grad,                                                                     \
                .lower = gradient_of ? tn_row_expand : NULL,                                                           \
                .emit = emit,                                                                                          \
                .cases = row_cases},                                                                                   \
        .real = real_##function, .whole = row_whole, .text = row_text, .arg = names, .n_arg = n,                       \
        .is_gradient = gradient_of                                                                                     \
    }
#define NONE_F(function)  NULL
#define NONE_FI(function) whole_##function

static const tn_row rows[] = {
#define X(name, y, dx, doc)                                                                                            \
    ROW(name, #name, doc, cases_##name, 1, NULL, #y, unary_arg, 1, 0),                                                 \
        ROW(name##_grad, #name ".grad", "its gradient", NULL, -1, NULL, #dx, unary_arg, 3, 1),
#include "tenon/unary.def"
#undef X
#define X(name, types, y, da, db, doc)                                                                                 \
    ROW(name, #name, doc, cases_##name, 2, NONE_##types(name), #y, binary_arg, 2, 0),                                  \
        ROW(name##_da, #name ".da", "its gradient by a", NULL, -1, NONE_##types(name##_da), #da, binary_arg, 4, 1),    \
        ROW(name##_db, #name ".db", "its gradient by b", NULL, -1, NONE_##types(name##_db), #db, binary_arg, 4, 1),
#include "tenon/binary.def"
#undef X
};
enum { ROWS = sizeof rows / sizeof *rows };

/* The public functions look their row up by this number. */
enum {
#define X(name, y, dx, doc) NUMBER_##name, NUMBER_##name##_grad,
#include "tenon/unary.def"
#undef X
#define X(name, types, y, da, db, doc) NUMBER_##name, NUMBER_##name##_da, NUMBER_##name##_db,
#include "tenon/binary.def"
#undef X
};

#define X(name, ...) const tn_op_def *const tn_row_##name = &rows[NUMBER_##name].def;
#include "tenon/unary.def"
#undef X
#define X(name, ...) const tn_op_def *const tn_row_##name = &rows[NUMBER_##name].def;
#include "tenon/binary.def"
#undef X

#define X(name, y, dx, doc)                                                                                            \
    tn_tensor *tn_##name(tn_tensor *x)                                                                                 \
    {                                                                                                                  \
        return tn_row_apply(&rows[NUMBER_##name].def, x);                                                              \
    }
#include "tenon/unary.def"
#undef X
#define X(name, types, y, da, db, doc)                                                                                 \
    tn_tensor *tn_##name(tn_tensor *a, tn_tensor *b)                                                                   \
    {                                                                                                                  \
        return tn_node(&rows[NUMBER_##name].def, NULL, (tn_tensor *[]){a, b}, 2, NULL);                                \
    }
#include "tenon/binary.def"
#undef X

size_t tn_row_count(void)
{
    return ROWS;
}

const tn_row *tn_row_at(size_t index)
{
    return index < ROWS ? &rows[index] : NULL;
}

/* The definition is a row's first member. */
const tn_row *tn_row_of(const tn_op_def *op)
{
    return op->emit == emit ? (const tn_row *)op : NULL;
}

const tn_row *tn_row_named(const char *name)
{
    const tn_op_def *op = tn_op_named(name);
    return op ? tn_row_of(op) : NULL;
}

/* ---- what a text names ---- */

int tn_text_names(const char *text, const char *identifier)
{
    size_t length = strlen(identifier);
    for (const char *at = strstr(text, identifier); at; at = strstr(at + 1, identifier)) {
        int begins = at == text || !(isalnum((unsigned char)at[-1]) || at[-1] == '_');
        if (begins && !isalnum((unsigned char)at[length]) && at[length] != '_') return 1;
    }
    return 0;
}

static uint8_t uses_of[ROWS];

static void find_uses(void)
{
    for (size_t r = 0; r < ROWS; r++)
        for (int32_t i = 0; i < rows[r].n_arg; i++)
            uses_of[r] |= (uint8_t)(tn_text_names(rows[r].text, rows[r].arg[i]) << i);
}

uint32_t tn_row_uses(const tn_row *row)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, find_uses);
    return uses_of[row - rows];
}
