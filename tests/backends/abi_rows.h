/* abi_rows.h: the rows of unary.def and binary.def compiled three times: in double, in float and in whole numbers. */
#ifndef ABI_ROWS_H
#define ABI_ROWS_H

#include <tgmath.h>

/* Values in the order of the row's arguments. `y_at` is the place of y in a gradient, else 0. */
typedef struct row {
    const char *name;
    double (*d)(const double *v);
    float (*f)(const float *v);
    int64_t (*i)(const double *v); /* NULL: not for integers */
    int n_arg, y_at;
    int used; /* bit a: the text names argument a */
    const struct row *forward;
} row;

static int64_t whole_quotient(int64_t a, int64_t b)
{
    return b ? a / b : 0;
}

static int64_t whole_rest(int64_t a, int64_t b)
{
    return b ? a % b : 0;
}

#define abs(x)    fabs(x)
#define rsqrt(x)  (1 / sqrt(x))
#define min(a, b) fmin(a, b)
#define max(a, b) fmax(a, b)
#define F(c)      ((real)(c))
#define IS_WHOLE  ((real)0.5 == 0)
#undef fmod
#define fmod(a, b)     (IS_WHOLE ? (real)whole_rest((int64_t)(a), (int64_t)(b)) : (real)(fmod)((double)(a), (double)(b)))
#define quotient(a, b) (IS_WHOLE ? (real)whole_quotient((int64_t)(a), (int64_t)(b)) : (real)((a) / (b)))
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-but-set-variable"
#pragma GCC diagnostic ignored "-Wunused-variable"
#pragma GCC diagnostic ignored "-Wtautological-compare"

#define UNARY_FN(prefix, T, name, y_text, dx_text)                                                                     \
    static T prefix##_##name(const T *v)                                                                               \
    {                                                                                                                  \
        typedef T real;                                                                                                \
        const real x = v[0];                                                                                           \
        return (T)(y_text);                                                                                            \
    }                                                                                                                  \
    static T prefix##_##name##_grad(const T *v)                                                                        \
    {                                                                                                                  \
        typedef T real;                                                                                                \
        const real x = v[0], y = v[1], dy = v[2];                                                                      \
        return (T)(dx_text);                                                                                           \
    }
#define BINARY_FN(prefix, T, V, name, y_text, da_text, db_text)                                                        \
    static T prefix##_##name(const V *v)                                                                               \
    {                                                                                                                  \
        typedef T real;                                                                                                \
        const real a = (T)v[0], b = (T)v[1];                                                                           \
        return (T)(y_text);                                                                                            \
    }                                                                                                                  \
    static T prefix##_##name##_da(const V *v)                                                                          \
    {                                                                                                                  \
        typedef T real;                                                                                                \
        const real a = (T)v[0], b = (T)v[1], y = (T)v[2], dy = (T)v[3];                                                \
        return (T)(da_text);                                                                                           \
    }                                                                                                                  \
    static T prefix##_##name##_db(const V *v)                                                                          \
    {                                                                                                                  \
        typedef T real;                                                                                                \
        const real a = (T)v[0], b = (T)v[1], y = (T)v[2], dy = (T)v[3];                                                \
        return (T)(db_text);                                                                                           \
    }
#define INTEGER_F(...)
#define INTEGER_FI(name, ...) BINARY_FN(i, int64_t, double, name, __VA_ARGS__)

#define X(name, y_text, dx_text, doc)                                                                                  \
    UNARY_FN(d, double, name, y_text, dx_text) UNARY_FN(f, float, name, y_text, dx_text)
#include <tenon/unary.def>
#undef X
#define X(name, types, ...) X_(name, types, __VA_ARGS__)
#define X_(name, types, y_text, da_text, db_text, doc)                                                                 \
    BINARY_FN(d, double, double, name, y_text, da_text, db_text)                                                       \
    BINARY_FN(f, float, float, name, y_text, da_text, db_text)                                                         \
    INTEGER_##types(name, y_text, da_text, db_text)
#include <tenon/binary.def>
#undef X
#undef X_
#pragma GCC diagnostic pop

/* Whether a row's text names the identifier. */
static int text_names(const char *text, const char *name)
{
    size_t n = strlen(name);
    for (const char *at = strstr(text, name); at; at = strstr(at + 1, name)) {
        int before = at > text && (isalnum((unsigned char)at[-1]) || at[-1] == '_' || at[-1] == '.');
        if (!before && !isalnum((unsigned char)at[n]) && at[n] != '_') return 1;
    }
    return 0;
}

#define WHOLE_F(fn)  NULL
#define WHOLE_FI(fn) fn
static row rows[256];
static const char *row_texts[256];

#define ADD(...)                                                                                                       \
    rows[n] = (row)                                                                                                    \
    {                                                                                                                  \
        __VA_ARGS__                                                                                                    \
    }
static void fill_rows(void)
{
    int n = 0;
#define X(name, y_text, dx_text, doc)                                                                                  \
    ADD(#name, d_##name, f_##name, NULL, 1, 0, 0, NULL), row_texts[n++] = #y_text;                                     \
    ADD(#name ".grad", d_##name##_grad, f_##name##_grad, NULL, 3, 1, 0, &rows[n - 1]), row_texts[n++] = #dx_text;
#include <tenon/unary.def>
#undef X
#define X(name, types, y_text, da_text, db_text, doc)                                                                  \
    ADD(#name, d_##name, f_##name, WHOLE_##types(i_##name), 2, 0, 0, NULL), row_texts[n++] = #y_text;                  \
    ADD(#name ".da", d_##name##_da, f_##name##_da, WHOLE_##types(i_##name##_da), 4, 2, 0, &rows[n - 1]),               \
        row_texts[n++] = #da_text;                                                                                     \
    ADD(#name ".db", d_##name##_db, f_##name##_db, WHOLE_##types(i_##name##_db), 4, 2, 0, &rows[n - 2]),               \
        row_texts[n++] = #db_text;
#include <tenon/binary.def>
#undef X
    static const char *const unary[] = {"x", "y", "dy"}, *const binary[] = {"a", "b", "y", "dy"};
    for (row *r = rows; r->name; r++) {
        const char *const *arg = r->n_arg % 2 && r->n_arg != 2 ? unary : binary;
        for (int a = 0; a < r->n_arg; a++) r->used |= text_names(row_texts[r - rows], arg[a]) << a;
    }
}
#undef abs
#undef min
#undef max
#undef F

#endif
