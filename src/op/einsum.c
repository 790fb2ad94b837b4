/* einsum.c: sums of products by an equation, "bij,bjk->bik", by transposes, batches of matrix products and sums.
 * Operands are multiplied from left to right; a letter is summed as soon as no later operand and not the result has
 * it. What three dots stand for are letters of their own, counted from the last of them, and stretch. */
#include <string.h>

#include "given.h"
#include "op.h"

enum { MOST_TERMS = 16, DOTS = 1 /* the letter of the last dimension that dots stand for; the others follow */ };

/* A tensor and the letter of each of its dimensions. */
typedef struct term {
    tn_tensor *x;
    int n;
    char letter[TN_MAX_RANK];
} term;

typedef struct job {
    const char *equation;
    tn_graph *graph;
    term in[MOST_TERMS], out;
    int terms, dots; /* the most dimensions that dots stand for */
    int64_t size[128];
} job;

static int fail(const job *j, const char *what)
{
    tn_node_fail(j->graph, TN_EINVAL, "einsum \"%s\": %s", j->equation, what);
    return 0;
}

/* ---- the equation ---- */

/* Of the 52 that have a place in `size`, whatever the program's language. */
static int is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int has(const term *t, char letter)
{
    return memchr(t->letter, letter, (size_t)t->n) != NULL;
}

/* Reads a term up to its end; dots stand for `dots` dimensions. */
static int read_term(const job *j, const char **text, term *t, int dots)
{
    int seen = 0;
    for (t->n = 0; **text && **text != ',' && **text != '-';) {
        int here = **text == '.' ? dots : 1;
        if (**text == ' ' && ++*text) continue;
        if (**text == '.' && (strncmp(*text, "...", 3) || seen++)) return fail(j, "dots come by three, once a term");
        if (**text != '.' && !is_letter(**text)) return fail(j, "a term has letters and dots alone");
        if (here < 0 || t->n + here > TN_MAX_RANK) return fail(j, "a term and its operand differ in dimensions");
        for (int i = 0; i < here; i++) t->letter[t->n + i] = **text == '.' ? (char)(DOTS + here - 1 - i) : **text;
        t->n += here;
        *text += **text == '.' ? 3 : 1;
    }
    return 1;
}

static int letters_in(const char *text)
{
    int n = 0;
    for (; *text && *text != ',' && *text != '-'; text++) n += is_letter(*text);
    return n;
}

static int read_sizes(job *j, const term *t)
{
    tn_shape s = tn_shape_of(t->x);
    if (t->n != s.rank) return fail(j, "a term and its operand differ in dimensions");
    for (int d = 0; d < t->n; d++) {
        int64_t *size = &j->size[(int)t->letter[d]];
        int stretches = t->letter[d] < ' ' && (*size == 1 || s.dim[d] == 1);
        if (*size >= 0 && *size != s.dim[d] && !stretches) return fail(j, "a letter stands for two sizes");
        if (*size < 0 || *size == 1) *size = s.dim[d];
    }
    return 1;
}

/* Without "->": what dots stand for, then the letters that are there once, in alphabetical order. */
static void implied_result(job *j)
{
    for (int i = j->dots - 1; i >= 0; i--) j->out.letter[j->out.n++] = (char)(DOTS + i);
    for (char c = 'A'; c <= 'z'; c++) {
        int count = 0;
        for (int i = 0; i < j->terms; i++)
            for (int d = 0; d < j->in[i].n; d++) count += j->in[i].letter[d] == c;
        if (count == 1 && j->out.n < TN_MAX_RANK) j->out.letter[j->out.n++] = c;
    }
}

static int check_result(const job *j)
{
    for (int d = 0; d < j->out.n; d++) {
        if (j->size[(int)j->out.letter[d]] < 0) return fail(j, "the result has a letter that no operand has");
        if (memchr(j->out.letter, j->out.letter[d], (size_t)d)) return fail(j, "the result has a letter twice");
    }
    return 1;
}

static int read_equation(job *j, tn_tensor *const in[], uint32_t n_in)
{
    const char *text = j->equation;
    for (uint32_t i = 0; i < n_in; i++) {
        term *t = &j->in[j->terms++];
        t->x = in[i];
        int dots = tn_shape_of(in[i]).rank - letters_in(text);
        if (dots > j->dots && strchr(text, '.')) j->dots = dots;
        if (!read_term(j, &text, t, dots) || !read_sizes(j, t)) return 0;
        if (i + 1 < n_in && *text++ != ',') return fail(j, "it has fewer terms than operands");
    }
    if (!*text) return implied_result(j), 1;
    if (strncmp(text, "->", 2)) return fail(j, "it has more terms than operands");
    text += 2;
    return read_term(j, &text, &j->out, j->dots) && (!*text || fail(j, "it goes on after the result")) &&
           check_result(j);
}

/* ---- one term ---- */

/* The dimensions in the order of `letters`, all of which t has. */
static term ordered(term t, const char *letters, int n)
{
    int32_t perm[TN_MAX_RANK];
    for (int d = 0; d < n; d++) perm[d] = (int32_t)((const char *)memchr(t.letter, letters[d], (size_t)t.n) - t.letter);
    t.x = tn_transpose(t.x, perm);
    memcpy(t.letter, letters, (size_t)n);
    return t;
}

/* A letter that is there twice is the diagonal of its dimensions. */
static term diagonal(term t)
{
    for (int d = 1; d < t.n; d++) {
        const char *before = memchr(t.letter, t.letter[d], (size_t)d);
        if (!before) continue;
        int first = (int)(before - t.letter);
        tn_shape s = tn_shape_of(t.x), line = {.rank = s.rank};
        for (int k = 0; k < s.rank; k++) line.dim[k] = k == first || k == d ? s.dim[k] : 1;
        tn_tensor *same = tn_eq(tn_iota(tn_graph_of(t.x), line, first), tn_iota(tn_graph_of(t.x), line, d));
        t.x = tn_sum(tn_where(same, t.x, tn_number(t.x, 0)), TN_AXES(d), 0);
        memmove(t.letter + d, t.letter + d + 1, (size_t)(t.n - d - 1));
        t.n--, d--;
    }
    return t;
}

/* Whether a letter is in the result or in a term from number i on. */
static int wanted(const job *j, char letter, int i)
{
    for (; i < j->terms; i++)
        if (has(&j->in[i], letter)) return 1;
    return has(&j->out, letter);
}

/* Summed over the letters that neither `other` has nor those to come. */
static term summed(const job *j, term t, const term *other, int next)
{
    tn_axes axes = {0};
    term left = t;
    left.n = 0;
    for (int d = 0; d < t.n; d++) {
        if ((other && has(other, t.letter[d])) || wanted(j, t.letter[d], next))
            left.letter[left.n++] = t.letter[d];
        else
            axes.axis[axes.count++] = d;
    }
    if (axes.count) left.x = tn_sum(t.x, axes, 0);
    return left;
}

/* What dots stand for is stretched to its size. */
static term stretched(const job *j, term t)
{
    tn_shape s = tn_shape_of(t.x);
    for (int d = 0; d < t.n; d++) s.dim[d] = j->size[(int)t.letter[d]];
    t.x = tn_broadcast(t.x, s);
    return t;
}

/* ---- two terms ---- */

typedef struct letters {
    int n;
    char letter[2 * TN_MAX_RANK];
    int64_t size;
} letters;

static void put(const job *j, letters *l, char letter)
{
    l->letter[l->n++] = letter;
    l->size *= j->size[(int)letter];
}

/* t with three dimensions: its letters of each kind together. */
static tn_tensor *matrices(const job *j, term t, const letters *a, const letters *b, const letters *c)
{
    char order[3 * TN_MAX_RANK];
    int n = 0;
    const letters *all[] = {a, b, c};
    for (int i = 0; i < 3; i++) {
        memcpy(order + n, all[i]->letter, (size_t)all[i]->n);
        n += all[i]->n;
    }
    return tn_reshape(ordered(stretched(j, t), order, n).x, TN_SHAPE(a->size, b->size, c->size));
}

/* The product of a and b, summed over what is not wanted from term `next` on: letters of both that stay are a batch. */
static term product(const job *j, term a, term b, int next)
{
    letters both = {.size = 1}, rows = both, columns = both, inner = both;
    a = summed(j, a, &b, next), b = summed(j, b, &a, next);
    for (int d = 0; d < a.n; d++)
        put(j, !has(&b, a.letter[d]) ? &rows : wanted(j, a.letter[d], next) ? &both : &inner, a.letter[d]);
    for (int d = 0; d < b.n; d++)
        if (!has(&a, b.letter[d])) put(j, &columns, b.letter[d]);
    term y = {.n = both.n + rows.n + columns.n};
    if (y.n > TN_MAX_RANK) return fail(j, "a product has more than eight dimensions"), a;
    tn_shape to = {.rank = y.n};
    memcpy(y.letter, both.letter, (size_t)both.n);
    memcpy(y.letter + both.n, rows.letter, (size_t)rows.n);
    memcpy(y.letter + both.n + rows.n, columns.letter, (size_t)columns.n);
    for (int d = 0; d < y.n; d++) to.dim[d] = j->size[(int)y.letter[d]];
    y.x = tn_matmul(matrices(j, a, &both, &rows, &inner), matrices(j, b, &both, &inner, &columns));
    y.x = tn_reshape(y.x, to);
    return y;
}

tn_tensor *tn_einsum(const char *equation, tn_tensor *const in[], uint32_t n_in)
{
    if (!in || !n_in || !in[0]) return tn_concat(in, 0, 0);
    job j = {.equation = equation, .graph = tn_graph_of(in[0])};
    memset(j.size, -1, sizeof j.size);
    TN_NAMED(in[0], equation);
    if (n_in > MOST_TERMS) fail(&j, "more than 16 operands");
    for (uint32_t i = 0; i < n_in; i++)
        if (!in[i] || tn_graph_of(in[i]) != j.graph) fail(&j, "an operand is NULL or of another graph");
    if (tn_graph_status(j.graph) || !read_equation(&j, in, n_in)) return in[0];
    for (int i = 0; i < j.terms; i++) j.in[i] = diagonal(j.in[i]);
    term y = summed(&j, j.in[0], NULL, 1);
    for (int i = 1; i < j.terms && !tn_graph_status(j.graph); i++) y = product(&j, y, j.in[i], i + 1);
    if (tn_graph_status(j.graph)) return in[0];
    return ordered(stretched(&j, y), j.out.letter, j.out.n).x;
}
