/* team.c: sub-groups, whose work-items fold rows without local memory (cl/team.cl), on devices whose compiler has a way
 * to exchange registers: nothing is believed of a driver. When a context is made, sums and places of the largest
 * element are computed on the device by each way that it may have, through all that a network's go through, and
 * compared with the host's. What is wrong or does not compile is left for the next, and at last for local memory. The
 * verdict is kept (verdict.c), for this device and driver and these sources. */
#include "team.h"
#include "verdict.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *vendor, *extension, *defines; /* part of the device's; NULL: any. neither: only if asked for */
    size_t wave;
} kinds[] = {{"ptx", "NVIDIA", NULL, "#define TEAM_PTX 1\n", 32},
             {"ptx-asm", "NVIDIA", NULL, "#define TEAM_PTX 1\n#define TEAM_ASM asm\n", 32},
             {"swizzle", "Advanced Micro Devices", NULL, "#define TEAM_SWIZZLE 1\n", 32},
             {"intel", NULL, "cl_intel_subgroups", "#define TEAM_INTEL 1\n", 16},
             {"khr", NULL, "cl_khr_subgroup_shuffle", "#define TEAM_KHR 1\n", 8},
             {"plain", NULL, NULL, "#define TEAM_PLAIN 1\n", 8}};

enum { KINDS = sizeof kinds / sizeof *kinds };

#define EACH 16 /* elements of a work-item at most, in a team that is smaller than its group */

size_t ocl_team_group(const tn_context *context, size_t most)
{
    while (most > context->max_group) most /= 2;
    return most;
}

static size_t wave_of(const tn_context *context, size_t group)
{
    return context->team >= 0 && group % kinds[context->team].wave == 0 ? kinds[context->team].wave : 0;
}

size_t ocl_team_size(const tn_context *context, size_t group, int64_t elements)
{
    const size_t wave = wave_of(context, group);
    return wave && elements <= EACH * (int64_t)wave ? wave : group;
}

void ocl_team_write(ocl_text *text, const tn_context *context, size_t group, size_t team)
{
    const size_t wave = wave_of(context, group);
    ocl_textf(text, "#define GROUP %u\n#define TEAM %s\n%s%s", (unsigned)group, wave && team == wave ? "WAVE" : "GROUP",
              wave ? kinds[context->team].defines : "", ocl_cl_team);
}

/* ---- what is believed -------------------------------------------------------------------------------------------- */

enum { ROWS = 37, LONGEST = 1000 };

/* Each fold is tried on rows for a team within a wave, and on rows for a group. */
static const struct {
    const char *kind;
    int32_t dtype, elements;
} trials[] = {{"sum", TN_F32, 45},         {"sum", TN_F32, LONGEST}, {"argmax", TN_F32, 45},
              {"argmax", TN_F32, LONGEST}, {"sum", TN_F64, 45},      {"sum", TN_F64, LONGEST}};

typedef struct folded {
    double x[ROWS * LONGEST]; /* or floats */
    double y[ROWS];           /* or floats, or places */
} folded;

/* Whole numbers of which there are several of each in a row: sums are exact, and of the largest the first counts. */
static int number(int i)
{
    return (int)((uint32_t)i * 2654435761u >> 20) % 331 - 150;
}

static void fill(folded *f, int32_t dtype, int count)
{
    for (int i = 0; i < count; i++) {
        const double wide = number(i);
        const float narrow = (float)number(i);
        const size_t bytes = tn_dtype_size(dtype);
        memcpy((char *)f->x + (size_t)i * bytes, dtype == TN_F64 ? (const void *)&wide : &narrow, bytes);
    }
}

static int32_t place_of_largest(const int row, int elements)
{
    int32_t best = 0;
    for (int i = 1; i < elements; i++)
        if (number(row * elements + i) > number(row * elements + best)) best = i;
    return best;
}

/* The row's result, as it lies in memory. */
static void expect(size_t trial, int row, char result[8])
{
    const int elements = trials[trial].elements;
    int sum = 0;
    for (int i = 0; i < elements; i++) sum += number(row * elements + i);
    const int32_t place = place_of_largest(row, elements);
    const float narrow = (float)sum;
    const double wide = sum;
    if (strcmp(trials[trial].kind, "sum"))
        memcpy(result, &place, sizeof place);
    else if (trials[trial].dtype == TN_F64)
        memcpy(result, &wide, sizeof wide);
    else
        memcpy(result, &narrow, sizeof narrow);
}

static int is_right(size_t trial, const folded *f, size_t bytes)
{
    char result[8];
    for (int row = 0; row < ROWS; row++) {
        expect(trial, row, result);
        if (memcmp((const char *)f->y + (size_t)row * bytes, result, bytes) != 0) return 0;
    }
    return 1;
}

static int32_t run_kernel(tn_context *context, tn_kernel *kernel, uint64_t scratch, folded *f, uint64_t bytes)
{
    tn_queue *queue = NULL;
    tn_buffer *buffer[3] = {NULL};
    const uint64_t size[3] = {sizeof f->x, sizeof f->y, scratch};
    int32_t s = ocl_queue_create(context, &queue, NULL);
    for (int i = 0; i < 3 && !s; i++) s = ocl_buffer_create(context, size[i], &buffer[i], NULL);
    const tn_ref in = {.buffer = buffer[0]}, out = {.buffer = buffer[1]};
    const tn_run run = {.size = sizeof run, .in = &in, .out = &out, .scratch = {.buffer = buffer[2]}};
    if (!s) s = ocl_write(queue, in, f->x, bytes, NULL);
    if (!s) s = ocl_op_run(queue, kernel, &run, NULL);
    if (!s) s = ocl_read(queue, f->y, out, sizeof f->y, NULL);
    if (!s) s = ocl_queue_sync(queue, NULL);
    if (queue) ocl_queue_destroy(queue);
    for (int i = 0; i < 3; i++) ocl_buffer_destroy(buffer[i]);
    return s;
}

static tn_tensor_desc rows_of(int32_t dtype, int64_t elements)
{
    tn_tensor_desc t = {.dtype = dtype, .rank = 2};
    t.dim[0] = ROWS, t.dim[1] = elements;
    t.stride[0] = elements, t.stride[1] = 1;
    return t;
}

/* Whether it comes out right. `lasts`: see ocl_trial. */
static int try_fold(tn_context *context, size_t trial, folded *f, int *lasts)
{
    static const int32_t first = 0;
    static const tn_map_attrs as_it_is = {.size = sizeof as_it_is, .out = &first, .n_in = 1, .n_out = 1};
    const int32_t dtype = trials[trial].dtype, elements = trials[trial].elements;
    const int32_t result = strcmp(trials[trial].kind, "sum") ? TN_I32 : dtype;
    const tn_tensor_desc in = rows_of(dtype, elements), out = rows_of(result, 1);
    const tn_reduce_attrs attrs = {.size = sizeof attrs,
                                   .kind = trials[trial].kind,
                                   .map = &as_it_is,
                                   .dim = {ROWS, elements},
                                   .rank = 2,
                                   .axes = 2};
    const tn_op_desc desc = {
        .size = sizeof desc, .name = "reduce", .n_in = 1, .n_out = 1, .in = &in, .out = &out, .attrs = &attrs};
    tn_kernel_info info = {.size = sizeof info};
    tn_kernel *kernel = NULL;
    memset(f, 0, sizeof *f);
    fill(f, dtype, ROWS * elements);
    int32_t s = ocl_op_prepare(context, &desc, &kernel, &info, NULL);
    if (!s) s = ocl_ready.ready(kernel, NULL);
    const int is_made = !s;
    if (!s) s = run_kernel(context, kernel, info.scratch, f, (uint64_t)(ROWS * elements) * tn_dtype_size(dtype));
    ocl_op_release(kernel);
    *lasts &= !s || (!is_made && s != TN_ENOMEM);
    return !s && is_right(trial, f, tn_dtype_size(result));
}

static int try_folds(tn_context *context, folded *f, int *lasts)
{
    for (size_t i = 0; i < sizeof trials / sizeof *trials; i++)
        if ((trials[i].dtype != TN_F64 || context->has_f64) && !try_fold(context, i, f, lasts)) return 0;
    return 1;
}

static int32_t try_kind(tn_context *context, uint32_t *right, int *lasts, tn_msg *msg)
{
    folded *f = ocl_alloc(sizeof *f);
    if (!f) return ocl_fail(msg, TN_ENOMEM, "out of memory for a trial of sub-groups");
    *right = (uint32_t)try_folds(context, f, lasts);
    ocl_free(f);
    ocl_log_debug(*right ? "sub-groups are right: " : "sub-groups fail or are wrong: ", kinds[context->team].name);
    return TN_OK;
}

static int32_t judge(tn_context *context, uint32_t *is_good, tn_msg *msg)
{
    char key[96], what[60];
    uint64_t hash = ocl_hash(context->identity, ocl_cl_team, strlen(ocl_cl_team));
    hash = ocl_hash(hash, ocl_cl_reduce, strlen(ocl_cl_reduce));
    hash = ocl_hash(hash, &context->max_group, sizeof context->max_group);
    snprintf(key, sizeof key, "subgroups-%s-%016llx", kinds[context->team].name, (unsigned long long)hash);
    snprintf(what, sizeof what, "sub-groups (%s)", kinds[context->team].name);
    return ocl_verdict(context, key, what, try_kind, is_good, msg);
}

static int fits(const tn_context *context, int kind, const char *wanted, const char *vendor, const char *extensions)
{
    if (wanted) return !strcmp(wanted, kinds[kind].name);
    if (context->is_cpu || (!kinds[kind].vendor && !kinds[kind].extension)) return 0;
    return (!kinds[kind].vendor || strstr(vendor, kinds[kind].vendor)) &&
           (!kinds[kind].extension || strstr(extensions, kinds[kind].extension));
}

int32_t ocl_team_find(tn_context *context, const char *vendor, const char *extensions, tn_msg *msg)
{
    const char *wanted = ocl_option("subgroups");
    int32_t s = TN_OK;
    int known = !wanted || !strcmp(wanted, "off");
    uint32_t is_good = 0;
    for (int kind = 0; kind < KINDS; kind++) known |= wanted && !strcmp(wanted, kinds[kind].name);
    context->team = -1;
    if (!known)
        return ocl_fail(msg, TN_EINVAL,
                        "option opencl.subgroups: '%s' is none of off, ptx, ptx-asm, swizzle, intel, khr, plain",
                        wanted);
    for (int kind = 0; kind < KINDS && !is_good && !s && !context->cpu_shape; kind++) {
        if (!fits(context, kind, wanted, vendor, extensions)) continue;
        context->team = kind;
        s = judge(context, &is_good, msg);
    }
    if (!is_good) context->team = -1;
    return s;
}
