/* main.c: one network of nets.def, with the weights and the inputs of a file: what it gives, its gradients, and what
 * becomes of it in some steps of training. run.py writes the file, and compares what comes back with PyTorch.
 *
 *     test_torch_nets NETWORK DEVICE OPTIMIZER RATE STEPS FROM RESULTS WEIGHTS
 *
 * RESULTS gets "y0", "loss0" and "grad0.NAME" of each phase, "losses" and, by the trained weights, "y"; WEIGHTS the
 * trained weights alone. */
#include "nets.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PHASES = 2, PARAMS = 64, SHOWN = PARAMS + 2, LARGEST = 1 << 14 };

#define TRY(call)                                                                                                      \
    do {                                                                                                               \
        tn_status try_ = (call);                                                                                       \
        if (try_) return try_;                                                                                         \
    } while (0)

static const struct {
    const char *name;
    net_build *build;
    int phases;
    const char *only[PHASES];
} nets[] = {
#define X(name, phases, ...) {#name, name, phases, {__VA_ARGS__}},
#include "nets.def"
#undef X
};

typedef struct job {
    size_t net;
    const char *optimizer;
    double rate;
    int steps;
    tn_checkpoint *file;
    tn_state *state, *results;
} job;

/* ---- what nets.h promises ---- */

tn_tensor *in(const net *n, const char *name)
{
    tn_state_entry entry;
    if (tn_checkpoint_find(n->file, named("in:%s", name), &entry, NULL))
        return tn_input(n->graph, name, entry.dtype, entry.shape);
    tn_graph_fail(n->graph, TN_EMISSING, "the file has no input '%s'", name);
    return tn_number(tn_full(n->graph, TN_F32, TN_SCALAR, 0), 0);
}

const char *named(const char *format, ...)
{
    static char text[8][96];
    static int next;
    char *to = text[next++ % 8];
    va_list args;
    va_start(args, format);
    vsnprintf(to, sizeof text[0], format, args);
    va_end(args);
    return to;
}

tn_tensor *param(const net *n, const char *name, tn_shape shape)
{
    return tn_param(n->graph, name, shape, (tn_init){.kind = TN_INIT_NORMAL, .a = 1});
}

tn_tensor *linear(tn_tensor *x, const char *name, int64_t units)
{
    return tn_linear(x, name, .units = units);
}

tn_tensor *linear_plain(tn_tensor *x, const char *name, int64_t units)
{
    return tn_linear(x, name, .units = units, .no_bias = 1);
}

tn_tensor *mean(tn_tensor *x)
{
    return tn_mean(x, TN_ALL, 0);
}

tn_tensor *scaled(tn_tensor *x, double factor)
{
    return tn_mul(x, tn_number(x, factor));
}

/* ---- building ---- */

/* Trainable variables of one phase; those of a pair of players begin with its letter and a point. */
static size_t params_of(const job *j, tn_graph *graph, int phase, tn_tensor *list[PARAMS])
{
    const char *only = nets[j->net].only[phase];
    size_t all = tn_variables(graph, TN_TRAINABLE, list, PARAMS), count = 0;
    for (size_t i = 0; i < all && i < PARAMS; i++)
        if (!strcmp(only, "*") || (*tn_name_of(list[i]) == *only && tn_name_of(list[i])[1] == '.'))
            list[count++] = list[i];
    return count;
}

static tn_tensor *build(const job *j, int phase, tn_tensor **y)
{
    net n = {.graph = tn_graph_new(), .file = j->file, .phase = phase};
    tn_tensor *loss = nets[j->net].build(&n);
    *y = n.y;
    return loss;
}

static void report(void *arg, int32_t fit, const tn_state_entry *state, const tn_state_entry *file)
{
    int is_known = fit == TN_LOAD_TAKEN ||
                   (!state && (!strncmp(file->name, "in:", 3) || strstr(file->name, "num_batches_tracked")));
    if (is_known) return;
    fprintf(stderr, "'%s' is not loaded\n", state ? state->name : file->name);
    ++*(int *)arg;
}

/* All weights of the file, and no other. */
static tn_status load(const job *j, tn_state *state)
{
    int unfit = 0;
    TRY(tn_checkpoint_load_fitting(j->file, state, report, &unfit, NULL));
    return unfit ? TN_EMISSING : TN_OK;
}

static tn_status feed(const job *j, tn_program *program)
{
    tn_state_entry entry;
    const void *data = NULL;
    for (size_t i = 0; tn_checkpoint_at(j->file, i, &entry, &data); i++) {
        if (strncmp(entry.name, "in:", 3)) continue;
        uint64_t bytes = 4;
        for (int32_t d = 0; d < entry.shape.rank; d++) bytes *= (uint64_t)entry.shape.dim[d];
        tn_status status = tn_feed(program, entry.name + 3, data, bytes);
        if (status != TN_EMISSING) TRY(status); /* the other phase's */
    }
    return TN_OK;
}

/* ---- outputs and gradients ---- */

typedef struct shown {
    char name[128];
    tn_shape shape;
} shown;

static void show(tn_tensor *x, const char *name, shown list[], size_t *count)
{
    snprintf(list[*count].name, sizeof list[*count].name, "%s", name);
    list[*count].shape = tn_shape_of(x);
    tn_output(x, list[(*count)++].name);
}

static tn_status keep(const job *j, tn_program *program, const shown list[], size_t count)
{
    static float value[LARGEST];
    for (size_t i = 0; i < count; i++) {
        uint64_t bytes = sizeof *value;
        for (int32_t d = 0; d < list[i].shape.rank; d++) bytes *= (uint64_t)list[i].shape.dim[d];
        if (bytes > sizeof value) return TN_ENOMEM;
        TRY(tn_fetch(program, list[i].name, value, bytes));
        TRY(tn_state_put(j->results, list[i].name, TN_F32, list[i].shape, 0, value));
    }
    return TN_OK;
}

static tn_status run_once(const job *j, tn_graph *graph, tn_state *state, int fresh, const shown list[], size_t count)
{
    tn_program *program = NULL;
    tn_status s = tn_compile(graph, state, NULL, &program);
    if (!s && fresh) s = load(j, state);
    if (!s) s = feed(j, program);
    if (!s) s = tn_program_run(program);
    if (!s) s = keep(j, program, list, count);
    tn_program_free(program);
    return s;
}

/* The gradients of all parameters, in a state of its own: running statistics move. */
static tn_status differentiate(const job *j, int phase)
{
    static shown list[SHOWN];
    tn_tensor *param[PARAMS], *grad[PARAMS], *y = NULL, *loss = build(j, phase, &y);
    tn_graph *graph = tn_graph_of(loss);
    tn_state *state = NULL;
    size_t count = 0, params = tn_variables(graph, TN_TRAINABLE, param, PARAMS);
    tn_grad(loss, param, params, grad);
    show(y, named("y%d", phase), list, &count);
    show(loss, named("loss%d", phase), list, &count);
    for (size_t i = 0; i < params; i++) show(grad[i], named("grad%d.%s", phase, tn_name_of(param[i])), list, &count);
    tn_status s = tn_state_new(tn_state_device(j->state), 1, &state);
    if (!s) s = run_once(j, graph, state, 1, list, count);
    tn_state_free(state);
    tn_graph_free(graph);
    return s;
}

/* By the weights as they are now. */
static tn_status evaluate(const job *j)
{
    shown list[1];
    size_t count = 0;
    tn_tensor *y = NULL;
    tn_graph *graph = tn_graph_of(build(j, 0, &y));
    show(y, "y", list, &count);
    tn_status s = run_once(j, graph, j->state, 0, list, count);
    tn_graph_free(graph);
    return s;
}

/* ---- training ---- */

/* A critic's weights stay small. */
static void clip(const job *j, tn_graph *graph, int phase)
{
    tn_tensor *param[PARAMS];
    size_t count = params_of(j, graph, phase, param);
    if (strcmp(nets[j->net].name, "wgan") || phase) return;
    for (size_t i = 0; i < count; i++) tn_assign_again(param[i], tn_clamp(tn_assigned(param[i]), -0.2, 0.2));
}

static tn_status make(const job *j, int phase, tn_program **program)
{
    const char *only = nets[j->net].only[phase];
    tn_tensor *y = NULL, *loss = build(j, phase, &y);
    tn_graph *graph = tn_graph_of(loss);
    tn_output(loss, "loss");
    tn_minimize(loss, j->optimizer,
                (tn_optim_options){.lr = j->rate, .only = strcmp(only, "*") ? only : NULL, .name = only});
    clip(j, graph, phase);
    tn_status s = tn_compile(graph, j->state, NULL, program);
    if (!s) s = feed(j, *program);
    tn_graph_free(graph);
    return s;
}

static tn_status run_steps(const job *j, tn_program *const program[])
{
    int phases = nets[j->net].phases;
    float *loss = calloc((size_t)(j->steps * phases), sizeof *loss);
    tn_status s = loss ? TN_OK : TN_ENOMEM;
    for (int i = 0; !s && i < j->steps * phases; i++) {
        s = tn_program_run(program[i % phases]);
        if (!s) s = tn_fetch(program[i % phases], "loss", &loss[i], sizeof *loss);
    }
    if (!s) s = tn_state_put(j->results, "losses", TN_F32, TN_SHAPE(j->steps * phases), 0, loss);
    free(loss);
    return s;
}

static tn_status train(const job *j, const char *weights)
{
    tn_program *program[PHASES] = {0};
    tn_status s = TN_OK;
    for (int i = 0; !s && i < nets[j->net].phases; i++) s = make(j, i, &program[i]);
    if (!s) s = load(j, j->state);
    if (!s) s = run_steps(j, program);
    if (!s) s = tn_state_save_with(j->state, weights, &(tn_save_options){.weights_only = 1}, NULL, 0);
    for (int i = 0; i < PHASES; i++) tn_program_free(program[i]);
    return s;
}

static tn_status work(const job *j, const char *results, const char *weights)
{
    for (int i = 0; i < nets[j->net].phases; i++) TRY(differentiate(j, i));
    TRY(train(j, weights));
    TRY(evaluate(j));
    return tn_state_save(j->results, results, NULL, 0);
}

int main(int argc, char **argv)
{
    job j = {0};
    tn_device *device = NULL, *host = NULL;
    if (argc != 9) return 2;
    while (j.net < sizeof nets / sizeof *nets && strcmp(nets[j.net].name, argv[1])) j.net++;
    if (j.net == sizeof nets / sizeof *nets) return fprintf(stderr, "no network '%s'\n", argv[1]), 2;
    if (tn_device_open(argv[2], &device)) return fprintf(stderr, "%s\n", tn_message()), 77;
    j.optimizer = argv[3];
    j.rate = strtod(argv[4], NULL);
    j.steps = atoi(argv[5]);
    tn_status s = tn_device_open("reference", &host);
    if (!s) s = tn_state_new(device, 1, &j.state);
    if (!s) s = tn_state_new(host, 1, &j.results);
    if (!s) s = tn_checkpoint_open(argv[6], &j.file);
    if (!s) s = work(&j, argv[7], argv[8]);
    if (s) fprintf(stderr, "%s: %s\n", tn_status_name(s), tn_message());
    tn_checkpoint_close(j.file);
    tn_state_free(j.state);
    tn_state_free(j.results);
    tn_device_close(device);
    tn_device_close(host);
    return s ? 1 : 0;
}
