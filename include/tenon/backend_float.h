/* backend_float.h: computing in the plain floating-point environment, whatever the calling thread's is. For those who
 * implement backend.h on the host's own processor; the reference and our backends use it.
 *
 * A program may round upwards, count denormals as zero or trap divisions by zero, on purpose or because some library
 * was linked with -ffast-math; a new thread inherits that from the thread which makes it. Results must not depend on
 * it: so what computes in the caller's thread does so between tn_float_begin and tn_float_end, and a thread of the
 * backend's own calls tn_float_begin once. Reading the environment costs a few nanoseconds; it is written only where
 * it is not plain. The arithmetic must be in a function that the compiler doesn't draw into the one that calls these,
 * for it knows nothing of what they mean to it. */
#ifndef TENON_BACKEND_FLOAT_H
#define TENON_BACKEND_FLOAT_H

#include <stdint.h>

#if defined(__SSE2__)
#include <xmmintrin.h>
#elif !(defined(__aarch64__) && defined(__GNUC__))
#include <fenv.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The processor's word as it was: MXCSR, FPCR, or the direction that C knows. */
typedef uint64_t tn_float_mode;

/* From here on to the nearest, ties to even, with denormals and without traps. Returns what tn_float_end wants. */
static inline tn_float_mode tn_float_begin(void)
{
#if defined(__SSE2__)
    const unsigned before = _mm_getcsr(), plain = 0x1f80, raised = 0x3f; /* all traps masked; flags don't matter */
    if ((before & ~raised) != plain) _mm_setcsr(plain);
    return before;
#elif defined(__aarch64__) && defined(__GNUC__)
    uint64_t before;
    __asm__ volatile("mrs %0, fpcr" : "=r"(before));
    if (before) __asm__ volatile("msr fpcr, %0" : : "r"((uint64_t)0) : "memory");
    return before;
#else
    const int before = fegetround();
    if (before != FE_TONEAREST) fesetround(FE_TONEAREST);
    return (tn_float_mode)before;
#endif
}

/* The environment is as it was before tn_float_begin. */
static inline void tn_float_end(tn_float_mode before)
{
#if defined(__SSE2__)
    if ((before & ~(tn_float_mode)0x3f) != 0x1f80) _mm_setcsr((unsigned)before);
#elif defined(__aarch64__) && defined(__GNUC__)
    if (before) __asm__ volatile("msr fpcr, %0" : : "r"(before) : "memory");
#else
    if (before != (tn_float_mode)FE_TONEAREST) fesetround((int)before);
#endif
}

#ifdef __cplusplus
}
#endif
#endif
