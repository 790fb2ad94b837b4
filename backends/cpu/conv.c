/* conv.c: conv2d, conv2d_data and conv2d_weight. Pictures are spread over the threads, and none is ever laid out as a
 * matrix: the tiles of gather_tile.c read pixels where they lie.
 *
 * conv2d: a tile is mr pixels by nr filters, over all taps (a channel, a row and a column of the window).
 * conv2d_weight: a tile is mr taps by nr filters, over pixels; each thread adds up its share of the pictures, and the
 * sums of the threads are added in order. conv2d_data: products of mr taps by all pixels, over filters, are added to
 * where they belong. A picture that needs padding is first copied with it. */
#include "prog.h"

#include <omp.h>
#include <string.h>

#define CHUNK      1024       /* pixels at once, and fewer where filters are many */
#define CHUNK_SIZE (64 << 10) /* elements of a packed chunk */
#define MOST_ROWS  16         /* of a register tile */
#define TILE_BYTES 4096

typedef struct conv_kernel {
    tn_kernel kernel;
    cpu_prog *epilogue; /* or NULL */
    const cpu_gemm *gemm;
    cpu_gather_tile *gather;
    int64_t size;                        /* bytes of an element */
    int64_t b, c, h, w, k, r, s, p, q;   /* as in backend.h; c and k are those of one group */
    int64_t groups, taps, pixels, chunk; /* taps = c r s, pixels = p q */
    int64_t stride[2], pad[2], dilation[2];
    int64_t hp, wp; /* a padded picture */
    int staged, threads;
    int64_t *tap, *pixel;            /* where taps and pixels lie in a padded picture, in elements */
    int64_t shared, staging, packed; /* bytes: packed weights of all groups; of each thread: a picture, other things */
} conv_kernel;

static int64_t round_up(int64_t n, int64_t unit)
{
    return (n + unit - 1) / unit * unit;
}

static int64_t min_of(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* ---- prepare ---- */

typedef struct conv_shapes {
    const tn_tensor_desc *x, *weight, *y;
} conv_shapes;

static int32_t check(const tn_op_desc *desc, conv_shapes d, tn_msg *msg)
{
    const tn_conv_attrs *a = desc->attrs;
    const tn_tensor_desc *each[] = {d.x, d.weight, d.y};
    for (int i = 0; i < 3; i++) {
        const int32_t s = cpu_check_desc(each[i], desc->name, "an operand", 0, msg);
        if (s) return s;
        if (each[i]->rank != 4) return cpu_fail(msg, TN_ESHAPE, "%s: an operand of rank %d", desc->name, each[i]->rank);
        if (each[i]->dtype != d.x->dtype || (d.x->dtype != TN_F32 && d.x->dtype != TN_F64))
            return cpu_fail(msg, TN_EUNSUPPORTED, "%s: only f32 or f64 for all operands", desc->name);
    }
    for (int i = 0; i < 2; i++)
        if (!a->stride[i] || !a->dilation[i] || a->stride[i] > INT32_MAX || a->dilation[i] > INT32_MAX ||
            a->pad[i] > INT32_MAX || d.y->dim[2 + i] > INT32_MAX || d.weight->dim[2 + i] > INT32_MAX)
            return cpu_fail(msg, TN_EINVAL, "%s: a stride or dilation of 0, or too large", desc->name);
    if (!a->groups || d.x->dim[0] != d.y->dim[0] || d.weight->dim[0] != d.y->dim[1] || d.weight->dim[0] % a->groups ||
        d.weight->dim[1] * a->groups != d.x->dim[1])
        return cpu_fail(msg, TN_ESHAPE, "%s: batches, channels or groups do not fit", desc->name);
    if (desc->alias && desc->alias[0] >= 0) return cpu_fail(msg, TN_EUNSUPPORTED, "%s: not in place", desc->name);
    return TN_OK;
}

static void fill_sizes(conv_kernel *k, const tn_conv_attrs *a, conv_shapes d)
{
    k->groups = a->groups;
    k->b = d.x->dim[0], k->h = d.x->dim[2], k->w = d.x->dim[3];
    k->c = d.weight->dim[1], k->k = d.weight->dim[0] / a->groups, k->r = d.weight->dim[2], k->s = d.weight->dim[3];
    k->p = d.y->dim[2], k->q = d.y->dim[3];
    k->taps = k->c * k->r * k->s;
    k->pixels = k->p * k->q;
    for (int i = 0; i < 2; i++) k->stride[i] = a->stride[i], k->pad[i] = a->pad[i], k->dilation[i] = a->dilation[i];
    k->hp = k->p && k->r ? (k->p - 1) * k->stride[0] + (k->r - 1) * k->dilation[0] + 1 : 0;
    k->wp = k->q && k->s ? (k->q - 1) * k->stride[1] + (k->s - 1) * k->dilation[1] + 1 : 0;
    k->staged = k->pad[0] || k->pad[1] || k->hp > k->h || k->wp > k->w;
    if (!k->staged) k->hp = k->h, k->wp = k->w;
    k->size = (int64_t)tn_dtype_size(d.x->dtype);
    k->gemm = cpu_code->gemm[cpu_type_of(d.x->dtype)];
    k->gather = cpu_code->gather[cpu_type_of(d.x->dtype)];
    k->chunk = round_up(min_of(CHUNK, 1 + CHUNK_SIZE / (k->k + 1)), k->gemm->nr);
    if (k->chunk > k->pixels) k->chunk = round_up(k->pixels, k->gemm->nr);
}

static int32_t fill_tables(conv_kernel *k, tn_msg *msg)
{
    k->tap = cpu_allocate((uint64_t)(k->taps + k->pixels + 1) * sizeof *k->tap);
    if (!k->tap) return cpu_fail(msg, TN_ENOMEM, "no memory for a convolution's tables");
    k->pixel = k->tap + k->taps;
    for (int64_t i = 0; i < k->taps; i++)
        k->tap[i] =
            i / (k->r * k->s) * k->hp * k->wp + i / k->s % k->r * k->dilation[0] * k->wp + i % k->s * k->dilation[1];
    for (int64_t i = 0; i < k->pixels; i++) k->pixel[i] = i / k->q * k->stride[0] * k->wp + i % k->q * k->stride[1];
    return TN_OK;
}

static void release(tn_kernel *kernel)
{
    conv_kernel *k = (conv_kernel *)kernel;
    cpu_release(k->tap);
    cpu_release(k->epilogue);
}

static int32_t make(tn_context *context, const tn_op_desc *desc, conv_shapes d, tn_kernel **kernel, tn_msg *msg)
{
    int32_t s = check(desc, d, msg);
    if (!s) s = cpu_new_kernel(sizeof(conv_kernel), kernel, msg);
    if (s) return s;
    conv_kernel *k = (conv_kernel *)*kernel;
    fill_sizes(k, desc->attrs, d);
    s = fill_tables(k, msg);
    if (s) {
        cpu_release(k);
        return s;
    }
    const double flops = 2.0 * (double)(k->b * k->groups * k->k) * (double)k->pixels * (double)k->taps;
    k->threads = flops < 400e3 ? 1 : context->threads;
    k->staging = k->staged ? round_up(k->c * k->hp * k->wp * k->size, CPU_ALIGN) : 0;
    return TN_OK;
}

/* Scratch: what is shared, then the threads' own. */
static void set_scratch(conv_kernel *k, int64_t shared, int64_t packed)
{
    k->shared = round_up(shared, CPU_ALIGN);
    k->packed = round_up(packed, CPU_ALIGN);
    k->kernel.scratch = (uint64_t)(k->shared + k->threads * (k->staging + k->packed));
}

/* ---- what they share when they run ---- */

/* The group's channels of a picture, padded if need be. */
static const char *stage(const conv_kernel *k, const char *x, char *to)
{
    if (!k->staged) return x;
    const int64_t from = k->pad[1] < k->wp ? k->pad[1] : k->wp, count = min_of(k->w, k->wp - from);
    memset(to, 0, (uint64_t)(k->c * k->hp * k->wp * k->size));
    for (int64_t c = 0; c < k->c; c++)
        for (int64_t h = 0; h < k->h && h + k->pad[0] < k->hp; h++)
            memcpy(to + ((c * k->hp + h + k->pad[0]) * k->wp + from) * k->size, x + (c * k->h + h) * k->w * k->size,
                   (uint64_t)(count * k->size));
    return to;
}

static char *own_staging(const conv_kernel *k, const cpu_run *run, int thread)
{
    return run->scratch + k->shared + thread * (k->staging + k->packed);
}

static char *own_packed(const conv_kernel *k, const cpu_run *run, int thread)
{
    return own_staging(k, run, thread) + k->staging;
}

/* Runs body(k, run, thread, threads) on the kernel's threads. */
static void on_threads(const conv_kernel *k, const cpu_run *run,
                       void (*body)(const conv_kernel *, const cpu_run *, int, int))
{
    if (k->threads == 1) {
        body(k, run, 0, 1);
        return;
    }
#pragma omp parallel num_threads(k->threads)
    body(k, run, omp_get_thread_num(), omp_get_num_threads());
}

static void wait_for_all(int threads)
{
    if (threads == 1) return;
#pragma omp barrier
}

/* Element (i, j) of a (rows, ld) block becomes element (j, i) of one of leading dimension `to_ld`. */
static void transpose_block(int64_t size, int64_t rows, int64_t columns, const void *from, int64_t ld, void *to,
                            int64_t to_ld)
{
    if (size == 4)
        for (int64_t j = 0; j < columns; j++)
            for (int64_t i = 0; i < rows; i++) ((float *)to)[j * to_ld + i] = ((const float *)from)[i * ld + j];
    else
        for (int64_t j = 0; j < columns; j++)
            for (int64_t i = 0; i < rows; i++) ((double *)to)[j * to_ld + i] = ((const double *)from)[i * ld + j];
}

/* ---- conv2d ---- */

static int32_t make_epilogue(conv_kernel *k, const tn_op_desc *desc, tn_msg *msg)
{
    const tn_map_attrs *map = ((const tn_conv_attrs *)desc->attrs)->epilogue;
    if (!map) return TN_OK;
    tn_tensor_desc in[CPU_MAX_IN];
    in[0] = desc->out[0];
    memcpy(in + 1, desc->in + 2, (map->n_in - 1) * sizeof *in);
    const int32_t alias = 0;
    const cpu_prog_desc d = {"conv2d", map, in, desc->out, &alias, 4, desc->out[0].dim};
    k->kernel.n_scalar = map->n_scalar;
    return cpu_prog_create(&d, &k->epilogue, msg);
}

static int32_t prepare_forward(tn_context *context, const tn_op_desc *desc, tn_kernel **kernel, tn_msg *msg)
{
    const tn_conv_attrs *a = desc->attrs;
    int32_t s = cpu_check_attrs(desc, sizeof *a, msg);
    if (s) return s;
    const tn_map_attrs *map = a->epilogue;
    if (map && (map->size < sizeof *map || !map->n_in || map->n_out != 1 || map->n_in > CPU_MAX_IN))
        return cpu_fail(msg, TN_EUNSUPPORTED, "conv2d: the epilogue must take the result and have one output");
    s = cpu_check_counts(desc, map ? map->n_in + 1 : 2, 1, msg);
    if (!s) s = make(context, desc, (conv_shapes){&desc->in[0], &desc->in[1], &desc->out[0]}, kernel, msg);
    if (s) return s;
    conv_kernel *k = (conv_kernel *)*kernel;
    s = make_epilogue(k, desc, msg);
    if (s) {
        release(*kernel);
        cpu_release(*kernel);
        return s;
    }
    set_scratch(k, k->groups * round_up(k->k, k->gemm->nr) * k->taps * k->size, 0);
    return TN_OK;
}

/* Pixels t0..t1 (in tiles) of all filters of one group. */
static void forward_tiles(const conv_kernel *k, const char *picture, const char *packed, char *y, int64_t t0,
                          int64_t t1)
{
    const int64_t mr = k->gemm->mr, nr = k->gemm->nr;
    char aside[TILE_BYTES] __attribute__((aligned(CPU_ALIGN)));
    const void *row[MOST_ROWS];
    for (int64_t j = 0; j < k->k; j += nr)
        for (int64_t i = t0 * mr; i < t1 * mr && i < k->pixels; i += mr) {
            for (int64_t r = 0; r < mr; r++) row[r] = picture + k->pixel[min_of(i + r, k->pixels - 1)] * k->size;
            k->gather(k->taps, row, k->tap, packed + j * k->taps * k->size, aside, nr, 0);
            transpose_block(k->size, min_of(mr, k->pixels - i), min_of(nr, k->k - j), aside, nr,
                            y + (j * k->pixels + i) * k->size, k->pixels);
        }
}

/* The epilogue of pixels n0..n1 of the group's filters. */
static void forward_epilogue(const conv_kernel *k, const cpu_eval *eval, int64_t item, int64_t n0, int64_t n1)
{
    const int64_t base = item * k->k * k->pixels;
    if (n1 - n0 == k->pixels)
        cpu_eval_range(eval, base, k->k * k->pixels);
    else
        for (int64_t j = 0; j < k->k && n1 > n0; j++) cpu_eval_range(eval, base + j * k->pixels + n0, n1 - n0);
}

static void forward(const conv_kernel *k, const cpu_run *run, int thread, int threads)
{
    const int64_t nr = k->gemm->nr, mr = k->gemm->mr, wide = round_up(k->k, nr) * k->taps * k->size;
    for (int64_t g = thread; g < k->groups; g += threads)
        k->gemm->pack_b(k->k, k->taps, run->in[1] + g * k->k * k->taps * k->size, k->taps, 1, run->scratch + g * wide);
    wait_for_all(threads);
    const char *in[CPU_MAX_IN]; /* of the epilogue: the result, then the operator's inputs from number 2 on */
    cpu_run behind = *run;
    cpu_eval eval;
    behind.in = in;
    in[0] = run->out[0];
    for (uint64_t i = 2; i < k->kernel.n_in; i++) in[i - 1] = run->in[i];
    if (k->epilogue) cpu_eval_begin(&eval, k->epilogue, cpu_work(run->queue, thread), &behind, k->epilogue->block);
    const int64_t items = k->b * k->groups, parts = items < 2 * threads ? threads : 1, all = items * parts;
    const int64_t tiles = (k->pixels + mr - 1) / mr;
    for (int64_t i = all * thread / threads; i < all * (thread + 1) / threads; i++) {
        const int64_t item = i / parts, t0 = tiles * (i % parts) / parts, t1 = tiles * (i % parts + 1) / parts;
        const char *picture = stage(k, run->in[0] + item * k->c * k->h * k->w * k->size, own_staging(k, run, thread));
        char *y = run->out[0] + item * k->k * k->pixels * k->size;
        forward_tiles(k, picture, run->scratch + item % k->groups * wide, y, t0, t1);
        if (k->epilogue) forward_epilogue(k, &eval, item, t0 * mr, min_of(t1 * mr, k->pixels));
    }
}

static void run_forward(const tn_kernel *kernel, const cpu_run *run)
{
    const conv_kernel *k = (const conv_kernel *)kernel;
    if (k->b * k->groups * k->k * k->pixels > 0) on_threads(k, run, forward);
}

const cpu_op cpu_conv2d = {"conv2d", prepare_forward, run_forward, release};

/* ---- conv2d_data ---- */

static int32_t prepare_plain(tn_context *context, const tn_op_desc *desc, conv_shapes d, tn_kernel **kernel,
                             tn_msg *msg)
{
    const tn_conv_attrs *a = desc->attrs;
    if (a->epilogue) return cpu_fail(msg, TN_EUNSUPPORTED, "%s: takes no epilogue", desc->name);
    return make(context, desc, d, kernel, msg);
}

static int32_t prepare_data(tn_context *context, const tn_op_desc *desc, tn_kernel **kernel, tn_msg *msg)
{
    int32_t s = cpu_check_attrs(desc, sizeof(tn_conv_attrs), msg);
    if (!s) s = cpu_check_counts(desc, 2, 1, msg);
    if (!s) s = prepare_plain(context, desc, (conv_shapes){&desc->out[0], &desc->in[1], &desc->in[0]}, kernel, msg);
    if (s) return s;
    conv_kernel *k = (conv_kernel *)*kernel;
    k->staging = 0;
    set_scratch(k, k->groups * round_up(k->taps, k->gemm->mr) * k->k * k->size,
                (k->k + k->gemm->mr) * (k->chunk + k->gemm->nr) * k->size);
    return TN_OK;
}

typedef float four __attribute__((vector_size(16), aligned(4), may_alias));

/* to[j stride] += from[j]. Rows are short: whole vectors at once, without a loop that finds out how many. */
static inline void add_strided(int64_t size, int64_t n, const void *from, void *to, int64_t stride)
{
    const float *f = from;
    float *t = to;
    int64_t j = 0;
    if (size != 4) {
        for (; j < n; j++) ((double *)to)[j * stride] += ((const double *)from)[j];
        return;
    }
    for (; stride == 1 && j + 4 <= n; j += 4) *(four *)(t + j) += *(const four *)(f + j);
    for (; j < n; j++) t[j * stride] += f[j];
}

/* Adds the products of one tap with pixels n0..n1 to where they belong in dx. */
static void scatter(const conv_kernel *k, int64_t tap, const char *product, int64_t n0, int64_t n1, char *dx)
{
    const int64_t c = tap / (k->r * k->s), dh = tap / k->s % k->r * k->dilation[0] - k->pad[0],
                  dw = tap % k->s * k->dilation[1] - k->pad[1], step = k->stride[1], q = k->q, size = k->size;
    const int64_t first = dw < 0 ? (-dw + step - 1) / step : 0, last = dw < k->w ? (k->w - 1 - dw) / step + 1 : 0;
    int64_t i = n0 / q, h = i * k->stride[0] + dh;
    const char *from = product + (i * q - n0) * size; /* column 0 of the row */
    char *to = dx + ((c * k->h + h) * k->w + dw) * size;
    for (; i * q < n1; i++, h += k->stride[0], from += q * size, to += k->stride[0] * k->w * size) {
        int64_t j0 = n0 > i * q ? n0 - i * q : 0, j1 = min_of(min_of(q, last), n1 - i * q);
        if (j0 < first) j0 = first;
        if (h >= 0 && h < k->h && j0 < j1) add_strided(size, j1 - j0, from + j0 * size, to + j0 * step * size, step);
    }
}

static void data_item(const conv_kernel *k, const char *weight, const char *dy, char *dx, char *work)
{
    const cpu_gemm *g = k->gemm;
    char *product = work + k->k * (k->chunk + g->nr) * k->size;
    memset(dx, 0, (uint64_t)(k->c * k->h * k->w * k->size));
    for (int64_t n0 = 0; n0 < k->pixels && k->k; n0 += k->chunk) {
        const int64_t n1 = min_of(n0 + k->chunk, k->pixels);
        g->pack_b(n1 - n0, k->k, dy + n0 * k->size, 1, k->pixels, work);
        for (int64_t i = 0; i < k->taps; i += g->mr) {
            for (int64_t j = n0; j < n1; j += g->nr)
                g->tile(k->k, weight + i * k->k * k->size, work + (j - n0) * k->k * k->size,
                        product + (j - n0) * k->size, k->chunk, 0);
            for (int64_t r = 0; r < g->mr && i + r < k->taps; r++)
                scatter(k, i + r, product + r * k->chunk * k->size, n0, n1, dx);
        }
    }
}

static void data(const conv_kernel *k, const cpu_run *run, int thread, int threads)
{
    const int64_t items = k->b * k->groups, weight = round_up(k->taps, k->gemm->mr) * k->k * k->size;
    for (int64_t g = thread; g < k->groups; g += threads)
        k->gemm->pack_a(k->taps, k->k, run->in[1] + g * k->k * k->taps * k->size, 1, k->taps,
                        run->scratch + g * weight);
    wait_for_all(threads);
    for (int64_t i = items * thread / threads; i < items * (thread + 1) / threads; i++)
        data_item(k, run->scratch + i % k->groups * weight, run->in[0] + i * k->k * k->pixels * k->size,
                  run->out[0] + i * k->c * k->h * k->w * k->size, own_packed(k, run, thread));
}

static void run_data(const tn_kernel *kernel, const cpu_run *run)
{
    on_threads((const conv_kernel *)kernel, run, data);
}

const cpu_op cpu_conv2d_data = {"conv2d_data", prepare_data, run_data, release};

/* ---- conv2d_weight ---- */

/* Bytes of one thread's sums: (groups, taps, filters), both filled up to whole tiles. */
static int64_t sums_bytes(const conv_kernel *k)
{
    return round_up(k->groups * round_up(k->taps, k->gemm->mr) * round_up(k->k, k->gemm->nr) * k->size, CPU_ALIGN);
}

static int32_t prepare_weight(tn_context *context, const tn_op_desc *desc, tn_kernel **kernel, tn_msg *msg)
{
    int32_t s = cpu_check_attrs(desc, sizeof(tn_conv_attrs), msg);
    if (!s) s = cpu_check_counts(desc, 2, 1, msg);
    if (!s) s = prepare_plain(context, desc, (conv_shapes){&desc->in[0], &desc->out[0], &desc->in[1]}, kernel, msg);
    if (s) return s;
    conv_kernel *k = (conv_kernel *)*kernel;
    set_scratch(k, k->threads * sums_bytes(k), round_up(k->k, k->gemm->nr) * k->chunk * k->size);
    return TN_OK;
}

static void weight_item(const conv_kernel *k, const char *picture, const char *dy, char *sums, char *packed)
{
    const cpu_gemm *g = k->gemm;
    const int64_t wide = round_up(k->k, g->nr);
    const void *row[MOST_ROWS];
    for (int64_t n0 = 0; n0 < k->pixels; n0 += k->chunk) {
        const int64_t deep = min_of(k->chunk, k->pixels - n0);
        g->pack_b(k->k, deep, dy + n0 * k->size, k->pixels, 1, packed);
        for (int64_t i = 0; i < k->taps; i += g->mr) {
            for (int64_t r = 0; r < g->mr; r++) row[r] = picture + k->tap[min_of(i + r, k->taps - 1)] * k->size;
            for (int64_t j = 0; j < k->k; j += g->nr)
                k->gather(deep, row, k->pixel + n0, packed + j * deep * k->size, sums + (i * wide + j) * k->size, wide,
                          1);
        }
    }
}

/* Filters of group g: the sums of all threads, in order, and transposed. */
static void add_sums(const conv_kernel *k, const cpu_run *run, int64_t g, int64_t tap, int threads)
{
    const int64_t wide = round_up(k->k, k->gemm->nr), bytes = sums_bytes(k);
    const int64_t at = (g * round_up(k->taps, k->gemm->mr) + tap) * wide;
    for (int64_t j = 0; j < k->k; j++) {
        const int64_t to = (g * k->k + j) * k->taps + tap;
        double sum = 0;
        for (int t = 0; t < threads; t++) {
            const char *from = run->scratch + t * bytes + (at + j) * k->size;
            sum += k->size == 4 ? (double)*(const float *)(const void *)from : *(const double *)(const void *)from;
        }
        if (k->size == 4)
            ((float *)(void *)run->out[0])[to] = (float)sum;
        else
            ((double *)(void *)run->out[0])[to] = sum;
    }
}

static void weight(const conv_kernel *k, const cpu_run *run, int thread, int threads)
{
    char *sums = run->scratch + thread * sums_bytes(k);
    const int64_t group = round_up(k->taps, k->gemm->mr) * round_up(k->k, k->gemm->nr) * k->size;
    memset(sums, 0, (uint64_t)sums_bytes(k));
    for (int64_t i = k->b * thread / threads * k->groups; i < k->b * (thread + 1) / threads * k->groups; i++) {
        const char *picture = stage(k, run->in[0] + i * k->c * k->h * k->w * k->size, own_staging(k, run, thread));
        weight_item(k, picture, run->in[1] + i * k->k * k->pixels * k->size, sums + i % k->groups * group,
                    own_packed(k, run, thread));
    }
    wait_for_all(threads);
    const int64_t rows = k->groups * k->taps;
    for (int64_t i = rows * thread / threads; i < rows * (thread + 1) / threads; i++)
        add_sums(k, run, i / k->taps, i % k->taps, threads);
}

static void run_weight(const tn_kernel *kernel, const cpu_run *run)
{
    on_threads((const conv_kernel *)kernel, run, weight);
}

const cpu_op cpu_conv2d_weight = {"conv2d_weight", prepare_weight, run_weight, release};
