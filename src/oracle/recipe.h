/* recipe.h: a random program as a list of steps: what can be built, printed as C, and made smaller. */
#ifndef TN_ORACLE_RECIPE_H
#define TN_ORACLE_RECIPE_H

#include <stdio.h>

#include "tenon/tenon.h"

enum { TN_MOST_STEPS = 96, TN_STEP_OPERANDS = 3, TN_STEP_NUMBERS = 8 };

/* One call. Which of the numbers count is up to the rule. */
typedef struct tn_call {
    int32_t rule;                 /* its number: tn_rule_at */
    int32_t in[TN_STEP_OPERANDS]; /* numbers of steps before this one, or -1 */
    int64_t p[TN_STEP_NUMBERS];
    double f[2];
    tn_shape shape;
    tn_axes axes;
    int32_t perm[TN_MAX_RANK], back[TN_MAX_RANK], perms;
    int32_t dtype;
    int32_t label;    /* of its name, which stays when other steps go */
    char letter;      /* that its name begins with */
    const char *word; /* static */
} tn_call;

typedef struct tn_recipe {
    uint32_t count;
    tn_call step[TN_MOST_STEPS];
} tn_recipe;

enum {
    TN_RULE_OWN,
    TN_RULE_LEAF,
    TN_RULE_UNARY,
    TN_RULE_BINARY,
    TN_RULE_MAP,
    TN_RULE_SHAPE,
    TN_RULE_PRODUCT,
    TN_RULE_PICTURE,
    TN_RULE_REDUCE,
    TN_RULE_INDEX,
    TN_RULE_LAYER,
    TN_RULE_LOSS,
    TN_RULE_FAMILIES
};

/* A rule, or NULL past the last; and the number of the one of that name, or -1. */
typedef struct tn_call_rule {
    int32_t family;
    const char *name;
    const char *text; /* the statement */
} tn_call_rule;
const tn_call_rule *tn_rule_at(int32_t index);
int32_t tn_rule_named(const char *name);

/* Adds a step to a graph. `made` holds the tensors of the steps before; the result, or NULL, is returned. */
tn_tensor *tn_step_build(const tn_call *step, tn_graph *graph, tn_tensor *const made[]);
/* A graph of all steps; `made`, which may be NULL, gets their tensors. The caller frees the graph. */
tn_graph *tn_recipe_build(const tn_recipe *recipe, tn_tensor *made[TN_MOST_STEPS]);

/* A step, or all of them, as C statements in terms of `graph`; step i is the tensor ti. */
void tn_step_print(const tn_recipe *recipe, uint32_t number, FILE *to);
void tn_recipe_print(const tn_recipe *recipe, FILE *to);

/* Leaves a step out; later ones refer to their operands as before. Nothing may refer to it. */
void tn_recipe_drop(tn_recipe *recipe, uint32_t number);
/* Whether a later step has it as an operand. */
int tn_recipe_uses(const tn_recipe *recipe, uint32_t number);

#endif
