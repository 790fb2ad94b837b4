/* graph_write.c: tn_graph_save. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "file.h"
#include "given.h"
#include "graph.h"
#include "leaf.h"
#include "json.h"
#include "order.h"
#include "store.h"
#include "utf8.h"

/* ---- attributes ---- */

static void write_real(tn_json *json, double x)
{
    if (isfinite(x))
        tn_json_add(json, "%.17g", x);
    else
        tn_json_add(json, "\"%s\"", isnan(x) ? "nan" : x > 0 ? "inf" : "-inf");
}

static void write_shape(tn_json *json, const tn_shape *shape)
{
    tn_json_add(json, "[");
    for (int32_t d = 0; d < shape->rank; d++) tn_json_add(json, "%s%" PRId64, d ? ", " : "", shape->dim[d]);
    tn_json_add(json, "]");
}

static tn_status write_whole(tn_json *json, int64_t x)
{
    TN_REQUIRE(x >= -TN_MOST_WHOLE && x <= TN_MOST_WHOLE, TN_EUNSUPPORTED, "%" PRId64 " is beyond 2^53", x);
    tn_json_add(json, "%" PRId64, x);
    return TN_OK;
}

static tn_status write_element(tn_json *json, const tn_field *field, const void *attrs, uint32_t i)
{
    const void *at = (const char *)attrs + field->offset;
    if (field->type == TN_FIELD_F64)
        write_real(json, ((const double *)at)[i]);
    else if (field->holds == TN_HOLDS_DTYPE)
        tn_json_string(json, tn_dtype_name((int32_t)tn_field_whole(field, attrs, i)));
    else if (field->holds == TN_HOLDS_WORD)
        tn_json_string(json, field->words[tn_field_whole(field, attrs, i)]);
    else
        return write_whole(json, tn_field_whole(field, attrs, i));
    return TN_OK;
}

/* A constant's bytes, each number's lowest first, as hexadecimal digits: the first of a byte is the higher. */
static tn_status write_data(tn_json *json, const tn_tensor *x)
{
    static const char digit[] = "0123456789abcdef";
    const tn_constant_attrs *at = x->attrs;
    const uint64_t size = tn_dtype_size(at->dtype), bytes = (uint64_t)tn_shape_count(&x->type.shape) * size;
    TN_TRY(tn_constant_check(x));
    char *text = tn_alloc(2 * bytes + 1);
    if (!text) return TN_ENOMEM;
    for (uint64_t i = 0; i < bytes; i++) {
        const uint64_t byte = tn_bytes_own((const char *)at->data + i / size * size, size) >> 8 * (i % size);
        text[2 * i] = digit[byte >> 4 & 15], text[2 * i + 1] = digit[byte & 15];
    }
    tn_json_string(json, text);
    tn_free(text);
    return TN_OK;
}

static tn_status write_field(tn_json *json, const tn_field *field, const tn_tensor *x)
{
    const uint32_t n = tn_field_length(field, x->attrs, x->type.shape.rank);
    if (field->holds == TN_HOLDS_SHAPE) {
        write_shape(json, (const tn_shape *)((const char *)x->attrs + field->offset));
        return TN_OK;
    }
    if (field->holds == TN_HOLDS_DATA) return write_data(json, x);
    if (field->count > 1) tn_json_add(json, "[");
    for (uint32_t i = 0; i < n; i++) {
        if (i) tn_json_add(json, ", ");
        TN_TRY(write_element(json, field, x->attrs, i));
    }
    if (field->count > 1) tn_json_add(json, "]");
    return TN_OK;
}

static tn_status write_attrs(tn_json *json, const tn_tensor *x)
{
    const char *before = ", \"attrs\": {";
    for (const tn_field *field = x->op->fields; field && field->name; field++) {
        if (tn_field_is_zero(field, x->attrs)) continue;
        tn_json_add(json, "%s\"%s\": ", before, field->name);
        tn_status s = write_field(json, field, x);
        if (s) return tn_fail(s, "tensor %u (%s): %s: %s", x->id, x->op->name, field->name, tn_message());
        before = ", ";
    }
    tn_json_add(json, "%s", *before == ',' && before[2] ? "" : "}");
    return TN_OK;
}

/* ---- the graph ---- */

static tn_status write_name(tn_json *json, const char *key, const char *name)
{
    TN_REQUIRE(tn_is_utf8(name), TN_EINVAL, "'%s': a name that is not UTF-8 cannot be saved", name);
    tn_json_add(json, "\"%s\": ", key);
    tn_json_string(json, name);
    return TN_OK;
}

static tn_status write_tensor(tn_json *json, const tn_tensor *x)
{
    tn_json_add(json, "%s\n{\"id\": %u, \"op\": \"%s\", ", x->id ? "," : "", x->id, x->op->name);
    if (x->name) {
        TN_TRY(write_name(json, "name", x->name));
        tn_json_add(json, ", ");
    }
    for (uint32_t i = 0; i < x->n_in; i++) tn_json_add(json, "%s%u", i ? ", " : "\"in\": [", x->in[i]->id);
    tn_json_add(json, "%s\"dtype\": \"%s\", \"shape\": ", x->n_in ? "], " : "", tn_dtype_name(x->type.dtype));
    write_shape(json, &x->type.shape);
    TN_TRY(write_attrs(json, x));
    tn_json_add(json, "}");
    return json->status;
}

static tn_status write_sink(tn_json *json, const tn_sink *sink, int is_first)
{
    tn_json_add(json, "%s\n{", is_first ? "" : ",");
    if (sink->name)
        TN_TRY(write_name(json, "output", sink->name));
    else
        tn_json_add(json, "\"variable\": %u", sink->variable->id);
    tn_json_add(json, ", \"value\": %u}", sink->value->id);
    return json->status;
}

static tn_status write_graph(tn_json *json, const tn_graph *graph)
{
    tn_json_add(json, "{\"tenon_graph\": %d", TN_GRAPH_FILE);
#define X(field, most)                                                                                                 \
    if (graph->field) tn_json_add(json, ", \"" #field "\": %u", graph->field);
    TN_GRAPH_NUMBERS(X)
#undef X
    tn_json_add(json, ",\n\"tensors\": [");
    for (uint32_t i = 0; i < graph->count; i++) TN_TRY(write_tensor(json, graph->tensor[i]));
    tn_json_add(json, "],\n\"sinks\": [");
    for (uint32_t i = 0; i < graph->sinks; i++) TN_TRY(write_sink(json, &graph->sink[i], !i));
    tn_json_add(json, "]}\n");
    return json->status;
}

tn_status tn_graph_save(const tn_graph *graph, const char *path)
{
    TN_GIVEN(graph, path);
    TN_TRY(tn_graph_status(graph));
    tn_json json = {0};
    tn_file file;
    tn_status s = write_graph(&json, graph);
    if (!s && json.used > TN_MOST_GRAPH) s = tn_fail(TN_EUNSUPPORTED, "its constants are too large for a file of text");
    if (s) s = tn_fail(s, "%s: cannot be saved: %s", path, tn_message());
    if (!s) s = tn_file_begin(path, &file);
    if (!s) s = tn_file_end(&file, tn_file_write(&file, json.text, json.used));
    tn_json_free(&json);
    return s;
}
