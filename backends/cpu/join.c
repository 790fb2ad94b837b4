/* join.c: steps of a program that become one, where rows.c has a loop for all that they do: one pass over a block, and
 * no values between. Results may differ in the last place, since products are not rounded before they are added. */
#include "prog.h"

#include <string.h>

enum { INNER = 8 /* steps within a formula, at most */ };

typedef struct search {
    cpu_prog *prog;
    const tn_map_instr *instr; /* of the first value that is no input */
    const char *text;          /* what is left of the formula */
    int32_t arg[CPU_STEP_ARGS];
    int32_t inner[INNER], n_inner; /* numbers of steps */
} search;

static int is_output(const cpu_prog *p, int32_t value)
{
    for (int32_t k = 0; k < p->n_out; k++)
        if (p->output[k].value == value) return 1;
    return 0;
}

static int readers(const cpu_prog *p, int32_t value)
{
    int n = 0;
    for (int32_t s = 0; s < p->n_step; s++)
        for (int a = 0; a < CPU_STEP_ARGS; a++) n += p->step[s].arg[a] == value;
    return n;
}

/* The step that makes a value for one other step alone; -1: none. */
static int32_t inner_step(const cpu_prog *p, int32_t value, int32_t type)
{
    for (int32_t s = 0; s < p->n_step; s++)
        if (p->step[s].value == value && p->step[s].type == type)
            return readers(p, value) == 1 && !is_output(p, value) ? s : -1;
    return -1;
}

/* Operands that lie scattered, steps by themselves may take as one element for all. */
static int is_operand(const cpu_prog *p, int32_t value)
{
    return value >= p->n_in || p->input[value].kind != CPU_STRIDED;
}

static int matches_step(search *m, const cpu_step *step);

static int matches(search *m, int32_t value, int32_t type)
{
    if (*m->text >= '0' && *m->text <= '9') {
        m->arg[*m->text++ - '0'] = value;
        return is_operand(m->prog, value);
    }
    const int32_t s = inner_step(m->prog, value, type);
    if (s < 0 || m->n_inner == INNER) return 0;
    m->inner[m->n_inner++] = s;
    return matches_step(m, &m->prog->step[s]);
}

/* The formula's next operation, with all its operands. */
static int matches_step(search *m, const cpu_step *step)
{
    const char *op = m->instr[step->value - m->prog->n_in].op;
    const size_t length = strlen(op);
    if (strncmp(op, m->text, length) || m->text[length] != '(') return 0;
    m->text += length;
    for (int k = 0; *m->text++ != ')'; k++)
        if (!matches(m, step->arg[k], step->type)) return 0;
    return 1;
}

static void remove_steps(cpu_prog *p, const int32_t *step, int32_t n)
{
    int32_t kept = 0;
    for (int32_t s = 0; s < p->n_step; s++) {
        int stays = 1;
        for (int32_t i = 0; i < n; i++) stays &= step[i] != s;
        if (stays) p->step[kept++] = p->step[s];
    }
    p->n_step = kept;
}

/* Returns how many steps went into step s. */
static int32_t join(cpu_prog *p, const tn_map_instr *instr, int32_t s)
{
    cpu_step *step = &p->step[s];
    for (const cpu_joined *j = cpu_code->rows->joined; j->text; j++) {
        search m = {.prog = p, .instr = instr, .text = j->text, .arg = {-1, -1, -1, -1, -1, -1}};
        if (step->special || !j->fn[step->type] || !matches_step(&m, step)) continue;
        step->fn = j->fn[step->type];
        step->one[0] = step->one[1] = NULL;
        memcpy(step->arg, m.arg, sizeof m.arg);
        remove_steps(p, m.inner, m.n_inner);
        return m.n_inner;
    }
    return 0;
}

void cpu_join_steps(cpu_prog *p, const tn_map_instr *instr)
{
    for (int32_t s = p->n_step - 1; s >= 0; s--) s -= join(p, instr, s);
}
