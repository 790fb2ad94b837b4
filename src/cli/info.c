/* info.c: `tenon info`: what an ONNX file is: inputs, outputs, operators, weights; what of it has no rule here; and,
 * with a device, what that one would leave to another. What a saved model is, by its notes, and the same of a network
 * of ONNX in it. Nothing is run. */
#include "info.h"
#include "onnx.h"
#include "options.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char doc[] =
    "Says what an ONNX file has: inputs, outputs, operators, weights, and all that is not supported of it. With "
    "--device also what that device would leave to another. Of a saved model it says its layers, its data, what it was "
    "trained with, and how that went. Nothing is run.";

/* "x float (N, 3, 224, 224)" */
static void print_port(const char *what, const tn_onnx_port *port)
{
    printf("%-8s %s  %s", what, cli_shown(port->name), port->element);
    if (port->rank < 0) printf(" of any shape");
    for (int32_t d = 0; d < port->rank; d++) {
        printf("%s", d ? ", " : " (");
        if (port->dim[d] >= 0)
            printf("%lld", (long long)port->dim[d]);
        else
            printf("%s", port->symbol[d] ? cli_shown(port->symbol[d]) : "?");
    }
    printf("%s\n", port->rank > 0 ? ")" : port->rank == 0 ? " ()" : "");
}

static void print_file(const cli_onnx *onnx)
{
    tn_onnx_port port;
    tn_onnx_operator op;
    for (size_t i = 0; tn_onnx_input_at(onnx->model, i, &port); i++) print_port("input", &port);
    for (size_t i = 0; tn_onnx_output_at(onnx->model, i, &port); i++) print_port("output", &port);
    printf("weights  %lld\n", (long long)tn_onnx_weights(onnx->model));
    for (size_t i = 0; tn_onnx_operator_at(onnx->model, i, &op); i++)
        printf("operator %-24s %6u  %s%sopset %lld%s\n", cli_shown(op.name), op.count, cli_shown(op.domain),
               *op.domain ? ", " : "", (long long)op.opset, op.is_known ? "" : "  is not supported");
}

/* Lines about kernels that are elsewhere, and the last, which has the sums. */
static void take_line(void *arg, const char *line)
{
    char *last = arg;
    if (strstr(line, " not on ")) printf("%s\n", line + strspn(line, " "));
    snprintf(last, 300, "%s", line);
}

static int print_device(tn_graph *graph, const char *name)
{
    tn_device *device = NULL;
    tn_state *state = NULL;
    tn_program *program = NULL;
    char last[300] = "";
    tn_status s = tn_device_open(name, &device);
    if (!s) s = tn_state_new(device, 0, &state);
    if (!s) s = tn_compile(graph, state, NULL, &program);
    if (!s) tn_program_explain(program, take_line, last);
    if (!s) printf("on %s: %s\n", tn_device_name(device), last);
    int status = s ? cli_failed() : CLI_GO_ON;
    tn_program_free(program);
    tn_state_free(state);
    tn_device_close(device);
    return status;
}

static int inform(cli_onnx *onnx, const char *shapes, const char *device)
{
    print_file(onnx);
    int status = cli_onnx_shapes(onnx, shapes, 1);
    tn_graph *graph = status == CLI_GO_ON ? cli_onnx_build(onnx, 0) : NULL;
    tn_onnx_problem first;
    if (status == CLI_GO_ON && !graph && !tn_onnx_problem_at(onnx->model, 0, &first)) {
        status = cli_failed();
    } else if (status == CLI_GO_ON && !graph) {
        printf("not supported:\n");
        (void)cli_onnx_problems(onnx, stdout, 0);
    } else if (graph) {
        printf("all of it is supported\n");
        if (device) status = print_device(graph, device);
    }
    tn_graph_free(graph);
    return status;
}

/* A file of safetensors begins with a length of 8 bytes and JSON, whatever its name. */
static int is_saved(const char *path)
{
    const char *dot = strrchr(path, '.');
    char head[9] = "";
    FILE *file = fopen(path, "rb");
    const size_t got = file ? fread(head, 1, sizeof head, file) : 0;
    if (file) fclose(file);
    return (got == sizeof head && head[7] == 0 && head[8] == '{') || (dot && !strcasecmp(dot, ".safetensors"));
}

static int inform_file(const char *path, const char *shapes, const char *device, int64_t most)
{
    int status = CLI_GO_ON, has_network = 1;
    cli_onnx onnx = {.most = most};
    if (is_saved(path)) status = cli_info_saved(path, &has_network, shapes || device);
    if (status != CLI_GO_ON || !has_network) return status;
    status = cli_onnx_open(&onnx, path);
    if (status == CLI_GO_ON) status = inform(&onnx, shapes, device);
    cli_onnx_close(&onnx);
    return status;
}

int cli_info(int argc, char **argv)
{
    const char *shapes = NULL, *device = NULL;
    int64_t most = 0;
    int operands;
    cli_option options[] = {
        {CLI_TEXT, "shape", "NAME=SHAPE,...", "sizes of inputs or dimensions that the file leaves open (1)", &shapes, 0,
         0, 0, 0, 0, 0},
        {CLI_TEXT, "device", "NAME", "says what that device would leave to another", &device, 0, 0, 0, 0, 0, 0},
        {CLI_WHOLE, "most", "N", CLI_ONNX_MOST, &most, 0, INT32_MAX, 0, 0, 0, 0},
        {.kind = CLI_END},
    };
    int status = cli_parse(&(cli_syntax){"info", "FILE", doc, NULL, options}, argc, argv, &operands);
    if (status == CLI_GO_ON && operands != 1) status = cli_usage("info needs one FILE");
    if (status == CLI_GO_ON) status = inform_file(argv[1], shapes, device, most);
    return status == CLI_GO_ON ? CLI_OK : status;
}
