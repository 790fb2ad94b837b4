/* op_samples.h: a right description of each operator of backend.h, for tests that then spoil it. */
#ifndef TENON_TESTS_OP_SAMPLES_H
#define TENON_TESTS_OP_SAMPLES_H

#include <string.h>

#include "tenon/backend.h"

typedef union sample_attrs {
    uint64_t size; /* 0: none */
    tn_map_attrs map;
    tn_reduce_attrs reduce;
    tn_matmul_attrs matmul;
    tn_transpose_attrs transpose;
    tn_window_attrs window;
    tn_slice_attrs slice;
    tn_cumsum_attrs cumsum;
    tn_topk_attrs topk;
    tn_searchsorted_attrs searchsorted;
    tn_attend_attrs attend;
    tn_layer_norm_attrs layer_norm;
    tn_conv_attrs conv;
    tn_pool_attrs pool;
    unsigned char room[256];
} sample_attrs;

typedef struct sample_row {
    const char *name;
    uint32_t n_in, n_out;
    tn_tensor_desc operand[7]; /* inputs, then outputs; strides are filled in */
    sample_attrs attrs;
} sample_row;

/* A description, and all that it points to. */
typedef struct sample {
    tn_op_desc desc;
    tn_tensor_desc operand[7];
    sample_attrs attrs;
    tn_map_attrs map; /* of a reduce, or an epilogue */
    tn_map_instr instr[4];
    int32_t out[2], alias[2];
} sample;

#define F(...)                                                                                                         \
    {                                                                                                                  \
        TN_F32, sizeof(int64_t[]){__VA_ARGS__} / 8,                                                                    \
        {                                                                                                              \
            __VA_ARGS__                                                                                                \
        }                                                                                                              \
    }
#define I(...)                                                                                                         \
    {                                                                                                                  \
        TN_I32, sizeof(int64_t[]){__VA_ARGS__} / 8,                                                                    \
        {                                                                                                              \
            __VA_ARGS__                                                                                                \
        }                                                                                                              \
    }
#define CONV                                                                                                           \
    {                                                                                                                  \
        .conv = { sizeof(tn_conv_attrs), NULL, {1, 2}, {1, 0}, {1, 1}, 2, 0 }                                          \
    }
#define POOL                                                                                                           \
    {                                                                                                                  \
        .pool = { sizeof(tn_pool_attrs), {2, 3}, {2, 2}, {0, 1}, 0, 0 }                                                \
    }

static const sample_row sample_rows[] = {
    {"map", 2, 2, {F(4, 3), F(4, 3), F(4, 3), I(4, 3)}, {.map = {.size = sizeof(tn_map_attrs)}}},
    {"reduce", 2, 1, {F(4, 3), F(4, 3), F(1, 3)}, {.reduce = {sizeof(tn_reduce_attrs), "max", NULL, {4, 3}, 2, 1}}},
    {"matmul", 3, 1, {F(2, 3, 4), F(2, 4, 5), F(2, 3, 5), F(2, 3, 5)}, {.matmul = {.size = sizeof(tn_matmul_attrs)}}},
    {"softmax", 1, 1, {F(2, 5, 3), F(2, 5, 3)}, {0}},
    {"log_softmax", 1, 1, {F(2, 5, 3), F(2, 5, 3)}, {0}},
    {"transpose", 1, 1, {F(2, 3, 4), F(4, 2, 3)}, {.transpose = {sizeof(tn_transpose_attrs), {2, 0, 1}}}},
    {"gather", 2, 1, {F(5, 3), I(4), F(4, 3)}, {0}},
    {"window", 1, 1, {F(5, 3), F(4, 3)}, {.window = {.size = sizeof(tn_window_attrs)}}},
    {"scatter_add", 2, 1, {I(4), F(4, 3), F(5, 3)}, {0}},
    {"slice", 1, 1, {F(7, 5), F(3, 2)}, {.slice = {sizeof(tn_slice_attrs), {5, 1}, {-2, 3}}}},
    {"unslice", 1, 1, {F(3, 2), F(7, 5)}, {.slice = {sizeof(tn_slice_attrs), {5, 1}, {-2, 3}}}},
    {"concat", 2, 1, {F(2, 3, 4), F(2, 5, 4), F(2, 8, 4)}, {0}},
    {"cumsum", 1, 1, {F(2, 5, 3), F(2, 5, 3)}, {.cumsum = {sizeof(tn_cumsum_attrs), 1, 0}}},
    {"topk", 1, 1, {F(2, 5, 3), I(2, 4, 3)}, {.topk = {.size = sizeof(tn_topk_attrs)}}},
    {"searchsorted", 2, 1, {F(3, 5), F(3, 4), I(3, 4)}, {.searchsorted = {.size = sizeof(tn_searchsorted_attrs)}}},
    {"attend",
     4,
     1,
     {F(2, 4, 3, 5), F(2, 2, 6, 5), F(2, 2, 6, 7), F(2, 4, 3, 6), F(192)},
     {.attend = {.size = sizeof(tn_attend_attrs), .causal = 1}}},
    {"attend_grad",
     6,
     1,
     {F(2, 4, 3, 5), F(2, 2, 6, 5), F(2, 2, 6, 7), F(192), F(2, 4, 3, 7), I(2, 4, 3, 6), F(408)},
     {.attend = {.size = sizeof(tn_attend_attrs), .first = 2}}},
    {"layer_norm",
     3,
     1,
     {F(4, 5), F(5), F(5), F(4, 5)},
     {.layer_norm = {.size = sizeof(tn_layer_norm_attrs), .epsilon = 0.01}}},
    {"layer_norm_grad",
     3,
     1,
     {F(4, 5), F(4, 5), F(5), F(30)},
     {.layer_norm = {.size = sizeof(tn_layer_norm_attrs), .epsilon = 0.01}}},
    {"take", 2, 1, {F(2, 5, 3), I(2, 4, 3), F(2, 4, 3)}, {0}},
    {"put", 2, 1, {I(2, 4, 3), F(2, 4, 3), F(2, 5, 3)}, {0}},
    {"conv2d", 3, 1, {F(2, 4, 7, 8), F(6, 2, 3, 2), F(2, 6, 7, 4), F(2, 6, 7, 4)}, CONV},
    {"conv2d_data", 2, 1, {F(2, 6, 7, 4), F(6, 2, 3, 2), F(2, 4, 7, 8)}, CONV},
    {"conv2d_weight", 2, 1, {F(2, 4, 7, 8), F(2, 6, 7, 4), F(6, 2, 3, 2)}, CONV},
    {"maxpool2d", 1, 1, {F(2, 4, 6, 7), F(2, 4, 3, 4)}, POOL},
    {"maxpool2d_grad", 2, 1, {F(2, 4, 6, 7), F(2, 4, 3, 4), F(2, 4, 6, 7)}, POOL},
    {"avgpool2d", 1, 1, {F(2, 4, 6, 7), F(2, 4, 3, 4)}, POOL},
    {"avgpool2d_grad", 1, 1, {F(2, 4, 3, 4), F(2, 4, 6, 7)}, POOL},
};
enum { SAMPLES = sizeof sample_rows / sizeof *sample_rows };

/* Row-major strides. Of a shape that is nonsense they are nonsense, too. */
static inline void sample_dense(tn_tensor_desc *x)
{
    uint64_t stride = 1;
    for (int32_t d = TN_MAX_RANK - 1; d >= 0; d--)
        if (d < x->rank) x->stride[d] = (int64_t)stride, stride *= (uint64_t)x->dim[d];
}

/* map: (a + b, a random number as i32); else the map of a reduce or an epilogue: value 0 plus value 1. */
static inline void sample_map(sample *s)
{
    const int whole_map = !strcmp(s->desc.name, "map");
    s->instr[0] = (tn_map_instr){"add", {0, 1, -1, -1}, TN_F32, 0, 0};
    s->instr[1] = (tn_map_instr){"uniform", {0, 1, -1, -1}, TN_F32, 0, 3};
    s->instr[2] = (tn_map_instr){"iota", {1, -1, -1, -1}, TN_I32, 0, 0};
    s->instr[3] = (tn_map_instr){"where", {3, 4, 4, -1}, TN_I32, 0, 0};
    s->out[0] = 2, s->out[1] = 5;
    s->map =
        (tn_map_attrs){sizeof s->map, s->instr, s->out, whole_map ? 4 : 1, 2, whole_map ? 2 : 1, whole_map ? 2 : 0};
    if (whole_map) s->attrs.map = s->map;
    if (!strcmp(s->desc.name, "reduce")) s->attrs.reduce.map = &s->map;
    if (!strcmp(s->desc.name, "matmul")) s->attrs.matmul.epilogue = &s->map;
    if (!strcmp(s->desc.name, "conv2d")) s->attrs.conv.epilogue = &s->map;
}

static inline void sample_make(sample *s, int which)
{
    const sample_row *row = &sample_rows[which];
    memset(s, 0, sizeof *s);
    memcpy(s->operand, row->operand, sizeof s->operand);
    for (uint32_t i = 0; i < row->n_in + row->n_out; i++) sample_dense(&s->operand[i]);
    s->attrs = row->attrs;
    s->alias[0] = s->alias[1] = -1;
    s->desc = (tn_op_desc){sizeof s->desc, row->name,  s->operand, s->operand + row->n_in,
                           row->n_in,      row->n_out, NULL,       s->alias,
                           NULL,           NULL,       0,          0};
    sample_map(s);
    if (s->attrs.size) s->desc.attrs = &s->attrs;
}

#undef F
#undef I
#undef CONV
#undef POOL

#endif
