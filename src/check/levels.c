/* levels.c: levels of precision. Whether factors that are rounded give results within bounds is tried with every case
 * of every product (operators.c); here, that nothing else is rounded. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attrs.h"
#include "kit.h"

/* A product of two operands whose numbers are whole and small, so that no level changes them, with an epilogue that
 * adds numbers which any rounding would change. */
typedef struct exact {
    const char *op;
    tn_shape in[2], out;
    uint32_t trans_a, trans_b;
} exact;

static const exact products[] = {
    {"matmul", {{3, {1, 33, 40}}, {3, {1, 40, 37}}}, {3, {1, 33, 37}}, 0, 0},
    {"matmul", {{3, {1, 40, 33}}, {3, {1, 40, 37}}}, {3, {1, 33, 37}}, 1, 0},
    {"matmul", {{3, {3, 5, 40}}, {3, {3, 37, 40}}}, {3, {3, 5, 37}}, 0, 1},
    {"matmul", {{3, {1, 129, 321}}, {3, {1, 321, 193}}}, {3, {1, 129, 193}}, 0, 0},
    {"conv2d", {{4, {2, 17, 9, 11}}, {4, {19, 17, 3, 3}}}, {4, {2, 19, 9, 11}}, 0, 0},
    {"conv2d_data", {{4, {2, 19, 9, 11}}, {4, {19, 17, 3, 3}}}, {4, {2, 17, 9, 11}}, 0, 0},
    {"conv2d_weight", {{4, {2, 17, 9, 11}}, {4, {2, 19, 9, 11}}}, {4, {19, 17, 3, 3}}, 0, 0},
    {"conv2d", {{4, {3, 32, 9, 11}}, {4, {48, 32, 3, 3}}}, {4, {3, 48, 9, 11}}, 0, 0},
    {"conv2d_data", {{4, {3, 48, 9, 16}}, {4, {48, 32, 3, 3}}}, {4, {3, 32, 9, 16}}, 0, 0},
    {"conv2d_weight", {{4, {3, 32, 9, 11}}, {4, {3, 48, 9, 11}}}, {4, {48, 32, 3, 3}}, 0, 0},
    {"conv2d", {{4, {3, 16, 7, 8}}, {4, {24, 16, 3, 3}}}, {4, {3, 24, 7, 8}}, 0, 0},
    {"conv2d", {{4, {1, 48, 5, 24}}, {4, {40, 48, 3, 3}}}, {4, {1, 40, 5, 24}}, 0, 0},
    {"conv2d_data", {{4, {2, 64, 16, 16}}, {4, {64, 16, 3, 3}}}, {4, {2, 16, 16, 16}}, 0, 0},
    {"conv2d_weight", {{4, {3, 16, 8, 8}}, {4, {3, 24, 8, 8}}}, {4, {24, 16, 3, 3}}, 0, 0},
    {"conv2d_weight", {{4, {2, 32, 16, 16}}, {4, {2, 48, 16, 16}}}, {4, {48, 32, 3, 3}}, 0, 0},
    {"conv2d_weight", {{4, {1, 16, 3, 64}}, {4, {1, 16, 3, 64}}}, {4, {16, 16, 3, 3}}, 0, 0},
};

enum { LARGEST = 100 };

static float whole(tn_kit *kit)
{
    return (float)((int32_t)(tn_kit_bits(kit) % (2 * LARGEST + 1)) - LARGEST);
}

static unsigned char *make_operand(tn_kit *kit, const tn_tensor_desc *desc, int is_factor)
{
    const int64_t count = tn_desc_count(desc);
    float *x = malloc((size_t)count * sizeof *x);
    for (int64_t e = 0; x && e < count; e++) x[e] = is_factor ? whole(kit) : (float)tn_kit_uniform(kit, -1, 1);
    return (unsigned char *)x;
}

/* What it adds lies one along the last dimension of the result. */
static void add_epilogue(tn_operation *o, const tn_map_attrs *map)
{
    tn_attrs_set_program(o->desc.name, &o->attrs, map);
    o->in[2] = o->out[0];
    for (int32_t d = 0; d + 1 < o->in[2].rank; d++) o->in[2].stride[d] = 0;
    o->desc.n_in = 3;
}

static void describe(const exact *p, const tn_map_attrs *map, tn_operation *o)
{
    *o = (tn_operation){.desc = {.size = sizeof o->desc, .name = p->op, .n_in = 2, .n_out = 1}};
    o->in[0] = tn_desc_dense(TN_F32, &p->in[0]), o->in[1] = tn_desc_dense(TN_F32, &p->in[1]);
    o->out[0] = tn_desc_dense(TN_F32, &p->out);
    o->desc.in = o->in, o->desc.out = o->out, o->desc.attrs = &o->attrs;
    if (!strcmp(p->op, "matmul"))
        o->attrs.matmul = (tn_matmul_attrs){sizeof(tn_matmul_attrs), NULL, p->trans_a, p->trans_b, 0, 0};
    else
        o->attrs.conv = (tn_conv_attrs){sizeof(tn_conv_attrs), NULL, {1, 1}, {1, 1}, {1, 1}, 1, 0};
    if (!strcmp(p->op, "matmul") || !strcmp(p->op, "conv2d")) add_epilogue(o, map);
}

static int run_at(tn_kit *kit, const tn_kit_job *job, const tn_kit_want *want, uint32_t level)
{
    char how[80];
    tn_op_desc desc = *job->desc;
    tn_kit_job coarse = *job;
    desc.precision = level, coarse.desc = &desc;
    snprintf(how, sizeof how, ", of whole numbers up to %d, at precision %s", LARGEST, tn_precision_name(level));
    const int answer = tn_kit_run_job(kit, &coarse);
    return answer == TN_KIT_REFUSED || (answer == TN_KIT_RAN && tn_kit_compare(kit, &coarse, want, how));
}

static int try_exact(tn_kit *kit, const exact *p)
{
    static const tn_map_instr instr = {"add", {0, 1, -1, -1}, TN_F32, 0, 0};
    static const int32_t out = 2;
    static const tn_map_attrs map = {sizeof map, &instr, &out, 1, 2, 1, 0};
    tn_operation o;
    tn_kit_want want;
    describe(p, &map, &o);
    tn_kit_job job = {.desc = &o.desc};
    int fine = 1;
    for (uint32_t i = 0; i < o.desc.n_in; i++) fine &= (job.in[i] = make_operand(kit, &o.in[i], i < 2)) != NULL;
    fine &= (job.out[0] = malloc(tn_kit_bytes(&o.out[0]))) != NULL;
    if (!tn_kit_expect(kit, fine, "out of memory")) fine = 0;
    const int known = fine && tn_kit_expected(kit, &job, &want);
    fine = known;
    for (uint32_t level = 0; fine && tn_precision_name(level); level++) fine = run_at(kit, &job, &want, level);
    if (known) tn_kit_want_free(&want);
    for (uint32_t i = 0; i < o.desc.n_in; i++) free((void *)(uintptr_t)job.in[i]);
    free(job.out[0]);
    return fine;
}

static void levels(tn_kit *kit)
{
    int fine = tn_kit_open(kit);
    for (size_t i = 0; fine && i < sizeof products / sizeof *products; i++) fine = try_exact(kit, &products[i]);
    tn_kit_close(kit);
}

const tn_kit_case tn_kit_levels[] = {
    {"abi", "levels", "a level of precision rounds factors, and neither sums nor what is added to them", levels}, {0}};
