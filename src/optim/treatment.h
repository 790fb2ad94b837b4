/* treatment.h: what the options of an optimizer say of single parameters. */
#ifndef TN_OPTIM_TREATMENT_H
#define TN_OPTIM_TREATMENT_H

#include "tenon/optim.h"

enum { TN_DECAY, TN_RATE };

/* How a parameter is treated: its weight decay, and the factor on its learning rate. */
typedef struct tn_treatment {
    double of[2];
} tn_treatment;

/* Leaves in the list what the option "only" names; returns how many there are. Fails the graph if there are none. */
size_t tn_choose(tn_graph *graph, const char *only, tn_tensor *param[], size_t count);

/* The treatment of each parameter. What can't be read, or names none of them, fails the graph. */
void tn_treat(tn_graph *graph, const tn_optim_options *options, tn_tensor *const param[], tn_treatment treatment[],
              size_t count);

#endif
