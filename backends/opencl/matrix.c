/* matrix.c: products by matrix units (cl/matrix.cl, cl/matrix_parts.cl), on devices whose compiler takes them: which
 * kinds there are, which forms a product has on them, and which blocks. Nothing is believed of a driver: what is used
 * was right in a trial (matrix_trial.c), whose verdict is kept (verdict.c), for this device and driver and these
 * sources. */
#include "matrix.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *vendor, *defines; /* vendor: part of the device's; NULL: only if it is asked for */
    int32_t wave, has_stages, is_model;  /* cl/matrix_staged.cl has it; it is computed by cl/ptx_model.cl */
} kinds[] = {{"ptx", "NVIDIA", "#define MX_PTX 1\n", 32, 1},
             {"ptx-asm", "NVIDIA", "#define MX_PTX 1\n#define MX_ASM asm\n", 32, 1},
             {"wmma", "Advanced Micro Devices", "#define MX_WMMA 1\n", 32, 0},
             {"mfma", "Advanced Micro Devices", "#define MX_MFMA 1\n", 64, 0},
             {"intel", "Intel", "#define MX_INTEL 1\n", 16, 0},
             {"plain", NULL, "", 32, 1},
             {"ptx-model", NULL, "#define MX_PTX 1\n#define MX_MODEL 1\n", 32, 1, 1}};

enum { KINDS = sizeof kinds / sizeof *kinds };

const char *ocl_matrix_kind(const tn_context *context)
{
    return kinds[context->matrix].name;
}

int ocl_matrix_is_model(const tn_context *context)
{
    return kinds[context->matrix].is_model;
}

#define RAW_FORM "#define PARTS 1\n#define RAW 1\n#define EXACT 1\n"

const ocl_form ocl_forms[OCL_FORMS] = {
    {TN_F32, TN_PRECISION_F32, 0, "#define PARTS 3\n#define EXACT 1\n", 3e-6,
     "#define MX_TF32 1\n#define PARTS 2\n#define EXACT 1\n"},
    {TN_F32, TN_PRECISION_F32_FAST, 0, "#define PARTS 2\n", 4e-5, "#define MX_TF32 1\n#define PARTS 1\n"},
    {TN_F32, TN_PRECISION_BF16, 0, "#define PARTS 1\n", 8e-3, "#define MX_TF32 1\n#define PARTS 1\n"},
    {TN_BF16, TN_PRECISION_F32, 1, RAW_FORM, 3e-6, RAW_FORM},
    {TN_F16, TN_PRECISION_F32, 1, RAW_FORM "#define MX_F16 1\n", 3e-6, RAW_FORM "#define MX_F16 1\n"}};

/* Waves of a work-group and products of 16 x 16 of each, so that 128 registers, 32 KiB of local memory and 256
 * work-items are enough. TILES_N * 16 is a multiple of the wave. most: for products of so many rows, as the filters of
 * convolutions are; 0: of any. Those for any device, which are for tests, are small. The first that fits is taken. */
static const struct {
    int32_t wave, is_plain, raw, most, waves_u, waves_v, tiles_m, tiles_n;
} shapes[] = {{32, 1, 0, 16, 2, 1, 1, 2}, {32, 1, 0, 64, 2, 2, 1, 2}, {32, 1, 0, 0, 1, 2, 2, 2}, /* any */
              {32, 0, 0, 32, 4, 2, 1, 2}, {32, 0, 0, 64, 2, 4, 1, 2}, {32, 0, 1, 0, 4, 2, 4, 2},
              {32, 0, 0, 0, 2, 4, 2, 2},  {64, 0, 0, 32, 2, 2, 1, 4}, {64, 0, 0, 0, 2, 2, 2, 4},
              {16, 0, 0, 32, 4, 2, 1, 2}, {16, 0, 0, 64, 4, 2, 2, 2}, {16, 0, 0, 0, 2, 4, 2, 2}};

#define DEEP 16

static size_t shape_of(const tn_context *context, int form, int64_t m)
{
    const int32_t wave = kinds[context->matrix].wave, is_plain = !kinds[context->matrix].vendor;
    size_t i = 0;
    while (shapes[i].wave != wave || shapes[i].is_plain != is_plain || shapes[i].raw > ocl_forms[form].raw ||
           (shapes[i].most && m > shapes[i].most))
        i++;
    return i;
}

ocl_choice ocl_matrix_choice(int64_t parts)
{
    ocl_choice choice = {.family = ocl_family_named("matrix")};
    ocl_set_value(&choice, "parts", parts);
    return choice;
}

ocl_tile ocl_matrix_tile(const tn_context *context, int form, int64_t m)
{
    const size_t i = shape_of(context, form, m);
    return (ocl_tile){shapes[i].waves_u * shapes[i].wave, shapes[i].waves_v, shapes[i].tiles_m * 16,
                      shapes[i].tiles_n * 16 / shapes[i].wave, DEEP};
}

static void write_kind(ocl_text *text, const tn_context *context, const char *form)
{
    ocl_textf(text, "%s%s%s", kinds[context->matrix].defines, form,
              kinds[context->matrix].is_model ? ocl_cl_ptx_model : "");
}

void ocl_matrix_write(ocl_text *text, const tn_context *context, int form, int64_t m)
{
    const size_t i = shape_of(context, form, m);
    write_kind(text, context, ocl_forms[form].defines);
    ocl_textf(text, "#define DEEP %d\n#define STEP (DEEP + 8)\n#define WAVES_U %d\n#define WAVES_V %d\n", DEEP,
              (int)shapes[i].waves_u, (int)shapes[i].waves_v);
    ocl_textf(text, "#define TILES_M %d\n#define TILES_N %d\n#define ITEMS (WAVES_U * WAVES_V * WAVE)\n%s%s%s%s",
              (int)shapes[i].tiles_m, (int)shapes[i].tiles_n, ocl_cl_bring, ocl_cl_matrix, ocl_cl_matrix_block,
              ocl_cl_matrix_parts);
}

int ocl_matrix_has_stages(const tn_context *context)
{
    return context->matrix >= 0 && kinds[context->matrix].has_stages;
}

void ocl_matrix_write_staged(ocl_text *text, const tn_context *context, int form)
{
    write_kind(text, context, ocl_forms[form].staged);
}

int ocl_matrix_is_plain(const tn_context *context)
{
    return !kinds[context->matrix].vendor;
}

#define LEAST 4e6 /* operations: below, blocks of another size keep more units busy */

static int is_worth(const ocl_build *build, double flops)
{
    const tn_context *context = build->context;
    return context->matrix >= 0 && build->facts->dtype == TN_F32 && flops >= LEAST * context->grain;
}

int ocl_matrix_form(const ocl_build *build, double flops)
{
    const tn_tensor_desc *in = build->desc->in;
    const int32_t dtype = in[0].dtype == in[1].dtype ? in[0].dtype : TN_F32;
    const int conv = build->facts->channels_last ? OCL_RIGHT_LAID : OCL_RIGHT_CONV;
    const int first = strcmp(build->desc->name, "matmul") ? conv : 0;
    if (!is_worth(build, flops)) return -1;
    for (int form = 0; form < OCL_FORMS; form++)
        if (ocl_forms[form].dtype == dtype && (ocl_forms[form].level == build->level || dtype != TN_F32))
            return build->context->matrix_right >> (first + form) & 1 ? form : -1;
    return -1;
}

int ocl_matrix_last_form(const ocl_build *build, double flops)
{
    static const int forms[OCL_LEVELS] = {0, 1, OCL_BF16_FORM};
    const tn_tensor_desc *in = build->desc->in;
    const int is_bf16 = in[0].dtype == TN_BF16 && (in[1].dtype == TN_BF16 || build->level == TN_PRECISION_BF16);
    uint32_t level = is_bf16 ? TN_PRECISION_BF16 : build->level;
    if (build->facts->channels_last && !is_bf16) { /* pictures are read as they are stored */
        if (in[0].dtype != TN_F32) return -1;
        if (level > TN_PRECISION_F32_FAST) level = TN_PRECISION_F32_FAST;
    }
    if (!is_worth(build, flops) || !(build->context->matrix_right >> (OCL_RIGHT_LAST + level) & 1)) return -1;
    return forms[level];
}

int32_t ocl_matrix_stored(int form)
{
    return ocl_forms[form].dtype;
}

/* Asks one trial for its verdict. */
static int32_t judge(tn_context *context, ocl_trial *trial, const char *what, uint32_t *right, tn_msg *msg)
{
    char key[96], line[80];
    const char *kind = ocl_matrix_kind(context);
    snprintf(key, sizeof key, "matrix%s-%s-%016llx", trial == ocl_matrix_try ? "" : "-last", kind,
             (unsigned long long)ocl_matrix_tried(context));
    snprintf(line, sizeof line, "%s (%s)", what, kind);
    return ocl_verdict(context, key, line, trial, right, msg);
}

/* A driver that is wrong about one of them, or ends the process by it, may be right about the other. */
static int32_t judge_both(tn_context *context, tn_msg *msg)
{
    uint32_t right = 0, last = 0;
    int32_t s = judge(context, ocl_matrix_try, "matrix units", &right, msg);
    if (!s && right) s = judge(context, ocl_matrix_try_last, "convolutions with channels last", &last, msg);
    context->matrix_right = right | last;
    return s;
}

static int fits(const tn_context *context, int kind, const char *wanted, const char *vendor)
{
    if (wanted) return !strcmp(wanted, kinds[kind].name);
    return !context->cpu_shape && !context->is_cpu && kinds[kind].vendor && strstr(vendor, kinds[kind].vendor);
}

int32_t ocl_matrix_find(tn_context *context, const char *vendor, tn_msg *msg)
{
    const char *wanted = ocl_option("matrix");
    int32_t s = TN_OK, known = !wanted || !strcmp(wanted, "off");
    for (int kind = 0; kind < KINDS; kind++) known |= wanted && !strcmp(wanted, kinds[kind].name);
    context->matrix = -1;
    if (!known)
        return ocl_fail(msg, TN_EINVAL,
                        "option opencl.matrix: '%s' is none of off, ptx, ptx-asm, wmma, mfma, intel, plain, ptx-model",
                        wanted);
    if (context->max_group < 256 || context->cpu_shape) return TN_OK;
    for (int kind = 0; kind < KINDS && !context->matrix_right && !s; kind++) {
        if (!fits(context, kind, wanted, vendor)) continue;
        context->matrix = kind;
        s = judge_both(context, msg);
    }
    if (!context->matrix_right) context->matrix = -1;
    return s;
}
