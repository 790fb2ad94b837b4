/* random.cl: Philox4x32-10 (Salmon, Moraes, Dror and Shaw, 2011), the counter-based generator that every backend
 * shares. The counter is (low word of e / 4, stream, low, high word of `step`). Scalars only, so that CPU compilers can
 * put elements into vector lanes. */
#define PHILOX(key, step, stream, e)                                                                                   \
    uint k0 = (uint)(key), k1 = (uint)((key) >> 32);                                                                   \
    uint c0 = (uint)((e) >> 2), c1 = (stream) + ((uint)((e) >> 34) << 24), c2 = (uint)(step), c3 = (uint)((step) >> 32); \
    ROUND ROUND ROUND ROUND ROUND ROUND ROUND ROUND ROUND ROUND
#define ROUND                                                                                                          \
    {                                                                                                                  \
        const ulong p = (ulong)0xD2511F53u * c0, q = (ulong)0xCD9E8D57u * c2;                                          \
        c0 = (uint)(q >> 32) ^ c1 ^ k0;                                                                                \
        c1 = (uint)q;                                                                                                  \
        c2 = (uint)(p >> 32) ^ c3 ^ k1;                                                                                \
        c3 = (uint)p;                                                                                                  \
        k0 += 0x9E3779B9u;                                                                                             \
        k1 += 0xBB67AE85u;                                                                                             \
    }

static inline float random_uniform(ulong key, ulong step, uint stream, ulong e)
{
    PHILOX(key, step, stream, e)
    const uint even = (e & 2u) ? c2 : c0, odd = (e & 2u) ? c3 : c1;
    return (float)(int)(((e & 1u) ? odd : even) >> 8) * 0x1p-24f;
}

#ifdef CPU_SHAPE
/* cos(2 pi v), or sin for an odd e, of 0 <= v < 1: the nearest quarter turn, and polynomials for the rest. */
static inline float turn(float v, int odd)
{
    const int quarter = (int)(v * 4.0f + 0.5f);
    const float t = v - 0.25f * (float)quarter, z = t * t;
    const float s = t * (6.28318548f + z * (-41.3417015f + z * (81.6052017f + z * (-76.6978683f + z * 41.4728317f))));
    const float c = 1.0f + z * (-19.7392082f + z * (64.9393921f + z * (-85.4567947f + z * (60.240448f + z * -26.1191845f))));
    const int k = quarter - odd;
    const float y = (k & 1) ? s : c;
    return ((k + (k & 1)) & 2) ? -y : y;
}
#define RANDOM_LOG m_log
#else
static inline float turn(float v, int odd)
{
    return odd ? sinpi(2 * v) : cospi(2 * v);
}
#define RANDOM_LOG log
#endif

static inline float random_normal(ulong key, ulong step, uint stream, ulong e)
{
    PHILOX(key, step, stream, e)
    const uint a = (e & 2u) ? c2 : c0, b = (e & 2u) ? c3 : c1;
    const float u = (float)(int)((a >> 8) + 1u) * 0x1p-24f, v = (float)(int)(b >> 8) * 0x1p-24f;
    return sqrt(-2.0f * RANDOM_LOG(u)) * turn(v, (int)e & 1);
}

#ifdef HAS_F64
static inline double random_normal_f64(ulong key, ulong step, uint stream, ulong e)
{
    PHILOX(key, step, stream, e)
    const uint a = (e & 2u) ? c2 : c0, b = (e & 2u) ? c3 : c1;
    const double u = (double)((a >> 8) + 1u) * 0x1p-24, v = (double)(b >> 8) * 0x1p-24;
    return sqrt(-2 * log(u)) * ((e & 1u) ? sinpi(2 * v) : cospi(2 * v));
}
#endif
