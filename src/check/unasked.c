/* unasked.c: operations that the plugin boundary allows and that our compiler asks for in few graphs or in none, made
 * by hand. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cases.h"
#include "reference_internal.h"
#include "sample.h"
#include "stock.h"

/* A product of (batch, m, k) and (batch, k, n), and the sums of a over k; of stride 0 over the batch is one that is the
 * same for all. */
typedef struct product {
    const char *name;
    int64_t batch, m, k, n;
    uint32_t one_a, one_b, trans_a;
    float large; /* an element of a; 0: none */
} product;

static tn_tensor_desc operand(int64_t batch, int64_t rows, int64_t columns, uint32_t is_one)
{
    tn_tensor_desc x = tn_kit_dense(3, batch, rows, columns);
    if (is_one) x.stride[0] = 0;
    return x;
}

static void describe(const product *p, tn_kit_sample *s)
{
    tn_operation *o = &s->operation;
    *s = (tn_kit_sample){0};
    o->in[0] = operand(p->batch, p->trans_a ? p->k : p->m, p->trans_a ? p->m : p->k, p->one_a);
    o->in[1] = operand(p->batch, p->k, p->n, p->one_b);
    o->out[0] = tn_kit_dense(3, p->batch, p->m, p->n);
    o->out[1] = tn_kit_dense(2, p->batch, p->m, 0);
    o->attrs.matmul = (tn_matmul_attrs){.size = sizeof(tn_matmul_attrs), .trans_a = p->trans_a, .sums = 1};
    o->desc = (tn_op_desc){.size = sizeof o->desc, .name = "matmul", .n_in = 2, .n_out = 2};
    o->desc.in = o->in, o->desc.out = o->out, o->desc.attrs = &o->attrs;
    s->job.desc = &o->desc;
}

static int fill(tn_kit *kit, const product *p, tn_kit_sample *s)
{
    for (uint32_t i = 0; i < 2; i++) {
        const uint64_t count = tn_kit_bytes(&s->operation.in[i]) / sizeof(float);
        float *x = malloc(count * sizeof *x);
        s->job.in[i] = (unsigned char *)x;
        s->job.out[i] = malloc(tn_kit_bytes(&s->operation.out[i]));
        if (!x || !s->job.out[i]) return tn_kit_expect(kit, 0, "out of memory");
        for (uint64_t e = 0; e < count; e++) x[e] = (float)tn_kit_uniform(kit, -1, 1);
        if (p->large && !i) x[count / 2] = p->large;
    }
    return 1;
}

static int try_product(tn_kit *kit, const product *p)
{
    tn_kit_sample s;
    tn_kit_want want;
    describe(p, &s);
    int fine = fill(kit, p, &s);
    if (fine && (fine = tn_kit_expected(kit, &s.job, &want))) {
        int answer = tn_kit_run_job(kit, &s.job);
        fine = answer == TN_KIT_REFUSED || (answer == TN_KIT_RAN && tn_kit_compare(kit, &s.job, &want, p->name));
        tn_kit_want_free(&want);
    }
    tn_kit_sample_free(&s);
    return fine;
}

static void sums_of_batches(tn_kit *kit)
{
    static const product list[] = {
        {" (with the sums of a)", 1, 7, 9, 5, 0, 0, 0},
        {" (with the sums of a transposed)", 1, 7, 9, 5, 0, 0, 1},
        {" (with the sums of each a)", 3, 7, 9, 5, 0, 0, 0},
        {" (with the sums of each a transposed)", 3, 7, 9, 5, 0, 0, 1},
        {" (with the sums of each a, b the same for all)", 3, 7, 9, 5, 0, 1, 0},
        {" (with the sums of a that is the same for all)", 3, 7, 9, 5, 1, 0, 0},
        {" (with the sums of a transposed that is the same for all)", 4, 33, 40, 37, 1, 0, 1},
        {" (with the sums of a, both the same for all)", 3, 7, 9, 5, 1, 1, 0},
        {" (with the sums of a transposed, larger)", 1, 230, 301, 530, 0, 0, 1},
        {" (with the sums of a transposed, and of 1e38 in it)", 1, 100, 150, 300, 0, 0, 1, 1e38F},
    };
    int fine = tn_kit_open(kit);
    kit->result->checks = 0; /* opening is no check of the product */
    for (size_t i = 0; fine && i < sizeof list / sizeof *list; i++) fine = try_product(kit, &list[i]);
    const uint32_t checks = kit->result->checks;
    tn_kit_close(kit);
    kit->result->checks = checks;
    if (kit->result->refused)
        tn_kit_remark(kit, "%u products were refused; the last: %.300s", kit->result->refused, kit->text);
}

/* ---- operands of several types ---- */

/* Numbers that a narrower type can't hold, but for those that may be stored in one. */
static int make_wide(tn_kit *kit, tn_kit_item *item, uint32_t i)
{
    static const double scale[] = {1, 0x1p18, 0x1p-18};
    const tn_tensor_desc *x = &item->operation.in[i];
    const int64_t count = tn_desc_count(x);
    const unsigned scales = x->dtype == TN_F16 ? 1 : 3;
    double *number = calloc((size_t)count + 1, sizeof *number);
    unsigned char *data = malloc(tn_kit_bytes(x) + 1);
    for (int64_t e = 0; number && e < count; e++)
        number[e] = tn_kit_uniform(kit, -1, 1) * scale[tn_kit_bits(kit) % scales];
    if (number && data) tn_reference_store(data, number, x);
    free(number);
    item->job.in[i] = data;
    return tn_kit_expect(kit, number && data, "out of memory");
}

/* Each of `rows` results is the sum of two of `depth` numbers of the other operand: those whose factor is 1 here. All
 * other factors are 0, so that no rounding but that of the sum is allowed, whatever this operand's type. */
typedef struct pick {
    uint32_t operand;
    int64_t rows, depth; /* 0: nothing is picked */
    int turned;          /* the operand is stored (depth, rows) */
} pick;

static int make_pick(tn_kit *kit, tn_kit_item *item, const pick *p)
{
    const tn_tensor_desc *x = &item->operation.in[p->operand];
    double *number = calloc((size_t)(p->rows * p->depth), sizeof *number);
    unsigned char *data = malloc(tn_kit_bytes(x));
    for (int64_t r = 0; number && r < p->rows; r++)
        for (int twice = 0; twice < 2; twice++) {
            const int64_t l = (twice ? 11 * r + 5 : 7 * r + 3) % p->depth;
            number[p->turned ? l * p->rows + r : r * p->depth + l] = 1;
        }
    if (number && data) tn_reference_store(data, number, x);
    free(number);
    item->job.in[p->operand] = data;
    return tn_kit_expect(kit, number && data, "out of memory");
}

/* Exactly rounded sums of two numbers. */
static void allow_rounding(tn_kit_want *want, const tn_tensor_desc *y)
{
    for (int64_t e = 0; e < tn_desc_count(y); e++) want->allowed[0][e] = 0x1p-23 * fabs(want->value[0][e]);
    want->norm[0] = 0;
}

/* The item's description is whole, its operands are not there yet. */
static int try_item(tn_kit *kit, tn_kit_item *item, const pick *p, const char *how)
{
    tn_operation *o = &item->operation;
    int fine = 1;
    o->desc.size = sizeof o->desc, o->desc.n_out = 1, o->desc.in = o->in, o->desc.out = o->out;
    if (o->attrs.size) o->desc.attrs = &o->attrs;
    item->job.desc = &o->desc, item->job.scalar = item->scalar;
    for (uint32_t i = 0; fine && i < o->desc.n_in; i++)
        fine = p->depth && p->operand == i ? make_pick(kit, item, p) : make_wide(kit, item, i);
    fine =
        fine && tn_kit_expect(kit, (item->job.out[0] = calloc(tn_kit_bytes(o->out) + 1, 1)) != NULL, "out of memory");
    fine = fine && tn_kit_expected(kit, &item->job, &item->want);
    if (fine && p->depth) allow_rounding(&item->want, o->out);
    const int answer = fine ? tn_kit_run_job(kit, &item->job) : TN_KIT_WRONG;
    if (answer == TN_KIT_RAN) fine = tn_kit_compare(kit, &item->job, &item->want, how);
    tn_kit_stock_free(item);
    return fine && answer != TN_KIT_WRONG;
}

enum { NEITHER, FIRST, SECOND, FACTORS };

static int try_factors(tn_kit *kit, int32_t a, int32_t b, uint32_t trans, int picks)
{
    const int64_t m = 33, k = 40, n = 37;
    tn_kit_item item = {.job = {.desc = NULL}};
    tn_operation *o = &item.operation;
    const uint32_t trans_a = trans == 1, trans_b = trans == 2;
    const pick pickers[FACTORS] = {{0, 0, 0, 0}, {0, m, k, (int)trans_a}, {1, n, k, !trans_b}};
    o->in[0] = tn_desc_dense(a, &(tn_shape){3, {1, trans_a ? k : m, trans_a ? m : k}});
    o->in[1] = tn_desc_dense(b, &(tn_shape){3, {1, trans_b ? n : k, trans_b ? k : n}});
    o->out[0] = tn_desc_dense(TN_F32, &(tn_shape){3, {1, m, n}});
    o->attrs.matmul = (tn_matmul_attrs){.size = sizeof(tn_matmul_attrs), .trans_a = trans_a, .trans_b = trans_b};
    o->desc.name = "matmul", o->desc.n_in = 2;
    return try_item(kit, &item, &pickers[picks],
                    picks ? ", of factors of which one picks" : ", of factors of two types");
}

/* The product of two operands for each element; or the sum or the largest of them. */
static int try_elements(tn_kit *kit, int32_t a, int32_t b, const char *kind)
{
    static const tn_map_instr instr = {"mul", {0, 1, -1, -1}, TN_F32, 0, 0};
    static const int32_t out = 2;
    static const tn_map_attrs map = {sizeof map, &instr, &out, 1, 2, 1, 0};
    tn_kit_item item = {.job = {.desc = NULL}};
    tn_operation *o = &item.operation;
    o->in[0] = tn_desc_dense(a, &(tn_shape){2, {19, 71}}), o->in[1] = tn_desc_dense(b, &(tn_shape){2, {19, 71}});
    o->out[0] = tn_desc_dense(TN_F32, &(tn_shape){2, {19, kind ? 1 : 71}});
    if (kind)
        o->attrs.reduce = (tn_reduce_attrs){sizeof(tn_reduce_attrs), kind, &map, {19, 71}, 2, 2};
    else
        o->attrs.map = map;
    o->desc.name = kind ? "reduce" : "map", o->desc.n_in = 2;
    return try_item(kit, &item, &(pick){0}, ", of operands of two types");
}

/* A convolution's x and weight are of one type, and its result may be wider. */
static int try_wider(tn_kit *kit, int32_t dtype, const pick *p)
{
    tn_kit_item item = {.job = {.desc = NULL}};
    tn_operation *o = &item.operation;
    o->in[0] = tn_desc_dense(dtype, &(tn_shape){4, {2, 5, 9, 8}});
    o->in[1] = tn_desc_dense(dtype, &(tn_shape){4, {7, 5, 3, 3}});
    o->out[0] = tn_desc_dense(TN_F32, &(tn_shape){4, {2, 7, 7, 6}});
    o->attrs.conv = (tn_conv_attrs){sizeof(tn_conv_attrs), NULL, {1, 1}, {0, 0}, {1, 1}, 1, 0};
    o->desc.name = "conv2d", o->desc.n_in = 2;
    return try_item(kit, &item, p, ", of a narrow type, into a wider one");
}

/* x s + s, of a run-time scalar in f64 that is none of f32. */
static int try_scalar(tn_kit *kit)
{
    static const tn_map_instr instr[] = {{"scalar", {0, -1, -1, -1}, TN_F64, 0, 0},
                                         {"mul", {0, 1, -1, -1}, TN_F64, 0, 0},
                                         {"add", {2, 1, -1, -1}, TN_F64, 0, 0}};
    static const int32_t out = 3;
    tn_kit_item item = {.job = {.n_scalar = 1}, .scalar = {{.f = 0.1}}};
    tn_operation *o = &item.operation;
    o->in[0] = o->out[0] = tn_desc_dense(TN_F64, &(tn_shape){1, {101}});
    o->attrs.map = (tn_map_attrs){sizeof(tn_map_attrs), instr, &out, 3, 1, 1, 1};
    o->desc.name = "map", o->desc.n_in = 1;
    return try_item(kit, &item, &(pick){0}, ", with a run-time scalar in f64");
}

/* Transposed where they are of two types. */
static int try_types(tn_kit *kit, int32_t a, int32_t b)
{
    int fine = 1;
    for (uint32_t trans = 0; fine && trans < (a == b ? 1 : 3); trans++)
        for (int picks = NEITHER; fine && picks < FACTORS; picks++) fine = try_factors(kit, a, b, trans, picks);
    return fine;
}

static void mixed(tn_kit *kit)
{
    static const int32_t types[] = {TN_F32, TN_F16, TN_BF16};
    static const char *const kinds[] = {NULL, "sum", "max"};
    static const pick none, taps = {1, 7, 45, 0};
    int fine = tn_kit_open(kit) && try_scalar(kit);
    for (int i = 1; fine && i < 3; i++) fine = try_wider(kit, types[i], &none) && try_wider(kit, types[i], &taps);
    for (int i = 1; fine && i < 9; i++) fine = !tn_kit_takes(kit, i, 9) || try_types(kit, types[i / 3], types[i % 3]);
    for (int i = 0; fine && i < 9; i++) fine = try_elements(kit, types[i / 3], types[(i / 3 + 1) % 3], kinds[i % 3]);
    tn_kit_close(kit);
}

/* ---- nothing goes in, and something comes out ---- */

#define MATMUL(sums) .attrs.matmul = {sizeof(tn_matmul_attrs), NULL, 0, 0, sums, 0}
#define CONV         .attrs.conv = {sizeof(tn_conv_attrs), NULL, {1, 1}, {0, 0}, {1, 1}, 1, 0}
#define POOL         .attrs.pool = {sizeof(tn_pool_attrs), {2, 2}, {1, 1}, {0, 0}, 0, 0}

static const struct empty {
    const char *op;
    tn_type in[2], out;
    union {
        tn_matmul_attrs matmul;
        tn_slice_attrs slice;
        tn_searchsorted_attrs searchsorted;
        tn_conv_attrs conv;
        tn_pool_attrs pool;
    } attrs;
} empties[] = {
    {"matmul", {F32(2, 3, 0), F32(2, 0, 4)}, F32(2, 3, 4), MATMUL(0)},
    {"gather", {F32(0, 3), I32(5)}, F32(5, 3)},
    {"take", {F32(2, 0, 3), I32(2, 4, 3)}, F32(2, 4, 3)},
    {"scatter_add", {I32(0), F32(0, 3)}, F32(4, 3)},
    {"put", {I32(2, 0, 3), F32(2, 0, 3)}, F32(2, 5, 3)},
    {"unslice", {F32(0, 5)}, F32(4, 5), .attrs.slice = {sizeof(tn_slice_attrs), {0}, {1, 1}}},
    {"unslice", {F32(2, 0)}, F32(4, 5), .attrs.slice = {sizeof(tn_slice_attrs), {1}, {2, 1}}},
    {"concat", {F32(2, 0, 3), F32(2, 4, 3)}, F32(2, 4, 3)},
    {"concat", {F32(2, 4, 3), F32(2, 0, 3)}, F32(2, 4, 3)},
    {"searchsorted", {F32(2, 0), F32(2, 3)}, I32(2, 3), .attrs.searchsorted = {sizeof(tn_searchsorted_attrs), 0, 0}},
    {"conv2d", {F32(2, 0, 5, 5), F32(3, 0, 2, 2)}, F32(2, 3, 4, 4), CONV},
    {"conv2d", {F32(2, 3, 0, 5), F32(3, 3, 2, 2)}, F32(2, 3, 4, 4), CONV},
    {"conv2d_data", {F32(2, 0, 4, 4), F32(0, 3, 2, 2)}, F32(2, 3, 5, 5), CONV},
    {"conv2d_data", {F32(2, 3, 0, 4), F32(3, 3, 2, 2)}, F32(2, 3, 5, 5), CONV},
    {"conv2d_weight", {F32(0, 3, 5, 5), F32(0, 4, 4, 4)}, F32(4, 3, 2, 2), CONV},
    {"conv2d_weight", {F32(2, 3, 5, 5), F32(2, 4, 0, 4)}, F32(4, 3, 2, 2), CONV},
    {"maxpool2d", {F32(2, 3, 0, 5)}, F32(2, 3, 2, 2), POOL},
    {"maxpool2d_grad", {F32(2, 3, 5, 5), F32(2, 3, 0, 4)}, F32(2, 3, 5, 5), POOL},
    {"avgpool2d", {F32(2, 3, 0, 5)}, F32(2, 3, 2, 2), POOL},
    {"avgpool2d_grad", {F32(2, 3, 0, 4)}, F32(2, 3, 5, 5), POOL},
};

static void empty(tn_kit *kit)
{
    int fine = tn_kit_open(kit);
    for (size_t i = 0; fine && i < sizeof empties / sizeof *empties; i++) {
        const struct empty *e = &empties[i];
        tn_kit_item item = {.job = {.desc = NULL}};
        tn_operation *o = &item.operation;
        uint32_t n = 0;
        for (; n < 2 && e->in[n].dtype; n++) o->in[n] = tn_desc_dense(e->in[n].dtype, &e->in[n].shape);
        o->out[0] = tn_desc_dense(e->out.dtype, &e->out.shape);
        memcpy(&o->attrs, &e->attrs, sizeof e->attrs);
        o->desc.name = e->op, o->desc.n_in = n;
        fine = try_item(kit, &item, &(pick){0}, ", of nothing");
    }
    tn_kit_close(kit);
}

const tn_kit_case tn_kit_unasked[] = {
    {"abi", "sums", "products of batches with the sums of a, which may be the same for all", sums_of_batches, NULL, 0,
     0},
    {"abi", "mixed", "operands of several types, and run-time scalars in f64", mixed},
    {"abi", "empty", "what is made of operands without an element", empty},
    {0},
};
