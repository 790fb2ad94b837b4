/* attend.h: what the operators attend and attend_grad share: attributes, sizes, which key a query sees, and the weights
 * by other operators. */
#ifndef TN_OP_ATTEND_H
#define TN_OP_ATTEND_H

#include "op.h"
#include "tenon/backend_check.h"

typedef struct tn_attend_node {
    double scale;  /* of the scores */
    int64_t first; /* the number of the first query among the keys */
    uint32_t causal;
    uint32_t reserved;
} tn_attend_node;

extern const tn_field tn_attend_fields[], tn_attend_crosses[];

/* y and the logarithms, side by side, of q (o, h, n, d), k (o, g, m, d) and v (o, g, m, e), none of them empty. `mask`
 * is NULL, or broadcast to (o, h, n, m) but for the last dimension. */
tn_tensor *tn_attend_tiles(tn_tensor *q, tn_tensor *k, tn_tensor *v, tn_tensor *mask, const tn_attend_node *at);
/* The y of that. */
tn_tensor *tn_attend_result(tn_tensor *both, const tn_tensor *q, const tn_tensor *v);

/* 1 if an operand of attention has no elements. */
int tn_attend_is_empty(const tn_tensor *q, const tn_tensor *k, const tn_tensor *v);

/* Elements `start` and those after it of a vector, as a tensor of that shape. */
tn_tensor *tn_attend_piece(tn_tensor *flat, int64_t start, tn_shape shape);
/* All elements of tensors one after another, as a vector. */
tn_tensor *tn_attend_flat(tn_tensor *const x[], uint32_t count);

/* That q, k, v and the mask, if there are `fixed` + 1 operands, fit. */
tn_status tn_attend_require(const char *op, tn_tensor *const in[], uint32_t n_in, uint32_t fixed,
                            const tn_attend_node *at);
/* Descriptors and attributes of all inputs; the mask is operand number `mask`, if there is one. */
void tn_attend_describe(const tn_tensor *y, uint32_t mask, tn_operation *o);

/* Heads that share keys as one, of which each has all their queries; and back, as `like` has them. */
tn_tensor *tn_attend_by_group(tn_tensor *x, const tn_tensor *k);
tn_tensor *tn_attend_by_head(tn_tensor *x, const tn_shape *like);
/* The scores (o, h, n, m) as they go into softmax, and softmax of them, for the operands q, k, v and mask. */
tn_tensor *tn_attend_scores(tn_tensor *const in[], tn_tensor *mask, const tn_attend_node *at);
tn_tensor *tn_attend_weights(tn_tensor *scores, tn_tensor *mask);
/* What weights mean for the scores before scale and masks, given what is meant for the weights. */
tn_tensor *tn_attend_slope(tn_tensor *weights, tn_tensor *slope, tn_tensor *mask, const tn_attend_node *at);

/* ---- references ---- */

/* One query of one head: its place, its operands, and its row of scores. */
typedef struct tn_attend_row {
    tn_sizes z;
    int64_t head, query; /* of all o h heads; of n */
    const double *q, *k, *v;
    const tn_attend_attrs *at;
    const tn_tensor_desc *mask; /* or NULL */
    const double *mask_at;
} tn_attend_row;

/* Row number `row` of o h n. */
tn_attend_row tn_attend_row_of(const tn_reference_call *call, uint32_t mask, int64_t row);
/* The score of key j as it goes into softmax; 0 is returned if it is hidden. */
int tn_attend_score(const tn_attend_row *r, int64_t j, double *score);

/* Pairs of a query and a key that it sees. */
double tn_attend_pairs(const tn_op_desc *desc);

#endif
