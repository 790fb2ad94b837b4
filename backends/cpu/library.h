/* library.h: the matrix product of a library, if there is one. */
#ifndef CPU_LIBRARY_H
#define CPU_LIBRARY_H

#include <signal.h>
#include <stdint.h>

/* Looks for the library; called by init. Returns 1 if there is one. */
int cpu_library_open(void);

/* 1 once the library was found. */
int cpu_library_is_there(void);

/* c (m, n) = op(a) op(b) in f32, row-major. */
typedef struct cpu_product {
    int ta, tb;
    int64_t m, n, k;
    const float *a, *b;
    float *c;
    int64_t lda, ldb, ldc; /* elements from one row to the next, as they lie */
} cpu_product;

/* What is restored when a thread is through with the library. */
typedef struct cpu_library_use {
    sigset_t signals;
    int threads;
} cpu_library_use;

/* Between the two a thread may multiply: its signals wait, and the library takes no thread but this one. */
void cpu_library_begin(cpu_library_use *use);
void cpu_library_end(const cpu_library_use *use);
void cpu_library_product(const cpu_product *p);

/* Rows begin..end of `to` (k, n), which is b (n, k) the other way round. */
void cpu_library_turn(int64_t n, int64_t k, int64_t begin, int64_t end, const float *b, float *to);

#endif
