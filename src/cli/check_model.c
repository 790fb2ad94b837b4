/* check_model.c: `tenon check --model`: a saved network on a device, operator by operator. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "saved.h"
#include "tenon/check.h"

enum { BATCH = 2 }; /* samples: enough for what depends on others */

typedef struct report {
    int json;
    cli_json out;
    uint32_t tried, failed;
} report;

static void take(void *arg, const tn_check_operator *row)
{
    report *r = arg;
    int failed = row->outcome == TN_CHECK_FAILED;
    r->tried++;
    r->failed += (uint32_t)failed;
    if (r->json) {
        cli_json_begin(&r->out, NULL, '{');
        cli_json_text(&r->out, "operator", row->name);
        cli_json_text(&r->out, "of", row->repeat);
        cli_json_text(&r->out, "outcome", failed ? "FAILED" : "passed");
        cli_json_number(&r->out, "worst", row->worst);
        if (failed) cli_json_text(&r->out, "detail", row->detail);
        cli_json_end(&r->out, '}');
        return;
    }
    if (failed && r->failed == 1) printf("the first that is wrong:\n");
    printf("%-20s %s  %3.0f %% of the budget  %s\n", row->name, failed ? "FAILED" : "passed", 100 * row->worst,
           row->repeat);
    if (failed) printf("    %s\n", row->detail);
    fflush(stdout);
}

/* ---- the network with its loss and gradients ---- */

static tn_tensor *target_of(const cli_model *model, tn_graph *graph)
{
    if (model->classes) return tn_input(graph, "label", TN_I32, TN_SHAPE(BATCH));
    return tn_input(graph, "p_target", TN_F32, TN_SHAPE(BATCH, model->targets));
}

static void add_gradients(tn_graph *graph, tn_tensor *loss)
{
    size_t count = tn_variables(graph, TN_TRAINABLE, NULL, 0);
    tn_tensor **all = calloc(2 * count + 1, sizeof(tn_tensor *)), **grad = all + count;
    char name[300];
    if (!all) tn_graph_fail(graph, TN_ENOMEM, "out of memory for gradients");
    if (all) (void)tn_variables(graph, TN_TRAINABLE, all, count);
    if (all) tn_grad(loss, all, count, grad);
    for (size_t i = 0; all && i < count && !tn_graph_status(graph); i++) {
        snprintf(name, sizeof name, "the gradient of '%s'", tn_name_of(all[i]));
        tn_output(grad[i], name);
    }
    free(all);
}

/* Inputs begin with "p": numbers from 0.1 to 1, as of pictures. */
static tn_graph *build(const cli_model *model)
{
    tn_graph *graph = tn_graph_new();
    tn_model made = cli_model_of(model, NULL);
    tn_shape x = {model->sample.rank + 1, {BATCH}};
    memcpy(x.dim + 1, model->sample.dim, (size_t)model->sample.rank * sizeof *x.dim);
    tn_tensor *output = made.build(tn_input(graph, "p_x", TN_F32, x), 1, made.arg);
    tn_tensor *loss = tn_loss(made.loss, output, target_of(model, graph));
    tn_output(output, "the output");
    tn_output(loss, "the loss");
    add_gradients(graph, loss);
    return graph;
}

/* Compiled once, so that the state has the network's variables, which the file then fills. */
static int load(cli_saved *saved, tn_graph *graph)
{
    tn_program *program = NULL;
    if (tn_compile(graph, saved->state, NULL, &program)) return cli_failed();
    tn_program_free(program);
    int status = cli_saved_load(saved);
    return status == CLI_GO_ON ? cli_saved_check(saved) : status;
}

static int check(cli_saved *saved, int64_t seed, int json)
{
    report r = {.json = json};
    tn_graph *graph = build(&saved->model);
    int status = load(saved, graph);
    if (status == CLI_GO_ON && seed >= 0) tn_state_set_seed(saved->state, (uint64_t)seed);
    if (status == CLI_GO_ON && tn_check_graph(graph, saved->state, take, &r)) status = cli_failed();
    if (status == CLI_GO_ON && !r.json) printf("%u operators, %u failed\n", r.tried, r.failed);
    tn_graph_free(graph);
    return status == CLI_GO_ON ? (r.failed ? CLI_FAILED : CLI_OK) : status;
}

int cli_check_model(const char *path, const char *device, int64_t seed, int json)
{
    cli_saved saved;
    int status = cli_saved_take(&saved, "check", path, device);
    if (status == CLI_GO_ON) status = check(&saved, seed, json);
    if (saved.failed) status = cli_status(saved.failed);
    cli_saved_close(&saved);
    return status;
}
