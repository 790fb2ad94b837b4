/* onnx.c: files of ONNX as the interface has them. The files are made here, byte by byte, as the format has them. */
#include "graph/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "graph.h"
#include "leaf.h"

/* ---- writing ---- */

typedef struct text {
    unsigned char byte[4000];
    size_t count;
} text;

static void put(text *t, const void *data, size_t bytes)
{
    memcpy(t->byte + t->count, data, bytes);
    t->count += bytes;
}

static void put_number(text *t, uint64_t x)
{
    for (; x > 127; x >>= 7) put(t, &(unsigned char){(unsigned char)(x | 128)}, 1);
    put(t, &(unsigned char){(unsigned char)x}, 1);
}

static void whole(text *t, int field, uint64_t x)
{
    put_number(t, (uint64_t)field << 3);
    put_number(t, x);
}

static void bytes(text *t, int field, const void *data, size_t count)
{
    put_number(t, (uint64_t)field << 3 | 2);
    put_number(t, count);
    put(t, data, count);
}

static void string(text *t, int field, const char *s)
{
    bytes(t, field, s, strlen(s));
}

static void part(text *t, int field, const text *inner)
{
    bytes(t, field, inner->byte, inner->count);
}

/* A value of f32: its dimensions by number or, where they are negative, by the name "N". */
static text value(const char *name, int rank, const int64_t *dim)
{
    text shape = {{0}, 0}, tensor = {{0}, 0}, type = {{0}, 0}, v = {{0}, 0};
    for (int d = 0; d < rank; d++) {
        text one = {{0}, 0};
        if (dim[d] < 0)
            string(&one, 2, "N");
        else
            whole(&one, 1, (uint64_t)dim[d]);
        part(&shape, 1, &one);
    }
    whole(&tensor, 1, 1);
    part(&tensor, 2, &shape);
    part(&type, 1, &tensor);
    string(&v, 1, name);
    part(&v, 2, &type);
    return v;
}

static text node(const char *op, const char *a, const char *b, const char *y)
{
    text n = {{0}, 0};
    string(&n, 1, a);
    if (b) string(&n, 1, b);
    string(&n, 2, y);
    string(&n, 4, op);
    return n;
}

/* A 2 x 2 weight. */
static text weight(const char *name, const float w[4])
{
    text t = {{0}, 0};
    whole(&t, 1, 2);
    whole(&t, 1, 2);
    whole(&t, 2, 1);
    string(&t, 8, name);
    bytes(&t, 9, w, 4 * sizeof *w);
    return t;
}

/* relu(x w), and whatever else, as a file of opset 17; the caller unlinks it. */
static void write_model(char path[32], const text *more, size_t count)
{
    const float w[4] = {1, -2, 3, 4};
    text graph = {{0}, 0}, model = {{0}, 0}, opset = {{0}, 0};
    text t = weight("fc.weight", w), product = node("MatMul", "x", "fc.weight", "p"),
         relu = node("Relu", "p", NULL, "y");
    text x = value("x", 2, (const int64_t[]){-1, 2}), y = value("y", 2, (const int64_t[]){-1, 2});
    part(&graph, 1, &product);
    part(&graph, 1, &relu);
    for (size_t i = 0; i < count; i++) part(&graph, 1, &more[i]);
    part(&graph, 5, &t);
    part(&graph, 11, &x);
    part(&graph, 12, &y);
    whole(&opset, 2, 17);
    whole(&model, 1, 8);
    part(&model, 7, &graph);
    part(&model, 8, &opset);
    strcpy(path, "/tmp/tenon-onnx-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, model.byte, model.count) == (ssize_t)model.count);
    close(fd);
}

static tn_onnx *load(const text *more, size_t count)
{
    char path[32];
    tn_onnx *model = NULL;
    write_model(path, more, count);
    ok(tn_onnx_load(path, &model));
    unlink(path);
    return model;
}

/* ---- tests ---- */

static void a_model_says_what_it_is(void **state)
{
    (void)state;
    tn_onnx *model = load(NULL, 0);
    tn_onnx_port port;
    tn_onnx_operator op;
    assert_int_equal(tn_onnx_input_at(model, 0, &port), 1);
    assert_string_equal(port.name, "x");
    assert_string_equal(port.element, "float");
    assert_string_equal(port.symbol[0], "N");
    assert_true(port.rank == 2 && port.dim[0] == -1 && port.dim[1] == 2 && port.dtype == TN_F32);
    assert_int_equal(tn_onnx_input_at(model, 1, &port), 0); /* the weight is none */
    assert_int_equal(tn_onnx_output_at(model, 0, &port), 1);
    assert_int_equal(tn_onnx_operator_at(model, 0, &op), 1);
    assert_string_equal(op.name, "MatMul");
    assert_true(op.count == 1 && op.opset == 17 && op.is_known);
    assert_int_equal(tn_onnx_weights(model), 4);
    tn_onnx_free(model);
}

static void it_runs_for_every_shape(void **state)
{
    (void)state;
    tn_onnx *model = load(NULL, 0);
    const float x[6] = {1, 1, -1, 0, 0, 2}, want[6] = {4, 2, 0, 2, 6, 8};
    for (int64_t rows = 1; rows <= 3; rows++) {
        fixture f = use_device("reference", 1);
        tn_graph *g = tn_graph_new();
        float y[6];
        const tn_onnx_given given = {.name = "x", .shape = TN_SHAPE(rows, 2)};
        ok(tn_onnx_build(model, g, &given, 1, NULL));
        run_once(&f, g, "x", x, (size_t)rows * 8, "y", y, (size_t)rows * 2);
        assert_memory_equal(y, want, (size_t)rows * 8);
        tn_graph_free(g);
        drop_device(&f);
    }
    tn_onnx_free(model);
}

static void a_shape_that_is_not_said_has_to_be_given(void **state)
{
    (void)state;
    tn_onnx *model = load(NULL, 0);
    tn_graph *g = tn_graph_new();
    assert_int_equal(tn_onnx_build(model, g, NULL, 0, NULL), TN_ESHAPE);
    assert_non_null(strstr(tn_message(), "'x' is N in the file"));
    tn_graph_free(g);
    tn_onnx_free(model);
}

static void all_that_is_not_there_is_said_at_once(void **state)
{
    (void)state;
    const text more[] = {node("Strange", "x", NULL, "a"), node("Relu", "a", NULL, "b"), node("Strange", "b", NULL, "c"),
                         node("Odd", "y", NULL, "d"), node("MatMul", "x", "y", "e")};
    tn_onnx *model = load(more, 5);
    tn_graph *g = tn_graph_new();
    tn_onnx_problem p;
    const tn_onnx_given given = {.name = "x", .shape = TN_SHAPE(3, 2)};
    assert_int_equal(tn_onnx_build(model, g, &given, 1, NULL), TN_EUNSUPPORTED);
    assert_int_equal(tn_onnx_problem_at(model, 0, &p), 1);
    assert_string_equal(p.op, "Strange");
    assert_true(p.count == 2 && p.opset == 17);
    assert_string_equal(p.node, "a");
    assert_int_equal(tn_onnx_problem_at(model, 1, &p), 1);
    assert_string_equal(p.op, "Odd");
    assert_int_equal(tn_onnx_problem_at(model, 2, &p), 1); /* shapes that do not meet */
    assert_string_equal(p.op, "MatMul");
    assert_int_equal(tn_onnx_problem_at(model, 3, &p), 0);
    tn_graph_free(g);
    tn_onnx_free(model);
}

static void weights_are_parameters_of_their_names(void **state)
{
    (void)state;
    tn_onnx *model = load(NULL, 0);
    tn_graph *g = tn_graph_new();
    tn_tensor *param = NULL;
    const char *name;
    tn_shape shape;
    const float *data;
    const tn_onnx_given given = {.name = "x", .shape = TN_SHAPE(1, 2)};
    ok(tn_onnx_build(model, g, &given, 1, &(tn_onnx_options){.trainable = 1}));
    assert_int_equal(tn_variables(g, TN_TRAINABLE, &param, 1), 1);
    assert_string_equal(tn_name_of(param), "fc.weight");
    assert_int_equal(tn_onnx_weight_at(model, 0, &name, &shape, &data), 1);
    assert_string_equal(name, "fc.weight");
    assert_true(shape.rank == 2 && data[1] == -2);
    assert_int_equal(tn_onnx_weight_at(model, 1, &name, &shape, &data), 0);
    tn_graph_free(g);
    tn_onnx_free(model);
}

/* A network of one node, whose operand of that number is "w" and all before it x. */
static tn_onnx *load_one(const char *op, int operand)
{
    char path[32] = "/tmp/tenon-onnx-XXXXXX";
    const float w[4] = {1, -2, 3, 4};
    text n = {{0}, 0}, graph = {{0}, 0}, model = {{0}, 0}, t = weight("w", w);
    tn_onnx *made = NULL;
    for (int i = 0; i < operand; i++) string(&n, 1, "x");
    string(&n, 1, "w");
    string(&n, 2, "y");
    string(&n, 4, op);
    if (strncmp(op, "Deform", 6) != 0 && strncmp(op, "Simplified", 10) != 0) string(&n, 7, "com.microsoft");
    part(&graph, 1, &n);
    part(&graph, 5, &t);
    part(&model, 7, &graph);
    const int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, model.byte, model.count) == (ssize_t)model.count);
    close(fd);
    ok(tn_onnx_load(path, &made));
    unlink(path);
    return made;
}

static void layers_that_were_joined_have_weights(void **state)
{
    static const struct {
        const char *op;
        int operand, is_weight;
    } cases[] = {{"FusedConv", 1, 1},
                 {"FusedConv", 2, 1},
                 {"FusedConv", 3, 0},
                 {"FusedGemm", 1, 1},
                 {"FusedMatMul", 1, 1},
                 {"DeformConv", 1, 1},
                 {"DeformConv", 2, 0},
                 {"DeformConv", 3, 1},
                 {"DeformConv", 4, 0},
                 {"SimplifiedLayerNormalization", 1, 1},
                 {"SkipLayerNormalization", 1, 0},
                 {"SkipLayerNormalization", 2, 1},
                 {"SkipLayerNormalization", 4, 1},
                 {"BiasGelu", 1, 1},
                 {"SkipSimplifiedLayerNormalization", 3, 1},
                 {"EmbedLayerNormalization", 1, 0},
                 {"EmbedLayerNormalization", 2, 1},
                 {"EmbedLayerNormalization", 6, 1},
                 {"FastGelu", 1, 1},
                 {"EmbedLayerNormalization", 7, 0},
                 {"Attention", 1, 1},
                 {"Attention", 2, 1},
                 {"Attention", 3, 0},
                 {"MultiHeadAttention", 3, 1},
                 {"MultiHeadAttention", 5, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *name;
        tn_shape shape;
        tn_onnx *model = load_one(cases[i].op, cases[i].operand);
        if (tn_onnx_weight_at(model, 0, &name, &shape, NULL) != cases[i].is_weight)
            fail_msg("%s, operand %d", cases[i].op, cases[i].operand);
        tn_onnx_free(model);
    }
}

static void what_has_two_makers_is_refused(void **state)
{
    static const struct {
        const char *from, *makes, *said;
    } cases[] = {{"p", "y", "'y' is made twice"},
                 {"p", "x", "'x' is given, and made by a node of Neg, too"},
                 {"x", "fc.weight", "'fc.weight' is given, and made by a node of Neg, too"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const text more = node("Neg", cases[i].from, NULL, cases[i].makes);
        char path[32];
        tn_onnx *model = NULL;
        write_model(path, &more, 1);
        assert_int_equal(tn_onnx_load(path, &model), TN_EFORMAT);
        unlink(path);
        if (!strstr(tn_message(), cases[i].said)) fail_msg("%s", tn_message());
    }
}

/* Each scope has variables of its own; those of another shape stay. */
static void weights_go_where_the_scope_is(void **state)
{
    (void)state;
    fixture f = use_device("reference", 1);
    tn_onnx *model = load(NULL, 0);
    tn_graph *g = tn_graph_new();
    tn_state_entry entry;
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(1, 2)), *y = NULL;
    const float z[2] = {1, 1}, want[2] = {4, 2};
    float got[2];
    for (int i = 0; i < 2; i++) {
        tn_scope_push(g, i ? "second" : "first");
        ok(tn_onnx_apply(model, &x, 1, &y, 1, &(tn_onnx_options){.trainable = 1}));
        tn_scope_pop(g);
        ok(tn_onnx_put(model, f.state, i ? "second" : "first"));
    }
    ok(tn_onnx_put(model, f.state, "second"));
    assert_int_equal(tn_state_find(f.state, "first.fc.weight", &entry), 1);
    assert_int_equal(tn_state_find(f.state, "fc.weight", &entry), 0);
    tn_output(y, "out");
    run_once(&f, g, "x", z, sizeof z, "out", got, 2);
    assert_memory_equal(got, want, sizeof got);
    tn_graph_free(g);
    tn_onnx_free(model);
    drop_device(&f);
}

static void a_model_is_a_part_of_a_network(void **state)
{
    (void)state;
    fixture f = use_device("reference", 1);
    tn_onnx *model = load(NULL, 0);
    tn_graph *g = tn_graph_new();
    tn_tensor *x = tn_input(g, "z", TN_F32, TN_SHAPE(1, 2)), *y = NULL, *twice = tn_add(x, x);
    const float z[2] = {1, 1}, want[2] = {8, 4};
    float got[2];
    ok(tn_onnx_apply(model, &twice, 1, &y, 1, NULL));
    tn_output(y, "out");
    run_once(&f, g, "z", z, sizeof z, "out", got, 2);
    assert_memory_equal(got, want, sizeof got);
    tn_graph_free(g);
    tn_onnx_free(model);
    drop_device(&f);
}

/* A list of `count` numbers, from 1 on: as an attribute, or as what a Constant makes. */
static text list(const char *name, uint64_t count)
{
    text at = {{0}, 0};
    string(&at, 1, name);
    for (uint64_t i = 0; i < count; i++) whole(&at, 8, i + 1);
    whole(&at, 20, 7);
    return at;
}

static text constant(const char *y, uint64_t count)
{
    text n = {{0}, 0}, at = list("value_ints", count);
    string(&n, 2, y);
    string(&n, 4, "Constant");
    part(&n, 5, &at);
    return n;
}

static void lists_of_the_wrong_length_are_problems(void **state)
{
    static const struct {
        const char *op, *in[4], *y, *attribute;
        uint64_t count; /* of the numbers in k, and in the attribute */
    } cases[] = {{"Resize", {"x", "", "", "k"}, "r", "axes", 40},
                 {"Upsample", {"x", "k"}, "r", NULL, 1},
                 {"Pad", {"x", "k"}, "r", NULL, 40},
                 {"Pad", {"x", "k"}, "r", NULL, 2},
                 {"CenterCropPad", {"x", "k"}, "r", NULL, 40},
                 {"Tile", {"x", "k"}, "r", NULL, 3},
                 {"Slice", {"x", "k", "x"}, "r", NULL, 2},
                 {"Range", {"k", "k", "k"}, "r", NULL, 0},
                 {"Split", {"x"}, NULL, NULL, 1}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        text more[2] = {constant("k", cases[i].count), {{0}, 0}}, at = list("axes", cases[i].count);
        for (int k = 0; k < 4 && cases[i].in[k]; k++) string(&more[1], 1, cases[i].in[k]);
        if (cases[i].y) string(&more[1], 2, cases[i].y);
        string(&more[1], 4, cases[i].op);
        if (cases[i].attribute) part(&more[1], 5, &at);
        tn_onnx *model = load(more, 2);
        tn_graph *g = tn_graph_new();
        tn_onnx_problem p;
        const tn_onnx_given given = {.name = "x", .shape = TN_SHAPE(3, 2)};
        tn_status s = tn_onnx_build(model, g, &given, 1, NULL);
        if (cases[i].y && (s != TN_EUNSUPPORTED || !tn_onnx_problem_at(model, 0, &p) || strcmp(p.op, cases[i].op)))
            fail_msg("%s: %s: %s", cases[i].op, tn_status_name(s), tn_message());
        tn_graph_free(g);
        tn_onnx_free(model);
    }
}

/* 0.1 as a float is 0.100000001490116; 0.1 was meant. */
static void an_epsilon_is_the_decimal_that_was_meant(void **state)
{
    (void)state;
    const float epsilon = 0.1f;
    const tn_onnx_given given = {.name = "x", .shape = TN_SHAPE(2, 2)};
    text n[2] = {node("LayerNormalization", "x", "fc.weight", "l"), node("Relu", "inverse", NULL, "r")}, at = {{0}, 0};
    string(&n[0], 2, "mean");
    string(&n[0], 2, "inverse");
    string(&at, 1, "epsilon");
    put_number(&at, 2 << 3 | 5);
    put(&at, &epsilon, sizeof epsilon);
    whole(&at, 20, 1);
    part(&n[0], 5, &at);
    tn_onnx *model = load(n, 2);
    tn_graph *g = tn_graph_new();
    int found = 0;
    ok(tn_onnx_build(model, g, &given, 1, NULL));
    for (uint32_t i = 0; i < g->count; i++) {
        const tn_tensor *x = g->tensor[i];
        if (x->op == &tn_op_full) found += ((const tn_full_attrs *)x->attrs)->value == 0.1;
    }
    assert_int_equal(found, 1);
    tn_graph_free(g);
    tn_onnx_free(model);
}

static void parts_that_lie_too_deep_are_refused(void **state)
{
    (void)state;
    enum { LEVELS = 3000 };
    static unsigned char file[16 * LEVELS];
    size_t at = sizeof file;
    const unsigned char fields[3] = {7 << 3 | 2, 1 << 3 | 2, 5 << 3 | 2}; /* graph, node, attribute */
    for (int i = LEVELS; i-- > 0;) {
        size_t length = sizeof file - at;
        unsigned char tag = i ? (unsigned char[]){6 << 3 | 2, 1 << 3 | 2, 5 << 3 | 2}[i % 3] : fields[0];
        unsigned char head[8], n = 0;
        head[n++] = tag;
        for (; length > 127; length >>= 7) head[n++] = (unsigned char)(length | 128);
        head[n++] = (unsigned char)length;
        at -= n;
        memcpy(file + at, head, n);
    }
    char path[32] = "/tmp/tenon-onnx-XXXXXX";
    int fd = mkstemp(path);
    tn_onnx *model = NULL;
    assert_true(write(fd, file + at, sizeof file - at) == (ssize_t)(sizeof file - at));
    close(fd);
    assert_int_equal(tn_onnx_load(path, &model), TN_EFORMAT);
    assert_non_null(strstr(tn_message(), "within each other"));
    unlink(path);
}

static void nodes_come_in_any_order_but_not_in_circles(void **state)
{
    (void)state;
    tn_onnx_problem p;
    const text sorted[] = {node("Neg", "c", NULL, "d"), node("Add", "b", "a", "c"), node("Neg", "a", NULL, "b"),
                           node("Neg", "y", NULL, "a")};
    const text circle[] = {node("Neg", "b", NULL, "a"), node("Neg", "a", NULL, "b")};
    const tn_onnx_given given = {.name = "x", .shape = TN_SHAPE(3, 2)};
    for (int turn = 0; turn < 2; turn++) {
        tn_onnx *model = turn ? load(circle, 2) : load(sorted, 4);
        tn_graph *g = tn_graph_new();
        assert_int_equal(tn_onnx_build(model, g, &given, 1, NULL), turn ? TN_EUNSUPPORTED : TN_OK);
        assert_int_equal(tn_onnx_problem_at(model, 0, &p), turn);
        if (turn) assert_non_null(strstr(p.why, "nothing makes its operand"));
        tn_graph_free(g);
        tn_onnx_free(model);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_come_in_any_order_but_not_in_circles),
        cmocka_unit_test(a_model_says_what_it_is),
        cmocka_unit_test(it_runs_for_every_shape),
        cmocka_unit_test(a_shape_that_is_not_said_has_to_be_given),
        cmocka_unit_test(all_that_is_not_there_is_said_at_once),
        cmocka_unit_test(weights_are_parameters_of_their_names),
        cmocka_unit_test(layers_that_were_joined_have_weights),
        cmocka_unit_test(what_has_two_makers_is_refused),
        cmocka_unit_test(weights_go_where_the_scope_is),
        cmocka_unit_test(a_model_is_a_part_of_a_network),
        cmocka_unit_test(lists_of_the_wrong_length_are_problems),
        cmocka_unit_test(an_epsilon_is_the_decimal_that_was_meant),
        cmocka_unit_test(parts_that_lie_too_deep_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
