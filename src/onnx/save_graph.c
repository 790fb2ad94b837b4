/* save_graph.c: nodes, constants, names. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "order.h"
#include "plain.h"
#include "save.h"

/* ---- pieces ---- */

static void *piece(export_saver *s, size_t bytes)
{
    void *p = s->status ? NULL : tn_region_alloc(&s->region, bytes + 1);
    if (!p && !s->status) s->status = TN_ENOMEM;
    return p;
}

static char *text(export_saver *s, const char *t)
{
    char *copy = piece(s, strlen(t) + 1);
    return copy ? strcpy(copy, t) : "";
}

static void append(export_saver *s, export_list *list, void *item)
{
    if (!s->status) s->status = tn_grow(&list->item, &list->room, list->count + 1, sizeof *list->item);
    if (!s->status) list->item[list->count++] = item;
}

/* A name that no other has: base, base_2, base_3... `tries` has the next number of each. */
static const char *unique(export_saver *s, tn_index *names, const char *base)
{
    char *name = text(s, base);
    uint32_t slot = 0, other;
    if (tn_index_find(names, NULL, name, &slot)) {
        char full[600];
        do snprintf(full, sizeof full, "%.500s_%u", base, s->tries[slot]++ + 2);
        while (tn_index_find(names, NULL, full, &other));
        name = text(s, full);
    }
    export_take_name(s, names, name);
    return name;
}

void export_take_name(export_saver *s, tn_index *names, const char *name)
{
    if (!s->status) s->status = tn_grow(&s->tries, &s->try_room, s->taken + 1, sizeof *s->tries);
    if (!s->status) s->status = tn_index_add(names, NULL, name, s->taken++);
}

void export_refuse(export_saver *s, const tn_tensor *y, const char *why)
{
    char shape[160];
    const char *scope = export_scope(s, y);
    if (s->status) return;
    s->status = tn_fail(TN_EUNSUPPORTED, "%s, node %u%s%s%s of shape %s, cannot be said in ONNX: %s", y->op->name,
                        y->id, scope ? " of '" : "", scope ? scope : "", scope ? "'" : "",
                        tn_shape_text(&y->type.shape, shape, sizeof shape), why);
}

/* ---- what a layer is called ---- */

static const tn_tensor *weight_of(const tn_tensor *y)
{
    for (uint32_t i = 0; i < y->n_in; i++) {
        const tn_tensor *x = y->in[i];
        while (x->op->kind == TN_VIEW && x->n_in) x = x->in[0];
        if (x->op == &tn_op_variable) return x;
    }
    return NULL;
}

const char *export_scope(export_saver *s, const tn_tensor *y)
{
    const tn_tensor *weight = weight_of(y);
    const char *dot = weight ? strrchr(weight->name, '.') : NULL;
    if (!dot) return NULL;
    char *scope = text(s, weight->name);
    if (*scope) scope[dot - weight->name] = 0;
    return *scope ? scope : NULL;
}

static const char *output_name(const export_saver *s, const tn_tensor *y)
{
    for (uint32_t i = 0; i < s->graph->sinks; i++)
        if (s->graph->sink[i].value == y && s->graph->sink[i].name) return s->graph->sink[i].name;
    return NULL;
}

/* ---- nodes ---- */

static Onnx__AttributeProto *attribute(export_saver *s, const export_at *at)
{
    Onnx__AttributeProto *a = piece(s, sizeof *a);
    int64_t *ints = a && at->ints ? piece(s, at->count * sizeof *ints) : NULL;
    if (s->status) return NULL;
    onnx__attribute_proto__init(a);
    a->name = text(s, at->name);
    a->has_type = 1;
    a->type = at->text      ? ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING
              : at->ints    ? ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS
              : at->is_real ? ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT
                            : ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT;
    if (at->text) a->has_s = 1, a->s.data = (uint8_t *)text(s, at->text), a->s.len = strlen(at->text);
    if (at->ints) memcpy(ints, at->ints, at->count * sizeof *ints), a->ints = ints, a->n_ints = at->count;
    if (at->is_real) a->has_f = 1, a->f = (float)at->real;
    if (!at->text && !at->ints && !at->is_real) a->has_i = 1, a->i = at->whole;
    return a;
}

static char **texts(export_saver *s, const char *const in[], size_t *count)
{
    *count = 0;
    while (in[*count]) ++*count;
    char **copy = piece(s, (*count + 1) * sizeof *copy);
    for (size_t i = 0; copy && i < *count; i++) copy[i] = text(s, in[i]);
    return copy;
}

static void add_node(export_saver *s, const char *name, const char *op, const char *const in[], const export_at at[],
                     const char *out)
{
    Onnx__NodeProto *node = piece(s, sizeof *node);
    size_t count = 0;
    while (at && at[count].name) count++;
    if (!node) return;
    onnx__node_proto__init(node);
    node->name = (char *)unique(s, &s->node_names, name);
    node->op_type = text(s, op);
    node->input = texts(s, in, &node->n_input);
    node->output = texts(s, EXPORT_OF(out), &node->n_output);
    node->attribute = piece(s, (count + 1) * sizeof *node->attribute);
    for (size_t i = 0; i < count && !s->status; i++) node->attribute[i] = attribute(s, &at[i]);
    node->n_attribute = count;
    append(s, &s->node, node);
}

const char *export_say(export_saver *s, const char *base, const char *op, const char *const in[], const export_at at[])
{
    const char *out = unique(s, &s->names, base ? base : op);
    add_node(s, base ? base : op, op, in, at, out);
    return s->status ? "" : out;
}

const char *export_second(export_saver *s)
{
    if (s->status) return "";
    Onnx__NodeProto *node = s->node.item[s->node.count - 1];
    const char *out = unique(s, &s->names, node->name);
    node->output = texts(s, EXPORT_OF(node->output[0], out), &node->n_output);
    return s->status ? "" : out;
}

void export_is(export_saver *s, const tn_tensor *y, const char *value)
{
    if (!s->status) s->value[y->id] = value;
}

const char *export_result(export_saver *s, const tn_tensor *y, const char *op, const char *const in[],
                          const export_at at[])
{
    const char *scope = export_scope(s, y), *name = output_name(s, y);
    const char *out = name ? name : unique(s, &s->names, scope ? scope : op);
    add_node(s, scope ? scope : op, op, in, at, out);
    export_is(s, y, out);
    return s->status ? "" : out;
}

void export_rename(export_saver *s, const char *value, const char *name)
{
    add_node(s, name, "Identity", EXPORT_OF(value), NULL, name);
}

const char *export_value(const export_saver *s, const tn_tensor *x)
{
    return s->status ? "" : s->value[x->id];
}

/* ---- types ---- */

int64_t export_type_of(int32_t dtype)
{
    static const struct {
        int32_t dtype;
        int64_t type;
    } types[] = {{TN_F32, EXPORT_TYPE_FLOAT},
                 {TN_U8, 2},
                 {TN_I8, 3},
                 {TN_I32, EXPORT_TYPE_INT32},
                 {TN_F16, 10},
                 {TN_F64, 11},
                 {TN_BF16, 16}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].dtype == dtype) return types[i].type;
    return 0;
}

const char *export_as(export_saver *s, const char *x, int64_t type)
{
    return export_say(s, NULL, "Cast", EXPORT_OF(x), EXPORT_AT(EXPORT_INT("to", type)));
}

/* ---- initializers ---- */

/* Elements as the file has them: where this machine has their bytes otherwise, a copy. */
static void *in_file(export_saver *s, const int64_t dim[], size_t rank, void *data, size_t bytes)
{
    uint64_t count = 1;
    if (!TN_MACHINE_IS_BIG || !bytes) return data;
    for (size_t d = 0; d < rank; d++) count *= (uint64_t)dim[d];
    void *copy = piece(s, bytes);
    if (copy) tn_bytes_as_in_file(memcpy(copy, data, bytes), (size_t)(bytes / count), count);
    return copy;
}

/* A weight without its numbers. */
static export_weight *add_weight(export_saver *s, const char *name, int64_t type, const int64_t dim[], size_t rank)
{
    export_weight *w = piece(s, sizeof *w);
    Onnx__TensorProto *t = piece(s, sizeof *t);
    int64_t *dims = piece(s, rank * sizeof *dims);
    if (s->status) return NULL;
    onnx__tensor_proto__init(t);
    memcpy(dims, dim, rank * sizeof *dims);
    t->name = text(s, name);
    t->dims = dims, t->n_dims = rank;
    t->has_data_type = 1, t->data_type = (int32_t)type;
    *w = (export_weight){.proto = t};
    append(s, &s->initializer, w);
    return s->status ? NULL : w;
}

static const char *add_tensor(export_saver *s, const char *name, int64_t type, const int64_t dim[], size_t rank,
                              void *data, size_t bytes)
{
    data = in_file(s, dim, rank, data, bytes);
    export_weight *w = add_weight(s, name, type, dim, rank);
    if (!w) return "";
    w->data = data, w->bytes = bytes;
    return w->proto->name;
}

/* One for each content: `key` says it. */
static const char *constant(export_saver *s, const char *key, int64_t type, const int64_t dim[], size_t rank,
                            const void *data, size_t bytes)
{
    uint32_t number;
    if (s->status) return "";
    if (tn_index_find(&s->constants, NULL, key, &number))
        return ((export_weight *)s->initializer.item[number])->proto->name;
    void *copy = piece(s, bytes);
    const char *name = unique(s, &s->names, key);
    if (copy) memcpy(copy, data, bytes);
    number = s->initializer.count;
    name = add_tensor(s, name, type, dim, rank, copy, bytes);
    if (!s->status) s->status = tn_index_add(&s->constants, NULL, text(s, key), number);
    return name;
}

const char *export_ints(export_saver *s, const int64_t value[], size_t count)
{
    char key[300] = "ints";
    for (size_t i = 0; i < count; i++)
        snprintf(key + strlen(key), sizeof key - strlen(key), "_%lld", (long long)value[i]);
    return constant(s, key, EXPORT_TYPE_INT64, &(int64_t){(int64_t)count}, 1, value, count * sizeof *value);
}

const char *export_int(export_saver *s, int64_t value)
{
    return export_ints(s, &value, 1);
}

/* The number as the type keeps it: its bytes. */
static size_t kept(int32_t dtype, double value, unsigned char bytes[8])
{
    const float f = (float)value;
    const int32_t i = (int32_t)value;
    const uint8_t u = (uint8_t)value;
    const int8_t s8 = (int8_t)value;
    const struct {
        int32_t dtype;
        const void *from;
        size_t bytes;
    } forms[] = {{TN_F32, &f, 4}, {TN_F64, &value, 8}, {TN_I32, &i, 4}, {TN_U8, &u, 1}, {TN_I8, &s8, 1}};
    for (size_t k = 0; k < sizeof forms / sizeof *forms; k++)
        if (forms[k].dtype == dtype) return memcpy(bytes, forms[k].from, forms[k].bytes), forms[k].bytes;
    return 0;
}

/* Of f16 and bf16: f32, and a Cast. */
static const char *number(export_saver *s, int32_t dtype, double value, int64_t count, size_t rank)
{
    char key[80];
    unsigned char bytes[8];
    size_t each = kept(dtype, value, bytes);
    if (!each) return export_as(s, number(s, TN_F32, value, count, rank), export_type_of(dtype));
    if (rank)
        tn_snprintf(key, sizeof key, "%s_%.9g_times_%lld", tn_dtype_name(dtype), value, (long long)count);
    else
        tn_snprintf(key, sizeof key, "%s_%.*g", tn_dtype_name(dtype), dtype == TN_F64 ? 17 : 9, value);
    unsigned char *all = piece(s, (size_t)count * each);
    for (int64_t i = 0; all && i < count; i++) memcpy(all + (size_t)i * each, bytes, each);
    return all ? constant(s, key, export_type_of(dtype), &count, rank, all, (size_t)count * each) : "";
}

const char *export_number(export_saver *s, int32_t dtype, double value)
{
    return number(s, dtype, value, 1, 0);
}

const char *export_repeated(export_saver *s, int32_t dtype, double value, int64_t count)
{
    return number(s, dtype, value, count, 1);
}

static size_t bytes_of(const tn_tensor *x)
{
    return (size_t)tn_shape_count(&x->type.shape) * tn_dtype_size(x->type.dtype);
}

const char *export_tensor(export_saver *s, const char *name, int32_t dtype, const int64_t dim[], size_t rank,
                          void *data, size_t bytes)
{
    return add_tensor(s, unique(s, &s->names, name), export_type_of(dtype), dim, rank, data, bytes);
}

const char *export_data(export_saver *s, const tn_tensor *x, const char *name, const void *data)
{
    return export_tensor(s, name, x->type.dtype, x->type.shape.dim, (size_t)x->type.shape.rank, (void *)(uintptr_t)data,
                         bytes_of(x));
}

/* That the state has it as the graph does is seen now; it is read when the file is written. */
static tn_status check_variable(export_saver *s, const tn_tensor *x)
{
    tn_state_entry entry;
    TN_REQUIRE(tn_state_find(s->state, x->name, &entry), TN_EMISSING, "no tensor '%s' in the state", x->name);
    TN_REQUIRE(entry.dtype == x->type.dtype && tn_shape_equal(&entry.shape, &x->type.shape), TN_ESHAPE,
               "tensor '%s' is of another shape or type in the state", x->name);
    return TN_OK;
}

const char *export_initializer(export_saver *s, const tn_tensor *x)
{
    const tn_shape *shape = &x->type.shape;
    if (!s->status) s->status = check_variable(s, x);
    const char *name = s->status ? "" : unique(s, &s->names, x->name);
    export_weight *w = add_weight(s, name, export_type_of(x->type.dtype), shape->dim, (size_t)shape->rank);
    if (!w) return "";
    w->variable = x->name, w->size = tn_dtype_size(x->type.dtype), w->bytes = bytes_of(x);
    return w->proto->name;
}

/* ---- inputs and outputs ---- */

static Onnx__TensorShapeProto__Dimension *dimension(export_saver *s, const tn_tensor *x, int32_t d)
{
    Onnx__TensorShapeProto__Dimension *dim = piece(s, sizeof *dim);
    int64_t each = export_per_sample(s, x, d);
    if (s->status) return NULL;
    onnx__tensor_shape_proto__dimension__init(dim);
    dim->value_case = each ? ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM
                           : ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
    char name[40] = "batch";
    if (each > 1) snprintf(name, sizeof name, "%lld*batch", (long long)each);
    if (each)
        dim->dim_param = text(s, name);
    else
        dim->dim_value = x->type.shape.dim[d];
    return dim;
}

void export_declare(export_saver *s, export_list *where, const tn_tensor *x, const char *name)
{
    Onnx__ValueInfoProto *value = piece(s, sizeof *value);
    Onnx__TypeProto *type = piece(s, sizeof *type);
    Onnx__TypeProto__Tensor *tensor = piece(s, sizeof *tensor);
    Onnx__TensorShapeProto *shape = piece(s, sizeof *shape);
    const size_t rank = (size_t)x->type.shape.rank;
    Onnx__TensorShapeProto__Dimension **dim = piece(s, (rank + 1) * sizeof *dim);
    if (s->status) return;
    onnx__value_info_proto__init(value);
    onnx__type_proto__init(type);
    onnx__type_proto__tensor__init(tensor);
    onnx__tensor_shape_proto__init(shape);
    for (size_t d = 0; d < rank; d++) dim[d] = dimension(s, x, (int32_t)d);
    shape->dim = dim, shape->n_dim = rank;
    tensor->has_elem_type = 1, tensor->elem_type = (int32_t)export_type_of(x->type.dtype), tensor->shape = shape;
    type->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE, type->tensor_type = tensor;
    value->name = text(s, name), value->type = type;
    append(s, where, value);
}
