/* tenon.c: Tenon's own product, on its cpu. HOW: words with `+` between them, each a device (opencl:0), an instruction
 * set of cpu's (avx512: no matrix units) or a level of precision (f32-fast, bf16). */
#include <stdio.h>
#include <string.h>
#include <tenon/tenon.h>

#include "driver.h"

const char *const library_name = "Tenon";

static tn_program *program;
static char device_name[16] = "cpu";

static tn_status take_word(const char *word, tn_compile_options *options)
{
    uint32_t level = 0;
    while (tn_precision_name(level) && strcmp(tn_precision_name(level), word)) level++;
    if (tn_precision_name(level)) {
        options->precision = level;
        return TN_OK;
    }
    if (!strchr(word, ':')) return tn_backend_option("cpu", "isa", word);
    snprintf(device_name, sizeof device_name, "%s", word);
    return TN_OK;
}

static tn_status take_words(const char *how, tn_compile_options *options)
{
    tn_status s = TN_OK;
    for (char word[16]; !s && how && *how; how += strcspn(how, "+"), how += *how == '+') {
        snprintf(word, sizeof word, "%.*s", (int)strcspn(how, "+"), how);
        s = take_word(word, options);
    }
    return s;
}

static tn_graph *build(const product *p)
{
    tn_graph *graph = tn_graph_new();
    const tn_shape at = TN_SHAPE(p->m, p->k), ta = TN_SHAPE(p->k, p->m), bt = TN_SHAPE(p->k, p->n),
                   tb = TN_SHAPE(p->n, p->k);
    tn_tensor *a = tn_input(graph, "a", TN_F32, p->trans_a ? ta : at),
              *b = tn_input(graph, "b", TN_F32, p->trans_b ? tb : bt);
    tn_output(tn_matmul_t(a, b, p->trans_a, p->trans_b), "c");
    return graph;
}

int library_open(const product *p)
{
    tn_compile_options options = {0};
    tn_device *device = NULL;
    tn_state *state = NULL;
    tn_graph *graph = build(p);
    tn_status s = take_words(p->how, &options);
    if (!s) s = tn_device_open(device_name, &device);
    if (!s) s = tn_state_new(device, 1, &state);
    if (!s) s = tn_compile(graph, state, &options, &program);
    if (!s) s = tn_feed(program, "a", p->a, (uint64_t)p->m * (uint64_t)p->k * sizeof *p->a);
    if (!s) s = tn_feed(program, "b", p->b, (uint64_t)p->k * (uint64_t)p->n * sizeof *p->b);
    if (s) fprintf(stderr, "%s\n", tn_message());
    tn_graph_free(graph);
    return !s;
}

int library_run(const product *p, long times)
{
    tn_status s = TN_OK;
    (void)p;
    for (long i = 0; i < times && !s; i++) s = tn_program_run(program);
    return !s && !tn_wait(program);
}

int library_read(const product *p)
{
    return !tn_fetch(program, "c", p->c, (uint64_t)p->m * (uint64_t)p->n * sizeof *p->c);
}
