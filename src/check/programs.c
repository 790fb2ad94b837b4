/* programs.c: programs whose parts a backend may take for one another: several random instructions, constants that are
 * equal and not the same, one value stored in several types, numbers of f64 that f32 does not have. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reference_internal.h"
#include "stock.h"

/* ---- one operation ---- */

enum { MOST = 16, SCALARS = 4 };

/* A holder of a program and the types of what goes in and out, up to the first 0. */
typedef struct trial {
    const char *op, *what;
    int32_t in[2], out[MOST];
    const tn_map_attrs *map;
    const double *number; /* the operands' numbers, each of the first beside each of the second; NULL: random ones */
    int64_t numbers;
    tn_shape shape[4]; /* of operands and result, if they are not of one shape */
} trial;

static double number_of(tn_kit *kit, const trial *t, uint32_t i, int64_t e)
{
    if (!t->number) return tn_kit_uniform(kit, -4, 4);
    return t->number[(i ? e / t->numbers : e) % t->numbers];
}

static int fill(tn_kit *kit, const trial *t, tn_kit_item *item)
{
    const tn_op_desc *desc = item->job.desc;
    int fine = 1;
    for (uint32_t i = 0; i < desc->n_in; i++) {
        const int64_t count = tn_desc_count(&desc->in[i]);
        double *x = calloc((size_t)count, sizeof *x);
        unsigned char *data = malloc(tn_kit_bytes(&desc->in[i]));
        for (int64_t e = 0; x && e < count; e++) x[e] = number_of(kit, t, i, e);
        if (x && data) tn_reference_store(data, x, &desc->in[i]);
        item->job.in[i] = data;
        fine &= x && data;
        free(x);
    }
    for (uint32_t k = 0; k < desc->n_out; k++)
        fine &= (item->job.out[k] = calloc(tn_kit_bytes(&desc->out[k]), 1)) != NULL;
    return tn_kit_expect(kit, fine, "out of memory");
}

static void describe(const trial *t, tn_kit_item *item, const tn_shape *plain)
{
    tn_operation *o = &item->operation;
    o->desc = (tn_op_desc){.size = sizeof o->desc, .name = t->op, .in = o->in, .out = o->out};
    const tn_shape *shape = t->shape[0].rank ? t->shape : NULL;
    for (; o->desc.n_in < 2 && t->in[o->desc.n_in]; o->desc.n_in++)
        o->in[o->desc.n_in] = tn_desc_dense(t->in[o->desc.n_in], shape ? &shape[o->desc.n_in] : plain);
    for (; o->desc.n_out < MOST && t->out[o->desc.n_out]; o->desc.n_out++)
        o->out[o->desc.n_out] = tn_desc_dense(t->out[o->desc.n_out], shape ? &shape[3] : plain);
    if (o->attrs.size) o->desc.attrs = &o->attrs;
    item->job.desc = &o->desc;
}

/* Attributes other than a map's are in the item. */
static int try_item(tn_kit *kit, const trial *t, tn_kit_item *item)
{
    const tn_shape plain = {2, {t->numbers ? t->numbers : 7, t->numbers ? t->numbers : 41}};
    const tn_scalar scalar[SCALARS] = {{.i = 1}, {.i = 5}, {.i = 2}, {.i = 0x700000005}};
    char how[120];
    snprintf(how, sizeof how, ", %s", t->what);
    describe(t, item, &plain);
    item->job.scalar = scalar, item->job.n_scalar = t->map ? t->map->n_scalar : 0;
    int fine = fill(kit, t, item) && tn_kit_expected(kit, &item->job, &item->want);
    const int answer = fine ? tn_kit_run_job(kit, &item->job) : TN_KIT_WRONG;
    if (answer == TN_KIT_RAN) fine = tn_kit_compare(kit, &item->job, &item->want, how);
    tn_kit_stock_free(item);
    return fine && answer != TN_KIT_WRONG;
}

static int try_map(tn_kit *kit, const trial *t)
{
    tn_kit_item item = {.cancels = 0};
    item.operation.attrs.map = *t->map;
    return try_item(kit, t, &item);
}

static void close_programs(tn_kit *kit)
{
    tn_kit_close(kit);
    if (kit->result->refused)
        tn_kit_remark(kit, "%u operations were refused; the last: %.300s", kit->result->refused, kit->refusal);
}

#define STEP(op, type, a, b, c)                                                                                        \
    {                                                                                                                  \
        op, {a, b, c, -1}, type, 0, 0                                                                                  \
    }
#define VALUE(op, type, a, b, number)                                                                                  \
    {                                                                                                                  \
        op, {a, b, -1, -1}, type, 0, number                                                                            \
    }
#define CONST(type, number) VALUE("const", type, -1, -1, number)
#define MAP(in, outs, scalars, results, ...)                                                                           \
    {                                                                                                                  \
        .size = sizeof(tn_map_attrs), .instr = (const tn_map_instr[]){__VA_ARGS__}, .out = results,                    \
        .n_instr = sizeof((tn_map_instr[]){__VA_ARGS__}) / sizeof(tn_map_instr), .n_in = in, .n_out = outs,            \
        .n_scalar = scalars                                                                                            \
    }
#define LIST(...) ((const int32_t[]){__VA_ARGS__})

/* ---- random instructions side by side ---- */

/* One beside the other: another seed, another counter, the other kind, another stream, and the first again. */
#define WORDS                                                                                                          \
    VALUE("uniform", TN_F32, 0, 1, 3), VALUE("uniform", TN_F32, 2, 1, 3), VALUE("uniform", TN_F32, 0, 3, 3),           \
        VALUE("normal", TN_F32, 0, 3, 3), VALUE("normal", TN_F32, 2, 3, 3), VALUE("normal", TN_F32, 2, 1, 3),          \
        VALUE("uniform", TN_F32, 2, 1, 4), VALUE("uniform", TN_F32, 0, 1, 3)

/* Each counts for more than the sum of those before it: v0 - 2 (v1 - 2 (v2 ...)). */
#define ADD_WORDS                                                                                                      \
    CONST(TN_F32, -2), STEP("mul", TN_F32, 1, 9, -1), STEP("add", TN_F32, 10, 2, -1), STEP("mul", TN_F32, 11, 9, -1),  \
        STEP("add", TN_F32, 12, 3, -1), STEP("mul", TN_F32, 13, 9, -1), STEP("add", TN_F32, 14, 4, -1),                \
        STEP("mul", TN_F32, 15, 9, -1), STEP("add", TN_F32, 16, 5, -1), STEP("mul", TN_F32, 17, 9, -1),                \
        STEP("add", TN_F32, 18, 6, -1), STEP("mul", TN_F32, 19, 9, -1), STEP("add", TN_F32, 20, 7, -1),                \
        STEP("mul", TN_F32, 21, 9, -1), STEP("add", TN_F32, 22, 8, -1), STEP("mul", TN_F32, 23, 0, -1)

static const tn_map_attrs all_words = MAP(0, 8, 4, LIST(0, 1, 2, 3, 4, 5, 6, 7), WORDS);
static const tn_map_attrs sum_of_words = MAP(1, 1, 4, LIST(24), WORDS, ADD_WORDS);

static void several_random(tn_kit *kit)
{
    static const char what[] = "of several random instructions";
    static const trial map = {.op = "map", what, .out = {1, 1, 1, 1, 1, 1, 1, 1}, .map = &all_words};
    static const trial sum = {"reduce", what,          {TN_F32},
                              {TN_F32}, &sum_of_words, .shape = {{2, {7, 41}}, [3] = {2, {7, 1}}}};
    static const trial product = {"matmul",         what,
                                  {TN_F32, TN_F32}, {TN_F32},
                                  &sum_of_words,    .shape = {{3, {2, 5, 6}}, {3, {2, 6, 9}}, [3] = {3, {2, 5, 9}}}};
    static const trial picture = {
        "conv2d", what,          {TN_F32, TN_F32},
        {TN_F32}, &sum_of_words, .shape = {{4, {2, 3, 5, 5}}, {4, {4, 3, 2, 2}}, [3] = {4, {2, 4, 4, 4}}}};
    tn_kit_item reduce = {.cancels = 0}, matmul = reduce, conv = reduce;
    reduce.operation.attrs.reduce = (tn_reduce_attrs){sizeof(tn_reduce_attrs), "sum", &sum_of_words, {7, 41}, 2, 2};
    matmul.operation.attrs.matmul = (tn_matmul_attrs){.size = sizeof(tn_matmul_attrs), .epilogue = &sum_of_words};
    conv.operation.attrs.conv = (tn_conv_attrs){sizeof(tn_conv_attrs), &sum_of_words, {1, 1}, {0, 0}, {1, 1}, 1, 0};
    if (tn_kit_open(kit) && try_map(kit, &map) && try_item(kit, &sum, &reduce) && try_item(kit, &product, &matmul))
        try_item(kit, &picture, &conv);
    close_programs(kit);
}

/* ---- constants that are equal and not the same, and such as are not equal to themselves ---- */

/* 1 / (x < y ? -0 : 0), beside 1 / the other way round, and what is chosen itself; NaN twice; 1. */
#define SIGNS(type, first, second)                                                                                     \
    MAP(2, 5, 0, LIST(6, 8, 5, 12, 14), CONST(type, first), CONST(type, second), STEP("lt", type, 0, 1, -1),           \
        STEP("where", type, 4, 3, 2), STEP("reciprocal", type, 5, -1, -1), STEP("where", type, 4, 2, 3),               \
        STEP("reciprocal", type, 7, -1, -1), CONST(type, NAN), CONST(type, NAN), CONST(type, 1),                       \
        STEP("where", type, 4, 9, 11), STEP("eq", type, 9, 10, -1), STEP("add", type, 13, 0, -1))

static const tn_map_attrs signs[] = {SIGNS(TN_F32, 0.0, -0.0), SIGNS(TN_F32, -0.0, 0.0), SIGNS(TN_F64, 0.0, -0.0),
                                     SIGNS(TN_F64, -0.0, 0.0)};

/* 0.1 as f32 and as f64, and a whole number that f32 does not hold. */
static const tn_map_attrs types_of_consts[] = {
    MAP(1, 2, 0, LIST(3, 6), CONST(TN_F32, 0.1), CONST(TN_F64, 0.1), STEP("add", TN_F32, 0, 1, -1),
        STEP("cast", TN_F64, 0, -1, -1), CONST(TN_F64, 16777217), STEP("add", TN_F64, 2, 5, -1)),
    MAP(1, 2, 0, LIST(4, 3), CONST(TN_F64, 16777217), CONST(TN_F32, 16777217), STEP("cast", TN_F64, 0, -1, -1),
        STEP("sub", TN_F32, 0, 2, -1)),
};

static void constants(tn_kit *kit)
{
    static const char what[] = "of constants that are equal and not the same";
    int fine = tn_kit_open(kit);
    for (int i = 0; fine && i < 4; i++) {
        const int32_t type = i < 2 ? TN_F32 : TN_F64;
        const trial t = {"map", what, {type, type}, {type, type, type, type, type}, &signs[i]};
        fine = try_map(kit, &t);
    }
    const trial first = {"map", what, {TN_F32}, {TN_F32, TN_F64}, &types_of_consts[0]};
    const trial second = {"map", what, {TN_F32}, {TN_F32, TN_F64}, &types_of_consts[1]};
    if (fine && try_map(kit, &first)) try_map(kit, &second);
    close_programs(kit);
}

/* ---- one value to several outputs ---- */

/* What is loaded, a value that is used on, what comes of it, and both again. */
static const tn_map_attrs stored = MAP(1, 3, 0, LIST(1, 1, 2), STEP("neg", TN_F32, 0, -1, -1),
                                       STEP("mul", TN_F32, 1, 0, -1)),
                          loaded = MAP(1, 3, 0, LIST(0, 0, 1), STEP("neg", TN_F32, 0, -1, -1)),
                          whole =
                              MAP(1, 3, 0, LIST(1, 1, 2), STEP("mul", TN_I32, 0, 0, -1), STEP("add", TN_I32, 1, 0, -1));

static void several_outputs(tn_kit *kit)
{
    static const int32_t orders[][3] = {{TN_F16, TN_F32, TN_F32},  {TN_F32, TN_F16, TN_F32},
                                        {TN_BF16, TN_F16, TN_F32}, {TN_F16, TN_BF16, TN_F32},
                                        {TN_BF16, TN_F32, TN_F16}, {TN_F32, TN_BF16, TN_F16}};
    static const int32_t wholes[][3] = {{TN_U8, TN_I32, TN_I32}, {TN_I32, TN_I8, TN_I32}, {TN_I8, TN_I32, TN_U8}};
    static const double numbers[] = {300, -7, 16, 255, 256, -300, 1000, 77, 12, 65535, 46341};
    static const char what[] = "one value stored in several types";
    int fine = tn_kit_open(kit);
    for (int i = 0; fine && i < 12; i++) {
        const int32_t *o = orders[i / 2];
        const trial t = {"map", what, {TN_F32}, {o[0], o[1], o[2]}, i % 2 ? &stored : &loaded};
        fine = try_map(kit, &t);
    }
    for (int i = 0; fine && i < 3; i++) {
        const trial t = {"map", what, {TN_I32}, {wholes[i][0], wholes[i][1], wholes[i][2]}, &whole, numbers, 11};
        fine = try_map(kit, &t);
    }
    close_programs(kit);
}

/* ---- numbers that f32 does not have ---- */

#define EVERY 16
/* They vanish, overflow, or are one and the same there. */
static const double wide[EVERY] = {1e-60, -1e-60,      2e-60,       1e-300,       0,  1e300,       1.5e300,  -1e300,
                                   1,     1 + 0x1p-40, 1 + 0x1p-41, -1 - 0x1p-40, -1, 2 - 0x1p-40, 16777217, 16777216};

static const tn_map_attrs compared = MAP(
    2, 15, 0, LIST(4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18), CONST(TN_F64, 1), CONST(TN_F64, 2),
    STEP("where", TN_F64, 0, 2, 3), STEP("eq", TN_F64, 0, 1, -1), STEP("ne", TN_F64, 0, 1, -1),
    STEP("lt", TN_F64, 0, 1, -1), STEP("le", TN_F64, 0, 1, -1), STEP("gt", TN_F64, 0, 1, -1),
    STEP("ge", TN_F64, 0, 1, -1), STEP("min", TN_F64, 0, 1, -1), STEP("max", TN_F64, 0, 1, -1),
    STEP("logical_and", TN_F64, 0, 1, -1), STEP("logical_or", TN_F64, 0, 1, -1), STEP("logical_xor", TN_F64, 0, 1, -1),
    STEP("sign", TN_F64, 0, -1, -1), STEP("step", TN_F64, 0, -1, -1), STEP("relu", TN_F64, 0, -1, -1));
static const tn_map_attrs as_whole = MAP(1, 1, 0, LIST(1), STEP("cast", TN_I32, 0, -1, -1)),
                          plain = {sizeof plain, NULL, LIST(0), 0, 1, 1, 0};

static int fold_wide(tn_kit *kit, const char *kind, int32_t out)
{
    const trial t = {"reduce", "of numbers that f32 does not have",
                     {TN_F64}, {out},
                     NULL,     wide,
                     EVERY,    {{2, {EVERY - 3, EVERY + 1}}, [3] = {2, {EVERY - 3, 1}}}};
    tn_kit_item item = {.cancels = 0};
    item.operation.attrs.reduce =
        (tn_reduce_attrs){sizeof(tn_reduce_attrs), kind, &plain, {EVERY - 3, EVERY + 1}, 2, 2};
    return try_item(kit, &t, &item);
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* topk, both ways; places in an ordered line; the largest of a window, and its gradient. */
static int order_wide(tn_kit *kit)
{
    static const char what[] = "of numbers that f32 does not have";
    double sorted[EVERY];
    memcpy(sorted, wide, sizeof wide);
    qsort(sorted, EVERY, sizeof *sorted, by_size);
    const trial top = {"topk", what, {TN_F64}, {TN_I32},
                       NULL,   wide, EVERY,    {{3, {3, EVERY - 1, 1}}, [3] = {3, {3, 9, 1}}}};
    const trial search = {"searchsorted",
                          what,
                          {TN_F64, TN_F64},
                          {TN_I32},
                          NULL,
                          sorted,
                          EVERY,
                          {{2, {1, EVERY}}, {2, {1, EVERY * EVERY}}, [3] = {2, {1, EVERY * EVERY}}}};
    const trial pool = {"maxpool2d", what, {TN_F64}, {TN_F64},
                        NULL,        wide, EVERY,    {{4, {1, 1, 5, 7}}, [3] = {4, {1, 1, 4, 5}}}};
    const trial back = {"maxpool2d_grad",
                        what,
                        {TN_F64, TN_F64},
                        {TN_F64},
                        NULL,
                        wide,
                        EVERY,
                        {{4, {1, 1, 5, 7}}, {4, {1, 1, 4, 5}}, [3] = {4, {1, 1, 5, 7}}}};
    int fine = 1;
    for (uint32_t flag = 0; fine && flag < 2; flag++) {
        tn_kit_item a = {.cancels = 0}, b = a, c = a;
        a.operation.attrs.topk = (tn_topk_attrs){sizeof(tn_topk_attrs), flag, 0};
        b.operation.attrs.searchsorted = (tn_searchsorted_attrs){sizeof(tn_searchsorted_attrs), flag, 0};
        c.operation.attrs.pool = (tn_pool_attrs){sizeof(tn_pool_attrs), {2, 3}, {1, 1}, {0, 0}, 0, 0};
        fine = try_item(kit, &top, &a) && try_item(kit, &search, &b) && try_item(kit, flag ? &back : &pool, &c);
    }
    return fine;
}

static void wide_numbers(tn_kit *kit)
{
    static const char what[] = "of numbers that f32 does not have";
    const trial map = {"map", what, {TN_F64, TN_F64}, {6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6}, &compared,
                       wide,  EVERY};
    const trial cast = {"map", what, {TN_F64}, {TN_I32}, &as_whole, wide, EVERY};
    if (tn_kit_open(kit) && try_map(kit, &map) && try_map(kit, &cast) && fold_wide(kit, "max", TN_F64) &&
        fold_wide(kit, "min", TN_F64) && fold_wide(kit, "argmax", TN_I32) && fold_wide(kit, "argmin", TN_I32))
        order_wide(kit);
    close_programs(kit);
}

const tn_kit_case tn_kit_programs[] = {
    {"consistency", "random", "several random instructions in one program, that differ in one scalar", several_random},
    {"consistency", "constants", "constants in one program that are equal and not the same", constants},
    {"consistency", "outputs", "one value stored to several outputs, in several types, and used on", several_outputs},
    {"consistency", "wide", "numbers of f64 that vanish, overflow or coincide in f32", wide_numbers},
    {0},
};
