/* maker.c: see maker.h. */
#include "maker.h"

#include <math.h>
#include <string.h>

#include "judge.h"
#include "leaf.h"

enum { MOST_ELEMENTS = 3000, WILD = 1000000 };

/* ---- chance ---- */

static uint64_t bits(tn_maker *m)
{
    m->random ^= m->random << 13;
    m->random ^= m->random >> 7;
    m->random ^= m->random << 17;
    return m->random * 0x2545F4914F6CDD1Du >> 11;
}

int64_t tn_below(tn_maker *m, int64_t n)
{
    return n > 0 ? (int64_t)(bits(m) % (uint64_t)n) : 0;
}

int tn_chance(tn_maker *m, int percent)
{
    return tn_below(m, 100) < percent;
}

double tn_some_number(tn_maker *m)
{
    double x = (double)(tn_below(m, 32) - 16) / 8;
    return x < 0 ? x : x + 0.125;
}

int64_t tn_some_size(tn_maker *m)
{
    static const int64_t sizes[] = {1, 1, 1, 2, 2, 3, 3, 4, 5, 6, 7, 8, 9, 16, 17, 33};
    return sizes[tn_below(m, sizeof sizes / sizeof *sizes)];
}

tn_shape tn_some_shape(tn_maker *m, int32_t rank)
{
    tn_shape s = {rank, {0}};
    for (int32_t d = 0; d < rank; d++) s.dim[d] = rank > 4 ? 1 + tn_below(m, 3) : tn_some_size(m);
    for (int32_t d = 0; tn_shape_count(&s) > 600; d = (d + 1) % rank) s.dim[d] = 1 + s.dim[d] / 2;
    if (rank && tn_chance(m, 3)) s.dim[tn_below(m, rank)] = 0;
    return s;
}

int32_t tn_some_rank(tn_maker *m)
{
    static const int32_t ranks[] = {0, 1, 1, 2, 2, 2, 2, 3, 3, 3, 4, 4, 5, 6, 8};
    return ranks[tn_below(m, sizeof ranks / sizeof *ranks)];
}

/* ---- values ---- */

/* A variable's first value is the state's business; here it is some number. */
static tn_status leaf(void *arg, const tn_tensor *x, double *value)
{
    const tn_maker *m = arg;
    if (x->op == &tn_op_scalar)
        *value = ((const tn_scalar_attrs *)x->attrs)->value;
    else
        tn_judge_feed(x, m->seed, 0, value);
    return TN_OK;
}

static tn_status evaluate_one(tn_maker *m, const tn_tensor *y)
{
    const tn_interpretation with = {leaf, NULL, NULL, m, m->seed, 1};
    size_t bytes = (size_t)tn_shape_count(&y->type.shape) * sizeof(double);
    const double **in = tn_region_alloc(&m->region, y->n_in * sizeof *in + 1);
    m->value[y->id] = tn_region_alloc(&m->region, bytes + 1);
    if (!in || !m->value[y->id]) return TN_ENOMEM;
    for (uint32_t i = 0; i < y->n_in; i++) in[i] = m->value[y->in[i]->id];
    return tn_interpret_one(y, &with, in, m->value[y->id]);
}

/* The values of the tensors that are new. */
static tn_status evaluate(tn_maker *m)
{
    TN_TRY(tn_grow(&m->value, &m->room, m->graph->count, sizeof *m->value));
    for (; m->known < m->graph->count; m->known++) TN_TRY(evaluate_one(m, m->graph->tensor[m->known]));
    return TN_OK;
}

static void measure(tn_maker *m, uint32_t number)
{
    const tn_tensor *y = m->made[number];
    double low = INFINITY, high = -INFINITY;
    for (int64_t e = 0; y && e < tn_shape_count(&y->type.shape); e++) {
        double v = m->value[y->id][e];
        if (isnan(v)) low = INFINITY, high = -INFINITY;
        if (isnan(v)) break;
        low = fmin(low, v), high = fmax(high, v);
    }
    m->low[number] = low, m->high[number] = high;
}

/* ---- steps ---- */

tn_call tn_step_of(tn_maker *m, const char *rule)
{
    return (tn_call){.rule = tn_rule_named(rule), .in = {-1, -1, -1}, .label = m->labels++};
}

/* The graph is made again, for an error stays with it. */
static void take_back(tn_maker *m)
{
    m->recipe->count--;
    m->refused++;
    tn_graph_free(m->graph);
    m->graph = tn_recipe_build(m->recipe, m->made);
    tn_region_free(&m->region);
    m->known = 0;
    if (!m->status) m->status = evaluate(m);
}

static int is_too_large(const tn_maker *m, uint32_t first)
{
    int64_t most = 0;
    for (uint32_t i = first; i < m->graph->count; i++)
        if (tn_shape_count(&m->graph->tensor[i]->type.shape) > most)
            most = tn_shape_count(&m->graph->tensor[i]->type.shape);
    return most > MOST_ELEMENTS || m->graph->count > 1500;
}

int32_t tn_add_step(tn_maker *m, const tn_call *step)
{
    uint32_t number = m->recipe->count, before = m->graph->count;
    if (number == TN_MOST_STEPS || m->status) return -1;
    for (int i = 0; i < TN_STEP_OPERANDS; i++)
        if (step->in[i] >= 0 && !m->made[step->in[i]]) return -1;
    m->recipe->step[m->recipe->count++] = *step;
    m->made[number] = tn_step_build(step, m->graph, m->made);
    if (tn_graph_status(m->graph) || is_too_large(m, before)) {
        take_back(m);
        return -1;
    }
    m->status = evaluate(m);
    if (!m->status) measure(m, number);
    return (int32_t)number;
}

int32_t tn_add_leaf(tn_maker *m, int32_t dtype, tn_shape shape)
{
    static const char *const kinds[] = {"input", "input", "input", "param", "param", "variable", "full"};
    const char *kind = dtype == TN_F32 ? kinds[tn_below(m, 7)] : "input";
    tn_call s = tn_step_of(m, kind);
    s.letter = "xxxkp"[tn_below(m, 5)];
    s.dtype = dtype, s.shape = shape, s.f[0] = tn_some_number(m);
    return tn_add_step(m, &s);
}

int32_t tn_add_index(tn_maker *m, tn_shape shape)
{
    tn_call s = tn_step_of(m, "input");
    s.letter = 'i', s.dtype = TN_I32, s.shape = shape;
    return tn_add_step(m, &s);
}

/* ---- operands ---- */

tn_shape tn_made_shape(const tn_maker *m, int32_t number)
{
    return tn_shape_of(m->made[number]);
}

int32_t tn_made_dtype(const tn_maker *m, int32_t number)
{
    return tn_dtype_of(m->made[number]);
}

static int is_real(const tn_maker *m, uint32_t number)
{
    const tn_tensor *x = m->made[number];
    if (!x || tn_is_whole(x->type.dtype)) return 0;
    return tn_shape_count(&x->type.shape) == 0 ||
           (m->low[number] <= m->high[number] && m->high[number] < WILD && m->low[number] > -WILD);
}

/* Of all that fit, the later ones more often. */
static int32_t search(tn_maker *m, int (*fits)(const tn_maker *m, uint32_t number, const void *arg), const void *arg)
{
    int32_t found[TN_MOST_STEPS], count = 0;
    for (uint32_t i = 0; i < m->recipe->count; i++)
        if (fits(m, i, arg)) found[count++] = (int32_t)i;
    if (!count) return -1;
    int64_t a = tn_below(m, count), b = tn_below(m, count);
    return found[a > b ? a : b];
}

static int fits_real(const tn_maker *m, uint32_t number, const void *dtype)
{
    return is_real(m, number) && (!dtype || m->made[number]->type.dtype == *(const int32_t *)dtype);
}

int32_t tn_any_real(tn_maker *m)
{
    const int32_t f32 = TN_F32;
    int32_t found = search(m, fits_real, tn_chance(m, 92) ? &f32 : NULL);
    return found >= 0 ? found : tn_add_leaf(m, TN_F32, tn_some_shape(m, tn_some_rank(m)));
}

static int fits_rank(const tn_maker *m, uint32_t number, const void *rank)
{
    const tn_tensor *x = m->made[number];
    return is_real(m, number) && x->type.dtype == TN_F32 && x->type.shape.rank == *(const int32_t *)rank &&
           tn_shape_count(&x->type.shape);
}

static int fits_any_rank(const tn_maker *m, uint32_t number, const void *arg)
{
    (void)arg;
    const tn_tensor *x = m->made[number];
    return is_real(m, number) && x->type.dtype == TN_F32 && tn_shape_count(&x->type.shape);
}

/* So many dimensions of the same number of elements. */
static tn_shape cut(tn_maker *m, int64_t count, int32_t rank)
{
    tn_shape s = {rank, {0}};
    for (int32_t d = 0; d < rank; d++) {
        int64_t size = 1 + tn_below(m, 6);
        while (count % size) size--;
        s.dim[d] = d == rank - 1 ? count : size;
        count /= s.dim[d];
    }
    return s;
}

int32_t tn_any_full(tn_maker *m, int32_t rank)
{
    int32_t found = tn_chance(m, 70) ? search(m, fits_rank, &rank) : -1, from = -1;
    if (found >= 0) return found;
    if (rank && tn_chance(m, 60)) from = search(m, fits_any_rank, NULL);
    if (from < 0) {
        tn_shape s = tn_some_shape(m, rank);
        for (int32_t d = 0; d < rank; d++) s.dim[d] += !s.dim[d];
        return tn_add_leaf(m, TN_F32, s);
    }
    tn_call s = tn_step_of(m, "as_shape");
    tn_shape shape = tn_made_shape(m, from);
    s.in[0] = from, s.shape = cut(m, tn_shape_count(&shape), rank);
    return tn_add_step(m, &s);
}

static int fits_type(const tn_maker *m, uint32_t number, const void *type)
{
    const tn_type *t = type;
    const tn_tensor *x = m->made[number];
    int whole = tn_is_whole(t->dtype);
    return x && x->type.dtype == t->dtype && tn_shape_equal(&x->type.shape, &t->shape) && (whole || is_real(m, number));
}

int32_t tn_alike(tn_maker *m, int32_t dtype, tn_shape shape)
{
    const tn_type type = {dtype, shape};
    int32_t found = tn_chance(m, 60) ? search(m, fits_type, &type) : -1;
    return found >= 0 ? found : tn_add_leaf(m, dtype, shape);
}

int32_t tn_partner(tn_maker *m, int32_t of)
{
    tn_shape s = tn_made_shape(m, of);
    if (tn_chance(m, 10)) return of;
    if (tn_chance(m, 45)) return tn_alike(m, tn_made_dtype(m, of), s);
    for (int32_t d = 0; d < s.rank; d++)
        if (tn_chance(m, 40)) s.dim[d] = 1;
    int32_t gone = (int32_t)tn_below(m, s.rank + 1);
    if (tn_chance(m, 50)) gone = 0;
    memmove(s.dim, s.dim + gone, (size_t)(s.rank - gone) * sizeof *s.dim);
    s.rank -= gone;
    return tn_alike(m, tn_made_dtype(m, of), s);
}
