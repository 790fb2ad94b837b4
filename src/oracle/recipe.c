/* recipe.c: see recipe.h. */
#include "recipe.h"

#include <ctype.h>
#include <string.h>

#include "plain.h"

/* ---- the rules as functions ---- */

/* What a statement's names stand for. */
typedef struct scope {
    tn_graph *graph;
    tn_tensor *in[TN_STEP_OPERANDS], *result;
    const tn_call *step;
    char name[16];
} scope;

#define SCOPE(v)                                                                                                       \
    tn_graph *g = (v)->graph;                                                                                          \
    tn_tensor *a = (v)->in[0], *b = (v)->in[1], *c = (v)->in[2], *y = NULL;                                            \
    const int64_t p0 = (v)->step->p[0], p1 = (v)->step->p[1], p2 = (v)->step->p[2], p3 = (v)->step->p[3],              \
                  p4 = (v)->step->p[4], p5 = (v)->step->p[5], p6 = (v)->step->p[6], p7 = (v)->step->p[7];              \
    const double f0 = (v)->step->f[0], f1 = (v)->step->f[1];                                                           \
    const tn_shape S = (v)->step->shape;                                                                               \
    const tn_axes A = (v)->step->axes;                                                                                 \
    const int32_t *P = (v)->step->perm, *Q = (v)->step->back, T = (v)->step->dtype;                                    \
    const char *N = (v)->name, *W = (v)->step->word;                                                                   \
    (void)g, (void)a, (void)b, (void)c, (void)p0, (void)p1, (void)p2, (void)p3, (void)p4, (void)p5, (void)p6,          \
        (void)p7;                                                                                                      \
    (void)f0, (void)f1, (void)S, (void)A, (void)P, (void)Q, (void)T, (void)N, (void)W;

#define BUILD(name, ...)                                                                                               \
    static void build_##name(scope *v)                                                                                 \
    {                                                                                                                  \
        SCOPE(v)                                                                                                       \
        __VA_ARGS__;                                                                                                   \
        v->result = y;                                                                                                 \
    }
#define X(family, name, choose, ...) BUILD(rule_##name, __VA_ARGS__)
#include "rules.def"
#undef X
#define X(name, text, dx, doc) BUILD(name, y = tn_##name(a))
#include "tenon/unary.def"
#undef X
#define X(name, types, text, da, db, doc) BUILD(name, y = tn_##name(a, b))
#include "tenon/binary.def"
#undef X

static const struct {
    tn_call_rule rule;
    void (*build)(scope *v);
} rules[] = {
#define X(family, name, choose, ...) {{TN_RULE_##family, #name, #__VA_ARGS__}, build_rule_##name},
#include "rules.def"
#undef X
#define X(name, text, dx, doc) {{TN_RULE_UNARY, #name, "y = tn_" #name "(a)"}, build_##name},
#include "tenon/unary.def"
#undef X
#define X(name, types, text, da, db, doc) {{TN_RULE_BINARY, #name, "y = tn_" #name "(a, b)"}, build_##name},
#include "tenon/binary.def"
#undef X
};
enum { RULES = sizeof rules / sizeof *rules };

const tn_call_rule *tn_rule_at(int32_t index)
{
    return index >= 0 && index < RULES ? &rules[index].rule : NULL;
}

int32_t tn_rule_named(const char *name)
{
    for (int32_t i = 0; i < RULES; i++)
        if (!strcmp(rules[i].rule.name, name)) return i;
    return -1;
}

/* ---- building ---- */

static void name_of(const tn_call *step, char name[16])
{
    snprintf(name, 16, "%c%d", step->letter ? step->letter : 'w', step->label);
}

tn_tensor *tn_step_build(const tn_call *step, tn_graph *graph, tn_tensor *const made[])
{
    scope v = {.graph = graph, .step = step};
    name_of(step, v.name);
    for (int i = 0; i < TN_STEP_OPERANDS; i++) v.in[i] = step->in[i] < 0 ? NULL : made[step->in[i]];
    rules[step->rule].build(&v);
    return v.result;
}

tn_graph *tn_recipe_build(const tn_recipe *recipe, tn_tensor *made[TN_MOST_STEPS])
{
    tn_tensor *own[TN_MOST_STEPS];
    tn_graph *graph = tn_graph_new();
    if (!made) made = own;
    for (uint32_t i = 0; graph && i < recipe->count && !tn_graph_status(graph); i++)
        made[i] = tn_step_build(&recipe->step[i], graph, made);
    return graph;
}

/* ---- printing ---- */

static void print_shape(const tn_shape *s, FILE *to)
{
    if (!s->rank) fputs("TN_SCALAR", to);
    for (int32_t d = 0; d < s->rank; d++) fprintf(to, "%s%lld", d ? ", " : "TN_SHAPE(", (long long)s->dim[d]);
    if (s->rank) fputs(")", to);
}

static void print_axes(const tn_axes *a, FILE *to)
{
    if (a->count < 0) fputs("TN_ALL", to);
    if (!a->count) fputs("(tn_axes){0}", to);
    for (int32_t i = 0; i < a->count; i++) fprintf(to, "%s%d", i ? ", " : "TN_AXES(", a->axis[i]);
    if (a->count > 0) fputs(")", to);
}

static void print_order(const int32_t *order, int32_t count, FILE *to)
{
    fputs("(const int32_t[]){", to);
    for (int32_t i = 0; i < count; i++) fprintf(to, "%s%d", i ? ", " : "", order[i]);
    fputs(count ? "}" : "0}", to);
}

static void print_type(int32_t dtype, FILE *to)
{
    fputs("TN_", to);
    for (const char *at = tn_dtype_name(dtype); *at; at++) fputc(toupper((unsigned char)*at), to);
}

static void print_operand(int32_t number, FILE *to)
{
    if (number < 0)
        fputs("NULL", to);
    else
        fprintf(to, "t%d", number);
}

/* A name of one letter, or a letter and a digit, as what it stands for. Returns 0 for other names. */
static int print_meaning(const tn_call *s, uint32_t number, const char *name, size_t length, FILE *to)
{
    char own[16], real[32];
    int digit = length == 2 && isdigit((unsigned char)name[1]) ? name[1] - '0' : -1;
    name_of(s, own);
    if (digit >= 0 && *name == 'p') return fprintf(to, "%lld", (long long)s->p[digit]), 1;
    if (digit >= 0 && *name == 'f') return tn_snprintf(real, sizeof real, "%.9g", s->f[digit]), fputs(real, to), 1;
    if (length != 1) return 0;
    switch (*name) {
    case 'y':
        return fprintf(to, "t%u", number), 1;
    case 'g':
        return fputs("graph", to), 1;
    case 'a':
    case 'b':
    case 'c':
        return print_operand(s->in[*name - 'a'], to), 1;
    case 'S':
        return print_shape(&s->shape, to), 1;
    case 'A':
        return print_axes(&s->axes, to), 1;
    case 'P':
        return print_order(s->perm, s->perms, to), 1;
    case 'Q':
        return print_order(s->back, s->perms, to), 1;
    case 'T':
        return print_type(s->dtype, to), 1;
    case 'N':
        return fprintf(to, "\"%s\"", own), 1;
    case 'W':
        return fprintf(to, "\"%s\"", s->word), 1;
    default:
        return 0;
    }
}

/* Members (.a) and texts in quotes are no names. */
static void print_statement(const tn_call *s, uint32_t number, FILE *to)
{
    int quoted = 0;
    for (const char *text = rules[s->rule].rule.text, *at = text; *at;) {
        size_t length = 0;
        quoted ^= *at == '"';
        while (isalnum((unsigned char)at[length]) || at[length] == '_') length++;
        int member = at > text && at[-1] == '.';
        if (!length || quoted || member || !print_meaning(s, number, at, length, to))
            fwrite(at, 1, length ? length : 1, to);
        at += length ? length : 1;
    }
}

void tn_step_print(const tn_recipe *recipe, uint32_t number, FILE *to)
{
    const tn_call *s = &recipe->step[number];
    const char *text = rules[s->rule].rule.text;
    int begins = !strncmp(text, "y = ", 4), makes = begins || strstr(text, " y = ") || strstr(text, "&y");
    fputs("    ", to);
    if (begins) fputs("tn_tensor *", to);
    if (makes && !begins) fprintf(to, "tn_tensor *t%u = NULL;\n    ", number);
    print_statement(s, number, to);
    fputs(text[strlen(text) - 1] == '}' ? "\n" : ";\n", to);
}

void tn_recipe_print(const tn_recipe *recipe, FILE *to)
{
    for (uint32_t i = 0; i < recipe->count; i++) tn_step_print(recipe, i, to);
}

/* ---- changing ---- */

int tn_recipe_uses(const tn_recipe *recipe, uint32_t number)
{
    for (uint32_t i = number + 1; i < recipe->count; i++)
        for (int k = 0; k < TN_STEP_OPERANDS; k++)
            if (recipe->step[i].in[k] == (int32_t)number) return 1;
    return 0;
}

void tn_recipe_drop(tn_recipe *recipe, uint32_t number)
{
    recipe->count--;
    for (uint32_t i = number; i < recipe->count; i++) {
        recipe->step[i] = recipe->step[i + 1];
        for (int k = 0; k < TN_STEP_OPERANDS; k++) recipe->step[i].in[k] -= recipe->step[i].in[k] > (int32_t)number;
    }
}
