/* plan.c: where the plan puts values: at multiples of the alignment, within a bank, and apart while both are alive. */
#include "harness.h"

#include "ir.h"
#include "program.h"
#include "rewrite.h"

enum { ALIGNMENT = 64, BANK = 4096 };

static int takes_all(void *self, int32_t place, const tn_op_desc *desc, const tn_origin *origin)
{
    (void)origin;
    (void)self, (void)desc;
    return !place;
}

/* Values of odd sizes, some of which live long. */
static tn_graph *odd_sizes(void)
{
    tn_graph *g = tn_graph_new();
    tn_tensor *kept[7], *sum = NULL;
    for (int i = 0; i < 7; i++) kept[i] = tn_cumsum(tn_random_uniform(g, TN_SHAPE(3, 5 + 13 * i)), 1, 0, 0);
    for (int i = 6; i >= 0; i--) {
        tn_tensor *own = tn_softmax(tn_cumsum(kept[i], 0, 1, 0), 1);
        own = tn_sum(tn_matmul_t(own, kept[i], 0, 1), TN_AXES(1), 0);
        sum = sum ? tn_add(sum, own) : own;
    }
    tn_output(sum, "y");
    return g;
}

static void check_place(const tn_value *x)
{
    assert_int_equal(x->offset % ALIGNMENT, 0);
    assert_true(x->offset / BANK == (x->offset + x->bytes - 1) / BANK);
}

static void check_apart(const tn_value *x, const tn_value *y)
{
    int both_alive = x->first <= y->last && y->first <= x->last;
    assert_true(!both_alive || x->offset + x->bytes <= y->offset || y->offset + y->bytes <= x->offset);
}

static int is_placed(const tn_value *x)
{
    return !x->base && x->home == TN_IN_ARENA && x->first != UINT32_MAX;
}

static void values_lie_apart_and_aligned(void **state)
{
    const tn_target target = {.supports = takes_all, .places = 1};
    tn_ir ir = {.alignment = ALIGNMENT};
    tn_graph *g = odd_sizes();
    uint32_t placed = 0;
    (void)state;
    for (size_t i = 0; i < sizeof ir.bank / sizeof *ir.bank; i++) ir.bank[i] = BANK;
    ok(tn_graph_status(g));
    ok(tn_fuse(g, &target, &ir));
    ok(tn_plan_in_place(&ir));
    ok(tn_plan_memory(&ir));
    for (uint32_t i = 0; i < ir.values; i++) {
        if (!is_placed(ir.value[i])) continue;
        check_place(ir.value[i]);
        placed++;
        for (uint32_t k = 0; k < i; k++)
            if (is_placed(ir.value[k])) check_apart(ir.value[i], ir.value[k]);
    }
    assert_true(placed > 10);
    tn_ir_free(&ir);
    tn_graph_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(values_lie_apart_and_aligned)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
