/* abi_pictures.h: checks convolutions and poolings against plain loops. */
#ifndef ABI_PICTURES_H
#define ABI_PICTURES_H

#include "abi_kit.h"
#include "abi_styles.h"

/* ---- convolution ------------------------------------------------------------------------------------------------- */

typedef struct conv_case {
    int64_t b, c, h, w, k, r, s, p, q; /* p, q: of the output; 0: what whole windows give; -1: none */
    uint32_t stride[2], pad[2], dilation[2], groups;
} conv_case;

/* What an element of the result is: its sum, and that of the absolute values. */
typedef struct conv_sum {
    double *value, *size;
} conv_sum;

static void add_product(conv_sum sum, int64_t at, double a, double b)
{
    sum.value[at] += a * b;
    sum.size[at] += fabs(a * b);
}

/* The window of one output pixel, element y, of image n and filter k at row i and column j.
 * Which: 0 conv2d of x and weight, 1 conv2d_data of y and weight, 2 conv2d_weight of x and y. */
static void expect_window(const conv_case *z, int which, const operand *a, const operand *b, conv_sum sum,
                          const int64_t at[4], int64_t y)
{
    const int64_t cg = z->c / z->groups, first = at[1] / (z->k / z->groups) * cg;
    for (int64_t c = 0; c < cg; c++)
        for (int64_t r = 0; r < z->r; r++) {
            const int64_t u = at[2] * z->stride[0] - z->pad[0] + r * z->dilation[0];
            if (u < 0 || u >= z->h) continue;
            for (int64_t s = 0; s < z->s; s++) {
                const int64_t v = at[3] * z->stride[1] - z->pad[1] + s * z->dilation[1];
                if (v < 0 || v >= z->w) continue;
                const int64_t x = ((at[0] * z->c + first + c) * z->h + u) * z->w + v;
                const int64_t weight = ((at[1] * cg + c) * z->r + r) * z->s + s;
                if (which == 0) add_product(sum, y, get(a, x), get(b, weight));
                if (which == 1) add_product(sum, x, get(a, y), get(b, weight));
                if (which == 2) add_product(sum, weight, get(a, x), get(b, y));
            }
        }
}

static void conv_expect(const conv_case *z, int which, const operand *a, const operand *b, conv_sum sum)
{
    int64_t y = 0;
    for (int64_t n = 0; n < z->b; n++)
        for (int64_t k = 0; k < z->k; k++)
            for (int64_t i = 0; i < z->p; i++)
                for (int64_t j = 0; j < z->q; j++) expect_window(z, which, a, b, sum, (int64_t[]){n, k, i, j}, y++);
}

static void finish_conv(const conv_case *z, int which, int epilogue, int32_t dtype)
{
    static const char *const name[] = {"conv2d", "conv2d_data", "conv2d_weight"};
    operand *y = &T.out[0];
    double *size = calloc((size_t)y->count + 1, sizeof *size), eps = dtype == TN_F32 ? 0x1p-23 : 0x1p-52;
    const int64_t terms = z->c * z->r * z->s + z->k * z->r * z->s + (which == 2 ? z->b * z->p * z->q : 0);
    conv_expect(z, which, &T.in[0], &T.in[1], (conv_sum){y->want, size});
    for (int64_t e = 0; e < y->count; e++) {
        if (dtype == TN_F32) y->want[e] = (double)(float)y->want[e]; /* it may be beyond f32's range */
        y->tol[e] = eps * (4 + sqrt((double)terms)) * size[e];
        if (dtype == TN_F32) y->tol[e] = isfinite(y->want[e]) ? y->tol[e] + (double)terms * 0x1p-149 : 0;
        if (!epilogue) continue;
        const double v = y->want[e] + get(&T.in[2], epilogue == 1 ? e / (z->p * z->q) % z->k : e);
        y->tol[e] += eps * fabs(v);
        y->want[e] = v > 0 ? v : 0;
    }
    free(size);
    tn_map_instr relu[] = {{"add", {0, 1, -1, -1}, dtype, 0, 0}, {"relu", {2, -1, -1, -1}, dtype, 0, 0}};
    int32_t out = 3;
    tn_map_attrs map = {sizeof map, relu, &out, 2, 2, 1, 0};
    tn_conv_attrs attrs = {.size = sizeof attrs, .epilogue = epilogue ? &map : NULL, .groups = z->groups};
    for (int d = 0; d < 2; d++)
        attrs.stride[d] = z->stride[d], attrs.pad[d] = z->pad[d], attrs.dilation[d] = z->dilation[d];
    T.desc.name = name[which], T.desc.attrs = &attrs;
    finish_case();
}

static void fill_operand(operand *o)
{
    for (int64_t e = 0; e < o->count; e++) set(o, e, 2 * uniform01() - 1);
}

/* epilogue: 1 adds a number for each filter, 2 another picture; then relu. */
static void check_conv(const conv_case *given, int which, int epilogue, int32_t dtype, const struct style *style)
{
    conv_case z = *given;
    int64_t *out[] = {&z.p, &z.q}, in[] = {z.h, z.w}, window[] = {z.r, z.s};
    for (int d = 0; d < 2; d++) {
        if (!*out[d]) *out[d] = (in[d] + 2 * z.pad[d] - z.dilation[d] * (window[d] - 1) - 1) / z.stride[d] + 1;
        if (*out[d] < 0) *out[d] = 0;
    }
    const int64_t x[] = {z.b, z.c, z.h, z.w}, weight[] = {z.k, z.c / z.groups, z.r, z.s}, y[] = {z.b, z.k, z.p, z.q};
    const int64_t *each[] = {x, weight, y};
    static const int order[3][3] = {{0, 1, 2}, {2, 1, 0}, {0, 2, 1}}; /* two inputs, the output */
    start_case("conv %d, epilogue %d, %s x %sweight %sstride %u %u pad %u %u dilation %u %u groups %u, %s", which,
               epilogue, dtype_name(dtype), dims_text(4, x), dims_text(4, weight), z.stride[0], z.stride[1], z.pad[0],
               z.pad[1], z.dilation[0], z.dilation[1], z.groups, style->name);
    int64_t at = 0;
    for (int i = 0; i < 2; i++) {
        operand *o = add_in(dtype, 4, each[order[which][i]], NULL);
        for (int64_t e = 0; e < o->count; e++) set(o, e, styled(style, i, at++));
    }
    if (epilogue) fill_operand(add_in(dtype, 4, y, epilogue == 1 ? (int[]){1, 0, 1, 1} : NULL));
    add_out(dtype, 4, each[order[which][2]]);
    finish_conv(&z, which, epilogue, dtype);
}

static void check_convs(void)
{
    static const conv_case cases[] = {
        {1, 1, 1, 1, 1, 1, 1, 0, 0, {1, 1}, {0, 0}, {1, 1}, 1},
        {2, 3, 9, 8, 5, 3, 3, 0, 0, {1, 1}, {1, 1}, {1, 1}, 1},
        {3, 1, 28, 28, 32, 5, 5, 0, 0, {1, 1}, {0, 0}, {1, 1}, 1},
        {2, 32, 12, 12, 19, 5, 5, 0, 0, {1, 1}, {0, 0}, {1, 1}, 1},
        {2, 17, 7, 7, 33, 1, 1, 0, 0, {1, 1}, {0, 0}, {1, 1}, 1},
        {2, 17, 7, 7, 33, 1, 1, 0, 0, {2, 2}, {0, 0}, {1, 1}, 1},
        {2, 4, 9, 11, 6, 3, 2, 0, 0, {2, 3}, {1, 2}, {1, 1}, 1},
        {2, 4, 9, 11, 6, 3, 2, 0, 0, {1, 1}, {2, 0}, {2, 3}, 1},
        {2, 6, 7, 9, 9, 3, 3, 0, 0, {2, 1}, {1, 1}, {1, 2}, 3},
        {3, 7, 6, 10, 7, 3, 3, 0, 0, {1, 1}, {1, 1}, {1, 1}, 7},
        {3, 5, 9, 34, 5, 3, 3, 0, 0, {2, 2}, {1, 1}, {1, 1}, 5}, /* each channel by itself */
        {2, 4, 11, 10, 4, 4, 3, 3, 2, {3, 4}, {2, 1}, {2, 3}, 4},
        {2, 3, 7, 6, 3, 2, 2, 2, 2, {3, 3}, {0, 0}, {1, 1}, 3},
        {2, 3, 17, 16, 3, 2, 2, 0, 0, {5, 5}, {2, 6}, {1, 1}, 3},
        {1, 2, 3, 4, 2, 2, 2, 0, 0, {2, 3}, {7, 8}, {1, 2}, 2},
        {2, 3, 1, 50, 4, 1, 20, 0, 0, {1, 1}, {0, 3}, {1, 1}, 1},
        {1, 70, 4, 4, 140, 3, 3, 0, 0, {1, 1}, {1, 1}, {1, 1}, 1},
        {2, 2, 5, 5, 3, 2, 2, 5, 4, {1, 1}, {3, 4}, {1, 1}, 1},    /* windows that see nothing of x */
        {2, 2, 6, 6, 3, 3, 2, 4, 5, {2, 1}, {0, 1}, {1, 1}, 1},    /* more zeros at the end than at the beginning */
        {2, 2, 9, 9, 3, 2, 2, 2, 2, {2, 2}, {0, 0}, {1, 1}, 1},    /* rows and columns that no window sees */
        {5, 16, 9, 18, 40, 3, 3, 0, 0, {1, 1}, {1, 0}, {1, 1}, 1}, /* whole groups of 16 channels, or 16 pixels */
        {2, 32, 10, 12, 34, 3, 5, 0, 0, {1, 1}, {1, 1}, {2, 1}, 1},
        {1, 48, 20, 20, 70, 5, 5, 0, 0, {1, 1}, {2, 2}, {1, 1}, 1},
        {3, 64, 6, 32, 96, 3, 3, 0, 0, {1, 1}, {1, 1}, {1, 1}, 2},
        {5, 16, 4, 33, 48, 1, 1, 0, 0, {1, 1}, {0, 0}, {1, 1}, 1},
        {2, 16, 32, 32, 35, 3, 3, 0, 0, {2, 2}, {1, 1}, {1, 1}, 1}, /* the same with steps */
        {3, 32, 9, 17, 16, 3, 3, 0, 0, {2, 1}, {1, 0}, {2, 1}, 1},
        {2, 48, 7, 31, 20, 2, 4, 0, 0, {1, 3}, {1, 2}, {1, 1}, 1},
        {0, 3, 5, 4, 4, 3, 3, 0, 0, {1, 1}, {1, 1}, {1, 1}, 1},
        {2, 0, 5, 4, 4, 3, 3, 0, 0, {1, 1}, {1, 1}, {1, 1}, 1},
        {2, 3, 5, 4, 0, 3, 3, 0, 0, {1, 1}, {1, 1}, {1, 1}, 1},
        {2, 3, 5, 4, 4, 3, 3, -1, 0, {1, 1}, {1, 1}, {1, 1}, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int which = 0; which < 3; which++) {
            check_conv(&cases[i], which, 0, TN_F32, styles);
            if (i % 3 == 1) check_conv(&cases[i], which, 0, TN_F64, styles);
            if (!which) check_conv(&cases[i], which, 1 + (int)i % 2, i % 4 == 3 ? TN_F64 : TN_F32, styles);
        }
    /* No padding: whether that times infinity is NaN is left open. conv2d_data is padded by what the window has beyond.
     */
    static const conv_case some = {5, 32, 9, 18, 48, 3, 3, 0, 0, {1, 1}, {0, 0}, {1, 1}, 1},
                           two = {1, 32, 9, 11, 48, 3, 3, 0, 0, {1, 1}, {0, 0}, {1, 1}, 2},
                           each = {2, 6, 9, 20, 6, 3, 3, 0, 0, {2, 1}, {0, 0}, {1, 1}, 6};
    for (size_t i = 0; i < N_STYLES; i++)
        for (int which = 0; which < 3; which++) {
            if (which == 1 && (styles[i].other >> 23 & 255) == 255) continue;
            check_conv(&some, which, 0, TN_F32, &styles[i]), check_conv(&two, which, 0, TN_F32, &styles[i]);
            check_conv(&each, which, 0, TN_F32, &styles[i]);
        }
}

/* ---- pooling ----------------------------------------------------------------------------------------------------- */

typedef struct pool_case {
    int64_t planes, h, w, p, q;
    uint32_t window[2], stride[2], pad[2], count_pad;
} pool_case;

/* A window: rows and columns of x from `begin` to before `end`, and what an average divides by. */
typedef struct pool_window {
    int64_t begin[2], end[2], count;
} pool_window;

static pool_window pool_window_of(const pool_case *z, int64_t i, int64_t j)
{
    const int64_t place[] = {i, j}, size[] = {z->h, z->w};
    pool_window n = {.count = 1};
    for (int d = 0; d < 2; d++) {
        const int64_t from = place[d] * z->stride[d] - z->pad[d], to = from + z->window[d];
        n.begin[d] = from < 0 ? 0 : from;
        n.end[d] = to > size[d] ? size[d] : to;
        if (n.end[d] < n.begin[d]) n.end[d] = n.begin[d];
        n.count *= z->count_pad ? (to < size[d] + z->pad[d] ? to : size[d] + z->pad[d]) - from : n.end[d] - n.begin[d];
    }
    if (n.count < 1) n.count = 1;
    return n;
}

/* One window of plane number `plane`: `kind` as in check_pool. */
static void pool_expect(const pool_case *z, int kind, int64_t plane, int64_t i, int64_t j)
{
    const pool_window n = pool_window_of(z, i, j);
    const int64_t y = (plane * z->p + i) * z->q + j;
    int64_t best = -1;
    double sum = 0;
    for (int64_t u = n.begin[0]; u < n.end[0]; u++)
        for (int64_t v = n.begin[1]; v < n.end[1]; v++) {
            const int64_t x = (plane * z->h + u) * z->w + v;
            const double at = kind == 3 ? 0 : get(&T.in[0], x);
            sum += at;
            if (kind == 3) T.out[0].want[x] += get(&T.in[0], y) / (double)n.count;
            if (kind < 2 && (best < 0 || at > get(&T.in[0], best) || (isnan(at) && !isnan(get(&T.in[0], best)))))
                best = x;
        }
    if (kind == 0) T.out[0].want[y] = best < 0 ? -INFINITY : get(&T.in[0], best);
    if (kind == 1 && best >= 0) T.out[0].want[best] += get(&T.in[1], y);
    if (kind == 2) T.out[0].want[y] = sum / (double)n.count;
}

/* kind: 0 maxpool2d, 1 its gradient, 2 avgpool2d, 3 its gradient. Values come in few sizes, so that many are alike. */
static void check_pool(const pool_case *z, int kind, int32_t dtype)
{
    static const char *const name[] = {"maxpool2d", "maxpool2d_grad", "avgpool2d", "avgpool2d_grad"};
    const int64_t x[] = {1, z->planes, z->h, z->w}, y[] = {1, z->planes, z->p, z->q};
    start_case("%s %s x %sy %swindow %u %u stride %u %u pad %u %u count %u", name[kind], dtype_name(dtype),
               dims_text(4, x), dims_text(4, y), z->window[0], z->window[1], z->stride[0], z->stride[1], z->pad[0],
               z->pad[1], z->count_pad);
    operand *a = add_in(dtype, 4, kind == 3 ? y : x, NULL);
    for (int64_t e = 0; e < a->count; e++)
        set(a, e, kind < 2 && random_bits() % 29 == 0 ? NAN : (double)((int64_t)(random_bits() % 9) - 4));
    if (kind == 1) fill_operand(add_in(dtype, 4, y, NULL));
    add_out(dtype, 4, kind % 2 ? x : y);
    for (int64_t e = 0; e < z->planes * z->p * z->q; e++)
        pool_expect(z, kind, e / (z->p * z->q), e / z->q % z->p, e % z->q);
    for (int64_t e = 0; kind && e < T.out[0].count; e++) T.out[0].tol[e] = 1e-6 * (4 + fabs(T.out[0].want[e]));
    tn_pool_attrs attrs = {.size = sizeof attrs, .count_pad = z->count_pad};
    for (int d = 0; d < 2; d++)
        attrs.window[d] = z->window[d], attrs.stride[d] = z->stride[d], attrs.pad[d] = z->pad[d];
    T.desc.name = name[kind], T.desc.attrs = &attrs;
    finish_case();
}

static void check_pools(void)
{
    static const pool_case cases[] = {
        {1, 1, 1, 1, 1, {1, 1}, {1, 1}, {0, 0}, 0},   {6, 8, 10, 4, 5, {2, 2}, {2, 2}, {0, 0}, 0},
        {5, 9, 37, 4, 18, {2, 2}, {2, 2}, {0, 0}, 0}, {3, 9, 8, 5, 4, {3, 3}, {2, 2}, {1, 1}, 0},
        {3, 9, 8, 5, 4, {3, 3}, {2, 2}, {1, 1}, 1},   {2, 8, 9, 5, 4, {3, 2}, {2, 3}, {1, 0}, 1},
        {4, 8, 11, 3, 2, {1, 2}, {3, 4}, {0, 0}, 0},  {2, 5, 19, 6, 19, {4, 3}, {1, 1}, {2, 1}, 0},
        {2, 24, 24, 3, 3, {8, 8}, {8, 8}, {0, 0}, 0}, {1, 4, 4, 3, 3, {2, 2}, {3, 3}, {1, 1}, 0},
        {0, 4, 4, 2, 2, {2, 2}, {2, 2}, {0, 0}, 0},   {3, 4, 4, 0, 2, {2, 2}, {2, 2}, {0, 0}, 0},
        {2, 6, 6, 2, 2, {3, 3}, {3, 3}, {0, 0}, 0},   {70, 6, 5, 3, 2, {2, 2}, {2, 2}, {0, 0}, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int kind = 0; kind < 4; kind++) {
            check_pool(&cases[i], kind, TN_F32);
            if (i % 3 == 2) check_pool(&cases[i], kind, TN_F64);
        }
}

static void check_pictures(void)
{
    check_convs();
    check_pools();
}

#endif
