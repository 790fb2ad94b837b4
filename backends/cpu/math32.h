/* math32.h: float functions without branches, tables or calls, made for loops that the compiler turns into vectors.
 *
 * Each is within a few units of the last place everywhere, with denormals, infinities and NaN as in <math.h>; only
 * cpu_sin and cpu_cos hold for |x| < CPU_FAR alone. The polynomials are weighted least-squares fits at Chebyshev
 * points, made for this file. Nothing here may be reassociated: adding and subtracting CPU_ROUND rounds. */
#ifndef CPU_MATH32_H
#define CPU_MATH32_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#define CPU_FAR   1e6f
#define CPU_ROUND 12582912.0f /* 1.5 * 2^23: the sum's low bits are the nearest whole number */
#define CPU_FN    static inline __attribute__((always_inline, unused))

CPU_FN uint32_t cpu_bits(float x)
{
    union {
        float f;
        uint32_t u;
    } v = {.f = x};
    return v.u;
}

CPU_FN float cpu_float(uint32_t u)
{
    union {
        uint32_t u;
        float f;
    } v = {.u = u};
    return v.f;
}

/* The smaller of x and high > 0, and the larger of x and low < 0, by the order of their bits, which takes an
 * instruction each. A NaN may become the limit. */
CPU_FN float cpu_below(float x, float high)
{
    const int32_t bits = (int32_t)cpu_bits(x), most = (int32_t)cpu_bits(high);
    return cpu_float((uint32_t)(bits < most ? bits : most));
}

CPU_FN float cpu_above(float x, float low)
{
    const uint32_t bits = cpu_bits(x), most = cpu_bits(low);
    return cpu_float(bits < most ? bits : most);
}

/* x = n ln 2 + r with |r| <= ln 2 / 2; `n` comes as the bits of n + CPU_ROUND. */
CPU_FN float cpu_exp_reduce(float x, uint32_t *n)
{
    const float z = x * 1.44269504f + CPU_ROUND, k = z - CPU_ROUND;
    *n = cpu_bits(z);
    return (x - k * 0.693145752f) - k * 1.42860677e-6f;
}

/* (exp(r) - 1 - r) / r^2 */
CPU_FN float cpu_exp_tail(float r)
{
    float p = 0.0001991001297f;
    p = p * r + 0.001394675525f;
    p = p * r + 0.008333279941f;
    p = p * r + 0.0416662588f;
    p = p * r + 0.1666666679f;
    return p * r + 0.5f;
}

/* 2^n in two factors, so that results may be denormal. */
CPU_FN float cpu_exp(float x)
{
    uint32_t n;
    const float r = cpu_exp_reduce(cpu_above(cpu_below(x, 89), -104), &n);
    const int32_t k = (int32_t)(n - 0x4b400000u), half = k >> 1;
    const float p = 1 + (r + r * r * cpu_exp_tail(r));
    const float y = p * cpu_float((uint32_t)(half + 127) << 23) * cpu_float((uint32_t)(k - half + 127) << 23);
    return x != x ? x : y;
}

/* exp(x) - 1 for -20 <= x <= 89 */
CPU_FN float cpu_expm1_within(float x)
{
    uint32_t n;
    const float r = cpu_exp_reduce(x, &n), s = cpu_float((n - 0x4b400000u + 126) << 23); /* 2^(n - 1) */
    return 2 * (s * (r + r * r * cpu_exp_tail(r)) + (s - 0.5f));
}

CPU_FN float cpu_expm1(float x)
{
    const float y = cpu_expm1_within(cpu_above(cpu_below(x, 89), -20));
    return x != x ? x : y;
}

/* log(x) for x = 2^e (1 + f), 1 + f from sqrt(1/2) to sqrt(2). */
CPU_FN float cpu_log(float x)
{
    const int tiny = x < 1.17549435e-38f;
    const uint32_t u = cpu_bits(tiny ? x * 33554432.0f : x) - 0x3f3504f3u;
    const float e = (float)(int32_t)((int32_t)u >> 23) - (tiny ? 25.0f : 0.0f);
    const float f = cpu_float((u & 0x7fffffu) + 0x3f3504f3u) - 1;
    float p = 0.06688325632f;
    p = p * f - 0.1166005244f;
    p = p * f + 0.1190655356f;
    p = p * f - 0.1240933039f;
    p = p * f + 0.1421740316f;
    p = p * f - 0.1666772495f;
    p = p * f + 0.2000222933f;
    p = p * f - 0.2500001533f;
    p = p * f + 0.3333331056f;
    const float z = f * f, y = e * 0.693145752f + (f + (f * z * p - 0.5f * z + e * 1.42860677e-6f));
    const float edge = x < 0 ? NAN : x == 0 ? -INFINITY : x; /* of +inf and NaN: themselves */
    return x > 0 && x < INFINITY ? y : edge;
}

/* log(1 + x) with what the sum lost put back. */
CPU_FN float cpu_log1p(float x)
{
    const float u = 1 + x, lost = x - (u - 1);
    const float fix = u > 0 && u < INFINITY ? lost / u : 0;
    return cpu_log(u) + fix;
}

CPU_FN float cpu_tanh(float x)
{
    const float t = cpu_expm1_within(2 * cpu_below(fabsf(x), 10)), y = copysignf(t / (t + 2), x);
    return x != x ? x : y;
}

/* x P(x^2) up to 1; beyond it 1 - exp(-x^2) R(|x|). The exponential stands in gelu's gradient again; one is enough if
 * no branch is around it: so the choice is by bits. */
CPU_FN float cpu_erf(float x)
{
    const float a = fabsf(x), z = x * x, c = cpu_below(a, 4.05f);
    float p = 7.847259127e-5f;
    p = p * z - 0.0008008189323f;
    p = p * z + 0.005188098889f;
    p = p * z - 0.0268536911f;
    p = p * z + 0.1128358225f;
    p = p * z - 0.3761262557f;
    p = p * z + 1.128379166f;
    float r = -0.0003888840475f;
    r = r * c + 0.006005124285f;
    r = r * c - 0.04099815429f;
    r = r * c + 0.1641335836f;
    r = r * c - 0.4316794646f;
    r = r * c + 0.7925946088f;
    r = r * c - 1.048210507f;
    r = r * c + 0.9861272333f;
    const uint32_t near = -(uint32_t)(a < 1);
    return cpu_float((cpu_bits(x * p) & near) | (cpu_bits(copysignf(1 - cpu_exp(-z) * r, x)) & ~near));
}

/* sin for an even, cos for an odd `quarter` of a turn, plus r. */
CPU_FN float cpu_circle(float r, uint32_t quarter)
{
    const float z = r * r;
    float s = 2.717968456e-6f;
    s = s * z - 0.0001983929366f;
    s = s * z + 0.008333329235f;
    s = s * z - 0.1666666664f;
    s = s * z * r + r;
    float c = -2.720334295e-7f;
    c = c * z + 2.479942698e-5f;
    c = c * z - 0.001388888335f;
    c = c * z + 0.04166666662f;
    c = c * z * z + (1 - 0.5f * z);
    return cpu_float(cpu_bits(quarter & 1 ? c : s) ^ (quarter & 2) << 30);
}

/* The rest of x / (pi / 2), taken in double: exact enough up to CPU_FAR. */
CPU_FN float cpu_sin_cos(float x, uint32_t quarter)
{
    const double z = (double)x * 0.63661977236758134 + 6755399441055744.0, k = z - 6755399441055744.0;
    union {
        double d;
        uint64_t u;
    } bits = {.d = z};
    const double r = ((double)x - k * 1.5707963267341256) - k * 6.0771005065061922e-11;
    return cpu_circle((float)r, (uint32_t)bits.u + quarter);
}

#endif
