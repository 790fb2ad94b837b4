/* saved.c: graphs in files: what is loaded is what was saved, byte by byte and bit by bit; and what is no graph is
 * refused by name. */
#include "harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "generate.h"
#include "graph.h"
#include "judge.h"
#include "leaf.h"
#include "reference_internal.h"
#include "scratch.h"

enum { RANDOM = 40, STEPS = 3 };
static char one[300], two[300]; /* files */

/* Saved, loaded, and saved again it is the same file. */
static tn_graph *there_and_back(const tn_graph *graph)
{
    tn_graph *loaded = NULL;
    size_t bytes[2];
    ok(tn_graph_save(graph, one));
    ok(tn_graph_load(one, &loaded));
    ok(tn_graph_save(loaded, two));
    char *first = scratch_read(one, &bytes[0]), *second = scratch_read(two, &bytes[1]);
    if (bytes[0] != bytes[1] || memcmp(first, second, bytes[0])) fail_msg("saved again it differs: %s", first);
    free(first), free(second);
    return loaded;
}

/* ---- the same bits ---- */

static uint64_t bytes_of(const tn_tensor *x)
{
    return (uint64_t)tn_shape_count(&x->type.shape) * tn_dtype_size(x->type.dtype);
}

static void feed_all(const tn_graph *graph, tn_program *program, uint32_t run)
{
    for (uint32_t i = 0; i < graph->count; i++) {
        const tn_tensor *x = graph->tensor[i];
        if (x->op != &tn_op_input) continue;
        double *value = calloc((size_t)tn_shape_count(&x->type.shape) + 1, sizeof *value);
        void *data = calloc(1, bytes_of(x) + 8);
        const tn_tensor_desc desc = tn_desc_dense(x->type.dtype, &x->type.shape);
        tn_judge_feed(x, 5, run, value);
        tn_reference_store(data, value, &desc);
        const tn_status s = tn_feed(program, x->name, data, bytes_of(x));
        assert_true(s == TN_OK || s == TN_EMISSING); /* nothing needs it */
        free(value), free(data);
    }
}

/* A graph on a device, with a state of its own. */
typedef struct running {
    tn_state *state;
    tn_program *program;
} running;

static tn_status begin(tn_graph *graph, tn_device *device, running *r)
{
    *r = (running){0};
    ok(tn_state_new(device, 77, &r->state));
    return tn_compile(graph, r->state, NULL, &r->program);
}

static void end(running *r)
{
    tn_program_free(r->program);
    tn_state_free(r->state);
}

static void compare_outputs(const tn_graph *graph, running *a, running *b)
{
    for (uint32_t i = 0; i < graph->sinks; i++) {
        const tn_sink *sink = &graph->sink[i];
        const uint64_t bytes = bytes_of(sink->value);
        char *x = calloc(1, bytes + 1), *y = calloc(1, bytes + 1);
        if (sink->name) ok(tn_fetch(a->program, sink->name, x, bytes));
        if (sink->name) ok(tn_fetch(b->program, sink->name, y, bytes));
        if (memcmp(x, y, bytes)) fail_msg("output '%s' differs", sink->name);
        free(x), free(y);
    }
}

static void compare_states(running *a, running *b)
{
    tn_state_entry entry;
    size_t n = 0;
    for (; tn_state_at(a->state, n, &entry); n++) {
        const uint64_t bytes = (uint64_t)tn_shape_count(&entry.shape) * tn_dtype_size(entry.dtype);
        char *x = calloc(1, bytes + 1), *y = calloc(1, bytes + 1);
        ok(tn_state_read(a->state, entry.name, x, bytes));
        ok(tn_state_read(b->state, entry.name, y, bytes));
        if (memcmp(x, y, bytes)) fail_msg("variable '%s' differs", entry.name);
        free(x), free(y);
    }
    assert_false(tn_state_at(b->state, n, &entry));
    assert_int_equal(tn_state_step(a->state), tn_state_step(b->state));
}

static void same_bits(tn_graph *graph, tn_graph *loaded, tn_device *device)
{
    running a, b;
    const tn_status s = begin(graph, device, &a);
    assert_int_equal(begin(loaded, device, &b), s);
    for (uint32_t run = 0; !s && run < STEPS; run++) {
        feed_all(graph, a.program, run), feed_all(graph, b.program, run);
        ok(tn_program_run(a.program));
        ok(tn_program_run(b.program));
        compare_outputs(graph, &a, &b);
    }
    if (!s) compare_states(&a, &b);
    end(&a), end(&b);
}

/* ---- random programs ---- */

static void test_random_programs_come_back_and_give_the_same_bits(void **state)
{
    tn_device *device = NULL;
    ok(tn_device_open(*state, &device));
    for (uint64_t number = 0; number < RANDOM; number++) {
        tn_recipe recipe;
        ok(tn_generate(20, number, &recipe));
        tn_graph *graph = tn_recipe_build(&recipe, NULL);
        ok(tn_graph_status(graph));
        tn_graph *loaded = there_and_back(graph);
        same_bits(graph, loaded, device);
        tn_graph_free(graph), tn_graph_free(loaded);
    }
    tn_device_close(device);
}

/* ---- every operator ---- */

static int takes(const tn_op_case *c, int i)
{
    return i < 4 && c->in[i].dtype;
}

/* The case on inputs of its own, with gradients where there are some. */
static void add_case(tn_graph *g, const tn_op_case *c, const char *op, int number)
{
    char name[100];
    tn_tensor *in[4] = {NULL}, *slope[4] = {NULL};
    size_t n = 0;
    for (; takes(c, (int)n); n++) {
        snprintf(name, sizeof name, "%s %d.%zu", op, number, n);
        in[n] = tn_input(g, name, c->in[n].dtype, c->in[n].shape);
    }
    tn_tensor *y = c->build(in);
    snprintf(name, sizeof name, "%s %d", op, number);
    tn_output(y, name);
    if (!tn_graph_status(g) && tn_dtype_of(y) == TN_F32 && !c->no_gradient) tn_grad(tn_sum(y, TN_ALL, 0), in, n, slope);
}

/* Rows have cases in common, of types that not all of them take. */
static int is_taken(const tn_op_case *c)
{
    tn_graph *g = tn_graph_new();
    add_case(g, c, "x", 0);
    const int taken = tn_graph_status(g) == TN_OK;
    tn_graph_free(g);
    return taken;
}

static void test_every_operator_comes_back(void **state)
{
    (void)state;
    const tn_op_def *op;
    tn_graph *g = tn_graph_new();
    for (size_t i = 0; (op = tn_op_number(i)); i++)
        for (int c = 0; op->cases && op->cases[c].build && (op != &tn_op_window || !c); c++)
            if (is_taken(&op->cases[c])) add_case(g, &op->cases[c], op->name, c); /* window's scalars have one name */
    ok(tn_graph_status(g));
    assert_true(g->count > 5000);
    tn_graph_free(there_and_back(g));
    tn_graph_free(g);
}

/* ---- networks ---- */

static tn_graph *training(const char *net, tn_shape sample, const char *optimizer)
{
    tn_graph *g = tn_graph_new();
    tn_tensor *x = tn_input(g, "x", TN_F32, sample);
    tn_tensor *y = tn_input(g, "y", TN_I32, TN_SHAPE(sample.dim[0]));
    tn_tensor *out = tn_net(x, net, (tn_net_options){.training = 1, .outputs = 10});
    tn_tensor *loss = tn_loss("cross_entropy", out, y);
    tn_output(loss, "loss");
    tn_output(out, "a \"name\" \\ of \xc3\xa4");
    tn_minimize(loss, optimizer, (tn_optim_options){.lr = 0.01});
    ok(tn_graph_status(g));
    return g;
}

static const struct {
    const char *net, *optimizer;
    tn_shape sample;
} nets[] = {
    {"perceptron", "sgd", {2, {3, 20}}},
    {"linear 100, dropout 0.3, sigmoid, linear 10", "momentum", {2, {4, 20}}},
    {"lenet", "adamw", {4, {2, 1, 28, 28}}},
    {"conv 4 3x3, batch_norm, relu, avgpool 2, layer_norm, flatten, linear 10", "rmsprop", {4, {3, 2, 8, 8}}},
    {"lstm 5, linear 10", "adam", {3, {2, 6, 3}}},
    {"attention 2, linear 10", "sgd", {3, {2, 4, 6}}},
};

static void test_training_comes_back_and_gives_the_same_bits(void **state)
{
    tn_device *device = NULL;
    ok(tn_device_open(*state, &device));
    for (size_t i = 0; i < sizeof nets / sizeof *nets; i++) {
        tn_graph *graph = training(nets[i].net, nets[i].sample, nets[i].optimizer), *loaded = there_and_back(graph);
        same_bits(graph, loaded, device);
        tn_graph_free(graph), tn_graph_free(loaded);
    }
    tn_device_close(device);
}

/* Those that are too large to be run here. */
static void test_every_named_network_comes_back(void **state)
{
    (void)state;
    tn_net_word word;
    for (size_t i = 0; tn_net_named_at(i, &word); i++) {
        static const tn_shape sample[] = {
            {4, {1, 3, 224, 224}}, {4, {1, 3, 32, 32}}, {4, {1, 1, 28, 28}}, {2, {1, 30}}};
        int found = 0;
        for (size_t k = 0; k < sizeof sample / sizeof *sample && !found; k++) {
            tn_graph *g = tn_graph_new(), *loaded = NULL;
            tn_output(tn_net(tn_input(g, "x", TN_F32, sample[k]), word.name, (tn_net_options){.outputs = 7}), "y");
            found = !tn_graph_status(g);
            if (found) loaded = there_and_back(g);
            tn_graph_free(g), tn_graph_free(loaded);
        }
        if (!found) fail_msg("no sample is one for %s", word.name);
    }
}

/* ---- numbers, flags, and a large graph ---- */

static void test_numbers_and_flags_are_kept(void **state)
{
    (void)state;
    tn_graph *g = tn_graph_new();
    static const double odd[] = {NAN, INFINITY, -INFINITY, -0.0, 0.1, 1e-300, 4e-320, 1.7976931348623157e308, 1};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        char name[16];
        snprintf(name, sizeof name, "y%zu", i);
        tn_output(tn_full(g, TN_F64, TN_SHAPE(2), odd[i]), name);
    }
    const tn_init init = {TN_INIT_UNIFORM, 0.25, 3, 4, 2};
    tn_tensor *w = tn_variable(g, "w", TN_F64, TN_SHAPE(3, 0), init, TN_TRAINABLE | TN_TRANSIENT);
    tn_assign(w, tn_add(w, tn_number(w, 1)));
    tn_output(tn_scalar_input(g, "rate", TN_F32, -2.5), "s");
    tn_graph_shard(g), (void)tn_count_steps(g, NULL, 0);
    tn_graph *loaded = there_and_back(g);
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        const double value = ((const tn_full_attrs *)loaded->sink[i].value->attrs)->value;
        assert_true(isnan(odd[i]) ? isnan(value) : !memcmp(&value, &odd[i], sizeof value));
    }
    const tn_tensor *v = tn_graph_leaf(loaded, &tn_op_variable, "w");
    assert_memory_equal(v->attrs, w->attrs, sizeof(tn_variable_attrs));
    assert_true(tn_graph_is_shard(loaded) && loaded->advances_step && v->is_assigned);
    tn_graph_free(g), tn_graph_free(loaded);
}

static void test_a_large_graph_comes_back(void **state)
{
    (void)state;
    tn_graph *g = tn_graph_new();
    tn_tensor *x = tn_input(g, "x", TN_F32, TN_SHAPE(4));
    for (int i = 0; i < 100000; i++) x = i % 2 ? tn_tanh(x) : tn_mul(x, x);
    tn_output(x, "y");
    tn_graph *loaded = there_and_back(g);
    assert_int_equal(loaded->count, 100001);
    tn_graph_free(g), tn_graph_free(loaded);
}

/* ---- what is refused ---- */

#define HEAD         "{\"tenon_graph\": 1, \"tensors\": ["
#define INPUT        "{\"op\": \"input\", \"name\": \"x\", \"dtype\": \"f32\", \"shape\": [2, 3]}"
#define TAIL         "], \"sinks\": []}"
#define SECOND(text) HEAD INPUT ", " text TAIL
#define SINK(text)   HEAD INPUT "], \"sinks\": [" text "]}"
static const struct {
    const char *text;
    tn_status status;
    const char *says;
} wrong[] = {
    {"", TN_EFORMAT, "not JSON"},
    {"{\"tensors\": []}", TN_EFORMAT, "tenon_graph"},
    {"{\"tenon_graph\": 2, \"tensors\": [], \"sinks\": []}", TN_EUNSUPPORTED, "version 2"},
    {"{\"tenon_graph\": 1, \"tensors\": [], \"sinks\": [], \"colour\": 3}", TN_EUNSUPPORTED, "colour"},
    {"{\"tenon_graph\": 1, \"tensors\": [], \"sinks\": []} 7", TN_EFORMAT, "follows"},
    {"{\"tenon_graph\": 1, \"tensors\": 7, \"sinks\": []}", TN_EFORMAT, "tensors are missing"},
    {"{\"tenon_graph\": 1, \"streams\": -1, \"tensors\": [], \"sinks\": []}", TN_EFORMAT, "-1 is not within"},
    {HEAD "7" TAIL, TN_EFORMAT, "tensor 0: an object"},
    {HEAD "{\"op\": \"wobble\"}" TAIL, TN_EUNSUPPORTED, "tensor 0: no operator 'wobble'"},
    {HEAD "{\"op\": \"map\"}" TAIL, TN_EUNSUPPORTED, "no operator 'map'"},
    {HEAD "{\"op\": \"input\", \"op\": \"input\"}" TAIL, TN_EFORMAT, "'op' is there twice"},
    {HEAD "{\"op\": \"input\", \"dtype\": \"f32\", \"shape\": []}" TAIL, TN_EFORMAT, "its name is missing"},
    {HEAD "{\"op\": \"input\", \"name\": \"x\", \"dtype\": \"f31\", \"shape\": []}" TAIL, TN_EFORMAT, "f31"},
    {HEAD "{\"op\": \"input\", \"name\": \"x\", \"dtype\": \"f32\", \"shape\": [1,1,1,1,1,1,1,1,1]}" TAIL, TN_EFORMAT,
     "8"},
    {HEAD "{\"op\": \"input\", \"name\": \"x\", \"dtype\": \"f32\", \"shape\": [-1]}" TAIL, TN_EFORMAT, "-1"},
    {HEAD "{\"op\": \"input\", \"name\": \"x\", \"dtype\": \"f32\", \"shape\": [1e9, 1e9]}" TAIL, TN_EFORMAT,
     "elements"},
    {HEAD "{\"op\": \"scalar\", \"name\": \"x\", \"dtype\": \"f32\", \"shape\": [2]}" TAIL, TN_EFORMAT, "dimensions"},
    {HEAD INPUT ", " INPUT TAIL, TN_EFORMAT, "'x' is there twice"},
    {SECOND("{\"id\": 0}"), TN_EFORMAT, "tensor 1: 0 is not within 1..1"},
    {SECOND("{\"op\": \"relu\", \"in\": [1]}"), TN_EFORMAT, "tensor 1: relu: operand 0: 1 is not within 0..0"},
    {SECOND("{\"op\": \"relu\", \"in\": [0, 0]}"), TN_EFORMAT, "relu of 2 operands"},
    {SECOND("{\"op\": \"concat\"}"), TN_EFORMAT, "concat of 0 operands"},
    {SECOND("{\"op\": \"relu\", \"in\": [0.5]}"), TN_EFORMAT, "whole number"},
    {SECOND("{\"op\": \"relu\", \"in\": [0], \"dtype\": \"f32\", \"shape\": [3, 2]}"), TN_EFORMAT,
     "relu gives f32 (2, 3), not f32 (3, 2)"},
    {SECOND("{\"op\": \"relu\", \"name\": \"y\", \"in\": [0], \"dtype\": \"f32\", \"shape\": [2, 3]}"), TN_EFORMAT,
     "has no name"},
    {SECOND(
         "{\"op\": \"transpose\", \"in\": [0], \"dtype\": \"f32\", \"shape\": [3, 2], \"attrs\": {\"perm\": [0, 0]}}"),
     TN_ESHAPE, "no permutation"},
    {SECOND("{\"op\": \"transpose\", \"in\": [0], \"dtype\": \"f32\", \"shape\": [3, 2], \"attrs\": {\"turn\": 1}}"),
     TN_EUNSUPPORTED, "transpose has no 'turn'"},
    {SECOND("{\"op\": \"softmax\", \"in\": [0], \"dtype\": \"f32\", \"shape\": [2, 3], \"attrs\": {\"axis\": 2}}"),
     TN_EINVAL, "softmax: axis: 2 is not within 0..1"},
    {SECOND("{\"op\": \"softmax\", \"in\": [0], \"dtype\": \"f32\", \"shape\": [2, 3], \"attrs\": {\"axis\": \"a\"}}"),
     TN_EFORMAT, "softmax: axis: a whole number"},
    {SECOND("{\"op\": \"reduce\", \"in\": [0], \"dtype\": \"f32\", \"shape\": [], \"attrs\": {\"kind\": \"best\", "
            "\"axes\": 3}}"),
     TN_EUNSUPPORTED, "'best'"},
    {HEAD "{\"op\": \"input\", \"name\": \"v\", \"dtype\": \"f32\", \"shape\": [6]}, {\"op\": \"part\", \"in\": [0], "
          "\"dtype\": \"f32\", \"shape\": [2], \"attrs\": {\"start\": -3, \"shape\": [2]}}" TAIL,
     TN_ESHAPE, "-3"},
    {SECOND("{\"op\": \"slice\", \"in\": [0], \"dtype\": \"f32\", \"shape\": [1], \"attrs\": {\"shape\": [1], "
            "\"step\": [1]}}"),
     TN_ESHAPE, "1 dimensions of 2"},
    {SECOND(
         "{\"op\": \"dropout\", \"in\": [0], \"dtype\": \"f32\", \"shape\": [2, 3], \"attrs\": {\"rate\": \"nan\"}}"),
     TN_EINVAL, "nan"},
    {SECOND(
         "{\"op\": \"variable\", \"name\": \"w\", \"dtype\": \"f32\", \"shape\": [2], \"attrs\": {\"optimizer\": 1}}"),
     TN_EFORMAT, "optimizer 1 of 0"},
    {SECOND("{\"op\": \"variable\", \"name\": \"w\", \"dtype\": \"f32\", \"shape\": [2], \"attrs\": {\"flags\": 64}}"),
     TN_EUNSUPPORTED, "flags 0x40"},
    {SINK("{\"output\": \"y\", \"value\": 1}"), TN_EFORMAT, "sink 0: 1 is not within 0..0"},
    {SINK("{\"output\": \"y\"}"), TN_EFORMAT, "whole number"},
    {SINK("{\"value\": 0}"), TN_EFORMAT, "neither"},
    {SINK("{\"variable\": 0, \"value\": 0}"), TN_EFORMAT, "a input is no variable"},
    {SINK("{\"output\": 5, \"value\": 0}"), TN_EFORMAT, "no text"},
    {SINK("{\"output\": \"y\", \"value\": 0}, {\"output\": \"y\", \"value\": 0}"), TN_EINVAL, "there already"},
};

static void put(const char *text)
{
    scratch_text("one", text);
}

static void test_what_is_no_graph_is_refused_by_name(void **state)
{
    (void)state;
    tn_graph *untouched = (tn_graph *)(void *)one, *graph = untouched;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        put(wrong[i].text);
        const tn_status s = tn_graph_load(one, &graph);
        if (s != wrong[i].status || !strstr(tn_message(), wrong[i].says) || !strstr(tn_message(), one))
            fail_msg("%s: %s, %s", wrong[i].text, tn_status_name(s), tn_message());
        assert_ptr_equal(graph, untouched);
    }
    assert_int_equal(tn_graph_load("/no/such/file", &graph), TN_EMISSING);
}

static void test_a_graph_that_failed_leaves_the_file_alone(void **state)
{
    (void)state;
    size_t bytes;
    tn_graph *g = tn_graph_new();
    put("as it was");
    tn_graph_fail(g, TN_ESHAPE, "on purpose");
    assert_int_equal(tn_graph_save(g, one), TN_ESHAPE);
    tn_graph_free(g), g = tn_graph_new();
    tn_output(tn_input(g, "\xff", TN_F32, TN_SHAPE(1)), "y");
    assert_int_equal(tn_graph_save(g, one), TN_EINVAL);
    assert_non_null(strstr(tn_message(), "UTF-8"));
    tn_graph_free(g), g = tn_graph_new();
    tn_output(tn_tril(tn_input(g, "x", TN_F32, TN_SHAPE(1, 1)), INT64_MAX), "y");
    if (g->count > 1) assert_int_equal(tn_graph_save(g, one), TN_EUNSUPPORTED);
    if (g->count > 1) assert_non_null(strstr(tn_message(), "triangle): diagonal"));
    assert_int_equal(tn_graph_save(g, "/no/such/folder/file"), g->count > 1 ? TN_EUNSUPPORTED : TN_EMISSING);
    tn_graph_free(g);
    char *text = scratch_read(one, &bytes);
    assert_string_equal(text, "as it was");
    free(text);
}

static int prepare(void **state)
{
    const int failed = scratch_begin(state);
    snprintf(one, sizeof one, "%s", scratch_path("one"));
    snprintf(two, sizeof two, "%s", scratch_path("two"));
    return failed;
}

int main(int argc, char **argv)
{
    char *device = argc > 1 ? argv[1] : (char *)"reference";
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(test_random_programs_come_back_and_give_the_same_bits, device),
        cmocka_unit_test_prestate(test_training_comes_back_and_gives_the_same_bits, device),
        cmocka_unit_test(test_every_operator_comes_back),
        cmocka_unit_test(test_every_named_network_comes_back),
        cmocka_unit_test(test_numbers_and_flags_are_kept),
        cmocka_unit_test(test_a_large_graph_comes_back),
        cmocka_unit_test(test_what_is_no_graph_is_refused_by_name),
        cmocka_unit_test(test_a_graph_that_failed_leaves_the_file_alone),
    };
    return cmocka_run_group_tests(tests, prepare, scratch_end);
}
