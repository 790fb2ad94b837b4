/* library.c: oneDNN's sgemm, loaded when the backend starts, or a CBLAS that it was linked with.
 *
 * oneDNN is not linked: Debian's is linked with OpenCL's loader in turn, and where that is missing this backend would
 * not load either. Without oneDNN all products are our own. */
#include "library.h"

#if defined(CPU_WITH_DNNL)
#include <dlfcn.h>
#include <oneapi/dnnl/dnnl.h>
#include <string.h>

#define TEXT_OF(number) #number
#define SONAME(major)   "libdnnl.so." TEXT_OF(major)

static __typeof__(&dnnl_sgemm) sgemm;

int cpu_library_open(void)
{
    void *library = sgemm ? NULL : dlopen(SONAME(DNNL_VERSION_MAJOR), RTLD_NOW | RTLD_LOCAL);
    void *symbol = library ? dlsym(library, "dnnl_sgemm") : NULL;
    if (symbol) memcpy(&sgemm, &symbol, sizeof sgemm);
    return cpu_library_is_there();
}

int cpu_library_is_there(void)
{
    return sgemm != NULL;
}

void cpu_library_product(int ta, int tb, int64_t m, int64_t n, int64_t k, const float *a, const float *b, float *c)
{
    sgemm(ta ? 'T' : 'N', tb ? 'T' : 'N', m, n, k, 1, a, ta ? m : k, b, tb ? k : n, 0, c, n);
}

#elif defined(CPU_WITH_CBLAS)
#include <cblas.h>

int cpu_library_open(void)
{
    return 1;
}

int cpu_library_is_there(void)
{
    return 1;
}

void cpu_library_product(int ta, int tb, int64_t m, int64_t n, int64_t k, const float *a, const float *b, float *c)
{
    cblas_sgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, (int)m, (int)n, (int)k,
                1, a, (int)(ta ? m : k), b, (int)(tb ? k : n), 0, c, (int)n);
}

#else

int cpu_library_open(void)
{
    return 0;
}

int cpu_library_is_there(void)
{
    return 0;
}

/* Never called. */
void cpu_library_product(int ta, int tb, int64_t m, int64_t n, int64_t k, const float *a, const float *b, float *c)
{
    (void)ta, (void)tb, (void)m, (void)n, (void)k, (void)a, (void)b, (void)c;
}
#endif
