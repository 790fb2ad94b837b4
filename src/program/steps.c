/* steps.c: the steps that optimizers have done. Each counts its own, and the state keeps the count with every parameter
 * that it updates: so programs that train the same parameters go on with each other's, and a file can have it. */
#include "program.h"

#include <string.h>

#include "error.h"
#include "given.h"
#include "leaf.h"

static uint32_t optimizer_of(const tn_tensor *x)
{
    int is_updated = x->op == &tn_op_variable && x->is_assigned;
    return is_updated ? ((const tn_variable_attrs *)x->attrs)->optimizer : 0;
}

tn_status tn_program_find_optimizers(tn_program *p, const tn_graph *graph)
{
    p->trained = tn_alloc((graph->count + 1) * sizeof *p->trained);
    p->steps = tn_alloc((graph->optimizers + 1) * sizeof *p->steps);
    if (!p->trained || !p->steps) return TN_ENOMEM;
    p->optimizers = graph->optimizers;
    for (uint32_t i = 0; i < graph->count; i++) {
        uint32_t optimizer = optimizer_of(graph->tensor[i]);
        if (!optimizer) continue;
        const tn_state_tensor *t = tn_state_get(p->state, graph->tensor[i]->name);
        p->trained[p->n_trained++] = (tn_trained){(uint32_t)(t - p->state->tensor), optimizer - 1};
    }
    return TN_OK;
}

void tn_program_begin_steps(tn_program *p)
{
    for (uint32_t i = 0; i < p->n_trained; i++) {
        tn_state_tensor *t = &p->state->tensor[p->trained[i].tensor];
        if (!t->is_trained) t->steps = p->state->first_step;
        t->is_trained = 1;
    }
}

const uint64_t *tn_program_own_number(const tn_program *p, const char *name)
{
    if (!name) return NULL;
    if (!strcmp(name, "seed")) return &p->state->seed;
    if (!strcmp(name, "step")) return &p->state->step;
    uint32_t optimizer = tn_steps_of(name, p->optimizers);
    return optimizer ? &p->steps[optimizer - 1] : NULL;
}

/* What is trained alike may have been trained apart before: the most steps count. */
void tn_program_count_steps(tn_program *p)
{
    for (uint32_t k = 0; k < p->optimizers; k++) p->steps[k] = 0;
    for (uint32_t i = 0; i < p->n_trained; i++) {
        uint64_t done = p->state->tensor[p->trained[i].tensor].steps, *most = &p->steps[p->trained[i].optimizer];
        if (*most < done) *most = done;
    }
}

void tn_program_advance(tn_program *p)
{
    p->state->step += p->advances_step;
    for (uint32_t i = 0; i < p->n_trained; i++)
        p->state->tensor[p->trained[i].tensor].steps = p->steps[p->trained[i].optimizer] + 1;
}

/* ---- the state's side ---- */

static void set_all(tn_state *state, uint64_t step)
{
    state->first_step = step;
    for (uint32_t i = 0; i < state->count; i++) state->tensor[i].steps = step;
}

void tn_state_set_step(tn_state *state, uint64_t step)
{
    if (!state) return;
    state->step = step;
    set_all(state, step);
}

int tn_state_param_step(const tn_state *state, const char *param, uint64_t *step)
{
    if (!state || !param) return 0;
    const tn_state_tensor *t = tn_state_get(state, param);
    if (!t || !t->is_trained) return 0;
    *step = t->steps;
    return 1;
}

tn_status tn_state_set_param_step(tn_state *state, const char *param, uint64_t step)
{
    TN_GIVEN(state);
    tn_state_tensor *t = param ? tn_state_get(state, param) : NULL;
    TN_REQUIRE(t || !param, TN_EMISSING, "no tensor '%s' in the state", param);
    if (!t) return set_all(state, step), TN_OK;
    t->is_trained = 1;
    t->steps = step;
    return TN_OK;
}
