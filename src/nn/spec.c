/* spec.c: networks in words. "linear 100, sigmoid, linear 10" becomes a graph; mistakes become one line that names
 * the layer, its place and what was expected. */
#include "layers.h"
#include "nearest.h"
#include "word.h"
#include "given.h"

#include <stdio.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const tn_net_word named[] = {
    {"perceptron", "linear outputs", "one layer, no hidden ones"},
    {"shallow", "linear 64, tanh, linear outputs", "one hidden layer"},
    {"mlp", "linear 128, relu, linear 64, relu, linear outputs", "two hidden layers"},
    {"deep", "linear 128, relu, linear 64, relu, linear 32, relu, linear 16, relu, linear outputs",
     "four hidden layers"},
    {"dropout_mlp", "linear 256, relu, dropout 0.2, linear 128, relu, dropout 0.2, linear outputs",
     "two hidden layers with dropout"},
    {"lenet", "conv 32 5x5, relu, maxpool 2, conv 64 5x5, relu, maxpool 2, flatten, linear 512, relu, linear outputs",
     "two convolutions, for pictures of 28 x 28 or so: LeCun, Bottou, Bengio and Haffner, 1998"},
    {"resnet20",
     "conv 16 3 pad same, batch_norm, relu, block 16, block 16, block 16, block 32 stride 2, block 32, block 32, "
     "block 64 stride 2, block 64, block 64, global_avgpool, linear outputs",
     "20 layers with shortcuts of kind A, for pictures of 3 x 32 x 32: He, Zhang, Ren and Sun, 2016"},
    {"lstm", "lstm 64, last, linear outputs", "a recurrent layer over the rows of a picture"},
    {"transformer", "project 32, position, transformer 4, transformer 4, layer_norm, linear outputs",
     "two blocks over the rows of a picture: Vaswani and others, 2017"},
    {"gpt-tiny",
     "embedding outputs 64, position, transformer 4 causal 1, transformer 4 causal 1, layer_norm, project outputs",
     "two blocks over a text, to say what comes next"},
    {"gpt-small",
     "embedding outputs 128, position, transformer 4 causal 1, transformer 4 causal 1, transformer 4 causal 1, "
     "transformer 4 causal 1, transformer 4 causal 1, layer_norm, project outputs",
     "five, a million parameters: as large language models are (Radford and others, 2018), only small"},
};

enum { TN_INIT_BY_LAYER = -1 };

static const struct {
    tn_net_word word;
    int32_t kind;
    double a; /* unless the options say otherwise */
} inits[] = {
    {{"auto", "auto", "he before relu and its like, xavier before all else"}, TN_INIT_BY_LAYER, 0},
    {{"lecun", "lecun", "uniform, up to 1 / sqrt(inputs)"}, TN_INIT_LECUN, 0},
    {{"xavier", "xavier", "uniform, up to sqrt(6 / (inputs + outputs))"}, TN_INIT_XAVIER, 0},
    {{"he", "he", "normal, of deviation sqrt(2 / inputs)"}, TN_INIT_HE, 0},
    {{"lecun_normal", "lecun_normal", "normal, of deviation 1 / sqrt(inputs)"}, TN_INIT_LECUN_NORMAL, 0},
    {{"xavier_normal", "xavier_normal", "normal, of deviation sqrt(2 / (inputs + outputs))"}, TN_INIT_XAVIER_NORMAL, 0},
    {{"he_uniform", "he_uniform", "uniform, up to sqrt(6 / inputs)"}, TN_INIT_HE_UNIFORM, 0},
    {{"orthogonal", "orthogonal", "rows or columns of length 1 that are orthogonal"}, TN_INIT_ORTHOGONAL, 0},
    {{"uniform", "uniform", "uniform, up to 0.05 or what is asked for"}, TN_INIT_UNIFORM, 0.05},
    {{"truncated", "truncated", "normal, of deviation 0.02 or what is asked for, none beyond two of these"},
     TN_INIT_TRUNCATED,
     0.02},
    {{"normal", "normal", "normal, of deviation 0.01 or what is asked for"}, TN_INIT_NORMAL, 0.01},
    {{"constant", "constant", "all the same, 0.01 or what is asked for"}, TN_INIT_CONSTANT, 0.01},
    {{"zero", "zero", "all the same: hidden units never come apart"}, TN_INIT_ZERO, 0},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

int tn_net_layer_at(size_t index, tn_net_word *word)
{
    if (!word) return 0;
    if (index >= tn_layers_count) return 0;
    *word = (tn_net_word){tn_layers[index].name, tn_layers[index].usage, tn_layers[index].doc};
    return 1;
}

int tn_net_named_at(size_t index, tn_net_word *word)
{
    if (!word) return 0;
    if (index >= COUNT(named)) return 0;
    *word = named[index];
    return 1;
}

int tn_net_init_at(size_t index, tn_net_word *word)
{
    if (!word) return 0;
    if (index >= COUNT(inits)) return 0;
    *word = inits[index].word;
    return 1;
}

static void find_init(tn_graph *graph, const tn_net_options *options, tn_init *init)
{
    tn_nearest nearest = {.word = options->init ? options->init : inits[0].word.name};
    char hint[80];
    for (size_t i = 0; i < COUNT(inits); i++) {
        tn_nearest_offer(&nearest, inits[i].word.name);
        if (strcmp(nearest.word, inits[i].word.name)) continue;
        *init = (tn_init){.kind = inits[i].kind, .a = options->scale != 0 ? options->scale : inits[i].a};
        if (!isfinite(options->scale) || (options->scale < 0 && init->kind != TN_INIT_CONSTANT))
            tn_graph_fail(graph, TN_EINVAL, "initialisation '%s': its number, %g, is not above 0", nearest.word,
                          options->scale);
        return;
    }
    tn_graph_fail(graph, TN_EINVAL, "no initialisation is called '%s'%s", nearest.word,
                  tn_nearest_text(&nearest, hint, sizeof hint));
}

/* "5x3", or "5" for both. */
static int read_size(const char *word, double *size)
{
    char *end;
    long height = strtol(word, &end, 10), width = height;
    if (end == word) return 0;
    if (*end == 'x') width = strtol(word = end + 1, &end, 10);
    *size = (double)height * 65536 + (double)width;
    return end != word && !*end && height >= 1 && width >= 1 && height < 65536 && width < 65536;
}

/* One argument of a layer; NULL, or what was expected. */
static const char *read_arg(int32_t kind, const char *word, int64_t outputs, double *arg)
{
    int64_t whole;
    if (kind == TN_ARG_COUNT) {
        if (!strcmp(word, "outputs") && outputs > 0) return *arg = (double)outputs, NULL;
        if (!tn_word_whole(word, &whole) || whole < 1 || whole > INT32_MAX)
            return "a whole number from 1 to 2147483647";
        return *arg = (double)whole, NULL;
    }
    if (kind == TN_ARG_SIZE) return read_size(word, arg) ? NULL : "a size such as 5x5";
    if (!tn_word_number(word, arg)) return "a number";
    if (kind == TN_ARG_MEANT && !(*arg >= 0)) return "a number of 0 or more";
    if (kind == TN_ARG_MEANT && *arg == 0) *arg = TN_ZERO;
    if (kind == TN_ARG_RATE && !(*arg >= 0 && *arg < 1)) return "a number from 0 to below 1";
    return NULL;
}

static void misread(tn_graph *graph, const tn_layer *layer, const tn_item *item, int place, const char *word,
                    const char *what)
{
    tn_graph_fail(graph, TN_EINVAL, "layer %d, '%s': %s%s%s%s; it is written '%s'", place, item->text, word ? "'" : "",
                  word ? word : "", word ? "' is not " : "", what, layer->usage);
}

/* The value of a pair that begins at word i; NULL, or what was expected. */
static const char *read_pair(const tn_layer *layer, const tn_item *item, size_t i, double arg[])
{
    int64_t whole;
    for (size_t p = 0; p < TN_PAIRS && layer->pair[p].name; p++) {
        const tn_pair *pair = &layer->pair[p];
        double *value = &arg[TN_POSITIONS + p];
        if (strcmp(pair->name, item->word[i])) continue;
        if (i + 1 < item->words && pair->word && !strcmp(pair->word, item->word[i + 1]))
            return *value = pair->value, NULL;
        if (i + 1 == item->words || !tn_word_whole(item->word[i + 1], &whole) || (double)whole < pair->least ||
            (double)whole > (pair->most > 0 ? pair->most : INT32_MAX))
            return "followed by a number that it takes";
        return *value = (double)whole, NULL;
    }
    return "one of its words";
}

/* Reads the words behind the layer's name. */
static int read_args(tn_graph *graph, const tn_layer *layer, const tn_item *item, int place, int64_t outputs,
                     double arg[])
{
    size_t most = 0, given = item->words - 1;
    while (most < TN_POSITIONS && layer->args[most]) most++;
    if (item->words > TN_WORDS || (given > most && !layer->pair[0].name) || given < most - layer->optional) {
        misread(graph, layer, item, place, NULL, given > most ? "words too many" : "a number is missing");
        return 0;
    }
    if (given < most) arg[most - 1] = layer->usual;
    for (size_t i = 0; i < given; i += i < most ? 1 : 2) {
        const char *expected = i < most ? read_arg(layer->args[i], item->word[i + 1], outputs, &arg[i])
                                        : read_pair(layer, item, i + 1, arg);
        if (!expected) continue;
        misread(graph, layer, item, place, item->word[i + 1], expected);
        return 0;
    }
    return 1;
}

/* The same name, underscores aside. */
static int same_name(const char *a, const char *b)
{
    for (;; a++, b++) {
        a += strspn(a, "_");
        b += strspn(b, "_");
        if (*a != *b) return 0;
        if (!*a) return 1;
    }
}

/* The row of that name, or NULL. */
static const tn_layer *layer_of(const char *name)
{
    for (size_t i = 0; i < tn_layers_count; i++)
        if (same_name(tn_layers[i].name, name)) return &tn_layers[i];
    return NULL;
}

static const tn_layer *find_layer(tn_graph *graph, const char *name, int place)
{
    tn_nearest nearest = {.word = name};
    char hint[80];
    const tn_layer *layer = layer_of(name);
    if (layer) return layer;
    for (size_t i = 0; i < COUNT(named); i++)
        if (!strcmp(named[i].name, name))
            tn_graph_fail(graph, TN_EINVAL, "layer %d, '%s': is a whole network, and stands alone", place, name);
    for (size_t i = 0; i < tn_layers_count; i++) tn_nearest_offer(&nearest, tn_layers[i].name);
    for (size_t i = 0; place == 1 && i < COUNT(named); i++) tn_nearest_offer(&nearest, named[i].name);
    tn_graph_fail(graph, TN_EMISSING, "layer %d, '%s': there is no such layer%s", place, name,
                  tn_nearest_text(&nearest, hint, sizeof hint));
    return NULL;
}

static tn_tensor *add_layer(tn_net_build *build, tn_tensor *x, const tn_item *item, int place)
{
    tn_graph *graph = tn_graph_of(x);
    double arg[TN_POSITIONS + TN_PAIRS] = {0};
    if (!item->words) {
        tn_graph_fail(graph, TN_EINVAL, "layer %d of the network is empty: nothing stands before or after a comma",
                      place);
        return x;
    }
    const tn_layer *layer = find_layer(graph, item->word[0], place);
    if (!layer || !read_args(graph, layer, item, place, build->options.outputs, arg)) return x;
    return layer->unary ? layer->unary(x) : layer->apply(build, x, arg);
}

/* The name of the layer that comes at the cursor, as its row has it; "" for none. Moves the cursor. */
static const char *next_name(const char **cursor)
{
    tn_item next = {0};
    if (!*cursor || !tn_item_next(cursor, &next) || !next.words) return "";
    const tn_layer *layer = layer_of(next.word[0]);
    return layer ? layer->name : "";
}

/* The initialisation that keeps the variance through the layer that comes next, normalisation aside: half of it is lost
 * in a rectifier, and about none in a sigmoid's or tanh's middle (He and others, 2015; Glorot and Bengio, 2010). */
static tn_init init_before(const char *cursor)
{
    static const char *const rectifier[] = {"relu",      "leaky_relu", "prelu", "elu",      "celu",       "gelu",
                                            "gelu_tanh", "silu",       "mish",  "softplus", "hard_swish", "relu6"};
    const char *name = next_name(&cursor);
    while (strstr(name, "_norm")) name = next_name(&cursor);
    for (size_t i = 0; i < COUNT(rectifier); i++)
        if (!strcmp(name, rectifier[i])) return (tn_init){.kind = TN_INIT_HE};
    return (tn_init){.kind = TN_INIT_XAVIER};
}

/* The layers that a name stands for, or the text itself. */
static const char *layers_of(const char *spec)
{
    const char *cursor = spec;
    tn_item item;
    tn_item_next(&cursor, &item);
    for (size_t i = 0; !cursor && item.words == 1 && i < COUNT(named); i++)
        if (!strcmp(item.word[0], named[i].name)) return named[i].usage;
    return spec;
}

tn_tensor *tn_net(tn_tensor *x, const char *spec, tn_net_options options)
{
    TN_NAMED(x, spec);
    tn_graph *graph = tn_graph_of(x);
    tn_net_build build = {.options = options};
    tn_item item;
    int place = 0;
    find_init(graph, &options, &build.init);
    build.init_by_layer = build.init.kind == TN_INIT_BY_LAYER;
    if (!spec || !spec[strspn(spec, " \t\r\n")]) tn_graph_fail(graph, TN_EINVAL, "the network has no layers");
    for (const char *cursor = spec ? layers_of(spec) : NULL; cursor && !tn_graph_status(graph);) {
        int fits = tn_item_next(&cursor, &item);
        const char *ahead = cursor;
        build.next = next_name(&ahead);
        if (build.init_by_layer) build.init = init_before(cursor);
        if (fits)
            x = add_layer(&build, x, &item, ++place);
        else
            tn_graph_fail(graph, TN_EINVAL, "layer %d, '%s...', is too long for a layer", place + 1, item.text);
        if (options.each && !tn_graph_status(graph)) options.each(options.arg, item.text, x);
    }
    if (build.depth) tn_graph_fail(graph, TN_EINVAL, "a residual branch has no 'end'");
    if (options.freeze) tn_freeze(graph, options.freeze);
    return x;
}
