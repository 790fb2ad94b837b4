/* product.c: matrix products of vectors, and of batches that are broadcast, as products that the operator takes: of two
 * equal batches, or of a batch and one matrix. An operand is copied only where no stride of 0 stretches it. */
#include "leaf.h"

static tn_shape batch_of(const tn_tensor *x)
{
    tn_shape s = tn_shape_of(x);
    s.rank -= 2;
    return s;
}

static tn_shape matrices(tn_shape batch, int64_t rows, int64_t columns)
{
    batch.dim[batch.rank++] = rows;
    batch.dim[batch.rank++] = columns;
    return batch;
}

/* Of the last dimension 1, of the one before 2; 0 for what a graph that failed gives. */
static int64_t size_from_end(const tn_tensor *x, int32_t place)
{
    const tn_shape s = tn_shape_of(x);
    return s.rank < place ? 0 : s.dim[s.rank - place];
}

static int64_t rows_of(const tn_tensor *x)
{
    return size_from_end(x, 2);
}

static int64_t columns_of(const tn_tensor *x)
{
    return size_from_end(x, 1);
}

static int is_one(const tn_shape *batch)
{
    for (int32_t d = 0; d < batch->rank; d++)
        if (batch->dim[d] != 1) return 0;
    return 1;
}

/* With dimensions of 1 before its own, as many as the other operand has more. */
static tn_tensor *align(tn_tensor *x, int32_t rank)
{
    tn_shape own = batch_of(x), batch = {rank, {0}};
    for (int32_t d = 0; d < rank; d++) batch.dim[d] = d < rank - own.rank ? 1 : own.dim[d - (rank - own.rank)];
    return tn_reshape(x, matrices(batch, rows_of(x), columns_of(x)));
}

/* Where b is one matrix for all of the last dimensions, the matrices of a are rows of one there. */
static void fold_rows(tn_tensor **a, tn_tensor **b)
{
    tn_shape of_a = batch_of(*a), of_b = batch_of(*b);
    int64_t rows = rows_of(*a);
    if (is_one(&of_b)) return;
    while (of_b.dim[of_b.rank - 1] == 1) rows *= of_a.dim[--of_a.rank], of_b.rank--;
    *a = tn_reshape(*a, matrices(of_a, rows, columns_of(*a)));
    *b = tn_reshape(*b, matrices(of_b, rows_of(*b), columns_of(*b)));
}

/* One matrix as it is, for the operator stretches it; a batch to the size of both. */
static tn_tensor *stretch(tn_tensor *x, tn_shape both)
{
    const tn_shape own = batch_of(x);
    if (is_one(&own)) return tn_reshape(x, TN_SHAPE(rows_of(x), columns_of(x)));
    return tn_shape_equal(&own, &both) ? x : tn_broadcast(x, matrices(both, rows_of(x), columns_of(x)));
}

static tn_tensor *multiply(tn_tensor *a, tn_tensor *b, int trans_a, int trans_b)
{
    const tn_matmul_node at = {trans_a != 0, trans_b != 0};
    return tn_node(&tn_op_matmul, NULL, (tn_tensor *[]){a, b}, 2, &at);
}

/* The dimensions of all batches; 0 with the graph failed if they do not broadcast. */
static int join_batches(tn_tensor *a, tn_tensor *b, tn_shape *all)
{
    tn_shape of_a = batch_of(a), of_b = batch_of(b);
    char ta[160], tb[160];
    if (!tn_shape_broadcast(&of_a, &of_b, all)) return 1;
    of_a = tn_shape_of(a), of_b = tn_shape_of(b);
    tn_node_fail(tn_graph_of(a), TN_ESHAPE, "matmul: batches of %s and %s do not broadcast",
                 tn_shape_text(&of_a, ta, sizeof ta), tn_shape_text(&of_b, tb, sizeof tb));
    return 0;
}

/* Of batches that differ. */
static tn_tensor *multiply_stretched(tn_tensor *a, tn_tensor *b, int trans_a, int trans_b)
{
    tn_shape all, both;
    if (!join_batches(a, b, &all)) return a;
    int64_t rows = trans_a ? columns_of(a) : rows_of(a), columns = trans_b ? rows_of(b) : columns_of(b);
    a = align(a, all.rank), b = align(b, all.rank);
    if (!trans_a) fold_rows(&a, &b);
    const tn_shape of_a = batch_of(a), of_b = batch_of(b);
    (void)tn_shape_broadcast(&of_a, &of_b, &both);
    return tn_reshape(multiply(stretch(a, both), stretch(b, both), trans_a, trans_b), matrices(all, rows, columns));
}

/* Of a batch of whatever rank, a batch of rank 1. */
static tn_tensor *merge_batch(tn_tensor *x, tn_shape all)
{
    x = stretch(x, all);
    return batch_of(x).rank > 0 ? tn_reshape(x, TN_SHAPE(tn_shape_count(&all), rows_of(x), columns_of(x))) : x;
}

/* Of whole numbers, for which devices have no product: a sum of products, which are not stored. These have a rank more,
 * so that batches of the highest rank are merged first. */
static tn_tensor *multiply_whole(tn_tensor *a, tn_tensor *b, int trans_a, int trans_b)
{
    tn_shape all;
    int64_t of_a = trans_a ? rows_of(a) : columns_of(a), of_b = trans_b ? columns_of(b) : rows_of(b);
    if (of_a != of_b)
        tn_node_fail(tn_graph_of(a), TN_ESHAPE, "matmul: inner sizes %lld and %lld differ", (long long)of_a,
                     (long long)of_b);
    if (!join_batches(a, b, &all)) return a;
    const tn_shape full = matrices(all, trans_a ? columns_of(a) : rows_of(a), trans_b ? rows_of(b) : columns_of(b));
    if (full.rank == TN_MAX_RANK) a = merge_batch(a, all), b = merge_batch(b, all);
    a = tn_unsqueeze(trans_a ? tn_swap_axes(a, -1, -2) : a, tn_shape_of(a).rank - 1);
    b = tn_unsqueeze(trans_b ? b : tn_swap_axes(b, -1, -2), tn_shape_of(b).rank - 2);
    return tn_reshape(tn_sum(tn_mul(a, b), TN_AXES(-1), 0), full);
}

static tn_tensor *multiply_matrices(tn_tensor *a, tn_tensor *b, int trans_a, int trans_b)
{
    const tn_shape of_a = batch_of(a), of_b = batch_of(b);
    int is_whole = tn_dtype_of(a) == TN_I32 && tn_dtype_of(b) == TN_I32;
    if (is_whole && of_a.rank >= 0 && of_b.rank >= 0) return multiply_whole(a, b, trans_a, trans_b);
    int is_taken = of_a.rank <= 0 || of_b.rank <= 0 || tn_shape_equal(&of_a, &of_b);
    return (is_taken ? multiply : multiply_stretched)(a, b, trans_a, trans_b);
}

/* A vector is a row on the left and a column on the right, and that dimension of the result goes. */
tn_tensor *tn_matmul_t(tn_tensor *a, tn_tensor *b, int trans_a, int trans_b)
{
    const tn_shape of_a = tn_shape_of(a), of_b = tn_shape_of(b);
    int row = of_a.rank == 1, column = of_b.rank == 1;
    if (tn_graph_status(tn_graph_of(a)) || tn_graph_status(tn_graph_of(b))) return multiply(a, b, trans_a, trans_b);
    if (!row && !column) return multiply_matrices(a, b, trans_a, trans_b);
    if ((row && trans_a) || (column && trans_b))
        tn_node_fail(tn_graph_of(a), TN_ESHAPE, "matmul: a vector has no dimensions to swap");
    if (row) a = tn_reshape(a, TN_SHAPE(1, of_a.dim[0]));
    if (column) b = tn_reshape(b, TN_SHAPE(of_b.dim[0], 1));
    tn_tensor *y = multiply_matrices(a, b, trans_a, trans_b);
    if (tn_graph_status(tn_graph_of(y))) return y;
    tn_shape s = tn_shape_of(y);
    if (!column) s.dim[s.rank - 2] = s.dim[s.rank - 1];
    s.rank -= row + column;
    return tn_reshape(y, s);
}

tn_tensor *tn_matmul(tn_tensor *a, tn_tensor *b)
{
    return tn_matmul_t(a, b, 0, 0);
}
