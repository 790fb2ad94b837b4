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

#if defined(__SSE2__)
#define TN_FLOAT_PLAIN   0x1f80u /* to nearest, all traps masked */
#define TN_FLOAT_FLUSHED 0x9f80u /* and FTZ; not DAZ, with which some of the C library's functions give NaN */
#define TN_FLOAT_RAISED  0x3fu   /* flags, which don't matter */
#elif defined(__aarch64__) && defined(__GNUC__)
#define TN_FLOAT_PLAIN   0u
#define TN_FLOAT_FLUSHED 0u /* these processors need no help with denormals */
#define TN_FLOAT_RAISED  0u
#else
#define TN_FLOAT_PLAIN   FE_TONEAREST
#define TN_FLOAT_FLUSHED FE_TONEAREST
#define TN_FLOAT_RAISED  0
#endif

/* The calling thread's environment. */
static inline tn_float_mode tn_float_now(void)
{
#if defined(__SSE2__)
    return _mm_getcsr();
#elif defined(__aarch64__) && defined(__GNUC__)
    uint64_t now;
    __asm__ volatile("mrs %0, fpcr" : "=r"(now));
    return now;
#else
    return (tn_float_mode)fegetround();
#endif
}

/* The environment is `mode` from here on: as it was before tn_float_begin, or as another thread's is. */
static inline void tn_float_end(tn_float_mode mode)
{
    if (!((tn_float_now() ^ mode) & ~(tn_float_mode)TN_FLOAT_RAISED)) return;
#if defined(__SSE2__)
    _mm_setcsr((unsigned)mode);
#elif defined(__aarch64__) && defined(__GNUC__)
    __asm__ volatile("msr fpcr, %0" : : "r"(mode) : "memory");
#else
    fesetround((int)mode);
#endif
}

/* From here on to the nearest, ties to even, with denormals and without traps. Returns what tn_float_end wants. */
static inline tn_float_mode tn_float_begin(void)
{
    const tn_float_mode before = tn_float_now();
    tn_float_end(TN_FLOAT_PLAIN);
    return before;
}

/* The same, but a result that would be denormal is zero where the processor knows how and is a hundred cycles faster
 * for each. */
static inline tn_float_mode tn_float_begin_flushed(void)
{
    const tn_float_mode before = tn_float_now();
    tn_float_end(TN_FLOAT_FLUSHED);
    return before;
}

#ifdef __cplusplus
}
#endif
#endif
