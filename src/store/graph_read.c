/* graph_read.c: tn_graph_load. Nothing is believed: numbers are checked against what is there, attributes by their rows
 * and by the operator's own rule, which must give the type that the file says. */
#include <cjson/cJSON.h>
#include <math.h>
#include <string.h>

#include "check.h"
#include "given.h"
#include "graph.h"
#include "json.h"
#include "leaf.h"
#include "order.h"
#include "read.h"
#include "store.h"

#define MOST_ELEMENTS ((int64_t)1 << 40) /* of a tensor: room for what the operators' rules compute */
#define MOST_OPERANDS (1 << 20)

/* ---- numbers ---- */

/* A whole number from least to most, exactly. */
static tn_status read_whole(const cJSON *item, int64_t least, int64_t most, int64_t *value)
{
    const double x = cJSON_IsNumber(item) ? item->valuedouble : NAN;
    TN_REQUIRE(x == floor(x) && fabs(x) <= (double)TN_MOST_WHOLE, TN_EFORMAT, "a whole number is missing");
    TN_REQUIRE((int64_t)x >= least && (int64_t)x <= most, TN_EFORMAT, "%lld is not within %lld..%lld", (long long)x,
               (long long)least, (long long)most);
    *value = (int64_t)x;
    return TN_OK;
}

static tn_status read_real(const cJSON *item, double *value)
{
    static const struct {
        const char *text;
        double value;
    } other[] = {{"nan", NAN}, {"inf", INFINITY}, {"-inf", -INFINITY}};
    const char *text = cJSON_GetStringValue(item);
    for (size_t i = 0; text && i < sizeof other / sizeof *other; i++)
        if (!strcmp(text, other[i].text)) {
            *value = other[i].value;
            return TN_OK;
        }
    TN_REQUIRE(cJSON_IsNumber(item) && isfinite(item->valuedouble), TN_EFORMAT, "a number is missing");
    *value = item->valuedouble;
    return TN_OK;
}

/* Dimensions from `least` on. */
static tn_status read_shape(const cJSON *item, int64_t least, tn_shape *shape)
{
    const cJSON *size = NULL;
    memset(shape, 0, sizeof *shape);
    TN_REQUIRE(cJSON_IsArray(item), TN_EFORMAT, "a shape is missing");
    cJSON_ArrayForEach(size, item)
    {
        TN_REQUIRE(shape->rank < TN_MAX_RANK, TN_EFORMAT, "a shape of more than %d dimensions", TN_MAX_RANK);
        TN_TRY(read_whole(size, least, MOST_ELEMENTS, &shape->dim[shape->rank++]));
    }
    return TN_OK;
}

static tn_status read_dtype(const cJSON *item, int32_t *dtype)
{
    const char *name = cJSON_GetStringValue(item);
    *dtype = name ? tn_dtype_named(name) : 0;
    TN_REQUIRE(*dtype, TN_EFORMAT, "no element type '%s'", name ? name : "");
    return TN_OK;
}

/* ---- attributes ---- */

static tn_status read_word(const cJSON *item, const tn_field *field, int64_t *value)
{
    const char *word = cJSON_GetStringValue(item);
    TN_REQUIRE(word, TN_EFORMAT, "a word is missing");
    for (*value = 0; field->words[*value]; ++*value)
        if (!strcmp(field->words[*value], word)) return TN_OK;
    return tn_fail(TN_EUNSUPPORTED, "'%s' is not known", word);
}

static tn_status read_integer(const cJSON *item, const tn_field *field, int64_t *value)
{
    int32_t dtype = 0;
    if (field->holds == TN_HOLDS_WORD) return read_word(item, field, value);
    if (field->holds == TN_HOLDS_DTYPE) {
        TN_TRY(read_dtype(item, &dtype));
        *value = dtype;
        return TN_OK;
    }
    const int64_t least[] = {[TN_FIELD_I32] = INT32_MIN, [TN_FIELD_U32] = 0, [TN_FIELD_I64] = -TN_MOST_WHOLE};
    const int64_t most[] = {[TN_FIELD_I32] = INT32_MAX, [TN_FIELD_U32] = UINT32_MAX, [TN_FIELD_I64] = TN_MOST_WHOLE};
    return read_whole(item, least[field->type], most[field->type], value);
}

static tn_status read_element(const cJSON *item, const tn_field *field, unsigned char *to)
{
    int64_t whole = 0;
    if (field->type == TN_FIELD_F64) return read_real(item, (double *)(void *)to);
    TN_TRY(read_integer(item, field, &whole));
    if (field->type == TN_FIELD_I64)
        *(int64_t *)(void *)to = whole;
    else
        *(uint32_t *)(void *)to = (uint32_t)whole;
    return TN_OK;
}

static tn_status read_field(const cJSON *item, const tn_field *field, unsigned char *attrs)
{
    uint32_t i = 0;
    const cJSON *element = NULL;
    unsigned char *to = attrs + field->offset;
    if (field->holds == TN_HOLDS_DATA) return TN_OK; /* by read_data, when its type is known */
    if (field->holds == TN_HOLDS_SHAPE) return read_shape(item, -1, (tn_shape *)(void *)to);
    if (field->count == 1) return read_element(item, field, to);
    TN_REQUIRE(cJSON_IsArray(item), TN_EFORMAT, "a list is missing");
    cJSON_ArrayForEach(element, item)
    {
        TN_REQUIRE(i < field->count, TN_EFORMAT, "more than %u numbers", field->count);
        TN_TRY(read_element(element, field, to + i++ * (field->bytes / field->count)));
    }
    return TN_OK;
}

static const tn_field *field_named(const tn_op_def *op, const char *name)
{
    const tn_field *field = op->fields;
    while (field && field->name && (field->holds == TN_HOLDS_NOTHING || strcmp(field->name, name))) field++;
    return field && field->name ? field : NULL;
}

static tn_status read_attrs(const cJSON *object, const tn_op_def *op, unsigned char *attrs)
{
    const cJSON *item = NULL;
    TN_REQUIRE(!object || cJSON_IsObject(object), TN_EFORMAT, "its attrs are no object");
    cJSON_ArrayForEach(item, object)
    {
        const tn_field *field = field_named(op, item->string);
        TN_REQUIRE(field, TN_EUNSUPPORTED, "%s has no '%s'", op->name, item->string);
        tn_status s = read_field(item, field, attrs);
        if (s) return tn_fail(s, "%s: %s: %s", op->name, field->name, tn_message());
    }
    return TN_OK;
}

/* ---- members of objects ---- */

/* The members that an object has, each once; no others are allowed. */
typedef struct members {
    const char *const *names; /* NULL after the last */
    const cJSON *item[8];
} members;

static tn_status read_members(const cJSON *object, members *m)
{
    const cJSON *item = NULL;
    TN_REQUIRE(cJSON_IsObject(object), TN_EFORMAT, "an object is missing");
    cJSON_ArrayForEach(item, object)
    {
        size_t i = 0;
        while (m->names[i] && strcmp(m->names[i], item->string)) i++;
        TN_REQUIRE(m->names[i], TN_EUNSUPPORTED, "'%s' is not known", item->string);
        TN_REQUIRE(!m->item[i], TN_EFORMAT, "'%s' is there twice", item->string);
        m->item[i] = item;
    }
    return TN_OK;
}

/* ---- tensors ---- */

enum { ID, OP, NAME, IN, DTYPE, SHAPE, ATTRS };
static const char *const tensor_members[] = {"id", "op", "name", "in", "dtype", "shape", "attrs", NULL};

/* One being read. */
typedef struct reading {
    const tn_op_def *op;
    const char *name;
    tn_tensor **in;
    uint32_t n_in;
    tn_type type;
    void *attrs;
} reading;

static tn_status read_op(const cJSON *item, reading *r)
{
    const char *name = cJSON_GetStringValue(item);
    TN_REQUIRE(name, TN_EFORMAT, "its op is missing");
    r->op = tn_op_named(name);
    TN_REQUIRE(r->op && (r->op->shape || r->op->kind == TN_LEAF), TN_EUNSUPPORTED, "no operator '%s'", name);
    return TN_OK;
}

static tn_status read_operands(tn_graph *graph, const cJSON *list, tn_region *room, reading *r)
{
    const cJSON *item = NULL;
    const int n = cJSON_GetArraySize(list);
    int64_t id = 0;
    const int is_launched = r->op->kind == TN_KERNEL || r->op->kind == TN_MAP;
    TN_REQUIRE(!is_launched || n <= TN_MAX_OPERANDS, TN_EUNSUPPORTED, "%s of %d operands", r->op->name, n);
    TN_REQUIRE((!list || cJSON_IsArray(list)) && (r->op->arity < 0 ? n > 0 && n <= MOST_OPERANDS : n == r->op->arity),
               TN_EFORMAT, "%s of %d operands", r->op->name, n);
    r->in = tn_region_alloc(room, (size_t)n * sizeof *r->in);
    if (!r->in) return TN_ENOMEM;
    cJSON_ArrayForEach(item, list)
    {
        tn_status s = read_whole(item, 0, (int64_t)graph->count - 1, &id);
        if (s) return tn_fail(s, "%s: operand %u: %s", r->op->name, r->n_in, tn_message());
        r->in[r->n_in++] = graph->tensor[id];
    }
    return TN_OK;
}

static tn_status read_type(const members *m, reading *r)
{
    TN_TRY(read_dtype(m->item[DTYPE], &r->type.dtype));
    TN_TRY(read_shape(m->item[SHAPE], 0, &r->type.shape));
    int64_t count = 1;
    for (int32_t d = 0; d < r->type.shape.rank; d++) {
        count *= r->type.shape.dim[d] ? r->type.shape.dim[d] : 1;
        TN_REQUIRE(count <= MOST_ELEMENTS, TN_EFORMAT, "too many elements");
    }
    return TN_OK;
}

static int digit_of(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The bytes of a constant. */
static tn_status read_data(const cJSON *attrs, tn_region *room, reading *r)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(attrs, "data"));
    const uint64_t bytes = (uint64_t)tn_shape_count(&r->type.shape) * tn_dtype_size(r->type.dtype);
    TN_REQUIRE(text && strlen(text) == 2 * bytes, TN_EFORMAT, "constant: its data is not %llu bytes",
               (unsigned long long)bytes);
    unsigned char *data = tn_region_alloc(room, bytes + 1);
    if (!data) return TN_ENOMEM;
    for (uint64_t i = 0; i < bytes; i++) {
        int high = digit_of(text[2 * i]), low = digit_of(text[2 * i + 1]);
        TN_REQUIRE(high >= 0 && low >= 0, TN_EFORMAT, "constant: its data is no hexadecimal number");
        data[i] = (unsigned char)(high << 4 | low);
    }
    tn_bytes_as_in_file(data, tn_dtype_size(r->type.dtype), (uint64_t)tn_shape_count(&r->type.shape));
    *(tn_constant_attrs *)r->attrs = (tn_constant_attrs){.data = data, .dtype = r->type.dtype};
    return TN_OK;
}

static tn_status read_all(tn_graph *graph, const cJSON *object, tn_region *room, reading *r)
{
    int64_t id = 0;
    members m = {tensor_members, {0}};
    TN_TRY(read_members(object, &m));
    if (m.item[ID]) TN_TRY(read_whole(m.item[ID], graph->count, graph->count, &id));
    TN_TRY(read_op(m.item[OP], r));
    TN_TRY(read_operands(graph, m.item[IN], room, r));
    TN_TRY(read_type(&m, r));
    r->name = cJSON_GetStringValue(m.item[NAME]);
    TN_REQUIRE(!m.item[NAME] || r->name, TN_EFORMAT, "its name is no text");
    r->attrs = tn_region_alloc(room, r->op->attrs_size + 1);
    if (!r->attrs) return TN_ENOMEM;
    TN_TRY(read_attrs(m.item[ATTRS], r->op, r->attrs));
    if (r->op == &tn_op_constant) TN_TRY(read_data(m.item[ATTRS], room, r));
    return tn_fields_check(r->op->fields, r->op->name, r->attrs, r->n_in ? r->in[0]->type.shape.rank : 0);
}

/* What no shape rule looks at. */
static tn_status check_variable(const tn_graph *graph, const tn_variable_attrs *at)
{
    TN_REQUIRE(at->optimizer <= graph->optimizers, TN_EFORMAT, "variable: optimizer %u of %u", at->optimizer,
               graph->optimizers);
    TN_REQUIRE(!(at->flags & ~(TN_TRAINABLE | TN_TRANSIENT | TN_PACKS_ALONE)), TN_EUNSUPPORTED, "variable: flags %#x",
               at->flags);
    return TN_OK;
}

static tn_tensor *build(tn_graph *graph, const reading *r)
{
    if (r->op->kind != TN_LEAF) return tn_node(r->op, graph, r->in, r->n_in, r->attrs);
    if (r->op == &tn_op_full)
        return tn_full(graph, r->type.dtype, r->type.shape, ((const tn_full_attrs *)r->attrs)->value);
    if (r->op == &tn_op_constant)
        return tn_constant(graph, r->type.dtype, r->type.shape, ((const tn_constant_attrs *)r->attrs)->data);
    return tn_named_leaf(graph, r->op, r->name, r->type, r->attrs);
}

/* It was made anew, under its number, of the type that the file says. */
static tn_status check_result(const tn_graph *graph, const tn_tensor *x, uint32_t id, const tn_type *want)
{
    char have[160], said[160];
    TN_TRY(tn_graph_status(graph));
    TN_REQUIRE(x->id == id && graph->count == id + 1, TN_EFORMAT, "%s '%s' is there twice", x->op->name,
               x->name ? x->name : "");
    TN_REQUIRE(x->type.dtype == want->dtype && tn_shape_equal(&x->type.shape, &want->shape), TN_EFORMAT,
               "%s gives %s %s, not %s %s", x->op->name, tn_dtype_name(x->type.dtype),
               tn_shape_text(&x->type.shape, have, sizeof have), tn_dtype_name(want->dtype),
               tn_shape_text(&want->shape, said, sizeof said));
    return TN_OK;
}

static tn_status read_tensor(tn_graph *graph, const cJSON *object, tn_region *room)
{
    reading r = {0};
    const uint32_t id = graph->count;
    TN_TRY(read_all(graph, object, room, &r));
    const int takes_name = r.op->kind == TN_LEAF && r.op != &tn_op_full && r.op != &tn_op_constant;
    TN_REQUIRE(takes_name == (r.name != NULL), TN_EFORMAT, "%s: %s", r.op->name,
               takes_name ? "its name is missing" : "has no name");
    if (r.op == &tn_op_variable) TN_TRY(check_variable(graph, r.attrs));
    TN_REQUIRE(r.op != &tn_op_scalar || !r.type.shape.rank, TN_EFORMAT, "scalar '%s' has dimensions", r.name);
    return check_result(graph, build(graph, &r), id, &r.type);
}

static tn_status read_tensors(tn_graph *graph, const cJSON *list)
{
    const cJSON *item = NULL;
    TN_REQUIRE(cJSON_IsArray(list), TN_EFORMAT, "its tensors are missing");
    cJSON_ArrayForEach(item, list)
    {
        tn_region room = {0};
        const uint32_t id = graph->count;
        tn_status s = read_tensor(graph, item, &room);
        tn_region_free(&room);
        if (s) return tn_fail(s, "tensor %u: %s", id, tn_message());
    }
    return TN_OK;
}

/* ---- what it ends in ---- */

static tn_status read_place(const tn_graph *graph, const cJSON *item, tn_tensor **x)
{
    int64_t id = 0;
    TN_TRY(read_whole(item, 0, (int64_t)graph->count - 1, &id));
    *x = graph->tensor[id];
    return TN_OK;
}

static tn_status read_sink(tn_graph *graph, const cJSON *object)
{
    enum { OUTPUT, VARIABLE, VALUE };
    static const char *const names[] = {"output", "variable", "value", NULL};
    members m = {names, {0}};
    tn_tensor *value = NULL, *variable = NULL;
    TN_TRY(read_members(object, &m));
    TN_TRY(read_place(graph, m.item[VALUE], &value));
    if (m.item[VARIABLE]) TN_TRY(read_place(graph, m.item[VARIABLE], &variable));
    TN_REQUIRE(!m.item[OUTPUT] != !variable, TN_EFORMAT, "neither an output nor an assignment");
    TN_REQUIRE(variable || cJSON_IsString(m.item[OUTPUT]), TN_EFORMAT, "its name is no text");
    TN_REQUIRE(!variable || variable->op == &tn_op_variable, TN_EFORMAT, "a %s is no variable", variable->op->name);
    if (variable)
        tn_assign(variable, value);
    else
        tn_output(value, m.item[OUTPUT]->valuestring);
    return tn_graph_status(graph);
}

static tn_status read_sinks(tn_graph *graph, const cJSON *list)
{
    const cJSON *item = NULL;
    uint32_t number = 0;
    TN_REQUIRE(cJSON_IsArray(list), TN_EFORMAT, "its sinks are missing");
    cJSON_ArrayForEach(item, list)
    {
        tn_status s = read_sink(graph, item);
        if (s) return tn_fail(s, "sink %u: %s", number, tn_message());
        number++;
    }
    return TN_OK;
}

/* ---- the file ---- */

static tn_status read_graph(tn_graph *graph, const cJSON *root)
{
    enum { VERSION, TENSORS, SINKS, FIRST };
    static const char *const names[] = {"tenon_graph", "tensors", "sinks",
#define X(field, most) #field,
                                        TN_GRAPH_NUMBERS(X)
#undef X
                                            NULL};
    members m = {names, {0}};
    const cJSON *version = cJSON_GetObjectItemCaseSensitive(root, names[VERSION]);
    int64_t number = 0, which = FIRST;
    TN_REQUIRE(cJSON_IsNumber(version), TN_EFORMAT, "it is no saved graph: it has no '%s'", names[VERSION]);
    TN_REQUIRE(version->valuedouble == TN_GRAPH_FILE, TN_EUNSUPPORTED,
               "it is of version %g, and this library reads version %d", version->valuedouble, TN_GRAPH_FILE);
    TN_TRY(read_members(root, &m));
#define X(field, most)                                                                                                 \
    if (m.item[which]) TN_TRY(read_whole(m.item[which], 0, most, &number));                                            \
    graph->field = m.item[which++] ? (uint32_t)number : 0;
    TN_GRAPH_NUMBERS(X)
#undef X
    TN_TRY(read_tensors(graph, m.item[TENSORS]));
    return read_sinks(graph, m.item[SINKS]);
}

tn_status tn_graph_load(const char *path, tn_graph **graph)
{
    TN_GIVEN(path, graph);
    char *text = NULL;
    uint64_t bytes = 0;
    cJSON *root = NULL;
    tn_graph *made = tn_graph_new();
    tn_status s = made ? tn_read_whole(path, &text, &bytes) : TN_ENOMEM;
    if (!s && bytes > TN_MOST_GRAPH) s = tn_fail(TN_EFORMAT, "%s: is too large for a saved graph", path);
    if (!s) s = tn_json_parse(path, &(tn_json_kind){"saved graph", "it", 0}, text, bytes, &root);
    tn_free(text);
    if (!s && (s = read_graph(made, root))) s = tn_fail(s, "%s: %s", path, tn_message());
    cJSON_Delete(root);
    if (s)
        tn_graph_free(made);
    else
        *graph = made;
    return s;
}
