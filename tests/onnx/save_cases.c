/* save_cases.c: the cases of every operator as ONNX files with operands and the reference's results: see save_files.c.
 * What ONNX cannot say is left out; save.c sees that it is refused by its name. */
#include "save.h"
#include "case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t bytes_of(const tn_tensor *x)
{
    const tn_shape shape = tn_shape_of(x);
    return (size_t)tn_shape_count(&shape) * tn_dtype_size(tn_dtype_of(x));
}

/* Random operands of the case, fed, and written one after another. */
static tn_status feed(tn_program *program, const tn_op_case *c, tn_tensor *const in[], FILE *file)
{
    const double low = c->low < c->high ? c->low : -2, high = c->low < c->high ? c->high : 2;
    tn_status s = TN_OK;
    for (int i = 0; i < TN_CASE_OPERANDS && in[i] && !s; i++) {
        const size_t bytes = bytes_of(in[i]), count = bytes / 4;
        float *x = malloc(bytes + 1);
        for (size_t k = 0; k < count; k++) {
            const double number = low + (high - low) * rand() / RAND_MAX;
            if (tn_dtype_of(in[i]) == TN_I32)
                ((int32_t *)x)[k] = (int32_t)(number < 0 ? number - 0.5 : number + 0.5);
            else
                x[k] = (float)number;
        }
        s = tn_feed(program, tn_name_of(in[i]), x, bytes);
        if (fwrite(x, 1, bytes, file) != bytes) abort();
        free(x);
    }
    return s;
}

static tn_status run(tn_graph *graph, tn_state *state, const tn_op_case *c, tn_tensor *const in[], const tn_tensor *y,
                     const char *base)
{
    char path[4096];
    snprintf(path, sizeof path, "%s.x", base);
    FILE *x = fopen(path, "wb");
    snprintf(path, sizeof path, "%s.y", base);
    FILE *to = fopen(path, "wb");
    void *value = malloc(bytes_of(y) + 1);
    tn_program *program = NULL;
    tn_status s = tn_compile(graph, state, NULL, &program);
    if (!x || !to) abort();
    if (!s) s = feed(program, c, in, x);
    if (!s) s = tn_program_run(program);
    if (!s) s = tn_fetch(program, "y", value, bytes_of(y));
    if (!s && fwrite(value, 1, bytes_of(y), to) != bytes_of(y)) abort();
    fclose(x);
    fclose(to);
    free(value);
    tn_program_free(program);
    return s;
}

/* 1 if the case was written. */
static int make(const char *folder, const tn_op_def *op, const tn_op_case *c, tn_state *state)
{
    tn_tensor *in[TN_CASE_OPERANDS], *y;
    char base[4000], path[4096];
    tn_graph *graph = tn_case_graph(c, TN_F32, in, &y);
    snprintf(base, sizeof base, "%s/op_%s_%d", folder, op->name, (int)(c - op->cases));
    snprintf(path, sizeof path, "%s.onnx", base);
    int made = graph && tn_case_outputs(in, y, 0) && !tn_graph_status(graph) && bytes_of(y) && bytes_of(y) < 1 << 18 &&
               tn_dtype_of(y) != TN_U8 && tn_dtype_of(y) != TN_BF16 && !tn_onnx_save(graph, state, path, NULL);
    if (made && run(graph, state, c, in, y, base)) abort();
    tn_graph_free(graph);
    return made;
}

int save_cases(const char *folder, tn_device *device)
{
    tn_state *state = NULL;
    const tn_op_def *op;
    int made = 0;
    if (tn_state_new(device, 7, &state)) abort();
    for (size_t i = 0; (op = tn_op_number(i)); i++)
        for (const tn_op_case *c = op->cases; c && c->build; c++) made += make(folder, op, c, state);
    tn_state_free(state);
    return made;
}
