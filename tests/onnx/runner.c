/* runner.c: ONNX's own tests of operators and small networks, each in a process of its own:
 *     onnx_tests [-v] [-d DEVICE] [-m MOST] FOLDER...
 * A folder has model.onnx and test_data_set_*, or such folders. A test passes if what the device computes is within the
 * tolerance of the onnx package's own runner; it is wrong if not, or if it crashes; it is missing if something of it
 * has no rule here, which is named; and it does not apply if its values are no tensors of numbers. The last line has
 * the counts; -v shows each test; with -m, what is found in what is fed has room for so many. The exit status is 1 if
 * one is wrong. */
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reference_internal.h"
#include "rule.h"
#include "tenon/tenon.h"

enum { PASSED, WRONG, MISSING, NOT_APPLICABLE, KINDS, MOST_PORTS = 64 };

static const char *const kind_name[KINDS] = {"passed", "wrong", "missing", "not applicable"};

typedef struct test {
    const char *folder, *device;
    tn_onnx *model;
    tn_region region;
    char why[500];
    double rtol, atol;
    int64_t most; /* as in tn_onnx_options */
} test;

/* A value of the test's data. */
typedef struct datum {
    onnx_proto *proto;
    tn_shape shape;
    int32_t dtype; /* of the graph */
    const void *data;
    uint64_t bytes;
} datum;

static int end(test *t, int kind, const char *why)
{
    snprintf(t->why, sizeof t->why, "%s", why);
    return kind;
}

/* ---- data ---- */

static char *read_all(const char *path, size_t *bytes)
{
    FILE *file = fopen(path, "rb");
    if (!file) return NULL;
    fseek(file, 0, SEEK_END);
    *bytes = (size_t)ftell(file);
    rewind(file);
    char *content = malloc(*bytes + 1);
    if (content && fread(content, 1, *bytes, file) != *bytes) *bytes = 0;
    fclose(file);
    return content;
}

/* As the graph has it: f16 and bf16 become f32, u8 and i8 i32. */
static int widen(test *t, datum *d)
{
    if (tn_dtype_size(d->dtype) > 2) return 1;
    const int32_t dtype = onnx_kept_type(d->proto->data_type);
    const tn_tensor_desc from = tn_desc_dense(d->dtype, &d->shape), to = tn_desc_dense(dtype, &d->shape);
    int64_t count = tn_shape_count(&d->shape);
    double *wide = tn_region_alloc(&t->region, (size_t)count * sizeof *wide + 1);
    void *kept = tn_region_alloc(&t->region, (size_t)count * sizeof(float) + 1);
    if (!wide || !kept) return 0;
    tn_reference_load(wide, d->data, &from);
    tn_reference_store(kept, wide, &to);
    d->data = kept;
    d->dtype = dtype;
    return 1;
}

/* Some older files have bf16 as uint16. */
enum { READ, UNREADABLE, OF_ANOTHER_TYPE };

static int read_datum(test *t, const char *set, const char *kind, size_t number, const tn_onnx_port *port, datum *d)
{
    char path[1200];
    size_t bytes = 0;
    snprintf(path, sizeof path, "%s/%s/%s_%zu.pb", t->folder, set, kind, number);
    char *content = read_all(path, &bytes);
    d->proto = content ? onnx__tensor_proto__unpack(NULL, bytes, (const uint8_t *)content) : NULL;
    free(content);
    if (!d->proto) return snprintf(t->why, sizeof t->why, "%s_%zu cannot be read", kind, number), UNREADABLE;
    if (strcmp(onnx_type_name(d->proto->data_type), port->element) != 0) return OF_ANOTHER_TYPE;
    if (onnx_tensor_data(t->model, d->proto, &t->region, &d->shape, &d->dtype, &d->data) || !widen(t, d))
        return snprintf(t->why, sizeof t->why, "%s", tn_message()), UNREADABLE;
    d->bytes = (uint64_t)tn_shape_count(&d->shape) * tn_dtype_size(d->dtype);
    return READ;
}

static int read_fails(test *t, int how)
{
    return how == UNREADABLE ? MISSING : end(t, NOT_APPLICABLE, "its data is of another type than it says");
}

/* ---- running ---- */

static void tell_problems(test *t)
{
    tn_onnx_problem p;
    size_t used = 0;
    *t->why = 0;
    for (size_t i = 0; tn_onnx_problem_at(t->model, i, &p) && used < sizeof t->why; i++)
        used += (size_t)snprintf(t->why + used, sizeof t->why - used, "%s%s: %s", i ? "; " : "", p.op, p.why);
    if (!used) snprintf(t->why, sizeof t->why, "%s", tn_message());
}

/* Inputs whose numbers the shapes depend on become constants, as they turn out to be needed. */
static tn_graph *build(test *t, tn_onnx_given given[], const datum in[], size_t count)
{
    tn_onnx_port port;
    for (size_t round = 0; round <= count; round++) {
        tn_graph *graph = tn_graph_new();
        const tn_onnx_options options = {.most = t->most};
        if (!graph || !tn_onnx_build(t->model, graph, given, count, &options)) return graph;
        tell_problems(t);
        tn_graph_free(graph);
        size_t more = 0;
        for (size_t i = 0; i < count && tn_onnx_input_at(t->model, i, &port); i++) {
            more += port.needed && !given[i].data;
            if (port.needed) given[i].data = in[i].data;
        }
        if (!more) break;
    }
    return NULL;
}

/* Two units in the last place of a type of 16 bits: here it is computed in f32. */
static double tolerance(const test *t, const datum *want)
{
    int32_t type = want->proto->data_type;
    double least = type == ONNX_BFLOAT16 ? 0x1p-6 : type == ONNX_FLOAT16 ? 0x1p-9 : 0;
    return t->rtol < least ? least : t->rtol;
}

/* The reference computes in double precision: what lies in the middle of two steps of eight bits in f32 need not there.
 */
static double may_round_otherwise(const test *t, const datum *want)
{
    int is_small = want->proto->data_type == ONNX_UINT8 || want->proto->data_type == ONNX_INT8;
    return !strcmp(t->device, "reference") && is_small && strstr(t->folder, "quantize") ? 1 : 0;
}

/* Sums that cancel, as those of Fourier transforms do, are as exact as their terms: in units of the largest number. */
static double noise_of(const test *t, const double *want, int64_t count)
{
    tn_onnx_operator op;
    double most = 0;
    int transforms = 0;
    for (size_t i = 0; tn_onnx_operator_at(t->model, i, &op); i++)
        transforms |= !strcmp(op.name, "DFT") || !strcmp(op.name, "STFT");
    for (int64_t i = 0; transforms && i < count; i++) most = fmax(most, fabs(want[i]));
    return 0x1p-23 * most;
}

static int compare(test *t, const char *name, const datum *want, const double *got)
{
    const tn_tensor_desc desc = tn_desc_dense(want->dtype, &want->shape);
    int64_t count = tn_shape_count(&want->shape);
    double *wide = tn_region_alloc(&t->region, (size_t)count * sizeof *wide + 1), rtol = tolerance(t, want);
    const double step = may_round_otherwise(t, want);
    if (count) tn_reference_load(wide, want->data, &desc);
    const double noise = noise_of(t, wide, count);
    for (int64_t i = 0; i < count; i++) {
        int same = wide[i] == got[i] || fabs(wide[i] - got[i]) <= step || (isnan(wide[i]) && isnan(got[i])) ||
                   fabs(wide[i] - got[i]) <= t->atol + noise + rtol * fabs(wide[i]);
        if (same) continue;
        snprintf(t->why, sizeof t->why, "%s[%lld] is %.9g, not %.9g", name, (long long)i, got[i], wide[i]);
        return WRONG;
    }
    return PASSED;
}

/* Where element e of a larger room is in what it should hold; -1: nowhere. */
static int64_t place_in(const tn_shape *shape, const tn_shape *room, int64_t e)
{
    int64_t at = 0, stride = 1;
    for (int32_t d = room->rank - 1; d >= 0; e /= room->dim[d--]) {
        if (e % room->dim[d] >= shape->dim[d]) return -1;
        at += e % room->dim[d] * stride;
        stride *= shape->dim[d];
    }
    return at;
}

/* What there is less of than there is room for: the rest is -1 or 0. */
static int check_room(test *t, const tn_port *port, const datum *want, const void *data)
{
    const tn_tensor_desc from = tn_desc_dense(want->dtype, &want->shape), to = tn_desc_dense(port->dtype, &port->shape);
    const int64_t count = tn_shape_count(&port->shape);
    double *all = tn_region_alloc(&t->region, (size_t)tn_shape_count(&want->shape) * sizeof *all + 1);
    double *got = tn_region_alloc(&t->region, (size_t)count * sizeof *got + 1);
    if (!all || !got) return end(t, WRONG, "no memory");
    if (want->bytes) tn_reference_load(all, want->data, &from);
    if (count) tn_reference_load(got, data, &to);
    for (int64_t e = 0; e < count; e++) {
        const int64_t at = place_in(&want->shape, &port->shape, e);
        if (at < 0 ? got[e] == 0 || got[e] == -1 : got[e] == all[at]) continue;
        snprintf(t->why, sizeof t->why, "%s[%lld] of the room is %g", port->name, (long long)e, got[e]);
        return WRONG;
    }
    return PASSED;
}

/* As large in each dimension, or larger. */
static int has_room(const tn_port *port, const datum *want)
{
    if (port->dtype != want->dtype || port->shape.rank != want->shape.rank) return 0;
    for (int32_t d = 0; d < port->shape.rank; d++)
        if (port->shape.dim[d] < want->shape.dim[d]) return 0;
    return 1;
}

static int check_output(test *t, tn_program *p, const char *name, const datum *want)
{
    tn_port port;
    char a[160], b[160];
    size_t i = 0;
    while (tn_program_output_at(p, i, &port) && strcmp(port.name, name) != 0) i++;
    if (t->most && has_room(&port, want)) {
        const uint64_t bytes = (uint64_t)tn_shape_count(&port.shape) * tn_dtype_size(port.dtype);
        void *room = tn_region_alloc(&t->region, bytes + 1);
        if (!room || tn_fetch(p, name, room, bytes)) return end(t, WRONG, tn_message());
        return check_room(t, &port, want, room);
    }
    if (port.dtype != want->dtype || !tn_shape_equal(&port.shape, &want->shape)) {
        snprintf(t->why, sizeof t->why, "%s is %s %s, not %s %s", name, tn_dtype_name(port.dtype),
                 tn_shape_text(&port.shape, a, sizeof a), tn_dtype_name(want->dtype),
                 tn_shape_text(&want->shape, b, sizeof b));
        return WRONG;
    }
    const tn_tensor_desc desc = tn_desc_dense(want->dtype, &want->shape);
    int64_t count = tn_shape_count(&want->shape);
    void *got = tn_region_alloc(&t->region, want->bytes + 1);
    double *wide = tn_region_alloc(&t->region, (size_t)count * sizeof *wide + 1);
    if (tn_fetch(p, name, got, want->bytes)) return end(t, WRONG, tn_message());
    if (count) tn_reference_load(wide, got, &desc);
    return compare(t, name, want, wide);
}

static int run(test *t, tn_graph *graph, const tn_onnx_given given[], const datum in[], size_t n_in, const datum out[],
               size_t n_out)
{
    tn_device *device = NULL;
    tn_state *state = NULL;
    tn_program *p = NULL;
    tn_onnx_port port;
    tn_status s = tn_device_open(t->device, &device);
    if (!s) s = tn_state_new(device, 1, &state);
    if (!s) s = tn_compile(graph, state, NULL, &p);
    for (size_t i = 0; !s && i < n_in; i++)
        if (!given[i].data) s = tn_feed(p, given[i].name, in[i].data, in[i].bytes);
    if (!s) s = tn_program_run(p);
    int kind = s ? end(t, WRONG, tn_message()) : PASSED;
    for (size_t i = 0; i < n_out && kind == PASSED && tn_onnx_output_at(t->model, i, &port); i++)
        kind = check_output(t, p, port.name, &out[i]);
    tn_program_free(p);
    tn_state_free(state);
    tn_device_close(device);
    return kind;
}

static int run_set(test *t, const char *set)
{
    tn_onnx_port port;
    datum in[MOST_PORTS] = {{0}}, out[MOST_PORTS] = {{0}};
    tn_onnx_given given[MOST_PORTS] = {{0}};
    size_t n_in = 0, n_out = 0;
    for (; n_in < MOST_PORTS && tn_onnx_input_at(t->model, n_in, &port); n_in++) {
        int how = read_datum(t, set, "input", n_in, &port, &in[n_in]);
        if (how != READ) return read_fails(t, how);
        given[n_in] = (tn_onnx_given){port.name, in[n_in].shape, NULL};
    }
    for (; n_out < MOST_PORTS && tn_onnx_output_at(t->model, n_out, &port); n_out++) {
        int how = read_datum(t, set, "output", n_out, &port, &out[n_out]);
        if (how != READ) return read_fails(t, how);
    }
    tn_graph *graph = build(t, given, in, n_in);
    int kind = graph ? run(t, graph, given, in, n_in, out, n_out) : MISSING;
    tn_graph_free(graph);
    return kind;
}

/* ---- one test ---- */

/* What comes of a generator of random numbers, of which ONNX does not say which one it is. */
static int is_random(const test *t)
{
    static const char *const operators[] = {"Bernoulli",        "Multinomial",   "RandomNormal",
                                            "RandomNormalLike", "RandomUniform", "RandomUniformLike"};
    static const char *const tests[] = {"test_training_dropout", "test_training_dropout_default",
                                        "test_training_dropout_default_mask", "test_training_dropout_mask"};
    const char *name = strrchr(t->folder, '/');
    tn_onnx_operator op;
    for (size_t i = 0; tn_onnx_operator_at(t->model, i, &op); i++)
        for (size_t k = 0; k < sizeof operators / sizeof *operators; k++)
            if (!strcmp(op.name, operators[k])) return 1;
    for (size_t k = 0; k < sizeof tests / sizeof *tests; k++)
        if (name && !strcmp(name + 1, tests[k])) return 1;
    return 0;
}

/* Whether all that goes in and out are tensors of numbers, of however many bits. */
static int applies(const tn_onnx *model)
{
    tn_onnx_port port;
    for (size_t i = 0; tn_onnx_input_at(model, i, &port); i++)
        if (!strcmp(port.element, "?") || !strcmp(port.element, "string")) return 0;
    for (size_t i = 0; tn_onnx_output_at(model, i, &port); i++)
        if (!strcmp(port.element, "?") || !strcmp(port.element, "string")) return 0;
    return 1;
}

static void read_tolerance(test *t)
{
    char path[1200];
    snprintf(path, sizeof path, "%s/tolerance", t->folder);
    FILE *file = fopen(path, "r");
    t->rtol = 1e-3, t->atol = 1e-7;
    if (!file) return;
    if (fscanf(file, "%lf %lf", &t->rtol, &t->atol) != 2) t->rtol = 1e-3, t->atol = 1e-7;
    fclose(file);
}

static int run_test(test *t)
{
    char path[1200], set[64];
    struct stat info;
    int kind = PASSED;
    read_tolerance(t);
    snprintf(path, sizeof path, "%s/model.onnx", t->folder);
    tn_status s = tn_onnx_load(path, &t->model);
    if (s) return end(t, s == TN_EUNSUPPORTED ? MISSING : WRONG, tn_message());
    if (is_random(t)) return end(t, NOT_APPLICABLE, "random numbers");
    if (!applies(t->model)) return end(t, NOT_APPLICABLE, "no tensors of numbers");
    for (int i = 0; kind == PASSED; i++) {
        snprintf(set, sizeof set, "test_data_set_%d", i);
        snprintf(path, sizeof path, "%s/%s", t->folder, set);
        if (stat(path, &info)) break;
        kind = run_set(t, set);
    }
    return kind;
}

/* In a process of its own, which says why in a pipe. */
static int run_alone(test *t)
{
    int ends[2], status = 0;
    if (pipe(ends)) return end(t, WRONG, "no pipe");
    fflush(stdout);
    pid_t child = fork();
    if (!child) {
        alarm(120);
        int kind = run_test(t);
        ssize_t written = write(ends[1], t->why, strlen(t->why));
        _exit(written < 0 ? WRONG : kind);
    }
    close(ends[1]);
    size_t used = 0;
    for (ssize_t got; used + 1 < sizeof t->why && (got = read(ends[0], t->why + used, sizeof t->why - 1 - used)) > 0;)
        used += (size_t)got;
    t->why[used] = 0;
    close(ends[0]);
    if (waitpid(child, &status, 0) != child || !WIFEXITED(status)) return end(t, WRONG, "it crashed, or took too long");
    return WEXITSTATUS(status) < KINDS ? WEXITSTATUS(status) : WRONG;
}

/* ---- all of them ---- */

static int count[KINDS], shows_all;

static void visit(const char *folder, const char *device, int64_t most)
{
    char path[1100];
    struct stat info;
    struct dirent **entry = NULL;
    snprintf(path, sizeof path, "%s/model.onnx", folder);
    if (!stat(path, &info)) {
        test t = {.folder = folder, .device = device, .most = most};
        int kind = run_alone(&t);
        const char *name = strrchr(folder, '/');
        count[kind]++;
        if (shows_all || kind == WRONG) printf("%-14s %s  %s\n", kind_name[kind], name ? name + 1 : folder, t.why);
        return;
    }
    int entries = scandir(folder, &entry, NULL, alphasort);
    for (int i = 0; i < entries; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, entry[i]->d_name);
        if (*entry[i]->d_name != '.' && !stat(path, &info) && S_ISDIR(info.st_mode)) visit(path, device, most);
        free(entry[i]);
    }
    free(entry);
}

int main(int argc, char **argv)
{
    const char *device = "reference";
    int64_t most = 0;
    int option;
    while ((option = getopt(argc, argv, "vd:m:")) != -1)
        if (option == 'd')
            device = optarg;
        else if (option == 'm')
            most = atoi(optarg);
        else
            shows_all = 1;
    for (int i = optind; i < argc; i++) visit(argv[i], device, most);
    printf("%s: %d passed, %d wrong, %d missing, %d not applicable\n", device, count[PASSED], count[WRONG],
           count[MISSING], count[NOT_APPLICABLE]);
    return count[WRONG] > 0 || !count[PASSED];
}
