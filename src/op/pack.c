/* pack.c: tensors side by side in a vector, and the parts of one. Nothing is moved for a part; what is packed is made
 * where it belongs, if it can be (settle.c in the graph's passes). */
#include "cases.h"
#include "check.h"
#include "graph.h"
#include "leaf.h"

int64_t tn_pack_next(int64_t start, const tn_tensor *x)
{
    int64_t end = start + tn_shape_count(&x->type.shape);
    return (end + TN_PACK_STEP - 1) / TN_PACK_STEP * TN_PACK_STEP;
}

/* ---- pack ---- */

static tn_status shape_pack(tn_tensor *const in[], uint32_t n_in, const void *attrs, tn_type *out)
{
    int64_t start = 0;
    (void)attrs;
    for (uint32_t i = 0; i < n_in; i++) {
        TN_REQUIRE(in[i]->type.dtype == in[0]->type.dtype, TN_EDTYPE, "pack: element types %s and %s differ",
                   tn_dtype_name(in[0]->type.dtype), tn_dtype_name(in[i]->type.dtype));
        *out = (tn_type){in[0]->type.dtype, TN_SHAPE(start + tn_shape_count(&in[i]->type.shape))};
        start = tn_pack_next(start, in[i]);
    }
    return TN_OK;
}

static void grad_pack(tn_tensor *y, tn_tensor *dy, tn_tensor *din[])
{
    for (uint32_t i = 0; i < y->n_in; i++) din[i] = tn_unpack(dy, y, i);
}

tn_tensor *tn_pack(tn_tensor *const part[], size_t count)
{
    tn_graph *graph = tn_graph_of(part && count ? part[0] : NULL);
    if (count > UINT32_MAX) tn_node_fail(graph, TN_EINVAL, "pack: too many tensors");
    return tn_node(&tn_op_pack, graph, part, part ? (uint32_t)count : 0, NULL);
}

int tn_is_packed_variables(const tn_tensor *x)
{
    if (x->op != &tn_op_pack) return 0;
    for (uint32_t i = 0; i < x->n_in; i++)
        if (x->in[i]->op != &tn_op_variable) return 0;
    return 1;
}

/* ---- part ---- */

static tn_status shape_part(tn_tensor *const in[], uint32_t n_in, const void *raw, tn_type *out)
{
    const tn_part_node *at = raw;
    int64_t count = tn_shape_count(&at->shape);
    char text[160];
    (void)n_in;
    TN_REQUIRE(in[0]->type.shape.rank == 1 && at->start >= 0 && count <= in[0]->type.shape.dim[0] &&
                   at->start <= in[0]->type.shape.dim[0] - count,
               TN_ESHAPE, "unpack: %s has no %lld elements from %lld on",
               tn_shape_text(&in[0]->type.shape, text, sizeof text), (long long)count, (long long)at->start);
    *out = (tn_type){in[0]->type.dtype, at->shape};
    return TN_OK;
}

static void grad_part(tn_tensor *y, tn_tensor *dy, tn_tensor *din[])
{
    int64_t start = ((const tn_part_node *)y->attrs)->start, count = tn_shape_count(&y->type.shape);
    din[0] = tn_pad(tn_reshape(dy, TN_SHAPE(-1)), 0, start, y->in[0]->type.shape.dim[0] - start - count);
}

tn_tensor *tn_part(tn_tensor *x, int64_t start, tn_shape shape)
{
    tn_part_node at = {.start = start};
    tn_keep_shape(&at.shape, shape);
    return tn_node(&tn_op_part, NULL, &x, 1, &at);
}

tn_tensor *tn_unpack(tn_tensor *x, const tn_tensor *pack, size_t number)
{
    int64_t start = 0;
    tn_graph *graph = tn_graph_of(x);
    if (tn_graph_status(graph)) return graph->empty;
    if (!pack || pack->op != &tn_op_pack || number >= pack->n_in) {
        tn_node_fail(graph, TN_EINVAL, "tn_unpack: %s",
                     !pack                     ? "pack is NULL"
                     : pack->op == &tn_op_pack ? "no such part"
                                               : "a vector that is no pack");
        return graph->empty;
    }
    for (size_t i = 0; i < number; i++) start = tn_pack_next(start, pack->in[i]);
    return tn_part(x, start, pack->in[number]->type.shape);
}

/* ---- what simplify knows ---- */

static int is_part_at(const tn_tensor *x, int64_t start, const tn_tensor *whole)
{
    return x->op == &tn_op_part && x->in[0] == whole && ((const tn_part_node *)x->attrs)->start == start;
}

/* Parts of x that are packed as they lie in x are a part of it, or all. */
static tn_tensor *join_parts(tn_tensor *y)
{
    const tn_tensor *first = y->in[0];
    tn_tensor *whole = first->op == &tn_op_part ? first->in[0] : NULL;
    int64_t begin = whole ? ((const tn_part_node *)first->attrs)->start : 0, start = begin;
    if (!whole || begin % TN_PACK_STEP) return y;
    for (uint32_t i = 0; i < y->n_in; i++) {
        if (!is_part_at(y->in[i], start, whole)) return y;
        start = tn_pack_next(start, y->in[i]);
    }
    return tn_shape_equal(&whole->type.shape, &y->type.shape) ? whole : tn_part(whole, begin, y->type.shape);
}

/* A part of what is packed is what was packed there. */
static tn_tensor *find_part(tn_tensor *y)
{
    const tn_tensor *pack = y->in[0];
    int64_t start = 0, wanted = ((const tn_part_node *)y->attrs)->start, count = tn_shape_count(&y->type.shape);
    for (uint32_t i = 0; pack->op == &tn_op_pack && i < pack->n_in && start <= wanted; i++) {
        if (start == wanted && tn_shape_count(&pack->in[i]->type.shape) == count)
            return tn_reshape(pack->in[i], y->type.shape);
        start = tn_pack_next(start, pack->in[i]);
    }
    return y;
}

tn_tensor *tn_simplify_pack(tn_tensor *y)
{
    return y->op == &tn_op_pack ? join_parts(y) : find_part(y);
}

/* ---- cases ---- */

static tn_tensor *case_three(tn_tensor *const in[])
{
    tn_tensor *part[] = {in[0], in[1], tn_square(in[2])};
    return tn_square(tn_pack(part, 3));
}

static tn_tensor *case_one(tn_tensor *const in[])
{
    return tn_pack(in, 1);
}

static tn_tensor *case_same(tn_tensor *const in[])
{
    tn_tensor *sum = tn_add(in[0], in[1]), *part[] = {sum, in[0], sum};
    return tn_exp(tn_pack(part, 3));
}

static const tn_op_case cases_pack[] = {
    {"three", case_three, {F32(3, 5), F32(1), F32(2, 1, 40)}},
    {"one", case_one, {F32(2, 3)}},
    {"one of them twice", case_same, {F32(33), F32(33)}},
    {"nothing among them", case_three, {F32(7), F32(0, 3), F32(4)}},
    {0},
};

static tn_tensor *case_second(tn_tensor *const in[])
{
    tn_tensor *pack = tn_pack(in, 2);
    return tn_mul(tn_unpack(tn_exp(pack), pack, 1), in[1]);
}

static tn_tensor *case_all(tn_tensor *const in[])
{
    tn_tensor *pack = tn_pack(in, 2), *y = tn_tanh(pack);
    return tn_matmul(tn_unpack(y, pack, 0), tn_unpack(y, pack, 1));
}

static const tn_op_case cases_part[] = {
    {"the second", case_second, {F32(3, 5), F32(2, 3)}},
    {"all", case_all, {F32(3, 35), F32(35, 2)}},
    {0},
};

static const tn_field fields[] = {TN_FIELD(tn_part_node, start, NUMBER), TN_FIELD(tn_part_node, shape, SHAPE), {0}};

const tn_op_def tn_op_pack = {.name = "pack",
                              .doc = "tensors side by side in a vector",
                              .kind = TN_VIEW,
                              .arity = -1,
                              .shape = shape_pack,
                              .grad = grad_pack,
                              .cases = cases_pack};

const tn_op_def tn_op_part = {.name = "part",
                              .doc = "a part of a vector, in a shape of its own",
                              .kind = TN_VIEW,
                              .arity = 1,
                              TN_ATTRS(tn_part_node, fields),
                              .shape = shape_part,
                              .grad = grad_part,
                              .cases = cases_part};
