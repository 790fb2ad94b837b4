/* checkpoint.c: a safetensors file, read whole and checked. Trusts nothing in it: each number is compared with the
 * file's size before anything is allocated or read. */
#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "checkpoint.h"
#include "error.h"
#include "given.h"
#include "order.h"
#include "read.h"
#include "safetensors.h"
#include "shape.h"
#include "steps.h"
#include "system.h"
#include "tenon/graph.h"
#include "tenon/state.h"
#include "utf8.h"

#define METADATA  "__metadata__"
#define ALIGNMENT 64

struct source {
    const char *path;
    int fd;
    uint64_t bytes;      /* of the file */
    uint64_t data_bytes; /* of what follows the header */
};

/* ---- the header's text ---- */

static tn_status read_exactly(const struct source *source, void *to, uint64_t bytes)
{
    uint64_t got = bytes;
    TN_TRY(tn_read_some(source->fd, source->path, to, &got));
    TN_REQUIRE(got == bytes, TN_EIO, "%s: became shorter while it was read", source->path);
    return TN_OK;
}

/* What begins so is another file, which is said; NULL: who knows. */
static const char *kind_of(const uint8_t first[8])
{
    static const struct {
        const char *bytes, *kind;
    } kinds[] = {{"\x93NUMPY", "an array of NumPy"},
                 {"PK\3\4", "an archive, as .npz and .pt are"},
                 {"\x89PNG", "a PNG picture"},
                 {"\xff\xd8\xff", "a JPEG picture"},
                 {"\x89HDF", "an HDF5 file"}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!memcmp(first, kinds[i].bytes, strlen(kinds[i].bytes))) return kinds[i].kind;
    return first[0] == 8 && first[1] < 32 && (first[2] & 7) == 2 ? "an ONNX file" : NULL;
}

static const tn_json_kind header_kind = {"safetensors file", "its header", 8};

static tn_status read_header(struct source *source, cJSON **header)
{
    uint8_t length[8];
    TN_REQUIRE(source->bytes >= sizeof length + 2, TN_EFORMAT, "%s: is no safetensors file: it has only %llu bytes",
               source->path, (unsigned long long)source->bytes);
    TN_TRY(read_exactly(source, length, sizeof length));
    uint64_t bytes = tn_bytes_get(length, sizeof length, 0), rest = source->bytes - sizeof length;
    const char *kind = bytes > TN_MOST_HEADER ? kind_of(length) : NULL;
    TN_REQUIRE(!kind, TN_EFORMAT, "%s: is no safetensors file, but %s", source->path, kind);
    TN_REQUIRE(bytes >= 2 && bytes <= TN_MOST_HEADER, TN_EFORMAT,
               "%s: is no safetensors file: its header would have %llu bytes", source->path, (unsigned long long)bytes);
    TN_REQUIRE(bytes <= rest, TN_EFORMAT, "%s: is cut short: its header should have %llu bytes, found %llu",
               source->path, (unsigned long long)bytes, (unsigned long long)rest);
    source->data_bytes = rest - bytes;
    char *text = tn_alloc(bytes + 1);
    if (!text) return TN_ENOMEM;
    tn_status status = read_exactly(source, text, bytes);
    if (!status) status = tn_json_parse(source->path, &header_kind, text, bytes, header);
    tn_free(text);
    return status;
}

/* ---- keys ---- */

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* No two members of the object have one key; `what` they are and belong to, for the message. */
static tn_status check_keys(const char *path, const cJSON *object, const char *what, const char *owner)
{
    size_t count = 0, most = (size_t)cJSON_GetArraySize(object);
    const cJSON *item = NULL;
    tn_status status = TN_OK;
    const char **key = tn_alloc(most * sizeof *key);
    if (!key) return TN_ENOMEM;
    cJSON_ArrayForEach(item, object) key[count++] = item->string;
    qsort(key, count, sizeof *key, compare_texts);
    for (size_t i = 1; i < count && !status; i++)
        if (!strcmp(key[i - 1], key[i]))
            status = tn_fail(TN_EFORMAT, "%s: two %s named '%s'%s%s", path, what, key[i], *owner ? " of " : "", owner);
    tn_free(key);
    return status;
}

/* ---- one tensor ---- */

/* A whole number that a double holds exactly. */
static int get_whole(const cJSON *item, uint64_t *value)
{
    if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0) || item->valuedouble > 0x1p53 ||
        item->valuedouble != floor(item->valuedouble))
        return 0;
    *value = (uint64_t)item->valuedouble;
    return 1;
}

static tn_status read_type(const char *path, const cJSON *item, tn_file_tensor *tensor)
{
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(item, "dtype"));
    TN_REQUIRE(name, TN_EFORMAT, "%s: tensor '%s' has no dtype", path, tensor->name);
    tensor->type = tn_file_type_named(name);
    TN_REQUIRE(tensor->type, TN_EFORMAT, "%s: tensor '%s' has an unknown dtype '%.40s'", path, tensor->name, name);
    return TN_OK;
}

static tn_status read_shape(const char *path, const cJSON *item, tn_file_tensor *tensor)
{
    const cJSON *shape = cJSON_GetObjectItemCaseSensitive(item, "shape"), *size = NULL;
    TN_REQUIRE(cJSON_IsArray(shape), TN_EFORMAT, "%s: tensor '%s' has no shape", path, tensor->name);
    cJSON_ArrayForEach(size, shape)
    {
        uint64_t value = 0;
        TN_REQUIRE(tensor->shape.rank < TN_MAX_RANK, TN_EFORMAT, "%s: tensor '%s' has more than %d dimensions", path,
                   tensor->name, TN_MAX_RANK);
        TN_REQUIRE(get_whole(size, &value), TN_EFORMAT, "%s: tensor '%s': dimension %d is not a whole number from 0 up",
                   path, tensor->name, tensor->shape.rank);
        tensor->shape.dim[tensor->shape.rank++] = (int64_t)value;
    }
    TN_REQUIRE(!tn_shape_check(&tensor->shape), TN_EFORMAT, "%s: tensor '%s' has an absurd shape", path, tensor->name);
    return TN_OK;
}

static tn_status read_offsets(const struct source *source, const cJSON *item, tn_file_tensor *tensor)
{
    char text[160];
    const cJSON *offsets = cJSON_GetObjectItemCaseSensitive(item, "data_offsets");
    TN_REQUIRE(cJSON_IsArray(offsets) && cJSON_GetArraySize(offsets) == 2 &&
                   get_whole(offsets->child, &tensor->begin) && get_whole(offsets->child->next, &tensor->end) &&
                   tensor->begin <= tensor->end,
               TN_EFORMAT, "%s: tensor '%s' has no valid data_offsets", source->path, tensor->name);
    TN_REQUIRE(tensor->end <= source->data_bytes, TN_EFORMAT,
               "%s: is cut short: tensor '%s' ends at byte %llu of the data, of which there are %llu", source->path,
               tensor->name, (unsigned long long)tensor->end, (unsigned long long)source->data_bytes);
    uint64_t need = (uint64_t)tn_shape_count(&tensor->shape) * tensor->type->size;
    TN_REQUIRE(tensor->end - tensor->begin == need, TN_EFORMAT,
               "%s: tensor '%s' of type %s and shape %s needs %llu bytes, but has %llu", source->path, tensor->name,
               tensor->type->name, tn_shape_text(&tensor->shape, text, sizeof text), (unsigned long long)need,
               (unsigned long long)(tensor->end - tensor->begin));
    return TN_OK;
}

static tn_status read_tensor(const struct source *source, const cJSON *item, tn_file_tensor *tensor)
{
    tensor->name = item->string;
    TN_REQUIRE(cJSON_IsObject(item), TN_EFORMAT, "%s: tensor '%s' is not described by an object", source->path,
               tensor->name);
    TN_TRY(check_keys(source->path, item, "keys are", tensor->name));
    TN_TRY(read_type(source->path, item, tensor));
    TN_TRY(read_shape(source->path, item, tensor));
    return read_offsets(source, item, tensor);
}

/* ---- notes ---- */

/* Reads a note of ours as a number, if it is there. */
static tn_status number_note(const char *path, const tn_checkpoint *checkpoint, const char *key, uint64_t *value,
                             int *has)
{
    char *end = NULL;
    const char *text = tn_checkpoint_note(checkpoint, key);
    if (!text) return TN_OK;
    errno = 0;
    *value = strtoull(text, &end, 10);
    TN_REQUIRE(*text >= '0' && *text <= '9' && !*end && !errno, TN_EFORMAT,
               "%s: note '%s' is '%.40s' where a whole number was expected", path, key, text);
    *has = 1;
    return TN_OK;
}

static tn_status read_notes(const char *path, tn_checkpoint *checkpoint)
{
    const cJSON *note = NULL;
    checkpoint->notes = cJSON_GetObjectItemCaseSensitive(checkpoint->header, METADATA);
    TN_REQUIRE(!checkpoint->notes || cJSON_IsObject(checkpoint->notes), TN_EFORMAT, "%s: " METADATA " is not an object",
               path);
    if (checkpoint->notes) TN_TRY(check_keys(path, checkpoint->notes, "notes are", ""));
    cJSON_ArrayForEach(note, checkpoint->notes)
        TN_REQUIRE(cJSON_IsString(note), TN_EFORMAT, "%s: note '%s' is not a text", path, note->string);
    TN_TRY(number_note(path, checkpoint, TN_NOTE_SEED, &checkpoint->seed, &checkpoint->has_seed));
    checkpoint->steps = tn_checkpoint_note(checkpoint, TN_NOTE_STEPS);
    if (checkpoint->steps) TN_TRY(tn_steps_check(path, checkpoint->steps));
    return number_note(path, checkpoint, TN_NOTE_STEP, &checkpoint->step, &checkpoint->has_step);
}

/* ---- all tensors ---- */

static int compare_places(const void *a, const void *b)
{
    const tn_file_tensor *p = a, *q = b;
    if (p->begin != q->begin) return p->begin < q->begin ? -1 : 1;
    if (p->end != q->end) return p->end < q->end ? -1 : 1;
    return strcmp(p->name, q->name); /* empty ones: any order will do, but always the same */
}

/* No two overlap, and no byte belongs to none. */
static tn_status check_places(const struct source *source, const tn_checkpoint *checkpoint)
{
    uint64_t end = 0;
    for (size_t i = 0; i < checkpoint->count; i++) {
        const tn_file_tensor *t = checkpoint->tensor + i;
        TN_REQUIRE(t->begin >= end, TN_EFORMAT, "%s: tensors '%s' and '%s' overlap", source->path, t[-1].name, t->name);
        TN_REQUIRE(t->begin == end, TN_EFORMAT, "%s: %llu bytes before tensor '%s' belong to none", source->path,
                   (unsigned long long)(t->begin - end), t->name);
        end = t->end;
    }
    TN_REQUIRE(end == source->data_bytes, TN_EFORMAT, "%s: %llu bytes after the last tensor", source->path,
               (unsigned long long)(source->data_bytes - end));
    return TN_OK;
}

static tn_status list_tensors(const struct source *source, tn_checkpoint *checkpoint)
{
    const cJSON *item = NULL;
    size_t most = (size_t)cJSON_GetArraySize(checkpoint->header);
    TN_TRY(check_keys(source->path, checkpoint->header, "tensors are", ""));
    checkpoint->tensor = tn_alloc(most * sizeof *checkpoint->tensor);
    if (!checkpoint->tensor) return TN_ENOMEM;
    cJSON_ArrayForEach(item, checkpoint->header)
    {
        if (!strcmp(item->string, METADATA)) continue;
        TN_TRY(read_tensor(source, item, checkpoint->tensor + checkpoint->count));
        checkpoint->count++;
    }
    qsort(checkpoint->tensor, checkpoint->count, sizeof *checkpoint->tensor, compare_places);
    return check_places(source, checkpoint);
}

/* In memory: there is room for what the file has and for what becomes of it. */
static uint64_t room_of(const tn_file_tensor *t)
{
    uint64_t bytes = t->end - t->begin, whole = (uint64_t)tn_shape_count(&t->shape) * sizeof(int32_t);
    return ((t->type->sign && whole > bytes ? whole : bytes) + 7) / 8 * 8;
}

/* Each tensor begins at a multiple of 8 bytes in memory, wherever it lies in the file. */
static tn_status read_data(const struct source *source, tn_checkpoint *checkpoint)
{
    uint64_t bytes = ALIGNMENT;
    for (size_t i = 0; i < checkpoint->count; i++) bytes += room_of(checkpoint->tensor + i);
    checkpoint->data = tn_alloc_aligned(bytes, ALIGNMENT);
    if (!checkpoint->data) return TN_ENOMEM;
    unsigned char *at = checkpoint->data;
    for (size_t i = 0; i < checkpoint->count; i++) {
        tn_file_tensor *t = checkpoint->tensor + i;
        TN_TRY(read_exactly(source, at, t->end - t->begin));
        if (t->type->size) tn_bytes_as_in_file(at, t->type->size, (t->end - t->begin) / t->type->size);
        t->data = at;
        at += room_of(t);
    }
    return TN_OK;
}

/* Makes the tensor one of our types; 0 if it cannot be, which is said. */
static int convert(const char *path, const tn_file_tensor *t)
{
    if (t->type->dtype && (!t->type->sign || tn_whole_to_i32(t->type, t->data, tn_shape_count(&t->shape)))) return 1;
    tn_log_line(TN_LOG_WARNING, "%s: tensor '%s' is left out: %s", path, t->name,
                t->type->dtype ? "it has a number beyond the range of i32" : "its element type is not read");
    return 0;
}

static void convert_all(const char *path, tn_checkpoint *checkpoint)
{
    size_t count = 0;
    for (size_t i = 0; i < checkpoint->count; i++)
        if (convert(path, &checkpoint->tensor[i])) checkpoint->tensor[count++] = checkpoint->tensor[i];
    checkpoint->count = count;
}

static tn_status read_checkpoint(struct source *source, tn_checkpoint *checkpoint, int data)
{
    TN_TRY(read_header(source, &checkpoint->header));
    checkpoint->data_at = source->bytes - source->data_bytes;
    TN_TRY(list_tensors(source, checkpoint));
    TN_TRY(read_notes(source->path, checkpoint));
    if (data) TN_TRY(read_data(source, checkpoint));
    if (data) convert_all(source->path, checkpoint);
    return tn_names_list(checkpoint);
}

static tn_status open_checkpoint(const char *path, int data, tn_checkpoint **checkpoint)
{
    struct source source = {.path = path, .fd = -1};
    TN_TRY(tn_open_regular(path, &source.fd, &source.bytes));
    tn_checkpoint *made = tn_alloc(sizeof *made);
    tn_status status = made ? read_checkpoint(&source, made, data) : TN_ENOMEM;
    close(source.fd);
    if (status)
        tn_checkpoint_close(made);
    else
        *checkpoint = made;
    return status;
}

tn_status tn_checkpoint_open(const char *path, tn_checkpoint **checkpoint)
{
    TN_GIVEN(path, checkpoint);
    return open_checkpoint(path, 1, checkpoint);
}

tn_status tn_checkpoint_open_header(const char *path, tn_checkpoint **checkpoint)
{
    return open_checkpoint(path, 0, checkpoint);
}

void tn_checkpoint_close(tn_checkpoint *checkpoint)
{
    if (!checkpoint) return;
    tn_free(checkpoint->data);
    tn_free(checkpoint->by_name);
    tn_free(checkpoint->tied);
    tn_region_free(&checkpoint->region);
    tn_free(checkpoint->tensor);
    cJSON_Delete(checkpoint->header);
    tn_free(checkpoint);
}

/* ---- looking things up ---- */

const char *tn_checkpoint_note(const tn_checkpoint *checkpoint, const char *key)
{
    if (!checkpoint) return NULL;
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(checkpoint->notes, key));
}

static int describe(const tn_file_tensor *tensor, tn_state_entry *entry, const void **data)
{
    *entry = (tn_state_entry){tensor->name, tensor->type->dtype, tensor->shape, 0};
    if (data) *data = tensor->data;
    return 1;
}

int tn_checkpoint_at(const tn_checkpoint *checkpoint, size_t index, tn_state_entry *entry, const void **data)
{
    if (!checkpoint || !entry) return 0;
    return index < checkpoint->count ? describe(checkpoint->tensor + index, entry, data) : 0;
}

int tn_checkpoint_find(const tn_checkpoint *checkpoint, const char *name, tn_state_entry *entry, const void **data)
{
    if (!checkpoint || !name) return 0;
    const tn_file_tensor *found = tn_names_find(checkpoint, name);
    return found ? describe(found, entry, data) : 0;
}

/* ---- into a state ---- */

static tn_status check_fit(const tn_state_entry *have, const tn_state_entry *want)
{
    char a[160], b[160];
    TN_REQUIRE(tn_shape_equal(&have->shape, &want->shape), TN_ESHAPE,
               "tensor '%s' has shape %s in the file and %s in the model", want->name,
               tn_shape_text(&have->shape, a, sizeof a), tn_shape_text(&want->shape, b, sizeof b));
    TN_REQUIRE(have->dtype == want->dtype, TN_EDTYPE, "tensor '%s' is of type %s in the file and %s in the model",
               want->name, tn_dtype_name(have->dtype), tn_dtype_name(want->dtype));
    return TN_OK;
}

static tn_status check_state(const tn_checkpoint *checkpoint, const tn_state *state)
{
    tn_state_entry want, have;
    char text[160];
    for (size_t i = 0; tn_state_at(state, i, &want); i++) {
        if (tn_checkpoint_find(checkpoint, want.name, &have, NULL))
            TN_TRY(check_fit(&have, &want));
        else
            TN_REQUIRE(want.flags & TN_TRANSIENT, TN_EMISSING, "tensor '%s' %s of the model is not in the file",
                       want.name, tn_shape_text(&want.shape, text, sizeof text));
    }
    return TN_OK;
}

static tn_status load(const tn_file_tensor *t, tn_state *state)
{
    tn_state_entry there;
    uint64_t bytes = (uint64_t)tn_shape_count(&t->shape) * tn_dtype_size(t->type->dtype);
    TN_REQUIRE(t->data, TN_EMISSING, "tensor '%s' of the file is not in memory any more", t->name);
    if (tn_state_find(state, t->name, &there)) return tn_state_write(state, t->name, t->data, bytes);
    return tn_state_put(state, t->name, t->type->dtype, t->shape, 0, t->data);
}

static tn_status load_rest(const tn_checkpoint *checkpoint, tn_state *state)
{
    if (checkpoint->has_seed) tn_state_set_seed(state, checkpoint->seed);
    if (checkpoint->has_step) tn_state_set_step(state, checkpoint->step);
    return checkpoint->steps ? tn_steps_load(checkpoint->steps, state) : TN_OK;
}

tn_status tn_checkpoint_load(const tn_checkpoint *checkpoint, tn_state *state)
{
    TN_GIVEN(checkpoint, state);
    TN_TRY(check_state(checkpoint, state));
    for (size_t i = 0; i < checkpoint->count; i++) TN_TRY(load(&checkpoint->tensor[i], state));
    for (size_t i = 0; i < checkpoint->ties; i++) TN_TRY(load(&checkpoint->tied[i], state));
    return load_rest(checkpoint, state);
}

/* Of its memory whole pages go; the rest does with the checkpoint. */
static void let_go(tn_file_tensor *t)
{
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), begin = (uintptr_t)t->data;
    const uintptr_t from = (begin + page - 1) / page * page, to = (begin + room_of(t)) / page * page;
    if (from < to) (void)tn_system_let_go((void *)from, to - from);
    t->data = NULL;
}

tn_status tn_checkpoint_move(tn_checkpoint *checkpoint, tn_state *state)
{
    TN_GIVEN(checkpoint, state);
    TN_TRY(check_state(checkpoint, state));
    for (size_t i = 0; i < checkpoint->ties; i++) { /* their data are others' */
        TN_TRY(load(&checkpoint->tied[i], state));
        checkpoint->tied[i].data = NULL;
    }
    for (size_t i = 0; i < checkpoint->count; i++) {
        TN_TRY(load(&checkpoint->tensor[i], state));
        let_go(&checkpoint->tensor[i]);
    }
    return load_rest(checkpoint, state);
}
