/* matmul_tile.cl: a tile of a product on CPU devices: ROWS rows times ACROSS vectors of a packed panel, whose sums stay
 * in registers. What is written once is tile_wide, for the panel's VECTORS; again, tile_narrow, for its first one.
 * TO_MEMORY: sums are made where they belong; else aside, as [ROWS][WIDE]. */
#ifndef OUT
#ifdef TO_MEMORY
#define OUT __global T
#define PLACE(r, v) (((__global loose_out *)(out + (long)(r) * step))[v].v)
typedef struct __attribute__((packed)) loose_out {
    V v;
} loose_out;
#else
#define OUT         T
#define PLACE(r, v) OWN(out, (r) * VECTORS + (v))
#endif
#ifdef LEFT_OF
#define LEFT_T      const T
#define VALUE(r, k) LEFT(r, k)
#else
#define LEFT_T      __global const A_T
#define VALUE(r, k) LOAD_A(row[r], k)
#endif
#define TILE_PARAMS                                                                                                    \
    OUT *out, long step, int rows, int columns, const T *panel, LEFT_T *a, int a_step, int last, int n, int is_first
#define ACROSS VECTORS
#else
#undef ACROSS
#define ACROSS 1
#define ONE_ACROSS
#endif

/* out (rows x columns, `step` apart) = or += the tile's rows of the left operand times the panel, n values of k. It has
 * ROWS rows where it is packed or copied; else those after `last` are not there, and they are a_step apart. */
#ifdef ONE_ACROSS
static inline void tile_narrow(TILE_PARAMS)
#else
static inline void tile_wide(TILE_PARAMS)
#endif
{
    V acc[ROWS][ACROSS];
#ifndef LEFT_OF
    LEFT_T *row[ROWS];
#pragma unroll
    for (int r = 0; r < ROWS; r++) row[r] = a + (long)min(r, last) * a_step;
#endif
#ifdef TO_MEMORY
#pragma unroll
    for (int r = 0; r < ROWS; r++) FETCH_TO(out + (r < rows ? r : 0) * step)
#endif
#pragma unroll
    for (int r = 0; r < ROWS; r++)
#pragma unroll
        for (int v = 0; v < ACROSS; v++) acc[r][v] = (V)(0);
    for (int k = 0; k < n; k++) {
        V right[ACROSS];
#pragma unroll
        for (int v = 0; v < ACROSS; v++) right[v] = ((const V *)(panel + k * WIDE))[v];
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            const V left = (V)(VALUE(r, k));
#pragma unroll
            for (int v = 0; v < ACROSS; v++) acc[r][v] = left * right[v] + acc[r][v];
        }
    }
#ifdef TO_MEMORY
    if (rows < ROWS || columns < ACROSS * LANES) {
        T aside[ROWS * ACROSS * LANES] __attribute__((aligned(64)));
#pragma unroll
        for (int r = 0; r < ROWS; r++)
#pragma unroll
            for (int v = 0; v < ACROSS; v++) OWN(aside, r * ACROSS + v) = acc[r][v];
        for (int r = 0; r < rows; r++)
            for (int c = 0; c < columns; c++)
                out[r * step + c] = aside[r * ACROSS * LANES + c] + (is_first ? 0 : out[r * step + c]);
        return;
    }
#endif
#pragma unroll
    for (int r = 0; r < ROWS; r++)
#pragma unroll
        for (int v = 0; v < ACROSS; v++) PLACE(r, v) = is_first ? acc[r][v] : PLACE(r, v) + acc[r][v];
}
