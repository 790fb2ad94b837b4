/* sample.c: see sample.h. */
#include "sample.h"

#include <stdlib.h>
#include <string.h>

tn_tensor_desc tn_kit_dense(int32_t rank, int64_t a, int64_t b, int64_t c)
{
    return tn_desc_dense(TN_F32, &(tn_shape){rank, {a, b, c}});
}

/* relu(a + s b) */
static void make_map(tn_kit_sample *s)
{
    static const tn_map_instr instr[] = {{"leaky_relu", {0, 1, -1, -1}, TN_F32, 0, 0},
                                         {"add", {2, 1, -1, -1}, TN_F32, 0, 0}};
    tn_operation *o = &s->operation;
    o->desc.name = "map", o->desc.n_in = 2;
    o->in[0] = o->in[1] = o->out[0] = tn_kit_dense(2, 31, 47, 0);
    o->in[1].stride[0] = 0;
    memcpy(s->instr, instr, sizeof instr);
    s->out = 3;
    o->attrs.map = (tn_map_attrs){sizeof(tn_map_attrs), s->instr, &s->out, 2, 2, 1, 0};
}

static void make_matmul(tn_kit_sample *s)
{
    tn_operation *o = &s->operation;
    o->desc.name = "matmul", o->desc.n_in = 2;
    o->in[0] = tn_kit_dense(3, 1, 33, 65);
    o->in[1] = tn_kit_dense(3, 1, 65, 17);
    o->out[0] = tn_kit_dense(3, 1, 33, 17);
    o->attrs.matmul = (tn_matmul_attrs){.size = sizeof(tn_matmul_attrs)};
}

static void make_sums(tn_kit_sample *s, int64_t rows, int64_t columns)
{
    tn_operation *o = &s->operation;
    o->desc.name = "reduce", o->desc.n_in = 1;
    o->in[0] = tn_kit_dense(2, rows, columns, 0);
    o->out[0] = tn_kit_dense(2, rows, 1, 0);
    s->map = (tn_map_attrs){sizeof(tn_map_attrs), NULL, &s->out, 0, 1, 1, 0};
    o->attrs.reduce = (tn_reduce_attrs){
        .size = sizeof(tn_reduce_attrs), .kind = "sum", .map = &s->map, .dim = {rows, columns}, .rank = 2, .axes = 2};
}

static void make_reduce(tn_kit_sample *s)
{
    make_sums(s, 37, 1029);
}

static void make_long(tn_kit_sample *s)
{
    make_sums(s, 3, 150001);
}

static void make_total(tn_kit_sample *s)
{
    make_sums(s, 1, 1000003);
}

static void make_scatter(tn_kit_sample *s)
{
    tn_operation *o = &s->operation;
    o->desc.name = "scatter_add", o->desc.n_in = 2;
    o->in[0] = tn_kit_dense(1, 20011, 0, 0);
    o->in[0].dtype = TN_I32;
    o->in[1] = tn_kit_dense(2, 20011, 3, 0);
    o->out[0] = tn_kit_dense(2, 7, 3, 0);
}

static void make_softmax(tn_kit_sample *s)
{
    tn_operation *o = &s->operation;
    o->desc.name = "softmax", o->desc.n_in = 1;
    o->in[0] = o->out[0] = tn_kit_dense(3, 29, 33, 1);
}

static void make_weight(tn_kit_sample *s)
{
    tn_operation *o = &s->operation;
    o->desc.name = "conv2d_weight", o->desc.n_in = 2;
    o->in[0] = tn_desc_dense(TN_F32, &(tn_shape){4, {4, 5, 33, 35}});
    o->in[1] = tn_desc_dense(TN_F32, &(tn_shape){4, {4, 7, 31, 33}});
    o->out[0] = tn_desc_dense(TN_F32, &(tn_shape){4, {7, 5, 3, 3}});
    o->attrs.conv = (tn_conv_attrs){sizeof(tn_conv_attrs), NULL, {1, 1}, {0, 0}, {1, 1}, 1, 0};
}

/* Random numbers from -1 to 1; whole ones are from 0 to 6. NULL without memory. */
static unsigned char *make_input(tn_kit *kit, const tn_tensor_desc *desc)
{
    const uint64_t bytes = tn_kit_bytes(desc);
    unsigned char *data = malloc(bytes);
    for (uint64_t at = 0; data && at < bytes; at += 4) {
        const int32_t whole = (int32_t)(tn_kit_bits(kit) % 7);
        const float x = (float)tn_kit_uniform(kit, -1, 1);
        memcpy(data + at, desc->dtype == TN_I32 ? (const void *)&whole : &x, 4);
    }
    return data;
}

int tn_kit_sample_make(tn_kit *kit, int number, tn_kit_sample *s)
{
    static void (*const make[])(tn_kit_sample * s) = {make_map,  make_matmul, make_reduce,  make_softmax,
                                                      make_long, make_total,  make_scatter, make_weight};
    tn_op_desc *desc = &s->operation.desc;
    memset(s, 0, sizeof *s);
    s->number = number;
    make[number](s);
    desc->size = sizeof *desc, desc->n_out = 1, desc->in = s->operation.in, desc->out = s->operation.out;
    if (s->operation.attrs.size) desc->attrs = &s->operation.attrs;
    s->job = (tn_kit_job){.desc = desc};
    for (uint32_t i = 0; i < desc->n_in; i++) {
        s->job.in[i] = make_input(kit, &desc->in[i]);
        if (!s->job.in[i]) return tn_kit_expect(kit, 0, "out of memory");
    }
    s->job.out[0] = calloc(tn_kit_bytes(&desc->out[0]), 1);
    return tn_kit_expect(kit, s->job.out[0] != NULL, "out of memory");
}

tn_kernel *tn_kit_add(tn_kit *kit, int64_t count, tn_kernel_info *info)
{
    static const tn_map_instr instr[] = {{"scalar", {0, -1, -1, -1}, TN_F32, 0, 0},
                                         {"add", {0, 1, -1, -1}, TN_F32, 0, 0}};
    static const int32_t out = 2;
    const tn_map_attrs map = {sizeof map, instr, &out, 2, 1, 1, 1};
    const tn_tensor_desc x = tn_kit_dense(1, count, 0, 0);
    const tn_op_desc desc = {
        .size = sizeof desc, .name = "map", .in = &x, .out = &x, .n_in = 1, .n_out = 1, .attrs = &map};
    tn_kernel *kernel = NULL;
    *info = (tn_kernel_info){.size = sizeof *info};
    int32_t s = kit->backend->op_prepare(kit->context, &desc, &kernel, info, &kit->msg);
    if (s == TN_EUNSUPPORTED)
        kit->result->refused++;
    else
        tn_kit_ok(kit, s, "op_prepare");
    return kernel;
}

tn_kernel *tn_kit_twice(tn_kit *kit, int64_t count, tn_kernel_info *info)
{
    static const tn_map_instr instr = {"add", {0, 0, -1, -1}, TN_I32, 0, 0};
    static const int32_t out = 1;
    const tn_map_attrs map = {sizeof map, &instr, &out, 1, 1, 1, 0};
    tn_tensor_desc x = tn_kit_dense(1, count, 0, 0);
    x.dtype = TN_I32;
    tn_op_desc desc = {.size = sizeof desc, .name = "map", .in = &x, .out = &x, .n_in = 1, .n_out = 1, .attrs = &map};
    tn_kernel *kernel = NULL;
    *info = (tn_kernel_info){.size = sizeof *info};
    int32_t s = kit->backend->op_prepare(kit->context, &desc, &kernel, info, &kit->msg);
    if (s != TN_EUNSUPPORTED) tn_kit_ok(kit, s, "op_prepare");
    return kernel;
}

int32_t tn_kit_run_twice(tn_kit *kit, tn_queue *queue, tn_kernel *kernel, tn_buffer *to, tn_buffer *from,
                         tn_buffer *scratch)
{
    tn_ref in = {from, 0}, out = {to, 0};
    tn_run run = {sizeof run, &in, &out, {scratch, 0}, NULL, 0};
    return kit->backend->op_run(queue, kernel, &run, &kit->msg);
}

/* Structs as they are now, and what a later version may put behind. */
#define LATER 64
typedef struct structs {
    struct {
        tn_host now;
        unsigned char later[LATER];
    } host;
    struct {
        tn_op_desc now;
        unsigned char later[LATER];
    } desc;
    struct {
        tn_run now;
        unsigned char later[LATER];
    } run;
} structs;

/* Leaves `size` bytes of a struct, and none that can be used behind them. */
static void cut(void *object, uint64_t size)
{
    unsigned char *bytes = object;
    memset(bytes + size, 0xdb, *(uint64_t *)object - size);
    *(uint64_t *)object = size;
}

static void fill_structs(structs *to, const tn_kit *kit, const tn_op_desc *desc, int version)
{
    memset(to, 0xdb, sizeof *to);
    to->host.now = kit->host, to->desc.now = *desc, to->run.now = (tn_run){.size = sizeof(tn_run)};
    if (version == TN_KIT_ZEROED) memset(to->desc.later, 0, LATER);
    if (version == TN_KIT_OLD)
        cut(&to->host, offsetof(tn_host, get_ext)), cut(&to->desc, offsetof(tn_op_desc, in_align));
    if (version == TN_KIT_ZEROED || version == TN_KIT_LATER)
        to->host.now.size += LATER, to->desc.now.size += LATER, to->run.now.size += LATER;
}

static int32_t run_sample(tn_kit *kit, const tn_kit_sample *s, structs *at, tn_context *context, tn_queue *queue)
{
    const tn_backend *b = kit->backend;
    const tn_op_desc *desc = &at->desc.now;
    tn_buffer *buffer[4] = {0};
    tn_kernel *kernel = NULL;
    tn_kernel_info info = {.size = sizeof info};
    int32_t status = b->op_prepare(context, desc, &kernel, &info, &kit->msg);
    for (uint32_t i = 0; !status && i < desc->n_in + 2; i++) {
        uint64_t bytes = tn_kit_buffer_bytes(desc, i, info.scratch);
        status = b->buffer_create(context, bytes, &buffer[i], &kit->msg);
        if (!status && i < desc->n_in) status = b->write(queue, (tn_ref){buffer[i], 0}, s->job.in[i], bytes, &kit->msg);
    }
    if (!status) {
        tn_ref in[] = {{buffer[0], 0}, {buffer[1], 0}}, out = {buffer[desc->n_in], 0};
        at->run.now.in = in, at->run.now.out = &out, at->run.now.scratch = (tn_ref){buffer[desc->n_in + 1], 0};
        status = b->op_run(queue, kernel, &at->run.now, &kit->msg);
        if (!status) status = b->read(queue, s->job.out[0], out, tn_kit_bytes(desc->out), &kit->msg);
        if (!status) status = b->queue_sync(queue, &kit->msg);
    }
    for (int i = 0; i < 4; i++) b->buffer_destroy(buffer[i]);
    b->op_release(kernel);
    return status;
}

int32_t tn_kit_sample_live(tn_kit *kit, const tn_kit_sample *s, int version)
{
    const tn_backend *b = kit->backend;
    tn_context *context = NULL;
    tn_queue *queue = NULL;
    structs at;
    fill_structs(&at, kit, s->job.desc, version);
    int32_t status = b->init(&at.host.now, &kit->msg);
    if (status) return status;
    status = b->context_create(kit->target->index, &context, &kit->msg);
    if (!status) status = b->queue_create(context, &queue, &kit->msg);
    if (!status) status = run_sample(kit, s, &at, context, queue);
    b->queue_destroy(queue), b->context_destroy(context);
    b->deinit();
    return status;
}

void tn_kit_sample_free(tn_kit_sample *s)
{
    for (int i = 0; i < TN_MAX_OPERANDS; i++) free((void *)(uintptr_t)s->job.in[i]), free(s->job.out[i]);
}
