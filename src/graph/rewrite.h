/* rewrite.h: copying a graph while changing it: what simplify and lower are made of. */
#ifndef TN_GRAPH_REWRITE_H
#define TN_GRAPH_REWRITE_H

#include "ir.h"

/* Given a fresh copy of a tensor in the new graph, returns the tensor that takes its place: the copy itself or another
 * one of the same type. */
typedef tn_tensor *tn_rule(void *arg, tn_tensor *copy);

/* A copy of what the graph's sinks need, tensor by tensor through the rule; equal tensors become one. */
tn_status tn_rewrite(const tn_graph *graph, tn_rule *rule, void *arg, tn_graph **out);

/* Sets live[i] to 1 for each tensor that a sink needs. */
void tn_mark_live(const tn_graph *graph, unsigned char *live);

/* Packs of variables as variables, as the target keeps them; else taken apart. */
tn_status tn_group_variables(const tn_graph *graph, const tn_target *target, tn_graph **out);

/* Constants, common sub-expressions, dead code, and operators that do nothing. */
tn_status tn_simplify(const tn_graph *graph, tn_graph **out);

/* Parts of simplify: of a reduction, of a slice or padding, of a concat, and of a map's operand. Slices of slices
 * become one here and not when they are built: a tensor in between may be differentiated by. */
tn_tensor *tn_simplify_sum(tn_tensor *y);
tn_tensor *tn_simplify_slice(tn_tensor *y);
tn_tensor *tn_simplify_concat(tn_tensor *y);
tn_tensor *tn_simplify_stretched_sum(tn_tensor *x, const tn_shape *to);

/* Composites, and kernels that the target's first place does not do, by their `lower`, until none is left. No target:
 * composites alone. */
tn_status tn_lower(const tn_graph *graph, const tn_target *target, tn_graph **out);

/* Whether the target's first place does a kernel, on operands as the graph has them. */
int tn_is_done(const tn_target *target, const tn_tensor *x);

/* Products with softmax between them as one operator, where the target's first place has that. *out is NULL if there is
 * nothing to look for. */
tn_status tn_find_attention(const tn_graph *graph, const tn_target *target, tn_graph **out);

/* Convolutions with the channels of their images last, where the target's first place does them so: how many, and how
 * many it refuses; and what lies between them likewise. */
tn_status tn_lay_out(const tn_graph *graph, const tn_target *target, uint32_t *laid, uint32_t *refused, tn_graph **out);

/* What is added up over the shards of a batch comes in the order of the graph, whatever is fused: each depends on the
 * one before, so that all shards meet in the same order. */
tn_status tn_chain_crossings(tn_graph *graph);

/* f32 becomes f64 throughout. */
tn_status tn_widen(const tn_graph *graph, tn_graph **out);

#endif
