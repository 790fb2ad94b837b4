/* unasked.c: operations that the plugin boundary allows and that our compiler asks for in no graph, made by hand. */
#include <stdlib.h>

#include "sample.h"

/* A product of (batch, m, k) and (batch, k, n), and the sums of a over k; of stride 0 over the batch is one that is the
 * same for all. */
typedef struct product {
    const char *name;
    int64_t batch, m, k, n;
    uint32_t one_a, one_b, trans_a;
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

static int fill(tn_kit *kit, tn_kit_sample *s)
{
    for (uint32_t i = 0; i < 2; i++) {
        const uint64_t count = tn_kit_bytes(&s->operation.in[i]) / sizeof(float);
        float *x = malloc(count * sizeof *x);
        s->job.in[i] = (unsigned char *)x;
        s->job.out[i] = malloc(tn_kit_bytes(&s->operation.out[i]));
        if (!x || !s->job.out[i]) return tn_kit_expect(kit, 0, "out of memory");
        for (uint64_t e = 0; e < count; e++) x[e] = (float)tn_kit_uniform(kit, -1, 1);
    }
    return 1;
}

static int try_product(tn_kit *kit, const product *p)
{
    tn_kit_sample s;
    tn_kit_want want;
    describe(p, &s);
    int fine = fill(kit, &s);
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

const tn_kit_case tn_kit_unasked[] = {
    {"abi", "sums", "products of batches with the sums of a, which may be the same for all", sums_of_batches, NULL, 0,
     0},
    {0},
};
