/* rules.h: how an optimizer's gradient changes a parameter: its rule, a row each. */
#ifndef TN_OPTIM_RULES_H
#define TN_OPTIM_RULES_H

#include "tenon/optim.h"

/* What the rule knows besides the parameters, packed, and their gradient. The tensors are scalars. */
typedef struct tn_update {
    tn_graph *graph;
    tn_optim_options options; /* usual values in place of zeros */
    tn_tensor *const *member; /* the parameters one by one */
    size_t members;
    tn_tensor *lr;
    tn_tensor *time;   /* the number of this step, from 1 */
    tn_tensor *shared; /* the rule's own */
} tn_update;

typedef struct tn_rule {
    tn_optimizer_entry entry;
    void (*begin)(tn_update *u); /* before the first group, or NULL */
    void (*update)(const tn_update *u, tn_tensor *param, tn_tensor *grad);
    tn_optim_options usual;
    uint32_t decays; /* it takes care of weight decay itself */
} tn_rule;

extern const tn_rule tn_rules[];
extern const size_t tn_rules_count;

#endif
