/* sizes.c: faults that only large operations show: work that stops somewhere, numbers of 16 bits, sums in too few
 * digits. */
#include <math.h>

#include "fault.h"

/* ---- work that stops ---- */

enum { ELEMENTS, FIRST, PLANES, SECOND, LAST, PIXELS };

/* How many elements there are to one place, and after how many places begin again (0: never). */
static int64_t step_of(const tn_tensor_desc *y, int by, int64_t *again)
{
    int64_t inner[3] = {1, 1, 1}; /* elements of all, of one of the first dimension, of one of the first two */
    for (int32_t d = 0; d < y->rank; d++)
        for (int k = 0; k < 3 && k <= d; k++) inner[k] *= y->dim[d];
    *again = by == SECOND ? inner[1] : by == PIXELS ? inner[2] : by == LAST ? y->dim[y->rank - 1] : 0;
    return by == FIRST ? inner[1] : by == PLANES || by == SECOND ? inner[2] : 1;
}

static const struct stop {
    const char *fault, *op;
    int by;
    int64_t at; /* nothing is done from there on */
} stops[] = {
    {"map_stops", "map", ELEMENTS, 1 << 20},        {"gather_stops", "gather", FIRST, 65536},
    {"scatter_stops", "scatter_add", FIRST, 65536}, {"take_stops", "take", ELEMENTS, 65536},
    {"put_stops", "put", ELEMENTS, 65536},          {"softmax_stops", "softmax", FIRST, 65536},
    {"row_stops", "softmax", SECOND, 1 << 20},      {"log_softmax_stops", "log_softmax", SECOND, 65536},
    {"topk_stops", "topk", FIRST, 65536},           {"search_stops", "searchsorted", ELEMENTS, 65536},
    {"reduce_stops", "reduce", ELEMENTS, 65536},    {"transpose_stops", "transpose", LAST, 65536},
    {"concat_stops", "concat", ELEMENTS, 131072},   {"pool_stops", "maxpool2d", PLANES, 65535},
    {"pixels_stop", "conv2d", PIXELS, 1024},        {"filters_stop", "conv2d", SECOND, 128},
    {"batches_stop", "matmul", FIRST, 65535},       {"rows_stop", "matmul", SECOND, 65536},
    {"columns_stop", "matmul", LAST, 2048},
};

static void stop_early(const wrapped *w, unsigned char *y)
{
    const int64_t count = tn_desc_count(&w->out), size = (int64_t)tn_dtype_size(w->out.dtype);
    for (const struct stop *s = stops; s < stops + sizeof stops / sizeof *stops; s++) {
        if (strcmp(s->fault, fault_name) || strcmp(s->op, w->name) || !count) continue;
        int64_t again, step = step_of(&w->out, s->by, &again);
        for (int64_t e = 0; e < count; e++)
            if ((again ? e % again : e) / step >= s->at) memset(y + e * size, 0, (size_t)size);
    }
}

/* ---- products and sums ---- */

/* To nearest, with so many digits fewer. */
static float shorter(float x, int digits)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    bits = (bits + (1u << (digits - 1))) & ~((1u << digits) - 1);
    memcpy(&x, &bits, sizeof bits);
    return x;
}

/* A deep product whose sums have so many digits fewer. */
static void sum_short(const wrapped *w, const tn_run *run, int digits)
{
    const int64_t m = w->out.dim[1], n = w->out.dim[2], k = w->in[0].dim[w->matmul.trans_a ? 1 : 2];
    const float *a = (float *)(void *)tn_reference_range(run->in[0], 0);
    const float *b = (float *)(void *)tn_reference_range(run->in[1], 0);
    float *y = (float *)(void *)tn_reference_range(run->out[0], 0);
    if (k <= 960 || w->out.dim[0] != 1 || w->matmul.epilogue) return;
    for (int64_t e = 0; e < m * n; e++) {
        float sum = 0;
        for (int64_t l = 0; l < k; l++)
            sum = shorter(sum + a[w->matmul.trans_a ? l * m + e / n : e / n * k + l] *
                                    b[w->matmul.trans_b ? e % n * k + l : l * n + e % n],
                          digits);
        y[e] = sum;
    }
}

/* The second thread of a product that pays for two does nothing. */
static void lose_part(const wrapped *w, float *y)
{
    const int64_t count = tn_desc_count(&w->out), k = w->in[0].dim[w->matmul.trans_a ? 1 : 2];
    if (2.0 * (double)count * (double)k < 400e3) return;
    for (int64_t i = count / 2; i < count; i++) y[i] = 0;
}

static void spoil_product(const wrapped *w, const tn_run *run)
{
    if (strcmp(w->name, "matmul") || w->out.dtype != TN_F32 || w->out.rank != 3) return;
    if (IS(deep_in_bf16)) sum_short(w, run, 16);
    if (IS(deep_in_f16)) sum_short(w, run, 13);
    if (IS(lost_part)) lose_part(w, (float *)(void *)tn_reference_range(run->out[0], 0));
}

/* A sum of many numbers, one after the other. */
static void sum_in_order(const wrapped *w, const tn_run *run)
{
    const float *x = (float *)(void *)tn_reference_range(run->in[0], 0);
    const int64_t count = tn_desc_count(&w->in[0]);
    float sum = 0;
    for (int64_t i = 0; i < count; i++) sum += x[i];
    if (count > 4096) *(float *)(void *)tn_reference_range(run->out[0], 0) = sum;
}

/* A running sum that begins again with its second piece. */
static void begin_again(const wrapped *w, float *y)
{
    enum { PIECE = 4096 };
    const int64_t n = w->out.dim[1], inner = w->out.dim[2];
    for (int64_t o = 0; o < w->out.dim[0]; o++)
        for (int64_t i = n - 1; i >= PIECE; i--)
            for (int64_t j = 0; j < inner; j++) y[(o * n + i) * inner + j] -= y[(o * n + PIECE - 1) * inner + j];
}

/* ---- all of them ---- */

void fault_spoil_large(const wrapped *w, const tn_run *run)
{
    const int64_t count = tn_desc_count(&w->out);
    unsigned char *y = tn_reference_range(run->out[w->last], 0);
    stop_early(w, y);
    spoil_product(w, run);
    if (IS(sum_in_order) && w->plain_sum && w->out.dtype == TN_F32) sum_in_order(w, run);
    if (IS(begins_again) && !strcmp(w->name, "cumsum") && w->out.dtype == TN_F32) begin_again(w, (float *)(void *)y);
    for (int64_t i = 0; IS(narrow_place) && w->is_place && i < count; i++) ((int32_t *)(void *)y)[i] &= 0xffff;
    for (int64_t i = 1 << 18; IS(narrow_counter) && w->seed >= 0 && w->out.dtype == TN_F32 && i < count; i++)
        ((float *)(void *)y)[i] = ((float *)(void *)y)[i - (1 << 18)];
}

/* ---- other operands ---- */

/* Which operand's whole numbers are taken for 16 bits. */
static const struct narrow {
    const char *fault, *op;
    uint32_t operand;
} narrows[] = {{"narrow_gather", "gather", 1}, {"narrow_scatter", "scatter_add", 0}, {"narrow_take", "take", 1}};

static void narrow_operand(other_run *o, const wrapped *w, uint32_t i)
{
    const int64_t count = tn_desc_count(&w->in[i]);
    const int32_t *from = (int32_t *)(void *)tn_reference_range(o->in[i], 0);
    if (fault_real->buffer_create(NULL, (uint64_t)count * sizeof *from, &o->made, NULL)) return;
    int32_t *to = (int32_t *)(void *)o->made->data;
    for (int64_t e = 0; e < count; e++) to[e] = from[e] < 0 ? from[e] : from[e] & 0xffff;
    o->in[i] = (tn_ref){o->made, 0};
}

static void shorten(other_run *o, int32_t scalar)
{
    if (scalar >= 0 && (uint64_t)scalar < o->run.n_scalar) o->scalar[scalar].i &= 0xffffffff;
}

void fault_begin_other(other_run *o, const wrapped *w, const tn_run *run)
{
    *o = (other_run){.run = *run};
    if (w->n_in) memcpy(o->in, run->in, w->n_in * sizeof *o->in);
    if (run->n_scalar <= TN_MAX_OPERANDS) {
        for (uint64_t i = 0; i < run->n_scalar; i++) o->scalar[i] = run->scalar[i];
        o->run.scalar = o->scalar;
    }
    o->run.in = o->in;
    for (const struct narrow *n = narrows; n < narrows + sizeof narrows / sizeof *narrows; n++)
        if (!strcmp(n->fault, fault_name) && !strcmp(n->op, w->name)) narrow_operand(o, w, n->operand);
    for (uint64_t i = 0; IS(single_scalars) && i < o->run.n_scalar; i++) o->scalar[i].f = (double)(float)o->scalar[i].f;
    if (IS(low_seed)) shorten(o, w->seed);
    if (IS(low_step)) shorten(o, w->step);
}

void fault_end_other(other_run *o)
{
    fault_real->buffer_destroy(o->made);
}
