/* kept.c: what a product keeps of its second factor, or a convolution of its weight, serves others that are described
 * alike, whatever they multiply it with; also what is kept beside numbers that have no product. */
#include <math.h>
#include <stdlib.h>

#include "sample.h"

enum { LARGEST = 30 }; /* of whole numbers: sums of their products are exact */

/* (m, k) by (k, n), as the operands lie; or, with a window, m pictures of k channels in so many groups by n filters. */
typedef struct product {
    int64_t m, n, k;
    uint32_t trans_a, trans_b;
    int64_t window, groups;
} product;

enum { SIDE = 9 }; /* of pictures */

enum { A, B, Y, SCRATCH, KEPT, BUFFERS };

typedef struct bench {
    tn_kit *kit;
    const product *p;
    tn_operation operation;
    tn_kernel *kernel[2];
    tn_kernel_info info[2];
    float *host[3]; /* of a, b and y */
    tn_buffer *buffer[BUFFERS];
} bench;

static tn_tensor_desc pictures(int64_t m, int64_t channels, int64_t side)
{
    return tn_desc_dense(TN_F32, &(tn_shape){4, {m, channels, side, side}});
}

static void describe_convolution(bench *at)
{
    const product *p = at->p;
    tn_operation *o = &at->operation;
    o->in[0] = pictures(p->m, p->k, SIDE);
    o->in[1] = pictures(p->n, p->k / p->groups, p->window);
    o->out[0] = pictures(p->m, p->n, SIDE - p->window + 1);
    o->attrs.conv = (tn_conv_attrs){
        .size = sizeof(tn_conv_attrs), .stride = {1, 1}, .dilation = {1, 1}, .groups = (uint32_t)p->groups};
}

static void describe_product(bench *at)
{
    const product *p = at->p;
    tn_operation *o = &at->operation;
    o->in[0] = p->trans_a ? tn_kit_dense(3, 1, p->k, p->m) : tn_kit_dense(3, 1, p->m, p->k);
    o->in[1] = p->trans_b ? tn_kit_dense(3, 1, p->n, p->k) : tn_kit_dense(3, 1, p->k, p->n);
    o->out[0] = tn_kit_dense(3, 1, p->m, p->n);
    o->attrs.matmul = (tn_matmul_attrs){sizeof(tn_matmul_attrs), NULL, p->trans_a, p->trans_b, 0, 0};
}

static void describe(bench *at)
{
    tn_operation *o = &at->operation;
    at->p->window ? describe_convolution(at) : describe_product(at);
    o->desc = (tn_op_desc){.size = sizeof o->desc, .n_in = 2, .n_out = 1, .keeps = 1};
    o->desc.name = at->p->window ? "conv2d" : "matmul";
    o->desc.in = o->in, o->desc.out = o->out, o->desc.attrs = &o->attrs;
}

/* Two that are alike, and memory for both. Returns 0 if it is refused, or after a failure. */
static int make(bench *at)
{
    tn_kit *kit = at->kit;
    const tn_backend *b = kit->backend;
    int32_t s = TN_OK;
    describe(at);
    for (int i = 0; i < 2 && !s; i++) {
        at->info[i] = (tn_kernel_info){.size = sizeof at->info[i]};
        s = b->op_prepare(kit->context, &at->operation.desc, &at->kernel[i], &at->info[i], &kit->msg);
        if (s == TN_EUNSUPPORTED) return 0;
    }
    if (!tn_kit_ok(kit, s, "op_prepare of a product that keeps its second factor")) return 0;
    if (!tn_kit_expect(kit, at->info[0].kept == at->info[1].kept,
                       "two products that are described alike keep %llu and %llu bytes",
                       (unsigned long long)at->info[0].kept, (unsigned long long)at->info[1].kept))
        return 0;
    const uint64_t bytes[BUFFERS] = {tn_kit_bytes(&at->operation.in[0]), tn_kit_bytes(&at->operation.in[1]),
                                     tn_kit_bytes(&at->operation.out[0]), at->info[0].scratch, at->info[0].kept};
    for (int i = 0; i < BUFFERS && !s; i++) s = b->buffer_create(kit->context, bytes[i], &at->buffer[i], &kit->msg);
    int there = 1;
    for (int i = 0; i < 3; i++) there &= (at->host[i] = malloc(bytes[i])) != NULL;
    return tn_kit_ok(kit, s, "buffer_create") && tn_kit_expect(kit, there, "out of memory");
}

static int32_t write_numbers(bench *at, int which)
{
    tn_kit *kit = at->kit;
    const uint64_t bytes = tn_kit_bytes(&at->operation.in[which]);
    float *x = at->host[which];
    for (uint64_t e = 0; e < bytes / sizeof *x; e++)
        x[e] = (float)((int32_t)(tn_kit_bits(kit) % (2 * LARGEST + 1)) - LARGEST);
    if (which == A && !isfinite(at->host[Y][0])) x[0] = INFINITY; /* of row 0 */
    return kit->backend->write(kit->queue, (tn_ref){at->buffer[which], 0}, x, bytes, &kit->msg);
}

/* One run with other numbers in a. */
static int32_t run(bench *at, int number, int is_kept)
{
    tn_kit *kit = at->kit;
    const tn_backend *b = kit->backend;
    const tn_ref in[] = {{at->buffer[A], 0}, {at->buffer[B], 0}}, out = {at->buffer[Y], 0};
    tn_run now = {.size = sizeof now, .in = in, .out = &out, .is_kept = (uint64_t)is_kept};
    if (at->info[number].scratch) now.scratch.buffer = at->buffer[SCRATCH];
    if (at->info[number].kept) now.kept.buffer = at->buffer[KEPT];
    int32_t s = write_numbers(at, A);
    if (!s) s = b->op_run(kit->queue, at->kernel[number], &now, &kit->msg);
    if (!s) s = b->read(kit->queue, at->host[Y], out, tn_kit_bytes(&at->operation.out[0]), &kit->msg);
    return s ? s : b->queue_sync(kit->queue, &kit->msg);
}

/* Filter j at the pixel (h, w) of picture i. */
static double right_pixel(const bench *at, int64_t i, int64_t j, int64_t h, int64_t w)
{
    const product *p = at->p;
    const int64_t c = p->k / p->groups, first = j / (p->n / p->groups) * c, n = p->window;
    double sum = 0;
    for (int64_t l = 0; l < c; l++)
        for (int64_t t = 0; t < n * n; t++)
            sum += (double)at->host[A][((i * p->k + first + l) * SIDE + h + t / n) * SIDE + w + t % n] *
                   (double)at->host[B][(j * c + l) * n * n + t];
    return sum;
}

static double right_product(const bench *at, int64_t i, int64_t j)
{
    const product *p = at->p;
    double sum = 0;
    for (int64_t l = 0; l < p->k; l++)
        sum += (double)at->host[A][p->trans_a ? l * p->m + i : i * p->k + l] *
               (double)at->host[B][p->trans_b ? j * p->k + l : l * p->n + j];
    return sum;
}

static double right(const bench *at, int64_t e)
{
    const product *p = at->p;
    const int64_t side = SIDE - p->window + 1, n = e / (side * side);
    if (!p->window) return right_product(at, e / p->n, e % p->n);
    return right_pixel(at, n / p->n, n % p->n, e / side % side, e % side);
}

/* From row, or picture, number `first` on. */
static int is_right(const bench *at, int64_t first, const char *when)
{
    const product *p = at->p;
    const int64_t all = (int64_t)(tn_kit_bytes(&at->operation.out[0]) / sizeof(float));
    for (int64_t e = first * all / p->m; e < all; e++) {
        const double want = right(at, e), got = (double)at->host[Y][e];
        if (!tn_kit_expect(at->kit, got == want, "%s %lldx%lldx%lld%s: element %lld is %g instead of %g",
                           at->operation.desc.name, (long long)p->m, (long long)p->n, (long long)p->k, when,
                           (long long)e, got, want))
            return 0;
    }
    return 1;
}

/* By two kernels, the second of which finds what the first kept; and the same where the first had an infinity. */
static int try_product(bench *at)
{
    for (int i = 0; i < 2; i++) {
        at->host[Y][0] = 0;
        if (!tn_kit_ok(at->kit, write_numbers(at, B), "write")) return 0;
        at->host[Y][0] = i ? INFINITY : 0;
        if (!tn_kit_ok(at->kit, run(at, 0, 0), "op_run") || !is_right(at, i, ", which keeps its second factor"))
            return 0;
        at->host[Y][0] = 0;
        if (!tn_kit_ok(at->kit, run(at, 1, 1), "op_run") || !is_right(at, 0, ", by what was kept")) return 0;
    }
    return 1;
}

static void let_go(bench *at)
{
    for (int i = 0; i < 2; i++) at->kit->backend->op_release(at->kernel[i]);
    for (int i = 0; i < BUFFERS; i++) at->kit->backend->buffer_destroy(at->buffer[i]);
    for (int i = 0; i < 3; i++) free(at->host[i]);
}

static void kept(tn_kit *kit)
{
    static const product products[] = {
        {32, 512, 128, 0, 1, 0, 0}, {32, 128, 512, 0, 0, 0, 0}, {17, 70, 300, 1, 0, 0, 0}, {40, 1100, 50, 0, 1, 0, 0},
        {64, 33, 64, 1, 1, 0, 0},   {3, 5, 7, 0, 0, 0, 0},      {3, 20, 16, 0, 0, 3, 1},   {2, 40, 64, 0, 0, 3, 2},
        {2, 33, 40, 0, 0, 1, 1},    {3, 5, 7, 0, 0, 4, 1},      {2, 8, 8, 0, 0, 3, 8}};
    uint32_t made = 0;
    int fine = tn_kit_open(kit);
    for (size_t i = 0; fine && i < sizeof products / sizeof *products; i++) {
        bench at = {.kit = kit, .p = &products[i]};
        if (make(&at)) made++, fine = try_product(&at);
        fine = fine && !kit->result->failed;
        let_go(&at);
    }
    if (fine && !made) tn_kit_remark(kit, "nothing is kept");
    tn_kit_close(kit);
}

const tn_kit_case tn_kit_kept[] = {
    {"abi", "kept", "what a product or a convolution keeps of a factor serves others that are described alike", kept},
    {0}};
