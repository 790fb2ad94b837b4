/* matmul_direct.cl: y = epilogue(op(a) op(b)) for CPU devices where packing b would not pay: both operands are read in
 * place, in whole vectors. A work-item makes a block of `per` rows by `width` columns, TALL x BROAD at a time in
 * private memory, or, with PLAIN, straight into y. No work-item waits for another.
 *
 * SUMS: the sums of op(a) over k are stored as well.
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
#define MASK CONCAT(int, LANES)
#if LANES == 16
#define PLACES ((MASK)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15))
#elif LANES == 8
#define PLACES ((MASK)(0, 1, 2, 3, 4, 5, 6, 7))
#else
#define PLACES ((MASK)(0, 1, 2, 3))
#endif

#ifdef __clang__ /* as one instruction each, which it doesn't make of the other form */
#if LANES == 16
#define EVEN(x, y) __builtin_shufflevector(x, y, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30)
#define ODD(x, y)  __builtin_shufflevector(x, y, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31)
#elif LANES == 8
#define EVEN(x, y) __builtin_shufflevector(x, y, 0, 2, 4, 6, 8, 10, 12, 14)
#define ODD(x, y)  __builtin_shufflevector(x, y, 1, 3, 5, 7, 9, 11, 13, 15)
#else
#define EVEN(x, y) __builtin_shufflevector(x, y, 0, 2, 4, 6)
#define ODD(x, y)  __builtin_shufflevector(x, y, 1, 3, 5, 7)
#endif
#else
#define EVEN(x, y) ((V)((x).even, (y).even))
#define ODD(x, y)  ((V)((x).odd, (y).odd))
#endif

/* Of x the sums of neighbours, then those of y. Done to pairs of as many vectors as they have lanes, then to pairs of
 * the results, and so on, it leaves in lane i the sum of vector i. */
#define PAIR(x, y) (EVEN(x, y) + ODD(x, y))
#define PAIRS(n, x)                                                                                                    \
    _Pragma("unroll") for (int i_ = 0; i_ < n; i_++) x[i_] = PAIR(x[2 * i_], x[2 * i_ + 1]);

/* out (ROWS x 4 of rows that are BROAD long) = rows i0 .. of a times rows j0 .. of b. What lies beyond the last row
 * repeats it. The last vector of k ends at k_all; what it shares with the one before counts once. */
static inline void multiply_tile(T *out, __global const T *a, int i0, int m, __global const T *b, int j0, int n,
                                 int k_all)
{
    V acc[ROWS * STEP];
    __global const T *left[ROWS], *right[STEP];
#pragma unroll
    for (int r = 0; r < ROWS; r++) left[r] = a + (long)min(i0 + r, m - 1) * k_all;
#pragma unroll
    for (int c = 0; c < STEP; c++) right[c] = b + (long)min(j0 + c, n - 1) * k_all;
#pragma unroll
    for (int i = 0; i < ROWS * STEP; i++) acc[i] = (V)(0);
    const int whole = k_all / LANES * LANES;
    for (int k = 0; k < whole; k += LANES) {
        V y[STEP];
#pragma unroll
        for (int c = 0; c < STEP; c++) y[c] = VLOAD(0, right[c] + k);
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            const V x = VLOAD(0, left[r] + k);
#pragma unroll
            for (int c = 0; c < STEP; c++) acc[r * STEP + c] = x * y[c] + acc[r * STEP + c];
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
            for (int c = 0; c < STEP; c++) acc[r * STEP + c] = x * y[c] + acc[r * STEP + c];
        }
    }
#pragma unroll
    for (int r = 0; r < ROWS; r += LANES / STEP) {
        V *sum = acc + r * STEP;
        T row[LANES];
#if LANES == 16
        PAIRS(8, sum)
#endif
#if LANES >= 8
        PAIRS(4, sum)
#endif
        PAIRS(2, sum)
        PAIRS(1, sum)
        VSTORE(sum[0], 0, row);
#pragma unroll
        for (int i = 0; i < LANES / STEP; i++) vstore4(vload4(i, row), 0, out + (r + i) * BROAD);
    }
}
#else
#define BROAD (2 * LANES)
#define STEP BROAD

/* PLAIN: there is no epilogue, and tiles go straight to y. */
#ifdef PLAIN
#define OUT __global T
#define OUT_STRIDE n
#else
#define OUT T
#define OUT_STRIDE BROAD
#endif

/* All but the first `skip` of BROAD values. */
static inline void store_row(OUT *out, int skip, V y0, V y1)
{
    if (!skip) {
        VSTORE(y0, 0, out);
        VSTORE(y1, 1, out);
        return;
    }
    T row[BROAD];
    VSTORE(y0, 0, row);
    VSTORE(y1, 1, row);
    for (int c = skip; c < BROAD; c++) out[c] = row[c];
}

/* out = rows i0 .. of op(a) times columns j0 .. of b, without the rows beyond the last and the first `skip` columns. */
static inline void multiply_tile(OUT *out, __global const T *a, int i0, int m, __global const T *b, int j0, int skip,
                                 int n, int k_all)
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
    for (int r = 0; r < ROWS; r++)
        if (i0 + r < m) store_row(out + (long)r * OUT_STRIDE, skip, acc[r][0], acc[r][1]);
}
#endif

#ifdef SUMS
#define SUMS_PARAMS __global T *restrict sums_buffer, ulong sums_offset,
/* Rows i0 .. last of op(a) (TRANS_A), added up over k. */
static inline void add_up(__global T *sums, __global const T *a, int i0, int last, int m, int k_all)
{
    for (int top = i0; top < last; top += TALL) {
        const int rows = min(TALL, last - top);
        T sum[TALL];
        for (int i = 0; i < rows; i++) sum[i] = 0;
        for (int k = 0; k < k_all; k++) {
            LOOP
            for (int i = 0; i < rows; i++) sum[i] += a[(long)k * m + top + i];
        }
        for (int i = 0; i < rows; i++) sums[top + i] = sum[i];
    }
}
#else
#define SUMS_PARAMS
#endif

#define GIVEN(j) product[j]
#ifdef DOT
#define TILE(out, a, i, m, b, j) multiply_tile(out, a, i, m, b, j, n, k_all)
#else
#define TILE(out, a, i, m, b, j) multiply_tile(out, a, i, m, b, j, 0, n, k_all)
#endif

__kernel ONE_ITEM void tn_matmul(ITEM_PARAM __global const T *restrict a_buffer, ulong a_offset,
                                 __global const T *restrict b_buffer, ulong b_offset, MAP_PARAMS int m, int n,
                                 int k_all, long a_stride, long b_stride, SUMS_PARAMS int chunks, int per, int width)
{
    const int panels = (n + width - 1) / width;
    int id = (int)ITEM;
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
#ifdef SUMS
    if (j0 == 0) add_up(sums_buffer + sums_offset + (long)batch * m, a, i0, last, m, k_all);
#endif
#ifdef PLAIN
    for (int i = i0; i < last; i += ROWS)
        multiply_tile(y0 + ((long)batch * m + i) * n + from, a, i, m, b, from, j0 - from, n, k_all);
#else
    T block[TALL * BROAD] __attribute__((aligned(64)));
    for (int top = i0; top < last; top += TALL) {
        const int end = min(top + TALL, last);
        for (int i = top; i < end; i += ROWS)
            for (int c = 0; c < columns; c += STEP)
                TILE(block + (i - top) * BROAD + c, a, i, m, b, from + c);
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
#endif
}
