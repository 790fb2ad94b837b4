/* samples.c: what a backend promises that wants a batch a few samples at a time: the bits of a sample don't depend on
 * those beside it. */
#include <stdlib.h>
#include <string.h>

#include "sample.h"
#include "tenon/backend_ext.h"

enum { SAMPLES = 11, FEW = 4, STEP = 3, MOST = 1 << 17 };

/* An operator whose input 0, and output, begin with the samples: of so many channels of side x side pixels. A
 * convolution's weight is input 1. */
typedef struct job {
    const char *name;
    int64_t channels, filters, side, window, groups;
} job;

enum { X, WEIGHT, Y, SCRATCH, BUFFERS };

typedef struct bench {
    tn_kit *kit;
    const job *job;
    tn_operation operation;
    tn_map_instr instr;
    int32_t out;
    uint64_t x, weight, y; /* bytes of a sample; of the weight */
    tn_buffer *buffer[BUFFERS];
    char *whole, *part;
} bench;

static tn_tensor_desc dense(int64_t a, int64_t b, int64_t c, int64_t d)
{
    return tn_desc_dense(TN_F32, &(tn_shape){4, {a, b, c, d}});
}

static int is(const job *j, const char *name)
{
    return !strcmp(j->name, name);
}

static void set_attributes(bench *at)
{
    const job *j = at->job;
    tn_operation *o = &at->operation;
    at->instr = (tn_map_instr){"tanh", {0, -1, -1, -1}, TN_F32, 0, 0};
    at->out = 1;
    if (o->desc.n_in == 2)
        o->attrs.conv = (tn_conv_attrs){
            .size = sizeof(tn_conv_attrs), .stride = {1, 1}, .dilation = {1, 1}, .groups = (uint32_t)j->groups};
    else if (is(j, "map"))
        o->attrs.map = (tn_map_attrs){sizeof(tn_map_attrs), &at->instr, &at->out, 1, 1, 1, 0};
    else if (is(j, "transpose"))
        o->attrs.transpose = (tn_transpose_attrs){sizeof(tn_transpose_attrs), {0, 2, 3, 1}};
    else
        o->attrs.pool = (tn_pool_attrs){
            .size = sizeof(tn_pool_attrs), .window = {(uint32_t)j->window, (uint32_t)j->window}, .stride = {1, 1}};
}

static void describe(bench *at, int64_t samples)
{
    const job *j = at->job;
    const int64_t small = j->side - j->window + 1;
    const int is_data = is(j, "conv2d_data"), turns = is(j, "transpose");
    tn_operation *o = &at->operation;
    o->in[0] = is_data ? dense(samples, j->filters, small, small) : dense(samples, j->channels, j->side, j->side);
    o->in[1] = dense(j->filters, j->channels / j->groups, j->window, j->window);
    o->out[0] = is_data ? dense(samples, j->channels, j->side, j->side)
                : turns ? dense(samples, j->side, j->side, j->channels)
                        : dense(samples, j->filters, small, small);
    o->desc =
        (tn_op_desc){.size = sizeof o->desc, .name = j->name, .n_in = 1 + !strncmp(j->name, "conv", 4), .n_out = 1};
    o->desc.in = o->in, o->desc.out = o->out, o->desc.attrs = &o->attrs;
    set_attributes(at);
    at->x = tn_kit_bytes(&o->in[0]) / (uint64_t)samples, at->y = tn_kit_bytes(&o->out[0]) / (uint64_t)samples;
    at->weight = tn_kit_bytes(&o->in[1]);
}

/* Samples first, first + 1, ... as many as are described. */
static int32_t run(bench *at, uint64_t first, char *result)
{
    tn_kit *kit = at->kit;
    const tn_backend *b = kit->backend;
    tn_kernel *kernel = NULL;
    tn_kernel_info info = {.size = sizeof info};
    const uint64_t bytes = tn_kit_bytes(&at->operation.out[0]);
    const tn_ref in[] = {{at->buffer[X], first * at->x}, {at->buffer[WEIGHT], 0}}, out = {at->buffer[Y], first * at->y};
    int32_t s = b->op_prepare(kit->context, &at->operation.desc, &kernel, &info, &kit->msg);
    if (!s) s = b->buffer_create(kit->context, info.scratch, &at->buffer[SCRATCH], &kit->msg);
    const tn_run now = {.size = sizeof now, .in = in, .out = &out, .scratch = {at->buffer[SCRATCH], 0}};
    if (!s) s = b->op_run(kit->queue, kernel, &now, &kit->msg);
    if (!s) s = b->read(kit->queue, result, out, bytes, &kit->msg);
    if (!s) s = b->queue_sync(kit->queue, &kit->msg);
    b->op_release(kernel);
    b->buffer_destroy(at->buffer[SCRATCH]);
    at->buffer[SCRATCH] = NULL;
    return s;
}

static int32_t fill(bench *at, int which, uint64_t bytes)
{
    float *x = (float *)(void *)at->part;
    for (uint64_t i = 0; i < bytes / sizeof *x; i++) x[i] = (float)(tn_kit_bits(at->kit) % 4001) / 1000 - 2;
    return at->kit->backend->write(at->kit->queue, (tn_ref){at->buffer[which], 0}, x, bytes, &at->kit->msg);
}

static int32_t prepare(bench *at)
{
    const tn_backend *b = at->kit->backend;
    const uint64_t bytes[] = {SAMPLES * at->x, at->weight, SAMPLES * at->y};
    int32_t s = TN_OK;
    for (int i = 0; i < SCRATCH && !s; i++)
        s = b->buffer_create(at->kit->context, bytes[i], &at->buffer[i], &at->kit->msg);
    for (int i = 0; i < Y && !s; i++) s = fill(at, i, bytes[i]);
    return s ? s : b->queue_sync(at->kit->queue, &at->kit->msg);
}

/* All at once, and a few from sample 0, 3, 6 ... on. */
static int32_t compare(bench *at)
{
    describe(at, SAMPLES);
    int32_t s = prepare(at);
    if (!s) s = run(at, 0, at->whole);
    describe(at, FEW);
    for (uint64_t first = 0; !s && first + FEW <= SAMPLES; first += STEP) {
        s = run(at, first, at->part);
        tn_kit_expect(at->kit, s || !memcmp(at->part, at->whole + first * at->y, FEW * at->y),
                      "%s of %lld channels: samples %d to %d have other bits beside others", at->job->name,
                      (long long)at->job->channels, (int)first, (int)first + FEW - 1);
    }
    return s;
}

static void try_job(tn_kit *kit, const job *j)
{
    bench at = {.kit = kit, .job = j, .whole = malloc(MOST), .part = malloc(MOST)};
    int32_t s = at.whole && at.part ? compare(&at) : TN_ENOMEM;
    if (s == TN_EUNSUPPORTED)
        kit->result->refused++;
    else
        tn_kit_ok(kit, s, "an operator on some samples of a batch");
    for (int i = 0; i < BUFFERS; i++) kit->backend->buffer_destroy(at.buffer[i]);
    free(at.whole);
    free(at.part);
}

static void samples(tn_kit *kit)
{
    static const job jobs[] = {{"conv2d", 16, 20, 9, 3, 1},       {"conv2d", 32, 33, 8, 1, 1},
                               {"conv2d", 24, 24, 9, 3, 24},      {"conv2d", 3, 16, 16, 5, 1},
                               {"conv2d", 40, 8, 4, 4, 1},        {"conv2d_data", 16, 20, 9, 3, 1},
                               {"conv2d_data", 24, 24, 9, 3, 24}, {"maxpool2d", 5, 5, 9, 2, 1},
                               {"avgpool2d", 5, 5, 9, 3, 1},      {"map", 7, 7, 5, 1, 1},
                               {"transpose", 7, 7, 5, 1, 1}};
    uint64_t near = 0;
    if (!tn_kit_open(kit)) return;
    const tn_ext_samples *ext = tn_kit_extension(kit, TN_EXT_SAMPLES);
    if (!ext)
        kit->result->refused++;
    else if (tn_kit_ok(kit, ext->near(kit->context, &near, &kit->msg), "near"))
        for (size_t i = 0; i < sizeof jobs / sizeof *jobs && !kit->result->failed; i++) try_job(kit, &jobs[i]);
    tn_kit_close(kit);
}

const tn_kit_case tn_kit_samples[] = {
    {"consistency", "samples", "a sample's bits beside others, if the backend wants a few at a time", samples}, {0}};
