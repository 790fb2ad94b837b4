/* conv.c: what the convolutions share (see conv.h): their sizes and tables, a picture with its padding, threads. */
#include "conv.h"

#include <string.h>

#define CHUNK         1024       /* pixels at once, and fewer where filters are many */
#define CHUNK_SIZE    (64 << 10) /* elements of a packed chunk */
#define FEW           400e3      /* operations that one thread does; and where each channel is by itself */
#define FEW_BY_PLANES 100e3
#define MOST          0x1p48 /* elements of padded pictures: products of sizes do not overflow */

/* ---- prepare ---- */

/* Pixels of which each is a window are one row. */
static void lay_points(conv_kernel *k)
{
    if (k->r != 1 || k->s != 1 || k->stride[0] != 1 || k->stride[1] != 1 || k->pad[0] || k->pad[1]) return;
    if (k->p != k->h || k->q != k->w) return;
    k->w = k->q = k->h * k->w, k->h = k->p = 1;
}

static void fill_dims(conv_kernel *k, const tn_conv_attrs *a, const tn_op_facts *facts)
{
    const tn_sizes *z = &facts->size;
    k->groups = a->groups;
    k->b = z->b, k->h = z->h, k->w = z->w, k->r = z->r, k->s = z->s, k->p = z->p, k->q = z->q;
    k->c = z->g, k->k = z->k / a->groups;
    for (int i = 0; i < 2; i++) k->stride[i] = a->stride[i], k->pad[i] = a->pad[i], k->dilation[i] = a->dilation[i];
    lay_points(k);
    k->size = (int64_t)tn_dtype_size(facts->dtype);
    k->moves = cpu_code->plane[cpu_type_of(facts->dtype)];
    k->gemm = cpu_code->gemm[cpu_type_of(facts->dtype)];
}

/* The tile whose columns fit so many filters best. */
static const cpu_gather_shape *tile_for(const conv_kernel *k, int64_t filters)
{
    const cpu_gather_shape *wide = cpu_code->gather[k->size == 4 ? CPU_F32 : CPU_F64], *narrow = wide + 1;
    return round_up(filters, narrow->nr) < round_up(filters, wide->nr) ? narrow : wide;
}

static void swap(int64_t *a, int64_t *b)
{
    const int64_t was = *a;
    *a = *b, *b = was;
}

static void turn_round(conv_kernel *k)
{
    k->turned = 1;
    k->pad[0] = (k->r - 1) * k->dilation[0] - k->pad[0], k->pad[1] = (k->s - 1) * k->dilation[1] - k->pad[1];
    swap(&k->c, &k->k), swap(&k->h, &k->p), swap(&k->w, &k->q);
}

static void fill_sizes(conv_kernel *k)
{
    k->taps = k->c * k->r * k->s;
    k->pixels = k->p * k->q;
    k->hp = k->p && k->r ? (k->p - 1) * k->stride[0] + (k->r - 1) * k->dilation[0] + 1 : 0;
    k->wp = k->q && k->s ? (k->q - 1) * k->stride[1] + (k->s - 1) * k->dilation[1] + 1 : 0;
    k->staged = k->pad[0] || k->pad[1] || k->hp > k->h || k->wp > k->w;
    if (!k->staged) k->hp = k->h, k->wp = k->w;
    k->gather = tile_for(k, k->k);
    k->chunk = round_up(min_of(CHUNK, 1 + CHUNK_SIZE / (k->k + 1)), k->gemm->nr);
    if (k->chunk > k->pixels) k->chunk = round_up(k->pixels, k->gemm->nr);
}

/* conv2d_data with steps of 1 is a conv2d of dy, padded by what the window has beyond the padding. That reads each
 * pixel of dx for every channel, even where dy is but padding; the other way adds up products that went to memory,
 * which costs as much as SCATTER filters. Only that is for matrix units, which are twice as fast, and so can be done
 * with less precision. */
static int pays_turned(const conv_kernel *k, uint32_t level, double grain)
{
    enum { SCATTER = 40 };
    const int64_t beyond[] = {(k->r - 1) * k->dilation[0] - k->pad[0], (k->s - 1) * k->dilation[1] - k->pad[1]};
    if (k->stride[0] != 1 || k->stride[1] != 1 || beyond[0] < 0 || beyond[1] < 0) return 0;
    if ((double)(k->h + beyond[0] + k->pad[0]) * (double)(k->w + beyond[1] + k->pad[1]) * (double)k->k > MOST) return 0;
    if (level) return 1;
    conv_kernel other = *k;
    turn_round(&other);
    fill_sizes(&other);
    const double turned = (double)(k->h * k->w) * (double)(round_up(k->c, tile_for(k, k->c)->nr) * k->k);
    return turned / (1 + cpu_conv_suits_units(&other, level, grain)) <
           (double)(k->p * k->q) * (double)(k->c * (k->k + SCATTER));
}

/* Where taps and pixels lie. */
static void list_pixels(const conv_kernel *k, int64_t *tap, int64_t *pixel)
{
    for (int64_t i = 0; i < k->taps; i++)
        tap[i] = k->points ? i * k->vectors->wide * k->vectors->vectors
                           : i / (k->r * k->s) * k->hp * k->wp + i / k->s % k->r * k->dilation[0] * k->wp +
                                 i % k->s * k->dilation[1];
    for (int64_t i = 0; i < k->pixels; i++) pixel[i] = i / k->q * k->stride[0] * k->wp + i % k->q * k->stride[1];
}

int32_t cpu_conv_finish(tn_kernel *kernel, tn_msg *msg)
{
    conv_kernel *k = (conv_kernel *)kernel;
    if (k->whole || k->windows) return TN_OK;
    if (k->bands) return cpu_conv_list_bands(k, msg);
    if (k->loops) return cpu_conv_list_planes(k, msg);
    k->tap = cpu_allocate((uint64_t)(k->taps + k->pixels + 1) * sizeof *k->tap);
    if (!k->tap) return cpu_fail(msg, TN_ENOMEM, "out of memory for a convolution's tables");
    k->pixel = k->tap + k->taps;
    (k->rows ? cpu_conv_list_rows : list_pixels)(k, k->tap, k->pixel);
    if (!k->groups_of_16) return TN_OK;
    k->group = cpu_allocate((uint64_t)k->groups_of_16 * sizeof *k->group);
    if (!k->group) return cpu_fail(msg, TN_ENOMEM, "out of memory for a convolution's tables");
    cpu_conv_list_groups(k, k->group);
    return TN_OK;
}

void cpu_conv_release(tn_kernel *kernel)
{
    conv_kernel *k = (conv_kernel *)kernel;
    cpu_release(k->tap);
    cpu_release(k->group);
    cpu_release(k->epilogue);
}

int32_t cpu_conv_make(tn_context *context, const tn_op_desc *desc, const tn_op_facts *facts, int turn,
                      tn_kernel **kernel, tn_msg *msg)
{
    const int32_t s = cpu_new_kernel(sizeof(conv_kernel), kernel, msg);
    if (s) return s;
    conv_kernel *k = (conv_kernel *)*kernel;
    fill_dims(k, desc->attrs, facts);
    k->keeps = (int)desc->keeps;
    const int planes = !desc->precision && cpu_conv_by_planes(k);
    k->by_taps = turn && !planes && cpu_conv_pays_taps(k, desc->precision, context->grain);
    if (turn && !planes && !k->by_taps && pays_turned(k, desc->precision, context->grain)) turn_round(k);
    fill_sizes(k);
    const double flops = 2.0 * (double)(k->b * k->groups * k->k) * (double)k->pixels * (double)k->taps;
    k->threads = flops <= (planes ? FEW_BY_PLANES : FEW) * context->grain ? 1 : context->threads;
    k->staging = k->staged ? round_up(k->c * k->hp * k->wp * k->size, CPU_ALIGN) : 0;
    if (planes) cpu_conv_set_planes(k, turn);
    return TN_OK;
}

void cpu_conv_set_scratch(conv_kernel *k, int64_t shared, int64_t packed)
{
    k->shared = k->keeps ? 0 : round_up(shared, CPU_ALIGN);
    k->packed = round_up(packed, CPU_ALIGN);
    k->kernel.kept = k->keeps ? (uint64_t)round_up(shared, CPU_ALIGN) : 0;
    k->kernel.scratch = (uint64_t)(k->shared + k->threads * (k->staging + k->packed));
}

/* ---- what they share when they run ---- */

const char *cpu_conv_stage(const conv_kernel *k, const char *x, char *to)
{
    if (!k->staged) return x;
    const int64_t from = k->pad[1] < k->wp ? k->pad[1] : k->wp, count = min_of(k->w, k->wp - from);
    for (int64_t c = 0; c < k->c; c++)
        for (int64_t h = 0; h < k->h && h + k->pad[0] < k->hp; h++)
            memcpy(to + ((c * k->hp + h + k->pad[0]) * k->wp + from) * k->size, x + (c * k->h + h) * k->w * k->size,
                   (uint64_t)(count * k->size));
    return to;
}

char *cpu_conv_weights(const conv_kernel *k, const cpu_run *run)
{
    return k->keeps ? run->kept : run->scratch;
}

char *cpu_conv_staging(const conv_kernel *k, const cpu_run *run, int thread)
{
    return run->scratch + k->shared + thread * (k->staging + k->packed);
}

char *cpu_conv_begin_staging(const conv_kernel *k, const cpu_run *run, int thread)
{
    char *to = cpu_conv_staging(k, run, thread);
    if (k->staged || k->rows) memset(to, 0, (uint64_t)k->staging);
    return to;
}

char *cpu_conv_packed(const conv_kernel *k, const cpu_run *run, int thread)
{
    return cpu_conv_staging(k, run, thread) + k->staging;
}

typedef struct conv_run {
    const conv_kernel *kernel;
    const cpu_run *run;
    cpu_conv_body *body;
} conv_run;

static void run_piece(void *arg, int64_t begin, int64_t end, int piece)
{
    const conv_run *r = arg;
    (void)begin, (void)end;
    r->body(r->kernel, r->run, piece, r->kernel->threads);
}

void cpu_conv_on_threads(const conv_kernel *k, const cpu_run *run, cpu_conv_body *body)
{
    cpu_parallel(run->queue, k->threads, k->threads, run_piece, &(conv_run){k, run, body});
}
