/* check.h: what the tests of layers, losses and optimizers share. */
#ifndef TESTS_NN_CHECK_H
#define TESTS_NN_CHECK_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tenon/tenon.h"

/* The call succeeds; else its message is shown. */
#define CHECK(call)                                                                                                    \
    do {                                                                                                               \
        tn_status check_ = (call);                                                                                     \
        if (check_) fail_msg("%s: %s: %s", #call, tn_status_name(check_), tn_message());                               \
    } while (0)

/* The message names what it should. */
static inline void check_message(const char *what, const char *word)
{
    if (!strstr(tn_message(), word)) fail_msg("%s: the message '%s' lacks '%s'", what, tn_message(), word);
}

static inline void check_near(const char *what, double got, double expected, double relative)
{
    if (isnan(expected) ? !isnan(got)
                        : !(got == expected || fabs(got - expected) <= relative * (fabs(expected) + 1e-12)))
        fail_msg("%s: expected %.9g, got %.9g", what, expected, got);
}

/* A graph made ready on a device. */
typedef struct check_bed {
    tn_device *device;
    tn_state *state;
    tn_program *program;
} check_bed;

/* Skips the test where there is no such device; the graph is freed then. */
static inline void check_start(check_bed *b, tn_graph *graph, const char *device)
{
    *b = (check_bed){0};
    if (tn_device_open(device, &b->device)) {
        tn_graph_free(graph);
        skip();
    }
    CHECK(tn_state_new(b->device, 1, &b->state));
    CHECK(tn_compile(graph, b->state, NULL, &b->program));
}

static inline void check_finish(check_bed *b, tn_graph *graph)
{
    tn_program_free(b->program);
    tn_state_free(b->state);
    tn_device_close(b->device);
    tn_graph_free(graph);
}

/* The test, which gets the device's name as its state, once for each device. */
#define ON_DEVICE(test, device)                                                                                        \
    {                                                                                                                  \
#test " on " device, test, NULL, NULL, (void *)device                                                          \
    }
#define ON_EVERY_DEVICE(test) ON_DEVICE(test, "reference"), ON_DEVICE(test, "cpu"), ON_DEVICE(test, "opencl")

#endif
