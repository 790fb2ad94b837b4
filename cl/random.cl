/* random.cl: Philox4x32-10 (Salmon, Moraes, Dror and Shaw, 2011), the counter-based generator that every backend
 * shares. The counter is (low word of e / 4, stream, low, high word of `step`). */
static inline uint4 philox(ulong key, ulong step, uint stream, ulong e)
{
    uint k0 = (uint)key, k1 = (uint)(key >> 32);
    uint c0 = (uint)(e >> 2), c1 = stream + ((uint)(e >> 34) << 24), c2 = (uint)step, c3 = (uint)(step >> 32);
    for (int round = 0; round < 10; round++) {
        ulong p = (ulong)0xD2511F53u * c0, q = (ulong)0xCD9E8D57u * c2;
        c0 = (uint)(q >> 32) ^ c1 ^ k0;
        c1 = (uint)q;
        c2 = (uint)(p >> 32) ^ c3 ^ k1;
        c3 = (uint)p;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return (uint4)(c0, c1, c2, c3);
}

static inline float random_uniform(ulong key, ulong step, uint stream, ulong e)
{
    uint4 w = philox(key, step, stream, e);
    uint i = (uint)e & 3u;
    uint word = i < 2u ? (i == 0u ? w.s0 : w.s1) : (i == 2u ? w.s2 : w.s3);
    return (float)(word >> 8) * 0x1p-24f;
}

#define RANDOM_NORMAL(NAME, T, U)                                                                                      \
    static inline T NAME(ulong key, ulong step, uint stream, ulong e)                                                  \
    {                                                                                                                  \
        uint4 w = philox(key, step, stream, e);                                                                        \
        uint a = (e & 2u) ? w.s2 : w.s0, b = (e & 2u) ? w.s3 : w.s1;                                                   \
        T u = (T)((a >> 8) + 1u) * U, v = (T)(b >> 8) * U;                                                             \
        T r = sqrt(-2 * log(u));                                                                                       \
        return r * ((e & 1u) ? sinpi(2 * v) : cospi(2 * v));                                                           \
    }
RANDOM_NORMAL(random_normal, float, 0x1p-24f)
#ifdef HAS_F64
RANDOM_NORMAL(random_normal_f64, double, 0x1p-24)
#endif
