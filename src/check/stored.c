/* stored.c: convolutions and poolings whose images, and weights, are stored in 16 bits, of any sizes, in the mixtures
 * that storing what passes between kernels leads to. They are computed in f32: what a backend may be off is what it may
 * be for operands of f32 that happen to be so short, and one rounding at the end. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "budget.h"
#include "reference_internal.h"
#include "shape.h"
#include "stock.h"

enum { TRIED = 42, OPERATORS = 7 };

/* What the operands are: images x and y, weights. */
static const struct {
    const char *name;
    int in[2], out, is_conv;
} operators[OPERATORS] = {{"conv2d", {'x', 'w'}, 'y', 1},        {"conv2d_data", {'y', 'w'}, 'x', 1},
                          {"conv2d_weight", {'x', 'y'}, 'w', 1}, {"maxpool2d", {'x'}, 'y', 0},
                          {"avgpool2d", {'x'}, 'y', 0},          {"avgpool2d_grad", {'y'}, 'x', 0},
                          {"maxpool2d_grad", {'x', 'y'}, 'x', 0}};

/* Types of the first input, the second, and the result: as training stores them, then others. */
static const int32_t types[][3] = {{TN_BF16, TN_F32, TN_BF16}, {TN_F16, TN_F32, TN_F16},  {TN_BF16, TN_BF16, TN_F32},
                                   {TN_F16, TN_F16, TN_F32},   {TN_F32, TN_BF16, TN_F16}, {TN_BF16, TN_F16, TN_BF16},
                                   {TN_F32, TN_F32, TN_F16}};
enum { TYPES = sizeof types / sizeof *types };

/* One that was drawn. */
typedef struct drawn {
    int which, last;
    const int32_t *type;
    int64_t batch, channels, filters, groups, window[2], x[2], y[2];
    uint32_t stride[2], pad[2], dilation[2];
} drawn;

static int64_t draw(tn_kit *kit, int64_t from, int64_t to)
{
    return from + (int64_t)(tn_kit_bits(kit) % (uint64_t)(to - from + 1));
}

/* Rows of whole vectors, pixels of whole pieces, and halves, are rare unless they are asked for. */
static drawn draw_sizes(tn_kit *kit, int number)
{
    drawn d = {.which = number % OPERATORS, .last = number / OPERATORS % 2};
    const int is_conv = operators[d.which].is_conv, is_whole = draw(kit, 0, 2) == 0;
    d.type = types[(number + number / OPERATORS) % TYPES];
    d.batch = draw(kit, 1, 3);
    d.groups = is_conv ? draw(kit, 1, 2) : 1;
    d.channels = is_whole ? 8 : draw(kit, 1, 7);
    d.filters = is_conv ? is_whole ? 16 : draw(kit, 1, 9) : d.channels;
    for (int i = 0; i < 2; i++) {
        d.window[i] = draw(kit, is_conv ? 1 : 2, 3);
        d.stride[i] = (uint32_t)draw(kit, 1, 2), d.dilation[i] = is_conv ? (uint32_t)draw(kit, 1, 2) : 1;
        d.pad[i] = (uint32_t)draw(kit, 0, d.window[i] - 1);
        if (is_whole && !is_conv) d.window[i] = d.stride[i] = 2, d.pad[i] = 0;
        d.y[i] = i && is_whole ? 16 : draw(kit, 1, 9);
        const int64_t reach = (d.y[i] - 1) * d.stride[i] + (d.window[i] - 1) * d.dilation[i] + 1;
        d.x[i] = reach - 2 * (int64_t)d.pad[i] + draw(kit, 0, d.stride[i] - 1);
        if (d.x[i] < 1) d.x[i] = 1;
    }
    return d;
}

static tn_shape shape_of(const drawn *d, int letter)
{
    const int64_t of_x = d->channels * d->groups, of_y = d->filters * d->groups, c = letter == 'x' ? of_x : of_y;
    const int64_t *size = letter == 'x' ? d->x : d->y;
    if (letter == 'w') return (tn_shape){4, {of_y, d->channels, d->window[0], d->window[1]}};
    return d->last ? (tn_shape){4, {d->batch, size[0], size[1], c}} : (tn_shape){4, {d->batch, c, size[0], size[1]}};
}

/* Of a convolution forward: the result plus another image, and of that the positive part. */
static const tn_map_instr add_and_cut[] = {{"add", {0, 1, -1, -1}, TN_F32, 0, 0},
                                           {"relu", {2, -1, -1, -1}, TN_F32, 0, 0}};
static const tn_map_attrs residual = {sizeof residual, add_and_cut, (const int32_t[]){3}, 2, 2, 1, 0};

static void describe(const drawn *d, tn_operation *o)
{
    const int has_residual = !d->which && d->batch > 1;
    *o = (tn_operation){.desc = {.size = sizeof o->desc, .name = operators[d->which].name, .n_out = 1}};
    for (; o->desc.n_in < 2 && operators[d->which].in[o->desc.n_in]; o->desc.n_in++) {
        const tn_shape shape = shape_of(d, operators[d->which].in[o->desc.n_in]);
        o->in[o->desc.n_in] = tn_desc_dense(d->type[o->desc.n_in], &shape);
    }
    const tn_shape shape = shape_of(d, operators[d->which].out);
    o->out[0] = tn_desc_dense(d->type[2], &shape);
    if (has_residual) o->in[o->desc.n_in++] = tn_desc_dense(d->type[0], &shape);
    if (operators[d->which].is_conv)
        o->attrs.conv =
            (tn_conv_attrs){sizeof(tn_conv_attrs),  has_residual ? &residual : NULL,  {d->stride[0], d->stride[1]},
                            {d->pad[0], d->pad[1]}, {d->dilation[0], d->dilation[1]}, (uint32_t)d->groups,
                            (uint32_t)d->last};
    else
        o->attrs.pool = (tn_pool_attrs){sizeof(tn_pool_attrs),        {(uint32_t)d->window[0], (uint32_t)d->window[1]},
                                        {d->stride[0], d->stride[1]}, {d->pad[0], d->pad[1]},
                                        (uint32_t)d->batch % 2,       (uint32_t)d->last};
    o->desc.in = o->in, o->desc.out = o->out, o->desc.attrs = &o->attrs;
}

/* Random numbers as input i stores them, and the same numbers in f32. */
static int fill(tn_kit *kit, tn_kit_item *item, tn_kit_item *plain, uint32_t i)
{
    const tn_tensor_desc *x = &item->operation.in[i], *wide = &plain->operation.in[i];
    const int64_t count = tn_desc_count(x);
    double *number = calloc((size_t)count + 1, sizeof *number);
    unsigned char *data = malloc(tn_kit_bytes(x) + 1), *same = malloc(tn_kit_bytes(wide) + 1);
    item->job.in[i] = data, plain->job.in[i] = same;
    for (int64_t e = 0; number && e < count; e++) number[e] = tn_kit_uniform(kit, -2, 2);
    if (number && data && same) {
        tn_reference_store(data, number, x);
        tn_reference_load(number, data, x);
        tn_reference_store(same, number, wide);
    }
    free(number);
    return tn_kit_expect(kit, number && data && same, "out of memory");
}

/* One rounding more. */
static void allow_rounding(tn_kit_want *want, const tn_tensor_desc *y)
{
    if (y->dtype == TN_F32) return;
    for (int64_t e = 0; e < tn_desc_count(y); e++)
        if (isfinite(want->value[0][e]))
            want->allowed[0][e] +=
                0.51 * tn_unit_of(y->dtype) * fabs(want->value[0][e]) + tn_dtype_facts_of(y->dtype)->smallest;
    want->norm[0] = 0;
}

static int try_drawn(tn_kit *kit, int number)
{
    const drawn d = draw_sizes(kit, number);
    tn_kit_item item = {.job = {.desc = NULL}}, plain = item;
    describe(&d, &item.operation), describe(&d, &plain.operation);
    item.job.desc = &item.operation.desc, plain.job.desc = &plain.operation.desc;
    plain.operation.out[0].dtype = TN_F32;
    int fine = 1;
    for (uint32_t i = 0; fine && i < item.operation.desc.n_in; i++) {
        plain.operation.in[i].dtype = TN_F32;
        fine = fill(kit, &item, &plain, i);
    }
    item.job.out[0] = calloc(tn_kit_bytes(item.operation.out) + 1, 1);
    fine = fine && tn_kit_expect(kit, item.job.out[0] != NULL, "out of memory") &&
           tn_kit_expected(kit, &plain.job, &plain.want);
    if (fine) allow_rounding(&plain.want, item.operation.out);
    const int answer = fine ? tn_kit_run_job(kit, &item.job) : TN_KIT_WRONG;
    if (answer == TN_KIT_RAN) fine = tn_kit_compare(kit, &item.job, &plain.want, ", stored in 16 bits");
    tn_kit_stock_free(&item);
    tn_kit_stock_free(&plain);
    return fine && answer != TN_KIT_WRONG;
}

static void stored(tn_kit *kit)
{
    int fine = tn_kit_open(kit);
    for (int i = 0; fine && i < TRIED && kit->backend->abi_minor; i++) /* those of 1.0 know of no mixtures */
        fine = !tn_kit_takes(kit, (uint64_t)i, TRIED) || try_drawn(kit, i);
    tn_kit_close(kit);
    if (kit->result->refused)
        tn_kit_remark(kit, "%u operations were refused; the last: %.300s", kit->result->refused, kit->refusal);
}

const tn_kit_case tn_kit_stored[] = {
    {"abi", "stored", "convolutions and poolings of images that are stored in 16 bits", stored},
    {0},
};
