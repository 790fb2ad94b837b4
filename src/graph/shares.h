/* shares.h: what the uses of a tensor send back to it when a graph is differentiated. */
#ifndef TN_GRAPH_SHARES_H
#define TN_GRAPH_SHARES_H

#include "op.h"

typedef struct tn_share {
    tn_tensor *dx;
    struct tn_share *next; /* that came before */
} tn_share;

/* Their sum; afterwards the list is that sum alone. */
tn_tensor *tn_add_shares(tn_share *share);

#endif
