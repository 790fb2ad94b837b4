/* origin.h: which node of a graph something was made for, and errors that name it: "... [node 12, matmul, in
 * encoder.0.]". What fails while a graph is built, compiled or run says so once, at the end of its line. */
#ifndef TN_NODE_ORIGIN_H
#define TN_NODE_ORIGIN_H

#include "error.h"

/* A node of the graph as the user built it. The texts are that graph's, or of who copied them. */
typedef struct tn_origin {
    const char *op;    /* "": the text says it; NULL: there is no node */
    const char *name;  /* of a leaf, else NULL */
    const char *scope; /* "encoder.0.", or NULL */
    uint32_t number;
} tn_origin;

/* Gives this thread's message the node at its end, unless it has one already; returns `status`. */
tn_status tn_fail_at(tn_status status, const tn_origin *origin);

/* The same for a text of its own. */
void tn_origin_append(char *text, size_t room, const tn_origin *origin);

#endif
