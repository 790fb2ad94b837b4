/* null.c: no public function dies of a NULL: each says which argument it is, or makes the graph fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tenon/check.h"
#include "tenon/op_info.h"
#include "tenon/tenon.h"

/* What a call can be given that is not NULL. */
typedef struct world {
    tn_graph *graph;
    tn_tensor *x, *index, *list[1], *out[2];
    tn_device *device;
    tn_state *state;
    tn_program *program;
    tn_training *training;
    tn_checkpoint *checkpoint;
    tn_peek *peek;
    tn_measures *measures;
    tn_upload *upload;
    unsigned char bytes[400];
    const void *data;
    const char *no_text;

    tn_array array;
    tn_check_options check_options;
    tn_check_target check_target;
    tn_column column, nothing;
    tn_compile_options compile_options;
    tn_csv_options csv_options;
    tn_dataset dataset;
    tn_category category;
    tn_epoch epoch;
    tn_feeding feeding;
    tn_exchange exchange;
    tn_fit_options fit_options;
    tn_framing framing;
    tn_gradient_error gradient_error;
    tn_gradient_options gradient_options;
    tn_ink ink;
    tn_model model;
    tn_note note;
    tn_open_options open_options;
    tn_piece piece;
    tn_onnx *onnx, *made_onnx; /* the first is no model: nothing looks into it */
    tn_onnx_port onnx_port;
    tn_onnx_operator onnx_operator;
    tn_onnx_problem onnx_problem;
    tn_plateau plateau;
    tn_port port;
    tn_program_report program_report;
    tn_launch_profile launch_profile;
    tn_peaks peaks;
    tn_tuned_choice tuned;
    tn_recurrent_state recurrent_state;
    tn_save_options save_options;
    tn_scaler scaler;
    tn_schedule schedule;
    tn_score score;
    tn_shape shape;
    const char *a_name;
    const float *numbers;
    tn_source source;
    tn_state_entry state_entry;
    tn_value_of value_of;
    double number;
    int32_t order;
    int64_t whole;
    uint64_t count;
    size_t size;

    tn_checkpoint *made_checkpoint;
    tn_device *made_device;
    tn_loader *made_loader;
    tn_graph *made_graph;
    tn_peek *made_peek;
    tn_state_place place;
    tn_program *made_program;
    tn_state *made_state;
    tn_tensor *made_tensor;
    tn_training *made_training;
    tn_training_share share;
    tn_upload *made_upload;
} world;

static world *w;

/* ---- the calls ---- */

static void on_line(void *arg, const char *text)
{
    (void)arg, (void)text;
}

static void on_load(void *arg, int32_t fit, const tn_state_entry *state, const tn_state_entry *file)
{
    (void)arg, (void)fit, (void)state, (void)file;
}

/* A check of a graph or a device has rows of its own kind. */
#define on_row ((void *)0)

#define ROW_NAME(function, argument) row_##function##_##argument
#define S(function, argument, call)                                                                                    \
    static tn_status ROW_NAME(function, argument)(void)                                                                \
    {                                                                                                                  \
        return function call;                                                                                          \
    }
#define U(function, argument, call)                                                                                    \
    static tn_status ROW_NAME(function, argument)(void)                                                                \
    {                                                                                                                  \
        return tn_graph_status(tn_graph_of(function call));                                                            \
    }
#define T(function, argument, call)                                                                                    \
    static tn_status ROW_NAME(function, argument)(void)                                                                \
    {                                                                                                                  \
        (void)function call;                                                                                           \
        return tn_graph_status(w->graph);                                                                              \
    }
#define V(function, argument, call)                                                                                    \
    static tn_status ROW_NAME(function, argument)(void)                                                                \
    {                                                                                                                  \
        function call;                                                                                                 \
        return tn_graph_status(w->graph);                                                                              \
    }
#define N(function, argument, call)                                                                                    \
    static tn_status ROW_NAME(function, argument)(void)                                                                \
    {                                                                                                                  \
        return ((void)function call, TN_OK);                                                                           \
    }
#define M(function, argument)
#include "null.def"
#undef S
#undef T
#undef U
#undef V
#undef N

static const struct {
    const char *function, *argument;
    char kind;
    tn_status (*call)(void);
} rows[] = {
#define S(function, argument, call) {#function, #argument, 'S', ROW_NAME(function, argument)},
#define T(function, argument, call) {#function, #argument, 'T', ROW_NAME(function, argument)},
#define U(function, argument, call) {#function, #argument, 'U', ROW_NAME(function, argument)},
#define V(function, argument, call) {#function, #argument, 'V', ROW_NAME(function, argument)},
#define N(function, argument, call) {#function, #argument, 'N', ROW_NAME(function, argument)},
#include "null.def"
};

/* ---- what they are given ---- */

static void ok(tn_status status)
{
    if (status) fail_msg("%s", tn_message());
}

static tn_tensor *net(tn_tensor *x, int training, const void *arg)
{
    (void)training, (void)arg;
    return tn_linear(x, "fc", .units = 2);
}

/* Everything that runs, which is left alone until the process ends. */
static void make_runtime(void)
{
    static unsigned char pixels[8 * 6];
    static int32_t labels[8];
    char file[] = "/tmp/tenon-null-XXXXXX";
    tn_graph *graph = tn_graph_new();
    int descriptor = mkstemp(file);
    ok(tn_device_open("reference", &w->device));
    ok(tn_state_new(w->device, 1, &w->state));
    w->dataset =
        (tn_dataset){.count = 8, .sample = {1, {6}}, .x_dtype = TN_U8, .x = pixels, .label = labels, .classes = 2};
    w->model = (tn_model){.build = net, .loss = "cross_entropy"};
    w->fit_options = (tn_fit_options){.epochs = 2, .batch = 4, .step_loss = 1};
    ok(tn_training_new(w->state, &w->model, &w->dataset, &w->fit_options, &w->training));
    tn_output(tn_relu(tn_input(graph, "name", TN_F32, TN_SHAPE(2))), "name");
    ok(tn_compile(graph, w->state, NULL, &w->program));
    tn_graph_free(graph);
    ok(tn_state_save(w->state, file, NULL, 0));
    ok(tn_checkpoint_open(file, &w->checkpoint));
    ok(tn_peek_new(w->state, "fc.weight", &w->peek));
    ok(tn_upload_new(w->program, &w->upload));
    close(descriptor);
    unlink(file);
}

static int make_world(void **state)
{
    (void)state;
    w = calloc(1, sizeof *w);
    w->graph = tn_graph_new();
    w->x = tn_input(w->graph, "x", TN_F32, TN_SHAPE(4, 6));
    w->index = tn_input(w->graph, "index", TN_I32, TN_SHAPE(4));
    w->list[0] = w->x;
    w->onnx = (tn_onnx *)(void *)w->bytes;
    w->column = (tn_column){(const float *)(void *)w->bytes, 2, 1};
    w->nothing = (tn_column){NULL, 3, 1};
    w->scaler = (tn_scaler){.kind = TN_SCALE_NONE, .columns = 1};
    make_runtime();
    return 0;
}

/* ---- the test ---- */

/* In the child: 0, or 1 after a line that says what is missing. */
static int try(size_t i)
{
    static const int deadly[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};
    for (size_t s = 0; s < sizeof deadly / sizeof *deadly; s++) signal(deadly[s], SIG_DFL);
    tn_status status = rows[i].call();
    int said = strstr(tn_message(), "NULL") != NULL;
    if (rows[i].kind == 'S')
        said = said && strstr(tn_message(), rows[i].argument) && strstr(tn_message(), rows[i].function);
    int fine = rows[i].kind == 'U' ? status != TN_OK : status == TN_EINVAL;
    if (rows[i].kind == 'N' || (fine && said)) return 0;
    printf("%s, %s: %s, '%s'\n", rows[i].function, rows[i].argument, tn_status_name(status), tn_message());
    fflush(stdout);
    return 1;
}

static void a_model_or_data_set_that_points_nowhere_is_refused(void **state)
{
    tn_score score;
    tn_dataset no_samples = w->dataset;
    (void)state;
    no_samples.x = NULL;
    assert_int_equal(tn_evaluate(w->state, &(tn_model){.loss = "mse"}, &w->dataset, &score), TN_EINVAL);
    assert_non_null(strstr(tn_message(), "build is NULL"));
    assert_int_equal(tn_evaluate(w->state, &(tn_model){.build = net}, &w->dataset, &score), TN_EINVAL);
    assert_non_null(strstr(tn_message(), "loss is NULL"));
    assert_int_equal(tn_evaluate(w->state, &w->model, &no_samples, &score), TN_EINVAL);
    assert_non_null(strstr(tn_message(), "x is NULL"));
}

static void expect(tn_status status, const char *line)
{
    assert_int_equal(status, TN_EINVAL);
    if (!strstr(tn_message(), line)) fail_msg("'%s' lacks '%s'", tn_message(), line);
}

static void an_array_with_a_null_in_it_is_refused(void **state)
{
    tn_graph *graph = tn_graph_new(), *other = tn_graph_new();
    tn_tensor *x = tn_sum(tn_input(graph, "x", TN_F32, TN_SHAPE(2)), TN_ALL, 0), *none[1] = {NULL}, *out[1];
    const tn_value_of unnamed = {NULL, w->bytes}, empty = {"x", NULL};
    (void)state;
    expect(tn_check_gradients(x, &unnamed, 1, NULL, &w->gradient_error, 1, NULL), "in[0].input is NULL");
    expect(tn_check_gradients(x, &empty, 1, NULL, &w->gradient_error, 1, NULL), "in[0].data is NULL");
    assert_int_equal(tn_variables(graph, 0, NULL, 1), 0);
    tn_grad(x, none, 1, out);
    expect(tn_graph_status(graph), "wrt[0] is NULL");
    (void)tn_count_steps(other, none, 1);
    expect(tn_graph_status(other), "param[0] is NULL");
    tn_graph_free(graph);
    tn_graph_free(other);
}

static void no_function_dies_of_a_null_and_each_says_which_argument_it_is(void **state)
{
    int wrong = 0;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int status = 0;
        fflush(stdout);
        pid_t pid = fork();
        if (!pid) _exit(try(i));
        assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
        if (WIFSIGNALED(status))
            printf("%s, %s: %s\n", rows[i].function, rows[i].argument, strsignal(WTERMSIG(status)));
        wrong += status != 0;
    }
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_function_dies_of_a_null_and_each_says_which_argument_it_is),
        cmocka_unit_test(an_array_with_a_null_in_it_is_refused),
        cmocka_unit_test(a_model_or_data_set_that_points_nowhere_is_refused),
    };
    return cmocka_run_group_tests(tests, make_world, NULL);
}
