/* near.h: comparing numbers. cmocka's assert_float_equal takes an infinity for equal to every number, and adds a
 * relative error of its own. */
#ifndef TESTS_NEAR_H
#define TESTS_NEAR_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* `got` is finite, and no further than `off` from `expected`. */
#define assert_near(got, expected, off) tn_assert_near(got, expected, off, __FILE__, __LINE__)

static inline void tn_assert_near(double got, double expected, double off, const char *file, int line)
{
    if (isfinite(got) && fabs(got - expected) <= off) return;
    print_error("got %.9g, expected %.9g within %g\n", got, expected, off);
    _fail(file, line);
}

#endif
