/* library.h: the matrix product of a library found when this was configured, or none. */
#ifndef CPU_LIBRARY_H
#define CPU_LIBRARY_H

#include <stdint.h>

/* c (m, n) = op(a) op(b) in f32, all row-major and dense, on the calling thread's OpenMP threads. */
static inline void cpu_library_product(int ta, int tb, int64_t m, int64_t n, int64_t k, const float *a, const float *b,
                                       float *c);

#if defined(CPU_WITH_DNNL)
#include <oneapi/dnnl/dnnl.h>
#define CPU_HAS_LIBRARY 1

static inline void cpu_library_product(int ta, int tb, int64_t m, int64_t n, int64_t k, const float *a, const float *b,
                                       float *c)
{
    dnnl_sgemm(ta ? 'T' : 'N', tb ? 'T' : 'N', m, n, k, 1, a, ta ? m : k, b, tb ? k : n, 0, c, n);
}

#elif defined(CPU_WITH_CBLAS)
#include <cblas.h>
#define CPU_HAS_LIBRARY 1

static inline void cpu_library_product(int ta, int tb, int64_t m, int64_t n, int64_t k, const float *a, const float *b,
                                       float *c)
{
    cblas_sgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, (int)m, (int)n, (int)k,
                1, a, (int)(ta ? m : k), b, (int)(tb ? k : n), 0, c, (int)n);
}

#else
#define CPU_HAS_LIBRARY 0

static inline void cpu_library_product(int ta, int tb, int64_t m, int64_t n, int64_t k, const float *a, const float *b,
                                       float *c)
{
    (void)ta, (void)tb, (void)m, (void)n, (void)k, (void)a, (void)b, (void)c;
}
#endif

#endif
