/* node.c: a node for its rule: operands, attributes, results. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "plain.h"
#include "rule.h"

void onnx_cannot(onnx_node *n, const char *format, ...)
{
    char why[400];
    va_list args;
    if (n->failed) return;
    va_start(args, format);
    tn_vsnprintf(why, sizeof why, format, args);
    va_end(args);
    n->failed = 1;
    onnx_problem(n->build->model, n->proto, why, n->blamed);
}

/* ---- operands ---- */

static onnx_value *value_of(const onnx_node *n, uint32_t i)
{
    return i < n->n_in ? n->in[i] : NULL;
}

tn_tensor *onnx_in(const onnx_node *n, uint32_t i)
{
    onnx_value *value = value_of(n, i);
    return value ? onnx_tensor((onnx_node *)n, value) : NULL;
}

int32_t onnx_type(const onnx_node *n, uint32_t i)
{
    const onnx_value *value = value_of(n, i);
    return value ? value->type : 0;
}

int32_t onnx_rank(const onnx_node *n, uint32_t i)
{
    tn_tensor *x = onnx_in(n, i);
    return x ? tn_shape_of(x).rank : 0;
}

int64_t onnx_dim(const tn_tensor *x, int32_t axis)
{
    tn_shape shape = tn_shape_of(x);
    if (axis < 0) axis += shape.rank;
    return axis >= 0 && axis < shape.rank ? shape.dim[axis] : 1;
}

int32_t onnx_axis(onnx_node *n, int64_t axis, int32_t rank)
{
    if (axis >= -rank && axis < rank) return (int32_t)(axis < 0 ? axis + rank : axis);
    onnx_cannot(n, "axis %lld of a tensor of rank %d", (long long)axis, rank);
    return 0;
}

/* ---- results ---- */

int onnx_wants(const onnx_node *n, uint32_t i)
{
    if (i >= n->n_out || !*n->proto->output[i]) return 0;
    return !i || onnx_uses_in_all(n->build->model, n->proto->output[i]) > 0;
}

tn_tensor *onnx_kept(tn_tensor *x, int32_t type)
{
    int32_t dtype = onnx_kept_type(type);
    return dtype ? tn_cast(x, dtype) : x;
}

void onnx_out_as(onnx_node *n, uint32_t i, tn_tensor *y, int32_t type)
{
    if (i < n->n_out && y && !n->failed) n->out[i] = (onnx_value){.x = onnx_kept(y, type), .type = type};
}

const char *onnx_initializer_name(const onnx_node *n, uint32_t i)
{
    const onnx_value *value = value_of(n, i);
    return value && value->proto ? value->proto->name : NULL;
}

void onnx_out(onnx_node *n, uint32_t i, tn_tensor *y)
{
    onnx_out_as(n, i, y, onnx_type(n, 0));
}

tn_tensor *onnx_wrapped(tn_tensor *x, int32_t type)
{
    double least, most;
    if (!onnx_is_whole(type) || tn_dtype_of(x) != TN_I32) return x;
    onnx_range(type, &least, &most);
    if (most - least > 0x1p31) return x;
    x = tn_remainder(tn_sub(x, tn_number(x, least)), tn_number(x, most - least + 1));
    return tn_add(x, tn_number(x, least));
}

tn_tensor *onnx_constant_ints(onnx_node *n, const int64_t value[], tn_shape shape)
{
    int64_t count = tn_shape_count(&shape);
    int32_t *data = tn_region_alloc(&n->build->region, (size_t)count * sizeof *data + 1);
    if (!data) return NULL;
    for (int64_t i = 0; i < count; i++) {
        const int64_t x = value[i] == INT64_MAX ? INT32_MAX : value[i] == INT64_MIN ? INT32_MIN : value[i];
        if (x > INT32_MAX || x < INT32_MIN) onnx_cannot(n, "the number %lld is beyond i32", (long long)x);
        data[i] = (int32_t)x;
    }
    return tn_constant(n->graph, TN_I32, shape, data);
}

/* ---- attributes ---- */

const onnx_attribute *onnx_attr(const onnx_node *n, const char *name)
{
    for (size_t i = 0; i < n->proto->n_attribute; i++)
        if (!strcmp(n->proto->attribute[i]->name, name)) {
            if (n->read) n->read[i] = 1;
            return n->proto->attribute[i];
        }
    return NULL;
}

void onnx_heeded(const onnx_node *n, const char *name)
{
    (void)onnx_attr(n, name);
}

int64_t onnx_int(const onnx_node *n, const char *name, int64_t otherwise)
{
    const onnx_attribute *at = onnx_attr(n, name);
    return at && at->has_i ? at->i : otherwise;
}

double onnx_float(const onnx_node *n, const char *name, double otherwise)
{
    const onnx_attribute *at = onnx_attr(n, name);
    return at && at->has_f ? (double)at->f : otherwise;
}

double onnx_decimal(const onnx_node *n, const char *name, double otherwise)
{
    char text[32];
    const onnx_attribute *at = onnx_attr(n, name);
    if (!at || !at->has_f) return otherwise;
    for (int digits = 1; digits < 9; digits++) {
        tn_snprintf(text, sizeof text, "%.*g", digits, (double)at->f);
        const double x = tn_strtod(text, NULL);
        if ((float)x == at->f) return x;
    }
    return (double)at->f;
}

int onnx_text_is(const onnx_node *n, const char *name, const char *otherwise, const char *text)
{
    const onnx_attribute *at = onnx_attr(n, name);
    if (!at || !at->has_s) return !strcmp(otherwise, text);
    return at->s.len == strlen(text) && !memcmp(at->s.data, text, at->s.len);
}

int64_t onnx_ints(const onnx_node *n, const char *name, int64_t value[], int64_t capacity)
{
    const onnx_attribute *at = onnx_attr(n, name);
    for (int64_t i = 0; at && i < (int64_t)at->n_ints && i < capacity; i++) value[i] = at->ints[i];
    return at ? (int64_t)at->n_ints : 0;
}

int64_t onnx_floats(const onnx_node *n, const char *name, double value[], int64_t capacity)
{
    const onnx_attribute *at = onnx_attr(n, name);
    for (int64_t i = 0; at && i < (int64_t)at->n_floats && i < capacity; i++) value[i] = (double)at->floats[i];
    return at ? (int64_t)at->n_floats : 0;
}

int64_t onnx_ints_of(onnx_node *n, const char *name, uint32_t i, int64_t value[], int64_t capacity)
{
    if (value_of(n, i)) return onnx_known_ints(n, i, value, capacity);
    return onnx_attr(n, name) ? onnx_ints(n, name, value, capacity) : -1;
}

/* ---- what is known ---- */

/* A weight that is trained is a variable of the graph, but what the file has is known. */
static const double *numbers_of_file(onnx_node *n, const onnx_proto *t)
{
    tn_shape shape;
    int32_t dtype;
    const void *data = NULL;
    unsigned char *role = NULL;
    if (t->name && onnx_initializer(n->build->model, t->name, &role) == t) *role |= ONNX_NUMBERS;
    if (onnx_tensor_data(n->build->model, t, &n->build->region, &shape, &dtype, &data)) return NULL;
    tn_tensor *x = tn_constant_at(n->graph, dtype, shape, data);
    const char *input;
    return onnx_evaluate(n->build, x, &input);
}

static const double *look(onnx_node *n, uint32_t i, const char **input)
{
    onnx_value *value = value_of(n, i);
    *input = NULL;
    if (!value) return NULL;
    if (value->proto) return numbers_of_file(n, value->proto);
    tn_tensor *x = onnx_in(n, i);
    return x ? onnx_evaluate(n->build, x, input) : NULL;
}

int onnx_is_known(onnx_node *n, uint32_t i)
{
    const char *input;
    return value_of(n, i) && look(n, i, &input) != NULL;
}

const double *onnx_known(onnx_node *n, uint32_t i)
{
    const double *value = look(n, i, &n->blamed);
    if (!value && n->blamed)
        onnx_cannot(n, "operand %u ('%s') is to be known when the graph is built, and depends on input '%s'", i,
                    n->proto->input[i], n->blamed);
    else if (!value)
        onnx_cannot(n, "operand %u is to be known when the graph is built", i);
    return value;
}

const double *onnx_known_line(onnx_node *n, uint32_t i, int64_t count)
{
    const double *value = onnx_known(n, i);
    tn_tensor *x = value ? onnx_in(n, i) : NULL;
    tn_shape shape = x ? tn_shape_of(x) : (tn_shape){0};
    if (x && tn_shape_count(&shape) == count) return value;
    onnx_cannot(n, "operand %u is not %lld numbers", i, (long long)count);
    return NULL;
}

/* As a shape or an index would have it: what lies beyond i32 in the file is as it is there. */
int64_t onnx_known_ints(onnx_node *n, uint32_t i, int64_t value[], int64_t capacity)
{
    const onnx_value *of = value_of(n, i);
    int64_t count = of && of->proto ? onnx_tensor_ints(n->build->model, of->proto, value, capacity) : -1;
    if (count >= 0) return count;
    const double *number = onnx_known(n, i);
    tn_tensor *x = number ? onnx_in(n, i) : NULL;
    if (!x) return -1;
    tn_shape shape = tn_shape_of(x);
    count = tn_shape_count(&shape);
    for (int64_t k = 0; k < count && k < capacity; k++) {
        if (!(fabs(number[k]) < 0x1p63)) return onnx_cannot(n, "%g where a whole number is wanted", number[k]), -1;
        value[k] = (int64_t)number[k];
    }
    return count;
}

double onnx_known_number(onnx_node *n, uint32_t i, double otherwise)
{
    if (!value_of(n, i)) return otherwise;
    const double *number = onnx_known_line(n, i, 1);
    return number ? number[0] : otherwise;
}
