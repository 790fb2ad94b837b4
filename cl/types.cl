/* types.cl: element types in memory and values in registers. LOAD_<type>(p, i) gives element i as a value (u8 and i8 as int,
 * f16 and bf16 as float), STORE_<type>(p, i, v) rounds to nearest, u8 and i8 keep the low 8 bits.
 * IX: the type of indices, int or long. LOOP goes before a loop whose iterations do not depend on each other; LOOP_ROW
 * before one that may compute much: in vectors of NATIVE lanes, where compilers for CPUs would take half of that. */
#ifdef __clang__
#define LOOP         _Pragma("clang loop vectorize(assume_safety) interleave(enable)")
#define PRAGMA(text) _Pragma(#text)
#define LOOP_BY(n)   PRAGMA(clang loop vectorize(assume_safety) vectorize_width(n) interleave_count(1))
#else
#define LOOP
#define LOOP_BY(n)
#endif
#define LOOP_ROW LOOP_BY(NATIVE)
/* Asks for the line of the cache at p, which may lie beyond a buffer. Processors' drivers ignore prefetch(). */
#if defined(__clang__) && !defined(__SPIR__) && defined(CPU_SHAPE)
#define FETCH(p) { __builtin_prefetch(p); }
#define FETCH_TO(p) { __builtin_prefetch(p, 1); } /* to be written */
#define FETCH_NEAR(p) { __builtin_prefetch(p, 0, 2); } /* not into the nearest cache */
#else
#define FETCH(p) {}
#define FETCH_TO(p) {}
#define FETCH_NEAR(p) {}
#endif
/* The same of `count` elements, line by line. */
#define FETCH_ALL_NEAR(p, count)                                                                                       \
    for (int e_ = 0; e_ < (count); e_ += (int)(64 / sizeof *(p))) FETCH_NEAR((p) + e_)
/* Which piece of the work it is: the work-item's number, or, for a kernel that step.cl calls, what that says. */
#ifdef IN_STEP
#define __kernel static
#define ONE_ITEM
#define ITEM_PARAM const long item,
#define ITEM       item
#else
#define ONE_ITEM __attribute__((reqd_work_group_size(1, 1, 1)))
#define ITEM_PARAM
#define ITEM get_global_id(0)
#endif

#define LOAD_f32(p, i) ((p)[i])
#define LOAD_i32(p, i) ((p)[i])
#define LOAD_f64(p, i) ((p)[i])
#define LOAD_u8(p, i) ((int)(p)[i])
#define LOAD_i8(p, i) ((int)as_char((p)[i]))
#define LOAD_f16(p, i) load_f16(p, i)
#define LOAD_bf16(p, i) as_float((uint)(p)[i] << 16)
#define STORE_f32(p, i, v) ((p)[i] = (v))
#define STORE_i32(p, i, v) ((p)[i] = (v))
#define STORE_f64(p, i, v) ((p)[i] = (v))
#define STORE_u8(p, i, v) ((p)[i] = (uchar)(v))
#define STORE_i8(p, i, v) ((p)[i] = (uchar)(v))
#ifdef CPU_SHAPE
#define STORE_f16(p, i, v) ((p)[i] = round_f16(v))
#else
#define STORE_f16(p, i, v) vstore_half_rte(v, 0, (__global half *)((p) + (i)))
#endif
#define STORE_bf16(p, i, v) ((p)[i] = round_bf16(v))

/* sum += x, where `lost` carries what rounding lost on (Kahan); infinities pass. */
#define COMPENSATED_ADD(T, sum, lost, x)                                                                               \
    {                                                                                                                  \
        const T whole = (x) - (lost), next = (sum) + whole, rest = (next - (sum)) - whole;                             \
        lost = fabs(rest) < INFINITY ? rest : 0;                                                                       \
        sum = next;                                                                                                    \
    }

#ifdef CPU_SHAPE
/* By integers, so that CPU compilers can put elements into vector lanes. */
static inline float load_f16(__global const ushort *p, long i)
{
    const uint h = p[i], bits = (h & 0x7fffu) << 13;
    const float small = as_float(bits + (113u << 23)) - as_float(113u << 23); /* exact, also without denormals */
    const float v = (h & 0x7c00u) ? as_float(bits + (112u << 23)) : small;
    const uint special = (h & 0x7c00u) == 0x7c00u ? 0x7f800000u : 0u;
    return as_float(as_uint(v) | special | (h & 0x8000u) << 16);
}

static inline ushort round_f16(float v)
{
    const uint sign = as_uint(v) >> 16 & 0x8000u, bits = as_uint(v) & 0x7fffffffu;
    const uint normal = (bits - (112u << 23) + 0xfffu + ((bits >> 13) & 1u)) >> 13;
    const uint small = as_uint(as_float(bits) + 0.5f) - as_uint(0.5f); /* the sum rounds to multiples of 2^-24 */
    const uint large = bits > 0x7f800000u ? 0x7e00u : 0x7c00u;
    const uint finite = bits < (113u << 23) ? small : normal;
    return (ushort)(sign | (bits >= 0x477ff000u ? large : finite));
}
#else
static inline float load_f16(__global const ushort *p, long i)
{
    return vload_half(0, (__global const half *)(p + i));
}
#endif

static inline ushort round_bf16(float v)
{
    uint bits = as_uint(v);
    uint rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
    return (ushort)(v != v ? (bits >> 16) | 0x40u : rounded);
}
