/* readers.c: see readers.h. */
#include "readers.h"

#include <dirent.h>
#include <link.h>
#include <png.h>
#include <stdint.h>
#include <stdio.h>

#include <jpeglib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "../data/golden_arrays.inc"
#include "cache.h"
#include "cli.h"
#include "error.h"
#include "loader.h"
#include "tenon/data.h"
#include "tenon/framing.h"
#include "tenon/nn.h"
#include "tenon/optim.h"
#include "tenon/state.h"

/* ---- the files to begin with ---- */

static void add(fuzz_sample *s, const void *bytes, size_t size)
{
    memcpy(s->byte + s->size, bytes, size);
    s->size += size;
}

static void make_idx(fuzz_sample *s)
{
    add(s, "\0\0\x08\x03\0\0\0\x04\0\0\0\x05\0\0\0\x06", 16);
    s->size += 4 * 5 * 6;
}

static void make_gzip(fuzz_sample *s)
{
    fuzz_sample plain = {.size = 0};
    make_idx(&plain);
    z_stream stream = {
        .next_in = plain.byte, .avail_in = (uInt)plain.size, .next_out = s->byte, .avail_out = FUZZ_ROOM};
    if (deflateInit2(&stream, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) != Z_OK) abort();
    if (deflate(&stream, Z_FINISH) != Z_STREAM_END) abort();
    s->size = stream.total_out;
    deflateEnd(&stream);
}

static void make_csv(fuzz_sample *s)
{
    static const char text[] =
        "\xEF\xBB\xBFlength,\"the, width\",\"class \"\"c\"\"\"\r\n1.5,2,blue\r\n,-3e4,\"gre\nen\"\n"
        "NA,?,red\n4, 5 ,blue\n\n6,7,red\n";
    add(s, text, sizeof text - 1);
}

/* A safetensors file: the length of its head, that, and so many bytes of zeros. */
static void add_tensors(fuzz_sample *s, const char *head, size_t size, size_t data)
{
    const unsigned char length[8] = {size & 255, (unsigned char)(size >> 8)};
    add(s, length, 8);
    add(s, head, size);
    s->size += data;
}

static void make_safetensors(fuzz_sample *s)
{
    static const char text[] = "{\"__metadata__\":{\"tenon.seed\":\"1\",\"tenon.step\":\"22\",\"net\":\"linear 10\"},"
                               "\"a\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]},"
                               "\"b\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[24,25]},"
                               "\"c\":{\"dtype\":\"BF16\",\"shape\":[0,4],\"data_offsets\":[25,25]}}  ";
    add_tensors(s, text, sizeof text - 1, 25);
}

static void make_tensors(fuzz_sample *s)
{
    static const char text[] = "{\"x\":{\"dtype\":\"F16\",\"shape\":[4,2],\"data_offsets\":[0,16]},"
                               "\"y\":{\"dtype\":\"I32\",\"shape\":[4],\"data_offsets\":[16,32]}}  ";
    add_tensors(s, text, sizeof text - 1, 32);
}

/* As 'tenon train --save' writes it. */
static void make_model(fuzz_sample *s)
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

static void make_net(fuzz_sample *s)
{
    static const char text[] =
        "conv 4 3x3 pad same, relu, residual, conv 4 3x3 pad same, end, maxpool 2, dropout 0.5, linear outputs";
    add(s, text, sizeof text - 1);
}

static void make_schedule(fuzz_sample *s)
{
    add(s, "warmup 100, milestones 0.1 32000 48000", 38);
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

static void make_png(fuzz_sample *s)
{
    make_png_of(s, PNG_FORMAT_RGBA, 0);
}

static void make_palette_png(fuzz_sample *s)
{
    make_png_of(s, PNG_FORMAT_RGBA_COLORMAP, 16);
}

static void make_jpeg(fuzz_sample *s)
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
    for (int y = 0; y < 17; y++) {
        for (int i = 0; i < 60; i++) line[i] = (unsigned char)(i * y);
        jpeg_write_scanlines(&codec, &row, 1);
    }
    jpeg_finish_compress(&codec);
    jpeg_destroy_compress(&codec);
    if (bytes != s->byte) abort();
    s->size = size;
}

static void make_pgm(fuzz_sample *s)
{
    add(s, "P2 # levels\n4 3\n255\n1 2 3 4\n5 6 7 8\n9 10 11 255\n", 47);
}

static void make_raw_pgm(fuzz_sample *s)
{
    add(s, "P5\n4 3 65535\n", 13);
    s->size += 24;
}

static void make_npy(fuzz_sample *s)
{
    add(s, npy_f8_big, sizeof npy_f8_big);
}

static void make_fortran_npy(fuzz_sample *s)
{
    add(s, npy_fortran, sizeof npy_fortran);
}

static void make_npz(fuzz_sample *s)
{
    add(s, npz_pictures, sizeof npz_pictures);
}

static void make_npz_of_parts(fuzz_sample *s)
{
    add(s, npz_parts, sizeof npz_parts);
}

/* The numbers that a member's header and its entry in a zip archive's directory have in common, lowest byte first. */
static void add_sizes(fuzz_sample *s, const void *bytes, size_t size, const char *name)
{
    const uint32_t numbers[] = {(uint32_t)crc32(0, bytes, (uInt)size), (uint32_t)size, (uint32_t)size};
    const uint16_t lengths[] = {(uint16_t)strlen(name), 0};
    add(s, "\24\0\0\0\0\0\0\0\41\0", 10);
    add(s, numbers, sizeof numbers);
    add(s, lengths, sizeof lengths);
}

/* An archive of x and y that are not compressed. */
static void make_stored_npz(fuzz_sample *s)
{
    static const struct {
        const char *name;
        const unsigned char *bytes;
        size_t size;
    } member[] = {{"x.npy", npy_u4, sizeof npy_u4}, {"y.npy", npy_u1, sizeof npy_u1}};
    uint32_t place[2], directory[2];
    for (int i = 0; i < 2; i++) {
        place[i] = (uint32_t)s->size;
        add(s, "PK\3\4", 4);
        add_sizes(s, member[i].bytes, member[i].size, member[i].name);
        add(s, member[i].name, 5);
        add(s, member[i].bytes, member[i].size);
    }
    directory[1] = (uint32_t)s->size;
    for (int i = 0; i < 2; i++) {
        add(s, "PK\1\2\24\0", 6);
        add_sizes(s, member[i].bytes, member[i].size, member[i].name);
        add(s, "\0\0\0\0\0\0\0\0\0\0", 10);
        add(s, &place[i], 4);
        add(s, member[i].name, 5);
    }
    directory[0] = (uint32_t)s->size - directory[1];
    add(s, "PK\5\6\0\0\0\0\2\0\2\0", 12);
    add(s, directory, sizeof directory);
    add(s, "\0\0", 2);
}

/* ---- readers ---- */

int fuzz_file(char path[64], const void *bytes, size_t size)
{
    int file = memfd_create("fuzz", 0);
    if (file < 0) abort();
    fuzz_rewrite(file, bytes, size);
    snprintf(path, 64, "/proc/self/fd/%d", file);
    return file;
}

void fuzz_rewrite(int file, const void *bytes, size_t size)
{
    if (ftruncate(file, 0) || pwrite(file, bytes, size, 0) != (ssize_t)size) abort();
}

static tn_status read_idx(const char *path)
{
    static char labels[64]; /* four, for the four pictures of make_idx */
    tn_dataset data = {0};
    if (!*labels) fuzz_file(labels, "\0\0\x08\x01\0\0\0\x04\0\1\2\3", 12);
    tn_status status = tn_dataset_idx(path, labels, &data);
    tn_dataset_free(&data);
    if (!tn_dataset_idx(path, path, &data)) tn_dataset_free(&data); /* the same file as labels */
    return status;
}

static tn_status read_csv(const char *path)
{
    tn_csv_options options = {.classify = 1};
    tn_dataset train = {0}, test = {0};
    tn_status status = tn_dataset_open(path, 1, &options, &train, &test);
    tn_dataset_free(&train);
    tn_dataset_free(&test);
    options = (tn_csv_options){.target = "length"};
    if (!tn_dataset_csv(path, &options, &train)) tn_dataset_free(&train);
    options = (tn_csv_options){.columns = "the, width\nlength\n", .features = 2, .keep_missing = 1};
    if (!tn_dataset_csv(path, &options, &train)) tn_dataset_free(&train);
    options =
        (tn_csv_options){.classify = TN_CLASSIFY_AUTO, .columns = "the, width\nlength\n", .target_numbers = "2,1"};
    if (!tn_dataset_csv(path, &options, &train)) tn_dataset_free(&train);
    options.header = TN_HEADER_NO;
    options.features = 1;
    if (!tn_dataset_csv(path, &options, &train)) tn_dataset_free(&train);
    return status;
}

static tn_status read_checkpoint(const char *path)
{
    tn_checkpoint *checkpoint = NULL;
    tn_state_entry entry;
    const void *data = NULL;
    unsigned sum = 0;
    tn_status status = tn_checkpoint_open(path, &checkpoint);
    for (size_t i = 0; !status && tn_checkpoint_at(checkpoint, i, &entry, &data); i++) {
        uint64_t bytes = (uint64_t)tn_shape_count(&entry.shape) * tn_dtype_size(entry.dtype);
        for (uint64_t b = 0; b < bytes; b++) sum += ((const unsigned char *)data)[b];
        if (!tn_checkpoint_find(checkpoint, entry.name, &entry, NULL)) abort();
    }
    tn_checkpoint_close(checkpoint);
    return sum == 77777777 ? TN_EIO : status;
}

static tn_status read_array(const char *path)
{
    tn_array array = {0};
    tn_status status = tn_array_read(path, NULL, &array);
    tn_array_free(&array);
    return status;
}

static tn_status read_arrays(const char *path)
{
    tn_csv_options options = {.classify = 1};
    tn_dataset train = {0}, test = {0};
    tn_status status = tn_dataset_open(path, 1, &options, &train, &test);
    tn_dataset_free(&train);
    tn_dataset_free(&test);
    return status;
}

/* Without the whole of it in memory; then each of the samples. */
static tn_status read_stream(const char *path)
{
    const tn_open_options options = {.csv = {.classify = 1, .keep_missing = 1}, .stream = TN_STREAM_YES};
    tn_dataset train = {0}, test = {0};
    tn_status status = tn_dataset_open_with(path, &options, &train, &test);
    char *x = status ? NULL : calloc((size_t)tn_shape_count(&train.sample), sizeof(double));
    for (int64_t i = 0; !status && i < train.count; i++) status = tn_dataset_sample(&train, i, x, NULL);
    free(x);
    tn_dataset_free(&train);
    tn_dataset_free(&test);
    return status;
}

static tn_status read_image(const char *path)
{
    uint8_t out[3 * 9 * 7];
    tn_status status = tn_image_read(path, &TN_SHAPE(3, 9, 7), out);
    tn_status grey = tn_image_read(path, &TN_SHAPE(1, 2, 5), out);
    return status ? status : grey;
}

static tn_status read_picture(const char *path)
{
    float out[3 * 9 * 9];
    tn_shape grey = TN_SHAPE(1, 9, 9), colour = TN_SHAPE(3, 9, 9);
    tn_status status = tn_picture_read(path, &grey, out);
    tn_status other = tn_picture_read(path, &colour, out);
    const tn_framing framing = {1, 1, 0.5, 0.5, 0.7, 0, 250, 0.05, 0.25, 1, 2};
    tn_status framed = tn_picture_read_framed(path, &framing, &grey, out, NULL);
    return status ? status : other ? other : framed;
}

/* ---- plugins and cache entries ---- */

static tn_status read_plugin(const char *path)
{
    tn_reason reason = {""};
    tn_status status = tn_elf_check(path, &reason);
    return status ? tn_fail(status, "%s", reason.text) : status;
}

/* The head of a shared library that has the whole file as its only part. */
static void make_plugin(fuzz_sample *s)
{
    const ElfW(Ehdr) head = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                             .e_type = ET_DYN,
                             .e_machine = EM_X86_64,
                             .e_version = EV_CURRENT,
                             .e_phoff = sizeof head,
                             .e_ehsize = sizeof head,
                             .e_phentsize = sizeof(ElfW(Phdr)),
                             .e_phnum = 1};
    const ElfW(Phdr) part = {.p_type = PT_LOAD, .p_filesz = sizeof head + sizeof part};
    add(s, &head, sizeof head);
    add(s, &part, sizeof part);
}

/* A cache of our own, with one entry. It goes with the program. */
static char cache_folder[] = "/tmp/tenon-fuzz-XXXXXX", cache_path[300];

static void remove_cache(void)
{
    unlink(cache_path);
    rmdir(cache_folder);
}

static void make_cache(void)
{
    if (*cache_path) return;
    if (!mkdtemp(cache_folder) || setenv("TENON_CACHE", cache_folder, 1)) abort();
    tn_cache_put("fuzz", "key", "what was costly", 16, TN_CACHE_LIMIT);
    DIR *folder = opendir(cache_folder);
    for (struct dirent *file; (file = readdir(folder));)
        if (file->d_name[0] != '.') snprintf(cache_path, sizeof cache_path, "%s/%s", cache_folder, file->d_name);
    closedir(folder);
    atexit(remove_cache);
}

static void copy(const char *from, const char *to)
{
    unsigned char bytes[FUZZ_ROOM];
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    if (!in || !out) abort();
    fwrite(bytes, 1, fread(bytes, 1, sizeof bytes, in), out);
    fclose(in);
    if (fclose(out)) abort();
}

static tn_status read_cache(const char *path)
{
    char found[64];
    make_cache();
    copy(path, cache_path);
    return tn_cache_get("fuzz", "key", found, sizeof found) < 0 ? TN_EFORMAT : TN_OK;
}

static void make_entry(fuzz_sample *s)
{
    make_cache();
    FILE *file = fopen(cache_path, "rb");
    if (!file) abort();
    s->size = fread(s->byte, 1, FUZZ_ROOM, file);
    fclose(file);
}

/* ---- texts ---- */

/* A text of the input, closed by 0; the caller frees it. */
static char *text_of(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *text = calloc(1, FUZZ_ROOM + 1);
    if (!file || !text) abort();
    size_t got = fread(text, 1, FUZZ_ROOM, file);
    text[got] = 0;
    fclose(file);
    return text;
}

static tn_status read_net(const char *path)
{
    char *text = text_of(path);
    tn_graph *graph = tn_graph_new();
    tn_tensor *x = tn_input(graph, "x", TN_F32, TN_SHAPE(2, 3, 8, 8));
    tn_net(x, text, (tn_net_options){.training = 1, .outputs = 10});
    tn_status status = tn_graph_status(graph);
    tn_graph_free(graph);
    free(text);
    return status;
}

static tn_status read_schedule(const char *path)
{
    char *text = text_of(path);
    tn_schedule schedule;
    tn_status status = tn_schedule_parse(text, &schedule);
    for (uint64_t step = 1; !status && step; step <<= 7) tn_schedule_at(&schedule, step);
    free(text);
    return status;
}

static char rows_path[] = "/tmp/tenon-fuzz-XXXXXX.csv"; /* for the model: goes with the program */

static void remove_rows(void)
{
    unlink(rows_path);
}

static void make_rows(void)
{
    static int file;
    if (file) return;
    file = mkstemps(rows_path, 4);
    atexit(remove_rows);
    fuzz_rewrite(file, "a,b,c\n1,2,3\n4,5,6\n", 18);
}

/* The command, as a user calls it who was sent a model. */
static tn_status read_model(const char *path)
{
    char *arguments[] = {"predict", "--model", (char *)path, "--device", "reference", rows_path, NULL};
    make_rows();
    return cli_predict(6, arguments) ? TN_EFORMAT : TN_OK;
}

/* ---- mending ---- */

void fuzz_mend(unsigned char *byte, size_t size)
{
    if (size < 8 || memcmp(byte, "\x89PNG", 4)) return;
    for (size_t at = 8; at + 12 <= size;) {
        const unsigned char *b = byte + at;
        size_t length = (size_t)b[0] << 24 | (size_t)b[1] << 16 | (size_t)b[2] << 8 | b[3];
        if (length > size - at - 12) return;
        uLong crc = crc32(0, b + 4, (uInt)length + 4);
        for (int i = 0; i < 4; i++) byte[at + 8 + length + (size_t)i] = (unsigned char)(crc >> (24 - 8 * i));
        at += 12 + length;
    }
}

/* ---- tables ---- */

static const fuzz_reader readers[] = {
    {"idx", read_idx, FUZZ_PATH},
    {"csv", read_csv, FUZZ_PATH},
    {"checkpoint", read_checkpoint, FUZZ_PATH},
    {"picture", read_picture, FUZZ_PATH},
    {"image", read_image, FUZZ_PATH},
    {"stream", read_stream, FUZZ_PATH},
    {"array", read_array, FUZZ_PATH},
    {"arrays", read_arrays, FUZZ_PATH},
    {"model", read_model, FUZZ_NOTHING},
    {"net", read_net, FUZZ_LINE},
    {"schedule", read_schedule, FUZZ_LINE},
    {"plugin", read_plugin, FUZZ_LINE},
    {"cache", read_cache, FUZZ_NOTHING},
};

static const fuzz_seed seeds[] = {
    {"idx", "idx", make_idx},
    {"idx.gz", "idx", make_gzip},
    {"csv", "csv", make_csv},
    {"safetensors", "checkpoint", make_safetensors},
    {"png", "picture", make_png},
    {"png with a palette", "picture", make_palette_png},
    {"pgm", "picture", make_pgm},
    {"jpeg", "image", make_jpeg},
    {"png to learn from", "image", make_png},
    {"csv that stays in its file", "stream", make_csv},
    {"npz that stays in its file", "stream", make_stored_npz},
    {"safetensors that stay in their file", "stream", make_tensors},
    {"raw pgm", "picture", make_raw_pgm},
    {"npy", "array", make_npy},
    {"npy in Fortran's order", "array", make_fortran_npy},
    {"npz", "arrays", make_npz},
    {"npz of parts", "arrays", make_npz_of_parts},
    {"safetensors to learn from", "arrays", make_tensors},
    {"a saved model", "model", make_model},
    {"a network in words", "net", make_net},
    {"a schedule", "schedule", make_schedule},
    {"a backend", "plugin", make_plugin},
    {"a cache entry", "cache", make_entry},
};

const fuzz_reader *fuzz_reader_at(size_t index)
{
    return index < sizeof readers / sizeof *readers ? &readers[index] : NULL;
}

const fuzz_seed *fuzz_seed_at(size_t index)
{
    return index < sizeof seeds / sizeof *seeds ? &seeds[index] : NULL;
}

const fuzz_reader *fuzz_reader_named(const char *name)
{
    const fuzz_reader *reader;
    for (size_t i = 0; (reader = fuzz_reader_at(i)); i++)
        if (!strcmp(reader->name, name)) break;
    return reader;
}

int fuzz_try(const fuzz_reader *reader, const char *path)
{
    const tn_status status = reader->read(path);
    const char *message = tn_message();
    if (!status) return 1;
    if (reader->says == FUZZ_NOTHING) return 0;
    const int known = strcmp(tn_status_name(status), "unknown status") != 0;
    if (known && *message && !strpbrk(message, "\n\r") && (reader->says != FUZZ_PATH || strstr(message, path)))
        return 0;
    printf("%s: status %d with the message: %s\n", reader->name, status, message);
    abort();
}
