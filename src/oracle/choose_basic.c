/* choose_basic.c: operands and numbers for leaves, element-wise operators and changes of shape. */
#include "choose.h"

#include <math.h>
#include <string.h>

/* ---- leaves ---- */

int tn_choose_nothing(tn_maker *m, tn_call *s)
{
    (void)m, (void)s;
    return 1;
}

int tn_choose_real(tn_maker *m, tn_call *s)
{
    s->letter = 'c', s->f[0] = tn_some_number(m);
    return 1;
}

int tn_choose_shape(tn_maker *m, tn_call *s)
{
    s->shape = tn_some_shape(m, tn_some_rank(m));
    return 1;
}

int tn_choose_iota(tn_maker *m, tn_call *s)
{
    s->shape = tn_some_shape(m, 1 + (int32_t)tn_below(m, 4));
    s->p[0] = tn_below(m, s->shape.rank);
    return 1;
}

int tn_choose_arange(tn_maker *m, tn_call *s)
{
    s->f[0] = tn_some_number(m), s->f[1] = tn_some_number(m);
    s->p[0] = 2 + tn_below(m, 9), s->p[1] = 2 + tn_below(m, 6);
    return 1;
}

/* ---- element-wise ---- */

int tn_choose_any_real(tn_maker *m, tn_call *s)
{
    s->in[0] = tn_any_real(m);
    s->f[0] = tn_some_number(m), s->f[1] = tn_some_number(m);
    return 1;
}

/* Whole numbers too. */
int tn_choose_any(tn_maker *m, tn_call *s)
{
    s->in[0] = tn_chance(m, 85) ? tn_any_real(m) : tn_alike(m, TN_I32, tn_some_shape(m, tn_some_rank(m)));
    return 1;
}

/* Rows that are not defined, or grow too fast, outside a range. */
static const struct {
    const char *name;
    double low, high;
} domains[] = {
    {"sqrt", 0.2, 1e6},   {"rsqrt", 0.2, 1e6},  {"reciprocal", 0.2, 1e6}, {"log", 0.2, 1e6},   {"log2", 0.2, 1e6},
    {"log10", 0.2, 1e6},  {"log1p", -0.7, 1e6}, {"acosh", 1.2, 1e6},      {"asin", -0.9, 0.9}, {"acos", -0.9, 0.9},
    {"atanh", -0.9, 0.9}, {"tan", -1.2, 1.2},   {"exp", -8, 8},           {"exp2", -8, 8},     {"expm1", -8, 8},
    {"sinh", -8, 8},      {"cosh", -8, 8},      {"square", -300, 300},
};

/* The operand, or something of it that lies within the range; now and then it is left as it is. */
static int32_t within(tn_maker *m, int32_t x, double low, double high)
{
    int inside = m->low[x] >= low && m->high[x] <= high;
    if (inside || tn_chance(m, 3)) return x;
    tn_call s = tn_step_of(m, high < 1e6 ? "between" : "raise");
    s.in[0] = x;
    s.f[0] = high < 1e6 ? (high - low) / 2 : ceil(low * 8 + 1) / 8;
    s.f[1] = (high + low) / 2;
    return tn_add_step(m, &s);
}

int tn_choose_unary(tn_maker *m, tn_call *s)
{
    const char *name = tn_rule_at(s->rule)->name;
    if (tn_chance(m, 10)) return tn_choose_any(m, s);
    s->in[0] = tn_any_real(m);
    for (size_t i = 0; i < sizeof domains / sizeof *domains; i++)
        if (!strcmp(domains[i].name, name) && s->in[0] >= 0)
            s->in[0] = within(m, s->in[0], domains[i].low, domains[i].high);
    return 1;
}

int tn_choose_binary(tn_maker *m, tn_call *s)
{
    const char *name = tn_rule_at(s->rule)->name;
    int above = !strcmp(name, "div") || !strcmp(name, "fmod") || !strcmp(name, "remainder");
    if (!tn_choose_any(m, s) || s->in[0] < 0) return 0;
    s->in[1] = tn_partner(m, s->in[0]);
    above &= tn_made_dtype(m, s->in[0]) != TN_I32; /* these are defined everywhere */
    if (s->in[1] >= 0 && above) s->in[1] = within(m, s->in[1], 0.2, 1e6);
    if (s->in[1] >= 0 && !strcmp(name, "pow")) {
        s->in[0] = within(m, s->in[0], 0.2, 1e6);
        s->in[1] = within(m, s->in[1], -3, 3);
    }
    if (tn_chance(m, 30)) { /* from the left */
        int32_t first = s->in[0];
        if (!above && strcmp(name, "pow")) s->in[0] = s->in[1], s->in[1] = first;
    }
    return s->in[0] >= 0;
}

int tn_choose_pair(tn_maker *m, tn_call *s)
{
    s->in[0] = tn_any_real(m);
    s->in[1] = s->in[0] < 0 ? -1 : tn_partner(m, s->in[0]);
    return s->in[1] >= 0;
}

int tn_choose_three(tn_maker *m, tn_call *s)
{
    s->in[0] = tn_any_full(m, 1 + (int32_t)tn_below(m, 3));
    if (s->in[0] < 0) return 0;
    for (int i = 1; i < 3; i++) s->in[i] = tn_alike(m, TN_F32, tn_made_shape(m, s->in[0]));
    return 1;
}

int tn_choose_where(tn_maker *m, tn_call *s)
{
    s->in[1] = tn_any_real(m);
    if (s->in[1] < 0) return 0;
    s->in[2] = tn_partner(m, s->in[1]);
    tn_shape shape = tn_made_shape(m, s->in[1]);
    s->in[0] = tn_chance(m, 50) ? tn_alike(m, TN_I32, shape) : tn_partner(m, s->in[1]);
    return s->in[2] >= 0;
}

int tn_choose_mask(tn_maker *m, tn_call *s)
{
    static const int32_t types[] = {TN_I32, TN_U8, TN_F32, TN_I8};
    s->in[0] = tn_any_real(m);
    if (s->in[0] < 0) return 0;
    s->in[1] = tn_alike(m, types[tn_below(m, 4)], tn_made_shape(m, s->in[0]));
    s->f[0] = tn_some_number(m);
    return 1;
}

int tn_choose_glu(tn_maker *m, tn_call *s)
{
    s->in[0] = tn_any_full(m, 1 + (int32_t)tn_below(m, 3));
    for (int32_t d = 0; s->in[0] >= 0 && d < tn_made_shape(m, s->in[0]).rank; d++)
        if (tn_made_shape(m, s->in[0]).dim[s->p[0] = d] % 2 == 0) return 1;
    return 0;
}

int tn_choose_cast(tn_maker *m, tn_call *s)
{
    static const int32_t types[] = {TN_F16, TN_BF16, TN_I32, TN_F64, TN_F32, TN_U8, TN_I8};
    s->dtype = types[tn_below(m, 7)];
    s->in[0] = tn_any_real(m);
    if (s->in[0] >= 0 && s->dtype == TN_F16) s->in[0] = within(m, s->in[0], -1000, 1000);
    if (s->in[0] >= 0 && s->dtype == TN_U8) s->in[0] = within(m, s->in[0], 0, 100);
    if (s->in[0] >= 0 && s->dtype == TN_I8) s->in[0] = within(m, s->in[0], -100, 100);
    return 1;
}

int tn_choose_broadcast(tn_maker *m, tn_call *s)
{
    s->in[0] = tn_any_real(m);
    if (s->in[0] < 0) return 0;
    s->shape = tn_made_shape(m, s->in[0]);
    for (int32_t d = 0; d < s->shape.rank; d++)
        if (s->shape.dim[d] == 1) s->shape.dim[d] = 1 + tn_below(m, 4);
    if (s->shape.rank < TN_MAX_RANK && tn_chance(m, 50)) {
        memmove(s->shape.dim + 1, s->shape.dim, (size_t)s->shape.rank++ * sizeof *s->shape.dim);
        s->shape.dim[0] = 1 + tn_below(m, 3);
    }
    return 1;
}

/* ---- shape ---- */

int tn_choose_reshape(tn_maker *m, tn_call *s)
{
    if (!tn_choose_any(m, s) || s->in[0] < 0) return 0;
    tn_shape from = tn_made_shape(m, s->in[0]);
    int64_t count = tn_shape_count(&from);
    s->shape.rank = (int32_t)tn_below(m, 6);
    for (int32_t d = 0; d < s->shape.rank; d++) {
        int64_t size = 1 + tn_below(m, 8);
        while (count % size) size--;
        s->shape.dim[d] = d == s->shape.rank - 1 ? count : size;
        count /= count ? s->shape.dim[d] : 1;
    }
    if (s->shape.rank && tn_chance(m, 10) && tn_shape_count(&from)) s->shape.dim[tn_below(m, s->shape.rank)] = -1;
    return 1;
}

int tn_choose_permute(tn_maker *m, tn_call *s)
{
    if (!tn_choose_any(m, s) || s->in[0] < 0) return 0;
    s->perms = tn_made_shape(m, s->in[0]).rank;
    for (int32_t d = 0; d < s->perms; d++) s->perm[d] = d;
    for (int32_t d = 0; d < s->perms; d++) {
        int64_t other = tn_below(m, s->perms);
        int32_t was = s->perm[d];
        s->perm[d] = s->perm[other], s->perm[other] = was;
    }
    for (int32_t d = 0; d < s->perms; d++) s->back[s->perm[d]] = d;
    return 1;
}

/* Any tensor with dimensions, and one of its axes, which may be counted from the end. */
int tn_choose_axis(tn_maker *m, tn_call *s)
{
    if (!tn_choose_any(m, s) || s->in[0] < 0) return 0;
    int32_t rank = tn_made_shape(m, s->in[0]).rank;
    if (!rank && (s->in[0] = tn_any_full(m, rank = 2)) < 0) return 0;
    s->p[0] = tn_below(m, rank);
    s->p[1] = tn_below(m, 2), s->p[2] = tn_below(m, 2);
    return 1;
}

static int64_t size_of(const tn_maker *m, const tn_call *s)
{
    return tn_made_shape(m, s->in[0]).dim[s->p[0]];
}

/* p0 axis, p1 start, p2 count, p3 step; p4 and p5: two parts that are the whole. */
int tn_choose_slice(tn_maker *m, tn_call *s)
{
    if (!tn_choose_axis(m, s) || !size_of(m, s)) return 0;
    int64_t n = size_of(m, s), step = 1 + tn_below(m, 3);
    s->p[2] = 1 + tn_below(m, (n - 1) / step + 1);
    s->p[1] = tn_below(m, n - (s->p[2] - 1) * step);
    s->p[3] = step;
    if (tn_chance(m, 40)) s->p[1] += (s->p[2] - 1) * step, s->p[3] = -step;
    if (tn_chance(m, 20)) s->p[1] -= n;
    if (tn_chance(m, 4)) s->p[2] = 0;
    s->p[4] = tn_below(m, n), s->p[5] = n - s->p[4];
    return 1;
}

int tn_choose_pad(tn_maker *m, tn_call *s)
{
    if (!tn_choose_axis(m, s)) return 0;
    int64_t n = size_of(m, s);
    s->p[1] = tn_below(m, n < 4 ? n : 4), s->p[2] = tn_below(m, n < 4 ? n : 4);
    return 1;
}

int tn_choose_concat(tn_maker *m, tn_call *s)
{
    if (!tn_choose_axis(m, s)) return 0;
    tn_shape shape = tn_made_shape(m, s->in[0]);
    if (tn_chance(m, 50)) shape.dim[s->p[0]] = tn_below(m, 4);
    s->in[1] = tn_chance(m, 15) ? s->in[0] : tn_alike(m, tn_made_dtype(m, s->in[0]), shape);
    return 1;
}

int tn_choose_stack(tn_maker *m, tn_call *s)
{
    if (!tn_choose_any(m, s) || s->in[0] < 0) return 0;
    s->in[1] = tn_alike(m, tn_made_dtype(m, s->in[0]), tn_made_shape(m, s->in[0]));
    s->p[0] = tn_below(m, tn_made_shape(m, s->in[0]).rank + 1);
    return 1;
}

/* p1: how often; p2: how far. */
int tn_choose_repeat(tn_maker *m, tn_call *s)
{
    if (!tn_choose_axis(m, s)) return 0;
    s->p[1] = 1 + tn_below(m, 3), s->p[2] = tn_below(m, 9) - 4;
    return 1;
}

int tn_choose_unsqueeze(tn_maker *m, tn_call *s)
{
    if (!tn_choose_any(m, s) || s->in[0] < 0) return 0;
    s->p[0] = tn_below(m, tn_made_shape(m, s->in[0]).rank + 1);
    return 1;
}

int tn_choose_two_axes(tn_maker *m, tn_call *s)
{
    if (!tn_choose_axis(m, s)) return 0;
    s->p[1] = tn_below(m, tn_made_shape(m, s->in[0]).rank);
    return 1;
}

int tn_choose_split(tn_maker *m, tn_call *s)
{
    return tn_choose_axis(m, s) && size_of(m, s) % 2 == 0;
}

int tn_choose_vector(tn_maker *m, tn_call *s)
{
    s->in[0] = tn_any_full(m, 1);
    return 1;
}

int tn_choose_matrix(tn_maker *m, tn_call *s)
{
    s->in[0] = tn_any_full(m, 2 + tn_chance(m, 30));
    s->p[0] = tn_below(m, 5) - 2;
    return 1;
}
