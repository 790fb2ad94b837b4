/* layers.c: see layers.h. */
#include "layers.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

typedef struct layer {
    char text[64], shape[96];
    int64_t numbers;
} layer;

typedef struct layers {
    layer *layer;
    size_t count, capacity;
    int64_t numbers; /* of all of them so far */
    int failed;
} layers;

/* Of all parameters in the graph. */
static int64_t count_numbers(tn_graph *graph)
{
    const size_t count = tn_variables(graph, TN_TRAINABLE, NULL, 0);
    tn_tensor **variable = calloc(count + 1, sizeof *variable);
    int64_t numbers = 0;
    if (!variable) return -1;
    tn_variables(graph, TN_TRAINABLE, variable, count);
    for (size_t i = 0; i < count; i++) {
        const tn_shape shape = tn_shape_of(variable[i]);
        numbers += tn_shape_count(&shape);
    }
    free(variable);
    return numbers;
}

/* "8 x 26 x 26", without the batch. */
static void write_shape(tn_shape shape, char *text, size_t capacity)
{
    size_t used = 0;
    text[0] = 0;
    for (int32_t d = 1; d < shape.rank && used < capacity; d++)
        used += (size_t)snprintf(text + used, capacity - used, "%s%" PRId64, d > 1 ? " x " : "", shape.dim[d]);
}

static int make_room(layers *l)
{
    if (l->count < l->capacity) return 1;
    const size_t capacity = l->capacity ? 2 * l->capacity : 32;
    layer *grown = realloc(l->layer, capacity * sizeof *grown);
    if (!grown) return 0;
    l->layer = grown;
    l->capacity = capacity;
    return 1;
}

static void add(void *arg, const char *text, tn_tensor *y)
{
    layers *l = arg;
    const int64_t numbers = count_numbers(tn_graph_of(y));
    l->failed |= numbers < 0 || !make_room(l);
    if (l->failed) return;
    layer *at = &l->layer[l->count++];
    snprintf(at->text, sizeof at->text, "%s", text);
    write_shape(tn_shape_of(y), at->shape, sizeof at->shape);
    at->numbers = numbers - l->numbers;
    l->numbers = numbers;
}

static int find(layers *l, const cli_model *model)
{
    tn_graph *graph = tn_graph_new();
    tn_shape shape = {.rank = model->sample.rank + 1, .dim = {1}};
    for (int32_t d = 0; d < model->sample.rank; d++) shape.dim[d + 1] = model->sample.dim[d];
    if (graph) cli_model_words(model, tn_input(graph, "x", TN_F32, shape), 0, add, l);
    const int failed = !graph || l->failed || tn_graph_status(graph) == TN_ENOMEM;
    const int status = failed ? cli_fail("out of memory") : tn_graph_status(graph) ? cli_failed() : CLI_GO_ON;
    tn_graph_free(graph);
    return status;
}

static void print_line(const layers *l, size_t i, int width, FILE *f)
{
    layer *at = &l->layer[i];
    const int room = width - 2 - 4 - 15 - 18 - 2;
    const char *text = cli_fitted(at->text, sizeof at->text, room);
    fprintf(f, "  %3zu %s%*s  ", i + 1, text, room - cli_columns(text), "");
    if (at->numbers)
        fprintf(f, "%-18s%15" PRId64 "\n", at->shape, at->numbers);
    else
        fprintf(f, "%s\n", at->shape);
}

static void print(const layers *l, int64_t most, int width, FILE *f)
{
    const size_t count = l->count, top = (size_t)(most + 1) / 2, bottom = (size_t)most / 2;
    const int folds = (int64_t)count > most + 2, wide = width > 100 ? 100 : width;
    fprintf(f, "      %-*s  %-18s%15s\n", wide - 41, "layer", "output", "parameters");
    for (size_t i = 0; i < count; i++) {
        if (folds && i == top) fprintf(f, "      ... and %zu more\n", count - top - bottom);
        if (!folds || i < top || i >= count - bottom) print_line(l, i, wide, f);
    }
    fprintf(f, "      %-*s%15" PRId64 "\n", wide - 21, "", l->numbers);
}

int cli_layers_print(const cli_model *model, int64_t most, int width, FILE *file)
{
    layers l = {0};
    if (model->onnx) return CLI_GO_ON;
    const int status = find(&l, model);
    if (status == CLI_GO_ON) print(&l, most, width, file);
    free(l.layer);
    return status;
}

int64_t cli_layers_parameters(const cli_model *model)
{
    layers l = {0};
    const int known = !model->onnx && find(&l, model) == CLI_GO_ON;
    free(l.layer);
    return known ? l.numbers : -1;
}
