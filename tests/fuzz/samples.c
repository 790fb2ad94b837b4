/* samples.c: see samples.h. */
#include "samples.h"

#include <png.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>
#include <stdlib.h>
#include <zlib.h>

#include "../data/golden_arrays.inc"

void fuzz_add(fuzz_sample *s, const void *bytes, size_t size)
{
    memcpy(s->byte + s->size, bytes, size);
    s->size += size;
}

void fuzz_make_idx(fuzz_sample *s)
{
    fuzz_add(s, "\0\0\x08\x03\0\0\0\x04\0\0\0\x05\0\0\0\x06", 16);
    s->size += 4 * 5 * 6;
}

static void pack(fuzz_sample *plain, fuzz_sample *s)
{
    z_stream stream = {
        .next_in = plain->byte, .avail_in = (uInt)plain->size, .next_out = s->byte, .avail_out = FUZZ_ROOM};
    if (deflateInit2(&stream, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) != Z_OK) abort();
    if (deflate(&stream, Z_FINISH) != Z_STREAM_END) abort();
    s->size = stream.total_out;
    deflateEnd(&stream);
}

void fuzz_make_gzip(fuzz_sample *s)
{
    fuzz_sample plain = {.size = 0};
    fuzz_make_idx(&plain);
    pack(&plain, s);
}

void fuzz_make_packed_csv(fuzz_sample *s)
{
    fuzz_sample plain = {.size = 0};
    fuzz_make_csv(&plain);
    pack(&plain, s);
}

static void add_part(fuzz_sample *s, int field, const fuzz_sample *inner)
{
    const unsigned char head[3] = {(unsigned char)(field << 3 | 2), (unsigned char)(inner->size & 127) | 128,
                                   (unsigned char)(inner->size >> 7)};
    fuzz_add(s, head, 3);
    fuzz_add(s, inner->byte, inner->size);
}

static void add_text(fuzz_sample *s, int field, const char *text)
{
    const unsigned char head[2] = {(unsigned char)(field << 3 | 2), (unsigned char)strlen(text)};
    fuzz_add(s, head, 2);
    fuzz_add(s, text, strlen(text));
}

/* An operator of x and a constant, as an attribute of which a number stands. */
static void add_node(fuzz_sample *graph, const char *op, const char *in, const char *with, const char *out)
{
    fuzz_sample node = {.size = 0}, attribute = {.size = 0};
    add_text(&node, 1, in);
    if (with) add_text(&node, 1, with);
    add_text(&node, 2, out);
    add_text(&node, 4, op);
    add_text(&attribute, 1, "axis");
    fuzz_add(&attribute, "\x18\x01", 2);
    if (!strcmp(op, "Gather")) add_part(&node, 5, &attribute);
    add_part(graph, 1, &node);
}

/* Of opset 17: y = reshape(relu(x)[:, list], list). */
void fuzz_make_onnx(fuzz_sample *s)
{
    fuzz_sample graph = {.size = 0}, list = {.size = 0}, port = {.size = 0}, opset = {.size = 0};
    add_node(&graph, "Relu", "x", NULL, "a");
    add_node(&graph, "Gather", "a", "list", "b");
    add_node(&graph, "Reshape", "b", "list", "y");
    fuzz_add(&list, "\x08\x02\x10\x07\x42\x04list\x4a\x10\x01\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0", 28);
    add_part(&graph, 5, &list);
    fuzz_add(&port, "\x0a\x01x\x12\x0e\x0a\x0c\x08\x01\x12\x08\x0a\x02\x08\x01\x0a\x02\x08\x03", 19);
    add_part(&graph, 11, &port);
    port.byte[2] = 'y';
    add_part(&graph, 12, &port);
    add_part(s, 7, &graph);
    fuzz_add(&opset, "\x10\x11", 2);
    add_part(s, 8, &opset);
}

void fuzz_make_spaced(fuzz_sample *s)
{
    static const char text[] =
        "  length  width  \"class c\" \r\n 1.5   2 blue\n -3e4 7 \"gr een\"  \n NA ? red\n4 5 blue";
    fuzz_add(s, text, sizeof text - 1);
}

/* As tn_dataset's `categories` is. */
void fuzz_make_kinds(fuzz_sample *s)
{
    static const char text[] = "1 one-hot 3\nblue\nred\ngre\\nen\n3 index 2\nx\ny\n";
    fuzz_add(s, text, sizeof text - 1);
}

void fuzz_make_csv(fuzz_sample *s)
{
    static const char text[] =
        "\xEF\xBB\xBFlength,\"the, width\",\"class \"\"c\"\"\"\r\n1.5,2,blue\r\n,-3e4,\"gre\nen\"\n"
        "NA,?,red\n4, 5 ,blue\n\n6,7,red\n";
    fuzz_add(s, text, sizeof text - 1);
}

/* A safetensors file: the length of its head, that, and so many bytes of zeros. */
static void add_tensors(fuzz_sample *s, const char *head, size_t size, size_t data)
{
    const unsigned char length[8] = {size & 255, (unsigned char)(size >> 8)};
    fuzz_add(s, length, 8);
    fuzz_add(s, head, size);
    s->size += data;
}

void fuzz_make_safetensors(fuzz_sample *s)
{
    static const char text[] = "{\"__metadata__\":{\"tenon.seed\":\"1\",\"tenon.step\":\"22\",\"net\":\"linear 10\"},"
                               "\"a\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]},"
                               "\"b\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[24,25]},"
                               "\"c\":{\"dtype\":\"BF16\",\"shape\":[0,4],\"data_offsets\":[25,25]}}  ";
    add_tensors(s, text, sizeof text - 1, 25);
}

void fuzz_make_tensors(fuzz_sample *s)
{
    static const char text[] = "{\"x\":{\"dtype\":\"F16\",\"shape\":[4,2],\"data_offsets\":[0,16]},"
                               "\"y\":{\"dtype\":\"I32\",\"shape\":[4],\"data_offsets\":[16,32]}}  ";
    add_tensors(s, text, sizeof text - 1, 32);
}

/* As 'tenon train --save' writes it. */
void fuzz_make_model(fuzz_sample *s)
{
    static const char text[] =
        "{\"__metadata__\":{\"net\":\"linear outputs\",\"loss\":\"cross_entropy\",\"sample\":\"3\",\"x_type\":\"f32\","
        "\"x_scale\":\"1\",\"classes\":\"2\",\"targets\":\"0\",\"class_names\":\"no\\nyes\\n\",\"column_names\":"
        "\"a\\nb\\nc\\n\",\"data\":\"t.csv\",\"target\":\"d\",\"seed\":\"1\",\"scale\":\"none\",\"epoch\":\"1\","
        "\"framing\":\"framed mass 518 518 size 714 levels 0 250 ink 40 250 stroke 1900 3200\"},"
        "\"fc1.weight\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]},"
        "\"fc1.bias\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[24,32]}}";
    add_tensors(s, text, sizeof text - 1, 32);
}

void fuzz_make_net(fuzz_sample *s)
{
    static const char text[] =
        "conv 4 3x3 pad same, relu, residual, conv 4 3x3 pad same, end, maxpool 2, dropout 0.5, linear outputs";
    fuzz_add(s, text, sizeof text - 1);
}

/* One tensor of each sort of attributes. */
void fuzz_make_graph(fuzz_sample *s)
{
#define OP(op, in, shape, attrs)                                                                                       \
    ",{\"op\":\"" op "\",\"in\":" in ",\"dtype\":\"f32\",\"shape\":" shape ",\"attrs\":{" attrs "}}"
    static const char text[] =
        "{\"tenon_graph\":1,\"streams\":1,\"optimizers\":1,\"tensors\":["
        "{\"op\":\"input\",\"name\":\"x\",\"dtype\":\"f32\",\"shape\":[1,2,4,4]},"
        "{\"op\":\"variable\",\"name\":\"w\",\"dtype\":\"f32\",\"shape\":[2,2,3,3],\"attrs\":{\"init.kind\":4,"
        "\"flags\":1,\"optimizer\":1}},{\"op\":\"scalar\",\"name\":\"r\",\"dtype\":\"f32\",\"shape\":[],\"attrs\":{"
        "\"value\":-1e-3}}" OP("conv2d", "[0,1]", "[1,2,4,4]",
                               "\"stride\":[1,1],\"pad\":[1,1],\"dilation\":[1,1],\"groups\":1,\"size\":[-1,-1]")
            OP("maxpool2d", "[3]", "[1,2,2,2]", "\"window\":[2,2],\"stride\":[2,2],\"size\":[4,4]")
                OP("reshape", "[4]", "[2,4]", "\"shape\":[2,-1]") OP("softmax", "[5]", "[2,4]", "\"axis\":1")
                    OP("dropout", "[6]", "[2,4]", "\"rate\":0.5") OP("transpose", "[7]", "[4,2]", "\"perm\":[1,0]")
                        OP("matmul", "[7,8]", "[2,2]", "\"trans_a\":0")
                            OP("slice", "[9]", "[1,2]", "\"shape\":[1,2],\"start\":[1,0],\"step\":[1,1]")
                                OP("concat", "[9,10]", "[3,2]", "")
                                    OP("reduce", "[11]", "[]", "\"kind\":\"max\",\"axes\":3")
                                        OP("mul", "[12,2]", "[]", "")
                                            OP("cast", "[13]", "[]",
                                               "\"dtype\":\"f32\"") "],\"sinks\":[{\"output\":\"y\",\"value\":13},{"
                                                                    "\"variable\":1,\"value\":1}]}";
#undef OP
    fuzz_add(s, text, sizeof text - 1);
}

void fuzz_make_schedule(fuzz_sample *s)
{
    fuzz_add(s, "warmup 100, milestones 0.1 32000 48000", 38);
}

static void make_png_of(fuzz_sample *s, uint32_t format, int colours)
{
    static const uint8_t map[16 * 4] = {1, 2, 3, 4, 200, 100, 50, 25};
    uint8_t pixel[20 * 17 * 4];
    png_image image = {.version = PNG_IMAGE_VERSION, .width = 20, .height = 17, .format = format};
    png_alloc_size_t size = FUZZ_ROOM;
    for (size_t i = 0; i < sizeof pixel; i++) pixel[i] = (uint8_t)(colours ? i % 16 : i * i);
    image.colormap_entries = (png_uint_32)colours;
    if (!png_image_write_to_memory(&image, s->byte, &size, 0, pixel, 0, colours ? map : NULL)) abort();
    s->size = size;
}

void fuzz_make_png(fuzz_sample *s)
{
    make_png_of(s, PNG_FORMAT_RGBA, 0);
}

void fuzz_make_palette_png(fuzz_sample *s)
{
    make_png_of(s, PNG_FORMAT_RGBA_COLORMAP, 16);
}

void fuzz_make_jpeg(fuzz_sample *s)
{
    struct jpeg_compress_struct codec;
    struct jpeg_error_mgr errors;
    unsigned char line[20 * 3], *bytes = s->byte;
    unsigned long size = FUZZ_ROOM;
    JSAMPROW row = line;
    codec.err = jpeg_std_error(&errors);
    jpeg_create_compress(&codec);
    jpeg_mem_dest(&codec, &bytes, &size);
    codec.image_width = 20;
    codec.image_height = 17;
    codec.input_components = 3;
    codec.in_color_space = JCS_RGB;
    jpeg_set_defaults(&codec);
    jpeg_start_compress(&codec, TRUE);
    jpeg_write_marker(&codec, JPEG_APP0 + 1, (const JOCTET *)"Exif\0\0II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0",
                      28);
    for (int y = 0; y < 17; y++) {
        for (int i = 0; i < 60; i++) line[i] = (unsigned char)(i * y);
        jpeg_write_scanlines(&codec, &row, 1);
    }
    jpeg_finish_compress(&codec);
    jpeg_destroy_compress(&codec);
    if (bytes != s->byte) abort();
    s->size = size;
}

void fuzz_make_pgm(fuzz_sample *s)
{
    fuzz_add(s, "P2 # levels\n4 3\n255\n1 2 3 4\n5 6 7 8\n9 10 11 255\n", 47);
}

void fuzz_make_raw_pgm(fuzz_sample *s)
{
    fuzz_add(s, "P5\n4 3 65535\n", 13);
    s->size += 24;
}

void fuzz_make_npy(fuzz_sample *s)
{
    fuzz_add(s, npy_f8_big, sizeof npy_f8_big);
}

void fuzz_make_fortran_npy(fuzz_sample *s)
{
    fuzz_add(s, npy_fortran, sizeof npy_fortran);
}

void fuzz_make_npz(fuzz_sample *s)
{
    fuzz_add(s, npz_pictures, sizeof npz_pictures);
}

void fuzz_make_npz_of_parts(fuzz_sample *s)
{
    fuzz_add(s, npz_parts, sizeof npz_parts);
}

/* The numbers that a member's header and its entry in a zip archive's directory have in common, lowest byte first. */
static void add_sizes(fuzz_sample *s, const void *bytes, size_t size, const char *name)
{
    const uint32_t numbers[] = {(uint32_t)crc32(0, bytes, (uInt)size), (uint32_t)size, (uint32_t)size};
    const uint16_t lengths[] = {(uint16_t)strlen(name), 0};
    fuzz_add(s, "\24\0\0\0\0\0\0\0\41\0", 10);
    fuzz_add(s, numbers, sizeof numbers);
    fuzz_add(s, lengths, sizeof lengths);
}

/* An archive of x and y that are not compressed. */
void fuzz_make_stored_npz(fuzz_sample *s)
{
    static const struct {
        const char *name;
        const unsigned char *bytes;
        size_t size;
    } member[] = {{"x.npy", npy_u4, sizeof npy_u4}, {"y.npy", npy_u1, sizeof npy_u1}};
    uint32_t place[2], directory[2];
    for (int i = 0; i < 2; i++) {
        place[i] = (uint32_t)s->size;
        fuzz_add(s, "PK\3\4", 4);
        add_sizes(s, member[i].bytes, member[i].size, member[i].name);
        fuzz_add(s, member[i].name, 5);
        fuzz_add(s, member[i].bytes, member[i].size);
    }
    directory[1] = (uint32_t)s->size;
    for (int i = 0; i < 2; i++) {
        fuzz_add(s, "PK\1\2\24\0", 6);
        add_sizes(s, member[i].bytes, member[i].size, member[i].name);
        fuzz_add(s, "\0\0\0\0\0\0\0\0\0\0", 10);
        fuzz_add(s, &place[i], 4);
        fuzz_add(s, member[i].name, 5);
    }
    directory[0] = (uint32_t)s->size - directory[1];
    fuzz_add(s, "PK\5\6\0\0\0\0\2\0\2\0", 12);
    fuzz_add(s, directory, sizeof directory);
    fuzz_add(s, "\0\0", 2);
}
