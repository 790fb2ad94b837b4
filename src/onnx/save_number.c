/* save_number.c: numbers that are part of the network, and those of them that depend on the number of samples: the
 * same along what the batch stretches, and each a multiple of the number of samples, or a share of it. What is neither
 * is refused, since two graphs do not tell how it goes on. */
#include <math.h>
#include <string.h>

#include "save.h"

int export_number_varies(const export_saver *s, const tn_tensor *x)
{
    const tn_tensor *y = export_other(s, x);
    if (x == y) return 0;
    if (x->op == &tn_op_full)
        return memcmp(&((const tn_full_attrs *)x->attrs)->value, &((const tn_full_attrs *)y->attrs)->value, 8) != 0;
    if (x->op != &tn_op_constant) return 0;
    const size_t bytes = (size_t)tn_shape_count(&x->type.shape) * tn_dtype_size(x->type.dtype);
    const tn_constant_attrs *a = x->attrs, *b = y->attrs;
    return !tn_shape_equal(&x->type.shape, &y->type.shape) || (bytes && memcmp(a->data, b->data, bytes) != 0);
}

/* ---- reading ---- */

#define READER(dtype, type)                                                                                            \
    static double read_##dtype(const void *data, int64_t i)                                                            \
    {                                                                                                                  \
        type x;                                                                                                        \
        memcpy(&x, (const char *)data + (size_t)i * sizeof x, sizeof x);                                               \
        return (double)x;                                                                                              \
    }
READER(f32, float)
READER(f64, double)
READER(i32, int32_t)
READER(u8, uint8_t)
READER(i8, int8_t)

/* Of other types NaN, which is equal to none. */
static double element(const tn_tensor *x, int64_t i)
{
    static const struct {
        int32_t dtype;
        double (*read)(const void *data, int64_t i);
    } readers[] = {{TN_F32, read_f32}, {TN_F64, read_f64}, {TN_I32, read_i32}, {TN_U8, read_u8}, {TN_I8, read_i8}};
    for (size_t k = 0; k < sizeof readers / sizeof *readers; k++)
        if (readers[k].dtype == x->type.dtype) return readers[k].read(((const tn_constant_attrs *)x->attrs)->data, i);
    return (double)NAN;
}

static double *room(export_saver *s, int64_t count)
{
    double *all = s->status ? NULL : tn_region_alloc(&s->region, (size_t)count * sizeof *all + 1);
    if (!all && !s->status) s->status = TN_ENOMEM;
    return all;
}

/* Where element i of x is in the tensor whose dimensions `dim` are those of x, or 1. */
static int64_t place(const tn_tensor *x, const int64_t dim[], int64_t i)
{
    int64_t at = 0, stride = 1;
    for (int32_t d = x->type.shape.rank - 1; d >= 0; d--) {
        const int64_t size = x->type.shape.dim[d];
        at += dim[d] == 1 ? 0 : i % size * stride;
        stride *= dim[d];
        i /= size;
    }
    return at;
}

/* x's numbers in those dimensions; NULL: along the others they are not the same. */
static double *narrowed(export_saver *s, const tn_tensor *x, const int64_t dim[], int64_t count)
{
    double *all = room(s, count);
    for (int64_t i = 0; all && i < count; i++) all[i] = (double)NAN;
    for (int64_t i = 0; all && i < tn_shape_count(&x->type.shape); i++) {
        double *to = &all[place(x, dim, i)];
        if (isnan(*to)) *to = element(x, i);
        if (*to != element(x, i)) return NULL;
    }
    return all;
}

/* ---- writing: fixed + times batch + share / batch ---- */

typedef struct parts {
    double *fixed, *times, *share;
    int some_times, some_share;
} parts;

static int alike(double a, double b)
{
    return fabs(a - b) <= 2e-7 * fabs(a); /* f32 rounded both */
}

static int split(const export_saver *s, parts *p, int64_t i, double a, double b)
{
    const double m = (double)s->batch[0], n = (double)s->batch[1];
    p->fixed[i] = p->times[i] = p->share[i] = 0;
    if (a == b)
        p->fixed[i] = a;
    else if (alike(a * n, b * m))
        p->times[i] = a / m, p->some_times = 1;
    else if (alike(a * m, b * n))
        p->share[i] = a * m, p->some_share = 1;
    else
        return 0;
    return 1;
}

static const char *doubles(export_saver *s, const int64_t dim[], int32_t rank, int64_t count, double *all)
{
    return export_tensor(s, "number", TN_F64, dim, (size_t)rank, all, (size_t)count * sizeof *all);
}

static const char *add(export_saver *s, const char *sum, const char *op, const char *number, const char *batch)
{
    return export_say(s, NULL, "Add", EXPORT_OF(sum, export_say(s, NULL, op, EXPORT_OF(number, batch), NULL)), NULL);
}

/* Numbers a of x where they are b for the other batch. */
static const char *say(export_saver *s, const tn_tensor *x, const int64_t dim[], int32_t rank, int64_t count,
                       const double a[], const double b[])
{
    parts p = {room(s, count), room(s, count), room(s, count), 0, 0};
    for (int64_t i = 0; !s->status && i < count; i++)
        if (!split(s, &p, i, a[i], b[i]))
            export_refuse(s, x, "its numbers depend on the batch, and are neither multiples nor shares of it");
    if (s->status) return "";
    const char *batch = export_say(s, NULL, "Squeeze", EXPORT_OF(export_batch(s)), NULL);
    batch = export_as(s, batch, export_type_of(TN_F64));
    const char *sum = doubles(s, dim, rank, count, p.fixed);
    if (p.some_times) sum = add(s, sum, "Mul", doubles(s, dim, rank, count, p.times), batch);
    if (p.some_share) sum = add(s, sum, "Div", doubles(s, dim, rank, count, p.share), batch);
    return export_as(s, sum, export_type_of(x->type.dtype));
}

const char *export_number_of(export_saver *s, const tn_tensor *full)
{
    const double value = ((const tn_full_attrs *)full->attrs)->value;
    if (!export_number_varies(s, full)) return export_number(s, full->type.dtype, value);
    return say(s, full, NULL, 0, 1, &value, &((const tn_full_attrs *)export_other(s, full)->attrs)->value);
}

const char *export_varying(export_saver *s, const tn_tensor *x)
{
    const tn_tensor *y = export_other(s, x);
    const int32_t rank = x->type.shape.rank;
    int64_t dim[TN_MAX_RANK], count = 1;
    int stretched = 0;
    for (int32_t d = 0; d < rank; d++) {
        const int depends = export_per_sample(s, x, d) != 0;
        dim[d] = depends ? 1 : x->type.shape.dim[d];
        count *= dim[d];
        stretched |= depends;
    }
    const double *a = narrowed(s, x, dim, count), *b = narrowed(s, y, dim, count);
    if (!s->status && (!a || !b)) export_refuse(s, x, "its numbers are not the same for each sample of the batch");
    if (s->status) return "";
    const char *all = say(s, x, dim, rank, count, a, b);
    return stretched ? export_say(s, NULL, "Expand", EXPORT_OF(all, export_shape(s, x, 0)), NULL) : all;
}
