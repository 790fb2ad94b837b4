/* build.c: from the nodes of a file to a graph: names in their scopes, and each node by its rule. A node that fails is
 * a problem that is kept, and the others go on without what it makes, so that all problems are found at once. */
#include <stdio.h>
#include <string.h>

#include "given.h"
#include "rule.h"

/* ---- names ---- */

enum { DEEPEST = 64 };

struct onnx_scope {
    onnx_scope *outer;     /* NULL: a function's, or the model's own */
    const onnx_node *call; /* the node that calls the function in which this lies, or NULL */
    tn_index index;
    onnx_value **value;
    uint32_t count, capacity;
};

static tn_status no_memory(onnx_build *b)
{
    return b->status = TN_ENOMEM;
}

/* A later value of a name takes the first one's place, as what is given does that of an initializer. A loop's body is
 * built again and again, each time in a scope of its own. */
static tn_status bind(onnx_build *b, onnx_scope *scope, const char *name, onnx_value value)
{
    uint32_t number;
    onnx_value *kept = tn_region_alloc(&b->region, sizeof *kept);
    if (!kept || tn_grow(&scope->value, &scope->capacity, scope->count + 1, sizeof *scope->value)) return no_memory(b);
    *kept = value;
    if (tn_index_find(&scope->index, NULL, name, &number)) return scope->value[number] = kept, TN_OK;
    if (tn_index_add(&scope->index, NULL, name, scope->count)) return no_memory(b);
    scope->value[scope->count++] = kept;
    return TN_OK;
}

static onnx_value *look_up(const onnx_scope *scope, const char *name)
{
    uint32_t number;
    for (; scope; scope = scope->outer)
        if (tn_index_find(&scope->index, NULL, name, &number)) return scope->value[number];
    return NULL;
}

static void close_scope(onnx_scope *scope)
{
    tn_index_free(&scope->index);
    tn_free(scope->value);
}

/* ---- tensors of the file ---- */

/* A variable, if the initializer is one in this build; NULL: it is a constant. One that begins anew does so as
 * PyTorch's layers do: uniform up to 1 / sqrt(inputs). */
static tn_tensor *variable(onnx_build *b, const onnx_proto *t)
{
    unsigned char *role = NULL;
    tn_shape shape;
    if (!b->options.trainable || !t->name || onnx_initializer(b->model, t->name, &role) != t) return NULL;
    if (!(*role & (ONNX_WEIGHT | ONNX_STATISTIC)) || onnx_tensor_shape(t, &shape)) return NULL;
    tn_init init = {.kind = TN_INIT_ZERO};
    if (b->options.outputs && onnx_resized(&b->end, t, b->options.outputs, &shape)) {
        tn_shape weight;
        (void)onnx_resized(&b->end, b->end.weight, b->options.outputs, &weight);
        init = (tn_init){.kind = TN_INIT_LECUN, .fan_in = tn_shape_count(&weight) / b->options.outputs};
    }
    const int stays = onnx_stays(b->model, (size_t)(role - b->model->role));
    return tn_variable(b->graph, t->name, onnx_kept_type(t->data_type), shape, init, stays ? 0 : TN_TRAINABLE);
}

tn_tensor *onnx_tensor(onnx_node *n, onnx_value *value)
{
    onnx_build *b = n->build;
    tn_shape shape;
    int32_t dtype;
    const void *data = NULL;
    if (value->x || !value->proto) return value->x;
    const onnx_proto *t = value->proto;
    if ((value->x = variable(b, t))) return value->x;
    if (onnx_tensor_data(b->model, t, &b->graph->region, &shape, &dtype, &data)) {
        onnx_cannot(n, "%s", tn_message());
        return NULL;
    }
    return value->x = onnx_kept(tn_constant_at(b->graph, dtype, shape, data), t->data_type);
}

/* ---- nodes ---- */

static const Onnx__FunctionProto *find_function(const tn_onnx *model, const onnx_node_proto *node)
{
    for (size_t i = 0; i < model->proto->n_functions; i++) {
        const Onnx__FunctionProto *f = model->proto->functions[i];
        if (f->name && !strcmp(f->name, node->op_type) && !strcmp(onnx_domain(f->domain), onnx_domain(node->domain)))
            return f;
    }
    return NULL;
}

/* Attributes that a function's body takes from its call. */
static tn_status resolve(onnx_node *n, onnx_node_proto *proto)
{
    const onnx_node *call = n->scope->call;
    onnx_attribute **at = tn_region_alloc(&n->build->region, (proto->n_attribute + 1) * sizeof *at);
    size_t count = 0;
    if (!at) return no_memory(n->build);
    for (size_t i = 0; i < proto->n_attribute; i++) {
        const char *of = proto->attribute[i]->ref_attr_name;
        onnx_attribute *found = proto->attribute[i];
        if (of && *of) {
            const onnx_attribute *given = call ? onnx_attr(call, of) : NULL;
            onnx_attribute *copy = given ? tn_region_alloc(&n->build->region, sizeof *copy) : NULL;
            if (copy) *copy = *given, copy->name = found->name;
            found = copy;
        }
        if (found) at[count++] = found;
    }
    proto->attribute = at;
    proto->n_attribute = count;
    return TN_OK;
}

static tn_status build_nodes(onnx_build *b, onnx_scope *scope, onnx_node_proto **node, size_t count);

static void call(onnx_node *n, const Onnx__FunctionProto *f)
{
    onnx_build *b = n->build;
    onnx_scope inside = {.call = n};
    tn_status s = b->depth < DEEPEST ? TN_OK : TN_EFORMAT;
    b->depth++;
    for (size_t i = 0; !s && i < f->n_input && i < n->n_in; i++)
        if (n->in[i]) s = bind(b, &inside, f->input[i], *n->in[i]);
    if (!s) s = build_nodes(b, &inside, f->node, f->n_node);
    for (size_t i = 0; !s && i < f->n_output && i < n->n_out; i++) {
        const onnx_value *y = look_up(&inside, f->output[i]);
        n->out[i] = y ? *y : (onnx_value){.is_missing = 1};
    }
    b->depth--;
    close_scope(&inside);
    if (s == TN_EFORMAT) onnx_cannot(n, "functions within functions, too deep");
}

/* A rule that returns without a word was given what does not fit it. */
static void check_result(onnx_node *n)
{
    const onnx_value *y = &n->out[0];
    if (!n->graph->status && onnx_wants(n, 0) && !y->x && !y->proto) onnx_cannot(n, "its operands do not fit");
}

/* What a rule did not ask for it cannot have heeded. */
static void check_attributes(onnx_node *n)
{
    for (size_t i = 0; i < n->proto->n_attribute && !n->failed && !n->graph->status; i++)
        if (!n->read[i]) onnx_cannot(n, "attribute %s", n->proto->attribute[i]->name);
}

/* A gradient has a way through QuantizeLinear where DequantizeLinear follows. */
static void check_straight(onnx_node *n)
{
    const onnx_build *b = n->build;
    if (!b->options.trainable || !b->options.training || !strcmp(n->proto->op_type, "DequantizeLinear")) return;
    for (uint32_t i = 0; i < n->n_in; i++)
        if (n->in[i] && n->in[i]->straight)
            onnx_cannot(n, "in training, what QuantizeLinear made: only DequantizeLinear sends a gradient back to it");
}

static void build_node(onnx_node *n, onnx_rule *rule)
{
    tn_graph *graph = n->graph;
    const Onnx__FunctionProto *function = rule ? NULL : find_function(n->build->model, n->proto);
    if (rule) check_straight(n);
    if (rule && !n->failed)
        rule(n), check_result(n), check_attributes(n);
    else if (function)
        call(n, function);
    if (graph->status == TN_ENOMEM || graph->status == TN_EIO) n->build->status = graph->status;
    if (!graph->status || n->build->status) return;
    onnx_cannot(n, "%s", graph->message);
    graph->status = TN_OK; /* the others are yet to be seen */
}

/* Operands by their names; 0 if one of them is missing for another node's failure. */
static int find_operands(onnx_node *n, const onnx_node_proto *proto)
{
    int are_there = 1;
    for (size_t i = 0; i < proto->n_input; i++) {
        if (!*proto->input[i]) continue;
        n->in[i] = look_up(n->scope, proto->input[i]);
        if (!n->in[i]) onnx_cannot(n, "nothing makes its operand '%s'", proto->input[i]);
        are_there &= n->in[i] && !n->in[i]->is_missing;
    }
    return are_there;
}

static tn_status add_node(onnx_build *b, onnx_scope *scope, const onnx_node_proto *given)
{
    if (!given->n_output) return TN_OK; /* nothing comes of it */
    onnx_node_proto proto = *given;
    onnx_node n = {.build = b,
                   .scope = scope,
                   .proto = &proto,
                   .graph = b->graph,
                   .n_in = (uint32_t)proto.n_input,
                   .n_out = (uint32_t)proto.n_output,
                   .opset = onnx_opset(b->model, proto.domain)};
    n.in = tn_region_alloc(&b->region, (n.n_in + 1) * sizeof *n.in);
    n.out = tn_region_alloc(&b->region, (n.n_out + 1) * sizeof *n.out);
    if (!n.in || !n.out) return no_memory(b);
    TN_TRY(resolve(&n, &proto));
    n.read = tn_region_alloc(&b->region, proto.n_attribute + 1);
    if (!n.read) return no_memory(b);
    onnx_rule *rule = onnx_find_rule(onnx_domain(proto.domain), proto.op_type);
    if (!rule && !find_function(b->model, &proto)) onnx_cannot(&n, "there is no such operator here");
    if (find_operands(&n, &proto) && !n.failed) {
        if (b->options.bare && given == b->end.activation)
            n.out[0] = *n.in[0];
        else
            build_node(&n, rule);
    }
    for (uint32_t i = 0; !b->status && i < n.n_out; i++) {
        onnx_value *y = &n.out[i];
        if (!*proto.output[i]) continue;
        if (n.failed || (!y->x && !y->proto)) *y = (onnx_value){.is_missing = 1};
        TN_TRY(bind(b, scope, proto.output[i], *y));
    }
    return b->status;
}

static tn_status build_nodes(onnx_build *b, onnx_scope *scope, onnx_node_proto **node, size_t count)
{
    for (size_t i = 0; i < count; i++) TN_TRY(add_node(b, scope, node[i]));
    return TN_OK;
}

static tn_status add_initializers(onnx_build *b, onnx_scope *scope, const onnx_graph_proto *graph)
{
    for (size_t i = 0; i < graph->n_initializer; i++) {
        const onnx_proto *t = graph->initializer[i];
        if (t->name) TN_TRY(bind(b, scope, t->name, (onnx_value){.type = t->data_type, .proto = t}));
    }
    return TN_OK;
}

int64_t onnx_subgraph(onnx_node *n, const onnx_graph_proto *graph, const onnx_value in[], uint32_t n_in,
                      onnx_value out[], uint32_t capacity)
{
    onnx_build *b = n->build;
    onnx_scope inside = {.outer = n->scope, .call = n->scope->call};
    tn_status s = b->depth < DEEPEST ? TN_OK : TN_EFORMAT;
    b->depth++;
    for (size_t i = 0; !s && i < graph->n_input && i < n_in; i++)
        if (graph->input[i]->name) s = bind(b, &inside, graph->input[i]->name, in[i]);
    if (!s) s = add_initializers(b, &inside, graph);
    if (!s) s = build_nodes(b, &inside, graph->node, graph->n_node);
    for (size_t i = 0; !s && i < graph->n_output && i < capacity; i++) {
        onnx_value *y = graph->output[i]->name ? look_up(&inside, graph->output[i]->name) : NULL;
        if (y) onnx_tensor(n, y);
        out[i] = y ? *y : (onnx_value){.is_missing = 1};
        if (!out[i].x) n->failed = 1; /* somebody has said why */
    }
    b->depth--;
    close_scope(&inside);
    if (s == TN_EFORMAT) onnx_cannot(n, "parts within parts, too deep");
    return s ? -1 : (int64_t)graph->n_output;
}

/* ---- the model ---- */

static const tn_onnx_given *find_given(const tn_onnx_given given[], size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (given[i].name && !strcmp(given[i].name, name)) return &given[i];
    return NULL;
}

static tn_status declared_shape(const tn_onnx_port *port, tn_shape *shape)
{
    TN_REQUIRE(port->rank >= 0, TN_ESHAPE, "the shape of input '%s' is not said in the file", port->name);
    shape->rank = port->rank;
    for (int32_t d = 0; d < port->rank; d++) {
        shape->dim[d] = port->dim[d];
        TN_REQUIRE(port->dim[d] >= 0, TN_ESHAPE, "dimension %d of input '%s' is %s in the file: it has to be given", d,
                   port->name, port->symbol[d] ? port->symbol[d] : "not said");
    }
    return TN_OK;
}

static int32_t type_of(const Onnx__ValueInfoProto *value)
{
    return value->type && value->type->value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE
               ? value->type->tensor_type->elem_type
               : 0;
}

static tn_status add_input(onnx_build *b, onnx_scope *scope, const tn_onnx_port *port, int32_t type,
                           const tn_onnx_given *given)
{
    onnx_value value = {.type = type};
    tn_shape shape = given ? given->shape : TN_SCALAR;
    TN_REQUIRE(port->dtype, TN_EUNSUPPORTED, "input '%s' is no tensor of numbers, but %s", port->name, port->element);
    if (!given) TN_TRY(declared_shape(port, &shape));
    b->given[b->n_given++] = shape;
    TN_REQUIRE(port->rank < 0 || port->rank == shape.rank, TN_ESHAPE, "input '%s' has %d dimensions, not %d",
               port->name, port->rank, shape.rank);
    value.x = given && given->data ? tn_constant(b->graph, port->dtype, shape, given->data)
                                   : tn_input(b->graph, port->name, port->dtype, shape);
    TN_TRY(tn_graph_status(b->graph));
    return bind(b, scope, port->name, value);
}

/* The type by the file's own list, of which ports are a part. */
static int32_t input_type(const tn_onnx *model, const char *name)
{
    const onnx_graph_proto *graph = model->proto->graph;
    for (size_t i = 0; i < graph->n_input; i++)
        if (!strcmp(graph->input[i]->name, name)) return type_of(graph->input[i]);
    return 0;
}

/* Which inputs' numbers are needed, by what the problems say. */
static void note_needed(tn_onnx *model)
{
    const onnx_graph_proto *graph = model->proto->graph;
    for (size_t i = 0; i < graph->n_input; i++) {
        model->needed[i] = 0;
        for (uint32_t k = 0; k < model->n_problem; k++)
            model->needed[i] |= model->problem[k].input && !strcmp(model->problem[k].input, graph->input[i]->name);
    }
}

static tn_status conclude(onnx_build *b)
{
    const tn_onnx *model = b->model;
    TN_TRY(b->status);
    note_needed(b->model);
    if (!model->n_problem) return tn_graph_status(b->graph);
    const tn_onnx_problem *first = &model->problem[0];
    tn_graph_fail(b->graph, TN_EUNSUPPORTED, "%s of %s%sopset %lld, node '%s': %s%s%s", first->op, first->domain,
                  *first->domain ? ", " : "", (long long)first->opset, first->node, first->why,
                  model->n_problem > 1 ? "; and there is more" : "",
                  onnx_differing_input(b->model, b->given, b->n_given));
    return tn_graph_status(b->graph);
}

/* Variables take no numbers when a graph is built: that they can be had is seen here. */
static tn_status check_initializers(tn_onnx *model)
{
    const onnx_graph_proto *graph = model->proto->graph;
    for (size_t i = 0; i < graph->n_initializer; i++) TN_TRY(onnx_tensor_check(model, graph->initializer[i]));
    return TN_OK;
}

static tn_status begin(tn_onnx *model, tn_graph *graph, const tn_onnx_options *options, onnx_build *b,
                       onnx_scope *scope)
{
    *b = (onnx_build){.model = model, .graph = graph};
    *scope = (onnx_scope){0};
    if (options) b->options = *options;
    if (!b->options.most) b->options.most = model->most;
    if (b->options.outputs || b->options.bare) b->end = onnx_find_end(model);
    onnx_problems_clear(model);
    TN_TRY(tn_graph_status(graph));
    TN_TRY(check_initializers(model));
    if (b->options.trainable && b->options.training) TN_TRY(onnx_require_trainable(model));
    TN_REQUIRE(!b->options.outputs || (b->options.outputs > 0 && b->end.weight), TN_EUNSUPPORTED,
               "the network's last layer is none that could be replaced by one of %lld outputs",
               (long long)b->options.outputs);
    b->given = tn_region_alloc(&b->region, (model->proto->graph->n_input + 1) * sizeof *b->given);
    return b->given ? add_initializers(b, scope, model->proto->graph) : TN_ENOMEM;
}

static void end(onnx_build *b, onnx_scope *scope)
{
    close_scope(scope);
    tn_free(b->batch.noted);
    tn_free((void *)(uintptr_t)b->batch.declared);
    tn_free(b->known);
    tn_region_free(&b->region);
}

/* The model's output number i as a tensor. */
static tn_tensor *output_of(onnx_build *b, const onnx_scope *scope, size_t i)
{
    onnx_node_proto nobody = {.op_type = "output"};
    onnx_node n = {.build = b, .graph = b->graph, .proto = &nobody};
    onnx_value *y = look_up(scope, b->model->proto->graph->output[i]->name);
    if (!y) onnx_cannot(&n, "nothing makes output '%s'", b->model->proto->graph->output[i]->name);
    return y ? onnx_tensor(&n, y) : NULL;
}

/* Builds the graph as declared into one that is thrown away, and takes what was noted. One that cannot be built so is
 * as if nothing was declared. */
static tn_status build_declared(onnx_build *b)
{
    onnx_build other;
    onnx_scope scope;
    tn_onnx_port port;
    tn_graph *graph = tn_graph_new();
    tn_status s = begin(b->model, graph, &b->options, &other, &scope);
    other.batch.is_noting = 1;
    for (size_t i = 0; !s && i < b->n_given && tn_onnx_input_at(b->model, i, &port); i++) {
        tn_shape shape = b->given[i];
        if (port.rank > 0 && port.dim[0] == b->batch.was) shape.dim[0] = b->batch.was;
        s = bind(
            &other, &scope, port.name,
            (onnx_value){.x = tn_input(graph, port.name, port.dtype, shape), .type = input_type(b->model, port.name)});
    }
    if (!s) s = build_nodes(&other, &scope, b->model->proto->graph->node, b->model->proto->graph->n_node);
    tn_tensor *y = !s && b->model->proto->graph->n_output ? output_of(&other, &scope, 0) : NULL;
    b->batch.output = y ? tn_shape_of(y) : TN_SCALAR;
    b->batch.declared = other.batch.noted;
    b->batch.declared_count = other.batch.count < other.batch.room ? other.batch.count : other.batch.room;
    other.batch.noted = NULL;
    end(&other, &scope);
    tn_graph_free(graph);
    onnx_problems_clear(b->model);
    return s == TN_ENOMEM ? s : TN_OK;
}

/* More samples that don't make as many outputs: they were mixed. */
static void check_batch(onnx_build *b, const tn_tensor *y)
{
    onnx_node_proto nobody = {.op_type = "output"};
    onnx_node n = {.build = b, .graph = b->graph, .proto = &nobody};
    const tn_shape shape = tn_shape_of(y);
    if (b->batch.was && b->batch.output.rank && b->batch.output.dim[0] == b->batch.was && shape.dim[0] != b->batch.is)
        onnx_cannot(&n, "output '%s' would be of %lld samples", b->model->proto->graph->output[0]->name,
                    (long long)shape.dim[0]);
}

static tn_status build_graph(onnx_build *b, onnx_scope *scope, tn_tensor *y[], size_t n_y)
{
    const onnx_graph_proto *graph = b->model->proto->graph;
    onnx_find_batch(b->model, b->given, b->n_given, &b->batch);
    if (b->batch.was) TN_TRY(build_declared(b));
    TN_TRY(build_nodes(b, scope, graph->node, graph->n_node));
    for (size_t i = 0; i < graph->n_output; i++) {
        tn_tensor *x = output_of(b, scope, i);
        if (y && i < n_y) y[i] = x;
        if (x && !i) check_batch(b, x);
        if (!y && x && !b->model->n_problem) tn_output(x, graph->output[i]->name);
    }
    return conclude(b);
}

tn_status tn_onnx_build(tn_onnx *model, tn_graph *graph, const tn_onnx_given given[], size_t count,
                        const tn_onnx_options *options)
{
    TN_GIVEN(model, graph);
    TN_REQUIRE(given || !count, TN_EINVAL, "tn_onnx_build: given is NULL");
    onnx_build b;
    onnx_scope scope;
    tn_onnx_port port;
    tn_status s = begin(model, graph, options, &b, &scope);
    for (size_t i = 0; !s && tn_onnx_input_at(model, i, &port); i++)
        s = add_input(&b, &scope, &port, input_type(model, port.name), find_given(given, count, port.name));
    for (size_t i = 0; !s && tn_onnx_default_at(model, i, &port); i++) {
        const tn_onnx_given *instead = find_given(given, count, port.name);
        if (instead) s = add_input(&b, &scope, &port, input_type(model, port.name), instead);
    }
    if (!s) s = build_graph(&b, &scope, NULL, 0);
    end(&b, &scope);
    return s;
}

/* x in place of an input; NULL is fine for one that has a default. */
static tn_status put_in_place(onnx_build *b, onnx_scope *scope, const tn_onnx_port *port, tn_tensor *x, int is_default)
{
    if (!x && is_default) return TN_OK;
    TN_REQUIRE(x && tn_dtype_of(x) == port->dtype, TN_EINVAL, "input '%s' of the model is missing, or of another type",
               port->name);
    if (!is_default) b->given[b->n_given++] = tn_shape_of(x);
    return bind(b, scope, port->name, (onnx_value){.x = x, .type = input_type(b->model, port->name)});
}

tn_status tn_onnx_apply(tn_onnx *model, tn_tensor *const x[], size_t n_x, tn_tensor *y[], size_t n_y,
                        const tn_onnx_options *options)
{
    TN_GIVEN(model, x, y);
    onnx_build b;
    onnx_scope scope;
    tn_onnx_port port;
    size_t first = 0, at = 0;
    while (first < n_x && !x[first]) first++;
    TN_REQUIRE(first < n_x, TN_EINVAL, "tn_onnx_apply: x is empty");
    tn_status s = begin(model, tn_graph_of(x[first]), options, &b, &scope);
    for (size_t i = 0; !s && tn_onnx_input_at(model, i, &port); i++, at++)
        s = put_in_place(&b, &scope, &port, at < n_x ? x[at] : NULL, 0);
    for (size_t i = 0; !s && at < n_x && tn_onnx_default_at(model, i, &port); i++, at++)
        s = put_in_place(&b, &scope, &port, x[at], 1);
    if (!s) s = build_graph(&b, &scope, y, n_y);
    end(&b, &scope);
    return s;
}
