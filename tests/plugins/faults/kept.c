/* kept.c: faults of what a backend keeps from one run, or one operation, to the next, and of operands that lie where it
 * did not think of. */
#include <float.h>
#include <math.h>
#include <unistd.h>

#include "fault.h"

/* ---- operations taken for others ---- */

/* Which bytes of the attributes a fault overlooks when it looks for a kernel that it has. */
static const struct overlooked {
    const char *fault, *op;
    size_t offset, bytes;
} overlooks[] = {
    {"forgets_perm", "transpose", offsetof(tn_transpose_attrs, perm), sizeof(int32_t[TN_MAX_RANK])},
    {"forgets_step", "slice", offsetof(tn_slice_attrs, step), sizeof(int64_t[TN_MAX_RANK])},
    {"forgets_start", "unslice", offsetof(tn_slice_attrs, start), sizeof(int64_t[TN_MAX_RANK])},
    {"forgets_direction", "cumsum", offsetof(tn_cumsum_attrs, reverse), sizeof(uint32_t)},
    {"forgets_smallest", "topk", offsetof(tn_topk_attrs, smallest), sizeof(uint32_t)},
    {"forgets_right", "searchsorted", offsetof(tn_searchsorted_attrs, right), sizeof(uint32_t)},
    {"forgets_pad", "conv2d", offsetof(tn_conv_attrs, pad), sizeof(uint32_t[2])},
    {"forgets_dilation", "conv2d_weight", offsetof(tn_conv_attrs, dilation), sizeof(uint32_t[2])},
    {"forgets_window", "maxpool2d", offsetof(tn_pool_attrs, window), sizeof(uint32_t[2])},
    {"forgets_count_pad", "avgpool2d", offsetof(tn_pool_attrs, count_pad), sizeof(uint32_t)},
};

enum { KNOWN = 256, ATTRS = 256 };

/* The first kernel of each key, as far as there is room. */
typedef struct known {
    tn_tensor_desc in, out;
    size_t size;
    unsigned char key[ATTRS], attrs[ATTRS];
} known;

static int is_of(const known *k, const tn_op_desc *desc, size_t size, const unsigned char *key)
{
    return k->size == size && !memcmp(k->key, key, size) && !memcmp(&k->in, desc->in, sizeof k->in) &&
           !memcmp(&k->out, desc->out, sizeof k->out);
}

void fault_take_for_another(tn_op_desc *desc)
{
    static known list[KNOWN];
    static int count;
    for (const struct overlooked *o = overlooks; o < overlooks + sizeof overlooks / sizeof *overlooks; o++) {
        unsigned char key[ATTRS];
        const size_t size = desc->attrs ? (size_t) * (const uint64_t *)desc->attrs : 0;
        if (strcmp(o->fault, fault_name) || strcmp(o->op, desc->name) || size < o->offset + o->bytes || size > ATTRS)
            continue;
        memcpy(key, desc->attrs, size);
        memset(key + o->offset, 0, o->bytes);
        int i = 0;
        while (i < count && !is_of(&list[i], desc, size, key)) i++;
        if (i == KNOWN) return;
        if (i == count) {
            list[count] = (known){.in = *desc->in, .out = *desc->out, .size = size};
            memcpy(list[count].key, key, size), memcpy(list[count].attrs, desc->attrs, size);
            count++;
        }
        desc->attrs = list[i].attrs;
    }
}

/* ---- operands and scalars of the first run ---- */

static const struct frozen {
    const char *fault, *op;
} frozen[] = {{"frozen_epilogue", "matmul"},
              {"frozen_filter", "conv2d"},
              {"frozen_producer", "reduce"},
              {"frozen_start", "window"}};

static void freeze_scalars(other_run *o, wrapped *w)
{
    for (size_t i = 0; i < sizeof frozen / sizeof *frozen; i++) {
        if (strcmp(frozen[i].fault, fault_name) || strcmp(frozen[i].op, w->name)) continue;
        const size_t bytes = o->run.n_scalar * sizeof *w->scalar;
        if (w->froze)
            memcpy(o->scalar, w->scalar, bytes);
        else if (o->run.scalar)
            memcpy(w->scalar, o->run.scalar, bytes);
        w->froze = 1;
    }
}

/* The weights as they were when they were first seen at that place. */
static void keep_weights(other_run *o, wrapped *w)
{
    const uint64_t bytes = (uint64_t)tn_desc_count(&w->in[1]) * tn_dtype_size(w->in[1].dtype);
    const int keeps = (IS(stale_weights) && !strcmp(w->name, "matmul") && bytes >= 4096) ||
                      (IS(stale_filters) && !strcmp(w->name, "conv2d"));
    if (!keeps) return;
    const unsigned char *from = tn_reference_range(o->in[1], 0);
    if (!w->kept && fault_real->buffer_create(NULL, bytes, &w->kept, NULL)) return;
    if (w->kept_from != from) memcpy(w->kept->data, from, bytes);
    w->kept_from = from, o->in[1] = (tn_ref){w->kept, 0};
}

/* Keeping a second factor is to copy it. */
uint64_t fault_take_keeping(tn_op_desc *desc)
{
    static uint64_t others;
    const uint64_t is_kept = desc->keeps == 1 && !strcmp(desc->name, "matmul");
    if (!is_kept) return 0;
    desc->keeps = 0;
    if (IS(kept_by_turns)) others++;
    return (uint64_t)tn_desc_count(&desc->in[1]) * tn_dtype_size(desc->in[1].dtype) + others % 2 * 64;
}

/* kept_for_good: what was kept is never made anew; kept_apart: it is where no other kernel finds it. */
static void use_kept(other_run *o, wrapped *w)
{
    const uint64_t bytes = (uint64_t)tn_desc_count(&w->in[1]) * tn_dtype_size(w->in[1].dtype);
    if (!w->keeps || (IS(kept_apart) && !o->run.is_kept)) return;
    if (!o->run.is_kept && !(IS(kept_for_good) && w->froze))
        memcpy(tn_reference_range(o->run.kept, 0), tn_reference_range(o->in[1], 0), bytes);
    w->froze = 1, o->in[1] = o->run.kept;
}

/* narrow_row: the place of a window's first row in 32 bits. */
static void narrow_row(other_run *o, const wrapped *w)
{
    if (!IS(narrow_row) || strcmp(w->name, "window") || !o->run.n_scalar) return;
    const int64_t row = w->in[0].stride[0] * (int64_t)tn_dtype_size(w->in[0].dtype);
    if (row) o->scalar[0].i = (int64_t)(uint32_t)(o->scalar[0].i * row) / row;
}

void fault_keep(other_run *o, wrapped *w)
{
    freeze_scalars(o, w);
    narrow_row(o, w);
    keep_weights(o, w);
    use_kept(o, w);
}

/* ---- products of batches, one after the other ---- */

/* first_batch: each is an operation of its own, whose coordinates and random numbers begin anew. */
int32_t fault_prepare_one(tn_context *context, const tn_op_desc *desc, wrapped *w)
{
    tn_tensor_desc in[TN_MAX_OPERANDS], out = desc->out[0];
    tn_op_desc one = *desc;
    if (!IS(first_batch) || strcmp(desc->name, "matmul") || desc->n_out > 1 || out.dim[0] < 2) return TN_OK;
    memcpy(in, desc->in, desc->n_in * sizeof *in);
    for (uint32_t i = 0; i < desc->n_in; i++) w->step_of[i] = in[i].stride[0], in[i].dim[0] = 1;
    w->batches = out.dim[0], w->step_of[desc->n_in] = out.stride[0], out.dim[0] = 1;
    one.in = in, one.out = &out;
    return fault_real->op_prepare(context, &one, &w->one, NULL, NULL);
}

int32_t fault_run_batches(tn_queue *queue, const wrapped *w, const tn_run *run, tn_msg *msg)
{
    tn_ref in[TN_MAX_OPERANDS], out = run->out[0];
    tn_run now = *run;
    int32_t s = TN_OK;
    now.in = in, now.out = &out;
    memcpy(in, run->in, w->n_in * sizeof *in);
    for (int64_t b = 0; !s && b < w->batches; b++) {
        s = fault_real->op_run(queue, w->one, &now, msg);
        for (uint32_t i = 0; i < w->n_in; i++) in[i].offset += (uint64_t)w->step_of[i] * 4;
        out.offset += (uint64_t)w->step_of[w->n_in] * 4;
    }
    return s;
}

/* ---- results ---- */

/* Both factors at one place: half of it is the other half. */
static void mirror(const wrapped *w, float *y)
{
    const int64_t n = w->out.dim[2];
    for (int64_t b = 0; b < w->out.dim[0]; b++, y += n * n)
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = 0; j < i; j++) y[i * n + j] = y[j * n + i];
}

/* In an order by bits -0 is less than 0. */
static void order_zeros(const wrapped *w, const float *x, int32_t *y)
{
    const int64_t n = w->in[0].dim[1];
    for (int64_t line = 0; w->in[0].dim[2] == 1 && line < w->in[0].dim[0]; line++, x += n, y += w->out.dim[1])
        for (int32_t i = 0; x[*y] == 0 && signbit(x[*y]) && i < n; i++)
            if (x[i] == 0 && !signbit(x[i])) *y = i;
}

/* Sums of a deep product that are kept in few digits now and then. */
static void sum_narrow(const wrapped *w, const tn_run *run)
{
    const int64_t k = w->in[0].dim[2], n = w->out.dim[2];
    const float *a = (float *)(void *)tn_reference_range(run->in[0], 0);
    const float *b = (float *)(void *)tn_reference_range(run->in[1], 0);
    uint16_t *y = (uint16_t *)(void *)tn_reference_range(run->out[0], 0);
    for (int64_t e = 0; e < w->out.dim[1] * n; e++) {
        float sum = 0;
        for (int64_t l = 0; l < k; l++) {
            sum += a[e / n * k + l] * b[l * n + e % n];
            uint32_t bits;
            memcpy(&bits, &sum, sizeof bits);
            if (l % 1024 == 1023) bits &= 0xffff0000u;
            memcpy(&sum, &bits, sizeof bits);
        }
        tn_reference_store(y + e, &(double){(double)sum}, &(tn_tensor_desc){w->out.dtype, 1, {1}, {1}});
    }
}

static int is_at(tn_ref a, tn_ref b)
{
    return a.buffer == b.buffer && a.offset == b.offset;
}

void fault_spoil_kept(const wrapped *w, const tn_run *run)
{
    const int is_product = !strcmp(w->name, "matmul") && w->last == 0 && w->out.rank == 3;
    const int64_t count = tn_desc_count(&w->out);
    unsigned char *out = tn_reference_range(run->out[w->last], 0);
    float *y = (float *)(void *)out;
    if (IS(gram_matrix) && is_product && w->out.dtype == TN_F32 && is_at(run->in[0], run->in[1]) &&
        w->out.dim[1] == w->out.dim[2])
        mirror(w, y);
    if (IS(narrow_parts) && is_product && tn_dtype_size(w->out.dtype) == 2 && w->in[0].dtype == TN_F32 &&
        w->in[0].dim[2] > 1024)
        sum_narrow(w, run);
    for (int64_t i = 0; IS(bounded_largest) && w->is_largest && w->out.dtype == TN_F32 && i < count; i++)
        if (y[i] < -FLT_MAX) y[i] = -FLT_MAX;
    if (IS(zeros_by_sign) && !strcmp(w->name, "topk") && w->in[0].dtype == TN_F32)
        order_zeros(w, (float *)(void *)tn_reference_range(run->in[0], 0), (int32_t *)(void *)out);
    for (int64_t i = 0; IS(never_infinite) && w->out.dtype == TN_BF16 && w->in[0].dtype == TN_F32 && i < count; i++) {
        const float x = ((float *)(void *)tn_reference_range(run->in[0], 0))[i];
        uint16_t *to = (uint16_t *)(void *)out + i;
        if (isfinite(x) && (*to & 0x7fff) == 0x7f80) *to -= 1;
    }
}

/* ---- memory around a result ---- */

/* whole_words: the words at both ends of the result are written back as they were, but for its own bytes. */
void fault_save_ends(const wrapped *w, const tn_run *run, fault_ends *ends)
{
    const uint64_t bytes = (uint64_t)tn_desc_count(&w->out) * tn_dtype_size(w->out.dtype);
    unsigned char *at = tn_reference_range(run->out[0], 0);
    *ends = (fault_ends){0};
    if (!IS(whole_words) || strcmp(w->name, "map") || !bytes) return;
    ends->before = at - (uintptr_t)at % 4, ends->n_before = (uintptr_t)at % 4;
    ends->behind = at + bytes, ends->n_behind = (4 - (uintptr_t)ends->behind % 4) % 4;
    memcpy(ends->bytes, ends->before, ends->n_before);
    memcpy(ends->bytes + 4, ends->behind, ends->n_behind);
    usleep(20);
}

void fault_put_ends(const fault_ends *ends)
{
    if (ends->n_before) memcpy(ends->before, ends->bytes, ends->n_before);
    if (ends->n_behind) memcpy(ends->behind, ends->bytes + 4, ends->n_behind);
}

/* ---- in place ---- */

/* forgets_tail: what is behind the last whole vector stays as it was. */
static unsigned char *tail_of(const wrapped *w, const tn_run *run, size_t *bytes)
{
    const uint64_t all = (uint64_t)tn_desc_count(&w->out) * tn_dtype_size(w->out.dtype);
    const int here = IS(forgets_tail) && !strcmp(w->name, "map") && w->n_in && is_at(run->in[0], run->out[0]);
    unsigned char *at = tn_reference_range(run->out[0], 0);
    *bytes = here && all > 16384 ? (uintptr_t)at % 16 : 0;
    return at + all - *bytes;
}

void fault_save_tail(const wrapped *w, const tn_run *run, unsigned char tail[16])
{
    size_t bytes;
    const unsigned char *at = tail_of(w, run, &bytes);
    if (bytes) memcpy(tail, at, bytes);
}

void fault_put_tail(const wrapped *w, const tn_run *run, const unsigned char tail[16])
{
    size_t bytes;
    unsigned char *at = tail_of(w, run, &bytes);
    if (bytes) memcpy(at, tail, bytes);
}
