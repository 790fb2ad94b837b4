/* attend_grad.cl: what dy of attention in tiles means for queries, keys and values, on GPU devices. The weights of a
 * block are made again from the scores and the logarithms of their sums; what a query's weights lose to each other, the
 * sum of dy y, is made before, by tn_attend_means. A work-group has BLOCK_M queries of a head, and goes through the
 * keys; or, with BY_KEYS, BLOCK_M keys of a group, and goes through the queries of all its heads: so nothing is added
 * up by two.
 *
 * Given: what attend_block.cl needs; BY_KEYS; WIDE_D and WIDE_E, vectors in a row of what is made for queries or keys,
 * and for values: 0 if that is not made. */
#ifdef MEANS
__kernel void tn_attend_means(ITEM_PARAM __global const uchar *y_buffer, ulong y_offset,
                              __global const uchar *dy_buffer, ulong dy_offset, __global uchar *to_buffer,
                              ulong to_offset, int e, int total)
{
    const int row = (int)ITEM;
    if (row >= total) return;
    __global const float *y = (__global const float *)(y_buffer + y_offset) + (long)row * e;
    __global const float *dy = (__global const float *)(dy_buffer + dy_offset) + (long)row * e;
    float sum = 0;
    for (int c = 0; c < e; c++) sum += dy[c] * y[c];
    ((__global float *)(to_buffer + to_offset))[row] = sum;
}
#else
/* Puts what a work-item has of a block, by columns, to where the next product takes it from. */
#define TURN(x)                                                                                                        \
    _Pragma("unroll") for (int c = 0; c < 4; c++) turned[(4 * u + c) * STEP_M + v] = (x)[c];                           \
    barrier(CLK_LOCAL_MEM_FENCE);

__kernel __attribute__((reqd_work_group_size(SIDE_U, SIDE_V, 1))) void
tn_attend_grad(__global const uchar *q_buffer, ulong q_offset, __global const uchar *k_buffer, ulong k_offset,
               __global const uchar *v_buffer, ulong v_offset, __global const uchar *y_buffer, ulong y_offset,
               __global const uchar *dy_buffer, ulong dy_offset, MASK_PARAMS __global const uchar *mean_buffer,
               ulong mean_offset, __global uchar *to_buffer, ulong to_offset, int heads, int groups, int n, int m,
               int d, int e, float scale, int first, int all)
{
    __local V4 room[ROOM], turned[BLOCK_N * STEP_M];
    const uint lane = (uint)(get_local_id(1) * SIDE_U + get_local_id(0));
    const int u = lane_u(lane), v = lane_v(lane), each = heads / groups, rows = BY_KEYS ? m : n;
    const int blocks = (rows + BLOCK_M - 1) / BLOCK_M, outer = (int)get_group_id(0) / blocks;
    const int i0 = (int)get_group_id(0) % blocks * BLOCK_M, group = BY_KEYS ? outer : outer / each;
    __global const float *key = (__global const float *)(k_buffer + k_offset) + (long)group * m * d;
    __global const float *value = (__global const float *)(v_buffer + v_offset) + (long)group * m * e;
    __global float *to = (__global float *)(to_buffer + to_offset);
#if WIDE_D
    V4 to_d[4 * WIDE_D];
#pragma unroll
    for (int h = 0; h < 4 * WIDE_D; h++) to_d[h] = (V4)(0);
#endif
#if WIDE_E
    V4 to_e[4 * WIDE_E];
#pragma unroll
    for (int h = 0; h < 4 * WIDE_E; h++) to_e[h] = (V4)(0);
#endif
#if BY_KEYS
    const int begin = CAUSAL ? max(0, i0 - first) / BLOCK_N * BLOCK_N : 0, end = n;
    for (int head = outer * each; head < (outer + 1) * each; head++) {
#else
    const int begin = 0, end = CAUSAL ? (int)min((long)first + i0 + BLOCK_M, (long)m) : m;
    {
        const int head = outer;
#endif
        __global const float *q = (__global const float *)(q_buffer + q_offset) + (long)head * n * d;
        __global const float *dy = (__global const float *)(dy_buffer + dy_offset) + (long)head * n * e;
        __global const float *mean = (__global const float *)(mean_buffer + mean_offset) + (long)head * n;
        __global const float *logarithm =
            (__global const float *)(y_buffer + y_offset) + ((long)all * e + (long)head * n);
#ifdef MASK
        __global const MASK *mask = MASK_OF(head);
#endif
        for (int j0 = begin; j0 < end; j0 += BLOCK_N) {
            V4 s[4] = {(V4)(0), (V4)(0), (V4)(0), (V4)(0)}, weight[4];
#if BY_KEYS
            ADD_PRODUCTS_OF(s, key, i0, m, q, j0, n, d)
#else
            ADD_PRODUCTS_OF(s, q, i0, n, key, j0, m, d)
#endif
#pragma unroll
            for (int c = 0; c < 4; c++) {
                float w[4];
#pragma unroll
                for (int r = 0; r < 4; r++) {
                    const int own = i0 + 4 * v + r, other = j0 + 4 * u + c;
                    const int i = BY_KEYS ? other : own, j = BY_KEYS ? own : other;
                    SCORE(score, seen, PART(s[r], c), i, j)
                    w[r] = seen ? exp(score - logarithm[i]) : 0;
                }
                weight[c] = (V4)(w[0], w[1], w[2], w[3]);
            }
#if WIDE_E
            TURN(weight)
            ADD_MEANS_OF(to_e, WIDE_E, dy, j0, n, e)
#endif
#if WIDE_D
            V4 t[4] = {(V4)(0), (V4)(0), (V4)(0), (V4)(0)};
#if BY_KEYS
            ADD_PRODUCTS_OF(t, value, i0, m, dy, j0, n, e)
#else
            ADD_PRODUCTS_OF(t, dy, i0, n, value, j0, m, e)
#endif
#pragma unroll
            for (int c = 0; c < 4; c++) {
                float x[4];
#pragma unroll
                for (int r = 0; r < 4; r++) {
                    const int i = min(BY_KEYS ? j0 + 4 * u + c : i0 + 4 * v + r, n - 1);
                    const float w = PART(weight[c], r), slope = w * (PART(t[r], c) - mean[i]) * scale;
                    x[r] = w == 0 ? 0 : slope; /* what is hidden has none, whatever its value is */
                }
                weight[c] = (V4)(x[0], x[1], x[2], x[3]);
            }
            TURN(weight)
#if BY_KEYS
            ADD_MEANS_OF(to_d, WIDE_D, q, j0, n, d)
#else
            ADD_MEANS_OF(to_d, WIDE_D, key, j0, m, d)
#endif
#endif
        }
    }
    /* The three lie one after another. */
    const long queries = (long)all * d, keys = (long)all / n / each * m;
#pragma unroll
    for (int r = 0; r < 4; r++) {
        const int i = i0 + 4 * v + r;
        const long row = (long)outer * rows + i;
#if WIDE_D
#pragma unroll
        for (int h = 0; h < WIDE_D && i < rows; h++)
            store_four(to + ((BY_KEYS ? queries : 0) + row * d), to_d[r * WIDE_D + h], (h * SIDE_U + u) * 4, d);
#endif
#if WIDE_E
#pragma unroll
        for (int h = 0; h < WIDE_E && i < rows; h++)
            store_four(to + (queries + keys * d + row * e), to_e[r * WIDE_E + h], (h * SIDE_U + u) * 4, e);
#endif
    }
}
#endif
