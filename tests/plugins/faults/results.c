/* results.c: faults in the numbers of operations of any size. */
#include <math.h>

#include "fault.h"

/* The last of equals instead of the first. */
static void place_last(const wrapped *w, const float *x, int32_t *y)
{
    const int64_t rows = w->in[0].dim[0], n = w->in[0].dim[1];
    for (int64_t r = 0; r < rows; r++)
        for (int64_t i = 0; i < n; i++)
            if (x[r * n + i] == x[r * n + y[r]]) y[r] = (int32_t)i;
}

static void spoil_each_f32(const wrapped *w, float *y, int64_t count)
{
    const int coarse = IS(coarse_large), no_infinity = IS(nan_for_infinity), lengthy = IS(wrong_when_long);
    for (int64_t i = 0; (coarse || no_infinity || lengthy) && i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &y[i], sizeof bits);
        if (coarse && fabsf(y[i]) > 64) bits &= 0xffff0000u;
        memcpy(&y[i], &bits, sizeof bits);
        if (no_infinity && isinf(y[i])) y[i] = NAN;
        if (lengthy && w->n_instr >= 4) y[i] *= 1.01f;
    }
}

static void spoil_f32(const wrapped *w, float *y, int64_t count)
{
    static int turn;
    spoil_each_f32(w, y, count);
    if (!count) return;
    if (IS(wrong_on_odd) && count > 1 && count % 2) y[count - 1] += 1;
    if (IS(samples_lean) && w->in[0].rank == 4 && w->in[0].dim[0] > 8) y[0] = nextafterf(y[0], 9);
    if (IS(second_device) && fault_opened % 2 == 1) y[0] += 1;
    if ((IS(trusts_cache) || IS(trusts_foreign)) && fault_cached) y[0] += 1;
    if (IS(non_deterministic) && ++turn % 3 == 0) y[count - 1] = nextafterf(y[count - 1], 9);
    if (IS(restless_total) && w->plain_sum && ++turn % 3 == 0) y[0] = nextafterf(y[0], 9);
    if (IS(drifting_optimizer) && w->n_instr >= 3) y[0] *= 1.0001f;
    if (IS(wrong_single) && w->has_gradient) y[count / 2] *= 1.001f;
}

/* Numbers of f16 without a full mantissa. */
static void lose_small(uint16_t *y, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        if (!(y[i] & 0x7c00)) y[i] &= 0x8000;
}

/* Of two outputs that change places with their operands, the second sees what the first left. */
static void swap_late(const wrapped *w, const tn_run *run, int64_t count)
{
    if (w->last != 2 || run->out[0].buffer != run->in[0].buffer || run->out[1].buffer != run->in[1].buffer) return;
    memcpy(tn_reference_range(run->out[1], 0), tn_reference_range(run->out[0], 0), (size_t)count * 4);
}

static void trap_denormals(const float *x, float *y, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        if (fpclassify(x[i]) == FP_SUBNORMAL) y[i] = NAN;
}

static void spoil_f64(const wrapped *w, double *y, int64_t count)
{
    const int narrow = IS(f64_in_f32), gradient = IS(wrong_gradient) && w->has_gradient;
    for (int64_t i = 0; (narrow || gradient) && i < count; i++) {
        if (narrow) y[i] = (double)(float)y[i];
        if (gradient) y[i] *= 1.001;
    }
}

/* Rounding to bf16 and f16 by cutting off. */
static void cut_off(const wrapped *w, const float *x, uint16_t *y, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        if (w->out.dtype == TN_BF16 && isfinite(x[i])) y[i] = (uint16_t)(bits >> 16);
    }
}

/* Whole numbers that stop at the ends of their type instead of going round. */
static void saturate(const float *x, unsigned char *y, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        if (x[i] > 255 || x[i] < 0) y[i] = x[i] > 255 ? 255 : 0;
}

/* A transpose that goes through arithmetic without denormals, a concat through a sum with 0. */
static void spoil_moves(const wrapped *w, float *y, int64_t count)
{
    const int flushes = IS(flushes_moves) && !strcmp(w->name, "transpose");
    const int signless = IS(loses_sign) && !strcmp(w->name, "concat");
    for (int64_t i = 0; (flushes || signless) && i < count; i++)
        if (signless ? y[i] == 0 : fpclassify(y[i]) == FP_SUBNORMAL) y[i] = signless ? 0 : copysignf(0, y[i]);
}

/* The largest whole number, found among those of f32. */
static void find_in_f32(int32_t *y, int64_t count)
{
    for (int64_t i = 0; i < count; i++) y[i] = (float)y[i] >= 0x1p31f ? INT32_MAX : (int32_t)(float)y[i];
}

void fault_spoil(const wrapped *w, const tn_run *run)
{
    int64_t count = tn_desc_count(&w->out);
    unsigned char *y = tn_reference_range(run->out[w->last], 0);
    const int same = w->n_in && w->in[0].dtype == TN_F32 && tn_desc_count(&w->in[0]) == count;
    const float *x = w->n_in ? (const float *)(void *)tn_reference_range(run->in[0], 0) : NULL;
    if (IS(traps_denormals) && w->out.dtype == TN_F32 && same) trap_denormals(x, (float *)(void *)y, count);
    if (IS(cuts_off) && same && w->out.dtype == TN_BF16) cut_off(w, x, (uint16_t *)(void *)y, count);
    if (IS(loses_small) && w->out.dtype == TN_F16) lose_small((uint16_t *)(void *)y, count);
    if (w->out.dtype == TN_F32) spoil_moves(w, (float *)(void *)y, count);
    if (IS(whole_in_f32) && w->is_largest && w->out.dtype == TN_I32) find_in_f32((int32_t *)(void *)y, count);
    if (IS(swaps_late)) swap_late(w, run, count);
    if (IS(saturates) && same && w->out.dtype == TN_U8 && !strcmp(w->name, "map")) saturate(x, y, count);
    if (w->out.dtype == TN_F32) spoil_f32(w, (float *)(void *)y, count);
    if (w->out.dtype == TN_F64) spoil_f64(w, (double *)(void *)y, count);
    if (IS(last_of_equals) && w->by_place) place_last(w, x, (int32_t *)(void *)y);
    if (IS(writes_past_end)) y[count * (int64_t)tn_dtype_size(w->out.dtype)] = 0;
    if (IS(changes_input) && run->in[0].buffer != run->out[0].buffer && tn_desc_count(&w->in[0]))
        *tn_reference_range(run->in[0], 0) ^= 1;
}
