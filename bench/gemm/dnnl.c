/* dnnl.c: oneDNN's product. */
#include <oneapi/dnnl/dnnl.h>

#include "driver.h"

const char *const library_name = "oneDNN";

int library_open(const product *p)
{
    (void)p;
    return 1;
}

int library_run(const product *p, long times)
{
    dnnl_status_t status = dnnl_success;
    for (long i = 0; i < times && status == dnnl_success; i++)
        status = dnnl_sgemm(p->trans_a ? 'T' : 'N', p->trans_b ? 'T' : 'N', p->m, p->n, p->k, 1, p->a,
                            p->trans_a ? p->m : p->k, p->b, p->trans_b ? p->k : p->n, 0, p->c, p->n);
    return status == dnnl_success;
}

int library_read(const product *p)
{
    (void)p;
    return 1;
}
