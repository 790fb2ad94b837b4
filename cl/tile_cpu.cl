/* tile_cpu.cl: what products on CPU devices share: a tile of ROWS rows of the left operand, read where it lies, or with
 * TRANS_A packed as well, times a packed panel of WIDE columns of the right one. Given: LANES, VECTORS, ROWS, T and V
 * (its vector), A_T, LOAD_A, TRANS_A. */
#define WIDE (LANES * VECTORS)
#define KEEP 256
#define TILES 16
#define CONCAT_(a, b) a##b
#define CONCAT(a, b) CONCAT_(a, b)

/* Vectors wherever they lie in the operands' memory; of private memory they are aligned. Some drivers make vload and
 * vstore of pieces. */
typedef struct __attribute__((packed)) loose {
    V v;
} loose;
#define FROM(p, i) (((__global const loose *)(p))[i].v)
#define OWN(p, i)  (((V *)(p))[i])

#if TRANS_A
#define LEFT_T       const T
#define LEFT(row, k) row[(k) * ROWS]
#else
#define LEFT_T       __global const A_T
#define LEFT(row, k) LOAD_A(row, k)
#endif

/* out (ROWS x WIDE) = or += rows i0 .. of a, values k0 .. k0 + n of k, times the panel. Rows beyond the last repeat it.
 * TRANS_A: a is no more than these values, as [n][ROWS]. */
static inline void multiply_tile(T *out, const T *panel, LEFT_T *a, int i0, int m, int k0, int n, int k_all,
                                 int is_first)
{
    V acc[ROWS][VECTORS];
    LEFT_T *row[ROWS];
#pragma unroll
    for (int r = 0; r < ROWS; r++) row[r] = a + (TRANS_A ? r : (long)min(i0 + r, m - 1) * k_all + k0);
#pragma unroll
    for (int r = 0; r < ROWS; r++)
#pragma unroll
        for (int v = 0; v < VECTORS; v++) acc[r][v] = is_first ? (V)(0) : OWN(out, r * VECTORS + v);
    for (int k = 0; k < n; k++) {
        V right[VECTORS];
#pragma unroll
        for (int v = 0; v < VECTORS; v++) right[v] = ((const V *)(panel + k * WIDE))[v];
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            const V left = (V)(LEFT(row[r], k));
#pragma unroll
            for (int v = 0; v < VECTORS; v++) acc[r][v] = left * right[v] + acc[r][v];
        }
    }
#pragma unroll
    for (int r = 0; r < ROWS; r++)
#pragma unroll
        for (int v = 0; v < VECTORS; v++) OWN(out, r * VECTORS + v) = acc[r][v];
}
