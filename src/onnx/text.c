/* text.c: a network without the numbers of its weights, as text: ONNX's own form in base64. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "given.h"
#include "rule.h"

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* ---- what stays ---- */

/* A copy in the model's memory of such texts and lists as are changed; the rest is shared. */
#define COPY(region, from) onnx_copy(region, from, sizeof *(from))

static void *onnx_copy(tn_region *region, const void *from, size_t bytes)
{
    void *to = tn_region_alloc(region, bytes + 1);
    return to && bytes ? memcpy(to, from, bytes) : to; /* an empty list may be NULL */
}

static void drop_numbers(onnx_proto *t)
{
    t->n_float_data = t->n_double_data = t->n_int32_data = t->n_int64_data = t->n_uint64_data = 0;
    t->n_external_data = 0;
    t->has_data_location = t->has_raw_data = 0;
    t->raw_data = (ProtobufCBinaryData){0};
}

/* Of a weight, name and shape are left; what lies beside the file comes into it. */
static tn_status bare(tn_onnx *model, uint32_t i, const onnx_end *end, int64_t outputs, tn_region *region,
                      onnx_proto **out)
{
    onnx_proto *t = *out = COPY(region, model->proto->graph->initializer[i]);
    const onnx_proto *from = model->proto->graph->initializer[i];
    const unsigned char role = model->role[i];
    const unsigned char *data = NULL;
    uint64_t bytes = 0;
    tn_shape shape;
    if (!t) return TN_ENOMEM;
    if (role & (ONNX_WEIGHT | ONNX_STATISTIC) && !(role & ONNX_NUMBERS)) {
        drop_numbers(t);
        if (!outputs || !onnx_resized(end, from, outputs, &shape)) return TN_OK;
        t->dims = onnx_copy(region, shape.dim, (size_t)shape.rank * sizeof *shape.dim);
        return t->dims ? TN_OK : TN_ENOMEM;
    }
    TN_TRY(onnx_tensor_bytes(model, from, &data, &bytes));
    if (!from->has_data_location || !data) return TN_OK;
    drop_numbers(t);
    TN_TRY(onnx_tensor_shape(from, &shape));
    const uint64_t used = ((uint64_t)tn_shape_count(&shape) * onnx_type_bits(from->data_type) + 7) / 8;
    TN_REQUIRE(used <= bytes, TN_EFORMAT, "the file beside the model is too short for '%s'", from->name);
    t->has_raw_data = 1;
    t->raw_data = (ProtobufCBinaryData){(size_t)used, (uint8_t *)(uintptr_t)data};
    return TN_OK;
}

/* Notes of an exporter on each node, which are longer than the network. */
static tn_status bare_nodes(onnx_graph_proto *graph, tn_region *region)
{
    graph->node = onnx_copy(region, graph->node, graph->n_node * sizeof(onnx_node_proto *));
    if (!graph->node) return TN_ENOMEM;
    for (size_t i = 0; i < graph->n_node; i++) {
        onnx_node_proto *node = graph->node[i] = COPY(region, graph->node[i]);
        if (!node) return TN_ENOMEM;
        node->base.n_unknown_fields = 0;
        node->doc_string = (char *)(uintptr_t)protobuf_c_empty_string;
    }
    return TN_OK;
}

/* Output 0 with a shape that is not said, since the last layer has another. */
static tn_status bare_output(onnx_graph_proto *graph, tn_region *region)
{
    graph->output = onnx_copy(region, graph->output, graph->n_output * sizeof *graph->output);
    Onnx__ValueInfoProto *value = graph->output ? COPY(region, graph->output[0]) : NULL;
    if (!value) return TN_ENOMEM;
    graph->output[0] = value;
    if (!value->type || value->type->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE) return TN_OK;
    value->type = COPY(region, value->type);
    if (value->type) value->type->tensor_type = COPY(region, value->type->tensor_type);
    if (!value->type || !value->type->tensor_type) return TN_ENOMEM;
    value->type->tensor_type->shape = NULL;
    return TN_OK;
}

static tn_status bare_graph(tn_onnx *model, int64_t outputs, tn_region *region, onnx_graph_proto *graph)
{
    const onnx_end end = onnx_find_end(model);
    *graph = *model->proto->graph;
    graph->n_value_info = graph->base.n_unknown_fields = 0;
    graph->initializer = tn_region_alloc(region, (graph->n_initializer + 1) * sizeof *graph->initializer);
    if (!graph->initializer) return TN_ENOMEM;
    for (uint32_t i = 0; i < graph->n_initializer; i++)
        TN_TRY(bare(model, i, &end, outputs, region, &graph->initializer[i]));
    TN_TRY(bare_nodes(graph, region));
    return outputs && graph->n_output ? bare_output(graph, region) : TN_OK;
}

/* ---- letters ---- */

static char *encode(const unsigned char *data, size_t bytes)
{
    char *text = tn_alloc((bytes + 2) / 3 * 4 + 1), *to = text;
    for (size_t i = 0; text && i < bytes; i += 3) {
        uint32_t three = 0;
        for (size_t k = 0; k < 3; k++) three = three << 8 | (i + k < bytes ? data[i + k] : 0);
        for (size_t k = 0; k < 4; k++) *to++ = i + k <= bytes ? letters[three >> (18 - 6 * k) & 63] : '=';
    }
    return text;
}

static tn_status decode(const char *text, unsigned char **data, uint64_t *bytes)
{
    const size_t length = strlen(text);
    unsigned char *to = *data = tn_alloc(length / 4 * 3 + 1);
    uint32_t held = 0, bits = 0;
    if (!to) return TN_ENOMEM;
    for (const char *c = text; *c && *c != '='; c++) {
        const char *at = strchr(letters, *c);
        TN_REQUIRE(at, TN_EFORMAT, "a network as text has '%c' in it", *c >= ' ' && *c < 127 ? *c : '?');
        held = held << 6 | (uint32_t)(at - letters);
        bits += 6;
        if (bits < 8 || (size_t)(to - *data) >= length / 4 * 3) continue;
        bits -= 8;
        *to++ = (unsigned char)(held >> bits);
    }
    *bytes = (uint64_t)(to - *data);
    return TN_OK;
}

/* ---- the room for what is found in what is fed ---- */

static const char room_key[] = "tenon.most";

/* It goes into the network's notes, in place of those that the file has. */
static tn_status add_room(int64_t most, tn_region *region, Onnx__ModelProto *proto)
{
    char number[24];
    proto->n_metadata_props = 0;
    if (!most) return TN_OK;
    snprintf(number, sizeof number, "%lld", (long long)most);
    Onnx__StringStringEntryProto **list = tn_region_alloc(region, sizeof *list);
    Onnx__StringStringEntryProto *note = list ? tn_region_alloc(region, sizeof *note) : NULL;
    if (!note) return TN_ENOMEM;
    onnx__string_string_entry_proto__init(note);
    note->key = (char *)(uintptr_t)room_key;
    note->value = onnx_copy(region, number, sizeof number);
    list[0] = note;
    proto->metadata_props = list, proto->n_metadata_props = 1;
    return note->value ? TN_OK : TN_ENOMEM;
}

static int64_t noted_room(const Onnx__ModelProto *proto)
{
    for (size_t i = 0; i < proto->n_metadata_props; i++) {
        const Onnx__StringStringEntryProto *note = proto->metadata_props[i];
        if (!note->key || !note->value || strcmp(note->key, room_key) != 0) continue;
        const long long most = strtoll(note->value, NULL, 10);
        return most > 0 && most <= INT32_MAX ? most : 0;
    }
    return 0;
}

/* ---- the interface ---- */

static tn_status pack(const Onnx__ModelProto *proto, char **text)
{
    const size_t bytes = onnx__model_proto__get_packed_size(proto);
    unsigned char *data = tn_alloc(bytes + 1);
    if (!data) return TN_ENOMEM;
    onnx__model_proto__pack(proto, data);
    *text = encode(data, bytes);
    tn_free(data);
    return *text ? TN_OK : TN_ENOMEM;
}

tn_status tn_onnx_text(tn_onnx *model, const tn_onnx_options *options, const char **text)
{
    TN_GIVEN(model, text);
    tn_region region = {0};
    onnx_graph_proto graph;
    Onnx__ModelProto proto = *model->proto;
    char *made = NULL;
    TN_TRY(tn_mapping_check(model->file));
    tn_status s = bare_graph(model, options ? options->outputs : 0, &region, &graph);
    proto.graph = &graph;
    if (!s) s = add_room(options && options->most ? options->most : model->most, &region, &proto);
    if (!s) s = pack(&proto, &made);
    tn_region_free(&region);
    if (s) return s;
    tn_free(model->text);
    *text = model->text = made;
    return TN_OK;
}

tn_status tn_onnx_of_text(const char *text, tn_onnx **out)
{
    TN_GIVEN_AS("text, model", text, out);
    unsigned char *data = NULL;
    tn_onnx *model = tn_alloc(sizeof *model);
    if (!model) return TN_ENOMEM;
    tn_status s = decode(text, &data, &model->bytes);
    model->data = data;
    if (!s) s = onnx_unpack(model);
    if (!s) model->most = noted_room(model->proto);
    if (s)
        tn_onnx_free(model);
    else
        *out = model;
    return s;
}
