/* flushed.c: on a processor that is slow with denormals, `cpu` makes none of its own where it computes, nor does an
 * OpenCL device whose driver heeds what it is asked for; sums of two numbers and what is only moved keep theirs. */
#include "../graph/harness.h"

#include <float.h>
#include <string.h>

enum {
    SMALL = 64,
    LARGE = 1 << 20, /* for all threads, where other programs leave them a core: */
    TIMES = 20
};

static const char *name = "cpu";

/* OpenCL leaves it to the driver; PoCL does as it is told. */
static int heeds(void)
{
    fixture f = use_device(name, 1);
    const int heeds = !strcmp(name, "cpu") || strstr(tn_device_get_info(f.device)->driver, "Portable Computing");
    drop_device(&f);
    return heeds;
}

static float element(int64_t i)
{
    return (i % 2 ? -1 : 1) * FLT_MIN * (1 + (float)(i % 7) / 8);
}

/* Of numbers that are the least or little more; y as `make` has it. */
static void compute(tn_tensor *(*make)(tn_tensor *x), int64_t count, float *y)
{
    fixture f = use_device(name, 1);
    tn_graph *g = tn_graph_new();
    float *x = test_malloc((size_t)count * sizeof *x);
    for (int64_t i = 0; i < count; i++) x[i] = element(i);
    tn_output(make(tn_input(g, "x", TN_F32, TN_SHAPE(count))), "y");
    run_once(&f, g, "x", x, (size_t)count * sizeof *x, "y", y, (size_t)count);
    test_free(x);
    drop_device(&f);
}

static tn_tensor *halve(tn_tensor *x)
{
    return tn_mul(x, tn_number(x, 0.5));
}

static tn_tensor *add_neighbours(tn_tensor *x)
{
    return tn_add(x, tn_roll(x, 0, -1));
}

static void products_are_zero_in_every_thread(void **unused)
{
    (void)unused;
    if (!heeds()) skip();
    float *y = test_malloc(LARGE * sizeof *y);
    for (int k = 0; k <= TIMES; k++) {
        const int64_t count = k ? LARGE : SMALL;
        compute(halve, count, y);
        for (int64_t i = 0; i < count; i++)
            if (y[i] != 0) fail_msg("element %lld of %lld is %g", (long long)i, (long long)count, (double)y[i]);
    }
    test_free(y);
}

/* exp(-95) is denormal. */
static tn_tensor *hide_half(tn_tensor *x)
{
    return tn_softmax(tn_where(tn_lt(x, tn_number(x, 0)), tn_number(x, -95), tn_number(x, 0)), 0);
}

static void what_softmax_hides_is_zero(void **unused)
{
    float y[SMALL];
    (void)unused;
    if (!heeds()) skip();
    compute(hide_half, SMALL, y);
    for (int i = 0; i < SMALL; i++) assert_float_equal(y[i], (i % 2 ? 0 : 2.0F / SMALL), 0);
}

static void sums_keep_denormals(void **unused)
{
    float y[SMALL];
    (void)unused;
    compute(add_neighbours, SMALL, y);
    for (int i = 0; i < SMALL; i++) assert_float_equal(y[i], element(i) + element((i + 1) % SMALL), 0);
    assert_true(y[0] != 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_are_zero_in_every_thread),
        cmocka_unit_test(what_softmax_hides_is_zero),
        cmocka_unit_test(sums_keep_denormals),
    };
#if defined(__SSE2__)
    if (argc > 1) name = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
#else
    (void)tests, (void)argc, (void)argv;
    return 77;
#endif
}
