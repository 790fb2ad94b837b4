/* row_expand.c: the gradient of a row as other rows, read from its text: what it is differentiated by in turn. A row
 * that is added needs no second derivative of its own. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "leaf.h"
#include "plain.h"
#include "rows.h"

/* A text that is read: C's expressions of numbers, arguments and functions. */
typedef struct reader {
    const tn_row *row;
    tn_tensor *graph_of;    /* a tensor of the graph and type */
    const char *at, *after; /* what is read next; the end of what was read last */
    tn_tensor *value[4];    /* of the arguments */
} reader;

static tn_tensor *ternary(reader *r);

/* ---- pieces of text ---- */

static void skip_spaces(reader *r)
{
    while (*r->at == ' ') r->at++;
}

static int take(reader *r, const char *text)
{
    size_t length = strlen(text);
    skip_spaces(r);
    if (strncmp(r->at, text, length) != 0) return 0;
    r->after = r->at += length;
    return 1;
}

static tn_tensor *wrong(reader *r)
{
    tn_node_fail(r->graph_of->graph, TN_EUNSUPPORTED, "%s: no second derivative for '%s'", r->row->def.name, r->at);
    return r->graph_of;
}

static size_t name_length(const char *text)
{
    size_t n = 0;
    while (isalnum((unsigned char)text[n]) || text[n] == '_') n++;
    return n;
}

static int is_name(const char *text, size_t length, const char *name)
{
    return strlen(name) == length && !strncmp(text, name, length);
}

/* ---- numbers, arguments, functions ---- */

static tn_tensor *number(reader *r, double value)
{
    return tn_number(r->graph_of, value);
}

/* The row that a function of the texts is: of the same name, but for these. */
static const tn_row *function(const char *name, size_t length)
{
    char own[16] = {0};
    if (is_name(name, length, "rint")) return tn_row_named("round");
    if (is_name(name, length, "quotient")) return tn_row_named("div");
    if (length >= sizeof own) return NULL;
    memcpy(own, name, length);
    return tn_row_named(own);
}

static tn_tensor *call(reader *r, const tn_row *row)
{
    tn_tensor *in[2] = {NULL};
    int32_t n = 0;
    do {
        if (n == row->n_arg) return wrong(r);
        in[n++] = ternary(r);
    } while (take(r, ","));
    if (!take(r, ")") || n < row->n_arg) return wrong(r);
    return tn_node(&row->def, NULL, in, (uint32_t)n, NULL);
}

static tn_tensor *named(reader *r)
{
    const char *name = r->at;
    size_t length = name_length(name);
    for (int32_t i = 0; i < r->row->n_arg; i++)
        if (is_name(name, length, r->row->arg[i])) {
            r->after = r->at += length;
            return r->value[i];
        }
    const tn_row *row = function(name, length);
    if (!row && !is_name(name, length, "F")) return wrong(r);
    r->at += length;
    if (!take(r, "(")) return wrong(r);
    if (row) return call(r, row);
    tn_tensor *c = ternary(r);
    return take(r, ")") ? c : wrong(r);
}

static tn_tensor *primary(reader *r)
{
    if (take(r, "-")) return tn_neg(primary(r));
    if (take(r, "(")) {
        tn_tensor *inside = ternary(r);
        return take(r, ")") ? inside : wrong(r);
    }
    if (isalpha((unsigned char)*r->at)) return named(r);
    char *end = NULL;
    double value = tn_strtod(r->at, &end);
    if (end == r->at) return wrong(r);
    r->after = r->at = end;
    return number(r, value);
}

/* ---- operators ---- */

static int is_number(const tn_tensor *x, double value)
{
    return x->op == &tn_op_full && ((const tn_full_attrs *)x->attrs)->value == value;
}

/* a / (1 + exp(u)) as a sigmoid(-u): the quotient's derivative would divide infinity by infinity where u is large. */
static tn_tensor *divide(tn_tensor *a, tn_tensor *b)
{
    if (b->op == tn_row_add && is_number(b->in[0], 1) && b->in[1]->op == tn_row_exp)
        return tn_mul(a, tn_sigmoid(tn_neg(b->in[1]->in[0])));
    return tn_div(a, b);
}

/* Those that bind closest last; of two that begin alike the longer one first. */
static const struct {
    const char *text;
    int level;
    tn_tensor *(*build)(tn_tensor *a, tn_tensor *b);
} operators[] = {
    {"&&", 0, tn_logical_and}, {"==", 1, tn_eq}, {"!=", 1, tn_ne}, {"<=", 2, tn_le}, {">=", 2, tn_ge}, {"<", 2, tn_lt},
    {">", 2, tn_gt},           {"+", 3, tn_add}, {"-", 3, tn_sub}, {"*", 4, tn_mul}, {"/", 4, divide},
};
enum { LEVELS = 5, OPERATORS = sizeof operators / sizeof *operators };

static int next_operator(reader *r, int level)
{
    for (int i = 0; i < OPERATORS; i++)
        if (operators[i].level == level && take(r, operators[i].text)) return i;
    return -1;
}

/* What is the whole text of another row is that row, whose derivative is right where those of its parts are not: of
 * max(x, 0) + log1p(exp(-abs(x))) at 0. */
static tn_tensor *as_row(reader *r, const char *begin, tn_tensor *y)
{
    const tn_row *row;
    for (size_t i = 0; (row = tn_row_at(i)); i++)
        if (row != r->row && row->n_arg == 1 && !row->is_gradient &&
            is_name(begin, (size_t)(r->after - begin), row->text))
            return tn_node(&row->def, NULL, &r->value[0], 1, NULL);
    return y;
}

static tn_tensor *operation(reader *r, int level)
{
    if (level == LEVELS) return primary(r);
    skip_spaces(r);
    const char *begin = r->at;
    tn_tensor *y = operation(r, level + 1);
    for (int i; (i = next_operator(r, level)) >= 0;)
        y = as_row(r, begin, operators[i].build(y, operation(r, level + 1)));
    return y;
}

/* ---- choices ---- */

/* The arguments in a branch: where it is not taken they are 1, for an infinity there would be NaN times 0 behind. */
static void guard(reader *r, tn_tensor *condition, int taken, tn_tensor *const value[])
{
    tn_tensor *one = number(r, 1);
    for (int32_t i = 0; i + 1 < r->row->n_arg; i++)
        if (value[i]) r->value[i] = tn_where(condition, taken ? value[i] : one, taken ? one : value[i]);
}

static tn_tensor *ternary(reader *r)
{
    tn_tensor *before[4], *y = operation(r, 0), *branch[2];
    if (!take(r, "?")) return y;
    memcpy(before, r->value, sizeof before);
    guard(r, y, 1, before);
    branch[0] = ternary(r);
    if (!take(r, ":")) return wrong(r);
    guard(r, y, 0, before);
    branch[1] = ternary(r);
    memcpy(r->value, before, sizeof before);
    return tn_where(y, branch[0], branch[1]);
}

tn_tensor *tn_row_expand(tn_tensor *y)
{
    const tn_row *row = tn_row_of(y->op);
    reader r = {.row = row, .graph_of = y, .at = row->text, .after = row->text};
    uint32_t uses = tn_row_uses(row), given = 0;
    for (int32_t i = 0; i < row->n_arg; i++)
        if (uses >> i & 1) r.value[i] = y->in[given++];
    tn_tensor *result = ternary(&r);
    skip_spaces(&r);
    if (*r.at) return wrong(&r);
    return result;
}
