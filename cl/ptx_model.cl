/* ptx_model.cl: the instructions of NVIDIA's that matrix.cl and matrix_staged.cl are made of, in OpenCL C, as the PTX
 * ISA has them ("Matrix Fragments for mma.m16n8k16", "… mma.m16n8k8", ldmatrix, cp.async): what is PTX there can
 * so be computed anywhere, if slowly. Work-items exchange registers through local memory behind that of the kernel. A
 * copy is made as late as it may be: when it is waited for.
 *
 * Given: MX_TF32, MX_F16; the core's SHARED: the kernel's local memory, where a macro stands. */
#define MODEL       (2 * 6 * ITEMS) /* numbers of 16 bits */
#define MODEL_ITEM  ((int)(get_local_id(1) * get_local_size(0) + get_local_id(0)))
#define MODEL_LANE  (MODEL_ITEM % 32)
#define MODEL_AREA  ((__local uint *)(SHARED + LOCAL))
#define MODEL_WAVE  (MODEL_AREA + MODEL_ITEM / 32 * 32 * 6)
#define MX_PLACE(p) ((uint)((__local const uchar *)(p) - (__local const uchar *)SHARED))
#define MODEL_AT(type, place) (*(__local const type *)((__local const uchar *)SHARED + (place)))

/* Lane l gives where row l % 8 of matrix l / 8 lies, and has two numbers of row l / 4 of each; turned, of a column. */
#define MX_MATRICES_BY(how, f, place)                                                                                  \
    {                                                                                                                  \
        const int l_ = MODEL_LANE, is_turned_ = sizeof(how) > 1;                                                       \
        MODEL_WAVE[l_] = place;                                                                                        \
        barrier(CLK_LOCAL_MEM_FENCE);                                                                                  \
        for (int j_ = 0; j_ < 4; j_++) {                                                                               \
            const __local uint *row_ = MODEL_WAVE + 8 * j_;                                                            \
            (f).v[j_] = is_turned_ ? MODEL_AT(ushort, row_[l_ % 4 * 2] + l_ / 4 * 2) |                                 \
                                         (uint)MODEL_AT(ushort, row_[l_ % 4 * 2 + 1] + l_ / 4 * 2) << 16              \
                                   : MODEL_AT(uint, row_[l_ / 4] + l_ % 4 * 4);                                        \
        }                                                                                                              \
        barrier(CLK_LOCAL_MEM_FENCE);                                                                                  \
    }

/* Number k of a register's, and how many values of k eight rows or columns of registers have. */
#if defined(MX_TF32)
#define MODEL_NUMBERS      1
#define MODEL_VALUE(r, k)  as_float((r) & 0xffffe000u)
#elif defined(MX_F16)
#define MODEL_NUMBERS      2
#define MODEL_VALUE(r, k)  vload_half(k, (const half *)&(r))
#else
#define MODEL_NUMBERS      2
#define MODEL_VALUE(r, k)  as_float((r) >> 16 * (k) << 16)
#endif
/* A lane has of a rows l / 4 and 8 beyond, of b column l / 4, and of the result rows l / 4 and 8 beyond, columns
 * l % 4 * 2 and the next; of k, registers have l % 4 and 4 beyond, each MODEL_NUMBERS. */
#define MX_HALF(c, at, a, b0, b1)                                                                                      \
    {                                                                                                                  \
        const int l_ = MODEL_LANE;                                                                                     \
        for (int r_ = 0; r_ < 4; r_++) MODEL_WAVE[l_ * 6 + r_] = (a).v[r_];                                            \
        MODEL_WAVE[l_ * 6 + 4] = b0, MODEL_WAVE[l_ * 6 + 5] = b1;                                                      \
        barrier(CLK_LOCAL_MEM_FENCE);                                                                                  \
        for (int e_ = 0; e_ < 4; e_++)                                                                                 \
            for (int k_ = 0; k_ < 8 * MODEL_NUMBERS; k_++) {                                                           \
                const int from_ = k_ / MODEL_NUMBERS, far_ = from_ / 4;                                                \
                const uint x_ = MODEL_WAVE[(l_ / 4 * 4 + from_ % 4) * 6 + far_ * 2 + e_ / 2];                          \
                const uint y_ = MODEL_WAVE[((l_ % 4 * 2 + e_ % 2) * 4 + from_ % 4) * 6 + 4 + far_];                    \
                (c).v[(at) + e_] += MODEL_VALUE(x_, k_ % MODEL_NUMBERS) * MODEL_VALUE(y_, k_ % MODEL_NUMBERS);         \
            }                                                                                                          \
        barrier(CLK_LOCAL_MEM_FENCE);                                                                                  \
    }

/* To the nearest, of two the one farther from 0. */
#define MX_TF32_OF(to, x) to = (as_uint(x) + 0x1000u) & 0xffffe000u

/* Copies under way: of the last STAGES groups. */
#define MODEL_COPIES ((PIECES(BLOCK_M) + ITEMS - 1) / ITEMS + (PIECES(BLOCK_N) + ITEMS - 1) / ITEMS)
#define MX_COPIES                                                                                                      \
    int copies_[STAGES] = {0}, to_[STAGES][MODEL_COPIES], group_ = 0, done_ = 0;                                       \
    __global const uint4 *from_[STAGES][MODEL_COPIES];
#define MX_COPY(to, from, inside)                                                                                      \
    {                                                                                                                  \
        to_[group_ % STAGES][copies_[group_ % STAGES]] = to;                                                           \
        from_[group_ % STAGES][copies_[group_ % STAGES]++] = (inside) ? (__global const uint4 *)(from) : 0;            \
    }
#define MX_COMMIT copies_[++group_ % STAGES] = 0;
#define MX_WAIT                                                                                                        \
    for (; done_ < group_ - (STAGES - 2); done_++)                                                                     \
        for (int c_ = 0; c_ < copies_[done_ % STAGES]; c_++)                                                           \
            *(__local uint4 *)(stages + to_[done_ % STAGES][c_]) =                                                     \
                from_[done_ % STAGES][c_] ? *from_[done_ % STAGES][c_] : (uint4)0;
