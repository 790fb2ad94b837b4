/* matrix_trial.c: whether matrix units come out right. When a context is made each form of product is made on the
 * device in each of its blocks, the way that a network's product goes: a long one, and two at once of transposed
 * factors with an epilogue; then convolutions, and gradients of their weights, of pictures in either order; and
 * compared with the host's sums. What is wrong or does not compile is left to other kernels. */
#include "matrix.h"
#include "staged.h"

#include <math.h>
#include <string.h>

/* Products of these sizes are tried: no multiples of a block. One has a k as long as errors take to add up; another
 * is two at once, of transposed factors, with an epilogue that doubles them; so are those of fewer rows, for their
 * blocks. The last is for models of units, which take long and are no driver's. */
enum { M = 141, N = 77, K = 1050, BYTES = M * K * (int)sizeof(float), DOUBLED = 2 };
typedef struct way {
    int batch, m, k, is_turned;
} way;
static const way ways[] = {{1, M, K, 0}, {2, M, 150, 1}, {2, 50, 150, 1}, {2, 13, 150, 1}, {2, 13, 20, 1}};
enum { WAYS = sizeof ways / sizeof *ways, MODELS = WAYS - 1 };

/* Convolutions of so many pictures by filters of 3 x 3, with zeros around the pictures, or gradients of weights. The
 * first is for models; the family channels_last has no gradient of weights. `last`: pictures have their channels last.
 */
enum { SIDE = 3, TAPS = SIDE * SIDE, WINDOWS = 4, OF_FAMILY = 3 };
typedef struct window {
    int last, is_weight, filters, pictures, channels, high, wide;
} window;
static const window windows[2][WINDOWS] = {
    {{0, 0, 5, 1, 5, 3, 4}, {0, 0, 13, 2, 20, 9, 11}, {0, 0, 50, 2, 20, 9, 11}, {0, 1, 50, 2, 20, 9, 11}},
    {{1, 0, 5, 1, 8, 3, 4}, {1, 0, 13, 2, 24, 9, 11}, {1, 0, 50, 2, 24, 9, 11}, {1, 1, 50, 2, 24, 9, 11}}};

/* Of that family: the numbers of its kernels, those of models and others; and as ocl_form.off, of TF32 and bf16. */
static const struct {
    ocl_staged numbers[2];
    double off[OCL_BF16_FORM + 1];
} family = {{{1, 2, 2, 3}, {1, 1, 1, 2}}, {3e-6, 1e-3, 8e-3, 3e-6}};

/* lasts: another time it would be the same. */
typedef struct trial {
    int lasts;
    float a[M * K], b[K * N], y[2 * M * N];
    unsigned char raw_a[BYTES], raw_b[BYTES];
} trial;

/* ---- numbers, and what is done with them ------------------------------------------------------------------------- */

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

static uint64_t bytes_of(const tn_tensor_desc *t)
{
    return (uint64_t)tn_desc_count(t) * tn_dtype_size(t->dtype);
}

/* Writes the operands, runs the operator and reads what it made. */
static int32_t run_kernel(tn_queue *queue, tn_kernel *kernel, trial *t, tn_buffer *const buffer[4],
                          const tn_op_desc *desc)
{
    const tn_ref in[2] = {{.buffer = buffer[0]}, {.buffer = buffer[1]}}, out = {.buffer = buffer[2]};
    const tn_run run = {.size = sizeof run, .in = in, .out = &out, .scratch = {.buffer = buffer[3]}};
    int32_t s = ocl_write(queue, in[0], t->raw_a, bytes_of(&desc->in[0]), NULL);
    if (!s) s = ocl_write(queue, in[1], t->raw_b, bytes_of(&desc->in[1]), NULL);
    if (!s) s = ocl_op_run(queue, kernel, &run, NULL);
    if (!s) s = ocl_read(queue, t->y, out, bytes_of(desc->out), NULL);
    const int32_t late = ocl_queue_sync(queue, NULL);
    return s ? s : late;
}

/* Whether another time it would be the same: a driver that does not compile it. */
static int may_last(int32_t s, int is_made)
{
    return !s || (!is_made && s != TN_ENOMEM);
}

/* What the operator makes of the operands, on its way through all that follows a description. */
static int32_t run_op(tn_context *context, const tn_op_desc *desc, const ocl_choice *choice, trial *t)
{
    tn_kernel_info info = {.size = sizeof info};
    tn_kernel *kernel = NULL;
    tn_queue *queue = NULL;
    tn_buffer *buffer[4] = {NULL};
    int32_t s = ocl_op_prepare_by(context, desc, choice, &kernel, &info, NULL);
    if (!s) s = ocl_ready.ready(kernel, NULL);
    const int is_made = !s; /* the driver has compiled it */
    memset(t->y, 0, sizeof t->y);
    const uint64_t bytes[4] = {bytes_of(&desc->in[0]), bytes_of(&desc->in[1]), bytes_of(desc->out), info.scratch};
    for (int i = 0; i < 4 && !s; i++) s = ocl_buffer_create(context, bytes[i], &buffer[i], NULL);
    if (!s) s = ocl_queue_create(context, &queue, NULL);
    if (!s) s = run_kernel(queue, kernel, t, buffer, desc);
    if (queue) ocl_queue_destroy(queue);
    for (int i = 0; i < 4; i++) ocl_buffer_destroy(buffer[i]);
    ocl_op_release(kernel);
    t->lasts &= may_last(s, is_made);
    return s;
}

/* A sum, and what its magnitudes add up to. */
typedef struct total {
    double sum, magnitude;
} total;

static void add_product(total *all, float a, float b)
{
    const double product = (double)a * (double)b;
    all->sum += product, all->magnitude += fabs(product);
}

static int is_near(total all, double factor, double got, double off)
{
    return fabs(factor * all.sum - got) <= off * factor * all.magnitude;
}

static tn_tensor_desc tensor_of(int32_t dtype, int32_t rank, const int64_t *dim)
{
    tn_tensor_desc t = {.dtype = dtype, .rank = rank};
    int64_t stride = 1;
    for (int d = rank - 1; d >= 0; d--) t.dim[d] = dim[d], t.stride[d] = stride, stride *= dim[d];
    return t;
}

static const ocl_choice untuned = {.family = NULL};

/* ---- products of matrices ---------------------------------------------------------------------------------------- */

/* Where the factors' elements lie. */
static uint32_t at_a(const way *w, int q, int i, int k)
{
    return (uint32_t)(w->is_turned ? (q * w->k + k) * w->m + i : (q * w->m + i) * w->k + k);
}

static uint32_t at_b(const way *w, int q, int k, int j)
{
    return (uint32_t)(w->is_turned ? (q * N + j) * w->k + k : (q * w->k + k) * N + j);
}

static int is_close(const trial *t, const way *w, double off)
{
    int close = 1;
    for (int at = 0; at < w->batch * w->m * N && close; at++) {
        const int q = at / N / w->m, i = at / N % w->m, j = at % N;
        total all = {0};
        for (int k = 0; k < w->k; k++) add_product(&all, t->a[at_a(w, q, i, k)], t->b[at_b(w, q, k, j)]);
        close = is_near(all, w->is_turned ? DOUBLED : 1, (double)t->y[at], off);
    }
    return close;
}

static void draw_factors(trial *t, const way *w, int32_t dtype)
{
    const size_t bytes = tn_dtype_size(dtype);
    for (int q = 0; q < w->batch; q++)
        for (int k = 0; k < w->k; k++) {
            for (int i = 0; i < w->m; i++) {
                const uint32_t at = at_a(w, q, i, k);
                t->a[at] = stored(dtype, number(at, i % 2 == 0), t->raw_a + at * bytes);
            }
            for (int j = 0; j < N; j++) {
                const uint32_t at = at_b(w, q, k, j);
                t->b[at] = stored(dtype, number(at + 3, j % 2 == 0), t->raw_b + at * bytes);
            }
        }
}

static int32_t run_product(tn_context *context, int form, const way *w, trial *t)
{
    static const tn_map_instr doubles[] = {{"const", {-1, -1, -1, -1}, TN_F32, 0, DOUBLED},
                                           {"mul", {0, 1, -1, -1}, TN_F32, 0, 0}};
    static const int32_t last = 2; /* behind the product and the constant */
    static const tn_map_attrs epilogue = {
        .size = sizeof epilogue, .instr = doubles, .out = &last, .n_instr = 2, .n_in = 1, .n_out = 1};
    const int32_t dtype = ocl_forms[form].dtype;
    const int turned = w->is_turned;
    const int64_t a[] = {w->batch, turned ? w->k : w->m, turned ? w->m : w->k};
    const int64_t b[] = {w->batch, turned ? N : w->k, turned ? w->k : N}, y[] = {w->batch, w->m, N};
    const tn_tensor_desc in[2] = {tensor_of(dtype, 3, a), tensor_of(dtype, 3, b)}, out = tensor_of(TN_F32, 3, y);
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
                             .precision = ocl_forms[form].level};
    draw_factors(t, w, dtype);
    return run_op(context, &desc, &untuned, t);
}

/* ---- convolutions ------------------------------------------------------------------------------------------------ */

static tn_tensor_desc pictures_of(const window *w, int32_t dtype, int channels)
{
    const int64_t usual[] = {w->pictures, channels, w->high, w->wide};
    const int64_t last[] = {w->pictures, w->high, w->wide, channels};
    return tensor_of(dtype, 4, w->last ? last : usual);
}

/* Pictures, filters and results; a gradient of weights is made of pictures and results. */
static void describe(const window *w, int32_t dtype, tn_tensor_desc in[2], tn_tensor_desc *out)
{
    const int64_t filters[] = {w->filters, w->channels, SIDE, SIDE};
    in[0] = pictures_of(w, dtype, w->channels);
    in[1] = w->is_weight ? pictures_of(w, dtype, w->filters) : tensor_of(dtype, 4, filters);
    *out = w->is_weight ? tensor_of(TN_F32, 4, filters) : pictures_of(w, TN_F32, w->filters);
}

/* Where an element of pictures of so many channels lies. */
static int at_pixel(const window *w, int channels, int picture, int channel, int pixel)
{
    const int pixels = w->high * w->wide;
    return w->last ? (picture * pixels + pixel) * channels + channel : (picture * channels + channel) * pixels + pixel;
}

static float see(const trial *t, const window *w, int picture, int channel, int y, int x)
{
    if (y < 0 || y >= w->high || x < 0 || x >= w->wide) return 0;
    return t->a[at_pixel(w, w->channels, picture, channel, y * w->wide + x)];
}

/* What an element of a result, or of a gradient of weights, is. */
static total convolved(const trial *t, const window *w, int at)
{
    const int pixels = w->high * w->wide, picture = at / pixels / w->filters;
    const int filter = w->last ? at % w->filters : at / pixels % w->filters;
    const int at_y = w->last ? at / w->filters % pixels : at % pixels;
    const int y = at_y / w->wide - 1, x = at_y % w->wide - 1;
    total all = {0};
    for (int c = 0; c < w->channels; c++)
        for (int tap = 0; tap < TAPS; tap++)
            add_product(&all, t->b[(filter * w->channels + c) * TAPS + tap],
                        see(t, w, picture, c, y + tap / SIDE, x + tap % SIDE));
    return all;
}

static total gradient(const trial *t, const window *w, int at)
{
    const int filter = at / TAPS / w->channels, c = at / TAPS % w->channels, y = at / SIDE % SIDE - 1,
              x = at % SIDE - 1;
    total all = {0};
    for (int picture = 0; picture < w->pictures; picture++)
        for (int p = 0; p < w->high * w->wide; p++)
            add_product(&all, t->b[at_pixel(w, w->filters, picture, filter, p)],
                        see(t, w, picture, c, y + p / w->wide, x + p % w->wide));
    return all;
}

static int is_convolved(const trial *t, const window *w, int count, double off)
{
    int close = 1;
    for (int at = 0; at < count && close; at++)
        close = is_near(w->is_weight ? gradient(t, w, at) : convolved(t, w, at), 1, (double)t->y[at], off);
    return close;
}

/* Of every other of a dimension all are positive: of channels, of filters. */
static void draw_operand(const tn_tensor_desc *like, int d, uint32_t seed, float *value, unsigned char *raw)
{
    const int64_t each = like->stride[d];
    for (int64_t i = 0; i < tn_desc_count(like); i++)
        value[i] = stored(like->dtype, number((uint32_t)i + seed, i / each % 2 == 0),
                          raw + i * (int64_t)tn_dtype_size(like->dtype));
}

static int32_t run_window(tn_context *context, int form, const window *w, const ocl_choice *choice, trial *t)
{
    const tn_conv_attrs attrs = {.size = sizeof attrs,
                                 .groups = 1,
                                 .stride = {1, 1},
                                 .pad = {1, 1},
                                 .dilation = {1, 1},
                                 .channels_last = (uint32_t)w->last};
    const int channels = w->last ? 3 : 1;
    tn_tensor_desc in[2], out;
    describe(w, ocl_forms[form].dtype, in, &out);
    const tn_op_desc desc = {.size = sizeof desc,
                             .name = w->is_weight ? "conv2d_weight" : "conv2d",
                             .n_in = 2,
                             .n_out = 1,
                             .in = in,
                             .out = &out,
                             .attrs = &attrs,
                             .precision = ocl_forms[form].level};
    draw_operand(&in[0], channels, 0, t->a, t->raw_a);
    draw_operand(&in[1], w->is_weight ? channels : 0, 5, t->b, t->raw_b);
    return run_op(context, &desc, choice, t);
}

/* ---- verdicts ---------------------------------------------------------------------------------------------------- */

static int told(const tn_context *context, int32_t s, int is_right)
{
    ocl_log_debug(is_right ? "matrix units are right: "
                  : s      ? "matrix units fail: "
                           : "matrix units are WRONG: ",
                  ocl_matrix_kind(context));
    return is_right;
}

/* One form, in all ways: 1: right, 0: wrong or not possible. */
static uint32_t try_products(tn_context *context, int form, trial *t)
{
    int32_t s = TN_OK;
    int is_right = 1;
    const int is_model = ocl_matrix_is_model(context);
    for (int i = is_model ? MODELS : 0; i < MODELS + is_model && is_right; i++) {
        s = run_product(context, form, &ways[i], t);
        is_right = !s && is_close(t, &ways[i], ocl_forms[form].off);
    }
    return (uint32_t)told(context, s, is_right);
}

/* The same of the convolutions before `end`, of pictures in one order, by a choice of a family or without. */
static uint32_t try_windows(tn_context *context, int form, int last, int end, const ocl_choice *choice, trial *t)
{
    const double off = choice->family ? family.off[form] : ocl_forms[form].off;
    const int is_model = ocl_matrix_is_model(context);
    int32_t s = TN_OK;
    int is_right = 1;
    for (int i = !is_model; i < (is_model ? 1 : end) && is_right; i++) {
        const window *w = &windows[last][i];
        tn_tensor_desc in[2], out;
        describe(w, ocl_forms[form].dtype, in, &out);
        s = run_window(context, form, w, choice, t);
        is_right = !s && is_convolved(t, w, (int)tn_desc_count(&out), off);
    }
    return (uint32_t)told(context, s, is_right);
}

/* Each as if it alone had been found right, and whatever its size. */
static void try_forms(tn_context *context, trial *t, uint32_t *right)
{
    for (int form = 0; form < OCL_FORMS; form++) {
        context->matrix_right = 1u << form;
        *right |= try_products(context, form, t) << form;
    }
    for (int form = 0; form < OCL_FORMS; form++) {
        context->matrix_right = 1u << (OCL_RIGHT_CONV + form);
        *right |= try_windows(context, form, 0, WINDOWS, &untuned, t) << (OCL_RIGHT_CONV + form);
    }
}

/* By the family, at a level, of pictures in either order; at bf16 those with channels last are stored so. */
static uint32_t try_family(tn_context *context, int level, trial *t)
{
    static const int lying[OCL_LEVELS] = {0, 1, OCL_BF16_FORM};
    const ocl_choice choice = ocl_staged_choice("channels_last", &family.numbers[ocl_matrix_is_model(context)], 0);
    const int is_right = try_windows(context, level, 0, OF_FAMILY, &choice, t) != 0;
    return is_right && try_windows(context, lying[level], 1, OF_FAMILY, &choice, t);
}

static void try_last(tn_context *context, trial *t, uint32_t *right)
{
    for (int form = 0; form < OCL_FORMS; form++) {
        context->matrix_right = 1u << (OCL_RIGHT_LAID + form);
        *right |= try_windows(context, form, 1, WINDOWS, &untuned, t) << (OCL_RIGHT_LAID + form);
    }
    for (int level = 0; level < OCL_LEVELS && ocl_matrix_has_stages(context); level++) {
        context->matrix_right = 1u << (OCL_RIGHT_LAST + level);
        *right |= try_family(context, level, t) << (OCL_RIGHT_LAST + level);
    }
}

static int32_t try_by(tn_context *context, void (*try)(tn_context *, trial *, uint32_t *), uint32_t *right, int *lasts,
                      tn_msg *msg)
{
    trial *t = ocl_alloc(sizeof *t);
    if (!t) return ocl_fail(msg, TN_ENOMEM, "out of memory for a trial of matrix units");
    const double grain = context->grain;
    context->grain = 0;
    t->lasts = 1;
    try(context, t, right);
    *lasts = t->lasts;
    context->grain = grain;
    ocl_free(t);
    return TN_OK;
}

int32_t ocl_matrix_try(tn_context *context, uint32_t *right, int *lasts, tn_msg *msg)
{
    return try_by(context, try_forms, right, lasts, msg);
}

int32_t ocl_matrix_try_last(tn_context *context, uint32_t *right, int *lasts, tn_msg *msg)
{
    return try_by(context, try_last, right, lasts, msg);
}

static uint64_t hash_text(uint64_t hash, const char *text)
{
    return ocl_hash(hash, text, strlen(text));
}

uint64_t ocl_matrix_tried(const tn_context *context)
{
    const char *const sources[] = {ocl_cl_types,         ocl_cl_matmul_matrix, ocl_cl_conv,       ocl_cl_conv_matrix,
                                   ocl_cl_matrix_staged, ocl_cl_conv_last,     ocl_cl_conv_places};
    uint64_t hash = ocl_hash(ocl_hash(context->identity, ways, sizeof ways), windows, sizeof windows);
    hash = ocl_hash(ocl_hash(hash, family.numbers, sizeof family.numbers), family.off, sizeof family.off);
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) hash = hash_text(hash, sources[i]);
    for (int form = 0; form < OCL_FORMS; form++) {
        ocl_text text = {0};
        for (int i = 0; i < WAYS; i++) ocl_matrix_write(&text, context, form, ways[i].m);
        if (!text.failed) hash = ocl_hash(hash, text.s, text.length);
        ocl_text_free(&text);
        hash = hash_text(ocl_hash(hash, &ocl_forms[form].off, sizeof ocl_forms[form].off), ocl_forms[form].staged);
    }
    return hash;
}
