/* convert_onnx.c: `tenon convert` of a network that comes as ONNX: into a safetensors file that holds the network and
 * its weights by name, or into another ONNX file, of the operators that it is made of here. */
#include "onnx.h"

#include <stdio.h>
#include <string.h>

enum { BATCH = 2 }; /* and one more: in what the two differ is the batch */

/* Sizes that are open, but for the batch, have to be said. */
static int check_open(const cli_onnx *onnx, const char *shapes)
{
    tn_onnx_port port;
    for (size_t i = 0; !shapes && tn_onnx_input_at(onnx->model, i, &port); i++)
        for (int32_t d = 1; d < port.rank; d++)
            if (port.dim[d] < 0)
                return cli_usage("%s: dimension %d of input '%s' is open (%s): --shape says what it is", onnx->path, d,
                                 port.name, port.symbol[d] ? port.symbol[d] : "it has no name");
    return CLI_GO_ON;
}

static int takes_bytes(const cli_onnx *onnx)
{
    tn_onnx_port port;
    for (size_t i = 0; tn_onnx_input_at(onnx->model, i, &port); i++)
        if (!strcmp(port.element, "uint8")) return 1;
    return 0;
}

/* Inputs of bytes are u8, as the file that is written shall have them, and i32 behind that, as the model has them. NULL
 * as cli_onnx_build, which is for all other files. */
static tn_graph *build_of_bytes(const cli_onnx *onnx)
{
    const tn_onnx_options how = {.trainable = 1, .most = onnx->most};
    tn_tensor *x[CLI_ONNX_INPUTS], *y[CLI_ONNX_INPUTS];
    tn_onnx_port port;
    size_t n = 0;
    tn_graph *graph = tn_graph_new();
    for (; graph && tn_onnx_input_at(onnx->model, n, &port); n++) {
        const int32_t dtype = strcmp(port.element, "uint8") ? port.dtype : TN_U8;
        x[n] = tn_cast(tn_input(graph, port.name, dtype, onnx->given[n].shape), port.dtype);
    }
    tn_status s = graph ? tn_onnx_apply(onnx->model, x, n, y, CLI_ONNX_INPUTS, &how) : TN_ENOMEM;
    for (size_t i = 0; !s && tn_onnx_output_at(onnx->model, i, &port); i++) tn_output(y[i], port.name);
    if (!s) return graph;
    tn_graph_free(graph);
    return NULL;
}

static tn_graph *build_one(cli_onnx *onnx)
{
    tn_onnx_port port;
    const int is_small = !tn_onnx_output_at(onnx->model, CLI_ONNX_INPUTS, &port);
    return is_small && takes_bytes(onnx) ? build_of_bytes(onnx) : cli_onnx_build(onnx, 1);
}

static tn_graph *build(cli_onnx *onnx, const char *shapes, int64_t batch, int *status)
{
    *status = cli_onnx_shapes(onnx, shapes, batch);
    tn_graph *graph = *status == CLI_GO_ON ? build_one(onnx) : NULL;
    if (*status != CLI_GO_ON || graph) return graph;
    *status = check_open(onnx, shapes);
    if (*status != CLI_GO_ON) return NULL;
    *status = cli_failed();
    cli_onnx_problems(onnx, stderr, 1);
    return NULL;
}

static int is_open(const cli_onnx *onnx)
{
    tn_onnx_port port;
    for (size_t i = 0; tn_onnx_input_at(onnx->model, i, &port); i++)
        if (port.rank > 0 && port.dim[0] < 0) return 1;
    return 0;
}

static int write_onnx(cli_onnx *onnx, tn_graph *graph, tn_state *state, const char *to, int64_t opset,
                      const char *shapes)
{
    int status = CLI_GO_ON;
    tn_graph *other = is_open(onnx) ? build(onnx, shapes, BATCH + 1, &status) : NULL;
    const tn_onnx_save_options how = {.opset = opset, .other = other, .name = "network"};
    if (status == CLI_GO_ON && tn_onnx_save(graph, state, to, &how)) status = cli_failed();
    tn_graph_free(other);
    return status;
}

static int write_safetensors(cli_onnx *onnx, tn_state *state, const char *to)
{
    const char *text;
    const tn_onnx_options how = {.most = onnx->most};
    if (tn_onnx_text(onnx->model, &how, &text)) return cli_failed();
    const tn_note notes[] = {{"net", onnx->path}, {"onnx", text}};
    return tn_state_save(state, to, notes, 2) ? cli_failed() : CLI_GO_ON;
}

int cli_convert_onnx(const char *from, const char *to, int64_t opset, const char *shapes, int64_t most)
{
    cli_onnx onnx = {.most = most};
    tn_device *device = NULL;
    tn_state *state = NULL;
    tn_graph *graph = NULL;
    int status = cli_onnx_open(&onnx, from);
    if (status == CLI_GO_ON && cli_onnx_is(to)) status = check_open(&onnx, shapes);
    if (status == CLI_GO_ON) graph = build(&onnx, shapes, BATCH, &status);
    if (status == CLI_GO_ON && (tn_device_open("reference", &device) || tn_state_new(device, 0, &state)))
        status = cli_failed();
    if (status == CLI_GO_ON) status = cli_onnx_fill(&onnx, 1, state);
    if (status == CLI_GO_ON && cli_onnx_is(to))
        status = write_onnx(&onnx, graph, state, to, opset, shapes);
    else if (status == CLI_GO_ON)
        status = write_safetensors(&onnx, state, to);
    tn_graph_free(graph);
    tn_state_free(state);
    tn_device_close(device);
    cli_onnx_close(&onnx);
    return status == CLI_GO_ON ? CLI_OK : status;
}
