/* write.c: see write.h. The program takes as many bytes as were learnt at once: once a text is longer, its last ones.
 */
#include "write.h"
#include "draw.h"
#include "json.h"
#include "../core/utf8.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BYTES 256

/* ---- the text ---- */

typedef struct writer {
    cli_saved *saved;
    tn_program *program;
    int64_t context, known; /* bytes that it sees at once, and those that there are, at most so many */
    float *now, *logits;
    FILE *text; /* of JSON: what was written; else NULL */
} writer;

/* One more byte, in whose place the first goes where there are enough. */
static void append(writer *w, unsigned char byte)
{
    if (w->known == w->context) memmove(w->now, w->now + 1, (size_t)--w->known * sizeof *w->now);
    w->now[w->known++] = byte;
}

static tn_status compile(writer *w)
{
    const cli_saved *saved = w->saved;
    const tn_compile_options options = cli_compile_options(&saved->settings);
    const tn_model model = cli_model_of(&saved->model, &options);
    tn_graph *graph = tn_graph_new();
    if (!graph) return TN_ENOMEM;
    tn_output(model.build(tn_input(graph, "x", TN_F32, TN_SHAPE(1, w->context)), 0, model.arg), "logits");
    tn_status s = tn_compile(graph, saved->state, &options, &w->program);
    tn_graph_free(graph);
    return s;
}

/* The logits of what follows the last byte. */
static tn_status look(writer *w, const float **logits)
{
    tn_status s = tn_feed(w->program, "x", w->now, (uint64_t)w->context * sizeof *w->now);
    if (!s) s = tn_program_run(w->program);
    if (!s) s = tn_fetch(w->program, "logits", w->logits, (uint64_t)(w->context * BYTES) * sizeof *w->logits);
    *logits = w->logits + (w->known - 1) * BYTES;
    return s;
}

static void put(const writer *w, char byte, int ends)
{
    putc(byte, w->text ? w->text : stdout);
    if (ends && !w->text) fflush(stdout);
}

static int write_characters(writer *w)
{
    const cli_saved *saved = w->saved;
    const double temperature = saved->temperature == TN_ZERO ? 0 : saved->temperature;
    const float *logits;
    cli_utf8 utf8 = {0};
    for (uint64_t n = 0, characters = 0; characters < (uint64_t)saved->length && !ferror(stdout); n++) {
        if (look(w, &logits)) return cli_failed();
        for (int i = 0; i < BYTES; i++)
            if (!isfinite(logits[i])) return cli_fail("%s: an output is not finite", saved->path);
        const int byte =
            cli_draw(logits, &utf8, temperature, saved->top, cli_chance((uint64_t)saved->settings.seed, n));
        append(w, (unsigned char)byte);
        cli_utf8_take(&utf8, (unsigned char)byte);
        put(w, (char)byte, !utf8.left);
        characters += !utf8.left;
    }
    return CLI_GO_ON;
}

static int open_writer(writer *w)
{
    const char *prompt = *w->saved->prompt ? w->saved->prompt : "\n";
    w->now = calloc((size_t)w->context, sizeof *w->now);
    w->logits = malloc((size_t)(w->context * BYTES) * sizeof *w->logits);
    if (!w->now || !w->logits) return cli_fail("out of memory");
    for (const char *at = prompt; *at; at++)
        if (at[0] != '\r' || at[1] != '\n')
            append(w, (unsigned char)*at); /* line ends are one byte, as in what it learnt */
    if (cli_saved_load(w->saved) != CLI_GO_ON) return CLI_FAILED;
    if (compile(w)) return cli_failed();
    return cli_saved_check(w->saved);
}

/* To the terminal as it comes, or all of it as JSON. */
static int write_all(writer *w)
{
    char *text = NULL;
    size_t size = 0;
    cli_json json = {0};
    if (!w->saved->settings.json) {
        printf("%s", w->saved->prompt);
        const int status = write_characters(w);
        printf("\n");
        return status;
    }
    if (!(w->text = open_memstream(&text, &size))) return cli_fail("out of memory");
    int status = write_characters(w);
    if (fclose(w->text) && status == CLI_GO_ON) status = cli_fail("out of memory");
    if (status == CLI_GO_ON) {
        cli_json_begin(&json, NULL, '{');
        cli_json_text(&json, "prompt", w->saved->prompt);
        cli_json_text(&json, "text", text);
        cli_json_end(&json, '}');
    }
    free(text);
    return status;
}

int cli_write(cli_saved *saved)
{
    writer w = {.saved = saved, .context = saved->model.labels};
    int status = open_writer(&w);
    if (status == CLI_GO_ON) status = write_all(&w);
    tn_program_free(w.program);
    free(w.now);
    free(w.logits);
    return status;
}

int cli_check_writing(cli_saved *saved, int files)
{
    static const char *const owned[] = {"length", "temperature", "top"};
    const int writes = cli_model_writes(&saved->model);
    if (saved->prompt && !writes)
        return cli_usage("--prompt is for models of texts; %s was trained on other data", saved->path);
    if (saved->prompt && files) return cli_usage("--prompt and files: a text goes on from one of them");
    if (saved->prompt && !tn_is_utf8(saved->prompt)) return cli_usage("--prompt is no text in UTF-8");
    if (saved->prompt && saved->out)
        return cli_usage("--out is for what is predicted of samples; a text goes to standard output");
    for (size_t i = 0; !saved->prompt && i < sizeof owned / sizeof *owned; i++)
        if (cli_given(saved->options, owned[i]))
            return cli_usage("--%s belongs to --prompt, which was not given", owned[i]);
    if (!saved->prompt && writes)
        return cli_usage("%s writes texts: --prompt TEXT is what it goes on from; 'tenon eval' measures it on others",
                         saved->path);
    return CLI_GO_ON;
}
