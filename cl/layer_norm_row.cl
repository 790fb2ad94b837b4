/* layer_norm_row.cl: a row's mean and deviation, for layer_norm.cl and layer_norm_grad.cl. Rows are measured by a power
 * of two that is near to the largest number, or to the root of epsilon if that is larger, so that squares have room
 * whatever the numbers are. The mean is taken away as two numbers, one that is near to it and, found together with the
 * squares, what is left: rows far from 0 lose nothing. The first is the row's first number where that is as near, so
 * that nothing at all is left of a row of equal numbers.
 *
 * Given: V, float or double, its vectors V2 to V16, IS_DOUBLE; KEEP_MEAN; ROOT, of epsilon; X_T and LOAD_X; if there is
 * a weight or a bias, W_T and LOAD_W, B_T and LOAD_B. For GPUs: team.cl; KEEP, if rows stay in registers. */
#define BIGGER(a, b) ((b) > (a) ? (b) : (a))
#ifdef LOAD_W
#define W_PARAM        __global const W_T *w_buffer, ulong w_offset,
#define W_POINTER      __global const W_T *w = w_buffer + w_offset;
#define WEIGHTED(v, j) ((v) * LOAD_W(w, j))
#else
#define W_PARAM
#define W_POINTER
#define WEIGHTED(v, j) (v)
#endif
#ifdef LOAD_B
#define B_PARAM      __global const B_T *b_buffer, ulong b_offset,
#define B_POINTER    __global const B_T *b = b_buffer + b_offset;
#define RAISED(v, j) ((v) + LOAD_B(b, j))
#else
#define B_PARAM
#define B_POINTER
#define RAISED(v, j) (v)
#endif

/* x in units, less what is near to the mean. */
typedef struct row_near {
    V unit, high;
} row_near;
#define AWAY(x, r) ((x) * (r).unit - (r).high)
/* What is left of the mean; one by the deviation, in units and as it is. Of equal numbers, so large that the root is
 * nothing beside them, nothing is left: in units that is 0. */
typedef struct row_norm {
    V low, inverse, outer;
} row_norm;
#define NORMAL(x, r, s) ((AWAY(x, r) - (s).low) * (s).inverse)

static inline V unit_of(V top)
{
    const V most = BIGGER(top, ROOT);
#ifdef IS_DOUBLE
    return as_double((ulong)(2046 - clamp((int)(as_ulong(most) >> 52), 2, 2044)) << 52);
#else
    return as_float((uint)(254 - clamp((int)(as_uint(most) >> 23), 2, 252)) << 23);
#endif
}

#ifdef IS_DOUBLE
#define SAME 0x1p-45
#else
#define SAME 0x1p-16f
#endif
/* By the sum, the largest size and the first of the row's numbers; `share`: one by how many there are. */
static inline row_near near_of(V sum, V top, V first, V share)
{
    const V unit = unit_of(top), mean = sum * share * unit, one = first * unit;
    const row_near r = {unit, KEEP_MEAN ? 0 : fabs(mean - one) <= SAME * fabs(one) ? one : mean};
    return r;
}

/* By the sum of what is left when the mean is taken away, and that of its squares. */
static inline row_norm norm_of(row_near r, V left, V squares, V share)
{
    const V low = KEEP_MEAN ? 0 : left * share, power = squares * share - low * low, root = ROOT * r.unit;
    const V all = (power < 0 ? 0 : power) + root * root, inverse = 1 / sqrt(all);
    const int are_equal = all <= 0 && ROOT > 0;
    const row_norm s = {low, are_equal ? 0 : inverse, are_equal ? 1 / ROOT : inverse * r.unit};
    return s;
}

#ifdef CPU_SHAPE
#define BLOCK 4096 /* elements whose sums may be plain */
/* v: what `value` is for each l of 16, and 0 from `count` on. */
#define SIXTEEN(v, count, value)                                                                                       \
    V16 v;                                                                                                             \
    if ((count) >= 16) {                                                                                               \
        V lane[16] __attribute__((aligned(sizeof(V16))));                                                              \
        LOOP                                                                                                           \
        for (int l = 0; l < 16; l++) lane[l] = (value);                                                                \
        v = *(V16 *)lane;                                                                                              \
    } else {                                                                                                           \
        V lane[16] __attribute__((aligned(sizeof(V16)))) = {0};                                                        \
        for (int l = 0; l < (int)(count); l++) lane[l] = (value);                                                      \
        v = *(V16 *)lane;                                                                                              \
    }

static inline V sum_of(V16 v)
{
    const V8 by_8 = v.lo + v.hi;
    const V4 by_4 = by_8.lo + by_8.hi;
    const V2 by_2 = by_4.lo + by_4.hi;
    return by_2.lo + by_2.hi;
}

static inline V top_of(V16 v)
{
    const V8 by_8 = BIGGER(v.lo, v.hi);
    const V4 by_4 = BIGGER(by_8.lo, by_8.hi);
    const V2 by_2 = BIGGER(by_4.lo, by_4.hi);
    return BIGGER(by_2.lo, by_2.hi);
}

static inline row_near near_of_row(__global const X_T *x, IX n, V share)
{
    V sum = 0, lost = 0;
    V16 top = (V16)(0);
    for (IX at = 0; at < n;) {
        V16 sums = (V16)(0);
        for (const IX end = min(n, at + BLOCK); at < end; at += 16) {
            SIXTEEN(v, n - at, LOAD_X(x, at + l))
            const V16 size = v < 0 ? -v : v;
            sums += v;
            top = BIGGER(top, size);
        }
        COMPENSATED_ADD(V, sum, lost, sum_of(sums))
    }
    return near_of(sum, top_of(top), LOAD_X(x, 0), share);
}
#else
#define ADD(a, b)         ((a) + (b))
#define SUM_AND_TOP(a, b) ((V2)((a).s0 + (b).s0, BIGGER((a).s1, (b).s1)))
/* A work-item's elements of a row of `count`: where they lie; those of x, which are kept if there are few. */
#ifdef KEEP
#define EACH                                                                                                           \
    _Pragma("unroll") for (int l = 0; l < KEEP; l++) if (place + l * TEAM < count)
#define AT                   (place + l * TEAM)
#define ROOM_OF(T, name)     T name[KEEP];
#define BRING(name, value)   EACH name[l] = value;
#define THIS(name, value)    name[l]
#define ADD_TO(sum, lost, v) sum += v;
#else
#define EACH                 for (IX l = place; l < count; l += TEAM)
#define AT                   l
#define ROOM_OF(T, name)
#define BRING(name, value)
#define THIS(name, value)    (value)
#define ADD_TO(sum, lost, v) COMPENSATED_ADD(V, sum, lost, v)
#endif
#define THIS_X THIS(kept, LOAD_X(x, AT))

/* r: of row x, by a team. */
#define NEAR_OF_ROW(r)                                                                                                 \
    V2 sums_ = (V2)(0), lost_ = (V2)(0);                                                                               \
    EACH                                                                                                               \
    {                                                                                                                  \
        const V v = THIS_X;                                                                                            \
        ADD_TO(sums_.s0, lost_.s0, v)                                                                                  \
        sums_.s1 = BIGGER(sums_.s1, fabs(v));                                                                          \
    }                                                                                                                  \
    TEAM_FOLD(V2, sums_, SUM_AND_TOP)                                                                                  \
    const row_near r = near_of(sums_.s0, sums_.s1, count ? LOAD_X(x, 0) : 0, share);
#endif
