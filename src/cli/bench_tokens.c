/* bench_tokens.c: trains a network that begins with an embedding on sequences of random tokens. */
#include "bench.h"

#include <stdlib.h>

static int make_data(bench *b, bench_tokens *t)
{
    int64_t d[3], vocabulary = cli_net_tokens(b->s.net);
    int status = bench_read_shape(b, d);
    if (status != CLI_GO_ON) return status;
    t->steps = d[0] * d[1] * d[2];
    b->samples -= b->samples % b->s.batch; /* whole batches */
    const int64_t count = b->samples * t->steps + 1;
    t->token = malloc((size_t)count * sizeof *t->token);
    if (!t->token) return cli_fail("out of memory");
    uint32_t random = 1;
    for (int64_t i = 0; i < count; i++) t->token[i] = (int32_t)(bench_random(&random) % vocabulary);
    return CLI_GO_ON;
}

/* Logits of the next token for each step, and their loss. */
static void build(const bench *b, const bench_tokens *t, tn_graph *graph)
{
    const int64_t vocabulary = cli_net_tokens(b->s.net);
    tn_tensor *now = tn_input(graph, "now", TN_I32, TN_SHAPE(b->s.batch, t->steps));
    tn_tensor *next = tn_input(graph, "next", TN_I32, TN_SHAPE(b->s.batch * t->steps));
    tn_tensor *y = tn_net(now, b->s.net, (tn_net_options){.training = 1, .outputs = vocabulary});
    tn_tensor *loss = tn_loss(b->s.loss, tn_reshape(y, TN_SHAPE(-1, vocabulary)), next);
    tn_output(loss, "loss");
    tn_minimize(loss, b->s.optimizer, b->s.optim);
}

int bench_tokens_make(bench *b, bench_tokens *t)
{
    const tn_compile_options options = cli_compile_options(&b->s);
    int status = cli_crew_one(b->s.device, "bench train on tokens");
    if (status == CLI_GO_ON) status = make_data(b, t);
    if (status == CLI_GO_ON) status = bench_open(b);
    if (status != CLI_GO_ON) return status;
    tn_graph *graph = tn_graph_new();
    if (!graph) return cli_failed();
    build(b, t, graph);
    if (tn_compile(graph, b->state, &options, &t->program)) status = cli_failed();
    tn_graph_free(graph);
    return status;
}

tn_status bench_tokens_epoch(const bench *b, bench_tokens *t)
{
    const uint64_t bytes = (uint64_t)(b->s.batch * t->steps) * sizeof *t->token;
    float loss;
    tn_status s = TN_OK;
    for (int64_t i = 0; !s && i + b->s.batch <= b->samples; i += b->s.batch) {
        s = tn_feed(t->program, "now", t->token + i * t->steps, bytes);
        if (!s) s = tn_feed(t->program, "next", t->token + i * t->steps + 1, bytes);
        if (!s) s = tn_program_run(t->program);
    }
    return s ? s : tn_fetch(t->program, "loss", &loss, sizeof loss);
}

void bench_tokens_free(bench_tokens *t)
{
    tn_program_free(t->program);
    free(t->token);
}
