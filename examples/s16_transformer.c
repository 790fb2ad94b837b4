/* S16: a character transformer, as large language models are, only small: a million parameters.
 *
 * It reads a text 64 characters at a time and learns to say, at each place, which character comes next. It is compared
 * with the best that can be said from one character alone: the entropy of the text's pairs. Then it writes.
 * The text is the file that is named, or this project's own documentation. */
#include <math.h>

#include "common.h"

#define RATE 0.002

enum { STEPS = 64, BATCH = 16, HEADS = 4, BYTES = 256, MOST = 1 << 22 };

typedef struct size {
    int64_t width, blocks, training_steps;
    const char *schedule;
} size;

static int32_t text[MOST]; /* a byte each */
static int64_t length;

static void read_text(const char *path)
{
    FILE *file = fopen(path, "rb");
    for (int c; file && length < MOST && (c = fgetc(file)) != EOF;) text[length++] = c;
    if (file) fclose(file);
}

/* The mean of -log p(next | this), with p by counting the text's own pairs: no bigram model does better on it. */
static double bigram_entropy(void)
{
    static double pairs[BYTES][BYTES], all[BYTES];
    double sum = 0;
    for (int64_t i = 0; i + 1 < length; i++) pairs[text[i]][text[i + 1]]++, all[text[i]]++;
    for (int a = 0; a < BYTES; a++)
        for (int b = 0; b < BYTES; b++)
            if (pairs[a][b] > 0) sum -= pairs[a][b] * log(pairs[a][b] / all[a]);
    return sum / (double)(length - 1);
}

/* Attention, then a small network for each place, each added to what was there. */
static tn_tensor *block(tn_tensor *x, int number, int64_t width)
{
    char name[16];
    snprintf(name, sizeof name, "block%d", number);
    tn_scope_push(tn_graph_of(x), name); /* "block0.ln1.weight" ... */
    x = tn_add(x, tn_self_attention(tn_layer_norm(x, "ln1"), "attention", HEADS, 1));
    tn_tensor *y = tn_gelu(tn_linear(tn_layer_norm(x, "ln2"), "fc1", .units = 4 * width));
    x = tn_add(x, tn_linear(y, "fc2", .units = width));
    tn_scope_pop(tn_graph_of(x));
    return x;
}

/* (batch, steps) to logits of what comes next (batch * steps, BYTES). */
static tn_tensor *transformer(tn_tensor *bytes, const size *s)
{
    tn_tensor *x = tn_embedding(bytes, "embedding", BYTES, s->width);
    x = tn_add(x, tn_param(tn_graph_of(x), "position", TN_SHAPE(STEPS, s->width), (tn_init){TN_INIT_NORMAL, .a = 0.1}));
    for (int i = 0; i < s->blocks; i++) x = block(x, i, s->width);
    return tn_reshape(tn_linear(tn_layer_norm(x, "ln"), "head", .units = BYTES), TN_SHAPE(-1, BYTES));
}

static tn_program *compile(tn_state *state, const size *s, int64_t batch, int training)
{
    tn_graph *graph = tn_graph_new();
    tn_tensor *logits = transformer(tn_input(graph, "now", TN_I32, TN_SHAPE(batch, STEPS)), s);
    tn_tensor *loss = tn_cross_entropy(logits, tn_input(graph, "next", TN_I32, TN_SHAPE(batch * STEPS)));
    tn_output(training ? loss : logits, training ? "loss" : "logits");
    if (training) tn_minimize(loss, "adamw", (tn_optim_options){.lr = RATE, .clip_norm = 1});
    return example_compile(graph, state);
}

/* Returns the mean loss of the last tenth of the steps. */
static double train(tn_program *program, const size *s)
{
    static int32_t now[BATCH][STEPS], next[BATCH][STEPS];
    int64_t tenth = s->training_steps / 10;
    tn_schedule schedule;
    float loss;
    double sum = 0;
    TRY(tn_schedule_parse(s->schedule, &schedule));
    for (int64_t step = 0; step < s->training_steps; step++) {
        for (int b = 0; b < BATCH; b++) {
            int64_t at = (int64_t)(chance() * (double)(length - STEPS - 1));
            memcpy(now[b], text + at, sizeof now[b]);
            memcpy(next[b], text + at + 1, sizeof next[b]);
        }
        TRY(tn_feed(program, "now", now, sizeof now));
        TRY(tn_feed(program, "next", next, sizeof next));
        TRY(tn_set(program, "lr", RATE * tn_schedule_at(&schedule, (uint64_t)step)));
        TRY(tn_program_run(program));
        TRY(tn_fetch(program, "loss", &loss, sizeof loss));
        if (step % 10 == 0) example_note("loss", "transformer", (double)step, loss);
        if (step % tenth == 0) printf("step %5lld  loss %.3f\n", (long long)step, loss), fflush(stdout);
        if (step >= s->training_steps - tenth) sum += loss / (double)tenth;
    }
    return sum;
}

/* Draws a byte by its probability; what is unlikely is made more so. */
static int32_t draw(const float logit[BYTES])
{
    double share[BYTES], sum = 0, at;
    for (int i = 0; i < BYTES; i++) sum += share[i] = exp(logit[i] / 0.7);
    at = sum * chance();
    for (int i = 0; i < BYTES; i++)
        if ((at -= share[i]) < 0) return i;
    return ' ';
}

static void write_text(tn_program *program, int count)
{
    static float logits[STEPS][BYTES];
    int32_t now[STEPS + 1] = {'T'};
    for (int n = 0; n < count; n++) {
        int last = n < STEPS ? n : STEPS - 1; /* where the newest is */
        TRY(tn_feed(program, "now", now, STEPS * sizeof *now));
        TRY(tn_program_run(program));
        TRY(tn_fetch(program, "logits", logits, sizeof logits));
        putchar(now[last + 1] = draw(logits[last]));
        if (last == STEPS - 1) memmove(now, now + 1, STEPS * sizeof *now);
    }
    printf("\n");
}

int main(int argc, char **argv)
{
    static const char *const own[] = {"README.md", "docs/architecture.md", "docs/backend.md", "CONTRIBUTING.md"};
    example e = example_begin(argc, argv);
    size s = e.small ? (size){64, 2, 400, "warmup 50, cosine 450"} : (size){128, 5, 1200, "warmup 50, cosine 1300"};
    char path[4096], claim[120];
    tn_state *state = NULL;
    for (size_t i = 0; i < (e.file ? 1 : sizeof own / sizeof *own); i++) {
        snprintf(path, sizeof path, "%s/%s", SOURCE_DIR, own[i]);
        read_text(e.file ? e.file : path);
    }
    if (length < 1000) {
        fprintf(stderr, "error: a text of at least 1000 characters is needed\n");
        return 1;
    }
    double bigram = bigram_entropy();
    TRY(tn_state_new(e.device, 1, &state));
    tn_program *training = compile(state, &s, BATCH, 1), *writing = compile(state, &s, 1, 0);
    printf("%lld characters to read, %lld parameters\n", (long long)length, (long long)example_parameters(state));
    double loss = train(training, &s);
    for (int i = 0; i < 2; i++) example_note("loss", "best bigram model", (double)(i * s.training_steps), bigram);
    write_text(writing, e.small ? 200 : 600);
    snprintf(claim, sizeof claim, "a loss of %.3f, below %.3f of the best bigram model", loss, bigram);
    tn_program_free(training), tn_program_free(writing), tn_state_free(state);
    return example_end(&e, loss < bigram, claim);
}
