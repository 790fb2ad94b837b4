/* tensor.c: the numbers of a tensor in a file, in whichever of its forms: as raw bytes, in a list of their type, or in
 * a file beside the model's, which is mapped. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "half.h"
#include "order.h"
#include "rule.h"

/* Element types: what they are in a graph, and in the file: bits of an element, and whether it has a sign. */
static const struct {
    const char *name;
    int32_t kept;
    uint32_t bits, is_signed;
} types[] = {
    [ONNX_FLOAT] = {"float", TN_F32, 32},
    [ONNX_UINT8] = {"uint8", TN_I32, 8, 0},
    [ONNX_INT8] = {"int8", TN_I32, 8, 1},
    [ONNX_UINT16] = {"uint16", TN_I32, 16, 0},
    [ONNX_INT16] = {"int16", TN_I32, 16, 1},
    [ONNX_INT32] = {"int32", TN_I32, 32, 1},
    [ONNX_INT64] = {"int64", TN_I32, 64, 1},
    [ONNX_STRING] = {"string"},
    [ONNX_BOOL] = {"bool", TN_I32, 8, 0},
    [ONNX_FLOAT16] = {"float16", TN_F32, 16},
    [ONNX_DOUBLE] = {"double", TN_F64, 64},
    [ONNX_UINT32] = {"uint32", TN_I32, 32, 0},
    [ONNX_UINT64] = {"uint64", TN_I32, 64, 0},
    [14] = {"complex64"},
    [15] = {"complex128"},
    [ONNX_BFLOAT16] = {"bfloat16", TN_F32, 16},
    [ONNX_FLOAT8E4M3FN] = {"float8e4m3fn", TN_F32, 8},
    [ONNX_FLOAT8E4M3FNUZ] = {"float8e4m3fnuz", TN_F32, 8},
    [ONNX_FLOAT8E5M2] = {"float8e5m2", TN_F32, 8},
    [ONNX_FLOAT8E5M2FNUZ] = {"float8e5m2fnuz", TN_F32, 8},
    [ONNX_UINT4] = {"uint4", TN_I32, 4, 0},
    [ONNX_INT4] = {"int4", TN_I32, 4, 1},
    [ONNX_FLOAT4E2M1] = {"float4e2m1", TN_F32, 4},
    [ONNX_FLOAT8E8M0] = {"float8e8m0", TN_F32, 8},
    [ONNX_UINT2] = {"uint2", TN_I32, 2, 0},
    [ONNX_INT2] = {"int2", TN_I32, 2, 1},
};

enum { TYPES = sizeof types / sizeof *types };

int32_t onnx_kept_type(int32_t type)
{
    return type > 0 && type < TYPES ? types[type].kept : 0;
}

int onnx_is_real(int32_t type)
{
    return onnx_kept_type(type) == TN_F32 || onnx_kept_type(type) == TN_F64;
}

const char *onnx_type_name(int32_t type)
{
    return type > 0 && type < TYPES && types[type].name ? types[type].name : "?";
}

uint32_t onnx_type_bits(int32_t type)
{
    return type > 0 && type < TYPES ? types[type].bits : 0;
}

int onnx_is_whole(int32_t type)
{
    return onnx_kept_type(type) == TN_I32;
}

void onnx_range(int32_t type, double *least, double *most)
{
    uint32_t bits = type == ONNX_BOOL ? 1 : types[type].bits;
    if (bits > 32) bits = 32;
    *least = types[type].is_signed || bits == 32 ? -(double)(1u << (bits - 1)) : 0;
    *most = *least + (double)(1ull << bits) - 1;
}

/* ---- where the bytes are ---- */

typedef struct source {
    const unsigned char *data;
    uint64_t bytes;
    const char *path; /* of the file beside the model's, else NULL */
} source;

static tn_status map_file(tn_onnx *model, const char *name, onnx_mapped *out)
{
    TN_REQUIRE(model->folder, TN_EFORMAT, "weights in '%s', beside a network that came as text", name);
    TN_REQUIRE(*name != '/' && !strstr(name, ".."), TN_EFORMAT, "weights in '%s', which is not beside the model", name);
    out->path = tn_region_print(&model->weights, "%s%s", model->folder, name);
    if (!out->path) return TN_ENOMEM;
    TN_TRY(tn_map(out->path, &out->file));
    out->name = name;
    return TN_OK;
}

static tn_status find_file(tn_onnx *model, const char *name, const onnx_mapped **out)
{
    for (uint32_t i = 0; i < model->files; i++)
        if (!strcmp(model->mapped[i].name, name)) return *out = &model->mapped[i], TN_OK;
    TN_TRY(tn_grow(&model->mapped, &model->file_capacity, model->files + 1, sizeof *model->mapped));
    TN_TRY(map_file(model, name, &model->mapped[model->files]));
    *out = &model->mapped[model->files++];
    return TN_OK;
}

static const char *entry(const onnx_proto *t, const char *key, const char *otherwise)
{
    for (size_t i = 0; i < t->n_external_data; i++)
        if (t->external_data[i]->key && t->external_data[i]->value && !strcmp(t->external_data[i]->key, key))
            return t->external_data[i]->value;
    return otherwise;
}

static tn_status external(tn_onnx *model, const onnx_proto *t, source *out)
{
    const onnx_mapped *beside = NULL;
    const char *name = entry(t, "location", NULL);
    TN_REQUIRE(name && *name, TN_EFORMAT, "the weights of '%s' lie in a file without a name", t->name ? t->name : "");
    TN_TRY(find_file(model, name, &beside));
    const tn_mapping *file = beside->file;
    const char *length = entry(t, "length", NULL);
    const uint64_t offset = strtoull(entry(t, "offset", "0"), NULL, 10);
    TN_TRY(tn_mapping_check(file));
    const uint64_t bytes = offset <= file->bytes ? file->bytes - offset : 0;
    const uint64_t wanted = length ? strtoull(length, NULL, 10) : bytes;
    TN_REQUIRE(offset <= file->bytes && wanted <= bytes, TN_EFORMAT, "%s is too short for '%s'", beside->path,
               t->name ? t->name : "");
    *out = (source){file->data + offset, wanted, beside->path};
    return TN_OK;
}

/* The bytes, where there are such and the file is still as it was; else data is NULL. */
static tn_status find_bytes(tn_onnx *model, const onnx_proto *t, source *out)
{
    *out = (source){0};
    if (t->has_data_location && t->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL)
        return external(model, t, out);
    if (!t->has_raw_data) return TN_OK;
    *out = (source){t->raw_data.data, t->raw_data.len, NULL};
    return tn_mapping_check(model->file);
}

/* All that are there are mapped first; what is not is an error later. */
int tn_onnx_file_at(tn_onnx *model, size_t index, const char **path)
{
    source none;
    if (!model || !path) return 0;
    const onnx_graph_proto *graph = model->proto->graph;
    for (size_t i = 0; i < graph->n_initializer; i++) (void)!find_bytes(model, graph->initializer[i], &none);
    if (index >= model->files) return 0;
    *path = model->mapped[index].path;
    return 1;
}

tn_status onnx_tensor_shape(const onnx_proto *t, tn_shape *shape)
{
    TN_REQUIRE(t->n_dims <= TN_MAX_RANK, TN_EUNSUPPORTED, "a tensor of %zu dimensions", t->n_dims);
    *shape = (tn_shape){.rank = (int32_t)t->n_dims};
    for (size_t d = 0; d < t->n_dims; d++) shape->dim[d] = t->dims[d];
    return tn_shape_check(shape);
}

int onnx_tensor_is_there(const onnx_proto *t)
{
    tn_shape shape;
    if (onnx_tensor_shape(t, &shape)) return 0;
    return !tn_shape_count(&shape) || t->has_raw_data || t->n_float_data || t->n_double_data || t->n_int32_data ||
           t->n_int64_data || t->n_uint64_data ||
           (t->has_data_location && t->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL);
}

tn_status onnx_tensor_bytes(tn_onnx *model, const onnx_proto *t, const unsigned char **data, uint64_t *bytes)
{
    source from;
    TN_TRY(find_bytes(model, t, &from));
    *data = from.data;
    *bytes = from.bytes;
    return TN_OK;
}

/* A tensor that has fewer of its bytes or numbers than it should. */
static tn_status too_few(const onnx_proto *t, const char *path, uint64_t there, uint64_t all, const char *what)
{
    return tn_fail(TN_EFORMAT, "%s%stensor '%s' has %" PRIu64 " of %" PRIu64 " %s", path ? path : "", path ? ": " : "",
                   t->name ? t->name : "", there, all, what);
}

/* ---- whole numbers ---- */

/* Element i of a list of bytes, each of whose elements has so many bits. */
static int64_t bits_at(const unsigned char *data, int32_t type, uint64_t i)
{
    const uint32_t bits = types[type].bits;
    uint64_t x = 0;
    if (bits < 8)
        x = (uint64_t)data[i * bits / 8] >> (i * bits % 8) & ((1u << bits) - 1);
    else
        x = tn_bytes_get(data + i * (bits / 8), bits / 8, 0);
    const uint64_t sign = types[type].is_signed && bits < 64 ? 1ull << (bits - 1) : 0;
    return (int64_t)((x ^ sign) - sign);
}

typedef struct whole {
    const onnx_proto *t;
    source raw;
    uint64_t count;
    tn_look window; /* on the raw bytes, of which all that an element has is in it or nothing */
} whole;

static int64_t listed_at(const onnx_proto *t, uint64_t i)
{
    const uint32_t bits = types[t->data_type].bits, per = bits < 8 ? 8 / bits : 1;
    if (t->data_type == ONNX_INT64) return t->int64_data[i];
    if (t->data_type == ONNX_UINT64 || t->data_type == ONNX_UINT32) return (int64_t)t->uint64_data[i];
    if (per == 1) return t->int32_data[i];
    const unsigned char byte = (unsigned char)t->int32_data[i / per];
    return bits_at(&byte, t->data_type, i % per);
}

static tn_status whole_at(whole *w, uint64_t i, int64_t *x)
{
    const unsigned char *byte;
    uint64_t count;
    const uint32_t bits = types[w->t->data_type].bits, per = bits < 8 ? 8 / bits : 1;
    if (!w->raw.data) return *x = listed_at(w->t, i), TN_OK;
    TN_TRY(tn_look_at(&w->window, i * bits / 8, &byte, &count));
    *x = bits_at(byte, w->t->data_type, i % per);
    return TN_OK;
}

static tn_status find_whole(tn_onnx *model, const onnx_proto *t, uint64_t count, whole *w)
{
    *w = (whole){.t = t, .count = count};
    TN_TRY(find_bytes(model, t, &w->raw));
    w->window.data = w->raw.data, w->window.bytes = w->raw.bytes;
    const uint32_t bits = types[t->data_type].bits, per = bits < 8 ? 8 / bits : 1;
    uint64_t there = w->raw.data                                                  ? w->raw.bytes * 8 / bits
                     : t->data_type == ONNX_INT64                                 ? t->n_int64_data
                     : t->data_type == ONNX_UINT64 || t->data_type == ONNX_UINT32 ? t->n_uint64_data
                                                                                  : t->n_int32_data * per;
    return there >= count ? TN_OK : too_few(t, w->raw.path, there, count, "numbers");
}

static tn_status as_i32(tn_onnx *model, const onnx_proto *t, uint64_t count, tn_region *region, const void **data)
{
    whole w;
    TN_TRY(find_whole(model, t, count, &w));
    int32_t *to = tn_region_alloc(region, count * sizeof *to + 1);
    if (!to) return TN_ENOMEM;
    for (uint64_t i = 0; i < count; i++) {
        int64_t x;
        TN_TRY(whole_at(&w, i, &x));
        if (t->data_type == ONNX_UINT32) x = (int32_t)(uint32_t)x;
        if (x == INT64_MAX || x == INT64_MIN) x = x > 0 ? INT32_MAX : INT32_MIN;
        TN_REQUIRE(x >= INT32_MIN && x <= INT32_MAX, TN_EUNSUPPORTED, "the %s %" PRId64 " is beyond i32",
                   onnx_type_name(t->data_type), x);
        to[i] = (int32_t)x;
    }
    *data = to;
    return TN_OK;
}

int64_t onnx_tensor_ints(tn_onnx *model, const onnx_proto *t, int64_t value[], int64_t capacity)
{
    tn_shape shape;
    whole w;
    if (!onnx_is_whole(t->data_type) || onnx_tensor_shape(t, &shape)) return -1;
    int64_t count = tn_shape_count(&shape);
    if (find_whole(model, t, (uint64_t)count, &w)) return -1;
    for (int64_t i = 0; i < count && i < capacity; i++)
        if (whole_at(&w, (uint64_t)i, &value[i])) return -1;
    return count;
}

/* ---- floating point ---- */

static tn_status check_bytes(const onnx_proto *t, source raw, uint64_t count)
{
    const uint64_t bytes = count * (types[t->data_type].bits / 8);
    return raw.bytes >= bytes ? TN_OK : too_few(t, raw.path, raw.bytes, bytes, "bytes");
}

static tn_status check_listed(const onnx_proto *t, uint64_t count)
{
    const int is_half = types[t->data_type].bits == 16;
    uint64_t there = is_half ? t->n_int32_data : t->data_type == ONNX_FLOAT ? t->n_float_data : t->n_double_data;
    return there >= count ? TN_OK : too_few(t, NULL, there, count, "numbers");
}

tn_status onnx_tensor_check(tn_onnx *model, const onnx_proto *t)
{
    source raw;
    tn_shape shape;
    whole w;
    if (!onnx_kept_type(t->data_type) || onnx_tensor_shape(t, &shape) || !onnx_tensor_is_there(t)) return TN_OK;
    const uint64_t count = (uint64_t)tn_shape_count(&shape);
    if (!count) return TN_OK;
    if (onnx_is_whole(t->data_type) || onnx_is_small(t->data_type)) return find_whole(model, t, count, &w);
    TN_TRY(find_bytes(model, t, &raw));
    return raw.data ? check_bytes(t, raw, count) : check_listed(t, count);
}

/* By their codes. */
static tn_status as_small(tn_onnx *model, const onnx_proto *t, uint64_t count, tn_region *region, const void **data)
{
    whole w;
    TN_TRY(find_whole(model, t, count, &w));
    float *to = tn_region_alloc(region, count * sizeof *to + 1);
    if (!to) return TN_ENOMEM;
    for (uint64_t i = 0; i < count; i++) {
        int64_t code;
        TN_TRY(whole_at(&w, i, &code));
        to[i] = (float)onnx_small_number(t->data_type, (uint32_t)code & 255);
    }
    *data = to;
    return TN_OK;
}

static tn_status as_listed(const onnx_proto *t, uint64_t count, tn_region *region, const void **data)
{
    const int is_half = types[t->data_type].bits == 16;
    TN_TRY(check_listed(t, count));
    *data = t->data_type == ONNX_FLOAT ? (const void *)t->float_data : t->double_data;
    if (!is_half) return TN_OK;
    uint16_t *to = tn_region_alloc(region, count * sizeof *to + 1);
    for (uint64_t i = 0; to && i < count; i++) to[i] = (uint16_t)t->int32_data[i];
    *data = to;
    return to ? TN_OK : TN_ENOMEM;
}

/* As they lie in the file, and elsewhere where the machine has its bytes otherwise. */
static tn_status as_in_file(const onnx_proto *t, const unsigned char *raw, uint64_t count, tn_region *region,
                            const void **data)
{
    const size_t size = types[t->data_type].bits / 8;
    *data = raw;
    if (!TN_MACHINE_IS_BIG) return TN_OK;
    void *to = tn_region_alloc(region, count * size + 1);
    if (!to) return TN_ENOMEM;
    TN_TRY(tn_mapped_read(raw, count * size, to));
    tn_bytes_as_in_file(to, size, count);
    *data = to;
    return TN_OK;
}

/* As it lies in the file, where there is such a type; bytes that are listed are i32 there, too. */
static int32_t stored_type(int32_t type, int is_raw)
{
    static const struct {
        int32_t type, dtype;
        int listed;
    } kinds[] = {{ONNX_FLOAT16, TN_F16, 1}, {ONNX_BFLOAT16, TN_BF16, 1}, {ONNX_UINT8, TN_U8, 0}, {ONNX_INT8, TN_I8, 0}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].type == type && (is_raw || kinds[i].listed)) return kinds[i].dtype;
    return onnx_kept_type(type);
}

tn_status onnx_tensor_data(tn_onnx *model, const onnx_proto *t, tn_region *region, tn_shape *shape, int32_t *dtype,
                           const void **data)
{
    source raw;
    TN_REQUIRE(onnx_kept_type(t->data_type), TN_EUNSUPPORTED, "a tensor of type %s", onnx_type_name(t->data_type));
    TN_TRY(onnx_tensor_shape(t, shape));
    const uint64_t count = (uint64_t)tn_shape_count(shape);
    TN_TRY(find_bytes(model, t, &raw));
    *dtype = stored_type(t->data_type, raw.data != NULL);
    if (*dtype == TN_I32) return as_i32(model, t, count, region, data);
    if (onnx_is_small(t->data_type)) return as_small(model, t, count, region, data);
    *data = "";
    if (!count) return TN_OK;
    if (!raw.data) return as_listed(t, count, region, data);
    TN_TRY(check_bytes(t, raw, count));
    return as_in_file(t, raw.data, count, region, data);
}
