/* fuzz.c: files with a few bytes changed, cut, doubled or swapped, read by every reader: each must answer TN_OK or an
 * error with one line, and the sanitizers see the rest. The same seed does the same: fuzz [MUTATIONS [SEED]]. */
#include <png.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "../data/golden_arrays.inc"
#include "alloc.h"
#include "philox.h"
#include "tenon/data.h"
#include "tenon/state.h"

#define ROOM 8192

/* ---- the files that are mutated ---- */

typedef struct sample {
    unsigned char byte[ROOM];
    size_t size;
} sample;

static void add(sample *s, const void *bytes, size_t size)
{
    memcpy(s->byte + s->size, bytes, size);
    s->size += size;
}

static void make_idx(sample *s)
{
    add(s, "\0\0\x08\x03\0\0\0\x04\0\0\0\x05\0\0\0\x06", 16);
    s->size += 4 * 5 * 6;
}

static void make_gzip(sample *s)
{
    sample plain = {.size = 0};
    make_idx(&plain);
    z_stream stream = {.next_in = plain.byte, .avail_in = (uInt)plain.size, .next_out = s->byte, .avail_out = ROOM};
    if (deflateInit2(&stream, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) != Z_OK) abort();
    if (deflate(&stream, Z_FINISH) != Z_STREAM_END) abort();
    s->size = stream.total_out;
    deflateEnd(&stream);
}

static void make_csv(sample *s)
{
    static const char text[] =
        "\xEF\xBB\xBFlength,\"the, width\",\"class \"\"c\"\"\"\r\n1.5,2,blue\r\n,-3e4,\"gre\nen\"\n"
        "NA,?,red\n4, 5 ,blue\n\n6,7,red\n";
    add(s, text, sizeof text - 1);
}

static void make_safetensors(sample *s)
{
    static const char text[] = "{\"__metadata__\":{\"tenon.seed\":\"1\",\"tenon.step\":\"22\",\"net\":\"linear 10\"},"
                               "\"a\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]},"
                               "\"b\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[24,25]},"
                               "\"c\":{\"dtype\":\"BF16\",\"shape\":[0,4],\"data_offsets\":[25,25]}}  ";
    unsigned char length[8] = {(sizeof text - 1) & 255, (sizeof text - 1) >> 8};
    add(s, length, 8);
    add(s, text, sizeof text - 1);
    s->size += 25;
}

static void make_tensors(sample *s)
{
    static const char text[] = "{\"x\":{\"dtype\":\"F16\",\"shape\":[4,2],\"data_offsets\":[0,16]},"
                               "\"y\":{\"dtype\":\"I32\",\"shape\":[4],\"data_offsets\":[16,32]}}  ";
    unsigned char length[8] = {(sizeof text - 1) & 255, (sizeof text - 1) >> 8};
    add(s, length, 8);
    add(s, text, sizeof text - 1);
    s->size += 32;
}

static void make_png_of(sample *s, uint32_t format, int colours)
{
    static const uint8_t map[16 * 4] = {1, 2, 3, 4, 200, 100, 50, 25};
    uint8_t pixel[20 * 17 * 4];
    png_image image = {.version = PNG_IMAGE_VERSION, .width = 20, .height = 17, .format = format};
    png_alloc_size_t size = ROOM;
    for (size_t i = 0; i < sizeof pixel; i++) pixel[i] = (uint8_t)(colours ? i % 16 : i * i);
    image.colormap_entries = (png_uint_32)colours;
    if (!png_image_write_to_memory(&image, s->byte, &size, 0, pixel, 0, colours ? map : NULL)) abort();
    s->size = size;
}

static void make_png(sample *s)
{
    make_png_of(s, PNG_FORMAT_RGBA, 0);
}

static void make_palette_png(sample *s)
{
    make_png_of(s, PNG_FORMAT_RGBA_COLORMAP, 16);
}

static void make_pgm(sample *s)
{
    add(s, "P2 # levels\n4 3\n255\n1 2 3 4\n5 6 7 8\n9 10 11 255\n", 47);
}

static void make_raw_pgm(sample *s)
{
    add(s, "P5\n4 3 65535\n", 13);
    s->size += 24;
}

static void make_npy(sample *s)
{
    add(s, npy_f8_big, sizeof npy_f8_big);
}

static void make_fortran_npy(sample *s)
{
    add(s, npy_fortran, sizeof npy_fortran);
}

static void make_npz(sample *s)
{
    add(s, npz_pictures, sizeof npz_pictures);
}

static void make_npz_of_parts(sample *s)
{
    add(s, npz_parts, sizeof npz_parts);
}

/* ---- the readers ---- */

static char labels_path[64];

/* Four labels, for the four pictures of make_idx. */
static void make_labels(void)
{
    int fd = memfd_create("labels", 0);
    if (fd < 0 || write(fd, "\0\0\x08\x01\0\0\0\x04\0\1\2\3", 12) != 12) abort();
    snprintf(labels_path, sizeof labels_path, "/proc/self/fd/%d", fd);
}

static tn_status read_idx(const char *path)
{
    tn_dataset data = {0};
    tn_status status = tn_dataset_idx(path, labels_path, &data);
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

static tn_status read_picture(const char *path)
{
    float out[3 * 9 * 9];
    tn_shape grey = TN_SHAPE(1, 9, 9), colour = TN_SHAPE(3, 9, 9);
    tn_status status = tn_picture_read(path, &grey, out);
    tn_status other = tn_picture_read(path, &colour, out);
    return status ? status : other;
}

static const struct {
    const char *name;
    void (*make)(sample *s);
    tn_status (*read)(const char *path);
} formats[] = {
    {"idx", make_idx, read_idx},
    {"idx.gz", make_gzip, read_idx},
    {"csv", make_csv, read_csv},
    {"safetensors", make_safetensors, read_checkpoint},
    {"png", make_png, read_picture},
    {"png with a palette", make_palette_png, read_picture},
    {"npy", make_npy, read_array},
    {"npy in Fortran's order", make_fortran_npy, read_array},
    {"npz", make_npz, read_arrays},
    {"npz of parts", make_npz_of_parts, read_arrays},
    {"safetensors to learn from", make_tensors, read_arrays},
    {"pgm", make_pgm, read_picture},
    {"raw pgm", make_raw_pgm, read_picture},
};

/* ---- mutation ---- */

typedef struct chance {
    uint64_t seed, at;
} chance;

static size_t below(chance *c, size_t n)
{
    return (size_t)(tn_philox_uniform(c->seed, 0, 0, c->at++) * (double)n);
}

static void change_byte(sample *s, chance *c)
{
    static const char telling[] = "\0\xFF\x7F\x80\"{}[]:,-019e.\n\r \\";
    size_t at = below(c, s->size);
    s->byte[at] = (unsigned char)(below(c, 2) ? telling[below(c, sizeof telling)] : (char)below(c, 256));
}

static void flip_bit(sample *s, chance *c)
{
    s->byte[below(c, s->size)] ^= (unsigned char)(1u << below(c, 8));
}

static void cut(sample *s, chance *c)
{
    s->size = 1 + below(c, s->size);
}

static void drop(sample *s, chance *c)
{
    size_t at = below(c, s->size), count = 1 + below(c, 8);
    if (at + count >= s->size) return;
    memmove(s->byte + at, s->byte + at + count, s->size - at - count);
    s->size -= count;
}

static void repeat(sample *s, chance *c)
{
    size_t at = below(c, s->size), count = 1 + below(c, s->size - at);
    if (s->size + count > ROOM) return;
    memmove(s->byte + at + count, s->byte + at, s->size - at);
    s->size += count;
}

/* A PNG whose checksums are wrong is hardly read: put them right. */
static void mend_png(sample *s)
{
    if (s->size < 8 || memcmp(s->byte, "\x89PNG", 4)) return;
    for (size_t at = 8; at + 12 <= s->size;) {
        const unsigned char *b = s->byte + at;
        size_t length = (size_t)b[0] << 24 | (size_t)b[1] << 16 | (size_t)b[2] << 8 | b[3];
        if (length > s->size - at - 12) return;
        uLong crc = crc32(0, b + 4, (uInt)length + 4);
        for (int i = 0; i < 4; i++) s->byte[at + 8 + length + (size_t)i] = (unsigned char)(crc >> (24 - 8 * i));
        at += 12 + length;
    }
}

static void mutate(sample *s, chance *c)
{
    static void (*const ways[])(sample *, chance *) = {change_byte, change_byte, change_byte, flip_bit,
                                                       cut,         drop,        repeat};
    for (size_t times = 1 + below(c, 4); times; times--) ways[below(c, sizeof ways / sizeof *ways)](s, c);
    if (below(c, 2)) mend_png(s);
}

/* ---- running ---- */

static int try(int fd, const char *path, const sample *s, tn_status (*read)(const char *), const char *name)
{
    if (ftruncate(fd, 0) || pwrite(fd, s->byte, s->size, 0) != (ssize_t)s->size) abort();
    tn_status status = read(path);
    if (!status) return 1;
    const char *message = tn_message();
    int known = strcmp(tn_status_name(status), "unknown status") != 0;
    if (known && *message && !strpbrk(message, "\n\r") && strstr(message, "/proc/self/fd/")) return 0;
    printf("%s: status %d with the message: %s\n", name, status, message);
    exit(1);
}

int main(int argc, char **argv)
{
    long mutations = argc > 1 ? atol(argv[1]) : 3000;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    char path[64];
    int fd = memfd_create("fuzz", 0);
    if (fd < 0) return 77;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    make_labels();
    printf("%ld mutations of each format, seed %llu\n", mutations, (unsigned long long)seed);
    for (size_t f = 0; f < sizeof formats / sizeof *formats; f++) {
        static sample original, mutant;
        chance c = {seed * 1000 + f, 0};
        long accepted = 0;
        memset(&original, 0, sizeof original);
        formats[f].make(&original);
        if (!try(fd, path, &original, formats[f].read, formats[f].name)) {
            printf("%s: the file before all mutations is refused: %s\n", formats[f].name, tn_message());
            return 1;
        }
        for (long i = 0; i < mutations; i++) {
            mutant = original;
            mutate(&mutant, &c);
            accepted += try(fd, path, &mutant, formats[f].read, formats[f].name);
        }
        printf("%-20s %ld accepted, %ld refused with a line that names the file\n", formats[f].name, accepted,
               mutations - accepted);
    }
    return 0;
}
