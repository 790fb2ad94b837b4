/* add.c: see add.h. Compiled for vectors: the order of elements does not matter to them. */
#include "add.h"

#include "tenon/backend.h"

static void add_f32(float *restrict a, const float *restrict b, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) a[i] += b[i];
}

static void add_f64(double *restrict a, const double *restrict b, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) a[i] += b[i];
}

static void sum_f32(float *restrict to, const float *restrict a, const float *restrict b, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) to[i] = a[i] + b[i];
}

static void sum_f64(double *restrict to, const double *restrict a, const double *restrict b, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) to[i] = a[i] + b[i];
}

void tn_vector_add(int32_t dtype, void *a, const void *b, uint64_t count)
{
    if (dtype == TN_F64)
        add_f64(a, b, count);
    else
        add_f32(a, b, count);
}

void tn_vector_sum(int32_t dtype, void *to, const void *a, const void *b, uint64_t count)
{
    if (dtype == TN_F64)
        sum_f64(to, a, b, count);
    else
        sum_f32(to, a, b, count);
}
