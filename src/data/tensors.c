/* tensors.c: arrays out of safetensors files. */
#include "tensors.h"

#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "checkpoint.h"
#include "convert.h"
#include "error.h"
#include "order.h"
#include "read.h"
#include "rows.h"
#include "tenon/backend.h"
#include "tenon/state.h"

int tn_tensors_is(const char *path)
{
    uint8_t head[9] = {0};
    uint64_t bytes, got = sizeof head;
    int fd = -1;
    if (tn_open_regular(path, &fd, &bytes)) return 0;
    tn_status status = tn_read_some(fd, path, head, &got);
    close(fd);
    return !status && got == sizeof head && head[8] == '{' && tn_bytes_get(head, 8, 0) <= bytes - 8;
}

tn_status tn_tensors_has(const char *path, const char *name, int *has)
{
    tn_checkpoint *file = NULL;
    tn_state_entry entry;
    TN_TRY(tn_checkpoint_open_header(path, &file));
    *has = tn_checkpoint_find(file, name, &entry, NULL);
    tn_checkpoint_close(file);
    return TN_OK;
}

static tn_status find(const char *path, const tn_checkpoint *file, const char *name, tn_state_entry *entry,
                      const void **data)
{
    tn_state_entry second;
    if (name) {
        TN_REQUIRE(tn_checkpoint_find(file, name, entry, data), TN_EMISSING, "%s: has no array '%s'", path, name);
        return TN_OK;
    }
    TN_REQUIRE(tn_checkpoint_at(file, 0, entry, data) && !tn_checkpoint_at(file, 1, &second, NULL), TN_EMISSING,
               "%s: does not have one array alone, nor one named 'x'", path);
    return TN_OK;
}

static tn_status copy(const char *path, const tn_state_entry *entry, const void *data, tn_array *array)
{
    const int64_t count = tn_shape_count(&entry->shape);
    const int wide = tn_becomes_f32(entry->dtype);
    const int32_t dtype = wide ? TN_F32 : entry->dtype == TN_I8 ? TN_I32 : entry->dtype;
    size_t bytes = (size_t)count * tn_dtype_size(dtype);
    tn_array read = {dtype, entry->shape, tn_alloc(bytes)};
    tn_status status = TN_OK;
    if (!read.data) return TN_ENOMEM;
    if (wide && !tn_to_f32(entry->dtype, data, count, read.data))
        status = tn_fail(TN_EFORMAT, "%s: tensor '%s' has a number beyond the range of f32", path, entry->name);
    if (entry->dtype == TN_I8)
        for (int64_t i = 0; i < count; i++) ((int32_t *)read.data)[i] = ((const int8_t *)data)[i];
    else if (!wide && bytes)
        memcpy(read.data, data, bytes);
    if (status)
        tn_array_free(&read);
    else
        *array = read;
    return status;
}

tn_status tn_tensors_read(const char *path, const char *name, tn_array *array)
{
    tn_checkpoint *file = NULL;
    tn_state_entry entry = {0};
    const void *data = NULL;
    TN_TRY(tn_checkpoint_open(path, &file));
    tn_status status = find(path, file, name, &entry, &data);
    if (!status) status = copy(path, &entry, data, array);
    tn_checkpoint_close(file);
    return status;
}

/* Of a file's types that of elements. */
static tn_element element_of(const tn_file_type *type)
{
    const int bf16 = type->dtype == TN_BF16, truth = !strcmp(type->name, "BOOL");
    const char kind = bf16                                                              ? 'B'
                      : truth                                                           ? 'b'
                      : type->sign < 0 || type->dtype == TN_I32 || type->dtype == TN_I8 ? 'i'
                                                                                        : 'f';
    const int is_unsigned = (type->sign > 0 && !truth) || type->dtype == TN_U8;
    return (tn_element){is_unsigned ? 'u' : kind, (int)type->size, 0,
                        tn_becomes_f32(type->dtype) ? TN_F32
                        : type->dtype == TN_I8      ? TN_I32
                                                    : type->dtype};
}

tn_status tn_tensors_rows(tn_rows *rows, const char *member)
{
    tn_checkpoint *file = NULL;
    tn_state_entry entry = {0};
    TN_TRY(tn_checkpoint_open_header(rows->path, &file));
    tn_status status = find(rows->path, file, member, &entry, NULL);
    const tn_file_tensor *t = status ? NULL : tn_names_find(file, entry.name);
    if (t && !t->type->dtype)
        status = tn_fail(TN_EFORMAT, "%s: tensor '%s' is of a type that is not read", rows->path, entry.name);
    if (t) {
        rows->begin = file->data_at + t->begin;
        rows->element = element_of(t->type);
        rows->shape = t->shape;
    }
    tn_checkpoint_close(file);
    return status;
}
