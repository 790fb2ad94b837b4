/* tune.c: `tenon tune`: kernels chosen by measuring them on a device, for a network or for usual sizes, and the table
 * of what was chosen. */
#include "interrupt.h"
#include "onnx.h"
#include "saved.h"
#include "tune.h"
#include "work.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char doc[] =
    "Tries the kernels that a device has for matrix products and convolutions, compares what each computes with the "
    "reference in double precision, and measures those that are right. What is compiled from then on uses the fastest. "
    "They are kept in the cache, for this device and driver; an interrupted tuning goes on where it was. The operators "
    "are those of a training step of --net, those of a model that is used, or products and convolutions of usual "
    "sizes. --export and --import alone do nothing else; what is imported is compared here when it is first wanted.";

#define MOST_BYTES ((long)64 << 20) /* of a table */

/* Whether there is something that the cache did not take, as that of a disk that is full. */
int tune_is_unkept(const tuner *t)
{
    tn_tuned_choice any;
    return tn_tuned_at(t->device, 0, &any) && any.unkept;
}

/* Nor does a file. */
int tune_is_lost(const tuner *t)
{
    return !t->to && tune_is_unkept(t);
}

/* ---- programs ---------------------------------------------------------------------------------------------------- */

static int stops(void *arg)
{
    return cli_interrupted() || tune_is_lost(arg);
}

/* Whether there is something to be done for the layout of the setting: with channels last only if the device has that.
 */
static int is_wanted(tuner *t, const tn_program *program)
{
    tn_program_report report;
    tn_program_get_report(program, &report);
    const uint32_t layout = cli_compile_options(&t->b.s).layout;
    if (layout == TN_LAYOUT_LAST) t->is_tried = report.channels_last > 0;
    if (layout == TN_LAYOUT_TRY) tune_tell_layout(t, report.channels_last > 0);
    return layout == TN_LAYOUT_USUAL || (layout == TN_LAYOUT_LAST && report.channels_last);
}

static int tune_program(bench *b, tn_program *program)
{
    tuner *t = (tuner *)(void *)b; /* its first member */
    const double left = fmax(t->until - cli_now(), 0.001);
    const int is_first = cli_compile_options(&b->s).layout == TN_LAYOUT_LAST;
    if (!is_wanted(t, program)) return CLI_OK;
    const tn_tune_options options = {.seconds = is_first ? left / 2 : left,
                                     .tries = (uint32_t)t->tries,
                                     .again = (uint32_t)t->again,
                                     .tell = tune_tell,
                                     .arg = t,
                                     .small_first = (uint32_t)t->small_first,
                                     .stops = stops,
                                     .is_fresh = tune_is_fresh};
    if (tn_program_tune(program, &options)) return cli_failed();
    if (!cli_interrupted()) return CLI_OK;
    cli_warn(tn_cache_check() || tune_is_unkept(t) ? "interrupted"
                                                   : "interrupted; %u trials kept; go on with the same command",
             t->tried);
    return CLI_SIGNAL + cli_interrupted();
}

static int compile_and_tune(tuner *t, tn_graph *graph, tn_state *state)
{
    const tn_compile_options options = cli_compile_options(&t->b.s);
    tn_program *program = NULL;
    int status = tn_compile(graph, state, &options, &program) ? cli_failed() : CLI_GO_ON;
    if (status == CLI_GO_ON) status = tune_program(&t->b, program);
    tn_program_free(program);
    return status;
}

static tn_tensor *values(tn_graph *g, const char *what, int number, tn_shape shape)
{
    char name[32];
    snprintf(name, sizeof name, "%s%d", what, number);
    return tn_variable(g, name, TN_F32, shape, (tn_init){.kind = TN_INIT_UNIFORM, .a = 1}, TN_TRANSIENT);
}

/* Square products, and those of a layer's forward and backward pass. */
static void add_products(tn_graph *g)
{
    static const int64_t size[][3] = {{256, 256, 256},    {512, 512, 512}, {1024, 1024, 1024}, {2048, 2048, 2048},
                                      {4096, 4096, 4096}, {128, 512, 784}, {128, 10, 512},     {64, 1024, 4096}};
    char name[32];
    for (int i = 0; i < (int)(sizeof size / sizeof *size); i++)
        for (int way = 0; way < 3; way++) {
            const int64_t m = size[i][0], n = size[i][1], k = size[i][2];
            tn_tensor *a = values(g, "a", 3 * i + way, way == 2 ? TN_SHAPE(k, m) : TN_SHAPE(m, k));
            tn_tensor *b = values(g, "b", 3 * i + way, way == 1 ? TN_SHAPE(n, k) : TN_SHAPE(k, n));
            snprintf(name, sizeof name, "product%d", 3 * i + way);
            tn_output(tn_matmul_t(a, b, way == 2, way == 1), name);
        }
}

/* Layers of residual networks, and their gradients. */
static void add_pictures(tn_graph *g)
{
    static const int64_t size[][4] = {{64, 64, 56, 3},  {128, 128, 28, 3}, {256, 256, 14, 3}, {512, 512, 7, 3},
                                      {64, 256, 56, 1}, {3, 64, 112, 7}}; /* channels, filters, pixels, window */
    char name[32];
    for (int i = 0; i < (int)(sizeof size / sizeof *size); i++) {
        const int64_t c = size[i][0], k = size[i][1], p = size[i][2], w = size[i][3];
        tn_tensor *wrt[] = {values(g, "x", i, TN_SHAPE(16, c, p, p)), values(g, "w", i, TN_SHAPE(k, c, w, w))},
                  *grad[2];
        tn_tensor *y = tn_convolve2d(wrt[0], wrt[1], (tn_conv_options){.pad = {w / 2, w / 2}});
        tn_grad(tn_sum(tn_square(y), TN_ALL, 0), wrt, 2, grad);
        for (int n = 0; n < 2; n++) {
            snprintf(name, sizeof name, "gradient%d", 2 * i + n);
            tn_output(grad[n], name);
        }
    }
}

static int tune_usual(tuner *t)
{
    tn_state *state = NULL;
    tn_graph *graph = tn_graph_new();
    if (!graph || tn_state_new(t->device, 1, &state)) {
        tn_graph_free(graph);
        return cli_failed();
    }
    add_products(graph);
    add_pictures(graph);
    t->small_first = 1; /* a slow device gets something */
    int status = compile_and_tune(t, graph, state);
    tn_state_free(state);
    tn_graph_free(graph);
    return status;
}

static int tune_saved(tuner *t)
{
    cli_saved saved = {0};
    int status = cli_saved_take(&saved, "tune", t->model, t->b.s.device);
    tn_graph *graph = status == CLI_GO_ON ? tn_graph_new() : NULL;
    if (status == CLI_GO_ON && !graph) status = cli_fail("out of memory");
    if (graph) {
        const tn_model network = cli_model_of(&saved.model, NULL);
        tn_shape shape = {saved.model.sample.rank + 1, {t->b.s.batch}};
        memcpy(&shape.dim[1], saved.model.sample.dim, (size_t)saved.model.sample.rank * sizeof *shape.dim);
        tn_output(network.build(tn_input(graph, "x", TN_F32, shape), 0, network.arg), "y");
        status = compile_and_tune(t, graph, saved.state);
    }
    tn_graph_free(graph);
    cli_saved_close(&saved);
    return status;
}

static int tune_onnx(tuner *t)
{
    cli_onnx onnx = {0};
    tn_state *state = NULL;
    tn_graph *graph = NULL;
    int status = cli_onnx_open(&onnx, t->model);
    if (status == CLI_GO_ON) status = cli_onnx_shapes(&onnx, t->shapes, t->b.s.batch);
    if (status == CLI_GO_ON && !(graph = cli_onnx_build(&onnx, 0))) {
        cli_onnx_problems(&onnx, stderr, 1);
        status = cli_failed();
    }
    if (status == CLI_GO_ON && tn_state_new(t->device, 1, &state)) status = cli_failed();
    if (status == CLI_GO_ON) status = compile_and_tune(t, graph, state);
    tn_state_free(state);
    tn_graph_free(graph);
    cli_onnx_close(&onnx);
    return status;
}

static int tune_network(tuner *t)
{
    if (t->b.s.net) {
        t->b.use = tune_program;
        return bench_train(&t->b);
    }
    return cli_onnx_is(t->model) || cli_onnx_holds(t->model) ? tune_onnx(t) : tune_saved(t);
}

/* The network as it is with channels last, if the device has that, and as usual; then which of both is faster. */
static int tune(tuner *t)
{
    static const char *const layouts[] = {"channels-last", "usual", "try"};
    int status = CLI_OK;
    t->until = cli_now() + t->minutes * 60;
    if (!t->b.s.net && !t->model) {
        t->b.s.layout = "usual";
        status = tune_usual(t);
    }
    for (int i = 0; (t->b.s.net || t->model) && i < 2 + t->is_tried && status == CLI_OK; i++) {
        t->b.s.layout = layouts[i];
        status = tune_network(t);
        tn_state_free(t->b.state);
        cli_crew_close(&t->b.crew);
        t->b.state = NULL;
    }
    if (status == CLI_OK && t->is_short) status = cli_fail("out of memory");
    if (status == CLI_OK || cli_interrupted()) tune_tell_all(t);
    return status == CLI_OK ? CLI_GO_ON : status;
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

static int export(const tuner *t)
{
    uint64_t bytes = 0;
    if (tn_tuned_export(t->device, NULL, 0, &bytes)) return cli_failed();
    char *text = malloc(bytes + 1);
    if (!text) return cli_fail("out of memory");
    int status = tn_tuned_export(t->device, text, bytes, &bytes) || tn_file_replace(t->to, text, bytes);
    free(text);
    return status ? cli_failed() : CLI_GO_ON;
}

/* The file's bytes, which the caller frees; NULL after a failure that was told. */
static char *read_table(const char *path, uint64_t *bytes)
{
    FILE *file = fopen(path, "rb");
    char *text = file ? malloc(MOST_BYTES) : NULL;
    *bytes = text ? fread(text, 1, MOST_BYTES, file) : 0;
    const int failed = !text || ferror(file);
    if (file) fclose(file);
    if (!failed) return text;
    free(text);
    cli_fail("%s: cannot be read", cli_shown(path));
    return NULL;
}

static int import(tuner *t)
{
    uint64_t bytes = 0;
    uint32_t count = 0;
    char *text = read_table(t->from, &bytes);
    if (!text) return CLI_FAILED;
    const tn_status s = tn_tuned_import(t->device, text, bytes, &count);
    free(text);
    if (s == TN_EINVAL) return cli_fail("%s: %s", cli_shown(t->from), tn_message());
    if (s) return cli_failed();
    if (!tune_is_lost(t))
        cli_tell("%u choices taken from %s; each is compared here when it is first wanted\n", count,
                 cli_shown(t->from));
    return CLI_GO_ON;
}

/* ---- the command ------------------------------------------------------------------------------------------------- */

static void make_options(tuner *t)
{
    cli_settings *s = &t->b.s;
    const cli_option options[] = {
        {CLI_TEXT, "net", "NET", "tune what a training step of this network does", &s->net, 0, 0, 0, 0, 0, 0},
        {CLI_TEXT, "loss", "NAME", "of that step (cross_entropy)", &s->loss, 0, 0, 0, 0, 0, 0},
        {CLI_TEXT, "optimizer", "NAME", "of that step (sgd)", &s->optimizer, 0, 0, 0, 0, 0, 0},
        {CLI_TEXT, "model", "FILE", "tune what it takes to use this saved model or ONNX file", &t->model, 0, 0, 0, 0, 0,
         0},
        {CLI_WHOLE, "batch", "N", "samples at a time (128)", &s->batch, 1, 1 << 24, 0, 0, 0, 0},
        {CLI_TEXT, "shape", "CxHxW|NAME=SHAPE,...",
         "channels, rows and columns of a sample of --net (1x28x28); sizes that an ONNX file leaves open", &t->shapes,
         0, 0, 0, 0, 0, 0},
        {CLI_WHOLE, "classes", "N", "of --net (10)", &t->b.classes, 2, 1 << 20, 0, 0, 0, 0},
        {CLI_TEXT, "storage", "f32|f16|bf16", "what passes between kernels is stored as (f32)", &s->storage, 0, 0, 0, 0,
         0, 0},
        {CLI_TEXT, "precision", "f32|f32-fast|bf16", "factors of products may be rounded (f32)", &s->precision, 0, 0, 0,
         0, 0, 0},
        {CLI_NUMBER, "minutes", "N", "to look for better kernels, all operators together (1)", &t->minutes, 0, 1e6, 0,
         0, 0, 0},
        {CLI_WHOLE, "tries", "N", "candidates of each operator at most (as many as there is time for)", &t->tries, 1,
         1 << 20, 0, 0, 0, 0},
        {CLI_FLAG, "again", 0, "tune once more what was tuned", &t->again, 0, 0, 0, 0, 0, 0},
        {CLI_TEXT, "export", "FILE", "write the table of what was chosen there", &t->to, 0, 0, 0, 0, 0, 0},
        {CLI_TEXT, "import", "FILE", "take what another table of this device and driver has", &t->from, 0, 0, 0, 0, 0,
         0},
        {CLI_FLAG, "list", 0, "show what was chosen so far, and tune nothing", &t->list, 0, 0, 0, 0, 0, 0},
        {CLI_FLAG, "forget", 0, "forget what was chosen so far, and tune nothing", &t->forget, 0, 0, 0, 0, 0, 0},
        {CLI_FLAG, "json", 0, "a JSON object an operator on standard output", &s->json, 0, 0, 0, 0, 0, 0},
        {CLI_END, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    };
    memcpy(t->options, options, sizeof options);
}

static int check(tuner *t)
{
    if (t->b.s.net && t->model) return cli_usage("--net and --model are both given");
    t->tunes = t->b.s.net || t->model || !(t->to || t->from || t->list || t->forget);
    if (t->tunes && (t->list || t->forget)) return cli_usage("--list and --forget tune nothing");
    if (t->forget && !t->from && (t->list || t->to)) return cli_usage("--forget leaves nothing to --list or --export");
    if (t->b.s.net && t->shapes) t->b.shape = t->shapes;
    if (!t->b.s.net && t->shapes && !t->model) return cli_usage("--shape is of --net, or of a file of ONNX");
    t->b.samples = t->b.s.batch;
    int status = cli_check_types(&t->b.s);
    return status == CLI_GO_ON ? cli_can_write("export", t->to) ? CLI_FAILED : CLI_GO_ON : status;
}

/* Whether what is found can be kept, or goes to a file, and what was found can be forgotten. */
static int check_cache(const tuner *t)
{
    if (!(t->tunes || t->from || t->forget) || !tn_cache_check()) return CLI_GO_ON;
    if (t->forget) return cli_fail("nothing can be forgotten: %s", tn_message());
    if (!t->to) return cli_fail("nothing can be kept: %s; --export FILE writes what is found to a file", tn_message());
    cli_warn("%s; what is found goes to %s alone", tn_message(), cli_shown(t->to));
    return CLI_GO_ON;
}

/* What was chosen goes to the file; also after an interruption, where nothing else keeps it. */
static int put_away(tuner *t, int status)
{
    const int came = status == CLI_GO_ON || status == CLI_OK;
    if (!came && !(cli_interrupted() && tune_is_unkept(t))) return status;
    const int written = t->to ? export(t) : CLI_GO_ON;
    if (came && (t->tunes || t->from) && tune_is_lost(t))
        return cli_fail("the cache can't be written, and what was %s is lost%s", t->tunes ? "found" : "taken",
                        t->tunes ? "; --export FILE writes it to a file" : "");
    return came || written != CLI_GO_ON ? written : status;
}

static int work(tuner *t)
{
    int status = check_cache(t);
    if (status == CLI_GO_ON && tn_device_open(t->b.s.device, &t->device)) status = cli_failed();
    if (status == CLI_GO_ON) cli_interrupt_catch();
    if (status == CLI_GO_ON && t->forget && tn_tuned_forget(t->device)) status = cli_failed();
    if (status == CLI_GO_ON && t->from) status = import(t);
    if (status == CLI_GO_ON && t->tunes) status = tune(t);
    status = put_away(t, status);
    if (status == CLI_GO_ON && t->list) tune_list(t);
    tn_device_close(t->device);
    return status == CLI_GO_ON ? CLI_OK : status;
}

static int run(tn_team *team, int argc, char **argv, int *known)
{
    (void)known;
    tuner t = {.b = {.team = team, .repeats = 1, .classes = 10, .shape = "1x28x28", .seconds = 0.1}, .minutes = 1};
    int n;
    cli_settings_init(&t.b.s);
    t.b.s.net = NULL;
    t.b.s.optimizer = "sgd";
    t.b.s.loss = "cross_entropy";
    t.b.s.batch = 128;
    make_options(&t);
    int status = cli_parse(&(cli_syntax){"tune", "DEVICE", doc, NULL, t.options}, argc, argv, &n);
    if (status == CLI_GO_ON && n != 1) status = cli_usage("tune is written 'tenon tune DEVICE'; --help tells more");
    t.b.s.device = argv[1];
    if (status == CLI_GO_ON) status = check(&t);
    if (status == CLI_GO_ON) status = work(&t);
    for (uint32_t i = 0; i < t.operators; i++) free(t.row[i].key);
    free(t.row);
    tn_state_free(t.b.state);
    cli_crew_close(&t.b.crew);
    return status;
}

int cli_tune(int argc, char **argv)
{
    return cli_work(run, argc, argv);
}
