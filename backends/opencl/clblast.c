#include "opencl.h"
int32_t ocl_gemm_prepare(ocl_build *build, const ocl_gemm_shape *shape, int to_scratch)
{
    (void)build;
    (void)shape;
    (void)to_scratch;
    return TN_EUNSUPPORTED;
}
int32_t ocl_gemm_run(tn_queue *queue, tn_kernel *kernel, const tn_run *run, tn_msg *msg)
{
    (void)queue;
    (void)kernel;
    (void)run;
    (void)msg;
    return 0;
}
void ocl_gemm_release(ocl_gemm *gemm)
{
    (void)gemm;
}
void ocl_gemm_clear(void)
{
}
