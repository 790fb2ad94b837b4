/* exchange.c: files of every format that the library writes, from one machine to another, whose numbers may have their
 * bytes in another order, or a `long` of another size.
 * usage: exchange write|read FOLDER
 * `write` makes the files there; `read` reads them and compares each number to the bit. What is in them is drawn by a
 * generator of its own, and so the same wherever it is drawn. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tenon/tenon.h"

enum { COUNT = 37, SIDE = 6 };

#define OK(call)                                                                                                       \
    do {                                                                                                               \
        if (call) fprintf(stderr, "exchange: %s: %s\n", #call, tn_message()), exit(1);                                 \
    } while (0)

static const struct {
    const char *name;
    int32_t dtype;
    uint32_t bytes;
    uint64_t finite; /* of the bits: without one of the exponent a number is neither infinite nor none */
} types[] = {{"f32", TN_F32, 4, ~(1ull << 23)},
             {"f64", TN_F64, 8, ~(1ull << 52)},
             {"f16", TN_F16, 2, ~(1ull << 10)},
             {"bf16", TN_BF16, 2, ~(1ull << 7)},
             {"i32", TN_I32, 4, ~0ull},
             {"u8", TN_U8, 1, ~0ull},
             {"i8", TN_I8, 1, ~0ull}};

enum { TYPES = sizeof types / sizeof *types };

static char path[600];

static const char *in(const char *folder, const char *name)
{
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void same(const char *what, const void *a, const void *b, size_t bytes)
{
    if (!memcmp(a, b, bytes)) return;
    fprintf(stderr, "exchange: %s is not what was written\n", what);
    exit(1);
}

/* ---- numbers ---- */

/* Knuth's multiplier; the lower bits have short periods. */
static uint64_t draw(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return *seed >> 32;
}

static void fill(size_t type, void *data, int64_t count)
{
    uint64_t seed = type + 1;
    for (int64_t i = 0; i < count; i++) {
        const uint64_t high = draw(&seed), bits = (high << 32 | draw(&seed)) & types[type].finite;
        const uint32_t four = (uint32_t)bits;
        const uint16_t two = (uint16_t)bits;
        const uint8_t one = (uint8_t)bits;
        const void *from[] = {[1] = &one, [2] = &two, [4] = &four, [8] = &bits};
        memcpy((char *)data + (size_t)i * types[type].bytes, from[types[type].bytes], types[type].bytes);
    }
}

/* ---- a state ---- */

static void write_state(tn_device *device, const char *folder)
{
    tn_state *state = NULL;
    uint64_t data[COUNT];
    OK(tn_state_new(device, 18446744073709551615u, &state));
    tn_state_set_step(state, 4294967299u);
    for (size_t t = 0; t < TYPES; t++) {
        fill(t, data, COUNT);
        OK(tn_state_put(state, types[t].name, types[t].dtype, TN_SHAPE(COUNT), 0, data));
    }
    OK(tn_state_save(state, in(folder, "state.safetensors"), NULL, 0));
    tn_state_free(state);
}

static void read_state(tn_device *device, const char *folder)
{
    tn_checkpoint *file = NULL;
    tn_state *state = NULL;
    uint64_t want[COUNT], got[COUNT];
    OK(tn_checkpoint_open(in(folder, "state.safetensors"), &file));
    OK(tn_state_new(device, 0, &state));
    OK(tn_checkpoint_load(file, state));
    for (size_t t = 0; t < TYPES; t++) {
        fill(t, want, COUNT);
        OK(tn_state_read(state, types[t].name, got, COUNT * types[t].bytes));
        same(types[t].name, got, want, COUNT * types[t].bytes);
    }
    if (tn_state_step(state) != 4294967299u || tn_state_seed(state) != UINT64_MAX) same("step", "a", "b", 1);
    tn_state_free(state);
    tn_checkpoint_close(file);
}

/* ---- a graph ---- */

static void write_graph(tn_device *device, const char *folder)
{
    uint64_t data[COUNT];
    tn_graph *graph = tn_graph_new();
    (void)device;
    for (size_t t = 0; t < TYPES; t++) {
        fill(t, data, COUNT);
        tn_output(tn_constant(graph, types[t].dtype, TN_SHAPE(COUNT), data), types[t].name);
    }
    OK(tn_graph_save(graph, in(folder, "graph.json")));
    tn_graph_free(graph);
}

static void read_graph(tn_device *device, const char *folder)
{
    uint64_t want[COUNT], got[COUNT];
    tn_graph *graph = NULL;
    tn_state *state = NULL;
    tn_program *program = NULL;
    OK(tn_graph_load(in(folder, "graph.json"), &graph));
    OK(tn_state_new(device, 1, &state));
    OK(tn_compile(graph, state, NULL, &program));
    OK(tn_program_run(program));
    for (size_t t = 0; t < TYPES; t++) {
        fill(t, want, COUNT);
        OK(tn_fetch(program, types[t].name, got, COUNT * types[t].bytes));
        same(types[t].name, got, want, COUNT * types[t].bytes);
    }
    tn_program_free(program);
    tn_state_free(state);
    tn_graph_free(graph);
}

/* ---- arrays: what NumPy has no type for isn't written, and what is read is u8, i32 or f32 ---- */

static void write_arrays(tn_device *device, const char *folder)
{
    static const uint16_t half[] = {0x3c00, 0xc100, 0x7bff, 0x0001, 0x8000};
    uint64_t data[COUNT];
    double wide[COUNT];
    float narrow[COUNT];
    (void)device;
    for (size_t t = 0; t < TYPES; t++) {
        fill(t, data, COUNT);
        if (types[t].dtype == TN_F32) memcpy(narrow, data, sizeof narrow);
        if (types[t].dtype == TN_BF16 || types[t].dtype == TN_F16 || types[t].dtype == TN_F64) continue;
        char name[20];
        snprintf(name, sizeof name, "%s.npy", types[t].name);
        OK(tn_array_write(in(folder, name), types[t].dtype, TN_SHAPE(COUNT), data));
    }
    for (int i = 0; i < COUNT; i++) wide[i] = (double)narrow[i];
    OK(tn_array_write(in(folder, "f64.npy"), TN_F64, TN_SHAPE(COUNT), wide));
    OK(tn_array_write(in(folder, "f16.npy"), TN_F16, TN_SHAPE(5), half));
}

static void read_one(const char *folder, const char *name, const void *want, size_t bytes)
{
    tn_array array = {0};
    tn_dataset rows = {0};
    OK(tn_array_read(in(folder, name), NULL, &array));
    same(name, array.data, want, bytes);
    OK(tn_dataset_samples(path, TN_STREAM_YES, &rows)); /* the same, row by row out of the file */
    float number = 0;
    for (int64_t i = 0; array.dtype == TN_F32 && i < rows.count; i++) {
        OK(tn_dataset_sample(&rows, i, &number, NULL));
        same(name, &number, (const char *)want + (size_t)i * sizeof number, sizeof number);
    }
    tn_dataset_free(&rows);
    tn_array_free(&array);
}

static void read_arrays(tn_device *device, const char *folder)
{
    static const float halves[] = {1, -2.5f, 65504, 0x1p-24f, -0.0f};
    uint64_t data[COUNT];
    int8_t small[COUNT];
    int32_t whole[COUNT];
    (void)device;
    for (size_t t = 0; t < TYPES; t++) {
        fill(t, data, COUNT);
        if (types[t].dtype == TN_F32) read_one(folder, "f32.npy", data, COUNT * 4);
        if (types[t].dtype == TN_F32) read_one(folder, "f64.npy", data, COUNT * 4);
        if (types[t].dtype == TN_I32) read_one(folder, "i32.npy", data, COUNT * 4);
        if (types[t].dtype == TN_U8) read_one(folder, "u8.npy", data, COUNT);
        if (types[t].dtype == TN_I8) memcpy(small, data, COUNT);
    }
    for (int i = 0; i < COUNT; i++) whole[i] = small[i];
    read_one(folder, "i8.npy", whole, sizeof whole);
    read_one(folder, "f16.npy", halves, sizeof halves);
}

/* ---- a network as ONNX has it, its weights in it and beside it ---- */

static const char *const networks[] = {"net.onnx", "beside.onnx"};

static void draw_weights(float weight[SIDE * SIDE], float number[SIDE], int32_t index[SIDE])
{
    uint64_t seed = 99;
    for (int i = 0; i < SIDE * SIDE; i++) weight[i] = (float)((int)(draw(&seed) % 2001) - 1000) / 64;
    for (int i = 0; i < SIDE; i++) number[i] = (float)i / 8 - 1, index[i] = SIDE - 1 - i;
}

static void write_onnx(tn_device *device, const char *folder)
{
    float weight[SIDE * SIDE], number[SIDE];
    int32_t index[SIDE];
    tn_state *state = NULL;
    tn_graph *graph = tn_graph_new();
    draw_weights(weight, number, index);
    tn_tensor *x = tn_input(graph, "x", TN_F32, TN_SHAPE(1, SIDE));
    tn_tensor *y = tn_matmul(x, tn_param(graph, "weight", TN_SHAPE(SIDE, SIDE), (tn_init){TN_INIT_ZERO}));
    y = tn_add(y, tn_constant(graph, TN_F32, TN_SHAPE(SIDE), number));
    y = tn_gather(tn_reshape(y, TN_SHAPE(SIDE, 1)), tn_constant(graph, TN_I32, TN_SHAPE(SIDE), index));
    tn_output(y, "y");
    OK(tn_graph_status(graph));
    OK(tn_state_new(device, 1, &state));
    OK(tn_state_put(state, "weight", TN_F32, TN_SHAPE(SIDE, SIDE), TN_TRAINABLE, weight));
    for (uint64_t beside = 0; beside < 2; beside++)
        OK(tn_onnx_save(graph, state, in(folder, networks[beside]), &(tn_onnx_save_options){.external = beside * 16}));
    tn_state_free(state);
    tn_graph_free(graph);
}

/* Whole multiples of 1/512 below 2^15: no order of additions rounds them. */
static void run_onnx(tn_device *device, tn_onnx *model, const float want[SIDE])
{
    const float x[SIDE] = {1, -0.5f, 2, 0.25f, -4, 0.125f};
    float y[SIDE];
    tn_state *state = NULL;
    tn_program *program = NULL;
    tn_graph *graph = tn_graph_new();
    OK(tn_onnx_build(model, graph, NULL, 0, NULL));
    OK(tn_state_new(device, 1, &state));
    OK(tn_compile(graph, state, NULL, &program));
    OK(tn_feed(program, "x", x, sizeof x));
    OK(tn_program_run(program));
    OK(tn_fetch(program, "y", y, sizeof y));
    same("what the network computes", y, want, sizeof y);
    tn_program_free(program);
    tn_state_free(state);
    tn_graph_free(graph);
}

static void read_onnx(tn_device *device, const char *folder)
{
    const float x[SIDE] = {1, -0.5f, 2, 0.25f, -4, 0.125f};
    float weight[SIDE * SIDE], number[SIDE], want[SIDE];
    int32_t index[SIDE];
    draw_weights(weight, number, index);
    for (int i = 0; i < SIDE; i++) {
        want[i] = number[index[i]];
        for (int k = 0; k < SIDE; k++) want[i] += x[k] * weight[k * SIDE + index[i]];
    }
    for (int beside = 0; beside < 2; beside++) {
        tn_onnx *model = NULL;
        tn_shape shape;
        const char *name = NULL;
        const float *data = NULL;
        OK(tn_onnx_load(in(folder, networks[beside]), &model));
        if (!tn_onnx_weight_at(model, 0, &name, &shape, &data)) OK(TN_EMISSING);
        same("the network's weight", data, weight, sizeof weight);
        run_onnx(device, model, want);
        tn_onnx_free(model);
    }
}

/* ---- what is only read: written here byte by byte, as it comes from elsewhere ---- */

static void read_idx(tn_device *device, const char *folder)
{
    static const uint8_t images[] = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 10, 20, 30, 40};
    static const uint8_t labels[] = {0, 0, 8, 1, 0, 0, 0, 2, 7, 3};
    char other[600];
    tn_dataset data = {0};
    (void)device;
    OK(tn_file_replace(in(folder, "images.idx"), images, sizeof images));
    strcpy(other, path);
    OK(tn_file_replace(in(folder, "labels.idx"), labels, sizeof labels));
    OK(tn_dataset_idx(other, path, &data));
    same("the images of IDX", data.x, images + 16, 4);
    if (data.count != 2 || data.label[0] != 7 || data.label[1] != 3) same("IDX", "a", "b", 1);
    tn_dataset_free(&data);
}

static void write_nothing(tn_device *device, const char *folder)
{
    (void)device, (void)folder;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*write)(tn_device *device, const char *folder);
        void (*read)(tn_device *device, const char *folder);
    } formats[] = {{"safetensors", write_state, read_state},
                   {"graph", write_graph, read_graph},
                   {"NumPy", write_arrays, read_arrays},
                   {"ONNX", write_onnx, read_onnx},
                   {"IDX", write_nothing, read_idx}};
    if (argc != 3 || (strcmp(argv[1], "write") && strcmp(argv[1], "read"))) return 2;
    const int writing = *argv[1] == 'w';
    tn_device *device = NULL;
    OK(tn_device_open("reference", &device));
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        fprintf(stderr, "exchange: %s\n", formats[i].name);
        (writing ? formats[i].write : formats[i].read)(device, argv[2]);
    }
    tn_device_close(device);
    return 0;
}
