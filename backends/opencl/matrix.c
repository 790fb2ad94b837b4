/* matrix.c: products by matrix units (cl/matrix.cl, cl/matrix_parts.cl), on devices whose compiler takes them: nothing
 * is believed of a driver. When a context is made each form of product is made on the device in each of its blocks, the
 * way that a network's product goes: a long one, and two at once of transposed factors with an epilogue; and compared
 * with the host's sums. What is wrong or does not compile is left to other kernels. The verdict is kept (verdict.c),
 * for this device and driver and these sources. */
#include "tile.h"
#include "verdict.h"

#include <math.h>
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

#define RAW_FORM "#define PARTS 1\n#define RAW 1\n#define EXACT 1\n"

/* Forms of product: the factors as they lie in memory, at a level of precision. raw: as the units take them. off: the
 * largest error of a sum, in parts of what its magnitudes add up to. staged: the same in stages. */
static const struct {
    int32_t dtype;
    uint32_t level;
    int raw;
    const char *defines;
    double off;
    const char *staged;
} forms[] = {{TN_F32, TN_PRECISION_F32, 0, "#define PARTS 3\n#define EXACT 1\n", 3e-6,
              "#define MX_TF32 1\n#define PARTS 2\n#define EXACT 1\n"},
             {TN_F32, TN_PRECISION_F32_FAST, 0, "#define PARTS 2\n", 4e-5, "#define MX_TF32 1\n#define PARTS 1\n"},
             {TN_F32, TN_PRECISION_BF16, 0, "#define PARTS 1\n", 8e-3, "#define MX_TF32 1\n#define PARTS 1\n"},
             {TN_BF16, TN_PRECISION_F32, 1, RAW_FORM, 3e-6, RAW_FORM},
             {TN_F16, TN_PRECISION_F32, 1, RAW_FORM "#define MX_F16 1\n", 3e-6, RAW_FORM "#define MX_F16 1\n"}};

enum { FORMS = sizeof forms / sizeof *forms };

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
    while (shapes[i].wave != wave || shapes[i].is_plain != is_plain || shapes[i].raw > forms[form].raw ||
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
    write_kind(text, context, forms[form].defines);
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
    write_kind(text, context, forms[form].staged);
}

int ocl_matrix_is_plain(const tn_context *context)
{
    return !kinds[context->matrix].vendor;
}

#define LEAST 4e6 /* operations: below, blocks of another size keep more units busy */

int ocl_matrix_form(const ocl_build *build, double flops)
{
    const tn_context *context = build->context;
    const tn_tensor_desc *in = build->desc->in;
    const int32_t dtype = in[0].dtype == in[1].dtype ? in[0].dtype : TN_F32;
    if (context->matrix < 0 || build->facts->dtype != TN_F32 || flops < LEAST * context->grain) return -1;
    for (int form = 0; form < FORMS; form++)
        if (forms[form].dtype == dtype && (forms[form].level == build->level || dtype != TN_F32))
            return context->matrix_right >> form & 1 ? form : -1;
    return -1;
}

/* ---- what is believed ----------------------------------------------------------------------------------------------
 */

/* Products of these sizes are tried: no multiples of a block. One has a k as long as errors take to add up; another
 * is two at once, of transposed factors, with an epilogue that doubles them; so are those of fewer rows, for their
 * blocks. The last is for models of units, which take long and are no driver's. */
enum { M = 141, N = 77, K = 1050, BYTES = M * K * (int)sizeof(float), DOUBLED = 2 };
typedef struct way {
    int batch, m, k, is_turned;
} way;
static const way ways[] = {{1, M, K, 0}, {2, M, 150, 1}, {2, 50, 150, 1}, {2, 13, 150, 1}, {2, 13, 20, 1}};
enum { WAYS = sizeof ways / sizeof *ways, LAST = WAYS - 1 };

typedef struct trial {
    float a[M * K], b[K * N], y[2 * M * N];
    unsigned char raw[BYTES];
} trial;

/* Where the factors' elements lie. */
static uint32_t at_a(const way *w, int q, int i, int k)
{
    return (uint32_t)(w->is_turned ? (q * w->k + k) * w->m + i : (q * w->m + i) * w->k + k);
}

static uint32_t at_b(const way *w, int q, int k, int j)
{
    return (uint32_t)(w->is_turned ? (q * N + j) * w->k + k : (q * w->k + k) * N + j);
}

/* Even rows of a are positive, so that what each addition loses adds up; numbers have some 20 digits. */
static float number(uint32_t i, int is_positive)
{
    const uint32_t bits = (i + 1) * 2654435761u ^ (i + 7) * 40503u << 11;
    const float value = (float)(bits >> 12) / 1048576.0f;
    return is_positive ? 0.5f + 0.5f * value : 2 * value - 1;
}

/* The number as the type has it, and what that is. */
static float stored(int32_t dtype, float value, unsigned char *to)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    const int cut = dtype == TN_BF16 ? 16 : dtype == TN_F16 ? 13 : 0;
    bits = bits >> cut << cut;
    if (fabsf(value) < 0.001f) bits = 0; /* no denormals of f16 */
    const uint32_t half = bits ? (bits >> 16 & 0x8000u) | ((bits >> 13 & 0x3ffffu) - (112u << 10)) : 0;
    const uint16_t narrow = (uint16_t)(dtype == TN_BF16 ? bits >> 16 : half);
    if (dtype == TN_F32)
        memcpy(to, &bits, sizeof bits);
    else
        memcpy(to, &narrow, sizeof narrow);
    memcpy(&value, &bits, sizeof bits);
    return value;
}

static int is_near(const trial *t, const way *w, int q, int i, int j, double off)
{
    double sum = 0, magnitude = 0;
    for (int k = 0; k < w->k; k++) {
        const double product = (double)t->a[at_a(w, q, i, k)] * (double)t->b[at_b(w, q, k, j)];
        sum += product, magnitude += fabs(product);
    }
    const double factor = w->is_turned ? DOUBLED : 1, got = (double)t->y[(q * w->m + i) * N + j];
    return fabs(factor * sum - got) <= off * factor * magnitude;
}

static int is_close(const trial *t, const way *w, double off)
{
    int close = 1;
    for (int q = 0; q < w->batch; q++)
        for (int i = 0; i < w->m; i++)
            for (int j = 0; j < N && close; j++) close = is_near(t, w, q, i, j, off);
    return close;
}

static tn_tensor_desc matrix_of(int32_t dtype, int64_t batch, int64_t rows, int64_t columns)
{
    tn_tensor_desc t = {.dtype = dtype, .rank = 3};
    t.dim[0] = batch, t.dim[1] = rows, t.dim[2] = columns;
    t.stride[0] = rows * columns, t.stride[1] = columns, t.stride[2] = 1;
    return t;
}

static void draw_factors(trial *t, const way *w, int32_t dtype, unsigned char *raw_b)
{
    const size_t bytes = tn_dtype_size(dtype);
    for (int q = 0; q < w->batch; q++)
        for (int k = 0; k < w->k; k++) {
            for (int i = 0; i < w->m; i++) {
                const uint32_t at = at_a(w, q, i, k);
                t->a[at] = stored(dtype, number(at, i % 2 == 0), t->raw + at * bytes);
            }
            for (int j = 0; j < N; j++) {
                const uint32_t at = at_b(w, q, k, j);
                t->b[at] = stored(dtype, number(at + 3, j % 2 == 0), raw_b + at * bytes);
            }
        }
}

/* Writes the factors, runs the product and reads it. */
static int32_t run_product(tn_queue *queue, tn_kernel *kernel, trial *t, tn_buffer *const buffer[4], const way *w,
                           int32_t dtype)
{
    const size_t bytes = tn_dtype_size(dtype), ks = (size_t)(w->batch * w->k);
    const tn_ref in[2] = {{.buffer = buffer[0]}, {.buffer = buffer[1]}}, out = {.buffer = buffer[2]};
    const tn_run run = {.size = sizeof run, .in = in, .out = &out, .scratch = {.buffer = buffer[3]}};
    unsigned char *raw_b = ocl_alloc(ks * N * bytes);
    if (!raw_b) return TN_ENOMEM;
    draw_factors(t, w, dtype, raw_b);
    int32_t s = ocl_write(queue, in[0], t->raw, (size_t)w->m * ks * bytes, NULL);
    if (!s) s = ocl_write(queue, in[1], raw_b, N * ks * bytes, NULL);
    if (!s) s = ocl_op_run(queue, kernel, &run, NULL);
    if (!s) s = ocl_read(queue, t->y, out, (size_t)w->batch * (size_t)w->m * N * sizeof(float), NULL);
    const int32_t late = ocl_queue_sync(queue, NULL);
    ocl_free(raw_b);
    return s ? s : late;
}

/* What the product is, on its way through all that follows a description. `is_made`: the driver has compiled it. */
static int32_t run_form(tn_context *context, int form, const way *w, trial *t, int *is_made)
{
    static const tn_map_instr doubles[] = {{"const", {-1, -1, -1, -1}, TN_F32, 0, DOUBLED},
                                           {"mul", {0, 1, -1, -1}, TN_F32, 0, 0}};
    static const int32_t last = 2; /* behind the product and the constant */
    static const tn_map_attrs epilogue = {
        .size = sizeof epilogue, .instr = doubles, .out = &last, .n_instr = 2, .n_in = 1, .n_out = 1};
    const int32_t dtype = forms[form].dtype;
    const int turned = w->is_turned;
    const tn_tensor_desc in[2] = {matrix_of(dtype, w->batch, turned ? w->k : w->m, turned ? w->m : w->k),
                                  matrix_of(dtype, w->batch, turned ? N : w->k, turned ? w->k : N)};
    const tn_tensor_desc out = matrix_of(TN_F32, w->batch, w->m, N);
    const tn_matmul_attrs attrs = {.size = sizeof attrs,
                                   .epilogue = turned ? &epilogue : NULL,
                                   .trans_a = (uint32_t)turned,
                                   .trans_b = (uint32_t)turned};
    const tn_op_desc desc = {.size = sizeof desc,
                             .name = "matmul",
                             .n_in = 2,
                             .n_out = 1,
                             .in = in,
                             .out = &out,
                             .attrs = &attrs,
                             .precision = forms[form].level};
    tn_kernel_info info = {.size = sizeof info};
    tn_kernel *kernel = NULL;
    tn_queue *queue = NULL;
    tn_buffer *buffer[4] = {NULL};
    static const ocl_choice untuned = {.family = NULL};
    int32_t s = ocl_op_prepare_by(context, &desc, &untuned, &kernel, &info, NULL);
    if (!s) s = ocl_ready.ready(kernel, NULL);
    *is_made = !s;
    const uint64_t bytes[4] = {BYTES, BYTES, sizeof t->y, info.scratch};
    for (int i = 0; i < 4 && !s; i++) s = ocl_buffer_create(context, bytes[i], &buffer[i], NULL);
    if (!s) s = ocl_queue_create(context, &queue, NULL);
    if (!s) s = run_product(queue, kernel, t, buffer, w, dtype);
    if (queue) ocl_queue_destroy(queue);
    for (int i = 0; i < 4; i++) ocl_buffer_destroy(buffer[i]);
    ocl_op_release(kernel);
    return s;
}

/* One form, in all ways: 1: right, 0: wrong or not possible. `lasts` becomes 0 if another time it may be otherwise. */
static int try_form(tn_context *context, int form, trial *t, int *lasts)
{
    int32_t s = TN_OK;
    const int is_model = kinds[context->matrix].is_model;
    int is_right = 1;
    for (int i = is_model ? LAST : 0; i < LAST + is_model && is_right; i++) {
        int is_made = 0;
        memset(t->y, 0, sizeof t->y);
        s = run_form(context, form, &ways[i], t, &is_made);
        *lasts &= !s || (!is_made && s != TN_ENOMEM);
        is_right = !s && is_close(t, &ways[i], forms[form].off);
    }
    ocl_log_debug(is_right ? "matrix units are right: "
                  : s      ? "matrix units fail: "
                           : "matrix units are WRONG: ",
                  kinds[context->matrix].name);
    return is_right;
}

/* What a kind makes right: a bit for each form. */
static int32_t try_kind(tn_context *context, uint32_t *right, int *lasts, tn_msg *msg)
{
    trial *t = ocl_alloc(sizeof *t);
    if (!t) return ocl_fail(msg, TN_ENOMEM, "out of memory for a trial of matrix units");
    const double grain = context->grain;
    context->grain = 0; /* whatever its size */
    for (int form = 0; form < FORMS; form++) {
        context->matrix_right = 1u << form;
        *right |= (uint32_t)try_form(context, form, t, lasts) << form;
    }
    context->grain = grain;
    ocl_free(t);
    return TN_OK;
}

/* By all that a product's source is made of here, and by what was tried of it. */
static void verdict_key(const tn_context *context, char key[96])
{
    uint64_t hash = ocl_hash(context->identity, ocl_cl_matmul_matrix, strlen(ocl_cl_matmul_matrix));
    hash = ocl_hash(ocl_hash(hash, ocl_cl_types, strlen(ocl_cl_types)), ways, sizeof ways);
    for (int form = 0; form < FORMS; form++) {
        ocl_text text = {0};
        for (int i = 0; i < WAYS; i++) ocl_matrix_write(&text, context, form, ways[i].m);
        if (!text.failed) hash = ocl_hash(hash, text.s, text.length);
        ocl_text_free(&text);
    }
    snprintf(key, 96, "matrix-%s-%016llx", kinds[context->matrix].name, (unsigned long long)hash);
}

static int32_t judge(tn_context *context, tn_msg *msg)
{
    char key[96], what[60];
    uint32_t right = 0;
    verdict_key(context, key);
    snprintf(what, sizeof what, "matrix units (%s)", kinds[context->matrix].name);
    const int32_t s = ocl_verdict(context, key, what, try_kind, &right, msg);
    context->matrix_right = right;
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
        s = judge(context, msg);
    }
    if (!context->matrix_right) context->matrix = -1;
    return s;
}
