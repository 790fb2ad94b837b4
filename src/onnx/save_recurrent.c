/* save_recurrent.c: recurrent layers, which a graph has unrolled, step by step, as one node of ONNX: RNN, LSTM, GRU.
 *
 * The steps are compared with what recurrent.c builds: each takes its piece of the inputs' product and the state that
 * the one before it left. What differs anywhere (lengths, steps of another kind) stays unrolled. */
#include <stdio.h>
#include <string.h>

#include "rows.h"
#include "save.h"

enum { MOST_GATES = 4 };

/* The state before a step and after it; c is NULL but for LSTM. */
typedef struct step {
    tn_tensor *now; /* what the input gives: (batch, gates units) */
    tn_tensor *h, *c, *h_before, *c_before;
    tn_tensor *weight, *bias; /* of the state; the bias is NULL where it was added to the inputs */
} step;

typedef struct kind {
    const char *op;
    int64_t gates;
    int (*match)(tn_tensor *h, step *s);
    int64_t from[MOST_GATES]; /* ONNX's gate number i is our number from[i] */
} kind;

typedef struct layer {
    const kind *kind;
    tn_tensor *x; /* (steps, batch, features) */
    tn_tensor *weight_x, *weight_h, *bias_x, *bias_h, *h, *c;
    int64_t steps, units;
    int is_reverse;
} layer;

/* ---- pieces ---- */

/* Operand i of x, if that is such an operator; else, and of NULL, NULL. */
static tn_tensor *arg(const tn_tensor *x, const tn_op_def *op, uint32_t i)
{
    return x && x->op == op && i < x->n_in ? x->in[i] : NULL;
}

/* Of which tensor x is number i along the first axis, without that axis; NULL: of none. */
static tn_tensor *whole_of(const tn_tensor *x, int64_t i)
{
    const tn_tensor *slice = arg(x, &tn_op_reshape, 0);
    tn_tensor *whole = arg(slice, &tn_op_slice, 0);
    if (!whole || whole->type.shape.rank != x->type.shape.rank + 1) return NULL;
    const tn_slice_node *at = slice->attrs;
    if (at->start[0] != i || at->shape.dim[0] != 1) return NULL;
    for (int32_t d = 1; d < whole->type.shape.rank; d++)
        if (at->shape.dim[d] != whole->type.shape.dim[d] || x->type.shape.dim[d - 1] != at->shape.dim[d]) return NULL;
    return whole;
}

/* (gates, batch, units) back to (batch, gates units). */
static tn_tensor *together(const tn_tensor *apart)
{
    const tn_tensor *rows = arg(apart, &tn_op_transpose, 0);
    if (!rows || rows->type.shape.rank != 3) return NULL;
    const int32_t *perm = ((const tn_transpose_node *)apart->attrs)->perm;
    tn_tensor *all = arg(rows, &tn_op_reshape, 0);
    const int fits = perm[0] == 1 && perm[1] == 0 && perm[2] == 2 && all && all->type.shape.rank == 2 &&
                     all->type.shape.dim[0] == rows->type.shape.dim[0];
    return fits ? all : NULL;
}

/* Of which gates x is an activation's number i. */
static tn_tensor *gates_of(const tn_tensor *x, const tn_op_def *activation, int64_t i)
{
    return whole_of(arg(x, activation, 0), i);
}

/* a of a b'; NULL: it is not. */
static tn_tensor *factor_of(const tn_tensor *product)
{
    const tn_matmul_node *at = product ? product->attrs : NULL;
    return product && product->op == &tn_op_matmul && at->trans_b && !at->trans_a ? product->in[0] : NULL;
}

static int is_matrix(const tn_tensor *x)
{
    return x && x->op == &tn_op_variable && x->type.shape.rank == 2;
}

/* The same, of a variable b. */
static tn_tensor *state_of(const tn_tensor *product, tn_tensor **weight)
{
    *weight = arg(product, &tn_op_matmul, 1);
    return is_matrix(*weight) ? factor_of(product) : NULL;
}

/* Of which matrix x is part number `first` to `first` + `count` of `parts` equal ones along an axis; NULL: of none. */
static tn_tensor *matrix_of(const tn_tensor *x, uint32_t axis, int64_t first, int64_t count, int64_t parts)
{
    tn_tensor *whole = arg(x, &tn_op_slice, 0);
    if (!whole || whole->type.shape.rank != 2) return NULL;
    const tn_slice_node *at = x->attrs;
    const int64_t *size = whole->type.shape.dim, part = size[axis] / parts;
    const int fits = size[axis] % parts == 0 && at->start[axis] == first * part &&
                     at->shape.dim[axis] == count * part && at->step[axis] == 1 && at->shape.dim[!axis] == size[!axis];
    return fits ? whole : NULL;
}

/* ---- steps ---- */

/* tanh(x + h W') */
static int match_rnn(tn_tensor *h, step *s)
{
    const tn_tensor *sum = arg(h, tn_row_tanh, 0);
    s->now = arg(sum, tn_row_add, 0);
    s->h_before = state_of(arg(sum, tn_row_add, 1), &s->weight);
    return s->now && s->h_before;
}

/* out tanh(forget c + in content) */
static int match_lstm(tn_tensor *h, step *s)
{
    const tn_tensor *out = arg(h, tn_row_mul, 0), *kept, *added;
    s->c = arg(arg(h, tn_row_mul, 1), tn_row_tanh, 0);
    kept = arg(s->c, tn_row_add, 0), added = arg(s->c, tn_row_add, 1);
    const tn_tensor *apart = gates_of(out, tn_row_sigmoid, 3), *sum = together(apart);
    if (!sum || gates_of(arg(kept, tn_row_mul, 0), tn_row_sigmoid, 1) != apart ||
        gates_of(arg(added, tn_row_mul, 0), tn_row_sigmoid, 0) != apart ||
        gates_of(arg(added, tn_row_mul, 1), tn_row_tanh, 2) != apart)
        return 0;
    s->c_before = arg(kept, tn_row_mul, 1);
    s->now = arg(sum, tn_row_add, 0);
    s->h_before = state_of(arg(sum, tn_row_add, 1), &s->weight);
    return s->now && s->h_before && s->c_before;
}

/* Of which tensors x is the sum of number i. */
static int are_gates(const tn_tensor *x, int64_t i, const tn_tensor *of_x, const tn_tensor *of_h)
{
    return x && whole_of(arg(x, tn_row_add, 0), i) == of_x && whole_of(arg(x, tn_row_add, 1), i) == of_h;
}

/* content + update (h - content), content = tanh(x + reset (h W' + b)) */
static int match_gru(tn_tensor *h, step *s)
{
    const tn_tensor *content = arg(h, tn_row_add, 0), *rest = arg(h, tn_row_add, 1);
    const tn_tensor *update = arg(rest, tn_row_mul, 0), *less = arg(rest, tn_row_mul, 1);
    const tn_tensor *sum = arg(content, tn_row_tanh, 0), *part = arg(sum, tn_row_add, 1);
    const tn_tensor *of_x = whole_of(arg(sum, tn_row_add, 0), 2), *of_h = whole_of(arg(part, tn_row_mul, 1), 2);
    const tn_tensor *biased = together(of_h);
    if (!of_x || !biased || arg(less, tn_row_sub, 1) != content ||
        !are_gates(arg(arg(part, tn_row_mul, 0), tn_row_sigmoid, 0), 0, of_x, of_h) ||
        !are_gates(arg(update, tn_row_sigmoid, 0), 1, of_x, of_h))
        return 0;
    s->now = together(of_x);
    s->bias = arg(biased, tn_row_add, 1);
    s->h_before = state_of(arg(biased, tn_row_add, 0), &s->weight);
    return s->now && s->bias && s->h_before && s->h_before == arg(less, tn_row_sub, 0);
}

/* content + update (h - content), content = tanh(x + (reset h) W') */
static int match_gru_before(tn_tensor *h, step *s)
{
    const tn_tensor *content = arg(h, tn_row_add, 0), *rest = arg(h, tn_row_add, 1);
    const tn_tensor *less = arg(rest, tn_row_mul, 1), *sum = arg(content, tn_row_tanh, 0);
    const tn_tensor *update = arg(arg(rest, tn_row_mul, 0), tn_row_sigmoid, 0);
    const tn_tensor *product = arg(sum, tn_row_add, 1), *kept = factor_of(product);
    const tn_tensor *reset = arg(arg(kept, tn_row_mul, 0), tn_row_sigmoid, 0);
    const tn_tensor *of_x = whole_of(arg(sum, tn_row_add, 0), 2);
    const tn_tensor *of_h = matrix_of(arg(reset, tn_row_add, 1), 1, 0, 1, 2);
    s->h_before = factor_of(of_h);
    s->weight = matrix_of(arg(product, &tn_op_matmul, 1), 0, 2, 1, 3);
    s->now = together(of_x);
    return s->now && s->h_before && is_matrix(s->weight) && matrix_of(of_h->in[1], 0, 0, 2, 3) == s->weight &&
           matrix_of(arg(update, tn_row_add, 1), 1, 1, 1, 2) == of_h &&
           whole_of(arg(reset, tn_row_add, 0), 0) == of_x && whole_of(arg(update, tn_row_add, 0), 1) == of_x &&
           arg(kept, tn_row_mul, 1) == s->h_before && arg(less, tn_row_sub, 0) == s->h_before &&
           arg(less, tn_row_sub, 1) == content;
}

static const kind kinds[] = {{"RNN", 1, match_rnn, {0}},
                             {"LSTM", 4, match_lstm, {0, 3, 1, 2}},
                             {"GRU", 3, match_gru, {1, 0, 2}},
                             {"GRU", 3, match_gru_before, {1, 0, 2}}};

/* ---- the layer ---- */

static int is_vector(const tn_tensor *x, int64_t n)
{
    return x && x->op == &tn_op_variable && x->type.shape.rank == 1 && x->type.shape.dim[0] == n;
}

/* x W' + b for all steps at once. */
static int match_inputs(layer *l, const tn_tensor *all)
{
    const tn_tensor *sum = arg(all, &tn_op_reshape, 0), *bias = arg(sum, tn_row_add, 1);
    const tn_tensor *flat = state_of(arg(sum, tn_row_add, 0), &l->weight_x);
    l->x = arg(flat, &tn_op_reshape, 0);
    if (!l->x || l->x->type.shape.rank != 3 || !bias || flat->type.shape.rank != 2) return 0;
    if (!l->bias_h) l->bias_h = arg(bias, tn_row_add, 1), bias = arg(bias, tn_row_add, 0);
    l->bias_x = (tn_tensor *)(uintptr_t)bias;
    const int64_t width = l->kind->gates * l->units;
    const tn_shape *x = &l->x->type.shape, *y = &all->type.shape;
    return is_vector(l->bias_x, width) && is_vector(l->bias_h, width) && y->rank == 3 && y->dim[0] == l->steps &&
           x->dim[0] == l->steps && x->dim[1] == y->dim[1] && l->weight_x->type.shape.dim[0] == width &&
           l->weight_h->type.shape.dim[0] == width;
}

/* The step that made what the layer gives at place t. */
static int step_at(const layer *l, const tn_tensor *y, int64_t t, step *s)
{
    *s = (step){.h = arg(y->in[t], &tn_op_reshape, 0)};
    return s->h && s->h->type.shape.rank == 2 && l->kind->match(s->h, s);
}

/* All steps, from the first that was made. */
static int match_steps(layer *l, const tn_tensor *y)
{
    step before = {0}, s;
    const tn_tensor *all = NULL;
    for (int64_t i = 0; i < l->steps; i++, before = s) {
        const int64_t t = l->is_reverse ? l->steps - 1 - i : i;
        if (!step_at(l, y, t, &s)) return 0;
        const tn_tensor *whole = whole_of(s.now, t);
        if (!i) all = whole, l->weight_h = s.weight, l->bias_h = s.bias, l->h = s.h_before, l->c = s.c_before;
        if (!whole || whole != all || s.weight != l->weight_h || s.bias != l->bias_h) return 0;
        if (i && (s.h_before != before.h || s.c_before != before.c)) return 0;
    }
    return match_inputs(l, all);
}

static int match(layer *l, const tn_tensor *y)
{
    const tn_shape *shape = &y->type.shape;
    if (y->n_in < 2 || shape->rank != 3 || shape->dim[1] != y->n_in || ((const tn_concat_node *)y->attrs)->axis != 1)
        return 0;
    for (size_t k = 0; k < 2 * sizeof kinds / sizeof *kinds; k++) {
        *l = (layer){.kind = &kinds[k / 2], .is_reverse = k % 2, .steps = y->n_in, .units = shape->dim[2]};
        if (match_steps(l, y)) return 1;
    }
    return 0;
}

/* ---- saying it ---- */

/* The variable's gates in ONNX's order, to `out`: `bytes` in all. */
static void reorder(export_saver *s, const layer *l, const tn_tensor *x, char *out, size_t bytes)
{
    char *ours = s->status ? NULL : tn_region_alloc(&s->region, bytes + 1);
    const size_t each = bytes / (size_t)l->kind->gates;
    if (!ours && !s->status) s->status = TN_ENOMEM;
    if (!s->status) s->status = tn_state_read(s->state, x->name, ours, bytes);
    for (int64_t i = 0; !s->status && i < l->kind->gates; i++)
        memcpy(out + (size_t)i * each, ours + (size_t)l->kind->from[i] * each, each);
}

/* Variables of one size behind each other, for one direction. */
static const char *initializer(export_saver *s, const layer *l, tn_tensor *const x[], int count)
{
    const tn_shape *shape = &x[0]->type.shape;
    const int64_t dim[] = {1, count * shape->dim[0], shape->rank > 1 ? shape->dim[1] : 0};
    const size_t bytes = (size_t)tn_shape_count(shape) * sizeof(float);
    char *data = s->status ? NULL : tn_region_alloc(&s->region, (size_t)count * bytes + 1);
    if (!data && !s->status) s->status = TN_ENOMEM;
    for (int i = 0; data && i < count; i++) reorder(s, l, x[i], data + (size_t)i * bytes, bytes);
    return export_tensor(s, x[0]->name, x[0]->type.dtype, dim, (size_t)shape->rank + 1, data, (size_t)count * bytes);
}

static int is_zero(const export_saver *s, const tn_tensor *x)
{
    double value;
    return !x || (export_is_number(s, x, &value) && value == 0);
}

/* A first state for one direction; "": zeros. */
static const char *first(export_saver *s, const tn_tensor *x)
{
    if (is_zero(s, x)) return "";
    return export_say(s, NULL, "Unsqueeze", EXPORT_OF(export_value(s, x), export_int(s, 0)), NULL);
}

static void say_recurrent(export_saver *s, tn_tensor *y, tn_tensor *const in[])
{
    layer l;
    if (!match(&l, y)) return;
    const tn_tensor product = {.in = &l.weight_x, .n_in = 1};
    const char *scope = export_scope(s, &product);
    const char *weight = initializer(s, &l, &l.weight_x, 1), *recurrence = initializer(s, &l, &l.weight_h, 1);
    const char *bias = initializer(s, &l, (tn_tensor *[]){l.bias_x, l.bias_h}, 2);
    const char *h = first(s, l.h), *c = l.c ? first(s, l.c) : NULL;
    const export_at at[] = {EXPORT_INT("hidden_size", l.units),
                            EXPORT_TEXT("direction", l.is_reverse ? "reverse" : "forward"),
                            l.kind->match == match_gru ? (export_at)EXPORT_INT("linear_before_reset", 1)
                                                       : (export_at){0},
                            {0}};
    const char *made =
        export_say(s, scope, l.kind->op, EXPORT_OF(export_value(s, in[0]), weight, recurrence, bias, "", h, c), at);
    made = export_say(s, NULL, "Squeeze", EXPORT_OF(made, export_int(s, 1)), NULL);
    export_result(s, y, "Transpose", EXPORT_OF(made), EXPORT_AT(EXPORT_INTS("perm", ((const int64_t[]){1, 0, 2}), 3)));
}

int export_find_recurrent(export_saver *s, tn_tensor *y, export_plan *plan)
{
    layer l;
    if (!match(&l, y) || y->type.dtype != TN_F32) return 0;
    (void)s;
    *plan = (export_plan){.say = say_recurrent, .own = {l.x}, .n_in = 1};
    if (!is_zero(s, l.h)) plan->own[plan->n_in++] = l.h;
    if (!is_zero(s, l.c)) plan->own[plan->n_in++] = l.c;
    plan->in = plan->own;
    return 1;
}
