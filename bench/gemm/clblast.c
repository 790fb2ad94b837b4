/* clblast.c: CLBlast's product, on the first OpenCL device; the operands lie there. */
#define CL_TARGET_OPENCL_VERSION 120
#include <clblast_c.h>
#include <stdio.h>

#include "driver.h"

const char *const library_name = "CLBlast";

static cl_context context;
static cl_command_queue queue;
static cl_mem a, b, c;

static cl_mem buffer_of(const float *data, int rows, int columns, cl_int *error)
{
    return clCreateBuffer(context, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR,
                          (size_t)rows * (size_t)columns * sizeof *data, (void *)data, error);
}

int library_open(const product *p)
{
    cl_platform_id platform;
    cl_device_id device;
    cl_int error = clGetPlatformIDs(1, &platform, NULL);
    if (!error) error = clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &device, NULL);
    if (!error) context = clCreateContext(NULL, 1, &device, NULL, NULL, &error);
    if (!error) queue = clCreateCommandQueue(context, device, 0, &error);
    if (!error) a = buffer_of(p->a, p->m, p->k, &error);
    if (!error) b = buffer_of(p->b, p->k, p->n, &error);
    if (!error) c = buffer_of(p->c, p->m, p->n, &error);
    if (error) fprintf(stderr, "OpenCL: error %d\n", error);
    return !error;
}

int library_run(const product *p, long times)
{
    CLBlastStatusCode status = CLBlastSuccess;
    for (long i = 0; i < times && status == CLBlastSuccess; i++)
        status = CLBlastSgemm(CLBlastLayoutRowMajor, p->trans_a ? CLBlastTransposeYes : CLBlastTransposeNo,
                              p->trans_b ? CLBlastTransposeYes : CLBlastTransposeNo, (size_t)p->m, (size_t)p->n,
                              (size_t)p->k, 1, a, 0, (size_t)(p->trans_a ? p->m : p->k), b, 0,
                              (size_t)(p->trans_b ? p->k : p->n), 0, c, 0, (size_t)p->n, &queue, NULL);
    return status == CLBlastSuccess && !clFinish(queue);
}

int library_read(const product *p)
{
    size_t bytes = (size_t)p->m * (size_t)p->n * sizeof *p->c;
    return !clEnqueueReadBuffer(queue, c, CL_TRUE, 0, bytes, p->c, 0, NULL, NULL);
}
