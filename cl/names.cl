/* names.cl: the functions that the rows' texts call, for single (f_) and double precision (d_) and for integers (i_).
 * On CPUs those of math.cl take the place of the built-in ones that a compiler can't put into vector lanes. */
#ifdef CPU_SHAPE
#define f_exp m_exp
#define f_expm1 m_expm1
#define f_log m_log
#define f_log1p m_log1p
#define f_tanh m_tanh
#define f_abs m_abs
#define f_erf m_erf
#else
#define f_exp exp
#define f_expm1 expm1
#define f_log log
#define f_log1p log1p
#define f_tanh tanh
#define f_abs fabs
#define f_erf erf
#endif
#define f_F(c) c##f
#define f_sqrt sqrt
#define f_rsqrt(x) (1.0f / sqrt(x))
#define f_sin sin
#define f_cos cos
#define f_pow pow
#define f_floor floor
#define f_exp2 exp2
#define f_log2 log2
#define f_log10 log10
#define f_asin asin
#define f_acos acos
#define f_atan atan
#define f_sinh sinh
#define f_cosh cosh
#define f_asinh asinh
#define f_acosh acosh
#define f_atanh atanh
#define f_ceil ceil
#define f_trunc trunc
#define f_rint rint
#define f_atan2 atan2
#define f_fmod fmod
#define f_quotient(a, b) ((a) / (b))

#define d_F(c) c
#define d_abs fabs
#define d_exp exp
#define d_expm1 expm1
#define d_log log
#define d_log1p log1p
#define d_sqrt sqrt
#define d_rsqrt(x) (1.0 / sqrt(x))
#define d_sin sin
#define d_cos cos
#define d_tanh tanh
#define d_erf erf
#define d_pow pow
#define d_floor floor
#define d_exp2 exp2
#define d_log2 log2
#define d_log10 log10
#define d_asin asin
#define d_acos acos
#define d_atan atan
#define d_sinh sinh
#define d_cosh cosh
#define d_asinh asinh
#define d_acosh acosh
#define d_atanh atanh
#define d_ceil ceil
#define d_trunc trunc
#define d_rint rint
#define d_atan2 atan2
#define d_fmod fmod
#define d_quotient(a, b) ((a) / (b))

static inline int i_divisor(int a, int b)
{
    return b == 0 || (a == INT_MIN && b == -1) ? 1 : b;
}

static inline int i_quotient(int a, int b)
{
    const int q = a / i_divisor(a, b);
    return b == 0 ? 0 : q;
}

static inline int i_fmod(int a, int b)
{
    const int rest = a % i_divisor(a, b);
    return b == 0 ? 0 : rest;
}

/* b where the comparison says so, else a, a NaN included. */
#define f_min(a, b) ((b) < (a) ? (b) : (a))
#define f_max(a, b) ((b) > (a) ? (b) : (a))
#define d_min f_min
#define d_max f_max
