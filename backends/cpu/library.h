/* library.h: the matrix product of a library, if there is one. */
#ifndef CPU_LIBRARY_H
#define CPU_LIBRARY_H

#include <signal.h>
#include <stdint.h>

/* Looks for the library; called by init. Returns 1 if there is one. */
int cpu_library_open(void);

/* 1 once the library was found. */
int cpu_library_is_there(void);

/* A library's product wins wherever a call of it is not most of the work. oneDNN 2.6 against our own code, GFLOP/s of
 * one core of a Sapphire Rapids (AVX-512, medians of alternating runs on a busy machine): 512 x 512 x 512 132 to 116,
 * 32 x 100 x 784 112 to 60, 784 x 100 x 32 110 to 82. Holding signals back costs 0.4 us a call (library.c). With it,
 * microseconds of a run: 64 x 64 x 64 4.0 to 4.8, 32 x 40 x 100 2.6 to 4.2, 32 x 40 x 40 1.5 to 1.6; but
 * 100 x 32 x 16 1.5 to 1.2 and 32 x 40 x 20 1.1 to 1.0. So the border lies at 100 thousand operations. */
#define CPU_LIBRARY_FLOPS 100e3

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
