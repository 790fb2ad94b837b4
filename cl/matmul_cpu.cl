/* matmul_cpu.cl: y = epilogue(op(a) op(b)) for CPU devices. A work-item multiplies some tiles of ROWS rows by at most
 * SPAN panels of WIDE columns, which it first packs into private memory, KEEP values of k at a time; products of a tile
 * stay in registers. With TRANS_A it packs the left operand as well, once for all its panels. No work-item waits for
 * another.
 *
 * Given: what tile_cpu.cl needs, B_T, LOAD_B, TRANS_B, and the epilogue as a map over (batch, m, n), see map.cl, whose
 * value 0 is the product. SPLIT: work-items divide k as well and leave partial products in scratch, which
 * tn_matmul_finish adds. SUMS: tn_matmul_sums is wanted. */

#if TRANS_B && defined(B_PLAIN) && defined(__clang__)
/* x0 y0 x1 y1 .. of the first halves of two vectors, and of the second ones. Done to vectors i and i + LANES / 2, for
 * all i and log2(LANES) times, it turns rows into columns. */
#if LANES == 16
#define ZIP_LOW(x, y)  __builtin_shufflevector(x, y, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define ZIP_HIGH(x, y) __builtin_shufflevector(x, y, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
#define TURN(x, y)     ZIP(x, y) ZIP(y, x) ZIP(x, y) ZIP(y, x)
#elif LANES == 8
#define ZIP_LOW(x, y)  __builtin_shufflevector(x, y, 0, 8, 1, 9, 2, 10, 3, 11)
#define ZIP_HIGH(x, y) __builtin_shufflevector(x, y, 4, 12, 5, 13, 6, 14, 7, 15)
#define TURN(x, y)     ZIP(x, y) ZIP(y, x) ZIP(x, y) COPY(y, x)
#endif
#define COPY(from, to) _Pragma("unroll") for (int i_ = 0; i_ < LANES; i_++) to[i_] = from[i_];
#if LANES >= 8
#define ZIP(from, to)                                                                                                  \
    _Pragma("unroll") for (int i_ = 0; i_ < LANES / 2; i_++)                                                           \
    {                                                                                                                  \
        to[2 * i_] = ZIP_LOW(from[i_], from[i_ + LANES / 2]);                                                          \
        to[2 * i_ + 1] = ZIP_HIGH(from[i_], from[i_ + LANES / 2]);                                                     \
    }
#endif
#endif

/* Rows k .. k + n of the panel that begins at column j, as [n][WIDE]; what lies beyond column `columns` is not used,
 * but is read only where it is inside the matrix. */
static inline void pack(T *panel, __global const B_T *b, int k0, int n, int j, int columns, int ldb, int rows_b)
{
#if TRANS_B
    const int last = columns - 1 - j;
    int k = 0;
#ifdef ZIP
    while (k < n && n >= LANES) {
        const int at = min(k, n - LANES); /* the last block may share values with the one before */
#pragma unroll
        for (int v = 0; v < VECTORS; v++) {
            V x[LANES], y[LANES];
#pragma unroll
            for (int c = 0; c < LANES; c++) x[c] = FROM(b + (long)(j + min(v * LANES + c, last)) * ldb + k0 + at, 0);
            TURN(x, y)
#pragma unroll
            for (int i = 0; i < LANES; i++) OWN(panel + (at + i) * WIDE, v) = x[i];
        }
        k = at + LANES;
    }
#endif
    for (int c = 0; c < WIDE; c++) {
        __global const B_T *from = b + (long)(j + min(c, last)) * ldb + k0;
        for (int i = k; i < n; i++) panel[i * WIDE + c] = LOAD_B(from, i);
    }
#else
    for (int k = 0; k < n; k++) {
        __global const B_T *from = b + (long)(k0 + k) * ldb + j;
#ifdef B_PLAIN
        if (j + WIDE <= columns || k0 + k + 1 + (WIDE - 1) / columns < rows_b) {
#else
        if (j + WIDE <= columns) {
#endif
#pragma unroll
            for (int v = 0; v < VECTORS; v++) {
#ifdef B_PLAIN
                OWN(panel + k * WIDE, v) = FROM(from, v);
#else
                for (int l = 0; l < LANES; l++) panel[k * WIDE + v * LANES + l] = LOAD_B(from, v * LANES + l);
#endif
            }
        } else {
            for (int c = 0; c < WIDE; c++) panel[k * WIDE + c] = j + c < columns ? LOAD_B(from, c) : 0;
        }
    }
#endif
}

#if TRANS_A
#define PACKED 4         /* tiles of the left operand at once: whole lines of the cache */
#define APART  (KEEP + 2) /* rows between tiles, which so don't meet in one set of the cache */
#if defined(A_PLAIN) && ROWS == 8
#define COLUMN CONCAT(T, 8)
typedef struct __attribute__((packed)) loose_column {
    COLUMN v;
} loose_column;
#endif
/* Rows i0 .. of op(a), values k0 .. k0 + n of k, as [PACKED][KEEP][ROWS]. Rows beyond the last are not used: they are
 * what follows in memory, or repeat it where nothing may. */
static inline void pack_left(T *left, __global const A_T *a, int i0, int m, int k0, int n, int k_all)
{
    for (int k = 0; k < n; k++) {
        __global const A_T *from = a + (long)(k0 + k) * m + i0;
        if (i0 + PACKED * ROWS <= m || k0 + k + 1 + (PACKED * ROWS - 1) / m < k_all) {
#pragma unroll
#ifdef COLUMN
            for (int t = 0; t < PACKED; t++) *(COLUMN *)(left + (t * APART + k) * ROWS) = ((__global const loose_column *)from)[t].v;
#else
            for (int i = 0; i < PACKED * ROWS; i++) left[(i / ROWS * APART + k) * ROWS + i % ROWS] = LOAD_A(from, i);
#endif
        } else {
            for (int i = 0; i < PACKED * ROWS; i++)
                left[(i / ROWS * APART + k) * ROWS + i % ROWS] = LOAD_A(from, min(i, m - 1 - i0));
        }
    }
}
#else
#define PACKED 1
#endif

#define GIVEN(j) product[j]
#ifdef SPLIT
#define LAST_PARAMS __global uchar *scratch_buffer, ulong scratch_offset, int segments, int segment_length,
#else
#define LAST_PARAMS MAP_PARAMS
#endif

__kernel ONE_ITEM void tn_matmul(ITEM_PARAM __global const A_T *restrict a_buffer, ulong a_offset,
                                 __global const B_T *restrict b_buffer, ulong b_offset, LAST_PARAMS int m, int n,
                                 int k_all, long a_stride, long b_stride, int chunks, int per)
{
    const int spans = (n + SPAN * WIDE - 1) / (SPAN * WIDE), tiles = (m + ROWS - 1) / ROWS;
    int id = (int)ITEM;
    const int begin = id % spans * (SPAN * WIDE), end = min(begin + SPAN * WIDE, n);
    id /= spans;
    const int chunk = id % chunks;
    id /= chunks;
#ifdef SPLIT
    const int segment = id % segments;
    id /= segments;
    const int k_begin = segment * segment_length, k_end = min(k_begin + segment_length, k_all);
    __global T *partial = (__global T *)(scratch_buffer + scratch_offset) + (segment + (long)id * segments) * m * n;
#else
    const int k_begin = 0, k_end = k_all;
    MAP_POINTERS
#endif
    const int batch = id, last = min(chunk * per + per, tiles);
    __global const A_T *a = a_buffer + a_offset + batch * a_stride;
    __global const B_T *b = b_buffer + b_offset + batch * b_stride;
    T panel[SPAN][KEEP * WIDE] __attribute__((aligned(64)));
    T tile[SPAN][TILES][ROWS * WIDE] __attribute__((aligned(64)));
#if TRANS_A
    T left[PACKED * APART * ROWS] __attribute__((aligned(64)));
#endif
    for (int group = chunk * per; group < last; group += TILES) {
        const int group_end = min(group + TILES, last);
        int k0 = k_begin;
        do {
            const int kn = min(KEEP, k_end - k0);
            if (k_end - k_begin > KEEP || group == chunk * per)
                for (int s = 0; s * WIDE < end - begin; s++)
                    pack(panel[s], b, k0, kn, begin + s * WIDE, n, TRANS_B ? k_all : n, k_all);
            for (int some = group; some < group_end; some += PACKED) {
#if TRANS_A
                pack_left(left, a, some * ROWS, m, k0, kn, k_all);
#endif
                for (int at = 0; at < PACKED * SPAN; at++) {
                    const int t = some + at % PACKED, s = at / PACKED, j0 = begin + s * WIDE;
                    if (t >= group_end || j0 >= end) continue;
                    T *out = tile[s][t - group];
#if defined(MAP_FETCHES) && !defined(SPLIT)
                    for (int i = t * ROWS; k0 + KEEP >= k_end && i < min(t * ROWS + ROWS, m); i++) {
                        MAP_ROW((IX)batch * m + i, 0)
                        for (int v = 0; v < VECTORS; v++) MAP_FETCH(j0 + v * LANES)
                    }
#endif
#if TRANS_A
                    multiply_tile(out, panel[s], left + at % PACKED * APART * ROWS, 0, ROWS, 0, kn, kn, k0 == k_begin);
#else
                    multiply_tile(out, panel[s], a, t * ROWS, m, k0, kn, k_all, k0 == k_begin);
#endif
                    if (k0 + KEEP < k_end) continue;
                    const int rows = min(ROWS, m - t * ROWS), columns = min(WIDE, n - j0);
                    for (int r = 0; r < rows; r++) {
                        const int i = t * ROWS + r;
                        const T *product = out + r * WIDE - j0;
#ifdef SPLIT
                        LOOP
                        for (int j = j0; j < j0 + columns; j++) partial[(long)i * n + j] = product[j];
#else
                        MAP_ROW((IX)batch * m + i, 0)
                        LOOP_ROW
                        for (IX j = j0; j < j0 + columns; j++) {
                            MAP_VALUES(j)
                            MAP_STORE(j)
                        }
#endif
                    }
                }
            }
            k0 += KEEP;
        } while (k0 < k_end);
    }
}

#ifdef SPLIT
/* A work-item: `per` rows of all batches. */
__kernel ONE_ITEM void tn_matmul_finish(ITEM_PARAM __global uchar *scratch_buffer, ulong scratch_offset, int segments,
                                        MAP_PARAMS int m, int n, int rows, int per)
{
    MAP_POINTERS
    const int begin = (int)ITEM * per, end = min(begin + per, rows);
    for (int i = begin; i < end; i++) {
        __global const T *partial = (__global const T *)(scratch_buffer + scratch_offset) +
                                    ((long)(i / m) * segments * m + i % m) * n;
        MAP_ROW((IX)i, 0)
        for (int at = 0; at < n; at += KEEP) {
            T sum[KEEP];
            const int count = min(KEEP, n - at);
            for (int l = 0; l < count; l++) sum[l] = 0;
            for (int s = 0; s < segments; s++) {
                LOOP
                for (int l = 0; l < count; l++) sum[l] += partial[(long)s * m * n + at + l];
            }
            const T *product = sum - at;
            LOOP_ROW
            for (IX j = at; j < at + count; j++) {
                MAP_VALUES(j)
                MAP_STORE(j)
            }
        }
    }
}
#endif

#ifdef SUMS
#define BLOCK 64
/* With TRANS_A: the sums of op(a) over k. A work-item: `per` neighbouring rows of op(a). */
__kernel ONE_ITEM void tn_matmul_sums(ITEM_PARAM __global const A_T *a_buffer, ulong a_offset, __global T *sums_buffer,
                                      ulong sums_offset, int m, int k_all, long a_stride, int per)
{
    const int parts = (m + per - 1) / per, batch = (int)ITEM / parts;
    const int begin = (int)ITEM % parts * per, end = min(begin + per, m);
    __global const A_T *a = a_buffer + a_offset + batch * a_stride;
    for (int top = begin; top < end; top += BLOCK) {
        const int rows = min(BLOCK, end - top);
        T sum[BLOCK];
        for (int i = 0; i < rows; i++) sum[i] = 0;
        for (int k = 0; k < k_all; k++) {
            LOOP
            for (int i = 0; i < rows; i++) sum[i] += LOAD_A(a, (long)k * m + top + i);
        }
        for (int i = 0; i < rows; i++) sums_buffer[sums_offset + (long)batch * m + top + i] = sum[i];
    }
}
#endif
