/* move.cl: operators that only move elements. T: an integer type of the element's size. */
#ifdef IS_TRANSPOSE
/* The output as (d5, d4, d3, d2, d1, d0, a, b), b innermost; the input's strides of the same dimensions. In blocks of
 * BLOCK x BROAD over a and b: a is the dimension that is innermost in the input, or with RUNS, where that is b as well,
 * the next one of the output. */
#define BLOCK 16
#ifdef RUNS
#define BROAD 1024
#define XB    1
#else
#define BROAD BLOCK
#define XB    xb
#endif
#define PARAMS                                                                                                         \
    __global const T *x_buffer, ulong x_offset, __global T *y_buffer, ulong y_offset, IX na, IX nb, IX xa, IX xb,      \
        IX ya, IX n0, IX x0, IX y0, IX n1, IX x1, IX y1, IX n2, IX x2, IX y2, IX n3, IX x3, IX y3, IX n4, IX x4,       \
        IX y4, IX n5, IX x5, IX y5, IX blocks, IX per
#define DIGIT(d) at_x += rest % n##d * x##d, at_y += rest % n##d * y##d, rest /= n##d;
#define PLACE(block)                                                                                                   \
    const IX blocks_b = (nb + BROAD - 1) / BROAD, blocks_a = (na + BLOCK - 1) / BLOCK;                                 \
    IX rest = block, at_x = 0, at_y = 0;                                                                               \
    const IX b0 = rest % blocks_b * BROAD;                                                                             \
    rest /= blocks_b;                                                                                                  \
    const IX a0 = rest % blocks_a * BLOCK;                                                                             \
    rest /= blocks_a;                                                                                                  \
    DIGIT(0) DIGIT(1) DIGIT(2) DIGIT(3) DIGIT(4) DIGIT(5)                                                              \
    __global const T *x = x_buffer + x_offset + at_x;                                                                  \
    __global T *y = y_buffer + y_offset + at_y;
#ifdef CPU_SHAPE
/* A work-item: `per` neighbouring blocks. */
__kernel ONE_ITEM void tn_transpose(ITEM_PARAM PARAMS)
{
    const IX begin = (IX)ITEM * per, end = min(begin + per, blocks);
    for (IX block = begin; block < end; block++) {
        PLACE(block)
        const IX a1 = min(a0 + BLOCK, na), b1 = min(b0 + BROAD, nb);
        for (IX a = a0; a < a1; a++) {
            LOOP
            for (IX b = b0; b < b1; b++) y[a * ya + b] = x[a * xa + b * XB];
        }
    }
}
#else
__kernel __attribute__((reqd_work_group_size(BLOCK, BLOCK, 1))) void tn_transpose(PARAMS)
{
    __local T tile[BLOCK][BLOCK + 1];
    PLACE((IX)get_group_id(0))
    const int u = (int)get_local_id(0), v = (int)get_local_id(1);
    if (a0 + u < na && b0 + v < nb) tile[v][u] = x[(a0 + u) * xa + (b0 + v) * XB];
    barrier(CLK_LOCAL_MEM_FENCE);
    if (a0 + v < na && b0 + u < nb) y[(a0 + v) * ya + b0 + u] = tile[u][v];
}
#endif
#endif

#ifdef IS_GATHER
/* y[i][j] = x[index[i]][j], zero for an index outside. CPU: a work-item takes `per` rows, of which those that come
 * AHEAD later are fetched. */
#define AHEAD 4
#define LINE  (64 / (int)sizeof(T))
__kernel void tn_gather(ITEM_PARAM __global const T *x_buffer, ulong x_offset, __global const int *index_buffer,
                        ulong index_offset, __global T *y_buffer, ulong y_offset, IX n, IX d, IX m, IX per)
{
    __global const T *x = x_buffer + x_offset;
    __global const int *index = index_buffer + index_offset;
    __global T *y = y_buffer + y_offset;
#ifdef CPU_SHAPE
    const IX begin = (IX)ITEM * per, end = min(begin + per, m);
    for (IX i = begin; i < end; i++) {
        const int row = index[i], inside = row >= 0 && row < n;
        const int later = i + AHEAD < end ? index[i + AHEAD] : 0;
        if (d >= LINE && later >= 0 && later < n)
            for (IX j = 0; j < d; j += LINE) FETCH(x + later * d + j)
        if (inside) {
            LOOP
            for (IX j = 0; j < d; j++) y[i * d + j] = x[row * d + j];
        } else {
            for (IX j = 0; j < d; j++) y[i * d + j] = 0;
        }
    }
#else
    const IX e = (IX)ITEM;
    if (e >= m * d) return;
    const int row = index[e / d];
    y[e] = row >= 0 && row < n ? x[row * d + e % d] : (T)0;
#endif
}
#endif

#ifdef IS_WINDOW
/* y = x from `start` on, `count` elements. CPU: a work-item takes `per` elements. */
__kernel void tn_window(ITEM_PARAM
                        __global const T *x_buffer, ulong x_offset, __global T *y_buffer, ulong y_offset, ulong start,
                        IX row, IX count, IX per)
{
    __global const T *x = x_buffer + x_offset + start * (ulong)row;
    __global T *y = y_buffer + y_offset;
#ifdef CPU_SHAPE
    const IX begin = (IX)ITEM * per, end = min(begin + per, count);
    LOOP
    for (IX i = begin; i < end; i++) y[i] = x[i];
#else
    const IX i = (IX)ITEM;
    if (i < count) y[i] = x[i];
#endif
}
#endif
