/* absent.c: the interface of a library that was built without protobuf-c: it says so. */
#include "given.h"
#include "tenon/onnx.h"

static tn_status absent(void)
{
    return tn_fail(TN_EUNSUPPORTED, "this library was built without ONNX: protobuf-c was not there");
}

tn_status tn_onnx_load(const char *path, tn_onnx **model)
{
    TN_GIVEN(path, model);
    return absent();
}

void tn_onnx_free(tn_onnx *model)
{
    (void)model;
}

tn_status tn_onnx_text(tn_onnx *model, const tn_onnx_options *options, const char **text)
{
    TN_GIVEN(model, text);
    (void)options;
    return absent();
}

tn_status tn_onnx_of_text(const char *text, tn_onnx **model)
{
    TN_GIVEN(text, model);
    return absent();
}

void tn_onnx_end_of(const tn_onnx *model, tn_onnx_end *end)
{
    (void)model;
    if (end) *end = (tn_onnx_end){0};
}

int tn_onnx_input_at(const tn_onnx *model, size_t index, tn_onnx_port *port)
{
    (void)model, (void)index, (void)port;
    return 0;
}

int tn_onnx_default_at(const tn_onnx *model, size_t index, tn_onnx_port *port)
{
    (void)model, (void)index, (void)port;
    return 0;
}

int tn_onnx_output_at(const tn_onnx *model, size_t index, tn_onnx_port *port)
{
    (void)model, (void)index, (void)port;
    return 0;
}

int tn_onnx_operator_at(const tn_onnx *model, size_t index, tn_onnx_operator *op)
{
    (void)model, (void)index, (void)op;
    return 0;
}

int tn_onnx_file_at(tn_onnx *model, size_t index, const char **path)
{
    (void)model, (void)index, (void)path;
    return 0;
}

int64_t tn_onnx_weights(const tn_onnx *model)
{
    (void)model;
    return 0;
}

tn_status tn_onnx_build(tn_onnx *model, tn_graph *graph, const tn_onnx_given given[], size_t count,
                        const tn_onnx_options *options)
{
    TN_GIVEN(model, graph);
    (void)given, (void)count, (void)options;
    return absent();
}

tn_status tn_onnx_apply(tn_onnx *model, tn_tensor *const x[], size_t n_x, tn_tensor *y[], size_t n_y,
                        const tn_onnx_options *options)
{
    TN_GIVEN(model, x, y);
    (void)n_x, (void)n_y, (void)options;
    return absent();
}

tn_status tn_onnx_freeze(tn_onnx *model, const char *patterns)
{
    TN_GIVEN(model);
    (void)patterns;
    return absent();
}

int tn_onnx_weight_at(tn_onnx *model, size_t index, const char **name, tn_shape *shape, const float **data)
{
    (void)model, (void)index, (void)name, (void)shape, (void)data;
    return 0;
}

tn_status tn_onnx_put_weight(tn_onnx *model, size_t index, tn_state *state, const char *name)
{
    TN_GIVEN(model, state);
    (void)index, (void)name;
    return absent();
}

tn_status tn_onnx_put(tn_onnx *model, tn_state *state, const char *scope)
{
    TN_GIVEN(model, state);
    (void)scope;
    return absent();
}

int tn_onnx_problem_at(const tn_onnx *model, size_t index, tn_onnx_problem *problem)
{
    (void)model, (void)index, (void)problem;
    return 0;
}
