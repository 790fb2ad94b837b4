/* busy.c: `cpu` with several threads while other processes have the cores: its threads take little more of the
 * processors' time than one thread would, and compute the same. */
#include "../graph/harness.h"

#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIDE = 128, STEPS = 20, RUNS = 100, OTHERS = 4, PATIENCE = 30 /* seconds */ };

static double seconds_of(struct timeval t)
{
    return (double)t.tv_sec + 1e-6 * (double)t.tv_usec;
}

static double processor_time(void)
{
    struct rusage used;
    assert_int_equal(getrusage(RUSAGE_SELF, &used), 0);
    return seconds_of(used.ru_utime) + seconds_of(used.ru_stime);
}

/* Some products, each worth several threads, and small ones between them. */
static tn_tensor *chain(tn_tensor *x)
{
    for (int i = 0; i < STEPS; i++) {
        tn_tensor *row = tn_slice(x, 0, 0, 8, 1);
        x = tn_matmul(x, tn_sigmoid(x));
        x = tn_add(tn_tanh(x), tn_mean(tn_matmul(row, x), TN_AXES(0), 1));
    }
    return x;
}

typedef struct outcome {
    tn_status status;
    char message[200];
    double seconds; /* of processors, for all runs */
    float y[SIDE * SIDE];
} outcome;

static tn_status run_all(tn_program *p, outcome *o)
{
    static float x[SIDE * SIDE];
    for (int i = 0; i < SIDE * SIDE; i++) x[i] = (float)(i % 7 - 3) / 8;
    tn_status s = tn_feed(p, "x", x, sizeof x);
    const double begun = processor_time();
    for (int i = 0; i < RUNS && !s; i++) s = tn_program_run(p);
    if (!s) s = tn_fetch(p, "y", o->y, sizeof o->y);
    o->seconds = processor_time() - begun;
    return s;
}

static tn_status run_with(const char *threads, outcome *o)
{
    tn_device *device = NULL;
    tn_state *state = NULL;
    tn_program *p = NULL;
    tn_graph *g = tn_graph_new();
    tn_output(chain(tn_input(g, "x", TN_F32, TN_SHAPE(SIDE, SIDE))), "y");
    tn_status s = tn_backend_option("cpu", "threads", threads);
    if (!s) s = tn_device_open("cpu", &device);
    if (!s) s = tn_state_new(device, 1, &state);
    if (!s) s = tn_compile(g, state, NULL, &p);
    if (!s) s = run_all(p, o);
    tn_program_free(p);
    tn_graph_free(g);
    tn_state_free(state);
    tn_device_close(device);
    return s;
}

/* In a process of its own: the number of threads is chosen once. */
static outcome *in_process(const char *threads)
{
    outcome *o = mmap(NULL, sizeof *o, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(o != MAP_FAILED);
    int ended = 0;
    const pid_t child = fork();
    if (!child) {
        o->status = run_with(threads, o);
        snprintf(o->message, sizeof o->message, "%s", tn_message());
        _exit(0);
    }
    assert_int_equal(waitpid(child, &ended, 0), child);
    if (ended || o->status) fail_msg("%s threads: status %d, %s", threads, ended, o->message);
    return o;
}

/* Processes that compute without end. */
static void keep_busy(pid_t other[OTHERS])
{
    for (int i = 0; i < OTHERS; i++)
        if (!(other[i] = fork())) {
            alarm(PATIENCE);
            for (;;) continue;
        }
}

static void threads_that_get_no_core_cost_little(void **unused)
{
    pid_t other[OTHERS];
    (void)unused;
    keep_busy(other);
    const outcome *one = in_process("1"), *two = in_process("2");
    for (int i = 0; i < OTHERS; i++) kill(other[i], SIGKILL), waitpid(other[i], NULL, 0);
    assert_memory_equal(one->y, two->y, sizeof one->y);
    print_message("%.2f s with one thread, %.2f with two\n", one->seconds, two->seconds);
    if (two->seconds > 2.5 * one->seconds)
        fail_msg("%.2f s of processors for what one thread does in %.2f", two->seconds, one->seconds);
}

static void more_threads_than_cores_compute_the_same(void **unused)
{
    (void)unused;
    assert_memory_equal(in_process("1")->y, in_process("9")->y, sizeof(float) * SIDE * SIDE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_that_get_no_core_cost_little),
        cmocka_unit_test(more_threads_than_cores_compute_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
