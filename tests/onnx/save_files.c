/* save_files.c: writes networks and operators' cases as ONNX files into a folder, each with samples (.x) and what we
 * make of them (.y), for save.py to compare with ONNX Runtime. usage: onnx_files FOLDER */
#include "save.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void write_file(const char *folder, const char *name, const char *ending, const void *data, size_t bytes)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.%s", folder, name, ending);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(data, 1, bytes, file) != bytes || fclose(file)) abort();
}

/* Once to make the state, once for what it gives after that was changed. */
static tn_status make(const char *folder, const save_net *net, tn_device *device)
{
    tn_graph *graph = save_graph_of(net, SAVE_BATCH), *other = save_graph_of(net, 5);
    tn_state *state = NULL;
    size_t bytes, count = 0;
    float *y = NULL;
    void *x = save_samples(net, &bytes);
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.onnx", folder, net->name);
    tn_status s = tn_state_new(device, 7, &state);
    if (!s) s = save_run(graph, state, x, bytes, &y, &count);
    if (!s) save_shake(state);
    free(y);
    y = NULL;
    if (!s) s = save_run(graph, state, x, bytes, &y, &count);
    if (!s)
        s = tn_onnx_save(
            graph, state, path,
            &(tn_onnx_save_options){.other = other, .name = net->name});
    if (s) fprintf(stderr, "%s: %s\n", net->name, tn_message());
    if (!s) write_file(folder, net->name, "x", x, bytes);
    if (!s) write_file(folder, net->name, "y", y, count * sizeof *y);
    tn_state_free(state);
    tn_graph_free(graph);
    tn_graph_free(other);
    free(x);
    free(y);
    return s;
}

/* A net for each activation: the rows of unary.def. */
static int make_activations(const char *folder, tn_device *device)
{
    tn_net_word word;
    int failed = 0;
    for (size_t i = 0; tn_net_layer_at(i, &word); i++) {
        char words[200], name[64];
        if (word.usage && strchr(word.usage, ' ')) continue;
        snprintf(words, sizeof words, "linear 16, %s", word.name);
        snprintf(name, sizeof name, "unary_%s", word.name);
        const save_net net = {name, words, TN_SHAPE(7), TN_F32, 0, 0};
        tn_graph *tried = save_graph_of(&net, 2);
        const int is_one = !tn_graph_status(tried);
        tn_graph_free(tried);
        failed += is_one && make(folder, &net, device);
    }
    return failed;
}

int main(int argc, char **argv)
{
    tn_device *device = NULL;
    if (argc != 2 || tn_device_open("reference", &device)) return 2;
    int failed = make_activations(argv[1], device);
    for (size_t i = 0; i < save_nets_count; i++) failed += make(argv[1], &save_nets[i], device) != TN_OK;
    failed += save_cases(argv[1], device) < 200;
    tn_device_close(device);
    return failed > 0;
}
