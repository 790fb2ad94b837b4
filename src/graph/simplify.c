/* simplify.c: constants are folded, operators that do nothing go, and transposes move into the products that use them.
 * Common sub-expressions and dead code go by the copying itself. */
#include "leaf.h"
#include "map.h"
#include "rewrite.h"
#include "rows.h"

static int same_type(const tn_tensor *a, const tn_tensor *b)
{
    return a->type.dtype == b->type.dtype && tn_shape_equal(&a->type.shape, &b->type.shape);
}

static int is_number(const tn_tensor *x, double value)
{
    return x->op == &tn_op_full && ((const tn_full_attrs *)x->attrs)->value == value;
}

/* Operand `x` in place of y, if it has y's type. */
static tn_tensor *keep(tn_tensor *y, tn_tensor *x)
{
    return same_type(y, x) ? x : y;
}

static tn_tensor *drop_neutral(tn_tensor *y)
{
    static const struct {
        const tn_op_def *const *op;
        double number;
        int from_left;
    } neutral[] = {
        {&tn_row_add, 0, 1}, {&tn_row_sub, 0, 0}, {&tn_row_mul, 1, 1}, {&tn_row_div, 1, 0}, {&tn_row_pow, 1, 0}};
    for (size_t i = 0; i < sizeof neutral / sizeof *neutral; i++) {
        if (y->op != *neutral[i].op) continue;
        if (is_number(y->in[1], neutral[i].number)) return keep(y, y->in[0]);
        if (neutral[i].from_left && is_number(y->in[0], neutral[i].number)) return keep(y, y->in[1]);
    }
    return y;
}

/* A map of numbers is a number. Those that depend on the element's place are not. */
static tn_tensor *fold_constants(tn_tensor *y)
{
    tn_map_builder builder = {.rank = y->type.shape.rank};
    double value[TN_MAX_OPERANDS + TN_MAX_INSTRS] = {0};
    int32_t arg[TN_MAX_OPERANDS];
    int64_t place[TN_MAX_RANK] = {0};
    tn_map_attrs program = {0};
    if (!y->n_in || y->n_in > 4) return y;
    for (uint32_t i = 0; i < y->n_in; i++) {
        if (y->in[i]->op != &tn_op_full) return y;
        arg[i] = tn_map_input(&builder, y->in[i]->type.dtype);
        value[i] = ((const tn_full_attrs *)y->in[i]->attrs)->value;
    }
    int32_t result = y->op->emit(y, &builder, arg);
    tn_map_output(&builder, result);
    if (tn_map_finish(&builder, &y->graph->region, &program)) return y;
    tn_map_evaluate(&program, NULL, 0, place, value);
    return tn_full(y->graph, y->type.dtype, y->type.shape, value[program.out[0]]);
}

static tn_tensor *simplify_operands(tn_tensor *y)
{
    tn_tensor *in[4];
    int changed = 0;
    for (uint32_t i = 0; i < y->n_in; i++) {
        in[i] = tn_simplify_stretched_sum(y->in[i], &y->type.shape);
        changed |= in[i] != y->in[i];
    }
    return changed ? tn_node(y->op, NULL, in, y->n_in, y->attrs) : y;
}

static tn_tensor *simplify_map(tn_tensor *y)
{
    tn_tensor *x = fold_constants(y);
    if (x != y) return x;
    y = simplify_operands(y);
    if (tn_graph_status(y->graph)) return y;
    if (y->op == &tn_op_cast || y->op == &tn_op_broadcast) return keep(y, y->in[0]);
    if (y->op == tn_row_neg && y->in[0]->op == tn_row_neg) return keep(y, y->in[0]->in[0]);
    return y->n_in == 2 ? drop_neutral(y) : y;
}

/* x in the shape of y, which may be x itself: a builder may return its operand, so nothing is assumed of the result. */
static tn_tensor *reshaped(tn_tensor *x, const tn_tensor *y)
{
    while (x->op == &tn_op_reshape) x = x->in[0];
    if (same_type(x, y)) return x;
    if (x->op == &tn_op_full)
        return tn_full(y->graph, y->type.dtype, y->type.shape, ((const tn_full_attrs *)x->attrs)->value);
    return tn_reshape(x, y->type.shape);
}

static tn_tensor *simplify_reshape(tn_tensor *y)
{
    const tn_tensor *x = y->in[0];
    return x->op == &tn_op_reshape || x->op == &tn_op_full || same_type(x, y) ? reshaped(y->in[0], y) : y;
}

static int swaps_last_two(const tn_tensor *x)
{
    if (x->op != &tn_op_transpose) return 0;
    const int32_t *perm = ((const tn_transpose_node *)x->attrs)->perm;
    int32_t rank = x->type.shape.rank;
    for (int32_t d = 0; d < rank - 2; d++)
        if (perm[d] != d) return 0;
    return rank >= 2 && perm[rank - 1] == rank - 2;
}

static tn_tensor *simplify_matmul(tn_tensor *y)
{
    const uint32_t *trans = y->attrs; /* of a, of b */
    int a = swaps_last_two(y->in[0]), b = swaps_last_two(y->in[1]);
    if (!a && !b) return y;
    return tn_matmul_t(a ? y->in[0]->in[0] : y->in[0], b ? y->in[1]->in[0] : y->in[1], (int)trans[0] ^ a,
                       (int)trans[1] ^ b);
}

/* Several in a row are one; one that moves nothing, but for dimensions of 1, is a reshape. */
static tn_tensor *simplify_transpose(tn_tensor *y)
{
    int32_t last = -1, in_order = 1, rank = y->type.shape.rank;
    tn_transpose_node all = *(const tn_transpose_node *)y->attrs;
    tn_tensor *x = y->in[0];
    for (; x->op == &tn_op_transpose; x = x->in[0])
        for (int32_t d = 0; d < rank; d++) all.perm[d] = ((const tn_transpose_node *)x->attrs)->perm[all.perm[d]];
    for (int32_t d = 0; d < rank; d++) {
        if (x->type.shape.dim[all.perm[d]] == 1) continue;
        in_order &= all.perm[d] > last;
        last = all.perm[d];
    }
    if (in_order) return reshaped(x, y);
    return x == y->in[0] ? y : tn_transpose(x, all.perm);
}

static tn_tensor *rule(void *arg, tn_tensor *y)
{
    (void)arg;
    if (y->op->kind == TN_MAP) return simplify_map(y);
    if (y->op == &tn_op_reshape) return simplify_reshape(y);
    if (y->op == &tn_op_stop_gradient) return y->in[0];
    if (y->op == &tn_op_pack || y->op == &tn_op_part) return tn_simplify_pack(y);
    if (y->op == &tn_op_transpose) return simplify_transpose(y);
    if (y->op == &tn_op_slice || y->op == &tn_op_unslice) return tn_simplify_slice(y);
    if (y->op == &tn_op_concat) return tn_simplify_concat(y);
    if (y->op == &tn_op_matmul) return simplify_matmul(y);
    if (y->op == &tn_op_reduce) return tn_simplify_sum(y);
    return y;
}

tn_status tn_simplify(const tn_graph *graph, tn_graph **out)
{
    return tn_rewrite(graph, rule, NULL, out);
}
