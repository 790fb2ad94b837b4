/* nesting.c: how deep the messages of a file lie within each other, before the library that reads them, which calls
 * itself for each, is let near it. Walks the bytes by the descriptions that the generated code has. */
#include "error.h"
#include "model.h"

enum { DEEPEST = 96 };

typedef struct bytes {
    const unsigned char *at, *end;
} bytes;

static int varint(bytes *b, uint64_t *value)
{
    *value = 0;
    for (int shift = 0; b->at < b->end && shift < 64; shift += 7) {
        *value |= (uint64_t)(*b->at & 127) << shift;
        if (!(*b->at++ & 128)) return 1;
    }
    return 0;
}

/* Steps over a field; what has a length is in *inner. */
static int skip(bytes *b, uint32_t wire, bytes *inner)
{
    uint64_t length = wire == 1 ? 8 : 4;
    *inner = (bytes){0};
    if (wire == 0) return varint(b, &length);
    if (wire == 2 && !varint(b, &length)) return 0;
    if (wire == 3 || wire == 4 || wire > 5 || length > (uint64_t)(b->end - b->at)) return 0;
    if (wire == 2) *inner = (bytes){b->at, b->at + length};
    b->at += length;
    return 1;
}

static const ProtobufCMessageDescriptor *message_of(const ProtobufCMessageDescriptor *in, uint64_t tag)
{
    const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(in, (unsigned)(tag >> 3));
    return field && field->type == PROTOBUF_C_TYPE_MESSAGE ? field->descriptor : NULL;
}

static tn_status walk(const ProtobufCMessageDescriptor *of, bytes b, int depth)
{
    uint64_t tag;
    bytes inner;
    TN_REQUIRE(depth < DEEPEST, TN_EFORMAT, "more than %d parts lie within each other", DEEPEST);
    while (b.at < b.end) {
        TN_REQUIRE(varint(&b, &tag) && tag >> 32 == 0 && skip(&b, (uint32_t)tag & 7, &inner), TN_EFORMAT,
                   "no ONNX file, or a damaged one");
        const ProtobufCMessageDescriptor *message = inner.at ? message_of(of, tag) : NULL;
        if (message) TN_TRY(walk(message, inner, depth + 1));
    }
    return TN_OK;
}

tn_status onnx_check_nesting(const unsigned char *data, uint64_t size)
{
    return walk(&onnx__model_proto__descriptor, (bytes){data, data + size}, 0);
}
