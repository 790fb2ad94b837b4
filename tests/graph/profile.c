/* profile.c: how long the kernels of a program take: by the device where its backend tells, as the well-behaved one
 * among the faulty backends does, and else by the host. */
#include "harness.h"

#include <string.h>
#include <time.h>

#include "tenon/device.h"
#include "tenon/nn.h"
#include "tenon/program.h"

enum { M = 40, K = 50, N = 30, RUNS = 3 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void feed_numbers(tn_program *p)
{
    float x[M * K];
    for (int i = 0; i < M * K; i++) x[i] = (float)(i % 7) / 7;
    ok(tn_feed(p, "x", x, sizeof x));
}

/* A product and rows of it that are picked, in a state that changes with each run. */
static tn_program *compile(tn_state *state)
{
    const int32_t rows[2] = {3, 1};
    tn_program *p = NULL;
    tn_graph *g = tn_graph_new();
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(M, K)), *at = tn_input(g, "rows", TN_I32, TN_SHAPE(2));
    tn_tensor *y = tn_matmul(x, tn_param(g, "w", TN_SHAPE(K, N), (tn_init){.kind = TN_INIT_UNIFORM, .a = 1}));
    tn_output(tn_gather(tn_softmax(y, -1), at), "picked");
    tn_minimize(tn_mean(tn_square(y), TN_AXES(0, 1), 0), "sgd", (tn_optim_options){.lr = 0.1});
    ok(tn_compile(g, state, NULL, &p));
    feed_numbers(p);
    ok(tn_feed(p, "rows", rows, sizeof rows));
    tn_graph_free(g);
    return p;
}

/* The weights after RUNS runs, and how long these took. */
static double run(tn_program *p, tn_state *state, float weight[K * N])
{
    const double begun = now();
    for (int i = 0; i < RUNS; i++) ok(tn_program_run(p));
    ok(tn_wait(p));
    const double passed = now() - begun;
    ok(tn_state_read(state, "w", weight, K * N * sizeof *weight));
    return passed;
}

static void each_kernel_is_measured_in_each_run(const char *device, uint32_t by_host)
{
    float weight[K * N], plain[K * N];
    double sum = 0;
    uint32_t i = 0, products = 0;
    tn_launch_profile launch;
    fixture f = use_device(device, 3), other = use_device(device, 3);
    tn_program *p = compile(f.state), *q = compile(other.state);
    assert_int_equal(tn_program_profile_at(p, 0, &launch), 0);
    ok(tn_program_profile(p, 1));
    const double passed = run(p, f.state, weight);
    for (; tn_program_profile_at(p, i, &launch); i++) {
        assert_int_equal(launch.runs, RUNS);
        assert_true(launch.seconds > 0);
        assert_string_equal(launch.device, device);
        assert_int_equal(launch.by_host, by_host);
        sum += launch.seconds;
        if (!strcmp(launch.op, "matmul")) products++;
        if (!strcmp(launch.op, "gather")) assert_string_equal(launch.result, "f32 (2, 30)");
        if (!strcmp(launch.op, "gather")) assert_true(launch.bytes == 2 * N * 4 * 2 + 2 * 4);
    }
    assert_int_equal(products, 2);
    assert_true(sum <= passed);
    run(q, other.state, plain);
    assert_memory_equal(weight, plain, sizeof plain);
    ok(tn_program_profile(p, 1)); /* begins anew */
    assert_int_equal(tn_program_profile_at(p, 0, &launch), 1);
    assert_int_equal(launch.runs, 0);
    ok(tn_program_profile(p, 0));
    run(p, f.state, weight);
    assert_int_equal(tn_program_profile_at(p, 0, &launch), 0);
    tn_program_free(p);
    tn_program_free(q);
    drop_device(&f);
    drop_device(&other);
}

static void a_device_that_tells_measures_its_kernels(void **unused)
{
    (void)unused;
    each_kernel_is_measured_in_each_run("faulty:0", 0);
}

static void the_host_measures_what_no_device_tells(void **unused)
{
    (void)unused;
    each_kernel_is_measured_in_each_run("reference", 1);
}

/* Another program of the same state, on the same queue, is none of those that are counted. */
static void other_programs_on_the_queue_do_not_count(void **unused)
{
    float weight[K * N];
    tn_launch_profile launch;
    (void)unused;
    fixture f = use_device("faulty:0", 3);
    tn_program *p = compile(f.state), *q = compile(f.state);
    ok(tn_program_profile(p, 1));
    run(p, f.state, weight);
    run(q, f.state, weight);
    run(p, f.state, weight);
    for (uint32_t i = 0; tn_program_profile_at(p, i, &launch); i++) assert_int_equal(launch.runs, 2 * RUNS);
    tn_program_free(q);
    tn_program_free(p); /* while it is measured */
    drop_device(&f);
}

static void kernels_on_other_devices_are_measured_and_transfers_are_not(void **unused)
{
    float weight[K * N];
    uint32_t elsewhere = 0, transfers = 0, here = 0;
    tn_launch_profile launch;
    (void)unused;
    fixture f = use_device("matmul_only:0", 3);
    tn_program *p = compile(f.state);
    ok(tn_program_profile(p, 1));
    run(p, f.state, weight);
    for (uint32_t i = 0; tn_program_profile_at(p, i, &launch); i++) {
        transfers += !launch.runs;
        here += launch.runs == RUNS && !strcmp(launch.device, tn_device_name(f.device));
        elsewhere += launch.runs == RUNS && strcmp(launch.device, tn_device_name(f.device)) != 0;
    }
    assert_int_equal(here, 2);
    assert_true(elsewhere > 1 && transfers > 1);
    tn_program_free(p);
    drop_device(&f);
}

static void peaks_make_floors(void **unused)
{
    tn_peaks peaks, again;
    (void)unused;
    fixture f = use_device("reference", 1);
    ok(tn_device_peaks(f.device, 0, &peaks));
    ok(tn_device_peaks(f.device, 0, &again)); /* what is kept is only ever better */
    assert_true(peaks.flops > 1e6 && peaks.launch > 0 && again.flops >= peaks.flops && again.launch <= peaks.launch);
    for (int i = 0; i < TN_PEAK_LEVELS; i++) {
        assert_true(again.bandwidth[i] >= peaks.bandwidth[i] && again.reach[i] == peaks.reach[i]);
        assert_true(!i || (peaks.reach[i] > peaks.reach[i - 1] && peaks.bandwidth[i] <= peaks.bandwidth[i - 1]));
    }
    assert_near(tn_peaks_floor(&peaks, peaks.flops, 1), 1, 1e-9);
    const double bytes = (double)peaks.reach[1];
    assert_near(tn_peaks_floor(&peaks, 0, bytes) * peaks.bandwidth[1], bytes, 1e-3);
    assert_near(tn_peaks_floor(&peaks, 0, 1e15) * peaks.bandwidth[TN_PEAK_LEVELS - 1], 1e15, 1e3);
    drop_device(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_that_tells_measures_its_kernels),
        cmocka_unit_test(the_host_measures_what_no_device_tells),
        cmocka_unit_test(other_programs_on_the_queue_do_not_count),
        cmocka_unit_test(kernels_on_other_devices_are_measured_and_transfers_are_not),
        cmocka_unit_test(peaks_make_floors),
    };
    if (tn_backend_load(TELLS) || tn_backend_load(MATMUL_ONLY)) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
