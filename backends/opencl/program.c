/* program.c: OpenCL programs. A source is noted when an operator is prepared, and is then a part that waits. All that
 * wait are built as one program when a kernel of one is wanted, for a build costs much whatever is in it. A part that
 * can't be built waits on, and is an error of those alone who want it.
 *
 * On disk an entry for each part says which program has it, and one for each program holds its binary; or its source,
 * where the driver itself keeps what it compiled, as asking it for a binary would be far dearer. What doesn't fit or is
 * rejected is built again. The context's lock guards the lists and serialises the builds. */
#include "opencl.h"

#include <stdio.h>
#include <string.h>

#define MAX_PARTS 256 /* in a program: of 55 together PoCL compiles each as fast as of 8 */

/* No warnings; arithmetic stays strict: NaN and infinities hold, denormals where a part doesn't flush. NVIDIA's
 * compiler is held to registers that leave room for two groups of 256 work-items on a unit. */
#define REGISTERS " -cl-nv-maxrregcount=128"
static const char *const options[2][2] = {{"-w", "-w -cl-denorms-are-zero"},
                                          {"-w" REGISTERS, "-w -cl-denorms-are-zero" REGISTERS}};

struct ocl_part {
    ocl_part *next;
    uint64_t hash[2];
    int flushes;          /* what would be denormal may be zero */
    int in_step;          /* it is for the kernel that calls many (step.c) */
    uint32_t users;       /* launches that have it */
    ocl_program *program; /* NULL: it waits */
    char *source;         /* of one that waits */
};

void ocl_log_debug(const char *what, const char *detail)
{
    char line[400];
    if (!ocl_host->log) return;
    snprintf(line, sizeof line, "opencl: %s%.300s", what, detail);
    ocl_host->log(ocl_host->self, TN_LOG_DEBUG, line);
}

const char *ocl_build_options(const tn_context *context, int flushes)
{
    return options[context->nvidia][flushes];
}

static void hash_source(const tn_context *context, const char *source, size_t length, int flushes, uint64_t hash[2])
{
    const char *with = ocl_build_options(context, flushes);
    for (uint64_t i = 0; i < 2; i++)
        hash[i] = ocl_hash(ocl_hash(i * 0x9e3779b97f4a7c15u, with, strlen(with) + 1), source, length);
}

/* ---- compiling --------------------------------------------------------------------------------------------------- */

static void log_build(tn_context *context, cl_program program)
{
    size_t bytes = 0;
    clGetProgramBuildInfo(program, context->device, CL_PROGRAM_BUILD_LOG, 0, NULL, &bytes);
    char *text = ocl_alloc(bytes + 1);
    if (text && !clGetProgramBuildInfo(program, context->device, CL_PROGRAM_BUILD_LOG, bytes, text, NULL) && *text)
        ocl_log_debug("build log: ", text);
    ocl_free(text);
}

static int32_t from_source(tn_context *context, const char *source, size_t length, int flushes, cl_program *program,
                           tn_msg *msg)
{
    cl_int code;
    cl_program made = clCreateProgramWithSource(context->cl, 1, &source, &length, &code);
    int32_t s = ocl_check(msg, code, "clCreateProgramWithSource");
    if (s) return s;
    s = ocl_check(msg, clBuildProgram(made, 1, &context->device, ocl_build_options(context, flushes), NULL, NULL),
                  "clBuildProgram");
    log_build(context, made);
    if (s)
        clReleaseProgram(made);
    else
        *program = made;
    return s;
}

/* The program from its binary, or NULL. */
static cl_program from_binary(tn_context *context, const unsigned char *binary, size_t bytes, int flushes)
{
    cl_int status = CL_SUCCESS, code = CL_SUCCESS;
    cl_program program = clCreateProgramWithBinary(context->cl, 1, &context->device, &bytes, &binary, &status, &code);
    if (!code && !status)
        code = clBuildProgram(program, 1, &context->device, ocl_build_options(context, flushes), NULL, NULL);
    if (!code && !status) return program;
    if (program) clReleaseProgram(program);
    ocl_log_debug("a program's binary was rejected", "");
    return NULL;
}

/* ---- the cache on disk ------------------------------------------------------------------------------------------- */

enum { KEPT_PART = 'p', KEPT_BINARY = 'b', KEPT_SOURCE = 's' };

static ocl_program *add_program(tn_context *context, const uint64_t hash[2], cl_program cl, int is_new)
{
    ocl_program *program = ocl_alloc(sizeof *program);
    if (!program) return NULL;
    *program = (ocl_program){.next = context->programs, .cl = cl, .hash = {hash[0], hash[1]}, .is_new = is_new};
    pthread_mutex_init(&program->lock, NULL);
    return context->programs = program;
}

static ocl_program *load_program(tn_context *context, const uint64_t hash[2], int flushes)
{
    uint64_t bytes = 0;
    cl_program cl = NULL;
    void *data = ocl_kept(context, context->keeps_itself ? KEPT_SOURCE : KEPT_BINARY, hash, &bytes);
    if (data && context->keeps_itself) from_source(context, data, bytes, flushes, &cl, NULL);
    if (data && !context->keeps_itself) cl = from_binary(context, data, bytes, flushes);
    ocl_free(data);
    ocl_program *program = cl ? add_program(context, hash, cl, 0) : NULL;
    if (cl && !program) clReleaseProgram(cl);
    return program;
}

/* Which program the disk has the part in. */
static int is_kept(tn_context *context, const ocl_part *part, uint64_t hash[2])
{
    uint64_t bytes = 0;
    void *data = ocl_kept(context, KEPT_PART, part->hash, &bytes);
    const int fits = data && bytes == 2 * sizeof *hash;
    if (fits) memcpy(hash, data, bytes);
    ocl_free(data);
    return fits;
}

/* That program, or NULL. */
static ocl_program *find_kept(tn_context *context, const ocl_part *part)
{
    uint64_t hash[2];
    if (!is_kept(context, part, hash)) return NULL;
    for (ocl_program *p = context->programs; p; p = p->next)
        if (!memcmp(p->hash, hash, sizeof hash)) return p;
    return load_program(context, hash, part->flushes);
}

/* Whether the disk has all parts for steps that wait in one program. In several they would be as many launches. */
static int is_step_kept(tn_context *context)
{
    uint64_t first[2] = {0, 0}, hash[2];
    int count = 0;
    for (ocl_part *p = context->parts; p; p = p->next) {
        if (p->program || !p->in_step) continue;
        if (!is_kept(context, p, hash) || (count++ && memcmp(first, hash, sizeof hash))) return 0;
        memcpy(first, hash, sizeof hash);
    }
    return 1;
}

static void keep_binary(tn_context *context, const ocl_program *program)
{
    size_t bytes = 0;
    if (clGetProgramInfo(program->cl, CL_PROGRAM_BINARY_SIZES, sizeof bytes, &bytes, NULL) || !bytes) return;
    unsigned char *binary = ocl_alloc(bytes);
    if (binary && !clGetProgramInfo(program->cl, CL_PROGRAM_BINARIES, sizeof binary, &binary, NULL))
        ocl_keep(context, KEPT_BINARY, program->hash, binary, bytes);
    ocl_free(binary);
}

/* source: NULL for the binary. */
static void keep(tn_context *context, ocl_program *program, const ocl_text *source)
{
    if (source)
        ocl_keep(context, KEPT_SOURCE, program->hash, source->s, source->length);
    else
        keep_binary(context, program);
    for (ocl_part *u = context->parts; u; u = u->next)
        if (u->program == program) ocl_keep(context, KEPT_PART, u->hash, program->hash, sizeof program->hash);
    program->is_new = 0;
}

/* ---- building ---------------------------------------------------------------------------------------------------- */

static void part_ending(const ocl_part *part, char ending[20])
{
    snprintf(ending, 20, "_%016llx", (unsigned long long)part->hash[0]);
}

static void part_built(ocl_part *part, ocl_program *program)
{
    part->program = program;
    ocl_free(part->source);
    part->source = NULL;
}

static int32_t build_text(tn_context *context, const ocl_text *text, int flushes, ocl_program **program, tn_msg *msg)
{
    cl_program cl = NULL;
    uint64_t hash[2];
    if (text->failed) return ocl_fail(msg, TN_ENOMEM, "out of memory for a program's source");
    int32_t s = from_source(context, text->s, text->length, flushes, &cl, msg);
    if (s) return s;
    hash_source(context, text->s, text->length, flushes, hash);
    *program = add_program(context, hash, cl, 1);
    if (*program) return TN_OK;
    clReleaseProgram(cl);
    return ocl_fail(msg, TN_ENOMEM, "out of memory for a program");
}

/* Builds the parts, which flush or don't, as one program. Drivers of CPUs finish compiling at the first launch: their
 * binaries are kept later. */
static int32_t build_parts(tn_context *context, ocl_part **part, uint32_t count, tn_msg *msg)
{
    char ending[20];
    ocl_text text = {.length = 0};
    ocl_program *program = NULL;
    uint64_t called[MAX_PARTS];
    uint32_t calls = 0;
    for (uint32_t i = 0; i < count; i++) {
        part_ending(part[i], ending);
        ocl_part_join(&text, part[i]->source, ending);
        if (part[i]->in_step) called[calls++] = part[i]->hash[0];
    }
    if (calls) ocl_step_kernel(&text, called, calls);
    int32_t s = build_text(context, &text, part[0]->flushes, &program, msg);
    for (uint32_t i = 0; i < count && !s; i++) part_built(part[i], program);
    if (!s && (context->keeps_itself || !context->is_cpu)) keep(context, program, context->keeps_itself ? &text : NULL);
    ocl_text_free(&text);
    return s;
}

/* Together, or, if that fails, each alone, so that none suffers for another's fault. */
static void build_piece(tn_context *context, ocl_part **part, uint32_t count)
{
    if (!build_parts(context, part, count, NULL)) return;
    for (uint32_t i = 0; i < count && count > 1; i++) (void)build_parts(context, &part[i], 1, NULL);
}

/* The next parts of one sort that wait, beginning with *at: how many. */
static uint32_t take_waiting(ocl_part **at, int flushes, ocl_part *part[MAX_PARTS])
{
    uint32_t count = 0;
    for (; *at && count < MAX_PARTS; *at = (*at)->next)
        if (!(*at)->program && (*at)->flushes == flushes) part[count++] = *at;
    return count;
}

static void build_waiting(tn_context *context)
{
    ocl_part *piece[MAX_PARTS];
    const int step_is_kept = is_step_kept(context);
    for (ocl_part *p = context->parts; p; p = p->next) {
        ocl_program *kept = p->program || (p->in_step && !step_is_kept) ? NULL : find_kept(context, p);
        if (kept) part_built(p, kept);
    }
    for (int flushes = 0; flushes < 2; flushes++) {
        ocl_part *at = context->parts;
        for (uint32_t n; (n = take_waiting(&at, flushes, piece));) build_piece(context, piece, n);
    }
}

/* ---- parts ------------------------------------------------------------------------------------------------------- */

/* With the lock held. */
static ocl_part *part_new(tn_context *context, const ocl_text *source, int flushes, int in_step, const uint64_t hash[2])
{
    ocl_part *part = ocl_alloc(sizeof *part);
    char *copy = part ? ocl_alloc(source->length + 1) : NULL;
    if (!copy) {
        ocl_free(part);
        return NULL;
    }
    memcpy(copy, source->s, source->length);
    *part = (ocl_part){context->parts, {hash[0], hash[1]}, flushes, in_step, 0, NULL, copy};
    return context->parts = part;
}

int32_t ocl_part_get(tn_context *context, const ocl_text *source, int flushes, int in_step, ocl_part **part,
                     tn_msg *msg)
{
    uint64_t hash[2];
    hash_source(context, source->s, source->length, flushes, hash);
    pthread_mutex_lock(&context->lock);
    ocl_part *found = context->parts;
    while (found && memcmp(found->hash, hash, sizeof hash)) found = found->next;
    if (!found) found = part_new(context, source, flushes, in_step, hash);
    if (found) found->users++;
    pthread_mutex_unlock(&context->lock);
    *part = found;
    return found ? TN_OK : ocl_fail(msg, TN_ENOMEM, "out of memory for a kernel's source");
}

static void part_free(ocl_part *part)
{
    ocl_free(part->source);
    ocl_free(part);
}

void ocl_part_release(tn_context *context, ocl_part *part)
{
    if (!part) return;
    pthread_mutex_lock(&context->lock);
    if (!--part->users && !part->program) {
        ocl_part **at = &context->parts;
        while (*at != part) at = &(*at)->next;
        *at = part->next;
        part_free(part);
    }
    pthread_mutex_unlock(&context->lock);
}

/* Builds it, with all that wait; if that failed, alone, to learn why. */
static int32_t build_part(tn_context *context, ocl_part *part, const char *name, tn_msg *msg)
{
    char why[160] = "";
    if (!part->program) build_waiting(context);
    const int32_t s = part->program ? TN_OK : build_parts(context, &part, 1, &(tn_msg){why, sizeof why});
    return s ? ocl_fail(msg, s, "%s: %s", name, why) : TN_OK;
}

int32_t ocl_part_kernel(tn_context *context, ocl_part *part, const char *name, cl_kernel *kernel, tn_msg *msg)
{
    cl_int code;
    char ending[20], full[80];
    part_ending(part, ending);
    snprintf(full, sizeof full, "%s%s", name, ending);
    pthread_mutex_lock(&context->lock);
    int32_t s = build_part(context, part, name, msg);
    if (!s) {
        cl_kernel made = clCreateKernel(part->program->cl, full, &code);
        s = ocl_check(msg, code, full);
        if (!s) *kernel = made;
    }
    pthread_mutex_unlock(&context->lock);
    return s;
}

int32_t ocl_part_step(tn_context *context, ocl_part *part, const char *name, ocl_program **program, uint32_t *call,
                      tn_msg *msg)
{
    cl_int code = CL_SUCCESS;
    pthread_mutex_lock(&context->lock);
    int32_t s = build_part(context, part, name, msg);
    if (!s && !part->program->step) part->program->step = clCreateKernel(part->program->cl, "tn_step", &code);
    if (!s) s = ocl_check(msg, code, "clCreateKernel");
    if (!s) {
        *program = part->program;
        *call = (uint32_t)part->hash[0];
    }
    pthread_mutex_unlock(&context->lock);
    return s;
}

void ocl_programs_release(tn_context *context)
{
    for (ocl_program *p = context->programs; p; p = p->next)
        if (p->is_new && context->is_cpu) keep(context, p, NULL);
    while (context->parts) {
        ocl_part *first = context->parts;
        context->parts = first->next;
        part_free(first);
    }
    while (context->programs) {
        ocl_program *first = context->programs;
        context->programs = first->next;
        if (first->step) clReleaseKernel(first->step);
        clReleaseProgram(first->cl);
        pthread_mutex_destroy(&first->lock);
        ocl_free(first);
    }
}
