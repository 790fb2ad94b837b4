/* write.c: see write.h. The program takes as many bytes or characters as were learnt at once: once a text is longer,
 * its last ones. */
#include "write.h"
#include "draw.h"
#include "json.h"
#include "../core/utf8.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MARK "\xef\xbb\xbf" /* of the byte order, in UTF-8 */

/* ---- the text ---- */

typedef struct writer {
    cli_saved *saved;
    tn_program *program;
    int64_t context, known; /* bytes or characters that it sees at once, and those that there are, at most so many */
    int64_t classes;
    const char **line; /* where each character stands among the model's names; NULL: the model is of bytes */
    char *allowed;     /* which of them are text */
    float *now, *logits;
    FILE *text; /* of JSON: what was written; else NULL */
} writer;

/* One more, in whose place the first goes where there are enough. */
static void append(writer *w, int64_t number)
{
    if (w->known == w->context) memmove(w->now, w->now + 1, (size_t)--w->known * sizeof *w->now);
    w->now[w->known++] = (float)number;
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

/* The logits of what follows the last one. */
static int look(writer *w, const float **logits)
{
    const uint64_t bytes = (uint64_t)(w->context * w->classes) * sizeof *w->logits;
    tn_status s = tn_feed(w->program, "x", w->now, (uint64_t)w->context * sizeof *w->now);
    if (!s) s = tn_program_run(w->program);
    if (!s) s = tn_fetch(w->program, "logits", w->logits, bytes);
    if (s) return cli_failed();
    *logits = w->logits + (w->known - 1) * w->classes;
    for (int64_t i = 0; i < w->classes; i++)
        if (!isfinite((*logits)[i])) return cli_fail("%s: an output is not finite", w->saved->path);
    return CLI_GO_ON;
}

static FILE *to(const writer *w)
{
    return w->text ? w->text : stdout;
}

static double temperature_of(const writer *w)
{
    return w->saved->temperature == TN_ZERO ? 0 : w->saved->temperature;
}

/* A byte; whether a character is complete. */
static int write_byte(writer *w, const float *logits, uint64_t n, cli_utf8 *utf8)
{
    const int byte =
        cli_draw(logits, utf8, temperature_of(w), w->saved->top, cli_chance((uint64_t)w->saved->settings.seed, n));
    append(w, byte);
    cli_utf8_take(utf8, (unsigned char)byte);
    putc(byte, to(w));
    return !utf8->left;
}

/* A character as its line has it. */
static void put_line(const char *line, FILE *f)
{
    if (*line == '\\')
        putc(line[1] == 'n' ? '\n' : line[1] == 'r' ? '\r' : '\\', f);
    else
        fwrite(line, 1, tn_utf8_length(line), f);
}

static int write_character(writer *w, const float *logits, uint64_t n)
{
    const int drawn = cli_draw_among(logits, w->allowed, w->classes, temperature_of(w), w->saved->top,
                                     cli_chance((uint64_t)w->saved->settings.seed, n));
    if (drawn < 0) return 0;
    append(w, drawn);
    put_line(w->line[drawn], to(w));
    return 1;
}

static int write_characters(writer *w)
{
    const cli_saved *saved = w->saved;
    const float *logits = NULL;
    cli_utf8 utf8 = {0};
    for (uint64_t n = 0, characters = 0; characters < (uint64_t)saved->length && !ferror(stdout); n++) {
        if (look(w, &logits) != CLI_GO_ON) return CLI_FAILED;
        const int ends = w->line ? write_character(w, logits, n) : write_byte(w, logits, n, &utf8);
        if (w->line && !ends) return cli_fail("%s: has no character to write", saved->path);
        if (ends && !w->text) fflush(stdout);
        characters += (uint64_t)ends;
    }
    return CLI_GO_ON;
}

/* Where the characters stand, and that each is one; the first stands for those that were not learnt. */
static int open_alphabet(writer *w)
{
    const char *at = w->saved->model.class_names;
    if (!at) return CLI_GO_ON;
    w->line = calloc((size_t)w->classes, sizeof *w->line);
    w->allowed = calloc((size_t)w->classes, 1);
    if (!w->line || !w->allowed) return cli_fail("out of memory");
    for (int64_t i = 0; i < w->classes; i++) {
        const size_t length = *at == '\\' && at[1] ? 2 : tn_utf8_length(at);
        if (!length || at[length] != '\n') return cli_fail("%s: its alphabet makes no sense", w->saved->path);
        const unsigned char first = (unsigned char)*at, second = (unsigned char)at[1];
        const int control = first < 0x20 || first == 0x7f || (first == 0xc2 && second < 0xa0);
        w->line[i] = at;
        w->allowed[i] = (char)(i && (!control || first == '\t') && !(first == '\\' && second == 'r'));
        at += length + 1;
    }
    return CLI_GO_ON;
}

/* The number of the character that `at` begins with; -1: it is none of the model's. */
static int64_t number_of(const writer *w, const char *at, size_t length)
{
    const char *escaped = *at == '\n' ? "\\n" : *at == '\r' ? "\\r" : *at == '\\' ? "\\\\" : NULL;
    const char *want = escaped ? escaped : at;
    const size_t bytes = escaped ? 2 : length;
    for (int64_t i = 1; i < w->classes; i++)
        if (!strncmp(w->line[i], want, bytes) && w->line[i][bytes] == '\n') return i;
    return -1;
}

/* As in what it learnt, line ends are one, and a mark of the byte order goes. */
static int read_prompt(writer *w)
{
    const char *prompt = w->saved->prompt;
    size_t length;
    if (!strncmp(prompt, MARK, sizeof MARK - 1)) prompt = w->saved->prompt += sizeof MARK - 1;
    for (const char *at = *prompt ? prompt : "\n"; *at; at += length) {
        length = w->line ? tn_utf8_length(at) : 1;
        if (at[0] == '\r' && at[1] == '\n') continue;
        const int64_t number = w->line ? number_of(w, at, length) : (unsigned char)*at;
        if (number < 0 && *prompt)
            return cli_usage("--prompt: '%.*s' is none of the %lld characters that %s learnt", (int)length, at,
                             (long long)w->classes - 1, w->saved->path);
        append(w, number < 0 ? 1 : number);
    }
    return CLI_GO_ON;
}

static int open_writer(writer *w)
{
    w->now = calloc((size_t)w->context, sizeof *w->now);
    w->logits = malloc((size_t)(w->context * w->classes) * sizeof *w->logits);
    if (!w->now || !w->logits) return cli_fail("out of memory");
    int status = open_alphabet(w);
    if (status == CLI_GO_ON) status = read_prompt(w);
    if (status == CLI_GO_ON) status = cli_saved_load(w->saved);
    if (status == CLI_GO_ON && compile(w)) status = cli_failed();
    return status == CLI_GO_ON ? cli_saved_check(w->saved) : status;
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
    writer w = {.saved = saved, .context = saved->model.labels, .classes = saved->model.classes};
    int status = open_writer(&w);
    if (status == CLI_GO_ON) status = write_all(&w);
    tn_program_free(w.program);
    free(w.now);
    free(w.allowed);
    free(w.line);
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
