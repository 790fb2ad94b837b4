/* matmul.c: y = op(a) op(b), op being transposition of the last two dimensions or nothing; leading dimensions are a
 * batch, which may be missing on one side. Other batches and vectors become these in product.c. */
#include "cases.h"
#include "check.h"
#include "leaf.h"
#include "map_internal.h"
#include "reduce.h"

static tn_status shape(tn_tensor *const in[], uint32_t n_in, const void *raw, tn_type *out)
{
    const tn_matmul_node *at = raw;
    const tn_shape *a = &in[0]->type.shape, *b = &in[1]->type.shape;
    char ta[160], tb[160];
    (void)n_in;
    tn_shape_text(a, ta, sizeof ta), tn_shape_text(b, tb, sizeof tb);
    TN_REQUIRE(in[0]->type.dtype == in[1]->type.dtype, TN_EDTYPE, "matmul: element types %s and %s differ",
               tn_dtype_name(in[0]->type.dtype), tn_dtype_name(in[1]->type.dtype));
    TN_REQUIRE(in[0]->type.dtype == TN_F32 || in[0]->type.dtype == TN_F64, TN_EDTYPE, "matmul: element type %s",
               tn_dtype_name(in[0]->type.dtype));
    TN_REQUIRE(a->rank >= 2 && b->rank >= 2, TN_ESHAPE, "matmul: shapes %s and %s need two dimensions", ta, tb);
    int64_t m = a->dim[a->rank - (at->trans_a ? 1 : 2)], ka = a->dim[a->rank - (at->trans_a ? 2 : 1)];
    int64_t kb = b->dim[b->rank - (at->trans_b ? 1 : 2)], n = b->dim[b->rank - (at->trans_b ? 2 : 1)];
    TN_REQUIRE(ka == kb, TN_ESHAPE, "matmul: inner sizes %lld and %lld of %s and %s differ", (long long)ka,
               (long long)kb, ta, tb);
    const tn_shape *lead = a->rank >= b->rank ? a : b;
    for (int32_t d = 0; a->rank == b->rank && d < a->rank - 2; d++)
        TN_REQUIRE(a->dim[d] == b->dim[d], TN_ESHAPE, "matmul: batches of %s and %s differ", ta, tb);
    TN_REQUIRE(a->rank == b->rank || a->rank == 2 || b->rank == 2, TN_ESHAPE, "matmul: batches of %s and %s differ", ta,
               tb);
    *out = (tn_type){in[0]->type.dtype, *lead};
    out->shape.dim[lead->rank - 2] = m;
    out->shape.dim[lead->rank - 1] = n;
    return TN_OK;
}

/* A gradient summed over the batch if the operand had none. */
static tn_tensor *fit(tn_tensor *g, const tn_tensor *operand)
{
    return tn_unbroadcast(g, &operand->type.shape);
}

/* With y = a b: da = dy b', db = a' dy; the other three cases by transposing. */
static void grad(tn_tensor *y, tn_tensor *dy, tn_tensor *din[])
{
    const tn_matmul_node *at = y->attrs;
    tn_tensor *a = y->in[0], *b = y->in[1];
    din[0] = fit(at->trans_a ? tn_matmul_t(b, dy, (int)at->trans_b, 1) : tn_matmul_t(dy, b, 0, !at->trans_b), a);
    din[1] = fit(at->trans_b ? tn_matmul_t(dy, a, 1, (int)at->trans_a) : tn_matmul_t(a, dy, !at->trans_a, 0), b);
}

/* (batch, rows, columns), of batch stride 0 if there is no batch but the other operand's. */
static tn_tensor_desc operand(const tn_tensor *x, int64_t batch)
{
    const tn_shape *s = &x->type.shape;
    int64_t rows = s->dim[s->rank - 2], columns = s->dim[s->rank - 1];
    tn_tensor_desc desc = tn_desc_dense(x->type.dtype, &TN_SHAPE(batch, rows, columns));
    if (s->rank == 2 && batch != 1) desc.stride[0] = 0;
    return desc;
}

static void describe(const tn_tensor *y, tn_operation *o)
{
    const tn_matmul_node *at = y->attrs;
    int64_t batch = 1;
    for (int32_t d = 0; d < y->type.shape.rank - 2; d++) batch *= y->type.shape.dim[d];
    o->attrs.matmul =
        (tn_matmul_attrs){.size = sizeof(tn_matmul_attrs), .trans_a = at->trans_a, .trans_b = at->trans_b};
    o->in[0] = operand(y->in[0], batch);
    o->in[1] = operand(y->in[1], batch);
    o->out[0] = operand(y, batch);
    /* rows of a batch times one matrix are one matrix product */
    if (batch != 1 && y->in[1]->type.shape.rank == 2 && !at->trans_a) {
        o->in[0].dim[1] *= batch, o->out[0].dim[1] *= batch;
        o->in[0].dim[0] = o->in[1].dim[0] = o->out[0].dim[0] = 1;
        for (int i = 0; i < 2; i++) o->in[i].stride[0] = o->in[i].dim[1] * o->in[i].dim[2];
        o->out[0].stride[0] = o->out[0].dim[1] * o->out[0].dim[2];
    }
}

static void epilogue(tn_operation *o, const tn_map_attrs *map)
{
    o->attrs.matmul.epilogue = map;
}

/* z sums a' over k: the gradient of a bias, beside that of a weight. */
static int sums(const tn_tensor *y, const tn_tensor *z, tn_operation *o)
{
    const tn_matmul_node *at = y->attrs;
    if (!at->trans_a || z->in[0] != y->in[0] || z->in[0]->type.shape.rank != 2 || tn_sum_axes(z) != 1) return 0;
    o->attrs.matmul.sums = 1;
    o->out[1] = tn_desc_dense(z->type.dtype, &TN_SHAPE(1, y->type.shape.dim[0]));
    return y->type.shape.rank == 2;
}

static void add_up(const tn_reference_call *call, int64_t m, int64_t k)
{
    const tn_matmul_attrs *at = call->desc->attrs;
    for (int64_t e = 0; e < call->desc->out[1].dim[0] * m; e++) {
        const double *a = call->in[0] + e / m * m * k;
        double sum = 0;
        for (int64_t l = 0; l < k; l++) sum += a[at->trans_a ? l * m + e % m : e % m * k + l];
        call->out[1][e] = sum;
    }
}

/* The plain triple loop, then the epilogue for each element. */
static void reference(const tn_reference_call *call)
{
    const tn_matmul_attrs *at = call->desc->attrs;
    const int64_t *a = call->desc->in[0].dim, *y = call->desc->out[0].dim;
    int64_t m = y[1], n = y[2], k = a[at->trans_a ? 1 : 2];
    tn_map_program program;
    if (at->epilogue) tn_map_ready(&program, at->epilogue);
    for (int64_t e = 0; e < y[0] * m * n; e++) {
        int64_t batch = e / (m * n), i = e / n % m, j = e % n;
        double sum = 0;
        for (int64_t l = 0; l < k; l++) {
            int64_t ia = at->trans_a ? l * m + i : i * k + l, ib = at->trans_b ? j * k + l : l * n + j;
            sum += call->in[0][batch * m * k + ia] * call->in[1][batch * k * n + ib];
        }
        call->out[0][e] = at->epilogue ? tn_map_epilogue(call, &program, sum, e) : sum;
    }
    if (at->sums) add_up(call, m, k);
}

static double flops(const tn_op_desc *desc)
{
    const tn_matmul_attrs *at = desc->attrs;
    return 2.0 * (double)tn_desc_count(&desc->out[0]) * (double)desc->in[0].dim[at->trans_a ? 1 : 2];
}

static tn_tensor *case_nn(tn_tensor *const in[])
{
    return tn_matmul(in[0], in[1]);
}

static tn_tensor *case_tn(tn_tensor *const in[])
{
    return tn_matmul_t(in[0], in[1], 1, 0);
}

static tn_tensor *case_nt(tn_tensor *const in[])
{
    return tn_matmul_t(in[0], in[1], 0, 1);
}

static tn_tensor *case_tt(tn_tensor *const in[])
{
    return tn_matmul_t(in[0], in[1], 1, 1);
}

static tn_tensor *case_epilogue(tn_tensor *const in[])
{
    return tn_sigmoid(tn_add(tn_matmul_t(in[0], in[1], 0, 1), in[2]));
}

/* A weight's gradient and the bias's in one kernel. */
static tn_tensor *case_sums(tn_tensor *const in[])
{
    tn_tensor *sums = tn_transpose(tn_sum(in[0], TN_AXES(0), 1), NULL);
    return tn_concat((tn_tensor *[]){case_tn(in), sums}, 2, 1);
}

static const tn_op_case cases[] = {
    {"one element", case_nn, {F32(1, 1), F32(1, 1)}},
    {"odd sizes", case_nn, {F32(7, 13), F32(13, 5)}},
    {"a transposed", case_tn, {F32(13, 7), F32(13, 5)}},
    {"b transposed", case_nt, {F32(7, 13), F32(5, 13)}},
    {"both transposed", case_tt, {F32(13, 7), F32(5, 13)}},
    {"inner size 1", case_nn, {F32(9, 1), F32(1, 11)}},
    {"inner size 0 gives zeros", case_nn, {F32(3, 0), F32(0, 4)}},
    {"no rows", case_nn, {F32(0, 5), F32(5, 4)}},
    {"tile edges", case_nt, {F32(33, 65), F32(31, 65)}},
    {"long inner size", case_tn, {F32(517, 9), F32(517, 10)}},
    {"a row", case_nn, {F32(1, 300), F32(300, 3)}},
    {"batches", case_nn, {F32(3, 4, 5), F32(3, 5, 6)}},
    {"batches of rank 4, b transposed", case_nt, {F32(2, 3, 4, 5), F32(2, 3, 7, 5)}},
    {"one b for all batches", case_nn, {F32(3, 4, 5), F32(5, 6)}},
    {"one b for all batches, a transposed", case_tn, {F32(3, 5, 4), F32(5, 6)}},
    {"one a for all batches", case_nn, {F32(4, 5), F32(3, 5, 6)}},
    {"batches that are broadcast both ways", case_nn, {F32(2, 1, 4, 5), F32(3, 5, 6)}},
    {"batches that are broadcast both ways, both transposed", case_tt, {F32(2, 1, 5, 4), F32(3, 6, 5)}},
    {"one b for the last dimension of a batch", case_nn, {F32(2, 3, 4, 5), F32(2, 1, 5, 6)}},
    {"one b for the last dimension of a batch, a transposed", case_tn, {F32(2, 3, 5, 4), F32(2, 1, 5, 6)}},
    {"one a for the last dimension of a batch", case_nt, {F32(2, 1, 4, 5), F32(2, 3, 6, 5)}},
    {"one a for the first dimension of a batch", case_nn, {F32(3, 4, 5), F32(2, 3, 5, 6)}},
    {"a batch of ones", case_nn, {F32(1, 1, 4, 5), F32(2, 3, 5, 6)}},
    {"a vector and a matrix", case_nn, {F32(5), F32(5, 6)}},
    {"batches and a vector", case_nn, {F32(2, 3, 4, 5), F32(5)}},
    {"vectors", case_nn, {F32(13), F32(13)}},
    {"a broadcast batch of none", case_nn, {F32(0, 1, 4, 5), F32(3, 5, 6)}},
    {"whole numbers", case_nn, {I32(7, 13), I32(13, 5)}, -9, 9, 1},
    {"whole numbers that wrap, both transposed", case_tt, {I32(13, 7), I32(5, 13)}, -2147483647, 2147483647, 1},
    {"batches of whole numbers that are broadcast", case_nt, {I32(2, 1, 4, 5), I32(3, 6, 5)}, -9, 9, 1},
    {"a vector of whole numbers", case_nn, {I32(3, 4, 5), I32(5)}, -9, 9, 1},
    {"the sums of a as well", case_sums, {F32(37, 19), F32(37, 65)}},
    {"the sums of a column", case_sums, {F32(3, 1), F32(3, 32)}},
    {"the sums of no columns", case_sums, {F32(3, 0), F32(3, 5)}},
    {"the sums of no rows", case_sums, {F32(0, 7), F32(0, 5)}},
    {"the sums beside no columns", case_sums, {F32(5, 7), F32(5, 0)}},
    {"bias and sigmoid", case_epilogue, {F32(19, 23), F32(17, 23), F32(17)}},
    {0},
};

static const tn_field fields[] = {
    TN_FIELD(tn_matmul_node, trans_a, FLAG), TN_FIELD(tn_matmul_node, trans_b, FLAG), {0}};

static const tn_field crosses[] = {TN_FIELD_NAMED(tn_matmul_attrs, trans_a, FLAG, "a transposed"),
                                   TN_FIELD_NAMED(tn_matmul_attrs, trans_b, FLAG, "b transposed"),
                                   TN_FIELD_NAMED(tn_matmul_attrs, sums, FLAG, "sums of a"),
                                   TN_FIELD(tn_matmul_attrs, reserved, NOTHING),
                                   TN_FIELD_NAMED(tn_matmul_attrs, epilogue, MAP, "then"),
                                   {0}};

const tn_op_def tn_op_matmul = {.name = "matmul",
                                .crosses = crosses,
                                .doc = "matrix product, of batches too",
                                .kind = TN_KERNEL,
                                .arity = 2,
                                .traits = TN_MULTIPLIES | TN_ADDS_UP,
                                TN_ATTRS(tn_matmul_node, fields),
                                .shape = shape,
                                .grad = grad,
                                .describe = describe,
                                .epilogue = epilogue,
                                .sums = sums,
                                .reference = reference,
                                .flops = flops,
                                .cases = cases,
                                .budget = TN_BUDGET_SUM};
