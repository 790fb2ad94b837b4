/* save.c: a state into a safetensors file. */
#include <inttypes.h>
#include <string.h>

#include "alloc.h"
#include "error.h"
#include "given.h"
#include "file.h"
#include "json.h"
#include "order.h"
#include "pattern.h"
#include "safetensors.h"
#include "shape.h"
#include "steps.h"
#include "tenon/graph.h"
#include "tenon/state.h"
#include "utf8.h"

/* The tensors in the order in which they are written: larger elements first, so that all are aligned without holes;
 * apart from that in the state's order. */
struct list {
    tn_state_entry *entry;
    size_t count;
};

static uint64_t entry_bytes(const tn_state_entry *entry)
{
    return (uint64_t)tn_shape_count(&entry->shape) * tn_dtype_size(entry->dtype);
}

static tn_status check_name(const char *name)
{
    TN_REQUIRE(*name && strcmp(name, "__metadata__"), TN_EINVAL, "a tensor named '%s' cannot be saved", name);
    TN_REQUIRE(tn_is_utf8(name), TN_EINVAL, "tensor '%s': its name is not UTF-8 and cannot be saved", name);
    return TN_OK;
}

static int is_left_out(const tn_state *state, const tn_state_entry *entry, const tn_save_options *how)
{
    return entry->flags & TN_TRANSIENT || tn_pattern_any(how->without, entry->name) ||
           (how->weights_only && tn_has_owner(entry->name, tn_in_state, state));
}

/* The index-th tensor of the state is added if it is to be saved and its elements have `size` bytes. */
static tn_status add_entries(const tn_state *state, uint64_t size, const tn_save_options *how, struct list *list)
{
    tn_state_entry entry;
    for (size_t i = 0; tn_state_at(state, i, &entry); i++) {
        if (tn_dtype_size(entry.dtype) != size || is_left_out(state, &entry, how)) continue;
        TN_TRY(check_name(entry.name));
        list->entry[list->count++] = entry;
    }
    return TN_OK;
}

static tn_status make_list(const tn_state *state, const tn_save_options *how, struct list *list)
{
    size_t most = 0;
    tn_state_entry entry;
    while (tn_state_at(state, most, &entry)) most++;
    list->entry = tn_alloc(most * sizeof *list->entry);
    if (!list->entry) return TN_ENOMEM;
    for (uint64_t size = 8; size; size /= 2) TN_TRY(add_entries(state, size, how, list));
    return TN_OK;
}

/* ---- the header ---- */

static tn_status check_notes(const tn_note notes[], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        TN_REQUIRE(notes[i].key && notes[i].value, TN_EINVAL, "note %zu has no %s", i, notes[i].key ? "value" : "key");
        TN_REQUIRE(strncmp(notes[i].key, TN_NOTE_OWN, strlen(TN_NOTE_OWN)), TN_EINVAL,
                   "a note cannot be named '%s': '" TN_NOTE_OWN "' is the library's own", notes[i].key);
        TN_REQUIRE(tn_is_utf8(notes[i].key), TN_EINVAL, "note '%s': its name is not UTF-8", notes[i].key);
        TN_REQUIRE(tn_is_utf8(notes[i].value), TN_EINVAL, "note '%s': its text is not UTF-8", notes[i].key);
        for (size_t k = 0; k < i; k++)
            TN_REQUIRE(strcmp(notes[i].key, notes[k].key), TN_EINVAL, "two notes are named '%s'", notes[i].key);
    }
    return TN_OK;
}

static void add_notes(tn_json *json, const tn_state *state, const tn_save_options *how, const tn_note notes[],
                      size_t count)
{
    tn_json_add(json, "{\"__metadata__\":{");
    if (!how->weights_only)
        tn_json_add(json, "\"" TN_NOTE_SEED "\":\"%" PRIu64 "\",\"" TN_NOTE_STEP "\":\"%" PRIu64 "\",",
                    tn_state_seed(state), tn_state_step(state));
    tn_json_add(json, "\"" TN_NOTE_VERSION "\":");
    tn_json_string(json, tn_version());
    if (!how->weights_only) tn_steps_save(json, state);
    for (size_t i = 0; i < count; i++) {
        tn_json_add(json, ",");
        tn_json_string(json, notes[i].key);
        tn_json_add(json, ":");
        tn_json_string(json, notes[i].value);
    }
    tn_json_add(json, "}");
}

static void add_tensor(tn_json *json, const tn_state_entry *entry, uint64_t begin)
{
    tn_json_add(json, ",");
    tn_json_string(json, entry->name);
    tn_json_add(json, ":{\"dtype\":\"%s\",\"shape\":[", tn_safetensors_dtype(entry->dtype));
    for (int32_t d = 0; d < entry->shape.rank; d++) tn_json_add(json, "%s%" PRId64, d ? "," : "", entry->shape.dim[d]);
    tn_json_add(json, "],\"data_offsets\":[%" PRIu64 ",%" PRIu64 "]}", begin, begin + entry_bytes(entry));
}

/* Padded so that the data, which follows it and its length, lies at a multiple of 8 bytes. */
static tn_status make_header(const tn_state *state, const struct list *list, const tn_save_options *how,
                             const tn_note notes[], size_t count, tn_json *json)
{
    uint64_t at = 0;
    add_notes(json, state, how, notes, count);
    for (size_t i = 0; i < list->count; i++) {
        add_tensor(json, list->entry + i, at);
        at += entry_bytes(list->entry + i);
    }
    tn_json_add(json, "}");
    while (!json->status && json->used % 8) tn_json_add(json, " ");
    if (json->status) return json->status;
    TN_REQUIRE(json->used <= TN_MOST_HEADER, TN_EINVAL, "the names and notes of a state need %zu bytes; at most %u fit",
               json->used, TN_MOST_HEADER);
    return TN_OK;
}

/* ---- the file ---- */

enum { BLOCK = 1 << 20 }; /* bytes that are in memory at once */

static tn_status check_finite(const tn_state_entry *entry, const void *value, uint64_t bytes)
{
    char text[160];
    const uint64_t size = tn_dtype_size(entry->dtype), bits = tn_dtype_facts_of(entry->dtype)->infinity;
    for (uint64_t at = 0; bits && at < bytes; at += size) {
        TN_REQUIRE((tn_bytes_own((const char *)value + at, size) & bits) != bits, TN_ESTATE,
                   "tensor '%s' %s has numbers that are not finite: the training has diverged, and nothing was saved",
                   entry->name, tn_shape_text(&entry->shape, text, sizeof text));
    }
    return TN_OK;
}

static tn_status write_tensor(tn_state *state, const tn_state_entry *entry, int any, void *block, tn_file *file)
{
    const uint64_t all = entry_bytes(entry), size = tn_dtype_size(entry->dtype);
    for (uint64_t at = 0; at < all; at += BLOCK) {
        const uint64_t bytes = all - at < BLOCK ? all - at : BLOCK;
        TN_TRY(tn_state_read_part(state, entry->name, at, block, bytes));
        if (!any) TN_TRY(check_finite(entry, block, bytes));
        tn_bytes_as_in_file(block, size, bytes / size);
        TN_TRY(tn_file_write(file, block, bytes));
    }
    return TN_OK;
}

static tn_status write_tensors(tn_state *state, const struct list *list, int any, tn_file *file)
{
    void *block = tn_alloc(BLOCK);
    tn_status status = block ? TN_OK : TN_ENOMEM;
    for (size_t i = 0; i < list->count && !status; i++) status = write_tensor(state, &list->entry[i], any, block, file);
    tn_free(block);
    return status;
}

static tn_status write_file(tn_state *state, const struct list *list, int any, const tn_json *header, const char *path)
{
    tn_file file;
    uint8_t length[8];
    tn_bytes_put(length, sizeof length, header->used);
    TN_TRY(tn_file_begin(path, &file));
    tn_status status = tn_file_write(&file, length, sizeof length);
    if (!status) status = tn_file_write(&file, header->text, header->used);
    if (!status) status = write_tensors(state, list, any, &file);
    return tn_file_end(&file, status);
}

tn_status tn_state_save_with(tn_state *state, const char *path, const tn_save_options *options, const tn_note notes[],
                             size_t count)
{
    TN_GIVEN(state, path);
    TN_REQUIRE(notes || !count, TN_EINVAL, "tn_state_save_with: notes is NULL");
    static const tn_save_options usual;
    const tn_save_options *how = options ? options : &usual;
    struct list list = {0};
    tn_json header = {0};
    tn_status status = check_notes(notes, count);
    if (!status) status = make_list(state, how, &list);
    if (!status) status = make_header(state, &list, how, notes, count, &header);
    if (!status) status = write_file(state, &list, how->not_finite != 0, &header, path);
    tn_json_free(&header);
    tn_free(list.entry);
    return status;
}

tn_status tn_state_save(tn_state *state, const char *path, const tn_note notes[], size_t count)
{
    TN_GIVEN(state, path);
    return tn_state_save_with(state, path, NULL, notes, count);
}
