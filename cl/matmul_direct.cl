/* matmul_direct.cl: y = epilogue(op(a) op(b)) for CPU devices where packing b would not pay: both operands are read in
 * place, in whole vectors. A work-item makes a block of `per` rows by `width` columns, TALL x BROAD at a time in
 * private memory. No work-item waits for another.
 *
 * Given: LANES, ROWS, T (float) and V (its vector), TRANS_A, and the epilogue as a map over (batch, m, n), see map.cl, whose
 * value 0 is the product. One of two tiles:
 * DOT: rows of a times rows of b, both contiguous along k: ROWS x 4 vectors of partial sums over k. k_all >= LANES.
 * Else: columns (TRANS_A) or rows of a, one value at a time, times rows of b: ROWS x 2 vectors of columns.
 * n >= 2 * LANES, and width is 2 * LANES. */
#define CONCAT_(a, b) a##b
#define CONCAT(a, b) CONCAT_(a, b)
#define VLOAD CONCAT(vload, LANES)
#define VSTORE CONCAT(vstore, LANES)
#define TALL (4 * ROWS)

#ifdef DOT
#define BROAD 64
#define STEP 4
#define T4 CONCAT(T, 4)
#define MASK CONCAT(int, LANES)
#if LANES == 16
#define PLACES ((MASK)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15))
#define FOLD(x) ((x).lo.lo + (x).lo.hi + ((x).hi.lo + (x).hi.hi))
#elif LANES == 8
#define PLACES ((MASK)(0, 1, 2, 3, 4, 5, 6, 7))
#define FOLD(x) ((x).lo + (x).hi)
#else
#define PLACES ((MASK)(0, 1, 2, 3))
#define FOLD(x) (x)
#endif

/* out (ROWS x 4 of rows that are BROAD long) = rows i0 .. of a times rows j0 .. of b. What lies beyond the last row
 * repeats it. The last vector of k ends at k_all; what it shares with the one before counts once. */
static inline void multiply_tile(T *out, __global const T *a, int i0, int m, __global const T *b, int j0, int n,
                                 int k_all)
{
    V acc[ROWS][STEP];
    __global const T *left[ROWS], *right[STEP];
#pragma unroll
    for (int r = 0; r < ROWS; r++) left[r] = a + (long)min(i0 + r, m - 1) * k_all;
#pragma unroll
    for (int c = 0; c < STEP; c++) right[c] = b + (long)min(j0 + c, n - 1) * k_all;
#pragma unroll
    for (int r = 0; r < ROWS; r++)
#pragma unroll
        for (int c = 0; c < STEP; c++) acc[r][c] = (V)(0);
    const int whole = k_all / LANES * LANES;
    for (int k = 0; k < whole; k += LANES) {
        V y[STEP];
#pragma unroll
        for (int c = 0; c < STEP; c++) y[c] = VLOAD(0, right[c] + k);
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            const V x = VLOAD(0, left[r] + k);
#pragma unroll
            for (int c = 0; c < STEP; c++) acc[r][c] = x * y[c] + acc[r][c];
        }
    }
    if (whole < k_all) {
        const int k = k_all - LANES;
        const MASK counts = PLACES >= (MASK)(whole - k);
        V y[STEP];
#pragma unroll
        for (int c = 0; c < STEP; c++) y[c] = select((V)(0), VLOAD(0, right[c] + k), counts);
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            const V x = select((V)(0), VLOAD(0, left[r] + k), counts);
#pragma unroll
            for (int c = 0; c < STEP; c++) acc[r][c] = x * y[c] + acc[r][c];
        }
    }
#pragma unroll
    for (int r = 0; r < ROWS; r++) {
        const T4 p = FOLD(acc[r][0]), q = FOLD(acc[r][1]), s = FOLD(acc[r][2]), t = FOLD(acc[r][3]);
        vstore4((T4)(p.s0, q.s0, s.s0, t.s0) + (T4)(p.s1, q.s1, s.s1, t.s1) +
                    ((T4)(p.s2, q.s2, s.s2, t.s2) + (T4)(p.s3, q.s3, s.s3, t.s3)),
                0, out + r * BROAD);
    }
}
#else
#define BROAD (2 * LANES)
#define STEP BROAD

/* out (ROWS x BROAD) = rows i0 .. of op(a) times columns j0 .. of b. Rows beyond the last repeat it. */
static inline void multiply_tile(T *out, __global const T *a, int i0, int m, __global const T *b, int j0, int n,
                                 int k_all)
{
    V acc[ROWS][2];
    __global const T *left[ROWS];
    const int step = TRANS_A ? m : 1;
#pragma unroll
    for (int r = 0; r < ROWS; r++) left[r] = a + (long)min(i0 + r, m - 1) * (TRANS_A ? 1 : k_all);
#pragma unroll
    for (int r = 0; r < ROWS; r++) acc[r][0] = acc[r][1] = (V)(0);
    b += j0;
    for (int k = 0; k < k_all; k++) {
        const V y0 = VLOAD(0, b), y1 = VLOAD(1, b);
        b += n;
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            const V x = (V)(left[r][(long)k * step]);
            acc[r][0] = x * y0 + acc[r][0];
            acc[r][1] = x * y1 + acc[r][1];
        }
    }
#pragma unroll
    for (int r = 0; r < ROWS; r++) {
        VSTORE(acc[r][0], 0, out + r * BROAD);
        VSTORE(acc[r][1], 1, out + r * BROAD);
    }
}
#endif

#define GIVEN(j) product[j]

__kernel ONE_ITEM void tn_matmul(__global const T *restrict a_buffer, ulong a_offset,
                                 __global const T *restrict b_buffer, ulong b_offset, MAP_PARAMS int m, int n,
                                 int k_all, long a_stride, long b_stride, int chunks, int per, int width)
{
    const int panels = (n + width - 1) / width;
    int id = (int)get_global_id(0);
    const int j0 = id % panels * width, columns = min(width, n - j0);
    id /= panels;
    const int i0 = id % chunks * per, last = min(i0 + per, m), batch = id / chunks;
    MAP_POINTERS
    __global const T *a = a_buffer + a_offset + batch * a_stride;
    __global const T *b = b_buffer + b_offset + batch * b_stride;
#ifdef DOT
    const int from = j0;
#else
    const int from = min(j0, n - BROAD); /* the last panel may share columns with the one before: it stores its own */
#endif
    T block[TALL * BROAD] __attribute__((aligned(64)));
    for (int top = i0; top < last; top += TALL) {
        const int end = min(top + TALL, last);
        for (int c = 0; c < columns; c += STEP)
            for (int i = top; i < end; i += ROWS)
                multiply_tile(block + (i - top) * BROAD + c, a, i, m, b, from + c, n, k_all);
        for (int i = top; i < end; i++) {
            const T *product = block + (i - top) * BROAD - from;
            MAP_ROW((IX)batch * m + i, 0)
            LOOP
            for (IX j = j0; j < j0 + columns; j++) {
                MAP_VALUES(j)
                MAP_STORE(j)
            }
        }
    }
}
