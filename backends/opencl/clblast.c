/* clblast.c: large single-precision products by CLBlast. Its result for a shape is trusted only after a few elements
 * of it were compared with the host's own sums, once per device and shape, when the first such product is prepared: the
 * verdict is kept in the host's cache, and our own kernel takes the place of a product that is wrong.
 * Scratch holds, in this order, CLBlast's temporary buffer, and the product if an epilogue follows. */
#include "opencl.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#ifdef OCL_HAVE_CLBLAST
#include <clblast_c.h>
#include <dlfcn.h>

/* It is not linked, so that the backend loads where it is missing: loaded with the first product that may be its. */
#define SONAME "libclblast.so.1"

static struct {
    __typeof__(&CLBlastSgemmWithTempBuffer) sgemm;
    __typeof__(&CLBlastSgemmStridedBatched) batched;
    __typeof__(&CLBlastSGemmTempBufferSize) size;
    __typeof__(&CLBlastClearCache) clear;
    int is_there;
} clblast;

static void find(void *library, const char *name, void *function)
{
    void *symbol = library ? dlsym(library, name) : NULL;
    memcpy(function, &symbol, sizeof symbol);
}

static void load(void)
{
    void *library = dlopen(SONAME, RTLD_NOW | RTLD_LOCAL);
    find(library, "CLBlastSgemmWithTempBuffer", &clblast.sgemm);
    find(library, "CLBlastSgemmStridedBatched", &clblast.batched);
    find(library, "CLBlastSGemmTempBufferSize", &clblast.size);
    find(library, "CLBlastClearCache", &clblast.clear);
    clblast.is_there = clblast.sgemm && clblast.batched && clblast.size && clblast.clear;
}

static int is_there(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return clblast.is_there;
}

#define N_PARTS 4 /* sub-buffers that a prepared product remembers */

struct ocl_gemm {
    ocl_gemm_shape shape;
    int to_scratch;
    uint64_t temp_bytes;    /* 0: CLBlast needs none, or would make its own (batches) */
    uint64_t product_bytes; /* of the product in scratch: it lies first */
    pthread_mutex_t lock;   /* guards what follows */
    struct {
        cl_mem whole, part;
        uint64_t offset;
    } parts[N_PARTS]; /* temporary buffers cut out of scratch */
    uint32_t next;
};

/* Where a product's operands lie, in elements. */
typedef struct place {
    cl_mem a, b, c, temp;
    size_t a_offset, b_offset, c_offset;
} place;

static int32_t check_status(CLBlastStatusCode code, tn_msg *msg)
{
    if (code == CLBlastSuccess) return TN_OK;
    if (code > -100) return ocl_check(msg, (cl_int)code, "CLBlast");
    return ocl_fail(msg, TN_EDEVICE, "CLBlast: error %d", (int)code);
}

static int32_t multiply(const ocl_gemm_shape *s, const place *p, cl_command_queue queue, tn_msg *msg)
{
    const CLBlastTranspose ta = s->trans_a ? CLBlastTransposeYes : CLBlastTransposeNo;
    const CLBlastTranspose tb = s->trans_b ? CLBlastTransposeYes : CLBlastTransposeNo;
    const size_t m = (size_t)s->m, n = (size_t)s->n, k = (size_t)s->k, lda = s->trans_a ? m : k,
                 ldb = s->trans_b ? k : n;
    CLBlastStatusCode code;
    if (s->batch == 1)
        code = clblast.sgemm(CLBlastLayoutRowMajor, ta, tb, m, n, k, 1, p->a, p->a_offset, lda, p->b, p->b_offset, ldb,
                             0, p->c, p->c_offset, n, &queue, NULL, p->temp);
    else
        code = clblast.batched(CLBlastLayoutRowMajor, ta, tb, m, n, k, 1, p->a, p->a_offset, lda, (size_t)s->a_stride,
                               p->b, p->b_offset, ldb, (size_t)s->b_stride, 0, p->c, p->c_offset, n, m * n,
                               (size_t)s->batch, &queue, NULL);
    return check_status(code, msg);
}

/* The bytes that CLBlast asks for, whatever the operands' offsets turn out to be. */
static int32_t temp_bytes(const ocl_gemm_shape *s, cl_command_queue queue, uint64_t *bytes, tn_msg *msg)
{
    const CLBlastTranspose ta = s->trans_a ? CLBlastTransposeYes : CLBlastTransposeNo;
    const CLBlastTranspose tb = s->trans_b ? CLBlastTransposeYes : CLBlastTransposeNo;
    const size_t m = (size_t)s->m, n = (size_t)s->n, k = (size_t)s->k, lda = s->trans_a ? m : k,
                 ldb = s->trans_b ? k : n;
    *bytes = 0;
    for (size_t offset = 0; offset < 2 && s->batch == 1; offset++) {
        size_t wanted = 0;
        int32_t status = check_status(
            clblast.size(CLBlastLayoutRowMajor, ta, tb, m, n, k, offset, lda, offset, ldb, offset, n, &queue, &wanted),
            msg);
        if (status) return status;
        if (wanted > *bytes) *bytes = wanted;
    }
    return TN_OK;
}

/* ---- the check of a shape ---------------------------------------------------------------------------------------- */

static float sample(uint64_t i)
{
    return (float)((i * 2654435761u >> 9) & 0xff) / 128.0f - 1.0f;
}

static uint64_t operand_count(const ocl_gemm_shape *s, int64_t stride, int64_t rows, int64_t columns)
{
    return (uint64_t)((s->batch - 1) * stride + rows * columns);
}

/* Compares elements spread over the product, its corners among them. */
static int compare(const ocl_gemm_shape *s, const float *c)
{
    for (int64_t t = 0; t < 64; t++) {
        int64_t q = t % s->batch, i = t < 2 ? t * (s->m - 1) : t * 7919 % s->m,
                j = t % 2 ? s->n - 1 : t * 104729 % s->n;
        double sum = 0, bound = 0;
        for (int64_t k = 0; k < s->k; k++) {
            double a = sample((uint64_t)(q * s->a_stride + (s->trans_a ? k * s->m + i : i * s->k + k)));
            double b = sample((uint64_t)(q * s->b_stride + (s->trans_b ? j * s->k + k : k * s->n + j)) + 1);
            sum += a * b;
            bound += fabs(a * b);
        }
        if (!(fabs(sum - c[(q * s->m + i) * s->n + j]) <= 1e-5 * bound)) return 0;
    }
    return 1;
}

static cl_mem make_buffer(tn_context *context, uint64_t bytes, const void *data, cl_int *code)
{
    cl_int own = CL_SUCCESS;
    cl_mem mem = clCreateBuffer(context->cl, CL_MEM_READ_WRITE, bytes ? bytes : 4, NULL, &own);
    if (!own && data) own = clEnqueueWriteBuffer(context->queue, mem, CL_TRUE, 0, bytes, data, 0, NULL, NULL);
    if (own) *code = own;
    return mem;
}

/* 1: right, 0: wrong, -1: could not be tried. */
static int try_shape(tn_context *context, const ocl_gemm_shape *s, uint64_t temp)
{
    uint64_t na = operand_count(s, s->a_stride, s->m, s->k), nb = operand_count(s, s->b_stride, s->k, s->n);
    uint64_t nc = (uint64_t)(s->batch * s->m * s->n), most = na > nb ? na : nb;
    float *host = ocl_alloc((most > nc ? most : nc) * sizeof *host);
    cl_int code = CL_SUCCESS;
    int verdict = -1;
    if (!host) return -1;
    for (uint64_t i = 0; i < na; i++) host[i] = sample(i);
    place p = {.a = make_buffer(context, na * sizeof *host, host, &code)};
    for (uint64_t i = 0; i < nb; i++) host[i] = sample(i + 1);
    p.b = make_buffer(context, nb * sizeof *host, host, &code);
    p.c = make_buffer(context, nc * sizeof *host, NULL, &code);
    p.temp = make_buffer(context, temp, NULL, &code);
    if (!code && !multiply(s, &p, context->queue, NULL)) {
        code = clEnqueueReadBuffer(context->queue, p.c, CL_TRUE, 0, nc * sizeof *host, host, 0, NULL, NULL);
        verdict = code ? -1 : compare(s, host);
    }
    const cl_mem all[] = {p.a, p.b, p.c, p.temp};
    for (int i = 0; i < 4; i++)
        if (all[i]) clReleaseMemObject(all[i]);
    ocl_free(host);
    return verdict;
}

static void verdict_key(tn_context *context, const ocl_gemm_shape *s, char key[96])
{
    snprintf(key, 96, "clblast-%016llx-%016llx", (unsigned long long)context->identity,
             (unsigned long long)ocl_hash(2, s, sizeof *s));
}

static int is_right(tn_context *context, const ocl_gemm_shape *s, uint64_t temp)
{
    char key[96], known = 0;
    verdict_key(context, s, key);
    if (ocl_host->cache_get && ocl_host->cache_get(ocl_host->self, key, &known, 1) == 1 &&
        (known == 'r' || known == 'w'))
        return known == 'r';
    pthread_mutex_lock(&context->lock);
    int verdict = try_shape(context, s, temp);
    pthread_mutex_unlock(&context->lock);
    if (verdict == 0 && ocl_host->log)
        ocl_host->log(ocl_host->self, TN_LOG_WARNING,
                      "opencl: CLBlast gave a wrong product; it is not used for that shape");
    known = verdict ? 'r' : 'w';
    if (verdict >= 0 && ocl_host->cache_put) ocl_host->cache_put(ocl_host->self, key, &known, 1);
    return verdict == 1;
}

/* ---- preparing and running --------------------------------------------------------------------------------------- */

static uint64_t round_up(uint64_t bytes, uint64_t alignment)
{
    return (bytes + alignment - 1) / alignment * alignment;
}

int32_t ocl_gemm_prepare(ocl_build *build, const ocl_gemm_shape *shape, int to_scratch)
{
    tn_context *context = build->context;
    if (!build->kernel && !build->wants_sizes) return TN_OK;
    if (!is_there()) return ocl_fail(build->msg, TN_EUNSUPPORTED, "matmul: CLBlast is not installed");
    uint64_t product = to_scratch ? (uint64_t)(shape->batch * shape->m * shape->n) * sizeof(float) : 0, temp = 0;
    pthread_mutex_lock(&context->lock);
    int32_t s = temp_bytes(shape, context->queue, &temp, NULL);
    pthread_mutex_unlock(&context->lock);
    if (s || (build->kernel && !is_right(context, shape, temp))) return TN_EUNSUPPORTED;
    product = round_up(product, context->alignment);
    build->scratch = product + (temp ? temp + context->alignment : 0);
    build->launches += 1;
    if (!build->kernel) return TN_OK;
    ocl_gemm *gemm = ocl_alloc(sizeof *gemm);
    if (!gemm) return ocl_fail(build->msg, TN_ENOMEM, "matmul: no memory");
    pthread_mutex_init(&gemm->lock, NULL);
    gemm->shape = *shape;
    gemm->to_scratch = to_scratch;
    gemm->temp_bytes = temp;
    gemm->product_bytes = product;
    build->kernel->gemm = gemm;
    return TN_OK;
}

/* The temporary buffer inside this run's scratch: cut out when a place is seen first, remembered after. */
static cl_mem temp_part(ocl_gemm *gemm, tn_context *context, const tn_ref *scratch, cl_int *code)
{
    cl_mem whole = scratch->buffer->mem;
    cl_buffer_region region = {round_up(scratch->offset + gemm->product_bytes, context->alignment), gemm->temp_bytes};
    for (int i = 0; i < N_PARTS; i++)
        if (gemm->parts[i].whole == whole && gemm->parts[i].offset == region.origin) return gemm->parts[i].part;
    cl_mem part = clCreateSubBuffer(whole, CL_MEM_READ_WRITE, CL_BUFFER_CREATE_TYPE_REGION, &region, code);
    if (*code) return NULL;
    uint32_t at = gemm->next++ % N_PARTS;
    if (gemm->parts[at].part) clReleaseMemObject(gemm->parts[at].part);
    gemm->parts[at].whole = whole;
    gemm->parts[at].offset = region.origin;
    return gemm->parts[at].part = part;
}

int32_t ocl_gemm_run(tn_queue *queue, tn_kernel *kernel, const tn_run *run, tn_msg *msg)
{
    ocl_gemm *gemm = kernel->gemm;
    const tn_ref *a = &run->in[0], *b = &run->in[1], *y = gemm->to_scratch ? &run->scratch : &run->out[0];
    tn_msg own = ocl_queue_msg(queue);
    cl_int code = CL_SUCCESS;
    place p = {a->buffer->mem,
               b->buffer->mem,
               y->buffer->mem,
               NULL,
               a->offset / sizeof(float),
               b->offset / sizeof(float),
               y->offset / sizeof(float)};
    pthread_mutex_lock(&gemm->lock);
    if (gemm->temp_bytes) p.temp = temp_part(gemm, kernel->context, &run->scratch, &code);
    int32_t s = ocl_queue_check(queue, code, "clCreateSubBuffer", msg);
    if (!s) s = ocl_queue_stick(queue, multiply(&gemm->shape, &p, queue->cl, &own), msg);
    pthread_mutex_unlock(&gemm->lock);
    queue->stats.launches += !s;
    return s;
}

void ocl_gemm_release(ocl_gemm *gemm)
{
    if (!gemm) return;
    for (int i = 0; i < N_PARTS; i++)
        if (gemm->parts[i].part) clReleaseMemObject(gemm->parts[i].part);
    pthread_mutex_destroy(&gemm->lock);
    ocl_free(gemm);
}

/* CLBlast's cache of programs would be destroyed after the driver that they belong to. */
void ocl_gemm_clear(void)
{
    if (clblast.is_there) clblast.clear();
}

#else

int32_t ocl_gemm_prepare(ocl_build *build, const ocl_gemm_shape *shape, int to_scratch)
{
    (void)shape, (void)to_scratch;
    return ocl_fail(build->msg, TN_EUNSUPPORTED, "matmul: built without CLBlast");
}

int32_t ocl_gemm_run(tn_queue *queue, tn_kernel *kernel, const tn_run *run, tn_msg *msg)
{
    (void)queue, (void)kernel, (void)run;
    return ocl_fail(msg, TN_EUNSUPPORTED, "matmul: built without CLBlast");
}

void ocl_gemm_release(ocl_gemm *gemm)
{
    (void)gemm;
}

void ocl_gemm_clear(void)
{
}

#endif
