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

#endif
