/* library.h: the matrix product of a library, if there is one. */
#ifndef CPU_LIBRARY_H
#define CPU_LIBRARY_H

#include <stdint.h>

/* Looks for the library; called by init. Returns 1 if there is one. */
int cpu_library_open(void);

/* 1 once the library was found. */
int cpu_library_is_there(void);

/* c (m, n) = op(a) op(b) in f32, all row-major and dense, on the calling thread's OpenMP threads. */
void cpu_library_product(int ta, int tb, int64_t m, int64_t n, int64_t k, const float *a, const float *b, float *c);

#endif
