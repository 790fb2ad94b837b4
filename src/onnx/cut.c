/* cut.c: takes a file apart without copying its tensors' numbers, which are most of it. protobuf-c copies every field
 * into memory of its own; of a file of 537 MB that made 1,030 MB of memory in use, 1.92 times the file, before a device
 * had its weights, and 2.9 times then. So it is given the file's messages with a place (offset and length) for each
 * tensor's raw_data, and these places then become the bytes in the file. A list of floats or doubles is the same bytes,
 * where it is in one piece, and becomes such a place, too. All else stays protobuf-c's affair.
 *
 * On the way it is seen how deep messages lie within each other, before the library that reads them, which calls itself
 * for each, is let near them. Bytes are walked by the descriptions that the generated code has. */
#include <string.h>

#include "alloc.h"
#include "error.h"
#include "model.h"

enum { DEEPEST = 96, DATA_TYPE = 2, FLOAT_DATA = 4, RAW_DATA = 9, DOUBLE_DATA = 10, BYTES_OF_LENGTH = 5 };

/* Of the file, which is looked at through a window: one that others cut meanwhile is an error. */
typedef struct bytes {
    uint64_t at, end;
} bytes;

/* In place of raw_data: where it lies. */
typedef struct place {
    uint64_t offset, length;
} place;

/* What is left of the file: it is counted first, with `data` NULL, and then written, where there is room for as much:
 * the file may change in between. */
typedef struct outline {
    tn_look file;
    unsigned char *data;
    uint64_t bytes, room;
} outline;

/* ---- the outline ---- */

static int varint(outline *o, bytes *b, uint64_t *value)
{
    const unsigned char *byte;
    uint64_t there;
    *value = 0;
    for (int shift = 0; b->at < b->end && shift < 64; shift += 7) {
        if (tn_look_at(&o->file, b->at++, &byte, &there)) return 0;
        *value |= (uint64_t)(*byte & 127) << shift;
        if (!(*byte & 128)) return 1;
    }
    return 0;
}

/* Steps over a field; what has a length is in *inner, else that ends at 0. */
static int skip(outline *o, bytes *b, uint32_t wire, bytes *inner)
{
    uint64_t length = wire == 1 ? 8 : 4;
    *inner = (bytes){0};
    if (wire == 0) return varint(o, b, &length);
    if (wire == 2 && !varint(o, b, &length)) return 0;
    if (wire == 3 || wire == 4 || wire > 5 || length > b->end - b->at) return 0;
    if (wire == 2) *inner = (bytes){b->at, b->at + length};
    b->at += length;
    return 1;
}

static const ProtobufCMessageDescriptor *message_of(const ProtobufCMessageDescriptor *in, uint64_t tag)
{
    const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(in, (unsigned)(tag >> 3));
    return field && field->type == PROTOBUF_C_TYPE_MESSAGE ? field->descriptor : NULL;
}

static tn_status put(outline *to, const void *data, uint64_t count)
{
    TN_REQUIRE(!to->data || count <= to->room - to->bytes, TN_EIO, "was changed while it was read");
    if (to->data) memcpy(to->data + to->bytes, data, (size_t)count);
    to->bytes += count;
    return TN_OK;
}

/* Bytes of the file, as they are. */
static tn_status put_bytes(outline *to, bytes b)
{
    const unsigned char *byte;
    uint64_t there, some;
    if (!to->data) return put(to, NULL, b.end - b.at);
    for (; b.at < b.end; b.at += some) {
        TN_TRY(tn_look_at(&to->file, b.at, &byte, &there));
        some = there < b.end - b.at ? there : b.end - b.at;
        TN_TRY(put(to, byte, some));
    }
    return TN_OK;
}

/* A length that is known later has all the bytes that one may have. */
static void put_length(outline *to, uint64_t at, uint64_t length)
{
    for (int i = 0; to->data && i < BYTES_OF_LENGTH; i++)
        to->data[at + (uint64_t)i] = (unsigned char)((length >> 7 * i & 127) | (i < BYTES_OF_LENGTH - 1 ? 128 : 0));
}

static tn_status put_place(outline *to, bytes raw)
{
    const place where = {raw.at, raw.end - raw.at};
    const unsigned char length = sizeof where;
    TN_TRY(put(to, &length, 1));
    return put(to, &where, sizeof where);
}

/* What is known of a tensor's fields: its type, and how often there are numbers. */
typedef struct numbers {
    uint64_t type;
    int raw, floats, doubles;
} numbers;

static numbers count_numbers(outline *o, bytes b)
{
    numbers n = {0};
    uint64_t tag;
    bytes inner;
    while (b.at < b.end && varint(o, &b, &tag)) {
        bytes value = b;
        if (!skip(o, &b, (uint32_t)tag & 7, &inner)) break;
        if (tag == DATA_TYPE << 3) (void)varint(o, &value, &n.type);
        n.raw += tag >> 3 == RAW_DATA;
        n.floats += tag >> 3 == FLOAT_DATA;
        n.doubles += tag >> 3 == DOUBLE_DATA;
    }
    return n;
}

/* Whether a field of a tensor has its numbers as bytes: those that are called raw, or a list in one piece of the
 * tensor's own type, which has the same bytes. */
static int is_raw(const numbers *n, uint64_t tag)
{
    if ((tag & 7) != 2) return 0;
    const int field = (int)(tag >> 3), is_alone = n->raw + n->floats + n->doubles == 1;
    return field == RAW_DATA || (is_alone && field == FLOAT_DATA && n->type == ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT) ||
           (is_alone && field == DOUBLE_DATA && n->type == ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE);
}

static tn_status walk(const ProtobufCMessageDescriptor *of, bytes b, int depth, outline *to);

static tn_status put_message(const ProtobufCMessageDescriptor *of, bytes inner, int depth, outline *to)
{
    static const unsigned char later[BYTES_OF_LENGTH];
    const uint64_t at = to->bytes;
    TN_TRY(put(to, later, sizeof later));
    TN_TRY(walk(of, inner, depth, to));
    put_length(to, at, to->bytes - at - sizeof later);
    return TN_OK;
}

static tn_status walk(const ProtobufCMessageDescriptor *of, bytes b, int depth, outline *to)
{
    static const unsigned char raw_tag = RAW_DATA << 3 | 2;
    const int is_tensor = of == &onnx__tensor_proto__descriptor;
    const numbers found = is_tensor ? count_numbers(to, b) : (numbers){0};
    uint64_t tag;
    bytes inner;
    TN_REQUIRE(depth < DEEPEST, TN_EFORMAT, "more than %d parts lie within each other", DEEPEST);
    while (b.at < b.end) {
        const uint64_t begin = b.at;
        TN_REQUIRE(varint(to, &b, &tag) && tag >> 32 == 0, TN_EFORMAT, "no ONNX file, or a damaged one");
        const bytes of_tag = {begin, b.at};
        TN_REQUIRE(skip(to, &b, (uint32_t)tag & 7, &inner), TN_EFORMAT, "no ONNX file, or a damaged one");
        const ProtobufCMessageDescriptor *message = inner.end ? message_of(of, tag) : NULL;
        const int is_place = is_tensor && inner.at < inner.end && is_raw(&found, tag);
        TN_TRY(is_place ? put(to, &raw_tag, 1) : put_bytes(to, message ? of_tag : (bytes){begin, b.at}));
        if (message) TN_TRY(put_message(message, inner, depth + 1, to));
        if (is_place) TN_TRY(put_place(to, inner));
    }
    return TN_OK;
}

/* ---- back in place ---- */

/* What was no place when it was written, but bytes of a file that changed, is none in the file. */
static void put_back(onnx_proto *t, const tn_look *file, ProtobufCAllocator *heap)
{
    place where;
    if (t->raw_data.len != sizeof where) return;
    memcpy(&where, t->raw_data.data, sizeof where);
    heap->free(heap->allocator_data, t->raw_data.data);
    const int is_there = where.offset <= file->bytes && where.length <= file->bytes - where.offset;
    uint8_t *raw = (uint8_t *)(uintptr_t)file->data + (is_there ? where.offset : 0);
    t->raw_data = is_there ? (ProtobufCBinaryData){(size_t)where.length, raw} : (ProtobufCBinaryData){0};
}

/* In a message and all that lie in it; what is one of several kinds (a type) has no tensor in it. */
static void put_all_back(ProtobufCMessage *message, const tn_look *file, ProtobufCAllocator *heap)
{
    if (message->descriptor == &onnx__tensor_proto__descriptor) put_back((onnx_proto *)message, file, heap);
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        if (field->type != PROTOBUF_C_TYPE_MESSAGE || field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) continue;
        const void *member = (const char *)message + field->offset;
        const int is_list = field->label == PROTOBUF_C_LABEL_REPEATED;
        const void *count = (const char *)message + field->quantifier_offset;
        ProtobufCMessage *const *list = is_list ? *(ProtobufCMessage *const *const *)member : member;
        const size_t n = is_list ? *(const size_t *)count : *list != NULL;
        for (size_t k = 0; k < n; k++) put_all_back(list[k], file, heap);
    }
}

tn_status onnx_take_apart(const unsigned char *data, uint64_t size, ProtobufCAllocator *heap, Onnx__ModelProto **model)
{
    outline count = {.file = {.data = data, .bytes = size}}, kept = count;
    const bytes all = {0, size};
    TN_TRY(walk(&onnx__model_proto__descriptor, all, 0, &count));
    kept.room = count.bytes;
    kept.data = tn_alloc(count.bytes + 1);
    tn_status s = kept.data ? walk(&onnx__model_proto__descriptor, all, 0, &kept) : TN_ENOMEM;
    if (!s && kept.bytes != kept.room) s = tn_fail(TN_EIO, "was changed while it was read");
    if (!s) *model = onnx__model_proto__unpack(heap, (size_t)kept.bytes, kept.data);
    tn_free(kept.data);
    TN_TRY(s);
    TN_REQUIRE(*model, TN_EFORMAT, "no ONNX file, or a damaged one");
    put_all_back(&(*model)->base, &kept.file, heap);
    return TN_OK;
}
