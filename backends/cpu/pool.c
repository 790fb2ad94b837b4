/* pool.c: maxpool2d and avgpool2d and their gradients: a thread takes some channels of pictures, row by row; the
 * largest of most windows is found in vectors (pool_tile.c). */
#include "prog.h"

#include <math.h>
#include <string.h>

typedef struct pool_kernel {
    tn_kernel kernel;
    int64_t planes, h, w, p, q;
    int64_t window[2], stride[2], pad[2];
    int count_pad, f64;
    int pairs; /* windows of 2 x 2 side by side, all inside */
    void (*plane)(const struct pool_kernel *kernel, const void *a, const void *b, void *out);
    cpu_pool_loop *row;
    int64_t size;                         /* of an element */
    uint64_t a_bytes, b_bytes, out_bytes; /* of a plane */
} pool_kernel;

static int64_t max_of(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Outputs j of a row for which column `at` of the window lies inside: from *begin to before *end. */
static void inside(const pool_kernel *k, int64_t at, int64_t *begin, int64_t *end)
{
    const int64_t first = k->pad[1] - at, step = k->stride[1];
    *begin = first > 0 ? (first + step - 1) / step : 0;
    *end = k->w + first > 0 ? min_of(k->q, (k->w - 1 + first) / step + 1) : 0;
}

/* What an average along dimension d divides by at output i. */
static int64_t count(const pool_kernel *k, int d, int64_t i)
{
    const int64_t size = d ? k->w : k->h, begin = i * k->stride[d] - k->pad[d], end = begin + k->window[d];
    return k->count_pad ? min_of(end, size + k->pad[d]) - begin : max_of(0, min_of(end, size) - max_of(begin, 0));
}

#define WINS(x, best)   (((x) == (best)) | ((x) != (x)) ? 1 : 0)
#define LARGER(x, best) (((x) > (best)) | ((x) != (x))) /* without branches, so that loops go into vector lanes */

#define MAX_POOL(T, SUFFIX, LOWEST)                                                                                    \
    /* Windows of 2 x 2 side by side, all inside: no branches. */                                                      \
    static void max_pairs_##SUFFIX(int64_t n, const T *restrict x0, const T *restrict x1, T *restrict y)               \
    {                                                                                                                  \
        for (int64_t j = 0; j < n; j++) {                                                                              \
            const T b = x0[2 * j + 1], c = x1[2 * j], d = x1[2 * j + 1];                                               \
            T best = x0[2 * j];                                                                                        \
            best = LARGER(b, best) ? b : best;                                                                         \
            best = LARGER(c, best) ? c : best;                                                                         \
            y[j] = LARGER(d, best) ? d : best;                                                                         \
        }                                                                                                              \
    }                                                                                                                  \
    static void max_##SUFFIX(const pool_kernel *k, const void *a, const void *b, void *out)                            \
    {                                                                                                                  \
        (void)b;                                                                                                       \
        for (int64_t i = 0; i < k->p; i++) {                                                                           \
            T *restrict y = (T *)out + i * k->q;                                                                       \
            const T *two = (const T *)a + 2 * i * k->w;                                                                \
            if (k->pairs) {                                                                                            \
                max_pairs_##SUFFIX(k->q, two, two + k->w, y);                                                          \
                continue;                                                                                              \
            }                                                                                                          \
            for (int64_t j = 0; j < k->q; j++) y[j] = LOWEST;                                                          \
            const int64_t top = i * k->stride[0] - k->pad[0];                                                          \
            for (int64_t h = max_of(top, 0); h < min_of(top + k->window[0], k->h); h++)                                \
                for (int64_t s = 0; s < k->window[1]; s++) {                                                           \
                    int64_t j0, j1;                                                                                    \
                    inside(k, s, &j0, &j1);                                                                            \
                    const T *restrict x = (const T *)a + h * k->w + s - k->pad[1];                                     \
                    if (k->stride[1] == 2)                                                                             \
                        for (int64_t j = j0; j < j1; j++) y[j] = LARGER(x[2 * j], y[j]) ? x[2 * j] : y[j];             \
                    else                                                                                               \
                        for (int64_t j = j0; j < j1; j++) {                                                            \
                            const T v = x[j * k->stride[1]];                                                           \
                            y[j] = LARGER(v, y[j]) ? v : y[j];                                                         \
                        }                                                                                              \
                }                                                                                                      \
        }                                                                                                              \
    }

/* Windows that step by 1 or 2 and have some row of the picture in them: row by row, in vectors. */
static int is_quick(const pool_kernel *k)
{
    const int64_t all = (k->q - 1) * k->stride[1] + k->window[1];
    return !k->pairs && k->stride[1] <= 2 && k->pad[0] < k->window[0] && k->h > 0 && k->w > 0 &&
           (k->p - 1) * k->stride[0] - k->pad[0] < k->h && max_of(all, k->pad[1] + k->w) <= 2 * CPU_POOL_LONGEST;
}

static void max_quick(const pool_kernel *k, const void *a, const void *b, void *out)
{
    (void)b;
    for (int64_t i = 0; i < k->p; i++) {
        const int64_t top = i * k->stride[0] - k->pad[0], first = max_of(top, 0);
        const cpu_pool_row row = {k->q,     min_of(top + k->window[0], k->h) - first, k->w, k->window[1], k->stride[1],
                                  k->pad[1]};
        (*k->row)(&row, (const char *)a + first * k->w * k->size, (char *)out + i * k->q * k->size);
    }
}

#define POOL(T, SUFFIX, LOWEST)                                                                                        \
    MAX_POOL(T, SUFFIX, LOWEST)                                                                                        \
    /* The first that is as large as the best, or is the NaN that won, gets dy; numbers stand for truth. */            \
    static void max_grad_pairs_##SUFFIX(int64_t n, const T *restrict x0, const T *restrict x1, const T *restrict dy,   \
                                        T *restrict d0, T *restrict d1)                                                \
    {                                                                                                                  \
        for (int64_t j = 0; j < n; j++) {                                                                              \
            const T a = x0[2 * j], b = x0[2 * j + 1], c = x1[2 * j], d = x1[2 * j + 1], g = dy[j];                     \
            T best = LARGER(b, a) ? b : a;                                                                             \
            best = LARGER(c, best) ? c : best;                                                                         \
            best = LARGER(d, best) ? d : best;                                                                         \
            const T at_a = WINS(a, best), at_b = WINS(b, best), at_c = WINS(c, best);                                  \
            const T not_a = 1 - at_a, not_ab = not_a * (1 - at_b);                                                     \
            d0[2 * j] = at_a != 0 ? g : 0;                                                                             \
            d0[2 * j + 1] = not_a * at_b != 0 ? g : 0;                                                                 \
            d1[2 * j] = not_ab * at_c != 0 ? g : 0;                                                                    \
            d1[2 * j + 1] = not_ab * (1 - at_c) != 0 ? g : 0;                                                          \
        }                                                                                                              \
    }                                                                                                                  \
    /* One output's gradient goes to the first of the largest. */                                                      \
    static void max_grad_one_##SUFFIX(const pool_kernel *k, const T *x, T dy, T *dx, int64_t i, int64_t j)             \
    {                                                                                                                  \
        const int64_t top = i * k->stride[0] - k->pad[0], left = j * k->stride[1] - k->pad[1];                         \
        int64_t best = -1;                                                                                             \
        for (int64_t h = max_of(top, 0); h < min_of(top + k->window[0], k->h); h++)                                    \
            for (int64_t w = max_of(left, 0); w < min_of(left + k->window[1], k->w); w++) {                            \
                const T v = x[h * k->w + w];                                                                           \
                if (best < 0 || v > x[best] || (v != v && x[best] == x[best])) best = h * k->w + w;                    \
            }                                                                                                          \
        if (best >= 0) dx[best] += dy;                                                                                 \
    }                                                                                                                  \
    static void max_grad_##SUFFIX(const pool_kernel *k, const void *a, const void *b, void *out)                       \
    {                                                                                                                  \
        const T *x = a, *dy = b;                                                                                       \
        T *dx = out;                                                                                                   \
        memset(dx, 0, k->out_bytes);                                                                                   \
        for (int64_t i = 0; i < k->p; i++)                                                                             \
            if (k->pairs)                                                                                              \
                max_grad_pairs_##SUFFIX(k->q, x + 2 * i * k->w, x + (2 * i + 1) * k->w, dy + i * k->q,                 \
                                        dx + 2 * i * k->w, dx + (2 * i + 1) * k->w);                                   \
            else                                                                                                       \
                for (int64_t j = 0; j < k->q; j++) max_grad_one_##SUFFIX(k, x, dy[i * k->q + j], dx, i, j);            \
    }                                                                                                                  \
    static void avg_##SUFFIX(const pool_kernel *k, const void *a, const void *b, void *out)                            \
    {                                                                                                                  \
        (void)b;                                                                                                       \
        for (int64_t i = 0; i < k->p; i++) {                                                                           \
            T *restrict y = (T *)out + i * k->q;                                                                       \
            for (int64_t j = 0; j < k->q; j++) y[j] = 0;                                                               \
            const int64_t top = i * k->stride[0] - k->pad[0];                                                          \
            for (int64_t h = max_of(top, 0); h < min_of(top + k->window[0], k->h); h++)                                \
                for (int64_t s = 0; s < k->window[1]; s++) {                                                           \
                    int64_t j0, j1;                                                                                    \
                    inside(k, s, &j0, &j1);                                                                            \
                    const T *restrict x = (const T *)a + h * k->w + s - k->pad[1];                                     \
                    for (int64_t j = j0; j < j1; j++) y[j] += x[j * k->stride[1]];                                     \
                }                                                                                                      \
            const int64_t rows = count(k, 0, i);                                                                       \
            for (int64_t j = 0; j < k->q; j++) y[j] /= (T)max_of(1, rows * count(k, 1, j));                            \
        }                                                                                                              \
    }                                                                                                                  \
    static void avg_grad_##SUFFIX(const pool_kernel *k, const void *a, const void *b, void *out)                       \
    {                                                                                                                  \
        T *dx = out;                                                                                                   \
        (void)b;                                                                                                       \
        memset(dx, 0, k->out_bytes);                                                                                   \
        for (int64_t i = 0; i < k->p; i++)                                                                             \
            for (int64_t j = 0; j < k->q; j++) {                                                                       \
                const T g = ((const T *)a)[i * k->q + j] / (T)max_of(1, count(k, 0, i) * count(k, 1, j));              \
                const int64_t top = i * k->stride[0] - k->pad[0], left = j * k->stride[1] - k->pad[1];                 \
                for (int64_t h = max_of(top, 0); h < min_of(top + k->window[0], k->h); h++)                            \
                    for (int64_t w = max_of(left, 0); w < min_of(left + k->window[1], k->w); w++)                      \
                        dx[h * k->w + w] += g;                                                                         \
            }                                                                                                          \
    }

POOL(float, f32, -INFINITY)
POOL(double, f64, (double)-INFINITY)
MAX_POOL(int32_t, i32, INT32_MIN)

/* ---- prepare and run ---- */

static const struct {
    const char *name;
    void (*f32)(const pool_kernel *kernel, const void *a, const void *b, void *out);
    void (*f64)(const pool_kernel *kernel, const void *a, const void *b, void *out);
    void (*i32)(const pool_kernel *kernel, const void *a, const void *b, void *out);
} kinds[] = {{"maxpool2d", max_f32, max_f64, max_i32},
             {"maxpool2d_grad", max_grad_f32, max_grad_f64, 0},
             {"avgpool2d", avg_f32, avg_f64, 0},
             {"avgpool2d_grad", avg_grad_f32, avg_grad_f64, 0}};

static uint64_t plane_bytes(const tn_tensor_desc *x)
{
    return (uint64_t)(x->dim[2] * x->dim[3]) * tn_dtype_size(x->dtype);
}

static int32_t prepare(tn_context *context, const tn_op_desc *desc, const tn_op_facts *facts, tn_kernel **kernel,
                       tn_msg *msg)
{
    size_t kind = 0;
    (void)context;
    while (strcmp(kinds[kind].name, desc->name)) kind++;
    const tn_pool_attrs *a = desc->attrs;
    const tn_sizes *z = &facts->size;
    const int32_t s = cpu_new_kernel(sizeof(pool_kernel), kernel, msg);
    if (s) return s;
    pool_kernel *k = (pool_kernel *)*kernel;
    k->planes = z->b * z->c;
    k->h = z->h, k->w = z->w, k->p = z->p, k->q = z->q;
    for (int d = 0; d < 2; d++) k->window[d] = a->window[d], k->stride[d] = a->stride[d], k->pad[d] = a->pad[d];
    k->count_pad = a->count_pad != 0;
    k->pairs = a->window[0] == 2 && a->window[1] == 2 && a->stride[0] == 2 && a->stride[1] == 2 && !a->pad[0] &&
               !a->pad[1] && 2 * k->p <= k->h && 2 * k->q <= k->w;
    k->plane = facts->dtype == TN_I32 ? kinds[kind].i32 : facts->dtype == TN_F64 ? kinds[kind].f64 : kinds[kind].f32;
    k->size = (int64_t)tn_dtype_size(facts->dtype);
    if (kind == 0 && facts->dtype != TN_I32 && is_quick(k))
        k->row = *cpu_code->pool[cpu_type_of(facts->dtype)], k->plane = max_quick;
    k->a_bytes = plane_bytes(&desc->in[0]);
    k->b_bytes = desc->n_in > 1 ? plane_bytes(&desc->in[1]) : 0;
    k->out_bytes = plane_bytes(&desc->out[0]);
    return TN_OK;
}

static void run_planes(const tn_kernel *kernel, const cpu_run *run, int64_t begin, int64_t end)
{
    const pool_kernel *k = (const pool_kernel *)kernel;
    const char *b = k->b_bytes ? run->in[1] : NULL;
    for (int64_t i = begin; i < end; i++)
        k->plane(k, run->in[0] + (uint64_t)i * k->a_bytes, b ? b + (uint64_t)i * k->b_bytes : NULL,
                 run->out[0] + (uint64_t)i * k->out_bytes);
}

static void run(const tn_kernel *kernel, const cpu_run *at)
{
    const pool_kernel *k = (const pool_kernel *)kernel;
    const double work = (double)(k->planes * k->p * k->q) * (double)(k->window[0] * k->window[1]);
    cpu_share(kernel, at, work, k->planes, run_planes);
}

const cpu_op cpu_maxpool2d = {"maxpool2d", CPU_NUMBERS, 0, prepare, run, NULL, NULL};
const cpu_op cpu_maxpool2d_grad = {"maxpool2d_grad", CPU_FLOATS, 0, prepare, run, NULL, NULL};
const cpu_op cpu_avgpool2d = {"avgpool2d", CPU_FLOATS, 0, prepare, run, NULL, NULL};
const cpu_op cpu_avgpool2d_grad = {"avgpool2d_grad", CPU_FLOATS, 0, prepare, run, NULL, NULL};
