/* ends.c: pictures whose output ends earlier or later than usual, in each direction alone: its size is the descriptors'
 * to say, and our compiler asks for few of them. */
#include <stdio.h>
#include <string.h>

#include "stock.h"

/* A window, and how many rows and columns of output there are more than fit into the picture with the padding on both
 * sides. */
typedef struct end {
    int64_t window[2];
    uint32_t stride[2], pad[2], dilation[2];
    int64_t more[2];
    uint32_t all; /* groups of one channel; of pools: count_pad */
} end;

/* Small ones and larger ones by turns. */
typedef struct picture {
    int64_t b, c, k, size[2];
} picture;
static const picture pictures[] = {{2, 4, 4, {7, 6}}, {1, 16, 24, {18, 17}}};

static const end convs[] = {
    {{1, 1}, {1, 1}, {0, 0}, {1, 1}, {0, -1}, 0}, {{1, 1}, {1, 1}, {0, 0}, {1, 1}, {0, -1}, 0},
    {{1, 1}, {1, 1}, {0, 0}, {1, 1}, {0, 1}, 0},  {{1, 1}, {1, 1}, {0, 0}, {1, 1}, {0, 1}, 0},
    {{1, 1}, {1, 1}, {0, 0}, {1, 1}, {-1, 0}, 0}, {{1, 1}, {1, 1}, {0, 0}, {1, 1}, {1, 0}, 0},
    {{1, 1}, {1, 1}, {0, 0}, {1, 1}, {-2, 2}, 0}, {{1, 1}, {1, 1}, {0, 0}, {1, 1}, {2, -1}, 0},
    {{1, 1}, {2, 2}, {0, 0}, {1, 1}, {0, -1}, 0}, {{1, 1}, {2, 2}, {0, 0}, {1, 1}, {0, 1}, 0},
    {{1, 1}, {2, 2}, {0, 0}, {1, 1}, {1, 0}, 0},  {{1, 1}, {1, 1}, {1, 1}, {1, 1}, {-2, -2}, 0},
    {{1, 1}, {1, 1}, {0, 1}, {1, 1}, {0, -2}, 0}, {{1, 1}, {1, 1}, {1, 0}, {1, 1}, {-2, 0}, 0},
    {{1, 3}, {1, 1}, {0, 1}, {1, 1}, {0, -1}, 0}, {{1, 3}, {1, 1}, {0, 1}, {1, 1}, {0, 1}, 0},
    {{1, 3}, {1, 1}, {0, 1}, {1, 1}, {1, 0}, 0},  {{3, 1}, {1, 1}, {1, 0}, {1, 1}, {0, 1}, 0},
    {{3, 1}, {1, 1}, {1, 0}, {1, 1}, {1, 0}, 0},  {{3, 1}, {1, 1}, {1, 0}, {1, 1}, {-1, 0}, 0},
    {{3, 3}, {1, 1}, {1, 1}, {1, 1}, {0, -1}, 0}, {{3, 3}, {1, 1}, {1, 1}, {1, 1}, {0, 1}, 0},
    {{3, 3}, {1, 1}, {1, 1}, {1, 1}, {-1, 0}, 0}, {{3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 0}, 0},
    {{3, 3}, {1, 1}, {0, 0}, {1, 1}, {0, 2}, 0},  {{3, 3}, {1, 1}, {0, 0}, {1, 1}, {2, 0}, 0},
    {{3, 3}, {2, 2}, {1, 1}, {1, 1}, {0, 1}, 0},  {{3, 3}, {2, 2}, {1, 1}, {1, 1}, {1, -1}, 0},
    {{2, 2}, {2, 2}, {0, 0}, {1, 1}, {0, 1}, 0},  {{2, 2}, {2, 2}, {0, 0}, {1, 1}, {1, 0}, 0},
    {{2, 2}, {2, 2}, {0, 0}, {1, 1}, {0, -1}, 0}, {{2, 2}, {2, 2}, {0, 0}, {1, 1}, {-1, 0}, 0},
    {{2, 2}, {1, 1}, {0, 0}, {1, 1}, {1, 1}, 0},  {{3, 3}, {1, 1}, {2, 2}, {2, 2}, {-1, 1}, 0},
    {{1, 3}, {1, 3}, {0, 0}, {1, 1}, {0, 1}, 0},  {{3, 1}, {3, 1}, {0, 0}, {1, 1}, {1, 0}, 0},
    {{3, 3}, {1, 1}, {1, 1}, {1, 1}, {0, -1}, 1}, {{3, 3}, {1, 1}, {1, 1}, {1, 1}, {0, 1}, 1},
    {{3, 3}, {1, 1}, {1, 1}, {1, 1}, {-1, 1}, 1}, {{3, 3}, {2, 2}, {1, 1}, {1, 1}, {1, 0}, 1},
};

static const end pools[] = {
    {{1, 1}, {1, 1}, {0, 0}, {1, 1}, {0, -1}, 0}, {{1, 1}, {1, 1}, {0, 0}, {1, 1}, {0, 1}, 0},
    {{1, 1}, {1, 1}, {0, 0}, {1, 1}, {1, 0}, 0},  {{2, 2}, {2, 2}, {0, 0}, {1, 1}, {0, -1}, 0},
    {{2, 2}, {2, 2}, {0, 0}, {1, 1}, {0, 1}, 0},  {{2, 2}, {2, 2}, {0, 0}, {1, 1}, {1, 0}, 0},
    {{2, 2}, {2, 2}, {0, 0}, {1, 1}, {-1, 0}, 0}, {{2, 2}, {2, 2}, {0, 0}, {1, 1}, {2, 2}, 0},
    {{3, 3}, {1, 1}, {1, 1}, {1, 1}, {0, -1}, 0}, {{3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}, 0},
    {{3, 3}, {1, 1}, {1, 1}, {1, 1}, {-1, 1}, 1}, {{3, 3}, {2, 2}, {1, 1}, {1, 1}, {1, 1}, 1},
    {{1, 2}, {1, 2}, {0, 0}, {1, 1}, {0, 1}, 0},  {{2, 1}, {2, 1}, {0, 0}, {1, 1}, {1, 0}, 1},
    {{7, 6}, {1, 1}, {0, 0}, {1, 1}, {1, 0}, 0},  {{18, 17}, {1, 1}, {0, 0}, {1, 1}, {0, 1}, 0},
};

/* ---- descriptions ---- */

static tn_tensor_desc of_four(int64_t a, int64_t b, int64_t c, int64_t d)
{
    return tn_desc_dense(TN_F32, &(tn_shape){4, {a, b, c, d}});
}

static void find_output(const end *e, const picture *at, int64_t size[2])
{
    for (int d = 0; d < 2; d++) {
        const int64_t reach = (e->window[d] - 1) * e->dilation[d] + 1;
        size[d] = (at->size[d] + 2 * (int64_t)e->pad[d] - reach) / e->stride[d] + 1 + e->more[d];
    }
}

static void set_operands(tn_operation *o, uint32_t n_in, tn_tensor_desc a, tn_tensor_desc b, tn_tensor_desc y)
{
    o->in[0] = a, o->in[1] = b, o->out[0] = y;
    o->desc.n_in = n_in;
}

static void describe_conv(const end *e, const picture *at, const char *op, tn_operation *o)
{
    int64_t to[2];
    const uint32_t groups = e->all ? (uint32_t)at->c : 1;
    const int64_t k = e->all ? at->c : at->k;
    find_output(e, at, to);
    const tn_tensor_desc x = of_four(at->b, at->c, at->size[0], at->size[1]), y = of_four(at->b, k, to[0], to[1]);
    const tn_tensor_desc weight = of_four(k, at->c / groups, e->window[0], e->window[1]);
    o->attrs.conv = (tn_conv_attrs){.size = sizeof(tn_conv_attrs), .groups = groups};
    memcpy(o->attrs.conv.stride, e->stride, sizeof e->stride);
    memcpy(o->attrs.conv.pad, e->pad, sizeof e->pad);
    memcpy(o->attrs.conv.dilation, e->dilation, sizeof e->dilation);
    if (!strcmp(op, "conv2d")) set_operands(o, 2, x, weight, y);
    if (!strcmp(op, "conv2d_data")) set_operands(o, 2, y, weight, x);
    if (!strcmp(op, "conv2d_weight")) set_operands(o, 2, x, y, weight);
}

static void describe_pool(const end *e, const picture *at, const char *op, tn_operation *o)
{
    int64_t to[2];
    find_output(e, at, to);
    const tn_tensor_desc x = of_four(at->b, at->c, at->size[0], at->size[1]), y = of_four(at->b, at->c, to[0], to[1]);
    o->attrs.pool = (tn_pool_attrs){.size = sizeof(tn_pool_attrs), .count_pad = e->all && !strncmp(op, "avg", 3)};
    for (int d = 0; d < 2; d++) o->attrs.pool.window[d] = (uint32_t)e->window[d];
    memcpy(o->attrs.pool.stride, e->stride, sizeof e->stride);
    memcpy(o->attrs.pool.pad, e->pad, sizeof e->pad);
    if (!strcmp(op, "maxpool2d") || !strcmp(op, "avgpool2d")) set_operands(o, 1, x, x, y);
    if (!strcmp(op, "maxpool2d_grad")) set_operands(o, 2, x, y, x);
    if (!strcmp(op, "avgpool2d_grad")) set_operands(o, 1, y, y, x);
}

/* ---- running ---- */

typedef void describe(const end *e, const picture *at, const char *op, tn_operation *o);

static int try_end(tn_kit *kit, const char *op, describe *describes, const end *e, const picture *at)
{
    tn_kit_item item = {.job = {.desc = NULL}};
    tn_operation *o = &item.operation;
    char how[120];
    o->desc = (tn_op_desc){.size = sizeof o->desc, .name = op, .in = o->in, .out = o->out, .n_out = 1};
    o->desc.attrs = &o->attrs, item.job.desc = &o->desc;
    describes(e, at, op, o);
    snprintf(how, sizeof how, ", window %dx%d, stride %u, padding %u, %d rows and %d columns more than usual",
             (int)e->window[0], (int)e->window[1], e->stride[1], e->pad[1], (int)e->more[0], (int)e->more[1]);
    int fine = tn_kit_stock_fill(kit, &item, TN_KIT_RANDOM, 0, 0);
    const int answer = fine ? tn_kit_run_job(kit, &item.job) : TN_KIT_WRONG;
    if (answer == TN_KIT_RAN) fine = tn_kit_compare(kit, &item.job, &item.want, how);
    tn_kit_stock_free(&item);
    return fine && answer != TN_KIT_WRONG;
}

static void try_all(tn_kit *kit, const char *const ops[], describe *describes, const end list[], size_t count)
{
    int fine = tn_kit_open(kit);
    kit->result->checks = 0; /* opening is no check of an operation */
    for (; fine && *ops; ops++)
        for (size_t i = 0; fine && i < count; i++)
            fine = !tn_kit_takes(kit, i, count) || try_end(kit, *ops, describes, &list[i], &pictures[i % 2]);
    const uint32_t checks = kit->result->checks;
    tn_kit_close(kit);
    kit->result->checks = checks;
    if (kit->result->refused)
        tn_kit_remark(kit, "%u operations were refused; the last: %.300s", kit->result->refused, kit->refusal);
}

static void ends_of_convs(tn_kit *kit)
{
    static const char *const ops[] = {"conv2d", "conv2d_data", "conv2d_weight", NULL};
    try_all(kit, ops, describe_conv, convs, sizeof convs / sizeof *convs);
}

static void ends_of_pools(tn_kit *kit)
{
    static const char *const ops[] = {"maxpool2d", "maxpool2d_grad", "avgpool2d", "avgpool2d_grad", NULL};
    try_all(kit, ops, describe_pool, pools, sizeof pools / sizeof *pools);
}

/* Of more elements than 16 bits count, and of just as many as they do not. */
static void large_windows(tn_kit *kit)
{
    enum { COUNT = 5 };
    static const char *const ops[COUNT] = {"maxpool2d_grad", "maxpool2d", "avgpool2d_grad", "avgpool2d", "avgpool2d"};
    static const picture at = {1, 1, 1, {257, 258}};
    static const end windows[] = {{{257, 257}, {1, 1}, {0, 0}, {1, 1}, {0, 0}, 0},
                                  {{256, 256}, {1, 2}, {0, 0}, {1, 1}, {0, 0}, 1}};
    int fine = tn_kit_open(kit);
    for (int i = 0; fine && i < COUNT; i++)
        fine = !tn_kit_takes(kit, i, COUNT) || try_end(kit, ops[i], describe_pool, &windows[i / (COUNT - 1)], &at);
    tn_kit_close(kit);
}

const tn_kit_case tn_kit_ends[] = {
    {"abi", "conv-ends", "convolutions whose output ends earlier or later than usual", ends_of_convs},
    {"abi", "pool-ends", "pooling whose output ends earlier or later than usual", ends_of_pools},
    {"abi", "pool-windows", "pooling by windows of more than 65,535 elements", large_windows},
    {0},
};
