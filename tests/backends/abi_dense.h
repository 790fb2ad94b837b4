/* abi_dense.h: checks reduce, matmul, softmax, transpose, gather and window against plain loops. */
#ifndef ABI_DENSE_H
#define ABI_DENSE_H

#include "abi_kit.h"
#include "abi_styles.h"

/* ---- reduce ------------------------------------------------------------------------------------------------------ */

typedef struct fold {
    double value, place, magnitude;
    int64_t n;
} fold;

static void fold_add(fold *f, const char *kind, double x, int64_t place)
{
    int first = f->n++ == 0, by_place = !strncmp(kind, "arg", 3), largest = !strcmp(kind + 3 * by_place, "max");
    f->magnitude += fabs(x);
    if (!strcmp(kind, "sum"))
        f->value += x;
    else if (!strcmp(kind, "prod"))
        f->value = first ? x : f->value * x;
    else if (first || (!isnan(f->value) && (isnan(x) || (largest ? x > f->value : x < f->value)))) {
        f->value = x;
        f->place = (double)place;
    }
}

/* The place along the reduced dimensions, and the place of the output, of element i. */
static void reduce_places(int rank, const int64_t *dim, uint32_t axes, int64_t i, int64_t *inside, int64_t *out)
{
    int64_t n_inside = 1, n_out = 1;
    *inside = *out = 0;
    for (int d = rank - 1; d >= 0; d--) {
        int reduced = (int)(axes >> d & 1);
        *(reduced ? inside : out) += i % dim[d] * (reduced ? n_inside : n_out);
        *(reduced ? &n_inside : &n_out) *= dim[d];
        i /= dim[d];
    }
}

static void reduce_values(int32_t dtype, int plain, int with_nan, double factor)
{
    for (int k = 0; k < T.n_in; k++)
        for (int64_t i = 0; i < T.in[k].count; i++) {
            double x = dtype == TN_I32 ? (double)(random_bits() % 19) - 9 : k ? factor : uniform01() * (i % 3 ? 1 : -1);
            if (plain) x = dtype == TN_I32 ? 1 : 1 + (uniform01() - 0.5) * 0.01;
            if (with_nan && k == 0 && dtype != TN_I32 && random_bits() % 13 == 0) x = NAN;
            if (with_nan && k == 0 && dtype != TN_I32 && random_bits() % 17 == 0) x = INFINITY;
            set(&T.in[k], i, x);
        }
}

static int64_t strided_element(const tn_tensor_desc *d, int64_t i)
{
    int64_t at = 0;
    for (int k = d->rank - 1; k >= 0; i /= d->dim[k--]) at += i % d->dim[k] * d->stride[k];
    return at;
}

/* kind over axes of a * b, where b broadcasts along the dimensions of `mask`. */
static void check_reduce(const char *kind, int32_t dtype, int rank, const int64_t *dim, uint32_t axes, int mask,
                         int with_nan)
{
    start_case("reduce %s %s %saxes %x, broadcast %x, nan %d", kind, dtype_name(dtype), dims_text(rank, dim), axes,
               mask, with_nan);
    add_in(dtype, rank, dim, NULL);
    add_in(dtype, rank, dim, (int[]){mask & 1, mask & 2, mask & 4, mask & 8});
    reduce_values(dtype, !strcmp(kind, "prod"), with_nan, 1);
    int by_place = !strncmp(kind, "arg", 3);
    int64_t kept[4] = {0}, count = 1;
    for (int d = 0; d < rank; d++) kept[d] = axes >> d & 1 ? 1 : dim[d], count *= dim[d];
    operand *o = add_out(by_place ? TN_I32 : dtype, rank, kept);
    fold *f = calloc((size_t)o->count + 1, sizeof *f);
    for (int64_t i = 0; i < count; i++) {
        int64_t inside, out;
        reduce_places(rank, dim, axes, i, &inside, &out);
        double x = get(&T.in[0], i) * get(&T.in[1], strided_element(&T.in[1].desc, i));
        fold_add(&f[out], kind, dtype == TN_F32 ? (double)(float)x : x, inside);
    }
    for (int64_t i = 0; i < o->count; i++) {
        o->want[i] = by_place ? f[i].place : dtype == TN_F32 ? (double)(float)f[i].value : f[i].value;
        if (dtype == TN_I32 && !by_place) o->want[i] = (double)(int32_t)(uint32_t)(int64_t)f[i].value;
        double eps = dtype == TN_F32 ? 0x1p-23 : 0x1p-52, steps = 4 + sqrt((double)f[i].n) / 8;
        if (!strcmp(kind, "sum") && dtype != TN_I32) o->tol[i] = eps * (f[i].magnitude + fabs(f[i].value));
        if (!strcmp(kind, "sum") && dtype == TN_F64) o->tol[i] *= 4 + sqrt((double)f[i].n);
        if (!strcmp(kind, "prod")) o->tol[i] = eps * fabs(f[i].value) * (steps + (double)f[i].n);
    }
    free(f);
    tn_map_instr instr = {.op = "mul", .arg = {0, 1, -1, -1}, .dtype = dtype};
    tn_map_attrs map = {sizeof map, &instr, &(int32_t){2}, 1, 2, 1, 0};
    tn_reduce_attrs attrs = {.size = sizeof attrs, .kind = kind, .map = &map, .rank = (uint32_t)rank, .axes = axes};
    memcpy(attrs.dim, dim, (size_t)rank * sizeof *dim);
    T.desc.name = "reduce", T.desc.attrs = &attrs;
    finish_case();
}

static void check_reduces(void)
{
    static const char *const kind[] = {"sum", "max", "argmax", "min", "argmin", "prod"};
    static const int32_t dtype[] = {TN_F32, TN_I32, TN_F64};
    static const struct {
        int rank;
        int64_t dim[4];
        uint32_t axes;
    } space[] = {{1, {1}, 1},          {1, {17}, 1},         {1, {1000}, 1},        {1, {100003}, 1},
                 {2, {7, 5}, 2},       {2, {7, 5}, 1},       {2, {32, 10}, 1},      {2, {32, 10}, 2},
                 {2, {1, 1}, 3},       {2, {33, 1025}, 2},   {2, {130, 3000}, 1},   {2, {5000, 3}, 1},
                 {2, {3, 5000}, 2},    {3, {3, 40, 7}, 2},   {3, {3, 4, 7}, 5},     {3, {16, 6, 700}, 5},
                 {3, {9, 50, 2}, 2},   {4, {3, 4, 5, 6}, 5}, {4, {3, 4, 5, 6}, 10}, {2, {4, 6}, 0},
                 {3, {2, 2000, 3}, 2}, {3, {5, 1, 300}, 4}};
    for (size_t s = 0; s < sizeof space / sizeof *space; s++)
        for (int k = 0; k < 6; k++)
            for (int t = 0; t < 3; t++) {
                if (t && k == 5 && dtype[t] == TN_I32 && s > 12) continue;
                int mask = (int)(random_bits() % (1u << space[s].rank));
                for (int with_nan = 0; with_nan < (k && k < 5 && t != 1 ? 2 : 1); with_nan++)
                    check_reduce(kind[k], dtype[t], space[s].rank, space[s].dim, space[s].axes, mask, with_nan);
            }
    check_reduce("sum", TN_F32, 1, (int64_t[]){0}, 1, 0, 0);
    check_reduce("sum", TN_F32, 2, (int64_t[]){0, 5}, 1, 0, 0);
    check_reduce("sum", TN_F32, 2, (int64_t[]){5, 0}, 2, 0, 0);
    check_reduce("sum", TN_I32, 2, (int64_t[]){0, 5}, 2, 0, 0);
    check_reduce("sum", TN_F32, 1, (int64_t[]){1 << 20}, 1, 1, 0);
    check_reduce("sum", TN_F32, 2, (int64_t[]){1 << 17, 4}, 1, 3, 0);
}

/* ---- matmul ------------------------------------------------------------------------------------------------------ */

/* epilogue: 0 none, 1 relu(product + row of biases), 2 product times a scalar plus a full operand. */
static void check_matmul(int32_t dtype, const int64_t size[4], int trans, int shared, int epilogue,
                         const struct style *style)
{
    int64_t batch = size[0], m = size[1], n = size[2], k = size[3];
    start_case("matmul %s batch %lld m %lld n %lld k %lld, trans %d, shared %d, epilogue %d, %s", dtype_name(dtype),
               (long long)batch, (long long)m, (long long)n, (long long)k, trans, shared, epilogue, style->name);
    int ta = trans & 1, tb = trans >> 1;
    int64_t a_dim[] = {batch, ta ? k : m, ta ? m : k}, b_dim[] = {batch, tb ? n : k, tb ? k : n},
            y_dim[] = {batch, m, n};
    operand *a = add_in(dtype, 3, a_dim, (int[]){shared & 1, 0, 0});
    operand *b = add_in(dtype, 3, b_dim, (int[]){shared & 2, 0, 0});
    if (epilogue) add_in(dtype, 3, y_dim, epilogue == 1 ? (int[]){1, 1, 0} : (int[]){0, 0, 0});
    int64_t at = 0;
    for (int j = 0; j < T.n_in; j++)
        for (int64_t i = 0; i < T.in[j].count; i++)
            set(&T.in[j], i, j < 2 ? styled(style, j, at++) : 2 * uniform01() - 1);
    operand *y = add_out(dtype, 3, y_dim);
    T.scalar[0].f = 0.75, T.n_scalar = 1;
    double eps = dtype == TN_F32 ? 0x1p-23 : 0x1p-52;
    for (int64_t e = 0; e < y->count; e++) {
        int64_t z = e / (m * n), i = e / n % m, j = e % n;
        double sum = 0, magnitude = 0;
        for (int64_t l = 0; l < k; l++) {
            double p = get(a, z * a->desc.stride[0] + (ta ? l * m + i : i * k + l)) *
                       get(b, z * b->desc.stride[0] + (tb ? j * k + l : l * n + j));
            sum += p, magnitude += fabs(p);
        }
        if (dtype == TN_F32) sum = (double)(float)sum; /* it may be beyond f32's range */
        double c = epilogue ? get(&T.in[2], strided_element(&T.in[2].desc, e)) : 0;
        y->want[e] = epilogue == 1 ? (sum + c < 0 ? 0 : sum + c) : epilogue == 2 ? sum * 0.75 + c : sum;
        /* few terms: the bound that holds for any order (Higham, 2002, section 3.1); many: what chance leaves of it */
        y->tol[e] = eps * (magnitude * (k < 16 ? 0.5 * (double)k + 1 : 1 + 0.25 * sqrt((double)k)) + 2 * fabs(c));
        if (dtype == TN_F32) y->tol[e] = isfinite(sum) ? y->tol[e] + (double)k * 0x1p-149 : 0;
    }
    tn_map_instr relu[] = {{"add", {0, 1, -1, -1}, dtype, 0, 0}, {"relu", {2, -1, -1, -1}, dtype, 0, 0}};
    tn_map_instr axpy[] = {{"scalar", {0, -1, -1, -1}, dtype, 0, 0},
                           {"mul", {0, 2, -1, -1}, dtype, 0, 0},
                           {"add", {3, 1, -1, -1}, dtype, 0, 0}};
    int32_t out = epilogue == 1 ? 3 : 4;
    tn_map_attrs map = {sizeof map, epilogue == 1 ? relu : axpy, &out, epilogue == 1 ? 2 : 3, 2, 1, 1};
    tn_matmul_attrs attrs = {sizeof attrs, epilogue ? &map : NULL, (uint32_t)ta, (uint32_t)tb, 0, 0};
    T.desc.name = "matmul", T.desc.attrs = &attrs;
    finish_case();
}

static void check_matmuls(void)
{
    static const int64_t size[][4] = {{1, 1, 1, 1},    {1, 2, 3, 4},      {1, 7, 5, 13},      {2, 16, 17, 31},
                                      {3, 33, 65, 9},  {1, 32, 100, 784}, {1, 40, 10, 100},   {1, 128, 31, 257},
                                      {1, 1, 300, 70}, {1, 301, 1, 64},   {4, 14, 32, 3},     {1, 100, 32, 300},
                                      {1, 5, 513, 20}, {7, 1, 1, 50},     {1, 3, 4, 0},       {0, 3, 4, 5},
                                      {2, 0, 4, 5},    {2, 3, 0, 5},      {1, 200, 190, 600}, {5, 90, 70, 40}};
    for (size_t s = 0; s < sizeof size / sizeof *size; s++)
        for (int trans = 0; trans < 4; trans++)
            for (int epilogue = 0; epilogue < 3; epilogue++) {
                check_matmul(TN_F32, size[s], trans, (int)(s + (size_t)epilogue) % 4, epilogue, styles);
                if (epilogue != 2) check_matmul(TN_F64, size[s], trans, (int)(s + (size_t)trans) % 4, epilogue, styles);
            }
    for (size_t i = 0; i < N_STYLES; i++)
        for (int trans = 0; trans < 4; trans++) {
            check_matmul(TN_F32, (int64_t[]){1, 130, 150, 200}, trans, 0, trans % 3, &styles[i]);
            check_matmul(TN_F32, (int64_t[]){3, 20, 40, 130}, trans, 1, 0, &styles[i]);
        }
}

/* ---- softmax ----------------------------------------------------------------------------------------------------- */

static void check_softmax(int32_t dtype, int logs, int64_t outer, int64_t n, int64_t inner, int style, int in_place)
{
    start_case("%s %s [%lld, %lld, %lld] style %d, in place %d", logs ? "log_softmax" : "softmax", dtype_name(dtype),
               (long long)outer, (long long)n, (long long)inner, style, in_place);
    static const double size[] = {1, 30, 1000, 0, 1};
    add_in(dtype, 3, (int64_t[]){outer, n, inner}, NULL);
    operand *x = &T.in[0], *y = add_out(dtype, 3, x->desc.dim);
    for (int64_t i = 0; i < x->count; i++) {
        double v = (2 * uniform01() - 1) * size[style];
        if (style == 4 && random_bits() % 9 == 0)
            v = (double[]){-INFINITY, NAN, INFINITY, -INFINITY}[random_bits() % 4];
        set(x, i, v);
    }
    double eps = dtype == TN_F32 ? 0x1p-23 : 0x1p-52;
    for (int64_t r = 0; r < outer * inner && n; r++) {
        int64_t at = r / inner * n * inner + r % inner;
        double top = -INFINITY, sum = 0;
        for (int64_t i = 0; i < n; i++) {
            double v = get(x, at + i * inner);
            top = isnan(v) || v > top ? v : top;
            if (isnan(top)) break;
        }
        for (int64_t i = 0; i < n; i++) sum += exp(get(x, at + i * inner) - top);
        for (int64_t i = 0; i < n; i++) {
            double d = get(x, at + i * inner) - top, want = logs ? d - log(sum) : exp(d) / sum;
            y->want[at + i * inner] = want;
            y->tol[at + i * inner] = eps * (logs ? 4 * (fabs(d) + log(sum) + 1) : (8 + fabs(d)) * want) + FLT_MIN;
            if (dtype == TN_F64) y->tol[at + i * inner] *= 4;
        }
    }
    if (in_place) T.alias[0] = 0;
    T.desc.name = logs ? "log_softmax" : "softmax";
    finish_case();
}

static void check_softmaxes(void)
{
    static const int64_t shape[][3] = {{1, 1, 1},   {32, 10, 1}, {5, 33, 1},   {3, 1000, 1}, {2, 7, 5},
                                       {1, 4, 300}, {0, 3, 1},   {3, 2500, 2}, {500, 11, 1}};
    for (size_t s = 0; s < sizeof shape / sizeof *shape; s++)
        for (int style = 0; style < 5; style++)
            for (int k = 0; k < 8; k++)
                check_softmax(k & 4 ? TN_F64 : TN_F32, k & 1, shape[s][0], shape[s][1], shape[s][2], style, k >> 1 & 1);
}

/* ---- transpose, gather, window ----------------------------------------------------------------------------------- */

static void check_transpose(int32_t dtype, int rank, const int64_t *dim, const int32_t *perm)
{
    start_case("transpose %s %sby %d %d %d %d", dtype_name(dtype), dims_text(rank, dim), perm[0], perm[1], perm[2],
               perm[3]);
    int64_t out_dim[4];
    for (int d = 0; d < rank; d++) out_dim[d] = dim[perm[d]];
    add_in(dtype, rank, dim, NULL);
    add_out(dtype, rank, out_dim);
    for (int64_t i = 0; i < T.in[0].count; i++) set(&T.in[0], i, (double)(dtype == TN_U8 ? i % 251 : i % 2000));
    for (int64_t i = 0; i < T.out[0].count; i++) {
        int64_t at = 0, rest = i;
        for (int d = rank - 1; d >= 0; rest /= out_dim[d--]) at += rest % out_dim[d] * T.in[0].desc.stride[perm[d]];
        T.out[0].want[i] = get(&T.in[0], at);
    }
    tn_transpose_attrs attrs = {.size = sizeof attrs};
    memcpy(attrs.perm, perm, (size_t)rank * sizeof *perm);
    T.desc.name = "transpose", T.desc.attrs = &attrs;
    finish_case();
}

static void check_gather(int32_t dtype, int64_t n, int64_t d, int64_t m)
{
    start_case("gather %s table [%lld, %lld], %lld indices", dtype_name(dtype), (long long)n, (long long)d,
               (long long)m);
    add_in(dtype, 2, (int64_t[]){n, d}, NULL);
    add_in(TN_I32, 1, (int64_t[]){m}, NULL);
    add_out(dtype, 2, (int64_t[]){m, d});
    for (int64_t i = 0; i < n * d; i++) set(&T.in[0], i, (double)(1 + i % 200));
    for (int64_t i = 0; i < m; i++) {
        int64_t at = (int64_t)(random_bits() % (uint64_t)(n + 4)) - 2;
        if (i == 3) at = INT32_MIN;
        if (i == 5) at = INT32_MAX;
        set(&T.in[1], i, (double)at);
        for (int64_t j = 0; j < d; j++) T.out[0].want[i * d + j] = at >= 0 && at < n ? get(&T.in[0], at * d + j) : 0;
    }
    T.desc.name = "gather";
    finish_case();
}

static void check_window(int32_t dtype, int64_t n, int64_t d, int64_t m, int64_t start)
{
    start_case("window %s [%lld, %lld], %lld rows from %lld", dtype_name(dtype), (long long)n, (long long)d,
               (long long)m, (long long)start);
    add_in(dtype, 2, (int64_t[]){n, d}, NULL);
    add_out(dtype, 2, (int64_t[]){m, d});
    for (int64_t i = 0; i < n * d; i++) set(&T.in[0], i, (double)(i % 200));
    int64_t from = start > n - m ? n - m : start;
    if (from < 0) from = 0;
    for (int64_t i = 0; i < m * d; i++) T.out[0].want[i] = get(&T.in[0], from * d + i);
    T.scalar[1].i = start, T.n_scalar = 2;
    tn_window_attrs attrs = {sizeof attrs, 1, 0};
    T.desc.name = "window", T.desc.attrs = &attrs;
    finish_case();
}

static void check_moves(void)
{
    static const int64_t dim[][4] = {{3, 5, 7, 2}, {33, 1, 18, 65}, {4, 0, 2, 3}, {16, 16, 32, 4}};
    for (int s = 0; s < 4; s++)
        for (int p = 0; p < 256; p++) {
            int32_t perm[] = {p & 3, p >> 2 & 3, p >> 4 & 3, p >> 6};
            if ((1 << perm[0] | 1 << perm[1] | 1 << perm[2] | 1 << perm[3]) != 15) continue;
            check_transpose(1 + p % 6, 4, dim[s], perm);
        }
    for (int32_t t = TN_F32; t <= TN_F64; t++) {
        check_transpose(t, 2, (int64_t[]){131, 70, 1, 1}, (int32_t[]){1, 0, 2, 3});
        check_transpose(t, 2, (int64_t[]){1, 70, 1, 1}, (int32_t[]){1, 0, 2, 3});
        check_gather(t, 10, 7, 33), check_gather(t, 1, 1, 8), check_gather(t, 5, 1000, 40), check_gather(t, 5, 3, 0);
        check_window(t, 50, 7, 20, 3), check_window(t, 50, 7, 50, 9), check_window(t, 50, 1, 1, 49);
        check_window(t, 50, 7, 20, -5), check_window(t, 50, 7, 20, 1000), check_window(t, 50, 7, 0, 3);
        check_window(t, 600, 300, 500, INT64_MAX), check_window(t, 50, 7, 20, INT64_MIN);
    }
}

#endif
