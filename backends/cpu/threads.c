/* threads.c: the only parallel region of this backend's own: pieces of a range on several threads. */
#include "cpu.h"
#include "signals.h"
#include "tenon/backend_float.h"

#include <omp.h>

/* libgomp waits by futex, which the thread sanitizer does not see: without being told it takes the region's end for
 * no end at all. Told of the region's begin and end, it checks everything that happens inside. */
#if defined(__SANITIZE_THREAD__)
#define FREE_OF_TSAN __attribute__((no_sanitize("thread"), noinline))
void __tsan_acquire(void *at);
void __tsan_release(void *at);
#define SEE(at)  __tsan_acquire(at)
#define SHOW(at) __tsan_release(at)
#else
#define FREE_OF_TSAN
#define SEE(at)  (void)(at)
#define SHOW(at) (void)(at)
#endif

FREE_OF_TSAN void cpu_parallel(int threads, int64_t n, cpu_body *body, void *arg)
{
    if (threads == 1 || n < 2) {
        body(arg, 0, n, 0);
        return;
    }
    char begun = 0, ended = 0;
    const tn_float_mode mode = tn_float_now();
    SHOW(&begun);
#pragma omp parallel num_threads(threads)
    {
        const int64_t thread = omp_get_thread_num(), all = omp_get_num_threads();
        SEE(&begun);
        if (thread) cpu_signals_never(), tn_float_end(mode); /* it may have begun in any environment */
        body(arg, n * thread / all, n * (thread + 1) / all, (int)thread);
        SHOW(&ended);
    }
    SEE(&ended);
}
