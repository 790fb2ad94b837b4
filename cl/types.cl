/* types.cl: element types in memory and values in registers. LOAD_<type>(p, i) gives element i as a value (u8 as int,
 * f16 and bf16 as float), STORE_<type>(p, i, v) rounds to nearest, u8 keeps the low 8 bits.
 * IX: the type of indices, int or long. LOOP goes before a loop whose iterations do not depend on each other. */
#ifdef __clang__
#define LOOP _Pragma("clang loop vectorize(assume_safety) interleave(enable)")
#else
#define LOOP
#endif
#define ONE_ITEM __attribute__((reqd_work_group_size(1, 1, 1)))

#define LOAD_f32(p, i) ((p)[i])
#define LOAD_i32(p, i) ((p)[i])
#define LOAD_f64(p, i) ((p)[i])
#define LOAD_u8(p, i) ((int)(p)[i])
#define LOAD_f16(p, i) load_f16(p, i)
#define LOAD_bf16(p, i) as_float((uint)(p)[i] << 16)
#define STORE_f32(p, i, v) ((p)[i] = (v))
#define STORE_i32(p, i, v) ((p)[i] = (v))
#define STORE_f64(p, i, v) ((p)[i] = (v))
#define STORE_u8(p, i, v) ((p)[i] = (uchar)(v))
#define STORE_f16(p, i, v) vstore_half_rte(v, 0, (__global half *)((p) + (i)))
#define STORE_bf16(p, i, v) ((p)[i] = round_bf16(v))

/* sum += x, where `lost` carries what rounding lost on (Kahan); infinities pass. */
#define COMPENSATED_ADD(T, sum, lost, x)                                                                               \
    {                                                                                                                  \
        const T whole = (x) - (lost), next = (sum) + whole, rest = (next - (sum)) - whole;                             \
        lost = fabs(rest) < INFINITY ? rest : 0;                                                                       \
        sum = next;                                                                                                    \
    }

static inline float load_f16(__global const ushort *p, long i)
{
    return vload_half(0, (__global const half *)(p + i));
}

static inline ushort round_bf16(float v)
{
    uint bits = as_uint(v);
    uint rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
    return (ushort)(v != v ? (bits >> 16) | 0x40u : rounded);
}
