/* contributions.h: what the uses of a tensor send back to it when a graph is differentiated. */
#ifndef TN_GRAPH_CONTRIBUTIONS_H
#define TN_GRAPH_CONTRIBUTIONS_H

#include "op.h"

typedef struct tn_contribution {
    tn_tensor *dx;
    struct tn_contribution *next; /* that came before */
} tn_contribution;

/* Their sum; afterwards the list is that sum alone. */
tn_tensor *tn_add_contributions(tn_contribution *all);

#endif
