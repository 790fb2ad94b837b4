/* signals.c: a program with an interval timer trains on cpu. Its handler harms nothing: the weights are those of a
 * training without a timer, to the bit, every handler ran on the stack of the program's own thread, and that thread's
 * signals are blocked or not as before. The code that a library generates for products may let the stack pointer lie
 * in the heap, where a handler's frame must not go. */
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>

#include <cmocka.h>

#include "tenon/tenon.h"

enum { INPUTS = 784, UNITS = 64, CLASSES = 10, SAMPLES = 400, TICK = 1000 /* microseconds */ };

static char *stack, *stack_end;
static volatile sig_atomic_t ticks, elsewhere;

static void tick(int signal)
{
    const char *here = __builtin_frame_address(0); /* where a sanitizer moves local variables, too */
    (void)signal;
    ticks++;
    if (here < stack || here >= stack_end) elsewhere++;
}

static void find_stack(void)
{
    pthread_attr_t attributes;
    void *begin;
    size_t bytes;
    assert_int_equal(pthread_getattr_np(pthread_self(), &attributes), 0);
    assert_int_equal(pthread_attr_getstack(&attributes, &begin, &bytes), 0);
    pthread_attr_destroy(&attributes);
    stack = begin, stack_end = stack + bytes;
}

static void set_timer(int which, long period)
{
    const struct itimerval every = {{0, period}, {0, period}};
    assert_int_equal(setitimer(which, &every, NULL), 0);
}

static tn_tensor *build(tn_tensor *x, int training, const void *arg)
{
    (void)arg;
    return tn_net(x, "linear 64, relu, linear outputs",
                  (tn_net_options){.training = (uint32_t)training, .outputs = CLASSES});
}

/* Trains; products of 20 x 784 x 64 take all threads, those of the output layer one. */
static tn_status train(const tn_dataset *data, float weights[INPUTS * UNITS])
{
    const tn_model model = {.build = build, .loss = "cross_entropy"};
    const tn_fit_options options = {.epochs = 40, .batch = 20, .optimizer = "adam"};
    tn_device *device = NULL;
    tn_state *state = NULL;
    tn_epoch last;
    tn_status s = tn_device_open("cpu", &device);
    if (!s) s = tn_state_new(device, 1, &state);
    if (!s) s = tn_fit(state, &model, data, &options, &last);
    if (!s) s = tn_state_read(state, "fc1.weight", weights, INPUTS * UNITS * sizeof *weights);
    tn_state_free(state);
    tn_device_close(device);
    return s;
}

static void trains_as_without(int timer, int signal)
{
    static float quiet[INPUTS * UNITS], ticking[INPUTS * UNITS];
    const struct sigaction action = {.sa_handler = tick, .sa_flags = SA_RESTART};
    sigset_t blocked;
    tn_dataset data = {0};
    find_stack();
    assert_int_equal(tn_dataset_digits(SAMPLES, 1, &data), TN_OK);
    if (train(&data, quiet)) fail_msg("without a timer: %s", tn_message());
    assert_int_equal(sigaction(signal, &action, NULL), 0);
    ticks = elsewhere = 0;
    set_timer(timer, TICK);
    const tn_status s = train(&data, ticking);
    set_timer(timer, 0);
    if (s) fail_msg("with a timer: %s", tn_message());
    tn_dataset_free(&data);
    if (!ticks || elsewhere) fail_msg("%d of %d handlers ran elsewhere", (int)elsewhere, (int)ticks);
    assert_memory_equal(quiet, ticking, sizeof quiet);
    assert_int_equal(pthread_sigmask(SIG_BLOCK, NULL, &blocked), 0);
    assert_false(sigismember(&blocked, signal));
    assert_true(sigismember(&blocked, SIGUSR1));
}

static void an_alarm_every_millisecond_harms_no_training(void **unused)
{
    (void)unused;
    trains_as_without(ITIMER_REAL, SIGALRM);
}

static void a_profiler_harms_no_training(void **unused)
{
    (void)unused;
    trains_as_without(ITIMER_PROF, SIGPROF);
}

/* ---- several threads of the program's ---- */

typedef struct trainer {
    pthread_t thread;
    const tn_dataset *data;
    tn_status status;
    char message[200];
    float weights[INPUTS * UNITS];
} trainer;

static void *train_in_thread(void *arg)
{
    trainer *t = arg;
    t->status = train(t->data, t->weights);
    snprintf(t->message, sizeof t->message, "%s", tn_message());
    return NULL;
}

static void an_alarm_harms_no_trainings_of_two_threads(void **unused)
{
    enum { THREADS = 2 };
    static trainer each[THREADS];
    const struct sigaction action = {.sa_handler = tick, .sa_flags = SA_RESTART};
    tn_dataset data = {0};
    (void)unused;
    assert_int_equal(tn_dataset_digits(SAMPLES, 1, &data), TN_OK);
    assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
    set_timer(ITIMER_REAL, TICK);
    for (int i = 0; i < THREADS; i++) {
        each[i].data = &data;
        assert_int_equal(pthread_create(&each[i].thread, NULL, train_in_thread, &each[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_join(each[i].thread, NULL), 0);
    set_timer(ITIMER_REAL, 0);
    for (int i = 0; i < THREADS; i++)
        if (each[i].status) fail_msg("thread %d: %s", i, each[i].message);
    assert_memory_equal(each[0].weights, each[1].weights, sizeof each[0].weights);
    tn_dataset_free(&data);
}

/* What the program had blocked itself stays blocked. */
static int block_one(void **unused)
{
    sigset_t one;
    (void)unused;
    sigemptyset(&one);
    sigaddset(&one, SIGUSR1);
    return pthread_sigmask(SIG_BLOCK, &one, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_alarm_every_millisecond_harms_no_training),
        cmocka_unit_test(a_profiler_harms_no_training),
        cmocka_unit_test(an_alarm_harms_no_trainings_of_two_threads),
    };
    return cmocka_run_group_tests(tests, block_one, NULL);
}
