/* save_rules.c: the table of saved.def: how each operator is said, and what is made of what ONNX lacks. */
#include <string.h>

#include "rows.h"
#include "save.h"

/* ---- attributes ---- */

static const tn_field *field_of(const tn_tensor *y, const char *name)
{
    const tn_field *field = y->op->fields;
    while (strcmp(field->name, name) != 0) field++;
    return field;
}

int64_t export_whole(const tn_tensor *y, const char *field, uint32_t i)
{
    return tn_field_whole(field_of(y, field), y->attrs, i);
}

double export_real(const tn_tensor *y, const char *field)
{
    double value;
    memcpy(&value, (const char *)y->attrs + field_of(y, field)->offset, sizeof value);
    return value;
}

size_t export_axes(uint32_t mask, int64_t axes[TN_MAX_RANK])
{
    size_t count = 0;
    for (int64_t d = 0; d < TN_MAX_RANK; d++)
        if (mask >> d & 1) axes[count++] = d;
    return count;
}

int export_is_number(const export_saver *s, const tn_tensor *x, double *value)
{
    while (x->op->kind == TN_VIEW && x->n_in) x = x->in[0];
    if (x->op != &tn_op_full || export_number_varies(s, x)) return 0;
    *value = ((const tn_full_attrs *)x->attrs)->value;
    return 1;
}

/* ---- rows that are operators of ONNX ---- */

static const char *const *operands(export_saver *s, tn_tensor *const in[], uint32_t n, const char *names[])
{
    for (uint32_t i = 0; i < n; i++) names[i] = export_value(s, in[i]);
    names[n] = NULL;
    return names;
}

typedef struct row row;
static const row *row_of(const export_saver *s, const tn_op_def *op);
static const char *onnx_of(const row *r);

static void say_direct(export_saver *s, tn_tensor *y, tn_tensor *const in[])
{
    const char *names[TN_MAX_OPERANDS + 1];
    export_result(s, y, onnx_of(row_of(s, y->op)), operands(s, in, y->n_in, names), NULL);
}

/* Truth values as 0 and 1 of y's type. */
static void say_truth(export_saver *s, const tn_tensor *y, const char *truth)
{
    export_result(s, y, "Cast", EXPORT_OF(truth), EXPORT_AT(EXPORT_INT("to", export_type_of(y->type.dtype))));
}

static void say_compare(export_saver *s, tn_tensor *y, tn_tensor *const in[])
{
    const char *names[TN_MAX_OPERANDS + 1];
    say_truth(s, y, export_say(s, NULL, onnx_of(row_of(s, y->op)), operands(s, in, y->n_in, names), NULL));
}

static void say_logical(export_saver *s, tn_tensor *y, tn_tensor *const in[], const char *op)
{
    const char *a = export_as(s, export_value(s, in[0]), EXPORT_TYPE_BOOL);
    const char *b = export_as(s, export_value(s, in[1]), EXPORT_TYPE_BOOL);
    say_truth(s, y, export_say(s, NULL, op, EXPORT_OF(a, b), NULL));
}

void export_rule_logical_and(export_saver *s, tn_tensor *y, tn_tensor *const in[])
{
    say_logical(s, y, in, "And");
}

void export_rule_logical_or(export_saver *s, tn_tensor *y, tn_tensor *const in[])
{
    say_logical(s, y, in, "Or");
}

void export_rule_logical_xor(export_saver *s, tn_tensor *y, tn_tensor *const in[])
{
    say_logical(s, y, in, "Xor");
}

static void say_clip(export_saver *s, const tn_tensor *y, const tn_tensor *x, double low, double high)
{
    const int32_t type = y->type.dtype;
    export_result(s, y, "Clip",
                  EXPORT_OF(export_value(s, x), export_number(s, type, low), export_number(s, type, high)), NULL);
}

void export_rule_relu6(export_saver *s, tn_tensor *y, tn_tensor *const in[])
{
    say_clip(s, y, in[0], 0, 6);
}

void export_rule_hard_tanh(export_saver *s, tn_tensor *y, tn_tensor *const in[])
{
    say_clip(s, y, in[0], -1, 1);
}

void export_rule_hard_sigmoid(export_saver *s, tn_tensor *y, tn_tensor *const in[])
{
    export_result(s, y, "HardSigmoid", EXPORT_OF(export_value(s, in[0])),
                  EXPORT_AT(EXPORT_REAL("alpha", 1.0 / 6), EXPORT_REAL("beta", 0.5)));
}

void export_rule_selu(export_saver *s, tn_tensor *y, tn_tensor *const in[])
{
    export_result(s, y, "Selu", EXPORT_OF(export_value(s, in[0])),
                  EXPORT_AT(EXPORT_REAL("alpha", 1.6732632423543772), EXPORT_REAL("gamma", 1.0507009873554805)));
}

/* ---- with a slope, which is an attribute if it is a number ---- */

/* `below` where x is negative, else x. */
static void say_below(export_saver *s, const tn_tensor *y, const tn_tensor *x, const char *below)
{
    const char *zero = export_number(s, x->type.dtype, 0);
    const char *is_below = export_say(s, NULL, "Less", EXPORT_OF(export_value(s, x), zero), NULL);
    export_result(s, y, "Where", EXPORT_OF(is_below, below, export_value(s, x)), NULL);
}

void export_rule_leaky_relu(export_saver *s, tn_tensor *y, tn_tensor *const in[])
{
    const char *x = export_value(s, in[0]), *slope = export_value(s, in[1]);
    double alpha;
    if (export_is_number(s, in[1], &alpha) && tn_shape_equal(&in[0]->type.shape, &y->type.shape))
        export_result(s, y, "LeakyRelu", EXPORT_OF(x), EXPORT_AT(EXPORT_REAL("alpha", alpha)));
    else if (tn_shape_equal(&in[0]->type.shape, &y->type.shape))
        export_result(s, y, "PRelu", EXPORT_OF(x, slope), NULL);
    else
        say_below(s, y, in[0], export_say(s, NULL, "Mul", EXPORT_OF(x, slope), NULL));
}

void export_rule_elu(export_saver *s, tn_tensor *y, tn_tensor *const in[])
{
    const char *x = export_value(s, in[0]);
    double alpha;
    if (export_is_number(s, in[1], &alpha) && tn_shape_equal(&in[0]->type.shape, &y->type.shape)) {
        export_result(s, y, "Elu", EXPORT_OF(x), EXPORT_AT(EXPORT_REAL("alpha", alpha)));
        return;
    }
    const char *one = export_number(s, y->type.dtype, 1), *e = export_say(s, NULL, "Exp", EXPORT_OF(x), NULL);
    const char *less = export_say(s, NULL, "Sub", EXPORT_OF(e, one), NULL);
    say_below(s, y, in[0], export_say(s, NULL, "Mul", EXPORT_OF(less, export_value(s, in[1])), NULL));
}

/* ---- quotients: of whole numbers 0 where the divisor is 0, which others may not meet ---- */

static void say_quotient(export_saver *s, tn_tensor *y, tn_tensor *const in[], const char *op, const export_at at[])
{
    const char *a = export_value(s, in[0]), *b = export_value(s, in[1]);
    double divisor;
    if (y->type.dtype != TN_I32 || (export_is_number(s, in[1], &divisor) && divisor != 0)) {
        export_result(s, y, op, EXPORT_OF(a, b), at);
        return;
    }
    const char *zero = export_number(s, TN_I32, 0), *one = export_number(s, TN_I32, 1);
    const char *none = export_say(s, NULL, "Equal", EXPORT_OF(b, zero), NULL);
    const char *safe = export_say(s, NULL, "Where", EXPORT_OF(none, one, b), NULL);
    const char *quotient = export_say(s, NULL, op, EXPORT_OF(a, safe), at);
    export_result(s, y, "Where", EXPORT_OF(none, zero, quotient), NULL);
}

void export_rule_div(export_saver *s, tn_tensor *y, tn_tensor *const in[])
{
    say_quotient(s, y, in, "Div", NULL);
}

void export_rule_fmod(export_saver *s, tn_tensor *y, tn_tensor *const in[])
{
    say_quotient(s, y, in, "Mod", EXPORT_AT(EXPORT_INT("fmod", 1)));
}

/* ---- rows that are made of others ---- */

#define N(number) tn_number(in[0], number)
#define x         in[0]
#define a         in[0]
#define b         in[1]
#define RULE(ours, rule)
#define DIRECT(ours, onnx)
#define SINCE(ours, onnx, opset)
#define COMPARE(ours, onnx)
#define NONE(ours, why)
#define AS(ours, what)                                                                                                 \
    static tn_tensor *made_##ours(tn_tensor *const in[])                                                               \
    {                                                                                                                  \
        return what;                                                                                                   \
    }
#include "saved.def"
#undef N
#undef x
#undef a
#undef b
#undef RULE
#undef DIRECT
#undef SINCE
#undef COMPARE
#undef NONE
#undef AS

/* ---- the table ---- */

struct row {
    const char *ours, *onnx, *why;
    int64_t since;
    void (*say)(export_saver *s, tn_tensor *y, tn_tensor *const in[]);
    tn_tensor *(*made)(tn_tensor *const in[]);
};

#define RULE(ours, rule)         {#ours, .say = export_rule_##rule},
#define DIRECT(ours, onnx)       {#ours, #onnx, .say = say_direct},
#define SINCE(ours, onnx, opset) {#ours, #onnx, .since = opset, .say = say_direct},
#define COMPARE(ours, onnx)      {#ours, #onnx, .say = say_compare},
#define AS(ours, what)           {#ours, .made = made_##ours},
#define NONE(ours, why)          {#ours, NULL, why},
static const row rows[] = {
#include "saved.def"
};

static const row *row_of(const export_saver *s, const tn_op_def *op)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!strcmp(rows[i].ours, op->name)) return rows[i].since <= s->opset ? &rows[i] : NULL;
    return NULL;
}

static const char *onnx_of(const row *r)
{
    return r->onnx;
}

/* ---- plans ---- */

void export_count(export_saver *s)
{
    const uint32_t count = s->graph->count + 1;
    if (!s->status) s->status = tn_grow(&s->value, &s->value_room, count, sizeof *s->value);
    if (!s->status) s->status = tn_grow(&s->made, &s->made_room, count, sizeof(tn_tensor *));
    if (!s->status) s->status = tn_grow(&s->uses, &s->use_room, count, sizeof *s->uses);
    for (; !s->status && s->counted < s->graph->count; s->counted++) {
        const tn_tensor *y = s->graph->tensor[s->counted];
        for (uint32_t i = 0; i < y->n_in; i++) s->uses[y->in[i]->id]++;
    }
    for (uint32_t i = 0; !s->status && i < s->graph->sinks; i++) s->uses[s->graph->sink[i].value->id] += 2;
}

/* The result of attention, without the logarithms beside it. */
static int is_attended(const tn_tensor *y)
{
    if (y->op != &tn_op_slice || y->in[0]->op != &tn_op_attend || tn_slice_stretch(y)) return 0;
    const tn_tensor *both = y->in[0], *v = both->in[2];
    return tn_shape_count(&y->type.shape) ==
           tn_shape_count(&both->type.shape) / (v->type.shape.dim[3] + 1) * v->type.shape.dim[3];
}

static tn_tensor *make_one(const row *r, tn_tensor *y)
{
    if (is_attended(y)) return y->in[0]->op->lower(y->in[0])->in[0]; /* of what stands side by side the first */
    if (r && r->made) return r->made(y->in);
    return tn_row_of(y->op) ? tn_row_expand(y) : y->op->lower(y);
}

/* What y is made of, in both graphs. */
static void make(export_saver *s, const row *r, tn_tensor *y)
{
    const uint32_t alike = s->other && s->graph->count == s->other->count;
    tn_tensor *made = make_one(r, y), *other = s->other ? make_one(r, s->other->tensor[y->id]) : NULL;
    if (!s->status) s->status = tn_graph_status(s->graph);
    if (!s->status && s->other) s->status = tn_graph_status(s->other);
    if (!s->status && s->other && (!alike || s->graph->count != s->other->count || made->id != other->id))
        export_refuse(s, y, "what it is made of depends on the batch");
    export_count(s);
    if (!s->status) s->made[y->id] = made;
}

static void say_made(export_saver *s, tn_tensor *y, tn_tensor *const in[])
{
    export_is(s, y, export_value(s, in[0]));
}

void export_make_plan(export_saver *s, tn_tensor *y, export_plan *plan)
{
    const row *r = row_of(s, y->op);
    *plan = (export_plan){.n_in = y->n_in, .in = y->in, .say = r ? r->say : NULL};
    if (export_find_pattern(s, y, plan) || (plan->say && !is_attended(y))) return;
    const int has_parts = is_attended(y) || (r && r->made) || (!r && (tn_row_of(y->op) || y->op->lower));
    if (!has_parts) return export_refuse(s, y, r ? r->why : "ONNX has no such operator");
    if (!s->made[y->id]) make(s, r, y);
    plan->own[0] = s->made[y->id];
    plan->in = plan->own;
    plan->n_in = 1;
    plan->say = say_made;
}
