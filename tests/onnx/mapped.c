/* mapped.c: the weights of an ONNX file stay where they are in it, wherever that is, until a device has them, and then
 * leave memory; a file that others change meanwhile is an error that names it. */
#include "graph/harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "graph.h"
#include "leaf.h"
#include "model.h"
#include "read.h"

enum { ROWS = 256, COLUMNS = 1024, COUNT = ROWS * COLUMNS, BYTES = COUNT * 4, PADS = 4 };

/* ---- a file: y = x w, with so many letters before the numbers ---- */

static Onnx__ValueInfoProto value(char *name, Onnx__TypeProto *type, Onnx__TypeProto__Tensor *tensor)
{
    Onnx__ValueInfoProto v = ONNX__VALUE_INFO_PROTO__INIT;
    *type = (Onnx__TypeProto)ONNX__TYPE_PROTO__INIT;
    *tensor = (Onnx__TypeProto__Tensor)ONNX__TYPE_PROTO__TENSOR__INIT;
    tensor->has_elem_type = 1, tensor->elem_type = 1;
    type->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    type->tensor_type = tensor;
    v.name = name;
    v.type = type;
    return v;
}

static void write_packed(const Onnx__ModelProto *model, char path[40])
{
    const size_t size = onnx__model_proto__get_packed_size(model);
    unsigned char *data = malloc(size);
    assert_non_null(data);
    onnx__model_proto__pack(model, data);
    strcpy(path, "/tmp/tenon-mapped-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    close(fd);
    free(data);
}

/* The numbers as raw bytes, or as a list of floats, which is the same bytes. */
static void give_numbers(Onnx__TensorProto *t, const float *w, int listed)
{
    t->has_data_type = 1, t->data_type = 1;
    if (listed)
        t->n_float_data = COUNT, t->float_data = (float *)(uintptr_t)w;
    else
        t->has_raw_data = 1, t->raw_data = (ProtobufCBinaryData){BYTES, (uint8_t *)(uintptr_t)w};
}

static void write_form(char path[40], const float *w, size_t pad, int listed)
{
    char letters[PADS + 1] = "";
    Onnx__TypeProto type[2];
    Onnx__TypeProto__Tensor tensor[2];
    Onnx__ValueInfoProto x = value("x", &type[0], &tensor[0]), y = value("y", &type[1], &tensor[1]);
    Onnx__TensorProto t = ONNX__TENSOR_PROTO__INIT;
    Onnx__NodeProto n = ONNX__NODE_PROTO__INIT;
    Onnx__GraphProto g = ONNX__GRAPH_PROTO__INIT;
    Onnx__OperatorSetIdProto opset = ONNX__OPERATOR_SET_ID_PROTO__INIT;
    Onnx__ModelProto model = ONNX__MODEL_PROTO__INIT;
    t.name = "w";
    t.n_dims = 2, t.dims = (int64_t[]){ROWS, COLUMNS};
    give_numbers(&t, w, listed);
    n.op_type = "MatMul";
    n.n_input = 2, n.input = (char *[]){"x", "w"};
    n.n_output = 1, n.output = (char *[]){"y"};
    g.n_node = 1, g.node = (Onnx__NodeProto *[]){&n};
    g.n_initializer = 1, g.initializer = (Onnx__TensorProto *[]){&t};
    g.n_input = 1, g.input = (Onnx__ValueInfoProto *[]){&x};
    g.n_output = 1, g.output = (Onnx__ValueInfoProto *[]){&y};
    opset.has_version = 1, opset.version = 17;
    model.has_ir_version = 1, model.ir_version = 8;
    model.producer_name = memset(letters, 'p', pad); /* it stands before the graph */
    model.graph = &g;
    model.n_opset_import = 1, model.opset_import = (Onnx__OperatorSetIdProto *[]){&opset};
    write_packed(&model, path);
}

static void write_model(char path[40], const float *w, size_t pad)
{
    write_form(path, w, pad, 0);
}

/* ---- where memory is ---- */

/* Of the file's mapping, as the system tells it: whether the address lies in it, and its bytes in memory. */
static int is_mapped(const char *path, const void *address, unsigned long *resident)
{
    char line[600];
    unsigned long from, to, kilobytes;
    int found = 0, here = 0;
    FILE *file = fopen("/proc/self/smaps", "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        const int begins = sscanf(line, "%lx-%lx ", &from, &to) == 2;
        if (begins) here = strstr(line, path) != NULL;
        if (begins && here && (unsigned long)address >= from && (unsigned long)address < to) found = 1;
        if (here && sscanf(line, "Rss: %lu kB", &kilobytes) == 1) *resident = kilobytes * 1024;
    }
    fclose(file);
    return found;
}

static float *make_weight(void)
{
    float *w = malloc(BYTES);
    assert_non_null(w);
    for (int i = 0; i < COUNT; i++) w[i] = (float)(i % 1009) / 64 - 8;
    return w;
}

/* ---- tests ---- */

/* Brings it into memory. */
static void look_at(const void *data)
{
    for (size_t i = 0; i < BYTES; i += 512) (void)((const volatile unsigned char *)data)[i];
}

/* Compiles y = x w, x all ones, by a model that was built as `how` says, and compares with the columns' sums. */
static void check_product(tn_onnx *model, tn_graph *g, const float *w, int trainable, const char *path)
{
    fixture f = use_device("reference", 1);
    float x[ROWS], y[COLUMNS];
    unsigned long after = 0;
    tn_program *p = NULL;
    if (trainable) ok(tn_onnx_put(model, f.state, NULL));
    ok(tn_compile(g, f.state, NULL, &p));
    (void)is_mapped(path, NULL, &after);
    assert_true(after < BYTES / 4);
    for (int i = 0; i < ROWS; i++) x[i] = 1;
    ok(tn_feed(p, "x", x, sizeof x));
    ok(tn_program_run(p));
    ok(tn_fetch(p, "y", y, sizeof y));
    for (int c = 0; c < COLUMNS; c++) {
        double sum = 0;
        for (int r = 0; r < ROWS; r++) sum += (double)w[r * COLUMNS + c];
        assert_true(y[c] == (float)sum);
    }
    tn_program_free(p);
    drop_device(&f);
}

static void weights_stay_in_the_file_until_they_are_on_the_device(void **state)
{
    (void)state;
    float *w = make_weight();
    const tn_onnx_given given = {.name = "x", .shape = TN_SHAPE(1, ROWS)};
    for (int i = 0; i < 4 * PADS; i++) {
        const uint32_t trainable = i % 2;
        char path[40];
        tn_onnx *model = NULL;
        unsigned long resident = 0;
        const char *name;
        const float *data = NULL;
        tn_shape shape;
        write_form(path, w, (size_t)i / 4, i / 2 % 2);
        ok(tn_onnx_load(path, &model));
        tn_graph *g = tn_graph_new();
        ok(tn_onnx_build(model, g, &given, 1, &(tn_onnx_options){.trainable = trainable}));
        for (uint32_t k = 0; k < g->count; k++)
            if (g->tensor[k]->op == &tn_op_constant) {
                assert_true(is_mapped(path, ((const tn_constant_attrs *)g->tensor[k]->attrs)->data, &resident));
                look_at(((const tn_constant_attrs *)g->tensor[k]->attrs)->data);
            }
        if (trainable && tn_onnx_weight_at(model, 0, &name, &shape, &data)) look_at(data);
        check_product(model, g, w, (int)trainable, path);
        tn_graph_free(g);
        tn_onnx_free(model);
        assert_false(is_mapped(path, NULL, &resident));
        unlink(path);
    }
    free(w);
}

/* A program may want floats, whose addresses are multiples of four: then there is a copy, and one only. */
static void numbers_that_are_asked_for_lie_at_whole_addresses(void **state)
{
    (void)state;
    float *w = make_weight();
    int copied = 0;
    for (size_t pad = 0; pad < PADS; pad++) {
        char path[40];
        const char *name;
        const float *data = NULL, *again = NULL;
        unsigned long resident;
        tn_shape shape;
        tn_onnx *model = NULL;
        write_model(path, w, pad);
        ok(tn_onnx_load(path, &model));
        assert_int_equal(tn_onnx_weight_at(model, 0, &name, &shape, NULL), 1);
        assert_string_equal(name, "w");
        assert_int_equal(tn_onnx_weight_at(model, 0, &name, &shape, &data), 1);
        assert_int_equal(tn_onnx_weight_at(model, 0, &name, &shape, &again), 1);
        assert_true((uintptr_t)data % sizeof *data == 0 && data == again);
        assert_memory_equal(data, w, BYTES);
        copied += !is_mapped(path, data, &resident);
        tn_onnx_free(model);
        unlink(path);
    }
    assert_int_equal(copied, PADS - 1);
    free(w);
}

/* ---- files that change ---- */

static void empty(const char *path)
{
    assert_int_equal(truncate(path, 0), 0);
}

/* Of the same size: the time tells. */
static void touch(const char *path)
{
    const struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void check_changed(tn_status s, const char *path)
{
    char expected[100];
    snprintf(expected, sizeof expected, "%s: was changed since it was read", path);
    assert_int_equal(s, TN_EIO);
    assert_non_null(strstr(tn_message(), expected));
}

static void a_file_that_changed_is_an_error_wherever_its_numbers_are_used(void **state)
{
    (void)state;
    static void (*const change[])(const char *path) = {empty, touch};
    float *w = make_weight();
    const tn_onnx_given given = {.name = "x", .shape = TN_SHAPE(1, ROWS)};
    for (int i = 0; i < 2; i++) {
        char path[40];
        const char *text;
        const float *numbers = NULL;
        tn_shape shape;
        tn_onnx *model = NULL;
        tn_program *p = NULL;
        fixture f = use_device("reference", 1);
        write_model(path, w, 0);
        ok(tn_onnx_load(path, &model));
        tn_graph *g = tn_graph_new(), *later = tn_graph_new();
        ok(tn_onnx_build(model, g, &given, 1, NULL));
        change[i](path);
        check_changed(tn_compile(g, f.state, NULL, &p), path);
        check_changed(tn_onnx_save(g, f.state, "/tmp/tenon-mapped-none", NULL), path);
        check_changed(tn_onnx_put(model, f.state, NULL), path);
        check_changed(tn_onnx_text(model, NULL, &text), path);
        assert_false(tn_onnx_weight_at(model, 0, &text, &shape, &numbers));
        check_changed(tn_onnx_build(model, later, &given, 1, NULL), path);
        tn_graph_free(later);
        tn_graph_free(g);
        tn_onnx_free(model);
        drop_device(&f);
        unlink(path);
    }
    free(w);
}

/* Others cut the file when nothing stands between a look at it and what is read of it. */
static const char *cut;

ssize_t REAL_PREAD(int fd, void *to, size_t bytes, off_t offset);
ssize_t WRAPPED_PREAD(int fd, void *to, size_t bytes, off_t offset);
ssize_t WRAPPED_PREAD(int fd, void *to, size_t bytes, off_t offset)
{
    if (cut) empty(cut);
    return REAL_PREAD(fd, to, bytes, offset);
}

static void a_file_that_is_cut_while_a_device_gets_it_is_an_error(void **state)
{
    (void)state;
    float *w = make_weight();
    const tn_onnx_given given = {.name = "x", .shape = TN_SHAPE(1, ROWS)};
    for (int trainable = 0; trainable < 2; trainable++) {
        char path[40];
        tn_onnx *model = NULL;
        tn_program *p = NULL;
        fixture f = use_device("reference", 1);
        write_model(path, w, 0);
        ok(tn_onnx_load(path, &model));
        tn_graph *g = tn_graph_new();
        ok(tn_onnx_build(model, g, &given, 1, NULL));
        cut = path;
        check_changed(trainable ? tn_onnx_put(model, f.state, NULL) : tn_compile(g, f.state, NULL, &p), path);
        cut = NULL;
        tn_graph_free(g);
        tn_onnx_free(model);
        drop_device(&f);
        unlink(path);
    }
    free(w);
}

static void a_file_that_is_cut_while_it_is_looked_at_is_an_error(void **state)
{
    (void)state;
    float *w = make_weight();
    const tn_onnx_given given = {.name = "x", .shape = TN_SHAPE(1, ROWS)};
    for (int is_read = 0; is_read < 2; is_read++) {
        char path[40], expected[100];
        tn_onnx *model = NULL;
        write_model(path, w, 0);
        if (is_read) ok(tn_onnx_load(path, &model));
        tn_graph *g = tn_graph_new();
        cut = path;
        const tn_status s = is_read ? tn_onnx_build(model, g, &given, 1, NULL) : tn_onnx_load(path, &model);
        cut = NULL;
        assert_int_equal(s, TN_EIO);
        snprintf(expected, sizeof expected, "%s: was changed", path);
        assert_non_null(strstr(tn_message(), expected));
        tn_graph_free(g);
        tn_onnx_free(model);
        unlink(path);
    }
    free(w);
}

static void what_is_small_is_read_and_lasts(void **state)
{
    (void)state;
    enum { MANY = 300 * 1024 };
    for (int mapped = 0; mapped < 2; mapped++) {
        char path[] = "/tmp/tenon-mapped-XXXXXX";
        tn_mapping *m = NULL;
        const size_t size = mapped ? 4 * MANY : MANY;
        unsigned char *bytes = malloc(size);
        int fd = mkstemp(path);
        assert_non_null(memset(bytes, 7, size));
        assert_true(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
        ok(tn_map(path, &m));
        ok(tn_mapped_check(m->data, size));
        empty(path);
        tn_mapped_used(m->data, size);
        if (mapped) {
            check_changed(tn_mapping_check(m), path);
            check_changed(tn_mapped_check(m->data + MANY, 1), path);
            check_changed(tn_mapped_read(m->data + MANY, 1, bytes), path);
        } else {
            ok(tn_mapping_check(m));
            assert_memory_equal(m->data, bytes, size);
        }
        tn_unmap(m);
        ok(tn_mapped_check(bytes, size));
        close(fd), unlink(path), free(bytes);
    }
}

/* Between the two times that a file's bytes are walked lies one call for memory: then this byte becomes another. */
static unsigned char *changing, becomes;

void *__real_tn_alloc(size_t bytes);
void *__wrap_tn_alloc(size_t bytes);
void *__wrap_tn_alloc(size_t bytes)
{
    if (changing) *changing = becomes;
    return __real_tn_alloc(bytes);
}

static void *take(void *arg, size_t bytes)
{
    (void)arg;
    return malloc(bytes);
}

static void leave(void *arg, void *memory)
{
    (void)arg;
    free(memory);
}

/* Numbers that turn into a text, which is kept whole, and a text that turns into numbers, which leave but their place.
 */
static void bytes_that_change_between_two_looks_are_an_error(void **state)
{
    (void)state;
    enum { RAW = 9 << 3 | 2, DOC = 12 << 3 | 2 };
    static const unsigned char length[] = {0x80, 0x80, BYTES >> 14};
    ProtobufCAllocator heap = {take, leave, NULL};
    char path[40];
    uint64_t size = 0;
    float *w = make_weight();
    char *content = NULL;
    write_model(path, w, 0);
    ok(tn_read_whole(path, &content, &size));
    unsigned char *at = (unsigned char *)content;
    while (*at != RAW || memcmp(at + 1, length, sizeof length) != 0) at++;
    for (int i = 0; i < 2; i++) {
        Onnx__ModelProto *model = NULL;
        *at = i ? DOC : RAW;
        becomes = i ? RAW : DOC;
        changing = at;
        tn_status s = onnx_take_apart((unsigned char *)content, size, &heap, &model);
        changing = NULL;
        assert_int_equal(s, TN_EIO);
        assert_string_equal(tn_message(), "was changed while it was read");
        assert_null(model);
    }
    tn_free(content);
    unlink(path);
    free(w);
}

/* A list of floats is no raw bytes of another type, and neither is one beside raw bytes. */
static void lists_that_are_not_the_numbers_stay_lists(void **state)
{
    (void)state;
    float some[] = {1, 2, 3};
    for (int i = 0; i < 3; i++) {
        ProtobufCAllocator heap = {take, leave, NULL};
        Onnx__ModelProto model = ONNX__MODEL_PROTO__INIT, *read = NULL;
        Onnx__GraphProto g = ONNX__GRAPH_PROTO__INIT;
        Onnx__TensorProto t = ONNX__TENSOR_PROTO__INIT;
        t.has_data_type = 1, t.data_type = i == 1 ? 10 : 1;
        t.n_float_data = 3, t.float_data = some;
        if (i == 2) t.has_raw_data = 1, t.raw_data = (ProtobufCBinaryData){4, (uint8_t *)some};
        g.n_initializer = 1, g.initializer = (Onnx__TensorProto *[]){&t};
        model.graph = &g;
        const size_t size = onnx__model_proto__get_packed_size(&model);
        unsigned char *data = malloc(size);
        assert_true(data && onnx__model_proto__pack(&model, data) == size);
        ok(onnx_take_apart(data, size, &heap, &read));
        const Onnx__TensorProto *got = read->graph->initializer[0];
        assert_int_equal(got->n_float_data, i ? 3 : 0);
        assert_int_equal(got->raw_data.len, i == 0 ? 12 : i == 1 ? 0 : 4);
        if (!i) assert_memory_equal(got->raw_data.data, some, sizeof some);
        read->graph->initializer[0]->raw_data = (ProtobufCBinaryData){0}; /* it is in `data` */
        onnx__model_proto__free_unpacked(read, &heap);
        free(data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_stay_in_the_file_until_they_are_on_the_device),
        cmocka_unit_test(numbers_that_are_asked_for_lie_at_whole_addresses),
        cmocka_unit_test(a_file_that_changed_is_an_error_wherever_its_numbers_are_used),
        cmocka_unit_test(a_file_that_is_cut_while_a_device_gets_it_is_an_error),
        cmocka_unit_test(a_file_that_is_cut_while_it_is_looked_at_is_an_error),
        cmocka_unit_test(lists_that_are_not_the_numbers_stay_lists),
        cmocka_unit_test(what_is_small_is_read_and_lasts),
        cmocka_unit_test(bytes_that_change_between_two_looks_are_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
