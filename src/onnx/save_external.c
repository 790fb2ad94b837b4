/* save_external.c: an ONNX file's weights in a file beside it, "NAME.onnx.data", as the format has it for what is
 * larger than 2 GiB. They begin at whole pages, so that readers can map them. */
#include <stdio.h>
#include <string.h>

#include "file.h"
#include "save.h"

enum { PAGE = 4096 };

/* The data file while it is written. */
typedef struct beside {
    tn_file *file;
    uint64_t at; /* bytes so far */
} beside;

static tn_status add(beside *b, const void *data, uint64_t bytes)
{
    b->at += bytes;
    return tn_file_write(b->file, data, bytes);
}

static tn_status fill_page(beside *b)
{
    static const char zeros[PAGE];
    return add(b, zeros, (PAGE - b->at % PAGE) % PAGE);
}

Onnx__StringStringEntryProto *export_pair(export_saver *s, const char *key, const char *value)
{
    Onnx__StringStringEntryProto *entry = tn_region_alloc(&s->region, sizeof *entry);
    if (!entry) return NULL;
    onnx__string_string_entry_proto__init(entry);
    entry->key = tn_region_print(&s->region, "%s", key);
    entry->value = tn_region_print(&s->region, "%s", value);
    return entry->key && entry->value ? entry : NULL;
}

static tn_status move(export_saver *s, beside *b, const export_weight *w, const char *location)
{
    Onnx__TensorProto *t = w->proto;
    char offset[24], length[24];
    TN_TRY(fill_page(b));
    snprintf(offset, sizeof offset, "%llu", (unsigned long long)b->at);
    snprintf(length, sizeof length, "%llu", (unsigned long long)w->bytes);
    t->external_data = tn_region_alloc(&s->region, 3 * sizeof *t->external_data);
    if (!t->external_data) return TN_ENOMEM;
    t->external_data[0] = export_pair(s, "location", location);
    t->external_data[1] = export_pair(s, "offset", offset);
    t->external_data[2] = export_pair(s, "length", length);
    for (int i = 0; i < 3; i++)
        if (!t->external_data[i]) return TN_ENOMEM;
    b->at += w->bytes;
    TN_TRY(export_write_numbers(s, w, b->file));
    t->n_external_data = 3;
    t->has_data_location = 1, t->data_location = ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
    return TN_OK;
}

tn_status export_move_data(export_saver *s, const char *path, uint64_t least, tn_file *data)
{
    beside b = {.file = data};
    const char *name = tn_region_print(&s->region, "%s.data", path);
    if (!name) return TN_ENOMEM;
    const char *slash = strrchr(name, '/');
    TN_TRY(tn_file_begin(name, data));
    tn_status status = TN_OK;
    for (uint32_t i = 0; i < s->initializer.count && !status; i++) {
        const export_weight *w = s->initializer.item[i];
        if (w->bytes >= least) status = move(s, &b, w, slash ? slash + 1 : name);
    }
    return status ? tn_file_end(data, status) : TN_OK;
}
