/* step.c: launches that go to the device as one. On processors a launch costs more than a small kernel takes: threads
 * go to sleep behind each and are woken for the next. So launches wait in their queue until somebody flushes it, or
 * wants anything else of it; then one kernel (cl/step.cl) runs them all, those that don't depend on each other side by
 * side. What they call, and with what, is a list of records in a buffer. A list that is the same as one of the last is
 * not made again: a network's step is the same each time, but for scalars, which are arguments of the one kernel.
 *
 * A part that is made for it (ocl_step_source) has its kernel as a function, and one that takes the arguments for it
 * from a record; ocl_step_kernel writes the kernel that calls those of a program. */
#include "opencl.h"

#include <stdio.h>
#include <string.h>

enum {
    BUFFERS = 32, /* and scalars: of all launches of a step, which is cut where there are more */
    SCALARS = 64,
    WORDS = 16384, /* of the records */
    RANGES = 4096, /* of memory that launches read or write */
    LISTS = 4,     /* that are kept */
    FLUSH = 32,    /* bit of a record's first word */
    HEAD = 4,      /* words of a record before the arguments: step.cl says which */
    COUNTS = 24    /* words before the records, for counts of step.cl; and there is one for each behind them */
};

/* What a launch reads or writes. */
typedef struct range {
    uint64_t begin, end;
    uint32_t buffer;
    uint32_t writes;
} range;

typedef struct list {
    cl_mem mem; /* NULL: none */
    const ocl_program *program;
    uint32_t words;
    uint64_t *word;
} list;

struct ocl_step {
    ocl_program *program; /* that has what is called; NULL: nothing waits */
    uint32_t words, ranges, buffers, scalars;
    int64_t pieces;
    cl_mem buffer[BUFFERS]; /* retained */
    cl_int code;            /* what failed: the step isn't handed over */
    uint64_t scalar[SCALARS];
    list kept[LISTS];
    uint32_t next;   /* of those that are kept, the next to go */
    uint64_t *word;  /* records as they are compared */
    uint64_t *image; /* and as the device gets them, behind the counts */
    range *range;    /* of a record as many as its third word says, until it is filled in */
};

/* ---- sources ---------------------------------------------------------------------------------------------------- */

static int is_buffer(const ocl_arg *arg)
{
    return arg->kind == OCL_ARG_IN || arg->kind == OCL_ARG_OUT || arg->kind == OCL_ARG_SCRATCH;
}

static int is_scalar(const ocl_arg *arg)
{
    return arg->kind >= OCL_ARG_F32;
}

static uint32_t count_args(const ocl_launch *launch, int (*is)(const ocl_arg *arg))
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < launch->n_arg; i++) count += is(&launch->arg[i]);
    return count;
}

int ocl_step_takes(const tn_context *context, const ocl_launch *launch)
{
    return context->steps && launch->rank == 1 && launch->local[0] == 1 && launch->global[0] < INT32_MAX / 2 &&
           count_args(launch, is_buffer) <= BUFFERS && count_args(launch, is_scalar) <= SCALARS;
}

static void write_arg(ocl_text *text, const ocl_arg *arg, uint32_t i)
{
    static const char *const format[] = {[OCL_ARG_IN] = "(__global void *)b[r[%u]]",
                                         [OCL_ARG_OUT] = "(__global void *)b[r[%u]]",
                                         [OCL_ARG_SCRATCH] = "(__global void *)b[r[%u]]",
                                         [OCL_ARG_IN_OFFSET] = "r[%u]",
                                         [OCL_ARG_OUT_OFFSET] = "r[%u]",
                                         [OCL_ARG_SCRATCH_OFFSET] = "r[%u]",
                                         [OCL_ARG_F32] = "as_float((uint)s[r[%u]])",
                                         [OCL_ARG_F64] = "as_double(s[r[%u]])",
                                         [OCL_ARG_I32] = "(int)s[r[%u]]",
                                         [OCL_ARG_U64] = "s[r[%u]]",
                                         [OCL_ARG_ROW] = "s[r[%u]]"};
    const char *value = arg->bytes == 4 ? "(int)r[%u]" : "(long)r[%u]";
    ocl_textf(text, arg->kind == OCL_ARG_VALUE ? value : format[arg->kind], i);
}

void ocl_step_kernel(ocl_text *text, const uint64_t *hash, uint32_t count)
{
    ocl_textf(text, "#define FLUSH (1ul << %d)\n#define HEAD %d\n#define COUNTS %d\n", FLUSH, HEAD, COUNTS);
    ocl_textf(text, "typedef struct tn_scalars {\n    ulong v[%d];\n} tn_scalars;\n#define BUFFER_PARAMS", SCALARS);
    for (int i = 0; i < BUFFERS; i++) ocl_textf(text, " __global uchar *b%d,", i);
    ocl_textf(text, "\n#define BUFFERS b0");
    for (int i = 1; i < BUFFERS; i++) ocl_textf(text, ", b%d", i);
    ocl_textf(text, "\n#define PIECE(call, item, b, r, s) switch (call) {");
    for (uint32_t i = 0; i < count; i++)
        ocl_textf(text, " \\\n    case 0x%08xu: tn_call_%016llx(item, b, r, s); break;", (uint32_t)hash[i],
                  (unsigned long long)hash[i]);
    ocl_textf(text, " }\n%s", ocl_cl_step);
}

/* Not inlined: PoCL would compile it three times over. What is not inlined has whole vectors only by that word. */
#define CALL                                                                                                           \
    "static __attribute__((noinline, min_vector_width(512))) void tn_call(const long item, __global uchar *const *b, " \
    "__global const ulong *r, const ulong *s)"

/* Programs are kept on disk by their parts: one with another kernel that calls them is another's. */
void ocl_step_source(ocl_text *text, const ocl_launch *launch, const ocl_text *source)
{
    ocl_text own = {.length = 0};
    ocl_step_kernel(&own, NULL, 0);
    const uint64_t version = own.s ? ocl_hash(0, own.s, own.length) : 0;
    text->failed |= own.failed;
    ocl_text_free(&own);
    ocl_textf(text, "#define IN_STEP 0x%llxul\n%s\n" CALL "\n{\n    %s(item", (unsigned long long)version, source->s,
              launch->name);
    for (uint32_t i = 0; i < launch->n_arg; i++) {
        ocl_textf(text, ",\n        ");
        write_arg(text, &launch->arg[i], i);
    }
    ocl_textf(text, ");\n}\n");
}

int ocl_step_compiles(const tn_context *context)
{
    cl_int code;
    ocl_text text = {.length = 0};
    ocl_step_kernel(&text, NULL, 0);
    const char *source = text.s;
    cl_program program = text.failed ? NULL : clCreateProgramWithSource(context->cl, 1, &source, &text.length, &code);
    ocl_text_free(&text);
    if (!program) return 0;
    code = clBuildProgram(program, 1, &context->device, "-w", NULL, NULL);
    clReleaseProgram(program);
    return !code;
}

/* ---- making and releasing ---------------------------------------------------------------------------------------- */

static void forget(ocl_step *step)
{
    for (uint32_t i = 0; i < step->buffers; i++) clReleaseMemObject(step->buffer[i]);
    step->program = NULL;
    step->words = step->ranges = step->buffers = step->scalars = 0;
    step->pieces = 0;
    step->code = CL_SUCCESS;
}

void ocl_step_release(ocl_step *step)
{
    if (!step) return;
    forget(step);
    for (int i = 0; i < LISTS; i++) {
        if (step->kept[i].mem) clReleaseMemObject(step->kept[i].mem);
        ocl_free(step->kept[i].word);
    }
    ocl_free(step->word);
    ocl_free(step->image);
    ocl_free(step->range);
    ocl_free(step);
}

ocl_step *ocl_step_new(void)
{
    ocl_step *step = ocl_alloc(sizeof *step);
    if (!step) return NULL;
    step->word = ocl_alloc(WORDS * sizeof *step->word);
    step->image = ocl_alloc((COUNTS + WORDS + WORDS / HEAD) * sizeof *step->image);
    step->range = ocl_alloc(RANGES * sizeof *step->range);
    int is_whole = step->word && step->image && step->range;
    for (int i = 0; i < LISTS; i++) {
        step->kept[i].word = ocl_alloc(WORDS * sizeof *step->word);
        is_whole &= step->kept[i].word != NULL;
    }
    if (is_whole) return step;
    ocl_step_release(step);
    return NULL;
}

/* ---- what depends on what ---------------------------------------------------------------------------------------- */

static int conflicts(const range *a, const range *b)
{
    return a->buffer == b->buffer && a->begin < b->end && b->begin < a->end && (a->writes || b->writes);
}

static int any_conflicts(const range *before, const range *now, uint32_t count)
{
    for (const range *a = before; a < now; a++)
        for (uint32_t i = 0; i < count; i++)
            if (conflicts(a, &now[i])) return 1;
    return 0;
}

/* Fills in what each launch waits for: all before the first of those that run beside it. And zeros for each behind the
 * records, where its pieces are counted. Returns how many launches there are. */
static uint64_t fill_in_waits(ocl_step *step)
{
    uint64_t launches = 0;
    const range *beside = step->range, *now = step->range;
    uint64_t waits = 0, end = 0;
    memcpy(step->image + COUNTS, step->word, step->words * sizeof *step->word);
    for (uint64_t *r = step->image + COUNTS; r < step->image + COUNTS + step->words; r += r[3]) {
        const uint32_t count = (uint32_t)r[2];
        if (any_conflicts(beside, now, count)) {
            waits = end;
            beside = now;
        }
        now += count;
        end = r[1];
        r[2] = waits;
        launches++;
    }
    memset(step->image + COUNTS + step->words, 0, launches * sizeof *step->image);
    return launches;
}

/* ---- handing over ------------------------------------------------------------------------------------------------ */

static list *find_list(ocl_step *step)
{
    for (int i = 0; i < LISTS; i++) {
        list *l = &step->kept[i];
        if (l->mem && l->program == step->program && l->words == step->words &&
            !memcmp(l->word, step->word, step->words * sizeof *step->word))
            return l;
    }
    return NULL;
}

/* Keeps the call's name if it failed. */
static cl_int called(tn_queue *queue, cl_int code, const char *call)
{
    if (code) queue->call = call;
    return code;
}

/* In place of the one that was made first. The driver keeps what is released while it is in use. */
static list *make_list(tn_queue *queue, ocl_step *step, cl_int *code)
{
    list *l = &step->kept[step->next];
    if (l->mem) clReleaseMemObject(l->mem);
    const uint64_t launches = fill_in_waits(step);
    l->mem = clCreateBuffer(queue->context->cl, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR,
                            (COUNTS + step->words + launches) * sizeof *step->image, step->image, code);
    if (called(queue, *code, "clCreateBuffer")) {
        l->mem = NULL;
        return NULL;
    }
    step->next = (step->next + 1) % LISTS;
    l->program = step->program;
    l->words = step->words;
    memcpy(l->word, step->word, step->words * sizeof *step->word);
    return l;
}

static cl_int set_args(const ocl_step *step, cl_kernel kernel, const list *l)
{
    const cl_int pieces = (cl_int)step->pieces, words = (cl_int)step->words;
    cl_int code = CL_SUCCESS;
    for (uint32_t i = 0; i < BUFFERS && !code; i++)
        code = clSetKernelArg(kernel, i, sizeof(cl_mem), i < step->buffers ? &step->buffer[i] : NULL);
    if (!code) code = clSetKernelArg(kernel, BUFFERS, sizeof l->mem, &l->mem);
    if (!code) code = clSetKernelArg(kernel, BUFFERS + 1, sizeof pieces, &pieces);
    if (!code) code = clSetKernelArg(kernel, BUFFERS + 2, sizeof words, &words);
    return code ? code : clSetKernelArg(kernel, BUFFERS + 3, sizeof step->scalar, step->scalar);
}

/* With the program's lock held. More work-groups than processors would wait for each other. */
static cl_int enqueue(tn_queue *queue, const ocl_step *step, const list *l, cl_event *event)
{
    const cl_kernel kernel = step->program->step;
    const int64_t threads = ocl_min(queue->context->units, queue->context->processors);
    const size_t one = 1, groups = (size_t)ocl_min(threads, step->pieces);
    const cl_int code = called(queue, set_args(step, kernel, l), "clSetKernelArg");
    return code ? code
                : called(queue, clEnqueueNDRangeKernel(queue->cl, kernel, 1, NULL, &groups, &one, 0, NULL, event),
                         "clEnqueueNDRangeKernel");
}

static cl_int hand_over(tn_queue *queue, ocl_step *step, cl_event *event)
{
    cl_int code = CL_SUCCESS;
    list *l = find_list(step);
    if (!l) l = make_list(queue, step, &code);
    if (!l) return code;
    pthread_mutex_lock(&step->program->lock);
    code = enqueue(queue, step, l, event);
    pthread_mutex_unlock(&step->program->lock);
    return code;
}

cl_int ocl_step_end(tn_queue *queue, cl_event *event)
{
    ocl_step *step = queue->step;
    if (!step || !step->words) return CL_SUCCESS;
    const cl_int code = called(queue, step->code, "clRetainMemObject") ? step->code : hand_over(queue, step, event);
    forget(step);
    return code;
}

/* ---- gathering --------------------------------------------------------------------------------------------------- */

/* Which of the step's buffers it is; there is room. 0 for none. */
static uint32_t number_of(ocl_step *step, cl_mem mem)
{
    uint32_t i = 0;
    while (i < step->buffers && step->buffer[i] != mem) i++;
    if (!mem || i < step->buffers) return mem ? i : 0;
    const cl_int code = clRetainMemObject(mem);
    if (code) step->code = code;
    if (code) return 0;
    step->buffer[step->buffers++] = mem;
    return i;
}

static uint64_t add_scalar(ocl_step *step, uint64_t bits)
{
    step->scalar[step->scalars] = bits;
    return step->scalars++;
}

static uint64_t arg_word(ocl_step *step, const ocl_arg *arg, uint64_t bits)
{
    cl_mem mem;
    memcpy(&mem, &bits, sizeof mem);
    return is_buffer(arg) ? number_of(step, mem) : is_scalar(arg) ? add_scalar(step, bits) : bits;
}

static void add_range(ocl_step *step, const tn_ref *ref, uint64_t bytes, uint32_t writes)
{
    if (!ref->buffer || !bytes) return;
    const uint32_t number = number_of(step, ref->buffer->mem);
    step->range[step->ranges++] = (range){ref->offset, ref->offset + bytes, number, writes};
}

static void add_ranges(ocl_step *step, const tn_kernel *kernel, const tn_run *run)
{
    for (uint32_t i = 0; i < kernel->n_in; i++) add_range(step, &run->in[i], kernel->in_bytes[i], 0);
    for (uint32_t k = 0; k < kernel->n_out; k++) add_range(step, &run->out[k], kernel->out_bytes[k], 1);
    if (kernel->scratch) add_range(step, &run->scratch, kernel->scratch, 1);
}

/* Whether the launch goes into the step that waits. */
static int has_room(const ocl_step *step, const tn_kernel *kernel, const ocl_launch *launch)
{
    const uint32_t operands = kernel->n_in + kernel->n_out + 1;
    return (!step->program || step->program == launch->program) && step->words + HEAD + launch->n_arg <= WORDS &&
           step->ranges + operands <= RANGES && step->buffers + operands <= BUFFERS &&
           step->scalars + count_args(launch, is_scalar) <= SCALARS &&
           step->pieces + (int64_t)launch->global[0] < INT32_MAX / 2;
}

cl_int ocl_step_add(tn_queue *queue, const tn_kernel *kernel, const ocl_launch *launch, const tn_run *run)
{
    ocl_step *step = queue->step;
    const cl_int code = has_room(step, kernel, launch) ? CL_SUCCESS : ocl_step_end(queue, NULL);
    if (code) return code;
    uint64_t *word = step->word + step->words;
    const uint32_t before = step->ranges;
    step->program = launch->program;
    for (uint32_t i = 0; i < launch->n_arg; i++) {
        const ocl_arg *arg = &launch->arg[i];
        word[HEAD + i] = arg_word(step, arg, arg->kind == OCL_ARG_VALUE ? arg->value : ocl_arg_value(arg, run));
    }
    add_ranges(step, kernel, run);
    step->pieces += (int64_t)launch->global[0];
    word[0] = (uint32_t)launch->call | (uint64_t)launch->flushes << FLUSH;
    word[1] = (uint64_t)step->pieces;
    word[2] = step->ranges - before;
    word[3] = HEAD + launch->n_arg;
    step->words += HEAD + launch->n_arg;
    return called(queue, step->code, "clRetainMemObject");
}
