/* library.c: oneDNN's sgemm, loaded when the backend starts, or a CBLAS that it was linked with.
 *
 * oneDNN is not linked: Debian's is linked with OpenCL's loader in turn, and where that is missing this backend would
 * not load either. Without oneDNN all products are our own.
 *
 * Before 3.11.2 (its issue 4845) the code that oneDNN generates for a product lets the stack pointer lie in the heap,
 * and nothing makes it choose other code. A signal's handler would write its frame there: so signals wait meanwhile. */
#include "library.h"
#include "signals.h"
#include "turn.h"

#include <omp.h>

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

void cpu_library_product(const cpu_product *p)
{
    sgemm(p->ta ? 'T' : 'N', p->tb ? 'T' : 'N', p->m, p->n, p->k, 1, p->a, p->lda, p->b, p->ldb, 0, p->c, p->ldc);
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

void cpu_library_product(const cpu_product *p)
{
    cblas_sgemm(CblasRowMajor, p->ta ? CblasTrans : CblasNoTrans, p->tb ? CblasTrans : CblasNoTrans, (int)p->m,
                (int)p->n, (int)p->k, 1, p->a, (int)p->lda, p->b, (int)p->ldb, 0, p->c, (int)p->ldc);
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
void cpu_library_product(const cpu_product *p)
{
    (void)p;
}
#endif

void cpu_library_begin(cpu_library_use *use)
{
    cpu_signals_hold(&use->signals);
    use->threads = omp_get_max_threads();
    if (use->threads != 1) omp_set_num_threads(1);
}

void cpu_library_end(const cpu_library_use *use)
{
    if (use->threads != 1) omp_set_num_threads(use->threads);
    cpu_signals_release(&use->signals);
}

void cpu_library_turn(int64_t n, int64_t k, int64_t begin, int64_t end, const float *b, float *to)
{
    enum { COLUMNS = 32 }; /* few enough that all lines of theirs stay in the first cache */
    for (int64_t j = 0; j < n; j += COLUMNS)
        cpu_turn(n - j < COLUMNS ? n - j : COLUMNS, end - begin, b + j * k + begin, k, to + begin * n + j, n);
}
