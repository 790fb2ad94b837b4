/* matmul_pack.cl: the operands of a product on CPU devices, as its tiles (matmul_tile.cl) read them. Panels of WIDE
 * columns of the right one are packed. The left one is packed with TRANS_A, PACKED tiles of it at once; with COPY_LEFT a
 * tile's rows are copied, to lie where the nearest cache has room for them all; else it is read in place.
 *
 * Given: what tile_cpu.cl needs, SPAN, B_T, LOAD_B, TRANS_B; A_PLAIN, B_PLAIN: the operand's elements are of type T. */

/* Rows k .. k + n of the panel that begins at column j, as [n][WIDE]; what lies beyond column `columns` is not used,
 * but is read only where it is inside the matrix. */
static inline void pack(T *panel, __global const B_T *b, int k0, int n, int j, int columns, int ldb, int rows_b)
{
#if TRANS_B
    const int last = columns - 1 - j;
    int k = 0;
#if defined(ZIP) && defined(B_PLAIN)
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

#define PANEL (KEEP * WIDE + 4 * LANES) /* values between panels, which so don't meet in one set of the cache */
#if !TRANS_B && defined(B_PLAIN)
/* Rows k0 .. k0 + n of `count` panels from column j on that lie in the matrix, as pack() does each: by rows of all, so
 * that more of a page is read at once. */
static inline void pack_whole(T *panel, __global const B_T *b, int k0, int n, int j, int count, int ldb)
{
    for (int k = 0; k < n; k++) {
        __global const B_T *from = b + (long)(k0 + k) * ldb + j;
        for (int s = 0; s < count; s++)
#pragma unroll
            for (int v = 0; v < VECTORS; v++) OWN(panel + s * PANEL + k * WIDE, v) = FROM(from + s * WIDE, v);
    }
}
#endif

/* Panels of columns j .. end. */
static inline void pack_all(T *panel, __global const B_T *b, int k0, int n, int j, int end, int columns, int k_all)
{
    int s = 0;
#if !TRANS_B && defined(B_PLAIN)
    pack_whole(panel, b, k0, n, j, s = (end - j) / WIDE, columns);
#endif
    for (; j + s * WIDE < end; s++)
        pack(panel + s * PANEL, b, k0, n, j + s * WIDE, columns, TRANS_B ? k_all : columns, k_all);
}

#if TRANS_A
#define PACKED 4 /* tiles of the left operand at once: about whole lines of the cache */
#if ROWS <= LANES
#define BESIDE LANES /* values of a tile's k: a whole vector, though not all are the tile's */
#else
#define BESIDE ROWS
#endif
#define APART       (BESIDE * (KEEP + 2)) /* values between tiles, which so don't meet in one set of the cache */
#define LEFT_SIZE   (PACKED * APART)
#define LEFT_OF(t)  (left + (t) * APART)
#define LEFT(r, k)  a[(k) * BESIDE + r]
/* Rows i0 .. of op(a) in `count` tiles, values k0 .. k0 + n of k, as [count][KEEP][BESIDE]. Rows beyond the last are not
 * used: they are what follows in memory, or repeat it where nothing may. */
static inline void pack_left(T *left, __global const A_T *a, int i0, int m, int k0, int n, int k_all, int count)
{
    for (int k = 0; k < n; k++) {
        __global const A_T *from = a + (long)(k0 + k) * m + i0;
        if (i0 + PACKED * ROWS + LANES <= m || k0 + k + 1 + (PACKED * ROWS + LANES - 1) / m < k_all) {
#if defined(A_PLAIN) && ROWS <= LANES
            for (int t = 0; t < count; t++) OWN(LEFT_OF(t) + k * BESIDE, 0) = FROM(from + t * ROWS, 0);
#else
            for (int t = 0; t < count; t++)
                for (int r = 0; r < ROWS; r++) LEFT_OF(t)[k * BESIDE + r] = LOAD_A(from, t * ROWS + r);
#endif
        } else {
            for (int t = 0; t < count; t++)
                for (int r = 0; r < ROWS; r++)
                    LEFT_OF(t)[k * BESIDE + r] = LOAD_A(from, min(t * ROWS + r, m - 1 - i0));
        }
    }
}
#elif defined(COPY_LEFT)
#define PACKED      1
#define APART       (KEEP + LANES) /* values between rows, which so don't meet in one set of the cache */
#define LEFT_SIZE   (ROWS * APART)
#define LEFT_OF(t)  left
#define LEFT(r, k)  a[(r) * APART + (k)]
/* Rows of a, values k0 .. k0 + n of k, the rows after `last` as that. */
static inline void copy_left(T *left, __global const A_T *a, int last, int n, int k_all)
{
    for (int r = 0; r < ROWS; r++) {
        __global const A_T *from = a + (long)min(r, last) * k_all;
        int k = 0;
#ifdef A_PLAIN
        for (; k + LANES <= n; k += LANES) OWN(left + r * APART + k, 0) = FROM(from + k, 0);
#endif
        for (; k < n; k++) left[r * APART + k] = LOAD_A(from, k);
    }
}
#else
#define PACKED TILES
#endif
