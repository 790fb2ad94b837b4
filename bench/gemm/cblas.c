/* cblas.c: the product of a CBLAS, such as OpenBLAS. */
#include <cblas.h>

#include "driver.h"

const char *const library_name = "cblas";

int library_open(const product *p)
{
    (void)p;
    return 1;
}

int library_run(const product *p, long times)
{
    for (long i = 0; i < times; i++)
        cblas_sgemm(CblasRowMajor, p->trans_a ? CblasTrans : CblasNoTrans, p->trans_b ? CblasTrans : CblasNoTrans, p->m,
                    p->n, p->k, 1, p->a, p->trans_a ? p->m : p->k, p->b, p->trans_b ? p->k : p->n, 0, p->c, p->n);
    return 1;
}

int library_read(const product *p)
{
    (void)p;
    return 1;
}
