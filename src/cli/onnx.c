/* onnx.c: see onnx.h. */
#include "onnx.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { NEWEST = 28 }; /* opset of which something is known here */

static int ends_in(const char *path, const char *ending)
{
    const char *dot = path ? strrchr(path, '.') : NULL;
    return dot && !strcasecmp(dot, ending);
}

int cli_onnx_is(const char *path)
{
    return ends_in(path, ".onnx");
}

/* The version of the format, and then a text or a part: safetensors begin with a number of 8 bytes and a brace. */
static int begins_as_onnx(const char *path)
{
    struct stat info;
    unsigned char byte[9] = {0};
    if (!path || stat(path, &info) || !S_ISREG(info.st_mode)) return 0;
    FILE *file = fopen(path, "rb");
    const size_t got = file ? fread(byte, 1, sizeof byte, file) : 0;
    if (file) fclose(file);
    return got == sizeof byte && byte[0] == 8 && byte[1] < 32 && (byte[2] & 7) == 2 && byte[8] != '{';
}

int cli_onnx_reads(const char *path)
{
    return cli_onnx_is(path) || (!ends_in(path, ".safetensors") && begins_as_onnx(path));
}

void cli_onnx_warn(const tn_onnx *model, const char *path)
{
    tn_onnx_operator op;
    for (size_t i = 0; tn_onnx_operator_at(model, i, &op); i++) {
        if (*op.domain || op.opset <= NEWEST) continue;
        cli_warn("%s: opset %lld is later than %d, the last that is known here: it is read as that", path,
                 (long long)op.opset, NEWEST);
        return;
    }
}

/* Of a checkpoint that says what its samples are, it is a model that was trained. */
static int is_untrained(const tn_checkpoint *file)
{
    const char *network = tn_checkpoint_note(file, "onnx"), *sample = tn_checkpoint_note(file, "sample");
    return network && *network && !(sample && *sample);
}

int cli_onnx_holds(const char *path)
{
    tn_checkpoint *file = NULL;
    if (cli_onnx_reads(path)) return 1;
    if (!ends_in(path, ".safetensors") || tn_checkpoint_open(path, &file)) return 0;
    int is = is_untrained(file);
    tn_checkpoint_close(file);
    return is;
}

const char *cli_onnx_of(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *path = NULL;
        if (!strcmp(argv[i], "--model") && i + 1 < argc) path = argv[i + 1];
        if (!strncmp(argv[i], "--model=", 8)) path = argv[i] + 8;
        if (cli_onnx_holds(path)) return path;
    }
    return NULL;
}

static int read_model(cli_onnx *onnx)
{
    if (!ends_in(onnx->path, ".safetensors")) return tn_onnx_load(onnx->path, &onnx->model) ? cli_failed() : CLI_GO_ON;
    if (tn_checkpoint_open(onnx->path, &onnx->weights)) return cli_failed();
    const char *text = tn_checkpoint_note(onnx->weights, "onnx");
    if (!text || !*text) return cli_fail("%s: it holds no network of ONNX", onnx->path);
    return tn_onnx_of_text(text, &onnx->model) ? cli_fail("%s: %s", onnx->path, tn_message()) : CLI_GO_ON;
}

int cli_onnx_open(cli_onnx *onnx, const char *path)
{
    tn_onnx_port port;
    *onnx = (cli_onnx){.path = path, .most = onnx->most};
    int status = read_model(onnx);
    if (status == CLI_GO_ON) cli_onnx_warn(onnx->model, path);
    while (status == CLI_GO_ON && tn_onnx_input_at(onnx->model, onnx->inputs, &port)) {
        if (onnx->inputs == CLI_ONNX_INPUTS) return cli_fail("%s has more than %d inputs", path, CLI_ONNX_INPUTS);
        onnx->given[onnx->inputs++].name = port.name;
    }
    return status;
}

int cli_onnx_input(const cli_onnx *onnx, size_t i, tn_onnx_port *port)
{
    if (tn_onnx_input_at(onnx->model, i, port)) return 1;
    for (size_t k = 0; i < onnx->inputs && tn_onnx_default_at(onnx->model, k, port); k++)
        if (!strcmp(port->name, onnx->given[i].name)) return 1;
    return 0;
}

int cli_onnx_add_default(cli_onnx *onnx, const char *name, size_t length)
{
    tn_onnx_port port;
    for (size_t i = 0; onnx->inputs < CLI_ONNX_INPUTS && tn_onnx_default_at(onnx->model, i, &port); i++) {
        if (strlen(port.name) != length || strncmp(port.name, name, length) != 0) continue;
        onnx->given[onnx->inputs++].name = port.name;
        return 1;
    }
    return 0;
}

void cli_onnx_close(cli_onnx *onnx)
{
    for (size_t i = 0; i < onnx->inputs; i++) free(onnx->data[i]);
    tn_onnx_free(onnx->model);
    tn_checkpoint_close(onnx->weights);
}

int cli_onnx_spares(tn_onnx *model, const char *option, const char *path)
{
    const char *beside;
    for (size_t i = 0; model && tn_onnx_file_at(model, i, &beside); i++)
        if (cli_not_the_same(option, path, "the network's weights in", beside)) return CLI_USAGE;
    return CLI_GO_ON;
}

/* ---- shapes ---- */

/* "1x3x224x224" up to a comma; returns 0 if it is anything else. */
static int read_shape(const char *text, tn_shape *shape)
{
    *shape = (tn_shape){0};
    do {
        char *end;
        long long size = strtoll(text, &end, 10);
        if (end == text || size < 0 || shape->rank == TN_MAX_RANK) return 0;
        shape->dim[shape->rank++] = size;
        text = end;
    } while (*text++ == 'x');
    return text[-1] == 0 || text[-1] == ',';
}

/* What the list says of a name; returns 0 if it says nothing. */
static int find_shape(const char *list, const char *name, tn_shape *shape)
{
    for (const char *at = list; at && *at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
        const char *is = strchr(at, '=');
        if (is && (size_t)(is - at) == strlen(name) && !strncmp(at, name, strlen(name)))
            return read_shape(is + 1, shape);
    }
    return 0;
}

static int is_known_name(const cli_onnx *onnx, const char *name, size_t length)
{
    tn_onnx_port port;
    for (size_t i = 0; tn_onnx_input_at(onnx->model, i, &port); i++) {
        if (strlen(port.name) == length && !strncmp(port.name, name, length)) return 1;
        for (int32_t d = 0; d < port.rank; d++)
            if (port.symbol[d] && strlen(port.symbol[d]) == length && !strncmp(port.symbol[d], name, length)) return 1;
    }
    return 0;
}

static int check_list(const cli_onnx *onnx, const char *list)
{
    tn_shape shape;
    for (const char *at = list; at && *at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
        const char *is = strchr(at, '=');
        if (!is || !read_shape(is + 1, &shape)) return cli_usage("--shape '%s' is no NAME=1x3x224x224", list);
        if (!is_known_name(onnx, at, (size_t)(is - at)))
            return cli_usage("--shape '%s': %s has no input and no dimension '%.*s'", list, onnx->path, (int)(is - at),
                             at);
    }
    return CLI_GO_ON;
}

static int declared(const cli_onnx *onnx, const tn_onnx_port *port, const char *list, int64_t otherwise,
                    tn_shape *shape)
{
    tn_shape one;
    *shape = (tn_shape){.rank = port->rank > 0 ? port->rank : 0};
    for (int32_t d = 0; d < shape->rank; d++) {
        int is_said = port->symbol[d] && find_shape(list, port->symbol[d], &one) && one.rank == 1;
        shape->dim[d] = port->dim[d] >= 0 ? port->dim[d] : is_said ? one.dim[0] : otherwise;
        if (port->dim[d] < 0 && !is_said && !otherwise)
            return cli_usage("%s: dimension %d of input '%s' is open (%s): --shape says what it is", onnx->path, d,
                             port->name, port->symbol[d] ? port->symbol[d] : "it has no name");
    }
    if (port->rank < 0 && !otherwise)
        return cli_usage("%s: the shape of input '%s' is open: --shape says what it is", onnx->path, port->name);
    return CLI_GO_ON;
}

/* Numbers that have a default have no batch; of whole ones, such as a shape, there may be more. */
static int check_declared(const cli_onnx *onnx, size_t i, const tn_onnx_port *port, const tn_shape *shape)
{
    char declared[300], given[160];
    tn_onnx_port input;
    const int has_batch = tn_onnx_input_at(onnx->model, i, &input) || port->dtype == TN_I32;
    const int is_same = port->rank < 1 || port->dim[0] < 0 || port->dim[0] == shape->dim[0];
    if (cli_onnx_fits(port, shape) && (has_batch || is_same)) return CLI_GO_ON;
    return cli_fail("%s: input '%s' is declared as %s, and is given as %s%s", onnx->path, port->name,
                    cli_onnx_port_text(port, declared, sizeof declared), tn_shape_text(shape, given, sizeof given),
                    has_batch ? ": only its first dimension, the batch, may differ" : "");
}

int cli_onnx_shapes(cli_onnx *onnx, const char *shapes, int64_t otherwise)
{
    tn_onnx_port port;
    int status = check_list(onnx, shapes);
    for (size_t i = 0; i < onnx->inputs && status == CLI_GO_ON && cli_onnx_input(onnx, i, &port); i++) {
        tn_shape *shape = &onnx->given[i].shape;
        if (!onnx->data[i] && !find_shape(shapes, port.name, shape))
            status = declared(onnx, &port, shapes, otherwise, shape);
        if (status == CLI_GO_ON) status = check_declared(onnx, i, &port, shape);
    }
    return status;
}

/* ---- building ---- */

tn_graph *cli_onnx_build(cli_onnx *onnx, int variables)
{
    const tn_onnx_options how = {.trainable = variables || onnx->weights, .most = onnx->most};
    tn_onnx_port port;
    for (size_t round = 0; round <= onnx->inputs; round++) {
        size_t more = 0;
        tn_graph *graph = tn_graph_new();
        if (!graph || !tn_onnx_build(onnx->model, graph, onnx->given, onnx->inputs, &how)) return graph;
        for (size_t i = 0; i < onnx->inputs && cli_onnx_input(onnx, i, &port); i++) {
            int becomes = port.needed && onnx->data[i] && !onnx->given[i].data;
            if (becomes) onnx->given[i].data = onnx->data[i];
            more += becomes != 0;
        }
        tn_graph_free(graph);
        if (!more) break;
    }
    return NULL;
}

int cli_onnx_fill(cli_onnx *onnx, int variables, tn_state *state)
{
    if (onnx->weights) return tn_checkpoint_move(onnx->weights, state) ? cli_failed() : CLI_GO_ON;
    return variables && tn_onnx_put(onnx->model, state, NULL) ? cli_failed() : CLI_GO_ON;
}

void cli_onnx_problems(const cli_onnx *onnx, void *stream, size_t first)
{
    tn_onnx_problem p;
    for (size_t i = first; tn_onnx_problem_at(onnx->model, i, &p); i++)
        fprintf(stream, "  %-24s %s%s opset %lld, %u time%s, first at '%s': %s\n", cli_shown(p.op), cli_shown(p.domain),
                *p.domain ? "," : "", (long long)p.opset, p.count, p.count == 1 ? "" : "s", cli_shown(p.node),
                cli_shown(p.why));
}
