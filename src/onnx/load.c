/* load.c: reads an ONNX file: maps it, has protobuf-c take it apart, and lists its operators. */
#include <string.h>

#include "given.h"
#include "rule.h"

/* ---- protobuf-c's memory is ours ---- */

static void *allocate(void *arg, size_t bytes)
{
    (void)arg;
    return tn_alloc(bytes);
}

/* Of tensors, raw bytes are in the file. */
static void release(void *arg, void *memory)
{
    const tn_onnx *model = arg;
    if ((uintptr_t)memory - (uintptr_t)model->data >= model->bytes) tn_free(memory);
}

/* ---- operators ---- */

const char *onnx_domain(const char *domain)
{
    return !domain || !strcmp(domain, "ai.onnx") ? "" : domain;
}

static int64_t version_of(Onnx__OperatorSetIdProto *const set[], size_t count, const char *domain)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(onnx_domain(set[i]->domain), onnx_domain(domain))) return set[i]->version;
    return 0;
}

int64_t onnx_opset(const tn_onnx *model, const char *domain)
{
    int64_t version = version_of(model->proto->opset_import, model->proto->n_opset_import, domain);
    for (size_t i = 0; !version && i < model->proto->n_functions; i++) {
        const Onnx__FunctionProto *f = model->proto->functions[i];
        version = version_of(f->opset_import, f->n_opset_import, domain);
    }
    return version;
}

static int is_function(const tn_onnx *model, const onnx_node_proto *node)
{
    for (size_t i = 0; i < model->proto->n_functions; i++) {
        const Onnx__FunctionProto *f = model->proto->functions[i];
        if (f->name && !strcmp(f->name, node->op_type) && !strcmp(onnx_domain(f->domain), onnx_domain(node->domain)))
            return 1;
    }
    return 0;
}

static tn_status count_operator(tn_onnx *model, const onnx_node_proto *node)
{
    const char *domain = onnx_domain(node->domain);
    for (uint32_t i = 0; i < model->ops; i++)
        if (!strcmp(model->op[i].name, node->op_type) && !strcmp(model->op[i].domain, domain)) {
            model->op[i].count++;
            return TN_OK;
        }
    TN_TRY(tn_grow(&model->op, &model->op_capacity, model->ops + 1, sizeof *model->op));
    model->op[model->ops++] =
        (tn_onnx_operator){node->op_type, domain, onnx_opset(model, domain), 1,
                           is_function(model, node) || onnx_find_rule(domain, node->op_type) != NULL};
    return TN_OK;
}

static tn_status count_operators(tn_onnx *model, Onnx__NodeProto **node, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        TN_REQUIRE(node[i]->op_type, TN_EFORMAT, "a node without an operator");
        TN_TRY(count_operator(model, node[i]));
        for (size_t k = 0; k < node[i]->n_attribute; k++) {
            const onnx_attribute *at = node[i]->attribute[k];
            TN_REQUIRE(at->name, TN_EFORMAT, "%s: an attribute without a name", node[i]->op_type);
            if (at->g) TN_TRY(count_operators(model, at->g->node, at->g->n_node));
        }
    }
    return TN_OK;
}

/* ---- outputs ---- */

/* What a network gives back twice exporters list twice, under one name: it is one output. */
static tn_status drop_repeated(tn_onnx *model, onnx_graph_proto *graph, tn_index *names)
{
    uint32_t number;
    size_t kept = 0;
    for (size_t i = 0; i < graph->n_output; i++) {
        Onnx__ValueInfoProto *y = graph->output[i];
        TN_REQUIRE(y->name, TN_EFORMAT, "an output without a name");
        graph->output[i] = NULL;
        if (tn_index_find(names, NULL, y->name, &number)) {
            onnx__value_info_proto__free_unpacked(y, &model->heap);
            continue;
        }
        graph->output[kept++] = y;
        TN_TRY(tn_index_add(names, NULL, y->name, (uint32_t)i));
    }
    graph->n_output = kept;
    return TN_OK;
}

static tn_status check_outputs(tn_onnx *model)
{
    tn_index names = {0};
    tn_status s = drop_repeated(model, model->proto->graph, &names);
    tn_index_free(&names);
    return s;
}

/* What is given is made by no node. */
static tn_status check_given(const tn_onnx *model, const tn_index *inputs)
{
    const onnx_graph_proto *graph = model->proto->graph;
    uint32_t number;
    for (size_t i = 0; i < graph->n_node; i++)
        for (size_t k = 0; k < graph->node[i]->n_output; k++) {
            const char *name = graph->node[i]->output[k];
            if (!*name) continue;
            TN_REQUIRE(!tn_index_find(inputs, NULL, name, &number) &&
                           !tn_index_find(&model->initializers, NULL, name, &number),
                       TN_EFORMAT, "'%s' is given, and made by a node of %s, too", name, graph->node[i]->op_type);
        }
    return TN_OK;
}

static tn_status check_inputs(const tn_onnx *model)
{
    const onnx_graph_proto *graph = model->proto->graph;
    tn_index names = {0};
    tn_status s = TN_OK;
    for (size_t i = 0; i < graph->n_input && !s; i++)
        s = tn_index_add(&names, NULL, graph->input[i]->name, (uint32_t)i);
    if (!s) s = check_given(model, &names);
    tn_index_free(&names);
    return s;
}

static tn_status check_opsets(const Onnx__ModelProto *model)
{
    for (size_t i = 0; i < model->n_opset_import; i++)
        TN_REQUIRE(model->opset_import[i]->version > 0, TN_EFORMAT, "opset %lld",
                   (long long)model->opset_import[i]->version);
    return TN_OK;
}

/* ---- the file ---- */

tn_status onnx_unpack(tn_onnx *model)
{
    model->heap = (ProtobufCAllocator){allocate, release, model};
    TN_TRY(onnx_take_apart(model->data, model->bytes, &model->heap, &model->proto));
    TN_REQUIRE(model->proto->graph, TN_EFORMAT, "no ONNX file, or a damaged one");
    const onnx_graph_proto *graph = model->proto->graph;
    for (size_t i = 0; i < graph->n_input; i++)
        TN_REQUIRE(graph->input[i]->name, TN_EFORMAT, "an input without a name");
    TN_TRY(check_opsets(model->proto));
    TN_TRY(check_outputs(model));
    for (size_t i = 0; i < graph->n_initializer; i++)
        TN_REQUIRE(graph->initializer[i]->name, TN_EFORMAT, "an initializer without a name");
    TN_TRY(onnx_untie(model));
    TN_TRY(count_operators(model, graph->node, graph->n_node));
    TN_TRY(onnx_sort(graph->node, graph->n_node));
    for (size_t i = 0; i < model->proto->n_functions; i++) {
        const Onnx__FunctionProto *f = model->proto->functions[i];
        TN_TRY(count_operators(model, f->node, f->n_node));
        TN_TRY(onnx_sort(f->node, f->n_node));
    }
    model->needed = tn_alloc(graph->n_input + 1);
    model->numbers = tn_alloc((graph->n_initializer + 1) * sizeof *model->numbers);
    if (!model->needed || !model->numbers) return TN_ENOMEM;
    TN_TRY(onnx_find_roles(model));
    return check_inputs(model);
}

static tn_status read_file(tn_onnx *model, const char *path)
{
    TN_TRY(tn_map(path, &model->file));
    model->data = model->file->data;
    model->bytes = model->file->bytes;
    tn_status s = onnx_unpack(model);
    if (tn_mapping_check(model->file)) return tn_fail(TN_EIO, "%s: was changed while it was read", path);
    return s ? tn_fail(s, "%s: %s", path, tn_message()) : TN_OK;
}

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = tn_strdup(path);
    if (folder) folder[slash ? slash - path + 1 : 0] = 0;
    return folder;
}

tn_status tn_onnx_load(const char *path, tn_onnx **out)
{
    TN_GIVEN_AS("path, model", path, out);
    tn_onnx *model = tn_alloc(sizeof *model);
    if (!model) return TN_ENOMEM;
    model->folder = folder_of(path);
    tn_status s = model->folder ? read_file(model, path) : TN_ENOMEM;
    if (s)
        tn_onnx_free(model);
    else
        *out = model;
    return s;
}

void tn_onnx_free(tn_onnx *model)
{
    if (!model) return;
    onnx_untied_free(model);
    if (model->proto) onnx__model_proto__free_unpacked(model->proto, &model->heap);
    if (!model->file) tn_free((void *)(uintptr_t)model->data);
    tn_unmap(model->file);
    for (uint32_t i = 0; i < model->files; i++) tn_unmap(model->mapped[i].file);
    tn_free(model->mapped);
    tn_free(model->folder);
    tn_free(model->op);
    tn_free(model->problem);
    tn_free(model->needed);
    tn_index_free(&model->initializers);
    tn_free(model->role);
    tn_free((void *)model->numbers);
    tn_free(model->text);
    tn_free(model->freeze);
    tn_region_free(&model->problems);
    tn_region_free(&model->weights);
    tn_free(model);
}

/* ---- what it says of itself ---- */

static void describe(const Onnx__ValueInfoProto *value, tn_onnx_port *port)
{
    const Onnx__TypeProto__Tensor *t =
        value->type && value->type->value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE ? value->type->tensor_type : NULL;
    *port = (tn_onnx_port){.name = value->name, .element = t ? onnx_type_name(t->elem_type) : "?", .rank = -1};
    if (!t) return;
    port->dtype = onnx_kept_type(t->elem_type);
    if (!t->shape || t->shape->n_dim > TN_MAX_RANK) return;
    port->rank = (int32_t)t->shape->n_dim;
    for (int32_t d = 0; d < port->rank; d++) {
        const Onnx__TensorShapeProto__Dimension *dim = t->shape->dim[d];
        int is_number = dim->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE && dim->dim_value >= 0;
        port->dim[d] = is_number ? dim->dim_value : -1;
        if (dim->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM && *dim->dim_param)
            port->symbol[d] = dim->dim_param;
    }
}

/* Where a node finds the rows that its numbers choose among, and the numbers. */
static const struct {
    const char *op;
    size_t table, numbers;
} choosers[] = {{"Gather", 0, 1}, {"EmbedLayerNormalization", 2, 0}};

/* The rows of the table that the node takes by the numbers of that name; 0: it takes none so. */
static int64_t rows_of(const tn_onnx *model, const onnx_node_proto *node, const char *name)
{
    for (size_t k = 0; k < sizeof choosers / sizeof *choosers; k++) {
        const size_t table = choosers[k].table, numbers = choosers[k].numbers;
        if (strcmp(node->op_type, choosers[k].op) || node->n_input <= table || node->n_input <= numbers) continue;
        const onnx_proto *t = onnx_initializer(model, node->input[table], NULL);
        int64_t axis = 0;
        for (size_t i = 0; i < node->n_attribute; i++)
            if (!strcmp(node->attribute[i]->name, "axis")) axis = node->attribute[i]->i;
        if (t && t->n_dims && !axis && !strcmp(node->input[numbers], name)) return t->dims[0];
    }
    return 0;
}

/* Of the smallest of such tables; a Cast changes nothing. */
static int64_t rows_for(const tn_onnx *model, const char *name, int deep)
{
    const onnx_graph_proto *graph = model->proto->graph;
    int64_t least = 0;
    for (size_t i = 0; i < graph->n_node; i++) {
        const onnx_node_proto *node = graph->node[i];
        const int is_cast =
            !strcmp(node->op_type, "Cast") && node->n_input && node->n_output && !strcmp(node->input[0], name);
        const int64_t rows = is_cast && deep ? rows_for(model, node->output[0], deep - 1) : rows_of(model, node, name);
        if (rows > 0 && (!least || rows < least)) least = rows;
    }
    return least;
}

/* Of those that have a default, or of those that have none. */
static int input_at(const tn_onnx *model, size_t index, int has_default, tn_onnx_port *port)
{
    if (!model || !port) return 0;
    const onnx_graph_proto *graph = model->proto->graph;
    for (size_t i = 0; i < graph->n_input; i++) {
        const int has = onnx_initializer(model, graph->input[i]->name, NULL) != NULL;
        if (has != has_default || index--) continue;
        describe(graph->input[i], port);
        port->needed = model->needed[i];
        port->rows = rows_for(model, port->name, 2);
        return 1;
    }
    return 0;
}

int tn_onnx_input_at(const tn_onnx *model, size_t index, tn_onnx_port *port)
{
    return input_at(model, index, 0, port);
}

int tn_onnx_default_at(const tn_onnx *model, size_t index, tn_onnx_port *port)
{
    return input_at(model, index, 1, port);
}

int tn_onnx_output_at(const tn_onnx *model, size_t index, tn_onnx_port *port)
{
    if (!model || !port || index >= model->proto->graph->n_output) return 0;
    describe(model->proto->graph->output[index], port);
    return 1;
}

int tn_onnx_operator_at(const tn_onnx *model, size_t index, tn_onnx_operator *op)
{
    if (!model || !op || index >= model->ops) return 0;
    *op = model->op[index];
    return 1;
}

int64_t tn_onnx_weights(const tn_onnx *model)
{
    int64_t all = 0;
    for (size_t i = 0; model && i < model->proto->graph->n_initializer; i++) {
        const onnx_proto *t = model->proto->graph->initializer[i];
        tn_shape shape = {.rank = t->n_dims <= TN_MAX_RANK ? (int32_t)t->n_dims : 0};
        for (int32_t d = 0; d < shape.rank; d++) shape.dim[d] = t->dims[d];
        if (!tn_shape_check(&shape)) all += tn_shape_count(&shape);
    }
    return all;
}
