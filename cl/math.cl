/* math.cl: single-precision functions without branches or calls, so that a compiler for CPUs can put the elements of
 * a loop into the lanes of a vector. Each is good to about 2 units of the last place, infinities, NaN and denormals
 * included. The polynomials are interpolations in Chebyshev nodes. */

static inline float m_abs(float x)
{
    return as_float(as_int(x) & 0x7fffffff);
}

/* The nearest whole number, for |x| below 2^31. */
static inline int nearest(float x)
{
    return (int)(x + (x < 0.0f ? -0.5f : 0.5f));
}

/* e^x = 2^n e^r with n whole and |r| <= ln(2) / 2; e^r = 1 + r + r^2 p(r). */
static inline float exp_tail(float r)
{
    float p = 1.39345415e-3f + r * 1.98919806e-4f;
    p = 8.33331048e-3f + r * p;
    p = 4.16664556e-2f + r * p;
    p = 1.66666672e-1f + r * p;
    p = 0.5f + r * p;
    return r + r * r * p; /* e^r - 1 */
}

static inline float power_of_2(int n) /* for -126 <= n <= 127 */
{
    return as_float((n + 127) << 23);
}

/* x less n ln(2), in two steps, the first of them exact. */
static inline float exp_rest(float x, float n)
{
    return (x - n * 0.693145751953125f) - n * 1.42860677e-6f;
}

static inline float m_exp(float x)
{
    float c = x < -104.0f ? -104.0f : x;
    c = c > 89.0f ? 89.0f : c;
    int i = nearest(c * 1.44269504f), half_way = i >> 1; /* 2^i may be neither finite nor normal: two factors */
    float y = 1.0f + exp_tail(exp_rest(c, (float)i));
    float first = x < -104.0f ? 0.0f : power_of_2(half_way); /* a product that underflows costs a hundred others */
    y = y * first * power_of_2(i - half_way);
    return x != x ? x : y;
}

static inline float m_expm1(float x)
{
    float c = x < -26.0f ? -26.0f : x;
    c = c > 89.0f ? 89.0f : c;
    int i = nearest(c * 1.44269504f);
    float t = power_of_2(i - 1);
    float y = 2.0f * (t * exp_tail(exp_rest(c, (float)i)) + (t - 0.5f));
    y = i == 0 ? exp_tail(c) : y;
    return x != x || x == 0.0f ? x : y;
}

/* ln(2^e m) with m between sqrt(1/2) and sqrt(2); ln(m) = 2 atanh(s), s = (m - 1) / (m + 1). */
static inline float m_log(float x)
{
    int tiny = x < 1.17549435e-38f;
    int bits = as_int(tiny ? x * 8388608.0f : x);
    int e = (bits - 0x3f3504f3) >> 23;
    float f = as_float(bits - (e << 23)) - 1.0f;
    float n = (float)(tiny ? e - 23 : e);
    float s = f / (2.0f + f), z = s * s;
    float p = 6.66666687e-1f + z * (4.00001228e-1f + z * (2.85507321e-1f + z * 2.33329132e-1f));
    /* 2 s = f - s f, which loses nothing when f is small */
    float y = n * 0.693145751953125f + (f - s * (f - z * p) + n * 1.42860677e-6f);
    y = x == INFINITY ? x : y;
    y = x == 0.0f ? -INFINITY : y;
    return x < 0.0f || x != x ? NAN : y;
}

static inline float m_log1p(float x)
{
    float u = 1.0f + x;
    float y = m_log(u) + (x - (u - 1.0f)) / u; /* what the sum lost, to first order */
    y = x == INFINITY || x == -1.0f ? m_log(u) : y;
    return u == 1.0f ? x : y;
}

static inline float m_tanh(float x)
{
    float a = m_abs(x);
    float t = m_expm1(2.0f * (a > 20.0f ? 20.0f : a));
    float y = t / (t + 2.0f);
    return x != x ? x : as_float(as_int(y) | (as_int(x) & (int)0x80000000));
}

/* x p(x^2) up to 1, and beyond 1 - e^-x^2 r(|x|); gelu's gradient wants that power as well. */
static inline float m_erf(float x)
{
    float a = m_abs(x), z = x * x, c = a > 4.05f ? 4.05f : a;
    float p = -8.00818932e-4f + z * 7.84725913e-5f;
    p = 5.1880989e-3f + z * p;
    p = -2.68536911e-2f + z * p;
    p = 1.12835822e-1f + z * p;
    p = -3.76126256e-1f + z * p;
    p = 1.12837917f + z * p;
    float r = 6.005124285e-3f - c * 3.888840475e-4f;
    r = -4.099815429e-2f + c * r;
    r = 1.641335836e-1f + c * r;
    r = -4.316794646e-1f + c * r;
    r = 7.925946088e-1f + c * r;
    r = -1.048210507f + c * r;
    r = 9.861272333e-1f + c * r;
    float y = 1.0f - m_exp(-z) * r;
    return a < 1.0f ? x * p : as_float(as_int(y) | (as_int(x) & (int)0x80000000));
}
