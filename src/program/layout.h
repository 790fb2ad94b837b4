/* layout.h: whether a network's images have their channels last. */
#ifndef TN_PROGRAM_LAYOUT_H
#define TN_PROGRAM_LAYOUT_H

#include "program.h"

/* Decides what the options leave open: `layout` is TN_LAYOUT_USUAL or TN_LAYOUT_LAST then. Where it is to be tried, the
 * network is compiled and run both ways, in states of its own on the state's device; where there is no memory for that
 * it stays usual. */
TN_MUST_USE tn_status tn_choose_layout(tn_graph *graph, tn_state *state, tn_compile_options *options);

#endif
