/* stock.c: see stock.h. The operations, one line each, and the programs that each sort of holder is given in turn. */
#include "stock.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attrs.h"
#include "cases.h"
#include "reference_internal.h"

/* ---- programs ---- */

#define INSTR(name, a, b)                                                                                              \
    {                                                                                                                  \
        name, {a, b, -1, -1}, TN_F32, 0, 0                                                                             \
    }
#define VALUED(name, a, b, number)                                                                                     \
    {                                                                                                                  \
        name, {a, b, -1, -1}, TN_F32, 0, number                                                                        \
    }
#define PROGRAM(result, ...)                                                                                           \
    {                                                                                                                  \
        .size = sizeof(tn_map_attrs), .instr = (const tn_map_instr[]){__VA_ARGS__}, .out = (const int32_t[]){result},  \
        .n_instr = sizeof((tn_map_instr[]){__VA_ARGS__}) / sizeof(tn_map_instr), .n_in = 2, .n_out = 1, .n_scalar = 2  \
    }

/* Of two inputs (the first one is the product, where there is one) and two scalars. */
static const tn_map_attrs programs[] = {
    PROGRAM(2, INSTR("add", 0, 1)),
    PROGRAM(2, INSTR("sub", 0, 1)),
    PROGRAM(2, INSTR("sub", 1, 0)),
    PROGRAM(2, INSTR("max", 0, 1)),
    PROGRAM(3, VALUED("const", -1, -1, 2), INSTR("add", 0, 2)),
    PROGRAM(3, VALUED("const", -1, -1, 3), INSTR("add", 0, 2)),
    PROGRAM(3, INSTR("scalar", 0, -1), INSTR("add", 0, 2)),
    PROGRAM(3, INSTR("scalar", 1, -1), INSTR("add", 0, 2)),
    PROGRAM(3, INSTR("scalar", 1, -1), INSTR("mul", 0, 2)),
    PROGRAM(3, INSTR("iota", 0, -1), INSTR("add", 0, 2)),
    PROGRAM(3, INSTR("iota", 1, -1), INSTR("add", 0, 2)),
    PROGRAM(3, INSTR("iota", 2, -1), INSTR("add", 0, 2)),
    PROGRAM(3, VALUED("uniform", 0, 1, 0), INSTR("add", 0, 2)),
    PROGRAM(3, VALUED("uniform", 0, 1, 5), INSTR("add", 0, 2)),
    PROGRAM(3, VALUED("uniform", 1, 0, 0), INSTR("add", 0, 2)),
    PROGRAM(3, VALUED("normal", 0, 1, 0), INSTR("add", 0, 2)),
};
enum { PROGRAMS = sizeof programs / sizeof *programs };

static const tn_map_attrs plain = {sizeof plain, NULL, (const int32_t[]){0}, 0, 1, 1, 0};
static const tn_map_attrs twice = {
    sizeof twice, (const tn_map_instr[]){INSTR("add", 0, 0)}, (const int32_t[]){1}, 1, 1, 1, 0};

/* ---- operations ---- */

/* A line of the stock. */
typedef struct line {
    const char *op;
    tn_type in[3], out[2]; /* up to the first without a type */
    tn_any_attrs attrs;
    int holds;                 /* each program in turn: it is as many operations */
    const tn_map_attrs *alone; /* or this one */
    int cancels;
} line;

#define BF16(...) TN_CASE_TYPE(TN_BF16, __VA_ARGS__)
#define F16(...)  TN_CASE_TYPE(TN_F16, __VA_ARGS__)

#define REDUCE(kind, axes, ...)                                                                                        \
    .attrs.reduce = {                                                                                                  \
        sizeof(tn_reduce_attrs), kind, NULL, {__VA_ARGS__}, sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t), axes}
#define FOLD(kind, axes, result)                                                                                       \
    {                                                                                                                  \
        "reduce", {F32(5, 6, 7)}, {result}, REDUCE(kind, axes, 5, 6, 7), .alone = &plain                               \
    }
#define MATMUL(a, b, sums) .attrs.matmul = {sizeof(tn_matmul_attrs), NULL, a, b, sums, 0}
#define TURN(...)                                                                                                      \
    {                                                                                                                  \
        "transpose", {F32(5, 5, 5)}, {F32(5, 5, 5)}, .attrs.transpose = { sizeof(tn_transpose_attrs), {__VA_ARGS__} }  \
    }
#define CUT(a, b, c, d) .attrs.slice = {sizeof(tn_slice_attrs), {a, b}, {c, d}}
#define CUTS(op, from, to)                                                                                             \
    {op, {from}, {to}, CUT(0, 0, 1, 1)}, {op, {from}, {to}, CUT(1, 0, 1, 1)}, {op, {from}, {to}, CUT(0, 2, 1, 1)},     \
        {op, {from}, {to}, CUT(0, 0, 2, 1)}, {op, {from}, {to}, CUT(0, 0, 1, 2)},                                      \
        {op, {from}, {to}, CUT(8, 0, -2, 1)},                                                                          \
    {                                                                                                                  \
        op, {from}, {to}, CUT(8, 8, -1, -1)                                                                            \
    }
#define CUMSUM(reverse, exclusive)                                                                                     \
    {                                                                                                                  \
        "cumsum", {F32(33, 9, 3)}, {F32(33, 9, 3)}, .attrs.cumsum = { sizeof(tn_cumsum_attrs), reverse, exclusive }    \
    }
#define TOPK(lines, n, m, inner, smallest)                                                                             \
    {                                                                                                                  \
        "topk", {F32(lines, n, inner)}, {I32(lines, m, inner)}, .attrs.topk = { sizeof(tn_topk_attrs), smallest, 0 }   \
    }
#define SEARCH(right)                                                                                                  \
    {                                                                                                                  \
        "searchsorted", {F32(9, 21), F32(9, 21)}, {I32(9, 21)}, .attrs.searchsorted = {                                \
            sizeof(tn_searchsorted_attrs),                                                                             \
            right,                                                                                                     \
            0                                                                                                          \
        }                                                                                                              \
    }
#define CONV(a, b, c, d, e, f) .attrs.conv = {sizeof(tn_conv_attrs), NULL, {a, b}, {c, d}, {e, f}, 1, 0}
#define CONVS(op, x, y, z)                                                                                             \
    {op, {x, y}, {z}, CONV(1, 1, 0, 0, 1, 1)}, {op, {x, y}, {z}, CONV(2, 1, 0, 0, 1, 1)},                              \
        {op, {x, y}, {z}, CONV(1, 2, 0, 0, 1, 1)}, {op, {x, y}, {z}, CONV(1, 1, 1, 0, 1, 1)},                          \
        {op, {x, y}, {z}, CONV(1, 1, 0, 1, 1, 1)}, {op, {x, y}, {z}, CONV(1, 1, 0, 0, 2, 1)},                          \
    {                                                                                                                  \
        op, {x, y}, {z}, CONV(1, 1, 0, 0, 1, 2)                                                                        \
    }
#define POOL(a, b, c, d, e, f, all) .attrs.pool = {sizeof(tn_pool_attrs), {a, b}, {c, d}, {e, f}, all, 0}
#define POOLED(op, from, z)                                                                                            \
    {op, from, {z}, POOL(2, 2, 1, 1, 0, 0, 0)}, {op, from, {z}, POOL(3, 2, 1, 1, 0, 0, 0)},                            \
        {op, from, {z}, POOL(2, 3, 1, 1, 0, 0, 0)}, {op, from, {z}, POOL(2, 2, 2, 1, 0, 0, 0)},                        \
        {op, from, {z}, POOL(2, 2, 1, 2, 0, 0, 0)}, {op, from, {z}, POOL(2, 2, 1, 1, 1, 0, 0)},                        \
        {op, from, {z}, POOL(2, 2, 1, 1, 0, 1, 0)}, {op, from, {z}, POOL(2, 2, 1, 1, 1, 1, 0)},                        \
    {                                                                                                                  \
        op, from, {z}, POOL(2, 2, 1, 1, 1, 1, 1)                                                                       \
    }
#define ONE(...)                                                                                                       \
    {                                                                                                                  \
        __VA_ARGS__                                                                                                    \
    }

static const line lines[] = {
    {"map", {F32(4, 5, 6), F32(4, 5, 6)}, {F32(4, 5, 6)}, .holds = 1},
    {"map", {F32(5003)}, {F32(5003)}, .alone = &twice},
    {"map", {F32(1, 5003)}, {BF16(1, 5003)}, .alone = &twice},
    {"reduce", {F32(4, 5, 6), F32(4, 5, 6)}, {F32(4, 1, 6)}, REDUCE("sum", 2, 4, 5, 6), .holds = 1},
    FOLD("sum", 1, F32(1, 6, 7)),
    FOLD("sum", 2, F32(5, 1, 7)),
    FOLD("sum", 4, F32(5, 6, 1)),
    FOLD("sum", 5, F32(1, 6, 1)),
    FOLD("prod", 2, F32(5, 1, 7)),
    FOLD("max", 2, F32(5, 1, 7)),
    FOLD("min", 2, F32(5, 1, 7)),
    FOLD("max", 4, F32(5, 6, 1)),
    FOLD("min", 4, F32(5, 6, 1)),
    FOLD("max", 7, F32(1, 1, 1)),
    FOLD("min", 7, F32(1, 1, 1)),
    FOLD("argmax", 2, I32(5, 1, 7)),
    FOLD("argmin", 2, I32(5, 1, 7)),
    FOLD("argmax", 4, I32(5, 6, 1)),
    FOLD("argmin", 4, I32(5, 6, 1)),
    {"reduce", {BF16(3, 4032)}, {BF16(3, 1)}, REDUCE("sum", 2, 3, 4032), .alone = &plain, .cancels = 1},
    {"reduce", {F16(3, 4032)}, {F16(3, 1)}, REDUCE("sum", 2, 3, 4032), .alone = &plain, .cancels = 1},
    {"matmul", {F32(3, 5, 5), F32(3, 5, 5), F32(3, 5, 5)}, {F32(3, 5, 5)}, MATMUL(0, 0, 0), .holds = 1},
    {"matmul", {F32(1, 6, 6), F32(1, 6, 6)}, {F32(1, 6, 6)}, MATMUL(0, 0, 0)},
    {"matmul", {F32(1, 6, 6), F32(1, 6, 6)}, {F32(1, 6, 6)}, MATMUL(1, 0, 0)},
    {"matmul", {F32(1, 6, 6), F32(1, 6, 6)}, {F32(1, 6, 6)}, MATMUL(0, 1, 0)},
    {"matmul", {F32(1, 6, 6), F32(1, 6, 6)}, {F32(1, 6, 6)}, MATMUL(1, 1, 0)},
    {"matmul", {F32(1, 6, 6), F32(1, 6, 6)}, {F32(1, 6, 6), F32(1, 6)}, MATMUL(0, 0, 1)},
    {"matmul", {F32(1, 6, 6), F32(1, 6, 6)}, {F32(1, 6, 6), F32(1, 6)}, MATMUL(1, 0, 1)},
    {"matmul", {F32(1, 40, 40), F32(1, 40, 40)}, {F32(1, 40, 40)}, MATMUL(0, 0, 0)},
    {"matmul", {F32(1, 40, 40), F32(1, 40, 40)}, {F32(1, 40, 40)}, MATMUL(1, 0, 0)},
    {"matmul", {F32(1, 40, 40), F32(1, 40, 40)}, {F32(1, 40, 40)}, MATMUL(0, 1, 0)},
    {"matmul", {F32(1, 5, 100), F32(1, 100, 90)}, {F32(1, 5, 90)}, MATMUL(0, 0, 0)},
    {"matmul", {F32(1, 130, 120), F32(1, 120, 110)}, {F32(1, 130, 110)}, MATMUL(0, 0, 0)},
    {"matmul", {F32(1, 3, 4032), F32(1, 4032, 2)}, {BF16(1, 3, 2)}, MATMUL(0, 0, 0), .cancels = 1},
    {"matmul", {F32(1, 3, 4032), F32(1, 4032, 2)}, {F16(1, 3, 2)}, MATMUL(0, 0, 0), .cancels = 1},
    {"softmax", {F32(40, 9, 2)}, {F32(40, 9, 2)}},
    {"softmax", {F32(2, 9, 40)}, {F32(2, 9, 40)}},
    {"softmax", {F32(40, 18, 1)}, {F32(40, 18, 1)}},
    {"log_softmax", {F32(40, 9, 2)}, {F32(40, 9, 2)}},
    {"log_softmax", {F32(40, 18, 1)}, {F32(40, 18, 1)}},
    TURN(0, 2, 1),
    TURN(1, 0, 2),
    TURN(2, 1, 0),
    TURN(1, 2, 0),
    TURN(2, 0, 1),
    {"gather", {I32(50, 1), I32(50)}, {I32(50, 1)}},
    {"gather", {F32(9, 40), I32(30)}, {F32(30, 40)}},
    {"window", {F32(9, 40)}, {F32(4, 40)}, .attrs.window = {sizeof(tn_window_attrs), 0, 0}},
    {"window", {F32(9, 40)}, {F32(4, 40)}, .attrs.window = {sizeof(tn_window_attrs), 1, 0}},
    {"scatter_add", {I32(50), F32(50, 9)}, {F32(7, 9)}},
    {"scatter_add", {I32(50), I32(50, 1)}, {I32(7, 1)}},
    CUTS("slice", F32(9, 9), F32(4, 4)),
    CUTS("unslice", F32(4, 4), F32(9, 9)),
    {"concat", {F32(5, 2, 3), F32(5, 3, 3), F32(5, 4, 3)}, {F32(5, 9, 3)}},
    {"concat", {F32(5, 3, 3), F32(5, 3, 3), F32(5, 3, 3)}, {F32(5, 9, 3)}},
    CUMSUM(0, 0),
    CUMSUM(1, 0),
    CUMSUM(0, 1),
    CUMSUM(1, 1),
    TOPK(300, 33, 5, 1, 0),
    TOPK(300, 33, 5, 1, 1),
    TOPK(20, 9, 9, 7, 0),
    TOPK(20, 9, 9, 7, 1),
    TOPK(9, 130, 20, 1, 0),
    SEARCH(0),
    SEARCH(1),
    {"take", {F32(6, 7, 3), I32(6, 9, 3)}, {F32(6, 9, 3)}},
    {"take", {I32(6, 9, 3), I32(6, 9, 3)}, {I32(6, 9, 3)}},
    {"put", {I32(6, 9, 3), F32(6, 9, 3)}, {F32(6, 7, 3)}},
    {"put", {I32(6, 9, 3), I32(6, 9, 3)}, {I32(6, 7, 3)}},
    {"conv2d",
     {F32(2, 3, 5, 5), F32(3, 3, 2, 2), F32(2, 3, 4, 4)},
     {F32(2, 3, 4, 4)},
     CONV(1, 1, 0, 0, 1, 1),
     .holds = 1},
    CONVS("conv2d", F32(2, 4, 7, 7), F32(3, 4, 2, 2), F32(2, 3, 3, 3)),
    {"conv2d", {F32(2, 2, 3, 3), F32(2, 2, 3, 3)}, {F32(2, 2, 3, 3)}, CONV(1, 1, 1, 1, 1, 1)},
    {"conv2d", {F32(1, 16, 9, 9), F32(16, 16, 3, 3)}, {F32(1, 16, 7, 7)}, CONV(1, 1, 0, 0, 1, 1)},
    CONVS("conv2d_data", F32(2, 3, 3, 3), F32(3, 4, 2, 2), F32(2, 4, 7, 7)),
    {"conv2d_data", {F32(2, 2, 3, 3), F32(2, 2, 3, 3)}, {F32(2, 2, 3, 3)}, CONV(1, 1, 1, 1, 1, 1)},
    CONVS("conv2d_weight", F32(2, 4, 7, 7), F32(2, 3, 3, 3), F32(3, 4, 2, 2)),
    {"conv2d_weight", {F32(2, 2, 3, 3), F32(2, 2, 3, 3)}, {F32(2, 2, 3, 3)}, CONV(1, 1, 1, 1, 1, 1)},
    POOLED("maxpool2d", ONE(F32(2, 3, 7, 7)), F32(2, 3, 3, 3)),
    POOLED("maxpool2d_grad", ONE(F32(2, 3, 7, 7), F32(2, 3, 3, 3)), F32(2, 3, 7, 7)),
    {"maxpool2d_grad", {F32(2, 3, 5, 5), F32(2, 3, 5, 5)}, {F32(2, 3, 5, 5)}, POOL(3, 3, 1, 1, 1, 1, 0)},
    POOLED("avgpool2d", ONE(F32(2, 3, 7, 7)), F32(2, 3, 3, 3)),
    POOLED("avgpool2d_grad", ONE(F32(2, 3, 3, 3)), F32(2, 3, 7, 7)),
};
enum { LINES = sizeof lines / sizeof *lines };

uint32_t tn_kit_stock_count(void)
{
    uint32_t count = 0;
    for (int i = 0; i < LINES; i++) count += lines[i].holds ? PROGRAMS : 1;
    return count;
}

static const line *line_of(uint32_t number, const tn_map_attrs **program)
{
    const line *l = lines;
    for (; number >= (l->holds ? PROGRAMS : 1u); l++) number -= l->holds ? PROGRAMS : 1u;
    *program = l->holds ? &programs[number] : l->alone;
    return l;
}

/* ---- descriptions ---- */

static uint32_t describe(tn_tensor_desc to[], const tn_type from[], uint32_t most)
{
    uint32_t n = 0;
    for (; n < most && from[n].dtype; n++) to[n] = tn_desc_dense(from[n].dtype, &from[n].shape);
    return n;
}

void tn_kit_stock_make(uint32_t number, tn_kit_item *item)
{
    const tn_map_attrs *program = NULL;
    const line *l = line_of(number, &program);
    tn_operation *o = &item->operation;
    memset(item, 0, sizeof *item);
    memcpy(&o->attrs, &l->attrs, sizeof l->attrs);
    tn_attrs_set_program(l->op, &o->attrs, program);
    o->desc = (tn_op_desc){.size = sizeof o->desc, .name = l->op, .in = o->in, .out = o->out};
    o->desc.n_in = describe(o->in, l->in, 3), o->desc.n_out = describe(o->out, l->out, 2);
    if (o->attrs.size) o->desc.attrs = &o->attrs;
    item->job = (tn_kit_job){.desc = &o->desc, .scalar = item->scalar, .n_scalar = 2};
    item->cancels = l->cancels;
}

/* ---- operands ---- */

static double special(tn_kit *kit, tn_kit_numbers numbers)
{
    static const double value[TN_KIT_NUMBERS] = {0, -INFINITY, INFINITY, NAN, 0, FLT_MAX, -FLT_MAX, 1e-39};
    const double x = value[numbers];
    return numbers == TN_KIT_ZEROS && tn_kit_bits(kit) & 1 ? -x : x;
}

/* Numbers of one sign and then of the other, a few at a time, which next to nothing is left of: a sum on the way is
 * large enough that few digits of it are too few, and small enough for f32 in any order. */
static void make_cancel(tn_kit *kit, double x[], int64_t count, int64_t n)
{
    enum { RUN = 96 };
    for (int64_t e = 0; e < count; e++)
        x[e] = e % n % (2 * RUN) < RUN ? tn_kit_uniform(kit, 1, 2) : -x[e - RUN] + tn_kit_uniform(kit, -0.01, 0.01);
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void make_numbers(tn_kit *kit, const tn_kit_item *item, uint32_t i, tn_kit_numbers numbers, double x[])
{
    const tn_tensor_desc *desc = &item->operation.in[i];
    const int64_t count = tn_desc_count(desc), last = desc->dim[desc->rank - 1];
    const int sorted = !strcmp(item->operation.desc.name, "searchsorted");
    for (int64_t e = 0; e < count; e++)
        x[e] = desc->dtype == TN_I32 ? (double)(tn_kit_bits(kit) % 9) - 1
               : item->cancels       ? 1
               : numbers             ? special(kit, numbers)
               : sorted              ? (double)(tn_kit_bits(kit) % 12)
                                     : tn_kit_uniform(kit, -1, 1);
    if (item->cancels && !i) make_cancel(kit, x, count, last);
    for (int64_t e = 0; sorted && !numbers && e < count; e += last) qsort(x + e, (size_t)last, sizeof *x, by_size);
}

static int make_input(tn_kit *kit, tn_kit_item *item, uint32_t i, tn_kit_numbers numbers)
{
    const tn_tensor_desc *desc = &item->operation.in[i];
    double *x = calloc((size_t)tn_desc_count(desc), sizeof *x);
    unsigned char *data = malloc(tn_kit_bytes(desc));
    if (x && data) {
        make_numbers(kit, item, i, numbers, x);
        tn_reference_store(data, x, desc);
    }
    item->job.in[i] = data;
    free(x);
    return tn_kit_expect(kit, x && data, "out of memory");
}

/* Whole numbers where a window begins or random numbers do, else others. */
static void make_scalars(tn_kit *kit, tn_kit_item *item)
{
    const tn_map_attrs *map = tn_attrs_program(&item->operation.desc);
    for (int i = 0; i < 2; i++)
        if (map && map->n_instr && !strcmp(map->instr[0].op, "scalar"))
            item->scalar[i].f = tn_kit_uniform(kit, -3, 3);
        else
            item->scalar[i].i = tn_kit_bits(kit) % 5;
}

int tn_kit_stock_fill(tn_kit *kit, tn_kit_item *item, tn_kit_numbers numbers, uint32_t twin, uint32_t of)
{
    const tn_op_desc *desc = item->job.desc;
    tn_kit_stock_free(item);
    make_scalars(kit, item);
    for (uint32_t i = 0; i < desc->n_in; i++)
        if (!make_input(kit, item, i, numbers)) return 0;
    if (twin) memcpy((void *)(uintptr_t)item->job.in[twin], item->job.in[of], tn_kit_bytes(&desc->in[twin]));
    for (uint32_t k = 0; k < desc->n_out; k++)
        if (!tn_kit_expect(kit, (item->job.out[k] = calloc(tn_kit_bytes(&desc->out[k]), 1)) != NULL, "out of memory"))
            return 0;
    return tn_kit_expected(kit, &item->job, &item->want);
}

void tn_kit_stock_free(tn_kit_item *item)
{
    for (int i = 0; i < TN_MAX_OPERANDS; i++) {
        free((void *)(uintptr_t)item->job.in[i]), free(item->job.out[i]);
        item->job.in[i] = NULL, item->job.out[i] = NULL;
    }
    tn_kit_want_free(&item->want);
    memset(&item->want, 0, sizeof item->want);
}
