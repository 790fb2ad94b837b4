/* save.c: what tn_onnx_save writes: read back by our own reader it gives the same; each operator is saved or refused by
 * its name; failures leave no file behind. ONNX Runtime judges the same files in save.py. */
#include "save.h"
#include "alloc.h"
#include "case.h"
#include "graph/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/tenon-onnx-save-XXXXXX", path[64];

static tn_onnx_save_options usual(tn_graph *other)
{
    return (tn_onnx_save_options){.other = other};
}

/* ---- there and back ---- */

/* The file's network for so many samples, run on them. */
static void run_rows(fixture *f, const save_net *net, int64_t rows, const void *x, size_t bytes, float **y,
                     size_t *count)
{
    tn_onnx *model = NULL;
    tn_graph *graph = tn_graph_new();
    tn_onnx_given given = {.name = "x", .shape = {net->sample.rank + 1, {rows}}};
    memcpy(&given.shape.dim[1], net->sample.dim, sizeof *net->sample.dim * (size_t)net->sample.rank);
    ok(tn_onnx_load(path, &model));
    ok(tn_onnx_build(model, graph, &given, 1, NULL));
    int32_t *whole = net->dtype == TN_U8 ? malloc(bytes * sizeof *whole) : NULL; /* as which our reader takes bytes */
    for (size_t i = 0; whole && i < bytes; i++) whole[i] = ((const uint8_t *)x)[i];
    ok(save_run(graph, f->state, whole ? whole : x, whole ? bytes * sizeof *whole : bytes, y, count));
    free(whole);
    tn_graph_free(graph);
    tn_onnx_free(model);
}

static void run_file(fixture *f, const save_net *net, const void *x, size_t bytes, float **y, size_t *count)
{
    run_rows(f, net, SAVE_BATCH, x, bytes, y, count);
}

static int differ(float a, float b, float most)
{
    return most != 0 ? !(fabsf(a - b) <= most) : memcmp(&a, &b, sizeof a) != 0;
}

/* Within `most` of the largest output; 0: to the bit. */
static void a_network_comes_back(const save_net *net, const char *device, int64_t opset, float most)
{
    fixture f = use_device(device, 3);
    tn_graph *graph = save_graph_of(net, SAVE_BATCH), *two = save_graph_of(net, 2), *other = save_graph_of(net, 5);
    tn_onnx_save_options options = usual(other);
    options.opset = opset;
    size_t bytes, count = 0, again = 0;
    float *y = NULL, *back = NULL, largest = 1e-3f;
    void *x = save_samples(net, &bytes);
    ok(save_run(graph, f.state, x, bytes, &y, &count));
    free(y);
    save_shake(f.state);
    ok(save_run(graph, f.state, x, bytes, &y, &count));
    ok(tn_onnx_save(two, f.state, path, &options));
    run_file(&f, net, x, bytes, &back, &again);
    assert_int_equal(again, count);
    for (size_t i = 0; i < count; i++) largest = fmaxf(largest, fabsf(y[i]));
    for (size_t i = 0; i < count; i++)
        if (differ(back[i], y[i], most * largest))
            fail_msg("%s on %s: output %zu is %.9g, and was %.9g", net->name, device, i, back[i], y[i]);
    tn_graph_free(graph);
    tn_graph_free(two);
    tn_graph_free(other);
    drop_device(&f);
    free(x);
    free(y);
    free(back);
}

static void networks_come_back_as_they_were(void **state)
{
    (void)state;
    for (size_t i = 0; i < save_nets_count; i++) a_network_comes_back(&save_nets[i], "reference", 0, 1e-5f);
}

/* But for recurrent layers, whose steps are other sums there; at opset 23, which has all normalisations. */
static void on_cpu_bits_come_back(void **state)
{
    (void)state;
    tn_device *device = NULL;
    if (tn_device_open("cpu", &device)) skip();
    tn_device_close(device);
    for (size_t i = 0; i < save_nets_count; i++)
        if (!strstr(save_nets[i].words, "lstm")) a_network_comes_back(&save_nets[i], "cpu", 23, 0);
}

/* ---- every operator ---- */

/* 1: saved, 0: refused by its name, or by that of what it is made of. */
static int try_case(const tn_op_def *op, const tn_op_case *c, tn_state *state)
{
    tn_tensor *in[TN_CASE_OPERANDS], *y;
    tn_graph *graph = tn_case_graph(c, TN_F32, in, &y);
    int saved = 1;
    if (!graph) return 0;
    if (tn_case_outputs(in, y, 0) && !tn_graph_status(graph)) {
        const tn_status s = tn_onnx_save(graph, state, path, NULL);
        saved = !s;
        if (s && (s != TN_EUNSUPPORTED || !strstr(tn_message(), ", cannot be said in ONNX: ")))
            fail_msg("%s, case '%s': %s", op->name, c->name, tn_message());
    }
    tn_graph_free(graph);
    return saved;
}

static void each_operator_is_saved_or_refused_by_name(void **state)
{
    (void)state;
    fixture f = use_device("reference", 3);
    static const char *const refused[] = {"conv2d_weight", "maxpool2d_grad", "avgpool2d_grad", "dropout",
                                          "uniform",       "normal",         "searchsorted",   "atan2",
                                          "window",        "pack",           "part",           "across"};
    int saved = 0;
    const tn_op_def *op;
    for (size_t i = 0; (op = tn_op_number(i)); i++) {
        int some = 0, cases = 0, is_refused = 0;
        for (const tn_op_case *c = op->cases; c && c->build; c++, cases++) some += try_case(op, c, f.state);
        for (size_t k = 0; k < sizeof refused / sizeof *refused; k++) is_refused |= !strcmp(op->name, refused[k]);
        if (cases && !is_refused && !some && !strstr(op->name, "_d"))
            fail_msg("%s: none of its cases can be saved: %s", op->name, tn_message());
        saved += some > 0;
    }
    assert_true(saved > 80);
    drop_device(&f);
}

/* ---- what is refused ---- */

static tn_graph *doubled(void)
{
    tn_graph *graph = tn_graph_new();
    tn_tensor *x = tn_input(graph, "x", TN_F32, TN_SHAPE(2, 3));
    tn_output(tn_add(x, x), "y");
    return graph;
}

/* ---- recurrent layers ---- */

static tn_graph *recurrent_graph(int32_t kind, int has_lengths)
{
    tn_graph *g = tn_graph_new();
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(2, 4, 3)), *half = tn_full(g, TN_F32, TN_SHAPE(2, 5), 0.5);
    tn_recurrent_state state[4] = {
        {half, kind == TN_LSTM ? half : NULL}}; /* of the first; the others begin with zeros */
    const int32_t length[2] = {4, 2};
    tn_tensor *lengths = has_lengths ? tn_constant(g, TN_I32, TN_SHAPE(2), length) : NULL;
    x = tn_recurrent(x, "r", state, .kind = kind, .units = 5, .layers = 2, .bidirectional = 1, .lengths = lengths);
    tn_output(x, "y");
    return g;
}

/* Nodes of that operator in the file: its field, length and name. */
static int nodes_in_file(const char *op)
{
    static char bytes[1 << 20];
    char field[16];
    int count = 0;
    FILE *file = fopen(path, "rb");
    const size_t length = fread(bytes, 1, sizeof bytes, file), n = strlen(op) + 2;
    fclose(file);
    snprintf(field, sizeof field, "\x22%c%s", (char)strlen(op), op);
    for (size_t i = 0; i + n <= length; i++) count += !memcmp(bytes + i, field, n);
    return count;
}

static void expect_recurrent(int32_t kind, const char *op, int has_lengths)
{
    const save_net net = {"recurrent", "", TN_SHAPE(4, 3), TN_F32, 0, 0};
    fixture f = use_device("reference", 5);
    tn_graph *g = recurrent_graph(kind, has_lengths);
    size_t count = 0, again = 0;
    float x[24], *y = NULL, *back = NULL;
    for (int i = 0; i < 24; i++) x[i] = (float)(i * 37 % 19) / 9 - 1;
    ok(save_run(g, f.state, x, sizeof x, &y, &count));
    ok(tn_onnx_save(g, f.state, path, NULL));
    assert_int_equal(nodes_in_file(op), has_lengths ? 0 : 4);
    run_rows(&f, &net, 2, x, sizeof x, &back, &again);
    assert_int_equal(again, count);
    for (size_t i = 0; i < count; i++)
        if (!(fabsf(back[i] - y[i]) <= 1e-5f)) fail_msg("%s: output %zu is %.9g, and was %.9g", op, i, back[i], y[i]);
    free(y), free(back);
    tn_graph_free(g);
    drop_device(&f);
}

static void a_recurrent_layer_is_one_node_a_direction(void **state)
{
    (void)state;
    for (int has_lengths = 0; has_lengths < 2; has_lengths++) {
        expect_recurrent(TN_RNN, "RNN", has_lengths);
        expect_recurrent(TN_LSTM, "LSTM", has_lengths);
        expect_recurrent(TN_GRU, "GRU", has_lengths);
        expect_recurrent(TN_GRU_BEFORE, "GRU", has_lengths);
    }
}

/* ---- numbers that depend on the batch, as networks from ONNX files have them ---- */

/* Rows of x are scaled by what the number of samples makes of constants: zeros and rows that are alike for all, shares,
 * multiples and numbers that stay. `squared`: and by its square, which two graphs do not tell. */
static tn_graph *batch_graph(int64_t batch, int squared)
{
    const double n = (double)batch;
    tn_graph *g = tn_graph_new();
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(batch, 3));
    float rows[30], one[3] = {(float)(1 / n), (float)(3 * n), 0.7f};
    const int32_t extent[3] = {(int32_t)batch, 5, (int32_t)(squared ? batch * batch : 4 * batch)};
    for (int64_t i = 0; i < 3 * batch; i++) rows[i] = i % 3 ? (float)(i % 3) : (float)(2 / n);
    tn_constant(g, TN_I32, TN_SHAPE(1), &(int32_t){(int32_t)(batch * batch)}); /* of which nothing is made */
    x = tn_mul(tn_add(x, tn_full(g, TN_F32, TN_SHAPE(batch, 3), 1 / n)), tn_constant(g, TN_F32, TN_SHAPE(3), one));
    x = tn_add(x, tn_constant(g, TN_F32, TN_SHAPE(batch, 3), rows));
    x = tn_mul(x, tn_cast(tn_constant(g, TN_I32, TN_SHAPE(3), extent), TN_F32));
    tn_output(tn_sub(x, tn_mean(x, TN_AXES(0), 0)), "y");
    return g;
}

static void numbers_follow_the_batch(void **state)
{
    const save_net net = {"numbers", "", TN_SHAPE(3), TN_F32, 0, 0};
    fixture f = use_device("reference", 5);
    tn_graph *graph = batch_graph(7, 0), *two = batch_graph(2, 0), *other = batch_graph(3, 0);
    const tn_onnx_save_options options = usual(other);
    size_t count = 0, again = 0;
    float x[21], *y = NULL, *back = NULL;
    (void)state;
    for (int i = 0; i < 21; i++) x[i] = (float)(i * 37 % 19) / 9 - 1;
    ok(save_run(graph, f.state, x, sizeof x, &y, &count));
    ok(tn_onnx_save(two, f.state, path, &options));
    run_rows(&f, &net, 7, x, sizeof x, &back, &again);
    assert_int_equal(again, count);
    for (size_t i = 0; i < count; i++)
        if (!(fabsf(back[i] - y[i]) <= 1e-4f)) fail_msg("output %zu is %.9g, and was %.9g", i, back[i], y[i]);
    free(y), free(back);
    tn_graph_free(graph), tn_graph_free(two), tn_graph_free(other);
    drop_device(&f);
}

/* ---- weights in a file of their own ---- */

static size_t read_all(const char *name, char *to, size_t room)
{
    FILE *file = fopen(name, "rb");
    const size_t bytes = file ? fread(to, 1, room, file) : 0;
    if (file) fclose(file);
    return bytes;
}

static void weights_beside_the_file_come_back(void **state)
{
    const save_net *net = &save_nets[0];
    char beside[80];
    fixture f = use_device("reference", 5);
    tn_graph *graph = save_graph_of(net, SAVE_BATCH);
    const tn_onnx_save_options options = {.external = 64};
    size_t bytes, count = 0, again = 0;
    float *y = NULL, *back = NULL;
    void *x = save_samples(net, &bytes);
    (void)state;
    snprintf(beside, sizeof beside, "%s.data", path);
    ok(save_run(graph, f.state, x, bytes, &y, &count));
    ok(tn_onnx_save(graph, f.state, path, &options));
    run_file(&f, net, x, bytes, &back, &again);
    assert_int_equal(again, count);
    assert_memory_equal(back, y, count * sizeof *y);
    assert_int_equal(unlink(beside), 0); /* it was needed */
    tn_onnx *model = NULL;
    tn_onnx_given given = {.name = "x", .shape = {2, {SAVE_BATCH, 7}}};
    tn_graph *bare = tn_graph_new();
    tn_status s = tn_onnx_load(path, &model);
    if (!s) s = tn_onnx_build(model, bare, &given, 1, NULL);
    assert_int_not_equal(s, TN_OK);
    assert_non_null(strstr(tn_message(), ".data"));
    tn_graph_free(bare);
    tn_onnx_free(model);
    free(x), free(y), free(back);
    tn_graph_free(graph);
    drop_device(&f);
}

/* The model's file goes where no byte has room. */
static void weights_beside_a_file_that_fails_stay(void **state)
{
    char beside[80], before[4096], now[4096];
    fixture f = use_device("reference", 5), other = use_device("reference", 6);
    tn_graph *graph = save_graph_of(&save_nets[0], SAVE_BATCH);
    const tn_onnx_save_options options = {.external = 64};
    size_t bytes, count;
    float *y = NULL;
    void *x = save_samples(&save_nets[0], &bytes);
    (void)state;
    snprintf(beside, sizeof beside, "%s.data", path);
    for (int i = 0; i < 2; i++) {
        ok(save_run(graph, i ? other.state : f.state, x, bytes, &y, &count));
        free(y);
    }
    ok(tn_onnx_save(graph, f.state, path, &options));
    const size_t all = read_all(beside, before, sizeof before);
    assert_true(all > 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("/dev/full", path), 0);
    assert_int_equal(tn_onnx_save(graph, other.state, path, &options), TN_EIO);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(read_all(beside, now, sizeof now), all);
    assert_memory_equal(now, before, all);
    ok(tn_onnx_save(graph, other.state, path, &options));
    assert_int_equal(read_all(beside, now, sizeof now), all);
    assert_memory_not_equal(now, before, all);
    assert_int_equal(unlink(beside), 0);
    free(x);
    tn_graph_free(graph);
    drop_device(&other);
    drop_device(&f);
}

/* ---- refusals ---- */

static void refused(tn_graph *graph, const tn_onnx_save_options *options, const char *where, tn_status want,
                    const char *says)
{
    fixture f = use_device("reference", 1);
    const tn_status s = tn_onnx_save(graph, f.state, where, options);
    if (s != want || !strstr(tn_message(), says))
        fail_msg("%s instead of %s: %s", tn_status_name(s), says, tn_message());
    tn_graph_free(graph);
    drop_device(&f);
}

static void what_onnx_lacks_is_named_with_its_node(void **state)
{
    (void)state;
    tn_graph *graph = tn_graph_new();
    tn_tensor *x = tn_input(graph, "x", TN_F32, TN_SHAPE(2, 3));
    x = tn_atan2(x, tn_param(graph, "odd.weight", TN_SHAPE(3), (tn_init){0}));
    tn_output(tn_relu(x), "y");
    refused(graph, NULL, path, TN_EUNSUPPORTED, "atan2, node 2 of 'odd' of shape (2, 3), cannot be said in ONNX");
    graph = tn_graph_new();
    tn_output(tn_dropout(tn_input(graph, "x", TN_F32, TN_SHAPE(2, 3)), 0.5), "y");
    refused(graph, NULL, path, TN_EUNSUPPORTED, "build the graph for inference");
}

static void a_graph_that_trains_is_refused(void **state)
{
    (void)state;
    tn_graph *graph = tn_graph_new();
    tn_tensor *w = tn_param(graph, "w", TN_SHAPE(3), (tn_init){0});
    tn_assign(w, tn_add(w, tn_number(w, 1)));
    refused(graph, NULL, path, TN_EUNSUPPORTED, "assigns to a variable");
}

static void graphs_that_differ_in_more_than_the_batch_are_refused(void **state)
{
    (void)state;
    tn_graph *other = tn_graph_new();
    tn_tensor *x = tn_input(other, "x", TN_F32, TN_SHAPE(4, 3));
    tn_output(tn_mul(x, x), "y");
    tn_onnx_save_options options = usual(other);
    refused(doubled(), &options, path, TN_EINVAL, "differ in more than the batch");
    tn_graph_free(other);
}

static void numbers_that_two_batches_do_not_tell_are_refused(void **state)
{
    (void)state;
    tn_graph *other = batch_graph(3, 1);
    const tn_onnx_save_options options = usual(other);
    refused(batch_graph(2, 1), &options, path, TN_EUNSUPPORTED, "neither multiples nor shares");
    tn_graph_free(other);
}

static void wrong_options_are_named(void **state)
{
    (void)state;
    tn_onnx_save_options options = usual(NULL);
    options.opset = 17;
    refused(doubled(), &options, path, TN_EINVAL, "opset 17");
    options = usual(NULL);
    options.n_notes = 1;
    refused(doubled(), &options, path, TN_EINVAL, "notes");
    options.notes = &(tn_note){"key", "\xff"};
    refused(doubled(), &options, path, TN_EINVAL, "UTF-8");
    refused(tn_graph_new(), NULL, path, TN_EINVAL, "no output");
}

/* ---- files ---- */

static void a_file_is_written_whole_or_not_at_all(void **state)
{
    (void)state;
    char other[80], before[4] = "old", after[8] = "";
    snprintf(other, sizeof other, "%s/none/x.onnx", folder);
    refused(doubled(), NULL, other, TN_EMISSING, "none");
    refused(doubled(), NULL, "/dev/full", TN_EIO, "/dev/full");
    FILE *file = fopen(path, "w");
    assert_true(file && fputs(before, file) >= 0 && !fclose(file));
    tn_onnx_save_options options = usual(NULL);
    options.opset = 99;
    refused(doubled(), &options, path, TN_EINVAL, "opset 99");
    file = fopen(path, "r");
    assert_true(file && fgets(after, sizeof after, file) && !fclose(file));
    assert_string_equal(after, before);
}

/* Each allocation fails in turn: an error, and nothing is lost. */
static void without_memory_it_says_so(void **state)
{
    (void)state;
    fixture f = use_device("reference", 1);
    tn_graph *graph = doubled();
    tn_status s = TN_ENOMEM;
    unlink(path);
    for (int64_t calls = 0; s; calls++) {
        tn_alloc_fail_after(calls);
        s = tn_onnx_save(graph, f.state, path, NULL);
        tn_alloc_fail_after(-1);
        assert_true(s == TN_OK || s == TN_ENOMEM);
        assert_int_equal(access(path, F_OK) == 0, s == TN_OK);
    }
    tn_graph_free(graph);
    drop_device(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networks_come_back_as_they_were),
        cmocka_unit_test(on_cpu_bits_come_back),
        cmocka_unit_test(each_operator_is_saved_or_refused_by_name),
        cmocka_unit_test(a_recurrent_layer_is_one_node_a_direction),
        cmocka_unit_test(numbers_follow_the_batch),
        cmocka_unit_test(weights_beside_the_file_come_back),
        cmocka_unit_test(weights_beside_a_file_that_fails_stay),
        cmocka_unit_test(what_onnx_lacks_is_named_with_its_node),
        cmocka_unit_test(a_graph_that_trains_is_refused),
        cmocka_unit_test(graphs_that_differ_in_more_than_the_batch_are_refused),
        cmocka_unit_test(numbers_that_two_batches_do_not_tell_are_refused),
        cmocka_unit_test(wrong_options_are_named),
        cmocka_unit_test(a_file_is_written_whole_or_not_at_all),
        cmocka_unit_test(without_memory_it_says_so),
    };
    if (!mkdtemp(folder)) return 1;
    snprintf(path, sizeof path, "%s/net.onnx", folder);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    rmdir(folder);
    return failed;
}
