/* save_file.c: the model as a file. All of it but the numbers of weights is packed by protobuf-c; these go from where
 * they are straight to the file, those of a state a block at a time, so that no weight is in memory once more. A
 * message may be written as the parts of it one after the other: the graph comes last, and its initializers last of it.
 */
#include <string.h>

#include "file.h"
#include "order.h"
#include "save.h"
#include "utf8.h"

enum { LARGE = 1024 };    /* bytes of a weight that goes beside the file, if one does */
enum { BLOCK = 1 << 20 }; /* bytes of a weight that are in memory at once */
enum { TENSOR_RAW = 9, GRAPH_INITIALIZER = 5, MODEL_GRAPH = 7 }; /* fields */

/* ---- parts of messages ---- */

/* A number as the format has it, 7 bits in a byte; returns how many bytes that are. */
static uint32_t put_varint(unsigned char at[10], uint64_t x)
{
    uint32_t bytes = 0;
    do at[bytes++] = (unsigned char)((x & 127) | (x > 127 ? 128 : 0));
    while (x >>= 7);
    return bytes;
}

/* The bytes of a field of so many, with its number and length. */
static uint64_t part_bytes(uint64_t content)
{
    unsigned char length[10];
    return 1 + put_varint(length, content) + content;
}

static tn_status begin_part(uint32_t field, uint64_t content, tn_file *file)
{
    unsigned char head[11] = {(unsigned char)(field << 3 | 2)};
    return tn_file_write(file, head, 1 + put_varint(head + 1, content));
}

static tn_status write_message(const ProtobufCMessage *message, tn_file *file)
{
    const size_t bytes = protobuf_c_message_get_packed_size(message);
    unsigned char *packed = tn_alloc(bytes + 1);
    if (!packed) return TN_ENOMEM;
    protobuf_c_message_pack(message, packed);
    tn_status status = tn_file_write(file, packed, bytes);
    tn_free(packed);
    return status;
}

/* ---- weights ---- */

tn_status export_write_numbers(const export_saver *s, const export_weight *w, tn_file *file)
{
    if (!w->variable) return tn_file_write(file, w->data, w->bytes);
    unsigned char *block = tn_alloc(BLOCK);
    tn_status status = block ? TN_OK : TN_ENOMEM;
    for (uint64_t at = 0; at < w->bytes && !status; at += BLOCK) {
        const uint64_t bytes = w->bytes - at < BLOCK ? w->bytes - at : BLOCK;
        status = tn_state_read_part(s->state, w->variable, at, block, bytes);
        if (!status) tn_bytes_as_in_file(block, w->size, bytes / w->size);
        if (!status) status = tn_file_write(file, block, bytes);
    }
    tn_free(block);
    return status;
}

static int is_beside(const export_weight *w)
{
    return w->proto->has_data_location;
}

static uint64_t weight_bytes(const export_weight *w)
{
    return onnx__tensor_proto__get_packed_size(w->proto) + (is_beside(w) ? 0 : part_bytes(w->bytes));
}

static tn_status write_weight(const export_saver *s, const export_weight *w, tn_file *file)
{
    TN_TRY(begin_part(GRAPH_INITIALIZER, weight_bytes(w), file));
    TN_TRY(write_message(&w->proto->base, file));
    if (is_beside(w)) return TN_OK;
    TN_TRY(begin_part(TENSOR_RAW, w->bytes, file));
    return export_write_numbers(s, w, file);
}

/* ---- the model ---- */

static uint64_t graph_bytes(const export_saver *s, const Onnx__GraphProto *graph)
{
    uint64_t bytes = onnx__graph_proto__get_packed_size(graph);
    for (uint32_t i = 0; i < s->initializer.count; i++) bytes += part_bytes(weight_bytes(s->initializer.item[i]));
    return bytes;
}

static uint64_t model_bytes(const export_saver *s, const Onnx__ModelProto *model, const Onnx__GraphProto *graph)
{
    return onnx__model_proto__get_packed_size(model) + part_bytes(graph_bytes(s, graph));
}

static tn_status write_all(const export_saver *s, const Onnx__ModelProto *model, const Onnx__GraphProto *graph,
                           tn_file *file)
{
    TN_TRY(write_message(&model->base, file));
    TN_TRY(begin_part(MODEL_GRAPH, graph_bytes(s, graph), file));
    TN_TRY(write_message(&graph->base, file));
    for (uint32_t i = 0; i < s->initializer.count; i++) TN_TRY(write_weight(s, s->initializer.item[i], file));
    return TN_OK;
}

static tn_status begin_model(const export_saver *s, const Onnx__ModelProto *model, const Onnx__GraphProto *graph,
                             const char *path, tn_file *file)
{
    const uint64_t bytes = model_bytes(s, model, graph);
    TN_REQUIRE(!(bytes >> 31), TN_EUNSUPPORTED, "%s: %llu bytes beside its weights; an ONNX file has less than 2^31",
               path, (unsigned long long)bytes);
    return tn_file_begin(path, file);
}

/* What one file can't hold goes beside it, and so does what the options say. Neither file takes its place before both
 * are written: those that were there belong to each other. */
static tn_status write_model(export_saver *s, const Onnx__ModelProto *model, const Onnx__GraphProto *graph,
                             const char *path, uint64_t external)
{
    tn_file file, data;
    if (!external && model_bytes(s, model, graph) >> 31) external = LARGE;
    if (external) TN_TRY(export_move_data(s, path, external, &data));
    tn_status status = begin_model(s, model, graph, path, &file);
    const int has_begun = !status;
    if (!status) status = write_all(s, model, graph, &file);
    if (!status) status = tn_file_sync(&file);
    if (external) status = tn_file_end(&data, status);
    return has_begun ? tn_file_end(&file, status) : status;
}

static void add_notes(export_saver *s, Onnx__ModelProto *model, const tn_onnx_save_options *options)
{
    const size_t count = options ? (size_t)options->n_notes : 0;
    model->metadata_props = tn_region_alloc(&s->region, (count + 1) * sizeof *model->metadata_props);
    if (!s->status && !model->metadata_props) s->status = TN_ENOMEM;
    for (size_t i = 0; i < count && !s->status; i++) {
        const tn_note *note = &options->notes[i];
        if (!note->key || !note->value || !tn_is_utf8(note->key) || !tn_is_utf8(note->value))
            s->status = tn_fail(TN_EINVAL, "note %zu: its name or text is missing, or not UTF-8", i);
        else if (!(model->metadata_props[i] = export_pair(s, note->key, note->value)))
            s->status = TN_ENOMEM;
    }
    model->n_metadata_props = count;
}

/* The version of the format that came with the opset. */
static int64_t format_of(int64_t opset)
{
    return opset < 19 ? 8 : opset < 21 ? 9 : opset < 23 ? 10 : 11;
}

tn_status export_write(export_saver *s, const char *path, const tn_onnx_save_options *options)
{
    Onnx__ModelProto model = ONNX__MODEL_PROTO__INIT;
    Onnx__GraphProto graph = ONNX__GRAPH_PROTO__INIT;
    Onnx__OperatorSetIdProto opset = ONNX__OPERATOR_SET_ID_PROTO__INIT, *opsets = &opset;
    opset.domain = "", opset.has_version = 1, opset.version = s->opset;
    graph.name = (char *)(uintptr_t)(options && options->name ? options->name : "tenon");
    graph.node = (Onnx__NodeProto **)s->node.item, graph.n_node = s->node.count;
    graph.input = (Onnx__ValueInfoProto **)s->input.item, graph.n_input = s->input.count;
    graph.output = (Onnx__ValueInfoProto **)s->output.item, graph.n_output = s->output.count;
    model.has_ir_version = 1, model.ir_version = format_of(s->opset);
    model.n_opset_import = 1, model.opset_import = &opsets;
    model.producer_name = "tenon", model.producer_version = (char *)(uintptr_t)tn_version();
    add_notes(s, &model, options);
    return s->status ? s->status : write_model(s, &model, &graph, path, options ? options->external : 0);
}
