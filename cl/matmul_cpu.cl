/* matmul_cpu.cl: y = epilogue(op(a) op(b)) for CPU devices. A work-item multiplies some tiles of ROWS rows by at most
 * SPAN panels of WIDE columns, which it first packs into private memory, KEEP values of k at a time. No work-item waits
 * for another.
 *
 * Given: tile_cpu.cl, matmul_pack.cl, matmul_tile.cl for whole panels as tile_wide and, with NARROW, for one vector of
 * columns as tile_narrow; and the epilogue as a map over (batch, m, n), see map.cl, whose value 0 is the product. PLAIN:
 * there is none. SPLIT: work-items divide k as well and leave partial products in scratch, which tn_matmul_finish adds.
 * SUMS: tn_matmul_sums is wanted. */

#define GIVEN(j) product[j]
#ifdef SPLIT
#define LAST_PARAMS __global uchar *scratch_buffer, ulong scratch_offset, int segments, int segment_length,
#define TO (partial + (long)i0 * n + j0), n
#else
#define LAST_PARAMS MAP_PARAMS
#ifdef PLAIN
#define TO (y0 + ((long)batch * m + i0) * n + j0), n
#else
#define ASIDE
#define TO tile[s][t - group], WIDE
#endif
#endif
#ifdef NARROW
#define TILE_PRODUCT(...)                                                                                              \
    {                                                                                                                  \
        if (columns > LANES)                                                                                           \
            tile_wide(__VA_ARGS__);                                                                                    \
        else                                                                                                           \
            tile_narrow(__VA_ARGS__);                                                                                  \
    }
#else
#define TILE_PRODUCT(...) tile_wide(__VA_ARGS__)
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
    T panel[SPAN][PANEL] __attribute__((aligned(64)));
#ifdef ASIDE
    const int in_group = TILES;
    T tile[SPAN][TILES][ROWS * WIDE] __attribute__((aligned(64)));
#else
    const int in_group = last;
#endif
#ifdef LEFT_OF
    T left[LEFT_SIZE] __attribute__((aligned(64)));
#endif
    for (int group = chunk * per; group < last; group += in_group) {
        const int group_end = min(group + in_group, last);
        int k0 = k_begin;
        do {
            const int kn = min(KEEP, k_end - k0);
            const int packs = k_end - k_begin > KEEP || group == chunk * per;
            if (packs) pack_all(panel[0], b, k0, kn, begin, end, n, k_all);
            for (int some = group; some < group_end; some += PACKED) {
                const int some_end = min(some + PACKED, group_end);
#if TRANS_A
                pack_left(left, a, some * ROWS, m, k0, kn, k_all, some_end - some);
#endif
                for (int s = 0, j0 = begin; j0 < end; s++, j0 += WIDE) {
                    const int columns = min(WIDE, n - j0);
                    for (int t = some; t < some_end; t++) {
                        const int i0 = t * ROWS, rows = min(ROWS, m - i0);
#ifdef LEFT_OF
                        LEFT_T *mine = LEFT_OF(t - some);
#else
                        LEFT_T *mine = a + (long)i0 * k_all + k0;
#endif
#ifdef COPY_LEFT
                        if (j0 == begin) copy_left(left, a + (long)i0 * k_all + k0, m - 1 - i0, kn, k_all);
#endif
#if defined(MAP_FETCHES) && defined(ASIDE)
                        for (int i = i0; k0 + KEEP >= k_end && i < i0 + rows; i++) {
                            MAP_ROW((IX)batch * m + i, 0)
                            for (int v = 0; v < VECTORS; v++) MAP_FETCH(j0 + v * LANES)
                        }
#endif
                        TILE_PRODUCT(TO, rows, columns, panel[s], mine, k_all, m - 1 - i0, kn, k0 == k_begin);
#ifdef ASIDE
                        for (int r = 0; k0 + KEEP >= k_end && r < rows; r++) {
                            const T *product = tile[s][t - group] + r * WIDE - j0;
                            MAP_ROW((IX)batch * m + i0 + r, 0)
                            LOOP_ROW
                            for (IX j = j0; j < j0 + columns; j++) {
                                MAP_VALUES(j)
                                MAP_STORE(j)
                            }
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
