/* rules_flow.c: parts of the graph that are chosen or repeated: by what is known when the graph is built, so that each
 * step of a loop is built by itself. */
#include <math.h>

#include "rule.h"

enum { MOST_STEPS = 4096, MOST_VALUES = 256 };

void onnx_rule_if(onnx_node *n)
{
    double is = onnx_known_number(n, 0, 0);
    const onnx_attribute *branches[2] = {onnx_attr(n, "else_branch"), onnx_attr(n, "then_branch")};
    const onnx_attribute *branch = branches[is != 0];
    if (n->failed) return;
    if (!branch || !branch->g)
        onnx_cannot(n, "a branch is not there");
    else
        onnx_subgraph(n, branch->g, NULL, 0, n->out, n->n_out);
}

/* What a loop carries, and the rows of what it collects. */
typedef struct loop {
    onnx_node *node;
    const onnx_graph_proto *body;
    onnx_value carried[MOST_VALUES];
    uint32_t n_carried, n_collected;
    tn_tensor **row; /* steps of each collected output, one output after another */
    int32_t type[MOST_VALUES];
    int64_t steps, most;
} loop;

static int begin(loop *l, uint32_t n_carried, int64_t most)
{
    onnx_node *n = l->node;
    const onnx_attribute *body = onnx_attr(n, "body");
    l->n_carried = n_carried;
    l->n_collected = n->n_out > n_carried ? n->n_out - n_carried : 0;
    if (!body || !body->g || n_carried + l->n_collected > MOST_VALUES) onnx_cannot(n, "its body");
    if (most > MOST_STEPS) most = MOST_STEPS + 1;
    l->most = most;
    if (n->failed) return 0;
    l->body = body->g;
    l->row = tn_region_alloc(&n->build->region, (size_t)(l->n_collected * (most + 1)) * sizeof *l->row + 1);
    return l->row != NULL;
}

/* The outputs behind `skip` others: those that are carried, then a row of each collected one. */
static void take(loop *l, const onnx_value out[], uint32_t skip)
{
    for (uint32_t i = 0; i < l->n_carried; i++) l->carried[i] = out[skip + i];
    for (uint32_t i = 0; i < l->n_collected; i++) {
        l->row[i * (l->most + 1) + l->steps] = out[skip + l->n_carried + i].x;
        l->type[i] = out[skip + l->n_carried + i].type;
    }
    l->steps++;
}

/* A row of each collected output that is of no step: it has the shape. */
static void take_shapes(loop *l, const onnx_value out[])
{
    for (uint32_t i = 0; i < l->n_collected; i++) {
        l->row[i * (l->most + 1)] = out[i].x;
        l->type[i] = out[i].type;
    }
}

static void finish(loop *l, const int64_t axis[], const int64_t reverse[])
{
    onnx_node *n = l->node;
    for (uint32_t i = 0; i < l->n_carried && i < n->n_out; i++) n->out[i] = l->carried[i];
    for (uint32_t i = 0; i < l->n_collected; i++) {
        tn_tensor **row = &l->row[i * (l->most + 1)];
        if (!row[0]) onnx_cannot(n, "no step, and an output that collects");
        if (n->failed) return;
        const int32_t at = onnx_axis(n, axis ? axis[i] : 0, tn_shape_of(row[0]).rank + 1);
        if (n->failed) return;
        tn_tensor *all = tn_stack(row, l->steps ? (uint32_t)l->steps : 1, at);
        if (!l->steps) all = tn_slice(all, at, 0, 0, 1);
        onnx_out_as(n, l->n_carried + i, reverse && reverse[i] ? tn_flip(all, at) : all, l->type[i]);
    }
}

/* Whether the condition, which is known, says to go on. */
static int goes_on(onnx_node *n, const onnx_value *condition)
{
    const char *input = NULL;
    const double *is = condition->x ? onnx_evaluate(n->build, condition->x, &input) : NULL;
    if (!is) {
        n->blamed = input;
        onnx_cannot(n, "its condition is to be known when the graph is built");
    }
    return is && *is != 0;
}

/* What the body makes of the number of the step, the condition and what is carried. Returns 0 on failure. */
static int make_step(loop *l, onnx_value condition, onnx_value out[])
{
    onnx_node *n = l->node;
    onnx_value in[MOST_VALUES + 2];
    in[0] = (onnx_value){.x = tn_full(n->graph, TN_I32, TN_SCALAR, (double)l->steps), .type = ONNX_INT64};
    in[1] = condition;
    for (uint32_t i = 0; i < l->n_carried; i++) in[i + 2] = l->carried[i];
    if (l->steps >= MOST_STEPS) onnx_cannot(n, "more than %d steps", MOST_STEPS);
    int64_t made = n->failed ? -1 : onnx_subgraph(n, l->body, in, l->n_carried + 2, out, MOST_VALUES + 1);
    if (made < (int64_t)(1 + l->n_carried + l->n_collected)) n->failed = 1;
    return !n->failed;
}

void onnx_rule_loop(onnx_node *n)
{
    loop *l = tn_region_alloc(&n->build->region, sizeof *l);
    const double count = fmax(onnx_known_number(n, 0, INFINITY), 0);
    if (!l || n->failed || n->n_in < 2 || n->n_in - 2 > n->n_out) return;
    *l = (loop){.node = n};
    onnx_value out[MOST_VALUES + 1], condition = {.x = onnx_in(n, 1), .type = ONNX_BOOL};
    if (!begin(l, n->n_in - 2, count < MOST_STEPS ? (int64_t)count : MOST_STEPS + 1)) return;
    if (!condition.x) condition.x = tn_full(n->graph, TN_I32, TN_SCALAR, 1);
    for (uint32_t i = 0; i < l->n_carried; i++)
        l->carried[i] = (onnx_value){.x = onnx_in(n, i + 2), .type = onnx_type(n, i + 2)};
    while ((double)l->steps < count && goes_on(n, &condition) && !n->failed) {
        if (!make_step(l, condition, out)) return;
        condition = out[0];
        take(l, out, 1);
    }
    if (!l->steps && l->n_collected && !n->failed && make_step(l, condition, out))
        take_shapes(l, out + 1 + l->n_carried);
    if (!n->failed) finish(l, NULL, NULL);
}

/* Row t of operand i, counted from its end where the file says so. */
static tn_tensor *row_of(onnx_node *n, uint32_t i, int32_t axis, int64_t t, int reverse)
{
    tn_tensor *x = onnx_in(n, i);
    if (!x) return NULL;
    int64_t size = onnx_dim(x, axis);
    return tn_squeeze(tn_slice(x, axis, reverse ? size - 1 - t : t, 1, 1), axis);
}

static void scan_flags(const onnx_node *n, const char *name, int64_t value[MOST_VALUES])
{
    for (int i = 0; i < MOST_VALUES; i++) value[i] = 0;
    onnx_ints(n, name, value, MOST_VALUES);
}

static void check_steps(onnx_node *n, uint32_t i, int32_t axis, int64_t steps)
{
    tn_tensor *x = onnx_in(n, i);
    if (x && onnx_dim(x, axis) != steps)
        onnx_cannot(n, "inputs of %lld and %lld steps", (long long)steps, (long long)onnx_dim(x, axis));
}

static void scan(onnx_node *n)
{
    loop *l = tn_region_alloc(&n->build->region, sizeof *l);
    int64_t axis[MOST_VALUES], reverse[MOST_VALUES], out_axis[MOST_VALUES], out_reverse[MOST_VALUES];
    uint32_t scanned = (uint32_t)onnx_int(n, "num_scan_inputs", 1);
    onnx_value in[MOST_VALUES], out[MOST_VALUES];
    if (!l || scanned > n->n_in || n->n_in > MOST_VALUES) return;
    scan_flags(n, "scan_input_axes", axis);
    scan_flags(n, "scan_input_directions", reverse);
    scan_flags(n, "scan_output_axes", out_axis);
    scan_flags(n, "scan_output_directions", out_reverse);
    uint32_t states = n->n_in - scanned;
    *l = (loop){.node = n};
    tn_tensor *x = onnx_in(n, states);
    if (!x || !begin(l, states, onnx_dim(x, (int32_t)axis[0]))) return;
    if (l->most > MOST_STEPS) onnx_cannot(n, "more than %d steps", MOST_STEPS);
    for (uint32_t i = 1; i < scanned; i++) check_steps(n, states + i, (int32_t)axis[i], l->most);
    if (n->failed) return;
    for (uint32_t i = 0; i < states; i++) l->carried[i] = (onnx_value){.x = onnx_in(n, i), .type = onnx_type(n, i)};
    while (l->steps < l->most && !n->failed) {
        for (uint32_t i = 0; i < states; i++) in[i] = l->carried[i];
        for (uint32_t i = 0; i < scanned; i++)
            in[states + i] = (onnx_value){.x = row_of(n, states + i, (int32_t)axis[i], l->steps, reverse[i] != 0),
                                          .type = onnx_type(n, states + i)};
        int64_t made = onnx_subgraph(n, l->body, in, n->n_in, out, MOST_VALUES);
        if (made < (int64_t)(states + l->n_collected)) n->failed = 1;
        if (n->failed) return;
        take(l, out, 0);
    }
    finish(l, out_axis, out_reverse);
}

/* Opset 8 has lengths and a batch, which no exporter writes. */
void onnx_rule_scan(onnx_node *n)
{
    if (n->opset < 9)
        onnx_cannot(n, "the form of opset 8");
    else
        scan(n);
}
