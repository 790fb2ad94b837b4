/* known.c: what a tensor of the graph is whatever is fed: shapes, and what is computed from shapes and constants. It is
 * what the operators' own references say, in double precision. */
#include "interpret.h"
#include "leaf.h"
#include "rule.h"

static tn_status no_leaf(void *arg, const tn_tensor *x, double *value)
{
    (void)arg, (void)x, (void)value;
    return tn_fail(TN_EINVAL, "it depends on what is fed");
}

/* What decides about shapes is small; what a file may ask for need not be. */
enum { MOST_ELEMENTS = 1 << 24 };

static int is_fed(const tn_tensor *x)
{
    if (tn_shape_count(&x->type.shape) > MOST_ELEMENTS) return 1;
    int is_number = x->op == &tn_op_full || x->op == &tn_op_constant;
    return (x->op->kind == TN_LEAF && !is_number) || x->op == &tn_op_uniform || x->op == &tn_op_normal ||
           x->op == &tn_op_dropout;
}

/* Marks what x is made of in need[], and finds the first that is fed: operands come before results. */
static const tn_tensor *mark(const onnx_build *b, const tn_tensor *x, unsigned char *need)
{
    const tn_tensor *fed = NULL;
    need[x->id] = 1;
    for (uint32_t i = x->id + 1; i-- > 0;) {
        const tn_tensor *y = b->graph->tensor[i];
        if (!need[i] || (i < b->known_capacity && b->known[i])) continue;
        if (is_fed(y)) fed = y;
        for (uint32_t k = 0; k < y->n_in; k++) need[y->in[k]->id] = 1;
    }
    return fed;
}

static tn_status evaluate_one(onnx_build *b, const tn_tensor *y)
{
    const tn_interpretation with = {.leaf = no_leaf};
    tn_region room = {0};
    const double **in = tn_region_alloc(&room, y->n_in * sizeof *in + 1);
    double *value = tn_region_alloc(&b->region, (size_t)tn_shape_count(&y->type.shape) * sizeof *value + 1);
    for (uint32_t i = 0; in && i < y->n_in; i++) in[i] = b->known[y->in[i]->id];
    tn_status s = in && value ? tn_interpret_one(y, &with, in, value) : TN_ENOMEM;
    if (!s) b->known[y->id] = value;
    tn_region_free(&room);
    return s;
}

const double *onnx_evaluate(onnx_build *b, tn_tensor *x, const char **input)
{
    *input = NULL;
    if (b->graph->status || tn_grow(&b->known, &b->known_capacity, b->graph->count, sizeof *b->known)) return NULL;
    if (b->known[x->id]) return b->known[x->id];
    unsigned char *need = tn_alloc(b->graph->count + 1);
    if (!need) return NULL;
    const tn_tensor *fed = mark(b, x, need);
    if (fed) *input = fed->name;
    tn_status s = fed ? TN_EINVAL : TN_OK;
    for (uint32_t i = 0; !s && i <= x->id; i++)
        if (need[i] && !b->known[i]) s = evaluate_one(b, b->graph->tensor[i]);
    tn_free(need);
    return s ? NULL : b->known[x->id];
}
