/* matrix.cl: products of 16 x 16 x 16 by a device's matrix units, behind five macros that are the same for all: a
 * WAVE of work-items that run together adds a b^T to c, where a and b lie in local memory as rows of 16 numbers of 16
 * bits, STEP apart.
 *
 *     MX_ZERO(c)            c = 0
 *     MX_LOAD_A(f, place)   f = the 16 rows at place, a __local const ushort *
 *     MX_LOAD_B(f, place)
 *     MX_MULTIPLY(c, a, b)  c += a b^T, in f32
 *     MX_EACH(c, BODY)      BODY for each element that a work-item has of c: `value` of row `row` and column `column`
 *
 * Given: MX_PTX, MX_WMMA, MX_MFMA, MX_INTEL, or none of them, for any device; MX_F16 or bf16 otherwise; STEP, which is
 * 8 more than a multiple of 16, so that rows begin in different banks; `in_wave` is a work-item's number in its wave. MX_ASM: how the
 * compiler calls inline assembly, if not __asm__. */
#define MX_FOR(count, c, ROW, COLUMN, BODY)                                                                            \
    _Pragma("unroll") for (int e = 0; e < (count); e++)                                                                \
    {                                                                                                                  \
        const int row = ROW, column = COLUMN;                                                                          \
        const float value = (c).v[e];                                                                                  \
        BODY                                                                                                           \
    }
#define MX_ZERO(c) _Pragma("unroll") for (int e_ = 0; e_ < MX_COUNT; e_++) (c).v[e_] = 0

#if defined(MX_PTX)
/* NVIDIA, from sm_80 on. Two products of 16 x 8 x 16; a fragment is four matrices of 8 x 8. */
#ifndef MX_ASM
#define MX_ASM __asm__
#endif
#define WAVE     32
#define MX_COUNT 8
typedef struct { float v[MX_COUNT]; } mx_c;
typedef struct { uint v[4]; } mx_f;
#define MX_MATRICES(f, place) MX_MATRICES_BY("", f, MX_PLACE(place))
#ifndef MX_MODEL /* ptx_model.cl has these */
#if defined(MX_TF32) /* half as many values of k, of twice as many bits */
#define MX_MMA "m16n8k8.row.col.f32.tf32.tf32.f32"
#elif defined(MX_F16)
#define MX_MMA "m16n8k16.row.col.f32.f16.f16.f32"
#else
#define MX_MMA "m16n8k16.row.col.f32.bf16.bf16.f32"
#endif
#define MX_PLACE(place) ((uint)(size_t)(place))
#define MX_MATRICES_BY(how, f, place)                                                                                  \
    MX_ASM volatile("ldmatrix.sync.aligned.m8n8.x4" how ".shared.b16 {%0,%1,%2,%3}, [%4];"                             \
                     : "=r"((f).v[0]), "=r"((f).v[1]), "=r"((f).v[2]), "=r"((f).v[3])                                  \
                     : "r"(place)                                                                            \
                     : "memory")
#define MX_HALF(c, at, a, b0, b1)                                                                                      \
    MX_ASM("mma.sync.aligned." MX_MMA " {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"                         \
            : "+f"((c).v[at]), "+f"((c).v[at + 1]), "+f"((c).v[at + 2]), "+f"((c).v[at + 3])                           \
            : "r"((a).v[0]), "r"((a).v[1]), "r"((a).v[2]), "r"((a).v[3]), "r"(b0), "r"(b1))
#define MX_TF32_OF(to, x) MX_ASM("cvt.rna.tf32.f32 %0, %1;" : "=r"(to) : "f"(x))
#endif
#define MX_LOAD_A(f, place) MX_MATRICES(f, (place) + in_wave % 16 * STEP + in_wave / 16 * 8)
#define MX_LOAD_B(f, place) MX_MATRICES(f, (place) + (in_wave % 8 + in_wave / 16 * 8) * STEP + in_wave / 8 % 2 * 8)
#define MX_MULTIPLY(c, a, b)                                                                                           \
    {                                                                                                                  \
        MX_HALF(c, 0, a, (b).v[0], (b).v[1]);                                                                          \
        MX_HALF(c, 4, a, (b).v[2], (b).v[3]);                                                                          \
    }
#define MX_EACH(c, BODY)                                                                                               \
    MX_FOR(MX_COUNT, c, in_wave / 4 + e % 4 / 2 * 8, e / 4 * 8 + in_wave % 4 * 2 + e % 2, BODY)

#elif defined(MX_WMMA)
/* AMD's gfx11: each half of a wave has all rows of a and b. */
#define WAVE     32
#define MX_COUNT 8
typedef float __attribute__((ext_vector_type(8))) mx_8;
typedef struct { float v[MX_COUNT]; } mx_c;
#ifdef MX_F16
#pragma OPENCL EXTENSION cl_khr_fp16 : enable
typedef half __attribute__((ext_vector_type(16))) mx_16;
#define MX_WMMA_OF __builtin_amdgcn_wmma_f32_16x16x16_f16_w32
#else
typedef short __attribute__((ext_vector_type(16))) mx_16;
#define MX_WMMA_OF __builtin_amdgcn_wmma_f32_16x16x16_bf16_w32
#endif
typedef union { mx_16 all; uint4 part[2]; } mx_f;
#define MX_LOAD_A(f, place)                                                                                            \
    {                                                                                                                  \
        __local const uint4 *from_ = (__local const uint4 *)((place) + in_wave % 16 * STEP);                              \
        (f).part[0] = from_[0], (f).part[1] = from_[1];                                                                \
    }
#define MX_LOAD_B(f, place) MX_LOAD_A(f, place)
#define MX_MULTIPLY(c, a, b)                                                                                           \
    {                                                                                                                  \
        mx_8 sum_ = *(const mx_8 *)(c).v;                                                                              \
        *(mx_8 *)(c).v = MX_WMMA_OF((a).all, (b).all, sum_);                                                           \
    }
#define MX_EACH(c, BODY) MX_FOR(MX_COUNT, c, 2 * e + in_wave / 16, in_wave % 16, BODY)

#elif defined(MX_MFMA)
/* AMD's gfx90a and later: a work-item has four of a row's numbers. */
#define WAVE     64
#define MX_COUNT 4
typedef float __attribute__((ext_vector_type(4))) mx_4;
typedef struct { float v[MX_COUNT]; } mx_c;
#ifdef MX_F16
#pragma OPENCL EXTENSION cl_khr_fp16 : enable
typedef half __attribute__((ext_vector_type(4))) mx_f;
#define MX_MFMA_OF __builtin_amdgcn_mfma_f32_16x16x16f16
#else
typedef short __attribute__((ext_vector_type(4))) mx_f;
#define MX_MFMA_OF __builtin_amdgcn_mfma_f32_16x16x16bf16_1k
#endif
#define MX_LOAD_A(f, place) f = *(__local const mx_f *)((place) + in_wave % 16 * STEP + in_wave / 16 * 4)
#define MX_LOAD_B(f, place) MX_LOAD_A(f, place)
#define MX_MULTIPLY(c, a, b)                                                                                           \
    {                                                                                                                  \
        mx_4 sum_ = *(const mx_4 *)(c).v;                                                                              \
        *(mx_4 *)(c).v = MX_MFMA_OF(a, b, sum_, 0, 0, 0);                                                              \
    }
#define MX_EACH(c, BODY) MX_FOR(MX_COUNT, c, in_wave / 16 * 4 + e, in_wave % 16, BODY)

#elif defined(MX_INTEL)
/* Intel's sub-groups of 16, cl_intel_subgroup_matrix_multiply_accumulate: two products of 8 x 16 x 16. A work-item has
 * one number of each row of a, and all numbers of a row of b, which is a column to the extension. */
#define WAVE     16
#define MX_COUNT 16
#pragma OPENCL EXTENSION cl_intel_subgroups : enable
typedef struct { float v[MX_COUNT]; } mx_c;
typedef struct { short8 part[2]; } mx_a;
#define MX_A mx_a
typedef int8 mx_f;
#ifdef MX_F16
#define MX_MAD intel_sub_group_f16_f16_matrix_mad_k16
#else
#define MX_MAD intel_sub_group_bf16_bf16_matrix_mad_k16
#endif
#define MX_SUB_GROUP __attribute__((intel_reqd_sub_group_size(16)))
#define MX_ROWS_OF(place, r)                                                                                           \
    (short8)((place)[(r + 0) * STEP + in_wave], (place)[(r + 1) * STEP + in_wave], (place)[(r + 2) * STEP + in_wave],           \
             (place)[(r + 3) * STEP + in_wave], (place)[(r + 4) * STEP + in_wave], (place)[(r + 5) * STEP + in_wave],           \
             (place)[(r + 6) * STEP + in_wave], (place)[(r + 7) * STEP + in_wave])
#define MX_LOAD_A(f, place) (f).part[0] = MX_ROWS_OF(place, 0), (f).part[1] = MX_ROWS_OF(place, 8)
#define MX_LOAD_B(f, place) f = vload8(0, (__local const int *)((place) + in_wave * STEP))
#define MX_MULTIPLY(c, a, b)                                                                                           \
    _Pragma("unroll") for (int h_ = 0; h_ < 2; h_++)                                                                   \
    {                                                                                                                  \
        const float8 sum_ = MX_MAD((a).part[h_], b, vload8(h_, (c).v));                                                \
        vstore8(sum_, h_, (c).v);                                                                                      \
    }
#define MX_EACH(c, BODY) MX_FOR(MX_COUNT, c, e, in_wave, BODY)

#else
/* Any device: a fragment is where it lies. */
#define WAVE     32
#define MX_COUNT 8
typedef struct { float v[MX_COUNT]; } mx_c;
typedef __local const ushort *mx_f;
#ifdef MX_F16
#define MX_VALUE(h) vload_half(0, (__local const half *)&(h))
#else
#define MX_VALUE(h) as_float((uint)(h) << 16)
#endif
#define MX_LOAD_A(f, place) f = place
#define MX_LOAD_B(f, place) f = place
static inline void mx_multiply(mx_c *c, mx_f a, mx_f b, int in_wave)
{
    for (int e = 0; e < MX_COUNT; e++) {
        mx_f x = a + (in_wave / 4 + e % 4 / 2 * 8) * STEP, y = b + (e / 4 * 8 + in_wave % 4 * 2 + e % 2) * STEP;
        for (int k = 0; k < 16; k++) c->v[e] += MX_VALUE(x[k]) * MX_VALUE(y[k]);
    }
}
#define MX_MULTIPLY(c, a, b) { mx_multiply(&(c), a, b, in_wave); }
#define MX_EACH(c, BODY)                                                                                               \
    MX_FOR(MX_COUNT, c, in_wave / 4 + e % 4 / 2 * 8, e / 4 * 8 + in_wave % 4 * 2 + e % 2, BODY)
#endif
#ifndef MX_A
#define MX_A mx_f
#endif
#ifndef MX_SUB_GROUP
#define MX_SUB_GROUP
#endif
