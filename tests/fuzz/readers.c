/* readers.c: see readers.h. */
#include "samples.h"

#include <dirent.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "alloc.h"
#include "cache.h"
#include "cli.h"
#include "error.h"
#include "graph.h"
#include "hash.h"
#include "loader.h"
#include "tuned.h"
#include "tenon/data.h"
#include "tenon/framing.h"
#include "tenon/nn.h"
#include "tenon/optim.h"
#include "tenon/state.h"

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

/* Where one tries several things the status is the last one's: what goes well may leave an earlier message behind. */
static tn_status read_idx(const char *path)
{
    static char labels[64]; /* four, for the four pictures of fuzz_make_idx */
    tn_dataset data = {0};
    if (!*labels) fuzz_file(labels, "\0\0\x08\x01\0\0\0\x04\0\1\2\3", 12);
    if (!tn_dataset_idx(path, path, &data)) tn_dataset_free(&data); /* the same file as labels */
    tn_status status = tn_dataset_idx(path, labels, &data);
    tn_dataset_free(&data);
    return status;
}

static tn_status read_csv(const char *path)
{
    tn_csv_options options = {.target = "length"};
    tn_dataset train = {0}, test = {0};
    if (!tn_dataset_csv(path, &options, &train)) tn_dataset_free(&train);
    options = (tn_csv_options){.columns = "the, width\nlength\n", .features = 2, .keep_missing = 1};
    if (!tn_dataset_csv(path, &options, &train)) tn_dataset_free(&train);
    options =
        (tn_csv_options){.classify = TN_CLASSIFY_AUTO, .columns = "the, width\nlength\n", .target_numbers = "2,1"};
    if (!tn_dataset_csv(path, &options, &train)) tn_dataset_free(&train);
    options.header = TN_HEADER_NO;
    options.features = 1;
    if (!tn_dataset_csv(path, &options, &train)) tn_dataset_free(&train);
    options = (tn_csv_options){.classify = 1, .one_hot = "length", .index = "the, width"};
    if (!tn_dataset_csv(path, &options, &train)) tn_dataset_free(&train);
    options = (tn_csv_options){.categories = "1 one-hot 2\n1.5\n4\n2 index 1\n5\n", .features = 3, .keep_missing = 1};
    if (!tn_dataset_csv(path, &options, &train)) tn_dataset_free(&train);
    options = (tn_csv_options){.classify = 1};
    tn_status status = tn_dataset_open(path, 1, &options, &train, &test);
    tn_dataset_free(&train);
    tn_dataset_free(&test);
    return status;
}

/* What a model says of texts. */
static tn_status read_kinds(const char *path)
{
    static const char rows[] = "a,b,c,y\nred,1,x,2\nblue,2,y,3\nred,?,x,1\n";
    static char table[64];
    char text[FUZZ_ROOM] = "";
    if (!*table) fuzz_file(table, rows, sizeof rows - 1);
    FILE *file = fopen(path, "rb");
    if (!file) abort();
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    const tn_csv_options options = {.categories = text, .keep_missing = 1};
    tn_dataset data = {0};
    tn_status status = tn_dataset_csv(table, &options, &data);
    tn_dataset_free(&data);
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
    tn_status status = tn_image_read_scaled(path, &grey, out);
    tn_status other = tn_image_read_scaled(path, &colour, out);
    const tn_framing framing = {1, 1, 0.5, 0.5, 0.7, 0, 250, 0.05, 0.25, 1, 2};
    tn_status framed = tn_image_read_framed(path, &framing, &grey, out, NULL);
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
    fuzz_add(s, &head, sizeof head);
    fuzz_add(s, &part, sizeof part);
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

/* A table of tuned kernels, whose checksum is put right: else nothing behind it is read. */
static tn_status read_tuned(const char *path)
{
    char text[FUZZ_ROOM + 32];
    tn_tuned table = {.count = 0};
    FILE *in = fopen(path, "rb");
    if (!in) abort();
    size_t bytes = fread(text, 1, FUZZ_ROOM, in);
    fclose(in);
    const size_t end = sizeof "sum 0123456789abcdef";
    if (bytes > end) bytes -= end;
    bytes += (size_t)snprintf(text + bytes, 32, "sum %016llx\n",
                              (unsigned long long)tn_hash_bytes(TN_HASH_EMPTY, text, bytes));
    tn_status status = tn_tuned_read(text, bytes, &table);
    tn_tuned_clear(&table);
    return status;
}

static void make_tuned(fuzz_sample *s)
{
    const tn_row row = {.kind = TN_ROW_CHOSEN,
                        .nanoseconds = 10,
                        .usual = 20,
                        .error = 30,
                        .key = "matmul 3x4 by 4x5",
                        .choice = "tile u=8 v=8"};
    tn_row wrong = row;
    wrong.kind = TN_ROW_WRONG, wrong.choice = "tile u=4 v=4";
    tn_tuned table = {.of = {.device = "a device", .driver = "a driver"}};
    if (tn_tuned_put(&table, &row) || tn_tuned_put(&table, &wrong)) abort();
    char *text = tn_tuned_text(&table, 1);
    if (!text) abort();
    s->size = strlen(text);
    memcpy(s->byte, text, s->size);
    tn_free(text);
    tn_tuned_clear(&table);
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

/* What the compiler and differentiation would ask of a tensor, but for computing it. */
static void try_tensor(tn_tensor *x)
{
    tn_operation o = {.desc = {.size = sizeof o.desc, .name = x->op->name, .n_in = x->n_in, .n_out = 1}};
    tn_tensor *slope[64] = {NULL};
    o.desc.in = o.in, o.desc.out = o.out;
    for (uint32_t i = 0; i < x->n_in && i < TN_MAX_OPERANDS; i++)
        o.in[i] = tn_desc_dense(x->in[i]->type.dtype, &x->in[i]->type.shape);
    o.out[0] = tn_desc_dense(x->type.dtype, &x->type.shape);
    if (x->op->kind == TN_KERNEL && x->op->describe) x->op->describe(x, &o);
    if (x->op->lower) x->op->lower(x);
    if (x->op->grad && x->n_in < 64) x->op->grad(x, tn_full(x->graph, x->type.dtype, x->type.shape, 1), slope);
}

static tn_status read_graph(const char *path)
{
    tn_graph *graph = NULL;
    tn_status status = tn_graph_load(path, &graph);
    if (!status) status = tn_graph_save(graph, "/dev/null");
    for (uint32_t i = 0, n = status ? 0 : graph->count; i < n && !graph->status; i++) try_tensor(graph->tensor[i]);
    tn_graph_free(graph);
    return status;
}

/* As text and back, then as a network to train, with another batch and a new last layer. */
static void read_onnx_text(tn_onnx *model, tn_onnx_given given[], size_t count)
{
    const tn_onnx_options how = {.trainable = 1, .training = 1, .bare = 1, .outputs = 3};
    const char *text;
    tn_onnx *again = NULL;
    if (tn_onnx_text(model, &how, &text) || tn_onnx_of_text(text, &again)) return;
    tn_graph *graph = tn_graph_new();
    for (size_t i = 0; i < count; i++) given[i].shape.dim[0] = 3;
    tn_status ignored = tn_onnx_build(again, graph, given, count, &how);
    (void)ignored;
    tn_graph_free(graph);
    tn_onnx_free(again);
}

/* Reads it, and builds what it has, with open dimensions of 2. What has no rule is no refusal. */
static tn_status read_onnx(const char *path)
{
    tn_onnx *model = NULL;
    tn_onnx_port port;
    tn_onnx_given given[8] = {{0}};
    size_t count = 0;
    tn_status status = tn_onnx_load(path, &model);
    for (; !status && count < 8 && tn_onnx_input_at(model, count, &port); count++) {
        given[count].name = port.name;
        given[count].shape.rank = port.rank > 0 ? port.rank : 0;
        for (int32_t d = 0; d < port.rank; d++)
            given[count].shape.dim[d] = port.dim[d] < 0 || port.dim[d] > 64 ? 2 : port.dim[d];
    }
    tn_graph *graph = status ? NULL : tn_graph_new();
    tn_status ignored = graph ? tn_onnx_build(model, graph, given, count, NULL) : TN_OK;
    (void)ignored;
    if (graph) read_onnx_text(model, given, count);
    tn_graph_free(graph);
    tn_onnx_free(model);
    return status;
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
    {"idx", read_idx, FUZZ_PATH},         {"csv", read_csv, FUZZ_PATH},
    {"kinds", read_kinds, FUZZ_LINE},     {"checkpoint", read_checkpoint, FUZZ_PATH},
    {"picture", read_picture, FUZZ_PATH}, {"image", read_image, FUZZ_PATH},
    {"stream", read_stream, FUZZ_PATH},   {"array", read_array, FUZZ_PATH},
    {"arrays", read_arrays, FUZZ_PATH},   {"model", read_model, FUZZ_NOTHING},
    {"graph", read_graph, FUZZ_PATH},     {"onnx", read_onnx, FUZZ_PATH},
    {"net", read_net, FUZZ_LINE},         {"schedule", read_schedule, FUZZ_LINE},
    {"plugin", read_plugin, FUZZ_LINE},   {"cache", read_cache, FUZZ_NOTHING},
    {"tuned", read_tuned, FUZZ_LINE},
};

static const fuzz_seed seeds[] = {
    {"idx", "idx", fuzz_make_idx},
    {"idx.gz", "idx", fuzz_make_gzip},
    {"csv", "csv", fuzz_make_csv},
    {"csv with spaces", "csv", fuzz_make_spaced},
    {"csv.gz", "csv", fuzz_make_packed_csv},
    {"texts of a table", "kinds", fuzz_make_kinds},
    {"safetensors", "checkpoint", fuzz_make_safetensors},
    {"png", "picture", fuzz_make_png},
    {"png with a palette", "picture", fuzz_make_palette_png},
    {"pgm", "picture", fuzz_make_pgm},
    {"jpeg", "image", fuzz_make_jpeg},
    {"jpeg to predict from", "picture", fuzz_make_jpeg},
    {"png to learn from", "image", fuzz_make_png},
    {"csv that stays in its file", "stream", fuzz_make_csv},
    {"npz that stays in its file", "stream", fuzz_make_stored_npz},
    {"safetensors that stay in their file", "stream", fuzz_make_tensors},
    {"raw pgm", "picture", fuzz_make_raw_pgm},
    {"npy", "array", fuzz_make_npy},
    {"npy in Fortran's order", "array", fuzz_make_fortran_npy},
    {"npz", "arrays", fuzz_make_npz},
    {"npz of parts", "arrays", fuzz_make_npz_of_parts},
    {"safetensors to learn from", "arrays", fuzz_make_tensors},
    {"a saved model", "model", fuzz_make_model},
    {"a saved graph", "graph", fuzz_make_graph},
    {"an ONNX file", "onnx", fuzz_make_onnx},
    {"a network in words", "net", fuzz_make_net},
    {"a schedule", "schedule", fuzz_make_schedule},
    {"a backend", "plugin", make_plugin},
    {"a cache entry", "cache", make_entry},
    {"a table of tuned kernels", "tuned", make_tuned},
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
