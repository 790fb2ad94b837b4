/* save.c: tn_onnx_save: goes from a graph's outputs back to what they need, and says each tensor after its operands. */
#include <string.h>

#include "given.h"
#include "save.h"

/* ---- the walk ---- */

/* Tensors that are to be said, what they need on top of them. */
typedef struct stack {
    tn_tensor **item;
    uint32_t count, room;
} stack;

static void push(export_saver *s, stack *todo, tn_tensor *x)
{
    if (!s->status && x->op == &tn_op_constant) s->status = tn_constant_check(x);
    if (!s->status) s->status = tn_grow(&todo->item, &todo->room, todo->count + 1, sizeof(tn_tensor *));
    if (!s->status) todo->item[todo->count++] = x;
}

/* The first operand of the plan that is not there yet. */
static tn_tensor *missing(const export_saver *s, const export_plan *plan)
{
    for (uint32_t i = 0; i < plan->n_in; i++)
        if (!s->value[plan->in[i]->id]) return plan->in[i];
    return NULL;
}

static void say_all(export_saver *s, tn_tensor *output)
{
    stack todo = {0};
    push(s, &todo, output);
    while (todo.count && !s->status) {
        tn_tensor *y = todo.item[todo.count - 1];
        export_plan plan = {0};
        if (s->value[y->id]) {
            todo.count--;
            continue;
        }
        export_make_plan(s, y, &plan);
        if (s->status) break;
        tn_tensor *first = missing(s, &plan);
        if (first)
            push(s, &todo, first);
        else
            plan.say(s, y, plan.in);
    }
    tn_free(todo.item);
}

/* ---- inputs and outputs ---- */

static void add_inputs(export_saver *s)
{
    for (uint32_t i = 0; i < s->graph->count && !s->status; i++) {
        const tn_tensor *x = s->graph->tensor[i];
        if (x->op != &tn_op_input) continue;
        export_is(s, x, x->name);
        export_take_name(s, &s->names, x->name);
        export_declare(s, &s->input, x, x->name);
    }
}

/* Names of outputs are theirs alone; an input may have one's name, and is it. */
static void keep_names(export_saver *s)
{
    uint32_t number;
    for (uint32_t i = 0; i < s->graph->sinks && !s->status; i++) {
        const tn_sink *sink = &s->graph->sink[i];
        if (sink->variable)
            export_refuse(s, sink->value, "the graph assigns to a variable, as one does that trains");
        else if (tn_index_find(&s->names, NULL, sink->name, &number))
            s->status = tn_fail(TN_EINVAL, "an input and an output are named '%s'", sink->name);
        else
            export_take_name(s, &s->names, sink->name);
    }
}

/* A value that is an input, a weight or another output gets the name by a node. */
static void add_output(export_saver *s, const tn_sink *sink)
{
    say_all(s, sink->value);
    if (!s->status && strcmp(s->value[sink->value->id], sink->name) != 0) {
        const char *value = s->value[sink->value->id];
        export_rename(s, value, sink->name);
    }
    export_declare(s, &s->output, sink->value, sink->name);
}

/* ---- the saver ---- */

static void release(export_saver *s)
{
    export_list *lists[] = {&s->node, &s->initializer, &s->input, &s->output};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) tn_free(lists[i]->item);
    tn_index *indexes[] = {&s->names, &s->node_names, &s->constants};
    for (size_t i = 0; i < sizeof indexes / sizeof *indexes; i++) tn_index_free(indexes[i]);
    tn_free(s->value);
    tn_free(s->made);
    tn_free(s->uses);
    tn_free(s->tries);
    tn_region_free(&s->region);
}

static void save(export_saver *s)
{
    export_count(s);
    if (!s->status) export_find_batch(s);
    if (!s->status) add_inputs(s);
    keep_names(s);
    for (uint32_t i = 0; i < s->graph->sinks && !s->status; i++) add_output(s, &s->graph->sink[i]);
}

tn_status tn_onnx_save(tn_graph *graph, tn_state *state, const char *path, const tn_onnx_save_options *options)
{
    TN_GIVEN_AS("graph, state, path", graph, state, path);
    static const tn_onnx_save_options usual;
    if (!options) options = &usual;
    const int64_t opset = options->opset ? options->opset : 18;
    TN_REQUIRE(opset >= 18 && opset <= 23, TN_EINVAL, "opset %lld: this library writes 18 to 23", (long long)opset);
    TN_REQUIRE(options->notes || !options->n_notes, TN_EINVAL, "tn_onnx_save: notes is NULL");
    TN_TRY(tn_graph_status(graph));
    if (options->other) TN_TRY(tn_graph_status(options->other));
    TN_REQUIRE(graph->sinks, TN_EINVAL, "tn_onnx_save: the graph has no output");
    export_saver s = {.graph = graph, .other = options->other, .state = state, .opset = opset};
    save(&s);
    tn_status status = s.status ? s.status : export_write(&s, path, options);
    release(&s);
    return status;
}
