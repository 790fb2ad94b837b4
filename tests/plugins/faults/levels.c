/* levels.c: levels of precision. The backend without a fault rounds the factors of products as far as it may; the
 * faults go further. */
#include "fault.h"

static int is_product(const char *name)
{
    return !strcmp(name, "matmul") || !strcmp(name, "conv2d") || !strcmp(name, "conv2d_data") ||
           !strcmp(name, "conv2d_weight");
}

uint32_t fault_take_level(tn_op_desc *desc)
{
    const uint32_t level = desc->precision;
    if (level > TN_PRECISION_BF16 || !(is_product(desc->name) || IS(level_of_all))) return 0;
    desc->precision = TN_PRECISION_F32;
    return level;
}

/* Bits of f32's mantissa that go. */
static int bits_of(const wrapped *w)
{
    if (w->level == TN_PRECISION_F32_FAST) return IS(coarse_fast) ? 16 : 13;
    if (w->level == TN_PRECISION_BF16) return IS(coarse_bf16) ? 19 : 16;
    return 0;
}

/* To nearest; infinities and NaN as they are. */
static float rounded(float x, int bits)
{
    uint32_t word;
    memcpy(&word, &x, sizeof word);
    if ((word & 0x7f800000u) != 0x7f800000u) word = (word + (1u << (bits - 1))) & ~((1u << bits) - 1);
    memcpy(&x, &word, sizeof word);
    return x;
}

static int64_t elements(const tn_tensor_desc *x)
{
    int64_t last = 0;
    for (int32_t d = 0; d < x->rank; d++) last += (x->dim[d] - 1) * x->stride[d];
    return tn_desc_count(x) ? last + 1 : 0;
}

void fault_round_factors(other_run *o, const wrapped *w)
{
    const int bits = bits_of(w);
    const int64_t count[2] = {elements(&w->in[0]), elements(&w->in[1])};
    if (!bits || o->made || w->in[0].dtype != TN_F32 || w->in[1].dtype != TN_F32) return;
    if (fault_real->buffer_create(NULL, (uint64_t)(count[0] + count[1]) * sizeof(float), &o->made, NULL)) return;
    float *to = (float *)(void *)o->made->data;
    for (int i = 0; i < 2; i++) {
        const float *from = (const float *)(void *)tn_reference_range(o->in[i], 0);
        for (int64_t e = 0; e < count[i]; e++) to[e] = rounded(from[e], bits);
        o->in[i] = (tn_ref){o->made, i ? (uint64_t)count[0] * sizeof(float) : 0};
        to += count[i];
    }
}

void fault_round_sums(const wrapped *w, const tn_run *run)
{
    float *y = (float *)(void *)tn_reference_range(run->out[0], 0);
    if (!IS(coarse_sums) || !w->level || w->out.dtype != TN_F32) return;
    for (int64_t e = 0; e < tn_desc_count(&w->out); e++) y[e] = rounded(y[e], 16);
}
