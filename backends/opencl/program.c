/* program.c: OpenCL programs, built once for a context and source, and kept on disk through the host's cache. An entry
 * holds a header and the driver's binary; whatever does not fit (length, checksum, driver's veto) is built again from
 * source. The context's lock guards the list and serialises the builds. */
#include "opencl.h"

#include <stdio.h>
#include <string.h>

#define BUILD_OPTIONS "-w" /* no warnings; arithmetic stays strict: NaN, infinities and denormals hold */

struct ocl_program {
    ocl_program *next;
    cl_program cl;
    uint64_t hash[2];
    int is_new; /* not on disk yet */
};

typedef struct entry_header {
    char magic[8];
    uint64_t hash[2];  /* of the source */
    uint64_t identity; /* device, driver */
    uint64_t bytes;    /* of the binary behind */
    uint64_t checksum;
} entry_header;

static const char magic[8] = "TNOCL01";

static void log_debug(const char *what, const char *detail)
{
    char line[400];
    if (!ocl_host->log) return;
    snprintf(line, sizeof line, "opencl: %s%.300s", what, detail);
    ocl_host->log(ocl_host->self, TN_LOG_DEBUG, line);
}

static void entry_key(tn_context *context, const uint64_t hash[2], char key[96])
{
    snprintf(key, 96, "opencl-%016llx-%016llx%016llx", (unsigned long long)context->identity,
             (unsigned long long)hash[0], (unsigned long long)hash[1]);
}

/* ---- the cache on disk ----------------------------------------------------------------------------------------------
 */

static int entry_valid(tn_context *context, const uint64_t hash[2], const unsigned char *entry, uint64_t bytes)
{
    entry_header head;
    if (bytes <= sizeof head) return 0;
    memcpy(&head, entry, sizeof head);
    return !memcmp(head.magic, magic, sizeof magic) && !memcmp(head.hash, hash, sizeof head.hash) &&
           head.identity == context->identity && head.bytes == bytes - sizeof head &&
           head.checksum == ocl_hash(1, entry + sizeof head, head.bytes);
}

/* The program from its binary, or NULL. */
static cl_program from_binary(tn_context *context, const unsigned char *binary, size_t bytes)
{
    cl_int status = CL_SUCCESS, code = CL_SUCCESS;
    cl_program program = clCreateProgramWithBinary(context->cl, 1, &context->device, &bytes, &binary, &status, &code);
    if (!code && !status) code = clBuildProgram(program, 1, &context->device, BUILD_OPTIONS, NULL, NULL);
    if (!code && !status) return program;
    if (program) clReleaseProgram(program);
    log_debug("a program's binary was rejected", "");
    return NULL;
}

static cl_program load(tn_context *context, const uint64_t hash[2])
{
    char key[96];
    cl_program program = NULL;
    if (!ocl_host->cache_get) return NULL;
    entry_key(context, hash, key);
    int64_t bytes = ocl_host->cache_get(ocl_host->self, key, NULL, 0);
    unsigned char *entry = bytes > 0 ? ocl_alloc((size_t)bytes) : NULL;
    if (entry && ocl_host->cache_get(ocl_host->self, key, entry, (uint64_t)bytes) == bytes) {
        if (entry_valid(context, hash, entry, (uint64_t)bytes))
            program = from_binary(context, entry + sizeof(entry_header), (size_t)bytes - sizeof(entry_header));
        else
            log_debug("a cache entry is damaged: ", key);
    }
    ocl_free(entry);
    return program;
}

/* Stores the binary of a program. */
static void store(tn_context *context, const ocl_program *program)
{
    size_t bytes = 0;
    char key[96];
    if (!ocl_host->cache_put) return;
    if (clGetProgramInfo(program->cl, CL_PROGRAM_BINARY_SIZES, sizeof bytes, &bytes, NULL) || !bytes) return;
    unsigned char *entry = ocl_alloc(sizeof(entry_header) + bytes);
    if (!entry) return;
    unsigned char *binary = entry + sizeof(entry_header);
    if (!clGetProgramInfo(program->cl, CL_PROGRAM_BINARIES, sizeof binary, &binary, NULL)) {
        entry_header head = {.identity = context->identity, .bytes = bytes};
        memcpy(head.magic, magic, sizeof magic);
        memcpy(head.hash, program->hash, sizeof head.hash);
        head.checksum = ocl_hash(1, binary, bytes);
        memcpy(entry, &head, sizeof head);
        entry_key(context, program->hash, key);
        ocl_host->cache_put(ocl_host->self, key, entry, sizeof head + bytes);
    }
    ocl_free(entry);
}

/* ---- building -------------------------------------------------------------------------------------------------------
 */

static void log_build(tn_context *context, cl_program program)
{
    size_t bytes = 0;
    clGetProgramBuildInfo(program, context->device, CL_PROGRAM_BUILD_LOG, 0, NULL, &bytes);
    char *text = ocl_alloc(bytes + 1);
    if (text && !clGetProgramBuildInfo(program, context->device, CL_PROGRAM_BUILD_LOG, bytes, text, NULL) && *text)
        log_debug("build log: ", text);
    ocl_free(text);
}

static int32_t compile(tn_context *context, const ocl_text *source, cl_program *program, tn_msg *msg)
{
    cl_int code;
    const char *text = source->s;
    size_t length = source->length;
    cl_program made = clCreateProgramWithSource(context->cl, 1, &text, &length, &code);
    int32_t s = ocl_check(msg, code, "clCreateProgramWithSource");
    if (s) return s;
    s = ocl_check(msg, clBuildProgram(made, 1, &context->device, BUILD_OPTIONS, NULL, NULL), "clBuildProgram");
    log_build(context, made);
    if (s) {
        clReleaseProgram(made);
        return s;
    }
    *program = made;
    return TN_OK;
}

/* With the lock held. */
static int32_t program_get(tn_context *context, const ocl_text *source, cl_program *program, tn_msg *msg)
{
    uint64_t hash[2];
    for (uint64_t i = 0; i < 2; i++)
        hash[i] =
            ocl_hash(ocl_hash(i * 0x9e3779b97f4a7c15u, BUILD_OPTIONS, sizeof BUILD_OPTIONS), source->s, source->length);
    for (ocl_program *p = context->programs; p; p = p->next) {
        if (memcmp(p->hash, hash, sizeof hash)) continue;
        *program = p->cl;
        return TN_OK;
    }
    ocl_program *made = ocl_alloc(sizeof *made);
    if (!made) return ocl_fail(msg, TN_ENOMEM, "out of memory for a program");
    memcpy(made->hash, hash, sizeof hash);
    made->cl = load(context, hash);
    if (!made->cl) {
        int32_t s = compile(context, source, &made->cl, msg);
        if (s) {
            ocl_free(made);
            return s;
        }
        made->is_new = 1;
        if (!context->is_cpu) store(context, made); /* drivers of CPUs finish compiling at the first launch */
    }
    made->next = context->programs;
    context->programs = made;
    *program = made->cl;
    return TN_OK;
}

int32_t ocl_kernel_get(tn_context *context, const ocl_text *source, const char *name, cl_kernel *kernel, tn_msg *msg)
{
    cl_int code;
    cl_program program = NULL;
    if (source->failed) return ocl_fail(msg, TN_ENOMEM, "out of memory for a kernel's source");
    pthread_mutex_lock(&context->lock);
    int32_t s = program_get(context, source, &program, msg);
    if (!s) {
        cl_kernel made = clCreateKernel(program, name, &code);
        s = ocl_check(msg, code, name);
        if (!s) *kernel = made;
    }
    pthread_mutex_unlock(&context->lock);
    return s;
}

void ocl_programs_release(tn_context *context)
{
    while (context->programs) {
        ocl_program *first = context->programs;
        context->programs = first->next;
        if (first->is_new && context->is_cpu) store(context, first);
        clReleaseProgram(first->cl);
        ocl_free(first);
    }
}
